"""Credits at the desk: one for each tip, as drafted and signed, and the same for ever."""

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from tests.parties.desk.credit_town import WORDS, Town, make_town, replies, stands_of
from tests.parties.desk.desk_world import World
from tests.protocol import credited
from tests.protocol.builders import MEMBERS
from tests.protocol.builders import law as law_without_credits

from safeconduct.errors import (
    MalformedError,
    RefusedError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.desk import credit_command
from safeconduct.parties.desk.assess import assessment_for
from safeconduct.parties.desk.credit import (
    Asked,
    count_record,
    draft,
    issue,
    issued,
    offer,
    requests,
)
from safeconduct.parties.desk.credit_store import open_credits
from safeconduct.protocol.canonical import format_json
from safeconduct.protocol.credit import (
    make_request,
    open_credit,
    open_offer,
    redemption_key,
    serial_of,
)
from safeconduct.protocol.dual import sign_dual
from safeconduct.protocol.gazette import (
    CreditCount,
    credit_group,
)
from safeconduct.protocol.record import (
    Record,
    format_record,
    parse_record,
    parse_signed,
    record_hash,
    sign_record,
)


class TestOffer:
    """Only what the law grants is offered, in words and signed."""

    def test_a_graded_tip_is_offered_its_credit(self, town: Town) -> None:
        digest = town.assessed()
        offer(town.world.desk, digest)
        [_, reply] = town.world.inbox(0)
        opened = open_offer(reply.credit, town.state)
        assert opened.hash("record") == digest
        assert credit_group(opened) == town.group()
        assert opened.word("scheme") == town.scheme
        assert "graded useful" in reply.text
        assert "before 2027-06-01T00:00:00Z" in reply.text
        assert ("blindly" in reply.text) == (town.scheme == "blind")

    def test_an_offer_made_again_is_the_same_reply(self, town: Town) -> None:
        digest = town.assessed()
        first, again = offer(town.world.desk, digest), offer(town.world.desk, digest)
        assert first.block == again.block
        assert replies(town) == 2

    def test_an_offer_that_could_not_be_posted_is_posted_as_it_was(self, town: Town) -> None:
        digest = town.assessed()
        town.world.door.away = True
        with pytest.raises(UnavailableError):
            offer(town.world.desk, digest)
        town.world.door.away = False
        offer(town.world.desk, digest)
        assert replies(town) == 2

    @pytest.mark.parametrize(
        ("reliability", "credibility"),
        [pytest.param("E", 5, id="false"), pytest.param("F", 6, id="not to be judged")],
    )
    def test_other_grades_than_the_law_names_are_offered_nothing(
        self, town: Town, reliability: str, credibility: int
    ) -> None:
        digest = town.assessed(0, reliability, credibility)
        with pytest.raises(RefusedError, match="no credits of this class"):
            offer(town.world.desk, digest)
        assert replies(town) == 1

    def test_an_ungraded_tip_is_offered_nothing(self, town: Town) -> None:
        with pytest.raises(RefusedError, match="not assessed yet"):
            offer(town.world.desk, town.world.tip(0, WORDS[0]))

    def test_a_tip_that_was_not_acknowledged_as_ok_is_offered_nothing(self, town: Town) -> None:
        one, other = town.envelope(0), town.envelope(1)
        payload = b"".join(one.payload())
        digest = town.world.door.deliver(format_record(one.record), other.header, payload)
        town.world.run()
        with pytest.raises(RefusedError, match="acknowledged as mismatch"):
            offer(town.world.desk, digest)

    def test_a_law_without_credits_offers_none(self, world: World, tmp_path: Path) -> None:
        town = make_town(world, tmp_path, "plain")
        digest = town.assessed()
        law = replace(town.state.statutes[0], law=law_without_credits())
        state = replace(town.state, statutes=(law,))
        with pytest.raises(RefusedError, match="no credits of this class"):
            offer(replace(world.desk, gazette=lambda: state), digest)

    def test_a_tip_that_counts_without_its_grade_is_offered_none(self, plain: Town) -> None:
        """Sent under a law that asks for no grade: claimed with, it would count again."""
        digest = plain.assessed()
        newest = plain.state.statutes[0]
        for ungraded, word in ((True, "counts it without its grade"), (False, "")):
            law = older_law(ungraded=ungraded)
            # The tip's own law is the older one here, whatever the bytes that it names.
            own = replace(newest, law=law)
            named = replace(newest, number=2, sha256=b"\x05" * 32)
            state = replace(plain.state, statutes=(own, named))
            desk = replace(plain.world.desk, gazette=partial(replace, state))
            if word:
                with pytest.raises(RefusedError, match=word):
                    offer(desk, digest)
            else:
                offer(desk, digest)
                assert replies(plain) == 2

    def test_a_tip_of_after_the_last_period_is_offered_none(self, plain: Town) -> None:
        digest = plain.assessed()
        law = credited.credited_law(periods=["the_date"])
        early = law.replace(b"2027-06-01T00:00:00Z", b"2027-01-14T00:00:00Z")
        assert early != law
        version = replace(plain.state.statutes[0], law=early)
        state = replace(plain.state, statutes=(version,))
        with pytest.raises(RefusedError, match="after the last period"):
            offer(replace(plain.world.desk, gazette=lambda: state), digest)

    def test_without_an_issuing_key_nothing_blind_is_offered(self, blind: Town) -> None:
        state = replace(blind.state, issuing_keys=())
        with pytest.raises(UnverifiedError, match="no key for these credits"):
            offer(replace(blind.world.desk, gazette=lambda: state), blind.assessed())


def older_law(*, ungraded: bool) -> bytes:
    """A law that knows no credits, and perhaps counts tips that nobody has graded."""
    value = credited.document()
    del value["credits"]
    if ungraded:
        [rule] = [part for part in value["sections"] if part.get("rule") == "helped"]
        conditions = rule["if"]["some"][1]["and"]
        conditions.remove(next(each for each in conditions if "in" in each))
    return format_json(value)


class TestRequest:
    """Only the author of the tip may ask, once, for what was offered."""

    def test_a_request_waits_for_the_board(self, town: Town) -> None:
        digest = town.assessed()
        offer(town.world.desk, digest)
        follow_up = town.ask(digest, town.request(digest))
        expected = Asked(
            hash=digest, follow_up=follow_up, group=town.group(), stands="waits for the board"
        )
        assert requests(town.world.desk) == [expected]
        assert requests(town.world.desk) == [expected]

    def test_a_request_sent_twice_is_asked_once(self, town: Town) -> None:
        """Its ML-DSA signature is another each time; what it asks for is the same."""
        digest = town.asked()
        town.ask(digest, town.request(digest), via=20)
        assert [each.refused for each in requests(town.world.desk)] == ["", ""]
        town.issue(digest)
        assert sum(issued(town.world.desk).values()) == 1

    def refused(self, town: Town, digest: bytes, request: bytes, number: int = 0) -> str:
        town.ask(digest, request, via=30, number=number)
        asked = requests(town.world.desk)[-1]
        with pytest.raises(RefusedError, match="nobody asks"):
            draft(town.world.desk, digest)
        return asked.refused

    def test_a_request_by_other_keys_than_the_tips_is_refused(self, town: Town) -> None:
        digest = town.assessed()
        offer(town.world.desk, digest)
        stolen = make_request(town.world.keys(7), bytes(16), digest, town.group(), town.state)
        assert "not by the author" in self.refused(town, digest, stolen)

    def test_a_request_for_another_contribution_is_refused(self, town: Town) -> None:
        digest, other = town.assessed(0), town.assessed(1)
        offer(town.world.desk, other)
        request = town.request(other, 1)
        assert "names another contribution" in self.refused(town, digest, request)

    def test_a_request_that_nobody_offered_is_refused(self, town: Town) -> None:
        digest = town.assessed()
        assert "no such credit was offered" in self.refused(town, digest, town.request(digest))

    def test_a_request_for_a_better_class_than_was_offered_is_refused(self, town: Town) -> None:
        digest = town.assessed()
        offer(town.world.desk, digest)
        request = town.request(digest, group=town.group("corroborated"))
        assert "no such credit was offered" in self.refused(town, digest, request)

    def test_a_request_in_a_tip_that_proves_no_thread_is_refused(self, town: Town) -> None:
        digest = town.assessed()
        offer(town.world.desk, digest)
        reason = self.refused(town, digest, town.request(digest), number=5)
        assert "does not prove which tip" in reason

    def test_what_is_no_request_at_all_is_refused_with_the_reason(self, town: Town) -> None:
        digest = town.assessed()
        offer(town.world.desk, digest)
        assert "note" in self.refused(town, digest, b"pay me")

    def test_a_file_of_another_name_asks_for_nothing(self, town: Town) -> None:
        digest = town.assessed()
        offer(town.world.desk, digest)
        town.ask(digest, town.request(digest), name="credit.txt")
        assert requests(town.world.desk) == []

    def test_a_second_serial_is_refused_with_the_first_as_evidence(self, plain: Town) -> None:
        digest = plain.asked()
        first = requests(plain.world.desk)[0].follow_up
        follow_up = plain.ask(digest, other_serial(plain, digest), via=20)
        again = requests(plain.world.desk)[-1]
        assert again.follow_up == follow_up
        assert first.hex() in again.refused
        drafted = draft(plain.world.desk, digest)
        assert drafted.credit is not None
        serial = serial_of(plain.world.keys(0), plain.group())
        assert drafted.credit.hash("serial") == serial

    def test_after_a_credit_was_given_none_of_another_class_is(self, town: Town) -> None:
        """The tip was graded anew, and its source was offered more: it keeps what it has."""
        digest = town.assessed()
        offer(town.world.desk, digest)
        better = town.group("corroborated")
        with open_credits(town.world.folder) as store:  # as if it had been offered as well
            store.enter_offer(digest, better, b"offer")
        town.ask(digest, town.request(digest))
        town.issue(digest)
        town.ask(digest, town.request(digest, group=better), via=20)
        for _ in range(2):  # and is not taken for issued when one looks again
            asked = requests(town.world.desk)[-1]
            assert "one only" in asked.refused
            assert (asked.stands, asked.group) == ("refused", None)
        with pytest.raises(RefusedError, match="one only"):
            offer(town.world.desk, digest)


def other_serial(town: Town, digest: bytes) -> bytes:
    """A request for the same credit, by the same author, with another serial and key."""
    keys = town.world.keys(0)
    record = parse_signed(town.request(digest)).record
    values = dict(record.values) | {"serial": b"\x07" * 16}
    return sign_dual(
        Record(kind=record.kind, values=values),
        keys.derive("author-ed25519"),
        keys.derive("author-mldsa65"),
    )


class TestIssue:
    """Logged first, handed out then, and the same for ever."""

    def test_from_offer_to_a_credit_that_anybody_accepts(self, town: Town) -> None:
        digest = town.asked()
        town.issue(digest)
        keys = town.world.keys(0)
        opened = open_credit(town.credit(), town.state)
        assert opened.group == town.group()
        assert opened.key == redemption_key(keys, serial_of(keys, town.group()))
        assert [each.stands for each in requests(town.world.desk)] == ["issued"]

    def test_the_link_is_in_the_ledger_before_anything_is_handed_out(self, town: Town) -> None:
        digest = town.asked()
        link, credit = town.signed(digest)
        before = replies(town)
        town.world.ledger.away = True
        away = replace(town.world.desk, log=town.world.ledger.log)
        with pytest.raises(UnavailableError):
            issue(away, digest, link, credit, town.pem)
        assert replies(town) == before
        assert issued(town.world.desk) == {}
        town.world.ledger.away = False
        issue(town.world.desk, digest, link, credit, town.pem)
        assert town.world.ledger.asked[-1] == link
        assert issued(town.world.desk) == {town.group(): 1}

    def test_a_blind_link_names_no_credit_and_a_plain_one_does(self, town: Town) -> None:
        drafted = draft(town.world.desk, town.asked())
        named = drafted.link.hash("credit")
        if drafted.credit is None:
            assert (town.scheme, named) == ("blind", bytes(32))
        else:
            assert named == record_hash(format_record(drafted.credit))

    def test_issued_again_it_is_the_same_reply(self, town: Town) -> None:
        digest = town.asked()
        town.issue(digest)
        link, credit = town.signed(digest, MEMBERS[1:])  # others of the board, the same link
        again = issue(town.world.desk, digest, link, credit)
        assert again.block == town.world.desk.store.replies(digest)[-1].block
        assert replies(town) == 3
        assert sum(entry.startswith(b"safeconduct/v1/credit-link")
                   for entry in town.world.ledger.asked) == 1  # fmt: skip

    def test_a_tip_handed_to_a_registry_is_not_credited(self, town: Town) -> None:
        digest = town.asked()
        link, credit = town.signed(digest)
        assert assessment_for(town.world.desk, digest)[1]
        for act in (
            lambda: offer(town.world.desk, digest),
            lambda: draft(town.world.desk, digest),
            lambda: issue(town.world.desk, digest, link, credit, town.pem),
        ):
            with pytest.raises(RefusedError, match="a registry was given its assessment"):
                act()
        assert issued(town.world.desk) == {}

    def test_a_credited_tip_is_handed_to_no_registry(self, town: Town) -> None:
        digest = town.asked()
        assert draft(town.world.desk, digest)  # a draft alone decides nothing
        town.issue(digest)
        with pytest.raises(RefusedError, match="a credit was given for this tip"):
            assessment_for(town.world.desk, digest)

    def test_a_tip_that_was_graded_down_since_is_not_credited(self, town: Town) -> None:
        digest = town.asked()
        world = town.world
        world.desk.store.enter_assessment(
            replace(world.desk.store.assessments(digest)[-1], grade="false")
        )
        number = world.desk.store.assessments(digest)[-1].number
        world.desk.store.enter_assessment_proof(number, b"proof")
        with pytest.raises(RefusedError, match="nobody asks for a credit of this tip's grade"):
            draft(world.desk, digest)

    def test_a_second_link_for_a_tip_is_refused(self, town: Town) -> None:
        digest = town.asked()
        town.issue(digest)
        other = town.asked(1)
        link, credit = town.signed(other)
        with pytest.raises(UnverifiedError, match="not the one that was drafted"):
            issue(town.world.desk, digest, link, credit, town.pem)


class TestCounts:
    """What the board publishes: so many issued, so many redeemed, and never fewer."""

    def test_each_group_is_counted_apart(self, town: Town) -> None:
        for number in range(2):
            town.issue(town.asked(number))
        town.asked(2)  # asked for, not issued
        assert issued(town.world.desk) == {town.group(): 2}
        record = count_record(town.world.desk, town.group(), 1)
        assert (record.number("issued"), record.number("redeemed")) == (2, 1)
        assert record.number("number") == 1

    def test_a_count_that_would_go_back_is_refused(self, town: Town) -> None:
        before = CreditCount(group=town.group(), issued=5, redeemed=2)
        state = replace(town.state, credit_counts=(before,))
        desk = replace(town.world.desk, gazette=lambda: state)
        with pytest.raises(MalformedError, match="5 issued and 2 redeemed already"):
            count_record(desk, town.group(), 2)

    def test_a_tips_page_says_how_its_credit_stands(self, town: Town) -> None:
        digest = town.assessed()

        def stands() -> str:
            return stands_of(town, digest)

        assert stands() == ""
        offer(town.world.desk, digest)
        assert stands() == "offered"
        town.ask(digest, town.request(digest))
        requests(town.world.desk)
        assert stands() == "asked for; waits for the board"
        town.issue(digest)
        assert stands() == "asked for; issued"
        other = town.assessed(1)
        assert assessment_for(town.world.desk, other)
        assert stands_of(town, other) == "none: a registry was given the assessment for a claim"


class TestCommand:
    """`desk credit …`, as typed."""

    @pytest.fixture
    def run(
        self,
        town: Town,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> Callable[..., str]:
        monkeypatch.setattr(credit_command, "open_desk", lambda folder: town.world.desk)

        def run(*words: str) -> str:
            parser = argparse.ArgumentParser()
            credit_command.add_verbs(parser.add_subparsers(required=True))
            options = parser.parse_args(["credit", *words, "--dir", str(town.world.folder)])
            assert options.run(options) == 0
            return capsys.readouterr().out

        return run

    def test_from_offer_to_issue(
        self, town: Town, tmp_path: Path, run: Callable[..., str]
    ) -> None:
        digest = town.assessed()
        assert run("offer", digest.hex()[:8]) == "tip-1  offered\n"
        town.ask(digest, town.request(digest))
        told = run("list")
        assert told.startswith(
            "tip-1  asked with tip-2  useful  period 1  waits for the board  "
        )
        out = tmp_path / "board"
        files = [Path(line) for line in run("draft", digest.hex(), "--out", str(out)).split()]
        assert {file.name for file in files} == (
            {"credit-link.record", "credit.record"}
            if town.scheme == "plain"
            else {"credit-link.record"}
        )
        for file in files:
            assert file.stat().st_mode & 0o777 == 0o600
            signed = sign_record(parse_record(file.read_bytes()), MEMBERS[:2])
            file.with_suffix(".signed").write_bytes(signed)
        signed_files = ["--link", str(out / "credit-link.signed")]
        if town.scheme == "plain":
            signed_files += ["--credit", str(out / "credit.signed")]
        else:
            signed_files += ["--issuing-key", str(town.pem)]
        assert run("issue", digest.hex(), *signed_files) == "tip-1  issued\n"
        assert open_credit(town.credit(), town.state)
        [listed] = json.loads(run("list", "--json"))
        assert (listed["stands"], listed["class"], listed["refused"]) == (
            "issued",
            "useful",
            "",
        )

    def test_counts_and_their_draft(self, town: Town, run: Callable[..., str]) -> None:
        town.issue(town.asked())
        assert run("count") == "useful  period 1  issued 1  published 0  redeemed 0\n"
        record = parse_record(run("count", "--redeemed", "1").encode(), "credit-count")
        assert (record.number("issued"), record.number("redeemed")) == (1, 1)
        with pytest.raises(RefusedError, match="these are 0"):
            run("count", "--class", "corroborated", "--redeemed", "1")

    def test_refusals_are_told(
        self, town: Town, run: Callable[..., str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        digest = town.assessed()
        town.ask(digest, b"pay me")
        parser = argparse.ArgumentParser()
        credit_command.add_verbs(parser.add_subparsers(required=True))
        options = parser.parse_args(["credit", "list", "--dir", str(town.world.folder)])
        options.run(options)
        told = capsys.readouterr()
        assert told.out == ""
        assert "tip-2" in told.err
