"""A door with a mailbox: messages that were sealed at home, a desk and a register to answer.

What is sent goes in by the door's own steps, without its form: a mailbox looks the same however
its messages came.
"""

import asyncio
import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import httpx
from tests.parties.intake import page_rules
from tests.parties.intake.door_world import NOW, WORDS, FakeLedger, World
from tests.parties.intake.page_rules import PAGE_BYTES_MAX
from tests.parties.intake.walking import seen
from tests.protocol import builders

from safeconduct.errors import RefusedError, UnavailableError
from safeconduct.parties.intake.accept import announce, append, finish
from safeconduct.parties.intake.site import make_site
from safeconduct.plumbing import web
from safeconduct.protocol import age
from safeconduct.protocol.canonical import Json, format_base64, format_json
from safeconduct.protocol.capsule import Capsule, seal_capsule
from safeconduct.protocol.claim import Bundle, check_terms, parse_bundle
from safeconduct.protocol.envelope import acknowledgement, seal_envelope
from safeconduct.protocol.gazette import address_at
from safeconduct.protocol.record import format_record, record_hash, sign_record
from safeconduct.protocol.reply import Reply, seal_reply
from safeconduct.protocol.tlog.note import SigningKey

FILE_PAGE_BYTES_MAX = 100_000  # of pages that hold files to save
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7*7 }}"
CHALLENGE = bytes(range(32))
_FORM = "application/x-www-form-urlencoded"
_TICKET = re.compile(r'name="ticket" value="([^"]+)"')


@dataclass
class FakeRegister:
    """Takes claims as the real one does, but for the person's place in the register."""

    refuses: str = ""
    away: bool = False
    claims: list[Bundle] = field(default_factory=list)

    def check_there(self) -> None:
        if self.away:
            raise UnavailableError("the register is being moved")

    def app(self) -> web.App:
        async def challenge(request: web.Request) -> web.Response:
            await web.read_body(request, bytes_max=0)
            self.check_there()
            told: Json = {"audience": builders.REGISTRY.name, "challenge": CHALLENGE.hex()}
            return web.data(format_json(told), "application/json")

        async def claim(request: web.Request) -> web.Response:
            bundle = parse_bundle(await web.read_body(request, bytes_max=1 << 20))
            self.check_there()
            if self.refuses:
                raise RefusedError(self.refuses)
            check_terms(
                bundle.record,
                programme=builders.PROGRAMME,
                audience=builders.REGISTRY.name,
                at=NOW,
            )
            self.claims.append(bundle)
            case: Json = {
                "case": 7,
                "claim": bundle.claim_hash.hex(),
                "page": bundle.page_key.hex(),
            }
            return web.data(format_json(case), "application/json")

        routes = [web.Route("POST", "/challenge", challenge)]
        return web.make_app([*routes, web.Route("POST", "/claims", claim)])


@dataclass
class Mail:
    """One door, the register behind it, and what the desk has said so far."""

    world: World
    register: FakeRegister
    app: web.App
    language: str = "en"
    said: dict[int, int] = field(default_factory=dict)
    records: dict[int, bytes] = field(default_factory=dict)

    def send(self, number: int = 0, *, deliver: bool = True, dated: bool = True) -> bytes:
        """A message of our words, as it lies at the door; returns its record's hash."""
        intake, keys = self.world.intake, builders.source_keys(number)
        address = address_at(self.world.gazette().state, NOW)
        sources = builders.sources({"message.txt": b"The minister signed it. %d" % number})
        envelope = seal_envelope(sources, address, keys, intake.random_bytes)
        record = format_record(envelope.record)
        proof = builders.prove(record_hash(record), NOW) if dated else b""
        capsule = Capsule(record=record, pre=envelope.pre, nonce=envelope.nonce, proof=proof)
        intake.store.shelve(keys.slot(), seal_capsule(capsule, keys, intake.random_bytes))
        self.records[number] = record
        if deliver:
            header = format_base64(envelope.header)
            told: Json = {"record": record.decode(), "proof": proof.decode(), "header": header}
            announce(intake, format_json(told))
            append(intake, record_hash(record), 0, b"".join(envelope.payload()))
            finish(intake, record_hash(record))
        return record_hash(record)

    def reply(self, reply: Reply, number: int = 0) -> None:
        """The desk's next answer to a message."""
        keys, counter = builders.source_keys(number), self.said.get(number, 0)
        recipient = age.format_recipient(age.hybrid_identity(keys.reply_seed()).recipient())
        chance = self.world.intake.random_bytes
        block = seal_reply(reply, recipient, keys.tag_key(), counter, chance)
        self.world.intake.store.post_reply(block[:16], block)
        self.said[number] = counter + 1

    def acknowledge(
        self,
        status: str = "ok",
        number: int = 0,
        *,
        text: str = "",
        signer: SigningKey = builders.DESK,
        proven: bytes = b"",
    ) -> None:
        """The desk's signed word on a message, dated by the log."""
        digest = record_hash(self.records[number])
        signed = sign_record(acknowledgement(builders.PROGRAMME, digest, status, 1), [signer])
        proof = builders.prove(proven or record_hash(signed))
        self.reply(Reply(text=text, acknowledgement=signed, proof=proof), number)

    def ask(
        self, method: str, path: str, body: bytes = b"", content_type: str = ""
    ) -> httpx.Response:
        """The door's answer, by no network."""
        headers = {"content-type": content_type} if content_type else {}
        return asyncio.run(self._ask(method, path, body, headers))

    async def _ask(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://door") as client:
            return await client.request(method, path, content=body, headers=headers)

    def post(self, path: str, /, **fields: str) -> httpx.Response:
        """The answer to one of the mailbox's forms."""
        return self.ask(
            "POST", f"/{self.language}/mail{path}", urlencode(fields).encode(), _FORM
        )

    def open(self, words: str = WORDS) -> httpx.Response:
        """The mailbox of these words."""
        return self.post("", words=words)

    def ticket(self, words: str = WORDS) -> str:
        """The ticket that the mailbox's page carries on."""
        return ticket_in(self.open(words).text)

    def visit(self, path: str, number: int = 0, /, **fields: str) -> httpx.Response:
        """A page of one message, as its button would open it."""
        return self.post(path, ticket=self.ticket(), number=str(number), **fields)


def ticket_in(page: str) -> str:
    """The sealed text in the page's first hidden field."""
    found = _TICKET.search(page)
    assert found, page
    return unescape(found[1])


@dataclass(frozen=True, kw_only=True)
class FarEnd:
    """Log and register, for as many doors as there are tests, one after the other."""

    ledger: FakeLedger
    ledger_url: str
    register: FakeRegister
    register_url: str

    def mail(self, folder: Path) -> Mail:
        """A fresh door whose files lie in `folder`."""
        self.register.claims.clear()
        self.register.refuses, self.register.away, self.ledger.away = "", False, False
        world = World(folder=folder, ledger=self.ledger, ledger_url=self.ledger_url)
        programme = replace(world.intake.programme, register=self.register_url)
        world.intake = replace(world.intake, programme=programme)
        return Mail(world=world, register=self.register, app=make_site(world.intake))


@contextmanager
def far_end() -> Iterator[FarEnd]:
    """Log and register that serve during the block."""
    ledger, register = FakeLedger(), FakeRegister()
    with web.running(ledger.app()) as ledger_url, web.running(register.app()) as register_url:
        yield FarEnd(
            ledger=ledger, ledger_url=ledger_url, register=register, register_url=register_url
        )


# What holds for every page.


def check_page(answer: httpx.Response, language: str = "en", *, small: bool = True) -> None:
    """Check that the page is as all of the door's are, and in this language."""
    page_rules.check_page(answer, bytes_max=PAGE_BYTES_MAX if small else FILE_PAGE_BYTES_MAX)
    [html] = seen(answer.text).all("html")
    assert html["lang"] == language
    assert html["dir"] == ("rtl" if language in ("ar", "fa") else "ltr")


def saved(page: str, name: str) -> bytes:
    """The file that the page's link of this name saves."""
    [address] = [each["href"] for each in seen(page).all("a") if each.get("download") == name]
    return base64.b64decode(str(address).removeprefix("data:application/octet-stream;base64,"))
