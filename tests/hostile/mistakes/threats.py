"""Our one contribution, and what a claim on it comes to, for those who attack it."""

from tests.protocol import builders

from safeconduct.protocol.claim import (
    examine,
    parse_bundle,
)
from safeconduct.protocol.record import (
    record_hash,
)

ORIGIN = builders.LEDGER.name
JUDGED = {
    "claimant_is_subject": True,
    "grave_crime_proven": False,
    "knowing_falsehood_found": False,
}


def tip() -> tuple[bytes, bytes]:
    """Our contribution's record, and its proof."""
    record = builders.statements().record
    return record, builders.prove(record_hash(record))


def facts(bundle: bytes) -> str:
    """What a bundle comes to, as text."""
    parsed = parse_bundle(bundle)
    return str(examine(parsed, builders.gazette_state(), builders.POLICY, JUDGED).facts)
