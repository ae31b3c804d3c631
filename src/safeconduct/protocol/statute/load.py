"""A statute from its canonical JSON, strictly: every fault is named by its place.

    statute      id, schema "1", title, languages, body; citation, governs
    version      number, published, in_force_from, supersedes (from number 2 on)
    calendar     may be left out: the days of a place
    parameters   the date lives here, once
    facts        what may be asserted, by whom, and what follows if nobody does
    sections     number and text; and a rule, or what the passage is about
    outcomes     in order; the first whose rule holds is the result
    default      what stays if none holds
    procedure    appeal and quorum; steps owed in time, and how somebody is listed
    cases        the law's own examples
    credits      may be left out: how help is credited without naming the tip

Whatever cannot be judged without doubt is refused here, not at the first case: an unknown
name, a wrong type, a circle of rules. What could be judged but should not be published is for
`lint`.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import Json, format_json, parse_json
from safeconduct.protocol.statute.condition import Scope
from safeconduct.protocol.statute.declaration import check_names, read_declaration
from safeconduct.protocol.statute.example import read_cases
from safeconduct.protocol.statute.head import (
    PREVIOUS,
    read_calendar,
    read_credits,
    read_governs,
    read_version,
)
from safeconduct.protocol.statute.outcome import Context, read_outcomes
from safeconduct.protocol.statute.parameter import read_parameter, set_value
from safeconduct.protocol.statute.procedure import read_procedure
from safeconduct.protocol.statute.section import check_reference, read_sections
from safeconduct.protocol.statute.shape import (
    as_choice,
    as_list,
    as_map,
    as_name,
    as_table,
    as_text,
    as_words,
    inside,
    refuse,
    unique,
)
from safeconduct.protocol.statute.text import (
    STATUTE_BYTES_MAX,
    Calendar,
    Parameter,
    Provision,
    Statute,
    all_parts,
)
from safeconduct.protocol.statute.walk import all_seen

SCHEMA = "1"
LANGUAGES_MAX = 24

Value = TypeVar("Value")

_HEAD = ("id", "schema", "title", "languages", "body")
_PARTS = (
    "statute",
    "version",
    "parameters",
    "facts",
    "sections",
    "outcomes",
    "default",
    "procedure",
    "cases",
)


def load_statute(data: bytes) -> Statute:
    """The statute in at most 60,000 bytes of canonical JSON.

    Raises:
        MalformedError: too long, not canonical, or any fault in it; names the place.
    """
    try:
        document = parse_json(data, "statute", bytes_max=STATUTE_BYTES_MAX)
    except MalformedError as error:
        message = error.message.removeprefix("statute: ")
        raise MalformedError(f"statute: {message}") from error
    return read_statute(document)


def read_statute(document: Json) -> Statute:
    """The statute in a JSON value, named by the SHA-256 of its canonical form.

    Raises:
        MalformedError: the canonical form is too long, or any fault in it; names the place.
    """
    data = format_json(document)
    if len(data) > STATUTE_BYTES_MAX:
        raise MalformedError(f"statute: longer than {STATUTE_BYTES_MAX} bytes")
    parts = as_map(document, "", _PARTS, ("credits", "calendar"))
    statute = _read_law(parts, hashlib.sha256(data).digest())
    for condition, within in all_seen(statute):
        if condition.operator == "rule":
            check_reference(condition, within, statute.rules)
    return replace(statute, cases=read_cases(parts["cases"], statute))


def _read_law(parts: dict[str, Json], sha256: bytes) -> Statute:
    """The statute without its cases, which can only be read against all the rest."""
    head = as_map(parts["statute"], "statute", _HEAD, ("citation", "governs"))
    as_choice(head["schema"], "statute.schema", (SCHEMA,))
    languages = as_list(head["languages"], "statute.languages", LANGUAGES_MAX, as_name, least=1)
    unique(languages, "statute.languages")
    calendar = read_calendar(parts["calendar"], "calendar") if "calendar" in parts else None
    parameters = _read_parameters(parts["parameters"], calendar)
    facts = _read_named(parts["facts"], "facts", read_declaration)
    check_names(facts, parameters)
    scope = Scope(facts=facts, parameters=parameters)
    sections = read_sections(parts["sections"], scope)
    numbers = {part.number for part in all_parts(sections)}
    _check_sections_of(parameters, numbers)
    rules = {part.rule: part for part in sections if isinstance(part, Provision)}
    context = Context(scope=scope, rules=rules, calendar=calendar)
    outcomes, default = read_outcomes(parts["outcomes"], parts["default"], context)
    return Statute(
        sha256=sha256,
        id=as_name(head["id"], "statute.id"),
        title=as_words(head["title"], "statute.title"),
        body=as_text(head["body"], "statute.body"),
        languages=languages,
        version=read_version(parts["version"], "version", calendar),
        parameters=parameters,
        facts=facts,
        sections=sections,
        outcomes=outcomes,
        default=default,
        procedure=read_procedure(parts["procedure"], "procedure", context, numbers),
        cases=(),
        credits=read_credits(parts["credits"], "credits", facts, parameters, numbers)
        if "credits" in parts
        else None,
        calendar=calendar,
        governs=read_governs(head["governs"], "statute.governs", numbers)
        if "governs" in head
        else None,
        citation=as_text(head["citation"], "statute.citation") if "citation" in head else "",
    )


def _read_parameters(value: Json, calendar: Calendar | None) -> dict[str, Parameter]:
    return _read_named(
        value, "parameters", lambda each, at, name: read_parameter(each, at, name, calendar)
    )


def _check_sections_of(parameters: Mapping[str, Parameter], numbers: set[str]) -> None:
    for name, parameter in parameters.items():
        if parameter.section not in numbers:
            refuse(f"parameters.{name}.section", f"there is no section {parameter.section}")


def _read_named(
    value: Json, place: str, read: Callable[[Json, str, str], Value]
) -> dict[str, Value]:
    table = as_table(value, place)
    return {name: read(each, inside(place, name), name) for name, each in table.items()}


def with_parameters(document: Json, values: Mapping[str, Json]) -> Json:
    """The statute document with some parameters set; everything else stays as it is.

    An instant, a day or an integer takes a new value, a list its words, a period its `from` and
    `to`, and a duration `{"amount": 30, "unit": "days"}` (months with their `rounding`). The
    result is as strict as `read_statute` is.

    Raises:
        MalformedError: no such parameter, or a value that does not fit it.
    """
    parts = as_table(document, "")
    calendar = read_calendar(parts["calendar"], "calendar") if "calendar" in parts else None
    parameters = dict(as_table(parts.get("parameters"), "parameters"))
    for name, value in values.items():
        place = inside("parameters", name)
        if name not in parameters:
            refuse(place, "the statute has no such parameter")
        parameters[name] = set_value(as_table(parameters[name], place), value, place)
        read_parameter(parameters[name], place, name, calendar)
    return {**parts, "parameters": parameters}


def with_version(
    document: Json, *, number: int, published: str, in_force_from: str, supersedes: bytes | None
) -> Json:
    """The statute document as version `number`; the two dates are RFC 3339 with offset.

    Whatever else its version said, such as its cause and what it annuls, is left out.
    """
    parts = as_table(document, "")
    version: dict[str, Json] = {
        "number": number,
        "published": published,
        "in_force_from": in_force_from,
    }
    if supersedes is not None:
        version["supersedes"] = supersedes.hex()
    read_version(version, "version")
    return {**parts, "version": version}


def resolve_previous(document: Json, previous: Statute | None) -> Json:
    """The document, with the word `previous` replaced by the SHA-256 of the version before.

    Authors keep the versions of a law side by side; what is hashed names the one before it.

    Raises:
        MalformedError: `previous` is written, and there is none.
    """
    parts = document if isinstance(document, dict) else {}
    version = parts.get("version")
    if not isinstance(version, dict) or version.get("supersedes") != PREVIOUS:
        return document
    if previous is None:
        refuse("version.supersedes", "there is no version before this one to name")
    return {**parts, "version": {**version, "supersedes": previous.sha256.hex()}}
