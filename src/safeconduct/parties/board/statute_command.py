"""`safeconduct statute …`: a law is written, checked, tried out and compiled.

    lint FILE             says what the statute must not be published with
    test FILE             runs the statute's own cases
    eval STATUTE FACTS    says what follows from the facts, and why
    compile FILE          prints the canonical JSON that is hashed, logged and applied

FILE is restricted YAML (`.yaml`, as people write it) or canonical JSON (`.json`).
"""

import argparse
import sys
from pathlib import Path

from safeconduct.errors import MalformedError
from safeconduct.plumbing.authored import AUTHORED_BYTES_MAX, parse_authored
from safeconduct.plumbing.clock import seconds
from safeconduct.plumbing.durable import read_file
from safeconduct.plumbing.terminal import note, print_json, say
from safeconduct.protocol.canonical import Json, format_json, parse_json
from safeconduct.protocol.statute.evaluate import (
    Judgement,
    evaluate,
    judgement_document,
    tree_hash,
)
from safeconduct.protocol.statute.explain import draw
from safeconduct.protocol.statute.facts import FACTS_BYTES_MAX, read_facts
from safeconduct.protocol.statute.instant import parse_instant
from safeconduct.protocol.statute.lint import lint, matches_case
from safeconduct.protocol.statute.load import read_statute
from safeconduct.protocol.statute.text import STATUTE_BYTES_MAX, Statute

EXAMPLES = """\
examples:
  safeconduct statute lint statute.yaml
  safeconduct statute test statute.yaml
  safeconduct statute eval statute.yaml facts.yaml --as-of 2027-06-01T00:00:00Z
  safeconduct statute compile statute.yaml > statute.json
"""

DECIDED = 0
UNDETERMINED_EXIT = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the four verbs; each sets `run`, which returns the exit code."""
    parser.epilog = EXAMPLES
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for name, run, words in (
        ("lint", run_lint, "say what a statute must not be published with"),
        ("test", run_test, "run a statute's own cases"),
        ("compile", run_compile, "print a statute as canonical JSON"),
    ):
        verb = verbs.add_parser(name, help=words, description=words)
        verb.add_argument("file", type=Path, metavar="FILE", help="statute, .yaml or .json")
        verb.set_defaults(run=run)
    words = "say what a statute makes of a case; exit 3 if facts are still open"
    verb = verbs.add_parser("eval", help=words, description=words)
    verb.add_argument("statute", type=Path, metavar="STATUTE", help=".yaml or .json")
    verb.add_argument("facts", type=Path, metavar="FACTS", help=".yaml or .json")
    verb.add_argument("--as-of", metavar="RFC3339", help="the instant to judge at (now)")
    verb.add_argument("--json", action="store_true", help="print the whole proof as JSON")
    verb.set_defaults(run=run_eval)


def run_lint(args: argparse.Namespace) -> int:
    """Print every complaint; 0 if there is none, else 65."""
    complaints = lint(_load(args.file))
    for complaint in complaints:
        say(str(complaint))
    note(f"{len(complaints)} complaints" if complaints else "nothing to complain about")
    return MalformedError.exit_code if complaints else 0


def run_test(args: argparse.Namespace) -> int:
    """Print each case with a mark; 0 if all come out as they say, else 65."""
    statute = _load(args.file)
    passed = [matches_case(statute, case) for case in statute.cases]
    for case, good in zip(statute.cases, passed, strict=True):
        say(f"{'✓' if good else '✗'} {case.name}")
    for complaint in lint(statute) if not all(passed) else ():
        note(str(complaint))
    note(f"{sum(passed)} of {len(passed)} cases come out as the statute says")
    return 0 if all(passed) else MalformedError.exit_code


def run_compile(args: argparse.Namespace) -> int:
    """Print the canonical JSON without a newline: its bytes are what is hashed."""
    document = _read(args.file, STATUTE_BYTES_MAX)
    read_statute(document)
    sys.stdout.write(format_json(document).decode("utf-8"))
    sys.stdout.flush()
    return 0


def run_eval(args: argparse.Namespace) -> int:
    """Print outcome and proof; 0 if decided, 3 if facts are open."""
    statute = _load(args.statute)
    facts = read_facts(_read(args.facts, FACTS_BYTES_MAX), statute.facts)
    as_of = parse_instant(args.as_of, "--as-of") if args.as_of is not None else seconds()
    judgement = evaluate(statute, facts, as_of)
    if args.json:
        print_json(judgement_document(judgement))
    else:
        say(draw(judgement).rstrip("\n"))
        say(f"tree hash {tree_hash(judgement).hex()}")
    return DECIDED if judgement.decided else _report_open(judgement)


def _report_open(judgement: Judgement) -> int:
    for each in judgement.open_facts:
        note(f"open: {each.fact}, owed by {each.owed_by}, section {each.section}")
    return UNDETERMINED_EXIT


def _load(path: Path) -> Statute:
    return read_statute(_read(path, STATUTE_BYTES_MAX))


def _read(path: Path, bytes_max: int) -> Json:
    """The value in a file whose name's ending says how it is written."""
    if path.suffix == ".json":
        return parse_json(read_file(path, bytes_max=bytes_max), path.name, bytes_max=bytes_max)
    if path.suffix in (".yaml", ".yml"):
        return parse_authored(read_file(path, bytes_max=AUTHORED_BYTES_MAX), path.name)
    raise MalformedError(f"{path.name}: must end in .yaml or .json")
