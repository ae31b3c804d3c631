"""Vote: each assessor grades a tip alone; nobody sees another's vote before all are in.

    handed in   a seal: H("vote"; tip, assessor, grade, blind)        may be shown at once
    opened      grade, blind, whom the tip accuses, what bears it out, reasons

Two votes open each other, unless they lie so far apart that a third assessor is needed; then
all three stay closed until the third is in, and the desk says no more than that. An open vote
is closed to changes, and so is a sealed one.

Spec: docs/3-protocol.md, chapter on assessment; STANAG 2511 for the grades.
"""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.parties.desk.store import CastVote, Store
from safeconduct.plumbing import dice
from safeconduct.protocol.assessment.grade import (
    ASSESSORS_MIN,
    BLIND_BYTES,
    Combined,
    combine,
    format_grade,
    open_vote,
    parse_grade,
    seal_vote,
)
from safeconduct.protocol.canonical import Json, format_json, parse_hex, parse_json

NAME_CHARS_MAX = 100
NAMES_MAX = 32  # persons or pieces named in one vote
REASONS_CHARS_MAX = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """An opened vote. `supported_by` and `denied_by` are ids of pieces, `by` who wrote it.

    All of it is the assessor's reading: `by` is whom the tip itself names as its author.
    """

    assessor: str
    grade: str
    accuses: tuple[str, ...]
    by: str
    supported_by: tuple[str, ...]
    denied_by: tuple[str, ...]
    reasons: str
    blind: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """All votes on a tip, open, and what they yield together; `data` is their JSON."""

    ballots: tuple[Ballot, ...]
    combined: Combined
    data: bytes


def grade(
    store: Store,
    assessor: str,
    record_hash: bytes,
    reliability: str,
    credibility: int,
    accuses: Sequence[str],
    reasons: str,
    *,
    by: str = "",
    supported_by: Sequence[str] = (),
    denied_by: Sequence[str] = (),
    random_bytes: Callable[[int], bytes] = dice.random_bytes,
) -> bytes:
    """The 32-byte seal of the vote that stands, once it is stored; the same vote again is none.

    Raises:
        RefusedError: the tip is not one to grade, the assessor has voted otherwise, or the
            votes are open already.
        MalformedError: a grade, a name or the reasons are not what they must be.
    """
    check_gradable(store, record_hash)
    ballot = Ballot(
        assessor=_name(assessor, "assessor"),
        grade=format_grade(parse_grade(f"{reliability}{credibility}")),
        accuses=_names(accuses, "accuses"),
        by=_name(by, "by") if by.strip() else "",
        supported_by=_names(supported_by, "supported by"),
        denied_by=_names(denied_by, "denied by"),
        reasons=_reasons(reasons),
        blind=random_bytes(BLIND_BYTES),
    )
    cast = CastVote(
        voter=ballot.assessor.casefold(),
        assessor=ballot.assessor,
        seal=_seal(ballot, record_hash),
        vote=_format_ballot(ballot),
    )
    return _stands(store.cast(record_hash, cast, votes_due(store, record_hash)), ballot).seal


def _stands(standing: CastVote | None, ballot: Ballot) -> CastVote:
    if standing is None:
        raise RefusedError(
            "the votes on this tip are open: a vote now would not be independent"
        )
    held = parse_ballot(standing.vote)
    if _said(held) != _said(ballot):
        raise RefusedError(f"{held.assessor} has voted on this tip, and a vote stays as it is")
    return standing


def _said(ballot: Ballot) -> Json:
    value = _json(ballot)
    del value["blind"], value["assessor"]
    return value


def votes_due(store: Store, record_hash: bytes) -> int:
    """How many votes the tip needs: two, or three where the first two conflict."""
    cast = store.votes(record_hash)
    conflict = len(cast) >= ASSESSORS_MIN and _combined(cast, record_hash).grade is None
    return ASSESSORS_MIN + 1 if conflict or len(cast) > ASSESSORS_MIN else ASSESSORS_MIN


def open_votes(store: Store, record_hash: bytes) -> Opened | None:
    """The votes on a tip, each checked against its seal; None as long as any is due.

    Raises:
        UnverifiedError: a vote is not the one that was sealed.
    """
    cast = store.votes(record_hash)
    if len(cast) < votes_due(store, record_hash):
        return None
    ballots = tuple(parse_ballot(vote.vote) for vote in cast)
    listed: list[Json] = [
        {**_json(ballot), "seal": vote.seal.hex()}
        for ballot, vote in zip(ballots, cast, strict=True)
    ]
    combined = _combined(cast, record_hash)
    return Opened(ballots=ballots, combined=combined, data=format_json(listed))


def check_gradable(store: Store, record_hash: bytes) -> None:
    """Check that there is something to grade.

    Raises:
        RefusedError: no such tip, withdrawn, not opened yet, not readable, or a duplicate.
    """
    store.tip(record_hash)
    check_not_withdrawn(store, record_hash)
    made = store.acknowledged(record_hash)
    if made is None:
        raise RefusedError("this tip was not opened yet", hint="pull first")
    if made.status != "ok":
        raise RefusedError(f"this tip is not graded: it was acknowledged as {made.status}")


def check_not_withdrawn(store: Store, record_hash: bytes) -> None:
    """Check that the author did not take the tip back.

    Raises:
        RefusedError: they did.
    """
    if store.taken_back(record_hash) is not None:
        raise RefusedError(
            "this tip was withdrawn by its author, and must not be used",
            hint="`show` says when",
        )


def _combined(cast: Sequence[CastVote], record_hash: bytes) -> Combined:
    ballots = [(vote.seal, parse_ballot(vote.vote)) for vote in cast]
    return combine(
        [
            open_vote(
                seal,
                parse_grade(ballot.grade),
                ballot.blind,
                item=record_hash,
                assessor=ballot.assessor,
            )
            for seal, ballot in ballots
        ]
    )


def _seal(ballot: Ballot, record_hash: bytes) -> bytes:
    return seal_vote(
        parse_grade(ballot.grade), ballot.blind, item=record_hash, assessor=ballot.assessor
    )


def _json(ballot: Ballot) -> dict[str, Json]:
    return {
        "accuses": list(ballot.accuses),
        "assessor": ballot.assessor,
        "blind": ballot.blind.hex(),
        "by": ballot.by,
        "denied_by": list(ballot.denied_by),
        "grade": ballot.grade,
        "reasons": ballot.reasons,
        "supported_by": list(ballot.supported_by),
    }


def _format_ballot(ballot: Ballot) -> bytes:
    return format_json(_json(ballot))


def parse_ballot(data: bytes) -> Ballot:
    """The vote in canonical JSON, as our own store keeps it.

    Raises:
        MalformedError: not a vote.
    """
    value = parse_json(data, "vote")
    if not isinstance(value, dict):
        raise MalformedError("vote: not an object")
    return Ballot(
        assessor=str(value["assessor"]),
        grade=str(value["grade"]),
        accuses=_listed(value["accuses"]),
        by=str(value["by"]),
        supported_by=_listed(value["supported_by"]),
        denied_by=_listed(value["denied_by"]),
        reasons=str(value["reasons"]),
        blind=parse_hex(str(value["blind"]), BLIND_BYTES, "vote: blind"),
    )


def _listed(value: Json) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise MalformedError("vote: not a list")
    return tuple(str(name) for name in value)


def _name(text: str, what: str) -> str:
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not 0 < len(name) <= NAME_CHARS_MAX or not name.isprintable():
        raise MalformedError(f"{what}: needs 1 to {NAME_CHARS_MAX} printable characters")
    return name


def _names(texts: Sequence[str], what: str) -> tuple[str, ...]:
    if len(texts) > NAMES_MAX:
        raise MalformedError(f"{what}: more than {NAMES_MAX} names")
    return tuple(dict.fromkeys(_name(text, what) for text in texts))


def _reasons(text: str) -> str:
    reasons = text.strip()
    if not 0 < len(reasons) <= REASONS_CHARS_MAX:
        raise MalformedError(
            f"reasons: needs 1 to {REASONS_CHARS_MAX} characters",
            hint="the person concerned has a right to know why",
        )
    return reasons
