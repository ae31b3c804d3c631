"""Random small statutes and random cases for them; everything the core logic has, mixed."""

from random import Random
from typing import Any

DATE = 1_000_000
FACTS = {
    "guilty": "yesno",
    "warned": "yesno",
    "role": "choice",
    "years": "integer",
    "born": "time",
    "acts.done": "time",
    "acts.useful": "yesno",
    "acts.grade": "choice",
    "acts.weight": "integer",
}
WORDS = ("low", "middle", "high")
AT_END = ("wait", "favour_person", "body_bears", "person_bears")
LIMITS = {"the_date": DATE, "the_day_after": DATE + 86_400}
RULES = ("r0", "r1", "r2", "r3")


def law(chance: Random) -> Any:
    """A statute's document, without what the logic does not need; the first rule comes last."""
    facts = {name: _declaration(chance, kind) for name, kind in FACTS.items()}
    sections = []
    for number, rule in enumerate(RULES):
        sections.append(_section(chance, str(number + 1), RULES[:number]) | {"rule": rule})
    outcomes = [
        {
            "when": rule,
            "value": f"outcome-{rule}",
            "text": {"en": "It follows."},
            "favours": chance.choice(("person", "body")),
            "publish": "always",
        }
        for rule in chance.sample(RULES, 2)
    ]
    return _frame() | {"facts": facts, "sections": sections, "outcomes": outcomes}


def _frame() -> dict[str, Any]:
    instants = {
        name: {
            "type": "instant",
            "value": written,
            "zone": "UTC",
            "bound": "exclusive",
            "may_change": "never",
            "section": "1",
        }
        for name, written in (
            ("the_date", "1970-01-12T13:46:40Z"),
            ("the_day_after", "1970-01-13T13:46:40Z"),
        )
    }
    appeal = {"type": "duration", "amount": 1, "unit": "days", "ends": "same_time"}
    return {
        "statute": {
            "id": "random",
            "schema": "1",
            "title": {"en": "Random"},
            "languages": ["en"],
            "body": "Nobody",
        },
        "version": {
            "number": 1,
            "published": "1969-01-01T00:00:00Z",
            "in_force_from": "1969-01-01T00:00:00Z",
        },
        "parameters": instants | {"appeal": appeal | {"may_change": "never", "section": "1"}},
        "default": {"value": "nothing", "text": {"en": "Nothing."}, "publish": "always"},
        "procedure": {"appeal_period": "appeal", "appeal_suspends": True, "decide_quorum": 1},
        "cases": [],
    }


def _declaration(chance: Random, kind: str) -> dict[str, Any]:
    declared: dict[str, Any] = {
        "type": kind,
        "asserted_by": "anyone",
        "standard": "any",
        "unknown_at_end": chance.choice(AT_END),
        "label": {"en": "something"},
    }
    if kind == "choice":
        declared["values"] = list(WORDS)
    if kind == "time":
        declared["proof"] = "finding"
    return declared


def _section(chance: Random, number: str, rules: tuple[str, ...], depth: int = 0) -> Any:
    section = {
        "number": number,
        "text": {"en": "Something holds."},
        "if": _condition(chance, "", rules, 3),
    }
    count = chance.choice((0, 0, 1, 2)) if depth < 2 else 0
    if count:
        section["unless"] = [
            _section(chance, f"{number}.{n}", rules, depth + 1) for n in range(count)
        ]
    return section


def _condition(chance: Random, within: str, rules: tuple[str, ...], depth: int) -> Any:
    if depth and chance.random() < 0.55:
        kind = chance.choice(("and", "or", "not", "list", "list", "rule"))
        if kind in ("and", "or"):
            parts = range(chance.randint(1, 3))
            return {kind: [_condition(chance, within, rules, depth - 1) for _ in parts]}
        if kind == "not":
            return {"not": _condition(chance, within, rules, depth - 1)}
        if kind == "list" and not within:
            return _quantified(chance, rules, depth)
        if kind == "rule" and rules and not within:
            return {"rule": chance.choice(rules)}
    return _test(chance, within)


def _quantified(chance: Random, rules: tuple[str, ...], depth: int) -> Any:
    inner = ["acts", _condition(chance, "acts", rules, depth - 1)]
    kind = chance.choice(("some", "all", "at-least", "less"))
    if kind in ("some", "all"):
        return {kind: inner}
    return {kind: [{"count": inner}, chance.randint(0, 3)]}


def _test(chance: Random, within: str) -> Any:
    known = [name for name in FACTS if name.startswith("acts.") == bool(within)]
    if within and chance.random() < 0.15:
        known = [name for name in FACTS if "." not in name]
    name = chance.choice(known)
    short = name.removeprefix(f"{within}.") if within else name
    if chance.random() < 0.15:
        return {chance.choice(("absent", "known")): short}
    made: dict[str, Any] = {
        "yesno": {"is": [short, chance.random() < 0.5]},
        "choice": {"in": [short, chance.sample(WORDS, chance.randint(1, 2))]},
        "integer": {chance.choice(("at-least", "less")): [short, chance.randint(-1, 4)]},
        "time": {"before": [short, chance.choice(tuple(LIMITS))]},
    }
    return made[FACTS[name]]


def case(chance: Random) -> Any:
    """Facts of one case: known, unknown, absent, or asserted by nobody."""
    single = [name for name in FACTS if "." not in name]
    fields = [name for name in FACTS if "." in name]
    return {
        "facts": _values(chance, single),
        "lists": {"acts": [_values(chance, fields) for _ in range(chance.randint(0, 3))]},
    }


def _values(chance: Random, names: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in names:
        drawn = chance.random()
        if drawn < 0.12:
            values[name.rpartition(".")[2]] = "unknown"
        elif drawn < 0.2:
            values[name.rpartition(".")[2]] = "absent"
        elif drawn < 0.85:
            values[name.rpartition(".")[2]] = _value(chance, FACTS[name])
    return values


def _value(chance: Random, kind: str) -> Any:
    if kind == "time":
        latest = DATE + chance.choice((-86_400, -1, 0, 1, 86_399, 86_400, 90_000))
        return chance.choice(
            (latest, [None, latest], [latest - chance.randint(0, 90_000), latest])
        )
    values: dict[str, Any] = {
        "yesno": chance.random() < 0.5,
        "choice": chance.choice(WORDS),
        "integer": chance.randint(-2, 5),
    }
    return values[kind]
