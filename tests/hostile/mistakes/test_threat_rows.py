"""Each row of the threat model that can be played with bytes: who tries it, and what shows.

The tables stand in docs/4-threat-model.md; the mistakes beside this file are attacks too.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.hostile.mistakes.hostile_bytes import changed, lines_of, sha256, with_lines
from tests.parties.auditor.test_credit_lies import decided
from tests.parties.desk.desk_world import World as DeskWorld
from tests.parties.registry import credit_world
from tests.parties.registry.register_world import World as RegisterWorld
from tests.parties.registry.register_world import helped
from tests.parties.source.test_restore import Far, gone
from tests.protocol import builders, credited
from tests.protocol.age.chance import dice
from tests.protocol.builders import DAY, NOON, OUR_WITNESS, THEIR_WITNESS
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
from safeconduct.parties.auditor.check import audit
from safeconduct.parties.auditor.folder import Folder
from safeconduct.parties.registry import decide, store
from safeconduct.parties.registry.publish import publish
from safeconduct.parties.registry.receive import challenge, receive
from safeconduct.parties.registry.store import Store
from safeconduct.protocol import age
from safeconduct.protocol.claim import (
    examine,
    format_bundle,
    open_claim,
    parse_bundle,
    relied_on,
    sign_claim,
)
from safeconduct.protocol.envelope import acknowledgement
from safeconduct.protocol.gazette import fold, fold_all
from safeconduct.protocol.keys import author_commitment
from safeconduct.protocol.opening import select_items
from safeconduct.protocol.receipt import (
    STATEMENT_GRACE_SECONDS,
    check_before,
    verify_acknowledgement,
    verify_receipt,
)
from safeconduct.protocol.record import (
    Record,
    format_record,
    parse_signed,
    record_hash,
    sign_record,
)
from safeconduct.protocol.reply import Reply, open_reply, seal_reply
from safeconduct.protocol.signature import ed25519_public, sign_ed25519
from safeconduct.protocol.tlog.note import ED25519, SignatureLine, SigningKey, VerifierKey

ORIGIN = builders.LEDGER.name
JUDGED = {
    "claimant_is_subject": True,
    "grave_crime_proven": False,
    "knowing_falsehood_found": False,
}


def tip() -> tuple[bytes, bytes]:
    """Our contribution's record, and its proof."""
    record = builders.statements().record
    return record, builders.prove(record_hash(record))


def facts(bundle: bytes) -> str:
    """What a bundle comes to, as text."""
    parsed = parse_bundle(bundle)
    return str(examine(parsed, builders.gazette_state(), builders.POLICY, JUDGED).facts)


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


# Thieves of keys.


def test_a_thief_of_desk_keys_forges_no_claim(desk: DeskWorld) -> None:
    """Desk-key thief: it reads every tip of the epoch, manifest and all, and is still nobody.

    All that the envelope gives is tried as a seed of its author's keys.
    """
    envelope = desk.seal(0, {"message.txt": b"I was there.\n"})
    inside = b"".join(age.open_stream(envelope.file_key, envelope.payload()))
    assert b"I was there." in inside
    known = [
        envelope.keys.tag_key(),
        envelope.keys.reply_seed(),
        sha256(envelope.file_key),
        envelope.record.hash("author"),
        envelope.record.hash("identity"),
        hashlib.sha256(inside).digest(),
    ]
    author, mine = envelope.record.hash("author"), envelope.keys.author_public()
    for seed in known:
        assert ed25519_public(seed) != mine[0]
        for blind in (envelope.pre, envelope.nonce):
            assert author_commitment(ed25519_public(seed), mine[1], blind) != author


def test_a_thief_of_desk_keys_makes_no_leaf_older_and_no_late_statement() -> None:
    """Desk-key thief: years later it acknowledges and grades what it likes."""
    record = builders.statements().record
    said = builders.assessment(record_hash(record), grade="corroborated")
    signed = sign_record(said, [builders.DESK])
    epoch = builders.gazette_state().epochs[0]
    late = epoch.closes + STATEMENT_GRACE_SECONDS + 1
    fields = {
        "assessment": signed.decode(),
        "assessment_proof": builders.prove(record_hash(signed), late).decode(),
    }
    assert "'grade': 'unproven'" in facts(builders.helped_bundle(**fields))
    before = builders.prove(record_hash(signed), epoch.opens - 1).decode()
    fields["assessment_proof"] = before
    assert "'grade': 'unproven'" in facts(builders.helped_bundle(**fields))


def test_a_thief_of_desk_keys_certifies_no_key_of_its_own() -> None:
    """Desk-key thief: it would read the next epoch too, but only the board certifies one."""
    mine = age.format_recipient(age.hybrid_identity(bytes(32)).recipient())
    act = builders.epoch_act(
        number=2, previous=builders.gazette_state().epochs[-1].hash, hybrid=mine
    )
    with pytest.raises(UnverifiedError):
        fold(builders.gazette_state(), sign_record(act, [builders.DESK]))


def test_a_thief_of_the_issuing_key_runs_into_the_count(crediting: RegisterWorld) -> None:
    """Issuing-key thief: credits beyond those that were counted find nothing to be used for."""
    for number in range(4):
        crediting.listed(f"r-010{number}")
    claims = [credit_world.filed(crediting, n, subject=f"r-010{n}") for n in range(4)]
    for claim in claims[:3]:
        credit_world.decided(crediting, claim)
    signed = credit_world.drafted(crediting, claims[3])
    with pytest.raises(RefusedError, match="3 of the 3 credits of this kind"):
        decide.enter(crediting.registry, claims[3], signed)


def test_with_the_registrys_help_a_thief_of_the_issuing_key_shows_in_an_audit(
    crediting: RegisterWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issuing-key thief: the registry does not look at the count, so everybody else sees it."""
    monkeypatch.setattr(store, "_check_usable", lambda *_: None)
    for number in range(4):
        crediting.listed(f"r-010{number}")
    claims = [decided(crediting, number, f"r-010{number}") for number in range(4)]
    for claim in claims:
        crediting.finished(claim)
    publish(crediting.registry, tmp_path / "public", None)
    audited = audit(Folder(root=tmp_path / "public"), builders.POLICY)
    assert audited.contradicts
    [failed] = [failure for result in audited.results for failure in result.failures]
    assert "4 redeemed" in failed.found
    assert "at most 3" in failed.expected


def test_counts_that_a_thief_has_spoilt_stand_in_the_gazette_for_all_to_see() -> None:
    """Issuing-key thief: registry and board look away; the count says more used than given."""
    state = credited.state("blind")
    spoilt = fold(
        state, builders.by_board(credited.credit_count_act(state, issued=20, redeemed=21))
    )
    count = spoilt.credit_count(credited.group("blind"))
    assert count.redeemed > count.issued
    act = credited.credit_count_act(spoilt, number=2, issued=20, redeemed=20)
    with pytest.raises(MalformedError, match="less than was counted before"):
        fold(spoilt, builders.by_board(act))


# Later, with a quantum computer.


def _classic_alone(record: Record, seed: bytes) -> bytes:
    key = VerifierKey(name="claimant", algorithm=ED25519, public=ed25519_public(seed))
    blob = sign_ed25519(seed, format_record(record))
    return with_lines(record, [SignatureLine(name=key.name, key_id=key.key_id, blob=blob)])


def test_a_forged_ed25519_line_alone_is_no_claim() -> None:
    """Quantum: an Ed25519 key that was shown is as good as its seed."""
    record = builders.claim_record()
    seed = builders.source_keys().derive("author-ed25519")
    with pytest.raises(UnverifiedError, match="one Ed25519 and one ML-DSA-65 line"):
        open_claim(_classic_alone(record, seed))
    stolen = lines_of(builders.claimed(disclosure="sealed").encode())
    mixed = [lines_of(_classic_alone(record, seed))[0], stolen[1]]
    with pytest.raises(UnverifiedError, match="ML-DSA-65"):
        open_claim(with_lines(record, mixed))


def test_a_key_of_ones_own_beside_the_forged_one_opens_no_commitment() -> None:
    """Quantum: the younger key is replaced by the forger's, under which all is well signed."""
    thief = builders.source_keys(8)
    record = changed(builders.claim_record(), mldsa65=thief.author_public()[1])
    seeds = (builders.source_keys().derive("author-ed25519"), thief.derive("author-mldsa65"))
    bundle = builders.helped_bundle(claim=sign_claim(record, *seeds).decode())
    assert "'author_proven': False" in facts(bundle)
    assert relied_on(parse_bundle(bundle)) is None


def test_nothing_in_a_record_is_a_key_that_could_be_broken() -> None:
    """Quantum: as long as its author has not claimed, there is no key to compute backwards."""
    record, _ = tip()
    text = record.decode()
    ed25519, mldsa65 = builders.source_keys().author_public()
    for key in (ed25519, mldsa65[:32], builders.source_keys().blind(builders.sealed().pre)):
        assert key.hex() not in text
    assert builders.sealed().record.word("profile") == "mlkem768x25519"


NOT_THE_BOARD: dict[str, Callable[[], list[SigningKey]]] = {
    "one of three": lambda: [builders.MEMBERS[0]],
    "one of them twice": lambda: [builders.MEMBERS[0], builders.MEMBERS[0]],
    "one and the desk": lambda: [builders.MEMBERS[0], builders.DESK],
    "one and a namesake": lambda: [
        builders.MEMBERS[0],
        SigningKey(name=builders.MEMBERS[1].name, seed=bytes(32)),
    ],
}


@pytest.mark.parametrize("keys", NOT_THE_BOARD.values(), ids=NOT_THE_BOARD)
def test_fewer_than_t_members_publish_nothing(
    keys: Callable[[], list[SigningKey]],
) -> None:
    """Board-key thief: below the threshold it is a stranger."""
    before = fold_all(builders.gazette_entries()[:2])
    with pytest.raises(UnverifiedError):
        fold(before, sign_record(builders.epoch_act(), keys()))


def test_an_answer_under_another_epochs_key_is_none() -> None:
    """Desk: the key of one epoch does not speak for another."""
    digest = record_hash(builders.statements().record)
    signed = sign_record(acknowledgement(builders.PROGRAMME, digest, "ok", 2), [builders.DESK])
    with pytest.raises(UnverifiedError, match="epoch 2 was never certified"):
        verify_acknowledgement(
            signed,
            builders.prove(record_hash(signed)),
            digest,
            builders.gazette_state(),
            builders.POLICY,
            ORIGIN,
        )
