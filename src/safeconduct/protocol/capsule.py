"""A capsule: 8 KiB on the door's shelf from which twelve words bring a contribution back.

    nonce (24) ‖ XChaCha20-Poly1305( u32 length ‖ JSON ‖ zeros )      8,192 bytes in all

It holds the record, its receipt and what was learnt since. A capsule is written again as more
is known, so its nonce is random. The shelf keeps every version; of those that open, the newest
with a receipt counts, so that a shelf in another order cannot hide the receipt.

The shelf of everybody is large: `search_shelf` reads it piece by piece, and holds only what
lies in slots that words could have used.

Spec: docs/3-protocol.md §11.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import (
    Json,
    format_json,
    length_prefixed,
    parse_hex,
    parse_json,
    tag,
)
from safeconduct.protocol.keys import NONCE_BYTES, PRE_BYTES, SLOT_BYTES, ContributionKeys

CAPSULE_BYTES = 8_192
SHELF_ENTRY_BYTES = SLOT_BYTES + CAPSULE_BYTES
GAP_LIMIT = 5  # contributions in a row without a capsule before a search ends
_NONCE_BYTES = 24
_MAC_BYTES = 16
_ROOM_BYTES = CAPSULE_BYTES - _NONCE_BYTES - _MAC_BYTES
SLOTS_AHEAD = 1_000  # numbers whose slots are looked for in one reading of a shelf
VERSIONS_MAX = 16  # of one slot that a reader holds; an honest shelf has four
HEADERS_MAX = 4
HEADER_HASH_BYTES = 32
_FIELDS = frozenset({"headers", "nonce", "pre", "proof", "record"})
_WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capsule:
    """What a source's words bring back.

    The record; `pre`, the 16-byte tag of its files, without which no claim could be made; the
    receipt's proof, empty until it was seen; `nonce`, from which words derive the file key (16
    bytes; empty if the file key was burned); and the SHA-256 of each header that was made for
    the payload, at most four, by which the door's signature can be checked after a crash.
    `withdrawn` is the record hash of the source's own withdrawal; empty without one.
    """

    record: bytes
    pre: bytes
    proof: bytes = b""
    nonce: bytes = b""
    headers: tuple[bytes, ...] = ()
    withdrawn: bytes = b""


def seal_capsule(
    capsule: Capsule, keys: ContributionKeys, random_bytes: Callable[[int], bytes]
) -> bytes:
    """The capsule's 8,192 bytes.

    Raises:
        MalformedError: record and proof do not fit.
    """
    assert len(capsule.nonce) in (0, NONCE_BYTES)
    assert len(capsule.headers) <= HEADERS_MAX
    framed = _framed(capsule)
    if len(framed) > _ROOM_BYTES:
        raise MalformedError(f"capsule: more than {_ROOM_BYTES} bytes to hold")
    nonce = random_bytes(_NONCE_BYTES)
    sealed = crypto_aead_xchacha20poly1305_ietf_encrypt(
        framed.ljust(_ROOM_BYTES, b"\0"), tag("capsule"), nonce, keys.derive("capsule")
    )
    return nonce + sealed


def with_proof(capsule: Capsule, proof: bytes) -> Capsule:
    """The capsule with `proof`, or as it is if that has no room: the log gives it as well.

    A proof of many signatures may have room once it is slim (9).
    """
    dated = replace(capsule, proof=proof)
    return dated if len(_framed(dated)) <= _ROOM_BYTES else capsule


def _framed(capsule: Capsule) -> bytes:
    fields: dict[str, Json] = {
        "headers": [header.hex() for header in capsule.headers],
        "nonce": capsule.nonce.hex(),
        "pre": capsule.pre.hex(),
        "proof": capsule.proof.decode("utf-8"),
        "record": capsule.record.decode("ascii"),
    }
    if capsule.withdrawn:
        fields[_WITHDRAWN] = capsule.withdrawn.hex()
    return length_prefixed(format_json(fields))


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
    return _parse(framed[4 : 4 + length])


def _parse(body: bytes) -> Capsule:
    value = parse_json(body, "capsule")
    if not isinstance(value, dict) or value.keys() - {_WITHDRAWN} != _FIELDS:
        raise MalformedError("capsule: needs exactly headers, nonce, pre, proof and record")
    nonce = _text(value, "nonce")
    return Capsule(
        record=_text(value, "record").encode("utf-8"),
        pre=parse_hex(_text(value, "pre"), PRE_BYTES, "capsule: pre"),
        proof=_text(value, "proof").encode("utf-8"),
        nonce=parse_hex(nonce, NONCE_BYTES, "capsule: nonce") if nonce else b"",
        headers=_parse_headers(value["headers"]),
        withdrawn=_parse_withdrawn(value),
    )


def _parse_withdrawn(value: dict[str, Json]) -> bytes:
    if _WITHDRAWN not in value:
        return b""
    return parse_hex(_text(value, _WITHDRAWN), HEADER_HASH_BYTES, "capsule: withdrawn")


def _text(value: dict[str, Json], name: str) -> str:
    text = value[name]
    if not isinstance(text, str):
        raise MalformedError(f"capsule: {name} must be text")
    return text


def _parse_headers(value: Json) -> tuple[bytes, ...]:
    if not isinstance(value, list) or len(value) > HEADERS_MAX:
        raise MalformedError(f"capsule: headers must be a list of at most {HEADERS_MAX}")
    if not all(isinstance(each, str) for each in value):
        raise MalformedError("capsule: headers must be texts")
    return tuple(parse_hex(str(each), HEADER_HASH_BYTES, "capsule: header") for each in value)


def split_shelf(data: bytes) -> dict[bytes, list[bytes]]:
    """The versions on a shelf by slot, in the order they came; `slot ‖ capsule` each.

    Raises:
        MalformedError: not a whole number of entries.
    """
    versions: dict[bytes, list[bytes]] = {}
    for slot, blob in _entries([data]):
        versions.setdefault(slot, []).append(blob)
    return versions


def collect_capsules(
    pieces: Iterable[bytes], slots: Collection[bytes]
) -> dict[bytes, list[bytes]]:
    """The versions that lie in `slots` of a shelf that comes in pieces, in the order they came.

    Nothing else is held; of one slot the first 16 versions are.

    Raises:
        MalformedError: not a whole number of entries.
    """
    wanted = frozenset(slots)
    versions: dict[bytes, list[bytes]] = {}
    for slot, blob in _entries(pieces):
        if slot in wanted:
            held = versions.setdefault(slot, [])
            if len(held) < VERSIONS_MAX:
                held.append(blob)
    return versions


def _entries(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Slot and capsule of each entry; an entry may come in any number of pieces."""
    rest = b""
    for piece in pieces:
        data = rest + piece
        whole = len(data) - len(data) % SHELF_ENTRY_BYTES
        for start in range(0, whole, SHELF_ENTRY_BYTES):
            middle = start + SLOT_BYTES
            yield data[start:middle], data[middle : start + SHELF_ENTRY_BYTES]
        rest = data[whole:]
    if rest:
        raise MalformedError("shelf: not a whole number of capsules")


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
        capsule = newest(versions, keys)
        if capsule is not None:
            found.append(Found(keys=keys, capsule=capsule))
    return tuple(found), keys_of(free)


def search_shelf(
    read: Callable[[], Iterable[bytes]], keys_of: Callable[[int], ContributionKeys]
) -> tuple[tuple[Found, ...], ContributionKeys]:
    """`find_capsules` on a shelf that `read` brings piece by piece, from its beginning.

    The slots of the first 1,000 numbers are computed before; only for words that used about as
    many the shelf is read again, for twice as many.

    Raises:
        MalformedError: not a whole number of entries.
    """
    count = SLOTS_AHEAD
    found, free = _search(read(), keys_of, count)
    while free.number + GAP_LIMIT > count:
        count *= 2
        found, free = _search(read(), keys_of, count)
    return found, free


def _search(
    pieces: Iterable[bytes], keys_of: Callable[[int], ContributionKeys], count: int
) -> tuple[tuple[Found, ...], ContributionKeys]:
    held = collect_capsules(pieces, {keys_of(number).slot() for number in range(count)})
    return find_capsules(lambda slot: held.get(slot, ()), keys_of)


def newest(versions: Sequence[bytes], keys: ContributionKeys) -> Capsule | None:
    """The last version that opens, one with a proof before any without; None if none opens.

    It has the newest headers of all versions of its record: two clients that send the same at
    once know nothing of each other, and each must believe the door's signature for either's. A
    withdrawal in any of them stays.
    """
    opened = [each for each in (open_capsule(blob, keys) for blob in versions) if each]
    if not opened:
        return None
    newest = ([each for each in opened if each.proof] or opened)[-1]
    same = [each for each in opened if each.record == newest.record]
    headers = [header for each in (*same, newest) for header in each.headers]
    newest_first = tuple(dict.fromkeys(reversed(headers)))
    withdrawn = next((each.withdrawn for each in same if each.withdrawn), b"")
    return replace(newest, headers=newest_first[:HEADERS_MAX][::-1], withdrawn=withdrawn)
