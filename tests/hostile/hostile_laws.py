"""Laws and facts made to do harm, as files: each draws one error with its file and line, soon.

Those that are wrong in what they say, rather than in how they are spelt, are the ones that the
statute's own tests break; here every verb that reads a law is given them.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.protocol.statute.laws import small_law
from tests.protocol.statute.test_hostile_statutes import STATUTES, X
from tests.protocol.statute.test_hostile_statutes import YAML as SPELT

LONG_NAME = "n" * 10_000
BIDI = "\u202eegdirb\u202c"
HOMOGLYPH = "\u0430cquitted"  # its first letter is Cyrillic
UNWRITTEN = {"a lone surrogate"}  # no file in UTF-8 can hold it


def written(document: Any) -> bytes:
    """A document as restricted YAML: JSON over many lines, so that each fault has its own."""
    return json.dumps(document, indent=1, ensure_ascii=True).encode()


def _broken(breaks: Callable[[Any], Any]) -> bytes:
    document = small_law(X)
    breaks(document)
    return written(document)


def _with(key: str, value: Any) -> bytes:
    return _broken(lambda document: document.update({key: value}))


def _named(name: str) -> bytes:
    return _broken(lambda document: document["facts"].update({name: document["facts"]["x"]}))


_NAMES: Mapping[str, bytes] = {
    "a fact turned round": _named(BIDI),
    "a fact in two alphabets": _named(HOMOGLYPH),
    "a fact of 10 kB": _named(LONG_NAME),
    "a fact of nothing": _named(""),
    "a fact of a line feed": _named("a\nb"),
    "a fact that is a path": _named("../../etc/passwd"),
    "a rule turned round": _broken(lambda d: d["sections"][0].update(rule=BIDI)),
    "a rule in two alphabets": _broken(lambda d: d["sections"][0].update(rule=HOMOGLYPH)),
    "an outcome of 10 kB": _broken(lambda d: d["default"].update(value=LONG_NAME)),
    "an id that is a path": _broken(lambda d: d["statute"].update(id="../../etc/passwd")),
    "an id turned round": _broken(lambda d: d["statute"].update(id=BIDI)),
    "a title with an order to the terminal": _broken(
        lambda d: d["statute"].update(title={"en": "\x1b[2J\x1b]0;owned\x07"})
    ),
    "a language that is none": _broken(lambda d: d["statute"].update(languages=["../en"])),
    "a section of 10 kB": _broken(lambda d: d["sections"][0].update(number=LONG_NAME)),
}
_SHAPES: Mapping[str, bytes] = {
    "a list": b"[]",
    "a word": b"law\n",
    "a number": b"1\n",
    "nothing": b"",
    "comments alone": b"# nothing\n" * 100,
    "a map of nothing": b"{}",
    "a null": b"a: \0\n",
    "a tab for a blank": b"a:\n\t- b\n",
    "100,000 keys": b"".join(b"k%d: 1\n" % number for number in range(25_000)),
    "one line of 200 kB": b'a: "' + b"x" * 200_000 + b'"\n',
    "a folded text of 200 kB": b"a: >\n" + b" x\n" * 60_000,
    "a complex key": b"? [a, b]\n: c\n",
    "a key that is a map": b"{a: b}: c\n",
    "maps in a row": b"a: " * 20_000,
    "no end": b"a: {b: {c: [",
    "a byte order mark": b"\xef\xbb\xbfa: b\n",
    "UTF-16": "a: b\n".encode("utf-16"),
    "no sections": _with("sections", []),
    "ten thousand sections": _with("sections", small_law(X)["sections"] * 4_000),
    "a circle of terms": _with("terms", {"a": {"rule": "b"}, "b": {"rule": "a"}}),
    "no version": _with("version", None),
    "a version before itself": _broken(lambda d: d["version"].update(supersedes="previous")),
    "a version of another hash": _broken(lambda d: d["version"].update(supersedes="ab" * 32)),
    "a calendar of nothing": _with("calendar", {}),
    "cases that are none": _with("cases", [[[[]]]]),
}
LAWS: Mapping[str, bytes] = {
    **{f"spelt: {name}": data for name, (data, _) in SPELT.items()},
    **{
        f"said: {name}": _broken(breaks)
        for name, (breaks, _) in STATUTES.items()
        if name not in UNWRITTEN
    },
    **{f"named: {name}": data for name, data in _NAMES.items()},
    **{f"shaped: {name}": data for name, data in _SHAPES.items()},
}
"""By what is wrong with it, the bytes of a file that is to be a law."""


def _facts(facts: Any) -> bytes:
    return written({"facts": facts})


FACTS: Mapping[str, bytes] = {
    **{f"spelt: {name}": data for name, (data, _) in SPELT.items()},
    "a list": b"[]",
    "a word": b"facts\n",
    "nothing": b"",
    "another key": b'{"fact": {}}',
    "no such fact": _facts({"nothing": True}),
    "a fact turned round": _facts({BIDI: True}),
    "a fact of 10 kB": _facts({LONG_NAME: True}),
    "a fact in two alphabets": _facts({"gr\u0430ve_crime_proven": True}),
    "a number for yes": _facts({"grave_crime_proven": 1}),
    "a text for yes": _facts({"grave_crime_proven": "yes"}),
    "null": _facts({"grave_crime_proven": None}),
    "a list for one": _facts({"grave_crime_proven": [True, False, True]}),
    "deep": _facts({"grave_crime_proven": json.loads("[" * 20 + "]" * 20)}),
    "no list": written({"lists": {"tips": {"logged": 1}}}),
    "no such list": written({"lists": {"nothing": []}}),
    "too many items": written({"lists": {"tips": [{}] * 20_000}}),
    "an item that is none": written({"lists": {"tips": [1, 2]}}),
    "a time beyond time": written({"lists": {"tips": [{"logged": 1 << 52}]}}),
    "a time backwards": written({"lists": {"tips": [{"logged": [2, 1]}]}}),
    "a time of three": written({"lists": {"tips": [{"logged": [1, 2, 3]}]}}),
    "no such day": written({"lists": {"tips": [{"logged": "2027-02-30"}]}}),
    "a day of 10 kB": written({"lists": {"tips": [{"logged": "2" * 10_000}]}}),
    "no such choice": written({"lists": {"tips": [{"grade": BIDI}]}}),
}
"""By what is wrong with them, the bytes of a file that is to be facts for the example's law."""
