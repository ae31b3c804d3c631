"""What a claim is decided with: texts that the registry learned later, and further claims.

    assessment   of the desk, on a tip
    withdrawal   the author took the tip back: from the Ledger, by way of the desk
    redemption   the credit was used up in another case: from the registry's own store
    joined       other claims of the same person, decided together with this one

Spec: docs/3-protocol.md §10.2, §15.1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from safeconduct.errors import RefusedError
from safeconduct.parties.registry.casefile import filed_bundle, read_proposed
from safeconduct.parties.registry.receive import Registry
from safeconduct.plumbing.logs import log_record
from safeconduct.protocol.canonical import parse_json
from safeconduct.protocol.case import Event, next_state
from safeconduct.protocol.claim import Bundle, check_joinable, credit_held, with_added
from safeconduct.protocol.decision import Joined, Proposal, check_claim_dated, propose
from safeconduct.protocol.gazette import GazetteState

NOTHING = (b"", b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """Signed records that were handed to the registry, each with its tlog proof, or empty."""

    assessment: tuple[bytes, bytes] = NOTHING
    withdrawal: tuple[bytes, bytes] = NOTHING


def complete(registry: Registry, bundle: Bundle, added: Added, state: GazetteState) -> Bundle:
    """The claim with all that is known of what it relies on.

    Raises:
        RefusedError: something was handed over that has no place on this limb.
    """
    if bundle.limb == "credited" and any(added.assessment + added.withdrawal):
        raise RefusedError(
            "a credit names no tip, so there is none to be assessed",
            hint="do not ask which tip it was",
        )
    if bundle.limb == "denounced":
        if any(added.withdrawal):
            raise RefusedError(
                "a public statement is withdrawn in public", hint="judge it: withdrawn=yes"
            )
        return bundle
    if bundle.limb == "credited":
        record, proof = _redemption(registry, bundle, state)
        return with_added(bundle, redemption=record, redemption_proof=proof)
    texts = dict(
        zip(
            ("assessment", "assessment_proof", "withdrawal", "withdrawal_proof"),
            (each.decode("utf-8") for each in added.assessment + added.withdrawal),
            strict=True,
        )
    )
    return with_added(bundle, **texts)


def _redemption(registry: Registry, bundle: Bundle, state: GazetteState) -> tuple[str, str]:
    """The redemption by which another claim used this credit up; empty if none has."""
    credit = credit_held(bundle, state)
    other = registry.store.redeemed_by(credit.nullifier) if credit else None
    if other is None or other == bundle.claim_hash:
        return "", ""
    case = registry.store.case(other)
    if "redeemed" not in case.latest:
        return "", ""
    value = parse_json(case.latest["redeemed"].data, "event")
    assert isinstance(value, dict)
    return str(value["redemption"]), str(value["proof"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """A claim with all that is known of it, its date, and those decided together with it."""

    bundle: Bundle
    claim_proof: bytes
    claimed_at: int
    joined: tuple[Joined, ...]

    @property
    def bundles(self) -> tuple[Bundle, ...]:
        """The claim, and those that are decided with it."""
        return (self.bundle, *(one.bundle for one in self.joined))


def gather(
    registry: Registry, claim: bytes, added: Added, state: GazetteState, joined: Sequence[bytes]
) -> Gathered:
    """What a claim is decided on: what is known of it, and the claims `joined` to it.

    Raises:
        RefusedError: as `complete` and `join`.
        UnverifiedError: the claim had expired before it was logged.
    """
    bundle = complete(registry, filed_bundle(registry.store.case(claim)), added, state)
    others = join(registry, bundle, joined)
    proof, claimed_at = dated(registry, bundle)
    return Gathered(bundle=bundle, claim_proof=proof, claimed_at=claimed_at, joined=others)


def proposal_for(
    registry: Registry,
    gathered: Gathered,
    state: GazetteState,
    judgements: Mapping[str, bool],
    at: int,
) -> Proposal:
    """What the law says of it at `at`, POSIX seconds. Raises as `propose`."""
    return propose(
        gathered.bundle,
        state,
        registry.programme.policy,
        judgements,
        at,
        joined=gathered.bundles[1:],
        claimed_at=gathered.claimed_at,
    )


def dated(registry: Registry, bundle: Bundle) -> tuple[bytes, int]:
    """The proof of when the claim was logged, while it was good; and when that was.

    Raises:
        UnverifiedError: it had expired by then.
    """
    proof, receipt = log_record(registry.programme, bundle.claim)
    check_claim_dated(bundle.record, receipt.logged_by)
    return proof, receipt.logged_by


def join(registry: Registry, lead: Bundle, claims: Sequence[bytes]) -> tuple[Joined, ...]:
    """The other claims that are to be decided with `lead`, each as it was proposed last.

    Raises:
        RefusedError: one of them was decided, joined elsewhere, or may not be joined.
    """
    bundles = [_joinable(registry, lead, claim) for claim in claims]
    check_joinable([lead, *bundles])
    return tuple(
        Joined(bundle=bundle, claim_proof=dated(registry, bundle)[0]) for bundle in bundles
    )


def check_one_person(joined: Sequence[bytes], judgements: Mapping[str, bool]) -> None:
    """Return unless claims are to be joined of which the board says that it is not the person.

    A name and a number stand in the register for everybody to see: whoever files a claim in
    them must not get, at their own page, the letter and the evidence of whom they name.

    Raises:
        RefusedError: they are.
    """
    if joined and not judgements.get("claimant_is_subject", True):
        raise RefusedError(
            "claims are decided together only where they are found to be one person's",
            hint="propose each by itself, without the others",
        )


def _joinable(registry: Registry, lead: Bundle, claim: bytes) -> Bundle:
    case = registry.store.case(claim)
    with_this = "joined" in case.latest and case.latest["joined"].data == lead.claim_hash
    if not with_this:
        next_state(case.state, "joined")
    if "proposed" in case.latest:
        return read_proposed(case).bundle
    return with_added(filed_bundle(case))


def leading(registry: Registry, claim: bytes) -> bytes:
    """The claim in whose case this one is decided: itself, unless it was joined to another.

    Raises:
        RefusedError: no such case.
    """
    case = registry.store.case(claim)
    return case.latest["joined"].data if "joined" in case.latest else claim


def joined_to(registry: Registry, lead: bytes) -> tuple[bytes, ...]:
    """The claims that ended with the one that leads, in the order of filing."""
    subject = filed_bundle(registry.store.case(lead)).record.word("subject")
    about = registry.store.claims_about(subject)
    return tuple(one for one in about if one != lead and leading(registry, one) == lead)


def decided_with(registry: Registry, claim: bytes) -> tuple[bytes, ...]:
    """The other claims that this one is decided together with, in the order of filing."""
    lead = leading(registry, claim)
    others = (lead, *joined_to(registry, lead))
    return tuple(one for one in others if one != claim)


def ending_with(
    registry: Registry, lead: bytes, joined: Sequence[Joined], at: int
) -> tuple[tuple[bytes, Event], ...]:
    """The events by which the joined cases end with the one that leads.

    Raises:
        RefusedError: one of them was decided, or joined to another, since it was proposed.
    """
    ending: list[tuple[bytes, Event]] = []
    for one in joined:
        claim = one.bundle.claim_hash
        case = registry.store.case(claim)
        if "joined" in case.latest and case.latest["joined"].data == lead:
            continue  # by the decision that came back
        next_state(case.state, "joined")
        ending.append((claim, Event(kind="joined", at=at, data=lead)))
    return tuple(ending)
