"""Replies: blocks of one size on a public bulletin, readable with the source's words alone.

    tag (16) ‖ age file (16,384) to the contribution's reply key

    inside:  u32 length ‖ JSON ‖ MAC (32) ‖ zeros

A tag is an HMAC of a counter under a key from inside the tip, so a reader finds its blocks and
nobody else can tell whose they are. The MAC is deniable on purpose: only records are signed.

Spec: docs/3-protocol.md §12.
"""

import hmac
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol import age
from safeconduct.protocol.canonical import format_json, length_prefixed, parse_json
from safeconduct.protocol.keys import TAG_BYTES, ContributionKeys, reply_mac, reply_tag

REPLY_BYTES = 16_384
BLOCK_BYTES = TAG_BYTES + REPLY_BYTES
COUNTER_GAP = 8  # blocks in a row that are missing before a search ends
TEXT_CHARS_MAX = 6_000
_MAC_BYTES = 32
_FIELDS = frozenset({"acknowledgement", "credit", "proof", "text"})
_FIELDS_BEFORE_CREDITS = _FIELDS - {"credit"}  # read for ever, written no more


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the desk tells a source; all but the text may be empty.

    `credit` is an offer, a credit or a blind signature: one record, to be verified by whoever
    relies on it, as `acknowledgement` and its `proof` are.
    """

    text: str
    acknowledgement: bytes = b""
    proof: bytes = b""
    credit: bytes = b""


def seal_reply(
    reply: Reply,
    recipient: str,
    tag_key: bytes,
    counter: int,
    random_bytes: Callable[[int], bytes],
) -> bytes:
    """Block number `counter` for the tip that named `recipient` and `tag_key`.

    Raises:
        MalformedError: the text or the records do not fit one block, or a bad recipient.
    """
    if len(reply.text) > TEXT_CHARS_MAX:
        raise MalformedError(f"reply: longer than {TEXT_CHARS_MAX} characters")
    body = format_json(
        {
            "acknowledgement": reply.acknowledgement.decode("utf-8"),
            "credit": reply.credit.decode("utf-8"),
            "proof": reply.proof.decode("utf-8"),
            "text": reply.text,
        }
    )
    framed = length_prefixed(body) + reply_mac(tag_key, counter, body)
    file_key = random_bytes(age.FILE_KEY_BYTES)
    header = age.seal_header(file_key, [age.parse_recipient(recipient)], random_bytes)
    room = REPLY_BYTES - len(header) - age.sealed_bytes(0)
    if len(framed) > room:
        raise MalformedError("reply: text and records do not fit one block")
    payload = age.seal_stream(
        file_key, random_bytes(age.NONCE_BYTES), [framed.ljust(room, b"\0")]
    )
    return reply_tag(tag_key, counter) + header + b"".join(payload)


def open_reply(block: bytes, keys: ContributionKeys, counter: int) -> Reply:
    """The reply in `block`, which must be number `counter` for these keys.

    Raises:
        MalformedError: not a block, or not a reply inside.
        UnverifiedError: sealed by somebody who does not know the tag key.
    """
    if len(block) != BLOCK_BYTES:
        raise MalformedError(f"reply: a block is {BLOCK_BYTES} bytes")
    identity = age.hybrid_identity(keys.reply_seed())
    framed = b"".join(age.open_([identity], [block[TAG_BYTES:]]))
    length = int.from_bytes(framed[:4], "big")
    body, mac = framed[4 : 4 + length], framed[4 + length : 4 + length + _MAC_BYTES]
    if not hmac.compare_digest(mac, reply_mac(keys.tag_key(), counter, body)):
        raise UnverifiedError("reply: not written by anybody who opened the tip")
    if any(framed[4 + length + _MAC_BYTES :]):
        raise MalformedError("reply: bytes after its MAC are not zero")
    return _parse_body(body)


def _parse_body(body: bytes) -> Reply:
    value = parse_json(body, "reply")
    if not isinstance(value, dict) or value.keys() not in (_FIELDS, _FIELDS_BEFORE_CREDITS):
        raise MalformedError("reply: needs exactly text, acknowledgement, proof and credit")
    texts = {name: text for name, text in value.items() if isinstance(text, str)}
    if texts.keys() != value.keys():
        raise MalformedError("reply: its fields must be text")
    return Reply(
        text=texts["text"],
        acknowledgement=texts["acknowledgement"].encode("utf-8"),
        proof=texts["proof"].encode("utf-8"),
        credit=texts.get("credit", "").encode("utf-8"),
    )


def split_bulletin(data: bytes) -> dict[bytes, bytes]:
    """The blocks of a bulletin by tag; the first under a tag counts.

    Raises:
        MalformedError: not a whole number of blocks.
    """
    if len(data) % BLOCK_BYTES:
        raise MalformedError("bulletin: not a whole number of blocks")
    blocks: dict[bytes, bytes] = {}
    for start in range(0, len(data), BLOCK_BYTES):
        block = data[start : start + BLOCK_BYTES]
        blocks.setdefault(block[:TAG_BYTES], block)
    return blocks


def find_replies(
    block_of: Callable[[bytes], bytes | None], all_keys: Iterable[ContributionKeys]
) -> tuple[tuple[ContributionKeys, int, Reply], ...]:
    """Every reply to these contributions, with the contribution and the block's counter.

    `block_of(tag)` is the block under a tag, if there is one: a client looks it up in a
    bulletin that it fetched whole. A block under our tag that does not open is somebody's junk
    and is passed over.
    """
    found: list[tuple[ContributionKeys, int, Reply]] = []
    for keys in all_keys:
        counter, last = 0, -1
        while counter - last <= COUNTER_GAP:
            block = block_of(reply_tag(keys.tag_key(), counter))
            if block is not None:
                last = counter
                with suppress(MalformedError, UnverifiedError):
                    found.append((keys, counter, open_reply(block, keys, counter)))
            counter += 1
    return tuple(found)
