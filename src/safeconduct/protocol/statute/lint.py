"""What a statute must not be published with, although a judgement could be computed from it.

Each check looks for one way in which laws have gone wrong: an effect before an appeal, a
registration without an end, a rule nobody can reach, a date moved against its own promise, an
example that the law itself fails.

    fairness     what the law would do
    clarity      what it says, or leaves unsaid
    trial        its own cases
    succession   what a new version takes back
"""

from safeconduct.errors import MalformedError
from safeconduct.protocol.statute.clarity import CHECKS_OF_TEXT
from safeconduct.protocol.statute.complaint import Complaint
from safeconduct.protocol.statute.fairness import (
    CHECKS_OF_CREDITS,
    CHECKS_OF_EFFECT,
    ungraded_tips,
)
from safeconduct.protocol.statute.succession import CHECKS_OF_CHANGE
from safeconduct.protocol.statute.text import Statute
from safeconduct.protocol.statute.trial import CHECKS_OF_CASES, judge_case, matches_case

__all__ = [
    "Complaint",
    "check",
    "check_change",
    "judge_case",
    "lint",
    "lint_change",
    "matches_case",
    "ungraded_tips",
]

_CHECKS = (*CHECKS_OF_EFFECT, *CHECKS_OF_TEXT, *CHECKS_OF_CREDITS, *CHECKS_OF_CASES)


def lint(statute: Statute) -> list[Complaint]:
    """All reasons against publishing `statute`, in the order of the checks; none is best."""
    return [complaint for look in _CHECKS for complaint in look(statute)]


def check(statute: Statute) -> None:
    """Ensure that nothing speaks against publishing `statute`.

    Raises:
        MalformedError: the first complaint, and how many more there are.
    """
    _raise_first(lint(statute))


def lint_change(previous: Statute, statute: Statute) -> list[Complaint]:
    """The reasons against publishing `statute` as the version that follows `previous`."""
    return [complaint for look in CHECKS_OF_CHANGE for complaint in look(previous, statute)]


def check_change(previous: Statute, statute: Statute) -> None:
    """Ensure that `statute` may follow `previous`.

    Raises:
        MalformedError: the first complaint, and how many more there are.
    """
    _raise_first(lint_change(previous, statute))


def _raise_first(complaints: list[Complaint]) -> None:
    if complaints:
        more = f" (and {len(complaints) - 1} more)" if len(complaints) > 1 else ""
        raise MalformedError(f"statute {complaints[0]}{more}")
