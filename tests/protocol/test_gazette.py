"""The Gazette: founded by all, changed by two of three, and never out of order."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocol import credited
from tests.protocol.builders import (
    DAY,
    DESK,
    MEMBERS,
    NAME,
    NOON,
    PROGRAMME,
    STRANGER,
    by_board,
    epoch_act,
    founding,
    gazette_entries,
    gazette_state,
    law,
    publication_act,
    signing_key,
    statements,
    statute_act,
    verifiers,
)

from safeconduct.errors import MalformedError, RefusedError, SafeconductError, UnverifiedError
from safeconduct.protocol.canonical import Json, format_json, parse_json
from safeconduct.protocol.gazette import GazetteState, address_at, fold, fold_all
from safeconduct.protocol.keys import programme_hash
from safeconduct.protocol.record import (
    NO_HASH,
    Record,
    Value,
    format_record,
    make_record,
    record_hash,
    sign_record,
)
from safeconduct.protocol.statute.load import with_parameters, with_version
from safeconduct.protocol.tlog.note import (
    Note,
    SigningKey,
    VerifierKey,
    format_note,
    format_vkey,
    sign_note,
)

ANNA, BORIS, CLARA = MEMBERS
STATE = gazette_state()
LAW_SHA256 = hashlib.sha256(law()).digest()
EPOCH_HASH = record_hash(gazette_entries()[2])


def test_the_entries_say_who_counts_what_is_law_and_where_to_send() -> None:
    assert STATE.size == 3
    assert STATE.programme_hash == PROGRAMME
    assert STATE.roster.members == verifiers(MEMBERS)
    assert STATE.statute(LAW_SHA256).law == law()
    assert STATE.epoch(1).statement == DESK.verifier()
    assert (STATE.statute(LAW_SHA256).index, STATE.epoch(1).index) == (1, 2)


def test_a_fold_in_one_go_and_a_fold_entry_by_entry_agree() -> None:
    state: GazetteState | None = None
    for entry in gazette_entries():
        state = fold(state, entry)
    assert state == fold_all(gazette_entries()) == STATE


def test_an_empty_gazette_founded_nothing() -> None:
    with pytest.raises(MalformedError, match="empty"):
        fold_all([])


# Founding.

LOW_ORDER = VerifierKey(name=CLARA.name, algorithm=1, public=bytes([1]) + bytes(31))


def with_low_order_member() -> bytes:
    text = format_record(founding()).decode()
    text = text.replace(format_vkey(CLARA.verifier()), format_vkey(LOW_ORDER))
    assert format_vkey(LOW_ORDER) in text
    lines = tuple(sign_note(text, key) for key in MEMBERS)
    return format_note(Note(text=text, signatures=lines))


def founded_by(*keys: SigningKey, **changes: Value) -> Callable[[], bytes]:
    return lambda: sign_record(founding(**changes), keys)


FOUNDINGS: dict[str, tuple[Callable[[], bytes], str]] = {
    "signed by two of three": (founded_by(ANNA, BORIS), "2 of 3 signatures"),
    "signed by a stranger as well": (founded_by(*MEMBERS, STRANGER), "no say here"),
    "signed by one member twice": (founded_by(ANNA, BORIS, BORIS), "signed twice"),
    "signed by strangers": (founded_by(STRANGER), "no say here"),
    "a hash that is not the name's": (
        founded_by(*MEMBERS, programme=bytes(32)),
        "not that of the name",
    ),
    "another programme's name": (
        founded_by(*MEMBERS, name="example-acb-2028"),
        "not that of the name",
    ),
    "a threshold of none": (founded_by(*MEMBERS, threshold=0), "between 1 and"),
    "a threshold above the members": (founded_by(*MEMBERS, threshold=4), "between 1 and"),
    "a threshold that two halves could reach": (
        founded_by(ANNA, BORIS, threshold=1, members=verifiers((ANNA, BORIS))),
        "more than half",
    ),
    "a member's key of low order": (with_low_order_member, "prime-order group"),
    "another kind of record first": (lambda: by_board(statute_act()), "must begin with"),
    "an unsigned record": (lambda: format_record(founding()), "no empty line"),
    "nothing": (lambda: b"", "no empty line"),
}


@pytest.mark.parametrize(("entry", "reason"), FOUNDINGS.values(), ids=FOUNDINGS)
def test_a_programme_is_not_founded_by(entry: Callable[[], bytes], reason: str) -> None:
    with pytest.raises((MalformedError, UnverifiedError), match=reason):
        fold(None, entry())


def test_a_programme_is_founded_by_all_of_its_members() -> None:
    state = fold(None, sign_record(founding(), MEMBERS))
    assert (state.size, state.roster.number, state.roster.threshold) == (1, 0, 2)


# Later entries.


def roster_act(**changes: Value) -> Record:
    fields: dict[str, Value] = {
        "programme": PROGRAMME,
        "number": 1,
        "previous": STATE.roster.hash,
        "threshold": 2,
        "members": verifiers((BORIS, CLARA, STRANGER)),
    }
    return make_record("roster", **fields | changes)


def count_act(**changes: Value) -> Record:
    fields: dict[str, Value] = {
        "programme": PROGRAMME,
        "number": 1,
        "claims": 5,
        "decided": 4,
        "suspended": 1,
        "published": 3,
    }
    return make_record("count", **fields | changes)


def archive_act(**changes: Value) -> Record:
    fields: dict[str, Value] = {
        "programme": PROGRAMME,
        "number": 1,
        "previous": NO_HASH,
        "recipient": "age1archive",
        "threshold": 3,
        "shares": 5,
    }
    return make_record("archive", **fields | changes)


def retirement_act(**changes: Value) -> Record:
    fields: dict[str, Value] = {
        "programme": PROGRAMME,
        "number": 1,
        "epoch": 1,
        "certificate": EPOCH_HASH,
        "destruction": hashlib.sha256(b"destruction").digest(),
    }
    return make_record("retirement", **fields | changes)


def second_epoch(**changes: Value) -> Record:
    fields: dict[str, Value] = {"number": 2, "previous": EPOCH_HASH, "opens": NOON + DAY}
    return epoch_act(**fields | changes)


def second_law(
    parameters: dict[str, Json] | None = None,
    *,
    number: int = 2,
    supersedes: bytes = LAW_SHA256,
    annuls: list[Json] | None = None,
) -> bytes:
    document: Any = with_version(
        parse_json(law(), "statute"),
        number=number,
        published="2027-01-20T00:00:00Z",
        in_force_from="2027-01-20T00:00:00Z",
        supersedes=supersedes,
    )
    if annuls is not None:
        struck = {"version": 1, "from": "2027-01-20T00:00:00Z", "by": "a court"}
        document["version"]["annuls"] = [struck | {"sections": annuls}]
    return format_json(with_parameters(document, parameters or {}))


def second_statute(law: bytes, **changes: Value) -> Record:
    fields: dict[str, Value] = {"number": 2, "previous": LAW_SHA256, "law": law}
    return statute_act(**fields | changes)


TAKEN: dict[str, Callable[[], Record]] = {
    "a new board": roster_act,
    "a second desk epoch": second_epoch,
    "a second version of the law": lambda: second_statute(second_law()),
    "a longer appeal period": lambda: second_statute(
        second_law({"appeal_period": {"amount": 60, "unit": "days"}})
    ),
    "a publication": publication_act,
    "a count": count_act,
    "an archive": archive_act,
    "an archive that needs all its shares": lambda: archive_act(threshold=5),
    "a retirement": retirement_act,
}


@pytest.mark.parametrize("act", TAKEN.values(), ids=TAKEN)
@pytest.mark.parametrize("signers", [(ANNA, BORIS), (CLARA, ANNA), MEMBERS])
def test_two_of_three_may_enter(
    act: Callable[[], Record], signers: tuple[SigningKey, ...]
) -> None:
    state = fold(STATE, sign_record(act(), signers))
    assert state.size == STATE.size + 1
    assert state != STATE


NOT_ENOUGH = {
    "one member": (ANNA,),
    "one member twice": (ANNA, ANNA),
    "strangers": (STRANGER, DESK),
    "a member and a stranger": (ANNA, STRANGER),
    "two members and a stranger": (ANNA, BORIS, STRANGER),
    "a stranger under a member's name": (
        ANNA,
        SigningKey(name=BORIS.name, seed=STRANGER.seed),
    ),
}


@pytest.mark.parametrize("act", TAKEN.values(), ids=TAKEN)
@pytest.mark.parametrize("signers", NOT_ENOUGH.values(), ids=NOT_ENOUGH)
def test_nothing_is_entered_by_others(
    act: Callable[[], Record], signers: tuple[SigningKey, ...]
) -> None:
    with pytest.raises(UnverifiedError):
        fold(STATE, sign_record(act(), signers))


REFUSED: dict[str, tuple[Callable[[], Record], str]] = {
    "a board out of sequence": (lambda: roster_act(number=2), "number 1 is due"),
    "a board that repeats a number": (lambda: roster_act(number=0), "number 1 is due"),
    "a board that follows another": (lambda: roster_act(previous=NO_HASH), "the one before it"),
    "a board without a majority": (lambda: roster_act(threshold=1), "more than half"),
    "a board of too few": (lambda: roster_act(threshold=4), "between 1 and"),
    "a desk epoch out of sequence": (lambda: second_epoch(number=3), "number 2 is due"),
    "a desk epoch again": (epoch_act, "number 2 is due"),
    "a desk epoch that follows another": (
        lambda: second_epoch(previous=NO_HASH),
        "the one before it",
    ),
    "a desk epoch that closes before it opens": (
        lambda: second_epoch(closes=NOON),
        "closes before",
    ),
    "a desk epoch of no length": (lambda: second_epoch(closes=NOON + DAY), "closes before"),
    "a law out of sequence": (
        lambda: second_statute(second_law(), number=3),
        "number 2 is due",
    ),
    "the same law again": (statute_act, "number 2 is due"),
    "a law that follows another": (
        lambda: second_statute(second_law(), previous=NO_HASH),
        "the one before it",
    ),
    "a law that is not the next version": (
        lambda: second_statute(second_law(number=3)),
        "must be 2",
    ),
    "a law that supersedes another": (
        lambda: second_statute(second_law(supersedes=bytes(32))),
        "supersedes",
    ),
    "a first version as a second": (lambda: second_statute(law()), "must be 2"),
    "a law whose date was moved": (
        lambda: second_statute(second_law({"the_date": "2027-07-01T00:00:00Z"})),
        "the_date: was moved",
    ),
    "a law whose date was moved by a second": (
        lambda: second_statute(second_law({"the_date": "2027-05-31T23:59:59Z"})),
        "the_date: was moved",
    ),
    "a shorter appeal period": (
        lambda: second_statute(second_law({"appeal_period": {"amount": 10, "unit": "days"}})),
        "appeal_period: was moved",
    ),
    "a law that annuls a section that is not there": (
        lambda: second_statute(second_law(annuls=["5(2)", "99"])),
        r"annuls\[0\]\.sections\[1\]: version 1 states no rule in section 99",
    ),
    "a law that is no statute": (lambda: second_statute(b"{}"), "missing"),
    "a publication out of sequence": (lambda: publication_act(number=2), "number 1 is due"),
    "a publication under no law": (
        lambda: publication_act(statute=bytes(32)),
        "never published",
    ),
    "a count out of sequence": (lambda: count_act(number=2), "number 1 is due"),
    "more decided than claimed": (lambda: count_act(claims=3), "contradict"),
    "more published than decided": (lambda: count_act(decided=3), "contradict"),
    "an archive out of sequence": (lambda: archive_act(number=2), "number 1 is due"),
    "an archive that follows another": (
        lambda: archive_act(previous=EPOCH_HASH),
        "the one before it",
    ),
    "an archive that one share opens": (lambda: archive_act(threshold=1), "2 to 16 shares"),
    "an archive that none opens": (lambda: archive_act(threshold=6), "2 to 16 shares"),
    "an archive of too many shares": (lambda: archive_act(shares=17), "2 to 16 shares"),
    "a retirement out of sequence": (lambda: retirement_act(number=2), "number 1 is due"),
    "a retirement of no epoch": (lambda: retirement_act(epoch=2), "never certified"),
    "a retirement under another certificate": (
        lambda: retirement_act(certificate=bytes(32)),
        "another certificate",
    ),
    "an issuing key for credits that are not granted": (
        lambda: credited.issuing_key_act(STATE),
        "grants no credits",
    ),
    "a count of credits that are not granted": (
        lambda: credited.credit_count_act(STATE),
        "grants no credits",
    ),
    "a second founding": (founding, "no place"),
}


@pytest.mark.parametrize(("act", "reason"), REFUSED.values(), ids=REFUSED)
def test_the_whole_board_together_cannot_enter(act: Callable[[], Record], reason: str) -> None:
    with pytest.raises((MalformedError, UnverifiedError), match=reason):
        fold(STATE, sign_record(act(), MEMBERS))


ELSEWHERE = programme_hash(NAME + "-2")


@pytest.mark.parametrize(
    "act",
    [
        roster_act,
        second_epoch,
        statute_act,
        publication_act,
        count_act,
        archive_act,
        retirement_act,
    ],
)
def test_an_entry_of_another_programme_is_refused(act: Callable[..., Record]) -> None:
    """The same people may sit on two boards; what they sign for one says nothing in another."""
    with pytest.raises(UnverifiedError, match="another programme"):
        fold(STATE, sign_record(act(programme=ELSEWHERE), MEMBERS))


def test_a_record_of_the_ledger_has_no_place_in_the_gazette() -> None:
    for data in (statements().acknowledgement, statements().assessment):
        with pytest.raises(MalformedError, match="no place"):
            fold(STATE, data)
    with pytest.raises(MalformedError):
        fold(STATE, statements().record)


def test_an_old_board_has_no_say_after_a_new_one() -> None:
    state = fold(STATE, by_board(roster_act()))
    with pytest.raises(UnverifiedError, match=ANNA.name):
        fold(state, sign_record(second_epoch(), (ANNA, BORIS)))
    assert fold(state, sign_record(second_epoch(), (BORIS, STRANGER))).epoch(2).number == 2


def test_a_second_law_leaves_the_first_to_those_who_relied_on_it() -> None:
    state = fold(STATE, by_board(second_statute(second_law())))
    assert [version.number for version in state.statutes] == [1, 2]
    assert state.statute(LAW_SHA256).law == law()


def test_what_was_never_published_is_not_found() -> None:
    with pytest.raises(UnverifiedError, match="never published"):
        STATE.statute(bytes(32))
    with pytest.raises(UnverifiedError, match="never certified"):
        STATE.epoch(2)


@settings(max_examples=30)
@given(st.integers(0, 2), st.data())
def test_an_entry_with_any_byte_changed_is_refused(number: int, data: st.DataObject) -> None:
    entries = gazette_entries()
    entry = bytearray(entries[number])
    entry[data.draw(st.integers(0, len(entry) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    state = fold_all(entries[:number]) if number else None
    with pytest.raises((MalformedError, UnverifiedError)):
        fold(state, bytes(entry))


# Archives and retired epochs.


def test_the_newest_archive_counts_and_the_older_stay() -> None:
    state = fold(STATE, by_board(archive_act()))
    second = archive_act(number=2, previous=state.archives[0].hash, recipient="age1new")
    state = fold(state, by_board(second))
    assert [archive.recipient for archive in state.archives] == ["age1archive", "age1new"]
    assert (state.archives[0].threshold, state.archives[0].shares) == (3, 5)


def test_an_epoch_is_retired_once() -> None:
    assert STATE.retired(1) is None
    state = fold(STATE, by_board(retirement_act()))
    retired = state.retired(1)
    assert retired is not None
    assert retired.destruction == retirement_act().hash("destruction")
    assert retired.index == STATE.size
    with pytest.raises(MalformedError, match="retired before"):
        fold(state, by_board(retirement_act(number=2)))


# Where a tip goes.


def test_a_tip_goes_to_the_open_epoch_under_the_newest_law() -> None:
    state = fold(STATE, by_board(second_epoch(statement=signing_key("desk/2").verifier())))
    assert address_at(state, NOON).epoch == 1
    assert address_at(state, NOON + DAY).epoch == 2
    assert address_at(state, NOON).certificate == EPOCH_HASH
    assert address_at(state, NOON).statute == LAW_SHA256


def test_the_profile_chooses_the_key() -> None:
    assert address_at(STATE, NOON).recipient == STATE.epoch(1).hybrid
    assert address_at(STATE, NOON, "x25519").recipient == STATE.epoch(1).classic


@pytest.mark.parametrize("at", [NOON - DAY - 1, NOON + 6 * DAY])
def test_no_tip_goes_to_an_epoch_that_is_closed(at: int) -> None:
    address_at(STATE, NOON - DAY)
    address_at(STATE, NOON + 6 * DAY - 1)
    with pytest.raises(RefusedError, match="open"):
        address_at(STATE, at)


def test_no_tip_is_sent_before_there_is_a_law() -> None:
    with pytest.raises(RefusedError, match="no statute"):
        address_at(fold_all(gazette_entries()[:1]), NOON)


def test_what_is_refused_says_what_and_shows_no_bytes() -> None:
    with pytest.raises(SafeconductError) as caught:
        fold(STATE, by_board(second_epoch(number=9)))
    assert caught.value.message == "epoch record: number 2 is due"
