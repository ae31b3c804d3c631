"""Every parser under damaged files: nothing but `MalformedError`, and one spelling of a value.

Bounded here. For longer runs: SAFECONDUCT_FUZZ_EXAMPLES, examples per parser; or
SAFECONDUCT_FUZZ_SECONDS, for so long per parser, with other examples every time.
"""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from time import monotonic

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.fuzz.mutations import damaged, damaged_json
from tests.vectors.form import FOLDER, Format
from tests.vectors.formats import FORMATS

from safeconduct.errors import MalformedError

SECONDS = float(os.environ.get("SAFECONDUCT_FUZZ_SECONDS", "0"))
EXAMPLES = int(os.environ.get("SAFECONDUCT_FUZZ_EXAMPLES", "300"))
LONG = bool({"SAFECONDUCT_FUZZ_SECONDS", "SAFECONDUCT_FUZZ_EXAMPLES"} & os.environ.keys())

pytestmark = pytest.mark.timeout(0 if LONG else 900)


@cache
def seeds(kind: str) -> list[tuple[bytes, Path]]:
    """The valid files of a format, smallest first."""
    read, paths = FORMATS[kind].read, (FOLDER / "valid" / kind).iterdir()
    return sorted(((read(path), path) for path in paths), key=lambda one: len(one[0]))


def fuzz(check: Callable[[Random], None]) -> None:
    """Run `check` on as many random choices as this run is meant to make."""

    @settings(
        max_examples=EXAMPLES,
        derandomize=not LONG,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.randoms(use_true_random=False))
    def run(random: Random) -> None:
        check(random)

    until = monotonic() + SECONDS
    run()
    while monotonic() < until:
        run()


def read_and_write(form: Format, data: bytes, path: Path) -> None:
    """The whole property of a parser."""
    try:
        value = form.parse(data, path)
    except MalformedError:
        return
    again = form.reformat(value)
    assert form.parse(again, path) == value
    assert again == data or not form.one_spelling


@pytest.mark.parametrize("kind", FORMATS)
def test_a_damaged_file_is_malformed_or_another_valid_one(kind: str) -> None:
    files, paths = zip(*seeds(kind), strict=True)

    def check(random: Random) -> None:
        read_and_write(FORMATS[kind], damaged(random, files), random.choice(paths))

    fuzz(check)


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if FORMATS[kind].suffix == ".json"])
def test_a_document_with_other_values_is_malformed_or_another_valid_one(kind: str) -> None:
    files, paths = zip(*seeds(kind), strict=True)

    def check(random: Random) -> None:
        read_and_write(FORMATS[kind], damaged_json(random, files), random.choice(paths))

    fuzz(check)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_of_another_format_is_malformed_or_valid_here_too(kind: str) -> None:
    _, path = seeds(kind)[0]
    for other in FORMATS:
        for data, _ in seeds(other):
            read_and_write(FORMATS[kind], data, path)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
@example(b"")
@example(b"\n")
@example(b"\n\n")
@example(b"\n" * 2000)
@example("— ".encode() * 700)
@example(b"\xff" * 2000)
@example(b"+" * 2000)
def test_no_parser_lets_anything_but_malformed_error_out(data: bytes) -> None:
    for kind, form in FORMATS.items():
        read_and_write(form, data, seeds(kind)[0][1])
