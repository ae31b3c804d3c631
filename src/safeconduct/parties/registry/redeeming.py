"""Redeem: a decision for the person on a credit uses the credit up, once and for all.

Spec: docs/3-protocol.md §10.4.
"""

from safeconduct.parties.registry.casefile import Proposed, read_proposed, standing_decision
from safeconduct.parties.registry.receive import Registry
from safeconduct.parties.registry.store import UsedUp
from safeconduct.plumbing.logs import log_record
from safeconduct.protocol.canonical import format_json
from safeconduct.protocol.case import Event
from safeconduct.protocol.claim import redemption_record
from safeconduct.protocol.credit import group_hash
from safeconduct.protocol.decision import used_up
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.record import Record, sign_record

_STATES = frozenset({"decided", "final", "appeal_decided"})


def redeems(proposed: Proposed, decision: Record, state: GazetteState) -> UsedUp | None:
    """The credit that a decision would use up, with how many of its kind were issued."""
    credit = used_up(proposed.bundle, decision, state)
    if credit is None:
        return None
    issued = state.credit_count(credit.group).issued
    return UsedUp(nullifier=credit.nullifier, kind=group_hash(credit.group), issued=issued)


def redeem(registry: Registry, claim: bytes) -> None:
    """Log the redemption of the credit that a decision has used up, and note it in the case.

    Nothing happens if there is none, if it was logged before, or while the case is suspended.
    """
    case = registry.store.case(claim)
    standing = standing_decision(case)
    if "redeemed" in case.latest or case.state not in _STATES or standing is None:
        return
    kind, entered = standing
    proposed = read_proposed(
        case, {"decided": "proposed", "appeal_decided": "appeal_proposed"}[kind]
    )
    if proposed.bundle.limb != "credited":
        return
    credit = used_up(proposed.bundle, entered.record, registry.gazette().state)
    if credit is None:
        return
    # Signed alike each time, so that a second attempt finds the first one's place in the log.
    signed = sign_record(redemption_record(proposed.bundle, credit), [registry.key])
    proof, _ = log_record(registry.programme, signed)
    data = format_json({"proof": proof.decode("utf-8"), "redemption": signed.decode("utf-8")})
    registry.store.append(claim, Event(kind="redeemed", at=registry.seconds(), data=data))
