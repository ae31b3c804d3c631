"""A published decision of which one thing was changed: each change is caught, and named."""

from collections.abc import Callable

import pytest
from tests.parties.registry.appealing import WHY, contested, ruled, voted, with_panel
from tests.parties.registry.register_world import NOTHING_FOUND, World, open_world
from tests.protocol import builders
from tests.protocol.builders import POLICY
from tests.protocol.decided import altered, inside, publish, put

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.parties.auditor.contested import Seen, find_contested, find_helped_two, places
from safeconduct.parties.auditor.finding import PUBLISHED_SUSPENDED, Failed
from safeconduct.parties.registry import decide
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.decision import Rechecked, recheck
from safeconduct.protocol.record import Record

Change = Callable[[dict[str, Json]], object]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[World, Record, bytes]]:
    """Two published decisions: a departure by votes, and one on appeal."""
    found: dict[str, tuple[World, Record, bytes]] = {}
    with pytest.MonkeyPatch.context() as patch:
        world = open_world(tmp_path_factory.mktemp("register"), patch)
        for subject in ("r-0001", "r-0002"):
            world.listed(subject)
        with_panel(world)
        claim = world.filed()
        decide.propose_decision(world.registry, claim, NOTHING_FOUND)
        voted(world, claim, "acquitted", WHY)
        found["departure"] = (world, *_published(world, claim))
    with pytest.MonkeyPatch.context() as patch:
        world = open_world(tmp_path_factory.mktemp("appealed"), patch)
        world.listed("r-0001")
        claim = contested(with_panel(world))
        ruled(world, claim, "acquitted")
        found["appeal"] = (world, *_published(world, claim))
    return found


def _published(world: World, claim: bytes) -> tuple[Record, bytes]:
    world.now += 31 * builders.DAY
    record = decide.finalise(world.registry, claim)
    assert record is not None
    return record, world.registry.store.object(record.hash("object"))


def checked(world: World, record: Record, data: bytes) -> Rechecked:
    """Recheck what somebody published in place of the honest object."""
    published = publish(data, standing=record.word("standing"), final=record.number("final"))
    return recheck(published.data, published.publication, world.state(), POLICY)


def swap(table: str, name: str, value: Json) -> Change:
    return inside(table, put(name, value))


def first_vote(change: Change) -> Change:
    def look(value: dict[str, Json]) -> None:
        votes = value["votes"]
        assert isinstance(votes, dict)
        cast = votes["votes"]
        assert isinstance(cast, list)
        assert isinstance(cast[0], dict)
        change(cast[0])

    return look


def letter(old: str, new: str) -> Change:
    def rewrite(value: dict[str, Json]) -> None:
        text = str(value["letter"])
        assert old in text
        value["letter"] = text.replace(old, new, 1)

    return rewrite


def date(value: dict[str, Json]) -> None:
    facts = value["facts"]
    assert isinstance(facts, dict)
    lists = facts["lists"]
    assert isinstance(lists, dict)
    tips = lists["tips"]
    assert isinstance(tips, list)
    assert isinstance(tips[0], dict)
    tips[0]["logged"] = [None, builders.NOON - 1]


def proof(value: dict[str, Json]) -> None:
    evidence = value["evidence"]
    assert isinstance(evidence, dict)
    bundle = evidence["bundle"]
    assert isinstance(bundle, dict)
    bundle["proof"] = builders.redated(str(bundle["proof"]).encode(), -60).decode()


def decided_by(old: bytes, new: bytes) -> Change:
    """Another value in the signed record itself."""

    def rewrite(value: dict[str, Json]) -> None:
        text = str(value["decision"]).encode()
        assert old in text
        value["decision"] = text.replace(old, new, 1).decode()

    return rewrite


CHANGED: dict[str, tuple[str, Change, str]] = {
    "a date among the facts": ("departure", date, "facts shown are not those"),
    "a date in a receipt": ("departure", proof, "evidence is not what the claimant signed"),
    "a section of the proof": (
        "departure",
        swap("judgement", "sections", ["9"]),
        "another proof than the one shown",
    ),
    "the outcome of the proof": (
        "departure",
        swap("judgement", "outcome", "acquitted"),
        "another proof than the one shown",
    ),
    "what the board judged": (
        "departure",
        swap("judgements", "grave_crime_proven", True),
        "proves other facts",
    ),
    "the outcome signed": (
        "departure",
        decided_by(b"outcome acquitted", b"outcome registered"),
        "signature",
    ),
    "the case's number": ("departure", decided_by(b"number 1\n", b"number 2\n"), "signature"),
    "the other version's result": (
        "departure",
        put("competing", {"statute": "00" * 32, "judgement": {}}),
        "other version of the law yields another",
    ),
    "a vote's reasons": (
        "departure",
        first_vote(put("reasons", "for another reason")),
        "votes shown are not those",
    ),
    "a vote turned around": (
        "departure",
        first_vote(lambda vote: vote.update(vote="abstain", outcome="", reasons="")),
        "votes shown are not those",
    ),
    "a conflict left out": (
        "departure",
        first_vote(put("conflict", "none at all")),
        "has a conflict of interest has no vote",
    ),
    "all votes": ("departure", put("votes", None), "without recorded votes"),
    "the departure's reason": ("departure", put("departure", "a whim"), "reasons to depart"),
    "one word of the letter": ("departure", letter("acquitted", "absolved"), "other reasons"),
    "the letter's name": ("departure", letter("Ada", "Eva"), "other reasons"),
    "the letter": ("departure", put("letter", None), "must be text"),
    "a shortfall": ("departure", put("shortfalls", []), "fell short in other ways"),
    "a claim joined": (
        "departure",
        put("joined", [{"claim": "00" * 32, "claim_proof": "", "evidence": {}}]),
        "evidence must be",
    ),
    "the receipt of the claim": (
        "departure",
        put("claim_proof", builders.prove(bytes(32)).decode()),
        "root",
    ),
    "the appeal left out": ("appeal", put("appeal", None), "appeal is not shown"),
    "the first decision's hash": (
        "appeal",
        swap("appeal", "decision", "00" * 32),
        "not the one named",
    ),
    "the first decision's letter": (
        "appeal",
        inside("appeal", inside("first", letter("The registration stands", "It falls"))),
        "first decision shown is not the one named",
    ),
    "the appeal's ground": (
        "appeal",
        inside(
            "appeal",
            lambda table: table.update(
                record=str(table["record"]).replace("ground fact", "ground law")
            ),
        ),
        "signature",
    ),
    "the appeal's receipt": (
        "appeal",
        swap("appeal", "record_proof", builders.prove(bytes(32)).decode()),
        "root",
    ),
    "the panel's votes": (
        "appeal",
        first_vote(put("reasons", "other")),
        "votes shown are not those",
    ),
}


@pytest.mark.parametrize("what", CHANGED)
def test_a_change_is_caught_and_named(
    made: dict[str, tuple[World, Record, bytes]], what: str
) -> None:
    which, change, reason = CHANGED[what]
    world, record, data = made[which]
    checked(world, record, data)
    with pytest.raises((MalformedError, UnverifiedError), match=reason):
        checked(world, record, altered(data, change))


def test_an_appeal_is_published_only_after_it_was_decided(
    made: dict[str, tuple[World, Record, bytes]],
) -> None:
    world, record, data = made["appeal"]
    found = checked(world, record, data)
    early = publish(data, standing="acquitted", final=found.logged.logged_by)
    with pytest.raises(UnverifiedError, match="before the appeal was decided"):
        recheck(early.data, early.publication, world.state(), POLICY)


def test_a_first_decision_published_besides_its_appeal_is_named(
    made: dict[str, tuple[World, Record, bytes]],
) -> None:
    found = checked(*made["appeal"])
    assert found.appeal is not None
    seen = Seen()
    assert list(find_contested("decisions/1.json", found.appeal.first, seen)) == []
    [failed] = find_contested("decisions/2.json", found, seen)
    assert isinstance(failed, Failed)
    assert failed.file == "decisions/1.json"
    assert failed.proves == PUBLISHED_SUSPENDED


def test_everything_that_a_decision_rests_on_is_looked_up_in_the_ledger(
    made: dict[str, tuple[World, Record, bytes]],
) -> None:
    found = checked(*made["appeal"])
    assert [what for what, _, _ in places(found)] == [
        "a decision",
        "a claim",
        "an appeal",
        "the decision appealed against",
    ]


def test_two_who_were_acquitted_on_one_tip_are_named(
    made: dict[str, tuple[World, Record, bytes]],
) -> None:
    found = checked(*made["departure"])
    seen = Seen()
    assert list(find_helped_two("1", found, seen)) == []
    assert list(find_helped_two("1", found, seen)) == []
    seen.acquitted = dict.fromkeys(seen.acquitted, ("r-0002", ()))
    assert len(list(find_helped_two("1", found, seen))) == 1
