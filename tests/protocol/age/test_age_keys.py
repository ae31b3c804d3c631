"""Age keys as text and as values."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safeconduct.errors import MalformedError
from safeconduct.protocol import age
from safeconduct.protocol.age.bech32 import TEXT_BYTES_MAX, format_bech32, parse_bech32

X25519_SECRET = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
X25519_PUBLIC = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
HYBRID_SECRET = "AGE-SECRET-KEY-PQ-1XX76JRALNLXDMEW0CRK45QMCCH4X06SE84UN3VPM33W6HWDX0H3SK3ZQFR"

SEEDS = st.binary(min_size=32, max_size=32)
MAKERS: dict[str, Callable[[bytes], age.SecretIdentity]] = {
    "X25519": age.x25519_identity,
    "hybrid": age.hybrid_identity,
}


def low_order_share() -> bytes:
    return (1).to_bytes(32, "little")


def hybrid_public() -> bytes:
    return age.hybrid_identity(bytes(32)).recipient().public


def test_the_example_x25519_key_of_the_specification_is_derived() -> None:
    identity = age.parse_identity(X25519_SECRET)

    assert identity == age.x25519_identity(b"\x42" * 32)
    assert age.format_recipient(identity.recipient()) == X25519_PUBLIC
    assert age.parse_recipient(X25519_PUBLIC) == identity.recipient()


def test_the_example_hybrid_key_of_the_specification_is_derived() -> None:
    text = age.format_recipient(age.parse_identity(HYBRID_SECRET).recipient())

    # The text ends in a checksum over all 1,216 bytes, so its two ends stand for the whole.
    assert text.startswith("age1pq1x34nzsvr0rxjsgdn8zgyhfe8j7ceq5r9rdelkjuh3y235jzxshfg87pzf")
    assert text.endswith("heyty7saeq0d3fzv49zc0k")
    assert len(text) == len("age1pq1") + 1946 + 6


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@given(seed=SEEDS)
def test_keys_survive_their_text_form(
    make: Callable[[bytes], age.SecretIdentity], seed: bytes
) -> None:
    identity = make(seed)
    recipient = identity.recipient()

    assert age.parse_identity(age.format_identity(identity)) == identity
    assert age.parse_recipient(age.format_recipient(recipient)) == recipient


@pytest.mark.parametrize(
    "secret",
    [
        age.x25519_identity(b"\x42" * 32),
        age.hybrid_identity(b"\x42" * 32),
        age.ScryptIdentity(passphrase="B" * 32),
        age.ScryptRecipient(passphrase="B" * 32),
    ],
    ids=lambda secret: type(secret).__name__,
)
def test_no_secret_shows_in_a_repr(secret: object) -> None:
    assert "BB" not in repr(secret)
    assert "42" not in repr(secret)


BAD_RECIPIENTS = {
    "empty": "",
    "no separator": "age",
    "only a prefix": "age1",
    "shorter than a checksum": "age1qqqqq",
    "upper case": X25519_PUBLIC.upper(),
    "mixed case": X25519_PUBLIC[:-1] + "J",
    "a wrong character at the end": X25519_PUBLIC[:-1] + "k",
    "a character outside the alphabet": X25519_PUBLIC[:-1] + "b",
    "a trailing line feed": X25519_PUBLIC + "\n",
    "a character outside ASCII": X25519_PUBLIC + "é",
    "a secret key": X25519_SECRET,
    "a blank in the prefix": format_bech32("a e", bytes(32)),
    "an unknown prefix": format_bech32("age1tag", bytes(33)),
    "31 bytes": format_bech32("age", b"\x09" * 31),
    "33 bytes": format_bech32("age", b"\x09" * 33),
    "a point of low order": format_bech32("age", low_order_share()),
    "a hybrid key cut short": format_bech32("age1pq", hybrid_public()[:-1]),
    "a hybrid key with a low-order half": format_bech32(
        "age1pq", hybrid_public()[:-32] + low_order_share()
    ),
    "a hybrid key with coefficients beyond the modulus": format_bech32(
        "age1pq", b"\xff" * 1152 + hybrid_public()[1152:]
    ),
    "longer than any key": format_bech32("age", bytes(TEXT_BYTES_MAX)),
}


@pytest.mark.parametrize("text", BAD_RECIPIENTS.values(), ids=BAD_RECIPIENTS)
def test_a_bad_recipient_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        age.parse_recipient(text)


BAD_IDENTITIES = {
    "lower case": X25519_SECRET.lower(),
    "a recipient": X25519_PUBLIC,
    "31 bytes": format_bech32("AGE-SECRET-KEY-", bytes(31)).upper(),
    "33 bytes": format_bech32("AGE-SECRET-KEY-PQ-", bytes(33)).upper(),
    "a plugin's": format_bech32("AGE-PLUGIN-X-", bytes(32)).upper(),
    "a typing slip": X25519_SECRET.replace("ZGFP", "ZGFQ", 1),
    "a foreign character": X25519_SECRET.replace("ZGFP", "ZGFB", 1),
}


@pytest.mark.parametrize("text", BAD_IDENTITIES.values(), ids=BAD_IDENTITIES)
def test_a_bad_identity_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(MalformedError) as caught:
        age.parse_identity(text)

    assert caught.value.__cause__ is None
    assert not any(part in caught.value.message for part in (text, text[-20:], "ZGF"))


@pytest.mark.parametrize("text", ["age1qpu0j2ex", "age1qqqyst3gn"])
def test_stray_bits_after_the_data_are_refused(text: str) -> None:
    # Both texts carry a true checksum, over the groups 00000 00001 and 00000 00000 00000.
    # The one canonical text of a zero byte is that of 00000 00000.
    assert parse_bech32("age1qqpexly5") == ("age", b"\0")
    with pytest.raises(MalformedError, match="stray bits"):
        parse_bech32(text)


@given(
    data=st.binary(max_size=100), place=st.integers(0, 200), other=st.sampled_from("qpzry9x8")
)
def test_one_wrong_character_is_always_noticed(data: bytes, place: int, other: str) -> None:
    text = format_bech32("age", data)
    place = 4 + place % (len(text) - 4)
    slip = text[:place] + other + text[place + 1 :]

    assert parse_bech32(text) == ("age", data)
    if slip != text:
        with pytest.raises(MalformedError):
            parse_bech32(slip)
