"""`safeconduct source verify-client`: whether a file is the client that the Gazette names."""

import argparse
import hashlib
from pathlib import Path

from safeconduct.errors import RefusedError, UnverifiedError
from safeconduct.parties.source.options import add_common
from safeconduct.plumbing import terminal
from safeconduct.plumbing.durable import read_stream
from safeconduct.plumbing.logs import read_gazette
from safeconduct.plumbing.programme import load_programme
from safeconduct.plumbing.terminal import Verbs
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.notice import ClientFile

EXAMPLES = """\
examples:
  safeconduct source verify-client safeconduct-source.pyz --programme programme/

Compares the file with what t of n board members have published for everybody. No words are
asked for. A client that was tampered with can lie about itself: check it with another program,
such as sha256sum and a Gazette that you read elsewhere, or on another machine.
"""


def add_verbs(verbs: Verbs) -> None:
    """Add `verify-client` to the verbs of a source."""
    verb = terminal.add_verb(
        verbs, "verify-client", "whether a file is the client that the Gazette names", EXAMPLES
    )
    add_common(verb)
    verb.add_argument("file", type=Path, metavar="FILE", help="the file that you downloaded")
    verb.set_defaults(run=_verify)


def _verify(options: argparse.Namespace) -> int:
    circuit = options.travel.circuits.of("gazette")
    state = read_gazette(load_programme(options.programme), circuit=circuit).state
    client = verify_client(state, options.file)
    if options.json:
        terminal.print_json(
            {
                "platform": client.platform,
                "version": client.version,
                "sha256": client.sha256.hex(),
                "size": client.size,
            }
        )
        return 0
    terminal.say(f"{options.file}: client {client.version} for {client.platform}, the newest")
    return 0


def verify_client(state: GazetteState, path: Path) -> ClientFile:
    """The client that the file at `path` is, the newest for its platform.

    Raises:
        UnverifiedError: the Gazette names no such file.
        RefusedError: it names a newer one for this platform.
        UnavailableError: there is no such file.
    """
    sha256, size = hashlib.sha256(), 0
    for piece in read_stream(path):
        sha256.update(piece)
        size += len(piece)
    for client in reversed(state.clients):
        if (client.sha256, client.size) == (sha256.digest(), size):
            return _newest(state, client)
    raise UnverifiedError(
        f"{path}: not a client that this programme's board has published",
        hint="do not run it; get it from the door again, or build it from the source code",
    )


def _newest(state: GazetteState, client: ClientFile) -> ClientFile:
    newest = state.client(client.platform)
    assert newest is not None
    if newest.sha256 != client.sha256:
        raise RefusedError(
            f"this is client {client.version}; {newest.version} has replaced it",
            hint="get the newer one: the older may have a fault that is known by now",
        )
    return client
