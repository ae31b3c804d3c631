"""Published claims and openings that are right: what somebody shows to somebody."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from tests.protocol import builders
from tests.protocol.builders import DAY, NOON, REGISTRY, prove
from tests.vectors.make_statements import Files, answer, digest, graded, opened_by_desk
from tests.vectors.make_tips import manifest
from tests.vectors.sealed_world import (
    BLIND,
    PLAIN,
    World,
    contribution,
    credit_of,
    group,
    keys,
    sealed,
    signed_twice,
    statute_hash,
    tip_hash,
)

from safeconduct.protocol import credit
from safeconduct.protocol.claim import evidence_hash, format_bundle, person_hash
from safeconduct.protocol.keys import ContributionKeys
from safeconduct.protocol.opening import (
    OpeningBundle,
    format_opening,
    places_hash,
    select_items,
)
from safeconduct.protocol.record import (
    Record,
    Value,
    make_record,
    record_hash,
)

# Claims.

PERSON, NAME_SALT = "Ada Example", digest("salt")[:16]


def claim_fields(world: World, by: ContributionKeys, context: bytes) -> dict[str, Value]:
    ed25519, mldsa65 = by.author_public()
    return {
        "programme": world.programme,
        "statute": statute_hash(world),
        "subject": "r-0001",
        "person": person_hash(PERSON, NAME_SALT),
        "ed25519": ed25519,
        "mldsa65": mldsa65,
        "blind": by.blind(context),
        "audience": REGISTRY.name,
        "challenge": digest("challenge"),
        "expires": NOON + 7 * DAY,
        "disclosure": "open",
    }


@cache
def evidence(name: str) -> Mapping[str, str]:
    """What each claimant shows; `assessment` is the registry's to add."""
    if name == "helped":
        return {
            "record": contribution().decode(),
            "proof": prove(tip_hash()).decode(),
            "acknowledgement": answer().decode(),
            "acknowledgement_proof": prove(record_hash(answer()), NOON + DAY).decode(),
            "assessment": graded().decode(),
            "assessment_proof": prove(record_hash(graded()), NOON + 2 * DAY).decode(),
        }
    if name == "denounced":
        public = builders.public_capture()
        record = builders.capture_record(public)
        return {
            "record": record.decode(),
            "proof": prove(record_hash(record)).decode(),
            "capture": public.decode(),
            "statement": "0",
        }
    return {"record": credit_of(BLIND if name == "credited-blindly" else PLAIN).decode()}


def claimant(name: str) -> tuple[World, ContributionKeys, bytes]:
    """Programme, keys, and what their blind is made of."""
    if name == "helped":
        return PLAIN, keys(PLAIN), sealed("three-files").pre
    if name == "denounced":
        return PLAIN, ContributionKeys(number=0, seed=denouncer_seed()), digest("pre")[:16]
    world = BLIND if name == "credited-blindly" else PLAIN
    serial = credit.serial_of(keys(world), group(world))
    return world, keys(world).redemption(serial), serial


def denouncer_seed() -> bytes:
    return digest("keys of a claimant's own")


def claim_record(name: str, /, **changes: Value) -> Record:
    world, by, context = claimant(name)
    shown = evidence(name)
    fields = {
        "record": record_hash(shown["record"].encode()),
        "evidence": evidence_hash(shown),
        **claim_fields(world, by, context),
    }
    return make_record("claim-" + name.partition("-")[0], **fields | changes)


@cache
def claim(name: str) -> bytes:
    """The claim of that bundle; `signed_twice` keeps it."""
    return bundled_claim(claim_record(name), name, f"valid/claim/{name}.json")


def bundled_claim(record: Record, name: str, path: str) -> bytes:
    """The record as signed in the bundle at `path`."""
    return signed_twice(record, claimant(name)[1], path, "claim")


def bundle(name: str, signed: bytes, shown: Mapping[str, str] | None = None) -> bytes:
    texts = {"claim": signed.decode(), "name": PERSON, "name_salt": NAME_SALT.hex()}
    return format_bundle(name.partition("-")[0], {**texts, **(shown or evidence(name))})


CLAIMS = ("helped", "denounced", "credited", "credited-blindly")


def valid_claims() -> Files:
    return {name: bundle(name, claim(name)) for name in CLAIMS}


# Openings.


def opening_record(places: tuple[int, ...] = (), **changes: Value) -> Record:
    ed25519, mldsa65 = keys(PLAIN).author_public()
    fields: dict[str, Value] = {
        "programme": PLAIN.programme,
        "record": tip_hash(),
        "scope": "items" if places else "all",
        "items": places_hash(places),
        "purpose": "court",
        "ed25519": ed25519,
        "mldsa65": mldsa65,
        "blind": keys(PLAIN).blind(sealed("three-files").pre),
    }
    return make_record("opening", **fields | changes)


@cache
def opened_by_source(places: tuple[int, ...] = ()) -> bytes:
    name = "items" if places else "whole"
    path = f"valid/opening/{name}.json"
    return signed_twice(opening_record(places), keys(PLAIN), path, "opening")


def whole_opening(opening: bytes | None = None) -> OpeningBundle:
    opening = opened_by_source() if opening is None else opening
    return OpeningBundle(
        opening=opening,
        opening_proof=prove(record_hash(opening), NOON + 2 * DAY),
        record=contribution(),
        proof=prove(tip_hash()),
        file_key=sealed("three-files").file_key,
    )


def opening_of_items(places: tuple[int, ...], opening: bytes) -> OpeningBundle:
    answered = prove(record_hash(answer()), NOON + DAY)
    return replace(
        whole_opening(opening),
        file_key=b"",
        acknowledgement=answer(),
        acknowledgement_proof=answered,
        items=select_items(manifest("three-files").files, places),
    )


def openings() -> dict[str, OpeningBundle]:
    whole = whole_opening()
    return {
        "whole": whole,
        "whole-not-logged": replace(whole, opening_proof=b""),
        "items": opening_of_items((1, 3), opened_by_source((1, 3))),
        "by-the-desk": whole_opening(opened_by_desk()),
        "items-by-the-desk": opening_of_items((2,), opened_by_desk((2,))),
    }


def valid_openings() -> Files:
    return {name: format_opening(each) for name, each in openings().items()}
