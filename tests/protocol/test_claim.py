"""Claims: a name, two signatures, one audience; and nothing that could serve elsewhere."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.protocol.builders import (
    NOON,
    PERSON,
    PROGRAMME,
    REGISTRY,
    author_seeds,
    claim_record,
    claimed,
    helped_bundle,
    helped_fields,
    signed_claim,
    source_keys,
    statements,
)

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.canonical import format_json, tagged_hash
from safeconduct.protocol.claim import (
    CLAIM_SECONDS_MAX,
    check_terms,
    format_bundle,
    open_claim,
    parse_bundle,
    person_hash,
    sign_claim,
)
from safeconduct.protocol.keys import programme_hash
from safeconduct.protocol.record import (
    Value,
    format_record,
    parse_signed,
)
from safeconduct.protocol.tlog.note import (
    ED25519,
    Note,
    SignatureLine,
    VerifierKey,
    format_note,
    parse_note,
)


def with_lines(lines: Callable[[SignatureLine, SignatureLine], list[SignatureLine]]) -> str:
    note = parse_note(signed_claim())
    ed25519, mldsa65 = note.signatures
    return format_note(Note(text=note.text, signatures=tuple(lines(ed25519, mldsa65)))).decode()


def with_low_order_key() -> str:
    """The neutral point for a key: a lax verifier takes one signature for every message."""
    point = bytes([1]) + bytes(31)
    record = claim_record(ed25519=point)
    text = format_record(record).decode()
    key = VerifierKey(name="claimant", algorithm=ED25519, public=point)
    line = SignatureLine(name="claimant", key_id=key.key_id, blob=point + bytes(32))
    mldsa65 = parse_note(signed_claim()).signatures[1]
    return format_note(Note(text=text, signatures=(line, mldsa65))).decode()


def flipped(line: SignatureLine) -> SignatureLine:
    return replace(line, blob=bytes([line.blob[0] ^ 1]) + line.blob[1:])


def by_another_key(line: SignatureLine) -> SignatureLine:
    other = parse_note(claimed(1).encode()).signatures[0]
    return replace(other, blob=line.blob)


NO_CLAIMS: dict[str, tuple[Callable[[], str], str]] = {
    "without the Ed25519 signature": (
        lambda: with_lines(lambda _, m: [m]),
        "one Ed25519 and one",
    ),
    "without the ML-DSA-65 signature": (
        lambda: with_lines(lambda e, _: [e]),
        "one Ed25519 and one",
    ),
    "with the two exchanged": (lambda: with_lines(lambda e, m: [m, e]), "one Ed25519 and one"),
    "with a third signature": (
        lambda: with_lines(lambda e, m: [e, m, m]),
        "one Ed25519 and one",
    ),
    "with a bad Ed25519 signature": (
        lambda: with_lines(lambda e, m: [flipped(e), m]),
        "Ed25519 signature does not",
    ),
    "with a bad ML-DSA-65 signature": (
        lambda: with_lines(lambda e, m: [e, flipped(m)]),
        "ML-DSA-65 signature does not",
    ),
    "by another key than it names": (
        lambda: with_lines(lambda e, m: [by_another_key(e), m]),
        "one Ed25519 and one",
    ),
    "under another name": (
        lambda: with_lines(lambda e, m: [replace(e, name="clerk"), m]),
        "one Ed25519 and one",
    ),
    "for another person": (
        lambda: signed_claim().decode().replace("r-0001", "r-0002"),
        "Ed25519 signature does not",
    ),
    "for another audience": (
        lambda: signed_claim().decode().replace("register.", "registry."),
        "Ed25519 signature does not",
    ),
    "that lasts longer": (
        lambda: signed_claim().decode().replace("expires 18", "expires 28"),
        "Ed25519 signature does not",
    ),
    "on the other limb": (
        lambda: signed_claim().decode().replace("claim-helped", "claim-denounced"),
        "Ed25519 signature does not",
    ),
    "that is an acknowledgement": (
        lambda: statements().acknowledgement.decode(),
        "acknowledgement record: not claim-",
    ),
    "that is nothing": (lambda: "", "no empty line"),
    "with an Ed25519 key of low order": (with_low_order_key, "prime-order group"),
}


@pytest.mark.parametrize(("claim", "reason"), NO_CLAIMS.values(), ids=NO_CLAIMS)
def test_a_claim_is_refused(claim: Callable[[], str], reason: str) -> None:
    """[8] Of the keys of low order: whoever enrols one could disown whatever it signed."""
    with pytest.raises((MalformedError, UnverifiedError), match=reason):
        open_claim(claim().encode())


def test_a_claim_opens_with_both_of_its_signatures() -> None:
    assert open_claim(signed_claim()) == claim_record()
    assert len(parse_signed(signed_claim()).note.signatures) == 2


def test_nobody_signs_a_claim_with_a_key_that_it_does_not_name() -> None:
    with pytest.raises(ValueError, match="another key"):
        sign_claim(claim_record(), *author_seeds(source_keys(1)))


BUNDLES: dict[str, tuple[Callable[[], bytes], str]] = {
    "under another name": (lambda: helped_bundle(name="Bob Example"), "the name is not"),
    "under a name spelt otherwise": (lambda: helped_bundle(name="ada example"), "the name is"),
    "with another salt": (lambda: helped_bundle(name_salt="01" * 16), "the name is not"),
    "with a salt too short": (lambda: helped_bundle(name_salt="00" * 15), "name_salt"),
    "with a name that cannot be shown": (
        lambda: helped_bundle(name="Ada\u202eExample"),
        "cannot be shown",
    ),
    "without a name": (lambda: helped_bundle(name=""), "cannot be shown"),
    "with an endless name": (lambda: helped_bundle(name="a" * 401), "cannot be shown"),
    "with a field missing": (
        lambda: format_json({k: v for k, v in helped_fields().items() if k != "proof"}),
        "not the fields",
    ),
    "with a field too many": (
        lambda: format_json({**helped_fields(), "note": ""}),
        "not the fields",
    ),
    "with a number for a text": (lambda: format_json({**helped_fields(), "proof": 1}), "text"),
    "without a claim": (lambda: format_json({"name": PERSON, "name_salt": ""}), "claim"),
    "without a name and salt": (lambda: format_json({"claim": ""}), "missing"),
    "that is a list": (lambda: b"[]", "not an object"),
    "with a blank": (lambda: helped_bundle() + b" ", "canonical"),
    "with the fields of the other limb": (
        lambda: helped_bundle(claim=claimed(kind="claim-denounced")),
        "denounced limb",
    ),
    "that is too long": (lambda: helped_bundle(record="a" * (512 << 10)), "longer than"),
    "with a claim altered on the way": (
        lambda: helped_bundle(claim=signed_claim().decode().replace("open", "sealed")),
        "does not verify",
    ),
}


@pytest.mark.parametrize(("data", "reason"), BUNDLES.values(), ids=BUNDLES)
def test_a_bundle_is_refused(data: Callable[[], bytes], reason: str) -> None:
    with pytest.raises((MalformedError, UnverifiedError), match=reason):
        parse_bundle(data())


@pytest.mark.parametrize(
    "name", ["record", "proof", "acknowledgement", "acknowledgement_proof"]
)
def test_evidence_that_the_claimant_did_not_sign_for_is_refused(name: str) -> None:
    with pytest.raises(UnverifiedError, match="not what the claimant signed for"):
        parse_bundle(format_bundle("helped", {**helped_fields(), name: ""}))


@pytest.mark.parametrize("name", ["assessment", "assessment_proof"])
def test_what_the_desk_says_later_is_no_part_of_what_the_claimant_signs(name: str) -> None:
    parse_bundle(format_bundle("helped", {**helped_fields(), name: ""}))


def test_the_page_of_a_case_cannot_be_told_from_what_is_public() -> None:
    bundle = parse_bundle(helped_bundle())
    salted = tagged_hash("case-page", bytes(16), bundle.claim_hash)
    assert bundle.page_key == salted != bundle.claim_hash


def test_a_bundle_is_made_of_exactly_the_limbs_fields() -> None:
    with pytest.raises(TypeError, match="denounced limb"):
        format_bundle("denounced", helped_fields())


def test_a_name_is_hidden_by_its_salt() -> None:
    assert person_hash(PERSON, bytes(16)) != person_hash(PERSON, b"\1" * 16)
    assert person_hash("ab", b"c") != person_hash("a", b"bc")


# Whom it is meant for.

TERMS: dict[str, tuple[dict[str, Value], int, str]] = {
    "for another programme": ({"programme": programme_hash("other")}, NOON, "programme"),
    "for another registry": ({"audience": "clerk.example"}, NOON, "clerk.example"),
    "that has expired": ({"expires": NOON - 1}, NOON, "expired"),
    "that never ends": ({"expires": NOON + CLAIM_SECONDS_MAX + 1}, NOON, "30 days"),
    "with an unknown disclosure": ({"disclosure": "secret"}, NOON, "disclosure"),
}


@pytest.mark.parametrize(("changes", "at", "reason"), TERMS.values(), ids=TERMS)
def test_a_claim_does_not_serve(changes: dict[str, Value], at: int, reason: str) -> None:
    """[13] Without audience, expiry and challenge a clerk could use it elsewhere."""
    with pytest.raises((MalformedError, UnverifiedError), match=reason):
        check_terms(claim_record(**changes), programme=PROGRAMME, audience=REGISTRY.name, at=at)


@pytest.mark.parametrize("expires", [NOON, NOON + CLAIM_SECONDS_MAX])
@pytest.mark.parametrize("disclosure", ["open", "sealed"])
def test_a_claim_serves_the_registry_it_names_until_it_expires(
    expires: int, disclosure: str
) -> None:
    record = claim_record(expires=expires, disclosure=disclosure)
    check_terms(record, programme=PROGRAMME, audience=REGISTRY.name, at=NOON)


def test_the_challenge_is_part_of_what_is_signed() -> None:
    challenge = claim_record().hash("challenge").hex()
    replayed = signed_claim().replace(challenge.encode(), b"00" * 32)
    with pytest.raises(UnverifiedError):
        open_claim(replayed)
