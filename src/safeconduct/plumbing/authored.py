"""The one door to PyYAML: a small YAML for people who write laws, with nothing left to guess.

    number: "4(1)"                 text that looks like something else goes in quotes
    text: {en: "Whoever …"}        maps and lists, in block or in flow style
    amount: 30                     whole numbers, one spelling each
    suspends: true                 true and false, and no other word for them

YAML reads `no` as false, `2027-06-01` as a date and `1_0` as ten, and its versions disagree on
which. Here a bare word that any of them would turn into something else is refused, with line
and column. So are anchors, aliases, tags, merges, directives, second documents, repeated keys
and every way to write nothing at all.

Spec: YAML 1.1 and 1.2.2, the part that both read alike.
"""

import re
from collections.abc import Iterator
from typing import NoReturn

import yaml

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import Json

AUTHORED_BYTES_MAX = 256 << 10
DEPTH_MAX = 32
_WHOLE_MAX = (1 << 53) - 1

_WHOLE = re.compile(r"-?[1-9][0-9]{0,15}|0")
_WORDS = {"true": True, "false": False}
_IMPLICIT = yaml.SafeLoader.yaml_implicit_resolvers  # first character to (tag, pattern)s
# What YAML 1.2 reads as a number and PyYAML, which is 1.1, does not; and `y` and `n`, which
# some 1.1 readers take for yes and no.
_ALSO_AMBIGUOUS = re.compile(
    r"[yYnN]|[-+]?0o[0-7]+|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
)

Events = Iterator[yaml.Event]


def parse_authored(data: bytes, name: str) -> Json:
    """The value in one restricted YAML document; `name` stands before each complaint.

    Raises:
        MalformedError: too long or too deep, not YAML, or more of it than is allowed here;
            says at which line and column, counted from 1.
    """
    if len(data) > AUTHORED_BYTES_MAX:
        raise MalformedError(f"{name}: longer than {AUTHORED_BYTES_MAX} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError(f"{name}: not UTF-8 at byte {error.start}") from error
    try:
        return _Document(name, yaml.parse(text, Loader=yaml.SafeLoader)).value()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = _where(name, mark.line, mark.column) if mark else name
        raise MalformedError(f"{where}: {error.problem}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise MalformedError(f"{name}: holds characters that YAML has no place for") from error


class _Document:
    """One pass over the parser's events; it only remembers how deep it is."""

    def __init__(self, name: str, events: Events) -> None:
        self._name = name
        self._events = events
        self._depth = 0

    def value(self) -> Json:
        """The one document's value."""
        next(self._events)  # the stream's start
        start = next(self._events)
        if not isinstance(start, yaml.DocumentStartEvent):
            self._refuse(start, "the document is empty")
        if start.version or start.tags:
            self._refuse(start, "directives are not allowed")
        value = self._value(next(self._events))
        next(self._events)  # the document's end
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            self._refuse(after, "a second document is not allowed")
        return value

    def _value(self, event: yaml.Event) -> Json:
        if isinstance(event, yaml.AliasEvent):
            self._refuse(event, "aliases are not allowed")
        assert isinstance(event, yaml.NodeEvent)
        if event.anchor is not None:
            self._refuse(event, "anchors are not allowed")
        if getattr(event, "tag", None) is not None:
            self._refuse(event, "tags are not allowed")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        return self._collection(event)

    def _collection(self, event: yaml.NodeEvent) -> Json:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            self._refuse(event, f"nested deeper than {DEPTH_MAX}")
        read = self._map if isinstance(event, yaml.MappingStartEvent) else self._list
        value = read()
        self._depth -= 1
        return value

    def _list(self) -> Json:
        items: list[Json] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(event))
        return items

    def _map(self) -> Json:
        table: dict[str, Json] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._value(event)
            if not isinstance(key, str):
                self._refuse(event, "a key must be text")
            if key in table:
                self._refuse(event, f"the key {key} stands twice")
            table[key] = self._value(next(self._events))
        return table

    def _scalar(self, event: yaml.ScalarEvent) -> Json:
        text: str = event.value
        if event.style is not None:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _WHOLE.fullmatch(text):
            return self._whole(event, int(text))
        implicit = any(pattern.match(text) for _, pattern in _IMPLICIT.get(text[:1], ()))
        if implicit or _ALSO_AMBIGUOUS.fullmatch(text):
            shown = repr(text[:40]) if text else "an empty value"
            self._refuse(event, f"{shown} can be read in more than one way; put it in quotes")
        return text

    def _whole(self, event: yaml.Event, number: int) -> int:
        if abs(number) > _WHOLE_MAX:
            self._refuse(event, f"whole numbers end at {_WHOLE_MAX}")
        return number

    def _refuse(self, event: yaml.Event, message: str) -> NoReturn:
        mark = event.start_mark
        assert mark is not None  # the parser marks every event
        raise MalformedError(f"{_where(self._name, mark.line, mark.column)}: {message}")


def _where(name: str, line: int, column: int) -> str:
    return f"{name}: line {line + 1}, column {column + 1}"
