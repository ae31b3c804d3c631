"""The example statute's question as rules of the GoRules engine, in that engine's own idiom.

Two expression nodes, the tests of each fact and the rules made of them, and a table that takes
the first row that fits. It has two truth values and knows no evidence; its trace holds each
test, each rule and the row that was met. `dated` compares dates as text with their offsets, as
people write them; else whole seconds.
"""

import json
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import zen

_TIPS = (
    "map(tips, {{before: {logged} < {date}, author: #.author_proven == true,"
    " acknowledged: #.acknowledged == 'ok', grade: #.grade in ['corroborated', 'useful']}})"
)
_STATEMENTS = (
    "map(statements, {{before: {made} < {date}, speaker: #.speaker_is_claimant == true,"
    " denounces: #.denounces == true, stands: #.withdrawn == false}})"
)
_ROWS = (
    ("crime", "registration_stands", "3, 5(1)"),
    ("falsehood", "registration_stands", "3, 5(2)"),
    ("helped", "acquitted", "3, 4(1)"),
    ("denounced", "acquitted", "3, 4(2)"),
    ("", "registration_stands", "3, 4(1), 4(2)"),
)
_RULES = ("crime", "falsehood", "helped", "denounced")


def engine(*, dated: bool) -> Callable[[dict[str, Any]], str]:
    """The engine with these rules loaded: facts in, outcome out, a trace made each time."""
    decision = zen.ZenEngine().create_decision(json.dumps(_graph(dated=dated)))

    def decide(facts: dict[str, Any]) -> str:
        found = decision.evaluate(facts, {"trace": True})
        assert found["trace"]
        return str(found["result"]["outcome"])

    return decide


def _graph(*, dated: bool) -> dict[str, Any]:
    names = {"logged": "#.logged", "made": "#.made", "date": "the_date"}
    times = {key: f"d({name})" if dated else name for key, name in names.items()}
    return {
        "contentType": "application/vnd.gorules.decision",
        "nodes": [
            _node("in", "inputNode"),
            _node("tests", "expressionNode", _expressions(_tests(times))),
            _node("rules", "expressionNode", _expressions(_MADE_OF_TESTS)),
            _node("table", "decisionTableNode", _table()),
            _node("out", "outputNode"),
        ],
        "edges": [_edge(*pair) for pair in pairwise(("in", "tests", "rules", "table", "out"))],
    }


def _node(name: str, kind: str, content: object = None) -> dict[str, Any]:
    node = {"id": name, "name": name, "type": kind, "position": {"x": 0, "y": 0}}
    return node if content is None else {**node, "content": content}


def _edge(source: str, target: str) -> dict[str, str]:
    return {"id": f"{source}-{target}", "sourceId": source, "targetId": target, "type": "edge"}


def _tests(times: Mapping[str, str]) -> dict[str, str]:
    return {
        "tip": _TIPS.format(**times),
        "statement": _STATEMENTS.format(**times),
        "crime": "grave_crime_proven == true",
        "lied": "knowing_falsehood_found == true",
        "duress": "falsehood_under_duress == true",
    }


_MADE_OF_TESTS = {
    "helped": "some(tip, #.before and #.author and #.acknowledged and #.grade)",
    "denounced": "some(statement, #.before and #.speaker and #.denounces and #.stands)",
    "crime": "crime",
    "falsehood": "lied and not(duress)",
}


def _expressions(named: Mapping[str, str]) -> dict[str, Any]:
    return {
        "expressions": [
            {"id": key, "key": key, "value": value} for key, value in named.items()
        ],
        "passThrough": False,
    }


def _table() -> dict[str, Any]:
    rows = [
        {"_id": str(number), "outcome": f"'{outcome}'", "sections": f"'{sections}'"}
        | {rule: "true" if rule == met else "" for rule in _RULES}
        for number, (met, outcome, sections) in enumerate(_ROWS)
    ]
    return {
        "hitPolicy": "first",
        "inputs": [{"id": rule, "name": rule, "field": rule} for rule in _RULES],
        "outputs": [{"id": key, "name": key, "field": key} for key in ("outcome", "sections")],
        "rules": rows,
    }
