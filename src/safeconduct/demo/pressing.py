"""Scene 4: public statements are captured from pages, attributed, and dated."""

from collections.abc import Sequence
from pathlib import Path

from safeconduct.demo.world import World, act, proof, shipped, tell
from safeconduct.parties.press.capture import capture_file
from safeconduct.parties.press.store import keep, log_kept
from safeconduct.plumbing import clock
from safeconduct.plumbing.logs import log_record

SHOWN_CHARS = 90


def capture_pages(world: World, pages: Sequence[Path]) -> None:
    """Capture the sample pages, and the ones that were asked for."""
    act(4, "Public statements are captured")
    samples = sorted(path for path in shipped("examples", "press").iterdir() if _is_page(path))
    for path in (*samples, *pages):
        _capture(world, path)
    proof("the page as it was then, what was said and by whom: hashed, logged, recomputable")


def _is_page(path: Path) -> bool:
    return path.suffix in {".html", ".txt"}


def _capture(world: World, path: Path) -> None:
    capture, warc = capture_file(path, url=None, now=clock.now())
    name = keep(world.path("press"), world.programme.hash, capture, warc)
    log_kept(world.path("press"), name, lambda record: log_record(world.programme, record)[0])
    said = capture.statements
    speakers = sorted({statement.speaker for statement in said} - {""})
    tell(f"{path.name}: {len(said)} statements by {', '.join(speakers) or 'nobody named'}")
    if capture.dropped:
        tell(f"  {len(capture.dropped)} pieces of site boilerplate left out, each noted")
    for statement in said[:1]:
        shown = statement.said[:SHOWN_CHARS]
        tell(f"  {statement.speaker}: “{shown}{'…' if shown != statement.said else ''}”")
    world.happened("press", f"captures {path.name}")
    world.captures[path.name] = world.path("press", "captures", name)
