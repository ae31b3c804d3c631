"""What the register's letters say around the reasons: the same phrases in nine languages.

    said("de", "signed", names="…")     Unterschrieben von: …
    moment("de", 1815868799)            Samstag, 17. Juli 2027, 23:59:59 UTC (2027-07-17T…)

Whatever is inserted stands after a colon, in brackets or by itself, so that no name has to be
inflected; it is one line, isolated where it runs the other way. A moment is written for people
and for machines, always in UTC.
"""

from datetime import date

from safeconduct.parties.registry.letter_words import ar, de, en, es, fa, fr, pl, ru, uk
from safeconduct.protocol.statute.instant import format_instant
from safeconduct.protocol.statute.wording import by_language, inserted
from safeconduct.protocol.statute.wording.dates import moment_in, written_in

PHRASES = by_language(en, de, fr, es, pl, uk, ru, ar, fa)


def said(language: str, key: str, **values: object) -> str:
    """The phrase called `key` in one of the languages of `PHRASES`, with `values` inserted.

    Raises:
        KeyError: no such language, phrase or value.
    """
    shown = {name: inserted(language, value) for name, value in values.items()}
    return PHRASES[language][key].format(**shown)


def moment(language: str, at: int) -> str:
    """POSIX seconds as people who read this language write them, and in RFC 3339; both UTC."""
    told = moment_in(language, at, weekday=True)
    return f"{told} ({inserted(language, format_instant(at))})"


def day(language: str, ordinal: int) -> str:
    """A day, counted as `date.toordinal` does, as people who read this language write it."""
    return written_in(language, date.fromordinal(ordinal).isoformat(), weekday=True)
