"""A date that has passed unmarked is an alert after an hour; a gate is held to the logs."""

import hashlib

import pytest
from tests.parties.auditor.public_folder import (
    LEDGER,
    PROGRAMME,
    SERVER,
    board_signed,
    checkpoint,
    founding,
    statute_entry,
)
from tests.parties.auditor.short_act import law
from tests.parties.monitor.monitor_town import HASHES, Town, epoch_entry

from safeconduct.protocol.gate import GATE_SECONDS, Due, draft_gate
from safeconduct.protocol.gazette import fold_all
from safeconduct.protocol.record import NO_HASH, make_record, sign_record
from safeconduct.protocol.statute.instant import parse_instant
from safeconduct.protocol.tlog.merkle import Frontier, leaf_hash

LIMIT = parse_instant("2027-06-01T00:00:00Z", "the date")
STATUTE = hashlib.sha256(law()).digest()
BEGUN = [
    founding(),
    statute_entry(law()),
    epoch_entry(1, NO_HASH, LIMIT - 86_400, LIMIT + 30 * 86_400),
]


def note(size: int, at: int) -> bytes:
    edge = Frontier.empty().extend([leaf_hash(entry) for entry in HASHES[:size]])[0]
    return checkpoint(LEDGER, edge.tree(), at)


def gate(after_at: int = LIMIT + 5) -> bytes:
    due = Due(statute=STATUTE, name="the_date", limit=LIMIT)
    record = draft_gate(fold_all(BEGUN), due, note(100, LIMIT - 5), note(200, after_at))
    return sign_record(record, [SERVER])


def client() -> bytes:
    return board_signed(
        make_record(
            "client",
            programme=PROGRAMME,
            number=1,
            platform="linux-x86_64",
            version="0.1.0",
            size=10,
            sha256=bytes(32),
        )
    )


def grow(town: Town, entries: list[bytes], at: int) -> None:
    town.show("gazette", entries, at)
    town.show("ledger", HASHES[:300], at)


@pytest.mark.parametrize(
    ("at", "missed"),
    [(LIMIT - 1, False), (LIMIT + GATE_SECONDS - 1, False), (LIMIT + GATE_SECONDS, True)],
)
def test_a_date_without_a_gate_is_missed_after_an_hour(
    town: Town, at: int, missed: bool
) -> None:
    grow(town, BEGUN, at)
    found = town.watch(at)
    assert ("duty-missed" in found) == missed
    assert "duty-soon" not in found
    if missed:
        assert "has not marked it in the logs" in found["duty-missed"].sentence


def test_a_gate_that_comes_late_ends_the_alert_and_is_told(town: Town) -> None:
    at = LIMIT + 2 * GATE_SECONDS
    grow(town, BEGUN, at)
    assert "duty-missed" in town.watch(at)
    grow(town, [*BEGUN, gate()], at + 60)
    assert "duty-missed" not in town.watch(at + 60)
    told = town.sentences("notice")[-1]
    assert "the law's date the_date has passed, at 2027-06-01T00:00:00Z" in told
    assert "100 entries before, and 200 when" in told


def test_a_gate_from_before_the_date_does_not_hold(town: Town) -> None:
    grow(town, [*BEGUN, gate(LIMIT - 1)], LIMIT + 60)
    told = town.watch(LIMIT + 60)["duty-missed"].sentence
    assert "does not hold: gate: no quorum signed its later tree" in told


def test_a_client_is_told_with_its_hash(town: Town) -> None:
    grow(town, BEGUN, LIMIT - 60)
    town.watch(LIMIT - 60)
    grow(town, [*BEGUN, client()], LIMIT - 50)
    town.watch(LIMIT - 50)
    told = town.sentences("notice")[-1]
    assert told.startswith("Client 0.1.0 for linux-x86_64 was published: 10 bytes, SHA-256 00")
