"""Check: eleven questions to a folder of public bytes, each answered from the bytes alone.

Every check runs, whatever the earlier ones found; one that needs what an earlier one could not
establish says so and counts as failed. A failed check says which file, what was found and
expected, and what that proves against whom. Where the registry did not sign for these bytes,
nothing in them is held against anybody, except what carries all its signatures within itself.

Spec: docs/3-protocol.md §16.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from safeconduct.errors import SafeconductError
from safeconduct.parties.auditor import finding, provenance, substance
from safeconduct.parties.auditor.finding import (
    Audit,
    Failed,
    Findings,
    Passed,
    Result,
    failed_by,
    without_accusation,
)
from safeconduct.parties.auditor.folder import MANIFEST, SUMS, Folder
from safeconduct.parties.auditor.ground import Ground
from safeconduct.protocol.tlog.policy import Policy

FAILURES_MAX = 100
"""Per check: a copy that is wrong everywhere need not be told file by file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question; `file` and `proves` are for an error that ends the whole check."""

    title: str
    find: Callable[[Ground], Findings]
    file: str
    proves: str


CHECKS = {
    "folder": Check(
        title="the folder is exactly what SHA256SUMS lists",
        find=provenance.find_folder,
        file=SUMS,
        proves=finding.COPY_CHANGED,
    ),
    "manifest": Check(
        title="the registry signed for these files and for both trees",
        find=provenance.find_manifest,
        file=MANIFEST,
        proves=finding.NOBODY_ANSWERS,
    ),
    "gazette": Check(
        title="the Gazette is the tree that log and witnesses signed",
        find=provenance.find_gazette,
        file="gazette/checkpoint",
        proves=finding.NO_QUORUM,
    ),
    "ledger": Check(
        title="the Ledger is the tree that log and witnesses signed",
        find=provenance.find_ledger,
        file="ledger/checkpoint",
        proves=finding.NO_QUORUM,
    ),
    "entries": Check(
        title="the Gazette's entries follow from one another, signed by the board",
        find=provenance.find_entries,
        file="gazette/checkpoint",
        proves=finding.TREE_DIFFERS,
    ),
    "statutes": Check(
        title="each statute is the Gazette's law and does what its own cases say",
        find=substance.find_statutes,
        file="statutes",
        proves=finding.LAW_SHOWN,
    ),
    "captures": Check(
        title="each capture follows from its text and stands in the Ledger",
        find=substance.find_captures,
        file="captures",
        proves=finding.CAPTURE_FAULTY,
    ),
    "publications": Check(
        title="each publication has its object, and each listing is complete",
        find=substance.find_publications,
        file="listings",
        proves=finding.OBJECT_FAULTY,
    ),
    "decisions": Check(
        title="each decision comes out the same again and stands in the Ledger",
        find=substance.find_decisions,
        file="decisions",
        proves=finding.DECISION_FAULTY,
    ),
    "register": Check(
        title="the register is what the publications make it",
        find=substance.find_register,
        file="register.json",
        proves=finding.REGISTER_FAULTY,
    ),
    "count": Check(
        title="the newest count agrees with what is published",
        find=substance.find_count,
        file="gazette/checkpoint",
        proves=finding.COUNT_FAULTY,
    ),
}
"""The checks by name, in the order of their numbers, which count from 1."""


def audit(folder: Folder, policy: Policy) -> Audit:
    """The outcome of all checks over `folder`.

    Raises:
        UnavailableError: there is no such folder, or it cannot be listed.
        MalformedError: too much lies in it for a published folder.
    """
    ground = Ground(folder, policy)
    results: list[Result] = []
    for number, (name, check) in enumerate(CHECKS.items(), start=1):
        result = _run(number, name, check, ground)
        ground.held[name] = result.holds
        results.append(result)
    signed = ground.is_signed()
    if not signed:
        results = [_accusing_nobody(result) for result in results]
    return Audit(signed=signed, results=tuple(results))


def _run(number: int, name: str, check: Check, ground: Ground) -> Result:
    passed: list[Passed] = []
    failures: list[Failed] = []
    try:
        for each in check.find(ground):
            if isinstance(each, Passed):
                passed.append(each)
            else:
                failures.append(each)
            if len(failures) == FAILURES_MAX:
                break
    except SafeconductError as error:
        expected = "that this check could be made"
        failures.append(failed_by(error, check.file, expected, check.proves))
    return Result(
        number=number,
        name=name,
        title=check.title,
        computed_from=tuple(each.computed_from for each in passed),
        failures=tuple(failures),
        asserted=sum(each.asserted for each in passed),
    )


def _accusing_nobody(result: Result) -> Result:
    return replace(result, failures=tuple(map(without_accusation, result.failures)))
