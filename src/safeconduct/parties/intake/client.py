"""The client for people to download: served only if it is the one that the Gazette names.

    D/client/<platform>     a file that the administrator puts there
    GET /client/<platform>  these bytes, if size and SHA-256 are those of the newest `client`
                            record for the platform; else 404 with the reason

So neither a mistake nor a thief on this machine makes the door hand out another program. That
the door might hand it out all the same is why `source verify-client` asks the Gazette itself.

Spec: docs/3-protocol.md §8.4.
"""

import hashlib
import os
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from io import BufferedReader
from pathlib import Path

from safeconduct.errors import RefusedError, SafeconductError
from safeconduct.parties.intake.accept import Intake
from safeconduct.plumbing import web
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.notice import ClientFile

FOLDER = "client"
READ_BYTES = 256 << 10

_Stamp = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A client that the door hands out; `size` in bytes."""

    platform: str
    version: str
    sha256: bytes
    size: int


@dataclass(slots=True)
class _Hashes:
    """SHA-256 of the files as they were when they were read last; shared by all threads."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    held: dict[Path, tuple[_Stamp, bytes]] = field(default_factory=dict)

    def of(self, path: Path, file: BufferedReader) -> bytes:
        """The hash of an open file, read again only if it has changed since."""
        found = _stamp(file)
        with self.lock:
            held = self.held.get(path)
            if held is None or held[0] != found:
                held = found, hashlib.file_digest(file, "sha256").digest()
                self.held[path] = held
        return held[1]


_HASHES = _Hashes()  # of files on this machine, whichever door asks


def offered(intake: Intake) -> list[Offered]:
    """The clients that the door hands out now, by platform; none while the Gazette is away."""
    try:
        state = intake.gazette().state
    except SafeconductError:
        return []
    names = sorted({client.platform for client in state.clients})
    return [one for name in names if (one := _offered(intake, state, name)) is not None]


def _offered(intake: Intake, state: GazetteState, platform: str) -> Offered | None:
    try:
        client, file = _open(intake, state, platform)
    except SafeconductError:
        return None
    file.close()
    return Offered(
        platform=client.platform,
        version=client.version,
        sha256=client.sha256,
        size=client.size,
    )


def _open(
    intake: Intake, state: GazetteState, platform: str
) -> tuple[ClientFile, BufferedReader]:
    """The Gazette's client for a platform, and the open file that is it, at its beginning.

    Raises:
        RefusedError: the Gazette names none, or no such file lies here (HTTP 404).
    """
    client = state.client(platform)
    if client is None:
        raise web.missing("the Gazette names no client for this platform")
    path = intake.store.folder / FOLDER / client.platform
    try:
        file = _open_file(path)
    except OSError as error:
        raise _not_here() from error
    try:
        _check(client, path, file)
    except BaseException:
        file.close()
        raise
    return client, file


def _open_file(path: Path) -> BufferedReader:
    # Without waiting: what is no file, such as a pipe, must not hold a thread.
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")


def _check(client: ClientFile, path: Path, file: BufferedReader) -> None:
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        raise _not_here()
    # The size first: nobody hashes a film for each visitor.
    if status.st_size != client.size or _HASHES.of(path, file) != client.sha256:
        raise web.missing("the file here is not the one that the Gazette names")
    file.seek(0)


def _not_here() -> RefusedError:
    return web.missing("the file that the Gazette names does not lie here")


def _stamp(file: BufferedReader) -> _Stamp:
    status = os.fstat(file.fileno())
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def routes(intake: Intake) -> list[web.Route]:
    """What people download."""
    return [web.Route("GET", "/client/{platform}", partial(_download, intake))]


def _download(intake: Intake, request: web.Request) -> web.Response:
    client, file = _open(intake, intake.gazette().state, request.path_params["platform"])
    name = f"safeconduct-source-{client.version}-{client.platform}.pyz"
    headers = {
        "content-disposition": f'attachment; filename="{name.replace("/", "-")}"',
        "content-length": str(client.size),
    }
    return web.streaming(_pieces(file), "application/octet-stream", headers=headers)


def _pieces(file: BufferedReader) -> Iterator[bytes]:
    with file:
        while piece := file.read(READ_BYTES):
            yield piece
