"""Get everything back from words and any mirror, when door, log and witnesses are gone.

The shelf is fetched whole and searched here as it comes, as at the door: only our own capsules
are held. A capsule usually holds its receipt. To ask the mirror for the proof of an entry is to
tell it whose entry that is, and which others are the same person's. So it is asked only on
demand, even where a capsule holds no receipt that verifies: a mirror that shows old versions of
capsules could else find out at will. Nothing is believed that does not verify under the
programme's own policy.

The mirror learns that somebody at this address fetched the shelf now, and nothing else.

Spec: docs/3-protocol.md §11, §17.7.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

from safeconduct.errors import (
    MalformedError,
    SafeconductError,
    UnverifiedError,
)
from safeconduct.parties.source.door import BULK_SECONDS, SHELF_BYTES_MAX
from safeconduct.plumbing import fetch
from safeconduct.plumbing.circuits import DIRECT, Circuits
from safeconduct.plumbing.logs import PROOF_BYTES_MAX
from safeconduct.plumbing.programme import Programme
from safeconduct.protocol.capsule import Capsule, Found, search_shelf
from safeconduct.protocol.keys import contribution_keys, master_key
from safeconduct.protocol.receipt import Receipt, verify_receipt
from safeconduct.protocol.record import record_hash
from safeconduct.protocol.tlog.merkle import leaf_hash

CAPSULE, MIRROR, NOWHERE = "capsule", "mirror", "nowhere"
"""Where a receipt's proof came from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """One contribution that came back; without a proof that holds, `receipt` is None.

    `doubt` then says why.
    """

    number: int
    capsule: Capsule
    receipt: Receipt | None = None
    proof: bytes = b""
    origin: str = NOWHERE
    doubt: str = ""


def restore(
    programme: Programme,
    entropy: bytes,
    mirror: str,
    *,
    compare: bool = False,
    circuits: Circuits = DIRECT,
) -> tuple[Restored, ...]:
    """All contributions of these words that the mirror's shelf holds; empty for wrong words.

    With `compare` the mirror is asked for every proof, and so learns which entries are this
    source's; the earlier date counts. Without, a capsule's own receipt is all there is.

    Raises:
        MalformedError: what the mirror shows is no shelf.
        UnavailableError: the mirror cannot be reached.
    """
    url = mirror.rstrip("/")
    master = master_key(entropy, programme.hash)
    found, _ = search_shelf(
        lambda: fetch.pieces(
            f"{url}/capsules",
            bytes_max=SHELF_BYTES_MAX,
            seconds=BULK_SECONDS,
            circuit=circuits.of("shelf"),
        ),
        lambda number: contribution_keys(master, number),
    )
    ask = partial(_ask, programme, url, circuits) if compare else None
    return tuple(_restore(programme, item, ask) for item in found)


def _restore(
    programme: Programme, found: Found, ask: Callable[[bytes], bytes] | None
) -> Restored:
    """The contribution with the earliest date that verifies."""
    number, capsule = found.keys.number, found.capsule
    held, doubt = _check(programme, number, capsule, capsule.proof, CAPSULE)
    if ask is None:
        return held or Restored(number=number, capsule=capsule, doubt=doubt)
    try:
        proof = ask(capsule.record)
        shown, doubt = _check(programme, number, capsule, proof, MIRROR)
    except SafeconductError as error:
        shown, doubt = None, error.message
    dated = sorted((each for each in (held, shown) if each is not None), key=_logged_by)
    return dated[0] if dated else Restored(number=number, capsule=capsule, doubt=doubt)


def _check(
    programme: Programme, number: int, capsule: Capsule, proof: bytes, origin: str
) -> tuple[Restored | None, str]:
    """The contribution with that proof, or None and why the proof does not hold."""
    try:
        receipt = verify_receipt(
            capsule.record, proof, programme.policy, programme.ledger_origin
        )
    except (MalformedError, UnverifiedError) as error:
        return None, error.message
    restored = Restored(
        number=number, capsule=capsule, receipt=receipt, proof=proof, origin=origin
    )
    return restored, ""


def _ask(programme: Programme, mirror: str, circuits: Circuits, record: bytes) -> bytes:
    """The mirror's proof of a record in the Ledger, not verified.

    The Ledger is asked for by its origin, so that any mirror will do, whatever it calls it.
    """
    log = sha256(programme.ledger_origin.encode()).hexdigest()
    entry = leaf_hash(record_hash(record)).hex()
    url = f"{mirror}/{log}/proof?entry-hash={entry}"
    return fetch.get(url, bytes_max=PROOF_BYTES_MAX, circuit=circuits.of("proof"))


def _logged_by(restored: Restored) -> int:
    assert restored.receipt is not None
    return restored.receipt.logged_by
