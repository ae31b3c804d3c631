import io
from pathlib import Path

import pytest

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.plumbing import clock, dice, terminal
from safeconduct.plumbing.keys import load_signing_key, new_signing_key
from safeconduct.protocol.tlog.note import ED25519, MLDSA44


@pytest.mark.parametrize("algorithm", [ED25519, MLDSA44])
def test_a_new_key_is_loaded_back(algorithm: int, tmp_path: Path) -> None:
    path = tmp_path / "keys" / "key"
    made = new_signing_key(path, "log.example/ledger", algorithm)
    assert load_signing_key(path) == made
    assert made.algorithm == made.verifier().algorithm == algorithm
    assert path.stat().st_mode & 0o777 == 0o600
    assert made.seed not in repr(made).encode()


def test_keys_are_of_type_ed25519_unless_asked_otherwise(tmp_path: Path) -> None:
    assert new_signing_key(tmp_path / "key", "a").algorithm == ED25519


def test_a_name_need_not_be_ascii(tmp_path: Path) -> None:
    made = new_signing_key(tmp_path / "key", "zürich.example/ledger")
    assert load_signing_key(tmp_path / "key") == made


@pytest.mark.parametrize(
    "name", ["", "two words", "a+b", "a\nb", "a\x7f", "\udc80", "n" * 1000]
)
def test_a_key_that_could_not_be_loaded_again_is_not_made(name: str, tmp_path: Path) -> None:
    with pytest.raises(MalformedError):
        new_signing_key(tmp_path / "folder" / "key", name)
    assert list(tmp_path.iterdir()) == []


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    new_signing_key(tmp_path / "key", "a")
    with pytest.raises(RefusedError, match="already exists"):
        new_signing_key(tmp_path / "key", "a")


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    new_signing_key(tmp_path / "key", "a")
    (tmp_path / "key").chmod(0o640)
    with pytest.raises(RefusedError, match="other users") as caught:
        load_signing_key(tmp_path / "key")
    assert "chmod 600" in caught.value.hint


@pytest.mark.parametrize("damage", ["cut", "empty", "binary", "two lines"])
def test_a_file_that_is_no_key_is_malformed_and_not_quoted(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "key"
    new_signing_key(path, "a")
    data = path.read_bytes()
    damaged = {"cut": data[:-1], "empty": b"", "binary": b"\xff" + data, "two lines": data * 2}
    path.write_bytes(damaged[damage])
    with pytest.raises(MalformedError) as caught:
        load_signing_key(path)
    assert data.decode()[-20:-2] not in caught.value.message


def test_what_others_wrote_cannot_steer_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    terminal.say("a\x1b[2Jb\u202ec\r\n\td", colour="red")
    assert capsys.readouterr().out == "a\\u{1b}[2Jb\\u{202e}c\\u{d}\n\td\n"


def test_warnings_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.warn("careful")
    terminal.note("by the way")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "warning: careful\nby the way\n")


def test_json_is_sorted_and_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.print_json({"b": "é", "a": 1})
    assert capsys.readouterr().out == '{\n  "a": 1,\n  "b": "\\u00e9"\n}\n'


def test_a_secret_is_read_from_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("my words\nthe rest\n"))
    assert terminal.ask_secret("? ") == "my words"


@pytest.mark.parametrize("given", ["", "\n", "x" * 5000])
def test_no_secret_or_a_huge_one_is_refused(
    given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(given))
    with pytest.raises(RefusedError):
        terminal.ask_secret("? ")


def test_only_long_waits_are_announced(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(terminal, "_QUIET_SECONDS", 600)
    with terminal.waiting("the witnesses"):
        pass
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(terminal, "_QUIET_SECONDS", 0.01)
    said, until = "", clock.monotonic() + 60
    with terminal.waiting("the witnesses"):
        while not said.endswith("\n") and clock.monotonic() < until:
            clock.sleep(0.01)
            said += capsys.readouterr().err
    assert said == "the witnesses …\n"


def test_time_goes_on_and_chance_differs() -> None:
    assert clock.now().utcoffset() is not None
    assert abs(clock.now().timestamp() - clock.seconds()) < 60
    assert len(dice.random_bytes(32)) == 32
    assert dice.random_bytes(32) != dice.random_bytes(32)


def test_the_end_of_input_at_a_prompt_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def end(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", end)
    with pytest.raises(RefusedError, match="nothing was entered"):
        terminal.ask_secret("your twelve words: ")
