"""A docket in words: claim, evidence, facts, what people judged, the law's proof, the letter.

All that is shown was computed from evidence that this console has checked itself. Texts that
came from others stand here as they are; the pages escape them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from safeconduct.errors import MalformedError, SafeconductError
from safeconduct.parties.board.console import File
from safeconduct.parties.board.console_voting import Draft
from safeconduct.plumbing.pages import utc
from safeconduct.protocol.canonical import Json, parse_decimal
from safeconduct.protocol.claim import Bundle
from safeconduct.protocol.decision import settle_result, told
from safeconduct.protocol.decision.governing import spoken_of
from safeconduct.protocol.docket import Docket
from safeconduct.protocol.evidence.capture import check_capture
from safeconduct.protocol.reasons import ground
from safeconduct.protocol.statute.facts import read_facts
from safeconduct.protocol.statute.picture import picture
from safeconduct.protocol.statute.proof import Node
from safeconduct.protocol.statute.steps import owed_steps
from safeconduct.protocol.statute.text import Statute, Words
from safeconduct.protocol.statute.wording.voice import voice
from safeconduct.protocol.tlog.policy import Policy, verify_proof

STEPS_SHOWN_MAX = 1_000  # of one proof on one page
EVIDENCE_CHARACTERS_MAX = 8_000  # of one text on the page
_MARKS = {True: "met:", False: "not met:", None: "open:"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FactView:
    """A fact as found: what it is called, and who may assert it."""

    name: str
    label: str
    value: str
    asserted_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One step of the proof in words."""

    mark: str
    text: str
    children: tuple["StepView", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileView:
    """All of a file that a page shows."""

    claimant: str
    ground: str
    disclosure: str
    claimed_at: int
    law: str
    statute: str
    sections: str
    appeal: tuple[tuple[str, str], ...]
    competing: str
    has_picture: bool
    proof: tuple[StepView, ...]
    facts: tuple[FactView, ...]
    judgements: tuple[FactView, ...]
    shortfalls: tuple[str, ...]
    quotes: tuple[str, ...]
    evidence: tuple[tuple[str, str], ...]


def view_of(file: File, policy: Policy, ledger: str) -> FileView:
    """The file in words, for a member who may see it; `ledger` is the Ledger's origin."""
    docket, proposal = file.docket, file.docket.proposal
    statute, bundle = proposal.statute, docket.bundle
    return FileView(
        claimant=bundle.fields["name"],
        ground="; ".join(ground(one) for one in docket.bundles),
        disclosure=bundle.record.word("disclosure"),
        claimed_at=verify_proof(docket.claim_proofs[0], docket.claim, policy, ledger).logged_by,
        law=f"{words(statute.title)}, version {statute.version.number}",
        statute=statute.sha256.hex(),
        sections=", ".join(proposal.judgement.sections) or "no section: the default",
        appeal=tuple(_appeal(docket)),
        competing=_competing(docket),
        has_picture=True,
        proof=_Proof(statute).steps(proposal.judgement.roots),
        facts=tuple(_facts(statute, proposal.facts, docket.judgements)),
        judgements=tuple(_judgements(statute, docket.judgements)),
        shortfalls=proposal.shortfalls,
        quotes=tuple(quote for one in docket.bundles for quote in _quotes(one)),
        evidence=tuple(_evidence(docket.bundles)),
    )


def picture_of(file: File) -> str:
    """The law's proof as SVG."""
    proposal = file.docket.proposal
    return picture(proposal.statute, proposal.judgement)


def letter_of(file: File, draft: Draft | None) -> str:
    """The letter's reasons as the draft settles them; without one, as if all agreed."""
    docket = file.docket
    if draft is None:
        return docket.reasons.decode("utf-8")
    result, outcome = settle_result(docket.proposal.statute, draft.outcome, docket.first)
    reasons = told(
        docket.proposal,
        docket.bundles,
        docket.number,
        outcome=outcome,
        departure=draft.departure,
        result=result,
    )
    return reasons.decode("utf-8")


def words(text: Words) -> str:
    """English, or the first language that the law has."""
    return text.get("en") or next(iter(text.values()))


def due_at(file: File, at: int) -> int | None:
    """The nearest last second by which the law wants something done that is not done at `at`.

    None if the law sets none, or if it cannot be worked out yet.
    """
    statute = file.docket.proposal.statute
    try:
        document = spoken_of(file.docket.proposal.facts, [statute])
        facts = read_facts(document, statute.facts, calendar=statute.calendar)
        steps = owed_steps(statute, facts, at)
    except MalformedError:
        return None
    owed = [step.due_at for step in steps if step.state in _OWED and step.due_at is not None]
    return min(owed, default=None)


_OWED = frozenset({"open", "breached"})


def _appeal(docket: Docket) -> Iterator[tuple[str, str]]:
    hearing = docket.hearing
    if hearing is None:
        return
    yield "Ground", hearing.ground
    yield "Appeal dated", utc(hearing.logged.logged_by)
    yield "Decided first", hearing.first.outcome
    yield "Signed by", ", ".join(hearing.first.signers)
    yield "First decision", hearing.first.record_hash.hex()
    if hearing.first.departure:
        yield "It departed because", hearing.first.departure


def _competing(docket: Docket) -> str:
    if docket.proposal.competing is None:
        return ""
    statute, judgement = docket.proposal.competing
    return f"{judgement.outcome}, under version {statute.version.number}"


# Facts.


def _facts(statute: Statute, facts: Json, judged: Mapping[str, bool]) -> Iterator[FactView]:
    document = _table(facts)
    for name, value in _table(document["facts"]).items():
        yield _fact(statute, name, name, value, judged)
    for listed, items in _table(document["lists"]).items():
        assert isinstance(items, list)
        for place, item in enumerate(items):
            for field, value in _table(item).items():
                name = f"{listed}[{place}].{field}"
                yield _fact(statute, name, f"{listed}.{field}", value, judged)


def _fact(
    statute: Statute, name: str, declared: str, value: Json, judged: Mapping[str, bool]
) -> FactView:
    known = statute.facts.get(declared)
    field = declared.rpartition(".")[2]
    asserted = known.asserted_by if known else ""
    return FactView(
        name=name,
        label=words(known.label) if known else field.replace("_", " "),
        value=_value(value),
        asserted_by=f"{asserted}: judged by people" if field in judged else asserted,
    )


def _judgements(statute: Statute, judged: Mapping[str, bool]) -> Iterator[FactView]:
    """What was put to people, in the law's own question where it has one.

    What was judged of the second claim's statement has the name `denounces.1`.
    """
    asked = {name.rpartition(".")[2]: fact for name, fact in statute.facts.items()}
    for name, value in sorted(judged.items()):
        plain, _, place = name.partition(".")
        fact = asked.get(plain)
        label = _ASKED.get(plain, plain.replace("_", " "))
        if fact is not None:
            label = words(fact.question) if fact.question else words(fact.label)
        which = f" (claim {int(place) + 1})" if place.isdecimal() else ""
        yield FactView(name=name, label=label + which, value=_value(value))


_ASKED = {  # what every claim asks of people, whatever the law
    "claimant_is_subject": "Is the claimant the person with this register number?",
    "speaker_is_claimant": "Was the statement made by the claimant?",
    "denounces": "Does the statement denounce?",
    "withdrawn": "Was the statement withdrawn?",
}


def _value(value: Json) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and len(value) == 2:
        return _interval(*value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {_value(part)}" for name, part in value.items())
    return str(value).replace("_", " ")


def _interval(earliest: Json, latest: Json) -> str:
    begin = f"not before {utc(earliest)}, " if isinstance(earliest, int) else ""
    return f"{begin}by {utc(latest) if isinstance(latest, int) else latest}"


def _table(value: Json) -> Mapping[str, Json]:
    assert isinstance(value, dict)  # the docket's check has read it as such
    return value


# Evidence.


def _quotes(bundle: Bundle) -> Iterator[str]:
    """The public statement that a claim relies on."""
    if bundle.limb != "denounced":
        return
    try:
        capture = check_capture(bundle.fields["capture"].encode("utf-8"))
        number = parse_decimal(bundle.fields["statement"], "statement")
    except SafeconductError:
        return
    if number < len(capture.statements):
        statement = capture.statements[number]
        yield f"{statement.speaker}: {statement.said}"


def _evidence(bundles: Iterable[Bundle]) -> Iterator[tuple[str, str]]:
    """Each text of the bundles, cut where it is too long for a page."""
    for number, bundle in enumerate(bundles, start=1):
        which = "" if number == 1 else f", claim {number}"
        for name, text in sorted(bundle.fields.items()):
            if text and name not in _NOT_SHOWN:
                yield f"{name.replace('_', ' ')}{which}", _cut(text)


_NOT_SHOWN = frozenset({"name", "name_salt"})


def _cut(text: str) -> str:
    if len(text) <= EVIDENCE_CHARACTERS_MAX:
        return text
    return f"{text[:EVIDENCE_CHARACTERS_MAX]}\n… and {len(text) - EVIDENCE_CHARACTERS_MAX} more"


# The proof.


class _Proof:
    """One proof being put in words; a section is told once, and no more than a page holds."""

    def __init__(self, statute: Statute) -> None:
        self._say = voice(statute, "en")
        self._told: set[int] = set()

    def steps(self, nodes: Iterable[Node]) -> tuple[StepView, ...]:
        return tuple(self._step(node) for node in nodes)

    def _step(self, node: Node) -> StepView:
        if node.operator == "rule" and node.children:
            return self._step(node.children[0])
        again = bool(node.children) and id(node) in self._told
        full = len(self._told) >= STEPS_SHOWN_MAX
        self._told.add(id(node))
        children = () if again or full else self.steps(node.children)
        text = self._text(node) + (" (see above)" if again else " (…)" if full else "")
        return StepView(mark=_MARKS[node.value], text=text, children=children)

    def _text(self, node: Node) -> str:
        if node.section:
            text = self._say.words(self._say.statute.section_text(node.section))
            return f"section {node.section}: {text}"
        if node.operator in _JOINS:
            return _JOINS[node.operator].format(list=node.name)
        condition = self._say.conditions.get(node.place)
        if condition is None:
            return node.name or node.operator
        return self._say.test(condition, True)


_JOINS = {
    "and": "all of these",
    "or": "at least one of these",
    "not": "the opposite of this",
    "some": "at least one of the {list}",
    "all": "all of the {list}",
    "outcome": "{list}",
    "each": "{list}, one by one",
}
