"""Figures in Prometheus's text, read back by Prometheus's own parser."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from safeconduct.plumbing.figures import (
    Figure,
    Sample,
    figure,
    format_figures,
    number,
)


def parsed(figures: list[Figure]) -> dict[str, list[tuple[dict[str, str], float]]]:
    text = format_figures(figures).decode()
    return {
        family.name: [(sample.labels, sample.value) for sample in family.samples]
        for family in text_string_to_metric_families(text)
    }


def test_what_is_stated_is_what_a_reader_of_the_format_gets() -> None:
    shown = [
        figure("safeconduct_log_entries", "Entries.", {"gazette": 3, "ledger": 7.5}, "log"),
        number("safeconduct_rounds", "Rounds.", 12, kind="counter"),
    ]
    assert parsed(shown) == {
        "safeconduct_log_entries": [({"log": "gazette"}, 3.0), ({"log": "ledger"}, 7.5)],
        "safeconduct_rounds": [({}, 12.0)],
    }


def test_nothing_of_the_process_or_the_machine_is_added() -> None:
    assert format_figures([]) == b""


def test_a_figure_without_values_has_no_line() -> None:
    assert parsed([figure("safeconduct_x", "None.", {}, "log")]) == {"safeconduct_x": []}


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), st.integers(0, 1 << 62))
def test_any_text_as_a_label_comes_back_as_it_was(text: str, value: int) -> None:
    samples = (Sample(value=value, labels={"who": text}),)
    [(labels, found)] = parsed(
        [Figure(name="safeconduct_x", about="A text.", samples=samples)]
    )["safeconduct_x"]
    assert (labels, found) == ({"who": text}, float(value))


REFUSED = {
    "a hash in hex": "ab" * 16,
    "a hash within a text": "tip " + "0" * 64,
    "a root hash in base64": "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=",
    "a text without end": "x" * 256,
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_a_label_that_looks_like_a_hash_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no hash"):
        format_figures([figure("safeconduct_x", "Wrong.", {text: 1}, "which")])


def test_a_name_that_is_not_ours_is_refused() -> None:
    with pytest.raises(ValueError, match="safeconduct_"):
        format_figures([number("tips_by_name", "Wrong.", 1)])
