"""Attacks on what is sealed, and on when it is dated: mistakes 1 to 6, played and refused."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache

import httpx
import pytest
from tests.hostile.mistakes.hostile_bytes import changed, sha256, two_letters
from tests.parties.desk.desk_world import World as DeskWorld
from tests.parties.intake.door_world import World as DoorWorld
from tests.parties.intake.door_world import ask
from tests.parties.source.network import MESSAGE, PROGRAMME, Network
from tests.protocol import builders
from tests.protocol.age.chance import dice
from tests.protocol.claiming import delivery, opened_bundle, opened_fields
from tests.protocol.opening_builders import LATER, by_source, verify

from safeconduct.errors import (
    MalformedError,
    RefusedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.plumbing import fetch
from safeconduct.plumbing.fetch import Response
from safeconduct.plumbing.logs import read_gazette
from safeconduct.protocol import age
from safeconduct.protocol.age.header import make_header
from safeconduct.protocol.canonical import format_base64, format_json
from safeconduct.protocol.capsule import CAPSULE_BYTES
from safeconduct.protocol.claim import examine, parse_bundle
from safeconduct.protocol.envelope import Envelope, check_header, open_envelope, seal_envelope
from safeconduct.protocol.gazette import address_at, fold_all
from safeconduct.protocol.keys import key_commitment
from safeconduct.protocol.opened import open_with_key
from safeconduct.protocol.opening import (
    OpeningBundle,
    examine_inline,
    format_inline,
    sign_source_opening,
)
from safeconduct.protocol.record import (
    Record,
    format_record,
    record_hash,
    upload_name,
)

JUDGED = {
    "claimant_is_subject": True,
    "grave_crime_proven": False,
    "knowing_falsehood_found": False,
}
NONCE = bytes(range(16))
KEYS = (b"key for a court ", b"key for a friend")
LETTERS = (
    b"The deputy took the money on 2 May, and I have seen him do it.\n",
    b"The deputy never took a cent, and whoever says so is a liar.\n",
)
NOT_COMMITTED = "the file key is not the one committed to"


def opening_of(record: Record, **changes: bytes) -> OpeningBundle:
    """The source's opening of the tip with this record; dated and signed, whatever it says."""
    data = format_record(record)
    opening = sign_source_opening(
        builders.source_keys(),
        builders.sealed().pre,
        programme=builders.PROGRAMME,
        record=record_hash(data),
        purpose="court",
    )
    return replace(
        by_source(),
        opening=opening,
        opening_proof=builders.prove(record_hash(opening), LATER),
        record=data,
        proof=builders.prove(record_hash(data)),
        file_key=changes.get("file_key", builders.sealed().file_key),
    )


# Mistake 1.


@cache
def double() -> bytes:
    return two_letters(KEYS, NONCE, LETTERS)


def committing(record: Record, number: int) -> Record:
    """A record that commits to the payload with two readings, and to one of its keys."""
    return changed(
        record,
        payload=sha256(double()),
        size=len(double()),
        keycommit=key_commitment(NONCE, KEYS[number]),
    )


@pytest.mark.parametrize("number", [0, 1])
def test_of_two_letters_in_one_ciphertext_only_the_committed_one_can_be_shown(
    number: int,
) -> None:
    """Mistake 1: a logged hash of the ciphertext leaves its author two letters to choose from.

    Desk, court and registry are shown the other key, under which every tag is right.
    """
    for key, letter in zip(KEYS, LETTERS, strict=True):
        assert letter in b"".join(age.open_stream(key, [double()]))
    record, other = committing(builders.sealed().record, number), KEYS[1 - number]
    with pytest.raises(UnverifiedError, match=NOT_COMMITTED):
        open_with_key(record, other, lambda: [double()], builders.nowhere)
    with pytest.raises(UnverifiedError, match=NOT_COMMITTED):
        verify(opening_of(record, file_key=other), double())
    with pytest.raises(UnverifiedError, match=NOT_COMMITTED):
        examine_inline(format_inline(other, double()), record)


def test_a_header_that_brings_the_other_key_of_two_is_a_mismatch(desk: DeskWorld) -> None:
    """Mistake 1: no hash covers the header, so it may bring either of the keys."""
    record = committing(desk.seal(0, {"message.txt": LETTERS[0]}).record, 0)
    recipient = age.parse_recipient(desk.address().recipient)
    header = age.seal_header(KEYS[1], [recipient], desk.chance)
    digest = desk.door.deliver(format_record(record), header, double())
    [step] = desk.run()
    assert step.status == "mismatch"
    made = desk.desk.store.acknowledged(digest)
    assert made is not None
    assert NOT_COMMITTED in made.reason


# Mistake 2.


def test_a_server_that_logs_a_ciphertext_under_its_own_author_first_owns_nothing(
    desk: DeskWorld,
) -> None:
    """Mistake 2: who carries an envelope dates it earlier, under an author of their own."""
    envelope = desk.seal(0, {"message.txt": LETTERS[0]})
    payload = b"".join(envelope.payload())
    thief = desk.keys(9).author(envelope.pre)
    desk.ledger.at -= 900  # before its true source
    stolen = desk.door.deliver(
        format_record(changed(envelope.record, author=thief)), envelope.header, payload
    )
    desk.ledger.at += 900
    true = desk.door.deliver(format_record(envelope.record), envelope.header, payload)
    steps = {step.hash: step.status for step in desk.run()}
    assert steps == {stolen: "mismatch", true: "ok"}


def test_with_the_file_key_from_the_desk_a_stolen_ciphertext_still_opens_to_its_author() -> (
    None
):
    """Mistake 2: the desk is in it too, and gives its friend the key to open in a claim."""
    true = builders.sealed()
    payload = b"".join(true.payload())
    stolen = changed(true.record, author=builders.source_keys(9).author(true.pre))
    with pytest.raises(UnverifiedError, match="the author inside is not the one outside"):
        examine_inline(format_inline(true.file_key, payload), stolen)
    with pytest.raises(UnverifiedError, match="author"):
        verify(opening_of(stolen), payload)


# Mistake 3.


@dataclass
class Recorder:
    """Writes down every body that leaves the source until a date has come back."""

    network: Network
    answer: Callable[[bytes], bytes] = lambda proof: proof
    before: list[bytes] = field(default_factory=list)
    dated: bool = False

    def request(
        self, method: str, url: str, body: bytes = b"", *, bytes_max: int, **_: object
    ) -> Response:
        if not self.dated:
            self.before.append(body)
        response = self.network.request(method, url, body, bytes_max=bytes_max)
        if url.endswith("/commit") and response.status == 200:
            self.dated = True
            return replace(response, body=self.answer(response.body))
        return response


def recorder(network: Network, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recording = Recorder(network)
    monkeypatch.setattr(fetch, "request", recording.request)
    return recording


def test_before_a_quorum_has_answered_nothing_of_the_envelope_leaves(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mistake 3: a ciphertext that arrives before its date can be read and dated by others.

    What goes out are 32 bytes, and a capsule that only the source's own words can open.
    """
    recording = recorder(network, monkeypatch)
    sent = network.send()
    upload = network.uploads[upload_name(sent.record).hex()]
    capsule, leaf = (body for body in recording.before if body)
    assert leaf == sent.receipt.record_hash
    assert len(capsule) == CAPSULE_BYTES
    whole = upload.header + bytes(upload.payload) + sent.record + MESSAGE["message.txt"]
    windows = {whole[at : at + 16] for at in range(len(whole) - 15)}
    assert not any(capsule[at : at + 16] in windows for at in range(len(capsule) - 15))


def by_one_witness(proof: bytes) -> bytes:
    """The proof without the other side's cosignature."""
    lines = proof.decode().splitlines(keepends=True)
    return "".join(line for line in lines if "witness.example/theirs" not in line).encode()


@pytest.mark.parametrize(
    "answer",
    {
        "a proof of somebody else's leaf": lambda _: builders.prove(bytes(32)),
        "one side's witness alone": by_one_witness,
        "nothing": lambda _: b"",
    }.values(),
    ids=lambda each: "",
)
def test_a_door_that_gives_no_true_date_gets_no_envelope(
    network: Network, monkeypatch: pytest.MonkeyPatch, answer: Callable[[bytes], bytes]
) -> None:
    """Mistake 3: the door says that it was dated, so that the envelope may come now."""
    recorder(network, monkeypatch).answer = answer
    with pytest.raises((UnverifiedError, MalformedError)):
        network.send()
    assert network.uploads == {}
    assert not [path for _, path in network.asked if path.startswith("/deliver")]


# Mistake 4.

GUESSES = 200
WINDOW = builders.gazette_state().programme.number("delivery-window")


def guesses() -> list[bytes]:
    """Records for each number that a minister might turn out to have signed."""
    record = builders.sealed().record
    return [
        format_record(changed(record, content=sha256(b"%d" % number)))
        for number in range(GUESSES)
    ]


def announcement(envelope: Envelope, logged_at: int, shown_at: int | None = None) -> bytes:
    record = format_record(envelope.record)
    proof = builders.prove(record_hash(record), shown_at or logged_at)
    return format_json(
        {
            "record": record.decode(),
            "proof": proof.decode(),
            "header": format_base64(envelope.header),
        }
    )


def commit_guesses(door: DoorWorld) -> None:
    with httpx.Client(base_url=door.url, trust_env=False) as client:
        for record in guesses():
            assert client.post("/commit", content=record_hash(record)).is_success


def test_of_hundreds_of_guesses_the_true_one_comes_too_late(door: DoorWorld) -> None:
    """Mistake 4: everything that might happen is dated, and one of it handed over afterwards.

    The proof is the old one, or one of today: the log's first counts.
    """
    commit_guesses(door)
    envelope = builders.sealed()
    ask(door, "POST", "/commit", record_hash(format_record(envelope.record)))
    door.now += WINDOW + 1
    for shown_at in (builders.NOON, door.now):
        answer = ask(door, "POST", "/deliver", announcement(envelope, builders.NOON, shown_at))
        assert answer.status_code == RefusedError.http_status, answer.text
        assert "delivery window of this commitment is over" in answer.text
    assert not list(door.intake.store.deliveries_after(0, 10))


def test_a_guess_that_was_announced_in_time_cannot_be_handed_over_later(
    door: DoorWorld,
) -> None:
    """Mistake 4: all are announced early, and left to wait; even one that lacks a last byte."""
    envelope = builders.sealed()
    upload = f"/deliver/{upload_name(format_record(envelope.record)).hex()}"
    payload = b"".join(envelope.payload())
    assert ask(door, "POST", "/deliver", announcement(envelope, builders.NOON)).is_success
    assert ask(door, "PATCH", f"{upload}?offset=0", payload[:-1]).is_success
    door.now += WINDOW + 1
    last = ask(door, "PATCH", f"{upload}?offset={len(payload) - 1}", payload[-1:])
    assert last.status_code == RefusedError.http_status
    assert ask(door, "POST", f"{upload}/finish").status_code == RefusedError.http_status
    assert not list(door.intake.store.deliveries_after(0, 10))


def test_a_door_in_league_with_a_guesser_dates_its_own_delivery_too_late(
    desk: DeskWorld,
) -> None:
    """Mistake 4: the door signs that it came in time; the quorum dates what it signs."""
    envelope = desk.seal(0, {"message.txt": b"It will be the ninth of May.\n"})
    record = format_record(envelope.record)
    desk.door.deliver(record, envelope.header, b"".join(envelope.payload()))
    entry = desk.door.deliveries[0]
    desk.ledger.at += 86_400 + 86_400 + 1  # the window, a day of grace, and a second
    late = desk.ledger.proof(record_hash(str(entry["delivery"]).encode()))
    desk.door.forged[1] = {"delivery_proof": late.decode()}
    [step] = desk.run()
    assert step.status == "mismatch"


def test_an_opened_guess_that_was_never_handed_over_has_no_date() -> None:
    """Mistake 4: nobody is given the tip; its author opens the right one in the claim."""
    late = builders.NOON + WINDOW + 86_400 + 1
    for texts in (opened_fields(shown=b""), opened_fields(shown=delivery(), at=late)):
        bundle = parse_bundle(opened_bundle(texts))
        examined = examine(bundle, builders.gazette_state(), builders.POLICY, JUDGED)
        assert "'logged'" not in str(examined.facts)


# Mistake 5.


def personal_epoch() -> bytes:
    """A desk key made for one visitor, certified by a board that helps."""
    mine = age.format_recipient(age.hybrid_identity(bytes(32)).recipient())
    previous = record_hash(builders.gazette_entries()[-1])
    act = builders.epoch_act(number=2, previous=previous, hybrid=mine)
    return builders.by_board(act)


def forked(network: Network) -> None:
    network.entries = (
        *builders.gazette_entries()[:2],
        builders.by_board(
            builders.epoch_act(
                hybrid=age.format_recipient(age.hybrid_identity(bytes(32)).recipient())
            )
        ),
    )


def cosigned_by(network: Network, monkeypatch: pytest.MonkeyPatch, *keys: object) -> None:
    """The Gazette's checkpoints are cosigned by these alone."""
    plain = builders.checkpoint_note

    def note(frontier: object, at: int, log: object = builders.LEDGER) -> object:
        return plain(frontier, at, log, witnesses=keys)  # type: ignore[arg-type]

    monkeypatch.setattr(builders, "checkpoint_note", note)


@pytest.mark.parametrize("witnesses", [(), (builders.OUR_WITNESS,), (builders.THEIR_WITNESS,)])
def test_a_gazette_for_one_visitor_has_no_quorum(
    network: Network, monkeypatch: pytest.MonkeyPatch, witnesses: tuple[object, ...]
) -> None:
    """Mistake 5: a desk key of their own would name each visitor to whoever reads it back.

    Log and board sign the fork; the witnesses have cosigned another tree of that size.
    """
    forked(network)
    cosigned_by(network, monkeypatch, *witnesses)
    with pytest.raises(UnverifiedError):
        network.send()
    assert network.uploads == {}


def test_entries_slipped_under_the_true_checkpoint_are_seen(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mistake 5: the checkpoint is everybody's, and the entries are for one."""
    true = network._answer
    bundle = replace(network, entries=(*network.entries[:2], personal_epoch()))

    def answer(method: str, path: str, place: int, body: bytes) -> bytes:
        swapped = path.startswith("/gazette/tile/entries")
        return (bundle._answer if swapped else true)(method, path, place, body)

    monkeypatch.setattr(network, "_answer", answer)
    with pytest.raises(UnverifiedError, match="not those its checkpoint covers"):
        network.send()


def test_yesterdays_gazette_is_not_today(network: Network) -> None:
    """Mistake 5: an old list, truly signed, keeps a visitor at a key that was stolen since."""
    network.gazette_at = network.now - 86_401
    with pytest.raises(UnavailableError, match="stale"):
        network.send()
    assert network.uploads == {}
    with pytest.raises(UnavailableError, match="stale"):
        read_gazette(PROGRAMME)


def test_what_is_sealed_to_a_key_outside_the_gazette_is_not_taken(door: DoorWorld) -> None:
    """Mistake 5: a client that was shown such a key all the same is told at the door."""
    theirs = fold_all(
        (
            *builders.gazette_entries()[:2],
            builders.by_board(
                builders.epoch_act(
                    hybrid=age.format_recipient(age.hybrid_identity(bytes(32)).recipient())
                )
            ),
        )
    )
    address = address_at(theirs, builders.NOON)
    envelope = seal_envelope(builders.sources(), address, builders.source_keys(), dice())
    answer = ask(door, "POST", "/deliver", announcement(envelope, builders.NOON))
    assert answer.status_code == UnverifiedError.http_status
    assert "another desk certificate than the Gazette" in answer.text


# Mistake 6.


def split(envelope: Envelope, keys: tuple[bytes, bytes], classic: bool) -> bytes:
    """A header whose two stanzas wrap two keys, for the desk and for a friend of its author."""
    profile = (builders.CLASSIC_DESK if classic else builders.HYBRID_DESK).recipient()
    friend = (age.x25519_identity if classic else age.hybrid_identity)(b"\x09" * 32)
    pairs = zip(keys, (profile, friend.recipient()), strict=True)
    stanzas = [
        stanza
        for key, to in pairs
        for stanza in age.parse_header(age.seal_header(key, [to], dice(key)))[0].stanzas
    ]
    return age.format_header(make_header(stanzas, keys[0]))


@pytest.mark.parametrize("profile", ["X25519", "mlkem768x25519"])
def test_a_header_for_two_readers_is_taken_by_nobody(profile: str) -> None:
    """Mistake 6: two stanzas, two keys, and two desks that read different things."""
    envelope = builders.seal(profile=profile.lower())
    header = split(envelope, (envelope.file_key, KEYS[1]), profile == "X25519")
    assert age.unwrap(age.parse_header(header)[0], builders.DESK_IDENTITIES)
    with pytest.raises(SafeconductError):  # the friend's key fails the MAC of the desk's
        age.unwrap(
            age.parse_header(header)[0],
            [
                (age.x25519_identity if profile == "X25519" else age.hybrid_identity)(
                    b"\x09" * 32
                )
            ],
        )
    with pytest.raises(MalformedError):
        check_header(header, envelope.record)
    with pytest.raises(MalformedError):
        open_envelope(
            envelope.record,
            header,
            envelope.payload,
            builders.DESK_IDENTITIES,
            builders.nowhere,
        )


def test_neither_door_nor_desk_takes_a_split_header(door: DoorWorld, desk: DeskWorld) -> None:
    """Mistake 6: the door refuses it; a desk that is given it anyhow says so for ever."""
    envelope = builders.sealed()
    header = split(envelope, (envelope.file_key, KEYS[1]), classic=False)
    answer = ask(
        door, "POST", "/deliver", announcement(replace(envelope, header=header), builders.NOON)
    )
    assert answer.status_code == MalformedError.http_status
    theirs = desk.seal(0, MESSAGE)
    recipients = [
        age.parse_recipient(desk.address().recipient),
        age.hybrid_identity(b"\x09" * 32).recipient(),
    ]
    both = age.seal_header(theirs.file_key, recipients, desk.chance)
    desk.door.deliver(format_record(theirs.record), both, b"".join(theirs.payload()))
    assert [step.status for step in desk.run()] == ["unreadable"]
