"""The strict header grammar, and who opens which stanza."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.age.chance import dice, in_pieces

from safeconduct.errors import MalformedError, SafeconductError
from safeconduct.protocol import age
from safeconduct.protocol.age.failures import HeaderMacError, NoIdentityMatchError
from safeconduct.protocol.age.header import make_header

FILE_KEY = b"YELLOW SUBMARINE"
DESK = age.x25519_identity(b"\x01" * 32)
ARCHIVE = age.hybrid_identity(b"\x02" * 32)
STRANGER = age.x25519_identity(b"\x03" * 32)
ARGUMENTS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=9)
STANZAS = st.builds(
    age.Stanza,
    kind=ARGUMENTS,
    arguments=st.lists(ARGUMENTS, max_size=3).map(tuple),
    body=st.binary(max_size=100) | st.sampled_from([bytes(48), bytes(96)]),
)


def desk_header() -> bytes:
    return age.seal_header(FILE_KEY, [DESK.recipient()], dice())


@given(st.lists(STANZAS, min_size=1, max_size=4), st.binary(max_size=60))
def test_any_header_survives_its_byte_form(stanzas: list[age.Stanza], payload: bytes) -> None:
    header = make_header(stanzas, FILE_KEY)
    data = age.format_header(header)

    assert age.parse_header(data + payload) == (header, len(data))


def test_no_flipped_bit_passes_for_the_same_header() -> None:
    sealed = desk_header()
    for bit in range(8 * len(sealed)):
        flipped = bytearray(sealed)
        flipped[bit // 8] ^= 1 << bit % 8

        with pytest.raises(SafeconductError):
            age.unwrap(age.parse_header(bytes(flipped))[0], [DESK])


@pytest.mark.parametrize("piece_bytes", [1, 40, 1000])
def test_a_cut_header_is_refused_however_it_arrives(piece_bytes: int) -> None:
    sealed = desk_header()
    for length in range(len(sealed)):
        with pytest.raises(MalformedError):
            age.parse_header(sealed[:length])
        with pytest.raises(MalformedError):
            age.split_header(in_pieces(sealed[:length], piece_bytes))


@given(st.integers(1, 300), st.binary(max_size=300))
def test_a_stream_is_split_where_its_header_ends(piece_bytes: int, payload: bytes) -> None:
    sealed = desk_header()

    header, rest = age.split_header(in_pieces(sealed + payload, piece_bytes))

    assert age.format_header(header) == sealed
    assert b"".join(rest) == payload


def test_a_header_up_to_the_limit_is_read_and_one_byte_more_is_refused() -> None:
    sealed = age.format_header(
        make_header([age.Stanza(kind="x", arguments=("y",), body=b"")], FILE_KEY)
    )
    room = age.HEADER_BYTES_MAX - len(sealed)
    longest = sealed.replace(b" y", b" y" + b"y" * room)

    header, offset = age.parse_header(longest + b"payload")
    assert offset == age.HEADER_BYTES_MAX
    assert age.split_header(in_pieces(longest, 4096))[0] == header
    for piece_bytes in (1000, 1 << 20):
        with pytest.raises(MalformedError):
            age.split_header(in_pieces(longest.replace(b" y", b" yy"), piece_bytes))


def test_a_stream_that_is_no_age_file_is_given_up_early() -> None:
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield bytes(1024)

    with pytest.raises(MalformedError):
        age.split_header(endless())
    assert read <= 65


def test_a_header_without_a_stanza_is_refused() -> None:
    with pytest.raises(MalformedError):
        age.parse_header(age.format_header(make_header([], FILE_KEY)))


def test_a_header_for_somebody_else_is_told_from_a_changed_one() -> None:
    header, _ = age.parse_header(desk_header())
    stanza = age.single_stanza(header)
    changed = age.Header(stanzas=(stanza, stanza), mac=header.mac)

    assert age.unwrap(header, [STRANGER, ARCHIVE, DESK]) == FILE_KEY
    with pytest.raises(NoIdentityMatchError):
        age.unwrap(header, [STRANGER, ARCHIVE])
    with pytest.raises(HeaderMacError):
        age.unwrap(changed, [DESK])


def test_a_second_stanza_is_refused_where_one_is_allowed() -> None:
    both = [DESK.recipient(), STRANGER.recipient()]
    header, _ = age.parse_header(age.seal_header(FILE_KEY, both, dice()))

    assert len(header.stanzas) == 2
    with pytest.raises(MalformedError):
        age.single_stanza(header)


MIXES: dict[str, list[age.Recipient]] = {
    "nobody": [],
    "hybrid next to X25519": [DESK.recipient(), ARCHIVE.recipient()],
    "a passphrase next to X25519": [DESK.recipient(), age.ScryptRecipient(passphrase="x")],
    "two passphrases": [age.ScryptRecipient(passphrase=text) for text in "xy"],
}


@pytest.mark.parametrize("recipients", MIXES.values(), ids=MIXES)
def test_recipients_that_would_weaken_one_another_are_not_sealed_to(
    recipients: list[age.Recipient],
) -> None:
    with pytest.raises(ValueError, match="one kind"):
        age.seal_header(FILE_KEY, recipients, dice())


def test_x25519_and_scrypt_stanzas_follow_from_the_random_bytes_given() -> None:
    recipients: list[age.Recipient] = [
        DESK.recipient(),
        age.ScryptRecipient(passphrase="correct horse", work_factor=4),
    ]
    for recipient in recipients:
        first = age.wrap(FILE_KEY, recipient, dice(b"a"))
        assert first == age.wrap(FILE_KEY, recipient, dice(b"a"))
        assert first != age.wrap(FILE_KEY, recipient, dice(b"b"))


def test_two_hybrid_stanzas_for_one_key_are_never_alike() -> None:
    first, second = (age.wrap(FILE_KEY, ARCHIVE.recipient(), dice()) for _ in range(2))

    assert first != second
    assert ARCHIVE.unwrap(first) == ARCHIVE.unwrap(second) == FILE_KEY


def test_a_passphrase_opens_only_within_the_work_allowed() -> None:
    recipient = age.ScryptRecipient(passphrase="correct horse", work_factor=5)
    header = make_header([age.wrap(FILE_KEY, recipient, dice())], FILE_KEY)

    assert age.unwrap(header, [age.ScryptIdentity(passphrase="correct horse")]) == FILE_KEY
    with pytest.raises(NoIdentityMatchError):
        age.unwrap(header, [age.ScryptIdentity(passphrase="correct house")])
    with pytest.raises(MalformedError):
        age.unwrap(header, [age.ScryptIdentity(passphrase="correct horse", work_factor_max=4)])
