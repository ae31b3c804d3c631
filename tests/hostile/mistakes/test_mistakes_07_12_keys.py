"""Attacks on keys, and on what is signed: mistakes 7 to 12, each played and refused."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import permutations
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
from tests.protocol.opening_builders import by_desk, by_source, verify

from safeconduct.errors import MalformedError, RefusedError, SafeconductError, UnverifiedError
from safeconduct.plumbing import fetch
from safeconduct.plumbing.fetch import Response
from safeconduct.plumbing.programme import PROGRAMME_FILE, load_programme, write_programme
from safeconduct.plumbing.words import format_words, parse_words
from safeconduct.protocol import age
from safeconduct.protocol.canonical import tagged_hash
from safeconduct.protocol.claim import LIMBS, open_claim, parse_bundle, sign_claim
from safeconduct.protocol.credit import make_offer, open_link, open_offer
from safeconduct.protocol.destruction import draft_destruction, verify_destruction
from safeconduct.protocol.dual import open_dual, sign_dual
from safeconduct.protocol.envelope import Source, acknowledgement, seal_envelope
from safeconduct.protocol.gazette import fold, fold_all
from safeconduct.protocol.keys import attempt_tag, author_commitment, kdf_salt, master_key
from safeconduct.protocol.opening import sign_source_opening
from safeconduct.protocol.record import (
    Record,
    format_record,
    make_record,
    parse_record,
    parse_signed,
    record_hash,
    sign_record,
    verify_signer,
)
from safeconduct.protocol.signature import sign_mldsa65
from safeconduct.protocol.tip import format_manifest, parse_manifest
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


# Mistake 12.


def manifest() -> bytes:
    sealed = builders.sealed()
    content = b"".join(age.open_stream(sealed.file_key, sealed.payload()))
    return content[512:].split(b"\0", 1)[0]


SPELLINGS: dict[str, Callable[[bytes], bytes]] = {
    "a blank": lambda data: data.replace(b'":', b'": ', 1),
    "a line end": lambda data: data + b"\n",
    "fields in another order": lambda data: (
        b'{"tag_key":'
        + data.rsplit(b'"tag_key":', 1)[1][:-1]
        + b","
        + data[1:].rsplit(b',"tag_key":', 1)[0]
        + b"}"
    ),
    "a field twice": lambda data: data[:-1] + b',"tag_key":"' + b"0" * 64 + b'"}',
    "a letter written as an escape": lambda data: data.replace(b"message", b"m\\u0065ssage"),
    "a number as a fraction": lambda data: data.replace(b'"size":0', b'"size":0.0'),
    "a field more": lambda data: data[:-1] + b',"zzz":1}',
    "a byte-order mark": lambda data: b"\xef\xbb\xbf" + data,
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_a_manifest_has_one_spelling(spelling: Callable[[bytes], bytes]) -> None:
    """Mistake 12: what two readers take for the same JSON has two hashes."""
    data = manifest()
    assert format_manifest(parse_manifest(data)) == data
    assert spelling(data) != data
    with pytest.raises(MalformedError):
        parse_manifest(spelling(data))


RECORDS: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "two fields exchanged": lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]],
    "a field twice": lambda lines: [*lines[:2], *lines[1:]],
    "a field missing": lambda lines: [*lines[:2], *lines[3:]],
    "a field more": lambda lines: [*lines[:-1], b"note none", b""],
    "upper case": lambda lines: [lines[0], lines[1].upper(), *lines[2:]],
    "a leading zero": lambda lines: [line.replace(b"epoch 1", b"epoch 01") for line in lines],
    "a blank at the end": lambda lines: [lines[0] + b" ", *lines[1:]],
    "no line end": lambda lines: lines[:-1],
    "other line ends": lambda lines: [line + b"\r" for line in lines],
}


@pytest.mark.parametrize("change", RECORDS.values(), ids=RECORDS)
def test_a_record_has_one_order_and_one_spelling(
    change: Callable[[list[bytes]], list[bytes]],
) -> None:
    """Mistake 12: whoever may reorder what was hashed may also say something else with it."""
    lines = format_record(builders.sealed().record).split(b"\n")
    assert change(lines) != lines
    with pytest.raises(MalformedError):
        parse_record(b"\n".join(change(lines)))


def test_what_is_hashed_together_cannot_be_cut_elsewhere() -> None:
    """Mistake 12: without lengths, a file "ab" of "c" is a file "a" of "bc"."""
    keys, digest = builders.source_keys(), bytes(32)
    assert attempt_tag(keys, [("ab", 1, digest)]) != attempt_tag(
        keys, [("a", 1, b"b" + digest)]
    )
    assert tagged_hash("item", b"ab", b"c") != tagged_hash("item", b"a", b"bc")
    assert tagged_hash("item", b"abc") != tagged_hash("item", b"abc", b"")
    assert tagged_hash("item", b"a") != tagged_hash("ite", b"m", b"a")


DUAL_KINDS = (*LIMBS, "credit-request", "opening")


@cache
def dual_records() -> dict[str, Record]:
    """One record of each kind that an author signs twice, all with the same author's keys."""
    mine = parse_signed(builders.signed_claim()).record
    same = {name: mine.values[name] for name in ("ed25519", "mldsa65", "blind")}
    found = {kind: builders.claim_record(kind) for kind in LIMBS}
    others = (by_source().opening, credited.request())
    for record in (parse_signed(data).record for data in others):
        found[record.kind] = Record(kind=record.kind, values={**record.values, **same})
    return found


@pytest.mark.parametrize(("made", "shown"), list(permutations(DUAL_KINDS, 2)))
def test_what_an_author_signed_is_of_one_kind(made: str, shown: str) -> None:
    """Mistake 12: an author's one signature, asked for as this, is used as that.

    Once its lines are put under the other text, once it is handed in where that is due.
    """
    signed = sign_dual(dual_records()[made], *builders.author_seeds(builders.source_keys()))
    assert open_dual(signed, {made}) == dual_records()[made]
    with pytest.raises(UnverifiedError):
        open_dual(with_lines(dual_records()[shown], lines_of(signed)), {shown})
    with pytest.raises(MalformedError, match=f"not {shown}"):
        open_dual(signed, {shown})


def test_a_signature_of_the_right_text_in_another_kinds_context_is_none() -> None:
    """Mistake 12: the younger scheme binds the kind once more, apart from the text."""
    record = dual_records()["opening"]
    seeds = builders.author_seeds(builders.source_keys())
    right = lines_of(sign_dual(record, *seeds))
    text = format_record(record)
    wrong = sign_mldsa65(seeds[1], text, b"safeconduct/v1/claim-helped")
    line = SignatureLine(name=right[1].name, key_id=right[1].key_id, blob=wrong)
    with pytest.raises(UnverifiedError, match="ML-DSA-65"):
        open_dual(with_lines(record, [right[0], line]), {"opening"})


STATED_KINDS = (
    "acknowledgement",
    "assessment",
    "credit-offer",
    "destruction",
    "opening-desk",
    "request",
)


@cache
def statements() -> dict[str, Record]:
    """One record of each kind that a desk's statement key signs, all about one tip."""
    state, tip = credited.state(), credited.tip_hash()
    epoch = state.epochs[0]
    return {
        "acknowledgement": acknowledgement(builders.PROGRAMME, tip, "ok", 1),
        "assessment": builders.assessment(tip),
        "credit-offer": make_offer(state, tip, credited.group(), 1),
        "destruction": draft_destruction(
            builders.PROGRAMME, epoch, None, [tip], epoch.closes + 100_000
        ),
        "opening-desk": changed(parse_signed(by_desk().opening).record, record=tip),
        "request": make_record(
            "request", programme=builders.PROGRAMME, action="deliveries", body=tip, at=1
        ),
    }


@pytest.mark.parametrize(("made", "shown"), list(permutations(STATED_KINDS, 2)))
def test_what_a_desk_signed_is_of_one_kind(made: str, shown: str) -> None:
    """Mistake 12: one statement key signs them all, and each signature is good for one."""
    key = builders.DESK.verifier()
    signed = sign_record(statements()[made], [builders.DESK])
    assert verify_signer(parse_signed(signed, made), key) == statements()[made]
    with pytest.raises(MalformedError, match=f"{made} where {shown} is due"):
        parse_signed(signed, shown)
    moved = with_lines(statements()[shown], lines_of(signed))
    with pytest.raises(UnverifiedError):
        verify_signer(parse_signed(moved, shown), key)


READERS: dict[str, Callable[[bytes], object]] = {
    "an offer": lambda data: open_offer(data, credited.state()),
    "a destruction": lambda data: verify_destruction(data, credited.state()),
    "a link": lambda data: open_link(data, credited.state()),
    "a claim": open_claim,
    "a Gazette entry": lambda data: fold(builders.gazette_state(), data),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("made", ["acknowledgement", "assessment", "request"])
def test_no_reader_takes_another_kind(made: str, reader: str) -> None:
    """Mistake 12: each reader says which kind it waits for, and looks before it verifies."""
    with pytest.raises(SafeconductError):
        READERS[reader](sign_record(statements()[made], [builders.DESK]))


def test_an_opening_is_no_claim_on_what_it_opens() -> None:
    """Mistake 12: who opened a tip in court has not claimed with it, whatever a clerk says."""
    record = builders.statements().record
    opening = sign_source_opening(
        builders.source_keys(),
        builders.sealed().pre,
        programme=builders.PROGRAMME,
        record=record_hash(record),
        purpose="court",
    )
    with pytest.raises(MalformedError):
        open_claim(opening)
    claim = sign_claim(builders.claim_record(), *builders.author_seeds(builders.source_keys()))
    with pytest.raises(SafeconductError):
        verify(replace(by_source(), opening=claim, opening_proof=b""))
