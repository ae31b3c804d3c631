"""A claim to its end: proposed by the law, signed by people, dated, told, final, public."""

import hashlib
from collections.abc import Callable

import pytest
from tests.parties.registry.register_world import (
    APPEAL_SECONDS,
    NOTHING_FOUND,
    SPOKEN,
    World,
    appeal_of,
    helped,
    state_of,
    words_of,
)
from tests.protocol import builders

from safeconduct.errors import (
    ConflictError,
    MalformedError,
    RefusedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.registry import appeals, decide, receive
from safeconduct.protocol.record import (
    make_record,
    parse_record,
    parse_signed,
    record_hash,
    sign_record,
)

MEMBERS = builders.MEMBERS
STANDS = "registration_stands"


# What the law makes of a claim.


def receipt(at: int) -> bytes:
    return builders.prove(record_hash(builders.statements().record), at)


def back_dated() -> bytes:
    return builders.redated(receipt(builders.THE_DATE + 60), -builders.DAY)


CLAIMS: dict[str, tuple[Callable[[World], bytes], str, str]] = {
    "who helped in time is acquitted": (lambda world: world.filed(), "acquitted", ""),
    "who helped one second before the date is acquitted": (
        lambda world: world.filed(proof=receipt(builders.THE_DATE - 1)),
        "acquitted",
        "",
    ),
    "who helped at the date is too late": (
        lambda world: world.filed(proof=receipt(builders.THE_DATE)),
        STANDS,
        "logging of the sealed tip: before",
    ),
    "who shows another's receipt did not prove authorship": (
        lambda world: world.filed(keys=1),
        STANDS,
        "Your keys are not those that the tip is bound to.",
    ),
    "who moves the times in a receipt shows none": (
        lambda world: world.filed(proof=back_dated()),
        STANDS,
        "Does not pass the check: tip.",
    ),
    "who claims with a tip of another record shows none": (
        lambda world: world.filed(record=bytes(32)),
        STANDS,
        "The claim names another tip than the receipt does.",
    ),
}


@pytest.mark.parametrize("what", CLAIMS)
def test_every_claim_gets_a_decision_with_its_reasons(world: World, what: str) -> None:
    file, outcome, reason = CLAIMS[what]
    _, served = world.decided(file(world))
    assert served.record.word("outcome") == outcome
    letter = words_of(served.letter)
    assert reason in letter
    assert "Section 4(1)" in letter
    assert "Last day for an appeal" in letter


def test_who_denounced_in_public_is_acquitted(world: World) -> None:
    fresh = receive.challenge(world.registry)
    record = builders.capture_record(builders.public_capture())
    claim = builders.claimed(0, "claim-denounced", record=record_hash(record), challenge=fresh)
    bundle = builders.denounced_bundle(claim=claim)
    filed = receive.receive(world.registry, bundle)
    draft = decide.propose_decision(world.registry, filed.claim, NOTHING_FOUND | SPOKEN)
    assert draft.proposal.judgement.outcome == "acquitted"
    assert draft.proposal.judgement.sections == ("3", "4(2)")


@pytest.mark.parametrize(
    "judged",
    [
        {},
        SPOKEN,
        NOTHING_FOUND | SPOKEN,
        {"grave_crime_proven": False},
        {name: False for name in NOTHING_FOUND if name != "claimant_is_subject"},
    ],
    ids=["nothing", "of the other limb", "of both limbs", "half", "all but who it is"],
)
def test_the_board_judges_exactly_what_the_limb_asks(
    world: World, judged: dict[str, bool]
) -> None:
    claim = world.filed()
    with pytest.raises(MalformedError, match="must judge exactly"):
        decide.propose_decision(world.registry, claim, judged)
    assert state_of(world, claim) == "filed"


def test_a_finding_against_the_person_changes_the_outcome(world: World) -> None:
    fields = builders.helped_fields()
    assessment = (fields["assessment"].encode(), fields["assessment_proof"].encode())
    draft = decide.propose_decision(
        world.registry, world.filed(), NOTHING_FOUND | {"grave_crime_proven": True}, assessment
    )
    assert draft.proposal.judgement.outcome == STANDS
    assert draft.proposal.judgement.sections == ("3", "5(1)")


def test_new_evidence_may_be_proposed_until_the_board_has_decided(world: World) -> None:
    claim = world.filed()
    first = decide.propose_decision(world.registry, claim, NOTHING_FOUND)
    assert first.proposal.judgement.outcome == STANDS
    _, served = world.decided(claim)
    assert served.record.word("outcome") == "acquitted"
    with pytest.raises(RefusedError, match="decided cannot be proposed"):
        world.proposed(claim)


def test_the_letter_told_is_the_one_the_board_signed(world: World) -> None:
    _, served = world.decided(world.filed())
    told = words_of(served.letter).partition("\nSigned by: ")[0]
    assert hashlib.sha256(told.encode()).digest() == served.record.hash("reasons")


# Entering what the board signed.


def _another(draft: bytes) -> bytes:
    record = parse_record(draft)
    values = {name.replace("-", "_"): value for name, value in record.values.items()}
    changed = make_record("decision", **values | {"outcome": STANDS})
    return sign_record(changed, MEMBERS[:2])


def _appended(draft: bytes) -> bytes:
    return sign_all(draft, MEMBERS[:2])[:-1]


ENTERED: dict[str, tuple[type[SafeconductError], Callable[[bytes], bytes]]] = {
    "one signature where two are needed": (
        UnverifiedError,
        lambda draft: sign_all(draft, MEMBERS[:1]),
    ),
    "a stranger among the signers": (
        UnverifiedError,
        lambda draft: sign_all(draft, (*MEMBERS[:2], builders.STRANGER)),
    ),
    "another outcome than was proposed": (ConflictError, _another),
    "an unsigned draft": (MalformedError, lambda draft: draft),
    "a record of another kind": (
        MalformedError,
        lambda _: builders.by_board(builders.publication_act()),
    ),
    "cut short": (MalformedError, _appended),
    "empty": (MalformedError, lambda _: b""),
    "not UTF-8": (MalformedError, lambda draft: draft + b"\xff"),
}


@pytest.mark.parametrize("what", ENTERED)
def test_what_the_board_did_not_sign_is_not_entered(world: World, what: str) -> None:
    family, make = ENTERED[what]
    claim = world.filed()
    signed = make(world.proposed(claim).record)
    before = world.held()
    with pytest.raises(family):
        decide.enter(world.registry, claim, signed)
    assert world.held() == before


def test_nothing_can_be_entered_before_it_was_proposed(world: World) -> None:
    first, second = world.filed(), world.filed(subject="r-0002", keys=1)
    signed, _ = world.decided(first)
    with pytest.raises(RefusedError, match="no decision was proposed"):
        decide.enter(world.registry, second, signed)


def test_entering_again_serves_the_same_letter_of_the_same_date(world: World) -> None:
    claim = world.filed()
    signed, served = world.decided(claim)
    letter = served.letter.read_bytes()
    served.letter.unlink()
    world.now += 5 * builders.DAY
    assert decide.enter(world.registry, claim, signed) == served
    assert served.letter.read_bytes() == letter


def test_what_was_entered_is_taken_again_after_the_board_has_changed(world: World) -> None:
    claim, other = world.filed(), world.filed()
    signed, served = world.decided(claim)
    late = sign_all(world.proposed(other).record, MEMBERS[:2])
    served.letter.unlink()
    roster = make_record(
        "roster",
        programme=builders.PROGRAMME,
        number=1,
        previous=world.state().roster.hash,
        threshold=2,
        members=builders.verifiers((*MEMBERS[1:], builders.STRANGER)),
    )
    world.gazette.entries.append(builders.by_board(roster))
    assert decide.enter(world.registry, claim, signed) == served
    with pytest.raises(UnverifiedError, match="anna, who has no say here"):
        decide.enter(world.registry, other, late)


def test_a_decision_is_signed_once_so_that_its_date_cannot_move(world: World) -> None:
    claim = world.filed()
    draft = world.proposed(claim).record
    decide.enter(world.registry, claim, sign_all(draft, MEMBERS[:2]))
    world.now += builders.DAY
    before = world.held()
    with pytest.raises(ConflictError, match="another signing"):
        decide.enter(world.registry, claim, sign_all(draft, MEMBERS[1:]))
    assert world.held() == before


# Appeals.


def test_an_appeal_in_the_last_second_suspends_everything(world: World) -> None:
    claim = world.filed()
    signed, served = world.decided(claim)
    world.now = served.last_appeal_at
    decide.appeal(world.registry, claim, appeal_of(signed))
    world.now += 10 * APPEAL_SECONDS
    assert state_of(world, claim) == "suspended"
    assert decide.finalise(world.registry, claim) is None
    counts = decide.count_record(world.registry)
    assert counts == {"claims": 1, "decided": 1, "suspended": 1, "published": 0}


def test_an_appeal_a_second_later_is_refused(world: World) -> None:
    claim = world.filed()
    signed, served = world.decided(claim)
    world.now = served.last_appeal_at + 1
    with pytest.raises(RefusedError, match="period is over"):
        decide.appeal(world.registry, claim, appeal_of(signed))
    assert state_of(world, claim) == "decided"


def test_an_appeal_dated_in_time_counts_however_late_the_register_takes_it(
    world: World,
) -> None:
    claim = world.filed()
    signed, served = world.decided(claim)
    world.now = served.last_appeal_at
    world.log_record(world.registry.programme, appeal_of(signed))
    world.now += APPEAL_SECONDS
    assert decide.finalise(world.registry, claim) is not None
    decide.appeal(world.registry, claim, appeal_of(signed))
    assert state_of(world, claim) == "suspended"
    assert decide.finalise(world.registry, claim) is None


def test_the_same_appeal_again_is_no_error_even_when_time_is_up(world: World) -> None:
    claim = world.filed()
    signed, _ = world.decided(claim)
    decide.appeal(world.registry, claim, appeal_of(signed))
    world.now += 2 * APPEAL_SECONDS
    before = world.held()
    decide.appeal(world.registry, claim, appeal_of(signed))
    assert world.held() == before


def test_a_log_that_is_away_cannot_make_an_appeal_late(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = world.filed()
    signed, _ = world.decided(claim)

    def away(*_: object) -> None:
        raise UnavailableError("no quorum")

    with monkeypatch.context() as patch:
        patch.setattr(appeals, "log_record", away)
        with pytest.raises(UnavailableError):
            decide.appeal(world.registry, claim, appeal_of(signed))
    assert state_of(world, claim) == "suspended"
    decide.appeal(world.registry, claim, appeal_of(signed))
    assert record_hash(appeal_of(signed)) in world.ledger.entries


APPEALS: dict[str, tuple[type[SafeconductError], Callable[[bytes], bytes]]] = {
    "signed by somebody else": (
        UnverifiedError,
        lambda signed: appeal_of(signed, key=builders.STRANGER),
    ),
    "against another decision": (
        UnverifiedError,
        lambda signed: appeal_of(signed, decision=bytes(32)),
    ),
    "on no known ground": (MalformedError, lambda signed: appeal_of(signed, "anger")),
    "of another kind": (MalformedError, lambda signed: signed),
    "empty": (MalformedError, lambda _: b""),
    "cut short": (MalformedError, lambda signed: appeal_of(signed)[:-3]),
    "not UTF-8": (MalformedError, lambda _: b"\xff\xfe\n\n"),
}


@pytest.mark.parametrize("what", APPEALS)
def test_an_appeal_that_is_not_the_claimants_changes_nothing(world: World, what: str) -> None:
    family, make = APPEALS[what]
    claim = world.filed()
    signed, _ = world.decided(claim)
    before = world.held()
    with pytest.raises(family):
        decide.appeal(world.registry, claim, make(signed))
    assert world.held() == before


def test_a_second_appeal_on_another_ground_is_refused(world: World) -> None:
    claim = world.filed()
    signed, _ = world.decided(claim)
    decide.appeal(world.registry, claim, appeal_of(signed))
    with pytest.raises(RefusedError, match="under appeal already"):
        decide.appeal(world.registry, claim, appeal_of(signed, "law"))


def test_there_is_nothing_to_appeal_before_a_decision(world: World) -> None:
    claim = world.filed()
    with pytest.raises(RefusedError, match="no decision to appeal"):
        decide.appeal(world.registry, claim, appeal_of(b"nothing"))


def test_the_draft_can_be_read_again_as_long_as_anybody_signs_it(world: World) -> None:
    claim = world.filed()
    draft = world.proposed(claim).record
    assert decide.read_draft(world.registry, claim) == parse_record(draft)
    signed = parse_signed(sign_all(draft, MEMBERS[:2]))
    assert signed.record == decide.read_draft(world.registry, claim)


def test_a_claim_that_expired_before_it_was_dated_decides_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise UnavailableError("no quorum")

    bundle = helped(challenge=receive.challenge(world.registry), expires=world.now)
    with monkeypatch.context() as patch:
        patch.setattr(receive, "log_record", away)
        with pytest.raises(UnavailableError):
            receive.receive(world.registry, bundle)
    world.now += 1
    claim = receive.receive(world.registry, bundle).claim
    with pytest.raises(UnverifiedError, match="had expired when it was logged"):
        world.proposed(claim)
    assert state_of(world, claim) == "filed"
