"""Listings: whether each listed person was heard as the law says, and each end is one.

Notice, reply, decision and appeal are computed again from what the listing shows, and looked up
in the Ledger copy: notice first, then the time for a reply, then the board's signatures and
votes, then the time for an appeal, and the panel's votes. Dissent is told, and so is a decision
without recorded votes, and a listing under a law that gives no hearing.

Spec: docs/3-protocol.md §16.1.
"""

import hashlib
from collections.abc import Sequence
from functools import partial

from safeconduct.errors import SafeconductError, UnverifiedError
from safeconduct.parties.auditor.finding import (
    Failed,
    Findings,
    Passed,
    attempt,
    failed_by,
)
from safeconduct.parties.auditor.ground import Ground
from safeconduct.parties.auditor.tree import check_stands
from safeconduct.protocol.listing import (
    END_CAUSES,
    OBJECT_BYTES_MAX,
    REGISTERED,
    check_end,
    check_listing,
)
from safeconduct.protocol.listing.hearing import Heard, recheck_listing
from safeconduct.protocol.record import Record
from safeconduct.protocol.votes import Tally

LISTED_UNHEARD = (
    "The board entered somebody without the hearing that its own law gives them: keep this "
    "folder, it is evidence against those who signed the listing."
)
END_FAULTY = (
    "The board ended a listing in a way that nothing here bears out: keep this folder, it is "
    "evidence against the board."
)


def find_listings(ground: Ground) -> Findings:
    """Whether each listing shows the hearing that its law gives, and each end ends one."""
    publications = ground.state.publications
    heard: list[Heard] = []
    unheard = ended = 0
    for count, publication in enumerate(publications, start=1):
        ground.course.progress.tick(count, len(publications), "publications")
        standing = publication.word("standing")
        name = f"listings/{publication.hash('object').hex()}.json"
        if not ground.folder.holds(name):
            continue  # a decision, or missing: other checks say so
        if standing == REGISTERED:
            if not _is_listing(ground, name, publication):
                continue
            try:
                found = _recheck(ground, name, publication)
            except SafeconductError as error:
                due = f"the hearing that the law gives {publication.word('subject')}"
                yield failed_by(error, name, due, LISTED_UNHEARD)
                continue
            yield from _find_logged(ground, name, found)
            if found is None:
                unheard += 1
                continue
            heard.append(found)
            yield from _tell(found)
        elif standing in END_CAUSES:
            yield from _find_end(ground, name, publication)
            ended += 1
    yield Passed(
        computed_from=f"listings whose hearing was computed again: {len(heard)}; "
        f"{_counted(heard)}under a law that gives none: {unheard}; ended: {ended}; "
        "the Gazette and the Ledger copy"
    )


def _counted(heard: Sequence[Heard]) -> str:
    """How many decisions have votes that were counted, and how many have none."""
    if not heard:
        return ""
    voted = sum(one.first.tally is not None for one in heard)
    said = f"votes counted: {voted}, not recorded: {len(heard) - voted}; "
    appeals = sum(one.appeal is not None for one in heard)
    return said + (f"votes of an appeal panel counted: {appeals}; " if appeals else "")


def _tell(found: Heard) -> Findings:
    """Who was against listing somebody, and who kept out of it."""
    decided = {"the board": found.first, "the appeal panel": found.appeal}
    for whose, one in decided.items():
        if one is not None and one.tally is not None:
            yield from _dissent(found.subject, whose, one.tally)


def _dissent(subject: str, whose: str, tally: Tally) -> Findings:
    kept_out = f", kept out by a conflict: {', '.join(tally.conflicted)}"
    if tally.against or tally.conflicted:
        yield Passed(
            computed_from=f"{subject}: votes of {whose} for it {len(tally.in_favour)}, "
            f"against {len(tally.against)}{kept_out if tally.conflicted else ''}"
        )


def _is_listing(ground: Ground, name: str, publication: Record) -> bool:
    """Whether there is a listing to be looked at; if not, the check of the objects says so."""
    try:
        check_listing(_object(ground, name, publication), publication)
    except SafeconductError:
        return False
    return True


def _recheck(ground: Ground, name: str, publication: Record) -> Heard | None:
    data = _object(ground, name, publication)
    return recheck_listing(data, publication, ground.state, ground.policy)


def _object(ground: Ground, name: str, publication: Record) -> bytes:
    data = ground.folder.read(name, bytes_max=OBJECT_BYTES_MAX)
    if hashlib.sha256(data).digest() != publication.hash("object"):
        raise UnverifiedError("not the object that the publication names")
    return data


def _find_logged(ground: Ground, name: str, found: Heard | None) -> Findings:
    if found is None:
        return
    for what, logged, entry in found.logged:
        yield from attempt(
            partial(check_stands, ground.whole_ledger, logged, entry),
            name,
            f"a {what} at its place in the Ledger copy",
            LISTED_UNHEARD,
        )


def _find_end(ground: Ground, name: str, publication: Record) -> Findings:
    subject = publication.word("subject")
    try:
        data = _object(ground, name, publication)
        value = check_end(data, subject, publication.word("standing"))
    except SafeconductError as error:
        yield failed_by(error, name, f"the end of a listing of {subject}", END_FAULTY)
        return
    before = {
        one.hash("object").hex()
        for one in ground.state.publications[: publication.number("number") - 1]
        if (one.word("subject"), one.word("standing")) == (subject, REGISTERED)
    }
    if value["listing"] not in before:
        yield Failed(
            file=name,
            found="the end of a listing that nobody entered",
            expected=f"one that stands in the Gazette before it, of {subject}",
            proves=END_FAULTY,
        )
