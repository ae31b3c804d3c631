from pathlib import Path

import pytest
from tests.parties.witness.witness_requests import (
    LOG_KEY,
    NOW,
    ORIGIN,
    SmallLog,
    honest,
    request,
    signed,
    status_of,
    witness_in,
)

from safeconduct.parties.witness.limits import Allowance, InWork, PushBackError
from safeconduct.parties.witness.logs import Log

LOG = SmallLog(20)
DAY_SECONDS = 86_400
MIDNIGHT = NOW - NOW % DAY_SECONDS
THREE_A_DAY = {ORIGIN: Log(origin=ORIGIN, keys=(LOG_KEY.verifier(),), requests_per_day=3)}


def test_a_log_gets_so_many_larger_trees_a_day(tmp_path: Path) -> None:
    with witness_in(tmp_path, logs=THREE_A_DAY) as witness:
        course = [status_of(honest(LOG, size, size + 1), witness) for size in range(4)]
        assert course == [200, 200, 200, 429]
        assert witness.store.latest(ORIGIN).tree.size == 3
        assert status_of(honest(LOG, 3, 4), witness, NOW + DAY_SECONDS) == 200


def test_strangers_who_ask_for_fresh_dates_do_not_use_up_what_the_log_needs(
    tmp_path: Path,
) -> None:
    with witness_in(tmp_path, logs=THREE_A_DAY) as witness:
        witness.cosign(honest(LOG, 0, 10), NOW)
        again = {witness.cosign(honest(LOG, 10, 10), NOW + second).body for second in range(5)}
        assert len(again) == 1
        assert status_of(honest(LOG, 10, 11), witness) == 200


def test_refused_requests_do_not_count(tmp_path: Path) -> None:
    with witness_in(tmp_path, logs=THREE_A_DAY) as witness:
        witness.cosign(honest(LOG, 0, 10), NOW)
        for _ in range(9):
            assert status_of(honest(LOG, 5, 15), witness) == 409
            assert status_of(request(10, [], signed(LOG.tree(15))), witness) == 422
        assert status_of(honest(LOG, 10, 11), witness) == 200


def test_the_log_is_told_to_come_again_the_next_day() -> None:
    allowance = Allowance()
    allowance.take(ORIGIN, 1, grows=True, now=MIDNIGHT + 100)
    with pytest.raises(PushBackError) as pushed:
        allowance.take(ORIGIN, 1, grows=True, now=MIDNIGHT + 101)
    assert (pushed.value.http_status, pushed.value.retry_seconds) == (429, DAY_SECONDS - 101)


def test_each_log_has_a_share_of_its_own() -> None:
    allowance = Allowance()
    for origin in ("a", "b"):
        allowance.take(origin, 1, grows=True, now=NOW)
    with pytest.raises(PushBackError):
        allowance.take("b", 1, grows=True, now=NOW)


def test_so_many_requests_are_in_work_and_no_more() -> None:
    in_work = InWork(most=2)
    with in_work.one_more():
        with in_work.one_more():
            with pytest.raises(PushBackError) as pushed, in_work.one_more():
                pass
            assert pushed.value.retry_seconds == 1
        with in_work.one_more():
            pass


def test_a_request_that_fails_is_in_work_no_more() -> None:
    in_work = InWork(most=1)
    for _ in range(3):
        with pytest.raises(ValueError, match="broken"), in_work.one_more():
            raise ValueError("broken")
