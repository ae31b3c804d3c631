"""`safeconduct audit` and `safeconduct receipt`: offline, from files alone.

Exit codes: 0 all holds · 10 something does not · 65 a file does not parse · 75 unreadable.
"""

import argparse
from pathlib import Path

from safeconduct.errors import UnverifiedError
from safeconduct.parties.auditor import report
from safeconduct.parties.auditor.check import audit
from safeconduct.parties.auditor.folder import Folder
from safeconduct.parties.auditor.receipt import show_receipt, verify
from safeconduct.plumbing import terminal
from safeconduct.plumbing.durable import read_file
from safeconduct.protocol.record import RECORD_BYTES_MAX
from safeconduct.protocol.statute.instant import parse_instant
from safeconduct.protocol.tlog.policy import POLICY_BYTES_MAX, Policy, parse_policy
from safeconduct.protocol.tlog.proof import PROOF_BYTES_MAX

_AUDIT = """\
Takes the folder that a body publishes, on any medium, and computes all of it again:

  $ safeconduct audit public/ --policy policy.txt
   1  ok      the folder is exactly what SHA256SUMS lists
  …
  All 11 checks hold: everything above was computed here, from these bytes.

Take the policy from somebody you trust: it says which logs and which witnesses count, and it is
all that is trusted. Exits with 0 if every check holds, else with 10.
"""

_VERIFY = """\
Says by when a record was logged, as the policy's witnesses date it, and who says so:

  $ safeconduct receipt verify mine.tlog-proof --record mine.record --policy policy.txt \\
        --before 2027-06-01T00:00:00+03:00

Exits with 0 if it holds, 10 if not (or not before that instant), 65 if a file does not parse.
"""

_SHOW = """\
Shows in plain words what stands in a receipt. Nothing is verified:

  $ safeconduct receipt show mine.tlog-proof
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define `safeconduct audit`."""
    parser.epilog = _AUDIT
    parser.add_argument("public", type=Path, metavar="PUBLIC", help="the published folder")
    _add_policy(parser)
    _add_json(parser)
    parser.set_defaults(run=_audit)


def add_receipt_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the verbs of `safeconduct receipt`."""
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    check = terminal.add_verb(
        verbs, "verify", "say by when a record was logged, and who says so", _VERIFY
    )
    _add_receipt(check)
    check.add_argument("--record", type=Path, required=True, help="the record it dates")
    _add_policy(check)
    check.add_argument(
        "--before", metavar="RFC3339", help="fail unless it was logged before this instant"
    )
    _add_json(check)
    check.set_defaults(run=_verify)
    show = terminal.add_verb(verbs, "show", "show what stands in a receipt, unverified", _SHOW)
    _add_receipt(show)
    show.set_defaults(run=_show)


def _add_receipt(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("receipt", type=Path, metavar="RECEIPT", help="a .tlog-proof file")


def _add_policy(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--policy", type=Path, required=True, help="the tlog-policy file: whose word counts"
    )


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _audit(options: argparse.Namespace) -> int:
    outcome = audit(Folder(root=options.public), _policy(options.policy))
    if options.json:
        terminal.print_json(report.format_value(outcome))
    else:
        terminal.say(report.format_text(outcome))
    return 0 if outcome.holds else UnverifiedError.exit_code


def _verify(options: argparse.Namespace) -> int:
    before = None
    if options.before is not None:
        before = parse_instant(options.before, "--before")
    dated = verify(
        read_file(options.record, bytes_max=RECORD_BYTES_MAX),
        read_file(options.receipt, bytes_max=PROOF_BYTES_MAX),
        _policy(options.policy),
        before=before,
    )
    if options.json:
        terminal.print_json(dated.as_value())
    else:
        terminal.say(dated.as_text())
    return 0


def _show(options: argparse.Namespace) -> int:
    terminal.say(show_receipt(read_file(options.receipt, bytes_max=PROOF_BYTES_MAX)))
    return 0


def _policy(path: Path) -> Policy:
    return parse_policy(read_file(path, bytes_max=POLICY_BYTES_MAX))
