"""What a claim's evidence proves: facts, and for each that failed, why.

Evidence that fails becomes a fact too, so that everybody who claims gets a reasoned decision.

Spec: docs/3-protocol.md §10.3.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import get_args

from safeconduct.errors import MalformedError, RefusedError, SafeconductError, UnverifiedError
from safeconduct.protocol.assessment.grade import StatuteGrade
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.claim.bundle import Bundle, opens
from safeconduct.protocol.claim.redemption import redeemed_claim
from safeconduct.protocol.credit import Credit, open_credit
from safeconduct.protocol.evidence.capture import check_capture
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.opening import examine_inline
from safeconduct.protocol.receipt import Receipt, check_in_epoch, verify_receipt
from safeconduct.protocol.record import (
    Record,
    parse_any,
    parse_signed,
    record_hash,
    verify_signer,
)
from safeconduct.protocol.tlog.policy import Policy, verify_proof
from safeconduct.protocol.withdrawal import verify_withdrawal

DELIVERY_GRACE_SECONDS = 86_400
"""How long after the delivery window the door may still have a delivery logged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """The facts a bundle proves, and for each that failed, why, in words."""

    facts: Json
    shortfalls: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A bundle under examination, and what it was found to fall short of so far."""

    bundle: Bundle
    state: GazetteState
    policy: Policy
    judgements: Mapping[str, bool]
    shortfalls: list[str] = field(default_factory=list)

    @property
    def claim(self) -> Record:
        return self.bundle.record

    def note(self, reason: str) -> None:
        self.shortfalls.append(reason)


def examine(
    bundle: Bundle,
    state: GazetteState,
    policy: Policy,
    judgements: Mapping[str, bool],
    joined: Sequence[Bundle] = (),
) -> Examined:
    """The facts that the bundle's evidence proves, with the board's own `judgements` beside.

    Evidence that fails becomes a fact too (not proven, with the reason), so that everybody who
    claims gets a reasoned decision. Claims that are decided with it, `joined`, add their items
    to the same lists.

    Raises:
        MalformedError: the judgements are not those that the claims call for.
        RefusedError: the claims may not be decided together.
    """
    bundles = (bundle, *joined)
    needed = needed_judgements(bundles)
    if judgements.keys() != needed:
        raise MalformedError(f"the board must judge exactly: {', '.join(sorted(needed))}")
    check_joinable(bundles)
    lists: dict[str, list[Json]] = {"statements": [], "tips": []}
    shortfalls: list[str] = []
    for place, one in enumerate(bundles):
        judged = {
            name: judgements[_judged(name, place)] for name in sorted(_JUDGEMENTS[one.limb])
        }
        item, notes = _examine_one(one, state, policy, judged)
        lists["statements" if one.limb == "denounced" else "tips"].append(item)
        shortfalls += [f"claim {place + 1}: {note}" if place else note for note in notes]
    facts: Json = {
        "facts": {name: judgements[name] for name in sorted(_BOARD_FINDINGS)},
        "lists": {name: list(items) for name, items in lists.items()},
    }
    return Examined(facts=facts, shortfalls=tuple(shortfalls))


def _examine_one(
    bundle: Bundle, state: GazetteState, policy: Policy, judgements: Mapping[str, bool]
) -> tuple[Json, list[str]]:
    case = _Case(bundle=bundle, state=state, policy=policy, judgements=judgements)
    item = _ITEMS[bundle.limb](case)
    if not judgements["claimant_is_subject"]:
        item[_OF_THE_CLAIMANT[bundle.limb]] = False
        case.note("the claimant was not found to be the person of this number")
    return item, case.shortfalls


def needed_judgements(bundles: Sequence[Bundle]) -> frozenset[str]:
    """What the board must judge to decide these claims together.

    Of each claim after the first, what concerns its own statement carries the claim's place:
    `denounces.1`.
    """
    return frozenset(
        _judged(name, place)
        for place, bundle in enumerate(bundles)
        for name in _JUDGEMENTS[bundle.limb]
    )


def is_judgement(name: str) -> bool:
    """Whether a board is ever asked to judge what has this name."""
    stem, dot, place = name.partition(".")
    if dot and (stem not in _OF_A_STATEMENT or place not in _PLACES):
        return False
    return any(stem in asked for asked in _JUDGEMENTS.values())


def _judged(name: str, place: int) -> str:
    return f"{name}.{place}" if place and name in _OF_A_STATEMENT else name


def check_joinable(bundles: Sequence[Bundle]) -> None:
    """Check that these claims may be decided together.

    Raises:
        RefusedError: too many, of different persons, laws or disclosures, twice on one thing,
            or a credit behind the first of them.
    """
    if len(bundles) > 1 + JOINED_MAX:
        raise RefusedError(f"at most {JOINED_MAX} claims are decided with another")
    first, *others = bundles
    for other in others:
        for what in ("programme", "statute", "subject", "disclosure", "audience"):
            if other.record.values[what] != first.record.values[what]:
                raise RefusedError(f"claims of another {what} are not decided together")
        if other.fields["name"] != first.fields["name"]:
            raise RefusedError("claims made under another name are not decided together")
        if other.limb == "credited":
            raise RefusedError(
                "a claim on a credit is decided alone or leads the others",
                hint="name its case first, and no second one on a credit",
            )
    shown = [(one.record.hash("record"), one.fields.get("statement")) for one in bundles]
    if len(set(shown)) < len(shown):
        raise RefusedError("two of the claims rely on the same thing, which counts once")


JOINED_MAX = 3
"""How many claims may be decided with another; their evidence must fit into one object."""
_PLACES = frozenset(str(place) for place in range(1, JOINED_MAX + 1))
_OF_A_STATEMENT = frozenset({"denounces", "speaker_is_claimant", "withdrawn"})
_BOARD_FINDINGS = frozenset({"grave_crime_proven", "knowing_falsehood_found"})
_JUDGEMENTS = {
    "credited": _BOARD_FINDINGS | {"claimant_is_subject"},
    "helped": _BOARD_FINDINGS | {"claimant_is_subject"},
    "denounced": _BOARD_FINDINGS
    | {"claimant_is_subject", "speaker_is_claimant", "denounces", "withdrawn"},
}
# What nobody proves for a person whom they are not.
_OF_THE_CLAIMANT = {
    "credited": "author_proven",
    "helped": "author_proven",
    "denounced": "speaker_is_claimant",
}


# A tip, or a credit for one.


def _tip_item(case: _Case) -> dict[str, Json]:
    item = _nothing_proven()
    receipt = _receipt(case, "record", "proof", "contribution")
    if receipt is None:
        return item
    if case.claim.hash("record") != receipt.record_hash:
        case.note("the claim names another contribution than the receipt's")
        return item
    if _law_holds(case, receipt.record):
        item["logged"] = [None, receipt.logged_by]
    item["author_proven"] = opens(case.claim, receipt.record.hash("author"))
    if not item["author_proven"]:
        case.note("the claimant's keys are not those the contribution commits to")
    item["acknowledged"] = _statement(case, "acknowledgement", receipt)
    if "opening" in case.bundle.fields:
        _take_opening(case, item, receipt)
    item["grade"] = _statement(case, "assessment", receipt)
    if "joint" in case.bundle.fields:
        item["joint"] = True
    if "withdrawal" in case.bundle.fields and _withdrawn(case, receipt):
        # What nobody stands behind any more proves nothing.
        item |= {"grade": "unproven", "withdrawn": True}
        case.note("the tip was withdrawn by its author, so its grade does not count")
    return item


def _withdrawn(case: _Case, receipt: Receipt) -> bool:
    """Whether the withdrawal that the registry was shown is the author's, and was logged."""
    evidence, ledger = case.bundle.evidence, case.state.programme.word("ledger")
    try:
        withdrawal = verify_withdrawal(evidence("withdrawal"), evidence("record"))
        verify_proof(evidence("withdrawal_proof"), withdrawal.hash, case.policy, ledger)
        if withdrawal.contribution != receipt.record_hash:
            raise UnverifiedError("it speaks of another contribution")
    except SafeconductError as error:
        case.note(f"the withdrawal does not hold: {error.message}")
        return False
    return True


def _credited_item(case: _Case) -> dict[str, Json]:
    item = _nothing_proven()
    data = case.bundle.evidence("record")
    try:
        credit = open_credit(data, case.state)
        if case.claim.hash("record") != record_hash(data):
            raise UnverifiedError("it is not the one that the claim names")
    except SafeconductError as error:
        case.note(f"the credit does not hold: {error.message}")
        return item
    if _law_holds(case, parse_any(data)):
        # All that a credit says of its tip's date is in which period it lies.
        item["logged"] = [None, credit.period_end - 1]
    item["author_proven"] = opens(case.claim, credit.key)
    if not item["author_proven"]:
        case.note("the claimant's keys are not those the credit was made for")
    if "redemption" in case.bundle.fields and _redeemed(case, credit):
        case.note("the credit was redeemed before, and counts only once")
        return item
    return item | {"acknowledged": "ok", "grade": credit.group.word}


def _redeemed(case: _Case, credit: Credit) -> bool:
    """Whether the redemption that the registry shows used this credit up for another claim."""
    receipt = _receipt(case, "redemption", "redemption_proof", "redemption")
    if receipt is None:
        return False
    try:
        signed = parse_signed(case.bundle.evidence("redemption"), "redemption")
        verify_signer(signed, case.state.programme.key("registry"))
        if receipt.record.hash("nullifier") != credit.nullifier:
            raise UnverifiedError("it is of another credit")
        if receipt.record.hash("claim") == redeemed_claim(case.bundle):
            raise UnverifiedError("it is this claim's own")
    except SafeconductError as error:
        case.note(f"the redemption does not hold: {error.message}")
        return False
    return True


def _nothing_proven() -> dict[str, Json]:
    return {"acknowledged": "none", "author_proven": False, "grade": "unproven"}


def _law_holds(case: _Case, relied: Record) -> bool:
    """Whether the claim names the law that the contribution or credit was made under, or a
    later version.

    Nobody may go back to a law that stood no more when they helped.
    """
    what = _CALLED.get(relied.kind, relied.kind)
    numbers = []
    for record, called in ((relied, what), (case.claim, "claim")):
        try:
            numbers.append(case.state.statute(record.hash("statute")).number)
        except UnverifiedError as error:
            case.note(f"the {called} relies on no law: {error.message}")
            return False
    number, claimed = numbers
    if claimed < number:
        case.note(f"the claim names an older law than the {what} relied on")
        return False
    return True


_CALLED = {"credit-token": "credit"}


def _take_opening(case: _Case, item: dict[str, Json], receipt: Receipt) -> None:
    """Let an opened contribution count as one that the desk has acknowledged.

    That its content had been sent before, only the desk can know: `duplicate` stays. What else
    the desk looks at is looked at here: its own key of that day, and a delivery in time. Else
    somebody could date many guesses, deliver none of them or lock them to nobody, and open the
    one that came true.
    """
    try:
        _check_sealed_to_desk(case.state, receipt)
        examine_inline(case.bundle.fields["opening"], receipt.record)
    except SafeconductError as error:
        case.note(f"the opening does not hold: {error.message}")
        return
    if item["acknowledged"] in ("ok", "duplicate"):
        return
    item["acknowledged"] = "ok"
    case.note("the opening in the claim stands for the acknowledgement")
    if not _delivered_in_time(case, receipt):
        item.pop("logged", None)
        case.note("without a delivery in time, what was opened has no date that counts")


def _check_sealed_to_desk(state: GazetteState, receipt: Receipt) -> None:
    """Check that the desk could have read it: sealed to its certified key, while that was open.

    Raises:
        UnverifiedError: it could not.
    """
    epoch = state.epoch(receipt.record.number("epoch"))
    if epoch.hash != receipt.record.hash("certificate"):
        raise UnverifiedError("it was sealed to a desk key that nobody certified")
    if not epoch.opens <= receipt.logged_by < epoch.closes:
        raise UnverifiedError(f"desk epoch {epoch.number} was not open when it was logged")


def _delivered_in_time(case: _Case, receipt: Receipt) -> bool:
    delivered = _receipt(case, "delivery", "delivery_proof", "delivery")
    if delivered is None:
        return False
    programme = case.state.programme
    last = receipt.logged_by + programme.number("delivery-window") + DELIVERY_GRACE_SECONDS
    try:
        signed = parse_signed(case.bundle.evidence("delivery"), "delivery")
        verify_signer(signed, programme.key("server"))
        if delivered.record.hash("record") != receipt.record_hash:
            raise UnverifiedError("it speaks of another contribution")
        if delivered.logged_by > last:
            raise UnverifiedError("it was made after the delivery window")
    except SafeconductError as error:
        case.note(f"the delivery does not hold: {error.message}")
        return False
    return True


# What others have signed, each with a receipt.


def _receipt(case: _Case, record: str, proof: str, kind: str) -> Receipt | None:
    """The receipt made of two texts of the bundle, or None with the reason noted."""
    evidence = case.bundle.evidence
    if not evidence(record):
        case.note(f"no {kind} was shown")
        return None
    ledger = case.state.programme.word("ledger")
    try:
        receipt = verify_receipt(evidence(record), evidence(proof), case.policy, ledger)
        if receipt.record.kind != kind:
            raise MalformedError(f"{receipt.record.kind} record where {kind} is due")
        if receipt.record.hash("programme") != case.state.programme_hash:
            raise UnverifiedError("it belongs to another programme")
    except SafeconductError as error:
        case.note(f"the {kind} does not hold: {error.message}")
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


def _statement(case: _Case, kind: str, receipt: Receipt) -> str:
    """The word that the desk's signed `kind` record says about the contribution."""
    word, otherwise, words = _STATED[kind]
    stated = _receipt(case, kind, f"{kind}_proof", kind)
    if stated is None:
        return otherwise
    try:
        epoch = case.state.epoch(stated.record.number("epoch"))
        verify_signer(parse_signed(case.bundle.evidence(kind), kind), epoch.statement)
        check_in_epoch(epoch, stated.logged_by)
        if stated.record.hash("record") != receipt.record_hash:
            raise UnverifiedError("it speaks of another contribution")
        if stated.record.word(word) not in words:
            raise MalformedError(f"its {word} is no word of this protocol")
    except SafeconductError as error:
        case.note(f"the {kind} does not hold: {error.message}")
        return otherwise
    return stated.record.word(word)


# A public statement.


def _statement_item(case: _Case) -> dict[str, Json]:
    item: dict[str, Json] = {
        name: case.judgements[name]
        for name in ("denounces", "speaker_is_claimant", "withdrawn")
    }
    receipt = _receipt(case, "record", "proof", "capture")
    item["made"] = "absent"
    if receipt is None or not _statement_shown(case, receipt):
        item["speaker_is_claimant"] = False
        return item
    item["made"] = [None, receipt.logged_by]
    return item


def _statement_shown(case: _Case, receipt: Receipt) -> bool:
    """Whether the capture shown is the one logged and holds the statement relied on."""
    public = case.bundle.evidence("capture")
    try:
        if case.claim.hash("record") != receipt.record_hash:
            raise UnverifiedError("the claim names another capture")
        if hashlib.sha256(public).digest() != receipt.record.hash("public"):
            raise UnverifiedError("its public part is not the one that was logged")
        statements = check_capture(public).statements
        if case.bundle.fields["statement"] not in {str(i) for i in range(len(statements))}:
            raise UnverifiedError("it has no such statement")
    except SafeconductError as error:
        case.note(f"the capture does not hold: {error.message}")
        return False
    return True


_ITEMS: dict[str, Callable[[_Case], dict[str, Json]]] = {
    "credited": _credited_item,
    "denounced": _statement_item,
    "helped": _tip_item,
}
