"""`safeconduct statute …`: a law is written, checked, tried out, compared and published.

    lint FILE|DIR         says what a law must not be published with
    test FILE|DIR         runs the law's own cases
    eval STATUTE FACTS    says what follows from the facts, and why
    try STATUTE           the same as a letter and a picture, or as a page with a form
    diff OLD NEW          says what a new version changes, and for whom
    compile FILE          prints the canonical JSON that is hashed, logged and applied
    schema                prints the JSON Schema that editors complete and check by
    publish FILE          drafts the record that brings the law into the Gazette

FILE is restricted YAML (`.yaml`, as people write it) or canonical JSON (`.json`); DIR holds the
versions of a law as 1.yaml, 2.yaml …
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from safeconduct.errors import MalformedError
from safeconduct.parties.board.statute_diff import add_diff_verb
from safeconduct.parties.board.statute_eval import add_eval_verb
from safeconduct.parties.board.statute_files import Law, read_law, read_laws
from safeconduct.parties.board.statute_publish import add_publish_verb
from safeconduct.parties.board.statute_try import add_try_verb
from safeconduct.plumbing.terminal import Verbs, add_verb, note, print_json, say
from safeconduct.protocol.canonical import Json, format_json
from safeconduct.protocol.statute.lint import lint, lint_change
from safeconduct.protocol.statute.schema import json_schema
from safeconduct.protocol.statute.trial import case_faults

EXAMPLES = """\
examples:
  safeconduct statute lint statutes/
  safeconduct statute test statutes/south-africa/reconciliation-1995/2.yaml
  safeconduct statute eval statute.yaml facts.yaml --as-of 2027-06-01T00:00:00Z
  safeconduct statute try statute.yaml --listen 127.0.0.1:8020
  safeconduct statute diff 1.yaml 2.yaml
  safeconduct statute compile statute.yaml > statute.json
  safeconduct statute publish statute.yaml --programme programme/ --out law.record

Every fault is shown as FILE:LINE:COLUMN: place: message, and ends with exit code 65.
"""

_LINT = """\
A law is refused, for example, if an effect begins before an appeal ends, if a burden has no
review, if no rule asks for a fact, if a deadline does not say how its last day ends, if a
provision has no case in which it holds and one in which it does not, or if one of its own cases
comes out otherwise than it says. The Gazette takes no law of which anything is said here.

examples:
  safeconduct statute lint statute.yaml
  safeconduct statute lint statutes/lithuania/confession-1999    all versions, and each change
  safeconduct statute lint statutes/ --json                      all laws, for a program
"""

_TEST = """\
A case gives facts, and the outcome and sections that the text of the law gives them; it may
also name the open facts, the outcome of each item, the state of each step and the standing.

examples:
  safeconduct statute test statute.yaml
  safeconduct statute test statutes/ --json
"""

_COMPILE = """\
The output has no newline at its end: its bytes are what is hashed. `supersedes: previous` is
replaced by the SHA-256 of the version before.

example:
  safeconduct statute compile 2.yaml > 2.json && sha256sum 2.json
"""

_SCHEMA = """\
example:
  safeconduct statute schema > statutes/schema.json

Editors that know YAML complete and check a law by it, if its first line says
  # yaml-language-server: $schema=../../schema.json
What the schema cannot say, such as that a rule exists, is said by `lint`.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `parser` its verbs; each sets `run`, which returns the exit code."""
    parser.epilog = EXAMPLES
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for name, run, words, epilog in (
        ("lint", run_lint, "say what a statute must not be published with", _LINT),
        ("test", run_test, "run a statute's own cases", _TEST),
    ):
        verb = add_verb(verbs, name, words, epilog)
        verb.add_argument("file", type=Path, metavar="FILE|DIR", help=".yaml, .json or folder")
        verb.add_argument("--json", action="store_true", help="print JSON")
        verb.set_defaults(run=run)
    add_eval_verb(verbs)
    add_try_verb(verbs)
    add_diff_verb(verbs)
    _add_compile(verbs)
    schema = add_verb(verbs, "schema", "print the JSON Schema of a statute", _SCHEMA)
    schema.set_defaults(run=run_schema)
    add_publish_verb(verbs)


def _add_compile(verbs: Verbs) -> None:
    verb = add_verb(verbs, "compile", "print a statute as canonical JSON", _COMPILE)
    verb.add_argument("file", type=Path, metavar="FILE", help="statute, .yaml or .json")
    verb.set_defaults(run=run_compile)


def run_lint(args: argparse.Namespace) -> int:
    """Print every complaint; 0 if there is none, else 65."""
    found = [each for versions in read_laws(args.file) for each in _complaints(versions)]
    if args.json:
        print_json([_complaint_document(law, place, text) for law, place, text in found])
    else:
        for law, place, message in found:
            say(law.source.located(f"{place}: {message}"))
    note(f"{len(found)} complaints" if found else "nothing to complain about")
    return MalformedError.exit_code if found else 0


def _complaints(versions: tuple[Law, ...]) -> Iterator[tuple[Law, str, str]]:
    """What speaks against each version, and against each change."""
    for index, law in enumerate(versions):
        for complaint in lint(law.statute):
            yield law, complaint.place, complaint.message
        for complaint in lint_change(versions[index - 1].statute, law.statute) if index else ():
            yield law, complaint.place, complaint.message


def _complaint_document(law: Law, place: str, message: str) -> Json:
    where: dict[str, Json] = {}
    if law.source.places is not None:
        line, column = law.source.places.mark(place)
        where = {"line": line, "column": column}
    return {"file": str(law.source.path), "place": place, "message": message, **where}


def run_test(args: argparse.Namespace) -> int:
    """Print each case with a mark; 0 if all come out as they say, else 65."""
    laws = [law for versions in read_laws(args.file) for law in versions]
    results = [
        (law, case, list(case_faults(law.statute, case)))
        for law in laws
        for case in law.statute.cases
    ]
    failed = sum(bool(faults) for _, _, faults in results)
    if args.json:
        print_json(
            [
                {"file": str(law.source.path), "case": case.name, "faults": faults}
                for law, case, faults in results
            ]
        )
    else:
        for law, case, faults in results:
            say(f"{'✗' if faults else '✓'} {case.name}")
            for fault in faults:
                note(law.source.located(f"{case.place}: “{case.name}” {fault}"))
    passed = len(results) - failed
    note(f"{passed} of {len(results)} cases come out as the statute says")
    return MalformedError.exit_code if failed else 0


def run_compile(args: argparse.Namespace) -> int:
    """Print the canonical JSON without a newline: its bytes are what is hashed."""
    law = read_law(args.file)
    sys.stdout.write(format_json(law.document).decode("utf-8"))
    sys.stdout.flush()
    return 0


def run_schema(args: argparse.Namespace) -> int:
    """Print the JSON Schema, in the one form that is kept with the laws."""
    print_json(json_schema())
    return 0
