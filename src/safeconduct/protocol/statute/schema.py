"""The grammar of a statute as JSON Schema, so that editors complete and check while one writes.

It says which words stand where; what it cannot say, such as that a rule which is named exists,
is said by `load` and `lint`.

Spec: JSON Schema draft 2020-12.
"""

from collections.abc import Collection, Iterable

from safeconduct.protocol.canonical import Json
from safeconduct.protocol.statute.condition import OPERATORS
from safeconduct.protocol.statute.declaration import PROOFS
from safeconduct.protocol.statute.example import STANDINGS, STEP_STATES
from safeconduct.protocol.statute.facts import TYPES, UNKNOWN_AT_END
from safeconduct.protocol.statute.head import CAUSES, CREDIT_SCHEMES, GOVERNING_DAYS
from safeconduct.protocol.statute.instant import AMOUNT_MAX, ROUNDED_UNITS
from safeconduct.protocol.statute.load import SCHEMA
from safeconduct.protocol.statute.outcome import FAVOURS, PUBLISH
from safeconduct.protocol.statute.parameter import ENDS, MAY_CHANGE
from safeconduct.protocol.statute.section import JUDGEMENT

Schema = dict[str, Json]

DRAFT = "https://json-schema.org/draft/2020-12/schema"

_NAME_PATTERN = "^[a-z][a-z0-9_-]{0,63}$"
_DAY_PATTERN = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


def json_schema() -> Schema:
    """The JSON Schema of a statute as it is authored, as a JSON value."""
    return {
        "$schema": DRAFT,
        "title": "A statute of Safeconduct",
        "$defs": _definitions(),
        **_map(
            {
                "statute": _head(),
                "version": _version(),
                "calendar": _calendar(),
                "parameters": _named(_parameter(), "What the law fixes once."),
                "facts": _named(_fact(), "What may be asserted; `list.field` of each item."),
                "sections": _list(_any_of([_provision(), _passage()]), 1),
                "outcomes": _list(_outcome(), 1, "In order: the first whose rule holds."),
                "default": _map(_OUTCOME, ("value", "text", "publish")),
                "procedure": _procedure(),
                "cases": _list(_case()),
                "credits": _credits(),
            },
            (
                "statute",
                "version",
                "parameters",
                "facts",
                "sections",
                "outcomes",
                "default",
                "procedure",
                "cases",
            ),
        ),
    }


# How schemas are put together.


def _map(properties: dict[str, Schema], required: Iterable[str] = (), said: str = "") -> Schema:
    schema: Schema = {
        "type": "object",
        "properties": dict(properties),
        "required": [*sorted(required)],
        "additionalProperties": False,
    }
    return {**schema, "description": said} if said else schema


def _named(each: Schema, said: str = "") -> Schema:
    schema: Schema = {"type": "object", "additionalProperties": each}
    return {**schema, "description": said} if said else schema


def _list(each: Schema, least: int = 0, said: str = "") -> Schema:
    schema: Schema = {"type": "array", "items": each, "minItems": least}
    return {**schema, "description": said} if said else schema


def _tuple(*each: Schema) -> Schema:
    return {
        "type": "array",
        "prefixItems": list(each),
        "items": False,
        "minItems": len(each),
        "maxItems": len(each),
    }


def _choice(words: Collection[str], said: str = "") -> Schema:
    schema: Schema = {"enum": [*sorted(words)]}
    return {**schema, "description": said} if said else schema


def _any_of(each: Iterable[Schema]) -> Schema:
    return {"anyOf": list(each)}


def _of(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _whole(least: int | None = None) -> Schema:
    return {"type": "integer"} if least is None else {"type": "integer", "minimum": least}


def _said(schema: Schema, said: str) -> Schema:
    return {**schema, "description": said}


_TEXT: Schema = {"type": "string", "minLength": 1}
_YESNO: Schema = {"type": "boolean"}
_NAME, _WORDS, _INSTANT, _DAY = _of("name"), _of("words"), _of("instant"), _of("day")
_CONDITION, _TIME, _SPAN, _DURATION = (
    _of("condition"),
    _of("time"),
    _of("name"),
    _of("duration"),
)
_MOMENT = _any_of([_INSTANT, _DAY])


def _definitions() -> Schema:
    return {
        "name": {"type": "string", "pattern": _NAME_PATTERN},
        "words": {
            "type": "object",
            "description": "A text in each language of the statute.",
            "additionalProperties": _TEXT,
            "minProperties": 1,
        },
        "instant": {
            "type": "string",
            "description": "RFC 3339 with its offset, such as 2027-06-01T00:00:00+03:00.",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(Z|[+-][0-9]{2}:[0-9]{2})$",
        },
        "day": {"type": "string", "pattern": _DAY_PATTERN},
        "duration": _duration(),
        "condition": _condition(),
        "number": _number(),
        "time": _time(),
        "exception": _exception(),
    }


# The head.


def _head() -> Schema:
    return _map(
        {
            "id": _NAME,
            "schema": {"const": SCHEMA},
            "title": _WORDS,
            "languages": _list(_NAME, 1),
            "body": _said(_TEXT, "Who publishes this version."),
            "citation": _said(_TEXT, "The law, its number and its official place."),
            "governs": _map(
                {
                    "day": _choice(GOVERNING_DAYS, "Whose day chooses the version."),
                    "favourable": _said(_YESNO, "Whether the better of two results is taken."),
                    "section": _TEXT,
                },
                ("day", "favourable", "section"),
            ),
        },
        ("id", "schema", "title", "languages", "body"),
    )


def _version() -> Schema:
    annulment = _map(
        {
            "version": _whole(1),
            "from": _MOMENT,
            "sections": _list(_TEXT, 1, "Left out: all."),
            "by": _TEXT,
        },
        ("version", "from", "by"),
    )
    return _map(
        {
            "number": _whole(1),
            "published": _INSTANT,
            "in_force_from": _INSTANT,
            "in_force_to": _INSTANT,
            "supersedes": _said(_TEXT, "`previous`, or the SHA-256 of the version before."),
            "cause": _choice(CAUSES),
            "note": _TEXT,
            "annuls": _list(annulment),
        },
        ("number", "published", "in_force_from"),
    )


def _calendar() -> Schema:
    offset = _map(
        {"from": _INSTANT, "offset": {"type": "string", "pattern": "^[+-][0-9]{2}:[0-9]{2}$"}},
        ("from", "offset"),
    )
    return _map(
        {
            "zone": _TEXT,
            "offsets": _list(offset, 1, "Ascending; each holds until the next."),
            "weekend": _list({"enum": [1, 2, 3, 4, 5, 6, 7]}, 0, "1 is Monday, 7 is Sunday."),
            "holidays": _named(_list(_DAY), "By year; needed where working days are counted."),
        },
        ("zone", "offsets"),
    )


def _duration() -> Schema:
    properties: dict[str, Schema] = {
        "amount": _whole(1),
        "unit": _choice(AMOUNT_MAX),
        "rounding": _choice(("down", "up"), f"For {' and '.join(sorted(ROUNDED_UNITS))}."),
        "ends": _choice(ENDS),
        "roll": {"const": "next_working_day"},
    }
    return _map(properties, ("amount", "unit"))


# Parameters and facts.


def _parameter() -> Schema:
    common: dict[str, Schema] = {"may_change": _choice(MAY_CHANGE), "section": _TEXT}
    duration = _duration()["properties"]
    assert isinstance(duration, dict)
    measure = {key: each for key, each in duration.items() if isinstance(each, dict)}
    kinds: dict[str, tuple[dict[str, Schema], tuple[str, ...]]] = {
        "instant": (
            {
                "value": _INSTANT,
                "zone": _TEXT,
                "bound": _choice(("inclusive", "exclusive"), "Whether that second counts."),
            },
            (),
        ),
        "day": ({"value": _DAY, "ends": _TEXT}, ("ends",)),
        "period": ({"from": _MOMENT, "to": _MOMENT}, ()),
        "duration": (measure, ("rounding", "ends", "roll")),
        "integer": ({"value": _whole()}, ()),
        "list": ({"values": _list(_NAME, 1)}, ()),
    }
    return _any_of(
        _map(
            {"type": {"const": kind}, **own, **common},
            {"type", *own, *common} - set(optional),
        )
        for kind, (own, optional) in kinds.items()
    )


def _fact() -> Schema:
    return _map(
        {
            "type": _choice(TYPES),
            "values": _said(_list(_NAME, 2), "Of a choice."),
            "proof": _choice(PROOFS, "Of a time or a span."),
            "asserted_by": _NAME,
            "standard": _said(_NAME, "Of proof."),
            "unknown_at_end": _choice(UNKNOWN_AT_END, "What it means if nobody asserts it."),
            "label": _WORDS,
            "question": _said(_WORDS, "What the human who finds it is asked."),
            "confidential": _YESNO,
            "shown": _said(_YESNO, "Whether the letter tells its value."),
        },
        ("type", "asserted_by", "standard", "unknown_at_end", "label"),
    )


# Sections and conditions.


def _provision() -> Schema:
    properties: dict[str, Schema] = {
        "number": _TEXT,
        "text": _WORDS,
        "rule": _NAME,
        "of": _said(_NAME, "The list of whose items, one at a time, it speaks."),
        "if": _CONDITION,
        "unless": _list(_of("exception")),
    }
    return _map(properties, ("number", "text", "rule", "if"))


def _exception() -> Schema:
    properties: dict[str, Schema] = {
        "number": _TEXT,
        "text": _WORDS,
        "if": _CONDITION,
        "unless": _list(_of("exception")),
    }
    return _map(properties, ("number", "text", "if"))


def _passage() -> Schema:
    asks = _said(_TEXT, f"With `about: {JUDGEMENT}`: the fact that a human finds by it.")
    return _map(
        {"number": _TEXT, "text": _WORDS, "about": _NAME, "asks": asks},
        ("number", "text", "about"),
    )


_VALUE: Schema = _any_of([_YESNO, _whole(), _TEXT])
_WHOLE_OR_NAME = _any_of([_whole(), _NAME])
_OPERANDS: dict[str, Schema] = {
    "and": _list(_CONDITION, 1),
    "or": _list(_CONDITION, 1),
    "not": _CONDITION,
    "rule": _NAME,
    "is": _tuple(_TEXT, _VALUE),
    "in": _tuple(_TEXT, _any_of([_list(_VALUE, 1), _NAME])),
    "absent": _TEXT,
    "known": _TEXT,
    "some": _tuple(_NAME, _CONDITION),
    "all": _tuple(_NAME, _CONDITION),
    "at-least": _tuple(_of("number"), _WHOLE_OR_NAME),
    "less": _tuple(_of("number"), _WHOLE_OR_NAME),
    "before": _tuple(_TIME, _TIME),
    "by": _tuple(_TIME, _TIME),
    "during": _tuple(_TIME, _SPAN),
    "inside": _tuple(_SPAN, _SPAN),
    "touch": _tuple(_SPAN, _SPAN),
}
_NUMBERS: dict[str, Schema] = {
    "count": _tuple(_NAME, _CONDITION),
    "total": _tuple(_NAME, _CONDITION, _NAME),
    "rank": _tuple(_NAME, _CONDITION, _CONDITION, _TIME),
}
_TIMES: dict[str, Schema] = {
    "begin": _SPAN,
    "end": _SPAN,
    "add": _tuple(_TIME, _NAME),
    "later": _list(_TIME, 2),
    "earlier": _list(_TIME, 2),
    "when": _tuple(_CONDITION, _TIME, _TIME),
}
assert {*_OPERANDS, *_NUMBERS, *_TIMES} == set(OPERATORS)  # the list is closed


def _one_of(operands: dict[str, Schema]) -> Schema:
    return {
        "type": "object",
        "properties": dict(operands),
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }


def _condition() -> Schema:
    return _said(_one_of(_OPERANDS), "One operator and what it is applied to.")


def _number() -> Schema:
    return _any_of([_TEXT, _one_of(_NUMBERS)])


def _time() -> Schema:
    return _any_of([_said(_TEXT, "A fact, a date of the law, or as_of."), _one_of(_TIMES)])


# Outcomes, procedure, cases and credits.

_AMOUNT = _map(
    {"least": _whole(0), "most": _whole(0), "unit": _NAME}, ("least", "most", "unit")
)
_EFFECT = _any_of(
    [
        _map(
            {"name": _NAME, "text": _said(_WORDS, "What it does to the person.")},
            ("name", "text"),
        ),
        _said(_NAME, "Its name alone: persons are then shown no text in their language."),
    ]
)
_OUTCOME: dict[str, Schema] = {
    "value": _NAME,
    "text": _WORDS,
    "publish": _choice(PUBLISH),
    "effects": _list(_EFFECT),
    "review_after": _DURATION,
    "ends_after": _DURATION,
    "amount": _AMOUNT,
    "unseal": _said(_TIME, "When what was sealed may be shown."),
}


def _outcome() -> Schema:
    return _map(
        {
            "when": _said(_NAME, "The rule."),
            "favours": _choice(FAVOURS, "Decides whom a doubt helps."),
            "each": _said(_NAME, "The list for whose items it is found one by one."),
            "final_when": _said(_NAME, "Until this rule holds, it is conditional."),
            "revoked_when": _said(_NAME, "This rule takes it away."),
            **_OUTCOME,
        },
        ("when", "favours", "value", "text", "publish"),
    )


def _procedure() -> Schema:
    step = _map(
        {
            "name": _NAME,
            "text": _WORDS,
            "section": _TEXT,
            "owed_by": _NAME,
            "from": _TIME,
            "within": _said(_NAME, "A parameter of type duration."),
            "done": _said(_TEXT, "The time that shows when it was done."),
            "extended": _said(_NAME, "The rule under which `extension` counts instead."),
            "extension": _NAME,
            "owed_when": _said(_NAME, "The rule without which nothing is owed."),
        },
        ("name", "text", "section", "owed_by", "from", "within", "done"),
    )
    listing: dict[str, Schema] = {
        "reply_period": _NAME,
        "review_after": _DURATION,
        "ends_after": _DURATION,
        "effects": _list(_EFFECT),
        "section": _TEXT,
    }
    return _map(
        {
            "appeal_period": _said(_NAME, "A parameter of type duration."),
            "appeal_suspends": _YESNO,
            "decide_quorum": _whole(1),
            "members": _whole(1),
            "votes": _whole(1),
            "steps": _list(step),
            "listing": _map(listing, listing),
        },
        ("appeal_period", "appeal_suspends", "decide_quorum"),
    )


def _case() -> Schema:
    return _map(
        {
            "name": _TEXT,
            "why": _said(_TEXT, "What the law's text says about it."),
            "facts": _map(
                {
                    "facts": {"type": "object"},
                    "lists": _named(_list({"type": "object"})),
                }
            ),
            "as_of": _MOMENT,
            "outcome": _NAME,
            "sections": _list(_TEXT),
            "open": _list(_TEXT),
            "items": _named(_NAME),
            "steps": _named(_choice(STEP_STATES)),
            "standing": _choice(STANDINGS),
            "amount": _AMOUNT,
            "unsealed": _said(_DAY, "When what the outcome sealed may be shown."),
        },
        ("name", "facts", "outcome", "sections"),
    )


def _credits() -> Schema:
    properties: dict[str, Schema] = {
        "scheme": _choice(CREDIT_SCHEMES),
        "classes": _list(_NAME, 1),
        "periods": _list(_TEXT, 1),
        "minimum_issued": _whole(1),
        "section": _TEXT,
    }
    return _map(properties, properties)
