"""The console: who gets in, and that nothing a tip says does more than be read."""

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.parties.desk.desk_world import NOW, World

from safeconduct.errors import RefusedError
from safeconduct.parties.desk.assess import assess
from safeconduct.parties.desk.console import (
    CODE_FILE,
    SESSION_SECONDS,
    SESSIONS_MAX,
    Sessions,
    load_code,
)
from safeconduct.parties.desk.site import make_site
from safeconduct.parties.desk.view import show
from safeconduct.parties.desk.vote import grade
from safeconduct.plumbing import fetch, web
from safeconduct.plumbing.fetch import Response

BYTES_MAX = 1 << 20
HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=alert(1)> {{ 7 * 7 }} {% raw %}"
    " http://evil.example/click javascript:alert(1) \u202egnirts desrever\u202c " + "W" * 5_000
)
HOSTILE_NAME = "<script>alert('name')<img src=x onerror=alert(1)>\"&.txt"


@dataclass
class Browser:
    """A browser with one cookie jar."""

    url: str
    cookie: str = ""

    def get(self, path: str, **headers: str) -> Response:
        sent = {"cookie": self.cookie, **headers}
        return fetch.request("GET", self.url + path, bytes_max=BYTES_MAX, headers=sent)

    def post(self, path: str, **fields: str) -> Response:
        answer = fetch.post(
            self.url + path,
            urlencode(fields).encode(),
            bytes_max=BYTES_MAX,
            content_type="application/x-www-form-urlencoded",
            headers={"cookie": self.cookie},
        )
        if "set-cookie" in answer.headers:
            self.cookie = answer.headers["set-cookie"].partition(";")[0]
        return answer

    def enter(self, code: str) -> Response:
        return self.post("/enter", code=code)

    def token(self) -> str:
        found = re.search(r'name="token" value="([0-9a-f]+)"', self.get("/").body.decode())
        assert found is not None
        return found[1]


@pytest.fixture
def code(world: World) -> str:
    return load_code(world.folder, world.chance)


@pytest.fixture
def browser(world: World, code: str) -> Iterator[Browser]:
    with web.running(make_site(world.desk, code)) as url:
        yield Browser(url=url)


class Tags(HTMLParser):
    """All tags and attributes of a page."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        self.found.append((tag, dict(attrs)))


class TestAccess:
    """Nothing is shown to anybody who has not entered the code."""

    def test_before_sign_in_every_page_leads_to_the_door(
        self, world: World, browser: Browser
    ) -> None:
        digest = world.tip(0, "the ledger of May")
        for path in ("/", f"/tips/{digest.hex()}", f"/tips/{'00' * 32}", "/nothing", "/a/b"):
            answer = browser.get(path)
            assert (answer.status, answer.headers["location"]) == (303, "/enter")
            assert answer.body == b""

    def test_before_sign_in_no_form_is_taken(self, world: World, browser: Browser) -> None:
        digest = world.tip(0, "the ledger of May")
        for path in ("/pull", "/leave", f"/tips/{digest.hex()}/votes"):
            assert browser.post(path, token="").status == 403

    def test_the_code_opens_and_the_cookie_is_for_this_site_only(
        self, browser: Browser, code: str
    ) -> None:
        answer = browser.enter(code)
        assert (answer.status, answer.headers["location"]) == (303, "/")
        given = answer.headers["set-cookie"].lower()
        assert "httponly" in given
        assert "samesite=strict" in given
        assert "max-age" not in given
        assert b"No tips have come in yet" in browser.get("/").body

    def test_a_wrong_code_opens_nothing(self, browser: Browser) -> None:
        for wrong in ("", "0", "é", "00" * 16):
            answer = browser.enter(wrong)
            assert answer.status == 403
            assert "set-cookie" not in answer.headers
            assert browser.get("/").status == 303

    def test_a_made_up_cookie_opens_nothing(self, browser: Browser) -> None:
        browser.cookie = "desk=" + "00" * 16
        assert browser.get("/").status == 303

    def test_another_host_name_is_refused(self, browser: Browser) -> None:
        assert browser.get("/enter", host="evil.example").status == 403

    def test_signing_out_ends_the_session(self, browser: Browser, code: str) -> None:
        browser.enter(code)
        assert browser.post("/leave", token=browser.token()).status == 303
        assert browser.get("/").status == 303

    def test_a_form_from_elsewhere_is_refused(
        self, world: World, browser: Browser, code: str
    ) -> None:
        digest = world.tip(0, "the ledger of May")
        browser.enter(code)
        other = Browser(url=browser.url)
        other.enter(code)
        for token in ("", "00" * 16, other.token()):
            answer = browser.post(f"/tips/{digest.hex()}/replies", token=token, text="hello")
            assert answer.status == 403
        assert len(world.inbox(0)) == 1

    def test_the_code_is_random_and_its_owners_alone(self, world: World, code: str) -> None:
        path = world.folder / CODE_FILE
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert len(code) == 32
        assert load_code(world.folder, world.chance) == code

    def test_sessions_end_and_are_bounded(self, world: World) -> None:
        now = [NOW]
        sessions = Sessions(code="c", seconds=lambda: now[0], random_bytes=world.chance)
        first = sessions.enter("c")
        for _ in range(SESSIONS_MAX):
            last = sessions.enter("c")
        assert first not in sessions.held
        assert len(sessions.held) == SESSIONS_MAX
        request = web.Request(
            {"type": "http", "headers": [(b"cookie", f"desk={last}".encode())]}
        )
        assert sessions.session(request) is not None
        now[0] += SESSION_SECONDS
        assert sessions.session(request) is None
        with pytest.raises(RefusedError):
            sessions.enter("d")


class TestHostileTips:
    """What a tip says is text, and nothing else."""

    @pytest.fixture
    def digest(self, world: World) -> bytes:
        digest = world.send(
            0,
            {
                "message.txt": HOSTILE.encode(),
                HOSTILE_NAME: HOSTILE.encode(),
                "photo.png.exe": b"\x89PNG\x00",
            },
        )
        world.run()
        for name in ("<b>Anna</b>", "Boris"):
            grade(world.desk.store, name, digest, "B", 2, ["<i>X</i>"], HOSTILE)
        assess(world.desk, digest)
        return digest

    def test_nothing_in_it_becomes_markup(
        self, browser: Browser, code: str, digest: bytes
    ) -> None:
        browser.enter(code)
        page = browser.get(f"/tips/{digest.hex()}").body
        tags = Tags(page).found
        assert not {"script", "img", "b", "i", "iframe", "object"} & {tag for tag, _ in tags}
        links = [fields.get("href") or "" for tag, fields in tags if tag == "a"]
        assert all(link.startswith(("/", "#")) for link in links)
        assert not [name for _, fields in tags for name in fields if name.startswith("on")]
        assert b"&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert b"{{ 7 * 7 }}" in page

    def test_it_cannot_turn_the_direction_of_the_page(
        self, browser: Browser, code: str, digest: bytes
    ) -> None:
        browser.enter(code)
        page = browser.get(f"/tips/{digest.hex()}").body.decode()
        assert "\u202e" not in page
        assert "\\u{202e}gnirts" in page
        inside = re.findall(r"<bdi>(.*?)</bdi>", page, re.DOTALL)
        assert any("gnirts" in text for text in inside)
        outside = re.sub(r"<bdi>.*?</bdi>", "", page, flags=re.DOTALL)
        assert "gnirts" not in outside

    def test_the_page_may_run_no_script_whatever_happens(
        self, browser: Browser, code: str, digest: bytes
    ) -> None:
        browser.enter(code)
        answer = browser.get(f"/tips/{digest.hex()}")
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "script-src" not in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"

    def test_its_names_never_reach_the_disk(self, world: World, digest: bytes) -> None:
        names = {path.name for path in world.folder.rglob("*")}
        assert not any("script" in name or "photo" in name for name in names)
        page = show(world.desk, world.desk.store.tip(digest))
        assert [file.text is None for file in page.files] == [False, False, True]

    @pytest.mark.parametrize(
        "name", ["../../etc/passwd", "a/b", "a\\b", "..", "x\u202egpj.exe", "a\nb", ""]
    )
    def test_a_name_with_a_path_in_it_makes_the_tip_unreadable(
        self, world: World, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        with monkeypatch.context() as source:
            source.setattr("safeconduct.protocol.envelope.check_file_name", lambda given: given)
            source.setattr("safeconduct.protocol.tip.check_file_name", lambda given: given)
            digest = world.send(0, {name: b"harmless"})
        [step] = world.run()
        assert step.status == "unreadable"
        assert world.desk.store.tip(digest)
        assert [path.name for path in world.desk.store.tip_folder(digest).iterdir()] == [
            "payload"
        ]


class TestWork:
    """What an assessor does on the pages."""

    def test_a_tip_is_fetched_voted_on_assessed_and_answered(
        self, world: World, browser: Browser, code: str
    ) -> None:
        digest = world.send(0, {"message.txt": b"the ledger of May is attached"})
        browser.enter(code)
        token = browser.token()
        assert browser.post("/pull", token=token).status == 303
        assert b"tip-1" in browser.get("/").body
        address = f"/tips/{digest.hex()}"
        for name, reason in (("Anna", "a reason of Anna"), ("Boris", "a reason of Boris")):
            answer = browser.post(
                f"{address}/votes",
                token=token,
                assessor=name,
                reliability="B",
                credibility="2",
                accuses="Igor Balan\r\n\r\nPetru Moraru\r\n",
                reasons=reason,
            )
            assert answer.status == 303
            if name == "Anna":
                assert b"a reason of Anna" not in browser.get(address).body
        assert b"a reason of Anna" in browser.get(address).body
        assert browser.post(f"{address}/assess", token=token).status == 303
        assert browser.post(f"{address}/replies", token=token, text="Which?").status == 303
        page = browser.get(address).body.decode()
        assert "useful" in page
        assert "<bdi>Petru Moraru</bdi>" in page
        assert [said.text for said in world.inbox(0)][1:] == ["Which?"]

    def test_the_circle_is_drawn_on_the_page(
        self, world: World, browser: Browser, code: str
    ) -> None:
        words = " ".join(f"word{number}" for number in range(30))
        digest = world.tip(0, words, **{"press<x>": words})
        for name in ("Anna", "Boris"):
            grade(world.desk.store, name, digest, "B", 2, [], "sure")
        assess(world.desk, digest)
        browser.enter(code)
        page = browser.get(f"/tips/{digest.hex()}").body
        assert b"its only corroboration is itself" in page
        kinds = [tag for tag, _ in Tags(page).found]
        assert "svg" in kinds
        assert "ellipse" in kinds
        assert "x" not in kinds
        assert b"circular" in browser.get("/").body

    def test_a_vote_without_a_clear_grade_is_sent_back(
        self, world: World, browser: Browser, code: str
    ) -> None:
        digest = world.tip(0, "the ledger of May")
        browser.enter(code)
        token = browser.token()
        for credibility in ("", "0", "7", "12", "one"):
            answer = browser.post(
                f"/tips/{digest.hex()}/votes",
                token=token,
                assessor="Anna",
                reliability="B",
                credibility=credibility,
                reasons="fine",
            )
            assert answer.status == 400
        assert world.desk.store.votes(digest) == []

    def test_what_is_not_there_is_said_so(self, browser: Browser, code: str) -> None:
        browser.enter(code)
        statuses = [
            browser.get(path).status for path in (f"/tips/{'00' * 32}", "/tips/xyz", "/nothing")
        ]
        assert statuses == [404, 400, 404]
