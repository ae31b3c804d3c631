"""Logs: whether a copy is whole, and is the tree that its log signed and the quorum cosigned.

In a published folder this is the third and the fourth check. A log's copy may also stand alone:
a mirror's, or what a log itself serves. Nobody has then signed for the copy but the log and the
witnesses, so a copy that differs from their tree speaks against nobody.

Spec: c2sp.org/tlog-tiles, c2sp.org/tlog-policy; docs/3-protocol.md §16.
"""

from dataclasses import dataclass
from functools import partial

from safeconduct.errors import SafeconductError, UnavailableError
from safeconduct.parties.auditor import finding
from safeconduct.parties.auditor.course import Course, Leg
from safeconduct.parties.auditor.finding import (
    Failed,
    Findings,
    Passed,
    Result,
    collect,
    failed_by,
    show_instant,
)
from safeconduct.parties.auditor.folder import Folder
from safeconduct.parties.auditor.recompute import (
    Later,
    count_files,
    find_faults,
    find_strangers,
    find_strays,
)
from safeconduct.parties.auditor.tree import (
    LEDGER_ENTRY_BYTES,
    LogCopy,
    read_copy,
    verify_checkpoint,
)
from safeconduct.protocol.tlog.policy import Cosigned, Policy

ENTRY_BYTES = {"gazette": None, "ledger": LEDGER_ENTRY_BYTES}
"""The one size in bytes that all entries of a published log must have, if there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where a copy lies, and so what its faults prove and which files may lie beside it.

    `whole` are the copies whose entries are read again for what they say: of these, an earlier
    audit's word is not enough, since the files may have changed since.
    """

    unsigned: str
    differs: str
    alone: bool
    whole: frozenset[str] = frozenset()


PUBLISHED = Setting(
    unsigned=finding.NO_QUORUM,
    differs=finding.TREE_DIFFERS,
    alone=False,
    whole=frozenset({"gazette"}),
)
ALONE = Setting(unsigned=finding.COPY_UNSIGNED, differs=finding.COPY_DIFFERS, alone=True)


def find_log(copy: LogCopy, policy: Policy, course: Course, setting: Setting) -> Findings:
    """Whether every file of a copy is what its entries make it, under a cosigned root hash."""
    try:
        cosigned = verify_checkpoint(copy, policy, strangers=setting.alone)
    except SafeconductError as error:
        due = "signed by the log, cosigned by the policy's quorum, and by nobody else"
        yield failed_by(error, copy.path("checkpoint"), due, setting.unsigned)
        cosigned = None
    later = Later()
    strays = find_strangers(copy, later) if setting.alone else find_strays(copy, later)
    for fault in strays:
        yield _failed(fault.file, fault.found, fault.expected, setting)
    leg = course.enter(
        copy,
        entry_bytes=ENTRY_BYTES.get(copy.name),
        vouched=cosigned is not None,
        whole=copy.name in setting.whole,
    )
    watch = partial(course.watch, leg)
    for fault in find_faults(copy, entry_bytes=leg.entry_bytes, rows=leg.rows, watch=watch):
        leg.failed = True
        yield _failed(fault.file, fault.found, fault.expected, setting)
    if leg.earlier is not None and later.own != (due_count := count_files(copy.tree.size)):
        # Files that are not read again could be gone without anybody noticing.
        leg.failed = True
        found = f"{later.own} tiles and bundles of its tree"
        yield _failed(copy.path("tile"), found, f"{due_count} of them", setting)
    proof = course.leave(leg, policy)
    if proof is not None:
        yield Failed(
            file=copy.path("checkpoint"),
            found=f"another tree than the one audited before: {leg.misfit}",
            expected=f"a tree that the earlier one begins; {proof}",
            proves=finding.FORKED,
            stands_alone=True,
        )
    if cosigned is not None:
        yield Passed(
            computed_from=_computed_from(leg, cosigned, later.files),
            earlier=leg.earlier.edge.size if leg.earlier else 0,
        )


def audit_logs(folder: Folder, policy: Policy, course: Course | None = None) -> list[Result]:
    """The outcome for each log's copy in `folder`, and for nothing else that lies there.

    The folder is one log's copy itself, or it holds two, called gazette and ledger.

    Raises:
        UnavailableError: there is no copy of a log.
    """
    names = [""] if folder.holds("checkpoint") else list(ENTRY_BYTES)
    if not any(folder.holds(f"{name}/checkpoint" if name else "checkpoint") for name in names):
        raise UnavailableError(
            f"{folder.root}: no log's copy",
            hint="give a folder with checkpoint and tile/, or one with gazette/ and ledger/",
        )
    course = course or Course()
    return [
        _audit_log(number, folder, name, policy, course) for number, name in enumerate(names, 1)
    ]


def _audit_log(
    number: int, folder: Folder, name: str, policy: Policy, course: Course
) -> Result:
    def find() -> Findings:
        yield from find_log(read_copy(folder, name), policy, course, ALONE)

    result = collect(
        find(),
        number=number,
        name=name or "log",
        title=f"{name or 'the copy'} is the tree that log and witnesses signed",
        file=f"{name}/checkpoint" if name else "checkpoint",
        proves=finding.COPY_UNSIGNED,
    )
    course.progress.end()
    return result


def _failed(file: str, found: str, expected: str, setting: Setting) -> Failed:
    return Failed(
        file=file,
        found=found.removeprefix(f"{file}: "),
        expected=expected,
        proves=setting.differs,
    )


def _computed_from(leg: Leg, cosigned: Cosigned, later: int) -> str:
    copy = leg.copy
    names = ", ".join(name for name, _ in cosigned.cosignatures)
    return (
        f"{copy.origin}: {copy.tree.size} entries, {_how(leg)} "
        f"up to root hash {copy.tree.root_hash.hex()}, cosigned by {names}, "
        f"logged by {show_instant(cosigned.logged_by)}"
        + (f"; files of later trees, not looked at: {later}" if later else "")
    )


def _how(leg: Leg) -> str:
    if leg.earlier is None:
        begun = f" (from entry 0, because {leg.misfit})" if leg.misfit else ""
        return f"all tiles computed again{begun}"
    place = leg.earlier
    return (
        f"the first {place.edge.size} of them computed by earlier audits between "
        f"{show_instant(place.first_at)} and {show_instant(place.last_at)}, whose place these "
        f"tiles lead to, the other {leg.copy.tree.size - place.edge.size} now,"
    )
