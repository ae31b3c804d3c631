"""`safeconduct monitor run`: watch a programme, once or on and on."""

import argparse
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from safeconduct.errors import MalformedError, RefusedError, UnavailableError
from safeconduct.parties.monitor.peers import witnesses_of
from safeconduct.parties.monitor.places import STALE_SECONDS
from safeconduct.parties.monitor.site import alerts_json, make_site
from safeconduct.parties.monitor.store import Store, open_store
from safeconduct.parties.monitor.tell import Say, say_line, split_command, tell
from safeconduct.parties.monitor.watch import ANSWER_DAYS, Watch, Watched, open_watch
from safeconduct.plumbing import durable, fetch, terminal, web
from safeconduct.plumbing.programme import load_programme
from safeconduct.protocol.listing import OBJECT_BYTES_MAX

EVERY_SECONDS = 60.0
EVERY_SECONDS_MIN, EVERY_SECONDS_MAX = 1.0, 86_400.0
MIRRORS_MAX = 16
_GRACE_SECONDS = 10.0
_LOCK_FILE = "lock"
_ADDRESSES = ("http://", "https://")

_RUN = """\
Watches both logs, every witness's own endpoint, mirrors, and what is owed by a date. Nobody
needs to be asked, and nobody learns that it runs but from the requests it makes:

  $ safeconduct monitor run --programme programme/ --dir watch/
  $ safeconduct monitor run --programme programme/ --dir watch/ --once; echo $?
  $ safeconduct monitor run --programme programme/ --dir watch/ --listen 127.0.0.1:8103 \\
        --mirror https://mirror.example --on-alert 'mail -s alert desk@paper.example'

Take the policy from somebody you trust: it says which logs and witnesses count. Look after
this machine's clock, for what is fresh is judged by it.

An alert is told once when it begins and once when it ends, with its evidence in DIR/evidence/.
--on-alert runs a command for each, without a shell, with the alert as JSON on its standard
input; one that fails is asked again, 20 times, or for a proven contradiction until it takes it.
After a crash an alert may be told twice, under the same
number.

Watched duties: an open desk key; nothing published before it is final; the board's count; the
reviews that the law sets; with --public the days that listings set for their review and end;
with --owed your own tips: NAME.record and NAME.delivery, and NAME.acknowledgement as soon as
you have it. Nobody outside can see whether a tip was opened, whether a claim waits (no date is
set for that), or whether a decision is held back that the law lets stay unpublished.

--once exits with 0 if all is well, 11 if a log contradicts itself, 10 if something does not
hold or is missing, 75 if somebody cannot be reached; the gravest counts.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the verbs of `safeconduct monitor`."""
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    run = terminal.add_verb(verbs, "run", "watch logs, witnesses, mirrors and duties", _RUN)
    run.add_argument(
        "--programme",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="programme.toml, policy.txt",
    )
    run.add_argument("--dir", type=Path, required=True, help="the monitor's memory")
    run.add_argument("--once", action="store_true", help="one round, then exit")
    run.add_argument(
        "--every",
        type=float,
        default=EVERY_SECONDS,
        metavar="SECONDS",
        help="a round this often (default %(default)s)",
    )
    run.add_argument("--listen", metavar="HOST:PORT", help="serve the page and the figures")
    run.add_argument("--mirror", action="append", default=[], metavar="URL", help="a mirror")
    run.add_argument(
        "--public", metavar="PLACE", help="the public folder, or the address it is served at"
    )
    run.add_argument("--owed", type=Path, metavar="FOLDER", help="your own tips' files")
    run.add_argument(
        "--answer-days",
        type=int,
        default=ANSWER_DAYS,
        metavar="DAYS",
        help="how long the desk may take to answer them (default %(default)s)",
    )
    run.add_argument(
        "--stale",
        type=int,
        default=STALE_SECONDS,
        metavar="SECONDS",
        help="how old a log's newest date may be (default %(default)s)",
    )
    run.add_argument(
        "--on-alert", metavar="COMMAND", help="run for each alert, without a shell"
    )
    run.add_argument("--json", action="store_true", help="print JSON")
    run.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    watched = _watched(arguments)
    command = split_command(arguments.on_alert) if arguments.on_alert else None
    if arguments.once and arguments.listen:
        raise RefusedError("--once serves nothing", hint="leave out --once or --listen")
    if not EVERY_SECONDS_MIN <= arguments.every <= EVERY_SECONDS_MAX:
        raise MalformedError(f"--every: not {EVERY_SECONDS_MIN} to {EVERY_SECONDS_MAX} seconds")
    durable.make_folder(arguments.dir)
    with ExitStack() as stack:
        stack.enter_context(durable.sole_writer(arguments.dir / _LOCK_FILE))
        store = open_store(arguments.dir)
        stack.callback(store.close)
        watch = open_watch(watched, store)
        if arguments.once:
            return _once(watch, command, as_json=arguments.json)
        say: Say = terminal.print_json if arguments.json else say_line
        _go_on(watch, store, say, command, arguments.every, arguments.listen)
    return 0


def _watched(arguments: argparse.Namespace) -> Watched:
    for option in ("listen", "on_alert", "public"):
        # A script's variable that is not set must not silence anybody.
        if getattr(arguments, option) == "":
            raise MalformedError(f"--{option.replace('_', '-')}: nothing is given")
    if len(arguments.mirror) > MIRRORS_MAX:
        raise MalformedError(f"--mirror: more than {MIRRORS_MAX}")
    for url in arguments.mirror:
        if not url.startswith(_ADDRESSES):
            raise MalformedError(f"--mirror: {url}: not an http(s) address")
    if arguments.answer_days < 1 or arguments.stale < 1:
        raise MalformedError("--answer-days and --stale: at least 1")
    if arguments.owed is not None and not arguments.owed.is_dir():
        raise UnavailableError(f"{arguments.owed}: no such folder")
    programme = load_programme(arguments.programme)
    mirrors = tuple(dict.fromkeys(url.rstrip("/") for url in arguments.mirror))
    both = {witness.url for witness in witnesses_of(programme.policy)} & set(mirrors)
    if both:
        raise RefusedError(f"--mirror: {min(both)} is a witness of the policy")
    return Watched(
        programme=programme,
        mirrors=mirrors,
        owed=arguments.owed,
        public=_public_reader(arguments.public) if arguments.public else None,
        stale_seconds=arguments.stale,
        answer_days=arguments.answer_days,
    )


def _public_reader(place: str) -> Callable[[str], bytes]:
    """Reads a file of the public folder by its name, from a disk or a web server."""
    if place.startswith(_ADDRESSES):
        base = place.rstrip("/")
        return lambda name: fetch.get(f"{base}/{name}", bytes_max=OBJECT_BYTES_MAX)
    folder = Path(place)
    if not folder.is_dir():
        raise UnavailableError(f"{place}: no such folder")
    return lambda name: durable.read_file(folder / name, bytes_max=OBJECT_BYTES_MAX)


def _once(watch: Watch, command: list[str] | None, *, as_json: bool) -> int:
    watch.round()
    if as_json:
        tell(watch.store, lambda _: None, command)
        terminal.print_json(alerts_json(watch.store))
    else:
        tell(watch.store, say_line, command)
        _say_standing(watch.store)
    return watch.exit_code()


def _say_standing(store: Store) -> None:
    standing = store.alerts()
    for alert in standing:
        terminal.say(f"stands: {alert.id} ({alert.severity})")
    if not standing:
        terminal.say("all is well", colour="green")


def _go_on(
    watch: Watch,
    store: Store,
    say: Say,
    command: list[str] | None,
    every_seconds: float,
    listen: str | None,
) -> None:
    """Rounds until SIGTERM or SIGINT; beside them the site, if there is to be one."""
    stop = threading.Event()

    def rounds() -> None:
        while not stop.is_set():
            watch.round()
            tell(store, say, command)
            stop.wait(every_seconds)

    if listen is None:
        with _ending(stop):
            rounds()
    else:
        _serve(
            store, listen, rounds, stop, terminal.note if say is not say_line else terminal.say
        )


def _serve(
    store: Store,
    listen: str,
    rounds: Callable[[], None],
    stop: threading.Event,
    announce: Callable[[str], None],
) -> None:
    """Serve the site while the rounds go on in a thread.

    Raises:
        SafeconductError: whatever ended the rounds: a page that stands on as if all were well
            would be worse than none.
    """
    failures = list[Exception]()

    def guarded() -> None:
        try:
            rounds()
        except Exception as error:
            if not stop.is_set():
                failures.append(error)
                signal.raise_signal(signal.SIGTERM)

    thread = threading.Thread(target=guarded, daemon=True)

    def ready(url: str) -> None:
        announce(f"listening on {url}")
        thread.start()

    try:
        web.serve(make_site(store), listen, ready=ready)
    finally:
        stop.set()
        if thread.is_alive():
            # A round cut off in the middle is begun again at the next start.
            thread.join(_GRACE_SECONDS)
    for failure in failures:
        raise failure


@contextmanager
def _ending(stop: threading.Event) -> Iterator[None]:
    """Let the running round finish when the process is asked to end; asked twice, end now."""

    def end(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
