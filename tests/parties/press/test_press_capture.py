"""Pages of every kind become captures, or one clear error and nothing else."""

import hashlib
import os
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from safeconduct.errors import MalformedError, RefusedError, SafeconductError, UnavailableError
from safeconduct.parties.press.capture import capture_file, capture_url
from safeconduct.plumbing.fetch import Response
from safeconduct.plumbing.warc import parse_warc
from safeconduct.protocol.assessment.finding import findings, independent_origins
from safeconduct.protocol.assessment.origin import Piece
from safeconduct.protocol.evidence.capture import (
    PAGE_BYTES_MAX,
    Capture,
    Claimed,
    check_capture,
    format_capture,
)

NOW = datetime(2026, 5, 15, 12, tzinfo=UTC)
EXAMPLES = Path(__file__).resolve().parents[3] / "examples/press"
URL = "https://courier.example/port/register"
WELLER = "Anton Weller"
DENOUNCED = (
    "I denounce the port ministry’s registration regime. It is unjust, and I will not sign"
    " another name."
)


def _sample(name: str) -> Capture:
    return capture_file(EXAMPLES / name, url=None, now=NOW)[0]


def _captured(tmp_path: Path, data: bytes) -> Capture:
    (tmp_path / "page").write_bytes(data)
    return capture_file(tmp_path / "page", url=None, now=NOW)[0]


def _told(capture: Capture, kind: str = "quoted") -> list[tuple[str, str]]:
    return [(s.speaker, s.said) for s in capture.statements if s.kind == kind]


def test_a_page_that_denounces_is_captured_with_its_speaker() -> None:
    capture = _sample("deputy-denounces.html")
    assert _told(capture) == [
        (WELLER, DENOUNCED),
        (WELLER, "Because I was afraid. Everybody on that floor is afraid."),
        (WELLER, "Whoever still has the book should carry it out of the building"),
    ]
    assert capture.title.endswith("deputy harbour master turns on the register")
    assert capture.claimed == Claimed(earliest_on="2026-05-12", latest_on="2026-05-12")
    assert (capture.extractor, capture.media_type) == ("trafilatura", "text/html")


@pytest.mark.parametrize(
    "words",
    ["Related", "Fish market", "cookies", "Leave a Reply", "never believed", "rights reserved"],
)
def test_boilerplate_of_an_html_page_is_not_in_the_article(words: str) -> None:
    assert words.encode() in (EXAMPLES / "deputy-denounces.html").read_bytes()
    assert words not in _sample("deputy-denounces.html").text


def test_a_claim_and_a_denial_are_captured_side_by_side() -> None:
    assert _told(_sample("ministry-claims.html"), "reported")[:2] == [
        ("port ministry", "to have closed the harbour book in March"),
        (WELLER, "names were still being entered on Friday"),
    ]


def test_a_reprint_holds_the_same_statements_and_bears_nothing_out() -> None:
    first, reprint = _sample("deputy-denounces.html"), _sample("reprint.txt")
    assert _told(reprint) == _told(first)
    assert reprint.claimed is None
    assert len(reprint.dropped) == 11
    pieces = [
        Piece(id="first", text=first.text),
        Piece(id="reprint", text=reprint.text, claims_support_for="first"),
    ]
    assert [finding.kind for finding in findings("first", pieces)] == ["circular"]
    assert independent_origins("first", pieces) == 0


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.iterdir()))
def test_a_capture_is_repeatable_and_checks_out(name: str) -> None:
    capture, warc = capture_file(EXAMPLES / name, url=URL, now=NOW)
    assert capture_file(EXAMPLES / name, url=URL, now=NOW) == (capture, warc)
    assert check_capture(format_capture(capture)) == capture
    assert capture.address == URL
    raw = (EXAMPLES / name).read_bytes()
    assert capture.raw_sha256 == hashlib.sha256(raw).digest()
    assert capture.warc_sha256 == hashlib.sha256(warc).digest()


def test_the_warc_of_a_file_is_a_resource_with_its_bytes() -> None:
    page = parse_warc(capture_file(EXAMPLES / "reprint.txt", url=None, now=NOW)[1])
    assert page.payload == (EXAMPLES / "reprint.txt").read_bytes()
    assert (page.kind, page.address) == ("resource", "file:reprint.txt")
    assert (page.captured_at, page.media_type) == ("2026-05-15T12:00:00Z", "text/plain")


def test_a_file_names_its_name_and_not_its_folder(tmp_path: Path) -> None:
    secret = tmp_path / "home of informant"
    secret.mkdir()
    capture = _captured(secret, b"The book\n\nIt was open.")
    assert capture.address == "file:page"
    assert b"informant" not in format_capture(capture)


def _answer(body: bytes, **changed: str) -> Response:
    headers = {"content-type": "text/html; charset=utf-8", "transfer-encoding": "chunked"}
    return Response(status=200, headers=headers | changed, body=body)


def test_the_warc_of_a_fetched_page_is_a_response_with_its_headers() -> None:
    body = (EXAMPLES / "deputy-denounces.html").read_bytes()
    capture, warc = capture_url(URL, now=NOW, get=lambda url: _answer(body))
    page = parse_warc(warc)
    assert (page.kind, page.address, page.payload) == ("response", URL, body)
    assert page.media_type == "text/html; charset=utf-8"
    assert _told(capture)[0] == (WELLER, DENOUNCED)


def test_a_declared_charset_is_used_where_the_page_is_not_utf_8(tmp_path: Path) -> None:
    html = (EXAMPLES / "deputy-denounces.html").read_text(encoding="utf-8")
    old = html.replace('charset="utf-8"', 'charset="windows-1252"').encode("cp1252")
    assert _told(_captured(tmp_path, old))[0] == (WELLER, DENOUNCED)
    undeclared = html.replace('<meta charset="utf-8">', "").encode("cp1252")
    headers = {"content-type": "text/html; charset=windows-1252"}
    sent = Response(status=200, headers=headers, body=undeclared)
    assert _told(capture_url(URL, now=NOW, get=lambda url: sent)[0])[0] == (WELLER, DENOUNCED)
    with pytest.raises(MalformedError, match="declares no charset"):
        _captured(tmp_path, undeclared)


BAD_FILES = {
    "empty": (b"", "empty"),
    "blank": (b" \n\t\n ", "empty"),
    "binary": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" * 50, "not UTF-8"),
    "binary that is UTF-8": (b"abc\x00\x01\x02def", "binary"),
    "Latin-1 text": ("Er sagte: über".encode("latin-1"), "declares no charset"),
    "a charset nobody reads": (
        b'<html><head><meta charset="utf-7"></head><body>\xff</body></html>',
        "no charset we read",
    ),
    "a charset that is not the page's": (
        b'<html><head><meta charset="ascii"></head><body>\xff</body></html>',
        "that it declares",
    ),
    "HTML without an article": (
        b"<html><body><script>open()</script></body></html>",
        "no article",
    ),
    "nothing but boilerplate": (b"Leave a Reply\n\nPrevious Story", "boilerplate"),
    "too long": (b"a" * (PAGE_BYTES_MAX + 1), "longer than 8388608"),
}


@pytest.mark.parametrize(("data", "why"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_page_that_is_none_is_one_clear_error(tmp_path: Path, data: bytes, why: str) -> None:
    with pytest.raises(MalformedError, match=why) as caught:
        _captured(tmp_path, data)
    assert "\n" not in caught.value.message


def test_a_file_that_is_absent_or_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError):
        capture_file(tmp_path / "absent", url=None, now=NOW)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MalformedError):
        capture_file(tmp_path / "pipe", url=None, now=NOW)


BAD_ADDRESSES = {
    "another scheme": "ftp://courier.example/",
    "no host": "https:///port",
    "a password": "https://anton:secret@courier.example/",
    "a blank": "https://courier.example/a b",
    "not ASCII": "https://courier.example/bücher",
    "too long": "https://courier.example/" + "a" * 2048,
    "a broken bracket": "https://[courier.example/",
}


@pytest.mark.parametrize("url", BAD_ADDRESSES.values(), ids=BAD_ADDRESSES.keys())
def test_an_address_that_cannot_be_published_is_refused(url: str) -> None:
    def never(url: str) -> Response:
        raise AssertionError("asked the web for a bad address")

    with pytest.raises(MalformedError) as caught:
        capture_url(url, now=NOW, get=never)
    assert "secret" not in caught.value.message


BAD_ANSWERS: dict[str, tuple[Response, type[SafeconductError]]] = {
    "not found": (Response(status=404), RefusedError),
    "sent on": (Response(status=302, headers={"location": "/elsewhere"}), RefusedError),
    "a picture": (_answer(b"GIF89a", **{"content-type": "image/gif"}), MalformedError),
    "no media type": (_answer(b"text", **{"content-type": ""}), MalformedError),
    "empty": (_answer(b""), MalformedError),
}


@pytest.mark.parametrize(("answer", "error"), BAD_ANSWERS.values(), ids=BAD_ANSWERS.keys())
def test_an_answer_that_is_no_page_is_refused(
    answer: Response, error: type[SafeconductError]
) -> None:
    with pytest.raises(error):
        capture_url(URL, now=NOW, get=lambda url: answer)


def test_reading_a_page_asks_no_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a page was read and the network asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    html = (EXAMPLES / "deputy-denounces.html").read_text(encoding="utf-8")
    linked = html.replace(
        "<h1>",
        '<link rel="canonical" href="https://courier.example/x"><img src="https://a.example/b">'
        '<iframe src="https://c.example/"></iframe><h1>',
    )
    assert _told(_captured(tmp_path, linked.encode()))[0] == (WELLER, DENOUNCED)


@pytest.mark.parametrize("data", [b"", b"no WARC", b"WARC/1.1\r\n\r\n", b"\x1f\x8b\x08broken"])
def test_bytes_that_are_no_warc_are_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_warc(data)
