"""A fork proof, told in plain words: what it proves, against whom, and what it does not.

Spec: docs/3-protocol.md; c2sp.org/tlog-cosignature for what a witness says of a tree.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from safeconduct.errors import UnverifiedError
from safeconduct.parties.auditor.finding import show_instant
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.tlog.checkpoint import parse_checkpoint
from safeconduct.protocol.tlog.cosignature import verify_cosignature
from safeconduct.protocol.tlog.fork import Fork, ForkProof, parse_fork, verify_fork
from safeconduct.protocol.tlog.merkle import Tree
from safeconduct.protocol.tlog.note import VerifierKey, parse_note
from safeconduct.protocol.tlog.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigner:
    """A witness of the policy that cosigned one of the two trees, at `at` POSIX seconds."""

    name: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenFork:
    """A fork, and the policy's witnesses that cosigned its older and its newer tree."""

    fork: Fork
    old: tuple[Cosigner, ...] = ()
    new: tuple[Cosigner, ...] = ()

    @property
    def of_both(self) -> tuple[str, ...]:
        """The witnesses that cosigned both trees, sorted."""
        return tuple(sorted({one.name for one in self.old} & {one.name for one in self.new}))

    def as_text(self) -> str:
        """What it proves and what not, in words."""
        fork = self.fork
        return "\n".join(
            [
                f"The log {fork.origin} has forked: it signed two trees that differ.",
                f"tree         {_tree_text(fork.old)}",
                *map(_cosigner_text, self.old),
                f"tree         {_tree_text(fork.new)}",
                *map(_cosigner_text, self.new),
                "",
                "Proven, by the log's own signatures and nobody else's word: the first tree is "
                f"not the beginning of the second. The log told {_LIE[fork.old.size > 0]}",
                *(_BOTH.format(name=name) for name in self.of_both),
                "Not proven: which of the two trees is the right one, who was shown which, "
                "when, or on whose order; nor anything about what the entries say.",
            ]
        )

    def as_value(self) -> Json:
        """What it proves, as a JSON value."""
        return {
            "cosigned_both": list(self.of_both),
            "new": _tree_value(self.fork.new, self.new),
            "old": _tree_value(self.fork.old, self.old),
            "origin": self.fork.origin,
        }


_LIE = {
    True: "two stories about the same entries.",
    False: "of an empty tree with a root hash that no empty tree has.",
}
_BOTH = "The witness {name} cosigned both, which no honest witness does."


def prove(data: bytes, keys: Sequence[VerifierKey], policy: Policy | None = None) -> ProvenFork:
    """What the fork proof in `data` proves about the log of one of the keys.

    Raises:
        MalformedError: not a fork proof.
        UnverifiedError: it proves nothing: no such log signed both trees, or they agree.
    """
    proof = parse_fork(data)
    fork = verify_fork(proof, keys)
    return ProvenFork(
        fork=fork, old=_cosigners(proof.old, policy), new=_cosigners(proof.new, policy)
    )


def show_fork(data: bytes) -> str:
    """What stands in a fork proof, in plain words; none of it is verified.

    Raises:
        MalformedError: not a fork proof.
    """
    proof = parse_fork(data)
    lines = ["This file says that a log has forked."]
    for note in _notes(proof):
        checkpoint = parse_checkpoint(parse_note(note).text)
        names = ", ".join(line.name for line in parse_note(note).signatures)
        lines.append(f"tree         of {checkpoint.origin}: {_tree_text(checkpoint.tree)}")
        lines.append(f"signed       by {names}, as it says")
    lines.append(f"proof        {len(proof.hashes)} hashes between the two trees")
    lines.append(
        "Nothing here is verified yet: use `fork verify` with a policy or a log's key."
    )
    return "\n".join(lines)


def _notes(proof: ForkProof) -> tuple[bytes, bytes]:
    return proof.old, proof.new


def _cosigners(data: bytes, policy: Policy | None) -> tuple[Cosigner, ...]:
    """The policy's witnesses whose cosignatures hold; others' lines say nothing here."""
    note, found = parse_note(data), list[Cosigner]()
    for witness in policy.witnesses if policy is not None else ():
        try:
            found.append(Cosigner(name=witness.name, at=verify_cosignature(note, witness.key)))
        except UnverifiedError:
            continue
    return tuple(sorted(found, key=lambda cosigner: (cosigner.at, cosigner.name)))


def _tree_text(tree: Tree) -> str:
    return f"{tree.size} entries under root hash {tree.root_hash.hex()}"


def _cosigner_text(cosigner: Cosigner) -> str:
    return f"cosigned by  {cosigner.name} at {show_instant(cosigner.at)}"


def _tree_value(tree: Tree, cosigners: Sequence[Cosigner]) -> Json:
    return {
        "cosignatures": [
            {"at": show_instant(one.at), "witness": one.name} for one in cosigners
        ],
        "root_hash": tree.root_hash.hex(),
        "size": tree.size,
    }
