import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from safeconduct.errors import ConflictError, UnavailableError
from safeconduct.plumbing.database import Database, open_database

SCHEMA = """
-- A comment; with a semicolon.
CREATE TABLE parts (name TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT;
CREATE TRIGGER parts_stay BEFORE DELETE ON parts
BEGIN
    SELECT RAISE(ABORT, 'parts stay');
END;
"""


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path / "db", SCHEMA)
    yield opened
    opened.close()


def test_a_committed_row_is_there_after_reopening(tmp_path: Path) -> None:
    for count in (1, 2):
        opened = open_database(tmp_path / "db", SCHEMA)
        with opened.write() as tx:
            tx.execute("INSERT INTO parts VALUES (?, ?)", (f"part {count}", count))
        assert len(opened.read("SELECT * FROM parts")) == count
        opened.close()


def test_a_block_that_raises_leaves_nothing(db: Database) -> None:
    def change_one_mind() -> None:
        with db.write() as tx:
            tx.execute("INSERT INTO parts VALUES ('a', 1)")
            raise KeyError

    with pytest.raises(KeyError):
        change_one_mind()
    assert db.read("SELECT * FROM parts") == []
    with db.write() as tx:
        assert tx.execute("INSERT INTO parts VALUES ('a', 1)") == 1


def test_readers_see_only_what_is_committed(db: Database) -> None:
    with db.write() as tx:
        tx.execute("INSERT INTO parts VALUES ('a', 1)")
        assert db.read("SELECT * FROM parts") == []
        assert [row["count"] for row in tx.read("SELECT * FROM parts")] == [1]
    assert [row["count"] for row in db.read("SELECT * FROM parts")] == [1]


@pytest.mark.parametrize(
    ("sql", "family"),
    [
        ("INSERT INTO parts VALUES ('a', 2)", ConflictError),
        ("DELETE FROM parts", ConflictError),
        ("INSERT INTO parts VALUES ('b', 'no number')", ConflictError),
        ("SELECT nonsense", UnavailableError),
    ],
)
def test_what_the_schema_forbids_is_an_error_of_ours(
    sql: str, family: type[Exception], db: Database
) -> None:
    with db.write() as tx:
        tx.execute("INSERT INTO parts VALUES ('a', 1)")
    with pytest.raises(family), db.write() as tx:
        tx.execute(sql)


def test_reading_never_writes(db: Database) -> None:
    with pytest.raises(UnavailableError, match="readonly"):
        db.read("INSERT INTO parts VALUES ('a', 1)")


def test_a_database_of_another_version_is_not_touched(tmp_path: Path) -> None:
    open_database(tmp_path / "db", SCHEMA, version=2).close()
    with pytest.raises(UnavailableError, match="schema version 2"):
        open_database(tmp_path / "db", SCHEMA)


def test_what_is_no_database_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "db").write_bytes(b"not a database" * 100)
    with pytest.raises(UnavailableError):
        open_database(tmp_path / "db", SCHEMA)


def test_each_sync_is_a_full_one(db: Database) -> None:
    with db.write() as tx:
        assert tx.read("PRAGMA synchronous")[0][0] == 2
        assert tx.read("PRAGMA journal_mode")[0][0] == "wal"
        assert tx.read("PRAGMA foreign_keys")[0][0] == 1
        assert tx.read("PRAGMA trusted_schema")[0][0] == 0


def test_threads_take_turns_and_two_openers_agree(tmp_path: Path) -> None:
    opened = [open_database(tmp_path / "db", SCHEMA) for _ in range(2)]
    with opened[0].write() as tx:
        tx.execute("INSERT INTO parts VALUES ('a', 0)")

    def count_up(db: Database) -> None:
        for _ in range(10):
            with db.write() as tx:
                tx.execute("UPDATE parts SET count = count + 1")

    threads = [threading.Thread(target=count_up, args=(db,)) for db in opened * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert opened[0].read("SELECT count FROM parts")[0]["count"] == 40
    for db in opened:
        db.close()
