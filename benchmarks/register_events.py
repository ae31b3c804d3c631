"""A million events of listings: appended durably in batches, then folded into what stands now.

A quarter of a million persons, each with a file, a judgement of identity, a notice and a reply.
Beside it the same rows go into the same tables with SQLite's own `executemany`, and come back,
with nothing checked and nothing folded: what the database alone takes for them.
"""

import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib import resources
from itertools import islice
from pathlib import Path

from benchmarks.measure import Course, Ratio, Report, at_most, figure, main, timed
from safeconduct.parties.registry.registrations import Entry, Registrations
from safeconduct.parties.registry.store import Store
from safeconduct.protocol.canonical import format_json
from safeconduct.protocol.listing.dossier import Dossier
from safeconduct.protocol.registration import Event

EVENTS = 1_000_000
EVENTS_A_PERSON = 4
BATCH = 25_000  # persons in one transaction
SECONDS_MAX = 60.0
NOON = 1_800_000_000
BLANK = Dossier(
    subject="r-0",
    name="Anton Weller",
    statute=bytes(32),
    assessment={
        "ground": "section 8 of the act",
        "role": "head of the night shift",
        "conduct": "signed off shipments that nobody had inspected",
        "harm": "goods left the port without duty or safety check",
        "time_since": "less than five years",
        "weight": "responsible for the decision, not for its planning",
    },
    effects=("no_public_office",),
    salt=bytes(16),
    identity="passport",
    evidence=("shipping papers",),
    proposer="clerk seven",
    source="another list",
    private_salt=bytes(16),
)
IDENTITY = format_json({"evidence": "passport seen", "judgement": "same"})
NOTICE = format_json({"notice": "n" * 600, "proof": "p" * 900, "reply_until": NOON + 9})
REPLY = format_json({"hash": "ab" * 32, "salt": "cd" * 16, "text": "It was not me. " * 10})


def benchmark(course: Course) -> Report:
    """Seconds to append and to fold, beside SQLite alone with the same rows."""
    count = course.scaled(EVENTS, quick=EVENTS // 20) // EVENTS_A_PERSON
    kept = Registrations(Store(course.folder / "register").database)
    appended, _ = timed(lambda: _append(kept, count))
    folded, states = timed(lambda: Counter(course.state for _, course in kept.courses()))
    if states != {"replied": count}:
        raise RuntimeError(f"register_events: {dict(states)} in place of {count} replied")
    plain_in, plain_out = _plain(course.folder / "plain.sqlite", count)
    scale = EVENTS / (count * EVENTS_A_PERSON)
    return Report(
        name="register_events",
        title=f"{count * EVENTS_A_PERSON} events of {count} listings, appended and folded",
        figures=(
            figure("append, checked, durable", "s", [appended]),
            figure("read again and fold", "s", [folded]),
            figure("SQLite executemany of the same rows", "s", [plain_in]),
            figure("SQLite read of the same rows", "s", [plain_out]),
        ),
        ratios=(
            at_most(
                f"append and fold, seconds for {EVENTS}",
                (appended + folded) * scale,
                SECONDS_MAX,
                " s",
            ),
            Ratio(what="append / SQLite executemany", value=appended / plain_in),
            Ratio(what="read and fold / SQLite read", value=folded / plain_out),
        ),
        bound="each file is checked and written as canonical JSON as it comes in, and each "
        "event is one step of the fold, both in Python; SQLite is the smaller part",
    )


def _append(kept: Registrations, count: int) -> None:
    entries = _entries(count)
    while batch := list(islice(entries, BATCH)):
        kept.enter_all(batch, os.urandom)


def _entries(count: int) -> Iterator[Entry]:
    for number in range(count):
        dossier = replace(BLANK, subject=f"r-{number}", name=f"Anton Weller {number}")
        yield Entry(
            dossier=dossier,
            at=NOON,
            later=(
                Event(kind="identity", at=NOON + 1, data=IDENTITY),
                Event(kind="notified", at=NOON + 2, data=NOTICE),
                Event(kind="replied", at=NOON + 3, data=REPLY),
            ),
        )


def _plain(path: Path, count: int) -> tuple[float, float]:
    """What SQLite alone takes to write these rows durably, and to read them."""
    connection = sqlite3.connect(path, isolation_level=None)
    schema = resources.files("safeconduct.parties.registry").joinpath("schema.sql").read_text()
    connection.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;{schema}")
    rows = list(_rows(_entries(count)))

    def write() -> None:
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO listings VALUES (?, ?, ?)",
            ((row[1], f"r-{row[1]}", os.urandom(32)) for row in rows[::EVENTS_A_PERSON]),
        )
        connection.executemany("INSERT INTO listing_events VALUES (?, ?, ?, ?, ?)", rows)
        connection.execute("COMMIT")

    written, _ = timed(write)
    read, found = timed(
        lambda: sum(
            1
            for _ in connection.execute(
                "SELECT kind, at, data FROM listing_events ORDER BY listing, number"
            )
        )
    )
    connection.close()
    if found != len(rows):
        raise RuntimeError("register_events: SQLite lost rows")
    return written, read


def _rows(entries: Iterable[Entry]) -> Iterator[tuple[int, int, str, int, bytes]]:
    number = 0
    for listing, entry in enumerate(entries, start=1):
        for event in entry.begun():
            number += 1
            yield number, listing, event.kind, event.at, event.data


if __name__ == "__main__":
    main("register_events", benchmark)
