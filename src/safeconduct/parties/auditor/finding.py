"""What a check comes to: it held, computed from something; or a file failed it, and so what."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from safeconduct.errors import ConflictError, SafeconductError, UnverifiedError
from safeconduct.protocol.gazette import CreditGroup
from safeconduct.protocol.statute.instant import INSTANT_AT_MAX, format_instant

# Whom a failure speaks against. Each is one sentence that a reader without the protocol at hand
# can act on; none accuses anybody of more than their own signature carries.
COPY_CHANGED = (
    "This copy is not the one that was signed for; whoever handed it on may have changed it. "
    "It proves nothing against the body: get another copy."
)
NOBODY_ANSWERS = (
    "Nobody answers for this copy, so nothing in it can be held against the registry: "
    "get a copy that is signed."
)
MANIFEST_LIES = (
    "The registry signed a manifest that its own folder contradicts: "
    "keep this folder, it is evidence against the registry."
)
NO_QUORUM = (
    "The registry signed for a checkpoint that log and witnesses do not vouch for: "
    "keep this folder, it is evidence against the registry."
)
TREE_DIFFERS = (
    "The log signed a tree that these entries and tiles do not give: keep this folder, it is "
    "evidence against the registry, and against the log if another copy has the same entries."
)
ADMITTED = (
    "The log signed, and the witnesses saw, an entry that has no place in a Gazette: "
    "keep this folder, it is evidence against the log."
)
LAW_SHOWN = (
    "The registry signed for a law that the Gazette does not hold: "
    "keep this folder, it is evidence against the registry."
)
LAW_FAULTY = (
    "The board signed a law that must not be published like this: "
    "keep this folder, it is evidence against the board."
)
CAPTURE_FAULTY = (
    "The registry signed for a capture that does not hold: keep this folder, it is evidence "
    "against the registry, and no decision may rest on the capture."
)
OBJECT_FAULTY = (
    "The registry shows something else than what the board published in the Gazette: "
    "keep this folder, it is evidence against the registry."
)
RECEIPT_FAULTY = (
    "The registry shows a receipt that its own Ledger copy does not bear out: "
    "keep this folder, it is evidence against the registry."
)
DECISION_FAULTY = (
    "The board published a decision that its own evidence and law do not give: "
    "keep this folder, it is evidence against those who signed the decision."
)
OPENS_NOTHING = (
    "Nothing against anybody: what was handed over beside the folder opens nothing in it. Ask "
    "whoever handed it over for the right file, or for the right folder."
)
UNSEALED_FAULTY = (
    "The registry shows what unseals a decision before the law lets anybody see it, or what "
    "unseals none: keep this folder, it is evidence against the registry."
)
HELPED_TWO = (
    "The board acquitted two persons on one contribution or credit, which was one person's at "
    "most: "
    "keep this folder, it is evidence against those who signed the decisions."
)
PUBLISHED_EARLY = (
    "The board published something before it was final, by the witnesses' own dates: "
    "keep this folder, it is evidence against the board."
)
PUBLISHED_SUSPENDED = (
    "The board published a decision while an appeal against it was open: "
    "keep this folder, it is evidence against the board."
)
REGISTER_FAULTY = (
    "The registry signed for a register that the publications do not make: "
    "keep this folder, it is evidence against the registry."
)
COUNT_FAULTY = (
    "The board signed a count that its own publications contradict: "
    "keep this folder, it is evidence against the board."
)
REDEMPTION_FAULTY = (
    "The registry signed for a redemption that does not hold: "
    "keep this folder, it is evidence against the registry."
)
REDEMPTION_HIDDEN = (
    "The registry shows a decision on a credit, and not that the credit was used up by it: "
    "keep this folder, it is evidence against the registry."
)
REDEEMED_MORE = (
    "More credits are used than were given, so somebody can make them, or the board counts "
    "falsely: keep this folder, it is evidence that the credits of this group prove nothing."
)
REDEEMED_EARLY = (
    "The registry redeemed credits while too few were counted for their holders to stand in a "
    "crowd: keep this folder, it is evidence against the registry."
)
REDEMPTIONS_MISSING = (
    "The board counted redemptions that the registry does not show: keep this folder, it is "
    "evidence against the board, or against the registry."
)
GATE_FAULTY = (
    "The door marked a date of the law as passed in a way that log and witnesses do not bear "
    "out: keep this folder, it is evidence against the door, and rely on receipts alone."
)
FORKED = (
    "The log signed two trees of which neither begins the other: it told two stories. Keep "
    "both, they are evidence against the log and against every witness that signed both."
)
COPY_UNSIGNED = (
    "Log and witnesses do not vouch for this copy under this policy, and it may have been "
    "changed by anybody: get another copy, or the right policy."
)
COPY_DIFFERS = (
    "These files are not the tree that the log signed; whoever made or handed on the copy may "
    "have changed them. It proves nothing against the log: get another copy."
)
NOT_CHECKED = "Nothing by itself: see the check that it needs."
NOT_SIGNED = (
    "Nothing against anybody yet, because the registry did not sign for these bytes: "
    "see the first two checks, and get another copy."
)

ACCUSES_NOBODY = frozenset(
    {
        COPY_CHANGED,
        NOBODY_ANSWERS,
        COPY_UNSIGNED,
        COPY_DIFFERS,
        NOT_CHECKED,
        OPENS_NOTHING,
    }
)

FAILURES_MAX = 100
"""Per check: a copy that is wrong everywhere need not be told file by file."""


class BlockedError(UnverifiedError):
    """A check cannot run, because an earlier one did not hold."""


class EntryError(UnverifiedError):
    """A Gazette entry does not follow from those before it; `file` holds it."""

    def __init__(self, message: str, *, file: str) -> None:
        super().__init__(message)
        self.file = file


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """What a check was computed from, in words; `asserted` if facts are the board's word,
    `unsealed` if they were computed from what somebody handed over beside the folder.

    `earlier` counts the entries that only an earlier audit has looked at. `credits` are counted
    group by group.
    """

    computed_from: str
    asserted: bool = False
    unsealed: bool = False
    earlier: int = 0
    credits: "tuple[CreditTally, ...]" = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditTally:
    """Of a group of credits: how many the board counted last as issued, and how many
    redemptions the folder shows.
    """

    group: CreditGroup
    issued: int
    redeemed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A file that failed a check; `proves` says against whom, in one plain sentence or two.

    `stands_alone` tells that the evidence carries all its signatures within itself, so that it
    holds even in a copy that the registry did not sign for. `contradicts` tells that statements
    which hold one by one cannot all be true.
    """

    file: str
    found: str
    expected: str
    proves: str
    stands_alone: bool = False
    contradicts: bool = False


Findings: TypeAlias = Iterator[Passed | Failed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One check's outcome: it held if nothing failed."""

    number: int
    name: str
    title: str
    computed_from: tuple[str, ...]
    failures: tuple[Failed, ...]
    asserted: int  # decisions whose facts nobody can compute again
    unsealed: int = 0  # decisions on sealed evidence that an unsealing lets compute again
    earlier: int = 0  # entries that only an earlier audit has looked at
    credits: tuple[CreditTally, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing failed."""
        return not self.failures


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """All checks' outcomes; `signed` if the registry signed for exactly these bytes."""

    signed: bool
    results: tuple[Result, ...]

    @property
    def holds(self) -> bool:
        """Whether every check held."""
        return all(result.holds for result in self.results)

    @property
    def earlier(self) -> int:
        """How many entries only an earlier audit has looked at."""
        return sum(result.earlier for result in self.results)

    @property
    def contradicts(self) -> bool:
        """Whether a failure sets statements that hold against each other."""
        return any(each.contradicts for result in self.results for each in result.failures)

    @property
    def credits(self) -> tuple[CreditTally, ...]:
        """The credits issued and redeemed, group by group."""
        return tuple(tally for result in self.results for tally in result.credits)

    @property
    def asserted(self) -> int:
        """How many decisions rest on facts that the board asserts under seal."""
        return sum(result.asserted for result in self.results)

    @property
    def unsealed(self) -> int:
        """How many decisions on sealed evidence were computed again from an unsealing."""
        return sum(result.unsealed for result in self.results)


def collect(
    findings: Findings, *, number: int, name: str, title: str, file: str, proves: str
) -> Result:
    """A check's outcome; an error that ends it counts as a failure of `file`."""
    passed: list[Passed] = []
    failures: list[Failed] = []
    try:
        for each in findings:
            if isinstance(each, Passed):
                passed.append(each)
            else:
                failures.append(each)
            if len(failures) == FAILURES_MAX:
                break
    except SafeconductError as error:
        expected = "that this check could be made"
        failures.append(failed_by(error, file, expected, proves))
    return Result(
        number=number,
        name=name,
        title=title,
        computed_from=tuple(each.computed_from for each in passed),
        failures=tuple(failures),
        asserted=sum(each.asserted for each in passed),
        unsealed=sum(each.unsealed for each in passed),
        earlier=sum(each.earlier for each in passed),
        credits=tuple(tally for each in passed for tally in each.credits),
    )


def failed_by(error: SafeconductError, file: str, expected: str, proves: str) -> Failed:
    """What an error that a computation over `file` ended in comes to."""
    failed = Failed(
        file=file,
        found=error.message.removeprefix(f"{file}: "),
        expected=expected,
        proves=proves,
    )
    if isinstance(error, BlockedError):
        return replace(failed, proves=NOT_CHECKED)
    if isinstance(error, ConflictError):
        # Each of two contradicting trees stands under signatures of its own.
        return replace(failed, proves=FORKED, stands_alone=True)
    return failed


def attempt(
    step: Callable[[], object], file: str, expected: str, proves: str
) -> Iterator[Failed]:
    """Nothing, or the one failure that `step` ends in."""
    try:
        step()
    except SafeconductError as error:
        yield failed_by(error, file, expected, proves)


def without_accusation(failed: Failed) -> Failed:
    """The same failure in a copy that nobody signed for: it is held against nobody."""
    if failed.stands_alone or failed.proves in ACCUSES_NOBODY:
        return failed
    return replace(failed, proves=NOT_SIGNED, contradicts=False)


def show_instant(at: int) -> str:
    """RFC 3339 in UTC; plain seconds where no calendar has such a year, for a liar's sake."""
    return format_instant(at) if at <= INSTANT_AT_MAX else f"{at} seconds after 1970"
