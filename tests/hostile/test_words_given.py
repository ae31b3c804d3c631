"""Words: wrong ones open nothing and tell nothing, and none are ever repeated or misplaced."""

import re
from collections.abc import Iterable

import pytest
from tests.hostile.console import NOT_UTF8, WORDS, Console, check_refused

from safeconduct.errors import RefusedError
from safeconduct.parties.source.options import EMPTY
from safeconduct.plumbing import dice
from safeconduct.plumbing.words import ENGLISH, LANGUAGES, format_words
from safeconduct.protocol.keys import ENTROPY_BYTES

AT_ONCE = "--programme programme --wait 0"
LISTING = (
    f"source status {AT_ONCE}",
    f"source inbox {AT_ONCE}",
    f"source restore {AT_ONCE} --mirror {{mirror}} --out made",
)
NAMING = (
    f"source reply {AT_ONCE} --number 0 letter.txt",
    f"source receipt {AT_ONCE} --out made",
    f"source credit {AT_ONCE} --number 0 --out made",
    f"source open {AT_ONCE} --number 0 --purpose court --yes --out made",
    f"source claim {AT_ONCE} --subject r-0001 --name x",
    f"source claim {AT_ONCE} --subject r-0001 --name x --credit",
    f"source claim {AT_ONCE} --subject r-0001 --name x --opening --message letter.txt",
)
MAKING = (
    f"source send {AT_ONCE} letter.txt",
    "source prepare --programme programme --gazette saved --number 0 letter.txt --out made",
    f"source appeal {AT_ONCE} --page {{tip}} --ground fact --reasons letter.txt",
)
ASKING = (*LISTING, *NAMING, *MAKING)
PHRASE = format_words(bytes(ENTROPY_BYTES))
TYPED = {
    "empty": b"",
    "an empty line": b"\n",
    "huge": b"zoo " * 100_000,
    "truncated": PHRASE.rpartition(" ")[0].encode() + b"\n",
    "wrong kind": b"correct horse battery staple\n",
    "a slip": PHRASE.replace("about", "zoo").encode() + b"\n",
    "two languages": PHRASE.replace("about", "gâteau").encode() + b"\n",
    "not UTF-8": NOT_UTF8 + b"\n",
}
FRESH = "source new --json"
NEW_NOTE = "Write these down and keep nothing else. Whoever has them is you.\n"
PLACES = {
    "each a word": "{verb} {words}",
    "before the verb's own": "source {words} {rest}",
    "one word": "{verb} {quoted}",
    "an option": "{verb} --words={quoted}",
    "a file": "{verb} --message={quoted}",
    "a name": "{verb} --name={quoted}",
    "the language": "{verb} --language={quoted}",
}


def repeated(said: str, phrases: Iterable[str]) -> set[str]:
    """Which words of these are in what was said."""
    return set(re.findall(r"\w+", said)) & {word for each in phrases for word in each.split()}


@pytest.mark.parametrize("command", ASKING)
def test_words_that_are_none_are_refused_and_never_repeated(
    console: Console, command: str
) -> None:
    before = console.held()
    for kind, typed in TYPED.items():
        code = console.run(command, typed)
        check_refused(console, f"{command} ({kind})", code)
        assert not repeated(console.said, [PHRASE, "zoo horse gâteau"]), kind
    assert console.held() == before


@pytest.mark.parametrize("command", LISTING)
def test_wrong_words_find_an_empty_mailbox_and_nothing_else(
    console: Console, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = console.held()
    for entropy in (bytes(ENTROPY_BYTES), dice.random_bytes(ENTROPY_BYTES)):
        typed = f"{format_words(entropy)}\n".encode()
        assert console.run(command, typed) == 0
        assert not console.said
        assert capsys.readouterr().out == f"{EMPTY}\n"
    assert console.held() == before


@pytest.mark.parametrize("command", NAMING)
def test_wrong_words_are_told_the_same_by_every_verb(
    console: Console, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = console.held()
    for entropy in (bytes(ENTROPY_BYTES), dice.random_bytes(ENTROPY_BYTES)):
        typed = f"{format_words(entropy)}\n".encode()
        assert console.run(command, typed) == RefusedError.exit_code
        assert console.said.splitlines() == [
            "error: these words have no contribution 0",
            f"hint: {EMPTY}",
        ]
        assert not capsys.readouterr().out
    assert console.held() == before


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_of_any_language_open_the_same_mailbox(
    console: Console, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = format_words(console.played.world.words["clerk"], language)
    command = f"source receipt {AT_ONCE} --out mine --language {language}"
    assert console.run(command, f"{words}\n".encode()) == 0, console.said
    # All that is said, to the letter: these words are new each time, and may be those of an
    # honest sentence or of a file's name.
    assert not console.said
    assert capsys.readouterr().out.splitlines() == ["mine.tlog-proof", "mine.record"]
    brought = (console.folder / "mine.record").read_bytes()
    assert brought == (console.played.folder / "receipts" / "clerk.record").read_bytes()


@pytest.mark.parametrize("language", [ENGLISH, "french", "japanese", "chinese_simplified"])
@pytest.mark.parametrize("command", ASKING)
def test_words_given_as_an_argument_are_refused_with_a_warning_and_never_repeated(
    console: Console, command: str, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = console.held()
    words = format_words(bytes(range(ENTROPY_BYTES)), language)
    _, rest = command.split(" ", 1)
    for kind, place in PLACES.items():
        # A phrase that is quoted in the shell reaches us as one argument.
        shape = place.format(
            verb=command, rest=rest, words=" ".join(words.split()), quoted="{}"
        )
        code = console.run(shape, WORDS, words)
        assert code == RefusedError.exit_code, kind
        assert "words are never given as an argument" in console.said
        assert not repeated(console.said, [words]), kind
        assert not capsys.readouterr().out
    assert console.held() == before


@pytest.mark.parametrize("language", LANGUAGES)
def test_fresh_words_go_to_standard_output_alone(
    console: Console, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = console.held()
    assert console.run(f"source new --language {language}") == 0
    words = capsys.readouterr().out.rstrip("\n")
    assert console.said == NEW_NOTE
    # Twelve Chinese words may be those of either list, and then somebody has to say which.
    inbox = f"source inbox {AT_ONCE} --language {language}"
    assert console.run(inbox, f"{words}\n".encode()) == 0
    assert capsys.readouterr().out == f"{EMPTY}\n"
    assert console.held() == before


SHARES = (1, 3, 5)
ANOTHER = "hint: ask another custodian"
ALL_OF_ONE = "hint: type all words of one share on one line, with single spaces"
REFUSED_SHARES = {
    "none": ["error: no shares were given", "hint: one line each"],
    "too few": ["error: 2 of the 3 shares needed were given", ANOTHER],
    "one twice": ["error: shares 2 and 3 are the same custodian's", ANOTHER],
    "a slip": ["error: share 3: 34 words, where a share has 33", ALL_OF_ONE],
    "in another order": [
        "error: share 3: its words do not belong together",
        "hint: check each word and their order",
    ],
    "words": ["error: share 1: 12 words, where a share has 33", ALL_OF_ONE],
    "huge": ["error: far more was piped in than shares are", "hint: a share a line"],
}
"""What is said of shares that are none, to the letter: their own words are new each time, and
may be those of an honest sentence."""


def shares_of(console: Console, *numbers: int) -> list[str]:
    """The words of some custodians' shares."""
    folder = console.played.folder / "custodians"
    files = [(folder / f"share-{number}.txt").read_text() for number in numbers]
    return [text.rstrip("\n").rpartition("\n")[2] for text in files]


@pytest.mark.parametrize("verb", ["check", "combine --out made"])
def test_shares_that_are_none_are_refused_and_never_repeated(
    console: Console, verb: str
) -> None:
    first, third, fifth = shares_of(console, *SHARES)
    typed = {
        "none": "",
        "too few": f"{first}\n{third}\n",
        "one twice": f"{first}\n{third}\n{third}\n",
        "a slip": f"{first}\n{third}\n{fifth.replace(' ', ' academic ', 1)}\n",
        "in another order": f"{first}\n{third}\n{' '.join(reversed(fifth.split()))}\n",
        "words": f"{PHRASE}\n",
        "huge": "academic " * 100_000,
    }
    before = console.held()
    command = f"desk archive {verb} --on-a-networked-machine-anyway --recipient {{archive}}"
    for kind, text in typed.items():
        code = console.run(command, text.encode())
        check_refused(console, f"{command} ({kind})", code)
        assert console.said.splitlines() == REFUSED_SHARES[kind], kind
    assert console.held() == before


def test_enough_shares_make_the_key_and_print_nothing_of_it(
    console: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = "\n".join(shares_of(console, *SHARES)).encode() + b"\n"
    command = "desk archive {} --on-a-networked-machine-anyway --recipient {archive}"
    assert console.run(command, typed, "check") == 0, console.said
    assert console.run(f"{command} --out combined", typed, "combine") == 0, console.said
    made = console.folder / "combined"
    [key] = re.findall(r"AGE-SECRET-KEY-\w+", made.read_text())
    assert made.stat().st_mode & 0o077 == 0
    assert key not in capsys.readouterr().out + console.said
