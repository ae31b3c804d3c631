"""What follows from the rules: outcomes in order, and the default if none of them holds.

    - when: confessed
      value: spared
      text: {en: "…"}
      favours: person
      publish: never
      amount: {least: 30, most: 50, unit: percent}
      final_when: told_everything        until then the outcome is conditional
      revoked_when: lied                 only what is found, never a doubt, takes it away
      unseal: {add: [death, twenty_years]}
      effects:
        - {name: no_office, text: {en: "…"}}    or `no_office` alone, which is no text

With `each: offences` the outcome is found for every offence by itself; `when` then names a rule
`of` that list. It is the case's own outcome only where none holds that is for the whole case,
and those are outcomes of no offence.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from safeconduct.protocol.canonical import Json
from safeconduct.protocol.statute.condition import Scope, read_term
from safeconduct.protocol.statute.facts import list_names
from safeconduct.protocol.statute.instant import Duration
from safeconduct.protocol.statute.parameter import read_duration
from safeconduct.protocol.statute.shape import (
    as_choice,
    as_list,
    as_map,
    as_name,
    as_whole,
    as_words,
    inside,
    refuse,
    unique,
)
from safeconduct.protocol.statute.text import (
    UNDETERMINED,
    Amount,
    Calendar,
    Outcome,
    Provision,
    Term,
    Words,
)

OUTCOMES_MAX = 20
EFFECTS_MAX = 20
PUBLISH = frozenset({"with_consent", "always", "never"})
FAVOURS = frozenset({"person", "body"})

_ALWAYS = ("value", "text", "publish")
_ANYWHERE = ("effects", "review_after", "ends_after", "amount", "unseal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What an outcome or a step may speak of."""

    scope: Scope
    rules: Mapping[str, Provision]
    calendar: Calendar | None


def read_outcomes(
    value: Json, default: Json, context: Context
) -> tuple[tuple[Outcome, ...], Outcome]:
    """The outcomes in order, and the default.

    Raises:
        MalformedError: any fault; names the place.
    """
    outcomes = as_list(
        value,
        "outcomes",
        OUTCOMES_MAX,
        lambda each, at: _read_ruled(each, at, context),
        least=1,
    )
    table = as_map(default, "default", _ALWAYS, _ANYWHERE)
    fallback = _read_outcome(table, "default", context, "")
    values = [each.value for each in (*outcomes, fallback)]
    unique(values, "outcomes")
    if UNDETERMINED in values:
        refuse("outcomes", f"{UNDETERMINED} has a meaning of its own")
    return outcomes, fallback


def _read_ruled(value: Json, place: str, context: Context) -> Outcome:
    optional = (*_ANYWHERE, "each", "final_when", "revoked_when")
    table = as_map(value, place, (*_ALWAYS, "when", "favours"), optional)
    lists = list_names(context.scope.facts)
    each = as_choice(table["each"], inside(place, "each"), lists) if "each" in table else ""
    return _read_outcome(table, place, context, each)


def _read_outcome(table: dict[str, Json], place: str, context: Context, each: str) -> Outcome:
    effects, effect_texts = read_effects(table.get("effects", []), inside(place, "effects"))
    return Outcome(
        value=as_name(table["value"], inside(place, "value")),
        text=as_words(table["text"], inside(place, "text")),
        effects=effects,
        effect_texts=effect_texts,
        publish=as_choice(table["publish"], inside(place, "publish"), PUBLISH),
        favours=as_choice(table.get("favours", "body"), inside(place, "favours"), FAVOURS),
        rule=_read_rule(table, place, "when", context, each, exactly=True),
        review_after=_read_duration(table, place, "review_after", context),
        each=each,
        amount=read_amount(table["amount"], inside(place, "amount"))
        if "amount" in table
        else None,
        final_when=_read_rule(table, place, "final_when", context, each),
        revoked_when=_read_rule(table, place, "revoked_when", context, each),
        unseal=_read_unseal(table, place, context),
        ends_after=_read_duration(table, place, "ends_after", context),
    )


def read_effects(value: Json, place: str) -> tuple[tuple[str, ...], dict[str, Words]]:
    """The names of the effects, one by one, and what those with a text say."""
    read = as_list(value, place, EFFECTS_MAX, _read_effect)
    names, texts = tuple(name for name, _ in read), {name: text for name, text in read if text}
    if texts:
        unique(names, place)
    return names, texts


def _read_effect(value: Json, place: str) -> tuple[str, Words]:
    if isinstance(value, str):
        return as_name(value, place), {}
    table = as_map(value, place, ("name", "text"))
    text = as_words(table["text"], inside(place, "text"))
    return as_name(table["name"], inside(place, "name")), text


def _read_rule(
    table: dict[str, Json],
    place: str,
    key: str,
    context: Context,
    each: str,
    exactly: bool = False,
) -> str:
    """The rule named: one of the items that the outcome is found for, or of the whole case."""
    if key not in table:
        return ""
    at = inside(place, key)
    name = as_choice(table[key], at, context.rules)
    of = context.rules[name].of
    if of != each and (of or exactly):
        whose = f"the items of {of}" if of else "the whole case"
        refuse(at, f"{name} speaks of {whose}; the outcome needs `each: {of or each}`")
    return name


def _read_duration(
    table: dict[str, Json], place: str, key: str, context: Context
) -> Duration | None:
    if key not in table:
        return None
    return read_duration(table[key], inside(place, key), context.calendar)


def read_amount(
    value: Json, place: str, as_unit: Callable[[Json, str], str] = as_name
) -> Amount:
    """What an outcome is worth; `as_unit` reads the unit."""
    table = as_map(value, place, ("least", "most", "unit"))
    least = as_whole(table["least"], inside(place, "least"))
    return Amount(
        least=least,
        most=as_whole(table["most"], inside(place, "most"), least),
        unit=as_unit(table["unit"], inside(place, "unit")),
    )


def _read_unseal(table: dict[str, Json], place: str, context: Context) -> Term | None:
    if "unseal" not in table:
        return None
    return read_term(table["unseal"], inside(place, "unseal"), context.scope)
