"""Attacks on keys, and on the words they come of: mistakes 7 to 11, played and refused."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from tests.hostile.mistakes.hostile_bytes import (
    ANYTHING,
    LOW_ORDER,
    changed,
    lines_of,
    with_lines,
)
from tests.parties.source.network import MESSAGE, PROGRAMME, Network
from tests.protocol import builders, credited
from tests.protocol.age.chance import dice
from tests.protocol.claiming import credited_bundle
from tests.protocol.opening_builders import by_source

from safeconduct.errors import MalformedError, RefusedError, UnverifiedError
from safeconduct.plumbing import fetch
from safeconduct.plumbing.fetch import Response
from safeconduct.plumbing.programme import PROGRAMME_FILE, load_programme, write_programme
from safeconduct.plumbing.words import format_words, parse_words
from safeconduct.protocol import age
from safeconduct.protocol.claim import open_claim, parse_bundle
from safeconduct.protocol.dual import open_dual
from safeconduct.protocol.envelope import Source, seal_envelope
from safeconduct.protocol.gazette import fold, fold_all
from safeconduct.protocol.keys import author_commitment, kdf_salt, master_key
from safeconduct.protocol.record import (
    Record,
    make_record,
    parse_signed,
    sign_record,
)
from safeconduct.protocol.tlog.note import (
    SignatureLine,
    VerifierKey,
    parse_note,
    verify_note,
)

# Mistake 7.


def spellings(key: bytes) -> Iterator[bytes]:
    """A key as bytes, in hex, and in base64 wherever it may begin in a longer text."""
    yield key
    yield key.hex().encode()
    for shift in range(3):
        yield base64.b64encode(bytes(shift) + key)[4:-4]


def test_no_public_byte_holds_a_key_of_an_author(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mistake 7: a key that is seen early can be forged later, and links what its owner sends.

    All that leaves a source is searched, and all that log, door and desk hold of its tip.
    """
    sent: list[bytes] = []

    def request(
        method: str, url: str, body: bytes = b"", *, bytes_max: int, **_: object
    ) -> Response:
        response = network.request(method, url, body, bytes_max=bytes_max)
        sent.extend([url.encode(), body, response.body])
        return response

    monkeypatch.setattr(fetch, "request", request)
    tip = network.send()
    upload = next(iter(network.uploads.values()))
    inside = b"".join(
        age.open_(builders.DESK_IDENTITIES, [upload.header + bytes(upload.payload)])
    )
    assert MESSAGE["message.txt"] in inside
    public = b"\0".join([*sent, tip.record, tip.proof, inside])
    keys = builders.source_keys()
    secret = [keys.derive(name) for name in ("author-ed25519", "author-mldsa65")]
    for key in (*keys.author_public(), *secret):
        assert not [spelt for spelt in spellings(key) if spelt in public]


def test_who_guesses_the_key_of_an_author_cannot_tell_whether_they_are_right() -> None:
    """Mistake 7: a key that was shown for one tip finds none of the others by its hash."""
    sealed = builders.sealed()
    ed25519, mldsa65 = sealed.keys.author_public()
    shown = sealed.keys.blind(sealed.pre)
    assert author_commitment(ed25519, mldsa65, shown) == sealed.record.hash("author")
    blinds = [bytes(16), sealed.pre, sealed.nonce, shown[::-1], sealed.record.hash("identity")]
    for blind in blinds:
        guess = author_commitment(ed25519, mldsa65, blind[:16])
        assert guess != sealed.record.hash("author")
    assert builders.source_keys(1).author_public() != (ed25519, mldsa65)


# Mistake 8.

NOT_A_KEY = [bytes.fromhex(text) for text in LOW_ORDER.values()]


def named(public: bytes, name: str = "board.example/anna") -> VerifierKey:
    return VerifierKey(name=name, algorithm=1, public=public)


def lying(record: Record, public: bytes, kind: str = "claimant") -> bytes:
    """The record with the one signature that such a key gives for everything."""
    key = named(public, kind)
    return with_lines(record, [SignatureLine(name=key.name, key_id=key.key_id, blob=ANYTHING)])


def _claim(public: bytes) -> object:
    ed25519 = builders.claim_record("claim-helped", ed25519=public)
    lines = lines_of(builders.signed_claim())
    lines = (lines_of(lying(ed25519, public))[0], lines[1])
    return open_claim(with_lines(ed25519, lines))


def _credit_claim(public: bytes) -> object:
    bundle = parse_bundle(credited_bundle(credited.held()))
    record = changed(bundle.record, ed25519=public)
    lines = (lines_of(lying(record, public))[0], lines_of(bundle.claim)[1])
    return open_claim(with_lines(record, lines))


def _opening(public: bytes) -> object:
    record = changed(parse_signed(by_source().opening).record, ed25519=public)
    lines = (lines_of(lying(record, public))[0], lines_of(by_source().opening)[1])
    return open_dual(with_lines(record, lines), {"opening"})


def _request(public: bytes) -> object:
    record = changed(parse_signed(credited.request()).record, ed25519=public)
    lines = (lines_of(lying(record, public))[0], lines_of(credited.request())[1])
    return open_dual(with_lines(record, lines), {"credit-request"})


def _statement_key(public: bytes) -> object:
    key = named(public, "desk.example/epoch-1")
    return fold(
        fold_all(builders.gazette_entries()[:2]),
        builders.by_board(builders.epoch_act(statement=key)),
    )


def _member(public: bytes) -> object:
    members = (*builders.verifiers(builders.MEMBERS[:2]), named(public, "board.example/eve"))
    act = make_record(
        "roster",
        programme=builders.PROGRAMME,
        number=1,
        previous=builders.gazette_state().roster.hash,
        threshold=2,
        members=members,
    )
    return fold(builders.gazette_state(), builders.by_board(act))


def _founder(field: str) -> Callable[[bytes], object]:
    def found(public: bytes) -> object:
        act = builders.founding(**{field: named(public, f"{field}.example")})
        return fold(None, sign_record(act, builders.MEMBERS))

    return found


def _signature(public: bytes) -> object:
    """Nobody enrolled it; a reader merely takes it for the log's, or a witness's."""
    note = parse_note(lying(builders.assessment(bytes(32)), public))
    verify_note(note, named(public, "claimant"))
    return note


PLACES: dict[str, Callable[[bytes], object]] = {
    "a claim": _claim,
    "a claim on a credit": _credit_claim,
    "an opening": _opening,
    "a request for a credit": _request,
    "a desk's statement key": _statement_key,
    "a member of the board": _member,
    "the door's key": _founder("server"),
    "the registry's key": _founder("registry"),
    "any signature line": _signature,
}


def test_such_a_key_signs_everything_for_other_libraries() -> None:
    """Mistake 8: what the others below are about, seen in a library that everybody uses."""
    identity = Ed25519PublicKey.from_public_bytes(NOT_A_KEY[0])
    for message in (b"I wrote it.", b"I did not write it."):
        identity.verify(ANYTHING, message)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("public", NOT_A_KEY, ids=LOW_ORDER)
def test_a_key_under_which_anybody_signs_anything_is_refused(place: str, public: bytes) -> None:
    """Mistake 8: its owner could deny whatever it signed, and anybody could claim with it."""
    with pytest.raises((MalformedError, UnverifiedError)):
        PLACES[place](public)


# Mistake 9.


def pad(sealed: bytes, content: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(sealed, content, strict=True))


def test_an_edited_file_under_the_same_number_shares_no_keystream() -> None:
    """Mistake 9: two contents under one key and nonce give each other away by subtraction."""
    one, other = (
        builders.seal({"message.txt": text})
        for text in (b"The second of May.\n", b"The ninth of May.\n")
    )
    assert one.keys == other.keys
    assert one.nonce != other.nonce
    assert one.file_key != other.file_key
    streams = []
    for envelope in (one, other):
        payload = b"".join(envelope.payload())
        content = b"".join(age.open_stream(envelope.file_key, [payload]))
        streams.append(pad(payload[16:-16], content))
    same = sum(a == b for a, b in zip(*streams, strict=True))
    assert same < len(streams[0]) // 100  # one byte in 256 by chance


@pytest.mark.parametrize("edited_at", [1, 2])
def test_a_file_that_is_edited_while_it_is_sent_goes_no_further(edited_at: int) -> None:
    """Mistake 9: the key was fixed by what the file held before."""
    reading = 0

    def read() -> Iterator[bytes]:
        nonlocal reading
        reading += 1
        text = b"May" if reading <= edited_at else b"Mai"
        yield text + bytes(150_000)

    left: list[bytes] = []

    def send() -> None:
        scan = Source(name="scan.bin", read=read)
        keys = builders.source_keys()
        left.extend(seal_envelope([scan], builders.address(), keys, dice()).payload())

    with pytest.raises(MalformedError, match="changed"):
        send()
    # The nonce may have left, which says nothing: never a chunk of the edited content.
    assert len(b"".join(left)) <= 16


# Mistakes 10 and 11.

WEAKER = {
    "cheaper passes": "[kdf]\npasses = 1\n",
    "less memory": "[kdf]\nmemory_kib = 8\n",
    "a salt for each visitor": 'salt = "00"\n',
    "a master key of the server's": 'master = "00"\n',
}


@pytest.mark.parametrize("line", WEAKER.values(), ids=WEAKER)
def test_a_programme_file_that_speaks_of_stretching_is_refused(
    tmp_path: Path, line: str
) -> None:
    """Mistake 11: whoever serves the public file makes its readers' words cheap to guess."""
    write_programme(tmp_path, PROGRAMME)
    path = tmp_path / PROGRAMME_FILE
    for text in (line + path.read_text(), path.read_text() + line):
        path.write_text(text)
        with pytest.raises(MalformedError):
            load_programme(tmp_path)


def test_nothing_that_a_server_says_changes_how_words_are_stretched(tmp_path: Path) -> None:
    """Mistake 11: every other line of the file may lie, and the keys are the same."""
    write_programme(tmp_path, PROGRAMME)
    path = tmp_path / PROGRAMME_FILE
    path.write_text(path.read_text().replace("example/", "evil.example/"))
    hostile = load_programme(tmp_path)
    assert hostile.ledger != PROGRAMME.ledger
    due = Argon2id(
        salt=kdf_salt(builders.PROGRAMME), length=32, iterations=2, lanes=1, memory_cost=19_456
    ).derive(builders.ENTROPY)
    assert master_key(builders.ENTROPY, hostile.hash) == due


def test_all_sources_share_one_salt_so_that_none_needs_an_account(network: Network) -> None:
    """Mistake 10: a salt for each source would have to be asked for, by name."""
    network.send()
    first = [path for _, path in network.asked if "deliver" not in path]
    network.asked.clear()
    network.send(entropy=bytes(range(16, 32)), files={"message.txt": b"Another.\n"})
    second = [path for _, path in network.asked if "deliver" not in path]
    assert [path.split("/")[1] for path in first] == [path.split("/")[1] for path in second]


PHRASES = {
    "a phrase that a person chose": "the harbour master takes money from coal merchants each ",
    "twelve common words": " ".join(["abandon"] * 12),
    "six dice words": "zebra river armor police vast lemon",
    "nine words": " ".join(["abandon"] * 9),
    "eleven words": " ".join(format_words(builders.ENTROPY).split()[:11]),
    "fifteen words": " ".join(["abandon"] * 14 + ["address"]),
    "a number": "1234 5678 9012 3456",
    "nothing": "",
}


@pytest.mark.parametrize("phrase", PHRASES.values(), ids=PHRASES)
def test_words_that_are_not_128_random_bits_are_refused(phrase: str) -> None:
    """Mistake 10: the log is public, so that all sources' words are guessed at in one go."""
    with pytest.raises((MalformedError, RefusedError)):
        parse_words(phrase)


@pytest.mark.parametrize("length", [0, 8, 15, 17, 32])
def test_keys_are_made_of_sixteen_bytes_and_no_others(length: int) -> None:
    """Mistake 10: below 128 bits nothing is stretched far enough."""
    with pytest.raises(ValueError, match="16 bytes"):
        master_key(bytes(length), builders.PROGRAMME)
