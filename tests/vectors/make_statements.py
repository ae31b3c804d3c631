"""What the desk says of the first tip; the least that the other published files rest on."""

import hashlib

from tests.protocol import builders
from tests.protocol.builders import DESK, NOON
from tests.vectors.sealed_world import (
    PLAIN,
    World,
    group,
    state,
    tip_hash,
)

from safeconduct.protocol import credit
from safeconduct.protocol.envelope import acknowledgement
from safeconduct.protocol.opening import (
    sign_desk_opening,
)
from safeconduct.protocol.record import (
    NO_HASH,
    Record,
    make_record,
    sign_record,
)

Files = dict[str, bytes]


def digest(text: str) -> bytes:
    """A hash that stands for something which is not published here."""
    return hashlib.sha256(text.encode()).digest()


def answer(status: str = "ok", other: bytes = NO_HASH) -> bytes:
    record = acknowledgement(PLAIN.programme, tip_hash(), status, 1, other)
    return sign_record(record, [DESK])


def graded() -> bytes:
    record = builders.assessment(
        tip_hash(),
        programme=PLAIN.programme,
        votes=digest("votes"),
        findings=digest("findings"),
    )
    return sign_record(record, [DESK])


def offer(world: World = PLAIN) -> bytes:
    made = credit.make_offer(state(world), tip_hash("three-files", world), group(world), 1)
    return sign_record(made, [DESK])


def desk_request() -> Record:
    return make_record(
        "request",
        programme=PLAIN.programme,
        action="deliveries",
        body=digest("0"),
        at=NOON,
    )


def opened_by_desk(places: tuple[int, ...] = ()) -> bytes:
    return sign_desk_opening(
        DESK,
        1,
        programme=PLAIN.programme,
        record=tip_hash(),
        purpose="inquiry",
        places=places,
    )
