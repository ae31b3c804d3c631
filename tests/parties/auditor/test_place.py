"""The file that keeps an audit's place: strict, checked for damage, and its owner's alone."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.parties.auditor import public_folder as made

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.parties.auditor.place import (
    Place,
    format_places,
    load_places,
    parse_places,
    policy_hash,
)
from safeconduct.protocol.canonical import format_json, parse_json
from safeconduct.protocol.tlog.merkle import Frontier, Tree
from safeconduct.protocol.tlog.policy import parse_policy

POLICY = policy_hash(made.POLICY)
TREE = Tree(size=800, root_hash=bytes(32))
PLACE = Place(
    edge=Frontier(size=768, hashes=(b"a" * 32, b"b" * 32)),
    checkpoint=made.checkpoint(made.LEDGER, TREE),
    entry_bytes=32,
    first_at=made.LOGGED_AT,
    last_at=made.LOGGED_AT + 60,
)
FILE = format_places({made.LEDGER.name: PLACE}, POLICY)


@given(
    bundles=st.integers(0, 3),
    entry_bytes=st.none() | st.integers(1, 65_535),
    at=st.integers(0, 1 << 40),
)
def test_places_are_given_back_as_they_were(
    bundles: int, entry_bytes: int | None, at: int
) -> None:
    size = 256 * bundles
    place = Place(
        edge=Frontier(size=size, hashes=(b"x" * 32,) * size.bit_count()),
        checkpoint=PLACE.checkpoint,
        entry_bytes=entry_bytes,
        first_at=at,
        last_at=at,
    )
    data = format_places({"a": place, "b": PLACE}, POLICY)
    assert parse_places(data) == ({"a": place, "b": PLACE}, POLICY)


@given(place=st.integers(0, len(FILE) - 1), bit=st.integers(0, 7))
def test_a_bit_flipped_anywhere_is_noticed(place: int, bit: int) -> None:
    data = bytearray(FILE)
    data[place] ^= 1 << bit
    with pytest.raises(MalformedError):
        parse_places(bytes(data))


WRONG: dict[str, dict[str, object]] = {
    "a size inside a bundle": {"size": 700},
    "a size beyond the checkpoint": {"size": 1024, "edge": ["00" * 32]},
    "a hash too few": {"edge": ["00" * 32]},
    "a hash that is none": {"edge": ["00" * 32, "x"]},
    "a negative time": {"last_at": -1},
    "a number in words": {"size": "768"},
    "a checkpoint that is none": {"checkpoint": "AAAA"},
    "another field": {"more": 1},
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_a_place_that_cannot_be_one_is_refused_though_its_sum_holds(
    change: dict[str, object],
) -> None:
    body = parse_json(FILE.split(b"\n", 2)[2], "test")
    assert isinstance(body, dict)
    logs = body["logs"]
    assert isinstance(logs, dict)
    (place,) = logs.values()
    assert isinstance(place, dict)
    place.update(change)  # type: ignore[arg-type]  # a test may put anything anywhere
    with pytest.raises(MalformedError):
        parse_places(_summed(format_json(body)))


def _summed(body: bytes) -> bytes:
    header = FILE.split(b"\n", 1)[0]
    return header + b"\n" + hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def test_a_kept_place_is_read_again_and_is_its_owners_alone(tmp_path: Path) -> None:
    places = load_places(tmp_path / "places", made.POLICY)
    assert (places.by_origin, places.fault) == ({}, "")
    places.keep(made.LEDGER.name, PLACE)
    assert (tmp_path / "places").stat().st_mode & 0o777 == 0o600
    assert load_places(tmp_path / "places", made.POLICY) == places


def test_places_that_others_may_have_written_are_not_used(tmp_path: Path) -> None:
    (tmp_path / "places").write_bytes(FILE)
    (tmp_path / "places").chmod(0o644)
    places = load_places(tmp_path / "places", made.POLICY)
    assert places.by_origin == {}
    assert "0600" in places.fault


def test_places_kept_under_another_policy_are_not_used(tmp_path: Path) -> None:
    load_places(tmp_path / "places", made.POLICY).keep(made.LEDGER.name, PLACE)
    other = parse_policy(made.POLICY_TEXT.replace(b"two 2 W1", b"two 1 W1"))
    places = load_places(tmp_path / "places", other)
    assert places.by_origin == {}
    assert "another policy" in places.fault


def test_damaged_places_are_not_used(tmp_path: Path) -> None:
    load_places(tmp_path / "places", made.POLICY).keep(made.LEDGER.name, PLACE)
    (tmp_path / "places").write_bytes(FILE[:-1])
    places = load_places(tmp_path / "places", made.POLICY)
    assert places.by_origin == {}
    assert "damaged" in places.fault


def test_another_file_is_not_taken_for_places_and_so_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "policy.txt").write_bytes(made.POLICY_TEXT)
    with pytest.raises(RefusedError, match="not a file that an audit"):
        load_places(tmp_path / "policy.txt", made.POLICY)
