"""Twelve words for sixteen bytes: the only door to BIP39, which the `mnemonic` library keeps.

Spec: BIP39; docs/3-protocol.md §6.1.
"""

from functools import cache

from mnemonic import Mnemonic

from safeconduct.errors import MalformedError
from safeconduct.protocol.keys import ENTROPY_BYTES

WORDS = 12
WORDS_BYTES_MAX = 1_000


@cache
def _list(language: str) -> Mnemonic:
    return Mnemonic(language)


def format_words(entropy: bytes, language: str = "english") -> str:
    """The twelve words that spell 16 bytes."""
    words: str = _list(language).to_mnemonic(entropy)
    return words


def parse_words(text: str, language: str = "english") -> bytes:
    """The 16 bytes that twelve words spell; case and spacing do not matter.

    Raises:
        MalformedError: not twelve words of the list, or a slip that the checksum shows. The
            message never repeats a word.
    """
    words = text.lower().split()
    if len(text) > WORDS_BYTES_MAX or len(words) != WORDS:
        raise MalformedError(
            f"the phrase needs exactly {WORDS} words", hint="type them with single spaces"
        )
    known = _list(language)
    strange = [str(place) for place, word in enumerate(words, 1) if word not in known.wordlist]
    if strange:
        raise MalformedError(
            f"not on the word list: word {', '.join(strange)}", hint="check the spelling"
        )
    try:
        entropy = bytes(known.to_entropy(words))
    except ValueError as error:
        raise MalformedError(
            "these twelve words do not belong together", hint="check each word and their order"
        ) from error
    assert len(entropy) == ENTROPY_BYTES
    return entropy
