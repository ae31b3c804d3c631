"""What an outsider needs to read our files: docs/3-protocol.md §3 to §7 and §24, written again.

With hashlib, hmac, tarfile and `cryptography` alone, and without a look at this project's own
code; so that the text is seen to be enough.
"""

import base64
import hashlib
import hmac
import io
import json
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

FOLDER = Path(__file__).parent
T = b"safeconduct/v1/"
CHUNK = 65_536


def text(name: str) -> str:
    return (FOLDER / name).read_bytes().decode()


def document(name: str) -> Any:
    return json.loads(text(name))


# §3: hashes and keys.


def u32(number: int) -> bytes:
    return number.to_bytes(4, "big")


def u64(number: int) -> bytes:
    return number.to_bytes(8, "big")


def H(name: str, *parts: bytes) -> bytes:
    label = T + name.encode()
    prefixed = b"".join(u32(len(part)) + part for part in parts)
    return hashlib.sha256(bytes([len(label)]) + label + prefixed).digest()


def K(key: bytes, name: str, context: bytes = b"", length: int = 32) -> bytes:
    info = T + name.encode() + b"\0" + context
    return HKDFExpand(algorithm=SHA256(), length=length, info=info).derive(key)


def hmac256(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


# §6.2: the key schedule.


def master(entropy: bytes, programme: bytes) -> bytes:
    salt = H("kdf-salt", programme)[:16]
    return Argon2id(salt=salt, length=32, iterations=2, lanes=1, memory_cost=19_456).derive(
        entropy
    )


def ed25519_public(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def mldsa65_public(seed: bytes) -> bytes:
    return MLDSA65PrivateKey.from_seed_bytes(seed).public_key().public_bytes_raw()


def author(seed: bytes, blind: bytes) -> bytes:
    ed25519 = ed25519_public(K(seed, "author-ed25519"))
    return H("author", ed25519, mldsa65_public(K(seed, "author-mldsa65")), blind)


def pre(seed: bytes, files: Sequence[tuple[str, int, bytes]]) -> bytes:
    parts = [
        part for name, size, digest in files for part in (name.encode(), u64(size), digest)
    ]
    return hmac256(K(seed, "pre"), H("files", *parts))[:16]


def item(place: int, salt: bytes, digest: bytes, size: int) -> bytes:
    return H("item", salt, b"f%04d" % place, digest, u64(size))


def schedule(given: dict[str, Any]) -> dict[str, Any]:
    """Everything of §6.2, in hex."""
    programme = H("programme", given["programme_name"].encode())
    root = master(bytes.fromhex(given["entropy"]), programme)
    seeds = [K(root, "contribution", u32(number)) for number in range(3)]
    seed = seeds[given["number"]]
    files = [
        (file["name"], file["size"], bytes.fromhex(file["sha256"])) for file in given["files"]
    ]
    values: dict[str, Any] = {
        "programme": programme,
        "salt": H("kdf-salt", programme)[:16],
        "master": root,
        **{f"seed_{number}": each for number, each in enumerate(seeds)},
        **_of_files(seed, files),
        **_of_seed(seed, given),
    }
    return {name: _hex(value) for name, value in values.items()}


def _hex(value: Any) -> Any:
    if isinstance(value, list):
        return [each.hex() for each in value]
    return value.hex() if isinstance(value, bytes) else value


def _of_files(seed: bytes, files: Sequence[tuple[str, int, bytes]]) -> dict[str, Any]:
    tag = pre(seed, files)
    blind = K(seed, "blind", tag, 16)
    salts = [K(seed, "item-salt", tag + u32(place)) for place in range(1, len(files) + 1)]
    items = [
        item(place, salt, digest, size)
        for place, (salt, (_, size, digest)) in enumerate(zip(salts, files, strict=True), 1)
    ]
    follow = hmac256(K(K(seed, "reply-tag"), "follow"), author(seed, blind) + tag)
    return {
        "pre": tag,
        "blind": blind,
        "author": author(seed, blind),
        "item_salts": salts,
        "content": H("content", *items),
        "follow_mac": follow,
    }


def _of_seed(seed: bytes, given: dict[str, Any]) -> dict[str, Any]:
    nonce = hmac256(K(seed, "siv"), sha256(given["manifest"].encode()))[:16]
    file_key = K(seed, "file-key", nonce, 16)
    tag_key, body = K(seed, "reply-tag"), sha256(given["reply_body"].encode())
    serial = bytes(range(16))
    redeeming = K(seed, "redeem", serial)
    key = author(redeeming, K(redeeming, "blind", serial, 16))
    mldsa65 = mldsa65_public(K(seed, "author-mldsa65"))
    return {
        "nonce": nonce,
        "file_key": file_key,
        "keycommit": H("key-commit", nonce, file_key),
        "author_ed25519_seed": K(seed, "author-ed25519"),
        "author_mldsa65_seed": K(seed, "author-mldsa65"),
        "author_ed25519": ed25519_public(K(seed, "author-ed25519")),
        "author_mldsa65_sha256": sha256(mldsa65),
        "slot": K(seed, "slot", b"", 16),
        "capsule_key": K(seed, "capsule"),
        "identity": K(seed, "identity"),
        "reply_seed": K(seed, "reply"),
        "reply_recipient": bech32("age1pq", hybrid_public(K(seed, "reply"))),
        "tag_key": tag_key,
        "reply_tags": [hmac256(K(tag_key, "tag"), u32(n))[:16] for n in range(3)],
        "reply_macs": [hmac256(K(tag_key, "mac"), u32(n) + body) for n in range(3)],
        "redemption_serial": serial,
        "redemption_seed": redeeming,
        "redemption_key": key,
        "nullifier": H("nullifier", key),
    }


# age: keys, headers, payloads.

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def bech32(prefix: str, data: bytes) -> str:
    values = _regrouped(data, 8, 5)
    spread = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = _polymod([*spread, *values, *[0] * 6]) ^ 1
    ends = [check >> 5 * (5 - place) & 31 for place in range(6)]
    return prefix + "1" + "".join(ALPHABET[value] for value in [*values, *ends])


def bech32_data(written: str) -> bytes:
    values = [ALPHABET.index(c) for c in written.lower().rpartition("1")[2]]
    return bytes(_regrouped(values[:-6], 5, 8, pad=False))


def _regrouped(values: Sequence[int], old: int, new: int, *, pad: bool = True) -> list[int]:
    bits = "".join(f"{value:0{old}b}" for value in values)
    bits = (
        bits.ljust(-(-len(bits) // new) * new, "0") if pad else bits[: len(bits) // new * new]
    )
    return [int(bits[at : at + new], 2) for at in range(0, len(bits), new)]


def _polymod(values: Sequence[int]) -> int:
    generator = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, term in enumerate(generator):
            check ^= term if top >> bit & 1 else 0
    return check


def hkdf(material: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(material)


def hybrid_secret(seed: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    drawn = hashlib.shake_256(seed).digest(96)
    classic = X25519PrivateKey.from_private_bytes(drawn[64:])
    return MLKEM768PrivateKey.from_seed_bytes(drawn[:64]), classic


def hybrid_public(seed: bytes) -> bytes:
    mlkem, classic = hybrid_secret(seed)
    return mlkem.public_key().public_bytes_raw() + classic.public_key().public_bytes_raw()


def unpadded(encoded: bytes) -> bytes:
    return base64.b64decode(encoded + b"=" * (-len(encoded) % 4))


def unwrapped(header: bytes, seed: bytes) -> bytes:
    """The file key in a header's one stanza, for the identity with this secret or seed."""
    version, stanza, *body, mac, empty = header.split(b"\n")
    assert (version, empty) == (b"age-encryption.org/v1", b"")
    _, kind, share = stanza.split(b" ")
    opened = {b"X25519": _x25519, b"mlkem768x25519": _hybrid}[kind]
    file_key = opened(unpadded(share), unpadded(b"".join(body)), seed)
    covered = header[: header.rindex(b"---") + 3]
    assert unpadded(mac[4:]) == hmac256(hkdf(file_key, b"", b"header"), covered)
    return file_key


def _x25519(share: bytes, body: bytes, secret: bytes) -> bytes:
    ours = X25519PrivateKey.from_private_bytes(secret)
    shared = ours.exchange(X25519PublicKey.from_public_bytes(share))
    salt = share + ours.public_key().public_bytes_raw()
    key = hkdf(shared, salt, b"age-encryption.org/v1/X25519")
    return ChaCha20Poly1305(key).decrypt(bytes(12), body, None)


def _hybrid(share: bytes, body: bytes, seed: bytes) -> bytes:
    suite = hpke.Suite(
        hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305
    )
    pair = hpke.MLKEM768X25519PrivateKey(*hybrid_secret(seed))
    return suite.decrypt(share + body, pair, b"age-encryption.org/mlkem768x25519")


def stream(file_key: bytes, payload: bytes) -> bytes:
    """The content of a payload: nonce, then chunks."""
    cipher = ChaCha20Poly1305(hkdf(file_key, payload[:16], b"payload"))
    sealed = [payload[at : at + CHUNK + 16] for at in range(16, len(payload), CHUNK + 16)]
    return b"".join(
        cipher.decrypt(n.to_bytes(11, "big") + bytes([n == len(sealed) - 1]), chunk, None)
        for n, chunk in enumerate(sealed)
    )


def split_age(data: bytes) -> tuple[bytes, bytes]:
    """Header and payload."""
    end = data.index(b"\n", data.index(b"\n---") + 1) + 1
    return data[:end], data[end:]


# §5: records.


def fields(record: str) -> dict[str, str]:
    """The kind, and each field's text."""
    lines = record.partition("\n\n")[0].rstrip("\n").split("\n")
    assert lines[0].startswith(T.decode())
    pairs = [line.split(" ", 1) for line in lines[1:]]
    return {"": lines[0].removeprefix(T.decode()), **dict(pairs)}


def signature_lines(record: str) -> Iterator[tuple[str, bytes]]:
    """Name, and key ID with signature."""
    _, _, lines = record.partition("\n\n")
    for line in lines.splitlines():
        dash, name, encoded = line.split(" ")
        assert dash == "—"
        yield name, base64.b64decode(encoded)


def signed_text(record: str) -> bytes:
    return (record.partition("\n\n")[0] + "\n").encode()


def key_id(name: str, kind: bytes, public: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + kind + public)[:4]


def verify_vkey(record: str, vkey: str) -> None:
    """Check the line of this key."""
    name, _, encoded = vkey.split("+", 2)
    public = base64.b64decode(encoded)
    assert public[:1] == b"\x01"
    found = [
        blob
        for signer, blob in signature_lines(record)
        if signer == name and blob[:4] == key_id(name, public[:1], public[1:])
    ]
    assert found
    Ed25519PublicKey.from_public_bytes(public[1:]).verify(found[0][4:], signed_text(record))


def verify_claimant(record: str) -> None:
    """Check both lines of a record that names its own keys."""
    told = fields(record)
    ed25519, mldsa65 = (bytes.fromhex(told[name]) for name in ("ed25519", "mldsa65"))
    (one, first), (two, second) = signature_lines(record)
    assert (one, two) == ("claimant", "claimant")
    assert first[:4] == key_id("claimant", b"\x01", ed25519)
    assert second[:4] == key_id("claimant", b"\xff", T + b"mldsa65\n" + mldsa65)
    message = signed_text(record)
    Ed25519PublicKey.from_public_bytes(ed25519).verify(first[4:], message)
    context = T + told[""].encode()
    MLDSA65PublicKey.from_public_bytes(mldsa65).verify(second[4:], message, context)


def opened_author(record: str) -> bytes:
    told = fields(record)
    return H("author", *(bytes.fromhex(told[name]) for name in ("ed25519", "mldsa65", "blind")))


# §7: containers.


def members(container: bytes) -> dict[str, bytes]:
    """What stock tar makes of a container."""
    with tarfile.open(fileobj=io.BytesIO(container), mode="r:") as archive:
        assert all(member.isreg() for member in archive)
        files = {member.name: archive.extractfile(member) for member in archive}
        return {name: file.read() for name, file in files.items() if file}


def container(name: str) -> bytes:
    """A published container, or the one that a published recipe describes."""
    data = (FOLDER / name).read_bytes()
    if not name.endswith(".json"):
        return data
    recipe = json.loads(data)
    made = b"".join(
        container(piece["of"])[piece.get("from", 0) : piece.get("to")]
        if "of" in piece
        else bytes.fromhex(piece["hex"]) * piece.get("times", 1)
        for piece in recipe["pieces"]
    )
    assert sha256(made).hex() == recipe["sha256"]
    return made


def member_header(name: str, size: int) -> bytes:
    """§7.2: mode 0644, no owner, no time; from 8 GiB on the size has twelve digits."""
    digits = b"%011o\0" % size if size < 8 << 30 else b"%012o" % size
    nobody, never = b"%07o\0" % 0, b"%011o\0" % 0
    front = name.encode().ljust(100, b"\0") + b"0000644\0" + nobody * 2 + digits + never
    # Type, no link, the format's mark; no names, devices or prefix, which are zero bytes.
    back = (b"0" + bytes(100) + b"ustar\x0000").ljust(356, b"\0")
    return front + b"%06o\0 " % sum(front + b" " * 8 + back) + back


def padded(size: int) -> int:
    if size <= 65_536:
        return 65_536
    exponent = size.bit_length() - 1
    if size <= 1 << 20:
        return size if size == 1 << exponent else 2 << exponent
    unit = 1 << exponent - (exponent.bit_length() - 1) - 1
    return -(-size // unit) * unit


# RFC 6962.


def leaf(entry: bytes) -> bytes:
    return sha256(b"\0" + entry)


def tree_root(hashes: list[bytes]) -> bytes:
    if len(hashes) < 2:
        return hashes[0] if hashes else sha256(b"")
    half = 1 << (len(hashes) - 1).bit_length() - 1
    return sha256(b"\1" + tree_root(hashes[:half]) + tree_root(hashes[half:]))


def root_by_proof(entry: bytes, proof: str) -> tuple[bytes, bytes]:
    """The root that an inclusion proof leads to, and the one that the checkpoint names."""
    head, _, checkpoint = proof.partition("\n\n")
    _, index_line, *encoded = head.split("\n")
    index, size = int(index_line.split(" ")[1]), int(checkpoint.split("\n")[1])
    found = _inner(leaf(entry), index, size, [base64.b64decode(each) for each in encoded])
    return found, base64.b64decode(checkpoint.split("\n")[2])


def _inner(found: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """RFC 9162 §2.1.3.2."""
    place, last = index, size - 1
    for sibling in path:
        if place & 1 or place == last:
            found = sha256(b"\1" + sibling + found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = sha256(b"\1" + found + sibling)
        place, last = place >> 1, last >> 1
    assert last == 0
    return found


# XChaCha20-Poly1305, of which `cryptography` has the second half.


def xchacha_open(key: bytes, nonce: bytes, sealed: bytes, ad: bytes) -> bytes:
    inner = ChaCha20Poly1305(_hchacha20(key, nonce[:16]))
    return inner.decrypt(bytes(4) + nonce[16:], sealed, ad)


def _hchacha20(key: bytes, nonce: bytes) -> bytes:
    def words(data: bytes) -> list[int]:
        return [int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data), 4)]

    state = words(b"expand 32-byte k" + key + nonce)
    columns = [(n, n + 4, n + 8, n + 12) for n in range(4)]
    diagonals = [(n, 4 + (n + 1) % 4, 8 + (n + 2) % 4, 12 + (n + 3) % 4) for n in range(4)]
    for _ in range(10):
        for quarter in [*columns, *diagonals]:
            _quarter_round(state, *quarter)
    return b"".join(word.to_bytes(4, "little") for word in state[:4] + state[12:])


def _quarter_round(state: list[int], a: int, b: int, c: int, d: int) -> None:
    for one, other, mixed, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        state[one] = (state[one] + state[other]) & 0xFFFFFFFF
        word = state[mixed] ^ state[one]
        state[mixed] = (word << turn | word >> 32 - turn) & 0xFFFFFFFF
