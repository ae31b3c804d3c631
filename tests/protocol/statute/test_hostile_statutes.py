"""Statutes made to do harm: each draws one clear error, soon, and naming its place."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.protocol.statute.grown import grown
from tests.protocol.statute.laws import attempt, small_law

from safeconduct.plumbing.authored import parse_marked
from safeconduct.protocol.canonical import format_json
from safeconduct.protocol.statute import load_statute, read_statute
from safeconduct.protocol.statute.text import CONDITION_DEPTH_MAX, STATUTE_BYTES_MAX

SECONDS_MAX = 60.0  # on the slowest machine; what explodes takes for ever
X: Any = {"is": ["x", True]}

LAUGHS = b"a: &a [x, x]\n" + b"".join(
    b"%c: &%c [*%c, *%c]\n" % (98 + n, 98 + n, 97 + n, 97 + n) for n in range(20)
)
YAML: dict[str, tuple[bytes, str]] = {
    "a billion laughs": (LAUGHS, "law.yaml:1:4: anchors are not allowed"),
    "a list that holds itself": (b"a: &a [*a]\n", "law.yaml:1:4: anchors are not allowed"),
    "an alias alone": (b"a: 1\nb: *a\n", "law.yaml:2:4: aliases are not allowed"),
    "a key twice": (b"a: x\nb: c\na: z\n", "law.yaml:3:1: the key a stands twice"),
    "a merge": (b"a: {<<: {b: c}}\n", "law.yaml:1:5: '<<' can be read"),
    "code": (
        b"a: !!python/object/apply:os.system [ls]\n",
        "law.yaml:1:4: tags are not allowed",
    ),
    "a date": (b"a: 2027-06-01\n", "law.yaml:1:4: '2027-06-01' can be read"),
    "a country": (b"a: [no]\n", "law.yaml:1:5: 'no' can be read"),
    "a second document": (b"a: b\n---\nc: d\n", "law.yaml:2:1: a second document"),
    "33 lists deep": (b"[" * 33 + b"]" * 33, "law.yaml:1:33: nested deeper than 32"),
    "a hundred thousand lists deep": (b"[" * 100_000, "law.yaml:1:33: nested deeper than 32"),
    "three hundred kilobytes": (b"#" * 300_000, "law.yaml: longer than 262144 bytes"),
    "a value that is not closed": (b"a: [b\n", "law.yaml:2:1: expected ',' or ']'"),
    "bytes": (b"a: \xff\n", "law.yaml: not UTF-8 at byte 3"),
}


@pytest.mark.parametrize("name", YAML)
def test_yaml_is_refused_at_its_line(name: str) -> None:
    data, message = YAML[name]
    began = time.monotonic()
    _, complaint = attempt(parse_marked, data, "law.yaml")
    assert complaint[: len(message)] == message
    assert time.monotonic() - began < SECONDS_MAX


def nested(operator: str, depth: int, condition: Any = X) -> Any:
    for _ in range(depth):
        condition = {operator: condition if operator == "not" else [condition]}
    return condition


def chain(length: int, wrapped: int = 0) -> list[Any]:
    """Rules that each name the next, in so many `not`; the first is `one`."""
    names = ["one", *(f"r{n}" for n in range(1, length))]
    following = [*({"rule": name} for name in names[1:]), X]
    return [
        {
            "number": name,
            "text": {"en": name},
            "rule": name,
            "if": nested("not", wrapped, condition),
        }
        for name, condition in zip(names, following, strict=True)
    ]


def circle(document: Any) -> None:
    document["sections"] = chain(5)
    document["sections"][-1]["if"] = {"not": {"rule": "one"}}


def circle_through_a_date(document: Any) -> None:
    dated = {"when": [{"rule": "one"}, "t", "u"]}
    document["sections"][0]["if"] = {"before": [dated, "day"]}


def text(words: str) -> Callable[[Any], Any]:
    return lambda document: document["sections"][0].update(text={"en": words})


STATUTES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "one operator too deep": (
        lambda d: d["sections"][0].update({"if": nested("not", CONDITION_DEPTH_MAX)}),
        "sections[0]: conditions lie deeper than 24 operators",
    ),
    "forty operators deep": (
        lambda d: d["sections"][0].update({"if": nested("and", 40)}),
        "JSON is nested deeper than 32",
    ),
    "one rule too deep": (
        lambda d: d.update(sections=chain(CONDITION_DEPTH_MAX + 1)),
        "sections[0]: conditions lie deeper than 24 operators",
    ),
    "two hundred rules in a chain": (
        lambda d: d.update(sections=chain(200)),
        "sections[175]: conditions lie deeper than 24 operators",
    ),
    "two hundred rules in a chain, each of many operators": (
        lambda d: d.update(sections=chain(200, 22)),
        "sections[198]: conditions lie deeper than 24 operators",
    ),
    "a circle of rules": (
        circle,
        "sections[0]: the rules lead in a circle: one → r1 → r2 → r3 → r4 → one",
    ),
    "a circle through a deemed date": (
        circle_through_a_date,
        "sections[0]: the rules lead in a circle: one → one",
    ),
    "an unknown operator": (
        lambda d: d["sections"][0].update({"if": {"eval": "1"}}),
        "sections[0].if.eval: unknown operator; known are",
    ),
    "an operator in another alphabet": (
        lambda d: d["sections"][0].update({"if": {"\u0456s": ["x", True]}}),
        "sections[0].if.'\u0456s': unknown operator",
    ),
    "a fact in another alphabet": (
        lambda d: d["facts"].update({"\u0445": d["facts"]["x"]}),
        "facts.'\u0445': must be a lower-case name",
    ),
    "a fact named by 10,000 letters": (
        lambda d: d["facts"].update({"x" * 10_000: d["facts"]["x"]}),
        "facts.'xxxx",
    ),
    "a text turned around": (
        text("Whoever \u202egnihton did\u202c is free."),
        "sections[0].text.en: holds U+202E, which nobody sees",
    ),
    "an isolate": (text("a\u2066b"), "sections[0].text.en: holds U+2066, which nobody sees"),
    "a mark that nobody sees": (
        text("a\u200bb"),
        "sections[0].text.en: holds U+200B, which nobody sees",
    ),
    "letters of a hidden message": (
        text("a\U000e0041"),
        "sections[0].text.en: holds U+E0041, which nobody sees",
    ),
    "a control character": (text("a\x1b[2Jb"), "sections[0].text.en: holds a control"),
    "a text of nothing": (text(" \n "), "sections[0].text.en: must be a text"),
    "a text of 10,000 letters": (text("a" * 10_000), "sections[0].text.en: must be a text"),
    "a lone surrogate": (text("\ud800"), "value has no canonical JSON form"),
    "a key nobody reads": (lambda d: d.update({"\u202ex": 1}), "'\\u202ex': means nothing"),
    "a map where a list belongs": (
        lambda d: d.update(sections={"0": X}),
        "sections: must be a list",
    ),
    "null": (lambda d: d.update(default=None), "default: must be a map"),
    "a number too large": (
        lambda d: d["parameters"]["three"].update(value=1 << 53),
        "value has no canonical JSON form",
    ),
    "a fraction": (
        lambda d: d["parameters"]["three"].update(value=1.5),
        "JSON has no place for a float",
    ),
    "an operand too many": (
        lambda d: d["sections"][0].update({"if": {"is": ["x", True, True]}}),
        "sections[0].if.is: must be a list of two operands",
    ),
    "a duration of ten thousand years": (
        lambda d: d["parameters"]["term"].update(amount=4_000_000),
        "parameters.term.amount: must be a whole number from 1 to 36600",
    ),
}


@pytest.mark.parametrize("name", STATUTES)
def test_a_hostile_statute_is_refused_at_its_place(name: str) -> None:
    breaks, message = STATUTES[name]
    document = small_law(X)
    breaks(document)
    began = time.monotonic()
    _, complaint = attempt(read_statute, document)
    assert complaint[: len(message)] == message
    assert len(complaint) < 1_000
    assert time.monotonic() - began < SECONDS_MAX


def test_a_statute_longer_than_a_log_entry_is_refused() -> None:
    document = grown()
    document["statute"]["title"] = {f"l{n}": "é" * 4_000 for n in range(8)}
    _, complaint = attempt(read_statute, document)
    assert complaint == f"statute: longer than {STATUTE_BYTES_MAX} bytes"
    _, complaint = attempt(load_statute, format_json(document))
    assert complaint == f"statute: longer than {STATUTE_BYTES_MAX} bytes"


def test_persian_and_arabic_texts_are_not_hostile() -> None:
    document = small_law(X)
    document["sections"][0]["text"] = {
        "fa": "هر کس پیش از آن روز کمک کرده باشد، آزاد می\u200cشود.",
        "ar": "من ساعد قبل ذلك اليوم فهو حر.",
        "en": "Whoever helped is free.",
    }
    assert read_statute(document).section_text("1")["fa"].endswith("شود.")


def test_a_wide_law_is_read_in_time() -> None:
    document = small_law({"or": [{"and": [X] * 20}] * 20})
    began = time.monotonic()
    assert read_statute(document).rules["one"].condition.operator == "or"
    assert time.monotonic() - began < SECONDS_MAX
