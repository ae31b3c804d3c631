"""Export: give one tip to assessors as an age file of theirs. Only the header is new.

    header for them ‖ payload as it was committed to        opens with `age -d | tar x`

Spec: docs/3-protocol.md §26.
"""

from collections.abc import Sequence
from pathlib import Path

from safeconduct.errors import RefusedError
from safeconduct.parties.desk.archive import OPENED_WHOLE, epoch_of, file_key, write_age_file
from safeconduct.parties.desk.desk import Desk
from safeconduct.parties.desk.store import Tip
from safeconduct.parties.desk.vote import check_not_withdrawn
from safeconduct.protocol import age

PASSPHRASE_CHARACTERS_MIN = 10
RECIPIENTS_MAX = 20


def export(
    desk: Desk,
    record_hash: bytes,
    recipients: Sequence[age.Recipient],
    out: Path,
    *,
    armor: bool = False,
) -> None:
    """Write a tip as an age file for `recipients`, mode 0600.

    Raises:
        RefusedError: no such tip, one that was withdrawn or never opened whole, one whose
            epoch's keys are gone, recipients of two kinds, or `out` exists.
        MalformedError: a recipient to which nothing can be sealed.
        UnavailableError: the payload on our disk is damaged, or the disk refused; there is no
            file then.
    """
    tip = desk.store.tip(record_hash)
    check_not_withdrawn(desk.store, record_hash)
    made = desk.store.acknowledged(record_hash)
    if made is None or made.status not in OPENED_WHOLE:
        raise RefusedError("this tip was not opened whole", hint="`show` says what it is")
    header = _header(desk, tip, recipients)
    write_age_file(desk, tip, header, out, age.armored if armor else iter)


def _header(desk: Desk, tip: Tip, recipients: Sequence[age.Recipient]) -> bytes:
    if not 1 <= len(recipients) <= RECIPIENTS_MAX:
        raise RefusedError(f"needs 1 to {RECIPIENTS_MAX} recipients")
    if len({recipient.kind for recipient in recipients}) > 1:
        raise RefusedError(
            "an age file has recipients of one kind",
            hint="export once to age1… and once to age1pq…",
        )
    key = file_key(desk, tip)
    if key is None:
        raise RefusedError(
            _gone(desk, tip), hint="the archive's custodians can open it, if any"
        )
    return age.seal_header(key, recipients, desk.random_bytes)


def _gone(desk: Desk, tip: Tip) -> str:
    number = epoch_of(tip)
    if desk.store.destruction(number) is not None:
        return f"the keys of desk epoch {number} are destroyed: the desk opens this tip no more"
    return f"the keys of desk epoch {number} are not on this machine"


def passphrase_recipient(first: str, second: str) -> age.ScryptRecipient:
    """The recipient of a passphrase that was entered twice.

    Raises:
        RefusedError: they differ, or it is too short to withstand guessing.
    """
    if first != second:
        raise RefusedError("the two passphrases differ", hint="enter the same one twice")
    if len(first) < PASSPHRASE_CHARACTERS_MIN:
        raise RefusedError(
            f"the passphrase is shorter than {PASSPHRASE_CHARACTERS_MIN} characters",
            hint="take four or more words that nobody would guess",
        )
    return age.ScryptRecipient(passphrase=first)
