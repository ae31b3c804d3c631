"""Votes on a listing as a page shows them: who voted how and why, who kept out, who signed.

Spec: docs/3-protocol.md §15.6, §16.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from safeconduct.parties.registry.book import Book
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.record import parse_signed
from safeconduct.protocol.registration import Event
from safeconduct.protocol.votes import Vote, read_votes


@dataclass(frozen=True, slots=True, kw_only=True)
class Voted:
    """One member with a say; `cast` is None for who did not vote."""

    member: str
    cast: Vote | None
    signed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tallies:
    """The votes on a listing, and on an appeal against it; empty where none were recorded."""

    first: tuple[Voted, ...] = ()
    panel: tuple[Voted, ...] = ()


def tallies_about(book: Book, subject: str) -> dict[int, Tallies]:
    """The votes behind each published listing of somebody, by the publication's number."""
    return {
        entry.record.number("number"): _shown(entry.value["hearing"])
        for entry in book.about(subject)
        if entry.type == "listing" and isinstance(entry.value.get("hearing"), dict)
    }


def _shown(hearing: Json) -> Tallies:
    assert isinstance(hearing, dict)
    appeal = hearing["appeal"]
    return Tallies(
        first=_voted(hearing["votes"], hearing["decision"]),
        panel=_voted(appeal["votes"], appeal["decision"]) if isinstance(appeal, dict) else (),
    )


def tallies_of(latest: Mapping[str, Event]) -> Tallies:
    """The votes on a listing so far, by the newest event of each kind."""
    return Tallies(first=_of(latest.get("decided")), panel=_of(latest.get("appeal_decided")))


def _of(event: Event | None) -> tuple[Voted, ...]:
    return () if event is None else _voted(event.table()["votes"], event.word("decision"))


def _voted(document: Json, decision: Json) -> tuple[Voted, ...]:
    if document is None:
        return ()
    ballot = read_votes(document)
    cast = {vote.member: vote for vote in ballot.votes}
    signed = parse_signed(str(decision).encode("utf-8"), "listing-decision").note.signatures
    names = {line.name for line in signed}
    return tuple(
        Voted(member=name, cast=cast.get(name), signed=name in names) for name in ballot.members
    )
