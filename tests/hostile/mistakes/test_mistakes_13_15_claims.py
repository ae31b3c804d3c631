"""Attacks on claims, openings and dates: mistakes 13 to 15, played and refused."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from tests.hostile.mistakes.hostile_bytes import changed, lines_of, sha256, with_lines
from tests.parties.registry.register_world import World as RegisterWorld
from tests.parties.registry.register_world import helped
from tests.protocol import builders, credited
from tests.protocol.builders import DAY, NOON, OUR_WITNESS, THEIR_WITNESS
from tests.protocol.claiming import credited_bundle
from tests.protocol.opening_builders import (
    LATER,
    SHOWN,
    answered,
    by_source,
    contents,
    unanswered,
    verify,
)

from safeconduct.errors import (
    ConflictError,
    MalformedError,
    RefusedError,
    SafeconductError,
    UnverifiedError,
)
from safeconduct.parties.registry.receive import challenge, receive
from safeconduct.protocol.claim import check_terms, open_claim, parse_bundle
from safeconduct.protocol.opening import (
    OpeningBundle,
    ShownItem,
    select_items,
    sign_source_opening,
)
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import (
    Value,
    format_record,
    record_hash,
)
from safeconduct.protocol.tip import content_commitment
from safeconduct.protocol.tlog.note import SigningKey
from safeconduct.protocol.tlog.policy import Policy, parse_policy

# Mistake 13.


REPLAYS: dict[str, tuple[dict[str, Value], int, type[SafeconductError]]] = {
    "at another register": ({"audience": "register.other"}, 0, UnverifiedError),
    "in another programme": ({"programme": bytes(32)}, 0, UnverifiedError),
    "after it has expired": ({}, 8 * DAY, UnverifiedError),
    "kept for a year": ({"expires": NOON + 400 * DAY}, 0, UnverifiedError),
    "with a challenge of one's own": ({"challenge": bytes(32)}, 0, RefusedError),
}


def offered(register: RegisterWorld, changes: dict[str, Value]) -> bytes:
    """A claim that is good here and now but for these terms."""
    terms: dict[str, Value] = {"challenge": challenge(register.registry), **changes}
    return builders.helped_bundle(
        claim=builders.claimed(0, "claim-helped", **terms), assessment="", assessment_proof=""
    )


@pytest.mark.parametrize("what", REPLAYS)
def test_a_claim_that_was_made_elsewhere_is_not_taken(
    register: RegisterWorld, what: str
) -> None:
    """Mistake 13: a clerk keeps a claim and hands it in again, where and when it suits."""
    changes, later, error = REPLAYS[what]
    bundle = offered(register, changes)
    register.now += later
    before = register.held()
    with pytest.raises(error):
        receive(register.registry, bundle)
    assert register.held() == before


@pytest.mark.parametrize("field_name", ["audience", "challenge", "expires", "subject"])
def test_nobody_rewrites_the_terms_of_a_claim(field_name: str) -> None:
    """Mistake 13: the terms stand under the signatures, so the clerk would have to sign."""
    claim = builders.signed_claim()
    terms: Mapping[str, bytes | int | str] = {
        "audience": "register.other",
        "challenge": bytes(32),
        "expires": NOON + 9 * DAY,
        "subject": "r-0002",
    }
    record = changed(open_claim(claim), **{field_name: terms[field_name]})
    with pytest.raises(UnverifiedError):
        open_claim(with_lines(record, lines_of(claim)))


def test_a_challenge_of_yesterday_and_a_used_one_are_no_challenges(
    register: RegisterWorld,
) -> None:
    """Mistake 13: one answered challenge would otherwise do for as many claims as one likes."""
    fresh = challenge(register.registry)
    receive(register.registry, helped(challenge=fresh))
    with pytest.raises(ConflictError, match="used for another claim"):
        receive(register.registry, helped(challenge=fresh, subject="r-0002"))
    stale = challenge(register.registry)
    register.now += DAY + 1
    with pytest.raises(RefusedError, match="no open challenge"):
        receive(register.registry, helped(challenge=stale, expires=register.now + DAY))


def test_a_claim_on_a_credit_is_for_one_register_too() -> None:
    """Mistake 13: a credit names nobody, so its claim is the first thing worth stealing."""
    record = parse_bundle(credited_bundle(credited.held())).record
    for audience, at in (("register.other", NOON), (builders.REGISTRY.name, NOON + 8 * DAY)):
        with pytest.raises(UnverifiedError):
            check_terms(record, programme=builders.PROGRAMME, audience=audience, at=at)


# Mistake 14.

PLANTED = b"Signed by the minister in person: pay them all.\n"


def planted() -> tuple[OpeningBundle, bytes]:
    """A harmless tip whose record commits to the list of another, in which a letter was put.

    Returns the opening that shows the letter, and the payload with the harmless tip.
    """
    letter = replace(contents()[0], size=len(PLANTED), sha256=sha256(PLANTED))
    files = (letter, *contents()[1:])
    harmless = b"".join(builders.sealed().payload())
    record = changed(builders.sealed().record, content=content_commitment(files))
    data = format_record(record)
    opening = sign_source_opening(
        builders.source_keys(),
        builders.sealed().pre,
        programme=builders.PROGRAMME,
        record=record_hash(data),
        purpose="court",
        places=[1],
    )
    bundle = OpeningBundle(
        opening=opening,
        opening_proof=builders.prove(record_hash(opening), LATER),
        record=data,
        proof=builders.prove(record_hash(data)),
        items=select_items(files, [1]),
    )
    assert isinstance(bundle.items[0], ShownItem)
    return bundle, harmless


def show_planted(place: int) -> list[bytes]:
    return [PLANTED]


def test_a_letter_that_was_committed_to_and_never_sealed_is_not_shown() -> None:
    """Mistake 14: the content root is its maker's word until somebody has looked behind it."""
    bundle, payload = planted()
    with pytest.raises(UnverifiedError, match="nothing shows that these files were sealed"):
        verify(bundle, b"", show_planted)
    with_key = replace(bundle, file_key=builders.sealed().file_key)
    with pytest.raises(UnverifiedError, match="the content inside is not the one outside"):
        verify(with_key, payload, show_planted)
    with pytest.raises(UnverifiedError, match="nothing shows"):
        verify(with_key, b"", show_planted)  # the key without what it opens is no proof


def test_somebody_elses_ok_does_not_vouch_for_it() -> None:
    """Mistake 14: the desk's `ok` to an honest tip is laid beside a planted letter."""
    bundle, _ = planted()
    honest = answered(by_source(SHOWN))
    borrowed = replace(
        bundle,
        acknowledgement=honest.acknowledgement,
        acknowledgement_proof=honest.acknowledgement_proof,
    )
    with pytest.raises(UnverifiedError, match="another tip"):
        verify(borrowed, b"", show_planted)


@pytest.mark.parametrize("status", ["", "mismatch", "unreadable", "duplicate"])
def test_some_files_need_the_desks_ok_and_nothing_less(status: str) -> None:
    """Mistake 14: a tip that the desk has refused says nothing about its list of files."""
    bundle = answered(by_source(SHOWN), status) if status else unanswered(by_source(SHOWN))
    with pytest.raises(UnverifiedError, match="nothing shows that these files were sealed"):
        verify(bundle, b"")
    assert verify(answered(by_source(SHOWN)), b"").files


# Mistake 15.

DATED = record_hash(builders.gazette_entries()[0])


def proof_by(*witnesses: SigningKey, at: int = NOON) -> bytes:
    return builders.prove(DATED, at, witnesses=witnesses)


def two_lines_of_one_witness() -> Policy:
    """A policy for careless readers: one witness under two names, and a quorum of two."""
    text = builders.POLICY_TEXT.replace(
        f"witness theirs {builders.POLICY_TEXT.splitlines()[3].split()[2]}",
        f"witness theirs {builders.POLICY_TEXT.splitlines()[2].split()[2]}",
    )
    return parse_policy(text.encode())


@pytest.mark.parametrize(
    "witnesses", [(), (OUR_WITNESS,), (THEIR_WITNESS,), (builders.STRANGER, OUR_WITNESS)]
)
def test_neither_the_log_nor_one_witness_makes_a_date(
    witnesses: tuple[SigningKey, ...],
) -> None:
    """Mistake 15: a log dates as it likes, and one witness may be its brother."""
    record = builders.gazette_entries()[0]
    assert verify_receipt(record, proof_by(OUR_WITNESS, THEIR_WITNESS), builders.POLICY)
    with pytest.raises(UnverifiedError):
        verify_receipt(record, proof_by(*witnesses), builders.POLICY)


def test_one_witness_twice_is_not_two() -> None:
    """Mistake 15: the same signature again, or the same key under a second name."""
    record = builders.gazette_entries()[0]
    with pytest.raises(SafeconductError):
        verify_receipt(record, proof_by(OUR_WITNESS, OUR_WITNESS), builders.POLICY)
    with pytest.raises(MalformedError, match="is listed already"):
        two_lines_of_one_witness()


def test_the_date_is_when_the_whole_quorum_had_signed() -> None:
    """Mistake 15: one witness with a slow clock does not date for the other."""
    record, proof = builders.gazette_entries()[0], proof_by(OUR_WITNESS, THEIR_WITNESS)
    assert verify_receipt(record, proof, builders.POLICY).logged_by == NOON  # one a minute less
    for seconds in (-DAY, DAY):
        with pytest.raises(UnverifiedError):
            verify_receipt(record, builders.redated(proof, seconds), builders.POLICY)
