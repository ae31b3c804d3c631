"""Unsealing: what opens a published decision on sealed evidence, and who gets it when.

    the claimant   from the decision on       /case/<page>/unsealed.json     it is their own
    a court        whenever it orders so      `register unseal`, 0600        by a clerk's hand
    everybody      from the law's own day on  /decision/<sha256>/unsealed.json

The last day is counted from the law and the facts that were decided on, and read off the
Gazette's cosigned checkpoint: no clerk chooses whose seal is broken, and no clerk's clock does.
Where the law names no day, the evidence stays sealed for everybody but the first two.

Spec: docs/3-protocol.md §15.9.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from safeconduct.errors import RefusedError, SafeconductError
from safeconduct.parties.registry.book import Book, Entry, Reader
from safeconduct.parties.registry.casefile import read_proposed
from safeconduct.parties.registry.frame import hash_in
from safeconduct.parties.registry.joining import leading
from safeconduct.parties.registry.receive import Registry
from safeconduct.plumbing import web
from safeconduct.plumbing.languages import DEFAULT, when
from safeconduct.protocol.canonical import Json, parse_json
from safeconduct.protocol.case import Case
from safeconduct.protocol.decision import (
    OBJECT_BYTES_MAX,
    Unsealed,
    commitments_of,
    format_unsealed,
    make_unsealed,
    opens_at,
    read_law,
)
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.record import Record, parse_signed
from safeconduct.protocol.statute.instant import format_instant
from safeconduct.protocol.statute.wording import speak

JSON_TYPE = "application/json"


def routes(reader: Reader) -> list[web.Route]:
    """One route for the claimant, one for everybody."""
    return [
        web.Route("GET", "/case/{page}/unsealed.json", partial(_for_claimant, reader)),
        web.Route("GET", "/decision/{sha256}/unsealed.json", partial(_for_all, reader)),
    ]


def unseal(registry: Registry, claim: bytes) -> bytes:
    """What opens the published decision in a case: bytes that `audit --unsealed` reads.

    Claims that were decided together have one unsealing, which opens all of them.

    Raises:
        RefusedError: nothing was published in this case, or nothing in it is sealed.
        UnverifiedError: the register no longer holds what was decided on.
    """
    case = registry.store.case(leading(registry, claim))
    sha256 = _published_in(case)
    if sha256 is None:
        raise RefusedError(
            "no decision was published in this case: nothing is sealed",
            hint="what a judge may see of it, safeconduct register show tells",
        )
    value = parse_json(
        registry.store.object(sha256), "decision object", bytes_max=OBJECT_BYTES_MAX
    )
    assert isinstance(value, dict)  # nothing else is ever kept
    if not commitments_of(value):
        raise RefusedError("nothing in this decision is sealed: it shows its evidence itself")
    return format_unsealed(_unsealing(registry, case, sha256, value))


def _published_in(case: Case) -> bytes | None:
    """SHA-256 of the object that was published in a case; None before."""
    if "published" not in case.latest:
        return None
    return parse_signed(case.latest["published"].data, "publication").record.hash("object")


def _unsealing(
    registry: Registry, case: Case, sha256: bytes, value: Mapping[str, Json]
) -> Unsealed:
    on_appeal = value["appeal"] is not None
    first = read_proposed(case).bundles
    bundles = read_proposed(case, "appeal_proposed").bundles if on_appeal else first
    seed = registry.key.seed
    return make_unsealed(value, sha256, bundles, first if on_appeal else (), seed)


def unsealed_by(
    registry: Registry, state: GazetteState, at: int
) -> Iterator[tuple[str, bytes]]:
    """Of each published decision whose day has come at `at` (POSIX seconds): the SHA-256 of its
    object in hex, and what unseals it.

    One that contradicts its law, or whose case is spoilt, stays sealed and holds up no other.
    """
    for publication in state.publications:
        data = _unsealed_by(registry, state, publication, at)
        if data is not None:
            yield publication.hash("object").hex(), data


def _unsealed_by(
    registry: Registry, state: GazetteState, publication: Record, at: int
) -> bytes | None:
    try:
        value = _sealed(registry, publication)
        if value is None:
            return None
        until = opens_at(value, read_law(state, publication.hash("statute")))
        due = until is not None and at >= until
        return unseal(registry, _claim_of(value)) if due else None
    except SafeconductError:
        return None


def _claim_of(value: Mapping[str, Json]) -> bytes:
    """The record hash of the claim that leads in a decision object."""
    signed = str(value["decision"]).encode("utf-8")
    return parse_signed(signed, "decision").record.hash("claim")


def _sealed(registry: Registry, publication: Record) -> dict[str, Json] | None:
    """The object of a publication, if it is a decision on sealed evidence."""
    data = registry.store.object(publication.hash("object"))
    value = parse_json(data, "object", bytes_max=OBJECT_BYTES_MAX)
    assert isinstance(value, dict)  # nothing else is ever kept
    return value if value["type"] == "decision" and commitments_of(value) else None


# The day.


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """The seal on a published decision's evidence.

    `opens_at` in POSIX seconds is None where the law opens it at no time; `is_open` says
    whether that time has come, as the witnesses date the Gazette; `told` is that day in words,
    empty where there is none.
    """

    opens_at: int | None
    is_open: bool
    told: str


def seal_of(book: Book, entry: Entry, language: str = DEFAULT) -> Seal | None:
    """The seal on what a publication shows; None where nothing is sealed.

    A decision that contradicts its own law stays sealed: its page says what is wrong with it.
    """
    if entry.type != "decision":
        return None
    try:
        if not commitments_of(entry.value):
            return None
        until = opens_at(entry.value, entry.law.statute)
    except SafeconductError:
        until = None
    if until is None:
        return Seal(opens_at=None, is_open=False, told="")
    return Seal(
        opens_at=until,
        is_open=book.view.cosigned.vouched_at >= until,
        told=speak(language, "unseal", time=when(until, language)),
    )


def seals_about(book: Book, subject: str, language: str = DEFAULT) -> dict[int, Seal]:
    """The seals on all that was published about a register number, by publication."""
    found = (
        (one.record.number("number"), seal_of(book, one, language))
        for one in book.about(subject)
    )
    return {number: seal for number, seal in found if seal is not None}


def seal_of_case(reader: Reader, page: bytes, language: str = DEFAULT) -> Seal | None:
    """The seal on the decision that was published in a case; None before, or if it is open."""
    registry, book = reader.registry, reader.book()
    lead = leading(registry, registry.store.claim_at(page))
    sha256 = _published_in(registry.store.case(lead))
    entry = book.decision(sha256) if sha256 is not None else None
    return seal_of(book, entry, language) if entry is not None else None


# The routes.


def _for_claimant(reader: Reader, request: web.Request) -> web.Response:
    """The claimant's own: they may hand it to whomever they wish."""
    page = hash_in(request, "page")
    try:
        claim = reader.registry.store.claim_at(page)
        return web.data(unseal(reader.registry, claim), JSON_TYPE)
    except RefusedError as error:
        raise web.missing(error.message, hint=error.hint) from error


def _for_all(reader: Reader, request: web.Request) -> web.Response:
    """What the law lets everybody see by now.

    Raises:
        RefusedError: the day has not come, or there is nothing to open (HTTP 404).
    """
    book, registry = reader.book(), reader.registry
    entry = book.decision(hash_in(request, "sha256"))
    seal = seal_of(book, entry) if entry is not None else None
    if entry is None or seal is None:
        raise web.missing("nothing is sealed at this address")
    if not seal.is_open:
        raise web.missing(
            "what this decision sealed stays sealed",
            hint=f"by its law until {format_instant(seal.opens_at)}"
            if seal.opens_at is not None
            else "its law names no day on which it is opened",
        )
    return web.data(unseal(registry, _claim_of(entry.value)), JSON_TYPE)
