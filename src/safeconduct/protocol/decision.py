"""A decision: the statute applied to what a claim proved, signed by t of n, open to
recomputation.

What is published is one object, canonical JSON:

    evidence    the claim's bundle (`open`), or a salted commitment to it (`sealed`)
    judgements  what only people can judge, as the board found it
    facts       what evidence and judgements come to, in the statute's own terms
    judgement   the proof tree that the statute yields for these facts
    decision    the board's signed record over all of it, and its receipt

`recheck` goes the same way again from the bytes: anybody gets the same facts, the same tree and
the same outcome, or the place where they do not.

Spec: docs/3-protocol.md §15.
"""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from safeconduct.errors import MalformedError, RefusedError, UnverifiedError
from safeconduct.protocol.canonical import Json, format_json, parse_hex, parse_json, tagged_hash
from safeconduct.protocol.claim import Bundle, Examined, examine, format_bundle, parse_bundle
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import (
    NO_HASH,
    Record,
    SignedRecord,
    make_record,
    parse_signed,
    verify_signers,
)
from safeconduct.protocol.statute.evaluate import (
    Judgement,
    evaluate,
    format_judgement,
    judgement_document,
    tree_hash,
)
from safeconduct.protocol.statute.explain import appeal_last_at
from safeconduct.protocol.statute.facts import read_facts
from safeconduct.protocol.statute.load import load_statute
from safeconduct.protocol.statute.text import Statute
from safeconduct.protocol.tlog.policy import Logged, Policy

OBJECT_BYTES_MAX = 2 << 20
_FIELDS = frozenset(
    {
        "decision",
        "decision_proof",
        "evidence",
        "facts",
        "judgement",
        "judgements",
        "salt",
        "shortfalls",
        "subject",
        "type",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What the statute says about a claim, before any human has decided."""

    statute: Statute
    facts: Json
    shortfalls: tuple[str, ...]
    judgement: Judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class Rechecked:
    """A published decision that came out the same when it was computed again."""

    subject: str
    outcome: str
    sections: tuple[str, ...]
    evidence: str  # "disclosed" or "committed"
    signers: tuple[str, ...]
    record_hash: bytes
    logged: Logged


def propose(
    bundle: Bundle,
    state: GazetteState,
    policy: Policy,
    judgements: Mapping[str, bool],
    as_of: int,
) -> Proposal:
    """Apply the statute that the claim relies on to what its evidence proves.

    Raises:
        MalformedError: the judgements are not those that the limb calls for.
        RefusedError: the statute is not in force, or facts are missing that somebody owes.
    """
    statute = load_statute(state.statute(bundle.record.hash("statute")).law)
    examined = examine(bundle, state, policy, judgements)
    facts = declared_facts(examined, statute)
    judgement = evaluate(statute, read_facts(facts, statute.facts), as_of)
    if not judgement.decided:
        owed = ", ".join(
            f"{fact.fact} (owed by {fact.owed_by})" for fact in judgement.open_facts
        )
        raise RefusedError(f"nothing can be decided yet: {owed}", hint="find these facts first")
    return Proposal(
        statute=statute, facts=facts, shortfalls=examined.shortfalls, judgement=judgement
    )


def declared_facts(examined: Examined, statute: Statute) -> Json:
    """The examined facts that this statute speaks of; the others do not concern it."""
    document = examined.facts
    assert isinstance(document, dict)
    single, lists = document["facts"], document["lists"]
    assert isinstance(single, dict)
    assert isinstance(lists, dict)
    kept: dict[str, Json] = {}
    for name, items in lists.items():
        assert isinstance(items, list)
        kept[name] = [_declared_item(name, item, statute) for item in items]
    known = {name.partition(".")[0] for name in statute.facts if "." in name}
    return {
        "facts": {name: value for name, value in single.items() if name in statute.facts},
        "lists": {name: items for name, items in kept.items() if name in known},
    }


def _declared_item(name: str, item: Json, statute: Statute) -> Json:
    assert isinstance(item, dict)
    return {field: value for field, value in item.items() if f"{name}.{field}" in statute.facts}


def decision_record(
    proposal: Proposal, bundle: Bundle, number: int, reasons: bytes, departure: bytes = NO_HASH
) -> Record:
    """The record for the board to sign; `reasons` is the SHA-256 of the letter's reasons."""
    return make_record(
        "decision",
        programme=bundle.record.hash("programme"),
        number=number,
        statute=proposal.statute.sha256,
        subject=bundle.record.word("subject"),
        claim=bundle.claim_hash,
        outcome=proposal.judgement.outcome,
        facts=hashlib.sha256(format_json(proposal.facts)).digest(),
        judgement=tree_hash(proposal.judgement),
        as_of=proposal.judgement.as_of,
        reasons=reasons,
        departure=departure,
        disclosure=bundle.record.word("disclosure"),
    )


def evidence_commitment(bundle: bytes, salt: bytes) -> bytes:
    """What stands for the evidence where the claimant asked that it stay sealed."""
    return tagged_hash("evidence", salt, bundle)


def decision_object(
    proposal: Proposal,
    bundle: Bundle,
    judgements: Mapping[str, bool],
    decision: bytes,
    decision_proof: bytes,
    salt: bytes,
) -> bytes:
    """The object that a publication names. Spec: docs/3-protocol.md §15.4."""
    evidence: Json = {"commitment": evidence_commitment(bundle.data, salt).hex()}
    if bundle.record.word("disclosure") == "open":
        evidence = {"bundle": dict(bundle.fields)}
    return format_json(
        {
            "decision": decision.decode("utf-8"),
            "decision_proof": decision_proof.decode("utf-8"),
            "evidence": evidence,
            "facts": proposal.facts,
            "judgement": judgement_document(proposal.judgement),
            "judgements": dict(judgements),
            "salt": salt.hex(),
            "shortfalls": list(proposal.shortfalls),
            "subject": bundle.record.word("subject"),
            "type": "decision",
        }
    )


def recheck(data: bytes, publication: Record, state: GazetteState, policy: Policy) -> Rechecked:
    """Compute a published decision again, from its own bytes and the Gazette's state.

    Raises:
        MalformedError: not the form of a decision object.
        UnverifiedError: a signature or a receipt does not hold, or something came out
            differently; the message says what.
    """
    value = parse_json(data, "decision object", bytes_max=OBJECT_BYTES_MAX)
    if not isinstance(value, dict) or value.keys() != _FIELDS or value["type"] != "decision":
        raise MalformedError("decision object: not the fields a decision has")
    if hashlib.sha256(data).digest() != publication.hash("object"):
        raise UnverifiedError("decision: not the object that the publication names")
    signed_text, proof_text = _text(value, "decision"), _text(value, "decision_proof")
    signed = parse_signed(signed_text.encode("utf-8"), "decision")
    record = signed.record
    if record.hash("programme") != state.programme_hash:
        raise UnverifiedError("decision: made in another programme")
    signers = _verify_board(signed, state)
    origin = state.programme.word("ledger")
    receipt = verify_receipt(signed.data, proof_text.encode("utf-8"), policy, origin)
    statute = load_statute(state.statute(record.hash("statute")).law)
    facts = _recheck_facts(value, record, statute, state, policy)
    judgement = evaluate(statute, read_facts(facts, statute.facts), record.number("as-of"))
    _recheck_outcome(value, record, judgement)
    _recheck_publication(value, record, publication)
    if publication.number("final") <= appeal_last_at(statute, receipt.logged_by):
        raise UnverifiedError("decision: published before its appeal period was over")
    return Rechecked(
        subject=record.word("subject"),
        outcome=record.word("outcome"),
        sections=judgement.sections,
        evidence="disclosed" if "bundle" in _table(value, "evidence") else "committed",
        signers=signers,
        record_hash=receipt.record_hash,
        logged=receipt.logged,
    )


def _verify_board(signed: SignedRecord, state: GazetteState) -> tuple[str, ...]:
    """The signers, t of n of a board of this programme.

    An earlier board's decision stands after the board has changed; that it was made in time is
    vouched for by the board in office, which signed the publication.
    """
    for roster in reversed(state.rosters[1:]):
        with suppress(UnverifiedError):
            return verify_signers(signed, roster.members, roster.threshold)
    return verify_signers(signed, state.rosters[0].members, state.rosters[0].threshold)


def _recheck_facts(
    value: dict[str, Json],
    record: Record,
    statute: Statute,
    state: GazetteState,
    policy: Policy,
) -> Json:
    facts = value["facts"]
    if hashlib.sha256(format_json(facts)).digest() != record.hash("facts"):
        raise UnverifiedError("decision: the facts shown are not those the board signed")
    evidence = _table(value, "evidence")
    if evidence.keys() not in ({"bundle"}, {"commitment"}):
        raise MalformedError("decision object: evidence must be a bundle or a commitment")
    if ("bundle" in evidence) != (record.word("disclosure") == "open"):
        raise UnverifiedError("decision: the evidence is not disclosed as the claimant asked")
    if "commitment" in evidence:
        parse_hex(_text(evidence, "commitment"), 32, "decision object: commitment")
        return facts
    bundle = _bundle(evidence, record)
    examined = examine(bundle, state, policy, _judgements(value))
    if format_json(declared_facts(examined, statute)) != format_json(facts):
        raise UnverifiedError(
            "decision: the evidence shown proves other facts than those stated"
        )
    if list(examined.shortfalls) != value["shortfalls"]:
        raise UnverifiedError("decision: the evidence fell short in other ways than stated")
    return facts


def _bundle(evidence: dict[str, Json], record: Record) -> Bundle:
    fields = _table(evidence, "bundle")
    bundle = parse_bundle(format_json(fields))
    if bundle.claim_hash != record.hash("claim"):
        raise UnverifiedError("decision: the claim shown is not the one decided")
    if bundle.record.word("subject") != record.word("subject"):
        raise UnverifiedError("decision: made about another person than claimed")
    if bundle.record.hash("statute") != record.hash("statute"):
        raise UnverifiedError("decision: made under another statute than claimed under")
    return bundle


def _judgements(value: dict[str, Json]) -> dict[str, bool]:
    found: dict[str, bool] = {}
    for name, judged in _table(value, "judgements").items():
        if not isinstance(judged, bool):
            raise MalformedError("decision object: a judgement must be true or false")
        found[name] = judged
    return found


def _recheck_outcome(value: dict[str, Json], record: Record, judgement: Judgement) -> None:
    if format_json(value["judgement"]) != format_judgement(judgement):
        raise UnverifiedError("decision: the statute yields another proof than the one shown")
    if tree_hash(judgement) != record.hash("judgement"):
        raise UnverifiedError(
            "decision: the statute yields another proof than the board signed"
        )
    departed = record.hash("departure") != NO_HASH
    if judgement.outcome != record.word("outcome") and not departed:
        raise UnverifiedError(
            f"decision: the statute yields {judgement.outcome}, "
            f"the board signed {record.word('outcome')} and gave no reason"
        )


def _recheck_publication(value: dict[str, Json], record: Record, publication: Record) -> None:
    for name, stated in (
        ("subject", value["subject"]),
        ("subject", record.word("subject")),
        ("standing", record.word("outcome")),
    ):
        if publication.word(name) != stated:
            raise UnverifiedError(f"decision: its {name} is not the one published")
    if publication.hash("statute") != record.hash("statute"):
        raise UnverifiedError("decision: published under another statute")


def _text(value: Mapping[str, Json], name: str) -> str:
    text = value[name]
    if not isinstance(text, str):
        raise MalformedError(f"decision object: {name} must be text")
    return text


def _table(value: Mapping[str, Json], name: str) -> dict[str, Json]:
    table = value[name]
    if not isinstance(table, dict):
        raise MalformedError(f"decision object: {name} must be an object")
    return table


def with_assessment(bundle: Bundle, assessment: bytes, proof: bytes) -> Bundle:
    """The bundle on the *helped* limb with the desk's assessment, which the registry adds."""
    if bundle.limb != "helped":
        return bundle
    fields = dict(bundle.fields) | {
        "assessment": assessment.decode("utf-8"),
        "assessment_proof": proof.decode("utf-8"),
    }
    return parse_bundle(format_bundle(bundle.limb, fields))
