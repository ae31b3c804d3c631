"""One look at every page of a language in a browser: all that can be said against it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser
from tests.browser.axe import judge
from tests.browser.browsers import NARROW, Visitor, visiting
from tests.browser.looks import HEADINGS, KEPT, OVERFLOW, SENTENCES
from tests.browser.pages import Replay

PICTURES = Path(__file__).resolve().parents[2] / "build" / "screenshots"
"""Where the pictures are kept: `<browser>/<language>/<page>.png`."""
WIDTHS = {
    "1280 px": (1280, 1024),
    "640 px, or 1280 px at 200 %": (640, 512),
    "320 px, or 1280 px at 400 %": NARROW,  # the last one is in the picture
}
"""How wide a window is, in CSS pixels."""
_NARROW_ONLY = {"320 px": NARROW}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen of one page; each list is empty on a page as it should be."""

    overflows: list[str]
    violations: list[str]
    complaints: list[str]
    strayed: list[str]
    kept: list[object]
    headings: list[int]
    sentences: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thoroughly:
    """To look in windows of every width, with the script `axe`, and keep pictures."""

    axe: str
    pictures: Path

    def folder(self, browser: str, language: str) -> Path:
        """Where the pictures of a language go."""
        folder = self.pictures / browser / language
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def look_at_all(
    browser: Browser, replay: Replay, language: str, thoroughly: Thoroughly | None
) -> Mapping[str, Look]:
    """By name, every page of a language; if not thoroughly, in a narrow window only."""
    with visiting(browser) as visitor:
        return {
            name: _look_at(visitor, replay, language, name, thoroughly)
            for name in replay.pages[language]
        }


def _look_at(
    visitor: Visitor, replay: Replay, language: str, name: str, thoroughly: Thoroughly | None
) -> Look:
    visitor.complaints.clear()
    visitor.requests.clear()
    visitor.open(replay.address(language, name))
    kept, headings = visitor.ask(KEPT), visitor.ask(HEADINGS)
    sentences = frozenset(visitor.ask(SENTENCES))
    overflows = _overflows(visitor, WIDTHS if thoroughly else _NARROW_ONLY)
    violations = judge(visitor, thoroughly.axe) if thoroughly else []
    complaints, strayed = visitor.said(), visitor.strayed(replay.url)
    if thoroughly:
        folder = thoroughly.folder(visitor.browser_name, language)
        picture = re.sub(r"\W+", "-", name)
        (folder / f"{picture}.png").write_bytes(visitor.picture())
    return Look(
        overflows=overflows,
        violations=violations,
        complaints=complaints,
        strayed=strayed,
        kept=kept,
        headings=headings,
        sentences=sentences,
    )


def _overflows(visitor: Visitor, widths: Mapping[str, tuple[int, int]]) -> list[str]:
    found: list[str] = []
    for told, size in widths.items():
        visitor.resize(*size)
        found += [f"{told}: {each}" for each in visitor.ask(OVERFLOW)]
    return found
