"""A claim: somebody gives a name and asks for what the law grants, on evidence they bring.

The claim is one record, signed by both author keys (Ed25519 and ML-DSA-65), bound to one
audience, one challenge and an expiry, so that a clerk cannot use it elsewhere, and to the
evidence, so that nobody who forwards it can leave some out. The evidence travels beside it in a
bundle, canonical JSON of texts:

    helped      the contribution record and its receipt; the desk's acknowledgement and
                assessment, each with its own receipt
    denounced   the capture record, its receipt, the capture's public part, and which of its
                statements is relied on

`examine` turns a bundle into the facts that a statute speaks of. Registry and auditor call the
same function, so no fact can be true for one and false for the other.

Spec: docs/3-protocol.md §10.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import get_args

from safeconduct.errors import MalformedError, SafeconductError, UnverifiedError
from safeconduct.protocol.assessment.grade import StatuteGrade
from safeconduct.protocol.canonical import (
    Json,
    format_json,
    parse_hex,
    parse_json,
    tagged_hash,
)
from safeconduct.protocol.dual import open_dual, opened_author, sign_dual
from safeconduct.protocol.evidence.capture import check_capture
from safeconduct.protocol.gazette import Epoch, GazetteState
from safeconduct.protocol.receipt import Receipt, verify_receipt
from safeconduct.protocol.record import (
    Record,
    parse_record,
    parse_signed,
    record_hash,
    verify_signer,
)
from safeconduct.protocol.tlog.policy import Policy

BUNDLE_BYTES_MAX = 512 << 10
NAME_BYTES_MAX = 400
NAME_SALT_BYTES = 16
CLAIM_SECONDS_MAX = 30 * 86_400
STATEMENT_GRACE_SECONDS = 30 * 86_400
"""How long after an epoch has closed its desk may still have statements about tips logged."""
LIMBS = {"claim-helped": "helped", "claim-denounced": "denounced"}
DISCLOSURES = frozenset({"open", "sealed"})
GROUNDS = frozenset({"fact", "identity", "law", "procedure", "proportionality"})
_BUNDLE_FIELDS = {
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
# Not evidence of the claimant's: the claim itself, what `person` binds, and what the desk says
# later, which the registry adds.
_UNBOUND = frozenset({"assessment", "assessment_proof", "claim", "name", "name_salt"})


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """The facts a bundle proves, and for each that failed, why, in words."""

    facts: Json
    shortfalls: tuple[str, ...]


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
    if fields.keys() != _BUNDLE_FIELDS[limb]:
        raise TypeError(f"a bundle on the {limb} limb needs {sorted(_BUNDLE_FIELDS[limb])}")
    return format_json(dict(fields))


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
    if fields.keys() != _BUNDLE_FIELDS[limb]:
        raise MalformedError(f"claim bundle: not the fields of a claim on the {limb} limb")
    salt = parse_hex(fields["name_salt"], NAME_SALT_BYTES, "claim bundle: name_salt")
    name = fields["name"]
    if not name.isprintable() or not 0 < len(name.encode("utf-8")) <= NAME_BYTES_MAX:
        raise MalformedError("claim bundle: the name cannot be shown, or is empty or too long")
    if person_hash(name, salt) != record.hash("person"):
        raise UnverifiedError("claim bundle: the name is not the one the claim commits to")
    if evidence_hash(fields) != record.hash("evidence"):
        raise UnverifiedError("claim bundle: the evidence is not what the claimant signed for")
    return Bundle(limb=limb, claim=claim, record=record, fields=fields, data=data)


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


def examine(
    bundle: Bundle, state: GazetteState, policy: Policy, judgements: Mapping[str, bool]
) -> Examined:
    """The facts that the bundle's evidence proves, with the board's own `judgements` beside.

    Evidence that fails becomes a fact too (not proven, with the reason), so that everybody who
    claims gets a reasoned decision.

    Raises:
        MalformedError: the judgements are not those that the limb calls for.
    """
    needed = _JUDGEMENTS[bundle.limb]
    if judgements.keys() != needed:
        raise MalformedError(f"the board must judge exactly: {', '.join(sorted(needed))}")
    shortfalls: list[str] = []
    item = _ITEMS[bundle.limb](bundle, state, policy, judgements, shortfalls)
    if not judgements["claimant_is_subject"]:
        item[_OF_THE_CLAIMANT[bundle.limb]] = False
        shortfalls.append("the claimant was not found to be the person of this number")
    tips: list[Json] = [item] if bundle.limb == "helped" else []
    statements: list[Json] = [item] if bundle.limb == "denounced" else []
    facts: Json = {
        "facts": {name: judgements[name] for name in sorted(_BOARD_FINDINGS)},
        "lists": {"statements": statements, "tips": tips},
    }
    return Examined(facts=facts, shortfalls=tuple(shortfalls))


def relied_on(bundle: Bundle) -> bytes | None:
    """The record hash of the contribution whose author the claimant proves to be, if of any.

    Whoever cannot open its author commitment takes nothing away from the one who can.
    """
    if bundle.limb != "helped":
        return None
    try:
        contribution = parse_record(bundle.evidence("record"), "contribution")
    except MalformedError:
        return None
    digest = record_hash(bundle.evidence("record"))
    if digest != bundle.record.hash("record") or not _is_author(bundle.record, contribution):
        return None
    return digest


_BOARD_FINDINGS = frozenset({"grave_crime_proven", "knowing_falsehood_found"})
_JUDGEMENTS = {
    "helped": _BOARD_FINDINGS | {"claimant_is_subject"},
    "denounced": _BOARD_FINDINGS
    | {"claimant_is_subject", "speaker_is_claimant", "denounces", "withdrawn"},
}
# What nobody proves for a person whom they are not.
_OF_THE_CLAIMANT = {"helped": "author_proven", "denounced": "speaker_is_claimant"}


def _tip_item(
    bundle: Bundle,
    state: GazetteState,
    policy: Policy,
    judgements: Mapping[str, bool],
    shortfalls: list[str],
) -> dict[str, Json]:
    item: dict[str, Json] = {
        "acknowledged": "none",
        "author_proven": False,
        "grade": "unproven",
    }
    receipt = _receipt(bundle, "record", "proof", "contribution", state, policy, shortfalls)
    if receipt is None:
        return item
    if bundle.record.hash("record") != receipt.record_hash:
        shortfalls.append("the claim names another contribution than the receipt's")
        return item
    if _law_holds(bundle.record, receipt.record, state, shortfalls):
        item["logged"] = [None, receipt.logged_by]
    item["author_proven"] = _author_proven(bundle.record, receipt.record, shortfalls)
    item["acknowledged"] = _statement(
        bundle, "acknowledgement", receipt, state, policy, shortfalls
    )
    item["grade"] = _statement(bundle, "assessment", receipt, state, policy, shortfalls)
    return item


def _law_holds(
    claim: Record, contribution: Record, state: GazetteState, shortfalls: list[str]
) -> bool:
    """Whether the claim names the law that the contribution relied on, or a later version.

    Nobody may go back to a law that stood no more when they helped.
    """
    try:
        relied = state.statute(contribution.hash("statute")).number
        claimed = state.statute(claim.hash("statute")).number
    except UnverifiedError as error:
        shortfalls.append(f"the contribution relies on no law: {error.message}")
        return False
    if claimed < relied:
        shortfalls.append("the claim names an older law than the contribution relied on")
        return False
    return True


def _author_proven(claim: Record, contribution: Record, shortfalls: list[str]) -> bool:
    if _is_author(claim, contribution):
        return True
    shortfalls.append("the claimant's keys are not those the contribution commits to")
    return False


def _is_author(claim: Record, contribution: Record) -> bool:
    return opened_author(claim) == contribution.hash("author")


def _receipt(
    bundle: Bundle,
    record: str,
    proof: str,
    kind: str,
    state: GazetteState,
    policy: Policy,
    shortfalls: list[str],
) -> Receipt | None:
    """The receipt made of two texts of the bundle, or None with the reason noted."""
    if not bundle.fields[record]:
        shortfalls.append(f"no {kind} was shown")
        return None
    ledger = state.programme.word("ledger")
    try:
        receipt = verify_receipt(
            bundle.evidence(record), bundle.evidence(proof), policy, ledger
        )
        if receipt.record.kind != kind:
            raise MalformedError(f"{receipt.record.kind} record where {kind} is due")
        if receipt.record.hash("programme") != state.programme_hash:
            raise UnverifiedError("it belongs to another programme")
    except SafeconductError as error:
        shortfalls.append(f"the {kind} does not hold: {error.message}")
        return None
    return receipt


# What the desk states about a tip: the record's kind, its field, the word where nothing holds,
# and the words that a statute may speak of.
_STATED: dict[str, tuple[str, str, frozenset[str]]] = {
    "acknowledgement": (
        "status",
        "none",
        frozenset({"ok", "mismatch", "unreadable", "duplicate"}),
    ),
    "assessment": ("grade", "unproven", frozenset(get_args(StatuteGrade))),
}


def _statement(
    bundle: Bundle,
    kind: str,
    receipt: Receipt,
    state: GazetteState,
    policy: Policy,
    shortfalls: list[str],
) -> str:
    """The word that the desk's signed `kind` record says about the contribution."""
    field, otherwise, words = _STATED[kind]
    stated = _receipt(bundle, kind, f"{kind}_proof", kind, state, policy, shortfalls)
    if stated is None:
        return otherwise
    try:
        epoch = state.epoch(stated.record.number("epoch"))
        verify_signer(parse_signed(bundle.evidence(kind), kind), epoch.statement)
        _check_in_epoch(epoch, stated.logged_by)
        if stated.record.hash("record") != receipt.record_hash:
            raise UnverifiedError("it speaks of another contribution")
        if stated.record.word(field) not in words:
            raise MalformedError(f"its {field} is no word of this protocol")
    except SafeconductError as error:
        shortfalls.append(f"the {kind} does not hold: {error.message}")
        return otherwise
    return stated.record.word(field)


def _check_in_epoch(epoch: Epoch, logged_by: int) -> None:
    """Whoever steals the key of an epoch long closed makes no statements with it."""
    if logged_by < epoch.opens:
        raise UnverifiedError(f"it was logged before desk epoch {epoch.number} opened")
    if logged_by > epoch.closes + STATEMENT_GRACE_SECONDS:
        raise UnverifiedError(f"it was logged long after desk epoch {epoch.number} had closed")


def _statement_item(
    bundle: Bundle,
    state: GazetteState,
    policy: Policy,
    judgements: Mapping[str, bool],
    shortfalls: list[str],
) -> dict[str, Json]:
    item: dict[str, Json] = {
        name: judgements[name] for name in ("denounces", "speaker_is_claimant", "withdrawn")
    }
    receipt = _receipt(bundle, "record", "proof", "capture", state, policy, shortfalls)
    item["made"] = "absent"
    if receipt is None or not _statement_shown(bundle, receipt, shortfalls):
        item["speaker_is_claimant"] = False
        return item
    item["made"] = [None, receipt.logged_by]
    return item


def _statement_shown(bundle: Bundle, receipt: Receipt, shortfalls: list[str]) -> bool:
    """Whether the capture shown is the one logged and holds the statement relied on."""
    public = bundle.evidence("capture")
    try:
        if bundle.record.hash("record") != receipt.record_hash:
            raise UnverifiedError("the claim names another capture")
        if hashlib.sha256(public).digest() != receipt.record.hash("public"):
            raise UnverifiedError("its public part is not the one that was logged")
        statements = check_capture(public).statements
        if bundle.fields["statement"] not in {str(i) for i in range(len(statements))}:
            raise UnverifiedError("it has no such statement")
    except SafeconductError as error:
        shortfalls.append(f"the capture does not hold: {error.message}")
        return False
    return True


_Item = Callable[[Bundle, GazetteState, Policy, Mapping[str, bool], list[str]], dict[str, Json]]
_ITEMS: dict[str, _Item] = {"helped": _tip_item, "denounced": _statement_item}
