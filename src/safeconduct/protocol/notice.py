"""What single notices of the Gazette say that stand for themselves.

    epoch       the desk's keys for one stretch of time
    archive     where opened tips go
    retirement  that the keys of an epoch are destroyed
    gate        statute, name and limit of a date · the Ledger's last tree dated before it, and
                one that a quorum signed for at it or later; signed by the door
    client      platform, version, size, SHA-256 of the one file to download

Spec: docs/3-protocol.md §8.3, §8.4, §26.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.address import PROFILES
from safeconduct.protocol.record import Record
from safeconduct.protocol.statute.load import load_statute
from safeconduct.protocol.statute.text import (
    Instant,
    Provision,
    Statute,
    all_conditions,
)
from safeconduct.protocol.tlog.checkpoint import Checkpoint, parse_checkpoint
from safeconduct.protocol.tlog.merkle import EMPTY_ROOT, Tree
from safeconduct.protocol.tlog.note import VerifierKey, parse_note

CLIENT_BYTES_MAX = 256 << 20
SHARES_MAX = 16  # what SLIP-39 can split a key into
_PLATFORM = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")  # also a file's name, and an address
_LAWS_KEPT = 16  # parsed; of 60 kB at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """A desk's keys for one stretch of time, as the board certified them."""

    number: int
    opens: int
    closes: int
    statement: VerifierKey
    classic: str
    hybrid: str
    hash: bytes
    index: int

    def recipient(self, profile: str) -> str:
        """The age recipient of this epoch for one of the envelope profiles."""
        return {"hybrid": self.hybrid, "classic": self.classic}[PROFILES[profile]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """Where opened tips go when their epoch's keys are destroyed.

    `recipient` is an age recipient; `threshold` of its `shares` together open it.
    """

    number: int
    recipient: str
    threshold: int
    shares: int
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Retirement:
    """The board's word that an epoch's keys are destroyed; `destruction` is what the desk
    signed about it, as the Ledger holds it.
    """

    epoch: int
    destruction: bytes
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The door's word on the Ledger around `limit` (POSIX seconds), of one law's date `name`.

    `before` and `after` are cosigned checkpoints of the Ledger, their cosignatures not verified
    here; `before` is empty where the door saw no tree in time. `hash` is what the Ledger holds
    of the record.
    """

    number: int
    statute: bytes
    name: str
    limit: int
    before: bytes
    after: bytes
    hash: bytes
    index: int

    @property
    def before_tree(self) -> Tree:
        """The tree that was dated before the limit; an empty one where none was seen."""
        if not self.before:
            return Tree(size=0, root_hash=EMPTY_ROOT)
        return _checkpoint(self.before).tree

    @property
    def after_tree(self) -> Tree:
        """The tree that a quorum signed for at the limit or later."""
        return _checkpoint(self.after).tree


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientFile:
    """A client in a single file that the board lets people download; `size` in bytes."""

    number: int
    platform: str
    version: str
    size: int
    sha256: bytes


def read_archive(record: Record, digest: bytes) -> Archive:
    """What an `archive` record says; `digest` is its record hash.

    Raises:
        MalformedError: its shares are too few, too many, or fewer than are needed.
    """
    threshold, shares = record.number("threshold"), record.number("shares")
    if not 1 < threshold <= shares <= SHARES_MAX:
        raise MalformedError(f"archive record: needs 2 to {SHARES_MAX} shares, and so many")
    return Archive(
        number=record.number("number"),
        recipient=record.word("recipient"),
        threshold=threshold,
        shares=shares,
        hash=digest,
    )


def read_gate(record: Record, law: bytes, ledger: str, *, digest: bytes, index: int) -> Gate:
    """The gate in a record, once it is about a date of `law` and about the log `ledger`.

    Raises:
        MalformedError: the law fixes no such date, or another; the trees are none, or shrink.
        UnverifiedError: they are another log's.
    """
    date = dates_of(law).get(record.word("name"))
    if date is None:
        raise MalformedError("gate record: the statute fixes no date of this name")
    if date.limit_at != record.number("limit"):
        raise MalformedError("gate record: the limit is not the statute's")
    gate = Gate(
        number=record.number("number"),
        statute=record.hash("statute"),
        name=date.name,
        limit=date.limit_at,
        before=record.hash("before"),
        after=record.hash("after"),
        hash=digest,
        index=index,
    )
    _check_trees(gate, ledger)
    return gate


def _check_trees(gate: Gate, ledger: str) -> None:
    if not gate.after:
        raise MalformedError("gate record: needs a tree of the Ledger from after the limit")
    notes = [note for note in (gate.before, gate.after) if note]
    if any(_checkpoint(note).origin != ledger for note in notes):
        raise UnverifiedError("gate record: about another log than the programme's Ledger")
    if gate.before_tree.size > gate.after_tree.size:
        raise MalformedError("gate record: the Ledger shrinks in it")


def _checkpoint(note: bytes) -> Checkpoint:
    return parse_checkpoint(parse_note(note).text)


def read_client(record: Record) -> ClientFile:
    """The client's file in a record.

    Raises:
        MalformedError: its platform is no name for a file, or it has no bytes, or more than
            `CLIENT_BYTES_MAX`.
    """
    if not _PLATFORM.fullmatch(record.word("platform")):
        raise MalformedError("client record: the platform is no plain word")
    if not 0 < record.number("size") <= CLIENT_BYTES_MAX:
        raise MalformedError(f"client record: needs a size of 1 to {CLIENT_BYTES_MAX} bytes")
    return ClientFile(
        number=record.number("number"),
        platform=record.word("platform"),
        version=record.word("version"),
        size=record.number("size"),
        sha256=record.hash("sha256"),
    )


@lru_cache(maxsize=_LAWS_KEPT)
def _law(law: bytes) -> Statute:
    return load_statute(law)  # asked again at each look; to read a law takes milliseconds


def dates_of(law: bytes) -> dict[str, Instant]:
    """The dates that a law fixes, by name."""
    found = _law(law).parameters.items()
    return {name: value for name, value in found if isinstance(value, Instant)}


def in_force_from(law: bytes) -> int:
    """POSIX seconds from which a law says that it applies."""
    return _law(law).version.in_force_from


def deciding_dates(law: bytes) -> tuple[Instant, ...]:
    """The dates that some rule of the law holds an act against, earliest first."""
    provisions = [part for part in _law(law).sections if isinstance(part, Provision)]
    conditions = [each for part in provisions for each in all_conditions(part)]
    named = {each.name for each in conditions if each.operator == "before"}
    dates = [each for name, each in dates_of(law).items() if name in named]
    return tuple(sorted(dates, key=lambda each: (each.limit_at, each.name)))
