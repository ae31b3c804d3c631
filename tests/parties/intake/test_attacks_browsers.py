"""What another site, or a crooked request, tries through a visitor's browser: it gains nothing.

A browser carries no authority at the door: no cookie, no session, no password. So a form that
another site sends can borrow nothing. It could lend something: a ticket whose copy its sender
keeps, in which a visitor would then write. Browsers say where a form comes from; the door asks.
"""

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from tests.parties.intake.door_world import TEXT, WORDS, World, open_world
from tests.parties.intake.walking import Visitor, heading

from safeconduct.parties.intake.site import routes
from safeconduct.plumbing.web import Route

EVIL = "evil.example"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("door")) as made:
        yield made


def every(world: World, method: str) -> list[Route]:
    return [route for route in routes(world.intake) if route.method == method]


def at(path: str) -> str:
    """An address that a route answers."""
    path = path.replace("{language}", "en").replace("{step}", "text")
    return re.sub(r"\{[^}]*\}", "0" * 64, path)


def send(world: World, path: str, headers: dict[str, str], **fields: str) -> httpx.Response:
    return httpx.post(
        world.url + path, data=fields, headers=headers, timeout=30, trust_env=False
    )


# Forms from elsewhere.

ELSEWHERE = {
    "another site": {"sec-fetch-site": "cross-site", "origin": f"https://{EVIL}"},
    "another site without referrer": {"sec-fetch-site": "cross-site", "origin": "null"},
    "another port or name of ours": {"sec-fetch-site": "same-site"},
    "an older browser": {"origin": f"https://{EVIL}"},
    "our name inside another": {"origin": "http://127.0.0.1.evil.example"},
}


@pytest.mark.parametrize("headers", ELSEWHERE.values(), ids=ELSEWHERE)
def test_no_page_takes_a_form_that_another_site_sends(
    headers: dict[str, str], world: World
) -> None:
    pages = [route.path for route in every(world, "POST") if "{language}" in route.path]
    assert len(pages) > 12
    before = world.held()
    for path in pages:
        answer = send(world, at(path), headers, words=WORDS, text=TEXT, nothing="1", sure="1")
        assert answer.status_code == 403, path
        assert 'name="ticket"' not in answer.text, path
    assert world.held() == before


def test_a_visitor_cannot_be_made_to_write_in_what_somebody_else_can_read(
    world: World,
) -> None:
    attacker = Visitor(world)
    attacker.with_new_words()
    headers = ELSEWHERE["another site without referrer"]
    shown = send(world, "/en/tell/again", headers, ticket=attacker.ticket, to="text")
    assert shown.status_code == 403
    assert attacker.ticket not in shown.text
    assert "textarea" not in shown.text


OURS = {
    "a page of ours": {"sec-fetch-site": "same-origin", "origin": "null"},
    "a page loaded again": {"sec-fetch-site": "none"},
    "a browser that says nothing": {},
    "a browser that sends no referrer": {"origin": "null"},
}


@pytest.mark.parametrize("headers", OURS.values(), ids=OURS)
def test_forms_of_our_own_pages_are_taken(headers: dict[str, str], world: World) -> None:
    assert send(world, "/en/mail", headers, words=WORDS).status_code == 200


def test_our_own_origin_is_ours(world: World) -> None:
    host = urlsplit(world.url).netloc
    assert send(world, "/en/mail", {"origin": f"http://{host}"}, words=WORDS).status_code == 200
    elsewhere = send(world, "/en/mail", {"origin": f"http://{host}1"}, words=WORDS)
    assert elsewhere.status_code == 403


def test_a_link_from_elsewhere_still_opens_a_page(world: World) -> None:
    headers = ELSEWHERE["another site"]
    answer = httpx.get(f"{world.url}/en/", headers=headers, trust_env=False)
    assert answer.status_code == 200


def test_a_form_sent_without_words_or_ticket_does_nothing(world: World) -> None:
    """Even from a browser that says nothing of where it is: there is no authority to borrow."""
    before = world.held()
    for path in ("/tell/send", "/tell/text", "/mail/withdrawn", "/mail/claim/filed"):
        answer = send(world, f"/en{path}", {}, sure="1", number="0", text=TEXT)
        assert answer.status_code == 403, path
    assert world.held() == before


# What every answer says to the browser.


def test_nothing_of_ours_is_framed_sniffed_or_remembered(world: World) -> None:
    paths = [at(route.path) for route in every(world, "GET")]
    for path in [*paths, "/nothing/here", "/xx/", "/en/tell/nowhere"]:
        answer = httpx.get(world.url + path, timeout=30, trust_env=False)
        told = answer.headers
        policy = told["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "frame-ancestors 'none'" in policy, path
        assert "form-action 'self'" in policy, path
        assert "base-uri 'none'" in policy, path
        assert "unsafe" not in policy, path
        assert told["x-frame-options"] == "DENY", path
        assert told["x-content-type-options"] == "nosniff", path
        assert told["referrer-policy"] == "no-referrer", path
        assert told["cache-control"] == "no-store", path
        assert told["cross-origin-opener-policy"] == "same-origin", path
        assert "set-cookie" not in told, path
        assert "access-control-allow-origin" not in told, path
        assert "server" not in told, path


# Headers and addresses.


def raw(world: World, request: bytes) -> bytes:
    """All that is answered to these very bytes."""
    url = urlsplit(world.url)
    with socket.create_connection((url.hostname, url.port), timeout=60) as line:
        line.sendall(request)
        answer = b""
        while piece := line.recv(1 << 16):
            answer += piece
    return answer


SPLITS = {
    "in the path": b"GET /en/%0d%0aset-cookie:%20a=b HTTP/1.1\r\nhost: x\r\n",
    "in the language": b"GET /%0d%0aset-cookie:%20a=b/ HTTP/1.1\r\nhost: x\r\n",
    "in a query": b"GET /en/law?page=1%0d%0aset-cookie:%20a=b HTTP/1.1\r\nhost: x\r\n",
    "in the client's name": b"GET /client/%0d%0aset-cookie:%20a=b HTTP/1.1\r\nhost: x\r\n",
    "in the language asked for": (
        b"GET / HTTP/1.1\r\nhost: x\r\naccept-language: de\x0bset-cookie: a=b\r\n"
    ),
    "in the host": b"GET / HTTP/1.1\r\nhost: x%0d%0aset-cookie: a=b\r\n",
    "below the mailbox": b"GET /en/mail/%0d%0aset-cookie:%20a=b HTTP/1.1\r\nhost: x\r\n",
}


@pytest.mark.parametrize("request_", SPLITS.values(), ids=SPLITS)
def test_line_ends_in_a_request_make_no_header_of_the_answer(
    request_: bytes, world: World
) -> None:
    answer = raw(world, request_ + b"connection: close\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 ")
    assert b"set-cookie" not in head.lower()
    assert b"a=b" not in body


@pytest.mark.parametrize("path", ["/", "/tell", "/mail", "/law", "/en/mail/x"])
def test_no_address_leads_to_another_host(path: str, world: World) -> None:
    request_ = f"GET {path} HTTP/1.1\r\nhost: {EVIL}\r\nx-forwarded-host: {EVIL}\r\n"
    head = raw(world, request_.encode() + b"connection: close\r\n\r\n").partition(b"\r\n\r\n")[
        0
    ]
    place = re.search(rb"\r\nlocation: ([^\r]*)", head)
    assert place is not None
    assert re.fullmatch(rb"/[a-z]{2}/[a-z]*", place[1])


OPEN = {
    "two slashes": f"//{EVIL}",
    "two slashes and a language": f"//{EVIL}/en/",
    "a backslash": f"/\\{EVIL}",
    "an encoded slash": f"/%2f{EVIL}",
    "below the mailbox": f"/en/mail//{EVIL}",
    "a whole address below the mailbox": f"/en/mail/https://{EVIL}",
}


@pytest.mark.parametrize("path", OPEN.values(), ids=OPEN)
def test_no_address_makes_us_send_anybody_away(path: str, world: World) -> None:
    answer = raw(world, f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
    assert EVIL.encode() not in answer
    assert answer.split(b" ")[1] in {b"303", b"404"}


TRICKS = {
    "up": "/client/../server.key",
    "up, encoded": "/client/..%2fserver.key",
    "up, encoded twice": "/client/..%252fserver.key",
    "up, all encoded": "/client/%2e%2e%2fserver.key",
    "up in another script": "/client/..%ef%bc%8fserver.key",
    "an overlong slash": "/client/..%c0%afserver.key",
    "a backslash": "/client/..%5cserver.key",
    "a zero": "/client/linux%00",
    "a zero and an ending": "/client/server.key%00.pyz",
    "no name": "/client/",
    "a dot": "/client/.",
    "absolute": "/client//etc/passwd",
    "absolute, encoded": "/client/%2fetc%2fpasswd",
    "far too long": "/client/" + "a" * 8_000,
    "upper case": "/CLIENT/linux",
    "a language that goes up": "/..%2f/mail",
    "a language of two": "/en%2fde/",
    "a page that goes up": "/en/../server.key",
    "style that goes up": "/style.css/../../server.key",
    "no upload's name": "/deliver/..%2f..%2fserver.key",
}


@pytest.mark.parametrize("path", TRICKS.values(), ids=TRICKS)
def test_no_trick_of_an_address_reads_a_file(path: str, world: World) -> None:
    (world.folder / "server.key").write_text("PRIVATE+KEY+secret")
    (world.folder / "client").mkdir(exist_ok=True)
    answer = raw(world, f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
    assert int(answer.split(b" ")[1]) in {400, 404}
    assert b"PRIVATE" not in answer
    assert b"root:" not in answer
    assert str(world.folder).encode() not in answer


def test_a_request_for_two_lengths_or_hosts_is_nobodys(world: World) -> None:
    for head in (
        b"content-length: 3\r\ntransfer-encoding: chunked\r\n",
        b"content-length: 3\r\ncontent-length: 4\r\n",
        b"host: y\r\n",
        b"content-length: +3\r\n",
        b"transfer-encoding: xchunked\r\n",
    ):
        request_ = b"POST /commit HTTP/1.1\r\nhost: x\r\n" + head + b"\r\n0\r\n\r\n"
        answer = raw(world, request_)
        assert answer.count(b"HTTP/1.1 ") <= 1, head
        assert answer.split(b" ")[1:2] in ([b"400"], []), head


# What names and texts of strangers look like on our pages.

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7*7 }}"


def test_nothing_typed_acts_on_any_page_that_shows_it_again(tmp_path: Path) -> None:
    with open_world(tmp_path) as world:
        visitor = Visitor(world)
        visitor.with_new_words()
        shown = [visitor.press("/tell/text", text=HOSTILE)]
        name = HOSTILE.replace("/", "") + ".txt"
        shown.append(visitor.press("/tell/files", files={name: b"x"}))
        shown.append(visitor.press("/tell/send"))
        shown.append(visitor.press("/tell/again", to="text"))
        shown.append(send(world, "/en/tell/text", {}, ticket=HOSTILE, text=HOSTILE))
        shown.append(send(world, "/en/mail", {}, words=HOSTILE))
        shown.append(visitor.press("/tell/words", words=HOSTILE))
        for answer in shown:
            assert "<script" not in answer.text, heading(answer)
            assert "<img" not in answer.text, heading(answer)
            assert "49" not in answer.text.split("7*7", 1)[-1][:3], heading(answer)
        assert any("&lt;script&gt;" in answer.text for answer in shown)
