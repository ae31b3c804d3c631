"""A credit, as its source asks for it and holds it: from the words alone, and once."""

import argparse
import io
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.parties.source.envelopes import Opened, opened
from tests.parties.source.network import PROGRAMME, Network
from tests.protocol import builders, credited
from tests.protocol.builders import DESK, STRANGER, by_board

from safeconduct.errors import RefusedError, UnavailableError
from safeconduct.parties.source.credit import (
    ATTEMPTS_MAX,
    Standing,
    ask,
    find_credit,
    look,
)
from safeconduct.parties.source.credit_command import add_verbs
from safeconduct.parties.source.follow import find_one
from safeconduct.plumbing.programme import write_programme
from safeconduct.plumbing.words import format_words
from safeconduct.protocol.canonical import format_json
from safeconduct.protocol.capsule import Found
from safeconduct.protocol.credit import (
    REQUEST_FILE,
    Request,
    blind_signature_record,
    link_record,
    make_offer,
    open_credit,
    open_request,
    redemption_key,
    requested_credit,
    serial_of,
    text_hash,
)
from safeconduct.protocol.envelope import acknowledgement
from safeconduct.protocol.gazette import CreditGroup, GazetteState, fold_all
from safeconduct.protocol.record import format_record, record_hash, sign_record
from safeconduct.protocol.reply import Reply, seal_reply
from safeconduct.protocol.tip import check_follows
from safeconduct.protocol.tlog.note import SigningKey

SCHEMES = ("plain", "blind")


@dataclass
class Case:
    """Contribution 0 of our words, under a law that credits; the desk is a few lines here."""

    network: Network
    scheme: str
    tip: bytes
    counter: int = 1

    @property
    def state(self) -> GazetteState:
        return credited.state(self.scheme)

    def say(self, credit: bytes) -> None:
        """The desk's next reply to contribution 0."""
        self.network.post(Reply(text="About your credit.", credit=credit), self.counter)
        self.counter += 1

    def offer(self, tip: bytes = b"", key: SigningKey = DESK) -> None:
        record = make_offer(self.state, tip or self.tip, credited.group(self.scheme), 1)
        self.say(sign_record(record, [key]))

    def look(self, entropy: bytes = builders.ENTROPY) -> Standing:
        return look(PROGRAMME, entropy, 0)

    def ask(self) -> None:
        ask(
            PROGRAMME,
            self.look(),
            at=self.network.now,
            random_bytes=self.network.chance,
            report=self.network.told.append,
        )

    def requests(self) -> list[Opened]:
        return [each for each in opened(self.network) if REQUEST_FILE in each.files]

    def request(self) -> Request:
        """The newest request, as the desk verifies it."""
        data = self.requests()[-1].files[REQUEST_FILE]
        [tip] = [each for each in opened(self.network) if each.hash == self.tip]
        return open_request(data, tip.record, self.tip, self.state)

    def answer(self) -> bytes:
        """What the desk hands out for the newest request."""
        request = self.request()
        if self.scheme == "plain":
            return by_board(requested_credit(request))
        signature = credited.sign_blindly(request.ask)
        return format_record(blind_signature_record(request, signature, self.state))

    def held(self) -> bytes:
        """The way of a credit to its end, and what our words then hold."""
        self.offer()
        self.ask()
        self.say(self.answer())
        return self.look().credit


@pytest.fixture(params=SCHEMES)
def case(network: Network, request: pytest.FixtureRequest) -> Case:
    return make_case(network, request.param)


def make_case(network: Network, scheme: str) -> Case:
    network.entries = credited.entries(scheme)
    return Case(network=network, scheme=scheme, tip=network.send().receipt.record_hash)


class TestAsking:
    """Only for what the desk signed, by a follow-up that the author signed."""

    def test_an_offer_is_found_and_asked_for(self, case: Case) -> None:
        assert case.look().group is None
        case.offer()
        assert case.look().group == credited.group(case.scheme)
        case.ask()
        assert case.request().scheme == case.scheme

    def test_the_request_comes_as_a_follow_up_to_the_tip(self, case: Case) -> None:
        case.offer()
        case.ask()
        tip, asking = opened(case.network)
        assert check_follows(asking.manifest, tip.manifest.tag_key) == case.tip
        assert list(asking.files) == [REQUEST_FILE]

    def test_looking_again_shows_that_it_waits(self, case: Case) -> None:
        case.offer()
        assert case.look().asked is None
        case.ask()
        standing = case.look()
        assert standing.asked is not None
        assert (standing.asked.logged_by, standing.asked.status) == (case.network.now, "")

    def test_the_acknowledgement_of_the_request_is_found(self, case: Case) -> None:
        case.offer()
        keys = case.look().free
        assert keys is not None
        case.ask()
        [asking] = case.requests()
        signed = sign_record(acknowledgement(builders.PROGRAMME, asking.hash, "ok", 1), [DESK])
        reply = Reply(
            text="", acknowledgement=signed, proof=builders.prove(record_hash(signed))
        )
        case.network.blocks.append(
            seal_reply(reply, asking.manifest.reply, keys.tag_key(), 0, case.network.chance)
        )
        standing = case.look()
        assert standing.asked is not None
        assert standing.asked.status == "ok"

    def test_asked_again_it_asks_for_the_same(self, case: Case) -> None:
        case.offer()
        case.ask()
        first = case.request()
        case.ask()
        assert len(case.requests()) == 2
        assert case.request().hash == first.hash

    def test_a_request_takes_no_number_of_the_words(self, case: Case) -> None:
        case.offer()
        case.ask()
        assert [item.keys.number for item in case.network.inbox()] == [0]
        assert case.network.send({"message.txt": b"More.\n"}).number == 1

    def test_a_request_that_was_begun_and_lost_is_asked_anew(self, case: Case) -> None:
        case.offer()
        case.network.away = lambda method, path: path.startswith("/commit")
        with pytest.raises(UnavailableError):
            case.ask()
        case.network.away = lambda method, path: False
        assert case.look().asked is None
        case.ask()
        assert case.request().hash
        assert case.look().asked is not None

    def test_nobody_asks_without_end(self, case: Case) -> None:
        case.offer()
        standing = case.look()
        assert standing.free is not None
        worn = replace(standing, free=replace(standing.free, number=ATTEMPTS_MAX))
        with pytest.raises(RefusedError, match="16 times"):
            ask(
                PROGRAMME,
                worn,
                at=case.network.now,
                random_bytes=case.network.chance,
                report=case.network.told.append,
            )

    def test_without_an_offer_nothing_is_asked(self, case: Case) -> None:
        with pytest.raises(RefusedError, match="no credit was offered"):
            case.ask()
        assert case.requests() == []

    @pytest.mark.parametrize(
        ("forge", "reason"),
        [
            pytest.param(lambda c: c.offer(key=STRANGER), "stranger", id="by a stranger"),
            pytest.param(lambda c: c.offer(tip=b"\x07" * 32), "another tip", id="another tip"),
            pytest.param(lambda c: c.say(b"safeconduct/v1/credit-offer\n"), "", id="garbage"),
            pytest.param(lambda c: c.say(of_other_scheme(c)), "credits are", id="other scheme"),
        ],
    )
    def test_a_forged_offer_is_told_and_not_taken(
        self, case: Case, forge: Callable[[Case], None], reason: str
    ) -> None:
        forge(case)
        standing = case.look()
        assert standing.group is None
        [doubt] = standing.doubts
        assert reason in doubt
        with pytest.raises(RefusedError):
            case.ask()


@pytest.mark.parametrize("undated", [False, True])
def test_an_offer_of_a_period_of_ones_own_is_told_and_not_taken(
    undated: bool, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever alone has credits of some period is known by it when they claim.

    A tip that was prepared without a network has no receipt in its capsule, but an epoch.
    """
    if undated:
        monkeypatch.setattr(
            "safeconduct.parties.source.credit.find_one",
            lambda *given: without_proof(find_one(*given)),
        )
    law: Any = credited.document(periods=["spring", "the_date"])
    law["parameters"]["spring"] = law["parameters"]["the_date"] | {
        "value": "2027-03-01T00:00:00Z"
    }
    network.entries = (
        *credited.entries()[:1],
        by_board(builders.statute_act(law=format_json(law))),
        credited.entries()[2],
    )
    case = Case(network=network, scheme="plain", tip=network.send().receipt.record_hash)
    state = fold_all(network.entries)
    for period, taken in ((2, False), (1, True)):
        group = CreditGroup(statute=state.statutes[0].sha256, word="useful", period=period)
        case.say(sign_record(make_offer(state, case.tip, group, 1), [DESK]))
        standing = case.look()
        assert standing.group == (group if taken else None)
        assert "another law or period than is due" in standing.doubts[0]


def test_the_same_is_asked_for_whatever_there_is_to_find(network: Network) -> None:
    """Who sees the requests must not see whether the words are good, or a credit is offered."""
    case = make_case(network, "plain")
    looks = []
    for words in (bytes(16), builders.ENTROPY):
        network.asked.clear()
        with suppress(RefusedError):
            case.look(words)
        looks.append(list(network.asked))
    case.offer()
    network.asked.clear()
    case.look()
    assert looks == [network.asked] * 2


def without_proof(tip: Found) -> Found:
    return replace(tip, capsule=replace(tip.capsule, proof=b""))


def of_other_scheme(case: Case) -> bytes:
    """An offer as our desk would sign it, of credits that the law does not grant."""
    record = make_offer(case.state, case.tip, credited.group(case.scheme), 1)
    other = "plain" if case.scheme == "blind" else "blind"
    values = dict(record.values) | {"scheme": other}
    return sign_record(replace(record, values=values), [DESK])


class TestHolding:
    """What came is verified, and comes back from words at each look."""

    def test_from_the_offer_to_a_credit_that_anybody_accepts(self, case: Case) -> None:
        opened_ = open_credit(case.held(), case.state)
        keys = builders.source_keys(0)
        assert opened_.group == credited.group(case.scheme)
        assert opened_.key == redemption_key(keys, serial_of(keys, opened_.group))

    def test_the_same_credit_comes_back_each_time(self, case: Case) -> None:
        first = case.held()
        assert case.look().credit == first
        replies = case.network.inbox()[0].replies
        assert find_credit(replies, builders.source_keys(0), case.state) == first

    def test_other_words_find_no_credit(self, case: Case) -> None:
        case.held()
        replies = case.network.inbox()[0].replies
        assert find_credit(replies, builders.source_keys(1), case.state) is None

    def test_after_a_second_request_the_first_answer_still_counts(self, case: Case) -> None:
        case.offer()
        case.ask()
        answer = case.answer()
        case.ask()
        case.say(answer)
        assert open_credit(case.look().credit, case.state)

    def test_a_blind_credit_has_nothing_in_common_with_what_the_desk_saw(
        self, network: Network
    ) -> None:
        case = make_case(network, "blind")
        token = case.held()
        request, link = case.request(), format_record(link_record(case.request()))
        seen = [request.ask, text_hash(request.record), case.tip]
        shown = open_credit(token, case.state)
        for value in (shown.key, shown.nullifier):
            assert value not in seen
            assert value.hex().encode() not in format_record(request.record) + link

    def test_a_credit_for_another_key_is_told_and_not_held(self, network: Network) -> None:
        case = make_case(network, "plain")
        case.offer()
        case.ask()
        case.say(credited.held("plain", 1))
        standing = case.look()
        assert standing.credit == b""
        assert "somebody else" in standing.doubts[0]

    def test_a_credit_that_one_member_signed_is_not_held(self, network: Network) -> None:
        case = make_case(network, "plain")
        case.offer()
        case.ask()
        record = requested_credit(case.request())
        case.say(sign_record(record, builders.MEMBERS[:1]))
        assert case.look().credit == b""
        case.say(by_board(record))
        assert case.look().credit == by_board(record)

    def test_a_signature_on_another_message_is_not_held(self, network: Network) -> None:
        case = make_case(network, "blind")
        case.offer()
        case.ask()
        case.say(credited.blind_answer(1))
        standing = case.look()
        assert (standing.credit, len(standing.doubts)) == (b"", 1)


class TestCommand:
    """`source credit`: what it does and says."""

    def run(self, monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: str) -> int:
        monkeypatch.setattr("sys.stdin", io.StringIO(format_words(builders.ENTROPY) + "\n"))
        parser = argparse.ArgumentParser()
        add_verbs(parser.add_subparsers(required=True))
        options = parser.parse_args(["credit", "--programme", str(folder), *arguments])
        status: int = options.run(options)
        return status

    def test_it_asks_once_and_shows_what_came(
        self,
        case: Case,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        write_programme(tmp_path, PROGRAMME)
        self.run(monkeypatch, tmp_path)
        assert "no credit was offered" in capsys.readouterr().out
        case.offer()
        for told in ("asked: a", "asked by 2027-01-15T08:00:00Z: a", "asked by"):
            self.run(monkeypatch, tmp_path)
            assert told in capsys.readouterr().out
        assert len(case.requests()) == 1
        self.run(monkeypatch, tmp_path, "--again")
        assert len(case.requests()) == 2
        case.say(case.answer())
        self.run(monkeypatch, tmp_path)
        told = capsys.readouterr().out
        assert f"you hold a {case.scheme} credit of class useful, period 1" in told
        crowd = 20 if case.scheme == "blind" else 3
        assert "issued 0 of the same kind, redeemed 0" in told
        assert f"redeemed once there are {crowd}" in told
        assert "at a time that you draw by lot" in told
        assert len(case.requests()) == 2
        assert sorted(path.name for path in tmp_path.iterdir()) == [
            "policy.txt", "programme.toml",
        ]  # fmt: skip

    def test_the_credit_is_written_only_when_asked_for_and_there(
        self,
        case: Case,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        write_programme(tmp_path, PROGRAMME)
        out = tmp_path / "mine"
        with pytest.raises(RefusedError, match="no credit to write yet"):
            self.run(monkeypatch, tmp_path, "--out", str(out))
        credit = case.held()
        capsys.readouterr()
        self.run(monkeypatch, tmp_path, "--out", str(out), "--json")
        assert out.read_bytes() == credit
        assert out.stat().st_mode & 0o777 == 0o600
        summary = json.loads(capsys.readouterr().out)
        assert summary["held"] is True
        assert (summary["class"], summary["scheme"]) == ("useful", case.scheme)
