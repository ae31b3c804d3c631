"""Rows of the threat model, played: thieves of keys, and a later quantum computer."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.hostile.mistakes.hostile_bytes import changed, lines_of, sha256, with_lines
from tests.hostile.mistakes.threats import ORIGIN, facts, tip
from tests.parties.auditor.test_credit_lies import decided
from tests.parties.desk.desk_world import World as DeskWorld
from tests.parties.intake.door_world import World as DoorWorld
from tests.parties.intake.door_world import ask
from tests.parties.registry import credit_world
from tests.parties.registry.register_world import World as RegisterWorld
from tests.protocol import builders, credited
from tests.protocol.builders import NOON

from safeconduct.errors import (
    MalformedError,
    RefusedError,
    UnverifiedError,
)
from safeconduct.parties.auditor.check import audit
from safeconduct.parties.auditor.folder import Folder
from safeconduct.parties.registry import decide, store
from safeconduct.parties.registry.publish import publish
from safeconduct.protocol import age
from safeconduct.protocol.canonical import format_base64
from safeconduct.protocol.claim import (
    open_claim,
    parse_bundle,
    relied_on,
    sign_claim,
)
from safeconduct.protocol.envelope import acknowledgement
from safeconduct.protocol.gazette import fold, fold_all
from safeconduct.protocol.keys import author_commitment
from safeconduct.protocol.receipt import (
    STATEMENT_GRACE_SECONDS,
    verify_acknowledgement,
)
from safeconduct.protocol.record import (
    Record,
    format_record,
    make_record,
    record_hash,
    sign_record,
)
from safeconduct.protocol.signature import ed25519_public, sign_ed25519
from safeconduct.protocol.tlog.note import ED25519, SignatureLine, SigningKey, VerifierKey

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


def test_a_thief_of_old_desk_keys_tells_a_source_nothing_that_counts() -> None:
    """Desk-key thief: it reads the tag key in each tip, and writes that all were received."""
    record = builders.statements().record
    said = builders.statements().acknowledgement
    epoch = builders.gazette_state().epochs[0]
    for at in (epoch.opens - 1, epoch.closes + STATEMENT_GRACE_SECONDS + 1):
        with pytest.raises(UnverifiedError, match="desk epoch 1"):
            verify_acknowledgement(
                said,
                builders.prove(record_hash(said), at),
                record_hash(record),
                builders.gazette_state(),
                builders.POLICY,
                ORIGIN,
            )


def asked_by_desk(door: DoorWorld) -> int:
    """The status that the holder of the desk's statement key is answered with."""
    request = make_record(
        "request",
        programme=builders.PROGRAMME,
        action="deliveries",
        body=sha256(b"0"),
        at=door.now,
    )
    header = format_base64(sign_record(request, [builders.DESK]))
    answer = ask(door, "POST", "/desk/deliveries", b"0", {"x-safeconduct-request": header})
    return answer.status_code


def test_a_thief_of_old_desk_keys_is_nobody_at_the_door(door: DoorWorld) -> None:
    """Desk-key thief: else it would list all tips for ever, and fill the bulletin."""
    epoch = builders.gazette_state().epochs[0]
    door.now = epoch.closes + STATEMENT_GRACE_SECONDS
    assert asked_by_desk(door) == 200
    door.now += 1
    assert asked_by_desk(door) == UnverifiedError.http_status
    door.now = NOON
    retirement = make_record(
        "retirement",
        programme=builders.PROGRAMME,
        number=1,
        epoch=1,
        certificate=epoch.hash,
        destruction=bytes(32),
    )
    door.entries = (*door.entries, builders.by_board(retirement))
    assert asked_by_desk(door) == UnverifiedError.http_status


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
