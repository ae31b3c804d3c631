"""The proof as an indented drawing, for a terminal: a line for each step, with the facts' ids.

    acquitted (3, 4(1))
      ✓ section 3 acquitted
        ✓ rule helped

Spec: docs/3-protocol.md, chapter on statutes.
"""

from safeconduct.protocol.statute.evaluate import Judgement
from safeconduct.protocol.statute.proof import Node

MARKS = {True: "✓", False: "✗", None: "?"}
"""How a result is marked, in drawings and in letters."""


def draw(judgement: Judgement) -> str:
    """The proof as an indented drawing, a line for each step; a rule is drawn out once."""
    lines = [f"{judgement.outcome} ({', '.join(judgement.sections)})"]
    drawn: set[int] = set()

    def visit(node: Node, depth: int) -> None:
        again = bool(node.children) and id(node) in drawn
        drawn.add(id(node))
        lines.append("  " * depth + _drawn(node) + (" (see above)" if again else ""))
        for child in () if again else node.children:
            visit(child, depth + 1)

    for root in judgement.roots:
        visit(root, 1)
    return "\n".join(lines) + "\n"


def _drawn(node: Node) -> str:
    words = [MARKS[node.value], node.operator, node.section, node.name, *node.facts]
    if node.state:
        words.append(f"[{node.state}]")
    if node.least is not None:
        words.append(f"[{node.least}…{'' if node.most is None else node.most}]")
    return " ".join(word for word in words if word)
