"""Scene 1: name, policy, board, law and desk key stand in the Gazette for everybody to read."""

from pathlib import Path

from safeconduct.protocol.gazette import GazetteState, fold_all
from safeconduct.protocol.statute.load import load_statute
from safeconduct.protocol.statute.text import Instant
from safeconduct.protocol.tlog.tile import parse_bundle


def gazette(played: Path) -> GazetteState:
    """The Gazette's state, folded from the published bundle alone."""
    [bundle] = (played / "public" / "gazette" / "tile" / "entries" / "000.p").iterdir()
    return fold_all(parse_bundle(bundle.read_bytes(), int(bundle.name)))


def test_the_board_is_of_three_and_two_must_sign(played: Path) -> None:
    roster = gazette(played).roster
    assert (roster.threshold, len(roster.members)) == (2, 3)


def test_the_law_is_data_with_a_date_that_may_never_change(played: Path) -> None:
    state = gazette(played)
    law = (played / "public" / "statutes" / "1.json").read_bytes()
    assert law == state.statutes[0].law
    date = load_statute(law).parameters["the_date"]
    assert isinstance(date, Instant)
    assert date.may_change == "never"


def test_the_witness_policy_has_two_sides_that_must_agree(played: Path) -> None:
    lines = (played / "policy.txt").read_text().splitlines()
    assert [line for line in lines if line.startswith(("group", "quorum"))] == [
        "group body-side any north south",
        "group insider-side any east",
        "group both-sides all body-side insider-side",
        "quorum both-sides",
    ]


def test_the_desk_key_of_the_month_is_post_quantum(played: Path) -> None:
    assert gazette(played).epochs[0].hybrid.startswith("age1pq1")
