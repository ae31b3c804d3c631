"""Scene 6, one claim: it was made with a credit, and nothing public says from which tip."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.journey.outsider import verify
from tests.journey.test_1_a_programme_is_founded import gazette

from safeconduct.protocol.credit import text_hash
from safeconduct.protocol.record import parse_signed, record_hash, verify_signer
from safeconduct.protocol.tlog.tile import TILE_WIDTH, parse_bundle

SUBJECT = "r-0005"
PLAYERS = ("clerk", "engineer", "rival", "visitor", "late")


def kept_by_desk(played: Path, column: str, table: str) -> list[bytes]:
    """One column of what the desk keeps of credits."""
    path = played / "desk" / "credits.sqlite"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return [row[0] for row in connection.execute(f"SELECT {column} FROM {table}")]


def case(played: Path) -> dict[str, str]:
    """What the public folder holds of the claim that was made with a credit."""
    files = (played / "public" / "decisions").iterdir()
    decisions = [json.loads(path.read_text()) for path in files]
    [found] = [each for each in decisions if f"\nsubject {SUBJECT}\n" in each["decision"]]
    return {name: text for name, text in found.items() if isinstance(text, str)}


def redemption(played: Path) -> tuple[bytes, str]:
    """The one redemption of the public folder: its record and its receipt."""
    [record] = (played / "public" / "redemptions").glob("*.record")
    return record.read_bytes(), record.with_suffix(".tlog-proof").read_text()


def test_the_claim_is_decided_as_if_the_tip_had_been_shown(played: Path) -> None:
    decision = parse_signed(case(played)["decision"].encode(), "decision").record
    assert decision.word("outcome") == "acquitted"
    assert (
        "a credit of class useful, period 1" in (played / "letters" / "pilot.txt").read_text()
    )


@pytest.mark.parametrize("player", PLAYERS)
def test_no_public_byte_of_the_case_names_a_tip(played: Path, player: str) -> None:
    record = (played / "receipts" / f"{player}.record").read_bytes()
    index = f"\nindex {place_of(played, record_hash(record))}\n"
    shown = "\n".join([*case(played).values(), *map(str, redemption(played))])
    assert record_hash(record).hex() not in shown
    assert index not in shown
    for line in record.decode().split("\n"):
        name, _, value = line.partition(" ")
        # What all tips to this desk have in common names none of them.
        if name in {"author", "content", "identity", "payload", "pre"}:
            assert value not in shown, name


def place_of(played: Path, entry: bytes) -> int:
    """Where in the public copy of the Ledger an entry stands."""
    return entries(played).index(entry)


def entries(played: Path) -> list[bytes]:
    """The Ledger, as the public folder holds it."""
    found: list[bytes] = []
    folder = played / "public" / "ledger" / "tile" / "entries"
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        partial = path.parent.name.endswith(".p")
        found += parse_bundle(path.read_bytes(), int(path.name) if partial else TILE_WIDTH)
    return found


def test_the_redemption_stands_in_the_folder_signed_and_dated(played: Path) -> None:
    record, proof = redemption(played)
    state = gazette(played)
    key = state.programme.key("registry")
    opened = verify_signer(parse_signed(record, "redemption"), key)
    decision = parse_signed(case(played)["decision"].encode(), "decision").record
    assert opened.hash("claim") == decision.hash("claim")
    assert (opened.word("class"), opened.number("period")) == ("useful", 1)
    seen = verify(proof, record, (played / "policy.txt").read_text())
    assert entries(played)[seen.index] == record_hash(record)


def test_the_board_counts_one_credit_issued_and_one_redeemed(played: Path) -> None:
    counts = [(each.issued, each.redeemed) for each in gazette(played).credit_counts]
    assert counts == [(1, 0), (1, 1)]


def test_what_ties_the_credit_to_the_tip_is_logged_and_never_published(played: Path) -> None:
    [link] = kept_by_desk(played, "link", "links")
    [tip] = kept_by_desk(played, "hash", "links")
    assert tip == record_hash((played / "receipts" / "visitor.record").read_bytes())
    assert record_hash(link) in entries(played)
    [request] = kept_by_desk(played, "request", "requests")
    asked = text_hash(parse_signed(request, "credit-request").record)
    for path in (played / "public").rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert b"safeconduct/v1/credit-link" not in data, path
            assert b"safeconduct/v1/credit-request" not in data, path
            assert asked.hex().encode() not in data, path
