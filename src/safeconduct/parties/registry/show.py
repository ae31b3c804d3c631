"""What the register's pages show, as values: all that a template needs, worked out beforehand.

A published decision is computed again from its own bytes before it is shown; a case is folded
from its events, and its one page tells the claimant what comes next and until when.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from safeconduct.errors import RefusedError, SafeconductError
from safeconduct.parties.registry.book import Book, Entry
from safeconduct.parties.registry.decide import LETTERS_FOLDER
from safeconduct.parties.registry.letter import Block, blocks
from safeconduct.parties.registry.receive import Registry
from safeconduct.plumbing import web
from safeconduct.plumbing.durable import read_file
from safeconduct.plumbing.pages import utc
from safeconduct.protocol.canonical import Json, parse_json
from safeconduct.protocol.case import Case
from safeconduct.protocol.claim import parse_bundle
from safeconduct.protocol.decision import Rechecked, recheck
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.statute.evaluate import declared_name, evaluate
from safeconduct.protocol.statute.explain import appeal_last_at
from safeconduct.protocol.statute.facts import read_facts
from safeconduct.protocol.statute.proof import Node
from safeconduct.protocol.statute.text import (
    Condition,
    Instant,
    Passage,
    Provision,
    Statute,
    Words,
    all_conditions,
)

LETTER_BYTES_MAX = 1 << 20
STEPS_SHOWN_MAX = 1_000  # of one proof on one page
LANGUAGE = "en"

MARKS = {True: "met", False: "failed", None: "unknown"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a proof in words; `mark` is met, failed or unknown."""

    mark: str
    text: str
    section: str = ""
    unless: bool = False  # an exception to the section it stands in
    remark: str = ""
    children: tuple["Step", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """A published decision; without `checked`, `fault` says what did not come out alike."""

    entry: Entry
    checked: Rechecked | None
    fault: str
    outcome: str
    steps: tuple[Step, ...]
    facts: tuple[tuple[str, str], ...]
    judgements: tuple[tuple[str, str], ...]
    shortfalls: tuple[str, ...]
    evidence: Mapping[str, str]  # the bundle's texts; empty if it stays sealed
    commitment: str


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
    state: str
    subject: str
    name: str
    limb: str
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


# A published decision.


def read_ruling(registry: Registry, book: Book, sha256: bytes) -> Ruling:
    """The published decision with this hash, computed again.

    Raises:
        RefusedError: none was published (HTTP 404).
    """
    found = [one for one in book.entries if one.record.hash("object") == sha256]
    if not found or found[-1].type != "decision":
        raise web.missing("no decision with this hash was published")
    entry = found[-1]
    state, policy = book.view.state, registry.programme.policy
    checked, fault = None, ""
    steps: tuple[Step, ...] = ()
    try:
        checked = recheck(entry.data, entry.record, state, policy)
        steps = draw_proof(entry)
    except SafeconductError as error:
        fault = error.message
    evidence = _table(entry.value["evidence"])
    return Ruling(
        entry=entry,
        checked=checked,
        fault=fault,
        outcome=_outcome(entry),
        steps=steps,
        facts=tuple(_facts(entry)),
        judgements=tuple(
            (_label(entry.law.statute, name), _value(value))
            for name, value in _table(entry.value["judgements"]).items()
        ),
        shortfalls=tuple(str(each) for each in _list(entry.value["shortfalls"])),
        evidence={name: str(text) for name, text in _table(evidence.get("bundle", {})).items()},
        commitment=str(evidence.get("commitment", "")),
    )


def _outcome(entry: Entry) -> str:
    try:
        return words(entry.law.statute.outcome(entry.record.word("standing")).text)
    except KeyError:  # a departure may have been published under a name the law lacks
        return ""


def _facts(entry: Entry) -> list[tuple[str, str]]:
    statute, document = entry.law.statute, _table(entry.value["facts"])
    rows = [
        (_label(statute, name), _value(value))
        for name, value in _table(document["facts"]).items()
    ]
    for name, items in _table(document["lists"]).items():
        for number, item in enumerate(_list(items), start=1):
            rows += [
                (
                    f"{_label(statute, f'{name}.{field}')} ({name} {number})",
                    _value(value),
                )
                for field, value in _table(item).items()
            ]
    return rows


def _label(statute: Statute, name: str) -> str:
    declared = statute.facts.get(name)
    return words(declared.label) if declared else name.replace("_", " ")


def _value(value: Json) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        earliest, latest = value
        begin = f"not before {utc(earliest)}, " if isinstance(earliest, int) else ""
        return f"{begin}by {utc(latest) if isinstance(latest, int) else latest}"
    return str(value).replace("_", " ")


def _table(value: Json) -> Mapping[str, Json]:
    assert isinstance(value, dict)  # the form was checked when the object was made
    return value


def _list(value: Json) -> list[Json]:
    assert isinstance(value, list)
    return value


# The proof as nested steps.


def draw_proof(entry: Entry) -> tuple[Step, ...]:
    """The proof behind a decision, evaluated anew from the facts it was published with.

    Raises:
        MalformedError, RefusedError: the facts are not those of the law.
    """
    statute = entry.law.statute
    document = _table(entry.value["judgement"])
    as_of = document["as_of"]
    assert isinstance(as_of, int)
    judgement = evaluate(statute, read_facts(entry.value["facts"], statute.facts), as_of)
    drawing = _Drawing(statute)
    return tuple(drawing.step(root) for root in judgement.roots)


class _Drawing:
    """One proof being drawn: each section once, and no more steps than a page can hold."""

    def __init__(self, statute: Statute) -> None:
        self._statute = statute
        self._drawn: set[int] = set()
        self._conditions = {
            each.place: each for rule in statute.rules.values() for each in all_conditions(rule)
        }

    def step(self, node: Node, *, unless: bool = False) -> Step:
        if node.operator == "rule":
            return self.step(node.children[0])
        mark = MARKS[node.value]
        again = node.section and id(node) in self._drawn
        self._drawn.add(id(node))
        if again or len(self._drawn) > STEPS_SHOWN_MAX:
            return Step(mark=mark, text="see above", section=node.section, unless=unless)
        if node.operator == "section":
            text = words(self._statute.section_text(node.section))
            condition, *exceptions = node.children
            children = (
                self.step(condition),
                *(self.step(each, unless=True) for each in exceptions),
            )
            return Step(
                mark=mark, text=text, section=node.section, unless=unless, children=children
            )
        if node.facts:
            text = self._test(self._conditions[node.place])
            return Step(mark=mark, text=text, remark=_STATES.get(node.state, ""))
        text = _JOINS[node.operator].format(list=node.name, bound=node.bound)
        children = tuple(self.step(child) for child in node.children)
        remark = "" if children else "none was shown"
        return Step(mark=mark, text=text, remark=remark, children=children)

    def _test(self, condition: Condition) -> str:
        declared = self._statute.facts[declared_name(condition.fact)]
        values = " or ".join(_value(value) for value in condition.values)
        told = _TESTS[condition.operator].format(
            values=values, bound=condition.bound, limit=self._limit(condition.name)
        )
        return f"{words(declared.label)}: {told}"

    def _limit(self, name: str) -> str:
        parameter = self._statute.parameters.get(name)
        if isinstance(parameter, Instant):
            return parameter.written
        declared = self._statute.facts.get(name)
        return words(declared.label) if declared else name


_JOINS = {
    "and": "all of these:",
    "or": "at least one of these:",
    "not": "the opposite of this:",
    "some": "at least one of the {list}:",
    "at-least": "at least {bound} of the {list}:",
    "less": "fewer than {bound} of the {list}:",
}
_TESTS = {
    "is": "{values}",
    "in": "{values}",
    "before": "before {limit}",
    "at-least": "at least {bound}",
    "less": "less than {bound}",
    "absent": "known not to exist",
    "known": "found out",
}
_STATES = {
    "unknown": "still open",
    "absent": "known not to exist",
    "unproven": "never shown",
    "in_favour": "never found, so the law decides for the person",
}


# A case, for the claimant alone.


def find_case(registry: Registry, claim: bytes) -> Case:
    """The case of a claim.

    Raises:
        RefusedError: there is none (HTTP 404).
    """
    try:
        return registry.store.case(claim)
    except RefusedError as error:
        raise web.missing(
            "there is no case at this address", hint="check it to the last letter"
        ) from error


def read_letter(registry: Registry, claim: bytes, suffix: str = ".txt") -> bytes | None:
    """The letter as it was served, or None as long as there is none."""
    case = find_case(registry, claim)
    path = registry.folder / LETTERS_FOLDER / f"{claim.hex()}{suffix}"
    if "decided" not in case.latest or not path.is_file():
        return None
    return read_file(path, bytes_max=LETTER_BYTES_MAX)


def read_case(registry: Registry, book: Book, claim: bytes) -> CaseView:
    """All that the claimant may know of their case.

    Raises:
        RefusedError: there is none (HTTP 404).
    """
    case = find_case(registry, claim)
    bundle = parse_bundle(case.latest["filed"].data)
    letter = read_letter(registry, claim)
    until = _appeal_until(registry, book, case)
    number = next(one.number for one in registry.store.cases() if one.claim == claim)
    return CaseView(
        number=number,
        claim=claim,
        state=case.state,
        subject=bundle.record.word("subject"),
        name=bundle.fields["name"],
        limb=bundle.limb,
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
    decided = _table(parse_json(case.latest["decided"].data, "event"))
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
