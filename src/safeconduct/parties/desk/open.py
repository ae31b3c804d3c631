"""Open one tip to a court or an inquiry: whole with its file key, or some of its files.

The desk's opening is signed with its newest statement key, and logged before it is handed over:
that the body has shown somebody a source's tip, which one and for what, is on record.

Spec: docs/3-protocol.md §25.
"""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from safeconduct.errors import RefusedError, UnavailableError
from safeconduct.parties.desk.archive import epoch_of, file_key
from safeconduct.parties.desk.desk import Desk, statement_key
from safeconduct.parties.desk.store import Tip
from safeconduct.parties.desk.tray import file_chunks, opened_path
from safeconduct.plumbing.durable import make_folder, write_secret, write_stream
from safeconduct.plumbing.handover import handing_over
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.opened import open_with_key
from safeconduct.protocol.opening import (
    ITEMS_FOLDER,
    OPENING_FILE,
    PAYLOAD_FILE,
    OpeningBundle,
    ShownItem,
    format_opening,
    select_items,
    sign_desk_opening,
)
from safeconduct.protocol.record import parse_record
from safeconduct.protocol.tip import TipFile, member_name, parse_manifest


def open_tip(
    desk: Desk, record_hash: bytes, purpose: str, out: Path, places: Collection[int] = ()
) -> None:
    """Write the folder `out`, in which a tip is opened; whole without `places` (from 1).

    Raises:
        RefusedError: no such tip, its epoch's keys are gone, `out` is there already, or single
            files of a tip that was not acknowledged as ok.
        MalformedError: a purpose or a place that there is not.
        UnavailableError: what lies on our disk is damaged, or Gazette, Ledger or disk refuse.
    """
    tip = desk.store.tip(record_hash)
    state = desk.gazette()
    with handing_over(out) as folder:
        if places:
            shown = _show_items(desk, state, tip, folder, places)
        else:
            shown = _show_whole(desk, state, tip, folder)
        bundle = _sign(desk, state, tip, shown, purpose, places)
        write_secret(folder / OPENING_FILE, format_opening(bundle))


def _show_whole(desk: Desk, state: GazetteState, tip: Tip, folder: Path) -> OpeningBundle:
    """Copy the payload, once it has opened to what the record says."""
    key = file_key(desk, tip)
    if key is None:
        raise RefusedError(_why_not(desk, state, tip))
    payload = desk.store.payload_path(tip.hash)
    copy = folder / PAYLOAD_FILE
    write_stream(copy, file_chunks(payload))
    open_with_key(parse_record(tip.record), key, partial(file_chunks, copy), _nowhere)
    return replace(_bundle(desk, tip), file_key=key)


def _why_not(desk: Desk, state: GazetteState, tip: Tip) -> str:
    number = epoch_of(tip)
    gone = desk.store.destruction(number) is not None or state.retired(number) is not None
    if gone and desk.store.archived_in(tip.hash):
        return (
            f"the keys of desk epoch {number} are destroyed: the custodians of the archive can"
            " open this tip, by `desk archive`"
        )
    if gone:
        return f"the keys of desk epoch {number} are destroyed, and no archive has this tip"
    if number not in desk.keys.numbers():
        return f"the keys of desk epoch {number} are not on this machine"
    return "this tip does not open with the keys of its epoch, or was not opened yet"


def _show_items(
    desk: Desk, state: GazetteState, tip: Tip, folder: Path, places: Collection[int]
) -> OpeningBundle:
    """Copy the files at `places` out of the tray, once they are what the manifest lists."""
    made = desk.store.acknowledged(tip.hash)
    if made is None or made.status != "ok" or not made.proof:
        raise RefusedError(
            "single files prove nothing unless the tip was acknowledged as ok",
            hint="open the whole tip",
        )
    if not opened_path(desk.store.tip_folder(tip.hash), 1).exists():
        raise RefusedError(_why_not(desk, state, tip))
    items = select_items(parse_manifest(made.manifest).files, places)
    make_folder(folder / ITEMS_FOLDER, mode=0o700)
    for item in items:
        if isinstance(item, ShownItem):
            source = opened_path(desk.store.tip_folder(tip.hash), item.place)
            target = folder / ITEMS_FOLDER / member_name(item.place)
            write_stream(target, _same(source, item.file))
    return replace(_bundle(desk, tip), items=items)


def _same(path: Path, file: TipFile) -> Iterator[bytes]:
    digest = hashlib.sha256()
    for chunk in file_chunks(path):
        digest.update(chunk)
        yield chunk
    if digest.digest() != file.sha256:
        raise UnavailableError(f"{path}: damaged since the tip was opened")


def _bundle(desk: Desk, tip: Tip) -> OpeningBundle:
    """What every opening of the tip begins with."""
    made = desk.store.acknowledged(tip.hash)
    answered = made is not None and bool(made.proof)
    return OpeningBundle(
        opening=b"",
        opening_proof=b"",
        record=tip.record,
        proof=tip.proof,
        acknowledgement=made.record if made and answered else b"",
        acknowledgement_proof=made.proof if made and answered else b"",
    )


def _sign(
    desk: Desk,
    state: GazetteState,
    tip: Tip,
    shown: OpeningBundle,
    purpose: str,
    places: Collection[int],
) -> OpeningBundle:
    epoch, key = statement_key(desk, state)
    opening = sign_desk_opening(
        key,
        epoch,
        programme=desk.programme.hash,
        record=tip.hash,
        purpose=purpose,
        places=places,
    )
    return replace(shown, opening=opening, opening_proof=desk.log(opening))


def _nowhere(file: TipFile, chunk: bytes) -> None:
    """What is inside is checked, and not kept."""
