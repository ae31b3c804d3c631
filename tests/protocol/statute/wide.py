"""A law with a fact, a date and a list of every kind, for tests of what can be said of them."""

from typing import Any

from tests.protocol.statute.laws import fact, small_law, time, yesno

from safeconduct.protocol.statute import Judgement, Statute, evaluate, read_facts, read_statute
from safeconduct.protocol.statute.calendar import Calendar
from safeconduct.protocol.statute.text import Condition, Provision

DAY = 86_400
AS_OF = 2_000_000_000  # long after everything that the tests speak of
PLACE: Any = {
    "zone": "somewhere",
    "offsets": [{"from": "1900-01-01T00:00:00Z", "offset": "+01:00"}],
}


def span() -> Any:
    """A declaration of a span."""
    return fact("span", proof="finding")


def parameter(kind: str, **more: Any) -> Any:
    """A parameter of section 1 that may be moved freely."""
    return {"type": kind, "may_change": "any", "section": "1"} | more


FACTS: Any = {
    "x": yesno(),
    "y": yesno(),
    "n": fact("integer"),
    "t": time(),
    "u": time(),
    "v": time(),
    "s": span(),
    "r": span(),
    "c": fact("choice", values=["theft", "fraud", "murder"]),
    "acts.good": yesno(),
    "acts.mine": yesno(),
    "acts.when": time(),
    "acts.held": span(),
    "acts.kind": fact("choice", values=["theft", "fraud", "murder"]),
    "acts.size": fact("integer"),
}
PARAMETERS: Any = {
    "term": parameter("duration", amount=1, unit="days"),
    "month": parameter("duration", amount=1, unit="months", rounding="down"),
    "until": parameter("duration", amount=2, unit="days", ends="end_of_day"),
    "date": parameter("instant", value="1970-01-01T00:16:40Z", zone="UTC", bound="exclusive"),
    "last": parameter("instant", value="1970-01-01T00:16:40Z", zone="UTC", bound="inclusive"),
    "the_day": parameter("day", value="1970-01-11"),
    "rule_time": parameter("period", **{"from": "1970-02-01", "to": "1970-02-28"}),
    "three": parameter("integer", value=3),
    "grave": parameter("list", values=["fraud", "murder"]),
}
DAY_BEGINS = 10 * DAY - 3600  # 1970-01-11 in the calendar of this law, an hour east of UTC


def wide_document(condition: Any, **more: Any) -> Any:
    """The document of a law whose one rule is `condition`."""
    return (
        small_law(condition, facts=FACTS) | {"parameters": PARAMETERS, "calendar": PLACE} | more
    )


def wide_law(condition: Any, **more: Any) -> Statute:
    """The law whose one rule is `condition`."""
    return read_statute(wide_document(condition, **more))


def judged(
    statute: Statute, facts: Any = None, acts: Any = (), as_of: int = AS_OF
) -> Judgement:
    """What the law says about these facts and acts."""
    document: Any = {"facts": facts or {}, "lists": {"acts": list(acts)}}
    given = read_facts(document, statute.facts, calendar=statute.calendar)
    return evaluate(statute, given, as_of)


def truth(condition: Any, facts: Any = None, acts: Any = ()) -> bool | None:
    """Whether a condition holds of these facts and acts."""
    return judged(wide_law(condition), facts, acts).roots[0].value


def condition_of(statute: Statute) -> Condition:
    """The condition of the law's first rule."""
    provision = statute.sections[0]
    assert isinstance(provision, Provision)
    return provision.condition


def calendar_of(statute: Statute) -> Calendar:
    """The law's calendar, which it must have."""
    assert statute.calendar is not None
    return statute.calendar
