"""Two programmes of fixed seeds, one source, and what all of them make.

Whatever depends on chance (ML-DSA-65 signatures, headers of the hybrid profile) is kept as the
published files hold it, as long as it is right.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from tests.protocol import builders, credited
from tests.protocol.age.chance import dice
from tests.protocol.builders import DAY, DESK, MEMBERS, NOON, author_seeds

from safeconduct.errors import SafeconductError
from safeconduct.protocol import age, credit
from safeconduct.protocol.blind import format_public_key
from safeconduct.protocol.canonical import format_json
from safeconduct.protocol.dual import open_dual, sign_dual
from safeconduct.protocol.envelope import Envelope, Source, seal_envelope
from safeconduct.protocol.gazette import CreditGroup, GazetteState, address_at, fold_all
from safeconduct.protocol.keys import (
    ContributionKeys,
    contribution_keys,
    master_key,
    programme_hash,
)
from safeconduct.protocol.notice import deciding_dates
from safeconduct.protocol.record import (
    Record,
    Value,
    format_record,
    make_record,
    parse_signed,
    record_hash,
    sign_record,
)
from safeconduct.protocol.tlog.merkle import Frontier, leaf_hash
from safeconduct.protocol.tlog.note import format_note

FOLDER = Path(__file__).parent
LAW = FOLDER / "law.json"
ENTROPY = bytes(range(16))
HYBRID, CLASSIC = "mlkem768x25519", "x25519"
CLOSED = NOON + 6 * DAY
"""When the first desk epoch closes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A programme: its name, which enters every key, and the scheme of its law's credits."""

    name: str
    scheme: str

    @property
    def programme(self) -> bytes:
        return programme_hash(self.name)


PLAIN = World(name="example-acb-2027", scheme="plain")
BLIND = World(name="example-blind-2027", scheme="blind")


@cache
def law(world: World) -> bytes:
    """The law of both programmes, but for the scheme of its credits."""
    value = json.loads(LAW.read_bytes())
    if world.scheme == "blind":
        value["credits"] |= {"scheme": "blind", "minimum_issued": 20}
    return format_json(value)


def statute_hash(world: World) -> bytes:
    return hashlib.sha256(law(world)).digest()


def group(world: World) -> CreditGroup:
    """Credits for useful tips of the first period."""
    return CreditGroup(statute=statute_hash(world), word="useful", period=1)


# The Gazette.


def founding(world: World) -> Record:
    return builders.founding(programme=world.programme, name=world.name)


def statute(world: World) -> Record:
    return builders.statute_act(programme=world.programme, law=law(world))


def epoch(world: World, **changes: Value) -> Record:
    return builders.epoch_act(programme=world.programme, **changes)


def act(world: World, kind: str, /, **fields: Value) -> Record:
    """A Gazette record of the programme, number 1 of its kind."""
    numbered: dict[str, Value] = {"programme": world.programme, "number": 1}
    return make_record(kind, **numbered | fields)


def issuing_key(world: World, **changes: Value) -> Record:
    """Of the key in RFC 9474's test vectors."""
    fields: dict[str, Value] = {"key": format_public_key(credited.issuing_key())}
    return act(world, "issuing-key", **_group(world), **fields | changes)


def _group(world: World) -> dict[str, Value]:
    one = group(world)
    return {"statute": one.statute, "class": one.word, "period": one.period}


by_board = builders.by_board


@cache
def entries(world: World) -> tuple[bytes, ...]:
    """Founding, law, desk key; where credits are blind, the key that issues them."""
    begun = (
        sign_record(founding(world), MEMBERS),
        by_board(statute(world)),
        by_board(epoch(world)),
    )
    return begun if world.scheme == "plain" else (*begun, by_board(issuing_key(world)))


@cache
def state(world: World) -> GazetteState:
    return fold_all(entries(world))


@cache
def later_acts(world: World) -> tuple[Record, ...]:
    """One act of each kind that may follow `entries`; the board is renewed at the end."""
    first = state(world).epochs[0]
    counted: dict[str, Value] = {**_group(world), "issued": 20, "redeemed": 1}
    public: dict[str, Value] = {
        "statute": statute_hash(world),
        "subject": "r-0001",
        "standing": "registered",
        "object": hashlib.sha256(b"object").digest(),
        "final": NOON,
    }
    return (
        act(
            world,
            "archive",
            previous=bytes(32),
            recipient=age.format_recipient(builders.HYBRID_DESK.recipient()),
            threshold=2,
            shares=3,
        ),
        epoch(world, number=2, previous=first.hash, opens=CLOSED, closes=CLOSED + 7 * DAY),
        act(world, "publication", **public),
        act(world, "count", claims=3, decided=2, suspended=1, published=1),
        act(world, "credit-count", **counted),
        act(
            world,
            "retirement",
            epoch=1,
            certificate=first.hash,
            destruction=record_hash(destruction(world)),
        ),
        act(
            world,
            "client",
            platform="linux-x86_64-cp311",
            version="0.1.0",
            size=7_495_331,
            sha256=hashlib.sha256(b"client").digest(),
        ),
        act(
            world,
            "roster",
            previous=state(world).roster.hash,
            threshold=2,
            members=builders.verifiers(MEMBERS[1:]),
        ),
    )


def limit_of(world: World) -> int:
    """POSIX seconds: the one date that the law holds acts against."""
    [date] = deciding_dates(law(world))
    return date.limit_at


def ledger_note(size: int, at: int) -> bytes:
    """The Ledger's checkpoint when it had `size` entries, cosigned at `at`."""
    hashes = [leaf_hash(b"entry %d" % place) for place in range(size)]
    return format_note(builders.checkpoint_note(Frontier.empty().extend(hashes)[0], at))


def gate(world: World, **changes: Value) -> Record:
    """The door's mark of the date."""
    limit = limit_of(world)
    fields: dict[str, Value] = {
        "statute": statute_hash(world),
        "name": "the_date",
        "limit": limit,
        "before": ledger_note(5, limit - 1),
        "after": ledger_note(8, limit),
    }
    return act(world, "gate", **fields | changes)


def by_door(record: Record) -> bytes:
    return sign_record(record, [builders.SERVER])


def destruction(world: World) -> bytes:
    """What the desk signs when the keys of its first epoch are destroyed."""
    record = make_record(
        "destruction",
        programme=world.programme,
        epoch=1,
        certificate=state(world).epochs[0].hash,
        archive=bytes(32),
        tips=0,
        root=hashlib.sha256(b"root").digest(),
        destroyed=CLOSED,
    )
    return sign_record(record, [DESK])


# The source.


@cache
def keys(world: World, number: int = 0) -> ContributionKeys:
    """The keys of the source's contribution of this number."""
    return contribution_keys(master_key(ENTROPY, world.programme), number)


THREE_FILES: Mapping[str, bytes] = {
    "message.txt": b"The minister signed it on the second of May.\n",
    "Lohnliste März.csv": b"name,amount\n" * 700,
    "empty": b"",
}
MANY_FILES = {f"page {number}.txt": b"%d\n" % number for number in range(1, 41)}
LINE = b"a line of a long letter\n"
LONG_FILE = {"letter.txt": LINE * 4000}
TIPS: dict[str, Mapping[str, bytes]] = {
    "three-files": THREE_FILES,
    "no-files": {},
    "many-files": MANY_FILES,
    "two-chunks": LONG_FILE,
    "follow-up": {"credit.request": b"what the desk was sent\n"},
    "burned": {"message.txt": b"Nobody but the desk can open this again.\n"},
}
"""Name of each tip: its files. The number of a tip among them is the source's number for it."""


def number_of(tip: str) -> int:
    return list(TIPS).index(tip)


@cache
def sealed(tip: str, world: World = PLAIN, profile: str = HYBRID) -> Envelope:
    """The tip, sealed to the first desk epoch."""
    earlier = (tip_hash("three-files"), keys(world).tag_key()) if tip == "follow-up" else None
    return seal_envelope(
        [Source(name=name, read=_reader(data)) for name, data in TIPS[tip].items()],
        address_at(state(world), NOON, profile),
        keys(world, number_of(tip)),
        dice(tip.encode()),
        follows=earlier,
        burn=tip == "burned",
    )


def _reader(data: bytes) -> Callable[[], Iterator[bytes]]:
    return lambda: iter([data])


def container(tip: str) -> bytes:
    envelope = sealed(tip)
    return b"".join(age.open_stream(envelope.file_key, envelope.payload()))


@cache
def contribution(tip: str = "three-files", world: World = PLAIN) -> bytes:
    return format_record(sealed(tip, world).record)


def tip_hash(tip: str = "three-files", world: World = PLAIN) -> bytes:
    return record_hash(contribution(tip, world))


# What chance enters.


def kept(
    path: str, right: Callable[[bytes], bytes | None], fresh: Callable[[], bytes]
) -> bytes:
    """What `right` finds in the published file at `path`, or else something fresh."""
    try:
        found = right((FOLDER / path).read_bytes())
    except (OSError, ValueError, KeyError, SafeconductError):
        found = None
    return found or fresh()


def text_in(data: bytes, *places: str) -> bytes:
    """The text at that place of a JSON document; the whole without a place."""
    if not places:
        return data
    value = json.loads(data)
    for place in places:
        value = value[place]
    text: str = value
    return text.encode()


def signed_twice(record: Record, by: ContributionKeys, path: str, *places: str) -> bytes:
    """The dual signed record that stands at that place of a published file."""

    def right(data: bytes) -> bytes | None:
        found = text_in(data, *places)
        return found if open_dual(found, {record.kind}) == record else None

    return kept(path, right, lambda: sign_dual(record, *author_seeds(by)))


# Credits.


def credit_request(world: World, path: str) -> bytes:
    """The request for the credit of the first tip; only its ML-DSA line is kept."""
    made = credit.make_request(
        keys(world),
        sealed("three-files", world).pre,
        tip_hash("three-files", world),
        group(world),
        state(world),
    )
    return signed_twice(parse_signed(made).record, keys(world), path)


@cache
def request(world: World) -> credit.Request:
    name = f"valid/record/credit-request-{world.scheme}.record"
    record = sealed("three-files", world).record
    return credit.open_request(
        credit_request(world, name), record, tip_hash("three-files", world), state(world)
    )


@cache
def blind_signature() -> bytes:
    asked = request(BLIND)
    signature = credited.sign_blindly(asked.ask)
    return format_record(credit.blind_signature_record(asked, signature, state(BLIND)))


@cache
def credit_of(world: World) -> bytes:
    """The credit of the first tip: signed by two of the board, or a token."""
    if world.scheme == "blind":
        return credit.finish_blind(keys(BLIND), group(BLIND), blind_signature(), state(BLIND))
    return by_board(credit.requested_credit(request(world)))


def changed(record: Record, /, **changes: Value) -> Record:
    """The record with these fields changed; `_` stands for `-`."""
    names = {name.replace("_", "-"): value for name, value in changes.items()}
    return replace(record, values={**record.values, **names})
