"""An audit that was handed what unseals a decision computes that decision in full."""

import argparse
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.parties.auditor import public_folder as made
from tests.parties.auditor.audited import accusations, failed

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.parties.auditor import command, finding
from safeconduct.parties.auditor.check import audit
from safeconduct.parties.auditor.finding import Audit
from safeconduct.parties.auditor.folder import Folder
from safeconduct.protocol.canonical import parse_json
from safeconduct.protocol.decision import Opened, Unsealed, format_unsealed, make_unsealed

WORLD = made.make_world(disclosure="sealed")
(DECISION,) = WORLD.decisions
SHA256 = hashlib.sha256(DECISION).digest()
FILE = f"decisions/{SHA256.hex()}.json"


def honest() -> Unsealed:
    value = parse_json(DECISION, "decision")
    assert isinstance(value, dict)
    return make_unsealed(value, SHA256, [WORLD.bundle], (), made.REGISTRY.seed)


def audited(folder: Path, *unsealed: Unsealed) -> Audit:
    WORLD.write(folder)
    given = {one.decision: one for one in unsealed}
    return audit(Folder(root=folder), made.POLICY, unsealed=given)


def test_an_unsealed_decision_is_no_longer_the_boards_word(tmp_path: Path) -> None:
    sealed, opened = audited(tmp_path / "a"), audited(tmp_path / "b", honest())
    assert sealed.holds
    assert opened.holds
    assert (sealed.asserted, sealed.unsealed) == (1, 0)
    assert (opened.asserted, opened.unsealed) == (0, 1)


def other_salt(unsealed: Unsealed) -> Unsealed:
    (claim,) = unsealed.claims
    return replace(unsealed, claims=(Opened(bundle=claim.bundle, salt=bytes(32)),))


def test_what_does_not_open_it_is_named_and_held_against_nobody(tmp_path: Path) -> None:
    outcome = audited(tmp_path, other_salt(honest()))
    assert failed(outcome) == {"decisions": {FILE}}
    assert accusations(outcome) == set()
    assert (outcome.asserted, outcome.unsealed) == (1, 0)


def test_what_unseals_a_decision_of_another_folder_is_told(tmp_path: Path) -> None:
    outcome = audited(tmp_path, replace(honest(), decision=bytes(32)))
    assert failed(outcome) == {"decisions": {f"decisions/{'00' * 32}.json"}}
    assert accusations(outcome) == set()


SHOWN: dict[str, tuple[str, Callable[[], bytes]]] = {
    "before its law lets anybody see it": (SHA256.hex(), lambda: format_unsealed(honest())),
    "with another salt": (SHA256.hex(), lambda: format_unsealed(other_salt(honest()))),
    "for a decision that is not here": ("00" * 32, lambda: format_unsealed(honest())),
    "that is none": (SHA256.hex(), lambda: b"{}"),
}


@pytest.mark.parametrize(("name", "data"), SHOWN.values(), ids=SHOWN)
def test_a_registry_that_shows_an_unsealing_it_must_not_show_is_named(
    tmp_path: Path, name: str, data: Callable[[], bytes]
) -> None:
    WORLD.write(tmp_path)
    made.put(tmp_path / f"unsealed/{name}.json", data())
    made.sign(tmp_path)
    outcome = audit(Folder(root=tmp_path), made.POLICY)
    assert failed(outcome) == {"decisions": {f"unsealed/{name}.json"}}
    assert accusations(outcome) == {finding.UNSEALED_FAULTY}


@pytest.mark.parametrize("shown", [made.LISTINGS[0], b"[]", b"{"], ids=["a listing", "[]", "{"])
def test_what_is_shown_as_a_decision_and_is_none_stops_no_audit(
    tmp_path: Path, shown: bytes
) -> None:
    """The registry chooses all of these bytes, and cannot choose that there is no report."""
    listings = (shown, *made.LISTINGS[1:])
    world = made.make_world(listings=listings) if shown != made.LISTINGS[0] else WORLD
    sha256 = hashlib.sha256(shown).digest()
    world.write(tmp_path)
    made.put(tmp_path / f"decisions/{sha256.hex()}.json", shown)
    unsealed = format_unsealed(replace(honest(), decision=sha256))
    made.put(tmp_path / f"unsealed/{sha256.hex()}.json", unsealed)
    made.sign(tmp_path)
    outcome = audit(Folder(root=tmp_path), made.POLICY)
    assert f"unsealed/{sha256.hex()}.json" in failed(outcome)["decisions"]
    assert finding.UNSEALED_FAULTY in accusations(outcome)


# The command.


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A published folder, a policy, and what unseals its decision."""
    WORLD.write(tmp_path / "public")
    (tmp_path / "policy.txt").write_bytes(made.POLICY_TEXT)
    (tmp_path / "unsealed.json").write_bytes(format_unsealed(honest()))
    return tmp_path


def run(desk: Path, *options: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    given = [str(desk / "public"), "--policy", str(desk / "policy.txt"), *options]
    told = parser.parse_args(given)
    code: int = told.run(told)
    return code


def test_a_judge_computes_all_of_it_offline(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(desk, "--unsealed", str(desk / "unsealed.json")) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "evidence sealed, and opened" in told
    assert "from these bytes" in told
    assert "those the board asserts" not in told
    assert run(desk) == 0
    assert "those the board asserts" in " ".join(capsys.readouterr().out.split())


def test_programs_are_told_how_many_were_unsealed(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unsealed = str(desk / "unsealed.json")
    assert run(desk, "--json", "--unsealed", unsealed, "--unsealed", unsealed) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["asserted"], told["unsealed"]) == (0, 1)


def test_two_unsealings_of_one_decision_must_be_the_same(desk: Path) -> None:
    other = desk / "other.json"
    other.write_bytes(format_unsealed(other_salt(honest())))
    both = ("--unsealed", str(desk / "unsealed.json"), "--unsealed", str(other))
    with pytest.raises(RefusedError, match="another unsealing of the same"):
        run(desk, *both)
    with pytest.raises(RefusedError, match="looks at no decision"):
        run(desk, "--logs-only", *both)


def test_a_file_that_is_no_unsealing_is_malformed(desk: Path) -> None:
    with pytest.raises(MalformedError):
        run(desk, "--unsealed", str(desk / "policy.txt"))
