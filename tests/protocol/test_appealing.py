"""Whose an appeal is: the key of a claim that was decided, and against what it is made."""

from collections.abc import Callable

import pytest
from tests.protocol import builders
from tests.protocol.decided import bundle_of

from safeconduct.errors import MalformedError, SafeconductError, UnverifiedError
from safeconduct.protocol.decision import appellants, check_appeal, open_appeal
from safeconduct.protocol.record import Value, make_record, sign_record
from safeconduct.protocol.tlog.note import SigningKey

DECISION = bytes([9]) * 32


STRANGER = SigningKey(name="claimant", seed=builders.STRANGER.seed)


def own(number: int = 0) -> SigningKey:
    seed = builders.source_keys(number).derive("author-ed25519")
    return SigningKey(name="claimant", seed=seed)


def appeal(key: SigningKey, /, **changes: Value) -> bytes:
    fields: dict[str, Value] = {
        "programme": builders.PROGRAMME,
        "decision": DECISION,
        "ground": "fact",
        "reasons": bytes(32),
        "ed25519": key.verifier().public,
    }
    return sign_record(make_record("appeal", **fields | changes), [key])


def test_the_key_of_every_claim_decided_may_appeal() -> None:
    keys = appellants([bundle_of()])
    assert keys == {own().verifier().public}
    both = keys | {own(1).verifier().public}
    for number in (0, 1):
        found = open_appeal(appeal(own(number)), both)
        check_appeal(found, DECISION)
    with pytest.raises(UnverifiedError, match="key of a claim"):
        open_appeal(appeal(own(1)), keys)


def test_where_claims_are_sealed_whose_key_it_is_cannot_be_seen() -> None:
    assert open_appeal(appeal(STRANGER), None).word("ground") == "fact"


WRONG: dict[str, tuple[type[SafeconductError], Callable[[], bytes]]] = {
    "a stranger's": (UnverifiedError, lambda: appeal(STRANGER)),
    "another key under ours": (
        UnverifiedError,
        lambda: appeal(STRANGER, ed25519=own().verifier().public),
    ),
    "ours under another key": (
        UnverifiedError,
        lambda: appeal(own(), ed25519=STRANGER.verifier().public),
    ),
    "signed twice": (
        UnverifiedError,
        lambda: appeal(own()) + appeal(STRANGER).split(b"\n\n")[1],
    ),
    "unsigned": (MalformedError, lambda: appeal(own()).split(b"\n\n")[0] + b"\n"),
    "cut": (MalformedError, lambda: appeal(own())[:-2]),
    "empty": (MalformedError, lambda: b""),
}


@pytest.mark.parametrize("what", WRONG)
def test_no_other_appeal_is_opened(what: str) -> None:
    family, make = WRONG[what]
    with pytest.raises(family):
        open_appeal(make(), appellants([bundle_of()]))


def test_nobody_may_appeal_where_no_claim_was_decided() -> None:
    with pytest.raises(UnverifiedError):
        open_appeal(appeal(own()), frozenset())


def test_an_appeal_is_against_one_decision_on_a_ground_there_is() -> None:
    found = open_appeal(appeal(own()), None)
    with pytest.raises(UnverifiedError, match="another decision"):
        check_appeal(found, bytes(32))
    with pytest.raises(MalformedError, match="ground is one of"):
        check_appeal(open_appeal(appeal(own(), ground="mood"), None), DECISION)
