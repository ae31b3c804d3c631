"""A source at a busy door: a little work, which is said, and never demanded."""

from dataclasses import replace

import pytest
from tests.parties.source.network import QUIET, Network
from tests.protocol import builders

from safeconduct.errors import RefusedError, SafeconductError, UnavailableError
from safeconduct.parties.source import door
from safeconduct.parties.source.door import Door
from safeconduct.plumbing import clock, fetch
from safeconduct.plumbing.fetch import Response
from safeconduct.protocol.puzzle import WORK_HEADER, check_work, format_puzzle

LEAF = b"\x07" * 32
URL = "http://door.example"


class Far:
    """A door that answers what it is told to, and remembers what it was sent."""

    def __init__(self, work: bytes | SafeconductError) -> None:
        self.work, self.headers = work, dict[str, str]()

    def request(self, method: str, url: str, _: bytes = b"", **options: object) -> Response:
        if url.endswith("/work"):
            if isinstance(self.work, SafeconductError):
                raise self.work
            return Response(status=200, headers={}, body=self.work)
        headers = options["headers"]
        assert (method, url) == ("POST", f"{URL}/commit")
        assert isinstance(headers, dict)
        self.headers = headers
        return Response(status=200, headers={}, body=b"a proof")


def committed(monkeypatch: pytest.MonkeyPatch, far: Far) -> list[str]:
    """Commit through `far`; what was said meanwhile."""
    told: list[str] = []
    monkeypatch.setattr(fetch, "request", far.request)
    assert Door(URL, report=told.append).commit(LEAF) == b"a proof"
    return told


def test_a_quiet_door_gets_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    far = Far(format_puzzle(QUIET))
    assert committed(monkeypatch, far) == []
    assert WORK_HEADER not in far.headers


@pytest.mark.parametrize("bits", [1, 8, 16])
def test_a_busy_door_gets_the_work_that_is_worth_while(
    monkeypatch: pytest.MonkeyPatch, bits: int
) -> None:
    far = Far(format_puzzle(replace(QUIET, bits=bits)))
    committed(monkeypatch, far)
    assert check_work(far.headers[WORK_HEADER], [QUIET.seed], LEAF) >= bits


def test_work_that_takes_a_while_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    clicks = iter(range(0, 1_000, 2))
    monkeypatch.setattr(clock, "monotonic", lambda: float(next(clicks)))
    far = Far(format_puzzle(replace(QUIET, seed=b"\x01" * 16, bits=17)))
    told = committed(monkeypatch, far)
    assert told == ["the door is busy: working for about 16 seconds"]
    assert WORK_HEADER in far.headers


NO_PUZZLES: dict[str, bytes | SafeconductError] = {
    "an older door": RefusedError("nothing at this address"),
    "a door that is away for a moment": UnavailableError("cannot be reached"),
    "nonsense": b"<html>",
    "more than anybody does": b'{"bits":60,"seconds":1,"seed":"%b"}' % (b"0" * 32),
}


@pytest.mark.parametrize("work", NO_PUZZLES.values(), ids=NO_PUZZLES.keys())
def test_a_door_without_a_puzzle_gets_the_commitment_all_the_same(
    monkeypatch: pytest.MonkeyPatch, work: bytes | SafeconductError
) -> None:
    far = Far(work)
    assert committed(monkeypatch, far) == []
    assert WORK_HEADER not in far.headers


def test_who_has_tried_sixteen_times_as_long_as_usual_goes_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(door, "solve", lambda *_: None)
    far = Far(format_puzzle(replace(QUIET, bits=22)))
    committed(monkeypatch, far)
    assert WORK_HEADER not in far.headers


def test_a_whole_sending_works_for_its_place(network: Network) -> None:
    network.puzzle = replace(QUIET, bits=8)
    sent = network.send()
    assert sent.receipt.logged_by == builders.NOON
    assert [path for method, path in network.asked if path == "/work"] == ["/work"]
