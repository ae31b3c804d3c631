"""The clerk's command line for listings, from a file to the Gazette, and for imports."""

import argparse
import json
from pathlib import Path

import pytest
from tests.parties.registry.listing_world import (
    APPEAL_SECONDS,
    FILE,
    PANEL,
    REPLY_SECONDS,
    SUBJECT,
    Listings,
    open_listings,
)
from tests.protocol import builders

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.registry import command, listing_command
from safeconduct.parties.registry.hearing import appeal
from safeconduct.protocol.tlog.note import SigningKey


@pytest.fixture
def listings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Listings:
    opened = open_listings(tmp_path / "register", monkeypatch)
    monkeypatch.setattr(listing_command, "open_registry", lambda _: opened.registry)
    monkeypatch.setattr(command, "open_registry", lambda _: opened.registry)
    return opened


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    options = parser.parse_args([*arguments, "--dir", "register"])
    code: int = options.run(options)
    return code


def signed(draft: Path, keys: tuple[SigningKey, ...] = builders.MEMBERS) -> str:
    draft.write_bytes(sign_all(draft.read_bytes(), keys[:2]))
    return str(draft)


def test_a_clerk_takes_a_person_from_a_file_to_the_gazette(
    listings: Listings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("person.json", "draft", "reply", "votes.json")
    file, draft, reply, votes = (tmp_path / name for name in names)
    file.write_text(json.dumps(FILE))
    reply.write_text("It was my deputy.\n")
    run("list", "propose", str(file))
    assert capsys.readouterr().out == "listing 1\n"
    run("list", "notify", "1")
    assert "reply until" in capsys.readouterr().out
    run("list", "reply", "1", str(reply))
    listings.pass_time(REPLY_SECONDS + 1)
    votes.write_bytes(listings.voted())
    run("list", "decide", "1", "--votes", str(votes), "--out", str(draft))
    run("list", "enter", "1", signed(draft))
    assert "appeal until" in capsys.readouterr().out
    appeal(listings.registry, listings.page(), "law", "No.")
    votes.write_bytes(listings.voted("uphold", keys=PANEL))
    judged = ("--result", "uphold", "--reasons", str(reply), "--out", str(draft))
    run("list", "appeal-decision", "1", *judged, "--votes", str(votes))
    run("list", "enter", "1", signed(draft, PANEL))
    listings.pass_time(APPEAL_SECONDS + 1)
    run("list", "finalise", "--out", str(tmp_path / "due"))
    capsys.readouterr()
    run("list", "publish", "1", signed(tmp_path / "due" / "1.record"))
    assert capsys.readouterr().out == f"{SUBJECT}: registered\n"
    run("list", "review", "1", "--found", "it stands")
    run("list", "identity", "1", "--judgement", "same", "--evidence", "passport")
    change = ("--field", "role", "--was", "head", "--is", "deputy", "--evidence", "papers")
    run("list", "correct", "1", *change)
    capsys.readouterr()
    run("list", "show", "1", "--json")
    assert json.loads(capsys.readouterr().out)["state"] == "effective"
    end = ("--cause", "quashed", "--reasons", "by the court", "--out", str(draft))
    run("list", "end", "1", *end)
    run("list", "publish", "1", signed(draft))
    capsys.readouterr()
    run("list", "all")
    assert "ended" in capsys.readouterr().out


def test_what_is_owed_is_told_with_what_was_late(
    listings: Listings, capsys: pytest.CaptureFixture[str]
) -> None:
    listings.proposed()
    listings.pass_time(2 * REPLY_SECONDS)
    run("list", "due")
    assert capsys.readouterr().out.startswith("LATE")
    run("list", "due", "--json")
    [row] = json.loads(capsys.readouterr().out)
    assert (row["duty"], row["breached"], row["done"]) == ("notice", True, None)


def test_an_import_is_told_first_and_done_only_without_a_fault(
    listings: Listings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("subject,name\nr-1,Anton Weller\n")
    bad.write_text("subject,name\nr-2,Ada Quill\nR,\n")
    assert run("import", str(good), "--format", "csv", "--dry-run") == 0
    assert capsys.readouterr().out == "1 to add, 0 to change, 0 to leave alone, 0 faults\n"
    assert run("import", str(bad), "--format", "csv") == MalformedError.exit_code
    assert "line 3: " in capsys.readouterr().err
    run("list", "all", "--json")
    assert json.loads(capsys.readouterr().out) == []
    assert run("import", str(good), "--format", "csv", "--json") == 0
    assert json.loads(capsys.readouterr().out)["add"] == ["r-1"]
    assert listings.now().state == "proposed"


def test_nobody_is_entered_the_short_way_where_the_law_gives_a_hearing(
    listings: Listings, tmp_path: Path
) -> None:
    file = tmp_path / "person.json"
    days = {"listed_on": "2027-01-10", "review_on": "2028-01-10", "ends_on": "2030-01-10"}
    table = {name: FILE[name] for name in ("subject", "name", "assessment")}
    file.write_text(json.dumps(table | days))
    with pytest.raises(RefusedError, match="nobody is listed unheard"):
        run("enlist", str(file), "--out", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
    assert not listings.world.state().publications
