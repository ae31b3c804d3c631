"""A source's whole way in real browsers, with scripts and without, by the keyboard alone.

From the first page to the receipt; then back with the words: an answer, more, taking it back.
"""

from collections.abc import Iterator

import pytest
from tests.browser.browsers import MODES, Visitor, visiting
from tests.browser.conftest import Launch
from tests.browser.door import ANSWER, ANSWERED, NOBODYS_WORDS, WORDS, Door
from tests.browser.looks import KEPT
from tests.browser.pictures import drawing

WINDOW = (1024, 768)
TEXT = "Berth nine: <script>alert(1)</script> & the crane is “missing”."
SHOWN_WORDS = """() => [...document.querySelectorAll(".words li")]
  .map((each) => each.textContent.trim())"""
ASKED_PLACES = """() => [...document.querySelectorAll("main input[id^=word-]")]
  .map((each) => Number(each.id.slice(5)))"""
FILES = [
    {"name": "crane.png", "mimeType": "image/png", "buffer": drawing()},
    {"name": "Lohnliste März.csv", "mimeType": "text/csv", "buffer": b"name\nAda\n"},
]


@pytest.fixture(
    params=MODES, ids=[f"{name}{'' if js else ', no scripts'}" for name, js in MODES]
)
def visitor(request: pytest.FixtureRequest, browsers: Launch, door: Door) -> Iterator[Visitor]:
    """Somebody at a fresh window; at the end, nothing went elsewhere and nothing stayed."""
    name, scripts = request.param
    with visiting(browsers(name, scripts), scripts=scripts, size=WINDOW) as visitor:
        yield visitor
        assert visitor.strayed(door.url) == []
        assert visitor.said() == []
        assert visitor.context.cookies() == []
        assert visitor.ask(KEPT) == ["", 0, 0]


def _check_words(visitor: Visitor, words: list[str]) -> None:
    """Type the three words that are asked for."""
    for place in visitor.ask(ASKED_PLACES):
        visitor.type(f"#word-{place}", words[place - 1])
    visitor.button("/tell/confirm")


def _answer_questions(visitor: Visitor) -> None:
    for choice in ("#q-how-saw", "#q-what-cranes", "#q-papers-no"):
        visitor.focus(choice)
        visitor.page.keyboard.press("Space")
    visitor.type("#q-when", "2027-05")
    visitor.button("/tell/answers")


def _send(visitor: Visitor, text: str, heading: str) -> None:
    """From the text step to the receipt, without files."""
    visitor.type("#text", text)
    visitor.button("/tell/text")
    visitor.button("/tell/files", "go", "1")
    visitor.button("/tell/send", "sure", "1")
    assert visitor.heading() == heading


def test_from_the_first_page_to_the_receipt(visitor: Visitor, door: Door) -> None:
    assert visitor.open(f"{door.url}/") == 200  # the bare address finds a language
    visitor.follow("/en/ways")
    visitor.follow("/en/tell")
    words = visitor.ask(SHOWN_WORDS)
    assert len(words) == 12
    visitor.button("/tell/check")
    assert not set(words) & set(visitor.text().split())
    _check_words(visitor, words[1:] + words[:1])
    assert "do not fit" in visitor.text()
    _check_words(visitor, words)
    _answer_questions(visitor)
    visitor.type("#text", TEXT)
    visitor.button("/tell/text")
    visitor.choose("#file", FILES)
    visitor.button("/tell/files")
    assert "Ada Example" in visitor.text()  # the picture's author, hidden in it
    visitor.focus('[value="clean"]')
    visitor.page.keyboard.press("Space")
    visitor.button("/tell/files", "go", "1")
    shown = visitor.text()
    assert "crane.png" in shown
    assert "Lohnliste März.csv" in shown
    visitor.button("/tell/send", "sure", "1")
    assert visitor.heading() == "Received and dated"
    _come_back(visitor, door, words)


def _come_back(visitor: Visitor, door: Door, words: list[str]) -> None:
    """The words alone bring the receipt back."""
    visitor.open(f"{door.url}/en/mail")
    visitor.type("#words", " ".join(words))
    visitor.button("/mail")
    visitor.button("/mail/message", "number", "0")
    assert "Received." in visitor.text()
    visitor.button("/mail/receipt", "which", "sent")
    assert visitor.heading() == "Your receipt"


def test_back_with_the_words_read_add_and_withdraw(visitor: Visitor, door: Door) -> None:
    visitor.open(f"{door.url}/en/")
    visitor.follow("/en/mail")
    visitor.type("#words", WORDS)
    visitor.button("/mail")
    assert visitor.heading() == "Your mailbox"
    visitor.button("/mail/message", "number", str(ANSWERED))
    assert ANSWER in visitor.text()  # its markup is text
    visitor.button("/mail/more")
    number = _newest(door) + 1
    _send(visitor, f"Berth nine, as I said. {number}", "Received and dated")
    visitor.open(f"{door.url}/en/mail")
    visitor.type("#words", WORDS)
    visitor.button("/mail")
    visitor.button("/mail/message", "number", str(number))
    visitor.button("/mail/withdraw")
    visitor.button("/mail/withdrawn")
    assert door.letter(number).withdrawn is not None
    visitor.button("/mail/message")
    visitor.button("/mail/receipt", "which", "withdrawal")


def _newest(door: Door) -> int:
    """The number of the newest message that `WORDS` open."""
    number = ANSWERED
    while door.has(number + 1):
        number += 1
    return number


def test_words_that_nobody_used_open_an_empty_mailbox(visitor: Visitor, door: Door) -> None:
    visitor.open(f"{door.url}/en/mail")
    visitor.type("#words", NOBODYS_WORDS)
    visitor.button("/mail")
    assert visitor.heading() == "Empty mailbox. Wrong words?"


def test_keeping_nothing_still_gives_a_receipt_once(visitor: Visitor, door: Door) -> None:
    visitor.open(f"{door.url}/en/tell")
    visitor.button("/tell/nothing")
    visitor.button("/tell/nothing", "sure", "1")
    _answer_questions(visitor)
    _send(visitor, "Said once, and nothing kept.", "Received and dated")
    assert "only page with your receipt" in visitor.text()


def test_the_language_is_changed_by_a_link_and_nothing_else(
    visitor: Visitor, door: Door
) -> None:
    visitor.open(f"{door.url}/en/protection")
    direction = "() => [document.documentElement.lang, document.documentElement.dir]"
    for language, written in (("ar", "rtl"), ("pl", "ltr"), ("fa", "rtl"), ("en", "ltr")):
        visitor.press(f'a[hreflang="{language}"]')
        assert visitor.page.url == f"{door.url}/{language}/protection"
        assert visitor.ask(direction) == [language, written]
    assert visitor.context.cookies() == []


def test_a_page_by_page_visit_stops_without_a_trace(visitor: Visitor, door: Door) -> None:
    visitor.open(f"{door.url}/en/tell")
    visitor.button("/tell/check")
    visitor.button("/tell/stop")
    assert visitor.heading() == "Stopped"
