"""Servers that answer with nonsense: one `error:` line, and the terminal obeys nobody."""

from collections.abc import Iterator

import pytest
from tests.hostile.console import (
    NOT_UTF8,
    WORDS,
    Console,
    check_refused,
    copy_own,
    still,
)

from safeconduct.plumbing import web

ORDERS = b"error: \x1b[2J\x1b]0;owned\x07 \r all is well\nhint: \x1b[1A\xff\n"
LIES = {
    "a line feed": web.data(b"\n"),
    "huge": web.data(bytes(9 << 20)),
    "not UTF-8": web.data(NOT_UTF8),
    "wrong kind": web.data(b'{"kind":"shopping list","items":[]}'),
    "a page": web.data(b"<!doctype html><title>Sign in</title>", "text/html"),
    "orders to the terminal": web.data(ORDERS, status=403),
    "an error of its own": web.data(b"Traceback (most recent call last):", status=500),
    "another place": web.redirect("/elsewhere"),
}
ASKING = (
    "log repair --dir own --name gazette --from-mirror {}",
    "witness catch-up --dir own --log {vkey} --log-url {}",
    "source restore --programme programme --out made --mirror {}",
)


@pytest.fixture(params=list(LIES.values()), ids=list(LIES))
def liar(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server that answers everything with the same nonsense."""
    routes = [web.Route("GET", "/{path:path}", lambda _: request.param)]
    with web.running(web.make_app(routes)) as url:
        yield url


@pytest.mark.parametrize("command", ASKING)
def test_nonsense_from_a_server_is_one_clear_error_and_never_obeyed(
    console: Console, liar: str, command: str
) -> None:
    copy = copy_own(console, command)
    before, kept = console.held(), still(copy)
    code = console.run(command, WORDS, liar)
    check_refused(console, command, code)
    assert console.held() == before
    assert still(copy) == kept


def test_a_mirror_copies_no_nonsense(console: Console, liar: str) -> None:
    policy = (console.folder / "policy.txt").read_text()
    log = console.played.url("log")
    (console.folder / "policy.txt").write_text(policy.replace(f"{log}/", f"{liar}/"))
    assert console.run("mirror new --dir own --programme policy.txt") == 0
    code = console.run("mirror copy --dir own")
    check_refused(console, "mirror copy", code)
    assert not list((console.folder / "own").rglob("checkpoint"))
    assert not list((console.folder / "own").rglob("tile"))


def test_a_monitor_reports_a_mirror_that_shows_nonsense(
    console: Console, liar: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = "monitor run --programme programme --dir own --once --mirror {}"
    assert console.run(command, value=liar) in (10, 75)
    told = capsys.readouterr().out
    assert "ALERT" in told
    assert "\x1b" not in told
    assert not console.said
