"""Scenes 1, 5 and 6: people are told, heard and decided on before anybody sees their names."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar
from urllib.parse import urlencode

from safeconduct.demo.stage import wait_until
from safeconduct.demo.world import World, proof, tell
from safeconduct.errors import UnavailableError
from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.registry.decide import count_record
from safeconduct.parties.registry.duties import listings_of, registration
from safeconduct.parties.registry.enlist import notify, propose
from safeconduct.parties.registry.enlist_decide import (
    Entered,
    draft_decision,
    enter,
    votes_on,
)
from safeconduct.parties.registry.enlist_final import finalise, publish_listing
from safeconduct.parties.registry.receive import Registry, open_registry
from safeconduct.plumbing import fetch, terminal
from safeconduct.plumbing.logs import log_notice, read_gazette
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.listing import REGISTERED
from safeconduct.protocol.listing.hearing import NOT_REGISTERED
from safeconduct.protocol.record import make_record
from safeconduct.protocol.votes import Vote, votes_document

Step = TypeVar("Step")

REPLY_SECONDS = 1
FORM = "application/x-www-form-urlencoded"
PAGE_BYTES_MAX = 1 << 20
WHO_REPLIES = "r-0003"

PERSONS = {
    "r-0001": ("the port engineer", "Chief engineer of the port"),
    "r-0002": ("Anton Weller", "Deputy harbour master"),
    "r-0003": ("the night watchman", "Head of the night watch"),
    "r-0004": ("the cargo broker", "Broker at the free port"),
    "r-0005": ("the harbour pilot", "Pilot of the night boats"),
}


def tell_persons(world: World) -> None:
    """Scene 1: a file about each person, a dated notice, a private page; one replies."""
    registry = open_registry(world.path("register"))
    for subject, (name, role) in PERSONS.items():
        propose(registry, _file(subject, name, role))
    # At once, so that one publication of the log dates them all.
    told = _for_all(registry, lambda number: notify(registry, number))
    [page] = [one.listed.page.hex() for one in told if one.listed.subject == WHO_REPLIES]
    url = f"{world.programme.register}/listing/{page}/reply"
    said = urlencode({"text": "I kept the gate. What the cranes did I could not see."})
    answer = fetch.post(url, said.encode("ascii"), bytes_max=PAGE_BYTES_MAX, content_type=FORM)
    if answer.status != 303:
        raise UnavailableError("the register did not take the reply")
    tell(f"{len(PERSONS)} persons are told what is held against them, each on their own page")
    tell("  the night watchman replies; the public log dates that, and nothing else of it")
    proof("nobody is listed unheard, and until it is final nobody else sees a name")
    world.happened("registry", "tells five persons")


def _file(subject: str, name: str, role: str) -> dict[str, Json]:
    return {
        "subject": subject,
        "name": name,
        "assessment": {
            "ground": "section 8 of the example act",
            "role": role,
            "conduct": "signed off shipments that were never inspected",
            "harm": "goods left the port without duty or safety check",
            "time_since": "less than five years",
            "weight": "responsible for the decision, not for its planning",
        },
        "identity": "staff papers of the port, with a photograph",
        "evidence": ["shipping papers of the port"],
        "proposer": "the clerk of the register",
    }


def decide_listings(world: World) -> list[Entered]:
    """Scene 5: the time for a reply is over, by the witnesses' clocks; the board decides."""
    registry = open_registry(world.path("register"))
    _move_time(world, registry, max(_last_reply(registry, number) for number in _all(registry)))

    def decide(number: int) -> Entered:
        draft = draft_decision(registry, number, votes=_votes(world, registry, number))
        return enter(registry, number, sign_all(draft, world.board[:2]))

    entered = _for_all(registry, decide)
    tell("the board has read files and reply, and votes on each person; letters go out")
    proof("a reply that comes early cuts nobody's time short; the one dissent is published")
    return entered


def _votes(world: World, registry: Registry, number: int) -> bytes:
    """Everybody votes for the entry, but one who believes the one who replied."""
    course = listings_of(registry).course(number)
    on = votes_on(course)
    assert on is not None
    votes = [Vote(member=key.name, vote="agree", outcome=REGISTERED) for key in world.board]
    if "replied" in course.latest:
        votes[-1] = replace(
            votes[-1], vote="depart", outcome=NOT_REGISTERED, reasons="I believe the reply."
        )
    return votes_document(on, [key.name for key in world.board], votes)


def publish_listings(world: World) -> None:
    """Scene 5: nobody has appealed in time; only now does the register show anybody."""
    registry = open_registry(world.path("register"))
    kept = listings_of(registry)
    last = max(_last_appeal(registry, one.number) for one in kept.all())
    with terminal.waiting("waiting until nobody can appeal a listing any more"):
        _move_time(world, registry, last)
    for listed in kept.all():
        record = finalise(registry, listed.number)
        if record is None:
            raise UnavailableError(f"listing {listed.number} is not final")
        publish_listing(registry, listed.number, world.signed(record))
    tell(f"{len(PERSONS)} persons stand in the register, each heard and decided on before")
    world.happened("registry", "lists five persons")


def _last_reply(registry: Registry, number: int) -> int:
    last = registration(registry, registry.gazette().state, number).last_reply_at
    assert last is not None
    return last


def _last_appeal(registry: Registry, number: int) -> int:
    last = registration(registry, registry.gazette().state, number).last_appeal_at
    assert last is not None
    return last


def _move_time(world: World, registry: Registry, past: int) -> None:
    """Have the Gazette dated after `past`: what is over is read off it, from no clock here."""
    wait_until(past + 1)
    while (view := read_gazette(world.programme)).cosigned.vouched_at <= past:
        counts = make_record(
            "count",
            programme=world.programme.hash,
            number=len(view.state.counts) + 1,
            **count_record(registry),
        )
        log_notice(world.programme, world.signed(counts))


def _for_all(registry: Registry, step: Callable[[int], Step]) -> list[Step]:
    """One step of every listing, at once, so that one publication of the log dates them all."""
    numbers = _all(registry)
    with ThreadPoolExecutor(len(numbers)) as pool:
        return list(pool.map(step, numbers))


def _all(registry: Registry) -> list[int]:
    return [one.number for one in listings_of(registry).all()]
