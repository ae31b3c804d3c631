"""What the register's pages show, as values: all that a template needs, worked out beforehand.

A case is folded from its events; its one page tells the claimant what comes next, until when.
"""

from dataclasses import dataclass

from safeconduct.errors import RefusedError
from safeconduct.parties.registry.book import Book
from safeconduct.parties.registry.decide import LETTERS_FOLDER, decided_record
from safeconduct.parties.registry.letter import Block, blocks, ground
from safeconduct.parties.registry.receive import Registry
from safeconduct.plumbing import web
from safeconduct.plumbing.durable import read_file
from safeconduct.protocol.canonical import parse_json
from safeconduct.protocol.case import Case
from safeconduct.protocol.claim import parse_bundle
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.statute.explain import appeal_last_at
from safeconduct.protocol.statute.text import (
    Instant,
    Passage,
    Provision,
    Statute,
    Words,
)

LETTER_BYTES_MAX = 1 << 20
LANGUAGE = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of a case; `status` is done, now, or empty for what lies ahead."""

    title: str
    text: str
    status: str
    at: int | None = None


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
    letter: tuple[Block, ...]
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


def read_letter(registry: Registry, page: bytes, suffix: str = ".txt") -> bytes | None:
    """The letter as it was served, or None as long as there is none."""
    claim = find_claim(registry, page)
    case = registry.store.case(claim)
    path = registry.folder / LETTERS_FOLDER / f"{claim.hex()}{suffix}"
    if "decided" not in case.latest or not path.is_file():
        return None
    return read_file(path, bytes_max=LETTER_BYTES_MAX)


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
    letter = read_letter(registry, page)
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
        letter=blocks(letter.decode("utf-8")) if letter else (),
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


_STAGES = (
    ("filed", "Filed", "Your claim and its evidence are held, and the public log dates them."),
    ("decided", "Decided", "The board applies the law, signs, and serves a letter."),
    ("final", "Final", "The time for an appeal is over."),
    ("published", "Published", "The register shows the outcome."),
)
_SUSPENDED = (
    *_STAGES[:2],
    ("appealed", "Appealed", "All effects are suspended. Nothing is made public meanwhile."),
)


def _stages(case: Case) -> tuple[Stage, ...]:
    """What has happened and what comes next; what only the clerk did is left out."""
    names = _SUSPENDED if "appealed" in case.latest else _STAGES
    stages: list[Stage] = []
    waiting = False
    for kind, title, text in names:
        event = case.latest.get(kind)
        status = "done" if event else "" if waiting else "now"
        waiting = waiting or event is None
        stages.append(
            Stage(title=title, text=text, status=status, at=event.at if event else None)
        )
    return tuple(stages)
