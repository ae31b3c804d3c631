"""Published containers, envelopes, capsules and replies that are wrong, and are no edits.

What is edited is sealed, or is a recipe.
"""

import hashlib
import tarfile
from typing import Literal

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt
from tests.protocol import builders
from tests.protocol.age.chance import dice
from tests.protocol.builders import NOON
from tests.vectors import make_tips as right
from tests.vectors import recipe
from tests.vectors.make_statements import Files, digest
from tests.vectors.sealed_world import (
    CLASSIC,
    PLAIN,
    changed,
    container,
    keys,
    sealed,
)

from safeconduct.protocol import age
from safeconduct.protocol.canonical import (
    Json,
    format_base64,
    format_json,
    length_prefixed,
    tag,
    u32,
)
from safeconduct.protocol.capsule import CAPSULE_BYTES
from safeconduct.protocol.keys import key_commitment
from safeconduct.protocol.record import (
    format_record,
)

# Containers: one stretch of the container of three files becomes another.

BASE = "valid/container/three-files.tar"
BLOCK = 512
MEMBER_1, MEMBER_2, MEMBER_3 = 3584, 4608, 13824
"""Where the headers of the three files stand."""
TAIL = MEMBER_3 + BLOCK
SIZE = 65_536


def header(
    name: str = "f0001",
    size: int = 45,
    form: Literal[0, 1, 2] = tarfile.USTAR_FORMAT,
    **more: object,
) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    for field, value in more.items():
        setattr(info, field, value)
    return info.tobuf(format=form)[-BLOCK:]


def member_headers() -> dict[str, bytes]:
    """What stands in place of the first file's header."""
    return {
        "a-link-instead-of-a-file": header(type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        "a-hard-link": header(type=tarfile.LNKTYPE, linkname="safeconduct.json"),
        "a-device": header(type=tarfile.CHRTYPE, devmajor=1, devminor=3),
        "a-pipe": header(type=tarfile.FIFOTYPE),
        "a-folder": header(type=tarfile.DIRTYPE),
        "a-sparse-file": header(type=tarfile.GNUTYPE_SPARSE),
        "a-header-of-more-headers": header(type=tarfile.XHDTYPE),
        "a-long-name-of-gnu": header(type=tarfile.GNUTYPE_LONGNAME),
        "an-absolute-name": header("/f0001"),
        "a-name-that-goes-up": header("../f0001"),
        "the-name-of-another-member": header("f0002"),
        "the-name-of-the-manifest": header("safeconduct.json"),
        "a-name-in-capitals": header("F0001"),
        "a-mode-that-runs": header(mode=0o755),
        "a-mode-of-the-owner-alone": header(mode=0o600),
        "a-time": header(mtime=NOON),
        "an-owner": header(uid=1000, gid=1000),
        "an-owner-s-name": header(uname="ada"),
        "the-format-of-gnu": header(form=tarfile.GNU_FORMAT),
        "a-size-too-large": header(size=46),
        "a-size-too-small": header(size=44),
        "a-checksum-that-is-wrong": header()[:148] + b"000000\0 " + header()[156:],
        "a-type-of-old": header()[:156] + b"\0" + header()[157:],
        "zeros-for-a-header": bytes(BLOCK),
    }


def stretches() -> dict[str, tuple[int, int, bytes]]:
    """Name: from where to where of the container, and what stands there instead."""
    whole = container("three-files")
    manifest_end = BLOCK + int(whole[124:135], 8)
    third = whole[MEMBER_3:TAIL]
    return {
        **{name: (MEMBER_1, MEMBER_1 + BLOCK, put) for name, put in member_headers().items()},
        "no-container": (0, SIZE, b""),
        "a-container-of-zeros": (0, TAIL, bytes(TAIL)),
        "the-manifest-under-another-name": (
            0,
            BLOCK,
            header("manifest.json", manifest_end - BLOCK),
        ),
        "a-manifest-of-no-bytes": (0, BLOCK, header("safeconduct.json", 0)),
        "a-manifest-beyond-its-limit": (0, BLOCK, header("safeconduct.json", (1 << 20) + 1)),
        "a-manifest-with-a-field-in-capitals": (BLOCK + 2, BLOCK + 3, b"A"),
        "a-byte-behind-the-manifest": (manifest_end, manifest_end + 1, b"x"),
        "another-byte-in-a-file": (MEMBER_1 + BLOCK, MEMBER_1 + BLOCK + 1, b"t"),
        "a-byte-behind-a-file": (MEMBER_1 + BLOCK + 45, MEMBER_1 + BLOCK + 46, b"\n"),
        "a-byte-in-the-last-gap": (MEMBER_3 - 1, MEMBER_3, b"x"),
        "a-member-missing": (MEMBER_3, TAIL, bytes(BLOCK)),
        "a-member-more": (TAIL, TAIL + BLOCK, header("f0004", 0)),
        "a-member-twice": (TAIL, TAIL + BLOCK, third),
        "members-exchanged": (
            MEMBER_2,
            TAIL,
            third + whole[MEMBER_2:MEMBER_3],
        ),
        "a-byte-in-the-end-of-the-archive": (TAIL, TAIL + 1, b"x"),
        "a-byte-at-the-very-end": (SIZE - 1, SIZE, b"x"),
        "a-byte-less": (SIZE - 1, SIZE, b""),
        "a-byte-more": (SIZE, SIZE, b"\0"),
        "half-the-padding": (SIZE // 2, SIZE, b""),
        "twice-the-padding": (SIZE, SIZE, bytes(SIZE)),
        "no-padding": (TAIL + 2 * BLOCK, SIZE, b""),
        "no-end-of-the-archive": (TAIL, SIZE, b""),
        "cut-within-a-header": (MEMBER_2 + 100, SIZE, b""),
        "cut-within-a-file": (MEMBER_2 + BLOCK + 100, SIZE, b""),
        "compressed": (0, 10, b"\x1f\x8b\x08\0\0\0\0\0\0\xff"),
    }


def wrong_containers() -> Files:
    found: Files = {}
    for name, (start, end, put) in stretches().items():
        data, pieces = recipe.replaced(BASE, container("three-files"), start, end, put)
        found[name] = recipe.recipe(data, *pieces)
    return found


# Envelopes: sealed and committed to as they must be, around a container that is wrong.

INSIDE_AN_ENVELOPE = (
    "a-link-instead-of-a-file",
    "an-absolute-name",
    "another-byte-in-a-file",
    "a-byte-at-the-very-end",
    "a-member-twice",
    "a-manifest-with-a-field-in-capitals",
    "compressed",
)


def resealed(name: str, content: bytes) -> bytes:
    """An envelope of this profile whose record commits to just this content."""
    file_key, nonce = digest(f"file key {name}")[:16], digest(f"nonce {name}")[:16]
    payload = b"".join(age.seal_stream(file_key, nonce, [content]))
    record = changed(
        sealed("three-files", PLAIN, CLASSIC).record,
        size=len(payload),
        payload=hashlib.sha256(payload).digest(),
        keycommit=key_commitment(nonce, file_key),
    )
    recipient = builders.CLASSIC_DESK.recipient()
    return format_json(
        {
            "container": f"malformed/container/{name}.json",
            "edits": [],
            "file_key": file_key.hex(),
            "header": format_base64(age.seal_provable_header(file_key, recipient)),
            "nonce": nonce.hex(),
            "record": format_record(record).decode(),
        }
    )


def wrong_envelopes() -> Files:
    whole = container("three-files")
    found: Files = {}
    for name in INSIDE_AN_ENVELOPE:
        start, end, put = stretches()[name]
        content = whole[:start] + put + whole[end:]
        found["inside-" + name] = resealed(name, content[:SIZE].ljust(SIZE, b"\0"))
    return found | {f"a-header-{name}": data for name, data in wrong_headers().items()}


def with_header(put: bytes) -> bytes:
    return format_json({**right.envelope("three-files"), "header": format_base64(put)})


def wrong_headers() -> Files:
    """The header of the classic envelope, changed; it is no part of what was committed to."""
    good = sealed("three-files", PLAIN, CLASSIC).header
    key = sealed("three-files").file_key
    two = [builders.CLASSIC_DESK.recipient(), stranger_identity().recipient()]
    stanza, end = good.index(b"-> "), good.index(b"\n--- ") + 1
    body = good.index(b"\n", stanza) + 1
    return {
        "with-a-byte-behind": with_header(good + b"\n"),
        "with-two-stanzas": with_header(age.seal_header(key, two, dice())),
        "with-the-same-stanza-twice": with_header(good[:end] + good[stanza:end] + good[end:]),
        "with-no-stanza": with_header(good[:stanza] + good[end:]),
        "of-another-version": with_header(good.replace(b"org/v1", b"org/v2")),
        "with-a-carriage-return": with_header(good.replace(b"\n", b"\r\n", 1)),
        "with-an-unknown-stanza": with_header(good.replace(b"-> X25519", b"-> X25520")),
        "with-a-padded-mac": with_header(good[:-1] + b"=\n"),
        "without-its-end": with_header(good[: end - 1]),
        "in-armor": with_header(
            b"-----BEGIN AGE ENCRYPTED FILE-----\n" + format_base64(good).encode()
        ),
        "beyond-its-limit": with_header(good[:body] + (b"A" * 64 + b"\n") * 64 + good[body:]),
        "with-a-byte-order-mark": with_header(b"\xef\xbb\xbf" + good),
    }


def stranger_identity() -> age.X25519Identity:
    return age.x25519_identity(digest("stranger"))


def false_envelopes() -> Files:
    """They parse, and are not what desk or record say."""
    envelope = right.envelope("three-files")
    good, key = sealed("three-files", PLAIN, CLASSIC).header, sealed("three-files").file_key
    stranger = age.seal_provable_header(key, stranger_identity().recipient())
    other_key = age.seal_provable_header(
        digest("other")[:16], builders.CLASSIC_DESK.recipient()
    )
    mac = good[:-5] + bytes([good[-5] ^ 1]) + good[-4:]
    return {
        "a-header-for-somebody-else": with_header(stranger),
        "a-header-with-another-file-key": with_header(other_key),
        "a-header-with-another-mac": with_header(mac),
        "a-damaged-chunk": damaged_payload("three-files", 16),
        "a-damaged-tag-of-the-last-chunk": damaged_payload("two-chunks", 131_119),
        "a-header-swapped-by-nobody": format_json(
            {**envelope, "header": format_base64(other_key)}
        ),
    }


def damaged_payload(tip: str, at: int) -> bytes:
    """The record commits to the payload with another byte, which then opens to nothing."""
    payload = bytearray(b"".join(sealed(tip).payload()))
    payload[at] ^= 1
    record = changed(
        sealed(tip, PLAIN, CLASSIC).record, payload=hashlib.sha256(payload).digest()
    )
    edits: list[Json] = [[at, 1, payload[at : at + 1].hex()]]
    fields = {**right.envelope(tip), "edits": edits, "record": format_record(record).decode()}
    return format_json(fields)


# Capsules and replies: sealed as they must be, around something that is wrong.


def sealed_capsule(framed: bytes, seed: str, number: int = 0, name: str = "capsule") -> bytes:
    nonce, room = digest(seed)[:24], CAPSULE_BYTES - 40
    key = keys(PLAIN, number).derive("capsule")
    return nonce + crypto_aead_xchacha20poly1305_ietf_encrypt(
        framed.ljust(room, b"\0"), tag(name), nonce, key
    )


def capsule_body(**changes: Json) -> bytes:
    held = right.whole_capsule()
    value: dict[str, Json] = {
        "headers": [header.hex() for header in held.headers],
        "nonce": held.nonce.hex(),
        "pre": held.pre.hex(),
        "proof": held.proof.decode(),
        "record": held.record.decode(),
    }
    changed_fields = {name: each for name, each in (value | changes).items() if each != "-"}
    return format_json({**changed_fields})


def wrong_capsules() -> Files:
    good = right.capsule(right.whole_capsule(), "whole")
    body = capsule_body()
    bodies = {
        "a-field-missing": capsule_body(nonce="-"),
        "a-field-more": capsule_body(at=1),
        "a-pre-of-15-bytes": capsule_body(pre="ab" * 15),
        "a-pre-in-capitals": capsule_body(pre="AB" * 16),
        "a-nonce-of-17-bytes": capsule_body(nonce="ab" * 17),
        "a-nonce-that-is-null": capsule_body(nonce=None),
        "a-record-that-is-a-number": capsule_body(record=1),
        "five-headers": capsule_body(headers=["ab" * 32] * 5),
        "a-header-of-31-bytes": capsule_body(headers=["ab" * 31]),
        "a-header-that-is-a-number": capsule_body(headers=[1]),
        "headers-that-are-no-list": capsule_body(headers=""),
        "a-blank": body.replace(b'"pre":', b'"pre": '),
        "a-field-twice": body.replace(b'"nonce":', b'"headers":[],"nonce":'),
        "no-json": b"{",
        "no-bytes": b"",
        "a-list": b"[]",
    }
    found = {name: sealed_capsule(length_prefixed(each), name) for name, each in bodies.items()}
    return found | {
        "a-byte-less": good[:-1],
        "a-byte-more": good + b"\0",
        "a-length-beyond-the-capsule": sealed_capsule(u32(8_149) + body, "long"),
        "a-length-of-4-gib": sealed_capsule(u32(2**32 - 1) + body, "longer"),
        "a-length-too-small": sealed_capsule(u32(len(body) - 1) + body, "short"),
        "a-byte-behind-the-body": sealed_capsule(length_prefixed(body) + b"x", "behind"),
        "a-byte-at-the-very-end": sealed_capsule(
            length_prefixed(body).ljust(CAPSULE_BYTES - 41, b"\0") + b"x", "end"
        ),
    }


def false_capsules() -> Files:
    good = right.capsule(right.whole_capsule(), "whole")
    framed = length_prefixed(capsule_body())
    return {
        "of-another-contribution": sealed_capsule(framed, "another", 1),
        "under-another-purpose": sealed_capsule(framed, "purpose", name="capsules"),
        "with-another-nonce": bytes([good[0] ^ 1]) + good[1:],
        "with-another-byte": good[:4000] + bytes([good[4000] ^ 1]) + good[4001:],
        "with-another-tag": good[:-1] + bytes([good[-1] ^ 1]),
        "of-zeros": bytes(CAPSULE_BYTES),
    }


def wrong_replies() -> Files:
    good = right.reply_block(
        right.framed_reply(right.acknowledged(), 0), 0, "an-acknowledgement-0"
    )
    body = right.reply_body(text="enough")
    bodies = {
        "a-field-missing": format_json({"acknowledgement": "", "credit": "", "text": ""}),
        "a-field-more": right.reply_body(mood="good"),
        "a-text-that-is-null": right.reply_body(text=None),
        "a-proof-that-is-a-number": right.reply_body(proof=1),
        "a-blank": body.replace(b'"text":', b'"text": '),
        "no-json": b"enough",
        "a-list": b"[]",
    }
    found = {
        name: right.reply_block(right.framed_reply(each, 0), 0, name)
        for name, each in bodies.items()
    }
    behind = right.framed_reply(body, 0) + b"x"
    found |= {
        "a-byte-less": good[:-1],
        "a-byte-more": good + b"\0",
        "a-byte-behind-the-mac": right.reply_block(behind, 0, "behind"),
        "a-header-of-another-version": good.replace(b"org/v1", b"org/v2"),
        "a-header-with-a-carriage-return": good.replace(b"org/v1\n", b"org/v1\r"),
        "zeros": bytes(len(good)),
    }
    return {f"{name}-0": data for name, data in found.items()}


def false_replies() -> Files:
    body = right.reply_body(text="enough")
    good = right.reply_block(
        right.framed_reply(right.acknowledged(), 0), 0, "an-acknowledgement-0"
    )
    another = right.framed_reply(body, 0, keys(PLAIN, 1).tag_key())
    end = 16 + len(right.reply_header())
    return {
        "a-mac-under-another-key-0": right.reply_block(another, 0, "another"),
        "of-another-counter-1": right.reply_block(right.framed_reply(body, 0), 1, "counter"),
        "a-length-beyond-the-block-0": right.reply_block(u32(20_000) + body, 0, "beyond"),
        "another-byte-in-a-chunk-0": good[:9_000] + bytes([good[9_000] ^ 1]) + good[9_001:],
        "another-mac-of-the-header-0": good[: end - 5]
        + bytes([good[end - 5] ^ 1])
        + good[end - 4 :],
    }
