"""Feeds: the public register for other programs, as JSON, FollowTheMoney or CSV.

    {"as_of": "2027-06-01T00:00:00Z", "entries": [{…}], "gazette": {"origin": …, "root": …,
     "size": 40}, "programme": "harbour-2027", "type": "safeconduct-register", "version": 1}

A feed says how much of which Gazette it was made from, so that anybody can make it again. Every
listing that was ever published keeps its entry: one that has ended has its end date and cause,
and is never shown as active. Where the law asks for the person's wish and they did not give it,
an ended entry keeps its number and days, and loses the name and everything said of them.

A feed is made piece by piece, an entry at a time: how many people it tells of does not matter.

Spec: docs/3-protocol.md §16.2; FollowTheMoney 4 for the entities.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from safeconduct.parties.registry.book import Book, Entry
from safeconduct.parties.registry.duties import listings_of
from safeconduct.parties.registry.receive import Registry
from safeconduct.protocol.canonical import PREFIX, Json, format_json
from safeconduct.protocol.listing import END_CAUSES, REGISTERED
from safeconduct.protocol.record import parse_signed
from safeconduct.protocol.registration import Event
from safeconduct.protocol.statute.instant import DAY_SECONDS, format_instant, parse_instant

VERSION = 1
EXTENSION = "safeconduct:"
"""What the keys begin with that FollowTheMoney does not know; it carries them as context."""
_PUBLICATION = f"{PREFIX}publication\n".encode("ascii")
# What a spreadsheet would take for a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """One published listing; what it must not show any more is empty."""

    id: str
    subject: str
    name: str
    active: bool
    listed_on: str
    review_on: str
    ends_on: str
    ended_on: str  # empty while it is active
    end_cause: str
    end_reason: str
    assessment: Mapping[str, str]
    effects: tuple[str, ...]
    law_version: int
    law_sha256: str
    law_section: str
    appeal_section: str
    appealed: str  # the ground of an appeal that the panel did not uphold, or empty
    final_at: int
    publication: int
    object: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """The register on one day, from one size of the Gazette; its entries are made when read."""

    programme: str
    origin: str
    root: str
    size: int
    as_of: int
    authority: str
    title: str
    law_id: str
    url: str
    entries: Iterable[FeedEntry]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entries:
    """The entries at `at` that the first `count` publications make, in order of subject."""

    registry: Registry
    book: Book
    at: int
    count: int

    def __iter__(self) -> Iterator[FeedEntry]:
        for subject in self.book.subjects():
            yield from self.about(subject)

    def about(self, subject: str) -> Iterator[FeedEntry]:
        """Those of one subject, the oldest first."""
        about = [
            entry
            for entry in reversed(self.book.about(subject))
            if entry.record.number("number") <= self.count
        ]
        for place, entry in enumerate(about):
            if entry.type == "listing":
                yield _entry(self.registry, entry, about[place + 1 :], self.at)


def read_feed(registry: Registry, book: Book, as_of: int | None = None) -> Feed:
    """The register's feed at `as_of` (POSIX seconds; by default the Gazette's own time)."""
    tree = book.view.cosigned.checkpoint.tree
    at = book.view.cosigned.vouched_at if as_of is None else as_of
    law = book.laws[-1].statute if book.laws else None
    return Feed(
        programme=registry.programme.name,
        origin=registry.programme.gazette_origin,
        root=tree.root_hash.hex(),
        size=tree.size,
        as_of=at,
        authority=law.body if law else "",
        title=_english(law.title) if law else "",
        law_id=law.id if law else "",
        url=registry.programme.register,
        entries=_Entries(registry=registry, book=book, at=at, count=_ALL),
    )


_ALL = (1 << 64) - 1  # publications


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """When and why a listing ended; `rule` says who may still see it."""

    on: str
    cause: str
    rule: str
    reason: str = ""


def _end(entry: Entry, later: Sequence[Entry], at: int) -> _End | None:
    """The end of a listing: by what was published later, or by its own time."""
    for other in later:
        standing = other.record.word("standing")
        on = format_instant(other.record.number("final"))[:10]
        if other.type == "listing-end":
            rule = "with_consent" if standing in _HIDING else entry.law.statute.default.publish
            return _End(
                on=str(other.value["ended_on"]),
                cause=standing,
                rule=rule,
                reason=str(other.value["reasons"]),
            )
        if other.favours:
            # The board may publish it only where the law lets it, or the person asked for it.
            return _End(on=on, cause=standing, rule="always", reason=other.rests_on)
        if standing == REGISTERED:
            default = entry.law.statute.default.publish
            return _End(on=on, cause="replaced", rule=default)
    ends_on = str(entry.value["ends_on"])
    if at >= _day_after(ends_on):
        return _End(on=ends_on, cause="expired", rule=entry.law.statute.default.publish)
    return None


_HIDING = END_CAUSES - {"expired", "replaced"}


def _day_after(day: str) -> int:
    return parse_instant(f"{day}T00:00:00Z", "ends_on") + DAY_SECONDS


def _entry(registry: Registry, entry: Entry, later: Sequence[Entry], at: int) -> FeedEntry:
    end = _end(entry, later, at)
    shown = end is None or end.rule == "always" or _consents(registry, entry, end.rule)
    law, value = entry.law, entry.value
    listing = law.statute.procedure.listing
    number = entry.record.number("number")
    return FeedEntry(
        id=f"{registry.programme.name}-{entry.subject}-{number}",
        subject=entry.subject,
        name=entry.name if shown else "",
        active=end is None,
        listed_on=str(value["listed_on"]),
        review_on=str(value["review_on"]) if end is None else "",
        ends_on=str(value["ends_on"]),
        ended_on=end.on if end else "",
        end_cause=end.cause if end and shown else "",
        end_reason=end.reason if end and shown else "",
        assessment=_texts(value.get("assessment")) if shown else {},
        effects=_words(value.get("effects")) if end is None else (),
        law_version=law.number,
        law_sha256=law.statute.sha256.hex(),
        law_section=listing.section if listing else "",
        appeal_section=law.statute.procedure.appeal_section,
        appealed=_appealed(value) if shown else "",
        final_at=entry.record.number("final"),
        publication=number,
        object=entry.record.hash("object").hex(),
    )


def _consents(registry: Registry, entry: Entry, rule: str) -> bool:
    """Whether the person said that an ended listing may still be seen, where the law asks."""
    wish = _wish(registry, entry.subject) if rule == "with_consent" else None
    return wish is not None and wish.table().get("consent") is True


def _wish(registry: Registry, subject: str) -> Event | None:
    """What the person said last about being seen, if they ever did."""
    kept = listings_of(registry)
    for listed in reversed(kept.about(subject)):
        told = kept.course(listed.number).latest.get("tombstoned")
        if told is not None:
            return told
    return None


def _appealed(value: Mapping[str, Json]) -> str:
    hearing = value.get("hearing")
    appeal = hearing.get("appeal") if isinstance(hearing, dict) else None
    if not isinstance(appeal, dict):
        return ""
    return parse_signed(str(appeal["appeal"]).encode("utf-8")).record.word("ground")


def _texts(value: Json) -> dict[str, str]:
    return {name: str(text) for name, text in value.items()} if isinstance(value, dict) else {}


def _words(value: Json) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _english(words: Mapping[str, str]) -> str:
    return words.get("en") or next(iter(words.values()))


# JSON.


def format_feed(feed: Feed) -> bytes:
    """The whole feed as canonical JSON. Spec: §16.2."""
    return b"".join(json_pieces(feed))


def json_pieces(feed: Feed) -> Iterator[bytes]:
    """The bytes of `format_feed`, piece by piece."""
    # No key before this one holds a text of others, so it is found where it stands.
    head, key, tail = format_json(_head(feed) | {"entries": []}).partition(b'"entries":[')
    yield head + key
    for number, entry in enumerate(feed.entries):
        yield (b"," if number else b"") + format_json(_document(entry))
    yield tail


def _head(feed: Feed) -> dict[str, Json]:
    return {
        "as_of": format_instant(feed.as_of),
        "gazette": {"origin": feed.origin, "root": feed.root, "size": feed.size},
        "programme": feed.programme,
        "type": "safeconduct-register",
        "version": VERSION,
    }


def _document(entry: FeedEntry) -> dict[str, Json]:
    return {
        "appeal": {"filed_on": entry.appealed, "section": entry.appeal_section},
        "assessment": dict(entry.assessment),
        "effects": list(entry.effects),
        "end": {"cause": entry.end_cause, "on": entry.ended_on, "reason": entry.end_reason},
        "ends_on": entry.ends_on,
        "final": format_instant(entry.final_at),
        "id": entry.id,
        "law": {
            "section": entry.law_section,
            "sha256": entry.law_sha256,
            "version": entry.law_version,
        },
        "listed_on": entry.listed_on,
        "name": entry.name,
        "object": entry.object,
        "publication": entry.publication,
        "review_on": entry.review_on,
        "status": "active" if entry.active else "ended",
        "subject": entry.subject,
    }


def format_delta(registry: Registry, book: Book, since: int, held_at: int = 0) -> bytes:
    """What a reader has to change who holds the feed made from the Gazette's first `since`
    entries at `held_at` (POSIX seconds): entries to add, to modify, and ids to delete.

    Without `held_at`, what ended by time alone is told each time, and so is everybody who ever
    said whether they may still be seen.
    """
    feed = read_feed(registry, book)
    size = min(since, feed.size)
    count = sum(entry.startswith(_PUBLICATION) for entry in book.view.entries[:size])
    held = _Entries(registry=registry, book=book, at=held_at, count=count)
    now = _Entries(registry=registry, book=book, at=feed.as_of, count=_ALL)
    add: list[Json] = []
    modify: list[Json] = []
    for subject in book.subjects():
        before = {one.id: one for one in held.about(subject)}
        for one in now.about(subject):
            if one.id not in before:
                add.append(_document(one))
            elif before[one.id] != one or _wished_since(registry, one, held_at):
                modify.append(_document(one))
    return format_json(
        _head(feed)
        | {
            "add": add,
            "delete": [],  # An entry that was ever published keeps its place.
            "modify": modify,
            "since": size,
            "type": "safeconduct-register-delta",
        }
    )


def _wished_since(registry: Registry, entry: FeedEntry, held_at: int) -> bool:
    """Whether a person who is not listed any more has said anew whether they may be seen."""
    wish = None if entry.active else _wish(registry, entry.subject)
    return wish is not None and wish.at >= held_at


# FollowTheMoney.


def format_ftm(feed: Feed) -> bytes:
    """The feed as FollowTheMoney entities, a JSON object a line: persons and their sanctions.

    What FollowTheMoney has no property for stands in keys that begin with `EXTENSION`.
    """
    return b"".join(ftm_pieces(feed))


def ftm_pieces(feed: Feed) -> Iterator[bytes]:
    """The bytes of `format_ftm`, a line at a time: everybody first, then the sanctions."""
    for _, entries in groupby(feed.entries, key=lambda entry: entry.subject):
        yield _line(_shown_person(feed, entries))
    for entry in feed.entries:
        yield _line(_sanction(feed, entry, _ftm_id(feed, entry)))


def _line(entity: dict[str, Any]) -> bytes:
    return f"{json.dumps(entity, ensure_ascii=False, sort_keys=True)}\n".encode()


def _shown_person(feed: Feed, entries: Iterable[FeedEntry]) -> dict[str, Any]:
    """One person as the last of their entries has them that is active or may be named."""
    shown: FeedEntry | None = None
    for entry in entries:
        if shown is None or entry.active or entry.name:
            shown = entry
    assert shown is not None  # who has no entry is not among the entries
    return _person(feed, shown, _ftm_id(feed, shown))


def _ftm_id(feed: Feed, entry: FeedEntry) -> str:
    """The person's id as FollowTheMoney wants ids: letters, digits, dots and dashes.

    What else a register number may hold stands there in capitals, which it has none of; so has
    a sanction's own part, and no sanction takes the id of another person.
    """
    return f"{feed.programme}-{entry.subject.translate(_FTM_LETTERS)}"


_FTM_LETTERS = str.maketrans({"/": "S", "_": "U", ".": "D", "-": "-"})


def _person(feed: Feed, entry: FeedEntry, id_: str) -> dict[str, Any]:
    properties: dict[str, list[str]] = {
        "name": [entry.name or entry.subject],
        "sourceUrl": [f"{feed.url}/person/{entry.subject}"],
    }
    if entry.active:
        properties["topics"] = ["reg.action"]
    return {
        "id": id_,
        "schema": "Person",
        "properties": properties,
        f"{EXTENSION}feed": _provenance(feed),
    }


def _sanction(feed: Feed, entry: FeedEntry, person: str) -> dict[str, Any]:
    properties: dict[str, list[str]] = {
        "entity": [person],
        "authority": [feed.authority],
        "program": [feed.title],
        "programId": [feed.law_id],
        "provisions": [entry.law_section],
        "status": ["active" if entry.active else "ended"],
        "reason": [f"{name}: {text}" for name, text in sorted(entry.assessment.items())],
        "listingDate": [entry.listed_on],
        "startDate": [entry.listed_on],
        "endDate": [entry.ended_on or entry.ends_on],
        "recordId": [entry.id],
        "sourceUrl": [f"{feed.url}/person/{entry.subject}"],
    }
    return {
        "id": f"{person}-P{entry.publication}",
        "schema": "Sanction",
        "properties": {name: values for name, values in properties.items() if any(values)},
        f"{EXTENSION}appeal": {"filed_on": entry.appealed, "section": entry.appeal_section},
        f"{EXTENSION}feed": _provenance(feed),
        f"{EXTENSION}law": {
            "section": entry.law_section,
            "sha256": entry.law_sha256,
            "version": entry.law_version,
        },
        f"{EXTENSION}removal": {
            "cause": entry.end_cause,
            "on": entry.ended_on,
            "reason": entry.end_reason,
        },
    }


def _provenance(feed: Feed) -> dict[str, Json]:
    head = _head(feed)
    return {name: head[name] for name in ("as_of", "gazette", "programme", "version")}


# CSV.

_COLUMNS: dict[str, Callable[[Feed, FeedEntry], str | int]] = {
    "subject": lambda _, entry: entry.subject,
    "name": lambda _, entry: entry.name,
    "status": lambda _, entry: "active" if entry.active else "ended",
    "listed_on": lambda _, entry: entry.listed_on,
    "review_on": lambda _, entry: entry.review_on,
    "ends_on": lambda _, entry: entry.ends_on,
    "ended_on": lambda _, entry: entry.ended_on,
    "end_cause": lambda _, entry: entry.end_cause,
    "end_reason": lambda _, entry: entry.end_reason,
    "ground": lambda _, entry: entry.assessment.get("ground", ""),
    "effects": lambda _, entry: " ".join(entry.effects),
    "law_version": lambda _, entry: entry.law_version,
    "law_sha256": lambda _, entry: entry.law_sha256,
    "law_section": lambda _, entry: entry.law_section,
    "appeal_section": lambda _, entry: entry.appeal_section,
    "appealed": lambda _, entry: entry.appealed,
    "publication": lambda _, entry: entry.publication,
    "object": lambda _, entry: entry.object,
    "feed_version": lambda _, __: VERSION,
    "as_of": lambda feed, _: format_instant(feed.as_of),
    "gazette_size": lambda feed, _: feed.size,
    "gazette_root": lambda feed, _: feed.root,
}


def format_csv(feed: Feed) -> bytes:
    """The feed as CSV in UTF-8, with a line of column names and no cell that can be run."""
    return b"".join(csv_pieces(feed))


def csv_pieces(feed: Feed) -> Iterator[bytes]:
    """The bytes of `format_csv`, a row at a time."""
    yield _row(_COLUMNS)
    for entry in feed.entries:
        yield _row(guarded(str(cell(feed, entry))) for cell in _COLUMNS.values())


def _row(cells: Iterable[str]) -> bytes:
    target = io.StringIO()
    csv.writer(target, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL).writerow(cells)
    return target.getvalue().encode("utf-8")


def guarded(cell: str) -> str:
    """The cell as it is, or behind an apostrophe where a spreadsheet would run it."""
    return f"'{cell}" if cell.lstrip().startswith(_FORMULA) or cell[:1] in _FORMULA else cell
