"""A desk with everything real but the network: a Ledger and a door of a few lines each.

The Ledger signs and is cosigned, so that proofs verify under the real policy. The door checks
the desk's signed requests and can be told to be away, to forge, or to break off.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from safeconduct.errors import UnavailableError
from safeconduct.parties.desk.desk import Desk
from safeconduct.parties.desk.door import REQUEST_HEADER
from safeconduct.parties.desk.epoch import new_epoch
from safeconduct.parties.desk.keys import Keyring
from safeconduct.parties.desk.pull import pull
from safeconduct.parties.desk.store import Store
from safeconduct.parties.desk.unseal import Step, unseal_all
from safeconduct.plumbing.fetch import Response
from safeconduct.plumbing.programme import Programme
from safeconduct.protocol import age
from safeconduct.protocol.address import Address
from safeconduct.protocol.canonical import Json, format_base64, format_json, parse_base64
from safeconduct.protocol.envelope import Envelope, Source, seal_envelope
from safeconduct.protocol.gazette import (
    Archive,
    Epoch,
    GazetteState,
    Roster,
    StatuteVersion,
)
from safeconduct.protocol.keys import ContributionKeys, contribution_keys, programme_hash
from safeconduct.protocol.record import (
    NO_HASH,
    Record,
    format_record,
    make_record,
    parse_signed,
    record_hash,
    sign_record,
    verify_signer,
)
from safeconduct.protocol.reply import BLOCK_BYTES, Reply, find_replies, split_bulletin
from safeconduct.protocol.tlog.checkpoint import Checkpoint, format_checkpoint
from safeconduct.protocol.tlog.cosignature import cosign
from safeconduct.protocol.tlog.merkle import Tree, leaf_hash
from safeconduct.protocol.tlog.note import (
    COSIGNATURE,
    Note,
    SignatureLine,
    SigningKey,
    VerifierKey,
    format_note,
    sign_note,
)
from safeconduct.protocol.tlog.policy import LogLine, Policy, WitnessLine, format_policy
from safeconduct.protocol.tlog.proof import TlogProof, format_proof

NAME = "example-2027"
PROGRAMME = programme_hash(NAME)
ORIGIN = "log.example/ledger"
NOW = 1_800_000_000  # POSIX seconds
LAW = b"{}"
PIECE_BYTES = 10_000  # of a payload, so that it comes in several
DELIVERIES_PER_ANSWER = 3  # so that the desk must ask again


class Crash(BaseException):
    """The process ends here: nothing in the program catches this."""


def key(name: str) -> SigningKey:
    return SigningKey(name=name, seed=hashlib.sha256(name.encode()).digest())


@dataclass
class Chance:
    """Bytes that differ each time, and are the same in each run."""

    drawn: int = 0

    def __call__(self, length: int) -> bytes:
        self.drawn += 1
        return hashlib.shake_128(b"%d" % self.drawn).digest(length)


@dataclass
class Ledger:
    """Every entry has a tree of its own: one leaf is enough to prove a date."""

    at: int = NOW
    asked: list[bytes] = field(default_factory=list)
    away: bool = False
    more: tuple[SignatureLine, ...] = ()

    def log(self, record: bytes) -> bytes:
        if self.away:
            raise UnavailableError("the log is away")
        self.asked.append(record)
        return self.proof(record_hash(record))

    def proof(self, entry: bytes) -> bytes:
        tree = Tree(size=1, root_hash=leaf_hash(entry))
        text = format_checkpoint(Checkpoint(origin=ORIGIN, tree=tree))
        lines = (sign_note(text, key(ORIGIN)), cosign(text, key("witness.example"), self.at))
        checkpoint = format_note(Note(text=text, signatures=lines + self.more))
        return format_proof(TlogProof(index=0, hashes=(), checkpoint=checkpoint))


POLICY = Policy(
    logs=(LogLine(key=key(ORIGIN).verifier()),),
    witnesses=(WitnessLine(name="w", key=key("witness.example").verifier(COSIGNATURE)),),
    quorum="w",
)


@dataclass
class Door:
    """The staff's side of the intake; `forged` replaces fields of deliveries by number."""

    ledger: Ledger
    server: SigningKey
    desk_keys: Callable[[], list[VerifierKey]] = list
    deliveries: list[dict[str, Json]] = field(default_factory=list)
    payloads: dict[bytes, bytes] = field(default_factory=dict)
    forged: dict[int, dict[str, Json]] = field(default_factory=dict)
    bulletin: dict[bytes, bytes] = field(default_factory=dict)
    posted: list[bytes] = field(default_factory=list)
    withdrawals: list[dict[str, Json]] = field(default_factory=list)
    away: bool = False

    def deliver(self, record: bytes, header: bytes, payload: bytes) -> bytes:
        digest = record_hash(record)
        delivery = make_record(
            "delivery",
            programme=PROGRAMME,
            record=digest,
            header=hashlib.sha256(header).digest(),
            delivered=NOW,
        )
        signed = sign_record(delivery, [self.server])
        self.payloads[digest] = payload
        self.deliveries.append(
            {
                "number": len(self.deliveries) + 1,
                "record": record.decode(),
                "proof": self.ledger.proof(digest).decode(),
                "header": format_base64(header),
                "delivery": signed.decode(),
                "delivery_proof": self.ledger.proof(record_hash(signed)).decode(),
            }
        )
        return digest

    def withdraw(self, record: bytes, signed: bytes) -> None:
        """Take a tip back: nothing of it is offered or given any more."""
        self.withdrawals.append(
            {
                "number": len(self.withdrawals) + 1,
                "contribution": record.decode(),
                "withdrawal": signed.decode(),
                "proof": self.ledger.proof(record_hash(signed)).decode(),
            }
        )
        self.payloads.pop(record_hash(record), None)

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], bytes_max: int
    ) -> Response:
        if self.away:
            raise UnavailableError("the door is away")
        action = url.removeprefix("http://door.example/desk/")
        self._check(headers[REQUEST_HEADER], action, body)
        answer = {
            "deliveries": lambda: self._list(int(body)),
            "payload": lambda: self.payloads[body],
            "replies": lambda: self._reply(body),
            "withdrawals": lambda: self._list_withdrawals(int(body)),
        }[action]()
        assert len(answer) <= bytes_max
        return Response(status=200, body=answer)

    def stream(
        self, url: str, body: bytes, headers: Mapping[str, str], bytes_max: int, seconds: float
    ) -> Iterator[bytes]:
        payload = self.post(url, body, headers, bytes_max).body
        assert seconds > 0
        for start in range(0, len(payload), PIECE_BYTES):
            yield payload[start : start + PIECE_BYTES]

    def _check(self, header: str, action: str, body: bytes) -> None:
        signed = parse_signed(parse_base64(header, "header"), "request")
        [place] = signed.note.signatures
        [key] = [one for one in self.desk_keys() if one.key_id == place.key_id]
        request = verify_signer(signed, key)
        assert request.word("action") == action
        assert request.hash("body") == hashlib.sha256(body).digest()
        assert request.hash("programme") == PROGRAMME

    def _list(self, after: int) -> bytes:
        taken_back = {one["contribution"] for one in self.withdrawals}
        found = [
            {**one, **self.forged.get(place, {})}
            for place, one in enumerate(self.deliveries, start=1)
            if place > after and one["record"] not in taken_back
        ]
        told: list[Json] = [*found[:DELIVERIES_PER_ANSWER]]
        return format_json(told)

    def _list_withdrawals(self, after: int) -> bytes:
        return format_json([*self.withdrawals[after : after + DELIVERIES_PER_ANSWER]])

    def _reply(self, block: bytes) -> bytes:
        assert len(block) == BLOCK_BYTES
        assert self.bulletin.setdefault(block[:16], block) == block
        self.posted.append(block)
        return b""


@dataclass
class World:
    """A desk, its door and its Ledger; `keys(n)` are those of a source's n-th contribution."""

    folder: Path
    desk: Desk
    door: Door
    ledger: Ledger
    state: GazetteState
    chance: Chance

    def keys(self, number: int) -> ContributionKeys:
        return contribution_keys(b"\x07" * 32, number)

    def address(self, profile: str = "mlkem768x25519", epoch_number: int = 0) -> Address:
        """Of the epoch with that number, or of the last one."""
        epoch = self.state.epochs[epoch_number - 1]
        return Address(
            programme=PROGRAMME,
            statute=self.state.statutes[-1].sha256,
            epoch=epoch.number,
            certificate=epoch.hash,
            profile=profile,
            recipient=epoch.recipient(profile),
        )

    def seal(self, number: int, files: Mapping[str, bytes]) -> Envelope:
        return seal_envelope(sources(files), self.address(), self.keys(number), self.chance)

    def send(self, number: int, files: Mapping[str, bytes], epoch_number: int = 0) -> bytes:
        """Seal and deliver; returns the record hash."""
        address = self.address(epoch_number=epoch_number)
        envelope = seal_envelope(sources(files), address, self.keys(number), self.chance)
        payload = b"".join(envelope.payload())
        return self.door.deliver(format_record(envelope.record), envelope.header, payload)

    def run(self) -> list[Step]:
        """Fetch, open, acknowledge."""
        pull(self.desk)
        return unseal_all(self.desk)

    def tip(self, number: int, text: str, **files: str) -> bytes:
        """Send a message with attachments, and have it acknowledged."""
        attached = {f"{name}.txt": content.encode() for name, content in files.items()}
        digest = self.send(number, {"message.txt": text.encode(), **attached})
        self.run()
        return digest

    def publish(self, **changes: object) -> None:
        """Have the board change the Gazette."""
        self.state = replace(self.state, **changes)  # type: ignore[arg-type]
        self.desk = replace(self.desk, gazette=lambda: self.state)

    def wait_until(self, at: int) -> None:
        """Move the desk's clock, and what the witnesses say from now on."""
        self.ledger.at = at
        self.desk = replace(self.desk, seconds=lambda: at)

    def certify(self, record: Record) -> Epoch:
        """The board publishes the epoch of `record`."""
        epoch = Epoch(
            number=record.number("number"),
            opens=record.number("opens"),
            closes=record.number("closes"),
            statement=record.key("statement"),
            classic=record.word("classic"),
            hybrid=record.word("hybrid"),
            hash=bytes([record.number("number")]) * 32,
            index=self.state.size,
        )
        self.publish(epochs=(*self.state.epochs, epoch), size=self.state.size + 1)
        return epoch

    def archive(self, seed: bytes = b"\x0a" * 32) -> age.X25519Identity:
        """The board publishes an archive whose key is `seed`; returns its identity."""
        identity = age.x25519_identity(seed)
        number = len(self.state.archives) + 1
        archive = Archive(
            number=number,
            recipient=age.format_recipient(identity.recipient()),
            threshold=2,
            shares=3,
            hash=bytes([0xA0 + number]) * 32,
        )
        self.publish(archives=(*self.state.archives, archive), size=self.state.size + 1)
        return identity

    def inbox(self, number: int) -> list[Reply]:
        """What the source of contribution `number` finds on the bulletin."""
        bulletin = split_bulletin(b"".join(self.door.bulletin.values()))
        return [reply for _, _, reply in find_replies(bulletin.get, [self.keys(number)])]

    def again(self, **changes: Callable[..., object]) -> Desk:
        """The same folder, opened by another process, perhaps with another network."""
        return replace(self.desk, store=Store(self.folder), **changes)  # type: ignore[arg-type]


def sources(files: Mapping[str, bytes]) -> Sequence[Source]:
    def reader(data: bytes) -> Callable[[], Iterable[bytes]]:
        return lambda: [data]

    return [Source(name=name, read=reader(data)) for name, data in files.items()]


def make_world(folder: Path) -> World:
    chance, ledger = Chance(), Ledger()
    record = new_epoch(
        folder, PROGRAMME, 1, NO_HASH, NOW - 1_000, NOW + 1_000, random_bytes=chance
    )
    state = _state(record.key("statement"), record.word("classic"), record.word("hybrid"))
    keys = Keyring(folder)
    door = Door(ledger=ledger, server=key("door"))
    desk = Desk(
        programme=_programme(),
        folder=folder,
        keys=keys,
        store=Store(folder),
        seconds=lambda: NOW,
        random_bytes=chance,
        gazette=lambda: state,
        log=ledger.log,
        post=door.post,
        stream=door.stream,
    )
    world = World(
        folder=folder, desk=desk, door=door, ledger=ledger, state=state, chance=chance
    )
    door.desk_keys = lambda: [epoch.statement for epoch in world.state.epochs]
    return world


def _programme() -> Programme:
    return Programme(
        name=NAME,
        gazette="http://log.example/gazette",
        gazette_origin="log.example/gazette",
        ledger="http://log.example/ledger",
        ledger_origin=ORIGIN,
        door="http://door.example",
        register="http://register.example",
        policy=POLICY,
        policy_text=format_policy(POLICY),
    )


def _state(statement: VerifierKey, classic: str, hybrid: str) -> GazetteState:
    member = key("member").verifier()
    founding = make_record(
        "programme",
        programme=PROGRAMME,
        name=NAME,
        founded=NOW,
        gazette="log.example/gazette",
        ledger=ORIGIN,
        delivery_window=86_400,
        ledger_pad=1,
        server=key("door").verifier(),
        registry=key("registry").verifier(),
        threshold=1,
        members=(member,),
    )
    epoch = Epoch(
        number=1,
        opens=NOW - 1_000,
        closes=NOW + 1_000,
        statement=statement,
        classic=classic,
        hybrid=hybrid,
        hash=b"\x01" * 32,
        index=2,
    )
    law = StatuteVersion(number=1, law=LAW, sha256=hashlib.sha256(LAW).digest(), index=1)
    roster = Roster(number=0, threshold=1, members=(member,), hash=b"\x02" * 32)
    return GazetteState(
        programme=founding, size=3, rosters=(roster,), statutes=(law,), epochs=(epoch,)
    )
