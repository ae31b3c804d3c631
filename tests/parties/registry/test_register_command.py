"""The clerk's command line, from a person's listing to a published folder."""

import argparse
import json
from pathlib import Path

import pytest
from tests.parties.registry.register_world import APPEAL_SECONDS, World
from tests.protocol import builders

from safeconduct.errors import MalformedError, RefusedError, SafeconductError
from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.registry import command, deciding_command
from safeconduct.protocol.record import parse_record

ASSESSMENT = dict.fromkeys(
    ("ground", "role", "conduct", "harm", "time_since", "weight"), "looked at"
)
PERSON = {
    "subject": "r-0007",
    "name": "Anton Weller",
    "listed_on": "2027-01-10",
    "review_on": "2028-01-10",
    "ends_on": "2030-01-10",
    "assessment": ASSESSMENT,
}


@pytest.fixture(autouse=True)
def _the_register(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (command, deciding_command):
        monkeypatch.setattr(module, "open_registry", lambda _: world.registry)


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    options = parser.parse_args([*arguments, "--dir", "register"])
    code: int = options.run(options)
    return code


def signed(draft: Path) -> Path:
    draft.write_bytes(sign_all(draft.read_bytes(), builders.MEMBERS[:2]))
    return draft


def desk_files(folder: Path) -> list[str]:
    fields = builders.helped_fields()
    options: list[str] = []
    for option in ("assessment", "assessment-proof"):
        path = folder / option
        path.write_text(fields[option.replace("-", "_")])
        options += [f"--{option}", str(path)]
    return options


JUDGED = [
    *("--judge", "claimant_is_subject=yes"),
    *("--judge", "grave_crime_proven=no"),
    *("--judge", "knowing_falsehood_found=no"),
]


def test_a_clerk_takes_a_claim_from_filing_to_the_public_folder(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    claim = world.filed().hex()
    draft = tmp_path / "decision"
    run("propose", "1", *JUDGED, *desk_files(tmp_path), "--out", str(draft))
    assert "acquitted" in capsys.readouterr().out
    run("enter", claim[:8], str(signed(draft)))
    assert "appeal until 2027-02-17T08:00:00Z" in capsys.readouterr().out
    world.now += APPEAL_SECONDS + 1
    run("finalise", "--out", str(tmp_path / "due"))
    due = Path(capsys.readouterr().out.strip())
    run("enter-publication", str(signed(due)), "--claim", claim)
    run("count", "--out", str(tmp_path / "count"))
    assert parse_record((tmp_path / "count").read_bytes()).number("published") == 1
    run("publish", "--out", str(tmp_path / "public"))
    assert (tmp_path / "public" / "manifest").is_file()
    capsys.readouterr()
    run("finalise", "--out", str(tmp_path / "due"))
    assert "no publication is due" in capsys.readouterr().err


def test_cases_are_listed_for_people_and_for_programs(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    claim = world.filed()
    run("cases")
    assert "filed" in capsys.readouterr().out
    run("cases", "--json")
    [row] = json.loads(capsys.readouterr().out)
    assert (row["claim"], row["state"], row["number"]) == (claim.hex(), "filed", 1)
    world.proposed(claim)
    run("show", claim.hex()[:4], "--json")
    shown = json.loads(capsys.readouterr().out)
    assert parse_record(shown["draft"].encode()).word("outcome") == "acquitted"


def test_a_person_is_enlisted_after_an_individual_assessment(
    world: World, tmp_path: Path
) -> None:
    file, draft = tmp_path / "person.yaml", tmp_path / "listing"
    file.write_text(json.dumps(PERSON))
    run("enlist", str(file), "--out", str(draft))
    run("enter-publication", str(signed(draft)))
    assert world.state().publications[-1].word("subject") == "r-0007"


LISTINGS = {
    "without an assessment": {**PERSON, "assessment": {}},
    "with an empty answer": {**PERSON, "assessment": {**ASSESSMENT, "harm": " "}},
    "without a day of review": {k: v for k, v in PERSON.items() if k != "review_on"},
    "with a number that is no word": {**PERSON, "subject": "R 1"},
    "with a name that moves the cursor": {**PERSON, "name": "A\u001b[2J"},
}


@pytest.mark.parametrize("what", LISTINGS)
def test_nobody_is_enlisted_on_an_incomplete_file(
    world: World, tmp_path: Path, what: str
) -> None:
    file = tmp_path / "person.json"
    file.write_text(json.dumps(LISTINGS[what]))
    with pytest.raises(MalformedError):
        run("enlist", str(file), "--out", str(tmp_path / "listing"))
    assert not (tmp_path / "listing").exists()


WRONG: dict[str, tuple[type[SafeconductError], list[str]]] = {
    "no such case": (RefusedError, ["9", *JUDGED]),
    "an empty name of a case": (RefusedError, ["", *JUDGED]),
    "an answer that is neither yes nor no": (MalformedError, ["1", "--judge", "a=maybe"]),
    "the same question twice": (MalformedError, ["1", *JUDGED, *JUDGED]),
    "a question left open": (MalformedError, ["1", *JUDGED[:2]]),
    "an assessment without its proof": (MalformedError, ["1", *JUDGED, "--assessment", "x"]),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_proposal_is_one_error_and_writes_nothing(
    world: World, tmp_path: Path, what: str
) -> None:
    family, arguments = WRONG[what]
    world.filed()
    before = world.held()
    with pytest.raises(family):
        run("propose", *arguments, "--out", str(tmp_path / "draft"))
    assert not (tmp_path / "draft").exists()
    assert world.held() == before


@pytest.mark.parametrize("content", [b"\xff", b""])
def test_an_assessment_that_is_no_text_is_refused(
    world: World, tmp_path: Path, content: bytes
) -> None:
    world.filed()
    options = desk_files(tmp_path)
    (tmp_path / "assessment").write_bytes(content)
    with pytest.raises(MalformedError, match="assessment"):
        run("propose", "1", *JUDGED, *options, "--out", str(tmp_path / "draft"))
