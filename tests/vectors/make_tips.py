"""Published manifests, containers, envelopes, capsules and replies that are right."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from tests.protocol import builders
from tests.protocol.age.chance import dice
from tests.protocol.builders import DAY, NOON, prove
from tests.vectors import recipe
from tests.vectors.make_statements import Files, answer, digest, offer
from tests.vectors.sealed_world import (
    CLASSIC,
    HYBRID,
    LINE,
    PLAIN,
    TIPS,
    container,
    contribution,
    kept,
    keys,
    sealed,
    text_in,
    tip_hash,
)

from safeconduct.protocol import age
from safeconduct.protocol.canonical import (
    Json,
    format_base64,
    format_json,
    length_prefixed,
    parse_base64,
)
from safeconduct.protocol.capsule import Capsule, seal_capsule
from safeconduct.protocol.keys import reply_mac, reply_tag
from safeconduct.protocol.record import (
    format_record,
    record_hash,
)
from safeconduct.protocol.reply import REPLY_BYTES
from safeconduct.protocol.tip import Manifest, format_manifest, parse_manifest

# Tips.


def manifest(tip: str) -> Manifest:
    data = container(tip)
    size = int(data[124:135], 8)
    return parse_manifest(data[512 : 512 + size])


def valid_manifests() -> Files:
    return {
        tip: format_manifest(manifest(tip))
        for tip in ("three-files", "no-files", "follow-up", "burned")
    }


WHOLE = ("three-files", "no-files", "follow-up", "many-files")
"""Containers that are published as they are; of the others the recipe is."""


def valid_containers() -> Files:
    found = {f"{tip}.tar": container(tip) for tip in WHOLE}
    long = container("two-chunks")
    start, end = long.index(LINE), long.rindex(LINE) + len(LINE)
    lines: Json = {"hex": LINE.hex(), "times": (end - start) // len(LINE)}
    pieces = [*recipe.runs(long[:start]), lines, *recipe.runs(long[end:])]
    found["two-chunks.json"] = recipe.recipe(long, *pieces)
    burned = container("burned")
    return found | {"burned.json": recipe.recipe(burned, *recipe.runs(burned))}


def container_name(tip: str) -> str:
    return f"valid/container/{tip}.{'tar' if tip in WHOLE else 'json'}"


@cache
def hybrid_header() -> bytes:
    """The one header of the default profile; what it wraps is kept, not how."""
    envelope = sealed("three-files")

    def right(data: bytes) -> bytes | None:
        header = parse_base64(text_in(data, "header").decode(), "header")
        found = age.unwrap(age.parse_header(header)[0], [builders.HYBRID_DESK])
        return header if found == envelope.file_key else None

    return kept("valid/envelope/hybrid.json", right, lambda: envelope.header)


def envelope(tip: str, profile: str = CLASSIC) -> dict[str, Json]:
    made = sealed(tip, PLAIN, profile)
    header = hybrid_header() if profile == HYBRID else made.header
    record = contribution() if profile == HYBRID else None
    return {
        "container": container_name(tip),
        "edits": [],
        "file_key": made.file_key.hex(),
        "header": format_base64(header),
        "nonce": made.nonce.hex(),
        "record": (record or _record_of(tip, profile)).decode(),
    }


def _record_of(tip: str, profile: str) -> bytes:
    return format_record(sealed(tip, PLAIN, profile).record)


def valid_envelopes() -> Files:
    found = {"hybrid": envelope("three-files", HYBRID), "classic": envelope("three-files")}
    more = {tip: envelope(tip) for tip in TIPS if tip != "three-files"}
    return {name: format_json({**fields}) for name, fields in (found | more).items()}


def age_files() -> Iterator[tuple[str, bytes]]:
    """What travels, for whoever wants to open it with stock `age` and `tar`."""
    for name, profile in {"hybrid": HYBRID, "classic": CLASSIC}.items():
        made = sealed("three-files", PLAIN, profile)
        header = hybrid_header() if profile == HYBRID else made.header
        yield f"envelopes/{name}.age", header + b"".join(made.payload())


# Capsules and replies.


def whole_capsule() -> Capsule:
    return Capsule(
        record=contribution(),
        pre=sealed("three-files").pre,
        proof=prove(tip_hash()),
        nonce=sealed("three-files").nonce,
        headers=(hashlib.sha256(hybrid_header()).digest(),),
    )


def capsule(held: Capsule, seed: str) -> bytes:
    return seal_capsule(held, keys(PLAIN), dice(seed.encode()))


def valid_capsules() -> Files:
    whole = whole_capsule()
    versions = {
        "whole": whole,
        "before-the-receipt": replace(whole, proof=b"", headers=()),
        "burned": replace(whole, nonce=b""),
        "four-headers": replace(whole, headers=tuple(digest(f"{n}") for n in range(4))),
    }
    return {name: capsule(held, name) for name, held in versions.items()}


REPLY_FILE_KEY = digest("file key of the replies")[:16]


@cache
def reply_header() -> bytes:
    """One header serves all replies here, each with a nonce of its own."""
    identity = age.hybrid_identity(keys(PLAIN).reply_seed())

    def right(data: bytes) -> bytes | None:
        header, end = age.parse_header(data[16:])
        found = age.unwrap(header, [identity])
        return data[16 : 16 + end] if found == REPLY_FILE_KEY else None

    fresh = age.seal_header(REPLY_FILE_KEY, [identity.recipient()], dice())
    return kept("valid/reply/an-acknowledgement-0.block", right, lambda: fresh)


def reply_room() -> int:
    return REPLY_BYTES - len(reply_header()) - age.sealed_bytes(0)


def reply_block(framed: bytes, counter: int, seed: str) -> bytes:
    """A block with these bytes inside, filled up with zeros."""
    content = framed.ljust(reply_room(), b"\0")
    payload = age.seal_stream(REPLY_FILE_KEY, digest(seed)[:16], [content])
    return reply_tag(keys(PLAIN).tag_key(), counter) + reply_header() + b"".join(payload)


def framed_reply(body: bytes, counter: int, tag_key: bytes | None = None) -> bytes:
    mac = reply_mac(tag_key or keys(PLAIN).tag_key(), counter, body)
    return length_prefixed(body) + mac


def reply_body(**texts: Json) -> bytes:
    empty: dict[str, Json] = {"acknowledgement": "", "credit": "", "proof": "", "text": ""}
    return format_json(empty | texts)


def acknowledged() -> bytes:
    proof = prove(record_hash(answer()), NOON + DAY)
    return reply_body(
        acknowledgement=answer().decode(), proof=proof.decode(), text="We have it."
    )


def valid_replies() -> Files:
    bodies = {
        "an-acknowledgement-0": acknowledged(),
        "a-text-1": reply_body(text="Könnten Sie „Mai“ genauer sagen?\n"),
        "an-offer-2": reply_body(credit=offer().decode(), text="This tip may be credited."),
        "the-last-counter-4294967295": reply_body(text="enough"),
    }
    return {
        name: reply_block(framed_reply(body, _counter(name)), _counter(name), name)
        for name, body in bodies.items()
    }


def _counter(name: str) -> int:
    return int(name.rpartition("-")[2])
