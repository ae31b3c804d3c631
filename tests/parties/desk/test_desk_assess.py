"""Votes are independent, a tip's echo vouches for nothing, and every grade has its version."""

import hashlib
from dataclasses import asdict, replace

import pytest
from tests.parties.desk.desk_world import ORIGIN, POLICY, World

from safeconduct.errors import MalformedError, RefusedError, UnverifiedError
from safeconduct.parties.desk.assess import assess, assessment_for, keep_statement
from safeconduct.parties.desk.picture import draw
from safeconduct.parties.desk.store import Assessed
from safeconduct.parties.desk.view import Found, show
from safeconduct.parties.desk.vote import grade, open_votes
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import parse_signed, verify_signer

RUMOUR = (
    "On the ninth of May the deputy minister Igor Balan took two hundred thousand in cash from"
    " the owner of the port, in the back room of the Hotel Lira, and nobody wrote it down."
)
REPORT = (
    "The harbour police logged a grey car at the Hotel Lira that night, plate ending in 417."
)


def _vote(world: World, digest: bytes, *graded: str, accuses: tuple[str, ...] = ()) -> None:
    for name, word in zip(("Anna", "Boris", "Clara"), graded, strict=False):
        grade(world.desk.store, name, digest, word[0], int(word[1]), accuses, "as I read it")


def _found(world: World, digest: bytes) -> list[str]:
    return [found.kind for found in show(world.desk, world.desk.store.tip(digest)).findings]


class TestVotes:
    """Sealed first, opened when all are in."""

    def test_before_all_have_voted_nothing_of_a_vote_is_shown(self, world: World) -> None:
        digest = world.tip(0, RUMOUR)
        reasons, accused = "only I know this reason", "Only I name this man"
        seal = grade(world.desk.store, "Anna", digest, "A", 1, [accused], reasons)
        page = show(world.desk, world.desk.store.tip(digest))
        shown = str(asdict(page))
        assert open_votes(world.desk.store, digest) is None
        assert seal.hex() in shown
        assert reasons not in shown
        assert accused not in shown
        assert "A1" not in shown
        grade(world.desk.store, "Boris", digest, "B", 1, [], "other")
        page = show(world.desk, world.desk.store.tip(digest))
        assert [vote.grade for vote in page.votes] == ["A1", "B1"]
        assert reasons in str(asdict(page))

    def test_a_single_vote_grades_nothing(self, world: World) -> None:
        digest = world.tip(0, RUMOUR)
        _vote(world, digest, "A1")
        with pytest.raises(RefusedError, match="1 of 2 votes are in"):
            assess(world.desk, digest)
        assert world.ledger.asked[2:] == []  # beyond the tip and its acknowledgement

    def test_a_vote_cannot_be_changed(self, world: World) -> None:
        digest = world.tip(0, RUMOUR)
        _vote(world, digest, "A1")
        with pytest.raises(RefusedError, match="a vote stays as it is"):
            grade(world.desk.store, "anna", digest, "B", 2, [], "as I read it")

    def test_one_person_cannot_vote_twice_under_another_spelling(self, world: World) -> None:
        digest = world.tip(0, RUMOUR)
        for spelt in ("Anna K.", " ANNA  k.", "anna K."):
            grade(world.desk.store, spelt, digest, "A", 1, [], "as I read it")
        assert len(world.desk.store.votes(digest)) == 1

    def test_once_open_the_votes_take_no_other(self, world: World) -> None:
        digest = world.tip(0, RUMOUR)
        _vote(world, digest, "B2", "B2")
        with pytest.raises(RefusedError, match="the votes on this tip are open"):
            grade(world.desk.store, "Clara", digest, "F", 6, [], "I saw the others")

    def test_votes_far_apart_stay_closed_until_a_third_is_in(self, world: World) -> None:
        digest = world.tip(0, RUMOUR)
        _vote(world, digest, "A1", "E5")
        page = show(world.desk, world.desk.store.tip(digest))
        assert (page.open, page.summary.votes, page.summary.votes_due) == (False, 2, 3)
        assert [vote.grade for vote in page.votes] == ["", ""]
        with pytest.raises(RefusedError, match="2 of 3"):
            assess(world.desk, digest)
        _vote(world, digest, "A1", "E5", "B2")
        assert assess(world.desk, digest).grade == "useful"

    def test_a_vote_changed_in_the_database_is_caught(self, world: World) -> None:
        digest = world.tip(0, RUMOUR)
        _vote(world, digest, "B2", "B2")
        database = world.desk.store._database
        with database.write() as transaction:
            transaction.execute(
                "UPDATE votes SET vote = CAST(replace(vote, 'B2', 'A1') AS BLOB)"
            )
        with pytest.raises(UnverifiedError, match="not the one that was sealed"):
            assess(world.desk, digest)

    @pytest.mark.parametrize(
        ("name", "reliability", "credibility", "reasons"),
        [
            ("", "A", 1, "fine"),
            ("A\nB", "G", 1, "fine"),
            ("Anna", "G", 1, "fine"),
            ("Anna", "A", 7, "fine"),
            ("Anna", "A", 1, "  "),
            ("Anna\u202e", "A", 1, "fine"),
        ],
    )
    def test_a_vote_that_says_nothing_clear_is_refused(
        self, world: World, name: str, reliability: str, credibility: int, reasons: str
    ) -> None:
        digest = world.tip(0, RUMOUR)
        with pytest.raises(MalformedError):
            grade(world.desk.store, name, digest, reliability, credibility, [], reasons)
        assert world.desk.store.votes(digest) == []

    def test_what_could_not_be_read_is_not_graded(self, world: World) -> None:
        digest = world.send(0, {"message.txt": RUMOUR.encode()})
        with pytest.raises(RefusedError, match="no such tip"):
            grade(world.desk.store, "Anna", digest, "A", 1, [], "fine")


class TestGrades:
    """From votes and findings to the statute's word."""

    def test_confirmed_without_an_independent_origin_is_useful_at_most(
        self, world: World
    ) -> None:
        digest = world.tip(0, RUMOUR)
        _vote(world, digest, "A1", "A1")
        assert assess(world.desk, digest).grade == "useful"

    def test_borne_out_by_another_tip_it_is_corroborated(self, world: World) -> None:
        digest = world.tip(0, RUMOUR)
        world.tip(1, REPORT)
        for name in ("Anna", "Boris"):
            grade(world.desk.store, name, digest, "A", 1, [], "fits", supported_by=["tip-2"])
        assert assess(world.desk, digest).grade == "corroborated"
        assert _found(world, digest) == ["independent"]

    def test_support_that_only_one_assessor_sees_counts_for_nothing(self, world: World) -> None:
        digest = world.tip(0, RUMOUR)
        world.tip(1, REPORT)
        grade(world.desk.store, "Anna", digest, "A", 1, [], "fits", supported_by=["tip-2"])
        grade(world.desk.store, "Boris", digest, "A", 1, [], "does not")
        assert assess(world.desk, digest).grade == "useful"

    @pytest.mark.parametrize(
        "echo",
        [
            pytest.param("attachment", id="its own attachment says the same again"),
            pytest.param("tip", id="another tip has the same wording"),
            pytest.param("statement", id="the press has printed it"),
        ],
    )
    def test_a_tip_borne_out_only_by_itself_is_circular_and_unproven(
        self, world: World, echo: str
    ) -> None:
        copy = f"As our paper has learnt: {RUMOUR.upper()} Thus our informant."
        attached = {"report": copy} if echo == "attachment" else {}
        digest = world.tip(0, RUMOUR, **attached)
        if echo == "tip":
            world.tip(1, copy)
        piece = {"attachment": "tip-1/f0002", "tip": "tip-2"}.get(echo, "")
        if echo == "statement":
            piece = keep_statement(world.desk.store, copy, "The Harbour Herald")
        for name in ("Anna", "Boris"):  # even if both are taken in by it
            grade(world.desk.store, name, digest, "A", 1, [], "sure", supported_by=[piece])
        made = assess(world.desk, digest)
        assert made.grade == "unproven"
        [found] = show(world.desk, world.desk.store.tip(digest)).findings
        assert (found.kind, found.because) == ("circular", (piece,))

    def test_improbable_and_denied_by_another_it_is_false(self, world: World) -> None:
        digest = world.tip(0, RUMOUR)
        denial = keep_statement(
            world.desk.store, "I was abroad in May, ask anybody.", "I. Balan"
        )
        grade(world.desk.store, "Anna", digest, "E", 5, [], "no", denied_by=[denial])
        grade(world.desk.store, "Boris", digest, "E", 5, [], "no")
        assert assess(world.desk, digest).grade == "false"
        assert _found(world, digest) == ["contradiction"]

    def test_two_who_accuse_each_other_are_seen(self, world: World) -> None:
        first, second = world.tip(0, RUMOUR), world.tip(1, REPORT)
        one, two = "Igor Balan", "Petru Moraru"
        for digest, by, accused in ((first, one, two), (second, two, one)):
            for name in ("Anna", "Boris"):
                grade(world.desk.store, name, digest, "C", 3, [accused], "so it says", by=by)
        assess(world.desk, first)
        assert _found(world, first) == ["mutual-framing"]

    def test_sealed_votes_on_one_tip_do_not_leak_into_another(self, world: World) -> None:
        first, second = world.tip(0, RUMOUR), world.tip(1, REPORT)
        men = ("Igor Balan", "Petru Moraru")
        for name in ("Anna", "Boris"):
            grade(world.desk.store, name, first, "C", 3, [men[1]], "so it says", by=men[0])
        grade(world.desk.store, "Anna", second, "C", 3, [men[0]], "so it says", by=men[1])
        assess(world.desk, first)
        assert _found(world, first) == []

    def test_when_more_is_known_a_new_version_is_logged_and_the_old_one_stays(
        self, world: World
    ) -> None:
        digest = world.tip(0, RUMOUR)
        _vote(world, digest, "B2", "B2")
        assert assess(world.desk, digest).grade == "useful"
        keep_statement(world.desk.store, RUMOUR)
        assert assess(world.desk, digest).grade == "unproven"
        assert [made.grade for made in world.desk.store.assessments(digest)] == [
            "useful",
            "unproven",
        ]

    def test_the_record_names_the_hashes_of_votes_and_findings(self, world: World) -> None:
        digest = world.tip(0, RUMOUR, report=RUMOUR)
        _vote(world, digest, "B2", "B2")
        made = assess(world.desk, digest)
        data, proof = assessment_for(world.desk, digest)
        record = verify_signer(
            parse_signed(data, "assessment"), world.state.epochs[0].statement
        )
        assert record.hash("record") == digest
        assert record.hash("votes") == hashlib.sha256(made.votes).digest()
        assert record.hash("findings") == hashlib.sha256(made.findings).digest()
        assert (record.word("grade"), record.number("assessors")) == ("unproven", 2)
        assert verify_receipt(data, proof, POLICY, ORIGIN).record == record

    def test_an_unassessed_tip_has_no_assessment_to_hand_out(self, world: World) -> None:
        with pytest.raises(RefusedError, match="not assessed yet"):
            assessment_for(world.desk, world.tip(0, RUMOUR))


class TestPicture:
    """The findings drawn."""

    def test_a_circle_is_drawn_only_where_the_tip_bears_itself_out(self, world: World) -> None:
        digest = world.tip(0, RUMOUR, report=RUMOUR)
        before = draw(show(world.desk, world.desk.store.tip(digest)))
        assert before is not None
        assert (before.ring, [row.relation for row in before.rows]) == (None, ["part"])
        _vote(world, digest, "B2", "B2")
        assess(world.desk, digest)
        after = draw(show(world.desk, world.desk.store.tip(digest)))
        assert after is not None
        assert after.ring is not None
        assert [row.relation for row in after.rows] == ["echo"]
        assert (
            after.words
            == "tip-1: report.txt of its own origin. Only tip-1 itself bears tip-1 out."
        )

    def test_a_tip_alone_has_no_picture(self, world: World) -> None:
        digest = world.tip(0, RUMOUR)
        assert draw(show(world.desk, world.desk.store.tip(digest))) is None

    def test_a_picture_of_many_pieces_stays_small_and_says_how_many_are_left_out(
        self, world: World
    ) -> None:
        digest = world.tip(0, RUMOUR)
        page = show(world.desk, world.desk.store.tip(digest))
        many = tuple(f"tip-{number}" for number in range(2, 102))
        found = Found(kind="independent", about="tip-1", because=many, words="many")
        picture = draw(replace(page, findings=(found,)))
        assert picture is not None
        assert (len(picture.rows), picture.more) == (40, 60)


def test_an_assessment_is_kept_with_its_own_number(world: World) -> None:
    digest = world.tip(0, RUMOUR)
    _vote(world, digest, "B2", "B2")
    made = assess(world.desk, digest)
    assert isinstance(made, Assessed)
    assert made.number == 1
