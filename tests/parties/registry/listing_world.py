"""A register under a law that says how anybody is listed, and people who are."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.parties.registry.register_world import World, open_world
from tests.protocol import builders

from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.registry import enlist, enlist_decide, enlist_final, hearing
from safeconduct.parties.registry.duties import listings_of, registration
from safeconduct.parties.registry.receive import Registry
from safeconduct.plumbing.authored import parse_authored
from safeconduct.plumbing.programme import Programme
from safeconduct.protocol.canonical import Json, format_json
from safeconduct.protocol.record import NO_HASH, Record, make_record, sign_record
from safeconduct.protocol.registration import Registration

DAY = builders.DAY
REPLY_SECONDS = 30 * DAY
APPEAL_SECONDS = 30 * DAY
PANEL = tuple(builders.signing_key(f"panel.example/{name}") for name in ("dora", "emil", "fay"))
NAME = "Zdzisława Quill"
SUBJECT = "r-0042"
ASSESSMENT = {
    "ground": "section 1 of the act",
    "role": "head of the night shift",
    "conduct": "signed off shipments that nobody had inspected",
    "harm": "goods left the port without duty or safety check",
    "time_since": "less than five years",
    "weight": "responsible for the decision, not for its planning",
}
FILE: dict[str, Json] = {
    "subject": SUBJECT,
    "name": NAME,
    "assessment": dict(ASSESSMENT),
    "identity": "passport and signature on the shipping papers",
    "evidence": ["shipping papers 11 to 19", "statement of a witness"],
    "proposer": "clerk seven",
}


@cache
def law() -> bytes:
    """The example statute, as it would be published."""
    return format_json(parse_authored(builders.STATUTE_FILE.read_bytes(), "statute"))


@cache
def founded() -> tuple[bytes, ...]:
    """Founding, the law, an epoch, an appeal panel."""
    panel = make_record(
        "panel",
        programme=builders.PROGRAMME,
        number=1,
        previous=NO_HASH,
        threshold=2,
        members=builders.verifiers(PANEL),
    )
    return (
        sign_record(builders.founding(), builders.MEMBERS),
        builders.by_board(builders.statute_act(law=law())),
        builders.by_board(builders.epoch_act()),
        builders.by_board(panel),
    )


@dataclass
class Listings:
    """The register, and the steps that its people take."""

    world: World

    @property
    def registry(self) -> Registry:
        return self.world.registry

    def log_leaf(self, _: Programme, leaf: bytes) -> bytes:
        self.world._answer()
        return self.world.ledger.add(leaf, self.world.now)

    def pass_time(self, seconds: int) -> None:
        self.world.now += seconds

    def page(self, number: int = 1) -> bytes:
        return listings_of(self.registry).listed(number).page

    def now(self, number: int = 1) -> Registration:
        return registration(self.registry, self.world.state(), number)

    def proposed(self, **changes: Json) -> int:
        return enlist.propose(self.registry, FILE | changes).number

    def notified(self, number: int = 1) -> enlist.Notified:
        return enlist.notify(self.registry, number)

    def drafted(self, number: int = 1, **options: Any) -> bytes:
        return enlist_decide.draft_decision(self.registry, number, **options)

    def entered(self, draft: bytes, number: int = 1) -> enlist_decide.Entered:
        signed = sign_all(draft, builders.MEMBERS[:2])
        return enlist_decide.enter(self.registry, number, signed)

    def decided(self, number: int = 1) -> enlist_decide.Entered:
        self.proposed()
        self.notified(number)
        self.pass_time(REPLY_SECONDS + 1)
        return self.entered(self.drafted(number), number)

    def judged(self, result: str, number: int = 1) -> enlist_decide.Entered:
        draft = enlist_decide.draft_appeal_decision(
            self.registry, number, result, "The panel read the whole file."
        )
        return enlist_decide.enter(self.registry, number, sign_all(draft, PANEL[:2]))

    def finalised(self, number: int = 1) -> Record:
        record = enlist_final.finalise(self.registry, number)
        assert record is not None
        return record

    def published(self, number: int = 1) -> Record:
        record = self.finalised(number)
        enlist_final.publish_listing(self.registry, number, builders.by_board(record))
        return record

    def effective(self, number: int = 1) -> Record:
        self.decided(number)
        self.pass_time(APPEAL_SECONDS + 1)
        return self.published(number)


def open_listings(folder: Path, patch: pytest.MonkeyPatch) -> Listings:
    """A register with a law for listings, and nobody listed."""
    listings = Listings(open_world(folder, patch, founded()))
    edges = {
        enlist: ("log_record",),
        enlist_decide: ("log_record",),
        enlist_final: ("log_notice",),
        hearing: ("log_record",),
    }
    for module, names in edges.items():
        for name in names:
            patch.setattr(module, name, getattr(listings.world, name))
    for with_leaves in (enlist_decide, hearing):
        patch.setattr(with_leaves, "log_leaf", listings.log_leaf)
    return listings
