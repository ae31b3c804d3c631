import argparse
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
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
    witness_in,
)

from safeconduct.errors import ConflictError, RefusedError, UnavailableError
from safeconduct.parties.witness import command
from safeconduct.parties.witness.memory import load_keys, open_memory
from safeconduct.parties.witness.site import make_site
from safeconduct.parties.witness.store import Latest
from safeconduct.plumbing import web
from safeconduct.protocol.tlog.fork import parse_fork, verify_fork
from safeconduct.protocol.tlog.note import SigningKey, format_vkey

LOG = SmallLog(20)
FORK = SmallLog(20, story="another ")
VKEY = format_vkey(LOG_KEY.verifier())
OTHER_VKEY = format_vkey(OTHER_KEY.verifier())
NOWHERE = "http://127.0.0.1:9"


def run_verb(*words: str | Path) -> int:
    """One verb of `safeconduct witness`, in this process."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    arguments = parser.parse_args(list(map(str, words)))
    status: int = arguments.run(arguments)
    return status


@pytest.fixture(autouse=True)
def nothing_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "serve", lambda *_, **__: None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a witness that has cosigned ten entries."""
    made = tmp_path / "witness"
    run_verb("new", "--dir", made, "--name", "witness.example")
    advance(made, honest(LOG, 0, 10))
    return made


def advance(folder: Path, *bodies: bytes, now: int = NOW) -> None:
    with witness_in(folder, own=load_keys(folder)) as witness:
        for body in bodies:
            witness.cosign(body, now)


def latest(folder: Path) -> Latest:
    memory = open_memory(folder, [ORIGIN])
    found = memory.store.latest(ORIGIN)
    memory.store.close()
    return found


def serve(folder: Path, *words: str, log: str = VKEY) -> int:
    listen = ("--listen", "127.0.0.1:0")
    return run_verb("serve", "--dir", folder, *listen, "--log", log, *words)


@contextmanager
def put_back(folder: Path, *names: str) -> Iterator[None]:
    """What happens in the block is undone for these files: a backup is put back."""
    backup = folder.with_suffix(".backup")
    shutil.copytree(folder, backup)
    yield
    for name in names or [path.name for path in backup.iterdir()]:
        for stale in (folder / f"{name}-wal", folder / f"{name}-shm"):
            stale.unlink(missing_ok=True)
        if (backup / name).is_dir():
            shutil.rmtree(folder / name)
            shutil.copytree(backup / name, folder / name)
        else:
            shutil.copy(backup / name, folder / name)


@contextmanager
def log_served(log: SmallLog, size: int, checkpoint: bytes | None = None) -> Iterator[str]:
    """The address of a log that serves a checkpoint and the tiles of all that it has."""
    tile = b"".join(log.leaves[:size])
    files = {
        "checkpoint": checkpoint or signed(log.tree(size)),
        f"tile/0/000.p/{size}": tile,
    }

    def answer(asked: web.Request) -> web.Response:
        path = asked.path_params["path"]
        if path not in files:
            raise web.missing("not here")
        return web.data(files[path])

    with web.running(web.make_app([web.Route("GET", "/{path:path}", answer)])) as url:
        yield url


@contextmanager
def peer_served(folder: Path, *bodies: bytes) -> Iterator[str]:
    """The address of another witness, which has answered these requests."""
    own = SigningKey(name="peer.example", seed=b"P" * 32)
    with witness_in(folder, own=(own,)) as witness:
        for body in bodies:
            witness.cosign(body, NOW)
        with web.running(make_site(witness)) as url:
            yield url


def test_a_witness_that_forgot_nothing_starts(folder: Path, tmp_path: Path) -> None:
    with (
        log_served(LOG, 10, latest(folder).checkpoint) as log,
        peer_served(tmp_path / "peer", honest(LOG, 0, 10)) as peer,
    ):
        assert serve(folder, "--seen-at", f"{log}/checkpoint", "--peer", peer) == 0


def test_a_database_put_back_alone_is_noticed_by_the_files_beside_it(folder: Path) -> None:
    with put_back(folder, "witness.db"):
        advance(folder, honest(LOG, 10, 15))
    assert latest(folder).tree.size == 10
    with pytest.raises(RefusedError, match=r"ends at 10 entries, but .* shows 15") as refused:
        serve(folder)
    assert str(folder / "published") in refused.value.message
    assert "catch-up" in refused.value.hint


def test_a_date_that_was_forgotten_is_noticed_too(folder: Path) -> None:
    with put_back(folder, "witness.db"):
        advance(folder, honest(LOG, 10, 10), now=NOW + 60)
    with pytest.raises(RefusedError, match=f"our signature of {NOW + 60}"):
        serve(folder)


def test_a_folder_put_back_whole_is_noticed_where_the_log_shows_our_signature(
    folder: Path,
) -> None:
    with put_back(folder):
        advance(folder, honest(LOG, 10, 15))
        cosigned = latest(folder).checkpoint
    assert serve(folder) == 0  # the limit of what a machine can know of itself
    with (
        log_served(LOG, 15, cosigned) as log,
        pytest.raises(RefusedError, match="bears our signature"),
    ):
        serve(folder, "--seen-at", f"{log}/checkpoint")


def test_our_signature_over_another_tree_of_the_size_is_noticed(folder: Path) -> None:
    with put_back(folder):
        shutil.rmtree(folder / "published")
        (folder / "witness.db").unlink()
        advance(folder, request(0, [], signed(FORK.tree(10))))
        cosigned = latest(folder).checkpoint
    with (
        log_served(FORK, 10, cosigned) as log,
        pytest.raises(RefusedError, match="our own signature over another tree"),
    ):
        serve(folder, "--seen-at", f"{log}/checkpoint")
    assert latest(folder).forked


def test_a_peer_that_knows_a_larger_tree_is_noticed(folder: Path, tmp_path: Path) -> None:
    with (
        peer_served(tmp_path / "peer", honest(LOG, 0, 15)) as peer,
        pytest.raises(RefusedError, match="the log has signed it") as refused,
    ):
        serve(folder, "--peer", peer)
    assert peer in refused.value.message


def test_a_peer_that_knows_another_tree_of_the_size_proves_a_fork(
    folder: Path, tmp_path: Path
) -> None:
    with peer_served(tmp_path / "peer", request(0, [], signed(FORK.tree(10)))) as peer:
        assert serve(folder, "--peer", peer) == 0
    assert latest(folder).forked
    [path] = (folder / "forks").iterdir()
    fork = verify_fork(parse_fork(path.read_bytes()), [LOG_KEY.verifier()])
    assert {fork.old, fork.new} == {LOG.tree(10), FORK.tree(10)}


def test_a_peer_that_is_behind_or_away_hinders_nobody(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with peer_served(tmp_path / "peer", honest(LOG, 0, 5)) as peer:
        seen_at = ("--seen-at", f"{NOWHERE}/checkpoint")
        assert serve(folder, "--peer", peer, "--peer", NOWHERE, *seen_at) == 0
    said = capsys.readouterr().err
    assert said.count("warning: ") == 2
    assert said.count(NOWHERE) >= 2


POWERLESS = {
    "a note that is none": b"nothing\n",
    "a larger tree under a stranger's key": signed(LOG.tree(15), OTHER_KEY),
    "a larger tree of another log": signed(LOG.tree(15), origin="log.example/else"),
}


@pytest.mark.parametrize("case", POWERLESS)
def test_an_address_cannot_hinder_a_start_by_its_own_claims(case: str, folder: Path) -> None:
    with log_served(LOG, 15, POWERLESS[case]) as log:
        assert serve(folder, "--seen-at", f"{log}/checkpoint") == 0


def test_a_torn_file_beside_the_database_is_said_and_passed_over(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    advance(folder, honest(LOG, 10, 15))
    for path in (folder / "published").iterdir():
        path.write_bytes(path.read_bytes()[:-1])
    assert serve(folder) == 0
    assert "shows nothing that counts" in capsys.readouterr().err


def test_of_the_files_beside_the_database_one_is_whole_at_any_time(folder: Path) -> None:
    with put_back(folder, "witness.db"):
        advance(folder, honest(LOG, 10, 14), honest(LOG, 14, 15))
    paths = sorted(
        (folder / "published").iterdir(), key=lambda path: b"\n15\n" in path.read_bytes()
    )
    assert len(paths) == 2
    paths[-1].write_bytes(b"torn")
    with pytest.raises(RefusedError, match=r"ends at 10 entries, but .* shows 14"):
        serve(folder)


def test_a_log_under_another_key_is_refused_unless_the_old_one_is_there(folder: Path) -> None:
    with pytest.raises(RefusedError, match="none of its keys") as refused:
        serve(folder, log=OTHER_VKEY)
    assert "beside the old" in refused.value.hint
    assert serve(folder, "--log", OTHER_VKEY) == 0


def test_an_old_key_may_go_once_the_new_one_has_signed(folder: Path) -> None:
    with witness_in(folder, LOG_KEY, MLDSA44_LOG_KEY) as witness:
        body = request(10, LOG.proof(10, 15), signed(LOG.tree(15), MLDSA44_LOG_KEY))
        assert witness.cosign(body, NOW).status == 200
    assert serve(folder, log=format_vkey(MLDSA44_LOG_KEY.verifier())) == 0


def test_two_processes_do_not_share_a_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "serve", lambda *_, **__: serve(folder))
    with pytest.raises(UnavailableError, match="another process"):
        serve(folder)


def catch_up(folder: Path, url: str, *words: str) -> int:
    return run_verb("catch-up", "--dir", folder, "--log", VKEY, "--log-url", url, *words)


def test_a_rewound_witness_catches_up_and_signs_nothing_on_the_way(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with put_back(folder, "witness.db"):
        advance(folder, honest(LOG, 10, 15), now=NOW + 60)
    with log_served(LOG, 18) as log:
        assert catch_up(folder, log) == 0
    assert f"{ORIGIN}: from 10 to 18 entries" in capsys.readouterr().out
    assert serve(folder) == 0
    known = latest(folder)
    assert (known.tree, known.cosigned_at) == (LOG.tree(18), NOW + 60)
    assert known.checkpoint == signed(LOG.tree(18))
    advance(folder, honest(LOG, 18, 20), now=NOW + 61)
    assert latest(folder).tree == LOG.tree(20)


def test_a_forgotten_date_is_taken_over_with_its_signature(folder: Path) -> None:
    with put_back(folder, "witness.db"):
        advance(folder, honest(LOG, 10, 10), now=NOW + 60)
        before = latest(folder)
    with log_served(LOG, 10) as log:
        assert catch_up(folder, log) == 0
    assert latest(folder) == before
    assert serve(folder) == 0


def test_a_witness_follows_what_its_peer_knows(folder: Path, tmp_path: Path) -> None:
    with (
        peer_served(tmp_path / "peer", honest(LOG, 0, 15)) as peer,
        log_served(LOG, 15) as log,
    ):
        assert catch_up(folder, log, "--peer", peer) == 0
        assert serve(folder, "--peer", peer) == 0
    assert latest(folder).tree == LOG.tree(15)


@pytest.mark.parametrize("known", [10, 16])
def test_a_log_that_went_another_way_is_proven_and_not_followed(
    known: int, folder: Path
) -> None:
    """Also from a power of two, where the tiles show what a proof leaves out."""
    if known > 10:
        advance(folder, honest(LOG, 10, known))
    with log_served(FORK, 18) as log, pytest.raises(ConflictError, match="two histories"):
        catch_up(folder, log)
    assert latest(folder).tree == LOG.tree(known)
    assert latest(folder).forked
    [path] = (folder / "forks").iterdir()
    fork = verify_fork(parse_fork(path.read_bytes()), [LOG_KEY.verifier()])
    assert (fork.old, fork.new) == (LOG.tree(known), FORK.tree(18))
    with log_served(LOG, 18) as log, pytest.raises(RefusedError, match="nothing to follow"):
        catch_up(folder, log)


def test_tiles_that_do_not_belong_to_the_checkpoint_prove_nothing(folder: Path) -> None:
    with (
        log_served(FORK, 18, signed(LOG.tree(18))) as log,
        pytest.raises(RefusedError, match=r"tiles .* do not lead from 10 to 18"),
    ):
        catch_up(folder, log)
    assert latest(folder).tree == LOG.tree(10)
    assert not latest(folder).forked


def test_a_witness_does_not_catch_up_with_two_logs_at_once(folder: Path) -> None:
    other = format_vkey(SigningKey(name="log.example/else", seed=b"e" * 32).verifier())
    with pytest.raises(RefusedError, match="several logs"):
        catch_up(folder, NOWHERE, "--log", other)


def listed(*keys: SigningKey, qpd: int = 5) -> str:
    entries = (f"vkey {format_vkey(key.verifier())}\nqpd {qpd}\ncontact me\n" for key in keys)
    return "logs/v0\n" + "\n".join(entries)


ELSE_KEY = SigningKey(name="log.example/else", seed=b"e" * 32)
NEW_ELSE_KEY = SigningKey(name="log.example/else", seed=b"n" * 32)


def served_by(
    monkeypatch: pytest.MonkeyPatch, folder: Path, *words: str | Path
) -> dict[str, object]:
    """The logs that the witness would serve, as (keys, limit)."""
    sites: list[dict[str, object]] = []
    monkeypatch.setattr(
        command,
        "make_site",
        lambda witness: sites.append(
            {
                origin: (log.keys, log.requests_per_day)
                for origin, log in witness.keys.logs.items()
            }
        ),
    )
    run_verb("serve", "--dir", folder, "--listen", "127.0.0.1:0", *words)
    return sites[0]


def test_a_list_only_ever_adds_logs(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "logs"
    one = {ELSE_KEY.name: ((ELSE_KEY.verifier(),), 5)}
    path.write_text(listed(ELSE_KEY))
    assert served_by(monkeypatch, folder, "--logs", path) == one
    path.write_text(listed(NEW_ELSE_KEY, qpd=9))
    assert served_by(monkeypatch, folder, "--logs", path) == one
    path.write_text("logs/v0\n")
    assert served_by(monkeypatch, folder, "--logs", path) == one


def test_a_list_does_not_change_a_log_that_was_given(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "logs"
    path.write_text(listed(OTHER_KEY, ELSE_KEY))
    served = served_by(monkeypatch, folder, "--logs", path, "--log", VKEY)
    assert served == {
        ORIGIN: ((LOG_KEY.verifier(),), None),
        ELSE_KEY.name: ((ELSE_KEY.verifier(),), 5),
    }
    # The log is not given any more; the list must not put other keys in place of its own.
    assert ORIGIN not in served_by(monkeypatch, folder, "--logs", path)
    assert "this log is left out" in capsys.readouterr().err


def test_a_witness_without_logs_is_told_so(folder: Path) -> None:
    with pytest.raises(RefusedError, match="no log to serve"):
        run_verb("serve", "--dir", folder, "--listen", "127.0.0.1:0")


def test_a_folder_without_an_mldsa44_key_serves_with_the_other_alone(tmp_path: Path) -> None:
    run_verb("new", "--dir", tmp_path / "w", "--name", "witness.example", "--classic")
    assert serve(tmp_path / "w") == 0
    assert [key.name for key in load_keys(tmp_path / "w")] == ["witness.example"]
