"""The published files: each valid one is read, each other is refused, for one fault alone."""

from pathlib import Path

import pytest
from tests.vectors import make
from tests.vectors.formats import FOLDER, FORMATS

from safeconduct.errors import MalformedError, UnverifiedError

CHANGED_BYTES_MAX = 260
"""A fault is one stretch of bytes, and short."""
LONG_FAULTS = {"sixty-four-hashes", "sixty-five-hashes", "no-hashes"}
OF_THEIR_OWN = {"vkey"}
"""Formats of which some files are not an edit: their key ID has to fit what is wrong."""


def published(verdict: str) -> list[Path]:
    return sorted((FOLDER / verdict).rglob("*.*"))


def named(path: Path) -> str:
    return str(path.relative_to(FOLDER))


VALID, MALFORMED, UNVERIFIED = map(published, ("valid", "malformed", "unverified"))
SIGNED = [path for path in VALID if FORMATS[path.parent.name].verify]


def test_there_are_files_of_every_format() -> None:
    assert {path.parent.name for path in VALID} == FORMATS.keys()
    assert {path.parent.name for path in MALFORMED} == FORMATS.keys() - {"cosignature"}
    assert {path.parent.name for path in UNVERIFIED} == {
        kind for kind, form in FORMATS.items() if form.verify
    }
    assert len(MALFORMED) > 250
    assert len(UNVERIFIED) > 40


def test_the_files_are_those_that_the_script_writes() -> None:
    written = make.files()
    here = [*VALID, *MALFORMED, *UNVERIFIED, *published("keys")]
    assert sorted(written) == sorted(map(named, here))
    assert [
        name for name, data in written.items() if (FOLDER / name).read_bytes() != data
    ] == []


def test_no_two_files_of_a_format_are_the_same() -> None:
    for kind in FORMATS:
        files = [path for path in [*VALID, *MALFORMED, *UNVERIFIED] if path.parent.name == kind]
        same_width = {(path.stem.rpartition("-")[2], path.read_bytes()) for path in files}
        assert len(same_width) == len(files), kind


@pytest.mark.parametrize("path", VALID, ids=named)
def test_a_valid_file_is_read_and_written_again(path: Path) -> None:
    form, data = FORMATS[path.parent.name], path.read_bytes()
    value = form.parse(data, path)
    again = form.reformat(value)
    assert form.parse(again, path) == value
    if form.one_spelling:
        assert again == data


@pytest.mark.parametrize("path", SIGNED, ids=named)
def test_what_a_valid_file_says_is_signed(path: Path) -> None:
    verify = FORMATS[path.parent.name].verify
    assert verify is not None
    verify(path.read_bytes(), path)


@pytest.mark.parametrize("path", MALFORMED, ids=named)
def test_a_malformed_file_is_refused(path: Path) -> None:
    with pytest.raises(MalformedError):
        FORMATS[path.parent.name].parse(path.read_bytes(), path)


@pytest.mark.parametrize("path", UNVERIFIED, ids=named)
def test_an_unverified_file_is_read_and_does_not_hold(path: Path) -> None:
    form, data = FORMATS[path.parent.name], path.read_bytes()
    assert form.reformat(form.parse(data, path)) == data
    assert form.verify is not None
    with pytest.raises(UnverifiedError):
        form.verify(data, path)


EDITED = [path for path in MALFORMED if path.parent.name not in OF_THEIR_OWN]


@pytest.mark.parametrize("path", EDITED, ids=named)
def test_a_malformed_file_is_one_short_stretch_away_from_a_valid_one(path: Path) -> None:
    kind = path.parent.name
    data = signed_part(kind, path.read_bytes())
    valid = [one.read_bytes() for one in VALID if one.parent.name == kind]
    changed = min(stretch(signed_part(kind, one), data) for one in valid)
    assert changed > 0
    assert changed <= CHANGED_BYTES_MAX or path.stem in LONG_FAULTS


def signed_part(kind: str, data: bytes) -> bytes:
    """A malformed checkpoint is signed again, so its text alone is compared."""
    return data.rpartition(b"\n\n")[0] if kind == "checkpoint" else data


def stretch(one: bytes, other: bytes) -> int:
    """How many bytes lie between what two files have in common at both ends."""
    front = in_common(one, other)
    back = in_common(one[front:][::-1], other[front:][::-1])
    return max(len(one), len(other)) - front - back


def in_common(one: bytes, other: bytes) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))
