"""What each kind of record holds: its fields in order, and how their values are written.

    in the Gazette, in full     what others rely on, signed by t of n of the board
    in the Ledger, as a hash    everything else that needs a date
    handed over, not logged     what only two parties have to do with

Spec: docs/3-protocol.md §5.2.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import (
    format_base64,
    parse_base64,
    parse_decimal,
    parse_hex,
    parse_json,
)
from safeconduct.protocol.tlog.note import (
    ED25519,
    VerifierKey,
    format_vkey,
    parse_note,
    parse_vkey,
)

RECORD_BYTES_MAX = 65_000  # a tlog entry holds 65,535
MEMBERS_MAX = 32
NOTE_FIELD_BYTES_MAX = 20_000  # two of them fit into a record
NO_NOTE = b""
NO_HASH = bytes(32)

_NO_NOTE_WORD = "-"
_WORD = re.compile(r"[a-z0-9][a-z0-9._/-]{0,99}")


def _parse_word(text: str, what: str) -> str:
    if not _WORD.fullmatch(text):
        raise MalformedError(f"{what}: not a lower-case word")
    return text


def _parse_token(text: str, what: str) -> str:
    if not re.fullmatch(r"[!-~]{1,4096}", text):
        raise MalformedError(f"{what}: not a token of 1 to 4096 ASCII characters")
    return text


def _parse_key(text: str, what: str) -> VerifierKey:
    key = parse_vkey(text)
    if key.algorithm != ED25519:
        raise MalformedError(f"{what}: records are signed with Ed25519 keys of type 0x01 only")
    return key


def _parse_keys(text: str, what: str) -> tuple[VerifierKey, ...]:
    keys = tuple(_parse_key(part, what) for part in text.split(" "))
    if not 1 <= len(keys) <= MEMBERS_MAX:
        raise MalformedError(f"{what}: needs 1 to {MEMBERS_MAX} keys")
    if len({key.public for key in keys}) != len(keys) or len({key.name for key in keys}) != len(
        keys
    ):
        raise MalformedError(f"{what}: a key or a key name stands twice")
    return keys


def _parse_note(text: str, what: str) -> bytes:
    if text == _NO_NOTE_WORD:
        return NO_NOTE
    # Of the length first: what is shorter in bytes is shorter in base64.
    if len(text) > -(-NOTE_FIELD_BYTES_MAX // 3) * 4:
        raise MalformedError(f"{what}: a note longer than {NOTE_FIELD_BYTES_MAX} bytes")
    data = parse_base64(text, what)
    parse_note(data)
    return data


def _parse_law(text: str, what: str) -> bytes:
    data = text.encode("utf-8")
    parse_json(data, what, bytes_max=RECORD_BYTES_MAX)
    return data


Value = str | int | bytes | VerifierKey | tuple[VerifierKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How one kind of value is written: `parse` and `format` are inverses."""

    parse: Callable[[str, str], Value]
    format: Callable[[Value], str]


def _hex_form(length: int) -> Form:
    return Form(parse=lambda text, what: parse_hex(text, length, what), format=_format_hex)


def _format_hex(value: Value) -> str:
    assert isinstance(value, bytes)
    return value.hex()


def _format_key(value: Value) -> str:
    assert isinstance(value, VerifierKey)
    return format_vkey(value)


def _format_keys(value: Value) -> str:
    assert isinstance(value, tuple)
    return " ".join(format_vkey(key) for key in value)


def _format_note(value: Value) -> str:
    assert isinstance(value, bytes)
    return format_base64(value) if value else _NO_NOTE_WORD


def _format_law(value: Value) -> str:
    assert isinstance(value, bytes)
    return value.decode("utf-8")


HASH = _hex_form(32)
HEX16 = _hex_form(16)
MLDSA65 = _hex_form(1952)
NUMBER = Form(parse=parse_decimal, format=str)
TIME = NUMBER  # POSIX seconds
WORD = Form(parse=_parse_word, format=str)
TOKEN = Form(parse=_parse_token, format=str)
KEY = Form(parse=_parse_key, format=_format_key)
KEYS = Form(parse=_parse_keys, format=_format_keys)
NOTE = Form(parse=_parse_note, format=_format_note)
LAW = Form(parse=_parse_law, format=_format_law)

_GAZETTE: dict[str, dict[str, Form]] = {
    "programme": {
        "programme": HASH,
        "name": WORD,
        "founded": TIME,
        "gazette": WORD,
        "ledger": WORD,
        "delivery-window": NUMBER,
        "ledger-pad": NUMBER,
        "server": KEY,
        "registry": KEY,
        "threshold": NUMBER,
        "members": KEYS,
    },
    "roster": {
        "programme": HASH,
        "number": NUMBER,
        "previous": HASH,
        "threshold": NUMBER,
        "members": KEYS,
    },
    "statute": {
        "programme": HASH,
        "number": NUMBER,
        "previous": HASH,
        "law": LAW,
    },
    "panel": {
        "programme": HASH,
        "number": NUMBER,
        "previous": HASH,
        "threshold": NUMBER,
        "members": KEYS,
    },
    "epoch": {
        "programme": HASH,
        "number": NUMBER,
        "previous": HASH,
        "opens": TIME,
        "closes": TIME,
        "statement": KEY,
        "classic": TOKEN,
        "hybrid": TOKEN,
    },
    "publication": {
        "programme": HASH,
        "number": NUMBER,
        "statute": HASH,
        "subject": WORD,
        "standing": WORD,
        "object": HASH,
        "final": TIME,
    },
    "archive": {
        "programme": HASH,
        "number": NUMBER,
        "previous": HASH,
        "recipient": TOKEN,
        "threshold": NUMBER,
        "shares": NUMBER,
    },
    "retirement": {
        "programme": HASH,
        "number": NUMBER,
        "epoch": NUMBER,
        "certificate": HASH,
        "destruction": HASH,
    },
    "issuing-key": {
        "programme": HASH,
        "number": NUMBER,
        "statute": HASH,
        "class": WORD,
        "period": NUMBER,
        "key": TOKEN,
    },
    "credit-count": {
        "programme": HASH,
        "number": NUMBER,
        "statute": HASH,
        "class": WORD,
        "period": NUMBER,
        "issued": NUMBER,
        "redeemed": NUMBER,
    },
    "count": {
        "programme": HASH,
        "number": NUMBER,
        "claims": NUMBER,
        "decided": NUMBER,
        "suspended": NUMBER,
        "published": NUMBER,
    },
    "gate": {
        "programme": HASH,
        "number": NUMBER,
        "statute": HASH,
        "name": WORD,
        "limit": TIME,
        "before": NOTE,
        "after": NOTE,
    },
    "client": {
        "programme": HASH,
        "number": NUMBER,
        "platform": WORD,
        "version": WORD,
        "size": NUMBER,
        "sha256": HASH,
    },
}

# All limbs are claimed in the same terms; only the kind says which.
_CLAIM: dict[str, Form] = {
    "programme": HASH,
    "statute": HASH,
    "subject": WORD,
    "person": HASH,
    "record": HASH,
    "evidence": HASH,
    "ed25519": HASH,
    "mldsa65": MLDSA65,
    "blind": HEX16,
    "audience": WORD,
    "challenge": HASH,
    "expires": TIME,
    "disclosure": WORD,
}

_LEDGER: dict[str, dict[str, Form]] = {
    "contribution": {
        "programme": HASH,
        "statute": HASH,
        "epoch": NUMBER,
        "certificate": HASH,
        "profile": WORD,
        "sealed-by": WORD,
        "size": NUMBER,
        "payload": HASH,
        "keycommit": HASH,
        "content": HASH,
        "author": HASH,
        "identity": HASH,
    },
    "delivery": {"programme": HASH, "record": HASH, "header": HASH, "delivered": TIME},
    "acknowledgement": {
        "programme": HASH,
        "record": HASH,
        "status": WORD,
        "other": HASH,
        "epoch": NUMBER,
    },
    "assessment": {
        "programme": HASH,
        "record": HASH,
        "grade": WORD,
        "assessors": NUMBER,
        "votes": HASH,
        "findings": HASH,
        "epoch": NUMBER,
    },
    "destruction": {
        "programme": HASH,
        "epoch": NUMBER,
        "certificate": HASH,
        "archive": HASH,
        "tips": NUMBER,
        "root": HASH,
        "destroyed": TIME,
    },
    "opening": {
        "programme": HASH,
        "record": HASH,
        "scope": WORD,
        "items": HASH,
        "purpose": WORD,
        "ed25519": HASH,
        "mldsa65": MLDSA65,
        "blind": HEX16,
    },
    "opening-desk": {
        "programme": HASH,
        "record": HASH,
        "scope": WORD,
        "items": HASH,
        "purpose": WORD,
        "epoch": NUMBER,
    },
    "credit-link": {
        "programme": HASH,
        "record": HASH,
        "request": HASH,
        "credit": HASH,
        "statute": HASH,
        "class": WORD,
        "period": NUMBER,
        "scheme": WORD,
    },
    "redemption": {
        "programme": HASH,
        "statute": HASH,
        "class": WORD,
        "period": NUMBER,
        "nullifier": HASH,
        "claim": HASH,
    },
    "withdrawal": {
        "programme": HASH,
        "record": HASH,
        "ed25519": HASH,
        "mldsa65": MLDSA65,
        "blind": HEX16,
    },
    "capture": {
        "programme": HASH,
        "address": HASH,
        "raw": HASH,
        "public": HASH,
        "captured": TIME,
    },
    "claim-helped": _CLAIM,
    "claim-denounced": _CLAIM,
    "claim-credited": _CLAIM,
    "decision": {
        "programme": HASH,
        "number": NUMBER,
        "statute": HASH,
        "subject": WORD,
        "claim": HASH,
        "outcome": WORD,
        "facts": HASH,
        "judgement": HASH,
        "as-of": TIME,
        "reasons": HASH,
        "departure": HASH,
        "disclosure": WORD,
        "votes": HASH,
        "appeal": HASH,
        "result": WORD,
    },
    "listing-notice": {
        "programme": HASH,
        "statute": HASH,
        "subject": WORD,
        "listing": HASH,
        "reply-until": TIME,
    },
    "listing-decision": {
        "programme": HASH,
        "number": NUMBER,
        "statute": HASH,
        "subject": WORD,
        "listing": HASH,
        "notice": HASH,
        "reply": HASH,
        "outcome": WORD,
        "reasons": HASH,
        "votes": HASH,
        "appeal": HASH,
        "result": WORD,
    },
    "appeal": {
        "programme": HASH,
        "decision": HASH,
        "ground": WORD,
        "reasons": HASH,
        "ed25519": HASH,
    },
}

_HANDED: dict[str, dict[str, Form]] = {
    # Signed, but handed over rather than logged.
    "request": {"programme": HASH, "action": WORD, "body": HASH, "at": TIME},
    "credit-offer": {
        "programme": HASH,
        "record": HASH,
        "statute": HASH,
        "class": WORD,
        "period": NUMBER,
        "scheme": WORD,
        "epoch": NUMBER,
    },
    "credit-request": {
        "programme": HASH,
        "record": HASH,
        "statute": HASH,
        "class": WORD,
        "period": NUMBER,
        "scheme": WORD,
        "serial": HEX16,
        "ask": TOKEN,
        "ed25519": HASH,
        "mldsa65": MLDSA65,
        "blind": HEX16,
    },
    "credit": {
        "programme": HASH,
        "statute": HASH,
        "class": WORD,
        "period": NUMBER,
        "serial": HEX16,
        "key": HASH,
    },
    "blind-signature": {
        "programme": HASH,
        "statute": HASH,
        "class": WORD,
        "period": NUMBER,
        "request": HASH,
        "signature": TOKEN,
    },
    "credit-token": {
        "programme": HASH,
        "statute": HASH,
        "class": WORD,
        "period": NUMBER,
        "key": HASH,
        "prefix": HASH,
        "signature": TOKEN,
    },
    "manifest": {
        "programme": HASH,
        "gazette-size": NUMBER,
        "gazette-root": HASH,
        "ledger-size": NUMBER,
        "ledger-root": HASH,
        "files": NUMBER,
        "sums": HASH,
        "at": TIME,
    },
}

GAZETTE_KINDS = frozenset(_GAZETTE)
LEDGER_KINDS = frozenset(_LEDGER)
KINDS: Mapping[str, Mapping[str, Form]] = MappingProxyType(_GAZETTE | _LEDGER | _HANDED)
# A blind signature and the token made of it carry RSA signatures of their own, as fields.
UNSIGNED_KINDS = frozenset({"contribution", "capture", "blind-signature", "credit-token"})
UTF8_FIELDS = frozenset({"law"})
