"""The claim record and its bundle: form, signatures, and what binds the two.

Spec: docs/3-protocol.md §10.1, §10.2.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.canonical import (
    Json,
    format_json,
    parse_hex,
    parse_json,
    tagged_hash,
)
from safeconduct.protocol.credit import nullifier
from safeconduct.protocol.dual import open_dual, opened_author, sign_dual
from safeconduct.protocol.record import Record, parse_any, record_hash

BUNDLE_BYTES_MAX = 512 << 10  # holds the inline opening of a payload of 256 KiB
NAME_BYTES_MAX = 400
NAME_SALT_BYTES = 16
CLAIM_SECONDS_MAX = 30 * 86_400
LIMBS = {
    "claim-credited": "credited",
    "claim-denounced": "denounced",
    "claim-helped": "helped",
}
CREDIT_KINDS = frozenset({"credit", "credit-token"})
DISCLOSURES = frozenset({"open", "sealed"})
GROUNDS = frozenset({"fact", "identity", "law", "procedure", "proportionality"})
_BUNDLE_FIELDS = {
    "credited": frozenset({"claim", "name", "name_salt", "record"}),
    "helped": frozenset(
        {
            "acknowledgement",
            "acknowledgement_proof",
            "assessment",
            "assessment_proof",
            "claim",
            "name",
            "name_salt",
            "proof",
            "record",
        }
    ),
    "denounced": frozenset(
        {"capture", "claim", "name", "name_salt", "proof", "record", "statement"}
    ),
}
# What may stand in a bundle besides: on which limbs, which field tells that it does, and which
# others come with it. The telling field is never empty, so that no two bundles say the same.
_EXTRAS: tuple[tuple[frozenset[str], str, frozenset[str]], ...] = (
    (frozenset({"helped"}), "opening", frozenset({"delivery", "delivery_proof", "opening"})),
    (frozenset(_BUNDLE_FIELDS), "language", frozenset({"language"})),
    (frozenset({"helped"}), "joint", frozenset({"joint"})),
    (frozenset({"helped"}), "withdrawal", frozenset({"withdrawal", "withdrawal_proof"})),
    (frozenset({"credited"}), "redemption", frozenset({"redemption", "redemption_proof"})),
)
# What the registry learns later and adds; whoever forwards a claim adds none of it.
ADDED_LATER = frozenset(
    {
        "assessment",
        "assessment_proof",
        "redemption",
        "redemption_proof",
        "withdrawal",
        "withdrawal_proof",
    }
)
# Not evidence of the claimant's: the claim itself, what `person` binds, and what is added.
_UNBOUND = ADDED_LATER | {"claim", "name", "name_salt"}
LANGUAGES = frozenset({"ar", "de", "en", "es", "fa", "fr", "pl", "ru", "uk"})
"""In which a claimant may ask to be written to."""
JOINT_MIN, JOINT_MAX = 2, 10  # persons who did one thing together


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A claim and its evidence, as texts; `data` is the one byte form of it all."""

    limb: str
    claim: bytes
    record: Record  # the claim's
    fields: Mapping[str, str]
    data: bytes

    def evidence(self, name: str) -> bytes:
        """One text of the evidence; empty when the claimant had none."""
        return self.fields[name].encode("utf-8")

    @property
    def claim_hash(self) -> bytes:
        """What stands in the Ledger for the claim."""
        return record_hash(self.claim)

    @property
    def page_key(self) -> bytes:
        """The address of the case's page: 32 bytes that only claimant and registry can make."""
        salt = parse_hex(self.fields["name_salt"], NAME_SALT_BYTES, "claim bundle: name_salt")
        return tagged_hash("case-page", salt, self.claim_hash)


def person_hash(name: str, salt: bytes) -> bytes:
    """The commitment to a claimant's name that stands in the claim record."""
    return tagged_hash("person", name.encode("utf-8"), salt)


def evidence_hash(fields: Mapping[str, str]) -> bytes:
    """What binds a claim to the evidence that its claimant shows; other fields do not count."""
    shown: dict[str, Json] = {
        name: text for name, text in fields.items() if name not in _UNBOUND
    }
    return tagged_hash("claim-evidence", format_json(shown))


def sign_claim(record: Record, ed25519_seed: bytes, mldsa65_seed: bytes) -> bytes:
    """The claim as a signed note with an Ed25519 and an ML-DSA-65 line."""
    return sign_dual(record, ed25519_seed, mldsa65_seed)


def open_claim(data: bytes) -> Record:
    """The claim's record, after checking both signatures against the keys it names.

    Whether those keys are the author's is a fact for `examine`, not a matter of form.

    Raises:
        MalformedError: not a claim, or its Ed25519 key is of low order.
        UnverifiedError: a signature missing, added or bad.
    """
    return open_dual(data, LIMBS)


def check_terms(record: Record, *, programme: bytes, audience: str, at: int) -> None:
    """Check that a claim is meant for this registry and this day (`at`, POSIX seconds).

    Raises:
        UnverifiedError: another programme or audience, or expired, or valid for too long.
        MalformedError: an unknown disclosure mode.
    """
    if record.hash("programme") != programme:
        raise UnverifiedError("claim: made for another programme")
    if record.word("audience") != audience:
        raise UnverifiedError(
            f"claim: made for {record.word('audience')}, not for this registry"
        )
    if not at <= record.number("expires") <= at + CLAIM_SECONDS_MAX:
        raise UnverifiedError("claim: expired, or valid for more than 30 days")
    if record.word("disclosure") not in DISCLOSURES:
        raise MalformedError("claim: disclosure must be open or sealed")


def format_bundle(limb: str, fields: Mapping[str, str]) -> bytes:
    """The bundle's bytes. Requires exactly the fields of the limb."""
    if not _is_whole(limb, fields):
        raise TypeError(f"a bundle on the {limb} limb needs {sorted(_BUNDLE_FIELDS[limb])}")
    return format_json(dict(fields))


def _is_whole(limb: str, fields: Mapping[str, str]) -> bool:
    """Whether these are the limb's fields, and of what may stand beside them all or nothing."""
    due = set(_BUNDLE_FIELDS[limb])
    for limbs, telling, together in _EXTRAS:
        if limb in limbs and fields.get(telling):
            due |= together
    return fields.keys() == due


def parse_bundle(data: bytes) -> Bundle:
    """The bundle in `data`, its claim opened, its name and evidence checked against the claim.

    Raises:
        MalformedError: not canonical, a field missing or too many.
        UnverifiedError: the claim's signatures, its name or its evidence do not hold.
    """
    value = parse_json(data, "claim bundle", bytes_max=BUNDLE_BYTES_MAX)
    fields = _text_fields(value)
    claim = fields["claim"].encode("utf-8")
    record = open_claim(claim)
    limb = LIMBS[record.kind]
    if not _is_whole(limb, fields):
        raise MalformedError(f"claim bundle: not the fields of a claim on the {limb} limb")
    salt = parse_hex(fields["name_salt"], NAME_SALT_BYTES, "claim bundle: name_salt")
    name = fields["name"]
    if not name.isprintable() or not 0 < len(name.encode("utf-8")) <= NAME_BYTES_MAX:
        raise MalformedError("claim bundle: the name cannot be shown, or is empty or too long")
    if person_hash(name, salt) != record.hash("person"):
        raise UnverifiedError("claim bundle: the name is not the one the claim commits to")
    if evidence_hash(fields) != record.hash("evidence"):
        raise UnverifiedError("claim bundle: the evidence is not what the claimant signed for")
    if fields.get("language", "en") not in LANGUAGES:
        raise MalformedError(f"claim bundle: language is one of {', '.join(sorted(LANGUAGES))}")
    if "joint" in fields:
        _check_joint(fields["joint"], record.word("subject"))
    return Bundle(limb=limb, claim=claim, record=record, fields=fields, data=data)


def format_joint(subjects: Iterable[str]) -> str:
    """The `joint` text of a bundle: who did together what the claim relies on."""
    return format_json([*sorted(subjects)]).decode("utf-8")


def joint_subjects(bundle: Bundle) -> tuple[str, ...]:
    """The register numbers that did together what is claimed on, sorted; empty if one did."""
    return _read_joint(bundle.fields["joint"]) if "joint" in bundle.fields else ()


def _read_joint(text: str) -> tuple[str, ...]:
    value = parse_json(text.encode("utf-8"), "claim bundle: joint")
    if not isinstance(value, list) or not JOINT_MIN <= len(value) <= JOINT_MAX:
        raise MalformedError(f"claim bundle: joint needs {JOINT_MIN} to {JOINT_MAX} numbers")
    subjects = tuple(subject for subject in value if isinstance(subject, str))
    if len(subjects) < len(value) or list(subjects) != sorted(set(subjects)):
        raise MalformedError("claim bundle: joint is not a sorted list of register numbers")
    return subjects


def _check_joint(text: str, subject: str) -> None:
    if subject not in _read_joint(text):
        raise MalformedError("claim bundle: joint leaves out the number that is claimed about")


def with_added(bundle: Bundle, **texts: str) -> Bundle:
    """The bundle with what the registry learned, in place of whatever stood there.

    Without any text for it, the desk's assessment stays empty, and the rest is left out.

    Raises:
        MalformedError: a text that has no place on this limb.
    """
    kept = {name: text for name, text in bundle.fields.items() if name not in ADDED_LATER}
    empty = dict.fromkeys(_BUNDLE_FIELDS[bundle.limb] & ADDED_LATER, "")
    fields = kept | empty | {name: text for name, text in texts.items() if text}
    return parse_bundle(format_json(dict(fields)))


def _text_fields(value: Json) -> dict[str, str]:
    if not isinstance(value, dict) or "claim" not in value:
        raise MalformedError("claim bundle: not an object with a claim")
    fields: dict[str, str] = {}
    for name, text in value.items():
        if not isinstance(text, str):
            raise MalformedError(f"claim bundle: {name} is not text")
        fields[name] = text
    if not {"name", "name_salt"} <= fields.keys():
        raise MalformedError("claim bundle: name or name_salt is missing")
    return fields


def relied_on(bundle: Bundle) -> bytes | None:
    """What the claimant proves to hold, which helps one person: the record hash of their
    contribution, or the nullifier of their credit; None if neither.

    Whoever cannot open its author commitment takes nothing away from the one who can.
    """
    commitment = _COMMITMENTS.get(bundle.limb)
    record = _shown(bundle) if commitment else None
    if commitment is None or record is None or record.kind not in commitment.kinds:
        return None
    committed = record.hash(commitment.field)
    digest = record_hash(bundle.evidence("record"))
    if digest != bundle.record.hash("record") or not opens(bundle.record, committed):
        return None
    return nullifier(committed) if bundle.limb == "credited" else digest


def shown_credit(bundle: Bundle) -> Record | None:
    """The credit that a bundle shows, unverified; None on the other limbs, or if it is none."""
    record = _shown(bundle) if bundle.limb == "credited" else None
    return record if record is not None and record.kind in CREDIT_KINDS else None


def _shown(bundle: Bundle) -> Record | None:
    try:
        return parse_any(bundle.evidence("record"))
    except MalformedError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Commitment:
    """Which field of which kinds of record commits to the keys that may claim on it."""

    kinds: frozenset[str]
    field: str


_COMMITMENTS = {
    "credited": _Commitment(kinds=CREDIT_KINDS, field="key"),
    "helped": _Commitment(kinds=frozenset({"contribution"}), field="author"),
}


def opens(claim: Record, commitment: bytes) -> bool:
    """Whether the claim's keys and blind are what the commitment was made of."""
    return opened_author(claim) == commitment
