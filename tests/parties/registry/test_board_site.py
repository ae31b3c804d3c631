"""The board's way in: only its console's signed requests, and only what members signed for."""

import hashlib
from collections.abc import Callable, Iterator

import httpx
import pytest
from tests.parties.registry.appealing import (
    PANEL,
    WHY,
    contested,
    docket,
    settled,
    with_panel,
)
from tests.parties.registry.register_world import NOTHING_FOUND, World, state_of
from tests.protocol.builders import POLICY, PROGRAMME, REGISTRY, STRANGER, signing_key

from safeconduct.errors import MalformedError, UnavailableError
from safeconduct.parties.registry import board_site, decide
from safeconduct.parties.registry.board_site import (
    REQUEST_AGE_SECONDS_MAX,
    REQUEST_CHARS_MAX,
    REQUEST_HEADER,
    set_console_key,
)
from safeconduct.parties.registry.receive import Registry
from safeconduct.parties.registry.site import make_site
from safeconduct.plumbing import web
from safeconduct.protocol.canonical import Json, format_base64, format_json, parse_json
from safeconduct.protocol.docket import check_docket
from safeconduct.protocol.record import Value, make_record, sign_record
from safeconduct.protocol.tlog.note import SigningKey, format_vkey

CONSOLE = signing_key("console.example")


def request(
    world: World,
    action: str,
    body: bytes = b"",
    /,
    key: SigningKey = CONSOLE,
    **changes: Value,
) -> dict[str, str]:
    """The header of a request that the console signs now."""
    fields: dict[str, Value] = {
        "programme": PROGRAMME,
        "action": action,
        "body": hashlib.sha256(body).digest(),
        "at": world.now,
    }
    signed = sign_record(make_record("request", **fields | changes), [key])
    return {REQUEST_HEADER: format_base64(signed)}


@pytest.fixture
def url(world: World) -> Iterator[str]:
    set_console_key(world.folder, format_vkey(CONSOLE.verifier()))
    with web.running(make_site(world.registry)) as address:
        yield address


def dockets(world: World, url: str) -> list[Json]:
    return offered(world, url)["dockets"]


def offered(world: World, url: str) -> dict[str, list[Json]]:
    answer = httpx.get(f"{url}/board/dockets", headers=request(world, "dockets"))
    assert answer.status_code == 200, answer.text
    value = parse_json(answer.content, "dockets", bytes_max=1 << 24)
    assert isinstance(value, dict)
    lists = {name: found for name, found in value.items() if isinstance(found, list)}
    assert lists.keys() == value.keys() == {"dockets", "trouble"}
    return lists


def decision(claim: bytes, signed: bytes, votes: bytes, departure: str = "") -> bytes:
    return format_json(
        {
            "claim": claim.hex(),
            "departure": departure,
            "signed": signed.decode(),
            "votes": votes.decode(),
        }
    )


def post(world: World, url: str, body: bytes, **headers: str) -> httpx.Response:
    signed = headers or request(world, "decisions", body)
    return httpx.post(f"{url}/board/decisions", content=body, headers=signed)


def test_the_console_fetches_what_waits_for_the_board(world: World, url: str) -> None:
    assert dockets(world, url) == []
    claim = world.filed()
    assert dockets(world, url) == []
    world.proposed(claim)
    [found] = dockets(world, url)
    checked = check_docket(format_json(found), world.state(), POLICY)
    assert checked.claim == claim
    assert checked.proposal.judgement.outcome == "acquitted"


POISON: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "an empty object": b"{}",
    "another event": b'{"decision":"x"}',
    "not UTF-8": b"\xff\xfe",
    "of another type": b'{"judgements":1}',
}


@pytest.mark.parametrize("what", POISON)
def test_a_case_that_is_spoilt_holds_up_no_other(world: World, url: str, what: str) -> None:
    spoilt, whole = world.filed(), world.filed()
    for claim in (spoilt, whole):
        world.proposed(claim)
    with world.registry.store.database.write() as transaction:
        transaction.execute(
            "UPDATE events SET data = ? WHERE claim = ? AND kind = 'proposed'",
            (POISON[what], spoilt),
        )
    found = offered(world, url)
    [docket] = found["dockets"]
    assert check_docket(format_json(docket), world.state(), POLICY).claim == whole
    [trouble] = found["trouble"]
    assert isinstance(trouble, dict)
    assert trouble["case"] == 1
    assert trouble["reason"]
    assert trouble["hint"]


def test_what_nobody_foresaw_in_one_case_is_named_and_tells_nothing_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = world.filed(), world.filed()
    for claim in (first, second):
        world.proposed(claim)
    honest = board_site.docket_of

    def unforeseen(registry: Registry, claim: bytes) -> bytes | None:
        if claim == first:
            raise KeyError("the name of the claimant")
        return honest(registry, claim)

    monkeypatch.setattr(board_site, "docket_of", unforeseen)
    offer = board_site.open_dockets(world.registry)
    assert len(offer.dockets) == 1
    [trouble] = offer.trouble
    assert (trouble.case, trouble.reason) == (1, "its file cannot be read (KeyError)")
    assert "register docket 1" in trouble.hint


def test_without_the_gazette_no_case_is_called_spoilt(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.proposed(world.filed())

    def away(_: Registry, __: bytes) -> bytes | None:
        raise UnavailableError("the Gazette does not answer")

    monkeypatch.setattr(board_site, "docket_of", away)
    with pytest.raises(UnavailableError):
        board_site.open_dockets(world.registry)


def test_a_docket_that_is_too_long_is_named(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.proposed(world.filed())
    monkeypatch.setattr(board_site, "OBJECT_BYTES_MAX", 1_000)
    offer = board_site.open_dockets(world.registry)
    assert not offer.dockets
    assert "longer than 1000 bytes" in offer.trouble[0].reason


def test_what_members_signed_is_entered(world: World, url: str) -> None:
    claim = world.filed()
    world.proposed(claim)
    signed, votes = settled(docket(world, claim), "acquitted")
    answer = post(world, url, decision(claim, signed, votes))
    assert answer.status_code == 200, answer.text
    assert answer.json()["outcome"] == "acquitted"
    assert state_of(world, claim) == "decided"
    assert post(world, url, decision(claim, signed, votes)).json() == answer.json()
    assert dockets(world, url) == []


def test_a_departure_comes_with_its_reason(world: World, url: str) -> None:
    claim = world.filed()
    decide.propose_decision(world.registry, claim, NOTHING_FOUND)
    signed, votes = settled(docket(world, claim), "acquitted", WHY)
    assert post(world, url, decision(claim, signed, votes)).status_code != 200
    assert state_of(world, claim) == "proposed"
    assert post(world, url, decision(claim, signed, votes, WHY)).status_code == 200


def test_the_panels_decision_comes_the_same_way(world: World, url: str) -> None:
    claim = contested(with_panel(world))
    [found] = dockets(world, url)
    checked = check_docket(format_json(found), world.state(), POLICY)
    assert checked.hearing is not None
    assert checked.body.members == tuple(key.name for key in PANEL)
    signed, votes = settled(checked, "acquitted", "", PANEL[:2])
    answer = post(world, url, decision(claim, signed, votes))
    assert answer.json()["result"] == "replace"


REFUSED: dict[str, Callable[[World], dict[str, str]]] = {
    "no request": lambda _: {},
    "an empty one": lambda _: {REQUEST_HEADER: ""},
    "no base64": lambda _: {REQUEST_HEADER: "?"},
    "an endless one": lambda _: {REQUEST_HEADER: "A" * (REQUEST_CHARS_MAX + 4)},
    "a stranger's": lambda world: request(world, "dockets", key=STRANGER),
    "the registry's own": lambda world: request(world, "dockets", key=REGISTRY),
    "another action": lambda world: request(world, "decisions"),
    "another body": lambda world: request(world, "dockets", b"x"),
    "another programme": lambda world: request(world, "dockets", programme=bytes(32)),
    "an old one": lambda world: request(
        world, "dockets", at=world.now - REQUEST_AGE_SECONDS_MAX - 1
    ),
    "one from the future": lambda world: request(
        world, "dockets", at=world.now + REQUEST_AGE_SECONDS_MAX + 1
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_nobody_else_sees_a_docket(world: World, url: str, what: str) -> None:
    world.proposed(world.filed())
    answer = httpx.get(f"{url}/board/dockets", headers=REFUSED[what](world))
    assert answer.status_code in (400, 403, 422), answer.text
    assert "r-0001" not in answer.text


def test_a_request_for_another_decision_cannot_be_used(world: World, url: str) -> None:
    claim = world.filed()
    world.proposed(claim)
    signed, votes = settled(docket(world, claim), "acquitted")
    body = decision(claim, signed, votes)
    overheard = request(world, "decisions", b"another body")
    assert post(world, url, body, **overheard).status_code in (400, 403, 422)
    assert state_of(world, claim) == "proposed"


MALFORMED: dict[str, bytes] = {
    "empty": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "a field missing": b'{"claim":"","signed":"","votes":""}',
    "a number": b'{"claim":1,"departure":"","signed":"","votes":""}',
    "no claim": b'{"claim":"","departure":"","signed":"","votes":""}',
    "not UTF-8": b"\xff",
}


@pytest.mark.parametrize("what", MALFORMED)
def test_what_is_no_decision_changes_nothing(world: World, url: str, what: str) -> None:
    world.proposed(world.filed())
    before = world.held()
    assert post(world, url, MALFORMED[what]).status_code in (400, 404, 422)
    assert world.held() == before


def test_a_register_without_a_console_answers_nobody(world: World) -> None:
    with web.running(make_site(world.registry)) as address:
        answer = httpx.get(f"{address}/board/dockets", headers=request(world, "dockets"))
    assert answer.status_code in (403, 409), answer.text


def test_a_console_key_is_an_ed25519_key(world: World) -> None:
    with pytest.raises(MalformedError):
        set_console_key(world.folder, "console.example+00000000+AAAA")
    assert not (world.folder / "console.vkey").exists()
    key = set_console_key(world.folder, format_vkey(CONSOLE.verifier()))
    assert key == CONSOLE.verifier()
