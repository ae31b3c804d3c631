"""The published files: each valid one is read, each other is refused, for one fault alone."""

from bisect import bisect_left
from pathlib import Path

import pytest
from tests.vectors import make
from tests.vectors.form import FOLDER
from tests.vectors.formats import FORMATS
from tests.vectors.sealed_edits import SEALED_MALFORMED
from tests.vectors.sealed_formats import SEALED_FORMATS
from tests.vectors.tables import TABLES

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.kinds import KINDS
from safeconduct.protocol.record import parse_any

CHANGED_BYTES_MAX = 260
"""A fault is one stretch of bytes, and short."""
LONG_FAULTS = {
    "a-field-missing",
    "a-note-of-20001-bytes",
    "a-note-that-is-none",
    "a-note-without-a-value",
    "a-reply-that-is-a-number",
    "a-name-of-401-bytes",
    "an-opening-that-is-a-number",
    "no-claim",
    "no-hashes",
    "no-list-of-files",
    "no-list-of-items",
    "sixty-five-hashes",
    "sixty-four-hashes",
}
OF_THEIR_OWN = {"vkey"}
"""Formats of which some files are not an edit: their key ID has to fit what is wrong."""
FILE_BYTES_MAX = 80 << 10


def published(verdict: str) -> list[Path]:
    return sorted((FOLDER / verdict).rglob("*.*"))


def named(path: Path) -> str:
    return str(path.relative_to(FOLDER))


ALL_VALID, MALFORMED, UNVERIFIED = map(published, ("valid", "malformed", "unverified"))
VALID = [path for path in ALL_VALID if path.parent.name not in TABLES]
SIGNED = [path for path in VALID if FORMATS[path.parent.name].verify]


def test_there_are_files_of_every_format() -> None:
    assert {path.parent.name for path in ALL_VALID} == FORMATS.keys() | TABLES.keys()
    assert {path.parent.name for path in MALFORMED} == FORMATS.keys() - {"cosignature"}
    assert {path.parent.name for path in UNVERIFIED} == {
        kind for kind, form in FORMATS.items() if form.verify
    }
    assert len(MALFORMED) > 500
    assert len(UNVERIFIED) > 150


def test_there_is_a_record_of_every_kind() -> None:
    records = [path for path in VALID if path.parent.name == "record"]
    assert {parse_any(path.read_bytes()).kind for path in records} == KINDS.keys()


def test_the_files_are_those_that_the_script_writes() -> None:
    written = make.files()
    here = [
        *ALL_VALID,
        *MALFORMED,
        *UNVERIFIED,
        *published("keys"),
        *published("envelopes"),
    ]
    assert sorted(written) == sorted(map(named, here))
    assert [
        name for name, data in written.items() if (FOLDER / name).read_bytes() != data
    ] == []


def test_no_file_is_too_large_to_look_at() -> None:
    large = [path.name for path in FOLDER.rglob("*.*") if path.stat().st_size > FILE_BYTES_MAX]
    assert large == []


def test_no_two_files_of_a_format_are_the_same() -> None:
    for kind in FORMATS:
        files = [path for path in [*VALID, *MALFORMED, *UNVERIFIED] if path.parent.name == kind]
        same_width = {(path.stem.rpartition("-")[2], path.read_bytes()) for path in files}
        assert len(same_width) == len(files), kind


@pytest.mark.parametrize("path", VALID, ids=named)
def test_a_valid_file_is_read_and_written_again(path: Path) -> None:
    form = FORMATS[path.parent.name]
    data = form.read(path)
    value = form.parse(data, path)
    again = form.reformat(value)
    assert form.parse(again, path) == value
    if form.one_spelling:
        assert again == data


@pytest.mark.parametrize("path", SIGNED, ids=named)
def test_what_a_valid_file_says_is_signed(path: Path) -> None:
    form = FORMATS[path.parent.name]
    assert form.verify is not None
    form.verify(form.read(path), path)


@pytest.mark.parametrize("path", MALFORMED, ids=named)
def test_a_malformed_file_is_refused(path: Path) -> None:
    form = FORMATS[path.parent.name]
    data = form.read(path)
    with pytest.raises(MalformedError):
        form.parse(data, path)


@pytest.mark.parametrize("path", UNVERIFIED, ids=named)
def test_an_unverified_file_is_read_and_does_not_hold(path: Path) -> None:
    form = FORMATS[path.parent.name]
    data = form.read(path)
    assert form.reformat(form.parse(data, path)) == data
    assert form.verify is not None
    with pytest.raises(UnverifiedError):
        form.verify(data, path)


def is_edit(path: Path) -> bool:
    kind = path.parent.name
    if kind in SEALED_FORMATS:
        return path.stem in SEALED_MALFORMED.get(kind, {})
    return kind not in OF_THEIR_OWN


EDITED = [path for path in MALFORMED if is_edit(path)]


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
    lengths = range(1, min(len(one), len(other)) + 1)
    return bisect_left(lengths, True, key=lambda length: one[:length] != other[:length])
