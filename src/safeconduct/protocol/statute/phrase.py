"""Parts of a law on one line, for whoever reads what a new version changes.

by(confessed, last_day)          15 working days, to the end of the day
30 to 50 percent                 1996-03-31 17:00

Instants are told as the clocks of the law's place show them, where it has a calendar.
"""

from collections.abc import Callable, Mapping, Sequence

from safeconduct.protocol.statute.calendar import (
    DAY_SECONDS,
    INSTANT_AT_MAX,
    INSTANT_AT_MIN,
    Calendar,
    local_of,
)
from safeconduct.protocol.statute.instant import Duration, format_instant
from safeconduct.protocol.statute.text import (
    Amount,
    Condition,
    Day,
    Instant,
    Number,
    Parameter,
    Period,
    Stretch,
    Term,
    WordList,
)


def instant_words(at: int, calendar: Calendar | None) -> str:
    """POSIX seconds as the clocks of the place show them, a midnight as its day; or in UTC."""
    local = at if calendar is None else local_of(at, calendar)
    if calendar is None or not INSTANT_AT_MIN <= local <= INSTANT_AT_MAX:
        return format_instant(at)
    day, clock = format_instant(local)[:-1].split("T")
    return day if clock == "00:00:00" else f"{day} {clock} ({calendar.zone})"


def parameter_words(parameter: Parameter, calendar: Calendar | None = None) -> str:
    """What a parameter comes to, in words."""
    if isinstance(parameter, Instant) and calendar is not None:
        bound = "inclusive" if parameter.inclusive else "exclusive"
        return f"{instant_words(parameter.at, calendar)} ({bound})"
    return _SHOWN[type(parameter)](parameter)


def moved_words(before: Parameter, now: Parameter, calendar: Calendar | None) -> str:
    """How a parameter was changed: which words, from what to what, which end, and how far."""
    if isinstance(before, WordList) and isinstance(now, WordList):
        return gained_and_lost(before.values, now.values)
    distance = _distance(before, now, calendar)
    old, new = (parameter_words(each, calendar) for each in (before, now))
    return f"{'moves' if distance else 'changes'} from {old} to {new}{distance}"


def gained_and_lost(before: Sequence[str], now: Sequence[str]) -> str:
    """What a list gains and loses: `gains theft; loses torture`."""
    gained = [word for word in now if word not in before]
    lost = [word for word in before if word not in now]
    parts = [f"gains {', '.join(gained)}"] if gained else []
    return "; ".join([*parts, *([f"loses {', '.join(lost)}"] if lost else [])])


def _distance(before: Parameter, now: Parameter, calendar: Calendar | None) -> str:
    if isinstance(before, Instant) and isinstance(now, Instant):
        return f", {_later(before.limit_at, now.limit_at, calendar)}"
    if isinstance(before, Day) and isinstance(now, Day):
        return f", {_later(before.last_at, now.last_at, calendar)}"
    if isinstance(before, Stretch) and isinstance(now, Stretch):
        ends = (
            ("beginning", before.first_at, now.first_at),
            ("end", before.last_at, now.last_at),
        )
        return "".join(
            f", its {which} {_later(old, new, calendar)}"
            for which, old, new in ends
            if old != new
        )
    return ""


def _later(before: int, now: int, calendar: Calendar | None) -> str:
    """The distance by the clocks of the place, on which a day has 24 hours all year."""
    seconds = now - before
    if calendar is not None:
        seconds = local_of(now, calendar) - local_of(before, calendar)
    return f"{length_words(abs(seconds))} {'later' if seconds > 0 else 'earlier'}"


def length_words(seconds: int) -> str:
    """A length of time in days, hours, minutes and seconds, without those that are none."""
    parts: list[str] = []
    for unit, length in _LENGTHS:
        count, seconds = divmod(seconds, length)
        parts += [_counted(count, unit)] if count else []
    *first, last = parts or ["0 seconds"]
    return f"{', '.join(first)} and {last}" if first else last


_LENGTHS = (("day", DAY_SECONDS), ("hour", 3_600), ("minute", 60), ("second", 1))


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'}"


def offset_words(offset: tuple[int, int]) -> str:
    """Since when the clocks of a place are so far ahead of UTC: `+02:00 from` an instant."""
    begins_at, ahead = offset
    hours, minutes = divmod(abs(ahead) // 60, 60)
    since = "the beginning" if begins_at == INSTANT_AT_MIN else format_instant(begins_at)
    return f"{'-' if ahead < 0 else '+'}{hours:02}:{minutes:02} from {since}"


_SHOWN: dict[type, Callable[..., str]] = {
    Instant: lambda p: f"{p.written} ({'inclusive' if p.inclusive else 'exclusive'})",
    Day: lambda p: p.written if p.ends == "24:00" else f"{p.written} {p.ends}",
    Stretch: lambda p: " … ".join(p.written),
    Period: lambda p: duration_words(p.duration),
    Number: lambda p: str(p.value),
    WordList: lambda p: ", ".join(p.values),
}


def duration_words(duration: Duration) -> str:
    """A duration, with how it rounds, ends and rolls; days that are seconds say so."""
    words = _counted(duration.amount, duration.unit.replace("_", " ").removesuffix("s"))
    if duration.unit == "seconds":
        in_days = duration.amount and duration.amount % DAY_SECONDS == 0
        words = length_words(duration.amount) + (" of 24 hours" if in_days else "")
    words += f", rounded {duration.rounding}" if duration.rounding else ""
    words += ", to the end of the day" if duration.ends == "end_of_day" else ""
    return words + (", rolled to the next working day" if duration.roll else "")


def condition_words(condition: Condition) -> str:
    """A condition on one line, such as `and(before(made, the_date), is(withdrawn, false))`."""
    measured = condition.quantity
    given: list[str] = []
    if measured is not None:
        tests = ", ".join(condition_words(test) for test in measured.tests)
        more = [measured.field] if measured.field else []
        more += [term_words(measured.term)] if measured.term is not None else []
        given.append(f"{measured.operator}({', '.join([measured.name, tests, *more])})")
    else:
        given += [name for name in (condition.fact, condition.name) if name]
        given += [condition_words(part) for part in condition.parts]
    given += [term_words(term) for term in condition.terms]
    given += [str(value).lower() for value in condition.values]
    if condition.operator in ("at-least", "less"):
        given.append(condition.measure or str(condition.bound))
    return f"{condition.operator}({', '.join(given)})"


def term_words(term: Term) -> str:
    """A time or a span on one line, such as `add(end(service), ten_years)`."""
    inner = [condition_words(test) for test in term.tests] + [term_words(t) for t in term.terms]
    if term.operator in ("fact", "parameter"):
        return term.name
    named = [*inner, term.name] if term.name else inner
    return f"{term.operator}({', '.join(named)})" if named else term.operator


def value_words(value: object) -> str:
    """Any other value of a law; what is left out is “nothing”."""
    if isinstance(value, Duration):
        return duration_words(value)
    if isinstance(value, Amount):
        return amount_words(value)
    if isinstance(value, tuple):
        return ", ".join(value_words(each) for each in value) or "nothing"
    if isinstance(value, Mapping):
        return (
            "; ".join(f"{key}: {value_words(each)}" for key, each in value.items()) or "nothing"
        )
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value not in (None, "") else "nothing"


def amount_words(amount: Amount) -> str:
    """What an outcome is worth."""
    least = "" if amount.least == amount.most else f"{amount.least} to "
    return f"{least}{amount.most} {amount.unit}"
