"""Epochs: keys for a stretch of time, the record that certifies them, and where each stands.

    before ── open ── grace ── due ── destroyed
       opens     closes   │      │
                          │      nothing sealed to it can come in time any more
                          tips dated inside may still arrive: the keys stay

The desk makes the keys and keeps the secret halves; the board signs the public ones into the
Gazette. A source seals only to what it finds there, so a server can slip nobody a key.

Spec: docs/3-protocol.md §8, §26.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from safeconduct.errors import RefusedError
from safeconduct.parties.desk.archive import epoch_of, is_archived
from safeconduct.parties.desk.desk import Desk
from safeconduct.parties.desk.keys import Keyring
from safeconduct.parties.desk.store import Tip
from safeconduct.parties.desk.unseal import DELIVERY_GRACE_SECONDS
from safeconduct.plumbing import dice
from safeconduct.protocol import age
from safeconduct.protocol.gazette import Epoch, GazetteState
from safeconduct.protocol.record import NO_HASH, Record, make_record
from safeconduct.protocol.statute.instant import format_instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one epoch stands; `word` is one of the words above, or says what is amiss.

    `keys` are the kinds of key files on this machine. Of the `tips` sealed to it, `unopened`
    have no answer in the Ledger yet, and `unarchived` no header for the newest archive.
    """

    number: int
    opens: int
    closes: int
    grace_ends: int
    word: str
    keys: tuple[str, ...]
    tips: int
    unopened: int
    unarchived: int


def new_epoch(
    folder: Path,
    programme_hash: bytes,
    number: int,
    previous: bytes,
    opens: int,
    closes: int,
    *,
    random_bytes: Callable[[int], bytes] = dice.random_bytes,
) -> Record:
    """The unsigned `epoch` record for the board, its keys kept below `folder`.

    `previous` is the record hash of the epoch before (32 zero bytes for the first); `opens` and
    `closes` are POSIX seconds. Asking again gives the same keys, so that a record which was
    lost on the way to the board can be made anew.

    Raises:
        RefusedError: the number is not positive, or the epoch would close before it opens.
        UnavailableError: the disk refused.
    """
    if number < 1 or opens >= closes:
        raise RefusedError("an epoch is numbered from 1 and closes after it opens")
    keys = Keyring(folder).make(number, random_bytes)
    return make_record(
        "epoch",
        programme=programme_hash,
        number=number,
        previous=previous,
        opens=opens,
        closes=closes,
        statement=keys.statement.verifier(),
        classic=age.format_recipient(keys.classic.recipient()),
        hybrid=age.format_recipient(keys.hybrid.recipient()),
    )


def rotate(desk: Desk, closes: int, opens: int | None = None) -> Record:
    """The unsigned record of the epoch after the Gazette's last, its keys kept in the folder.

    It opens as the last one closes, unless told to open earlier, and the first of all opens
    now. Asked again before the board has signed, it certifies the same keys.

    Raises:
        RefusedError: it would leave a gap, be over already, or end before the last one does.
        UnavailableError: Gazette or disk stay away.
    """
    state, now = desk.gazette(), desk.seconds()
    last = state.epochs[-1] if state.epochs else None
    first = opens if opens is not None else last.closes if last else now
    if last is not None and first > last.closes:
        raise RefusedError(
            f"between {format_instant(last.closes)} and {format_instant(first)} no source could"
            " send anything",
            hint="let the epochs touch or overlap",
        )
    if closes <= max(now, last.closes if last else 0):
        raise RefusedError(
            "the epoch would be of no use: it closes in the past, or with the one before",
            hint="give a later --closes",
        )
    previous = last.hash if last else NO_HASH
    return new_epoch(
        desk.folder,
        state.programme_hash,
        len(state.epochs) + 1,
        previous,
        first,
        closes,
        random_bytes=desk.random_bytes,
    )


def grace_ends(state: GazetteState, epoch: Epoch) -> int:
    """The last second at which a tip dated inside the epoch counts as delivered in time."""
    return epoch.closes + state.programme.number("delivery-window") + DELIVERY_GRACE_SECONDS


def tips_of(desk: Desk, number: int) -> list[Tip]:
    """The tips whose records name this epoch, in the order they came."""
    return [tip for tip in desk.store.tips() if epoch_of(tip) == number]


def is_answered(desk: Desk, tip: Tip) -> bool:
    """Whether the tip's acknowledgement stands in the Ledger, or it was withdrawn unopened."""
    made = desk.store.acknowledged(tip.hash)
    if made is None:
        return desk.store.taken_back(tip.hash) is not None
    return bool(made.proof)


def standings(desk: Desk) -> list[Standing]:
    """Where each epoch of the Gazette stands, and each whose keys lie here, by number.

    Raises:
        UnavailableError: the Gazette stays away, or keys that are here cannot be used.
    """
    state, found = desk.gazette(), desk.keys.found()
    tips: dict[int, list[Tip]] = {}
    for tip in desk.store.tips():
        tips.setdefault(epoch_of(tip), []).append(tip)
    known = [
        _standing(desk, state, epoch, found.get(epoch.number, ()), tips.get(epoch.number, ()))
        for epoch in state.epochs
    ]
    certified = {epoch.number for epoch in state.epochs}
    return known + [
        _uncertified(number, keys) for number, keys in found.items() if number not in certified
    ]


def _standing(
    desk: Desk, state: GazetteState, epoch: Epoch, keys: tuple[str, ...], tips: Iterable[Tip]
) -> Standing:
    held = list(tips)
    return Standing(
        number=epoch.number,
        opens=epoch.opens,
        closes=epoch.closes,
        grace_ends=grace_ends(state, epoch),
        word=_word(desk, state, epoch, keys),
        keys=keys,
        tips=len(held),
        unopened=sum(not is_answered(desk, tip) for tip in held),
        unarchived=sum(not is_archived(desk, state, tip) for tip in held),
    )


def _word(desk: Desk, state: GazetteState, epoch: Epoch, keys: tuple[str, ...]) -> str:
    retired = state.retired(epoch.number) is not None
    if retired or desk.store.destruction(epoch.number) is not None:
        if keys:
            return "half-destroyed"
        return "destroyed" if retired else "destroyed-not-announced"
    now = desk.seconds()
    ends = {"before": epoch.opens, "open": epoch.closes, "grace": grace_ends(state, epoch) + 1}
    return next((word for word, end in ends.items() if now < end), "due")


def _uncertified(number: int, keys: tuple[str, ...]) -> Standing:
    return Standing(
        number=number,
        opens=0,
        closes=0,
        grace_ends=0,
        word="not-certified",
        keys=keys,
        tips=0,
        unopened=0,
        unarchived=0,
    )
