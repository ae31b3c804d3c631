"""A published decision as a page shows it: computed again from its bytes, its proof in words.

Spec: docs/3-protocol.md §15.4.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from safeconduct.errors import SafeconductError
from safeconduct.parties.registry.book import Book, Entry
from safeconduct.parties.registry.receive import Registry
from safeconduct.parties.registry.show import words
from safeconduct.plumbing import web
from safeconduct.plumbing.pages import utc
from safeconduct.protocol.canonical import Json, parse_decimal
from safeconduct.protocol.decision import Rechecked, recheck
from safeconduct.protocol.evidence.capture import check_capture
from safeconduct.protocol.record import Record, parse_signed
from safeconduct.protocol.statute.evaluate import declared_name, evaluate
from safeconduct.protocol.statute.facts import read_facts
from safeconduct.protocol.statute.proof import Node
from safeconduct.protocol.statute.text import Condition, Instant, Statute, all_conditions

STEPS_SHOWN_MAX = 1_000  # of one proof on one page
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
class Quote:
    """The public statement that a claim relies on, and where it was captured."""

    speaker: str
    said: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """A published decision; without `checked`, `fault` says what did not come out alike."""

    entry: Entry
    record: Record  # the decision's, as the board signed it
    departure: str  # why the board departed from what the statute yields; empty if it did not
    checked: Rechecked | None
    fault: str
    outcome: str
    steps: tuple[Step, ...]
    facts: tuple[tuple[str, str, bool], ...]  # label, value, whether the board judged it
    shortfalls: tuple[str, ...]
    evidence: Mapping[str, str]  # the bundle's texts; empty if it stays sealed
    commitment: str
    quote: Quote | None
    credit: str  # class and period, where a credit was shown; empty elsewhere


def read_ruling(registry: Registry, book: Book, sha256: bytes) -> Ruling:
    """The published decision with this hash, computed again.

    Raises:
        RefusedError: none was published (HTTP 404).
    """
    entry = find_decision(book, sha256)
    state, policy = book.view.state, registry.programme.policy
    checked, fault = None, ""
    steps: tuple[Step, ...] = ()
    try:
        checked = recheck(entry.data, entry.record, state, policy)
        steps = draw_proof(entry)
    except SafeconductError as error:
        fault = error.message
    evidence = _table(entry.value["evidence"])
    record = parse_signed(str(entry.value["decision"]).encode("utf-8"), "decision").record
    return Ruling(
        entry=entry,
        record=record,
        departure=str(entry.value["departure"]),
        checked=checked,
        fault=fault,
        outcome=_outcome(entry),
        steps=steps,
        facts=tuple(_facts(entry)),
        shortfalls=tuple(str(each) for each in _list(entry.value["shortfalls"])),
        evidence={name: str(text) for name, text in _table(evidence.get("bundle", {})).items()},
        commitment=str(evidence.get("commitment", "")),
        quote=_quote(_table(evidence.get("bundle", {}))),
        credit=_credit(checked),
    )


def find_decision(book: Book, sha256: bytes) -> Entry:
    """The publication of the decision with this hash.

    Raises:
        RefusedError: none was published (HTTP 404).
    """
    found = [one for one in book.entries if one.record.hash("object") == sha256]
    if not found or found[-1].type != "decision":
        raise web.missing("no decision with this hash was published")
    return found[-1]


def _credit(checked: Rechecked | None) -> str:
    if checked is None or checked.credit is None:
        return ""
    group, end = checked.credit.group, checked.credit.period_end
    return f"class {group.word}, period {group.period}, for help logged before {utc(end)}"


def _outcome(entry: Entry) -> str:
    try:
        return words(entry.law.statute.outcome(entry.record.word("standing")).text)
    except KeyError:  # a departure may have been published under a name the law lacks
        return ""


def _facts(entry: Entry) -> list[tuple[str, str, bool]]:
    statute, judged = entry.law.statute, _table(entry.value["judgements"])
    document = _table(entry.value["facts"])
    rows = [
        (_label(statute, name), _value(value), name in judged)
        for name, value in _table(document["facts"]).items()
    ]
    for name, items in _table(document["lists"]).items():
        for number, item in enumerate(_list(items), start=1):
            which = f", {name} {number}" if len(_list(items)) > 1 else ""
            rows += [
                (f"{_label(statute, f'{name}.{field}')}{which}", _value(value), field in judged)
                for field, value in _table(item).items()
            ]
    rows += [
        (_label(statute, name), _value(value), True)
        for name, value in judged.items()
        if name not in _table(document["facts"]) and f"statements.{name}" not in statute.facts
    ]
    return rows


def _quote(bundle: Mapping[str, Json]) -> Quote | None:
    """What was said, if the evidence is a public statement that can be shown."""
    try:
        capture = check_capture(str(bundle.get("capture", "")).encode("utf-8"))
        number = parse_decimal(str(bundle.get("statement", "")), "statement")
    except SafeconductError:
        return None
    if number >= len(capture.statements):
        return None
    statement = capture.statements[number]
    return Quote(speaker=statement.speaker, said=statement.said, address=capture.address)


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


def _by_id(facts: Mapping[str, Json]) -> dict[str, str]:
    """The facts' values in words, by the ids that a proof calls them."""
    found = {name: _value(value) for name, value in _table(facts["facts"]).items()}
    for name, items in _table(facts["lists"]).items():
        for place, item in enumerate(_list(items)):
            fields = _table(item).items()
            found |= {f"{name}[{place}].{field}": _value(value) for field, value in fields}
    return found


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
    drawing = _Drawing(statute, _table(entry.value["facts"]))
    return tuple(drawing.step(root) for root in judgement.roots)


class _Drawing:
    """One proof being drawn: each section once, and no more steps than a page can hold."""

    def __init__(self, statute: Statute, facts: Mapping[str, Json]) -> None:
        self._statute = statute
        self._found = _by_id(facts)
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
            text = "see above" if again else "more than this page can hold"
            return Step(mark=mark, text=text, section=node.section, unless=unless)
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
            found = " and ".join(self._found.get(fact, "nothing") for fact in node.facts)
            remark = _STATES.get(node.state, f"found: {found}")
            return Step(mark=mark, text=text, remark=remark)
        return self._joined(node)

    def _joined(self, node: Node) -> Step:
        mark = MARKS[node.value]
        text = _JOINS[node.operator].format(list=node.name, bound=node.bound)
        children = tuple(self.step(child) for child in node.children)
        if len(children) == 1 and children[0].children and not children[0].section:
            text, children = f"{text} {children[0].text}", children[0].children
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
