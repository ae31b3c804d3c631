"""A judgement as a picture: its proof as boxes, from the outcome down to the facts.

     ✓ You are acquitted …                      the outcome
     ├─ ✓ Section 3 applies …                   a section that was tried
     │   ├─ ✓ all of these                      what its condition is made of
     │   │   └─ ✓ grade of the tip: useful      a test of a fact
     │   └╌ unless ✗ Section 5(1) …             an exception, dashed

SVG that fetches nothing and runs nothing: no script, no style sheet, no font, only shapes and
escaped text. It brings its own light ground, so that it reads the same in a dark page; what a
colour says, a mark and a word say too. A rule is drawn out once. What does not fit is counted.

Spec: W3C SVG 1.1; WAI-ARIA Graphics (role img, title and desc).
"""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from safeconduct.protocol.statute.evaluate import Judgement, declared_name
from safeconduct.protocol.statute.proof import TRUTH_WORDS, Node, Truth, flatten, with_items
from safeconduct.protocol.statute.text import Statute, Words
from safeconduct.protocol.statute.wording import RIGHT_TO_LEFT, inserted, speak
from safeconduct.protocol.statute.wording.voice import Voice, voice

BOXES_MAX = 300  # of one picture
LINES_MAX = 8  # of one text in one box
WIDTH_PX = 560  # wider only where the tree is deep
_BOX_WIDTH_MIN_PX = 260
_INDENT_PX = 22
_GAP_PX = 8
_MARGIN_PX = 12
_PADDING_PX = 10
_LINE_PX = 19
_MARK_PX = 24  # what the mark takes of a box's width
_FONT_PX = 14

_PAPER, _SHEET, _INK, _SOFT, _EDGE = "#f6f4ee", "#fffefb", "#1b1f23", "#555b61", "#7d7a70"
_COLOURS: Mapping[Truth, tuple[str, str]] = {  # of the edge and the mark, and of the ground
    True: ("#1d5c37", "#eaf4ec"),
    False: ("#8f1d14", "#fbeee9"),
    None: ("#6d4700", "#fbf2df"),
}
_SHAPES = {
    True: '<path d="M{x0} {y} l4 4.5 l7.5 -9" {stroke}/>',
    False: '<path d="M{x0} {y0} l9 9 m0 -9 l-9 9" {stroke}/>',
    None: '<path d="M{x0} {y0} q0 -4 4.5 -4 q4.5 0 4.5 3.5 q0 2.5 -4.5 4 l0 2 m0 3 l0 .5"'
    " {stroke}/>",
}
_STROKE = 'fill="none" stroke="{colour}" stroke-width="2.4" stroke-linecap="round"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One step as it is drawn; `parent` is the number of the box above it, -1 for none."""

    parent: int
    depth: int
    value: Truth
    heading: str  # one short bold text
    text: str = ""
    remark: str = ""
    kind: str = "test"  # outcome, section, unless, join or test


def picture(statute: Statute, judgement: Judgement, language: str = "en") -> str:
    """The proof as an SVG document, in a language of `wording.LANGUAGES`.

    Requires a judgement by this statute. It shows confidential facts' names and results: it is
    for those who may see the file.
    """
    tree = _Tree(voice(statute, language), judgement)
    boxes = tree.boxes()
    return _Sheet(language, boxes, tree.left_out).svg(*_described(tree.say, judgement))


def _described(say: Voice, judgement: Judgement) -> tuple[str, str]:
    """The picture's title, and what it shows in a sentence."""
    tried = {n.section: n.value for n in flatten(judgement.roots)[0] if n.section}
    values = list(tried.values())
    told = say.say(
        "picture counts",
        title=say.words(say.statute.title),
        number=say.statute.version.number,
        applied=values.count(True),
        failed=values.count(False),
        open=values.count(None),
    )
    return say.say("picture", outcome=say.outcome(judgement.outcome)), told


class _Tree:
    """One proof being taken apart into boxes, parents first."""

    def __init__(self, say: Voice, judgement: Judgement) -> None:
        self.say = say
        self.left_out = 0
        self._judgement = judgement
        self._boxes: list[Box] = []
        self._drawn: set[int] = set()
        self._texts: dict[str, Words] = {}

    def boxes(self) -> list[Box]:
        """The outcome's box, and those of everything it was computed from."""
        given = self._judgement
        value = True if given.decided else None
        text = "" if given.amount is None else self.say.amount(given.amount)
        self._add(-1, value, self.say.outcome(given.outcome), text=text, kind="outcome")
        for declared, root in zip(self.say.statute.outcomes, given.roots, strict=False):
            self._root(root, declared.text)
        return self._boxes

    def _root(self, root: Node, text: Words) -> None:
        if root.operator in ("outcome", "each"):
            parent = self._add(0, root.value, self.say.words(text), kind="join")
            for child, item in with_items(root):
                self._node(child, parent, item=item)
        else:
            self._node(root, 0)

    def _node(self, node: Node, parent: int, kind: str = "section", item: str = "") -> None:
        if parent < 0 or len(self._boxes) >= BOXES_MAX:
            self.left_out += len(flatten((node,))[0])
            return
        if node.operator == "rule":
            self._node(node.children[0], parent, kind, item)
        elif node.section:
            self._section(node, parent, kind, item)
        elif node.facts or not node.children:
            self._test(node, parent)
        else:
            self._join(node, parent, item)

    def _section(self, node: Node, parent: int, kind: str, item: str) -> None:
        verdict = self.say.say(TRUTH_WORDS[node.value])
        values = {"number": node.section, "verdict": verdict, "text": ""}
        told = (
            self.say.say("section of", item=item, **values)
            if item
            else self.say.say("section", **values)
        )
        again = id(node) in self._drawn
        self._drawn.add(id(node))
        text = self.say.words(self.say.statute.section_text(node.section))
        remark = self.say.say("above") if again else ""
        number = self._add(
            parent, node.value, told.rstrip(" :\u00a0"), text=text, remark=remark, kind=kind
        )
        for child in () if again else node.children:
            self._node(child, number, "unless" if child.section else "section")

    def _join(self, node: Node, parent: int, item: str) -> None:
        told = item or self._joined(node)
        number = self._add(parent, node.value, told, kind="join")
        for child in node.children:
            self._node(child, number)

    def _joined(self, node: Node) -> str:
        if node.operator in ("at-least", "less"):
            return self.say.tested(node)
        return self.say.say(_JOINS.get(node.operator, "join and"), list=node.name)

    def _test(self, node: Node, parent: int) -> None:
        verdict = self.say.say(f"test {TRUTH_WORDS[node.value]}")
        text = self.say.tested(node)
        number = self._add(
            parent, node.value, verdict, text=text, remark=self._remark(node), kind="test"
        )
        for child in node.children:
            self._node(child, number)

    def _remark(self, node: Node) -> str:
        """Which facts were read, and what was found; of an open one, who owes it."""
        told = [", ".join(node.facts), self.say.found(self._judgement.given, node)]
        if node.value is None:
            facts = self.say.statute.facts
            owners = {facts[declared_name(each)].asserted_by for each in node.facts}
            told += [self.say.say("owes", owner=", ".join(sorted(owners)))] if owners else []
        return " — ".join(each for each in told if each)

    def _add(
        self,
        parent: int,
        value: Truth,
        heading: str,
        *,
        text: str = "",
        remark: str = "",
        kind: str,
    ) -> int:
        depth = self._boxes[parent].depth + 1 if parent >= 0 else 0
        unless = f"{self.say.say('unless')}: " if kind == "unless" else ""
        self._boxes.append(
            Box(
                parent=parent,
                depth=depth,
                value=value,
                heading=unless + heading,
                text=text,
                remark=remark,
                kind=kind,
            )
        )
        return len(self._boxes) - 1


_JOINS = {
    "and": "join and",
    "or": "join or",
    "not": "join not",
    "some": "join some",
    "all": "join all",
    "revoked_when": "join revoked_when",
    "final_when": "join final_when",
}


class _Sheet:
    """Boxes drawn one below the other; the way of the language decides left and right."""

    def __init__(self, language: str, boxes: list[Box], left_out: int) -> None:
        self._language = language
        self._rightward = language not in RIGHT_TO_LEFT
        self._boxes = boxes
        deepest = max(box.depth for box in boxes) * _INDENT_PX
        self._width = max(WIDTH_PX, deepest + _BOX_WIDTH_MIN_PX + 2 * _MARGIN_PX)
        self._left_out = left_out

    def svg(self, title: str, description: str) -> str:
        """The whole document."""
        drawn, height = self._draw()
        way = "" if self._rightward else ' direction="rtl"'
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self._width}" height="{height}"'
            f' viewBox="0 0 {self._width} {height}" role="img"'
            f' aria-labelledby="proof-title proof-text" xml:lang="{self._language}"'
            f' font-family="system-ui, sans-serif" font-size="{_FONT_PX}"{way}>\n'
            f'<title id="proof-title">{_escaped(title)}</title>\n'
            f'<desc id="proof-text">{_escaped(description)}</desc>\n'
            f'<rect width="{self._width}" height="{height}" rx="4" fill="{_PAPER}"/>\n'
        )
        return head + "".join(drawn) + "</svg>\n"

    def _draw(self) -> tuple[list[str], int]:
        drawn: list[str] = []
        top = _MARGIN_PX
        tops: list[tuple[int, int]] = []  # of each box, where it begins and ends
        for box in self._boxes:
            rows = list(self._rows(box))
            height = 2 * _PADDING_PX - 4 + _LINE_PX * len(rows)
            tops.append((top, top + height))
            if box.parent >= 0:
                drawn.append(self._line(box, tops[box.parent][1], top + _MARK_PX // 2 + 6))
            drawn.append(self._box(box, top, height, rows))
            top += height + _GAP_PX
        if self._left_out:
            from_the_edge = _MARGIN_PX
            told = self._say_left_out()
            drawn.append(self._text(told, from_the_edge, top + 15, _SOFT, bold=False))
            top += _LINE_PX + _GAP_PX
        return drawn, top + _MARGIN_PX - _GAP_PX

    def _say_left_out(self) -> str:
        return speak(self._language, "left out", count=self._left_out)

    def _rows(self, box: Box) -> Iterator[tuple[str, str, bool]]:
        """The lines of a box, with colour and whether they are bold."""
        room = (
            self._width - 2 * _MARGIN_PX - box.depth * _INDENT_PX - 2 * _PADDING_PX - _MARK_PX
        )
        bold = box.kind != "join"
        for text, colour, strong in (
            (box.heading, _INK, bold),
            (box.text, _INK, False),
            (box.remark, _SOFT, False),
        ):
            for line in wrapped(text, room, LINES_MAX):
                yield line, colour, strong

    def _box(self, box: Box, top: int, height: int, rows: list[tuple[str, str, bool]]) -> str:
        left = _MARGIN_PX + box.depth * _INDENT_PX
        width = self._width - left - _MARGIN_PX
        edge, ground = _COLOURS[box.value]
        dashes = ' stroke-dasharray="5 4"' if box.kind == "unless" else ""
        ground = _SHEET if box.kind == "join" else ground
        stroke = 2 if box.kind == "outcome" else 1
        shape = (
            f'<rect x="{self._x(left, width)}" y="{top}" width="{width}" height="{height}"'
            f' rx="5" fill="{ground}" stroke="{edge}" stroke-width="{stroke}"{dashes}/>\n'
        )
        texts = [
            self._text(
                line, left + _PADDING_PX + _MARK_PX, top + 22 + n * _LINE_PX, colour, bold
            )
            for n, (line, colour, bold) in enumerate(rows)
        ]
        return shape + self._mark(box.value, left + _PADDING_PX, top + 17) + "".join(texts)

    def _mark(self, value: Truth, left: int, middle: int) -> str:
        stroke = _STROKE.format(colour=_COLOURS[value][0])
        x = self._x(left, 12)
        return _SHAPES[value].format(x0=x + 1, y=middle, y0=middle - 4, stroke=stroke) + "\n"

    def _line(self, box: Box, begin: int, end: int) -> str:
        down = self._x(_MARGIN_PX + (box.depth - 1) * _INDENT_PX + 10, 0)
        to = self._x(_MARGIN_PX + box.depth * _INDENT_PX, 0)
        dashes = ' stroke-dasharray="5 4"' if box.kind == "unless" else ""
        return (
            f'<path d="M{down} {begin} V{end} H{to}" fill="none" stroke="{_EDGE}"{dashes}/>\n'
        )

    def _text(self, text: str, left: int, baseline: int, colour: str, bold: bool) -> str:
        weight = ' font-weight="650"' if bold else ""
        return (
            f'<text x="{self._x(left, 0)}" y="{baseline}" fill="{colour}"{weight}>'
            f"{_escaped(inserted(self._language, text))}</text>\n"
        )

    def _x(self, left: int, width: int) -> int:
        """Where something begins that is so far from the edge where reading begins."""
        return left if self._rightward else self._width - left - width


def wrapped(text: str, room_px: int, lines_max: int) -> list[str]:
    """`text` in lines that fit, by an estimate that no common font exceeds; cut with `…`."""
    lines: list[str] = []
    line = ""
    for word in _pieces(text, room_px):
        if line and _length(f"{line} {word}") > room_px:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    lines = [*lines, line] if line else lines
    shown = lines if len(lines) <= lines_max else [*lines[: lines_max - 1], "…"]
    return _closed(shown)


def _closed(lines: list[str]) -> list[str]:
    """The lines with each isolate that runs on closed at the end and opened again."""
    found: list[str] = []
    depth = 0
    for line in lines:
        opened = _ISOLATE * depth + line
        depth = max(0, depth + line.count(_ISOLATE) - line.count(_POP))
        found.append(opened + _POP * depth)
    return found


_ISOLATE, _POP = "\u2068", "\u2069"


def _pieces(text: str, room_px: int) -> Iterator[str]:
    """The words of a text; one that is longer than a line is broken."""
    for word in text.split():
        while _length(word) > room_px:
            cut = max(1, int(room_px / _FONT_PX))
            yield word[:cut]
            word = word[cut:]
        yield word


def _length(text: str) -> float:
    """Pixels, more or less: no font can be asked here."""
    shown = [c for c in text if unicodedata.category(c) not in ("Cf", "Mn")]
    return _FONT_PX * sum(_width(each) for each in shown)


def _width(character: str) -> float:
    """In parts of the font's size."""
    if unicodedata.east_asian_width(character) in "WF" or character in "mwMW@%<>=+&#—…":
        return 0.95
    return 0.72 if character.isupper() else 0.64 if character.isdecimal() else 0.57


def _escaped(text: str) -> str:
    """Text as XML takes it: no markup, and none of the characters that XML has no place for."""
    return escape("".join(each if _is_xml(each) else "\ufffd" for each in text))


def _is_xml(character: str) -> bool:
    code = ord(character)
    return code in (9, 10, 13) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0x10FFFF
