"""Coming back with the words alone: what counts as dated, as acknowledged, and as an answer."""

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.parties.source.network import NOW, PROGRAMME, Network
from tests.protocol import builders

from safeconduct.errors import (
    MalformedError,
    RefusedError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.source import inbox
from safeconduct.parties.source.appeal import make_appeal
from safeconduct.parties.source.claim import Terms, claim_helped
from safeconduct.parties.source.door import SHELF_BYTES_MAX
from safeconduct.parties.source.inbox import (
    Contribution,
    collect_blocks,
    read_inbox,
    search_bulletin,
)
from safeconduct.parties.source.restore import restore
from safeconduct.plumbing import fetch
from safeconduct.plumbing.logs import GAZETTE_AGE_SECONDS_MAX
from safeconduct.protocol.capsule import seal_capsule
from safeconduct.protocol.claim import parse_bundle
from safeconduct.protocol.envelope import acknowledgement
from safeconduct.protocol.keys import TAG_BYTES
from safeconduct.protocol.record import (
    Record,
    parse_signed,
    record_hash,
    sign_record,
    verify_signer,
)
from safeconduct.protocol.reply import BLOCK_BYTES, Reply
from safeconduct.protocol.tlog.note import SigningKey

TERMS = Terms(
    programme=builders.PROGRAMME,
    audience=builders.REGISTRY.name,
    challenge=bytes(32),
    subject="r-0001",
    name=builders.PERSON,
    at=NOW,
)


def said(record: Record, key: SigningKey = builders.DESK, text: str = "Thank you.") -> Reply:
    """A reply that carries `record`, signed and logged."""
    signed = sign_record(record, [key])
    return Reply(text=text, acknowledgement=signed, proof=builders.prove(record_hash(signed)))


def acknowledged(digest: bytes, status: str = "ok", text: str = "Thank you.") -> Reply:
    return said(acknowledgement(builders.PROGRAMME, digest, status, 1), text=text)


def sent(network: Network) -> bytes:
    """Send a tip; returns its record hash."""
    return network.send().receipt.record_hash


def only(network: Network) -> Contribution:
    [contribution] = network.inbox()
    return contribution


def test_words_bring_back_receipt_acknowledgement_and_replies(network: Network) -> None:
    tip = network.send()
    answer = acknowledged(tip.receipt.record_hash)
    network.post(answer)
    network.post(Reply(text="Which month?"), counter=1)
    found = only(network)
    assert found.capsule.record == tip.record
    assert found.receipt == tip.receipt
    assert [reply.text for reply in found.replies] == ["Thank you.", "Which month?"]
    assert (found.acknowledgement, found.status, found.doubts) == (answer, "ok", ())


def forgeries(digest: bytes) -> dict[str, tuple[Reply, str]]:
    """Replies whose acknowledgement does not hold, and what is said about each."""
    good = acknowledged(digest)
    assessment = builders.assessment(digest)
    return {
        "garbage": (Reply(text="", acknowledgement=b"we owe you nothing"), "no empty line"),
        "no proof": (replace(good, proof=b""), "proof"),
        "another's proof": (replace(good, proof=builders.prove(bytes(32))), "root"),
        "not in the Ledger": (
            replace(
                good,
                proof=builders.prove(record_hash(good.acknowledgement), log=builders.GAZETTE),
            ),
            "log",
        ),
        "signed by a stranger": (
            said(acknowledgement(builders.PROGRAMME, digest, "ok", 1), builders.STRANGER),
            "no say here",
        ),
        "an epoch of nobody": (
            said(acknowledgement(builders.PROGRAMME, digest, "ok", 2)),
            "never certified",
        ),
        "another tip": (acknowledged(bytes(32)), "another tip"),
        "another programme": (
            said(acknowledgement(bytes(32), digest, "ok", 1)),
            "another programme",
        ),
        "another kind": (said(assessment), "where acknowledgement is due"),
    }


@pytest.mark.parametrize("case", forgeries(bytes(32)))
def test_an_acknowledgement_that_does_not_hold_is_doubted_and_never_claimed_with(
    case: str, network: Network
) -> None:
    digest = sent(network)
    bad, doubt = forgeries(digest)[case]
    network.post(bad)
    alone = only(network)
    assert (alone.acknowledgement, alone.status) == (None, "")
    assert len(alone.doubts) == 1
    assert doubt in alone.doubts[0]
    assert [reply.text for reply in alone.replies] == [bad.text]
    assert (
        parse_bundle(claim_helped(alone, TERMS, network.chance)).fields["acknowledgement"] == ""
    )
    good = acknowledged(digest)
    network.post(good, counter=1)
    network.post(bad, counter=2)
    fields = parse_bundle(claim_helped(only(network), TERMS, network.chance)).fields
    assert fields["acknowledgement"] == good.acknowledgement.decode()
    assert fields["acknowledgement_proof"] == good.proof.decode()


COUNTS: dict[str, tuple[list[str], int]] = {
    "the first ok, whatever came before": (["mismatch", "ok"], 1),
    "the first ok, whatever came after": (["ok", "unreadable", "ok"], 0),
    "else the newest": (["mismatch", "unreadable", "duplicate"], 2),
}


@pytest.mark.parametrize("case", COUNTS)
def test_of_several_acknowledgements_this_one_counts(case: str, network: Network) -> None:
    statuses, place = COUNTS[case]
    digest = sent(network)
    for counter, status in enumerate(statuses):
        network.post(acknowledged(digest, status, text=str(counter)), counter)
    found = only(network)
    assert found.acknowledgement is not None
    assert found.acknowledgement.text == str(place)
    assert found.status == statuses[place]


def test_a_receipt_that_does_not_verify_is_shown_as_no_date(network: Network) -> None:
    tip = network.send()
    forged = replace(network.found()[0], proof=builders.redated(tip.proof, -60))
    keys = builders.source_keys(0)
    network.capsules.append(keys.slot() + seal_capsule(forged, keys, network.chance))
    assert only(network).receipt is None


def test_wrong_words_find_nothing_and_ask_for_the_same(network: Network) -> None:
    network.post(acknowledged(sent(network)))
    network.asked.clear()
    only(network)
    right, network.asked = network.asked, []
    assert read_inbox(PROGRAMME, bytes(16)) == ()
    assert network.asked == right


def test_a_stale_gazette_proves_no_acknowledgement(network: Network) -> None:
    network.post(acknowledged(sent(network)))
    network.now = NOW + GAZETTE_AGE_SECONDS_MAX + 1
    with pytest.raises(UnavailableError, match="stale"):
        network.inbox()


# Claiming and appealing with what came back.


def test_a_tip_without_its_date_cannot_be_claimed_with(network: Network) -> None:
    sent(network)
    found = only(network)
    undated = replace(found, capsule=replace(found.capsule, proof=b""))
    with pytest.raises(RefusedError, match="no receipt yet"):
        claim_helped(undated, TERMS, network.chance)


def test_a_claim_shows_the_very_tip_and_its_receipt(network: Network) -> None:
    tip = network.send()
    fields = parse_bundle(claim_helped(only(network), TERMS, network.chance)).fields
    assert fields["record"] == tip.record.decode()
    assert fields["proof"] == tip.proof.decode()
    assert fields["name"] == TERMS.name


def test_an_appeal_is_signed_with_the_key_of_the_claim_and_keeps_its_reasons_back(
    network: Network,
) -> None:
    sent(network)
    found = only(network)
    claim = parse_bundle(claim_helped(found, TERMS, network.chance)).record
    decision = b"the decision, signed"
    signed = make_appeal(builders.PROGRAMME, decision, "fact", "I was there.", found.keys)
    key = SigningKey(name="claimant", seed=found.keys.derive("author-ed25519")).verifier()
    appeal = verify_signer(parse_signed(signed, "appeal"), key)
    assert appeal.hash("ed25519") == claim.hash("ed25519") == key.public
    assert appeal.hash("decision") == record_hash(decision)
    assert b"I was there" not in signed
    with pytest.raises(UnverifiedError):
        verify_signer(parse_signed(signed), builders.STRANGER.verifier())


# The bulletin, as it comes.


def block(tag: bytes, number: int = 0) -> bytes:
    return tag.ljust(TAG_BYTES, b"\0") + bytes([number]) * (BLOCK_BYTES - TAG_BYTES)


@pytest.mark.parametrize(
    "size", [7, 1_000, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 1 << 20]
)
def test_blocks_are_found_however_the_bulletin_is_cut(size: int) -> None:
    data = b"".join(block(tag, number) for number, tag in enumerate((b"a", b"b", b"a", b"c")))
    pieces = (data[at : at + size] for at in range(0, len(data), size))
    wanted = {tag.ljust(TAG_BYTES, b"\0") for tag in (b"a", b"c", b"d")}
    assert collect_blocks(pieces, wanted) == {
        b"a".ljust(TAG_BYTES, b"\0"): block(b"a", 0),
        b"c".ljust(TAG_BYTES, b"\0"): block(b"c", 3),
    }


def test_a_bulletin_that_is_cut_short_is_malformed() -> None:
    with pytest.raises(MalformedError, match="whole number of blocks"):
        collect_blocks([block(b"a"), b"rest"], [])


def test_a_long_bulletin_is_searched_in_constant_memory(network: Network) -> None:
    """256 MiB of other people's answers, and one of ours amid them."""
    network.send()
    network.post(Reply(text="Which month?"))
    [ours] = network.blocks
    other = block(b"other") * 64

    def bulletin() -> Iterator[bytes]:
        for number in range(256):
            yield ours if number == 100 else other

    keys = builders.source_keys(0)
    tracemalloc.start()
    try:
        [(_, counter, reply)] = search_bulletin(bulletin, [keys])
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (counter, reply.text) == (0, "Which month?")
    assert peak_bytes < 8 << 20


def test_answers_beyond_those_looked_for_first_are_found_in_a_second_reading(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "COUNTERS_AHEAD", 10)
    network.send()
    for counter in range(0, 24, 4):
        network.post(Reply(text=str(counter)), counter=counter)
    network.asked.clear()
    texts = [reply.text for reply in only(network).replies]
    assert texts == [str(counter) for counter in range(0, 24, 4)]
    assert network.asked.count(("GET", "/bulletin")) == 3


def test_a_credit_that_is_offered_is_seen_and_one_that_does_not_hold_is_not(
    network: Network,
) -> None:
    network.send()
    network.post(Reply(text="", credit=b"we owe you nothing"))
    found = only(network)
    assert (found.offered, found.credit) == (None, b"")


def test_what_strangers_can_make_long_is_read_for_as_long_as_tor_needs(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gibibyte takes three hours at 100 kB a second; in minutes everybody was locked out."""
    allowed: list[float] = []

    def pieces(url: str, *, bytes_max: int, seconds: float, **_: object) -> Iterator[bytes]:
        allowed.append(seconds)
        return network.pieces(url, bytes_max=bytes_max)

    monkeypatch.setattr(fetch, "pieces", pieces)
    network.inbox()
    restore(PROGRAMME, builders.ENTROPY, PROGRAMME.door)
    assert len(allowed) == 3
    assert min(allowed) * 100_000 > SHELF_BYTES_MAX
