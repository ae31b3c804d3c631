"""A receipt for those who only hold that: by when a record was logged, and who says so.

Spec: docs/3-protocol.md §9; c2sp.org/tlog-proof, c2sp.org/tlog-policy.
"""

from dataclasses import dataclass

from safeconduct.parties.auditor.finding import show_instant
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.receipt import Receipt, check_before, verify_receipt
from safeconduct.protocol.tlog.checkpoint import parse_checkpoint
from safeconduct.protocol.tlog.cosignature import BLOB_BYTES, TIME_BYTES
from safeconduct.protocol.tlog.note import Note, SignatureLine, parse_note
from safeconduct.protocol.tlog.policy import Cosigned, Policy, open_checkpoint
from safeconduct.protocol.tlog.proof import parse_proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """A verified receipt, and the cosignatures that date it."""

    receipt: Receipt
    cosigned: Cosigned

    @property
    def dating(self) -> tuple[tuple[str, int], ...]:
        """(witness, POSIX seconds) of those who sufficed: all up to the logged-by time."""
        found = self.cosigned.cosignatures
        return tuple((name, at) for name, at in found if at <= self.receipt.logged_by)

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
    return Dated(
        receipt=receipt, cosigned=open_checkpoint(parse_proof(proof).checkpoint, policy)
    )


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
    lines += [_line_text(line, note, checkpoint.origin) for line in note.signatures]
    lines.append(
        "Which record it dates is not in it, and nothing here is verified yet: "
        "use `receipt verify` with the record and a policy."
    )
    return "\n".join(lines)


def _line_text(line: SignatureLine, note: Note, origin: str) -> str:
    if line.name == origin and line is note.signatures[0]:
        return f"signed       by {line.name}, the log"
    if len(line.blob) == BLOB_BYTES:
        at = int.from_bytes(line.blob[:TIME_BYTES], "big")
        return f"cosigned     by {line.name}, at {show_instant(at)}"
    return f"signed       by {line.name}, in a way unknown here"
