"""The operators as a law writes them: one map with one key, `{operator: operands}`.

    {and: [c, …]}  {or: [c, …]}  {not: c}        c is a condition
    {is: [fact, value]}  {in: [fact, [value, …]]}
    {before: [time, date or other time]}
    {at-least: [number, whole]}  {less: [number, whole]}
    {some: [list, c]}                            c speaks of one item's fields
    {absent: fact}  {known: fact}
    {rule: name}

A number is a fact, or `{count: [list, c]}`; a whole is written out or a parameter. Types are
checked here, so that a judgement can no longer fail on them. There is no loop, no fraction,
no clock and no text made at run time: what a law costs is known before it is applied.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from safeconduct.protocol.canonical import Json
from safeconduct.protocol.statute.facts import Declaration, list_names
from safeconduct.protocol.statute.shape import (
    WHOLE_MAX,
    as_list,
    as_name,
    as_table,
    as_text,
    as_whole,
    inside,
    refuse,
    unique,
)
from safeconduct.protocol.statute.text import Condition, Instant, Number, Parameter

PARTS_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a condition may speak of; `within` names the list whose item is looked at."""

    facts: Mapping[str, Declaration]
    parameters: Mapping[str, Parameter]
    within: str = ""

    def declared(self, name: str, place: str) -> Declaration:
        """The fact called `name` here: a field of the item first, then a single fact."""
        field = self.facts.get(f"{self.within}.{name}") if self.within else None
        declaration = field or self.facts.get(name)
        if declaration is None or (declaration is not field and "." in name):
            refuse(place, f"no fact is called {name} here")
        return declaration


def read_condition(value: Json, place: str, scope: Scope) -> Condition:
    """The condition written at `place`.

    Raises:
        MalformedError: an unknown operator, name or type; names the place.
    """
    table = as_table(value, place)
    if len(table) != 1:
        refuse(place, "a condition is a map with one operator")
    ((operator, operands),) = table.items()
    read = _OPERATORS.get(operator)
    if read is None:
        refuse(inside(place, operator), f"unknown operator; known are {', '.join(OPERATORS)}")
    return read(operator, operands, inside(place, operator), scope)


def _several(operator: str, operands: Json, place: str, scope: Scope) -> Condition:
    parts = as_list(
        operands, place, PARTS_MAX, lambda each, at: read_condition(each, at, scope), least=1
    )
    return Condition(operator=operator, place=place, parts=parts)


def _negation(operator: str, operands: Json, place: str, scope: Scope) -> Condition:
    return Condition(
        operator=operator, place=place, parts=(read_condition(operands, place, scope),)
    )


def _equality(operator: str, operands: Json, place: str, scope: Scope) -> Condition:
    name, value = _pair(operands, place)
    declaration = _fact(name, f"{place}[0]", scope, ("yesno", "choice", "integer"))
    values = (_value_of(value, f"{place}[1]", declaration),)
    return Condition(operator=operator, place=place, fact=declaration.name, values=values)


def _membership(operator: str, operands: Json, place: str, scope: Scope) -> Condition:
    name, given = _pair(operands, place)
    declaration = _fact(name, f"{place}[0]", scope, ("choice", "integer"))
    values = as_list(
        given, f"{place}[1]", PARTS_MAX, lambda v, at: _value_of(v, at, declaration), least=1
    )
    unique([str(value) for value in values], f"{place}[1]")
    return Condition(operator=operator, place=place, fact=declaration.name, values=values)


def _order(operator: str, operands: Json, place: str, scope: Scope) -> Condition:
    name, against = _pair(operands, place)
    declaration = _fact(name, f"{place}[0]", scope, ("time",))
    other = as_text(against, f"{place}[1]")
    if not isinstance(scope.parameters.get(other), Instant):
        if other in scope.parameters:
            refuse(f"{place}[1]", f"the parameter {other} is not an instant")
        other = _fact(against, f"{place}[1]", scope, ("time",)).name
    return Condition(operator=operator, place=place, fact=declaration.name, name=other)


def _threshold(operator: str, operands: Json, place: str, scope: Scope) -> Condition:
    number, given = _pair(operands, place)
    bound = _bound(given, f"{place}[1]", scope)
    if isinstance(number, dict):
        counted = _count(number, f"{place}[0]", scope)
        return replace(counted, operator=operator, place=place, bound=bound)
    declaration = _fact(number, f"{place}[0]", scope, ("integer",))
    return Condition(operator=operator, place=place, fact=declaration.name, bound=bound)


def _count(value: dict[str, Json], place: str, scope: Scope) -> Condition:
    if value.keys() != {"count"}:
        refuse(place, "must be a fact or {count: [list, condition]}")
    return _quantifier("count", value["count"], inside(place, "count"), scope)


def _quantifier(operator: str, operands: Json, place: str, scope: Scope) -> Condition:
    name, body = _pair(operands, place)
    known = list_names(scope.facts)
    if name not in known:
        refuse(f"{place}[0]", f"no list is called so; known are {', '.join(known)}")
    if scope.within:
        refuse(place, "cannot stand inside another some or count")
    inner = replace(scope, within=str(name))
    part = read_condition(body, f"{place}[1]", inner)
    return Condition(operator=operator, place=place, name=str(name), parts=(part,))


def _presence(operator: str, operands: Json, place: str, scope: Scope) -> Condition:
    declaration = _fact(operands, place, scope, ("yesno", "choice", "integer", "time"))
    return Condition(operator=operator, place=place, fact=declaration.name)


def _reference(operator: str, operands: Json, place: str, scope: Scope) -> Condition:
    return Condition(operator=operator, place=place, name=as_name(operands, place))


def _misplaced_count(operator: str, operands: Json, place: str, scope: Scope) -> Condition:
    refuse(place, "is a number: it stands as the first operand of at-least or less")


def _pair(operands: Json, place: str) -> tuple[Json, Json]:
    if not isinstance(operands, list) or len(operands) != 2:
        refuse(place, "must be a list of two operands")
    return operands[0], operands[1]


def _fact(value: Json, place: str, scope: Scope, types: tuple[str, ...]) -> Declaration:
    declaration = scope.declared(as_text(value, place), place)
    if declaration.type not in types:
        refuse(place, f"{declaration.name} is of type {declaration.type}, not of {types}")
    return declaration


def _value_of(value: Json, place: str, declaration: Declaration) -> bool | int | str:
    if declaration.type == "yesno" and isinstance(value, bool):
        return value
    if declaration.type == "integer":
        return as_whole(value, place, -WHOLE_MAX)
    allowed = declaration.values or ("true", "false")
    if declaration.type != "choice" or not isinstance(value, str) or value not in allowed:
        refuse(place, f"not a value of {declaration.name}: {', '.join(allowed)}")
    return value


def _bound(value: Json, place: str, scope: Scope) -> int:
    if not isinstance(value, str):
        return as_whole(value, place, -WHOLE_MAX)
    parameter = scope.parameters.get(value)
    if not isinstance(parameter, Number):
        refuse(place, "must be a whole number or a parameter of type integer")
    return parameter.value


_OPERATORS: dict[str, Callable[[str, Json, str, Scope], Condition]] = {
    "and": _several,
    "or": _several,
    "not": _negation,
    "is": _equality,
    "in": _membership,
    "before": _order,
    "at-least": _threshold,
    "less": _threshold,
    "count": _misplaced_count,
    "some": _quantifier,
    "absent": _presence,
    "known": _presence,
    "rule": _reference,
}
OPERATORS = tuple(_OPERATORS)
