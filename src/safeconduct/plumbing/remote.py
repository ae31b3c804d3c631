"""A log that somebody serves, read over HTTP: its checkpoint, tiles, bundles and proofs.

Nothing that comes from there is believed here. The hashes are as trustworthy as the root hash
they have been led to, and a checkpoint as the signatures that the caller has verified.

Spec: c2sp.org/tlog-tiles.
"""

from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256

from safeconduct.errors import RefusedError
from safeconduct.plumbing import fetch
from safeconduct.protocol.tlog.checkpoint import CHECKPOINT_BYTES_MAX
from safeconduct.protocol.tlog.merkle import Frontier, ReadHashes, consistency_proof
from safeconduct.protocol.tlog.tile import (
    BUNDLE_BYTES_MAX,
    TILE_BYTES,
    TILE_WIDTH,
    Tile,
    bundle_path,
    bundles_of,
    hash_reader,
    parse_bundle,
    tile_path,
)

_CACHED_TILES_MAX = 256  # 2 MiB of full tiles
NOT_FOUND = 404


class RemoteLog:
    """A tree of tiles below the address `url`, which has no slash at its end."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._tile = lru_cache(maxsize=_CACHED_TILES_MAX)(self._fetch_tile)

    def checkpoint(self) -> bytes:
        """The note that is served now, not verified.

        Raises:
            UnavailableError: nobody answers.
            RefusedError: there is none.
        """
        return fetch.get(f"{self.url}/checkpoint", bytes_max=CHECKPOINT_BYTES_MAX)

    def hashes(self, tree_size: int) -> ReadHashes:
        """A reader of the stored hashes of the first `tree_size` entries."""
        return hash_reader(tree_size, self._tile)

    def edge(self, tree_size: int) -> Frontier:
        """The right edge of the first `tree_size` entries, as served."""
        return Frontier.read(tree_size, self.hashes(tree_size))

    def consistency(self, old_size: int, new_size: int) -> list[bytes]:
        """The proof, as served, that a tree of `old_size` begins one of `new_size`."""
        return consistency_proof(old_size, new_size, self.hashes(new_size))

    def tile(self, tile: Tile) -> bytes:
        """The bytes of a tile of hashes; of a partial one that is gone, the full tile's.

        Raises:
            UnavailableError: nobody answers.
            RefusedError: it is not there.
        """
        return self._tile(tile)

    def bundle(self, index: int, width: int) -> list[bytes]:
        """The `width` entries of a bundle, cut from the full one where only that is served.

        Raises:
            MalformedError: it does not hold that many entries.
            UnavailableError: nobody answers.
            RefusedError: it is not there.
        """
        if width < TILE_WIDTH:
            with suppress(RefusedError):
                return parse_bundle(self._get(bundle_path(index, width)), width)
        return parse_bundle(self._get(bundle_path(index)), TILE_WIDTH)[:width]

    def bundles(self, tree_size: int, *, first: int = 0) -> Iterator[list[bytes]]:
        """The bundles of the first `tree_size` entries, from number `first` on."""
        for index, width in bundles_of(tree_size)[first:]:
            yield self.bundle(index, width)

    def _fetch_tile(self, tile: Tile) -> bytes:
        if tile.width < TILE_WIDTH:
            with suppress(RefusedError):
                return fetch.get(f"{self.url}/{tile_path(tile)}", bytes_max=TILE_BYTES)
        full = Tile(level=tile.level, index=tile.index)
        return fetch.get(f"{self.url}/{tile_path(full)}", bytes_max=TILE_BYTES)

    def _get(self, path: str) -> bytes:
        return fetch.get(f"{self.url}/{path}", bytes_max=BUNDLE_BYTES_MAX)


def cosigned_at(url: str, origin: str) -> bytes | None:
    """The checkpoint of a log that a witness serves at its monitoring prefix, not verified.

    None if the witness has none of that log.

    Raises:
        UnavailableError: nobody answers.

    Spec: c2sp.org/tlog-witness, "checkpoint".
    """
    name = sha256(origin.encode()).hexdigest()
    try:
        return fetch.get(f"{url.rstrip('/')}/{name}/checkpoint", bytes_max=CHECKPOINT_BYTES_MAX)
    except RefusedError as error:
        if error.http_status == NOT_FOUND:
            return None
        raise
