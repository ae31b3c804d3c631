"""Behind a decision: the body that signed it, and the claims that it was made on.

Spec: docs/3-protocol.md §15.4.
"""

from collections.abc import Mapping, Sequence
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
from safeconduct.protocol.decision.unsealed import Opened, UnsealingError, open_commitment
from safeconduct.protocol.gazette import GazetteState, Roster
from safeconduct.protocol.reasons import FIRST
from safeconduct.protocol.receipt import Receipt
from safeconduct.protocol.record import NO_HASH, Record, SignedRecord, verify_signers
from safeconduct.protocol.tlog.note import VerifierKey
from safeconduct.protocol.tlog.policy import Logged, Policy, verify_proof
from safeconduct.protocol.votes import read_votes

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


def verify_body(
    signed: SignedRecord, state: GazetteState, votes: Json = None
) -> tuple[Body, tuple[str, ...]]:
    """The body that decided, and of its members those who signed, t of n.

    Where `votes` are shown it is the one whose members had them: of two boards with members in
    common, the later must not take the place of the one that voted.

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
    bodies = _that_voted(state.rosters if result == FIRST else state.panels, votes)
    for one in reversed(bodies[1:]):
        with suppress(UnverifiedError):
            signers = verify_signers(signed, one.members, one.threshold)
            return body_of(one.members, one.threshold), signers
    signers = verify_signers(signed, bodies[0].members, bodies[0].threshold)
    return body_of(bodies[0].members, bodies[0].threshold), signers


def _that_voted(bodies: Sequence[Roster], votes: Json) -> Sequence[Roster]:
    """The bodies with just the members of these votes; all, if none has: the count says so."""
    if votes is None:
        return bodies
    members = list(read_votes(votes).members)
    fit = [one for one in bodies if sorted(key.name for key in one.members) == members]
    return fit or bodies


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
    opened: Sequence[Opened] | None = None,
) -> tuple[tuple[Bundle, ...], tuple[Claimed, ...]]:
    """The claims decided, with their evidence where it is disclosed or opened; the first leads.

    `opened` are what opens sealed claims, in the same order; None leaves them sealed.
    """
    joined = list_of(value, "joined")
    if len(joined) > JOINED_MAX:
        raise MalformedError(f"decision object: more than {JOINED_MAX} claims joined")
    openings = _openings(opened, 1 + len(joined), record)
    lead = _bundle(value, record, state, openings[0])
    claims = [_claimed(value, record.hash("claim"), lead, receipt, state, policy)]
    bundles = [lead] if lead else []
    for one, opening in zip(joined, openings[1:], strict=True):
        if not isinstance(one, dict) or one.keys() != {"claim", "claim_proof", "evidence"}:
            raise MalformedError("decision object: not the fields of a joined claim")
        claim = parse_hex(text_of(one, "claim"), _HASH_BYTES, "decision object: joined claim")
        bundle = _evidence_of(one, record, opening)
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


def _openings(
    opened: Sequence[Opened] | None, claims: int, record: Record
) -> Sequence[Opened | None]:
    """What opens each claim, all of them or none."""
    if opened is None:
        return (None,) * claims
    if record.word("disclosure") == "open":
        raise UnsealingError("unsealing: the decision seals nothing")
    if len(opened) != claims:
        raise UnsealingError(
            f"unsealing: it opens claims: {len(opened)}; the decision was made on: {claims}"
        )
    return opened


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


def _evidence_of(
    value: Mapping[str, Json], record: Record, opened: Opened | None
) -> Bundle | None:
    """The claim with its evidence; None where it stays sealed."""
    evidence = table_of(value, "evidence")
    if evidence.keys() not in ({"bundle"}, {"commitment"}):
        raise MalformedError("decision object: evidence must be a bundle or a commitment")
    if ("bundle" in evidence) != (record.word("disclosure") == "open"):
        raise UnverifiedError("decision: the evidence is not disclosed as the claimant asked")
    if "commitment" in evidence:
        text = text_of(evidence, "commitment")
        commitment = parse_hex(text, _HASH_BYTES, "decision object: commitment")
        return open_commitment(commitment, opened) if opened is not None else None
    return parse_bundle(format_json(table_of(evidence, "bundle")))


def _bundle(
    value: dict[str, Json], record: Record, state: GazetteState, opened: Opened | None
) -> Bundle | None:
    """The leading claim with its evidence, made for this decision."""
    bundle = _evidence_of(value, record, opened)
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
