"""Days and moments as people write them, in each language of the letters.

    written_in("en", "2027-06-01T00:00:00Z")         1 June 2027, 00:00 UTC
    written_in("pl", "2027-06-01T00:00:00+02:00")    1 czerwca 2027, 00:00 (UTC+02:00)
    written_in("de", "2027-06-01", weekday=True)     Dienstag, 1. Juni 2027

The Gregorian calendar and Western digits everywhere: a law's date must be the same for all who
read it. A moment keeps the offset that it was written with; seconds are told if there are any.

Spec: Unicode CLDR, long dates.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from safeconduct.protocol.statute.instant import format_instant

_DAY_CHARS = len("2027-06-01")
_TIME_CHARS = len("T00:00:00")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Style:
    months: tuple[str, ...]  # as they stand beside a day
    weekdays: tuple[str, ...]  # from Monday
    day: str = "{day} {month} {year}"
    whole: str = "{weekday}, {date}"
    comma: str = ","


def written_in(language: str, written: str, *, weekday: bool = False) -> str:
    """A day, as 2027-06-01, or a moment in RFC 3339, in one of the languages of letters."""
    style = _STYLES[language]
    day = date.fromisoformat(written[:_DAY_CHARS])
    told = style.day.format(day=day.day, month=style.months[day.month - 1], year=day.year)
    if weekday:
        told = style.whole.format(weekday=style.weekdays[day.weekday()], date=told)
    time = written[_DAY_CHARS + 1 : _DAY_CHARS + _TIME_CHARS].removesuffix(":00")
    offset = written[_DAY_CHARS + _TIME_CHARS :]
    if not time:
        return told
    zone = "UTC" if offset in ("Z", "+00:00") else f"(UTC{offset})"
    return f"{told}{style.comma} {time} {zone}"


def moment_in(language: str, at: int, *, weekday: bool = False) -> str:
    """POSIX seconds as a moment in UTC."""
    return written_in(language, format_instant(at), weekday=weekday)


_STYLES: Mapping[str, _Style] = {
    "en": _Style(
        months=(
            *("January", "February", "March", "April", "May", "June", "July", "August"),
            *("September", "October", "November", "December"),
        ),
        weekdays=(
            *("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        ),
    ),
    "de": _Style(
        months=(
            *("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August"),
            *("September", "Oktober", "November", "Dezember"),
        ),
        weekdays=(
            *("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
        ),
        day="{day}. {month} {year}",
    ),
    "fr": _Style(
        months=(
            *("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août"),
            *("septembre", "octobre", "novembre", "décembre"),
        ),
        weekdays=("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
        whole="{weekday} {date}",
    ),
    "es": _Style(
        months=(
            *("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto"),
            *("septiembre", "octubre", "noviembre", "diciembre"),
        ),
        weekdays=("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
        day="{day} de {month} de {year}",
    ),
    "pl": _Style(
        months=(
            *("stycznia", "lutego", "marca", "kwietnia", "maja", "czerwca", "lipca"),
            *("sierpnia", "września", "października", "listopada", "grudnia"),
        ),
        weekdays=(
            *("poniedziałek", "wtorek", "środa", "czwartek", "piątek", "sobota", "niedziela"),
        ),
    ),
    "uk": _Style(
        months=(
            *("січня", "лютого", "березня", "квітня", "травня", "червня", "липня"),
            *("серпня", "вересня", "жовтня", "листопада", "грудня"),
        ),
        weekdays=(
            *("понеділок", "вівторок", "середа", "четвер", "п’ятниця", "субота", "неділя"),
        ),
        day="{day} {month} {year} р.",
    ),
    "ru": _Style(
        months=(
            *("января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа"),
            *("сентября", "октября", "ноября", "декабря"),
        ),
        weekdays=(
            *("понедельник", "вторник", "среда", "четверг", "пятница"),
            *("суббота", "воскресенье"),
        ),
        day="{day} {month} {year} г.",
    ),
    "ar": _Style(
        months=(
            *("يناير", "فبراير", "مارس", "أبريل", "مايو", "يونيو", "يوليو", "أغسطس"),
            *("سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر"),
        ),
        weekdays=(*("الاثنين", "الثلاثاء", "الأربعاء", "الخميس", "الجمعة", "السبت", "الأحد"),),
        whole="{weekday}، {date}",
        comma="،",
    ),
    "fa": _Style(
        months=(
            *("ژانویهٔ", "فوریهٔ", "مارس", "آوریل", "مهٔ", "ژوئن", "ژوئیهٔ", "اوت"),
            *("سپتامبر", "اکتبر", "نوامبر", "دسامبر"),
        ),
        weekdays=(
            *("دوشنبه", "سه\u200cشنبه", "چهارشنبه", "پنجشنبه", "جمعه", "شنبه", "یکشنبه"),
        ),
        whole="{weekday} {date}",
        comma="،",
    ),
}
