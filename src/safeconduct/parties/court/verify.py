"""Verify a folder that somebody handed over: what was sealed, by when, and who opens it.

Nothing in the folder is believed, and no link in it is followed.

Spec: docs/3-protocol.md §25.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from safeconduct.parties.court.gazette import Ground
from safeconduct.plumbing.durable import read_file
from safeconduct.plumbing.handover import check_folder, file_pieces
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.opening import (
    ITEMS_FOLDER,
    OPENING_BYTES_MAX,
    OPENING_FILE,
    PAYLOAD_FILE,
    Opened,
    OpeningBundle,
    parse_opening,
    verify_opening,
)
from safeconduct.protocol.record import parse_record
from safeconduct.protocol.statute.instant import format_instant
from safeconduct.protocol.tip import FILE_BYTES_MAX, member_name
from safeconduct.protocol.tlog.policy import open_checkpoint
from safeconduct.protocol.tlog.proof import parse_proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """A folder as it was handed over; nothing of it is verified yet."""

    folder: Path
    bundle: OpeningBundle
    payload_path: Path | None
    payload_bytes: int

    def payload(self) -> Iterator[bytes]:
        """The sealed bytes; asked for only if there is a file of them."""
        assert self.payload_path is not None
        return file_pieces(self.payload_path, bytes_max=self.payload_bytes)

    def item(self, place: int) -> Iterator[bytes]:
        """The bytes of the file shown at `place`."""
        folder = check_folder(self.folder / ITEMS_FOLDER)
        return file_pieces(folder / member_name(place), bytes_max=FILE_BYTES_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An opening that holds, and what it was found to hold against.

    `witnesses` are those whose cosignatures sufficed to date the tip, with their POSIX seconds.
    """

    opened: Opened
    ground: Ground
    witnesses: tuple[tuple[str, int], ...]

    def as_value(self) -> Json:
        """What it proves, as a JSON value."""
        opened = self.opened
        answer, logged = opened.acknowledged, opened.logged
        return {
            "acknowledged": opened.status or None,
            "acknowledged_by": format_instant(answer.logged_by) if answer else None,
            "by_file_key": opened.by_key,
            "files": [
                {
                    "name": each.file.name,
                    "place": each.place,
                    "sha256": each.file.sha256.hex(),
                    "size": each.file.size,
                }
                for each in opened.files
            ],
            "files_total": opened.files_total,
            "index": opened.receipt.logged.index,
            "logged_by": format_instant(opened.receipt.logged_by),
            "opened_by": opened.opener,
            "opening_logged_by": format_instant(logged.logged_by) if logged else None,
            "origin": opened.receipt.logged.origin,
            "purpose": opened.purpose,
            "record_hash": opened.receipt.record_hash.hex(),
            "scope": opened.scope,
            "witnesses": [
                {"at": format_instant(at), "witness": name} for name, at in self.witnesses
            ],
        }


def read_opening(folder: Path, payload: Path | None = None) -> Handed:
    """The opening in `folder`; its sealed bytes may lie elsewhere, at `payload`.

    Raises:
        MalformedError: the folder or its `opening.json` is a link, or does not parse.
        UnavailableError: it is not there.
    """
    check_folder(folder)
    data = read_file(folder / OPENING_FILE, bytes_max=OPENING_BYTES_MAX)
    bundle = parse_opening(data)
    beside = folder / PAYLOAD_FILE
    if payload is None and (beside.exists() or beside.is_symlink()):
        payload = beside
    return Handed(
        folder=folder,
        bundle=bundle,
        payload_path=payload,
        payload_bytes=parse_record(bundle.record, "contribution").number("size"),
    )


def verify(handed: Handed, ground: Ground) -> Finding:
    """What the opening proves, once all of it holds.

    Raises:
        MalformedError, UnverifiedError: something does not parse, or does not hold.
        UnavailableError: the sealed bytes or a shown file are not there.
    """
    opened = verify_opening(
        handed.bundle,
        ground.state,
        ground.policy,
        payload=handed.payload if handed.payload_path else None,
        files=handed.item,
    )
    return Finding(opened=opened, ground=ground, witnesses=_witnesses(handed, ground, opened))


def _witnesses(handed: Handed, ground: Ground, opened: Opened) -> tuple[tuple[str, int], ...]:
    """Whose cosignatures sufficed, earliest first."""
    origin = opened.receipt.logged.origin
    cosigned = open_checkpoint(
        parse_proof(handed.bundle.proof).checkpoint, ground.policy, origin
    )
    by_time = sorted((at, name) for name, at in cosigned.cosignatures)
    return tuple((name, at) for at, name in by_time if at <= opened.receipt.logged_by)
