"""`safeconduct log`: found a log, serve all logs of a folder, check and repair one."""

import argparse
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path

from safeconduct.errors import MalformedError, RefusedError, UnverifiedError
from safeconduct.parties.log.admission import GATES
from safeconduct.parties.log.config import (
    KINDS,
    LEDGER,
    PAD_DEFAULT,
    LogConfig,
    LogFolder,
    find_logs,
    load_config,
    load_keys,
    new_log,
)
from safeconduct.parties.log.fsck import Report, check_log
from safeconduct.parties.log.parts import (
    EVERY_SECONDS,
    EVERY_SECONDS_MAX,
    EVERY_SECONDS_MIN,
    REPUBLISH_SECONDS,
    Pace,
)
from safeconduct.parties.log.repair import Repaired, repair_log
from safeconduct.parties.log.sequence import Log, open_log, writing
from safeconduct.parties.log.site import make_site
from safeconduct.parties.log.space import RESERVE_BYTES
from safeconduct.plumbing import durable, terminal, web
from safeconduct.protocol.tlog.note import format_vkey
from safeconduct.protocol.tlog.policy import POLICY_BYTES_MAX, Policy, parse_policy

REPUBLISH_SECONDS_MAX = 86_400.0
_MIB = 1 << 20
_RESERVE_MIB_MAX = 1 << 20

_NEW = """\
Founds a log and prints its verifier keys, which go into policies, a log line each. The first is
of Ed25519; the second, of ML-DSA-44, holds against quantum computers too:

  $ safeconduct log new --dir /var/lib/logs --name ledger --kind ledger \\
        --origin log.example/ledger
  log.example/ledger+16541b8f+AZ…
  log.example/ledger+d9e7abd8+Bh…

A gazette holds full public texts; a ledger holds 32-byte hashes, padded with dummies so that
its growth tells nothing. Never restore a log from a backup alone: what it has signed since
must come from a mirror, with safeconduct log repair.
"""

_SERVE = """\
Serves every log found in the folder, each below its name:

  $ safeconduct log serve --dir /var/lib/logs --listen 127.0.0.1:8100 --policy policy.txt
  listening on http://127.0.0.1:8100

The policy names the witnesses with their addresses, and how many must cosign before anything
is published. While they are away nothing is published, and nothing is lost. Before it signs
anything the log asks them what they saw of it last, and stops if that is more than it knows.
"""

_FSCK = """\
Reads everything that a log keeps, recomputes its tree from the entries, and changes nothing.
No network is needed. Stop the log first:

  $ safeconduct log fsck --dir /var/lib/logs
  gazette: holds: 41 entries signed, 41 settled, 41 published
  ledger: public/tile/0/003: its hashes are not those of the entries
      safeconduct log repair --from-mirror URL
  ledger: does not hold: 90,112 entries signed, 88,064 settled, 90,112 published

What a crash left behind and the next start mends is told too, but does not count.
exit codes: 0 all logs hold · 10 one does not · 75 a log is running
"""

_REPAIR = """\
For a log that is behind what it has signed in public, as after a backup was restored or a disk
was lost, or whose files are damaged. Keep log.json and the keys; the rest comes from a mirror:

  $ safeconduct log repair --dir /var/lib/logs --name ledger \\
        --from-mirror https://mirror.example/ledger --policy policy.txt
  ledger: signed 81,920 entries before, the mirror has 90,112; 41 files replaced
  ledger: is where the mirror is: safeconduct log fsck, then start it

The mirror's checkpoint must be signed by this log's own key, and every byte taken from it must
lead to that signature. If it proves that the log has forked, nothing is repaired and the proof
is kept as a .fork file. Killed in between, the same command goes on where it was. With --policy
the mirror's checkpoint must also carry the quorum, and is published again.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the verbs of `safeconduct log`."""
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    _add_new(terminal.add_verb(verbs, "new", "found a log", _NEW))
    _add_serve(terminal.add_verb(verbs, "serve", "run all logs of a folder", _SERVE))
    _add_fsck(terminal.add_verb(verbs, "fsck", "check all that a log keeps", _FSCK))
    _add_repair(terminal.add_verb(verbs, "repair", "take up what a mirror has", _REPAIR))


def _add_new(new: argparse.ArgumentParser) -> None:
    new.add_argument("--dir", type=Path, required=True, help="folder of all logs")
    new.add_argument("--name", required=True, help="its short name in addresses")
    new.add_argument("--origin", required=True, help="its name for ever, without spaces")
    new.add_argument("--kind", choices=KINDS, required=True, help="what it admits")
    new.add_argument("--pad", type=int, help="pad batches to a multiple of this many entries")
    new.add_argument(
        "--classic", action="store_true", help="an Ed25519 key only, no ML-DSA-44 key"
    )
    new.add_argument("--json", action="store_true", help="for other programs")
    new.set_defaults(run=_new)


def _add_serve(serve: argparse.ArgumentParser) -> None:
    serve.add_argument("--dir", type=Path, required=True, help="folder of all logs")
    serve.add_argument("--listen", required=True, metavar="HOST:PORT", help="where to listen")
    serve.add_argument("--policy", type=Path, required=True, help="the tlog-policy file")
    serve.add_argument(
        "--every",
        type=float,
        default=EVERY_SECONDS,
        metavar="SECONDS",
        help=f"make a batch this often, {EVERY_SECONDS_MIN} at least (default %(default)s)",
    )
    serve.add_argument(
        "--republish",
        type=float,
        default=REPUBLISH_SECONDS,
        metavar="SECONDS",
        help="have an idle log cosigned afresh this often (default %(default)s)",
    )
    serve.add_argument(
        "--reserve",
        type=int,
        default=RESERVE_BYTES // _MIB,
        metavar="MIB",
        help="take nothing in while less of the disk than this is free (default %(default)s)",
    )
    serve.add_argument("--pad", type=int, help="pad a ledger's batches, instead of as founded")
    serve.set_defaults(run=_serve)


def _add_fsck(fsck: argparse.ArgumentParser) -> None:
    fsck.add_argument("--dir", type=Path, required=True, help="folder of all logs")
    fsck.add_argument("--name", help="the one log to check (default all)")
    fsck.add_argument("--json", action="store_true", help="for other programs")
    fsck.set_defaults(run=_fsck)


def _add_repair(repair: argparse.ArgumentParser) -> None:
    repair.add_argument("--dir", type=Path, required=True, help="folder of all logs")
    repair.add_argument("--name", required=True, help="the log to repair")
    repair.add_argument(
        "--from-mirror", required=True, metavar="URL", help="where its tree is served"
    )
    repair.add_argument("--policy", type=Path, help="demand this quorum of the mirror")
    repair.add_argument("--json", action="store_true", help="for other programs")
    repair.set_defaults(run=_repair)


def _new(arguments: argparse.Namespace) -> int:
    pad = PAD_DEFAULT[arguments.kind] if arguments.pad is None else arguments.pad
    config = LogConfig(
        name=arguments.name, origin=arguments.origin, kind=arguments.kind, pad=pad
    )
    new_log(arguments.dir, config)
    paths = LogFolder(path=arguments.dir / config.name)
    if arguments.classic:
        # It has signed nothing yet, and nobody knows it.
        durable.remove_file(paths.second_key)
    vkeys = [format_vkey(key) for key in load_keys(paths).verifiers]
    if arguments.json:
        terminal.print_json({"name": config.name, "origin": config.origin, "keys": vkeys})
    else:
        terminal.say("\n".join(vkeys))
    return 0


def _serve(arguments: argparse.Namespace) -> int:
    policy, pace = _read_policy(arguments.policy), _read_pace(arguments)
    with ExitStack() as stack:
        # All of them are read before the first one signs anything.
        configs = {
            folder: _read_config(folder, arguments.pad) for folder in find_logs(arguments.dir)
        }
        logs = [
            _start(stack, folder, config, policy, pace) for folder, config in configs.items()
        ]
        web.serve(
            make_site(logs),
            arguments.listen,
            ready=lambda url: terminal.say(f"listening on {url}"),
        )
    return 0


def _read_policy(path: Path) -> Policy:
    return parse_policy(durable.read_file(path, bytes_max=POLICY_BYTES_MAX))


def _read_pace(arguments: argparse.Namespace) -> Pace:
    if not EVERY_SECONDS_MIN <= arguments.every <= EVERY_SECONDS_MAX:
        raise MalformedError(f"--every: not {EVERY_SECONDS_MIN} to {EVERY_SECONDS_MAX} seconds")
    if not arguments.every <= arguments.republish <= REPUBLISH_SECONDS_MAX:
        raise MalformedError(
            f"--republish: not --every to {REPUBLISH_SECONDS_MAX:.0f} seconds",
            hint="readers refuse a Gazette whose cosignatures are older than a day",
        )
    if not 0 <= arguments.reserve <= _RESERVE_MIB_MAX:
        raise MalformedError(f"--reserve: not 0 to {_RESERVE_MIB_MAX} MiB")
    return Pace(
        every_seconds=arguments.every,
        republish_seconds=arguments.republish,
        reserve_bytes=arguments.reserve * _MIB,
    )


def _read_config(folder: Path, pad: int | None) -> LogConfig:
    config = load_config(folder)
    if pad is not None and config.kind == LEDGER:
        return replace(config, pad=pad)
    return config


def _start(
    stack: ExitStack, folder: Path, config: LogConfig, policy: Policy, pace: Pace
) -> Log:
    log = stack.enter_context(open_log(folder, config, policy, GATES[config.kind](), pace))
    stack.enter_context(writing(log))
    return log


def _fsck(arguments: argparse.Namespace) -> int:
    if arguments.name is None:
        folders = find_logs(arguments.dir)
    else:
        folders = [_existing(arguments.dir, arguments.name)]
    reports = [check_log(folder, terminal.note) for folder in folders]
    if arguments.json:
        terminal.print_json([_to_json(report) for report in reports])
    else:
        for report in reports:
            _say_report(report)
    return 0 if all(report.holds for report in reports) else UnverifiedError.exit_code


def _existing(folder: Path, name: str) -> Path:
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    if name not in names:
        raise RefusedError(
            f"{folder}/{name}: no log here", hint="--name is one folder below --dir"
        )
    return folder / name


def _to_json(report: Report) -> dict[str, object]:
    return {
        "log": report.folder.name,
        "holds": report.holds,
        "signed_size": report.signed_size,
        "settled_size": report.settled_size,
        "published_size": report.published_size,
        "findings": [asdict(finding) for finding in report.findings],
        "more": report.more,
    }


def _say_report(report: Report) -> None:
    name = report.folder.name
    for finding in report.findings:
        terminal.say(f"{name}: {finding.file}: {finding.what}\n    {finding.do}")
    if report.more:
        terminal.say(f"{name}: and {report.more:,} findings more")
    terminal.say(
        f"{name}: {'holds' if report.holds else 'does not hold'}: "
        f"{report.signed_size:,} entries signed, {report.settled_size:,} settled, "
        f"{report.published_size:,} published",
        colour="green" if report.holds else "red",
    )


def _repair(arguments: argparse.Namespace) -> int:
    folder = _existing(arguments.dir, arguments.name)
    policy = None if arguments.policy is None else _read_policy(arguments.policy)
    done = repair_log(folder, arguments.from_mirror, terminal.note, policy=policy)
    if arguments.json:
        set_aside = None if done.set_aside is None else str(done.set_aside)
        terminal.print_json({**asdict(done), "set_aside": set_aside})
    else:
        _say_repaired(arguments.name, done)
    return 0


def _say_repaired(name: str, done: Repaired) -> None:
    terminal.say(
        f"{name}: signed {done.signed_before:,} entries before, the mirror has "
        f"{done.mirror_size:,}; {done.files:,} files replaced"
    )
    if done.set_aside is not None:
        terminal.say(f"{name}: the journal that led elsewhere is kept: {done.set_aside}")
    if done.lost:
        terminal.warn(f"{name}: {done.lost:,} entries of it are in no tree: submit them again")
    if done.missing:
        terminal.warn(
            f"{name}: {done.missing:,} entries that were signed are beyond the mirror's tree: "
            "run this again when it has them"
        )
    else:
        terminal.say(f"{name}: is where the mirror is: safeconduct log fsck, then start it")
