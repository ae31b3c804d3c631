"""`safeconduct witness`: make a witness's keys, serve it, bring it up to date."""

import argparse
from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from pathlib import Path

from safeconduct.errors import RefusedError, UnverifiedError
from safeconduct.parties.witness import logs, rewind
from safeconduct.parties.witness.catch_up import catch_up
from safeconduct.parties.witness.cosign import Keys, Witness
from safeconduct.parties.witness.logs import Log
from safeconduct.parties.witness.memory import Memory, load_keys, new_keys, working_in
from safeconduct.parties.witness.site import make_site
from safeconduct.plumbing import clock, durable, terminal, web
from safeconduct.plumbing.remote import RemoteLog
from safeconduct.protocol.tlog.note import format_vkey

_NEW = """\
Makes the keys of a new witness and prints their public halves, which go into policies: an
Ed25519 key, which every log understands, and an ML-DSA-44 key, which quantum computers do not
break. Every answer bears a signature of each.

  $ safeconduct witness new --dir /var/lib/witness --name witness.example
  witness.example+6d2f0c1a+BH…
  witness.example+9ee1a3b0+Bv…

In a policy the two are two witness lines with the same address, joined by a group:

  witness example-1 witness.example+6d2f0c1a+BH… https://witness.example
  witness example-2 witness.example+9ee1a3b0+Bv… https://witness.example
  group example all example-1 example-2

The folder is the witness's memory. Never put it back from a backup: a witness that forgets
signs forks. If it is lost, make a new witness under a new name.
"""

_SERVE = """\
Cosigns the checkpoints of the logs it is given, and of no others:

  $ safeconduct witness serve --dir /var/lib/witness --listen 127.0.0.1:8101 \\
        --log 'log.example/gazette+16541b8f+AZ…' --log 'log.example/ledger+…' \\
        --seen-at https://log.example/ledger/checkpoint --peer https://other.example

The logs need not be yours. Several --log of one origin are keys of one log: to change a log's
key, give the new one beside the old until it has signed a checkpoint. --logs FILE takes one
vkey a line, or a list of the witness network (logs/v0); a list only ever adds logs.

Before it starts it looks whether its own memory is the latest: beside its database, at the
addresses of --seen-at (checkpoints that bear its signatures), and at other witnesses (--peer).
If it is behind, it refuses, and `witness catch-up` is the remedy; but a log of a list that
others know further is left out, and the others are served.

A log that signs two histories is not cosigned any more; the proof is at /<SHA-256 of the
origin, hex>/forks and in the folder, and `safeconduct fork verify` checks it.

Look after the machine's clock: the witness's signatures are dates.
"""

_CATCH_UP = """\
Moves the witness's memory of one log forward to the log's latest tree. The log's own tiles must
prove that it continues what the witness knows; nothing is signed.

  $ safeconduct witness catch-up --dir /var/lib/witness --log 'log.example/ledger+…' \\
        --log-url https://log.example/ledger --peer https://other.example
  log.example/ledger: from 8121 to 8170 entries

For a witness that was away, or whose folder was put back from a backup. In the second case the
dates it gave meanwhile are taken over where they are found, at the log or beside the database.
If the log turns out to have two histories, the proof is kept and the command fails.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the verbs of `safeconduct witness`."""
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    new = terminal.add_verb(verbs, "new", "make a witness's keys", _NEW)
    _add_folder(new)
    new.add_argument("--name", required=True, help="its public name, without spaces")
    new.add_argument("--classic", action="store_true", help="no ML-DSA-44 key")
    new.set_defaults(run=_new)
    serve = terminal.add_verb(verbs, "serve", "cosign checkpoints over HTTP", _SERVE)
    _add_folder(serve)
    serve.add_argument("--listen", required=True, metavar="HOST:PORT", help="where to listen")
    _add_many(serve, "--log", "VKEY", "a log to cosign for, or one more key of it")
    _add_many(serve, "--logs", "FILE", "a list of logs to cosign for", of=Path)
    _add_many(serve, "--seen-at", "URL", "a checkpoint that bears this witness's signatures")
    _add_many(serve, "--peer", "URL", "another witness")
    serve.set_defaults(run=_serve)
    late = terminal.add_verb(
        verbs, "catch-up", "move to a log's latest tree, signing nothing", _CATCH_UP
    )
    _add_folder(late)
    _add_many(late, "--log", "VKEY", "the log, or one more key of it", required=True)
    late.add_argument("--log-url", required=True, metavar="URL", help="where its tiles are")
    _add_many(late, "--peer", "URL", "another witness, which may know a larger tree")
    late.set_defaults(run=_catch_up)


def _add_folder(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--dir", type=Path, required=True, help="folder of this witness")


def _add_many(
    verb: argparse.ArgumentParser,
    option: str,
    metavar: str,
    meaning: str,
    *,
    of: type[str] | type[Path] = str,
    required: bool = False,
) -> None:
    """An option that may be given many times; without any it is an empty list."""
    verb.add_argument(
        option,
        action="append",
        default=[],
        metavar=metavar,
        help=meaning,
        type=of,
        required=required,
    )


def _new(arguments: argparse.Namespace) -> int:
    for key in new_keys(arguments.dir, arguments.name, classic=arguments.classic):
        terminal.say(format_vkey(key.cosigner()))
    return 0


def _serve(arguments: argparse.Namespace) -> int:
    own = load_keys(arguments.dir)
    given = logs.logs_of(map(logs.log_key, arguments.log))
    with working_in(arguments.dir) as memory:
        keys = Keys(own=own, logs=_served(memory, given, arguments.logs))
        keys = _check_memory(memory, keys, given, arguments.seen_at, arguments.peer)
        site = make_site(Witness(keys=keys, memory=memory))
        web.serve(
            site,
            arguments.listen,
            ready=lambda url: terminal.say(f"listening on {url}"),
        )
    return 0


def _served(memory: Memory, given: dict[str, Log], lists: Sequence[Path]) -> dict[str, Log]:
    """The logs to serve: those given, and those that lists bring now or have ever brought.

    Raises:
        RefusedError: there is none, or a log that was given comes with other keys than before.
    """
    for path in lists:
        data = durable.read_file(path, bytes_max=logs.LIST_BYTES_MAX)
        listed, remarks = logs.parse_list(data)
        for remark in remarks:
            terminal.warn(f"{path}: {remark}")
        memory.store.add_listed(log for log in listed if log.origin not in given)
    memory.store.remember(given)
    for log in given.values():
        rewind.refuse_changed_keys(memory.store, log)
    served = dict(_brought(memory, given)) if lists else {}
    if not served and not given:
        raise RefusedError("no log to serve", hint="give --log VKEY, or --logs FILE")
    return served | given


def _brought(memory: Memory, given: dict[str, Log]) -> Iterator[tuple[str, Log]]:
    """The logs of lists, but those that somebody gave, or gave before under other keys."""
    brought = {log.origin: logs.log_listed(log) for log in memory.store.listed()}
    memory.store.remember(brought)
    for origin in brought.keys() - given.keys():
        try:
            rewind.refuse_changed_keys(memory.store, brought[origin])
        except RefusedError as error:
            # A list is somebody else's: it must not keep us from serving the other logs.
            terminal.warn(f"this log is left out: {error.message}")
            continue
        yield origin, brought[origin]


def _check_memory(
    memory: Memory,
    keys: Keys,
    given: Collection[str],
    seen_at: Sequence[str],
    peers: Sequence[str],
) -> Keys:
    """The keys, without the logs of lists that others know further than we do.

    Raises:
        RefusedError: a log that somebody gave is such a log; or our own signature shows that
            we have forgotten; or no log is left.
    """
    # One note at a time: what many logs' notes take up is for strangers to say.
    found = chain(
        memory.published.notes(),
        rewind.shown_at(seen_at, terminal.warn),
        rewind.known_to(peers, keys.logs, terminal.warn),
    )
    behind: dict[str, RefusedError] = {}
    for sighting in rewind.sightings(keys, found, terminal.warn):
        try:
            rewind.refuse_if_behind(memory, sighting, clock.seconds())
        except RefusedError as error:
            if sighting.own_at or sighting.log.origin in given:
                raise
            behind[sighting.log.origin] = error
    return _without(keys, behind)


def _without(keys: Keys, behind: dict[str, RefusedError]) -> Keys:
    """No log of a list keeps us from serving the others by what it shows a peer."""
    left = {origin: log for origin, log in keys.logs.items() if origin not in behind}
    for error in behind.values():
        if not left:
            raise error
        terminal.warn(f"this log is left out: {error.message}; {error.hint}")
    return Keys(own=keys.own, logs=left)


def _catch_up(arguments: argparse.Namespace) -> int:
    own = load_keys(arguments.dir)
    given = logs.logs_of(map(logs.log_key, arguments.log))
    if len(given) != 1:
        raise RefusedError("these are keys of several logs", hint="catch up with one at a time")
    [(origin, log)] = given.items()
    remote = RemoteLog(arguments.log_url)
    with working_in(arguments.dir) as memory:
        memory.store.remember(given)
        rewind.refuse_changed_keys(memory.store, log)
        found = [
            (remote.url, remote.checkpoint()),
            *memory.published.notes(),
            *rewind.known_to(arguments.peer, given, terminal.warn),
        ]
        sightings = list(rewind.sightings(Keys(own=own, logs=given), found, terminal.warn))
        if not any(one.where == remote.url for one in sightings):
            raise UnverifiedError(
                f"{remote.url}: shows no checkpoint of this log",
                hint="give --log-url the log's address, or that of a mirror",
            )
        before, after = catch_up(memory, log, remote, sightings, clock.seconds())
    terminal.say(f"{origin}: from {before.size} to {after.size} entries")
    return 0
