"""Alerts begin and end once, are told once, and survive restarts and crashes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.parties.monitor.monitor_town import AT, FOUNDED, HASHES, OTHERS, Town

from safeconduct.parties.monitor.finding import Exhibit, Finding, Findings
from safeconduct.parties.monitor.store import (
    EVIDENCE_FILES_MAX,
    HAND_TRIES_MAX,
    Notice,
    Store,
    open_store,
)
from safeconduct.parties.monitor.tell import tell

PLACE = "log.example"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path)
    yield store
    store.close()


def stale(*exhibits: bytes) -> Finding:
    return Finding(
        check="stale",
        place=PLACE,
        subject="",
        sentence="It is stale.",
        exhibits=tuple(Exhibit(suffix=".checkpoint", data=data) for data in exhibits),
    )


def settle(store: Store, findings: list[Finding], held: set[str], at: int = 1) -> None:
    store.settle(findings, held, at, {PLACE})


def states(store: Store) -> list[str]:
    told: list[Any] = []
    tell(store, told.append, None)
    return [message["state"] for message in told]


def test_an_alert_is_told_when_it_begins_and_when_it_ends(store: Store) -> None:
    settle(store, [stale()], set(), 1)
    settle(store, [stale()], set(), 2)
    assert states(store) == ["new"]
    settle(store, [], {stale().id}, 3)
    settle(store, [], {stale().id}, 4)
    assert states(store) == ["ended"]
    assert (store.ended(9)[0].since, store.ended(9)[0].ended) == (1, 3)


def test_a_check_that_could_not_be_made_does_not_end_an_alert(store: Store) -> None:
    settle(store, [stale()], set())
    settle(store, [], set())
    assert [alert.id for alert in store.alerts()] == [stale().id]


def test_an_alert_about_a_place_that_is_no_longer_watched_ends(store: Store) -> None:
    settle(store, [stale()], set())
    store.settle([], set(), 2, {"another place"})
    assert store.alerts() == []


def test_an_alert_that_comes_again_is_told_again_with_the_same_id(store: Store) -> None:
    settle(store, [stale()], set(), 1)
    settle(store, [], {stale().id}, 2)
    settle(store, [stale()], set(), 3)
    assert states(store) == ["new", "ended", "new"]
    assert store.alerts()[0].since == 3


def test_what_lasts_is_never_ended(store: Store) -> None:
    fork = Finding(check="forked", place=PLACE, subject="", sentence="Two stories.")
    settle(store, [fork], set())
    settle(store, [], {fork.id})
    store.settle([], set(), 2, set())
    assert [alert.id for alert in store.alerts()] == [fork.id]


def test_a_liar_cannot_fill_the_disk_with_evidence(store: Store) -> None:
    for number in range(40):
        settle(store, [stale(b"%d" % number)], set(), number)
    names = store.alerts()[0].evidence
    assert len(names) == EVIDENCE_FILES_MAX
    assert len(list((store.folder / "evidence").iterdir())) == EVIDENCE_FILES_MAX
    assert store.evidence(names[0]) == b"0"


def test_evidence_is_served_by_the_name_of_an_alert_and_by_no_other(store: Store) -> None:
    settle(store, [stale(b"shown")], set())
    (store.folder / "evidence" / "other").write_bytes(b"secret")
    for name in ("other", "../monitor.db", "..", "", "/etc/hostname"):
        assert store.evidence(name) is None


def test_a_crash_before_telling_loses_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    settle(store, [stale()], set())
    store.close()
    again = open_store(tmp_path)
    assert states(again) == ["new"]
    assert states(again) == []
    again.close()


class CrashError(Exception):
    pass


def test_a_crash_while_telling_tells_again_under_the_same_number(store: Store) -> None:
    settle(store, [stale()], set())
    numbers: list[int] = []

    def crash(message: Any) -> None:
        numbers.append(message["number"])
        raise CrashError

    for _ in range(2):
        with pytest.raises(CrashError):
            tell(store, crash, None)
    assert numbers == [1, 1]


def test_a_notice_is_told_once_whatever_happens(store: Store) -> None:
    notice = Notice(id="gazette-3", place=PLACE, sentence="A new law.")
    for first in (0, 1):
        store.add_gazette(first, [b"entry"], [notice], read_until=1, at=1)
    assert states(store) == ["notice"]


def test_a_command_gets_the_alert_and_one_that_fails_is_asked_again(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settle(store, [stale()], set())
    said: list[Any] = []
    for _ in range(3):
        tell(store, said.append, ["false"])
    assert len(said) == 1
    target = tmp_path / "got.json"
    tell(store, said.append, ["tee", str(target)])
    tell(store, said.append, ["false"])
    assert b'"state": "new"' in target.read_bytes()
    assert len(said) == 1
    assert "tried again" in capsys.readouterr().err


def test_a_command_that_never_works_is_given_up(store: Store) -> None:
    settle(store, [stale()], set())
    for _ in range(HAND_TRIES_MAX):
        assert store.news()
        tell(store, lambda _: None, ["/nowhere/to/be/found"])
    assert store.news() == []


def test_a_finding_is_not_held_however_often_it_is_held_elsewhere() -> None:
    findings = Findings(PLACE)
    findings.hold("stale")
    findings.find("stale", "It is stale.")
    findings.hold("stale")
    assert findings.held == set()


def test_a_monitor_that_starts_again_goes_on_where_it_was(town: Town) -> None:
    town.watch()
    town.show("ledger", [*HASHES[:250], *OTHERS[:60]])
    town.watch()
    told = len(town.told)
    town.watch()
    assert len(town.told) == told
    assert town.sentences("notice")[0].startswith("The watch began")


def test_a_log_that_is_away_ends_none_of_its_alerts(town: Town) -> None:
    stood = town.watch(AT + 700)
    assert "stale" in stood
    del town.files["ledger/checkpoint"]
    del town.files["gazette/checkpoint"]
    assert {"stale", "unreachable"} <= town.watch(AT + 701).keys()
    for name, entries in (("gazette", FOUNDED), ("ledger", HASHES[:300])):
        town.show(name, entries, AT + 702)
    assert town.watch(AT + 702) == {}
