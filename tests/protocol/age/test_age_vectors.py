"""The 143 published age files, each with what a reader must make of it.

Spec: C2SP CCTV, age.
"""

import hashlib
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.protocol.age.chance import in_pieces
from tests.vector_sets import vector_folder

from safeconduct.errors import MalformedError, SafeconductError
from safeconduct.protocol import age
from safeconduct.protocol.age.failures import (
    ArmorError,
    HeaderMacError,
    NoIdentityMatchError,
    PayloadError,
)

FILES = sorted(vector_folder("age").iterdir())
SOUND = [path for path in FILES if b"expect: success" in path.read_bytes()]
WELL_FORMED = [
    path
    for path in FILES
    if not {b"expect: armor failure", b"expect: header failure"}
    & set(path.read_bytes().splitlines())
]
FAILURES: dict[str, type[SafeconductError] | None] = {
    "success": None,
    "armor failure": ArmorError,
    "header failure": MalformedError,
    "no match": NoIdentityMatchError,
    "HMAC failure": HeaderMacError,
    "payload failure": PayloadError,
}

COUNTS = {
    "success": 26,
    "armor failure": 22,
    "header failure": 62,
    "no match": 13,
    "HMAC failure": 1,
    "payload failure": 19,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """One age file and its fields. The text header is ours to read, the file the reader's."""

    fields: dict[str, str]
    identities: tuple[age.Identity, ...]
    file: bytes

    @property
    def armored(self) -> bool:
        return self.fields.get("armored") == "yes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a reader released before it ended, and the error it ended with, if any."""

    released: bytes
    failure: type[Exception] | None


def read_vector(path: Path) -> Vector:
    text, _, file = path.read_bytes().partition(b"\n\n")
    lines = [line.partition(": ") for line in text.decode().splitlines()]
    fields = {name: value for name, _, value in lines}
    known = {"identity": age.parse_identity, "passphrase": passphrase}
    return Vector(
        fields=fields,
        identities=tuple(known[name](value) for name, _, value in lines if name in known),
        file=zlib.decompress(file) if fields.get("compressed") == "zlib" else file,
    )


def passphrase(text: str) -> age.Identity:
    return age.ScryptIdentity(passphrase=text)


def read(vector: Vector, piece_bytes: int) -> Outcome:
    released = bytearray()
    try:
        chunks = in_pieces(vector.file, piece_bytes)
        file = age.dearmored(chunks) if vector.armored else chunks
        for content in age.open_(vector.identities, file):
            released += content
    except SafeconductError as failure:
        return Outcome(released=bytes(released), failure=type(failure))
    return Outcome(released=bytes(released), failure=None)


def test_the_set_is_complete() -> None:
    assert len(FILES) == 143


def test_each_kind_of_outcome_is_demanded_by_so_many_files() -> None:
    """So that a file that demands nothing, or what we do not know, cannot hide among them."""
    demanded = Counter(read_vector(path).fields["expect"] for path in FILES)

    assert demanded == COUNTS


def test_released_content_is_named_by_each_file_that_reaches_its_payload() -> None:
    """For all others nothing may be released at all: the default of the test below."""
    fields = [read_vector(path).fields for path in FILES]
    reaching = {"success", "payload failure"}

    assert all("payload" in each for each in fields if each["expect"] in reaching)
    assert {each["expect"] for each in fields if "payload" in each} == reaching


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_published_file_is_read_as_its_authors_demand(path: Path) -> None:
    vector = read_vector(path)

    outcome = read(vector, 1 << 20)

    assert outcome.failure is FAILURES[vector.fields["expect"]]
    released = hashlib.sha256(outcome.released).hexdigest()
    assert released == vector.fields.get("payload", hashlib.sha256().hexdigest())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_cut_of_the_pieces_changes_nothing(path: Path) -> None:
    vector = read_vector(path)

    # Only a few files are of many chunks; byte by byte they would take minutes.
    piece_bytes = 1 if len(vector.file) < 4096 else 4099

    assert read(vector, piece_bytes) == read(vector, 1 << 20)


@pytest.mark.parametrize("path", WELL_FORMED, ids=lambda path: path.name)
def test_a_published_header_formats_back_to_its_bytes(path: Path) -> None:
    vector = read_vector(path)
    file = b"".join(age.dearmored([vector.file])) if vector.armored else vector.file

    header, offset = age.parse_header(file)

    assert age.format_header(header) == file[:offset]


@pytest.mark.parametrize("path", SOUND, ids=lambda path: path.name)
def test_resealing_a_published_payload_gives_its_bytes(path: Path) -> None:
    vector = read_vector(path)
    file = b"".join(age.dearmored([vector.file])) if vector.armored else vector.file
    payload = file[age.parse_header(file)[1] :]
    file_key = bytes.fromhex(vector.fields["file key"])
    content = b"".join(age.open_stream(file_key, [payload]))

    resealed = b"".join(age.seal_stream(file_key, payload[: age.NONCE_BYTES], [content]))

    assert resealed == payload
    assert age.sealed_bytes(len(content)) == len(payload)
