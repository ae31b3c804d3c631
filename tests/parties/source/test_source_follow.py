"""A follow-up proves to the desk, and to nobody else, which contribution it continues."""

import pytest
from tests.parties.source.envelopes import opened
from tests.parties.source.network import PROGRAMME, Network, sources
from tests.protocol import builders

from safeconduct.errors import RefusedError, UnverifiedError
from safeconduct.parties.source.follow import follow
from safeconduct.parties.source.send import Sent
from safeconduct.protocol.tip import check_follows

ANSWER = {"message.txt": b"In May. The receipt lies in the drawer.\n"}


def answer(network: Network, number: int = 0, entropy: bytes = builders.ENTROPY) -> Sent:
    return follow(
        PROGRAMME,
        entropy,
        number,
        sources(ANSWER),
        at=network.now,
        random_bytes=network.chance,
        report=network.told.append,
    )


def test_the_desk_can_check_which_contribution_it_continues(network: Network) -> None:
    first = network.send()
    assert answer(network).number == 1
    tip, continuing = opened(network)
    assert check_follows(continuing.manifest, tip.manifest.tag_key) == first.receipt.record_hash
    assert continuing.files == ANSWER


def test_a_follow_up_may_continue_any_contribution(network: Network) -> None:
    network.send()
    second = network.send({"message.txt": b"Another matter.\n"})
    assert answer(network, 1).number == 2
    _, tip, continuing = opened(network)
    assert continuing.manifest.follows is not None
    assert continuing.manifest.follows.record == second.receipt.record_hash
    check_follows(continuing.manifest, tip.manifest.tag_key)


def test_it_proves_nothing_about_another_tip(network: Network) -> None:
    network.send()
    network.send({"message.txt": b"Another matter.\n"})
    answer(network, 0)
    _, other, continuing = opened(network)
    with pytest.raises(UnverifiedError):
        check_follows(continuing.manifest, other.manifest.tag_key)


def test_from_outside_it_looks_like_any_other(network: Network) -> None:
    """Same fields, same size class, and nothing in the record that names the first."""
    first = network.send()
    answer(network)
    tip, continuing = opened(network)
    assert tip.record.number("size") == continuing.record.number("size")
    shared = {
        name
        for name, value in tip.record.values.items()
        if continuing.record.values[name] == value
    }
    assert shared == {
        "programme", "statute", "epoch", "certificate", "profile", "sealed-by", "size",
    }  # fmt: skip
    assert (
        first.receipt.record_hash.hex().encode()
        not in network.uploads[list(network.delivered)[1]].record
    )


def test_sent_again_it_is_the_same_follow_up(network: Network) -> None:
    network.send()
    once = answer(network)
    assert answer(network) == once
    assert len(network.delivered) == 2


def test_there_must_be_something_to_continue(network: Network) -> None:
    network.send()
    with pytest.raises(RefusedError, match="no contribution 1"):
        answer(network, 1)
    with pytest.raises(RefusedError, match="no contribution 0"):
        answer(network, 0, bytes(16))
    assert len(network.delivered) == 1
