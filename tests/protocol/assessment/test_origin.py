"""Copies, citations and one author's pieces have one origin; a paraphrase has its own."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safeconduct.errors import MalformedError
from safeconduct.protocol.assessment.origin import (
    PIECES_MAX,
    TEXT_CHARS_MAX,
    Piece,
    likeness,
    origins,
    shingles,
)

REPORT = (
    "On Tuesday night the deputy opened the harbour book without witnesses and entered forty"
    " names of seamen from the northern quay, then he locked the book in the lower safe and"
    " gave the key to the inspector, who told nobody until the following week."
)
COPIES = {
    "word for word": REPORT,
    "in capitals, other quotes and dashes": REPORT.upper()
    .replace(" ", "  ")
    .replace(",", " –"),
    "with a paragraph added": REPORT
    + " I heard this myself from two people at the market, and everybody there says the same"
    " thing, so I think that it must be true and that somebody should do something about it"
    " before the date, because afterwards nobody will remember who was there and who was not.",
    "an extract": REPORT[:130],
    "a few words exchanged": REPORT.replace("Tuesday", "Monday").replace("forty", "fifty"),
}
OTHERS = {
    "a paraphrase": (
        "Some forty sailors off the north pier were written into the register by the vice"
        " harbour master late on Tuesday. Nobody else was in the room. The inspector has had"
        " the key to the safe downstairs since, and kept silent for days."
    ),
    "another report": (
        "The ferry to the islands was late again because of the fog, and the passengers were"
        " given soup by the crew until the tugs arrived from the outer harbour at noon."
    ),
    "too short to tell": "the harbour book without witnesses",
    "empty": "",
}


@pytest.mark.parametrize("text", COPIES.values(), ids=COPIES.keys())
def test_a_copy_is_known_for_one(text: str) -> None:
    assert likeness(shingles(REPORT), shingles(text)).is_copy
    assert len(origins([Piece(id="a", text=REPORT), Piece(id="b", text=text)])) == 1


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS.keys())
def test_what_is_no_copy_keeps_its_own_origin(text: str) -> None:
    assert not likeness(shingles(REPORT), shingles(text)).is_copy
    assert len(origins([Piece(id="a", text=REPORT), Piece(id="b", text=text)])) == 2


def test_equal_short_answers_of_two_people_are_chance() -> None:
    pieces = [Piece(id="a", text="No comment."), Piece(id="b", text="No comment.")]
    assert len(origins(pieces)) == 2


def test_a_piece_that_cites_another_shares_its_origin() -> None:
    pieces = [
        Piece(id="a", text=REPORT),
        Piece(id="b", text=OTHERS["another report"], cites=("a",)),
    ]
    (origin,) = origins(pieces)
    assert origin.pieces == ("a", "b")
    assert [(tie.one, tie.two, tie.why) for tie in origin.ties] == [("b", "a", "cites")]


def test_two_pieces_that_cite_one_stranger_share_an_origin() -> None:
    pieces = [
        Piece(id="a", text=REPORT, cites=("the barber",)),
        Piece(id="b", text=OTHERS["another report"], cites=("the barber",)),
    ]
    assert [origin.pieces for origin in origins(pieces)] == [("a", "b")]


def test_one_persons_two_pieces_are_one_origin() -> None:
    pieces = [
        Piece(id="a", text=REPORT, by="Anton Weller"),
        Piece(id="b", text=OTHERS["another report"], by="Mr Anton WELLER"),
        Piece(id="c", text=OTHERS["a paraphrase"], by="Maria Lund"),
    ]
    assert [origin.pieces for origin in origins(pieces)] == [("a", "b"), ("c",)]


def test_pieces_by_nobody_known_are_not_one_persons() -> None:
    pieces = [Piece(id="a", text=REPORT), Piece(id="b", text=OTHERS["another report"])]
    assert len(origins(pieces)) == 2


def test_a_chain_of_copies_is_one_origin() -> None:
    pieces = [Piece(id=str(n), text=text) for n, text in enumerate(COPIES.values())]
    (origin,) = origins(pieces)
    assert origin.pieces == ("0", "1", "2", "3", "4")
    assert {tie.why for tie in origin.ties} == {"copy"}
    assert len(origin.ties) == 4


def test_bounds_are_kept() -> None:
    for pieces in (
        [Piece(id=str(n), text="") for n in range(PIECES_MAX + 1)],
        [Piece(id="a", text="x" * (TEXT_CHARS_MAX + 1))],
        [Piece(id="a", text=""), Piece(id="a", text="")],
    ):
        with pytest.raises(MalformedError):
            origins(pieces)


PIECES = st.lists(
    st.builds(
        lambda text, by, cites: (text, by, cites),
        st.sampled_from([*COPIES.values(), *OTHERS.values()]),
        st.sampled_from(["", "Anton Weller", "Maria Lund"]),
        st.lists(st.sampled_from(["0", "1", "2", "outside"]), max_size=1).map(tuple),
    ),
    max_size=6,
)


@given(PIECES)
@settings(max_examples=60)
def test_every_piece_has_exactly_one_origin_whatever_the_order(
    made: list[tuple[str, str, tuple[str, ...]]],
) -> None:
    pieces = [
        Piece(id=str(n), text=text, by=by, cites=cites)
        for n, (text, by, cites) in enumerate(made)
    ]
    found = {frozenset(origin.pieces) for origin in origins(pieces)}
    assert sorted(id_ for origin in found for id_ in origin) == sorted(p.id for p in pieces)
    assert found == {frozenset(origin.pieces) for origin in origins(pieces[::-1])}
