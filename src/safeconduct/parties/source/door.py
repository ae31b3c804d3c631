"""The door's endpoints, as the client calls them. Each call may be repeated without harm.

What a source goes there for goes by different circuits: who sees the shelf fetched need not see
who commits, and neither who delivers.
"""

from collections.abc import Callable, Iterator

from safeconduct.errors import RefusedError, SafeconductError
from safeconduct.plumbing import clock, fetch
from safeconduct.plumbing.circuits import DIRECT, Circuits
from safeconduct.plumbing.fetch import Response
from safeconduct.protocol.canonical import (
    decode_text,
    format_base64,
    format_json,
    parse_decimal,
)
from safeconduct.protocol.capsule import Found, collect_capsules, search_shelf
from safeconduct.protocol.envelope import HEADER_BYTES_MAX
from safeconduct.protocol.keys import ContributionKeys
from safeconduct.protocol.puzzle import (
    PUZZLE_BYTES_MAX,
    WORK_HEADER,
    Puzzle,
    format_work,
    parse_puzzle,
    solve,
)
from safeconduct.protocol.record import upload_name

PATIENCE_SECONDS = 40.0
CHECKING_PATIENCES = 15  # a door that was started again hashes 8 GiB before it signs
ANSWER_BYTES_MAX = 64 << 10
SHELF_BYTES_MAX = 1 << 30
BULLETIN_BYTES_MAX = 1 << 30
# Strangers can make both as long as that, and Tor may bring 100 kB a second: whoever gave up
# after minutes would be locked out. A line on which nothing comes is given up far earlier.
BULK_SECONDS = 4 * 3_600.0
# Of sixteen times as many tries as it takes on the average, one in nine million is not enough.
WORK_TRIES_FACTOR = 16
_TRIAL = 1 << 14
_SECOND_OF_PATIENCE = 1.0


class Door:
    """The intake at one URL, by one run's circuits; without any, directly."""

    def __init__(
        self,
        url: str,
        circuits: Circuits | None = None,
        report: Callable[[str], None] | None = None,
    ) -> None:
        self._url = url
        self._circuits = circuits or DIRECT
        self._report = report or _say_nothing

    def commit(self, leaf: bytes) -> bytes:
        """Have 32 bytes dated; returns the tlog proof. Where the door is busy, some work is
        done first, and said: it lets the leaf wait less.
        """
        url, circuit = f"{self._url}/commit", self._circuits.of("commit")
        headers = self._work(leaf)
        return self._try(
            lambda: fetch.post(
                url, leaf, bytes_max=ANSWER_BYTES_MAX, headers=headers, circuit=circuit
            )
        )

    def _work(self, subject: bytes) -> dict[str, str]:
        """The header with as much work as is worth while now; none on a quiet day."""
        url, circuit = f"{self._url}/work", self._circuits.of("commit")
        try:
            puzzle = parse_puzzle(fetch.get(url, bytes_max=PUZZLE_BYTES_MAX, circuit=circuit))
        except SafeconductError:
            # It only buys time. A door that is away is told by what is really wanted of it.
            return {}
        counter = self._solved(puzzle, subject) if puzzle.bits else None
        return {} if counter is None else {WORK_HEADER: format_work(puzzle.seed, counter)}

    def _solved(self, puzzle: Puzzle, subject: bytes) -> int | None:
        began = clock.monotonic()
        found = solve(puzzle.seed, subject, puzzle.bits, range(_TRIAL))
        if found is not None:
            return found
        seconds = (clock.monotonic() - began) * (1 << puzzle.bits) / _TRIAL
        if seconds >= _SECOND_OF_PATIENCE:
            self._report(f"the door is busy: working for about {seconds:.0f} seconds")
        counters = range(_TRIAL, WORK_TRIES_FACTOR << puzzle.bits)
        return solve(puzzle.seed, subject, puzzle.bits, counters)

    def open_delivery(self, record: bytes, proof: bytes, header: bytes) -> int:
        """Announce an envelope; returns how many payload bytes the door holds already.

        Raises:
            MalformedError: the door does not answer with a number.
        """
        body = format_json(
            {
                "header": format_base64(header),
                "proof": proof.decode("utf-8"),
                "record": record.decode("ascii"),
            }
        )
        url, circuit = f"{self._url}/deliver", self._circuits.of("deliver")
        answer = self._try(
            lambda: fetch.post(url, body, bytes_max=ANSWER_BYTES_MAX, circuit=circuit)
        )
        return parse_decimal(decode_text(answer, "the door's answer"), "the door's answer")

    def held_header(self, record: bytes) -> bytes | None:
        """The header that the door holds for an envelope; None if it was never announced."""
        url, circuit = self._upload(record), self._circuits.of("deliver")
        try:
            return fetch.patiently(
                lambda: fetch.get(url, bytes_max=HEADER_BYTES_MAX, circuit=circuit),
                seconds=PATIENCE_SECONDS,
            )
        except RefusedError:
            return None

    def append(self, record: bytes, offset: int, piece: bytes) -> None:
        """Hand over the payload's bytes from `offset` on."""
        url, circuit = f"{self._upload(record)}?offset={offset}", self._circuits.of("deliver")
        self._try(lambda: fetch.patch(url, piece, bytes_max=ANSWER_BYTES_MAX, circuit=circuit))

    def finish_delivery(self, record: bytes) -> bytes:
        """Say that all was handed over; returns the door's signed delivery record."""
        url, circuit = f"{self._upload(record)}/finish", self._circuits.of("deliver")
        return self._try(
            lambda: fetch.post(url, b"", bytes_max=ANSWER_BYTES_MAX, circuit=circuit),
            patiences=CHECKING_PATIENCES,
        )

    def _upload(self, record: bytes) -> str:
        return f"{self._url}/deliver/{upload_name(record).hex()}"

    def shelve(self, slot: bytes, capsule: bytes) -> None:
        """Leave a version of a capsule under its slot."""
        url, circuit = f"{self._url}/capsules/{slot.hex()}", self._circuits.of("capsule")
        self._try(lambda: fetch.put(url, capsule, bytes_max=ANSWER_BYTES_MAX, circuit=circuit))

    def shelf_pieces(self) -> Iterator[bytes]:
        """All capsules of everybody, piece by piece: asking for all tells nothing about who
        asks. An attempt that breaks off is not made again here.
        """
        return fetch.pieces(
            f"{self._url}/capsules",
            bytes_max=SHELF_BYTES_MAX,
            seconds=BULK_SECONDS,
            circuit=self._circuits.of("shelf"),
        )

    def shelf(self) -> bytes:
        """As `shelf_pieces`, all at once."""
        return fetch.patiently(lambda: b"".join(self.shelf_pieces()), seconds=PATIENCE_SECONDS)

    def search(
        self, keys_of: Callable[[int], ContributionKeys]
    ) -> tuple[tuple[Found, ...], ContributionKeys]:
        """What these keys have on the shelf, and the keys of the next free number."""
        return fetch.patiently(
            lambda: search_shelf(self.shelf_pieces, keys_of), seconds=PATIENCE_SECONDS
        )

    def versions(self, slot: bytes) -> list[bytes]:
        """The capsules in one slot, found in the whole shelf."""
        held = fetch.patiently(
            lambda: collect_capsules(self.shelf_pieces(), [slot]), seconds=PATIENCE_SECONDS
        )
        return held.get(slot, [])

    def bulletin_pieces(self) -> Iterator[bytes]:
        """All reply blocks to everybody, piece by piece."""
        return fetch.pieces(
            f"{self._url}/bulletin",
            bytes_max=BULLETIN_BYTES_MAX,
            seconds=BULK_SECONDS,
            circuit=self._circuits.of("bulletin"),
        )

    def bulletin(self) -> bytes:
        """As `bulletin_pieces`, all at once."""
        return fetch.patiently(
            lambda: b"".join(self.bulletin_pieces()), seconds=PATIENCE_SECONDS
        )

    def _try(self, call: Callable[[], Response], patiences: int = 1) -> bytes:
        def attempt() -> bytes:
            response = call()
            fetch.raise_for(response)
            return response.body

        return fetch.patiently(attempt, seconds=patiences * PATIENCE_SECONDS)


def _say_nothing(_: str) -> None:
    pass
