"""What a judgement is told in: a table of phrases for each language, all with the same keys.

    speak("pl", "is", label="…", values="tak")      … : tak
    speak("ru", "unit days", n=21)                   21 день

A phrase is number-safe: whatever is inserted stands after a colon or in brackets, so that no
word of the law has to be inflected. Where a number counts something, the phrase holds one form
for each plural of the language, parted by `|`. Dates stay as they are, in UTC.

What is inserted is one line without control characters, so that no text of a law or a board can
look like a line of the letter's own; where it runs the other way, it is isolated.

Spec: Unicode CLDR, plural rules for whole numbers; Unicode UAX #9, isolates.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Protocol

from safeconduct.protocol.statute.wording import ar, de, en, es, fa, fr, pl, ru, uk


class Table(Protocol):
    """A module that holds the phrases of the language that it is named after."""

    __name__: str
    PHRASES: dict[str, str]


def by_language(*tables: Table) -> Mapping[str, Mapping[str, str]]:
    """The phrases of each table, by the code of its language, in the order given."""
    return {each.__name__.rpartition(".")[2]: each.PHRASES for each in tables}


PHRASES = by_language(en, de, fr, es, pl, uk, ru, ar, fa)
LANGUAGES = tuple(PHRASES)
RIGHT_TO_LEFT = frozenset({"ar", "fa"})

_ISOLATE, _POP = "\u2068", "\u2069"
_STEERING = re.compile("[\u202a-\u202e\u2066\u2067]")
_ISOLATES = re.compile(f"[{_ISOLATE}{_POP}]")
_BREAKS = re.compile("[\\t-\\r\\x1c-\\x1f \\x85\u2028\u2029]+")  # no-break spaces stay


def speak(language: str, key: str, **values: object) -> str:
    """The phrase called `key` in one of `LANGUAGES`, with `values` inserted.

    Where the phrase has several forms, the value `n` chooses among them.

    Raises:
        KeyError: no such language, phrase or value.
    """
    said = PHRASES[language][key].split("|")
    count = values.get("n", 0)
    form = said[plural(language, count) if len(said) > 1 and isinstance(count, int) else 0]
    return form.format(**{name: inserted(language, value) for name, value in values.items()})


def called(language: str, word: str) -> str:
    """What people call a word that claims, or the programme, bring with them."""
    return PHRASES[language].get(f"word {word}", word.replace("_", " "))


def plural(language: str, count: int) -> int:
    """Which of the forms of a phrase the number `count` asks for, from 0."""
    return _PLURALS[language][1](count)


def forms(language: str) -> int:
    """How many forms a phrase that counts something has in this language."""
    return _PLURALS[language][0]


def one_line(text: str) -> str:
    """`text` as one line, in which no character steers what comes after it."""
    line = _STEERING.sub("", _BREAKS.sub(" ", text)).strip(" ")
    line = line if _is_balanced(line) else _ISOLATES.sub("", line)
    return "".join(each for each in line if unicodedata.category(each) != "Cc")


def inserted(language: str, value: object) -> str:
    """A value as it stands in a phrase: one line, isolated if some of it runs another way."""
    line = one_line(str(value))
    foreign = _LEFTWARD if language in RIGHT_TO_LEFT else _RIGHTWARD
    return f"{_ISOLATE}{line}{_POP}" if foreign & _kinds(line) else line


_LEFTWARD = frozenset({"L", "EN"})
_RIGHTWARD = frozenset({"R", "AL"})


def _is_balanced(line: str) -> bool:
    depth = 0
    for each in line:
        depth += (each == _ISOLATE) - (each == _POP)
        if depth < 0:
            return False
    return depth == 0


def _kinds(line: str) -> set[str]:
    """The bidirectional kinds of what stands outside of isolates."""
    depth, kinds = 0, set()
    for each in line:
        depth += (each == _ISOLATE) - (each == _POP)
        if depth == 0:
            kinds.add(unicodedata.bidirectional(each))
    return kinds


_Rule = Callable[[int], int]


def _slavic(count: int) -> int:
    return 0 if count % 10 == 1 and count % 100 != 11 else _few_or_many(count)


def _polish(count: int) -> int:
    return 0 if count == 1 else _few_or_many(count)


def _few_or_many(count: int) -> int:
    return 1 if count % 10 in (2, 3, 4) and count % 100 not in (12, 13, 14) else 2


def _arabic(count: int) -> int:
    if count in (0, 1, 2):
        return count
    return 3 if 3 <= count % 100 <= 10 else 4 if count % 100 >= 11 else 5


def _other_than_one(count: int) -> int:
    return int(count != 1)


_PLURALS: dict[str, tuple[int, _Rule]] = {
    "en": (2, _other_than_one),
    "de": (2, _other_than_one),
    "es": (2, _other_than_one),
    "fr": (2, lambda count: int(count > 1)),
    "pl": (3, _polish),
    "uk": (3, _slavic),
    "ru": (3, _slavic),
    "ar": (6, _arabic),
    "fa": (1, lambda count: 0),
}
