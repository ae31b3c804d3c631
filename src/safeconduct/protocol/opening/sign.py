"""The two records that say: I open this tip, for this purpose.

Spec: docs/3-protocol.md §25.1.
"""

from collections.abc import Collection

from safeconduct.protocol.dual import sign_dual
from safeconduct.protocol.keys import ContributionKeys
from safeconduct.protocol.opening.bundle import ALL, ITEMS, check_purpose, places_hash
from safeconduct.protocol.record import make_record, sign_record
from safeconduct.protocol.tlog.note import SigningKey


def sign_source_opening(
    keys: ContributionKeys,
    pre: bytes,
    *,
    programme: bytes,
    record: bytes,
    purpose: str,
    places: Collection[int] = (),
) -> bytes:
    """The source's signed opening of its tip with this record hash; whole without `places`."""
    ed25519, mldsa65 = keys.author_public()
    made = make_record(
        "opening",
        programme=programme,
        record=record,
        scope=ITEMS if places else ALL,
        items=places_hash(places),
        purpose=check_purpose(purpose),
        ed25519=ed25519,
        mldsa65=mldsa65,
        blind=keys.blind(pre),
    )
    return sign_dual(made, keys.derive("author-ed25519"), keys.derive("author-mldsa65"))


def sign_desk_opening(
    key: SigningKey,
    epoch: int,
    *,
    programme: bytes,
    record: bytes,
    purpose: str,
    places: Collection[int] = (),
) -> bytes:
    """The desk's signed opening of the tip with this record hash; whole without `places`."""
    made = make_record(
        "opening-desk",
        programme=programme,
        record=record,
        scope=ITEMS if places else ALL,
        items=places_hash(places),
        purpose=check_purpose(purpose),
        epoch=epoch,
    )
    return sign_record(made, [key])
