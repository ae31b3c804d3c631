"""The public folder: whole, signed, and one that an auditor accepts."""

from pathlib import Path

import pytest
from tests.parties.registry.register_world import World
from tests.protocol import builders

from safeconduct.errors import RefusedError, UnavailableError
from safeconduct.parties.auditor.check import audit
from safeconduct.parties.auditor.finding import HELPED_TWO
from safeconduct.parties.auditor.folder import Folder
from safeconduct.parties.registry import receive
from safeconduct.parties.registry.publish import CAPTURE_FILES, publish
from safeconduct.plumbing.durable import list_files, make_folder, write_file
from safeconduct.protocol.canonical import parse_json
from safeconduct.protocol.record import record_hash


@pytest.fixture
def public(tmp_path: Path) -> Path:
    return tmp_path / "public"


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in list_files(folder)}


def test_an_auditor_finds_every_published_folder_true(world: World, public: Path) -> None:
    acquitted = world.filed()
    sealed = world.filed(subject="r-0002", disclosure="sealed", keys=1)
    world.decided(acquitted)
    world.decided(sealed)
    world.finished(acquitted)
    world.finished(sealed)
    world.counted()
    count = publish(world.registry, public, None)
    assert count == len(list_files(public))
    found = audit(Folder(root=public), builders.POLICY)
    assert [result for result in found.results if not result.holds] == []
    assert found.asserted == 1


def test_an_auditor_sees_two_persons_acquitted_on_one_contribution(
    world: World, public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receive, "relied_on", lambda _: None)  # a registry that looks away
    first, second = world.filed(), world.filed(subject="r-0002")
    world.decided(first)
    world.decided(second)
    world.finished(first)
    world.finished(second)
    publish(world.registry, public, None)
    found = audit(Folder(root=public), builders.POLICY)
    [failed] = [failure for result in found.results for failure in result.failures]
    assert failed.proves == HELPED_TWO
    assert failed.found.startswith("r-0002: acquitted on contribution")
    assert failed.expected.endswith("r-0001 was acquitted on this one")


def test_the_folder_holds_what_is_final_and_nothing_else(world: World, public: Path) -> None:
    claim = world.filed(name="Not Yet Public")
    world.decided(claim)
    publish(world.registry, public, None)
    files = contents(public)
    assert not any(name.startswith("decisions/") for name in files)
    assert not any(b"Not Yet Public" in data for data in files.values())
    register = parse_json(files["register.json"], "register")
    assert isinstance(register, dict)
    lines = register["lines"]
    assert isinstance(lines, list)
    assert len(lines) == 2


def test_publishing_again_replaces_the_folder_by_an_equal_one(
    world: World, public: Path
) -> None:
    publish(world.registry, public, None)
    first = contents(public)
    (public / "left-over").write_bytes(b"by hand")
    publish(world.registry, public, None)
    assert contents(public) == first


def test_a_log_that_is_away_leaves_the_old_folder(world: World, public: Path) -> None:
    publish(world.registry, public, None)
    before = contents(public)
    world.away = True
    with pytest.raises(UnavailableError):
        publish(world.registry, public, None)
    assert contents(public) == before


def test_a_capture_goes_along_once_it_is_whole(
    world: World, public: Path, tmp_path: Path
) -> None:
    captures = tmp_path / "captures"
    data = builders.public_capture()
    record = builders.capture_record(data)
    proof = world.ledger.add(record_hash(record), world.now)
    for name, files in (("whole", (data, record, proof)), ("half", (data, record))):
        make_folder(captures / name)
        for file, content in zip(CAPTURE_FILES, files, strict=False):
            write_file(captures / name / file, content)
    write_file(captures / "whole" / "page.warc.gz", b"private")
    publish(world.registry, public, captures)
    kept = [name for name in list_files(public) if name.startswith("captures/")]
    assert kept == sorted(f"captures/whole/{file}" for file in CAPTURE_FILES)


def test_an_object_that_was_lost_is_not_passed_over(world: World, public: Path) -> None:
    act = builders.publication_act(number=len(world.state().publications) + 1)
    world.gazette.add(builders.by_board(act), world.now)
    with pytest.raises(RefusedError, match="does not hold this object"):
        publish(world.registry, public, None)
    assert not public.exists()
