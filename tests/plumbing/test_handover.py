"""A folder that is handed over comes to be whole or not at all, and is read without links."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from safeconduct.errors import MalformedError, RefusedError, SafeconductError, UnavailableError
from safeconduct.plumbing.handover import check_folder, file_pieces, handing_over


def test_a_folder_gets_its_name_once_all_is_in_it(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    with handing_over(out) as folder:
        (folder / "file").write_text("all of it")
        assert not out.exists()
        assert folder.stat().st_mode & 0o077 == 0
    assert [path.name for path in out.parent.iterdir()] == ["out"]
    assert (out / "file").read_text() == "all of it"


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_nothing_is_left_if_it_is_broken_off(
    tmp_path: Path, error: type[BaseException]
) -> None:
    def hand_over() -> None:
        with handing_over(tmp_path / "out") as folder:
            (folder / "file").write_text("half of it")
            raise error

    with pytest.raises(error):
        hand_over()
    assert list(tmp_path.iterdir()) == []


THERE: dict[str, Callable[[Path], None]] = {
    "an empty folder": lambda path: path.mkdir(),
    "a file": lambda path: path.touch(),
    "a link to nowhere": lambda path: path.symlink_to("nowhere"),
}


@pytest.mark.parametrize("put", THERE.values(), ids=THERE)
def test_what_is_there_already_is_never_added_to(
    tmp_path: Path, put: Callable[[Path], None]
) -> None:
    put(tmp_path / "out")
    with pytest.raises(RefusedError, match="already"), handing_over(tmp_path / "out"):
        raise AssertionError("nothing may be written")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_name_taken_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out"

    def hand_over() -> None:
        with handing_over(out):
            out.mkdir()
            (out / "of-somebody-else").touch()

    with pytest.raises(UnavailableError):
        hand_over()
    assert [path.name for path in out.iterdir()] == ["of-somebody-else"]
    assert list(tmp_path.iterdir()) == [out]


def test_pieces_of_a_file_are_the_file(tmp_path: Path) -> None:
    data = os.urandom((2 << 20) + 7)
    (tmp_path / "file").write_bytes(data)
    assert b"".join(file_pieces(tmp_path / "file", bytes_max=len(data))) == data
    with pytest.raises(MalformedError, match="longer than"):
        list(file_pieces(tmp_path / "file", bytes_max=len(data) - 1))


def _link(path: Path) -> None:
    path.with_name("target").write_text("elsewhere")
    path.symlink_to(path.with_name("target"))


NO_FILES: dict[str, tuple[Callable[[Path], object], type[SafeconductError]]] = {
    "a link": (_link, MalformedError),
    "a pipe": (os.mkfifo, MalformedError),
    "a folder": (lambda path: path.mkdir(), MalformedError),
    "nothing": (lambda path: None, UnavailableError),
}


@pytest.mark.parametrize(("put", "error"), NO_FILES.values(), ids=NO_FILES)
def test_what_is_no_file_is_not_read(
    tmp_path: Path, put: Callable[[Path], object], error: type[SafeconductError]
) -> None:
    put(tmp_path / "file")
    with pytest.raises(error):
        list(file_pieces(tmp_path / "file", bytes_max=100))


def test_a_link_to_a_folder_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    assert check_folder(tmp_path / "folder") == tmp_path / "folder"
    for name, error in (("link", MalformedError), ("nothing", UnavailableError)):
        with pytest.raises(error):
            check_folder(tmp_path / name)
