"""Every verb is given nonsensical arguments: one `error:` line, and nothing changes."""

import argparse
from collections.abc import Iterator, Mapping
from itertools import pairwise

import pytest
from tests.hostile.console import WORDS, Console, check_refused, copy_own, still
from tests.hostile.nonsense_of_bodies import OF_BODIES
from tests.hostile.nonsense_of_logs import OF_LOGS
from tests.hostile.nonsense_of_people import (
    AT_ONCE,
    BY_CLERK,
    BY_WORDS,
    OF_BOARD,
    OF_DESK,
    OF_DOOR,
    OF_OTHERS,
    OF_REGISTER,
    Nonsense,
)

from safeconduct.cli import VERBS, make_parser
from safeconduct.errors import RefusedError
from safeconduct.plumbing.words import format_words

NONSENSE: Nonsense = {
    **OF_LOGS,
    **BY_WORDS,
    **OF_DESK,
    **OF_DOOR,
    **OF_BOARD,
    **OF_REGISTER,
    **OF_BODIES,
    **OF_OTHERS,
}


def leaves(parser: argparse.ArgumentParser, words: str) -> Iterator[str]:
    """Every command below `parser` that has no further verbs."""
    below = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    if not below:
        yield words
    for action in below:
        for name, child in action.choices.items():
            yield from leaves(child, f"{words} {name}")


def all_commands() -> list[str]:
    """Each command of the command line, without its arguments."""
    found: list[str] = []
    for verb in VERBS:
        parser = make_parser([verb])
        [action] = [
            each for each in parser._actions if isinstance(each, argparse._SubParsersAction)
        ]
        found += leaves(action.choices[verb], verb)
    return found


@pytest.mark.parametrize("words", all_commands())
def test_the_tables_name_every_verb(words: str) -> None:
    assert [command for command in NONSENSE if command.startswith(f"{words} ")]


@pytest.mark.parametrize("command", NONSENSE, ids=str)
def test_a_nonsensical_argument_gets_one_clear_error_and_changes_nothing(
    console: Console, command: str
) -> None:
    refuse_all(console, command, NONSENSE[command], WORDS)


@pytest.mark.parametrize("command", BY_CLERK, ids=str)
def test_good_words_do_not_excuse_a_nonsensical_argument(
    console: Console, command: str
) -> None:
    words = format_words(console.played.world.words["clerk"])
    refuse_all(console, command, BY_CLERK[command], f"{words}\n".encode())


def refuse_all(console: Console, command: str, values: Mapping[str, str], typed: bytes) -> None:
    """Give each value: it gets one clear error, which tells no words, and changes nothing."""
    copy = copy_own(console, command)
    before, kept = console.held(), still(copy)
    # Pairs: an error may well say `this` or `number`, which are words of the list.
    pairs = [" ".join(pair) for pair in pairwise(typed.decode().split())]
    for kind, value in values.items():
        code = console.run(command, typed, value)
        check_refused(console, f"{command} ({kind})", code)
        assert [pair for pair in pairs if pair in console.said] == []
    assert console.held() == before
    assert still(copy) == kept


UNWILLING = {
    "nobody says yes": ("--out made", "nothing was opened"),
    "the folder is there": ("--yes --out public", "public: is there already"),
    "a file is there": ("--yes --out policy.txt", "policy.txt: is there already"),
}


@pytest.mark.parametrize(("rest", "error"), list(UNWILLING.values()), ids=list(UNWILLING))
def test_an_opening_that_is_not_made_leaves_no_trace(
    console: Console, rest: str, error: str
) -> None:
    before = console.held()
    words = format_words(console.played.world.words["clerk"])
    command = f"source open {AT_ONCE} --number 0 --purpose court --message clerk.txt {rest}"
    code = console.run(command, f"{words}\nno\n".encode())
    assert code == RefusedError.exit_code
    assert "error: " + error in console.said.splitlines()
    assert console.held() == before


def test_a_withdrawal_that_nobody_confirms_leaves_no_trace(console: Console) -> None:
    before = console.held()
    words = format_words(console.played.world.words["clerk"])
    code = console.run(f"source withdraw {AT_ONCE} 0", f"{words}\nno\n".encode())
    assert code == RefusedError.exit_code
    assert console.said.splitlines()[-1].startswith(("error: ", "hint: "))
    assert console.held() == before


def test_a_file_that_is_named_twice_is_shown_once(console: Console) -> None:
    words = format_words(console.played.world.words["clerk"])
    command = f"source open {AT_ONCE} --number 0 --purpose press --message clerk.txt --out made"
    console.run(f"{command} --item 1 --item 1", f"{words}\nno\n".encode())
    assert "You are about to show 1 of 1 files" in console.said
