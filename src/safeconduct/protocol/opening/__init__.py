"""Openings: one sealed tip is shown to somebody, whole or some of its files.

    opening       by the source, signed with the author keys that the record commits to
    opening-desk  by the desk, signed with the statement key of an epoch, and logged

What is handed over is a folder. `opening.json` holds the texts; what the judge is to read lies
beside it, sealed still, or in clear if only some files are shown:

    opening.json      opening · record · acknowledgement, each with its receipt; the file key
    payload           the sealed bytes that the record commits to         (the whole tip)
    items/f0002 …     the files that are shown                            (some files)

A whole tip proves itself: the file key is the one committed to, and it opens the one payload
committed to. Some files prove that they stand under the record's `content`; that this is the
content of what was sealed, and not a list made up beforehand, takes the desk's `ok` or the file
key as well.

Spec: docs/3-protocol.md §25.
"""

from safeconduct.protocol.opening.bundle import (
    ALL,
    DESK,
    ITEMS,
    ITEMS_FOLDER,
    OPENING_BYTES_MAX,
    OPENING_FILE,
    PAYLOAD_FILE,
    PURPOSES,
    SOURCE,
    HiddenItem,
    Item,
    OpeningBundle,
    ShownItem,
    content_of,
    format_opening,
    parse_opening,
    places_hash,
    select_items,
)
from safeconduct.protocol.opening.inline import (
    INLINE_PAYLOAD_BYTES_MAX,
    examine_inline,
    format_inline,
)
from safeconduct.protocol.opening.sign import sign_desk_opening, sign_source_opening
from safeconduct.protocol.opening.verify import Opened, OpenedFile, verify_opening

__all__ = [
    "ALL",
    "DESK",
    "INLINE_PAYLOAD_BYTES_MAX",
    "ITEMS",
    "ITEMS_FOLDER",
    "OPENING_BYTES_MAX",
    "OPENING_FILE",
    "PAYLOAD_FILE",
    "PURPOSES",
    "SOURCE",
    "HiddenItem",
    "Item",
    "Opened",
    "OpenedFile",
    "OpeningBundle",
    "ShownItem",
    "content_of",
    "examine_inline",
    "format_inline",
    "format_opening",
    "parse_opening",
    "places_hash",
    "select_items",
    "sign_desk_opening",
    "sign_source_opening",
    "verify_opening",
]
