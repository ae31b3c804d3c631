"""What the register's pages show, as values: all that a template needs, worked out beforehand.

A case is folded from its events; its one page tells the claimant what comes next, until when.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from safeconduct.errors import RefusedError
from safeconduct.parties.registry.book import Book
from safeconduct.parties.registry.decide import decided_record
from safeconduct.parties.registry.joining import decided_with, leading
from safeconduct.parties.registry.letter_files import (
    LETTER_TYPES,
    LETTERS_FOLDER,
    read_kept,
)
from safeconduct.parties.registry.receive import Registry
from safeconduct.parties.registry.tongue import speaks
from safeconduct.plumbing import web
from safeconduct.plumbing.languages import DEFAULT, marked
from safeconduct.plumbing.letter_text import Block, blocks
from safeconduct.protocol.canonical import parse_json
from safeconduct.protocol.case import Case
from safeconduct.protocol.claim import parse_bundle
from safeconduct.protocol.reasons import ground, language_of
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.statute.explain import appeal_last_at
from safeconduct.protocol.statute.govern import UNSAID, annulments, governing
from safeconduct.protocol.statute.text import (
    Annulment,
    Instant,
    Passage,
    Provision,
    Statute,
    Words,
)
from safeconduct.protocol.statute.text import Case as CaseText
from safeconduct.protocol.statute.wording.voice import Voice, voice

LETTERS: Mapping[str, tuple[str, frozenset[str]]] = {
    "panel": (marked("The appeal panel’s letter"), frozenset({"appeal_decided", "remitted"})),
    "appeal": (marked("The letter about your appeal"), frozenset({"decided"})),
    "": (marked("The letter"), frozenset({"decided"})),
    "open": (marked("What is still open"), frozenset({"asked"})),
}
"""By its kind, what a letter is called, and which events it follows: the newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of a case; `status` is done, now, or empty for what lies ahead."""

    title: str
    text: str
    status: str
    at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One letter that was served in a case; `name` is its address below the case's page."""

    title: str
    name: str
    suffixes: tuple[str, ...]
    language: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """A case as its claimant sees it; claims decided together have one decision."""

    number: int
    together: tuple[int, ...]  # numbers of the other cases that are decided with it
    claim: bytes
    page: bytes
    state: str
    subject: str
    name: str
    ground: str
    stages: tuple[Stage, ...]
    letters: tuple[Served, ...]
    appeal_until: int | None
    may_appeal: bool


def words(text: Words, language: str = DEFAULT) -> str:
    """The text in a language, or in English, or in whichever language there is."""
    return text.get(language) or text.get(DEFAULT) or next(iter(text.values()))


def dates(statute: Statute) -> list[Instant]:
    """The dates that the law fixes, earliest first."""
    found = [each for each in statute.parameters.values() if isinstance(each, Instant)]
    return sorted(found, key=lambda each: each.limit_at)


def law_parts(
    parts: tuple[Provision | Passage, ...], depth: int = 0, language: str = DEFAULT
) -> list[tuple[str, str, int]]:
    """Number, text and depth of every sentence, exceptions below what they except from."""
    found: list[tuple[str, str, int]] = []
    for part in parts:
        found.append((part.number, words(part.text, language), min(depth, 2)))
        if isinstance(part, Provision):
            found += law_parts(part.exceptions, depth + 1, language)
    return found


# The law.


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionView:
    """One version of the law on one day: `state` in a word, and what courts struck from it."""

    number: int
    state: str
    is_in_force: bool
    ends_at: int | None  # the first second in which it is no longer in force, or was not
    struck: tuple[Annulment, ...]


def versions(statutes: Sequence[Statute], now: int) -> list[VersionView]:
    """Every version as it stands at `now` (POSIX seconds), in the order of the law."""
    current = _current(statutes, now)
    return [
        VersionView(
            number=each.version.number,
            state=_state(each, current, now),
            is_in_force=each is current,
            ends_at=_ends_at(each, statutes),
            struck=annulments(statutes, each, now),
        )
        for each in statutes
    ]


def _current(statutes: Sequence[Statute], now: int) -> Statute | None:
    try:
        return governing(statutes, now)
    except RefusedError:
        return None


def _state(statute: Statute, current: Statute | None, now: int) -> str:
    if statute is current:
        return "in force"
    return "not in force yet" if now < statute.version.in_force_from else "no longer in force"


def _ends_at(statute: Statute, statutes: Sequence[Statute]) -> int | None:
    begins = statute.version.in_force_from
    later = [
        one.version.in_force_from for one in statutes if one.version.in_force_from > begins
    ]
    own = statute.version.in_force_to
    return min((*later, *([own] if own is not None else ())), default=None)


def governing_words(statute: Statute, language: str = DEFAULT) -> tuple[str, ...]:
    """Which version governs a case, in sentences."""
    _ = speaks(language)
    terms = statute.governs or UNSAID
    said = f" (§ {terms.section})" if terms.section else ""
    better = (
        _(
            "Where the version in force on the day of the decision is better for the person,"
            " that one is applied instead."
        )
        if terms.favourable
        else _("It is applied also where a later version would be better for the person.")
    )
    return (f"{_(_BY_DAY[terms.day])}{said}", better, _(_STRUCK))


_BY_DAY = {
    "act": marked(
        "A case is judged by the version in force on the day of the act that is claimed."
    ),
    "claim": marked(
        "A case is judged by the version in force on the day when the public log dated the"
        " claim."
    ),
    "decision": marked("A case is judged by the version in force on the day of the decision."),
}
_STRUCK = marked(
    "What a court has struck never holds again, in whichever version a case is judged by."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOfLaw:
    """An example that the law itself carries: its facts, what comes of them, and why."""

    name: str
    outcome: str
    sections: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    items: tuple[tuple[str, str], ...]
    why: str
    as_of: int | None


def cases(statute: Statute, language: str = DEFAULT) -> list[CaseOfLaw]:
    """The law's own cases, in its order."""
    say = voice(statute, language)
    return [
        CaseOfLaw(
            name=one.name,
            outcome=say.outcome(one.outcome),
            sections=one.sections,
            facts=tuple(_facts_of(say, one)),
            items=tuple((item, say.outcome(value)) for item, value in one.items.items()),
            why=one.why,
            as_of=one.as_of,
        )
        for one in statute.cases
    ]


def _facts_of(say: Voice, case: CaseText) -> Iterator[tuple[str, str]]:
    """The facts that a case states, in words; those it leaves out are not told."""
    document = case.facts.document
    stated = document if isinstance(document, dict) else {}
    single = stated.get("facts")
    for name in single if isinstance(single, dict) else ():
        yield say.label(name), say.value(case.facts.values[name])
    lists = stated.get("lists")
    for name, items in (lists if isinstance(lists, dict) else {}).items():
        for index, item in enumerate(items if isinstance(items, list) else ()):
            given = case.facts.lists[name][index]
            for field in item if isinstance(item, dict) else ():
                label = say.label(f"{name}.{field}")
                yield f"{given.id}: {label}", say.value(given.values[f"{name}.{field}"])


# A case, for the claimant alone.


def find_claim(registry: Registry, page: bytes) -> bytes:
    """The claim of the case whose private page has this address.

    Raises:
        RefusedError: there is none (HTTP 404).
    """
    try:
        return registry.store.claim_at(page)
    except RefusedError as error:
        raise web.missing(
            "there is no case at this address", hint="check it to the last letter"
        ) from error


def read_letter(
    registry: Registry, page: bytes, suffix: str = ".txt", kind: str = ""
) -> bytes | None:
    """A letter as it was served, or None as long as there is none of this kind."""
    lead = leading(registry, find_claim(registry, page))
    return _letter(registry, registry.store.case(lead), lead, suffix, kind)


def _letter(
    registry: Registry, case: Case, claim: bytes, suffix: str, kind: str
) -> bytes | None:
    stem = f"{claim.hex()}.{kind}" if kind else claim.hex()
    if case.latest.keys().isdisjoint(LETTERS[kind][1]):
        return None
    return read_kept(registry.folder / LETTERS_FOLDER, stem, suffix)


def _letters(registry: Registry, case: Case, claim: bytes, language: str) -> Iterator[Served]:
    _ = speaks(language)
    for kind, (title, _kinds) in LETTERS.items():
        text = _letter(registry, case, claim, ".txt", kind)
        if text is not None:
            yield Served(
                title=_(title),
                name=f"{kind}-letter" if kind else "letter",
                suffixes=tuple(LETTER_TYPES),
                language=language_of(parse_bundle(case.latest["filed"].data)),
                blocks=blocks(text.decode("utf-8")),
            )


def read_decision(registry: Registry, page: bytes) -> bytes | None:
    """The board's signed decision in a case, or None as long as there is none."""
    return decided_record(registry, find_claim(registry, page))


def read_case(registry: Registry, book: Book, page: bytes, language: str = DEFAULT) -> CaseView:
    """All that the claimant may know of their case.

    Raises:
        RefusedError: there is none (HTTP 404).
    """
    claim = find_claim(registry, page)
    own, lead = registry.store.case(claim), leading(registry, claim)
    case = registry.store.case(lead)
    bundle = parse_bundle(own.latest["filed"].data)
    until = _appeal_until(registry, book, case)
    numbers = {one.claim: one.number for one in registry.store.cases()}
    return CaseView(
        number=numbers[claim],
        together=tuple(numbers[one] for one in decided_with(registry, claim)),
        claim=claim,
        page=page,
        state=case.state,
        subject=bundle.record.word("subject"),
        name=bundle.fields["name"],
        ground=ground(bundle),
        stages=_stages(own, case, language),
        letters=tuple(_letters(registry, case, lead, language)),
        appeal_until=until,
        may_appeal=case.state == "decided"
        and until is not None
        and registry.seconds() <= until,
    )


def _appeal_until(registry: Registry, book: Book, case: Case) -> int | None:
    if "decided" not in case.latest:
        return None
    decided = parse_json(case.latest["decided"].data, "event")
    assert isinstance(decided, dict)
    receipt = verify_receipt(
        str(decided["decision"]).encode("utf-8"),
        str(decided["proof"]).encode("utf-8"),
        registry.programme.policy,
        registry.programme.ledger_origin,
    )
    [statute] = [
        law.statute for law in book.laws if law.statute.sha256 == receipt.record.hash("statute")
    ]
    return appeal_last_at(statute, receipt.logged_by)


_FILED = (
    "filed",
    marked("Filed"),
    marked("Your claim and its evidence are held, and the public log dates them."),
)
_DECIDED = (
    "decided",
    marked("Decided"),
    marked("The board applies the law, signs, and serves a letter."),
)
_END = (
    ("final", marked("Final"), marked("The time for an appeal is over.")),
    ("published", marked("Published"), marked("The register shows the outcome.")),
)
_APPEAL = (
    (
        "appealed",
        marked("Appealed"),
        marked("All effects are suspended. Nothing is made public meanwhile."),
    ),
    (
        "appeal_decided",
        marked("Appeal decided"),
        marked("By a panel that had decided nothing about you before."),
    ),
)
_JOINED = (
    "joined",
    marked("Joined"),
    marked("It is decided together with your other claim, and ends with it."),
)
_REMITTED = (
    "remitted",
    marked("Sent back"),
    marked("The appeal panel quashed the decision: the board decides anew."),
)
_QUASHED = (
    "quashed",
    marked("Quashed"),
    marked("The decision has fallen. You may file the claim anew."),
)


def _course(happened: Collection[str]) -> tuple[tuple[str, str, str], ...]:
    """The stages that a case goes through in which this has happened."""
    before = tuple(stage for stage in (_JOINED, _REMITTED) if stage[0] in happened)
    appeal = _APPEAL if "appealed" in happened else ()
    end = (_QUASHED,) if "quashed" in happened else _END
    return (_FILED, *before, _DECIDED, *appeal, *end)


def _stages(own: Case, case: Case, language: str) -> tuple[Stage, ...]:
    """What has happened and what comes next; what only the clerk did is left out.

    `own` is the claim's own case, and `case` the one in which it is decided.
    """
    _, stages = speaks(language), list[Stage]()
    waiting, happened = False, case.latest | own.latest
    for kind, title, text in _course(happened):
        event = happened.get(kind)
        status = "done" if event else "" if waiting else "now"
        waiting = waiting or event is None
        stages.append(
            Stage(title=_(title), text=_(text), status=status, at=event.at if event else None)
        )
    return tuple(stages)
