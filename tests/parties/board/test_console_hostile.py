"""Every route of the console is asked nonsense, by strangers and by a member, for nothing."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.parties.board.console_world import (
    ANNA,
    Browser,
    ConsoleWorld,
    docket,
    served,
)

from safeconduct.parties.board import console_site
from safeconduct.plumbing import web

Browsers = Callable[..., Browser]
PUBLIC = {"/style.css", "/passkey.js", "/health", "/enter", "/enrol"}
HASHES = {
    "of nothing": "ab" * 32,
    "empty": "",
    "short": "ab",
    "upper case": "AB" * 32,
    "above": "../../etc/passwd",
    "encoded": quote("../../etc/passwd", safe=""),
    "not UTF-8": "%ff%fe",
    "a null": "%00" * 4,
    "huge": "a" * 9_000,
    "markup": quote("<script>alert(1)</script>"),
}
VALUES = {
    "empty": "",
    "huge": "x" * 60_000,
    "a null": "\x00",
    "markup": "<script>alert(1)</script>",
    "another direction": "\u202e",
    "a number": "99999999999999999999",
    "negative": "-1",
    "json": '{"response": {}}',
}
FIELDS = (
    *("code", "response", "vote", "outcome", "reasons", "after", "conflict", "departure"),
    *("without", "passkey", "everywhere"),
)


@pytest.fixture
def world(tmp_path: Path) -> ConsoleWorld:
    world = ConsoleWorld(folder=tmp_path)
    world.pull()
    return world


@pytest.fixture
def browser(world: ConsoleWorld) -> Iterator[Browsers]:
    with served(world) as browsers:
        yield browsers


def routes(world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch) -> list[web.Route]:
    """The routes of the console, as it hands them to the web."""
    gathered: list[web.Route] = []
    make = web.make_app

    def gather(given: Sequence[web.Route], **_: Any) -> web.App:
        gathered.extend(given)
        return make(given)

    with monkeypatch.context() as patch:
        patch.setattr(web, "make_app", gather)
        console_site.make_site(world.console)
    return gathered


def happened(world: ConsoleWorld) -> list[str]:
    """What members did, but for coming and going."""
    claim = world.file().question.claim
    return [event.kind for event in world.console.store.events(claim)]


def test_a_stranger_is_sent_to_sign_in_wherever_they_ask(
    world: ConsoleWorld, browser: Browsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger, asked = browser(), 0
    for route in routes(world, monkeypatch):
        if route.path in PUBLIC or route.path == "/enrol/begin":
            continue
        path = route.path.replace("{hash}", world.file().kept.hash.hex())
        path = path.replace("{rest:path}", "nowhere")
        seen = (
            stranger.get(path) if route.method == "GET" else stranger.post(path, vote="agree")
        )
        assert (seen.status, seen.headers["location"]) == (303, "/enter"), path
        assert "content-security-policy" in seen.headers
        asked += 1
    assert asked > 12
    assert happened(world) == []


@pytest.mark.parametrize("kind", HASHES)
def test_a_nonsensical_address_gets_an_error_and_nothing_else(
    kind: str,
    world: ConsoleWorld,
    browser: Browsers,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    anna = browser(ANNA)
    token = anna.token()
    for route in routes(world, monkeypatch):
        if "{hash}" not in route.path:
            continue
        path = route.path.replace("{hash}", HASHES[kind])
        seen = (
            anna.get(path)
            if route.method == "GET"
            else anna.post(path, token=token, vote="agree", after="0")
        )
        assert 400 <= seen.status < 500, path
        assert "<script>alert" not in seen.text
    assert happened(world) == []
    assert "internal fault" not in capsys.readouterr().err


@pytest.mark.parametrize("kind", VALUES)
def test_a_nonsensical_form_gets_an_error_and_changes_nothing(
    kind: str,
    world: ConsoleWorld,
    browser: Browsers,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    harmless = {"/pull", "/leave"}  # they look at nothing but the token
    anna = browser(ANNA)
    token, where = anna.token(), world.file().kept.hash.hex()
    for route in routes(world, monkeypatch):
        for field in FIELDS:
            if route.method == "POST" and route.path not in harmless:
                path = route.path.replace("{hash}", where)
                nonsense = {"token": token, field: VALUES[kind]}
                if path.endswith("/conflict") and field == "conflict":
                    continue  # any words are a conflict; its own tests are elsewhere
                seen = anna.post(path, **nonsense)
                assert 400 <= seen.status < 500, (path, field)
                assert "<script>alert" not in seen.text
    assert happened(world) == []
    assert "internal fault" not in capsys.readouterr().err


BODIES = {
    "another type": ("text/plain", b"vote=agree"),
    "no boundary": ("multipart/form-data", b"--x"),
    "cut short": (
        "multipart/form-data; boundary=x",
        b"--x\r\ncontent-disposition: form-data; n",
    ),
    "not UTF-8": ("application/x-www-form-urlencoded", b"vote=%ff&token=\xff"),
    "many parts": ("application/x-www-form-urlencoded", b"a=1&" * 400),
    "too long": ("application/x-www-form-urlencoded", b"a" * (1 << 20)),
}


@pytest.mark.parametrize("kind", BODIES)
def test_a_body_that_is_no_form_is_refused(
    kind: str, world: ConsoleWorld, browser: Browsers
) -> None:
    anna = browser(ANNA)
    content_type, body = BODIES[kind]
    headers = {**anna.headers, "content-type": content_type}
    for path in ("/enter", "/enrol", f"/dockets/{world.file().kept.hash.hex()}/signed"):
        answer = anna.http.post(path, content=body, headers=headers)
        assert 400 <= answer.status_code < 500, path
    assert happened(world) == []


def test_a_docket_that_is_not_offered_can_be_read_and_not_decided(
    world: ConsoleWorld, browser: Browsers
) -> None:
    where = f"/dockets/{world.file().kept.hash.hex()}"
    world.register.dockets = [docket(9)]
    world.pull()
    anna = browser(ANNA)
    assert "does not offer this docket any more" in anna.get(where).text
    assert anna.act(f"{where}/vote", vote="agree", after="0").status == 403
