"""golang.org/x/mod/sumdb/note beside our reader: keys, signatures, and what each refuses."""

import pytest
from tests.interop.go_peer import Peer, Question

from safeconduct.errors import MalformedError, SafeconductError
from safeconduct.protocol.canonical import format_base64
from safeconduct.protocol.tlog.note import (
    COSIGNATURE,
    MLDSA44,
    Note,
    SignatureLine,
    SigningKey,
    VerifierKey,
    format_note,
    format_skey,
    format_vkey,
    parse_note,
    parse_skey,
    parse_vkey,
    sign_note,
    verify_note,
)

ANNA = SigningKey(name="anna.example", seed=b"A" * 32)
BORIS = SigningKey(name="boris.example/ünï", seed=b"B" * 32)
POST_QUANTUM = SigningKey(name="anna.example", seed=b"P" * 32, algorithm=MLDSA44)
ANNA_VKEY, BORIS_VKEY = (format_vkey(key.verifier()) for key in (ANNA, BORIS))
TEXT = "first line\n\nthird line, after an empty one\n"
BY_ANNA, BY_BORIS = sign_note(TEXT, ANNA), sign_note(TEXT, BORIS)
BY_NOBODY = SignatureLine(name="nobody.example", key_id=b"none", blob=b"?" * 7)
GOOD = format_note(Note(text=TEXT, signatures=(BY_ANNA, BY_BORIS)))


def test_go_signs_with_our_key_as_we_do(peer: Peer) -> None:
    for key in (ANNA, BORIS):
        signed = peer.ask("sign", format_skey(key), given=b"one line\n").encode()
        assert signed == format_note(
            Note(text="one line\n", signatures=(sign_note("one line\n", key),))
        )


def test_go_adds_its_signature_to_ours_and_each_side_opens_the_whole(peer: Peer) -> None:
    ours = format_note(Note(text=TEXT, signatures=(BY_NOBODY, BY_ANNA)))
    both = peer.ask("sign", format_skey(BORIS), given=ours).encode()
    assert both == format_note(Note(text=TEXT, signatures=(BY_NOBODY, BY_ANNA, BY_BORIS)))
    for key in (ANNA, BORIS):
        verify_note(parse_note(both), key.verifier())
    (verdict,) = peer.judge(
        [Question(kind="note", data=both, vkeys=[ANNA_VKEY, BORIS_VKEY])],
    )
    assert (verdict.error, verdict.text) == ("", TEXT)
    assert verdict.verified == [ANNA.name, BORIS.name]
    assert verdict.unverified == [BY_NOBODY.name]


def test_the_texts_of_keys_are_the_same_on_both_sides(peer: Peer) -> None:
    for key in (ANNA, BORIS):
        vkey, skey = format_vkey(key.verifier()), format_skey(key)
        verdicts = peer.judge(
            [
                Question(kind="vkey", data=vkey.encode()),
                Question(kind="skey", data=skey.encode()),
            ]
        )
        assert [verdict.error for verdict in verdicts] == ["", ""]


def note_of(*lines: str, text: str = TEXT) -> bytes:
    return f"{text}\n{''.join(lines)}".encode()


def line(signature: SignatureLine, blob: bytes | None = None, name: str | None = None) -> str:
    encoded = format_base64(signature.key_id + (signature.blob if blob is None else blob))
    return f"— {signature.name if name is None else name} {encoded}\n"


def loose_base64(text: str) -> str:
    """The same bytes, with a bit set that the last character leaves unused."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    place = len(text.rstrip("=")) - 1
    return text[:place] + alphabet[alphabet.index(text[place]) + 1] + text[place + 1 :]


LINE = line(BY_ANNA)
SPOILED_LINE = line(BY_ANNA, blob=BY_ANNA.blob[:-1] + bytes([BY_ANNA.blob[-1] ^ 1]))

BOTH_OPEN: dict[str, bytes] = {
    "two signatures": GOOD,
    "an empty line as text": format_note(Note(text="\n", signatures=(sign_note("\n", ANNA),))),
    "a signature by nobody known": note_of(line(BY_NOBODY), LINE),
    "a known name with another key": note_of(line(BY_NOBODY, name=ANNA.name), LINE),
    "a known key under another name": note_of(line(BY_ANNA, name="other.example"), LINE),
    "16 signatures": note_of(*[line(BY_NOBODY, name=f"n{i}") for i in range(15)], LINE),
    "100 signatures": note_of(*[line(BY_NOBODY, name=f"n{i}") for i in range(99)], LINE),
    "the same signature twice": note_of(LINE, LINE),
}

BOTH_REFUSE: dict[str, bytes] = {
    "nothing": b"",
    "a text alone": TEXT.encode(),
    "no signature": note_of(),
    "no empty line": TEXT.split("\n\n")[0].encode() + b"\n" + LINE.encode(),
    "an empty line behind": note_of(LINE, "\n"),
    "an empty line between signatures": note_of(LINE, "\n", line(BY_BORIS)),
    "a last line cut short": note_of(LINE)[:-1],
    "a CR": note_of(LINE.replace("\n", "\r\n")),
    "a CR in the text": note_of(LINE, text=TEXT.replace("\n", "\r\n")),
    "a tab in the text": note_of(LINE, text="a\tb\n"),
    "a NUL": note_of(LINE, text="a\0b\n"),
    "no UTF-8": b"\xff" + GOOD,
    "a hyphen for the dash": note_of(LINE.replace("—", "-")),
    "two blanks after the dash": note_of(LINE.replace("— ", "—  ")),
    "a blank behind the signature": note_of(LINE.replace("\n", " \n")),
    "no name": note_of(line(BY_ANNA, name="")),
    "a plus in the name": note_of(line(BY_ANNA, name="a+b")),
    "a no-break space in the name": note_of(line(BY_ANNA, name="a\u00a0b")),
    "a line separator in the name": note_of(line(BY_ANNA, name="a\u2028b")),
    "no padding": note_of(LINE.replace("=", "")),
    "base64 of the other alphabet": note_of("— x YWJjZGVmZ2hp-_8=\n", LINE),
    "a key ID alone": note_of(line(BY_ANNA, blob=b"")),
    "a bad signature": note_of(SPOILED_LINE),
    "a bad signature before the good one": note_of(SPOILED_LINE, LINE),
    "a signature cut short": note_of(line(BY_ANNA, blob=BY_ANNA.blob[:-1])),
    "a signature of another text": note_of(LINE, text="another\n"),
    "nobody's signature alone": note_of(line(BY_NOBODY)),
    "101 signatures": note_of(*[line(BY_NOBODY, name=f"n{i}") for i in range(100)], LINE),
}

GO_ALONE_OPENS: dict[str, tuple[bytes, str]] = {
    "a bad signature after the good one": (
        note_of(LINE, SPOILED_LINE),
        "the standard says that a bad signature by a known key SHOULD spoil the note; "
        "x/mod skips a second line by the same key unread",
    ),
    "a byte-order mark": (
        note_of(line(sign_note("\ufefftext\n", ANNA)), text="\ufefftext\n"),
        "invisible, so that two texts which look the same would differ",
    ),
    "a DEL": (
        note_of(line(sign_note("a\x7fb\n", ANNA)), text="a\x7fb\n"),
        "a control character, though above 0x1F",
    ),
    "base64 with a bit left over": (
        note_of(f"— {BY_NOBODY.name} {loose_base64('YWJjZGVmZw==')}\n", LINE),
        "a second spelling of the same bytes: the note would not be what we would write",
    ),
    "a note of more than a mebibyte": (
        note_of(
            line(sign_note("a" * (1 << 20) + "\n", ANNA)),
            text="a" * (1 << 20) + "\n",
        ),
        "every format of ours has an end; x/mod leaves that to its caller",
    ),
}
"""With the reason why we refuse it."""


def opens(data: bytes) -> bool:
    try:
        note = parse_note(data)
        for key in (ANNA.verifier(), BORIS.verifier()):
            if any(by.key_id == key.key_id and by.name == key.name for by in note.signatures):
                verify_note(note, key)
                return True
    except SafeconductError:
        pass
    return False


@pytest.fixture(scope="module")
def go_errors(peer: Peer) -> dict[str, str]:
    """What x/mod says to every note of the tables; empty where it opens it."""
    notes = {
        **BOTH_OPEN,
        **BOTH_REFUSE,
        **{case: data for case, (data, _) in GO_ALONE_OPENS.items()},
    }
    questions = [
        Question(kind="note", data=data, vkeys=[ANNA_VKEY, BORIS_VKEY])
        for data in notes.values()
    ]
    verdicts = peer.judge(questions)
    return {case: verdict.error for case, verdict in zip(notes, verdicts, strict=True)}


@pytest.mark.parametrize("case", BOTH_OPEN)
def test_what_both_open(case: str, go_errors: dict[str, str]) -> None:
    assert (go_errors[case], opens(BOTH_OPEN[case])) == ("", True)


@pytest.mark.parametrize("case", BOTH_REFUSE)
def test_what_both_refuse(case: str, go_errors: dict[str, str]) -> None:
    assert (go_errors[case] != "", opens(BOTH_REFUSE[case])) == (True, False)


@pytest.mark.parametrize("case", GO_ALONE_OPENS)
def test_what_go_opens_and_we_refuse(case: str, go_errors: dict[str, str]) -> None:
    data, reason = GO_ALONE_OPENS[case]
    assert (go_errors[case], opens(data)) == ("", False), reason


def vkey(public: bytes, algorithm: int = 1) -> str:
    return format_vkey(VerifierKey(name="anna.example", algorithm=algorithm, public=public))


VKEYS_BOTH_REFUSE: dict[str, str] = {
    "nothing": "",
    "no key": ANNA_VKEY.rsplit("+", 1)[0],
    "another key's ID": ANNA_VKEY.replace(ANNA.verifier().key_id.hex(), "00000000"),
    "an ID of seven digits": ANNA_VKEY.replace("+" + ANNA.verifier().key_id.hex()[0], "+", 1),
    "another name": ANNA_VKEY.replace("anna", "anne"),
    "a blank in the name": ANNA_VKEY.replace("anna", "an na"),
    "a key of 31 bytes": vkey(b"k" * 31),
    "an unknown type": vkey(ANNA.verifier().public, algorithm=0x7E),
}

VKEYS_DIFFERENT: dict[str, tuple[str, bool, str]] = {
    "an ID in capitals": (
        ANNA_VKEY.replace(ANNA.verifier().key_id.hex(), ANNA.verifier().key_id.hex().upper()),
        True,
        "a second spelling of the same key",
    ),
    "a key of low order": (
        vkey(bytes([1]) + bytes(31)),
        True,
        "the neutral point: anybody can sign for it",
    ),
    "a witness's key": (
        format_vkey(ANNA.verifier(COSIGNATURE)),
        False,
        "x/mod knows plain Ed25519 alone",
    ),
    "an ML-DSA-44 key": (
        format_vkey(POST_QUANTUM.verifier()),
        False,
        "x/mod knows plain Ed25519 alone",
    ),
}
"""The text, whether x/mod accepts it (we do if it does not), and why."""


def is_vkey(text: str) -> bool:
    try:
        parse_vkey(text)
    except MalformedError:
        return False
    return True


def test_keys_that_both_refuse(peer: Peer) -> None:
    questions = [
        Question(kind="vkey", data=text.encode()) for text in VKEYS_BOTH_REFUSE.values()
    ]
    errors = [verdict.error for verdict in peer.judge(questions)]
    refused = {
        case: (error != "", is_vkey(text))
        for (case, text), error in zip(VKEYS_BOTH_REFUSE.items(), errors, strict=True)
    }
    assert refused == dict.fromkeys(VKEYS_BOTH_REFUSE, (True, False))


@pytest.mark.parametrize("case", VKEYS_DIFFERENT)
def test_keys_that_one_side_accepts(case: str, peer: Peer) -> None:
    text, go_accepts, reason = VKEYS_DIFFERENT[case]
    (verdict,) = peer.judge([Question(kind="vkey", data=text.encode())])
    assert (verdict.error == "", is_vkey(text)) == (go_accepts, not go_accepts), reason


def test_a_signing_key_whose_id_is_another_s_is_refused_by_both(peer: Peer) -> None:
    skey = format_skey(ANNA).replace(ANNA.name, BORIS.name)
    (verdict,) = peer.judge([Question(kind="skey", data=skey.encode())])
    assert verdict.error
    with pytest.raises(MalformedError):
        parse_skey(skey)
