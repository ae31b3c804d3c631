"""Boilerplate goes, the article stays, and nothing goes without a reason."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.seed_texts import INSIDERS, INTERVIEW, seed_text

from safeconduct.protocol.evidence.page_text import (
    INVISIBLE,
    Dropped,
    PageText,
    strip_boilerplate,
)

ARTICLE = "The harbour book\n\nAnton Weller said that the book was still open.\n\n"

DROPPED_LINES = {
    "a comment form": "Leave a Reply",
    "a comment form's promise": "Your email address will not be published.",
    "a spam filter's notice": (
        "This site uses Akismet to reduce spam. Learn how your comment data is processed."
    ),
    "a path from the front page": "Home > Port > The harbour book",
    "a teaser of a recording": "Watch the full interview to learn more.",
    "a cookie notice": "We use cookies to improve your visit.",
    "a copyright line": "© 2026 Kestrel Courier",
}

KEPT_LINES = {
    "a sentence that begins like a list": "More in sorrow than in anger, the inspector left.",
    "a sentence about sharing": "Share this with nobody, he had told the clerk.",
    "a sentence about cookies": "The clerk says we use cookies to bribe the guard dog.",
    "a sentence about copyright": "Copyright law has nothing to say about the harbour book.",
    "a sentence about homes": "Home is where the register is, the clerk joked.",
}


@pytest.mark.parametrize("line", DROPPED_LINES.values(), ids=DROPPED_LINES.keys())
def test_a_line_of_boilerplate_is_dropped_with_a_reason(line: str) -> None:
    page = strip_boilerplate(ARTICLE + line)
    assert page.text == ARTICLE.strip()
    assert [dropped.text for dropped in page.dropped] == [line]
    assert page.dropped[0].reason


@pytest.mark.parametrize("line", KEPT_LINES.values(), ids=KEPT_LINES.keys())
def test_a_sentence_that_only_begins_like_boilerplate_stays(line: str) -> None:
    assert strip_boilerplate(ARTICLE + line) == PageText(
        title="The harbour book", text=ARTICLE + line
    )


def test_a_link_to_another_story_takes_its_headline_with_it() -> None:
    page = strip_boilerplate(ARTICLE + "Next Story\n\nTide tables for June are out")
    assert page.text == ARTICLE.strip()
    assert [dropped.text for dropped in page.dropped] == [
        "Next Story",
        "Tide tables for June are out",
    ]


def test_a_link_to_another_story_takes_no_sentence_with_it() -> None:
    page = strip_boilerplate(ARTICLE + "Next Story\n\n“I will not sign,” he said.")
    assert page.text.endswith("“I will not sign,” he said.")


def test_see_more_takes_the_headline_above_but_never_the_pages_title() -> None:
    page = strip_boilerplate("The harbour book\n\nsee more\n\nThe book is open.")
    assert page.title == "The harbour book"
    page = strip_boilerplate(ARTICLE + "Storm closes ferry line\n\nsee more")
    assert page.text == ARTICLE.strip()


def test_a_page_that_opens_with_a_sentence_has_no_title() -> None:
    assert strip_boilerplate("The book was still open.\n\nHe left.").title == ""


def test_characters_that_turn_a_line_around_are_taken_out_and_named() -> None:
    page = strip_boilerplate(ARTICLE + "He said \u202ddlo\u202c.\x00")
    assert page.text.endswith("He said dlo.")
    assert page.dropped == (Dropped(text="U+0000 U+202C U+202D", reason=INVISIBLE),)


def test_the_first_real_text_keeps_thirteen_paragraphs_and_its_title() -> None:
    page = strip_boilerplate(seed_text(INSIDERS))
    assert page.title == (
        "Kremlin insiders 'helping underground revolution against Putin as their"
        " insurance policy'"
    )
    assert len(page.text.split("\n\n")) == 1 + 13
    assert page.text.endswith("for those advocating for democratic values in the region.")
    assert [dropped.text.split()[0] for dropped in page.dropped] == [
        "Leave",
        "Your",
        "Previous",
        "Constance",
        "Next",
        "UK",
        "Latest",
    ]


def test_the_second_real_text_loses_crumbs_teasers_and_forms_only() -> None:
    text = seed_text(INTERVIEW)
    page = strip_boilerplate(text)
    assert page.title == (
        "Nobody is willing to fight in defense of Putin’s regime: Ilya Ponomarev"
    )
    assert page.text.endswith("Nobody is ready to fight for it,” he said.")
    assert [dropped.text.split()[0] for dropped in page.dropped] == [
        "You",
        "Home",
        "Purported",
        "see",
        "Watch",
        "Leave",
        "This",
    ]
    lines = [line for line in text.splitlines() if line.strip()]
    assert len(lines) == len(page.text.split("\n\n")) + len(page.dropped)


SCRAPED_LINES = st.sampled_from(
    [*DROPPED_LINES.values(), *KEPT_LINES.values(), "see more", "Previous Story", "A headline",
     "Latest from Port", "You are here", "Related articles", "", "  ", "He left."]
)  # fmt: skip


@given(st.lists(SCRAPED_LINES, max_size=12).map("\n".join) | st.text(max_size=200))
@settings(max_examples=150)
def test_stripping_twice_is_stripping_once(text: str) -> None:
    page = strip_boilerplate(text)
    assert strip_boilerplate(page.text) == PageText(title=page.title, text=page.text)


@given(st.lists(SCRAPED_LINES, max_size=12))
@settings(max_examples=100)
def test_every_line_is_kept_or_dropped_and_none_is_lost(lines: list[str]) -> None:
    page = strip_boilerplate("\n".join(lines))
    kept = page.text.split("\n\n") if page.text else []
    found = sorted([*kept, *(dropped.text for dropped in page.dropped)])
    assert found == sorted(line.strip() for line in lines if line.strip())
