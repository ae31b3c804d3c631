"""What is wrong with each published file about sealed tips: one stretch of a valid one.

    format: {name of the wrong file: (the valid file, what stands there, what it becomes)}

What stands there is a regular expression that fits in one place only. Where nothing stands
there, the change is put at the end.
"""

import re
from collections.abc import Callable

Put = bytes | Callable[[re.Match[bytes]], bytes]
PatternEdits = dict[str, tuple[str, bytes, Put]]

BOM = b"\xef\xbb\xbf"


def on(base: str, **edits: tuple[bytes, Put]) -> PatternEdits:
    """Edits of one base; underscores in their names stand for hyphens."""
    return {name.replace("_", "-"): (base, *edit) for name, edit in edits.items()}


def _other(match: re.Match[bytes]) -> bytes:
    """The second group's character becomes another one, of hex and base64 alike."""
    return match[1] + (b"1" if match[2] == b"0" else b"0")


def other(before: bytes) -> tuple[bytes, Put]:
    """Another character behind `before`."""
    return b"(" + re.escape(before) + b")(.)", _other


def literal(old: bytes, new: bytes) -> tuple[bytes, Put]:
    return re.escape(old), lambda _: new


def text(field: bytes, new: bytes) -> tuple[bytes, Put]:
    """Another value of a JSON field that holds a text without escapes."""
    pattern = b'"' + field + b'":"[^"]*"'
    return pattern, lambda _: b'"' + field + b'":' + new


def at_end(more: bytes) -> tuple[bytes, Put]:
    return b"", more


WORDS = on(
    "english",
    eleven_words=literal(b"liar ", b""),
    thirteen_words=literal(b"liar ", b"liar liar "),
    a_word_that_is_on_no_list=literal(b"liar", b"liars"),
    a_word_of_another_language=literal(b"liar", b"abaisser"),
    two_words_exchanged=literal(b"abandon amount", b"amount abandon"),
    another_last_word=literal(b"buyer", b"zoo"),
    no_words=text(b"phrase", b'""'),
    commas_between_the_words=literal(b"abandon amount", b"abandon, amount"),
    a_word_cut_short=literal(b"expire", b"expir"),
    a_number_between_the_words=literal(b"expire", b"5 expire"),
)

RECORD = (
    on(
        "acknowledgement",
        another_protocol=literal(b"safeconduct/v1/ack", b"safeconduckt/v1/ack"),
        another_version=literal(b"safeconduct/v1/ack", b"safeconduct/v2/ack"),
        a_kind_nobody_knows=literal(b"v1/acknowledgement", b"v1/acknowledgment"),
        a_kind_in_capitals=literal(b"v1/acknowledgement", b"v1/Acknowledgement"),
        a_kind_with_a_blank_behind=literal(b"v1/acknowledgement", b"v1/acknowledgement "),
        a_kind_of_other_fields=literal(b"v1/acknowledgement", b"v1/assessment"),
        no_kind=literal(b"safeconduct/v1/acknowledgement\n", b""),
        a_field_missing=(rb"\nstatus ok\n", b"\n"),
        a_field_twice=literal(b"status ok\n", b"status ok\nstatus ok\n"),
        a_field_nobody_knows=literal(b"status ok\n", b"status ok\nmood good\n"),
        a_field_name_in_capitals=literal(b"status ok", b"Status ok"),
        fields_exchanged=(
            rb"(record \w+\n)(status ok\n)",
            lambda found: found[2] + found[1],
        ),
        a_field_without_a_value=literal(b"status ok", b"status"),
        a_field_with_an_empty_value=literal(b"status ok", b"status "),
        two_blanks_before_a_value=literal(b"status ok", b"status  ok"),
        a_blank_behind_a_value=literal(b"status ok", b"status ok "),
        a_tab_before_a_value=literal(b"status ok", b"status\tok"),
        a_no_break_space_before_a_value=literal(b"status ok", b"status\xc2\xa0ok"),
        a_blank_before_a_field=literal(b"status ok", b" status ok"),
        an_empty_line_between=literal(b"status ok\n", b"status ok\n\n"),
        a_carriage_return=literal(b"status ok\n", b"status ok\r\n"),
        a_byte_order_mark=literal(b"safeconduct/v1/ack", BOM + b"safeconduct/v1/ack"),
        a_zero_byte=literal(b"status ok", b"status o\0k"),
        a_byte_that_is_no_utf8=literal(b"status ok", b"status o\xffk"),
        a_letter_beyond_ascii=literal(b"status ok", "status ök".encode()),
        a_word_in_capitals=literal(b"status ok", b"status OK"),
        a_word_that_begins_with_a_hyphen=literal(b"status ok", b"status -ok"),
        a_word_of_101_letters=literal(b"status ok", b"status " + b"o" * 101),
        a_hash_in_capitals=(rb"\nother 0{64}\n", b"\nother " + b"A" * 64 + b"\n"),
        a_hash_of_31_bytes=(rb"\nother 0{64}\n", b"\nother " + b"0" * 62 + b"\n"),
        a_hash_of_33_bytes=(rb"\nother 0{64}\n", b"\nother " + b"0" * 66 + b"\n"),
        a_hash_with_a_prefix=(rb"\nother 0{64}\n", b"\nother 0x" + b"0" * 62 + b"\n"),
        a_hash_in_base64=(rb"\nother 0{64}\n", b"\nother " + b"A" * 43 + b"=\n"),
        a_number_with_a_plus=literal(b"epoch 1\n", b"epoch +1\n"),
        a_negative_number=literal(b"epoch 1\n", b"epoch -1\n"),
        a_number_with_a_leading_zero=literal(b"epoch 1\n", b"epoch 01\n"),
        a_number_with_a_fraction=literal(b"epoch 1\n", b"epoch 1.0\n"),
        a_number_with_an_exponent=literal(b"epoch 1\n", b"epoch 1e0\n"),
        a_number_with_an_underscore=literal(b"epoch 1\n", b"epoch 1_0\n"),
        a_number_in_hex=literal(b"epoch 1\n", b"epoch 0x1\n"),
        a_number_in_arabic_digits=literal(b"epoch 1\n", "epoch ١\n".encode()),
        a_number_of_2_to_the_63=literal(b"epoch 1\n", b"epoch 9223372036854775808\n"),
        no_signature=("\n— .*\n".encode(), b"\n"),
        a_line_at_the_end=at_end(b"more\n"),
        an_empty_line_at_the_end=at_end(b"\n"),
    )
    | on(
        "contribution",
        a_contribution_that_is_signed=at_end(
            "\n— somebody.example AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n".encode()
        ),
        a_contribution_without_its_last_line_feed=(rb"(identity \w+)\n", rb"\1"),
        a_contribution_with_another_field_name=literal(b"sealed-by", b"sealed_by"),
        a_contribution_with_a_negative_size=literal(b"\nsize 6", b"\nsize -6"),
    )
    | on(
        "programme",
        a_key_twice=(rb"(members )(\S+)( )", rb"\1\2 \2\3"),
        two_blanks_between_keys=(rb"(members \S+)( )", rb"\1  "),
        no_keys=(rb"\nmembers [^\n]*", b"\nmembers"),
    )
    | on(
        "statute",
        a_law_that_is_no_json=literal(b'law {"cases"', b'law {"cases'),
        a_law_with_a_blank=literal(b'law {"cases":', b'law {"cases": '),
        a_law_with_a_fraction=(rb'"number":1,', b'"number":1.5,'),
    )
    | on(
        "claim-helped",
        a_blind_of_17_bytes=(rb"(\nblind \w+)", rb"\g<1>00"),
        a_key_too_short=(rb"(\nmldsa65 )\w\w", rb"\1"),
    )
    | on(
        "gate",
        a_note_without_a_value=(rb"(\nbefore )\S+", rb"\1"),
        a_note_that_is_none=(rb"(\nbefore )\S+", rb"\1YWJj"),
        a_note_in_another_base64=(rb"(\nbefore \S+)", rb"\1="),
        a_note_of_20001_bytes=(rb"(\nbefore )\S+", rb"\1" + b"A" * 26_672),
    )
    | on("credit-offer", a_class_missing=(rb"\nclass useful", b""))
    | on("credit-token", a_signature_with_a_blank=(rb"(\nsignature ....)", rb"\1 "))
)

SIGNED_EDITS = {
    "acknowledgement": b"\nrecord ",
    "archive": b"\nrecipient age1pq1",
    "assessment": b"\nvotes ",
    "count": b"\nclaims ",
    "credit-count": b"\nissued 2",
    "credit-link": b"\nrequest ",
    "credit-offer": b"\nrecord ",
    "decision": b"\nfacts ",
    "delivery": b"\nheader ",
    "destruction": b"\nroot ",
    "issuing-key": b"\nperiod ",
    "listing-decision": b"\nlisting ",
    "listing-notice": b"\nlisting ",
    "manifest": b"\nsums ",
    "opening-desk": b"\nrecord ",
    "panel": b"\nprevious ",
    "publication": b"\nobject ",
    "redemption": b"\nnullifier ",
    "request": b"\nbody ",
    "retirement": b"\ndestruction ",
    "roster": b"\nprevious ",
    "credit": b"\nserial ",
    "claim-helped": b"\nchallenge ",
    "claim-denounced": b"\nchallenge ",
    "claim-credited": b"\nchallenge ",
    "credit-request-plain": b"\nserial ",
    "opening": b"\nrecord ",
    "withdrawal": b"\nrecord ",
    "gate": b"\nlimit 1",
    "client": b"\nsha256 ",
    "appeal": b"\nreasons ",
}
"""One record of each signed kind: behind this, a character is another than was signed."""

RECORD_UNVERIFIED = (
    {
        f"{name}-says-something-else": (name, *other(before))
        for name, before in SIGNED_EDITS.items()
        if name != "archive"
    }
    | on(
        "programme",
        the_board_is_not_whole=("— board.example/clara .*\n".encode(), b""),
        founded_at_another_time=other(b"\nfounded 1"),
        by_another_programme=other(b"\nprogramme "),
    )
    | on(
        "credit",
        too_few_of_the_board=("— board.example/boris .*\n".encode(), b""),
        one_of_the_board_twice=("(— board.example/anna .*\n)".encode(), rb"\1\1"),
    )
    | on(
        "acknowledgement",
        a_stranger_s_line_more=at_end(
            "— stranger.example AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n".encode()
        ),
        another_key_id=other("\n— desk.example/epoch-1 ".encode()),
        a_duplicate_made_of_it=literal(b"status ok", b"status duplicate"),
    )
    | on(
        "claim-helped",
        the_second_line_missing=("(\n— claimant [^\n]{4000,}\n)".encode(), b"\n"),
        the_first_line_missing=("\n\n— claimant [^\n]{1,200}\n".encode(), b"\n\n"),
    )
)

MANIFEST = on(
    "three-files",
    no_json=(rb"\A\{", b""),
    a_blank=literal(b'"pre":', b'"pre": '),
    a_line_feed_at_the_end=at_end(b"\n"),
    a_byte_order_mark=(rb"\A\{", BOM + b"{"),
    a_field_more=(rb"\A\{", b'{"at":1,'),
    a_field_missing=(rb'"pre":"\w+",', b""),
    a_field_twice=(rb'("pre":"\w+",)', rb"\1\1"),
    fields_exchanged=(rb'("pre":"\w+"),("programme":"\w+")', rb"\2,\1"),
    a_key_with_an_escape=literal(b'"pre"', rb'"\u0070re"'),
    a_pre_of_17_bytes=(rb'("pre":"\w+)', rb"\g<1>00"),
    a_pre_in_capitals=text(b"pre", b'"' + b"AB" * 16 + b'"'),
    a_statute_that_is_null=text(b"statute", b"null"),
    a_statute_of_31_bytes=text(b"statute", b'"' + b"ab" * 31 + b'"'),
    a_reply_that_is_a_number=text(b"reply", b"1"),
    no_list_of_files=(rb'"files":\[.*\]', b'"files":{}'),
    a_file_without_a_salt=(rb'"name":"message.txt","salt":"\w+"', b'"name":"message.txt"'),
    a_file_with_a_field_more=literal(
        b'"name":"message.txt"', b'"mode":420,"name":"message.txt"'
    ),
    a_negative_size=literal(b'"size":45', b'"size":-45'),
    a_size_with_a_fraction=literal(b'"size":45', b'"size":45.0'),
    a_size_that_is_text=literal(b'"size":45', b'"size":"45"'),
    a_size_that_is_true=literal(b'"size":45', b'"size":true'),
    a_size_beyond_every_file=literal(b'"size":45', b'"size":9007199254740991'),
    a_size_in_another_spelling=literal(b'"size":45', b'"size":4.5e1'),
    an_empty_name=literal(b"message.txt", b""),
    a_name_of_256_bytes=literal(b"message.txt", b"m" * 256),
    a_name_with_a_slash=literal(b"message.txt", b"../message.txt"),
    an_absolute_name=literal(b"message.txt", b"/etc/passwd"),
    a_name_with_a_backslash=literal(b"message.txt", rb"..\\message.txt"),
    a_name_of_two_dots=literal(b"message.txt", b".."),
    a_name_of_one_dot=literal(b"message.txt", b"."),
    a_name_with_a_line_feed=literal(b"message.txt", rb"message\n.txt"),
    a_name_with_a_zero_byte=literal(b"message.txt", rb"message\u0000.txt"),
    a_name_with_an_escape=literal(b"message.txt", rb"\u001b[2Jmessage.txt"),
    a_name_that_turns_its_direction=literal(b"message.txt", "message\u202etxt.exe".encode()),
    a_name_with_a_zero_width_space=literal(b"message.txt", "mess\u200bage.txt".encode()),
    a_name_with_half_a_surrogate=literal(b"message.txt", rb"message\ud800.txt"),
    a_name_with_a_no_break_space=literal(b"message.txt", "message\u00a0.txt".encode()),
) | on(
    "follow-up",
    a_mac_of_16_bytes=text(b"mac", b'"' + b"ab" * 16 + b'"'),
    no_mac=(rb'"mac":"\w+",', b""),
    a_follows_that_is_null=(rb'"follows":\{[^}]*\}', b'"follows":null'),
    a_follows_with_a_field_more=literal(b'"follows":{', b'"follows":{"at":1,'),
)

MANIFEST_UNVERIFIED = on(
    "follow-up",
    a_mac_that_is_not_ours=other(b'"mac":"'),
    a_follow_up_by_another_author=other(b'"author":"'),
    a_follow_up_of_another_attempt=other(b'"pre":"'),
)

ENVELOPE = on(
    "classic",
    no_header=text(b"header", b'""'),
    a_header_of_the_other_profile=literal(b"profile x25519", b"profile mlkem768x25519"),
    a_profile_nobody_knows=literal(b"profile x25519", b"profile x25520"),
    a_sealer_nobody_knows=literal(rb"sealed-by source", b"sealed-by nobody"),
    a_size_that_nothing_is_padded_to=literal(rb"size 65568", b"size 65569"),
    a_record_of_another_kind=literal(rb"v1/contribution", b"v1/capture"),
    a_file_key_of_15_bytes=(rb'("file_key":")\w\w', rb"\1"),
    a_nonce_of_17_bytes=(rb'("nonce":")', rb"\g<1>00"),
)

ENVELOPE_UNVERIFIED = on(
    "classic",
    another_file_key=other(b'"file_key":"'),
    another_nonce=other(b'"nonce":"'),
    another_key_commitment=other(rb"\nkeycommit "),
    another_payload=other(rb"\npayload "),
    another_author=other(rb"\nauthor "),
    another_content=other(rb"\ncontent "),
    another_statute=other(rb"\nstatute "),
    another_certificate=other(rb"\ncertificate "),
    another_programme=other(rb"\nprogramme "),
    another_container=literal(b"three-files", b"many-files"),
    another_size=literal(rb"size 65568", b"size 131120"),
)

OPENING = on(
    "items",
    a_blank=literal(b'"file_key":', b'"file_key": '),
    a_line_feed_at_the_end=at_end(b"\n"),
    a_field_more=(rb"\A\{", b'{"aa":"",'),
    a_field_missing=literal(b'"file_key":"",', b""),
    a_file_key_of_15_bytes=literal(b'"file_key":""', b'"file_key":"' + b"ab" * 15 + b'"'),
    a_file_key_in_capitals=literal(b'"file_key":""', b'"file_key":"' + b"AB" * 16 + b'"'),
    a_file_key_that_is_null=literal(b'"file_key":""', b'"file_key":null'),
    a_place_twice=literal(b'"place":2', b'"place":1'),
    a_place_left_out=literal(b'"place":3', b'"place":4'),
    a_place_of_zero=literal(b'"place":1', b'"place":0'),
    a_place_that_is_true=literal(b'"place":1', b'"place":true'),
    a_place_with_a_fraction=literal(b'"place":1', b'"place":1.0'),
    a_commitment_of_31_bytes=text(b"commitment", b'"' + b"ab" * 31 + b'"'),
    a_name_with_a_slash=literal(b"message.txt", b"../message.txt"),
    a_negative_size=literal(b'"size":45', b'"size":-45'),
    a_size_beyond_every_file=literal(b'"size":45', b'"size":9007199254740991'),
    an_item_shown_and_hidden=literal(b'{"name":"message.txt"', b'{"commitment":"","name":"m"'),
    an_item_without_a_salt=(
        rb'"name":"message.txt","place":1,"salt":"\w+"',
        b'"name":"m","place":1',
    ),
    no_list_of_items=(rb'"items":\[.*?\]', b'"items":""'),
    an_opening_that_is_a_number=(rb'"opening":"(?:[^"\\]|\\.)*"', b'"opening":1'),
)

OPENING_UNVERIFIED = (
    on(
        "items",
        another_salt=other(b'"place":1,"salt":"'),
        another_hash=(rb'("place":1,"salt":"\w+","sha256":")(.)', _other),
        another_size=literal(b'"size":45', b'"size":46'),
        another_commitment=other(b'"commitment":"'),
        without_the_desks_word=(
            rb'"acknowledgement":"(?:[^"\\]|\\.)*"',
            b'"acknowledgement":""',
        ),
        an_answer_that_the_desk_did_not_give=literal(b"status ok", b"status duplicate"),
        another_contribution=other(rb"\nidentity "),
    )
    | on(
        "whole",
        without_the_file_key=text(b"file_key", b'""'),
        another_file_key=other(b'"file_key":"'),
    )
    | on(
        "whole-not-logged",
        a_scope_that_was_not_signed=literal(b"scope all", b"scope items"),
        an_opening_for_another_purpose=literal(b"purpose court", b"purpose press"),
        an_opening_of_another_tip=(rb"(v1/opening\\nprogramme \w+\\nrecord )(.)", _other),
    )
    | on(
        "by-the-desk",
        the_desks_without_a_date=(rb'"opening_proof":"(?:[^"\\]|\\.)*"', b'"opening_proof":""'),
    )
)

CLAIM = on(
    "helped",
    a_blank=literal(b'"name":', b'"name": '),
    a_line_feed_at_the_end=at_end(b"\n"),
    a_field_more=literal(b'"name":', b'"mood":"","name":'),
    a_field_missing=(rb'"assessment_proof":"(?:[^"\\]|\\.)*",', b""),
    no_claim=(rb'"claim":"(?:[^"\\]|\\.)*"', b'"claim":""'),
    a_claim_of_another_kind=literal(rb"v1/claim-helped", b"v1/appeal"),
    an_empty_name=literal(b"Ada Example", b""),
    a_name_that_is_null=literal(b'"Ada Example"', b"null"),
    a_name_of_401_bytes=literal(b"Ada Example", b"A" * 401),
    a_name_with_a_line_feed=literal(b"Ada Example", rb"Ada\nExample"),
    a_name_that_turns_its_direction=literal(b"Ada Example", "Ada\u202eExample".encode()),
    a_salt_of_15_bytes=text(b"name_salt", b'"' + b"ab" * 15 + b'"'),
    a_salt_in_capitals=text(b"name_salt", b'"' + b"AB" * 16 + b'"'),
    a_key_of_low_order=(rb"(\\ned25519 )\w{64}", rb"\g<1>" + b"0" * 64),
)

CLAIM_UNVERIFIED = (
    on(
        "helped",
        another_name=literal(b"Ada Example", b"Eve Example"),
        another_salt=other(b'"name_salt":"'),
        another_subject=literal(b"subject r-0001", b"subject r-0002"),
        another_date_of_expiry=other(rb"\nexpires 180"),
        the_acknowledgement_left_out=(
            rb'"acknowledgement":"(?:[^"\\]|\\.)*"',
            b'"acknowledgement":""',
        ),
        another_word_in_the_contribution=other(rb"\nidentity "),
    )
    | on(
        "denounced",
        another_statement=literal(b'"statement":"0"', b'"statement":"1"'),
        another_capture=other(rb"\"captured_at\":18"),
    )
    | on(
        "credited",
        another_serial=other(rb"\nserial "),
    )
)

CREDIT = on(
    "token",
    a_signature_of_511_bytes=(rb"(\nsignature )(.{4})([^\n]*)", rb"\1\3"),
    a_signature_without_padding=(rb"=\n\Z", b"\n"),
    a_prefix_of_31_bytes=(rb"(\nprefix )\w\w", rb"\1"),
    a_class_in_capitals=literal(b"class useful", b"class Useful"),
    a_period_of_nothing=literal(b"period 1\n", b"period \n"),
    a_token_that_is_signed=at_end(
        "\n— board.example/anna AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n".encode()
    ),
) | on(
    "plain",
    a_credit_that_nobody_signed=("\n— .*\n— .*\n".encode(), b""),
    a_serial_of_15_bytes=(rb"(\nserial )\w\w", rb"\1"),
)

CREDIT_UNVERIFIED = on(
    "token",
    token_with_another_key=other(b"\nkey "),
    token_with_another_prefix=other(b"\nprefix "),
    token_with_another_signature=(rb"(\nsignature .{20})(.)", _other),
    token_of_another_class=literal(b"class useful", b"class corroborated"),
    token_of_another_law=other(b"\nstatute "),
    token_of_another_programme=other(b"\nprogramme "),
) | on(
    "plain",
    credit_with_another_key=other(b"\nkey "),
    credit_with_another_serial=other(b"\nserial "),
    credit_of_another_class=literal(b"class useful", b"class corroborated"),
    credit_of_another_law=other(b"\nstatute "),
    credit_by_one_of_the_board=("— board.example/boris .*\n".encode(), b""),
    credit_by_one_of_the_board_twice=(
        "(— board.example/anna .*\n)— board.example/boris .*\n".encode(),
        rb"\1\1",
    ),
)

SEALED_MALFORMED: dict[str, PatternEdits] = {
    "words": WORDS,
    "record": RECORD,
    "manifest": MANIFEST,
    "envelope": ENVELOPE,
    "opening": OPENING,
    "claim": CLAIM,
    "credit": CREDIT,
}
SEALED_UNVERIFIED: dict[str, PatternEdits] = {
    "record": RECORD_UNVERIFIED,
    "manifest": MANIFEST_UNVERIFIED,
    "envelope": ENVELOPE_UNVERIFIED,
    "opening": OPENING_UNVERIFIED,
    "claim": CLAIM_UNVERIFIED,
    "credit": CREDIT_UNVERIFIED,
}
