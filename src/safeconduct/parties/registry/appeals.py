"""Appeals: a person objects, everything is suspended, others than the first deciders decide.

    appeal           within the statute's period, signed with the claim's own key, or that of
                     a claim that was decided together with it → suspends
    propose_appeal   the law applied anew, perhaps on new evidence → a draft for the panel
    enter_appeal     the panel's signed decision and its votes → logged → served

    uphold, replace  final at once; what is published is this decision
    quash            the decision falls; the person's line stays as it was, and the claim may
                     be filed anew
    remit            the decision falls; the board decides anew, others where it has enough

Spec: docs/3-protocol.md §15.7.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from safeconduct.errors import ConflictError, RefusedError, UnverifiedError
from safeconduct.parties.registry.casefile import (
    Entered,
    Proposed,
    case_number,
    filed_bundle,
    format_entered,
    format_proposed,
    format_remitted,
    last_appeal_at,
    parse_proposed,
    read_entered,
    read_proposed,
    read_remitted,
    receipt_of,
    repropose,
    serve,
)
from safeconduct.parties.registry.joining import (
    NOTHING,
    Added,
    check_one_person,
    gather,
    leading,
    proposal_for,
)
from safeconduct.parties.registry.letter import write_admitted
from safeconduct.parties.registry.receive import Registry
from safeconduct.parties.registry.redeeming import redeem, redeems
from safeconduct.parties.registry.sitting import Sitting, check_settled, date_once, letter_about
from safeconduct.plumbing.logs import log_record
from safeconduct.protocol.case import Case, Event, next_state
from safeconduct.protocol.claim import Bundle
from safeconduct.protocol.decision import (
    QUASH,
    REMIT,
    REPLACE,
    Proposal,
    appellants,
    check_appeal,
    draft_record,
    open_appeal,
)
from safeconduct.protocol.docket import deciding_body
from safeconduct.protocol.record import (
    Record,
    format_record,
    parse_signed,
    record_hash,
    verify_signers,
)
from safeconduct.protocol.votes import parse_votes

# What follows in the case on what the panel decided; nothing yet where it is to be published.
_FOLLOWS = {QUASH: "quashed", REMIT: "remitted"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelDraft:
    """A decision record for the appeal panel to vote on, and what it rests on."""

    record: bytes
    proposal: Proposal
    first: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A panel's decision that is signed, dated and told to the person."""

    record: Record
    logged_by: int
    letter: Path


def appeal(registry: Registry, claim: bytes, signed: bytes) -> None:
    """Take an appeal signed by the claimant; it suspends every publication.

    Of claims that were decided together any may be named, and the key of any is good. The same
    one again is no error; a decision is appealed once. In time is what came or was dated in
    time: a claimant who had the appeal logged does not lose by a register that was away. That
    it is admitted, or why it is not, is told in a letter.

    Raises:
        UnverifiedError: signed by somebody else, or about another decision.
        RefusedError: too late, or nothing to appeal.
    """
    lead, record = _check_claimant(registry, claim, signed)
    case = registry.store.case(lead)
    if "decided" not in case.latest:
        raise RefusedError("there is no decision to appeal yet")
    entered, bundle = read_entered(case), filed_bundle(case)
    check_appeal(record, record_hash(entered.decision))
    if not _is_kept(case, signed):
        at, last = registry.seconds(), last_appeal_at(registry, entered)
        if at > last:
            _, dated = log_record(registry.programme, signed)
            at = min(at, dated.logged_by)
        if at > last:
            late = write_admitted(record, bundle, registry.programme.register, ended_at=last)
            serve(registry, lead, late, "appeal")
            raise RefusedError("the appeal period is over")
        # Kept before it is logged: a log that is away must not make an appeal late.
        _keep(registry, lead, Event(kind="appealed", at=at, data=signed))
    admitted = write_admitted(record, bundle, registry.programme.register)
    serve(registry, lead, admitted, "appeal")
    log_record(registry.programme, signed)


def _check_claimant(registry: Registry, claim: bytes, signed: bytes) -> tuple[bytes, Record]:
    """The claim that leads, and the appeal signed with its key or one decided with it.

    To all others a case that is here looks like one that is not: every claim's hash stands in
    the Ledger, where anybody finds it.
    """
    keys: frozenset[bytes] = frozenset()
    lead = claim
    if registry.store.holds(claim):
        lead = leading(registry, claim)
        keys = appellants(_bundles(registry.store.case(lead)))
    try:
        return lead, open_appeal(signed, keys)
    except UnverifiedError as error:
        raise UnverifiedError(
            "not signed with the key of a claim that was filed here",
            hint="use its words, and the --number, --credit or --denouncer it was made with",
        ) from error


def _bundles(case: Case) -> tuple[Bundle, ...]:
    """The claims that were decided in a case; as long as none was, the one that was filed."""
    return read_proposed(case).bundles if "decided" in case.latest else (filed_bundle(case),)


def _is_kept(case: Case, signed: bytes) -> bool:
    """Whether just this appeal was taken already.

    Raises:
        RefusedError: another one was.
    """
    if "appealed" not in case.latest:
        return False
    if case.latest["appealed"].data != signed:
        raise RefusedError(
            "this decision is under appeal already",
            hint="a decision is appealed once, by whichever of the claims decided together",
        )
    return True


def _keep(registry: Registry, lead: bytes, event: Event) -> None:
    """Note an appeal; one that came at the same moment counts, if it is the same."""
    try:
        registry.store.append(lead, event)
    except RefusedError:
        if not _is_kept(registry.store.case(lead), event.data):
            raise


def propose_appeal(
    registry: Registry,
    claim: bytes,
    judgements: Mapping[str, bool],
    assessment: tuple[bytes, bytes] = NOTHING,
    *,
    withdrawal: tuple[bytes, bytes] = NOTHING,
    joined: Sequence[bytes] = (),
) -> PanelDraft:
    """Apply the law anew for the appeal panel, which may judge otherwise and hear more.

    What was handed over before counts still, where nothing new of the kind is given; so do the
    claims that were joined before.

    Raises:
        RefusedError: no appeal is open, or as `propose_decision`.
        UnverifiedError: the Gazette has no appeal panel, or as `propose_decision`.
    """
    check_one_person(joined, judgements)
    case = registry.store.case(claim)
    next_state(case.state, "appeal_proposed")
    state = registry.gazette().state
    deciding_body(state, appealed=True)
    before, first = read_proposed(case), read_entered(case).record
    added = Added(
        assessment=assessment if any(assessment) else _held(before, "assessment"),
        withdrawal=withdrawal if any(withdrawal) else _held(before, "withdrawal"),
    )
    held = (one.bundle.claim_hash for one in before.joined)
    gathered = gather(registry, claim, added, state, tuple(dict.fromkeys((*held, *joined))))
    now, number = registry.seconds(), case_number(registry, claim)
    proposal = proposal_for(registry, gathered, state, judgements, now)
    signed = case.latest["appealed"].data
    proof, _ = log_record(registry.programme, signed)
    proposed = Proposed(
        bundle=gathered.bundle,
        claim_proof=gathered.claim_proof,
        draft=draft_record(
            proposal, gathered.bundles, number, first=first, appeal=record_hash(signed)
        ),
        judgements=judgements,
        joined=gathered.joined,
        appeal_proof=proof,
    )
    data = format_proposed(proposed)
    registry.store.append(claim, Event(kind="appeal_proposed", at=now, data=data))
    return PanelDraft(record=format_record(proposed.draft), proposal=proposal, first=first)


def _held(before: Proposed, name: str) -> tuple[bytes, bytes]:
    fields = before.bundle.fields
    return fields.get(name, "").encode(), fields.get(f"{name}_proof", "").encode()


def enter_appeal(
    registry: Registry, claim: bytes, signed: bytes, votes: bytes, departure: str = ""
) -> Settled:
    """Take the appeal panel's signed decision: check, log, serve. Again is no error.

    Raises:
        UnverifiedError: not signed by enough of the panel, by somebody who did not vote for it
            or who decided first, or the votes do not carry it.
        ConflictError: not what the votes settle, or not the one entered before.
        RefusedError: no appeal is open, or none was proposed.
    """
    case = registry.store.case(claim)
    entered = Entered(decision=signed, proof=b"", votes=votes, departure=departure)
    before = _entered_before(case)
    if before is None:
        _check_decision(registry, case, entered)
        before = _date(registry, case, entered)
    elif replace(before, proof=b"") != entered:
        raise ConflictError("another decision on this appeal was entered already")
    redeem(registry, claim)
    return _tell(registry, claim, before)


def _entered_before(case: Case) -> Entered | None:
    """The panel's decision, if it was entered; of a remitted case the one that remitted it,
    until what the board has decided anew is appealed as well.
    """
    if "appeal_decided" in case.latest:
        return read_entered(case, "appeal_decided")
    went_back = "remitted" in case.latest and "appealed" not in case.latest
    return read_remitted(case)[1] if went_back else None


def _check_decision(registry: Registry, case: Case, entered: Entered) -> None:
    next_state(case.state, "appeal_decided")
    state = registry.gazette().state
    body = deciding_body(state, appealed=True)
    assert state.panel is not None  # or there would be no such body
    decision = parse_signed(entered.decision, "decision")
    if "remitted" in case.latest and decision.record.word("result") == REMIT:
        raise RefusedError(
            "this case went back to the board once already",
            hint="nobody waits for ever: uphold, replace or quash",
        )
    signers = verify_signers(decision, state.panel.members, state.panel.threshold)
    proposed, first = read_proposed(case, "appeal_proposed"), read_entered(case)
    both = _deciders(first).intersection(body.members)
    if both:
        raise UnverifiedError(f"{', '.join(sorted(both))} decided first, and not on appeal too")
    sitting = Sitting(
        draft=proposed.draft,
        proposal=repropose(registry, state, proposed, proposed.draft),
        bundles=proposed.bundles,
        body=body,
        first=first.record,
    )
    check_settled(sitting, decision, signers, entered.votes, entered.departure)


def _deciders(entered: Entered) -> frozenset[str]:
    """Everybody who signed a decision, or had a vote on it."""
    signed = {line.name for line in parse_signed(entered.decision).note.signatures}
    voted = parse_votes(entered.votes).members if entered.votes else ()
    return frozenset(signed.union(voted))


def _date(registry: Registry, case: Case, entered: Entered) -> Entered:
    """Have the panel's decision logged, and note it with all that follows on it, at once."""
    proposed = read_proposed(case, "appeal_proposed")
    record, state = entered.record, registry.gazette().state
    using = redeems(proposed, record, state) if record.word("result") == REPLACE else None
    follows, first = _FOLLOWS.get(record.word("result")), read_entered(case)

    def events(logged: Entered, at: int) -> list[Event]:
        noted = [Event(kind="appeal_decided", at=at, data=format_entered(logged))]
        if follows is not None:
            noted.append(Event(kind=follows, at=at, data=format_remitted(first, logged)))
        return noted

    return date_once(registry, case, proposed, entered, using, events)[0]


def _tell(registry: Registry, claim: bytes, entered: Entered) -> Settled:
    """Serve the letter about the panel's decision, made again from what was stored."""
    case, record = registry.store.case(claim), entered.record
    proposed = _proposed_for(registry, claim, case)
    state = registry.gazette().state
    proposal = repropose(registry, state, proposed, record)
    receipt = receipt_of(registry, entered)
    at, register = receipt.logged_by, registry.programme.register
    letter = letter_about(proposed, proposal, entered, at, register, final=True)
    path = serve(registry, claim, letter, "panel")
    return Settled(record=record, logged_by=receipt.logged_by, letter=path)


def _proposed_for(registry: Registry, claim: bytes, case: Case) -> Proposed:
    if "appeal_proposed" in case.latest:
        return read_proposed(case, "appeal_proposed")
    # A case that went back has forgotten its earlier drafts; the store has not.
    events = [one for one in registry.store.events(claim) if one.kind == "appeal_proposed"]
    return parse_proposed(events[-1].data)
