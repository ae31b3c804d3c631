"""Capture one page, from a file or from the web: its private WARC and its public part.

    page bytes ──► WARC (private copy)
         └─ decode ─► article text ─► boilerplate out ─► statements ─► public part (JSON)

The same bytes at the same instant give the same capture.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.plumbing import fetch
from safeconduct.plumbing.durable import read_file
from safeconduct.plumbing.html_text import EXTRACTOR, html_text
from safeconduct.plumbing.warc import format_file_warc, format_response_warc
from safeconduct.protocol.evidence.capture import (
    ADDRESS_CHARS_MAX,
    PAGE_BYTES_MAX,
    Capture,
    Claimed,
    make_capture,
)
from safeconduct.protocol.evidence.page_text import PageText, strip_boilerplate

PLAIN_TEXT = "text/plain"
HTML = "text/html"
_HTML_TYPES = frozenset({HTML, "application/xhtml+xml"})
_TYPES = _HTML_TYPES | {PLAIN_TEXT}
_PLAIN_EXTRACTOR = ("plain", "1")
_HEAD_BYTES = 2048  # where a page may declare its charset
_LOOKS_HTML = re.compile(
    rb"<(!doctype html|html|head|body|article|title|p|div)\b", re.IGNORECASE
)
_META_CHARSET = re.compile(
    rb"""<meta[^>]{0,200}charset=["']?\s*([A-Za-z0-9_.:-]{1,40})""", re.I
)
_HEADER_CHARSET = re.compile(r"""charset=["']?\s*([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE)
_BINARY_CONTROLS = frozenset("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x0e\x0f\x10\x11")
_CHARSETS = frozenset(
    {
        "iso8859-1", "iso8859-2", "iso8859-5", "iso8859-7", "iso8859-9", "iso8859-13",
        "iso8859-15", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1257", "koi8-r",
        "koi8-u", "utf-16", "utf-8", "ascii", "shift_jis", "euc_jp", "gb18030", "gbk", "gb2312",
        "big5", "euc_kr"
    }
)  # fmt: skip

GetPage = Callable[[str], fetch.Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """A page as it came: where from, its media type, the charset declared beside it, bytes."""

    address: str
    media_type: str
    charset: str
    raw: bytes


def capture_file(path: Path, *, url: str | None, now: datetime) -> tuple[Capture, bytes]:
    """The capture of a saved page and its WARC; `url` is where the page is said to be from.

    Raises:
        MalformedError: empty, longer than 8 MiB, binary, not UTF-8 nor its declared charset,
            or no article in it.
        UnavailableError: the file cannot be read.
    """
    raw = read_file(path, bytes_max=PAGE_BYTES_MAX)
    html = _LOOKS_HTML.search(raw[:_HEAD_BYTES]) is not None
    page = _Page(
        address=_checked_url(url) if url else "file:" + quote(path.name),
        media_type=HTML if html else PLAIN_TEXT,
        charset="",
        raw=raw,
    )
    at = int(now.timestamp())
    return _capture(page, at, lambda: format_file_warc(page.address, at, page.media_type, raw))


def get_page(url: str) -> fetch.Response:
    """The answer of a web server to a GET, at most 8 MiB long."""
    return fetch.request("GET", url, bytes_max=PAGE_BYTES_MAX)


def capture_url(url: str, *, now: datetime, get: GetPage = get_page) -> tuple[Capture, bytes]:
    """The capture of a page on the web and its WARC with the server's headers.

    Redirects are not followed: the address captured is the address asked for.

    Raises:
        MalformedError: no http(s) address, another media type, or see `capture_file`.
        RefusedError: the server answered anything but 200.
        UnavailableError: it cannot be reached.
    """
    address = _checked_url(url)
    response = get(address)
    _check_status(response)
    media_type, charset = _content_type(response.headers)
    page = _Page(address=address, media_type=media_type, charset=charset, raw=response.body)
    at = int(now.timestamp())
    return _capture(
        page,
        at,
        lambda: format_response_warc(
            address, at, response.status, response.headers, response.body
        ),
    )


def _capture(page: _Page, at: int, make_warc: Callable[[], bytes]) -> tuple[Capture, bytes]:
    article, extractor, claimed = _read(page)
    warc = make_warc()
    capture = make_capture(
        article,
        address=page.address,
        captured_at=at,
        media_type=page.media_type,
        raw=page.raw,
        warc=warc,
        extractor=extractor,
        claimed=claimed,
    )
    return capture, warc


def _read(page: _Page) -> tuple[PageText, tuple[str, str], Claimed | None]:
    text = _decode(page)
    if page.media_type not in _HTML_TYPES:
        return _article(text), _PLAIN_EXTRACTOR, None
    found = html_text(text)
    day = found.published_on
    claimed = Claimed(earliest_on=day, latest_on=day) if day else None
    titled = _with_title(found.title, found.text)
    return _article(titled), (EXTRACTOR, found.extractor_version), claimed


def _with_title(title: str, text: str) -> str:
    """The article with its headline first, once, as a plain-text scrape has it."""
    first = text.lstrip().split("\n", 1)[0].strip()
    return text if not title or _plain(first) == _plain(title) else f"{title}\n\n{text}"


def _plain(line: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", line).casefold().split())


def _article(text: str) -> PageText:
    article = strip_boilerplate(text)
    if not article.text:
        raise MalformedError("page: nothing is left when the boilerplate is taken out")
    return article


def _decode(page: _Page) -> str:
    """The page as text: UTF-8, or else the charset it declares; never guessed."""
    if not page.raw.strip():
        raise MalformedError("page: empty")
    try:
        text = page.raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = _decode_declared(page, error.start)
    if _BINARY_CONTROLS.intersection(text):
        raise MalformedError("page: holds binary data, not text")
    return text


def _decode_declared(page: _Page, place: int) -> str:
    declared = page.charset or _meta_charset(page)
    if not declared:
        raise MalformedError(
            f"page: not UTF-8 at byte {place}, and it declares no charset",
            hint="convert it to UTF-8 first",
        )
    known = _charset(declared)
    if known is None:
        raise MalformedError(f"page: declares {declared!r}, which is no charset we read")
    try:
        return page.raw.decode(known)
    except UnicodeDecodeError as error:
        raise MalformedError(f"page: neither UTF-8 nor the {known} that it declares") from error


def _charset(declared: str) -> str | None:
    # Browsers read Latin-1 as windows-1252, which differs only where Latin-1 has controls.
    name = declared.lower().replace("_", "-").replace("iso-8859", "iso8859")
    name = name.replace("windows-", "cp").replace("shift-jis", "shift_jis")
    name = name.replace("euc-", "euc_").replace("us-ascii", "ascii")
    name = {"iso8859-1": "cp1252", "utf8": "utf-8", "latin1": "cp1252"}.get(name, name)
    return name if name in _CHARSETS else None


def _meta_charset(page: _Page) -> str:
    if page.media_type not in _HTML_TYPES:
        return ""
    match = _META_CHARSET.search(page.raw[:_HEAD_BYTES])
    return match[1].decode("ascii") if match else ""


def _content_type(headers: Mapping[str, str]) -> tuple[str, str]:
    sent = headers.get("content-type", "")
    media_type = sent.split(";", 1)[0].strip().lower()
    if media_type not in _TYPES:
        raise MalformedError(
            f"page: sent as {media_type or 'no media type'}", hint="only HTML and plain text"
        )
    match = _HEADER_CHARSET.search(sent)
    return media_type, match[1] if match else ""


def _check_status(response: fetch.Response) -> None:
    if 300 <= response.status < 400:
        moved = response.headers.get("location", "another address")[:ADDRESS_CHARS_MAX]
        raise RefusedError(
            "page: the server sends readers on", hint=f"capture {moved} if that is the page"
        )
    if response.status != 200:
        raise RefusedError(f"page: the server answered {response.status}")


def _checked_url(url: str) -> str:
    """`url`, if it is an address that may be published.

    Raises:
        MalformedError: no http(s) address in ASCII, too long, or with a password in it.
    """
    try:
        parts = urlsplit(url)
        plain = bool(parts.hostname) and parts.username is None and parts.password is None
    except ValueError as error:
        raise MalformedError("page: not an address") from error
    if len(url) > ADDRESS_CHARS_MAX or not re.fullmatch(r"[!-~]+", url):
        raise MalformedError(
            f"page: the address is not 1 to {ADDRESS_CHARS_MAX} ASCII characters"
        )
    if parts.scheme not in ("http", "https") or not plain:
        raise MalformedError("page: not a plain http(s) address without user name")
    return url
