"""What real browsers say of a form that another site sends, and that the door believes them.

Without a script and without a referrer too: then only `Sec-Fetch-Site` tells it from ours.
"""

import re
from html import escape, unescape
from urllib.parse import urlsplit

import httpx
import pytest
from tests.browser.browsers import MODES, visiting
from tests.browser.conftest import Launch
from tests.browser.door import NOBODYS_WORDS, Door

from safeconduct.plumbing import web

WINDOW = (1024, 768)
PAGE = """<!doctype html><html lang="en"><title>Elsewhere</title><h1>Tell us here</h1>
<form method="post" action="{action}"><input type="hidden" name="ticket" value="{ticket}">
<input type="hidden" name="to" value="text"><button>Begin</button></form></html>"""
HOSTS = {"another site": "localhost", "another port of ours": "127.0.0.1"}


def elsewhere(action: str, ticket: str, referrer: str) -> web.App:
    """A site with one form, which posts to the door what its maker has a copy of."""
    page = PAGE.format(action=escape(action), ticket=escape(ticket))
    told = {"content-security-policy": "form-action *", "referrer-policy": referrer}
    return web.make_app([web.Route("GET", "/", lambda _: web.html(page, headers=told))])


def confirmed_ticket(door: Door) -> str:
    """A ticket of somebody who has come as far as the text."""
    with httpx.Client(base_url=door.url, timeout=60, trust_env=False) as client:
        ticket = _ticket(client.get("/en/tell"))
        words = {"ticket": ticket, "words": NOBODYS_WORDS}
        ticket = _ticket(client.post("/en/tell/words", data=words))
        shown = client.post("/en/tell/again", data={"ticket": ticket, "to": "text"})
        assert "<textarea" in shown.text, "the ticket is worth something"
    return ticket


def _ticket(answer: httpx.Response) -> str:
    found = re.search(r'name="ticket" value="([^"]+)"', answer.text)
    assert found is not None
    return unescape(found[1])


@pytest.mark.parametrize("referrer", ["no-referrer", "unsafe-url"])
@pytest.mark.parametrize("host", HOSTS.values(), ids=HOSTS)
@pytest.mark.parametrize(("name", "scripts"), MODES)
def test_nobody_is_led_to_write_in_what_another_can_read(
    name: str, scripts: bool, host: str, referrer: str, browsers: Launch, door: Door
) -> None:
    ticket = confirmed_ticket(door)
    site = elsewhere(f"{door.url}/en/tell/again", ticket, referrer)
    with (
        web.running(site) as url,
        visiting(browsers(name, scripts), scripts=scripts, size=WINDOW) as visitor,
    ):
        visitor.open(f"http://{host}:{urlsplit(url).port}/")
        visitor.press("button")
        assert urlsplit(visitor.page.url).path == "/en/tell/again"
        assert "This could not be taken." in visitor.text()
        assert not visitor.ask("() => document.querySelector('textarea') !== null")
