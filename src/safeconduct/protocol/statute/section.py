"""The sections of a law: numbered text, each with the rule it states and the exceptions to it.

    - number: "5(2)"
      text: {en: "…", de: "…"}
      rule: falsehood
      if: {is: [knowing_falsehood_found, true]}
      unless:
        - {number: "5(3)", text: {en: "…", de: "…"}, if: {is: [under_duress, true]}}

An exception may have exceptions. A section without a rule says what it is `about`. Rules refer
to one another by name, in any order, but never in a circle.
"""

from collections.abc import Callable

from safeconduct.protocol.canonical import Json
from safeconduct.protocol.statute.condition import Scope, read_condition
from safeconduct.protocol.statute.shape import (
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
    CONDITION_DEPTH_MAX,
    RULES_MAX,
    Condition,
    Passage,
    Provision,
    all_conditions,
    all_parts,
)

EXCEPTIONS_MAX = 20


def read_sections(value: Json, scope: Scope) -> tuple[Provision | Passage, ...]:
    """The list of sections, with every reference between rules checked.

    Raises:
        MalformedError: any fault; names the place.
    """
    sections = as_list(
        value, "sections", RULES_MAX, lambda each, at: _read_section(each, at, scope), least=1
    )
    parts = all_parts(sections)
    provisions = [part for part in sections if isinstance(part, Provision)]
    if len(parts) > RULES_MAX:
        refuse("sections", f"more than {RULES_MAX} sections and exceptions")
    unique([part.number for part in parts], "sections")
    unique([part.rule for part in provisions], "sections")
    _check_references(provisions)
    return sections


def _read_section(value: Json, place: str, scope: Scope) -> Provision | Passage:
    if "about" in as_table(value, place):
        table = as_map(value, place, ("number", "text", "about"))
        return Passage(
            number=as_text(table["number"], inside(place, "number")),
            text=as_words(table["text"], inside(place, "text")),
            place=place,
            about=as_name(table["about"], inside(place, "about")),
        )
    table = as_map(value, place, ("number", "text", "rule", "if"), ("unless",))
    rule = as_name(table["rule"], inside(place, "rule"))
    return _read_provision(table, place, scope, rule)


def _read_exception(value: Json, place: str, scope: Scope) -> Provision:
    table = as_map(value, place, ("number", "text", "if"), ("unless",))
    return _read_provision(table, place, scope, "")


def _read_provision(table: dict[str, Json], place: str, scope: Scope, rule: str) -> Provision:
    return Provision(
        number=as_text(table["number"], inside(place, "number")),
        text=as_words(table["text"], inside(place, "text")),
        place=place,
        condition=read_condition(table["if"], inside(place, "if"), scope),
        exceptions=as_list(
            table.get("unless", []),
            inside(place, "unless"),
            EXCEPTIONS_MAX,
            lambda each, at: _read_exception(each, at, scope),
        ),
        rule=rule,
    )


def _check_references(provisions: list[Provision]) -> None:
    """Every rule named exists, no rule leads back to itself, and none lies too deep."""
    rules = {each.rule: each for each in provisions}
    for provision in provisions:
        for condition in all_conditions(provision):
            if condition.operator == "rule" and condition.name not in rules:
                refuse(condition.place, f"there is no rule {condition.name}")
    depths: dict[str, int] = {}
    for provision in provisions:
        _rule_depth(provision, rules, (), depths)


def _rule_depth(
    rule: Provision, rules: dict[str, Provision], path: tuple[str, ...], depths: dict[str, int]
) -> int:
    if rule.rule in path:
        refuse(rule.place, f"the rules lead in a circle: {' → '.join((*path, rule.rule))}")
    if rule.rule not in depths:
        below = (*path, rule.rule)
        depth = _provision_depth(
            rule, lambda name: _rule_depth(rules[name], rules, below, depths)
        )
        if depth > CONDITION_DEPTH_MAX:
            refuse(rule.place, f"conditions lie deeper than {CONDITION_DEPTH_MAX} operators")
        depths[rule.rule] = depth
    return depths[rule.rule]


def _provision_depth(provision: Provision, referred: Callable[[str], int]) -> int:
    def depth(condition: Condition) -> int:
        if condition.operator == "rule":
            return 1 + referred(condition.name)
        return 1 + max((depth(part) for part in condition.parts), default=0)

    exceptions = (1 + _provision_depth(each, referred) for each in provision.exceptions)
    return max(depth(provision.condition), *exceptions, 0)
