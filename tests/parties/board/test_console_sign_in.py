"""The console's door: codes once, passkeys of members, sessions that end, forms of its own."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.parties.board.console_world import (
    ANNA,
    BORIS,
    ORIGIN,
    Browser,
    ConsoleWorld,
    served,
)

from safeconduct.parties.board.console import GAZETTE_SECONDS, GAZETTE_STALE_SECONDS
from safeconduct.parties.board.console_sign_in import (
    IDLE_SECONDS,
    INVITATION_SECONDS,
    SESSION_SECONDS,
)
from safeconduct.parties.board.console_store import PASSKEYS_MAX
from safeconduct.plumbing.passkeys import CEREMONY_SECONDS

Browsers = Callable[..., Browser]


@pytest.fixture
def world(tmp_path: Path) -> ConsoleWorld:
    world = ConsoleWorld(folder=tmp_path)
    world.pull()
    return world


@pytest.fixture
def browser(world: ConsoleWorld) -> Iterator[Browsers]:
    with served(world) as browsers:
        yield browsers


def test_a_member_enrols_with_a_code_and_signs_in_with_the_passkey(
    world: ConsoleWorld, browser: Browsers
) -> None:
    anna = browser()
    assert "added" in anna.enrol(world.invite(ANNA)).text
    assert anna.get("/").status == 303
    assert anna.sign_in().heading == "Cases"
    assert ANNA in anna.get("/you").heading


def test_a_code_is_good_once_and_for_two_days_and_until_the_next(
    world: ConsoleWorld, browser: Browsers
) -> None:
    used = world.invite(ANNA)
    browser().enrol(used)
    assert browser().enrol(used).status == 403
    replaced, newest = world.invite(ANNA), world.invite(ANNA)
    assert browser().enrol(replaced).status == 403
    world.now += INVITATION_SECONDS
    assert browser().enrol(newest).status == 403
    assert len(world.console.store.passkeys(ANNA)) == 1


def test_a_code_may_be_typed_in_any_way(world: ConsoleWorld, browser: Browsers) -> None:
    code = world.invite(ANNA).replace("-", " ").upper()
    assert "added" in browser().enrol(f" {code}\t").text


def test_a_code_of_somebody_who_left_the_board_is_refused(
    world: ConsoleWorld, browser: Browsers
) -> None:
    seen = browser().enrol(world.invite("board.example/nobody"))
    assert (seen.status, seen.heading) == (403, "Not done")


def test_a_response_for_another_members_code_is_refused(
    world: ConsoleWorld, browser: Browsers
) -> None:
    mine, theirs = world.invite(ANNA), world.invite(BORIS)
    eve = browser()
    response = eve.passkey.create(eve.options(eve.post("/enrol/begin", code=mine)))
    assert eve.post("/enrol", code=theirs, response=response).status == 403
    assert world.console.store.passkeys(BORIS) == ()


def test_a_challenge_is_good_once(browser: Browsers) -> None:
    anna = browser(ANNA)
    response = anna.passkey.get(anna.options(anna.get("/enter")))
    assert anna.post("/enter", response=response).status == 303
    seen = browser().post("/enter", response=response)
    assert seen.status == 403
    assert "set-cookie" not in seen.headers


def test_a_challenge_is_good_for_five_minutes(world: ConsoleWorld, browser: Browsers) -> None:
    anna = browser(ANNA)
    options = anna.options(anna.get("/enter"))
    world.now += CEREMONY_SECONDS
    seen = anna.post("/enter", response=anna.passkey.get(options))
    assert (seen.status, "too long" in seen.text) == (403, True)


def test_a_challenge_for_enrolling_signs_nobody_in(
    world: ConsoleWorld, browser: Browsers
) -> None:
    anna = browser(ANNA)
    options = anna.options(anna.post("/enrol/begin", code=world.invite(ANNA)))
    assert anna.post("/enter", response=anna.passkey.get(options)).status == 403


def test_a_challenge_from_before_a_restart_is_refused(world: ConsoleWorld) -> None:
    with served(world) as browsers:
        anna = browsers(ANNA)
        response = anna.passkey.get(anna.options(anna.get("/enter")))
    world.start()
    world.pull()
    with served(world) as browsers:
        later = browsers()
        assert later.post("/enter", response=response).status == 403
        later.passkey = anna.passkey
        assert later.sign_in().heading == "Cases"


def test_a_page_of_another_site_gets_nothing_from_a_passkey(browser: Browsers) -> None:
    anna = browser(ANNA)
    anna.passkey.origin = "http://localhost.evil.example"
    options = anna.options(anna.get("/enter"))
    assert anna.post("/enter", response=anna.passkey.get(options)).status == 403


def test_a_removed_passkey_signs_nobody_in_and_ends_its_sessions(
    world: ConsoleWorld, browser: Browsers
) -> None:
    anna = browser(ANNA)
    world.invite(ANNA, lost=True)
    assert anna.get("/").status == 303
    assert anna.sign_in().status == 403


def test_the_last_passkey_stays_and_another_can_be_removed(
    world: ConsoleWorld, browser: Browsers
) -> None:
    first, second = browser(ANNA), browser(ANNA)
    shown = first.passkey.credential_id.hex()
    assert second.act("/you/remove", passkey=shown).status == 200
    assert first.get("/").status == 303
    mine = second.passkey.credential_id.hex()
    assert second.act("/you/remove", passkey=mine).status == 403


def test_a_member_has_eight_passkeys_at_most(world: ConsoleWorld, browser: Browsers) -> None:
    for _ in range(PASSKEYS_MAX):
        browser(ANNA)
    assert browser().enrol(world.invite(ANNA)).status == 403


def test_a_passkey_of_another_member_is_not_removed(
    world: ConsoleWorld, browser: Browsers
) -> None:
    browser(ANNA)
    anna, boris = browser(ANNA), browser(BORIS)
    victim = boris.passkey.credential_id.hex()
    assert anna.act("/you/remove", passkey=victim).status == 403
    assert boris.get("/").status == 200


# Sessions.


@pytest.mark.parametrize("seconds", [IDLE_SECONDS, SESSION_SECONDS])
def test_a_session_ends_by_itself(seconds: int, world: ConsoleWorld, browser: Browsers) -> None:
    anna = browser(ANNA)
    world.now += seconds
    world.console.memory.read_at = world.now
    assert anna.get("/").status == 303


def test_a_session_in_use_ends_after_eight_hours_all_the_same(
    world: ConsoleWorld, browser: Browsers
) -> None:
    anna, lasted = browser(ANNA), 0
    while anna.get("/you").status == 200:
        world.now += IDLE_SECONDS - 1
        lasted += IDLE_SECONDS - 1
    assert SESSION_SECONDS - IDLE_SECONDS < lasted < SESSION_SECONDS + IDLE_SECONDS


def test_a_session_cookie_is_for_no_script_and_no_other_site(browser: Browsers) -> None:
    anna = browser(ANNA)
    options = anna.options(anna.get("/enter"))
    cookie = anna.post("/enter", response=anna.passkey.get(options)).headers["set-cookie"]
    assert {"HttpOnly", "Path=/", "SameSite=strict"} <= set(cookie.split("; "))


def test_over_tls_the_cookie_is_bound_to_the_host(tmp_path: Path) -> None:
    world = ConsoleWorld(folder=tmp_path, origin="https://localhost:8500")
    world.pull()
    with served(world) as browsers:
        anna = browsers()
        anna.enrol(world.invite(ANNA))
        options = anna.options(anna.get("/enter"))
        answer = anna.post("/enter", response=anna.passkey.get(options))
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-board=")
    assert "Secure" in cookie.split("; ")


def test_signing_in_takes_no_session_that_a_browser_brought_along(browser: Browsers) -> None:
    anna, planted = browser(ANNA), "ab" * 32
    anna.http.cookies.clear()
    anna.http.cookies.set("board", planted)
    options = anna.options(anna.get("/enter"))
    cookie = anna.post("/enter", response=anna.passkey.get(options)).headers["set-cookie"]
    assert planted not in cookie
    fixed = browser()
    fixed.http.cookies.set("board", planted)
    assert fixed.get("/").status == 303


def test_signing_out_ends_the_session_and_everywhere_ends_all(
    world: ConsoleWorld, browser: Browsers
) -> None:
    anna = browser(ANNA)
    cookie = anna.http.cookies["board"]
    anna.act("/leave")
    anna.http.cookies.set("board", cookie)
    assert anna.get("/").status == 303
    first, second = browser(ANNA), browser(ANNA)
    first.act("/leave", everywhere="yes")
    assert second.get("/").status == 303


def test_cookies_and_codes_are_not_kept(world: ConsoleWorld, browser: Browsers) -> None:
    anna = browser(ANNA)
    code = world.invite(ANNA)
    kept = b"".join(path.read_bytes() for path in world.folder.glob("console.sqlite*"))
    cookie = anna.http.cookies["board"]
    for secret in (cookie.encode(), bytes.fromhex(cookie), code.encode()):
        assert secret not in kept
    assert bytes.fromhex(code.replace("-", "")) not in kept


def test_who_left_the_board_is_signed_out(world: ConsoleWorld, browser: Browsers) -> None:
    anna = browser(ANNA)
    roster = replace(world.state.roster, members=world.state.roster.members[1:])
    world.state = replace(world.state, rosters=(*world.state.rosters, roster))
    world.now += GAZETTE_SECONDS
    world.pull()
    assert anna.get("/").status == 303
    assert anna.sign_in().status == 403


def test_nobody_is_let_in_while_nobody_knows_who_sits(
    world: ConsoleWorld, browser: Browsers
) -> None:
    anna = browser(ANNA)
    world.now += GAZETTE_STALE_SECONDS
    assert anna.sign_in().status == 403


# Forms.

FOREIGN = {
    "another site": {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
    "another port": {"origin": "http://localhost:9999", "sec-fetch-site": "same-site"},
    "another scheme": {"origin": "https://localhost:8500", "sec-fetch-site": "cross-site"},
    "says same-site": {"origin": ORIGIN, "sec-fetch-site": "same-site"},
    "says nothing": {},
    "no origin": {"origin": "null", "sec-fetch-site": "same-origin"},
}


@pytest.mark.parametrize("case", FOREIGN)
def test_a_form_from_elsewhere_is_refused(case: str, browser: Browsers) -> None:
    anna = browser(ANNA)
    token = anna.token()
    anna.headers = FOREIGN[case]
    assert anna.post("/leave", token=token).status == 403
    assert anna.get("/").status == 200


def test_a_form_without_the_sessions_own_token_is_refused(browser: Browsers) -> None:
    anna, boris = browser(ANNA), browser(BORIS)
    for token in ("", "é", boris.token(), anna.http.cookies["board"]):
        assert anna.post("/leave", token=token).status == 403
    assert anna.get("/").status == 200


def test_no_page_can_be_framed_or_run_what_is_not_ours(browser: Browsers) -> None:
    anna = browser(ANNA)
    for path in ("/enter", "/enrol", "/", "/you", "/nowhere"):
        policy = anna.get(path).headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "default-src 'none'" in policy
        assert ("script-src" in policy) == (path == "/enter")


def test_a_console_called_by_another_name_answers_nothing(browser: Browsers) -> None:
    stranger = browser()
    stranger.http.headers["host"] = "evil.example:8500"
    assert stranger.get("/enter").status == 403


def test_who_is_not_signed_in_sees_no_page(browser: Browsers) -> None:
    stranger = browser()
    for path in ("/", "/you", "/nowhere", f"/dockets/{'ab' * 32}"):
        assert stranger.get(path).headers["location"] == "/enter"
