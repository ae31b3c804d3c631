"""The head of a statute: its version, its calendar, which version governs, its credits.

    version   {number: 2, published: …, in_force_from: …, supersedes: hex, cause: amended,
               annuls: [{version: 1, from: "1992-11-26", sections: ["2(1)(c)"], by: "…"}]}
    calendar  {zone: Europe/Prague, offsets: [{from: "1900-01-01T00:00:00Z", offset: "+01:00"}],
               weekend: [6, 7], holidays: {"1996": ["1996-01-01"]}}
    governs   {day: claim, favourable: true, section: "12"}

The offsets stand in the law, not in a zone database: an outsider in twenty years must find the
same midnight.
"""

import re
from collections.abc import Collection, Mapping
from datetime import date
from itertools import pairwise

from safeconduct.protocol.canonical import Json, parse_hex
from safeconduct.protocol.statute.calendar import (
    DAY_END,
    Calendar,
    parse_day,
    parse_ordinal,
)
from safeconduct.protocol.statute.facts import Declaration
from safeconduct.protocol.statute.instant import parse_instant
from safeconduct.protocol.statute.shape import (
    as_choice,
    as_list,
    as_map,
    as_table,
    as_text,
    as_whole,
    as_yesno,
    inside,
    refuse,
    unique,
)
from safeconduct.protocol.statute.text import (
    RULES_MAX,
    Annulment,
    Credits,
    Governs,
    Instant,
    Parameter,
    Version,
)

OFFSETS_MAX = 400
HOLIDAYS_MAX = 100  # in one year
YEARS_MAX = 200
ANNULMENTS_MAX = 20
PERIODS_MAX = 100
CLASSES_MAX = 50
CAUSES = frozenset({"enacted", "amended", "corrected", "annulled", "sunset"})
GOVERNING_DAYS = frozenset({"act", "claim", "decision"})
CREDIT_SCHEMES = frozenset({"plain", "blind"})
PREVIOUS = "previous"  # in an authored folder: the SHA-256 of the version before

_YEAR = re.compile(r"[0-9]{4}")
_OFFSET = re.compile(r"([+-])([01][0-9]|2[0-3]):([0-5][0-9])")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def read_version(value: Json, place: str, calendar: Calendar | None = None) -> Version:
    """The version; `calendar` is needed where an annulment is dated by a day.

    Raises:
        MalformedError: any fault; names the place.
    """
    table = as_map(
        value,
        place,
        ("number", "published", "in_force_from"),
        ("supersedes", "in_force_to", "cause", "note", "annuls"),
    )
    number = as_whole(table["number"], inside(place, "number"), 1)
    begins = read_instant(table["in_force_from"], inside(place, "in_force_from"))
    ends = None
    if "in_force_to" in table:
        ends = read_instant(table["in_force_to"], inside(place, "in_force_to"))
        if ends <= begins:
            refuse(inside(place, "in_force_to"), "must lie after in_force_from")
    return Version(
        number=number,
        published_at=read_instant(table["published"], inside(place, "published")),
        in_force_from=begins,
        supersedes=_read_supersedes(table, place, number),
        in_force_to=ends,
        cause=as_choice(table.get("cause", "enacted"), inside(place, "cause"), CAUSES),
        annuls=as_list(
            table.get("annuls", []),
            inside(place, "annuls"),
            ANNULMENTS_MAX,
            lambda each, at: _read_annulment(each, at, number, calendar),
        ),
        note=as_text(table["note"], inside(place, "note")) if "note" in table else "",
    )


def _read_supersedes(table: dict[str, Json], place: str, number: int) -> bytes | None:
    at = inside(place, "supersedes")
    if (number > 1) != ("supersedes" in table):
        refuse(at, "stands in every version but the first")
    if number == 1:
        return None
    text = as_text(table["supersedes"], at)
    if text == PREVIOUS:
        refuse(at, "the version before is not at hand; give its SHA-256")
    return parse_hex(text, 32, at)


def _read_annulment(
    value: Json, place: str, number: int, calendar: Calendar | None
) -> Annulment:
    table = as_map(value, place, ("version", "from", "by"), ("sections",))
    at = inside(place, "sections")
    struck = table.get("sections")
    earlier = as_whole(table["version"], inside(place, "version"), 1)
    if earlier >= number:
        refuse(inside(place, "version"), "must be a version before this one")
    return Annulment(
        version=earlier,
        from_at=read_moment(table["from"], inside(place, "from"), calendar),
        sections=() if struck is None else as_list(struck, at, RULES_MAX, as_text, least=1),
        by=as_text(table["by"], inside(place, "by")),
    )


def read_instant(value: Json, place: str) -> int:
    """POSIX seconds of an RFC 3339 date and time with its offset."""
    return parse_instant(as_text(value, place), place)


def read_moment(value: Json, place: str, calendar: Calendar | None) -> int:
    """POSIX seconds of an instant, or of the beginning of a day of the calendar."""
    text = as_text(value, place)
    return read_day(text, place, calendar)[0] if is_day(text) else parse_instant(text, place)


def is_day(text: str) -> bool:
    """Whether `text` is written as a day, such as 1996-03-31."""
    return _DAY.fullmatch(text) is not None


def read_day(
    text: str, place: str, calendar: Calendar | None, ends: str = DAY_END
) -> tuple[int, int]:
    """The first second of a local day and the last before it `ends`, in POSIX seconds.

    Raises:
        MalformedError: no such day, or the statute has no calendar.
    """
    if calendar is None:
        refuse(place, "a day needs the statute's `calendar`, which says when it begins")
    day = parse_day(text, calendar, place, ends)
    assert day.earliest is not None  # a day has both ends
    return day.earliest, day.latest


def read_calendar(value: Json, place: str) -> Calendar:
    """The calendar, with its offsets in order.

    Raises:
        MalformedError: any fault; names the place.
    """
    table = as_map(value, place, ("zone", "offsets"), ("weekend", "holidays"))
    at = inside(place, "offsets")
    offsets = as_list(table["offsets"], at, OFFSETS_MAX, _read_offset, least=1)
    for number, (one, next_one) in enumerate(pairwise(offsets), 1):
        if next_one[0] <= one[0]:
            refuse(f"{at}[{number}].from", "must lie after the one before it")
    weekend_at = inside(place, "weekend")
    weekend = as_list(
        table.get("weekend", []), weekend_at, 6, lambda each, here: as_whole(each, here, 1, 7)
    )
    unique([str(day) for day in weekend], weekend_at)
    return Calendar(
        zone=as_text(table["zone"], inside(place, "zone")),
        offsets=offsets,
        weekend=weekend,
        holidays=_read_holidays(table.get("holidays", {}), inside(place, "holidays")),
    )


def _read_offset(value: Json, place: str) -> tuple[int, int]:
    table = as_map(value, place, ("from", "offset"))
    at = inside(place, "offset")
    written = _OFFSET.fullmatch(as_text(table["offset"], at))
    if written is None:
        refuse(at, "not an offset like +02:00")
    sign, hours, minutes = written.groups()
    seconds = int(hours) * 3600 + int(minutes) * 60
    return read_instant(table["from"], inside(place, "from")), (
        -seconds if sign == "-" else seconds
    )


def _read_holidays(value: Json, place: str) -> dict[int, tuple[int, ...]]:
    years = as_table(value, place)
    if len(years) > YEARS_MAX:
        refuse(place, f"more than {YEARS_MAX} years")
    return dict(_read_year(year, days, inside(place, year)) for year, days in years.items())


def _read_year(year: str, value: Json, place: str) -> tuple[int, tuple[int, ...]]:
    if not _YEAR.fullmatch(year):
        refuse(place, 'must be a year, such as "1996"')
    days = as_list(
        value, place, HOLIDAYS_MAX, lambda each, at: _read_holiday(each, at, int(year))
    )
    unique([str(day) for day in days], place)
    return int(year), days


def _read_holiday(value: Json, place: str, year: int) -> int:
    day = parse_ordinal(as_text(value, place), place)
    if date.fromordinal(day).year != year:
        refuse(place, f"does not lie in {year}")
    return day


def read_governs(value: Json, place: str, numbers: Collection[str]) -> Governs:
    """Which version governs a case; `numbers` are the sections that there are."""
    table = as_map(value, place, ("day", "favourable", "section"))
    return Governs(
        day=as_choice(table["day"], inside(place, "day"), GOVERNING_DAYS),
        favourable=as_yesno(table["favourable"], inside(place, "favourable")),
        section=read_section_number(table["section"], inside(place, "section"), numbers),
    )


def read_section_number(value: Json, place: str, numbers: Collection[str]) -> str:
    """The number of a section or an exception that there is."""
    number = as_text(value, place)
    if number not in numbers:
        refuse(place, f"there is no section {number}")
    return number


# What a credit proves about the tip behind it.
_CREDITED = {
    "tips.logged": "time",
    "tips.author_proven": "yesno",
    "tips.acknowledged": "choice",
    "tips.grade": "choice",
}


def read_credits(
    value: Json,
    place: str,
    facts: Mapping[str, Declaration],
    parameters: Mapping[str, Parameter],
    numbers: Collection[str],
) -> Credits:
    """How help is credited without naming the tip.

    Raises:
        MalformedError: any fault, or a fact that credits need is not declared; names the place.
    """
    table = as_map(value, place, ("scheme", "classes", "periods", "minimum_issued", "section"))
    for fact, kind in _CREDITED.items():
        if fact not in facts or facts[fact].type != kind:
            refuse(place, f"needs the fact {fact}, of type {kind}")
    grades = facts["tips.grade"].values
    at = inside(place, "classes")
    classes = as_list(
        table["classes"], at, CLASSES_MAX, lambda each, at: as_choice(each, at, grades), least=1
    )
    unique(classes, at)
    return Credits(
        scheme=as_choice(table["scheme"], inside(place, "scheme"), CREDIT_SCHEMES),
        classes=classes,
        periods=_read_periods(table["periods"], inside(place, "periods"), parameters),
        minimum_issued=as_whole(table["minimum_issued"], inside(place, "minimum_issued"), 1),
        section=as_choice(table["section"], inside(place, "section"), numbers),
    )


def _read_periods(
    value: Json, place: str, parameters: Mapping[str, Parameter]
) -> tuple[int, ...]:
    """Where the periods end: instants, or names of instant parameters; always later."""

    def read_end(each: Json, at: str) -> int:
        parameter = parameters.get(each) if isinstance(each, str) else None
        if isinstance(parameter, Instant):
            return parameter.limit_at
        return read_instant(each, at)

    periods = as_list(value, place, PERIODS_MAX, read_end, least=1)
    for number, (end, next_end) in enumerate(pairwise(periods), 1):
        if next_end <= end:
            refuse(f"{place}[{number}]", "a period must end after the one before it")
    return periods
