"""What the monitor finds: each kind with its gravity and with what its reader should do next.

A finding has a stable id, made of its check and of what was checked: the same trouble found
again is the same alert. Where a check was made and held, its id is reported as held; an alert
ends only then. A check that could not be made says nothing either way.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TypeVar

from safeconduct.errors import SafeconductError, UnavailableError
from safeconduct.plumbing.terminal import printable
from safeconduct.protocol.statute.instant import INSTANT_AT_MAX, format_instant

CONTRADICTION = "contradiction"
UNVERIFIED = "unverified"
MISSED = "missed"
UNREACHABLE = "unreachable"
DUE = "due"
NOTICE = "notice"

EXIT_CODES = {CONTRADICTION: 11, UNVERIFIED: 10, MISSED: 10, UNREACHABLE: 75, DUE: 0, NOTICE: 0}
"""Gravity, worst first, and the exit code of `--once` if nothing worse stands."""

_SUBJECT_CHARACTERS = 12
_REASON_CHARACTERS_MAX = 300

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How grave a finding of this kind is, and what to do about it."""

    severity: str
    next_step: str
    lasting: bool = False  # once proven it stays proven: the alert never ends by itself


_KEEP = "Keep the evidence: it was fetched just now and may be gone tomorrow."
_NO_RESTORE = "Do not restore anything from this mirror."
_AWAY = "Nothing is proven by silence. Look whether others reach it, and ask its operator."

KINDS: dict[str, Kind] = {
    "forked": Kind(
        severity=CONTRADICTION,
        next_step="Publish the .fork file, which anybody can check with safeconduct fork "
        "verify, and trust no date of this log from now on.",
        lasting=True,
    ),
    "unjoined": Kind(
        severity=UNVERIFIED,
        next_step="Keep both checkpoints and compare with other monitors: the log signed both, "
        "and shows nothing that joins them.",
    ),
    "withheld": Kind(
        severity=UNVERIFIED,
        next_step="Compare with other monitors: this log may show you another tree than it "
        "shows others.",
    ),
    "shrank": Kind(
        severity=UNVERIFIED,
        next_step="A log never shrinks. Keep both checkpoints, and ask whether it was restored "
        "from a backup.",
    ),
    "unsigned": Kind(severity=UNVERIFIED, next_step=_KEEP),
    "no-quorum": Kind(
        severity=UNVERIFIED,
        next_step="Believe no new date of this log until the quorum of the policy stands.",
    ),
    "stale": Kind(
        severity=MISSED,
        next_step="Check your own clock; then ask the log's operator and the witnesses.",
    ),
    "witness-silent": Kind(
        severity=UNREACHABLE,
        next_step="Ask the witness's operator. Dates count as long as the quorum stands.",
    ),
    "witness-uncosigned": Kind(severity=UNVERIFIED, next_step=_KEEP),
    "witness-clock": Kind(
        severity=UNVERIFIED,
        next_step="Keep the checkpoint: a date in the future is worth nothing as a date.",
    ),
    "witness-without": Kind(
        severity=UNREACHABLE,
        next_step="Ask the witness's operator whether it was configured for this log.",
    ),
    "witness-behind": Kind(
        severity=MISSED,
        next_step="Ask the witness's operator: its endpoint must follow within an hour, and "
        "one that fell back may sign a fork.",
    ),
    "witness-fork-unproven": Kind(
        severity=UNVERIFIED,
        next_step="Keep the file and ask the witness's operator: it proves nothing as it is.",
    ),
    "log-tiles": Kind(
        severity=UNVERIFIED,
        next_step="Fetch a copy from a mirror, and ask the log's operator: nobody can check a "
        "receipt against these tiles.",
    ),
    "mirror-unverified": Kind(severity=UNVERIFIED, next_step=_NO_RESTORE),
    "mirror-tiles": Kind(severity=UNVERIFIED, next_step=_NO_RESTORE),
    "mirror-behind": Kind(
        severity=UNREACHABLE, next_step="Ask the mirror's operator; it is of no use like this."
    ),
    "gazette-entries": Kind(
        severity=UNVERIFIED,
        next_step="Believe no key and no law from this log until entries and root agree.",
    ),
    "gazette-entry": Kind(
        severity=UNVERIFIED,
        next_step="Keep the entry: the log admitted what has no place in a Gazette.",
    ),
    "gazette-foreign": Kind(
        severity=UNVERIFIED, next_step="Check programme.toml: whose programme is it?"
    ),
    "law-backdated": Kind(
        severity=MISSED,
        next_step="Keep the entry and the checkpoint: the law was in force before anybody "
        "could read it.",
        lasting=True,
    ),
    "listing": Kind(
        severity=UNVERIFIED,
        next_step="Get another copy of the public folder, and ask the registry for the object.",
    ),
    "duty-missed": Kind(
        severity=MISSED, next_step="Ask the body, in public if need be: the duty is dated."
    ),
    "duty-soon": Kind(severity=DUE, next_step="Nothing yet: remind the body in time."),
    "owed-unreadable": Kind(severity=UNVERIFIED, next_step="Check the file you handed over."),
    "owed-unlogged": Kind(
        severity=MISSED,
        next_step="Keep the .delivery file: the door signed for what the Ledger does not hold.",
    ),
    "owed-unanswered": Kind(
        severity=MISSED, next_step="Look into your mailbox; then ask the desk in public."
    ),
    "unreachable": Kind(severity=UNREACHABLE, next_step=_AWAY),
    "clock": Kind(
        severity=UNREACHABLE,
        next_step="Set this machine's clock: what is fresh and what is stale is judged by it.",
    ),
    "fault": Kind(
        severity=UNREACHABLE,
        next_step="This is a fault in the monitor: report what stands on standard error.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """A piece of evidence: bytes as they were fetched or proven, and their file's suffix."""

    suffix: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as it should be, at one place."""

    check: str
    place: str
    subject: str
    sentence: str
    exhibits: tuple[Exhibit, ...] = ()

    @property
    def id(self) -> str:
        """The same for the same trouble, in every round and after every start."""
        return finding_id(self.check, self.place, self.subject)

    @property
    def kind(self) -> Kind:
        """How grave it is, and what to do."""
        return KINDS[self.check]


def finding_id(check: str, place: str, subject: str = "") -> str:
    """`<check>-<12 hex digits of what was checked>`, fit for a file name."""
    digest = sha256(f"{place}\n{subject}".encode(errors="replace")).hexdigest()
    return f"{check}-{digest[:_SUBJECT_CHARACTERS]}"


class Findings:
    """What the checks of one place came to: findings, and the ids of checks that held."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.found: dict[str, Finding] = {}
        self._held: set[str] = set()

    @property
    def held(self) -> set[str]:
        """Ids of what was checked and held, and by no later check of the round did not."""
        return self._held - self.found.keys()

    def find(
        self,
        check: str,
        sentence: str,
        *,
        subject: str = "",
        exhibits: tuple[Exhibit, ...] = (),
    ) -> None:
        """Report that `check` failed; the first finding of an id stands."""
        assert check in KINDS
        finding = Finding(
            check=check,
            place=self.place,
            subject=subject,
            sentence=sentence,
            exhibits=exhibits,
        )
        self.found.setdefault(finding.id, finding)

    def hold(self, *checks: str, subject: str = "") -> None:
        """Report that these checks were made, and held."""
        self._held |= {finding_id(check, self.place, subject) for check in checks}

    def drop(self, check: str) -> None:
        """Take back what this check found: something else explains it."""
        self.found = {key: one for key, one in self.found.items() if one.check != check}

    def attempt(
        self,
        check: str,
        what: str,
        call: Callable[[], Value],
        *,
        subject: str = "",
        exhibits: tuple[Exhibit, ...] = (),
    ) -> Value | None:
        """What `call` returns; or None and a finding: of `check`, or that it is unreachable."""
        try:
            value = call()
        except UnavailableError as error:
            self.find("unreachable", f"{what}: {reason(error)}.")
        except SafeconductError as error:
            sentence = f"{what}: {reason(error)}."
            self.find(check, sentence, subject=subject, exhibits=exhibits)
        else:
            self.hold(check, subject=subject)
            return value
        return None


def reason(error: SafeconductError) -> str:
    """An error's message as part of a sentence: one line, bounded; servers write some of it."""
    line = printable(" ".join(error.message.split()))
    return line[:_REASON_CHARACTERS_MAX].rstrip(".")


def when(at: int) -> str:
    """A date in words for sentences; others sign numbers that are no dates any more."""
    return format_instant(min(at, INSTANT_AT_MAX))


def worst(severities: list[str]) -> str | None:
    """The gravest of these, or None if there is none."""
    return next((severity for severity in EXIT_CODES if severity in severities), None)
