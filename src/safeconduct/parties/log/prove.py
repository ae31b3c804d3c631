"""Prove: the proofs that leave this log, each checked against the published root before."""

from collections.abc import Callable, Sequence
from pathlib import Path

from safeconduct.errors import MalformedError, UnavailableError, UnverifiedError
from safeconduct.parties.log.journal import LOST_HINT
from safeconduct.parties.log.store import Published
from safeconduct.parties.log.tiles import forget_tiles, read_tile, tile_reader
from safeconduct.protocol.canonical import format_base64
from safeconduct.protocol.tlog.merkle import (
    HASH_BYTES,
    Tree,
    inclusion_proofs,
    verify_inclusion,
)
from safeconduct.protocol.tlog.proof import TlogProof, format_proof
from safeconduct.protocol.tlog.tile import TILE_WIDTH, Tile


def prove(public: Path, indexes: Sequence[int], published: Published) -> list[bytes]:
    """The tlog-proofs of published entries, made in one pass and all verified.

    Raises:
        UnavailableError: the tiles do not lead to the published root; no proof leaves.
    """
    tree = published.tree
    try:
        return _format(indexes, _hashes(public, indexes, tree), published.checkpoint)
    except (MalformedError, UnverifiedError) as error:
        forget_tiles()
        raise UnavailableError(
            f"{public}: {error.message}",
            hint=LOST_HINT,
            told="this log has found a fault in its own files",
        ) from error


def _hashes(public: Path, indexes: Sequence[int], tree: Tree) -> list[list[bytes]]:
    read = tile_reader(public, tree.size)
    proofs = inclusion_proofs(indexes, tree.size, read)
    leaves = read([(0, index) for index in indexes])
    for leaf, index, proof in zip(leaves, indexes, proofs, strict=True):
        verify_inclusion(leaf, index, proof, tree)
    return proofs


def _format(
    indexes: Sequence[int], proofs: Sequence[Sequence[bytes]], checkpoint: bytes
) -> list[bytes]:
    """`format_proof` of each, which checks what all have in common only once."""
    common = format_proof(TlogProof(index=0, hashes=(), checkpoint=checkpoint))
    header, _, tail = common.partition(b"index 0\n")
    formatted = []
    for index, hashes in zip(indexes, proofs, strict=True):
        lines = "".join(f"{format_base64(each)}\n" for each in hashes)
        formatted.append(b"%bindex %d\n%b%b" % (header, index, lines.encode(), tail))
    return formatted


def leaf_reader(public: Path) -> Callable[[int], bytes]:
    """Gives the leaf hash of an entry that is in the tree, from its tile."""

    def leaf_at(index: int) -> bytes:
        tile_index, offset = divmod(index, TILE_WIDTH)
        tile = Tile(level=0, index=tile_index, width=offset + 1)
        data = read_tile(public, tile)
        return data[offset * HASH_BYTES : (offset + 1) * HASH_BYTES]

    return leaf_at
