"""What the Gazette says, told in plain words, and the duties that it dates."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.parties.auditor.public_folder import (
    DAY_SECONDS,
    LOGGED_AT,
    PROGRAMME,
    SERVER,
    count_entry,
    listing_of,
    publication,
)
from tests.parties.auditor.short_act import law
from tests.parties.monitor.monitor_town import (
    AT,
    CLOSES,
    FOUNDED,
    HASHES,
    Town,
    desk_key,
    epoch_entry,
    last_hash,
    roster_entry,
)

from safeconduct.errors import RefusedError
from safeconduct.parties.monitor.store import Store, open_store
from safeconduct.parties.monitor.watch import Watched, open_watch
from safeconduct.protocol.record import (
    NO_HASH,
    format_record,
    make_record,
    record_hash,
    sign_record,
)

LISTING = listing_of("r-0001")
LISTED = publication(1, "r-0001", "registered", LISTING, AT - 1)
SECOND_EPOCH = epoch_entry(2, last_hash(FOUNDED), CLOSES, CLOSES + 30 * DAY_SECONDS)
IN_FORCE = 1_798_848_000  # 2027-01-02T00:00:00Z
THE_DATE = 1_811_808_000  # 2027-06-01T00:00:00Z


def grow(town: Town, entries: Sequence[bytes], at: int = AT) -> None:
    """Let the Gazette hold the founding and these entries; the Ledger is dated alike."""
    town.show("gazette", [*FOUNDED, *entries], at)
    town.show("ledger", HASHES[:300], at)


NEW_ENTRIES = {
    "a roster": (roster_entry(1, last_hash(FOUNDED[:1])), "a new board, number 1: 2 of 2"),
    "an epoch": (SECOND_EPOCH, "Desk epoch 2 was certified"),
    "a publication": (LISTED, "Publication 1: r-0001 stands as registered"),
    "a count": (count_entry(0), "Count 1 of the cases: 3 claims, 2 decided"),
}


@pytest.mark.parametrize(("entry", "words"), NEW_ENTRIES.values(), ids=NEW_ENTRIES.keys())
def test_a_new_entry_is_told_once_in_plain_words(town: Town, entry: bytes, words: str) -> None:
    town.watch()
    grow(town, [entry])
    town.watch()
    town.watch()
    notices = town.sentences("notice")
    assert len(notices) == 2  # that the watch began, and this
    assert words in notices[1]


def test_what_stood_there_when_the_watch_began_is_not_told_one_by_one(town: Town) -> None:
    town.watch()
    assert town.sentences("notice") == [
        "The watch began: the Gazette held 3 entries, dated 2027-01-15T08:00:00Z."
    ]


def test_a_law_in_force_before_anybody_could_read_it_is_reported(town: Town) -> None:
    early = [FOUNDED[0], epoch_entry(1, NO_HASH)]
    town.show("gazette", early)
    town.watch()
    town.show("gazette", [*early, FOUNDED[1]])
    found = town.watch()
    assert "law-backdated" in found
    assert town.evidence(found["law-backdated"], ".entry") == [FOUNDED[1]]
    assert town.code == 10


def test_a_crash_before_new_entries_are_remembered_finds_and_tells_them_all_again(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = [FOUNDED[0], epoch_entry(1, NO_HASH)]
    town.show("gazette", early)
    town.watch()
    town.show("gazette", [*early, FOUNDED[1]], AT + 1)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Store, "add_gazette", crash)
        with pytest.raises(KeyboardInterrupt):
            town.watch(AT + 1)
    found = town.watch(AT + 1)
    assert len(town.evidence(found["law-backdated"], ".entry")) == 1
    assert [one for one in town.sentences("notice") if "law was published" in one] != []
    assert len(town.sentences("notice")) == 2


def test_a_law_that_was_there_before_it_came_into_force_is_no_alert(town: Town) -> None:
    early = [FOUNDED[0], epoch_entry(1, NO_HASH)]
    before = IN_FORCE - DAY_SECONDS
    for entries in (early, [*early, FOUNDED[1]]):
        town.show("gazette", entries, before)
        town.show("ledger", HASHES[:300], before)
        assert "law-backdated" not in town.watch(before)


def test_a_folder_that_watched_another_programme_is_refused(town: Town) -> None:
    town.watch()
    other = replace(town.programme, name="example-2028")
    store = open_store(town.folder)
    with pytest.raises(RefusedError, match="another programme"):
        open_watch(Watched(programme=other), store)
    store.close()


def test_an_entry_that_does_not_fold_is_kept_and_nothing_after_it_is_believed(
    town: Town,
) -> None:
    town.watch()
    wrong = epoch_entry(3, last_hash(FOUNDED))
    grow(town, [wrong, LISTED])
    found = town.watch()
    assert town.evidence(found["gazette-entry"], ".entry") == [wrong]
    assert len(town.sentences("notice")) == 1


def test_entries_that_are_not_those_of_the_checkpoint_are_not_believed(town: Town) -> None:
    town.watch()
    grow(town, [LISTED])
    other = town.files["gazette/tile/entries/000.p/4"]
    assert isinstance(other, bytes)
    town.files["gazette/tile/entries/000.p/4"] = other.replace(b"r-0001", b"r-0009")
    assert set(town.watch()) == {"gazette-entries"}
    assert len(town.sentences("notice")) == 1


def test_the_laws_date_is_told_when_it_passes_and_only_then(town: Town) -> None:
    grow(town, [SECOND_EPOCH], THE_DATE - 1)
    town.watch(THE_DATE - 1)
    assert not any("has passed" in sentence for sentence in town.sentences("notice"))
    for at in (THE_DATE + 1, THE_DATE + 2):
        grow(town, [SECOND_EPOCH], at)
        town.watch(at)
    passed = [sentence for sentence in town.sentences("notice") if "has passed" in sentence]
    assert passed == ["The law's date the_date, 2027-06-01T00:00:00Z, has passed."]


def test_a_desk_key_that_closes_soon_is_due_and_then_missed_and_then_met(town: Town) -> None:
    assert "duty-soon" not in town.watch()
    grow(town, [], CLOSES - DAY_SECONDS)
    found = town.watch(CLOSES - DAY_SECONDS)
    assert set(found) == {"duty-soon"}
    assert town.code == 0
    grow(town, [], CLOSES)
    found = town.watch(CLOSES)
    assert set(found) == {"duty-missed"}
    assert "nobody can send a tip" in found["duty-missed"].sentence
    assert town.code == 10
    grow(town, [SECOND_EPOCH], CLOSES + 1)
    assert town.watch(CLOSES + 1) == {}


def test_a_gap_between_two_desk_keys_is_missed_and_the_time_before_the_first_is_not(
    town: Town,
) -> None:
    gap = epoch_entry(2, last_hash(FOUNDED), CLOSES + DAY_SECONDS, CLOSES + 60 * DAY_SECONDS)
    grow(town, [gap], CLOSES + 1)
    assert "No desk key is open before" in town.watch(CLOSES + 1)["duty-missed"].sentence
    grow(town, [gap], CLOSES + DAY_SECONDS)
    assert town.watch(CLOSES + DAY_SECONDS) == {}
    town.show("gazette", [*FOUNDED[:2], epoch_entry(1, NO_HASH, AT + 1)])
    assert "duty-missed" not in town.watch(folder=town.folder.with_name("another"))


def test_a_duty_is_not_missed_by_this_machines_clock(town: Town) -> None:
    town.watch()
    assert "duty-missed" not in town.watch(CLOSES + 1, stale_seconds=CLOSES)


def test_a_publication_before_it_is_final_is_reported(town: Town) -> None:
    grow(town, [publication(1, "r-0001", "registered", LISTING, AT + 10)])
    found = town.watch()
    assert "Publication 1 was made before it was final" in found["duty-missed"].sentence


def test_numbers_that_are_no_dates_crash_nothing(town: Town) -> None:
    latest = (1 << 63) - 1
    last = epoch_entry(2, last_hash(FOUNDED), CLOSES, latest)
    grow(town, [last, publication(1, "r-0001", "registered", LISTING, latest)])
    assert set(town.watch()) == {"duty-missed"}


def test_a_count_that_says_more_than_is_published_is_reported(town: Town) -> None:
    grow(town, [LISTED, count_entry(1)])
    assert "says 1 decisions are published" in town.watch()["duty-missed"].sentence


def test_a_review_that_the_law_sets_is_missed_a_year_later(town: Town) -> None:
    at = AT + 366 * DAY_SECONDS
    last = epoch_entry(2, last_hash(FOUNDED), CLOSES, at + 30 * DAY_SECONDS)
    grow(town, [last, LISTED], at)
    assert "duty-missed" in town.watch(at)
    told = [one["sentence"] for one in town.told]
    assert any("r-0001, registered, was to be reviewed" in sentence for sentence in told)


def test_the_days_that_a_listing_sets_are_read_from_the_public_folder(town: Town) -> None:
    name = f"listings/{hashlib.sha256(LISTING).hexdigest()}.json"
    asked = []

    def public(asked_name: str) -> bytes:
        asked.append(asked_name)
        return LISTING

    at = LOGGED_AT + 4 * 365 * DAY_SECONDS
    last = epoch_entry(2, last_hash(FOUNDED), CLOSES, at + 30 * DAY_SECONDS)
    grow(town, [last, LISTED], at)
    town.watch(at, public=public)
    assert asked == [name]
    missed = town.sentences("new")
    assert any("The listing of r-0001 was to end with 2030-01-10" in each for each in missed)
    assert any("was to be reviewed by the end of 2028-01-10" in each for each in missed)


def test_a_listing_that_is_not_the_published_one_is_not_believed(town: Town) -> None:
    grow(town, [LISTED])
    found = town.watch(public=lambda name: listing_of("r-0001") + b" ")
    assert "is not the object" in found["listing"].sentence


def refuse(_: str) -> bytes:
    raise RefusedError("no such file")


def test_a_listing_that_is_not_there_is_said_to_be_missing(town: Town) -> None:
    grow(town, [LISTED])
    assert "no such file" in town.watch(public=refuse)["listing"].sentence


# The keeper's own tips.

CONTRIBUTION = format_record(
    make_record(
        "contribution",
        programme=PROGRAMME,
        statute=hashlib.sha256(law()).digest(),
        epoch=1,
        certificate=NO_HASH,
        profile="x25519",
        sealed_by="source",
        size=65_536,
        payload=HASHES[0],
        keycommit=HASHES[1],
        content=HASHES[2],
        author=HASHES[3],
        identity=HASHES[4],
    )
)
DELIVERED = AT - AT % DAY_SECONDS


def delivery() -> bytes:
    record = make_record(
        "delivery",
        programme=PROGRAMME,
        record=record_hash(CONTRIBUTION),
        header=HASHES[5],
        delivered=DELIVERED,
    )
    return sign_record(record, [SERVER])


def acknowledgement() -> bytes:
    record = make_record(
        "acknowledgement",
        programme=PROGRAMME,
        record=record_hash(CONTRIBUTION),
        status="ok",
        other=NO_HASH,
        epoch=1,
    )
    return sign_record(record, [desk_key(1)])


@pytest.fixture
def owed(tmp_path: Path) -> Path:
    folder = tmp_path / "owed"
    folder.mkdir()
    (folder / "letter.record").write_bytes(CONTRIBUTION)
    (folder / "letter.delivery").write_bytes(delivery())
    return folder


def dated(town: Town, ledger: Sequence[bytes], at: int) -> None:
    """Let both logs be dated `at`, with a desk key that stays open."""
    last = epoch_entry(2, last_hash(FOUNDED), CLOSES, CLOSES + 365 * DAY_SECONDS)
    town.show("gazette", [*FOUNDED, last], at)
    town.show("ledger", ledger, at)


def test_a_delivery_that_the_ledger_lacks_is_missed_after_two_days(
    town: Town, owed: Path
) -> None:
    assert town.watch(owed=owed) == {}
    at = DELIVERED + 2 * DAY_SECONDS
    dated(town, HASHES, at)
    found = town.watch(at, owed=owed)
    assert set(found) == {"owed-unlogged"}
    assert town.evidence(found["owed-unlogged"], ".delivery") == [delivery()]


def test_a_delivery_in_the_ledger_is_met_and_its_answer_is_owed(town: Town, owed: Path) -> None:
    logged = [*HASHES[:290], record_hash(delivery()), *HASHES[291:]]
    at = DELIVERED + 30 * DAY_SECONDS
    dated(town, logged, at)
    assert set(town.watch(at, owed=owed)) == {"owed-unanswered"}
    (owed / "letter.acknowledgement").write_bytes(acknowledgement())
    assert set(town.watch(at, owed=owed)) == {"owed-unanswered"}
    dated(town, [*logged, record_hash(acknowledgement())], at + 1)
    assert town.watch(at + 1, owed=owed) == {}


def test_the_ledger_is_searched_on_from_where_the_last_round_ended(
    town: Town, owed: Path
) -> None:
    dated(town, HASHES[:513], AT)
    town.watch(owed=owed)
    dated(town, [*HASHES[:520], record_hash(delivery())], AT)
    # What was searched before is not fetched again.
    for path in ("ledger/tile/entries/000", "ledger/tile/entries/001"):
        del town.files[path]
    at = DELIVERED + 2 * DAY_SECONDS
    for name in ("gazette", "ledger"):
        town.redate(name, at)
    assert town.watch(at, owed=owed) == {}


def test_an_entry_that_the_ledgers_tree_does_not_hold_counts_for_nothing(
    town: Town, owed: Path
) -> None:
    at = DELIVERED + 3 * DAY_SECONDS
    dated(town, HASHES[:300], at)
    bundle = town.files["ledger/tile/entries/000"]
    assert isinstance(bundle, bytes)
    forged = bundle.replace(HASHES[7], record_hash(delivery()))
    town.files["ledger/tile/entries/000"] = forged
    assert set(town.watch(at, owed=owed)) == {"log-tiles"}


WRONG = {
    "a delivery that the door did not sign": ("letter.delivery", acknowledgement()),
    "no contribution": ("letter.record", b"safeconduct/v1/nothing\n"),
    "another tip's contribution": (
        "letter.record",
        CONTRIBUTION.replace(b"size 65536", b"size 131072"),
    ),
    "an answer that the desk did not sign": ("letter.acknowledgement", delivery()),
}


@pytest.mark.parametrize(("name", "data"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_file_among_the_tips_is_named(
    town: Town, owed: Path, name: str, data: bytes
) -> None:
    (owed / name).write_bytes(data)
    found = town.watch(owed=owed)
    assert set(found) == {"owed-unreadable"}
    assert "letter.delivery" in found["owed-unreadable"].sentence
