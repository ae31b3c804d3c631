"""The published files about sealed tips that are right: `valid`, and the tables beside them."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache

from tests.protocol import builders
from tests.protocol.age.chance import dice
from tests.protocol.builders import DAY, DESK, NOON, REGISTRY, SERVER, prove
from tests.vectors import recipe
from tests.vectors.sealed_world import (
    BLIND,
    CLASSIC,
    HYBRID,
    LINE,
    PLAIN,
    TIPS,
    World,
    blind_signature,
    by_board,
    container,
    contribution,
    credit_of,
    destruction,
    entries,
    group,
    issuing_key,
    kept,
    keys,
    later_acts,
    request,
    sealed,
    signed_twice,
    state,
    statute_hash,
    text_in,
    tip_hash,
)

from safeconduct.plumbing.words import LANGUAGES, format_words
from safeconduct.protocol import age, credit
from safeconduct.protocol.canonical import (
    Json,
    format_base64,
    format_json,
    length_prefixed,
    parse_base64,
)
from safeconduct.protocol.capsule import Capsule, seal_capsule
from safeconduct.protocol.claim import evidence_hash, format_bundle, person_hash
from safeconduct.protocol.envelope import acknowledgement
from safeconduct.protocol.keys import ContributionKeys, reply_mac, reply_tag
from safeconduct.protocol.opening import (
    OpeningBundle,
    format_opening,
    places_hash,
    select_items,
    sign_desk_opening,
)
from safeconduct.protocol.record import (
    NO_HASH,
    Record,
    Value,
    format_record,
    make_record,
    parse_signed,
    record_hash,
    sign_record,
)
from safeconduct.protocol.reply import REPLY_BYTES
from safeconduct.protocol.tip import Manifest, format_manifest, parse_manifest
from safeconduct.protocol.tlog.note import SigningKey
from safeconduct.protocol.tlog.tile import format_bundle as format_entries

Files = dict[str, bytes]


def digest(text: str) -> bytes:
    """A hash that stands for something which is not published here."""
    return hashlib.sha256(text.encode()).digest()


def sealed_keys() -> Iterator[tuple[str, bytes]]:
    yield "keys/programme.policy", builders.POLICY_TEXT.encode()
    lines = [age.format_identity(identity) + "\n" for identity in builders.DESK_IDENTITIES]
    yield "keys/desk-1.identities", "".join(lines).encode()


# Words.

ENTROPIES = {
    "counting": bytes(range(16)),
    "zeros": bytes(16),
    "ones": b"\xff" * 16,
    "sevens": b"\x7f" * 16,
}


def spelt(entropy: bytes, language: str) -> bytes:
    phrase = format_words(entropy, language)
    return format_json({"entropy": entropy.hex(), "language": language, "phrase": phrase})


def valid_words() -> Files:
    found = {
        language.replace("_", "-"): spelt(ENTROPIES["counting"], language)
        for language in LANGUAGES
    }
    english = {f"english-{name}": spelt(each, "english") for name, each in ENTROPIES.items()}
    return found | {name: data for name, data in english.items() if "counting" not in name}


# Records.


def valid_records() -> Files:
    found = {
        "contribution": contribution(),
        "issuing-key": by_board(issuing_key(BLIND)),
        "blind-signature": blind_signature(),
        "credit-token": credit_of(BLIND),
        "credit": credit_of(PLAIN),
        **dict(zip(("programme", "statute", "epoch"), entries(PLAIN), strict=True)),
        **{record.kind: by_board(record) for record in later_acts(PLAIN) if _first(record)},
        **said_by_the_desk(),
        **said_by_the_source(),
        **said_by_the_registry(),
    }
    return found


def _first(record: Record) -> bool:
    return record.kind != "epoch"


def answer(status: str = "ok", other: bytes = NO_HASH) -> bytes:
    record = acknowledgement(PLAIN.programme, tip_hash(), status, 1, other)
    return sign_record(record, [DESK])


def graded() -> bytes:
    record = builders.assessment(
        tip_hash(),
        programme=PLAIN.programme,
        votes=digest("votes"),
        findings=digest("findings"),
    )
    return sign_record(record, [DESK])


def offer(world: World = PLAIN) -> bytes:
    made = credit.make_offer(state(world), tip_hash("three-files", world), group(world), 1)
    return sign_record(made, [DESK])


def desk_request() -> Record:
    return make_record(
        "request",
        programme=PLAIN.programme,
        action="deliveries",
        body=digest("0"),
        at=NOON,
    )


def opened_by_desk(places: tuple[int, ...] = ()) -> bytes:
    return sign_desk_opening(
        DESK,
        1,
        programme=PLAIN.programme,
        record=tip_hash(),
        purpose="inquiry",
        places=places,
    )


def said_by_the_desk() -> Files:
    return {
        "acknowledgement": answer(),
        "acknowledgement-duplicate": answer("duplicate", tip_hash("many-files")),
        "assessment": graded(),
        "destruction": destruction(PLAIN),
        "opening-desk": opened_by_desk(),
        "credit-offer": offer(),
        "credit-offer-blind": offer(BLIND),
        "request": sign_record(desk_request(), [DESK]),
    }


def delivery() -> bytes:
    record = make_record(
        "delivery",
        programme=PLAIN.programme,
        record=tip_hash(),
        header=hashlib.sha256(hybrid_header()).digest(),
        delivered=NOON // DAY * DAY,
    )
    return sign_record(record, [SERVER])


def said_by_the_registry() -> Files:
    one = group(PLAIN)
    redeemed = make_record(
        "redemption",
        programme=PLAIN.programme,
        **{"statute": one.statute, "class": one.word, "period": one.period},
        nullifier=credit.nullifier(parse_signed(credit_of(PLAIN)).record.hash("key")),
        claim=record_hash(claim("credited")),
    )
    folder = make_record(
        "manifest",
        programme=PLAIN.programme,
        gazette_size=3,
        gazette_root=digest("gazette"),
        ledger_size=64,
        ledger_root=digest("ledger"),
        files=12,
        sums=digest("SHA256SUMS"),
        at=NOON + DAY,
    )
    return {
        "delivery": delivery(),
        "redemption": sign_record(redeemed, [REGISTRY]),
        "manifest": sign_record(folder, [REGISTRY]),
        "decision": by_board(decision()),
        "appeal": appeal(),
        "credit-link": by_board(credit.link_record(request(PLAIN))),
        "credit-link-blind": by_board(credit.link_record(request(BLIND))),
    }


def decision() -> Record:
    return make_record(
        "decision",
        programme=PLAIN.programme,
        number=1,
        statute=statute_hash(PLAIN),
        subject="r-0001",
        claim=record_hash(claim("helped")),
        outcome="acquitted",
        facts=digest("facts"),
        judgement=digest("judgement"),
        as_of=NOON,
        reasons=digest("reasons"),
        departure=NO_HASH,
        disclosure="open",
    )


def appeal() -> bytes:
    key = SigningKey(name="claimant", seed=keys(PLAIN).derive("author-ed25519"))
    record = make_record(
        "appeal",
        programme=PLAIN.programme,
        decision=record_hash(by_board(decision())),
        ground="fact",
        reasons=digest("reasons"),
        ed25519=key.verifier().public,
    )
    return sign_record(record, [key])


def said_by_the_source() -> Files:
    signed = {f"claim-{limb}": claim(limb) for limb in ("helped", "denounced", "credited")}
    requests = {f"credit-request-{world.scheme}": _requested(world) for world in (PLAIN, BLIND)}
    capture = {"capture": builders.capture_record(builders.public_capture())}
    return signed | requests | capture | {"opening": opened_by_source()}


def _requested(world: World) -> bytes:
    path = f"valid/record/credit-request-{world.scheme}.record"
    return signed_twice(request(world).record, keys(world), path)


# Claims.

PERSON, NAME_SALT = "Ada Example", digest("salt")[:16]


def claim_fields(world: World, by: ContributionKeys, context: bytes) -> dict[str, Value]:
    ed25519, mldsa65 = by.author_public()
    return {
        "programme": world.programme,
        "statute": statute_hash(world),
        "subject": "r-0001",
        "person": person_hash(PERSON, NAME_SALT),
        "ed25519": ed25519,
        "mldsa65": mldsa65,
        "blind": by.blind(context),
        "audience": REGISTRY.name,
        "challenge": digest("challenge"),
        "expires": NOON + 7 * DAY,
        "disclosure": "open",
    }


@cache
def evidence(name: str) -> Mapping[str, str]:
    """What each claimant shows; `assessment` is the registry's to add."""
    if name == "helped":
        return {
            "record": contribution().decode(),
            "proof": prove(tip_hash()).decode(),
            "acknowledgement": answer().decode(),
            "acknowledgement_proof": prove(record_hash(answer()), NOON + DAY).decode(),
            "assessment": graded().decode(),
            "assessment_proof": prove(record_hash(graded()), NOON + 2 * DAY).decode(),
        }
    if name == "denounced":
        public = builders.public_capture()
        record = builders.capture_record(public)
        return {
            "record": record.decode(),
            "proof": prove(record_hash(record)).decode(),
            "capture": public.decode(),
            "statement": "0",
        }
    return {"record": credit_of(BLIND if name == "credited-blindly" else PLAIN).decode()}


def claimant(name: str) -> tuple[World, ContributionKeys, bytes]:
    """Programme, keys, and what their blind is made of."""
    if name == "helped":
        return PLAIN, keys(PLAIN), sealed("three-files").pre
    if name == "denounced":
        return PLAIN, ContributionKeys(number=0, seed=denouncer_seed()), digest("pre")[:16]
    world = BLIND if name == "credited-blindly" else PLAIN
    serial = credit.serial_of(keys(world), group(world))
    return world, keys(world).redemption(serial), serial


def denouncer_seed() -> bytes:
    return digest("keys of a claimant's own")


def claim_record(name: str, /, **changes: Value) -> Record:
    world, by, context = claimant(name)
    shown = evidence(name)
    fields = {
        "record": record_hash(shown["record"].encode()),
        "evidence": evidence_hash(shown),
        **claim_fields(world, by, context),
    }
    return make_record("claim-" + name.partition("-")[0], **fields | changes)


@cache
def claim(name: str) -> bytes:
    """The claim of that bundle; `signed_twice` keeps it."""
    return bundled_claim(claim_record(name), name, f"valid/claim/{name}.json")


def bundled_claim(record: Record, name: str, path: str) -> bytes:
    """The record as signed in the bundle at `path`."""
    return signed_twice(record, claimant(name)[1], path, "claim")


def bundle(name: str, signed: bytes, shown: Mapping[str, str] | None = None) -> bytes:
    texts = {"claim": signed.decode(), "name": PERSON, "name_salt": NAME_SALT.hex()}
    return format_bundle(name.partition("-")[0], {**texts, **(shown or evidence(name))})


CLAIMS = ("helped", "denounced", "credited", "credited-blindly")


def valid_claims() -> Files:
    return {name: bundle(name, claim(name)) for name in CLAIMS}


# Tips.


def manifest(tip: str) -> Manifest:
    data = container(tip)
    size = int(data[124:135], 8)
    return parse_manifest(data[512 : 512 + size])


def valid_manifests() -> Files:
    return {
        tip: format_manifest(manifest(tip))
        for tip in ("three-files", "no-files", "follow-up", "burned")
    }


WHOLE = ("three-files", "no-files", "follow-up", "many-files")
"""Containers that are published as they are; of the others the recipe is."""


def valid_containers() -> Files:
    found = {f"{tip}.tar": container(tip) for tip in WHOLE}
    long = container("two-chunks")
    start, end = long.index(LINE), long.rindex(LINE) + len(LINE)
    lines: Json = {"hex": LINE.hex(), "times": (end - start) // len(LINE)}
    pieces = [*recipe.runs(long[:start]), lines, *recipe.runs(long[end:])]
    found["two-chunks.json"] = recipe.recipe(long, *pieces)
    burned = container("burned")
    return found | {"burned.json": recipe.recipe(burned, *recipe.runs(burned))}


def container_name(tip: str) -> str:
    return f"valid/container/{tip}.{'tar' if tip in WHOLE else 'json'}"


@cache
def hybrid_header() -> bytes:
    """The one header of the default profile; what it wraps is kept, not how."""
    envelope = sealed("three-files")

    def right(data: bytes) -> bytes | None:
        header = parse_base64(text_in(data, "header").decode(), "header")
        found = age.unwrap(age.parse_header(header)[0], [builders.HYBRID_DESK])
        return header if found == envelope.file_key else None

    return kept("valid/envelope/hybrid.json", right, lambda: envelope.header)


def envelope(tip: str, profile: str = CLASSIC) -> dict[str, Json]:
    made = sealed(tip, PLAIN, profile)
    header = hybrid_header() if profile == HYBRID else made.header
    record = contribution() if profile == HYBRID else None
    return {
        "container": container_name(tip),
        "edits": [],
        "file_key": made.file_key.hex(),
        "header": format_base64(header),
        "nonce": made.nonce.hex(),
        "record": (record or _record_of(tip, profile)).decode(),
    }


def _record_of(tip: str, profile: str) -> bytes:
    return format_record(sealed(tip, PLAIN, profile).record)


def valid_envelopes() -> Files:
    found = {"hybrid": envelope("three-files", HYBRID), "classic": envelope("three-files")}
    more = {tip: envelope(tip) for tip in TIPS if tip != "three-files"}
    return {name: format_json({**fields}) for name, fields in (found | more).items()}


def age_files() -> Iterator[tuple[str, bytes]]:
    """What travels, for whoever wants to open it with stock `age` and `tar`."""
    for name, profile in {"hybrid": HYBRID, "classic": CLASSIC}.items():
        made = sealed("three-files", PLAIN, profile)
        header = hybrid_header() if profile == HYBRID else made.header
        yield f"envelopes/{name}.age", header + b"".join(made.payload())


# Capsules and replies.


def whole_capsule() -> Capsule:
    return Capsule(
        record=contribution(),
        pre=sealed("three-files").pre,
        proof=prove(tip_hash()),
        nonce=sealed("three-files").nonce,
        headers=(hashlib.sha256(hybrid_header()).digest(),),
    )


def capsule(held: Capsule, seed: str) -> bytes:
    return seal_capsule(held, keys(PLAIN), dice(seed.encode()))


def valid_capsules() -> Files:
    whole = whole_capsule()
    versions = {
        "whole": whole,
        "before-the-receipt": replace(whole, proof=b"", headers=()),
        "burned": replace(whole, nonce=b""),
        "four-headers": replace(whole, headers=tuple(digest(f"{n}") for n in range(4))),
    }
    return {name: capsule(held, name) for name, held in versions.items()}


REPLY_FILE_KEY = digest("file key of the replies")[:16]


@cache
def reply_header() -> bytes:
    """One header serves all replies here, each with a nonce of its own."""
    identity = age.hybrid_identity(keys(PLAIN).reply_seed())

    def right(data: bytes) -> bytes | None:
        header, end = age.parse_header(data[16:])
        found = age.unwrap(header, [identity])
        return data[16 : 16 + end] if found == REPLY_FILE_KEY else None

    fresh = age.seal_header(REPLY_FILE_KEY, [identity.recipient()], dice())
    return kept("valid/reply/an-acknowledgement-0.block", right, lambda: fresh)


def reply_room() -> int:
    return REPLY_BYTES - len(reply_header()) - age.sealed_bytes(0)


def reply_block(framed: bytes, counter: int, seed: str) -> bytes:
    """A block with these bytes inside, filled up with zeros."""
    content = framed.ljust(reply_room(), b"\0")
    payload = age.seal_stream(REPLY_FILE_KEY, digest(seed)[:16], [content])
    return reply_tag(keys(PLAIN).tag_key(), counter) + reply_header() + b"".join(payload)


def framed_reply(body: bytes, counter: int, tag_key: bytes | None = None) -> bytes:
    mac = reply_mac(tag_key or keys(PLAIN).tag_key(), counter, body)
    return length_prefixed(body) + mac


def reply_body(**texts: Json) -> bytes:
    return format_json({"acknowledgement": "", "credit": "", "proof": "", "text": ""} | texts)


def acknowledged() -> bytes:
    proof = prove(record_hash(answer()), NOON + DAY)
    return reply_body(
        acknowledgement=answer().decode(), proof=proof.decode(), text="We have it."
    )


def valid_replies() -> Files:
    bodies = {
        "an-acknowledgement-0": acknowledged(),
        "a-text-1": reply_body(text="Könnten Sie „Mai“ genauer sagen?\n"),
        "an-offer-2": reply_body(credit=offer().decode(), text="This tip may be credited."),
        "the-last-counter-4294967295": reply_body(text="enough"),
    }
    return {
        name: reply_block(framed_reply(body, _counter(name)), _counter(name), name)
        for name, body in bodies.items()
    }


def _counter(name: str) -> int:
    return int(name.rpartition("-")[2])


# Openings.


def opening_record(places: tuple[int, ...] = (), **changes: Value) -> Record:
    ed25519, mldsa65 = keys(PLAIN).author_public()
    fields: dict[str, Value] = {
        "programme": PLAIN.programme,
        "record": tip_hash(),
        "scope": "items" if places else "all",
        "items": places_hash(places),
        "purpose": "court",
        "ed25519": ed25519,
        "mldsa65": mldsa65,
        "blind": keys(PLAIN).blind(sealed("three-files").pre),
    }
    return make_record("opening", **fields | changes)


@cache
def opened_by_source(places: tuple[int, ...] = ()) -> bytes:
    name = "items" if places else "whole"
    path = f"valid/opening/{name}.json"
    return signed_twice(opening_record(places), keys(PLAIN), path, "opening")


def whole_opening(opening: bytes | None = None) -> OpeningBundle:
    opening = opened_by_source() if opening is None else opening
    return OpeningBundle(
        opening=opening,
        opening_proof=prove(record_hash(opening), NOON + 2 * DAY),
        record=contribution(),
        proof=prove(tip_hash()),
        file_key=sealed("three-files").file_key,
    )


def opening_of_items(places: tuple[int, ...], opening: bytes) -> OpeningBundle:
    answered = prove(record_hash(answer()), NOON + DAY)
    return replace(
        whole_opening(opening),
        file_key=b"",
        acknowledgement=answer(),
        acknowledgement_proof=answered,
        items=select_items(manifest("three-files").files, places),
    )


def openings() -> dict[str, OpeningBundle]:
    whole = whole_opening()
    return {
        "whole": whole,
        "whole-not-logged": replace(whole, opening_proof=b""),
        "items": opening_of_items((1, 3), opened_by_source((1, 3))),
        "by-the-desk": whole_opening(opened_by_desk()),
        "items-by-the-desk": opening_of_items((2,), opened_by_desk((2,))),
    }


def valid_openings() -> Files:
    return {name: format_opening(each) for name, each in openings().items()}


# Credits and the Gazette.


def valid_credits() -> Files:
    return {"plain": credit_of(PLAIN), "token": credit_of(BLIND), "plain-by-three": by_three()}


def by_three() -> bytes:
    return sign_record(parse_signed(credit_of(PLAIN)).record, builders.MEMBERS)


def valid_gazettes() -> Files:
    every = [*entries(BLIND), *map(by_board, later_acts(BLIND))]
    return {
        "founded-1": format_entries(entries(PLAIN)[:1]),
        "plain-3": format_entries(entries(PLAIN)),
        "blind-4": format_entries(entries(BLIND)),
        f"every-act-{len(every)}": format_entries(every),
    }


VALID = {
    "words": valid_words,
    "record": valid_records,
    "gazette": valid_gazettes,
    "manifest": valid_manifests,
    "container": valid_containers,
    "envelope": valid_envelopes,
    "capsule": valid_capsules,
    "reply": valid_replies,
    "opening": valid_openings,
    "claim": valid_claims,
    "credit": valid_credits,
}
