"""Twelve words for sixteen bytes: the only door to BIP39, which the `mnemonic` library keeps.

The words are those of any of the library's twelve lists. A word is looked up by its letters
alone: without case, accents and voicing marks, however they are composed. No list has two words
that differ in these only, so nothing is lost, and a keyboard without accents will do.

Spec: BIP39; docs/3-protocol.md §6.1.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache

from mnemonic import Mnemonic

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.protocol.keys import ENTROPY_BYTES

WORDS = 12
WORDS_CHARACTERS_MAX = 1_000
ENGLISH = "english"
LANGUAGES = (
    "chinese_simplified",
    "chinese_traditional",
    "czech",
    ENGLISH,
    "french",
    "italian",
    "japanese",
    "korean",
    "portuguese",
    "russian",
    "spanish",
    "turkish",
)

_PHRASE_WORDS_MIN = 6  # in a row: not a name of somebody, nor files called by listed words
_ONE_CHARACTER_EACH = frozenset({"chinese_simplified", "chinese_traditional"})
_DROPPED = frozenset({"Mn", "Cf"})  # combining marks; what is not seen, like a byte order mark
_DOTLESS_I = {0x131: "i"}  # I and İ, i and ı are cased in another way in Turkish than elsewhere


@cache
def _list(language: str) -> Mnemonic:
    return Mnemonic(language)


@cache
def _places(language: str) -> Mapping[str, int]:
    """Where each word stands in its list, by its letters."""
    return {_letters(word): place for place, word in enumerate(_list(language).wordlist)}


def _letters(text: str) -> str:
    """What of `text` tells words apart; spaces of all kinds become U+0020."""
    plain = unicodedata.normalize("NFKD", text).casefold().translate(_DOTLESS_I)
    kept = (each for each in plain if unicodedata.category(each) not in _DROPPED)
    return " ".join("".join(kept).split())


def format_words(entropy: bytes, language: str = ENGLISH) -> str:
    """The twelve words that spell 16 bytes, joined as the language joins them."""
    words: str = _list(language).to_mnemonic(entropy)
    return unicodedata.normalize("NFC", words)


def parse_words(text: str, language: str | None = None) -> bytes:
    """The 16 bytes that twelve words spell, in `language` or in whichever it is.

    Case, accents and kinds of spaces do not matter. The same bytes come of their words in any
    language.

    Raises:
        MalformedError: not twelve words of one list, or a slip that the checksum shows (15 of
            16 slips). The message names places, never words.
        RefusedError: they are good words of several languages, which spell different bytes.
    """
    letters = "" if len(text) > WORDS_CHARACTERS_MAX else _letters(text)
    phrases = {each: _split(letters, each) for each in ([language] if language else LANGUAGES)}
    phrases = {each: words for each, words in phrases.items() if len(words) == WORDS}
    if not phrases:
        raise MalformedError(
            f"the phrase needs exactly {WORDS} words", hint="type them with spaces between"
        )
    strange = {each: _strange(words, each) for each, words in phrases.items()}
    fitting = [each for each in phrases if not strange[each]]
    if not fitting:
        raise _not_listed(strange)
    spelt = {each: _entropy(phrases[each], each) for each in fitting}
    good = {each: entropy for each, entropy in spelt.items() if entropy is not None}
    if not good:
        raise MalformedError(
            "these twelve words do not belong together", hint="check each word and their order"
        )
    if len(set(good.values())) > 1:
        raise RefusedError(
            f"these are good words in more than one language: {', '.join(sorted(good))}",
            hint="say which with --language",
        )
    return next(iter(good.values()))


def same_word(typed: str, word: str) -> bool:
    """Whether somebody who typed `typed` meant `word`: case and accents do not matter."""
    return len(typed) <= WORDS_CHARACTERS_MAX and _letters(typed) == _letters(word)


def looks_like_words(text: str) -> bool:
    """Whether so many words in a row are of one list that this must be somebody's phrase."""
    parts = _letters(text).split(" ")
    return any(_is_phrase_in(parts, language) for language in LANGUAGES)


def _split(letters: str, language: str) -> Sequence[str]:
    """Chinese is written without spaces, and each word is one character."""
    if language in _ONE_CHARACTER_EACH:
        return letters.replace(" ", "")
    return letters.split(" ") if letters else []


def _strange(words: Sequence[str], language: str) -> list[int]:
    """The places, from 1, of words that are not on the list."""
    places = _places(language)
    return [number for number, word in enumerate(words, start=1) if word not in places]


def _not_listed(strange: Mapping[str, Sequence[int]]) -> MalformedError:
    """Of the language that was most likely meant."""
    language = min(strange, key=lambda each: len(strange[each]))
    places = ", ".join(map(str, strange[language]))
    if len(strange[language]) == WORDS:
        return MalformedError("these words are on no word list", hint="check the spelling")
    return MalformedError(
        f"not on the word list ({language}): word {places}", hint="check the spelling"
    )


def _entropy(words: Sequence[str], language: str) -> bytes | None:
    """What listed words spell, or None if their checksum is wrong."""
    # By way of English, since the library looks up a decomposed word in lists that hold it
    # composed.
    english = _list(ENGLISH).wordlist
    try:
        entropy = bytes(
            _list(ENGLISH).to_entropy([english[_places(language)[word]] for word in words])
        )
    except ValueError:
        return None
    assert len(entropy) == ENTROPY_BYTES
    return entropy


def _is_phrase_in(parts: Sequence[str], language: str) -> bool:
    places, run = _places(language), 0
    for part in parts:
        run = run + 1 if part in places else 0
        if run == _PHRASE_WORDS_MIN or _is_phrase(part, language):
            return True
    return False


def _is_phrase(part: str, language: str) -> bool:
    """Whether it is a whole phrase of a language that needs no spaces."""
    words = _split(part, language)
    return (
        len(words) == WORDS
        and not _strange(words, language)
        and _entropy(words, language) is not None
    )
