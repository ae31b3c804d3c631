"""Receive a claim: a challenge goes out, a signed bundle comes back, the Ledger dates it.

Spec: docs/3-protocol.md §10, §15.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from safeconduct.errors import RefusedError, SafeconductError
from safeconduct.parties.registry.store import Filed, Store
from safeconduct.plumbing import clock, dice
from safeconduct.plumbing.keys import load_signing_key
from safeconduct.plumbing.logs import GazetteView, log_record, read_gazette
from safeconduct.plumbing.programme import Programme, load_programme
from safeconduct.protocol.canonical import derive_key, u64
from safeconduct.protocol.case import Event
from safeconduct.protocol.claim import (
    Bundle,
    check_terms,
    parse_bundle,
    relied_on,
    shown_credit,
    with_added,
)
from safeconduct.protocol.decision import favours_person, shared_by
from safeconduct.protocol.gazette import GazetteState, credit_group, credit_terms
from safeconduct.protocol.tlog.note import SigningKey

CHALLENGE_SECONDS = 86_400
_TIME_BYTES = 8
_HEAD_BYTES = 16
_MAC_BYTES = 16
KEY_FILE = "registry.key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """The registry at work: its programme, key, store, folders and clock."""

    programme: Programme
    key: SigningKey
    store: Store
    folder: Path
    seconds: Callable[[], int]
    random_bytes: Callable[[int], bytes]

    def gazette(self, before: GazetteView | None = None) -> GazetteView:
        """The Gazette now; of what was read `before`, nothing is read again."""
        return read_gazette(self.programme, before=before)


def open_registry(folder: Path) -> Registry:
    """The registry whose files lie in `folder`."""
    return Registry(
        programme=load_programme(folder),
        key=load_signing_key(folder / KEY_FILE),
        store=Store(folder),
        folder=folder,
        seconds=clock.seconds,
        random_bytes=dice.random_bytes,
    )


def challenge(registry: Registry) -> bytes:
    """32 fresh bytes for one claimant to sign; good for a day and for one claim.

        POSIX seconds (u64) ‖ chance (8) ‖ MAC (16)

    Nothing is kept of it, so that asking for many locks nobody out. Spec: §15.5.
    """
    head = u64(registry.seconds()) + registry.random_bytes(_HEAD_BYTES - _TIME_BYTES)
    return head + _mac(registry.key, head)


def _mac(key: SigningKey, head: bytes) -> bytes:
    return hmac.digest(derive_key(key.seed, "challenge"), head, "sha256")[:_MAC_BYTES]


def _check_challenge(registry: Registry, answered: bytes, at: int) -> None:
    head, mac = answered[:_HEAD_BYTES], answered[_HEAD_BYTES:]
    issued_at = int.from_bytes(head[:_TIME_BYTES], "big")
    genuine = hmac.compare_digest(mac, _mac(registry.key, head))
    if not genuine or at > issued_at + CHALLENGE_SECONDS:
        raise RefusedError(
            "the claim answers no open challenge of this registry",
            hint="ask for a new challenge and sign again",
        )


def receive(registry: Registry, data: bytes) -> Filed:
    """Take in a claim bundle; returns the case. The same bundle again finds the same case.

    Raises:
        MalformedError: not a bundle.
        UnverifiedError: its signatures, name, evidence, audience or expiry do not hold.
        RefusedError: no open challenge, nobody of that number is in the register, the law was
            applied in that person's favour already, or too few credits of the kind shown were
            issued yet.
        ConflictError: the challenge was used already, or the contribution or credit was claimed
            under another number, or the credit redeemed.
    """
    # What the desk says is asked of the desk: whoever forwards a claim adds nothing to it.
    bundle = with_added(parse_bundle(data))
    now = registry.seconds()
    if not registry.store.holds(bundle.claim_hash):
        _check_new(registry, bundle, now)
    filed = registry.store.open_case(
        bundle.claim_hash,
        challenge=bundle.record.hash("challenge"),
        page=bundle.page_key,
        subject=bundle.record.word("subject"),
        event=Event(kind="filed", at=now, data=bundle.data),
        relied_on=relied_on(bundle),
        joint=_joint(registry, bundle),
    )
    log_record(registry.programme, bundle.claim)
    return filed


def _joint(registry: Registry, bundle: Bundle) -> str:
    """Who did together what is relied on, as far as the law lets several claim on it."""
    if "joint" not in bundle.fields or registry.store.holds(bundle.claim_hash):
        return ""
    return bundle.fields["joint"] if shared_by(bundle, registry.gazette().state) else ""


def _check_new(registry: Registry, bundle: Bundle, now: int) -> None:
    check_terms(
        bundle.record, programme=registry.programme.hash, audience=registry.key.name, at=now
    )
    _check_challenge(registry, bundle.record.hash("challenge"), now)
    state = registry.gazette().state
    state.statute(bundle.record.hash("statute"))
    subject = bundle.record.word("subject")
    if subject not in {listed.word("subject") for listed in state.publications}:
        raise RefusedError(f"{subject} is not in the register", hint="look the number up there")
    if stands_in_favour(state, subject):
        raise RefusedError(
            f"the law was applied in favour of {subject} already", hint="nothing is left to ask"
        )
    _check_crowd(bundle, state)


def _check_crowd(bundle: Bundle, state: GazetteState) -> None:
    """Check that a credit shown is one of many, lest it point to the tip that earned it."""
    credit = shown_credit(bundle)
    if credit is None:
        return
    group = credit_group(credit)
    try:
        needed = credit_terms(state, group).minimum_issued
    except SafeconductError:
        return  # No law grants such a credit: the decision will say so.
    issued = state.credit_count(group).issued
    if issued < needed:
        raise RefusedError(
            f"{issued} credits of class {group.word}, period {group.period}, are counted as "
            f"issued in the Gazette, and none is redeemed before there are {needed}",
            hint="keep the credit, and claim when the board has counted enough of them",
        )


def stands_in_favour(state: GazetteState, subject: str) -> bool:
    """Whether the newest publication about a register number favours its person."""
    about = [one for one in state.publications if one.word("subject") == subject]
    return bool(about) and favours_person(about[-1], state)
