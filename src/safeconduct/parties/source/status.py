"""Where each contribution stands, in one line of words each.

Only what words bring back is said. Whether an envelope reached the desk shows in what the desk
signs; that it has signed nothing within the time that a monitor allows it is said too, since
that is all a person can act upon.

Spec: docs/3-protocol.md §11, §12, §24.
"""

from dataclasses import dataclass

from safeconduct.parties.source.inbox import Contribution
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.statute.instant import format_instant

ANSWER_DAYS = 30
"""How long a desk may take to acknowledge a tip, as monitors reckon by default."""

_DAY_SECONDS = 86_400

_UNDATED = "send the same files to go on; if it was sent, `receipt --ask` has its date"
_OPENED = {
    "ok": "opened by the desk, and acknowledged",
    "duplicate": "opened by the desk: it had the same before",
    "mismatch": "the desk says that it is not what was dated, or came late: see `inbox`",
    "unreadable": "the desk could not read it: send the files again",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A contribution's stage; `due_at` is when an acknowledgement is owed (POSIX seconds), None
    where it came or nothing is owed; `overdue` says that this is over. `withdrawn` says that
    the source took it back.
    """

    number: int
    dated_at: int | None
    acknowledged: str
    grade: str
    credit: str  # "", "offered" or "held"
    answers: int
    doubts: int
    due_at: int | None
    overdue: bool
    withdrawn: bool = False


def standing(item: Contribution, at: int, answer_days: int = ANSWER_DAYS) -> Standing:
    """Where a contribution stands at `at`, POSIX seconds."""
    dated_at = item.receipt.logged_by if item.receipt else None
    owed = dated_at is not None and not item.status and not item.withdrawn
    due_at = (dated_at or 0) + answer_days * _DAY_SECONDS if owed else None
    return Standing(
        number=item.keys.number,
        dated_at=dated_at,
        acknowledged=item.status,
        grade=item.offered.word if item.offered else "",
        credit="held" if item.credit else "offered" if item.offered else "",
        answers=len([reply for reply in item.replies if reply.text]),
        doubts=len(item.doubts),
        due_at=due_at,
        overdue=due_at is not None and at > due_at,
        withdrawn=item.withdrawn,
    )


def in_words(stand: Standing) -> str:
    """One line that says it to a person."""
    if stand.dated_at is None:
        return f"contribution {stand.number}: begun, not dated; {_UNDATED}"
    said = [f"received and dated {format_instant(stand.dated_at)}"]
    if stand.withdrawn:
        said.append("withdrawn by you")
    if stand.acknowledged or not stand.withdrawn:
        said.append(_desk(stand))
    if stand.credit:
        said.append(_CREDIT[stand.credit].format(number=stand.number, grade=stand.grade))
    if stand.answers:
        said.append(f"{stand.answers} answer{'s' if stand.answers > 1 else ''}: see `inbox`")
    if stand.doubts:
        said.append("something came that does not hold: see `inbox`")
    return f"contribution {stand.number}: {'; '.join(said)}"


_CREDIT = {
    "offered": "assessed as {grade}, and a credit is offered: `credit --number {number}`",
    "held": "credited: `claim --credit --number {number}`",
}


def _desk(stand: Standing) -> str:
    if stand.acknowledged:
        return _OPENED.get(stand.acknowledged, f"the desk answered: {stand.acknowledged}")
    assert stand.due_at is not None
    due = format_instant(stand.due_at)
    if stand.overdue:
        return f"NOT acknowledged, which was owed by {due}: send it again, or show the receipt"
    return f"not acknowledged yet; if it was delivered, that is owed by {due}"


def as_json(stand: Standing) -> Json:
    """The same for other programs."""
    return {
        "number": stand.number,
        "logged_by": _instant(stand.dated_at),
        "acknowledged": stand.acknowledged,
        "grade": stand.grade,
        "credit": stand.credit,
        "answers": stand.answers,
        "doubts": stand.doubts,
        "acknowledgement_due": _instant(stand.due_at),
        "overdue": stand.overdue,
        "withdrawn": stand.withdrawn,
    }


def _instant(at: int | None) -> str | None:
    return None if at is None else format_instant(at)
