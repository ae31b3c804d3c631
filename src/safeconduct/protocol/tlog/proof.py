"""Log proofs: that an entry is in a log, checkable offline, in one file.

    c2sp.org/tlog-proof@v1
    extra YWdlLXYxLjIuMQ==                           optional; nothing authenticates it
    index 73894                                      the entry's place in the log, from 0
    gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=     0 to 63 hashes, leaf's sibling first

    log.example/ledger                               the signed checkpoint, verbatim
    ...

Spec: c2sp.org/tlog-proof. The file suffix is `.tlog-proof`.
"""

from dataclasses import dataclass

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import (
    decode_text,
    format_base64,
    parse_base64,
    parse_decimal,
)
from safeconduct.protocol.tlog.checkpoint import parse_checkpoint, parse_hash
from safeconduct.protocol.tlog.merkle import PROOF_HASHES_MAX
from safeconduct.protocol.tlog.note import NOTE_BYTES_MAX, parse_note

EXTRA_BYTES_MAX = 1 << 16
PROOF_BYTES_MAX = NOTE_BYTES_MAX + 2 * EXTRA_BYTES_MAX

_HEADER = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlogProof:
    """An index, the hashes that lead from there to a root, and the note that names the root."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None


def parse_proof(data: bytes) -> TlogProof:
    """The parts of a proof, whose checkpoint parses too; nothing is verified.

    Raises:
        MalformedError: too long, another header, a line out of place, over 63 hashes, or no
            signed checkpoint after the empty line.
    """
    if len(data) > PROOF_BYTES_MAX:
        raise MalformedError(f"proof: longer than {PROOF_BYTES_MAX} bytes")
    head, empty_line, checkpoint = decode_text(data, "proof").partition("\n\n")
    if not empty_line:
        raise MalformedError("proof: no empty line before the checkpoint")
    parse_checkpoint(parse_note(checkpoint.encode()).text)
    header, *lines = head.split("\n")
    if header != _HEADER:
        raise MalformedError(f"proof: does not begin with {_HEADER}")
    extra = _take(lines, "extra ")
    index = _take(lines, "index ")
    if index is None:
        raise MalformedError("proof: no index line")
    return TlogProof(
        index=parse_decimal(index, "proof index"),
        hashes=_parse_hashes(lines),
        checkpoint=checkpoint.encode(),
        extra=None if extra is None else _parse_extra(extra),
    )


def format_proof(proof: TlogProof) -> bytes:
    """The bytes that `parse_proof` gives back as it was."""
    extra = [] if proof.extra is None else [f"extra {format_base64(proof.extra)}"]
    hashes = map(format_base64, proof.hashes)
    lines = [_HEADER, *extra, f"index {proof.index}", *hashes, "", ""]
    data = "\n".join(lines).encode() + proof.checkpoint
    assert parse_proof(data) == proof, "proof: a part cannot be written"
    return data


def _take(lines: list[str], prefix: str) -> str | None:
    """What follows `prefix` in the first line, which is then removed; None without it."""
    if lines and lines[0].startswith(prefix):
        return lines.pop(0).removeprefix(prefix)
    return None


def _parse_extra(text: str) -> bytes:
    extra = parse_base64(text, "proof extra")
    if not 0 < len(extra) <= EXTRA_BYTES_MAX:
        # Nothing to say is said by leaving the line out.
        raise MalformedError(f"proof: extra is not 1 to {EXTRA_BYTES_MAX} bytes")
    return extra


def _parse_hashes(lines: list[str]) -> tuple[bytes, ...]:
    if len(lines) > PROOF_HASHES_MAX:
        raise MalformedError(f"proof: more than {PROOF_HASHES_MAX} hashes")
    return tuple(parse_hash(line, "proof hash") for line in lines)
