"""`opening.json`: the texts of an opening, and the files of a tip, each shown or hidden.

    {"acknowledgement": "…", "acknowledgement_proof": "…", "file_key": "", "items": [
       {"name": "message.txt", "place": 1, "salt": "…", "sha256": "…", "size": 412},   shown
       {"commitment": "…", "place": 2}],                                               hidden
     "opening": "…", "opening_proof": "…", "proof": "…", "record": "…"}

Spec: docs/3-protocol.md §25.2.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import (
    Json,
    format_json,
    parse_hex,
    parse_json,
    tagged_hash,
    u32,
)
from safeconduct.protocol.keys import FILE_KEY_BYTES
from safeconduct.protocol.record import NO_HASH
from safeconduct.protocol.tip import (
    FILE_BYTES_MAX,
    FILES_MAX,
    TipFile,
    check_file_name,
    content_root,
    item_commitment,
)

OPENING_BYTES_MAX = 1 << 20
PURPOSES = frozenset({"appeal", "audit", "claim", "court", "inquiry", "press"})
ALL, ITEMS = "all", "items"
SOURCE, DESK = "source", "desk"

OPENING_FILE = "opening.json"
PAYLOAD_FILE = "payload"
ITEMS_FOLDER = "items"

_TEXTS = (
    "acknowledgement",
    "acknowledgement_proof",
    "opening",
    "opening_proof",
    "proof",
    "record",
)
_FIELDS = frozenset({*_TEXTS, "file_key", "items"})
_SHOWN_FIELDS = frozenset({"name", "place", "salt", "sha256", "size"})
_HIDDEN_FIELDS = frozenset({"commitment", "place"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownItem:
    """A file that is shown, at its place counted from 1. Its name is in no commitment."""

    place: int
    file: TipFile


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenItem:
    """A file that is not shown, of which nothing can be learnt."""

    place: int
    commitment: bytes


Item: TypeAlias = ShownItem | HiddenItem


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningBundle:
    """What `opening.json` says; nothing of it is verified yet.

    `items` are all files of the tip in order if only some are shown, else none. `file_key` and
    the acknowledgement may be empty; a proof is, as long as its record was not logged.
    """

    opening: bytes
    opening_proof: bytes
    record: bytes
    proof: bytes
    acknowledgement: bytes = b""
    acknowledgement_proof: bytes = b""
    file_key: bytes = field(default=b"", repr=False)
    items: tuple[Item, ...] = ()


def places_hash(places: Collection[int]) -> bytes:
    """`items` of an opening record: over the places shown, in order; zeros for all."""
    if not places:
        return NO_HASH
    return tagged_hash("opening-items", *(u32(place) for place in sorted(set(places))))


def select_items(files: Sequence[TipFile], places: Collection[int]) -> tuple[Item, ...]:
    """All files of a tip, those at `places` (counted from 1) shown, the others hidden.

    Raises:
        MalformedError: no such place.
    """
    if not places or not set(places) <= set(range(1, len(files) + 1)):
        raise MalformedError(f"the tip has the files 1 to {len(files)}, and no others")
    return tuple(
        ShownItem(place=place, file=file)
        if place in places
        else HiddenItem(place=place, commitment=item_commitment(place, file))
        for place, file in enumerate(files, start=1)
    )


def content_of(items: Iterable[Item]) -> bytes:
    """The content commitment that these items open. Spec: docs/3-protocol.md §7.3."""
    return content_root(map(_commitment, items))


def _commitment(item: Item) -> bytes:
    if isinstance(item, HiddenItem):
        return item.commitment
    return item_commitment(item.place, item.file)


def check_purpose(purpose: str) -> str:
    """`purpose`, if it is one of the closed list.

    Raises:
        MalformedError: it is not.
    """
    if purpose not in PURPOSES:
        raise MalformedError(f"opening: the purpose is none of {', '.join(sorted(PURPOSES))}")
    return purpose


def format_opening(bundle: OpeningBundle) -> bytes:
    """Canonical JSON. Spec: docs/3-protocol.md §25.2."""
    value: dict[str, Json] = {name: getattr(bundle, name).decode("utf-8") for name in _TEXTS}
    items: list[Json] = [_format_item(item) for item in bundle.items]
    return format_json({**value, "file_key": bundle.file_key.hex(), "items": items})


def _format_item(item: Item) -> Json:
    if isinstance(item, HiddenItem):
        return {"commitment": item.commitment.hex(), "place": item.place}
    return {
        "name": item.file.name,
        "place": item.place,
        "salt": item.file.salt.hex(),
        "sha256": item.file.sha256.hex(),
        "size": item.file.size,
    }


def parse_opening(data: bytes) -> OpeningBundle:
    """The bundle that `data` is the one byte form of.

    Raises:
        MalformedError: too long, not canonical, a field missing or too many, or out of bounds.
    """
    value = parse_json(data, OPENING_FILE, bytes_max=OPENING_BYTES_MAX)
    if not isinstance(value, dict) or value.keys() != _FIELDS:
        raise MalformedError(f"{OPENING_FILE}: needs exactly its {len(_FIELDS)} fields")
    items = value["items"]
    if not isinstance(items, list) or len(items) > FILES_MAX:
        raise MalformedError(f"{OPENING_FILE}: items must be a list of at most {FILES_MAX}")
    texts = {name: _text(value, name).encode("utf-8") for name in _TEXTS}
    return OpeningBundle(
        **texts,
        file_key=_file_key(value),
        items=tuple(_parse_item(item, place) for place, item in enumerate(items, start=1)),
    )


def _parse_item(value: Json, place: int) -> Item:
    if not isinstance(value, dict) or value.get("place") != place:
        raise MalformedError(f"{OPENING_FILE}: item {place} is not at its place")
    _number(value, "place")
    if value.keys() == _HIDDEN_FIELDS:
        return HiddenItem(place=place, commitment=_hash(value, "commitment"))
    if value.keys() != _SHOWN_FIELDS:
        raise MalformedError(f"{OPENING_FILE}: item {place} is neither shown nor hidden")
    file = TipFile(
        name=check_file_name(_text(value, "name")),
        size=_number(value, "size"),
        sha256=_hash(value, "sha256"),
        salt=_hash(value, "salt"),
    )
    return ShownItem(place=place, file=file)


def _text(value: Mapping[str, Json], name: str) -> str:
    text = value[name]
    if not isinstance(text, str):
        raise MalformedError(f"{OPENING_FILE}: {name} must be text")
    return text


def _hash(value: Mapping[str, Json], name: str) -> bytes:
    return parse_hex(_text(value, name), len(NO_HASH), f"{OPENING_FILE}: {name}")


def _number(value: Mapping[str, Json], name: str) -> int:
    number = value[name]
    if isinstance(number, bool) or not isinstance(number, int):
        raise MalformedError(f"{OPENING_FILE}: {name} must be a whole number")
    if not 0 <= number <= FILE_BYTES_MAX:
        raise MalformedError(f"{OPENING_FILE}: {name} is out of bounds")
    return number


def _file_key(value: Mapping[str, Json]) -> bytes:
    text = _text(value, "file_key")
    return parse_hex(text, FILE_KEY_BYTES, f"{OPENING_FILE}: file_key") if text else b""
