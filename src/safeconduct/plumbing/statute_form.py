"""A form made from the facts that a law declares, and what came back made into a document.

    yesno     one of: not stated, yes, no, being found out, known not to exist
    choice    the same, with the declared words
    integer   12
    time      2027-06-01T00:00:00Z, or 2027-06-01 where the law has a calendar,
              or two instants joined by `..`; nothing before the dots: no earliest time
    span      two such times, beginning and end

The whole state of a trial lies in the form's own fields, so nothing is kept between two pages:

    f.grave_crime_proven=true   l.tips.0.grade=useful   n.tips=1   as_of=…   language=de

A field that is left out or empty states nothing, as a fact left out of the document does.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from safeconduct.errors import MalformedError
from safeconduct.plumbing.forms import Form
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.statute.facts import Declaration, list_names
from safeconduct.protocol.statute.instant import format_instant, parse_instant
from safeconduct.protocol.statute.text import Statute
from safeconduct.protocol.statute.wording.voice import Voice

FORM_BYTES_MAX = 64 << 10
FIELD_CHARS_MAX = 200
FIELDS_MAX = 200  # of one form, in all items of all lists; browsers and servers take no more

UNSTATED = ""
UNKNOWN, ABSENT = "unknown", "absent"
_DIGITS_MAX = 16
_PARTIAL = re.compile(r"[0-9]{4}(-[0-9]{2}){0,2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a form holds: the text of each field, how many items each list has, the instant."""

    values: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    as_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field as a page shows it; `place` is where its value stands in a facts document."""

    name: str
    place: str
    label: str
    type: str
    value: str
    hint: str = ""
    question: str = ""
    options: tuple[tuple[str, str], ...] = ()
    wrong: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The fields of one item of a list; `name` is its id, such as `tips[0]`."""

    name: str
    index: int
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A form as a page shows it: single facts, and each list with its items."""

    fields: tuple[Field, ...]
    lists: tuple[tuple[str, tuple[Group, ...]], ...]


# From a posted form, and what its buttons do.


def read_draft(form: Form, statute: Statute) -> Draft:
    """What a posted form holds, without what the law does not declare.

    Raises:
        MalformedError: more fields than a form has here, or one that is too long; names it.
    """
    counts = {name: _count(form, name) for name in list_names(statute.facts)}
    names = _names(statute, counts)
    values = {name: _text(form, name) for name in names}
    return Draft(
        values={name: value for name, value in values.items() if value},
        counts=counts,
        as_of=_text(form, "as_of"),
    )


def with_item(draft: Draft, statute: Statute, name: str) -> Draft:
    """The draft with one more, empty item in the list `name`.

    Raises:
        MalformedError: no such list, or the form would have more than 200 fields.
    """
    if name not in draft.counts:
        raise MalformedError("form: there is no such list")
    counts = {**draft.counts, name: draft.counts[name] + 1}
    _names(statute, counts)
    return replace(draft, counts=counts)


def without_item(draft: Draft, name: str, index: int) -> Draft:
    """The draft without one item; those after it move up.

    Raises:
        MalformedError: there is no such item.
    """
    count = draft.counts.get(name, 0)
    if not 0 <= index < count:
        raise MalformedError("form: there is no such item")
    values = {}
    for key, value in draft.values.items():
        place, field_name = _item_of(key, name)
        if place is None or place < index:
            values[key] = value
        elif place > index:
            values[f"l.{name}.{place - 1}.{field_name}"] = value
    return replace(draft, values=values, counts={**draft.counts, name: count - 1})


def _item_of(key: str, name: str) -> tuple[int | None, str]:
    """Which item of the list `name` a field belongs to, and its name there."""
    if not key.startswith(f"l.{name}."):
        return None, ""
    index, _, field_name = key.removeprefix(f"l.{name}.").partition(".")
    return int(index), field_name


def _text(form: Form, name: str) -> str:
    value = form.text(name, "").strip()
    if len(value) > FIELD_CHARS_MAX:
        raise MalformedError(f"{name}: longer than {FIELD_CHARS_MAX} characters")
    return value


def _count(form: Form, name: str) -> int:
    written = form.text(f"n.{name}", "0")
    if not (written.isascii() and written.isdecimal() and len(written) <= 3):
        raise MalformedError(f"form: n.{name} is not a number of items")
    return int(written)


def _names(statute: Statute, counts: Mapping[str, int]) -> list[str]:
    """Every field of a form with so many items."""
    size = sum(
        (2 if declared.type == "span" else 1) * counts.get(name.partition(".")[0], 1)
        for name, declared in statute.facts.items()
    )
    if size > FIELDS_MAX:
        raise MalformedError(
            f"form: more than {FIELDS_MAX} fields in all",
            hint="put a larger case into a file: safeconduct statute eval",
        )
    return [
        field_name
        for name, declared in statute.facts.items()
        for stem in _stems(name, counts)
        for field_name in (_sides(stem) if declared.type == "span" else (stem,))
    ]


def _stems(name: str, counts: Mapping[str, int]) -> list[str]:
    """The form's names of a declared fact: one, or one for each item of its list."""
    listed, dot, own = name.partition(".")
    return [f"l.{listed}.{n}.{own}" for n in range(counts[listed])] if dot else [f"f.{name}"]


def _sides(stem: str) -> tuple[str, str]:
    return f"{stem}.begin", f"{stem}.end"


def _declared(statute: Statute, stem: str) -> Declaration:
    """The fact that a form's name, without a side, stands for."""
    kind, _, rest = stem.partition(".")
    listed, _, tail = rest.partition(".")
    return statute.facts[rest if kind == "f" else f"{listed}.{tail.partition('.')[2]}"]


# To a facts document.


def facts_document(draft: Draft, statute: Statute) -> Json:
    """The facts document that a draft states; `read_facts` says whether the law can use it.

    Raises:
        MalformedError: a field that is no number or no time; names its place in the document.
    """
    lists: dict[str, Json] = {}
    for name, count in draft.counts.items():
        items: list[Json] = [
            _stated(draft, statute, f"{name}.", f"l.{name}.{index}.", f"lists.{name}[{index}].")
            for index in range(count)
        ]
        if items:
            lists[name] = items
    return {"facts": _stated(draft, statute, "", "f.", "facts."), "lists": lists}


def _stated(
    draft: Draft, statute: Statute, prefix: str, key: str, place: str
) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for name, declared in statute.facts.items():
        if not (name.startswith(prefix) if prefix else "." not in name):
            continue
        own = name.removeprefix(prefix)
        value = _value_of(draft, key + own, declared, place + own)
        if value != UNSTATED:
            found[own] = value
    return found


def _value_of(draft: Draft, key: str, declared: Declaration, place: str) -> Json:
    if declared.type == "span":
        return _span(draft, key, place)
    text = draft.values.get(key, UNSTATED)
    if text in (UNSTATED, UNKNOWN, ABSENT):
        return text
    return _READ[declared.type](text, place)


def _span(draft: Draft, key: str, place: str) -> Json:
    sides = {side: draft.values.get(f"{key}.{side}", UNSTATED) for side in ("begin", "end")}
    if not any(sides.values()):
        return UNSTATED
    return {side: _side(text, f"{place}.{side}") for side, text in sides.items() if text}


def _side(text: str, place: str) -> Json:
    return text if text in (UNKNOWN, ABSENT) else _time(text, place)


def _yesno(text: str, place: str) -> Json:
    if text not in ("true", "false"):
        raise MalformedError(f"{place}: neither yes nor no")
    return text == "true"


def _whole(text: str, place: str) -> Json:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= _DIGITS_MAX):
        raise MalformedError(f"{place}: not a whole number")
    return int(text)


def _time(text: str, place: str) -> Json:
    first, dots, last = (part.strip() for part in text.partition(".."))
    if not dots:
        return text
    return [_end(first, place) if first else None, _end(last, place)]


def _end(text: str, place: str) -> Json:
    """An instant, or a day, month or year as it was typed, for the law's calendar to read."""
    return text if _PARTIAL.fullmatch(text) else parse_instant(text, place)


_READ: dict[str, Callable[[str, str], Json]] = {
    "yesno": _yesno,
    "choice": lambda text, _: text,
    "integer": _whole,
    "time": _time,
}


# From a facts document.


def draft_of(document: Json, statute: Statute, as_of: str = "") -> Draft:
    """The draft that states what a facts document states.

    Requires a document that `read_facts` took.

    Raises:
        MalformedError: more of it than a form has fields for.
    """
    table = document if isinstance(document, dict) else {}
    single, lists = _table(table.get("facts")), _table(table.get("lists"))
    counts = {name: len(_items(lists.get(name))) for name in list_names(statute.facts)}
    _names(statute, counts)
    values = {f"f.{name}": value for name, value in single.items()}
    for name in counts:
        for index, item in enumerate(_items(lists.get(name))):
            values |= {f"l.{name}.{index}.{own}": each for own, each in _table(item).items()}
    written: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            written |= {f"{key}.{side}": _written(each) for side, each in value.items()}
        else:
            declared = _declared(statute, key)
            written[key] = _written(value, is_time=declared.type == "time")
    return Draft(values=written, counts=counts, as_of=as_of)


def _written(value: Json, *, is_time: bool = True) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        first, last = ("" if end is None else _written(end) for end in value)
        return f"{first} .. {last}".strip()
    if isinstance(value, int):
        return format_instant(value) if is_time else str(value)
    return str(value)


def _table(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _items(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


# For a page.


def sheet(draft: Draft, say: Voice, fault: str = "") -> Sheet:
    """The form as a page shows it; the field that `fault` begins with the place of is wrong."""
    statute = say.statute
    groups = []
    for name in list_names(statute.facts):
        fields = [each for each in statute.facts.values() if each.name.startswith(f"{name}.")]
        groups.append(
            (
                name,
                tuple(
                    Group(
                        name=f"{name}[{index}]",
                        index=index,
                        fields=_fields(
                            draft,
                            say,
                            fields,
                            (f"{name}.", f"l.{name}.{index}.", f"lists.{name}[{index}]."),
                            fault,
                        ),
                    )
                    for index in range(draft.counts.get(name, 0))
                ),
            )
        )
    single = [each for each in statute.facts.values() if "." not in each.name]
    return Sheet(
        fields=_fields(draft, say, single, ("", "f.", "facts."), fault), lists=tuple(groups)
    )


def wrong_field(form: Sheet) -> str:
    """The name of the field that a fault was found in, or nothing."""
    items = [each for _, groups in form.lists for group in groups for each in group.fields]
    return next((each.name for each in (*form.fields, *items) if each.wrong), "")


def _fields(
    draft: Draft,
    say: Voice,
    declared: list[Declaration],
    prefixes: tuple[str, str, str],
    fault: str,
) -> tuple[Field, ...]:
    prefix, key, place = prefixes
    found: list[Field] = []
    for each in declared:
        own = each.name.removeprefix(prefix)
        for side in ("begin", "end") if each.type == "span" else ("",):
            tail = f".{side}" if side else ""
            found.append(
                _field(draft, say, each, (key + own + tail, place + own + tail), fault)
            )
    return tuple(found)


def _field(
    draft: Draft, say: Voice, declared: Declaration, named: tuple[str, str], fault: str
) -> Field:
    name, place = named
    side = name.rpartition(".")[2] if declared.type == "span" else ""
    label = say.words(declared.label)
    wrong = fault.startswith((f"{place}:", f"{place}[", f"{name}:"))
    return Field(
        name=name,
        place=place,
        label=say.say(side, what=label) if side else label,
        type=declared.type,
        value=draft.values.get(name, UNSTATED),
        hint=say.say(_HINTS[declared.type]) if declared.type in _HINTS else "",
        question=say.words(declared.question) if declared.question else "",
        options=_options(say, declared),
        wrong=wrong,
    )


_HINTS = {"integer": "try whole", "time": "try time", "span": "try time"}


def _options(say: Voice, declared: Declaration) -> tuple[tuple[str, str], ...]:
    if declared.type not in ("yesno", "choice"):
        return ()
    own = (
        [("true", say.say("yes")), ("false", say.say("no"))]
        if declared.type == "yesno"
        else [(value, say.value(value)) for value in declared.values]
    )
    return (
        (UNSTATED, say.say("try unstated")),
        *own,
        (UNKNOWN, say.say("try unknown")),
        (ABSENT, say.say("try absent")),
    )
