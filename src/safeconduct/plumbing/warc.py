"""The door to warcio: one captured page as a WARC 1.1 file, gzip per record.

A fetched page is one `response` record with the server's status line and headers; a file is one
`resource` record. The same page at the same instant gives the same bytes: the record's id is
made from them, not from chance.

Spec: ISO 28500:2017 (WARC 1.1) §6.3, §6.4.
"""

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from safeconduct.errors import MalformedError

WARC_BYTES_MAX = 16 << 20
HEADERS_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class WarcPage:
    """What a WARC of ours holds: the page's bytes and where and when they were taken."""

    kind: str  # `response` or `resource`
    address: str
    captured_at: str  # RFC 3339, UTC
    media_type: str
    payload: bytes


def format_file_warc(address: str, captured_at: int, media_type: str, data: bytes) -> bytes:
    """The WARC of a file's bytes; `captured_at` is POSIX seconds."""
    from warcio.warcwriter import WARCWriter  # only the press needs it

    out = BytesIO()
    writer = WARCWriter(out, gzip=True, warc_version="1.1")
    record = writer.create_warc_record(
        address,
        "resource",
        payload=BytesIO(data),
        length=len(data),
        warc_content_type=media_type,
        warc_headers_dict=_headers(address, captured_at, data),
    )
    writer.write_record(record)
    return out.getvalue()


def format_response_warc(
    address: str, captured_at: int, status: int, headers: Mapping[str, str], body: bytes
) -> bytes:
    """The WARC of an HTTP response; `captured_at` is POSIX seconds.

    Raises:
        MalformedError: more than 200 headers.
    """
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter  # only the press needs it

    if len(headers) > HEADERS_MAX:
        raise MalformedError(f"page: sent with more than {HEADERS_MAX} headers")
    lines = [(_header_name(name), _one_line(value)) for name, value in headers.items()]
    out = BytesIO()
    writer = WARCWriter(out, gzip=True, warc_version="1.1")
    record = writer.create_warc_record(
        address,
        "response",
        payload=BytesIO(body),
        length=len(body),
        warc_headers_dict=_headers(address, captured_at, body),
        http_headers=StatusAndHeaders(str(status), lines, protocol="HTTP/1.1"),
    )
    writer.write_record(record)
    return out.getvalue()


def parse_warc(data: bytes) -> WarcPage:
    """The page in a WARC of ours.

    Raises:
        MalformedError: too long, no WARC, or not exactly one record of a page.
    """
    from warcio.archiveiterator import ArchiveIterator  # only the press needs it
    from warcio.exceptions import ArchiveLoadFailed

    if len(data) > WARC_BYTES_MAX:
        raise MalformedError(f"WARC: longer than {WARC_BYTES_MAX} bytes")
    pages: list[WarcPage] = []
    try:
        for record in ArchiveIterator(BytesIO(data)):
            pages.append(_page(record))
    except (ArchiveLoadFailed, OSError, ValueError, EOFError) as error:
        raise MalformedError("WARC: cannot be read") from error
    if len(pages) != 1 or pages[0].kind not in ("response", "resource"):
        raise MalformedError("WARC: not exactly one page")
    return pages[0]


def _page(record: Any) -> WarcPage:
    kind, headers = str(record.rec_type), record.rec_headers
    typed = record.http_headers if kind == "response" else headers
    return WarcPage(
        kind=kind,
        address=str(headers.get_header("WARC-Target-URI", "")),
        captured_at=str(headers.get_header("WARC-Date", "")),
        media_type=str(typed.get_header("Content-Type", "") if typed else ""),
        payload=record.raw_stream.read(WARC_BYTES_MAX),
    )


def _headers(address: str, captured_at: int, data: bytes) -> dict[str, str]:
    digest = hashlib.sha256(data).hexdigest()
    at = datetime.fromtimestamp(captured_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"{address} {at} {digest}")
    return {
        "WARC-Record-ID": f"<urn:uuid:{name}>",
        "WARC-Date": at,
        "WARC-Payload-Digest": f"sha256:{digest}",
    }


def _header_name(name: str) -> str:
    """The body is stored as it was meant, so a header on how it travelled must not stand."""
    travelled = name.lower() == "transfer-encoding"
    return ("X-Archive-Orig-" if travelled else "") + _one_line(name)


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() and c.isascii() else " " for c in text)
