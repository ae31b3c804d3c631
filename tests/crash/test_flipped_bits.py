"""One bit of one file flips: it is found before the log signs anything that rests on it."""

import random
import shutil
import stat
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest
from tests.crash.log_rig import Rig, entry, make_rig

from safeconduct.errors import SafeconductError
from safeconduct.parties.log import journal
from safeconduct.parties.log.fsck import check_log
from safeconduct.protocol.tlog.merkle import Frontier, leaf_hash
from safeconduct.protocol.tlog.tile import TILE_WIDTH

ENTRIES = 3 * TILE_WIDTH + 17
FLIPS = 6  # of each kind of file, at places that chance chooses


def newest(pattern: str) -> Callable[[Rig], Path]:
    return lambda rig: max(rig.paths.path.glob(pattern), key=lambda path: path.as_posix())


KINDS: dict[str, Callable[[Rig], Path]] = {
    "the partial bundle": newest("public/tile/entries/*.p/*"),
    "a full bundle": newest("public/tile/entries/001"),
    "the partial tile of leaf hashes": newest("public/tile/0/*.p/*"),
    "a full tile of leaf hashes": newest("public/tile/0/002"),
    "the partial tile above": newest("public/tile/1/*.p/*"),
    "the published checkpoint": lambda rig: rig.paths.checkpoint,
    "the journal": newest("journal/*[0-9]"),
    "the lock store": lambda rig: rig.paths.lock_store,
    "the log's key": lambda rig: rig.paths.key,
    "its second key": lambda rig: rig.paths.second_key,
    "its config": lambda rig: rig.paths.config,
}
NEVER_ON_THE_EDGE = {"a full bundle", "a full tile of leaf hashes"}
"""Files that no later signature rests on: proofs out of them are checked, and so does fsck."""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    rig = make_rig(tmp_path_factory.mktemp("filled"))
    with rig.open() as log:
        for first in range(0, ENTRIES, 100):
            for number in range(first, min(ENTRIES, first + 100)):
                log.submit(entry(number))
            log.round()
    return rig


def copy(rig: Rig, folder: Path) -> Rig:
    shutil.copytree(rig.folder, folder, dirs_exist_ok=True)
    return Rig(folder=folder, town=deepcopy(rig.town))


def flip(path: Path, chance: random.Random) -> None:
    path.chmod(stat.S_IMODE(path.stat().st_mode) | stat.S_IWUSR)
    data = bytearray(path.read_bytes())
    used = max((i + 1 for i, byte in enumerate(data) if byte), default=len(data))
    data[chance.randrange(used)] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


def go_on(rig: Rig) -> None:
    """Start, and sign one more tree, if the log is willing to."""
    try:
        with rig.open() as log:
            log.submit(entry(10_000))
            log.round()
            for index in range(0, ENTRIES, 200):
                log.proof(index)
    except SafeconductError:
        return


def trees_agree(rig: Rig, before: list[bytes]) -> bool:
    """Every tree that left the log begins with what it held before the flip."""
    frontier, sizes = Frontier.empty(), {0: Frontier.empty().tree()}
    for each in [*before, entry(10_000)]:
        frontier = frontier.append(leaf_hash(each))
        sizes[frontier.size] = frontier.tree()
    return all(sizes.get(tree.size) == tree for tree in rig.shown())


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_false_is_signed_after_a_flip_at_rest(
    kind: str, filled: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(kind)
    for number in range(FLIPS):
        rig = copy(filled, tmp_path / str(number))
        before = [entry(i) for i in range(ENTRIES)]
        if kind == "the journal":  # so that something is in it
            monkeypatch.setattr(journal.Journal, "finish", lambda _: None)
            with rig.open() as log:
                log.submit(entry(9_999))
                log.round()
            before.append(entry(9_999))
        flip(KINDS[kind](rig), chance)
        go_on(rig)
        assert trees_agree(rig, before)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "bundle" in kind or "tile" in kind])
def test_a_flip_while_the_log_runs_is_found_before_the_next_signature(
    kind: str, filled: Rig, tmp_path: Path
) -> None:
    rig = copy(filled, tmp_path)
    with rig.open() as log:
        log.submit(entry(20_000))
        log.round()
        shown = rig.shown()
        flip(KINDS[kind](rig), random.Random(kind))
        if kind in NEVER_ON_THE_EDGE:
            log.submit(entry(20_001))
            log.round()
        else:
            log.submit(entry(20_001))
            with pytest.raises(SafeconductError):
                log.round()
            assert rig.shown() == shown, "nothing new was signed"
    if kind in NEVER_ON_THE_EDGE:
        assert not check_log(rig.paths.path, lambda _: None).holds
