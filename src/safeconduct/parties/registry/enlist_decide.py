"""Decide on a listing: the board's decision, an appeal panel's, and the Ledger's date of each.

    draft      once the person has replied, or the time for it is over by the Gazette's own time
    enter      it comes back signed by t of n; logged; the letter goes out
    panel      the same for the appeal panel, whose members sat on no board

A reply that came in after the draft makes the draft void: nobody decides on half of a file.

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
from safeconduct.protocol.listing.hearing import (
    HASH_BYTES,
    OUTCOMES,
    listing_decision,
    verify_one_of,
)
from safeconduct.protocol.record import (
    NO_HASH,
    Record,
    format_record,
    parse_record,
    parse_signed,
    record_hash,
    verify_signers,
)
from safeconduct.protocol.registration import (
    REGISTERED,
    RESULTS,
    Course,
    Event,
    check_individual,
    dossier_of,
)
from safeconduct.protocol.statute.instant import format_instant
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
        RefusedError: the person may still reply, the file says too little, or the law was
            applied in their favour.
        MalformedError: no such outcome, or no document of votes.
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
    found = standing(registry, view.state, course)
    if course.state == "notified":
        assert found.last_reply_at is not None
        _check_over(view.cosigned.vouched_at, found.last_reply_at, "a reply")
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
    return _keep_draft(registry, number, course, record, letter, votes=votes, proof=proof)


def _check_over(vouched_at: int, last_at: int, what: str) -> None:
    if vouched_at <= last_at:
        raise RefusedError(
            f"{what} may come in until {format_instant(last_at)}",
            hint="the witnesses have not dated a later moment in the Gazette",
        )


def _notice(course: Course) -> bytes:
    if "notified" not in course.latest:
        raise RefusedError("the person was not told yet", hint="register list notify")
    return course.latest["notified"].word("notice").encode("utf-8")


def _logged_reply(registry: Registry, course: Course) -> tuple[bytes, bytes]:
    """The newest reply's commitment and its proof; zeros and nothing where there is none."""
    replied = course.latest.get("replied")
    if replied is None:
        return NO_HASH, b""
    commitment = parse_hex(replied.word("hash"), HASH_BYTES, "reply")
    programme = registry.programme
    proof = log_leaf(programme, commitment)
    verify_proof(proof, commitment, programme.policy, programme.ledger_origin)
    return commitment, proof


def _keep_draft(
    registry: Registry,
    number: int,
    course: Course,
    record: Record,
    letter: str,
    *,
    votes: bytes = b"",
    proof: bytes = b"",
) -> bytes:
    """Note what was drafted, unless it is what was drafted last; returns the record's bytes."""
    data = format_json(
        {
            "draft": format_record(record).decode("ascii"),
            "letter": letter,
            "reply_proof": proof.decode("utf-8"),
            "votes": parse_json(votes, "votes", bytes_max=VOTES_BYTES_MAX) if votes else None,
        }
    )
    held = course.latest.get("drafted")
    if held is None or held.data != data:
        event = Event(kind="drafted", at=registry.seconds(), data=data)
        listings_of(registry).append(number, event)
    return format_record(record)


def draft_appeal_decision(registry: Registry, number: int, result: str, reasons: str) -> bytes:
    """The record for the appeal panel to sign: whether the decision stands, and why.

    Raises:
        RefusedError: nothing is under appeal.
        MalformedError: no such result, or reasons that cannot be shown.
    """
    if result not in RESULTS:
        raise MalformedError(f"the result is one of: {', '.join(sorted(RESULTS))}")
    shown = reasons.replace("\n", "")
    if not shown.strip() or not shown.isprintable() or len(reasons) > REASONS_CHARACTERS_MAX:
        raise MalformedError(
            f"an appeal is decided with reasons of 1 to {REASONS_CHARACTERS_MAX} characters"
        )
    kept = listings_of(registry)
    course = kept.course(number)
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
        appeal=record_hash(appeal_of(course)),
        result=result,
    )
    return _keep_draft(registry, number, course, record, reasons)


def enter(registry: Registry, number: int, signed: bytes) -> Entered:
    """Take a signed decision, have it dated, and write its letter; the same again is no error.

    Raises:
        MalformedError, UnverifiedError: not the decision that was drafted, or not enough
            signatures of those whose it is to decide.
        RefusedError: a reply came in since it was drafted, or the log's date lies before the
            time for one was over.
        ConflictError: another signing of it was entered already.
    """
    view, kept = registry.gazette(), listings_of(registry)
    record = parse_signed(signed, "listing-decision").record
    by_panel = record.hash("appeal") != NO_HASH
    kind = "appeal_decided" if by_panel else "decided"
    course = kept.course(number)
    if by_panel:
        signers = verify_one_of(signed, view.state.panels[-1:], "appeal panel")
    else:
        board = view.state.roster
        signers = verify_signers(parse_signed(signed), board.members, board.threshold)
    if not _is_entered(course, kind, signed):
        _check_drafted(course, record)
        course = _date(registry, number, course, kind, signed)
    found = standing(registry, view.state, course)
    law = law_of(view.state, course)
    last = None if by_panel or record.word("outcome") != REGISTERED else found.last_appeal_at
    at = course.latest[kind].at
    listed = kept.listed(number)
    letter = decision_told(registry, listed, course, kind, signers, last, law)
    return Entered(
        listed=listed,
        record=record,
        logged_by=at,
        last_appeal_at=last,
        letter=keep_told(registry, number, "panel" if by_panel else "decision", letter),
    )


def _is_entered(course: Course, kind: str, signed: bytes) -> bool:
    held = course.latest.get(kind)
    if held is None:
        return False
    same_draft = parse_signed(held.word("decision").encode("utf-8")).record
    if held.word("decision").encode("utf-8") == signed:
        return True
    if same_draft == parse_signed(signed).record:
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
    if kind == "decided" and receipt.record.hash("reply") == NO_HASH:
        last = standing(registry, view.state, course).last_reply_at
        assert last is not None
        if receipt.logged_by <= last:
            raise RefusedError(f"logged while a reply could come in, {format_instant(last)}")
    drafted = course.latest["drafted"].table()
    fields: Mapping[str, Json] = {
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
