"""Listings: the file about one person, how they are heard on it, and what is published.

    dossier      the file, and what it must say before anybody is told or listed
    hearing      notice, reply, decision, appeal: the records, and the object that shows them
    published    the register's lines, folded from publications, and the objects behind them

Spec: docs/3-protocol.md §16, §16.1.
"""

from safeconduct.protocol.listing.dossier import ASSESSMENT_FIELDS, SALT_BYTES
from safeconduct.protocol.listing.published import (
    END_CAUSES,
    HEARD_FIELDS,
    OBJECT_BYTES_MAX,
    REGISTERED,
    Line,
    check_end,
    check_listing,
    fold_register,
    format_register,
    listing_end,
    listing_object,
    publication_record,
)

__all__ = [
    "ASSESSMENT_FIELDS",
    "END_CAUSES",
    "HEARD_FIELDS",
    "OBJECT_BYTES_MAX",
    "REGISTERED",
    "SALT_BYTES",
    "Line",
    "check_end",
    "check_listing",
    "fold_register",
    "format_register",
    "listing_end",
    "listing_object",
    "publication_record",
]
