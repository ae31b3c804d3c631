"""The proof of a decision as steps: each is about the item that it was worked out from."""

from typing import Any

import pytest
from tests.protocol.statute.wide import judged, wide_document

from safeconduct.parties.registry.proof import Step, draw
from safeconduct.protocol.statute import Statute, read_statute
from safeconduct.protocol.statute.explain import reasons

FINE: Any = {"rule": "fine"}
MINE: Any = {"is": ["mine", True]}
ACTS: Any = [
    {"good": True, "mine": False, "when": 5, "held": {"begin": "1970-01-02", "end": "absent"}},
    {"good": True, "mine": True, "when": 9, "held": {"begin": "1970-01-05", "end": "absent"}},
    {"good": False, "mine": False, "when": 7, "held": {"begin": "1970-01-09", "end": "absent"}},
]
EACH = ["acts[0]", "acts[1]", "acts[2]"]

# What is tried, and the items that the sections below it say they are about.
LISTS: dict[str, tuple[Any, list[str]]] = {
    "some": ({"some": ["acts", FINE]}, EACH),
    "all": ({"all": ["acts", FINE]}, EACH),
    "count": ({"at-least": [{"count": ["acts", FINE]}, 2]}, EACH),
    "total": ({"at-least": [{"total": ["acts", FINE, "held"]}, 2]}, []),
    "rank": ({"less": [{"rank": ["acts", MINE, FINE, "when"]}, 3]}, []),
    "rank by a date of the law": ({"less": [{"rank": ["acts", MINE, FINE, "date"]}, 3]}, []),
    "rank of nobody": (
        {"less": [{"rank": ["acts", {"is": ["kind", "murder"]}, FINE, "when"]}, 3]},
        [],
    ),
}


def law(condition: Any) -> Statute:
    """A law whose rule asks about a list, item by item, with another section."""
    document = wide_document(condition)
    document["sections"].append(
        {
            "number": "2",
            "text": {"en": "An act is fine if it is good."},
            "rule": "fine",
            "of": "acts",
            "if": {"is": ["good", True]},
        }
    )
    return read_statute(document)


def below(step: Step) -> list[Step]:
    return [step, *(each for child in step.children for each in below(child))]


@pytest.mark.parametrize("name", LISTS)
def test_a_section_is_about_an_item_only_where_it_was_tried_for_this_item(name: str) -> None:
    condition, items = LISTS[name]
    statute = law(condition)
    judgement = judged(statute, acts=ACTS)
    drawing = draw(statute, judgement, is_open=True)
    steps = [step for root in drawing.steps for step in below(root)]
    tried = [step for step in steps if step.section == "2"]
    assert len(tried) == len(ACTS)
    assert [step.remark for step in tried if step.remark] == items
    told = reasons(statute, judgement)
    named = [f"no. {number} of the list acts" for number in (1, 2, 3)]
    assert all((f"Section 2 for {item} " in told) is bool(items) for item in named), told


def test_no_step_is_about_an_item_that_does_not_exist() -> None:
    for condition, _ in LISTS.values():
        statute = law(condition)
        drawing = draw(statute, judged(statute, acts=ACTS), is_open=True)
        told = " ".join(step.remark for root in drawing.steps for step in below(root))
        assert not any(f"acts[{number}]" in told for number in range(len(ACTS), 9))
