"""Circuits: how a source's requests go through Tor so that nobody ties them to each other.

A circuit is a SOCKS5 proxy and a name and password that were drawn for one purpose in one run.
Tor sends streams with other names over other relays (IsolateSOCKSAuth), so that the shelf, the
commitment and the delivery come from different places.

    client  05 01 02                                  one method: name and password
    proxy   05 02
    client  01 ‖ u8 length ‖ name ‖ u8 length ‖ password
    proxy   01 00
    client  05 01 00 ‖ address ‖ u16 port             address: 03 ‖ u8 length ‖ host name, or
    proxy   05 00 00 ‖ address ‖ u16 port             01 ‖ IPv4 (4), 04 ‖ IPv6 (16)

Host names go to the proxy as they are: asking the local resolver would tell who is visited.

Spec: RFC 1928, RFC 1929; docs/3-protocol.md §27.
"""

import ipaddress
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from safeconduct.errors import MalformedError, UnavailableError

PURPOSES = (
    "gazette",
    "shelf",
    "commit",
    "capsule",
    "deliver",
    "bulletin",
    "ledger",
    "register",
    "proof",
)
"""What a source goes to the network for; each purpose has a circuit of its own in each run."""

_CREDENTIAL_BYTES = 16
_HOST_BYTES_MAX = 255
_PORT_MAX = 65_535
_GREETING_SECONDS = 5.0

_VERSION, _AUTH_VERSION = 5, 1
_WITH_PASSWORD, _CONNECT, _DONE = 2, 1, 0
_IPV4, _NAME, _IPV6 = 1, 3, 4
_ADDRESS_BYTES = {_IPV4: 4, _IPV6: 16}
_REFUSALS = {
    1: "it failed",
    2: "its rules forbid it",
    3: "the network cannot be reached",
    4: "the host cannot be reached",
    5: "the connection was refused",
    6: "it took too long",
    7: "it takes no such command",
    8: "it takes no such address",
    0xF0: "no such onion service is known",
    0xF1: "the onion service's description is broken",
    0xF2: "the onion service did not answer",
    0xF3: "no way to the onion service was found",
    0xF4: "the onion service wants a key",
    0xF5: "the onion service took another key",
    0xF6: "this is no onion address",
    0xF7: "the onion service took too long",
}

_FAULTS: Mapping[type[Exception], str] = {
    ConnectionResetError: "it broke off",
    BrokenPipeError: "it broke off",
    TimeoutError: "it does not answer",
}

Read = Callable[[int], bytes]
Write = Callable[[bytes], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """A SOCKS5 proxy, and the name and password that keep this circuit apart from others."""

    host: str
    port: int
    name: bytes = field(repr=False)
    password: bytes = field(repr=False)

    @property
    def proxy(self) -> str:
        """The proxy as a person writes it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuits:
    """The circuits of one run by purpose; none at all if it goes without a proxy."""

    by_purpose: Mapping[str, Circuit] = field(default_factory=dict, repr=False)

    def of(self, purpose: str) -> Circuit | None:
        """The circuit for one of `PURPOSES`; None if everything goes directly."""
        if purpose not in PURPOSES:
            raise ValueError(f"{purpose!r} is no purpose of a circuit")
        return self.by_purpose[purpose] if self.by_purpose else None

    def check(self) -> None:
        """Ensure that a SOCKS5 proxy is there, before anything is asked of it.

        Raises:
            UnavailableError: there is none, or it keeps no circuits apart.
        """
        for circuit in list(self.by_purpose.values())[:1]:
            _greet(circuit)


DIRECT = Circuits()
"""No proxy: whoever is asked sees this machine's address."""


def draw_circuits(proxy: str, random_bytes: Callable[[int], bytes]) -> Circuits:
    """A circuit for each purpose through the SOCKS5 proxy at `host:port`.

    Raises:
        MalformedError: not a host and a port.
    """
    host, port = _parse_proxy(proxy)
    drawn = {
        purpose: Circuit(
            host=host,
            port=port,
            name=random_bytes(_CREDENTIAL_BYTES).hex().encode(),
            password=random_bytes(_CREDENTIAL_BYTES).hex().encode(),
        )
        for purpose in PURPOSES
    }
    return Circuits(by_purpose=drawn)


def connect_through(circuit: Circuit, host: str, port: int, read: Read, write: Write) -> None:
    """Have the proxy at the other end of `read` and `write` connect to `host` and `port`.

    `read(n)` gives 1 to n bytes, or none at the end. No byte beyond the proxy's answer is read.

    Raises:
        UnavailableError: the proxy refuses, breaks off or talks something else.
    """
    _authenticate(circuit, read, write)
    write(bytes([_VERSION, _CONNECT, 0]) + _address(host) + port.to_bytes(2, "big"))
    version, reply, _, kind = _exactly(circuit, read, 4)
    if version != _VERSION:
        raise unusable(circuit, "it does not talk SOCKS5")
    if reply != _DONE:
        told = _REFUSALS.get(reply, f"its answer was {reply}")
        raise UnavailableError(
            f"the proxy at {circuit.proxy} does not get through to {host}: {told}",
            hint="try again in a moment",
        )
    length = _ADDRESS_BYTES.get(kind)
    if kind == _NAME:
        length = _exactly(circuit, read, 1)[0]
    if length is None:
        raise unusable(circuit, "it does not talk SOCKS5")
    _exactly(circuit, read, length + 2)


def is_onion(host: str) -> bool:
    """Whether `host` is an onion service, which only Tor can find."""
    return host.lower().rstrip(".").endswith(".onion")


def unusable(circuit: Circuit, why: str) -> UnavailableError:
    """The error that the proxy itself is of no use."""
    return UnavailableError(
        f"no use of the SOCKS5 proxy at {circuit.proxy}: {why}",
        hint="start Tor, or give its port with --socks; nothing goes without it",
    )


def _authenticate(circuit: Circuit, read: Read, write: Write) -> None:
    write(bytes([_VERSION, 1, _WITH_PASSWORD]))
    version, method = _exactly(circuit, read, 2)
    if version != _VERSION:
        raise unusable(circuit, "it does not talk SOCKS5")
    if method != _WITH_PASSWORD:
        raise unusable(circuit, "it takes no names, so that it keeps no circuits apart")
    credentials = b"".join(
        bytes([len(each)]) + each for each in (circuit.name, circuit.password)
    )
    write(bytes([_AUTH_VERSION]) + credentials)
    if _exactly(circuit, read, 2) != bytes([_AUTH_VERSION, _DONE]):
        raise unusable(circuit, "it takes no names but its own")


def _greet(circuit: Circuit) -> None:
    try:
        with socket.create_connection(
            (circuit.host, circuit.port), timeout=_GREETING_SECONDS
        ) as end:
            _authenticate(circuit, end.recv, end.sendall)
    except (OSError, UnicodeError) as error:  # the latter from a name that no host can have
        raise unusable(circuit, _FAULTS.get(type(error), "it is not there")) from error


def _exactly(circuit: Circuit, read: Read, length: int) -> bytes:
    received = b""
    while len(received) < length:
        piece = read(length - len(received))
        if not piece:
            raise unusable(circuit, "it broke off")
        received += piece
    return received


def _address(host: str) -> bytes:
    with suppress(ValueError):
        packed = ipaddress.ip_address(host.strip("[]")).packed
        return bytes([_IPV4 if len(packed) == 4 else _IPV6]) + packed
    name = host.encode("ascii")
    if not 0 < len(name) <= _HOST_BYTES_MAX:
        raise MalformedError(f"a host name of more than {_HOST_BYTES_MAX} bytes")
    return bytes([_NAME, len(name)]) + name


def _parse_proxy(proxy: str) -> tuple[str, int]:
    host, colon, port = proxy.removeprefix("socks5h://").rstrip("/").rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    known = host and colon and port.isascii() and port.isdecimal() and len(port) <= 5
    if not known or not 0 < int(port) <= _PORT_MAX:
        raise MalformedError(
            "--socks: not an address and a port", hint="Tor's are 127.0.0.1:9050"
        )
    return host, int(port)
