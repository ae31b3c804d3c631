"""From twelve words to every key: known answers, and what must never be linkable."""

import hashlib

import pytest
from tests.protocol.builders import ENTROPY, NAME, PROGRAMME, master, source_keys

from safeconduct.protocol.keys import (
    ARGON2_LANES,
    ARGON2_MEMORY_KIB,
    ARGON2_PASSES,
    ContributionKeys,
    attempt_tag,
    author_commitment,
    contribution_keys,
    file_key,
    kdf_salt,
    key_commitment,
    master_key,
    payload_nonce,
    programme_hash,
    reply_mac,
    reply_tag,
)

# Computed from the text of the specification alone, before any of this code existed.
SALT = "63eda80c7b11cdb454a748a31da15b00"
MASTER = "32d4d796f901f7c45d250a08cf864f67b4673c87ca8c7300ad94e7eac422dc3e"
SEED_0 = "ecc1dab7361793cfdf151d67c25b8d5f3f3f912e6d06f6e8b908e32c319df0b9"
PRE = "bd3bd357a08c126bb24af0e6fde73444"
NONCE = "5420de9f8940312bc614784e38b5c4d8"
FILE_KEY = "5009b534b755dccc7288a60fc488243d"
KEY_COMMITMENT = "5f2b5df0be56f9364e8d171a7014508229c4627626876c53294f551851a7741c"
AUTHOR = "33f81747036e6bd657de4d5f3c0d13b60009ffb86e7d3e5c4ce6d7468a36e9bb"


def test_the_words_of_the_specification_give_its_keys() -> None:
    assert kdf_salt(programme_hash(NAME)).hex() == SALT
    assert master_key(ENTROPY, programme_hash(NAME)).hex() == MASTER
    keys = contribution_keys(bytes.fromhex(MASTER), 0)
    assert keys.seed.hex() == SEED_0
    pre = attempt_tag(keys, [])
    nonce = payload_nonce(keys, hashlib.sha256(b"").digest())
    assert (pre.hex(), nonce.hex()) == (PRE, NONCE)
    assert file_key(keys, nonce).hex() == FILE_KEY
    assert key_commitment(nonce, file_key(keys, nonce)).hex() == KEY_COMMITMENT
    assert keys.author(pre).hex() == AUTHOR


def test_the_stretching_is_a_constant_of_this_version() -> None:
    """The parameters never come from a server: it could choose them weak."""
    assert (ARGON2_PASSES, ARGON2_MEMORY_KIB, ARGON2_LANES) == (2, 19_456, 1)


@pytest.mark.parametrize("length", [0, 15, 17, 32])
def test_entropy_of_another_length_is_not_stretched(length: int) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        master_key(bytes(length), PROGRAMME)


def test_the_same_words_in_another_programme_are_another_source() -> None:
    other = programme_hash("example-acb-2028")
    assert kdf_salt(other) != kdf_salt(PROGRAMME)
    assert master_key(ENTROPY, other) != master()


def test_two_contributions_share_no_value() -> None:
    def values(keys: ContributionKeys) -> set[bytes]:
        pre = attempt_tag(keys, [])
        nonce = payload_nonce(keys, bytes(32))
        return {
            keys.seed,
            pre,
            nonce,
            file_key(keys, bytes(16)),
            keys.author(pre),
            keys.blind(bytes(16)),
            keys.item_salt(bytes(16), 1),
            keys.slot(),
            keys.reply_seed(),
            keys.tag_key(),
            *keys.author_public(),
        }

    first, second = values(source_keys(0)), values(source_keys(1))
    assert len(first) == 12
    assert not first & second


def test_what_keys_show_of_themselves_holds_no_secret() -> None:
    assert source_keys().seed.hex() not in repr(source_keys())
    assert repr(source_keys().seed) not in repr(source_keys())


FILE = ("a.txt", 3, bytes(32))
OTHER_FILES = {
    "another name": [("b.txt", 3, bytes(32))],
    "another size": [("a.txt", 4, bytes(32))],
    "another content": [("a.txt", 3, bytes(31) + b"\1")],
    "one more file": [FILE, FILE],
    "no file": [],
}


@pytest.mark.parametrize("files", OTHER_FILES.values(), ids=OTHER_FILES)
def test_other_files_get_another_tag_hence_another_author(
    files: list[tuple[str, int, bytes]],
) -> None:
    keys = source_keys()
    one, other = attempt_tag(keys, [FILE]), attempt_tag(keys, files)
    assert one != other
    assert keys.author(one) != keys.author(other)


def test_other_content_gets_another_nonce_and_another_file_key() -> None:
    keys = source_keys()
    one, other = payload_nonce(keys, bytes(32)), payload_nonce(keys, b"\1" * 32)
    assert one != other
    assert file_key(keys, one) != file_key(keys, other)


def test_the_author_is_hidden_by_a_blind_and_committed_to_both_keys() -> None:
    ed25519, mldsa65 = source_keys().author_public()
    blind = bytes(16)
    shown = author_commitment(ed25519, mldsa65, blind)
    assert shown != author_commitment(ed25519, mldsa65, b"\1" * 16)
    assert shown != author_commitment(ed25519, source_keys(1).author_public()[1], blind)
    assert shown != author_commitment(source_keys(1).author_public()[0], mldsa65, blind)


def test_reply_tags_and_macs_differ_by_counter_key_and_purpose() -> None:
    key, other = source_keys(0).tag_key(), source_keys(1).tag_key()
    tags = [reply_tag(each, counter) for each in (key, other) for counter in (0, 1)]
    macs = [reply_mac(each, counter, b"") for each in (key, other) for counter in (0, 1)]
    assert len({*tags, *macs, *(mac[:16] for mac in macs)}) == 12
    assert reply_mac(key, 0, b"a") != reply_mac(key, 0, b"b")
