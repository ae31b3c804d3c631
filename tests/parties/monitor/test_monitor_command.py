"""`safeconduct monitor run` as people use it, and the site that it serves."""

import json
import re
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.parties import servers
from tests.parties.auditor.public_folder import LEDGER
from tests.parties.monitor.monitor_town import (
    FOUNDED,
    HASHES,
    OTHERS,
    Town,
    write_programme_files,
)

from safeconduct.plumbing import clock, fetch
from safeconduct.protocol.tlog.fork import parse_fork, verify_fork

MODULE = "safeconduct.parties.monitor.command"
PATIENCE_SECONDS = 100.0


def now(town: Town, ledger: list[bytes]) -> None:
    """Let both logs be dated by the true clock, which a real process goes by."""
    at = clock.seconds()
    town.show("gazette", FOUNDED, at)
    town.show("ledger", ledger, at)


@pytest.fixture
def programme(town: Town, tmp_path: Path) -> Path:
    now(town, HASHES[:300])
    return write_programme_files(town, tmp_path / "programme")


def once(programme: Path, folder: Path, *more: str) -> tuple[int, str]:
    done = servers.run(
        MODULE, "run", "--programme", str(programme), "--dir", str(folder), "--once", *more
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout


def test_once_says_what_stands_and_exits_accordingly(
    town: Town, programme: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "watched"
    # The desk's only key opens in 2027: that nobody can send a tip yet is no alert.
    assert once(programme, folder)[0] == 0
    now(town, [*HASHES[:250], *OTHERS[:100]])
    code, said = once(programme, folder)
    assert code == 11
    assert "ALERT (contradiction): The Ledger shows 350 entries" in said
    [proof] = (folder / "evidence").glob("forked-*.fork")
    assert verify_fork(parse_fork(proof.read_bytes()), [LEDGER.verifier()])
    code, said = once(programme, folder)
    assert code == 11
    assert "ALERT" not in said


def test_json_is_one_object_with_everything_that_stands(
    town: Town, programme: Path, tmp_path: Path
) -> None:
    del town.files["ledger/checkpoint"]
    code, said = once(programme, tmp_path / "watched", "--json")
    assert code == 75
    standing = json.loads(said)["standing"]
    assert [alert["severity"] for alert in standing] == ["unreachable"]


def test_a_command_is_run_without_a_shell_with_the_alert_on_its_input(
    town: Town, programme: Path, tmp_path: Path
) -> None:
    target = tmp_path / "got; touch pwned"
    script = "import sys; open(sys.argv[1], 'ab').write(sys.stdin.buffer.read() + b'\\n')"
    del town.files["ledger/checkpoint"]
    command = shlex.join([sys.executable, "-c", script, str(target)])
    once(programme, tmp_path / "watched", "--on-alert", command)
    got = [json.loads(line) for line in target.read_bytes().splitlines()]
    assert [message["state"] for message in got] == ["new", "notice"]
    assert [message["number"] for message in got] == [1, 2]


WRONG = {
    "a command with an open quote": ("--on-alert", "'"),
    "an empty command": ("--on-alert", " "),
    "once and a site": ("--listen", "127.0.0.1:0"),
    "rounds too often": ("--every", "0.1"),
    "no such folder of tips": ("--owed", "/nowhere"),
    "no such public folder": ("--public", "/nowhere"),
    "a mirror without an address": ("--mirror", "mirror.example"),
    "no day for an answer": ("--answer-days", "0"),
}


@pytest.mark.parametrize("more", WRONG.values(), ids=WRONG.keys())
def test_wrong_use_is_refused_before_anything_is_fetched(
    programme: Path, tmp_path: Path, more: tuple[str, str]
) -> None:
    folder = tmp_path / "watched"
    assert once(programme, folder, *more)[0] == 1  # the test's runner tells every error so
    assert not folder.exists()


def test_a_witness_given_as_a_mirror_is_refused(
    town: Town, programme: Path, tmp_path: Path
) -> None:
    """Both are looked at under their address, and one would hide the other."""
    folder = tmp_path / "watched"
    assert once(programme, folder, "--mirror", f"{town.url}/w1/")[0] == 1
    assert not folder.exists()


@pytest.fixture
def site(town: Town, programme: Path, tmp_path: Path) -> Iterator[servers.Server]:
    """A monitor that goes on and on while a fork is shown, with its site."""
    once(programme, tmp_path / "watched")
    now(town, [*HASHES[:250], *OTHERS[:100]])
    arguments = ["run", "--programme", str(programme), "--dir", str(tmp_path / "watched")]
    server = servers.start(MODULE, *arguments, "--every", "1", "--listen", "127.0.0.1:0")
    with servers.stopped_at_the_end([server]):
        eventually(lambda: alerts(server)["worst"] == "contradiction")
        yield server


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "did not come about in time"
        time.sleep(0.1)


def get(server: servers.Server, path: str) -> fetch.Response:
    return fetch.request("GET", f"{server.url}{path}", bytes_max=1 << 20)


def alerts(server: servers.Server) -> Any:
    return json.loads(get(server, "/alerts").body)


def test_the_site_shows_alerts_and_hands_out_their_evidence(site: servers.Server) -> None:
    [fork] = [one for one in alerts(site)["standing"] if one["severity"] == "contradiction"]
    [name] = [name for name in fork["evidence"] if name.endswith(".fork")]
    proof = get(site, f"/evidence/{name}").body
    assert verify_fork(parse_fork(proof), [LEDGER.verifier()])
    page = get(site, "/").body.decode()
    assert f'href="/evidence/{name}"' in page
    assert fork["sentence"] in page
    assert get(site, "/evidence/monitor.db").status == 404


def test_the_page_is_whole_without_a_script_and_loads_nothing_else(
    site: servers.Server,
) -> None:
    page = get(site, "/").body.decode()
    assert "<script" not in page
    assert not re.search(r"\son[a-z]+=", page)
    assert re.findall(r'(?:src|href)="(https?:[^"]*)"', page) == []
    assert page.count("<h1>") == 1
    assert '<html lang="en"' in page
    assert get(site, "/style.css").status == 200


def test_the_figures_are_prometheus_text_and_hold_no_hash(site: servers.Server) -> None:
    answer = get(site, "/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    families = {
        family.name: family for family in text_string_to_metric_families(answer.body.decode())
    }
    entries = families["safeconduct_monitor_log_entries"].samples
    assert {sample.labels["log"]: sample.value for sample in entries} == {
        "gazette": 3,
        "ledger": 350,
    }
    [grave] = [
        sample.value
        for sample in families["safeconduct_monitor_alerts"].samples
        if sample.labels["severity"] == "contradiction"
    ]
    assert grave == 1
    assert not re.search(r"[0-9a-f]{32}|w1|w2", answer.body.decode())


def test_only_one_monitor_writes_into_a_folder(
    site: servers.Server, programme: Path, tmp_path: Path
) -> None:
    assert once(programme, tmp_path / "watched")[0] == 1  # the test's runner tells the error
    assert alerts(site)["worst"] == "contradiction"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])
def test_it_ends_when_it_is_asked_to(site: servers.Server, number: int) -> None:
    site.process.send_signal(number)
    assert site.process.wait(PATIENCE_SECONDS) == 0
