"""The two logs as a client sees them: read the whole Gazette, have a record logged.

Nothing that comes from a log is believed before the policy's quorum has cosigned it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from safeconduct.errors import ConflictError, MalformedError, UnavailableError, UnverifiedError
from safeconduct.plumbing import clock, fetch
from safeconduct.plumbing.circuits import Circuit
from safeconduct.plumbing.programme import Programme
from safeconduct.protocol.canonical import length_prefixed
from safeconduct.protocol.gazette import GazetteState, fold, fold_all
from safeconduct.protocol.receipt import Receipt, verify_receipt
from safeconduct.protocol.record import record_hash
from safeconduct.protocol.tlog.merkle import Frontier, leaf_hash
from safeconduct.protocol.tlog.policy import Cosigned, open_checkpoint, verify_proof
from safeconduct.protocol.tlog.tile import (
    BUNDLE_BYTES_MAX,
    TILE_WIDTH,
    bundle_path,
    bundles_of,
    parse_bundle,
)

CHECKPOINT_BYTES_MAX = 64 << 10
PROOF_BYTES_MAX = 64 << 10
LEAVES_MAX = 1_024  # as many as a log takes at once
_LENGTH_BYTES = 4
GAZETTE_AGE_SECONDS_MAX = 86_400  # an idle log has itself cosigned afresh every minute
GAZETTE_FILE_BYTES_MAX = 256 << 20
_GAZETTE_FILE = b"safeconduct gazette v1\n"
PATIENCE_SECONDS = 40.0  # how long a log may be away before a caller gives up


@dataclass(frozen=True, slots=True, kw_only=True)
class GazetteView:
    """The whole Gazette under one cosigned checkpoint, folded."""

    state: GazetteState
    cosigned: Cosigned
    checkpoint: bytes
    entries: tuple[bytes, ...]


def read_gazette(
    programme: Programme,
    *,
    at: int | None = None,
    circuit: Circuit | None = None,
    before: GazetteView | None = None,
) -> GazetteView:
    """Every entry of the Gazette, proven complete and unaltered, and what they say.

    Reading it whole is what keeps a server from showing one visitor a key of their own; that
    its cosignatures are at most a day old at `at` (POSIX seconds, by default now) is what keeps
    a server from showing keys and a law that were replaced since. Of what was read `before` no
    entry is fetched or folded again: all of them together must still hash to the checkpoint,
    and an older one that is shown changes nothing.

    Raises:
        UnverifiedError: the entries are not those of the cosigned checkpoint.
        UnavailableError: the log stayed away for too long, or what it shows is stale.
    """
    checkpoint, cosigned = read_checkpoint(
        programme, programme.gazette, programme.gazette_origin, circuit=circuit
    )
    now = clock.seconds() if at is None else at
    _check_fresh(cosigned, now)
    tree = cosigned.checkpoint.tree
    if before is not None and _is_older(cosigned, before.cosigned):
        _check_fresh(before.cosigned, now)
        return before
    if before is not None and before.cosigned.checkpoint.tree == tree:
        return replace(before, cosigned=cosigned, checkpoint=checkpoint)
    entries = list(before.entries) if before is not None else []
    for index, width in bundles_of(tree.size):
        held = len(entries) - index * TILE_WIDTH
        if held < width:
            url = f"{programme.gazette}/{bundle_path(index, width)}"
            bundle = fetch_file(url, bytes_max=BUNDLE_BYTES_MAX, circuit=circuit)
            entries += parse_bundle(bundle, width)[held:]
    return _view(programme, checkpoint, cosigned, entries, before)


def _is_older(cosigned: Cosigned, before: Cosigned) -> bool:
    """Whether it shows less of the Gazette, or the same as of an earlier moment.

    Of the same tree as well: what time has opened or ended must not come back by cosignatures
    that somebody kept.
    """
    size, held = cosigned.checkpoint.tree.size, before.checkpoint.tree.size
    return size < held or (
        cosigned.checkpoint.tree == before.checkpoint.tree
        and cosigned.vouched_at < before.vouched_at
    )


def _view(
    programme: Programme,
    checkpoint: bytes,
    cosigned: Cosigned,
    entries: Sequence[bytes],
    before: GazetteView | None = None,
) -> GazetteView:
    """What the entries say, if they are all that the checkpoint covers.

    Those of `before` are the first of them, and are not folded again.
    """
    frontier, _ = Frontier.empty().extend([leaf_hash(entry) for entry in entries])
    if frontier.tree() != cosigned.checkpoint.tree:
        raise UnverifiedError("the Gazette's entries are not those its checkpoint covers")
    state = before.state if before is not None else fold_all(entries)
    for entry in entries[state.size :]:
        state = fold(state, entry)
    if state.programme_hash != programme.hash:
        raise ConflictError("the Gazette founds another programme than the public file names")
    return GazetteView(
        state=state, cosigned=cosigned, checkpoint=checkpoint, entries=tuple(entries)
    )


def format_gazette(view: GazetteView) -> bytes:
    """The Gazette as one file, for a machine that no network reaches.

        "safeconduct gazette v1" LF ‖ u32 length ‖ checkpoint ‖ u32 length ‖ entry 0 ‖ …

    Spec: docs/3-protocol.md §13.1.
    """
    parts = (length_prefixed(part) for part in (view.checkpoint, *view.entries))
    return _GAZETTE_FILE + b"".join(parts)


def parse_gazette(programme: Programme, data: bytes) -> GazetteView:
    """The Gazette in such a file, proven as if it came from the log, but of any age.

    Raises:
        MalformedError: no such file.
        UnverifiedError: not cosigned under the programme's policy, or other entries.
        ConflictError: it founds another programme.
    """
    if not data.startswith(_GAZETTE_FILE):
        raise MalformedError("not a saved Gazette")
    parts = _split(data, len(_GAZETTE_FILE))
    checkpoint = next(parts, None)
    if checkpoint is None:
        raise MalformedError("saved Gazette: holds no checkpoint")
    cosigned = open_checkpoint(checkpoint, programme.policy, programme.gazette_origin)
    # Not all that the file may hold: of empty entries that would be 64 million.
    most = min(cosigned.checkpoint.tree.size, GAZETTE_FILE_BYTES_MAX) + 1
    entries = list(islice(parts, most))
    return _view(programme, checkpoint, cosigned, entries)


def _split(data: bytes, place: int) -> Iterator[bytes]:
    while place < len(data):
        end = place + 4 + int.from_bytes(data[place : place + 4], "big")
        if place + 4 > len(data) or end > len(data):
            raise MalformedError("saved Gazette: cut short")
        yield data[place + 4 : end]
        place = end


def is_stale(cosigned: Cosigned, at: int) -> bool:
    """Whether its cosignatures are too old at `at` to rule out newer keys or a newer law."""
    # Not its logged-by time: one witness can date a tree of long ago today.
    return at - cosigned.vouched_at > GAZETTE_AGE_SECONDS_MAX


def _check_fresh(cosigned: Cosigned, at: int) -> None:
    if is_stale(cosigned, at):
        raise UnavailableError(
            "the Gazette shown is stale: its cosignatures are more than a day old",
            hint="check your clock, and try again when log and witnesses are back",
        )


def read_checkpoint(
    programme: Programme, url: str, origin: str, *, circuit: Circuit | None = None
) -> tuple[bytes, Cosigned]:
    """A log's newest checkpoint, opened under the programme's policy.

    Raises:
        UnverifiedError: not signed by the log, or without its quorum.
        UnavailableError: the log stayed away for too long.
    """
    data = fetch_file(f"{url}/checkpoint", bytes_max=CHECKPOINT_BYTES_MAX, circuit=circuit)
    return data, open_checkpoint(data, programme.policy, origin)


def fetch_file(url: str, *, bytes_max: int, circuit: Circuit | None = None) -> bytes:
    """A file of a log's tree, asked for until the log is back."""
    return fetch.patiently(
        lambda: fetch.get(url, bytes_max=bytes_max, circuit=circuit), seconds=PATIENCE_SECONDS
    )


def log_record(
    programme: Programme, record: bytes, *, circuit: Circuit | None = None
) -> tuple[bytes, Receipt]:
    """Have the record's hash logged in the Ledger; returns its proof and the verified receipt.

    Trying again is safe: the log answers with the same place. Waits for the quorum.

    Raises:
        UnverifiedError: the log answered with a proof that does not hold.
        UnavailableError: the log or the quorum was away for too long.
    """
    proof = log_leaf(programme, record_hash(record), circuit=circuit)
    return proof, verify_receipt(record, proof, programme.policy, programme.ledger_origin)


def log_leaf(programme: Programme, leaf: bytes, *, circuit: Circuit | None = None) -> bytes:
    """Have 32 bytes logged in the Ledger; returns the proof as the log sent it, unverified."""
    return _add(f"{programme.ledger}/add", leaf, circuit)


def log_leaves(
    programme: Programme, leaves: Sequence[bytes], *, circuit: Circuit | None = None
) -> list[bytes]:
    """Have 32 bytes each logged in the Ledger; returns the proofs in order, unverified.

    Nothing stands in place of a proof that there was not in time: such a leaf is to be sent
    again. This is one attempt, of at most `LEAVES_MAX` leaves.

        answer  (u32 length ‖ tlog-proof, or u32 0) for each leaf

    Raises:
        MalformedError: the log answered with something else.
        UnavailableError: the log or the quorum is away.

    Spec: docs/3-protocol.md §17.2.
    """
    response = fetch.post(
        f"{programme.ledger}/add-all",
        b"".join(leaves),
        bytes_max=len(leaves) * (_LENGTH_BYTES + PROOF_BYTES_MAX),
        circuit=circuit,
    )
    fetch.raise_for(response)
    return _parse_proofs(response.body, len(leaves))


def _parse_proofs(data: bytes, count: int) -> list[bytes]:
    proofs, place = [], 0
    for _ in range(count):
        start = place + _LENGTH_BYTES
        place = start + int.from_bytes(data[place:start], "big")
        if start > len(data) or place - start > PROOF_BYTES_MAX:
            break
        proofs.append(data[start:place])
    if len(proofs) != count or place != len(data):
        raise MalformedError("the log did not answer with one proof for each leaf")
    return proofs


def log_notice(programme: Programme, entry: bytes) -> bytes:
    """Have a signed record logged in full in the Gazette; returns its verified proof.

    Raises:
        MalformedError, UnverifiedError: the Gazette does not admit the entry.
        UnavailableError: the log or the quorum was away for too long.
    """
    proof = _add(f"{programme.gazette}/add", entry)
    verify_proof(proof, entry, programme.policy, programme.gazette_origin)
    return proof


def _add(url: str, entry: bytes, circuit: Circuit | None = None) -> bytes:
    def attempt() -> bytes:
        response = fetch.post(url, entry, bytes_max=PROOF_BYTES_MAX, circuit=circuit)
        fetch.raise_for(response)
        return response.body

    return fetch.patiently(attempt, seconds=PATIENCE_SECONDS)
