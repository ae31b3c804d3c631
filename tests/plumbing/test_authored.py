"""The restricted YAML: what people may write, and what is refused with line and column."""

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from safeconduct.errors import MalformedError
from safeconduct.plumbing.authored import AUTHORED_BYTES_MAX, parse_authored

ALLOWED: dict[str, tuple[str, Any]] = {
    "text": ("a: some words", {"a": "some words"}),
    "text in quotes": ("a: 'no'", {"a": "no"}),
    "a number in quotes": ('a: "5"', {"a": "5"}),
    "text with brackets": ("a: 4(1)(a)", {"a": "4(1)(a)"}),
    "folded text": ("a: >-\n  one\n  two\n", {"a": "one two"}),
    "text with its line ends": ("a: |\n  one\n  two\n", {"a": "one\ntwo\n"}),
    "empty text in quotes": ("a: ''", {"a": ""}),
    "whole numbers": ("[0, -7, 9007199254740991]", [0, -7, 9007199254740991]),
    "true and false": ("[true, false]", [True, False]),
    "flow inside block": ("- {a: [b, c]}\n- []\n- {}", [{"a": ["b", "c"]}, [], {}]),
    "a remark": ("a: b # c\n", {"a": "b"}),
    "a marked start": ("---\na: b\n", {"a": "b"}),
    "other alphabets": ("a: über § 4", {"a": "über § 4"}),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_it_reads(name: str) -> None:
    text, value = ALLOWED[name]
    assert parse_authored(text.encode(), "law") == value


BOOLEANS = "yes no on off Yes NO y N True FALSE TRUE False"
NOTHINGS = "~ null Null NULL"
TIMES = "2027-06-01 2027-06-01T00:00:00Z 12:30 12:30:45"
NUMBERS = "1.5 .5 5. -1.5 1e3 1E+3 1.5e3 .inf -.Inf .nan 007 0x1f 0o17 0b11 1_000 +5 -0"
AMBIGUOUS = f"{BOOLEANS} {NOTHINGS} {TIMES} {NUMBERS} = <<".split()


@pytest.mark.parametrize("word", AMBIGUOUS)
def test_a_bare_word_with_two_readings_is_refused(word: str) -> None:
    with pytest.raises(MalformedError, match=r"^law: line 1, column 4: .* put it in quotes$"):
        parse_authored(f"a: {word}\n".encode(), "law")
    assert parse_authored(f"a: '{word}'\n".encode(), "law") == {"a": word}


@pytest.mark.parametrize("word", ["no", "5", "~", "2027-06-01", "<<", "true"])
def test_a_bare_key_with_two_readings_is_refused(word: str) -> None:
    with pytest.raises(MalformedError, match=r"^law: line 1, column 1: "):
        parse_authored(f"{word}: a\n".encode(), "law")


REFUSED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "law: line 1, column 1: the document is empty"),
    "an empty document": (b"---\n", "law: line 2, column 1: an empty value can be read"),
    "a remark and nothing else": (b"# a\n", "law: line 2, column 1: the document is empty"),
    "a value left out": (b"a:\nb: c\n", "law: line 1, column 3: an empty value can be read"),
    "a key twice": (b"a: b\nc: d\na: e\n", "law: line 3, column 1: the key a stands twice"),
    "a key twice, once in quotes": (
        b"a: b\n'a': e\n",
        "law: line 2, column 1: the key a stands",
    ),
    "an anchor": (b"a: &b c\n", "law: line 1, column 4: anchors are not allowed"),
    "an alias": (b"a: &b c\nd: *b\n", "law: line 1, column 4: anchors are not allowed"),
    "an alias without anchor": (b"a: *b\n", "law: line 1, column 4: aliases are not allowed"),
    "a tag": (b"a: !!str 5\n", "law: line 1, column 4: tags are not allowed"),
    "a tag that runs code": (
        b"a: !!python/object/apply:os.system [ls]\n",
        "law: line 1, column 4: tags are not allowed",
    ),
    "a tag of its own": (b"!x\na: b\n", "law: line 1, column 1: tags are not allowed"),
    "a bare tag": (b"a: ! 5\n", "law: line 1, column 4: tags are not allowed"),
    "a merge": (b"a: {<<: {b: c}}\n", "law: line 1, column 5: '<<' can be read"),
    "a version directive": (b"%YAML 1.2\n---\na: b\n", "law: line 1, column 1: directives"),
    "a tag directive": (b"%TAG ! x:\n---\na: b\n", "law: line 1, column 1: directives"),
    "two documents": (b"a: b\n---\nc: d\n", "law: line 2, column 1: a second document"),
    "a map as a key": (b"{a: b}: c\n", "law: line 1, column 1: a key must be text"),
    "a list as a key": (b"? [a]\n: c\n", "law: line 1, column 3: a key must be text"),
    "a number too large": (
        b"a: 9007199254740992\n",
        "law: line 1, column 4: whole numbers",
    ),
    "a tab to indent": (b"a:\n\tb: c\n", "law: line 2, column 1: found character '\\t'"),
    "a bracket left open": (b"a: [b\n", "law: line 2, column 1: expected ',' or ']'"),
    "two values on a line": (b"a: b: c\n", "law: line 1, column 5: mapping values are not"),
    "not UTF-8": (b"a: \xff\n", "law: not UTF-8 at byte 3"),
    "a control character": (b"a: \x01\n", "law: holds characters"),
    "33 lists deep": (b"[" * 33 + b"]" * 33, "law: line 1, column 33: nested deeper than 32"),
    "a hundred thousand lists deep": (b"[" * 100_000, "law: line 1, column 33: nested deeper"),
    "too long": (b"#" * (AUTHORED_BYTES_MAX + 1), "law: longer than 262144 bytes"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_refuses(name: str) -> None:
    data, message = REFUSED[name]
    with pytest.raises(MalformedError) as caught:
        parse_authored(data, "law")
    assert caught.value.message.startswith(message)


VALUES = st.recursive(
    st.one_of(st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(VALUES)
def test_whatever_a_careful_writer_quotes_is_read_back(value: Any) -> None:
    text = yaml.safe_dump(value, default_style=None, allow_unicode=False)
    found, complaint = attempt(text.encode())
    assert found == value or "can be read in more than one way" in complaint


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=60), st.text("ab:- [],{}&*!|>'\"#%?\n\t0.", max_size=40)))
def test_any_bytes_are_a_value_or_malformed(data: bytes | str) -> None:
    text = data if isinstance(data, bytes) else data.encode()
    value, complaint = attempt(text)
    if complaint:
        assert complaint.startswith("law: ")
    else:
        assert yaml.safe_load(text) == value


def attempt(data: bytes) -> tuple[Any, str]:
    """The value, or the complaint."""
    try:
        return parse_authored(data, "law"), ""
    except MalformedError as error:
        return None, error.message
