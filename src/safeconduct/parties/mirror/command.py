"""`safeconduct mirror`: make a mirror, copy once, or copy on and on and serve the copies."""

import argparse
from pathlib import Path

from safeconduct.errors import ConflictError, MalformedError
from safeconduct.parties.mirror.folder import new_mirror
from safeconduct.parties.mirror.follow import (
    EVERY_SECONDS,
    Mirror,
    copy_once,
    following,
    open_mirror,
)
from safeconduct.parties.mirror.site import make_site
from safeconduct.plumbing import terminal, web
from safeconduct.protocol.statute.instant import format_instant
from safeconduct.protocol.tlog.note import format_vkey

_EVERY_SECONDS_MIN, _EVERY_SECONDS_MAX = 0.05, 86_400.0

_NEW = """\
Makes a mirror of a programme's two logs and of its door's shelf, or of any logs for which a
policy has a line `log VKEY URL`:

  $ safeconduct mirror new --dir /var/lib/mirror --programme programme/
  $ safeconduct mirror new --dir /var/lib/mirror --programme policy.txt --name mirror.example
  mirror.example+6d2f0c1a+BH…

With a name it gets keys and cosigns what it has copied. Then never restore it from a backup.
"""

_COPY = """\
Copies what is new, and exits: 0 if all went well, 11 if a log contradicts itself:

  $ safeconduct mirror copy --dir /var/lib/mirror
  gazette: 12 entries, dated 2027-01-15T08:00:00Z
  ledger: 20480 entries, dated 2027-01-15T08:00:02Z
"""

_SERVE = """\
Copies on and on, and serves the copies; what is copied is served whatever happens:

  $ safeconduct mirror serve --dir /var/lib/mirror --listen 127.0.0.1:8102
  listening on http://127.0.0.1:8102

A source gets every receipt back from it: safeconduct source restore --mirror URL.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the verbs of `safeconduct mirror`."""
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    new = terminal.add_verb(verbs, "new", "make a mirror", _NEW)
    _add_folder(new)
    new.add_argument(
        "--programme",
        type=Path,
        nargs="+",
        required=True,
        metavar="PATH",
        help="the programme's folder, its two files, or a policy alone",
    )
    new.add_argument("--name", help="cosign the copies under this name, which no witness has")
    new.set_defaults(run=_new)
    copy = terminal.add_verb(verbs, "copy", "copy what is new, once", _COPY)
    _add_folder(copy)
    copy.set_defaults(run=_copy)
    serve = terminal.add_verb(verbs, "serve", "copy on and on, and serve the copies", _SERVE)
    _add_folder(serve)
    serve.add_argument("--listen", required=True, metavar="HOST:PORT", help="where to listen")
    serve.add_argument(
        "--every",
        type=float,
        default=EVERY_SECONDS,
        metavar="SECONDS",
        help="look for new entries this often (default %(default)s)",
    )
    serve.set_defaults(run=_serve)


def _add_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dir", type=Path, required=True, help="folder of this mirror")


def _new(options: argparse.Namespace) -> int:
    for key in new_mirror(options.dir, options.programme, options.name):
        terminal.say(format_vkey(key.cosigner()))
    return 0


def _copy(options: argparse.Namespace) -> int:
    with open_mirror(options.dir) as mirror:
        errors = copy_once(mirror)
        _tell(mirror)
    # A contradiction weighs most: it is evidence, the others are only trouble.
    ranked = sorted(errors, key=lambda error: not isinstance(error, ConflictError))
    for error in ranked[1:]:
        terminal.warn(error.message)
    if ranked:
        raise ranked[0]
    return 0


def _tell(mirror: Mirror) -> None:
    for copy in mirror.copies:
        shown = copy.published
        size, dated = (
            (shown.tree.size, format_instant(shown.logged_by)) if shown else (0, "never")
        )
        terminal.say(f"{copy.source.name}: {size} entries, dated {dated}")


def _serve(options: argparse.Namespace) -> int:
    if not _EVERY_SECONDS_MIN <= options.every <= _EVERY_SECONDS_MAX:
        raise MalformedError(
            f"--every: not {_EVERY_SECONDS_MIN} to {_EVERY_SECONDS_MAX:.0f} seconds"
        )
    with open_mirror(options.dir) as mirror, following(mirror, options.every):
        web.serve(
            make_site(mirror),
            options.listen,
            ready=lambda url: terminal.say(f"listening on {url}"),
        )
    return 0
