"""Shares of a key among custodians: the only door to SLIP-39, which `shamir-mnemonic` keeps.

Any `threshold` of the shares give the key back; fewer say nothing about it. A share is 33
English words for a key of 32 bytes. No error repeats a word: a share is named by its place
among those that were entered, a word by its place in the share.

Spec: SLIP-0039, one group, no passphrase.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from safeconduct.errors import MalformedError, RefusedError, UnavailableError

SECRET_BYTES = 32
WORDS = 33
SHARES_MIN, SHARES_MAX = 2, 16
SHARE_BYTES_MAX = 1_000

_ASK_ANOTHER = "ask another custodian"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One share that parsed; `threshold` of its `set_id` are needed, `index` counts from 0."""

    set_id: int
    index: int
    threshold: int
    words: str = field(repr=False)


def split(secret: bytes, threshold: int, shares: int) -> list[str]:
    """`shares` lines of words, any `threshold` of which give the 32-byte `secret` back.

    Raises:
        RefusedError: fewer than 2 are needed, more than there are, or more than 16.
        UnavailableError: SLIP-39 is not installed.
    """
    assert len(secret) == SECRET_BYTES
    check_split(threshold, shares)
    [lines] = _slip39().generate_mnemonics(1, [(threshold, shares)], bytes(secret))
    return list(lines)


def check_split(threshold: int, shares: int) -> None:
    """Return if a secret can be split so.

    Raises:
        RefusedError: fewer than 2 are needed, more than there are, or more than 16.
    """
    if not SHARES_MIN <= threshold <= shares <= SHARES_MAX:
        raise RefusedError(
            f"{threshold} of {shares} shares cannot be",
            hint=f"2 to {SHARES_MAX} shares, and at least 2 of them needed",
        )


def parse_share(text: str, place: int) -> Share:
    """The share in `text`, the one entered at `place`, counted from 1.

    Raises:
        MalformedError: not 33 words of the list, or a slip that the checksum shows.
        UnavailableError: SLIP-39 is not installed.
    """
    slip39, words = _slip39(), text.lower().split()
    if len(text) > SHARE_BYTES_MAX or len(words) != WORDS:
        raise MalformedError(
            f"share {place}: {len(words)} words, where a share has {WORDS}",
            hint="type all words of one share on one line, with single spaces",
        )
    known = slip39.wordlist.WORD_INDEX_MAP
    strange = [str(number) for number, word in enumerate(words, 1) if word not in known]
    if strange:
        raise MalformedError(
            f"share {place}: not on the word list: word {', '.join(strange)}",
            hint="check the spelling",
        )
    return _parsed(slip39, " ".join(words), place)


def _parsed(slip39: Any, words: str, place: int) -> Share:
    try:
        share = slip39.Share.from_mnemonic(words)
    except slip39.MnemonicError:
        # Not chained: the library's message repeats words.
        raise MalformedError(
            f"share {place}: its words do not belong together",
            hint="check each word and their order",
        ) from None
    if (share.group_count, share.group_threshold, share.group_index) != (1, 1, 0):
        raise MalformedError(f"share {place}: not one of an archive key's shares")
    if len(share.value) != SECRET_BYTES:
        raise MalformedError(f"share {place}: of a secret of another size")
    return Share(
        set_id=share.identifier,
        index=share.index,
        threshold=share.member_threshold,
        words=words,
    )


def combine(shares: Sequence[Share]) -> bytes:
    """The 32 bytes that were split into `shares`, of which there must be just enough.

    Raises:
        MalformedError: of different sets, one of them twice, or one that is not what it was.
        RefusedError: too few, or too many.
        UnavailableError: SLIP-39 is not installed.
    """
    if not shares:
        raise RefusedError("no shares were given", hint="one line each")
    _check_one_set(shares)
    threshold = shares[0].threshold
    if len(shares) < threshold:
        raise RefusedError(
            f"{len(shares)} of the {threshold} shares needed were given", hint=_ASK_ANOTHER
        )
    if len(shares) > threshold:
        raise RefusedError(
            f"{len(shares)} shares were given, and {threshold} are enough",
            hint="leave the rest with their custodians",
        )
    slip39 = _slip39()
    try:
        return bytes(slip39.combine_mnemonics([share.words for share in shares]))
    except slip39.MnemonicError:
        raise MalformedError(
            "these shares give no key together: one of them was made up", hint=_ASK_ANOTHER
        ) from None


def _check_one_set(shares: Sequence[Share]) -> None:
    first = shares[0]
    for place, share in enumerate(shares, start=1):
        if (share.set_id, share.threshold) != (first.set_id, first.threshold):
            raise MalformedError(
                f"share {place} is of another key than share 1",
                hint="is it of an older archive? Each file says which one",
            )
    for (here, one), (there, other) in combinations(enumerate(shares, start=1), 2):
        if one.index == other.index:
            raise MalformedError(
                f"shares {here} and {there} are the same custodian's", hint=_ASK_ANOTHER
            )


def _slip39() -> Any:
    """The library, which only a desk's custodians need."""
    try:
        import shamir_mnemonic
    except ImportError as error:
        raise UnavailableError(
            "splitting keys needs the package shamir-mnemonic",
            hint="install safeconduct[custody]",
        ) from error
    return shamir_mnemonic
