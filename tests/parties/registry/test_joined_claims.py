"""Claims decided together: one decision, one letter, one appeal, on the page of each."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from tests.parties.registry.appealing import (
    PANEL,
    WHY,
    docket,
    ruled,
    settled,
    voted,
    with_panel,
)
from tests.parties.registry.register_world import (
    APPEAL_SECONDS,
    NOTHING_FOUND,
    SPOKEN,
    World,
    appeal_of,
    state_of,
)
from tests.protocol import builders
from tests.protocol.builders import DAY, MEMBERS, NOON, POLICY

from safeconduct.errors import RefusedError, SafeconductError, UnverifiedError
from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.registry import appeals, decide, receive
from safeconduct.parties.registry.book import BOOK_SECONDS
from safeconduct.parties.registry.final import object_of
from safeconduct.parties.registry.joining import decided_with
from safeconduct.parties.registry.site import make_site
from safeconduct.plumbing import web
from safeconduct.plumbing.register import RegisterDoor
from safeconduct.protocol.canonical import parse_json
from safeconduct.protocol.decision import recheck, recompute
from safeconduct.protocol.record import parse_signed, record_hash
from safeconduct.protocol.tlog.note import SigningKey

STRANGER = SigningKey(name="claimant", seed=builders.STRANGER.seed)
ACQUITTED, STANDS = "acquitted", "registration_stands"
JUDGED = NOTHING_FOUND | {f"{name}.1": judged for name, judged in SPOKEN.items()}
UNSPOKEN = JUDGED | {"denounces.1": False}


def claimant(number: int) -> SigningKey:
    """The key of the claims signed with the keys of contribution `number`."""
    seed = builders.source_keys(number).derive("author-ed25519")
    return SigningKey(name="claimant", seed=seed)


def spoke(world: World, keys: int = 1, disclosure: str = "open") -> bytes:
    """File a claim on a public statement, signed with other keys than the tip's."""
    record = record_hash(builders.capture_record(builders.public_capture()))
    claim = builders.claimed(
        keys,
        "claim-denounced",
        record=record,
        challenge=receive.challenge(world.registry),
        disclosure=disclosure,
    )
    proof = builders.prove(record, NOON).decode()
    bundle = builders.denounced_bundle(claim=claim, proof=proof)
    return receive.receive(world.registry, bundle).claim


def together(world: World, disclosure: str = "open") -> tuple[bytes, bytes, bytes]:
    """Two claims decided together against the person: both, and the signed decision."""
    lead = world.filed(disclosure=disclosure)
    other = spoke(world, disclosure=disclosure)
    draft = decide.propose_decision(world.registry, lead, UNSPOKEN, joined=[other])
    signed = sign_all(draft.record, MEMBERS[:2])
    decide.enter(world.registry, lead, signed)
    return lead, other, signed


@pytest.fixture
def url(world: World) -> Iterator[str]:
    with web.running(make_site(world.registry)) as address:
        yield address


def get(world: World, url: str, claim: bytes, path: str = "") -> httpx.Response:
    world.now += BOOK_SECONDS
    return httpx.get(f"{url}{world.page(claim)}{path}", trust_env=False, timeout=30)


# What each sees.


def test_each_page_shows_the_decision_the_letter_and_the_other_case(
    world: World, url: str
) -> None:
    lead, other = world.filed(), spoke(world)
    for claim in (lead, other):
        assert "is filed" in get(world, url, claim).text
    decide.propose_decision(world.registry, lead, UNSPOKEN, joined=[other])
    assert get(world, url, other, "/decision.record").status_code == 404
    assert get(world, url, other, "/letter.txt").status_code == 404
    signed, votes = settled(docket(world, lead), STANDS)
    decide.enter(world.registry, lead, signed, votes=votes)
    numbers = {lead: "Decided with case: 2.", other: "Decided with case: 1."}
    for claim, number in numbers.items():
        shown = " ".join(get(world, url, claim).text.split())
        assert number in shown
        assert "Your claim is decided" in shown
        assert "How to appeal" in shown
        assert f"{world.page(claim)}/letter.pdf" in shown
        assert f"{world.page(claim)}/decision.record" in shown
    for path in ("/letter.txt", "/letter.html", "/letter.pdf", "/decision.record"):
        answers = [get(world, url, claim, path) for claim in (lead, other)]
        assert answers[0].status_code == 200
        assert answers[0].content == answers[1].content
    assert answers[0].content == signed


def test_no_page_of_a_case_decided_alone_speaks_of_another(world: World, url: str) -> None:
    claim, other = world.filed(), spoke(world)
    world.decided(claim)
    assert "decided together" not in get(world, url, claim).text
    assert get(world, url, other, "/letter.txt").status_code == 404
    assert decided_with(world.registry, claim) == ()


def test_the_address_of_one_page_opens_no_other(world: World, url: str) -> None:
    lead, other, _ = together(world)
    page = world.page(other)
    for address in (
        f"{page}0/letter.txt",
        f"{page[:-1]}/letter.txt",
        f"/case/{other.hex()}/letter.txt",
        f"/case/{lead.hex()}/letter.txt",
        f"{page}/../{lead.hex()}.txt",
    ):
        assert httpx.get(url + address, trust_env=False).status_code in (400, 404)


def test_a_letter_once_served_is_not_shown_where_the_decision_fell(
    world: World, url: str
) -> None:
    lead, other, signed = together(with_panel(world))
    decide.appeal(world.registry, other, appeal_of(signed, key=claimant(1)))
    appeals.propose_appeal(world.registry, lead, UNSPOKEN)
    ruled(world, lead, "remit", WHY)
    for claim in (lead, other):
        assert get(world, url, claim, "/letter.txt").status_code == 404
        assert get(world, url, claim, "/decision.record").status_code == 404
        assert get(world, url, claim, "/panel-letter.txt").status_code == 200
        assert "The board decides anew" in get(world, url, claim).text


# Who appeals.


@pytest.mark.parametrize("named", ["lead", "other"])
@pytest.mark.parametrize("number", [0, 1])
def test_the_key_of_any_claim_appeals_at_the_address_of_any(
    world: World, named: str, number: int
) -> None:
    lead, other, signed = together(world)
    appeal = appeal_of(signed, key=claimant(number))
    decide.appeal(world.registry, {"lead": lead, "other": other}[named], appeal)
    assert state_of(world, lead) == "suspended"
    before = world.held()
    decide.appeal(world.registry, other, appeal)
    assert world.held() == before


def test_the_page_of_a_joined_claim_is_all_that_a_client_needs(world: World, url: str) -> None:
    _, other, signed = together(world)
    door = RegisterDoor(url)
    page = bytes.fromhex(world.page(other).removeprefix("/case/"))
    assert door.decision(page) == signed
    claim = parse_signed(signed, "decision").record.hash("claim")
    door.appeal(claim, appeal_of(signed, key=claimant(1)))
    for one in (claim, other):
        assert "Your appeal is filed" in get(world, url, one).text
        assert get(world, url, one, "/appeal-letter.txt").status_code == 200


STRANGERS: dict[str, Callable[[World], SigningKey]] = {
    "a stranger's": lambda _: STRANGER,
    "of a claim of the same person that was not joined": lambda _: claimant(2),
    "of a member of the board": lambda _: SigningKey(name="claimant", seed=MEMBERS[0].seed),
}


@pytest.mark.parametrize("what", STRANGERS)
@pytest.mark.parametrize("named", [0, 1])
def test_no_other_key_appeals(world: World, what: str, named: int) -> None:
    apart = spoke(world, keys=2)
    *claims, signed = together(world)
    before = world.held()
    appeal = appeal_of(signed, key=STRANGERS[what](world))
    with pytest.raises(UnverifiedError, match="key of a claim that was filed here"):
        decide.appeal(world.registry, claims[named], appeal)
    with pytest.raises((UnverifiedError, RefusedError)):
        decide.appeal(world.registry, apart, appeal)
    assert world.held() == before


def test_an_appeal_that_names_one_key_and_is_signed_with_another_is_refused(
    world: World,
) -> None:
    lead, _, signed = together(world)
    own = claimant(1).verifier().public
    forged = appeal_of(signed, key=STRANGER, ed25519=own)
    borrowed = appeal_of(signed, key=claimant(1), ed25519=STRANGER.verifier().public)
    for one in (forged, borrowed):
        with pytest.raises(UnverifiedError):
            decide.appeal(world.registry, lead, one)


def test_a_decision_is_appealed_once_by_whichever_key(world: World) -> None:
    lead, other, signed = together(world)
    decide.appeal(world.registry, lead, appeal_of(signed))
    before = world.held()
    with pytest.raises(RefusedError, match="under appeal already") as refused:
        decide.appeal(world.registry, other, appeal_of(signed, key=claimant(1)))
    assert "once" in refused.value.hint
    assert world.held() == before


def test_of_two_appeals_at_once_one_counts(world: World) -> None:
    lead, other, signed = together(world)
    made = [(lead, appeal_of(signed)), (other, appeal_of(signed, key=claimant(1)))] * 4

    def file(place: int) -> str:
        try:
            decide.appeal(world.registry, *made[place])
        except RefusedError as error:
            return error.message
        return made[place][1].decode()

    with ThreadPoolExecutor(max_workers=4) as threads:
        answers = set(threads.map(file, range(len(made))))
    assert len(answers) == 2
    assert "this decision is under appeal already" in answers
    events = [one for one in world.registry.store.events(lead) if one.kind == "appealed"]
    assert len(events) == 1
    assert events[0].data.decode() in answers


def test_before_the_decision_each_claim_stands_alone(world: World) -> None:
    lead, other = world.filed(), spoke(world)
    decide.propose_decision(world.registry, lead, UNSPOKEN, joined=[other])
    for claim, number in ((lead, 1), (other, 0)):
        with pytest.raises(UnverifiedError):
            decide.appeal(world.registry, claim, appeal_of(b"nothing", key=claimant(number)))
    with pytest.raises(RefusedError, match="no decision to appeal"):
        decide.appeal(world.registry, other, appeal_of(b"nothing", key=claimant(1)))


def test_a_joined_key_is_late_like_any_other(world: World) -> None:
    lead, other, signed = together(world)
    world.now += APPEAL_SECONDS + 1
    with pytest.raises(RefusedError, match="period is over"):
        decide.appeal(world.registry, other, appeal_of(signed, key=claimant(1)))
    assert state_of(world, lead) == "decided"


# What comes of it.


def test_an_appeal_by_a_joined_key_is_heard_published_and_checked(world: World) -> None:
    lead, other, signed = together(with_panel(world))
    decide.appeal(world.registry, other, appeal_of(signed, key=claimant(1)))
    appeals.propose_appeal(world.registry, lead, JUDGED)
    assert docket(world, lead).hearing is not None
    ruled(world, lead, ACQUITTED)
    world.now += 1
    record = decide.finalise(world.registry, lead)
    assert record is not None
    decide.enter_publication(world.registry, lead, builders.by_board(record))
    data = world.registry.store.object(record.hash("object"))
    found = recheck(data, record, world.state(), POLICY)
    assert (found.outcome, found.result) == (ACQUITTED, "replace")
    assert found.appeal is not None
    assert found.appeal.first.claims == found.claims == {lead, other}


@pytest.mark.parametrize("disclosure", ["open", "sealed"])
def test_whoever_computes_a_decision_again_finds_the_joined_keys_appeal(
    world: World, disclosure: str
) -> None:
    lead, other, signed = together(with_panel(world), disclosure)
    decide.appeal(world.registry, other, appeal_of(signed, key=claimant(1)))
    appeals.propose_appeal(world.registry, lead, JUDGED)
    ruled(world, lead, ACQUITTED)
    case, state = world.registry.store.case(lead), world.state()
    data = object_of(world.registry, state, case, "appeal_decided")
    value = parse_json(data, "object", bytes_max=len(data))
    assert isinstance(value, dict)
    assert recompute(value, state, POLICY).claims == {lead, other}
    value["joined"] = []
    with pytest.raises(SafeconductError):
        recompute(value, state, POLICY)


def test_what_was_joined_stays_joined_when_the_case_comes_back(world: World) -> None:
    lead, other, signed = together(with_panel(world))
    decide.appeal(world.registry, lead, appeal_of(signed))
    appeals.propose_appeal(world.registry, lead, UNSPOKEN)
    ruled(world, lead, "remit", WHY)
    draft = decide.propose_decision(world.registry, lead, JUDGED)
    assert draft.proposal.judgement.outcome == ACQUITTED
    again, _ = voted(world, lead, ACQUITTED)
    decide.appeal(world.registry, other, appeal_of(again, key=claimant(1)))
    assert state_of(world, lead) == "suspended"


def test_a_claim_joined_on_appeal_only_has_no_say_in_the_appeal(world: World) -> None:
    lead = with_panel(world).filed()
    other = spoke(world)
    draft = decide.propose_decision(world.registry, lead, NOTHING_FOUND)
    signed = sign_all(draft.record, MEMBERS[:2])
    decide.enter(world.registry, lead, signed)
    with pytest.raises(UnverifiedError):
        decide.appeal(world.registry, lead, appeal_of(signed, key=claimant(1)))
    decide.appeal(world.registry, lead, appeal_of(signed))
    appeals.propose_appeal(world.registry, lead, JUDGED, joined=[other])
    found = docket(world, lead)
    assert found.hearing is not None
    assert found.hearing.first.claims == {lead}
    final, votes = settled(found, ACQUITTED, "", PANEL[:2])
    appeals.enter_appeal(world.registry, lead, final, votes)
    assert state_of(world, other) == "joined"
    world.now += 30 * DAY
    assert decide.finalise(world.registry, lead) is not None


def test_who_is_not_found_to_be_the_person_is_joined_to_nobody(world: World) -> None:
    """Number and name are public: a stranger's claim in them must not open another's case."""
    lead, other = world.filed(), spoke(world)
    stranger = UNSPOKEN | {"claimant_is_subject": False}
    with pytest.raises(RefusedError, match="one person's"):
        decide.propose_decision(world.registry, lead, stranger, joined=[other])
    assert (state_of(world, lead), state_of(world, other)) == ("filed", "filed")


def test_a_panel_may_find_so_of_claims_that_were_decided_together(world: World) -> None:
    lead, other, signed = together(with_panel(world))
    decide.appeal(world.registry, other, appeal_of(signed, key=claimant(1)))
    stranger = UNSPOKEN | {"claimant_is_subject": False}
    assert appeals.propose_appeal(world.registry, lead, stranger).record
