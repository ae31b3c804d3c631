"""Redemptions: which credits were used up, as far as the public may see it.

A redemption shows when its decision is final, not before: until then nothing about a case is
public, and an appeal may still suspend it.

Spec: docs/3-protocol.md §10.4, §16.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from safeconduct.parties.registry.receive import Registry
from safeconduct.protocol.canonical import parse_json
from safeconduct.protocol.claim import open_redemption
from safeconduct.protocol.gazette import CreditGroup, GazetteState, credit_group, credit_terms
from safeconduct.protocol.record import Record, Value, make_record


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """A logged redemption: the signed record, its tlog proof, and the credit's nullifier."""

    signed: bytes
    proof: bytes
    group: CreditGroup
    nullifier: bytes


def final_redemptions(registry: Registry, state: GazetteState) -> Iterator[Redemption]:
    """Every redemption whose decision became final, in the order of filing.

    One that did stays, though an appeal dated in time may come to light afterwards: it may have
    been shown and counted, and the credit is used up all the same.
    """
    for filed in registry.store.cases():
        case = registry.store.case(filed.claim)
        if not {"final", "redeemed"} <= case.latest.keys():
            continue
        value = parse_json(case.latest["redeemed"].data, "event")
        assert isinstance(value, dict)
        signed = str(value["redemption"]).encode("utf-8")
        record = open_redemption(signed, state)
        yield Redemption(
            signed=signed,
            proof=str(value["proof"]).encode("utf-8"),
            group=credit_group(record),
            nullifier=record.hash("nullifier"),
        )


def count_redeemed(registry: Registry, state: GazetteState) -> Counter[CreditGroup]:
    """How many credits of each group were redeemed, for the board's `credit-count`."""
    return Counter(one.group for one in final_redemptions(registry, state))


def credit_count(registry: Registry, group: CreditGroup, issued: int) -> Record:
    """The next `credit-count`, for the board to sign: it knows how many were `issued`.

    More redeemed than issued is counted like anything else: it must show.

    Raises:
        MalformedError: no law grants such credits.
        UnverifiedError: no such statute was published.
    """
    state = registry.gazette().state
    credit_terms(state, group)
    named: dict[str, Value] = {
        "statute": group.statute,
        "class": group.word,
        "period": group.period,
    }
    return make_record(
        "credit-count",
        programme=registry.programme.hash,
        number=len(state.credit_counts) + 1,
        **named,
        issued=issued,
        redeemed=count_redeemed(registry, state)[group],
    )
