"""What is wrong with each published file: one stretch of a valid one, replaced.

    format: {name of the wrong file: (the valid file, what stands there, what it becomes)}

Where nothing stands there, the change is put at the end.
"""

Edits = dict[str, tuple[str, bytes, bytes]]

D = "—".encode()
BOM = b"\xef\xbb\xbf"
HASH = b"A" * 43 + b"=\n"
"""A line of 32 zero bytes."""
SIGNATURE = (
    b"Wt1W1O0dCJeBZMh4FAkTGlviA5d8I/afVKYjEitaLlavpYT/"
    b"Yl0ETwODsmkfu2x9a8m4AeVq1frQcpEXquFYfnKHSwI="
)
"""Of the valid note; it begins with the key ID."""
W1_KEY = b"witness.example/w1+0ad7d35e+BIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
W2_KEY = b"witness.example/w2+92e6b37c+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU"
W3_KEY = b"witness.example/w3+65d645b8+BO1JKMYo0cLG6ukDOJBZlWEpWSc6XGP5NjbBRhSshzfR"
LOG_KEY = b"log.example/ledger+5add56d4+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"


def on(base: str, **edits: tuple[bytes, bytes]) -> Edits:
    """Edits of one base; underscores in their names stand for hyphens."""
    return {name.replace("_", "-"): (base, *edit) for name, edit in edits.items()}


NOTE = on(
    "one-signature",
    a_byte_order_mark=(b"Words", BOM + b"Words"),
    a_carriage_return_in_the_text=(b"signed.\n", b"signed.\r\n"),
    a_carriage_return_in_the_empty_line=(b".\n\n" + D, b".\n\r\n" + D),
    a_carriage_return_at_the_end=(b"SwI=\n", b"SwI=\r\n"),
    a_tab_in_the_text=(b"Words that", b"Words\tthat"),
    a_zero_byte_in_the_text=(b"Words that", b"Words\0that"),
    an_escape_in_the_text=(b"Words that", b"Words \x1b[2Jthat"),
    a_delete_character_in_the_text=(b"Words that", b"Words \x7fthat"),
    a_byte_that_is_no_utf8=(b"Words that", b"Words \xff that"),
    an_overlong_line_feed=(b"Words that", b"Words \xc0\x8athat"),
    a_surrogate=(b"Words that", b"Words \xed\xa0\x80that"),
    an_empty_line_at_the_end=(b"SwI=\n", b"SwI=\n\n"),
    a_line_at_the_end=(b"SwI=\n", b"SwI=\nmore\n"),
    a_line_before_the_signature=(b"\n\n" + D, b"\n\nmore\n" + D),
    the_last_line_feed_missing=(b"SwI=\n", b"SwI="),
    a_hyphen_for_the_dash=(D, b"-"),
    an_en_dash_for_the_dash=(D, "–".encode()),
    no_dash=(D + b" ", b""),
    a_blank_before_the_dash=(D, b" " + D),
    two_blanks_behind_the_dash=(D + b" ", D + b"  "),
    no_blank_behind_the_dash=(D + b" ", D),
    two_blanks_before_the_signature=(b"ledger W", b"ledger  W"),
    a_blank_at_the_end=(b"SwI=\n", b"SwI= \n"),
    no_name=(b"log.example/ledger", b""),
    no_signature=(b" " + SIGNATURE, b""),
    an_empty_signature=(SIGNATURE, b""),
    a_plus_in_the_name=(b"log.example/l", b"log.example+l"),
    a_no_break_space_in_the_name=(b"log.example/l", b"log.example\xc2\xa0l"),
    a_line_separator_in_the_name=(b"log.example/l", b"log.example\xe2\x80\xa8l"),
    an_ideographic_space_in_the_name=(b"log.example/l", b"log.example\xe3\x80\x80l"),
    base64_without_padding=(b"SwI=\n", b"SwI\n"),
    base64_with_too_much_padding=(b"SwI=\n", b"SwI==\n"),
    base64_with_bits_beyond_its_end=(b"SwI=\n", b"SwJ=\n"),
    base64_of_the_url_alphabet=(b"8I/a", b"8I_a"),
    base64_with_a_blank_inside=(b"8I/a", b"8I a"),
    base64_with_junk_inside=(b"8I/a", b"8I!/a"),
    base64_that_goes_on_behind_its_padding=(b"SwI=\n", b"SwI=SwI=\n"),
    half_a_key_id=(SIGNATURE, b"Wt0="),
    a_key_id_alone=(SIGNATURE, b"Wt1W1A=="),
)

CHECKPOINT = on(
    "seven-entries",
    no_origin=(b"log.example/ledger\n7", b"7"),
    an_empty_origin=(b"log.example/ledger\n7", b"\n7"),
    an_origin_of_256_bytes=(b"log.example/ledger\n7", b"o" * 256 + b"\n7"),
    no_size=(b"\n7\n", b"\n"),
    an_empty_size=(b"\n7\n", b"\n\n"),
    a_size_with_a_plus=(b"\n7\n", b"\n+7\n"),
    a_negative_size=(b"\n7\n", b"\n-7\n"),
    a_size_with_a_blank_in_front=(b"\n7\n", b"\n 7\n"),
    a_size_with_a_blank_behind=(b"\n7\n", b"\n7 \n"),
    a_size_with_a_leading_zero=(b"\n7\n", b"\n07\n"),
    a_size_of_two_zeros=(b"\n7\n", b"\n00\n"),
    a_size_with_an_underscore=(b"\n7\n", b"\n1_0\n"),
    a_size_with_a_comma=(b"\n7\n", b"\n1,000\n"),
    a_size_in_hex=(b"\n7\n", b"\n0x7\n"),
    a_size_with_a_fraction=(b"\n7\n", b"\n7.0\n"),
    a_size_with_an_exponent=(b"\n7\n", b"\n7e0\n"),
    a_size_in_arabic_digits=(b"\n7\n", "\n٧\n".encode()),
    a_size_in_fullwidth_digits=(b"\n7\n", "\n７\n".encode()),
    a_size_in_superscript=(b"\n7\n", "\n⁷\n".encode()),
    a_size_of_2_to_the_63=(b"\n7\n", b"\n9223372036854775808\n"),
    a_size_of_2_to_the_64_and_7=(b"\n7\n", b"\n18446744073709551623\n"),
    a_size_of_200_digits=(b"\n7\n", b"\n" + b"7" * 200 + b"\n"),
    no_root_hash=(b"mMl/C6MXXNCLAx3QhLncTmSbZNGijm6mlGRlAxc6tYc=\n", b""),
    a_root_hash_of_31_bytes=(b"Axc6tYc=\n", b"Axc6tQ==\n"),
    a_root_hash_of_33_bytes=(b"Axc6tYc=\n", b"Axc6tYcA\n"),
    a_root_hash_without_padding=(b"Axc6tYc=\n", b"Axc6tYc\n"),
    a_root_hash_with_bits_beyond_its_end=(b"Axc6tYc=\n", b"Axc6tYd=\n"),
    a_root_hash_of_the_url_alphabet=(b"mMl/C6", b"mMl_C6"),
    a_root_hash_with_a_blank_behind=(b"Axc6tYc=\n", b"Axc6tYc= \n"),
    a_root_hash_in_hex=(b"mMl/C6MXXNCLAx3QhLncTmSbZNGijm6mlGRlAxc6tYc=\n", b"ab" * 32 + b"\n"),
    an_empty_line_between=(b"\n7\n", b"\n7\n\n"),
    an_empty_extension_line=(b"tYc=\n\n" + D, b"tYc=\n\n\n" + D),
    a_carriage_return=(b"\n7\n", b"\n7\r\n"),
    a_byte_order_mark=(b"log.example/ledger\n7", BOM + b"log.example/ledger\n7"),
    an_escape_in_the_origin=(b"ledger\n7", b"\x1b[8mledger\n7"),
    a_tab_before_the_size=(b"\n7\n", b"\n\t7\n"),
)

TILE_PATH = on(
    "three-groups",
    no_tile=(b"tile/0", b"0"),
    a_slash_in_front=(b"tile/0", b"/tile/0"),
    a_slash_behind=(b"/067", b"/067/"),
    a_line_feed_behind=(b"/067", b"/067\n"),
    a_blank_in_front=(b"tile/0", b" tile/0"),
    no_level=(b"tile/0", b"tile/"),
    a_level_with_a_leading_zero=(b"tile/0", b"tile/00"),
    a_level_with_a_plus=(b"tile/0", b"tile/+0"),
    a_negative_level=(b"tile/0", b"tile/-1"),
    a_level_in_arabic_digits=(b"tile/0", "tile/٠".encode()),
    a_level_beyond_every_tree=(b"tile/0", b"tile/8"),
    a_level_beyond_the_standards=(b"tile/0", b"tile/64"),
    a_height_in_front_of_the_level=(b"tile/0", b"tile/8/0"),
    data_for_entries=(b"tile/0", b"tile/data"),
    entries_in_capitals=(b"tile/0", b"tile/Entries"),
    no_index=(b"/x001/x234/067", b""),
    a_group_of_two_digits=(b"/067", b"/67"),
    a_group_of_four_digits=(b"/067", b"/0067"),
    a_group_of_zeros_in_front=(b"/x001", b"/x000/x001"),
    an_x_missing=(b"x234", b"234"),
    an_x_before_the_last_group=(b"/067", b"/x067"),
    an_x_in_capitals=(b"x001", b"X001"),
    a_double_slash=(b"0/x001", b"0//x001"),
    two_dots=(b"x234", b".."),
    an_index_beyond_every_tree=(b"x001", b"x999/x999/x999/x999/x999/x001"),
    a_partial_of_nothing=(b"067", b"067.p/0"),
    a_partial_that_is_full=(b"067", b"067.p/256"),
    a_partial_of_999=(b"067", b"067.p/999"),
    a_partial_with_a_leading_zero=(b"067", b"067.p/03"),
    a_partial_with_a_plus=(b"067", b"067.p/+3"),
    a_partial_without_a_width=(b"067", b"067.p/"),
    a_partial_without_a_slash=(b"067", b"067.p3"),
    a_percent_sign=(b"067", b"067%2ep/3"),
    a_zero_byte=(b"067", b"067\0"),
)

TILE: Edits = {
    "a-byte-more-3": ("hashes-3", b"", b"\0"),
    "a-hash-more-3": ("hashes-3", b"", bytes(32)),
}

BUNDLE: Edits = {
    "a-byte-behind-the-last-entry-3": ("entries-3", b"", b"\0"),
    "an-entry-more-3": ("entries-3", b"", b"\0\x07entry 3"),
    "the-last-entry-cut-short-3": ("entries-3", b"y 2", b"y"),
    "a-length-cut-short-3": ("entries-3", b"\0\x07entry 2", b"\0"),
    "an-entry-less-3": ("entries-3", b"\0\x07entry 2", b""),
    "a-length-one-too-large-3": ("entries-3", b"\0\x07entry 2", b"\0\x08entry 2"),
    "a-length-one-too-small-3": ("entries-3", b"\0\x07entry 2", b"\0\x06entry 2"),
    "a-length-in-little-endian-3": ("entries-3", b"\0\x07entry 0", b"\x07\0entry 0"),
    "a-length-of-four-bytes-3": ("entries-3", b"\0\x07entry 0", b"\0\0\0\x07entry 0"),
    "the-longest-length-3": ("entries-3", b"\0\x07entry 0", b"\xff\xffentry 0"),
}

PROOF = on(
    "with-extra",
    another_version=(b"@v1\n", b"@v2\n"),
    no_header=(b"c2sp.org/tlog-proof@v1\n", b""),
    a_blank_behind_the_header=(b"@v1\n", b"@v1 \n"),
    an_empty_line_behind_the_header=(b"@v1\n", b"@v1\n\n"),
    a_byte_order_mark=(b"c2sp", BOM + b"c2sp"),
    a_carriage_return=(b"index 3\n", b"index 3\r\n"),
    no_index=(b"index 3\n", b""),
    an_index_line_too_many=(b"index 3\n", b"index 3\nindex 3\n"),
    an_index_in_capitals=(b"index", b"Index"),
    an_index_with_a_plus=(b"index 3", b"index +3"),
    an_index_with_a_minus=(b"index 3", b"index -3"),
    an_index_with_two_blanks=(b"index 3", b"index  3"),
    an_index_with_a_tab=(b"index 3", b"index\t3"),
    an_index_with_a_leading_zero=(b"index 3", b"index 03"),
    an_index_with_an_underscore=(b"index 3", b"index 1_0"),
    an_index_in_arabic_digits=(b"index 3", "index ٣".encode()),
    an_index_of_2_to_the_63=(b"index 3", b"index 9223372036854775808"),
    extra_behind_the_index=(b"extra AAEC\nindex 3\n", b"index 3\nextra AAEC\n"),
    an_extra_line_too_many=(b"extra AAEC\n", b"extra AAEC\nextra AAEC\n"),
    an_empty_extra=(b"extra AAEC", b"extra "),
    extra_without_a_blank=(b"extra AAEC", b"extra"),
    extra_with_junk=(b"AAEC", b"A!AEC"),
    extra_with_bits_beyond_its_end=(b"AAEC", b"AAF="),
    a_hash_of_31_bytes=(b"8A5SkE=\n", b"8A5SQ==\n"),
    a_hash_without_padding=(b"8A5SkE=\n", b"8A5SkE\n"),
    a_hash_with_a_blank_behind=(b"8A5SkE=\n", b"8A5SkE= \n"),
    an_empty_line_between_hashes=(b"8A5SkE=\n", b"8A5SkE=\n\n"),
    sixty_four_hashes=(b"8A5SkE=\n", b"8A5SkE=\n" + HASH * 61),
    no_empty_line=(b"2NuI=\n\n", b"2NuI=\n"),
    two_empty_lines=(b"2NuI=\n\n", b"2NuI=\n\n\n"),
    a_line_behind_the_checkpoint=(b"", b"more\n"),
    an_empty_line_behind_the_checkpoint=(b"", b"\n"),
    a_size_with_a_leading_zero=(b"\n7\n", b"\n07\n"),
    no_empty_line_in_the_checkpoint=(b"tYc=\n\n", b"tYc=\n"),
)

POLICY = on(
    "no-witness",
    no_quorum=(b"quorum none\n", b""),
    two_quorums=(b"quorum none\n", b"quorum none\nquorum none\n"),
    a_quorum_without_a_name=(b"quorum none", b"quorum"),
    a_quorum_of_two_names=(b"quorum none", b"quorum none none"),
    a_quorum_never_defined=(b"quorum none", b"quorum w1"),
    a_comment_behind_a_line=(b"quorum none", b"quorum none # mine"),
    a_keyword_nobody_knows=(b"quorum", b"mirror m\nquorum"),
    a_keyword_in_capitals=(b"quorum", b"Quorum"),
    the_last_line_feed_missing=(b"none\n", b"none"),
    a_carriage_return=(b"none\n", b"none\r\n"),
    a_byte_order_mark=(b"log log", BOM + b"log log"),
    a_form_feed=(b"quorum", b"\x0cquorum"),
    a_zero_byte_in_a_comment=(b"quorum", b"#\0\nquorum"),
    a_log_without_a_key=(b"quorum", b"log\nquorum"),
    a_log_with_a_word_too_many=(b"dop\n", b"dop https://log.example/ more\n"),
    a_log_key_with_another_id=(b"+5add56d4+", b"+5add56d5+"),
)
POLICY |= on(
    "comments-and-blanks",
    a_no_break_space_for_a_blank=(b"quorum  most ", b"quorum\xc2\xa0most "),
    a_group_without_members=(b"group most 2 #1 two", b"group most 2"),
    a_group_called_none=(b"group most", b"group none"),
    a_group_called_like_a_witness=(b"group most", b"group two"),
    a_group_within_itself=(b"#1 two\n", b"#1 most\n"),
    a_member_never_defined=(b"#1 two\n", b"#1 three\n"),
    a_member_listed_twice=(b"#1 two\n", b"#1 #1\n"),
    a_member_of_two_groups=(b"quorum", b"group other any two\nquorum"),
    a_threshold_of_0=(b"most 2", b"most 0"),
    a_threshold_above_the_members=(b"most 2", b"most 3"),
    a_threshold_with_a_plus=(b"most 2", b"most +2"),
    a_threshold_with_a_leading_zero=(b"most 2", b"most 02"),
    a_threshold_in_capitals=(b"most 2", b"most ALL"),
    a_witness_without_a_key=(b"quorum", b"witness three\nquorum"),
    a_witness_called_none=(b"witness two", b"witness none"),
    a_witness_defined_twice=(b"witness two", b"witness #1"),
    a_log_with_a_witnesses_key=(LOG_KEY, W3_KEY),
    a_witness_with_a_logs_key=(W2_KEY, LOG_KEY),
    one_key_for_two_witnesses=(W2_KEY, W1_KEY),
)

VKEY = on(
    "ed25519",
    a_blank_in_front=(b"log", b" log"),
    a_line_feed_behind=(b"Wdop", b"Wdop\n"),
    a_carriage_return_behind=(b"Wdop", b"Wdop\r"),
    no_name=(b"log.example/ledger", b""),
    another_name=(b"log.example", b"log.examples"),
    a_blank_in_the_name=(b"log.example", b"log example"),
    a_plus_in_the_name=(b"log.example", b"log+example"),
    another_key_id=(b"5add56d4", b"5add56d5"),
    a_key_id_in_upper_case=(b"5add56d4", b"5ADD56D4"),
    a_key_id_of_seven_digits=(b"5add56d4", b"5add56d"),
    a_key_id_of_nine_digits=(b"5add56d4", b"05add56d4"),
    no_key=(b"ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop", b""),
    one_plus_only=(b"+5add56d4+", b"+5add56d4"),
    base64_with_junk_inside=(b"ATtqJ7", b"ATtq!J7"),
    base64_of_the_url_alphabet=(b"ATtqJ7", b"ATtq-7"),
    another_type=(b"+ATtq", b"+BDtq"),
)

SKEY = on(
    "mldsa44",
    no_mark=(b"PRIVATE+KEY+", b""),
    a_mark_in_lower_case=(b"PRIVATE+KEY+", b"private+key+"),
    a_line_feed_behind=(b"", b"\n"),
    another_name=(b"witness.", b"witnesses."),
    another_type=(b"+BkFB", b"+AUFB"),
    a_type_for_witnesses=(b"+BkFB", b"+BEFB"),
    a_seed_of_29_bytes=(b"+BkFBQUFB", b"+BkFB"),
    a_seed_of_35_bytes=(b"+BkFB", b"+BkFBQUFB"),
)

FORK = on(
    "five-to-nine",
    another_version=(b"v1/fork", b"v2/fork"),
    no_header=(b"safeconduct/v1/fork\n", b""),
    a_byte_order_mark=(b"safeconduct", BOM + b"safeconduct"),
    a_carriage_return=(b"old 183\n", b"old 183\r\n"),
    no_old_length=(b"old 183\n", b""),
    no_new_length=(b"new 183\n", b""),
    the_lengths_swapped=(b"old 183\nnew 183\n", b"new 183\nold 183\n"),
    an_old_length_one_too_long=(b"old 183", b"old 184"),
    a_boundary_one_byte_further=(b"old 183\nnew 183\n", b"old 184\nnew 182\n"),
    an_old_note_of_nothing=(b"old 183\nnew 183\n", b"old 0\nnew 366\n"),
    a_length_with_a_plus=(b"old 183", b"old +183"),
    a_length_with_a_leading_zero=(b"old 183", b"old 0183"),
    a_length_with_two_blanks=(b"old 183", b"old  183"),
    a_length_in_arabic_digits=(b"old 183", "old ١٨٣".encode()),
    a_hash_of_31_bytes=(b"lpS58=\n", b"lpSw==\n"),
    a_hash_without_padding=(b"lpS58=\n", b"lpS58\n"),
    sixty_five_hashes=(b"lpS58=\n", b"lpS58=\n" + HASH * 60),
    no_empty_line=(b"lpS58=\n\n", b"lpS58=\n"),
    two_empty_lines=(b"lpS58=\n\n", b"lpS58=\n\n\n"),
    a_size_that_is_no_number=(b"\n9\n", b"\n+\n"),
    a_line_at_the_end=(b"", b"more\n"),
    an_empty_line_at_the_end=(b"", b"\n"),
)

REQUEST = on(
    "growth",
    no_old_size=(b"old 5\n", b""),
    old_without_a_size=(b"old 5", b"old"),
    old_with_an_empty_size=(b"old 5", b"old "),
    old_in_capitals=(b"old 5", b"Old 5"),
    old_with_a_plus=(b"old 5", b"old +5"),
    old_with_a_minus=(b"old 5", b"old -5"),
    old_with_two_blanks=(b"old 5", b"old  5"),
    old_with_a_tab=(b"old 5", b"old\t5"),
    old_with_a_blank_behind=(b"old 5", b"old 5 "),
    old_with_a_leading_zero=(b"old 5", b"old 05"),
    old_in_arabic_digits=(b"old 5", "old ٥".encode()),
    old_of_2_to_the_63=(b"old 5", b"old 9223372036854775808"),
    old_twice=(b"old 5\n", b"old 5\nold 5\n"),
    a_carriage_return=(b"old 5\n", b"old 5\r\n"),
    a_byte_order_mark=(b"old 5", BOM + b"old 5"),
    an_empty_line_in_front=(b"old 5", b"\nold 5"),
    an_empty_line_between_hashes=(b"S2iFQ=\n", b"S2iFQ=\n\n"),
    a_hash_without_padding=(b"S2iFQ=\n", b"S2iFQ\n"),
    a_hash_with_bits_beyond_its_end=(b"S2iFQ=\n", b"S2iFR=\n"),
    a_hash_with_a_blank_behind=(b"S2iFQ=\n", b"S2iFQ= \n"),
    a_hash_of_31_bytes=(b"S2iFQ=\n", b"S2iA==\n"),
    sixty_four_hashes=(b"S2iFQ=\n", b"S2iFQ=\n" + HASH * 59),
    no_empty_line=(b"lpS58=\n\n", b"lpS58=\n"),
    two_empty_lines=(b"lpS58=\n\n", b"lpS58=\n\n\n"),
    a_size_with_a_leading_zero=(b"\n9\n", b"\n09\n"),
    a_line_at_the_end=(b"", b"more\n"),
    an_empty_line_at_the_end=(b"", b"\n"),
)

MALFORMED_BY_EDIT: dict[str, Edits] = {
    "note": NOTE,
    "checkpoint": CHECKPOINT,
    "tile-path": TILE_PATH,
    "tile": TILE,
    "bundle": BUNDLE,
    "proof": PROOF,
    "policy": POLICY,
    "vkey": VKEY,
    "skey": SKEY,
    "fork": FORK,
    "request": REQUEST,
}
HASHES_OF_THE_FORK = b"".join(
    [
        b"SFM123z+yWXxX/dF/GJcQdXqJkaTaTAWWCj3PdS2iFQ=\n",
        b"n/U3thiiV++CkIxFkVrLrrbZ3qA11tk5ZPyIwZ6YyLM=\n",
        b"/w4ywg/2W5esELOyZ3uHKqPVoCh9lFesukflfPSkpz8=\n",
        b"b7iUKSJEqG0x2OB1aBpW0N3cMKWB3jmlW6cLT2Jf9P4=\n",
        b"lJEOQnicGWJFCQhFH/mxwFCn1s3n1NLU6X8vdQlpS58=\n",
    ]
)


# What parses, and does not hold.

ED25519 = on(
    "ed25519-one-line",
    ed25519_nobody_cosigned=(b"example/w1 CtfT", b"example/w9 CtfT"),
    ed25519_another_key_id=(b"example/w1 CtfT", b"example/w1 CtfU"),
    ed25519_another_time=(b"AAAABrSdIA", b"AAAABrSdIB"),
    ed25519_a_byte_less=(b"S21hBw==\n", b"S21h\n"),
    ed25519_a_byte_more=(b"S21hBw==\n", b"S21hBwA=\n"),
    ed25519_another_origin=(b"log.example/ledger\n7", b"log.example/Ledger\n7"),
    ed25519_another_size=(b"\n7\n", b"\n8\n"),
    ed25519_another_root_hash=(b"mMl/C6", b"mMm/C6"),
    ed25519_an_extension_line_added=(b"tYc=\n\n", b"tYc=\nmore\n\n"),
)
MLDSA44 = on(
    "mldsa44-one-line",
    mldsa44_nobody_cosigned=(b"example/w1 s1Qx", b"example/w9 s1Qx"),
    mldsa44_another_time=(b"AAAABrSdIA", b"AAAABrSdIB"),
    mldsa44_another_origin=(b"log.example/ledger\n7", b"log.example/Ledger\n7"),
    mldsa44_another_size=(b"\n7\n", b"\n8\n"),
    mldsa44_another_root_hash=(b"mMl/C6", b"mMm/C6"),
    # The signature does not cover it, so anybody could have written it.
    mldsa44_an_extension_line_added=(b"tYc=\n\n", b"tYc=\nmore\n\n"),
)
UNVERIFIED_BY_EDIT: dict[str, Edits] = {
    "note": on(
        "one-signature",
        another_word=(b"somebody", b"nobody"),
        a_line_feed_more_in_the_text=(b".\n\n" + D, b".\n\n\n" + D),
        another_signature=(b"KHSwI=", b"KHSwM="),
        a_signature_cut_short=(b"KHSwI=", b"KHSw=="),
        a_signature_with_a_byte_more=(b"KHSwI=", b"KHSwIA"),
        another_name=(b"log.example", b"logs.example"),
        another_key_id=(b"Wt1W1O0d", b"Wt1W1e0d"),
    )
    | on(
        "the-same-signature-twice",
        a_good_signature_and_a_bad_one=(b"KHSwI=\n\xe2", b"KHSwM=\n\xe2"),
    ),
    "checkpoint": on(
        "seven-entries",
        another_origin=(b"log.example/ledger\n7", b"log.example/Ledger\n7"),
        another_size=(b"\n7\n", b"\n8\n"),
        another_root_hash=(b"mMl/C6", b"mMm/C6"),
        an_extension_line_added=(b"tYc=\n\n", b"tYc=\nmore\n\n"),
        another_key_id=(b"Wt1W1KHo", b"Wt1W1aHo"),
    ),
    "cosignature": ED25519 | MLDSA44,
    "proof": on(
        "with-extra",
        another_index=(b"index 3", b"index 2"),
        an_index_beyond_the_tree=(b"index 3", b"index 7"),
        another_hash=(b"V8efTz", b"V8efTy"),
        a_hash_less=(b"V8efTzGuApxdS9MLBzwnyU35NDiytGl+Hh7vW8A5SkE=\n", b""),
        a_hash_more=(b"2NuI=\n\n", b"2NuI=\n" + HASH + b"\n"),
        no_quorum=(b"example/w2", b"example/w9"),
        no_signature_of_the_log=(D + b" log.example", D + b" logs.example"),
        another_size=(b"\n7\n", b"\n6\n"),
        another_date=(b"AAAABrSdIA", b"AAAABrSdIB"),
    ),
    "fork": on(
        "five-to-nine",
        another_hash=(b"SFM123", b"SFM122"),
        no_hashes=(HASHES_OF_THE_FORK, b""),
        a_hash_less=(b"SFM123z+yWXxX/dF/GJcQdXqJkaTaTAWWCj3PdS2iFQ=\n", b""),
        a_hash_more=(b"lpS58=\n", b"lpS58=\n" + HASH),
        another_root_hash=(b"W/3Kdo", b"W/3Kdn"),
        another_size=(b"\n9\n", b"\n8\n"),
        an_old_tree_that_nobody_signed=(
            b"log.example/ledger Wt1W1FiM",
            b"log.example/ledger Wt1W0FiM",
        ),
    ),
}
