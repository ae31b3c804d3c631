"""Scene 3: each tip is acknowledged, signed and logged, and the frame-up is flagged."""

from pathlib import Path

from tests.journey.test_1_a_programme_is_founded import gazette

from safeconduct.demo.assessing import REPLY, read_findings
from safeconduct.parties.desk.assess import newest_assessment
from safeconduct.parties.desk.desk import open_desk
from safeconduct.protocol.record import parse_signed, record_hash, verify_signer


def contribution(played: Path, player: str) -> bytes:
    return record_hash((played / "receipts" / f"{player}.record").read_bytes())


def test_each_tip_is_acknowledged_under_the_certified_desk_key(played: Path) -> None:
    desk_key = gazette(played).epochs[0].statement
    store = open_desk(played / "desk").store
    for player in ("clerk", "engineer", "rival", "visitor", "late"):
        made = store.acknowledged(contribution(played, player))
        assert made is not None, player
        record = verify_signer(parse_signed(made.record, "acknowledgement"), desk_key)
        assert record.word("status") == "ok", player
        assert made.proof, player


def test_the_frame_up_is_flagged_because_its_only_corroboration_is_itself(played: Path) -> None:
    store = open_desk(played / "desk").store
    assessed = newest_assessment(store, contribution(played, "rival"))
    assert assessed is not None
    assert "circular" in {finding["kind"] for finding in read_findings(assessed.findings)}
    assert assessed.grade not in {"corroborated", "useful"}


def test_an_honest_tip_is_not_flagged(played: Path) -> None:
    store = open_desk(played / "desk").store
    assessed = newest_assessment(store, contribution(played, "engineer"))
    assert assessed is not None
    assert "circular" not in {finding["kind"] for finding in read_findings(assessed.findings)}


def test_no_reply_can_be_read_where_it_lies(played: Path) -> None:
    for path in (played / "door").rglob("*"):
        if path.is_file():
            assert REPLY[:30].encode() not in path.read_bytes(), path
