"""Wrong words take as long as unused ones: by what is done, and by the clock.

Times are taken in turns, so that whatever else the machine does falls on all kinds alike; each
turn gives a ratio, and the median of these counts: a few slow samples say nothing. The bound is
far wider than the noise, which is some hundredths, and far narrower than what leaving out the
stretching of words would make.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import pytest
from tests.parties.intake.door_world import WORDS
from tests.parties.intake.mail_world import FarEnd, Mail, far_end

from safeconduct.parties.intake import mailbox, reading
from safeconduct.parties.intake.store import Store
from safeconduct.plumbing.words import format_words
from safeconduct.protocol.capsule import GAP_LIMIT
from safeconduct.protocol.keys import master_key

SAMPLES = 25
ROUNDS = 4
APART_MAX = 0.25  # as a part; one stretching of words is more than 0.9 of an answer's time

UNUSED = "never used"
KINDS: dict[str, Callable[[int], str]] = {
    UNUSED: lambda turn: format_words(bytes([200, turn, *range(14)])),
    "a wrong checksum": lambda turn: " ".join(sorted(WORDS.split())),
    "a word on no list": lambda turn: WORDS.rpartition(" ")[0] + " xylophones",
    "eleven words": lambda turn: WORDS.rpartition(" ")[0],
}


@pytest.fixture(scope="module")
def far() -> Iterator[FarEnd]:
    with far_end() as far:
        yield far


@pytest.fixture
def mail(far: FarEnd, tmp_path: Path) -> Mail:
    """A door with mail for other words than those that are tried."""
    mail = far.mail(tmp_path)
    for number in range(3):
        mail.send(number)
    return mail


def test_the_same_is_looked_up_whatever_is_typed(
    mail: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def stretch(entropy: bytes, programme: bytes) -> bytes:
        done.append("stretch")
        return master_key(entropy, programme)

    def versions(store: Store, slot: bytes) -> list[bytes]:
        done.append("slot")
        return _versions(store, slot)

    _versions = Store.versions
    monkeypatch.setattr(reading, "master_key", stretch)
    monkeypatch.setattr(Store, "versions", versions)
    for kind, words in KINDS.items():
        done.clear()
        mail.open(words(0))
        assert done == ["stretch", *["slot"] * GAP_LIMIT], kind


def test_wrong_words_take_as_long_as_words_that_nobody_used(mail: Mail) -> None:
    apart: list[dict[str, float]] = []
    for _ in range(ROUNDS):  # a machine may be busy; it is not so for ever
        apart.append(_apart(mail))
        if max(map(abs, apart[-1].values())) <= APART_MAX:
            return
    pytest.fail(f"wrong words take another time than unused ones: {apart}")


def test_the_clock_would_show_words_that_were_not_stretched(
    mail: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above is worth something: it fails where the work is left out."""

    def hurried(entropy: bytes, programme: bytes) -> bytes:
        known = entropy[0] == 200  # as if only words that can be words were stretched
        return master_key(entropy, programme) if known else bytes(32)

    monkeypatch.setattr(reading, "master_key", hurried)
    assert max(map(abs, _apart(mail).values())) > 2 * APART_MAX


def _apart(mail: Mail) -> dict[str, float]:
    """By which part a look takes longer than one with unused words; the median of all turns."""
    ratios: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for words in KINDS.values():  # word lists are read once
        _seconds(mail, words(0))
    for turn in range(SAMPLES):
        kinds = list(KINDS)
        order = kinds[turn % len(kinds) :] + kinds[: turn % len(kinds)]
        taken = {kind: _seconds(mail, KINDS[kind](turn)) for kind in order}
        for kind in kinds:
            ratios[kind].append(taken[kind] / taken[UNUSED])
    return {kind: median(parts) - 1 for kind, parts in ratios.items()}


def _seconds(mail: Mail, typed: str) -> float:
    """How long one look takes, from the words to the whole page."""
    began = time.perf_counter()
    page = mailbox.look_up(mail.world.intake, "en", typed)
    taken = time.perf_counter() - began
    assert b"Empty mailbox" in bytes(page.body)
    return taken
