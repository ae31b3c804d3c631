"""Two of the same register, and two hands on one case: exactly one wins, the other is told.

The other acts at the moment in which the first waits for a log, which is the longest of all;
or both run at once, in threads and on two connections to one database, as two processes have.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.parties.registry.appealing import (
    PANEL,
    WHY,
    contested,
    docket,
    settled,
    with_panel,
)
from tests.parties.registry.listing_world import (
    APPEAL_SECONDS,
    ASSESSMENT,
    DAY,
    REPLY_SECONDS,
    Listings,
    open_listings,
)
from tests.parties.registry.register_world import (
    NOTHING_FOUND,
    MemoryLog,
    World,
    appeal_of,
    open_world,
    state_of,
)
from tests.parties.registry.test_kinds_of_claims import ASSESSED
from tests.protocol import builders
from tests.protocol.builders import MEMBERS

from safeconduct.errors import ConflictError, RefusedError, SafeconductError
from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.registry import (
    appeals,
    decide,
    enlist,
    enlist_decide,
    enlist_final,
    hearing,
)
from safeconduct.parties.registry.duties import listings_of
from safeconduct.parties.registry.importing import carry_out, plan_import
from safeconduct.parties.registry.receive import Registry
from safeconduct.parties.registry.store import Store
from safeconduct.protocol.registration import dossier_of

TOLD = (ConflictError, RefusedError)


@dataclass
class SlowLog(MemoryLog):
    """A log that takes its time, in which somebody else does something."""

    meanwhile: Callable[[], object] | None = None

    def add(self, entry: bytes, at: int) -> bytes:
        act, self.meanwhile = self.meanwhile, None
        if act is not None:
            act()
        return super().add(entry, at)


def slow(world: World, meanwhile: Callable[[], object]) -> None:
    """Have somebody act while the Ledger is asked next."""
    old = world.ledger
    world.ledger = SlowLog(
        key=old.key, entries=old.entries, proofs=old.proofs, meanwhile=meanwhile
    )


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    (tmp_path / "register").mkdir()
    world = open_world(tmp_path / "register", monkeypatch)
    world.listed("r-0001")
    return with_panel(world)


@pytest.fixture
def listings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Listings:
    return open_listings(tmp_path / "register", monkeypatch)


# A case.


def test_a_decision_is_not_entered_on_evidence_that_came_after_it_was_signed(
    world: World,
) -> None:
    claim = world.filed()
    decide.propose_decision(world.registry, claim, NOTHING_FOUND)
    signed, votes = settled(docket(world, claim), "registration_stands")

    def anew() -> None:
        world.now += 1
        world.proposed(claim)

    slow(world, anew)
    with pytest.raises(TOLD, match="meanwhile"):
        decide.enter(world.registry, claim, signed, votes=votes)
    assert state_of(world, claim) == "proposed"
    assert not list((world.folder / "letters").glob("*"))
    signed, votes = settled(docket(world, claim), "acquitted")
    decide.enter(world.registry, claim, signed, votes=votes)
    world.finished(claim)


def test_a_panels_decision_is_not_entered_on_what_came_after_it_was_signed(
    world: World,
) -> None:
    claim = contested(world)
    signed, votes = settled(docket(world, claim), "acquitted", "", PANEL[:2])

    def anew() -> None:
        world.now += 1
        found = NOTHING_FOUND | {"grave_crime_proven": True}
        appeals.propose_appeal(world.registry, claim, found, ASSESSED)

    slow(world, anew)
    with pytest.raises(TOLD, match="meanwhile"):
        appeals.enter_appeal(world.registry, claim, signed, votes)
    assert state_of(world, claim) == "suspended"
    assert not list((world.folder / "letters").glob("*.panel.*"))


def test_a_publication_that_the_gazette_took_is_not_drafted_once_more(world: World) -> None:
    claim = world.filed()
    world.decided(claim)
    world.now += 31 * DAY
    record = decide.finalise(world.registry, claim)
    assert record is not None
    # The Gazette took it; the register's machine stopped before it noted that.
    world.log_notice(world.registry.programme, builders.by_board(record))
    assert state_of(world, claim) == "final"
    assert decide.finalise(world.registry, claim) is None
    decide.enter_publication(world.registry, claim, builders.by_board(record))
    assert state_of(world, claim) == "published"


# A listing.


def test_no_decision_is_entered_past_a_reply_that_comes_in_while_it_is_dated(
    listings: Listings,
) -> None:
    listings.proposed()
    listings.notified()
    listings.pass_time(REPLY_SECONDS + 1)
    draft = listings.drafted()
    page = listings.page()
    slow(listings.world, lambda: hearing.reply(listings.registry, page, "It was not me."))
    with pytest.raises(TOLD):
        listings.entered(draft)
    assert listings.now().state == "replied"
    with pytest.raises(RefusedError, match="a reply came in since"):
        listings.entered(draft)
    listings.entered(listings.drafted())


def test_nobody_is_notified_of_a_file_that_was_replaced_meanwhile(listings: Listings) -> None:
    listings.proposed()
    changed = ASSESSMENT | {"harm": "goods left the port unseen, twice"}
    slow(listings.world, lambda: listings.proposed(assessment=dict(changed)))
    with pytest.raises(TOLD, match="meanwhile"):
        listings.notified()
    assert listings.now().state == "proposed"
    assert not list((listings.world.folder / "letters").glob("*"))
    listings.notified()
    listings.pass_time(REPLY_SECONDS + 1)
    listings.entered(listings.drafted())
    listings.pass_time(APPEAL_SECONDS + 1)
    listings.published()


def test_two_notices_at_once_are_one(listings: Listings) -> None:
    listings.proposed()

    def other() -> None:
        listings.pass_time(60)
        listings.notified()

    slow(listings.world, other)
    with pytest.raises(TOLD):
        listings.notified()
    notices = [one.kind for one in listings_of(listings.registry).events(1)]
    assert notices == ["proposed", "notified"]
    listings.notified()


def test_the_same_words_against_a_second_decision_are_a_second_appeal(
    listings: Listings,
) -> None:
    listings.decided()
    page = listings.page()
    hearing.appeal(listings.registry, page, "law", "No.")
    listings.judged("remit")
    listings.pass_time(DAY)
    listings.entered(listings.drafted())
    listings.pass_time(DAY)
    at = hearing.appeal(listings.registry, page, "law", "No.")
    assert at == listings.world.now
    assert listings.now().state == "suspended"
    assert hearing.appeal(listings.registry, page, "law", "No.") == at
    listings.pass_time(APPEAL_SECONDS + 1)
    assert enlist_final.finalise(listings.registry, 1) is None


def test_a_listing_that_the_gazette_took_is_not_drafted_once_more(listings: Listings) -> None:
    listings.decided()
    listings.pass_time(APPEAL_SECONDS + 1)
    signed = builders.by_board(listings.finalised())
    listings.world.log_notice(listings.registry.programme, signed)
    assert listings.now().state == "final"
    assert enlist_final.finalise(listings.registry, 1) is None
    enlist_final.publish_listing(listings.registry, 1, signed)
    assert listings.now().state == "effective"


# An import.


def test_an_import_leaves_alone_whom_somebody_has_told_or_changed_since_it_was_planned(
    listings: Listings, tmp_path: Path
) -> None:
    path = tmp_path / "list.csv"
    path.write_text("subject,name\nr-0042,Zofia Quill\n")
    listings.proposed()
    plan = plan_import(listings.registry, path, "csv")
    assert len(plan.change) == 1
    listings.notified()
    with pytest.raises(ConflictError, match="r-0042"):
        carry_out(listings.registry, plan)
    assert listings.now().state == "notified"


def test_an_import_takes_nothing_back_that_was_added_since_it_was_planned(
    listings: Listings, tmp_path: Path
) -> None:
    path = tmp_path / "list.csv"
    path.write_text("subject,name\nr-0042,Zofia Quill\n")
    listings.proposed()
    plan = plan_import(listings.registry, path, "csv")
    listings.proposed(identity="a photograph of the year")
    with pytest.raises(ConflictError, match="r-0042"):
        carry_out(listings.registry, plan)
    assert dossier_of(listings.now().course).identity == "a photograph of the year"


# At once.


def at_once(acts: list[Callable[[], object]]) -> tuple[list[object], list[SafeconductError]]:
    """What came of each act, begun at the same moment."""
    ready = threading.Barrier(len(acts))
    done: list[object] = []
    told: list[SafeconductError] = []

    def run(act: Callable[[], object]) -> None:
        ready.wait()
        try:
            done.append(act())
        except SafeconductError as error:
            told.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) + len(told) == len(acts)
    return done, told


def other_process(registry: Registry) -> Registry:
    """The same register as another process has it open."""
    return replace(registry, store=Store(registry.folder))


def proposed(world: World) -> bytes:
    claim = world.filed()
    world.proposed(claim)
    return claim


def two_decisions(world: World) -> list[Callable[[Registry], object]]:
    claim = proposed(world)
    found = docket(world, claim)
    pairs = [settled(found, "acquitted", voters=MEMBERS[:2])]
    pairs.append(settled(found, "registration_stands", WHY, voters=MEMBERS[1:]))
    return [
        lambda registry: decide.enter(registry, claim, pairs[0][0], votes=pairs[0][1]),
        lambda registry: decide.enter(
            registry, claim, pairs[1][0], votes=pairs[1][1], departure=WHY
        ),
    ]


def one_decision_twice(world: World) -> list[Callable[[Registry], object]]:
    claim = proposed(world)
    signed, votes = settled(docket(world, claim), "acquitted")
    return [lambda registry: decide.enter(registry, claim, signed, votes=votes)] * 2


def two_appeals(world: World) -> list[Callable[[Registry], object]]:
    claim = world.filed()
    signed, _ = world.decided(claim)
    fact, law = (appeal_of(signed, ground) for ground in ("fact", "law"))
    return [
        lambda registry: decide.appeal(registry, claim, fact),
        lambda registry: decide.appeal(registry, claim, law),
    ]


def two_panels(world: World) -> list[Callable[[Registry], object]]:
    claim = contested(world)
    found = docket(world, claim)
    one = settled(found, "acquitted", "", PANEL[:2])
    other = settled(found, "remit", WHY, PANEL[1:])
    return [
        lambda registry: appeals.enter_appeal(registry, claim, *one),
        lambda registry: appeals.enter_appeal(registry, claim, *other, WHY),
    ]


PAIRS: dict[str, tuple[Callable[[World], list[Callable[[Registry], object]]], str]] = {
    "two decisions": (two_decisions, "decided"),
    "one decision twice": (one_decision_twice, "decided"),
    "two appeals": (two_appeals, "appealed"),
    "two decisions of the panel": (two_panels, "appeal_decided"),
}


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("what", PAIRS)
def test_exactly_one_of_two_at_once_is_taken(world: World, what: str, processes: int) -> None:
    begin, kind = PAIRS[what]
    acts = begin(world)
    registries = [world.registry, world.registry]
    if processes == 2:
        registries[1] = other_process(world.registry)
    pairs = zip(acts, registries, strict=True)
    done, told = at_once([partial(act, at) for act, at in pairs])
    assert done
    assert all(isinstance(error, TOLD) for error in told), told
    assert len(done) == 1 or done[0] == done[1]
    [claim] = [one.claim for one in world.registry.store.cases()]
    kinds = [event.kind for event in world.registry.store.events(claim)]
    assert kinds.count(kind) == 1


def two_replies(listings: Listings) -> list[Callable[[Registry], object]]:
    listings.proposed()
    listings.notified()
    page = listings.page()
    return [lambda registry: hearing.reply(registry, page, "It was my deputy.")] * 2


def two_notices(listings: Listings) -> list[Callable[[Registry], object]]:
    listings.proposed()
    return [lambda registry: enlist.notify(registry, 1)] * 2


def two_signings(listings: Listings) -> list[Callable[[Registry], object]]:
    listings.proposed()
    listings.notified()
    listings.pass_time(REPLY_SECONDS + 1)
    draft = listings.drafted()
    copies = [sign_all(draft, keys) for keys in (MEMBERS[:2], MEMBERS[1:])]
    return [
        partial(lambda copy, registry: enlist_decide.enter(registry, 1, copy), copy)
        for copy in copies
    ]


def two_objections(listings: Listings) -> list[Callable[[Registry], object]]:
    listings.decided()
    page = listings.page()
    return [
        lambda registry: hearing.appeal(registry, page, "law", "No."),
        lambda registry: hearing.appeal(registry, page, "fact", "Never."),
    ]


def reply_and_decision(listings: Listings) -> list[Callable[[Registry], object]]:
    listings.proposed()
    listings.notified()
    listings.pass_time(REPLY_SECONDS + 1)
    signed, page = sign_all(listings.drafted(), MEMBERS[:2]), listings.page()
    return [
        lambda registry: hearing.reply(registry, page, "Late, but here it is."),
        lambda registry: enlist_decide.enter(registry, 1, signed),
    ]


LISTED: dict[str, tuple[Callable[[Listings], list[Callable[[Registry], Any]]], set[str]]] = {
    "the same reply twice": (two_replies, {"replied"}),
    "two notices": (two_notices, {"notified"}),
    "two signings of one decision": (two_signings, {"decided"}),
    "two appeals": (two_objections, {"appealed"}),
    "a reply and the decision": (reply_and_decision, {"replied", "decided"}),
}


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("what", LISTED)
def test_exactly_one_of_two_at_once_is_taken_in_a_listing(
    listings: Listings, what: str, processes: int
) -> None:
    begin, kinds = LISTED[what]
    acts = begin(listings)
    registries = [listings.registry, listings.registry]
    if processes == 2:
        registries[1] = other_process(listings.registry)
    pairs = zip(acts, registries, strict=True)
    done, told = at_once([partial(act, at) for act, at in pairs])
    assert done
    assert all(isinstance(error, TOLD) for error in told), told
    found = [event.kind for event in listings_of(listings.registry).events(1)]
    assert sum(found.count(kind) for kind in kinds) == 1
