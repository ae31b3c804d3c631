"""Answers to the body's questions, as the desk shows them: a table, and nothing that acts."""

import argparse
from typing import Any

import pytest
from tests.parties.desk.desk_world import World

from safeconduct.parties.desk.command import add_arguments
from safeconduct.parties.desk.site import make_site
from safeconduct.parties.desk.view import show
from safeconduct.plumbing import fetch, web
from safeconduct.plumbing.programme import write_programme
from safeconduct.protocol.canonical import format_json
from safeconduct.protocol.envelope import ANSWERS_NAME

HOSTILE = '<script>alert(1)</script>"> \u202egnirts {{ 7 * 7 }}'


def sent(world: World, data: bytes, name: str = ANSWERS_NAME) -> bytes:
    digest = world.send(0, {"message.txt": b"see the answers", name: data})
    world.run()
    return digest


def answers(**changed: Any) -> bytes:
    one = {"id": "how", "ask": "How do you know?", "answer": ["saw"], "said": ["I saw it"]}
    return format_json({"language": "en", "questions": [one | changed]})


def page_of(world: World, digest: bytes) -> str:
    with web.running(make_site(world.desk, "12345678")) as url:
        entered = fetch.post(
            url + "/enter",
            b"code=12345678",
            bytes_max=1 << 20,
            content_type="application/x-www-form-urlencoded",
        )
        cookie = entered.headers["set-cookie"].partition(";")[0]
        path = f"{url}/tips/{digest.hex()}"
        answer = fetch.request("GET", path, bytes_max=1 << 20, headers={"cookie": cookie})
    return answer.body.decode()


def test_answers_are_a_table_of_questions_and_words(world: World) -> None:
    page = page_of(world, sent(world, answers()))
    assert "How do you know?" in page
    assert '<blockquote dir="auto">I saw it</blockquote>' in page
    assert "&#34;language&#34;" not in page, "the file is not shown as text too"


@pytest.mark.parametrize("field", ["id", "ask", "answer", "said"])
def test_nothing_in_answers_acts_or_turns_the_page_around(world: World, field: str) -> None:
    value = [HOSTILE] if field in {"answer", "said"} else HOSTILE
    page = page_of(world, sent(world, answers(**{field: value})))
    assert "<script>" not in page
    assert "\u202e" not in page
    assert "\\u{202e}gnirts {{ 7 * 7 }}" in page


OTHER = {
    "no JSON": b"what I think",
    "not canonical": b'{"questions": [], "language": "en"}',
    "another form": b'{"a":1}',
    "no text": b"\xff\x00",
}


@pytest.mark.parametrize("name", OTHER)
def test_a_file_that_only_bears_the_name_is_a_file_like_any_other(
    world: World, name: str
) -> None:
    digest = sent(world, OTHER[name])
    shown = show(world.desk, world.desk.store.tip(digest))
    assert [file.answers for file in shown.files] == [(), ()]
    assert ANSWERS_NAME in page_of(world, digest)


def test_answers_under_another_name_are_shown_as_text(world: World) -> None:
    digest = sent(world, answers(), "others.json")
    assert all(
        not file.answers for file in show(world.desk, world.desk.store.tip(digest)).files
    )


def test_answers_are_read_at_the_terminal_too(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    write_programme(world.folder, world.desk.programme)
    digest = sent(world, answers(said=["I saw it", "\x1b[2J"]))
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    options = parser.parse_args(["show", digest.hex(), "--dir", str(world.folder)])
    assert options.run(options) == 0
    told = capsys.readouterr().out
    assert "│ How do you know?\n│   I saw it, \\u{1b}[2J\n" in told
    assert '"language"' not in told
