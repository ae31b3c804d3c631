"""The laws and cases that the tests of the statute engine share."""

import copy
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from safeconduct.errors import MalformedError
from safeconduct.plumbing.authored import parse_authored
from safeconduct.protocol.statute import (
    Facts,
    Judgement,
    Statute,
    evaluate,
    parse_instant,
    read_facts,
    read_statute,
)

STATUTES = Path(__file__).parents[3] / "statutes"
EXAMPLE = STATUTES / "example" / "acquittal" / "statute.yaml"
THE_DATE = parse_instant("2027-06-01T00:00:00Z", "the date")
AS_OF = parse_instant("2027-09-01T00:00:00Z", "as of")

GOOD_TIP = {
    "logged": [None, THE_DATE - 1],
    "author_proven": True,
    "acknowledged": "ok",
    "grade": "useful",
}
GOOD_STATEMENT = {
    "made": [THE_DATE - 3600, THE_DATE - 1],
    "speaker_is_claimant": True,
    "denounces": True,
    "withdrawn": False,
}


def example_document() -> Any:
    """A fresh copy of the example statute's document, free to be broken."""
    return copy.deepcopy(_example_document())


@cache
def _example_document() -> Any:
    return parse_authored(EXAMPLE.read_bytes(), "statute.yaml")


@cache
def example() -> Statute:
    """The example statute."""
    return read_statute(example_document())


def case(
    tips: list[Any] | None = None, statements: list[Any] | None = None, **facts: Any
) -> Facts:
    """The facts of a case under the example statute."""
    lists: Any = {"tips": tips or [], "statements": statements or []}
    return read_facts({"facts": facts, "lists": lists}, example().facts)


def judge(
    tips: list[Any] | None = None, statements: list[Any] | None = None, **facts: Any
) -> Judgement:
    """What the example statute says about a case."""
    return evaluate(example(), case(tips, statements, **facts), AS_OF)


def small_law(condition: Any, facts: Any | None = None, **more: Any) -> Any:
    """A statute document whose one rule is `condition`, in English, without cases."""
    declared = {"x": yesno(), "y": yesno(), "n": fact("integer"), "t": time(), "u": time()}
    declared |= {"acts.good": yesno(), "acts.when": time(), "acts.size": fact("integer")}
    return {
        "statute": {
            "id": "small",
            "schema": "1",
            "title": {"en": "Small act"},
            "languages": ["en"],
            "body": "nobody",
        },
        "version": {
            "number": 1,
            "published": "2020-01-01T00:00:00Z",
            "in_force_from": "2020-01-01T00:00:00Z",
        },
        "parameters": {
            "day": {
                "type": "instant",
                "value": "1970-01-01T00:16:40Z",
                "zone": "UTC",
                "bound": "exclusive",
                "may_change": "never",
                "section": "1",
            },
            "term": {
                "type": "duration",
                "amount": 1,
                "unit": "days",
                "may_change": "any",
                "section": "1",
            },
            "three": {"type": "integer", "value": 3, "may_change": "any", "section": "1"},
        },
        "facts": declared if facts is None else facts,
        "sections": [{"number": "1", "text": {"en": "One."}, "rule": "one", "if": condition}],
        "outcomes": [
            {
                "when": "one",
                "value": "granted",
                "text": {"en": "Granted."},
                "favours": "person",
                "publish": "never",
            }
        ],
        "default": {"value": "refused", "text": {"en": "Refused."}, "publish": "never"},
        "procedure": {"appeal_period": "term", "appeal_suspends": True, "decide_quorum": 2},
        "cases": [],
    } | more


def fact(kind: str, at_end: str = "wait", **more: Any) -> Any:
    """A declaration of a fact."""
    return {
        "type": kind,
        "asserted_by": "board",
        "standard": "reading",
        "unknown_at_end": at_end,
        "label": {"en": "a fact"},
    } | more


def yesno(at_end: str = "wait") -> Any:
    """A declaration of a fact that is true or false."""
    return fact("yesno", at_end)


def time(at_end: str = "wait", proof: str = "capture") -> Any:
    """A declaration of a time."""
    return fact("time", at_end, proof=proof)


def outcome_of(document: Any, facts: Any) -> str:
    """The outcome that a document gives to a facts document."""
    statute = read_statute(document)
    return evaluate(statute, read_facts(facts, statute.facts), AS_OF).outcome


def attempt(call: Callable[..., Any], *values: Any) -> tuple[Any, str]:
    """What the call returns, or what its `MalformedError` says."""
    try:
        return call(*values), ""
    except MalformedError as error:
        return None, error.message
