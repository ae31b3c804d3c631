"""The clerk's verbs for credits: what is redeemed is counted, and the board signs for it."""

import argparse
import json
from pathlib import Path

import pytest
from tests.parties.registry.credit_world import (
    GROUP,
    begin,
    decided,
    filed,
    nullifier_of,
)
from tests.parties.registry.register_world import World, open_world
from tests.protocol import builders, credited

from safeconduct.errors import SafeconductError
from safeconduct.parties.registry import command, deciding_command
from safeconduct.parties.registry.redemptions import count_redeemed, credit_count
from safeconduct.protocol.claim import parse_bundle, relied_on
from safeconduct.protocol.record import format_record, parse_record


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return begin(open_world(tmp_path, monkeypatch, credited.entries()))


def run(world: World, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    for module in (command, deciding_command):
        monkeypatch.setattr(module, "open_registry", lambda _: world.registry)
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    options = parser.parse_args([*arguments, "--dir", "register"])
    code: int = options.run(options)
    return code


def test_the_clerk_counts_redemptions_for_the_board(
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    claim = filed(world)
    decided(world, claim)
    world.finished(claim)
    out = tmp_path / "credits.record"
    about = ("--class", "useful", "--period", "1")
    assert (
        run(world, monkeypatch, "credit-count", *about, "--issued", "7", "--out", str(out)) == 0
    )
    record = parse_record(out.read_bytes(), "credit-count")
    assert (record.number("issued"), record.number("redeemed")) == (7, 1)
    assert record.number("number") == 2
    world.log_notice(world.registry.programme, builders.by_board(record))
    capsys.readouterr()
    assert run(world, monkeypatch, "redemptions", "--json") == 0
    assert json.loads(capsys.readouterr().out) == [
        {
            "class": "useful",
            "issued": 7,
            "period": 1,
            "redeemed": 1,
            "statute": GROUP.statute.hex(),
        }
    ]
    assert run(world, monkeypatch, "redemptions") == 0
    assert "period 1  issued 7  redeemed 1" in capsys.readouterr().out
    assert run(world, monkeypatch, "show", "1") == 0
    assert "helped (a credit of class useful, period 1)" in capsys.readouterr().out


def test_a_count_of_more_redeemed_than_issued_is_drafted_and_warned_of(
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    claim = filed(world)
    decided(world, claim)
    world.finished(claim)
    out = tmp_path / "credits.record"
    about = ("--class", "useful", "--period", "1", "--statute", "1")
    run(world, monkeypatch, "credit-count", *about, "--issued", "0", "--out", str(out))
    assert "somebody can make credits" in capsys.readouterr().err
    assert parse_record(out.read_bytes(), "credit-count").number("redeemed") == 1


@pytest.mark.parametrize(
    "about",
    [
        ("--class", "worthless", "--period", "1"),
        ("--class", "useful", "--period", "2"),
        ("--class", "useful", "--period", "1", "--statute", "9"),
    ],
    ids=["no such class", "no such period", "no such law"],
)
def test_a_count_of_credits_that_no_law_grants_is_refused(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, about: tuple[str, ...]
) -> None:
    out = tmp_path / "credits.record"
    with pytest.raises(SafeconductError):
        run(world, monkeypatch, "credit-count", *about, "--issued", "1", "--out", str(out))
    assert not out.exists()


def test_what_is_counted_is_what_is_final(world: World) -> None:
    claim = filed(world)
    decided(world, claim)
    assert count_redeemed(world.registry, world.state())[GROUP] == 0
    world.finished(claim)
    assert count_redeemed(world.registry, world.state())[GROUP] == 1
    bundle = parse_bundle(world.registry.store.case(claim).latest["filed"].data)
    assert relied_on(bundle) == nullifier_of()
    assert format_record(credit_count(world.registry, GROUP, 3)).endswith(b"redeemed 1\n")
