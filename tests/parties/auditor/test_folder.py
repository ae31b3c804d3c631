"""The list of a published folder: one spelling, known names, and no way out of the folder."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safeconduct.errors import MalformedError, UnavailableError
from safeconduct.parties.auditor import folder as walked
from safeconduct.parties.auditor.folder import Folder, format_sums, is_known_name, parse_sums

HASH = "a" * 64
LIST = f"{HASH}  gazette/checkpoint\n{HASH}  register.json\n".encode()

NAMES = st.sampled_from(
    [
        "gazette/checkpoint",
        "ledger/tile/0/x001/067.p/3",
        "ledger/tile/entries/000",
        "statutes/12.json",
        f"captures/{HASH}/public.json",
        f"listings/{HASH}.json",
        "register.json",
    ]
)


@given(sums=st.dictionaries(NAMES, st.binary(min_size=32, max_size=32)))
def test_a_list_is_given_back_as_it_was(sums: dict[str, bytes]) -> None:
    data = format_sums(sums)
    assert dict(parse(data)) == sums
    assert format_sums(dict(parse(data))) == data


def parse(data: bytes) -> list[tuple[str, bytes]]:
    return list(parse_sums(io.BytesIO(data)))


REFUSED = {
    "a name twice": LIST + LIST,
    "not sorted": b"".join(LIST.splitlines(keepends=True)[::-1]),
    "cut short": LIST[:-1],
    "upper case": LIST.replace(b"a" * 64, b"A" * 64),
    "one blank": LIST.replace(b"  ", b" "),
    "binary mode": LIST.replace(b"  ", b" *"),
    "carriage return": LIST.replace(b"\n", b"\r\n"),
    "an empty line": LIST + b"\n",
    "the manifest": f"{HASH}  manifest\n".encode(),
    "itself": f"{HASH}  SHA256SUMS\n".encode(),
    "a name that means nothing": f"{HASH}  index.html\n".encode(),
    "not UTF-8": LIST + b"\xff\n",
    "a short hash": LIST[1:],
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_another_spelling_of_a_list_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse(data)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "../manifest",
        "gazette/../manifest",
        "gazette//checkpoint",
        "ledger/tile",
        "ledger/tile/0/../../../../etc/passwd",
        "ledger/tile/",
        "statutes/01.json",
        "statutes/1.json\n",
        f"listings/{HASH.upper()}.json",
        "ledger/tile/" + "0" * 200,
    ],
)
def test_a_name_that_this_protocol_does_not_give_is_unknown(name: str) -> None:
    assert not is_known_name(name)


def test_a_folder_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="no such file"):
        list(Folder(root=tmp_path / "nowhere").walk())


def test_a_file_in_the_folders_place_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "public").write_bytes(b"x")
    with pytest.raises(UnavailableError, match="not a directory"):
        list(Folder(root=tmp_path / "public").walk())


def test_a_folder_with_too_much_in_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walked, "FOLDER_NAMES_MAX", 3)
    for number in range(1, 5):
        (tmp_path / str(number)).write_bytes(b"")
    with pytest.raises(MalformedError, match="more than 3"):
        list(Folder(root=tmp_path).walk())


def test_a_file_too_large_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "register.json").write_bytes(b"1234")
    with pytest.raises(MalformedError, match="at most 3 bytes"):
        Folder(root=tmp_path).digest("register.json", bytes_max=3)
    with pytest.raises(MalformedError, match="longer than"):
        Folder(root=tmp_path).read("register.json", bytes_max=3)


def test_a_path_as_deep_as_no_published_one_is_named_and_not_followed(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(30):
        deep = deep / "folder-name"
    deep.mkdir(parents=True)
    found = list(Folder(root=tmp_path).walk())
    assert [one.fault for one in found].count("a path too long") == 1
    assert {one.fault for one in found} == {"a path too long", "a folder without files"}
