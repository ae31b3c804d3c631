"""Tables: what is derived, step by step. They are no formats, so nothing of them is wrong.

Each is JSON of `given` and `gives`; bytes are in hex.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence

from tests.protocol import credited
from tests.vectors.sealed_world import (
    BLIND,
    PLAIN,
    THREE_FILES,
    World,
    blind_signature,
    credit_of,
    group,
    keys,
    request,
)

from safeconduct.plumbing.words import format_words
from safeconduct.protocol import age, blind, credit
from safeconduct.protocol.canonical import parse_base64
from safeconduct.protocol.keys import (
    ContributionKeys,
    attempt_tag,
    contribution_keys,
    file_key,
    follow_mac,
    kdf_salt,
    key_commitment,
    master_key,
    payload_nonce,
    programme_hash,
    reply_mac,
    reply_tag,
)
from safeconduct.protocol.record import Record, parse_record, parse_signed
from safeconduct.protocol.tip import TipFile, content_commitment, member_header, padded_size

Files = dict[str, bytes]
Told = dict[str, object]
MANIFEST = b""
"""Stands for a manifest where the nonce is to be shown alone, as in 6.2."""
REPLY_BODY = b"a body"
TAGS = 3


def written(given: Told, gives: Told) -> bytes:
    text = json.dumps({"given": given, "gives": gives}, indent=1, ensure_ascii=False)
    return text.encode() + b"\n"


# The key schedule (6.2).


def schedule(
    entropy: bytes, programme: str, number: int, files: Mapping[str, bytes], manifest: bytes
) -> bytes:
    listed = [(name, len(data), hashlib.sha256(data).digest()) for name, data in files.items()]
    given: Told = {
        "entropy": entropy.hex(),
        "words": format_words(entropy),
        "programme_name": programme,
        "number": number,
        "files": [
            {"name": name, "size": size, "sha256": sha256.hex()}
            for name, size, sha256 in listed
        ],
        "manifest": manifest.decode(),
        "reply_body": REPLY_BODY.decode(),
    }
    identifier = programme_hash(programme)
    master = master_key(entropy, identifier)
    gives: Told = {
        "programme": identifier.hex(),
        "salt": kdf_salt(identifier).hex(),
        "master": master.hex(),
        "seed_0": contribution_keys(master, 0).seed.hex(),
        "seed_1": contribution_keys(master, 1).seed.hex(),
        "seed_2": contribution_keys(master, 2).seed.hex(),
    }
    of_files = _of_files(contribution_keys(master, number), listed)
    return written(
        given, gives | of_files | _of_seed(contribution_keys(master, number), manifest)
    )


def _of_files(seed: ContributionKeys, files: Sequence[tuple[str, int, bytes]]) -> Told:
    pre = attempt_tag(seed, files)
    salts = [seed.item_salt(pre, place) for place in range(1, len(files) + 1)]
    items = [
        TipFile(name=name, size=size, sha256=sha256, salt=salt)
        for (name, size, sha256), salt in zip(files, salts, strict=True)
    ]
    return {
        "pre": pre.hex(),
        "blind": seed.blind(pre).hex(),
        "author": seed.author(pre).hex(),
        "item_salts": [salt.hex() for salt in salts],
        "content": content_commitment(items).hex(),
        "follow_mac": follow_mac(seed.tag_key(), seed.author(pre), pre).hex(),
    }


def _of_seed(seed: ContributionKeys, manifest: bytes) -> Told:
    nonce = payload_nonce(seed, hashlib.sha256(manifest).digest())
    ed25519, mldsa65 = seed.author_public()
    recipient = age.hybrid_identity(seed.reply_seed()).recipient()
    serial = bytes(range(16))
    redeeming = seed.redemption(serial)
    return {
        "nonce": nonce.hex(),
        "file_key": file_key(seed, nonce).hex(),
        "keycommit": key_commitment(nonce, file_key(seed, nonce)).hex(),
        "author_ed25519_seed": seed.derive("author-ed25519").hex(),
        "author_mldsa65_seed": seed.derive("author-mldsa65").hex(),
        "author_ed25519": ed25519.hex(),
        "author_mldsa65_sha256": hashlib.sha256(mldsa65).hexdigest(),
        "slot": seed.slot().hex(),
        "capsule_key": seed.derive("capsule").hex(),
        "identity": seed.derive("identity").hex(),
        "reply_seed": seed.reply_seed().hex(),
        "reply_recipient": age.format_recipient(recipient),
        "tag_key": seed.tag_key().hex(),
        "reply_tags": [reply_tag(seed.tag_key(), n).hex() for n in range(TAGS)],
        "reply_macs": [reply_mac(seed.tag_key(), n, REPLY_BODY).hex() for n in range(TAGS)],
        "redemption_serial": serial.hex(),
        "redemption_seed": redeeming.seed.hex(),
        "redemption_key": credit.redemption_key(seed, serial).hex(),
        "nullifier": credit.nullifier(credit.redemption_key(seed, serial)).hex(),
    }


def schedules() -> Files:
    counting, name = bytes(range(16)), PLAIN.name
    return {
        "known-answers": schedule(counting, name, 0, {}, MANIFEST),
        "three-files": schedule(counting, name, 0, THREE_FILES, b"{}"),
        "the-third-contribution": schedule(counting, name, 2, THREE_FILES, b"{}"),
        "another-programme": schedule(counting, BLIND.name, 0, {}, MANIFEST),
        "other-words": schedule(b"\xff" * 16, name, 0, {}, MANIFEST),
    }


# Padding (7.2).

KNOWN = (1, 65_537, 1_048_577, 10_000_000)
EDGES = (
    1_024,
    65_535,
    65_536,
    131_072,
    131_073,
    1_048_575,
    1_048_576,
    2_097_151,
    2_097_152,
    2_097_153,
    1_073_741_824,
    1_073_741_825,
    8_589_934_592,
    9_000_000_001,
)


def paddings() -> Files:
    sizes = sorted({*KNOWN, *EDGES})
    return {"sizes": written({"sizes": sizes}, {"padded": list(map(padded_size, sizes))})}


MEMBERS = {
    "an-empty-file": ("f0002", 0),
    "a-short-file": ("f0001", 45),
    "the-manifest": ("safeconduct.json", 2_964),
    "a-byte-below-8-gib": ("f0001", (8 << 30) - 1),
    "8-gib": ("f0001", 8 << 30),
    "the-largest-file": ("f1000", 12 << 30),
}


def headers() -> Files:
    return {
        name: written({"name": member, "size": size}, {"header": header(member, size)})
        for name, (member, size) in MEMBERS.items()
    }


def header(member: str, size: int) -> str:
    return member_header(member, size).hex()


# Credits (24).


def credit_steps(world: World) -> bytes:
    one, asked = group(world), request(world)
    serial = credit.serial_of(keys(world), one)
    key = credit.redemption_key(keys(world), serial)
    given: Told = {
        "seed": keys(world).seed.hex(),
        "programme": world.programme.hex(),
        "statute": one.statute.hex(),
        "class": one.word,
        "period": one.period,
    }
    gives: Told = {
        "group_hash": credit.group_hash(one).hex(),
        "serial": serial.hex(),
        "redemption_seed": keys(world).redemption(serial).seed.hex(),
        "key": key.hex(),
        "nullifier": credit.nullifier(key).hex(),
        "request_text_hash": asked.hash.hex(),
        "request_root": keys(world).derive("credit-request", credit.group_hash(one)).hex(),
    }
    if world.scheme == "plain":
        gives |= {"credit_text_hash": credit.text_hash(_credit()).hex()}
        return written(given, gives)
    return written(given | {"issuing_key": _issuing_der().hex()}, gives | _blinding(key))


def _credit() -> Record:
    return parse_signed(credit_of(PLAIN)).record


def _issuing_der() -> bytes:
    return credited.issuing_key().der


def _blinding(key: bytes) -> Told:
    one, issuing = group(BLIND), credited.issuing_key()
    seed = keys(BLIND).redemption(credit.serial_of(keys(BLIND), one))
    context = hashlib.sha256(issuing.der).digest()
    prefix = seed.derive("credit-prefix", context, blind.PREFIX_BYTES)
    message = credit.credit_message(BLIND.programme, one, key)
    chance = seed.derive("credit-factor", context, blind.FACTOR_BYTES)
    salt = seed.derive("credit-salt", context, blind.SALT_BYTES)
    factor = blind.blinding_factor(issuing, chance)
    signed = parse_record(blind_signature())
    token = parse_record(credit_of(BLIND))
    return {
        "message": message.hex(),
        "prefix": prefix.hex(),
        "salt": salt.hex(),
        "encoded": blind.encode(blind.prepare(message, prefix), salt).hex(),
        "factor": factor.to_bytes(512, "big").hex(),
        "blinded": request(BLIND).ask.hex(),
        "blind_signature": parse_base64(signed.word("signature"), "signature").hex(),
        "signature": parse_base64(token.word("signature"), "signature").hex(),
    }


def credit_tables() -> Files:
    return {"plain": credit_steps(PLAIN), "blind": credit_steps(BLIND)}


TABLES: dict[str, Callable[[], Files]] = {
    "key-schedule": schedules,
    "padding": paddings,
    "member-header": headers,
    "credit-steps": credit_tables,
}
