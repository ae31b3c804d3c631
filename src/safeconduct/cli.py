"""The command line: a verb for each party. The only place where all of them are known.

A party's module is loaded only when its verb is used, so that a witness does not carry a web
form's libraries, nor a source's client a server's.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from safeconduct import __version__
from safeconduct.errors import SafeconductError, UnavailableError
from safeconduct.plumbing.terminal import printable

EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

DESCRIPTION = """\
Runs a disclosure-and-amnesty programme between people who do not trust each other:
sealed help goes in, dated proof comes back, and a published law decides who is acquitted.

Each party has its own verb and runs on its own machine. To see all of them at work:

    safeconduct demo --once --dir demo
    safeconduct audit demo/public --policy demo/policy.txt
"""

EXIT_CODES = """\
exit codes: 0 done · 2 wrong usage · 3 undetermined · 10 not verified · 11 contradiction ·
12 refused · 65 malformed · 75 try again later
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verb:
    module: str
    adder: str
    summary: str


def _party(name: str, summary: str, adder: str = "add_arguments") -> _Verb:
    return _Verb(module=f"safeconduct.parties.{name}", adder=adder, summary=summary)


VERBS = {
    "source": _party("source.command", "send sealed help; read replies; claim"),
    "door": _party("intake.command", "run the intake site that sources use"),
    "serve": _party("intake.command", "the same as door"),
    "log": _party("log.command", "run Gazette and Ledger, the two transparency logs"),
    "witness": _party("witness.command", "cosign logs, as an independent organisation"),
    "mirror": _party("mirror.command", "copy both logs and the capsules, and serve the copies"),
    "monitor": _party("monitor.command", "watch logs and witnesses; alert with evidence"),
    "desk": _party("desk.command", "open, acknowledge and assess tips"),
    "press": _party("press.command", "capture public statements as evidence"),
    "board": _party("board.command", "found a programme; sign its records, t of n"),
    "statute": _party("board.statute_command", "check, test and try a statute"),
    "register": _party("registry.command", "the public register: claims, decisions, appeals"),
    "audit": _party("auditor.command", "recompute everything from a folder of public bytes"),
    "receipt": _party(
        "auditor.command", "verify a dated receipt, offline", "add_receipt_arguments"
    ),
    "fork": _party(
        "auditor.command", "verify the proof that a log forked, offline", "add_fork_arguments"
    ),
    "opening": _party("court.command", "verify a tip that was opened; hand it to a judge"),
    "programme": _party(
        "board.programme_command", "show a programme and what its Gazette says"
    ),
    "demo": _Verb(
        module="safeconduct.demo.command",
        adder="add_arguments",
        summary="play a whole programme on this machine",
    ),
}


def run(arguments: Sequence[str]) -> int:
    """Run one command; returns its exit code. Errors are one line, with what to do next."""
    try:
        options = make_parser(arguments).parse_args(arguments)
        code: int = options.run(options)
        sys.stdout.flush()
    except SafeconductError as error:
        _complain(error.message, error.hint)
        return error.exit_code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; the interpreter must not complain about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        # An argument names what no file system takes, or lies in a folder that is closed to us.
        reason = (error.strerror or "cannot be used").lower()
        _complain(f"{error.filename or 'this machine'}: {reason}")
        return UnavailableError.exit_code
    return code


def _complain(message: str, hint: str = "") -> None:
    """One line, and perhaps a hint; what a server or a path says in it orders nothing."""
    for kind, text in (("error", message), ("hint", hint)):
        if text:
            # Not `terminal.note`: its text may have several lines.
            shown = printable(text).replace("\n", "\\u{a}")
            sys.stderr.write(f"{kind}: {shown}\n")


def make_parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """The parser, with the arguments of that one verb which `arguments` use."""
    parser = argparse.ArgumentParser(
        prog="safeconduct",
        description=DESCRIPTION,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"safeconduct {__version__}")
    verbs = parser.add_subparsers(title="verbs, by party", metavar="VERB", required=True)
    chosen = next((word for word in arguments if not word.startswith("-")), None)
    for name, verb in VERBS.items():
        child = verbs.add_parser(
            name,
            help=verb.summary,
            description=verb.summary[0].upper() + verb.summary[1:] + ".",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name == chosen:
            module = importlib.import_module(verb.module)
            if hasattr(module, "check_arguments"):
                module.check_arguments(arguments)
            getattr(module, verb.adder)(child)
            _share_examples(child)
    return parser


def _share_examples(verb: argparse.ArgumentParser) -> None:
    """Each level of help shows an example: its own, or else its verb's or first sub-verb's."""
    children = [
        child
        for action in verb._actions
        if isinstance(action, argparse._SubParsersAction)
        for child in action.choices.values()
    ]
    if children:
        verb.epilog = verb.epilog or children[0].epilog
    for child in children:
        child.epilog = child.epilog or verb.epilog
        child.formatter_class = argparse.RawDescriptionHelpFormatter
