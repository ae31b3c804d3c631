"""Walks through the door's form as a browser without JavaScript does."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser

import httpx
from tests.parties.intake.door_world import WORDS, World

Tag = tuple[str, dict[str, str | None]]


@dataclass
class Seen(HTMLParser):
    """What a page is made of, and all its text."""

    tags: list[Tag] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, *names: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in names]


def seen(page: str) -> Seen:
    """The page, read."""
    parser = Seen()
    parser.feed(page)
    parser.close()
    return parser


@dataclass
class Visitor:
    """Somebody with a browser: the page that is open, and what can be pressed on it."""

    world: World
    language: str = "en"
    answer: httpx.Response = field(init=False)

    def open(self, path: str = "/tell") -> httpx.Response:
        """Follow a link."""
        url = f"{self.world.url}/{self.language}{path}"
        self.answer = httpx.get(url, timeout=30, trust_env=False)
        return self.answer

    @property
    def ticket(self) -> str:
        """What the open page's forms carry; nothing if it has no form."""
        found = re.search(r'name="ticket" value="([^"]*)"', self.answer.text)
        return unescape(found[1]) if found else ""

    def press(
        self, path: str, files: dict[str, bytes] | None = None, **fields: str
    ) -> httpx.Response:
        """Post the open page's ticket with `fields`, as the button of that form does."""
        uploads = [("file", (name, data)) for name, data in (files or {}).items()]
        held = {"ticket": self.ticket} if hasattr(self, "answer") else {}
        self.answer = httpx.post(
            f"{self.world.url}/{self.language}{path}",
            data=held | fields,
            files=uploads or None,
            timeout=60,
            trust_env=False,
        )
        return self.answer

    def press_multipart(self, path: str, **fields: str) -> httpx.Response:
        """As `press`, for the form of the text."""
        parts = [(name, (None, value)) for name, value in fields.items()]
        url = f"{self.world.url}/{self.language}{path}"
        body = [("ticket", (None, self.ticket)), *parts]
        self.answer = httpx.post(url, files=body, timeout=60, trust_env=False)
        return self.answer

    def words(self) -> list[str]:
        """The twelve words that the open page shows."""
        shown = re.search(r'<ol class="words".*?</ol>', self.answer.text, re.S)
        return re.findall(r"<li>(\S+)</li>", shown[0]) if shown else []

    def asked(self) -> list[int]:
        """The numbers of the words that the open page asks for."""
        return [int(each) for each in re.findall(r'name="word-(\d+)"', self.answer.text)]

    def confirm(self, words: list[str]) -> httpx.Response:
        """Type the words that are asked for."""
        typed = {f"word-{place}": words[place - 1] for place in self.asked()}
        return self.press("/tell/confirm", None, **typed)

    def come_back(self, words: str = WORDS) -> httpx.Response:
        """To the first step after the words, with twelve that one has."""
        self.open()
        return self.press("/tell/words", words=words)

    def with_new_words(self) -> list[str]:
        """To the first step after the words, with twelve that were shown."""
        self.open()
        words = self.words()
        self.press("/tell/check")
        self.confirm(words)
        return words


def heading(answer: httpx.Response) -> str:
    """The page's first heading."""
    found = re.search(r"<h1[^>]*>(.*?)</h1>", answer.text, re.S)
    return unescape(found[1]) if found else ""


def step(answer: httpx.Response) -> str:
    """Where the page says that one is."""
    found = re.search(r'id="step">(.*?)</p>', answer.text)
    return found[1] if found else ""


def tell_by_form(world: World, text: str, words: str = WORDS) -> httpx.Response:
    """The receipt page of a text that was sent through the form with these words."""
    visitor = Visitor(world)
    visitor.come_back(words)
    visitor.press("/tell/text", text=text)
    return visitor.press("/tell/send", sure="1")
