"""The public register as a value: publications, the objects they name, the laws they rest on.

Everything here is folded from the Gazette; the registry's own database only holds the objects
whose hashes stand there.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from safeconduct.errors import SafeconductError
from safeconduct.parties.registry.receive import Registry
from safeconduct.plumbing.logs import GazetteView
from safeconduct.protocol.canonical import Json, parse_json
from safeconduct.protocol.decision import OBJECT_BYTES_MAX
from safeconduct.protocol.gazette import StatuteVersion
from safeconduct.protocol.listing import check_end, check_listing
from safeconduct.protocol.record import Record
from safeconduct.protocol.statute.load import load_statute
from safeconduct.protocol.statute.text import Statute

BOOK_SECONDS = 4  # how old a reading of the Gazette may be


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """One published version of the statute, read; `index` is its place in the Gazette."""

    number: int
    index: int
    statute: Statute


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One publication and the object it names; `fault` says why that cannot be shown."""

    record: Record
    law: Law
    type: str = ""  # "listing", "listing-end" or "decision"
    name: str = ""  # of the person, in a listing
    rests_on: str = ""  # the ground of a listing, the sections of a decision
    value: Mapping[str, Json]
    data: bytes = b""
    fault: str = ""

    @property
    def subject(self) -> str:
        """The register number it is about."""
        return self.record.word("subject")

    @property
    def standing(self) -> str:
        """The standing it gives, in words."""
        return self.record.word("standing").replace("_", " ")

    @property
    def favours(self) -> bool:
        """Whether the law calls this standing one for the person."""
        standing = self.record.word("standing")
        outcomes = (*self.law.statute.outcomes, self.law.statute.default)
        return any(one.value == standing and one.favours == "person" for one in outcomes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """The register as one reading of the Gazette has it."""

    view: GazetteView
    laws: tuple[Law, ...]
    entries: tuple[Entry, ...]
    is_whole: bool  # whether every publication can be shown
    _about: Mapping[str, tuple[Entry, ...]]  # by subject, sorted by it; the oldest first
    _decisions: Mapping[bytes, Entry]

    def subjects(self) -> Sequence[str]:
        """Every register number that something was published about, sorted."""
        return tuple(self._about)

    def about(self, subject: str) -> list[Entry]:
        """All publications about one subject, the newest first; perhaps none."""
        return list(reversed(self._about.get(subject, ())))

    def decision(self, sha256: bytes) -> Entry | None:
        """The publication of the decision with this hash, if there is one."""
        return self._decisions.get(sha256)

    def of(self, subjects: Iterable[str]) -> "Book":
        """The same reading of the Gazette, with the publications about these subjects only."""
        kept = [entry for each in subjects for entry in self._about.get(each, ())]
        return bind(self.view, self.laws, tuple(kept))


def bind(view: GazetteView, laws: tuple[Law, ...], entries: tuple[Entry, ...]) -> Book:
    """The book of these entries, with what every page asks for worked out once."""
    about: dict[str, list[Entry]] = {}
    for entry in entries:
        about.setdefault(entry.subject, []).append(entry)
    return Book(
        view=view,
        laws=laws,
        entries=entries,
        is_whole=not any(entry.fault for entry in entries),
        _about={subject: tuple(about[subject]) for subject in sorted(about)},
        _decisions={
            entry.record.hash("object"): entry for entry in entries if entry.type == "decision"
        },
    )


class Reader:
    """The register as its pages read it: the Gazette is asked again after a few seconds."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._lock = threading.Lock()
        self._held: tuple[int, Book] | None = None

    def book(self) -> Book:
        """The register as it stands now, or stood a few seconds ago.

        Raises:
            UnverifiedError, UnavailableError: the Gazette cannot be read or proven.
        """
        with self._lock:
            now = self.registry.seconds()
            if self._held is None or not 0 <= now - self._held[0] < BOOK_SECONDS:
                before = self._held[1] if self._held is not None else None
                self._held = now, read_book(self.registry, before)
            return self._held[1]


def read_book(registry: Registry, before: Book | None = None) -> Book:
    """The register now; what `before` holds already is not read again."""
    view = registry.gazette(before.view if before is not None else None)
    tree = view.cosigned.checkpoint.tree
    if before is not None and before.is_whole and before.view.cosigned.checkpoint.tree == tree:
        return replace(before, view=view)
    laws = _read_laws(view.state.statutes, before.laws if before else ())
    by_hash = {law.statute.sha256: law for law in laws}
    known = [entry for entry in before.entries if not entry.fault] if before else []
    held = {entry.record.number("number"): entry for entry in known}
    entries: list[Entry] = []
    for record in view.state.publications:
        entry = held.get(record.number("number"))
        if entry is None or entry.record != record:
            entry = _read_entry(registry, record, by_hash[record.hash("statute")])
        entries.append(entry)
    return bind(view, laws, tuple(entries))


def _read_laws(versions: Iterable[StatuteVersion], held: Iterable[Law]) -> tuple[Law, ...]:
    known = {law.statute.sha256: law for law in held}
    return tuple(
        known.get(version.sha256)
        or Law(number=version.number, index=version.index, statute=load_statute(version.law))
        for version in versions
    )


def _read_entry(registry: Registry, record: Record, law: Law) -> Entry:
    try:
        data = registry.store.object(record.hash("object"))
        value = parse_json(data, "published object", bytes_max=OBJECT_BYTES_MAX)
        assert isinstance(value, dict)  # nothing else is ever kept
        if value["type"] == "listing":
            return _read_listing(record, law, data)
        if value["type"] == "listing-end":
            return _read_end(record, law, data)
    except SafeconductError as error:
        return Entry(record=record, law=law, value={}, fault=error.message)
    judgement = value["judgement"]
    assert isinstance(judgement, dict)
    sections = judgement["sections"]
    assert isinstance(sections, list)
    rests_on = "§ " + ", ".join(str(section) for section in sections)
    return Entry(
        record=record, law=law, type="decision", rests_on=rests_on, value=value, data=data
    )


def _read_end(record: Record, law: Law, data: bytes) -> Entry:
    value = check_end(data, record.word("subject"), record.word("standing"))
    reasons = str(value["reasons"])
    return Entry(
        record=record, law=law, type="listing-end", rests_on=reasons, value=value, data=data
    )


def _read_listing(record: Record, law: Law, data: bytes) -> Entry:
    value = check_listing(data, record)
    assessment = value["assessment"]
    assert isinstance(assessment, dict)
    return Entry(
        record=record,
        law=law,
        type="listing",
        name=str(value["name"]),
        rests_on=str(assessment["ground"]),
        value=value,
        data=data,
    )
