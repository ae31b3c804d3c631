"""What opens a sealed decision: for the claimant, for a court, and in time for everybody."""

import argparse
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from tests.parties.registry.appealing import WHY, ruled, with_panel
from tests.parties.registry.register_world import (
    APPEAL_SECONDS,
    NOTHING_FOUND,
    SPOKEN,
    World,
    appeal_of,
    open_world,
    state_of,
)
from tests.protocol import builders
from tests.protocol.builders import DAY, MEMBERS, POLICY, THE_DATE

from safeconduct.errors import RefusedError
from safeconduct.parties.auditor.check import audit
from safeconduct.parties.auditor.folder import Folder
from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.registry import appeals, command, decide, receive
from safeconduct.parties.registry.book import BOOK_SECONDS
from safeconduct.parties.registry.publish import publish
from safeconduct.parties.registry.site import make_site
from safeconduct.parties.registry.unsealing import unseal
from safeconduct.plumbing import web
from safeconduct.protocol.canonical import format_json, parse_json
from safeconduct.protocol.decision import Rechecked, parse_unsealed, recheck
from safeconduct.protocol.record import record_hash

STANDS = "registration_stands"
OPENS_AT = THE_DATE + 30 * DAY
_FIELDS = builders.helped_fields()
ASSESSED = (_FIELDS["assessment"].encode(), _FIELDS["assessment_proof"].encode())


def sealing_law(rule: str = "always") -> bytes:
    """The example law, which opens what a registration that stands has sealed, 30 days after
    its date; `rule` says whether that outcome is shown before.
    """
    document = parse_json(builders.law(), "statute")
    assert isinstance(document, dict)
    default, parameters = document["default"], document["parameters"]
    assert isinstance(default, dict)
    assert isinstance(parameters, dict)
    assert isinstance(parameters["appeal_period"], dict)
    parameters["seal_term"] = parameters["appeal_period"] | {"ends": "same_time"}
    default["unseal"] = {"add": ["the_date", "seal_term"]}
    default["publish"] = rule
    return format_json(document)


Founded = Callable[..., World]


@pytest.fixture
def founded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Founded:
    def under(law: bytes) -> World:
        first, _, epoch = builders.gazette_entries()
        entries = (first, builders.by_board(builders.statute_act(law=law)), epoch)
        world = open_world(tmp_path, monkeypatch, entries)
        world.listed("r-0001")
        return world

    return under


def refused(world: World, disclosure: str = "sealed") -> bytes:
    """A claim that nobody assessed, refused, and not published yet; returns its hash."""
    statute = world.state().statutes[-1].sha256
    claim = world.filed(disclosure=disclosure, statute=statute)
    draft = decide.propose_decision(world.registry, claim, NOTHING_FOUND)
    decide.enter(world.registry, claim, sign_all(draft.record, MEMBERS[:2]))
    return claim


def spoken(world: World) -> bytes:
    """A sealed claim of the same person on a public statement, captured in time."""
    record = builders.capture_record(builders.public_capture())
    claim = builders.claimed(
        0,
        "claim-denounced",
        record=record_hash(record),
        challenge=receive.challenge(world.registry),
        disclosure="sealed",
    )
    proof = builders.prove(record_hash(record), builders.NOON).decode()
    bundle = builders.denounced_bundle(claim=claim, proof=proof)
    return receive.receive(world.registry, bundle).claim


def shown(world: World, disclosure: str = "sealed") -> bytes:
    """The same, and published."""
    claim = refused(world, disclosure)
    world.finished(claim)
    return claim


def judged(world: World, data: bytes) -> Rechecked:
    """What a judge computes from the newest publication and what was handed over."""
    publication = world.state().publications[-1]
    decision = world.registry.store.object(publication.hash("object"))
    return recheck(decision, publication, world.state(), POLICY, parse_unsealed(data))


# What is handed over.


def test_what_the_register_hands_over_opens_the_decision(world: World) -> None:
    found = judged(world, unseal(world.registry, shown(world)))
    assert (found.outcome, found.evidence) == (STANDS, "unsealed")
    assert found.relied_on is not None


def test_a_decision_on_appeal_opens_with_the_one_appealed_against(world: World) -> None:
    """The panel heard more than the board: each decision has evidence of its own."""
    claim = refused(with_panel(world))
    signed = decide.decided_record(world.registry, claim)
    assert signed is not None
    decide.appeal(world.registry, claim, appeal_of(signed))
    appeals.propose_appeal(world.registry, claim, NOTHING_FOUND, ASSESSED)
    ruled(world, claim, STANDS, WHY)
    world.now += 1
    record = decide.finalise(world.registry, claim)
    assert record is not None
    decide.enter_publication(world.registry, claim, builders.by_board(record))
    data = unseal(world.registry, claim)
    found = judged(world, data)
    assert found.evidence == "unsealed"
    assert found.appeal is not None
    assert found.appeal.first.evidence == "unsealed"
    one = parse_unsealed(data)
    assert one.claims[0].bundle != one.first[0].bundle


def test_claims_decided_together_open_together(world: World) -> None:
    lead, other = world.filed(disclosure="sealed"), spoken(world)
    judged_so = NOTHING_FOUND | {f"{name}.1": False for name in SPOKEN}
    draft = decide.propose_decision(world.registry, lead, judged_so, joined=[other])
    decide.enter(world.registry, lead, sign_all(draft.record, MEMBERS[:2]))
    world.finished(lead)
    assert state_of(world, other) == "joined"
    data = unseal(world.registry, other)
    assert data == unseal(world.registry, lead)
    assert [one.claim_hash for one in judged(world, data).joined] == [other]


def test_nothing_is_opened_that_is_open_or_not_public(world: World) -> None:
    with pytest.raises(RefusedError, match="nothing is sealed"):
        unseal(world.registry, refused(world))
    with pytest.raises(RefusedError, match="nothing in this decision is sealed"):
        unseal(world.registry, shown(world, "open"))


def test_only_the_courts_clerk_can_read_what_is_written_for_a_court(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "open_registry", lambda _: world.registry)
    claim = shown(world)
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    out = tmp_path / "opening"
    given = ["unseal", claim.hex(), "--dir", "register", "--out", str(out)]
    options = parser.parse_args(given)
    assert options.run(options) == 0
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert judged(world, out.read_bytes()).evidence == "unsealed"


# Where it is shown, and from when.


def ask(url: str, path: str) -> httpx.Response:
    return httpx.get(url + path, timeout=30, trust_env=False)


@pytest.fixture
def site(founded: Founded) -> Iterator[tuple[World, str]]:
    world = founded(sealing_law())
    with web.running(make_site(world.registry)) as url:
        yield world, url


def address(world: World) -> str:
    return f"/decision/{world.state().publications[-1].hash('object').hex()}"


@pytest.mark.parametrize(("early", "status"), [(1, 404), (0, 200)])
def test_everybody_gets_it_from_the_very_second_that_the_law_names(
    site: tuple[World, str], early: int, status: int
) -> None:
    world, url = site
    shown(world)
    world.now = OPENS_AT - early
    answer = ask(url, f"{address(world)}/unsealed.json")
    assert answer.status_code == status
    if status == 200:
        assert judged(world, answer.content).evidence == "unsealed"


def test_the_claimant_gets_it_at_once_and_nobody_else_does(site: tuple[World, str]) -> None:
    world, url = site
    claim = refused(world)
    page = world.page(claim)
    assert ask(url, f"{page}/unsealed.json").status_code == 404
    world.finished(claim)
    world.now += BOOK_SECONDS
    answer = ask(url, f"{page}/unsealed.json")
    assert judged(world, answer.content).evidence == "unsealed"
    assert ask(url, f"/case/{claim.hex()}/unsealed.json").status_code == 404
    assert ask(url, f"{address(world)}/unsealed.json").status_code == 404
    assert builders.PERSON.encode() not in ask(url, f"{address(world)}/object.json").content


DAY_TOLD = "What is sealed may be shown from: 1 July 2027"


def test_every_page_about_it_tells_the_day(site: tuple[World, str]) -> None:
    world, url = site
    claim = shown(world)
    world.now += BOOK_SECONDS
    for path in (address(world), "/person/r-0001", world.page(claim)):
        assert DAY_TOLD in ask(url, path).text, path
    assert "unsealed.json" not in ask(url, address(world)).text
    world.now = OPENS_AT
    assert "unsealed.json" in ask(url, address(world)).text


def test_where_the_law_names_no_day_it_stays_sealed(world: World) -> None:
    shown(world)
    with web.running(make_site(world.registry)) as url:
        world.now += 100 * 365 * DAY
        assert "it stays sealed" in ask(url, address(world)).text
        assert ask(url, f"{address(world)}/unsealed.json").status_code == 404


@pytest.mark.parametrize("path", ["/decision/{}/unsealed.json", "/case/{}/unsealed.json"])
def test_nothing_lies_at_other_addresses(site: tuple[World, str], path: str) -> None:
    world, url = site
    shown(world, "open")
    world.now = OPENS_AT
    hashes = ("00" * 32, "no-hash", address(world).removeprefix("/decision/"))
    assert {ask(url, path.format(one)).status_code for one in hashes} == {404}


def test_what_the_law_keeps_to_itself_is_published_from_its_day_on(founded: Founded) -> None:
    world = founded(sealing_law("never"))
    claim = refused(world)
    for at in (world.now + APPEAL_SECONDS + 1, OPENS_AT - 1):
        world.now = at
        assert decide.finalise(world.registry, claim) is None
    world.now = OPENS_AT
    record = decide.finalise(world.registry, claim)
    assert record is not None
    decide.enter_publication(world.registry, claim, builders.by_board(record))
    assert judged(world, unseal(world.registry, claim)).evidence == "unsealed"


@pytest.mark.parametrize(("early", "count"), [(1, 0), (0, 1)])
def test_the_public_folder_holds_it_from_the_day_on_and_the_audit_takes_it(
    founded: Founded, tmp_path: Path, early: int, count: int
) -> None:
    world = founded(sealing_law())
    shown(world)
    world.counted()
    world.now = OPENS_AT - early
    public = tmp_path / "public"
    publish(world.registry, public, None)
    assert len([*public.glob("unsealed/*")]) == count
    outcome = audit(Folder(root=public), POLICY)
    assert outcome.holds
    assert (outcome.unsealed, outcome.asserted) == (count, 1 - count)
