"""A register in which much has happened: what its public site has to show, in one folder.

r-0001  acquitted, with votes, one of them against it        r-0004  listed, appealed, upheld
r-0002  refused, and the evidence stays sealed               r-0005  quashed: no name any more
r-0003  refused, and acquitted by the appeal panel           r-0006… listed, in four scripts
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.parties.registry.appealing import WHY, docket, panel_act, ruled, settled
from tests.parties.registry.listing_world import (
    REPLY_SECONDS,
    Listings,
    law,
    open_listings,
    vote,
)
from tests.parties.registry.register_world import NOTHING_FOUND, World, appeal_of
from tests.protocol import builders
from tests.protocol.builders import DAY, MEMBERS, NOON

from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.registry import appeals, decide, enlist_final, hearing
from safeconduct.protocol.canonical import Json, format_json, parse_json
from safeconduct.protocol.record import Record
from safeconduct.protocol.statute.instant import format_instant
from safeconduct.protocol.tlog.note import SigningKey
from safeconduct.protocol.votes import Vote

OPEN, SEALED, APPEALED, UPHELD, QUASHED = (f"r-000{number}" for number in range(1, 6))
OPEN_NAME, APPEALED_NAME = "Ada Example", "Hélène Outspoken"
UPHELD_NAME, QUASHED_NAME = "Wolodymyr Petrenko", "Zdzisława Quill"
CLAIMS = (
    (OPEN, OPEN_NAME, "open"),
    (SEALED, "Boris Unseen", "sealed"),
    (APPEALED, APPEALED_NAME, "open"),
)
LISTED = {
    "r-0006": "Владимир Петров",
    "r-0007": "محمد الأحمد",
    "r-0008": "Αλέξανδρος Παπαδόπουλος",
    "r-0009": "Nguyễn Văn Đức",
}
CHANGES_AT = NOON + 10 * DAY
DISSENT = "The tip told the desk nothing that was not in its papers."
_ASSESSED = (
    builders.helped_fields()["assessment"].encode(),
    builders.helped_fields()["assessment_proof"].encode(),
)


@dataclass
class Lived:
    """The register, and the hash of each published decision by whom it is about."""

    listings: Listings
    decisions: dict[str, str]

    @property
    def world(self) -> World:
        return self.listings.world


def addresses(lived: Lived) -> dict[str, str]:
    """Where each kind of page of this register is, by name."""
    return {
        "register": "/",
        "search": "/search",
        "found": "/search?q=wladimir+petrow",
        "not found": "/search?q=Nobody+Of+That+Name",
        "refused": "/search?q=%2E%2E%2E",
        "listed": f"/person/{UPHELD}",
        "acquitted": f"/person/{OPEN}",
        "quashed": f"/person/{QUASHED}",
        "decision": f"/decision/{lived.decisions[OPEN]}",
        "decision, sealed": f"/decision/{lived.decisions[SEALED]}",
        "decision, on appeal": f"/decision/{lived.decisions[APPEALED]}",
        "laws": "/law",
        "law": "/law/1",
        "compare": "/law/compare?from=1&to=2",
        "try": "/law/2/try",
        "feeds": "/feeds",
        "listing": f"/listing/{lived.listings.page(1).hex()}",
        "lost": "/nowhere",
    }


def second_law() -> bytes:
    """A second version of the law, which a court has asked for and which says more."""
    document = parse_json(law(), "statute")
    assert isinstance(document, dict)
    sections, parameters = document["sections"], document["parameters"]
    assert isinstance(sections, list)
    assert isinstance(parameters, dict)
    [helped] = [one for one in sections if isinstance(one, dict) and one["number"] == "4(1)"]
    told = helped["text"]
    assert isinstance(told, dict)
    told["en"] = str(told["en"]).replace(
        "corroborated or useful", "corroborated, useful or open"
    )
    grades = ["corroborated", "useful", "unproven"]
    helped["if"] = {"some": ["tips", {"and": [*_tests(helped), {"in": ["grade", [*grades]]}]}]}
    parameters["appeal_period"] = {**_table(parameters["appeal_period"]), "amount": 45}
    document["version"] = {
        "number": 2,
        "published": format_instant(NOON),
        "in_force_from": format_instant(CHANGES_AT),
        "supersedes": hashlib.sha256(builders.law()).hexdigest(),
        "cause": "annulled",
        "note": "After the Constitutional Court’s judgement on falsehoods told under duress.",
        "annuls": [
            {
                "version": 1,
                "from": format_instant(CHANGES_AT),
                "sections": ["5(2)"],
                "by": "Constitutional Court, 12/27",
            }
        ],
    }
    return format_json(document)


def striking_law() -> bytes:
    """The statute record of a second version that asks for more, and strikes § 5(2) from the
    first.
    """
    document = _table(parse_json(second_law(), "statute"))
    sections = document["sections"]
    assert isinstance(sections, list)
    [helped] = [one for one in map(_table, sections) if one["number"] == "4(1)"]
    _some(helped)[-1] = {"in": ["grade", ["corroborated"]]}
    cases = format_json(document["cases"]).replace(b'"useful"', b'"corroborated"')
    document["cases"] = parse_json(cases, "cases")
    version = builders.statute_act(
        number=2,
        previous=hashlib.sha256(builders.law()).digest(),
        law=format_json(document),
    )
    return builders.by_board(version)


def _table(value: Json) -> dict[str, Json]:
    assert isinstance(value, dict)
    return value


def _tests(helped: dict[str, Json]) -> list[Json]:
    return _some(helped)[:-1]


def _some(helped: dict[str, Json]) -> list[Json]:
    """What all must hold of one tip, the grades last."""
    some = _table(helped["if"])["some"]
    assert isinstance(some, list)
    tests = _table(some[1])["and"]
    assert isinstance(tests, list)
    return tests


def live(folder: Path, patch: pytest.MonkeyPatch) -> Lived:
    """A register with a past."""
    listings = open_listings(folder, patch)
    listings.world.gazette.entries[:] = [
        *builders.gazette_entries(),
        builders.by_board(panel_act()),
    ]
    lived = Lived(listings=listings, decisions={})
    act = builders.statute_act(
        number=2, previous=hashlib.sha256(builders.law()).digest(), law=second_law()
    )
    lived.world.log_notice(lived.world.registry.programme, builders.by_board(act))
    _list_people(lived)
    claims = [
        lived.world.filed(subject=subject, name=name, disclosure=disclosure, keys=keys)
        for keys, (subject, name, disclosure) in enumerate(CLAIMS)
    ]
    _decide(lived, OPEN, claims[0])
    _decide(lived, SEALED, claims[1])
    _appeal(lived, claims[2])
    _uphold(lived)
    _quash(lived)
    lived.world.counted()
    return lived


def _list_people(lived: Lived) -> None:
    fields = {"harm": "goods left the port unseen", "role": "head of the night shift"}
    for subject, name in {
        OPEN: OPEN_NAME,
        SEALED: "Boris Unseen",
        APPEALED: APPEALED_NAME,
        **LISTED,
    }.items():
        lived.world.listed(subject, name, **fields)


def _decide(lived: Lived, subject: str, claim: bytes) -> None:
    """As the law has it: the tip is that of the first claim, and of no other one."""
    world, is_first = lived.world, subject == OPEN
    world.now = max(world.now, CHANGES_AT + DAY)
    decide.propose_decision(
        world.registry, claim, NOTHING_FOUND, _ASSESSED if is_first else (b"", b"")
    )
    found = docket(world, claim)
    outcome = found.proposal.judgement.outcome
    other = {"acquitted": "registration_stands", "registration_stands": "acquitted"}[outcome]
    against = Vote(member=MEMBERS[2].name, vote="depart", outcome=other, reasons=DISSENT)
    signed, votes = settled(found, outcome, others=[against])
    served = decide.enter(world.registry, claim, signed, votes=votes)
    world.now = served.last_appeal_at + 1
    lived.decisions[subject] = _published(world, claim)


def _signer(number: int) -> SigningKey:
    seed = builders.source_keys(number).derive("author-ed25519")
    return SigningKey(name="claimant", seed=seed)


def _published(world: World, claim: bytes) -> str:
    record = decide.finalise(world.registry, claim)
    assert record is not None
    decide.enter_publication(world.registry, claim, builders.by_board(record))
    return record.hash("object").hex()


def _appeal(lived: Lived, claim: bytes) -> None:
    world = lived.world
    draft = decide.propose_decision(world.registry, claim, NOTHING_FOUND)
    signed = sign_all(draft.record, MEMBERS[:2])
    decide.enter(world.registry, claim, signed)
    decide.appeal(world.registry, claim, appeal_of(signed, key=_signer(2)))
    appeals.propose_appeal(world.registry, claim, NOTHING_FOUND, _ASSESSED)
    ruled(world, claim, "acquitted", WHY)
    world.now += 1
    lived.decisions[APPEALED] = _published(world, claim)


def _uphold(lived: Lived) -> None:
    listings = lived.listings
    number = listings.proposed(subject=UPHELD, name=UPHELD_NAME)
    listings.notified(number)
    listings.pass_time(DAY)
    hearing.reply(listings.registry, listings.page(number), "It was my deputy.")
    listings.pass_time(REPLY_SECONDS)
    votes = listings.voted(number=number, clara=vote(builders.MEMBERS[2], "not_registered"))
    listings.entered(listings.drafted(number, votes=votes), number)
    listings.pass_time(DAY)
    hearing.appeal(listings.registry, listings.page(number), "fact", "It was my deputy.")
    listings.judged("uphold", number)
    listings.pass_time(60 * DAY)
    listings.published(number)


def _quash(lived: Lived) -> None:
    listings = lived.listings
    number = listings.proposed(subject=QUASHED, name=QUASHED_NAME)
    listings.notified(number)
    listings.pass_time(REPLY_SECONDS + 1)
    listings.entered(listings.drafted(number), number)
    listings.pass_time(60 * DAY)
    listings.published(number)
    record: Record | None = enlist_final.end(listings.registry, number, "quashed", "by a court")
    assert record is not None
    enlist_final.publish_end(listings.registry, number, builders.by_board(record))
