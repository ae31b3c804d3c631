"""A private Tor network on loopback: three authorities, four relays, clients as needed.

Nothing of it reaches another machine. Authorities vote every few seconds, so that it works
within a minute.
"""

import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.system_tools import need_tool

from safeconduct.demo.stage import free_port

AUTHORITIES = 3
RELAYS = 4
START_SECONDS = 300
STOP_SECONDS = 5
_POLL_SECONDS = 0.2
_IDENTITY = "ffffffffffffffffffffffffffffffffffffffff"

_VOTING = """\
AuthoritativeDirectory 1
V3AuthoritativeDirectory 1
ContactInfo nobody
AssumeReachable 1
TestingV3AuthInitialVotingInterval 5
TestingV3AuthInitialVoteDelay 2
TestingV3AuthInitialDistDelay 2
V3AuthVotingInterval 10
V3AuthVoteDelay 2
V3AuthDistDelay 2
TestingDirAuthVoteGuard *
TestingDirAuthVoteHSDir *
TestingDirAuthVoteExit *
TestingMinExitFlagThreshold 0
V3AuthNIntervalsValid 2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A Tor that goes to onion services for somebody."""

    folder: Path
    socks: str
    control: int

    def ask(self, *commands: str) -> list[str]:
        """What its control port answers to these commands."""
        cookie = (self.folder / "control_auth_cookie").read_bytes().hex()
        said = [f"AUTHENTICATE {cookie}", *commands, "QUIT"]
        with socket.create_connection(("127.0.0.1", self.control), timeout=30) as end:
            end.sendall("".join(f"{line}\r\n" for line in said).encode())
            return b"".join(iter(lambda: end.recv(1 << 16), b"")).decode().splitlines()

    def is_ready(self) -> bool:
        """Whether it has built its first way through the network."""
        with suppress(OSError):
            return any(
                "PROGRESS=100" in line for line in self.ask("GETINFO status/bootstrap-phase")
            )
        return False


@dataclass(slots=True, kw_only=True)
class Network:
    """The network: `lines` are what each of its members' torrc begins with."""

    folder: Path
    tool: str
    lines: str = ""
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self, name: str, torrc: str) -> "subprocess.Popen[bytes]":
        """Start a member whose own lines are `torrc`."""
        folder = self.folder / name
        folder.mkdir(mode=0o700, exist_ok=True)
        own = f"DataDirectory {folder}\nPidFile {folder}/pid\n"
        (folder / "torrc").write_text(self.lines + own + torrc)
        words = ["--defaults-torrc", "/dev/null", "-f", str(folder / "torrc")]
        with open(folder / "notices", "wb") as notices:
            process = subprocess.Popen(
                [self.tool, *words], stdout=notices, stderr=notices, stdin=subprocess.DEVNULL
            )
        self.processes.append(process)
        return process

    def client(self, name: str, *, keys: Path | None = None) -> Client:
        """A new client that may use the staff keys in the folder `keys`; returns when ready."""
        socks, control = free_port(), free_port()
        torrc = (
            f"SocksPort 127.0.0.1:{socks} IsolateSOCKSAuth\nControlPort 127.0.0.1:{control}\n"
        )
        torrc += f"CookieAuthentication 1\nLog info file {self.folder / name}/info\n"
        if keys is not None:
            torrc += f"ClientOnionAuthDir {keys}\n"
        self.start(name, torrc)
        client = Client(folder=self.folder / name, socks=f"127.0.0.1:{socks}", control=control)
        wait_until(client.is_ready, "a client of the network", START_SECONDS)
        return client

    def end(self) -> None:
        """End all members."""
        for process in self.processes:
            process.send_signal(signal.SIGINT)
        for process in self.processes:
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until(true: Callable[[], bool], what: str, seconds: float) -> None:
    """Return once it is so; fail if it is not for so long."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, f"{what} is not ready after {seconds} s"
        time.sleep(_POLL_SECONDS)


@contextmanager
def private_network(folder: Path) -> Iterator[Network]:
    """A network that works during the block."""
    network = Network(folder=folder, tool=need_tool("tor", "tor"))
    gencert = need_tool("tor-gencert", "tor")
    ports = [free_port() for _ in range(2 * (AUTHORITIES + RELAYS))]
    pairs = list(zip(ports[::2], ports[1::2], strict=True))
    directory = [
        _make_authority(network, gencert, f"auth{number}", *pair)
        for number, pair in enumerate(pairs[:AUTHORITIES])
    ]
    network.lines = _common(directory)
    try:
        for number, (orport, dirport) in enumerate(pairs):
            voting = number < AUTHORITIES
            name = f"auth{number}" if voting else f"relay{number}"
            torrc = _relay(name, orport) + (_VOTING if voting else "")
            network.start(name, torrc + (f"DirPort 127.0.0.1:{dirport} IPv4Only\n" * voting))
        yield network
    finally:
        network.end()


def _common(directory: Sequence[str]) -> str:
    return (
        "TestingTorNetwork 1\nRunAsDaemon 0\nShutdownWaitLength 0\nSafeLogging 0\n"
        "GeoIPFile /dev/null\nGeoIPv6File /dev/null\nLog notice stdout\n" + "".join(directory)
    )


def _relay(name: str, orport: int) -> str:
    return (
        f"Nickname {name}\nAddress 127.0.0.1\nAssumeReachable 1\nSocksPort 0\n"
        f"OrPort 127.0.0.1:{orport} IPv4Only\nExitRelay 0\nExitPolicy reject *:*\n"
    )


def _make_authority(
    network: Network, gencert: str, name: str, orport: int, dirport: int
) -> str:
    """Make an authority's keys; returns the line by which all others know it."""
    folder = network.folder / name
    keys = folder / "keys"
    folder.mkdir(mode=0o700)
    keys.mkdir(mode=0o700)
    made = {
        "-i": keys / "authority_identity_key",
        "-s": keys / "authority_signing_key",
        "-c": keys / "authority_certificate",
    }
    files = [str(word) for pair in made.items() for word in pair]
    words = ["--create-identity-key", "--passphrase-fd", "0", "-m", "1", *files]
    subprocess.run(
        [gencert, *words, "-a", f"127.0.0.1:{dirport}"],
        input=b"\n",
        check=True,
        capture_output=True,
    )
    match = re.search(r"^fingerprint ([0-9A-F]{40})$", made["-c"].read_text(), re.MULTILINE)
    assert match is not None
    listed = subprocess.run(
        [
            *(network.tool, "--ignore-missing-torrc", "-f", str(folder / "none")),
            *("--defaults-torrc", "/dev/null", "--list-fingerprint", "--orport", "1"),
            *("--dirserver", f"xyzzy 127.0.0.1:1 {_IDENTITY}", "--datadirectory", str(folder)),
            *("--nickname", name),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    own = "".join(listed.stdout.strip().splitlines()[-1].split()[1:])
    return f"DirAuthority {name} orport={orport} v3ident={match[1]} 127.0.0.1:{dirport} {own}\n"
