"""Replies: found by words alone, of one size, and only by somebody who opened the tip."""

from collections.abc import Sequence

import pytest
from tests.protocol.age.chance import dice
from tests.protocol.builders import prove, source_keys, statements

from safeconduct.errors import MalformedError, SafeconductError, UnverifiedError
from safeconduct.protocol import age
from safeconduct.protocol.canonical import length_prefixed
from safeconduct.protocol.keys import ContributionKeys, reply_mac, reply_tag
from safeconduct.protocol.record import record_hash
from safeconduct.protocol.reply import (
    BLOCK_BYTES,
    COUNTER_GAP,
    TEXT_CHARS_MAX,
    Reply,
    find_replies,
    open_reply,
    seal_reply,
    split_bulletin,
)

REPLY = Reply(text="Thank you. Which bank? — Danke, спасибо.")
KEYS = source_keys(0)


def recipient(keys: ContributionKeys) -> str:
    return age.format_recipient(age.hybrid_identity(keys.reply_seed()).recipient())


def block(counter: int, reply: Reply = REPLY, keys: ContributionKeys = KEYS) -> bytes:
    return seal_reply(reply, recipient(keys), keys.tag_key(), counter, dice())


def found(
    blocks: Sequence[bytes], keys: Sequence[ContributionKeys] = (KEYS,)
) -> list[tuple[int, int, str]]:
    """(contribution, counter, text) of all replies on a bulletin."""
    replies = find_replies(split_bulletin(b"".join(blocks)).get, keys)
    return [(each.number, counter, reply.text) for each, counter, reply in replies]


def test_the_source_reads_what_the_desk_wrote() -> None:
    said = statements()
    full = Reply(
        text="x" * 1_000,
        acknowledgement=said.acknowledgement,
        proof=prove(record_hash(said.acknowledgement)),
        credit=b"safeconduct/v1/credit-offer\n",
    )
    assert open_reply(block(3, full), KEYS, 3) == full


def test_replies_to_each_contribution_are_found_among_everybody_elses() -> None:
    dummies = [dice(bytes([n]))(BLOCK_BYTES) for n in range(3)]
    second = source_keys(1)
    blocks = [dummies[0], block(1), dummies[1], block(0), block(0, REPLY, second), dummies[2]]
    assert found(blocks, [KEYS, second]) == [(0, 0, REPLY.text), (0, 1, REPLY.text),
                                             (1, 0, REPLY.text)]  # fmt: skip


def test_other_words_find_nothing() -> None:
    assert found([block(0)], [source_keys(1)]) == []


def test_every_block_is_of_one_size() -> None:
    texts = ["", "short", "x" * TEXT_CHARS_MAX]
    assert {len(block(0, Reply(text=text))) for text in texts} == {BLOCK_BYTES}


def test_tags_of_one_source_cannot_be_told_from_others() -> None:
    blocks = [block(0), block(1), block(0, REPLY, source_keys(1))]
    assert len({each[:16] for each in blocks}) == 3


def with_tag(counter: int, body: bytes) -> bytes:
    return reply_tag(KEYS.tag_key(), counter) + body


JUNK = {
    "zeros": bytes(16_384),
    "noise": dice(b"noise")(16_384),
    "a reply to somebody else": block(0, REPLY, source_keys(1))[16:],
    "an older reply again": block(0)[16:],
}


@pytest.mark.parametrize("body", JUNK.values(), ids=JUNK)
def test_junk_under_a_tag_hides_no_later_reply(body: bytes) -> None:
    blocks = [block(0), with_tag(1, body), block(2)]
    assert found(blocks) == [(0, 0, REPLY.text), (0, 2, REPLY.text)]


def test_the_first_block_under_a_tag_counts() -> None:
    later = block(0, Reply(text="Meet me alone."))
    assert found([block(0), later]) == [(0, 0, REPLY.text)]


def test_a_reply_by_somebody_who_never_opened_the_tip_is_refused() -> None:
    """A thief of the reply key's public half can encrypt; without the tag key, in vain."""
    forged = seal_reply(REPLY, recipient(KEYS), bytes(32), 0, dice())
    with pytest.raises(UnverifiedError, match="opened the tip"):
        open_reply(forged, KEYS, 0)
    assert found([with_tag(0, forged[16:])]) == []


def test_a_reply_under_another_counter_is_refused() -> None:
    with pytest.raises(UnverifiedError):
        open_reply(block(0), KEYS, 1)


@pytest.mark.parametrize("place", range(16, BLOCK_BYTES, 977))
def test_a_reply_that_was_touched_is_refused(place: int) -> None:
    touched = bytearray(block(0))
    touched[place] ^= 1
    with pytest.raises(SafeconductError):
        open_reply(bytes(touched), KEYS, 0)


NO_REPLIES = {
    "no JSON": b"hello",
    "a field missing": b'{"acknowledgement":"","proof":""}',
    "a field missing beside a credit": b'{"acknowledgement":"","credit":"","text":""}',
    "a field too many": b'{"acknowledgement":"","from":"","proof":"","text":""}',
    "a fifth field": b'{"acknowledgement":"","credit":"","from":"","proof":"","text":""}',
    "a number for a text": b'{"acknowledgement":"","proof":"","text":1}',
    "no text for a credit": b'{"acknowledgement":"","credit":null,"proof":"","text":""}',
    "a list": b"[]",
}


def sealed(body: bytes, after: bytes = b"") -> bytes:
    """Block 0 as the desk would make it, with any body and anything after its MAC."""
    framed = length_prefixed(body) + reply_mac(KEYS.tag_key(), 0, body) + after
    key, identity = bytes(16), age.hybrid_identity(KEYS.reply_seed())
    header = age.seal_header(key, [identity.recipient()], dice())
    room = BLOCK_BYTES - 16 - len(header) - age.sealed_bytes(0)
    payload = b"".join(age.seal_stream(key, bytes(16), [framed.ljust(room, b"\0")]))
    return with_tag(0, header + payload)


def test_replies_from_before_there_were_credits_are_still_read() -> None:
    body = b'{"acknowledgement":"a","proof":"p","text":"hello"}'
    before = Reply(text="hello", acknowledgement=b"a", proof=b"p")
    assert open_reply(sealed(body), KEYS, 0) == before


def test_all_four_fields_are_written_so_that_no_reply_tells_how_old_its_desk_is() -> None:
    body = b'{"acknowledgement":"","credit":"","proof":"","text":"hello"}'
    assert b"".join(age.open_([age.hybrid_identity(KEYS.reply_seed())], [
        block(0, Reply(text="hello"))[16:]
    ]))[4 : 4 + len(body)] == body  # fmt: skip


def test_bytes_after_a_reply_are_refused() -> None:
    body = b'{"acknowledgement":"","proof":"","text":"hello"}'
    assert open_reply(sealed(body), KEYS, 0).text == "hello"
    with pytest.raises(MalformedError, match="not zero"):
        open_reply(sealed(body, b"x"), KEYS, 0)


@pytest.mark.parametrize("body", NO_REPLIES.values(), ids=NO_REPLIES)
def test_what_the_desk_itself_made_wrongly_is_passed_over(body: bytes) -> None:
    wrong = sealed(body)
    with pytest.raises(MalformedError, match="reply"):
        open_reply(wrong, KEYS, 0)
    assert found([wrong, block(1)]) == [(0, 1, REPLY.text)]


def test_a_search_goes_on_over_a_gap_of_eight_and_no_further() -> None:
    assert found([block(COUNTER_GAP - 1)]) == [(0, COUNTER_GAP - 1, REPLY.text)]
    assert found([block(0), block(COUNTER_GAP)])[1:] == [(0, COUNTER_GAP, REPLY.text)]
    assert found([block(COUNTER_GAP + 1)]) == []


TOO_LONG = {
    "too many characters": Reply(text="x" * (TEXT_CHARS_MAX + 1)),
    "too many bytes": Reply(text="—" * TEXT_CHARS_MAX),
    "a credit too long": Reply(text="", credit=b"c" * 16_000),
    "records too long": Reply(text="", acknowledgement=b"a" * 9_000, proof=b"p" * 9_000),
}


@pytest.mark.parametrize("reply", TOO_LONG.values(), ids=TOO_LONG)
def test_what_does_not_fit_a_block_is_refused_rather_than_cut(reply: Reply) -> None:
    with pytest.raises(MalformedError, match="reply"):
        block(0, reply)


@pytest.mark.parametrize("data", [b"\0", bytes(BLOCK_BYTES - 1), bytes(BLOCK_BYTES + 1)])
def test_a_bulletin_cut_short_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError, match="whole number"):
        split_bulletin(data)
    with pytest.raises(MalformedError, match="16400 bytes"):
        open_reply(data, KEYS, 0)
