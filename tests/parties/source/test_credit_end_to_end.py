"""The real source and the real desk, from a tip to a credit and to a claim's keys."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.parties.source.network import PROGRAMME, Network
from tests.protocol import builders, credited
from tests.protocol.builders import MEMBERS, by_board, epoch_act, founding, statute_act
from tests.system_tools import need_tool

from safeconduct.parties.desk import door as desk_door
from safeconduct.parties.desk.assess import assess
from safeconduct.parties.desk.credit import draft, issue, offer, requests
from safeconduct.parties.desk.desk import Desk
from safeconduct.parties.desk.epoch import new_epoch
from safeconduct.parties.desk.keys import Keyring
from safeconduct.parties.desk.pull import pull
from safeconduct.parties.desk.store import Store
from safeconduct.parties.desk.unseal import unseal_all
from safeconduct.parties.desk.view import show, summarise
from safeconduct.parties.desk.vote import grade
from safeconduct.parties.source.credit import Standing, ask, look
from safeconduct.plumbing.fetch import Response
from safeconduct.protocol.canonical import Json, format_base64, format_json
from safeconduct.protocol.credit import open_credit, redemption_key, serial_of
from safeconduct.protocol.gazette import fold_all
from safeconduct.protocol.record import NO_HASH, record_hash, sign_record


@dataclass
class Staff:
    """The staff's side of the door that the source's network stands for."""

    network: Network

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], bytes_max: int
    ) -> Response:
        answers: dict[str, Callable[[], bytes]] = {
            "deliveries": lambda: self._list(int(body)),
            "payload": lambda: self._payload(body),
            "replies": lambda: self._keep(body),
            "withdrawals": lambda: b"[]",
        }
        return Response(status=200, body=answers[url.rpartition("/")[2]]())

    def stream(
        self, url: str, body: bytes, headers: Mapping[str, str], bytes_max: int, seconds: float
    ) -> Iterator[bytes]:
        yield self.post(url, body, headers, bytes_max).body

    def _list(self, after: int) -> bytes:
        listed: list[Json] = []
        for place, (name, delivery) in enumerate(self.network.delivered.items(), start=1):
            upload = self.network.uploads[name]
            if place > after:
                listed.append(
                    {
                        "number": place,
                        "record": upload.record.decode(),
                        "proof": upload.proof.decode(),
                        "header": format_base64(upload.header),
                        "delivery": delivery.decode(),
                        "delivery_proof": builders.prove(record_hash(delivery)).decode(),
                    }
                )
        return format_json(listed)

    def _payload(self, digest: bytes) -> bytes:
        uploads = self.network.uploads.values()
        return next(
            bytes(each.payload) for each in uploads if record_hash(each.record) == digest
        )

    def _keep(self, block: bytes) -> bytes:
        if block not in self.network.blocks:
            self.network.blocks.append(block)
        return b""


@dataclass
class Both:
    """A source's words and the desk they write to, under one Gazette."""

    network: Network
    desk: Desk
    pem: Path

    def look(self) -> Standing:
        return look(PROGRAMME, builders.ENTROPY, 0)

    def ask(self) -> None:
        ask(
            PROGRAMME,
            self.look(),
            at=self.network.now,
            random_bytes=self.network.chance,
            report=self.network.told.append,
        )

    def pull(self) -> None:
        pull(self.desk)
        assert [step.trouble for step in unseal_all(self.desk) if step.trouble] == []


@pytest.fixture(params=["plain", "blind"])
def both(
    network: Network,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Both:
    monkeypatch.setattr(desk_door, "PATIENCE_SECONDS", 0.0)
    law = credited.credited_law(request.param)
    at = builders.NOON - builders.DAY, builders.NOON + builders.DAY
    epoch = new_epoch(
        tmp_path, builders.PROGRAMME, 1, NO_HASH, *at, random_bytes=network.chance
    )
    entries = [
        sign_record(founding(), MEMBERS),
        by_board(statute_act(law=law)),
        by_board(epoch_act(**epoch.values)),
    ]
    if request.param == "blind":
        need_tool("openssl", "openssl")
        entries.append(by_board(credited.issuing_key_act(fold_all(entries))))
    network.entries = tuple(entries)
    pem = tmp_path / "useful-1.pem"
    pem.write_bytes(credited.issuing_pem())
    pem.chmod(0o600)
    staff = Staff(network=network)
    desk = Desk(
        programme=PROGRAMME,
        folder=tmp_path,
        keys=Keyring(tmp_path),
        store=Store(tmp_path),
        seconds=lambda: network.now,
        random_bytes=network.chance,
        gazette=lambda: fold_all(network.entries),
        log=lambda record: builders.prove(record_hash(record)),
        post=staff.post,
        stream=staff.stream,
    )
    return Both(network=network, desk=desk, pem=pem)


def test_a_tip_becomes_a_credit_that_its_words_alone_can_redeem(both: Both) -> None:
    desk, tip = both.desk, both.network.send().receipt.record_hash
    both.pull()
    for name in ("Anna", "Boris"):
        grade(desk.store, name, tip, "B", 2, [], "It fits the ledger of May.")
    assert assess(desk, tip).grade == "useful"
    offer(desk, tip)
    both.ask()
    both.pull()
    [asked] = requests(desk)
    assert (asked.hash, asked.stands) == (tip, "waits for the board")
    drafted = draft(desk, tip)
    credit = sign_record(drafted.credit, MEMBERS[1:]) if drafted.credit else b""
    issue(desk, tip, sign_record(drafted.link, MEMBERS[:2]), credit, both.pem)
    standing = both.look()
    assert standing.asked is not None
    assert standing.asked.status == "ok"
    held = open_credit(standing.credit, desk.gazette())
    keys = builders.source_keys(0)
    assert held.key == redemption_key(keys, serial_of(keys, held.group))
    assert standing.doubts == ()


def test_the_desk_sees_the_request_as_what_it_is(both: Both) -> None:
    """The follow-up takes its place in the thread, and is graded by nobody."""
    desk, tip = both.desk, both.network.send().receipt.record_hash
    both.pull()
    for name in ("Anna", "Boris"):
        grade(desk.store, name, tip, "B", 2, [], "It fits the ledger of May.")
    assess(desk, tip)
    offer(desk, tip)
    both.ask()
    both.pull()
    [_, asking] = desk.store.tips()
    assert summarise(desk, asking).continues == "continues tip-1"
    assert [each.id for each in show(desk, desk.store.tip(tip)).after] == ["tip-2"]
    assert assess(desk, tip).number == 1  # nothing has changed for the tip
