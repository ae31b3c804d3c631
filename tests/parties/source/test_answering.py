"""The body's questions on the way of a tip: asked at a terminal, or answered by a file."""

import argparse
import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.parties.source.network import PROGRAMME, Network
from tests.protocol import builders
from tests.protocol.test_answered import QUESTIONS, questionnaire

from safeconduct.errors import MalformedError, RefusedError, UnavailableError
from safeconduct.parties.source import command
from safeconduct.parties.source.prepare import load_prepared
from safeconduct.plumbing.logs import format_gazette, read_gazette
from safeconduct.plumbing.programme import write_programme
from safeconduct.plumbing.words import format_words
from safeconduct.protocol.answered import parse_answers
from safeconduct.protocol.envelope import open_envelope
from safeconduct.protocol.questions import format_questions
from safeconduct.protocol.record import Record, parse_record
from safeconduct.protocol.tip import TipFile

ASKED = format_questions(questionnaire())
OPTIONAL = format_questions(questionnaire([QUESTIONS[0] | {"required": False}]))
ANSWERS = {"how": "saw", "day": "2027-05", "more": "a drawer"}


class Terminal(io.StringIO):
    """A keyboard at which somebody sits."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def folder(tmp_path: Path, network: Network) -> Path:
    network.questions = ASKED
    write_programme(tmp_path, PROGRAMME)
    (tmp_path / "letter.txt").write_text("It lies behind the tide tables.\n")
    (tmp_path / "answers.json").write_text(json.dumps(ANSWERS))
    (tmp_path / "questions.json").write_bytes(ASKED)
    return tmp_path


def run(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    *arguments: str,
    verb: str = "send",
    typed: Sequence[str] | None = None,
) -> None:
    """One verb with our words: piped in, or typed where `typed` answers the questions."""
    words = format_words(builders.ENTROPY)
    piped = io.StringIO(f"{words}\n")
    shown = Terminal("".join(f"{line}\n" for line in typed or ()))
    monkeypatch.setattr("sys.stdin", piped if typed is None else shown)
    monkeypatch.setattr("getpass.getpass", lambda _: words)
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    way = () if verb == "prepare" else ("--wait", "0")
    message = ("--message", str(folder / "letter.txt"))
    options = parser.parse_args([verb, "--programme", str(folder), *way, *message, *arguments])
    assert options.run(options) == 0


def sent(network: Network) -> dict[str, bytes]:
    """The files of the one tip that came to the door."""
    [upload] = network.uploads.values()
    return opened(parse_record(upload.record), upload.header, bytes(upload.payload))


def opened(record: Record, header: bytes, payload: bytes) -> dict[str, bytes]:
    files: dict[str, bytes] = {}

    def sink(file: TipFile, piece: bytes) -> None:
        files[file.name] = files.get(file.name, b"") + piece

    open_envelope(record, header, lambda: [payload], builders.DESK_IDENTITIES, sink)
    return files


def carried(folder: Path) -> dict[str, bytes]:
    """The files of a tip that was sealed and not sent."""
    made = load_prepared(folder)
    return opened(made.record, made.header, made.file.read_bytes()[made.payload_at :])


def given(files: dict[str, bytes]) -> dict[str, tuple[str, ...]]:
    return {each.id: each.answer for each in parse_answers(files["answers.json"]).answers}


def test_who_sits_at_a_terminal_is_asked_and_the_answers_go_along(
    folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(monkeypatch, folder, typed=["1", "2027-05", "", "a drawer"])
    files = sent(network)
    assert list(files) == ["message.txt", "answers.json"]
    assert given(files) == {
        "how": ("saw",),
        "day": ("2027-05",),
        "sum": (),
        "more": ("a drawer",),
    }


def test_a_file_answers_where_nobody_sits(
    folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(monkeypatch, folder, "--answers", str(folder / "answers.json"))
    assert given(sent(network))["day"] == ("2027-05",)


REFUSED: dict[str, tuple[Sequence[str], type[Exception], str]] = {
    "nobody to ask": ((), RefusedError, "must be answered"),
    "none are given": (("--no-answers",), RefusedError, "must be answered"),
    "no such file": (("--answers", "nowhere"), UnavailableError, "nowhere"),
    "not answers": (("--answers", "letter.txt"), MalformedError, "not JSON"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_without_the_required_answers_nothing_goes_out(
    case: str, folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments, error, said = REFUSED[case]
    monkeypatch.chdir(folder)
    with pytest.raises(error, match=said):
        run(monkeypatch, folder, *arguments)
    assert network.asked == [("GET", "/questions.json")]


def test_answers_that_break_off_send_nothing(
    folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RefusedError, match="broke off"):
        run(monkeypatch, folder, typed=["1"])
    assert network.asked == [("GET", "/questions.json")]


@pytest.mark.parametrize("arguments", [(), ("--no-answers",)])
def test_where_nothing_is_required_a_tip_goes_without_answers(
    arguments: Sequence[str],
    folder: Path,
    network: Network,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    network.questions = OPTIONAL
    run(monkeypatch, folder, *arguments)
    assert list(sent(network)) == ["message.txt"]
    assert ("--answers FILE" in capsys.readouterr().err) == (not arguments)


@pytest.mark.parametrize("questions", [b"", format_questions(questionnaire([]))])
def test_a_door_that_asks_nothing_changes_nothing(
    questions: bytes, folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    network.questions = questions
    run(monkeypatch, folder, typed=[])
    assert list(sent(network)) == ["message.txt"]
    with pytest.raises(RefusedError, match="asks no questions"):
        run(monkeypatch, folder, "--answers", str(folder / "answers.json"))


def test_questions_that_are_not_sound_are_refused(
    folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    network.questions = b'{"questions":[{"ask":"\x1b[2J"}]}'
    with pytest.raises(MalformedError):
        run(monkeypatch, folder, typed=["1"])


def test_a_machine_without_a_network_answers_questions_from_a_file(
    folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "saved").write_bytes(format_gazette(read_gazette(PROGRAMME, at=network.now)))
    parcel = ("--gazette", str(folder / "saved"), "--number", "0", "--out")
    known = ("--questions", str(folder / "questions.json"))
    answers = ("--answers", str(folder / "answers.json"))
    network.asked.clear()
    for place, more in enumerate(([*known, *answers], [])):
        run(monkeypatch, folder, *parcel, str(folder / f"{place}"), *more, verb="prepare")
    with pytest.raises(RefusedError, match="--answers needs --questions"):
        run(monkeypatch, folder, *parcel, str(folder / "x"), *answers, verb="prepare")
    assert network.asked == []
    assert given(carried(folder / "0"))["how"] == ("saw",)
    assert list(carried(folder / "1")) == ["message.txt"]


def test_answers_do_not_go_with_what_is_sealed_already(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    arguments = ["--prepared", str(folder), "--answers", str(folder / "answers.json")]
    options = parser.parse_args(["send", "--programme", str(folder), *arguments])
    with pytest.raises(RefusedError, match="nothing else with it"):
        options.run(options)
