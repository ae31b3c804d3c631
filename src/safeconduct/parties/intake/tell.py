"""The form without JavaScript: the door seals for the source, in memory, and forgets.

For that moment the door sees words and text; the record says `sealed-by server`, and the page
says so before anything is typed. Nothing else differs: date, receipt, replies and claims are
those of a tip that was sealed at home.

    spool → measure, seal and hash → payload synced, capsule shelved → both leaves dated
          → payload kept, contribution and delivery entered → capsule with proof → answer

Content is read twice and held never. After a crash at any point the same words and content give
the same record, and go on; until the leaves were sent there is nothing to go on with.

Spec: docs/3-protocol.md §14.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.parties.intake.accept import (
    Intake,
    check_dated,
)
from safeconduct.parties.intake.sealing import (
    Named,
    Sealed,
    begun_before,
    dated_capsule,
    receipt_of,
    seal_next,
    shelve,
)
from safeconduct.parties.intake.spool import FILE, SENT
from safeconduct.parties.intake.store import Announced, Delivered
from safeconduct.parties.intake.ticket import Ticket
from safeconduct.plumbing.web import in_thread
from safeconduct.protocol.canonical import (
    derive_key,
    format_base64,
    format_json,
    parse_json,
    tagged_hash,
)
from safeconduct.protocol.capsule import Capsule
from safeconduct.protocol.keys import ENTROPY_BYTES, master_key
from safeconduct.protocol.notice import deciding_dates
from safeconduct.protocol.receipt import Receipt
from safeconduct.protocol.record import record_hash

SMALL_TIP_BYTES_MAX = 8 << 20  # larger ones wait in a queue of their own to be sealed
COUNTED = "delivered-server"
LAST_HOUR_SECONDS = 3_600  # before a date of the law: the text goes first


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A server-sealed tip that is dated and held; all of it is public data.

    If it was not `delivered`, the disk had no room: it is dated, and the same words and content
    deliver it within the delivery window. `parts` are there if it went in several
    contributions; the fields themselves are then those of the first.
    """

    record: bytes
    proof: bytes
    receipt: Receipt
    delivered: bool = True
    parts: tuple["Told", ...] = ()


# The way of a tip.


async def send_tip(intake: Intake, ticket: Ticket, *, flow: str = "") -> Told:
    """Seal, date and keep what lies in the ticket's spool; it may be repeated at any point.

    One publication of the log dates the tip and the door's word that it holds it. When this
    returns all is on the medium, and the spool holds nothing but the receipt. In the last hour
    before a date of the law the text goes first, dated by itself, before files are sealed.

    Raises:
        MalformedError: nothing was handed in.
        RefusedError: the words are not confirmed, the spool is gone, or no desk key is open.
        UnavailableError: the log or its quorum is away; sending again is safe.
    """
    if not ticket.confirmed:
        raise RefusedError("the twelve words were not confirmed", hint="start again")
    lock = intake.sends.setdefault(ticket.spool, asyncio.Lock())
    async with lock:  # whoever presses the button twice waits, and gets the same answer
        sent = await in_thread(sent_before, intake, ticket)
        return sent or await _send(intake, ticket, flow)


def sent_before(intake: Intake, ticket: Ticket) -> Told | None:
    """What was sent from this spool, if nothing was handed in since.

    Raises:
        RefusedError: the spool is gone.
    """
    spools = intake.spools
    if not ticket.spool:
        return None
    item = spools.item(ticket.spool, ticket.spool_key, SENT)
    if item is None or spools.named(ticket.spool, ticket.spool_key):
        return None
    value: Any = parse_json(spools.read_small(ticket.spool, ticket.spool_key, item), "sent")
    return _joined([_told(intake, record.encode(), proof.encode()) for record, proof in value])


async def _send(intake: Intake, ticket: Ticket, flow: str) -> Told:
    named = await in_thread(_named, intake, ticket)
    sent: list[Told] = []
    # Sendings under the same words go one after the other, and wait for that without a turn:
    # else a small one would keep everybody's turn for as long as a large one takes.
    words = intake.sends.setdefault(tagged_hash("sends", ticket.entropy), asyncio.Lock())
    parts = [named]
    if all(_split(named)):  # the words are stretched for this, which takes a turn
        async with words, intake.sealing.turn(flow=flow, place=ticket.place):
            parts = await in_thread(_parts, intake, ticket, named)
    for items in parts:
        turns = intake.sealing_large if _is_large(items) else intake.sealing
        async with words, turns.turn(flow=flow, place=ticket.place):
            sealed = await in_thread(_sealed, intake, ticket, items)
        if isinstance(sealed, Sealed):
            sent.append(await _date(intake, sealed, flow))
        else:
            sent.append(await in_thread(_told, intake, sealed.record, sealed.proof))
    if all(each.delivered for each in sent):
        await in_thread(_note_sent, intake, ticket, sent)
    return _joined(sent)


def _sealed(intake: Intake, ticket: Ticket, items: Named) -> Sealed | Delivered:
    master = master_key(_entropy(ticket, items), intake.programme.hash)
    return seal_next(intake, ticket, master, items)


def _entropy(ticket: Ticket, items: Named) -> bytes:
    """The words' 16 bytes; for who keeps none, other ones for each content.

    Words that are kept number their contributions. Where nothing is kept there is no count, and
    two contributions under one number would show to everybody that they belong together.
    """
    if ticket.kept:
        return ticket.entropy
    digests = tagged_hash("kept-nothing", *(item.sha256 for _, item in items))
    return derive_key(ticket.entropy, "kept-nothing", digests, ENTROPY_BYTES)


def _joined(sent: list[Told]) -> Told:
    """One receipt page for all parts: dated as the first, delivered if each is."""
    delivered = all(each.delivered for each in sent)
    return replace(sent[0], delivered=delivered, parts=tuple(sent) if len(sent) > 1 else ())


def _note_sent(intake: Intake, ticket: Ticket, sent: list[Told]) -> None:
    """Leave the receipt in the spool, for who asks again, and nothing else."""
    spool, key = ticket.spool, ticket.spool_key
    data = format_json([[each.record.decode(), each.proof.decode()] for each in sent])
    items = intake.spools.named(spool, key)
    intake.spools.put(spool, key, SENT, SENT, data)
    for _, item in items:
        intake.spools.remove(spool, key, item)


def _named(intake: Intake, ticket: Ticket) -> Named:
    named = intake.spools.named(ticket.spool, ticket.spool_key) if ticket.spool else []
    if not named:
        raise _nothing()
    return named


def _split(named: Named) -> list[Named]:
    """Text with answers, and files."""
    text = [each for each in named if each[1].kind != FILE]
    return [text, [each for each in named if each[1].kind == FILE]]


def _parts(intake: Intake, ticket: Ticket, named: Named) -> list[Named]:
    """What goes together; shortly before a date the text does not wait for the files.

    What was begun in one way is gone on with in that way, whatever the hour is now: else the
    same words and content would not give the same records, and would lose the first date.
    """
    whole, text, files = named, *_split(named)
    goes_first = is_last_hour(intake)
    if ticket.kept:
        master = master_key(ticket.entropy, intake.programme.hash)
        begun = begun_before(intake, ticket, master, [whole, text])
        if begun[0] is not None:
            goes_first = False
        elif begun[1] is not None and _went_first(intake, begun[1]):
            goes_first = True
    return [text, files] if goes_first else [whole]


def _went_first(intake: Intake, capsule: Capsule) -> bool:
    """Whether a text that was sent by itself may have had files to follow."""
    if not capsule.proof or intake.store.delivered(record_hash(capsule.record)) is None:
        return True
    return is_last_hour(intake, receipt_of(intake, capsule.record, capsule.proof).logged_by)


def _nothing() -> MalformedError:
    return MalformedError("nothing was written", hint="write something, or add a file")


def is_last_hour(intake: Intake, at: int | None = None) -> bool:
    """Whether a date of the law in force is less than an hour away, now or at `at`."""
    statutes = intake.gazette().state.statutes
    if not statutes:
        return False
    now = intake.seconds() if at is None else at
    dates = deciding_dates(statutes[-1].law)
    return any(0 < date.limit_at - now <= LAST_HOUR_SECONDS for date in dates)


def _is_large(items: Named) -> bool:
    return sum(item.size for _, item in items) > SMALL_TIP_BYTES_MAX


# Dating.


async def _date(intake: Intake, sealed: Sealed, flow: str) -> Told:
    leaves = [record_hash(sealed.record)]
    if sealed.payload is not None:
        leaves.append(record_hash(sealed.delivery))
    try:
        waiting = [intake.commits.commit(leaf, flow=flow) for leaf in leaves]
        proofs = await asyncio.gather(*waiting)
        return await in_thread(_enter, intake, sealed, proofs)
    except BaseException:
        if sealed.payload is not None:
            sealed.payload.abort()
        raise


def _enter(intake: Intake, sealed: Sealed, proofs: Sequence[bytes]) -> Told:
    """Keep and enter what is dated now."""
    receipt = receipt_of(intake, sealed.record, proofs[0])
    if sealed.payload is not None:
        receipt_of(intake, sealed.delivery, proofs[1])
        _take_in(intake, sealed, receipt, proofs)
    if sealed.capsule is not None and (sealed.payload is not None or not sealed.capsule.proof):
        with suppress(RefusedError):  # somebody filled the slot: the capsule is in it already,
            # and the log gives the proof again
            shelve(intake, sealed.keys, dated_capsule(intake, sealed.capsule, proofs[0]))
    return Told(
        record=sealed.record,
        proof=proofs[0],
        receipt=receipt,
        delivered=sealed.payload is not None,
    )


def _take_in(intake: Intake, sealed: Sealed, receipt: Receipt, proofs: Sequence[bytes]) -> None:
    assert sealed.payload is not None
    digest = record_hash(sealed.record)
    until = check_dated(intake, receipt.record, receipt.logged_by)
    announced = Announced(record=sealed.record, proof=proofs[0], header=sealed.header)
    with intake.store.payloads.turn(digest):
        intake.store.payloads.keep_incoming(digest, sealed.payload)
        intake.store.take_in(announced, until, sealed.delivery, proofs[1])
    intake.days.count(COUNTED, intake.seconds())


def _told(intake: Intake, record: bytes, proof: bytes) -> Told:
    return Told(record=record, proof=proof, receipt=receipt_of(intake, record, proof))


def receipt_text(record: bytes, proof: bytes) -> tuple[str, str]:
    """Record and proof as `data:` addresses, which a page without JavaScript can save."""
    return _data_address(record), _data_address(proof)


def _data_address(data: bytes) -> str:
    return f"data:application/octet-stream;base64,{format_base64(data)}"
