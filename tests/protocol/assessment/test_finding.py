"""Findings: an echo is no corroboration, and two who accuse each other bear out nobody."""

import pytest

from safeconduct.errors import MalformedError
from safeconduct.protocol.assessment.finding import (
    contradicting_origins,
    findings,
    findings_hash,
    findings_json,
    independent_origins,
)
from safeconduct.protocol.assessment.origin import Piece

RUMOUR = (
    "The quartermaster sold the grain of the northern store to the ferry company and wrote in"
    " the ledger that the rats had eaten it, and the clerk was paid to stay away that night."
)
EYEWITNESS = (
    "I stood on the pier and counted thirty sacks being carried aboard after midnight; the"
    " sacks bore the store's mark, and the man who signed for them wears a quartermaster's"
    " coat."
)
LEDGER = (
    "Ledger of the northern store, ninth of May: thirty sacks written off, cause vermin,"
    " initialled twice, countersigned by no one, the page before it cut out with a blade."
)
ITEM = Piece(id="tip", text=RUMOUR, by="", accuses=("Emil Harrow",))


def _kinds(*pieces: Piece) -> list[str]:
    return [finding.kind for finding in findings("tip", [ITEM, *pieces])]


def test_a_rumour_repeated_is_corroborated_by_itself_alone() -> None:
    echoes = [
        Piece(id="copy", text=RUMOUR, claims_support_for="tip"),
        Piece(id="retold", text="As I heard.", cites=("copy",), claims_support_for="tip"),
    ]
    (found,) = findings("tip", [ITEM, *echoes])
    assert found.kind == "circular"
    assert found.because == ("copy", "retold")
    assert found.words == (
        "Its only corroboration is itself: 2 pieces of support, all of its own origin."
    )
    assert independent_origins("tip", [ITEM, *echoes]) == 0


def test_two_independent_origins_are_counted_as_two() -> None:
    pieces = [
        ITEM,
        Piece(id="copy", text=RUMOUR, claims_support_for="tip"),
        Piece(id="pier", text=EYEWITNESS, claims_support_for="tip"),
        Piece(id="page", text=LEDGER, claims_support_for="tip"),
    ]
    (found,) = findings("tip", pieces)
    assert (found.kind, found.because) == ("independent", ("pier", "page"))
    assert found.words == "Borne out by 2 origins independent of it."
    assert independent_origins("tip", pieces) == 2


def test_support_that_cites_the_item_is_not_independent() -> None:
    assert _kinds(
        Piece(id="pier", text=EYEWITNESS, cites=("tip",), claims_support_for="tip")
    ) == ["circular"]


def test_without_support_nothing_is_found() -> None:
    assert _kinds(Piece(id="pier", text=EYEWITNESS)) == []


def test_a_claim_and_its_denial_stand_side_by_side() -> None:
    denial = Piece(id="denial", text="It was rats.", by="Emil Harrow", denies="tip")
    (found,) = findings("tip", [ITEM, denial])
    assert (found.kind, found.because) == ("contradiction", ("tip", "denial"))
    assert found.words == "One piece claims it, and Emil Harrow denies it."


def test_the_denial_of_the_accused_is_heard_but_counts_for_no_origin() -> None:
    own = Piece(id="own", text="It was rats.", by="Mr Emil Harrow", denies="tip")
    other = Piece(id="other", text=LEDGER, by="Ida Marsh", denies="tip")
    assert contradicting_origins("tip", [ITEM, own]) == 0
    assert contradicting_origins("tip", [ITEM, own, other]) == 1


def test_two_who_accuse_each_other_are_found_once() -> None:
    pieces = [
        ITEM,
        Piece(id="a", text=EYEWITNESS, by="Ida Marsh", accuses=("Emil Harrow",)),
        Piece(id="b", text=LEDGER, by="Emil Harrow", accuses=("Ida Marsh", "Jon Pell")),
    ]
    (found,) = findings("tip", pieces)
    assert found.kind == "mutual-framing"
    assert sorted(found.because) == ["a", "b"]
    assert "neither word bears out the other" in found.words


def test_one_who_accuses_in_one_direction_frames_nobody() -> None:
    assert _kinds(Piece(id="a", text=EYEWITNESS, by="Ida Marsh", accuses=("Jon Pell",))) == []


def test_an_item_that_is_not_there_is_refused() -> None:
    with pytest.raises(MalformedError):
        findings("tip", [])


def test_the_hash_of_the_findings_covers_their_words() -> None:
    found = findings("tip", [ITEM, Piece(id="c", text=RUMOUR, claims_support_for="tip")])
    assert b"circular" in findings_json(found)
    assert findings_hash(found) != findings_hash(())
