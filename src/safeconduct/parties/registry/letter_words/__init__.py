"""What the register's letters say around the reasons: the same phrases in nine languages.

    said("de", "signed", names="…")     Unterschrieben von: …
    moment("de", 1815868799)            17. Juli 2027, 23:59:59 UTC (2027-07-17T23:59:59Z)

Whatever is inserted stands after a colon, in brackets or by itself, so that no name has to be
inflected; it is one line, isolated where it runs the other way. A moment is written for people
and for machines, always in UTC.
"""

from collections.abc import Mapping

from safeconduct.parties.registry.letter_words import ar, de, en, es, fa, fr, pl, ru, uk
from safeconduct.plumbing.languages import when
from safeconduct.protocol.statute.instant import DAY_SECONDS, format_instant
from safeconduct.protocol.statute.wording import inserted

PHRASES: Mapping[str, Mapping[str, str]] = {
    "en": en.PHRASES,
    "de": de.PHRASES,
    "fr": fr.PHRASES,
    "es": es.PHRASES,
    "pl": pl.PHRASES,
    "uk": uk.PHRASES,
    "ru": ru.PHRASES,
    "ar": ar.PHRASES,
    "fa": fa.PHRASES,
}
_FIRST_ORDINAL = 719_163  # 1 January 1970, as `date.toordinal` counts


def said(language: str, key: str, **values: object) -> str:
    """The phrase called `key` in one of the languages of `PHRASES`, with `values` inserted.

    Raises:
        KeyError: no such language, phrase or value.
    """
    shown = {name: inserted(language, value) for name, value in values.items()}
    return PHRASES[language][key].format(**shown)


def moment(language: str, at: int) -> str:
    """POSIX seconds as people who read this language write them, and in RFC 3339; both UTC."""
    return f"{when(at, language)} ({inserted(language, format_instant(at))})"


def day(language: str, ordinal: int) -> str:
    """A day, counted as `date.toordinal` does, as people who read this language write it."""
    midnight = when((ordinal - _FIRST_ORDINAL) * DAY_SECONDS, language)
    return midnight.removesuffix(" 00:00:00 UTC").rstrip(",،")
