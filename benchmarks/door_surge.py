"""A surge of commits around a date: each one answered, and each one dated right.

Five thousand clients, each with a connection of its own, send 32 bytes to a door within ten
seconds, and most of them close to a date T. Whoever is turned away tries again. Afterwards
every receipt is verified in full, against the machine's one clock: no proof may date a leaf
before the second in which it was sent, nor after the second in which it was answered. So none
that was answered before T is dated at T or later, and none that was sent after T before it.
"""

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from statistics import quantiles

from benchmarks.doors import Doors, serving_door
from benchmarks.measure import Course, Figure, Report, at_least, at_most, figure, main
from safeconduct.protocol.tlog.policy import verify_proof

EVERY_SECONDS = 1.0
BEFORE_SECONDS = 5
PATIENCE_SECONDS = 60.0
_AGAIN_SECONDS = 0.5
_ANSWER_BYTES_MAX = 1 << 20
_BEYOND_PERIOD_SECONDS = 1.4  # the rest of one period, a whole one more, and the crowd's work


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One client's leaf and proof, and when it was sent and answered, in POSIX seconds."""

    leaf: bytes
    proof: bytes
    sent_at: float
    answered_at: float
    turned_away: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """How the leaves lie about the date; any that is dated wrong stops the benchmark."""

    before: int
    after: int
    sides_differ: int
    """Sent before the date and dated at it or later, because it was answered later."""


def benchmark(course: Course) -> Report:
    """How long a client waits in the surge, and that all proofs date as they must."""
    count = course.scaled(5_000, quick=1_000)
    with serving_door(course.folder, every=EVERY_SECONDS) as doors:
        # A first one, so that what is loaded once is not counted.
        asyncio.run(_surge(doors, 1, math.floor(time.time())))
        date = math.ceil(time.time()) + BEFORE_SECONDS + 1
        cpu_before = doors.door.cpu_seconds()
        answered = asyncio.run(_surge(doors, count, date))
        cpu = doors.door.cpu_seconds() - cpu_before
        dated = _check(doors, answered, date)
    waited = [each.answered_at - each.sent_at for each in answered]
    ways = quantiles(waited, n=100)
    return Report(
        name="door_surge",
        title=f"Surge: {count} commits within {2 * BEFORE_SECONDS} s about a date; "
        f"--every {EVERY_SECONDS:g}, quorum 2 of 3 witnesses",
        figures=(
            _one("answered, verified, each dated between sent and answered", "", len(answered)),
            _one("dated before the date", "", dated.before),
            _one("dated at it or after", "", dated.after),
            _one("sent before it, answered and dated after", "", dated.sides_differ),
            _one("turned away and come again", "times", sum(a.turned_away for a in answered)),
            _one("p50", "s", ways[49]),
            _one("p95", "s", ways[94]),
            _one("worst", "s", max(waited)),
            _one("the door's processor time", "ms/commit", cpu / count * 1e3),
        ),
        ratios=(
            at_least("share of all clients that have a proof", len(answered) / count, 1),
            at_most("p95, seconds", ways[94], EVERY_SECONDS + _BEYOND_PERIOD_SECONDS, " s"),
        ),
        bound="the period: a leaf waits for the rest of it, and those who come in its last "
        "moment for one more; the load generator takes as much as door and log together",
    )


def _one(what: str, unit: str, value: float) -> Figure:
    return figure(what, unit, [value])


async def _surge(doors: Doors, count: int, date: int) -> list[Answered]:
    host, _, port = doors.url.removeprefix("http://").rpartition(":")
    clients = (
        _client(host, int(port), b"%d of %d" % (number, date), date + _offset(number, count))
        for number in range(count)
    )
    return await asyncio.gather(*clients)


def _offset(number: int, count: int) -> float:
    """When a client comes, in seconds from the date: the closer to it, the more of them."""
    share = 2 * (number + 0.5) / count - 1
    return BEFORE_SECONDS * math.copysign(abs(share) ** 1.5, share)


async def _client(host: str, port: int, text: bytes, at: float) -> Answered:
    await asyncio.sleep(max(0.0, at - time.time()))
    leaf, sent_at, turned_away = sha256(text).digest(), time.time(), 0
    while True:
        proof = await _attempt(host, port, leaf)
        if proof:
            return Answered(
                leaf=leaf,
                proof=proof,
                sent_at=sent_at,
                answered_at=time.time(),
                turned_away=turned_away,
            )
        if time.time() - sent_at > PATIENCE_SECONDS:
            raise RuntimeError("a client has no answer")
        turned_away += 1
        await asyncio.sleep(_AGAIN_SECONDS)


async def _attempt(host: str, port: int, leaf: bytes) -> bytes:
    """The proof; nothing if the door does not answer, or asks to come again."""
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError:
        return b""
    try:
        writer.write(
            b"POST /commit HTTP/1.1\r\nhost: %b\r\nconnection: close\r\n"
            b"content-length: %d\r\n\r\n%b" % (host.encode(), len(leaf), leaf)
        )
        answer = await reader.read(_ANSWER_BYTES_MAX)
        while piece := await reader.read(_ANSWER_BYTES_MAX):
            answer += piece
    except OSError:
        return b""
    finally:
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return body if head.startswith(b"HTTP/1.1 200 ") else b""


def _check(doors: Doors, answered: Sequence[Answered], date: int) -> Dated:
    """Verify every proof in full, and every date against what the client saw."""
    policy, before, differ = doors.ledger.policy, 0, 0
    indexes = set()
    for each in answered:
        logged = verify_proof(each.proof, each.leaf, policy)
        if not int(each.sent_at) <= logged.logged_by <= int(each.answered_at):
            raise RuntimeError(
                f"sent {each.sent_at:.3f}, answered {each.answered_at:.3f}, but dated "
                f"{logged.logged_by}"
            )
        indexes.add(logged.index)
        before += logged.logged_by < date
        differ += each.sent_at < date <= logged.logged_by
    if len(indexes) != len(answered):
        raise RuntimeError("two leaves have one place in the log")
    return Dated(before=before, after=len(answered) - before, sides_differ=differ)


if __name__ == "__main__":
    main("door_surge", benchmark)
