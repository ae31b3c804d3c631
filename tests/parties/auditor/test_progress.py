"""Progress: nothing in the first second, then how far, how fast and how long still."""

import io
from pathlib import Path

from tests.parties.auditor import public_folder as made
from tests.parties.auditor.audited import WORLD

from safeconduct.parties.auditor.check import audit
from safeconduct.parties.auditor.course import Course
from safeconduct.parties.auditor.folder import Folder
from safeconduct.parties.auditor.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def told(stream: io.StringIO, ticks: list[tuple[float, int]], total: int | None = 1000) -> str:
    now = [0.0]
    progress = Progress(stream=stream, monotonic=lambda: now[0])
    progress.begin("ledger")
    for at, done in ticks:
        now[0] = at
        progress.tick(done, total, "entries")
    progress.end()
    return stream.getvalue()


def test_what_takes_less_than_a_second_is_not_told() -> None:
    assert told(io.StringIO(), [(0.1, 1), (0.9, 999)]) == ""


def test_count_rate_and_rest_are_told() -> None:
    line = "ledger: 250 of 1,000 entries, 125 a second, 6 s left\n"
    assert told(io.StringIO(), [(2.0, 250)]) == line


def test_a_rest_in_hours_is_told_in_hours() -> None:
    assert "2 h 46 min left" in told(io.StringIO(), [(10.0, 10)], total=10_000)


def test_without_a_total_there_is_no_rest() -> None:
    assert told(io.StringIO(), [(2.0, 10)], total=None) == "ledger: 10 entries, 5 a second\n"


def test_lines_come_every_five_seconds() -> None:
    lines = told(io.StringIO(), [(float(second), second) for second in range(1, 13)])
    assert len(lines.splitlines()) == 3


def test_on_a_terminal_one_line_is_written_over_and_removed() -> None:
    shown = told(Terminal(), [(1.0, 1), (1.5, 2), (1.6, 3), (2.0, 4)])
    assert "\n" not in shown
    assert shown.count("ledger:") == 3
    assert shown.endswith("\r\x1b[K")


def test_what_was_done_before_counts_for_no_rate() -> None:
    stream, now = io.StringIO(), [0.0]
    progress = Progress(stream=stream, monotonic=lambda: now[0])
    progress.begin("ledger")
    now[0] = 2.0
    progress.tick(700, 1000, "entries", since=500)
    assert stream.getvalue() == "ledger: 700 of 1,000 entries, 100 a second, 3 s left\n"


def test_a_name_from_a_log_cannot_drive_the_terminal() -> None:
    stream = io.StringIO()
    now = [0.0]
    progress = Progress(stream=stream, monotonic=lambda: now[0])
    progress.begin("log\x1b[2J")
    now[0] = 2.0
    progress.tick(1, 2, "entries")
    assert "\x1b" not in stream.getvalue()


def test_an_audit_tells_how_far_each_long_check_is(honest: Path) -> None:
    stream, now = io.StringIO(), [0.0]

    def later() -> float:
        now[0] += 10.0
        return now[0]

    course = Course(progress=Progress(stream=stream, monotonic=later))
    assert audit(Folder(root=honest), made.POLICY, course).holds
    told = stream.getvalue()
    size = len(WORLD.ledger.entries)
    assert "folder: 1 files" in told
    assert f"ledger: {size} of {size} entries" in told
    assert "captures: 1 captures" in told
    assert "publications: 3 of 3 objects" in told
