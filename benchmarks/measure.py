"""What all benchmarks share: clocks, the machine's description, figures, and how they are told.

A benchmark is a function from a `Course` to a `Report`. A figure is the median of several runs,
with the least and the greatest beside it; a ratio compares two figures of one and the same run
of the benchmark, so that a slow disk or a busy machine slows both of its sides.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TypeVar

RESULTS = Path(__file__).parent / "results"
ROOT = Path(__file__).parents[1]

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a benchmark is to be run: on which disk, and whether briefly."""

    folder: Path
    quick: bool

    def scaled(self, count: int, *, quick: int) -> int:
        """`count`, or the smaller one of a quick run."""
        return quick if self.quick else count


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """The median of several runs; `least` and `greatest` are the noise."""

    what: str
    value: float
    unit: str
    least: float
    greatest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """One figure beside another; `wanted` is what it should be at least or at most."""

    what: str
    value: float
    wanted: str = ""
    met: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A cost over the size of a log: one value for each of `tree_sizes`."""

    what: str
    unit: str
    tree_sizes: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that one benchmark has to say; `bound` names what keeps it from being faster."""

    name: str
    title: str
    figures: tuple[Figure, ...]
    ratios: tuple[Ratio, ...]
    bound: str
    elsewhere: tuple[str, ...] = ()
    """Figures of peers that were measured earlier or on another machine: for orientation."""
    curves: tuple[Curve, ...] = ()


def figure(what: str, unit: str, values: Sequence[float]) -> Figure:
    """The median of `values`, and their range."""
    return Figure(
        what=what,
        unit=unit,
        value=median(values),
        least=min(values),
        greatest=max(values),
    )


def beside(ours: Figure, other: Figure) -> Ratio:
    """Our figure as a share of another one of the same run."""
    return Ratio(what=f"{ours.what} / {other.what}", value=ours.value / other.value)


def at_least(what: str, value: float, bound: float, unit: str = "") -> Ratio:
    """A comparison that is met from `bound` upwards."""
    return Ratio(what=what, value=value, wanted=f">= {bound:g}{unit}", met=value >= bound)


def at_most(what: str, value: float, bound: float, unit: str = "") -> Ratio:
    """A comparison that is met up to `bound`."""
    return Ratio(what=what, value=value, wanted=f"<= {bound:g}{unit}", met=value <= bound)


def seconds(work: Callable[[], object]) -> float:
    """The wall-clock seconds that `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def timed(work: Callable[[], Value]) -> tuple[float, Value]:
    """The wall-clock seconds that `work` takes, and what it returns."""
    start = time.perf_counter()
    value = work()
    return time.perf_counter() - start, value


def machine(folder: Path) -> dict[str, str | int]:
    """What the figures were measured on; nothing in it says whose machine it is."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "filesystem": _filesystem(folder),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_average": f"{os.getloadavg()[0]:.1f}",
        "commit": _commit(),
        "measured_on": datetime.now(UTC).date().isoformat(),
    }


def main(name: str, benchmark: Callable[[Course], Report]) -> None:
    """Run one benchmark as a command: tell its report, and keep it unless the run was quick."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}")
    parser.add_argument("--quick", action="store_true", help="a smaller run, not kept")
    parser.add_argument("--json", action="store_true", help="print the data instead of a table")
    parser.add_argument("--dir", type=Path, help="a folder on the disk to be measured")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=arguments.dir))
    try:
        described = machine(folder)
        report = benchmark(Course(folder=folder, quick=arguments.quick))
    finally:
        shutil.rmtree(folder)
    data = json.dumps({"machine": described, **asdict(report)}, indent=2) + "\n"
    if not arguments.quick:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{name}.json").write_text(data, encoding="utf-8")
    sys.stdout.write(data if arguments.json else told(report, described))


def told(report: Report, described: dict[str, str | int]) -> str:
    """The report as a table for people."""
    lines = [report.title, ", ".join(f"{key} {value}" for key, value in described.items()), ""]
    for each in report.figures:
        spread = f"({_short(each.least)} … {_short(each.greatest)})"
        lines.append(f"  {each.what:<68} {_short(each.value):>9} {each.unit:<12} {spread}")
    lines.append("")
    for ratio in report.ratios:
        verdict = {True: "met", False: "MISSED", None: ""}[ratio.met]
        wanted = f"wanted {ratio.wanted}: {verdict}" if ratio.wanted else ""
        lines.append(f"  {ratio.what:<68} {_short(ratio.value):>9} {wanted}".rstrip())
    lines += ["", f"  Bound by: {report.bound}"]
    lines += [f"  Elsewhere: {line}" for line in report.elsewhere]
    return "\n".join(lines) + "\n"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _filesystem(folder: Path) -> str:
    """The type of the file system that holds `folder`: the longest mount point above it."""
    best, kind = "", "unknown"
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        _, place, mounted, *_ = line.split()
        if folder.resolve().is_relative_to(place) and len(place) >= len(best):
            best, kind = place, mounted
    return kind


def _commit() -> str:
    asked = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip() or "unknown"
