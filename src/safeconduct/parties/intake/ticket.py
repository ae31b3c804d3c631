"""Tickets: what a visitor's browser carries from page to page, so that nobody else keeps it.

There are no cookies and no sessions. What the next step has to know stands in a hidden field
of the page, boxed under a key that this process made when it started and never writes down:

    base64( box( canonical JSON ) )      opened, place, kept, asked, words, spool

The server can read it for as long as the visitor sends it back, and at most half an hour long;
a restart makes all tickets void, and with them whatever lies in spools under their keys.

Spec: docs/3-protocol.md §14.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from safeconduct.errors import MalformedError, RefusedError, UnverifiedError
from safeconduct.plumbing import clock, dice
from safeconduct.protocol.box import KEY_BYTES, NONCE_BYTES, open_box, seal_box
from safeconduct.protocol.canonical import (
    format_base64,
    format_json,
    parse_base64,
    parse_json,
)

TICKET_SECONDS = 1_800
TICKET_CHARS_MAX = 4_096
_PURPOSE = "door-ticket"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """How far a visitor has come; `renewed` ones keep what they are not given.

    `opened_at` (on the clock of `Tickets`) is when the form was opened, `place` the place in
    the queue that is held since. `entropy` are the words, empty before there are any; `kept`
    is false for a visitor who keeps nothing; `asked` are the places (from 1) of the words to
    confirm, empty once they are confirmed. `spool` and `spool_key` name and open what was
    handed in so far.
    """

    opened_at: int
    place: int = 0
    entropy: bytes = field(default=b"", repr=False)
    kept: bool = True
    asked: tuple[int, ...] = ()
    spool: bytes = b""
    spool_key: bytes = field(default=b"", repr=False)

    @property
    def confirmed(self) -> bool:
        """Whether words stand here that the visitor has shown to hold, or wants to forget."""
        return bool(self.entropy) and not self.asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Tickets:
    """The one process that seals and opens tickets.

    `seconds` measures how long ago a form was opened, and no date: by a clock that goes on
    evenly, so that a machine's clock that is set voids nobody's form.
    """

    key: bytes = field(default_factory=lambda: dice.random_bytes(KEY_BYTES), repr=False)
    seconds: Callable[[], int] = clock.steady_seconds
    random_bytes: Callable[[int], bytes] = dice.random_bytes

    def seal(self, ticket: Ticket) -> str:
        """The text for the hidden field."""
        plain = format_json(
            {
                "opened": ticket.opened_at,
                "place": ticket.place,
                "words": ticket.entropy.hex(),
                "kept": ticket.kept,
                "asked": list(ticket.asked),
                "spool": ticket.spool.hex(),
                "spool_key": ticket.spool_key.hex(),
            }
        )
        nonce = self.random_bytes(NONCE_BYTES)
        return format_base64(seal_box(self.key, _PURPOSE, plain, nonce))

    def open(self, text: str) -> Ticket:
        """The ticket that came back in a form.

        Raises:
            RefusedError: sealed by another process, changed, or older than half an hour.
        """
        try:
            if len(text) > TICKET_CHARS_MAX:
                raise MalformedError("ticket: too long")
            plain = open_box(self.key, _PURPOSE, parse_base64(text.strip(), "ticket"))
        except (MalformedError, UnverifiedError) as error:
            raise _void() from error
        ticket = _parse(plain)
        if not 0 <= self.seconds() - ticket.opened_at <= TICKET_SECONDS:
            raise _void()
        return ticket


def _parse(plain: bytes) -> Ticket:
    value: Any = parse_json(plain, "ticket")  # only we can have written it
    return Ticket(
        opened_at=value["opened"],
        place=value["place"],
        entropy=bytes.fromhex(value["words"]),
        kept=value["kept"],
        asked=tuple(value["asked"]),
        spool=bytes.fromhex(value["spool"]),
        spool_key=bytes.fromhex(value["spool_key"]),
    )


def _void() -> RefusedError:
    return RefusedError(
        "this page is too old, or was opened before the door started anew",
        hint="start again: nothing was sent from it",
    )
