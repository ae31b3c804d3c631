"""What a new version of a law changes, in words, and for whom.

    parameters.cut_off   moves from 1993-12-05 to 1994-05-10, 156 days later; of 14 cases
                         2 come out better for the person
    sections[3]          section 5(2) states another rule: by(…) instead of before(…)

`whom` says whose cases come out differently.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import partial
from typing import TypeAlias, TypeVar

from safeconduct.protocol.statute.facts import Declaration
from safeconduct.protocol.statute.phrase import (
    condition_words,
    gained_and_lost,
    instant_words,
    moved_words,
    offset_words,
    parameter_words,
    term_words,
    value_words,
)
from safeconduct.protocol.statute.succession import same
from safeconduct.protocol.statute.text import (
    Annulment,
    Calendar,
    Condition,
    Credits,
    Governs,
    Listing,
    Number,
    Outcome,
    Parameter,
    Passage,
    Procedure,
    Provision,
    Statute,
    Step,
    Term,
    WordList,
    all_parts,
    with_struck,
)
from safeconduct.protocol.statute.whom import difference, patterns

Part = TypeVar("Part")

_QUOTED_MAX = 200  # characters of a text that is quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that a new version changes; `kind` is the part of the law it belongs to."""

    kind: str  # version, parameter, fact, section, outcome, procedure, calendar or credits
    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


def diff(previous: Statute, statute: Statute) -> tuple[Change, ...]:
    """Everything in which `statute` says other than `previous`, in the order of the law."""
    return tuple(
        change
        for look in (
            _version,
            _parameters,
            _facts,
            _sections,
            _outcomes,
            _procedure,
            _calendar,
            _credits,
        )
        for change in look(previous, statute)
    )


# The version.


def _version(previous: Statute, statute: Statute) -> Iterator[Change]:
    now, calendar = statute.version, statute.calendar
    yield Change(
        kind="version",
        place="version",
        text=f"version {now.number} follows version {previous.version.number}, in force from "
        f"{instant_words(now.in_force_from, calendar)}" + (f": {now.note}" if now.note else ""),
    )
    if now.in_force_to != previous.version.in_force_to:
        until = (
            "without end"
            if now.in_force_to is None
            else f"until {instant_words(now.in_force_to, calendar)}"
        )
        yield Change(kind="version", place="version.in_force_to", text=f"in force {until}")
    for index, each in enumerate(now.annuls):
        what = f"section {', '.join(each.sections)}" if each.sections else "all sections"
        yield Change(
            kind="version",
            place=f"version.annuls[{index}]",
            text=f"{what} of version {each.version}: struck from "
            f"{instant_words(each.from_at, calendar)} by {each.by}"
            f"{_felt_without(previous, statute, each)}",
        )
    yield from _attributes(
        "version", "statute.governs", previous.governs, statute.governs, skip=()
    )


# The parameters.


def _parameters(previous: Statute, statute: Statute) -> Iterator[Change]:
    for name, before, now in _pairs(previous.parameters, statute.parameters):
        place = f"parameters.{name}"
        if before is None or now is None or type(before) is not type(now):
            shown = partial(parameter_words, calendar=statute.calendar)
            yield _came_or_went("parameter", place, before, now, shown)
            continue
        if not same(before, now):
            moved = moved_words(before, now, statute.calendar)
            text = f"{moved}{_felt(previous, statute, now)}"
            yield Change(kind="parameter", place=place, text=text)
        if before.may_change != now.may_change:
            text = f"may change {now.may_change}, and no longer {before.may_change}"
            yield Change(kind="parameter", place=f"{place}.may_change", text=text)


def _felt_without(previous: Statute, statute: Statute, annulment: Annulment) -> str:
    """How the cases come out under the version before if nothing but this is struck from it."""
    if annulment.version != previous.version.number or not annulment.sections:
        return ""
    return _told(previous, statute, with_struck(previous, annulment.sections))


def _felt(previous: Statute, statute: Statute, now: Parameter) -> str:
    """How the cases come out if nothing but this parameter is changed."""
    return _told(previous, statute, _with_parameter(previous, now))


def _told(previous: Statute, statute: Statute, moved: Statute) -> str:
    """How the cases of both versions come out under `moved`, which was `previous`."""
    asked = patterns(previous, statute)
    found = [difference(previous, moved, pattern) for pattern in asked]
    effects = [each.effect for each in found if each is not None]
    counts = [(effect, effects.count(effect)) for effect in ("better", "worse", "other")]
    told = [f"{count} {_FELT[effect]}" for effect, count in counts if count]
    return f"; of {len(asked)} cases {', '.join(told)}" if told else ""


_FELT = {
    "better": "come out better for the person",
    "worse": "come out worse for the person",
    "other": "come out differently",
}


def _with_parameter(statute: Statute, parameter: Parameter) -> Statute:
    """The statute with one parameter replaced, wherever its value stands."""
    sections = tuple(
        _reset_provision(part, parameter) if isinstance(part, Provision) else part
        for part in statute.sections
    )
    parameters = {**statute.parameters, parameter.name: parameter}
    return replace(statute, sections=sections, parameters=parameters)


def _reset_provision(provision: Provision, parameter: Parameter) -> Provision:
    return replace(
        provision,
        condition=_reset(provision.condition, parameter),
        exceptions=tuple(_reset_provision(each, parameter) for each in provision.exceptions),
    )


def _reset(condition: Condition, parameter: Parameter) -> Condition:
    parts = tuple(_reset(part, parameter) for part in condition.parts)
    terms = tuple(_reset_term(term, parameter) for term in condition.terms)
    measured = condition.quantity
    changed = replace(
        condition,
        parts=parts,
        terms=terms,
        quantity=None if measured is None else replace(measured, tests=parts),
    )
    if isinstance(parameter, Number) and condition.measure == parameter.name:
        return replace(changed, bound=parameter.value)
    listed = isinstance(parameter, WordList) and condition.operator == "in"
    if isinstance(parameter, WordList) and listed and condition.name == parameter.name:
        return replace(changed, values=parameter.values)
    return changed


def _reset_term(term: Term, parameter: Parameter) -> Term:
    return replace(
        term,
        terms=tuple(_reset_term(each, parameter) for each in term.terms),
        tests=tuple(_reset(test, parameter) for test in term.tests),
    )


# Facts, sections and outcomes.


def _facts(previous: Statute, statute: Statute) -> Iterator[Change]:
    for name, before, now in _pairs(previous.facts, statute.facts):
        if before is None or now is None:
            yield _came_or_went("fact", f"facts.{name}", before, now, _declared)
        else:
            yield from _attributes("fact", f"facts.{name}", before, now, skip=("name",))


def _declared(declaration: Declaration) -> str:
    return f"{declaration.type}, asserted by {declaration.asserted_by}"


def _sections(previous: Statute, statute: Statute) -> Iterator[Change]:
    before_by = {part.number: part for part in all_parts(previous.sections)}
    now_by = {part.number: part for part in all_parts(statute.sections)}
    for number, before, now in _pairs(before_by, now_by):
        place = now.place if now is not None else f"section {number}"
        if before is None or now is None:
            part = now if now is not None else before
            words = f"section {number} {'is new' if before is None else 'is repealed'}"
            assert part is not None
            text = f"{words}: {_quoted(part, statute.languages[0])}"
            yield Change(kind="section", place=place, text=text)
            continue
        yield from _reworded(number, before, now, statute.languages)
        yield from _reruled(number, before, now)


def _reworded(
    number: str,
    before: Provision | Passage,
    now: Provision | Passage,
    languages: tuple[str, ...],
) -> Iterator[Change]:
    for language in languages:
        if before.text.get(language) != now.text.get(language):
            old, new = _quoted(before, language), _quoted(now, language)
            yield Change(
                kind="section",
                place=f"{now.place}.text.{language}",
                text=f"section {number} is reworded: {old} → {new}",
            )
            return  # one language shows it


def _quoted(part: Provision | Passage, language: str) -> str:
    text = part.text.get(language) or next(iter(part.text.values()))
    return f"“{_cut(text)}”"


def _cut(text: str) -> str:
    return text if len(text) <= _QUOTED_MAX else f"{text[: _QUOTED_MAX - 1]}…"


def _reruled(
    number: str, before: Provision | Passage, now: Provision | Passage
) -> Iterator[Change]:
    old, new = _rule_written(before), _rule_written(now)
    if old != new:
        text = f"section {number} states another rule: {new} instead of {old}"
        yield Change(kind="section", place=now.place, text=text)


def _rule_written(part: Provision | Passage) -> str:
    if isinstance(part, Passage):
        return f"about {part.about}" + (f", asks {part.asks}" if part.asks else "")
    spared = "".join(f" unless {each.number}" for each in part.exceptions)
    one = f" of one of {part.of}" if part.of else ""
    return f"{condition_words(part.condition)}{one}{spared}"


def _outcomes(previous: Statute, statute: Statute) -> Iterator[Change]:
    before_by = {each.value: each for each in (*previous.outcomes, previous.default)}
    now_by = {each.value: each for each in (*statute.outcomes, statute.default)}
    for value, before, now in _pairs(before_by, now_by):
        place = _outcome_place(value, statute)
        if before is None or now is None:
            yield _came_or_went("outcome", place, before, now, lambda each: each.value)
        else:
            skip = ("unseal", "effect_texts")
            yield from _attributes("outcome", place, before, now, skip)
            yield from _effect_texts("outcome", place, before, now, statute.languages)
            old, new = (_unsealed(each) for each in (before, now))
            if old != new:
                text = f"is unsealed {new or 'never'}, and no longer {old or 'never'}"
                yield Change(kind="outcome", place=f"{place}.unseal", text=text)
    orders = [
        [value for value in each if value in before_by.keys() & now_by.keys()]
        for each in (before_by, now_by)
    ]
    if orders[0] != orders[1]:
        text = f"are looked at in another order: {', '.join(orders[1])}"
        yield Change(kind="outcome", place="outcomes", text=text)


def _effect_texts(
    kind: str,
    place: str,
    before: Outcome | Listing | None,
    now: Outcome | Listing | None,
    languages: tuple[str, ...],
) -> Iterator[Change]:
    """The effects that both versions have and that are told in other words."""
    old, new = (each.effect_texts if each is not None else {} for each in (before, now))
    for name in new:
        for language in languages if before is not None and name in before.effects else ():
            words = [_cut(each.get(name, {}).get(language, "")) for each in (old, new)]
            if words[0] != words[1]:
                text = f"is reworded: “{words[0]}” → “{words[1]}”"
                yield Change(kind=kind, place=f"{place}.effects.{name}.{language}", text=text)
                break  # one language shows it


def _unsealed(outcome: Outcome) -> str:
    return term_words(outcome.unseal) if outcome.unseal is not None else ""


def _outcome_place(value: str, statute: Statute) -> str:
    for index, each in enumerate(statute.outcomes):
        if each.value == value:
            return f"outcomes[{index}]"
    return "default" if statute.default.value == value else f"outcome {value}"


# Procedure, calendar and credits.


def _procedure(previous: Statute, statute: Statute) -> Iterator[Change]:
    before, now = previous.procedure, statute.procedure
    skip = ("steps", "listing")
    yield from _attributes("procedure", "procedure", before, now, skip=skip)
    old_terms, new_terms, place = before.listing, now.listing, "procedure.listing"
    yield from _attributes("procedure", place, old_terms, new_terms, skip=("effect_texts",))
    yield from _effect_texts("procedure", place, old_terms, new_terms, statute.languages)
    old = {step.name: step for step in before.steps}
    new = {step.name: step for step in now.steps}
    for name, was, is_now in _pairs(old, new):
        place = f"procedure.steps.{name}"
        if was is None or is_now is None:
            yield _came_or_went("procedure", place, was, is_now, lambda step: step.name)
            continue
        yield from _attributes("procedure", place, was, is_now, skip=("anchor",))
        if term_words(was.anchor) != term_words(is_now.anchor):
            text = f"counts from {term_words(is_now.anchor)}"
            yield Change(kind="procedure", place=f"{place}.from", text=text)


def _calendar(previous: Statute, statute: Statute) -> Iterator[Change]:
    before, now = previous.calendar, statute.calendar
    if before is None or now is None:
        if before is not now:
            yield _came_or_went("calendar", "calendar", before, now, lambda each: each.zone)
        return
    skip = ("holidays", "offsets")
    yield from _attributes("calendar", "calendar", before, now, skip=skip)
    if before.offsets != now.offsets:
        old, new = ([offset_words(each) for each in one.offsets] for one in (before, now))
        text = gained_and_lost(old, new)
        yield Change(kind="calendar", place="calendar.offsets", text=text)
    for year, was, is_now in _pairs(
        {str(each): days for each, days in before.holidays.items()},
        {str(each): days for each, days in now.holidays.items()},
    ):
        if was != is_now:
            text = f"the holidays of {year} are {_listed(was, is_now)}"
            yield Change(kind="calendar", place=f"calendar.holidays.{year}", text=text)


def _listed(before: tuple[int, ...] | None, now: tuple[int, ...] | None) -> str:
    if before is None or now is None:
        return "listed" if before is None else "listed no longer"
    days = [[date.fromordinal(day).isoformat() for day in each] for each in (before, now)]
    return f"changed: {gained_and_lost(*days)}"


def _credits(previous: Statute, statute: Statute) -> Iterator[Change]:
    before, now = previous.credits, statute.credits
    yield from _attributes("credits", "credits", before, now, skip=("periods",))
    old, new = (_period_ends(each) for each in (previous, statute))
    if old != new:
        text = f"end {new or 'never'}, and no longer {old or 'never'}"
        yield Change(kind="credits", place="credits.periods", text=text)


def _period_ends(statute: Statute) -> str:
    ends = statute.credits.periods if statute.credits is not None else ()
    return ", ".join(instant_words(at, statute.calendar) for at in ends)


# Comparing what has fields.


def _pairs(
    before: Mapping[str, Part], now: Mapping[str, Part]
) -> Iterator[tuple[str, Part | None, Part | None]]:
    for name in (*now, *(each for each in before if each not in now)):
        yield name, before.get(name), now.get(name)


def _came_or_went(
    kind: str, place: str, before: object, now: object, shown: Callable[..., str]
) -> Change:
    if before is None:
        return Change(kind=kind, place=place, text=f"is new: {shown(now)}")
    if now is None:
        return Change(kind=kind, place=place, text=f"is dropped; it was {shown(before)}")
    return Change(kind=kind, place=place, text=f"becomes {shown(now)}; it was {shown(before)}")


Whole: TypeAlias = (
    Governs | Declaration | Outcome | Procedure | Listing | Step | Calendar | Credits
)


def _attributes(
    kind: str, place: str, before: Whole | None, now: Whole | None, skip: tuple[str, ...]
) -> Iterator[Change]:
    """One change for each field that differs between two values of one class, or none."""
    if before is None and now is None:
        return
    whole = before if before is not None else now
    assert whole is not None
    for each in fields(whole):
        old, new = getattr(before, each.name, None), getattr(now, each.name, None)
        if each.name not in skip and old != new:
            text = f"{value_words(old)} → {value_words(new)}"
            yield Change(kind=kind, place=f"{place}.{each.name}", text=text)
