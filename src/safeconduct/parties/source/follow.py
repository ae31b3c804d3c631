"""Follow up: answer the desk, or say more, so that it knows the answer is by the same source.

A follow-up is a contribution of its own, sealed, dated and delivered like any other; inside it
names the earlier one with a MAC that only its two ends can make. The door sees nothing of it.

Spec: docs/3-protocol.md §7.1, §12.
"""

from collections.abc import Callable, Sequence

from safeconduct.errors import RefusedError
from safeconduct.parties.source.door import PATIENCE_SECONDS, Door
from safeconduct.parties.source.send import Report, Sent, Wait, no_wait, send
from safeconduct.plumbing import fetch
from safeconduct.plumbing.circuits import Circuits
from safeconduct.plumbing.programme import Programme
from safeconduct.protocol.address import DEFAULT_PROFILE
from safeconduct.protocol.capsule import Found, collect_capsules, find_capsules
from safeconduct.protocol.envelope import Source
from safeconduct.protocol.keys import contribution_keys, master_key
from safeconduct.protocol.record import record_hash


def follow(
    programme: Programme,
    entropy: bytes,
    number: int,
    sources: Sequence[Source],
    *,
    at: int,
    random_bytes: Callable[[int], bytes],
    report: Report,
    profile: str = DEFAULT_PROFILE,
    burn: bool = False,
    wait: Wait = no_wait,
    circuits: Circuits | None = None,
) -> Sent:
    """Send `sources` as the next contribution of these words, which continues number `number`.

    Raises:
        RefusedError: these words have no such contribution; or as `send`.
        UnverifiedError, UnavailableError: as `send`.
    """
    master = master_key(entropy, programme.hash)
    earlier = find_one(Door(programme.door, circuits), master, number)
    return send(
        programme,
        entropy,
        sources,
        at=at,
        random_bytes=random_bytes,
        report=report,
        number=number + 1,
        profile=profile,
        burn=burn,
        follows=(record_hash(earlier.capsule.record), earlier.keys.tag_key()),
        wait=wait,
        circuits=circuits,
    )


def find_one(door: Door, master: bytes, number: int) -> Found:
    """Contribution `number` of the words with this `master`, from the shelf, fetched whole.

    Raises:
        RefusedError: the shelf holds none.
        UnavailableError: the door stayed away for too long.
    """
    slots = {contribution_keys(master, number).slot()}
    held = fetch.patiently(
        lambda: collect_capsules(door.shelf_pieces(), slots), seconds=PATIENCE_SECONDS
    )
    found, _ = find_capsules(
        lambda slot: held.get(slot, ()), lambda place: contribution_keys(master, number + place)
    )
    if not found:
        raise RefusedError(
            f"these words have no contribution {number}", hint="empty mailbox — wrong words?"
        )
    return found[0]
