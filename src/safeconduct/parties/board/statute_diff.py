"""`safeconduct statute diff`: what a new version of a law changes, and for whom."""

import argparse
from itertools import pairwise
from pathlib import Path

from safeconduct.errors import MalformedError
from safeconduct.parties.board.statute_files import (
    Law,
    read_law,
    read_source,
    read_versions,
)
from safeconduct.plumbing.terminal import Verbs, add_verb, print_json, say
from safeconduct.protocol.statute.diff import diff
from safeconduct.protocol.statute.facts import FACTS_BYTES_MAX
from safeconduct.protocol.statute.lint import lint_change
from safeconduct.protocol.statute.whom import Pattern, for_whom

_EPILOG = """\
First what the text changes: parameters and how far they move, facts, sections and their rules,
outcomes, procedure. Then for whom: the cases of both versions, and those in the files given,
that come out differently. At last the promises that the change would break, if any.

Where no case comes out differently, nobody may have written the case yet.

examples:
  safeconduct statute diff 1.yaml 2.yaml
  safeconduct statute diff statutes/south-africa/reconciliation-1995   each with the next
  safeconduct statute diff 1.yaml 2.yaml --facts mine.yaml --json
"""


def add_diff_verb(verbs: Verbs) -> None:
    """Add the verb `diff`."""
    verb = add_verb(verbs, "diff", "say what a new version changes, and for whom", _EPILOG)
    verb.add_argument("old", type=Path, metavar="OLD", help="a version, or a law's folder")
    verb.add_argument("new", type=Path, metavar="NEW", nargs="?", help="the version after it")
    verb.add_argument(
        "--facts", type=Path, nargs="+", default=[], metavar="FILE", help="cases to try as well"
    )
    verb.add_argument("--json", action="store_true", help="print JSON")
    verb.set_defaults(run=run_diff)


def run_diff(args: argparse.Namespace) -> int:
    """Print what changes and for whom."""
    more = [_pattern(path) for path in args.facts]
    documents = [_document(before, now, more) for before, now in _pairs(args)]
    if args.json:
        print_json(documents if args.old.is_dir() else documents[0])
        return 0
    for document in documents:
        for line in _lines(document):
            say(line)
    return 0


def _pairs(args: argparse.Namespace) -> list[tuple[Law, Law]]:
    if args.old.is_dir() and args.new is None:
        laws = read_versions(args.old)
        if len(laws) < 2:
            raise MalformedError(f"{args.old}: one version alone changes nothing")
        return list(pairwise(laws))
    if args.new is None:
        raise MalformedError(f"{args.old}: name the version to compare with, or a folder")
    return [(read_law(args.old), read_law(args.new))]


def _pattern(path: Path) -> Pattern:
    source = read_source(path, FACTS_BYTES_MAX)
    return Pattern(name=str(path), facts=source.document)


def _document(before: Law, now: Law, more: list[Pattern]) -> dict[str, list[dict[str, str]]]:
    old, new = before.statute, now.statute
    return {
        "changes": [
            {"kind": each.kind, "place": each.place, "text": each.text}
            for each in diff(old, new)
        ],
        "cases": [
            {"name": e.name, "before": e.before, "now": e.now, "effect": e.effect}
            for e in for_whom(old, new, more)
        ],
        "broken": [
            {"place": each.place, "text": now.source.located(str(each))}
            for each in lint_change(old, new)
        ],
    }


def _lines(document: dict[str, list[dict[str, str]]]) -> list[str]:
    lines = [f"{each['place']}: {each['text']}" for each in document["changes"]]
    cases = [
        f"{_MARKS[each['effect']]} {each['name']}: {each['before']} → {each['now']}"
        for each in document["cases"]
    ]
    lines += ["", *(cases or ["no case comes out differently"])]
    return [*lines, *(f"! {each['text']}" for each in document["broken"])]


_MARKS = {"better": "+", "worse": "-", "other": "~"}
