"""A capsule: 8 KiB on the door's shelf from which twelve words bring a contribution back.

    nonce (24) ‖ XChaCha20-Poly1305( u32 length ‖ JSON ‖ zeros )      8,192 bytes in all

It holds the record, its receipt and what was learnt since. A capsule is written again as more
is known, so its nonce is random. The shelf keeps every version; of those that open, the newest
with a receipt counts, so that a shelf in another order cannot hide the receipt.

Spec: docs/3-protocol.md §11.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import (
    format_json,
    length_prefixed,
    parse_hex,
    parse_json,
    tag,
)
from safeconduct.protocol.keys import PRE_BYTES, SLOT_BYTES, ContributionKeys

CAPSULE_BYTES = 8_192
SHELF_ENTRY_BYTES = SLOT_BYTES + CAPSULE_BYTES
GAP_LIMIT = 5  # contributions in a row without a capsule before a search ends
_NONCE_BYTES = 24
_MAC_BYTES = 16
_ROOM_BYTES = CAPSULE_BYTES - _NONCE_BYTES - _MAC_BYTES
_FIELDS = frozenset({"pre", "proof", "record"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Capsule:
    """What a source's words bring back: the record, the tag of its files (`pre`, 16 bytes,
    without which no claim could be made), and the receipt's proof, empty until it was seen.
    """

    record: bytes
    pre: bytes
    proof: bytes = b""


def seal_capsule(
    capsule: Capsule, keys: ContributionKeys, random_bytes: Callable[[int], bytes]
) -> bytes:
    """The capsule's 8,192 bytes.

    Raises:
        MalformedError: record and proof do not fit.
    """
    body = format_json(
        {
            "pre": capsule.pre.hex(),
            "proof": capsule.proof.decode("utf-8"),
            "record": capsule.record.decode("ascii"),
        }
    )
    framed = length_prefixed(body)
    if len(framed) > _ROOM_BYTES:
        raise MalformedError(f"capsule: more than {_ROOM_BYTES} bytes to hold")
    nonce = random_bytes(_NONCE_BYTES)
    sealed = crypto_aead_xchacha20poly1305_ietf_encrypt(
        framed.ljust(_ROOM_BYTES, b"\0"), tag("capsule"), nonce, keys.derive("capsule")
    )
    return nonce + sealed


def open_capsule(data: bytes, keys: ContributionKeys) -> Capsule | None:
    """The capsule in `data`, or None if these keys did not seal it.

    Raises:
        MalformedError: these keys sealed something that is no capsule.
    """
    if len(data) != CAPSULE_BYTES:
        raise MalformedError(f"capsule: not {CAPSULE_BYTES} bytes")
    try:
        framed = crypto_aead_xchacha20poly1305_ietf_decrypt(
            data[_NONCE_BYTES:], tag("capsule"), data[:_NONCE_BYTES], keys.derive("capsule")
        )
    except CryptoError:
        return None
    length = int.from_bytes(framed[:4], "big")
    if length > _ROOM_BYTES - 4:
        raise MalformedError("capsule: the length is out of bounds")
    if any(framed[4 + length :]):
        raise MalformedError("capsule: bytes after its body are not zero")
    value = parse_json(framed[4 : 4 + length], "capsule")
    if not isinstance(value, dict) or value.keys() != _FIELDS:
        raise MalformedError("capsule: needs exactly pre, proof and record")
    record, proof, pre = value["record"], value["proof"], value["pre"]
    if not (isinstance(record, str) and isinstance(proof, str) and isinstance(pre, str)):
        raise MalformedError("capsule: its fields must be text")
    return Capsule(
        record=record.encode("utf-8"),
        pre=parse_hex(pre, PRE_BYTES, "capsule: pre"),
        proof=proof.encode("utf-8"),
    )


def split_shelf(data: bytes) -> dict[bytes, list[bytes]]:
    """The versions on a shelf by slot, in the order they came; `slot ‖ capsule` each.

    Raises:
        MalformedError: not a whole number of entries.
    """
    if len(data) % SHELF_ENTRY_BYTES:
        raise MalformedError("shelf: not a whole number of capsules")
    versions: dict[bytes, list[bytes]] = {}
    for start in range(0, len(data), SHELF_ENTRY_BYTES):
        slot = data[start : start + SLOT_BYTES]
        blob = data[start + SLOT_BYTES : start + SHELF_ENTRY_BYTES]
        versions.setdefault(slot, []).append(blob)
    return versions


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One contribution that words brought back."""

    keys: ContributionKeys
    capsule: Capsule


def find_capsules(
    versions_of: Callable[[bytes], Sequence[bytes]], keys_of: Callable[[int], ContributionKeys]
) -> tuple[tuple[Found, ...], ContributionKeys]:
    """All contributions of these words on the shelf, and the keys of the next free number.

    `versions_of(slot)` are the capsules of a slot in the order they came. A client looks them
    up in a shelf that it fetched whole, so that the server never learns which were ours.
    """
    found: list[Found] = []
    number = free = 0
    while number - free < GAP_LIMIT:
        keys = keys_of(number)
        versions = versions_of(keys.slot())
        number += 1
        if versions:
            free = number  # taken, if only by somebody's junk
        capsule = _newest(versions, keys)
        if capsule is not None:
            found.append(Found(keys=keys, capsule=capsule))
    return tuple(found), keys_of(free)


def _newest(versions: Sequence[bytes], keys: ContributionKeys) -> Capsule | None:
    """The last version that opens, one with a proof before any without; None if none opens."""
    newest: Capsule | None = None
    for blob in versions:
        capsule = open_capsule(blob, keys)
        if capsule is not None and (capsule.proof or newest is None or not newest.proof):
            newest = capsule
    return newest
