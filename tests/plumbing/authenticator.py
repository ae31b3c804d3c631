"""An authenticator and its browser in a few lines, which lies wherever a test wants it to."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40
_CREDENTIAL_ID = bytes(range(32))
_AAGUID = bytes(16)


def text(data: bytes) -> str:
    """Base64 as WebAuthn writes it: for URLs, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Authenticator:
    """One passkey; the fields are what it and its browser say of themselves."""

    origin: str
    host: str
    flags: int = PRESENT | VERIFIED
    count: int = 1
    credential_id: bytes = _CREDENTIAL_ID
    user_id: bytes = b""
    client: Mapping[str, Any] = field(default_factory=dict)
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.derive_private_key(7, ec.SECP256R1())
    )

    def create(
        self, options: str, statement: tuple[str, Mapping[str, Any]] = ("none", {})
    ) -> str:
        """The response to navigator.credentials.create()."""
        asked = json.loads(options)
        padding = "=" * (-len(asked["user"]["id"]) % 4)
        self.user_id = base64.urlsafe_b64decode(asked["user"]["id"] + padding)
        numbers = self.key.public_key().public_numbers()
        public = cbor2.dumps(
            {
                1: 2,
                3: -7,
                -1: 1,
                -2: numbers.x.to_bytes(32, "big"),
                -3: numbers.y.to_bytes(32, "big"),
            }
        )
        length = len(self.credential_id).to_bytes(2, "big")
        data = self._data(ATTESTED) + _AAGUID + length + self.credential_id + public
        attestation = {"fmt": statement[0], "attStmt": dict(statement[1]), "authData": data}
        response = {
            "clientDataJSON": text(self._client("webauthn.create", asked["challenge"])),
            "attestationObject": text(cbor2.dumps(attestation)),
        }
        return self._answer(response)

    def get(self, options: str) -> str:
        """The response to navigator.credentials.get()."""
        self.count += 1
        client = self._client("webauthn.get", json.loads(options)["challenge"])
        data = self._data()
        signed = data + hashlib.sha256(client).digest()
        response = {
            "clientDataJSON": text(client),
            "authenticatorData": text(data),
            "signature": text(self.key.sign(signed, ec.ECDSA(hashes.SHA256()))),
            "userHandle": text(self.user_id),
        }
        return self._answer(response)

    def _data(self, more: int = 0) -> bytes:
        host = hashlib.sha256(self.host.encode()).digest()
        return host + bytes([self.flags | more]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin}
        return json.dumps({**said, "crossOrigin": False, **self.client}).encode()

    def _answer(self, response: dict[str, str]) -> str:
        named = text(self.credential_id)
        return json.dumps(
            {"id": named, "rawId": named, "type": "public-key", "response": response}
        )
