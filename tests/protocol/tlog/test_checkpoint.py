"""Checkpoints."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocol.tlog.sample_log import checkpoint_text, near

from safeconduct.errors import MalformedError
from safeconduct.protocol.tlog.checkpoint import (
    Checkpoint,
    format_checkpoint,
    parse_checkpoint,
)
from safeconduct.protocol.tlog.merkle import TREE_SIZE_END, Tree

# The example of c2sp.org/tlog-checkpoint.
HASH = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
EXAMPLE = f"example.com/behind-the-sofa\n20852163\n{HASH}\n"


def test_the_standards_example_is_read() -> None:
    checkpoint = parse_checkpoint(EXAMPLE)
    assert checkpoint.origin == "example.com/behind-the-sofa"
    assert checkpoint.tree.size == 20_852_163
    assert checkpoint.tree.root_hash.hex().startswith("0ac5186a91863e8e")
    assert checkpoint.extensions == ()
    assert format_checkpoint(checkpoint) == EXAMPLE


def test_extension_lines_are_kept() -> None:
    checkpoint = parse_checkpoint(EXAMPLE + "one\nand two\n")
    assert checkpoint.extensions == ("one", "and two")


MALFORMED = {
    "nothing": "",
    "two lines": "log.example\n5\n",
    "no newline at the end": EXAMPLE[:-1],
    "an empty origin": f"\n5\n{HASH}\n",
    "an origin of 256 bytes": f"{'é' * 128}\n5\n{HASH}\n",
    "an empty line at the end": EXAMPLE + "\n",
    "an empty line between": f"log.example\n\n5\n{HASH}\n",
    "an empty extension line": EXAMPLE + "\nmore\n",
    "no size": f"log.example\n\n{HASH}\n",
    "a size with a plus": f"log.example\n+5\n{HASH}\n",
    "a negative size": f"log.example\n-5\n{HASH}\n",
    "a size with a blank in front": f"log.example\n 5\n{HASH}\n",
    "a size with a blank behind": f"log.example\n5 \n{HASH}\n",
    "a size with a leading zero": f"log.example\n05\n{HASH}\n",
    "a size of two zeros": f"log.example\n00\n{HASH}\n",
    "a size with an underscore": f"log.example\n1_0\n{HASH}\n",
    "a size in hex": f"log.example\n0x5\n{HASH}\n",
    "a size with a fraction": f"log.example\n5.0\n{HASH}\n",
    "a size in Arabic digits": f"log.example\n٥\n{HASH}\n",
    "a size in superscript": f"log.example\n⁵\n{HASH}\n",
    "a size of 2^63": f"log.example\n{TREE_SIZE_END}\n{HASH}\n",
    "an endless size": f"log.example\n{'9' * 5000}\n{HASH}\n",
    "no hash": "log.example\n5\n\n",
    "a hash of 31 bytes": "log.example\n5\n" + "A" * 41 + "A==\n",
    "a hash of 33 bytes": "log.example\n5\n" + "A" * 44 + "\n",
    "a hash with bits beyond its end": f"log.example\n5\n{HASH[:-2]}J=\n",
    "a hash without padding": f"log.example\n5\n{HASH[:-1]}\n",
    "a hash in hex": f"log.example\n5\n{'ab' * 32}\n",
    "a hash with a blank behind": f"log.example\n5\n{HASH} \n",
    "carriage returns": EXAMPLE.replace("\n", "\r\n"),
    "a byte-order mark": "\ufeff" + EXAMPLE,
    "a control character": EXAMPLE.replace("sofa", "\x1bsofa"),
    "a lone surrogate": EXAMPLE.replace("sofa", "\udc80"),
    "an endless extension": EXAMPLE + "x" * (1 << 16) + "\n",
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        parse_checkpoint(text)


lines = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff"),
    min_size=1,
    max_size=60,
)
checkpoints = st.builds(
    Checkpoint,
    origin=lines,
    tree=st.builds(
        Tree,
        size=st.integers(0, TREE_SIZE_END - 1),
        root_hash=st.binary(min_size=32, max_size=32),
    ),
    extensions=st.lists(lines, max_size=3).map(tuple),
)


@given(checkpoints)
def test_a_checkpoint_is_read_back_as_it_was(checkpoint: Checkpoint) -> None:
    assert parse_checkpoint(format_checkpoint(checkpoint)) == checkpoint


@settings(max_examples=400)
@given(near(checkpoint_text().encode()) | near((EXAMPLE + "more\n").encode()))
def test_a_checkpoint_parses_in_one_spelling_or_not_at_all(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    try:
        checkpoint = parse_checkpoint(text)
    except MalformedError:
        return
    assert format_checkpoint(checkpoint) == text


def test_a_checkpoint_that_could_not_be_read_is_not_written() -> None:
    tree = Tree(size=5, root_hash=bytes(32))
    for checkpoint in (
        Checkpoint(origin="two\nlines", tree=tree),
        Checkpoint(origin="", tree=tree),
        Checkpoint(origin="log.example", tree=Tree(size=-1, root_hash=bytes(32))),
        Checkpoint(origin="log.example", tree=Tree(size=1, root_hash=bytes(31))),
    ):
        with pytest.raises((AssertionError, MalformedError)):
            format_checkpoint(checkpoint)
