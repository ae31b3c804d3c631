"""A destruction counts if desk and board say the same about the same keys."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.destruction import (
    draft_destruction,
    draft_retirement,
    tips_root,
    verify_destruction,
)
from safeconduct.protocol.gazette import Archive, Epoch, GazetteState, Retirement, Roster
from safeconduct.protocol.keys import programme_hash
from safeconduct.protocol.record import Record, make_record, record_hash, sign_record
from safeconduct.protocol.tlog.note import SigningKey

PROGRAMME = programme_hash("example-2027")
CLOSES = 1_800_000_000
AT = CLOSES + 10 * 86_400
DESK = SigningKey(name="desk-epoch-1", seed=b"\x01" * 32)
OTHER = SigningKey(name="desk-epoch-1", seed=b"\x02" * 32)
TIPS = (b"\x05" * 32, b"\x04" * 32)
EPOCH = Epoch(
    number=1,
    opens=CLOSES - 1_000,
    closes=CLOSES,
    statement=DESK.verifier(),
    classic="age1",
    hybrid="age1pq1",
    hash=b"\x0e" * 32,
    index=2,
)
ARCHIVE = Archive(number=1, recipient="age1", threshold=2, shares=3, hash=b"\x0a" * 32)


def _state() -> GazetteState:
    key = SigningKey(name="member", seed=b"\x03" * 32).verifier()
    founding = make_record(
        "programme",
        programme=PROGRAMME,
        name="example-2027",
        founded=CLOSES - 9_000,
        gazette="log.example/gazette",
        ledger="log.example/ledger",
        delivery_window=86_400,
        ledger_pad=1,
        server=key,
        registry=key,
        threshold=1,
        members=(key,),
    )
    return GazetteState(
        programme=founding,
        size=4,
        rosters=(Roster(number=0, threshold=1, members=(key,), hash=bytes(32)),),
        epochs=(EPOCH,),
        archives=(ARCHIVE,),
    )


STATE = _state()
RECORD = draft_destruction(PROGRAMME, EPOCH, ARCHIVE, TIPS, AT)
SIGNED = sign_record(RECORD, [DESK])


def _retired(signed: bytes) -> GazetteState:
    draft = draft_retirement(STATE, EPOCH, signed)
    retirement = Retirement(epoch=1, destruction=draft.hash("destruction"), index=4)
    return replace(STATE, retirements=(retirement,))


def test_it_holds_when_the_board_names_what_the_desk_signed() -> None:
    proven = verify_destruction(SIGNED, _retired(SIGNED))
    assert (proven.record, proven.epoch, proven.archive) == (RECORD, EPOCH, ARCHIVE)
    assert proven.retirement.destruction == record_hash(SIGNED)
    assert RECORD.number("destroyed") % 86_400 == 0
    assert RECORD.number("tips") == 2


def test_the_root_is_over_the_tips_in_any_order_and_over_nothing_else() -> None:
    assert RECORD.hash("root") == tips_root(reversed(TIPS))
    assert tips_root(TIPS) != tips_root(TIPS[:1])
    assert tips_root([b"".join(sorted(TIPS))]) != tips_root(TIPS)


def _changed(**fields: bytes | int) -> Record:
    values = {name.replace("-", "_"): value for name, value in RECORD.values.items()}
    return make_record("destruction", **{**values, **fields})


CHANGED: dict[str, tuple[Record, SigningKey, str]] = {
    "signed by another key of the same name": (RECORD, OTHER, "has no say|signed by"),
    "of another programme": (_changed(programme=bytes(32)), DESK, "another programme"),
    "of another certificate": (_changed(certificate=bytes(32)), DESK, "another certificate"),
    "of an epoch nobody certified": (_changed(epoch=2), DESK, "never certified"),
    "of an archive nobody published": (_changed(archive=b"\x01" * 32), DESK, "an archive"),
    "before the epoch had closed": (_changed(destroyed=CLOSES - 1), DESK, "had closed"),
}


@pytest.mark.parametrize("case", CHANGED)
def test_what_the_gazette_does_not_bear_out_is_refused(case: str) -> None:
    record, key, reason = CHANGED[case]
    signed = sign_record(record, [key])
    with pytest.raises(UnverifiedError, match=reason):
        verify_destruction(signed, _retired(signed))


def _nobody(state: GazetteState) -> GazetteState:
    return replace(state, retirements=())


def _over_another(state: GazetteState) -> GazetteState:
    [one] = state.retirements
    return replace(state, retirements=(replace(one, destruction=bytes(32)),))


def _another_epoch(state: GazetteState) -> GazetteState:
    [one] = state.retirements
    return replace(state, retirements=(replace(one, epoch=2),))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_nobody, "has not retired"),
        (_over_another, "over another record"),
        (_another_epoch, "has not retired"),
    ],
)
def test_without_the_boards_word_the_desks_is_not_enough(
    change: Callable[[GazetteState], GazetteState], reason: str
) -> None:
    with pytest.raises(UnverifiedError, match=reason):
        verify_destruction(SIGNED, change(_retired(SIGNED)))


def test_another_kind_of_record_is_no_destruction() -> None:
    retirement = sign_record(draft_retirement(STATE, EPOCH, SIGNED), [DESK])
    with pytest.raises(MalformedError):
        verify_destruction(retirement, _retired(SIGNED))


def test_an_epoch_without_an_archive_is_proven_as_such() -> None:
    signed = sign_record(draft_destruction(PROGRAMME, EPOCH, None, [], AT), [DESK])
    assert verify_destruction(signed, _retired(signed)).archive is None
