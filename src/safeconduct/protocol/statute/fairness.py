"""Checks of what a law would do: effects before an appeal, burdens without an end, deadlines
of which nobody can say when they end, listings without a look at the person.
"""

from collections.abc import Iterator
from datetime import date

from safeconduct.protocol.statute.calendar import Calendar, covers, day_of
from safeconduct.protocol.statute.complaint import Check, Complaint, complain
from safeconduct.protocol.statute.instant import DAY_SECONDS, Duration
from safeconduct.protocol.statute.text import (
    Condition,
    Day,
    Instant,
    Passage,
    Period,
    Statute,
    all_parts,
)
from safeconduct.protocol.statute.walk import (
    all_seen,
    facts_behind,
    facts_of_tests,
    terms_in,
)

_CROWD_MIN = 20  # credits of one class and period, below which a blind one hides nobody
_TIPS, _LOGGED, _GRADE = "tips", "tips.logged", "tips.grade"
_NO_GRADE = "unproven"


def _appeal(statute: Statute) -> Iterator[Complaint]:
    if not statute.procedure.appeal_suspends:
        yield complain("procedure.appeal_suspends", "effects would begin before an appeal ends")


def _review(statute: Statute) -> Iterator[Complaint]:
    places = [f"outcomes[{index}]" for index in range(len(statute.outcomes))]
    outcomes = (statute.default, *statute.outcomes)
    for place, outcome in zip(("default", *places), outcomes, strict=True):
        lasting = outcome.review_after is None and outcome.ends_after is None
        if outcome.favours == "body" and lasting:
            yield complain(place, "a burden needs a review: add review_after")


def _antedated(statute: Statute) -> Iterator[Complaint]:
    if statute.version.in_force_from < statute.version.published_at:
        yield complain("version.in_force_from", "the law would begin before it is published")


def _one_rule_one_outcome(statute: Statute) -> Iterator[Complaint]:
    seen: set[str] = set()
    for index, outcome in enumerate(statute.outcomes):
        if outcome.rule in seen:
            yield complain(
                f"outcomes[{index}].when", f"{outcome.rule} already has an outcome before it"
            )
        seen.add(outcome.rule)


def _listing(statute: Statute) -> Iterator[Complaint]:
    """Nobody is listed for a class they belong to: a human must have judged the person."""
    listing = statute.procedure.listing
    if listing is None:
        return
    assessed = {
        part.asks for part in statute.sections if isinstance(part, Passage) and part.asks
    }
    ground = next(p for p in all_parts(statute.sections) if p.number == listing.section)
    looked_at = {ground.asks} if isinstance(ground, Passage) else facts_behind(ground, statute)
    if not assessed & looked_at:
        yield complain(
            "procedure.listing.section",
            f"section {listing.section} lists without an individual assessment: it must ask a "
            "human (about: judgement, asks), or be a rule that reads such a finding",
        )


def _settled_rivals(statute: Statute) -> Iterator[Complaint]:
    """A doubt about a rival, settled for the person, would hand them the rival's place."""
    for condition in _conditions(statute):
        measured = condition.quantity
        if measured is None or measured.operator != "rank":
            continue
        for name in sorted(facts_of_tests((condition,), statute)):
            declared = statute.facts[name]
            in_list = name.startswith(f"{measured.name}.")
            if in_list and declared.unknown_at_end == "favour_person":
                yield complain(
                    f"facts.{name}.unknown_at_end",
                    f"settles doubts about rivals for the person: {condition.place} ranks "
                    "by it; say wait, body_bears or person_bears",
                )


# Deadlines.


def _unsaid_ends(statute: Statute) -> Iterator[Complaint]:
    """A deadline of days ends at the same time of day, or with the day: the law must say."""
    added = {term.name for term in terms_in(statute) if term.operator == "add"}
    owed = {d for step in statute.procedure.steps for d in (step.within, step.extension)}
    for name, period in statute.parameters.items():
        if not isinstance(period, Period) or period.ends_named:
            continue
        if period.duration.unit == "seconds":
            continue
        if statute.calendar is not None or name in added or period.duration in owed:
            yield complain(
                f"parameters.{name}.ends", "say how the last day ends: same_time or end_of_day"
            )


# How many days a unit may take; a working day takes three over weekends and holidays.
_UNIT_DAYS = {"seconds": 1, "days": 1, "months": 31, "years": 366, "working_days": 3}


def _missing_years(statute: Statute) -> Iterator[Complaint]:
    """Working days cannot be counted through a year of which no holidays are listed."""
    calendar = statute.calendar
    counted = [each for each in _durations(statute) if each.unit == "working_days" or each.roll]
    if calendar is None or not counted:
        return
    first, last = statute.version.in_force_from, _last_begin(statute)
    reach = max(each.amount * _UNIT_DAYS[each.unit] for each in counted) * DAY_SECONDS
    years = range(_year(first, calendar), _year(last + reach, calendar) + 1)
    missing = [str(year) for year in years if not covers(year, calendar)]
    if missing:
        yield complain(
            "calendar.holidays", f"a deadline can reach {', '.join(missing)}: not listed there"
        )


def _last_begin(statute: Statute) -> int:
    """POSIX seconds: the last moment at which the law itself lets a deadline begin."""
    version = statute.version
    if version.in_force_to is not None:
        return version.in_force_to
    dates = [p.at for p in statute.parameters.values() if isinstance(p, Instant)]
    days = [p.last_at for p in statute.parameters.values() if isinstance(p, Day)]
    judged = [case.as_of for case in statute.cases if case.as_of is not None]
    return max([version.in_force_from, *dates, *days, *judged])


def _durations(statute: Statute) -> list[Duration]:
    named = [p.duration for p in statute.parameters.values() if isinstance(p, Period)]
    outcomes = (*statute.outcomes, statute.default)
    inline = [each for o in outcomes for each in (o.review_after, o.ends_after)]
    return [*named, *(each for each in inline if each is not None)]


def _year(at: int, calendar: Calendar) -> int:
    return date.fromordinal(day_of(at, calendar)).year


# Against credits that hide nobody, or that hold for nothing.


def _small_crowd(statute: Statute) -> Iterator[Complaint]:
    terms = statute.credits
    if terms is not None and terms.scheme == "blind" and terms.minimum_issued < _CROWD_MIN:
        yield complain(
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
            yield complain(
                f"credits.periods[{index}]", "ends after every date that a tip must come before"
            )


def _ungraded_tips(statute: Statute) -> Iterator[Complaint]:
    """What keeps a credited tip from being claimed with as well is that the desk, from then on,
    keeps its grade to itself. A rule that asks for none would count the tip all the same.
    """
    if statute.credits is not None:
        for place in ungraded_tips(statute):
            yield complain(place, "counts tips without a grade, credited ones too")


def ungraded_tips(statute: Statute) -> Iterator[str]:
    """The places of all conditions that count tips though no grade of them is shown."""
    for each in _conditions(statute):
        if each.name == _TIPS and each.parts and not any(map(_asks_for_grade, each.parts)):
            yield each.place


def _conditions(statute: Statute) -> list[Condition]:
    return [condition for condition, _ in all_seen(statute)]


def _asks_for_grade(condition: Condition) -> bool:
    """Whether it surely fails for a tip of which no grade is shown, which is `unproven`."""
    if condition.operator == "or":
        return all(map(_asks_for_grade, condition.parts))
    if condition.operator == "and":
        return any(map(_asks_for_grade, condition.parts))
    asks = condition.fact == _GRADE and condition.operator in ("is", "in")
    return asks and _NO_GRADE not in condition.values


CHECKS_OF_EFFECT: tuple[Check, ...] = (
    _appeal,
    _review,
    _antedated,
    _one_rule_one_outcome,
    _listing,
    _settled_rivals,
    _unsaid_ends,
    _missing_years,
)
CHECKS_OF_CREDITS: tuple[Check, ...] = (_small_crowd, _useless_periods, _ungraded_tips)
