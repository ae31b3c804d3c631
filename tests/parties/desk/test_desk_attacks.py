"""What the author of a tip can make an assessor read: nothing that is not marked as theirs."""

import argparse
import json
import re
from typing import Any

import pytest
from tests.parties.desk.desk_world import World
from tests.parties.desk.test_desk_answers import page_of

from safeconduct.parties.desk.command import add_arguments
from safeconduct.plumbing.programme import write_programme
from safeconduct.protocol.canonical import format_json
from safeconduct.protocol.envelope import ANSWERS_NAME

CONTROLS = (
    "\x1b[2J\x1b]0;owned\x07\x9b31m\x08\x7f\u202e\u2066\u200b\ufeff\r\x00\x85\u2028\U000e0041"
)
OURS = "tip-1  2027-01-15T08:00:00Z  ok  corroborated  00ff"
FAKED = (
    f"nothing\n\nvotes: 2 of 2. agreed\n  Anna: A1 certain\nindependent: two origins ()\n{OURS}"
)
MARKUP = "</bdi></blockquote><script>alert(1)</script><form action=//evil.example><button>"
HARMLESS = re.compile(r"[\n\t\u3000]")


def shown(world: World, digest: bytes, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    """What `desk show` prints."""
    write_programme(world.folder, world.desk.programme)
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    options = parser.parse_args(["show", digest.hex(), "--dir", str(world.folder), *more])
    capsys.readouterr()
    assert options.run(options) == 0
    return capsys.readouterr().out


def answers(hostile: str) -> bytes:
    one: dict[str, Any] = {
        "id": hostile,
        "ask": hostile,
        "answer": [hostile],
        "said": [hostile],
    }
    return format_json({"language": hostile[:8], "questions": [one, one | {"said": []}]})


def attacked(world: World, hostile: str) -> bytes:
    """A tip that holds `hostile` wherever its author can write."""
    name = "".join(each for each in hostile if each.isprintable() and each not in "/\\")[:60]
    files = {
        "message.txt": hostile.encode(),
        f"{name}.txt": hostile.encode(),
        ANSWERS_NAME: answers(hostile),
    }
    digest = world.send(0, files)
    world.run()
    return digest


def test_no_line_of_a_tip_passes_for_one_of_the_desk_s(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    told = shown(world, attacked(world, FAKED), capsys)
    ours = [line for line in told.splitlines() if not line.startswith("│ ")]
    for faked in ("votes: 2 of 2. agreed", "  Anna: A1 certain", OURS):
        assert faked not in ours
        assert any(line.lstrip("│ ") == faked.strip() for line in told.splitlines())
    assert [line for line in ours if line.startswith("votes:")] == ["votes: 0 of 2."]


def test_no_tip_moves_the_cursor_or_turns_the_line_around(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    digest = attacked(world, CONTROLS)
    told = shown(world, digest, capsys)
    assert all(each.isprintable() or HARMLESS.match(each) for each in told)
    assert "\\u{1b}[2J" in told
    assert "\\u{202e}" in told
    as_json = shown(world, digest, capsys, "--json")
    assert as_json.isascii()
    assert all(each.isprintable() or each == "\n" for each in as_json)
    assert json.loads(as_json)["summary"]["hash"] == digest.hex()


@pytest.mark.parametrize("hostile", [MARKUP, CONTROLS, FAKED, "{{ 7*7 }}{% include 'x' %}"])
def test_no_field_of_a_tip_acts_on_the_assessors_page(world: World, hostile: str) -> None:
    page = page_of(world, attacked(world, hostile))
    assert "<script" not in page
    assert "evil.example>" not in page
    assert page.count("</bdi></blockquote>") == page.count('dir="auto"><bdi>')
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f\x7f-\x9f]", page)
    assert "49" not in re.findall(r"\{\{.{0,9}", page)
