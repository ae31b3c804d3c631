"""Decisions: anybody computes them again, and is told the place where they do not come out."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from tests.protocol.builders import (
    GAZETTE,
    MEMBERS,
    NAME_SALT,
    NOON,
    OUR_WITNESS,
    POLICY,
    REGISTRY,
    STRANGER,
    claimed,
    denounced_bundle,
    helped_bundle,
    helped_fields,
    law,
    prove,
    signed_claim,
    verifiers,
)
from tests.protocol.decided import (
    AS_OF,
    DECIDED,
    FINAL,
    NOTHING_FOUND,
    SPEAKS,
    STATE,
    STATUTE,
    TWO,
    Published,
    altered,
    bundle_of,
    decided,
    honest,
    honest_sealed,
    inside,
    publish,
    put,
)

from safeconduct.errors import MalformedError, RefusedError, UnverifiedError
from safeconduct.protocol.canonical import Json, format_json, parse_json
from safeconduct.protocol.claim import Bundle, parse_bundle
from safeconduct.protocol.decision import (
    evidence_commitment,
    evidence_salt,
    propose,
    recheck,
    with_assessment,
)
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.record import Value
from safeconduct.protocol.tlog.note import SigningKey
from safeconduct.protocol.votes import Vote

# What holds.


def test_an_honest_decision_comes_out_the_same() -> None:
    again = publish(honest()).recheck()
    assert (again.subject, again.outcome, again.sections) == (
        "r-0001",
        "acquitted",
        ("3", "4(1)"),
    )
    assert again.evidence == "disclosed"
    assert again.signers == tuple(key.name for key in TWO)
    assert again.logged.logged_by == DECIDED


def test_a_decision_on_sealed_evidence_shows_a_commitment_only() -> None:
    again = publish(honest_sealed()).recheck()
    assert (again.outcome, again.evidence) == ("acquitted", "committed")
    bundle = bundle_of("sealed")
    salt = evidence_salt(REGISTRY.seed, bytes(16), bundle.claim_hash)
    assert evidence_commitment(bundle.data, salt).hex().encode() in honest_sealed()
    assert bundle.fields["record"].split()[-1].encode() not in honest_sealed()


def test_a_public_denunciation_acquits() -> None:
    data = decided(parse_bundle(denounced_bundle()), SPEAKS)
    assert publish(data).recheck().sections == ("3", "4(2)")


LOST = {
    "a grave crime": (lambda: bundle_of(), NOTHING_FOUND | {"grave_crime_proven": True}),
    "no proof of authorship": (
        lambda: parse_bundle(helped_bundle(record="", proof="")),
        NOTHING_FOUND,
    ),
    "no assessment": (
        lambda: parse_bundle(helped_bundle(assessment="", assessment_proof="")),
        NOTHING_FOUND,
    ),
    "a statement withdrawn": (
        lambda: parse_bundle(denounced_bundle()),
        SPEAKS | {"withdrawn": True},
    ),
}


@pytest.mark.parametrize(("bundle", "judgements"), LOST.values(), ids=LOST)
def test_a_claim_that_fails_gets_a_reasoned_decision_too(
    bundle: Callable[[], Bundle], judgements: Mapping[str, bool]
) -> None:
    data = decided(bundle(), judgements)
    again = publish(data, standing="registration_stands").recheck()
    assert again.outcome == "registration_stands"
    assert again.sections


def test_nothing_is_decided_under_a_law_not_yet_in_force() -> None:
    before = STATUTE.version.in_force_from - 1
    with pytest.raises(RefusedError, match="no version of the law was in force yet"):
        propose(bundle_of(), STATE, POLICY, NOTHING_FOUND, before)


def test_a_law_that_was_never_published_decides_nothing() -> None:
    bundle = parse_bundle(helped_bundle(claim=claimed(statute=bytes(32))))
    with pytest.raises(UnverifiedError, match="never published"):
        propose(bundle, STATE, POLICY, NOTHING_FOUND, AS_OF)


def with_open_question() -> GazetteState:
    """The same programme under a law that asks for a fact which nobody has found yet."""
    document = parse_json(law(), "statute")
    assert isinstance(document, dict)
    facts, sections = document["facts"], document["sections"]
    assert isinstance(facts, dict)
    assert isinstance(sections, list)
    assert isinstance(sections[2], dict)
    facts["pardon_pending"] = {
        "type": "yesno",
        "asserted_by": "court",
        "standard": "final_finding",
        "unknown_at_end": "wait",
        "label": {"en": "a pardon is pending", "de": "ein Gnadengesuch ist anhängig"},
    }
    sections[2]["unless"] = [
        {
            "number": "5(4)",
            "text": {"en": "Not while a pardon is pending.", "de": "Nicht vorher."},
            "if": {"is": ["pardon_pending", True]},
        }
    ]
    document["cases"] = []
    data = format_json(document)
    sha256 = hashlib.sha256(data).digest()
    version = replace(STATE.statutes[0], number=2, law=data, sha256=sha256)
    return replace(STATE, statutes=(*STATE.statutes, version))


def test_nothing_is_decided_while_a_fact_is_owed() -> None:
    state = with_open_question()
    claim = claimed(statute=state.statutes[-1].sha256)
    with pytest.raises(RefusedError, match=r"pardon_pending \(owed by court\)"):
        propose(parse_bundle(helped_bundle(claim=claim)), state, POLICY, NOTHING_FOUND, AS_OF)


def test_the_registry_adds_the_desks_assessment() -> None:
    bare = parse_bundle(helped_bundle(assessment="", assessment_proof=""))
    fields = helped_fields()
    added = with_assessment(
        bare, fields["assessment"].encode(), fields["assessment_proof"].encode()
    )
    assert added == parse_bundle(helped_bundle())
    spoken = parse_bundle(denounced_bundle())
    assert with_assessment(spoken, b"", b"") == spoken


# What the board could have signed wrongly, and how it was published.

Make = Callable[[], Published]


def other(name: str, value: Value) -> Make:
    return lambda: publish(decided(bundle_of(), changes={name: value}))


def signed_by(*keys: SigningKey) -> Make:
    return lambda: publish(decided(bundle_of(), signers=keys))


def proven_by(logged: Callable[[bytes], bytes]) -> Make:
    return lambda: publish(decided(bundle_of(), logged=logged))


WRONG_FACTS: Json = {
    "facts": {**NOTHING_FOUND},
    "lists": {
        "statements": [],
        "tips": [
            {
                "acknowledged": "ok",
                "author_proven": True,
                "grade": "corroborated",
                "logged": [None, NOON],
            }
        ],
    },
}
WRONG_FACTS_HASH = hashlib.sha256(format_json(WRONG_FACTS)).digest()

MADE_WRONGLY: dict[str, tuple[Make, str]] = {
    "another outcome without a reason": (other("outcome", "registration_stands"), "gave no"),
    "another proof tree": (other("judgement", bytes(32)), "proof than the board signed"),
    "other facts": (other("facts", bytes(32)), "not those the board signed"),
    "another claim": (other("claim", bytes(32)), "not the one decided"),
    "another person": (other("subject", "r-0002"), "another person than claimed"),
    "another programme": (other("programme", bytes(32)), "another programme"),
    "a law never published": (other("statute", bytes(32)), "never published"),
    "another time": (other("as-of", AS_OF + 1), "another proof"),
    "one signature": (signed_by(MEMBERS[0]), "1 of 2 signatures"),
    "one signature twice": (signed_by(MEMBERS[0], MEMBERS[0]), "signed twice"),
    "a stranger's signature": (signed_by(*TWO, STRANGER), "no say here"),
    "a receipt of something else": (
        proven_by(lambda _: prove(b"else", DECIDED)),
        "does not lead to the root",
    ),
    "a receipt of one witness": (
        proven_by(lambda entry: prove(entry, DECIDED, witnesses=(OUR_WITNESS,))),
        "quorum",
    ),
    "a receipt of the Gazette": (
        proven_by(lambda entry: prove(entry, DECIDED, log=GAZETTE)),
        "not of log",
    ),
    "published before the appeal period was over": (
        lambda: publish(honest(), final=FINAL - 1),
        "before its appeal period",
    ),
    "published as of another time of logging": (
        proven_by(lambda entry: prove(entry, DECIDED + 1)),
        "before its appeal period",
    ),
    "published about another person": (
        lambda: publish(honest(), subject="r-0002"),
        "subject is not the one published",
    ),
    "published with another standing": (
        lambda: publish(honest(), standing="registered"),
        "standing is not the one published",
    ),
    "published under another law": (
        lambda: publish(honest(), statute=bytes(32)),
        "another statute",
    ),
    "published as another object": (
        lambda: publish(honest(), object=bytes(32)),
        "not the object",
    ),
}


@pytest.mark.parametrize(("make", "reason"), MADE_WRONGLY.values(), ids=MADE_WRONGLY)
def test_a_decision_made_wrongly_is_named(make: Make, reason: str) -> None:
    with pytest.raises(UnverifiedError, match=reason):
        make().recheck()


def test_a_decision_stands_after_the_board_has_changed() -> None:
    roster = replace(STATE.roster, number=1, members=verifiers((*MEMBERS[1:], STRANGER)))
    later = replace(STATE, rosters=(*STATE.rosters, roster))
    old = publish(honest())
    assert recheck(old.data, old.publication, later, POLICY).signers == tuple(
        key.name for key in TWO
    )
    never = publish(decided(bundle_of(), signers=(MEMBERS[0], STRANGER)))
    with pytest.raises(UnverifiedError, match="no say here"):
        recheck(never.data, never.publication, later, POLICY)


def test_votes_count_for_the_board_that_cast_them_though_a_later_one_has_its_signers() -> None:
    roster = replace(STATE.roster, number=1, members=verifiers((*MEMBERS[1:], STRANGER)))
    later = replace(STATE, rosters=(*STATE.rosters, roster))
    votes = [Vote(member=key.name, vote="agree", outcome="acquitted") for key in MEMBERS[1:]]
    made = publish(decided(bundle_of(), signers=MEMBERS[1:], voted=votes))
    counted = recheck(made.data, made.publication, later, POLICY).tally
    assert counted is not None
    assert counted.absent == (MEMBERS[0].name,)


def test_a_decision_under_a_law_that_another_had_replaced_is_named() -> None:
    data = law().replace(b"grave crime", b"serious crime")
    other = replace(STATE.statutes[0], number=2, law=data, sha256=hashlib.sha256(data).digest())
    state = replace(STATE, statutes=(*STATE.statutes, other))
    made = publish(honest())
    with pytest.raises(UnverifiedError, match="another statute than the one that governs"):
        recheck(made.data, made.publication, state, POLICY)


# What somebody could have altered on the way.


def evidence(**changes: str) -> Json:
    return {"bundle": {**helped_fields(), "claim": bundle_of().fields["claim"], **changes}}


ALTERED: dict[str, tuple[Callable[[dict[str, Json]], object], str]] = {
    "the facts": (put("facts", WRONG_FACTS), "not those the board signed"),
    "a judgement of the board": (
        inside("judgements", put("grave_crime_proven", True)),
        "proves other facts",
    ),
    "a judgement left out": (put("judgements", {}), "judge exactly"),
    "a judgement that is no answer": (
        inside("judgements", put("grave_crime_proven", "perhaps")),
        "true or false",
    ),
    "the proof tree's outcome": (
        inside("judgement", put("outcome", "registration_stands")),
        "than the one shown",
    ),
    "a node of the proof tree": (inside("judgement", put("nodes", [])), "than the one shown"),
    "the proof tree's sections": (
        inside("judgement", put("sections", ["3"])),
        "than the one shown",
    ),
    "the shortfalls": (put("shortfalls", ["no tip was shown"]), "other ways than stated"),
    "the subject": (put("subject", "r-0002"), "subject is not the one published"),
    "a name in the evidence": (put("evidence", evidence(name="Bob")), "the name is not"),
    "a receipt in the evidence": (
        put("evidence", evidence(proof="")),
        "not what the claimant signed for",
    ),
    "the contribution in the evidence": (
        put("evidence", evidence(record="", proof="")),
        "not what the claimant signed for",
    ),
    "an assessment in the evidence": (
        put("evidence", evidence(assessment="", assessment_proof="")),
        "proves other facts",
    ),
    "another claim in the evidence": (
        put("evidence", evidence(claim=claimed(challenge=bytes(32)))),
        "not the one decided",
    ),
    "the evidence, left out": (put("evidence", {}), "bundle or a commitment"),
    "the evidence, twice": (
        inside("evidence", put("commitment", "00" * 32)),
        "bundle or a commitment",
    ),
    "the evidence, as a text": (put("evidence", "trust us"), "must be an object"),
    "the decision": (put("decision", signed_claim().decode()), "where decision is due"),
    "the decision, left out": (put("decision", ""), "empty line"),
    "the receipt": (put("decision_proof", ""), "empty line"),
    "the receipt, as a number": (put("decision_proof", 1), "must be text"),
    "the type": (put("type", "listing"), "not the fields"),
    "a field too many": (put("note", ""), "not the fields"),
    "a field too few": (lambda table: table.pop("salt"), "not the fields"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "reason"), ALTERED.values(), ids=ALTERED)
def test_an_altered_decision_is_named(
    change: Callable[[dict[str, Json]], object], reason: str
) -> None:
    data = altered(honest(), change)
    assert data != honest()
    with pytest.raises((MalformedError, UnverifiedError), match=reason):
        publish(data).recheck()


def test_any_alteration_is_seen_against_the_publication() -> None:
    """The commitment to sealed evidence cannot be computed again, so its object is pinned."""
    for change in (put("evidence", {"commitment": "00" * 32}), put("salt", "11" * 16)):
        data = altered(honest_sealed(), change)
        with pytest.raises(UnverifiedError, match="not the object"):
            recheck(data, publish(honest_sealed()).publication, STATE, POLICY)


@pytest.mark.parametrize("commitment", ["", "00" * 31, "trust us", 1])
def test_a_commitment_to_evidence_is_a_hash(commitment: Json) -> None:
    data = altered(honest_sealed(), put("evidence", {"commitment": commitment}))
    with pytest.raises(MalformedError, match="commitment"):
        publish(data).recheck()


def test_facts_that_the_evidence_does_not_prove_do_not_pass_even_if_signed() -> None:
    signed = decided(bundle_of(), changes={"facts": WRONG_FACTS_HASH})
    with pytest.raises(UnverifiedError, match="proves other facts"):
        publish(altered(signed, put("facts", WRONG_FACTS))).recheck()


NO_OBJECTS = {"nothing": b"", "a list": b"[]", "not canonical": honest() + b"\n"}


@pytest.mark.parametrize("data", NO_OBJECTS.values(), ids=NO_OBJECTS)
def test_what_is_no_decision_object_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        publish(data).recheck()


def test_the_commitment_hides_and_binds() -> None:
    one = evidence_commitment(b"bundle", NAME_SALT)
    assert one != evidence_commitment(b"bundle", b"\1" * 16)
    assert one != evidence_commitment(b"bundles", NAME_SALT)
