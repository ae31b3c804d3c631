"""What is under way when the play is over: none of it is final, and nobody may see any of it.

A claim that the board has yet to decide, and a console where a member sits before it; one that
was decided and can be appealed; somebody who was told of a listing, has replied, and was not
decided on; and somebody proposed alone.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from html import unescape
from urllib.parse import urlsplit

import httpx
import pytest
from tests.plumbing.authenticator import Authenticator
from tests.world import Played

from safeconduct.parties.board.console import Console
from safeconduct.parties.board.console_command import open_console
from safeconduct.parties.board.console_pull import pull
from safeconduct.parties.board.console_sign_in import invite
from safeconduct.parties.board.console_site import make_site
from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.desk.assess import assessment_for
from safeconduct.parties.desk.desk import open_desk
from safeconduct.parties.registry.board_site import set_console_key
from safeconduct.parties.registry.decide import enter, propose_decision, read_draft
from safeconduct.parties.registry.enlist import notify, propose
from safeconduct.parties.registry.hearing import reply
from safeconduct.parties.registry.receive import Registry, open_registry
from safeconduct.parties.registry.registrations import Listed
from safeconduct.parties.source.claim import Terms, claim_helped
from safeconduct.parties.source.inbox import read_inbox
from safeconduct.plumbing import clock, dice, web
from safeconduct.plumbing.register import Filed, RegisterDoor
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.record import format_record
from safeconduct.protocol.tlog.note import format_vkey

ORIGIN = "http://localhost:8500"
CLAIMANT = "r-0004"
CLAIMANT_NAME = "the broker who asks once more"
NOTHING_FOUND = {
    "claimant_is_subject": True,
    "grave_crime_proven": False,
    "knowing_falsehood_found": False,
}
TOLD, PROPOSED = "r-0077", "r-0078"
NAMES = {TOLD: "the lamp keeper of the ninth pier", PROPOSED: "the keeper of the tide tables"}
CONDUCT = "let the lamp burn out in the night of the landing"
EVIDENCE = "the lamp book of the ninth pier, with a page torn out"
PROPOSER = "the second clerk, on the fourth floor"
REPLY = "The oil had not come for a week. I wrote so, each day, in the lamp book."


@dataclass(frozen=True, slots=True, kw_only=True)
class Seated:
    """A member who is signed in at a console, and what waits there and elsewhere.

    `secrets` are the codes, cookie, token and challenges of it, by what they are.
    """

    url: str
    headers: Mapping[str, str]
    member: str
    token: str
    secrets: Mapping[str, str]
    docket: str
    case: Filed
    decided: Filed
    told: Listed
    proposed: Listed

    def client(self) -> httpx.Client:
        """The member's browser."""
        return httpx.Client(headers=dict(self.headers), timeout=60, trust_env=False)


@pytest.fixture(scope="session")
def seated(played: Played) -> Iterator[Seated]:
    """The one console at the play, served to its end."""
    with ExitStack() as stack:
        yield _seat(played, stack)


def _seat(played: Played, stack: ExitStack) -> Seated:
    registry = open_registry(played.folder / "register")
    told, proposed = _list(registry)
    decided, case = (_claim(played, registry, player) for player in ("rival", "clerk"))
    draft = format_record(read_draft(registry, decided.claim))
    enter(registry, decided.claim, sign_all(draft, played.world.board[:2]))
    console = open_console(played.folder / "console", played.programme, ORIGIN)
    stack.callback(console.store.close)
    set_console_key(registry.folder, format_vkey(console.key.verifier()))
    pull(console)
    assert not console.memory.trouble
    [kept] = console.store.dockets()
    url = stack.enter_context(web.running(make_site(console)))
    member = played.world.board[2].name
    cookie, secrets = _sign_in(console, url, member)
    headers = {**_browser(), "cookie": f"board={cookie}"}
    page = httpx.get(f"{url}/you", headers=headers, trust_env=False).text
    [token] = set(re.findall(r'name="token" value="([0-9a-f]+)"', page))
    return Seated(
        url=url,
        headers=headers,
        member=member,
        token=token,
        secrets={**secrets, "cookie": cookie, "token": token},
        docket=kept.hash.hex(),
        case=case,
        decided=decided,
        told=told,
        proposed=proposed,
    )


def _list(registry: Registry) -> tuple[Listed, Listed]:
    told = propose(registry, listing_file(TOLD, NAMES[TOLD]))
    notify(registry, told.number)
    reply(registry, told.page, REPLY)
    return told, propose(registry, listing_file(PROPOSED, NAMES[PROPOSED]))


def listing_file(subject: str, name: str) -> dict[str, Json]:
    """What the clerk writes about one person."""
    return {
        "subject": subject,
        "name": name,
        "assessment": {
            "ground": "section 8 of the example act",
            "role": "keeper at the harbour",
            "conduct": CONDUCT,
            "harm": "two boats ran aground",
            "time_since": "three years",
            "weight": "alone on duty",
        },
        "identity": "staff papers of the harbour",
        "evidence": [EVIDENCE],
        "proposer": PROPOSER,
    }


def _claim(played: Played, registry: Registry, player: str) -> Filed:
    """A player's claim, under a number that the law was never applied in favour of; drafted."""
    [tip] = read_inbox(played.programme, played.world.words[player])
    door = RegisterDoor(played.programme.register)
    audience, challenge = door.challenge()
    terms = Terms(
        programme=played.programme.hash,
        audience=audience,
        challenge=challenge,
        subject=CLAIMANT,
        name=CLAIMANT_NAME,
        at=clock.seconds(),
    )
    filed = door.file(claim_helped(tip, terms, dice.random_bytes))
    desk = open_desk(played.folder / "desk")
    assessment = assessment_for(desk, played.world.hashes[player])
    propose_decision(registry, filed.claim, NOTHING_FOUND, assessment)
    return filed


def _browser() -> dict[str, str]:
    host = urlsplit(ORIGIN).netloc
    return {"host": host, "origin": ORIGIN, "sec-fetch-site": "same-origin"}


def _sign_in(console: Console, url: str, member: str) -> tuple[str, dict[str, str]]:
    """The cookie of a session, and the secrets that led to it; one code is left unused."""
    access, passkey = console.access, Authenticator(origin=ORIGIN, host="localhost")

    def invited() -> str:
        return invite(console.store, member, clock.seconds(), access.random_bytes, lost=False)

    code = invited()
    with httpx.Client(base_url=url, headers=_browser(), trust_env=False) as browser:
        begun = _options(browser.post("/enrol/begin", data={"code": code}).text)
        answer = {"code": code, "response": passkey.create(begun)}
        assert browser.post("/enrol", data=answer).status_code == 303
        asked = _options(browser.get("/enter").text)
        entered = browser.post("/enter", data={"response": passkey.get(asked)})
        cookie = entered.cookies["board"]
    challenges = [re.findall(r'"challenge": ?"([\w-]+)"', text)[0] for text in (begun, asked)]
    return cookie, {
        "a used code": code,
        "an unused code": invited(),
        "the challenge of an enrolment": challenges[0],
        "the challenge of a sign-in": challenges[1],
    }


def _options(page: str) -> str:
    found = re.search(r'data-options="([^"]*)"', page)
    assert found is not None, page
    return unescape(found[1])
