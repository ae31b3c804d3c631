"""Claims on credits, and on tips that their claimants open themselves, right and wrong."""

from functools import cache

from tests.protocol import credited
from tests.protocol.builders import (
    DAY,
    NAME_SALT,
    NOON,
    PERSON,
    PROGRAMME,
    REGISTRY,
    SERVER,
    author_seeds,
    claimed,
    helped_fields,
    prove,
    sealed,
    signed_for,
    source_keys,
    statements,
)

from safeconduct.protocol.canonical import format_json
from safeconduct.protocol.claim import evidence_hash, format_bundle, person_hash, sign_claim
from safeconduct.protocol.credit import serial_of
from safeconduct.protocol.keys import ContributionKeys
from safeconduct.protocol.opening import format_inline
from safeconduct.protocol.record import Value, make_record, record_hash, sign_record
from safeconduct.protocol.tlog.note import SigningKey

CHALLENGE = bytes([5]) * 32


def redemption(scheme: str = "plain", number: int = 0) -> tuple[ContributionKeys, bytes]:
    """The keys that redeem our contribution's credit, and its serial."""
    keys = source_keys(number)
    serial = serial_of(keys, credited.group(scheme))
    return keys.redemption(serial), serial


def credited_bundle(
    shown: bytes,
    number: int = 0,
    scheme: str = "plain",
    /,
    **changes: Value,
) -> bytes:
    """A bundle that shows this credit, signed with what redeems contribution `number`'s."""
    keys, serial = redemption(scheme, number)
    ed25519, mldsa65 = keys.author_public()
    evidence = {"record": shown.decode()}
    fields: dict[str, Value] = {
        "programme": PROGRAMME,
        "statute": credited.group(scheme).statute,
        "subject": "r-0001",
        "person": person_hash(PERSON, NAME_SALT),
        "record": record_hash(shown),
        "evidence": evidence_hash(evidence),
        "ed25519": ed25519,
        "mldsa65": mldsa65,
        "blind": keys.blind(serial),
        "audience": REGISTRY.name,
        "challenge": CHALLENGE,
        "expires": NOON + 7 * DAY,
        "disclosure": "open",
    }
    record = make_record("claim-credited", **fields | changes)
    texts = {
        "claim": sign_claim(record, *author_seeds(keys)).decode(),
        "name": PERSON,
        "name_salt": NAME_SALT.hex(),
    }
    return format_bundle("credited", texts | evidence)


# Tips that their claimants open.


@cache
def inline() -> str:
    """Our one sealed contribution, opened."""
    return format_inline(sealed().file_key, b"".join(sealed().payload()))


def delivery(key: SigningKey = SERVER, **changes: Value) -> bytes:
    """What the door signs for our contribution."""
    fields: dict[str, Value] = {
        "programme": PROGRAMME,
        "record": record_hash(statements().record),
        "header": bytes(32),
        "delivered": NOON // DAY * DAY,
    }
    return sign_record(make_record("delivery", **fields | changes), [key])


def opened_fields(
    text: str | None = None, shown: bytes | None = None, at: int = NOON + DAY
) -> dict[str, str]:
    """An opening beside the delivery that a door signed for, logged by `at`."""
    shown = delivery() if shown is None else shown
    return {
        "opening": inline() if text is None else text,
        "delivery": shown.decode(),
        "delivery_proof": prove(record_hash(shown), at).decode() if shown else "",
    }


def opened_bundle(opening: dict[str, str] | None = None, /, **changes: str) -> bytes:
    """A bundle without the desk's acknowledgement, in which the claimant opens the tip."""
    texts = {
        **helped_fields(),
        "acknowledgement": "",
        "acknowledgement_proof": "",
        **(opened_fields() if opening is None else opening),
        **changes,
    }
    return format_json({**signed_for({**texts, "claim": changes.get("claim", claimed())})})
