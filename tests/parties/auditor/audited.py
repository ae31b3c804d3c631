"""What the tests of an audit ask of its outcome."""

from pathlib import Path

from tests.parties.auditor import public_folder as made

from safeconduct.parties.auditor import finding
from safeconduct.parties.auditor.check import CHECKS, audit
from safeconduct.parties.auditor.finding import Audit
from safeconduct.parties.auditor.folder import Folder

WORLD = made.make_world()


def run(folder: Path) -> Audit:
    return audit(Folder(root=folder), made.POLICY)


def failed(outcome: Audit) -> dict[str, set[str]]:
    """The files that each failed check names."""
    return {
        result.name: {each.file for each in result.failures}
        for result in outcome.results
        if not result.holds
    }


def accusations(outcome: Audit) -> set[str]:
    """What is held against somebody."""
    return {
        each.proves
        for result in outcome.results
        for each in result.failures
        if each.proves not in finding.ACCUSES_NOBODY | {finding.NOT_SIGNED}
    }


def caught(folder: Path, name: str) -> None:
    """The copy fails, names the file, runs every check, and accuses nobody: it is unsigned."""
    outcome = run(folder)
    assert not outcome.holds
    assert not outcome.signed
    assert name in set().union(*failed(outcome).values())
    assert [result.name for result in outcome.results] == list(CHECKS)
    assert accusations(outcome) == set()


def drop_cosignature(checkpoint: bytes) -> bytes:
    """The same note without its last line."""
    *lines, _ = checkpoint.splitlines(keepends=True)
    return b"".join(lines)
