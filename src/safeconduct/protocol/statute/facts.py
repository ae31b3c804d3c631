"""The facts of one case: what was asserted, strictly against what the statute declares.

    {"facts": {"grave_crime_proven": false},
     "lists": {"tips": [{"acknowledged": "ok", "logged": [null, 1780000000]}]}}

- yesno      true or false
- choice     one of the declared words
- integer    a whole number
- time       POSIX seconds, or an interval [earliest or null, latest], or text: RFC 3339 with
             its offset, or "1994-04-24", "1994-04", "1994" for all of a local day, month, year
- span       {"begin": time, "end": time}: from when to when something went on; an absent end
             says that it still does, an absent beginning that it always did

In place of any value, `"unknown"` says that it is still being found out, and `"absent"` that
it is known not to exist. A fact left out was asserted by nobody until the end: the statute
says what that means (`unknown_at_end`), and that meaning is settled here.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import Json, format_json, parse_json
from safeconduct.protocol.statute.calendar import (
    INSTANT_AT_MAX,
    INSTANT_AT_MIN,
    Calendar,
    is_partial,
    parse_partial,
)
from safeconduct.protocol.statute.calendar import Interval as Interval
from safeconduct.protocol.statute.instant import parse_instant
from safeconduct.protocol.statute.shape import (
    WHOLE_MAX,
    as_choice,
    as_list,
    as_map,
    as_text,
    as_whole,
    as_yesno,
    inside,
    refuse,
)

FACTS_BYTES_MAX = 1 << 20
ITEMS_MAX = 1_000  # per list


class Missing(Enum):
    """Why a fact has no value. No two of these mean the same."""

    ABSENT = "absent"  # known not to exist: tests of it are false
    UNPROVEN = "unproven"  # never shown by who had to show it: tests of it are false
    UNKNOWN = "unknown"  # still open: tests of it are unknown
    IN_FAVOUR = "in_favour"  # never found: each test of it comes out for the person


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From when to when something went on; both seconds belong to it.

    Either side may be UNKNOWN. An ABSENT end says that it still goes on, an ABSENT beginning
    that it always did.
    """

    begin: Interval | Missing
    end: Interval | Missing


Value: TypeAlias = bool | int | str | Interval | Span
Reading: TypeAlias = Value | Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """A fact of the law: its type, who may assert it, and what follows if nobody does."""

    name: str
    type: str
    asserted_by: str
    standard: str
    unknown_at_end: str
    label: Mapping[str, str]
    values: tuple[str, ...] = ()  # of a choice
    proof: str = ""  # of a time or a span
    confidential: bool = True
    question: Mapping[str, str] = field(default_factory=dict)  # put to whoever finds it
    shown: bool = True  # whether the letter tells its value


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One tip or statement; `id` is its place in the document, such as `tips[0]`."""

    id: str
    values: Mapping[str, Reading]  # by the declared name, such as `tips.logged`


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All facts of a case: every declared single fact, and the items of every list."""

    values: Mapping[str, Reading]
    lists: Mapping[str, tuple[Item, ...]]
    document: Json  # as asserted, canonical; it must not be changed any more
    _digests: list[bytes] = field(default_factory=list, init=False, compare=False, repr=False)

    @property
    def sha256(self) -> bytes:
        """SHA-256 of the canonical facts document, worked out when it is first asked for."""
        if not self._digests:
            self._digests.append(hashlib.sha256(format_json(self.document)).digest())
        return self._digests[0]


Declarations: TypeAlias = Mapping[str, Declaration]


def list_names(declarations: Declarations) -> list[str]:
    """The lists that the declared facts speak of, sorted."""
    return sorted({name.partition(".")[0] for name in declarations if "." in name})


def load_facts(
    data: bytes, declarations: Declarations, calendar: Calendar | None = None
) -> Facts:
    """The facts in a canonical JSON document of at most a mebibyte.

    Raises:
        MalformedError: not canonical, undeclared, or of another type; names the place.
    """
    document = parse_json(data, "facts", bytes_max=FACTS_BYTES_MAX)
    return read_facts(document, declarations, calendar=calendar)


def read_facts(
    document: Json,
    declarations: Declarations,
    place: str = "",
    calendar: Calendar | None = None,
) -> Facts:
    """The facts in a JSON value; a list that is left out is empty.

    Days, months and years are those of the statute's `calendar`; without one they are refused.

    Raises:
        MalformedError: undeclared, of another type, or too many; names the place.
    """
    table = as_map(document, place, (), ("facts", "lists"))
    fields: dict[str, _Fields] = {}  # by list; the single facts stand under no name
    for name, declared in declarations.items():
        of, _, field_name = name.rpartition(".")
        fields.setdefault(of, {})[field_name] = (name, declared)
    single = fields.pop("", {})
    lists_place = inside(place, "lists")
    lists = as_map(table.get("lists", {}), lists_place, (), fields)
    return Facts(
        values=_read_values(table.get("facts", {}), inside(place, "facts"), single, calendar),
        lists={
            name: _read_items(
                lists.get(name, []), inside(lists_place, name), name, fields[name], calendar
            )
            for name in sorted(fields)
        },
        document=document,
    )


# The declared name and the declaration, by the name that stands in the document.
_Fields: TypeAlias = dict[str, tuple[str, Declaration]]


def _read_items(
    value: Json, place: str, name: str, fields: _Fields, calendar: Calendar | None
) -> tuple[Item, ...]:
    def read(item: Json, at: str) -> Mapping[str, Reading]:
        return _read_values(item, at, fields, calendar)

    items = as_list(value, place, ITEMS_MAX, read)
    return tuple([Item(id=f"{name}[{index}]", values=each) for index, each in enumerate(items)])


def _read_values(
    value: Json, place: str, fields: _Fields, calendar: Calendar | None
) -> dict[str, Reading]:
    table = value
    if not isinstance(table, dict) or not table.keys() <= fields.keys():
        table = as_map(value, place, (), fields)  # which says what is wrong
    return {
        name: _read_value(table[key], place, key, declared, calendar)
        if key in table
        else _SETTLED[declared.unknown_at_end]
        for key, (name, declared) in fields.items()
    }


def _read_value(
    value: Json, place: str, key: str, declared: Declaration, calendar: Calendar | None
) -> Reading:
    """The reading at `key` of the map at `place`, whose own place is told only of a fault."""
    if isinstance(value, bool):
        if declared.type == "yesno":
            return value
    elif isinstance(value, str):
        if value in _WRITTEN:
            return _WRITTEN[value]
        if declared.type == "choice" and value in declared.values:
            return value
    elif isinstance(value, int) and declared.type == "time" and 0 <= value <= INSTANT_AT_MAX:
        return Interval(earliest=value, latest=value)
    return _READ[declared.type](value, inside(place, key), declared, calendar)


def read_interval(
    value: Json, place: str, declaration: Declaration, calendar: Calendar | None = None
) -> Interval:
    """An interval of POSIX seconds; one number stands for that very second.

    What only the log can prove is dated by the log: the act lies where its proof lies, so
    nobody profits from saying that an entry had existed long before.
    """
    if not isinstance(value, list):
        found = _as_moment(value, place, calendar)
        return _logged(found) if declaration.proof == "log" else found
    if len(value) != 2:
        refuse(place, "must be an instant or a pair of earliest and latest")
    latest = _as_moment(value[1], f"{place}[1]", calendar).latest
    earliest = (
        None if value[0] is None else _as_moment(value[0], f"{place}[0]", calendar).earliest
    )
    if declaration.proof == "log":
        if earliest is not None:
            refuse(f"{place}[0]", "a log proves no earliest time, so it must be null")
        return Interval(earliest=latest, latest=latest)
    if earliest is not None and earliest > latest:
        refuse(place, "ends before it begins")
    return Interval(earliest=earliest, latest=latest)


def _logged(found: Interval) -> Interval:
    return Interval(earliest=found.latest, latest=found.latest)


def _read_span(
    value: Json, place: str, declaration: Declaration, calendar: Calendar | None
) -> Span:
    table = as_map(value, place, ("begin", "end"))

    def side(key: str) -> Interval | Missing:
        given = table[key]
        if isinstance(given, str) and given in _WRITTEN:
            return _WRITTEN[given]
        return read_interval(given, inside(place, key), declaration, calendar)

    begin, end = side("begin"), side("end")
    if isinstance(begin, Interval) and isinstance(end, Interval):
        _check_order(begin, end, place)
    return Span(begin=begin, end=end)


def _check_order(begin: Interval, end: Interval, place: str) -> None:
    if begin.earliest is not None and begin.earliest > end.latest:
        refuse(place, "ends before it begins")


def _as_moment(value: Json, place: str, calendar: Calendar | None) -> Interval:
    if not isinstance(value, str):
        at = _as_instant(value, place)
        return Interval(earliest=at, latest=at)
    text = as_text(value, place)
    if is_partial(text):
        if calendar is None:
            refuse(place, "a day, month or year needs a calendar, and the statute has none")
        return parse_partial(text, calendar, place)
    at = parse_instant(text, place)
    return Interval(earliest=at, latest=at)


def _as_instant(value: Json, place: str) -> int:
    try:
        return as_whole(value, place, INSTANT_AT_MIN, INSTANT_AT_MAX)
    except MalformedError as error:
        raise MalformedError(f"{place}: must be an instant in whole POSIX seconds") from error


_WRITTEN = {"unknown": Missing.UNKNOWN, "absent": Missing.ABSENT}
RESERVED_VALUES = frozenset(_WRITTEN)

_SETTLED = {
    "wait": Missing.UNKNOWN,
    "favour_person": Missing.IN_FAVOUR,
    "body_bears": Missing.UNPROVEN,
    "person_bears": Missing.UNPROVEN,
}
UNKNOWN_AT_END = frozenset(_SETTLED)

_READ: dict[str, Callable[[Json, str, Declaration, Calendar | None], Reading]] = {
    "yesno": lambda value, place, *_: as_yesno(value, place),
    "choice": lambda value, place, declared, _: as_choice(value, place, declared.values),
    "integer": lambda value, place, *_: as_whole(value, place, -WHOLE_MAX, WHOLE_MAX),
    "time": read_interval,
    "span": _read_span,
}
TYPES = frozenset(_READ)
