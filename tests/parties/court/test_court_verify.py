"""A court reads a folder that somebody handed over: it believes nothing and follows nothing."""

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.parties.court.court_folders import Desktop, make_desktop
from tests.protocol import builders
from tests.protocol.builders import FILES, sealed
from tests.protocol.opening_builders import (
    answered,
    by_desk,
    by_source,
    payload,
    unanswered,
)

from safeconduct.errors import (
    MalformedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.court.command import add_arguments
from safeconduct.parties.court.explain import unproven
from safeconduct.parties.court.gazette import load_ground
from safeconduct.parties.court.verify import read_opening, verify
from safeconduct.protocol.opening import format_opening


def run(*words: str) -> int:
    """One verb, as it is typed."""
    parser = argparse.ArgumentParser(prog="safeconduct opening")
    add_arguments(parser)
    options = parser.parse_args(words)
    code: int = options.run(options)
    return code


def test_it_says_in_words_what_is_proven_and_what_is_not(
    desktop: Desktop, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("verify", str(desktop.whole()), *desktop.arguments()) == 0
    told = capsys.readouterr().out
    assert "This opening holds." in told
    assert "15 January 2027, 08:00:00 UTC" in told
    assert "the witnesses theirs and ours" in told
    assert "opened by whoever sealed it" in told
    assert "That it was ever handed in." in told
    assert "in the public log since 17 January 2027" in told
    assert FILES["message.txt"].decode() not in told


def test_with_the_desks_answer_the_doubt_about_delivery_is_gone(
    desktop: Desktop, capsys: pytest.CaptureFixture[str]
) -> None:
    run("verify", str(desktop.whole(answered(by_source()))), *desktop.arguments())
    told = capsys.readouterr().out
    assert "received the tip in time" in told
    assert "ever handed in" not in told


def test_some_files_by_the_desk_say_what_they_rest_on(
    desktop: Desktop, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = desktop.some((1, 3), by_desk((1, 3)))
    run("verify", str(folder), *desktop.arguments(), "--language", "de")
    told = capsys.readouterr().out
    assert "Geöffnet hat ihn die Annahmestelle" in told
    assert "Dafür steht die Annahmestelle" in told
    assert "Was der Rest sagt" in told


def test_json_holds_the_same(desktop: Desktop, capsys: pytest.CaptureFixture[str]) -> None:
    run("verify", str(desktop.some()), *desktop.arguments(), "--json")
    value = json.loads(capsys.readouterr().out)
    assert value["scope"] == "items"
    assert value["opened_by"] == "source"
    assert value["logged_by"] == "2027-01-15T08:00:00Z"
    assert (value["acknowledged"], value["acknowledged_by"]) == ("ok", "2027-01-16T08:00:00Z")
    assert [each["name"] for each in value["files"]] == ["message.txt", "empty"]
    assert [each["witness"] for each in value["witnesses"]] == ["theirs", "ours"]
    assert (value["files_total"], value["by_file_key"]) == (3, False)


def test_an_unlogged_opening_is_said_to_be_one(
    desktop: Desktop, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = desktop.whole(replace(by_source(), opening_proof=b""))
    run("verify", str(folder), *desktop.arguments())
    assert "When it was opened" in capsys.readouterr().out


def test_a_tip_that_the_server_sealed_is_said_to_be_one(desktop: Desktop) -> None:
    finding = verify(read_opening(desktop.whole()), desktop.ground)
    record = finding.opened.receipt.record
    by_server = replace(record, values={**record.values, "sealed-by": "server"})
    receipt = replace(finding.opened.receipt, record=by_server)
    changed = replace(finding, opened=replace(finding.opened, receipt=receipt))
    assert set(unproven(changed, "en")) - set(unproven(finding, "en")) == {
        "That nobody else could have sealed it: the programme’s server did so for somebody, and"
        " saw text and words for that moment."
    }


def test_the_sealed_bytes_may_come_from_elsewhere(desktop: Desktop, tmp_path: Path) -> None:
    folder = desktop.whole()
    (folder / "payload").rename(tmp_path / "from-the-desk")
    with pytest.raises(UnavailableError, match="sealed bytes are not here"):
        run("verify", str(folder), *desktop.arguments())
    asked = ("--payload", str(tmp_path / "from-the-desk"))
    assert run("verify", str(folder), *desktop.arguments(), *asked) == 0


@pytest.mark.parametrize("tree", ["public/gazette", "public"], ids=["public folder", "mirror"])
def test_the_gazette_is_read_from_a_public_folder_or_a_mirrors_tree(
    tmp_path: Path, tree: str
) -> None:
    assert make_desktop(tmp_path, tree).ground.state.size == 3


def _lose(root: Path) -> None:
    (root / "public/gazette/tile/entries/000.p/3").unlink()


def _alter(root: Path) -> None:
    path = root / "public/gazette/tile/entries/000.p/3"
    path.write_bytes(path.read_bytes().replace(b"founded 1", b"founded 2", 1))


def _other_log(root: Path) -> None:
    policy = builders.POLICY_TEXT.splitlines(keepends=True)
    (root / "policy.txt").write_text("".join(policy[1:]))


def _no_quorum(root: Path) -> None:
    path = root / "public/gazette/checkpoint"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


GAZETTES: dict[str, tuple[Callable[[Path], None], type[SafeconductError]]] = {
    "entries missing": (_lose, UnavailableError),
    "an entry changed": (_alter, UnverifiedError),
    "a log that the policy does not list": (_other_log, UnverifiedError),
    "a witness missing": (_no_quorum, UnverifiedError),
}


@pytest.mark.parametrize(("spoil", "error"), GAZETTES.values(), ids=GAZETTES)
def test_a_gazette_that_is_not_whole_and_vouched_for_is_refused(
    desktop: Desktop, spoil: Callable[[Path], None], error: type[SafeconductError]
) -> None:
    spoil(desktop.root)
    with pytest.raises(error):
        load_ground(desktop.root / "policy.txt", desktop.root / "public")


def test_neither_gazette_nor_programme_is_wrong_usage(
    desktop: Desktop, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(desktop.whole())
    for words in (
        (),
        ("--gazette", "public"),
        ("--policy", "policy.txt"),
        ("--programme", "p", "--policy", "policy.txt"),
        ("--programme", "p", "--gazette", "public"),
    ):
        with pytest.raises(SystemExit) as ended:
            run("verify", folder, *words)
        assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


# A hostile folder.


def _link(path: Path) -> None:
    """Put the file elsewhere, and a link to it in its place."""
    elsewhere = path.parent.parent / f"elsewhere-{path.name}"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _grow(path: Path) -> None:
    with open(path, "ab") as file:
        file.write(b"\0")


def _dangle(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.parent / "nothing")


WHOLE: dict[str, Callable[[Path], object]] = {
    "opening.json is a link": lambda folder: _link(folder / "opening.json"),
    "the payload is a link": lambda folder: _link(folder / "payload"),
    "the payload is a link to nowhere": lambda folder: _dangle(folder / "payload"),
    "opening.json is a pipe": lambda folder: _pipe(folder / "opening.json"),
    "the payload is a pipe": lambda folder: _pipe(folder / "payload"),
    "the payload is too long": lambda folder: _grow(folder / "payload"),
    "opening.json is too long": lambda folder: (
        (folder / "opening.json").write_bytes(b"{" + b" " * (1 << 20)) and None
    ),
    "opening.json is empty": lambda folder: (folder / "opening.json").write_bytes(b""),
    "the record is no contribution": lambda folder: (
        (folder / "opening.json").write_bytes(
            format_opening(replace(by_source(), record=builders.by_board(builders.epoch_act())))
        )
        and None
    ),
}


@pytest.mark.parametrize("spoil", WHOLE.values(), ids=WHOLE)
def test_a_folder_that_leads_elsewhere_or_never_ends_is_refused(
    desktop: Desktop, spoil: Callable[[Path], object]
) -> None:
    folder = desktop.whole()
    spoil(folder)
    with pytest.raises(MalformedError):
        verify(read_opening(folder), desktop.ground)


def test_a_link_to_a_folder_is_refused(desktop: Desktop) -> None:
    folder = desktop.whole()
    (desktop.root / "link").symlink_to(folder)
    with pytest.raises(MalformedError, match="symbolic link"):
        read_opening(desktop.root / "link")


def test_shown_files_are_not_read_through_links(desktop: Desktop) -> None:
    folder = desktop.some()
    _link(folder / "items" / "f0001")
    with pytest.raises(MalformedError, match="symbolic link"):
        verify(read_opening(folder), desktop.ground)
    other = desktop.some(name="other")
    _link(other / "items")
    with pytest.raises(MalformedError, match="symbolic link"):
        verify(read_opening(other), desktop.ground)


def test_what_lies_beside_the_opening_is_not_looked_at(desktop: Desktop) -> None:
    folder = desktop.some()
    (folder / "items" / "f0002").symlink_to("/etc/passwd")
    (folder / "run-me.sh").write_text("exit 1")
    assert len(verify(read_opening(folder), desktop.ground).opened.files) == 2


def test_a_false_content_list_is_refused_by_the_verb_too(desktop: Desktop) -> None:
    folder = desktop.some(bundle=unanswered(by_source((1, 3))))
    with pytest.raises(UnverifiedError, match="nothing shows"):
        run("verify", str(folder), *desktop.arguments())
    with_key = replace(unanswered(by_source((1, 3))), file_key=sealed().file_key)
    beside = desktop.some(bundle=with_key, name="with-key")
    (beside / "payload").write_bytes(payload())
    assert run("verify", str(beside), *desktop.arguments()) == 0
