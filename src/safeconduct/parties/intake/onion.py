"""The door's onion services: one for everybody, one for staff with a key.

    <dir>/onion/        mode 0700
        torrc           written anew at each start
        door.sock       where Tor brings visitors, each with its circuit's line
        8081.sock       where Tor brings visitors of another server, from port 8081
        data/           Tor's own
        public/         key and name of the service for sources
        staff/          key and name of the service for staff; authorized_clients/

The staff service knows from its first moment a client whose key nobody has: without any, Tor
would let everybody in.

Spec: docs/6-operating.md; rend-spec-v3 (client authorisation).
"""

import base64
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from safeconduct.errors import MalformedError, UnavailableError
from safeconduct.plumbing import clock, durable, terminal, tor
from safeconduct.plumbing.relay import relay
from safeconduct.protocol.age.x25519 import KEY_BYTES, public_key
from safeconduct.protocol.canonical import decode_text, parse_decimal

WEB_PORT = 80
_TORRC_BYTES_MAX = 64 << 10
_PORT_MAX = 65_535
_NOBODY = "nobody"
_NAME_SECONDS = 60.0
_POLL_SECONDS = 0.2

RandomBytes = Callable[[int], bytes]
Job = Callable[[threading.Event], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Onions:
    """What is to be reachable through Tor: the door, staff pages at `staff`, other servers.

    `ports` leads from a port of the public service to HOST:PORT of another server, such as the
    logs; `more` are further lines of the torrc.
    """

    folder: Path
    staff: str | None = None
    ports: Mapping[int, str] = field(default_factory=dict)
    more: str = ""

    @property
    def listen(self) -> str:
        """Where the door listens for visitors that Tor brings."""
        return f"unix:{_root(self.folder) / 'door.sock'}"

    def listen_for(self, port: int) -> str:
        """Where visitors of another server arrive."""
        return f"unix:{_root(self.folder) / f'{port}.sock'}"


def prepare(onions: Onions, random_bytes: RandomBytes) -> None:
    """Make the folders and the torrc, and have Tor check it.

    Raises:
        MalformedError: Tor does not take it.
        UnavailableError: Tor is not there, or a disk refuses.
        RefusedError: others can look into the folders.
    """
    root = _root(onions.folder)
    for folder in (root, root / "data", _public(onions.folder)):
        tor.make_private(folder)
    services = [tor.Onion(folder=_public(onions.folder), ports=_ports(onions))]
    if onions.staff is not None:
        staff = _staff(onions.folder)
        tor.make_private(staff)
        _close(staff, random_bytes)
        services.append(tor.Onion(folder=staff, ports={WEB_PORT: onions.staff}, public=False))
    torrc = tor.format_torrc(root / "data", services, onions.more)
    durable.write_secret(root / "torrc", torrc.encode())
    tor.check_torrc(root / "torrc")


def jobs(onions: Onions) -> dict[str, Job]:
    """What runs beside the door as long as it serves: Tor, and a relay for each other port."""
    relays = {
        f"relay {port}": partial(relay, onions.listen_for(port), target)
        for port, target in onions.ports.items()
    }
    return {"tor": partial(_keep, onions), "names": partial(tell_names, onions), **relays}


def tell_names(onions: Onions, stop: threading.Event) -> None:
    """Print the services' addresses once Tor has given them.

    Raises:
        UnavailableError: it gave none for a minute.
    """
    told = {"onion service": _public(onions.folder)}
    if onions.staff is not None:
        told["staff onion service"] = _staff(onions.folder)
    deadline = clock.monotonic() + _NAME_SECONDS
    for what, folder in told.items():
        while (name := tor.read_hostname(folder)) is None:
            if clock.monotonic() > deadline:
                raise UnavailableError(f"tor gave the {what} no name", hint="see its errors")
            if stop.wait(_POLL_SECONDS):
                return
        terminal.say(f"{what} http://{name}")


def new_staff_key(folder: Path, name: str, random_bytes: RandomBytes) -> str:
    """Let one more person reach the staff pages; the line for their Tor, with the private key.

    It is kept nowhere: what stays here is the public half.

    Raises:
        UnavailableError: there is no staff service yet.
        MalformedError, RefusedError: as `tor.authorise`.
    """
    hostname = tor.read_hostname(_staff(folder)) if _staff(folder).is_dir() else None
    if hostname is None:
        raise UnavailableError(
            "there is no staff onion service yet",
            hint="start `safeconduct door --onion --staff HOST:PORT` once, then make the key",
        )
    secret = random_bytes(KEY_BYTES)
    tor.authorise(_staff(folder), name, _base32(public_key(secret)))
    return f"{hostname.removesuffix('.onion')}:descriptor:x25519:{_base32(secret)}"


def parse_onion_port(text: str) -> tuple[int, str]:
    """PORT=HOST:PORT, as `--onion-port` takes it.

    Raises:
        MalformedError: it is not, or the port is the door's own.
    """
    left, equals, target = text.partition("=")
    host, colon, right = target.rpartition(":")
    if not (equals and host and colon and right.isdecimal() and int(right) <= _PORT_MAX):
        raise MalformedError(
            f"{text}: not PORT=HOST:PORT", hint="for example 8081=127.0.0.1:8100"
        )
    port = parse_decimal(left, "port")
    if not 0 < port <= _PORT_MAX or port == WEB_PORT:
        raise MalformedError(f"{left}: not a port, or the door's own")
    return port, target


def read_more(path: Path) -> str:
    """Further lines for the torrc, from a file.

    Raises:
        MalformedError: not UTF-8, or too long.
        UnavailableError: it cannot be read.
    """
    return decode_text(durable.read_file(path, bytes_max=_TORRC_BYTES_MAX), path.name)


def _keep(onions: Onions, stop: threading.Event) -> None:
    watched = [tor.clients(_staff(onions.folder))] if onions.staff is not None else []
    tor.keep_tor(_root(onions.folder) / "torrc", stop, watched=watched)


def _ports(onions: Onions) -> dict[int, str]:
    others = {port: onions.listen_for(port) for port in onions.ports}
    return {WEB_PORT: onions.listen, **others}


def _close(staff: Path, random_bytes: RandomBytes) -> None:
    """Authorise a key that nobody has, so that nobody gets in before somebody is let in."""
    if not (tor.clients(staff) / f"{_NOBODY}.auth").exists():
        tor.authorise(staff, _NOBODY, _base32(public_key(random_bytes(KEY_BYTES))))


def _base32(key: bytes) -> str:
    return base64.b32encode(key).decode().rstrip("=")


def _root(folder: Path) -> Path:
    return folder.absolute() / "onion"


def _public(folder: Path) -> Path:
    return _root(folder) / "public"


def _staff(folder: Path) -> Path:
    return _root(folder) / "staff"
