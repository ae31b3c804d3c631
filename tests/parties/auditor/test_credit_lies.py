"""Credits made up, used twice, hidden or counted falsely: each shows in the folder."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.parties.registry.register_world import NOTHING_FOUND, World, open_world
from tests.protocol import builders, credited
from tests.protocol.claiming import credited_bundle

from safeconduct.parties.auditor import command, finding
from safeconduct.parties.auditor.check import audit
from safeconduct.parties.auditor.finding import Audit, Failed
from safeconduct.parties.auditor.folder import Folder
from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.registry import decide, receive, store
from safeconduct.parties.registry.publish import publish, sign_folder
from safeconduct.protocol.claim import (
    credit_held,
    open_redemption,
    parse_bundle,
    redemption_record,
)
from safeconduct.protocol.credit import nullifier
from safeconduct.protocol.record import (
    Record,
    Value,
    make_record,
    parse_any,
    record_hash,
    sign_record,
)
from safeconduct.protocol.tlog.note import SigningKey

GROUP = credited.group()
CALLED = f"credits of class useful, period 1, under law {GROUP.statute.hex()[:12]}"


def count(world: World, issued: int, redeemed: int) -> None:
    """What the board signs about its credits, true or not."""
    number = len(world.state().credit_counts) + 1
    record = credited.credit_count_act(
        world.state(), number=number, issued=issued, redeemed=redeemed
    )
    world.log_notice(world.registry.programme, builders.by_board(record))


def decided(world: World, number: int, subject: str, **judged: bool) -> bytes:
    """A decision on the credit of our contribution `number`, final and published."""
    fresh = receive.challenge(world.registry)
    shown = credited.held(number=number)
    bundle = credited_bundle(
        shown, number, "plain", challenge=fresh, subject=subject, expires=world.now + 60
    )
    claim = receive.receive(world.registry, bundle).claim
    draft = decide.propose_decision(world.registry, claim, NOTHING_FOUND | judged)
    decide.enter(world.registry, claim, sign_all(draft.record, builders.MEMBERS[:2]))
    return claim


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Two persons, and three credits of which the board has counted as many."""
    world = open_world(tmp_path / "register", monkeypatch, credited.entries())
    for subject in ("r-0001", "r-0002"):
        world.listed(subject)
    count(world, 3, 0)
    return world


@pytest.fixture
def public(tmp_path: Path) -> Path:
    return tmp_path / "public"


def published(world: World, public: Path) -> Audit:
    publish(world.registry, public, None)
    return audit(Folder(root=public), builders.POLICY)


def signed_again(world: World, public: Path) -> Audit:
    """What is found once the registry has signed for a folder that was changed."""
    sign_folder(world.registry, public)
    return audit(Folder(root=public), builders.POLICY)


def failures(found: Audit) -> list[Failed]:
    return [failure for result in found.results for failure in result.failures]


def redemption_of(number: int = 0) -> str:
    key = parse_any(credited.held(number=number)).hash("key")
    return f"redemptions/{nullifier(key).hex()}.record"


# More used than given.


def test_more_redeemed_than_issued_is_a_contradiction_that_names_the_group(
    world: World,
    public: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # Somebody makes credits, and the registry does not look at the counts.
    monkeypatch.setattr(store, "_check_usable", lambda *_: None)
    claims = []
    for number in range(4):
        world.listed(f"r-010{number}")
        claims.append(decided(world, number, f"r-010{number}"))
    for claim in claims:
        world.finished(claim)
    found = published(world, public)
    [failed] = failures(found)
    assert failed == Failed(
        file="redemptions",
        found=f"{CALLED}: 4 redeemed",
        expected="at most 3, which the board counted as issued",
        proves=finding.REDEEMED_MORE,
        contradicts=True,
    )
    assert found.contradicts
    assert _exit_code(public) == 11
    assert f"{CALLED}: 4 redeemed" in " ".join(capsys.readouterr().out.split())


def test_a_count_of_more_redeemed_than_issued_speaks_against_itself(
    world: World, public: Path
) -> None:
    count(world, 3, 4)
    found = published(world, public)
    assert [failed.found for failed in failures(found)] == [
        f"{CALLED}: 4 redeemed",
        f"{CALLED}: 0 redemptions",
    ]
    assert failures(found)[0].file == "gazette/checkpoint"
    assert failures(found)[0].stands_alone
    assert _exit_code(public) == 11


def test_that_count_is_held_against_the_board_even_in_a_copy_that_nobody_signed(
    world: World, public: Path
) -> None:
    count(world, 3, 4)
    publish(world.registry, public, None)
    (public / "register.json").write_bytes(b"{}")
    found = audit(Folder(root=public), builders.POLICY)
    assert not found.signed
    assert finding.REDEEMED_MORE in {failed.proves for failed in failures(found)}
    assert found.contradicts


def test_a_copy_that_nobody_signed_contradicts_nobody_by_its_files(
    world: World, public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.finished(decided(world, 0, "r-0001"))
    publish(world.registry, public, None)
    monkeypatch.setattr(
        "safeconduct.protocol.gazette.GazetteState.credit_count",
        lambda *_: finding.CreditTally(group=GROUP, issued=0, redeemed=0),
    )
    (public / "register.json").write_bytes(b"{}")
    found = audit(Folder(root=public), builders.POLICY)
    assert not found.contradicts
    assert not found.holds


def _exit_code(public: Path) -> int:
    parser = argparse.ArgumentParser()
    policy = public.parent / "policy.txt"
    policy.write_text(builders.POLICY_TEXT)
    command.add_arguments(parser)
    options = parser.parse_args([str(public), "--policy", str(policy)])
    code: int = options.run(options)
    return code


# Too early, and too few shown.


def test_credits_redeemed_before_enough_were_issued_speak_against_the_registry(
    tmp_path: Path, public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receive, "_check_crowd", lambda *_: None)
    world = open_world(tmp_path / "early", monkeypatch, credited.entries())
    world.listed("r-0001")
    count(world, 2, 0)
    world.finished(decided(world, 0, "r-0001"))
    [failed] = failures(published(world, public))
    assert failed.found == f"{CALLED}: 1 redeemed while 2 are counted"
    assert failed.expected == "none before the board has counted 3 as issued"
    assert failed.proves == finding.REDEEMED_EARLY


def test_redemptions_that_were_counted_and_are_not_shown_are_missed(
    world: World, public: Path
) -> None:
    count(world, 3, 2)
    [failed] = failures(published(world, public))
    assert failed.found == f"{CALLED}: 0 redemptions"
    assert failed.expected == "2, which the board counted in the Gazette"
    assert failed.proves == finding.REDEMPTIONS_MISSING


# Redemptions and decisions.


def test_a_redemption_left_out_is_missed_at_the_decision_that_needs_it(
    world: World, public: Path
) -> None:
    world.finished(decided(world, 0, "r-0001"))
    publish(world.registry, public, None)
    for path in (public / "redemptions").iterdir():
        path.unlink()
    (public / "redemptions").rmdir()
    [failed] = failures(signed_again(world, public))
    assert failed.found == "r-0001: acquitted on a credit"
    assert failed.expected == f"{redemption_of()}, which shows that the credit was used up"
    assert failed.proves == finding.REDEMPTION_HIDDEN
    assert failed.file.startswith("decisions/")


def test_two_persons_acquitted_on_one_credit_are_found(
    world: World, public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receive, "relied_on", lambda _: None)  # a registry that looks away
    monkeypatch.setattr(decide, "redeems", lambda *_: None)
    claims = [decided(world, 0, subject) for subject in ("r-0001", "r-0002")]
    for claim in claims:
        world.finished(claim)
    found = failures(published(world, public))
    assert finding.HELPED_TWO in {failed.proves for failed in found}
    assert any(failed.found.startswith("r-0002: acquitted on credit") for failed in found)
    # One nullifier has one redemption, so one of the two decisions has none.
    assert any(failed.file == redemption_of() for failed in found)


def test_a_redemption_for_another_claim_than_the_one_decided_is_found(
    world: World, public: Path
) -> None:
    claim = decided(world, 0, "r-0001")
    world.finished(claim)
    publish(world.registry, public, None)
    _put(world, public, claim=bytes(32))
    [failed] = failures(signed_again(world, public))
    assert failed.file == redemption_of()
    assert failed.found == f"the redemption for claim {bytes(32).hex()}"
    assert failed.expected.startswith(f"one for claim {claim.hex()}, decided in decisions/")
    assert failed.proves == finding.REDEMPTION_FAULTY


def test_a_credit_used_up_by_a_decision_that_gave_nothing_is_found(
    world: World, public: Path
) -> None:
    claim = decided(world, 0, "r-0001", grave_crime_proven=True)
    world.finished(claim)
    bundle = parse_bundle(world.registry.store.case(claim).latest["filed"].data)
    held = credit_held(bundle, world.state())
    assert held is not None
    _show(world, public, redemption_record(bundle, held))
    [failed] = failures(signed_again(world, public))
    assert failed.file == redemption_of()
    assert failed.expected.startswith("none for a claim that came to registration_stands")


# Redemptions that are none.


def _put(
    world: World,
    public: Path,
    key: SigningKey = builders.REGISTRY,
    /,
    **changes: Value,
) -> None:
    """Put another record where the one redemption is, with a receipt of its own."""
    path = public / redemption_of()
    record = open_redemption(path.read_bytes(), world.state())
    _show(world, public, make_record("redemption", **{**record.values, **changes}), key)


def _show(
    world: World, public: Path, record: Record, key: SigningKey = builders.REGISTRY
) -> None:
    """Have a redemption logged, and publish it where it belongs, or where the true one is."""
    path = public / redemption_of()
    signed = sign_record(record, [key])
    proof = world.ledger.add(record_hash(signed), world.now)
    publish(world.registry, public, None)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(signed)
    path.with_suffix(".tlog-proof").write_bytes(proof)


def _under_another_name(world: World, public: Path) -> None:
    for suffix in (".record", ".tlog-proof"):
        path = (public / redemption_of()).with_suffix(suffix)
        path.rename(path.with_name(f"{'ab' * 32}{suffix}"))


def _without_receipt(world: World, public: Path) -> None:
    (public / redemption_of()).with_suffix(".tlog-proof").unlink()


def _without_record(world: World, public: Path) -> None:
    (public / redemption_of()).unlink()


def _never_logged(world: World, public: Path) -> None:
    path = (public / redemption_of()).with_suffix(".tlog-proof")
    path.write_bytes(builders.prove(record_hash((public / redemption_of()).read_bytes())))


Change = Callable[[World, Path], None]
WRONG: dict[str, tuple[Change, str]] = {
    "signed by a stranger": (
        lambda world, public: _put(world, public, builders.STRANGER),
        "who has no say here",
    ),
    "of another programme": (
        lambda world, public: _put(world, public, programme=bytes(32)),
        "another programme",
    ),
    "of a class that no law has": (
        lambda world, public: _put(world, public, **{"class": "worthless"}),
        "no credits of this class",
    ),
    "called after another credit": (_under_another_name, "the redemption of nullifier"),
    "without its receipt": (_without_receipt, ""),
    "without its record": (_without_record, ""),
    "with the receipt of another log": (_never_logged, ""),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_redemption_that_does_not_hold_is_found(
    world: World, public: Path, what: str
) -> None:
    change, reason = WRONG[what]
    world.finished(decided(world, 0, "r-0001"))
    publish(world.registry, public, None)
    change(world, public)
    found = failures(signed_again(world, public))
    assert any(
        failed.file.startswith("redemptions/") and reason in failed.found for failed in found
    )
    assert {failed.proves for failed in found} <= {
        finding.REDEMPTION_FAULTY,
        finding.REDEMPTION_HIDDEN,
        finding.RECEIPT_FAULTY,
        finding.REDEMPTIONS_MISSING,
        finding.FORKED,
    }


def test_the_report_counts_every_group(
    world: World, public: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world.finished(decided(world, 0, "r-0001"))
    publish(world.registry, public, None)
    parser = argparse.ArgumentParser()
    policy = public.parent / "policy.txt"
    policy.write_text(builders.POLICY_TEXT)
    command.add_arguments(parser)
    options = parser.parse_args([str(public), "--policy", str(policy), "--json"])
    assert options.run(options) == 0
    assert json.loads(capsys.readouterr().out)["credits"] == [
        {
            "class": "useful",
            "issued": 3,
            "period": 1,
            "redeemed": 1,
            "statute": GROUP.statute.hex(),
        }
    ]
