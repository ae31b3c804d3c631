"""The OpenAPI document: sound, complete to the last route, and true for what is asked here."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_spec_validator import validate
from tests.parties.intake.door_world import World, ask, open_world

from safeconduct.parties.intake.definition import PASSAGES
from safeconduct.parties.intake.frame import PACKAGE
from safeconduct.parties.intake.site import routes
from safeconduct.plumbing.languages import LANGUAGES
from safeconduct.plumbing.pages import asset
from safeconduct.protocol.questions import KINDS, QUESTIONS_MAX, TESTS

DOCUMENT: dict[str, Any] = json.loads(asset(PACKAGE, "openapi.json"))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("door")) as made:
        yield made


def described() -> set[tuple[str, str]]:
    return {
        (method.upper(), path)
        for path, operations in DOCUMENT["paths"].items()
        for method in operations
    }


def test_the_document_is_sound() -> None:
    validate(DOCUMENT)


def test_every_route_is_described_and_nothing_else(world: World) -> None:
    declared = {
        (route.method, re.sub(r":\w+\}", "}", route.path)) for route in routes(world.intake)
    }
    assert described() == declared


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [
        operation["operationId"]
        for operations in DOCUMENT["paths"].values()
        for operation in operations.values()
    ]
    assert len(names) == len(set(names))


def test_it_is_served_as_it_lies_there(world: World) -> None:
    answer = ask(world, "GET", "/openapi.json")
    assert answer.json() == DOCUMENT
    assert answer.headers["content-type"] == "application/json"


def test_what_it_lists_is_what_the_code_knows() -> None:
    schemas, parameters = (DOCUMENT["components"][key] for key in ("schemas", "parameters"))
    assert tuple(parameters["language"]["schema"]["enum"]) == LANGUAGES
    assert tuple(schemas["Question"]["properties"]["kind"]["enum"]) == KINDS
    assert set(schemas["Condition"]["properties"]) == {"question", *TESTS}
    assert schemas["Questionnaire"]["properties"]["questions"]["maxItems"] == QUESTIONS_MAX
    assert PASSAGES


ASKED: dict[str, tuple[str, str, bytes, str]] = {
    "a commit": ("POST", "/commit", b"c" * 32, "/commit"),
    "a short commit": ("POST", "/commit", b"c", "/commit"),
    "a long commit": ("POST", "/commit", b"c" * 33, "/commit"),
    "the puzzle": ("GET", "/work", b"", "/work"),
    "no announcement": ("POST", "/deliver", b"{}", "/deliver"),
    "an unknown upload": ("GET", f"/deliver/{'0' * 64}", b"", "/deliver/{hash}"),
    "a piece of an unknown upload": (
        "PATCH",
        f"/deliver/{'0' * 64}?offset=0",
        b"x",
        "/deliver/{hash}",
    ),
    "the end of an unknown upload": (
        "POST",
        f"/deliver/{'0' * 64}/finish",
        b"",
        "/deliver/{hash}/finish",
    ),
    "a capsule": ("PUT", f"/capsules/{'0' * 32}", bytes(8_192), "/capsules/{slot}"),
    "a short capsule": ("PUT", f"/capsules/{'0' * 32}", b"x", "/capsules/{slot}"),
    "the shelf": ("GET", "/capsules", b"", "/capsules"),
    "the bulletin": ("GET", "/bulletin", b"", "/bulletin"),
    "questions": ("GET", "/questions.json", b"", "/questions.json"),
    "the programme": ("GET", "/programme.toml", b"", "/programme.toml"),
    "the policy": ("GET", "/policy.txt", b"", "/policy.txt"),
    "health": ("GET", "/health", b"", "/health"),
    "a stranger as the desk": ("POST", "/desk/deliveries", b"0", "/desk/deliveries"),
    "a client that is not there": ("GET", "/client/linux", b"", "/client/{platform}"),
    "no withdrawal": ("POST", "/withdraw", b"x", "/withdraw"),
    "the start": ("GET", "/", b"", "/"),
    "a page": ("GET", "/de/ways", b"", "/{language}/ways"),
    "a page in a language that we have not": ("GET", "/xx/ways", b"", "/{language}/ways"),
    "a form without a ticket": ("POST", "/en/tell/check", b"", "/{language}/tell/check"),
}


@pytest.mark.parametrize("name", ASKED)
def test_an_answer_is_one_of_those_described(world: World, name: str) -> None:
    method, path, content, described_path = ASKED[name]
    answer = httpx.request(
        method,
        world.url + path,
        content=content,
        headers={"content-type": "application/x-www-form-urlencoded"},
        trust_env=False,
        timeout=60,
    )
    answers = DOCUMENT["paths"][described_path][method.lower()]["responses"]
    assert str(answer.status_code) in answers, answer.text
    told = answers[str(answer.status_code)]
    if "$ref" in told:
        told = DOCUMENT["components"]["responses"][told["$ref"].rsplit("/", 1)[1]]
    if "content" in told:
        kind = answer.headers["content-type"].partition(";")[0]
        assert kind in told["content"]


def test_the_file_is_written_for_people_too() -> None:
    path = Path(__file__).parents[3] / "src/safeconduct/parties/intake/assets/openapi.json"
    text = path.read_text()
    assert text == json.dumps(DOCUMENT, indent=1, ensure_ascii=False) + "\n"
