"""Final: the period for an appeal is over, or the appeal was decided: a publication is due.

That a period is over is read off the Gazette's cosigned checkpoint, from no clock of a clerk's.
While an appeal is open nothing about the case is published.

Spec: docs/3-protocol.md §15.3, §15.4, §15.7.
"""

import hashlib
from contextlib import suppress

from safeconduct.errors import RefusedError
from safeconduct.parties.registry.casefile import (
    Entered,
    Proposed,
    last_appeal_at,
    read_entered,
    read_proposed,
    receipt_of,
    repropose,
    standing_decision,
)
from safeconduct.parties.registry.receive import Registry, stands_in_favour
from safeconduct.parties.registry.redeeming import redeem
from safeconduct.plumbing.logs import log_notice
from safeconduct.protocol.canonical import parse_json
from safeconduct.protocol.case import Case, Event, next_state
from safeconduct.protocol.claim import Bundle
from safeconduct.protocol.decision import (
    OBJECT_BYTES_MAX,
    Appealed,
    decision_object,
    favours_person,
    unsealed_at,
)
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.listing import REGISTERED, SALT_BYTES, publication_record
from safeconduct.protocol.record import Record, parse_signed
from safeconduct.protocol.statute.instant import format_instant
from safeconduct.protocol.statute.text import Outcome

_DUE = frozenset({"decided", "final", "appeal_decided"})
_DECIDED = frozenset(
    {"decided", "suspended", "final", "published", "appeal_decided", "joined", "quashed"}
)


def finalise(registry: Registry, claim: bytes, *, ahead: int = 0) -> Record | None:
    """The publication of a decision that has become final, for the board to sign; else None.

    None as well if the register may not show the decision (`_may_be_shown`), or the Gazette has
    taken it already. Keeps the object
    it names, so that nothing is published that could not be shown, and makes good a redemption
    that was not logged yet. `ahead` is how many other
    publications, drafted but not yet taken by the Gazette, go before it.
    """
    case = registry.store.case(claim)
    standing = standing_decision(case)
    if case.state not in _DUE or standing is None:
        return None
    kind, entered = standing
    last = _binding_after(registry, kind, entered)
    view = registry.gazette()
    state, now = view.state, view.cosigned.vouched_at
    if now <= last:
        return None
    if case.state != "final":
        registry.store.append(claim, Event(kind="final", at=now, data=b"{}"))
    redeem(registry, claim)
    record = entered.record
    proposed = read_proposed(case, _PROPOSED[kind])
    proposal = repropose(registry, state, proposed, record)
    outcome = proposal.statute.outcome(record.word("outcome"))
    opened_at = unsealed_at(record, proposal.facts, proposal.statute)
    opened = opened_at is not None and now >= opened_at
    if not _may_be_shown(outcome, proposed, opened=opened):
        return None
    if _would_undo(registry, state, record):
        return None
    if _is_published(registry, state, entered):
        return None  # and is to be entered again, if that was not noted in the case
    data = object_of(registry, state, case, kind)
    sha256 = hashlib.sha256(data).digest()
    registry.store.keep_object(sha256, record.word("subject"), data)
    return publication_record(
        registry.programme.hash,
        len(state.publications) + 1 + ahead,
        statute=record.hash("statute"),
        subject=record.word("subject"),
        standing=record.word("outcome"),
        object_sha256=sha256,
        final_at=last + 1,
    )


def _is_published(registry: Registry, state: GazetteState, entered: Entered) -> bool:
    """Whether the Gazette took a publication of this decision."""
    subject, decision = entered.record.word("subject"), entered.decision.decode("utf-8")
    for one in state.publications:
        if one.word("subject") != subject or one.word("standing") == REGISTERED:
            continue
        with suppress(RefusedError):  # an object that is not held here was not made here
            data = registry.store.object(one.hash("object"))
            value = parse_json(data, "object", bytes_max=OBJECT_BYTES_MAX)
            if isinstance(value, dict) and value.get("decision") == decision:
                return True
    return False


_PROPOSED = {"decided": "proposed", "appeal_decided": "appeal_proposed"}


def _binding_after(registry: Registry, kind: str, entered: Entered) -> int:
    """The last second in which a decision is not final yet: nothing follows on an appeal."""
    if kind == "appeal_decided":
        return receipt_of(registry, entered).logged_by
    return last_appeal_at(registry, entered)


def object_of(registry: Registry, state: GazetteState, case: Case, kind: str) -> bytes:
    """The object of the decision that the event `kind` holds, with a fresh salt."""
    entered = read_entered(case, kind)
    proposed = read_proposed(case, _PROPOSED[kind])
    contested = None
    if kind == "appeal_decided":
        contested = appealed(registry, state, case, proposed.appeal_proof)
    return decision_object(
        repropose(registry, state, proposed, entered.record),
        proposed.bundle,
        proposed.judgements,
        entered.decision,
        entered.proof,
        proposed.claim_proof,
        registry.random_bytes(SALT_BYTES),
        entered.departure,
        votes=entered.votes,
        joined=proposed.joined,
        appeal=contested,
        seed=registry.key.seed,
    )


def appealed(registry: Registry, state: GazetteState, case: Case, proof: bytes) -> Appealed:
    """The appeal in a case, with its proof, and the object of the decision against which."""
    return Appealed(
        record=case.latest["appealed"].data,
        proof=proof,
        first=object_of(registry, state, case, "decided"),
    )


def _may_be_shown(outcome: Outcome, proposed: Proposed, *, opened: bool) -> bool:
    """Whether the register may show a decision.

    Not without the consent that the law asks for, nor what it keeps to itself, before the day
    that it names has come and it is `opened`; and a stranger's claim that failed says nothing
    about the person.
    """
    bundle: Bundle = proposed.bundle
    consents = bundle.record.word("disclosure") == "open"
    shown = {"always": True, "never": False, "with_consent": consents}[outcome.publish]
    if not shown and not opened:
        return False
    return outcome.favours == "person" or proposed.judgements["claimant_is_subject"]


def _would_undo(registry: Registry, state: GazetteState, record: Record) -> bool:
    """Whether a decision or publication takes from its person what another decision gave."""
    if favours_person(record, state):
        return False
    subject = record.word("subject")
    cases = map(registry.store.case, registry.store.claims_about(subject))
    standing = [
        found[1].record
        for found in (standing_decision(case) for case in cases if case.state != "suspended")
        if found is not None
    ]
    return stands_in_favour(state, subject) or any(
        favours_person(decision, state) for decision in standing
    )


def enter_publication(registry: Registry, claim: bytes | None, signed: bytes) -> None:
    """Have a signed publication taken by the Gazette, and note it in its case, if it has one.

    The same one again is no error.

    Raises:
        MalformedError, UnverifiedError: the Gazette does not admit it.
        RefusedError: a decision without its case, one that is not final, or one that would
            undo a decision for the person.
    """
    data = registry.store.object(parse_signed(signed, "publication").record.hash("object"))
    entered = _check_place(registry, claim, data, signed)
    log_notice(registry.programme, signed)
    if claim is not None and not entered:
        event = Event(kind="published", at=registry.seconds(), data=signed)
        registry.store.append(claim, event)


def _check_place(registry: Registry, claim: bytes | None, data: bytes, signed: bytes) -> bool:
    """Whether the case has this publication already; refuses one that may not be made now."""
    value = parse_json(data, "object", bytes_max=OBJECT_BYTES_MAX)
    assert isinstance(value, dict)
    if claim is None:
        if value["type"] != "listing":
            raise RefusedError("a decision is published in its case", hint="name the claim")
        return False
    case = registry.store.case(claim)
    if "published" in case.latest and case.latest["published"].data == signed:
        return True
    next_state(case.state, "published")
    standing = standing_decision(case)
    decision = standing[1].decision.decode("utf-8") if standing else ""
    if value.get("decision") != decision:
        raise RefusedError("the publication is about another case")
    _check_now(registry, parse_signed(signed, "publication").record)
    return False


def _check_now(registry: Registry, publication: Record) -> None:
    view = registry.gazette()
    if publication.number("final") > view.cosigned.vouched_at:
        final = format_instant(publication.number("final"))
        raise RefusedError(
            f"the decision becomes final at {final}", hint="the witnesses have not dated that"
        )
    if _would_undo(registry, view.state, publication):
        raise RefusedError("another decision stands in favour of this person")


def count_record(registry: Registry) -> dict[str, int]:
    """How many claims were filed, decided, suspended and published: for a `count` record.

    A claim that was decided with another counts as decided with it.
    """
    states = [registry.store.case(filed.claim).state for filed in registry.store.cases()]
    return {
        "claims": len(states),
        "decided": sum(state in _DECIDED for state in states),
        "suspended": states.count("suspended"),
        "published": states.count("published"),
    }
