"""Late, doubtful, withdrawn, joint, forged, redeemed twice, mixed: outcome and letter."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.parties.registry import credit_world
from tests.parties.registry.golden import told_as_before
from tests.parties.registry.register_world import (
    NOTHING_FOUND,
    SPOKEN,
    World,
    object_of,
    open_world,
    state_of,
    words_of,
)
from tests.protocol import builders, credited
from tests.protocol.builders import DAY, MEMBERS, NOON, POLICY, THE_DATE

from safeconduct.errors import ConflictError, MalformedError, RefusedError
from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.registry import decide, receive
from safeconduct.protocol.canonical import Json, format_json, parse_json
from safeconduct.protocol.claim import format_joint
from safeconduct.protocol.decision import OpenError, recheck
from safeconduct.protocol.record import record_hash, sign_record
from safeconduct.protocol.withdrawal import sign_withdrawal

STANDS = "registration_stands"
BOTH = ("r-0001", "r-0002")
ASSESSED = (
    builders.helped_fields()["assessment"].encode(),
    builders.helped_fields()["assessment_proof"].encode(),
)

Change = Callable[[dict[str, Json]], object]


def lawful(change: Change) -> tuple[bytes, ...]:
    """The Gazette with a second version of the example law, changed so."""
    document = parse_json(builders.law(), "statute")
    assert isinstance(document, dict)
    change(document)
    before = hashlib.sha256(builders.law()).digest()
    version = document["version"]
    assert isinstance(version, dict)
    version |= {
        "number": 2,
        "published": "2024-02-01T00:00:00Z",
        "in_force_from": "2024-02-01T00:00:00Z",
        "supersedes": before.hex(),
    }
    act = builders.statute_act(number=2, previous=before, law=format_json(document))
    return (*builders.gazette_entries(), builders.by_board(act))


def facts_of(document: dict[str, Json]) -> dict[str, Json]:
    facts = document["facts"]
    assert isinstance(facts, dict)
    return facts


def favouring_doubt(document: dict[str, Json]) -> None:
    made = facts_of(document)["statements.made"]
    assert isinstance(made, dict)
    made["unknown_at_end"] = "favour_person"


def speaking_of_joint(document: dict[str, Json]) -> None:
    """Let section 4(1) ask, of each tip, who sent it; and count it however that was."""
    facts_of(document)["tips.joint"] = {
        "type": "yesno",
        "asserted_by": "claimant",
        "standard": "signature",
        "unknown_at_end": "person_bears",
        "label": {"en": "sent together with others", "de": "gemeinsam mit anderen gesandt"},
    }
    sections = document["sections"]
    assert isinstance(sections, list)
    [helped] = [one for one in sections if isinstance(one, dict) and one["number"] == "4(1)"]
    condition = helped["if"]
    assert isinstance(condition, dict)
    some = condition["some"]
    assert isinstance(some, list)
    either: list[Json] = [{"is": ["joint", True]}, {"is": ["author_proven", True]}]
    condition["some"] = ["tips", {"and": [some[1], {"or": either}]}]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., World]:
    def begun(change: Change | None = None, founded: tuple[bytes, ...] = ()) -> World:
        entries = lawful(change) if change else founded
        return open_world(tmp_path, monkeypatch, entries)

    return begun


def listed(world: World) -> World:
    for subject in BOTH:
        world.listed(subject)
    return world


def law_of(world: World) -> bytes:
    return world.state().statutes[-1].sha256


def spoke(world: World, at: int = NOON, **texts: str) -> bytes:
    """File a claim on a public statement whose capture was logged by `at`."""
    fresh = receive.challenge(world.registry)
    record = builders.capture_record(builders.public_capture())
    claim = builders.claimed(
        0,
        "claim-denounced",
        record=record_hash(record),
        challenge=fresh,
        statute=law_of(world),
    )
    proof = builders.prove(record_hash(record), at).decode()
    bundle = builders.denounced_bundle(claim=claim, proof=proof, **texts)
    return receive.receive(world.registry, bundle).claim


def entered(world: World, claim: bytes, draft: decide.Draft) -> str:
    """Have the board sign and enter a draft; returns the letter."""
    served = decide.enter(world.registry, claim, sign_all(draft.record, MEMBERS[:2]))
    return words_of(served.letter)


def checked(world: World, claim: bytes) -> str:
    """Publish the decision when it is final; returns its outcome, computed again."""
    world.now += 30 * DAY + 1
    record = decide.finalise(world.registry, claim)
    assert record is not None
    decide.enter_publication(world.registry, claim, builders.by_board(record))
    data = world.registry.store.object(record.hash("object"))
    return recheck(data, record, world.state(), POLICY).outcome


# Late.


def test_late_is_refused_and_the_letter_names_the_date(world: World) -> None:
    late = builders.prove(record_hash(builders.statements().record), THE_DATE)
    claim = world.filed(proof=late)
    draft = world.proposed(claim)
    assert draft.proposal.judgement.outcome == STANDS
    assert "4(1)" in draft.proposal.judgement.sections
    letter = entered(world, claim, draft)
    asked = "logging of the sealed tip: before 1 June 2027, 00:00 UTC"
    assert f"This would change if:\n  - {asked} — the witnesses dated yours: " in letter
    assert checked(world, claim) == STANDS


# Doubtful.


def test_doubtful_leaves_the_case_open_and_the_letter_says_which_fact(world: World) -> None:
    claim = spoke(world, THE_DATE + DAY)
    with pytest.raises(OpenError, match=r"statements\[0\].made \(owed by claimant\)"):
        decide.propose_decision(world.registry, claim, NOTHING_FOUND | SPOKEN)
    letter = world.folder / "letters" / f"{claim.hex()}.open.txt"
    text = letter.read_text(encoding="utf-8")
    assert "Nothing can be decided yet" in text
    assert "making of the statement" in text
    assert "owed by: claimant" in text
    assert state_of(world, claim) == "filed"


def test_doubt_favours_the_person_where_the_law_says_so(place: Callable[..., World]) -> None:
    world = listed(place(favouring_doubt))
    claim = spoke(world, THE_DATE + DAY)
    draft = decide.propose_decision(world.registry, claim, NOTHING_FOUND | SPOKEN)
    assert draft.proposal.judgement.outcome == "acquitted"
    assert draft.proposal.judgement.sections == ("3", "4(2)")
    letter = entered(world, claim, draft)
    assert """
What was settled in your favour:
- making of the statement: it is not certain on which side of the law’s date this lies, """ in (
        letter
    )
    assert "What your evidence did not show" not in letter
    told_as_before("doubtful", letter)
    assert checked(world, claim) == "acquitted"


# Withdrawn.


def withdrawal() -> tuple[bytes, bytes]:
    signed = sign_withdrawal(
        builders.source_keys(),
        builders.sealed().pre,
        programme=builders.PROGRAMME,
        record=record_hash(builders.statements().record),
    )
    return signed, builders.prove(record_hash(signed), NOON + DAY)


def test_withdrawn_counts_no_more_and_the_letter_says_so(world: World) -> None:
    claim = world.filed()
    draft = decide.propose_decision(
        world.registry, claim, NOTHING_FOUND, ASSESSED, withdrawal=withdrawal()
    )
    assert draft.proposal.judgement.outcome == STANDS
    letter = entered(world, claim, draft)
    assert "The tip was withdrawn by its author, so its grade does not count" in letter
    assert checked(world, claim) == STANDS


def test_a_withdrawal_that_nobody_logged_changes_nothing(world: World) -> None:
    claim = world.filed()
    signed, _ = withdrawal()
    draft = decide.propose_decision(
        world.registry,
        claim,
        NOTHING_FOUND,
        ASSESSED,
        withdrawal=(signed, builders.prove(b"else", NOON)),
    )
    assert draft.proposal.judgement.outcome == "acquitted"
    assert "Does not pass the check: withdrawal." in entered(world, claim, draft)


def test_who_forwards_a_claim_cannot_withdraw_its_tip(world: World) -> None:
    signed, proof = withdrawal()
    texts = {"withdrawal": signed.decode(), "withdrawal_proof": proof.decode()}
    claim = world.filed(texts=texts)
    assert "withdrawal" not in world.registry.store.case(claim).latest["filed"].data.decode()


# Joint.


def jointly(world: World, subject: str, subjects: tuple[str, ...] = BOTH) -> bytes:
    return world.filed(
        subject=subject, statute=law_of(world), texts={"joint": format_joint(subjects)}
    )


def test_joint_acts_help_each_who_did_them(place: Callable[..., World]) -> None:
    world = listed(place(speaking_of_joint))
    claims = [jointly(world, subject) for subject in BOTH]
    for claim in claims:
        draft = decide.propose_decision(world.registry, claim, NOTHING_FOUND, ASSESSED)
        assert draft.proposal.judgement.outcome == "acquitted"
        assert b'"joint":true' in format_json(draft.proposal.facts)
        letter = entered(world, claim, draft)
        assert "You are acquitted" in letter
        if claim == claims[0]:
            told_as_before("joint", letter)
    assert [checked(world, claim) for claim in claims] == ["acquitted", "acquitted"]


def test_joint_claims_name_the_same_list(place: Callable[..., World]) -> None:
    world = listed(place(speaking_of_joint))
    world.listed("r-0003")
    jointly(world, "r-0001")
    with pytest.raises(ConflictError, match="claimed under another number"):
        jointly(world, "r-0002", ("r-0002", "r-0003"))
    with pytest.raises(ConflictError, match="claimed under another number"):
        world.filed(subject="r-0002", statute=law_of(world))


def test_a_law_that_knows_no_joint_acts_helps_one_person(world: World) -> None:
    world.filed(texts={"joint": format_joint(BOTH)})
    with pytest.raises(ConflictError, match="claimed under another number"):
        world.filed(subject="r-0002", texts={"joint": format_joint(BOTH)})


@pytest.mark.parametrize(
    "joint",
    ["[]", '["r-0001"]', '["r-0002","r-0003"]', '["r-0002","r-0001"]', "[1,2]", "r-0001"],
)
def test_a_joint_list_is_short_sorted_and_with_the_claimant(world: World, joint: str) -> None:
    with pytest.raises(MalformedError):
        world.filed(texts={"joint": joint})


# Forged.


def test_forged_receipts_prove_nothing_and_the_letter_says_so(world: World) -> None:
    real = builders.prove(record_hash(builders.statements().record), THE_DATE + 60)
    claim = world.filed(proof=builders.redated(real, -DAY))
    draft = world.proposed(claim)
    assert draft.proposal.judgement.outcome == STANDS
    assert "Does not pass the check: tip." in entered(world, claim, draft)
    assert checked(world, claim) == STANDS


def test_a_forged_assessment_grades_nothing(world: World) -> None:
    claim = world.filed()
    forged = sign_record(
        builders.assessment(record_hash(builders.statements().record)), [builders.STRANGER]
    )
    pair = (forged, builders.prove(record_hash(forged), NOON + DAY))
    draft = decide.propose_decision(world.registry, claim, NOTHING_FOUND, pair)
    assert draft.proposal.judgement.outcome == STANDS
    assert "Does not pass the check: assessment." in entered(world, claim, draft)


# Redeemed twice.


def test_redeemed_twice_is_refused_the_second_time_and_the_letter_says_so(
    place: Callable[..., World],
) -> None:
    world = credit_world.begin(place(founded=credited.entries()))
    first, second = (credit_world.filed(world) for _ in range(2))
    assert credit_world.decided(world, first).record.word("outcome") == "acquitted"
    draft = decide.propose_decision(world.registry, second, NOTHING_FOUND)
    assert draft.proposal.judgement.outcome == STANDS
    letter = entered(world, second, draft)
    assert "The credit was redeemed before, and counts only once" in letter


# Mixed.


def mixed(world: World) -> tuple[bytes, bytes]:
    """A tip that came too late, and a statement in time."""
    late = builders.prove(record_hash(builders.statements().record), THE_DATE)
    return world.filed(proof=late), spoke(world)


JUDGED = NOTHING_FOUND | {f"{name}.1": judged for name, judged in SPOKEN.items()}


def test_mixed_claims_are_decided_together(world: World) -> None:
    lead, other = mixed(world)
    draft = decide.propose_decision(world.registry, lead, JUDGED, ASSESSED, joined=[other])
    assert draft.proposal.judgement.outcome == "acquitted"
    assert draft.proposal.judgement.sections == ("3", "4(2)")
    letter = entered(world, lead, draft)
    assert "helped before the date" in letter
    assert "denounced before the date" in letter
    assert state_of(world, other) == "joined"
    with pytest.raises(RefusedError, match="joined cannot be proposed"):
        decide.propose_decision(world.registry, other, NOTHING_FOUND | SPOKEN)
    assert checked(world, lead) == "acquitted"


def test_a_claim_decided_alone_meanwhile_cannot_be_joined(world: World) -> None:
    lead, other = mixed(world)
    draft = decide.propose_decision(world.registry, lead, JUDGED, ASSESSED, joined=[other])
    alone = decide.propose_decision(world.registry, other, NOTHING_FOUND | SPOKEN)
    entered(world, other, alone)
    before = world.held()
    with pytest.raises(RefusedError, match="decided cannot be joined"):
        entered(world, lead, draft)
    assert world.held() == before


def test_mixed_claims_are_all_shown(world: World) -> None:
    lead, other = mixed(world)
    draft = decide.propose_decision(world.registry, lead, JUDGED, ASSESSED, joined=[other])
    entered(world, lead, draft)
    world.now += 30 * DAY + 1
    record = decide.finalise(world.registry, lead)
    assert record is not None
    joined = object_of(record, world)["joined"]
    assert isinstance(joined, list)
    assert isinstance(joined[0], dict)
    assert joined[0]["claim"] == other.hex()


def test_two_claims_on_one_thing_do_not_count_twice(world: World) -> None:
    first, second = world.filed(), world.filed()
    with pytest.raises(RefusedError, match="counts once"):
        decide.propose_decision(world.registry, first, NOTHING_FOUND, ASSESSED, joined=[second])


def test_claims_about_two_persons_are_not_joined(world: World) -> None:
    first, second = world.filed(), world.filed(subject="r-0002", keys=1)
    with pytest.raises(RefusedError, match="another subject"):
        decide.propose_decision(world.registry, first, NOTHING_FOUND, ASSESSED, joined=[second])


# The person's own language.


@pytest.mark.parametrize(
    ("language", "told"), [("de", "Entscheidung 1"), ("fa", "تصمیم 1"), ("uk", "Рішення 1")]
)
def test_the_letter_is_in_the_language_asked_for(
    world: World, language: str, told: str
) -> None:
    claim = world.filed(texts={"language": language})
    letter = entered(world, claim, world.proposed(claim))
    assert letter.startswith(told)
    assert checked(world, claim) == "acquitted"


def test_a_language_that_nobody_writes_is_refused(world: World) -> None:
    with pytest.raises(MalformedError, match="language is one of"):
        world.filed(texts={"language": "tlh"})
