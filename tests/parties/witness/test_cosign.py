import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.parties.witness.witness_requests import (
    LOG_KEY,
    ORIGIN,
    OTHER_KEY,
    SmallLog,
    honest,
    request,
    signed,
)

from safeconduct.errors import SafeconductError, UnavailableError
from safeconduct.parties.witness.cosign import Answer, Keys, cosign
from safeconduct.parties.witness.store import Latest, Store, open_store
from safeconduct.protocol.tlog.cosignature import verify_cosignature
from safeconduct.protocol.tlog.merkle import EMPTY_ROOT, Tree
from safeconduct.protocol.tlog.note import (
    COSIGNATURE,
    Note,
    SigningKey,
    parse_note,
    parse_signature_lines,
    verify_note,
)

NOW = 1_800_000_000
LOG = SmallLog(20)
FORK = SmallLog(20, story="another ")
OWN = SigningKey(name="witness.example", seed=b"W" * 32)
KEYS = Keys(own=OWN, logs={ORIGIN: LOG_KEY.verifier()})
JUNK = [b"J" * 32]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "witness.db", [ORIGIN])
    yield opened
    opened.close()


def status_of(body: bytes, store: Store, now: int = NOW) -> int:
    """The HTTP status of a request, as an answer or as an error."""
    try:
        return cosign(body, store, KEYS, now).status
    except SafeconductError as error:
        return error.http_status


REQUESTS_TO_A_WITNESS_THAT_KNOWS_TEN: dict[str, tuple[bytes, int]] = {
    "growth with its proof": (honest(LOG, 10, 15), 200),
    "the same tree again, for a fresh date": (honest(LOG, 10, 10), 200),
    "no body": (b"", 400),
    "no empty line": (b"old 10\n", 400),
    "no old line": (signed(LOG.tree(15)), 400),
    "an old size with a leading zero": (
        request("010", LOG.proof(10, 15), signed(LOG.tree(15))),
        400,
    ),
    "an old size with a sign": (request("+10", LOG.proof(10, 15), signed(LOG.tree(15))), 400),
    "a proof line that is no base64": (b"old 10\n!\n\n" + signed(LOG.tree(15)), 400),
    "a proof hash of 31 bytes": (request(10, [b"x" * 31], signed(LOG.tree(15))), 400),
    "64 proof hashes": (request(10, JUNK * 64, signed(LOG.tree(15))), 400),
    "a checkpoint cut short": (honest(LOG, 10, 15)[:-1], 400),
    "bytes that are not UTF-8": (honest(LOG, 10, 15) + b"\xff\n", 400),
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
def test_each_request_has_the_status_of_the_standard(case: str, store: Store) -> None:
    assert status_of(honest(LOG, 0, 10), store) == 200
    before = store.latest(ORIGIN)
    body, status = REQUESTS_TO_A_WITNESS_THAT_KNOWS_TEN[case]
    assert status_of(body, store) == status
    assert (store.latest(ORIGIN) == before) == (case != "growth with its proof")


FIRST_REQUESTS: dict[str, tuple[bytes, int]] = {
    "a tree on trust": (honest(LOG, 0, 10), 200),
    "the empty tree": (request(0, [], signed(Tree(size=0, root_hash=EMPTY_ROOT))), 200),
    "an empty tree with a root of its own": (
        request(0, [], signed(Tree(size=0, root_hash=b"r" * 32))),
        422,
    ),
    "a proof where none can be": (request(0, JUNK, signed(LOG.tree(10))), 422),
    "an old size that we never saw": (honest(LOG, 5, 10), 409),
}


@pytest.mark.parametrize("case", FIRST_REQUESTS)
def test_first_contact_has_the_status_of_the_standard(case: str, store: Store) -> None:
    body, status = FIRST_REQUESTS[case]
    assert status_of(body, store) == status


def test_the_answer_is_a_dated_signature_of_the_checkpoint(store: Store) -> None:
    body = honest(LOG, 0, 10)
    answer = cosign(body, store, KEYS, NOW)
    text = parse_note(signed(LOG.tree(10))).text
    note = Note(text=text, signatures=parse_signature_lines(answer.body))
    assert verify_cosignature(note, OWN.verifier(COSIGNATURE)) == NOW


def test_a_409_says_which_size_is_known(store: Store) -> None:
    cosign(honest(LOG, 0, 10), store, KEYS, NOW)
    answer = cosign(honest(LOG, 5, 15), store, KEYS, NOW)
    assert answer == Answer(status=409, body=b"10\n", content_type="text/x.tlog.size")


def test_what_is_kept_carries_the_logs_and_the_witnesss_signature(store: Store) -> None:
    cosign(honest(LOG, 0, 10), store, KEYS, NOW)
    note = parse_note(store.latest(ORIGIN).checkpoint)
    verify_note(note, LOG_KEY.verifier())
    assert verify_cosignature(note, OWN.verifier(COSIGNATURE)) == NOW


@pytest.mark.parametrize("old_size", [10, 5])
def test_a_fork_of_the_same_size_is_kept_as_evidence(old_size: int, store: Store) -> None:
    cosign(honest(LOG, 0, 10), store, KEYS, NOW)
    other = signed(FORK.tree(10))
    for _ in range(2):
        status_of(request(old_size, [], other), store)
    ((known, kept),) = store.conflicts(ORIGIN)
    for note in (parse_note(known), parse_note(kept)):
        verify_note(note, LOG_KEY.verifier())
    assert parse_note(known).text != parse_note(kept).text
    assert kept == other


def test_a_stranger_cannot_plant_evidence(store: Store) -> None:
    cosign(honest(LOG, 0, 10), store, KEYS, NOW)
    status_of(request(10, [], signed(FORK.tree(10), OTHER_KEY)), store)
    assert store.conflicts(ORIGIN) == []


def test_no_date_lies_before_the_last_one(store: Store) -> None:
    cosign(honest(LOG, 0, 10), store, KEYS, NOW)
    cosign(honest(LOG, 10, 11), store, KEYS, NOW - 1)
    assert store.latest(ORIGIN).cosigned_at == NOW


def test_a_clock_that_went_back_far_signs_nothing(store: Store) -> None:
    cosign(honest(LOG, 0, 10), store, KEYS, NOW)
    with pytest.raises(UnavailableError, match="clock"):
        cosign(honest(LOG, 10, 11), store, KEYS, NOW - 60)
    assert store.latest(ORIGIN).tree.size == 10


class StallingStore(Store):
    """Lets two requests both look before either of them writes."""

    pause: Callable[[], object]

    def latest(self, origin: str) -> Latest:
        found = super().latest(origin)
        self.pause()
        return found


def test_of_two_requests_that_race_only_one_is_cosigned(tmp_path: Path) -> None:
    opened = open_store(tmp_path / "witness.db", [ORIGIN])
    store = StallingStore(opened._database)
    barrier = threading.Barrier(2, timeout=10)
    paused = threading.local()

    def pause_once() -> None:
        if not getattr(paused, "already", False):
            paused.already = True
            barrier.wait()

    store.pause = pause_once
    statuses: list[int] = []

    def send(body: bytes) -> None:
        statuses.append(status_of(body, store))

    bodies = [honest(LOG, 0, 15), honest(FORK, 0, 10)]
    threads = [threading.Thread(target=send, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 409]
    opened.close()


def test_the_database_itself_refuses_to_go_back(store: Store) -> None:
    cosign(honest(LOG, 0, 10), store, KEYS, NOW)
    known = store.latest(ORIGIN)
    smaller = Latest(tree=LOG.tree(5), cosigned_at=NOW, checkpoint=b"")
    with pytest.raises(SafeconductError, match="never goes back"):
        store.advance(ORIGIN, known, smaller)
    assert store.latest(ORIGIN) == known


def test_memory_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "witness.db"
    first = open_store(path, [ORIGIN])
    cosign(honest(LOG, 0, 10), first, KEYS, NOW)
    first.close()
    again = open_store(path, [ORIGIN, "log.example/gazette"])
    assert again.latest(ORIGIN).tree == LOG.tree(10)
    assert again.latest("log.example/gazette").tree.size == 0
    again.close()
