"""The JSON Schema: it is kept up to date, takes every law there is, and refuses mistakes."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.protocol.statute.grown import grown
from tests.protocol.statute.laws import example_document

from safeconduct.plumbing.authored import parse_authored
from safeconduct.protocol.statute.schema import json_schema

STATUTES = Path(__file__).parents[3] / "statutes"
LAWS = sorted(STATUTES.rglob("*.yaml"))
SCHEMA: Any = json_schema()


def fits(value: Any, schema: Any) -> bool:
    """Whether a value fits a schema, as far as the keywords go that ours uses."""
    return all(
        _KEYWORDS[keyword](value, operand, schema)
        for keyword, operand in schema.items()
        if keyword not in ("$schema", "$defs", "title", "description")
    )


def resolved(reference: str) -> Any:
    return SCHEMA["$defs"][reference.removeprefix("#/$defs/")]


TYPES: Any = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int}


def of_type(value: Any, name: str) -> bool:
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def only_known(value: Any, operand: Any, schema: Any) -> bool:
    more = [each for key, each in value.items() if key not in schema.get("properties", {})]
    return not more if operand is False else all(fits(each, operand) for each in more)


def items_fit(value: Any, operand: Any, schema: Any) -> bool:
    rest = value[len(schema.get("prefixItems", [])) :]
    return not rest if operand is False else all(fits(each, operand) for each in rest)


_KEYWORDS: dict[str, Callable[[Any, Any, Any], bool]] = {
    "type": lambda v, name, _: of_type(v, name),
    "properties": lambda v, each, _: all(fits(v[k], s) for k, s in each.items() if k in v),
    "required": lambda v, names, _: set(names) <= v.keys(),
    "additionalProperties": only_known,
    "minProperties": lambda v, least, _: len(v) >= least,
    "maxProperties": lambda v, most, _: len(v) <= most,
    "items": items_fit,
    "prefixItems": lambda v, each, _: all(map(fits, v, each)),
    "minItems": lambda v, least, _: len(v) >= least,
    "maxItems": lambda v, most, _: len(v) <= most,
    "enum": lambda v, allowed, _: v in allowed,
    "const": lambda v, only, _: bool(v == only),
    "pattern": lambda v, pattern, _: re.search(pattern, v) is not None,
    "minLength": lambda v, least, _: len(v) >= least,
    "minimum": lambda v, least, _: v >= least,
    "anyOf": lambda v, each, _: any(fits(v, schema) for schema in each),
    "$ref": lambda v, name, _: fits(v, resolved(name)),
}


def test_the_kept_file_is_up_to_date() -> None:
    kept = (STATUTES / "schema.json").read_text(encoding="utf-8")
    assert json.loads(kept) == SCHEMA, "safeconduct statute schema > statutes/schema.json"


def test_there_are_laws_to_try() -> None:
    assert len(LAWS) >= 2


@pytest.mark.parametrize("path", LAWS, ids=lambda path: str(path.relative_to(STATUTES)))
def test_every_law_there_is_fits(path: Path) -> None:
    assert fits(parse_authored(path.read_bytes(), path.name), SCHEMA)


def test_the_grown_law_fits() -> None:
    assert fits(grown(), SCHEMA)


MISTAKES: dict[str, Callable[[Any], Any]] = {
    "a part left out": lambda d: d.pop("cases"),
    "a part too many": lambda d: d.update(notes="x"),
    "a key misspelt": lambda d: d["default"].update(publsh="never"),
    "an unknown operator": lambda d: d["sections"][2].update({"if": {"xor": []}}),
    "two operators": lambda d: d["sections"][2]["if"].update({"rule": "helped"}),
    "a word for true": lambda d: d["procedure"].update(appeal_suspends="yes"),
    "an unknown unit": lambda d: d["parameters"]["appeal_period"].update(unit="weeks"),
    "a date without offset": lambda d: d["version"].update(published="2024-01-01"),
    "a name in capitals": lambda d: d["statute"].update(id="Act"),
    "too few operands": lambda d: d["sections"][2].update({"if": {"is": ["x"]}}),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_does_not_fit(name: str) -> None:
    document = example_document()
    assert fits(document, SCHEMA)
    MISTAKES[name](document)
    assert not fits(document, SCHEMA)
