"""Rows of a party's own database that somebody spoilt: told, and they bring nothing down."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.hostile.console import EXIT_CODES, Console

_DEEP = "[" * 5_000
LISTINGS = {
    "data that is no text": "UPDATE listing_events SET data = x'ff00ff'",
    "data that is no JSON": "UPDATE listing_events SET data = CAST('{' AS BLOB)",
    "data of another kind": "UPDATE listing_events SET data = CAST('{}' AS BLOB)",
    "data that is a list": "UPDATE listing_events SET data = CAST('[]' AS BLOB)",
    "data that is deep": f"UPDATE listing_events SET data = CAST('{_DEEP}' AS BLOB)",
    "an event that there is not": "UPDATE listing_events SET kind = 'pardoned'",
    "an event before its time": "UPDATE listing_events SET kind = 'decided' WHERE number > 1",
    "no beginning": "DELETE FROM listing_events WHERE kind = 'proposed'",
    "a time beyond time": "UPDATE listing_events SET at = 9223372036854775807",
    "a time before time": "UPDATE listing_events SET at = -9223372036854775807",
    "no address": "UPDATE listings SET page = x'' WHERE number = 1",
}
OF_LISTINGS = (
    "register list all --dir own",
    "register list due --dir own",
    "register list show {told} --dir own",
    "register list notify {told} --dir own",
    "register list decide {told} --dir own --out own/made",
)
CASES = {
    "data that is no text": "UPDATE events SET data = x'ff00ff'",
    "data of another kind": "UPDATE events SET data = CAST('{}' AS BLOB)",
    "data that is deep": f"UPDATE events SET data = CAST('{_DEEP}' AS BLOB)",
    "an event that there is not": "UPDATE events SET kind = 'pardoned'",
    "no beginning": "DELETE FROM events WHERE kind = 'filed'",
    "a time beyond time": "UPDATE events SET at = 9223372036854775807",
}
OF_CASES = (
    "register cases --dir own",
    "register show {case} --dir own",
    "register docket {case} --dir own --out own/made",
)
DOCKETS = {
    "a docket that is no text": "UPDATE dockets SET data = x'ff00ff'",
    "a docket of another kind": "UPDATE dockets SET data = CAST('{}' AS BLOB)",
    "a docket that is deep": f"UPDATE dockets SET data = CAST('{_DEEP}' AS BLOB)",
    "a docket by another name": "UPDATE dockets SET hash = zeroblob(32)",
    "a docket of another case": "UPDATE dockets SET claim = zeroblob(32)",
    "no claim": "UPDATE dockets SET claim = x''",
}
OF_DOCKETS = (
    "board console-list --dir own --programme programme --member {member}",
    "board console-pull --dir own --programme programme",
)
TABLES = [
    pytest.param(party, database, spoil, commands, id=f"{party}: {kind}")
    for party, database, kinds, commands in (
        ("register", "registry.sqlite", LISTINGS, OF_LISTINGS),
        ("register", "registry.sqlite", CASES, OF_CASES),
        ("console", "console.sqlite", DOCKETS, OF_DOCKETS),
    )
    for kind, spoil in kinds.items()
]


def spoil_rows(database: Path, statement: str) -> None:
    """Do to a copy of a database what its party never does."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(statement)


@pytest.mark.parametrize(("party", "database", "spoil", "commands"), TABLES)
def test_spoilt_rows_are_told_and_bring_nothing_down(
    console: Console,
    capsys: pytest.CaptureFixture[str],
    party: str,
    database: str,
    spoil: str,
    commands: tuple[str, ...],
) -> None:
    before = console.held()
    for command in commands:
        # Whole, with what a running server has not yet written back into the file itself.
        shutil.copytree(console.folder / party, console.folder / "own")
        spoil_rows(console.folder / "own" / database, spoil)
        code = console.run(command)
        told = console.said + capsys.readouterr().out
        assert code in EXIT_CODES | {0}, f"{command}: exit {code}, {told}"
        assert "Traceback" not in told
        assert all(line.isprintable() for line in told.splitlines())
        if code:
            assert any(line.startswith("error: ") for line in console.said.splitlines())
            assert not (console.folder / "own" / "made").exists()
        shutil.rmtree(console.folder / "own")
    assert console.held() == before
