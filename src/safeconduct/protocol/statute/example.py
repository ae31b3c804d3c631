"""The cases that a law carries: facts, and the result that the law's text gives them.

    - name: a confession on the last day spares
      facts: {facts: {confessed: "1996-03-31"}}
      as_of: "1996-06-01"
      outcome: spared
      sections: ["5(1)"]
      amount: {least: 30, most: 50, unit: percent}
      why: § 5(1) spares whoever confessed within one year of the entry into force.

They are written from the law, never from what the evaluator says.
"""

import re
from collections.abc import Callable

from safeconduct.protocol.canonical import Json
from safeconduct.protocol.statute.calendar import parse_ordinal
from safeconduct.protocol.statute.facts import list_names, read_facts
from safeconduct.protocol.statute.head import read_moment
from safeconduct.protocol.statute.outcome import read_amount
from safeconduct.protocol.statute.shape import (
    WHOLE_MAX,
    as_choice,
    as_list,
    as_map,
    as_table,
    as_text,
    as_whole,
    inside,
    refuse,
    unique,
)
from safeconduct.protocol.statute.text import (
    CASES_MAX,
    RULES_MAX,
    UNDETERMINED,
    Case,
    Day,
    Instant,
    Statute,
    all_parts,
)

STEP_STATES = ("not_owed", "not_begun", "open", "met", "late", "breached", "unknown")
STANDINGS = ("granted", "conditional", "revoked")
CASE_KEYS = ("name", "facts", "outcome", "sections")
MORE_CASE_KEYS = ("open", "as_of", "items", "steps", "standing", "amount", "unsealed", "why")

_ITEM = re.compile(r"([a-z][a-z0-9_-]*)\[(?:0|[1-9][0-9]{0,3})\]")


def read_cases(value: Json, statute: Statute) -> tuple[Case, ...]:
    """The cases of `statute`, whose other parts have been read.

    Raises:
        MalformedError: any fault; names the place.
    """
    cases = as_list(value, "cases", CASES_MAX, lambda each, at: _read_case(each, at, statute))
    unique([case.name for case in cases], "cases")
    return cases


def _read_case(value: Json, place: str, statute: Statute) -> Case:
    table = as_map(value, place, CASE_KEYS, MORE_CASE_KEYS)
    at = inside(place, "facts")
    waiting = table.get("open")
    as_of = table.get("as_of")
    facts = _resolve(table["facts"], at, statute)
    return Case(
        name=as_text(table["name"], inside(place, "name")),
        place=place,
        facts=read_facts(facts, statute.facts, at, statute.calendar),
        outcome=as_choice(table["outcome"], inside(place, "outcome"), _outcomes(statute)),
        sections=as_list(
            table["sections"], inside(place, "sections"), RULES_MAX, _known_section(statute)
        ),
        open_facts=None
        if waiting is None
        else as_list(waiting, inside(place, "open"), RULES_MAX, as_text),
        as_of=None
        if as_of is None
        else read_moment(as_of, inside(place, "as_of"), statute.calendar),
        items=_read_items(table.get("items", {}), inside(place, "items"), statute),
        steps=_read_steps(table.get("steps", {}), inside(place, "steps"), statute),
        standing=as_choice(table["standing"], inside(place, "standing"), STANDINGS)
        if "standing" in table
        else "",
        amount=read_amount(table["amount"], inside(place, "amount"), _known_unit(statute))
        if "amount" in table
        else None,
        unsealed=_read_unsealed(table, place, statute),
        why=as_text(table["why"], inside(place, "why")) if "why" in table else "",
    )


def _outcomes(statute: Statute) -> set[str]:
    return {each.value for each in (*statute.outcomes, statute.default)} | {UNDETERMINED}


def _known_section(statute: Statute) -> Callable[[Json, str], str]:
    numbers = {part.number for part in all_parts(statute.sections)}
    return lambda value, place: as_choice(value, place, numbers)


def _read_items(value: Json, place: str, statute: Statute) -> dict[str, str]:
    lists, outcomes = list_names(statute.facts), _outcomes(statute)
    found = {}
    for item, outcome in as_table(value, place).items():
        written = _ITEM.fullmatch(item)
        if written is None or written.group(1) not in lists:
            refuse(inside(place, item), "names no item, such as `offences[0]`")
        found[item] = as_choice(outcome, inside(place, item), outcomes)
    return found


def _read_steps(value: Json, place: str, statute: Statute) -> dict[str, str]:
    names = [step.name for step in statute.procedure.steps]
    table = as_map(value, place, (), names)
    return {
        name: as_choice(each, inside(place, name), STEP_STATES) for name, each in table.items()
    }


def _known_unit(statute: Statute) -> Callable[[Json, str], str]:
    outcomes = (*statute.outcomes, statute.default)
    units = {each.amount.unit for each in outcomes if each.amount is not None}
    return lambda value, place: as_choice(value, place, units)


def _read_unsealed(table: dict[str, Json], place: str, statute: Statute) -> str:
    if "unsealed" not in table:
        return ""
    at = inside(place, "unsealed")
    if statute.calendar is None:
        refuse(at, "a day needs a calendar, and the statute has none")
    day = as_text(table["unsealed"], at)
    parse_ordinal(day, at)
    return day


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
    if not isinstance(parameter, Instant | Day):
        refuse(inside(place, "parameter"), "must name a parameter of type instant or day")
    at = parameter.at if isinstance(parameter, Instant) else parameter.begins_at
    return at + as_whole(value["seconds"], inside(place, "seconds"), -WHOLE_MAX)
