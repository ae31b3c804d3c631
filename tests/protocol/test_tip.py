"""Tips: a strict container that any `tar` reads, and whose size says little."""

import hashlib
import io
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocol.age.chance import in_pieces

from safeconduct.errors import MalformedError
from safeconduct.protocol.tip import (
    BLOCK_BYTES,
    CONTAINER_BYTES_MIN,
    FILE_BYTES_MAX,
    FILES_MAX,
    MANIFEST_BYTES_MAX,
    MANIFEST_NAME,
    ContainerReader,
    Manifest,
    TipFile,
    check_file_name,
    container_chunks,
    container_size,
    content_commitment,
    format_manifest,
    member_header,
    member_name,
    padded_size,
    parse_manifest,
)

CONTENTS = (b"first\n", b"", b"x" * 512, b"y" * 70_000)


def tip_file(name: str, data: bytes, place: int = 1) -> TipFile:
    sha256 = hashlib.sha256(data).digest()
    return TipFile(name=name, size=len(data), sha256=sha256, salt=bytes([place]) * 32)


def manifest_of(contents: tuple[bytes, ...] = CONTENTS) -> Manifest:
    return Manifest(
        programme=b"\1" * 32,
        statute=b"\2" * 32,
        certificate=b"\3" * 32,
        author=b"\4" * 32,
        pre=b"\5" * 16,
        reply="age1reply",
        tag_key=b"\6" * 32,
        files=tuple(
            tip_file(f"Datei {place}.txt", data, place)
            for place, data in enumerate(contents, start=1)
        ),
    )


def container_of(contents: tuple[bytes, ...] = CONTENTS) -> bytes:
    readers = [lambda data=data: iter([data]) for data in contents]
    return b"".join(container_chunks(manifest_of(contents), readers))


def read(data: bytes, size: int = 65_536) -> tuple[Manifest, list[tuple[str, bytes]]]:
    """The manifest and each file's name and content, from `data` fed in pieces of `size`."""
    found: list[tuple[str, bytes]] = []

    def sink(file: TipFile, chunk: bytes) -> None:
        if not chunk:
            found.append((file.name, b""))
        else:
            name, content = found.pop()
            assert name == file.name
            found.append((name, content + chunk))

    reader = ContainerReader(sink)
    for piece in in_pieces(data, size):
        reader.feed(piece)
    return reader.close(), found


@settings(max_examples=40)
@given(
    st.lists(st.binary(max_size=1200), max_size=4).map(tuple),
    st.integers(100, 70_000),
)
def test_a_container_is_read_alike_in_pieces_of_any_size(
    contents: tuple[bytes, ...], size: int
) -> None:
    manifest, found = read(container_of(contents), size)
    assert manifest == manifest_of(contents)
    assert found == [(f"Datei {n}.txt", data) for n, data in enumerate(contents, start=1)]


@pytest.mark.parametrize("size", [1, 7, 511, 512, 513])
def test_a_container_is_read_alike_byte_by_byte(size: int) -> None:
    assert read(container_of(), size) == read(container_of())


def test_the_same_files_give_the_same_bytes_whatever_their_pieces() -> None:
    def in_small_pieces(data: bytes) -> Callable[[], list[bytes]]:
        return lambda: list(in_pieces(data, 10))

    readers = [in_small_pieces(data) for data in CONTENTS]
    again = b"".join(container_chunks(manifest_of(), readers))
    assert again == container_of() == container_of()
    assert len(again) == container_size(manifest_of())


def test_pythons_tarfile_reads_it() -> None:
    with tarfile.open(fileobj=io.BytesIO(container_of()), mode="r:") as archive:
        members = archive.getmembers()
        contents = tuple(file.read() for m in members if (file := archive.extractfile(m)))
    names = [MANIFEST_NAME, *(member_name(place) for place in range(1, 5))]
    assert [member.name for member in members] == names
    assert contents == (format_manifest(manifest_of()), *CONTENTS)
    for member in members:
        assert member.isreg()
        assert (member.mtime, member.uid, member.gid, member.mode) == (0, 0, 0, 0o644)
        assert (member.uname, member.gname) == ("", "")


def test_gnu_tar_reads_it(tmp_path: Path) -> None:
    assert shutil.which("tar"), "tar belongs to every system this runs on"
    (tmp_path / "tip.tar").write_bytes(container_of())
    subprocess.run(["tar", "xf", "tip.tar"], cwd=tmp_path, check=True)
    assert (tmp_path / "f0004").read_bytes() == CONTENTS[3]
    assert (tmp_path / "f0002").read_bytes() == b""
    assert (tmp_path / MANIFEST_NAME).read_bytes() == format_manifest(manifest_of())


def test_real_names_stand_in_the_manifest_only() -> None:
    data = container_of()
    assert data.count(b"Datei") == len(CONTENTS)
    assert data.index(b"Datei") > BLOCK_BYTES
    assert data.rindex(b"Datei") < BLOCK_BYTES + len(format_manifest(manifest_of()))


# Sizes.

CLASSES = {
    0: 65_536,
    1: 65_536,
    65_536: 65_536,
    65_537: 131_072,
    131_073: 262_144,
    1_048_576: 1_048_576,
    1_048_577: 1_081_344,
    1_100_000: 1_114_112,
    5_000_000: 5_111_808 - 5_111_808 % 131_072,
    100_000_000: 100_663_296,
}


@pytest.mark.parametrize(("size", "padded"), CLASSES.items())
def test_sizes_are_padded_to_powers_of_two_and_then_as_padme_says(
    size: int, padded: int
) -> None:
    assert padded_size(size) == padded


@given(st.integers(0, 1 << 33))
def test_a_padded_size_holds_its_content_and_is_a_class_of_its_own(size: int) -> None:
    padded = padded_size(size)
    assert padded >= size
    assert padded % BLOCK_BYTES == 0
    assert padded_size(padded) == padded
    assert size <= 1 << 20 or padded <= size * 1.12


@given(st.integers(0, 1 << 33), st.integers(0, 1 << 20))
def test_more_content_never_gives_less_padding(size: int, more: int) -> None:
    assert padded_size(size) <= padded_size(size + more)


def test_all_tips_up_to_four_gib_have_fewer_than_700_sizes() -> None:
    classes, size = set(), 1
    while size <= 4 << 30:
        size = padded_size(size) + 1
        classes.add(size - 1)
    assert len(classes) < 700


def test_two_short_tips_are_of_one_size() -> None:
    assert len(container_of((b"yes",))) == len(container_of((b"n" * 50_000, b""))) == 1 << 16


# What is refused.


def with_header(change: Callable[[tarfile.TarInfo], object], place: int = 1) -> bytes:
    """The container with one member's header made anew by `tarfile`, changed."""
    data = container_of()
    start = 0
    if place:
        head = len(format_manifest(manifest_of()))
        start = BLOCK_BYTES + head + -head % BLOCK_BYTES
    info = tarfile.TarInfo(member_name(place) if place else MANIFEST_NAME)
    info.size = len(CONTENTS[place - 1]) if place else len(format_manifest(manifest_of()))
    info.mode = 0o644
    change(info)
    header = info.tobuf(format=tarfile.USTAR_FORMAT)
    assert len(header) == BLOCK_BYTES
    return data[:start] + header + data[start + BLOCK_BYTES :]


def set_to(**values: object) -> Callable[[tarfile.TarInfo], object]:
    def change(info: tarfile.TarInfo) -> None:
        for name, value in values.items():
            setattr(info, name, value)

    return change


TRICKS = {
    "a symbolic link": set_to(type=tarfile.SYMTYPE, linkname="/etc/passwd"),
    "a hard link": set_to(type=tarfile.LNKTYPE, linkname="f0001"),
    "a character device": set_to(type=tarfile.CHRTYPE, devmajor=1, devminor=3),
    "a block device": set_to(type=tarfile.BLKTYPE),
    "a pipe": set_to(type=tarfile.FIFOTYPE),
    "a folder": set_to(type=tarfile.DIRTYPE),
    "a sparse file": set_to(type=tarfile.GNUTYPE_SPARSE),
    "an extended header": set_to(type=tarfile.XHDTYPE),
    "a long name": set_to(type=tarfile.GNUTYPE_LONGNAME),
    "an old kind of regular file": set_to(type=tarfile.AREGTYPE),
    "an absolute name": set_to(name="/f0001"),
    "a name that climbs": set_to(name="../f0001"),
    "a name with a dot before": set_to(name="./f0001"),
    "another name": set_to(name="f0002"),
    "a real name": set_to(name="Datei 1.txt"),
    "a time": set_to(mtime=1),
    "an owner": set_to(uid=1000),
    "a group": set_to(gid=1000),
    "an owner's name": set_to(uname="ada"),
    "a group's name": set_to(gname="staff"),
    "an executable": set_to(mode=0o755),
    "set user ID": set_to(mode=0o4644),
    "a larger size": set_to(size=7),
    "a smaller size": set_to(size=5),
}


def test_a_header_made_by_tarfile_is_ours() -> None:
    assert with_header(set_to()) == container_of()
    assert with_header(set_to(), place=0) == container_of()


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("change", TRICKS.values(), ids=TRICKS)
def test_a_member_that_is_anything_but_a_plain_file_is_refused(
    change: Callable[[tarfile.TarInfo], object], place: int
) -> None:
    with pytest.raises(MalformedError):
        read(with_header(change, place))


def members(data: bytes) -> list[bytes]:
    """The manifest's and each file's stretch of a container, header and padding included."""
    sizes = [len(format_manifest(manifest_of())), *map(len, CONTENTS)]
    stretches, start = [], 0
    for size in sizes:
        end = start + BLOCK_BYTES + size + -size % BLOCK_BYTES
        stretches.append(data[start:end])
        start = end
    return stretches


def rebuilt(order: list[int]) -> bytes:
    parts = members(container_of())
    return b"".join(parts[place] for place in order).ljust(len(container_of()), b"\0")


ORDERS = {
    "a member twice": [0, 1, 1, 2, 3, 4],
    "two members exchanged": [0, 2, 1, 3, 4],
    "a member missing": [0, 1, 2, 3],
    "no member": [0],
    "the manifest missing": [1, 2, 3, 4],
    "the manifest twice": [0, 0, 1, 2, 3, 4],
    "the manifest last": [1, 2, 3, 4, 0],
    "the manifest again at the end": [0, 1, 2, 3, 4, 0],
    "a member that is not listed": [0, 1, 2, 3, 4, 1],
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_members_stand_as_the_manifest_lists_them(order: list[int]) -> None:
    assert rebuilt([0, 1, 2, 3, 4]) == container_of()
    with pytest.raises(MalformedError):
        read(rebuilt(order))


def set_byte(data: bytes, place: int, value: int = 1) -> bytes:
    changed = bytearray(data)
    changed[place] = value
    return bytes(changed)


HEAD = len(members(container_of())[0])
WHOLE = container_of()

DAMAGED = {
    "nothing": b"",
    "less than a header": WHOLE[:511],
    "cut within the manifest": WHOLE[:600],
    "cut within a file": WHOLE[: HEAD + 600],
    "cut before the end of the archive": b"".join(members(WHOLE)),
    "one byte too few": WHOLE[:-1],
    "one byte too many": WHOLE + b"\0",
    "one block too many": WHOLE + bytes(512),
    "of the next size class": WHOLE.ljust(2 * len(WHOLE), b"\0"),
    "hidden bytes at the end": set_byte(WHOLE, -1),
    "hidden bytes after the last member": set_byte(WHOLE, sum(map(len, members(WHOLE)))),
    "hidden bytes behind a file": set_byte(WHOLE, HEAD + 512 + len(CONTENTS[0])),
    "hidden bytes behind the manifest": set_byte(
        WHOLE, 512 + len(format_manifest(manifest_of()))
    ),
    "a file changed": set_byte(WHOLE, HEAD + 512),
    "a header's checksum changed": set_byte(WHOLE, HEAD + 148, 0x37),
    "a header's reserved bytes used": set_byte(WHOLE, HEAD + 511),
    "no manifest but zeros": bytes(CONTAINER_BYTES_MIN),
    "compressed": b"\x1f\x8b\x08\0" + WHOLE,
    "a manifest's size in base 256": set_byte(WHOLE, 124, 0x80),
    "a manifest larger than any": member_header(MANIFEST_NAME, MANIFEST_BYTES_MAX + 1),
    "an empty manifest": member_header(MANIFEST_NAME, 0).ljust(65_536, b"\0"),
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_container_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        read(data)


CHANGED_FILES = {"shorter": b"", "longer": b"first\nand more"}


@pytest.mark.parametrize("data", CHANGED_FILES.values(), ids=CHANGED_FILES)
def test_a_file_that_has_another_size_than_the_manifest_says_is_noticed(data: bytes) -> None:
    with pytest.raises(MalformedError, match="changed while"):
        list(container_chunks(manifest_of((CONTENTS[0],)), [lambda: [data]]))


# The manifest.


def test_a_manifest_is_read_back_as_it_was() -> None:
    assert parse_manifest(format_manifest(manifest_of())) == manifest_of()


def edited(old: bytes, new: bytes) -> bytes:
    data = format_manifest(manifest_of((b"first\n",)))
    assert data.count(old) == 1
    return data.replace(old, new)


MALFORMED_MANIFESTS = {
    "not JSON": b"manifest",
    "a list": b"[]",
    "a blank": edited(b'"size":6', b'"size": 6'),
    "a field missing": edited(b'"reply":"age1reply",', b""),
    "a field too many": edited(b'"reply":"age1reply",', b'"reply":"age1reply","room":1,'),
    "a hash too short": edited(b"04" * 32, b"04" * 31),
    "a hash in upper case": edited(b"06" * 32, b"0A" * 32),
    "a number for a hash": edited(b'"' + b"03" * 32 + b'"', b"1"),
    "files in an object": edited(
        format_manifest(manifest_of((b"first\n",))).split(b'"files":')[1].split(b',"pre"')[0],
        b"{}",
    ),
    "a size below zero": edited(b'"size":6', b'"size":-1'),
    "a size beyond ustar": edited(b'"size":6', b'"size":%d' % (FILE_BYTES_MAX + 1)),
    "yes for a size": edited(b'"size":6', b'"size":true'),
    "a size in text": edited(b'"size":6', b'"size":"6"'),
    "a file without its name": edited(b'"name":"Datei 1.txt",', b""),
    "a file with a path": edited(b"Datei 1.txt", b"../Datei 1.txt"),
}


@pytest.mark.parametrize("data", MALFORMED_MANIFESTS.values(), ids=MALFORMED_MANIFESTS)
def test_a_malformed_manifest_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_manifest(data)


def test_a_manifest_lists_a_thousand_files_and_no_more() -> None:
    files = tuple(tip_file(f"{n}", b"") for n in range(FILES_MAX + 1))
    many = replace(manifest_of(), files=files[:-1])
    assert parse_manifest(format_manifest(many)) == many
    with pytest.raises(MalformedError, match="at most 1000"):
        parse_manifest(format_manifest(replace(many, files=files)))


def test_two_files_of_one_name_are_told_apart_by_their_members() -> None:
    """A telephone calls every picture `image.jpg`; nothing is ever stored under that name."""
    contents = (b"one", b"two")
    files = tuple(
        tip_file("image.jpg", data, place) for place, data in enumerate(contents, start=1)
    )
    manifest = replace(manifest_of(), files=files)
    readers = [lambda data=data: [data] for data in contents]
    data = b"".join(container_chunks(manifest, readers))
    assert read(data)[1] == [("image.jpg", b"one"), ("image.jpg", b"two")]


HARMFUL_NAMES = {
    "nothing": "",
    "this folder": ".",
    "the folder above": "..",
    "a path": "a/b",
    "an absolute path": "/etc/passwd",
    "a climbing path": "../../.ssh/authorized_keys",
    "a Windows path": "..\\..\\autoexec.bat",
    "a drive": "C:\\a.txt",
    "a null": "a\0.txt",
    "a line feed": "a\nb",
    "a carriage return": "a\rb",
    "an escape sequence": "\x1b[31ma.txt",
    "a delete": "a\x7f",
    "a C1 control": "a\x9b31m",
    "right to left": "invoice\u202efdp.exe",
    "an isolate": "a\u2066b",
    "a zero-width blank": "a\u200bb",
    "a byte-order mark": "\ufeffa",
    "a line separator": "a\u2028b",
    "a private character": "a\ue000",
    "a lone surrogate": "a\ud800",
    "too many bytes": "ä" * 128,
}


@pytest.mark.parametrize("name", HARMFUL_NAMES.values(), ids=HARMFUL_NAMES)
def test_a_file_name_that_could_do_harm_is_refused(name: str) -> None:
    with pytest.raises(MalformedError, match="file name"):
        check_file_name(name)


@pytest.mark.parametrize(
    "name", ["a", "Lohnliste März.csv", "报告.pdf", "...", "ä" * 127, "-rf"]
)
def test_a_plain_file_name_is_kept(name: str) -> None:
    assert check_file_name(name) == name


def test_the_content_commitment_covers_order_and_place() -> None:
    one, two = tip_file("a", b"1", 1), tip_file("b", b"2", 2)
    roots = [(one, two), (two, one), (one,), (two,), (), (one, two, two)]
    assert len({content_commitment(files) for files in roots}) == len(roots)


FILE = tip_file("a", b"1")
CHANGED_ITEMS = {
    "salt": replace(FILE, salt=bytes(32)),
    "content": replace(FILE, sha256=bytes(32)),
    "size": replace(FILE, size=2),
}


@pytest.mark.parametrize("changed", CHANGED_ITEMS.values(), ids=CHANGED_ITEMS)
def test_the_content_commitment_covers_each_part_of_a_file(changed: TipFile) -> None:
    assert content_commitment([FILE]) != content_commitment([changed])


def test_the_content_commitment_leaves_the_real_name_to_the_manifest() -> None:
    assert content_commitment([tip_file("a", b"1")]) == content_commitment(
        [tip_file("b", b"1")]
    )


@pytest.mark.parametrize("size", [(8 << 30) - 1, 8 << 30, FILE_BYTES_MAX])
def test_stock_tar_reads_the_header_of_a_file_that_eleven_digits_do_not_hold(
    tmp_path: Path, size: int
) -> None:
    path = tmp_path / "large.tar"
    with path.open("wb") as file:  # a hole: no disk is used
        file.write(member_header("f0001", size))
        file.truncate(BLOCK_BYTES + size + -size % BLOCK_BYTES + 2 * BLOCK_BYTES)
    with tarfile.open(path) as archive:
        assert [(one.name, one.size) for one in archive] == [("f0001", size)]
    listed = subprocess.run(["tar", "tvf", str(path)], capture_output=True, check=True)
    assert str(size).encode() in listed.stdout
