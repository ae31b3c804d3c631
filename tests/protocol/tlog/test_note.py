"""Signed notes and the texts of their keys."""

import base64
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocol.tlog.sample_log import LOG, WITNESSES, near, with_line

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.tlog.note import (
    COSIGNATURE,
    ED25519,
    MLDSA44,
    NOTE_BYTES_MAX,
    OTHER,
    SIGNATURES_MAX,
    Note,
    SignatureLine,
    SigningKey,
    VerifierKey,
    format_note,
    format_signature_line,
    format_skey,
    format_vkey,
    parse_note,
    parse_signature_lines,
    parse_skey,
    parse_vkey,
    sign_note,
    signatures_by,
    verify_note,
)

# The key, text and signature with which Go's note package tests itself.
GO_SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXg"
    "KvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)

# The example note of c2sp.org/signed-note; the standard does not tell its key.
C2SP_NOTE = (
    "Ognuno sta solo sul cuor della terra\n"
    "trafitto da un raggio di sole:\n"
    "\n"
    "ed è subito sera.\n"
    "\n"
    "— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9o"
    "JKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
)

TEXT = "a text\n"
SIGNED = Note(text=TEXT, signatures=(sign_note(TEXT, LOG),))
GOOD_LINE = format_signature_line(SIGNED.signatures[0])


def test_gos_example_signs_and_verifies_alike() -> None:
    key, note = parse_skey(GO_SKEY), parse_note(GO_NOTE.encode())
    verify_note(note, parse_vkey(GO_VKEY))
    assert sign_note(note.text, key) == note.signatures[0]
    assert format_vkey(key.verifier()) == GO_VKEY
    assert format_skey(key) == GO_SKEY


def test_the_last_empty_line_parts_text_from_signatures() -> None:
    note = parse_note(C2SP_NOTE.encode())
    assert note.text.endswith("sole:\n\ned è subito sera.\n")
    assert [line.name for line in note.signatures] == ["quasimodo.example/salvatore"]
    assert len(note.signatures[0].blob) == 64
    assert format_note(note) == C2SP_NOTE.encode()


def test_a_text_may_end_in_empty_lines_or_be_one() -> None:
    for text in ("\n", "\n\n", "a\n\n\n"):
        note = Note(text=text, signatures=(sign_note(text, LOG),))
        assert parse_note(format_note(note)) == note


MALFORMED_NOTES = {
    "nothing": "",
    "a text alone": TEXT,
    "a text and an empty line": TEXT + "\n",
    "no empty line": TEXT + GOOD_LINE,
    "no text": "\n" + GOOD_LINE,
    "two empty lines at the end": f"{TEXT}\n{GOOD_LINE}\n\n",
    "an empty line at the end": f"{TEXT}\n{GOOD_LINE}\n",
    "the last line cut short": f"{TEXT}\n{GOOD_LINE}"[:-1],
    "a stray line after the signature": f"{TEXT}\n{GOOD_LINE}stray\n",
    "a stray line before the signature": f"{TEXT}\nstray\n{GOOD_LINE}",
    "carriage returns": f"{TEXT}\n{GOOD_LINE}".replace("\n", "\r\n"),
    "a carriage return in the text": f"a\rb\n\n{GOOD_LINE}",
    "a tab in the text": f"a\tb\n\n{GOOD_LINE}",
    "a zero byte in the text": f"a\0b\n\n{GOOD_LINE}",
    "an escape in the text": f"a\x1b[2Jb\n\n{GOOD_LINE}",
    "a byte-order mark": f"\ufeff{TEXT}\n{GOOD_LINE}",
    "a hyphen for the dash": f"{TEXT}\n{GOOD_LINE}".replace("—", "-"),
    "an en dash for the em dash": f"{TEXT}\n{GOOD_LINE}".replace("—", "–"),
    "no dash": f"{TEXT}\n{GOOD_LINE[2:]}",
    "a blank before the dash": f"{TEXT}\n {GOOD_LINE}",
    "two blanks after the dash": f"{TEXT}\n{GOOD_LINE.replace('— ', '—  ')}",
    "two blanks before the signature": f"{TEXT}\n{GOOD_LINE.replace('ledger ', 'ledger  ')}",
    "a blank at the end": f"{TEXT}\n{GOOD_LINE[:-1]} \n",
    "no name": f"{TEXT}\n—  AAAAAAA=\n",
    "no signature": f"{TEXT}\n— name\n",
    "an empty signature": f"{TEXT}\n— name \n",
    "a plus in the name": f"{TEXT}\n— na+me AAAAAAA=\n",
    "a blank in the name": f"{TEXT}\n— na me AAAAAAA=\n",
    "a no-break space in the name": f"{TEXT}\n— na\u00a0me AAAAAAA=\n",
    "a line separator in the name": f"{TEXT}\n— na\u2028me AAAAAAA=\n",
    "an ideographic space in the name": f"{TEXT}\n— na\u3000me AAAAAAA=\n",
    "a key ID alone": f"{TEXT}\n— name AAAAAA==\n",
    "half a key ID": f"{TEXT}\n— name AAA=\n",
    "base64 without padding": f"{TEXT}\n— name AAAAAAA\n",
    "base64 with needless padding": f"{TEXT}\n— name AAAAAAAA==\n",
    "base64 with bits beyond its end": f"{TEXT}\n— name AAAAAAB=\n",
    "base64 of the URL alphabet": f"{TEXT}\n— name AAAA-_A=\n",
    "base64 with junk inside": f"{TEXT}\n— name AAA!AAAA=\n",
    "101 signatures": f"{TEXT}\n{GOOD_LINE * (SIGNATURES_MAX + 1)}",
    "a note of over a MiB": "a" * NOTE_BYTES_MAX + f"\n\n{GOOD_LINE}",
}


@pytest.mark.parametrize("text", MALFORMED_NOTES.values(), ids=MALFORMED_NOTES)
def test_a_malformed_note_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        parse_note(text.encode())


def test_bytes_that_are_no_utf8_are_refused() -> None:
    for data in (b"\xff" + TEXT.encode(), b"\xed\xa0\x80", b"\xc0\x8a"):
        with pytest.raises(MalformedError):
            parse_note(data + b"\n\n" + GOOD_LINE.encode())


def test_100_signatures_are_read() -> None:
    note = parse_note(f"{TEXT}\n{GOOD_LINE * SIGNATURES_MAX}".encode())
    assert len(note.signatures) == SIGNATURES_MAX
    verify_note(note, LOG.verifier())


def test_signature_lines_alone_are_what_a_witness_answers() -> None:
    assert parse_signature_lines(GOOD_LINE.encode()) == SIGNED.signatures
    for data in (b"", b"\n", GOOD_LINE.encode() + b"\n", GOOD_LINE.encode()[:-1], b"x" * 2**21):
        with pytest.raises(MalformedError):
            parse_signature_lines(data)


names = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Z"], exclude_characters="+\ufeff"),
    min_size=1,
    max_size=20,
)
texts = st.text(
    st.characters(
        exclude_categories=["Cs", "Cc"], include_characters="\n", exclude_characters="\ufeff"
    ),
    max_size=60,
).map(lambda text: text + "\n")
lines = st.builds(
    SignatureLine,
    name=names,
    key_id=st.binary(min_size=4, max_size=4),
    blob=st.binary(min_size=1, max_size=80),
)
notes = st.builds(
    Note, text=texts, signatures=st.lists(lines, min_size=1, max_size=20).map(tuple)
)


@settings(max_examples=200)
@given(notes)
def test_a_note_is_read_back_as_it_was(note: Note) -> None:
    assert parse_note(format_note(note)) == note


@settings(max_examples=400)
@given(near(format_note(SIGNED)) | near(C2SP_NOTE.encode()) | st.binary(max_size=40))
def test_a_note_parses_in_one_spelling_or_not_at_all(data: bytes) -> None:
    try:
        note = parse_note(data)
    except MalformedError:
        return
    assert format_note(note) == data


def test_a_note_that_could_not_be_read_is_not_written() -> None:
    for note in (
        Note(text="no newline", signatures=SIGNED.signatures),
        Note(text=TEXT, signatures=()),
    ):
        with pytest.raises((AssertionError, MalformedError)):
            format_note(note)
    with pytest.raises(ValueError, match="ends with LF"):
        sign_note("no newline", LOG)


def test_a_signature_by_nobody_we_know_is_ignored() -> None:
    ours, key_id = SIGNED.signatures[0], LOG.verifier().key_id
    same_name = SignatureLine(name=ours.name, key_id=b"\0\0\0\0", blob=b"nonsense")
    same_id = SignatureLine(name="elsewhere", key_id=key_id, blob=b"nonsense")
    note = with_line(with_line(SIGNED, same_name), same_id)
    verify_note(note, LOG.verifier())
    assert signatures_by(note, LOG.verifier()) == (ours,)


def test_a_bad_signature_of_a_known_key_spoils_a_good_one() -> None:
    bad = SignatureLine(
        name=LOG.name, key_id=LOG.verifier().key_id, blob=SIGNED.signatures[0].blob[:-1]
    )
    with pytest.raises(UnverifiedError, match="bad signature"):
        verify_note(with_line(SIGNED, bad), LOG.verifier())


UNVERIFIED_NOTES = {
    "nobody signed whom we know": Note(
        text=TEXT, signatures=(sign_note(TEXT, WITNESSES["W1"]),)
    ),
    "another text": Note(text="b text\n", signatures=SIGNED.signatures),
    "a text with one more newline": Note(text=TEXT + "\n", signatures=SIGNED.signatures),
    "the signature of another type of the same key": Note(
        text=TEXT,
        signatures=(
            SignatureLine(
                name=LOG.name,
                key_id=LOG.verifier(COSIGNATURE).key_id,
                blob=SIGNED.signatures[0].blob,
            ),
        ),
    ),
}


@pytest.mark.parametrize("note", UNVERIFIED_NOTES.values(), ids=UNVERIFIED_NOTES)
def test_a_note_that_does_not_hold_is_refused(note: Note) -> None:
    with pytest.raises(UnverifiedError):
        verify_note(note, LOG.verifier())


def test_only_a_key_for_notes_verifies_notes() -> None:
    with pytest.raises(ValueError, match="type ED25519"):
        verify_note(SIGNED, LOG.verifier(COSIGNATURE))


# Keys.


def test_one_raw_key_has_another_id_for_each_type_and_name() -> None:
    ids = {
        SigningKey(name=name, seed=LOG.seed).verifier(algorithm).key_id
        for name in ("a", "b")
        for algorithm in (ED25519, COSIGNATURE)
    }
    assert len(ids) == 4


def test_a_seed_serves_signature_types_of_its_own_kind() -> None:
    ours = SigningKey(name="w", seed=LOG.seed)
    quantum_safe = SigningKey(name="w", seed=LOG.seed, algorithm=MLDSA44)
    assert ours.cosigner() == ours.verifier(COSIGNATURE)
    assert quantum_safe.cosigner() == quantum_safe.verifier() == quantum_safe.verifier(MLDSA44)
    assert len(quantum_safe.verifier().public) == 1312
    for key, algorithm in (
        (ours, MLDSA44),
        (quantum_safe, ED25519),
        (quantum_safe, COSIGNATURE),
    ):
        with pytest.raises(ValueError, match="serves no"):
            key.verifier(algorithm)


def test_an_ml_dsa_key_signs_trees_and_never_texts() -> None:
    with pytest.raises(ValueError, match="type ED25519"):
        sign_note(TEXT, SigningKey(name="w", seed=LOG.seed, algorithm=MLDSA44))


@pytest.mark.parametrize("algorithm", [ED25519, MLDSA44])
def test_the_seed_is_not_shown(algorithm: int) -> None:
    key = SigningKey(name="log", seed=b"\x5a" * 32, algorithm=algorithm)
    assert "Z" not in repr(key)
    assert "5a" not in repr(key)


@pytest.mark.parametrize(
    ("algorithm", "size"), [(ED25519, 32), (COSIGNATURE, 32), (MLDSA44, 1312), (OTHER, 7)]
)
def test_a_verifier_key_of_every_type_is_read_back(algorithm: int, size: int) -> None:
    public = LOG.verifier().public if size == 32 else bytes(size)
    key = VerifierKey(name="some.example/key", algorithm=algorithm, public=public)
    assert parse_vkey(format_vkey(key)) == key


def vkey(name: str, algorithm: int, public: bytes) -> str:
    return format_vkey(VerifierKey(name=name, algorithm=algorithm, public=public))


GOOD_PUBLIC = LOG.verifier().public
MLDSA_PUBLIC = SigningKey(name="w", seed=LOG.seed, algorithm=MLDSA44).verifier().public
MALFORMED_VKEYS = {
    "nothing": "",
    "two parts": "PeterNeumann+c74f20a3",
    "a blank in front": " " + GO_VKEY,
    "a newline at the end": GO_VKEY + "\n",
    "no name": GO_VKEY.removeprefix("PeterNeumann"),
    "another name": GO_VKEY.replace("Peter", "Piotr"),
    "a name with a blank": vkey("Peter Neumann", ED25519, GOOD_PUBLIC),
    "a name with a control character": vkey("Peter\x7f", ED25519, GOOD_PUBLIC),
    "another key ID": GO_VKEY.replace("c74f20a3", "c74f20a4"),
    "a key ID in upper case": GO_VKEY.replace("c74f20a3", "C74F20A3"),
    "a key ID of seven digits": GO_VKEY.replace("c74f20a3", "c74f20a"),
    "no key": "PeterNeumann+c74f20a3+",
    "a type alone": vkey("name", ED25519, b""),
    "the private type alone": vkey("name", OTHER, b""),
    "a key too short": vkey("name", ED25519, GOOD_PUBLIC[:-1]),
    "a key too long": vkey("name", ED25519, GOOD_PUBLIC + b"\0"),
    "a witness key too long": vkey("name", COSIGNATURE, GOOD_PUBLIC + b"\0"),
    "an ML-DSA-44 key too short": vkey("name", MLDSA44, bytes(1311)),
    "an ML-DSA-44 key too long": vkey("name", MLDSA44, MLDSA_PUBLIC + b"\0"),
    "an ML-DSA-44 key whose name does not fit a byte of length": vkey(
        "n" * 256, MLDSA44, MLDSA_PUBLIC
    ),
    "an ECDSA key": vkey("name", 0x02, GOOD_PUBLIC),
    "a type nobody assigned": vkey("name", 0x64, GOOD_PUBLIC),
    "the neutral point": vkey("name", ED25519, b"\1" + bytes(31)),
    "a point of order 4": vkey("name", COSIGNATURE, bytes(32)),
    "no point at all": vkey("name", ED25519, b"\2" + bytes(31)),
    "base64 without padding": vkey("name", OTHER, b"a")[:-2],
    "an endless key": vkey("name", OTHER, bytes(9000)),
}


@pytest.mark.parametrize("text", MALFORMED_VKEYS.values(), ids=MALFORMED_VKEYS)
def test_a_malformed_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        parse_vkey(text)


def skey(name: str, algorithm: int, key_id: bytes, seed: bytes) -> str:
    typed = base64.b64encode(bytes([algorithm]) + seed).decode()
    return f"PRIVATE+KEY+{name}+{key_id.hex()}+{typed}"


MLDSA_KEY = SigningKey(name="name", seed=LOG.seed, algorithm=MLDSA44)
MLDSA_ID = MLDSA_KEY.verifier().key_id
ED25519_ID = SigningKey(name="name", seed=LOG.seed).verifier().key_id
MALFORMED_SKEYS = {
    "nothing": "",
    "no mark": format_skey(MLDSA_KEY).removeprefix("PRIVATE+KEY+"),
    "a verifier key behind the mark": "PRIVATE+KEY+" + GO_VKEY,
    "the key ID of the other kind of key": skey("name", MLDSA44, ED25519_ID, LOG.seed),
    "the other kind of key": skey("name", ED25519, MLDSA_ID, LOG.seed),
    "a type for witnesses": skey("name", COSIGNATURE, ED25519_ID, LOG.seed),
    "a type nobody assigned": skey("name", 0x07, MLDSA_ID, LOG.seed),
    "an ML-DSA seed too short": skey("name", MLDSA44, MLDSA_ID, LOG.seed[:-1]),
    "an ML-DSA seed too long": skey("name", MLDSA44, MLDSA_ID, LOG.seed + b"\0"),
    "an Ed25519 key with its public half": skey(
        "name", ED25519, ED25519_ID, LOG.seed + GOOD_PUBLIC
    ),
    "an ML-DSA key whose name does not fit a byte of length": format_skey(
        replace(MLDSA_KEY, name="n" * 256)
    ),
    "a newline at the end": format_skey(MLDSA_KEY) + "\n",
}


@pytest.mark.parametrize("text", MALFORMED_SKEYS.values(), ids=MALFORMED_SKEYS)
def test_a_malformed_signing_key_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        parse_skey(text)


def test_an_ml_dsa_name_of_255_bytes_still_fits() -> None:
    key = replace(MLDSA_KEY, name="n" * 255)
    assert parse_skey(format_skey(key)) == key
    assert parse_vkey(format_vkey(key.verifier())) == key.verifier()


@pytest.mark.parametrize("key", [GO_VKEY, GO_SKEY])
def test_no_part_and_no_neighbour_of_a_key_is_a_key(key: str) -> None:
    parse = parse_skey if key is GO_SKEY else parse_vkey
    parts = [key[:cut] for cut in range(len(key))] + [key[cut:] for cut in range(1, len(key))]
    changed = [
        key[:place] + chr(ord(key[place]) + 1) + key[place + 1 :] for place in range(len(key))
    ]
    for other in parts + changed:
        with pytest.raises(MalformedError):
            parse(other)


MLDSA_VKEY = format_vkey(MLDSA_KEY.verifier())


@settings(max_examples=300)
@given(near(GO_VKEY.encode()) | near(MLDSA_VKEY.encode()) | st.binary(max_size=40))
def test_a_verifier_key_parses_in_one_spelling_or_not_at_all(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    try:
        key = parse_vkey(text)
    except MalformedError:
        return
    assert format_vkey(key) == text


def test_a_lone_surrogate_in_a_key_is_refused() -> None:
    with pytest.raises(MalformedError):
        parse_vkey(GO_VKEY.replace("Peter", "\udc80"))


def test_a_signing_key_is_no_verifier_key_nor_the_reverse() -> None:
    with pytest.raises(MalformedError):
        parse_vkey(GO_SKEY)
    with pytest.raises(MalformedError):
        parse_skey(GO_VKEY)


@settings(max_examples=60)
@given(names, st.binary(min_size=32, max_size=32), st.sampled_from([ED25519, MLDSA44]))
def test_a_signing_key_is_read_back_and_its_error_tells_nothing(
    name: str, seed: bytes, algorithm: int
) -> None:
    key = SigningKey(name=name, seed=seed, algorithm=algorithm)
    text = format_skey(key)
    assert parse_skey(text) == key
    secret = text[-12:]
    with pytest.raises(MalformedError) as refused:
        parse_skey(text + "x")
    assert secret not in str(refused.value)
