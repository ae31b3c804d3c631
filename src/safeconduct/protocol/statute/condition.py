"""The operators as a law writes them: one map with one key, `{operator: operands}`.

    {and: [c, …]}  {or: [c, …]}  {not: c}  {rule: name}       c is a condition
    {is: [fact, value]}  {in: [fact, [value, …] or list]}  {absent: fact}  {known: fact}
    {some: [list, c]}  {all: [list, c]}                       c speaks of one item's fields
    {at-least: [number, whole]}  {less: [number, whole]}
    {before: [t, t]}  {by: [t, t]}  {during: [t, p]}          t is a time, p a period
    {inside: [p, p]}  {touch: [p, p]}

A number is a fact, or one of `{count: [list, c]}`, `{total: [list, c, span]}` in whole days and
`{rank: [list, who, qualifies, t]}`; a whole is written out or a parameter. A time is a fact, a
date of the law, `as_of`, or one of

    {begin: span}  {end: span}  {add: [t, duration]}
    {later: [t, …]}  {earlier: [t, …]}  {when: [c, t, t]}

and a period is a period of the law or a span. Types are checked here, so that a judgement can
no longer fail on them. There is no loop, no fraction, no clock and no text made at run time:
what a law costs is known before it is applied.
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
from safeconduct.protocol.statute.text import (
    Condition,
    Day,
    Instant,
    Number,
    Parameter,
    Period,
    Quantity,
    Stretch,
    Term,
    WordList,
)

PARTS_MAX = 100
TERM_DEPTH_MAX = 8  # times made of times, and of conditions that speak of times
AS_OF = "as_of"  # the day of judgement; no fact and no parameter may be called so


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a condition may speak of; `within` names the list whose item is looked at.

    `depth` counts the times that lie around the one being read.
    """

    facts: Mapping[str, Declaration]
    parameters: Mapping[str, Parameter]
    within: str = ""
    depth: int = 0

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
    listed = scope.parameters.get(given) if isinstance(given, str) else None
    values = as_list(
        [*listed.values] if isinstance(listed, WordList) else given,
        f"{place}[1]",
        PARTS_MAX,
        lambda v, at: _value_of(v, at, declaration),
        least=1,
    )
    unique([str(value) for value in values], f"{place}[1]")
    return Condition(
        operator=operator,
        place=place,
        fact=declaration.name,
        name=listed.name if listed is not None else "",
        values=values,
    )


def _threshold(operator: str, operands: Json, place: str, scope: Scope) -> Condition:
    number, given = _pair(operands, place)
    bound, measure = _bound(given, f"{place}[1]", scope)
    if isinstance(number, dict):
        quantity = _quantity(number, f"{place}[0]", scope)
        return Condition(
            operator=operator,
            place=place,
            parts=quantity.tests,
            name=quantity.name,
            bound=bound,
            quantity=quantity,
            measure=measure,
        )
    fact = _fact(number, f"{place}[0]", scope, ("integer",)).name
    return Condition(operator=operator, place=place, fact=fact, bound=bound, measure=measure)


def _quantifier(operator: str, operands: Json, place: str, scope: Scope) -> Condition:
    name, body = _pair(operands, place)
    inner = _item_scope(name, place, scope)
    part = read_condition(body, f"{place}[1]", inner)
    return Condition(operator=operator, place=place, name=inner.within, parts=(part,))


def _item_scope(name: Json, place: str, scope: Scope) -> Scope:
    """What can be spoken of about one item of the list `name`."""
    known = list_names(scope.facts)
    if name not in known:
        refuse(f"{place}[0]", f"no list is called so; known are {', '.join(known)}")
    if scope.within:
        refuse(place, "cannot stand inside another some or count, nor in a rule about one item")
    return replace(scope, within=str(name))


# Numbers worked out from a list.


def _quantity(value: dict[str, Json], place: str, scope: Scope) -> Quantity:
    operator = next(iter(value)) if len(value) == 1 else ""
    if operator not in _QUANTITIES:
        refuse(place, "must be a fact or {count: [list, condition]}, or total, or rank")
    return _QUANTITIES[operator](value[operator], inside(place, operator), scope)


def _count(operands: Json, place: str, scope: Scope) -> Quantity:
    name, body = _pair(operands, place)
    inner = _item_scope(name, place, scope)
    tests = (read_condition(body, f"{place}[1]", inner),)
    return Quantity(operator="count", place=place, name=inner.within, tests=tests)


def _total(operands: Json, place: str, scope: Scope) -> Quantity:
    name, body, span = _operands(operands, place, 3)
    inner = _item_scope(name, place, scope)
    return Quantity(
        operator="total",
        place=place,
        name=inner.within,
        tests=(read_condition(body, f"{place}[1]", inner),),
        field=_field(span, f"{place}[2]", inner, ("span",)).name,
    )


def _rank(operands: Json, place: str, scope: Scope) -> Quantity:
    name, who, qualifies, time = _operands(operands, place, 4)
    inner = _item_scope(name, place, scope)
    return Quantity(
        operator="rank",
        place=place,
        name=inner.within,
        tests=(
            read_condition(who, f"{place}[1]", inner),
            read_condition(qualifies, f"{place}[2]", inner),
        ),
        term=read_term(time, f"{place}[3]", inner),
    )


_QUANTITIES: dict[str, Callable[[Json, str, Scope], Quantity]] = {
    "count": _count,
    "total": _total,
    "rank": _rank,
}


def _presence(operator: str, operands: Json, place: str, scope: Scope) -> Condition:
    declaration = _fact(operands, place, scope, _ANY)
    return Condition(operator=operator, place=place, fact=declaration.name)


_ANY = ("yesno", "choice", "integer", "time", "span")


def _reference(operator: str, operands: Json, place: str, scope: Scope) -> Condition:
    return Condition(operator=operator, place=place, name=as_name(operands, place))


# Times and periods.


def _order(operator: str, operands: Json, place: str, scope: Scope) -> Condition:
    return _compared(operator, operands, place, scope, (read_term, read_term))


def _containment(operator: str, operands: Json, place: str, scope: Scope) -> Condition:
    return _compared(operator, operands, place, scope, (read_term, read_span))


def _overlap(operator: str, operands: Json, place: str, scope: Scope) -> Condition:
    return _compared(operator, operands, place, scope, (read_span, read_span))


TermReader = Callable[[Json, str, Scope], Term]


def _compared(
    operator: str, operands: Json, place: str, scope: Scope, read: tuple[TermReader, TermReader]
) -> Condition:
    """A test of two times or periods; plain names stand in `fact` and `name`."""
    given = _pair(operands, place)
    first, second = (read[n](given[n], f"{place}[{n}]", scope) for n in (0, 1))
    if first.operator == "fact" and second.operator in ("fact", "parameter"):
        return Condition(operator=operator, place=place, fact=first.name, name=second.name)
    return Condition(operator=operator, place=place, terms=(first, second))


def read_term(value: Json, place: str, scope: Scope) -> Term:
    """The time written at `place`: a name, or a map with one operator.

    Raises:
        MalformedError: an unknown operator, name or type, or times nested too deep.
    """
    if not isinstance(value, dict):
        return _named_time(as_text(value, place), place, scope)
    operator = next(iter(value)) if len(value) == 1 else ""
    if operator not in _TERMS:
        refuse(place, f"must be a time: a name, or a map with one of {', '.join(_TERMS)}")
    if scope.depth == TERM_DEPTH_MAX:
        refuse(place, f"times lie deeper than {TERM_DEPTH_MAX} operators")
    inner = replace(scope, depth=scope.depth + 1)
    return _TERMS[operator](operator, value[operator], inside(place, operator), inner)


def _named_time(name: str, place: str, scope: Scope) -> Term:
    if name == AS_OF:
        return Term(operator=AS_OF, place=place)
    if isinstance(scope.parameters.get(name), Instant | Day):
        return Term(operator="parameter", place=place, name=name)
    if name in scope.parameters:
        refuse(place, f"the parameter {name} is not an instant, nor a day")
    return Term(operator="fact", place=place, name=_fact(name, place, scope, ("time",)).name)


def read_span(value: Json, place: str, scope: Scope) -> Term:
    """The period written at `place`: the name of a period of the law, or of a span.

    Raises:
        MalformedError: an unknown name, or one of another type.
    """
    name = as_text(value, place)
    if isinstance(scope.parameters.get(name), Stretch):
        return Term(operator="parameter", place=place, name=name)
    if name in scope.parameters:
        refuse(place, f"the parameter {name} is not a period")
    return Term(operator="fact", place=place, name=_fact(name, place, scope, ("span",)).name)


def _side(operator: str, operands: Json, place: str, scope: Scope) -> Term:
    return Term(operator=operator, place=place, name=read_span(operands, place, scope).name)


def _sum(operator: str, operands: Json, place: str, scope: Scope) -> Term:
    time, name = _pair(operands, place)
    if not isinstance(name, str) or not isinstance(scope.parameters.get(name), Period):
        refuse(f"{place}[1]", "must name a parameter of type duration")
    terms = (read_term(time, f"{place}[0]", scope),)
    return Term(operator=operator, place=place, name=name, terms=terms)


def _one_of(operator: str, operands: Json, place: str, scope: Scope) -> Term:
    terms = as_list(
        operands, place, PARTS_MAX, lambda each, at: read_term(each, at, scope), least=2
    )
    return Term(operator=operator, place=place, terms=terms)


def _deemed(operator: str, operands: Json, place: str, scope: Scope) -> Term:
    test, *times = _operands(operands, place, 3)
    return Term(
        operator=operator,
        place=place,
        tests=(read_condition(test, f"{place}[0]", scope),),
        terms=tuple(read_term(t, f"{place}[{n}]", scope) for n, t in enumerate(times, 1)),
    )


_TERMS: dict[str, Callable[[str, Json, str, Scope], Term]] = {
    "begin": _side,
    "end": _side,
    "add": _sum,
    "later": _one_of,
    "earlier": _one_of,
    "when": _deemed,
}


def _misplaced_number(operator: str, operands: Json, place: str, scope: Scope) -> Condition:
    refuse(place, "is a number: it stands as the first operand of at-least or less")


def _misplaced_time(operator: str, operands: Json, place: str, scope: Scope) -> Condition:
    refuse(place, "is a time: it stands as an operand of before, by or during")


def _pair(operands: Json, place: str) -> tuple[Json, Json]:
    first, second = _operands(operands, place, 2)
    return first, second


_COUNT_WORDS = {2: "two", 3: "three", 4: "four"}


def _operands(operands: Json, place: str, count: int) -> list[Json]:
    if not isinstance(operands, list) or len(operands) != count:
        refuse(place, f"must be a list of {_COUNT_WORDS[count]} operands")
    return operands


def _fact(value: Json, place: str, scope: Scope, types: tuple[str, ...]) -> Declaration:
    declaration = scope.declared(as_text(value, place), place)
    if declaration.type not in types:
        refuse(place, f"{declaration.name} is of type {declaration.type}, not of {types}")
    return declaration


def _field(value: Json, place: str, scope: Scope, types: tuple[str, ...]) -> Declaration:
    """A field of the items of the list looked at, not a fact about the whole case."""
    declaration = _fact(value, place, scope, types)
    if "." not in declaration.name:
        refuse(place, f"{declaration.name} is no field of {scope.within}")
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


def _bound(value: Json, place: str, scope: Scope) -> tuple[int, str]:
    if not isinstance(value, str):
        return as_whole(value, place, -WHOLE_MAX), ""
    parameter = scope.parameters.get(value)
    if not isinstance(parameter, Number):
        refuse(place, "must be a whole number or a parameter of type integer")
    return parameter.value, parameter.name


_OPERATORS: dict[str, Callable[[str, Json, str, Scope], Condition]] = {
    "and": _several,
    "or": _several,
    "not": _negation,
    "rule": _reference,
    "is": _equality,
    "in": _membership,
    "absent": _presence,
    "known": _presence,
    "some": _quantifier,
    "all": _quantifier,
    "at-least": _threshold,
    "less": _threshold,
    "before": _order,
    "by": _order,
    "during": _containment,
    "inside": _overlap,
    "touch": _overlap,
    **dict.fromkeys(_QUANTITIES, _misplaced_number),
    **dict.fromkeys(_TERMS, _misplaced_time),
}
OPERATORS = tuple(_OPERATORS)
