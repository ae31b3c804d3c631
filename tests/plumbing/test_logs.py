"""Reading the Gazette: whole, as it was cosigned, and cosigned not long ago."""

from dataclasses import replace

import pytest
from tests.protocol import builders

from safeconduct.errors import (
    ConflictError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.plumbing import clock, logs
from safeconduct.plumbing.logs import GAZETTE_AGE_SECONDS_MAX, read_gazette
from safeconduct.plumbing.programme import Programme
from safeconduct.protocol.gazette import GazetteState, fold, fold_all
from safeconduct.protocol.tlog.merkle import Frontier, leaf_hash
from safeconduct.protocol.tlog.note import format_note
from safeconduct.protocol.tlog.tile import format_bundle

NOW = builders.NOON
PROGRAMME = Programme(
    name=builders.NAME,
    gazette="http://log.example/gazette",
    gazette_origin=builders.GAZETTE.name,
    ledger="http://log.example/ledger",
    ledger_origin=builders.LEDGER.name,
    door="http://door.example",
    register="http://register.example",
    policy=builders.POLICY,
    policy_text=builders.POLICY_TEXT.encode(),
)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What the log serves, by the end of its address."""
    entries = builders.gazette_entries()
    frontier, _ = Frontier.empty().extend([leaf_hash(entry) for entry in entries])
    checkpoint = format_note(builders.checkpoint_note(frontier, NOW, builders.GAZETTE))
    files = {"checkpoint": checkpoint, "3": format_bundle(entries)}

    def fetch_file(url: str, *, bytes_max: int, **_: object) -> bytes:
        return files[url.rpartition("/")[2]]

    monkeypatch.setattr(logs, "fetch_file", fetch_file)
    return files


def test_the_gazette_is_read_whole_and_folded(shown: dict[str, bytes]) -> None:
    view = read_gazette(PROGRAMME, at=NOW)
    assert view.entries == builders.gazette_entries()
    assert view.state == builders.gazette_state()
    assert (view.checkpoint, view.cosigned.logged_by) == (shown["checkpoint"], NOW)


@pytest.mark.parametrize("age", [-3_600, 0, GAZETTE_AGE_SECONDS_MAX])
def test_a_gazette_cosigned_within_a_day_is_taken(age: int, shown: dict[str, bytes]) -> None:
    assert read_gazette(PROGRAMME, at=NOW + age).cosigned.logged_by == NOW


@pytest.mark.parametrize("age", [GAZETTE_AGE_SECONDS_MAX + 1, 700 * builders.DAY])
def test_a_gazette_frozen_for_longer_is_refused(age: int, shown: dict[str, bytes]) -> None:
    """A thief of an old desk key would show the Gazette as it was before that key's end."""
    with pytest.raises(UnavailableError, match="the Gazette shown is stale"):
        read_gazette(PROGRAMME, at=NOW + age)


def test_by_default_the_age_is_that_of_now(
    shown: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = NOW
    monkeypatch.setattr(clock, "seconds", lambda: now)
    read_gazette(PROGRAMME)
    now = NOW + 700 * builders.DAY
    with pytest.raises(UnavailableError, match="stale"):
        read_gazette(PROGRAMME)


def test_entries_other_than_those_cosigned_are_refused(shown: dict[str, bytes]) -> None:
    first, second, third = builders.gazette_entries()
    shown["3"] = format_bundle([first, third, second])
    with pytest.raises(UnverifiedError, match="not those its checkpoint covers"):
        read_gazette(PROGRAMME, at=NOW)


def test_the_gazette_of_another_programme_is_refused(shown: dict[str, bytes]) -> None:
    with pytest.raises(ConflictError, match="another programme"):
        read_gazette(replace(PROGRAMME, name="example-2099"), at=NOW)


def test_a_checkpoint_of_the_other_log_is_refused(shown: dict[str, bytes]) -> None:
    entries = builders.gazette_entries()
    frontier, _ = Frontier.empty().extend([leaf_hash(entry) for entry in entries])
    note = builders.checkpoint_note(frontier, NOW, builders.LEDGER)
    shown["checkpoint"] = format_note(note)
    with pytest.raises(SafeconductError, match="not of log"):
        read_gazette(PROGRAMME, at=NOW)


def published(*entries: bytes, at: int = NOW) -> dict[str, bytes]:
    """What the log serves when it holds these entries."""
    frontier, _ = Frontier.empty().extend([leaf_hash(entry) for entry in entries])
    checkpoint = format_note(builders.checkpoint_note(frontier, at, builders.GAZETTE))
    return {"checkpoint": checkpoint, str(len(entries)): format_bundle(entries)}


def test_what_was_read_before_is_neither_fetched_nor_folded_again(
    shown: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = builders.gazette_entries()
    before = read_gazette(PROGRAMME, at=NOW)
    shown.clear()
    shown["checkpoint"] = published(*entries, at=NOW + 60)["checkpoint"]
    again = read_gazette(PROGRAMME, at=NOW + 60, before=before)
    assert again.cosigned.vouched_at == NOW + 60
    assert again.state is before.state
    folded: list[bytes] = []

    def noted(state: GazetteState, entry: bytes) -> GazetteState:
        folded.append(entry)
        return fold(state, entry)

    monkeypatch.setattr(logs, "fold", noted)
    more = builders.by_board(builders.publication_act(number=1))
    shown.update(published(*entries, more))
    grown = read_gazette(PROGRAMME, at=NOW, before=before)
    assert folded == [more]
    assert grown.entries == (*entries, more)
    assert grown.state == fold_all(grown.entries)


def test_cosignatures_that_somebody_kept_do_not_turn_time_back(
    shown: dict[str, bytes],
) -> None:
    before = read_gazette(PROGRAMME, at=NOW)
    shown.update(published(*builders.gazette_entries(), at=NOW - 3_600))
    assert read_gazette(PROGRAMME, at=NOW, before=before) is before
    with pytest.raises(UnavailableError, match="stale"):
        read_gazette(PROGRAMME, at=NOW + GAZETTE_AGE_SECONDS_MAX + 1, before=before)


def test_an_older_gazette_or_another_past_changes_nothing_that_was_read(
    shown: dict[str, bytes],
) -> None:
    entries = builders.gazette_entries()
    before = read_gazette(PROGRAMME, at=NOW)
    shown.update(published(*entries[:2]))
    assert read_gazette(PROGRAMME, at=NOW, before=before) is before
    shown.update(published(entries[0], entries[2], entries[1], entries[1]))
    with pytest.raises(UnverifiedError, match="not those its checkpoint covers"):
        read_gazette(PROGRAMME, at=NOW, before=before)
