"""Decide on a listing: the board's decision, an appeal panel's, and the Ledger's date of each.

    draft      once the time for a reply is over by the Gazette's own time, with a reply or none
    enter      it comes back, signed by t of n who voted for it; kept; logged; a letter goes out
    panel      the same for the appeal panel, whose members sat on no board

A reply that came in after the draft makes the draft void: nobody decides on half of a file. The
votes are counted here as the audit counts them later: what it would refuse is not entered.

Spec: docs/3-protocol.md §16.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safeconduct.errors import ConflictError, MalformedError, RefusedError, UnverifiedError
from safeconduct.parties.registry.duties import law_of, listings_of, standing
from safeconduct.parties.registry.receive import Registry, stands_in_favour
from safeconduct.parties.registry.registrations import Listed
from safeconduct.parties.registry.told import decision_told, keep_told, reasons_told
from safeconduct.plumbing.logs import log_leaf, log_record
from safeconduct.protocol.canonical import Json, format_json, parse_hex, parse_json
from safeconduct.protocol.docket import deciding_body
from safeconduct.protocol.gazette import GazetteState, Roster
from safeconduct.protocol.listing.hearing import HASH_BYTES, OUTCOMES, listing_decision
from safeconduct.protocol.listing.voting import (
    check_apart,
    check_carried,
    count_votes,
    deciders,
    is_by_panel,
    verify_bench,
    voted_on,
)
from safeconduct.protocol.record import (
    NO_HASH,
    Record,
    format_record,
    parse_record,
    parse_signed,
    record_hash,
)
from safeconduct.protocol.registration import (
    REGISTERED,
    RESULTS,
    Course,
    Event,
    check_individual,
    check_reply_over,
    dossier_of,
)
from safeconduct.protocol.tlog.policy import verify_proof
from safeconduct.protocol.votes import VOTES_BYTES_MAX, parse_votes, votes_hash

REASONS_CHARACTERS_MAX = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """A decision on a listing that is signed, dated and told to the person."""

    listed: Listed
    record: Record
    logged_by: int
    last_appeal_at: int | None  # None where nobody can appeal
    letter: Path


def draft_decision(
    registry: Registry, number: int, outcome: str = REGISTERED, votes: bytes = b""
) -> bytes:
    """The decision record for the board to sign; `votes` is their document, if they voted.

    Raises:
        RefusedError: the time for a reply is not over, the file says too little, or the law was
            applied in their favour.
        MalformedError: no such outcome, or no document of votes.
        UnverifiedError: the votes do not carry this outcome.
    """
    if outcome not in OUTCOMES:
        raise MalformedError(f"the outcome is one of: {', '.join(sorted(OUTCOMES))}")
    if votes:
        parse_votes(votes)
    view = registry.gazette()
    kept = listings_of(registry)
    course = kept.course(number)
    dossier = check_individual(course)
    if stands_in_favour(view.state, dossier.subject):
        raise RefusedError(f"the law was applied in favour of {dossier.subject}")
    # By the witnesses' time: a clock here that runs ahead cuts nobody short.
    check_reply_over(standing(registry, view.state, course), view.cosigned.vouched_at)
    reply, proof = _logged_reply(registry, course)
    letter = reasons_told(
        dossier,
        law_of(view.state, course),
        outcome,
        replied=reply != NO_HASH,
        remitted_at=course.since_remit,
    )
    record = listing_decision(
        registry.programme.hash,
        number,
        dossier,
        notice=record_hash(_notice(course)),
        reply=reply,
        outcome=outcome,
        reasons=letter,
        votes=votes_hash(votes) if votes else NO_HASH,
    )
    _check_votes(view.state, course, record, votes)
    return _keep_draft(registry, number, course, record, letter, votes=votes, proof=proof)


def votes_on(course: Course) -> bytes | None:
    """What votes name as `on` if they are cast now; None where there is nothing to vote on."""
    if course.state not in {"notified", "replied", "suspended"}:
        return None
    if course.state == "suspended":
        first = parse_signed(_decision(course)).record
        appeal = record_hash(appeal_of(course))
        return voted_on(first.hash("notice"), first.hash("reply"), appeal)
    return voted_on(record_hash(_notice(course)), _commitment(course))


def _notice(course: Course) -> bytes:
    if "notified" not in course.latest:
        raise RefusedError("the person was not told yet", hint="register list notify")
    return course.latest["notified"].word("notice").encode("utf-8")


def _logged_reply(registry: Registry, course: Course) -> tuple[bytes, bytes]:
    """The newest reply's commitment and its proof; zeros and nothing where there is none."""
    commitment = _commitment(course)
    if commitment == NO_HASH:
        return NO_HASH, b""
    programme = registry.programme
    proof = log_leaf(programme, commitment)
    verify_proof(proof, commitment, programme.policy, programme.ledger_origin)
    return commitment, proof


def _commitment(course: Course) -> bytes:
    replied = course.latest.get("replied")
    return parse_hex(replied.word("hash"), HASH_BYTES, "reply") if replied else NO_HASH


def _check_votes(state: GazetteState, course: Course, record: Record, votes: bytes) -> None:
    """Check votes, if there are any, before anybody signs what they do not carry."""
    if votes:
        bench, excluded = _bench(state, course, record)
        procedure = law_of(state, course).procedure
        count_votes(record, votes, bench, procedure, excluded)


def _bench(
    state: GazetteState, course: Course, record: Record
) -> tuple[Roster, frozenset[str]]:
    """Who may decide now, and who of them keeps out of it as they decided it before.

    The body in office, and no earlier one: whoever left it decides nothing new.
    """
    by_panel = is_by_panel(record)
    before = frozenset[str]()
    if course.since_remit is not None and "decided" in course.latest and not by_panel:
        signed = parse_signed(_decision(course))
        before = frozenset(line.name for line in signed.note.signatures)
    body = deciding_body(state, appealed=by_panel, excluded=before)
    if by_panel:
        assert state.panel is not None  # or there would be no such body
        held = course.latest["decided"].table()["votes"]
        first = deciders(_decision(course), None if held is None else format_json(held))
        check_apart(first, state.panel)
        return state.panel, body.excluded
    return state.roster, body.excluded


def _keep_draft(
    registry: Registry,
    number: int,
    course: Course,
    record: Record,
    letter: str,
    *,
    votes: bytes = b"",
    proof: bytes = b"",
    appeal_proof: bytes = b"",
) -> bytes:
    """Note what was drafted, unless it is what was drafted last; returns the record's bytes."""
    fields: dict[str, Json] = {
        "appeal_proof": appeal_proof.decode("utf-8"),
        "draft": format_record(record).decode("ascii"),
        "letter": letter,
        "reply_proof": proof.decode("utf-8"),
        "votes": parse_json(votes, "votes", bytes_max=VOTES_BYTES_MAX) if votes else None,
    }
    held = course.latest.get("drafted")
    if held is None or {**held.table(), "signed": None} != {**fields, "signed": None}:
        event = Event(kind="drafted", at=registry.seconds(), data=format_json(fields))
        listings_of(registry).append(number, event)
    return format_record(record)


def draft_appeal_decision(
    registry: Registry, number: int, result: str, reasons: str, votes: bytes
) -> bytes:
    """The record for the appeal panel to sign: whether the decision stands, and why.

    Raises:
        RefusedError: nothing is under appeal.
        MalformedError: no such result, reasons that cannot be shown, or no document of votes.
        UnverifiedError: the votes do not carry this result.
    """
    if result not in RESULTS:
        raise MalformedError(f"the result is one of: {', '.join(sorted(RESULTS))}")
    parse_votes(votes)
    shown = reasons.replace("\n", "")
    if not shown.strip() or not shown.isprintable() or len(reasons) > REASONS_CHARACTERS_MAX:
        raise MalformedError(
            f"an appeal is decided with reasons of 1 to {REASONS_CHARACTERS_MAX} characters"
        )
    state, course = registry.gazette().state, listings_of(registry).course(number)
    if course.state != "suspended":
        raise RefusedError(f"a listing that is {course.state} is under no appeal")
    if result == "remit" and course.since_remit is not None:
        raise RefusedError(
            "this listing went back to the board once already",
            hint="nobody waits for ever: uphold, replace or quash",
        )
    first = parse_signed(_decision(course)).record
    record = listing_decision(
        registry.programme.hash,
        number,
        dossier_of(course),
        notice=first.hash("notice"),
        reply=first.hash("reply"),
        outcome=first.word("outcome"),
        reasons=reasons,
        votes=votes_hash(votes),
        appeal=record_hash(appeal_of(course)),
        result=result,
    )
    bench, _ = _bench(state, course, record)
    count_votes(record, votes, bench, law_of(state, course).procedure)
    proof, _ = log_record(registry.programme, appeal_of(course))
    return _keep_draft(
        registry, number, course, record, reasons, votes=votes, appeal_proof=proof
    )


def enter(registry: Registry, number: int, signed: bytes) -> Entered:
    """Take a signed decision, have it dated, and write its letter; the same again is no error.

    What was taken before is known by its bytes, and taken again whoever is in office by now; a
    fresh one is for the body in office, and is kept before it is logged.

    Raises:
        MalformedError, UnverifiedError: not the decision that was drafted, not enough
            signatures of those whose it is to decide, somebody signed without a vote for it,
            or the votes do not carry it.
        RefusedError: a reply came in since it was drafted, or the log's date lies before the
            time for one was over.
        ConflictError: another signing of it was entered already.
    """
    view, kept = registry.gazette(), listings_of(registry)
    record = parse_signed(signed, "listing-decision").record
    by_panel = is_by_panel(record)
    kind = "appeal_decided" if by_panel else "decided"
    course = kept.course(number)
    if not _is_entered(course, kind, signed):
        _check_drafted(course, record)
        if not _is_kept(course, signed):
            _check_fresh(view.state, course, signed)
            course = _keep_signed(registry, number, course, signed)
        course = _date(registry, number, course, kind, signed)
    found = standing(registry, view.state, course)
    law = law_of(view.state, course)
    last = None if by_panel or record.word("outcome") != REGISTERED else found.last_appeal_at
    event = course.latest[kind]
    listed = kept.listed(number)
    signers = _signers(view.state, event, signed)
    letter = decision_told(registry, listed, course, kind, signers, last, law)
    return Entered(
        listed=listed,
        record=record,
        logged_by=event.at,
        last_appeal_at=last,
        letter=keep_told(registry, number, "panel" if by_panel else "decision", letter),
    )


def _check_fresh(state: GazetteState, course: Course, signed: bytes) -> None:
    """Check that the body in office signed, and that its votes carry what it signed."""
    record = parse_signed(signed).record
    bench, excluded = _bench(state, course, record)
    votes = _votes(course.latest["drafted"])
    whose = "appeal panel" if is_by_panel(record) else "board"
    _, signers = verify_bench(signed, [bench], votes, whose)
    procedure = law_of(state, course).procedure
    check_carried(record, votes, bench, signers, procedure, excluded)


def _signers(state: GazetteState, event: Event, signed: bytes) -> tuple[str, ...]:
    """Who signed a decision that was entered, as the audit finds them."""
    by_panel = is_by_panel(parse_signed(signed).record)
    benches = state.panels if by_panel else state.rosters
    whose = "appeal panel" if by_panel else "board"
    return verify_bench(signed, benches, _votes(event), whose)[1]


def _votes(event: Event) -> bytes | None:
    votes = event.table()["votes"]
    return None if votes is None else format_json(votes)


def _is_kept(course: Course, signed: bytes) -> bool:
    """Whether just this was checked and kept before, and perhaps logged, but not entered."""
    return course.latest["drafted"].word("signed").encode("utf-8") == signed


def _keep_signed(registry: Registry, number: int, course: Course, signed: bytes) -> Course:
    # Before it is logged: if the body changes after a crash here, what it had decided while it
    # was in office still stands.
    drafted = course.latest["drafted"].table()
    data = format_json({**drafted, "signed": signed.decode("utf-8")})
    event = Event(kind="drafted", at=registry.seconds(), data=data)
    return listings_of(registry).append(number, event, seen=course)


def _is_entered(course: Course, kind: str, signed: bytes) -> bool:
    held = course.latest.get(kind)
    if held is None:
        return False
    before = held.word("decision").encode("utf-8")
    if before == signed:
        return True
    if parse_signed(before).record == parse_signed(signed).record:
        raise ConflictError("another signing of this decision was entered already")
    return False  # after an appeal the board decides once more


def _check_drafted(course: Course, record: Record) -> None:
    drafted = course.latest.get("drafted")
    if drafted is None:
        raise RefusedError("nothing was drafted for anybody to sign")
    if record != parse_record(drafted.word("draft").encode("ascii")):
        raise UnverifiedError("the signed record is not the one that was drafted last")
    replied = course.latest.get("replied")
    newest = replied.word("hash") if replied else NO_HASH.hex()
    if record.hash("reply").hex() != newest:
        raise RefusedError(
            "a reply came in since this decision was drafted",
            hint="read it, and draft the decision again",
        )


def _date(registry: Registry, number: int, course: Course, kind: str, signed: bytes) -> Course:
    proof, receipt = log_record(registry.programme, signed)
    view = registry.gazette()
    if kind == "decided":
        check_reply_over(standing(registry, view.state, course), receipt.logged_by)
    drafted = course.latest["drafted"].table()
    fields: Mapping[str, Json] = {
        "appeal_proof": drafted.get("appeal_proof", ""),
        "decision": signed.decode("utf-8"),
        "letter": drafted["letter"],
        "outcome": receipt.record.word("outcome"),
        "proof": proof.decode("utf-8"),
        "reply_proof": drafted["reply_proof"],
        "result": receipt.record.word("result"),
        "votes": drafted["votes"],
    }
    event = Event(kind=kind, at=receipt.logged_by, data=format_json(dict(fields)))
    return listings_of(registry).append(number, event, seen=course)


def appeal_of(course: Course) -> bytes:
    """The signed record of the appeal that came in last.

    Raises:
        RefusedError: there is none.
    """
    if "appealed" not in course.latest:
        raise RefusedError("nobody appealed")
    return course.latest["appealed"].word("record").encode("utf-8")


def _decision(course: Course) -> bytes:
    return course.latest["decided"].word("decision").encode("utf-8")
