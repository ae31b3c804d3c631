"""What the monitor remembers: trees seen, alerts that stand, and what is still to be told.

An alert and the news of it are written in one transaction; telling comes after. So a crash in
between tells it at the next start, and never loses it. News carry a number: whoever is told
twice, because the crash came between telling and noting it, can tell by that.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any

from safeconduct.parties.monitor.finding import CONTRADICTION, NOTICE, Finding
from safeconduct.plumbing.database import Database, Row, Transaction, open_database
from safeconduct.plumbing.durable import make_folder, read_file, write_file
from safeconduct.plumbing.terminal import printable
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.statute.instant import format_instant
from safeconduct.protocol.tlog.fork import FORK_BYTES_MAX
from safeconduct.protocol.tlog.merkle import HASH_BYTES

EVIDENCE_FOLDER = "evidence"
EVIDENCE_FILES_MAX = 9  # of one alert: the first ones prove it, more would fill the disk
EVIDENCE_BEGINNINGS_MAX = 10
"""So often an alert that begins again has room anew: nobody uses it up beforehand."""
EVIDENCE_BYTES_MAX = FORK_BYTES_MAX
HAND_TRIES_MAX = 20
_DATABASE_FILE = "monitor.db"
_DIGEST_BYTES = 4
_READ_UNTIL = "read until"
_SAW_FIRST = "INSERT INTO cosigned VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_SAW = (
    "INSERT INTO cosigned VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET at = max(at, excluded.at)"
)
_ALERTS = "SELECT * FROM alerts "


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A finding over time: since when, and until when if it has ended."""

    id: str
    severity: str
    place: str
    sentence: str
    next_step: str
    since: int
    ended: int | None
    evidence: tuple[str, ...]

    def message(self, state: str) -> dict[str, Json]:
        """The alert as others read it; `state` is new, ongoing, ended or notice."""
        return {
            "id": self.id,
            "state": state,
            "severity": self.severity,
            "place": self.place,
            "sentence": self.sentence,
            "next": self.next_step,
            "since": format_instant(self.since),
            "ended": None if self.ended is None else format_instant(self.ended),
            "evidence": list(self.evidence),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something worth knowing that is no trouble; its id keeps it from being told twice."""

    id: str
    place: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A change that is told once: printed, and handed to the keeper's command."""

    number: int
    message: Mapping[str, Any]
    said: bool
    handed: bool


class Store:
    """The monitor's folder; safe between threads."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder
        self._database = database

    # Trees.

    def last(self, origin: str) -> bytes | None:
        """The checkpoint of the last good tree of a log."""
        rows = self._database.read("SELECT checkpoint FROM seen WHERE origin = ?", (origin,))
        return rows[0]["checkpoint"] if rows else None

    def advance(self, origin: str, checkpoint: bytes) -> None:
        """Remember a tree that continues the one before."""
        with self._database.write() as tx:
            tx.execute("INSERT OR REPLACE INTO seen VALUES (?, ?)", (origin, checkpoint))

    def pending(self, place: str, origin: str) -> bytes | None:
        """A checkpoint of a larger tree than the log showed, that is not settled yet."""
        rows = self._database.read(
            "SELECT * FROM pending WHERE place = ? AND origin = ?", (place, origin)
        )
        return rows[0]["checkpoint"] if rows else None

    def keep_pending(self, place: str, origin: str, checkpoint: bytes, at: int) -> int:
        """Remember such a checkpoint; the first one stays until it is settled.

        Returns when that one was seen, by our own clock: a newer one begins no new wait.
        """
        with self._database.write() as tx:
            tx.execute(
                "INSERT OR IGNORE INTO pending VALUES (?, ?, ?, ?)",
                (place, origin, checkpoint, at),
            )
            rows = tx.read(
                "SELECT since FROM pending WHERE place = ? AND origin = ?", (place, origin)
            )
        since: int = rows[0]["since"]
        return since

    def settle_pending(self, place: str, origin: str) -> None:
        """Forget it: the log shows it, or the fork is proven."""
        with self._database.write() as tx:
            tx.execute("DELETE FROM pending WHERE place = ? AND origin = ?", (place, origin))

    def cosigned_at(self, origin: str, witness: str, first: int) -> int:
        """When the witness was last seen cosigning; `first` if never, and then remembered."""
        self.saw_cosigned(origin, {witness: first}, only_new=True)
        rows = self._database.read(
            "SELECT at FROM cosigned WHERE origin = ? AND witness = ?", (origin, witness)
        )
        at: int = rows[0]["at"]
        return at

    def forget_future(self, origin: str, latest: int, at: int) -> None:
        """Let what was seen after `latest` count as seen at `at`.

        Our own clock was ahead when it was written; it would silence us until then.
        """
        with self._database.write() as tx:
            tx.execute(
                "UPDATE cosigned SET at = ? WHERE origin = ? AND at > ?", (at, origin, latest)
            )

    def saw_cosigned(
        self, origin: str, times: Mapping[str, int], *, only_new: bool = False
    ) -> None:
        """Remember the newest cosignature of each witness."""
        statement = _SAW_FIRST if only_new else _SAW
        with self._database.write() as tx:
            for witness, at in times.items():
                tx.execute(statement, (origin, witness, at))

    # The Gazette, and leaves of the Ledger.

    def gazette(self) -> list[bytes]:
        """All entries so far."""
        rows = self._database.read("SELECT entry FROM gazette ORDER BY number")
        return [row["entry"] for row in rows]

    def add_gazette(
        self,
        first: int,
        entries: Sequence[bytes],
        notices: Sequence[Notice],
        read_until: int,
        at: int,
    ) -> None:
        """Append entries from number `first` on, together with the news of them.

        `read_until` is the date of the newest checkpoint whose entries were all read.
        """
        with self._database.write() as tx:
            for number, entry in enumerate(entries, first):
                tx.execute("INSERT INTO gazette VALUES (?, ?)", (number, entry))
            for notice in notices:
                _add_notice(tx, notice, at)
            _put(tx, _READ_UNTIL, read_until)

    def read_until(self) -> int:
        """The date up to which all entries of the Gazette were read, or 0."""
        return int(self.value(_READ_UNTIL) or 0)

    def leaves(self, wanted: Iterable[bytes]) -> dict[bytes, tuple[int, int | None]]:
        """Of each leaf: how many entries were searched for it, and its index if found."""
        with self._database.write() as tx:
            for leaf in wanted:
                assert len(leaf) == HASH_BYTES
                tx.execute("INSERT OR IGNORE INTO leaves VALUES (?, 0, NULL)", (leaf,))
        rows = self._database.read("SELECT * FROM leaves")
        return {row["leaf"]: (row["searched"], row["found"]) for row in rows}

    def searched(
        self, tree_size: int, found: Mapping[bytes, int], asked: Iterable[bytes]
    ) -> None:
        """Remember that the first `tree_size` entries were searched for the leaves `asked`."""
        with self._database.write() as tx:
            for leaf in asked:
                tx.execute(
                    "UPDATE leaves SET found = ?, searched = max(searched, ?) WHERE leaf = ?",
                    (found.get(leaf), tree_size, leaf),
                )

    # Alerts and news.

    def settle(
        self, findings: Sequence[Finding], held: set[str], at: int, places: set[str]
    ) -> None:
        """Begin, go on with and end alerts after a round, with the news of every change.

        Alerts of places that are watched no more end too. Evidence is on the disk first.
        """
        evidence = {finding.id: self._keep(finding) for finding in findings}
        with self._database.write() as tx:
            for finding in findings:
                self._go_on(tx, finding, evidence[finding.id], at)
            for alert in _read(tx, "WHERE ended IS NULL"):
                over = alert.id in held or alert.place not in places
                if over and not self._is_lasting(tx, alert.id):
                    self._end(tx, alert, at)

    def alerts(self) -> list[Alert]:
        """Every alert that stands, the oldest first."""
        return [_alert(row) for row in self._rows("WHERE ended IS NULL ORDER BY since, id")]

    def ended(self, count_max: int) -> list[Alert]:
        """The alerts that ended last."""
        newest = f"WHERE ended IS NOT NULL ORDER BY ended DESC, id LIMIT {count_max:d}"
        return [_alert(row) for row in self._rows(newest)]

    def news(self, count_max: int = 100) -> list[News]:
        """What is still to be told, in order; at most `count_max` at a time.

        Alerts come before notices, which a board can make by the thousand.
        """
        rows = self._database.read(
            "SELECT * FROM news WHERE said = 0 OR handed = 0"
            " ORDER BY json_extract(message, '$.severity') = ?, number LIMIT ?",
            (NOTICE, count_max),
        )
        return [_news(row) for row in rows]

    def notices(self, count_max: int) -> list[Mapping[str, Any]]:
        """The newest news of all kinds, told or not."""
        rows = self._database.read(
            "SELECT * FROM news ORDER BY number DESC LIMIT ?", (count_max,)
        )
        return [_news(row).message for row in rows]

    def said(self, number: int) -> None:
        """Note that this was printed."""
        with self._database.write() as tx:
            tx.execute("UPDATE news SET said = 1 WHERE number = ?", (number,))

    def handed(self, number: int, *, taken: bool) -> None:
        """Note that the command took it; or that it did not, and is asked again, 20 times.

        With a contradiction it is asked until it takes it: there are few of these, and whoever
        is convicted must not get away by stopping the mail for a while.
        """
        with self._database.write() as tx:
            tx.execute(
                "UPDATE news SET tries = tries + 1, handed = (? OR (tries + 1 >= ?"
                " AND json_extract(message, '$.severity') <> ?)) WHERE number = ?",
                (int(taken), HAND_TRIES_MAX, CONTRADICTION, number),
            )

    # The page's state.

    def put(self, name: str, value: Json) -> None:
        """Remember a value by name."""
        with self._database.write() as tx:
            _put(tx, name, value)

    def value(self, name: str) -> Any:
        """The value by that name, or None."""
        rows = self._database.read("SELECT value FROM state WHERE name = ?", (name,))
        return json.loads(rows[0]["value"]) if rows else None

    def evidence(self, name: str) -> bytes | None:
        """The bytes of a piece of evidence that an alert names, or None."""
        known = (json.loads(row["evidence"]) for row in self._rows(""))
        if not any(name in names for names in known):
            return None
        return read_file(self.folder / EVIDENCE_FOLDER / name, bytes_max=EVIDENCE_BYTES_MAX)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _rows(self, where: str) -> list[Row]:
        return self._database.read(_ALERTS + where)

    def _keep(self, finding: Finding) -> list[str]:
        """Write the finding's evidence; returns all the names that its alert has now."""
        names, room = self._evidence_names(finding.id)
        for exhibit in finding.exhibits:
            digest = sha256(exhibit.data).digest()[:_DIGEST_BYTES].hex()
            name = f"{finding.id}-{digest}{exhibit.suffix}"
            if name not in names and len(names) < room:
                write_file(self.folder / EVIDENCE_FOLDER / name, exhibit.data)
                names.append(name)
        return names

    def _evidence_names(self, alert_id: str) -> tuple[list[str], int]:
        """What an alert has, and how many files it may have now."""
        rows = self._rows_of(alert_id)
        if not rows:
            return [], EVIDENCE_FILES_MAX
        names: list[str] = json.loads(rows[0]["evidence"])
        begun = len(names) // EVIDENCE_FILES_MAX + 1
        if rows[0]["ended"] is None and names and len(names) % EVIDENCE_FILES_MAX == 0:
            begun -= 1  # While it stands, what is full stays full.
        return names, EVIDENCE_FILES_MAX * min(begun, EVIDENCE_BEGINNINGS_MAX)

    def _rows_of(self, alert_id: str) -> list[Row]:
        return self._database.read("SELECT * FROM alerts WHERE id = ?", (alert_id,))

    def _go_on(self, tx: Transaction, finding: Finding, evidence: list[str], at: int) -> None:
        """Begin the alert of a finding, or let it stand with the evidence it has by now."""
        standing = _read(tx, "WHERE id = ? AND ended IS NULL", (finding.id,))
        alert = Alert(
            id=finding.id,
            severity=finding.kind.severity,
            place=finding.place,
            sentence=printable(finding.sentence),
            next_step=finding.kind.next_step,
            since=standing[0].since if standing else at,
            ended=None,
            evidence=tuple(evidence),
        )
        tx.execute(
            "INSERT OR REPLACE INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(alert.id, alert.severity, alert.place, alert.sentence, alert.next_step),
                *(alert.since, None, int(finding.kind.lasting), json.dumps(evidence)),
            ),
        )
        if not standing:
            _add_news(tx, alert, "new", at)

    def _is_lasting(self, tx: Transaction, alert_id: str) -> bool:
        return bool(tx.read("SELECT lasting FROM alerts WHERE id = ?", (alert_id,))[0][0])

    def _end(self, tx: Transaction, alert: Alert, at: int) -> None:
        tx.execute("UPDATE alerts SET ended = ? WHERE id = ?", (at, alert.id))
        _add_news(tx, replace(alert, ended=at), "ended", at)


def open_store(folder: Path) -> Store:
    """The monitor's memory in `folder`, made if it is new.

    Raises:
        UnavailableError: it cannot be opened.
    """
    make_folder(folder / EVIDENCE_FOLDER)
    schema = resources.files(__package__).joinpath("schema.sql").read_text(encoding="utf-8")
    return Store(folder, open_database(folder / _DATABASE_FILE, schema))


def _read(tx: Transaction, where: str, parameters: Sequence[str] = ()) -> list[Alert]:
    return [_alert(row) for row in tx.read(_ALERTS + where, parameters)]


def _put(tx: Transaction, name: str, value: Json) -> None:
    tx.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (name, json.dumps(value)))


def _add_notice(tx: Transaction, notice: Notice, at: int) -> None:
    if tx.read("SELECT 1 FROM news WHERE id = ?", (notice.id,)):
        return
    alert = Alert(
        id=notice.id,
        severity=NOTICE,
        place=notice.place,
        sentence=printable(notice.sentence),
        next_step="",
        since=at,
        ended=at,
        evidence=(),
    )
    _add_news(tx, alert, "notice", at)


def _add_news(tx: Transaction, alert: Alert, state: str, at: int) -> None:
    tx.execute(
        "INSERT INTO news (id, at, message) VALUES (?, ?, ?)",
        (alert.id, at, json.dumps(alert.message(state))),
    )


def _alert(row: Row) -> Alert:
    return Alert(
        id=row["id"],
        severity=row["severity"],
        place=row["place"],
        sentence=row["sentence"],
        next_step=row["next_step"],
        since=row["since"],
        ended=row["ended"],
        evidence=tuple(json.loads(row["evidence"])),
    )


def _news(row: Row) -> News:
    return News(
        number=row["number"],
        message={"number": row["number"], **json.loads(row["message"])},
        said=bool(row["said"]),
        handed=bool(row["handed"]),
    )
