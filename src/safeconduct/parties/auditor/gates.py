"""The thirteenth check: gates, which close a date of the law for everybody.

    Gazette    the gate in full, signed by the door: two cosigned checkpoints of the Ledger
    Ledger     its hash, behind the later of the two trees

A gate holds if log and witnesses signed both trees, on the right sides of the limit; if the
Ledger copy begins with both; and if the copy holds the gate's hash behind them. Then every
entry behind the gate's own place is late, whatever anybody's clock says.

Spec: docs/3-protocol.md §8.3.
"""

from safeconduct.errors import ConflictError, SafeconductError, UnverifiedError
from safeconduct.parties.auditor import finding
from safeconduct.parties.auditor.finding import Failed, Findings, Passed, failed_by
from safeconduct.parties.auditor.ground import Ground
from safeconduct.parties.auditor.tree import LogCopy, verify_checkpoint
from safeconduct.protocol.gate import Bounds, due_gates, verify_gate
from safeconduct.protocol.notice import Gate
from safeconduct.protocol.tlog.merkle import Tree, root
from safeconduct.protocol.tlog.tile import TILE_WIDTH


def find_gates(ground: Ground) -> Findings:
    """Whether each gate of the Gazette holds, and stands in the Ledger behind its trees."""
    told: list[str] = []
    for gate in ground.state.gates:
        try:
            told.append(_describe(*_check(ground, gate)))
        except SafeconductError as error:
            yield _failed(ground, gate, error)
    yield Passed(computed_from="; ".join([_counted(ground), *told]))


def _counted(ground: Ground) -> str:
    at = verify_checkpoint(ground.gazette, ground.policy).logged_by
    missing = len(due_gates(ground.state, at))
    return f"gates: {len(ground.state.gates)}; dates that had passed without one: {missing}"


def _describe(bounds: Bounds, place: int) -> str:
    return (
        f"{bounds.gate.name} {finding.show_instant(bounds.gate.limit)}: Ledger entries below "
        f"{bounds.in_time_below} are in time, those above {place} late"
    )


def _check(ground: Ground, gate: Gate) -> tuple[Bounds, int]:
    """What a gate proves, and its place in the Ledger.

    Raises:
        UnverifiedError: it does not hold, or the Ledger copy does not bear it out.
        ConflictError: the log signed another tree for it than the copy begins with.
    """
    ledger = ground.state.programme.word("ledger")
    bounds = verify_gate(gate, ground.policy, ledger)
    copy = ground.whole_ledger
    for tree in (gate.before_tree, gate.after_tree):
        _check_begins(copy, tree)
    return bounds, _place(copy, gate)


def _check_begins(copy: LogCopy, tree: Tree) -> None:
    if tree.size > copy.tree.size:
        raise UnverifiedError(
            f"the gate's tree has {tree.size} entries, this ledger copy {copy.tree.size}"
        )
    if root(tree.size, copy.reader()) != tree.root_hash:
        raise ConflictError(
            f"the log signed another tree of {tree.size} entries for this gate than the one "
            "its ledger begins with"
        )


def _place(copy: LogCopy, gate: Gate) -> int:
    """Where the gate's hash stands, behind its later tree."""
    behind = gate.after_tree.size
    for number, width in copy.bundles(behind // TILE_WIDTH):
        for place, entry in enumerate(copy.bundle(number, width), number * TILE_WIDTH):
            if entry == gate.hash and place >= behind:
                return place
    raise UnverifiedError("its hash does not stand in this ledger copy behind its trees")


def _failed(ground: Ground, gate: Gate, error: SafeconductError) -> Failed:
    return failed_by(
        error,
        ground.gazette.bundle_file(gate.index),
        f"gate {gate.number} to be dated around {finding.show_instant(gate.limit)}, on the "
        "Ledger's trees, and to stand in the Ledger",
        finding.GATE_FAULTY,
    )
