"""Every page of the door, reached as visitors reach it, and shown again for browsers to judge.

Walking costs words that are stretched and tips that are sealed; so one client without a screen
walks once in each language, and `replay` serves what it saw, byte for byte and with the same
headers, as often as browsers ask.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx
from tests.browser.door import (
    ANSWERED,
    ANSWERS,
    ASKED,
    LATE,
    NOBODYS_WORDS,
    UNDELIVERED,
    WITHDRAWN,
    WORDS,
    Door,
)
from tests.browser.forms import Client, Seen
from tests.browser.pictures import drawing
from tests.parties.intake.door_world import NOW
from tests.protocol import builders

from safeconduct.plumbing import web
from safeconduct.plumbing.languages import LANGUAGES

LINKED = {
    "start": "/",
    "protection": "/protection",
    "law": "/law",
    "proof": "/proof",
    "ways": "/ways",
    "client": "/client",
    "sealed": "/sealed",
    "words": "/tell",
    "mail": "/mail",
    "astray": "/tell/text",
}
"""By name, the pages that a link or an address leads to."""

OTHERWISE: Mapping[str, Mapping[str, object]] = {
    "no law yet": {"entries": builders.gazette_entries()[:1]},
    "no key open": {"now": NOW + 10 * builders.DAY},
    "after the date": {"now": builders.THE_DATE + builders.DAY},
    "Gazette away": {"gazette_away": True},
}
"""How the first page may have to look on other days."""

REFUSED = {
    "astray": 404,
    "check, wrong": 422,
    "claim, not taken": 422,
    "questions, unanswered": 422,
    "returning, wrong": 422,
    "sealed, wrong": 400,
    "start, Gazette away": 503,
    "text, page too old": 403,
    "text, too long": 413,
}
"""The pages that are not answered with 200."""

FILES: Mapping[str, bytes] = {
    "Lohnliste März.csv": b"name,amount\nAda,12\n",
    "crane <nine>.png": drawing(),
}


def walk(door: Door, language: str) -> dict[str, Seen]:
    """By name, every page in one language."""
    source = door.client(language)
    pages = {name: source.open(path) for name, path in LINKED.items()}
    pages |= _before_sending(source, pages["words"])
    pages |= _sealed(source, pages["sealed"])
    pages |= _returning(source, pages["mail"])
    pages |= _claiming(source, pages["mailbox"])
    with door.without_room():
        pages["told, no room"] = _sent(source, pages["words"])
    for name, changes in OTHERWISE.items():
        with door.otherwise(**changes):
            pages[f"start, {name}"] = source.open("/")
    return pages


def _before_sending(source: Client, words: Seen) -> dict[str, Seen]:
    check = source.post(words, "/tell/check")
    right = {
        name: words.words[int(name.removeprefix("word-")) - 1] for name in asked_for(check)
    }
    returning = source.post(words, "/tell/words")
    nothing = source.post(words, "/tell/nothing")
    return {
        "check": check,
        "check, wrong": source.post(check, "/tell/confirm", dict.fromkeys(right, "zoo")),
        "returning": returning,
        "returning, wrong": source.post(returning, "/tell/words", {"words": "zoo zoo"}),
        "nothing kept": nothing,
        "stopped": source.post(nothing, "/tell/stop"),
        **_form(source, source.post(check, "/tell/confirm", right)),
        **_kept_nothing(source, source.post(nothing, "/tell/nothing", {"sure": "1"})),
    }


def asked_for(check: Seen) -> list[str]:
    """The names of the three fields that ask for words."""
    return [name for name in check.form("/tell/confirm").names if name.startswith("word-")]


def choices(found: Seen) -> list[str]:
    """The names of the fields that ask what to do with a file."""
    named = found.form("/tell/files").names
    return sorted({name for name in named if name.startswith("file-")})


def _form(source: Client, questions: Seen) -> dict[str, Seen]:
    text = source.post(questions, "/tell/answers", ANSWERS)
    files = source.post(
        text, "/tell/text", {"text": f"In {source.language}: berth nine.\n<b>&"}
    )
    found = source.post(files, "/tell/files", files=FILES)
    look = source.post(
        found, "/tell/files", {"go": "1", **dict.fromkeys(choices(found), "keep")}
    )
    told = source.post(look, "/tell/send", {"sure": "1"})
    return {
        "questions": questions,
        "questions, unanswered": source.post(
            questions, "/tell/answers", {**ASKED, "q-how": "heard", "q-when": "soon"}
        ),
        "text": text,
        "text, too long": source.post(text, "/tell/text", {"text": "long " * 20_001}),
        "files": files,
        "files, found": found,
        "send": look,
        "told": told,
    }


def _sent(source: Client, words: Seen) -> Seen:
    check = source.post(words, "/tell/check")
    right = {
        name: words.words[int(name.removeprefix("word-")) - 1] for name in asked_for(check)
    }
    questions = source.post(check, "/tell/confirm", right)
    text = source.post(questions, "/tell/answers", ANSWERS)
    files = source.post(text, "/tell/text", {"text": f"In {source.language}, and no room."})
    return source.post(
        source.post(files, "/tell/files", {"go": "1"}), "/tell/send", {"sure": "1"}
    )


def _kept_nothing(source: Client, questions: Seen) -> dict[str, Seen]:
    text = source.post(questions, "/tell/answers", ANSWERS)
    files = source.post(text, "/tell/text", {"text": f"In {source.language}, and no words."})
    look = source.post(files, "/tell/files", {"go": "1"})
    told = source.post(look, "/tell/send", {"sure": "1"})
    void = source.http.post(
        f"{source.url}/{source.language}/tell/text", data={"ticket": "x", "text": "Mine."}
    )
    return {
        "send, nothing kept": look,
        "told, nothing kept": told,
        "text, page too old": source.seen("/tell/text", void),
    }


def _sealed(source: Client, sealed: Seen) -> dict[str, Seen]:
    wrong = source.post(sealed, "/sealed", files={"not one.envelope": b"nothing of the kind"})
    return {"sealed, wrong": wrong}


def _returning(source: Client, mail: Seen) -> dict[str, Seen]:
    mailbox = source.post(mail, "/mail", {"words": WORDS})
    numbers = {
        "late": LATE,
        "answered": ANSWERED,
        "withdrawn": WITHDRAWN,
        "undelivered": UNDELIVERED,
    }
    messages = {
        f"message, {name}": source.post(mailbox, "/mail/message", {"number": str(number)})
        for name, number in numbers.items()
    }
    answered, withdrawn = messages["message, answered"], messages["message, withdrawn"]
    return {
        "mailbox": mailbox,
        "mailbox, empty": source.post(mail, "/mail", {"words": NOBODYS_WORDS}),
        "mailbox, wrong": source.post(mail, "/mail", {"words": "zoo " * 11}),
        **messages,
        "receipt": source.post(answered, "/mail/receipt", {"which": "sent"}),
        "receipt, answer": source.post(answered, "/mail/receipt", {"which": "answer-0"}),
        "withdrawal": source.post(withdrawn, "/mail/receipt", {"which": "withdrawal"}),
        "withdraw": source.post(answered, "/mail/withdraw"),
        "add more": source.post(answered, "/mail/more"),
    }


def _claiming(source: Client, mailbox: Seen) -> dict[str, Seen]:
    message = source.post(mailbox, "/mail/message", {"number": str(ANSWERED)})
    claim = source.post(message, "/mail/claim")
    named = {"subject": "r-0001", "name": "Ada Example", "disclosure": "open"}
    return {
        "claim": claim,
        "claim, not taken": source.post(claim, "/mail/claim/made", {**named, "name": ""}),
    }


@contextmanager
def replayed(door: Door) -> Iterator["Replay"]:
    """All pages of all languages, walked now, and served during the block."""
    replay = Replay(door.url)
    for language in LANGUAGES:
        replay.pages[language] = walk(door, language)
    with web.running(replay.app()) as replay.url:
        yield replay


class Replay:
    """Serves what was seen; what pages load besides is fetched from the door."""

    def __init__(self, door_url: str) -> None:
        self.pages: dict[str, dict[str, Seen]] = {}
        self.url = ""
        self._door_url = door_url

    def address(self, language: str, name: str) -> str:
        """Where a page can be looked at."""
        return f"{self.url}/seen/{language}/{list(self.pages[language]).index(name)}"

    def app(self) -> web.App:
        """The application that serves them."""
        return web.make_app(
            [
                web.Route("GET", "/seen/{language}/{number}", self._page),
                web.Route("GET", "/{rest:path}", self._besides),
            ]
        )

    def _page(self, request: web.Request) -> web.Response:
        seen = self.pages[request.path_params["language"]]
        page = list(seen.values())[int(request.path_params["number"])]
        return _answer(page.body, page.headers)

    def _besides(self, request: web.Request) -> web.Response:
        answer = httpx.get(self._door_url + request.url.path, trust_env=False)
        return _answer(answer.content, answer.headers)


def _answer(body: bytes, headers: Mapping[str, str]) -> web.Response:
    kept = {
        name: value
        for name, value in headers.items()
        if name not in ("content-length", "content-type", "date")
    }
    return web.data(body, headers["content-type"], headers=kept)
