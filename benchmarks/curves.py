"""What a Ledger costs as it grows from a thousand to a million entries.

One log grows through all sizes. At each it is published, closed and opened again, asked for
proofs, and audited. `python -m benchmarks.draw` makes a picture of what is kept.
"""

from dataclasses import dataclass, fields
from functools import partial

from benchmarks import real_log, sample
from benchmarks.audit import audited
from benchmarks.measure import (
    Course,
    Curve,
    Ratio,
    Report,
    at_most,
    figure,
    main,
    seconds,
    timed,
)
from safeconduct.parties.log.config import LEDGER
from safeconduct.parties.log.sequence import Log
from safeconduct.protocol.tlog.policy import Policy, verify_proof

_SIZES, _QUICK_SIZES = (1_000, 10_000, 100_000, 1_000_000), (1_000, 10_000)
_BATCH = 1_024
_RUNS = 3
_PROOFS = 200
_STORED_BYTES_MAX = 1.1 * sample.HASH_BYTES + 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """The costs at one size."""

    append: float
    restart: float
    prove: float
    check: float
    audit: float
    memory: float
    contents: float
    blocks: float


_TITLES = {
    "append": ("append, batches of 1,024", "entries/s"),
    "restart": ("restart after a clean stop", "s"),
    "prove": ("inclusion proof", "ms"),
    "check": ("receipt check", "ms"),
    "audit": ("audit", "s"),
    "memory": ("audit: peak memory", "MiB"),
    "contents": ("file contents per entry of 32 bytes", "B"),
    "blocks": ("disk blocks per entry of 32 bytes", "B"),
}


def benchmark(course: Course) -> Report:
    """Every cost at every size."""
    sizes = _QUICK_SIZES if course.quick else _SIZES
    founded = real_log.found(course.folder, LEDGER)
    costs = []
    for old_size, size in zip((0, *sizes), sizes, strict=False):
        costs.append(_grow(founded, old_size, size))
    curves = tuple(
        Curve(
            what=_TITLES[field.name][0],
            unit=_TITLES[field.name][1],
            tree_sizes=sizes,
            values=tuple(getattr(each, field.name) for each in costs),
        )
        for field in fields(Costs)
    )
    return Report(
        name="curves",
        title=f"A Ledger that grows to {sizes[-1]} entries of {sample.HASH_BYTES} bytes",
        figures=tuple(
            figure(f"{curve.what}, {size} entries", curve.unit, [value])
            for curve in curves
            for size, value in zip(curve.tree_sizes, curve.values, strict=True)
        ),
        ratios=(
            Ratio(
                what="restart, largest / smallest", value=costs[-1].restart / costs[0].restart
            ),
            at_most("receipt check at the largest, ms", costs[-1].check, 2),
            at_most("file contents per entry", costs[-1].contents, _STORED_BYTES_MAX, " B"),
            at_most("disk blocks per entry", costs[-1].blocks, _STORED_BYTES_MAX, " B"),
        ),
        bound="append and audit: Python's one core; restart: the journal and "
        "the window of recent entries; "
        "disk blocks: a bundle of 8,704 bytes takes three of 4 KiB",
        curves=curves,
    )


def _grow(founded: real_log.Founded, old_size: int, size: int) -> Costs:
    with founded.open() as log:
        took = seconds(lambda: _append(log, old_size, size))
        log.round()
    restarts = [seconds(lambda: _restart(founded)) for _ in range(_RUNS)]
    with founded.open() as log:
        log.round()
        prove, check = _proofs(log, founded.policy, size)
    public = founded.folder / "public"
    audits = [audited(public, founded.policy) for _ in range(_RUNS)]
    return Costs(
        append=(size - old_size) / took,
        restart=figure("", "", restarts).value,
        prove=prove,
        check=check,
        audit=figure("", "", [each.seconds for each in audits]).value,
        memory=figure("", "", [each.peak_mib for each in audits]).value,
        contents=real_log.content_bytes(founded.folder) / size,
        blocks=real_log.used_bytes(founded.folder) / size,
    )


def _append(log: Log, old_size: int, size: int) -> None:
    for first in range(old_size, size, _BATCH):
        log.append(sample.entries(first, min(_BATCH, size - first), sample.HASH_BYTES))


def _restart(founded: real_log.Founded) -> None:
    with founded.open():
        pass


def _proofs(log: Log, policy: Policy, size: int) -> tuple[float, float]:
    """Milliseconds to make a proof and to check it, for entries all over the log."""
    made, checked = [], []
    for index in range(0, size, size // _PROOFS):
        took, proof = timed(partial(log.proof, index))
        entry = sample.entries(index, 1, sample.HASH_BYTES)[0]
        made.append(1000 * took)
        checked.append(1000 * seconds(partial(verify_proof, proof, entry, policy)))
    return figure("", "", made).value, figure("", "", checked).value


if __name__ == "__main__":
    main("curves", benchmark)
