"""SQLite: the one door to it. Write-ahead log, full syncs, strict tables, one writer.

A committed transaction is on the medium. Readers never wait for the writer. Conditions that
safety rests on belong into the SQL itself (`UPDATE … WHERE tree_size = ?`), not into the hope
that some transaction was open.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from safeconduct.errors import ConflictError, UnavailableError

Row: TypeAlias = sqlite3.Row
Value: TypeAlias = int | float | str | bytes | None

_BUSY_MILLISECONDS = 5_000
_TOLD = "the server cannot reach its own records now; nothing was changed"

_WHAT_TO_DO = {
    sqlite3.SQLITE_FULL: "free some space, then do it again: nothing was changed",
    sqlite3.SQLITE_BUSY: "another process holds it: do it again in a moment",
    sqlite3.SQLITE_IOERR: "free some space; if there is enough, the disk reports a fault",
    sqlite3.SQLITE_READONLY: "check who owns it, and whether the disk is mounted read-only",
}

_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "fullfsync = ON",  # what FULL needs on Apple's disks; has no effect elsewhere
    "foreign_keys = ON",
    "trusted_schema = OFF",
    f"busy_timeout = {_BUSY_MILLISECONDS}",
)


class Transaction:
    """One open write transaction: all of it is committed, or nothing."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        """Run one statement and return how many rows it changed."""
        return self._connection.execute(sql, parameters).rowcount

    def read(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        """All rows of a query, or of a statement with a RETURNING clause."""
        return self._connection.execute(sql, parameters).fetchall()


class Database:
    """One SQLite file, open; safe to share between threads."""

    def __init__(
        self, path: Path, writer: sqlite3.Connection, reader: sqlite3.Connection
    ) -> None:
        self._path = path
        self._writer, self._writing = writer, threading.Lock()
        self._reader, self._reading = reader, threading.Lock()

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that commits at the end of the block, and rolls back if it raises.

        Raises:
            ConflictError: a constraint of the schema forbids the change.
            UnavailableError: the disk is full, at fault, or held by another process.
        """
        with self._writing, _naming(self._path):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield Transaction(self._writer)
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def read(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        """All rows of a query, as of the last committed transaction.

        Raises:
            UnavailableError: the disk is at fault.
        """
        with self._reading, _naming(self._path):
            return self._reader.execute(sql, parameters).fetchall()

    def close(self) -> None:
        """Close the file; the object is of no use afterwards."""
        with self._writing, self._reading:
            self._reader.close()
            self._writer.close()


def open_database(path: Path, schema_sql: str, *, version: int = 1) -> Database:
    """The database at `path`, made with `schema_sql` if it is new.

    Raises:
        UnavailableError: it cannot be opened, or was written under another schema version.
    """
    with _naming(path):
        writer = _connect(path)
        try:
            _apply(writer, path, schema_sql, version)
            reader = _connect(path)
        except BaseException:
            writer.close()
            raise
        reader.execute("PRAGMA query_only = ON")
    return Database(path, writer, reader)


def _connect(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600)
    # Two threads never use a connection at once: `Database` holds a lock around each.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _apply(connection: sqlite3.Connection, path: Path, schema_sql: str, version: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found not in (0, version):
            raise UnavailableError(
                f"{path}: schema version {found}, but this program knows version {version}",
                hint="run the release that wrote it",
            )
        if found == 0:
            for statement in _statements(schema_sql):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _statements(script: str) -> Iterator[str]:
    """Each statement apart: `executescript` would commit the transaction we are in."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    assert not statement.strip(), "the schema's last statement has no semicolon"


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Turn SQLite's refusals into our families; its messages name columns, never values."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise ConflictError(f"{path.name}: {error}") from error
    except sqlite3.DatabaseError as error:
        # The low byte is the kind of error, all above it says more about it.
        hint = _WHAT_TO_DO.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, "")
        raise UnavailableError(f"{path}: {error}", hint=hint, told=_TOLD) from error
    except OSError as error:
        raise UnavailableError(f"{path}: {error.strerror}", told=_TOLD) from error
