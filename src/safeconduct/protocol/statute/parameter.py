"""The parameters of a law: what it fixes once, with a promise of how that may move.

    the_date:     {type: instant, value: "2027-06-01T00:00:00Z", zone: UTC, bound: exclusive, …}
    last_day:     {type: day, value: "1996-03-31", ends: "24:00", …}
    occupation:   {type: period, from: "1968-08-21", to: "1991-06-21", …}
    appeal:       {type: duration, amount: 15, unit: working_days, ends: end_of_day, …}
    threshold:    {type: integer, value: 3, …}
    grave_crimes: {type: list, values: [torture, murder], …}

Each also has `may_change` (never, later_only, earlier_only, any) and `section`.
"""

from collections.abc import Callable, Mapping
from typing import TypedDict

from safeconduct.protocol.canonical import Json
from safeconduct.protocol.statute.calendar import DAY_END, Calendar, parse_clock
from safeconduct.protocol.statute.head import is_day, read_day, read_instant
from safeconduct.protocol.statute.instant import AMOUNT_MAX, ROUNDED_UNITS, Duration
from safeconduct.protocol.statute.shape import (
    WHOLE_MAX,
    as_choice,
    as_list,
    as_map,
    as_name,
    as_table,
    as_text,
    as_whole,
    inside,
    refuse,
    unique,
)
from safeconduct.protocol.statute.text import (
    Day,
    Instant,
    Number,
    Parameter,
    Period,
    Stretch,
    WordList,
)

MAY_CHANGE = frozenset({"never", "later_only", "earlier_only", "any"})
LIST_MAX = 100
DURATION_KEYS = ("amount", "unit", "rounding", "ends", "roll")
ENDS = frozenset({"same_time", "end_of_day"})
UNIT_AND_AMOUNT = ("amount", "unit")

_COMMON = ("type", "may_change", "section")


class _Common(TypedDict):
    """What every parameter has."""

    name: str
    may_change: str
    section: str


def read_parameter(
    value: Json, place: str, name: str, calendar: Calendar | None = None
) -> Parameter:
    """The parameter called `name`; days and working days need the calendar.

    Raises:
        MalformedError: any fault; names the place.
    """
    as_name(name, place)
    table = as_table(value, place)
    kind = as_choice(table.get("type"), inside(place, "type"), _READ)
    required, optional, _ = _READ[kind]
    as_map(table, place, (*_COMMON, *required), optional)
    return _READ[kind][2](table, place, _common(table, place, name), calendar)


def set_value(declared: dict[str, Json], value: Json, place: str) -> dict[str, Json]:
    """The parameter's table with another value; a duration or a period takes a map.

    Raises:
        MalformedError: a value of another shape.
    """
    kind = str(declared.get("type"))
    if kind not in _SET_BY_MAP:
        return {**declared, ("values" if kind == "list" else "value"): value}
    required, optional, dropped = _SET_BY_MAP[kind]
    kept = {key: each for key, each in declared.items() if key not in dropped}
    return {**kept, **as_map(value, place, required, optional)}


_SET_BY_MAP = {
    "duration": (UNIT_AND_AMOUNT, DURATION_KEYS[2:], ("amount", "unit", "rounding")),
    "period": (("from", "to"), (), ("from", "to")),
}


def _common(table: dict[str, Json], place: str, name: str) -> _Common:
    return {
        "name": name,
        "may_change": as_choice(table["may_change"], inside(place, "may_change"), MAY_CHANGE),
        "section": as_text(table["section"], inside(place, "section")),
    }


def _instant(
    table: dict[str, Json], place: str, common: _Common, calendar: Calendar | None
) -> Parameter:
    bound = as_choice(table["bound"], inside(place, "bound"), ("inclusive", "exclusive"))
    return Instant(
        written=as_text(table["value"], inside(place, "value")),
        at=read_instant(table["value"], inside(place, "value")),
        zone=as_text(table["zone"], inside(place, "zone")),
        inclusive=bound == "inclusive",
        **common,
    )


def _day(
    table: dict[str, Json], place: str, common: _Common, calendar: Calendar | None
) -> Parameter:
    written = as_text(table["value"], inside(place, "value"))
    at = inside(place, "ends")
    ends = parse_clock(as_text(table.get("ends", DAY_END), at), at)
    first, last = read_day(written, inside(place, "value"), calendar, ends)
    return Day(written=written, begins_at=first, last_at=last, ends=ends, **common)


def _stretch(
    table: dict[str, Json], place: str, common: _Common, calendar: Calendar | None
) -> Parameter:
    begin, end = (as_text(table[key], inside(place, key)) for key in ("from", "to"))
    if is_day(begin) != is_day(end):
        refuse(place, "from and to must both be days, or both be instants")
    first = _edge(begin, inside(place, "from"), calendar, 0)
    last = _edge(end, inside(place, "to"), calendar, 1)
    if last < first:
        refuse(inside(place, "to"), "lies before `from`")
    return Stretch(written=(begin, end), first_at=first, last_at=last, **common)


def _edge(text: str, place: str, calendar: Calendar | None, side: int) -> int:
    return read_day(text, place, calendar)[side] if is_day(text) else read_instant(text, place)


def _period(
    table: dict[str, Json], place: str, common: _Common, calendar: Calendar | None
) -> Parameter:
    measure: Json = {key: table[key] for key in DURATION_KEYS if key in table}
    return Period(
        duration=read_duration(measure, place, calendar), ends_named="ends" in table, **common
    )


def _number(
    table: dict[str, Json], place: str, common: _Common, calendar: Calendar | None
) -> Parameter:
    return Number(value=as_whole(table["value"], inside(place, "value"), -WHOLE_MAX), **common)


def _words(
    table: dict[str, Json], place: str, common: _Common, calendar: Calendar | None
) -> Parameter:
    at = inside(place, "values")
    values = as_list(table["values"], at, LIST_MAX, as_name, least=1)
    unique(values, at)
    return WordList(values=values, **common)


_Reader = Callable[[dict[str, Json], str, _Common, Calendar | None], Parameter]
_READ: dict[str, tuple[tuple[str, ...], tuple[str, ...], _Reader]] = {
    "instant": (("value", "zone", "bound"), (), _instant),
    "day": (("value",), ("ends",), _day),
    "period": (("from", "to"), (), _stretch),
    "duration": (UNIT_AND_AMOUNT, DURATION_KEYS[2:], _period),
    "integer": (("value",), (), _number),
    "list": (("values",), (), _words),
}
PARAMETER_TYPES = tuple(_READ)


def read_duration(value: Json, place: str, calendar: Calendar | None = None) -> Duration:
    """A duration written out: `{amount, unit}`, and how it rounds, ends and rolls.

    Raises:
        MalformedError: any fault; names the place.
    """
    table = as_map(value, place, UNIT_AND_AMOUNT, DURATION_KEYS[2:])
    unit = as_choice(table["unit"], inside(place, "unit"), AMOUNT_MAX)
    duration = Duration(
        amount=as_whole(table["amount"], inside(place, "amount"), 1, AMOUNT_MAX[unit]),
        unit=unit,
        rounding=_rounding(table, place, unit),
        ends=as_choice(table.get("ends", "same_time"), inside(place, "ends"), ENDS),
        roll=as_choice(table["roll"], inside(place, "roll"), ("next_working_day",))
        if "roll" in table
        else "",
    )
    if calendar is None:
        _refuse_local(duration, place)
    return duration


def _rounding(table: dict[str, Json], place: str, unit: str) -> str:
    at = inside(place, "rounding")
    if unit in ROUNDED_UNITS:
        return as_choice(table.get("rounding"), at, ("down", "up"))
    if "rounding" in table:
        refuse(at, "only months and years are rounded")
    return ""


def _refuse_local(duration: Duration, place: str) -> None:
    """What depends on local days cannot be counted without them."""
    local = {
        "unit": duration.unit == "working_days",
        "ends": duration.ends == "end_of_day",
        "roll": bool(duration.roll),
    }
    for key, needed in local.items():
        if needed:
            refuse(inside(place, key), "needs the statute's `calendar`")


def read_named_duration(value: Json, place: str, parameters: Mapping[str, Parameter]) -> Period:
    """The duration parameter that is named."""
    period = parameters.get(as_name(value, place))
    if not isinstance(period, Period):
        refuse(place, "must name a parameter of type duration")
    return period
