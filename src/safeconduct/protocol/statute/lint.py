"""What a statute must not be published with, although a judgement could be computed from it.

Each check looks for one way in which laws have gone wrong: an effect before an appeal, a
registration without an end, a rule nobody can reach, a date moved against its own promise, an
example that the law itself fails.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from safeconduct.errors import MalformedError
from safeconduct.protocol.statute.evaluate import Judgement, evaluate
from safeconduct.protocol.statute.instant import DAY_SECONDS
from safeconduct.protocol.statute.proof import flatten
from safeconduct.protocol.statute.text import (
    Case,
    Condition,
    Instant,
    Number,
    Parameter,
    Period,
    Provision,
    Statute,
    Words,
    all_conditions,
    all_parts,
)

_CROWD_MIN = 20  # credits of one class and period, below which a blind one hides nobody
_TIPS, _LOGGED, _GRADE = "tips", "tips.logged", "tips.grade"
_NO_GRADE = "unproven"


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """One reason against publishing, and the place it concerns."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


def lint(statute: Statute) -> list[Complaint]:
    """All reasons against publishing `statute`, in the order of the checks; none is best."""
    return [complaint for look in _CHECKS for complaint in look(statute)]


def check(statute: Statute) -> None:
    """Ensure that nothing speaks against publishing `statute`.

    Raises:
        MalformedError: the first complaint, and how many more there are.
    """
    _raise_first(lint(statute))


def lint_change(previous: Statute, statute: Statute) -> list[Complaint]:
    """The reasons against publishing `statute` as the version that follows `previous`."""
    return [
        complaint
        for look in (_succession, _moved_parameters, _taken_credits)
        for complaint in look(previous, statute)
    ]


def check_change(previous: Statute, statute: Statute) -> None:
    """Ensure that `statute` may follow `previous`.

    Raises:
        MalformedError: the first complaint, and how many more there are.
    """
    _raise_first(lint_change(previous, statute))


def _raise_first(complaints: list[Complaint]) -> None:
    if complaints:
        more = f" (and {len(complaints) - 1} more)" if len(complaints) > 1 else ""
        raise MalformedError(f"statute {complaints[0]}{more}")


def _complain(place: str, message: str) -> Complaint:
    return Complaint(place=place, message=message)


# Against what the law would do.


def _appeal(statute: Statute) -> Iterator[Complaint]:
    if not statute.procedure.appeal_suspends:
        yield _complain(
            "procedure.appeal_suspends", "effects would begin before an appeal ends"
        )


def _review(statute: Statute) -> Iterator[Complaint]:
    for outcome in (statute.default, *statute.outcomes):
        place = "default" if outcome is statute.default else f"outcomes.{outcome.value}"
        if outcome.favours == "body" and outcome.review_after is None:
            yield _complain(place, "a burden needs a review: add review_after")


def _antedated(statute: Statute) -> Iterator[Complaint]:
    if statute.version.in_force_from < statute.version.published_at:
        yield _complain("version.in_force_from", "the law would begin before it is published")


def _one_rule_one_outcome(statute: Statute) -> Iterator[Complaint]:
    seen: set[str] = set()
    for index, outcome in enumerate(statute.outcomes):
        if outcome.rule in seen:
            yield _complain(
                f"outcomes[{index}].when", f"{outcome.rule} already has an outcome before it"
            )
        seen.add(outcome.rule)


# Against what the law says, or leaves unsaid.


def _languages(statute: Statute) -> Iterator[Complaint]:
    wanted = set(statute.languages)
    for place, words in _all_words(statute):
        for language in sorted(wanted - words.keys()):
            yield _complain(place, f"has no text in {language}")
        for language in sorted(words.keys() - wanted):
            yield _complain(place, f"{language} is not a language of this statute")


def _all_words(statute: Statute) -> Iterator[tuple[str, Words]]:
    yield "statute.title", statute.title
    for name, declaration in statute.facts.items():
        yield f"facts.{name}.label", declaration.label
    for part in all_parts(statute.sections):
        yield f"{part.place}.text", part.text
    for index, outcome in enumerate(statute.outcomes):
        yield f"outcomes[{index}].text", outcome.text
    yield "default.text", statute.default.text


def _unreachable_rules(statute: Statute) -> Iterator[Complaint]:
    rules = statute.rules
    reached: set[str] = set()
    waiting = [outcome.rule for outcome in statute.outcomes]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(
                each.name for each in all_conditions(rules[name]) if each.operator == "rule"
            )
    for name, provision in rules.items():
        if name not in reached:
            yield _complain(provision.place, f"no outcome leads to the rule {name}")


def _unused_names(statute: Statute) -> Iterator[Complaint]:
    conditions = _conditions(statute)
    used = {each.fact for each in conditions} | {each.name for each in conditions}
    periods = statute.credits.periods if statute.credits else ()
    for name in statute.facts:
        if name not in used:
            yield _complain(f"facts.{name}", "no rule asks for this fact")
    for name, parameter in statute.parameters.items():
        if not isinstance(parameter, Instant) or parameter.limit_at in periods:
            continue
        if name not in used:
            yield _complain(f"parameters.{name}", "no rule asks for this date")


def _conditions(statute: Statute) -> list[Condition]:
    return [each for rule in statute.rules.values() for each in all_conditions(rule)]


# Against credits that hide nobody, or that hold for nothing.


def _small_crowd(statute: Statute) -> Iterator[Complaint]:
    terms = statute.credits
    if terms is not None and terms.scheme == "blind" and terms.minimum_issued < _CROWD_MIN:
        yield _complain(
            "credits.minimum_issued", f"fewer than {_CROWD_MIN} blind credits hide nobody"
        )


def _useless_periods(statute: Statute) -> Iterator[Complaint]:
    """A credit says when its tip was logged at the latest; that must be before some date."""
    limits = [
        parameter.limit_at
        for each in _conditions(statute)
        if each.operator == "before" and each.fact == _LOGGED
        if isinstance(parameter := statute.parameters.get(each.name), Instant)
    ]
    if statute.credits is None or not limits:
        return
    for index, end in enumerate(statute.credits.periods):
        if end > max(limits):
            yield _complain(
                f"credits.periods[{index}]", "ends after every date that a tip must come before"
            )


def _ungraded_tips(statute: Statute) -> Iterator[Complaint]:
    """What keeps a credited tip from being claimed with as well is that the desk, from then on,
    keeps its grade to itself. A rule that asks for none would count the tip all the same.
    """
    if statute.credits is not None:
        for place in ungraded_tips(statute):
            yield _complain(place, "counts tips without a grade, credited ones too")


def ungraded_tips(statute: Statute) -> Iterator[str]:
    """The places of all conditions that count tips though no grade of them is shown."""
    for each in _conditions(statute):
        if each.name == _TIPS and each.parts and not any(map(_asks_for_grade, each.parts)):
            yield each.place


def _asks_for_grade(condition: Condition) -> bool:
    """Whether it surely fails for a tip of which no grade is shown, which is `unproven`."""
    if condition.operator == "or":
        return all(map(_asks_for_grade, condition.parts))
    if condition.operator == "and":
        return any(map(_asks_for_grade, condition.parts))
    asks = condition.fact == _GRADE and condition.operator in ("is", "in")
    return asks and _NO_GRADE not in condition.values


# Against the law's own examples.


def _failing_cases(statute: Statute) -> Iterator[Complaint]:
    for case in statute.cases:
        found = judge_case(statute, case)
        if found.outcome != case.outcome:
            yield _complain(
                case.place, f"“{case.name}” comes out as {found.outcome}, not {case.outcome}"
            )
        elif found.sections != case.sections:
            stated, rests = ", ".join(case.sections), ", ".join(found.sections)
            yield _complain(case.place, f"“{case.name}” rests on {rests}, not on {stated}")
        elif not _waits_as_stated(case, found):
            waits = ", ".join(each.fact for each in found.open_facts) or "nothing"
            yield _complain(case.place, f"“{case.name}” waits for {waits}")


def matches_case(statute: Statute, case: Case) -> bool:
    """Whether the example comes out as it says, on the sections and open facts it names."""
    found = judge_case(statute, case)
    stated = (case.outcome, case.sections)
    return (found.outcome, found.sections) == stated and _waits_as_stated(case, found)


def judge_case(statute: Statute, case: Case) -> Judgement:
    """What the statute says about one of its own examples, on its first day in force."""
    return evaluate(statute, case.facts, statute.version.in_force_from)


def _waits_as_stated(case: Case, found: Judgement) -> bool:
    stated = case.open_facts
    return stated is None or stated == tuple(each.fact for each in found.open_facts)


def _unproven_sections(statute: Statute) -> Iterator[Complaint]:
    """Every provision needs an example in which it holds, and one in which it does not."""
    seen: dict[str, set[bool | None]] = {}
    for case in statute.cases:
        for node in flatten(judge_case(statute, case).roots)[0]:
            if node.section:
                seen.setdefault(node.section, set()).add(node.value)
    for part in all_parts(statute.sections):
        if isinstance(part, Provision):
            for value, verb in ((True, "holds"), (False, "does not hold")):
                if value not in seen.get(part.number, set()):
                    yield _complain(
                        part.place, f"no case in which section {part.number} {verb}"
                    )


_CHECKS: tuple[Callable[[Statute], Iterator[Complaint]], ...] = (
    _appeal,
    _review,
    _antedated,
    _one_rule_one_outcome,
    _languages,
    _unreachable_rules,
    _unused_names,
    _small_crowd,
    _useless_periods,
    _ungraded_tips,
    _failing_cases,
    _unproven_sections,
)


# Against the change from one version to the next.


def _succession(previous: Statute, statute: Statute) -> Iterator[Complaint]:
    if statute.id != previous.id:
        yield _complain("statute.id", f"is not {previous.id}, the statute it would follow")
    if statute.version.number != previous.version.number + 1:
        yield _complain("version.number", f"must be {previous.version.number + 1}")
    if statute.version.supersedes != previous.sha256:
        yield _complain("version.supersedes", "is not the SHA-256 of the version before")


def _moved_parameters(previous: Statute, statute: Statute) -> Iterator[Complaint]:
    for name, before in previous.parameters.items():
        now, place = statute.parameters.get(name), f"parameters.{name}"
        if type(now) is not type(before) or now is None:
            yield _complain(place, "was dropped or became another type")
            continue
        if now.may_change != before.may_change:
            yield _complain(f"{place}.may_change", "the promise itself was changed")
        if not _ALLOWED[before.may_change](before, now):
            yield _complain(place, f"was moved, although it may change {before.may_change}")


def _taken_credits(previous: Statute, statute: Statute) -> Iterator[Complaint]:
    """Classes and periods may be added; those there are stay as a source relied on them."""
    before, now = previous.credits, statute.credits
    if before is None:
        return
    if now is None:
        yield _complain("credits", "were dropped")
        return
    if now.scheme != before.scheme:
        yield _complain("credits.scheme", f"was {before.scheme}, and stays so")
    for word in before.classes:
        if word not in now.classes:
            yield _complain("credits.classes", f"{word} was dropped")
    if now.periods[: len(before.periods)] != before.periods:
        yield _complain("credits.periods", "a period was moved or dropped")


def _same(one: Parameter, other: Parameter) -> bool:
    return _span(one) == _span(other) and _unit(one) == _unit(other)


def _not_less(one: Parameter, other: Parameter) -> bool:
    """Whether `other` is surely no earlier, shorter or smaller than `one`."""
    if _unit(one) == _unit(other):
        return _span(one) <= _span(other)
    return _span(one)[1] <= _span(other)[0]


def _span(parameter: Parameter) -> tuple[int, int]:
    """The least and the most that a parameter can amount to; only months leave a doubt."""
    if isinstance(parameter, Instant):
        return parameter.limit_at, parameter.limit_at
    if isinstance(parameter, Number):
        return parameter.value, parameter.value
    shortest, longest = _UNIT_SECONDS[parameter.duration.unit]
    return parameter.duration.amount * shortest, parameter.duration.amount * longest


def _unit(parameter: Parameter) -> tuple[str, str]:
    if isinstance(parameter, Period):
        return parameter.duration.unit, parameter.duration.rounding
    return "", ""


_UNIT_SECONDS = {
    "seconds": (1, 1),
    "days": (DAY_SECONDS, DAY_SECONDS),
    "months": (28 * DAY_SECONDS, 31 * DAY_SECONDS),
}

_ALLOWED: dict[str, Callable[[Parameter, Parameter], bool]] = {
    "never": _same,
    "later_only": _not_less,
    "earlier_only": lambda before, now: _not_less(now, before),
    "any": lambda before, now: True,
}
