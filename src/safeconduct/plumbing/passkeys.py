"""Passkeys: the one door to py_webauthn, which reads what a browser's authenticator answers.

    options ──▶ navigator.credentials.create() ──▶ response ──▶ verify_registration ──▶ Passkey
    options ──▶ navigator.credentials.get()    ──▶ response ──▶ verify_assertion    ──▶ counter

A passkey here is discoverable (the person types no name), unlocked by the person each time, and
bound to one origin: what another site obtains is of no use. No attestation is asked for, and
one that comes all the same is refused: we do not care who made the authenticator, and every
format of a manufacturer's would be a parser more. Challenges are the caller's: fresh, short-
lived, good for once.

Spec: W3C Web Authentication Level 3, §7.1, §7.2.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from webauthn import (
    base64url_to_bytes,
    verify_authentication_response,
    verify_registration_response,
)

from safeconduct.errors import MalformedError, SafeconductError, UnverifiedError
from safeconduct.protocol.canonical import format_base64

RESPONSE_CHARS_MAX = 16_384
CREDENTIAL_ID_BYTES_MAX = 1_023
PUBLIC_KEY_BYTES_MAX = 2_048
CEREMONY_SECONDS = 300
_LOCAL = "localhost"
_HOST = re.compile(r"[a-z0-9._-]{1,253}")  # browsers spell other letters in Punycode
_ALGORITHMS = (-8, -7, -257)  # EdDSA, ES256, RS256, by their COSE numbers
_UNATTESTED = b"\xa3cfmtdnonegattStmt\xa0hauthData"
"""How every attestation object without an attestation begins, in CTAP2's canonical CBOR."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What passkeys are bound to: an origin such as `https://board.example`, and its name."""

    origin: str
    name: str

    @property
    def host(self) -> str:
        """The relying party's id, which is the origin's host."""
        return urlsplit(self.origin).hostname or ""

    @property
    def is_encrypted(self) -> bool:
        """Whether the origin is reached through TLS."""
        return self.origin.startswith("https://")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """What is kept of an authenticator: its COSE public key, and how often it has signed."""

    credential_id: bytes
    public_key: bytes = field(repr=False)
    sign_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a response says of itself, before anything of it is verified."""

    credential_id: bytes
    challenge: bytes
    user_id: bytes  # empty where the authenticator named nobody


def parse_origin(text: str) -> str:
    """The origin that `text` spells as a browser does.

    Raises:
        MalformedError: it has a path, or is one on which browsers know no passkeys.
    """
    hint = "such as https://board.example, or http://localhost:8500"
    try:
        parts = urlsplit(text)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        raise MalformedError("origin: not an address", hint=hint) from None
    default = {"https": 443, "http": 80}.get(parts.scheme)
    shown = host if port in (None, default) else f"{host}:{port}"
    if default is None or not _HOST.fullmatch(host) or text != f"{parts.scheme}://{shown}":
        raise MalformedError("origin: not scheme, host and port alone", hint=hint)
    if parts.scheme == "http" and host != _LOCAL and not host.endswith(".onion"):
        raise MalformedError("origin: browsers know passkeys only over https", hint=hint)
    if host.replace(".", "").isdecimal() or ":" in host:
        raise MalformedError("origin: browsers bind passkeys to names, not numbers", hint=hint)
    return text


def registration_options(
    site: Site, *, user_id: bytes, user_name: str, challenge: bytes, known: Sequence[bytes]
) -> str:
    """The JSON for navigator.credentials.create(); authenticators in `known` will decline."""
    return json.dumps(
        {
            "rp": {"id": site.host, "name": site.name},
            "user": {"id": _text(user_id), "name": user_name, "displayName": user_name},
            "challenge": _text(challenge),
            "pubKeyCredParams": [
                {"type": "public-key", "alg": algorithm} for algorithm in _ALGORITHMS
            ],
            "timeout": CEREMONY_SECONDS * 1_000,
            "excludeCredentials": [{"type": "public-key", "id": _text(one)} for one in known],
            "authenticatorSelection": {
                "residentKey": "required",
                "requireResidentKey": True,
                "userVerification": "required",
            },
            "attestation": "none",
        }
    )


def assertion_options(site: Site, *, challenge: bytes) -> str:
    """The JSON for navigator.credentials.get(), for whichever passkey the person chooses."""
    return json.dumps(
        {
            "rpId": site.host,
            "challenge": _text(challenge),
            "timeout": CEREMONY_SECONDS * 1_000,
            "allowCredentials": [],
            "userVerification": "required",
        }
    )


def _text(data: bytes) -> str:
    """Base64 for URLs, without padding, as WebAuthn writes it."""
    return format_base64(data).rstrip("=").translate(str.maketrans("+/", "-_"))


def parse_answer(response: str) -> Answer:
    """What a response claims, to look up whose it is.

    Raises:
        MalformedError: not the JSON of a response, or too long.
    """
    with _reading():
        value = _table(response)
        inner = value["response"]
        client = json.loads(base64url_to_bytes(inner["clientDataJSON"]))
        handle = inner.get("userHandle") or ""
        answer = Answer(
            credential_id=base64url_to_bytes(value["rawId"]),
            challenge=base64url_to_bytes(client["challenge"]),
            user_id=base64url_to_bytes(handle),
        )
    if not 0 < len(answer.credential_id) <= CREDENTIAL_ID_BYTES_MAX:
        raise MalformedError("passkey: its id has no length that one can have")
    return answer


def verify_registration(response: str, site: Site, challenge: bytes) -> Passkey:
    """The new passkey, once all that binds it to this site, page and person holds.

    Raises:
        MalformedError: not the JSON of a response.
        UnverifiedError: another origin, site or challenge; not unlocked; or an attestation.
    """
    parse_answer(response)
    with _reading():
        value = _table(response)
        _check_frame(value)
        attestation = base64url_to_bytes(value["response"]["attestationObject"])
        if not attestation.startswith(_UNATTESTED):
            raise UnverifiedError("passkey: it has an attestation, and none was asked for")
        found = verify_registration_response(
            credential=value,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    if len(found.credential_public_key) > PUBLIC_KEY_BYTES_MAX:
        raise MalformedError(f"passkey: its key is longer than {PUBLIC_KEY_BYTES_MAX} bytes")
    return Passkey(
        credential_id=found.credential_id,
        public_key=found.credential_public_key,
        sign_count=found.sign_count,
    )


def verify_assertion(
    response: str, site: Site, challenge: bytes, passkey: Passkey, user_id: bytes
) -> int:
    """The authenticator's counter, once its signature and all that it is over holds.

    A counter that did not grow is the sign of a copied authenticator; one that always says
    zero, as those that are synchronised do, is taken.

    Raises:
        MalformedError: not the JSON of a response.
        UnverifiedError: another origin, site, challenge, passkey or person; not unlocked; a
            counter that did not grow; or a signature that does not hold.
    """
    answer = parse_answer(response)
    if answer.credential_id != passkey.credential_id:
        raise UnverifiedError("passkey: another one than was looked up")
    if answer.user_id != user_id:
        raise UnverifiedError("passkey: it names another person than it belongs to")
    with _reading():
        value = _table(response)
        _check_frame(value)
        found = verify_authentication_response(
            credential=value,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    return found.new_sign_count


def _table(response: str) -> dict[str, Any]:
    if len(response) > RESPONSE_CHARS_MAX:
        raise MalformedError(f"passkey: longer than {RESPONSE_CHARS_MAX} characters")
    value = json.loads(response)
    if not isinstance(value, dict):
        raise MalformedError("passkey: not the JSON of a response")
    return value


def _check_frame(response: dict[str, Any]) -> None:
    """The library looks at the origin, but not at whether a foreign page had framed ours."""
    value = json.loads(base64url_to_bytes(response["response"]["clientDataJSON"]))
    if value.get("crossOrigin", False) is not False or "topOrigin" in value:
        raise UnverifiedError("passkey: used within a page of another site")


@contextmanager
def _reading() -> Iterator[None]:
    """What the library refuses as our families; what it trips over is malformed.

    Its messages quote the response, so nothing of them is passed on.
    """
    try:
        yield
    except SafeconductError:
        raise
    except Exception as error:
        if type(error).__name__ in _REFUSALS:
            raise UnverifiedError(f"passkey: {_said(error)}") from None
        raise MalformedError("passkey: not the JSON of a response") from None


def _said(error: Exception) -> str:
    message = str(error)
    return next((ours for theirs, ours in _REASONS.items() if theirs in message), _OTHER)


_REFUSALS = frozenset({"InvalidAuthenticationResponse", "InvalidRegistrationResponse"})
_OTHER = "it does not hold for this site"
_REASONS = {
    "challenge": "made for another page, or used before",
    "origin": "made for another site",
    "RP ID": "made for another site",
    "verification is required": "the person was not asked to unlock it",
    "sign count": "its counter did not grow: it may have been copied",
    "signature": "its signature does not hold",
}
