"""The proof as a picture: well-formed, bounded, readable, and only shapes and text."""

import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from tests.protocol.statute.laws import GOOD_TIP, example, example_document, judge, small_law
from tests.protocol.statute.wide import judged, wide_document, wide_law

from safeconduct.protocol.statute import evaluate, read_facts, read_statute
from safeconduct.protocol.statute.picture import BOXES_MAX, LINES_MAX, picture, wrapped
from safeconduct.protocol.statute.wording import LANGUAGES

SVG = "{http://www.w3.org/2000/svg}"
AS_OF = 2_000_000_000
JUDGED = judge([GOOD_TIP | {"grade": "unknown"}], knowing_falsehood_found=True)


def drawn(svg: str) -> ET.Element:
    return ET.fromstring(svg)


def texts(svg: str) -> list[str]:
    return ["".join(each.itertext()) for each in drawn(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_draws_a_picture_with_a_title_and_a_description(language: str) -> None:
    root = drawn(picture(example(), JUDGED, language))
    assert root.get("role") == "img"
    names = str(root.get("aria-labelledby")).split()
    told = {each.get("id"): each.text for each in root if each.get("id")}
    assert all(told[name] for name in names)
    assert (root.get("direction") == "rtl") is (language in ("ar", "fa"))


def test_the_picture_says_what_its_colours_and_marks_say() -> None:
    shown = texts(picture(example(), JUDGED))
    assert "Section 4(1) is open" in shown
    assert "unless: Section 5(2) applies" in shown
    assert {"met", "not met", "open"} <= set(shown)
    assert "owed by: assessor" in " ".join(shown)


def test_an_exception_is_dashed() -> None:
    root = drawn(picture(example(), JUDGED))
    dashed = [each for each in root.iter(f"{SVG}rect") if each.get("stroke-dasharray")]
    assert len(dashed) == 3


def test_boxes_lie_within_the_picture_and_never_on_one_another() -> None:
    for language in ("en", "ar"):
        root = drawn(picture(example(), JUDGED, language))
        width, height = int(str(root.get("width"))), int(str(root.get("height")))
        boxes = [
            [int(str(each.get(name))) for name in ("x", "y", "width", "height")]
            for each in list(root.iter(f"{SVG}rect"))[1:]
        ]
        for (x, y, w, h), following in zip(boxes, [*boxes[1:], [0, height, 0, 0]], strict=True):
            assert 0 <= x < x + w <= width
            assert y + h <= following[1]


def test_what_the_law_says_is_text_and_never_markup() -> None:
    law = small_law({"is": ["x", True]})
    law["sections"][0]["text"] = {"en": '<script>alert("1")</script> & ]]>'}
    statute = read_statute(law)
    svg = picture(statute, evaluate(statute, read_facts({}, statute.facts), AS_OF))
    assert "<script" not in svg
    assert any(each.startswith("<script>alert") for each in texts(svg))


def test_a_picture_fetches_and_runs_nothing() -> None:
    svg = picture(example(), JUDGED)
    names = {each.tag.removeprefix(SVG) for each in drawn(svg).iter()}
    assert names == {"svg", "title", "desc", "rect", "path", "text"}
    attributes = {name for each in drawn(svg).iter() for name in each.attrib}
    assert not {name for name in attributes if name.startswith("on") or "href" in name}
    assert "style" not in attributes
    assert re.findall(r"https?://\S+", svg) == ['http://www.w3.org/2000/svg"']


def test_a_hundred_items_are_cut_off_and_counted() -> None:
    svg = picture(example(), judge([GOOD_TIP] * 100))
    assert len(list(drawn(svg).iter(f"{SVG}rect"))) - 1 == BOXES_MAX
    (told,) = [each for each in texts(svg) if each.startswith("Further steps")]
    assert int(told.rpartition(" ")[2]) > 200


def test_a_deep_law_is_wider_but_its_boxes_stay_readable() -> None:
    condition: Any = {"is": ["x", True]}
    for _ in range(13):
        condition = {"not": condition}
    statute = read_statute(small_law(condition))
    root = drawn(picture(statute, evaluate(statute, read_facts({}, statute.facts), AS_OF)))
    assert min(int(str(each.get("width"))) for each in root.iter(f"{SVG}rect")) >= 220


def test_a_rule_drawn_before_is_only_named() -> None:
    law = small_law({"and": [{"rule": "two"}, {"rule": "two"}]})
    law["sections"].append(
        {"number": "2", "text": {"en": "2"}, "rule": "two", "if": {"is": ["x", True]}}
    )
    statute = read_statute(law)
    shown = texts(picture(statute, evaluate(statute, read_facts({}, statute.facts), AS_OF)))
    assert shown.count("Section 2 is open") == 2
    assert shown.count("see above") == 1
    assert sum("a fact: yes" in each for each in shown) == 1


def test_outcomes_by_item_name_their_items() -> None:
    document = wide_document({"is": ["good", True]})
    document["sections"][0]["of"] = "acts"
    document["outcomes"][0]["each"] = "acts"
    statute = read_statute(document)
    shown = texts(picture(statute, judged(statute, acts=[{"good": True}, {"good": False}])))
    assert "Section 1 for acts[0] applies" in shown
    assert "Section 1 for acts[1] does not apply" in shown


def test_a_list_without_items_is_said_to_be_empty() -> None:
    statute = wide_law({"some": ["acts", {"is": ["good", True]}]})
    assert "nothing stands in the list acts" in texts(picture(statute, judged(statute)))


def test_a_long_text_is_wrapped_and_cut() -> None:
    document = example_document()
    document["sections"][2]["text"]["en"] = "word " * 500
    statute = read_statute(document)
    svg = picture(statute, evaluate(statute, JUDGED.given, AS_OF))
    assert len([each for each in texts(svg) if each.startswith("word")]) == LINES_MAX - 1


def test_a_word_longer_than_a_line_is_broken() -> None:
    lines = wrapped("x" * 200, 140, 50)
    assert "".join(lines) == "x" * 200
    assert max(len(each) for each in lines) <= 20


def test_an_isolate_that_is_wrapped_is_closed_on_each_line() -> None:
    lines = wrapped("\u2068" + "words that run on " * 10 + "\u2069", 200, 50)
    assert all(each.count("\u2068") == each.count("\u2069") == 1 for each in lines)
