"""A small law that uses all of the grammar, for the tests to break."""

import copy
from typing import Any

from tests.protocol.statute.laws import fact, time, yesno

CALENDAR: Any = {
    "zone": "Europe/Prague",
    "offsets": [
        {"from": "1900-01-01T00:00:00Z", "offset": "+01:00"},
        {"from": "2024-03-31T01:00:00Z", "offset": "+02:00"},
        {"from": "2024-10-27T01:00:00Z", "offset": "+01:00"},
    ],
    "weekend": [6, 7],
    "holidays": {"2024": ["2024-01-01", "2024-12-25"], "2025": ["2025-01-01"]},
}


def parameter(kind: str, may_change: str = "any", **more: Any) -> Any:
    """A parameter's table, of section 1."""
    return {"type": kind, "may_change": may_change, "section": "1"} | more


def section(number: str, rule: str, condition: Any, **more: Any) -> Any:
    """A section that states a rule, in English."""
    return {"number": number, "text": {"en": number}, "rule": rule, "if": condition} | more


def outcome(value: str, rule: str, favours: str = "person", **more: Any) -> Any:
    """An outcome in English."""
    return {
        "when": rule,
        "value": value,
        "text": {"en": value},
        "favours": favours,
        "publish": "never",
    } | more


GROWN: Any = {
    "statute": {
        "id": "grown",
        "schema": "1",
        "title": {"en": "Grown act"},
        "languages": ["en"],
        "body": "nobody",
        "citation": "Act 1 of no year",
        "governs": {"day": "act", "favourable": True, "section": "9"},
    },
    "version": {
        "number": 1,
        "published": "2024-01-01T00:00:00Z",
        "in_force_from": "2024-01-02T00:00:00Z",
        "in_force_to": "2025-01-01T00:00:00Z",
        "cause": "enacted",
        "note": "the first",
    },
    "calendar": CALENDAR,
    "parameters": {
        "last_day": parameter("day", "later_only", value="2024-06-30", ends="17:00"),
        "conflict": parameter("period", **{"from": "1989-01-01", "to": "1991-12-31"}),
        "appeal": parameter("duration", amount=15, unit="days", ends="end_of_day"),
        "answer": parameter("duration", amount=5, unit="working_days", ends="end_of_day"),
        "longer": parameter(
            "duration", amount=1, unit="years", rounding="down", ends="same_time"
        ),
        "three": parameter("integer", value=3),
        "grave": parameter("list", values=["torture", "murder"]),
    },
    "facts": {
        "confessed": time("wait"),
        "service": fact("span", proof="finding"),
        "received": time("wait"),
        "answered": time("wait"),
        "lied": yesno("body_bears"),
        "full": yesno() | {"question": {"en": "Was everything told?"}},
        "hard": yesno("body_bears"),
        "acts.kind": fact("choice", values=["torture", "murder", "theft"]),
        "acts.done": time("wait"),
    },
    "sections": [
        section("1", "in_time", {"by": ["confessed", "last_day"]}),
        section("2", "whole", {"and": [{"rule": "in_time"}, {"is": ["full", True]}]}),
        section("3", "lied", {"is": ["lied", True]}),
        section(
            "4",
            "small",
            {"during": ["done", "conflict"]},
            of="acts",
            unless=[{"number": "4a", "text": {"en": "4a"}, "if": {"in": ["kind", "grave"]}}],
        ),
        section("5", "hard", {"is": ["hard", True]}),
        section(
            "6",
            "many",
            {
                "and": [
                    {"at-least": [{"count": ["acts", {"rule": "small"}]}, "three"]},
                    {"touch": ["service", "conflict"]},
                ]
            },
        ),
        {"number": "7", "text": {"en": "7"}, "about": "judgement", "asks": "full"},
        {"number": "9", "text": {"en": "9"}, "about": "versions"},
    ],
    "outcomes": [
        outcome(
            "spared",
            "in_time",
            final_when="whole",
            revoked_when="lied",
            amount={"least": 30, "most": 50, "unit": "percent"},
            unseal={"add": [{"end": "service"}, "longer"]},
            ends_after={"amount": 2, "unit": "years", "rounding": "down"},
        ),
        outcome("act_spared", "small", each="acts"),
        outcome(
            "listed",
            "many",
            "body",
            review_after={"amount": 1, "unit": "years", "rounding": "up"},
        ),
    ],
    "default": {
        "value": "nothing",
        "text": {"en": "nothing"},
        "publish": "never",
        "review_after": {"amount": 12, "unit": "months", "rounding": "down"},
    },
    "procedure": {
        "appeal_period": "appeal",
        "appeal_suspends": True,
        "decide_quorum": 2,
        "members": 5,
        "votes": 3,
        "steps": [
            {
                "name": "answer",
                "text": {"en": "answer"},
                "section": "9",
                "owed_by": "desk",
                "from": "received",
                "within": "answer",
                "done": "answered",
                "extended": "hard",
                "extension": "longer",
            }
        ],
        "listing": {
            "reply_period": "appeal",
            "review_after": {"amount": 1, "unit": "years", "rounding": "down"},
            "ends_after": {"amount": 5, "unit": "years", "rounding": "down"},
            "effects": ["barred"],
            "section": "7",
        },
    },
    "cases": [
        {
            "name": "a confession on the last day, told in full",
            "why": "Section 1 spares until the end of the last day.",
            "facts": {
                "facts": {
                    "confessed": {"parameter": "last_day", "seconds": 3600},
                    "full": True,
                    "received": "2024-07-01",
                    "answered": "2024-07-04",
                    "service": {"begin": "1980", "end": "absent"},
                }
            },
            "as_of": "2024-08-01",
            "outcome": "spared",
            "sections": ["1", "2"],
            "steps": {"answer": "met"},
            "standing": "granted",
            "amount": {"least": 30, "most": 50, "unit": "percent"},
        },
    ],
}


def grown() -> Any:
    """A fresh copy of the law."""
    return copy.deepcopy(GROWN)
