"""Withdrawals: by the author of the tip and nobody else."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.builders import (
    DESK,
    PROGRAMME,
    author_seeds,
    seal,
    sealed,
    source_keys,
)

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.dual import sign_dual
from safeconduct.protocol.record import (
    NO_HASH,
    Value,
    format_record,
    make_record,
    record_hash,
    sign_record,
)
from safeconduct.protocol.withdrawal import (
    open_withdrawal,
    sign_withdrawal,
    verify_withdrawal,
)

CONTRIBUTION = format_record(sealed().record)
DIGEST = record_hash(CONTRIBUTION)
SIGNED = sign_withdrawal(source_keys(), sealed().pre, programme=PROGRAMME, record=DIGEST)


def other(number: int = 0, **changes: Value) -> bytes:
    """A withdrawal with the keys of contribution `number`, changed in these fields."""
    keys = source_keys(number)
    ed25519, mldsa65 = keys.author_public()
    fields: dict[str, Value] = {
        "programme": PROGRAMME,
        "record": DIGEST,
        "ed25519": ed25519,
        "mldsa65": mldsa65,
        "blind": keys.blind(sealed().pre),
    }
    return sign_dual(make_record("withdrawal", **fields | changes), *author_seeds(keys))


def without_the_second_signature() -> bytes:
    return b"".join(SIGNED.splitlines(keepends=True)[:-1])


def test_the_author_withdraws_a_tip() -> None:
    found = verify_withdrawal(SIGNED, CONTRIBUTION)
    assert (found.programme, found.contribution) == (PROGRAMME, DIGEST)
    assert found.hash == record_hash(SIGNED)
    assert open_withdrawal(SIGNED).hash("record") == DIGEST


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "another contribution of the same source": (lambda: other(1), "not by the contribution's"),
    "another blind": (lambda: other(blind=bytes(16)), "not by the contribution's"),
    "another contribution's hash": (lambda: other(record=NO_HASH), "another contribution"),
    "another programme": (lambda: other(programme=NO_HASH), "another programme"),
    "one signature only": (without_the_second_signature, "one Ed25519 and one ML-DSA-65"),
    "the desk's signature": (
        lambda: sign_record(open_withdrawal(SIGNED), [DESK]),
        "one Ed25519 and one ML-DSA-65",
    ),
    "changed after it was signed": (
        lambda: SIGNED.replace(DIGEST.hex().encode(), bytes(32).hex().encode()),
        "signature",
    ),
    "another kind": (lambda: CONTRIBUTION, "no empty line"),
}


@pytest.mark.parametrize(("signed", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_tip_is_not_withdrawn_by(signed: Callable[[], bytes], reason: str) -> None:
    with pytest.raises((MalformedError, UnverifiedError), match=reason):
        verify_withdrawal(signed(), CONTRIBUTION)


def test_an_opening_by_the_same_keys_withdraws_nothing() -> None:
    keys = source_keys()
    ed25519, mldsa65 = keys.author_public()
    opening = make_record(
        "opening",
        programme=PROGRAMME,
        record=DIGEST,
        scope="all",
        items=NO_HASH,
        purpose="court",
        ed25519=ed25519,
        mldsa65=mldsa65,
        blind=keys.blind(sealed().pre),
    )
    with pytest.raises(MalformedError, match="not withdrawal"):
        verify_withdrawal(sign_dual(opening, *author_seeds(keys)), CONTRIBUTION)


def test_a_withdrawal_of_one_tip_is_none_of_another() -> None:
    second = seal(number=1)
    with pytest.raises(UnverifiedError, match="another contribution"):
        verify_withdrawal(SIGNED, format_record(second.record))


@given(st.binary(max_size=300))
def test_any_bytes_are_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        verify_withdrawal(data, CONTRIBUTION)
