"""A log that somebody serves, read over HTTP: its checkpoint, tiles, bundles and proofs.

Nothing that comes from there is believed here. The hashes are as trustworthy as the root hash
they have been led to, and a checkpoint as the signatures that the caller has verified.

Spec: c2sp.org/tlog-tiles.
"""

from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256

from safeconduct.errors import RefusedError, UnavailableError
from safeconduct.plumbing import clock, fetch
from safeconduct.protocol.tlog.merkle import Frontier, ReadHashes, consistency_proof
from safeconduct.protocol.tlog.note import NOTE_BYTES_MAX
from safeconduct.protocol.tlog.tile import (
    BUNDLE_BYTES_MAX,
    TILE_BYTES,
    TILE_WIDTH,
    Tile,
    bundle_path,
    hash_reader,
    parse_bundle,
    tile_path,
)

_CACHED_TILES_MAX = 256  # 2 MiB of full tiles
NOT_FOUND = 404


class RemoteLog:
    """A tree of tiles below the address `url`, which has no slash at its end.

    With `seconds`, the checkpoint may take so long, and so may all tiles and bundles together.
    """

    def __init__(self, url: str, *, seconds: float | None = None) -> None:
        self.url = url.rstrip("/")
        self._seconds = seconds
        self._deadline: float | None = None
        self._tile = lru_cache(maxsize=_CACHED_TILES_MAX)(self._fetch_tile)

    def checkpoint(self) -> bytes:
        """The note that is served now, not verified.

        Raises:
            UnavailableError: nobody answers.
            RefusedError: there is none.
        """
        seconds = fetch.WHOLE_SECONDS if self._seconds is None else self._seconds
        return note_at(f"{self.url}/checkpoint", seconds=seconds)

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
        # One by one: a log that we do not trust says how many there are.
        for index in range(first, -(-tree_size // TILE_WIDTH)):
            yield self.bundle(index, min(TILE_WIDTH, tree_size - index * TILE_WIDTH))

    def _fetch_tile(self, tile: Tile) -> bytes:
        if tile.width < TILE_WIDTH:
            with suppress(RefusedError):
                return self._get(tile_path(tile), TILE_BYTES)
        full = Tile(level=tile.level, index=tile.index)
        return self._get(tile_path(full), TILE_BYTES)

    def _get(self, path: str, bytes_max: int = BUNDLE_BYTES_MAX) -> bytes:
        url = f"{self.url}/{path}"
        if self._seconds is None:
            return fetch.get(url, bytes_max=bytes_max)
        if self._deadline is None:
            self._deadline = clock.monotonic() + self._seconds
        left = self._deadline - clock.monotonic()
        if left <= 0:
            raise UnavailableError(f"{self.url}: takes too long to answer")
        return fetch.get(url, bytes_max=bytes_max, seconds=left)


def note_at(url: str, *, seconds: float = fetch.WHOLE_SECONDS) -> bytes:
    """The signed note at an address, not verified: as long as 100 signatures make it.

    Raises:
        UnavailableError: nobody answers in time.
        RefusedError: there is none.
    """
    response = fetch.request("GET", url, bytes_max=NOTE_BYTES_MAX, seconds=seconds)
    fetch.raise_for(response)
    return response.body


def cosigned_at(url: str, origin: str, *, seconds: float = fetch.WHOLE_SECONDS) -> bytes | None:
    """The checkpoint of a log that a witness serves at its monitoring prefix, not verified.

    None if the witness has none of that log.

    Raises:
        UnavailableError: nobody answers in time.

    Spec: c2sp.org/tlog-witness, "checkpoint".
    """
    name = sha256(origin.encode()).hexdigest()
    try:
        return note_at(f"{url.rstrip('/')}/{name}/checkpoint", seconds=seconds)
    except RefusedError as error:
        if error.http_status == NOT_FOUND:
            return None
        raise
