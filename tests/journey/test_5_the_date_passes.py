"""Scene 5: the date is what the witnesses say; the late tip is taken in, and dated too late."""

from pathlib import Path

import pytest

from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.statute.load import load_statute
from safeconduct.protocol.statute.text import Instant
from safeconduct.protocol.tlog.policy import parse_policy


def the_date(played: Path) -> int:
    law = (played / "public" / "statutes" / "1.json").read_bytes()
    date = load_statute(law).parameters["the_date"]
    assert isinstance(date, Instant)
    return date.limit_at


def logged_by(played: Path, player: str) -> int:
    record = (played / "receipts" / f"{player}.record").read_bytes()
    proof = (played / "receipts" / f"{player}.tlog-proof").read_bytes()
    policy = parse_policy((played / "policy.txt").read_bytes())
    return verify_receipt(record, proof, policy).logged_by


@pytest.mark.parametrize("player", ["clerk", "engineer", "rival", "visitor"])
def test_a_tip_in_time_is_dated_before_the_date(played: Path, player: str) -> None:
    assert logged_by(played, player) < the_date(played)


def test_the_late_tip_is_dated_at_the_date_or_after(played: Path) -> None:
    assert logged_by(played, "late") >= the_date(played)
