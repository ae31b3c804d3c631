"""What is shown of a tip, on the page and as JSON: the same values, made once.

Text from a tip is hostile: characters that do not print (those that turn the direction of the
text among them) come out as their code point, and whatever draws it must still escape it.
"""

from dataclasses import asdict, dataclass
from typing import Any

from safeconduct.errors import MalformedError
from safeconduct.parties.desk.assess import newest_assessment
from safeconduct.parties.desk.credit import standing
from safeconduct.parties.desk.desk import Desk
from safeconduct.parties.desk.follow import Continued, continued, continued_by
from safeconduct.parties.desk.store import Acknowledged, Assessed, Tip
from safeconduct.parties.desk.tray import opened_path, read_text
from safeconduct.parties.desk.vote import open_votes, votes_due
from safeconduct.parties.desk.weigh import tip_id
from safeconduct.plumbing.terminal import printable
from safeconduct.protocol.answered import parse_answers
from safeconduct.protocol.canonical import parse_json
from safeconduct.protocol.envelope import ANSWERS_NAME
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import NO_HASH, parse_record
from safeconduct.protocol.tip import member_name, parse_manifest

SHOWN_CHARS_MAX = 100_000  # of one file's text


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One line of the list. `status` is empty until the tip was opened; sizes in bytes.

    `continues` says in words which tip this one continues; it is empty if it claims none.
    `withdrawn_at` is when its author took it back: it must not be used then.
    """

    id: str
    hash: str
    logged_by: int
    size: int
    status: str
    grade: str
    flags: tuple[str, ...]
    votes: int
    votes_due: int
    continues: str = ""
    withdrawn_at: int | None = None  # POSIX seconds, by the witnesses' word
    aside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer as the source's file has it; `said` are the words of what was chosen."""

    id: str
    ask: str
    given: tuple[str, ...]
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file of a tip; `text` is None if it is no plain text, and cut if it is long.

    `answers` are what it holds if it is a file of answers to the body's questions.
    """

    member: str
    name: str
    size: int
    path: str
    text: str | None
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """A statement of the desk and when the witnesses saw it; None until it is logged."""

    word: str
    reason: str
    logged_by: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """A vote that was handed in: its seal, and the rest only once all votes are open."""

    assessor: str
    seal: str
    grade: str = ""
    accuses: tuple[str, ...] = ()
    by: str = ""
    supported_by: tuple[str, ...] = ()
    denied_by: tuple[str, ...] = ()
    reasons: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One finding in words."""

    kind: str
    about: str
    because: tuple[str, ...]
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """Another tip of the same thread, as it is named and found."""

    id: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One reply; the first to each tip carries the acknowledgement."""

    counter: int
    text: str
    posted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that is shown of one tip; `before` and `after` are proven to be by its source.

    `credit` says in words how its credit stands; it is empty if none was offered.
    """

    summary: Summary
    sealed_by: str
    profile: str
    other: str
    folder: str
    files: tuple[File, ...]
    acknowledgement: Dated | None
    assessment: Dated | None
    version: int
    votes: tuple[Cast, ...]
    open: bool
    rule: str
    findings: tuple[Found, ...]
    replies: tuple[Said, ...]
    before: Linked | None = None
    after: tuple[Linked, ...] = ()
    credit: str = ""


def summarise(desk: Desk, tip: Tip) -> Summary:
    """One tip as a line of the list."""
    made = desk.store.acknowledged(tip.hash)
    newest = newest_assessment(desk.store, tip.hash)
    return Summary(
        id=tip_id(tip),
        hash=tip.hash.hex(),
        logged_by=tip.logged_by,
        size=parse_record(tip.record).number("size"),
        status=made.status if made else "",
        grade=newest.grade if newest else "",
        flags=tuple(dict.fromkeys(found.kind for found in _findings(newest))),
        votes=len(desk.store.votes(tip.hash)),
        votes_due=votes_due(desk.store, tip.hash),
        continues=_continues(continued(desk.store, made) if made else None),
        withdrawn_at=_withdrawn_at(desk, tip),
        aside=desk.store.is_aside(tip.hash),
    )


def show(desk: Desk, tip: Tip) -> Page:
    """One tip with all that is known and may be shown."""
    record = parse_record(tip.record)
    made = desk.store.acknowledged(tip.hash)
    newest = newest_assessment(desk.store, tip.hash)
    opened = open_votes(desk.store, tip.hash)
    before = continued(desk.store, made) if made else None
    return Page(
        summary=summarise(desk, tip),
        sealed_by=record.word("sealed-by"),
        profile=record.word("profile"),
        other=made.other.hex() if made and made.other != NO_HASH else "",
        folder=str(opened_path(desk.store.tip_folder(tip.hash), 1).parent),
        files=_files(desk, tip, made),
        acknowledgement=_acknowledgement(desk, made),
        assessment=_assessment(desk, newest),
        version=len(desk.store.assessments(tip.hash)),
        votes=_votes(desk, tip),
        open=opened is not None,
        rule=opened.combined.words if opened else "",
        findings=_findings(newest),
        replies=tuple(
            Said(counter=sent.counter, text=sent.text, posted=sent.posted)
            for sent in desk.store.replies(tip.hash)
        ),
        before=_linked(before.tip) if before and before.tip else None,
        after=tuple(_linked(later) for later in continued_by(desk.store, tip.hash)),
        credit=standing(desk, tip.hash),
    )


def as_json(shown: Summary | Page) -> dict[str, Any]:
    """The view as a value that `print_json` takes."""
    return asdict(shown)


def _withdrawn_at(desk: Desk, tip: Tip) -> int | None:
    made = desk.store.taken_back(tip.hash)
    return None if made is None else _logged_by(desk, made.signed, made.proof)


def _continues(before: Continued | None) -> str:
    if before is None:
        return ""
    if before.tip is None:
        return "claims to continue a tip, but does not prove it"
    return f"continues {tip_id(before.tip)}"


def _linked(tip: Tip) -> Linked:
    return Linked(id=tip_id(tip), hash=tip.hash.hex())


def _files(desk: Desk, tip: Tip, made: Acknowledged | None) -> tuple[File, ...]:
    if made is None or not made.manifest:
        return ()
    folder = desk.store.tip_folder(tip.hash)
    files = []
    for place, file in enumerate(parse_manifest(made.manifest).files, start=1):
        path = opened_path(folder, place)
        text = read_text(path)
        files.append(
            File(
                member=member_name(place),
                name=file.name,
                size=file.size,
                path=str(path),
                text=None if text is None else printable(text[:SHOWN_CHARS_MAX]),
                answers=_answers(text) if file.name == ANSWERS_NAME else (),
            )
        )
    return tuple(files)


def _answers(text: str | None) -> tuple[Answer, ...]:
    """What a file of answers says; nothing if it is not one, whatever its name."""
    try:
        answered = parse_answers((text or "").encode("utf-8"))
    except MalformedError:
        return ()
    return tuple(
        Answer(
            id=printable(each.id),
            ask=printable(each.ask),
            given=tuple(printable(value) for value in each.answer),
            said=tuple(printable(word) for word in each.said),
        )
        for each in answered.answers
    )


def _acknowledgement(desk: Desk, made: Acknowledged | None) -> Dated | None:
    if made is None:
        return None
    at = _logged_by(desk, made.record, made.proof)
    return Dated(word=made.status, reason=printable(made.reason), logged_by=at)


def _assessment(desk: Desk, newest: Assessed | None) -> Dated | None:
    if newest is None:
        return None
    at = _logged_by(desk, newest.record, newest.proof)
    return Dated(word=newest.grade, reason="", logged_by=at)


def _logged_by(desk: Desk, record: bytes, proof: bytes) -> int | None:
    if not proof:
        return None
    policy, ledger = desk.programme.policy, desk.programme.ledger_origin
    return verify_receipt(record, proof, policy, ledger).logged_by


def _votes(desk: Desk, tip: Tip) -> tuple[Cast, ...]:
    """Who has voted; how they voted only if no vote is due any more."""
    cast = desk.store.votes(tip.hash)
    opened = open_votes(desk.store, tip.hash)
    if opened is None:
        return tuple(Cast(assessor=vote.assessor, seal=vote.seal.hex()) for vote in cast)
    return tuple(
        Cast(
            assessor=ballot.assessor,
            seal=vote.seal.hex(),
            grade=ballot.grade,
            accuses=ballot.accuses,
            by=ballot.by,
            supported_by=ballot.supported_by,
            denied_by=ballot.denied_by,
            reasons=printable(ballot.reasons),
        )
        for vote, ballot in zip(cast, opened.ballots, strict=True)
    )


def _findings(newest: Assessed | None) -> tuple[Found, ...]:
    if newest is None:
        return ()
    value = parse_json(newest.findings, "findings")
    assert isinstance(value, list)
    listed: list[Any] = value
    return tuple(
        Found(
            kind=item["kind"],
            about=item["about"],
            because=tuple(item["because"]),
            words=printable(item["words"]),
        )
        for item in listed
    )
