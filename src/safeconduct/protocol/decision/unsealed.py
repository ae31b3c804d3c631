"""Unsealed: what opens a decision on sealed evidence, so that its facts can be computed again.

    {"claims": [{"bundle": {…}, "salt": "9c01…"}, …], "decision": "4be0…", "first": [],
     "type": "unsealed"}

`decision` is the SHA-256 of the decision object. `claims` opens the leading claim and each that
was joined to it, in the object's order; `first` does so for the decision that was appealed
against, and is empty where there was no appeal. Each salt is 32 bytes that only the registry
could make: without it nobody can try whether a commitment stands for what they suspect.

Nothing in it is signed, and nothing need be: it opens the commitments that the board published,
or it opens nothing.

Spec: docs/3-protocol.md §15.9.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.canonical import Json, format_json, parse_hex, parse_json
from safeconduct.protocol.claim import BUNDLE_BYTES_MAX, JOINED_MAX, Bundle, parse_bundle
from safeconduct.protocol.decision.shown import (
    evidence_commitment,
    evidence_salt,
    list_of,
    table_of,
    text_of,
)
from safeconduct.protocol.record import Record, parse_signed
from safeconduct.protocol.registration import unsealed_from
from safeconduct.protocol.statute.facts import read_facts
from safeconduct.protocol.statute.text import Statute

SECRET_SALT_BYTES = 32
CLAIMS_MAX = 1 + JOINED_MAX
UNSEALED_BYTES_MAX = 2 * CLAIMS_MAX * (BUNDLE_BYTES_MAX + 1_024)
_HASH_BYTES = 32
_SALT_BYTES = 16
_FIELDS = frozenset({"claims", "decision", "first", "type"})


class UnsealingError(UnverifiedError):
    """What does not open the decision it is given for: it accuses nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """One claim's bundle, in its one byte form, and the secret salt of its commitment."""

    bundle: bytes
    salt: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsealed:
    """What opens a decision on sealed evidence; `first` opens what was appealed against."""

    decision: bytes  # SHA-256 of the decision object
    claims: tuple[Opened, ...]
    first: tuple[Opened, ...] = ()


def format_unsealed(unsealed: Unsealed) -> bytes:
    """The unsealing as canonical JSON."""
    return format_json(
        {
            "claims": [_claim(one) for one in unsealed.claims],
            "decision": unsealed.decision.hex(),
            "first": [_claim(one) for one in unsealed.first],
            "type": "unsealed",
        }
    )


def _claim(opened: Opened) -> Json:
    bundle = parse_json(opened.bundle, "claim bundle", bytes_max=BUNDLE_BYTES_MAX)
    return {"bundle": bundle, "salt": opened.salt.hex()}


def parse_unsealed(data: bytes) -> Unsealed:
    """The unsealing in `data`; whether it opens anything is `recheck`'s to say.

    Raises:
        MalformedError: too long, or not canonical JSON of this form.
    """
    value = parse_json(data, "unsealing", bytes_max=UNSEALED_BYTES_MAX)
    if not isinstance(value, dict) or value.keys() != _FIELDS or value["type"] != "unsealed":
        raise MalformedError("unsealing: not the fields of one")
    claims, first = (_parse_claims(value[name]) for name in ("claims", "first"))
    if not claims:
        raise MalformedError("unsealing: it opens no claim")
    decision = value["decision"]
    if not isinstance(decision, str):
        raise MalformedError("unsealing: decision must be text")
    return Unsealed(
        decision=parse_hex(decision, _HASH_BYTES, "unsealing: decision"),
        claims=claims,
        first=first,
    )


def _parse_claims(value: Json) -> tuple[Opened, ...]:
    if not isinstance(value, list) or len(value) > CLAIMS_MAX:
        raise MalformedError(f"unsealing: needs a list of at most {CLAIMS_MAX} claims")
    return tuple(map(_parse_claim, value))


def _parse_claim(value: Json) -> Opened:
    if not isinstance(value, dict) or value.keys() != {"bundle", "salt"}:
        raise MalformedError("unsealing: not the fields of a claim")
    bundle, salt = value["bundle"], value["salt"]
    if not isinstance(bundle, dict) or not isinstance(salt, str):
        raise MalformedError("unsealing: a bundle must be an object, and a salt text")
    data = format_json(bundle)
    if len(data) > BUNDLE_BYTES_MAX:
        raise MalformedError(f"unsealing: a bundle longer than {BUNDLE_BYTES_MAX} bytes")
    return Opened(bundle=data, salt=parse_hex(salt, SECRET_SALT_BYTES, "unsealing: salt"))


def open_commitment(commitment: bytes, opened: Opened) -> Bundle:
    """The claim that a commitment in a decision object stands for.

    Raises:
        UnsealingError: it stands for another bundle, or for another salt.
        UnverifiedError: it stands for a claim that was to be open, or signed wrongly.
        MalformedError: it stands for no bundle.
    """
    if evidence_commitment(opened.bundle, opened.salt) != commitment:
        raise UnsealingError("unsealing: not what the decision's commitment stands for")
    bundle = parse_bundle(opened.bundle)
    if bundle.record.word("disclosure") != "sealed":
        raise UnverifiedError("decision: seals a claim whose claimant asked that it be open")
    return bundle


def make_unsealed(
    value: Mapping[str, Json],
    decision: bytes,
    bundles: Sequence[Bundle],
    first: Sequence[Bundle],
    seed: bytes,
) -> Unsealed:
    """The unsealing of a decision object, by whoever holds the `seed` of the registry's key.

    `decision` is the object's SHA-256; `bundles` are the claims in the object's order, `first`
    those of the decision appealed against, or none.

    Raises:
        UnsealingError: the object's commitments stand for other bundles, or for none.
    """
    appealed = table_of(value, "appeal")["first"] if value["appeal"] is not None else None
    return Unsealed(
        decision=decision,
        claims=_opened(value, bundles, seed),
        first=_opened(appealed, first, seed) if isinstance(appealed, dict) else (),
    )


def _opened(
    value: Mapping[str, Json], bundles: Sequence[Bundle], seed: bytes
) -> tuple[Opened, ...]:
    commitments = commitments_of(value)
    if len(bundles) != len(commitments):
        raise UnsealingError("unsealing: another number of claims than was decided on")
    salt = parse_hex(text_of(value, "salt"), _SALT_BYTES, "decision object: salt")
    opened = [
        Opened(bundle=one.data, salt=evidence_salt(seed, salt, one.claim_hash))
        for one in bundles
    ]
    for commitment, one in zip(commitments, opened, strict=True):
        open_commitment(commitment, one)
    return tuple(opened)


def commitments_of(value: Mapping[str, Json]) -> tuple[bytes, ...]:
    """What stands for the evidence of each claim in a decision object; empty if it is open.

    Raises:
        MalformedError: not the form of a decision object.
    """
    tables = [value, *(one for one in list_of(value, "joined") if isinstance(one, dict))]
    shown = [table_of(one, "evidence") for one in tables]
    return tuple(
        parse_hex(text_of(one, "commitment"), _HASH_BYTES, "decision object: commitment")
        for one in shown
        if "commitment" in one
    )


def opens_at(value: Mapping[str, Json], statute: Statute) -> int | None:
    """POSIX seconds from which anybody may see what a decision sealed, by its own law.

    `statute` is the law that the decision was made under. It is counted from the facts that the
    object shows, as of the instant that was judged, so that everybody gets the same. None where
    the law opens it at no time, or nobody can say when yet: then it stays sealed.

    Raises:
        MalformedError: not the form of a decision object, or its facts are not the law's.
    """
    record = parse_signed(text_of(value, "decision").encode("utf-8"), "decision").record
    return unsealed_at(record, value["facts"], statute)


def unsealed_at(record: Record, facts: Json, statute: Statute) -> int | None:
    """The same for a decision record and the facts document that it was made on.

    Raises:
        MalformedError: the law has no such facts or outcome.
    """
    known = read_facts(facts, statute.facts, calendar=statute.calendar)
    return unsealed_from(statute, record.word("outcome"), known, record.number("as-of"))
