"""The first five checks: whose bytes these are, and who vouches for them.

    files → SHA256SUMS → manifest → registry key → founding record → Gazette → quorum → policy

Read from right to left it is the chain of trust: the policy is all that an auditor brings.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import replace

from safeconduct.errors import SafeconductError, UnverifiedError
from safeconduct.parties.auditor import finding
from safeconduct.parties.auditor.finding import (
    BlockedError,
    EntryError,
    Failed,
    Findings,
    Passed,
    attempt,
    failed_by,
    show_instant,
)
from safeconduct.parties.auditor.folder import MANIFEST, SUMS, SUMS_BYTES_MAX, parse_sums
from safeconduct.parties.auditor.ground import Ground, read_manifest
from safeconduct.parties.auditor.tree import (
    LEDGER_ENTRY_BYTES,
    LogCopy,
    find_faults,
    verify_checkpoint,
)


def find_folder(ground: Ground) -> Findings:
    """Whether the files are exactly those that `SHA256SUMS` lists, byte for byte."""
    yield from _strangers(ground)
    sums = parse_sums(ground.folder.read(SUMS, bytes_max=SUMS_BYTES_MAX))
    listed, present = sums.keys() | {MANIFEST, SUMS}, ground.contents.files
    for name in sorted(present - listed):
        yield _changed(name, "a file", f"none, because {SUMS} does not list it")
    for name in sorted(listed - present):
        yield _changed(name, "no such file", f"a file, because {SUMS} lists it")
    total_bytes = 0
    for name in sorted(sums.keys() & present):
        try:
            digest, size_bytes = ground.folder.sha256(name)
        except SafeconductError as error:
            yield failed_by(error, name, "a file that can be read", finding.COPY_CHANGED)
            continue
        total_bytes += size_bytes
        if digest != sums[name]:
            yield _changed(name, f"SHA-256 {digest.hex()}", f"{sums[name].hex()}, says {SUMS}")
    yield Passed(computed_from=f"{SUMS} and {len(sums)} files of {total_bytes} bytes in all")


def _strangers(ground: Ground) -> Iterator[Failed]:
    for name, fault in sorted(ground.contents.strangers.items()):
        yield _changed(name, fault, "only files that this protocol publishes")
    for name in ground.contents.empty_folders():
        yield _changed(ascii(name)[1:-1], "a folder without files", "no such folder")


def _changed(file: str, found: str, expected: str) -> Failed:
    return Failed(file=file, found=found, expected=expected, proves=finding.COPY_CHANGED)


def find_manifest(ground: Ground) -> Findings:
    """Whether the founding record's registry signed for this list and these trees."""
    manifest = read_manifest(ground)
    gazette, ledger = ground.gazette.tree, ground.ledger.tree
    sums = ground.folder.read(SUMS, bytes_max=SUMS_BYTES_MAX)
    if hashlib.sha256(sums).digest() != manifest.hash("sums"):
        # Anybody may have changed a list that is not the one signed for.
        signed_for = f"{manifest.hash('sums').hex()}, which the manifest signs for"
        yield _changed(SUMS, f"SHA-256 {hashlib.sha256(sums).hexdigest()}", signed_for)
    due: dict[str, bytes | int] = {
        "programme": ground.founding.hash("programme"),
        "gazette-size": gazette.size,
        "gazette-root": gazette.root_hash,
        "ledger-size": ledger.size,
        "ledger-root": ledger.root_hash,
        "files": sums.count(b"\n"),
    }
    for name, value in due.items():
        if manifest.values[name] != value:
            yield Failed(
                file=MANIFEST,
                found=f"{name} {_show(manifest.values[name])}",
                expected=f"{_show(value)}, which this folder gives",
                proves=finding.MANIFEST_LIES,
            )
    yield Passed(
        computed_from=f"the signature of {ground.founding.key('registry').name}, the registry "
        f"of the Gazette's founding record, over {manifest.number('files')} files, "
        f"dated {show_instant(manifest.number('at'))} by its own clock"
    )


def _show(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def find_gazette(ground: Ground) -> Findings:
    """Whether the Gazette copy is whole and cosigned."""
    yield from _find_tree(ground, ground.gazette, entry_bytes=None)


def find_ledger(ground: Ground) -> Findings:
    """Whether the Ledger copy is whole and cosigned, and holds bare hashes only."""
    yield from _find_tree(ground, ground.ledger, entry_bytes=LEDGER_ENTRY_BYTES)


def _find_tree(ground: Ground, copy: LogCopy, *, entry_bytes: int | None) -> Findings:
    checkpoint = copy.path("checkpoint")
    due = "signed by the log, cosigned by the policy's quorum, and by nobody else"
    try:
        cosigned = verify_checkpoint(copy, ground.policy)
    except SafeconductError as error:
        yield failed_by(error, checkpoint, due, finding.NO_QUORUM)
    else:
        names = ", ".join(name for name, _ in cosigned.cosignatures)
        yield Passed(
            computed_from=f"{copy.origin}: {copy.tree.size} entries, all tiles computed again "
            f"up to root hash {copy.tree.root_hash.hex()}, cosigned by {names}, "
            f"logged by {show_instant(cosigned.logged_by)}"
        )
    for fault in find_faults(copy, ground.contents, entry_bytes=entry_bytes):
        yield Failed(
            file=fault.file,
            found=fault.found.removeprefix(f"{fault.file}: "),
            expected=fault.expected,
            proves=finding.TREE_DIFFERS,
        )
    named = f"the {copy.name} that the programme's founding record names"
    yield from attempt(
        lambda: _check_origin(ground, copy), checkpoint, named, finding.TREE_DIFFERS
    )


def _check_origin(ground: Ground, copy: LogCopy) -> None:
    try:
        named = ground.founding.word(copy.name)
    except SafeconductError as error:
        raise BlockedError(
            f"the founding record in the Gazette is not proven: {error.message}"
        ) from error
    if copy.origin != named:
        raise UnverifiedError(f"the log {copy.origin}, not {named}")


def find_entries(ground: Ground) -> Findings:
    """Whether the Gazette's entries fold into a state, each signed by the board of its time."""
    try:
        state = ground.folded
    except SafeconductError as error:
        whole = ground.held["gazette"]
        # In a whole copy, log and witnesses signed for the entry, whatever the registry did.
        proves = finding.ADMITTED if whole else finding.TREE_DIFFERS
        due = "entries that a Gazette may hold, in their order"
        file = (
            error.file if isinstance(error, EntryError) else ground.gazette.path("checkpoint")
        )
        failed = failed_by(error, file, due, proves)
        yield replace(failed, stands_alone=whole)
        return
    board, founding = state.roster, state.programme
    yield Passed(
        computed_from=f"programme {founding.word('name')}, founded "
        f"{show_instant(founding.number('founded'))}; a board of {len(board.members)}, of "
        f"whom {board.threshold} must sign; {state.size} entries, each signed by its board"
    )
