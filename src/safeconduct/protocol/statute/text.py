"""A statute as values: what it declares, what its sections say, and what follows.

Nothing here computes. Every condition keeps its `place` in the document, such as
`sections[3].if.and[0]`, so that a fault and a reason can both be found again in the text.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from safeconduct.errors import MalformedError
from safeconduct.protocol.statute.calendar import Calendar as Calendar
from safeconduct.protocol.statute.facts import Declaration, Facts
from safeconduct.protocol.statute.instant import Duration

STATUTE_BYTES_MAX = 60_000  # a log entry holds 65,535, and the record around it needs some
RULES_MAX = 200
CONDITION_DEPTH_MAX = 24  # operators on the way down, through rules and exceptions alike
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
    ends_named: bool = True  # whether the law itself says how the last day ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A whole day of the law, in the statute's calendar: from `begins_at` to `last_at`."""

    name: str
    written: str  # 2027-06-01
    begins_at: int  # POSIX seconds
    last_at: int  # the day's last second, by the end-of-day rule
    ends: str  # local time at which the day ends: "24:00", or when an office closes
    may_change: str
    section: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A period of the law with both ends, which both belong to it."""

    name: str
    written: tuple[str, str]
    first_at: int  # POSIX seconds, the first second inside
    last_at: int  # the last second inside
    may_change: str
    section: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WordList:
    """A list of words fixed by the law, such as the offences that it leaves out."""

    name: str
    values: tuple[str, ...]
    may_change: str
    section: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A whole number fixed by the law, such as a threshold."""

    name: str
    value: int
    may_change: str
    section: str


Parameter: TypeAlias = Instant | Day | Stretch | Period | Number | WordList


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
    terms: tuple["Term", ...] = ()  # times or spans compared, where they are not plain names
    quantity: "Quantity | None" = None  # what at-least and less measure, if it is no fact;
    # `name` and `parts` are then its list and its tests
    measure: str = ""  # the parameter that `bound` was taken from


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A time or a span that a condition speaks of.

    `operator` is fact, parameter, as_of, begin, end, add, later, earlier or when; a `when` has
    one condition in `tests` and two `terms`.
    """

    operator: str
    place: str
    name: str = ""  # the declared fact or the parameter
    terms: tuple["Term", ...] = ()
    tests: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A number worked out from a list: `operator` is count, total or rank.

    count   items for which `tests[0]` holds
    total   days in the union of the spans `field`, of the items for which `tests[0]` holds
    rank    place, from 1, of the item for which `tests[0]` holds, among those for which
            `tests[1]` holds, by the time `term`; equal times share a place.
    """

    operator: str
    place: str
    name: str  # the list
    tests: tuple[Condition, ...]
    field: str = ""
    term: Term | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provision:
    """A numbered sentence of law: it holds if `condition` does and no exception holds."""

    number: str
    text: Words
    place: str
    condition: Condition
    exceptions: tuple["Provision", ...] = ()
    rule: str = ""  # empty for an exception, which nothing else refers to
    of: str = ""  # the list of whose items, one at a time, it speaks; empty for the whole case


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A numbered sentence that states no rule; `about` says what it is there for."""

    number: str
    text: Words
    place: str
    about: str
    asks: str = ""  # the fact that a human finds by judging this sentence (`about: judgement`)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """What an outcome is worth: from `least` to `most` of a unit, such as percent."""

    least: int
    most: int
    unit: str


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
    each: str = ""  # the list whose items the outcome is found for, one by one
    amount: Amount | None = None
    final_when: str = ""  # the rule that makes a conditional outcome final
    revoked_when: str = ""  # the rule that takes the outcome away again
    unseal: Term | None = None  # when what was sealed may be shown
    ends_after: Duration | None = None  # how long its effects last
    effect_texts: Mapping[str, Words] = field(default_factory=dict)  # of those that have one


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something owed in time: by whom, counted from when, and which fact shows it was done.

    `states` of a step: not_owed, not_begun, open, met, late, breached, unknown.
    """

    name: str
    text: Words
    section: str
    owed_by: str
    anchor: Term
    within: Duration
    done: str  # the fact, a time, that shows when it was done
    extended: str = ""  # a rule under which `extension` counts instead of `within`
    extension: Duration | None = None
    owed_when: str = ""  # the rule without which nothing is owed; empty if it always is


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """How somebody is entered in the register: heard first, for a time, and reviewed."""

    reply_period: Duration
    review_after: Duration
    ends_after: Duration
    effects: tuple[str, ...]
    section: str
    effect_texts: Mapping[str, Words] = field(default_factory=dict)  # of those that have one


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """How a decision is made and contested."""

    appeal_period: Duration
    appeal_section: str
    appeal_suspends: bool
    decide_quorum: int
    members: int = 0  # of the body that decides; 0 where the law does not say
    votes: int = 0  # that a decision needs; 0 where the law does not say
    steps: tuple[Step, ...] = ()
    listing: Listing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Annulment:
    """Sections of an earlier version that a court struck, from a moment on; none means all."""

    version: int
    from_at: int
    sections: tuple[str, ...]
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Governs:
    """Which version of the law a case is judged by.

    `day` is act, claim or decision. If `favourable`, the version in force at the decision is
    applied as well, and the person gets the better of the two results.
    """

    day: str
    favourable: bool
    section: str


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
    in_force_to: int | None = None  # the first second in which it no longer is
    cause: str = "enacted"  # enacted, amended, corrected, annulled or sunset
    annuls: tuple[Annulment, ...] = ()
    note: str = ""  # why, in words


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An example that the law itself carries, with the result it must have."""

    name: str
    place: str
    facts: Facts
    outcome: str
    sections: tuple[str, ...]
    open_facts: tuple[str, ...] | None
    as_of: int | None = None  # POSIX seconds; None for the version's first day in force
    items: Mapping[str, str] = field(
        default_factory=dict
    )  # outcome by item, such as `offences[0]`
    steps: Mapping[str, str] = field(default_factory=dict)  # state by the step's name
    standing: str = ""  # granted, conditional or revoked, where the case says
    amount: Amount | None = None  # what the outcome is worth, where the case says
    unsealed: str = ""  # the day on which what the outcome sealed may be shown: 2074-07-03
    why: str = ""


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
    calendar: Calendar | None = None
    governs: Governs | None = None
    citation: str = ""
    # What judging by this value has worked out about it, once: see `compiled`.
    compiled: list[object] = field(default_factory=list, init=False, compare=False, repr=False)

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

    def effect_text(self, name: str) -> Words:
        """What an effect of a listing or an outcome does; empty where the law has no text."""
        having = (self.procedure.listing, *self.outcomes, self.default)
        texts = (each.effect_texts for each in having if each is not None)
        return next((each[name] for each in texts if name in each), {})

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
    """A condition and all that it is made of, outermost first; what its times hang on too."""
    found = [condition]
    for part in direct_parts(condition):
        found.extend(with_parts(part))
    return found


def direct_parts(condition: Condition) -> tuple[Condition, ...]:
    """The conditions one step below: parts, tests of a quantity, tests that times hang on."""
    hung = (test for term in all_terms(condition) for test in term.tests)
    return (*condition.parts, *hung)


def all_terms(condition: Condition) -> list[Term]:
    """The times and periods that a condition itself speaks of, outermost first.

    A name that stands alone, in `fact` or `name`, is none; and what the condition's parts
    speak of is theirs.
    """
    ranked = condition.quantity.term if condition.quantity is not None else None
    waiting = [*condition.terms, *((ranked,) if ranked is not None else ())]
    found: list[Term] = []
    for term in waiting:
        found.extend(with_terms(term))
    return found


def with_terms(term: Term) -> list[Term]:
    """A time and the times it is made of, outermost first."""
    return [term, *(each for part in term.terms for each in with_terms(part))]


def facts_of(condition: Condition, facts: Mapping[str, Declaration]) -> tuple[str, ...]:
    """The declared facts that a condition itself reads, without those of its parts.

    `facts` are the statute's declarations: they tell facts from parameters.
    """
    field_of = condition.quantity.field if condition.quantity is not None else ""
    own = () if condition.parts else (condition.name,)
    names = [condition.fact, *own, field_of, *(term.name for term in all_terms(condition))]
    return tuple(dict.fromkeys(name for name in names if name in facts))


STRUCK = "struck"  # the operator of a provision that a court has struck: it never holds


def with_struck(statute: Statute, numbers: Collection[str]) -> Statute:
    """The statute with the sections and exceptions of these numbers never holding.

    It keeps its SHA-256, since it is the same text.

    Raises:
        MalformedError: there is no such section, or it states no rule.
    """
    stated = {p.number for p in all_parts(statute.sections) if isinstance(p, Provision)}
    for number in numbers:
        if number not in stated:
            raise MalformedError(f"there is no section {number} that states a rule")
    sections = tuple(
        _struck(part, numbers) if isinstance(part, Provision) else part
        for part in statute.sections
    )
    return replace(statute, sections=sections)


def _struck(provision: Provision, numbers: Collection[str]) -> Provision:
    if provision.number in numbers:
        never = Condition(operator=STRUCK, place=f"{provision.place}.if")
        return replace(provision, condition=never, exceptions=())
    kept = tuple(_struck(each, numbers) for each in provision.exceptions)
    return replace(provision, exceptions=kept)
