"""Scene 4: public statements are captured from pages, attributed, and dated."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from safeconduct.demo.world import World, act, proof, shipped, tell
from safeconduct.parties.press.capture import capture_file
from safeconduct.parties.press.store import Kept, keep, log_kept
from safeconduct.plumbing import clock
from safeconduct.plumbing.logs import log_record
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import format_record

SHOWN_CHARS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """One page as the press has kept it; `at` is when the Ledger had dated it."""

    page: str
    kept: Kept
    at: int


def start_capturing(world: World, pages: Sequence[Path]) -> Future[list[Captured]]:
    """Let the press work while the desk does: the sample pages, then those asked for."""
    samples = sorted(path for path in shipped("examples", "press").iterdir() if _is_page(path))
    pool = ThreadPoolExecutor(1)
    future = pool.submit(lambda: [_capture(world, path) for path in (*samples, *pages)])
    pool.shutdown(wait=False)
    return future


def tell_captures(world: World, working: Future[list[Captured]]) -> None:
    """What the press has captured, who speaks in it, and what was left out."""
    act(4, "Public statements are captured")
    for captured in working.result():
        _tell(world, captured)
    proof("the page as it was then, what was said and by whom: hashed, logged, recomputable")


def _is_page(path: Path) -> bool:
    return path.suffix in {".html", ".txt"}


def _capture(world: World, path: Path) -> Captured:
    capture, warc = capture_file(path, url=None, now=clock.now())
    place = world.path("press")
    name = keep(place, world.programme.hash, capture, warc)
    kept = log_kept(place, name, lambda record: log_record(world.programme, record)[0])
    receipt = verify_receipt(format_record(kept.record), kept.proof, world.programme.policy)
    world.captures[path.name] = place / "captures" / name
    return Captured(page=path.name, kept=kept, at=receipt.logged_by)


def _tell(world: World, captured: Captured) -> None:
    world.check_in_time(captured.page, captured.at)
    capture = captured.kept.capture
    speakers = sorted({statement.speaker for statement in capture.statements} - {""})
    count = len(capture.statements)
    tell(f"{captured.page}: {count} statements by {', '.join(speakers) or 'nobody named'}")
    if capture.dropped:
        tell(f"  {len(capture.dropped)} pieces of site boilerplate left out, each noted")
    for statement in capture.statements[:1]:
        shown = statement.said[:SHOWN_CHARS]
        tell(f"  {statement.speaker}: “{shown}{'…' if shown != statement.said else ''}”")
    world.happened("press", f"captures {captured.page}", at=captured.at)
