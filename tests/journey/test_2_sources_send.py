"""Scene 2: four tips are in time, each with a receipt that outsiders verify by themselves."""

from pathlib import Path

import pytest
from tests.journey.outsider import verify
from tests.journey.test_1_a_programme_is_founded import gazette

from safeconduct.protocol.record import parse_record

IN_TIME = ("clerk", "engineer", "rival", "visitor")


@pytest.mark.parametrize("player", [*IN_TIME, "late"])
def test_a_receipt_verifies_without_any_code_of_ours(played: Path, player: str) -> None:
    record = (played / "receipts" / f"{player}.record").read_bytes()
    proof = (played / "receipts" / f"{player}.tlog-proof").read_text()
    seen = verify(proof, record, (played / "policy.txt").read_text())
    assert seen.origin.endswith("/ledger")
    assert "east" in seen.witnessed
    assert seen.witnessed.keys() & {"north", "south"}


def test_the_record_says_who_sealed_it_and_names_law_and_desk_key(played: Path) -> None:
    state = gazette(played)
    sealed_by = {}
    for player in IN_TIME:
        record = parse_record((played / "receipts" / f"{player}.record").read_bytes())
        sealed_by[player] = record.word("sealed-by")
        assert record.hash("statute") == state.statutes[0].sha256
        assert record.hash("certificate") == state.epochs[0].hash
        assert record.word("profile") == "mlkem768x25519"
    assert sealed_by == {
        "clerk": "source",
        "engineer": "source",
        "rival": "source",
        "visitor": "server",
    }


def test_a_large_tip_went_through_whole(played: Path) -> None:
    record = parse_record((played / "receipts" / "engineer.record").read_bytes())
    assert record.number("size") > 10_000_000
    kept = played / "door" / "tips" / "kept"
    sizes = {path.stat().st_size for path in kept.iterdir()}
    assert record.number("size") in sizes


def test_the_ledger_tells_nothing_but_hashes_and_is_padded(played: Path) -> None:
    checkpoint = (played / "public" / "ledger" / "checkpoint").read_text()
    assert int(checkpoint.split("\n")[1]) % 8 == 0
