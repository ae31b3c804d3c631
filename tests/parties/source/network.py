"""A log and a door at the far end of the network, in memory, which can lie and be away.

What a source sends and reads goes through `fetch.request`; here it is answered by a few lines.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from tests.protocol import builders
from tests.protocol.age.chance import dice

from safeconduct.errors import (
    RefusedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.source.inbox import Contribution, read_inbox
from safeconduct.parties.source.send import Sent, Wait, no_wait, send
from safeconduct.plumbing.fetch import ERROR_FAMILY_HEADER, Response, raise_for
from safeconduct.plumbing.programme import Programme
from safeconduct.protocol import age
from safeconduct.protocol.address import DEFAULT_PROFILE
from safeconduct.protocol.canonical import Json, format_json, parse_base64, parse_json
from safeconduct.protocol.capsule import Capsule, find_capsules, split_shelf
from safeconduct.protocol.envelope import Source
from safeconduct.protocol.keys import ContributionKeys
from safeconduct.protocol.puzzle import Puzzle, format_puzzle
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import (
    Value,
    make_record,
    parse_record,
    record_hash,
    sign_record,
    upload_name,
)
from safeconduct.protocol.reply import Reply, seal_reply
from safeconduct.protocol.tlog.merkle import Frontier, leaf_hash
from safeconduct.protocol.tlog.note import SigningKey, format_note
from safeconduct.protocol.tlog.tile import format_bundle
from safeconduct.protocol.withdrawal import open_withdrawal, verify_withdrawal

NOW = builders.NOON
WINDOW = builders.gazette_state().programme.number("delivery-window")
MESSAGE: Mapping[str, bytes] = {"message.txt": b"It lies behind the tide tables.\n"}
VERSIONS_MAX = 4
QUIET = Puzzle(seed=bytes(range(16)), bits=0, seconds=1)

PROGRAMME = Programme(
    name=builders.NAME,
    gazette="http://log.example/gazette",
    gazette_origin=builders.GAZETTE.name,
    ledger="http://log.example/ledger",
    ledger_origin=builders.LEDGER.name,
    door="http://door.example",
    register="http://register.example",
    policy=builders.POLICY,
    policy_text=builders.POLICY_TEXT.encode(),
)


@dataclass
class Upload:
    """An envelope on its way in."""

    record: bytes
    proof: bytes
    header: bytes
    payload: bytearray = field(default_factory=bytearray)


@dataclass
class Network:
    """The log and the door. `away(method, path)` says which requests are not answered.

    `signed` replaces fields of what the door signs; `shown` is what it shows of its shelf;
    `handed` and `answers` are what it says of a tip that is withdrawn.
    """

    now: int = NOW
    gazette_at: int = NOW
    entries: tuple[bytes, ...] = builders.gazette_entries()
    away: Callable[[str, str], bool] = lambda method, path: False
    signed: dict[str, Value] = field(default_factory=dict)
    signer: SigningKey = builders.SERVER
    puzzle: Puzzle = QUIET
    questions: bytes = b""
    shown: Callable[[list[bytes]], list[bytes]] = lambda capsules: capsules
    asked: list[tuple[str, str]] = field(default_factory=list)
    proofs: dict[bytes, bytes] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    delivered: dict[str, bytes] = field(default_factory=dict)
    withdrawn: dict[bytes, bytes] = field(default_factory=dict)
    handed: str = "unread"
    answers: dict[str, Json] = field(default_factory=dict)
    capsules: list[bytes] = field(default_factory=list)
    blocks: list[bytes] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    chance: Callable[[int], bytes] = field(default_factory=dice)

    # What a source does.

    def send(
        self,
        files: Mapping[str, bytes] = MESSAGE,
        number: int = 0,
        entropy: bytes = b"",
        *,
        burn: bool = False,
        profile: str = DEFAULT_PROFILE,
        wait: Wait = no_wait,
    ) -> Sent:
        """Send `files` with our words, or others."""
        return send(
            PROGRAMME,
            entropy or builders.ENTROPY,
            sources(files),
            at=self.now,
            random_bytes=self.chance,
            report=self.told.append,
            number=number,
            burn=burn,
            profile=profile,
            wait=wait,
        )

    def inbox(self) -> tuple[Contribution, ...]:
        """What our words bring back."""
        return read_inbox(PROGRAMME, builders.ENTROPY)

    # What it finds.

    def found(self) -> dict[int, Capsule]:
        """Our capsules on the true shelf, by number."""
        shelf = split_shelf(b"".join(self.capsules))
        found, _ = find_capsules(lambda slot: shelf.get(slot, ()), builders.source_keys)
        return {item.keys.number: item.capsule for item in found}

    def versions(self, number: int) -> int:
        """How many capsules lie in the slot of our contribution `number`."""
        slot = builders.source_keys(number).slot()
        return sum(each.startswith(slot) for each in self.capsules)

    def post(self, reply: Reply, counter: int = 0, number: int = 0) -> None:
        """The desk answers our contribution."""
        keys = builders.source_keys(number)
        self.blocks.append(
            seal_reply(reply, recipient(keys), keys.tag_key(), counter, self.chance)
        )

    # What it is answered.

    def request(
        self, method: str, url: str, body: bytes = b"", *, bytes_max: int, **_: object
    ) -> Response:
        """In place of `fetch.request`."""
        parts = urlsplit(url)
        self.asked.append((method, parts.path))
        if self.away(method, parts.path):
            raise UnavailableError(f"{parts.netloc}: cannot be reached")
        place = int(parse_qs(parts.query).get("offset", ["0"])[0])
        try:
            answer = self._answer(method, parts.path, place, body)
        except SafeconductError as error:
            family = type(error).__name__.removesuffix("Error").lower()
            headers = {ERROR_FAMILY_HEADER: family}
            text = f"error: {error.message}\n".encode()
            return Response(status=error.http_status, headers=headers, body=text)
        assert len(answer) <= bytes_max
        return Response(status=200, body=answer)

    def pieces(self, url: str, *, bytes_max: int, **_: object) -> Iterator[bytes]:
        """In place of `fetch.pieces`; in small ones."""
        response = self.request("GET", url, bytes_max=bytes_max)
        raise_for(response)
        yield from (
            response.body[at : at + 5_000] for at in range(0, len(response.body), 5_000)
        )

    def _answer(self, method: str, path: str, place: int, body: bytes) -> bytes:
        match [method, *path.split("/")[1:]]:
            case ["GET", "gazette", "checkpoint"]:
                frontier, _ = Frontier.empty().extend([leaf_hash(e) for e in self.entries])
                note = builders.checkpoint_note(frontier, self.gazette_at, builders.GAZETTE)
                return format_note(note)
            case ["GET", "gazette", *_]:
                return format_bundle(self.entries)
            case ["GET", "questions.json"]:
                if not self.questions:
                    raise RefusedError("nothing at this address")
                return self.questions
            case ["GET", "work"]:
                return format_puzzle(self.puzzle)
            case ["POST", "commit"]:
                return self.proofs.setdefault(body, builders.prove(body, self.now))
            case ["POST", "deliver"]:
                return self._announce(body)
            case ["GET", "deliver", name]:
                if name not in self.uploads:
                    raise RefusedError("no delivery was begun under this name")
                return self.uploads[name].header
            case ["PATCH", "deliver", name]:
                upload = self.uploads[name]
                assert place <= len(upload.payload)
                upload.payload[place:] = body
                return b"%d" % len(upload.payload)
            case ["POST", "deliver", name, "finish"]:
                return self.delivered.setdefault(name, self._signed(self.uploads[name]))
            case ["PUT", "capsules", slot]:
                return self._shelve(bytes.fromhex(slot), body)
            case ["POST", "withdraw"]:
                return self._withdraw(body)
            case ["GET", "capsules"]:
                return b"".join(self.shown(self.capsules))
            case ["GET", "bulletin"]:
                return b"".join(self.blocks)
        raise AssertionError(f"nobody serves {method} {path}")

    def _announce(self, body: bytes) -> bytes:
        value = parse_json(body, "announcement")
        assert isinstance(value, dict)
        record, proof = str(value["record"]).encode(), str(value["proof"]).encode()
        if self.now > logged_by(record, proof) + WINDOW:
            raise RefusedError("the delivery window of this commitment is over")
        header = parse_base64(str(value["header"]), "header")
        new = Upload(record=record, proof=proof, header=header)
        upload = self.uploads.setdefault(upload_name(record).hex(), new)
        if upload_name(record).hex() not in self.delivered:
            upload.header = header
        return b"%d" % len(upload.payload)

    def _signed(self, upload: Upload) -> bytes:
        committed = parse_record(upload.record).hash("payload")
        if hashlib.sha256(upload.payload).digest() != committed:
            upload.payload.clear()
            raise UnverifiedError("the payload is not the one its record commits to")
        fields: dict[str, Value] = {
            "programme": builders.PROGRAMME,
            "record": record_hash(upload.record),
            "header": hashlib.sha256(upload.header).digest(),
            "delivered": NOW,
        }
        return sign_record(make_record("delivery", **fields | self.signed), [self.signer])

    def _withdraw(self, signed: bytes) -> bytes:
        digest = open_withdrawal(signed).hash("record")
        record = next(
            one.record for one in self.uploads.values() if record_hash(one.record) == digest
        )
        verify_withdrawal(signed, record)
        stands = self.withdrawn.setdefault(digest, signed)
        proof = builders.prove(record_hash(stands), self.now)
        answer: dict[str, Json] = {
            "handed": self.handed,
            "proof": proof.decode(),
            "withdrawal": stands.decode(),
        }
        return format_json(answer | self.answers)

    def _shelve(self, slot: bytes, capsule: bytes) -> bytes:
        if sum(each.startswith(slot) for each in self.capsules) >= VERSIONS_MAX:
            raise RefusedError("this slot holds all the versions it may")
        self.capsules.append(slot + capsule)
        return b"kept"


def logged_by(record: bytes, proof: bytes) -> int:
    """The time by which `record` was logged."""
    return verify_receipt(record, proof, builders.POLICY, builders.LEDGER.name).logged_by


def recipient(keys: ContributionKeys) -> str:
    """Where replies to a contribution go."""
    return age.format_recipient(age.hybrid_identity(keys.reply_seed()).recipient())


def sources(files: Mapping[str, bytes]) -> Sequence[Source]:
    """Files as a source seals them."""

    def reader(data: bytes) -> Callable[[], Iterator[bytes]]:
        return lambda: iter([data])

    return [Source(name=name, read=reader(data)) for name, data in files.items()]
