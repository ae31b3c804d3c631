"""Import: what somebody else's list would change here, line by line, before anything does.

Everybody taken over begins as proposed, with whatever the list says of them: to be listed they
need an assessment of their own, and a hearing. Who was listed here before, and is no longer, is
left alone: no other list brings anybody back. One fault anywhere, and nothing is taken over.

Spec: docs/3-protocol.md §16.3.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from safeconduct.errors import ConflictError, SafeconductError
from safeconduct.parties.registry.duties import listings_of
from safeconduct.parties.registry.enlist import law_in_force
from safeconduct.parties.registry.foreign_lists import FAULTS_MAX, Fault, Row, read_rows
from safeconduct.parties.registry.receive import Registry
from safeconduct.parties.registry.registrations import Entry
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.listing import SALT_BYTES
from safeconduct.protocol.listing.dossier import Dossier, check_texts, format_dossier
from safeconduct.protocol.registration import Course, Event, dossier_of, terms_of

_NEW: tuple[int, Course] = (0, Course())
PROPOSER = "taken over from another list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A file that would be entered; `listing` is the one whose file it replaces, 0 if new."""

    line: int
    dossier: Dossier
    listing: int = 0
    before: bytes = b""  # SHA-256 of the file that is replaced


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an import would do, and every fault that keeps it from doing anything."""

    add: tuple[Planned, ...] = ()
    change: tuple[Planned, ...] = ()
    same: tuple[Planned, ...] = ()
    faults: tuple[Fault, ...] = ()


def plan_import(registry: Registry, path: Path, form: str) -> Plan:
    """What taking over the list in `path` would do; nothing is done.

    Raises:
        RefusedError: the law does not say how anybody is listed.
        UnavailableError: the file cannot be read.
    """
    read = read_rows(path, form)
    state = registry.gazette().state
    law = law_in_force(state, registry.seconds())
    held = _held(registry, state)
    effects = terms_of(law).listing.effects
    planned: dict[str, list[Planned]] = {"add": [], "change": [], "same": []}
    for row in read.rows:
        try:
            blank = _blank(registry, row, law.sha256, effects, path.name)
            kind, one = _plan(row, blank, held.get(row.subject, _NEW))
        except SafeconductError as error:
            read.fault(row.line, error.message)
            continue
        planned[kind].append(one)
    return Plan(
        add=tuple(planned["add"]),
        change=tuple(planned["change"]),
        same=tuple(planned["same"]),
        faults=tuple(sorted(read.faults, key=lambda fault: fault.line))[:FAULTS_MAX],
    )


def carry_out(registry: Registry, plan: Plan) -> None:
    """Enter what was planned: the new ones in one transaction, the changed ones in another.

    Done again after a crash, the plan of the same list finds what is missing.

    Raises:
        ConflictError: a listing was begun, changed or told to its person meanwhile.
    """
    at = registry.seconds()
    kept = listings_of(registry)
    kept.enter_all((_first(one, at) for one in plan.add), registry.random_bytes)
    changed = {one.listing: one for one in plan.change}

    def check(number: int, course: Course) -> None:
        now = course.latest["proposed"].data
        before = hashlib.sha256(now).digest()
        if course.state != "proposed" or before != changed[number].before:
            raise ConflictError(
                f"{changed[number].dossier.subject} was changed here since this was planned",
                hint="import the same list again: what is in already stays as it is",
            )

    kept.append_all(((one.listing, _proposed(one, at)) for one in plan.change), check)


def _first(one: Planned, at: int) -> Entry:
    return Entry(dossier=one.dossier, at=at)


def _proposed(one: Planned, at: int) -> Event:
    return Event(kind="proposed", at=at, data=format_dossier(one.dossier))


def _held(registry: Registry, state: GazetteState) -> dict[str, tuple[int, Course] | None]:
    """Of each subject known here the listing that may still change; None if there is none."""
    found: dict[str, tuple[int, Course] | None] = {
        one.word("subject"): None for one in state.publications
    }
    kept = listings_of(registry)
    for number, course in kept.courses():
        subject = dossier_of(course).subject
        found[subject] = (number, course) if course.state == "proposed" else None
    return found


def _blank(
    registry: Registry, row: Row, law: bytes, effects: tuple[str, ...], source: str
) -> Dossier:
    return Dossier(
        subject=row.subject,
        name=row.name,
        statute=law,
        assessment=row.assessment,
        effects=effects,
        salt=registry.random_bytes(SALT_BYTES),
        identity=row.identity,
        evidence=row.evidence,
        proposer=PROPOSER,
        source=source,
        private_salt=registry.random_bytes(SALT_BYTES),
    )


def _plan(row: Row, blank: Dossier, held: tuple[int, Course] | None) -> tuple[str, Planned]:
    """What a row comes to: `held` is the listing it may change, None one that it must not."""
    if held is None:
        return "same", Planned(line=row.line, dossier=blank)
    number, course = held
    if not number:
        check_texts(blank)
        return "add", Planned(line=row.line, dossier=blank)
    before = dossier_of(course)
    # What people here have added to the file stays; only what the list says may change.
    after = replace(
        before,
        name=row.name,
        assessment={**before.assessment, **row.assessment},
        identity=row.identity or before.identity,
        evidence=tuple(dict.fromkeys((*before.evidence, *row.evidence))),
    )
    check_texts(after)
    kind = "same" if after == before else "change"
    replaced = hashlib.sha256(course.latest["proposed"].data).digest()
    return kind, Planned(line=row.line, dossier=after, listing=number, before=replaced)
