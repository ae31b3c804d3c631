"""The published files about sealed tips that are wrong, and that no short edit leads to.

A signature or a seal has to be right in them, for one fault alone to be left.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from tests.protocol import builders, credited
from tests.protocol.builders import DAY, DESK, MEMBERS, NOON, STRANGER, prove
from tests.vectors import make_sealed
from tests.vectors import make_shown as right
from tests.vectors import make_statements as said
from tests.vectors.make_statements import Files, digest
from tests.vectors.sealed_world import (
    BLIND,
    CLOSED,
    PLAIN,
    by_board,
    by_door,
    changed,
    contribution,
    credit_of,
    entries,
    epoch,
    founding,
    gate,
    issuing_key,
    keys,
    later_acts,
    ledger_note,
    limit_of,
    sealed,
    signed_twice,
    state,
    statute,
    tip_hash,
)
from tests.vectors.wrong_tips import (
    false_capsules,
    false_envelopes,
    false_replies,
    wrong_capsules,
    wrong_containers,
    wrong_envelopes,
    wrong_replies,
)

from safeconduct.protocol.blind import format_public_key
from safeconduct.protocol.canonical import (
    format_json,
)
from safeconduct.protocol.claim import evidence_hash
from safeconduct.protocol.kinds import NO_NOTE
from safeconduct.protocol.opening import OpeningBundle, format_opening
from safeconduct.protocol.record import (
    Record,
    Value,
    format_record,
    parse_record,
    parse_signed,
    record_hash,
    sign_record,
)
from safeconduct.protocol.tlog.merkle import Frontier, leaf_hash
from safeconduct.protocol.tlog.note import (
    COSIGNATURE,
    Note,
    SigningKey,
    format_note,
    format_vkey,
)
from safeconduct.protocol.tlog.tile import format_bundle as format_entries

# The Gazette.

Entries = list[bytes]


def plain_and(*more: bytes) -> Entries:
    return [*entries(PLAIN), *more]


def all_acts() -> dict[str, Record]:
    return {record.kind: record for record in later_acts(PLAIN)}


def wrong_gazettes() -> Mapping[str, Entries]:
    acts = all_acts()
    first, two = (
        state(PLAIN).epochs[0],
        epoch(PLAIN, number=2, opens=CLOSED, closes=CLOSED + DAY),
    )
    retired, counted = by_board(acts["retirement"]), acts["credit-count"]
    founded = founding(PLAIN)
    return {
        "a-statute-without-a-founding": [by_board(statute(PLAIN))],
        "founded-twice": plain_and(sign_record(founded, MEMBERS)),
        "founded-under-another-name": [
            sign_record(changed(founded, name="example-acb-2028"), MEMBERS)
        ],
        "a-threshold-of-nobody": [sign_record(changed(founded, threshold=0), MEMBERS)],
        "a-threshold-of-less-than-half": [sign_record(changed(founded, threshold=1), MEMBERS)],
        "a-threshold-of-more-than-all": [sign_record(changed(founded, threshold=4), MEMBERS)],
        "the-same-statute-again": plain_and(entries(PLAIN)[1]),
        "a-statute-out-of-sequence": plain_and(by_board(changed(statute(PLAIN), number=3))),
        "an-epoch-that-names-none-before-it": plain_and(by_board(two)),
        "an-epoch-out-of-sequence": plain_and(
            by_board(changed(two, number=3, previous=first.hash))
        ),
        "an-epoch-that-closes-before-it-opens": plain_and(
            by_board(changed(two, previous=first.hash, closes=CLOSED))
        ),
        "a-publication-out-of-sequence": plain_and(
            by_board(changed(acts["publication"], number=2))
        ),
        "counts-that-contradict-each-other": plain_and(
            by_board(changed(acts["count"], claims=1))
        ),
        "an-archive-that-one-opens": plain_and(by_board(changed(acts["archive"], threshold=1))),
        "an-archive-of-17-shares": plain_and(by_board(changed(acts["archive"], shares=17))),
        "an-epoch-retired-twice": plain_and(
            retired, by_board(changed(acts["retirement"], number=2))
        ),
        "a-count-that-goes-back": plain_and(
            by_board(counted), by_board(changed(counted, number=2, issued=19))
        ),
        "a-class-that-no-law-knows": plain_and(by_board(_classed(counted, "worthless"))),
        "a-period-that-no-law-knows": plain_and(by_board(changed(counted, period=2))),
        "an-issuing-key-under-a-plain-law": plain_and(by_board(issuing_key(PLAIN))),
        "a-second-key-for-a-group": [
            *entries(BLIND),
            by_board(changed(issuing_key(BLIND), number=2, key=_another_key())),
        ],
        "a-key-for-two-groups": [
            *entries(BLIND),
            by_board(changed(_classed(issuing_key(BLIND), "corroborated"), number=2)),
        ],
        "a-record-of-the-ledger": plain_and(by_board(make_sealed.decision())),
        "a-roster-out-of-sequence": plain_and(by_board(changed(acts["roster"], number=2))),
        "an-entry-that-is-no-record": plain_and(b"entry"),
        "a-gate-with-another-limit": plain_and(by_door(gate(PLAIN, limit=limit_of(PLAIN) + 1))),
        "a-gate-of-no-date": plain_and(by_door(gate(PLAIN, name="a_date"))),
        "a-gate-without-a-later-tree": plain_and(by_door(gate(PLAIN, after=NO_NOTE))),
        "a-gate-in-which-the-ledger-shrinks": plain_and(
            by_door(gate(PLAIN, before=ledger_note(9, NOON)))
        ),
        "a-second-gate-for-a-date": plain_and(
            by_door(gate(PLAIN)), by_door(gate(PLAIN, number=2))
        ),
        "a-client-of-no-bytes": plain_and(by_board(changed(acts["client"], size=0))),
        "a-client-for-a-path": plain_and(by_board(changed(acts["client"], platform="a/b"))),
    }


def _classed(record: Record, word: str) -> Record:
    return replace(record, values={**record.values, "class": word})


def _another_key() -> str:
    return format_public_key(credited.issuing_key(1))


def false_gazettes() -> Mapping[str, Entries]:
    acts = all_acts()
    count = acts["count"]
    text = parse_signed(by_board(count)).note
    strangers = parse_signed(sign_record(count, [STRANGER])).note.signatures
    founded = parse_signed(entries(PLAIN)[0]).note
    renewed = by_board(acts["roster"])
    twice = Note(text=text.text, signatures=(text.signatures[0],) * 2)
    return {
        "by-one-of-the-board": plain_and(sign_record(count, MEMBERS[:1])),
        "by-a-stranger": plain_and(sign_record(count, [STRANGER, MEMBERS[0]])),
        "with-a-stranger-s-line-more": plain_and(
            format_note(Note(text=text.text, signatures=(*text.signatures, *strangers)))
        ),
        "one-of-the-board-twice": plain_and(format_note(twice)),
        "founded-without-one-of-the-board": [
            format_note(Note(text=founded.text, signatures=founded.signatures[:2]))
        ],
        "an-act-of-another-programme": plain_and(
            by_board(changed(count, programme=BLIND.programme))
        ),
        "an-act-that-was-changed": plain_and(by_board(count).replace(b"claims 3", b"claims 4")),
        "a-publication-under-no-law": plain_and(
            by_board(changed(acts["publication"], statute=digest("law")))
        ),
        "a-retirement-of-another-certificate": plain_and(
            by_board(changed(acts["retirement"], certificate=digest("epoch")))
        ),
        "a-retirement-of-no-epoch": plain_and(by_board(changed(acts["retirement"], epoch=7))),
        "a-gate-signed-by-the-board": plain_and(by_board(gate(PLAIN))),
        "a-client-signed-by-the-door": plain_and(by_door(acts["client"])),
        "a-gate-of-another-log": plain_and(by_door(gate(PLAIN, after=_gazette_note()))),
        "by-the-board-of-before": plain_and(renewed, by_board(count)),
    }


def _gazette_note() -> bytes:
    hashes = [leaf_hash(entry) for entry in entries(PLAIN)]
    frontier = Frontier.empty().extend(hashes)[0]
    return format_note(builders.checkpoint_note(frontier, limit_of(PLAIN), builders.GAZETTE))


def bundles(found: Mapping[str, Entries]) -> Files:
    return {f"{name}-{len(each)}": format_entries(each) for name, each in found.items()}


def wrong_bundles() -> Files:
    good = format_entries(entries(PLAIN))
    fewer = format_entries(entries(PLAIN)[:2])
    cut = {"a-byte-less-3": good[:-1], "a-byte-more-3": good + b"\0", "an-entry-less-3": fewer}
    return bundles(wrong_gazettes()) | cut


# Openings and claims: signed as they must be, for something else.


def false_openings() -> Files:
    def opening(
        name: str, number: int = 0, /, places: tuple[int, ...] = (), **changes: Value
    ) -> bytes:
        by = keys(PLAIN, number)
        ed25519, mldsa65 = by.author_public()
        named: dict[str, Value] = {"ed25519": ed25519, "mldsa65": mldsa65} if number else {}
        record = right.opening_record(places, **named | changes)
        path = f"unverified/opening/{name}.json"
        return signed_twice(record, by, path, "opening")

    whole, items = right.whole_opening, right.opening_of_items
    late = prove(record_hash(said.opened_by_desk()), CLOSED + 31 * DAY)
    found: dict[str, OpeningBundle] = {
        "by-another-author": whole(opening("by-another-author", 1)),
        "of-another-tip-signed": whole(
            opening("of-another-tip-signed", record=tip_hash("many-files"))
        ),
        "of-another-programme": whole(
            opening("of-another-programme", programme=BLIND.programme)
        ),
        "of-items-that-were-not-signed-for": items(
            (1, 2), opening("of-items-that-were-not-signed-for", places=(1,))
        ),
        "all-that-shows-items": items((1,), right.opened_by_source()),
        "items-that-show-all": whole(right.opened_by_source((1, 3))),
        "by-a-stranger-for-the-desk": whole(
            sign_record(parse_signed(said.opened_by_desk()).record, [STRANGER])
        ),
        "by-the-desk-of-another-epoch": whole(
            sign_record(changed(parse_signed(said.opened_by_desk()).record, epoch=3), [DESK])
        ),
        "by-the-desk-of-long-ago": replace(whole(said.opened_by_desk()), opening_proof=late),
        "with-a-receipt-of-something-else": replace(
            whole(), opening_proof=prove(digest("else"))
        ),
        "of-a-tip-that-was-not-dated": replace(whole(), proof=prove(digest("else"))),
        "with-a-file-key-of-another-tip": replace(
            whole(), file_key=sealed("many-files").file_key
        ),
        "with-nothing-but-a-mismatch": _answered(
            items((1, 3), right.opened_by_source((1, 3))), "mismatch"
        ),
        "with-an-answer-by-a-stranger": _answered(
            items((1, 3), right.opened_by_source((1, 3))), "ok", STRANGER
        ),
    }
    return {name: format_opening(each) for name, each in found.items()}


def _answered(bundle: OpeningBundle, status: str, by: SigningKey = DESK) -> OpeningBundle:
    record = changed(parse_signed(said.answer()).record, status=status)
    signed = sign_record(record, [by])
    return replace(
        bundle,
        acknowledgement=signed,
        acknowledgement_proof=prove(record_hash(signed), NOON + DAY),
    )


def false_claims() -> Files:
    terms: dict[str, dict[str, Value]] = {
        "expired": {"expires": NOON - 1},
        "good-for-too-long": {"expires": NOON + 30 * DAY + 1},
        "for-another-audience": {"audience": "clerk.example"},
        "for-another-programme": {"programme": BLIND.programme},
        "under-a-law-nobody-published": {"statute": digest("law")},
        "on-another-contribution": {"record": tip_hash("many-files")},
        "with-another-blind": {"blind": digest("blind")[:16]},
    }
    found = {name: _claimed(name, **changes) for name, changes in terms.items()}
    found |= {name: _showing(name, **shown) for name, shown in false_evidence().items()}
    stranger = sign_record(parse_signed(credit_of(PLAIN)).record, [STRANGER, MEMBERS[0]])
    found["on-a-credit-by-strangers"] = _showing(
        "on-a-credit-by-strangers", "credited", record=stranger.decode()
    )
    token = changed(parse_record(credit_of(BLIND)), prefix=digest("prefix"))
    found["on-a-token-nobody-signed"] = _showing(
        "on-a-token-nobody-signed", "credited-blindly", record=format_record(token).decode()
    )
    return found | {"by-another-author": _by_another("by-another-author")}


def false_evidence() -> Mapping[str, Mapping[str, str]]:
    lone = (builders.OUR_WITNESS,)
    stranger = sign_record(parse_signed(said.answer()).record, [STRANGER])
    graded = sign_record(parse_signed(said.graded()).record, [STRANGER])
    late = prove(record_hash(said.answer()), CLOSED + 31 * DAY)
    return {
        "without-a-quorum": {"proof": prove(tip_hash(), witnesses=lone).decode()},
        "with-a-receipt-of-something-else": {"proof": prove(digest("else")).decode()},
        "with-a-receipt-of-the-gazette": {
            "proof": prove(tip_hash(), log=builders.GAZETTE).decode()
        },
        "with-an-answer-by-a-stranger": {
            "acknowledgement": stranger.decode(),
            "acknowledgement_proof": prove(record_hash(stranger), NOON + DAY).decode(),
        },
        "with-an-assessment-by-a-stranger": {
            "assessment": graded.decode(),
            "assessment_proof": prove(record_hash(graded), NOON + 2 * DAY).decode(),
        },
        "with-an-answer-by-a-key-of-old": {"acknowledgement_proof": late.decode()},
        "on-a-contribution-of-another-programme": {
            "record": contribution("three-files", BLIND).decode(),
            "proof": prove(tip_hash("three-files", BLIND)).decode(),
        },
    }


def _claimed(name: str, /, **changes: Value) -> bytes:
    record = right.claim_record("helped", **changes)
    path = f"unverified/claim/{name}.json"
    return right.bundle("helped", right.bundled_claim(record, "helped", path))


def _showing(name: str, limb: str = "helped", /, **shown: str) -> bytes:
    """A bundle with other evidence, for which the claimant has signed."""
    texts = {**right.evidence(limb), **shown}
    record = right.claim_record(
        limb,
        evidence=evidence_hash(texts),
        record=record_hash(texts["record"].encode()),
    )
    path = f"unverified/claim/{name}.json"
    return right.bundle(limb, right.bundled_claim(record, limb, path), texts)


def _by_another(name: str) -> bytes:
    by = keys(PLAIN, 1)
    ed25519, mldsa65 = by.author_public()
    record = right.claim_record("helped", ed25519=ed25519, mldsa65=mldsa65)
    signed = signed_twice(record, by, f"unverified/claim/{name}.json", "claim")
    return right.bundle("helped", signed)


def false_credits() -> Files:
    record = parse_signed(credit_of(PLAIN)).record
    return {
        "credit-by-strangers": sign_record(record, [STRANGER, MEMBERS[0]]),
        "credit-of-another-programme": by_board(changed(record, programme=BLIND.programme)),
    }


def wrong_claims() -> Files:
    empty = {"delivery": "", "delivery_proof": "", "opening": ""}
    texts = {
        "claim": right.claim("helped").decode(),
        "name": right.PERSON,
        "name_salt": right.NAME_SALT.hex(),
    }
    return {
        "an-opening-that-is-empty": format_json({**texts, **right.evidence("helped"), **empty})
    }


def wrong_records() -> Files:
    good = entries(PLAIN)[0]
    server = builders.SERVER
    witness = format_vkey(server.verifier(COSIGNATURE)).encode()
    return {
        "a-key-of-a-witness": good.replace(format_vkey(server.verifier()).encode(), witness)
    }


# The saved Gazette: as signed by log and witnesses, or not.


def wrong_saved() -> Files:
    good, line = make_sealed.saved(entries(PLAIN)), len(make_sealed.SAVED_LINE)
    folded_no_more = [*entries(PLAIN), by_board(changed(epoch(PLAIN), number=3))]
    return {
        "another-first-line": good.replace(b"gazette v1", b"gazette v2", 1),
        "no-first-line": good[line:],
        "no-line-feed": good[: line - 1] + good[line:],
        "nothing-but-its-first-line": good[:line],
        "a-byte-less": good[:-1],
        "a-byte-more": good + b"\0",
        "a-length-beyond-the-file": good[:line] + b"\xff\xff\xff\xff" + good[line + 4 :],
        "a-checkpoint-of-no-bytes": good[:line] + bytes(4) + good[line:],
        "acts-that-do-not-follow": make_sealed.saved(folded_no_more),
    }


def false_saved() -> Files:
    whole = entries(PLAIN)
    saved = make_sealed.saved
    lone = (builders.OUR_WITNESS,)
    return {
        "an-entry-less": saved(whole, shown=whole[:2]),
        "an-entry-more": saved(whole[:2], shown=whole),
        "entries-exchanged": saved(whole, shown=(whole[0], whole[2], whole[1])),
        "no-entries": saved(whole, shown=()),
        "an-empty-entry-more": saved(whole, shown=(*whole, b"")),
        "without-a-quorum": saved(whole, witnesses=lone),
        "by-a-strange-log": saved(whole, log=STRANGER),
        "by-the-ledger": saved(whole, log=builders.LEDGER),
    }


MALFORMED: dict[str, Callable[[], Files]] = {
    "saved-gazette": wrong_saved,
    "record": wrong_records,
    "claim": wrong_claims,
    "container": wrong_containers,
    "envelope": wrong_envelopes,
    "capsule": wrong_capsules,
    "reply": wrong_replies,
    "gazette": wrong_bundles,
}
UNVERIFIED: dict[str, Callable[[], Files]] = {
    "saved-gazette": false_saved,
    "envelope": false_envelopes,
    "capsule": false_capsules,
    "reply": false_replies,
    "gazette": lambda: bundles(false_gazettes()),
    "opening": false_openings,
    "claim": false_claims,
    "credit": false_credits,
}
