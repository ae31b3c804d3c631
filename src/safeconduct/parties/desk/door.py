"""The door as the desk sees it: four questions, each signed with the statement key.

    POST /desk/deliveries     body: a decimal number N       offers after N, canonical JSON
    POST /desk/payload        body: a record hash, 32 bytes  the payload's bytes
    POST /desk/replies        body: one reply block          200
    POST /desk/withdrawals    body: a decimal number N       withdrawals after N, canonical JSON

A request is signed as a `request` record that names the body's hash; the door checks the signer
against the Gazette. So the door gives ciphertext to nobody else, and learns which desk asked.

Spec: docs/3-protocol.md §13.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from safeconduct.errors import MalformedError
from safeconduct.parties.desk.desk import Desk
from safeconduct.plumbing.fetch import WHOLE_SECONDS, patiently, raise_for
from safeconduct.protocol.canonical import (
    Json,
    format_base64,
    format_json,
    parse_base64,
    parse_json,
)
from safeconduct.protocol.record import make_record, sign_record
from safeconduct.protocol.tlog.note import SigningKey

PATIENCE_SECONDS = 40.0
SLOWEST_BYTES_PER_SECOND = 128 << 10  # a payload may take this long, and five minutes more
OFFERS_MAX = 100
OFFERS_BYTES_MAX = 16 << 20
OFFER_BYTES_MAX = 512 << 10  # two proofs of 64 KiB with room to spare: it may have to be kept
ANSWER_BYTES_MAX = 64 << 10
REQUEST_HEADER = "x-safeconduct-request"
_FIELDS = frozenset({"delivery", "delivery_proof", "header", "number", "proof", "record"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One delivery as the door tells it, nothing of it verified; `data` is that as JSON."""

    place: int
    record: bytes
    proof: bytes
    header: bytes
    delivery: bytes
    delivery_proof: bytes
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """The door, asked by a desk that signs with `key`."""

    desk: Desk
    key: SigningKey

    def offers_after(self, place: int) -> Iterator[Offer]:
        """The deliveries after `place`, in the door's order, however many there are.

        Raises:
            MalformedError: an answer is no list of deliveries, or does not move on.
            UnavailableError: the door stays away.
        """
        while offers := self._offers(place):
            yield from offers
            place = offers[-1].place

    def withdrawals_after(self, place: int) -> list[Json]:
        """The withdrawals after `place`, nothing of them verified; at most 100.

        Raises:
            MalformedError: the answer is no list of as many.
            UnavailableError: the door stays away.
        """
        body = str(place).encode("ascii")
        return self._listed("/desk/withdrawals", "withdrawals", body)

    def payload(self, digest: bytes, size: int) -> Iterator[bytes]:
        """The payload of `size` bytes, unverified, in pieces as they come.

        A door that is away is waited for before the first piece; a break later on ends it.

        Raises:
            MalformedError: it is longer.
            UnavailableError: the door stays away, breaks off, or is far too slow.
        """
        first, rest = patiently(lambda: self._payload(digest, size), seconds=PATIENCE_SECONDS)
        yield first
        yield from rest

    def _payload(self, digest: bytes, size: int) -> tuple[bytes, Iterator[bytes]]:
        url = self.desk.programme.door + "/desk/payload"
        headers = {REQUEST_HEADER: self._signed("payload", digest)}
        seconds = WHOLE_SECONDS + size / SLOWEST_BYTES_PER_SECOND
        pieces = self.desk.stream(url, digest, headers, size, seconds)
        return next(pieces, b""), pieces

    def post_reply(self, block: bytes) -> None:
        """Put a block on the bulletin; the same block again is no error."""
        self._ask("/desk/replies", "replies", block, ANSWER_BYTES_MAX)

    def _offers(self, place: int) -> list[Offer]:
        body = str(place).encode("ascii")
        listed = self._listed("/desk/deliveries", "deliveries", body)
        offers = [parse_offer(format_json(item)) for item in listed]
        if any(len(offer.data) > OFFER_BYTES_MAX for offer in offers):
            raise MalformedError(f"deliveries: one is longer than {OFFER_BYTES_MAX} bytes")
        places = [place, *(offer.place for offer in offers)]
        if any(here >= there for here, there in pairwise(places)):
            raise MalformedError("deliveries: not in order after the number asked for")
        return offers

    def _listed(self, path: str, action: str, body: bytes) -> list[Json]:
        answer = self._ask(path, action, body, OFFERS_BYTES_MAX)
        value = parse_json(answer, action, bytes_max=OFFERS_BYTES_MAX)
        if not isinstance(value, list) or len(value) > OFFERS_MAX:
            raise MalformedError(f"{action}: not a list of at most {OFFERS_MAX}")
        return value

    def _ask(self, path: str, action: str, body: bytes, bytes_max: int) -> bytes:
        url = self.desk.programme.door + path

        def attempt() -> bytes:
            headers = {REQUEST_HEADER: self._signed(action, body)}
            response = self.desk.post(url, body, headers, bytes_max)
            raise_for(response)
            return response.body

        return patiently(attempt, seconds=PATIENCE_SECONDS)

    def _signed(self, action: str, body: bytes) -> str:
        request = make_record(
            "request",
            programme=self.desk.programme.hash,
            action=action,
            body=hashlib.sha256(body).digest(),
            at=self.desk.seconds(),
        )
        return format_base64(sign_record(request, [self.key]))


def parse_offer(data: bytes) -> Offer:
    """The offer in canonical JSON.

    Raises:
        MalformedError: not an object of exactly these fields.
    """
    value = parse_json(data, "delivery", bytes_max=OFFERS_BYTES_MAX)
    if not isinstance(value, dict) or value.keys() != _FIELDS:
        raise MalformedError(f"delivery: needs exactly {', '.join(sorted(_FIELDS))}")
    place = value["number"]
    if not isinstance(place, int) or isinstance(place, bool) or place < 1:
        raise MalformedError("delivery: its number is not positive")
    return Offer(
        place=place,
        record=_text(value, "record"),
        proof=_text(value, "proof"),
        header=parse_base64(_text(value, "header").decode("utf-8"), "delivery: header"),
        delivery=_text(value, "delivery"),
        delivery_proof=_text(value, "delivery_proof"),
        data=data,
    )


def _text(value: dict[str, Json], name: str) -> bytes:
    text = value[name]
    if not isinstance(text, str):
        raise MalformedError(f"delivery: {name} is not text")
    return text.encode("utf-8")
