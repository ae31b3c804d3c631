import sqlite3
from pathlib import Path

import pytest

from safeconduct.errors import ConflictError, UnavailableError
from safeconduct.parties.witness.store import COSIGNED_KEPT, Latest, Listed, Store, open_store
from safeconduct.protocol.tlog.merkle import Tree

ORIGIN = "log.example/ledger"
DAY_SECONDS = 86_400
MIDNIGHT = 20_000 * DAY_SECONDS


def grow(store: Store, size: int, at: int) -> None:
    new = Latest(
        tree=Tree(size=size, root_hash=size.to_bytes(32, "big")),
        cosigned_at=at,
        checkpoint=f"checkpoint {size}".encode(),
    )
    assert store.advance(ORIGIN, store.latest(ORIGIN), new)


def kept_sizes(store: Store, size_end: int) -> list[int]:
    return [size for size in range(size_end) if store.checkpoints_at(ORIGIN, size)]


def test_the_last_trees_and_the_first_of_each_day_are_kept(tmp_path: Path) -> None:
    store = open_store(tmp_path / "witness.db", [ORIGIN])
    for size in range(1, 301):  # 100 a day
        day, second = divmod(size - 1, 100)
        grow(store, size, MIDNIGHT + day * DAY_SECONDS + second)
    kept = kept_sizes(store, 301)
    assert kept == [1, *range(301 - COSIGNED_KEPT, 301)]
    for size in range(301, 601):
        grow(store, size, MIDNIGHT + 3 * DAY_SECONDS)
    assert kept_sizes(store, 601) == [1, 101, 201, 301, *range(601 - COSIGNED_KEPT, 601)]
    store.close()


def test_a_fresh_date_replaces_the_latest_and_keeps_the_first(tmp_path: Path) -> None:
    store = open_store(tmp_path / "witness.db", [ORIGIN])
    grow(store, 5, MIDNIGHT)
    latest = store.latest(ORIGIN)
    again = Latest(tree=latest.tree, cosigned_at=MIDNIGHT + 9, checkpoint=b"again")
    assert store.advance(ORIGIN, latest, again)
    assert store.latest(ORIGIN) == again
    assert store.checkpoints_at(ORIGIN, 5) == [b"checkpoint 5"]
    store.close()


def test_a_log_with_a_fork_is_not_moved_by_any_statement(tmp_path: Path) -> None:
    store = open_store(tmp_path / "witness.db", [ORIGIN])
    grow(store, 5, MIDNIGHT)
    before = store.latest(ORIGIN)
    store.keep_fork(ORIGIN, "name.fork", b"fork", MIDNIGHT)
    tree = Tree(size=6, root_hash=b"6" * 32)
    new = Latest(tree=tree, cosigned_at=MIDNIGHT, checkpoint=b"")
    assert not store.advance(ORIGIN, before, new)
    with (
        pytest.raises(ConflictError, match="never goes back"),
        store._database.write() as transaction,
    ):
        transaction.execute("UPDATE logs SET tree_size = 6, forked = 0")
    assert store.latest(ORIGIN).forked
    store.close()


def test_a_log_is_never_forgotten(tmp_path: Path) -> None:
    store = open_store(tmp_path / "witness.db", [ORIGIN])
    with (
        pytest.raises(ConflictError, match="never forgets"),
        store._database.write() as transaction,
    ):
        transaction.execute("DELETE FROM logs")
    store.close()


def test_what_a_list_brought_is_never_changed_by_a_later_one(tmp_path: Path) -> None:
    store = open_store(tmp_path / "witness.db")
    first = Listed(origin=ORIGIN, vkeys=("first", "second"), requests_per_day=5)
    store.add_listed([first])
    store.add_listed(
        [Listed(origin=ORIGIN, vkeys=("other",)), Listed(origin="b", vkeys=("b",))]
    )
    assert store.listed() == [Listed(origin="b", vkeys=("b",)), first]
    store.close()


def test_the_database_of_an_older_release_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "witness.db"
    with sqlite3.connect(path) as old:
        old.execute("PRAGMA user_version = 1")
    old.close()
    with pytest.raises(UnavailableError, match="schema version 1"):
        open_store(path)
