"""What a mirror remembers: the best date of every entry, its place, and every capsule."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.parties.mirror.mirror_world import capsule

from safeconduct.errors import ConflictError, UnavailableError
from safeconduct.parties.mirror import store
from safeconduct.parties.mirror.store import Checkpoints, Index, Seen, Shelf
from safeconduct.plumbing.database import open_database
from safeconduct.protocol.capsule import SHELF_ENTRY_BYTES
from safeconduct.protocol.tlog.merkle import Tree


def seen(size: int, logged_by: int) -> Seen:
    tree = Tree(size=size, root_hash=size.to_bytes(32, "big"))
    return Seen(tree=tree, logged_by=logged_by, note=b"%d by %d" % (size, logged_by))


@given(
    growth=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50)), min_size=1, max_size=12)
)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_checkpoint_that_covers_an_entry_is_the_best_dated_one_ever_seen(
    growth: list[tuple[int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    checkpoints = Checkpoints(tmp_path_factory.mktemp("kept") / "checkpoints.db")
    size, shown = 0, list[Seen]()
    for more, at in growth:
        size += more
        shown.append(seen(size, at))
        checkpoints.keep(shown[-1])
    for index in range(size):
        covering = checkpoints.covering(index)
        best = min(each.logged_by for each in shown if each.tree.size > index)
        assert covering is not None
        assert covering.logged_by == best
        assert covering.tree.size > index
    latest = checkpoints.latest()
    assert latest is not None
    assert latest.tree.size == size
    assert checkpoints.covering(size) is None
    checkpoints.close()


def test_beyond_the_limit_dates_get_coarser_where_it_costs_least(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "CHECKPOINTS_THINNED", 2)
    checkpoints = Checkpoints(tmp_path / "checkpoints.db", most=8)
    ats = [100, 200, 201, 300, 400, 500, 501, 600, 700]
    for number, at in enumerate(ats, 1):
        checkpoints.keep(seen(number, at))
    dates = [covering.logged_by for i in range(9) if (covering := checkpoints.covering(i))]
    assert dates == [100, 201, 201, 300, 400, 600, 600, 600, 700] or dates == [
        *(100, 201, 201, 300, 400, 501, 501, 600, 700)
    ]
    checkpoints.close()


def test_a_kept_tree_never_gets_another_root(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "checkpoints.db")
    checkpoints.keep(seen(5, 100))
    checkpoints.close()
    database = open_database(tmp_path / "checkpoints.db", "")
    with pytest.raises(ConflictError, match="never changes a tree"), database.write() as tx:
        tx.execute("UPDATE checkpoints SET root_hash = ?", (bytes(32),))
    database.close()


def test_the_index_finds_the_first_place_and_forgets_what_is_cut(tmp_path: Path) -> None:
    index = Index(tmp_path / "index.db")
    leaves = [number.to_bytes(32, "big") for number in (7, 8, 7, 9)]
    index.extend(leaves[:2])
    index.extend(leaves[2:])
    assert [index.find(leaf) for leaf in leaves] == [0, 1, 0, 3]
    assert index.size() == 4
    index.cut(1)
    assert [index.find(leaf) for leaf in leaves] == [0, None, 0, None]
    index.cut(3)
    assert index.size() == 1
    index.close()


def test_the_shelf_keeps_every_version_in_the_order_they_came(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf.db")
    first, second = capsule(0), capsule(1)
    other_version = first[:16] + second[16:]
    shelf.add([first, second])
    shelf.add([other_version, first])
    assert b"".join(shelf.pieces()) == first + second + other_version
    shelf.close()


def test_a_full_shelf_says_so_and_loses_nothing(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf.db", bytes_max=3 * SHELF_ENTRY_BYTES)
    held = [capsule(number) for number in range(3)]
    shelf.add(held[:2])
    with pytest.raises(UnavailableError, match="full"):
        shelf.add([held[1], held[2], capsule(3)])
    assert b"".join(shelf.pieces()) == b"".join(held)
    shelf.add(held)
    shelf.close()
