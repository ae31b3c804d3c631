"""axe-core of npm, at the version and hash of its lock file, asked about a page."""

from collections.abc import Sequence
from pathlib import Path

from tests import npm
from tests.browser.browsers import Visitor

SOURCES = Path(__file__).parent / "node"
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
"""WCAG 2.2 up to AA; and what axe calls good practice: headings, landmarks, tables, order."""


def install(folder: Path) -> str:
    """The script of axe, installed in `folder` by its hash."""
    npm.install(SOURCES, folder)
    return (folder / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


def judge(visitor: Visitor, axe: str, tags: Sequence[str] = TAGS) -> list[str]:
    """What axe finds wrong with the page, a line for each element; it must be empty."""
    found: list[str] = visitor.ask(f"async (tags) => {{ {axe};\n{_RUN} }}", list(tags))
    return found


_RUN = """
const found = await axe.run(document, {runOnly: {type: "tag", values: tags}});
return found.violations.flatMap((one) => one.nodes.map((node) =>
  `${one.id} (${one.impact}): ${node.target.join(" ")}: ${one.help}`
  + ` [${node.any.concat(node.all, node.none).map((why) => why.message).join("; ")}]`));
"""
