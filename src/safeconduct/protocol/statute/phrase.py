"""Parts of a law on one line, for whoever reads what a new version changes.

by(confessed, last_day)          15 working days, to the end of the day
30 to 50 percent                 1996-03-31 17:00
"""

from collections.abc import Callable, Mapping

from safeconduct.protocol.statute.instant import Duration
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


def parameter_words(parameter: Parameter) -> str:
    """What a parameter comes to, in words."""
    return _SHOWN[type(parameter)](parameter)


_SHOWN: dict[type, Callable[..., str]] = {
    Instant: lambda p: f"{p.written} ({'inclusive' if p.inclusive else 'exclusive'})",
    Day: lambda p: p.written if p.ends == "24:00" else f"{p.written} {p.ends}",
    Stretch: lambda p: " … ".join(p.written),
    Period: lambda p: duration_words(p.duration),
    Number: lambda p: str(p.value),
    WordList: lambda p: ", ".join(p.values),
}


def duration_words(duration: Duration) -> str:
    """A duration, with how it rounds, ends and rolls."""
    words = f"{duration.amount} {duration.unit.replace('_', ' ')}"
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
