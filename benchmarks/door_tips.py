"""Small tips through the door's form, sealed by the door: how many a second, and none lost.

A whole programme runs on this machine. Visitors come to the last page, each with twelve words
of their own, and press the button at different concurrencies; then whole visits are measured,
from the first page on. Every receipt is looked for in the log afterwards.
"""

import base64
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import unescape
from statistics import quantiles

from benchmarks.form import RefusedError, Visitor, serving_programme
from benchmarks.measure import (
    Course,
    Figure,
    Ratio,
    Report,
    at_least,
    at_most,
    figure,
    main,
    timed,
)
from safeconduct.demo.founding import PACE
from safeconduct.demo.world import World
from safeconduct.plumbing.remote import RemoteLog
from safeconduct.protocol.record import record_hash
from safeconduct.protocol.tlog.checkpoint import parse_checkpoint
from safeconduct.protocol.tlog.note import parse_note
from safeconduct.protocol.tlog.proof import parse_proof

CONCURRENCIES = (1, 2, 4, 16)
WHOLE_VISITS_AT_ONCE = 4
_TIPS = 200
_PER_SECOND_WANTED = 25
_BEYOND_PERIOD_SECONDS = 0.4
_EVERY_SECONDS = float(PACE[1])
_SAVED = re.compile(r'href="data:application/octet-stream;base64,([^"]*)"')

HUSHLINE_PER_SECOND = 6.8
"""Hush Line, 200 messages at once; measured on another day."""
GLOBALEAKS_PER_SECOND = (0.08, 0.3)
"""GlobaLeaks 5.0.15, whole submissions; it lost 62 % of them at four at once. Another day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What came of a number of tips: seconds each, those refused, and those not in the log."""

    title: str
    seconds: tuple[float, ...]
    wall: float
    refused: int
    lost: int

    @property
    def per_second(self) -> float:
        """Tips dated and received in each second."""
        return len(self.seconds) / self.wall


def benchmark(course: Course) -> Report:
    """The last button at four concurrencies, then whole visits."""
    count = course.scaled(_TIPS, quick=16)
    with serving_programme(course.folder) as world:
        _visit(_ready(world, "warm"))
        runs = [_buttons(world, count, at_once) for at_once in CONCURRENCIES]
        runs.append(_whole(world, count))
    limit = _EVERY_SECONDS + _BEYOND_PERIOD_SECONDS
    return Report(
        name="door_tips",
        title=f"{count} small tips sealed by the door; the log publishes every"
        f" {_EVERY_SECONDS:g} s",
        figures=tuple(each for run in runs for each in _figures(run)),
        ratios=tuple(each for run in runs for each in _ratios(run, limit)),
        bound="Argon2id and two signatures' keys for each tip, on the door's cores; then the "
        "period of the log",
        elsewhere=(
            f"Hush Line: {HUSHLINE_PER_SECOND}/s",
            f"GlobaLeaks: {GLOBALEAKS_PER_SECOND[0]} to {GLOBALEAKS_PER_SECOND[1]}/s",
        ),
    )


def _figures(run: Run) -> list[Figure]:
    half, most = _percentile(run.seconds, 50), _percentile(run.seconds, 95)
    return [
        figure(f"{run.title}: tips", "/s", [run.per_second]),
        figure(f"{run.title}: p50", "s", [half]),
        figure(f"{run.title}: p95", "s", [most]),
    ]


def _ratios(run: Run, limit: float) -> list[Ratio]:
    found = [
        at_most(f"{run.title}: refused", run.refused, 0),
        at_most(f"{run.title}: accepted and not in the log", run.lost, 0),
    ]
    if run.title == _title(CONCURRENCIES[-1]):
        found.append(at_least(f"{run.title}: tips", run.per_second, _PER_SECOND_WANTED, "/s"))
    if run.title.startswith("button"):
        most = _percentile(run.seconds, 95)
        found.append(at_most(f"{run.title}: p95", most, limit, " s"))
    return found


def _percentile(values: Sequence[float], percent: int) -> float:
    return quantiles(values, n=100)[percent - 1] if len(values) > 1 else values[0]


def _title(at_once: int) -> str:
    return f"button, {at_once} at once"


def _buttons(world: World, count: int, at_once: int) -> Run:
    with ThreadPoolExecutor(at_once) as pool:
        ready = list(pool.map(lambda place: _ready(world, f"{at_once}-{place}"), range(count)))
    works = [lambda visitor=visitor: _visit(visitor) for visitor in ready]
    return _run(world, _title(at_once), works, at_once)


def _whole(world: World, count: int) -> Run:
    def visit(place: int) -> bytes | None:
        return _visit(_ready(world, f"whole-{place}"))

    works = [lambda place=place: visit(place) for place in range(count)]
    title = f"whole visit, {WHOLE_VISITS_AT_ONCE} at once"
    return _run(world, title, works, WHOLE_VISITS_AT_ONCE)


def _run(
    world: World, title: str, works: Sequence[Callable[[], bytes | None]], at_once: int
) -> Run:
    began = time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        done = list(pool.map(timed, works))
    wall = time.perf_counter() - began
    pages = [page for _, page in done if page is not None]
    return Run(
        title=title,
        seconds=tuple(took for took, page in done if page is not None),
        wall=wall,
        refused=len(done) - len(pages),
        lost=_lost(world, pages),
    )


def _ready(world: World, name: str) -> Visitor:
    """A visitor before the last button."""
    visitor = Visitor(world.programme.door)
    visitor.begin()
    visitor.press("/tell/text", text=f"The crane was signed for by nobody. ({name})")
    return visitor


def _visit(visitor: Visitor) -> bytes | None:
    """The receipt's page, or None if the tip was refused."""
    try:
        visitor.send()
    except (RefusedError, OSError):
        return None
    return visitor.page.encode()


def _lost(world: World, pages: Sequence[bytes]) -> int:
    """How many receipts name a record that is not in the log where their proof says."""
    log = RemoteLog(world.programme.ledger)
    entries: dict[int, bytes] = {}
    size = parse_checkpoint(parse_note(log.checkpoint()).text).tree.size
    for bundle in log.bundles(size):
        for entry in bundle:
            entries[len(entries)] = entry
    return sum(1 for page in pages if not _is_logged(page.decode(), entries))


def _is_logged(page: str, entries: dict[int, bytes]) -> bool:
    proof, record = (base64.b64decode(unescape(each)) for each in _SAVED.findall(page)[:2])
    return entries.get(parse_proof(proof).index) == record_hash(record)


if __name__ == "__main__":
    main("door_tips", benchmark)
