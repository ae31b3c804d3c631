"""The sections of a law: numbered text, each with the rule it states and the exceptions to it.

    - number: "5(2)"
      text: {en: "…", de: "…"}
      rule: falsehood
      if: {is: [knowing_falsehood_found, true]}
      unless:
        - {number: "5(3)", text: {en: "…", de: "…"}, if: {is: [under_duress, true]}}

An exception may have exceptions. A section without a rule says what it is `about`; one that
only a human can apply is `about: judgement` and `asks` for the fact that this human finds. A
section `of: offences` speaks of one offence at a time. Rules refer to one another by name, in
any order, but never in a circle; a rule of a list is named where one of its items is looked at.
"""

from collections.abc import Iterator
from dataclasses import replace

from safeconduct.protocol.canonical import Json
from safeconduct.protocol.statute.condition import Scope, read_condition
from safeconduct.protocol.statute.facts import list_names
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
    CONDITION_DEPTH_MAX,
    RULES_MAX,
    Condition,
    Passage,
    Provision,
    all_parts,
    direct_parts,
)
from safeconduct.protocol.statute.walk import seen_in

EXCEPTIONS_MAX = 20
JUDGEMENT = "judgement"


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
        return _read_passage(value, place, scope)
    table = as_map(value, place, ("number", "text", "rule", "if"), ("unless", "of"))
    rule = as_name(table["rule"], inside(place, "rule"))
    if "of" not in table:
        return _read_provision(table, place, scope, rule)
    of = as_choice(table["of"], inside(place, "of"), list_names(scope.facts))
    return replace(_read_provision(table, place, replace(scope, within=of), rule), of=of)


def _read_passage(value: Json, place: str, scope: Scope) -> Passage:
    table = as_map(value, place, ("number", "text", "about"), ("asks",))
    about = as_name(table["about"], inside(place, "about"))
    at = inside(place, "asks")
    if "asks" in table and about != JUDGEMENT:
        refuse(at, f"stands with `about: {JUDGEMENT}`, and only there")
    return Passage(
        number=as_text(table["number"], inside(place, "number")),
        text=as_words(table["text"], inside(place, "text")),
        place=place,
        about=about,
        asks=as_choice(table["asks"], at, scope.facts) if "asks" in table else "",
    )


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
        for condition, within in seen_in(provision):
            if condition.operator == "rule":
                check_reference(condition, within, rules)
    depths: dict[str, int] = {}
    for provision in provisions:
        _rule_depth(provision, rules, (), depths)


def check_reference(condition: Condition, within: str, rules: dict[str, Provision]) -> None:
    """Ensure that the rule referred to exists, and may be where an item of `within` is meant.

    Raises:
        MalformedError: it does not exist, or speaks of the items of another list.
    """
    rule = rules.get(condition.name)
    if rule is None:
        refuse(condition.place, f"there is no rule {condition.name}")
    if rule.of and rule.of != within:
        refuse(condition.place, f"{rule.rule} speaks of one of {rule.of}, and here is none")


def _rule_depth(
    rule: Provision, rules: dict[str, Provision], path: tuple[str, ...], depths: dict[str, int]
) -> int:
    if rule.rule in path:
        refuse(rule.place, f"the rules lead in a circle: {' → '.join((*path, rule.rule))}")
    if rule.rule not in depths:
        below, depth = (*path, rule.rule), 0
        for name, above in _ways_down(rule):
            reached = _rule_depth(rules[name], rules, below, depths) if name else 0
            depth = max(depth, above + reached)
        if depth > CONDITION_DEPTH_MAX:
            refuse(rule.place, f"conditions lie deeper than {CONDITION_DEPTH_MAX} operators")
        depths[rule.rule] = depth
    return depths[rule.rule]


def _ways_down(provision: Provision) -> Iterator[tuple[str, int]]:
    """Where each way down ends, at a rule or at a test, and how many operators lie on it."""
    yield from _ends(provision.condition, 1)
    for exception in provision.exceptions:
        for name, depth in _ways_down(exception):
            yield name, depth + 1


def _ends(condition: Condition, depth: int) -> Iterator[tuple[str, int]]:
    yield condition.name if condition.operator == "rule" else "", depth
    for part in direct_parts(condition):
        yield from _ends(part, depth + 1)
