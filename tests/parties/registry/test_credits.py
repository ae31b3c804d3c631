"""Credits at the register: redeemed once, for one person, by a crowd, and never for nothing."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.parties.registry.credit_world import (
    GROUP,
    MINIMUM,
    begin,
    counted,
    decided,
    drafted,
    filed,
    nullifier_of,
)
from tests.parties.registry.register_world import (
    APPEAL_SECONDS,
    NOTHING_FOUND,
    World,
    appeal_of,
    open_world,
    state_of,
    words_of,
)
from tests.protocol import builders, credited
from tests.protocol.claiming import credited_bundle, redemption

from safeconduct.errors import ConflictError, RefusedError, SafeconductError, UnavailableError
from safeconduct.parties.auditor.check import audit
from safeconduct.parties.auditor.finding import CreditTally
from safeconduct.parties.auditor.folder import Folder
from safeconduct.parties.registry import decide, redeeming, sitting
from safeconduct.parties.registry.book import Reader
from safeconduct.parties.registry.publish import publish
from safeconduct.parties.registry.receive import challenge, receive
from safeconduct.parties.registry.redemptions import (
    credit_count,
    final_redemptions,
)
from safeconduct.parties.registry.ruling import read_ruling
from safeconduct.parties.registry.show import read_case
from safeconduct.plumbing.durable import list_files
from safeconduct.protocol.claim import open_redemption
from safeconduct.protocol.record import Value, parse_any, record_hash, sign_record
from safeconduct.protocol.tlog.note import SigningKey


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return begin(open_world(tmp_path, monkeypatch, credited.entries()))


def redeemed_event(world: World, claim: bytes) -> dict[str, str]:
    event = world.registry.store.case(claim).latest["redeemed"]
    value: dict[str, str] = json.loads(event.data)
    return value


# The whole way.


def test_a_credit_acquits_and_is_used_up(world: World) -> None:
    claim = filed(world)
    served = decided(world, claim)
    assert served.record.word("outcome") == "acquitted"
    signed = redeemed_event(world, claim)["redemption"].encode()
    record = open_redemption(signed, world.state())
    assert record.hash("nullifier") == nullifier_of()
    assert record.hash("claim") == claim
    assert record_hash(signed) in world.ledger.entries


def test_letter_and_page_tell_class_and_period_and_no_tip(world: World) -> None:
    claim = filed(world)
    served = decided(world, claim)
    letter = words_of(served.letter)
    assert "having helped (a credit of class useful, period 1) before the date" in letter
    page = next(one.page for one in world.registry.store.cases() if one.claim == claim)
    case = read_case(world.registry, Reader(world.registry).book(), page)
    assert case.ground == "helped (a credit of class useful, period 1)"
    assert credited.tip_hash().hex() not in letter


def test_the_published_decision_shows_the_credit_it_rests_on(world: World) -> None:
    claim = filed(world)
    decided(world, claim)
    world.finished(claim)
    book = Reader(world.registry).book()
    sha256 = book.about("r-0001")[0].record.hash("object")
    ruling = read_ruling(world.registry, book, sha256)
    assert ruling.fault == ""
    assert ruling.credit.startswith("class useful, period 1, for help logged before ")


# Once, for one person.


def test_a_credit_is_claimed_under_one_number_and_the_first_case_is_the_evidence(
    world: World,
) -> None:
    filed(world)
    before = world.held()
    with pytest.raises(ConflictError, match="under another number, in case 1") as caught:
        filed(world, subject="r-0002")
    assert caught.value.evidence == (b"1",)
    assert world.held() == before


def test_two_claims_at_once_under_two_numbers_leave_one(world: World) -> None:
    bundles = [
        credited_bundle(
            credited.held(), 0, "plain", challenge=challenge(world.registry), subject=subject
        )
        for subject in ("r-0001", "r-0002")
    ]
    start, results = threading.Barrier(2), list[object]()

    def file(bundle: bytes) -> None:
        start.wait()
        try:
            results.append(receive(world.registry, bundle))
        except SafeconductError as error:
            results.append(error)

    threads = [threading.Thread(target=file, args=(bundle,)) for bundle in bundles]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(one, ConflictError) for one in results) == 1
    assert len(world.registry.store.cases()) == 1


def test_who_was_refused_may_use_the_credit_again_for_the_same_person(world: World) -> None:
    first = filed(world)
    served = decided(world, first, claimant_is_subject=False)
    assert served.record.word("outcome") == "registration_stands"
    assert "redeemed" not in world.registry.store.case(first).latest
    with pytest.raises(ConflictError, match="under another number"):
        filed(world, subject="r-0002")
    second = filed(world)
    assert decided(world, second).record.word("outcome") == "acquitted"


def test_a_credit_that_was_used_up_is_not_claimed_on_again(world: World) -> None:
    decided(world, filed(world))
    before = world.held()
    with pytest.raises(ConflictError, match="redeemed already, in case 1") as caught:
        filed(world)
    assert caught.value.evidence == (b"1",)
    assert world.held() == before


def test_of_two_cases_on_one_credit_one_is_decided_for_the_person(world: World) -> None:
    first, second = filed(world), filed(world)
    both = [drafted(world, claim) for claim in (first, second)]
    decide.enter(world.registry, first, both[0])
    before = world.held()
    with pytest.raises(ConflictError, match="redeemed already, in case 1"):
        decide.enter(world.registry, second, both[1])
    assert world.held() == before  # not even dated
    assert state_of(world, second) == "proposed"


def test_two_decisions_at_once_on_one_credit_leave_one(world: World) -> None:
    claims = [filed(world), filed(world)]
    signed = [drafted(world, claim) for claim in claims]
    start, results = threading.Barrier(2), list[object]()

    def enter(claim: bytes, decision: bytes) -> None:
        start.wait()
        try:
            results.append(decide.enter(world.registry, claim, decision))
        except SafeconductError as error:
            results.append(error)

    pairs = zip(claims, signed, strict=True)
    threads = [threading.Thread(target=enter, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(one, ConflictError) for one in results) == 1
    assert sorted(state_of(world, claim) for claim in claims) == ["decided", "proposed"]


def test_somebody_elses_credit_takes_nothing_from_its_holder(world: World) -> None:
    fresh = challenge(world.registry)
    stolen = credited_bundle(credited.held(), 1, "plain", challenge=fresh, subject="r-0002")
    thief = receive(world.registry, stolen).claim
    assert decided(world, thief).record.word("outcome") == "registration_stands"
    assert decided(world, filed(world)).record.word("outcome") == "acquitted"


FORGED: dict[str, Callable[[], bytes]] = {
    "signed by too few": lambda: _resigned(builders.MEMBERS[:1]),
    "signed by outsiders": lambda: _resigned((builders.STRANGER, builders.DESK)),
    "of a better class": lambda: credited.held().replace(
        b"class useful", b"class corroborated"
    ),
}


def _resigned(keys: tuple[SigningKey, ...]) -> bytes:
    return sign_record(parse_any(credited.held()), keys)


@pytest.mark.parametrize("what", FORGED)
def test_a_forged_credit_comes_to_a_reasoned_refusal_and_no_redemption(
    world: World, what: str
) -> None:
    record = credit_count(world.registry, credited.group(word="corroborated"), MINIMUM)
    world.log_notice(world.registry.programme, builders.by_board(record))
    fresh = challenge(world.registry)
    bundle = credited_bundle(FORGED[what](), 0, "plain", challenge=fresh)
    claim = receive(world.registry, bundle).claim
    served = decided(world, claim)
    assert served.record.word("outcome") == "registration_stands"
    assert "Does not pass the check: credit." in words_of(served.letter)
    assert "redeemed" not in world.registry.store.case(claim).latest


# A crowd.


def test_no_credit_is_redeemed_before_enough_were_issued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = open_world(tmp_path / "early", monkeypatch, credited.entries())
    world.listed("r-0001")
    for issued in (0, MINIMUM - 1):
        counted(world, issued)
        before = world.held()
        with pytest.raises(RefusedError, match=f"{issued} credits of class useful") as caught:
            filed(world)
        assert f"before there are {MINIMUM}" in caught.value.message
        assert "when the board has counted" in caught.value.hint
        assert world.held() == before
    counted(world, MINIMUM)
    filed(world)


def test_no_more_credits_are_redeemed_than_are_counted(world: World) -> None:
    for number in range(MINIMUM + 1):
        world.listed(f"r-010{number}")
    claims = [filed(world, n, subject=f"r-010{n}") for n in range(MINIMUM + 1)]
    for claim in claims[:-1]:
        decided(world, claim)
    signed = drafted(world, claims[-1])
    before = world.held()
    with pytest.raises(RefusedError, match="3 of the 3 credits of this kind"):
        decide.enter(world.registry, claims[-1], signed)
    assert world.held() == before
    counted(world, MINIMUM + 1)
    decide.enter(world.registry, claims[-1], signed)


# Who may know what.


def test_nobody_asks_for_the_assessment_of_a_tip_behind_a_credit(world: World) -> None:
    claim = filed(world)
    fields = builders.helped_fields()
    pair = (fields["assessment"].encode(), fields["assessment_proof"].encode())
    with pytest.raises(RefusedError, match="names no tip"):
        decide.propose_decision(world.registry, claim, NOTHING_FOUND, pair)


# Crashes between the steps.


def test_a_redemption_that_the_log_did_not_take_is_made_good(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = filed(world)
    signed = drafted(world, claim)
    calls = list[bytes]()

    def fails_second(programme: object, record: bytes) -> object:
        calls.append(record)
        if len(calls) == 2:
            raise UnavailableError("no quorum")
        return world.log_record(world.registry.programme, record)

    with monkeypatch.context() as patch:
        patch.setattr(sitting, "log_record", fails_second)
        patch.setattr(redeeming, "log_record", fails_second)
        with pytest.raises(UnavailableError):
            decide.enter(world.registry, claim, signed)
    assert state_of(world, claim) == "decided"
    with pytest.raises(ConflictError, match="redeemed already"):
        filed(world)  # used up from the decision on, whatever the log does
    decide.enter(world.registry, claim, signed)
    assert redeemed_event(world, claim)["redemption"].encode() == calls[1]


def test_a_redemption_that_nobody_made_good_is_made_good_before_publication(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = filed(world)
    with monkeypatch.context() as patch:
        patch.setattr(decide, "redeem", lambda *_: None)
        decided(world, claim)
    assert "redeemed" not in world.registry.store.case(claim).latest
    world.finished(claim)
    assert "redeemed" in world.registry.store.case(claim).latest


def test_entering_a_decision_twice_redeems_once(world: World) -> None:
    claim = filed(world)
    signed = drafted(world, claim)
    decide.enter(world.registry, claim, signed)
    before = world.held()
    decide.enter(world.registry, claim, signed)
    assert world.held() == before


# What the public sees.


def appealed(world: World, claim: bytes) -> None:
    signed = decide.decided_record(world.registry, claim)
    assert signed is not None
    seed = redemption()[0].derive("author-ed25519")
    decide.appeal(
        world.registry, claim, appeal_of(signed, key=SigningKey(name="claimant", seed=seed))
    )


def test_a_redemption_is_public_when_its_decision_is_final(world: World) -> None:
    claim = filed(world)
    decided(world, claim)
    assert list(final_redemptions(world.registry, world.state())) == []
    world.finished(claim)
    [shown] = final_redemptions(world.registry, world.state())
    assert (shown.group, shown.nullifier) == (GROUP, nullifier_of())


def test_a_redemption_once_public_stays_so_whatever_comes_to_light_later(
    world: World,
) -> None:
    """The board has counted it: were it gone, the count would look false."""
    claim = filed(world)
    served = decided(world, claim)
    signed = decide.decided_record(world.registry, claim)
    assert signed is not None
    key = SigningKey(name="claimant", seed=redemption()[0].derive("author-ed25519"))
    world.now = served.last_appeal_at
    world.log_record(world.registry.programme, appeal_of(signed, key=key))
    world.now += APPEAL_SECONDS
    assert decide.finalise(world.registry, claim) is not None
    assert credit_count(world.registry, GROUP, MINIMUM).number("redeemed") == 1
    decide.appeal(world.registry, claim, appeal_of(signed, key=key))
    assert state_of(world, claim) == "suspended"
    assert credit_count(world.registry, GROUP, MINIMUM).number("redeemed") == 1


def test_the_holder_of_a_credit_appeals_with_the_keys_that_redeem_it(world: World) -> None:
    claim = filed(world)
    decided(world, claim)
    appealed(world, claim)
    world.now += 2 * APPEAL_SECONDS
    assert state_of(world, claim) == "suspended"
    assert decide.finalise(world.registry, claim) is None
    assert list(final_redemptions(world.registry, world.state())) == []


def test_an_auditor_finds_a_folder_with_redemptions_true(world: World, tmp_path: Path) -> None:
    claims = [filed(world), filed(world, 1, subject="r-0002")]
    for claim in claims:
        decided(world, claim)
    for claim in claims:
        world.finished(claim)
    counted(world, 5)
    public = tmp_path / "public"
    publish(world.registry, public, None)
    names = [name for name in list_files(public) if name.startswith("redemptions/")]
    assert names == sorted(
        f"redemptions/{nullifier_of(number).hex()}{suffix}"
        for number in (0, 1)
        for suffix in (".record", ".tlog-proof")
    )
    found = audit(Folder(root=public), builders.POLICY)
    assert [result for result in found.results if not result.holds] == []
    assert found.credits == (CreditTally(group=GROUP, issued=5, redeemed=2),)


def test_a_folder_without_redemptions_has_no_place_for_them(
    world: World, tmp_path: Path
) -> None:
    publish(world.registry, tmp_path / "public", None)
    assert not (tmp_path / "public" / "redemptions").exists()


def test_nothing_in_the_public_folder_ties_a_sealed_claim_to_its_credit(
    world: World, tmp_path: Path
) -> None:
    claim = filed(world, disclosure="sealed")
    decided(world, claim)
    world.now += APPEAL_SECONDS + 1
    assert decide.finalise(world.registry, claim) is None  # published with consent only
    counted(world, MINIMUM)
    public = tmp_path / "public"
    publish(world.registry, public, None)
    shown = (public / f"redemptions/{nullifier_of().hex()}.record").read_bytes()
    assert claim.hex().encode() not in shown
    found = audit(Folder(root=public), builders.POLICY)
    assert found.holds
    assert found.credits[0].redeemed == 1


# Replays.


def test_the_same_claim_on_a_credit_again_finds_its_case_even_when_it_is_used_up(
    world: World,
) -> None:
    fresh = challenge(world.registry)
    bundle = credited_bundle(credited.held(), 0, "plain", challenge=fresh)
    first = receive(world.registry, bundle)
    decided(world, first.claim)
    before = world.held()
    assert receive(world.registry, bundle) == first
    assert world.held() == before


REPLAYED: dict[str, dict[str, Value]] = {
    "a challenge this register never gave": {"challenge": bytes(32)},
    "made for another register": {"audience": "elsewhere.example"},
    "of another programme": {"programme": bytes(32)},
    "expired": {"expires": builders.NOON},
    "valid for years": {"expires": builders.NOON + 400 * builders.DAY},
}


@pytest.mark.parametrize("what", REPLAYED)
def test_a_claim_on_a_credit_made_for_elsewhere_is_refused_and_uses_nothing_up(
    world: World, what: str
) -> None:
    before = world.held()
    fields = {"challenge": challenge(world.registry), **REPLAYED[what]}
    with pytest.raises(SafeconductError):
        receive(world.registry, credited_bundle(credited.held(), 0, "plain", **fields))
    assert world.held() == before
    filed(world, subject="r-0002")  # its holder may use it where they want


def test_a_challenge_serves_one_claim_on_a_credit(world: World) -> None:
    fresh = challenge(world.registry)
    receive(world.registry, credited_bundle(credited.held(), 0, "plain", challenge=fresh))
    second = credited_bundle(credited.held(number=1), 1, "plain", challenge=fresh)
    with pytest.raises(ConflictError, match="used for another claim"):
        receive(world.registry, second)
