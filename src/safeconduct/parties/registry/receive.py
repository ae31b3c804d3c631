"""Receive a claim: a challenge goes out, a signed bundle comes back, the Ledger dates it.

Spec: docs/3-protocol.md §10, §15.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from safeconduct.errors import RefusedError
from safeconduct.parties.registry.store import Filed, Store
from safeconduct.plumbing import clock, dice
from safeconduct.plumbing.keys import load_signing_key
from safeconduct.plumbing.logs import GazetteView, log_record, read_gazette
from safeconduct.plumbing.programme import Programme, load_programme
from safeconduct.protocol.case import Event
from safeconduct.protocol.claim import check_terms, parse_bundle
from safeconduct.protocol.tlog.note import SigningKey

CHALLENGE_BYTES = 32
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

    def gazette(self) -> GazetteView:
        """The Gazette now."""
        return read_gazette(self.programme)


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
    """32 fresh bytes for one claimant to sign; good for a day and for one claim."""
    fresh = registry.random_bytes(CHALLENGE_BYTES)
    registry.store.issue(fresh, registry.seconds())
    return fresh


def receive(registry: Registry, data: bytes) -> Filed:
    """Take in a claim bundle; returns the case. The same bundle again finds the same case.

    Raises:
        MalformedError: not a bundle.
        UnverifiedError: its signatures, name, audience or expiry do not hold.
        RefusedError: no open challenge, or nobody of that number is in the register.
        ConflictError: the challenge was used already.
    """
    bundle = parse_bundle(data)
    now = registry.seconds()
    check_terms(
        bundle.record, programme=registry.programme.hash, audience=registry.key.name, at=now
    )
    state = registry.gazette().state
    subject = bundle.record.word("subject")
    if subject not in {listed.word("subject") for listed in state.publications}:
        raise RefusedError(f"{subject} is not in the register", hint="look the number up there")
    state.statute(bundle.record.hash("statute"))
    event = Event(kind="filed", at=now, data=bundle.data)
    filed = registry.store.open_case(bundle.claim_hash, bundle.record.hash("challenge"), event)
    log_record(registry.programme, bundle.claim)
    return filed
