"""Rows of the threat model, played: servers, body, sources, witnesses, clerks.

The tables stand in docs/4-threat-model.md; thieves of keys are in `test_threat_thieves.py`.
"""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.hostile.mistakes.hostile_bytes import changed, sha256
from tests.hostile.mistakes.threats import ORIGIN, facts, tip
from tests.parties.registry import credit_world
from tests.parties.registry.register_world import World as RegisterWorld
from tests.parties.registry.register_world import helped
from tests.parties.source.test_restore import Far, gone
from tests.protocol import builders
from tests.protocol.age.chance import dice
from tests.protocol.builders import DAY, NOON, OUR_WITNESS, THEIR_WITNESS
from tests.protocol.claiming import opened_bundle
from tests.protocol.opening_builders import (
    by_desk,
    contents,
    other_payload,
    payload,
    verify,
)

from safeconduct.errors import (
    ConflictError,
    MalformedError,
    RefusedError,
    UnverifiedError,
)
from safeconduct.parties.registry.receive import challenge, receive
from safeconduct.parties.registry.store import Store
from safeconduct.protocol import age
from safeconduct.protocol.claim import (
    format_bundle,
    parse_bundle,
    relied_on,
)
from safeconduct.protocol.opening import select_items
from safeconduct.protocol.receipt import (
    check_before,
    verify_acknowledgement,
    verify_receipt,
)
from safeconduct.protocol.record import (
    format_record,
    parse_signed,
    record_hash,
    sign_record,
)
from safeconduct.protocol.reply import Reply, open_reply, seal_reply
from safeconduct.protocol.tlog.note import SigningKey

# The server.


def test_a_server_that_withholds_the_shelf_hides_nothing_that_a_mirror_has(
    tmp_path: Path,
) -> None:
    """Server: door and log are gone, or say that there was never anything."""
    far = Far()
    record = far.contribute(0)
    far.shelve(0, record, far.prove(record))
    with gone(tmp_path, far) as world:
        [restored] = world.restore()
    assert restored.capsule.record == record
    assert restored.receipt is not None
    assert restored.receipt.logged_by == NOON


def test_a_server_cannot_date_a_delivery_for_a_source() -> None:
    """Server: it signs what it likes, and what it signs has the quorum's date."""
    record, proof = tip()
    for seconds in (-DAY, DAY):
        with pytest.raises(UnverifiedError):
            verify_receipt(record, builders.redated(proof, seconds), builders.POLICY, ORIGIN)


def test_a_server_cannot_write_as_the_desk() -> None:
    """Server: it knows where replies go, since it carries them; it lacks the tag key."""
    keys = builders.source_keys()
    to = age.format_recipient(age.hybrid_identity(keys.reply_seed()).recipient())
    forged = seal_reply(Reply(text="Come to the back door."), to, bytes(32), 0, dice())
    with pytest.raises((UnverifiedError, MalformedError)):
        open_reply(forged, keys, 0)


# The body.


def test_a_body_cannot_deny_a_dated_leaf_or_what_it_acknowledged() -> None:
    """Body: desk and board are silent; receipt and answer verify without them, offline."""
    record, proof = tip()
    assert verify_receipt(record, proof, builders.POLICY, ORIGIN).logged_by == NOON
    said = builders.statements().acknowledgement
    received = verify_acknowledgement(
        said,
        builders.prove(record_hash(said), NOON + DAY),
        record_hash(record),
        builders.gazette_state(),
        builders.POLICY,
        ORIGIN,
    )
    assert received.record.word("status") == "ok"


REWRITTEN: dict[str, dict[str, bytes | int | str]] = {
    "it was a mismatch": {"status": "mismatch"},
    "it was another tip": {"record": bytes(32)},
    "it was a duplicate": {"status": "duplicate", "other": bytes(31) + b"1"},
}


@pytest.mark.parametrize("changes", REWRITTEN.values(), ids=REWRITTEN)
def test_a_body_cannot_re_date_what_it_says_now(changes: dict[str, bytes | int | str]) -> None:
    """Body: it signs another answer, with its own true key, and shows the old one's date."""
    said = builders.statements().acknowledgement
    proof = builders.prove(record_hash(said), NOON + DAY)
    again = sign_record(changed(parse_signed(said).record, **changes), [builders.DESK])
    with pytest.raises(UnverifiedError):
        verify_acknowledgement(
            again,
            proof,
            record_hash(builders.statements().record),
            builders.gazette_state(),
            builders.POLICY,
            ORIGIN,
        )


def test_a_body_cannot_claim_that_a_tip_held_something_else() -> None:
    """Body: the desk opens a leaf to a court, with the bytes, key or list of another tip."""
    other = builders.seal(number=1)
    whole = by_desk()
    with pytest.raises(UnverifiedError, match="payload is not the one committed to"):
        verify(whole, other_payload())
    with pytest.raises(UnverifiedError, match="file key is not the one committed to"):
        verify(replace(whole, file_key=other.file_key), payload())
    some = by_desk((1,))
    files = tuple(replace(file, sha256=sha256(b"something else")) for file in contents())
    with pytest.raises(UnverifiedError, match="not those the tip commits to"):
        verify(replace(some, items=select_items(files, (1,))), b"")


def test_a_body_cannot_put_a_friend_in_the_place_of_an_author() -> None:
    """Body: it has read the tip, has its file key, and signs whatever a friend needs."""
    stranger = builders.source_keys(7)
    claim = builders.claimed(7, blind=stranger.blind(builders.sealed().pre))
    assert "'author_proven': False" in facts(builders.helped_bundle(claim=claim))


# Sources.


def test_a_source_cannot_show_two_contents_for_one_leaf() -> None:
    """Source: it seals two letters under one number, and has one of them dated."""
    one, two = (builders.seal({"message.txt": text}) for text in (b"May.\n", b"June.\n"))
    assert record_hash(format_record(one.record)) != record_hash(format_record(two.record))
    proof = builders.prove(record_hash(format_record(one.record)))
    with pytest.raises(UnverifiedError):
        verify_receipt(format_record(two.record), proof, builders.POLICY, ORIGIN)


def test_a_source_cannot_back_date() -> None:
    """Source: a proof from before, a date in the record, a quorum of friends."""
    record, proof = tip()
    receipt = verify_receipt(record, proof, builders.POLICY, ORIGIN)
    with pytest.raises(UnverifiedError, match="not before"):
        check_before(receipt, NOON)
    friends = (builders.STRANGER, builders.signing_key("friend.example"))
    mine = builders.prove(record_hash(record), NOON - 400 * DAY, witnesses=friends)
    with pytest.raises(UnverifiedError):
        verify_receipt(record, mine, builders.POLICY, ORIGIN)


def test_a_source_cannot_claim_somebody_elses_leaf() -> None:
    """Source: it has another's record and receipt, which are public to who gets them."""
    for number in (1, 2, 3):
        bundle = builders.helped_bundle(claim=builders.claimed(number))
        assert relied_on(parse_bundle(bundle)) is None
        assert "'author_proven': False" in facts(bundle)


def test_a_source_cannot_be_helped_twice_by_one_tip(register: RegisterWorld) -> None:
    """Source: sold words, or two numbers; the same contribution under each of them."""
    receive(register.registry, helped(challenge=challenge(register.registry)))
    again = helped(challenge=challenge(register.registry), subject="r-0002")
    with pytest.raises(ConflictError, match="under another number"):
        receive(register.registry, again)


def test_a_source_that_hides_a_duplicate_behind_an_opening_gets_no_grade_for_it() -> None:
    """Source: the desk's `duplicate` stays in the drawer, and the tip is opened instead.

    That it counts as received then is a limit that the threat model names.
    """
    hidden = facts(opened_bundle(assessment="", assessment_proof=""))
    assert "'acknowledged': 'ok'" in hidden
    assert "'grade': 'unproven'" in hidden


def test_a_source_cannot_redeem_a_credit_twice(crediting: RegisterWorld) -> None:
    """Source: once for itself, once for somebody who paid."""
    credit_world.decided(crediting, credit_world.filed(crediting))
    for subject in ("r-0001", "r-0002"):
        with pytest.raises((ConflictError, RefusedError)):
            credit_world.filed(crediting, subject=subject)


# Witnesses.


@pytest.mark.parametrize("lying", [OUR_WITNESS, THEIR_WITNESS])
def test_a_minority_of_witnesses_forges_no_date_and_no_key(lying: SigningKey) -> None:
    """Witnesses: one side's, with the log's own key, and all the time in the world."""
    record, _ = tip()
    alone = builders.prove(record_hash(record), NOON - 400 * DAY, witnesses=(lying,))
    with pytest.raises(UnverifiedError):
        verify_receipt(record, alone, builders.POLICY, ORIGIN)
    named = SigningKey(name=THEIR_WITNESS.name, seed=bytes(32))
    posing = builders.prove(record_hash(record), witnesses=(OUR_WITNESS, named))
    with pytest.raises(UnverifiedError):
        verify_receipt(record, posing, builders.POLICY, ORIGIN)


# The registry.


def test_a_clerk_cannot_hand_in_a_claim_again_or_elsewhere(
    register: RegisterWorld, tmp_path: Path
) -> None:
    """Clerk: the bundle lies in the drawer; here it finds its own case, elsewhere nothing."""
    bundle = helped(challenge=challenge(register.registry))
    first = receive(register.registry, bundle)
    assert receive(register.registry, bundle) == first
    assert len(register.registry.store.cases()) == 1
    elsewhere = replace(
        register.registry,
        key=builders.signing_key("register.other"),
        store=Store(tmp_path / "other"),
    )
    with pytest.raises(UnverifiedError, match="not for this registry"):
        receive(elsewhere, bundle)


@pytest.mark.parametrize("left_out", ["acknowledgement", "acknowledgement_proof"])
def test_a_clerk_cannot_leave_out_what_speaks_for_a_claimant(left_out: str) -> None:
    """Clerk: whatever the claimant signed for is there, or the claim does not parse."""
    fields = {**builders.helped_fields(), left_out: ""}
    with pytest.raises(UnverifiedError, match="not what the claimant signed for"):
        parse_bundle(format_bundle("helped", fields))
