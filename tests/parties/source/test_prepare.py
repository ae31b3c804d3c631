"""Sealed without a network, sent without words: the same tip, the same care."""

import argparse
import errno
import io
import os
import socket
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
from tests.parties.source.network import MESSAGE, NOW, PROGRAMME, WINDOW, Network, sources
from tests.parties.source.test_send import again, cut_at
from tests.protocol import builders
from tests.protocol.age.chance import dice

from safeconduct.errors import (
    ConflictError,
    MalformedError,
    RefusedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.source import command
from safeconduct.parties.source.prepare import (
    CAPSULE_FILE,
    ENVELOPE_FILE,
    RECORD_FILE,
    SLOT_FILE,
    SentPrepared,
    load_prepared,
    prepare,
    send_prepared,
)
from safeconduct.plumbing.logs import (
    GAZETTE_AGE_SECONDS_MAX,
    GazetteView,
    format_gazette,
    parse_gazette,
    read_gazette,
)
from safeconduct.plumbing.programme import write_programme
from safeconduct.plumbing.words import format_words
from safeconduct.protocol import age
from safeconduct.protocol.capsule import open_capsule
from safeconduct.protocol.envelope import open_envelope
from safeconduct.protocol.record import parse_record

FILES = {RECORD_FILE, ENVELOPE_FILE, CAPSULE_FILE, SLOT_FILE}


def view(network: Network) -> GazetteView:
    return parse_gazette(PROGRAMME, format_gazette(read_gazette(PROGRAMME, at=network.now)))


def sealed(network: Network, folder: Path, *, number: int = 0, burn: bool = False) -> Path:
    """A folder with our message, sealed."""
    prepare(
        PROGRAMME,
        view(network),
        builders.ENTROPY,
        sources(MESSAGE),
        folder,
        number=number,
        at=network.now,
        random_bytes=dice(),
        report=network.told.append,
        burn=burn,
    )
    network.asked.clear()
    return folder


def sent(network: Network, folder: Path) -> SentPrepared:
    return send_prepared(PROGRAMME, folder, at=network.now, report=network.told.append)


# The saved Gazette.


def test_a_saved_gazette_is_proven_again_and_says_the_same(network: Network) -> None:
    fetched = read_gazette(PROGRAMME, at=NOW)
    assert parse_gazette(PROGRAMME, format_gazette(fetched)) == fetched


SPOILED: dict[str, tuple[Callable[[bytes], bytes], type[SafeconductError]]] = {
    "nothing": (lambda _: b"", MalformedError),
    "another first line": (lambda data: b"x" + data, MalformedError),
    "the first line only": (lambda data: data[: data.index(b"\n") + 1], MalformedError),
    "cut short": (lambda data: data[:-1], MalformedError),
    "a byte more": (lambda data: data + b"\0", MalformedError),
    "an entry less": (lambda data: data[: data.rindex(b"\0\0") - 2], SafeconductError),
    "an entry more": (lambda data: data + b"\0\0\0\1x", UnverifiedError),
    "an entry touched": (
        lambda data: data[:-400] + bytes([data[-400] ^ 1]) + data[-399:],
        UnverifiedError,
    ),
    "a checkpoint touched": (lambda data: data[:40] + b"x" + data[41:], SafeconductError),
}


@pytest.mark.parametrize("case", SPOILED)
def test_a_saved_gazette_that_was_touched_is_not_believed(case: str, network: Network) -> None:
    change, error = SPOILED[case]
    data = change(format_gazette(read_gazette(PROGRAMME, at=NOW)))
    with pytest.raises(error):
        parse_gazette(PROGRAMME, data)


def test_a_saved_gazette_of_endless_empty_entries_costs_no_memory(network: Network) -> None:
    """Of 256 MiB there would be 64 million of them."""
    data = format_gazette(read_gazette(PROGRAMME, at=NOW)) + bytes(16 << 20)
    tracemalloc.start()
    try:
        with pytest.raises(UnverifiedError):
            parse_gazette(PROGRAMME, data)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 4 << 20


# Without a network.


class _AskedError(Exception):
    """Somebody was asked for something."""


def _no_socket(*_: object, **__: object) -> NoReturn:
    raise _AskedError


def test_preparing_opens_no_socket_and_asks_nobody(
    tmp_path: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = view(network)
    network.asked.clear()
    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, _no_socket)
    envelope = prepare(
        PROGRAMME,
        held,
        builders.ENTROPY,
        sources(MESSAGE),
        tmp_path / "parcel",
        number=3,
        at=NOW,
        random_bytes=dice(),
        report=network.told.append,
    )
    assert network.asked == []
    assert envelope.keys.number == 3
    assert any("before 2027-01-21T08:00:00Z" in text for text in network.told)


def test_the_folder_holds_four_files_of_ours_alone_and_no_words(
    tmp_path: Path, network: Network
) -> None:
    folder = sealed(network, tmp_path / "parcel")
    assert {path.name for path in folder.iterdir()} == FILES
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    held = b"".join(path.read_bytes() for path in folder.iterdir())
    secrets = [builders.ENTROPY, builders.ENTROPY.hex().encode(), *MESSAGE.values()]
    secrets += [builders.source_keys(0).seed, builders.master()]
    secrets += [format_words(builders.ENTROPY).encode()]
    assert not [secret for secret in secrets if secret in held]


def test_the_envelope_is_a_whole_age_file_that_the_desk_opens(
    tmp_path: Path, network: Network
) -> None:
    folder = sealed(network, tmp_path / "parcel")
    record = parse_record((folder / RECORD_FILE).read_bytes(), "contribution")
    whole = (folder / ENVELOPE_FILE).read_bytes()
    _, end = age.parse_header(whole[:4_096])
    got: list[bytes] = []
    open_envelope(
        record,
        whole[:end],
        lambda: [whole[end:]],
        builders.DESK_IDENTITIES,
        lambda _, chunk: got.append(bytes(chunk)),
    )
    assert b"".join(got) == MESSAGE["message.txt"]


def test_a_folder_that_is_there_is_never_written_into(tmp_path: Path, network: Network) -> None:
    folder = sealed(network, tmp_path / "parcel")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(RefusedError, match="there already"):
        sealed(network, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_an_old_gazette_is_warned_of_and_used(tmp_path: Path, network: Network) -> None:
    held = view(network)
    network.now += GAZETTE_AGE_SECONDS_MAX + 1
    prepare(
        PROGRAMME,
        held,
        builders.ENTROPY,
        sources(MESSAGE),
        tmp_path / "parcel",
        number=0,
        at=network.now,
        random_bytes=dice(),
        report=network.told.append,
    )
    assert any(text.startswith("warning: this Gazette is") for text in network.told)


def test_a_number_that_words_may_not_find_again_is_warned_of(
    tmp_path: Path, network: Network
) -> None:
    sealed(network, tmp_path / "near", number=4)
    assert not [text for text in network.told if "find number" in text]
    sealed(network, tmp_path / "far", number=5)
    assert [text for text in network.told if "only if they have sent 1 or more" in text]


def test_a_disk_that_fills_up_meanwhile_leaves_no_folder(
    tmp_path: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int, data: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "writev", full)
    with pytest.raises(UnavailableError, match="no space left"):
        sealed(network, tmp_path / "out" / "parcel")
    monkeypatch.undo()
    assert list((tmp_path / "out").iterdir()) == []


# Without words.


def test_a_prepared_folder_is_sent_like_any_tip(tmp_path: Path, network: Network) -> None:
    folder = sealed(network, tmp_path / "parcel")
    result = sent(network, folder)
    assert result.receipt.logged_by == NOW
    assert len(network.delivered) == 1
    doing = [(method, path.split("/")[1]) for method, path in network.asked if method != "GET"]
    assert doing == [
        ("PUT", "capsules"), ("POST", "commit"), ("POST", "deliver"), ("PATCH", "deliver"),
        ("POST", "deliver"),
    ]  # fmt: skip
    capsule = open_capsule((folder / CAPSULE_FILE).read_bytes(), builders.source_keys(0))
    assert capsule is not None
    assert network.found() == {0: capsule}
    assert capsule.nonce == next(load_prepared(folder).payload(0))[:16]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/capsules"), ("PUT", "/capsules"), ("POST", "/commit"), ("POST", "/deliver"),
     ("PATCH", "/deliver"), ("POST", "/deliver/")],
)  # fmt: skip
def test_a_prepared_folder_is_gone_on_with_from_anywhere(
    method: str, path: str, tmp_path: Path, network: Network
) -> None:
    folder = sealed(network, tmp_path / "parcel")
    cut_at(network, method, path)
    for _ in range(6):
        with pytest.raises(UnavailableError):
            sent(network, folder)
    again(network)
    results = [sent(network, folder) for _ in range(2)]
    assert results[0] == results[1]
    assert (len(network.delivered), network.versions(0)) == (1, 1)


def test_the_words_go_on_with_what_was_prepared_and_find_its_receipt(
    tmp_path: Path, network: Network
) -> None:
    sent(network, sealed(network, tmp_path / "parcel"))
    result = network.send()
    assert result.number == 0
    assert len(network.delivered) == 1
    assert network.found()[0].proof == result.proof


def test_a_number_that_was_used_is_refused_before_anything_is_dated(
    tmp_path: Path, network: Network
) -> None:
    network.send({"message.txt": b"Something else.\n"})
    folder = sealed(network, tmp_path / "parcel")
    with pytest.raises(RefusedError, match="used this contribution's number"):
        sent(network, folder)
    assert ("POST", "/commit") not in network.asked


def test_what_was_sealed_to_a_closed_key_is_refused_before_it_is_dated(
    tmp_path: Path, network: Network
) -> None:
    folder = sealed(network, tmp_path / "parcel")
    network.now = network.gazette_at = builders.gazette_state().epochs[0].closes
    with pytest.raises(RefusedError, match="desk epoch 1, which closed 2027-01-21T08:00:00Z"):
        sent(network, folder)
    assert network.capsules == []


def test_what_was_dated_in_time_is_delivered_after_its_key_closed(
    tmp_path: Path, network: Network
) -> None:
    closes = builders.gazette_state().epochs[0].closes
    network.now = network.gazette_at = closes - 10
    folder = sealed(network, tmp_path / "parcel")
    cut_at(network, "POST", "/deliver")
    with pytest.raises(UnavailableError):
        sent(network, folder)
    again(network)
    network.now = network.gazette_at = closes - 10 + WINDOW
    assert sent(network, folder).receipt.logged_by == closes - 10


def test_a_burned_folder_is_sent_without_any_key(tmp_path: Path, network: Network) -> None:
    folder = sealed(network, tmp_path / "parcel", burn=True)
    sent(network, folder)
    assert network.found()[0].nonce == b""


def swap(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        path = folder / name
        path.write_bytes(change(path.read_bytes()))

    return apply


def piped(folder: Path) -> None:
    (folder / ENVELOPE_FILE).unlink()
    os.mkfifo(folder / ENVELOPE_FILE)


DAMAGED: dict[str, tuple[Callable[[Path], None], type[SafeconductError]]] = {
    "a payload cut short": (swap(ENVELOPE_FILE, lambda data: data[:-1]), UnverifiedError),
    "a payload too long": (swap(ENVELOPE_FILE, lambda data: data + b"\0"), UnverifiedError),
    "another payload": (
        swap(ENVELOPE_FILE, lambda data: data[:-9] + b"x" + data[-8:]),
        UnverifiedError,
    ),
    "no age file": (swap(ENVELOPE_FILE, lambda data: b"hello"), MalformedError),
    "no record": (swap(RECORD_FILE, lambda data: data[1:]), MalformedError),
    "a capsule too long": (swap(CAPSULE_FILE, lambda data: data + b"\0"), MalformedError),
    "a slot in capitals": (swap(SLOT_FILE, bytes.upper), MalformedError),
    "a slot cut short": (swap(SLOT_FILE, lambda data: data[:-3]), MalformedError),
    "a pipe in place of the envelope": (piped, MalformedError),
    "a file missing": (lambda folder: (folder / SLOT_FILE).unlink(), UnavailableError),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_folder_sends_nothing(case: str, tmp_path: Path, network: Network) -> None:
    damage, error = DAMAGED[case]
    folder = sealed(network, tmp_path / "parcel")
    damage(folder)
    with pytest.raises(error):
        sent(network, folder)
    assert network.asked == []


def test_a_gazette_of_another_programme_is_refused(network: Network) -> None:
    fetched = format_gazette(read_gazette(PROGRAMME, at=NOW))
    other = replace(PROGRAMME, name="other-2027")
    with pytest.raises(ConflictError, match="another programme"):
        parse_gazette(other, fetched)


# The commands.


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    options = parser.parse_args(words)
    code: int = options.run(options)
    return code


def test_the_commands_go_from_gazette_to_receipt(
    tmp_path: Path,
    network: Network,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    programme, saved, parcel = tmp_path / "programme", tmp_path / "saved", tmp_path / "parcel"
    programme.mkdir()
    write_programme(programme, PROGRAMME)
    letter = tmp_path / "letter.txt"
    letter.write_bytes(MESSAGE["message.txt"])
    assert run("gazette", "--programme", str(programme), "--out", str(saved)) == 0
    monkeypatch.setattr("sys.stdin", io.StringIO(format_words(builders.ENTROPY) + "\n"))
    options = ["--programme", str(programme), "--gazette", str(saved), "--number", "0"]
    assert run("prepare", *options, "--message", str(letter), "--out", str(parcel)) == 0
    send = ["send", "--programme", str(programme), "--wait", "0", "--prepared", str(parcel)]
    assert run(*send, "--receipt", str(tmp_path / "mine")) == 0
    assert (tmp_path / "mine.record").read_bytes() == (parcel / RECORD_FILE).read_bytes()
    told = capsys.readouterr()
    assert "received, and dated 2027-01-15T08:00:00Z" in told.out
    assert "deliv" in told.err
    assert format_words(builders.ENTROPY) not in told.out + told.err


@pytest.mark.parametrize(
    ("options", "complaint"),
    [(["--number", "-1", "letter.txt"], "--number"), (["--number", "0"], "nothing to send")],
)
def test_what_cannot_be_prepared_is_said_before_words_are_asked_for(
    options: list[str], complaint: str, tmp_path: Path, network: Network,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("letter.txt").write_bytes(b"x")
    Path("programme").mkdir()
    write_programme(Path("programme"), PROGRAMME)
    Path("saved").write_bytes(format_gazette(read_gazette(PROGRAMME, at=NOW)))
    always = ["--programme", "programme", "--gazette", "saved", "--out", "parcel"]
    with pytest.raises(SafeconductError, match=complaint):
        run("prepare", *always, *options)
    assert not Path("parcel").exists()


# One file instead of a folder.


def sealed_file(network: Network, path: Path) -> Path:
    prepare(
        PROGRAMME,
        view(network),
        builders.ENTROPY,
        sources(MESSAGE),
        path,
        number=0,
        at=network.now,
        random_bytes=dice(),
        report=network.told.append,
        as_file=True,
    )
    network.asked.clear()
    return path


def test_one_file_holds_what_the_folder_holds(tmp_path: Path, network: Network) -> None:
    file = load_prepared(sealed_file(network, tmp_path / "envelope.sealed"))
    folder = load_prepared(sealed(network, tmp_path / "parcel"))
    assert (file.record, file.slot) == (folder.record, folder.slot)
    assert b"".join(file.payload(0)) == b"".join(folder.payload(0))
    assert b"".join(file.payload(70_000)) == b"".join(folder.payload(70_000))


def test_one_file_is_of_its_owner_alone_and_never_written_over(
    tmp_path: Path, network: Network
) -> None:
    path = sealed_file(network, tmp_path / "envelope.sealed")
    assert path.stat().st_mode & 0o077 == 0
    before = path.read_bytes()
    with pytest.raises(RefusedError, match="there already"):
        sealed_file(network, path)
    assert path.read_bytes() == before


def test_one_file_is_sent_like_any_tip(tmp_path: Path, network: Network) -> None:
    path = sealed_file(network, tmp_path / "envelope.sealed")
    answer = sent(network, path)
    assert answer.record == sent(network, path).record


@pytest.mark.parametrize("damage", ["cut short", "touched", "longer", "no parcel", "empty"])
def test_a_damaged_file_sends_nothing(damage: str, tmp_path: Path, network: Network) -> None:
    path = sealed_file(network, tmp_path / "envelope.sealed")
    data = path.read_bytes()
    path.write_bytes(
        {
            "cut short": data[:-1],
            "touched": data[:-1] + bytes([data[-1] ^ 1]),
            "longer": data + b"x",
            "no parcel": b"x" + data,
            "empty": b"",
        }[damage]
    )
    with pytest.raises((MalformedError, UnverifiedError)):
        sent(network, path)
    assert network.asked == []
