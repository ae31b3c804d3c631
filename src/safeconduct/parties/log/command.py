"""`safeconduct log`: found a log, and serve all logs of a folder."""

import argparse
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from safeconduct.errors import MalformedError
from safeconduct.parties.log import sequence
from safeconduct.parties.log.admission import GATES
from safeconduct.parties.log.config import (
    KINDS,
    LEDGER,
    PAD_DEFAULT,
    LogConfig,
    find_logs,
    load_config,
    new_log,
)
from safeconduct.parties.log.sequence import Log, Pace, open_log, writing
from safeconduct.parties.log.site import make_site
from safeconduct.plumbing import durable, terminal, web
from safeconduct.protocol.tlog.note import format_vkey
from safeconduct.protocol.tlog.policy import POLICY_BYTES_MAX, Policy, parse_policy

_EVERY_SECONDS_MIN = 0.05

_NEW = """\
Founds a log and prints its verifier key, which goes into policies:

  $ safeconduct log new --dir /var/lib/logs --name ledger --kind ledger \\
        --origin log.example/ledger
  log.example/ledger+16541b8f+AZ…

A gazette holds full public texts; a ledger holds 32-byte hashes, padded with dummies so that
its growth tells nothing. Never restore a log from a backup: found a new one.
"""

_SERVE = """\
Serves every log found in the folder, each below its name:

  $ safeconduct log serve --dir /var/lib/logs --listen 127.0.0.1:8100 --policy policy.txt
  listening on http://127.0.0.1:8100

The policy names the witnesses with their addresses, and how many must cosign before anything
is published. While they are away nothing is published, and nothing is lost.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the verbs of `safeconduct log`."""
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    new = terminal.add_verb(verbs, "new", "found a log", _NEW)
    new.add_argument("--dir", type=Path, required=True, help="folder of all logs")
    new.add_argument("--name", required=True, help="its short name in addresses")
    new.add_argument("--origin", required=True, help="its name for ever, without spaces")
    new.add_argument("--kind", choices=KINDS, required=True, help="what it admits")
    new.add_argument("--pad", type=int, help="pad batches to a multiple of this many entries")
    new.set_defaults(run=_new)
    serve = terminal.add_verb(verbs, "serve", "run all logs of a folder", _SERVE)
    serve.add_argument("--dir", type=Path, required=True, help="folder of all logs")
    serve.add_argument("--listen", required=True, metavar="HOST:PORT", help="where to listen")
    serve.add_argument("--policy", type=Path, required=True, help="the tlog-policy file")
    serve.add_argument(
        "--every",
        type=float,
        default=sequence.EVERY_SECONDS,
        metavar="SECONDS",
        help="make a batch this often (default %(default)s)",
    )
    serve.add_argument("--pad", type=int, help="pad a ledger's batches, instead of as founded")
    serve.set_defaults(run=_serve)


def _new(arguments: argparse.Namespace) -> int:
    pad = PAD_DEFAULT[arguments.kind] if arguments.pad is None else arguments.pad
    config = LogConfig(
        name=arguments.name, origin=arguments.origin, kind=arguments.kind, pad=pad
    )
    terminal.say(format_vkey(new_log(arguments.dir, config)))
    return 0


def _serve(arguments: argparse.Namespace) -> int:
    policy = parse_policy(durable.read_file(arguments.policy, bytes_max=POLICY_BYTES_MAX))
    if not _EVERY_SECONDS_MIN <= arguments.every <= sequence.EVERY_SECONDS_MAX:
        raise MalformedError(
            f"--every: not {_EVERY_SECONDS_MIN} to {sequence.EVERY_SECONDS_MAX} seconds"
        )
    pace = Pace(every_seconds=arguments.every)
    with ExitStack() as stack:
        logs = [
            _start(stack, folder, policy, pace, arguments.pad)
            for folder in find_logs(arguments.dir)
        ]
        web.serve(
            make_site(logs),
            arguments.listen,
            ready=lambda url: terminal.say(f"listening on {url}"),
        )
    return 0


def _start(stack: ExitStack, folder: Path, policy: Policy, pace: Pace, pad: int | None) -> Log:
    config = load_config(folder)
    if pad is not None and config.kind == LEDGER:
        config = replace(config, pad=pad)
    log = stack.enter_context(open_log(folder, config, policy, GATES[config.kind](), pace))
    stack.enter_context(writing(log))
    return log
