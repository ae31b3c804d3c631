"""What an outsider can do without a line of our code: verify a receipt with stock primitives.

Written from the C2SP texts, against `cryptography` and the standard library alone, so that a
fault shared by our writer and our verifier would show here.
"""

import base64
import hashlib
import struct
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a receipt shows: which log, which place, and when each witness had seen it."""

    origin: str
    index: int
    size: int
    witnessed: dict[str, int]


Keys = dict[tuple[str, bytes], tuple[str, int, bytes]]


def keys_of(policy: str) -> Keys:
    """(key name, key ID) → (line's word, algorithm, public key) of each key of a policy."""
    keys = {}
    for line in policy.splitlines():
        words = line.split()
        if words and words[0] in {"log", "witness"}:
            vkey = words[1] if words[0] == "log" else words[2]
            name, _, blob = vkey.split("+", 2)
            raw = base64.b64decode(blob)
            label = words[0] if words[0] == "log" else words[1]
            key_id = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
            keys[name, key_id] = (label, raw[0], raw[1:])
    return keys


def verify(proof: str, record: bytes, policy: str) -> Seen:
    """Check a tlog-proof of a record's hash; asserts on anything that does not hold."""
    head, checkpoint = proof.split("\n\n", 1)
    lines = head.split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    index = int(lines[1].removeprefix("index "))
    hashes = [base64.b64decode(line) for line in lines[2:]]
    text, _, signatures = checkpoint.rpartition("\n\n")
    text += "\n"
    origin, size, root = text.split("\n")[:3]
    label = b"safeconduct/v1/record"
    digest = hashlib.sha256(
        bytes([len(label)]) + label + struct.pack(">I", len(record)) + record
    ).digest()
    assert _root(digest, index, int(size), hashes) == base64.b64decode(root)
    witnessed = _check_signatures(text, signatures, keys_of(policy), origin)
    return Seen(origin=origin, index=index, size=int(size), witnessed=witnessed)


def _root(entry: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """RFC 9162 §2.1.3.2."""
    node, last = hashlib.sha256(b"\0" + entry).digest(), size - 1
    for sibling in path:
        if index % 2 or index == last:
            node = hashlib.sha256(b"\1" + sibling + node).digest()
            while index % 2 == 0 and index:
                index, last = index >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\1" + node + sibling).digest()
        index, last = index >> 1, last >> 1
    assert last == 0
    return node


def _check_signatures(text: str, signatures: str, keys: Keys, origin: str) -> dict[str, int]:
    witnessed: dict[str, int] = {}
    signed_by_log = set()
    for line in signatures.splitlines():
        dash, name, encoded = line.split(" ")
        assert dash == "—"
        blob = base64.b64decode(encoded)
        label, algorithm, public = keys[name, blob[:4]]
        if algorithm == 1:
            Ed25519PublicKey.from_public_bytes(public).verify(blob[4:], text.encode())
        elif algorithm == 4:
            [witnessed[label]] = struct.unpack(">Q", blob[4:12])
            message = f"cosignature/v1\ntime {witnessed[label]}\n{text}".encode()
            Ed25519PublicKey.from_public_bytes(public).verify(blob[12:], message)
        else:
            message = _subtree_message(text, name, blob[4:12])
            MLDSA44PublicKey.from_public_bytes(public).verify(blob[12:], message)
        if name == origin:
            signed_by_log.add(algorithm)
    assert signed_by_log == {1, 6}, "the log signs with both of its keys"
    return witnessed


def _subtree_message(text: str, name: str, at: bytes) -> bytes:
    """c2sp.org/tlog-cosignature, ML-DSA-44, for the whole tree of a checkpoint."""
    origin, size, root = text.split("\n")[:3]
    signer = bytes([len(name.encode())]) + name.encode()
    log = bytes([len(origin.encode())]) + origin.encode()
    tree = struct.pack(">QQ", 0, int(size)) + base64.b64decode(root)
    return b"subtree/v1\n\0" + signer + at + log + tree
