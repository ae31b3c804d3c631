"""Publish: put into one folder everything that an outsider may have, and sign for it.

    public/
      manifest, SHA256SUMS        what this folder holds (`sha256sum -c` reads the second)
      gazette/, ledger/           both logs as tlog-tiles trees under cosigned checkpoints
      statutes/<n>.json           each version of the law, byte for byte as in the Gazette
      captures/<sha256>/          public statements: public part, record, receipt
      redemptions/<nullifier>.*   credits used up: record and receipt; only if there are any
      unsealed/<sha256>.json      what unseals a decision by now; only if there is any
      register.json, listings/, decisions/

The folder is made aside, synced, and then put in place whole.

Spec: docs/3-protocol.md §16.
"""

import hashlib
import os
import shutil
from pathlib import Path

from safeconduct.errors import RefusedError
from safeconduct.parties.registry.receive import Registry
from safeconduct.parties.registry.redemptions import final_redemptions
from safeconduct.parties.registry.unsealing import unsealed_by
from safeconduct.plumbing.durable import (
    list_files,
    make_folder,
    move_durably,
    naming,
    read_file,
    write_file,
)
from safeconduct.plumbing.logs import (
    CHECKPOINT_BYTES_MAX,
    GazetteView,
    fetch_file,
    read_checkpoint,
    read_gazette,
)
from safeconduct.protocol.canonical import parse_json
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.listing import fold_register, format_register
from safeconduct.protocol.record import make_record, sign_record
from safeconduct.protocol.tlog.checkpoint import parse_checkpoint
from safeconduct.protocol.tlog.merkle import Tree
from safeconduct.protocol.tlog.note import parse_note
from safeconduct.protocol.tlog.tile import (
    BUNDLE_BYTES_MAX,
    TILE_BYTES,
    bundle_path,
    bundles_of,
    tile_path,
    tiles_of,
)

CAPTURE_FILES = ("public.json", "capture.record", "capture.tlog-proof")
FILE_BYTES_MAX = 64 << 20
SIGNED_LAST = frozenset({"SHA256SUMS", "manifest"})
FOLDERS = {"listing": "listings", "listing-end": "listings", "decision": "decisions"}


def publish(registry: Registry, target: Path, captures: Path | None) -> int:
    """Make `target` anew; returns the number of files in it.

    Raises:
        RefusedError: something else than an earlier publication is there.
        UnavailableError: a log is away, or the disk refused; the old folder then stands.
    """
    _check_replaceable(target)
    aside = target.parent / f".{target.name}.new"
    shutil.rmtree(aside, ignore_errors=True)
    make_folder(aside)
    programme = registry.programme
    view = read_gazette(programme)
    state = view.state
    _copy_tree(
        programme.gazette,
        view.checkpoint,
        view.cosigned.checkpoint.tree.size,
        aside / "gazette",
    )
    _write_statutes(state, aside / "statutes")
    _write_register(registry, state, aside)
    _write_redemptions(registry, state, aside / "redemptions")
    _write_unsealed(registry, view, aside / "unsealed")
    if captures is not None:
        _copy_captures(captures, aside / "captures")
    # Last, so that everything copied above stands in the tree that is copied here.
    checkpoint, cosigned = read_checkpoint(programme, programme.ledger, programme.ledger_origin)
    _copy_tree(programme.ledger, checkpoint, cosigned.checkpoint.tree.size, aside / "ledger")
    count = sign_folder(registry, aside)
    _swap(aside, target)
    return count


def _check_replaceable(target: Path) -> None:
    """Return if nothing is lost when `target` is replaced."""
    with naming(target):
        new = not target.exists() or (target.is_dir() and not any(target.iterdir()))
    if not new and not all((target / name).is_file() for name in SIGNED_LAST):
        raise RefusedError(
            f"{target}: is no published folder, and would be removed",
            hint="name a new folder, or the one that was published before",
        )


def _copy_tree(url: str, checkpoint: bytes, size: int, target: Path) -> None:
    """Copy all tiles and bundles that a tree of `size` leaves needs, and its checkpoint."""
    paths = [(tile_path(tile), TILE_BYTES) for tile in tiles_of(size)]
    paths += [(bundle_path(*bundle), BUNDLE_BYTES_MAX) for bundle in bundles_of(size)]
    make_folder(target)
    for path, bytes_max in paths:
        make_folder((target / path).parent)
        write_file(target / path, fetch_file(f"{url}/{path}", bytes_max=bytes_max))
    write_file(target / "checkpoint", checkpoint)


def _write_statutes(state: GazetteState, folder: Path) -> None:
    make_folder(folder)
    for version in state.statutes:
        write_file(folder / f"{version.number}.json", version.law)


def _write_register(registry: Registry, state: GazetteState, target: Path) -> None:
    for name in FOLDERS.values():
        make_folder(target / name)
    for publication in state.publications:
        sha256 = publication.hash("object")
        data = registry.store.object(sha256)
        value = parse_json(data, "object")
        assert isinstance(value, dict)
        folder = FOLDERS[str(value["type"])]
        write_file(target / folder / f"{sha256.hex()}.json", data)
    write_file(target / "register.json", format_register(fold_register(state.publications)))


def _write_redemptions(registry: Registry, state: GazetteState, folder: Path) -> None:
    """Each under its nullifier, so that none can stand there twice."""
    for redemption in final_redemptions(registry, state):
        make_folder(folder)
        path = folder / redemption.nullifier.hex()
        write_file(path.with_suffix(".record"), redemption.signed)
        write_file(path.with_suffix(".tlog-proof"), redemption.proof)


def _write_unsealed(registry: Registry, view: GazetteView, folder: Path) -> None:
    """Each under the hash of its decision object; only those whose day has come."""
    for sha256, data in unsealed_by(registry, view.state, view.cosigned.vouched_at):
        make_folder(folder)
        write_file(folder / f"{sha256}.json", data)


def _copy_captures(captures: Path, target: Path) -> None:
    for folder in sorted(captures.iterdir()):
        if not all((folder / name).is_file() for name in CAPTURE_FILES):
            continue  # being captured right now, or not logged yet: next time
        make_folder(target / folder.name)
        for name in CAPTURE_FILES:
            data = read_file(folder / name, bytes_max=FILE_BYTES_MAX)
            write_file(target / folder.name / name, data)


def sign_folder(registry: Registry, folder: Path) -> int:
    """Write SHA256SUMS and a signed manifest of what `folder` holds; returns the file count."""
    names = [name for name in list_files(folder) if name not in SIGNED_LAST]
    sums = "".join(f"{_sha256(folder / name)}  {name}\n" for name in names).encode("utf-8")
    write_file(folder / "SHA256SUMS", sums)
    gazette, ledger = (_tree_of(folder / log) for log in ("gazette", "ledger"))
    manifest = make_record(
        "manifest",
        programme=registry.programme.hash,
        gazette_size=gazette.size,
        gazette_root=gazette.root_hash,
        ledger_size=ledger.size,
        ledger_root=ledger.root_hash,
        files=len(names),
        sums=hashlib.sha256(sums).digest(),
        at=registry.seconds(),
    )
    write_file(folder / "manifest", sign_record(manifest, [registry.key]))
    return len(names) + 2


def _tree_of(log: Path) -> Tree:
    checkpoint = read_file(log / "checkpoint", bytes_max=CHECKPOINT_BYTES_MAX)
    return parse_checkpoint(parse_note(checkpoint).text).tree


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _swap(aside: Path, target: Path) -> None:
    old = target.parent / f".{target.name}.old"
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        os.rename(target, old)
    move_durably(aside, target)
    shutil.rmtree(old, ignore_errors=True)
