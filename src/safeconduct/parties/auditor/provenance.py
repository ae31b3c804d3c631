"""The first five checks: whose bytes these are, and who vouches for them.

    files → SHA256SUMS → manifest → registry key → founding record → Gazette → quorum → policy

Read from right to left it is the chain of trust: the policy is all that an auditor brings.
"""

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
from safeconduct.parties.auditor.folder import MANIFEST, SUMS, Found
from safeconduct.parties.auditor.ground import Ground, read_manifest
from safeconduct.parties.auditor.logs import PUBLISHED, find_log
from safeconduct.parties.auditor.tree import LogCopy


def find_folder(ground: Ground) -> Findings:
    """Whether the files are exactly those that `SHA256SUMS` lists, byte for byte."""
    count = total_bytes = 0
    for name, listed in _side_by_side(ground):
        if isinstance(listed, Failed):
            yield listed
            continue
        try:
            digest = ground.folder.digest(name)
        except SafeconductError as error:
            yield failed_by(error, name, "a file that can be read", finding.COPY_CHANGED)
            continue
        count, total_bytes = count + 1, total_bytes + digest.size_bytes
        ground.course.progress.tick(count, None, "files")
        if digest.sha256 != listed:
            due = f"{listed.hex()}, says {SUMS}"
            yield _changed(name, f"SHA-256 {digest.sha256.hex()}", due)
    yield Passed(computed_from=f"{SUMS} and {count} files of {total_bytes} bytes in all")


def _side_by_side(ground: Ground) -> Iterator[tuple[str, bytes | Failed]]:
    """What lies there beside what is listed; what may not lie there even without a list."""
    walk = ground.folder.walk()
    try:
        yield from _merged(ground, walk)
    except SafeconductError as error:
        expected = "a list that this check can be made by"
        yield SUMS, failed_by(error, SUMS, expected, finding.COPY_CHANGED)
        for found in walk:
            if found.fault:
                yield found.name, _changed(found.name, found.fault, found.expected)


def _merged(ground: Ground, walk: Iterator[Found]) -> Iterator[tuple[str, bytes | Failed]]:
    """Both are sorted, so that neither is ever held as a whole."""
    listed = ground.folder.sums()
    due, digest = next(listed, _END)
    for found in walk:
        if found.fault:
            yield found.name, _changed(found.name, found.fault, found.expected)
            continue
        while due and due < found.name:
            yield due, _missing(due)
            due, digest = next(listed, _END)
        if due == found.name:
            yield due, digest
            due, digest = next(listed, _END)
        elif found.name not in (MANIFEST, SUMS):
            unlisted = f"none, because {SUMS} does not list it"
            yield found.name, _changed(found.name, "a file", unlisted)
    while due:
        yield due, _missing(due)
        due, digest = next(listed, _END)
    for name in (MANIFEST, SUMS):
        if not ground.folder.holds(name):
            yield name, _missing(name)


_END = ("", b"")
"""After the last line of a list; no file has an empty name."""


def _missing(name: str) -> Failed:
    return _changed(name, "no such file", f"a file, because {SUMS} lists it")


def _changed(file: str, found: str, expected: str) -> Failed:
    return Failed(file=file, found=found, expected=expected, proves=finding.COPY_CHANGED)


def find_manifest(ground: Ground) -> Findings:
    """Whether the founding record's registry signed for this list and these trees."""
    manifest = read_manifest(ground)
    gazette, ledger = ground.gazette.tree, ground.ledger.tree
    sums = ground.sums
    if sums.sha256 != manifest.hash("sums"):
        # Anybody may have changed a list that is not the one signed for.
        signed_for = f"{manifest.hash('sums').hex()}, which the manifest signs for"
        yield _changed(SUMS, f"SHA-256 {sums.sha256.hex()}", signed_for)
    due: dict[str, bytes | int] = {
        "programme": ground.founding.hash("programme"),
        "gazette-size": gazette.size,
        "gazette-root": gazette.root_hash,
        "ledger-size": ledger.size,
        "ledger-root": ledger.root_hash,
        "files": sums.lines,
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
    yield from _find_tree(ground, ground.gazette)


def find_ledger(ground: Ground) -> Findings:
    """Whether the Ledger copy is whole and cosigned, and holds bare hashes only."""
    yield from _find_tree(ground, ground.ledger)


def _find_tree(ground: Ground, copy: LogCopy) -> Findings:
    yield from find_log(copy, ground.policy, ground.course, PUBLISHED)
    yield from attempt(
        lambda: _check_origin(ground, copy),
        copy.path("checkpoint"),
        f"the {copy.name} that the programme's founding record names",
        finding.TREE_DIFFERS,
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
