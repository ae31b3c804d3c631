"""What a lying mirror learns of a source who restores, and what it can make them see."""

import tracemalloc
from itertools import repeat
from pathlib import Path

import pytest
from tests.parties.source.test_restore import Far, _programme, gone, run
from tests.protocol import builders

from safeconduct.errors import MalformedError, UnavailableError
from safeconduct.parties.source import restore as source_restore
from safeconduct.parties.source.restore import NOWHERE, restore
from safeconduct.plumbing import web
from safeconduct.protocol.capsule import CAPSULE_BYTES


def test_a_mirror_that_shows_old_capsules_only_is_not_told_whose_entry_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    far = Far()
    record = far.contribute(0)
    far.shelve(0, record)  # the version with the receipt is held back
    with gone(tmp_path, far) as world:
        [item] = world.restore()
        assert run(monkeypatch, world) == 0
        assert world.asked == ["/capsules"] * 2
    assert (item.receipt, item.origin) == (None, NOWHERE)
    assert item.capsule.record == record
    told = capsys.readouterr().out
    assert "no date that holds" in told
    assert "--compare asks this one for the proof, and tells it" in told


def test_a_mirror_that_sends_us_elsewhere_does_not_make_words_look_wrong() -> None:
    away = web.Route("GET", "/capsules", lambda _: web.redirect("/elsewhere"))
    with web.running(web.make_app([away])) as url, pytest.raises(UnavailableError):
        restore(_programme(url), builders.ENTROPY, url)


def test_a_shelf_that_ends_within_a_capsule_does_not_make_words_look_wrong() -> None:
    far = Far()
    far.shelve(0, far.contribute(0))
    cut = b"".join(far.shelf)[:-1]
    short = web.Route("GET", "/capsules", lambda _: web.data(cut))
    with web.running(web.make_app([short])) as url, pytest.raises(MalformedError):
        restore(_programme(url), builders.ENTROPY, url)


def test_a_mirror_that_never_stops_repeating_a_slot_costs_no_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What lies in one slot is bounded, whatever a mirror puts there."""
    slot = builders.source_keys(0).slot()
    piece = (slot + b"\x55" * CAPSULE_BYTES) * 16

    def endless(_: web.Request) -> web.Response:
        return web.streaming(repeat(piece))

    monkeypatch.setattr(source_restore, "SHELF_BYTES_MAX", 64 << 20)
    with web.running(web.make_app([web.Route("GET", "/capsules", endless)])) as url:
        tracemalloc.start()
        with pytest.raises(MalformedError, match="longer than"):
            restore(_programme(url), builders.ENTROPY, url)
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak_bytes < 16 << 20
