"""Gates: when a date of the law has passed, the door marks it in both logs, once.

    before the limit    the Ledger's newest checkpoint in time is kept
    after it            gate signed → kept → logged in the Ledger → in full in the Gazette

The dates that count are the witnesses': neither this machine's clock nor anybody's message
makes a gate. A crash anywhere is mended by the next round: what was signed is never made anew,
since its hash may stand in the Ledger already. While logs or witnesses are away nothing is said
or done, and the next round tries again.

Spec: docs/3-protocol.md §8.3.
"""

import threading
from contextlib import suppress

from safeconduct.errors import MalformedError, SafeconductError, UnverifiedError
from safeconduct.parties.intake.accept import Intake
from safeconduct.plumbing.logs import GazetteView, log_notice, log_record, read_checkpoint
from safeconduct.protocol.gate import (
    Due,
    draft_gate,
    due_gates,
    is_after,
    is_before,
    next_limit,
    slim_checkpoint,
)
from safeconduct.protocol.gazette import GazetteState, fold
from safeconduct.protocol.record import sign_record

ROUND_SECONDS = 5.0
"""Between two looks at the logs."""
WATCH_SECONDS = 3_600
"""How long before a limit the Ledger is looked at in each round."""


def keep_gates(intake: Intake, stop: threading.Event) -> None:
    """Make each gate that falls due, until `stop` is set; for a thread of its own."""
    while not stop.is_set():
        with suppress(SafeconductError):
            make_gates(intake)
        stop.wait(ROUND_SECONDS)


def make_gates(intake: Intake) -> int:
    """One round; returns how many gates stand in both logs that did not before.

    Raises:
        SafeconductError: a log, the witnesses or the disk are away, or something they show
            does not hold; the next round goes on from there.
    """
    view = intake.gazette()
    at = view.cosigned.logged_by
    _watch(intake, view.state, at)
    # One in each round: the next one's number counts from the Gazette with this one.
    for due in due_gates(view.state, at)[:1]:
        if _make(intake, view, due):
            return 1
    return 0


def _watch(intake: Intake, state: GazetteState, at: int) -> None:
    """Keep the Ledger's newest checkpoint that is dated before the limit that comes next."""
    limit = next_limit(state, at)
    if limit is None or limit - at > WATCH_SECONDS:
        return
    data, seen = read_checkpoint(
        intake.programme, intake.programme.ledger, intake.programme.ledger_origin
    )
    if is_before(seen, limit):
        slim = _slim(intake, data)
        if slim != intake.store.before(limit):
            intake.store.keep_before(limit, slim)


def _make(intake: Intake, view: GazetteView, due: Due) -> bool:
    """Whether the gate stands in both logs now; False while no tree from after it is seen."""
    signed = intake.store.gate(due.statute, due.name)
    if signed and not _admissible(view.state, signed):
        # Its number was taken by another gate, so it can never stand: it is made anew.
        intake.store.forget_gate(due.statute, due.name)
        signed = b""
    signed = signed or _sign(intake, view.state, due)
    if not signed:
        return False
    log_record(intake.programme, signed)
    log_notice(intake.programme, signed)
    return True


def _admissible(state: GazetteState, signed: bytes) -> bool:
    try:
        fold(state, signed)
    except (MalformedError, UnverifiedError):
        return False
    return True


def _sign(intake: Intake, state: GazetteState, due: Due) -> bytes:
    """The gate, signed and kept; empty while the Ledger shows no tree from after the limit."""
    programme = intake.programme
    data, seen = read_checkpoint(programme, programme.ledger, programme.ledger_origin)
    if not is_after(seen, due.limit):
        return b""
    before = intake.store.before(due.limit)
    record = draft_gate(state, due, before, _slim(intake, data))
    return intake.store.keep_gate(due.statute, due.name, sign_record(record, [intake.key]))


def _slim(intake: Intake, data: bytes) -> bytes:
    return slim_checkpoint(data, intake.programme.policy, intake.programme.ledger_origin)
