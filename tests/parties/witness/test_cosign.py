import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.parties.witness.witness_requests import (
    LOG_KEY,
    MLDSA44_LOG_KEY,
    MLDSA44_OWN,
    NOW,
    ORIGIN,
    OTHER_KEY,
    OWN,
    SmallLog,
    honest,
    request,
    signed,
    status_of,
    witness_in,
)

from safeconduct.errors import RefusedError, SafeconductError, UnavailableError
from safeconduct.parties.witness.cosign import Answer, Witness
from safeconduct.parties.witness.store import Latest, Store
from safeconduct.protocol.tlog.cosignature import verify_cosignature
from safeconduct.protocol.tlog.merkle import EMPTY_ROOT, Tree
from safeconduct.protocol.tlog.note import (
    Note,
    SigningKey,
    VerifierKey,
    parse_note,
    parse_signature_lines,
    verify_note,
)

LOG = SmallLog(20)
FORK = SmallLog(20, story="another ")
OWN_KEY = OWN.cosigner()
JUNK = [b"J" * 32]
BOM = "\ufeff".encode()
EMPTY = signed(Tree(size=0, root_hash=EMPTY_ROOT))
EMPTY_WITH_A_ROOT = signed(Tree(size=0, root_hash=b"r" * 32))


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Witness]:
    with witness_in(tmp_path) as opened:
        yield opened


def cosigned_at(answer: Answer, checkpoint: bytes, key: VerifierKey = OWN_KEY) -> int:
    """The verified date of an answer by one of the witness's keys."""
    lines = parse_signature_lines(answer.body)
    return verify_cosignature(Note(text=parse_note(checkpoint).text, signatures=lines), key)


GROWTH = (LOG.proof(10, 15), signed(LOG.tree(15)))

REQUESTS_TO_A_WITNESS_THAT_KNOWS_TEN: dict[str, tuple[bytes, int]] = {
    "growth with its proof": (honest(LOG, 10, 15), 200),
    "the same tree again, for a fresh date": (honest(LOG, 10, 10), 200),
    "growth signed by a stranger as well": (
        request(10, GROWTH[0], signed(LOG.tree(15), LOG_KEY, OTHER_KEY)),
        200,
    ),
    "no body": (b"", 400),
    "no empty line": (b"old 10\n", 400),
    "no old line": (signed(LOG.tree(15)), 400),
    "an old size with a leading zero": (request("010", *GROWTH), 400),
    "an old size with a sign": (request("+10", *GROWTH), 400),
    "an old size behind two spaces": (request(" 10", *GROWTH), 400),
    "an old size with a space behind": (request("10 ", *GROWTH), 400),
    "an old size in other digits": (request("１０", *GROWTH), 400),
    "an old size of 2^63": (request(1 << 63, *GROWTH), 400),
    "no old size": (request("", *GROWTH), 400),
    "a carriage return": (request("10\r", *GROWTH), 400),
    "a byte-order mark": (BOM + honest(LOG, 10, 15), 400),
    "an empty line first": (b"\n" + honest(LOG, 10, 15), 400),
    "a proof line that is no base64": (b"old 10\n!\n\n" + signed(LOG.tree(15)), 400),
    "a proof line with a space behind": (
        honest(LOG, 10, 15).replace(b"=\n", b"= \n", 1),
        400,
    ),
    "a proof line without padding": (honest(LOG, 10, 15).replace(b"=\n", b"\n", 1), 400),
    "a proof hash of 31 bytes": (request(10, [b"x" * 31], signed(LOG.tree(15))), 400),
    "64 proof hashes": (request(10, JUNK * 64, signed(LOG.tree(15))), 400),
    "a checkpoint cut short": (honest(LOG, 10, 15)[:-1], 400),
    "an empty line at the end": (honest(LOG, 10, 15) + b"\n", 400),
    "bytes that are not UTF-8": (honest(LOG, 10, 15) + b"\xff\n", 400),
    "a checkpoint without a signature": (
        request(10, [], signed(LOG.tree(15)).partition("— ".encode())[0]),
        400,
    ),
    "an old size above the checkpoint's": (request(16, [], signed(LOG.tree(15))), 400),
    "a key that is not the log's": (request(10, [], signed(LOG.tree(15), OTHER_KEY)), 403),
    "a bad signature by the log": (
        honest(LOG, 10, 15).replace(b"\n15\n", b"\n16\n"),
        403,
    ),
    "a log that is not served": (
        request(10, [], signed(LOG.tree(15), origin="log.example/else")),
        404,
    ),
    "an old size below ours": (honest(LOG, 5, 15), 409),
    "an old size above ours": (honest(LOG, 12, 15), 409),
    "a rollback": (honest(LOG, 5, 7), 409),
    "first contact pretended": (honest(LOG, 0, 15), 409),
    "a fork that grew": (honest(FORK, 10, 15), 422),
    "a fork of the same size": (request(10, [], signed(FORK.tree(10))), 422),
    "growth without a proof": (request(10, [], signed(LOG.tree(15))), 422),
    "a proof with one hash too many": (
        request(10, LOG.proof(10, 15) + JUNK, signed(LOG.tree(15))),
        422,
    ),
    "the same tree with a proof": (request(10, JUNK, signed(LOG.tree(10))), 422),
}


@pytest.mark.parametrize("case", REQUESTS_TO_A_WITNESS_THAT_KNOWS_TEN)
def test_each_request_has_the_status_of_the_standard(case: str, witness: Witness) -> None:
    assert status_of(honest(LOG, 0, 10), witness) == 200
    body, status = REQUESTS_TO_A_WITNESS_THAT_KNOWS_TEN[case]
    assert status_of(body, witness) == status
    grown = status == 200 and case.startswith("growth")
    assert witness.store.latest(ORIGIN).tree == LOG.tree(15 if grown else 10)


FIRST_REQUESTS: dict[str, tuple[bytes, int]] = {
    "a tree on trust": (honest(LOG, 0, 10), 200),
    "the empty tree": (request(0, [], EMPTY), 200),
    "an empty tree with a root of its own": (request(0, [], EMPTY_WITH_A_ROOT), 422),
    "a proof where none can be": (request(0, JUNK, signed(LOG.tree(10))), 422),
    "an empty tree with a proof": (request(0, JUNK, EMPTY), 422),
    "an old size that we never saw": (honest(LOG, 5, 10), 409),
    "an old size of two zeros": (request("00", [], signed(LOG.tree(10))), 400),
    "a size with a leading zero": (
        honest(LOG, 0, 10).replace(b"\n10\n", b"\n010\n"),
        400,
    ),
}


@pytest.mark.parametrize("case", FIRST_REQUESTS)
def test_first_contact_has_the_status_of_the_standard(case: str, witness: Witness) -> None:
    body, status = FIRST_REQUESTS[case]
    assert status_of(body, witness) == status


def test_a_log_is_followed_from_nothing_through_eleven_requests(witness: Witness) -> None:
    """The course of the requests that other witnesses are tested with."""
    course = [
        (request(0, [], signed(LOG.tree(1), origin="log.example/else")), 404),
        (request(0, [], signed(LOG.tree(1), OTHER_KEY)), 403),
        (honest(LOG, 1, 3), 409),
        (honest(LOG, 0, 1), 200),
        (honest(LOG, 0, 1), 409),
        (honest(LOG, 1, 1), 200),
        (honest(LOG, 1, 3), 200),
        (request(3, LOG.proof(1, 5), signed(LOG.tree(5))), 422),
        (honest(LOG, 3, 5), 200),
        (request(8, [], signed(LOG.tree(5))), 400),
        (honest(LOG, 5, 20), 200),
    ]
    assert [status_of(body, witness) for body, _ in course] == [status for _, status in course]


def test_an_unknown_log_is_refused_before_any_signature_is_checked(
    witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safeconduct.parties.witness.logs.verify_log", None)
    body = request(0, [], signed(LOG.tree(1), origin="log.example/else"))
    assert status_of(body, witness) == 404


def test_the_answer_is_a_dated_signature_of_the_checkpoint(witness: Witness) -> None:
    answer = witness.cosign(honest(LOG, 0, 10), NOW)
    assert cosigned_at(answer, signed(LOG.tree(10))) == NOW


def test_the_same_tree_again_has_the_later_date(witness: Witness) -> None:
    witness.cosign(honest(LOG, 0, 10), NOW)
    answer = witness.cosign(honest(LOG, 10, 10), NOW + 60)
    assert cosigned_at(answer, signed(LOG.tree(10))) == NOW + 60
    assert witness.store.latest(ORIGIN).cosigned_at == NOW + 60


def test_a_409_says_which_size_is_known(witness: Witness) -> None:
    witness.cosign(honest(LOG, 0, 10), NOW)
    answer = witness.cosign(honest(LOG, 5, 15), NOW)
    assert answer == Answer(status=409, body=b"10\n", content_type="text/x.tlog.size")


def test_what_is_kept_carries_the_logs_and_the_witnesss_signature(witness: Witness) -> None:
    body = request(0, [], signed(LOG.tree(10), OTHER_KEY, LOG_KEY))
    witness.cosign(body, NOW)
    note = parse_note(witness.store.latest(ORIGIN).checkpoint)
    verify_note(note, LOG_KEY.verifier())
    assert verify_cosignature(note, OWN_KEY) == NOW
    assert len(note.signatures) == 2


def test_a_witness_with_two_keys_answers_with_both(tmp_path: Path) -> None:
    with witness_in(tmp_path, own=(OWN, MLDSA44_OWN)) as witness:
        answer = witness.cosign(honest(LOG, 0, 10), NOW)
    for key in (OWN, MLDSA44_OWN):
        assert cosigned_at(answer, signed(LOG.tree(10)), key.cosigner()) == NOW
    assert len(parse_signature_lines(answer.body)) == 2


def test_extension_lines_are_cosigned_only_by_the_key_that_covers_them(tmp_path: Path) -> None:
    checkpoint = signed(LOG.tree(10), extensions=("more",))
    with witness_in(tmp_path / "both", own=(OWN, MLDSA44_OWN)) as witness:
        answer = witness.cosign(request(0, [], checkpoint), NOW)
        assert cosigned_at(answer, checkpoint) == NOW
        assert len(parse_signature_lines(answer.body)) == 1
    with (
        witness_in(tmp_path / "one", own=(MLDSA44_OWN,)) as witness,
        pytest.raises(RefusedError, match="extension"),
    ):
        witness.cosign(request(0, [], checkpoint), NOW)


SIGNERS: dict[str, tuple[tuple[SigningKey, ...], int]] = {
    "the Ed25519 key alone": ((LOG_KEY,), 200),
    "the ML-DSA-44 key alone": ((MLDSA44_LOG_KEY,), 200),
    "both": ((LOG_KEY, MLDSA44_LOG_KEY), 200),
    "a stranger and one of them": ((OTHER_KEY, MLDSA44_LOG_KEY), 200),
    "a stranger": ((OTHER_KEY,), 403),
}


@pytest.mark.parametrize("case", SIGNERS)
def test_any_key_of_a_log_with_two_keys_suffices(case: str, tmp_path: Path) -> None:
    signers, status = SIGNERS[case]
    with witness_in(tmp_path, LOG_KEY, MLDSA44_LOG_KEY) as witness:
        assert status_of(request(0, [], signed(LOG.tree(10), *signers)), witness) == status


@pytest.mark.parametrize("bad", [LOG_KEY, MLDSA44_LOG_KEY])
def test_a_bad_signature_by_one_key_spoils_that_of_the_other(
    bad: SigningKey, tmp_path: Path
) -> None:
    good = MLDSA44_LOG_KEY if bad is LOG_KEY else LOG_KEY
    of_another_tree = signed(LOG.tree(11), bad).splitlines(keepends=True)[-1]
    mixed = signed(LOG.tree(10), good) + of_another_tree
    with witness_in(tmp_path, LOG_KEY, MLDSA44_LOG_KEY) as witness:
        assert status_of(request(0, [], mixed), witness) == 403


ORIGINS = ("log.example/a/b/c", "журнал.example/1", "log.example/" + "x" * 200, "日本/ログ")


def test_one_witness_serves_many_logs_that_know_nothing_of_each_other(tmp_path: Path) -> None:
    keys = [
        SigningKey(name=origin, seed=bytes([number]) * 32)
        for number, origin in enumerate(ORIGINS)
    ]
    with witness_in(tmp_path, *keys) as witness:
        for size, key in enumerate(keys, start=3):
            body = request(0, [], signed(LOG.tree(size), key, origin=key.name))
            assert status_of(body, witness) == 200
        sizes = [witness.store.latest(origin).tree.size for origin in ORIGINS]
    assert sizes == [3, 4, 5, 6]


def test_a_log_cannot_speak_for_another(tmp_path: Path) -> None:
    other = SigningKey(name="log.example/other", seed=b"o" * 32)
    with witness_in(tmp_path, LOG_KEY, other) as witness:
        body = request(0, [], signed(LOG.tree(5), other, origin=ORIGIN))
        assert status_of(body, witness) == 403


def test_no_date_lies_before_the_last_one(witness: Witness) -> None:
    witness.cosign(honest(LOG, 0, 10), NOW)
    witness.cosign(honest(LOG, 10, 11), NOW - 2)
    assert witness.store.latest(ORIGIN).cosigned_at == NOW


@pytest.mark.parametrize("now", [NOW - 3, NOW - 86_400, 0, -1])
def test_a_clock_that_went_back_far_signs_nothing(now: int, witness: Witness) -> None:
    witness.cosign(honest(LOG, 0, 10), NOW)
    with pytest.raises(UnavailableError, match="clock"):
        witness.cosign(honest(LOG, 10, 11), now)
    assert witness.store.latest(ORIGIN).tree.size == 10


def test_a_clock_at_zero_signs_nothing(witness: Witness) -> None:
    assert status_of(honest(LOG, 0, 10), witness, now=0) == 503
    assert witness.store.latest(ORIGIN).tree.size == 0


class StallingStore(Store):
    """Lets two requests both look before either of them writes."""

    pause: Callable[[], object]

    def latest(self, origin: str) -> Latest:
        found = super().latest(origin)
        self.pause()
        return found


def statuses_of_a_race(witness: Witness, bodies: list[bytes]) -> list[int]:
    """What two requests get that both have read the same state before either writes."""
    store = StallingStore(witness.store._database)
    barrier, paused = threading.Barrier(2, timeout=100), threading.local()

    def pause_once() -> None:
        if not getattr(paused, "already", False):
            paused.already = True
            barrier.wait()

    store.pause = pause_once
    before, witness.store = witness.store, store
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda body=body: statuses.append(status_of(body, witness)))
        for body in bodies
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    witness.store = before
    return sorted(statuses)


def test_of_two_requests_that_race_only_one_is_cosigned(witness: Witness) -> None:
    bodies = [honest(LOG, 0, 15), honest(FORK, 0, 10)]
    assert statuses_of_a_race(witness, bodies) == [200, 409]


def test_a_larger_tree_is_not_rolled_back_by_a_smaller_one_checked_before(
    tmp_path: Path,
) -> None:
    with witness_in(tmp_path) as witness, witness_in(tmp_path) as meanwhile:
        witness.cosign(honest(LOG, 0, 5), NOW)
        store = StallingStore(witness.store._database)
        statuses: list[int] = []

        def overtake() -> None:
            if not statuses:
                statuses.append(0)
                statuses[0] = status_of(honest(LOG, 5, 15), meanwhile)

        store.pause, witness.store = overtake, store
        assert status_of(honest(LOG, 5, 7), witness) == 409
        assert statuses == [200]
        assert meanwhile.store.latest(ORIGIN).tree == LOG.tree(15)


def test_two_fresh_dates_that_race_are_both_given(witness: Witness) -> None:
    witness.cosign(honest(LOG, 0, 10), NOW)
    assert statuses_of_a_race(witness, [honest(LOG, 10, 10)] * 2) == [200, 200]


def test_the_database_itself_refuses_to_go_back(witness: Witness) -> None:
    witness.cosign(honest(LOG, 0, 10), NOW)
    known = witness.store.latest(ORIGIN)
    smaller = Latest(tree=LOG.tree(5), cosigned_at=NOW, checkpoint=b"")
    with pytest.raises(SafeconductError, match="never goes back"):
        witness.store.advance(ORIGIN, known, smaller)
    assert witness.store.latest(ORIGIN) == known


def test_memory_survives_a_restart(tmp_path: Path) -> None:
    with witness_in(tmp_path) as first:
        first.cosign(honest(LOG, 0, 10), NOW)
    gazette = SigningKey(name="log.example/gazette", seed=b"G" * 32)
    with witness_in(tmp_path, LOG_KEY, gazette) as again:
        assert again.store.latest(ORIGIN).tree == LOG.tree(10)
        assert again.store.latest("log.example/gazette").tree.size == 0
