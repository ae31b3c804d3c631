"""Retire: destroy an epoch's keys, after saying so where nobody can take it back.

    said and signed → stored → logged → (opened files cleared) → keys overwritten and removed

The word comes before the deed, because the key that signs it is one of those that go. A crash
between any two steps is mended by running it again: what was said stands, and what is left of
the keys goes. `standings` calls an epoch half-destroyed until nothing is left.

Spec: docs/3-protocol.md §26.
"""

from dataclasses import dataclass

from safeconduct.errors import ConflictError, MalformedError, RefusedError
from safeconduct.parties.desk.archive import is_archived
from safeconduct.parties.desk.credit import requests
from safeconduct.parties.desk.desk import Desk, statement_key
from safeconduct.parties.desk.door import Door, parse_offer
from safeconduct.parties.desk.epoch import grace_ends, is_answered, tips_of
from safeconduct.parties.desk.keys import KINDS
from safeconduct.parties.desk.pull import LOCK_FILE, NO_ROOM
from safeconduct.parties.desk.store import Destroyed, Tip
from safeconduct.parties.desk.tray import OPENED, empty_tray
from safeconduct.plumbing.durable import sole_writer
from safeconduct.protocol.destruction import draft_destruction, draft_retirement
from safeconduct.protocol.gazette import Epoch, GazetteState
from safeconduct.protocol.record import Record, parse_record, sign_record
from safeconduct.protocol.statute.instant import format_instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Retired:
    """An epoch whose keys are gone from this machine, the desk's word and its tlog proof.

    `draft` is the board's record, None once it stands in the Gazette. Of its tips, `in_clear`
    still lie opened on this disk; `held_back` offers of the door may have been of this epoch.
    """

    destruction: bytes
    proof: bytes
    draft: Record | None
    in_clear: int
    held_back: int


def retire(
    desk: Desk, number: int, *, without_archive: bool = False, clear_opened: bool = False
) -> Retired:
    """Destroy the keys of epoch `number`; asked again, finish or say what was done.

    Raises:
        RefusedError: its grace is not over, a tip of it is not fetched, answered or archived,
            or its keys are not all here. Nothing is said or destroyed then.
        ConflictError: the keys here are not those that the Gazette certifies.
        UnverifiedError: the Gazette certifies no such epoch.
        UnavailableError: Gazette, Ledger, door or disk stay away; run it again.
    """
    with sole_writer(desk.folder / LOCK_FILE):
        state = desk.gazette()
        epoch, tips = state.epoch(number), tips_of(desk, number)
        _check_answered(desk, tips)
        if desk.store.destruction(number) is None:
            _check_due(desk, state, epoch)
            _check_kept(desk, state, tips, without_archive)
            desk.store.enter_destruction(_said(desk, state, epoch, tips))
        made = _logged(desk, number)
        if clear_opened:
            requests(desk)  # what is asked for stands in those files, and is kept apart then
            for tip in tips:
                empty_tray(desk.store.tip_folder(tip.hash))
        desk.keys.destroy(number)
    retired = state.retired(number) is not None
    return Retired(
        destruction=made.record,
        proof=made.proof,
        draft=None if retired else draft_retirement(state, epoch, made.record),
        in_clear=sum((desk.store.tip_folder(tip.hash) / OPENED).exists() for tip in tips),
        held_back=_held_back(desk, number),
    )


def _check_answered(desk: Desk, tips: list[Tip]) -> None:
    due = sum(not is_answered(desk, tip) for tip in tips)
    if due:
        raise RefusedError(
            f"{due} tips of this epoch are not opened, or their answer is not logged",
            hint="`pull` opens and answers them",
        )


def _check_due(desk: Desk, state: GazetteState, epoch: Epoch) -> None:
    """Check that nothing more can come, that nothing waits, and that the keys are ours."""
    ends = grace_ends(state, epoch)
    if desk.seconds() <= ends:
        raise RefusedError(
            f"tips dated inside desk epoch {epoch.number} may still arrive until"
            f" {format_instant(ends)}",
            hint="its keys stay until then",
        )
    found = desk.keys.found().get(epoch.number, ())
    if set(found) != set(KINDS):
        raise RefusedError(
            f"the keys of desk epoch {epoch.number} are not all on this machine",
            hint="run this where they are",
        )
    if desk.keys.statement(epoch.number).verifier() != epoch.statement:
        raise ConflictError(
            f"the Gazette certifies another statement key for epoch {epoch.number}",
            hint="this folder belongs to another desk, or the epoch was made twice",
        )
    door = Door(desk=desk, key=statement_key(desk, state)[1])
    if next(door.offers_after(desk.store.last_place()), None) is not None:
        raise RefusedError("the door holds tips that were not fetched", hint="`pull` first")
    if _held_back(desk, epoch.number, NO_ROOM):
        raise RefusedError(
            "a tip of this epoch waits for room on the disk", hint="free some space, `pull`"
        )


def _check_kept(
    desk: Desk, state: GazetteState, tips: list[Tip], without_archive: bool
) -> None:
    """Check that each tip can be opened by the custodians, or that nobody is meant to."""
    if not state.archives and tips and not without_archive:
        raise RefusedError(
            f"there is no archive: these {len(tips)} tips could never be opened again,"
            " by anybody",
            hint="`archive new` makes one for the board, or say --without-archive",
        )
    due = sum(not is_archived(desk, state, tip) for tip in tips)
    if due:
        raise RefusedError(
            f"{due} tips of this epoch have no header for the archive", hint="`archive fill`"
        )


def _said(desk: Desk, state: GazetteState, epoch: Epoch, tips: list[Tip]) -> Destroyed:
    record = draft_destruction(
        desk.programme.hash,
        epoch,
        state.archives[-1] if state.archives else None,
        [tip.hash for tip in tips],
        desk.seconds(),
    )
    key = desk.keys.statement(epoch.number)
    return Destroyed(epoch=epoch.number, record=sign_record(record, [key]))


def _logged(desk: Desk, number: int) -> Destroyed:
    made = desk.store.destruction(number)
    assert made is not None
    if not made.proof:
        desk.store.enter_destruction_proof(number, desk.log(made.record))
        made = desk.store.destruction(number)
        assert made is not None
    return made


def _held_back(desk: Desk, number: int, reason: str = "") -> int:
    """How many offers that do not hold say that they are of this epoch."""
    return sum(
        _names(held.offer, number)
        for held in desk.store.held_back()
        if reason in ("", held.reason)
    )


def _names(offer: bytes, number: int) -> bool:
    try:
        record = parse_record(parse_offer(offer).record, "contribution")
    except MalformedError:
        return False
    return record.number("epoch") == number
