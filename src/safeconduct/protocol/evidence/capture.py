"""The public part of a capture: what a page said and when, without the copy of the page itself.

    {"address": "https://…", "captured_at": 1790000000, "claimed": null, "dropped": […],
     "extractor": {…}, "kind": "safeconduct/v1/public-capture", "media_type": "text/html",
     "raw": {"bytes": 20481, "sha256": "…"}, "statements": […], "text": "…", "title": "…",
     "warc": {"sha256": "…"}}

Canonical JSON (RFC 8785); its SHA-256 stands in the logged `capture` record. Anybody recomputes
title and statements from the text; whoever has the private WARC checks the hashes as well. That
the text is what the page held at that time rests on the press, dated by the Ledger.

Spec: docs/3-protocol.md §22.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.canonical import PREFIX, Json, format_json, parse_hex, parse_json
from safeconduct.protocol.evidence.page_text import PageText, strip_boilerplate
from safeconduct.protocol.evidence.statements import (
    FINDER_VERSION,
    Statement,
    find_statements,
)

KIND = PREFIX + "public-capture"
PUBLIC_BYTES_MAX = 256 << 10  # a claim carries it whole
PAGE_BYTES_MAX = 8 << 20
ADDRESS_CHARS_MAX = 2048
CAPTURED_AT_MAX = 253_402_300_799  # 9999-12-31T23:59:59Z

_ADDRESS = re.compile(rf"[!-~]{{1,{ADDRESS_CHARS_MAX}}}")
_LABEL = re.compile(r"[!-~]([ -~]{0,98}[!-~])?")
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_FIELDS = frozenset(
    {
        "address", "captured_at", "claimed", "dropped", "extractor", "finder", "kind",
        "media_type", "raw", "statements", "text", "title", "warc",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class DroppedPiece:
    """A piece of the page that is not part of the article: its SHA-256 (of UTF-8) and why."""

    sha256: bytes
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """The civil days between which the page says it was published. Nobody vouches for them."""

    earliest_on: str
    latest_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """What the press publishes about one captured page.

    `address` is a URL, or the name of a file that was captured instead; `captured_at` is POSIX
    seconds by the press's own clock, which dates nothing: the Ledger does.
    """

    address: str
    captured_at: int
    media_type: str
    raw_sha256: bytes
    raw_bytes: int
    warc_sha256: bytes
    extractor: str
    extractor_version: str
    title: str
    text: str
    dropped: tuple[DroppedPiece, ...]
    statements: tuple[Statement, ...]
    claimed: Claimed | None = None
    finder_version: int = FINDER_VERSION


def make_capture(
    page: PageText,
    *,
    address: str,
    captured_at: int,
    media_type: str,
    raw: bytes,
    warc: bytes,
    extractor: tuple[str, str],
    claimed: Claimed | None = None,
) -> Capture:
    """The capture of `raw`, whose article is `page`; `extractor` is its name and version.

    Raises:
        MalformedError: a value is outside its bounds, or the whole is longer than 256 KiB.
    """
    if len(page.text) > PUBLIC_BYTES_MAX:
        raise MalformedError(
            f"capture: the article is longer than {PUBLIC_BYTES_MAX} characters"
        )
    dropped = [DroppedPiece(sha256=_sha256(d.text), reason=d.reason) for d in page.dropped]
    capture = Capture(
        address=address,
        captured_at=captured_at,
        media_type=media_type,
        raw_sha256=hashlib.sha256(raw).digest(),
        raw_bytes=len(raw),
        warc_sha256=hashlib.sha256(warc).digest(),
        extractor=extractor[0],
        extractor_version=extractor[1],
        title=page.title,
        text=page.text,
        dropped=tuple(dropped),
        statements=find_statements(page),
        claimed=claimed,
    )
    parse_capture(format_capture(capture))
    return capture


def format_capture(capture: Capture) -> bytes:
    """The canonical JSON of a capture's public part.

    Raises:
        MalformedError: longer than 256 KiB.
    """
    claimed = capture.claimed
    claimed_json: Json = (
        {"earliest_on": claimed.earliest_on, "latest_on": claimed.latest_on}
        if claimed
        else None
    )
    data = format_json(
        {
            "kind": KIND,
            "address": capture.address,
            "captured_at": capture.captured_at,
            "media_type": capture.media_type,
            "raw": {"sha256": capture.raw_sha256.hex(), "bytes": capture.raw_bytes},
            "warc": {"sha256": capture.warc_sha256.hex()},
            "extractor": {"name": capture.extractor, "version": capture.extractor_version},
            "finder": capture.finder_version,
            "title": capture.title,
            "text": capture.text,
            "dropped": [
                {"sha256": d.sha256.hex(), "reason": d.reason} for d in capture.dropped
            ],
            "statements": [_statement_json(statement) for statement in capture.statements],
            "claimed": claimed_json,
        }
    )
    if len(data) > PUBLIC_BYTES_MAX:
        raise MalformedError(
            f"capture: its public part is longer than {PUBLIC_BYTES_MAX} bytes"
        )
    return data


def parse_capture(data: bytes) -> Capture:
    """The capture that `data` is the canonical form of. Nothing is recomputed yet.

    Raises:
        MalformedError: too long, not canonical, a field missing, unknown or out of bounds.
    """
    value = _fields(parse_json(data, "capture", bytes_max=PUBLIC_BYTES_MAX), _FIELDS)
    raw = _fields(value["raw"], {"sha256", "bytes"})
    extractor = _fields(value["extractor"], {"name", "version"})
    if value["kind"] != KIND:
        raise MalformedError("capture: not the public part of a capture")
    return Capture(
        address=_matching(value["address"], _ADDRESS, "address"),
        captured_at=_number(value["captured_at"], "captured_at", CAPTURED_AT_MAX),
        media_type=_matching(value["media_type"], _MEDIA_TYPE, "media_type"),
        raw_sha256=_hash(raw["sha256"]),
        raw_bytes=_number(raw["bytes"], "raw bytes", PAGE_BYTES_MAX),
        warc_sha256=_hash(_fields(value["warc"], {"sha256"})["sha256"]),
        extractor=_matching(extractor["name"], _LABEL, "extractor name"),
        extractor_version=_matching(extractor["version"], _LABEL, "extractor version"),
        finder_version=_number(value["finder"], "finder", 1 << 31),
        title=_text(value["title"], "title"),
        text=_text(value["text"], "text"),
        dropped=tuple(_dropped(item) for item in _list(value["dropped"])),
        statements=tuple(_statement(item) for item in _list(value["statements"])),
        claimed=_claimed(value["claimed"]),
    )


def check_capture(data: bytes) -> Capture:
    """The capture in `data`, after recomputing its title and its statements from its text.

    Raises:
        MalformedError: see `parse_capture`.
        UnverifiedError: title or statements do not follow from the text, the text still holds
            boilerplate, or another version of the rules found them.
    """
    capture = parse_capture(data)
    if capture.finder_version != FINDER_VERSION:
        raise UnverifiedError(
            f"capture: its statements were found by version {capture.finder_version} of the"
            f" rules, and this is version {FINDER_VERSION}",
            hint="check it with the release that made it",
        )
    page = strip_boilerplate(capture.text)
    if page != PageText(title=capture.title, text=capture.text):
        raise UnverifiedError("capture: its text is not an article without boilerplate")
    if find_statements(page) != capture.statements:
        raise UnverifiedError("capture: its statements do not follow from its text")
    return capture


def public_hash(data: bytes) -> bytes:
    """SHA-256 of the public part: its name on disk, and `public` in the capture record."""
    return hashlib.sha256(data).digest()


def address_hash(address: str) -> bytes:
    """SHA-256 of the address text: `address` in the capture record."""
    return _sha256(address)


def _sha256(text: str) -> bytes:
    # Characters that no UTF-8 can carry never reach a log: the text itself would be refused.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _statement_json(statement: Statement) -> Json:
    return {
        "speaker": statement.speaker,
        "said": statement.said,
        "kind": statement.kind,
        "start": statement.start,
        "end": statement.end,
        "cue": statement.cue,
    }


def _statement(item: Json) -> Statement:
    value = _fields(item, {"speaker", "said", "kind", "start", "end", "cue"})
    kind = value["kind"]
    if kind != "quoted" and kind != "reported":
        raise MalformedError("capture: a statement is neither quoted nor reported")
    return Statement(
        speaker=_text(value["speaker"], "speaker"),
        said=_text(value["said"], "said"),
        kind="quoted" if kind == "quoted" else "reported",
        start=_number(value["start"], "start", PUBLIC_BYTES_MAX),
        end=_number(value["end"], "end", PUBLIC_BYTES_MAX),
        cue=_text(value["cue"], "cue"),
    )


def _dropped(item: Json) -> DroppedPiece:
    value = _fields(item, {"sha256", "reason"})
    return DroppedPiece(sha256=_hash(value["sha256"]), reason=_text(value["reason"], "reason"))


def _claimed(item: Json) -> Claimed | None:
    if item is None:
        return None
    value = _fields(item, {"earliest_on", "latest_on"})
    earliest, latest = _day(value["earliest_on"]), _day(value["latest_on"])
    if earliest > latest:
        raise MalformedError("capture: the claimed days stand in the wrong order")
    return Claimed(earliest_on=earliest, latest_on=latest)


def _day(value: Json) -> str:
    text = _matching(value, _DAY, "claimed day")
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise MalformedError("capture: there is no such claimed day") from error


def _fields(value: Json, names: set[str] | frozenset[str]) -> Mapping[str, Json]:
    if not isinstance(value, dict) or value.keys() != names:
        raise MalformedError(f"capture: needs exactly the fields {', '.join(sorted(names))}")
    return value


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise MalformedError("capture: a list is missing")
    return value


def _text(value: Json, what: str) -> str:
    if not isinstance(value, str):
        raise MalformedError(f"capture: {what} is not text")
    return value


def _matching(value: Json, pattern: re.Pattern[str], what: str) -> str:
    text = _text(value, what)
    if not pattern.fullmatch(text):
        raise MalformedError(f"capture: {what} has another form or length")
    return text


def _number(value: Json, what: str, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise MalformedError(f"capture: {what} is not a number from 0 to {most}")
    return value


def _hash(value: Json) -> bytes:
    return parse_hex(_text(value, "a hash"), 32, "capture: a hash")
