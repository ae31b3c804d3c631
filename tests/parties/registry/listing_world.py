"""A register under a law that says how anybody is listed, and people who are."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.parties.registry.appealing import PANEL as PANEL
from tests.parties.registry.appealing import panel_act
from tests.parties.registry.register_world import World, open_world
from tests.protocol import builders

from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.registry import enlist, enlist_decide, enlist_final, hearing
from safeconduct.parties.registry.duties import listings_of, registration
from safeconduct.parties.registry.receive import Registry
from safeconduct.plumbing.authored import parse_authored
from safeconduct.plumbing.programme import Programme
from safeconduct.protocol.canonical import Json, format_json
from safeconduct.protocol.record import Record, sign_record
from safeconduct.protocol.registration import Registration
from safeconduct.protocol.tlog.note import SigningKey
from safeconduct.protocol.votes import Vote, votes_document

DAY = builders.DAY
REPLY_SECONDS = 30 * DAY
APPEAL_SECONDS = 30 * DAY
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
    return (
        sign_record(builders.founding(), builders.MEMBERS),
        builders.by_board(builders.statute_act(law=law())),
        builders.by_board(builders.epoch_act()),
        builders.by_board(panel_act()),
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

    def voted(
        self,
        outcome: str = "registered",
        number: int = 1,
        keys: Sequence[SigningKey] = builders.MEMBERS,
        **changed: Vote,
    ) -> bytes:
        """Votes of `keys` for an outcome; `changed` by the last part of a member's name."""
        on = enlist_decide.votes_on(listings_of(self.registry).course(number))
        assert on is not None
        votes = [changed.get(key.name.rpartition("/")[2]) or vote(key, outcome) for key in keys]
        return votes_document(on, [key.name for key in keys], votes)

    def judgement(
        self, result: str = "uphold", number: int = 1, votes: bytes | None = None
    ) -> bytes:
        """What the appeal panel is to sign."""
        cast = self.voted(result, number, PANEL) if votes is None else votes
        return enlist_decide.draft_appeal_decision(
            self.registry, number, result, "The panel read the whole file.", cast
        )

    def judged(self, result: str, number: int = 1) -> enlist_decide.Entered:
        draft = self.judgement(result, number)
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


def vote(key: SigningKey, outcome: str) -> Vote:
    """A member's vote; what is no agreement with the file or the decision has its reasons."""
    agrees = outcome in {"registered", "uphold"}
    reasons = "" if agrees else "The papers do not show it."
    return Vote(
        member=key.name,
        vote="agree" if agrees else "depart",
        outcome=outcome,
        reasons=reasons,
    )


def kept_out(key: SigningKey) -> Vote:
    """A member who declares a conflict of interest."""
    return Vote(member=key.name, vote="abstain", conflict="we share an office")


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
