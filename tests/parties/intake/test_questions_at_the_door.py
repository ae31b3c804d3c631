"""The body's questions at the door: what is asked, what is kept, and what nobody can fake."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.parties.intake.door_world import World, open_world
from tests.protocol.test_answered import QUESTIONS

from safeconduct.errors import UnavailableError
from safeconduct.parties.intake.accept import Intake
from safeconduct.parties.intake.definition import Definition
from safeconduct.parties.intake.questions import first
from safeconduct.parties.intake.site import make_site
from safeconduct.parties.intake.ticket import Ticket
from safeconduct.plumbing import web
from safeconduct.plumbing.pages import style
from safeconduct.protocol.answered import parse_answers
from safeconduct.protocol.envelope import ANSWERS_NAME
from safeconduct.protocol.questions import parse_questions, read_questions

PAGE_BYTES_MAX = 30_000


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as made:
        yield made


def asking(world: World, questions: list[Any] = QUESTIONS) -> Intake:
    questionnaire, _ = read_questions({"questions": list(questions)})
    return replace(world.intake, definition=Definition(questionnaire=questionnaire))


class Visitor:
    """A browser that has come as far as the questions."""

    def __init__(self, intake: Intake, url: str, language: str = "en") -> None:
        self.intake, self.url, self.language = intake, url, language
        spool, key = intake.spools.begin(intake.random_bytes)
        now = intake.tickets.seconds()
        self.ticket = Ticket(opened_at=now, entropy=b"e" * 16, spool=spool, spool_key=key)

    def post(self, asked: list[str], **typed: str | list[str]) -> httpx.Response:
        fields = {f"q-{name}": value for name, value in typed.items()}
        ticket = self.intake.tickets.seal(self.ticket)
        return httpx.post(
            f"{self.url}/{self.language}/tell/answers",
            data={"ticket": ticket, "asked": asked, **fields},
            trust_env=False,
            timeout=30,
        )

    def kept(self) -> dict[str, tuple[str, ...]] | None:
        item = self.intake.spools.item(self.ticket.spool, self.ticket.spool_key, "answers")
        if item is None:
            return None
        pieces = self.intake.spools.read(self.ticket.spool, self.ticket.spool_key, item)
        return {each.id: each.answer for each in parse_answers(b"".join(pieces)).answers}


@contextmanager
def visiting(intake: Intake, language: str = "en") -> Iterator[Visitor]:
    with web.running(make_site(intake)) as url:
        yield Visitor(intake, url, language)


def shown(answer: httpx.Response) -> list[str]:
    return re.findall(r'name="asked" value="([^"]+)"', answer.text)


def test_the_page_grows_with_the_answers_until_all_are_kept(world: World) -> None:
    with visiting(asking(world)) as visitor:
        page = first(visitor.intake, "en", visitor.ticket)
        assert re.findall(rb'name="asked" value="([^"]+)"', bytes(page.body)) == [
            b"how",
            b"sum",
        ]
        answer = visitor.post(["how", "sum"], how="saw")
        assert shown(answer) == ["how", "day", "sum"]
        assert "New question" in answer.text
        assert visitor.kept() is None
        answer = visitor.post(["how", "day", "sum"], how="saw", day="2027-05")
        assert shown(answer) == ["how", "day", "sum", "more"]
        answer = visitor.post(["how", "day", "sum", "more"], how="saw", day="2027-05", more="a")
        assert shown(answer) == []
        assert visitor.kept() == {
            "how": ("saw",),
            "day": ("2027-05",),
            "sum": (),
            "more": ("a",),
        }


def test_a_required_answer_is_asked_for_at_its_field_and_nothing_typed_is_lost(
    world: World,
) -> None:
    with visiting(asking(world)) as visitor:
        answer = visitor.post(["how", "day", "sum"], how="saw", day="", sum="\u0661\u0662x")
        assert answer.status_code == 422
        assert 'href="#q-day"' in answer.text
        assert 'id="q-day-error"' in answer.text
        field = re.search(r'<input id="q-day"[^>]*>', answer.text)
        assert field is not None
        assert 'aria-invalid="true"' in field[0]
        assert "q-day-error" in field[0]
        assert "\u0661\u0662x" in answer.text
        assert re.search(r'value="saw" checked', answer.text)
        assert visitor.kept() is None


def test_who_claims_to_have_seen_all_questions_is_asked_the_required_ones(world: World) -> None:
    every = [question["id"] for question in QUESTIONS]
    with visiting(asking(world)) as visitor:
        assert visitor.post(every, how="saw").status_code == 422
        assert visitor.kept() is None


def test_answers_to_questions_that_are_not_asked_are_dropped(world: World) -> None:
    with visiting(asking(world)) as visitor:
        visitor.post(["how", "who", "sum"], how="heard", day="2027", who="my cousin")
        assert visitor.kept() == {"how": ("heard",), "who": (), "sum": ()} | {
            "who": ("my cousin",)
        }


def test_an_unknown_field_or_choice_is_not_taken(world: World) -> None:
    with visiting(asking(world)) as visitor:
        answer = visitor.post(["how", "sum"], how="dreamt", admin="yes")
        assert "Please choose one of the answers shown." in answer.text
        assert visitor.kept() is None


def test_who_goes_back_finds_the_answers_and_can_change_them(world: World) -> None:
    with visiting(asking(world)) as visitor:
        visitor.post(["how", "who", "sum"], how="heard", who="my cousin")
        page = bytes(first(visitor.intake, "en", visitor.ticket).body).decode()
        assert 'value="my cousin"' in page
        assert "New question" not in page
        visitor.post(["how", "day", "sum", "more"], how="saw", day="2027")
        assert visitor.kept() == {"how": ("saw",), "day": ("2027",), "sum": (), "more": ()}


def test_answers_are_sealed_with_the_message(world: World) -> None:
    with visiting(asking(world)) as visitor:
        visitor.post(["how", "who", "sum"], how="heard", who="my cousin")
        ticket = visitor.ticket
        [source] = visitor.intake.spools.sources(ticket.spool, ticket.spool_key)
        assert source.name == ANSWERS_NAME
        assert b"my cousin" in b"".join(source.read())
        plain = [path for path in world.folder.rglob("*") if path.is_file()]
        assert plain
        assert not any(b"my cousin" in path.read_bytes() for path in plain)


def test_a_full_disk_costs_nobody_what_they_typed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise UnavailableError("the disk is full")

    with visiting(asking(world)) as visitor:
        monkeypatch.setattr(visitor.intake.spools, "put", refuse)
        answer = visitor.post(["how", "who", "sum"], how="heard", who="my cousin")
        assert answer.status_code == 503
        assert 'value="my cousin"' in answer.text
        assert "the disk is full" not in answer.text


HOSTILE = "<script>alert(1)</script>\"'><img src=x>"


def test_what_was_typed_comes_back_as_text_and_nothing_else(world: World) -> None:
    with visiting(asking(world)) as visitor:
        answer = visitor.post(["how", "sum"], sum=HOSTILE)
        assert answer.status_code == 422
        assert "<script" not in answer.text
        assert "<img" not in answer.text


class Ids(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.named: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if name := found.get("id"):
            self.ids.append(name)
        self.named |= set((found.get("aria-describedby") or "").split())
        if name := found.get("for"):
            self.named.add(name)


@pytest.mark.parametrize("language", ["en", "fa"])
def test_every_label_and_description_names_one_thing_on_the_page(
    world: World, language: str
) -> None:
    with visiting(asking(world), language) as visitor:
        answer = visitor.post(["how"], how="saw", sum="x")
        reader = Ids()
        reader.feed(answer.text)
        assert len(reader.ids) == len(set(reader.ids))
        assert reader.named
        assert reader.named <= set(reader.ids)
        assert len(answer.content) + len(style()) <= PAGE_BYTES_MAX


def test_a_question_that_lacks_the_language_is_marked_as_what_it_is(world: World) -> None:
    with visiting(asking(world), "de") as visitor:
        answer = visitor.post([], how="saw")
        assert "Woher wissen Sie es?" in answer.text
        assert '<span lang="en" dir="ltr">When?</span>' in answer.text


def test_the_questions_stand_between_the_words_and_the_text(world: World) -> None:
    with visiting(asking(world)) as visitor:

        def go_on(step: str, page: str, **fields: str | list[str]) -> str:
            ticket = re.search(r'name="ticket" value="([^"]+)"', page)
            assert ticket is not None
            return httpx.post(
                f"{visitor.url}/en/tell/{step}",
                data={"ticket": ticket[1], **fields},
                trust_env=False,
                timeout=30,
            ).text

        page = httpx.get(visitor.url + "/en/tell", trust_env=False).text
        assert "Step 1 of 6" in page
        page = go_on("nothing", page, sure="1")
        assert "Step 3 of 6" in page
        assert "How do you know?" in page
        page = go_on("answers", page, asked=["how", "sum", "who"], **{"q-how": "heard"})
        assert "Step 4 of 6" in page
        page = go_on("again", page, to="answers")
        assert re.search(r'value="heard" checked', page)


def test_the_client_is_given_the_same_questions(world: World) -> None:
    intake = asking(world)
    with web.running(make_site(intake)) as url:
        answer = httpx.get(url + "/questions.json", trust_env=False)
    assert parse_questions(answer.content) == intake.definition.questionnaire
