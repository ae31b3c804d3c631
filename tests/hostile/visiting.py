"""Visitors of a door who say much about themselves, and their ways through it."""

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
from tests.hostile.searching import everything
from tests.parties.servers import SOURCES
from tests.world import Played

from safeconduct.parties.source.prepare import load_prepared, prepare
from safeconduct.plumbing import clock, dice
from safeconduct.plumbing.logs import read_gazette
from safeconduct.plumbing.words import format_words, parse_words
from safeconduct.protocol.canonical import format_base64, format_json
from safeconduct.protocol.envelope import MESSAGE_NAME, Source
from safeconduct.protocol.record import format_record, record_hash, upload_name

SECONDS = 120
NETWORK = "127.7.7."
CIRCUIT = "fc00:dead:beef:4dad::7ae1:5bd3"
PROXY_LINE = f"PROXY TCP6 {CIRCUIT} ::1 51717 80\r\n".encode()
AGENT = "a-browser-of-visitor-"
LETTER = "The night shift of the customs house burned the ledgers of quay nineteen."
FILE_NAME = "what-burned-on-quay-nineteen.txt"
FILE_TEXT = "Forty-one crates without a seal, and the name of who counted them.\n"
SEALED_TEXT = "Sealed on a machine of my own: the harbour pilot was paid twice.\n"
PICTURE_NAME = "the-counting-room.png"
AUTHOR = "Ferdinand of the counting room"
LEGAL_NAME = "Leopoldine Quaysider"
END = b"\0\0\0\0IEND\xaeB`\x82"
ASKED = "a-path-that-one-visitor-asked-for"
_PROGRAM = """
import sys
from pathlib import Path
from safeconduct.parties.intake.command import open_intake
from safeconduct.parties.intake.site import make_site
from safeconduct.plumbing import web
app = make_site(open_intake(Path(sys.argv[1])))
web.serve(app, sys.argv[2], circuits=True, ready=lambda url: print("listening on", url))
"""


@dataclass
class Visitor:
    """A browser that says much about itself, at an address of its own."""

    url: str
    number: int
    page: httpx.Response = field(init=False)

    @property
    def headers(self) -> dict[str, str]:
        """What no other visitor sends."""
        mark = f"of-visitor-{self.number}"
        return {
            "user-agent": f"{AGENT}{self.number}",
            "accept-language": f"en, x-tongue-{mark};q=0.1",
            "referer": f"http://came-from-{mark}.example/",
            "x-forwarded-for": f"203.0.113.{self.number}",
            "forwarded": f"for=198.51.100.{self.number}",
            "x-real-ip": f"192.0.2.{self.number}",
            "cookie": f"seen=the-cookie-{mark}",
        }

    @property
    def marks(self) -> list[str]:
        """What must be found nowhere."""
        return [
            f"{NETWORK}{self.number}",
            f"{AGENT}{self.number}",
            f"of-visitor-{self.number}",
            *(f"{net}.{self.number}" for net in ("203.0.113", "198.51.100", "192.0.2")),
        ]

    def ask(self, method: str, path: str, **given: Any) -> httpx.Response:
        """One request over a connection of its own."""
        transport = httpx.HTTPTransport(local_address=f"{NETWORK}{self.number}")
        with httpx.Client(transport=transport, timeout=SECONDS) as client:
            return client.request(method, self.url + path, headers=self.headers, **given)

    def open(self, path: str) -> httpx.Response:
        """Follow a link."""
        self.page = self.ask("GET", f"/en{path}")
        assert self.page.status_code == 200, self.page.text
        return self.page

    def press(self, path: str, files: Any = None, **fields: str) -> httpx.Response:
        """Press a button of the page that is open."""
        data = {"ticket": self.ticket, **fields}
        self.page = self.ask("POST", f"/en{path}", data=data, files=files)
        assert self.page.status_code == 200, self.page.text
        return self.page

    @property
    def ticket(self) -> str:
        """What the open page's forms carry."""
        found = re.search(r'name="ticket" value="([^"]*)"', self.page.text)
        assert found is not None
        return unescape(found[1])

    def confirm_words(self) -> bytes:
        """Take the words that are shown and type the three that are asked for."""
        self.open("/tell")
        shown = re.search(r'<ol class="words".*?</ol>', self.page.text, re.S)
        assert shown is not None
        words = re.findall(r"<li>(\S+)</li>", shown[0])
        self.press("/tell/check")
        asked = map(int, re.findall(r'name="word-(\d+)"', self.page.text))
        self.press("/tell/confirm", **{f"word-{place}": words[place - 1] for place in asked})
        return parse_words(" ".join(words))


@dataclass
class Journey:
    """What several visitors did, and what was seen while they did it."""

    visitors: list[Visitor]
    words: dict[str, bytes]
    began_at: int
    ended_at: int = 0
    seen: dict[str, bytes] = field(default_factory=dict)
    before: dict[str, bytes] = field(default_factory=dict)
    midway: dict[str, bytes] = field(default_factory=dict)
    after: dict[str, bytes] = field(default_factory=dict)
    onion: Path = Path()


@contextmanager
def glimpses(seen: dict[str, bytes]) -> Iterator[None]:
    """During the block, command lines and environments of all processes but this one."""
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.02):
            for process in Path("/proc").iterdir():
                if process.name.isdecimal() and process.name != str(os.getpid()):
                    with suppress(OSError):  # it ended, or is somebody else's
                        for name in ("cmdline", "environ"):
                            data = (process / name).read_bytes()
                            # What was started in its place since has another one.
                            seen[f"({process.name} {name} {hash(data):x})"] = data

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def picture() -> bytes:
    """A small picture that says who made it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        length, check = len(data), zlib.crc32(kind + data)
        return length.to_bytes(4, "big") + kind + data + check.to_bytes(4, "big")

    head = chunk(b"IHDR", b"\0\0\0\1\0\0\0\1\x08\0\0\0\0")
    said = chunk(b"tEXt", b"Author\0" + AUTHOR.encode())
    return b"\x89PNG\r\n\x1a\n" + head + said + chunk(b"IDAT", zlib.compress(b"\0\0")) + END


def by_the_form(visitor: Visitor, journey: Journey, played: Played) -> None:
    """The whole form with files, then the mailbox, a withdrawal, and more."""
    words = journey.words["form"] = visitor.confirm_words()
    visitor.press("/tell/text", text=LETTER)
    files = [
        ("file", (FILE_NAME, FILE_TEXT.encode(), "text/plain")),
        ("file", (PICTURE_NAME, picture(), "image/png")),
    ]
    visitor.press("/tell/files", files=files)
    journey.midway.update(everything(played))
    choices = dict.fromkeys(re.findall(r'name="(file-\d+)" value="clean"', visitor.page.text))
    visitor.press("/tell/files", [("x", (None, ""))], go="1", **dict.fromkeys(choices, "clean"))
    visitor.press("/tell/send", sure="1")
    assert "tlog-proof" in visitor.page.text
    typed = format_words(words)
    visitor.page = visitor.ask("POST", "/en/mail", data={"words": typed})
    for path in ("/mail/message", "/mail/receipt", "/mail/withdraw", "/mail/withdrawn"):
        visitor.press(path, number="0", which="sent")
    visitor.press("/mail/more")
    visitor.press("/tell/stop")


def by_words_of_the_play(visitor: Visitor, played: Played) -> None:
    """The clerk comes back, reads the answer and has a claim made, but does not file it."""
    words = format_words(played.world.words["clerk"])
    visitor.page = visitor.ask("POST", "/en/mail", data={"words": words})
    visitor.press("/mail/message", number="0")
    visitor.press("/mail/claim", number="0")
    visitor.press("/mail/claim/made", number="0", subject="r-0001", name=LEGAL_NAME)
    assert LEGAL_NAME in visitor.page.text


def by_a_sealed_file(visitor: Visitor, journey: Journey, played: Played, folder: Path) -> None:
    """An envelope that was sealed elsewhere is handed in with a browser."""
    journey.words["sealed"] = entropy = dice.random_bytes(16)
    seal(played, entropy, folder / "sealed", as_file=True)
    visitor.open("/sealed")
    data = (folder / "sealed").read_bytes()
    visitor.page = visitor.ask("POST", "/en/sealed", files={"file": (FILE_NAME, data)})
    assert "tlog-proof" in visitor.page.text


def seal(played: Played, entropy: bytes, out: Path, *, as_file: bool = False) -> None:
    prepare(
        played.programme,
        read_gazette(played.programme),
        entropy,
        [Source(name=MESSAGE_NAME, read=lambda: [SEALED_TEXT.encode()])],
        out,
        number=0,
        at=clock.seconds(),
        random_bytes=dice.random_bytes,
        report=lambda _: None,
        as_file=as_file,
    )


def by_bytes(visitor: Visitor, journey: Journey, played: Played, folder: Path) -> None:
    """What the client does, in its order: capsule, commit, announcement, payload, the end."""
    journey.words["bytes"] = entropy = dice.random_bytes(16)
    seal(played, entropy, folder / "parcel")
    made = load_prepared(folder / "parcel")
    record = format_record(made.record)
    assert visitor.ask("GET", "/work").status_code == 200
    shelved = visitor.ask("PUT", f"/capsules/{made.slot.hex()}", content=made.capsule)
    assert shelved.status_code == 200
    proof = visitor.ask("POST", "/commit", content=record_hash(record))
    body = {
        "header": format_base64(made.header),
        "proof": proof.text,
        "record": record.decode(),
    }
    assert visitor.ask("POST", "/deliver", content=format_json({**body})).text == "0"
    upload = upload_name(record).hex()
    payload = made.file.read_bytes()[made.payload_at :]
    path = f"/deliver/{upload}"
    visitor.ask("PATCH", f"{path}?offset=0", content=payload[:1_000])
    journey.midway.update(everything(played))
    visitor.ask("PATCH", f"{path}?offset=1000", content=payload[1_000:])
    assert visitor.ask("POST", f"{path}/finish").status_code == 200
    for page in ("/capsules", "/bulletin", "/health", "/questions.json", "/openapi.json"):
        assert visitor.ask("GET", page).status_code == 200


def by_nonsense(visitor: Visitor) -> None:
    """Requests that are refused, each with something of the visitor in it."""
    mark = f"of-visitor-{visitor.number}"
    for method, path in (
        ("GET", f"/{ASKED}"),
        ("GET", f"/en/law?page={mark}"),
        ("GET", f"/client/{ASKED}"),
        ("POST", f"/commit?{ASKED}"),
        ("POST", "/deliver"),
        ("POST", "/withdraw"),
        ("POST", "/en/tell/text"),
        ("POST", "/en/tell/files"),
        ("POST", "/en/sealed"),
        ("POST", "/en/mail/claim/filed"),
        ("POST", "/desk/deliveries"),
        ("DELETE", f"/{ASKED}"),
    ):
        answer = visitor.ask(method, path, content=f"{mark} {ASKED}\xff".encode("latin-1"))
        assert 400 <= answer.status_code < 500, path


def by_tor(visitor: Visitor, socket_path: Path) -> None:
    """A visitor whose circuit is named in the line that Tor puts before each connection."""
    form = urlencode({"words": "zoo " * 12, "more": LETTER}).encode()
    for method, path, body in (
        ("GET", "/en/", b""),
        ("GET", "/en/tell", b""),
        ("POST", "/en/mail", form),
        ("POST", "/en/tell/text", form),
        ("POST", "/commit", record_hash(form)),
        ("GET", f"/{ASKED}", b""),
    ):
        kind = {"content-type": "application/x-www-form-urlencoded", "host": "x.onion"}
        headers = {**visitor.headers, **kind, "content-length": str(len(body))}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"{method} {path} HTTP/1.1\r\n{lines}connection: close\r\n\r\n"
        assert b"HTTP/1.1 " in spoken(socket_path, PROXY_LINE + head.encode() + body)
    spoken(socket_path, PROXY_LINE + b"\x16\x03\x01 no HTTP at all\r\n\r\n")
    spoken(socket_path, PROXY_LINE.replace(b"TCP6", b"TCP4"))


def spoken(path: Path, said: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(SECONDS)
        line.connect(str(path))
        line.sendall(said)
        answer = b""
        with suppress(ConnectionError):
            while piece := line.recv(65_536):
                answer += piece
    return answer


@contextmanager
def onion_door(played: Played, folder: Path) -> Iterator[Path]:
    """A door like the play's, on a socket as Tor's service uses it; gives the socket."""
    own = folder / "door"
    own.mkdir()
    for name in ("programme.toml", "policy.txt", "server.key"):
        shutil.copy(played.folder / "door" / name, own)
    place = folder / "socket"
    with open(folder / "diagnostics", "wb") as told:
        process = subprocess.Popen(
            [sys.executable, "-u", "-c", _PROGRAM, str(own), f"unix:{place}"],
            env={**os.environ, "PYTHONPATH": str(SOURCES)},
            stdout=told,
            stderr=told,
        )
        try:
            fetch_once(place, process)
            yield place
        finally:
            process.terminate()
            process.wait(SECONDS)


def fetch_once(place: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = clock.monotonic() + SECONDS
    while b"HTTP/1.1 200" not in _tried(place):
        assert process.poll() is None, "the door did not start"
        assert clock.monotonic() < deadline
        clock.sleep(0.1)


def _tried(place: Path) -> bytes:
    with suppress(OSError):
        return spoken(
            place, PROXY_LINE + b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
    return b""
