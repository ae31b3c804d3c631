"""Follow-ups: a tip that names an earlier one of its source, to the desk alone."""

from dataclasses import replace

import pytest

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.keys import follow_mac
from safeconduct.protocol.tip import (
    Follows,
    Manifest,
    check_follows,
    format_manifest,
    parse_manifest,
)


def manifest() -> Manifest:
    return Manifest(
        programme=b"\1" * 32,
        statute=b"\2" * 32,
        certificate=b"\3" * 32,
        author=b"\4" * 32,
        pre=b"\5" * 16,
        reply="age1reply",
        tag_key=b"\6" * 32,
        files=(),
    )


EARLIER = Follows(record=b"\7" * 32, mac=b"\10" * 32)


def following(tag_key: bytes = b"\x11" * 32) -> Manifest:
    plain = manifest()
    mac = follow_mac(tag_key, plain.author, plain.pre)
    return replace(plain, follows=replace(EARLIER, mac=mac))


def test_a_manifest_that_follows_none_says_nothing_of_it() -> None:
    assert b"follows" not in format_manifest(manifest())


def test_a_follow_up_is_read_back_as_it_was() -> None:
    assert parse_manifest(format_manifest(following())) == following()


def test_a_follow_up_names_the_record_whose_source_made_it() -> None:
    assert check_follows(following(), b"\x11" * 32) == EARLIER.record


UNRELATED = {
    "one that follows none": manifest(),
    "the MAC of another source": following(b"\x12" * 32),
    "the MAC of another author": replace(following(), author=bytes(32)),
    "the MAC of another attempt": replace(following(), pre=bytes(16)),
    "no MAC but zeros": replace(following(), follows=replace(EARLIER, mac=bytes(32))),
}


@pytest.mark.parametrize("other", UNRELATED.values(), ids=UNRELATED)
def test_a_follow_up_by_somebody_else_is_told(other: Manifest) -> None:
    with pytest.raises(UnverifiedError):
        check_follows(other, b"\x11" * 32)


def follows_as(text: bytes) -> bytes:
    return format_manifest(manifest()).replace(b'"pre":', b'"follows":' + text + b',"pre":')


MAC, RECORD = b'"mac":"' + b"08" * 32 + b'"', b'"record":"' + b"07" * 32 + b'"'
MALFORMED_FOLLOWS = {
    "null": b"null",
    "empty": b"{}",
    "text": b'"' + b"07" * 32 + b'"',
    "no record": b"{" + MAC + b"}",
    "no MAC": b"{" + RECORD + b"}",
    "one thing more": b"{" + MAC + b"," + RECORD + b',"x":1}',
    "another order": b"{" + RECORD + b"," + MAC + b"}",
    "a MAC too short": b"{" + MAC[:-3] + b'",' + RECORD + b"}",
    "a number for a MAC": b'{"mac":1,' + RECORD + b"}",
}


def test_a_follow_up_may_be_spelled_in_one_way() -> None:
    parsed = parse_manifest(follows_as(b"{" + MAC + b"," + RECORD + b"}"))
    assert parsed.follows == EARLIER


@pytest.mark.parametrize("text", MALFORMED_FOLLOWS.values(), ids=MALFORMED_FOLLOWS)
def test_a_malformed_follow_up_is_refused(text: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_manifest(follows_as(text))
