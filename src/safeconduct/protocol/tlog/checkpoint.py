"""Checkpoints: a log says how many entries it has and under which root hash.

    log.example/ledger                               origin: the log's name, not empty
    20852163                                         tree size, entries, decimal
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=     root hash, base64 of 32 bytes
    anything                                         extension lines, usually none

This is the text of a note; the log and its witnesses sign it.

Spec: c2sp.org/tlog-checkpoint.
"""

from dataclasses import dataclass

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import (
    decode_text,
    format_base64,
    parse_base64,
    parse_decimal,
)
from safeconduct.protocol.tlog.merkle import HASH_BYTES, Tree

CHECKPOINT_BYTES_MAX = 1 << 16
ORIGIN_BYTES_MAX = 255
"""The length of an origin is one byte in the message that ML-DSA cosigners sign."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The state of the log called `origin`, as far as one note tells."""

    origin: str
    tree: Tree
    extensions: tuple[str, ...] = ()


def parse_checkpoint(text: str) -> Checkpoint:
    """The checkpoint in a note's text; whether anyone signed it is not looked at.

    An empty tree with a root hash of its own parses: to find it inconsistent is a matter of
    `verify_consistency`, for which witnesses have a different answer than for bad syntax.

    Raises:
        MalformedError: fewer than three lines, an empty line, or a line of another form.
    """
    lines = _parse_lines(text)
    if len(lines) < 3 or "" in lines:
        raise MalformedError("checkpoint: not three or more lines that are not empty")
    origin, tree_size, root_hash, *extensions = lines
    if len(origin.encode()) > ORIGIN_BYTES_MAX:
        raise MalformedError(f"checkpoint: origin longer than {ORIGIN_BYTES_MAX} bytes")
    tree = Tree(
        size=parse_decimal(tree_size, "checkpoint tree size"),
        root_hash=parse_hash(root_hash, "checkpoint root hash"),
    )
    return Checkpoint(origin=origin, tree=tree, extensions=tuple(extensions))


def format_checkpoint(checkpoint: Checkpoint) -> str:
    """The note text that `parse_checkpoint` gives back as it was."""
    tree = checkpoint.tree
    lines = [checkpoint.origin, str(tree.size), format_base64(tree.root_hash)]
    text = "".join(f"{line}\n" for line in [*lines, *checkpoint.extensions])
    assert parse_checkpoint(text) == checkpoint, "checkpoint: a field cannot be written"
    return text


def parse_hash(text: str, what: str) -> bytes:
    """The 32 bytes of a base64 line.

    Raises:
        MalformedError: not canonical base64 of 32 bytes.
    """
    decoded = parse_base64(text, what)
    if len(decoded) != HASH_BYTES:
        raise MalformedError(f"{what}: {len(decoded)} bytes are not {HASH_BYTES}")
    return decoded


def _parse_lines(text: str) -> list[str]:
    data = text.encode(errors="surrogatepass")
    if len(data) > CHECKPOINT_BYTES_MAX:
        raise MalformedError(f"checkpoint: longer than {CHECKPOINT_BYTES_MAX} bytes")
    *lines, rest = decode_text(data, "checkpoint").split("\n")
    if rest:
        raise MalformedError("checkpoint: last line cut short")
    return lines
