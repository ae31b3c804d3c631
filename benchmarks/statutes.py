"""How many cases a second are judged under the example statute, with the full proof each time.

Beside it, on the same cases and in turns with it: the GoRules engine with its trace, once with
times as whole seconds and once with dates as people write them. Ours has three truth values and
a tree that names every test; it starts from facts that were read, and once more from JSON.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.measure import (
    ROOT,
    Course,
    Report,
    at_least,
    beside,
    figure,
    main,
    seconds,
)
from benchmarks.zen_rules import engine
from safeconduct.plumbing.authored import parse_authored
from safeconduct.protocol.canonical import Json, format_json, parse_json
from safeconduct.protocol.statute import (
    Facts,
    Statute,
    evaluate,
    format_judgement,
    read_facts,
    read_statute,
)
from safeconduct.protocol.statute.instant import format_instant

RUNS = 5
_CASES = 4_000
_STATUTE = ROOT / "statutes" / "example" / "credited-acquittal" / "statute.yaml"
_GRADES = ("corroborated", "useful", "unproven", "worthless", "false")
_PER_SECOND_MIN, _ENGINE_RATIO_MIN = 15_000, 5


def cases(count: int, date: int) -> list[dict[str, Any]]:
    """Random cases with one or two tips and perhaps a statement, around the date."""
    chance = Random(6)
    return [_case(chance, date) for _ in range(count)]


def _case(chance: Random, date: int) -> dict[str, Any]:
    tips = [
        {
            "acknowledged": chance.choice(("ok", "ok", "mismatch")),
            "author_proven": chance.random() < 0.8,
            "grade": chance.choice(_GRADES),
            "logged": date + chance.randint(-90_000, 90_000),
        }
        for _ in range(chance.randint(1, 2))
    ]
    statements = [
        {
            "denounces": chance.random() < 0.8,
            "made": date + chance.randint(-90_000, 90_000),
            "speaker_is_claimant": chance.random() < 0.8,
            "withdrawn": chance.random() < 0.2,
        }
        for _ in range(chance.randint(0, 1))
    ]
    single = ("grave_crime_proven", "knowing_falsehood_found", "falsehood_under_duress")
    return {
        "facts": {name: chance.random() < 0.1 for name in single},
        "lists": {"statements": statements, "tips": tips},
    }


def for_engine(case: dict[str, Any], date: int, write: Callable[[int], object]) -> Any:
    """The case as the engine takes it: one flat map, times written by `write`."""
    lists = {
        name: [
            {key: write(value) if key in ("logged", "made") else value for key, value in each}
            for each in (item.items() for item in items)
        ]
        for name, items in case["lists"].items()
    }
    return {**case["facts"], **lists, "the_date": write(date)}


def benchmark(course: Course) -> Report:
    """Cases per second of ours and of the engine, and whether all of them agree."""
    statute = read_statute(parse_authored(_STATUTE.read_bytes(), _STATUTE.name))
    date = statute.parameters["the_date"].at  # type: ignore[union-attr]  # it is an instant
    made = cases(course.scaled(_CASES, quick=400), date)
    ready = [read_facts(case, statute.facts) for case in made]
    texts = [format_json(case) for case in made]
    whole = [for_engine(case, date, int) for case in made]
    dated = [for_engine(case, date, format_instant) for case in made]
    by_seconds, by_dates = engine(dated=False), engine(dated=True)
    _check_alike(statute, ready, [[by_seconds(one) for one in whole]])
    _check_alike(statute, ready, [[by_dates(one) for one in dated]])
    works: dict[str, Callable[[], object]] = {
        "ours, full proof": lambda: _each(lambda one: evaluate(statute, one, date), ready),
        "ours, from JSON to JSON": lambda: _each(
            lambda text: _whole_way(statute, text, date), texts
        ),
        "GoRules with trace, whole seconds": lambda: _each(by_seconds, whole),
        "GoRules with trace, dates": lambda: _each(by_dates, dated),
    }
    rates: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(course.scaled(RUNS, quick=2)):
        for name, work in works.items():
            rates[name].append(len(made) / seconds(work))
    figures = [figure(name, "cases/s", values) for name, values in rates.items()]
    ours, from_json, engine_seconds, engine_dates = figures
    return Report(
        name="statutes",
        title=f"{len(made)} cases under the example statute, one core, in turns",
        figures=tuple(figures),
        ratios=(
            at_least(ours.what, ours.value, _PER_SECOND_MIN, " cases/s"),
            at_least(
                f"{ours.what} / {engine_dates.what}",
                ours.value / engine_dates.value,
                _ENGINE_RATIO_MIN,
            ),
            beside(ours, engine_seconds),
            beside(from_json, engine_dates),
        ),
        bound="building the tree: one value for each test, in the interpreter",
    )


def _each(decide: Callable[[Any], object], given: Sequence[Any]) -> None:
    """Decide one case after the other; what came out is let go, as a register lets it go."""
    for one in given:
        decide(one)


def _check_alike(
    statute: Statute, ready: Sequence[Facts], found: Sequence[Sequence[str]]
) -> None:
    """A comparison of speed is worth nothing if the answers differ."""
    date = statute.version.in_force_from
    ours = [evaluate(statute, one, date).outcome for one in ready]
    for outcomes in found:
        assert list(outcomes) == ours


def _whole_way(statute: Statute, text: bytes, as_of: int) -> bytes:
    facts: Json = parse_json(text, "facts")
    return format_judgement(evaluate(statute, read_facts(facts, statute.facts), as_of))


if __name__ == "__main__":
    main(Path(__file__).stem, benchmark)
