"""Making a claim: a name, what one relies on, and signatures that only the words can make.

The client makes claims at home, the door makes them for whoever typed their words there; what
comes out is the same, so the register cannot tell one from the other.

Spec: docs/3-protocol.md §10.1, §10.2.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from safeconduct.errors import MalformedError, RefusedError, UnverifiedError
from safeconduct.protocol.canonical import derive_key
from safeconduct.protocol.capsule import Capsule
from safeconduct.protocol.claim.bundle import (
    CREDIT_KINDS,
    NAME_BYTES_MAX,
    NAME_SALT_BYTES,
    evidence_hash,
    format_bundle,
    format_joint,
    person_hash,
    sign_claim,
)
from safeconduct.protocol.credit import finish_blind, open_credit, redemption_key, serial_of
from safeconduct.protocol.gazette import GazetteState, credit_group
from safeconduct.protocol.keys import ContributionKeys
from safeconduct.protocol.record import make_record, parse_any, parse_record, record_hash

CLAIM_SECONDS = 7 * 86_400
BLIND_BYTES = 16

RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What claimant and registry have settled before anything is signed.

    `language` is one of `LANGUAGES`, or empty for English; `joint` are the register numbers of
    all who did together what a claim on a tip relies on, or nothing.
    """

    programme: bytes
    audience: str
    challenge: bytes
    subject: str
    name: str
    at: int
    disclosure: str = "open"
    language: str = ""
    joint: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """The desk's signed acknowledgement and its proof; both empty where none came."""

    record: bytes = b""
    proof: bytes = b""


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


def check_name(name: str) -> None:
    """Return if a register takes it as a legal name; it is never told one that it does not.

    Raises:
        MalformedError: it does not.
    """
    if not name.isprintable() or not 0 < len(name.encode("utf-8")) <= NAME_BYTES_MAX:
        raise MalformedError(f"the name: not one line of 1 to {NAME_BYTES_MAX} bytes")


def make_helped(
    keys: ContributionKeys,
    capsule: Capsule,
    answer: Acknowledged,
    terms: Terms,
    random_bytes: RandomBytes,
    opening: Opening | None = None,
) -> bytes:
    """A bundle that claims on the *helped* limb with the contribution in `capsule`.

    Raises:
        RefusedError: the contribution is not dated yet.
    """
    if not capsule.proof:
        raise RefusedError("this contribution has no receipt yet", hint="wait and look again")
    evidence = {
        "record": capsule.record.decode("ascii"),
        "proof": capsule.proof.decode("utf-8"),
        "acknowledgement": answer.record.decode("utf-8"),
        "acknowledgement_proof": answer.proof.decode("utf-8"),
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
    if record.kind not in CREDIT_KINDS:
        raise MalformedError(f"{record.kind} record: not a credit")
    serial = serial_of(keys, credit_group(record))
    if redemption_key(keys, serial) != record.hash("key"):
        raise RefusedError(
            "this credit was not made for these words",
            hint="type the words of the tip that was credited",
        )
    return keys.redemption(serial), serial


def finished_credit(answer: bytes, keys: ContributionKeys, state: GazetteState) -> bytes:
    """What one claims with, from the desk's answer: a signed `credit` or a `credit-token`.

    It is verified, unblinded where it came blind, and made for these keys.

    Raises:
        MalformedError, UnverifiedError, RefusedError: it is none, or does not hold.
    """
    record = parse_any(answer)
    if record.kind == "blind-signature":
        answer = finish_blind(keys, credit_group(record), answer, state)
    opened = open_credit(answer, state)
    if opened.key != redemption_key(keys, serial_of(keys, opened.group)):
        raise UnverifiedError("the credit that came is for somebody else's key")
    return answer


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
    if terms.language:
        evidence["language"] = terms.language
    if terms.joint:
        evidence["joint"] = format_joint(terms.joint)
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
