"""The object that a publication names: everything that a decision rests on, in one document.

Spec: docs/3-protocol.md §15.4.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import (
    Json,
    derive_key,
    format_json,
    parse_json,
    tagged_hash,
)
from safeconduct.protocol.claim import Bundle
from safeconduct.protocol.decision.proposal import Proposal, told
from safeconduct.protocol.record import Record, parse_signed
from safeconduct.protocol.statute.evaluate import Judgement, judgement_document
from safeconduct.protocol.statute.text import Statute
from safeconduct.protocol.votes import VOTES_BYTES_MAX

OBJECT_BYTES_MAX = 8 << 20  # of a claim, three joined to it, and the decision appealed against
FIELDS = frozenset(
    {
        "appeal",
        "claim_proof",
        "competing",
        "decision",
        "decision_proof",
        "departure",
        "evidence",
        "facts",
        "joined",
        "judgement",
        "judgements",
        "letter",
        "salt",
        "shortfalls",
        "subject",
        "type",
        "votes",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A further claim that is decided with another, and the receipt of its own."""

    bundle: Bundle
    claim_proof: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Appealed:
    """The signed appeal with its tlog proof, and the object of the decision against which."""

    record: bytes
    proof: bytes
    first: bytes


def evidence_commitment(bundle: bytes, salt: bytes) -> bytes:
    """What stands for the evidence where the claimant asked that it stay sealed."""
    return tagged_hash("evidence", salt, bundle)


def evidence_salt(seed: bytes, salt: bytes, claim: bytes) -> bytes:
    """The secret salt of one claim's commitment: 32 bytes, shown only when it is opened.

    `seed` is that of the registry's key, `salt` what stands in the object, `claim` the claim's
    record hash: nothing has to be kept, and nobody else can make it. Spec: §15.4.
    """
    return derive_key(seed, "evidence-salt", salt + claim)


def decision_object(
    proposal: Proposal,
    bundle: Bundle,
    judgements: Mapping[str, bool],
    decision: bytes,
    decision_proof: bytes,
    claim_proof: bytes,
    salt: bytes,
    departure: str = "",
    *,
    votes: bytes = b"",
    joined: Sequence[Joined] = (),
    appeal: Appealed | None = None,
    seed: bytes = b"",
) -> bytes:
    """The object that a publication names; `votes` is the votes document, if there are any.

    `seed`, that of the registry's key, is needed where the evidence stays sealed.
    """
    record = parse_signed(decision, "decision").record
    bundles = (bundle, *(one.bundle for one in joined))
    return format_json(
        {
            "appeal": _appeal(appeal),
            "claim_proof": claim_proof.decode("utf-8"),
            "competing": competing_document(proposal.competing),
            "decision": decision.decode("utf-8"),
            "decision_proof": decision_proof.decode("utf-8"),
            "departure": departure,
            "evidence": _evidence(bundle, salt, seed),
            "facts": proposal.facts,
            "joined": [_joined(one, salt, seed) for one in joined],
            "judgement": judgement_document(proposal.judgement),
            "judgements": dict(judgements),
            "letter": _letter(proposal, bundles, record, departure),
            "salt": salt.hex(),
            "shortfalls": list(proposal.shortfalls),
            "subject": bundle.record.word("subject"),
            "type": "decision",
            "votes": parse_json(votes, "votes", bytes_max=VOTES_BYTES_MAX) if votes else None,
        }
    )


def _evidence(bundle: Bundle, salt: bytes, seed: bytes) -> Json:
    if bundle.record.word("disclosure") == "open":
        return {"bundle": dict(bundle.fields)}
    if not seed:
        raise TypeError("sealed evidence needs the seed that its salt is made from")
    secret = evidence_salt(seed, salt, bundle.claim_hash)
    return {"commitment": evidence_commitment(bundle.data, secret).hex()}


def _joined(joined: Joined, salt: bytes, seed: bytes) -> Json:
    return {
        "claim": joined.bundle.claim_hash.hex(),
        "claim_proof": joined.claim_proof.decode("utf-8"),
        "evidence": _evidence(joined.bundle, salt, seed),
    }


def _appeal(appeal: Appealed | None) -> Json:
    if appeal is None:
        return None
    first = parse_json(appeal.first, "first decision", bytes_max=OBJECT_BYTES_MAX)
    return {
        "decision": hashlib.sha256(appeal.first).hexdigest(),
        "first": first,
        "record": appeal.record.decode("utf-8"),
        "record_proof": appeal.proof.decode("utf-8"),
    }


def _letter(
    proposal: Proposal, bundles: Sequence[Bundle], record: Record, departure: str
) -> str | None:
    """The reasons told; only where the name that they begin with is disclosed as well."""
    if record.word("disclosure") != "open":
        return None
    return letter_of(proposal, bundles, record, departure).decode("utf-8")


def letter_of(
    proposal: Proposal, bundles: Sequence[Bundle], record: Record, departure: str
) -> bytes:
    """The reasons that a decision record commits to, made again."""
    return told(
        proposal,
        bundles,
        record.number("number"),
        outcome=record.word("outcome"),
        departure=departure,
        result=record.word("result"),
    )


def competing_document(competing: tuple[Statute, Judgement] | None) -> Json:
    """The other version that was applied, and what it yields; None where there is none."""
    if competing is None:
        return None
    statute, judgement = competing
    return {"judgement": judgement_document(judgement), "statute": statute.sha256.hex()}


# Reading one.


def read_object(data: bytes) -> dict[str, Json]:
    """The table of a decision object.

    Raises:
        MalformedError: not canonical JSON with exactly the fields of one.
    """
    return check_fields(parse_json(data, "decision object", bytes_max=OBJECT_BYTES_MAX))


def check_fields(value: Json) -> dict[str, Json]:
    """The value, if it has the fields of a decision object. Raises as `read_object`."""
    if not isinstance(value, dict) or value.keys() != FIELDS or value["type"] != "decision":
        raise MalformedError("decision object: not the fields a decision has")
    return value


def text_of(value: Mapping[str, Json], name: str) -> str:
    """A field that holds text."""
    text = value[name]
    if not isinstance(text, str):
        raise MalformedError(f"decision object: {name} must be text")
    return text


def table_of(value: Mapping[str, Json], name: str) -> dict[str, Json]:
    """A field that holds an object."""
    table = value[name]
    if not isinstance(table, dict):
        raise MalformedError(f"decision object: {name} must be an object")
    return table


def list_of(value: Mapping[str, Json], name: str) -> list[Json]:
    """A field that holds a list."""
    found = value[name]
    if not isinstance(found, list):
        raise MalformedError(f"decision object: {name} must be a list")
    return found
