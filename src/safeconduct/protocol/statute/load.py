"""A statute from its canonical JSON, strictly: every fault is named by its place.

    statute      id, schema "1", title, languages, body
    version      number, published, in_force_from, supersedes (from number 2 on)
    parameters   the date lives here, once
    facts        what may be asserted, by whom, and what follows if nobody does
    sections     number and text; and a rule, or what the passage is about
    outcomes     in order; the first whose rule holds is the result
    default      what stays if none holds
    procedure    appeal and quorum
    cases        the law's own examples
    credits      may be left out: how help is credited without naming the tip

Whatever cannot be judged without doubt is refused here, not at the first case: an unknown
name, a wrong type, a circle of rules. What could be judged but should not be published is for
`lint`.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import TypeVar

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import Json, format_json, parse_hex, parse_json
from safeconduct.protocol.statute.condition import Scope
from safeconduct.protocol.statute.facts import (
    RESERVED_VALUES,
    TYPES,
    UNKNOWN_AT_END,
    Declaration,
    read_facts,
)
from safeconduct.protocol.statute.instant import AMOUNT_MAX, Duration, parse_instant
from safeconduct.protocol.statute.section import read_sections
from safeconduct.protocol.statute.shape import (
    WHOLE_MAX,
    as_choice,
    as_list,
    as_map,
    as_name,
    as_table,
    as_text,
    as_whole,
    as_words,
    as_yesno,
    inside,
    refuse,
    unique,
)
from safeconduct.protocol.statute.text import (
    CASES_MAX,
    RULES_MAX,
    STATUTE_BYTES_MAX,
    UNDETERMINED,
    Case,
    Credits,
    Instant,
    Number,
    Outcome,
    Parameter,
    Period,
    Procedure,
    Provision,
    Statute,
    Version,
    all_parts,
)

SCHEMA = "1"
MAY_CHANGE = frozenset({"never", "later_only", "earlier_only", "any"})
LANGUAGES_MAX = 24
OUTCOMES_MAX = 20
VALUES_MAX = 50
PERIODS_MAX = 100
CREDIT_SCHEMES = frozenset({"plain", "blind"})

Value = TypeVar("Value")

_DURATION_KEYS = ("amount", "unit", "rounding")
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
    parts = as_map(document, "", _PARTS, ("credits",))
    head = as_map(parts["statute"], "statute", ("id", "schema", "title", "languages", "body"))
    as_choice(head["schema"], "statute.schema", (SCHEMA,))
    languages = as_list(head["languages"], "statute.languages", LANGUAGES_MAX, as_name, least=1)
    unique(languages, "statute.languages")
    parameters = _read_named(parts["parameters"], "parameters", _read_parameter)
    facts = _read_named(parts["facts"], "facts", _read_declaration)
    _check_names(facts, parameters)
    sections = read_sections(parts["sections"], Scope(facts=facts, parameters=parameters))
    numbers = {part.number for part in all_parts(sections)}
    for name, parameter in parameters.items():
        if parameter.section not in numbers:
            refuse(f"parameters.{name}.section", f"there is no section {parameter.section}")
    rules = [part.rule for part in sections if isinstance(part, Provision)]
    outcomes, default = _read_outcomes(parts["outcomes"], parts["default"], rules)
    statute = Statute(
        sha256=hashlib.sha256(data).digest(),
        id=as_name(head["id"], "statute.id"),
        title=as_words(head["title"], "statute.title"),
        body=as_text(head["body"], "statute.body"),
        languages=languages,
        version=_read_version(parts["version"], "version"),
        parameters=parameters,
        facts=facts,
        sections=sections,
        outcomes=outcomes,
        default=default,
        procedure=_read_procedure(parts["procedure"], "procedure", parameters),
        cases=(),
    )
    if "credits" in parts:
        statute = replace(statute, credits=_read_credits(parts["credits"], "credits", statute))
    return _with_cases(statute, parts["cases"])


def with_parameters(document: Json, values: Mapping[str, Json]) -> Json:
    """The statute document with some parameters set; everything else stays as it is.

    An instant or an integer takes a new value; a period takes `{"amount": 30, "unit": "days"}`
    (months with their `rounding`). The result is as strict as `read_statute` is.

    Raises:
        MalformedError: no such parameter, or a value that does not fit it.
    """
    parts = as_table(document, "")
    parameters = dict(as_table(parts.get("parameters"), "parameters"))
    for name, value in values.items():
        place = inside("parameters", name)
        if name not in parameters:
            refuse(place, "the statute has no such parameter")
        declared = as_table(parameters[name], place)
        parameters[name] = _SET_PARAMETER.get(str(declared.get("type")), _set_value)(
            declared, value, place
        )
        _read_parameter(parameters[name], place, name)
    return {**parts, "parameters": parameters}


def with_version(
    document: Json, *, number: int, published: str, in_force_from: str, supersedes: bytes | None
) -> Json:
    """The statute document as version `number`; the two dates are RFC 3339 with offset."""
    parts = as_table(document, "")
    version: dict[str, Json] = {
        "number": number,
        "published": published,
        "in_force_from": in_force_from,
    }
    if supersedes is not None:
        version["supersedes"] = supersedes.hex()
    _read_version(version, "version")
    return {**parts, "version": version}


def _set_value(declared: dict[str, Json], value: Json, place: str) -> dict[str, Json]:
    return {**declared, "value": value}


def _set_period(declared: dict[str, Json], value: Json, place: str) -> dict[str, Json]:
    kept = {key: each for key, each in declared.items() if key not in _DURATION_KEYS}
    return {**kept, **as_map(value, place, ("amount", "unit"), ("rounding",))}


_SET_PARAMETER = {"duration": _set_period}


def _read_named(
    value: Json, place: str, read: Callable[[Json, str, str], Value]
) -> dict[str, Value]:
    table = as_table(value, place)
    return {name: read(each, inside(place, name), name) for name, each in table.items()}


def _read_version(value: Json, place: str) -> Version:
    table = as_map(value, place, ("number", "published", "in_force_from"), ("supersedes",))
    number = as_whole(table["number"], inside(place, "number"), 1)
    if (number > 1) != ("supersedes" in table):
        refuse(inside(place, "supersedes"), "stands in every version but the first")
    supersedes = None
    if number > 1:
        at = inside(place, "supersedes")
        supersedes = parse_hex(as_text(table["supersedes"], at), 32, at)
    return Version(
        number=number,
        published_at=_read_instant(table["published"], inside(place, "published")),
        in_force_from=_read_instant(table["in_force_from"], inside(place, "in_force_from")),
        supersedes=supersedes,
    )


def _read_instant(value: Json, place: str) -> int:
    return parse_instant(as_text(value, place), place)


def _read_duration(value: Json, place: str) -> Duration:
    table = as_map(value, place, ("amount", "unit"), ("rounding",))
    unit = as_choice(table["unit"], inside(place, "unit"), AMOUNT_MAX)
    rounding = ""
    if unit == "months":
        given = table.get("rounding")
        rounding = as_choice(given, inside(place, "rounding"), ("down", "up"))
    elif "rounding" in table:
        refuse(inside(place, "rounding"), "only months are rounded")
    amount = as_whole(table["amount"], inside(place, "amount"), 1, AMOUNT_MAX[unit])
    return Duration(amount=amount, unit=unit, rounding=rounding)


def _read_parameter(value: Json, place: str, name: str) -> Parameter:
    as_name(name, place)
    kind = as_table(value, place).get("type")
    reader = _PARAMETER[as_choice(kind, inside(place, "type"), _PARAMETER)]
    return reader(as_table(value, place), place, name)


_COMMON = ("type", "may_change", "section")


def _instant_parameter(table: dict[str, Json], place: str, name: str) -> Parameter:
    as_map(table, place, (*_COMMON, "value", "zone", "bound"))
    bound = as_choice(table["bound"], inside(place, "bound"), ("inclusive", "exclusive"))
    return Instant(
        name=name,
        written=as_text(table["value"], inside(place, "value")),
        at=_read_instant(table["value"], inside(place, "value")),
        zone=as_text(table["zone"], inside(place, "zone")),
        inclusive=bound == "inclusive",
        may_change=as_choice(table["may_change"], inside(place, "may_change"), MAY_CHANGE),
        section=as_text(table["section"], inside(place, "section")),
    )


def _period_parameter(table: dict[str, Json], place: str, name: str) -> Parameter:
    as_map(table, place, (*_COMMON, "amount", "unit"), ("rounding",))
    measure = {key: table[key] for key in _DURATION_KEYS if key in table}
    return Period(
        name=name,
        duration=_read_duration(measure, place),
        may_change=as_choice(table["may_change"], inside(place, "may_change"), MAY_CHANGE),
        section=as_text(table["section"], inside(place, "section")),
    )


def _number_parameter(table: dict[str, Json], place: str, name: str) -> Parameter:
    as_map(table, place, (*_COMMON, "value"))
    return Number(
        name=name,
        value=as_whole(table["value"], inside(place, "value"), -WHOLE_MAX),
        may_change=as_choice(table["may_change"], inside(place, "may_change"), MAY_CHANGE),
        section=as_text(table["section"], inside(place, "section")),
    )


_PARAMETER: dict[str, Callable[[dict[str, Json], str, str], Parameter]] = {
    "instant": _instant_parameter,
    "duration": _period_parameter,
    "integer": _number_parameter,
}

_PROOFS = frozenset({"log", "capture", "finding"})


def _read_declaration(value: Json, place: str, name: str) -> Declaration:
    for part in name.split(".", 1):
        as_name(part, place)
    required = ("type", "asserted_by", "standard", "unknown_at_end", "label")
    table = as_map(value, place, required, ("values", "proof", "confidential"))
    kind = as_choice(table["type"], inside(place, "type"), TYPES)
    for key, owner in (("values", "choice"), ("proof", "time")):
        if (key in table) != (kind == owner):
            refuse(inside(place, key), f"stands with type {owner}, and only there")
    proof = table.get("proof")
    return Declaration(
        name=name,
        type=kind,
        asserted_by=as_name(table["asserted_by"], inside(place, "asserted_by")),
        standard=as_name(table["standard"], inside(place, "standard")),
        unknown_at_end=as_choice(
            table["unknown_at_end"], inside(place, "unknown_at_end"), UNKNOWN_AT_END
        ),
        label=as_words(table["label"], inside(place, "label")),
        values=_read_values(table["values"], place) if kind == "choice" else (),
        proof="" if proof is None else as_choice(proof, inside(place, "proof"), _PROOFS),
        confidential=as_yesno(table.get("confidential", True), inside(place, "confidential")),
    )


def _read_values(value: Json, declaration_place: str) -> tuple[str, ...]:
    place = inside(declaration_place, "values")
    values = as_list(value, place, VALUES_MAX, as_name, least=2)
    unique(values, place)
    if RESERVED_VALUES & set(values):
        refuse(place, f"{' and '.join(sorted(RESERVED_VALUES))} have a meaning of their own")
    return values


def _check_names(facts: Mapping[str, Declaration], parameters: Mapping[str, Parameter]) -> None:
    """One name means one thing: a field, a single fact and a parameter never share it."""
    single = {name for name in facts if "." not in name}
    for name in facts:
        field = name.rpartition(".")[2]
        taken = single - {name} if "." in name else set()
        if field in taken or field in parameters:
            refuse(f"facts.{name}", f"the name {field} is already taken")


_EFFECTS_MAX = 20
_PUBLISH = frozenset({"with_consent", "always", "never"})
_FAVOURS = frozenset({"person", "body"})


def _read_outcomes(
    value: Json, default: Json, rules: list[str]
) -> tuple[tuple[Outcome, ...], Outcome]:
    outcomes = as_list(
        value,
        "outcomes",
        OUTCOMES_MAX,
        lambda each, at: _read_outcome(each, at, rules),
        least=1,
    )
    fallback = _read_outcome(default, "default", None)
    values = [each.value for each in (*outcomes, fallback)]
    unique(values, "outcomes")
    if UNDETERMINED in values:
        refuse("outcomes", f"{UNDETERMINED} has a meaning of its own")
    return outcomes, fallback


def _read_outcome(value: Json, place: str, rules: list[str] | None) -> Outcome:
    required = {"value", "text", "publish"} | (
        {"when", "favours"} if rules is not None else set()
    )
    table = as_map(value, place, required, ("effects", "review_after"))
    review = table.get("review_after")
    at = inside(place, "review_after")
    return Outcome(
        value=as_name(table["value"], inside(place, "value")),
        text=as_words(table["text"], inside(place, "text")),
        effects=as_list(
            table.get("effects", []), inside(place, "effects"), _EFFECTS_MAX, as_name
        ),
        publish=as_choice(table["publish"], inside(place, "publish"), _PUBLISH),
        favours=as_choice(table.get("favours", "body"), inside(place, "favours"), _FAVOURS),
        rule=as_choice(table["when"], inside(place, "when"), rules)
        if rules is not None
        else "",
        review_after=None if review is None else _read_duration(review, at),
    )


def _read_procedure(value: Json, place: str, parameters: Mapping[str, Parameter]) -> Procedure:
    table = as_map(value, place, ("appeal_period", "appeal_suspends", "decide_quorum"))
    name = as_name(table["appeal_period"], inside(place, "appeal_period"))
    period = parameters.get(name)
    if not isinstance(period, Period):
        refuse(inside(place, "appeal_period"), "must name a parameter of type duration")
    return Procedure(
        appeal_period=period.duration,
        appeal_section=period.section,
        appeal_suspends=as_yesno(table["appeal_suspends"], inside(place, "appeal_suspends")),
        decide_quorum=as_whole(table["decide_quorum"], inside(place, "decide_quorum"), 1, 100),
    )


# What a credit proves about the tip behind it.
_CREDITED = {
    "tips.logged": "time",
    "tips.author_proven": "yesno",
    "tips.acknowledged": "choice",
    "tips.grade": "choice",
}


def _read_credits(value: Json, place: str, statute: Statute) -> Credits:
    table = as_map(value, place, ("scheme", "classes", "periods", "minimum_issued", "section"))
    for fact, kind in _CREDITED.items():
        if fact not in statute.facts or statute.facts[fact].type != kind:
            refuse(place, f"needs the fact {fact}, of type {kind}")
    grades = statute.facts["tips.grade"].values
    at = inside(place, "classes")
    classes = as_list(
        table["classes"], at, VALUES_MAX, lambda each, at: as_choice(each, at, grades), least=1
    )
    unique(classes, at)
    numbers = {part.number for part in all_parts(statute.sections)}
    return Credits(
        scheme=as_choice(table["scheme"], inside(place, "scheme"), CREDIT_SCHEMES),
        classes=classes,
        periods=_read_periods(table["periods"], inside(place, "periods"), statute),
        minimum_issued=as_whole(table["minimum_issued"], inside(place, "minimum_issued"), 1),
        section=as_choice(table["section"], inside(place, "section"), numbers),
    )


def _read_periods(value: Json, place: str, statute: Statute) -> tuple[int, ...]:
    """Where the periods end: instants, or names of instant parameters; always later."""

    def read_end(each: Json, at: str) -> int:
        parameter = statute.parameters.get(each) if isinstance(each, str) else None
        if isinstance(parameter, Instant):
            return parameter.limit_at
        return _read_instant(each, at)

    periods = as_list(value, place, PERIODS_MAX, read_end, least=1)
    for number, (end, next_end) in enumerate(pairwise(periods), 1):
        if next_end <= end:
            refuse(f"{place}[{number}]", "a period must end after the one before it")
    return periods


def _with_cases(statute: Statute, value: Json) -> Statute:
    cases = as_list(value, "cases", CASES_MAX, lambda each, at: _read_case(each, at, statute))
    unique([case.name for case in cases], "cases")
    return replace(statute, cases=cases)


def _read_case(value: Json, place: str, statute: Statute) -> Case:
    table = as_map(value, place, ("name", "facts", "outcome", "sections"), ("open",))
    at = inside(place, "facts")
    outcomes = {each.value for each in (*statute.outcomes, statute.default)} | {UNDETERMINED}
    waiting = table.get("open")
    return Case(
        name=as_text(table["name"], inside(place, "name")),
        place=place,
        facts=read_facts(_resolve(table["facts"], at, statute), statute.facts, at),
        outcome=as_choice(table["outcome"], inside(place, "outcome"), outcomes),
        sections=as_list(
            table["sections"], inside(place, "sections"), RULES_MAX, _known_section(statute)
        ),
        open_facts=None
        if waiting is None
        else as_list(waiting, inside(place, "open"), RULES_MAX, as_text),
    )


def _known_section(statute: Statute) -> Callable[[Json, str], str]:
    numbers = {part.number for part in all_parts(statute.sections)}
    return lambda value, place: as_choice(value, place, numbers)


def _resolve(value: Json, place: str, statute: Statute) -> Json:
    """A case's facts, with `{parameter: the_date, seconds: -1}` turned into an instant.

    Examples that move with the date stay true when a body sets its own.
    """
    if isinstance(value, list):
        return [_resolve(each, f"{place}[{n}]", statute) for n, each in enumerate(value)]
    if not isinstance(value, dict):
        return value
    if value.keys() != {"parameter", "seconds"}:
        return {key: _resolve(each, inside(place, key), statute) for key, each in value.items()}
    parameter = statute.parameters.get(str(value["parameter"]))
    if not isinstance(parameter, Instant):
        refuse(inside(place, "parameter"), "must name a parameter of type instant")
    return parameter.at + as_whole(value["seconds"], inside(place, "seconds"), -WHOLE_MAX)
