"""The languages of the pages for sources: the one door to Babel and gettext.

A party keeps its translations in `locales/<language>.po` beside its code; English is in the
code and the templates themselves. Catalogues are read when a language is first asked for, so
that no compiled file can be older than its source.

    catalogue("safeconduct.parties.intake", "pl").ngettext("%(num)d reply", "…", 5)
    when(at, "de")          1. Juni 2027, 00:00:00 UTC
    distance(7200, "fr")    2 heures

Times are UTC and in the Gregorian calendar in every language: it is the law's date, and it must
be the same date for everybody.

Spec: GNU gettext PO files; Unicode CLDR for dates, plurals and units; BCP 47 for names.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from gettext import GNUTranslations, NullTranslations
from importlib import resources
from io import BytesIO
from typing import Literal, TypeAlias

from babel import Locale
from babel.dates import format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.units import format_unit

DEFAULT = "en"
NAMES = {
    "en": "English",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "pl": "Polski",
    "uk": "Українська",
    "ru": "Русский",
    "ar": "العربية",
    "fa": "فارسی",
}
"""Every language of the pages, called as those who read it call it."""
LANGUAGES = tuple(NAMES)
ACCEPT_CHARS_MAX = 1_000

_Length: TypeAlias = Literal["short", "long", "narrow"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60))
_SIZES = (("gigabyte", 1_000_000_000), ("megabyte", 1_000_000), ("kilobyte", 1_000))


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """One party's sentences in one language."""

    language: str
    translations: NullTranslations

    def gettext(self, message: str) -> str:
        """The sentence in this language; the English one where none is known."""
        return self.translations.gettext(message)

    def ngettext(self, one: str, many: str, number: int) -> str:
        """The sentence in the form that `number` asks for in this language."""
        return self.translations.ngettext(one, many, number)


@functools.cache
def catalogue(package: str, language: str) -> Catalogue:
    """The sentences of `package` in `language`, one of `LANGUAGES`."""
    file = resources.files(package).joinpath("locales", f"{language}.po")
    if language == DEFAULT or not file.is_file():
        return Catalogue(language=language, translations=NullTranslations())
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(file.read_bytes()), locale=language, abort_invalid=True))
    compiled.seek(0)
    return Catalogue(language=language, translations=GNUTranslations(compiled))


def marked(message: str) -> str:
    """The message as it is: marks one that stands in a table, to be translated when told."""
    return message


def direction(language: str) -> str:
    """`ltr` or `rtl`: which way the language is written."""
    return _locale(language).text_direction


def when(at: int, language: str) -> str:
    """POSIX seconds as people who read this language write a date, with the zone, UTC."""
    moment = _EPOCH + timedelta(seconds=at)
    comma = "،" if direction(language) == "rtl" else ","
    return f"{day(at, language)}{comma} {moment:%H:%M:%S} UTC"


def day(at: int, language: str) -> str:
    """The day in UTC that holds these POSIX seconds, as people write it: `1 June 2027`."""
    moment = _EPOCH + timedelta(seconds=at)
    if language == DEFAULT:
        return f"{moment.day} {moment:%B} {moment.year}"
    return format_datetime(moment, _DAY.get(language, "d MMMM y"), locale=_locale(language))


_DAY = {
    "de": "d. MMMM y",
    "es": "d 'de' MMMM 'de' y",
    "uk": "d MMMM y 'р'.",
    "ru": "d MMMM y 'г'.",
}


def distance(seconds: int, language: str) -> str:
    """A stretch of time in words, its two largest units; at least a minute."""
    parts: list[tuple[str, int]] = []
    for unit, length in _UNITS:
        count, seconds = divmod(seconds, length)
        if count or parts:
            parts.append((unit, count))
    told = [part for part in parts[:2] if part[1]] or [("minute", 1)]
    return " ".join(_unit(count, f"duration-{unit}", language, _LONG) for unit, count in told)


def amount(size_bytes: int, language: str) -> str:
    """A number of bytes in the largest unit that it fills, rounded down: `24 MB`."""
    fitting = [(unit, length) for unit, length in _SIZES if size_bytes >= length]
    unit, length = fitting[0] if fitting else ("byte", 1)
    return _unit(size_bytes // length, f"digital-{unit}", language, ("short",))


def number(value: int, language: str) -> str:
    """A whole number as this language groups its digits."""
    return str(format_decimal(value, locale=_locale(language)))


def preferred(accepted: str) -> str:
    """The language of ours that an `Accept-Language` header asks for first; else English."""
    weighed: list[tuple[float, int, str]] = []
    for place, part in enumerate(accepted[:ACCEPT_CHARS_MAX].split(",")):
        name, _, quality = part.strip().partition(";q=")
        language = name.strip().lower().split("-")[0]
        if language in NAMES and (weight := _weight(quality)) > 0:
            weighed.append((-weight, place, language))
    return min(weighed)[2] if weighed else DEFAULT


def _weight(quality: str) -> float:
    if not quality:
        return 1.0
    whole, _, rest = quality.strip().partition(".")
    fine = whole in {"0", "1"} and len(rest) <= 3 and (rest == "" or rest.isdecimal())
    return float(f"{whole}.{rest or 0}") if fine and rest.isascii() else 0.0


_LONG: tuple[_Length, ...] = ("long", "short")


def _unit(count: int, unit: str, language: str, lengths: Sequence[_Length]) -> str:
    """The first of `lengths` that CLDR has for this language: in Arabic and Persian, few."""
    told = [
        format_unit(count, unit, length=length, locale=_locale(language)) for length in lengths
    ]
    return next((text for text in told if unit not in text), told[-1])


@functools.cache
def _locale(language: str) -> Locale:
    return Locale.parse(language)
