"""Waiting between contacts: drawn evenly, said, skipped on demand, and safe to break off."""

import io
from itertools import count

import pytest
from tests.parties.source.network import Network

from safeconduct.parties.source.waiting import WAIT_SECONDS_MAX, draw_seconds, make_wait
from safeconduct.plumbing import dice, terminal


class Terminal(io.StringIO):
    """A screen that keeps what was written to it."""

    def isatty(self) -> bool:
        return True


def drawn(number: int) -> bytes:
    return number.to_bytes(8, "big")


def test_a_wait_is_drawn_from_nothing_to_the_most() -> None:
    assert WAIT_SECONDS_MAX == 15 * 60
    assert draw_seconds(900, lambda _: drawn(0)) == 0
    assert draw_seconds(900, lambda _: drawn(900_000)) == 900
    assert draw_seconds(900, lambda _: drawn(900_001)) == 0
    assert draw_seconds(0, lambda _: b"\xff" * 8) == 0


def test_waits_are_spread_evenly() -> None:
    tenths = [0] * 10
    for _ in range(2_000):
        tenths[min(9, int(draw_seconds(100, dice.random_bytes) / 10))] += 1
    assert min(tenths) > 90  # of 200; fewer by chance in one of 10¹⁴ runs


WHY = {
    "capsule": "your commit with your mailbox",
    "deliver": "your commit with your upload",
    "register": "your look into the mailbox with your claim",
    "something new": "what you did with what comes next",
}


@pytest.mark.parametrize("purpose", WHY)
def test_it_is_said_how_long_and_what_for(
    purpose: str, capsys: pytest.CaptureFixture[str]
) -> None:
    slept: list[float] = []
    make_wait(900, lambda _: drawn(61_500), slept.append)(purpose)
    told = capsys.readouterr()
    assert told.err == (
        f"waiting so that nobody can match {WHY[purpose]}; --wait 0 to skip: 1:02\n"
    )
    assert (told.out, sum(slept)) == ("", 61.5)


def test_on_a_terminal_the_seconds_are_counted_down_in_one_line_that_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen, slept = Terminal(), list[float]()
    monkeypatch.setattr("sys.stderr", screen)
    terminal.count_down("waiting", 2.5, slept.append)
    assert slept == [1.0, 1.0, 0.5]
    again = "\r\x1b[K"
    lines = ["waiting: 0:03", "waiting: 0:02", "waiting: 0:01", ""]
    assert screen.getvalue() == "".join(again + line for line in lines)


def test_no_wait_is_none_and_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    slept: list[float] = []
    make_wait(0, dice.random_bytes, slept.append)("deliver")
    assert (capsys.readouterr(), slept) == (("", ""), [])


def test_whoever_breaks_a_wait_off_is_told_that_nothing_is_lost(
    network: Network, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        network.send(wait=make_wait(900, lambda _: drawn(5_000), broken))
    assert "the same command goes on, nothing is lost" in capsys.readouterr().err
    assert network.delivered == {}
    assert network.send().number == 0
    assert len(network.delivered) == 1


def test_whoever_breaks_a_wait_off_is_told_that_what_burns_is_lost(
    network: Network, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: float) -> None:
        raise KeyboardInterrupt

    wait = make_wait(900, lambda _: drawn(5_000), broken, burns=True)
    with pytest.raises(KeyboardInterrupt):
        network.send(wait=wait, burn=True)
    told = capsys.readouterr().err
    assert "sends another one, with a later date" in told
    assert "nothing is lost" not in told
    assert network.send(burn=True).number == 1


def test_between_commit_and_upload_there_is_a_wait(network: Network) -> None:
    events = count()
    seen: list[tuple[int, str]] = []

    def wait(purpose: str) -> None:
        paths = [path.split("/")[1] for method, path in network.asked if method != "GET"]
        seen.append((next(events), f"{paths[-1]} {purpose}"))

    network.send(wait=wait)
    assert [what for _, what in seen] == ["commit capsule", "capsules deliver"]


def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal at both ends, at which somebody presses Enter; its screen."""
    screen = Terminal()
    monkeypatch.setattr("sys.stdin", Terminal("\n"))
    monkeypatch.setattr("sys.stdout", screen)
    monkeypatch.setenv("TERM", "xterm")
    return screen


def test_words_are_shown_on_a_screen_that_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = at_a_terminal(monkeypatch)
    terminal.show_secret(["the words"], [" 1 the"], "Enter to go on")
    shown = screen.getvalue()
    assert shown.startswith("\x1b[?1049h")
    assert "the words\n 1 the\n" in shown
    assert shown.endswith("\x1b[2J\x1b[?1049l")


def test_the_screen_goes_even_if_the_person_breaks_it_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = at_a_terminal(monkeypatch)

    def broken(_: str, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(terminal, "note", broken)
    with pytest.raises(KeyboardInterrupt):
        terminal.show_secret(["the words"], [], "Enter to go on")
    assert screen.getvalue().endswith("\x1b[?1049l")


def test_a_simple_terminal_gets_plain_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = at_a_terminal(monkeypatch)
    monkeypatch.setenv("TERM", "dumb")
    terminal.show_secret(["the words"], [" 1 the"], "Enter to go on")
    assert screen.getvalue() == "the words\n 1 the\n"


def test_into_a_pipe_go_the_words_alone(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show_secret(["the words"], [" 1 the"], "Enter to go on")
    assert capsys.readouterr() == ("the words\n", "")


def test_words_that_are_typed_are_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = at_a_terminal(monkeypatch)
    monkeypatch.setattr("getpass.getpass", lambda prompt: "what was typed")
    assert terminal.ask_secret("your twelve words: ") == "what was typed"
    assert "what was typed" not in screen.getvalue()
