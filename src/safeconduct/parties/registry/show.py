"""What the register's pages show, as values: all that a template needs, worked out beforehand.

A case is folded from its events; its one page tells the claimant what comes next, until when.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from safeconduct.errors import RefusedError
from safeconduct.parties.registry.book import Book
from safeconduct.parties.registry.decide import decided_record
from safeconduct.parties.registry.letter_files import (
    LETTER_TYPES,
    LETTERS_FOLDER,
    read_kept,
)
from safeconduct.parties.registry.receive import Registry
from safeconduct.plumbing import web
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
    all_parts,
    with_struck,
)
from safeconduct.protocol.statute.text import Case as CaseText
from safeconduct.protocol.statute.wording.voice import Voice, voice

LANGUAGE = "en"
LETTERS: Mapping[str, tuple[str, frozenset[str]]] = {
    "panel": ("The appeal panel’s letter", frozenset({"appeal_decided", "remitted"})),
    "appeal": ("The letter about your appeal", frozenset({"decided"})),
    "": ("The letter", frozenset({"decided"})),
    "open": ("What is still open", frozenset({"asked"})),
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
    """A case as its claimant sees it."""

    number: int
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


def words(text: Words) -> str:
    """The text in English, or in whichever language there is."""
    return text.get(LANGUAGE) or next(iter(text.values()))


def dates(statute: Statute) -> list[Instant]:
    """The dates that the law fixes, earliest first."""
    found = [each for each in statute.parameters.values() if isinstance(each, Instant)]
    return sorted(found, key=lambda each: each.limit_at)


def law_parts(
    parts: tuple[Provision | Passage, ...], depth: int = 0
) -> list[tuple[str, str, int]]:
    """Number, text and depth of every sentence, exceptions below what they except from."""
    found: list[tuple[str, str, int]] = []
    for part in parts:
        found.append((part.number, words(part.text), min(depth, 2)))
        if isinstance(part, Provision):
            found += law_parts(part.exceptions, depth + 1)
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


def governing_words(statute: Statute) -> tuple[str, ...]:
    """Which version governs a case, in sentences."""
    terms = statute.governs or UNSAID
    said = f" (§ {terms.section})" if terms.section else ""
    better = (
        "Where the version in force on the day of the decision is better for the person, that "
        "one is applied instead."
        if terms.favourable
        else "It is applied also where a later version would be better for the person."
    )
    return (f"{_BY_DAY[terms.day]}{said}.", better, _STRUCK)


_BY_DAY = {
    "act": "A case is judged by the version in force on the day of the act that is claimed",
    "claim": "A case is judged by the version in force on the day when the public log dated "
    "the claim",
    "decision": "A case is judged by the version in force on the day of the decision",
}
_STRUCK = "What a court has struck never holds again, in whichever version a case is judged by."


def applied(statutes: Sequence[Statute], statute: Statute, at: int) -> Statute:
    """A version without what courts struck from it until `at` (POSIX seconds)."""
    rules = [p.number for p in all_parts(statute.sections) if isinstance(p, Provision)]
    found = annulments(statutes, statute, at)
    return with_struck(statute, {n for each in found for n in (each.sections or rules)})


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


def cases(statute: Statute) -> list[CaseOfLaw]:
    """The law's own cases, in its order."""
    say = voice(statute, LANGUAGE)
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
    claim = find_claim(registry, page)
    return _letter(registry, registry.store.case(claim), claim, suffix, kind)


def _letter(
    registry: Registry, case: Case, claim: bytes, suffix: str, kind: str
) -> bytes | None:
    stem = f"{claim.hex()}.{kind}" if kind else claim.hex()
    if case.latest.keys().isdisjoint(LETTERS[kind][1]):
        return None
    return read_kept(registry.folder / LETTERS_FOLDER, stem, suffix)


def _letters(registry: Registry, case: Case, claim: bytes) -> Iterator[Served]:
    for kind, (title, _) in LETTERS.items():
        text = _letter(registry, case, claim, ".txt", kind)
        if text is not None:
            yield Served(
                title=title,
                name=f"{kind}-letter" if kind else "letter",
                suffixes=tuple(LETTER_TYPES),
                language=language_of(parse_bundle(case.latest["filed"].data)),
                blocks=blocks(text.decode("utf-8")),
            )


def read_decision(registry: Registry, page: bytes) -> bytes | None:
    """The board's signed decision in a case, or None as long as there is none."""
    return decided_record(registry, find_claim(registry, page))


def read_case(registry: Registry, book: Book, page: bytes) -> CaseView:
    """All that the claimant may know of their case.

    Raises:
        RefusedError: there is none (HTTP 404).
    """
    claim = find_claim(registry, page)
    case = registry.store.case(claim)
    bundle = parse_bundle(case.latest["filed"].data)
    until = _appeal_until(registry, book, case)
    number = next(one.number for one in registry.store.cases() if one.claim == claim)
    return CaseView(
        number=number,
        claim=claim,
        page=page,
        state=case.state,
        subject=bundle.record.word("subject"),
        name=bundle.fields["name"],
        ground=ground(bundle),
        stages=_stages(case),
        letters=tuple(_letters(registry, case, claim)),
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
    "Filed",
    "Your claim and its evidence are held, and the public log dates them.",
)
_DECIDED = ("decided", "Decided", "The board applies the law, signs, and serves a letter.")
_END = (
    ("final", "Final", "The time for an appeal is over."),
    ("published", "Published", "The register shows the outcome."),
)
_APPEAL = (
    ("appealed", "Appealed", "All effects are suspended. Nothing is made public meanwhile."),
    (
        "appeal_decided",
        "Appeal decided",
        "By a panel that had decided nothing about you before.",
    ),
)
_JOINED = (
    _FILED,
    ("joined", "Joined", "It is decided together with your other claim, and ends with it."),
)
_REMITTED = (
    _FILED,
    ("remitted", "Sent back", "The appeal panel quashed the decision: the board decides anew."),
    _DECIDED,
    *_END,
)
_QUASHED = (
    _FILED,
    _DECIDED,
    *_APPEAL,
    ("quashed", "Quashed", "The decision has fallen. You may file the claim anew."),
)


def _course(case: Case) -> tuple[tuple[str, str, str], ...]:
    """The stages that a case like this goes through."""
    for kind, stages in (("joined", _JOINED), ("quashed", _QUASHED), ("remitted", _REMITTED)):
        if kind in case.latest:
            return stages
    return (_FILED, _DECIDED, *(_APPEAL if "appealed" in case.latest else ()), *_END)


def _stages(case: Case) -> tuple[Stage, ...]:
    """What has happened and what comes next; what only the clerk did is left out."""
    stages: list[Stage] = []
    waiting = False
    for kind, title, text in _course(case):
        event = case.latest.get(kind)
        status = "done" if event else "" if waiting else "now"
        waiting = waiting or event is None
        stages.append(
            Stage(title=title, text=text, status=status, at=event.at if event else None)
        )
    return tuple(stages)
