"""A short act: whoever denounced before the date is acquitted, everybody else stays listed."""

from safeconduct.protocol.canonical import Json, format_json

THE_DATE = "2027-06-01T00:00:00Z"


def law(the_date: str = THE_DATE) -> bytes:
    """A short act: whoever denounced before the date is acquitted."""
    words: Json = {"en": "What this is."}
    fact: dict[str, Json] = {
        "asserted_by": "board",
        "label": words,
        "standard": "proven",
        "unknown_at_end": "person_bears",
    }
    statement: dict[str, Json] = {
        "denounces": True,
        "made": {"parameter": "the_date", "seconds": -1},
        "speaker_is_claimant": True,
    }
    denounced: Json = {
        "some": [
            "statements",
            {
                "and": [
                    {"is": ["speaker_is_claimant", True]},
                    {"is": ["denounces", True]},
                    {"before": ["made", "the_date"]},
                ]
            },
        ]
    }
    return format_json(
        {
            "statute": {
                "id": "example-act",
                "schema": "1",
                "title": words,
                "languages": ["en"],
                "body": "Example Body",
            },
            "version": {
                "number": 1,
                "published": "2027-01-01T00:00:00Z",
                "in_force_from": "2027-01-02T00:00:00Z",
            },
            "parameters": {
                "the_date": {
                    "type": "instant",
                    "value": the_date,
                    "zone": "UTC",
                    "bound": "exclusive",
                    "may_change": "never",
                    "section": "2",
                },
                "appeal": {
                    "type": "duration",
                    "amount": 30,
                    "unit": "days",
                    "may_change": "any",
                    "section": "3",
                },
            },
            "facts": {
                "statements.made": {**fact, "type": "time", "proof": "capture"},
                "statements.denounces": {**fact, "type": "yesno"},
                "statements.speaker_is_claimant": {**fact, "type": "yesno"},
            },
            "sections": [
                {"number": "1", "text": words, "rule": "denounced", "if": denounced},
                {"number": "2", "text": words, "about": "date"},
                {"number": "3", "text": words, "about": "appeal"},
            ],
            "outcomes": [
                {
                    "value": "acquitted",
                    "text": words,
                    "publish": "always",
                    "when": "denounced",
                    "favours": "person",
                }
            ],
            "default": {
                "value": "registered",
                "text": words,
                "publish": "always",
                "effects": ["listed"],
                "review_after": {"amount": 365, "unit": "days"},
            },
            "procedure": {
                "appeal_period": "appeal",
                "appeal_suspends": True,
                "decide_quorum": 2,
            },
            "cases": [
                {
                    "name": "in time",
                    "facts": {"lists": {"statements": [statement]}},
                    "outcome": "acquitted",
                    "sections": ["1"],
                },
                {"name": "silent", "facts": {}, "outcome": "registered", "sections": ["1"]},
            ],
        }
    )
