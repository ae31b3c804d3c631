"""What members do with a docket: declare a conflict, vote, make the draft, bring signatures.

    conflict* · vote* ──quorum──▶ draft ──▶ line* ──t of n──▶ signed ──▶ posted
                  ▲                 │
                  └──── reopened ◀──┘  (before t have signed)

All of it are events; nothing is overwritten, and what holds is folded from them. A vote is on
one docket: on a changed one everybody votes anew. A conflict is about the case, and stays. What
an act was decided on is read in the transaction that keeps it, so two tabs, or two members at
the same second, cannot get past each other.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from safeconduct.errors import ConflictError, MalformedError, RefusedError, UnverifiedError
from safeconduct.parties.board.console_store import Event, Store
from safeconduct.protocol.canonical import (
    Json,
    format_base64,
    format_json,
    parse_base64,
    parse_json,
)
from safeconduct.protocol.record import Record, format_record, parse_signed
from safeconduct.protocol.statute.text import Procedure
from safeconduct.protocol.tlog.note import (
    Note,
    SignatureLine,
    VerifierKey,
    format_note,
    verify_note,
)
from safeconduct.protocol.votes import (
    Tally,
    Vote,
    check_text,
    parse_votes,
    tally,
    votes_document,
)

DEPARTURE_CHARACTERS_MAX = 4_000

FinalDraft = Callable[[bytes, str, str], Record]
"""Makes the record to sign of the votes' document, the outcome and the departure's reasons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is put to the vote, and to whom."""

    claim: bytes
    docket: bytes
    on: bytes  # tree hash of the judgement proposed
    keys: tuple[VerifierKey, ...]  # of the body that decides
    threshold: int
    excluded: frozenset[str]  # who decided this case before, and stays out
    procedure: Procedure
    yielded: str
    outcomes: tuple[str, ...]

    @property
    def members(self) -> tuple[str, ...]:
        """The names of those who decide."""
        return tuple(key.name for key in self.keys)

    @property
    def seated(self) -> tuple[str, ...]:
        """The names of those who may open the file and vote."""
        return tuple(name for name in self.members if name not in self.excluded)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The record that members sign, and what stands behind it."""

    record: bytes
    votes: bytes
    outcome: str
    departure: str
    signers: tuple[str, ...]  # who may sign it


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What has come of a question so far."""

    votes: Mapping[str, Vote] = field(default_factory=dict)  # conflicts among them
    last: Mapping[str, int] = field(default_factory=dict)  # each member's newest event
    draft: Draft | None = None
    lines: tuple[SignatureLine, ...] = ()  # under the draft, each verified
    signed: bytes = b""  # what goes to the register
    answer: bytes = b""  # what the register acknowledged it with
    posted_at: int = 0
    trouble: str = ""  # why the register did not take it, when it was last asked
    hint: str = ""  # and what can be done about that

    @property
    def conflicts(self) -> dict[str, str]:
        """The reasons of those who declared a conflict of interest."""
        return {name: vote.conflict for name, vote in self.votes.items() if vote.conflict}

    @property
    def is_open(self) -> bool:
        """Whether votes can still be cast and changed."""
        return self.draft is None


def stand(question: Question, events: Iterable[Event]) -> Standing:
    """What the events of a case come to for this question."""
    standing = Standing()
    for event in events:
        take = _FOLD.get(event.kind)
        if take is not None and (event.kind == "conflict" or event.docket == question.docket):
            standing = take(standing, event)
    return standing


# Acts.


def declare(store: Store, question: Question, member: str, reasons: str, at: int) -> None:
    """Declare that a member has a conflict of interest in this case; that cannot be undone.

    Raises:
        MalformedError: without reasons, or too long.
        RefusedError: not of this body, or the draft is made.
    """
    check_text(reasons, "conflict of interest")
    if not reasons:
        raise MalformedError("conflict of interest: say in a few words what it is")
    with store.deciding() as sitting:
        standing = stand(question, sitting.events(question.claim))
        _check_may_vote(question, standing, member)
        sitting.add(_event("conflict", question, member, at, reasons.encode("utf-8")))


def cast(
    store: Store, question: Question, member: str, vote: Vote, after: int, at: int
) -> None:
    """Cast or change a member's own vote; `after` is their newest event that they have seen.

    Raises:
        MalformedError: no vote that one can cast.
        RefusedError: not of this body, in conflict, or the draft is made.
        ConflictError: they voted elsewhere meanwhile.
    """
    _check_vote(question, vote)
    data = votes_document(question.on, question.members, [replace(vote, member=member)])
    with store.deciding() as sitting:
        standing = stand(question, sitting.events(question.claim))
        _check_may_vote(question, standing, member)
        if standing.last.get(member, 0) != after:
            raise ConflictError(
                "you have voted on this in another window meanwhile",
                hint="look at what stands there now, then vote again if you mean to",
            )
        sitting.add(_event("vote", question, member, at, data))


def _check_vote(question: Question, vote: Vote) -> None:
    if vote.vote == "depart" and vote.outcome == question.yielded:
        raise MalformedError("vote: that outcome is the one proposed", hint="agree instead")
    if vote.vote == "agree" and vote.outcome != question.yielded:
        raise MalformedError("vote: who agrees, agrees to the outcome proposed")
    if vote.outcome and vote.outcome not in question.outcomes:
        raise MalformedError("vote: the statute has no such outcome")


def _check_may_vote(question: Question, standing: Standing, member: str) -> None:
    if member not in question.members:
        raise RefusedError("this case is decided by others")
    if member in question.excluded:
        raise RefusedError("you decided this case before: others decide it now")
    if member in standing.conflicts:
        raise RefusedError("you declared a conflict of interest in this case")
    if not standing.is_open:
        raise RefusedError(
            "the draft is made: votes are closed",
            hint="have the draft taken back, if nobody should sign it",
        )


def count(question: Question, standing: Standing, outcome: str) -> Tally:
    """The tally for an outcome.

    Raises:
        UnverifiedError: the votes do not carry it.
    """
    ballot = parse_votes(_document(question, standing))
    return tally(
        ballot,
        question.members,
        question.threshold,
        question.procedure,
        outcome,
        yielded=question.yielded,
        on=question.on,
    )


def carried(question: Question, standing: Standing) -> tuple[Tally, ...]:
    """The tally of each outcome that has votes enough; seldom more than one."""
    found = []
    for outcome in question.outcomes:
        try:
            found.append(count(question, standing, outcome))
        except UnverifiedError:
            continue
    return tuple(found)


def needed(question: Question) -> int:
    """How many votes an outcome needs."""
    procedure = question.procedure
    return max(question.threshold, procedure.decide_quorum, procedure.votes)


def reasons_to_depart(standing: Standing, outcome: str) -> str:
    """The departing members' own reasons in one line, to begin the board's with."""
    said = [
        vote.reasons
        for vote in standing.votes.values()
        if vote.vote == "depart" and vote.outcome == outcome
    ]
    return " ".join(dict.fromkeys(said))[:DEPARTURE_CHARACTERS_MAX]


def make_draft(
    store: Store,
    question: Question,
    member: str,
    outcome: str,
    departure: str,
    at: int,
    final: FinalDraft,
    *,
    without_all: bool,
) -> None:
    """Close the votes and make the record to sign; the same one again is no error.

    Raises:
        UnverifiedError: the votes do not carry this outcome.
        RefusedError: the member did not vote for it; or not all have voted, and nobody said
            that this shall be enough.
        MalformedError: reasons to depart are missing, too long, or given for no departure.
    """
    check_text(departure, "reasons to depart", characters_max=DEPARTURE_CHARACTERS_MAX)
    if bool(departure) != (outcome != question.yielded):
        raise MalformedError("reasons to depart: needed for a departure, and for nothing else")
    with store.deciding() as sitting:
        standing = stand(question, sitting.events(question.claim))
        if standing.draft is not None and standing.draft.outcome == outcome:
            return
        _check_may_vote(question, standing, member)
        counted = count(question, standing, outcome)
        if member not in counted.in_favour:
            raise RefusedError("the draft is made by somebody who voted for it")
        if counted.absent and not without_all:
            raise RefusedError(
                f"not voted yet: {', '.join(counted.absent)}",
                hint="wait for them, or tick that the draft shall be made without them",
            )
        votes = _document(question, standing)
        drafted: dict[str, Json] = {
            "departure": departure,
            "outcome": outcome,
            "record": format_record(final(votes, outcome, departure)).decode("utf-8"),
            "signers": list(counted.in_favour),
            "votes": votes.decode("utf-8"),
        }
        sitting.add(_event("draft", question, member, at, format_json(drafted)))


def reopen(store: Store, question: Question, member: str, at: int) -> None:
    """Take the draft back, as long as not enough have signed; votes can be changed again.

    Raises:
        RefusedError: there is none, it is signed, or the member may not sign it.
    """
    with store.deciding() as sitting:
        standing = stand(question, sitting.events(question.claim))
        if standing.draft is None or standing.signed:
            raise RefusedError("there is no draft that could be taken back")
        if member not in standing.draft.signers:
            raise RefusedError("the draft is taken back by somebody who voted for it")
        sitting.add(_event("reopened", question, member, at, b""))


def take_signed(
    store: Store, question: Question, member: str, data: bytes, at: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Keep the signature lines of an uploaded copy: names that are new, and names known before.

    With the line that makes the threshold full, the record is settled as it goes to the
    register: the same bytes each time, whatever is uploaded later.

    Raises:
        MalformedError: not a signed decision.
        ConflictError: not the draft that was made here.
        UnverifiedError: a line that does not hold, or by somebody who may not sign.
        RefusedError: there is no draft, or it is signed already.
    """
    signed = parse_signed(data, "decision")
    with store.deciding() as sitting:
        standing = stand(question, sitting.events(question.claim))
        draft = _draft_to_sign(standing)
        if signed.note.text.encode("utf-8") != draft.record:
            raise ConflictError(
                "this is not the draft made here",
                hint="download the draft again, and compare its SHA-256",
            )
        found = [
            _checked(question, draft, signed.note, line) for line in signed.note.signatures
        ]
        if len({line.name for line in found}) != len(found):
            raise UnverifiedError("this copy is signed twice by one member")
        known = {line.name for line in standing.lines}
        new = [line for line in found if line.name not in known]
        for line in new:
            sitting.add(_event("line", question, member, at, _format_line(line)))
        _settle(question, draft, (*standing.lines, *new), sitting.add, at)
    return (
        tuple(line.name for line in new),
        tuple(line.name for line in found if line.name in known),
    )


def _draft_to_sign(standing: Standing) -> Draft:
    if standing.draft is None:
        raise RefusedError("no draft is made yet", hint="signatures come after the votes")
    if standing.signed:
        raise RefusedError("enough have signed: the decision is on its way to the register")
    return standing.draft


def _checked(
    question: Question, draft: Draft, note: Note, line: SignatureLine
) -> SignatureLine:
    """The line, if it holds and its member voted for the outcome.

    Raises:
        UnverifiedError: not so.
    """
    key = next(
        (key for key in question.keys if (key.name, key.key_id) == (line.name, line.key_id)),
        None,
    )
    if key is None:
        raise UnverifiedError(f"signed by {line.name}, who has no say in this case")
    if line.name not in draft.signers:
        raise UnverifiedError(f"{line.name} signed without a vote for {draft.outcome}")
    verify_note(Note(text=note.text, signatures=(line,)), key)
    return line


def _settle(
    question: Question,
    draft: Draft,
    lines: Sequence[SignatureLine],
    add: Callable[[Event], None],
    at: int,
) -> None:
    if len({line.name for line in lines}) < question.threshold:
        return
    order = {name: place for place, name in enumerate(question.members)}
    chosen = sorted(lines, key=lambda line: order[line.name])
    note = Note(text=draft.record.decode("utf-8"), signatures=tuple(chosen))
    add(_event("signed", question, "", at, format_note(note)))


# The console's own.


def note_posted(store: Store, question: Question, answer: bytes, at: int) -> None:
    """Keep that the register has acknowledged the decision."""
    store.add(_event("posted", question, "", at, answer))


class Told(Protocol):
    """What went wrong, and what to do; `console.Fault` is one."""

    @property
    def message(self) -> str:
        """What went wrong, in one line."""

    @property
    def hint(self) -> str:
        """What can be done; it may be empty."""


def note_trouble(store: Store, question: Question, told: Told, at: int) -> None:
    """Keep why the register did not take the decision; not again while it stays the same."""
    with store.deciding() as sitting:
        if stand(question, sitting.events(question.claim)).trouble != told.message:
            data = f"{told.message}\n{told.hint}" if told.hint else told.message
            sitting.add(_event("trouble", question, "", at, data.encode("utf-8")))


def _event(kind: str, question: Question, member: str, at: int, data: bytes) -> Event:
    return Event(
        kind=kind, at=at, member=member, claim=question.claim, docket=question.docket, data=data
    )


def _document(question: Question, standing: Standing) -> bytes:
    members = question.members
    votes = [vote for name, vote in standing.votes.items() if name in members]
    return votes_document(question.on, members, votes)


# Folding.


def _take_conflict(standing: Standing, event: Event) -> Standing:
    reasons = event.data.decode("utf-8")
    vote = Vote(member=event.member, vote="abstain", conflict=reasons)
    return _with_vote(standing, event, vote)


def _take_vote(standing: Standing, event: Event) -> Standing:
    if event.member in standing.conflicts:
        return standing
    return _with_vote(standing, event, parse_votes(event.data).votes[0])


def _with_vote(standing: Standing, event: Event, vote: Vote) -> Standing:
    return replace(
        standing,
        votes={**standing.votes, event.member: vote},
        last={**standing.last, event.member: event.number},
    )


def _take_draft(standing: Standing, event: Event) -> Standing:
    value = parse_json(event.data, "draft", bytes_max=len(event.data))
    assert isinstance(value, dict)
    signers = value["signers"]
    assert isinstance(signers, list)
    draft = Draft(
        record=str(value["record"]).encode("utf-8"),
        votes=str(value["votes"]).encode("utf-8"),
        outcome=str(value["outcome"]),
        departure=str(value["departure"]),
        signers=tuple(str(name) for name in signers),
    )
    return replace(standing, draft=draft, lines=())


def _take_reopened(standing: Standing, _: Event) -> Standing:
    return replace(standing, draft=None, lines=())


def _take_line(standing: Standing, event: Event) -> Standing:
    return replace(standing, lines=(*standing.lines, _parse_line(event.data)))


def _take_signed(standing: Standing, event: Event) -> Standing:
    return replace(standing, signed=event.data)


def _take_posted(standing: Standing, event: Event) -> Standing:
    return replace(standing, answer=event.data, posted_at=event.at, trouble="", hint="")


def _take_trouble(standing: Standing, event: Event) -> Standing:
    trouble, _, hint = event.data.decode("utf-8").partition("\n")
    return replace(standing, trouble=trouble, hint=hint)


_FOLD: Mapping[str, Callable[[Standing, Event], Standing]] = {
    "conflict": _take_conflict,
    "vote": _take_vote,
    "draft": _take_draft,
    "reopened": _take_reopened,
    "line": _take_line,
    "signed": _take_signed,
    "posted": _take_posted,
    "trouble": _take_trouble,
}


def _format_line(line: SignatureLine) -> bytes:
    return format_json(
        {"blob": format_base64(line.blob), "id": line.key_id.hex(), "name": line.name}
    )


def _parse_line(data: bytes) -> SignatureLine:
    value = parse_json(data, "line")
    assert isinstance(value, dict)
    return SignatureLine(
        name=str(value["name"]),
        key_id=bytes.fromhex(str(value["id"])),
        blob=parse_base64(str(value["blob"]), "line"),
    )
