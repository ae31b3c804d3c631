"""How a decision is made and contested, and what is owed in time.

appeal_period: appeal
appeal_suspends: true
decide_quorum: 2
members: 5
votes: 3
steps:
  - {name: acknowledge, text: {en: "…"}, section: "9", owed_by: desk, from: received,
     within: seven_days, done: acknowledged, owed_when: received_in_writing}
listing: {reply_period: reply, review_after: {…}, ends_after: {…}, section: "7",
          effects: [{name: no_office, text: {en: "…"}}]}
"""

from collections.abc import Collection

from safeconduct.protocol.canonical import Json
from safeconduct.protocol.statute.condition import read_term
from safeconduct.protocol.statute.head import read_section_number
from safeconduct.protocol.statute.outcome import Context, read_effects
from safeconduct.protocol.statute.parameter import read_duration, read_named_duration
from safeconduct.protocol.statute.shape import (
    as_choice,
    as_list,
    as_map,
    as_name,
    as_text,
    as_whole,
    as_words,
    as_yesno,
    inside,
    refuse,
    unique,
)
from safeconduct.protocol.statute.text import Listing, Procedure, Step

STEPS_MAX = 50
MEMBERS_MAX = 1_000
QUORUM_MAX = 100


def read_procedure(
    value: Json, place: str, context: Context, numbers: Collection[str]
) -> Procedure:
    """The procedure; `numbers` are the sections that there are.

    Raises:
        MalformedError: any fault; names the place.
    """
    table = as_map(
        value,
        place,
        ("appeal_period", "appeal_suspends", "decide_quorum"),
        ("members", "votes", "steps", "listing"),
    )
    parameters = context.scope.parameters
    at = inside(place, "appeal_period")
    period = read_named_duration(table["appeal_period"], at, parameters)
    steps_at = inside(place, "steps")
    steps = as_list(
        table.get("steps", []),
        steps_at,
        STEPS_MAX,
        lambda each, here: _read_step(each, here, context, numbers),
    )
    unique([step.name for step in steps], steps_at)
    members = _count(table, place, "members", MEMBERS_MAX)
    votes = _count(table, place, "votes", members or MEMBERS_MAX)
    listing = table.get("listing")
    return Procedure(
        appeal_period=period.duration,
        appeal_section=period.section,
        appeal_suspends=as_yesno(table["appeal_suspends"], inside(place, "appeal_suspends")),
        decide_quorum=_count(table, place, "decide_quorum", members or QUORUM_MAX),
        members=members,
        votes=votes,
        steps=steps,
        listing=None
        if listing is None
        else _read_listing(listing, inside(place, "listing"), context, numbers),
    )


def _count(table: dict[str, Json], place: str, key: str, most: int) -> int:
    return as_whole(table[key], inside(place, key), 1, most) if key in table else 0


def _read_step(value: Json, place: str, context: Context, numbers: Collection[str]) -> Step:
    table = as_map(
        value,
        place,
        ("name", "text", "section", "owed_by", "from", "within", "done"),
        ("extended", "extension", "owed_when"),
    )
    if ("extended" in table) != ("extension" in table):
        refuse(place, "`extended` and `extension` stand together")
    scope, at = context.scope, inside(place, "within")
    extension = None
    if "extension" in table:
        named = inside(place, "extension")
        extension = read_named_duration(table["extension"], named, scope.parameters).duration
    return Step(
        name=as_name(table["name"], inside(place, "name")),
        text=as_words(table["text"], inside(place, "text")),
        section=read_section_number(table["section"], inside(place, "section"), numbers),
        owed_by=as_name(table["owed_by"], inside(place, "owed_by")),
        anchor=read_term(table["from"], inside(place, "from"), scope),
        within=read_named_duration(table["within"], at, scope.parameters).duration,
        done=_read_done(table["done"], inside(place, "done"), context),
        extended=_read_rule(table, place, "extended", context),
        extension=extension,
        owed_when=_read_rule(table, place, "owed_when", context),
    )


def _read_done(value: Json, place: str, context: Context) -> str:
    declared = context.scope.declared(as_text(value, place), place)
    if declared.type != "time":
        refuse(place, f"{declared.name} is of type {declared.type}, not of time")
    return declared.name


def _read_rule(table: dict[str, Json], place: str, key: str, context: Context) -> str:
    if key not in table:
        return ""
    at = inside(place, key)
    name = as_choice(table[key], at, context.rules)
    if context.rules[name].of:
        refuse(at, f"{name} speaks of the items of {context.rules[name].of}")
    return name


def _read_listing(
    value: Json, place: str, context: Context, numbers: Collection[str]
) -> Listing:
    table = as_map(
        value, place, ("reply_period", "review_after", "ends_after", "effects", "section")
    )
    reply_at = inside(place, "reply_period")
    reply = read_named_duration(table["reply_period"], reply_at, context.scope.parameters)
    review, ends = (
        read_duration(table[key], inside(place, key), context.calendar)
        for key in ("review_after", "ends_after")
    )
    effects, texts = read_effects(table["effects"], inside(place, "effects"))
    return Listing(
        reply_period=reply.duration,
        review_after=review,
        ends_after=ends,
        effects=effects,
        effect_texts=texts,
        section=read_section_number(table["section"], inside(place, "section"), numbers),
    )
