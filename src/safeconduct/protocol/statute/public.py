"""What everybody may see of a judgement: the public form, and the receipt.

The public form keeps the proof's shape and puts a salted commitment in place of each step that
reads a confidential fact. What counts is what the *law* lets a step read, not what it happened
to read: a time that hangs on a confidential condition is sealed whichever way it went. A step
over a list with a confidential field is sealed as a whole, with everything below it, so that
neither the number of items nor the range of a number shows; so is an outcome found item by
item. Truth values and sections show: they are what the outcome rests on.

    {"commitment": "9c01…", "place": "sections[3].if.some", "value": "true"}

The receipt pins what a judgement was computed from and what it came to, without telling facts:

    {"as_of": 1780000000, "calendar": "", "competing": null, "evaluator": "1",
     "facts": "51c0…", "governs": {"day": "claim", "favourable": true}, "outcome": "acquitted",
     "statute": "77e1…", "tree": "02be…"}

Whoever gets the facts and the salt computes both again, and compares bytes.

Spec: docs/3-protocol.md, chapter on statutes.
"""

import hashlib
from collections.abc import Iterator

from safeconduct.protocol.canonical import Json, derive_key, format_json, tagged_hash, u32
from safeconduct.protocol.statute.calendar import Calendar
from safeconduct.protocol.statute.evaluate import (
    EVALUATOR,
    Judgement,
    amount_document,
    declared_name,
    format_judgement,
)
from safeconduct.protocol.statute.proof import TRUTH_WORDS, Node, flatten, node_document
from safeconduct.protocol.statute.text import Condition, Statute
from safeconduct.protocol.statute.walk import all_seen, names_behind, terms_of

SALT_BYTES = 32


def public_form(statute: Statute, judgement: Judgement, salt: bytes) -> Json:
    """The judgement for everybody: steps that read confidential facts become commitments.

    `salt` is 32 secret bytes, new for each judgement. The commitment of node n opens with
    K(salt, "fact-salt", u32(n)) and the nodes below it, numbered from 0; `judgement` opens
    with K(salt, "judgement-salt") and the bytes of the full judgement.
    """
    _check_salt(salt)
    sealing = _Sealing(statute)
    nodes, _ = flatten(judgement.roots)
    shown = _shown(sealing, judgement.roots)
    public = [node for node in nodes if id(node) in shown]
    renumbered = {id(node): index for index, node in enumerate(public)}
    document: dict[str, Json] = {
        "as_of": judgement.as_of,
        "evaluator": EVALUATOR,
        "judgement": _committed("judgement", salt, format_judgement(judgement)),
        "nodes": [
            _sealed(node, salt, index)
            if sealing.hides(node)
            else node_document(node, renumbered)
            for index, node in enumerate(public)
        ],
        "outcome": judgement.outcome,
        "roots": [renumbered[id(root)] for root in judgement.roots],
        "sections": list(judgement.sections),
        "statute": judgement.statute.hex(),
    }
    return document | _where_there_is_more(sealing, judgement)


def _where_there_is_more(sealing: "_Sealing", judgement: Judgement) -> dict[str, Json]:
    """What follows for the whole case; for single items only where their list is public."""
    document: dict[str, Json] = {}
    if judgement.amount is not None:
        document["amount"] = amount_document(judgement.amount)
    if judgement.standing:
        document["standing"] = judgement.standing
    open_items = [
        each for each in judgement.items if not sealing.hides_list(_list_of(each.item))
    ]
    if open_items:
        document["items"] = [
            {"item": each.item, "outcome": each.outcome, "sections": list(each.sections)}
            for each in open_items
        ]
    return document


def receipt_form(
    statute: Statute,
    judgement: Judgement,
    salt: bytes,
    *,
    day: str = "",
    competing: Judgement | None = None,
) -> Json:
    """What a judgement was computed from and came to, as commitments that the facts open.

    `day` says which day the governing version was chosen by (act, claim or decision), where
    the law does not; `competing` is the result under the other version. `tree` is the
    commitment that the public form made with the same salt calls `judgement`.
    """
    _check_salt(salt)
    governs = statute.governs
    return {
        "as_of": judgement.as_of,
        "calendar": _calendar_hash(statute.calendar),
        "competing": None
        if competing is None
        else {
            "outcome": competing.outcome,
            "statute": competing.statute.hex(),
            "tree": _committed("competing", salt, format_judgement(competing)),
        },
        "evaluator": EVALUATOR,
        "facts": _committed("facts", salt, judgement.facts),
        "governs": {
            "day": day or (governs.day if governs is not None else "decision"),
            "favourable": governs is not None and governs.favourable,
        },
        "outcome": judgement.outcome,
        "statute": judgement.statute.hex(),
        "tree": _committed("judgement", salt, format_judgement(judgement)),
    }


def _check_salt(salt: bytes) -> None:
    if len(salt) != SALT_BYTES:
        raise ValueError(f"the salt needs {SALT_BYTES} bytes")


def _committed(what: str, salt: bytes, data: bytes) -> str:
    key = derive_key(salt, f"{what}-salt")
    return tagged_hash(f"{what}-commitment", key, data).hex()


def _calendar_hash(calendar: Calendar | None) -> str:
    """SHA-256 over the calendar as canonical JSON; empty where the law has none."""
    if calendar is None:
        return ""
    document: Json = {
        "holidays": {str(year): list(days) for year, days in calendar.holidays.items()},
        "offsets": [list(each) for each in calendar.offsets],
        "weekend": list(calendar.weekend),
        "zone": calendar.zone,
    }
    return hashlib.sha256(format_json(document)).hexdigest()


# What is hidden.


class _Sealing:
    """What a law keeps confidential: its facts, their lists, and the places that read them."""

    def __init__(self, statute: Statute) -> None:
        self._facts = frozenset(n for n, each in statute.facts.items() if each.confidential)
        self._lists = frozenset(n.partition(".")[0] for n in self._facts if "." in n)
        self._names = self._facts | self._lists
        self._each = {f"outcomes[{n}].when": o.each for n, o in enumerate(statute.outcomes)}
        self._places = frozenset(
            condition.place
            for condition, _ in all_seen(statute)
            if not self._names.isdisjoint(_reads(condition, statute))
        )

    def hides(self, node: Node) -> bool:
        """Whether a step reads what is confidential, or would show how many items there are."""
        if node.place in self._places:
            return True
        if node.operator == "each":
            return self.hides_list(self._each.get(node.place, node.name))
        return any(declared_name(fact) in self._facts for fact in node.facts)

    def hides_list(self, name: str) -> bool:
        """Whether how many items the list has is confidential."""
        return name in self._lists


def _list_of(item: str) -> str:
    return item.partition("[")[0]


def _reads(condition: Condition, statute: Statute) -> Iterator[str]:
    """The facts and lists that a step may read, whichever way it goes.

    Conditions made of others leave it to those, except where it is a list or a time that
    hangs on them: then what they read, or the rules they refer to, bears on what this shows.
    """
    yield condition.fact
    yield condition.name if condition.operator != "rule" else ""
    if condition.quantity is not None:
        yield from (condition.quantity.name, condition.quantity.field)
    for term in terms_of(condition):
        yield term.name
        yield from names_behind(term.tests, statute)


def _shown(sealing: _Sealing, roots: tuple[Node, ...]) -> set[int]:
    shown: set[int] = set()
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        if id(node) not in shown:
            shown.add(id(node))
            waiting.extend(() if sealing.hides(node) else node.children)
    return shown


def _sealed(node: Node, salt: bytes, index: int) -> Json:
    key = derive_key(salt, "fact-salt", u32(index))
    nodes, own_numbers = flatten((node,))
    opened = format_json([node_document(each, own_numbers) for each in nodes])
    return {
        "commitment": tagged_hash("fact-commitment", key, opened).hex(),
        "place": node.place,
        "value": TRUTH_WORDS[node.value],
    }
