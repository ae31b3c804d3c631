"""Strangers, peers and lists that want an honest witness frozen, or turned against a log."""

from pathlib import Path

import pytest
from tests.parties.witness.test_witness_rewind import (
    ELSE_KEY,
    LOG,
    VKEY,
    advance,
    latest,
    listed,
    log_served,
    peer_served,
    put_back,
    serve,
    served_by,
)
from tests.parties.witness.test_witness_rewind import folder as folder
from tests.parties.witness.test_witness_rewind import (
    nothing_is_served as nothing_is_served,
)
from tests.parties.witness.witness_requests import (
    LOG_KEY,
    MLDSA44_LOG_KEY,
    NOW,
    ORIGIN,
    OTHER_KEY,
    SmallLog,
    honest,
    request,
    signed,
    status_of,
    witness_in,
)

from safeconduct.errors import RefusedError
from safeconduct.parties.witness import rewind
from safeconduct.parties.witness.cosign import Witness
from safeconduct.parties.witness.logs import Log, parse_list
from safeconduct.plumbing import clock, remote
from safeconduct.protocol.tlog.note import format_vkey, parse_note

ELSE_VKEY = format_vkey(ELSE_KEY.verifier())
DAY_SECONDS = 86_400
A_HUNDRED_A_DAY = {ORIGIN: Log(origin=ORIGIN, keys=(LOG_KEY.verifier(),), requests_per_day=100)}


def test_one_log_that_signs_what_nobody_can_follow_does_not_stop_the_other_logs(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A log can sign any size, and show it to a peer that has not met it before."""
    lie = signed(LOG.tree(20), ELSE_KEY, origin=ELSE_KEY.name)
    path = tmp_path / "logs"
    path.write_text(listed(ELSE_KEY))
    with log_served(LOG, 20, lie) as peer:
        words = ("--log", VKEY, "--logs", path, "--seen-at", f"{peer}/checkpoint")
        served = served_by(monkeypatch, folder, *words)
        with pytest.raises(RefusedError, match="the log has signed it"):
            serve(folder, "--log", ELSE_VKEY, "--seen-at", f"{peer}/checkpoint")
    assert list(served) == [ORIGIN]
    said = capsys.readouterr().err
    assert "this log is left out" in said
    assert "catch-up" in said


def test_our_own_signature_stops_all_logs_whichever_it_was_for(folder: Path) -> None:
    """Whoever forgot one log has a memory that was put back, and forgot the others too."""
    with put_back(folder):
        advance(folder, honest(LOG, 10, 15))
        cosigned = latest(folder).checkpoint
    with (
        log_served(LOG, 15, cosigned) as url,
        pytest.raises(RefusedError, match="bears our signature"),
    ):
        serve(folder, "--log", ELSE_VKEY, "--seen-at", f"{url}/checkpoint")


def test_a_peer_is_given_up_when_it_takes_too_long_over_all_logs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, now, said = list[str](), [0.0], list[str]()

    def slowly(url: str, origin: str, *, seconds: float) -> bytes | None:
        asked.append(origin)
        now[0] += seconds - 1
        return None

    monkeypatch.setattr(clock, "monotonic", lambda: now[0])
    monkeypatch.setattr(remote, "cosigned_at", slowly)
    origins = [f"log.example/{number}" for number in range(1_000)]
    assert list(rewind.known_to(["http://slow.example"], origins, said.append)) == []
    assert now[0] <= rewind.PEER_SECONDS_MAX + rewind.ANSWER_SECONDS
    assert "takes too long" in said[0]


def test_notes_of_peers_are_not_all_held_in_memory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A peer may show a mebibyte for each of a hundred thousand logs."""
    held, most = [0], [0]

    class Counted(bytes):
        def __new__(cls, data: bytes) -> "Counted":
            held[0] += 1
            most[0] = max(most[0], held[0])
            return super().__new__(cls, data)

        def __del__(self) -> None:
            held[0] -= 1

    monkeypatch.setattr(remote, "cosigned_at", lambda *_, **__: Counted(b"nothing\n"))
    keys = [
        format_vkey(type(ELSE_KEY)(name=f"log.example/{i}", seed=bytes([i]) * 32).verifier())
        for i in range(20)
    ]
    words = [word for key in keys for word in ("--log", key)]
    assert serve(folder, *words, "--peer", "http://peer.example") == 0
    assert most[0] <= 3


def test_strangers_cannot_use_up_the_fresh_dates_of_a_log(tmp_path: Path) -> None:
    """An idle log lives on fresh dates: without them readers take it for stale in a day."""
    with witness_in(tmp_path, logs=A_HUNDRED_A_DAY) as witness:
        first = witness.cosign(honest(LOG, 0, 10), NOW)
        for second in range(1, 500):
            assert witness.cosign(honest(LOG, 10, 10), NOW + second) == first
        later = witness.cosign(honest(LOG, 10, 10), NOW + DAY_SECONDS // 100)
        assert later.status == 200
        assert later != first
        assert witness.store.latest(ORIGIN).cosigned_at == NOW + DAY_SECONDS // 100


def test_an_old_date_is_not_given_for_another_text_of_the_same_tree(tmp_path: Path) -> None:
    other = signed(LOG.tree(10), extensions=("more",))
    with witness_in(tmp_path, logs=A_HUNDRED_A_DAY) as witness:
        first = witness.cosign(honest(LOG, 0, 10), NOW)
        assert witness.cosign(request(10, [], other), NOW + 1).body != first.body
        texts = (other, signed(LOG.tree(10)))
        course = [status_of(request(10, [], text), witness, NOW + 2) for text in 60 * texts]
        assert {*course[:90]} == {200}
        assert course.count(429) > 5
        assert status_of(honest(LOG, 10, 10), witness, NOW + DAY_SECONDS // 100 + 2) == 200


@pytest.mark.parametrize("per_day", [None, 100])
def test_strangers_cannot_take_a_line_of_the_log_from_its_checkpoint(
    per_day: int | None, tmp_path: Path
) -> None:
    """Without its Ed25519 line, those who know that key alone would see no checkpoint."""
    both = (LOG_KEY, MLDSA44_LOG_KEY)
    keys = tuple(key.verifier() for key in both)
    logs = {ORIGIN: Log(origin=ORIGIN, keys=keys, requests_per_day=per_day)}

    def signers(witness: Witness) -> list[bytes]:
        note = parse_note(witness.store.latest(ORIGIN).checkpoint)
        return [line.key_id for line in note.signatures]

    with witness_in(tmp_path, logs=logs) as witness:
        witness.cosign(request(0, [], signed(LOG.tree(10), LOG_KEY)), NOW)
        for second in range(1, 300):
            stripped = signed(LOG.tree(10), both[second % 2])
            assert status_of(request(10, [], stripped), witness, NOW + second) == 200
        assert (
            status_of(request(10, [], signed(LOG.tree(10), *both)), witness, NOW + 300) == 200
        )
        found = signers(witness)
        assert {key.key_id for key in keys} <= {*found}
        assert len(found) == len({*found}) == 3


def test_an_unlimited_log_gets_a_fresh_date_whenever_it_asks(tmp_path: Path) -> None:
    with witness_in(tmp_path) as witness:
        witness.cosign(honest(LOG, 0, 10), NOW)
        witness.cosign(honest(LOG, 10, 10), NOW + 1)
        assert witness.store.latest(ORIGIN).cosigned_at == NOW + 1


def test_who_registers_under_a_known_origin_gets_no_say_in_that_log(tmp_path: Path) -> None:
    """With a key of their own they could prove a fork of a log that never made one."""
    entries = [
        f"vkey {format_vkey(key.verifier())}\nqpd 9\ncontact x\n"
        for key in (LOG_KEY, OTHER_KEY)
    ]
    logs, [remark] = parse_list(("logs/v0\n" + "".join(entries)).encode())
    assert [log.vkeys for log in logs] == [(VKEY,)]
    assert remark.startswith("line 5: ")


def test_a_strangers_copies_of_honest_checkpoints_never_freeze_the_log(tmp_path: Path) -> None:
    """Every published checkpoint may be sent by anyone, with any proof, in any order."""
    with witness_in(tmp_path) as witness:
        witness.cosign(honest(LOG, 0, 4), NOW)
        for size in (8, 16, 5, 20, 4, 3):
            for old in (0, 3, 4, 8, 20):
                for proof in (
                    [],
                    [bytes(32)],
                    LOG.proof(3, 20),
                    SmallLog(20, "x").proof(4, 20),
                ):
                    body = request(old, proof, signed(LOG.tree(size)))
                    if old != 4 or proof != LOG.proof(old, max(old, size)):
                        status_of(body, witness)
        assert not witness.store.latest(ORIGIN).forked
        known = witness.store.latest(ORIGIN).tree.size
        assert status_of(honest(LOG, known, 20), witness, NOW + 1) == 200


def test_a_peer_that_is_behind_leaves_no_log_out(folder: Path, tmp_path: Path) -> None:
    with peer_served(tmp_path / "peer", honest(LOG, 0, 5)) as peer:
        assert serve(folder, "--log", ELSE_VKEY, "--peer", peer) == 0
