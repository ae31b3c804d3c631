"""The desk at work: what it holds, and the few edges where it meets the network."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from safeconduct.errors import ConflictError, UnavailableError
from safeconduct.parties.desk.keys import Keyring
from safeconduct.parties.desk.store import Store
from safeconduct.plumbing import clock, dice, fetch
from safeconduct.plumbing.fetch import Response
from safeconduct.plumbing.logs import log_record, read_gazette
from safeconduct.plumbing.programme import Programme, load_programme
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.tlog.note import SigningKey

Post = Callable[[str, bytes, Mapping[str, str], int], Response]
"""`post(url, body, headers, bytes_max)`: the answer, whatever its status."""
Stream = Callable[[str, bytes, Mapping[str, str], int, float], Iterator[bytes]]
"""`stream(url, body, headers, bytes_max, seconds)`: the body of a good answer, in pieces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One desk: its programme, folder, keys and store; clock, chance and network beside.

    `gazette()` is the programme's proven state; `log(record)` has a record's hash logged in the
    Ledger and returns its verified proof, the same place however often it is asked.
    """

    programme: Programme
    folder: Path
    keys: Keyring
    store: Store
    seconds: Callable[[], int]
    random_bytes: Callable[[int], bytes]
    gazette: Callable[[], GazetteState]
    log: Callable[[bytes], bytes]
    post: Post
    stream: Stream


def open_desk(folder: Path) -> Desk:
    """The desk whose programme, policy, keys and tips lie in `folder`.

    Raises:
        MalformedError, UnavailableError: a public file is missing or does not parse, or the
            database cannot be opened.
    """
    programme = load_programme(folder)
    return Desk(
        programme=programme,
        folder=folder,
        keys=Keyring(folder),
        store=Store(folder),
        seconds=clock.seconds,
        random_bytes=dice.random_bytes,
        gazette=lambda: read_gazette(programme).state,
        log=lambda record: log_record(programme, record)[0],
        post=_post,
        stream=_stream,
    )


def statement_key(desk: Desk, state: GazetteState) -> tuple[int, SigningKey]:
    """The newest certified epoch that has opened and whose keys are here, with its key.

    Raises:
        UnavailableError: no epoch in the Gazette is one of ours, or none of ours has opened.
        ConflictError: the Gazette certifies another statement key than ours.
    """
    held, now = set(desk.keys.numbers()), desk.seconds()
    for epoch in reversed(state.epochs):
        if epoch.number in held and epoch.opens <= now:
            key = desk.keys.statement(epoch.number)
            if key.verifier() != epoch.statement:
                raise ConflictError(
                    f"the Gazette certifies another statement key for epoch {epoch.number}",
                    hint="this folder belongs to another desk, or the epoch was made twice",
                )
            return epoch.number, key
    raise UnavailableError(
        "no desk epoch that is open in the Gazette is one of ours",
        hint="have the board sign the record that `new-epoch` made, or wait until it opens",
    )


def _post(url: str, body: bytes, headers: Mapping[str, str], bytes_max: int) -> Response:
    return fetch.post(url, body, bytes_max=bytes_max, headers=headers)


def _stream(
    url: str, body: bytes, headers: Mapping[str, str], bytes_max: int, seconds: float
) -> Iterator[bytes]:
    return fetch.post_pieces(url, body, bytes_max=bytes_max, headers=headers, seconds=seconds)
