"""Openings of the one sealed contribution that most tests use, by its source and its desk."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from functools import cache

from tests.protocol.builders import (
    DAY,
    DESK,
    FILES,
    NOON,
    POLICY,
    PROGRAMME,
    gazette_state,
    prove,
    seal,
    sealed,
    source_keys,
    statements,
)

from safeconduct.protocol.envelope import Envelope, acknowledgement
from safeconduct.protocol.opening import (
    Opened,
    OpeningBundle,
    select_items,
    sign_desk_opening,
    sign_source_opening,
    verify_opening,
)
from safeconduct.protocol.record import format_record, record_hash, sign_record
from safeconduct.protocol.tip import TipFile

STATE = gazette_state()
SHOWN = (1, 3)
"""The places of the files that most partial openings show."""
LATER = NOON + 2 * DAY
"""When the opening is logged: the desk's epoch is open still."""


def contents(envelope: Envelope | None = None) -> tuple[TipFile, ...]:
    """The files of our contribution, as its manifest lists them."""
    of = envelope or sealed()
    return tuple(
        TipFile(
            name=name,
            size=len(data),
            sha256=hashlib.sha256(data).digest(),
            salt=of.keys.item_salt(of.pre, place),
        )
        for place, (name, data) in enumerate(FILES.items(), start=1)
    )


def shown(place: int, files: Mapping[str, bytes] = FILES) -> list[bytes]:
    """The bytes of the file at `place`, in pieces."""
    data = list(files.values())[place - 1]
    return [data[:7], data[7:]]


@cache
def payload() -> bytes:
    """All of our contribution's sealed bytes."""
    return b"".join(sealed().payload())


def answered(bundle: OpeningBundle, status: str = "ok", at: int = NOON + DAY) -> OpeningBundle:
    """The bundle with the desk's answer to our contribution, logged by `at`."""
    digest = record_hash(statements().record)
    signed = sign_record(acknowledgement(PROGRAMME, digest, status, 1), [DESK])
    proof = prove(record_hash(signed), at)
    return replace(bundle, acknowledgement=signed, acknowledgement_proof=proof)


def unanswered(bundle: OpeningBundle) -> OpeningBundle:
    """The bundle without any answer of the desk."""
    return replace(bundle, acknowledgement=b"", acknowledgement_proof=b"")


def by_source(
    places: Collection[int] = (), purpose: str = "court", number: int = 0
) -> OpeningBundle:
    """Our contribution, opened with the keys of contribution `number`."""
    record = statements().record
    opening = sign_source_opening(
        source_keys(number),
        sealed().pre,
        programme=PROGRAMME,
        record=record_hash(record),
        purpose=purpose,
        places=places,
    )
    return _bundle(opening, places)


def by_desk(places: Collection[int] = (), epoch: int = 1) -> OpeningBundle:
    """Our contribution, opened by the desk, which has had it logged."""
    opening = sign_desk_opening(
        DESK,
        epoch,
        programme=PROGRAMME,
        record=record_hash(statements().record),
        purpose="inquiry",
        places=places,
    )
    return _bundle(opening, places)


def _bundle(opening: bytes, places: Collection[int]) -> OpeningBundle:
    record = statements().record
    assert record == format_record(sealed().record)
    whole = OpeningBundle(
        opening=opening,
        opening_proof=prove(record_hash(opening), LATER),
        record=record,
        proof=prove(record_hash(record)),
        file_key=sealed().file_key,
    )
    if not places:
        return whole
    items = select_items(contents(), places)
    return answered(replace(whole, file_key=b"", items=items))


def other_payload() -> bytes:
    """The payload of another tip by the same source."""
    return b"".join(seal(number=1).payload())


def verify(
    bundle: OpeningBundle,
    sealed_bytes: bytes | None = None,
    files: Callable[[int], Iterable[bytes]] | None = shown,
    sink: Callable[[TipFile, bytes], None] | None = None,
) -> Opened:
    """What an opening comes to; the whole tip's payload is there unless another is given."""
    data = payload() if sealed_bytes is None else sealed_bytes
    source = (lambda: [data]) if data else None
    return verify_opening(bundle, STATE, POLICY, payload=source, files=files, sink=sink)
