"""The published files about sealed tips that are right: `valid`, and whom to trust."""

import hashlib
from collections.abc import Iterator, Sequence

from tests.protocol import builders
from tests.protocol.builders import DAY, DESK, NOON, REGISTRY, SERVER
from tests.vectors.make_shown import claim, opened_by_source, valid_claims, valid_openings
from tests.vectors.make_statements import (
    Files,
    answer,
    desk_request,
    digest,
    graded,
    offer,
    opened_by_desk,
)
from tests.vectors.make_tips import (
    hybrid_header,
    valid_capsules,
    valid_containers,
    valid_envelopes,
    valid_manifests,
    valid_replies,
)
from tests.vectors.sealed_world import (
    BLIND,
    PLAIN,
    World,
    blind_signature,
    by_board,
    by_door,
    contribution,
    credit_of,
    destruction,
    entries,
    gate,
    group,
    issuing_key,
    keys,
    later_acts,
    request,
    sealed,
    signed_twice,
    statute_hash,
    tip_hash,
)

from safeconduct.plumbing.words import LANGUAGES, format_words
from safeconduct.protocol import age, credit
from safeconduct.protocol.canonical import (
    format_json,
    length_prefixed,
)
from safeconduct.protocol.record import (
    NO_HASH,
    Record,
    Value,
    make_record,
    parse_signed,
    record_hash,
    sign_record,
)
from safeconduct.protocol.tlog.merkle import Frontier, leaf_hash
from safeconduct.protocol.tlog.note import SigningKey, format_note
from safeconduct.protocol.tlog.tile import format_bundle as format_entries


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
    return {
        "contribution": contribution(),
        "issuing-key": by_board(issuing_key(BLIND)),
        "blind-signature": blind_signature(),
        "credit-token": credit_of(BLIND),
        "credit": credit_of(PLAIN),
        **dict(zip(("programme", "statute", "epoch"), entries(PLAIN), strict=True)),
        **{record.kind: by_board(record) for record in later_acts(PLAIN) if _first(record)},
        "gate": by_door(gate(PLAIN)),
        **said_by_the_desk(),
        **said_by_the_source(),
        **said_by_the_registry(),
    }


def _first(record: Record) -> bool:
    return record.kind != "epoch"


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
    of_group: dict[str, Value] = {
        "statute": one.statute,
        "class": one.word,
        "period": one.period,
    }
    redeemed = make_record(
        "redemption",
        programme=PLAIN.programme,
        **of_group,
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
        "panel": by_board(panel()),
        "listing-notice": sign_record(listing_notice(), [REGISTRY]),
        "listing-decision": by_board(listing_decision()),
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
        votes=digest("votes"),
        appeal=NO_HASH,
        result="first",
    )


def panel() -> Record:
    members = [SigningKey(name=f"panel.example/{who}", seed=digest(who)) for who in PANEL]
    return make_record(
        "panel",
        programme=PLAIN.programme,
        number=1,
        previous=NO_HASH,
        threshold=2,
        members=tuple(member.verifier() for member in members),
    )


PANEL = ("dora", "emil", "fritz")


def listing_notice() -> Record:
    return make_record(
        "listing-notice",
        programme=PLAIN.programme,
        statute=statute_hash(PLAIN),
        subject="r-0001",
        listing=digest("listing"),
        reply_until=NOON + DAY,
    )


def listing_decision() -> Record:
    return make_record(
        "listing-decision",
        programme=PLAIN.programme,
        number=1,
        statute=statute_hash(PLAIN),
        subject="r-0001",
        listing=digest("listing"),
        notice=record_hash(sign_record(listing_notice(), [REGISTRY])),
        reply=NO_HASH,
        outcome="registered",
        reasons=digest("reasons"),
        votes=digest("votes"),
        appeal=NO_HASH,
        result="first",
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
    others = {"opening": opened_by_source(), "withdrawal": withdrawn()}
    return signed | requests | capture | others


def withdrawn() -> bytes:
    by, tip = keys(PLAIN), sealed("three-files")
    ed25519, mldsa65 = by.author_public()
    record = make_record(
        "withdrawal",
        programme=PLAIN.programme,
        record=tip_hash(),
        ed25519=ed25519,
        mldsa65=mldsa65,
        blind=by.blind(tip.pre),
    )
    return signed_twice(record, by, "valid/record/withdrawal.record")


def _requested(world: World) -> bytes:
    path = f"valid/record/credit-request-{world.scheme}.record"
    return signed_twice(request(world).record, keys(world), path)


# Credits and the Gazette.


def valid_credits() -> Files:
    return {"plain": credit_of(PLAIN), "token": credit_of(BLIND), "plain-by-three": by_three()}


def by_three() -> bytes:
    return sign_record(parse_signed(credit_of(PLAIN)).record, builders.MEMBERS)


def valid_gazettes() -> Files:
    every = [*entries(BLIND), *map(by_board, later_acts(BLIND)), by_door(gate(BLIND))]
    return {
        "founded-1": format_entries(entries(PLAIN)[:1]),
        "plain-3": format_entries(entries(PLAIN)),
        "blind-4": format_entries(entries(BLIND)),
        f"every-act-{len(every)}": format_entries(every),
    }


SAVED_LINE = b"safeconduct gazette v1\n"


def saved(
    acts: Sequence[bytes],
    *,
    shown: Sequence[bytes] | None = None,
    log: SigningKey = builders.GAZETTE,
    witnesses: Sequence[SigningKey] = (builders.OUR_WITNESS, builders.THEIR_WITNESS),
) -> bytes:
    """A checkpoint of these acts, and beside it what is `shown`."""
    frontier, _ = Frontier.empty().extend([leaf_hash(act) for act in acts])
    signed = format_note(builders.checkpoint_note(frontier, NOON, log, witnesses))
    parts = [signed, *(acts if shown is None else shown)]
    return SAVED_LINE + b"".join(map(length_prefixed, parts))


def valid_saved() -> Files:
    return {"plain": saved(entries(PLAIN)), "just-founded": saved(entries(PLAIN)[:1])}


VALID = {
    "saved-gazette": valid_saved,
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
