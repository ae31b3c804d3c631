"""Votes and appeals behind published decisions: who decided, and that nothing came too early.

`decision.recheck` has recomputed each decision by itself, with its votes and its appeal. Here
the decisions of one folder are set against each other, and what was found is put into words.
"""

from dataclasses import dataclass, field
from functools import partial

from safeconduct.parties.auditor import finding
from safeconduct.parties.auditor.finding import Failed, Findings, attempt
from safeconduct.parties.auditor.ground import Ground
from safeconduct.parties.auditor.tree import check_stands
from safeconduct.protocol.decision import Claimed, Rechecked
from safeconduct.protocol.tlog.policy import Logged


@dataclass(slots=True, kw_only=True)
class Seen:
    """The decisions that were looked at so far, in the order of the Gazette."""

    published: dict[bytes, str] = field(default_factory=dict)  # by record hash, its file
    acquitted: dict[bytes, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    """By contribution or credit: whom it helped, and who is said to have done it together."""


def find_receipts(ground: Ground, name: str, found: Rechecked) -> Findings:
    """Whether decision, claims and appeal stand in the Ledger copy, where receipts say so."""
    for what, logged, entry in places(found):
        yield from attempt(
            partial(_check_logged, ground, logged, entry),
            name,
            f"{what} at its place in the Ledger copy",
            finding.RECEIPT_FAULTY,
        )


def _check_logged(ground: Ground, logged: Logged, entry: bytes) -> None:
    check_stands(ground.whole_ledger, logged, entry)


def places(found: Rechecked) -> list[tuple[str, Logged, bytes]]:
    """Everything that a decision says the Ledger holds."""
    held = [
        ("a decision", found.logged, found.record_hash),
        ("a claim", found.claim_logged, found.claim_hash),
    ]
    held += [("a joined claim", one.logged, one.claim_hash) for one in found.joined]
    if found.appeal is not None:
        first = found.appeal.first
        held += [
            ("an appeal", found.appeal.logged, found.appeal.record_hash),
            ("the decision appealed against", first.logged, first.record_hash),
        ]
    return held


def find_contested(name: str, found: Rechecked, seen: Seen) -> Findings:
    """Whether nothing was published while an appeal against it was open."""
    seen.published[found.record_hash] = name
    if found.appeal is None:
        return
    earlier = seen.published.get(found.appeal.first.record_hash)
    if earlier is not None:
        yield Failed(
            file=earlier,
            found=f"{found.subject}: {found.appeal.first.outcome}, published",
            expected="nothing, while the appeal against it was open",
            proves=finding.PUBLISHED_SUSPENDED,
        )


def find_helped_two(name: str, found: Rechecked, seen: Seen) -> Findings:
    """The same contribution or credit, shown by two persons who were both acquitted on it.

    Who did it together, by the same list in each claim, may each be acquitted on it.
    """
    lead = (found.relied_on, found.credit is not None, found.joint)
    shown = [lead, *(_shown(one) for one in found.joined)]
    for relied_on, by_credit, joint in shown:
        if relied_on is None:
            continue
        first, together = seen.acquitted.setdefault(relied_on, (found.subject, joint))
        alike = bool(joint) and joint == together
        if first != found.subject and not alike:
            what = "credit" if by_credit else "contribution"
            yield Failed(
                file=name,
                found=f"{found.subject}: {found.outcome} on {what} {relied_on.hex()}",
                expected=f"another {what}: {first} was acquitted on this one",
                proves=finding.HELPED_TWO,
            )


def _shown(claimed: Claimed) -> tuple[bytes | None, bool, tuple[str, ...]]:
    return claimed.relied_on, claimed.credit is not None, claimed.joint


def told(found: Rechecked) -> str:
    """What was decided and how, in words."""
    said = f"{found.outcome} under {', '.join(found.sections)}"
    if found.departed:
        said = (
            f"{found.outcome}: DEPARTS from the statute, which yields {found.yielded} under "
            f"{', '.join(found.sections)}, because: {found.departure}"
        )
    return said


def beside(found: Rechecked) -> str:
    """What else there is to say of a decision: rival law, joined claims, votes, appeal."""
    said = ""
    if found.competing:
        said += f"; another version of the law yields {found.competing}"
    if found.joined:
        said += f"; decided together with claims: {len(found.joined)}"
    return said + _votes(found) + _appeal(found)


def _votes(found: Rechecked) -> str:
    counted = found.tally
    if counted is None:
        return "; no votes recorded"
    said = f"; votes for it {len(counted.in_favour)}, against {len(counted.against)}"
    if counted.conflicted:
        said += f", kept out by a conflict: {', '.join(counted.conflicted)}"
    return said


def _appeal(found: Rechecked) -> str:
    if found.appeal is None:
        return ""
    late = "" if found.appeal.in_time else ", in time by the registry's word alone"
    return (
        f"; on appeal ({found.appeal.ground}{late}): {found.result} of "
        f"{found.appeal.first.outcome}"
    )
