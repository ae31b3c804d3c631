"""Evidence: what a claim's bundle proves, and what it fails to prove, each with its reason."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from tests.protocol.builders import (
    DAY,
    DESK,
    GAZETTE,
    MEMBERS,
    NOON,
    OUR_WITNESS,
    POLICY,
    PROGRAMME,
    assessment,
    capture_record,
    claimed,
    denounced_bundle,
    gazette_state,
    helped_bundle,
    helped_fields,
    prove,
    public_capture,
    redated,
    seal,
    sealed,
    statements,
)

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.claim import (
    Examined,
    examine,
    parse_bundle,
    relied_on,
)
from safeconduct.protocol.envelope import acknowledgement
from safeconduct.protocol.gazette import StatuteVersion
from safeconduct.protocol.receipt import STATEMENT_GRACE_SECONDS
from safeconduct.protocol.record import (
    Record,
    Value,
    format_record,
    record_hash,
    sign_record,
)
from safeconduct.protocol.tlog.note import (
    SigningKey,
)

STATE = gazette_state()
DIGEST = record_hash(statements().record)
FINDINGS = {"grave_crime_proven": False, "knowing_falsehood_found": False}
NOTHING_FOUND = FINDINGS | {"claimant_is_subject": True}
SPEAKS = NOTHING_FOUND | {"speaker_is_claimant": True, "denounces": True, "withdrawn": False}


def examined(data: bytes, judgements: Mapping[str, bool] = NOTHING_FOUND) -> Examined:
    return examine(parse_bundle(data), STATE, POLICY, judgements)


def item(found: Examined, limb: str) -> dict[str, Json]:
    assert isinstance(found.facts, dict)
    lists = found.facts["lists"]
    assert isinstance(lists, dict)
    items = lists[limb]
    assert isinstance(items, list)
    assert len(items) == 1
    assert isinstance(items[0], dict)
    return items[0]


def proof_of(text: str | bytes, at: int = NOON) -> str:
    data = text.encode() if isinstance(text, str) else text
    return prove(record_hash(data), at).decode()


# What holds.


def test_a_tip_that_helped_proves_four_facts() -> None:
    found = examined(helped_bundle())
    assert found.shortfalls == ()
    assert found.facts == {
        "facts": FINDINGS,
        "lists": {
            "tips": [
                {
                    "logged": [None, NOON],
                    "author_proven": True,
                    "acknowledged": "ok",
                    "grade": "useful",
                }
            ],
            "statements": [],
        },
    }


def test_a_public_statement_proves_when_it_had_been_made() -> None:
    found = examined(denounced_bundle(), SPEAKS)
    assert found.shortfalls == ()
    assert item(found, "statements") == {
        "made": [None, NOON],
        "speaker_is_claimant": True,
        "denounces": True,
        "withdrawn": False,
    }


def test_the_boards_findings_stand_beside_the_evidence() -> None:
    found = examined(helped_bundle(), NOTHING_FOUND | {"grave_crime_proven": True})
    assert isinstance(found.facts, dict)
    assert found.facts["facts"] == FINDINGS | {"grave_crime_proven": True}


@pytest.mark.parametrize(
    "judgements", [{}, SPEAKS, FINDINGS, NOTHING_FOUND | {"is_nice": True}]
)
def test_the_board_judges_exactly_what_the_limb_calls_for(
    judgements: Mapping[str, bool],
) -> None:
    with pytest.raises(MalformedError, match="judge exactly"):
        examined(helped_bundle(), judgements)


# What falls short: a fact that is not proven, with the reason in words.


def acknowledged(signer: SigningKey = DESK, digest: bytes = DIGEST, epoch: int = 1) -> str:
    record = acknowledgement(PROGRAMME, digest, "ok", epoch)
    return sign_record(record, [signer]).decode()


def acknowledgement_fields(text: str) -> dict[str, str]:
    return {"acknowledgement": text, "acknowledgement_proof": proof_of(text)}


def graded(**changes: Value) -> dict[str, str]:
    text = sign_record(assessment(DIGEST, **changes), [DESK]).decode()
    return {"assessment": text, "assessment_proof": proof_of(text)}


EPOCH = STATE.epochs[0]


def acknowledgement_at(at: int) -> dict[str, str]:
    text = helped_fields()["acknowledgement"]
    return {"acknowledgement_proof": proof_of(text, at)}


def relying_on(statute: bytes) -> dict[str, str]:
    """A contribution under another law, with all that the desk says about it."""
    record = replace(sealed().record, values={**sealed().record.values, "statute": statute})
    digest = record_hash(format_record(record))
    fields = other_contribution(record) | graded(record=digest)
    return fields | acknowledgement_fields(acknowledged(digest=digest))


def other_contribution(record: Record) -> dict[str, str]:
    data = format_record(record)
    return {
        "record": data.decode(),
        "proof": proof_of(data),
        "claim": claimed(record=record_hash(data)),
    }


PROOF = helped_fields()["proof"]

Changes = Callable[[], dict[str, str]]
SHORTFALLS: dict[str, tuple[Changes, str, Json, str]] = {
    "another source's keys": (
        lambda: {"claim": claimed(1)},
        "author_proven", False, "keys are not those",
    ),
    "another blind": (
        lambda: {"claim": claimed(blind=bytes(16))},
        "author_proven", False, "keys are not those",
    ),
    "a contribution the claim does not name": (
        lambda: {"claim": claimed(record=bytes(32))},
        "author_proven", False, "names another contribution",
    ),
    "no contribution": (
        lambda: {"record": "", "proof": ""},
        "author_proven", False, "no contribution was shown",
    ),
    "a contribution of another programme": (
        lambda: other_contribution(
            replace(sealed().record, values={**sealed().record.values, "programme": bytes(32)})
        ),
        "author_proven", False, "another programme",
    ),
    "an acknowledgement for a contribution": (
        lambda: {
            "record": helped_fields()["acknowledgement"],
            "proof": helped_fields()["acknowledgement_proof"],
        },
        "author_proven", False, "where contribution is due",
    ),
    "a receipt of something else": (
        lambda: {"proof": helped_fields()["acknowledgement_proof"]},
        "logged", None, "does not lead to the root",
    ),
    "a receipt dated back": (
        lambda: {"proof": redated(PROOF.encode(), -365 * DAY).decode()},
        "logged", None, "bad signature",
    ),
    "a receipt of one witness": (
        lambda: {"proof": prove(DIGEST, witnesses=(OUR_WITNESS,)).decode()},
        "logged", None, "quorum",
    ),
    "a receipt of the other log": (
        lambda: {"proof": prove(DIGEST, log=GAZETTE).decode()},
        "logged", None, "not of log.example/ledger",
    ),
    "no receipt": (
        lambda: {"proof": ""},
        "logged", None, "the contribution does not hold",
    ),
    "a contribution under a law that was never published": (
        lambda: relying_on(bytes(32)),
        "logged", None, "relies on no law",
    ),
    "an acknowledgement logged before its epoch opened": (
        lambda: acknowledgement_at(EPOCH.opens - 1),
        "acknowledged", "none", "before desk epoch 1 opened",
    ),
    "an acknowledgement logged long after its epoch had closed": (
        lambda: acknowledgement_at(EPOCH.closes + STATEMENT_GRACE_SECONDS + 1),
        "acknowledged", "none", "long after desk epoch 1 had closed",
    ),
    "no acknowledgement": (
        lambda: {"acknowledgement": "", "acknowledgement_proof": ""},
        "acknowledged", "none", "no acknowledgement was shown",
    ),
    "an acknowledgement that was never logged": (
        lambda: {"acknowledgement_proof": PROOF},
        "acknowledged", "none", "does not lead to the root",
    ),
    "an acknowledgement by the board": (
        lambda: acknowledgement_fields(acknowledged(MEMBERS[0])),
        "acknowledged", "none", "no say here",
    ),
    "an acknowledgement by a stranger under the desk's name": (
        lambda: acknowledgement_fields(
            acknowledged(SigningKey(name=DESK.name, seed=bytes(32)))
        ),
        "acknowledged", "none", "no say here",
    ),
    "an acknowledgement of another contribution": (
        lambda: acknowledgement_fields(acknowledged(digest=bytes(32))),
        "acknowledged", "none", "another contribution",
    ),
    "an acknowledgement of an epoch never certified": (
        lambda: acknowledgement_fields(acknowledged(epoch=2)),
        "acknowledged", "none", "never certified",
    ),
    "an acknowledgement changed after signing": (
        lambda: acknowledgement_fields(
            acknowledged(digest=DIGEST).replace("status ok", "status useful")
        ),
        "acknowledged", "none", "bad signature",
    ),
    "an assessment for an acknowledgement": (
        lambda: {
            "acknowledgement": helped_fields()["assessment"],
            "acknowledgement_proof": helped_fields()["assessment_proof"],
        },
        "acknowledged", "none", "where acknowledgement is due",
    ),
    "no assessment": (
        lambda: {"assessment": "", "assessment_proof": ""},
        "grade", "unproven", "no assessment was shown",
    ),
    "an assessment of another contribution": (
        lambda: graded(record=bytes(32)),
        "grade", "unproven", "another contribution",
    ),
    "an assessment of another programme": (
        lambda: graded(programme=bytes(32)),
        "grade", "unproven", "another programme",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "fact", "value", "reason"), SHORTFALLS.values(), ids=SHORTFALLS
)
def test_evidence_that_fails_becomes_a_fact_with_its_reason(
    changes: Changes, fact: str, value: Json, reason: str
) -> None:
    found = examined(helped_bundle(**changes()))
    assert item(found, "tips").get(fact) == value
    assert len(found.shortfalls) == 1
    assert reason in found.shortfalls[0]


@pytest.mark.parametrize("at", [EPOCH.opens, EPOCH.closes + STATEMENT_GRACE_SECONDS])
def test_the_desk_has_a_month_after_an_epoch_for_its_last_answers(at: int) -> None:
    found = examined(helped_bundle(**acknowledgement_at(at)))
    assert found.shortfalls == ()


def test_nobody_claims_under_an_older_law_than_they_relied_on() -> None:
    second = StatuteVersion(number=2, law=b"{}", sha256=b"\2" * 32, index=9)
    state = replace(STATE, statutes=(*STATE.statutes, second))
    old = parse_bundle(helped_bundle(**relying_on(second.sha256)))
    found = examine(old, state, POLICY, NOTHING_FOUND)
    assert "logged" not in item(found, "tips")
    assert found.shortfalls == ("the claim names an older law than the contribution relied on",)
    new = parse_bundle(helped_bundle(claim=claimed(statute=second.sha256)))
    assert examine(new, state, POLICY, NOTHING_FOUND).shortfalls == ()


@pytest.mark.parametrize("limb", ["tips", "statements"])
def test_who_is_not_the_person_claimed_about_has_proven_nothing_of_theirs(limb: str) -> None:
    stranger = {"claimant_is_subject": False}
    found, fact = {
        "tips": (examined(helped_bundle(), NOTHING_FOUND | stranger), "author_proven"),
        "statements": (examined(denounced_bundle(), SPEAKS | stranger), "speaker_is_claimant"),
    }[limb]
    assert item(found, limb)[fact] is False
    assert found.shortfalls == ("the claimant was not found to be the person of this number",)


RELIED: dict[str, tuple[Callable[[], bytes], bytes | None]] = {
    "one's own": (helped_bundle, DIGEST),
    "one's own, never dated": (lambda: helped_bundle(proof=""), DIGEST),
    "another's": (lambda: helped_bundle(claim=claimed(1)), None),
    "one that the claim does not name": (
        lambda: helped_bundle(claim=claimed(record=bytes(32))),
        None,
    ),
    "none": (lambda: helped_bundle(record="", proof=""), None),
    "a public statement": (denounced_bundle, None),
}


@pytest.mark.parametrize(("data", "record"), RELIED.values(), ids=RELIED)
def test_a_claim_relies_on_a_contribution_that_its_keys_open(
    data: Callable[[], bytes], record: bytes | None
) -> None:
    assert relied_on(parse_bundle(data())) == record


def test_somebody_elses_contribution_is_nobodys_help() -> None:
    """Whoever shows another's receipt has no keys for it, and no desk's word about it."""
    found = examined(helped_bundle(**other_contribution(seal(number=1).record)))
    shown = item(found, "tips")
    assert (shown["author_proven"], shown["acknowledged"], shown["grade"]) == (
        False,
        "none",
        "unproven",
    )
    assert [reason.rpartition(" ")[2] for reason in found.shortfalls] == [
        "to",
        "contribution",
        "contribution",
    ]


def test_a_lesser_grade_is_no_shortfall() -> None:
    found = examined(helped_bundle(**graded(grade="worthless")))
    assert item(found, "tips")["grade"] == "worthless"
    assert found.shortfalls == ()


def other_page() -> str:
    return public_capture().decode().replace("a crime", "a crown")


def recorded(**changes: Value) -> dict[str, str]:
    data = capture_record(public_capture(), **changes)
    return {
        "record": data.decode(),
        "proof": proof_of(data),
        "claim": claimed(kind="claim-denounced", record=record_hash(data)),
    }


STATEMENT_SHORTFALLS: dict[str, tuple[Changes, str]] = {
    "another page than was logged": (lambda: {"capture": other_page()}, "not the one"),
    "no page": (lambda: {"capture": ""}, "not the one"),
    "a statement that is not there": (lambda: {"statement": "1"}, "no such statement"),
    "no statement": (lambda: {"statement": ""}, "no such statement"),
    "a capture never logged": (lambda: {"proof": ""}, "does not hold"),
    "a capture dated back": (
        lambda: {"proof": redated(proof_of(capture_record(public_capture())).encode(), -DAY)
                 .decode()},
        "bad signature",
    ),
    "a capture of another programme": (
        lambda: recorded(programme=bytes(32)),
        "another programme",
    ),
    "a page whose statements do not follow from it": (
        lambda: invented(),
        "do not follow",
    ),
    "a capture the claim does not name": (
        lambda: {"claim": claimed(kind="claim-denounced", record=bytes(32))},
        "names another capture",
    ),
}  # fmt: skip


def invented() -> dict[str, str]:
    page = other_page().replace("a crime", "a crown", 1).replace("a crown", "a crowd", 1)
    return {"capture": page, **recorded(public=hashlib.sha256(page.encode()).digest())}


@pytest.mark.parametrize(
    ("changes", "reason"), STATEMENT_SHORTFALLS.values(), ids=STATEMENT_SHORTFALLS
)
def test_a_statement_that_is_not_shown_was_not_made(changes: Changes, reason: str) -> None:
    found = examined(denounced_bundle(**changes()), SPEAKS)
    assert item(found, "statements")["made"] == "absent"
    assert item(found, "statements")["speaker_is_claimant"] is False
    assert len(found.shortfalls) == 1
    assert reason in found.shortfalls[0]
