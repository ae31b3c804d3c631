"""Check: fourteen questions to a folder of public bytes, each answered from the bytes alone.

Every check runs, whatever the earlier ones found; one that needs what an earlier one could not
establish says so and counts as failed. A failed check says which file, what was found and
expected, and what that proves against whom. Where the registry did not sign for these bytes,
nothing in them is held against anybody, except what carries all its signatures within itself.

Spec: docs/3-protocol.md §16.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from safeconduct.parties.auditor import (
    credits,
    finding,
    gates,
    listings,
    provenance,
    substance,
)
from safeconduct.parties.auditor.course import Course
from safeconduct.parties.auditor.finding import (
    Audit,
    Findings,
    Result,
    collect,
    without_accusation,
)
from safeconduct.parties.auditor.folder import MANIFEST, SUMS, Folder
from safeconduct.parties.auditor.ground import Ground
from safeconduct.protocol.decision import Unsealed
from safeconduct.protocol.tlog.policy import Policy


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
    "credits": Check(
        title="each credit was used once, and no more were used than were given",
        find=credits.find_credits,
        file="redemptions",
        proves=finding.REDEMPTION_FAULTY,
    ),
    "gates": Check(
        title="each date that was marked as passed is marked in both logs, and truly",
        find=gates.find_gates,
        file="gazette/checkpoint",
        proves=finding.GATE_FAULTY,
    ),
    "listings": Check(
        title="each listed person was heard as the law says before they were listed",
        find=listings.find_listings,
        file="listings",
        proves=listings.LISTED_UNHEARD,
    ),
}
"""The checks by name, in the order of their numbers, which count from 1."""


def audit(
    folder: Folder,
    policy: Policy,
    course: Course | None = None,
    unsealed: Mapping[bytes, Unsealed] = MappingProxyType({}),
) -> Audit:
    """The outcome of all checks over `folder`; `course` tells of it and resumes earlier ones.

    `unsealed` are unsealings of decisions on sealed evidence, by the SHA-256 of their objects.

    Raises:
        UnavailableError: there is no such folder, or it cannot be listed.
    """
    next(folder.walk(), None)
    course = course or Course()
    ground = Ground(folder, policy, course, unsealed)
    results: list[Result] = []
    for number, (name, check) in enumerate(CHECKS.items(), start=1):
        course.progress.begin(name)
        result = collect(
            check.find(ground),
            number=number,
            name=name,
            title=check.title,
            file=check.file,
            proves=check.proves,
        )
        course.progress.end()
        ground.held[name] = result.holds
        results.append(result)
    signed = ground.is_signed()
    if not signed:
        results = [_accusing_nobody(result) for result in results]
    return Audit(signed=signed, results=tuple(results))


def _accusing_nobody(result: Result) -> Result:
    return replace(result, failures=tuple(map(without_accusation, result.failures)))
