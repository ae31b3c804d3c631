"""The restricted YAML with its places: every fault is shown at its line and column."""

import pytest

from safeconduct.errors import MalformedError
from safeconduct.plumbing.authored import Places, parse_authored, parse_marked

LAW = b"""\
statute:
  id: example
sections:
  - number: "1"
    if:
      before: [made, the_date]
  - {number: "2", text: {en: "..."}}
facts:
  tips.grade: {type: choice}
  "a: b": x
"""


def places() -> Places:
    value, found = parse_marked(LAW, "law.yaml")
    assert value == parse_authored(LAW, "law.yaml")
    return found


PLACES = {
    "statute": "line 1, column 1",
    "statute.id": "line 2, column 3",
    "sections[0]": "line 4, column 5",
    "sections[0].if.before[0]": "line 6, column 16",
    "sections[0].if.before[1]": "line 6, column 22",
    "sections[1].text.en": "line 7, column 26",
    "facts.tips.grade.type": "line 9, column 16",
    "facts.'a: b'": "line 10, column 3",
    # What is not there is shown at what is around it.
    "sections[0].if.before[2]": "line 6, column 7",
    "sections[0].unless": "line 4, column 5",
    "sections[10]": "line 3, column 1",
    "statute.identity": "line 1, column 1",
    "procedure": "line 1, column 1",
    "": "line 1, column 1",
}


@pytest.mark.parametrize("place", PLACES)
def test_a_place_is_found(place: str) -> None:
    assert places()(place) == PLACES[place]


MESSAGES = {
    "sections[0].if.before[1]: no fact is called so": "law.yaml:6:22: ",
    "facts.'a: b': must be a lower-case name": "law.yaml:10:3: ",
    "cases: is missing": "law.yaml:1:1: ",
    "statute: longer than 60000 bytes": "law.yaml:1:1: ",
    "JSON is nested deeper than 32": "law.yaml:1:1: ",
}


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_is_shown_at_its_place(message: str) -> None:
    assert places().located(message) == f"{MESSAGES[message]}{message}"


REFUSED = {
    b"a: no\n": "law.yaml:1:4: 'no' can be read in more than one way; put it in quotes",
    b"a: [b\n": "law.yaml:2:1: expected ',' or ']', but got '<stream end>'",
    b"a: \xff": "law.yaml: not UTF-8 at byte 3",
}


@pytest.mark.parametrize("data", REFUSED)
def test_what_is_no_yaml_here_is_shown_at_its_place_too(data: bytes) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_marked(data, "law.yaml")
    assert caught.value.message == REFUSED[data]
