"""A small programme in memory: its keys, its board, its two logs, and what all of them sign.

Everything is made from fixed seeds, so a failing test fails alike everywhere.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from tests.protocol.age.chance import dice
from tests.protocol.unheard import unheard

from safeconduct.errors import SafeconductError
from safeconduct.plumbing.authored import parse_authored
from safeconduct.protocol import age
from safeconduct.protocol.address import Address
from safeconduct.protocol.canonical import format_json, u64
from safeconduct.protocol.claim import (
    evidence_hash,
    format_bundle,
    open_claim,
    person_hash,
    sign_claim,
)
from safeconduct.protocol.envelope import Envelope, Source, acknowledgement, seal_envelope
from safeconduct.protocol.evidence.capture import format_capture, make_capture
from safeconduct.protocol.evidence.page_text import strip_boilerplate
from safeconduct.protocol.gazette import GazetteState, address_at, fold_all
from safeconduct.protocol.keys import (
    ContributionKeys,
    contribution_keys,
    master_key,
    programme_hash,
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
from safeconduct.protocol.tip import TipFile
from safeconduct.protocol.tlog.checkpoint import Checkpoint, format_checkpoint
from safeconduct.protocol.tlog.cosignature import cosign
from safeconduct.protocol.tlog.merkle import Frontier, Subtree, inclusion_proof, leaf_hash
from safeconduct.protocol.tlog.note import (
    COSIGNATURE,
    Note,
    SigningKey,
    VerifierKey,
    format_note,
    format_vkey,
    parse_note,
    sign_note,
)
from safeconduct.protocol.tlog.policy import Policy, parse_policy
from safeconduct.protocol.tlog.proof import TlogProof, format_proof, parse_proof

STATUTE_FILE = Path(__file__).parents[2] / "statutes" / "example" / "acquittal" / "statute.yaml"

NAME = "example-acb-2027"
PROGRAMME = programme_hash(NAME)
ENTROPY = bytes(range(16))
NOON = 1_800_000_000
"""POSIX seconds, in January 2027: before the example statute's date."""
THE_DATE = 1_811_808_000
"""2027-06-01T00:00:00Z."""
DAY = 86_400


def signing_key(name: str) -> SigningKey:
    return SigningKey(name=name, seed=hashlib.sha256(name.encode()).digest())


GAZETTE = signing_key("log.example/gazette")
LEDGER = signing_key("log.example/ledger")
SERVER = signing_key("door.example")
REGISTRY = signing_key("register.example")
DESK = signing_key("desk.example/epoch-1")
MEMBERS = tuple(signing_key(f"board.example/{name}") for name in ("anna", "boris", "clara"))
STRANGER = signing_key("stranger.example")
OUR_WITNESS = signing_key("witness.example/ours")
THEIR_WITNESS = signing_key("witness.example/theirs")

POLICY_TEXT = f"""\
log {format_vkey(GAZETTE.verifier())}
log {format_vkey(LEDGER.verifier())}
witness ours {format_vkey(OUR_WITNESS.verifier(COSIGNATURE))}
witness theirs {format_vkey(THEIR_WITNESS.verifier(COSIGNATURE))}
group both all ours theirs
quorum both
"""
POLICY: Policy = parse_policy(POLICY_TEXT.encode())

CLASSIC_DESK = age.x25519_identity(hashlib.sha256(b"classic desk").digest())
HYBRID_DESK = age.hybrid_identity(hashlib.sha256(b"hybrid desk").digest())
DESK_IDENTITIES: tuple[age.SecretIdentity, ...] = (CLASSIC_DESK, HYBRID_DESK)


# The logs.


def checkpoint_note(
    frontier: Frontier,
    at: int,
    log: SigningKey = LEDGER,
    witnesses: Sequence[SigningKey] = (OUR_WITNESS, THEIR_WITNESS),
    apart: int = 0,
) -> Note:
    """The log's checkpoint; the first witness signs at `at`, others `apart` seconds before."""
    text = format_checkpoint(Checkpoint(origin=log.name, tree=frontier.tree()))
    lines = [cosign(text, key, at - apart * (place > 0)) for place, key in enumerate(witnesses)]
    return Note(text=text, signatures=(sign_note(text, log), *lines))


def prove(
    entry: bytes,
    at: int = NOON,
    log: SigningKey = LEDGER,
    witnesses: Sequence[SigningKey] = (OUR_WITNESS, THEIR_WITNESS),
) -> bytes:
    """A tlog proof that `entry` is number 3 of a log of six, logged by `at`."""
    entries = [b"dummy %d" % place for place in range(6)]
    entries[3] = entry
    frontier, stored = Frontier.empty().extend([leaf_hash(each) for each in entries])

    def read(subtrees: Sequence[Subtree]) -> list[bytes]:
        return [stored[subtree] for subtree in subtrees]

    note = checkpoint_note(frontier, at, log, witnesses, apart=60)
    hashes = tuple(inclusion_proof(3, 6, read))
    return format_proof(TlogProof(index=3, hashes=hashes, checkpoint=format_note(note)))


# The Gazette.


@cache
def law() -> bytes:
    """The example statute as it would be published, by a body that lists people unheard."""
    return format_json(unheard(parse_authored(STATUTE_FILE.read_bytes(), "statute")))


def verifiers(keys: Iterable[SigningKey]) -> tuple[VerifierKey, ...]:
    return tuple(key.verifier() for key in keys)


def founding(**changes: Value) -> Record:
    fields: dict[str, Value] = {
        "programme": PROGRAMME,
        "name": NAME,
        "founded": NOON - 10 * DAY,
        "gazette": GAZETTE.name,
        "ledger": LEDGER.name,
        "delivery_window": 3 * DAY,
        "ledger_pad": 8,
        "server": SERVER.verifier(),
        "registry": REGISTRY.verifier(),
        "threshold": 2,
        "members": verifiers(MEMBERS),
    }
    return make_record("programme", **fields | changes)


def statute_act(**changes: Value) -> Record:
    fields: dict[str, Value] = {
        "programme": PROGRAMME,
        "number": 1,
        "previous": NO_HASH,
        "law": law(),
    }
    return make_record("statute", **fields | changes)


def epoch_act(**changes: Value) -> Record:
    fields: dict[str, Value] = {
        "programme": PROGRAMME,
        "number": 1,
        "previous": NO_HASH,
        "opens": NOON - DAY,
        "closes": NOON + 6 * DAY,
        "statement": DESK.verifier(),
        "classic": age.format_recipient(CLASSIC_DESK.recipient()),
        "hybrid": age.format_recipient(HYBRID_DESK.recipient()),
    }
    return make_record("epoch", **fields | changes)


def publication_act(**changes: Value) -> Record:
    fields: dict[str, Value] = {
        "programme": PROGRAMME,
        "number": 1,
        "statute": hashlib.sha256(law()).digest(),
        "subject": "r-0001",
        "standing": "registered",
        "object": bytes(32),
        "final": NOON,
    }
    return make_record("publication", **fields | changes)


def by_board(record: Record) -> bytes:
    """`record`, signed by two of the three members."""
    return sign_record(record, MEMBERS[:2])


@cache
def gazette_entries() -> tuple[bytes, ...]:
    """Founding, statute, epoch."""
    founded = sign_record(founding(), MEMBERS)
    return (founded, by_board(statute_act()), by_board(epoch_act()))


@cache
def gazette_state() -> GazetteState:
    return fold_all(gazette_entries())


def address(profile: str = "mlkem768x25519") -> Address:
    return address_at(gazette_state(), NOON, profile)


# The source.


@cache
def master() -> bytes:
    return master_key(ENTROPY, PROGRAMME)


@cache
def source_keys(number: int = 0) -> ContributionKeys:
    return contribution_keys(master(), number)


FILES: Mapping[str, bytes] = {
    "message.txt": b"The minister signed it on the second of May.\n",
    "Lohnliste März.csv": b"name,amount\n" * 700,
    "empty": b"",
}


def sources(files: Mapping[str, bytes] = FILES) -> list[Source]:
    def reader(data: bytes) -> Callable[[], Iterator[bytes]]:
        return lambda: iter([data[:100], data[100:]])

    return [Source(name=name, read=reader(data)) for name, data in files.items()]


def seal(
    files: Mapping[str, bytes] = FILES, number: int = 0, profile: str = "mlkem768x25519"
) -> Envelope:
    return seal_envelope(sources(files), address(profile), source_keys(number), dice())


@cache
def sealed() -> Envelope:
    """One contribution; most tests need no other."""
    return seal()


def nowhere(file: TipFile, chunk: bytes) -> None:
    """A sink for a test that looks at the manifest only."""


# What the desk says, and what a claimant makes of it.


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """A contribution with all that was said about it, each with its proof."""

    record: bytes
    acknowledgement: bytes
    assessment: bytes


def assessment(record: bytes, /, **changes: Value) -> Record:
    fields: dict[str, Value] = {
        "programme": PROGRAMME,
        "record": record,
        "grade": "useful",
        "assessors": 2,
        "votes": bytes(32),
        "findings": bytes(32),
        "epoch": 1,
    }
    return make_record("assessment", **fields | changes)


@cache
def statements() -> Statements:
    record = format_record(sealed().record)
    digest = record_hash(record)
    received = acknowledgement(PROGRAMME, digest, "ok", 1)
    return Statements(
        record=record,
        acknowledgement=sign_record(received, [DESK]),
        assessment=sign_record(assessment(digest), [DESK]),
    )


PERSON = "Ada Example"
NAME_SALT = bytes(16)


def author_seeds(keys: ContributionKeys) -> tuple[bytes, bytes]:
    return keys.derive("author-ed25519"), keys.derive("author-mldsa65")


def claim_record(kind: str = "claim-helped", number: int = 0, /, **changes: Value) -> Record:
    keys = source_keys(number)
    ed25519, mldsa65 = keys.author_public()
    fields: dict[str, Value] = {
        "programme": PROGRAMME,
        "statute": hashlib.sha256(law()).digest(),
        "subject": "r-0001",
        "person": person_hash(PERSON, NAME_SALT),
        "record": record_hash(statements().record),
        "evidence": evidence_hash(
            helped_evidence() if kind == "claim-helped" else denounced_evidence()
        ),
        "ed25519": ed25519,
        "mldsa65": mldsa65,
        "blind": keys.blind(sealed().pre),
        "audience": REGISTRY.name,
        "challenge": hashlib.sha256(b"challenge").digest(),
        "expires": NOON + 7 * DAY,
        "disclosure": "open",
    }
    return make_record(kind, **fields | changes)


def claimed(number: int = 0, kind: str = "claim-helped", **changes: Value) -> str:
    """The text of a claim by our contribution `number`, changed in these fields."""
    record = claim_record(kind, number, **changes)
    return sign_claim(record, *author_seeds(source_keys(number))).decode()


@cache
def signed_claim() -> bytes:
    return claimed().encode()


def signed_for(fields: Mapping[str, str]) -> dict[str, str]:
    """The texts, with the claim signed anew for just this evidence if it was for other."""
    try:
        record = open_claim(fields["claim"].encode())
    except SafeconductError:
        return dict(fields)  # what is no claim stays none
    shown = evidence_hash(fields)
    if record.hash("evidence") == shown:
        return dict(fields)
    keys = next(
        keys
        for keys in map(source_keys, range(10))
        if keys.author_public()[0] == record.hash("ed25519")
    )
    bound = replace(record, values={**record.values, "evidence": shown})
    return {**fields, "claim": sign_claim(bound, *author_seeds(keys)).decode()}


@cache
def helped_evidence() -> Mapping[str, str]:
    """What a helper shows in whose bundle all is as it must be, with the desk's word on it."""
    said = statements()
    return {
        "record": said.record.decode(),
        "proof": prove(record_hash(said.record)).decode(),
        "acknowledgement": said.acknowledgement.decode(),
        "acknowledgement_proof": prove(record_hash(said.acknowledgement), NOON + DAY).decode(),
        "assessment": said.assessment.decode(),
        "assessment_proof": prove(record_hash(said.assessment), NOON + 2 * DAY).decode(),
    }


@cache
def helped_fields() -> Mapping[str, str]:
    """The texts of a bundle in which all is as it must be."""
    return {
        "claim": signed_claim().decode(),
        "name": PERSON,
        "name_salt": NAME_SALT.hex(),
        **helped_evidence(),
    }


def helped_bundle(**changes: str) -> bytes:
    """A bundle with these texts; its claimant has signed for whatever it shows."""
    return format_bundle("helped", signed_for({**helped_fields(), **changes}))


# A public statement, and a claim on it.

PAGE = """\
The Harbour Log

Ada Example said on Monday: “I broke with them, and what they do is a crime.” Nobody answered.
"""


@cache
def public_capture() -> bytes:
    capture = make_capture(
        strip_boilerplate(PAGE),
        address="https://press.example/log",
        captured_at=NOON,
        media_type="text/html",
        raw=PAGE.encode(),
        warc=b"warc",
        extractor=("plain", "1"),
    )
    return format_capture(capture)


def capture_record(public: bytes, /, **changes: Value) -> bytes:
    fields: dict[str, Value] = {
        "programme": PROGRAMME,
        "address": hashlib.sha256(b"https://press.example/log").digest(),
        "raw": hashlib.sha256(PAGE.encode()).digest(),
        "public": hashlib.sha256(public).digest(),
        "captured": NOON,
    }
    return format_record(make_record("capture", **fields | changes))


@cache
def denounced_evidence() -> Mapping[str, str]:
    """What a denouncer shows in whose bundle all is as it must be."""
    record = capture_record(public_capture())
    return {
        "record": record.decode(),
        "proof": prove(record_hash(record)).decode(),
        "capture": public_capture().decode(),
        "statement": "0",
    }


def denounced_bundle(**changes: str) -> bytes:
    """A bundle with these texts; its claimant has signed for whatever it shows."""
    record = record_hash(denounced_evidence()["record"].encode())
    fields = {
        "claim": claimed(kind="claim-denounced", record=record),
        "name": PERSON,
        "name_salt": NAME_SALT.hex(),
        **denounced_evidence(),
    }
    return format_bundle("denounced", signed_for(fields | changes))


def redated(proof: bytes, seconds: int) -> bytes:
    """`proof` with each cosignature's time moved, as somebody without the keys would do it."""
    parsed = parse_proof(proof)
    note = parse_note(parsed.checkpoint)
    log, *cosignatures = note.signatures
    moved = [
        replace(line, blob=u64(int.from_bytes(line.blob[:8], "big") + seconds) + line.blob[8:])
        for line in cosignatures
    ]
    changed = format_note(Note(text=note.text, signatures=(log, *moved)))
    return format_proof(replace(parsed, checkpoint=changed))
