"""Claiming from the command line: with a tip, with its credit, by showing it; in what order."""

import io
import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.parties.source.network import MESSAGE, PROGRAMME, Network
from tests.parties.source.test_inbox import acknowledged
from tests.parties.source.test_source_credit import SCHEMES, make_case
from tests.protocol import builders, credited

from safeconduct.cli import run
from safeconduct.errors import RefusedError
from safeconduct.parties.source import claim_command, inbox
from safeconduct.plumbing.circuits import Circuit
from safeconduct.plumbing.programme import write_programme
from safeconduct.plumbing.register import Filed, RegisterDoor
from safeconduct.plumbing.words import format_words
from safeconduct.protocol.claim import parse_bundle
from safeconduct.protocol.opening import INLINE_PAYLOAD_BYTES_MAX, examine_inline
from safeconduct.protocol.receipt import Receipt
from safeconduct.protocol.record import (
    Value,
    make_record,
    parse_record,
    parse_signed,
    record_hash,
)


@dataclass
class Register:
    """A register that takes whatever comes; `logged` is what was logged meanwhile."""

    network: Network
    bundles: list[bytes] = field(default_factory=list)
    logged: list[bytes] = field(default_factory=list)

    def challenge(self, _: RegisterDoor) -> tuple[str, bytes]:
        return builders.REGISTRY.name, bytes(32)

    def file(self, _: RegisterDoor, bundle: bytes) -> Filed:
        self.bundles.append(bundle)
        return Filed(number=1, claim=bytes(32), page=bytes(32))

    def log_record(
        self, _: object, record: bytes, *, circuit: Circuit | None
    ) -> tuple[bytes, None]:
        self.logged.append(record)
        return builders.prove(record_hash(record)), None


@pytest.fixture
def register(network: Network, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Register:
    """The register, and the public files and letter in `tmp_path`."""
    register = Register(network)
    monkeypatch.setattr(RegisterDoor, "challenge", lambda door: register.challenge(door))
    monkeypatch.setattr(RegisterDoor, "file", lambda door, data: register.file(door, data))
    monkeypatch.setattr(claim_command, "log_record", register.log_record)
    write_programme(tmp_path, PROGRAMME)
    (tmp_path / "letter.txt").write_bytes(MESSAGE["message.txt"])
    return register


def claim(monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: str) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(format_words(builders.ENTROPY) + "\n"))
    who = ["--programme", str(folder), "--subject", "r-0001", "--name", builders.PERSON]
    return run(["source", "claim", *who, "--wait", "0", *arguments])


def test_a_claim_with_a_tip_says_where_its_page_is(
    register: Register,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sent = register.network.send()
    assert claim(monkeypatch, tmp_path) == 0
    assert capsys.readouterr().out == (
        f"filed as case 1; its private page: http://register.example/case/{'00' * 32}\n"
    )
    bundle = parse_bundle(register.bundles[0])
    assert bundle.fields["record"] == sent.record.decode()
    assert bundle.fields.get("opening", "") == ""
    assert claim(monkeypatch, tmp_path, "--json") == 0
    assert json.loads(capsys.readouterr().out)["case"] == 1


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_claim_with_a_credit_names_no_tip(
    scheme: str, register: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = make_case(register.network, scheme)
    credit = case.held()
    counted(register.network, scheme, 20)
    assert claim(monkeypatch, tmp_path, "--credit") == 0
    [bundle] = register.bundles
    assert parse_bundle(bundle).fields["record"] == credit.decode()
    assert case.tip.hex().encode() not in bundle


def counted(network: Network, scheme: str, issued: int) -> None:
    act = credited.credit_count_act(credited.state(scheme), issued=issued)
    network.entries = (*network.entries, builders.by_board(act))


def test_nobody_is_named_to_the_register_before_there_is_a_crowd_to_hide_in(
    register: Register,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_case(register.network, "blind").held()
    counted(register.network, "blind", 19)
    assert claim(monkeypatch, tmp_path, "--credit") == RefusedError.exit_code
    assert "19 credits of this kind are counted" in capsys.readouterr().err
    assert register.bundles == []


def decided_on(claim: bytes) -> bytes:
    """A decision on this claim, as the board signs it."""
    hashes = ("statute", "facts", "judgement", "reasons", "departure", "votes", "appeal")
    fields: dict[str, Value] = {name: bytes(32) for name in hashes}
    fields |= {"number": 1, "as_of": builders.NOON, "subject": "r-0001"}
    words: dict[str, Value] = {
        "outcome": "registered",
        "disclosure": "open",
        "result": "first",
    }
    record = make_record(
        "decision", programme=builders.PROGRAMME, claim=claim, **fields, **words
    )
    return builders.by_board(record)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_who_claimed_with_a_credit_appeals_with_its_keys(
    scheme: str, register: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_case(register.network, scheme).held()
    counted(register.network, scheme, 20)
    assert claim(monkeypatch, tmp_path, "--credit") == 0
    claimed = parse_bundle(register.bundles[0]).record
    decision = decided_on(record_hash(parse_bundle(register.bundles[0]).claim))
    receipt, signed = register.network.inbox()[0].receipt, list[bytes]()

    def taken(_: object, claim: bytes, appeal: bytes, circuits: object) -> Receipt | None:
        signed.append(appeal)
        return receipt

    monkeypatch.setattr(RegisterDoor, "decision", lambda door, page: decision)
    monkeypatch.setattr(claim_command, "file_appeal", taken)
    monkeypatch.setattr("sys.stdin", io.StringIO(format_words(builders.ENTROPY) + "\n"))
    (tmp_path / "why.txt").write_text("I was there.\n")
    page = ["--page", "00" * 32, "--ground", "fact", "--reasons", str(tmp_path / "why.txt")]
    arguments = ["--programme", str(tmp_path), "--credit", "--wait", "0"]
    assert run(["source", "appeal", *arguments, *page]) == 0
    appeal = parse_signed(signed[0], "appeal").record
    assert appeal.hash("ed25519") == claimed.hash("ed25519")


def test_a_claim_without_the_credit_it_rests_on_goes_nowhere(
    register: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register.network.send()
    assert claim(monkeypatch, tmp_path, "--credit") == RefusedError.exit_code
    assert register.bundles == []


def opening(folder: Path) -> list[str]:
    return ["--opening", "--message", str(folder / "letter.txt")]


def test_a_claim_by_opening_shows_the_tip_and_the_doors_word_for_its_delivery(
    register: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = register.network.send()
    assert claim(monkeypatch, tmp_path, *opening(tmp_path)) == 0
    fields = parse_bundle(register.bundles[0]).fields
    examine_inline(fields["opening"], parse_record(sent.record, "contribution"))
    [delivery] = register.logged
    assert fields["delivery"] == delivery.decode()
    assert parse_signed(delivery, "delivery").record.hash("record") == record_hash(sent.record)
    assert fields["delivery_proof"] == builders.prove(record_hash(delivery)).decode()


def test_only_the_files_that_were_sent_open_a_tip(
    register: Register,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    register.network.send()
    (tmp_path / "letter.txt").write_text("Something else.\n")
    assert claim(monkeypatch, tmp_path, *opening(tmp_path)) == RefusedError.exit_code
    assert "not the files" in capsys.readouterr().err
    assert (register.bundles, register.logged) == ([], [])


def test_a_tip_too_long_for_a_claim_is_shown_by_a_folder(
    register: Register,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    long = bytes(INLINE_PAYLOAD_BYTES_MAX)
    register.network.send({"message.txt": long})
    (tmp_path / "letter.txt").write_bytes(long)
    assert claim(monkeypatch, tmp_path, *opening(tmp_path)) == RefusedError.exit_code
    assert "`source open` writes a folder" in capsys.readouterr().err
    assert register.logged == []


def test_there_is_a_wait_between_the_look_and_the_claim(
    register: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register.network.send()
    said: list[str] = []

    def count_down(text: str, seconds: float, _: object) -> None:
        assert register.bundles == []
        said.append(text)

    monkeypatch.setattr("safeconduct.plumbing.terminal.count_down", count_down)
    assert claim(monkeypatch, tmp_path, "--wait", "900") == 0
    assert [text for text in said if "your look into the mailbox with your claim" in text]


def test_a_tip_whose_capsule_holds_no_proof_is_claimed_with_once_it_is_acknowledged(
    register: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prepared offline, or with a slot that a stranger has filled."""
    network = register.network
    sent = network.send()
    network.capsules = network.capsules[:1]

    def log_record(_: object, record: bytes, *, circuit: object) -> tuple[bytes, Receipt]:
        register.logged.append(record)
        return sent.proof, sent.receipt

    monkeypatch.setattr(inbox, "log_record", log_record)
    assert claim(monkeypatch, tmp_path) == RefusedError.exit_code
    assert (register.bundles, register.logged) == ([], [])
    network.post(acknowledged(record_hash(sent.record)))
    assert claim(monkeypatch, tmp_path) == 0
    assert parse_bundle(register.bundles[0]).fields["proof"] == sent.proof.decode()
    assert register.logged == [sent.record]
