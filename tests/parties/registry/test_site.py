"""The register as strangers meet it: pages for all, one page per case, four calls to claim."""

import hashlib
import html
import re
from collections.abc import Iterator

import httpx
import pytest
from tests.parties.registry.register_world import (
    APPEAL_SECONDS,
    World,
    appeal_of,
    helped,
    words_of,
)
from tests.protocol import builders

from safeconduct.parties.registry.book import BOOK_SECONDS
from safeconduct.parties.registry.decide import finalise
from safeconduct.parties.registry.receive import challenge
from safeconduct.parties.registry.site import make_site
from safeconduct.plumbing import web
from safeconduct.plumbing.register import RegisterDoor
from safeconduct.protocol.canonical import format_json, parse_json
from safeconduct.protocol.claim import BUNDLE_BYTES_MAX
from safeconduct.protocol.record import RECORD_BYTES_MAX
from safeconduct.protocol.statute.instant import format_instant

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7*7 }}"
SOMEBODY = "Tatjana Unheard"
NO_PAGES = (".css", ".json", ".jsonl", ".csv", ".pdf", ".txt", ".html")


@pytest.fixture
def url(world: World) -> Iterator[str]:
    with web.running(make_site(world.registry)) as url:
        yield url


def ask(url: str, path: str, method: str = "GET", body: bytes = b"") -> httpx.Response:
    return httpx.request(method, url + path, content=body, timeout=30, trust_env=False)


def page(world: World, url: str, path: str) -> str:
    """A page as it is once the Gazette has been read again."""
    world.now += BOOK_SECONDS
    answer = ask(url, path)
    assert answer.status_code == 200, answer.text
    return answer.text


def public_pages(world: World, url: str) -> dict[str, str]:
    """Every page that can be reached from the first one; files to take away are none."""
    found: dict[str, str] = {}
    waiting = ["/"]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found[path] = page(world, url, path)
            links = re.findall(r'href="(/[^"#]*)', found[path])
            waiting += [html.unescape(link) for link in links if not link.endswith(NO_PAGES)]
    return found


# Pages for everybody.


def test_the_register_tells_standing_sections_date_and_counts(world: World, url: str) -> None:
    claim = world.filed()
    world.decided(claim)
    world.finished(claim)
    world.counted()
    shown = page(world, url, "/")
    assert re.search(r"r-0001.*?Acquitted.*?since.*?Decision.*?§ 3, 4\(1\)", shown, re.S)
    assert re.search(r"r-0002.*?Registered.*?Listing", shown, re.S)
    assert re.search(r"Suspended by an appeal</dt><dd>0<", shown)
    assert "safeconduct audit public --policy policy.txt" in shown


def test_every_page_works_without_script_cookie_or_anything_from_elsewhere(
    world: World, url: str
) -> None:
    claim = world.filed()
    world.decided(claim)
    world.finished(claim)
    for path, text in public_pages(world, url).items():
        assert "<script" not in text
        assert not re.search(r'(src|href)="(?!/|#|data:,)', text), path
    answer = ask(url, "/")
    assert "set-cookie" not in answer.headers
    assert "script-src" not in answer.headers["content-security-policy"]
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_a_person_has_all_publications_the_newest_first(world: World, url: str) -> None:
    claim = world.filed()
    world.decided(claim)
    world.finished(claim)
    shown = page(world, url, "/person/r-0001")
    assert re.search(r"<strong>Acquitted</strong>.*<strong>Registered</strong>", shown, re.S)
    assert 'href="/law/1"' in shown
    assert "looked at one by one" in shown


def test_a_decision_shows_its_proof_its_signers_and_the_disclosed_evidence(
    world: World, url: str
) -> None:
    claim = world.filed()
    world.decided(claim)
    world.finished(claim)
    sha256 = world.state().publications[-1].hash("object").hex()
    shown = page(world, url, f"/decision/{sha256}")
    assert re.search(r"§ 4\(1\)</bdi></strong>\s*<span class=\"status-ok\">applies", shown)
    refused = r"§ 5\(1\)</bdi></strong>\s*<span class=\"status-none\">does not apply"
    assert re.search(refused, shown)
    assert "board.example/anna" in shown
    assert "safeconduct/v1/contribution" in shown
    assert "it came out the same" in shown


def test_a_sealed_decision_shows_a_commitment_in_place_of_the_evidence(
    world: World, url: str
) -> None:
    claim = world.filed(disclosure="sealed", name=SOMEBODY, keys=1)
    world.decided(claim)
    world.finished(claim)
    sha256 = world.state().publications[-1].hash("object").hex()
    shown = page(world, url, f"/decision/{sha256}")
    assert "commitment stands for it" in shown
    assert "All else is asserted by the board too" in shown
    assert SOMEBODY not in shown
    assert "safeconduct/v1/contribution" not in shown


def test_the_law_shows_each_section_and_the_date(world: World, url: str) -> None:
    assert 'href="/law/1"' in page(world, url, "/law")
    shown = page(world, url, "/law/1")
    assert 'datetime="2027-06-01T00:00:00Z"' in shown
    for number in ("1", "2", "3", "4(1)", "5(3)", "6"):
        assert f'id="s-{number}"' in shown


def test_hostile_names_and_grounds_are_text_on_every_page(world: World, url: str) -> None:
    world.listed("r-0003", HOSTILE, ground=HOSTILE, harm=HOSTILE)
    claim = world.filed(subject="r-0003", name=HOSTILE)
    _, served = world.decided(claim)
    pages = public_pages(world, url)
    pages["case"] = page(world, url, world.page(claim))
    pages["letter"] = page(world, url, f"{world.page(claim)}/letter.html")
    world.finished(claim)
    pages |= public_pages(world, url)
    shown = [path for path, text in pages.items() if "alert(1)" in text]
    assert {"/", "/person/r-0003", "case", "letter"} < set(shown)
    for path, text in pages.items():
        assert "<script" not in text, path
        assert "<img" not in text, path
        assert ">49<" not in text, path
    assert "<script" not in served.letter.read_text(encoding="utf-8")


def test_what_cannot_be_read_is_told_and_the_rest_still_stands(world: World, url: str) -> None:
    act = builders.publication_act(number=3, subject="r-0003", object=bytes(32))
    world.gazette.add(builders.by_board(act), world.now)
    shown = page(world, url, "/")
    assert "Cannot be shown now" in shown
    assert "r-0001" in shown
    assert "does not hold this object" in page(world, url, "/person/r-0003")


NOWHERE = (
    "/person/r-9999",
    "/person/" + "x" * 5_000,
    "/person/%00%ff",
    "/decision/" + "0" * 64,
    "/decision/xyz",
    "/law/2",
    "/case/" + "0" * 64,
    "/case/" + "G" * 64,
    "/case/" + "0" * 64 + "/letter.txt",
    "/case/" + "0" * 64 + "/letter.exe",
    "/cases",
)


@pytest.mark.parametrize("path", NOWHERE, ids=range(len(NOWHERE)))
def test_what_is_not_there_is_one_clear_404(world: World, url: str, path: str) -> None:
    answer = ask(url, path)
    assert answer.status_code == 404
    assert "Traceback" not in answer.text


def test_a_gazette_that_is_away_is_told_without_saying_where(world: World, url: str) -> None:
    world.away = True
    world.now += BOOK_SECONDS
    answer = ask(url, "/")
    assert answer.status_code == 503
    assert "Wait a minute" in answer.text
    assert "log.example" not in answer.text
    assert "does not answer" not in answer.text


# A case, for whoever knows its page.


def test_a_claims_hash_which_the_ledger_holds_leads_to_no_page(world: World, url: str) -> None:
    claim = world.filed()
    world.decided(claim)
    assert claim in world.ledger.entries
    for entry in world.ledger.entries:
        assert ask(url, f"/case/{entry.hex()}").status_code == 404
        assert ask(url, f"/case/{entry.hex()}/letter.txt").status_code == 404


def test_nothing_about_a_case_is_visible_elsewhere_before_it_is_final(
    world: World, url: str
) -> None:
    claim = world.filed(name=SOMEBODY)
    signed, _ = world.decided(claim)
    world.counted()
    everything = "\n".join(public_pages(world, url).values())
    assert SOMEBODY not in everything
    assert claim.hex() not in everything
    assert "Acquitted" not in re.sub(r"<dt>Acquitted", "", everything)
    sha256 = hashlib.sha256(signed).hexdigest()
    assert ask(url, f"/decision/{sha256}").status_code == 404


def test_a_drafted_publication_is_not_shown_before_the_gazette_has_it(
    world: World, url: str
) -> None:
    claim = world.filed()
    world.decided(claim)
    world.now += APPEAL_SECONDS + 1
    record = finalise(world.registry, claim)
    assert record is not None
    path = f"/decision/{record.hash('object').hex()}"
    assert ask(url, path).status_code == 404


def test_the_claimant_reads_the_state_in_words_at_every_step(world: World, url: str) -> None:
    claim = world.filed(name=SOMEBODY)
    path = world.page(claim)
    assert "Your claim is filed" in page(world, url, path)
    assert ask(url, f"{path}/letter.txt").status_code == 404
    world.proposed(claim)
    assert "before the board" in page(world, url, path)
    _, served = world.decided(claim)
    shown = page(world, url, path)
    assert "Your claim is decided" in shown
    assert web_time(served.last_appeal_at) in shown
    assert f"--page {path.rpartition('/')[2]}" in shown
    assert ask(url, f"{path}/letter.txt").text == words_of(served.letter)
    world.finished(claim)
    assert "final and published" in page(world, url, path)
    assert "How to appeal" not in page(world, url, path)


def web_time(at: int) -> str:
    return f'datetime="{format_instant(at)}"'


def test_the_time_for_an_appeal_is_told_when_it_has_ended(world: World, url: str) -> None:
    claim = world.filed()
    world.decided(claim)
    world.now += APPEAL_SECONDS + 1
    shown = page(world, url, world.page(claim))
    assert "The time for an appeal ended" in shown
    assert "How to appeal" not in shown


# The claimant's client.


def test_a_client_claims_reads_its_letter_and_appeals(world: World, url: str) -> None:
    door = RegisterDoor(url)
    audience, fresh = door.challenge()
    assert audience == builders.REGISTRY.name
    assert door.statute() == world.state().statutes[-1].sha256
    bundle = helped(challenge=fresh)
    filed = door.file(bundle)
    claim = filed.claim
    assert filed.number == 1
    assert door.file(bundle) == filed
    assert door.page(filed.page) == url + world.page(claim)
    signed, served = world.decided(claim)
    assert door.letter(filed.page) == words_of(served.letter)
    door.appeal(claim, appeal_of(signed))
    door.appeal(claim, appeal_of(signed))
    assert "Your appeal is filed" in page(world, url, world.page(claim))


def test_the_answers_are_canonical(world: World, url: str) -> None:
    answer = ask(url, "/challenge", "POST").content
    value = parse_json(answer, "answer")
    assert format_json(value) == answer
    filed = ask(url, "/claims", "POST", helped(challenge=challenge(world.registry))).content
    assert format_json(parse_json(filed, "answer")) == filed


BODIES = {
    "empty": b"",
    "a line": b"hello\n",
    "not UTF-8": b"\xff\xfe\x00",
    "JSON of another shape": b'{"claim":{"a":[]}}',
    "JSON that is deep": b"[" * 5_000 + b"]" * 5_000,
    "a record of another kind": builders.by_board(builders.publication_act()),
    "a truncated bundle": helped()[:1_000],
    "a null byte": b"\x00",
}


@pytest.mark.parametrize("what", BODIES)
@pytest.mark.parametrize("path", ["/claims", "/appeals/{claim}"])
def test_malformed_input_is_one_clear_error_and_changes_nothing(
    world: World, url: str, path: str, what: str
) -> None:
    claim = world.filed()
    world.decided(claim)
    before = world.held()
    answer = ask(url, path.format(claim=claim.hex()), "POST", BODIES[what])
    assert answer.status_code in (400, 403)
    assert re.fullmatch(r"error: [^\n]+\n(hint: [^\n]+\n)?", answer.text)
    assert world.held() == before


TOO_LONG = {
    "/challenge": 1,
    "/claims": BUNDLE_BYTES_MAX + 1,
    "/appeals/" + "0" * 64: RECORD_BYTES_MAX + 1,
}


@pytest.mark.parametrize("path", TOO_LONG)
def test_a_body_longer_than_its_limit_is_refused(world: World, url: str, path: str) -> None:
    before = world.held()
    answer = ask(url, path, "POST", b"x" * TOO_LONG[path])
    assert answer.status_code == 413
    assert world.held() == before


@pytest.mark.parametrize("claim", ["0" * 64, "0" * 63, "zz", "%2e%2e"])
def test_an_appeal_to_no_case_is_refused(world: World, url: str, claim: str) -> None:
    before = world.held()
    answer = ask(url, f"/appeals/{claim}", "POST", appeal_of(b"nothing"))
    assert answer.status_code in (400, 403, 404)
    assert answer.text.startswith("error: ")
    assert world.held() == before
