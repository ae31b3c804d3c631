"""How many add-checkpoint requests a witness answers one after the other.

Each answer rests on one durable compare-and-set, so the disk's own rate of synced writes, and
SQLite's rate of bare commits, stand beside it. The log asks in sequence, as logs do.
"""

import http.client
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from benchmarks import disk, servers
from benchmarks.measure import Course, Figure, Report, at_least, beside, figure, main, seconds
from safeconduct.protocol.canonical import format_base64
from safeconduct.protocol.tlog.checkpoint import Checkpoint, format_checkpoint
from safeconduct.protocol.tlog.merkle import (
    Frontier,
    Subtree,
    consistency_proof,
    leaf_hash,
)
from safeconduct.protocol.tlog.note import Note, SigningKey, format_note, sign_note

LOG = SigningKey(name="log.example/ledger", seed=b"bench" + bytes(27))
RUNS = 5
_WANTED_PER_SECOND = 300
_NOTE_BYTES = 4_000  # a checkpoint under both keys of a witness: what a row of its store holds
_ROWS = {
    "add-checkpoint, Ed25519 alone": False,
    "add-checkpoint, Ed25519 and ML-DSA-44": True,
}
"""Whether the witness has its second key."""
_IDLE = "GET / (no disk, no signature)"
_COMMIT = "bare SQLite commit of one row"
_APPEND = "bare append of 256 bytes + fdatasync"
_LIMITS = (_IDLE, _COMMIT, _APPEND)


def benchmark(course: Course) -> Report:
    """Requests per second of a witness process over one connection, and the limits beside."""
    count = course.scaled(600, quick=60)
    *witnesses, idle, commits, appends = _in_turns(course.folder, count)
    return Report(
        name="witness",
        title=f"Witness: {count} sequential add-checkpoint requests, {RUNS} times",
        figures=(*witnesses, idle, commits, appends),
        ratios=(
            *(at_least(each.what, each.value, _WANTED_PER_SECOND, "/s") for each in witnesses),
            *(beside(each, other) for other in (commits, appends) for each in witnesses),
        ),
        bound="one HTTP request in Python, and one SQLite commit, each",
        elsewhere=("litewitness: 74/s, measured earlier on another machine of two cores",),
    )


def _in_turns(folder: Path, count: int) -> list[Figure]:
    """The rates of all witnesses and limits, each measured once before any is again."""
    requests = growing_log(count * RUNS)
    with ExitStack() as stack:
        urls = {
            what: stack.enter_context(_serving(folder / f"witness-{number}", second))
            for number, (what, second) in enumerate(_ROWS.items())
        }
        took: dict[str, list[float]] = {what: [] for what in (*urls, *_LIMITS)}
        for first in range(0, count * RUNS, count):
            for what, url in urls.items():
                part = requests[first : first + count]
                took[what].append(seconds(partial(_post, url, part)))
            took[_IDLE].append(seconds(partial(_get, urls[next(iter(urls))], count)))
            took[_COMMIT].append(seconds(disk.lock_swaps(folder, _NOTE_BYTES, count)))
            took[_APPEND].append(seconds(disk.synced_appends(folder, 256, count)))
    return [figure(what, "per second", [count / each for each in took[what]]) for what in took]


def growing_log(count: int) -> list[bytes]:
    """The requests of a log that grows by one entry each time, ready to be sent."""
    stored: dict[Subtree, bytes] = {}
    frontier, requests = Frontier.empty(), []

    def read(subtrees: Sequence[Subtree]) -> list[bytes]:
        return [stored[subtree] for subtree in subtrees]

    for old_size in range(count):
        frontier, filled = frontier.extend([leaf_hash(b"entry %d" % old_size)])
        stored |= filled
        text = format_checkpoint(Checkpoint(origin=LOG.name, tree=frontier.tree()))
        note = format_note(Note(text=text, signatures=(sign_note(text, LOG),)))
        hashes = map(format_base64, consistency_proof(old_size, old_size + 1, read))
        requests.append("\n".join([f"old {old_size}", *hashes, "", ""]).encode() + note)
    return requests


@contextmanager
def _serving(folder: Path, second: bool) -> Iterator[str]:
    servers.new_witness(folder, "witness.example")
    if not second:
        # A folder from before there were such keys has none, and is served all the same.
        (folder / "key-mldsa44").unlink()
    with servers.serving_witness(folder, [LOG.verifier()]) as url:
        yield url


def _post(url: str, requests: list[bytes]) -> None:
    connection = _connect(url)
    for body in requests:
        connection.request("POST", "/add-checkpoint", body)
        answer = connection.getresponse()
        told = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"the witness answered {answer.status}: {told!r}")
    connection.close()


def _get(url: str, count: int) -> None:
    connection = _connect(url)
    for _ in range(count):
        connection.request("GET", "/")
        connection.getresponse().read()
    connection.close()


def _connect(url: str) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)


if __name__ == "__main__":
    main("witness", benchmark)
