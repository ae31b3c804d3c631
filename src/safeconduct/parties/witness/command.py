"""`safeconduct witness`: make a witness's key, and serve it."""

import argparse
from pathlib import Path

from safeconduct.errors import RefusedError
from safeconduct.parties.witness.cosign import Keys
from safeconduct.parties.witness.site import make_site
from safeconduct.parties.witness.store import open_store
from safeconduct.plumbing import keys, terminal, web
from safeconduct.protocol.tlog.note import (
    COSIGNATURE,
    ED25519,
    VerifierKey,
    format_vkey,
    parse_vkey,
)

_KEY_FILE = "key"
_DATABASE_FILE = "witness.db"

_NEW = """\
Makes the key of a new witness and prints its public half, which goes into policies:

  $ safeconduct witness new --dir /var/lib/witness --name witness.example
  witness.example+6d2f0c1a+BH…

The folder is the witness's memory. Never restore it from a backup: a witness that forgets
signs forks. If it is lost, make a new witness.
"""

_SERVE = """\
Cosigns the checkpoints of the logs it is given, and of no others:

  $ safeconduct witness serve --dir /var/lib/witness --listen 127.0.0.1:8101 \\
        --log 'log.example/gazette+16541b8f+AZ…' --log 'log.example/ledger+…'

Look after the machine's clock: the witness's signatures are dates.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the verbs of `safeconduct witness`."""
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    new = terminal.add_verb(verbs, "new", "make a witness's key", _NEW)
    new.add_argument("--dir", type=Path, required=True, help="folder of this witness")
    new.add_argument("--name", required=True, help="its public name, without spaces")
    new.set_defaults(run=_new)
    serve = terminal.add_verb(verbs, "serve", "cosign checkpoints over HTTP", _SERVE)
    serve.add_argument("--dir", type=Path, required=True, help="folder of this witness")
    serve.add_argument("--listen", required=True, metavar="HOST:PORT", help="where to listen")
    serve.add_argument(
        "--log", action="append", required=True, metavar="VKEY", help="a log to cosign for"
    )
    serve.set_defaults(run=_serve)


def _new(arguments: argparse.Namespace) -> int:
    key = keys.new_signing_key(arguments.dir / _KEY_FILE, arguments.name)
    terminal.say(format_vkey(key.verifier(COSIGNATURE)))
    return 0


def _serve(arguments: argparse.Namespace) -> int:
    own = keys.load_signing_key(arguments.dir / _KEY_FILE)
    logs = {key.name: key for key in map(_log_key, arguments.log)}
    store = open_store(arguments.dir / _DATABASE_FILE, logs)
    try:
        site = make_site(store, Keys(own=own, logs=logs))
        web.serve(site, arguments.listen, ready=lambda url: terminal.say(f"listening on {url}"))
    finally:
        store.close()
    return 0


def _log_key(text: str) -> VerifierKey:
    key = parse_vkey(text)
    if key.algorithm != ED25519:
        raise RefusedError("a log's key is of type 0x01", hint="did you give a witness's key?")
    return key
