"""Scene 6: six claims, six letters; what is final is public, what is appealed is not."""

import json
from pathlib import Path

import pytest
from tests.journey.test_1_a_programme_is_founded import gazette

LETTERS = {
    "engineer": ("acquitted", "4(1)"),
    "denouncer": ("acquitted", "4(2)"),
    "latecomer": ("stands", "4(1)"),
    "forger": ("stands", "4(1)"),
    "backdater": ("stands", "4(1)"),
    "pilot": ("acquitted", "4(1)"),
}


@pytest.mark.parametrize("player", LETTERS)
def test_every_claim_gets_a_letter_with_outcome_sections_and_remedy(
    played: Path, player: str
) -> None:
    letter = (played / "letters" / f"{player}.txt").read_text()
    outcome, section = LETTERS[player]
    assert outcome in letter
    assert section in letter
    assert "appeal" in letter.lower()
    assert (played / "letters" / f"{player}.html").read_text().startswith("<!doctype html>")


def test_a_forged_claim_is_told_what_was_not_shown(played: Path) -> None:
    letter = (played / "letters" / "forger.txt").read_text()
    assert "Your keys are not those that the tip is bound to." in letter


def test_a_back_dated_receipt_is_told_which_witness_did_not_sign_that(played: Path) -> None:
    letter = (played / "letters" / "backdater.txt").read_text()
    assert "The signature of north.example is not genuine." in letter


def test_the_register_changes_for_those_acquitted_and_for_nobody_else(played: Path) -> None:
    lines = json.loads((played / "public" / "register.json").read_text())["lines"]
    assert {line["subject"]: line["standing"] for line in lines} == {
        "r-0001": "acquitted",
        "r-0002": "acquitted",
        "r-0003": "registration_stands",
        "r-0004": "registration_stands",
        "r-0005": "acquitted",
    }


def test_the_appealed_decision_was_counted_before_it_was_published(played: Path) -> None:
    counts = gazette(played).counts
    names = ("claims", "decided", "suspended")
    told = [{name: count.number(name) for name in names} for count in counts]
    assert {"claims": 6, "decided": 6, "suspended": 1} in told
    assert told[-1] == {"claims": 6, "decided": 6, "suspended": 0}


def test_the_appeal_was_decided_by_others_and_the_dissent_is_published(played: Path) -> None:
    paths = list((played / "public" / "decisions").iterdir())
    assert len(paths) == 6
    shown = [json.loads(path.read_text()) for path in paths]
    [ruled] = [one for one in shown if one["appeal"] is not None]
    votes = ruled["votes"]["votes"]
    assert sorted(vote["vote"] for vote in votes) == ["agree", "agree", "depart"]
    assert all("/panel/" in vote["member"] for vote in votes)
    first = (played / "board" / "decision-latecomer").read_text()
    assert [one["decision"] for one in shown].count(first) == 0
