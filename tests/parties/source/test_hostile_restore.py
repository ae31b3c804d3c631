"""What a lying mirror learns of a source who restores, and what it can make them see."""

from pathlib import Path

import pytest
from tests.parties.source.test_restore import Far, _programme, gone, run
from tests.protocol import builders

from safeconduct.errors import UnavailableError
from safeconduct.parties.source.restore import NOWHERE, restore
from safeconduct.plumbing import web


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
