"""The one door to PyYAML: a small YAML for people who write laws, with nothing left to guess.

    number: "4(1)"                 text that looks like something else goes in quotes
    text: {en: "Whoever …"}        maps and lists, in block or in flow style
    amount: 30                     whole numbers, one spelling each
    suspends: true                 true and false, and no other word for them

YAML reads `no` as false, `2027-06-01` as a date and `1_0` as ten, and its versions disagree on
which. Here a bare word that any of them would turn into something else is refused, with line
and column. So are anchors, aliases, tags, merges, directives, second documents, repeated keys
and every way to write nothing at all.

`parse_marked` remembers where each value stands, so that a fault found much later, in what the
law says, can still be shown at its line: `statute.yaml:12:5: sections[3].if: …`.

Spec: YAML 1.1 and 1.2.2, the part that both read alike.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

import yaml

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.statute.shape import inside

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
Where: TypeAlias = Callable[[str, int, int], str]  # name, line and column, counted from 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where each value of a document stands; places are written as in `sections[3].if`."""

    name: str
    marks: Mapping[str, tuple[int, int]]  # place to line and column, counted from 1

    def __call__(self, place: str) -> str:
        """“line 12, column 5”, of the place or of the nearest one around it."""
        line, column = self.mark(place)
        return f"line {line}, column {column}"

    def mark(self, place: str) -> tuple[int, int]:
        """Line and column, counted from 1, of the place or of the nearest one around it."""
        return self.marks.get(self._nearest(place), (1, 1))

    def located(self, message: str) -> str:
        """The message, which begins with a place, behind `file:line:column`."""
        line, column = self.mark(message)
        return f"{self.name}:{line}:{column}: {message}"

    def _nearest(self, text: str) -> str:
        """The longest known place that `text` begins with."""
        return max((each for each in self.marks if _leads(each, text)), key=len, default="")


def _leads(place: str, text: str) -> bool:
    return text.startswith(place) and text[len(place) : len(place) + 1] in ("", ".", "[", ":")


def parse_marked(data: bytes, name: str) -> tuple[Json, Places]:
    """The value in one restricted YAML document, and where each part of it stands.

    Raises:
        MalformedError: as `parse_authored`; begins with `name:line:column`.
    """
    document = _open(data, name, _short)
    value = _read(document)
    return value, Places(name=name, marks=document.marks)


def parse_authored(data: bytes, name: str) -> Json:
    """The value in one restricted YAML document; `name` stands before each complaint.

    Raises:
        MalformedError: too long or too deep, not YAML, or more of it than is allowed here;
            says at which line and column, counted from 1.
    """
    return _read(_open(data, name, _where))


def _open(data: bytes, name: str, where: Where) -> "_Document":
    if len(data) > AUTHORED_BYTES_MAX:
        raise MalformedError(f"{name}: longer than {AUTHORED_BYTES_MAX} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError(f"{name}: not UTF-8 at byte {error.start}") from error
    return _Document(name, text, where)


def _read(document: "_Document") -> Json:
    try:
        return document.value()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = document.where(document.name, mark.line, mark.column) if mark else document.name
        raise MalformedError(f"{where}: {error.problem}") from error
    except (yaml.YAMLError, ValueError) as error:
        message = f"{document.name}: holds characters that YAML has no place for"
        raise MalformedError(message) from error


class _Document:
    """One pass over the parser's events; it remembers how deep it is, and what it met where."""

    def __init__(self, name: str, text: str, where: Where) -> None:
        self.name = name
        self.where = where
        self.marks: dict[str, tuple[int, int]] = {}
        self._text = text
        self._depth = 0
        self._events: Events = iter(())

    def value(self) -> Json:
        """The one document's value."""
        self._events = yaml.parse(self._text, Loader=yaml.SafeLoader)
        next(self._events)  # the stream's start
        start = next(self._events)
        if not isinstance(start, yaml.DocumentStartEvent):
            self._refuse(start, "the document is empty")
        if start.version or start.tags:
            self._refuse(start, "directives are not allowed")
        value = self._value(next(self._events), "")
        next(self._events)  # the document's end
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            self._refuse(after, "a second document is not allowed")
        return value

    def _value(self, event: yaml.Event, place: str) -> Json:
        if isinstance(event, yaml.AliasEvent):
            self._refuse(event, "aliases are not allowed")
        assert isinstance(event, yaml.NodeEvent)
        if event.anchor is not None:
            self._refuse(event, "anchors are not allowed")
        if getattr(event, "tag", None) is not None:
            self._refuse(event, "tags are not allowed")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        return self._collection(event, place)

    def _collection(self, event: yaml.NodeEvent, place: str) -> Json:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            self._refuse(event, f"nested deeper than {DEPTH_MAX}")
        read = self._map if isinstance(event, yaml.MappingStartEvent) else self._list
        value = read(place)
        self._depth -= 1
        return value

    def _list(self, place: str) -> Json:
        items: list[Json] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            at = f"{place}[{len(items)}]"
            self._mark(event, at)
            items.append(self._value(event, at))
        return items

    def _map(self, place: str) -> Json:
        table: dict[str, Json] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._value(event, "")
            if not isinstance(key, str):
                self._refuse(event, "a key must be text")
            if key in table:
                self._refuse(event, f"the key {key} stands twice")
            at = inside(place, key)
            self._mark(event, at)
            table[key] = self._value(next(self._events), at)
        return table

    def _mark(self, event: yaml.Event, place: str) -> None:
        if event.start_mark is not None:
            self.marks[place] = (event.start_mark.line + 1, event.start_mark.column + 1)

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
        raise MalformedError(f"{self.where(self.name, mark.line, mark.column)}: {message}")


def _where(name: str, line: int, column: int) -> str:
    return f"{name}: line {line + 1}, column {column + 1}"


def _short(name: str, line: int, column: int) -> str:
    return f"{name}:{line + 1}:{column + 1}"
