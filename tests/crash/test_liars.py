"""A log, three honest witnesses, a lying log and a lying witness, through thousands of steps.

A fork is always either impossible or proven: `liars_town.Town.check` says what that means. Two
machines make the steps. In the first the log's keys sign one history, and all others lie; in
the second somebody else has the same keys.

In a reader's policy two of three honest witnesses must have cosigned; or two of three with the
liar among them, the one policy of these under which a log can fork; or three of four.
"""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.crash.liars_ledger import OUTSIDE, QUORUMS
from tests.crash.liars_lies import ALL_STORIES, GOES_ON, PROOFS, STORIES, Forger, Lie
from tests.crash.liars_people import HONEST, LIES, SIGHTS, House
from tests.crash.liars_town import ENDS, Town, ruled_by

from safeconduct.errors import ConflictError
from safeconduct.parties.monitor import trees
from safeconduct.parties.witness import cosign, evidence, rewind
from safeconduct.parties.witness.store import Latest, Store

SHARE = max(1.0, int(os.environ.get("SAFECONDUCT_CRASH_ROUNDS", "30")) / 30)
EXAMPLES_HONEST, EXAMPLES_STOLEN = 40, 65
STEPS = 35  # of six entries each, so that the log stays within one tile
COPIES_MAX = 3

NAMES = st.sampled_from(HONEST)
FEW = st.integers(1, 6)
PLACES = st.integers(0, 60)
HAPPENED_WITHOUT_KEYS = (
    "rounds that nobody could stop",
    "slanders failed",
    "signatures forged",
    "notes replayed",
    "died asking",
    "disks failed",
    "answer: 503",
)
HAPPENED_WITH_KEYS = (
    "forks proven",
    "lies accepted",
    "steps with a fork proven",
    "doubts raised",
    "races",
    "rounds that nobody could stop",
    "the log stopped",
    "answer: 200",
    "answer: 409",
    "answer: 422",
)
PROOF_KINDS = st.sampled_from(sorted(PROOFS))
SOME_NAMES = st.sets(NAMES, min_size=1)

PAST = [story for story in STORIES if story != "ahead of the log"]
AHEAD = st.builds(
    Lie, story=st.just("ahead of the log"), proof=st.just("its own"), place=PLACES, more=FEW
)


class HonestKeys(RuleBasedStateMachine):
    """The log's keys sign what the log says, and nothing else, unless its keeper forgets."""

    counts: ClassVar[Counter[str]] = Counter()

    @initialize(kind=st.sampled_from(sorted(QUORUMS)))
    def begin(self, kind: str) -> None:
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(TemporaryDirectory(prefix="liars-")))
        self.town = Town(folder, kind, self.counts)
        self.stack.enter_context(ruled_by(self.town.clock, self.town.request))
        self.town.begin()
        self.stack.callback(self.town.close)
        self.forger = Forger(self.town, self.counts)
        self.ends = 0

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            self.stack.close()

    def step(self, name: str) -> None:
        self.counts["steps"] += 1
        self.counts[f"step: {name}"] += 1
        self.town.clock.tick()

    def house(self, name: str) -> House:
        return self.town.houses[name]

    @invariant()
    def a_fork_is_impossible_or_proven(self) -> None:
        if hasattr(self, "town"):
            self.town.look_around()
            self.town.check()

    @rule(count=FEW)
    def entries_come(self, count: int) -> None:
        self.step("entries")
        self.town.ledger.send(count)
        self.town.round()

    @rule(seconds=st.sampled_from((1, 1, 60, 100_000)), number=PLACES)
    def time_passes(self, seconds: int, number: int) -> None:
        self.step("time")
        self.town.clock.tick(seconds)
        self.town.send_again(number)
        self.town.round()

    @rule(number=PLACES, count=FEW)
    def the_log_ends_and_starts_again(self, number: int, count: int) -> None:
        self.step("end")
        self.ends += 1
        self.town.end_log(ENDS[(self.ends + number) % len(ENDS)], number, count)

    @precondition(lambda self: len(self.town.copies) < COPIES_MAX)
    @rule()
    def a_backup_of_the_log_is_made(self) -> None:
        self.step("backup")
        self.town.back_up_log()

    @precondition(lambda self: self.town.copies and not self.town.lost)
    @rule(number=PLACES, repairs=st.booleans())
    def a_backup_of_the_log_is_put_back(self, number: int, repairs: bool) -> None:
        self.step("log put back")
        self.town.put_back_log(self.town.copies[number % len(self.town.copies)])
        self.town.round()
        if repairs and self.town.ledger.trouble:
            self.counts["logs repaired"] += self.town.repair()
            self.town.round()

    @precondition(lambda self: self.town.lost)
    @rule()
    def the_lost_folder_is_found(self) -> None:
        self.step("found")
        self.town.find_again()
        self.town.round()

    @rule(away=st.sets(NAMES, max_size=2))
    def some_witnesses_are_away(self, away: set[str]) -> None:
        self.step("away")
        for name, house in self.town.houses.items():
            house.is_up = name not in away

    @rule(name=st.sampled_from((*HONEST, "log")), seconds=st.sampled_from((-200, -40, 0, 40)))
    def a_clock_is_moved(self, name: str, seconds: int) -> None:
        self.step("clock")
        self.town.clock.skew_seconds[name] = seconds

    @rule(name=NAMES, keeps=st.booleans())
    def a_witness_is_started_again(self, name: str, keeps: bool) -> None:
        self.step("witness")
        self.town.restart_witness(name, keeps_copy=keeps)

    @precondition(lambda self: any(house.copies for house in self.town.houses.values()))
    @rule(number=PLACES, whole=st.booleans())
    def an_old_witness_is_put_back(self, number: int, whole: bool) -> None:
        self.step("witness put back")
        copies = [(h.name, copy) for h in self.town.houses.values() for copy in h.copies]
        self.town.put_back_witness(*copies[number % len(copies)], whole=whole)

    @rule(turn=PLACES)
    def the_liar_changes_its_mind(self, turn: int) -> None:
        self.step("liar")
        self.town.liar.asked += turn
        self.town.liar.lines += self.town.other_lines()
        self.town.round()

    @rule(name=NAMES, number=PLACES, proof=PROOF_KINDS, more=st.integers(0, 6))
    def a_stranger_asks(self, name: str, number: int, proof: str, more: int) -> None:
        self.step("stranger")
        if more:
            self.forger.forge(self.house(name), more)
        self.forger.replay(self.house(name), number, proof)


class StolenKeys(HonestKeys):
    """The same town; but somebody who lies has the log's keys as well."""

    counts: ClassVar[Counter[str]] = Counter()

    def houses(self, names: set[str]) -> list[House]:
        return [self.house(name) for name in sorted(names)]

    @rule(place=PLACES, more=FEW, names=SOME_NAMES, shows=st.booleans(), helps=st.booleans())
    def the_liar_shows_a_tree(
        self, place: int, more: int, names: set[str], shows: bool, helps: bool
    ) -> None:
        self.step("lie")
        lie = self.forger.next_lie(ALL_STORIES, place, more)
        self.forger.tell(lie, self.houses(names), shows=shows, colludes=helps)

    @rule(place=PLACES, more=FEW, names=SOME_NAMES, shows=st.booleans())
    def the_liar_changes_the_past(
        self, place: int, more: int, names: set[str], shows: bool
    ) -> None:
        self.step("lie of the past")
        lie = self.forger.next_lie(PAST, place, more)
        self.forger.tell(lie, self.houses(names), shows=shows, colludes=True)

    @precondition(lambda self: self.forger.books)
    @rule(names=SOME_NAMES, place=PLACES, more=FEW, shows=st.booleans())
    def the_liar_goes_on(self, names: set[str], place: int, more: int, shows: bool) -> None:
        self.step("lie goes on")
        lie = Lie(GOES_ON, "its own", place, more)
        self.forger.tell(lie, self.houses(names), shows=shows, colludes=True)

    @rule(alone=NAMES, one=AHEAD, other=AHEAD, shows=st.booleans())
    def the_liar_splits_the_town(self, alone: str, one: Lie, other: Lie, shows: bool) -> None:
        self.step("split")
        for lie, names in ((one, {alone}), (other, set(HONEST) - {alone})):
            self.forger.tell(lie, self.houses(names), shows=shows, colludes=True)

    @rule(name=NAMES, first=AHEAD, second=AHEAD)
    def two_trees_race(self, name: str, first: Lie, second: Lie) -> None:
        self.step("race")
        self.forger.race(self.house(name), first, second)


def play(machine: type[HonestKeys], examples: int) -> Counter[str]:
    """What came of so many runs of a machine."""
    machine.counts.clear()
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            derandomize=True,
            database=None,
            deadline=None,
            report_multiple_bugs=False,
        ),
    )
    print(machine.counts)
    return machine.counts


@pytest.mark.timeout(60 + 900 * SHARE)
def test_without_the_keys_nobody_can_fork_a_log_nor_slander_it() -> None:
    counts = play(HonestKeys, int(EXAMPLES_HONEST * SHARE))
    assert counts["steps"] > 1000 * SHARE
    for said in LIES:
        assert counts[f"says: {said}"] > 0, said
    for shown in SIGHTS:
        assert counts[f"shows: {shown}"] > 0, shown
    for happened in HAPPENED_WITHOUT_KEYS:
        assert counts[happened] > 0, happened


@pytest.mark.timeout(60 + 900 * SHARE)
def test_with_the_keys_a_fork_is_impossible_or_proven() -> None:
    counts = play(StolenKeys, int(EXAMPLES_STOLEN * SHARE))
    assert counts["steps"] > 1700 * SHARE
    for story in ALL_STORIES:
        assert counts[f"story: {story}"] >= 3, story
    for proof in PROOFS:
        assert counts[f"proof: {proof}"] >= 3, proof
    for happened in HAPPENED_WITH_KEYS:
        assert counts[happened] >= 3, happened


def _without_comparing(self: Store, origin: str, old: Latest, new: Latest) -> bool:
    return TRUE_ADVANCE(self, origin, self.latest(origin), new)


TRUE_ADVANCE = Store.advance
TEETH: dict[str, tuple[object, str, object]] = {
    "a witness that does not compare before it sets": (Store, "advance", _without_comparing),
    "a witness that believes any proof": (cosign, "_fault", lambda latest, request: None),
    "a witness that does not search for forks": (evidence, "find_fork", lambda *_: None),
    "a monitor that does not search for forks": (trees, "find_fork", lambda *_: None),
}
"""What must not go unnoticed: what to break, in which module, by what."""


@pytest.mark.parametrize("broken", TEETH)
def test_the_machine_finds(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*TEETH[broken])
    with pytest.raises(AssertionError):
        play(StolenKeys, EXAMPLES_STOLEN)


@contextmanager
def calm_town(folder: Path) -> Iterator[Town]:
    """A town in which nothing happens but what the test does."""
    town = Town(folder, OUTSIDE, Counter())
    with ruled_by(town.clock, town.request):
        town.begin()
        for _ in range(2):
            grow(town)
        try:
            yield town
        finally:
            town.close()


def grow(town: Town) -> None:
    town.clock.tick()
    town.ledger.send(3)
    town.round()
    town.look_around()
    town.check()


def test_a_log_put_back_stops_and_is_repaired(tmp_path: Path) -> None:
    with calm_town(tmp_path) as town:
        town.back_up_log()
        grow(town)
        town.put_back_log(town.copies[0])
        grow(town)
        assert isinstance(town.ledger.trouble, ConflictError)
        assert town.repair()
        grow(town)
        assert len(town.book) == 12
        assert len(town.ledger.acknowledged) == 12


def test_an_old_database_of_a_witness_is_refused(tmp_path: Path) -> None:
    with calm_town(tmp_path) as town:
        town.restart_witness("anna", keeps_copy=True)
        grow(town)
        town.put_back_witness("anna", town.houses["anna"].copies[0], whole=False)
        assert town.counts["old databases refused"] == 1
        assert not town.houses["anna"].has_forgotten


@pytest.mark.parametrize(("away", "outcome"), {"nobody": "refused", "all": "started"}.items())
def test_an_old_folder_of_a_witness(away: str, outcome: str, tmp_path: Path) -> None:
    """What nobody who can be asked tells, others find: `may_fork` is true from then on."""
    with calm_town(tmp_path) as town:
        town.restart_witness("anna", keeps_copy=True)
        grow(town)
        if away == "all":
            for name in ("boris", "clara"):
                town.houses[name].is_up = False
            (town.ledger.paths.checkpoint).unlink()
        town.put_back_witness("anna", town.houses["anna"].copies[0], whole=True)
        assert town.counts[f"old folders {outcome}"] == 1
        assert town.houses["anna"].has_forgotten == (away == "all")


def test_a_witness_that_starts_on_any_memory_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rewind, "refuse_if_behind", lambda memory, found, now: None)
    with pytest.raises(AssertionError, match="an old database was started"):
        test_an_old_database_of_a_witness_is_refused(tmp_path)
