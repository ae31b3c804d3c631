"""A statute as values: what it declares, what its sections say, and what follows.

Nothing here computes. Every condition keeps its `place` in the document, such as
`sections[3].if.and[0]`, so that a fault and a reason can both be found again in the text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from safeconduct.protocol.statute.facts import Declaration, Facts
from safeconduct.protocol.statute.instant import Duration

STATUTE_BYTES_MAX = 60_000  # a log entry holds 65,535, and the record around it needs some
RULES_MAX = 200
CONDITION_DEPTH_MAX = 16  # operators on the way down, through rules and exceptions alike
CASES_MAX = 200

UNDETERMINED = "undetermined"

Words: TypeAlias = Mapping[str, str]  # language code to text


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """A fixed date of the law. `limit_at` is the first second that is no longer before it."""

    name: str
    written: str  # RFC 3339, with its offset
    at: int  # POSIX seconds
    zone: str  # the zone's name, for the reader; the offset decides
    inclusive: bool
    may_change: str
    section: str

    @property
    def limit_at(self) -> int:
        """POSIX seconds: an act counts as before this date if it lies before `limit_at`."""
        return self.at + 1 if self.inclusive else self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A duration fixed by the law."""

    name: str
    duration: Duration
    may_change: str
    section: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A whole number fixed by the law, such as a threshold."""

    name: str
    value: int
    may_change: str
    section: str


Parameter: TypeAlias = Instant | Period | Number


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One operator applied; which of the fields it uses is the operator's business."""

    operator: str
    place: str
    parts: tuple["Condition", ...] = ()
    fact: str = ""  # the declared name, such as `tips.logged`
    name: str = ""  # the rule, list, parameter or second fact meant
    values: tuple[bool | int | str, ...] = ()
    bound: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Provision:
    """A numbered sentence of law: it holds if `condition` does and no exception holds."""

    number: str
    text: Words
    place: str
    condition: Condition
    exceptions: tuple["Provision", ...] = ()
    rule: str = ""  # empty for an exception, which nothing else refers to


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A numbered sentence that states no rule; `about` says what it is there for."""

    number: str
    text: Words
    place: str
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What follows when a rule holds; the default has no rule."""

    value: str
    text: Words
    effects: tuple[str, ...]
    publish: str  # with_consent, always or never
    favours: str  # person or body; decides whom a doubt helps
    rule: str = ""
    review_after: Duration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """How a decision is made and contested."""

    appeal_period: Duration
    appeal_section: str
    appeal_suspends: bool
    decide_quorum: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Credits:
    """Whether help may be credited, so that it can be claimed without naming the tip.

    A credit of class c (a grade) and period p says that a tip of this grade, by its author, was
    logged before `periods[p - 1]` (POSIX seconds). `scheme` is plain or blind. Credits of one
    class and period may be redeemed once `minimum_issued` of them exist.
    """

    scheme: str
    classes: tuple[str, ...]
    periods: tuple[int, ...]
    minimum_issued: int
    section: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Which version of the law this is, and from when it applies."""

    number: int
    published_at: int
    in_force_from: int
    supersedes: bytes | None  # SHA-256 of the version before


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An example that the law itself carries, with the result it must have."""

    name: str
    place: str
    facts: Facts
    outcome: str
    sections: tuple[str, ...]
    open_facts: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statute:
    """One version of a law. `sha256` is taken over its canonical bytes and is its name."""

    sha256: bytes
    id: str
    title: Words
    body: str
    languages: tuple[str, ...]
    version: Version
    parameters: Mapping[str, Parameter]
    facts: Mapping[str, Declaration]
    sections: tuple[Provision | Passage, ...]
    outcomes: tuple[Outcome, ...]
    default: Outcome
    procedure: Procedure
    cases: tuple[Case, ...]
    credits: Credits | None = None

    @property
    def rules(self) -> dict[str, Provision]:
        """Every named rule, in the order of the law."""
        return {part.rule: part for part in self.sections if isinstance(part, Provision)}

    def outcome(self, value: str) -> Outcome:
        """The outcome with this value.

        Raises:
            KeyError: the statute has no such outcome.
        """
        return {each.value: each for each in (*self.outcomes, self.default)}[value]

    def section_text(self, number: str) -> Words:
        """The text of the section or exception with this number."""
        return {part.number: part.text for part in all_parts(self.sections)}[number]


def all_parts(parts: tuple[Provision | Passage, ...]) -> list[Provision | Passage]:
    """Sections and their exceptions at every depth, in the order of the text."""
    found: list[Provision | Passage] = []
    for part in parts:
        found.append(part)
        if isinstance(part, Provision):
            found.extend(all_parts(part.exceptions))
    return found


def all_conditions(provision: Provision) -> list[Condition]:
    """Every condition in a provision and in its exceptions, outermost first."""
    found = with_parts(provision.condition)
    for exception in provision.exceptions:
        found.extend(all_conditions(exception))
    return found


def with_parts(condition: Condition) -> list[Condition]:
    """A condition and all that it is made of, outermost first."""
    found = [condition]
    for part in condition.parts:
        found.extend(with_parts(part))
    return found
