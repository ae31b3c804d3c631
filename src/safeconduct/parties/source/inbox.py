"""Come back with nothing but the words: contributions, receipts and replies.

Capsules and bulletin are fetched whole and searched here, so that the door never learns which
of them were ours. Wrong words find nothing, exactly like new ones.

Spec: docs/3-protocol.md §11, §12.
"""

from dataclasses import dataclass

from safeconduct.errors import SafeconductError
from safeconduct.parties.source.door import Door
from safeconduct.plumbing.programme import Programme
from safeconduct.protocol.capsule import Capsule, find_capsules, split_shelf
from safeconduct.protocol.keys import ContributionKeys, contribution_keys, master_key
from safeconduct.protocol.receipt import Receipt, verify_receipt
from safeconduct.protocol.reply import Reply, find_replies, split_bulletin


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """One tip of these words, with all that came back; `receipt` is None before its date."""

    keys: ContributionKeys
    capsule: Capsule
    receipt: Receipt | None
    replies: tuple[Reply, ...]

    @property
    def acknowledgement(self) -> Reply | None:
        """The newest reply that carries the desk's signed acknowledgement."""
        carried = [reply for reply in self.replies if reply.acknowledgement]
        return carried[-1] if carried else None


def read_inbox(programme: Programme, entropy: bytes) -> tuple[Contribution, ...]:
    """Everything these words have sent and were answered; empty for wrong words.

    Raises:
        UnavailableError: the door stayed away for too long.
    """
    master = master_key(entropy, programme.hash)
    door = Door(programme.door)
    shelf = split_shelf(door.shelf())
    found, _ = find_capsules(shelf, lambda number: contribution_keys(master, number))
    replies = find_replies(split_bulletin(door.bulletin()), [item.keys for item in found])
    return tuple(
        Contribution(
            keys=item.keys,
            capsule=item.capsule,
            receipt=_receipt(programme, item.capsule),
            replies=tuple(reply for keys, _, reply in replies if keys == item.keys),
        )
        for item in found
    )


def _receipt(programme: Programme, capsule: Capsule) -> Receipt | None:
    if not capsule.proof:
        return None
    try:
        return verify_receipt(
            capsule.record, capsule.proof, programme.policy, programme.ledger_origin
        )
    except SafeconductError:
        return None  # shown as undated: what does not verify must not look like a date
