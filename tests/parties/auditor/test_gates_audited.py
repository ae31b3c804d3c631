"""A gate that the Ledger, the log or the witnesses do not bear out shows in the folder."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.parties.auditor import public_folder as made
from tests.parties.auditor.audited import WORLD, failed, run
from tests.parties.auditor.short_act import law

from safeconduct.parties.auditor import finding
from safeconduct.parties.auditor.finding import Audit
from safeconduct.protocol.gate import Due, draft_gate
from safeconduct.protocol.gazette import fold_all
from safeconduct.protocol.record import record_hash, sign_record
from safeconduct.protocol.statute.instant import parse_instant
from safeconduct.protocol.tlog.merkle import Frontier, Tree, leaf_hash

LIMIT = parse_instant("2027-06-01T00:00:00Z", "the date")
DUE = Due(statute=hashlib.sha256(law()).digest(), name="the_date", limit=LIMIT)
ENTRIES = WORLD.ledger.entries


def tree(size: int) -> Tree:
    return Frontier.empty().extend([leaf_hash(entry) for entry in ENTRIES[:size]])[0].tree()


def note(size: int, at: int, witnesses: int = 2) -> bytes:
    return made.checkpoint(made.LEDGER, tree(size), at, made.WITNESSES[:witnesses])


BEFORE, AFTER = note(100, LIMIT - 5), note(290, LIMIT + 5)


def signed_gate(before: bytes = BEFORE, after: bytes = AFTER) -> bytes:
    return sign_record(draft_gate(WORLD.state, DUE, before, after), [made.SERVER])


def written(folder: Path, gate: bytes, logged: bytes | None = None, place: int = 299) -> Audit:
    """The outcome for the honest folder with this gate, and `logged` at `place`."""
    digest = record_hash(gate) if logged is None else logged
    entries = [*WORLD.gazette.entries, gate]
    ledger = [*ENTRIES[:place], digest, *ENTRIES[place:]]
    world = replace(
        WORLD,
        gazette=made.make_log(made.GAZETTE, entries, LIMIT + 60),
        ledger=made.make_log(made.LEDGER, ledger, LIMIT + 60),
        state=fold_all(entries),
    )
    world.write(folder)
    return run(folder)


def test_a_gate_that_both_logs_bear_out_holds_and_is_told(tmp_path: Path) -> None:
    outcome = written(tmp_path, signed_gate(), place=len(ENTRIES))
    assert failed(outcome) == {}
    [told] = outcome.results[12].computed_from
    assert told == (
        "gates: 1; dates that had passed without one: 0; the_date 2027-06-01T00:00:00Z: "
        f"Ledger entries below 100 are in time, those above {len(ENTRIES)} late"
    )


def test_a_gate_without_an_earlier_tree_says_less_and_holds(tmp_path: Path) -> None:
    outcome = written(tmp_path, signed_gate(before=b""), place=len(ENTRIES))
    assert failed(outcome) == {}
    assert "below 0 are in time" in outcome.results[12].computed_from[0]


def test_a_date_that_passed_without_a_gate_is_told(tmp_path: Path) -> None:
    world = replace(WORLD, gazette=made.make_log(made.GAZETTE, WORLD.gazette.entries, LIMIT))
    world.write(tmp_path)
    outcome = run(tmp_path)
    assert failed(outcome) == {}
    assert outcome.results[12].computed_from == (
        "gates: 0; dates that had passed without one: 1",
    )


def shifted() -> bytes:
    """A checkpoint of another Ledger than the one that is shown."""
    other = Frontier.empty().extend([leaf_hash(entry) for entry in ENTRIES[1:291]])[0]
    return made.checkpoint(made.LEDGER, other.tree(), LIMIT + 5)


LIES: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "a later tree from before the limit": (
        lambda: signed_gate(after=note(290, LIMIT - 1)),
        "no quorum signed its later tree",
        finding.GATE_FAULTY,
    ),
    "an earlier tree from the limit itself": (
        lambda: signed_gate(before=note(100, LIMIT)),
        "not dated before",
        finding.GATE_FAULTY,
    ),
    "a later tree that one witness saw": (
        lambda: signed_gate(after=note(290, LIMIT + 5, witnesses=1)),
        "quorum",
        finding.GATE_FAULTY,
    ),
    "a later tree beyond the Ledger": (
        lambda: signed_gate(
            after=made.checkpoint(
                made.LEDGER, Tree(size=10_000, root_hash=bytes(32)), LIMIT + 5
            )
        ),
        "this ledger copy",
        finding.GATE_FAULTY,
    ),
    "a tree of another Ledger": (
        lambda: signed_gate(after=shifted()),
        "signed another tree",
        finding.FORKED,
    ),
}


@pytest.mark.parametrize(("gate", "reason", "proves"), LIES.values(), ids=LIES)
def test_a_gate_that_does_not_hold_is_caught(
    tmp_path: Path, gate: Callable[[], bytes], reason: str, proves: str
) -> None:
    outcome = written(tmp_path, gate(), place=len(ENTRIES))
    assert list(failed(outcome)) == ["gates"]
    [failure] = outcome.results[12].failures
    assert reason in failure.found
    assert failure.proves == proves
    assert failure.file.startswith("gazette/tile/entries/")


def test_a_gate_that_the_ledger_does_not_hold_is_caught(tmp_path: Path) -> None:
    outcome = written(tmp_path, signed_gate(), logged=bytes(32), place=len(ENTRIES))
    [failure] = outcome.results[12].failures
    assert "does not stand in this ledger copy" in failure.found
