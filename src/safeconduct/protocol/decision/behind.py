"""Behind a decision: the body that signed it, and the claims that it was made on.

Spec: docs/3-protocol.md §15.4.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from safeconduct.errors import MalformedError, SafeconductError, UnverifiedError
from safeconduct.protocol.canonical import Json, format_json, parse_hex
from safeconduct.protocol.claim import (
    JOINED_MAX,
    Bundle,
    check_joinable,
    credit_held,
    parse_bundle,
    relied_on,
)
from safeconduct.protocol.credit import Credit
from safeconduct.protocol.decision.draft import RESULTS, Body
from safeconduct.protocol.decision.proposal import check_claim_dated, shared_by
from safeconduct.protocol.decision.shown import list_of, table_of, text_of
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.reasons import FIRST
from safeconduct.protocol.receipt import Receipt
from safeconduct.protocol.record import NO_HASH, Record, SignedRecord, verify_signers
from safeconduct.protocol.tlog.note import VerifierKey
from safeconduct.protocol.tlog.policy import Logged, Policy, verify_proof

_HASH_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A claim that was decided: its record hash, its date, and what it relied on if shown."""

    claim_hash: bytes
    logged: Logged
    relied_on: bytes | None  # see `claim.relied_on`
    credit: Credit | None  # that the claimant holds
    joint: tuple[str, ...]  # register numbers that did it together


# Who decided.


def verify_body(signed: SignedRecord, state: GazetteState) -> tuple[Body, tuple[str, ...]]:
    """The body that decided, and of its members those who signed, t of n.

    An earlier board's decision stands after the board has changed; that it was made in time is
    vouched for by the board in office, which signed the publication.
    """
    result, appeal = signed.record.word("result"), signed.record.hash("appeal")
    if result not in RESULTS:
        raise MalformedError("decision record: a result that no decision has")
    if (result == FIRST) != (appeal == NO_HASH):
        raise MalformedError("decision record: on appeal without an appeal, or the reverse")
    if result != FIRST and not state.panels:
        raise UnverifiedError("decision: on appeal, and the Gazette has no appeal panel")
    bodies = state.rosters if result == FIRST else state.panels
    for one in reversed(bodies[1:]):
        with suppress(UnverifiedError):
            signers = verify_signers(signed, one.members, one.threshold)
            return body_of(one.members, one.threshold), signers
    signers = verify_signers(signed, bodies[0].members, bodies[0].threshold)
    return body_of(bodies[0].members, bodies[0].threshold), signers


def body_of(members: tuple[VerifierKey, ...], threshold: int) -> Body:
    """The body whose members hold these keys."""
    return Body(members=tuple(key.name for key in members), threshold=threshold)


# What was decided on.


def read_claims(
    value: dict[str, Json],
    record: Record,
    receipt: Receipt,
    state: GazetteState,
    policy: Policy,
) -> tuple[tuple[Bundle, ...], tuple[Claimed, ...]]:
    """The claims decided, with their evidence where it is disclosed; the first leads."""
    lead = _bundle(value, record, state)
    claims = [_claimed(value, record.hash("claim"), lead, receipt, state, policy)]
    bundles = [lead] if lead else []
    joined = list_of(value, "joined")
    if len(joined) > JOINED_MAX:
        raise MalformedError(f"decision object: more than {JOINED_MAX} claims joined")
    for one in joined:
        if not isinstance(one, dict) or one.keys() != {"claim", "claim_proof", "evidence"}:
            raise MalformedError("decision object: not the fields of a joined claim")
        claim = parse_hex(text_of(one, "claim"), _HASH_BYTES, "decision object: joined claim")
        bundle = _evidence_of(one, record)
        if bundle is not None:
            bundles.append(bundle)
            if bundle.claim_hash != claim:
                raise UnverifiedError("decision: a joined claim shown is not the one named")
        claims.append(_claimed(one, claim, bundle, receipt, state, policy))
    if bundles:
        try:
            check_joinable(bundles)
        except SafeconductError as error:
            raise UnverifiedError(f"decision: {error.message}") from error
    return tuple(bundles), tuple(claims)


def _claimed(
    value: Mapping[str, Json],
    claim: bytes,
    bundle: Bundle | None,
    decided: Receipt,
    state: GazetteState,
    policy: Policy,
) -> Claimed:
    """When a claim was logged: while it was good, and before anybody decided on it."""
    proof = text_of(value, "claim_proof").encode("utf-8")
    logged = verify_proof(proof, claim, policy, decided.logged.origin)
    if logged.logged_by > decided.logged_by:
        raise UnverifiedError("decision: logged before the claim that it decides")
    if bundle:
        check_claim_dated(bundle.record, logged.logged_by)
    return Claimed(
        claim_hash=claim,
        logged=logged,
        relied_on=relied_on(bundle) if bundle else None,
        credit=credit_held(bundle, state) if bundle else None,
        joint=shared_by(bundle, state) if bundle else (),
    )


def _evidence_of(value: Mapping[str, Json], record: Record) -> Bundle | None:
    """The claim with its evidence; None where it stays sealed."""
    evidence = table_of(value, "evidence")
    if evidence.keys() not in ({"bundle"}, {"commitment"}):
        raise MalformedError("decision object: evidence must be a bundle or a commitment")
    if ("bundle" in evidence) != (record.word("disclosure") == "open"):
        raise UnverifiedError("decision: the evidence is not disclosed as the claimant asked")
    if "commitment" in evidence:
        commitment = text_of(evidence, "commitment")
        parse_hex(commitment, _HASH_BYTES, "decision object: commitment")
        return None
    return parse_bundle(format_json(table_of(evidence, "bundle")))


def _bundle(value: dict[str, Json], record: Record, state: GazetteState) -> Bundle | None:
    """The leading claim with its evidence, made for this decision."""
    bundle = _evidence_of(value, record)
    if bundle is None:
        return None
    if bundle.claim_hash != record.hash("claim"):
        raise UnverifiedError("decision: the claim shown is not the one decided")
    if bundle.record.hash("programme") != record.hash("programme"):
        raise UnverifiedError("decision: its claim was made in another programme")
    if bundle.record.word("audience") != state.programme.key("registry").name:
        raise UnverifiedError("decision: its claim was made for another registry")
    if bundle.record.word("subject") != record.word("subject"):
        raise UnverifiedError("decision: made about another person than claimed")
    return bundle
