"""Sealed tips, credits, claims and keys under damage, inside of what seals and signs them.

A damaged signature or seal hides all that lies behind it. So here the damage is done first, and
sealed or signed after that as it must be: then the verifiers have to refuse it by themselves.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from random import Random

import pytest
from tests.fuzz.mutations import damaged, damaged_json
from tests.fuzz.test_fuzz_parsers import LONG, fuzz, seeds
from tests.protocol import builders, credited
from tests.protocol.builders import DESK, MEMBERS, REGISTRY, author_seeds
from tests.vectors import make_sealed, make_shown, make_statements, make_tips, wrong_tips
from tests.vectors.sealed_formats import policy
from tests.vectors.sealed_world import (
    BLIND,
    PLAIN,
    World,
    blind_signature,
    container,
    contribution,
    credit_of,
    destruction,
    group,
    keys,
    later_acts,
    request,
    sealed,
    state,
    tip_hash,
)

from safeconduct.errors import (
    MalformedError,
    RefusedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.source.prepare import load_prepared
from safeconduct.plumbing import shares
from safeconduct.plumbing.words import LANGUAGES, format_words, parse_words
from safeconduct.protocol import age, blind, credit
from safeconduct.protocol.blind import format_public_key, parse_public_key
from safeconduct.protocol.canonical import format_base64, length_prefixed
from safeconduct.protocol.capsule import open_capsule, split_shelf
from safeconduct.protocol.claim import (
    evidence_hash,
    examine,
    open_redemption,
    parse_bundle,
)
from safeconduct.protocol.destruction import verify_destruction
from safeconduct.protocol.dual import sign_dual
from safeconduct.protocol.gazette import fold
from safeconduct.protocol.keys import key_commitment
from safeconduct.protocol.opened import open_with_key
from safeconduct.protocol.opening import (
    examine_inline,
    format_inline,
    parse_opening,
    verify_opening,
)
from safeconduct.protocol.record import Record, format_record, parse_record, sign_record
from safeconduct.protocol.reply import open_reply, split_bulletin
from safeconduct.protocol.tlog.note import SigningKey

pytestmark = pytest.mark.timeout(0 if LONG else 900)

Try = Callable[[Random], object]
OURS = (MalformedError, UnverifiedError)
JUDGED = {
    "claimant_is_subject": True,
    "grave_crime_proven": False,
    "knowing_falsehood_found": False,
}


def damaged_in_some_way(random: Random, documents: Sequence[bytes]) -> bytes:
    return random.choice([damaged, damaged_json])(random, documents)


# Records, damaged and then signed by who must sign them.


def damaged_record(random: Random, texts: Sequence[bytes]) -> Record:
    return parse_record(damaged(random, texts))


def signed_again(
    texts: Sequence[bytes], signers: Sequence[SigningKey], take: Callable[[bytes], object]
) -> Try:
    """Damage to a record's text, signed as if it were meant."""

    def attempt(random: Random) -> object:
        return take(sign_record(damaged_record(random, texts), signers))

    return attempt


def texts_of(*records: bytes) -> list[bytes]:
    return [data.partition(b"\n\n")[0].removesuffix(b"\n") + b"\n" for data in records]


def open_offers(data: bytes) -> None:
    for world in (PLAIN, BLIND):
        credit.open_offer(data, state(world))


def requested(world: World) -> Try:
    texts = [format_record(request(world).record)]
    tip = sealed("three-files", world).record
    seeds_of = author_seeds(keys(world))

    def attempt(random: Random) -> object:
        record = damaged_record(random, texts)
        with suppress(ValueError):  # it names another key than ours: nobody can sign it
            signed = sign_dual(record, *seeds_of)
            return credit.open_request(
                signed, tip, tip_hash("three-files", world), state(world)
            )
        return None

    return attempt


def finished(random: Random) -> object:
    data = damaged(random, [blind_signature()])
    return credit.finish_blind(keys(BLIND), group(BLIND), data, state(BLIND))


def tokens(random: Random) -> object:
    return credit.open_credit(damaged(random, [credit_of(BLIND)]), state(BLIND))


def issuing_keys(random: Random) -> object:
    der = damaged(random, [credited.issuing_key().der])
    key = parse_public_key(format_base64(der))
    assert parse_public_key(format_public_key(key)) == key
    with suppress(*OURS):
        blind.verify(key, b"message", b"\2" * blind.SIGNATURE_BYTES)
    with suppress(*OURS):
        blind.blind(key, b"message", bytes(blind.SALT_BYTES), 2)
    return key


def acts() -> Try:
    texts = [format_record(record) for record in later_acts(BLIND)]
    return signed_again(texts, MEMBERS[:2], partial(fold, state(BLIND)))


# What is sealed.


def capsules(random: Random) -> object:
    bodies = [wrong_tips.capsule_body(), wrong_tips.capsule_body(proof="")]
    body = damaged_in_some_way(random, bodies)
    framed = random.choice([length_prefixed(body), body])[:8_000]
    return open_capsule(wrong_tips.sealed_capsule(framed, "fuzz"), keys(PLAIN))


def replies(random: Random) -> object:
    bodies = [make_tips.acknowledged(), make_tips.reply_body(text="enough")]
    body = damaged_in_some_way(random, bodies)[:8_000]
    block = make_tips.reply_block(make_tips.framed_reply(body, 0), 0, "fuzz")
    return open_reply(block, keys(PLAIN), 0)


def manifests(random: Random) -> object:
    """A container written to what its manifest says, whatever that is."""
    manifest = damaged_json(random, [data for data, _ in seeds("manifest")])
    head = wrong_tips.header("safeconduct.json", len(manifest)) + manifest
    content = head.ljust(-(-len(head) // 512) * 512, b"\0") + container("three-files")[3_584:]
    return opened(content[:65_536].ljust(65_536, b"\0"))


def containers(random: Random) -> object:
    """Damage before the padding, where all the structure is."""
    whole = container("three-files")
    cut = random.choice([1_024, 5_120, 14_848])
    content = damaged(random, [whole[:cut]]) + whole[cut:]
    return opened(content[: len(whole)].ljust(len(whole), b"\0"))


def opened(content: bytes) -> object:
    """The content, sealed and committed to as it is, and opened again."""
    envelope = sealed("three-files")
    payload = b"".join(age.seal_stream(envelope.file_key, envelope.nonce, [content]))
    record = replace(
        envelope.record,
        values={
            **envelope.record.values,
            "payload": hashlib.sha256(payload).digest(),
            "keycommit": key_commitment(envelope.nonce, envelope.file_key),
        },
    )
    return open_with_key(record, envelope.file_key, lambda: [payload], builders.nowhere)


@cache
def inline_text() -> bytes:
    envelope = sealed("three-files")
    return format_inline(envelope.file_key, b"".join(envelope.payload())).encode()


def inline_openings(random: Random) -> object:
    text = damaged_in_some_way(random, [inline_text()]).decode("utf-8", "replace")
    examine_inline(text, sealed("three-files").record)
    return None


# What somebody shows.


def openings(random: Random) -> object:
    files = [data for data, _ in seeds("opening")]
    bundle = parse_opening(damaged_in_some_way(random, files))
    payload = b"".join(sealed("three-files").payload())
    return verify_opening(
        bundle,
        state(PLAIN),
        policy(),
        payload=lambda: [payload],
        files=lambda place: [b"a file"],
    )


def claims(random: Random) -> object:
    """One text of the evidence is damaged, and the claimant has signed for it."""
    shown = dict(make_shown.evidence("helped"))
    name = random.choice(sorted(shown))
    shown[name] = damaged(random, [shown[name].encode()]).decode("utf-8", "replace")
    record = make_shown.claim_record("helped", evidence=evidence_hash(shown))
    signed = sign_dual(record, *author_seeds(keys(PLAIN)))
    bundle = parse_bundle(make_shown.bundle("helped", signed, shown))
    found = examine(bundle, state(PLAIN), policy(), JUDGED)
    assert json.dumps(found.facts)
    if found.shortfalls:
        raise UnverifiedError(found.shortfalls[0])
    return found


# What is typed in.


@cache
def share_lines() -> tuple[str, ...]:
    return tuple(shares.split(bytes(range(32)), 2, 3))


def typed_shares(random: Random) -> object:
    lines = [line.encode() for line in share_lines()]
    typed = [
        damaged(random, lines).decode("utf-8", "replace") if random.random() < 0.6 else line
        for line in share_lines()[:2]
    ]
    return shares.combine([shares.parse_share(line, n) for n, line in enumerate(typed, 1)])


def typed_words(random: Random) -> object:
    phrases = [format_words(bytes(range(16)), language).encode() for language in LANGUAGES]
    text = damaged(random, phrases).decode("utf-8", "replace")
    entropy = parse_words(text, random.choice([None, *LANGUAGES]))
    assert len(entropy) == 16
    return entropy


TARGETS: dict[str, tuple[Callable[[], Try], tuple[type[SafeconductError], ...]]] = {
    "credit offer": (
        lambda: signed_again(texts_of(make_statements.offer()), [DESK], open_offers),
        OURS,
    ),
    "plain credit request": (lambda: requested(PLAIN), OURS),
    "blind credit request": (lambda: requested(BLIND), OURS),
    "credit link": (
        lambda: signed_again(
            [format_record(credit.link_record(request(PLAIN)))],
            MEMBERS[:2],
            lambda data: credit.open_link(data, state(PLAIN)),
        ),
        OURS,
    ),
    "plain credit": (
        lambda: signed_again(
            texts_of(credit_of(PLAIN)),
            MEMBERS[:2],
            lambda data: credit.open_credit(data, state(PLAIN)),
        ),
        OURS,
    ),
    "blind signature": (lambda: finished, OURS),
    "credit token": (lambda: tokens, OURS),
    "issuing key": (lambda: issuing_keys, (MalformedError,)),
    "redemption": (
        lambda: signed_again(
            texts_of(make_sealed.said_by_the_registry()["redemption"]),
            [REGISTRY],
            lambda data: open_redemption(data, state(PLAIN)),
        ),
        OURS,
    ),
    "destruction": (
        lambda: signed_again(
            texts_of(destruction(PLAIN)),
            [DESK],
            lambda data: verify_destruction(data, state(PLAIN)),
        ),
        OURS,
    ),
    "act of the board": (acts, OURS),
    "inside a capsule": (lambda: capsules, (MalformedError,)),
    "inside a reply": (lambda: replies, OURS),
    "inside an envelope": (lambda: containers, OURS),
    "manifest in an envelope": (lambda: manifests, OURS),
    "inline opening": (lambda: inline_openings, OURS),
    "opening": (lambda: openings, OURS),
    "evidence of a claim": (lambda: claims, OURS),
    "shares": (lambda: typed_shares, (MalformedError, RefusedError)),
    "words": (lambda: typed_words, (MalformedError, RefusedError)),
}


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_damaged_inside_is_refused_by_our_own_errors(name: str) -> None:
    build, ours = TARGETS[name]
    attempt = build()
    refused = 0

    def check(random: Random) -> None:
        nonlocal refused
        try:
            attempt(random)
        except ours:
            refused += 1

    fuzz(check)
    assert refused > 0


@cache
def payload() -> bytes:
    return b"".join(sealed("three-files").payload())


PREPARED: dict[str, Callable[[], bytes]] = {
    "contribution.record": contribution,
    "envelope.age": lambda: make_tips.hybrid_header() + payload(),
    "capsule": lambda: make_tips.capsule(make_tips.whole_capsule(), "whole"),
    "slot": lambda: f"{keys(PLAIN).slot().hex()}\n".encode(),
}


def test_a_prepared_folder_with_damage_loads_as_it_is_or_not_at_all(tmp_path: Path) -> None:
    for name, content in PREPARED.items():
        (tmp_path / name).write_bytes(content())
    committed = hashlib.sha256(payload()).digest()
    assert load_prepared(tmp_path).slot == keys(PLAIN).slot()

    def check(random: Random) -> None:
        name = random.choice(sorted(PREPARED))
        whole = PREPARED[name]()
        head = damaged(random, [whole[:2_500]]) + whole[2_500:]
        (tmp_path / name).write_bytes(head)
        with suppress(MalformedError, UnverifiedError, UnavailableError):
            # The rest of the record is its own word, until somebody opens the envelope.
            assert load_prepared(tmp_path).record.hash("payload") == committed
        (tmp_path / name).write_bytes(whole)

    fuzz(check)


def test_a_shelf_and_a_bulletin_of_any_bytes_are_split_or_malformed() -> None:
    shelf = keys(PLAIN).slot() + seeds("capsule")[0][0]
    block = seeds("reply")[0][0]

    def check(random: Random) -> None:
        with suppress(MalformedError):
            split_shelf(damaged(random, [shelf, shelf * 2]))
        with suppress(MalformedError):
            split_bulletin(damaged(random, [block, block * 2]))

    fuzz(check)


def test_the_same_choices_meet_the_same_end() -> None:
    """Or a failure could not be shown again."""
    for build, _ in TARGETS.values():
        ends = []
        for _ in range(2):
            try:
                ends.append(str(type(build()(Random(7)))))
            except SafeconductError as error:
                ends.append(f"{type(error).__name__} {error}")
        assert ends[0] == ends[1]
