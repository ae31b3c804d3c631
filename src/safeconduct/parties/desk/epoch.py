"""A new epoch: fresh keys, and the record in which the board certifies them.

The desk makes the keys and keeps the secret halves; the board signs the public ones into the
Gazette. A source seals only to what it finds there, so a server can slip nobody a key.

Spec: docs/3-protocol.md §8.
"""

from collections.abc import Callable
from pathlib import Path

from safeconduct.errors import RefusedError
from safeconduct.parties.desk.keys import Keyring
from safeconduct.plumbing import dice
from safeconduct.protocol import age
from safeconduct.protocol.record import Record, make_record


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
