"""The form, step by step: words, text, a look, the receipt, and all ways to leave it."""

from collections.abc import Iterator
from html import unescape
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from tests.parties.intake.door_world import NOW, TEXT, WORDS, World, ask, open_world
from tests.parties.intake.page_rules import check_page
from tests.parties.intake.walking import Visitor, heading, seen, step, tell_by_form
from tests.protocol import builders

from safeconduct.parties.intake import telling
from safeconduct.parties.intake.definition import Definition
from safeconduct.parties.intake.ticket import TICKET_SECONDS, Ticket, Tickets
from safeconduct.plumbing import clock
from safeconduct.plumbing.languages import LANGUAGES
from safeconduct.plumbing.words import format_words, parse_words
from safeconduct.protocol.questions import read_questions

FILES_HEADING = "Files, if you have any"
CROSS_SITE = '<script>alert("1")</script>'
NEVER_USED = "abandon " * 11 + "about"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as opened:
        yield opened


@pytest.fixture
def visitor(world: World) -> Visitor:
    return Visitor(world)


# Every step as a page.


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_step_is_a_small_whole_page_in_every_language(
    language: str, world: World
) -> None:
    visitor = Visitor(world, language)
    visitor.open()
    words = visitor.words()
    shown = [
        visitor.answer,
        visitor.press("/tell/nothing"),
        visitor.press("/tell/words"),
        visitor.press("/tell/words", words="one two three"),
        visitor.press("/tell/check"),
        visitor.press("/tell/confirm"),
        visitor.confirm(words),
        visitor.press("/tell/text", text=TEXT),
        visitor.press("/tell/send"),
        visitor.press("/tell/send", sure="1"),
    ]
    for answer in shown:
        check_page(answer)
        assert seen(answer.text).all("html")[0]["lang"] == language
    assert all(answer.status_code in {200, 422} for answer in shown)
    assert "hreflang" not in shown[-1].text
    check_page(visitor.press("/tell/stop"))
    check_page(visitor.press("/tell/text", text=TEXT, ticket="void"))
    check_page(visitor.press("/tell/send", ticket="void"))
    check_page(visitor.open("/tell/text"))


@pytest.mark.parametrize("path", ["/tell/answers", "/tell/text", "/tell/send", "/tell/again"])
def test_words_that_were_not_confirmed_lead_no_further(
    path: str, world: World, visitor: Visitor
) -> None:
    visitor.open()
    shown = visitor.words()
    visitor.press(path, text=TEXT, sure="1", to="files")
    assert visitor.words() == shown
    assert not list((world.folder / "spool").iterdir())


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_are_of_the_visitors_language_and_marked_as_such(
    language: str, world: World
) -> None:
    visitor = Visitor(world, language)
    visitor.open()
    listed = telling.WORD_LISTS.get(language, "english")
    entropy = parse_words(" ".join(visitor.words()), listed)
    assert format_words(entropy, listed).split() == visitor.words()
    [grid] = [each for each in seen(visitor.answer.text).all("ol") if each["class"] == "words"]
    marked = language if language in telling.WORD_LISTS else "en"
    assert (grid["lang"], grid["dir"], grid["translate"]) == (marked, "ltr", "no")
    visitor.press("/tell/check")
    assert step(visitor.confirm([word.upper() for word in visitor_words(entropy, listed)]))
    assert not visitor.asked()


def visitor_words(entropy: bytes, listed: str) -> list[str]:
    return format_words(entropy, listed).split()


# Words.


def test_each_visitor_gets_other_words_and_no_page_after_shows_them(visitor: Visitor) -> None:
    visitor.open()
    first = visitor.words()
    visitor.open()
    second = visitor.words()
    assert first != second
    visitor.press("/tell/check")
    assert not visitor.words()
    pairs = pairwise(second)
    assert not [pair for pair in pairs if " ".join(pair) in seen(visitor.answer.text).text]
    visitor.press("/tell/again", to="words")
    assert visitor.words() == second


def test_three_words_are_asked_for_at_places_that_change(visitor: Visitor) -> None:
    visitor.open()
    begun, places = visitor.ticket, set[tuple[int, ...]]()
    for _ in range(8):
        visitor.press("/tell/check", ticket=begun)
        asked = visitor.asked()
        assert len(set(asked)) == 3
        assert set(asked) <= set(range(1, 13))
        places.add(tuple(asked))
    assert len(places) > 1


def test_wrong_words_are_named_by_their_place_and_may_be_tried_again(
    visitor: Visitor,
) -> None:
    visitor.open()
    words = visitor.words()
    visitor.press("/tell/check")
    asked = visitor.asked()
    wrong = {f"word-{place}": words[place - 1] for place in asked} | {
        f"word-{asked[1]}": CROSS_SITE
    }
    answer = visitor.press("/tell/confirm", None, **wrong)
    assert answer.status_code == 422
    assert f"These do not fit: word {asked[1]}." in answer.text
    assert "<script" not in answer.text
    faulty = [each for each in seen(answer.text).all("input") if each.get("aria-invalid")]
    assert [each["id"] for each in faulty] == [f"word-{asked[1]}"]
    assert visitor.asked() == asked
    assert step(visitor.confirm(words)) == "Step 3 of 5"


def test_twelve_words_of_before_lead_to_the_same_step_whether_they_were_used_or_not(
    world: World,
) -> None:
    tell_by_form(world, TEXT)
    pages = []
    for words in (WORDS, NEVER_USED, WORDS.upper()):
        visitor = Visitor(world)
        answer = visitor.come_back(words)
        pages.append(answer.text.replace(visitor.ticket, ""))
    assert pages[0] == pages[1] == pages[2]
    assert heading(answer) == "Your message"


def test_no_step_before_sending_looks_anybody_up(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So there is nothing that could take longer for words that were used before."""

    def looked_up(*_: object) -> None:
        raise AssertionError("somebody was looked up")

    for name in ("versions", "block", "shelf", "delivered"):
        monkeypatch.setattr(type(visitor.world.intake.store), name, looked_up)
    visitor.come_back()
    visitor.press("/tell/text", text=TEXT)
    assert visitor.press("/tell/send").status_code == 200


WRONG_WORDS = {
    "eleven words": WORDS.rpartition(" ")[0],
    "a word off the list": WORDS + "x",
    "words in another order": " ".join(sorted(WORDS.split())),
    "very many words": "a " * 3_000,
    "markup": CROSS_SITE,
}


@pytest.mark.parametrize("case", WRONG_WORDS)
def test_words_that_do_not_belong_together_are_asked_for_again(
    case: str, visitor: Visitor
) -> None:
    answer = visitor.come_back(WRONG_WORDS[case])
    assert answer.status_code == 422
    assert "not twelve words that belong together" in answer.text
    assert "<script" not in answer.text
    assert step(visitor.press("/tell/words", words=WORDS)) == "Step 3 of 5"


def test_words_that_are_good_in_two_lists_are_read_as_the_visitors() -> None:
    both = format_words(bytes(16), "french")
    assert telling.entropy_of(both, "fr") == bytes(16)
    assert telling.entropy_of(format_words(bytes(16)), "fa") == bytes(16)


# Keeping nothing.


def test_who_keeps_nothing_is_told_the_price_first_and_the_receipt_comes_first(
    visitor: Visitor,
) -> None:
    visitor.open()
    shown = " ".join(visitor.words())
    answer = visitor.press("/tell/nothing")
    assert "cannot claim later" in answer.text
    assert step(visitor.press("/tell/nothing", sure="1")) == "Step 3 of 5"
    hidden = visitor.world.intake.tickets.open(visitor.ticket)
    assert not hidden.kept
    assert hidden.entropy != parse_words(shown)
    visitor.press("/tell/text", text=TEXT)
    look = visitor.press("/tell/send")
    assert "Save your receipt on the next page" in look.text
    told = visitor.press("/tell/send", sure="1")
    assert "only page with your receipt" in told.text
    assert told.text.index("receipt.record") < told.text.index("What to do next")
    assert "twelve words" not in told.text.replace("I have twelve words", "")


# Text.


def test_text_goes_on_to_the_files_and_comes_back_to_be_changed(visitor: Visitor) -> None:
    visitor.come_back()
    written = f"{TEXT}\n\n  {CROSS_SITE} &amp;"
    answer = visitor.press("/tell/text", text=written)
    assert heading(answer) == FILES_HEADING
    answer = visitor.press("/tell/again", to="text")
    assert "<script" not in answer.text
    assert f">\n{written}</textarea>" in unescape(answer.text)
    visitor.press("/tell/text", text="Shorter.")
    assert "8 characters" in visitor.press("/tell/send").text


def test_a_text_that_is_taken_back_is_not_sent(visitor: Visitor) -> None:
    visitor.come_back()
    visitor.press("/tell/text", text=TEXT)
    visitor.press("/tell/text", text=" \n ")
    answer = visitor.press("/tell/send")
    assert "nothing to send yet" in answer.text
    assert visitor.press("/tell/send", sure="1").status_code == 400


def test_a_text_that_is_too_long_is_given_back(visitor: Visitor) -> None:
    visitor.come_back()
    answer = visitor.press_multipart("/tell/text", text="я" * 100_001)
    assert answer.status_code == 413
    assert "я" * 100_001 in answer.text
    answer = visitor.press_multipart("/tell/text", text="я" * 100_000)
    assert heading(answer) == FILES_HEADING


def later(world: World, seconds: int) -> None:
    """Let the tickets' clock run, which is the process's own."""
    object.__setattr__(
        world.intake.tickets, "seconds", lambda: clock.steady_seconds() + seconds
    )


def test_a_page_that_was_open_for_too_long_costs_nobody_the_text(visitor: Visitor) -> None:
    visitor.come_back()
    later(visitor.world, TICKET_SECONDS + 5)
    answer = visitor.press("/tell/text", text=f"{TEXT} {CROSS_SITE}")
    assert answer.status_code == 403
    assert f"{TEXT} {CROSS_SITE}" in unescape(answer.text)
    assert "<script" not in answer.text
    check_page(answer)
    wrong = visitor.press("/tell/text", text=TEXT, words="one two")
    assert "not twelve words" in wrong.text
    assert TEXT in wrong.text
    answer = visitor.press("/tell/text", text=TEXT, words=WORDS)
    assert heading(answer) == FILES_HEADING
    visitor.press("/tell/again", to="text")
    assert visitor.world.intake.tickets.open(visitor.ticket).entropy == builders.ENTROPY


def test_who_keeps_nothing_keeps_the_text_too_when_the_page_was_open_for_too_long(
    visitor: Visitor,
) -> None:
    answer = visitor.press("/tell/text", text=TEXT, nothing="1")
    assert heading(answer) == FILES_HEADING
    assert not visitor.world.intake.tickets.open(visitor.ticket).kept


def test_each_page_gives_half_an_hour_anew(visitor: Visitor) -> None:
    visitor.come_back()
    for minutes in (20, 40, 60):
        later(visitor.world, minutes * 60)
        visitor.press("/tell/text", text=TEXT)
        assert visitor.answer.status_code == 200


# What is no way in.


STEPS = ("check", "confirm", "words", "nothing", "answers", "again", "send")
VOID = {
    "none": "",
    "nonsense": "AAAA",
    "another process's": Tickets().seal(Ticket(opened_at=NOW, entropy=bytes(16))),
    "very long": "A" * 10_000,
    "not base64": CROSS_SITE,
}


@pytest.mark.parametrize("case", VOID)
def test_a_ticket_that_does_not_hold_leads_to_a_page_that_says_what_to_do(
    case: str, visitor: Visitor
) -> None:
    before = visitor.world.held()
    for name in STEPS:
        answer = visitor.press(f"/tell/{name}", ticket=VOID[case])
        assert answer.status_code == 403
        assert "Start again with the same words" in answer.text
        assert "<script" not in answer.text
        check_page(answer)
    assert visitor.world.held() == before


@pytest.mark.parametrize("name", ["answers", "text", "send", "again"])
def test_no_step_is_reached_before_the_words_are_confirmed(name: str, visitor: Visitor) -> None:
    visitor.open()
    visitor.press("/tell/check")
    answer = visitor.press(f"/tell/{name}", text=TEXT, sure="1", to="files")
    assert step(answer) == "Step 1 of 5"


BAD_FORMS: dict[str, tuple[str, bytes]] = {
    "no form at all": ("", b""),
    "JSON": ("application/json", b"{}"),
    "not UTF-8": ("application/x-www-form-urlencoded", b"ticket=%ff"),
    "raw bytes": ("application/x-www-form-urlencoded", bytes(range(256))),
    "multipart without boundary": ("multipart/form-data", b"--x--\r\n"),
    "multipart cut short": ("multipart/form-data; boundary=x", b"--x\r\nContent-Disp"),
    "multipart that is noise": ("multipart/form-data; boundary=x", bytes(1_000)),
    "far too long": ("application/x-www-form-urlencoded", b"a" * (1 << 20)),
}


@pytest.mark.parametrize("case", BAD_FORMS)
def test_what_is_no_form_gets_a_page_and_changes_nothing(case: str, world: World) -> None:
    content_type, body = BAD_FORMS[case]
    before = world.held()
    for name in (*STEPS, "text", "stop"):
        answer = ask(world, "POST", f"/en/tell/{name}", body, {"content-type": content_type})
        assert answer.status_code in {400, 413, 415}
        check_page(answer)
    assert world.held() == before


def test_a_field_given_twice_or_of_another_kind_is_no_fault(visitor: Visitor) -> None:
    visitor.come_back()
    body = f"ticket={visitor.ticket}&to=text&to=words&unknown=1".replace("+", "%2B")
    kind = {"content-type": "application/x-www-form-urlencoded"}
    answer = ask(visitor.world, "POST", "/en/tell/again", body.encode(), kind)
    assert heading(answer) == "Your message"
    assert visitor.press("/tell/send", {"ticket": b"x"}, sure="").status_code == 200


def test_words_and_state_are_in_no_address(visitor: Visitor) -> None:
    words = visitor.with_new_words()
    pages = [
        visitor.answer,
        visitor.press("/tell/text", text=TEXT),
        visitor.press("/tell/send"),
    ]
    for page in pages:
        links = [str(each["href"]) for each in seen(page.text).all("a")]
        assert not [
            link for link in links if "?" in link or any(word in link for word in words)
        ]


def test_the_questions_of_a_body_are_a_step_between_words_and_text(world: World) -> None:
    asked, faults = read_questions(
        {"questions": [{"id": "how", "kind": "line", "ask": {"en": "How do you know?"}}]}
    )
    assert not [fault for fault in faults if not fault.warning]
    object.__setattr__(world.intake, "definition", Definition(questionnaire=asked))
    visitor = Visitor(world)
    assert step(visitor.open()) == "Step 1 of 6"
    first = visitor.press("/tell/words", words=WORDS)
    assert step(first) == "Step 3 of 6"
    assert "How do you know?" in first.text
    check_page(first)
    fields = {"asked": "how", "q-how": f"By chance {CROSS_SITE}"}
    assert step(visitor.press("/tell/answers", None, **fields)) == "Step 4 of 6"
    visitor.press("/tell/text", text=TEXT)
    look = visitor.press("/tell/send")
    assert "Your answers" in look.text
    assert step(look) == "Step 6 of 6"
    again = visitor.press("/tell/again", to="answers")
    assert "How do you know?" in again.text


def test_who_adds_more_from_the_mailbox_begins_at_the_text(world: World) -> None:
    made = telling.begin_more(world.intake, "de", builders.ENTROPY)
    visitor = Visitor(world, "de")
    visitor.answer = httpx.Response(200, content=bytes(made.body), headers=dict(made.headers))
    assert visitor.answer.text.count('name="text"') == 1
    visitor.press("/tell/text", text=TEXT)
    assert visitor.press("/tell/send", sure="1").status_code == 200
    [kept] = world.intake.store.deliveries_after(0, 10)
    assert kept.number == 1
