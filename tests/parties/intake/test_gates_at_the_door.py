"""The door marks a passed date once in each log, whatever fails in between, and never early."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.parties.intake.door_world import World, open_world
from tests.protocol import builders
from tests.protocol.builders import LEDGER, POLICY, SERVER, THE_DATE, checkpoint_note

from safeconduct.errors import MalformedError, UnavailableError
from safeconduct.parties.intake import gate
from safeconduct.parties.intake.gate import keep_gates, make_gates
from safeconduct.plumbing.logs import GazetteView
from safeconduct.plumbing.programme import Programme
from safeconduct.protocol.gate import draft_gate, due_gates, verify_gate
from safeconduct.protocol.gazette import fold, fold_all
from safeconduct.protocol.record import parse_signed, record_hash, sign_record
from safeconduct.protocol.tlog.merkle import Frontier, leaf_hash
from safeconduct.protocol.tlog.note import format_note
from safeconduct.protocol.tlog.policy import Cosigned, open_checkpoint


class Crash(BaseException):
    """The process ends here: nothing in the program catches this."""


@dataclass
class Logs:
    """Both logs and their witnesses' clock; `fail` is called before each step by its name."""

    at: int = THE_DATE - 30
    size: int = 5
    entries: list[bytes] = field(default_factory=lambda: [*builders.gazette_entries()])
    ledger: list[bytes] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    fail: Callable[[str], None] = lambda step: None

    def step(self, name: str) -> None:
        self.asked.append(name)
        self.fail(name)

    def note(self, log: str) -> bytes:
        hashes = [leaf_hash(b"%d" % place) for place in range(self.size)]
        key = LEDGER if log == "ledger" else builders.GAZETTE
        frontier = Frontier.empty().extend(hashes)[0]
        return format_note(checkpoint_note(frontier, self.at, key))

    def checkpoint(self, programme: Programme, url: str, origin: str) -> tuple[bytes, Cosigned]:
        self.step("checkpoint")
        data = self.note("ledger")
        return data, open_checkpoint(data, POLICY, origin)

    def log_record(self, programme: Programme, record: bytes) -> tuple[bytes, None]:
        self.step("ledger")
        self.ledger.append(record_hash(record))
        self.fail("ledger done")
        return b"", None

    def log_notice(self, programme: Programme, entry: bytes) -> bytes:
        self.step("gazette")
        if entry not in self.entries:
            fold(fold_all(self.entries), entry)
            self.entries.append(entry)
        self.fail("gazette done")
        return b""

    def gazette(self) -> GazetteView:
        data = self.note("gazette")
        return GazetteView(
            state=fold_all(self.entries),
            cosigned=open_checkpoint(data, POLICY),
            checkpoint=data,
            entries=tuple(self.entries),
        )

    def gates(self) -> Sequence[bytes]:
        return [entry for entry in self.entries if parse_signed(entry).record.kind == "gate"]


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> Logs:
    logs = Logs()
    monkeypatch.setattr(gate, "read_checkpoint", logs.checkpoint)
    monkeypatch.setattr(gate, "log_record", logs.log_record)
    monkeypatch.setattr(gate, "log_notice", logs.log_notice)
    monkeypatch.setattr(World, "gazette", lambda world: logs.gazette())
    return logs


@pytest.fixture
def world(tmp_path: Path, logs: Logs) -> Iterator[World]:
    with open_world(tmp_path) as world:
        yield world


def passed(logs: Logs) -> None:
    logs.at, logs.size = THE_DATE + 5, 9


def test_a_date_is_marked_in_the_ledger_first_and_then_in_the_gazette(
    world: World, logs: Logs
) -> None:
    assert make_gates(world.intake) == 0
    passed(logs)
    assert make_gates(world.intake) == 1
    assert logs.asked[-2:] == ["ledger", "gazette"]
    [entry] = logs.gates()
    assert logs.ledger == [record_hash(entry)]
    state = fold_all(logs.entries)
    bounds = verify_gate(state.gates[0], POLICY, LEDGER.name)
    assert (bounds.in_time_below, state.gates[0].after_tree.size) == (5, 9)
    assert make_gates(world.intake) == 0
    assert due_gates(state, logs.at) == ()


def test_no_clock_but_the_witnesses_makes_a_gate(world: World, logs: Logs) -> None:
    world.now = THE_DATE + 100 * builders.DAY
    assert make_gates(world.intake) == 0
    assert logs.gates() == []


def test_long_before_a_date_the_ledger_is_left_alone(world: World, logs: Logs) -> None:
    logs.at = THE_DATE - 2 * gate.WATCH_SECONDS
    make_gates(world.intake)
    assert logs.asked == []


def test_a_door_that_slept_over_the_date_says_less(world: World, logs: Logs) -> None:
    passed(logs)
    assert make_gates(world.intake) == 1
    assert fold_all(logs.entries).gates[0].before == b""


def test_the_newest_tree_in_time_is_kept(world: World, logs: Logs) -> None:
    for logs.at, logs.size in ((THE_DATE - 30, 5), (THE_DATE - 1, 7), (THE_DATE, 8)):
        make_gates(world.intake)
    assert fold_all(logs.entries).gates[0].before_tree.size == 7


def test_a_ledger_that_lags_behind_the_gazette_is_waited_for(
    world: World, logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_gates(world.intake)
    early = (logs.note("ledger"), open_checkpoint(logs.note("ledger"), POLICY))
    passed(logs)
    monkeypatch.setattr(gate, "read_checkpoint", lambda *_: early)
    assert make_gates(world.intake) == 0
    assert logs.gates() == []


@pytest.mark.parametrize(
    "step", ["checkpoint", "ledger", "ledger done", "gazette", "gazette done"]
)
@pytest.mark.parametrize("error", [Crash, UnavailableError])
def test_whatever_fails_at_any_step_one_gate_comes_of_it(
    step: str, error: type[BaseException], world: World, logs: Logs
) -> None:
    make_gates(world.intake)
    passed(logs)

    def fail(name: str) -> None:
        if name == step:
            raise error("stopped here")

    logs.fail = fail
    with pytest.raises(error):
        make_gates(world.intake)
    logs.fail, logs.size, logs.at = lambda _: None, 12, logs.at + 60
    make_gates(world.intake)
    [entry] = logs.gates()
    assert set(logs.ledger) == {record_hash(entry)}


def test_a_gate_whose_number_was_taken_is_made_anew(world: World, logs: Logs) -> None:
    passed(logs)
    state = fold_all(logs.entries)
    [due] = due_gates(state, logs.at)
    record = draft_gate(state, due, b"", logs.note("ledger"))
    stale = type(record)(kind="gate", values={**record.values, "number": 7})
    world.intake.store.keep_gate(due.statute, due.name, sign_record(stale, [SERVER]))
    assert make_gates(world.intake) == 1
    assert fold_all(logs.entries).gates[0].number == 1


def test_the_job_goes_on_quietly_until_it_is_stopped(
    world: World,
    logs: Logs,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(gate, "ROUND_SECONDS", 0.01)
    rounds, stop = [], threading.Event()

    def fail(name: str) -> None:
        rounds.append(name)
        if len(rounds) < 3:
            raise UnavailableError("away")
        if len(rounds) == 3:
            raise MalformedError("nonsense")

    passed(logs)
    logs.fail = fail
    thread = threading.Thread(target=keep_gates, args=(world.intake, stop))
    thread.start()
    for _ in range(10_000):
        if logs.gates():
            break
        stop.wait(0.01)
    stop.set()
    thread.join(100)
    assert not thread.is_alive()
    assert len(logs.gates()) == 1
    assert capsys.readouterr() == ("", "")
