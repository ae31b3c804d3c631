"""`safeconduct door`: serve the intake site, over an onion service or behind a proxy.

The verb alone serves, as `safeconduct door --dir DIR --listen HOST:PORT`; what else a body does
with its door is a verb below it, in `VERBS`. What runs beside the site is in `JOBS`.
"""

import argparse
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TypeAlias

from safeconduct.errors import RefusedError, SafeconductError
from safeconduct.parties.intake import definition_command, onion, staff_site
from safeconduct.parties.intake.accept import Intake, cached_gazette
from safeconduct.parties.intake.commits import Commits
from safeconduct.parties.intake.definition import load_definition
from safeconduct.parties.intake.gate import keep_gates
from safeconduct.parties.intake.notices import keep_notices
from safeconduct.parties.intake.present import Present
from safeconduct.parties.intake.site import make_site
from safeconduct.parties.intake.spool import Spools
from safeconduct.parties.intake.statistics import DAYS_FILE, Days, keep_days
from safeconduct.parties.intake.store import Store
from safeconduct.parties.intake.uploading import sweep_spools
from safeconduct.plumbing import dice, keys, terminal, web
from safeconduct.plumbing.durable import sole_writer
from safeconduct.plumbing.logs import log_leaves
from safeconduct.plumbing.programme import load_programme

KEY_FILE = definition_command.KEY_FILE
SPOOL_FOLDER = "spool"
LOCK_FILE = "door.lock"

EXAMPLE = """\
The folder holds programme.toml, policy.txt and server.key, the key that the founding record
names; door.sqlite and the envelopes are kept beside them:

  $ safeconduct door --dir /var/lib/door --listen 127.0.0.1:8001 --onion
  listening on http://127.0.0.1:8001
  onion service http://….onion

Nothing about visitors is stored or printed; see to it that nothing in front does so either.
"""
STAFF_KEY_EXAMPLE = """\
The line is shown once. It goes, in a file whose name ends in .auth_private, into the folder
that the person's own Tor names as ClientOnionAuthDir; Tor Browser asks for its last part:

  $ safeconduct door staff-key anna --dir /var/lib/door
"""

Job: TypeAlias = Callable[[threading.Event], None]
StaffRoutes: TypeAlias = Callable[[Intake], Sequence[web.Route]]

VERBS: Sequence[Callable[[terminal.Verbs], None]] = (
    lambda verbs: _add_staff_key(verbs),
    definition_command.add_verbs,
)
"""Who adds verbs below `door`; each gets argparse's sub-parsers."""

JOBS: Mapping[str, Callable[[Intake, threading.Event], None]] = {
    "gates": keep_gates,
    "spools": sweep_spools,
    "notices": keep_notices,
    "statistics": lambda intake, stop: keep_days(intake.days, intake.seconds, stop),
}
"""By name, what runs beside the site until the event is set; it is begun again if it fails."""

STAFF: Sequence[StaffRoutes] = (
    lambda _: [web.Route("GET", "/health", _health)],
    staff_site.routes,
)
"""Whose routes make up the staff site."""

_LISTENING = ("listening on", "staff pages on")
_AGAIN_SECONDS = 5.0
_END_SECONDS = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define `safeconduct door` and the verbs below it."""
    parser.epilog = EXAMPLE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--dir", type=Path, help="folder of this door")
    parser.add_argument(
        "--listen", default="127.0.0.1:8001", metavar="HOST:PORT", help="where to listen"
    )
    parser.add_argument("--staff", metavar="HOST:PORT", help="serve the staff pages there")
    parser.add_argument(
        "--behind-proxy", action="store_true", help="a proxy of yours names the visitors"
    )
    _add_onion_arguments(parser)
    parser.set_defaults(run=partial(_serve, parser))
    verbs = parser.add_subparsers(title="verbs", metavar="[VERB]")
    for add_verbs in VERBS:
        add_verbs(verbs)


def _add_onion_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--onion", action="store_true", help="run an onion service with Tor")
    parser.add_argument(
        "--onion-port",
        action="append",
        default=[],
        metavar="PORT=HOST:PORT",
        help="another server at a port of the onion service, such as the logs; repeatable",
    )
    parser.add_argument("--torrc", type=Path, metavar="FILE", help="further lines for Tor")


def _add_staff_key(verbs: terminal.Verbs) -> None:
    parser = terminal.add_verb(
        verbs, "staff-key", "let one more person reach the staff pages", STAFF_KEY_EXAMPLE
    )
    parser.add_argument("name", metavar="NAME", help="small letters, digits and hyphens")
    parser.add_argument("--dir", type=Path, required=True, help="folder of this door")
    parser.set_defaults(run=_make_staff_key)


def open_intake(folder: Path) -> Intake:
    """The door whose files lie in `folder`.

    Raises:
        MalformedError: one of them does not parse.
        RefusedError: others can read the key.
        UnavailableError: one of them is not there.
    """
    programme, present = load_programme(folder), Present()
    return Intake(
        programme=programme,
        key=keys.load_signing_key(folder / KEY_FILE),
        store=Store(folder),
        seconds=present.seconds,
        random_bytes=dice.random_bytes,
        gazette=present.watching(cached_gazette(programme, present.seconds)),
        commits=Commits(partial(log_leaves, programme)),
        spools=Spools(folder / SPOOL_FOLDER),
        definition=load_definition(folder),
        days=Days(folder / DAYS_FILE),
    )


def _serve(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    if options.dir is None:
        parser.error("the following arguments are required: --dir")
    onions = _onions(options)
    load_programme(options.dir)  # the folder of something else gets no lock of ours
    # A second door on this folder would empty the spools of the first.
    with sole_writer(options.dir / LOCK_FILE):
        _serve_alone(options, onions)
    return 0


def _serve_alone(options: argparse.Namespace, onions: onion.Onions | None) -> None:
    intake = open_intake(options.dir)
    running = {name: partial(job, intake) for name, job in JOBS.items()}
    sites = _sites(intake, options)
    beside: dict[str, Job] = {}
    if onions is not None:
        onion.prepare(onions, dice.random_bytes)
        sites.append(web.Site(app=sites[0].app, listen=onions.listen, circuits=True))
        beside = onion.jobs(onions)
    with ExitStack() as stack:

        def ready(addresses: Sequence[str]) -> None:
            for what, address in zip(
                _LISTENING, addresses[: 1 + bool(options.staff)], strict=False
            ):
                terminal.say(f"{what} {address}")
            stack.enter_context(_working({**running, **beside}))

        web.serve_all(sites, ready=ready)


def _sites(intake: Intake, options: argparse.Namespace) -> list[web.Site]:
    """The door, and the staff site if there is one."""
    door = make_site(intake)
    sites = [web.Site(app=door, listen=options.listen, trusted_proxy=options.behind_proxy)]
    if options.staff is not None:
        routes = [route for routes_of in STAFF for route in routes_of(intake)]
        hosts = (*staff_site.HOSTS, options.staff.rpartition(":")[0])
        sites.append(web.Site(app=web.make_app(routes, hosts=hosts), listen=options.staff))
    return sites


def _onions(options: argparse.Namespace) -> onion.Onions | None:
    if not options.onion:
        if options.onion_port or options.torrc:
            raise RefusedError("--onion-port and --torrc are nothing without --onion")
        return None
    return onion.Onions(
        folder=options.dir,
        staff=options.staff,
        ports=dict(onion.parse_onion_port(text) for text in options.onion_port),
        more="" if options.torrc is None else onion.read_more(options.torrc),
    )


@contextmanager
def _working(running: Mapping[str, Job]) -> Iterator[None]:
    """Run each job in a thread of its own during the block."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=_work, args=(name, job, stop), name=name, daemon=True)
        for name, job in running.items()
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(_END_SECONDS)


def _work(name: str, job: Job, stop: threading.Event) -> None:
    """Run a job until it returns; one that fails is begun again, as long as the door stands."""
    while not stop.is_set():
        try:
            job(stop)
        except SafeconductError as error:
            terminal.note(f"{name}: {error.message}")
        except Exception as error:
            # Its message might quote a visitor; its type and place in the code do not.
            places = "".join(traceback.format_tb(error.__traceback__))
            terminal.note(f"{name}: internal fault: {type(error).__name__}\n{places}")
        else:
            return
        stop.wait(_AGAIN_SECONDS)


def _health(_: web.Request) -> web.Response:
    return web.text("ok")


def _make_staff_key(options: argparse.Namespace) -> int:
    line = onion.new_staff_key(options.dir, options.name, dice.random_bytes)
    terminal.show_secret([line], [], "Press Enter when it is copied; it is not shown again.")
    return 0
