"""A register at work, with everything real but the logs at the far end of the network."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest
from tests.protocol import builders
from tests.protocol.age.chance import dice

from safeconduct.errors import UnavailableError
from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.registry import (
    appeals,
    decide,
    final,
    joining,
    publish,
    receive,
    redeeming,
    sitting,
)
from safeconduct.parties.registry.receive import Registry
from safeconduct.parties.registry.store import Store
from safeconduct.plumbing.logs import GazetteView
from safeconduct.plumbing.programme import Programme
from safeconduct.protocol.canonical import Json, parse_json
from safeconduct.protocol.claim import person_hash
from safeconduct.protocol.gazette import GazetteState, fold
from safeconduct.protocol.listing import ASSESSMENT_FIELDS, listing_object
from safeconduct.protocol.receipt import Receipt, verify_receipt
from safeconduct.protocol.record import Record, Value, make_record, record_hash, sign_record
from safeconduct.protocol.tlog.merkle import Frontier, Subtree, inclusion_proof, leaf_hash
from safeconduct.protocol.tlog.note import SigningKey, format_note
from safeconduct.protocol.tlog.policy import Cosigned, open_checkpoint
from safeconduct.protocol.tlog.proof import TlogProof, format_proof
from safeconduct.protocol.tlog.tile import (
    ENTRIES,
    TILE_HEIGHT,
    TILE_WIDTH,
    bundle_path,
    bundles_of,
    tile_path,
    tiles_of,
)
from safeconduct.protocol.tlog.tile import (
    format_bundle as format_entries,
)

NOW = builders.NOON + 3 * builders.DAY
APPEAL_SECONDS = 30 * builders.DAY
URLS = {"gazette": "http://log.example/gazette", "ledger": "http://log.example/ledger"}
NOTHING_FOUND = {
    "claimant_is_subject": True,
    "grave_crime_proven": False,
    "knowing_falsehood_found": False,
}
SPOKEN = {"speaker_is_claimant": True, "denounces": True, "withdrawn": False}


@dataclass
class MemoryLog:
    """A log whose proofs are real; the same entry again finds the same place and date."""

    key: SigningKey
    entries: list[bytes] = field(default_factory=list)
    proofs: dict[bytes, bytes] = field(default_factory=dict)

    def grown(self) -> tuple[Frontier, dict[Subtree, bytes]]:
        return Frontier.empty().extend([leaf_hash(entry) for entry in self.entries])

    def checkpoint(self, at: int) -> bytes:
        return format_note(builders.checkpoint_note(self.grown()[0], at, self.key))

    def add(self, entry: bytes, at: int) -> bytes:
        if entry not in self.proofs:
            self.proofs[entry] = self._prove(entry, at)
        return self.proofs[entry]

    def _prove(self, entry: bytes, at: int) -> bytes:
        if entry not in self.entries:
            self.entries.append(entry)
        index, stored = self.entries.index(entry), self.grown()[1]
        hashes = inclusion_proof(
            index, len(self.entries), lambda places: [stored[place] for place in places]
        )
        proof = TlogProof(index=index, hashes=tuple(hashes), checkpoint=self.checkpoint(at))
        return format_proof(proof)

    def file(self, path: str) -> bytes:
        """One file of the log's tree, as a server would answer with it."""
        return self._files()[path]

    def _files(self) -> dict[str, bytes]:
        size, stored = len(self.entries), self.grown()[1]
        files = {
            tile_path(tile): b"".join(
                stored[tile.level * TILE_HEIGHT, tile.index * TILE_WIDTH + place]
                for place in range(tile.width)
            )
            for tile in tiles_of(size)
            if tile.level != ENTRIES
        }
        for index, width in bundles_of(size):
            start = index * TILE_WIDTH
            files[bundle_path(index, width)] = format_entries(
                self.entries[start : start + width]
            )
        return files


@cache
def folded(entries: tuple[bytes, ...]) -> GazetteState:
    """The state after `entries`; most tests begin with the same ones."""
    return fold(folded(entries[:-1]) if len(entries) > 1 else None, entries[-1])


@dataclass
class World:
    """One register; tests move its clock and take its logs away."""

    folder: Path
    now: int = NOW
    away: bool = False
    founded: tuple[bytes, ...] = field(default_factory=builders.gazette_entries)
    gazette: MemoryLog = field(default_factory=lambda: MemoryLog(builders.GAZETTE))
    ledger: MemoryLog = field(default_factory=lambda: MemoryLog(builders.LEDGER))
    registry: Registry = field(init=False)

    def __post_init__(self) -> None:
        self.gazette.entries += self.founded
        self.ledger.entries.append(bytes(32))
        self.registry = Registry(
            programme=_programme(),
            key=builders.REGISTRY,
            store=Store(self.folder),
            folder=self.folder,
            seconds=lambda: self.now,
            random_bytes=dice(),
        )

    # What stands in for `plumbing.logs`.

    def read_gazette(self, _: Programme, before: GazetteView | None = None) -> GazetteView:
        self._answer()
        checkpoint = self.gazette.checkpoint(self.now)
        return GazetteView(
            state=self.state(),
            cosigned=open_checkpoint(checkpoint, builders.POLICY),
            checkpoint=checkpoint,
            entries=tuple(self.gazette.entries),
        )

    def log_record(self, _: Programme, record: bytes) -> tuple[bytes, Receipt]:
        self._answer()
        proof = self.ledger.add(record_hash(record), self.now)
        return proof, verify_receipt(record, proof, builders.POLICY, builders.LEDGER.name)

    def log_notice(self, _: Programme, entry: bytes) -> bytes:
        self._answer()
        if entry not in self.gazette.entries:
            folded((*self.gazette.entries, entry))
        return self.gazette.add(entry, self.now)

    def read_checkpoint(self, _: Programme, url: str, origin: str) -> tuple[bytes, Cosigned]:
        self._answer()
        data = self._log(url).checkpoint(self.now)
        return data, open_checkpoint(data, builders.POLICY, origin)

    def fetch_file(self, url: str, *, bytes_max: int) -> bytes:
        self._answer()
        base = next(base for base in URLS.values() if url.startswith(base))
        data = self._log(base).file(url.removeprefix(f"{base}/"))
        assert len(data) <= bytes_max
        return data

    def state(self) -> GazetteState:
        return folded(tuple(self.gazette.entries))

    def _log(self, url: str) -> MemoryLog:
        return {URLS["gazette"]: self.gazette, URLS["ledger"]: self.ledger}[url]

    def _answer(self) -> None:
        if self.away:
            raise UnavailableError("the log does not answer")

    # What people do.

    def listed(self, subject: str, name: str = builders.PERSON, **fields: str) -> bytes:
        """Enter a person into the register; returns the object's bytes."""
        assessment = dict.fromkeys(ASSESSMENT_FIELDS, "looked at one by one") | fields
        data = listing_object(
            subject,
            name,
            assessment,
            listed_on="2027-01-10",
            review_on="2028-01-10",
            ends_on="2030-01-10",
            salt=bytes(16),
        )
        self.published(subject, "registered", data)
        return data

    def published(self, subject: str, standing: str, data: bytes) -> None:
        """Keep an object and have the board publish it, without any case."""
        sha256 = hashlib.sha256(data).digest()
        self.registry.store.keep_object(sha256, subject, data)
        number = len(self.state().publications) + 1
        act = builders.publication_act(
            number=number,
            statute=self.state().statutes[-1].sha256,
            subject=subject,
            standing=standing,
            object=sha256,
            final=self.now,
        )
        self.log_notice(self.registry.programme, builders.by_board(act))

    def counted(self) -> None:
        """Have the board sign how many cases there are."""
        number = len(self.state().counts) + 1
        counts = decide.count_record(self.registry)
        act = make_record("count", programme=builders.PROGRAMME, number=number, **counts)
        self.log_notice(self.registry.programme, builders.by_board(act))

    def filed(
        self,
        *,
        name: str = builders.PERSON,
        proof: bytes = b"",
        keys: int = 0,
        texts: Mapping[str, str] | None = None,
        **changes: Value,
    ) -> bytes:
        """File a claim that answers a fresh challenge; returns its hash."""
        fresh = receive.challenge(self.registry)
        bundle = helped(
            name=name, proof=proof, keys=keys, texts=texts, challenge=fresh, **changes
        )
        return receive.receive(self.registry, bundle).claim

    def page(self, claim: bytes) -> str:
        """The path of a case's private page."""
        [page] = [one.page for one in self.registry.store.cases() if one.claim == claim]
        return f"/case/{page.hex()}"

    def proposed(self, claim: bytes) -> decide.Draft:
        """Propose what the law says of a claim, with all that the desk has signed."""
        fields = builders.helped_fields()
        assessment = (fields["assessment"].encode(), fields["assessment_proof"].encode())
        return decide.propose_decision(self.registry, claim, NOTHING_FOUND, assessment)

    def decided(self, claim: bytes) -> tuple[bytes, decide.Served]:
        """Propose, have two members sign, enter: the signed decision, and what was served."""
        signed = sign_all(self.proposed(claim).record, builders.MEMBERS[:2])
        return signed, decide.enter(self.registry, claim, signed)

    def finished(self, claim: bytes) -> None:
        """Let the appeal period pass, and publish."""
        self.now += APPEAL_SECONDS + 1
        record = decide.finalise(self.registry, claim)
        assert record is not None
        decide.enter_publication(self.registry, claim, builders.by_board(record))

    def held(self) -> tuple[object, ...]:
        """All that the register keeps: what a refused request must leave as it was."""
        store = self.registry.store
        cases = [(one, store.case(one.claim)) for one in store.cases()]
        letters = sorted(path.name for path in self.folder.glob("letters/*"))
        return cases, letters, tuple(self.ledger.entries), tuple(self.gazette.entries)


def open_world(
    folder: Path, patch: pytest.MonkeyPatch, founded: tuple[bytes, ...] = ()
) -> World:
    """A register whose modules reach these logs instead of the network."""
    world = World(folder=folder, founded=founded or builders.gazette_entries())
    edges = {
        receive: ("read_gazette", "log_record"),
        appeals: ("log_record",),
        sitting: ("log_record",),
        final: ("log_notice",),
        joining: ("log_record",),
        redeeming: ("log_record",),
        publish: ("read_gazette", "read_checkpoint", "fetch_file"),
    }
    for module, names in edges.items():
        for name in names:
            patch.setattr(module, name, getattr(world, name))
    return world


def _programme() -> Programme:
    return Programme(
        name=builders.NAME,
        gazette=URLS["gazette"],
        gazette_origin=builders.GAZETTE.name,
        ledger=URLS["ledger"],
        ledger_origin=builders.LEDGER.name,
        door="http://door.example",
        register="http://register.example",
        policy=builders.POLICY,
        policy_text=builders.POLICY_TEXT.encode(),
    )


def helped(
    *,
    name: str = builders.PERSON,
    proof: bytes = b"",
    keys: int = 0,
    texts: Mapping[str, str] | None = None,
    **changes: Value,
) -> bytes:
    """A bundle on the helped limb, perhaps with further `texts`; `keys` is the number of the
    contribution that signs.
    """
    person = person_hash(name, builders.NAME_SALT)
    shown = {"proof": proof.decode()} if proof else {}
    return builders.helped_bundle(
        claim=builders.claimed(keys, "claim-helped", person=person, **changes),
        name=name,
        assessment="",
        assessment_proof="",
        **shown,
        **(texts or {}),
    )


def appeal_of(
    decision: bytes, ground: str = "fact", /, *, key: SigningKey | None = None, **changes: Value
) -> bytes:
    """An appeal against a signed decision, by whoever signed the claim."""
    seed = builders.source_keys().derive("author-ed25519")
    key = key or SigningKey(name="claimant", seed=seed)
    fields: dict[str, Value] = {
        "programme": builders.PROGRAMME,
        "decision": record_hash(decision),
        "ground": ground,
        "reasons": bytes(32),
        "ed25519": key.verifier().public,
    }
    return sign_record(make_record("appeal", **fields | changes), [key])


def state_of(world: World, claim: bytes) -> str:
    """The state of a claim's case."""
    return world.registry.store.case(claim).state


def words_of(letter: Path) -> str:
    """The letter as plain text."""
    return letter.with_suffix(".txt").read_text(encoding="utf-8")


def object_of(record: Record, world: World) -> dict[str, Json]:
    """The object that a publication names."""
    value = parse_json(world.registry.store.object(record.hash("object")), "object")
    assert isinstance(value, dict)
    return value
