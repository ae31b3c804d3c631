"""How fast a file is sealed and opened, and in how much memory.

Beside it, on the same files and in turns with it: Debian's `age`, and pyrage. Ours alone is on
the medium when it returns; the other two leave that to the kernel, and to chance. So on a disk
they are measured twice: as they are, and with a sync of their file after them.

A quick run takes 256 MiB. SAFECONDUCT_BENCH_MIB sets another size for both parts of the run.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from tempfile import mkdtemp

import pyrage

from benchmarks import age_once
from benchmarks.measure import (
    ROOT,
    Course,
    Figure,
    Ratio,
    Report,
    at_least,
    at_most,
    figure,
    main,
    seconds,
)
from safeconduct.plumbing.durable import read_stream
from safeconduct.protocol import age

RUNS = 3
_MIB = 1 << 20
_MEMORY = Path("/dev/shm")
_SIZE_MIB, _LARGE_MIB, _QUICK_MIB = 1024, 8192, 256
_WANTED = {"age": 0.8, "pyrage": 1.5}
_RSS_MIB_MAX = 80
_TURN_SECONDS = 0.001
_SECRET = age.format_identity(age_once.IDENTITY)
_PUBLIC = age.format_recipient(age_once.IDENTITY.recipient())

Work = Callable[[Path, Path], object]
"""Makes a target file from a source file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one process of `age_once` took."""

    seconds: float
    peak_mib: float


def size_mib(course: Course, size: int) -> int:
    """`size`, or that of a quick run, or what the environment says."""
    chosen = os.environ.get("SAFECONDUCT_BENCH_MIB")
    return int(chosen) if chosen else course.scaled(size, quick=_QUICK_MIB)


def in_a_process(work: str, source: Path, target: Path) -> Measured:
    """One work of `age_once` in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.age_once", work, str(source), str(target)]
    told = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    counted = json.loads(told)
    return Measured(seconds=counted["seconds"], peak_mib=counted["peak_kib"] / 1024)


def write_random(path: Path, mib: int) -> Path:
    """A file of so many MiB that nothing can compress."""
    with path.open("wb") as file:
        for _ in range(mib):
            file.write(os.urandom(_MIB))
    return path


def age_seal(source: Path, target: Path) -> None:
    """Debian's `age`, to one recipient."""
    subprocess.run(["age", "-r", _PUBLIC, "-o", str(target), str(source)], check=True)


def benchmark(course: Course) -> Report:
    """MiB per second of three programs on a disk and in memory, and our peak memory."""
    figures: list[Figure] = []
    ratios: list[Ratio] = []
    mib = size_mib(course, _SIZE_MIB)
    with _memory_folder() as memory:
        places = (
            ("disk", course.folder, False),
            ("disk, all synced", course.folder, True),
            ("memory", memory, False),
        )
        for place, folder, synced in places:
            rates = _in_turns(folder, mib, synced=synced)
            figures += [
                figure(f"{place}: {work}, {who}", "MiB/s", values)
                for (work, who), values in rates.items()
            ]
            ratios += _ratios(place, figures[-len(rates) :])
        figures += _turns_of_others(memory, mib)
    large = _large(course)
    figures += large
    ratios += [at_most(each.what, each.value, _RSS_MIB_MAX, " MiB") for each in large]
    return Report(
        name="seal",
        title=f"Seal and open {mib} MiB, {RUNS} times in turns",
        figures=tuple(figures),
        ratios=tuple(ratios),
        bound="one core, which copies each byte three times and enciphers it once; on a disk, "
        "what the disk takes, since ours is synced before it counts",
    )


def _turns_of_others(folder: Path, mib: int) -> list[Figure]:
    """How often another thread gets its turn in a second, while a file is sealed in ours.

    It asks for one each millisecond; a program that holds the interpreter's lock gives none.
    """
    plain, target = write_random(folder / "plain", mib), folder / "target"
    works = {who: work for (what, who), work in _works(folder).items() if what == "seal"}
    figures = []
    for who in ("ours", "pyrage"):
        thread = threading.Thread(target=works[who], args=(plain, target))
        turns, began = 0, time.perf_counter()
        thread.start()
        while thread.is_alive():
            time.sleep(_TURN_SECONDS)
            turns += 1
        rate = turns / (time.perf_counter() - began)
        figures.append(figure(f"turns of another thread, {who} sealing", "/s", [rate]))
        target.unlink()
    plain.unlink()
    return figures


@contextmanager
def _memory_folder() -> Iterator[Path]:
    folder = Path(mkdtemp(prefix="bench-", dir=_MEMORY))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _in_turns(folder: Path, mib: int, *, synced: bool) -> dict[tuple[str, str], list[float]]:
    """MiB per second of each work by each program; if `synced`, all promise what ours does."""
    plain, sealed = write_random(folder / "plain", mib), folder / "sealed"
    age_once.seal(plain, sealed)
    sources = {"seal": plain, "open": sealed}
    works = _works(folder)
    rates: dict[tuple[str, str], list[float]] = {each: [] for each in works}
    for run in range(RUNS):
        turns = [*works.items()]
        # Another order each time: what one leaves to the disk, the next one pays for.
        Random(run).shuffle(turns)
        for each, work in turns:
            final = partial(_then_synced, work) if synced and each[1] != "ours" else work
            rates[each].append(mib / _once(final, sources[each[0]], folder / "target"))
    plain.unlink()
    sealed.unlink()
    return rates


def _once(work: Work, source: Path, target: Path) -> float:
    """Seconds of one work, begun with nothing left to write and all of its source in memory:
    who comes first after another file's turn would else pay for reading it anew.
    """
    os.sync()
    for _ in read_stream(source):
        pass
    took = seconds(partial(work, source, target))
    target.unlink()
    return took


def _then_synced(work: Work, source: Path, target: Path) -> None:
    work(source, target)
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _works(folder: Path) -> dict[tuple[str, str], Work]:
    key_file = folder / "key.txt"
    key_file.write_text(_SECRET + "\n", encoding="ascii")
    identity = pyrage.x25519.Identity.from_str(_SECRET)

    def age_open(source: Path, target: Path) -> None:
        command = ["age", "-d", "-i", str(key_file), "-o", str(target), str(source)]
        subprocess.run(command, check=True)

    def pyrage_seal(source: Path, target: Path) -> None:
        pyrage.encrypt_file(str(source), str(target), [identity.to_public()])

    def pyrage_open(source: Path, target: Path) -> None:
        pyrage.decrypt_file(str(source), str(target), [identity])

    return {
        ("seal", "ours"): age_once.seal,
        ("seal", "age"): age_seal,
        ("seal", "pyrage"): pyrage_seal,
        ("open", "ours"): age_once.open_,
        ("open", "age"): age_open,
        ("open", "pyrage"): pyrage_open,
    }


def _ratios(place: str, figures: list[Figure]) -> Iterator[Ratio]:
    rates = {each.what: each.value for each in figures}
    for work in ("seal", "open"):
        ours = rates[f"{place}: {work}, ours"]
        for who, wanted in _WANTED.items():
            what = f"{place}: {work}, ours / {who}"
            yield at_least(what, ours / rates[f"{place}: {work}, {who}"], wanted)


def _large(course: Course) -> list[Figure]:
    """Peak memory of one process each for a file that fits into no memory; it is of zeros."""
    mib = size_mib(course, _LARGE_MIB)
    plain, sealed = course.folder / "large", course.folder / "large.age"
    with plain.open("wb") as file:
        file.truncate(mib * _MIB)
    peaks = [("seal", in_a_process("seal", plain, sealed).peak_mib)]
    plain.unlink()
    peaks.append(("open", in_a_process("open", sealed, course.folder / "opened").peak_mib))
    sealed.unlink()
    (course.folder / "opened").unlink()
    return [figure(f"{mib} MiB: {work}, peak memory", "MiB", [peak]) for work, peak in peaks]


if __name__ == "__main__":
    main("seal", benchmark)
