"""What the pages show: for one member, of one case, no more than they may know now.

How others voted is shown to who has voted; to who is in conflict, the file is closed.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from safeconduct.errors import MalformedError, RefusedError, SafeconductError
from safeconduct.parties.board import console_voting as voting
from safeconduct.parties.board.console import APPEAL, Console, File, fault_of, file_of
from safeconduct.parties.board.console_file import FileView, due_at, letter_of, view_of, words
from safeconduct.parties.board.console_store import Kept
from safeconduct.parties.board.console_voting import Draft, Question, Standing, stand
from safeconduct.plumbing.pages import utc
from safeconduct.protocol.canonical import parse_json
from safeconduct.protocol.record import parse_signed
from safeconduct.protocol.votes import Tally, Vote

_BODIES = {"first": "For the board", APPEAL: "For the appeal panel: on appeal"}
_REPLACED = (
    "The register does not offer this docket any more; look at the list for a newer one."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the list of cases."""

    hash: str  # empty where the member may not open it
    title: str
    subject: str
    waits: str
    mark: str
    votes: str
    absent: tuple[str, ...]  # who has not voted yet
    age: int
    due_at: int | None
    overdue: bool
    group: str  # yours, others or done


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedDocket:
    """A docket that does not hold, and why."""

    hash: str
    reason: str
    hint: str
    first_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a case's way through the console; `status` is done, now, or empty: ahead."""

    title: str
    text: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One case as one member sees it; `file` is None where it is closed to them."""

    hash: str
    title: str
    number: int
    subject: str
    body_words: str
    waits: str
    mark: str
    due_at: int | None
    progress: tuple[Step, ...]
    closed: str
    file: FileView | None
    letter: str
    members: tuple[str, ...]
    threshold: int
    needed: int
    yielded: str
    outcomes: Mapping[str, str]
    voted: tuple[str, ...]
    absent: tuple[str, ...]
    excluded: tuple[str, ...]  # who decided the case before, and keeps out
    together: int  # further claims that are decided with it
    language: str  # of the letter
    conflicts: tuple[tuple[str, str], ...]
    votes: tuple[Vote, ...]  # empty before the member has voted
    own: Vote | None
    after: int
    can_vote: bool
    carried: tuple[Tally, ...]
    departures: Mapping[str, str]
    draft: Draft | None
    draft_sha256: str
    signed_by: tuple[str, ...]
    signed: bytes
    can_reopen: bool
    posted_at: int
    answer: tuple[tuple[str, str], ...]  # what the register acknowledged it with
    trouble: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """What one member sees of all cases, the newest first, and the dockets that are refused."""

    rows: tuple[Row, ...]
    refused: tuple[RefusedDocket, ...]

    def group(self, name: str) -> list[Row]:
        """The rows of one group: yours, others or done."""
        return [row for row in self.rows if row.group == name]


def list_cases(console: Console, member: str) -> Cases:
    """The cases of a member's bodies."""
    rows: list[Row] = []
    refused: list[RefusedDocket] = []
    newest: set[bytes] = set()
    for kept in console.store.dockets():
        try:
            file = file_of(console, kept)
        except SafeconductError as error:
            if _is_offered(console, kept):
                refused.append(_refused(kept, error))
            continue
        if member in file.question.seated:
            row = _row(console, file, member)
            again = kept.claim in newest and row.group != "done"
            rows.append(replace(row, group="done") if again else row)
            newest.add(kept.claim)
    return Cases(rows=tuple(rows), refused=tuple(refused))


def _refused(kept: Kept, error: SafeconductError) -> RefusedDocket:
    fault = fault_of(error)
    return RefusedDocket(
        hash=kept.hash.hex(), reason=fault.message, hint=fault.hint, first_at=kept.first_at
    )


def drafted(console: Console, data: bytes) -> File:
    """The case whose draft a signed copy is of.

    Raises:
        MalformedError: not a signed decision.
        RefusedError: of none.
    """
    text = parse_signed(data, "decision").note.text.encode("utf-8")
    for kept in console.store.dockets():
        with suppress(SafeconductError):
            file = file_of(console, kept)
            standing = stand(file.question, console.store.events(kept.claim))
            if standing.draft is not None and standing.draft.record == text:
                return file
    raise RefusedError("this is a copy of no draft made here")


def _is_offered(console: Console, kept: Kept) -> bool:
    offered = console.memory.offered
    return offered is None or kept.hash in offered


def _row(console: Console, file: File, member: str) -> Row:
    standing = stand(file.question, console.store.events(file.question.claim))
    waits, mark, yours = _waits(console, file, standing, member)
    at = console.seconds()
    due = due_at(file, at)
    settled = standing.posted_at > 0 or (
        not standing.signed and not _is_offered(console, file.kept)
    )
    voted = sum(not vote.conflict for vote in standing.votes.values())
    return Row(
        hash=file.kept.hash.hex(),
        title=_title(file),
        subject=_subject(file),
        waits=waits,
        mark=mark,
        votes=f"{voted} of {len(file.question.seated)}",
        absent=_absent(file, standing),
        age=max(0, at - file.kept.first_at),
        due_at=due,
        overdue=due is not None and at > due and not settled,
        group="done" if settled else "yours" if yours else "others",
    )


def _title(file: File) -> str:
    what = "Appeal" if file.body == APPEAL else "Case"
    return f"{what} {file.docket.number}"


def _subject(file: File) -> str:
    return file.docket.bundle.record.word("subject")


def _waits(
    console: Console, file: File, standing: Standing, member: str
) -> tuple[str, str, bool]:
    """What the case waits for, the mark for it, and whether this member can give it."""
    if standing.posted_at:
        return "acknowledged by the register", "status-ok", False
    if standing.signed:
        return "the register", "status-wait", False
    if not _is_offered(console, file.kept):
        return "nothing: not offered any more", "status-none", False
    if standing.draft is not None:
        may = member in standing.draft.signers
        signed = member in {line.name for line in standing.lines}
        if may and not signed:
            return "your signature", "status-wait", True
        return "signatures", "status-wait", False
    if member in standing.conflicts:
        return "the others", "status-none", False
    if member not in standing.votes:
        return "your vote", "status-wait", True
    carried = voting.carried(file.question, standing)
    if any(member in counted.in_favour for counted in carried):
        return "somebody to make the draft", "status-wait", True
    return "votes", "status-wait", False


def show(console: Console, file: File, member: str) -> Page:
    """The case as this member may see it now."""
    question = file.question
    standing = stand(question, console.store.events(question.claim))
    own = standing.votes.get(member)
    in_conflict = member in standing.conflicts
    waits, mark, _ = _waits(console, file, standing, member)
    offered = _is_offered(console, file.kept)
    sees_votes = own is not None and not in_conflict
    carried = voting.carried(question, standing) if standing.is_open and sees_votes else ()
    return Page(
        hash=file.kept.hash.hex(),
        title=_title(file),
        number=file.docket.number,
        subject=_subject(file),
        body_words=_BODIES[file.body],
        waits=waits,
        mark=mark,
        due_at=due_at(file, console.seconds()),
        progress=_progress(question, standing, is_carried=bool(carried)),
        closed="" if offered or standing.signed else _REPLACED,
        file=None if in_conflict else _view(console, file),
        letter="" if in_conflict else letter_of(file, standing.draft),
        members=question.members,
        threshold=question.threshold,
        needed=voting.needed(question),
        yielded=question.yielded,
        outcomes=_outcomes(file),
        voted=tuple(sorted(standing.votes.keys() - standing.conflicts.keys())),
        absent=_absent(file, standing),
        excluded=tuple(sorted(question.excluded)),
        together=len(file.docket.bundles) - 1,
        language=file.docket.language,
        conflicts=tuple(sorted(standing.conflicts.items())),
        votes=_votes(standing) if sees_votes else (),
        own=own,
        after=standing.last.get(member, 0),
        can_vote=standing.is_open and offered and not in_conflict,
        carried=tuple(one for one in carried if offered and member in one.in_favour),
        departures={
            one.outcome: voting.reasons_to_depart(standing, one.outcome) for one in carried
        },
        draft=standing.draft,
        draft_sha256=_sha256(standing.draft),
        signed_by=tuple(line.name for line in standing.lines),
        signed=standing.signed,
        can_reopen=standing.draft is not None and member in standing.draft.signers,
        posted_at=standing.posted_at,
        answer=tuple(_answer(standing.answer)),
        trouble=standing.trouble,
        hint=standing.hint,
    )


def _absent(file: File, standing: Standing) -> tuple[str, ...]:
    return tuple(name for name in file.question.seated if name not in standing.votes)


def _progress(question: Question, standing: Standing, *, is_carried: bool) -> tuple[Step, ...]:
    """The way of a case from the first vote to the register, and where it is now."""
    cast, lines = len(standing.votes) - len(standing.conflicts), len(standing.lines)
    draft, signed = standing.draft is not None, bool(standing.signed)
    ways = (
        (
            draft,
            "Votes",
            f"{cast} of {len(question.seated)} are in; {voting.needed(question)}"
            " for one outcome carry it. Votes can be changed until the draft is made.",
        ),
        (draft, "Draft", "Somebody who voted for the outcome makes it. That closes the votes."),
        (
            signed,
            "Signatures",
            f"{lines} of {question.threshold} are here. Whoever voted for it"
            " signs on a machine of their own.",
        ),
        (standing.posted_at > 0, "Register", "It dates the decision, and serves the letter."),
    )
    at = next((place for place, way in enumerate(ways) if not way[0]), len(ways))
    if at == 0 and is_carried:
        at = 1
    return tuple(
        Step(
            title=title,
            text=text,
            status="done" if place < at else "now" if place == at else "",
        )
        for place, (_, title, text) in enumerate(ways)
    )


def _view(console: Console, file: File) -> FileView:
    return view_of(file, console.programme.policy, console.programme.ledger_origin)


def _votes(standing: Standing) -> tuple[Vote, ...]:
    cast = [vote for vote in standing.votes.values() if not vote.conflict]
    return tuple(sorted(cast, key=lambda vote: vote.member))


def _answer(answer: bytes) -> Iterator[tuple[str, str]]:
    """The register's answer in words; it was acknowledged, whatever it says besides."""
    try:
        value = parse_json(answer, "answer")
    except MalformedError:
        return
    for name, said in value.items() if isinstance(value, dict) else ():
        is_time = isinstance(said, int) and not isinstance(said, bool)
        yield _ANSWERS.get(name, name), utc(int(str(said))) if is_time else str(said)


_ANSWERS = {
    "claim": "Claim",
    "logged_by": "Dated by the witnesses",
    "outcome": "Outcome",
    "result": "Result",
    "last_appeal_at": "Last second for an appeal",
}


def _outcomes(file: File) -> dict[str, str]:
    statute = file.docket.proposal.statute
    return {one.value: words(one.text) for one in (*statute.outcomes, statute.default)}


def _sha256(draft: Draft | None) -> str:
    return hashlib.sha256(draft.record).hexdigest() if draft else ""
