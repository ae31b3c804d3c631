"""A small published folder, made without any server: real keys, logs, law and decision."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.parties.auditor.short_act import law

from safeconduct.parties.auditor.folder import format_sums
from safeconduct.protocol.claim import (
    Bundle,
    evidence_hash,
    format_bundle,
    parse_bundle,
    person_hash,
    sign_claim,
)
from safeconduct.protocol.decision import (
    Proposal,
    decision_object,
    decision_record,
    departure_hash,
    propose,
    told,
)
from safeconduct.protocol.evidence.capture import (
    address_hash,
    format_capture,
    make_capture,
    public_hash,
)
from safeconduct.protocol.evidence.page_text import strip_boilerplate
from safeconduct.protocol.gazette import GazetteState, fold_all
from safeconduct.protocol.keys import programme_hash
from safeconduct.protocol.listing import (
    ASSESSMENT_FIELDS,
    REGISTERED,
    fold_register,
    format_register,
    listing_object,
    publication_record,
)
from safeconduct.protocol.record import (
    NO_HASH,
    Record,
    Value,
    format_record,
    make_record,
    record_hash,
    sign_record,
)
from safeconduct.protocol.signature import ed25519_public, mldsa65_public
from safeconduct.protocol.statute.evaluate import tree_hash
from safeconduct.protocol.tlog.checkpoint import (
    Checkpoint,
    format_checkpoint,
    parse_checkpoint,
)
from safeconduct.protocol.tlog.cosignature import cosign
from safeconduct.protocol.tlog.merkle import Frontier, Tree, inclusion_proof, leaf_hash
from safeconduct.protocol.tlog.note import (
    COSIGNATURE,
    Note,
    SigningKey,
    format_note,
    format_vkey,
    parse_note,
    sign_note,
)
from safeconduct.protocol.tlog.policy import parse_policy
from safeconduct.protocol.tlog.proof import TlogProof, format_proof
from safeconduct.protocol.tlog.tile import (
    ENTRIES,
    TILE_HEIGHT,
    TILE_WIDTH,
    bundle_path,
    bundles_of,
    hash_reader,
    tile_path,
    tiles_of,
)
from safeconduct.protocol.tlog.tile import (
    format_bundle as format_entries,
)
from safeconduct.protocol.votes import Vote, votes_document, votes_hash

NAME = "example-2027"
PROGRAMME = programme_hash(NAME)
LOGGED_AT = 1_800_000_000  # 2027-01-15
DAY_SECONDS = 86_400
LEDGER_SIZE = 299  # with what is logged besides: a full tile, a partial one, one of level 1
FINAL_AT = LOGGED_AT + 31 * DAY_SECONDS
DUMMY = hashlib.sha256(b"dummy").digest()


def key(name: str) -> SigningKey:
    return SigningKey(name=name, seed=hashlib.sha256(name.encode()).digest())


GAZETTE = key("log.example/gazette")
LEDGER = key("log.example/ledger")
LOGS = {"gazette": GAZETTE, "ledger": LEDGER}
WITNESSES = (key("witness.example/w1"), key("witness.example/w2"))
THIRD_WITNESS = key("witness.example/w3")
BOARD = (key("board.example/a"), key("board.example/b"), key("board.example/c"))
REGISTRY = key("registry.example")
SERVER = key("door.example")

_WITNESS_KEYS = {
    f"W{number}": format_vkey(one.verifier(COSIGNATURE))
    for number, one in enumerate((*WITNESSES, THIRD_WITNESS), start=1)
}
POLICY_TEXT = "".join(
    [
        *(f"log {format_vkey(log.verifier())}\n" for log in LOGS.values()),
        *(f"witness {name} {vkey}\n" for name, vkey in _WITNESS_KEYS.items()),
        "group quorum-of-two 2 W1 W2 W3\n",
        "quorum quorum-of-two\n",
    ]
).encode()
POLICY = parse_policy(POLICY_TEXT)


def board_signed(record: Record, signers: Sequence[SigningKey] = BOARD[:2]) -> bytes:
    return sign_record(record, signers)


def founding() -> bytes:
    record = make_record(
        "programme",
        programme=PROGRAMME,
        name=NAME,
        founded=LOGGED_AT - 100 * DAY_SECONDS,
        gazette=GAZETTE.name,
        ledger=LEDGER.name,
        delivery_window=259_200,
        ledger_pad=4,
        server=SERVER.verifier(),
        registry=REGISTRY.verifier(),
        threshold=2,
        members=tuple(member.verifier() for member in BOARD),
    )
    return board_signed(record, BOARD)


def statute_entry(text: bytes) -> bytes:
    record = make_record("statute", programme=PROGRAMME, number=1, previous=NO_HASH, law=text)
    return board_signed(record)


def publication(number: int, subject: str, standing: str, shown: bytes, final: int) -> bytes:
    record = publication_record(
        PROGRAMME,
        number,
        statute=hashlib.sha256(law()).digest(),
        subject=subject,
        standing=standing,
        object_sha256=hashlib.sha256(shown).digest(),
        final_at=final,
    )
    return board_signed(record)


def count_entry(published: int) -> bytes:
    record = make_record(
        "count",
        programme=PROGRAMME,
        number=1,
        claims=3,
        decided=2,
        suspended=0,
        published=published,
    )
    return board_signed(record)


def listing_of(subject: str) -> bytes:
    return listing_object(
        subject,
        f"Person {subject}",
        dict.fromkeys(ASSESSMENT_FIELDS, "looked at one by one"),
        listed_on="2027-01-10",
        review_on="2028-01-10",
        ends_on="2030-01-10",
        salt=hashlib.sha256(subject.encode()).digest()[:16],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A log's files and how to prove an entry under its checkpoint."""

    files: Mapping[str, bytes]
    entries: tuple[bytes, ...]
    checkpoint: bytes

    def proof(self, index: int) -> bytes:
        size = len(self.entries)
        read = hash_reader(size, lambda tile: self.files[tile_path(tile)])
        hashes = tuple(inclusion_proof(index, size, read))
        return format_proof(TlogProof(index=index, hashes=hashes, checkpoint=self.checkpoint))


def checkpoint(
    log: SigningKey,
    tree: Tree,
    at: int = LOGGED_AT,
    witnesses: Sequence[SigningKey] = WITNESSES,
) -> bytes:
    text = format_checkpoint(Checkpoint(origin=log.name, tree=tree))
    lines = [cosign(text, witness, at) for witness in witnesses]
    return format_note(Note(text=text, signatures=(sign_note(text, log), *lines)))


def make_log(log: SigningKey, entries: Sequence[bytes], at: int | None = None) -> Log:
    """A log of these entries; the Gazette is dated when all in it is final, unless told."""
    if at is None:
        at = FINAL_AT if log is GAZETTE else LOGGED_AT
    frontier, filled = Frontier.empty().extend([leaf_hash(entry) for entry in entries])
    size = len(entries)
    files = {
        tile_path(tile): b"".join(
            filled[tile.level * TILE_HEIGHT, tile.index * TILE_WIDTH + place]
            for place in range(tile.width)
        )
        for tile in tiles_of(size)
        if tile.level != ENTRIES
    }
    for index, width in bundles_of(size):
        start = index * TILE_WIDTH
        files[bundle_path(index, width)] = format_entries(entries[start : start + width])
    signed = checkpoint(log, frontier.tree(), at)
    return Log(files=files | {"checkpoint": signed}, entries=tuple(entries), checkpoint=signed)


PAGE = """\
A councillor speaks out

Anna Example, a councillor of the harbour city, spoke to reporters on Monday. She said: \
“I denounce what this ministry has done to the people of this harbour, and I will not be \
silent about it any longer.”

The ministry denied this, saying that nothing had ever been done to anybody.
"""


def make_evidence() -> tuple[bytes, bytes]:
    """A capture's public part and its record."""
    public = format_capture(
        make_capture(
            strip_boilerplate(PAGE),
            address="https://paper.example/1",
            captured_at=LOGGED_AT - 60,
            media_type="text/html",
            raw=b"<p>raw</p>",
            warc=b"warc",
            extractor=("plain", "1"),
        )
    )
    record = make_record(
        "capture",
        programme=PROGRAMME,
        address=address_hash("https://paper.example/1"),
        raw=hashlib.sha256(b"<p>raw</p>").digest(),
        public=public_hash(public),
        captured=LOGGED_AT - 60,
    )
    return public, format_record(record)


def make_claim(public: bytes, record: bytes, proof: bytes, disclosure: str) -> Bundle:
    ed25519, mldsa65 = bytes([7]) * 32, bytes([8]) * 32
    evidence = {
        "record": record.decode(),
        "proof": proof.decode(),
        "capture": public.decode(),
        "statement": "0",
    }
    claim = make_record(
        "claim-denounced",
        programme=PROGRAMME,
        statute=hashlib.sha256(law()).digest(),
        subject="r-0002",
        person=person_hash("Anna Example", bytes(16)),
        record=record_hash(record),
        evidence=evidence_hash(evidence),
        ed25519=ed25519_public(ed25519),
        mldsa65=mldsa65_public(mldsa65),
        blind=bytes(16),
        audience=REGISTRY.name,
        challenge=bytes([9]) * 32,
        expires=LOGGED_AT + DAY_SECONDS,
        disclosure=disclosure,
    )
    fields = {
        "claim": sign_claim(claim, ed25519, mldsa65).decode(),
        "name": "Anna Example",
        "name_salt": bytes(16).hex(),
        **evidence,
    }
    return parse_bundle(format_bundle("denounced", fields))


JUDGEMENTS = {
    "claimant_is_subject": True,
    "denounces": True,
    "speaker_is_claimant": True,
    "withdrawn": False,
    "grave_crime_proven": False,
    "knowing_falsehood_found": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All that the body holds, honest: what `write` puts into a folder."""

    gazette: Log
    ledger: Log
    state: GazetteState
    captures: Mapping[str, tuple[bytes, bytes, bytes]]
    listings: tuple[bytes, ...]
    decisions: tuple[bytes, ...]
    bundle: Bundle  # the claim that was decided

    def write(self, folder: Path) -> None:
        """Write the honest folder and sign for it."""
        for name, log in (("gazette", self.gazette), ("ledger", self.ledger)):
            for path, data in log.files.items():
                put(folder / name / path, data)
        for version in self.state.statutes:
            put(folder / f"statutes/{version.number}.json", version.law)
        for digest, parts in self.captures.items():
            names = ("public.json", "capture.record", "capture.tlog-proof")
            for name, data in zip(names, parts, strict=True):
                put(folder / "captures" / digest / name, data)
        for kind, objects in (("listings", self.listings), ("decisions", self.decisions)):
            for data in objects:
                put(folder / kind / f"{hashlib.sha256(data).hexdigest()}.json", data)
        lines = fold_register(self.state.publications)
        put(folder / "register.json", format_register(lines))
        sign(folder)


LISTINGS = tuple(map(listing_of, ("r-0001", "r-0002")))


def make_world(
    *,
    published: int = 1,
    listings: tuple[bytes, ...] = LISTINGS,
    disclosure: str = "open",
    departure: str = "",
) -> World:
    """Two listed persons, of whom one spoke out in time and was acquitted.

    With a departure the board decides otherwise, and says why.
    """
    public, record = make_evidence()
    dummies = [DUMMY[:31] + bytes([place % 256]) for place in range(LEDGER_SIZE)]
    before = make_log(LEDGER, [*dummies[:150], record_hash(record), *dummies[150:200]])
    proof = before.proof(150)
    entries = [founding(), statute_entry(law())]
    entries += [
        publication(number, f"r-000{number}", REGISTERED, shown, LOGGED_AT)
        for number, shown in enumerate(listings, start=1)
    ]
    bundle = make_claim(public, record, proof, disclosure)
    proposal = propose(bundle, fold_all(entries), POLICY, JUDGEMENTS, LOGGED_AT)
    outcome = REGISTERED if departure else "acquitted"
    said: dict[str, Value] = {"outcome": outcome, "departure": departure_hash(departure)}
    votes = _votes(proposal, outcome) if departure else b""
    if votes:
        said["votes"] = votes_hash(votes)
    letter = told(proposal, [bundle], 1, outcome=outcome, departure=departure)
    drafted = decision_record(proposal, bundle, 1, hashlib.sha256(letter).digest())
    decided = board_signed(replace(drafted, values={**drafted.values, **said}))
    logged = [*before.entries, bundle.claim_hash, record_hash(decided)]
    ledger = make_log(LEDGER, [*logged, *dummies[200:]], LOGGED_AT + 60)
    decision = decision_object(
        proposal,
        bundle,
        JUDGEMENTS,
        decided,
        ledger.proof(len(before.entries) + 1),
        ledger.proof(len(before.entries)),
        bytes(16),
        departure,
        votes=votes,
        seed=REGISTRY.seed,
    )
    entries.append(publication(3, "r-0002", outcome, decision, FINAL_AT))
    entries.append(count_entry(published))
    return World(
        gazette=make_log(GAZETTE, entries),
        ledger=ledger,
        state=fold_all(entries),
        captures={public_hash(public).hex(): (public, record, proof)},
        listings=listings,
        decisions=(decision,),
        bundle=bundle,
    )


def _votes(proposal: Proposal, outcome: str) -> bytes:
    """The votes of all board members who sign, to depart."""
    names = [key.name for key in BOARD]
    cast = [
        Vote(member=name, vote="depart", outcome=outcome, reasons="Read otherwise.")
        for name in names
    ]
    return votes_document(tree_hash(proposal.judgement), names, cast)


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def sum_up(folder: Path) -> bytes:
    """Write `SHA256SUMS` over whatever lies in the folder; returns it."""
    sums = {
        name: hashlib.sha256((folder / name).read_bytes()).digest()
        for name in names_in(folder)
        if name not in ("manifest", "SHA256SUMS")
    }
    (folder / "SHA256SUMS").write_bytes(format_sums(sums))
    return format_sums(sums)


def sign(folder: Path, registry: SigningKey = REGISTRY, **lies: int) -> None:
    """Make `SHA256SUMS` and the manifest anew, as a registry does, whatever lies there."""
    sums = sum_up(folder)
    trees = {name: _tree(folder / name / "checkpoint") for name in LOGS}
    honest: dict[str, str | int | bytes] = {
        "programme": PROGRAMME,
        "gazette_size": trees["gazette"].size,
        "gazette_root": trees["gazette"].root_hash,
        "ledger_size": trees["ledger"].size,
        "ledger_root": trees["ledger"].root_hash,
        "files": sums.count(b"\n"),
        "sums": hashlib.sha256(sums).digest(),
        "at": LOGGED_AT + 32 * DAY_SECONDS,
    }
    manifest = make_record("manifest", **{**honest, **lies})
    (folder / "manifest").write_bytes(sign_record(manifest, [registry]))


def _tree(path: Path) -> Tree:
    return parse_checkpoint(parse_note(path.read_bytes()).text).tree


def names_in(folder: Path) -> list[str]:
    """Every file in the folder, sorted."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(path.relative_to(folder).as_posix() for path in files)
