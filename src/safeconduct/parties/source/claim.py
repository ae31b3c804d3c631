"""Claim: give a name, show the evidence, and sign with keys that only the words can make.

Spec: docs/3-protocol.md §10.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.parties.source.inbox import Contribution
from safeconduct.protocol.canonical import derive_key
from safeconduct.protocol.claim import evidence_hash, format_bundle, person_hash, sign_claim
from safeconduct.protocol.credit import redemption_key, serial_of
from safeconduct.protocol.gazette import credit_group
from safeconduct.protocol.keys import ContributionKeys
from safeconduct.protocol.record import make_record, parse_any, parse_record, record_hash

CLAIM_SECONDS = 7 * 86_400
NAME_SALT_BYTES = 16
BLIND_BYTES = 16

RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What claimant and registry have settled before anything is signed."""

    programme: bytes
    audience: str
    challenge: bytes
    subject: str
    name: str
    at: int
    disclosure: str = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a claimant shows where the desk has acknowledged nothing: the tip itself.

    `text` is an inline opening. Without the door's signed `delivery` and its tlog proof the
    tip's date does not count. In a claim whose disclosure is `open` all of it is published with
    the decision, the tip's text included; a `sealed` one keeps it between claimant and body.
    """

    text: str
    delivery: bytes = b""
    delivery_proof: bytes = b""


def claim_helped(
    contribution: Contribution,
    terms: Terms,
    random_bytes: RandomBytes,
    opening: Opening | None = None,
) -> bytes:
    """A bundle that claims on the *helped* limb with one of the words' own contributions.

    Raises:
        RefusedError: the contribution is not dated yet.
    """
    capsule, answer = contribution.capsule, contribution.acknowledgement
    if not capsule.proof:
        raise RefusedError("this contribution has no receipt yet", hint="wait and look again")
    evidence = {
        "record": capsule.record.decode("ascii"),
        "proof": capsule.proof.decode("utf-8"),
        "acknowledgement": answer.acknowledgement.decode("utf-8") if answer else "",
        "acknowledgement_proof": answer.proof.decode("utf-8") if answer else "",
        "assessment": "",  # the registry asks the desk for it
        "assessment_proof": "",
    }
    if opening is not None:
        evidence |= {
            "delivery": opening.delivery.decode("utf-8"),
            "delivery_proof": opening.delivery_proof.decode("utf-8"),
            "opening": opening.text,
        }
    statute = parse_record(capsule.record, "contribution").hash("statute")
    keys = contribution.keys
    blind = keys.blind(capsule.pre)
    return _bundle("helped", keys, blind, statute, terms, random_bytes, evidence)


def claim_credited(
    credit: bytes, keys: ContributionKeys, terms: Terms, random_bytes: RandomBytes
) -> bytes:
    """A bundle that claims with a credit, and names no tip.

    `credit` is a signed `credit` or a `credit-token`, `keys` are those of the contribution that
    it was given for: they make the keys that redeem it, which nothing ties to the tip.

    Raises:
        MalformedError: no credit.
        RefusedError: these words do not hold it.
    """
    redemption, serial = redemption_keys(credit, keys)
    statute, evidence = parse_any(credit).hash("statute"), {"record": credit.decode("utf-8")}
    blind = redemption.blind(serial)
    return _bundle("credited", redemption, blind, statute, terms, random_bytes, evidence)


def redemption_keys(credit: bytes, keys: ContributionKeys) -> tuple[ContributionKeys, bytes]:
    """The keys that claim with a credit, and appeal afterwards; and the credit's serial.

    Raises:
        MalformedError: no credit.
        RefusedError: these words do not hold it.
    """
    record = parse_any(credit)
    if record.kind not in ("credit", "credit-token"):
        raise MalformedError(f"{record.kind} record: not a credit")
    serial = serial_of(keys, credit_group(record))
    if redemption_key(keys, serial) != record.hash("key"):
        raise RefusedError(
            "this credit was not made for these words",
            hint="type the words of the tip that was credited",
        )
    return keys.redemption(serial), serial


def claim_denounced(
    master: bytes,
    capture: Mapping[str, str],
    statute: bytes,
    terms: Terms,
    random_bytes: RandomBytes,
) -> bytes:
    """A bundle that claims on the *denounced* limb with a capture that anybody may have made.

    `capture` holds the texts `record`, `proof`, `capture` (the public part) and `statement`
    (the number of the statement relied on). The keys serve only to sign, and later to appeal.
    """
    keys = claimant_keys(master)
    blind = random_bytes(BLIND_BYTES)
    return _bundle("denounced", keys, blind, statute, terms, random_bytes, dict(capture))


def claimant_keys(master: bytes) -> ContributionKeys:
    """The keys of somebody who claims without having sent a tip."""
    return ContributionKeys(number=0, seed=derive_key(master, "claimant"))


def _bundle(
    limb: str,
    keys: ContributionKeys,
    blind: bytes,
    statute: bytes,
    terms: Terms,
    random_bytes: RandomBytes,
    evidence: dict[str, str],
) -> bytes:
    ed25519, mldsa65 = keys.author_public()
    salt = random_bytes(NAME_SALT_BYTES)
    claim = make_record(
        f"claim-{limb}",
        programme=terms.programme,
        statute=statute,
        subject=terms.subject,
        person=person_hash(terms.name, salt),
        record=record_hash(evidence["record"].encode("utf-8")),
        evidence=evidence_hash(evidence),
        ed25519=ed25519,
        mldsa65=mldsa65,
        blind=blind,
        audience=terms.audience,
        challenge=terms.challenge,
        expires=terms.at + CLAIM_SECONDS,
        disclosure=terms.disclosure,
    )
    signed = sign_claim(claim, keys.derive("author-ed25519"), keys.derive("author-mldsa65"))
    fields = {"claim": signed.decode("utf-8"), "name": terms.name, "name_salt": salt.hex()}
    return format_bundle(limb, fields | evidence)
