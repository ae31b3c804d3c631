"""A console at work over a real docket, with a register of a few lines at its other end."""

import base64
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from tests.plumbing.authenticator import Authenticator
from tests.protocol import builders
from tests.protocol.age.chance import dice
from tests.protocol.decided import AS_OF, DECIDED, NOTHING_FOUND, bundle_of, decided

from safeconduct.errors import UnavailableError
from safeconduct.parties.board.console import Console, File, file_of, make_console
from safeconduct.parties.board.console_pull import pull
from safeconduct.parties.board.console_sign_in import invite
from safeconduct.parties.board.console_site import make_site
from safeconduct.parties.board.console_voting import Standing, stand
from safeconduct.parties.board.sign import sign_all
from safeconduct.plumbing import fetch, web
from safeconduct.plumbing.programme import Programme
from safeconduct.protocol.canonical import Json, format_json, parse_json
from safeconduct.protocol.decision import Appealed, propose
from safeconduct.protocol.docket import make_docket
from safeconduct.protocol.gazette import GazetteState, fold
from safeconduct.protocol.record import (
    make_record,
    parse_signed,
    record_hash,
    sign_record,
    verify_signer,
)
from safeconduct.protocol.tlog.note import SigningKey

NOW = builders.NOON + 5 * builders.DAY
ORIGIN = "http://localhost:8500"
ANNA, BORIS, CLARA = (key.name for key in builders.MEMBERS)
PANEL = tuple(
    builders.signing_key(f"panel.example/{name}") for name in ("xenia", "yuri", "zoe")
)
ACKNOWLEDGED = b'{"decision":"acknowledged"}'


@cache
def state_with_panel() -> GazetteState:
    """The Gazette of the builders, and a panel that the board has named."""
    record = make_record(
        "panel",
        programme=builders.PROGRAMME,
        number=1,
        previous=bytes(32),
        threshold=2,
        members=builders.verifiers(PANEL),
    )
    return fold(builders.gazette_state(), builders.by_board(record))


@cache
def docket(number: int = 7, *, appealed: bool = False) -> bytes:
    """A docket on a claim that the law decides for the person."""
    bundle = bundle_of()
    proposal = propose(bundle, state_with_panel(), builders.POLICY, NOTHING_FOUND, AS_OF)
    return make_docket(
        case=number,
        number=number,
        bundle=bundle,
        claim_proof=builders.prove(bundle.claim_hash, AS_OF),
        judgements=NOTHING_FOUND,
        proposal=proposal,
        appeal=_appeal() if appealed else None,
    )


def _appeal() -> Appealed:
    first = decided(bundle_of())
    value = parse_json(first, "object", bytes_max=len(first))
    assert isinstance(value, dict)
    key = SigningKey(name="claimant", seed=builders.source_keys().derive("author-ed25519"))
    record = make_record(
        "appeal",
        programme=builders.PROGRAMME,
        decision=record_hash(str(value["decision"]).encode()),
        ground="law",
        reasons=bytes(32),
        ed25519=key.verifier().public,
    )
    signed = sign_record(record, [key])
    proof = builders.prove(record_hash(signed), DECIDED)
    return Appealed(record=signed, proof=proof, first=first)


@dataclass
class Register:
    """What a register does for a console, and what it can do against one."""

    console: SigningKey | None = None
    dockets: list[bytes] = field(default_factory=lambda: [docket()])
    trouble: list[Json] = field(default_factory=list)
    taken: list[dict[str, Json]] = field(default_factory=list)
    away: bool = False
    refuses: str = ""
    forgets: bool = False  # takes a decision, and is away before it says so
    now: int = NOW

    def ask(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], bytes_max: int
    ) -> fetch.Response:
        if self.away:
            raise UnavailableError("the register does not answer", hint="start it")
        action = url.rpartition("/board/")[2]
        self._check(headers["x-safeconduct-request"], action, body)
        if method == "GET":
            listed: list[Json] = [
                parse_json(one, "docket", bytes_max=1 << 21) for one in self.dockets
            ]
            return _answer(format_json({"dockets": listed, "trouble": self.trouble}))
        if self.refuses:
            return _answer(f"error: {self.refuses}\n".encode(), 409, "conflict")
        value = parse_json(body, "decision", bytes_max=1 << 21)
        assert isinstance(value, dict)
        assert all(isinstance(text, str) for text in value.values())
        if value not in self.taken:
            self.taken.append(value)
        if self.forgets:
            self.forgets = False
            raise UnavailableError("the register went away")
        return _answer(ACKNOWLEDGED)

    def _check(self, header: str, action: str, body: bytes) -> None:
        assert self.console is not None
        signed = parse_signed(base64.b64decode(header), "request")
        record = verify_signer(signed, self.console.verifier())
        assert record.word("action") == action
        assert record.hash("body") == hashlib.sha256(body).digest()


def _answer(body: bytes, status: int = 200, family: str = "") -> fetch.Response:
    headers = {fetch.ERROR_FAMILY_HEADER: family} if family else {}
    return fetch.Response(status=status, headers=headers, body=body)


@dataclass
class ConsoleWorld:
    """One console; tests move its clock, and the people at it are browsers."""

    folder: Path
    origin: str = ORIGIN
    now: int = NOW
    register: Register = field(default_factory=Register)
    state: GazetteState = field(default_factory=state_with_panel)
    starts: int = 0
    people: list["Browser"] = field(default_factory=list)
    console: Console = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Start the console anew, as after a crash: what it only remembered is gone."""
        self.starts += 1
        self.console = make_console(
            self.folder,
            _programme(),
            self.origin,
            seconds=lambda: self.now,
            random_bytes=dice(bytes([self.starts])),
            read_state=lambda _: self.state,
            ask=self.register.ask,
        )
        self.register.console = self.console.key

    def site(self) -> web.App:
        return make_site(self.console)

    def pull(self) -> None:
        pull(self.console)

    def invite(self, member: str, *, lost: bool = False) -> str:
        return invite(
            self.console.store, member, self.now, self.console.access.random_bytes, lost=lost
        )

    def file(self, place: int = 0) -> File:
        """A docket that the register offers, as the console keeps it."""
        digest = hashlib.sha256(self.register.dockets[place]).digest()
        kept = self.console.store.docket(digest)
        assert kept is not None
        return file_of(self.console, kept)

    def standing(self) -> Standing:
        question = self.file().question
        return stand(question, self.console.store.events(question.claim))

    def signed(self, *keys: SigningKey) -> bytes:
        """The draft as these members bring it back."""
        draft = self.standing().draft
        assert draft is not None
        return sign_all(draft.record, keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a browser was answered with."""

    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def heading(self) -> str:
        """The page's first heading, or nothing."""
        found = re.search(r"<h1>(.*?)</h1>", self.text, re.DOTALL)
        return re.sub("<[^>]*>", "", found[1]).strip() if found else ""


class Browser:
    """A browser with a passkey, at `url`; it sends what browsers send of themselves."""

    def __init__(self, world: ConsoleWorld, url: str) -> None:
        self.world = world
        host = urlsplit(world.origin).netloc
        self.http = httpx.Client(base_url=url, headers={"host": host})
        self.passkey = Authenticator(origin=world.origin, host=urlsplit(url).hostname or "")
        self.passkey.host = "localhost"
        self.headers = {"origin": world.origin, "sec-fetch-site": "same-origin"}

    def get(self, path: str) -> Seen:
        return _seen(self.http.get(path))

    def post(self, path: str, **fields: str) -> Seen:
        return _seen(self.http.post(path, data=fields, headers=self.headers))

    def act(self, path: str, **fields: str) -> Seen:
        """Post a form with the session's token; the page that one is then sent to."""
        return self.follow(self.post(path, token=self.token(), **fields))

    def upload(self, path: str, data: bytes, name: str = "decision.record") -> Seen:
        """Post a file with the session's token; the page that one is then sent to."""
        files = {"signed": (name, data)}
        answer = self.http.post(
            path, data={"token": self.token()}, files=files, headers=self.headers
        )
        return self.follow(_seen(answer))

    def follow(self, seen: Seen) -> Seen:
        return self.get(seen.headers["location"]) if seen.status == 303 else seen

    def token(self) -> str:
        """The token that the forms of this session carry."""
        found = re.search(r'name="token" value="([0-9a-f]+)"', self.get("/you").text)
        return found[1] if found else ""

    def options(self, page: Seen) -> str:
        """What a page asks of the authenticator."""
        found = re.search(r'data-options="([^"]*)"', page.text)
        assert found is not None, page.text
        return unescape(found[1])

    def enrol(self, code: str) -> Seen:
        """Make a passkey with a code; the page that one is then sent to."""
        page = self.post("/enrol/begin", code=code)
        if page.status != 200:
            return page
        response = self.passkey.create(self.options(page))
        return self.follow(self.post("/enrol", code=code, response=response))

    def sign_in(self) -> Seen:
        """Sign in with the passkey; the page that one is then sent to."""
        options = self.options(self.get("/enter"))
        return self.follow(self.post("/enter", response=self.passkey.get(options)))


def _seen(answer: httpx.Response) -> Seen:
    return Seen(status=answer.status_code, text=answer.text, headers=dict(answer.headers))


@contextmanager
def served(world: ConsoleWorld) -> Iterator[Callable[..., Browser]]:
    """Serves the console; gives browsers, of a member who enrols and signs in, if named."""
    with web.running(world.site()) as url, ExitStack() as stack:

        def browser(member: str = "") -> Browser:
            made = Browser(world, url)
            stack.callback(made.http.close)
            made.passkey.credential_id = hashlib.sha256(
                f"{member}{len(world.people)}".encode()
            ).digest()
            world.people.append(made)
            if member:
                made.enrol(world.invite(member))
                made.sign_in()
            return made

        yield browser


def _programme() -> Programme:
    return Programme(
        name=builders.NAME,
        gazette="http://log.example/gazette",
        gazette_origin=builders.GAZETTE.name,
        ledger="http://log.example/ledger",
        ledger_origin=builders.LEDGER.name,
        door="http://door.example",
        register="http://register.example",
        policy=builders.POLICY,
        policy_text=builders.POLICY_TEXT.encode(),
    )
