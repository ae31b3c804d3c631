"""A whole journey of several visitors, and then a search for anything that tells of them.

Each comes from an address of this machine that is nobody else's, with headers that no other
visitor sends. They use the form, the mailbox, the bytes for clients and an onion service's way
in; some ask nonsense. Then every file of every server, its command line and environment, and
what helpers were started with, is searched for addresses, headers, words, texts and names of
files; and for times.

Times that are kept, and why:

    until           of an upload: logged-by time of its record plus the law's window; both public
    limit_at        a date of the law
    in records,     the witnesses' times, which are public and the very point of the Ledger
    proofs, notes
    of databases    one file for all visitors: the time of its last write, whoever made it write
    of folders      that hold everybody's envelopes or spools: the same

A file system notes by itself when a file's entry was changed last (ctime), and nobody but root
can set that. It is in no copy and no backup.
"""

import ipaddress
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

import httpx
import pytest
from tests.hostile.searching import everything, phrases, places, runs, spellings
from tests.parties.servers import Server, stopped_at_the_end
from tests.world import Played, tables

from safeconduct.parties.source.prepare import load_prepared, prepare
from safeconduct.plumbing import clock, dice
from safeconduct.plumbing.logs import read_gazette
from safeconduct.plumbing.words import format_words, parse_words
from safeconduct.protocol.canonical import format_base64, format_json
from safeconduct.protocol.envelope import MESSAGE_NAME, Source
from safeconduct.protocol.record import format_record, record_hash

SECONDS = 120
DAY_SECONDS = 86_400
NETWORK = "127.7.7."
CIRCUIT = "fc00:dead:beef:4dad::7ae1:5bd3"
PROXY_LINE = f"PROXY TCP6 {CIRCUIT} ::1 51717 80\r\n".encode()
AGENT = "a-browser-of-visitor-"
LETTER = "The night shift of the customs house burned the ledgers of quay nineteen."
FILE_NAME = "what-burned-on-quay-nineteen.txt"
FILE_TEXT = "Forty-one crates without a seal, and the name of who counted them.\n"
SEALED_TEXT = "Sealed on a machine of my own: the harbour pilot was paid twice.\n"
ASKED = "a-path-that-one-visitor-asked-for"
STILL = {"programme.toml", "policy.txt", "server.key", "door.lock"}
DATABASES = (".sqlite", ".sqlite-wal", ".sqlite-shm")
TIMES_KEPT = {("announced", "until"), ("before_limits", "limit_at")}
RECORDS_KEPT = {"proof", "record", "signed", "header", "delivery", "delivery_proof"}
RECORDS_KEPT |= {"checkpoint"}
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
    socket: Path | None = None
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

    def ask(self, method: str, path: str, **given: object) -> httpx.Response:
        """One request over a connection of its own."""
        transport = httpx.HTTPTransport(local_address=f"{NETWORK}{self.number}")
        with httpx.Client(transport=transport, timeout=SECONDS) as client:
            made = client.build_request(
                method, self.url + path, headers=self.headers, **given
            )  # type: ignore[arg-type]
            return client.send(made)

    def open(self, path: str) -> httpx.Response:
        """Follow a link."""
        self.page = self.ask("GET", f"/en{path}")
        assert self.page.status_code == 200, self.page.text
        return self.page

    def press(self, path: str, files: object = None, **fields: str) -> httpx.Response:
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
