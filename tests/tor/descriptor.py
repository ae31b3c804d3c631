"""An onion service's description, opened as a client opens it: all that Tor tells of a service.

    outer   plain: the service's blinded key in a certificate, and an encrypted part
    middle  who may read on, and an encrypted part
    inner   introduction points, and whether work is asked for

Spec: rend-spec-v3 §2.5 and §A.
"""

import base64
import hashlib
import re

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from tests.tor.network import Client, wait_until

_KEY_BYTES = 32
_SALT_BYTES = 16
_IV_BYTES = 16
_MAC_BYTES = 32
_CERTIFICATE_HEAD_BYTES = 40  # version, type, date, key type, key, count of extensions
_EXTENSION_HEAD_BYTES = 4
_FETCH_SECONDS = 30


def read_descriptor(client: Client, onion: str) -> str:
    """The innermost part of the description that the network holds of a service."""
    name = onion.removesuffix(".onion")
    outer: list[str] = []

    def fetched() -> bool:
        outer[:] = client.ask(f"GETINFO hs/client/desc/id/{name}")
        return any(line.startswith("superencrypted") for line in outer)

    wait_until(fetched, "the description", _FETCH_SECONDS)
    return _open("\n".join(outer), name)


def _open(outer: str, name: str) -> str:
    public = base64.b32decode(name.upper())[:_KEY_BYTES]
    certificate = _message(outer, "descriptor-signing-key-cert", "ED25519 CERT")
    at = _CERTIFICATE_HEAD_BYTES + _EXTENSION_HEAD_BYTES
    blinded = certificate[at : at + _KEY_BYTES]
    match = re.search(r"^revision-counter (\d+)", outer, re.MULTILINE)
    assert match is not None
    credential = hashlib.sha3_256(b"credential" + public).digest()
    subcredential = hashlib.sha3_256(b"subcredential" + credential + blinded).digest()
    secret = blinded + subcredential + int(match[1]).to_bytes(8, "big")
    middle = _decrypted(
        _message(outer, "superencrypted", "MESSAGE"), secret, b"hsdir-superencrypted-data"
    )
    return _decrypted(_message(middle, "encrypted", "MESSAGE"), secret, b"hsdir-encrypted-data")


def _message(text: str, keyword: str, kind: str) -> bytes:
    match = re.search(
        rf"^{keyword}\n-----BEGIN {kind}-----\n(.*?)\n-----END {kind}-----",
        text,
        re.MULTILINE | re.DOTALL,
    )
    assert match is not None, keyword
    return base64.b64decode(match[1])


def _decrypted(sealed: bytes, secret: bytes, label: bytes) -> str:
    salt = sealed[:_SALT_BYTES]
    keys = hashlib.shake_256(secret + salt + label).digest(_KEY_BYTES + _IV_BYTES + _MAC_BYTES)
    key, iv = keys[:_KEY_BYTES], keys[_KEY_BYTES : _KEY_BYTES + _IV_BYTES]
    opening = Cipher(algorithms.AES256(key), modes.CTR(iv)).decryptor()
    opened = opening.update(sealed[_SALT_BYTES:-_MAC_BYTES]) + opening.finalize()
    return opened.rstrip(b"\0").decode("ascii")
