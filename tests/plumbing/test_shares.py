"""A key split among custodians: any threshold of them, no fewer, and errors without words."""

import re
import sys
from collections.abc import Callable
from itertools import combinations

import pytest
import shamir_mnemonic

from safeconduct.errors import MalformedError, RefusedError, SafeconductError, UnavailableError
from safeconduct.plumbing.shares import WORDS, combine, parse_share, split

SECRET = bytes(range(32))
# Words of our own sentences that stand on SLIP-39's list too.
PLAIN_ENGLISH = {
    "belong",
    "check",
    "order",
    "says",
    "single",
    "spelling",
    "that",
    "together",
} | {"type"}


def _combined(lines: list[str]) -> bytes:
    return combine([parse_share(line, place) for place, line in enumerate(lines, start=1)])


def test_any_threshold_of_the_shares_gives_the_key_back_in_any_order() -> None:
    lines = split(SECRET, 3, 5)
    assert [len(line.split()) for line in lines] == [WORDS] * 5
    for chosen in combinations(lines, 3):
        assert _combined(list(reversed(chosen))) == SECRET


def test_the_library_itself_reads_our_shares() -> None:
    assert shamir_mnemonic.combine_mnemonics(split(SECRET, 2, 3)[1:]) == SECRET


def test_case_and_spacing_do_not_matter() -> None:
    first, second = split(SECRET, 2, 2)
    assert _combined([first.upper(), second.replace(" ", "  \t")]) == SECRET


@pytest.mark.parametrize(("threshold", "shares"), [(1, 1), (1, 5), (4, 3), (2, 17), (0, 2)])
def test_a_split_that_protects_nothing_or_cannot_be_is_refused(
    threshold: int, shares: int
) -> None:
    with pytest.raises(RefusedError):
        split(SECRET, threshold, shares)


def _swapped(line: str, here: int, there: int) -> str:
    words = line.split()
    words[here], words[there] = words[there], words[here]
    return " ".join(words)


def _made_up(line: str) -> str:
    """A share of the same set, with a true checksum, that nobody ever split off."""
    share = shamir_mnemonic.Share.from_mnemonic(line)
    values = {name: getattr(share, name) for name in share.__dataclass_fields__}
    forged = shamir_mnemonic.Share(**{**values, "value": bytes(32)})
    return str(forged.mnemonic())


SPOILT: dict[str, tuple[Callable[[list[str]], list[str]], str]] = {
    "none": (lambda own: [], "no shares"),
    "too few": (lambda own: own[:2], "2 of the 3 shares"),
    "too many": (lambda own: own[:4], "4 shares were given, and 3 are enough"),
    "one of another key": (
        lambda own: [own[0], split(bytes(32), 3, 5)[1], own[2]],
        "share 2 is of another key",
    ),
    "one twice": (lambda own: [own[0], own[1], own[0]], "shares 1 and 3 are the same"),
    "a word that is none": (
        lambda own: [own[0], own[1], own[2].replace(own[2].split()[6], "zebra!", 1)],
        r"share 3: not on the word list: word \d+",
    ),
    "two words in the wrong order": (
        lambda own: [own[0], _swapped(own[1], 8, 20), own[2]],
        "share 2: its words do not belong together",
    ),
    "a word too few": (
        lambda own: [own[0].rsplit(" ", 1)[0], *own[1:3]],
        "share 1: 32 words, where a share has 33",
    ),
    "a whole page": (lambda own: ["word " * 300], "share 1: 300 words"),
    "one made up": (lambda own: [*own[:2], _made_up(own[2])], "give no key together"),
    "a share of a smaller key": (
        lambda own: [shamir_mnemonic.generate_mnemonics(1, [(2, 3)], bytes(16))[0][0]],
        "share 1: 20 words",
    ),
    "of several groups": (
        lambda own: [shamir_mnemonic.generate_mnemonics(2, [(2, 3), (2, 3)], SECRET)[1][0]],
        "share 1: not one of an archive key's shares",
    ),
}


@pytest.mark.parametrize("case", SPOILT)
def test_a_spoilt_set_is_refused_by_number_and_never_by_word(case: str) -> None:
    spoil, message = SPOILT[case]
    own = split(SECRET, 3, 5)
    given = spoil(own)
    with pytest.raises(SafeconductError, match=message) as caught:
        _combined(given)
    error = caught.value
    assert error.hint or isinstance(error, MalformedError)
    known = {word for line in [*own, *given] for word in line.lower().split()}
    said = set(re.findall("[a-z!]+", f"{error} {error.hint}".lower()))
    assert not said & known - PLAIN_ENGLISH
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None


def test_the_repr_of_a_share_shows_no_words() -> None:
    [line, _] = split(SECRET, 2, 2)
    assert not set(line.split()) & set(repr(parse_share(line, 1)).split())


def test_without_the_library_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "shamir_mnemonic", None)
    with pytest.raises(UnavailableError) as caught:
        split(SECRET, 2, 3)
    assert "custody" in caught.value.hint
