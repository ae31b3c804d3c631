"""Whose case comes out differently under a new version of a law, and whether for the better.

    version 1, “told on the last day”: spared, 30 to 50 percent → nothing (worse)

The cases of both versions are put to both of them. Cases show no more than they hold: that none
comes out differently does not prove that nobody is touched.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from safeconduct.errors import SafeconductError
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.statute.evaluate import Judgement, evaluate
from safeconduct.protocol.statute.facts import read_facts
from safeconduct.protocol.statute.govern import Result, fitting, worth
from safeconduct.protocol.statute.phrase import amount_words
from safeconduct.protocol.statute.text import Statute
from safeconduct.protocol.statute.trial import case_day


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A case that comes out differently; `effect` is better, worse or other, for the person."""

    name: str
    before: str
    now: str
    effect: str

    def __str__(self) -> str:
        return f"{self.name}: {self.before} → {self.now} ({self.effect})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """The facts of a case with a name, to be put to both versions; `as_of` in POSIX seconds."""

    name: str
    facts: Json
    as_of: int | None = None


def for_whom(
    previous: Statute, statute: Statute, more: Sequence[Pattern] = ()
) -> tuple[Difference, ...]:
    """The cases of both versions, and those given, that come out differently under the two."""
    found = []
    for pattern in (*patterns(previous, statute), *more):
        told = difference(previous, statute, pattern)
        if told is not None:
            found.append(told)
    return tuple(found)


def patterns(previous: Statute, statute: Statute) -> tuple[Pattern, ...]:
    """The cases of both versions, each asked once."""
    found: dict[str, Pattern] = {}
    for law in (previous, statute):
        for case in law.cases:
            name = f"version {law.version.number}, “{case.name}”"
            pattern = Pattern(name=name, facts=case.facts.document, as_of=case_day(law, case))
            key = repr((pattern.facts, pattern.as_of))
            found.setdefault(key, pattern)
    return tuple(found.values())


def difference(previous: Statute, statute: Statute, pattern: Pattern) -> Difference | None:
    """How a case comes out under both versions; None if it comes out alike."""
    begins = max(previous.version.in_force_from, statute.version.in_force_from)
    as_of = begins if pattern.as_of is None else max(begins, pattern.as_of)
    both = (previous, statute)
    before, now = (_tried(law, both, pattern.facts, as_of) for law in both)
    told = (_told(before), _told(now))
    if told[0] == told[1]:
        return None
    return Difference(
        name=pattern.name, before=told[0], now=told[1], effect=_effect(before, now)
    )


def _tried(statute: Statute, both: Sequence[Statute], facts: Json, as_of: int) -> Result | str:
    """The judgement, or why there is none."""
    try:
        document, _ = fitting(facts, statute, both)
        read = read_facts(document, statute.facts, calendar=statute.calendar)
        return statute, evaluate(statute, read, as_of)
    except SafeconductError as error:
        return error.message


def _told(result: Result | str) -> str:
    return f"not judged, {result}" if isinstance(result, str) else _outcome_told(result[1])


def _outcome_told(judgement: Judgement) -> str:
    words = judgement.outcome
    if judgement.standing:
        words += f", {judgement.standing}"
    if judgement.amount is not None:
        words += f", {amount_words(judgement.amount)}"
    items = ", ".join(f"{each.item} {each.outcome}" for each in judgement.items)
    return f"{words}, {items}" if items else words


def _effect(before: Result | str, now: Result | str) -> str:
    if isinstance(before, str) or isinstance(now, str):
        return "other"
    one, other = worth(*before), worth(*now)
    return "other" if one == other else "better" if other > one else "worse"
