"""Passkeys: what an authenticator answers is taken only for this site, page and person."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.plumbing.authenticator import PRESENT, VERIFIED, Authenticator

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.plumbing.passkeys import (
    RESPONSE_CHARS_MAX,
    Passkey,
    Site,
    assertion_options,
    parse_answer,
    parse_origin,
    registration_options,
    verify_assertion,
    verify_registration,
)

SITE = Site(origin="https://board.example", name="Board of harbour")
CHALLENGE, OTHER = b"c" * 56, b"d" * 56
USER = b"u" * 32


def authenticator() -> Authenticator:
    return Authenticator(origin=SITE.origin, host=SITE.host)


def creation(challenge: bytes = CHALLENGE) -> str:
    return registration_options(
        SITE, user_id=USER, user_name="harbour/board/1", challenge=challenge, known=[b"k" * 16]
    )


def enrolled() -> tuple[Authenticator, Passkey]:
    maker = authenticator()
    return maker, verify_registration(maker.create(creation()), SITE, CHALLENGE)


def test_a_passkey_that_was_registered_signs_in() -> None:
    maker, passkey = enrolled()
    answer = maker.get(assertion_options(SITE, challenge=OTHER))
    said = parse_answer(answer)
    assert (said.credential_id, said.challenge, said.user_id) == (
        passkey.credential_id,
        OTHER,
        USER,
    )
    assert verify_assertion(answer, SITE, OTHER, passkey, USER) == passkey.sign_count + 1


def test_what_is_asked_for_is_discoverable_unlocked_and_unattested() -> None:
    made, got = json.loads(creation()), json.loads(assertion_options(SITE, challenge=OTHER))
    chosen = made["authenticatorSelection"]
    assert (chosen["residentKey"], chosen["userVerification"]) == ("required", "required")
    assert (made["attestation"], made["rp"]["id"]) == ("none", "board.example")
    assert len(made["excludeCredentials"]) == 1
    assert (got["userVerification"], got["allowCredentials"]) == ("required", [])


LIES: dict[str, tuple[Callable[[Authenticator], None], str]] = {
    "another origin": (lambda one: setattr(one, "origin", "https://evil.example"), "site"),
    "a longer origin": (lambda one: setattr(one, "origin", SITE.origin + ".evil"), "site"),
    "without TLS": (lambda one: setattr(one, "origin", "http://board.example"), "site"),
    "another host": (lambda one: setattr(one, "host", "example"), "site"),
    "not unlocked": (lambda one: setattr(one, "flags", PRESENT), "unlock"),
    "nobody there": (lambda one: setattr(one, "flags", VERIFIED), "hold"),
    "framed": (lambda one: setattr(one, "client", {"crossOrigin": True}), "another site"),
    "framed by": (lambda one: setattr(one, "client", {"topOrigin": "https://x"}), "another"),
    "another type": (lambda one: setattr(one, "client", {"type": "payment.get"}), "hold"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_registration_that_lies_is_refused(lie: str) -> None:
    maker, (spoil, said) = authenticator(), LIES[lie]
    spoil(maker)
    with pytest.raises(UnverifiedError, match=said):
        verify_registration(maker.create(creation()), SITE, CHALLENGE)


@pytest.mark.parametrize("lie", LIES)
def test_an_assertion_that_lies_is_refused(lie: str) -> None:
    (maker, passkey), (spoil, said) = enrolled(), LIES[lie]
    spoil(maker)
    with pytest.raises(UnverifiedError, match=said):
        verify_assertion(
            maker.get(assertion_options(SITE, challenge=OTHER)), SITE, OTHER, passkey, USER
        )


def test_an_answer_to_another_challenge_is_refused() -> None:
    maker, passkey = enrolled()
    with pytest.raises(UnverifiedError, match="another page"):
        verify_registration(maker.create(creation()), SITE, OTHER)
    answer = maker.get(assertion_options(SITE, challenge=OTHER))
    with pytest.raises(UnverifiedError, match="another page"):
        verify_assertion(answer, SITE, CHALLENGE, passkey, USER)


def test_a_counter_that_does_not_grow_is_refused_and_one_that_is_always_zero_is_not() -> None:
    maker, passkey = enrolled()
    maker.count = passkey.sign_count - 1
    answer = maker.get(assertion_options(SITE, challenge=OTHER))
    with pytest.raises(UnverifiedError, match="counter"):
        verify_assertion(answer, SITE, OTHER, passkey, USER)
    synced = Passkey(
        credential_id=passkey.credential_id, public_key=passkey.public_key, sign_count=0
    )
    maker.count = -1
    answer = maker.get(assertion_options(SITE, challenge=OTHER))
    assert verify_assertion(answer, SITE, OTHER, synced, USER) == 0


def test_another_key_or_person_is_refused() -> None:
    maker, passkey = enrolled()
    other = Authenticator(
        origin=SITE.origin, host=SITE.host, credential_id=b"x" * 32, user_id=USER
    )
    options = assertion_options(SITE, challenge=OTHER)
    with pytest.raises(UnverifiedError, match="another one"):
        verify_assertion(other.get(options), SITE, OTHER, passkey, USER)
    with pytest.raises(UnverifiedError, match="another person"):
        verify_assertion(maker.get(options), SITE, OTHER, passkey, b"v" * 32)


def test_a_signature_that_was_changed_is_refused() -> None:
    maker, passkey = enrolled()
    options = assertion_options(SITE, challenge=OTHER)
    value, again = json.loads(maker.get(options)), json.loads(maker.get(options))
    value["response"]["signature"] = again["response"]["signature"]
    with pytest.raises(UnverifiedError, match="signature"):
        verify_assertion(json.dumps(value), SITE, OTHER, passkey, USER)


def test_an_attestation_is_refused_before_it_is_read() -> None:
    answer = authenticator().create(creation(), ("tpm", {"x5c": [b"nonsense"]}))
    with pytest.raises(UnverifiedError, match="attestation"):
        verify_registration(answer, SITE, CHALLENGE)


@given(st.text(max_size=200) | st.binary(max_size=80).map(lambda data: data.decode("latin-1")))
def test_nonsense_is_malformed(response: str) -> None:
    for read in (
        lambda: parse_answer(response),
        lambda: verify_registration(response, SITE, CHALLENGE),
    ):
        with pytest.raises(MalformedError):
            read()


@given(
    st.sampled_from(["rawId", "id", "type", "response"]), st.none() | st.integers() | st.text()
)
def test_a_response_with_a_field_of_another_form_is_refused(name: str, value: object) -> None:
    answer = json.loads(authenticator().create(creation()))
    answer[name] = value
    with pytest.raises((MalformedError, UnverifiedError)):
        verify_registration(json.dumps(answer), SITE, CHALLENGE)


def test_a_response_that_is_too_long_is_refused() -> None:
    with pytest.raises(MalformedError, match="longer"):
        parse_answer(" " * (RESPONSE_CHARS_MAX + 1))


ORIGINS = (
    "https://board.example",
    "https://board.example:8443",
    "http://localhost:8500",
    f"http://{'a' * 56}.onion",
)
NO_ORIGINS = {
    "a path": "https://board.example/",
    "a port that goes without saying": "https://board.example:443",
    "no TLS": "http://board.example",
    "a number": "http://127.0.0.1:8500",
    "another scheme": "ftp://board.example",
    "upper case": "https://Board.example",
    "a person": "https://me@board.example",
    "nothing": "",
    "no port": "https://board.example:x",
}


@pytest.mark.parametrize("origin", ORIGINS)
def test_an_origin_is_taken_as_browsers_write_it(origin: str) -> None:
    assert parse_origin(origin) == origin


@pytest.mark.parametrize("case", NO_ORIGINS)
def test_what_is_no_origin_is_refused(case: str) -> None:
    with pytest.raises(MalformedError, match="origin"):
        parse_origin(NO_ORIGINS[case])
