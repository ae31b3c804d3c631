"""`safeconduct door`: serve the intake site."""

import argparse
from pathlib import Path

from safeconduct.parties.intake.accept import Intake, cached_gazette
from safeconduct.parties.intake.site import make_site
from safeconduct.parties.intake.store import Store
from safeconduct.plumbing import clock, dice, keys, terminal, web
from safeconduct.plumbing.programme import load_programme

KEY_FILE = "server.key"

EXAMPLE = """\
The folder holds programme.toml, policy.txt and server.key, the key that the founding record
names; door.sqlite and the envelopes are kept beside them:

  $ safeconduct door --dir /var/lib/door --listen 127.0.0.1:8001
  listening on http://127.0.0.1:8001

Put an onion service in front of it. Nothing about visitors is stored or printed; see to it that
nothing in front of it does so either.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define `safeconduct door`."""
    parser.epilog = EXAMPLE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--dir", type=Path, required=True, help="folder of this door")
    parser.add_argument(
        "--listen", default="127.0.0.1:8001", metavar="HOST:PORT", help="where to listen"
    )
    parser.set_defaults(run=_serve)


def open_intake(folder: Path) -> Intake:
    """The door whose files lie in `folder`.

    Raises:
        MalformedError: one of them does not parse.
        RefusedError: others can read the key.
        UnavailableError: one of them is not there.
    """
    programme = load_programme(folder)
    return Intake(
        programme=programme,
        key=keys.load_signing_key(folder / KEY_FILE),
        store=Store(folder),
        seconds=clock.seconds,
        random_bytes=dice.random_bytes,
        gazette=cached_gazette(programme, clock.seconds),
    )


def _serve(options: argparse.Namespace) -> int:
    site = make_site(open_intake(options.dir))
    web.serve(site, options.listen, ready=lambda url: terminal.say(f"listening on {url}"))
    return 0
