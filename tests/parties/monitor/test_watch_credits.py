"""Credits, archive keys and destroyed epochs as the monitor tells of them."""

import pytest
from tests.parties.auditor.public_folder import PROGRAMME, board_signed, founding, statute_entry
from tests.parties.monitor.monitor_town import AT, CLOSES, HASHES, OPENS, Town, epoch_entry
from tests.protocol.credited import credited_law, issuing_key

from safeconduct.protocol.blind import format_public_key
from safeconduct.protocol.gazette import fold_all
from safeconduct.protocol.record import NO_HASH, Value, make_record, record_hash

EPOCH = epoch_entry(1, NO_HASH)
BEGUN = {
    scheme: [founding(), statute_entry(credited_law(scheme)), EPOCH]
    for scheme in ("plain", "blind")
}


def group(scheme: str) -> dict[str, Value]:
    statute = fold_all(BEGUN[scheme]).statutes[0].sha256
    return {"programme": PROGRAMME, "statute": statute, "class": "useful", "period": 1}


def count(number: int, issued: int, redeemed: int) -> bytes:
    fields = group("plain") | {"number": number, "issued": issued, "redeemed": redeemed}
    return board_signed(make_record("credit-count", **fields))


def issuing() -> bytes:
    fields = group("blind") | {"number": 1, "key": format_public_key(issuing_key())}
    return board_signed(make_record("issuing-key", **fields))


def archive() -> bytes:
    return board_signed(
        make_record(
            "archive",
            programme=PROGRAMME,
            number=1,
            previous=NO_HASH,
            recipient="age1archive",
            threshold=2,
            shares=3,
        )
    )


def retirement() -> bytes:
    return board_signed(
        make_record(
            "retirement",
            programme=PROGRAMME,
            number=1,
            epoch=1,
            certificate=record_hash(EPOCH),
            destruction=bytes([1]) * 32,
        )
    )


NEW_ENTRIES = {
    "a count of credits": ("plain", count(1, 5, 2), "5 issued, 2 redeemed"),
    "a key for credits": (
        "blind",
        issuing(),
        "A key was published for credits of class useful",
    ),
    "an archive key": ("plain", archive(), "2 of 3 custodians open it"),
    "a retirement": ("plain", retirement(), "the keys of desk epoch 1 are destroyed"),
}


def grow(town: Town, entries: list[bytes], at: int = AT) -> None:
    town.show("gazette", entries, at)
    town.show("ledger", HASHES[:300], at)


@pytest.mark.parametrize("what", NEW_ENTRIES)
def test_a_new_entry_is_told_in_plain_words(town: Town, what: str) -> None:
    scheme, entry, words = NEW_ENTRIES[what]
    assert OPENS < AT < CLOSES
    at = CLOSES + 1 if what == "a retirement" else AT
    grow(town, BEGUN[scheme], at)
    town.watch(at)
    grow(town, [*BEGUN[scheme], entry], at)
    town.watch(at)
    assert words in town.sentences("notice")[-1]


@pytest.mark.parametrize(("redeemed", "missed"), [(5, False), (6, True)])
def test_more_redeemed_than_issued_is_reported_and_names_the_group(
    town: Town, redeemed: int, missed: bool
) -> None:
    grow(town, [*BEGUN["plain"], count(1, 5, 0), count(2, 5, redeemed)])
    found = town.watch()
    assert ("duty-missed" in found) == missed
    if missed:
        told = found["duty-missed"].sentence
        assert "credits of class useful, period 1" in told
        assert "6 redeemed of 5 issued" in told
