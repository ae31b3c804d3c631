"""A visitor with a browser, as fast as a script can be: the door's form, step by step."""

import contextlib
import http.client
import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

from safeconduct.demo.founding import found
from safeconduct.demo.stage import Stage
from safeconduct.demo.world import World

PIECE_BYTES = 1 << 20
_BOUNDARY = "----bench"
_SECONDS = 300
_TICKET = re.compile(r'name="ticket" value="([^"]*)"')
_WORDS = re.compile(r'<ol class="words".*?</ol>', re.S)


@contextmanager
def serving_programme(folder: Path) -> Iterator[World]:
    """A whole programme, founded as in the demo, each server a process of its own."""
    with Stage(folder) as stage, contextlib.redirect_stdout(io.StringIO()):
        yield found(folder, stage)


def door_pid(folder: Path) -> int:
    """The process of the door of `folder`."""
    own = str(folder / "door").encode()
    for place in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            words = (place / "cmdline").read_bytes().split(b"\0")
            if b"door" in words and own in words:
                return int(place.name)
    raise RuntimeError("the door does not run")


def forget_peak(pid: int) -> float:
    """Have the peak memory of a process counted anew; what it takes now, in MiB."""
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
    return _status_mib(pid, "VmRSS")


def peak_mib(pid: int) -> float:
    """The most that a process has taken since `forget_peak`, in MiB."""
    return _status_mib(pid, "VmHWM")


def _status_mib(pid: int, name: str) -> float:
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found_kib = re.search(rf"{name}:\s+(\d+) kB", text)
    assert found_kib is not None
    return int(found_kib[1]) / 1024


@dataclass(slots=True, kw_only=True)
class RefusedError(Exception):
    """The door answered with an error."""

    status: int
    page: str = field(repr=False)


@dataclass(slots=True)
class Visitor:
    """One visitor and the ticket of the page that is open."""

    url: str
    ticket: str = ""
    page: str = field(default="", repr=False)

    def begin(self) -> None:
        """To the text step: twelve words, three of them typed again."""
        self._ask("GET", "/en/tell")
        shown = _WORDS.search(self.page)
        assert shown is not None
        words = re.findall(r"<li>(\S+)</li>", shown[0])
        self.press("/tell/check")
        asked = [int(each) for each in re.findall(r'name="word-(\d+)"', self.page)]
        self.press("/tell/confirm", **{f"word-{place}": words[place - 1] for place in asked})

    def press(self, step: str, **fields: str) -> None:
        """Post the open page's ticket with `fields`."""
        body = urlencode({"ticket": self.ticket, **fields}).encode()
        kind = "application/x-www-form-urlencoded"
        self._ask("POST", f"/en{step}", [body], len(body), kind)

    def attach(self, name: str, pieces: Callable[[], Iterator[bytes]], size: int) -> None:
        """Hand in a file of `size` bytes."""
        head = (
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="ticket"\r\n\r\n'
            f"{self.ticket}\r\n--{_BOUNDARY}\r\nContent-Disposition: form-data; "
            f'name="file"; filename="{name}"\r\nContent-Type: application/octet-stream\r\n\r\n'
        ).encode()
        end = f"\r\n--{_BOUNDARY}--\r\n".encode()

        def body() -> Iterator[bytes]:
            yield head
            yield from pieces()
            yield end

        kind = f"multipart/form-data; boundary={_BOUNDARY}"
        length = len(head) + size + len(end)
        self._ask("POST", "/en/tell/files", body(), length, kind)

    def send(self) -> None:
        """Press the last button; the answer is the receipt."""
        self.press("/tell/send", sure="1")
        if "Received and dated" not in self.page:
            raise RefusedError(status=200, page=self.page)

    def _ask(
        self,
        method: str,
        path: str,
        body: Iterator[bytes] | Sequence[bytes] = (),
        length: int = 0,
        kind: str = "",
    ) -> None:
        host = self.url.split("/")[2]
        connection = http.client.HTTPConnection(host, timeout=_SECONDS)
        with contextlib.closing(connection):
            headers = {"content-type": kind, "content-length": str(length)} if kind else {}
            connection.request(method, path, body=iter(body), headers=headers)
            answer = connection.getresponse()
            self.page = answer.read().decode("utf-8")
        if answer.status != 200:
            raise RefusedError(status=answer.status, page=self.page)
        found_ticket = _TICKET.search(self.page)
        self.ticket = unescape(found_ticket[1]) if found_ticket else ""


def random_pieces(size: int, seed: int) -> Callable[[], Iterator[bytes]]:
    """Bytes that no compression makes smaller, other ones for each `seed`, made fast."""
    block = os.urandom(PIECE_BYTES)

    def pieces() -> Iterator[bytes]:
        yield seed.to_bytes(8, "big")
        left = size - 8
        while left > 0:
            yield block[:left]
            left -= PIECE_BYTES

    return pieces
