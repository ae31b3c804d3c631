"""The board's console in Chromium, with its virtual authenticator: from code to register.

Two members enrol, sign in, vote and depart, make the draft, sign it with the real verb, and
bring it back. Every page on the way is judged by axe; pictures stay in build/screenshots.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.browser.axe import judge
from tests.browser.browsers import CHROMIUM, FIREFOX, Visitor, visiting
from tests.browser.conftest import Launch
from tests.browser.judging import PICTURES
from tests.browser.looks import OVERFLOW
from tests.parties.board.console_register import at_register, proposed
from tests.parties.board.console_world import ANNA, BORIS, CLARA, ConsoleWorld
from tests.parties.registry.register_world import World, state_of
from tests.protocol.builders import MEMBERS

from safeconduct.demo.stage import free_port
from safeconduct.parties.registry.decide import decided_record
from safeconduct.plumbing import web
from safeconduct.plumbing.durable import write_secret
from safeconduct.protocol.record import parse_record, parse_signed
from safeconduct.protocol.tlog.note import SigningKey, format_skey

SIZES = {"wide": (1280, 900), "narrow": (360, 740)}
WHY = "The tip came before the date, but it told the desk nothing that was not in the papers."
_DOWNLOAD = "/decision.record"  # no page, so the browser says that none was opened
_AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@dataclass
class Member:
    """A member at a browser of their own, with an authenticator of their own."""

    name: str
    visitor: Visitor
    origin: str
    authenticator: str

    def open(self, path: str) -> int:
        return self.visitor.open(self.origin + path)

    def enrol(self, code: str) -> None:
        self.open("/enrol")
        self.visitor.type("#code", code)
        self.visitor.button("/enrol/begin")
        self.visitor.button("/enrol")

    def sign_in(self) -> None:
        self.open("/enter")
        self.visitor.button("/enter")

    def choose(self, selector: str) -> None:
        self.visitor.page.locator(selector).check()

    def unlocks(self, *, willing: bool) -> None:
        """Whether the person unlocks the authenticator when it asks."""
        session = self.visitor.context.new_cdp_session(self.visitor.page)
        session.send(
            "WebAuthn.setUserVerified",
            {"authenticatorId": self.authenticator, "isUserVerified": willing},
        )


Members = Callable[[str], Member]


@pytest.fixture(scope="module")
def both(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[World, ConsoleWorld]]:
    """A register to which a claim was made, and its console."""
    origin = f"http://localhost:{free_port()}"
    folder = tmp_path_factory.mktemp("console")
    with pytest.MonkeyPatch.context() as patch, at_register(folder, patch, origin) as opened:
        proposed(*opened)
        yield opened


@pytest.fixture(scope="module")
def world(both: tuple[World, ConsoleWorld]) -> ConsoleWorld:
    return both[1]


@pytest.fixture(scope="module")
def members(world: ConsoleWorld, browsers: Launch) -> Iterator[Members]:
    """Gives a member at a fresh browser of their own."""
    listen = f"127.0.0.1:{world.origin.rpartition(':')[2]}"
    with web.running(world.site(), listen), ExitStack() as stack:

        def member(name: str) -> Member:
            return stack.enter_context(_member(browsers, world.origin, name))

        yield member


@contextmanager
def _member(browsers: Launch, origin: str, name: str) -> Iterator[Member]:
    with visiting(browsers(CHROMIUM, True), size=SIZES["wide"]) as visitor:
        session = visitor.context.new_cdp_session(visitor.page)
        session.send("WebAuthn.enable")
        made = session.send("WebAuthn.addVirtualAuthenticator", {"options": _AUTHENTICATOR})
        yield Member(
            name=name, visitor=visitor, origin=origin, authenticator=made["authenticatorId"]
        )


@dataclass
class Looking:
    """Looks at a page as it stands: axe, whether it fits, and pictures of it at both sizes."""

    axe: str
    found: dict[str, list[str]]

    def look(self, member: Member, name: str) -> None:
        visitor = member.visitor
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.found[name] = judge(visitor, self.axe)
        for size, (width, height) in SIZES.items():
            visitor.resize(width, height)
            picture = PICTURES / f"console-{name}-{size}.png"
            picture.write_bytes(visitor.picture())
        for width, height in SIZES.values():
            visitor.resize(width, height)
            self.found[name] += visitor.ask(OVERFLOW)  # it unfolds what is folded
        visitor.resize(*SIZES["wide"])


@pytest.fixture(scope="module")
def looking(axe: str) -> Looking:
    return Looking(axe=axe, found={})


def _signed(key: SigningKey, draft: bytes, folder: Path) -> bytes:
    """The draft as a member's own machine signs it, with the real verb."""
    path, key_path = folder / "decision-1.record", folder / f"{key.name.rpartition('/')[2]}.key"
    path.write_bytes(draft)
    write_secret(key_path, (format_skey(key) + "\n").encode())
    command = ["board", "sign", str(path), "--key", str(key_path)]
    subprocess.run([sys.executable, "-m", "safeconduct", *command], check=True, timeout=180)
    return path.read_bytes()


def _upload(member: Member, data: bytes) -> None:
    file = {"name": "../signed.record", "mimeType": "text/plain", "buffer": data}
    member.visitor.choose("#signed", [file])
    member.visitor.button("/signed")


def test_two_members_decide_a_case_from_the_code_to_the_register(
    both: tuple[World, ConsoleWorld], members: Members, looking: Looking, tmp_path: Path
) -> None:
    register, world = both
    anna, boris = members(ANNA), members(BORIS)
    docket = f"/dockets/{world.file().kept.hash.hex()}"
    anna.open("/enter")
    looking.look(anna, "enter")
    anna.open("/enrol")
    looking.look(anna, "enrol")
    anna.visitor.type("#code", world.invite(ANNA))
    anna.visitor.button("/enrol/begin")
    looking.look(anna, "passkey")
    anna.visitor.button("/enrol")
    assert "The passkey is added" in anna.visitor.text()
    boris.enrol(world.invite(BORIS))
    for member in (anna, boris):
        member.sign_in()
        assert member.visitor.heading() == "Cases"
    looking.look(anna, "list")
    anna.open("/you")
    looking.look(anna, "you")

    anna.open(docket)
    looking.look(anna, "docket")
    anna.choose("#agree")
    anna.visitor.button("/vote")
    assert "Your vote is kept" in anna.visitor.text()
    for member in (boris, anna):
        member.open(docket)
        member.choose("#depart")
        member.visitor.page.locator("#outcome").select_option("registration_stands")
        member.visitor.type("#reasons", WHY)
        member.visitor.button("/vote")
    looking.look(anna, "votes")

    anna.choose("#without-1")
    anna.visitor.button("/draft")
    looking.look(anna, "draft")
    with anna.visitor.page.expect_download() as waiting:
        anna.visitor.page.locator("a[href$='decision.record']").click()
    downloaded = waiting.value
    assert downloaded.suggested_filename == "decision-1.record"
    draft = Path(downloaded.path()).read_bytes()
    assert parse_record(draft).word("outcome") == "registration_stands"
    _upload(anna, _signed(MEMBERS[0], draft, tmp_path))
    assert "The signatures are kept" in anna.visitor.text()
    boris.open(docket)
    _upload(boris, _signed(MEMBERS[1], draft, tmp_path))
    assert "goes to the register" in boris.visitor.text()
    looking.look(boris, "signed")
    boris.open("/")
    boris.visitor.button("/pull")
    boris.open(docket)
    assert "The register acknowledged it" in boris.visitor.text()
    looking.look(boris, "acknowledged")
    [filed] = register.registry.store.cases()
    assert state_of(register, filed.claim) == "decided"
    signed = decided_record(register.registry, filed.claim)
    assert signed is not None
    assert [line.name for line in parse_signed(signed).note.signatures] == [ANNA, BORIS]
    for member in (anna, boris):
        assert [each for each in member.visitor.said() if _DOWNLOAD not in each] == []
        assert member.visitor.strayed(member.origin) == []


def test_every_page_fits_and_axe_is_content(members: Members, looking: Looking) -> None:
    stranger = members("stranger")
    stranger.open("/enrol")
    stranger.visitor.type("#code", "no such code")
    stranger.visitor.button("/enrol/begin")
    assert stranger.visitor.heading() == "Not done"
    looking.look(stranger, "refused")
    assert {name: found for name, found in looking.found.items() if found} == {}


def test_a_passkey_that_is_not_unlocked_signs_nobody_in(
    world: ConsoleWorld, members: Members
) -> None:
    clara = members(CLARA)
    clara.enrol(world.invite(CLARA))
    clara.unlocks(willing=False)
    clara.open("/enter")
    clara.visitor.page.locator("main button").click()
    clara.visitor.page.wait_for_function("document.querySelector('[role=alert]').textContent")
    assert "No passkey was used" in clara.visitor.text()
    clara.unlocks(willing=True)
    clara.sign_in()
    assert clara.visitor.heading() == "Cases"


def test_an_authenticator_that_holds_a_passkey_declines_a_second(
    world: ConsoleWorld, members: Members
) -> None:
    clara = members(CLARA)
    clara.enrol(world.invite(CLARA))
    clara.open("/enrol")
    clara.visitor.type("#code", world.invite(CLARA))
    clara.visitor.button("/enrol/begin")
    clara.visitor.page.locator("main button").click()
    clara.visitor.page.wait_for_function("document.querySelector('[role=alert]').textContent")
    assert "holds a passkey for you already" in clara.visitor.text()


def test_firefox_shows_the_pages_before_signing_in_as_well(
    world: ConsoleWorld, members: Members, browsers: Launch, axe: str
) -> None:
    members("stranger")  # the console is served
    with visiting(browsers(FIREFOX, True), size=SIZES["narrow"]) as visitor:
        for path in ("/enter", "/enrol", "/"):
            assert visitor.open(world.origin + path) == 200
            assert judge(visitor, axe) + visitor.ask(OVERFLOW) == []
        assert visitor.heading() == "Board console"
        assert visitor.said() == []
        assert visitor.strayed(world.origin) == []
