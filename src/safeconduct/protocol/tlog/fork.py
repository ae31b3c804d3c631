"""Fork proofs: a log signed two trees of which neither begins the other.

    safeconduct/v1/fork
    old 187                                          length of the first note, bytes
    new 192                                          length of the second note, bytes
    gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=     0 to 64 hashes
                                                     empty line
    log.example/ledger                               the note of the smaller tree, verbatim
    ...
    log.example/ledger                               the note of the larger tree, verbatim
    ...

Two root hashes of one size are a fork without further hashes. For sizes 0 < old < new the
hashes lead to the new root as in RFC 9162 §2.1.4.2, and the first is the right-most subtree of
the old tree *as the new tree has it*. So they are the consistency proof, with that subtree in
front where the old size is a power of two and the proof leaves it out. They lead to the root of
the new tree's first `old` entries as well. If the log signed another one, it forked. A tree
without entries has one root hash only: signed with another, it contradicts every later tree.

An honest log cannot be slandered: both trees bear its signature, and whoever found hashes that
lead to its new root, but to another old one, would have broken SHA-256.

Spec: docs/3-protocol.md. The file suffix is `.fork`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.canonical import decode_text, format_base64, parse_decimal, tag
from safeconduct.protocol.tlog.checkpoint import (
    Checkpoint,
    format_checkpoint,
    parse_checkpoint,
    parse_hash,
)
from safeconduct.protocol.tlog.cosignature import verify_log
from safeconduct.protocol.tlog.merkle import (
    EMPTY_ROOT,
    HASH_BYTES,
    PROOF_HASHES_MAX,
    ReadHashes,
    Tree,
    consistency_proof,
    node_hash,
)
from safeconduct.protocol.tlog.note import (
    NOTE_BYTES_MAX,
    Note,
    SignatureLine,
    VerifierKey,
    format_note,
    parse_note,
    signatures_by,
)

FORK_HASHES_MAX = PROOF_HASHES_MAX + 1
FORK_BYTES_MAX = 2 * NOTE_BYTES_MAX + (1 << 13)

_HEADER = tag("fork").decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkProof:
    """Two signed notes of one log, the smaller tree's first, and the hashes between them."""

    old: bytes
    new: bytes
    hashes: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """The log `origin` signed `old` and `new`, and `old` is not the beginning of `new`."""

    origin: str
    old: Tree
    new: Tree


def parse_fork(data: bytes) -> ForkProof:
    """The parts of a fork proof, whose checkpoints parse too; nothing is verified.

    Raises:
        MalformedError: too long, another header, a line out of place, over 64 hashes, or not
            two signed checkpoints of the lengths told.
    """
    if len(data) > FORK_BYTES_MAX:
        raise MalformedError(f"fork: longer than {FORK_BYTES_MAX} bytes")
    head, empty_line, notes = data.partition(b"\n\n")
    header, *lines = decode_text(head, "fork").split("\n")
    if not empty_line or header != _HEADER or len(lines) < 2:
        raise MalformedError(f"fork: not {_HEADER}, two lengths and an empty line")
    old_bytes, new_bytes = _parse_length(lines[0], "old "), _parse_length(lines[1], "new ")
    if old_bytes + new_bytes != len(notes):
        raise MalformedError("fork: the lengths are not those of the two notes")
    if len(lines) - 2 > FORK_HASHES_MAX:
        raise MalformedError(f"fork: more than {FORK_HASHES_MAX} hashes")
    fork = ForkProof(
        old=notes[:old_bytes],
        new=notes[old_bytes:],
        hashes=tuple(parse_hash(line, "fork hash") for line in lines[2:]),
    )
    for note in (fork.old, fork.new):
        parse_checkpoint(parse_note(note).text)
    return fork


def format_fork(fork: ForkProof) -> bytes:
    """The bytes that `parse_fork` gives back as it was."""
    lengths = [f"old {len(fork.old)}", f"new {len(fork.new)}"]
    lines = [_HEADER, *lengths, *map(format_base64, fork.hashes), "", ""]
    data = "\n".join(lines).encode() + fork.old + fork.new
    assert parse_fork(data) == fork, "fork: a part cannot be written"
    return data


def verify_fork(fork: ForkProof, log_keys: Sequence[VerifierKey]) -> Fork:
    """What the log did, signed by its own keys, of which `log_keys` may hold more logs'.

    Raises:
        MalformedError: a note is no signed checkpoint.
        UnverifiedError: two origins, a note that no key of that origin signed, a signature by
            one that does not hold, or trees that these hashes do not show to be apart.
    """
    old, new = (_open(note, log_keys) for note in (fork.old, fork.new))
    if old.origin != new.origin:
        raise UnverifiedError("fork: the notes are of two logs")
    _verify_apart(old.tree, new.tree, fork.hashes)
    return Fork(origin=old.origin, old=old.tree, new=new.tree)


def find_fork(
    old_note: bytes, new_note: bytes, hashes: Sequence[bytes], log_keys: Sequence[VerifierKey]
) -> ForkProof | None:
    """The proof that two notes, in any order, are a fork; None if they and the hashes are not.

    `hashes` are those of `fork_hashes`. Lines that would spoil a note, and extension lines that
    none of the log's signatures covers, are left out of the proof.

    Raises:
        MalformedError: a note is no signed checkpoint.
    """
    evidence = [_evidence(note, log_keys) for note in (old_note, new_note)]
    notes = [note for note in evidence if note is not None]
    if len(notes) < 2:
        return None
    old, new = sorted(notes, key=_size)
    # Two trees of one size differ or not by themselves.
    needed = () if _size(old) in (0, _size(new)) else tuple(hashes)
    fork = ForkProof(old=old, new=new, hashes=needed)
    try:
        verify_fork(fork, log_keys)
    except UnverifiedError:
        return None
    return fork


def fork_hashes(old_size: int, new_size: int, read: ReadHashes) -> list[bytes]:
    """The hashes between two trees of one log, as the larger one has them.

    Requires 0 <= old_size <= new_size.
    """
    proof = consistency_proof(old_size, new_size, read)
    if not 0 < old_size < new_size or old_size & (old_size - 1):
        return proof
    return [*read([(old_size.bit_length() - 1, 0)]), *proof]


def _parse_length(line: str, prefix: str) -> int:
    if not line.startswith(prefix):
        raise MalformedError(f"fork: no line '{prefix}<bytes>' in its place")
    return parse_decimal(line.removeprefix(prefix), "fork note length")


def _open(data: bytes, log_keys: Sequence[VerifierKey]) -> Checkpoint:
    """The checkpoint, once a key named like its origin has signed it."""
    note = parse_note(data)
    checkpoint = parse_checkpoint(note.text)
    signers = _signers(note, checkpoint.origin, log_keys)
    for key in signers:
        verify_log(note, key)
    if not signers:
        raise UnverifiedError(f"fork: no key of {checkpoint.origin} signed one of the notes")
    return checkpoint


def _signers(note: Note, origin: str, log_keys: Sequence[VerifierKey]) -> list[VerifierKey]:
    return [key for key in log_keys if key.name == origin and signatures_by(note, key)]


def _verify_apart(old: Tree, new: Tree, hashes: Sequence[bytes]) -> None:
    """Ensure that no log may sign both trees."""
    if old.size > new.size:
        raise UnverifiedError("fork: the first note is of the larger tree")
    if old.size == 0 or old.size == new.size:
        # A tree without entries has one root hash; a log that signed another one lied alone.
        known = EMPTY_ROOT if old.size == 0 and new.size > 0 else new.root_hash
        if hashes or old.root_hash == known:
            raise UnverifiedError("fork: the trees do not contradict each other")
        return
    beginning, whole = _roots(old.size, new.size, hashes)
    if whole != new.root_hash:
        raise UnverifiedError("fork: the hashes do not lead to the larger tree's root hash")
    if beginning == old.root_hash:
        raise UnverifiedError("fork: the smaller tree is the beginning of the larger one")


def _roots(old_size: int, new_size: int, hashes: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The root hashes of the first `old_size` and of all `new_size` entries.

    Spec: RFC 9162 §2.1.4.2, steps 3 to 6.
    """
    if not hashes or any(len(hash_) != HASH_BYTES for hash_ in hashes):
        raise UnverifiedError("fork: no hashes, or one of another length")
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    beginning = whole = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise UnverifiedError("fork: too many hashes")
        if node & 1 or node == last:
            beginning, whole = node_hash(sibling, beginning), node_hash(sibling, whole)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            whole = node_hash(whole, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise UnverifiedError("fork: too few hashes")
    return beginning, whole


def _evidence(data: bytes, log_keys: Sequence[VerifierKey]) -> bytes | None:
    """The note itself if it holds; else as much of it as the log answers for, if anything."""
    try:
        _open(data, log_keys)
    except UnverifiedError:
        return _trimmed(parse_note(data), log_keys)
    return data


def _trimmed(note: Note, log_keys: Sequence[VerifierKey]) -> bytes | None:
    checkpoint = parse_checkpoint(note.text)
    bare = Checkpoint(origin=checkpoint.origin, tree=checkpoint.tree)
    claimed = [
        (line, key)
        for key in _signers(note, checkpoint.origin, log_keys)
        for line in signatures_by(note, key)
    ]
    for text in (note.text, format_checkpoint(bare)):
        kept = dict.fromkeys(line for line, key in claimed if _holds(text, line, key))
        if kept:
            return format_note(Note(text=text, signatures=tuple(kept)))
    return None


def _holds(text: str, line: SignatureLine, key: VerifierKey) -> bool:
    try:
        verify_log(Note(text=text, signatures=(line,)), key)
    except UnverifiedError:
        return False
    return True


def _size(note: bytes) -> int:
    return parse_checkpoint(parse_note(note).text).tree.size
