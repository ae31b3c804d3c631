"""The one door to the `tor` program: onion services by a plain torrc, and a process kept up.

    torrc ── checked by tor itself ── tor, our child: started again when it dies, told when
                                      its files change, and gone soon after we are

An onion service is a folder that Tor fills with its key and its name. Who may read a folder
has the service; folders are therefore made with mode 0700.

Spec: tor(1); rend-spec-v3.
"""

import os
import re
import shutil
import signal
import stat
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from safeconduct.errors import MalformedError, RefusedError, UnavailableError
from safeconduct.plumbing import clock, durable, terminal
from safeconduct.protocol.canonical import decode_text

QUEUE_RATE = 250
QUEUE_BURST = 2_500
"""How many introductions a second Tor lets through, and at once, before it asks for work."""
STREAMS_MAX = 128
"""Streams of one visitor at once. A browser opens a dozen; who opens more is cut off."""
FOLDER_MODE = 0o700

_CHECK_SECONDS = 30
_STOP_SECONDS = 5
_POLL_SECONDS = 0.2
_WAIT_SECONDS = 1.0
_WAIT_SECONDS_MAX = 30.0
_STEADY_SECONDS = 60.0  # after a life of this length a death is the first again
_NAME_BYTES_MAX = 128
_CLIENTS = "authorized_clients"
_CLIENT_KEY_CHARACTERS = 52
_INSTALL = "install Tor with its proof of work (on Debian: apt install tor)"
_HOSTNAME = re.compile(r"[a-z2-7]{56}\.onion")
_CLIENT_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_BASE32 = re.compile(r"[A-Z2-7]+")
_UNQUOTABLE = re.compile(r'[\x00-\x1f\x7f"\\]')
# No setting from outside reaches it but the language, which is that of its messages.
_ENVIRONMENT = {"LC_ALL": "C"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Onion:
    """One onion service: its folder, and where each of its ports leads.

    A target is HOST:PORT or `unix:` and a path. A `public` one asks for proof of work when
    many come at once, cuts off who opens too many streams, and names each visitor's circuit
    in a line of its own (`circuit_line`).
    """

    folder: Path
    ports: Mapping[int, str] = field(default_factory=dict)
    public: bool = True


def format_torrc(data: Path, onions: Sequence[Onion], more: str = "") -> str:
    """The torrc of a Tor that serves `onions` and nothing else; `more` lines come first.

    Raises:
        MalformedError: a path or an address that no torrc can hold.
    """
    lines = [
        *more.splitlines(),
        "SocksPort 0",
        f"DataDirectory {_quoted(data)}",
        "RunAsDaemon 0",
        "SafeLogging 1",
        "Log err stderr",
    ]
    for onion in onions:
        lines += _service(onion)
    return "\n".join(lines) + "\n"


def check_torrc(torrc: Path) -> None:
    """Return if `tor` would run with this file.

    Raises:
        MalformedError: it would not; its reason is given.
        UnavailableError: there is no `tor`, or it knows no proof of work.
    """
    tool = _tool()
    if "pow: yes" not in _said(tool, "--list-modules").stdout:
        raise UnavailableError("this tor was built without proof of work", hint=_INSTALL)
    done = _said(tool, *_reading(torrc), "--verify-config")
    if done.returncode == 0:
        return
    told = [line for line in done.stdout.splitlines() if "[warn]" in line or "[err]" in line]
    reasons = "; ".join(line.partition("] ")[2] for line in told) or "no reason given"
    raise MalformedError(f"{torrc}: tor does not take it: {reasons}")


def keep_tor(
    torrc: Path,
    stop: threading.Event,
    *,
    watched: Sequence[Path] = (),
    started: Callable[[int], None] = lambda _: None,
) -> None:
    """Run Tor with the file `torrc` until `stop`, again whenever it dies.

    It reads its files again when one of the folders `watched` changes. `started` gets the
    process's number each time. If this process dies, Tor notices and ends itself.

    Raises:
        UnavailableError: there is no `tor`.
    """
    wait = _WAIT_SECONDS
    while not stop.is_set():
        began = clock.monotonic()
        process = _start(torrc)
        started(process.pid)
        _watch(process, stop, watched)
        if stop.is_set():
            return
        wait = _WAIT_SECONDS if clock.monotonic() - began > _STEADY_SECONDS else wait
        terminal.note(f"tor ended; it is started again in {wait:g} s")
        stop.wait(wait)
        wait = min(2 * wait, _WAIT_SECONDS_MAX)


def read_hostname(onion: Path) -> str | None:
    """The service's name, `….onion`; None as long as Tor has given it none.

    Raises:
        MalformedError: the file holds something else.
    """
    path = onion / "hostname"
    if not path.exists():
        return None
    name = decode_text(durable.read_file(path, bytes_max=_NAME_BYTES_MAX), "hostname").strip()
    if not _HOSTNAME.fullmatch(name):
        raise MalformedError(f"{path}: not the name of an onion service")
    return name


def authorise(onion: Path, client: str, public: str) -> None:
    """Let the holder of a key reach the service; `public` is its public half in base32.

    Raises:
        MalformedError: no name for a file, or no key.
        RefusedError: a client of that name is there already.
    """
    if not _CLIENT_NAME.fullmatch(client):
        raise MalformedError(
            f"{client}: not a name of at most 32 small letters, digits and hyphens"
        )
    if not _BASE32.fullmatch(public) or len(public) != _CLIENT_KEY_CHARACTERS:
        raise MalformedError("not an X25519 key in base32")
    folder = onion / _CLIENTS
    make_private(folder)
    path = folder / f"{client}.auth"
    if path.exists():
        raise RefusedError(f"{path}: already exists", hint="choose another name")
    durable.write_secret(path, f"descriptor:x25519:{public}\n".encode())


def clients(onion: Path) -> Path:
    """The folder whose files say who may reach a service; empty or absent, anybody may."""
    return onion / _CLIENTS


def make_private(folder: Path) -> None:
    """Ensure that there is such a folder and that nobody else can look into it.

    Raises:
        RefusedError: others can.
    """
    durable.make_folder(folder, mode=FOLDER_MODE)
    if folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise RefusedError(f"{folder}: others can look into it", hint=f"chmod 700 {folder}")


def _service(onion: Onion) -> list[str]:
    ports = [
        f"HiddenServicePort {port} {_target(target)}"
        for port, target in sorted(onion.ports.items())
    ]
    lines = [f"HiddenServiceDir {_quoted(onion.folder)}", "HiddenServiceVersion 3", *ports]
    if not onion.public:
        return lines
    return [
        *lines,
        "HiddenServicePoWDefensesEnabled 1",
        f"HiddenServicePoWQueueRate {QUEUE_RATE}",
        f"HiddenServicePoWQueueBurst {QUEUE_BURST}",
        f"HiddenServiceMaxStreams {STREAMS_MAX}",
        "HiddenServiceMaxStreamsCloseCircuit 1",
        "HiddenServiceExportCircuitID haproxy",
    ]


def _target(target: str) -> str:
    if target.startswith("unix:"):
        return "unix:" + _quoted(Path(target.removeprefix("unix:")))
    if not target.isprintable() or " " in target:
        raise MalformedError("an address with spaces or control characters")
    return target


def _quoted(path: Path) -> str:
    text = str(path.absolute())
    if _UNQUOTABLE.search(text):
        raise MalformedError("a path with quotes, backslashes or control characters")
    return f'"{text}"'


def _tool() -> str:
    tool = shutil.which("tor")
    if tool is None:
        raise UnavailableError("the tor program is not there", hint=_INSTALL)
    return tool


def _reading(torrc: Path) -> list[str]:
    # Settings that the system has for its own Tor are none of ours.
    return ["--defaults-torrc", "/dev/null", "-f", str(torrc.absolute())]


def _said(tool: str, *words: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            [tool, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_CHECK_SECONDS,
            env=_ENVIRONMENT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError("tor did not run, or took too long", hint=_INSTALL) from error


def _start(torrc: Path) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [
                *(_tool(), *_reading(torrc), "--quiet"),
                *("--__OwningControllerProcess", str(os.getpid())),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=_ENVIRONMENT,
            start_new_session=True,  # Ctrl-C reaches us alone; we end it in order
        )
    except OSError as error:
        raise UnavailableError("tor did not start", hint=_INSTALL) from error


def _watch(
    process: subprocess.Popen[bytes], stop: threading.Event, watched: Sequence[Path]
) -> None:
    """Return when Tor has ended, by itself or because of `stop`."""
    seen = [_changed_at(folder) for folder in watched]
    while process.poll() is None:
        if stop.wait(_POLL_SECONDS):
            _end(process)
            return
        now = [_changed_at(folder) for folder in watched]
        if now != seen:
            seen = now
            process.send_signal(signal.SIGHUP)


def _changed_at(folder: Path) -> int:
    with suppress(OSError):
        return folder.stat().st_mtime_ns
    return 0


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
