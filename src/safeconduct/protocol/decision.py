"""A decision: the statute applied to what a claim proved, signed by t of n, open to
recomputation.

What is published is one object, canonical JSON:

    evidence    the claim's bundle (`open`), or a salted commitment to it (`sealed`)
    claim_proof the claim's own receipt, shown either way: no claim can be invented later
    judgements  what only people can judge, as the board found it
    facts       what evidence and judgements come to, in the statute's own terms
    judgement   the proof tree that the statute yields for these facts
    departure   why the board decided otherwise than the statute yields, if it did
    decision    the board's signed record over all of it, and its receipt

`recheck` goes the same way again from the bytes: anybody gets the same facts, the same tree and
the same outcome, or the place where they do not. Of a `sealed` decision it recomputes law and
outcome; the facts themselves it can only take as the board asserts them, and says so.

Spec: docs/3-protocol.md §15.
"""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from safeconduct.errors import MalformedError, RefusedError, UnverifiedError
from safeconduct.protocol.canonical import Json, format_json, parse_hex, parse_json, tagged_hash
from safeconduct.protocol.claim import (
    Bundle,
    Examined,
    credit_held,
    examine,
    format_bundle,
    parse_bundle,
    relied_on,
)
from safeconduct.protocol.credit import Credit
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.receipt import Receipt, verify_receipt
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
from safeconduct.protocol.tlog.policy import Logged, Policy, verify_proof

OBJECT_BYTES_MAX = 2 << 20
DEPARTURE_CHARACTERS_MAX = 4_000
_FIELDS = frozenset(
    {
        "claim_proof",
        "decision",
        "decision_proof",
        "departure",
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
    yielded: str  # what the statute gives; another than the outcome if the board departed
    departure: str  # why it did; empty if it did not
    sections: tuple[str, ...]
    evidence: str  # "disclosed", or "committed": then the facts are the board's word
    relied_on: bytes | None  # see `claim.relied_on`; None where not disclosed
    credit: Credit | None  # that the claimant holds, where disclosed
    signers: tuple[str, ...]
    record_hash: bytes
    logged: Logged
    claim_hash: bytes
    claim_logged: Logged

    @property
    def departed(self) -> bool:
        """Whether the board decided otherwise than the statute yields."""
        return self.outcome != self.yielded


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


def decision_record(proposal: Proposal, bundle: Bundle, number: int, reasons: bytes) -> Record:
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
        departure=departure_hash(""),
        disclosure=bundle.record.word("disclosure"),
    )


def departure_hash(departure: str) -> bytes:
    """What a decision record holds of the reasons to depart from the statute; zeros of none."""
    return hashlib.sha256(departure.encode("utf-8")).digest() if departure else NO_HASH


def check_claim_dated(claim: Record, logged_by: int) -> None:
    """Check that a claim was logged while it was still good.

    Raises:
        UnverifiedError: it had expired by then.
    """
    if logged_by > claim.number("expires"):
        raise UnverifiedError(
            "the claim had expired when it was logged", hint="sign and file it anew"
        )


def favours_person(record: Record, state: GazetteState) -> bool:
    """Whether a decision or publication gives what its law calls an outcome for the person."""
    statute = load_statute(state.statute(record.hash("statute")).law)
    given = record.word({"decision": "outcome", "publication": "standing"}[record.kind])
    return any(
        outcome.value == given and outcome.favours == "person"
        for outcome in (*statute.outcomes, statute.default)
    )


def used_up(bundle: Bundle, decision: Record, state: GazetteState) -> Credit | None:
    """The credit that a decision uses up: the claimant's own, if it was decided for them.

    Who was refused may use it again, for the same person.
    """
    return credit_held(bundle, state) if favours_person(decision, state) else None


def evidence_commitment(bundle: bytes, salt: bytes) -> bytes:
    """What stands for the evidence where the claimant asked that it stay sealed."""
    return tagged_hash("evidence", salt, bundle)


def decision_object(
    proposal: Proposal,
    bundle: Bundle,
    judgements: Mapping[str, bool],
    decision: bytes,
    decision_proof: bytes,
    claim_proof: bytes,
    salt: bytes,
    departure: str = "",
) -> bytes:
    """The object that a publication names. Spec: docs/3-protocol.md §15.4."""
    evidence: Json = {"commitment": evidence_commitment(bundle.data, salt).hex()}
    if bundle.record.word("disclosure") == "open":
        evidence = {"bundle": dict(bundle.fields)}
    return format_json(
        {
            "claim_proof": claim_proof.decode("utf-8"),
            "decision": decision.decode("utf-8"),
            "decision_proof": decision_proof.decode("utf-8"),
            "departure": departure,
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
    signed = parse_signed(_text(value, "decision").encode("utf-8"), "decision")
    record = signed.record
    if record.hash("programme") != state.programme_hash:
        raise UnverifiedError("decision: made in another programme")
    signers = _verify_board(signed, state)
    proof, origin = (
        _text(value, "decision_proof").encode("utf-8"),
        state.programme.word("ledger"),
    )
    receipt = verify_receipt(signed.data, proof, policy, origin)
    statute = load_statute(state.statute(record.hash("statute")).law)
    bundle = _bundle(value, record, state)
    claim_logged = _claim_logged(value, record, bundle, receipt, policy)
    facts = _recheck_facts(value, record, bundle, statute, state, policy)
    judgement = evaluate(statute, read_facts(facts, statute.facts), record.number("as-of"))
    departure = _recheck_outcome(value, record, statute, judgement)
    _recheck_publication(value, record, publication)
    if publication.number("final") <= appeal_last_at(statute, receipt.logged_by):
        raise UnverifiedError("decision: published before its appeal period was over")
    return Rechecked(
        subject=record.word("subject"),
        outcome=record.word("outcome"),
        yielded=judgement.outcome,
        departure=departure,
        sections=judgement.sections,
        evidence="disclosed" if bundle else "committed",
        relied_on=relied_on(bundle) if bundle else None,
        credit=credit_held(bundle, state) if bundle else None,
        signers=signers,
        record_hash=receipt.record_hash,
        logged=receipt.logged,
        claim_hash=record.hash("claim"),
        claim_logged=claim_logged,
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


def _bundle(value: dict[str, Json], record: Record, state: GazetteState) -> Bundle | None:
    """The claim with its evidence, made for this decision; None where it stays sealed."""
    evidence = _table(value, "evidence")
    if evidence.keys() not in ({"bundle"}, {"commitment"}):
        raise MalformedError("decision object: evidence must be a bundle or a commitment")
    if ("bundle" in evidence) != (record.word("disclosure") == "open"):
        raise UnverifiedError("decision: the evidence is not disclosed as the claimant asked")
    if "commitment" in evidence:
        parse_hex(_text(evidence, "commitment"), 32, "decision object: commitment")
        return None
    bundle = parse_bundle(format_json(_table(evidence, "bundle")))
    if bundle.claim_hash != record.hash("claim"):
        raise UnverifiedError("decision: the claim shown is not the one decided")
    if bundle.record.hash("programme") != record.hash("programme"):
        raise UnverifiedError("decision: its claim was made in another programme")
    if bundle.record.word("audience") != state.programme.key("registry").name:
        raise UnverifiedError("decision: its claim was made for another registry")
    if bundle.record.word("subject") != record.word("subject"):
        raise UnverifiedError("decision: made about another person than claimed")
    if bundle.record.hash("statute") != record.hash("statute"):
        raise UnverifiedError("decision: made under another statute than claimed under")
    return bundle


def _claim_logged(
    value: dict[str, Json],
    record: Record,
    bundle: Bundle | None,
    decided: Receipt,
    policy: Policy,
) -> Logged:
    """When the claim was logged: while it was good, and before anybody decided on it."""
    proof = _text(value, "claim_proof").encode("utf-8")
    logged = verify_proof(proof, record.hash("claim"), policy, decided.logged.origin)
    if logged.logged_by > decided.logged_by:
        raise UnverifiedError("decision: logged before the claim that it decides")
    if bundle:
        check_claim_dated(bundle.record, logged.logged_by)
    return logged


def _recheck_facts(
    value: dict[str, Json],
    record: Record,
    bundle: Bundle | None,
    statute: Statute,
    state: GazetteState,
    policy: Policy,
) -> Json:
    facts = value["facts"]
    if hashlib.sha256(format_json(facts)).digest() != record.hash("facts"):
        raise UnverifiedError("decision: the facts shown are not those the board signed")
    if bundle is None:
        return facts
    examined = examine(bundle, state, policy, _judgements(value))
    if format_json(declared_facts(examined, statute)) != format_json(facts):
        raise UnverifiedError(
            "decision: the evidence shown proves other facts than those stated"
        )
    if list(examined.shortfalls) != value["shortfalls"]:
        raise UnverifiedError("decision: the evidence fell short in other ways than stated")
    return facts


def _judgements(value: dict[str, Json]) -> dict[str, bool]:
    found: dict[str, bool] = {}
    for name, judged in _table(value, "judgements").items():
        if not isinstance(judged, bool):
            raise MalformedError("decision object: a judgement must be true or false")
        found[name] = judged
    return found


def _recheck_outcome(
    value: dict[str, Json], record: Record, statute: Statute, judgement: Judgement
) -> str:
    """The reasons to depart from the statute; empty where the outcome is what it yields."""
    if format_json(value["judgement"]) != format_judgement(judgement):
        raise UnverifiedError("decision: the statute yields another proof than the one shown")
    if tree_hash(judgement) != record.hash("judgement"):
        raise UnverifiedError(
            "decision: the statute yields another proof than the board signed"
        )
    departure, outcome = _departure(value, record), record.word("outcome")
    if outcome not in {each.value for each in (*statute.outcomes, statute.default)}:
        raise UnverifiedError(f"decision: the statute has no outcome {outcome}")
    if judgement.outcome != outcome and not departure:
        raise UnverifiedError(
            f"decision: the statute yields {judgement.outcome}, "
            f"the board signed {outcome} and gave no reason"
        )
    if judgement.outcome == outcome and departure:
        raise UnverifiedError("decision: reasons for a departure that is none")
    return departure


def _departure(value: dict[str, Json], record: Record) -> str:
    departure = _text(value, "departure")
    if not departure.isprintable() or len(departure) > DEPARTURE_CHARACTERS_MAX:
        raise MalformedError("decision object: departure cannot be shown, or is too long")
    if departure_hash(departure) != record.hash("departure"):
        raise UnverifiedError(
            "decision: the reasons to depart are not those the board signed for"
        )
    return departure


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
