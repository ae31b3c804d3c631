"""`safeconduct press …`: capture pages, have the captures dated, show them."""

import argparse
from collections.abc import Callable
from pathlib import Path

from safeconduct.errors import MalformedError
from safeconduct.parties.press.capture import capture_file, capture_url
from safeconduct.parties.press.store import Kept, keep, load, log_kept, names, unlogged
from safeconduct.plumbing import clock, terminal
from safeconduct.plumbing.logs import log_record
from safeconduct.plumbing.programme import Programme, load_programme
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.evidence.capture import Capture
from safeconduct.protocol.evidence.statements import Statement

EXAMPLES = """\
examples:
  safeconduct press capture --programme programme/ --dir press/ interview.html
  safeconduct press capture --programme programme/ --dir press/ https://news.example/interview
  safeconduct press show --dir press/

A capture keeps the page privately and publishes its text and who is quoted in it. Its date is
the Ledger's. If the Ledger is away, `press log` has the captures dated later.
"""

_SHOWN_CHARACTERS = 300


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs of the press."""
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    capture = verbs.add_parser("capture", help="capture a page and have it dated")
    capture.add_argument(
        "pages", nargs="+", metavar="FILE|URL", help="a saved page, or a web address"
    )
    capture.add_argument("--url", help="where a saved page is said to be from")
    capture.add_argument("--offline", action="store_true", help="keep it; have it dated later")
    _add_common(capture, programme=True)
    capture.set_defaults(run=_capture)
    log = verbs.add_parser("log", help="have dated what was captured while the Ledger was away")
    _add_common(log, programme=True)
    log.set_defaults(run=_log)
    show = verbs.add_parser("show", help="list all captures, or show one with its statements")
    show.add_argument("name", nargs="?", metavar="CAPTURE", help="its 64 hex digits")
    _add_common(show, programme=False)
    show.set_defaults(run=_show)


def _add_common(parser: argparse.ArgumentParser, *, programme: bool) -> None:
    if programme:
        parser.add_argument(
            "--programme", type=Path, required=True, metavar="DIR", help="the public files"
        )
    parser.add_argument("--dir", type=Path, required=True, help="folder of the captures")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _capture(options: argparse.Namespace) -> int:
    programme = load_programme(options.programme)
    if options.url and len(options.pages) > 1:
        raise MalformedError("--url is for one saved page")
    captured = [_take(page, options.url) for page in options.pages]  # all, or none is kept
    kept = [keep(options.dir, programme.hash, *taken) for taken in captured]
    if options.offline:
        _print([load(options.dir, name) for name in kept], options)
        return 0
    with terminal.waiting("waiting for the Ledger"):
        _print([log_kept(options.dir, name, _logger(programme)) for name in kept], options)
    return 0


def _take(page: str, url: str | None) -> tuple[Capture, bytes]:
    if not page.startswith(("http://", "https://")):
        return capture_file(Path(page), url=url, now=clock.now())
    if url:
        raise MalformedError("--url is for a saved page only")
    return capture_url(page, now=clock.now())


def _log(options: argparse.Namespace) -> int:
    log_entry = _logger(load_programme(options.programme))
    _print([log_kept(options.dir, name, log_entry) for name in unlogged(options.dir)], options)
    return 0


def _show(options: argparse.Namespace) -> int:
    chosen = [options.name] if options.name else names(options.dir)
    _print([load(options.dir, name) for name in chosen], options)
    return 0


def _logger(programme: Programme) -> Callable[[bytes], bytes]:
    return lambda record: log_record(programme, record)[0]


def _print(kept: list[Kept], options: argparse.Namespace) -> None:
    if options.json:
        terminal.print_json([_summary(item) for item in kept])
        return
    for item in kept:
        terminal.say(f"{item.name}  {item.capture.address}")
        terminal.say(f"  {item.capture.title or '(no headline)'}")
        terminal.say("  dated by the Ledger" if item.proof else "  not dated yet: `press log`")
        for number, statement in enumerate(item.capture.statements):
            terminal.say(f"  {number}: {_line(statement)}")


def _line(statement: Statement) -> str:
    said = statement.said[:_SHOWN_CHARACTERS]
    said += "…" if len(statement.said) > _SHOWN_CHARACTERS else ""
    marked = f"“{said}”" if statement.kind == "quoted" else said
    return f"{statement.speaker or 'the page does not tell who'}: {marked}"


def _summary(item: Kept) -> Json:
    capture = item.capture
    return {
        "capture": item.name,
        "address": capture.address,
        "title": capture.title,
        "captured_at": capture.captured_at,
        "logged": bool(item.proof),
        "statements": [
            {"number": n, "speaker": s.speaker, "kind": s.kind, "said": s.said, "cue": s.cue}
            for n, s in enumerate(capture.statements)
        ],
        "dropped": [piece.reason for piece in capture.dropped],
    }
