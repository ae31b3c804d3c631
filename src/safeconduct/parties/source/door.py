"""The door's endpoints, as the client calls them. Each call may be repeated without harm."""

from collections.abc import Callable

from safeconduct.plumbing import fetch
from safeconduct.plumbing.fetch import Response
from safeconduct.protocol.canonical import format_base64, format_json
from safeconduct.protocol.record import upload_name

PATIENCE_SECONDS = 40.0
ANSWER_BYTES_MAX = 64 << 10
SHELF_BYTES_MAX = 1 << 30
BULLETIN_BYTES_MAX = 1 << 30


class Door:
    """The intake at one URL."""

    def __init__(self, url: str) -> None:
        self._url = url

    def commit(self, leaf: bytes) -> bytes:
        """Have 32 bytes dated; returns the tlog proof."""
        return self._try(
            lambda: fetch.post(f"{self._url}/commit", leaf, bytes_max=ANSWER_BYTES_MAX)
        )

    def open_delivery(self, record: bytes, proof: bytes, header: bytes) -> int:
        """Announce an envelope; returns how many payload bytes the door holds already."""
        body = format_json(
            {
                "header": format_base64(header),
                "proof": proof.decode("utf-8"),
                "record": record.decode("ascii"),
            }
        )
        url = f"{self._url}/deliver"
        return int(self._try(lambda: fetch.post(url, body, bytes_max=ANSWER_BYTES_MAX)))

    def append(self, record: bytes, offset: int, piece: bytes) -> None:
        """Hand over the payload's bytes from `offset` on."""
        url = f"{self._upload(record)}?offset={offset}"
        self._try(lambda: fetch.patch(url, piece, bytes_max=ANSWER_BYTES_MAX))

    def finish_delivery(self, record: bytes) -> bytes:
        """Say that all was handed over; returns the door's signed delivery record."""
        url = f"{self._upload(record)}/finish"
        return self._try(lambda: fetch.post(url, b"", bytes_max=ANSWER_BYTES_MAX))

    def _upload(self, record: bytes) -> str:
        return f"{self._url}/deliver/{upload_name(record).hex()}"

    def shelve(self, slot: bytes, capsule: bytes) -> None:
        """Leave a version of a capsule under its slot."""
        url = f"{self._url}/capsules/{slot.hex()}"
        self._try(lambda: fetch.put(url, capsule, bytes_max=ANSWER_BYTES_MAX))

    def shelf(self) -> bytes:
        """All capsules of everybody: asking for all tells nothing about who asks."""
        return fetch.patiently(
            lambda: fetch.get(f"{self._url}/capsules", bytes_max=SHELF_BYTES_MAX),
            seconds=PATIENCE_SECONDS,
        )

    def bulletin(self) -> bytes:
        """All reply blocks to everybody."""
        return fetch.patiently(
            lambda: fetch.get(f"{self._url}/bulletin", bytes_max=BULLETIN_BYTES_MAX),
            seconds=PATIENCE_SECONDS,
        )

    def _try(self, call: Callable[[], Response]) -> bytes:
        def attempt() -> bytes:
            response = call()
            fetch.raise_for(response)
            return response.body

        return fetch.patiently(attempt, seconds=PATIENCE_SECONDS)
