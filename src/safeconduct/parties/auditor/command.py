"""`safeconduct audit`, `safeconduct receipt` and `safeconduct fork`: offline, from files alone.

Exit codes: 0 all holds · 10 something does not · 65 a file does not parse · 75 unreadable.
"""

import argparse
import sys
from pathlib import Path

from safeconduct.errors import ConflictError, RefusedError, UnverifiedError
from safeconduct.parties.auditor import report
from safeconduct.parties.auditor.check import audit
from safeconduct.parties.auditor.course import Course
from safeconduct.parties.auditor.folder import Folder
from safeconduct.parties.auditor.fork import prove, show_fork
from safeconduct.parties.auditor.logs import audit_logs
from safeconduct.parties.auditor.place import load_places
from safeconduct.parties.auditor.progress import Progress
from safeconduct.parties.auditor.receipt import show_receipt, verify
from safeconduct.plumbing import terminal
from safeconduct.plumbing.durable import read_file
from safeconduct.protocol.decision import UNSEALED_BYTES_MAX, Unsealed, parse_unsealed
from safeconduct.protocol.record import RECORD_BYTES_MAX
from safeconduct.protocol.statute.instant import parse_instant
from safeconduct.protocol.tlog.fork import FORK_BYTES_MAX
from safeconduct.protocol.tlog.note import parse_vkey
from safeconduct.protocol.tlog.policy import POLICY_BYTES_MAX, Policy, parse_policy
from safeconduct.protocol.tlog.proof import PROOF_BYTES_MAX

_AUDIT = """\
Takes the folder that a body publishes, on any medium, and computes all of it again:

  $ safeconduct audit public/ --policy policy.txt
   1  ok      the folder is exactly what SHA256SUMS lists
  …
  All 14 checks hold: everything above was computed here, from these bytes.

Take the policy from somebody you trust: it says which logs and which witnesses count, and it is
all that is trusted. Exits with 0 if every check holds, else with 10; or with 11 if credits
contradict their counts, so that more were used than given.

Facts on sealed evidence are the board's word. Whoever was given what opens such a decision, a
claimant or a judge, hands it over beside the folder, and they are computed again too:

  $ safeconduct audit public/ --policy policy.txt --unsealed 4be0.unsealed

A log's copy may be audited alone, for instance a mirror's, and a large one bit by bit:

  $ safeconduct audit mirror/ledger/public --policy policy.txt --logs-only --resume my.places

The file keeps how far you came; the next audit reads on from there if the copy still leads to
it. Keep it like a key: who can write it can make your audit skip entries.
"""

_FORK = """\
Says what a fork proof proves: that a log signed two trees of which neither begins the other.

  $ safeconduct fork verify ledger.fork --policy policy.txt
  The log log.example/ledger has forked: it signed two trees that differ.
  …

Exits with 0 if it is a proof, 10 if it proves nothing, 65 if the file does not parse.
"""

_SHOW_FORK = """\
Shows in plain words what stands in a fork proof. Nothing is verified:

  $ safeconduct fork show ledger.fork
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
    parser.add_argument(
        "public",
        type=Path,
        metavar="PUBLIC",
        help="the published folder; with --logs-only also one log's copy",
    )
    _add_policy(parser)
    _add_json(parser)
    parser.add_argument(
        "--logs-only", action="store_true", help="audit the logs' copies and nothing else"
    )
    parser.add_argument(
        "--resume",
        type=Path,
        metavar="FILE",
        help="keep here how far the audit of each log came, and go on from there next time",
    )
    parser.add_argument(
        "--unsealed",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="what opens a decision on sealed evidence; once for each",
    )
    parser.add_argument(
        "--progress", action="store_true", help="tell progress even if this is no terminal"
    )
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


def add_fork_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the verbs of `safeconduct fork`."""
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    check = terminal.add_verb(verbs, "verify", "say what a fork proof proves", _FORK)
    _add_fork(check)
    trusted = check.add_mutually_exclusive_group(required=True)
    trusted.add_argument("--policy", type=Path, help="the tlog-policy file that lists the log")
    trusted.add_argument("--log", metavar="VKEY", help="the log's verifier key")
    _add_json(check)
    check.set_defaults(run=_verify_fork)
    show = terminal.add_verb(verbs, "show", "show what stands in it, unverified", _SHOW_FORK)
    _add_fork(show)
    show.set_defaults(run=_show_fork)


def _add_fork(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("fork", type=Path, metavar="FILE", help="a .fork file")


def _add_receipt(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("receipt", type=Path, metavar="RECEIPT", help="a .tlog-proof file")


def _add_policy(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--policy", type=Path, required=True, help="the tlog-policy file: whose word counts"
    )


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _audit(options: argparse.Namespace) -> int:
    policy = _policy(options.policy)
    unsealed = _unsealed(options)
    folder, course = Folder(root=options.public), _course(options, policy)
    try:
        if options.logs_only:
            code = _audit_logs(folder, policy, course, as_json=options.json)
        else:
            code = _audit_all(folder, policy, course, unsealed, as_json=options.json)
    finally:
        course.progress.end()
    if course.fault:
        terminal.warn(f"how far the audit came is not kept: {course.fault}")
    return code


def _unsealed(options: argparse.Namespace) -> dict[bytes, Unsealed]:
    """The unsealings handed over, by the decisions that they say they open."""
    if options.unsealed and options.logs_only:
        raise RefusedError("--logs-only looks at no decision", hint="leave out --unsealed")
    found: dict[bytes, Unsealed] = {}
    for path in options.unsealed:
        unsealing = parse_unsealed(read_file(path, bytes_max=UNSEALED_BYTES_MAX))
        if found.setdefault(unsealing.decision, unsealing) != unsealing:
            raise RefusedError(f"{path}: another unsealing of the same decision was given")
    return found


def _audit_all(
    folder: Folder,
    policy: Policy,
    course: Course,
    unsealed: dict[bytes, Unsealed],
    *,
    as_json: bool,
) -> int:
    outcome = audit(folder, policy, course, unsealed)
    if as_json:
        terminal.print_json(report.format_value(outcome))
    else:
        terminal.say(report.format_text(outcome))
    if outcome.contradicts:
        return ConflictError.exit_code
    return 0 if outcome.holds else UnverifiedError.exit_code


def _audit_logs(folder: Folder, policy: Policy, course: Course, *, as_json: bool) -> int:
    results = audit_logs(folder, policy, course)
    if as_json:
        terminal.print_json(report.format_logs_value(results))
    else:
        terminal.say(report.format_logs_text(results))
    return 0 if all(result.holds for result in results) else UnverifiedError.exit_code


def _course(options: argparse.Namespace, policy: Policy) -> Course:
    told = options.progress or sys.stderr.isatty()
    places = None if options.resume is None else load_places(options.resume, policy)
    return Course(progress=Progress(stream=sys.stderr if told else None), places=places)


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


def _verify_fork(options: argparse.Namespace) -> int:
    policy = None if options.policy is None else _policy(options.policy)
    keys = [parse_vkey(options.log)] if policy is None else [log.key for log in policy.logs]
    proven = prove(read_file(options.fork, bytes_max=FORK_BYTES_MAX), keys, policy)
    if options.json:
        terminal.print_json(proven.as_value())
    else:
        terminal.say(proven.as_text())
    return 0


def _show_fork(options: argparse.Namespace) -> int:
    terminal.say(show_fork(read_file(options.fork, bytes_max=FORK_BYTES_MAX)))
    return 0


def _policy(path: Path) -> Policy:
    return parse_policy(read_file(path, bytes_max=POLICY_BYTES_MAX))
