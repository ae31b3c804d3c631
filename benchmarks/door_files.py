"""Files through the door's form: uploaded, sealed by the door, dated, kept; and peak memory.

A whole programme runs on this machine: a door, two logs, three witnesses. What is measured is
what a visitor waits for: from the first byte of the upload to the receipt. With
SAFECONDUCT_BENCH_LARGE=1 a file of ten gigabytes goes the same way, once.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from benchmarks.form import (
    Visitor,
    door_pid,
    forget_peak,
    peak_mib,
    random_pieces,
    serving_programme,
)
from benchmarks.measure import (
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

RUNS = 5
AT_ONCE = 10
LARGE_SWITCH = "SAFECONDUCT_BENCH_LARGE"
_MB = 1_000_000
_FILE_BYTES = 100 * _MB
_LARGE_BYTES = 10_000 * _MB
_WANTED_MB_PER_SECOND = 60
_ABOVE_IDLE_MIB_MAX = 150

GLOBALEAKS_MB_PER_SECOND = 14.6
"""GlobaLeaks 5.0.15, one file of 100 MB in chunks of 1 MiB; measured on another day."""
ONIONSHARE_MB_PER_SECOND = 24.0
"""OnionShare 2.7 receiving 100 MB, without Tor and without sealing; on another day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """How long a file took, in seconds: up to the next page, and from there to the receipt."""

    upload: float
    seal: float

    @property
    def whole(self) -> float:
        """From the first byte to the receipt."""
        return self.upload + self.seal


def benchmark(course: Course) -> Report:
    """One file after another, ten at once, and the door's memory meanwhile."""
    size = course.scaled(_FILE_BYTES, quick=20 * _MB)
    with serving_programme(course.folder) as world:
        url, pid = world.programme.door, door_pid(course.folder)
        _send(url, 8, 0)  # what is loaded once is not counted
        alone = [_send(url, size, run) for run in range(1, RUNS + 1)]
        idle = forget_peak(pid)
        at_once = seconds(lambda: _send_all(url, size))
        above = peak_mib(pid) - idle
        large = _large(url, pid) if os.environ.get(LARGE_SWITCH) else ()
    figures = _figures(size, alone, at_once, above)
    return Report(
        name="door_files",
        title=f"A file of {size // _MB} MB through the form, {RUNS} times; {AT_ONCE} at once",
        figures=(*figures, *large),
        ratios=_ratios(figures, above),
        bound="SHA-256 three times over each byte, encryption twice, and the disk twice",
        elsewhere=(
            f"GlobaLeaks: {GLOBALEAKS_MB_PER_SECOND} MB/s",
            f"OnionShare, stored in clear: {ONIONSHARE_MB_PER_SECOND} MB/s",
        ),
    )


def _figures(size: int, alone: list[Sent], at_once: float, above: float) -> tuple[Figure, ...]:
    mb = size / _MB
    return (
        figure("one file, upload to receipt", "MB/s", [mb / each.whole for each in alone]),
        figure("one file, its upload", "MB/s", [mb / each.upload for each in alone]),
        figure("one file, sealing, date and receipt", "s", [each.seal for each in alone]),
        figure(f"{AT_ONCE} at once, together", "MB/s", [AT_ONCE * mb / at_once]),
        figure(f"{AT_ONCE} at once, peak memory above idle", "MiB", [above]),
    )


def _ratios(figures: tuple[Figure, ...], above: float) -> tuple[Ratio, ...]:
    ours = figures[0].value
    return (
        at_least("one file", ours, _WANTED_MB_PER_SECOND, " MB/s"),
        at_most("memory above idle", above, _ABOVE_IDLE_MIB_MAX, " MiB"),
        Ratio(what="one file / GlobaLeaks", value=ours / GLOBALEAKS_MB_PER_SECOND),
        Ratio(what="one file / OnionShare", value=ours / ONIONSHARE_MB_PER_SECOND),
    )


def _send_all(url: str, size: int) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = [pool.submit(_send, url, size, 100 + place) for place in range(AT_ONCE)]
        for each in waiting:
            each.result()


def _send(url: str, size: int, seed: int) -> Sent:
    visitor = Visitor(url)
    visitor.begin()
    visitor.press("/tell/text", text="")
    pieces = random_pieces(size, seed)
    upload = seconds(lambda: visitor.attach("film.bin", pieces, size))
    return Sent(upload=upload, seal=seconds(visitor.send))


def _large(url: str, pid: int) -> tuple[Figure, ...]:
    idle = forget_peak(pid)
    sent = _send(url, _LARGE_BYTES, 1_000)
    above = peak_mib(pid) - idle
    return (
        figure("10 GB, upload to receipt", "MB/s", [_LARGE_BYTES / _MB / sent.whole]),
        figure("10 GB, peak memory above idle", "MiB", [above]),
    )


if __name__ == "__main__":
    main("door_files", benchmark)
