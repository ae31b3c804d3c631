"""The body of add-checkpoint, parsed strictly.

    old 20852014                                     the size the log believes we know
    KgQ2fCVs/sSCgC5xTx6c2+Exc3nPvZTvFDZ6C1p3pV0=     0 to 63 hashes, base64
                                                     empty line
    log.example/ledger                               the checkpoint with its signatures
    ...

Spec: c2sp.org/tlog-witness, add-checkpoint.
"""

from dataclasses import dataclass

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import decode_text, parse_decimal
from safeconduct.protocol.tlog.checkpoint import Checkpoint, parse_checkpoint, parse_hash
from safeconduct.protocol.tlog.merkle import PROOF_HASHES_MAX
from safeconduct.protocol.tlog.note import Note, parse_note

REQUEST_BYTES_MAX = 64 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCheckpoint:
    """What a log asks: cosign `note`, whose tree continues one of `old_size` entries."""

    old_size: int
    proof: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint


def parse_request(body: bytes) -> AddCheckpoint:
    """The parts of a request; no signature is looked at.

    Raises:
        MalformedError: too long, a line out of place or in another spelling, or no checkpoint.
    """
    if len(body) > REQUEST_BYTES_MAX:
        raise MalformedError(f"the request is longer than {REQUEST_BYTES_MAX} bytes")
    head, empty_line, note_bytes = body.partition(b"\n\n")
    if not empty_line:
        raise MalformedError("no empty line before the checkpoint")
    old, *hashes = decode_text(head, "request").split("\n")
    if not old.startswith("old "):
        raise MalformedError("the first line is not 'old <size>'")
    if len(hashes) > PROOF_HASHES_MAX:
        raise MalformedError(f"more than {PROOF_HASHES_MAX} proof hashes")
    note = parse_note(note_bytes)
    return AddCheckpoint(
        old_size=parse_decimal(old.removeprefix("old "), "old size"),
        proof=tuple(parse_hash(line, "proof hash") for line in hashes),
        note=note,
        checkpoint=parse_checkpoint(note.text),
    )
