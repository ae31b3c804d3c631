"""What a lying witness does to a log that means well."""

import time
from dataclasses import replace

import pytest
from tests.parties.log.guard_world import (
    AT,
    LOG_KEYS,
    NAMES,
    VERIFIERS,
    Serve,
    Town,
    always,
    key_of,
    lines,
    two_of_three,
)
from tests.parties.log.test_quorum import SIZE, TEXT, TRUE, cosigned, cosigners, opened

from safeconduct.errors import ConflictError, UnavailableError
from safeconduct.parties.log.ahead import Lookout
from safeconduct.plumbing import clock
from safeconduct.plumbing.fetch import Response
from safeconduct.protocol.tlog.policy import GroupLine, open_checkpoint

YEAR_SECONDS = 365 * 86_400


def dating(at: int) -> Serve:
    """A witness that signs whatever it is asked, under another date."""
    return always(200, lines(TEXT, key_of("anna"), at=at))


def test_a_date_that_has_not_come_yet_does_not_count() -> None:
    """Else an entry's first date, which stays, would be where one witness wants it."""
    town = Town(serve={"anna": dating(clock.seconds() + YEAR_SECONDS)})
    with opened(town) as quorum:
        checkpoint = cosigned(quorum)
        assert cosigners(checkpoint) == {"boris", "clara"}
        assert open_checkpoint(checkpoint, two_of_three()).logged_by == AT
        del town.serve["boris"]
        with pytest.raises(UnavailableError, match=r"anna: dates .* ahead of this machine"):
            cosigned(quorum)


def test_a_clock_that_is_a_minute_ahead_is_forgiven() -> None:
    with opened(Town(serve={"anna": dating(clock.seconds() + 60)})) as quorum:
        assert "anna" in cosigners(cosigned(quorum))


def test_an_early_date_moves_nothing() -> None:
    with opened(Town(serve={"anna": dating(1)})) as quorum:
        checkpoint = quorum.cosigned(TRUE.note(SIZE), TRUE.tree(SIZE), TRUE.prove)
    assert open_checkpoint(checkpoint, two_of_three()).logged_by == AT


def test_a_slow_witness_that_knows_more_is_heard_before_a_restored_log_signs() -> None:
    """Enough others have answered, that never saw what was signed since the backup."""

    def slowly(path: str, body: bytes | None) -> Response:
        time.sleep(1)
        return Response(status=200, body=TRUE.shown(SIZE + 1))

    any_of_three = replace(
        two_of_three(), groups=(GroupLine(name="two", threshold=1, members=NAMES),)
    )
    town = Town(serve={"clara": slowly})
    with pytest.raises(ConflictError, match="clara shows 21"):
        Lookout(any_of_three, VERIFIERS, town.ask).confirm(TRUE.tree(SIZE))


def test_a_strangers_line_at_an_honest_witness_does_not_make_it_silent() -> None:
    """Other programs keep a note as it came, with what anybody wrote below it."""
    spoilt = TRUE.shown(SIZE, LOG_KEYS[:1]) + TRUE.shown(1, LOG_KEYS[1:]).split(b"\n\n")[1]
    town = Town(serve=dict.fromkeys(NAMES, always(200, spoilt)))
    Lookout(two_of_three(), VERIFIERS, town.ask).confirm(TRUE.tree(SIZE))
