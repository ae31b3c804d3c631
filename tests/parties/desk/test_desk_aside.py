"""Spam aside: out of the list, and in everything else as before."""

import argparse
from pathlib import Path

import pytest
from tests.parties.desk.desk_world import World

from safeconduct.errors import RefusedError
from safeconduct.parties.desk.command import add_arguments
from safeconduct.plumbing.programme import write_programme


@pytest.fixture
def folder(world: World) -> Path:
    write_programme(world.folder, world.desk.programme)
    return world.folder


@pytest.fixture
def tips(world: World) -> list[str]:
    return [world.tip(number, f"letter {number}").hex() for number in range(3)]


def listed(folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    capsys.readouterr()
    run(folder, "list", *words)
    return [line.split()[0] for line in capsys.readouterr().out.splitlines()]


def run(folder: Path, *words: str) -> None:
    parser = argparse.ArgumentParser(prog="safeconduct desk")
    add_arguments(parser)
    arguments = parser.parse_args([*words, "--dir", str(folder)])
    assert arguments.run(arguments) == 0


def test_what_is_aside_leaves_the_list_and_comes_back(
    folder: Path, tips: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    run(folder, "aside", "1", tips[2][:12])
    assert listed(folder, capsys) == ["tip-2"]
    assert listed(folder, capsys, "--aside") == ["tip-1", "tip-3"]
    run(folder, "aside", "tip-3", "--back")
    assert listed(folder, capsys) == ["tip-2", "tip-3"]


def test_what_is_aside_is_acknowledged_kept_and_counted_as_before(
    world: World, folder: Path, tips: list[str]
) -> None:
    store, digest = world.desk.store, bytes.fromhex(tips[0])
    before = (store.tips(), store.acknowledgements(), store.replies(digest))
    run(folder, "aside", "1")
    assert store.is_aside(digest)
    assert (store.tips(), store.acknowledgements(), store.replies(digest)) == before
    assert store.payload_path(digest).exists()
    world.run()
    assert store.is_aside(digest), "fetching again does not bring it back"


def test_setting_aside_twice_is_no_error(folder: Path, tips: list[str]) -> None:
    run(folder, "aside", "2", "2")
    run(folder, "aside", "2", "--back")
    run(folder, "aside", "2", "--back")


def test_one_unknown_number_sets_nothing_aside(
    world: World, folder: Path, tips: list[str]
) -> None:
    with pytest.raises(RefusedError, match="names no tip"):
        run(folder, "aside", "1", "99")
    assert not world.desk.store.is_aside(bytes.fromhex(tips[0]))
