"""A receipt for those who only hold that: by when a record was logged, and who says so.

Spec: docs/3-protocol.md §9; c2sp.org/tlog-proof, c2sp.org/tlog-policy.
"""

from dataclasses import dataclass

from safeconduct.parties.auditor.finding import show_instant
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.receipt import Receipt, check_before, verify_receipt
from safeconduct.protocol.signature import ED25519_SIGNATURE_BYTES
from safeconduct.protocol.tlog.checkpoint import parse_checkpoint
from safeconduct.protocol.tlog.cosignature import BLOB_BYTES, MLDSA44_BLOB_BYTES, TIME_BYTES
from safeconduct.protocol.tlog.note import Note, SignatureLine, parse_note, signatures_by
from safeconduct.protocol.tlog.policy import Policy
from safeconduct.protocol.tlog.proof import parse_proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """A verified receipt, and the (witness, POSIX seconds) that sufficed to date it."""

    receipt: Receipt
    dating: tuple[tuple[str, int], ...]

    def as_text(self) -> str:
        """What it proves, in words."""
        logged = self.receipt.logged
        return "\n".join(
            [
                f"logged by    {show_instant(logged.logged_by)}",
                f"record       {self.receipt.record.kind}, {self.receipt.record_hash.hex()}",
                f"log          {logged.origin}, entry {logged.index} of {logged.tree.size}",
                *(f"cosigned by  {name} at {show_instant(at)}" for name, at in self.dating),
            ]
        )

    def as_value(self) -> Json:
        """What it proves, as a JSON value."""
        logged = self.receipt.logged
        return {
            "cosignatures": [
                {"at": show_instant(at), "witness": name} for name, at in self.dating
            ],
            "index": logged.index,
            "kind": self.receipt.record.kind,
            "logged_by": show_instant(logged.logged_by),
            "logged_by_seconds": logged.logged_by,
            "origin": logged.origin,
            "record_hash": self.receipt.record_hash.hex(),
            "root_hash": logged.tree.root_hash.hex(),
            "tree_size": logged.tree.size,
        }


def verify(record: bytes, proof: bytes, policy: Policy, *, before: int | None = None) -> Dated:
    """The record's date under `policy`, which lies before `before` (POSIX seconds) if given.

    Raises:
        MalformedError: the record or the proof does not parse.
        UnverifiedError: the proof is of another record, lacks the log's signature or a quorum,
            or the date is not early enough.
    """
    receipt = verify_receipt(record, proof, policy)
    if before is not None:
        check_before(receipt, before)
    note = parse_note(parse_proof(proof).checkpoint)
    return Dated(receipt=receipt, dating=_dating(note, policy, receipt.logged_by))


def _dating(note: Note, policy: Policy, logged_by: int) -> tuple[tuple[str, int], ...]:
    """Whose cosignatures sufficed, earliest first, in a note that has been verified.

    There every line of a listed witness holds, since a bad one would have spoilt the note: so
    the times are read without paying for the signatures a second time.
    """
    found = [
        (_time(line), witness.name)
        for witness in policy.witnesses
        for line in signatures_by(note, witness.key)
    ]
    return tuple((name, at) for at, name in sorted(found) if at <= logged_by)


def _time(line: SignatureLine) -> int:
    return int.from_bytes(line.blob[:TIME_BYTES], "big")


def show_receipt(data: bytes) -> str:
    """What stands in a receipt, in plain words; none of it is verified.

    Raises:
        MalformedError: not a tlog proof.
    """
    proof = parse_proof(data)
    note = parse_note(proof.checkpoint)
    checkpoint = parse_checkpoint(note.text)
    lines = [
        f"This receipt says that entry {proof.index} of the log {checkpoint.origin} stands in "
        f"its tree of {checkpoint.tree.size} entries.",
        f"root hash    {checkpoint.tree.root_hash.hex()}",
        f"proof        {len(proof.hashes)} hashes lead from the entry to the root hash",
    ]
    if proof.extra is not None:
        lines.append(f"extra        {len(proof.extra)} bytes that nobody has signed")
    lines += [_line_text(line, checkpoint.origin) for line in note.signatures]
    lines.append(
        "Which record it dates is not in it, and nothing here is verified yet: "
        "use `receipt verify` with the record and a policy."
    )
    return "\n".join(lines)


def _line_text(line: SignatureLine, origin: str) -> str:
    if line.name == origin and len(line.blob) == ED25519_SIGNATURE_BYTES:
        return f"signed       by {line.name}, the log"
    if len(line.blob) in (BLOB_BYTES, MLDSA44_BLOB_BYTES):
        at = show_instant(_time(line))
        if line.name == origin:
            return f"signed       by {line.name}, the log, at {at}"
        return f"cosigned     by {line.name}, at {at}"
    return f"signed       by {line.name}, in a way unknown here"
