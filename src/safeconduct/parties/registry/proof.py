"""The proof behind a decision as nested steps in words, and as a picture.

    § 3 applies: …                     a section that was tried
      all of these                     what its condition is made of
        met: grade of the tip: useful  a test of a fact
      unless § 5(1) does not apply: …  an exception

Of a sealed decision, a step that the law lets read a confidential fact says whether it holds,
and nothing else: not what was read, not how many there were. Then no picture is drawn either.

Spec: docs/3-protocol.md §15.4.
"""

from dataclasses import dataclass

from safeconduct.parties.registry.tongue import speaks
from safeconduct.plumbing.languages import DEFAULT, marked
from safeconduct.protocol.statute.evaluate import Judgement
from safeconduct.protocol.statute.picture import picture
from safeconduct.protocol.statute.proof import Node, with_items
from safeconduct.protocol.statute.public import SALT_BYTES, public_form
from safeconduct.protocol.statute.text import Statute, Words
from safeconduct.protocol.statute.wording.voice import Voice, voice

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
class Drawing:
    """A proof for everybody; `image` is SVG, or empty where something is kept back."""

    steps: tuple[Step, ...]
    image: str
    is_sealed: bool  # whether a step keeps back what it read


def draw(
    statute: Statute, judgement: Judgement, *, is_open: bool, language: str = DEFAULT
) -> Drawing:
    """The proof as it may be shown: whole if the evidence `is_open`, else without secrets."""
    sealed = frozenset() if is_open else sealed_places(statute, judgement)
    pen = _Pen(voice(statute, language), judgement, sealed)
    return Drawing(
        steps=tuple(pen.roots()),
        image="" if sealed else picture(statute, judgement, language),
        is_sealed=bool(sealed),
    )


def sealed_places(statute: Statute, judgement: Judgement) -> frozenset[str]:
    """Where in the law the steps stand that the public form of this judgement keeps back."""
    form = public_form(statute, judgement, bytes(SALT_BYTES))  # its commitments go nowhere
    assert isinstance(form, dict)
    nodes = form["nodes"]
    assert isinstance(nodes, list)
    return frozenset(
        str(node["place"]) for node in nodes if isinstance(node, dict) and "commitment" in node
    )


class _Pen:
    """One proof being drawn: each section once, and no more steps than a page can hold."""

    def __init__(self, say: Voice, judgement: Judgement, sealed: frozenset[str]) -> None:
        self._say, self._speak = say, speaks(say.language)
        self._judgement = judgement
        self._sealed = sealed
        self._drawn: set[int] = set()
        self._count = 0

    def roots(self) -> list[Step]:
        """A step for each outcome that was tried."""
        outcomes = self._say.statute.outcomes
        pairs = zip(outcomes, self._judgement.roots, strict=False)
        return [self._root(root, outcome.text) for outcome, root in pairs]

    def _root(self, root: Node, text: Words) -> Step:
        if root.operator not in ("outcome", "each"):
            return self._step(root)
        told = self._say.words(text)
        if root.place in self._sealed:
            return Step(mark=MARKS[root.value], text=told, remark=self._speak(_SEALED))
        return Step(mark=MARKS[root.value], text=told, children=self._below(root))

    def _below(self, node: Node) -> tuple[Step, ...]:
        """The steps below one; of a list, each with the item that it is about."""
        found: list[Step] = []
        for child, item in with_items(node):
            if self._count > STEPS_SHOWN_MAX:
                found.append(Step(mark="unknown", text=self._speak(_TOO_MANY)))
                break
            unless = bool(node.section and child.section)
            found.append(self._step(child, unless=unless, item=item))
        return tuple(found)

    def _step(self, node: Node, *, unless: bool = False, item: str = "") -> Step:
        if node.operator == "rule" and node.place not in self._sealed:
            return self._step(node.children[0], unless=unless, item=item)
        self._count += 1
        if node.section:
            return self._section(node, unless, item)
        if node.place in self._sealed:
            return Step(mark=MARKS[node.value], text=self._speak(_SEALED))
        if node.facts or not node.children:
            return self._test(node)
        return self._join(node, item)

    def _section(self, node: Node, unless: bool, item: str) -> Step:
        words = self._say.words(self._say.statute.section_text(node.section))
        again, sealed = id(node) in self._drawn, node.place in self._sealed
        self._drawn.add(id(node))
        return Step(
            mark=MARKS[node.value],
            text=self._speak(_ABOVE) if again else words,
            section=node.section,
            unless=unless,
            remark=self._speak(_SEALED) if sealed else item,
            children=() if again or sealed else self._below(node),
        )

    def _test(self, node: Node) -> Step:
        given = self._judgement.given
        told = (", ".join(node.facts), self._say.found(given, node))
        return Step(
            mark=MARKS[node.value],
            text=self._say.tested(node),
            remark=" — ".join(each for each in told if each),
            children=self._below(node),
        )

    def _join(self, node: Node, item: str) -> Step:
        if node.operator in ("at-least", "less"):
            text = self._say.tested(node)
        else:
            text = self._say.say(_JOINS.get(node.operator, "join and"), list=node.name)
        children = self._below(node)
        return Step(mark=MARKS[node.value], text=text, remark=item, children=children)


_SEALED = marked("what was read here is sealed")
_TOO_MANY = marked("more steps than this page can hold")
_ABOVE = marked("see above")
_JOINS = {
    "and": "join and",
    "or": "join or",
    "not": "join not",
    "some": "join some",
    "all": "join all",
    "revoked_when": "join revoked_when",
    "final_when": "join final_when",
}
