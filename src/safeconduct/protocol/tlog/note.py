"""Signed notes: a text, an empty line, and one signature a line.

    text, any lines, ends with LF
                                                         the note's last empty line
    — name base64(key ID (4 bytes) ‖ signature)          one or more, each ends with LF

Names and key IDs only say which key to try. A signature by nobody we know is ignored; a bad
one under a key we know spoils the note.

Spec: c2sp.org/signed-note; golang.org/x/mod/sumdb/note for the text of a signing key. Type
MLDSA44 signs trees, not texts: see `cosignature`.
"""

from dataclasses import dataclass, field
from hashlib import sha256

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.canonical import (
    decode_text,
    format_base64,
    parse_base64,
    parse_hex,
)
from safeconduct.protocol.signature import (
    ED25519_PUBLIC_BYTES,
    ED25519_SEED_BYTES,
    MLDSA44_PUBLIC_BYTES,
    MLDSA44_SEED_BYTES,
    check_ed25519_public,
    ed25519_public,
    mldsa44_public,
    sign_ed25519,
    verify_ed25519,
)

ED25519 = 0x01
"""A signature over the note's text."""
COSIGNATURE = 0x04
"""A dated Ed25519 signature over a checkpoint."""
MLDSA44 = 0x06
"""A dated ML-DSA-44 signature over a tree."""
OTHER = 0xFF
"""A type without a byte of its own."""

NOTE_BYTES_MAX = 1 << 20
SIGNATURES_MAX = 100
"""The standard demands 16; golang.org/x/mod/sumdb/note stops at 100 as well."""
KEY_ID_BYTES = 4
VKEY_CHARACTERS_MAX = 8_192
MLDSA44_NAME_BYTES_MAX = 255
"""The length of a cosigner's name is one byte in the message that ML-DSA cosigners sign."""

_MARK = "— "
_SKEY_MARK = "PRIVATE+KEY+"
_PUBLIC_BYTES = {
    ED25519: ED25519_PUBLIC_BYTES,
    COSIGNATURE: ED25519_PUBLIC_BYTES,
    MLDSA44: MLDSA44_PUBLIC_BYTES,
}
_SEED_BYTES = {ED25519: ED25519_SEED_BYTES, MLDSA44: MLDSA44_SEED_BYTES}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureLine:
    """Who claims to have signed, and the signature, whose form depends on the key."""

    name: str
    key_id: bytes
    blob: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A text ending in LF and one or more signatures, none of them checked yet."""

    text: str
    signatures: tuple[SignatureLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """A named public key, bound to one signature type."""

    name: str
    algorithm: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """SHA-256(name ‖ 0x0A ‖ type ‖ public)[:4]."""
        typed = bytes([self.algorithm]) + self.public
        return sha256(self.name.encode() + b"\n" + typed).digest()[:KEY_ID_BYTES]


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A named key by its 32-byte seed, which `repr` does not show.

    An Ed25519 seed serves two types of signature, ED25519 and COSIGNATURE; an MLDSA44 seed
    serves its own.
    """

    name: str
    seed: bytes = field(repr=False)
    algorithm: int = ED25519

    def verifier(self, algorithm: int | None = None) -> VerifierKey:
        """The public half for one type of signature: by default ED25519, or MLDSA44.

        Raises:
            ValueError: a type of the other kind of key.
        """
        chosen = self.algorithm if algorithm is None else algorithm
        if MLDSA44 in (self.algorithm, chosen) and self.algorithm != chosen:
            raise ValueError(f"a key of type {self.algorithm:#04x} serves no {chosen:#04x}")
        public = _PUBLIC_OF[self.algorithm](self.seed)
        return VerifierKey(name=self.name, algorithm=chosen, public=public)

    def cosigner(self) -> VerifierKey:
        """The public half for dated signatures on checkpoints: COSIGNATURE, or MLDSA44."""
        return self.verifier(COSIGNATURE if self.algorithm == ED25519 else MLDSA44)


_PUBLIC_OF = {ED25519: ed25519_public, MLDSA44: mldsa44_public}


def parse_note(data: bytes) -> Note:
    """The text and the signature lines of a note; nothing is verified.

    Raises:
        MalformedError: too long, not UTF-8 without controls, no signature, too many, or a
            line that is none.
    """
    if len(data) > NOTE_BYTES_MAX:
        raise MalformedError(f"note: longer than {NOTE_BYTES_MAX} bytes")
    whole = decode_text(data, "note")
    text, empty_line, signatures = whole.rpartition("\n\n")
    if not empty_line:
        raise MalformedError("note: no empty line between text and signatures")
    return Note(text=text + "\n", signatures=_parse_lines(signatures))


def format_note(note: Note) -> bytes:
    """The bytes of a note that `parse_note` gives back as it was."""
    lines = "".join(map(format_signature_line, note.signatures))
    data = f"{note.text}\n{lines}".encode()
    assert parse_note(data) == note, "note: text or a signature line cannot be written"
    return data


def parse_signature_lines(data: bytes) -> tuple[SignatureLine, ...]:
    """One or more signature lines without a text: what a witness answers.

    Raises:
        MalformedError: as for `parse_note`.
    """
    if len(data) > NOTE_BYTES_MAX:
        raise MalformedError(f"signatures: longer than {NOTE_BYTES_MAX} bytes")
    return _parse_lines(decode_text(data, "signatures"))


def format_signature_line(line: SignatureLine) -> str:
    """`— name base64`, with its LF."""
    return f"{_MARK}{line.name} {format_base64(line.key_id + line.blob)}\n"


def _parse_lines(lines: str) -> tuple[SignatureLine, ...]:
    *complete, rest = lines.split("\n", SIGNATURES_MAX)
    if rest:
        raise MalformedError(f"note: last line cut short, or over {SIGNATURES_MAX} signatures")
    if not complete:
        raise MalformedError("note: no signature")
    return tuple(map(_parse_signature_line, complete))


def _parse_signature_line(line: str) -> SignatureLine:
    name, blank, encoded = line.removeprefix(_MARK).partition(" ")
    if not line.startswith(_MARK) or not blank:
        raise MalformedError("note: a signature line is not '— name base64'")
    _check_name(name)
    signature = parse_base64(encoded, "note signature")
    if len(signature) <= KEY_ID_BYTES:
        raise MalformedError("note: a signature is empty")
    return SignatureLine(
        name=name, key_id=signature[:KEY_ID_BYTES], blob=signature[KEY_ID_BYTES:]
    )


def parse_vkey(text: str) -> VerifierKey:
    """The key in `name+hex8+base64(type ‖ public)`.

    Raises:
        MalformedError: another spelling, an unknown type, a wrong size, a key ID that is not
            the key's own, or an Ed25519 key outside the prime-order group.
    """
    name, key_id, typed = _parse_key_text(text, "verifier key")
    key = VerifierKey(name=name, algorithm=typed[0], public=typed[1:])
    _check_public(key)
    if key.key_id != key_id:
        raise MalformedError("verifier key: the key ID is not this key's")
    return key


def format_vkey(key: VerifierKey) -> str:
    """`name+hex8+base64(type ‖ public)`."""
    typed = bytes([key.algorithm]) + key.public
    return f"{key.name}+{key.key_id.hex()}+{format_base64(typed)}"


def parse_skey(text: str) -> SigningKey:
    """The key in `PRIVATE+KEY+name+hex8+base64(type ‖ seed)`, ED25519 or MLDSA44.

    Go's note package writes the former; the latter follows it.

    Raises:
        MalformedError: another spelling, type or size, or a key ID that is not the key's own.
    """
    if not text.startswith(_SKEY_MARK):
        raise MalformedError("signing key: does not begin with PRIVATE+KEY+")
    name, key_id, typed = _parse_key_text(text.removeprefix(_SKEY_MARK), "signing key")
    if len(typed) - 1 != _SEED_BYTES.get(typed[0]):
        raise MalformedError("signing key: neither an Ed25519 nor an ML-DSA-44 seed")
    key = SigningKey(name=name, seed=typed[1:], algorithm=typed[0])
    public = key.verifier()
    _check_public(public)
    if public.key_id != key_id:
        raise MalformedError("signing key: the key ID is not this key's")
    return key


def format_skey(key: SigningKey) -> str:
    """`PRIVATE+KEY+name+hex8+base64(type ‖ seed)`: a secret."""
    typed = bytes([key.algorithm]) + key.seed
    return f"{_SKEY_MARK}{key.name}+{key.verifier().key_id.hex()}+{format_base64(typed)}"


def _parse_key_text(text: str, what: str) -> tuple[str, bytes, bytes]:
    """Name, key ID, and type ‖ key, which is never empty. Errors show no part of the text."""
    if len(text) > VKEY_CHARACTERS_MAX:
        raise MalformedError(f"{what}: longer than {VKEY_CHARACTERS_MAX} characters")
    # Base64 has pluses of its own, so only the first two part the text.
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise MalformedError(f"{what}: not name+hex+base64")
    _check_name(parts[0])
    typed = parse_base64(parts[2], what)
    if not typed:
        raise MalformedError(f"{what}: empty")
    return parts[0], parse_hex(parts[1], KEY_ID_BYTES, what), typed


def _check_name(name: str) -> None:
    if not name or "+" in name or any(character.isspace() for character in name):
        raise MalformedError("key name: empty, or has a space or a plus")
    decode_text(name.encode(errors="surrogatepass"), "key name")


def _check_public(key: VerifierKey) -> None:
    if key.algorithm == OTHER:
        if not key.public:
            raise MalformedError("verifier key: nothing follows the type")
        return
    if key.algorithm not in _PUBLIC_BYTES:
        raise MalformedError(f"verifier key: unknown type {key.algorithm:#04x}")
    if len(key.public) != _PUBLIC_BYTES[key.algorithm]:
        raise MalformedError("verifier key: the public key has the wrong size")
    if key.algorithm != MLDSA44:
        check_ed25519_public(key.public)
    elif len(key.name.encode()) > MLDSA44_NAME_BYTES_MAX:
        raise MalformedError(f"key name: longer than {MLDSA44_NAME_BYTES_MAX} bytes")


def signatures_by(note: Note, key: VerifierKey) -> tuple[SignatureLine, ...]:
    """The lines that claim to be `key`'s: same name and same key ID."""
    key_id = key.key_id
    return tuple(
        line for line in note.signatures if (line.name, line.key_id) == (key.name, key_id)
    )


def sign_note(text: str, key: SigningKey) -> SignatureLine:
    """The signature of type ED25519 over `text`, which must end with LF."""
    if not text.endswith("\n"):
        raise ValueError("a note's text ends with LF")
    if key.algorithm != ED25519:
        raise ValueError("sign_note takes a key of type ED25519")
    blob = sign_ed25519(key.seed, text.encode())
    return SignatureLine(name=key.name, key_id=key.verifier().key_id, blob=blob)


def verify_note(note: Note, key: VerifierKey) -> None:
    """Ensure that `key`, of type ED25519, signed the note's text.

    Raises:
        UnverifiedError: no line by `key`, or any that does not verify.

    Spec: c2sp.org/signed-note, "Signatures".
    """
    if key.algorithm != ED25519:
        raise ValueError("verify_note takes a key of type ED25519")
    lines = signatures_by(note, key)
    if not lines:
        raise UnverifiedError(f"note: no signature by {key.name}")
    for line in lines:
        try:
            verify_ed25519(key.public, note.text.encode(), line.blob)
        except UnverifiedError as error:
            raise UnverifiedError(f"note: bad signature by {key.name}") from error
