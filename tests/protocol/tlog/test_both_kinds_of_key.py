"""Policies whose logs and witnesses sign with Ed25519, ML-DSA-44 or both."""

from dataclasses import replace

import pytest
from tests.protocol.tlog.sample_log import (
    LOG,
    LOG_44,
    LOG_VKEY,
    NOON,
    ORIGIN,
    VKEYS,
    W1_44,
    checkpoint_text,
    cosigned,
)

from safeconduct.errors import UnverifiedError
from safeconduct.protocol.tlog.cosignature import cosign, sign_as_log
from safeconduct.protocol.tlog.note import (
    Note,
    SignatureLine,
    SigningKey,
    format_note,
    format_vkey,
)
from safeconduct.protocol.tlog.policy import format_policy, open_checkpoint, parse_policy

MLDSA_VKEY = format_vkey(LOG_44.verifier())
W1, W2 = (f"witness {name} {VKEYS[name]}\n" for name in ("W1", "W2"))

BOTH_KINDS = parse_policy(
    (
        f"log {LOG_VKEY}\nlog {format_vkey(LOG_44.verifier())}\n{W1}"
        f"witness W1-44 {format_vkey(W1_44.verifier())}\n{W2}"
        "group W1-both all W1 W1-44\ngroup G all W1-both W2\nquorum G\n"
    ).encode()
)


def signed_by(*log_keys: SigningKey, times: dict[str, int], at_44: int | None = None) -> Note:
    """A checkpoint signed by keys of the log, then dated by witnesses, W1's second key last."""
    text = checkpoint_text()
    logs = [sign_as_log(text, key, NOON) for key in log_keys]
    second = [] if at_44 is None else [cosign(text, W1_44, at_44)]
    return Note(text=text, signatures=(*logs, *cosigned(times).signatures[1:], *second))


TWO_OF_TWO = {"W1": NOON, "W2": NOON + 1}


@pytest.mark.parametrize("keys", [(LOG,), (LOG_44,), (LOG, LOG_44)])
def test_any_key_of_the_log_and_both_of_a_witness_open_a_checkpoint(
    keys: tuple[SigningKey, ...],
) -> None:
    data = format_note(signed_by(*keys, times=TWO_OF_TWO, at_44=NOON + 7))
    opened = open_checkpoint(data, BOTH_KINDS, ORIGIN)
    assert opened.logged_by == NOON + 7
    assert opened.cosignatures == (("W1", NOON), ("W2", NOON + 1), ("W1-44", NOON + 7))


def test_a_witness_with_one_of_two_keys_is_not_enough_where_both_are_asked_for() -> None:
    with pytest.raises(UnverifiedError, match="do not reach"):
        open_checkpoint(format_note(signed_by(LOG_44, times=TWO_OF_TWO)), BOTH_KINDS)


def spoilt(line: SignatureLine) -> SignatureLine:
    return replace(line, blob=line.blob[:-1] + bytes([line.blob[-1] ^ 1]))


@pytest.mark.parametrize("place", range(5))
def test_a_bad_line_of_any_listed_key_spoils_the_rest(place: int) -> None:
    note = signed_by(LOG, LOG_44, times=TWO_OF_TWO, at_44=NOON)
    lines = list(note.signatures)
    lines[place] = spoilt(lines[place])
    with pytest.raises(UnverifiedError, match="bad signature"):
        open_checkpoint(format_note(Note(text=note.text, signatures=tuple(lines))), BOTH_KINDS)


def test_extension_lines_cannot_be_smuggled_under_ml_dsa_signatures() -> None:
    policy = parse_policy(
        f"log {MLDSA_VKEY}\nwitness W {format_vkey(W1_44.verifier())}\nquorum W\n".encode()
    )
    note = signed_by(LOG_44, times={}, at_44=NOON)
    assert open_checkpoint(format_note(note), policy).logged_by == NOON
    with pytest.raises(UnverifiedError, match="extension lines"):
        open_checkpoint(format_note(replace(note, text=note.text + "smuggled\n")), policy)


def test_a_policy_of_both_kinds_is_read_back_as_it_was() -> None:
    assert parse_policy(format_policy(BOTH_KINDS)) == BOTH_KINDS
