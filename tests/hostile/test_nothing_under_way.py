"""Nothing of a case or a listing is visible outside before it is final; no address is told.

Searched are all files and all output of the play, and every page and feed of the register, as
anybody may load it; and the public folder, made again while all of it is under way.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest
from tests.hostile.asking_at_bodies import QUERIES
from tests.hostile.console import Console
from tests.hostile.searching import everything, places, spellings
from tests.hostile.seating import (
    CLAIMANT_NAME,
    CONDUCT,
    EVIDENCE,
    NAMES,
    PROPOSED,
    PROPOSER,
    REPLY,
    TOLD,
    Seated,
)
from tests.world import Played, rows

from safeconduct.plumbing import clock
from safeconduct.protocol.canonical import format_base64

SECONDS_MAX = 60.0  # on the slowest machine; what explodes takes for ever
UNSEEN = (TOLD, PROPOSED, *NAMES.values(), CONDUCT, EVIDENCE, PROPOSER, REPLY)
REGISTER = ("register/",)
DECIDING = ("register/", "console/")


@pytest.fixture(scope="module")
def pages(played: Played, seated: Seated) -> dict[str, bytes]:
    """Every page, feed and file that the register shows to anybody, by its address."""
    url = played.url("register")
    found: dict[str, bytes] = {}
    waiting = ["/", "/health", "/statute", "/law", "/law/compare?from=1&to=1", "/search"]
    waiting += [f"/feeds/register.{form}" for form in ("json", "ftm.jsonl", "csv")]
    waiting += ["/feeds/delta.json?since=0", "/law/1/statute.json", "/board/dockets"]
    waiting += [f"/search?q={name}" for name in (*NAMES.values(), *NAMES, CLAIMANT_NAME)]
    waiting += [f"/{kind}/{name}" for name in NAMES for kind in ("person", "listing", "case")]
    waiting += [f"/case/{seated.case.claim.hex()}", f"/decision/{seated.docket}"]
    with httpx.Client(trust_env=False, timeout=60) as stranger:
        while waiting:
            path = waiting.pop()
            if path not in found:
                answer = stranger.get(url + path)
                # What was asked for may be shown again; it tells nobody anything.
                asked = path.rpartition("=")[2]
                shown = answer.content.replace(asked.encode(), b"")
                shown = shown.replace(unquote(asked).encode(), b"")
                found[path] = shown + repr(answer.headers).encode()
                waiting += re.findall(r'(?:href|src|action)="(/[^"#]*)"', answer.text)
    return found


@pytest.fixture(scope="module")
def kept(played: Played, seated: Seated) -> dict[str, bytes]:
    return everything(played)


def test_the_pages_that_are_searched_are_those_of_the_register(pages: dict[str, bytes]) -> None:
    assert {"/", "/law/1", "/person/r-0001", "/feeds/register.csv"} <= set(pages)
    assert len([path for path in pages if path.startswith("/decision/")]) > 4
    assert b"Anton Weller" in pages["/"] + pages["/person/r-0002"]


@pytest.mark.parametrize("text", UNSEEN)
def test_a_listing_under_way_is_seen_by_the_register_alone(
    kept: dict[str, bytes], pages: dict[str, bytes], text: str
) -> None:
    found = places(kept, text.encode()) | places(kept, json.dumps(text)[1:-1].encode())
    assert found
    assert not [place for place in found if not place.startswith(REGISTER)]
    assert not [path for path, page in pages.items() if text.encode() in page]


def test_a_case_under_way_is_seen_by_those_who_decide_it_alone(
    kept: dict[str, bytes], pages: dict[str, bytes], seated: Seated
) -> None:
    found = places(kept, CLAIMANT_NAME.encode())
    assert {place.partition("/")[0] for place in found} == {"register", "console"}
    for secret in (CLAIMANT_NAME.encode(), seated.docket.encode(), seated.case.page):
        assert not [place for place in places(kept, secret) if not place.startswith(DECIDING)]
        assert not [path for path, page in pages.items() if secret in page]


def test_a_decision_that_is_not_final_lies_with_those_who_made_it_alone(
    played: Played, kept: dict[str, bytes], pages: dict[str, bytes], seated: Seated
) -> None:
    events = rows(played.folder / "register" / "registry.sqlite", "events")
    [held] = [row[4] for row in events if row[1:3] == (seated.decided.claim, "decided")]
    assert isinstance(held, bytes)
    signed = str(json.loads(held)["decision"]).encode()
    for line in signed.splitlines()[-2:]:  # the signatures: everything else is not secret
        found = places(kept, line)
        assert found
        assert not [place for place in found if not place.startswith(DECIDING)]
        assert not [path for path, page in pages.items() if line in page]


def test_the_address_of_a_listing_lies_with_the_register_alone(
    played: Played, kept: dict[str, bytes], pages: dict[str, bytes]
) -> None:
    """Also of those that are public since: a person's page stays their own."""
    listings = rows(played.folder / "register" / "registry.sqlite", "listings")
    assert len(listings) > len(NAMES)
    for listing in listings:
        page = listing[2]
        assert isinstance(page, bytes)
        for secret in spellings(page):
            assert not [at for at in places(kept, secret) if not at.startswith(REGISTER)]
            assert not [path for path, shown in pages.items() if secret in shown]


def test_the_public_folder_holds_nothing_that_is_under_way(
    console: Console, seated: Seated, capsys: pytest.CaptureFixture[str]
) -> None:
    assert console.run("register publish --dir register --out made-public") == 0, console.said
    told = console.said + capsys.readouterr().out
    made = {path.name: path.read_bytes() for path in walked(console.folder / "made-public")}
    made["(printed)"] = told.encode()
    assert len(made) > 5
    pages = (seated.told.page, seated.proposed.page, seated.case.page)
    secrets = [each for page in pages for each in spellings(page)]
    secrets += [text.encode() for text in (*UNSEEN, CLAIMANT_NAME, seated.docket)]
    assert not {place for secret in secrets for place in places(made, secret)}


def walked(folder: Path) -> Iterator[Path]:
    """Every file below a folder."""
    return (path for path in folder.rglob("*") if path.is_file())


def test_no_secret_of_the_console_is_kept_anywhere(
    kept: dict[str, bytes], pages: dict[str, bytes], seated: Seated
) -> None:
    """Codes, cookie and challenges are known by their hashes; the token follows from one."""
    assert len(seated.secrets) == 6
    for what, secret in seated.secrets.items():
        for spelt in {secret, secret.replace("-", ""), secret.upper()}:
            coded = format_base64(spelt.encode())[:-4].encode()
            found = places({**kept, **pages}, spelt.encode()) | places(kept, coded)
            assert not found, what
        if re.fullmatch("[0-9a-f-]+", secret):
            plain = bytes.fromhex(secret.replace("-", ""))
            assert not places(kept, plain), what


def test_a_private_page_tells_its_address_to_nobody(played: Played, seated: Seated) -> None:
    """Neither to another site, by a link or a resource, nor to a cache on the way."""
    pages = (f"/listing/{seated.told.page.hex()}", f"/case/{seated.case.page.hex()}")
    for path in pages:
        answer = httpx.get(played.url("register") + path, trust_env=False)
        assert answer.status_code == 200
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "no-store" in answer.headers["cache-control"]
        assert not re.findall(r'(?:href|src|action)="(?:https?:)?//', answer.text)


@pytest.mark.parametrize("kind", QUERIES)
def test_a_hostile_name_is_looked_for_in_time_and_shown_as_text(
    played: Played, seated: Seated, kind: str
) -> None:
    began = clock.monotonic()
    url = f"{played.url('register')}/search"
    answer = httpx.get(url, params={"q": QUERIES[kind]}, trust_env=False, timeout=SECONDS_MAX)
    assert clock.monotonic() - began < SECONDS_MAX
    assert answer.status_code in (200, 400, 403)
    assert answer.text.count("<h1") == 1
    assert "<script" not in answer.text
    assert "\x1b" not in answer.text
    assert not [name for name in UNSEEN if name in answer.text]
