"""An envelope that was sealed elsewhere, handed in with a browser: one file, and no words.

    GET  /{language}/sealed    what to bring
    POST /{language}/sealed    multipart: one parcel (`safeconduct source prepare --file`)

    head ──▶ capsule shelved ──▶ record committed ┄┄┄┄┄┄┄┄┄┄┄┄┄┄▶ dated ─┐
    payload ──▶ the disk, hashed on the way ──▶ synced ──▶ signed for ──▶ entered ──▶ receipt

The record is dated while the payload still comes in: an upload that takes until after a date of
the law keeps the date on which it began.

Spec: docs/3-protocol.md §13.
"""

import asyncio
from concurrent.futures import Future

from safeconduct.errors import (
    MalformedError,
    RefusedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.intake import sending
from safeconduct.parties.intake.accept import Intake, check_dated, signed_delivery
from safeconduct.parties.intake.frame import Problem, page, routes_of, speaks
from safeconduct.parties.intake.sealing import receipt_of
from safeconduct.parties.intake.store import DISK_RESERVE_BYTES, Announced
from safeconduct.parties.intake.tell import Told
from safeconduct.parties.intake.ticket import Ticket
from safeconduct.plumbing import web
from safeconduct.plumbing.blobs import Incoming
from safeconduct.plumbing.forms import Form, stream_form
from safeconduct.plumbing.hashing import Sha256Behind
from safeconduct.protocol.parcel import ParcelHead, parse_head
from safeconduct.protocol.record import parse_record, record_hash

FIELDS_BYTES_MAX = 4_096
COUNTED = "delivered-source"


def routes(intake: Intake) -> list[web.Route]:
    """The form and where it is sent."""
    return [
        *routes_of(intake, "GET", {"/sealed": form}),
        *routes_of(intake, "POST", {"/sealed": hand_in}),
    ]


def form(intake: Intake, request: web.Request, language: str) -> web.Response:
    """What to bring, and the box for it."""
    return _form(intake, language, None, 200)


def _form(intake: Intake, language: str, problem: Problem | None, status: int) -> web.Response:
    here = "/sealed"
    return page(
        intake, language, "sealed.html", here, status=status, switch=True, problem=problem
    )


class _Parcel:
    """A parcel on its way in. Its methods run in a worker thread, one at a time."""

    def __init__(self, intake: Intake, loop: asyncio.AbstractEventLoop, flow: str) -> None:
        self._intake, self._loop, self._flow = intake, loop, flow
        self._start = bytearray()
        self._digest, self._size = Sha256Behind(), 0
        self.head: ParcelHead | None = None
        self.proof: Future[bytes] | None = None
        self.payload: Incoming | None = None
        self.ended = False

    def write(self, piece: bytes) -> None:
        """Take more of the file; once its head is there, it is on its way to the log."""
        if self.head is not None:
            self._take(self.head, piece)
            return
        self._start += piece
        parsed = parse_head(bytes(self._start))
        if parsed is not None:
            self.head, end = parsed
            self._begin(self.head)
            self._take(self.head, bytes(self._start[end:]))
            self._start.clear()

    def end(self) -> None:
        """All of it is there, and on the medium.

        Raises:
            MalformedError: it was cut short.
            UnverifiedError: the payload is another than the record commits to.
        """
        if self.head is None or self._size != self.head.payload_bytes:
            raise MalformedError("this file was cut short", hint="copy it again, whole")
        committed = parse_record(self.head.record).hash("payload")
        if self._digest.digest() != committed:
            raise UnverifiedError("this file was damaged", hint="copy it again")
        if self.payload is not None:
            self.payload.sync()
        self.ended = True

    def abort(self) -> None:
        """Leave no payload behind."""
        if self.payload is not None:
            self.payload.abort()

    def _begin(self, head: ParcelHead) -> None:
        """Shelve the capsule, have the record dated, and make room for the payload."""
        store = self._intake.store
        if parse_record(head.record).hash("programme") != self._intake.programme.hash:
            raise UnverifiedError("sealed for another programme")
        held = store.versions(head.slot)
        if held and head.capsule not in held:
            raise RefusedError("these words have used this contribution's number before")
        if not held:
            store.shelve(head.slot, head.capsule)
        dating = self._intake.commits.commit(record_hash(head.record), flow=self._flow)
        self.proof = asyncio.run_coroutine_threadsafe(dating, self._loop)
        try:
            store.payloads.check_room(head.payload_bytes, DISK_RESERVE_BYTES)
            self.payload = store.payloads.incoming()
        except UnavailableError:
            self.payload = None  # dated all the same

    def _take(self, head: ParcelHead, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > head.payload_bytes:
            raise MalformedError("this file is longer than it says")
        self._digest.update(piece)
        try:
            if self.payload is not None:
                self.payload.write(piece)
        except UnavailableError:
            self.abort()
            self.payload = None


async def hand_in(intake: Intake, request: web.Request, language: str) -> web.Response:
    """Take a parcel in; the answer is the receipt."""
    parcels: list[_Parcel] = []
    flow, loop = web.flow_of(request), asyncio.get_running_loop()

    def sink(_: Form, name: str) -> _Parcel:
        if parcels:
            raise MalformedError("one file at a time")
        parcels.append(_Parcel(intake, loop, flow))
        return parcels[0]

    try:
        await stream_form(request, sink, fields_bytes_max=FIELDS_BYTES_MAX)
        if not parcels:
            raise MalformedError("no file was chosen")
        told = await _finish(intake, parcels[0], flow)
    except SafeconductError as error:
        problem = _problem(error, parcels, language)
        return await web.in_thread(_form, intake, language, problem, error.http_status)
    finally:
        for parcel in parcels:
            await web.in_thread(parcel.abort)
    ticket = Ticket(opened_at=intake.tickets.seconds())
    return await web.in_thread(sending.told_page, intake, language, ticket, told)


async def _finish(intake: Intake, parcel: _Parcel, flow: str) -> Told:
    head = parcel.head
    assert head is not None  # else the end of the file would have been refused
    assert parcel.proof is not None
    proof = await asyncio.wrap_future(parcel.proof)
    digest = record_hash(head.record)
    until = await web.in_thread(_until, intake, head, proof)
    delivered = intake.store.delivered(digest) is not None
    if parcel.payload is not None and not delivered:
        delivery = signed_delivery(intake, digest, head.header)
        delivery_proof = await intake.commits.commit(record_hash(delivery), flow=flow)
        announced = Announced(record=head.record, proof=proof, header=head.header)
        await web.in_thread(
            _enter, intake, parcel.payload, announced, until, (delivery, delivery_proof)
        )
        delivered = True
    _check_header(intake, digest, head)
    receipt = receipt_of(intake, head.record, proof)
    return Told(record=head.record, proof=proof, receipt=receipt, delivered=delivered)


def _check_header(intake: Intake, digest: bytes, head: ParcelHead) -> None:
    """Whoever had a copy of the file may have come first, with a header the desk cannot open.

    Raises:
        RefusedError: what is held has another header than the file.
    """
    held = intake.store.delivered(digest)
    if held is not None and held.header != head.header:
        raise RefusedError("it was handed in before, in another envelope")


def _until(intake: Intake, head: ParcelHead, proof: bytes) -> int:
    receipt = receipt_of(intake, head.record, proof)
    return check_dated(intake, receipt.record, receipt.logged_by)


def _enter(
    intake: Intake,
    payload: Incoming,
    announced: Announced,
    until: int,
    delivery: tuple[bytes, bytes],
) -> None:
    digest = record_hash(announced.record)
    with intake.store.payloads.turn(digest):
        intake.store.payloads.keep_incoming(digest, payload)
        intake.store.take_in(announced, until, *delivery)
    intake.days.count(COUNTED, intake.seconds())


def _problem(error: SafeconductError, parcels: list[_Parcel], language: str) -> Problem:
    """What is told of a file that was not taken, by how far it came."""
    _ = speaks(language)
    if isinstance(error, UnavailableError):
        return Problem(
            message=_("Part of this service does not answer now."),
            hint=_(
                "Hand in the same file again in a minute. A date that was fixed already counts."
            ),
            field="file",
            later=True,
        )
    if not parcels:
        return Problem(
            message=_("No file was chosen."),
            hint=_("Choose the sealed envelope and hand it in."),
            field="file",
        )
    if parcels[0].head is None:
        return Problem(
            message=_("This file is not a sealed envelope made by the program."),
            hint=_("Choose the file that “source prepare --file” wrote."),
            field="file",
            detail=error.message,
        )
    if isinstance(error, RefusedError):
        return Problem(
            message=_("This envelope cannot be taken."),
            hint=_("Seal it anew with the program: its number was used, or its time is over."),
            field="file",
            detail=error.message,
        )
    return Problem(
        message=_("This file did not arrive as it was sealed."),
        hint=_(
            "Hand it in again. If that does not help, copy it again from where it was made."
        ),
        field="file",
        detail=error.message,
    )
