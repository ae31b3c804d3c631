"""What a watcher sees of a source: separate circuits, no direct word, and no right or wrong."""

import io
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from tests.parties.source.network import PROGRAMME, Network
from tests.parties.source.test_inbox import acknowledged
from tests.parties.source.town import serving
from tests.plumbing.socks_peer import Proxy, relaying
from tests.protocol import builders

from safeconduct.cli import run
from safeconduct.demo.stage import free_port
from safeconduct.errors import MalformedError
from safeconduct.plumbing import clock
from safeconduct.plumbing.programme import write_programme
from safeconduct.plumbing.words import format_words, parse_words
from safeconduct.protocol.record import record_hash
from safeconduct.protocol.reply import Reply

LETTER = "It lies behind the tide tables.\n"
OURS = format_words(builders.ENTROPY)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The public files and a letter."""
    write_programme(tmp_path, PROGRAMME)
    (tmp_path / "letter.txt").write_text(LETTER)
    return tmp_path


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    """A town that can be reached through a proxy only: nobody else knows its names."""
    network = Network()
    monkeypatch.setattr(clock, "seconds", lambda: network.now)
    plain = socket.getaddrinfo

    def getaddrinfo(host: str, *rest: object, **more: object) -> object:
        assert host == "127.0.0.1", "a name was looked up here"
        return plain(host, *rest, **more)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return network


@contextmanager
def town(network: Network) -> Iterator[Proxy]:
    with serving(network) as port, relaying(lambda _: port) as proxy:
        yield proxy


def source(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    proxy: Proxy,
    verb: str,
    *arguments: str,
    words: str = OURS,
) -> int:
    """`safeconduct source VERB` through the proxy, with words piped in."""
    monkeypatch.setattr("sys.stdin", io.StringIO(words + "\n"))
    way = ["--socks", proxy.address, "--wait", "0"]
    return run(["source", verb, "--programme", str(folder), *way, *arguments])


def test_a_tip_and_a_look_go_through_tor_each_purpose_by_its_own_circuit(
    folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    with town(network) as proxy:
        letter = str(folder / "letter.txt")
        assert source(monkeypatch, folder, proxy, "send", "--message", letter) == 0
        sent = {part: proxy.circuits(part) for part in PARTS if proxy.circuits(part)}
        proxy.paths.clear()
        assert source(monkeypatch, folder, proxy, "inbox") == 0
        looked = {part: proxy.circuits(part) for part in PARTS if proxy.circuits(part)}
    assert sent.keys() == {"/gazette", "/commit", "/deliver", "/capsules"}
    assert looked.keys() == {"/gazette", "/capsules", "/bulletin"}
    # The shelf and our own capsule have one address, and two circuits.
    assert [len(sent[part]) for part in sorted(sent)] == [2, 1, 1, 1]
    drawn = [circuit for run in (sent, looked) for each in run.values() for circuit in each]
    assert len(drawn) == len(set(drawn)) == 8
    assert {host for _, host, _ in proxy.hosts} == {"log.example", "door.example"}


PARTS = ("/gazette", "/commit", "/deliver", "/capsules", "/bulletin")

READING_VERBS = {
    "inbox": (),
    "status": (),
    "receipt": ("--out", "mine"),
    "claim": ("--subject", "r-0001", "--name", "Somebody"),
    "restore": ("--mirror", "http://mirror.example"),
    "credit": (),
}
"""Verbs that find nothing for words that have sent nothing."""


def slipped() -> str:
    """Our words with one slip, which the checksum lets through."""
    first, *rest = OURS.split()
    for place in range(1, 1_000):
        word = format_words(bytes([place >> 3, (place & 7) << 5, *range(14)])).split()[0]
        with suppress(MalformedError):
            if word != first and parse_words(" ".join([word, *rest]), "english"):
                return " ".join([word, *rest])
    raise AssertionError("no slip passes")


@pytest.mark.parametrize("verb", READING_VERBS)
def test_wrong_words_new_words_and_a_decoy_cannot_be_told_apart(
    verb: str,
    folder: Path,
    network: Network,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    phrases = {
        "never used": format_words(bytes(range(16, 32))),
        "a decoy": format_words(bytes(16), "french"),
        "one slip": slipped(),
    }
    seen = {}
    letter = str(folder / "letter.txt")
    with town(network) as proxy:
        assert source(monkeypatch, folder, proxy, "send", "--message", letter) == 0
        capsys.readouterr()
        for case, words in phrases.items():
            proxy.raw.clear()
            code = source(monkeypatch, folder, proxy, verb, *READING_VERBS[verb], words=words)
            seen[case] = (code, b"".join(proxy.raw), capsys.readouterr())
    assert seen["never used"] == seen["a decoy"] == seen["one slip"]
    told = seen["never used"][2]
    assert "empty mailbox — wrong words?" in told.out + told.err
    assert "wrong pass" not in told.out + told.err


def test_right_words_send_the_same_requests_as_wrong_ones(
    folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mailbox with an answer, and one without."""
    sent = network_sent(folder, network, monkeypatch)
    network.post(acknowledged(sent))
    network.post(Reply(text="Which month?"), counter=1)
    seen = []
    with town(network) as proxy:
        for words in (OURS, slipped()):
            for verb in ("inbox", "status"):
                proxy.raw.clear()
                assert source(monkeypatch, folder, proxy, verb, words=words) == 0
                seen.append(b"".join(proxy.raw))
    assert len(set(seen)) == 1
    assert seen[0].count(b"GET ") == 4


def network_sent(folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Our tip is sent; returns its record hash."""
    with town(network) as proxy:
        letter = str(folder / "letter.txt")
        assert source(monkeypatch, folder, proxy, "send", "--message", letter) == 0
    [upload] = network.uploads.values()
    return record_hash(upload.record)


def test_without_its_proxy_nothing_goes_out(
    folder: Path,
    network: Network,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    gone = Proxy(port=free_port())
    for verb, arguments in READING_VERBS.items():
        assert source(monkeypatch, folder, gone, verb, *arguments) == 75
        told = capsys.readouterr().err
        assert f"SOCKS5 proxy at {gone.address}: it is not there" in told
    assert network.asked == []


def test_an_onion_service_needs_tor(
    folder: Path,
    network: Network,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(OURS + "\n"))
    hidden = replace(PROGRAMME, gazette="http://abcdef.onion/gazette")
    write_programme(folder, hidden)
    assert run(["source", "inbox", "--programme", str(folder)]) == 12
    assert "abcdef.onion: needs Tor\nhint: --socks 127.0.0.1:9050\n" in capsys.readouterr().err


def test_the_proxy_may_stand_in_the_environment(
    folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    with town(network) as proxy:
        monkeypatch.setenv("SAFECONDUCT_SOCKS", proxy.address)
        monkeypatch.setattr("sys.stdin", io.StringIO(OURS + "\n"))
        assert run(["source", "inbox", "--programme", str(folder)]) == 0
        assert len(proxy.circuits("/")) == 3
