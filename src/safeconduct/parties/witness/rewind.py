"""Rewind: a witness whose memory was put back must notice before it signs anything.

A witness that forgets what it signed signs forks, and nobody would see it from its answers. So
at each start its database is compared with what it must have known, and if any of these is
ahead, the witness does not start:

    published/   its own last notes, beside the database (see `published`)
    --seen-at    addresses where checkpoints with its signatures are served: logs and mirrors
    --peer       other witnesses: a tree that a log has signed for them is one to catch up with

What this guarantees: a database put back alone is noticed. A whole folder put back (a machine's
snapshot, say) is noticed only where someone out of its reach answers and knows: give the
addresses of at least two, one of them not of your house. Nobody answering is no reason to stay
away, or whoever can cut our line could silence us; but it is said.

An address can hinder a start only by a signature of the log, never by claims of its own, and
keep us waiting for minutes only. A log that signs a tree nobody can follow, and shows it to a
peer, hinders us until we do without its --log; a log of a list is left out at once.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from safeconduct.errors import (
    MalformedError,
    RefusedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.witness.cosign import Keys
from safeconduct.parties.witness.logs import Log
from safeconduct.parties.witness.memory import Memory
from safeconduct.parties.witness.store import Latest, Store
from safeconduct.plumbing import clock, remote
from safeconduct.protocol.tlog.checkpoint import parse_checkpoint
from safeconduct.protocol.tlog.cosignature import verify_cosignature
from safeconduct.protocol.tlog.merkle import Tree
from safeconduct.protocol.tlog.note import (
    Note,
    SignatureLine,
    SigningKey,
    format_note,
    parse_note,
    signatures_by,
)

_REMEDY = (
    "safeconduct witness catch-up --dir DIR --log VKEY --log-url URL [--peer URL]; "
    "if the log does not serve what it signed, leave that log out"
)
ANSWER_SECONDS = 10.0
PEER_SECONDS_MAX = 300.0  # for all the logs that one peer is asked about
Say = Callable[[str], None]
"""Tells the keeper something that does not stop the start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A checkpoint that `log` has signed, found at `where`.

    `note` bears the lines of the log and ours only. `own_at` is when we cosigned it, in POSIX
    seconds, 0 if we did not.
    """

    where: str
    log: Log
    tree: Tree
    note: bytes
    own_at: int


def sight(where: str, data: bytes, keys: Keys) -> Sighting | None:
    """What a note found at `where` tells; None if its log is not served here.

    Raises:
        MalformedError: no checkpoint with signatures.
        UnverifiedError: not signed by the log, or badly by a key of it or of ours.
    """
    note = parse_note(data)
    checkpoint = parse_checkpoint(note.text)
    log = keys.logs.get(checkpoint.origin)
    if log is None:
        return None
    lines = log.signed(note)
    own, own_at = _own_lines(note, keys.own)
    return Sighting(
        where=where,
        log=log,
        tree=checkpoint.tree,
        note=format_note(Note(text=note.text, signatures=(*lines, *own))),
        own_at=own_at,
    )


def sightings(keys: Keys, found: Iterable[tuple[str, bytes]], say: Say) -> Iterator[Sighting]:
    """What the notes that were found (where, note) tell of our logs; nonsense is only said."""
    for where, data in found:
        try:
            sighting = sight(where, data, keys)
        except (MalformedError, UnverifiedError) as error:
            say(f"{where}: shows nothing that counts: {error.message}")
            continue
        if sighting is not None:
            yield sighting


def shown_at(urls: Iterable[str], say: Say) -> Iterator[tuple[str, bytes]]:
    """(address, note) for each address of a checkpoint that answers."""
    for url in urls:
        try:
            yield url, remote.note_at(url, seconds=ANSWER_SECONDS)
        except SafeconductError as error:
            say(f"{url}: not asked what we signed: {error.message}")


def known_to(
    peers: Iterable[str], origins: Collection[str], say: Say
) -> Iterator[tuple[str, bytes]]:
    """(address, note) for each of the logs that another witness has cosigned."""
    for url in peers:
        deadline = clock.monotonic() + PEER_SECONDS_MAX
        try:
            for origin in origins:
                note = remote.cosigned_at(url, origin, seconds=ANSWER_SECONDS)
                if note is not None:
                    yield url, note
                if clock.monotonic() > deadline:
                    raise UnavailableError("it takes too long")
        except SafeconductError as error:
            say(f"{url}: this peer was not asked about every log: {error.message}")


def refuse_if_behind(memory: Memory, found: Sighting, now: int) -> None:
    """Return unless a checkpoint shows that our database is not the latest.

    Two roots for one size that we know are kept as a fork of the log, whoever forgot what.

    Raises:
        RefusedError: the database is behind, or we have signed both sides of a fork.
    """
    origin = found.log.origin
    latest = memory.store.latest(origin)
    memory.evidence.look_at(found.log, found.note, now)
    if found.tree.size == latest.tree.size > 0 and found.tree != latest.tree:
        if found.own_at:
            raise RefusedError(
                f"{origin}: {found.where} shows our own signature over another tree of "
                f"{found.tree.size} entries than the one in this witness's memory",
                hint="its signatures count for nothing any more: make a new witness",
            )
        return
    reason = _ahead(found, latest)
    if reason:
        raise RefusedError(
            f"{origin}: this witness's memory ends at {latest.tree.size} entries, "
            f"but {found.where} shows {found.tree.size}: {reason}",
            hint=_REMEDY,
        )


def refuse_changed_keys(store: Store, log: Log) -> None:
    """Return if one of the log's keys is one that signed what we cosigned last.

    Raises:
        RefusedError: none is; under new keys a log could begin a new history.
    """
    known = store.latest(log.origin).checkpoint
    try:
        if known:
            log.signed(parse_note(known))
    except UnverifiedError as error:
        raise RefusedError(
            f"{log.origin}: none of its keys is the one that signed its latest checkpoint here",
            hint="give the new key beside the old: two --log options of one origin",
        ) from error


def _ahead(found: Sighting, latest: Latest) -> str:
    """Why a sighting proves that we have forgotten something; empty if it does not."""
    if found.tree.size > latest.tree.size:
        return "it bears our signature" if found.own_at else "the log has signed it"
    if found.own_at > latest.cosigned_at:
        return f"it bears our signature of {found.own_at}, after the last we remember"
    return ""


def _own_lines(note: Note, own: Sequence[SigningKey]) -> tuple[tuple[SignatureLine, ...], int]:
    """Our own lines on a note, and their latest date, 0 if there is none."""
    lines, latest = list[SignatureLine](), 0
    for key in (key.cosigner() for key in own):
        if signatures_by(note, key):
            latest = max(latest, verify_cosignature(note, key))
            lines += signatures_by(note, key)
    return tuple(lines), latest
