"""What the desk enters and hands out is what the board signed, whatever breaks in between."""

from dataclasses import replace

import pytest
from tests.parties.desk.credit_town import Town, replies
from tests.parties.desk.desk_world import Crash
from tests.protocol.builders import MEMBERS, STRANGER

from safeconduct.errors import (
    MalformedError,
    RefusedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.desk.assess import assessment_for
from safeconduct.parties.desk.credit import (
    draft,
    issue,
    issued,
)
from safeconduct.parties.desk.credit_store import CreditStore, open_credits
from safeconduct.plumbing import openssl
from safeconduct.protocol.credit import (
    open_credit,
)
from safeconduct.protocol.record import (
    Record,
    Value,
    sign_record,
)
from safeconduct.protocol.tlog.note import SigningKey

ALTERED: dict[str, Value] = {
    "class": "corroborated",
    "request": b"\x09" * 32,
    "record": b"\x09" * 32,
    "programme": b"\x09" * 32,
}


class TestBoard:
    """What is not exactly as drafted, or not signed by enough, is not entered."""

    def nothing(self, town: Town, digest: bytes, link: bytes, credit: bytes) -> str:
        with pytest.raises((MalformedError, UnverifiedError)) as caught:
            issue(town.world.desk, digest, link, credit, town.pem)
        with open_credits(town.world.folder) as store:
            assert store.link(digest) is None
        assert assessment_for(town.world.desk, digest)[1]  # the tip is as free as before
        return caught.value.message

    @pytest.mark.parametrize(
        "board",
        [
            pytest.param(MEMBERS[:1], id="one of three"),
            pytest.param((MEMBERS[0], STRANGER), id="a stranger for the second"),
            pytest.param((MEMBERS[0], MEMBERS[0]), id="one who signs twice"),
        ],
    )
    def test_a_link_with_too_few_signatures_is_refused(
        self, town: Town, board: tuple[SigningKey, ...]
    ) -> None:
        digest = town.asked()
        drafted, (_, credit) = draft(town.world.desk, digest), town.signed(digest)
        self.nothing(town, digest, sign_record(drafted.link, board), credit)

    @pytest.mark.parametrize("field", ALTERED)
    def test_a_link_that_says_something_else_is_refused(self, town: Town, field: str) -> None:
        digest = town.asked()
        record, (_, credit) = draft(town.world.desk, digest).link, town.signed(digest)
        altered = Record(
            kind=record.kind,
            values=dict(record.values) | {field: ALTERED[field]},
        )
        self.nothing(town, digest, sign_record(altered, MEMBERS[:2]), credit)

    def test_a_plain_credit_for_another_key_is_refused(self, plain: Town) -> None:
        digest = plain.asked()
        link, _ = plain.signed(digest)
        drafted = draft(plain.world.desk, digest).credit
        assert drafted is not None
        values = dict(drafted.values) | {"key": b"\x09" * 32}
        other = sign_record(Record(kind="credit", values=values), MEMBERS[:2])
        assert "not the one that was drafted" in self.nothing(plain, digest, link, other)

    def test_a_plain_credit_that_one_member_signed_is_refused(self, plain: Town) -> None:
        digest = plain.asked()
        link, _ = plain.signed(digest)
        self.nothing(plain, digest, link, plain.signed(digest, MEMBERS[:1])[1])

    def test_a_board_that_was_replaced_grants_no_new_credit(self, town: Town) -> None:
        digest = town.asked()
        link, credit = town.signed(digest)
        new = replace(town.state.roster, number=1, members=(STRANGER.verifier(),), threshold=1)
        state = replace(town.state, rosters=(town.state.roster, new))
        with pytest.raises(UnverifiedError, match="has no say here"):
            issue(
                replace(town.world.desk, gazette=lambda: state), digest, link, credit, town.pem
            )
        town.issue(digest)  # under the Gazette as it was

    def test_without_the_signed_credit_no_link_is_entered(self, plain: Town) -> None:
        digest = plain.asked()
        link, _ = plain.signed(digest)
        with pytest.raises(RefusedError, match="signed credit is missing"):
            issue(plain.world.desk, digest, link)
        assert assessment_for(plain.world.desk, digest)[1]


class TestIssuingKey:
    """The blind signature is by the one key of the group, and checked before it leaves."""

    def test_without_the_key_no_link_is_entered(self, blind: Town) -> None:
        digest = blind.asked()
        link, _ = blind.signed(digest)
        with pytest.raises(RefusedError, match="takes the issuing key"):
            issue(blind.world.desk, digest, link)
        assert assessment_for(blind.world.desk, digest)[1]

    def test_the_key_of_another_group_signs_nothing(self, blind: Town) -> None:
        digest = blind.asked()
        swapped = tuple(
            replace(one, key=other.key)
            for one, other in zip(
                blind.state.issuing_keys, reversed(blind.state.issuing_keys), strict=True
            )
        )
        link, _ = blind.signed(digest)
        state = replace(blind.state, issuing_keys=swapped)
        desk = replace(blind.world.desk, gazette=lambda: state)
        with pytest.raises(SafeconductError):  # the request was blinded for another key, too
            issue(desk, digest, link, b"", blind.pem)
        with open_credits(blind.world.folder) as store:
            assert store.link(digest) is None

    def test_a_faulted_signature_never_leaves(
        self, blind: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        digest, before = blind.asked(), replies(blind)
        monkeypatch.setattr(openssl, "raw_private", lambda path, block: bytes(511) + b"\x05")
        with pytest.raises(UnverifiedError):
            blind.issue(digest)
        assert (replies(blind), issued(blind.world.desk)) == (before, {})
        monkeypatch.undo()
        blind.issue(digest)
        assert open_credit(blind.credit(), blind.state).group == blind.group()


STEPS = (
    "enter_link",
    "enter_proof",
    "enter_answer",
)


class TestCrashes:
    """Killed between any two steps and run again, it comes to the same bytes."""

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    @pytest.mark.parametrize("step", STEPS)
    def test_killed_at_a_step_of_the_store(
        self, town: Town, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
    ) -> None:
        digest = town.asked()
        link, credit = town.signed(digest)
        true = getattr(CreditStore, step)

        def crash(*arguments: object) -> None:
            if after:
                true(*arguments)
            raise Crash

        monkeypatch.setattr(CreditStore, step, crash)
        with pytest.raises(Crash):
            issue(town.world.desk, digest, link, credit, town.pem)
        monkeypatch.undo()
        issue(town.world.again(), digest, link, credit, town.pem)
        self.same_as_undisturbed(town, digest, link, credit)

    def test_killed_after_the_ledger_has_it(self, town: Town) -> None:
        digest = town.asked()
        link, credit = town.signed(digest)

        def log(record: bytes) -> bytes:
            town.world.ledger.log(record)
            raise Crash

        with pytest.raises(Crash):
            issue(replace(town.world.desk, log=log), digest, link, credit, town.pem)
        issue(town.world.again(), digest, link, credit, town.pem)
        self.same_as_undisturbed(town, digest, link, credit)

    def test_killed_before_the_reply_is_posted(self, town: Town) -> None:
        digest = town.asked()
        link, credit = town.signed(digest)
        town.world.door.away = True
        with pytest.raises(UnavailableError):
            issue(town.world.desk, digest, link, credit, town.pem)
        town.world.door.away = False
        issue(town.world.again(), digest, link, credit, town.pem)
        self.same_as_undisturbed(town, digest, link, credit)

    def same_as_undisturbed(
        self, town: Town, digest: bytes, link: bytes, credit: bytes
    ) -> None:
        with open_credits(town.world.folder) as store:
            standing = store.link(digest)
        assert standing is not None
        assert (standing.link, standing.credit) == (link, credit)
        assert replies(town) == 3
        assert town.world.inbox(0)[-1].credit == standing.answer
        assert issued(town.world.desk) == {town.group(): 1}
        assert open_credit(town.credit(), town.state).group == town.group()
