"""An audit that goes on where an earlier one ended: it reads less, and never believes more."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest
from tests.parties.auditor import public_folder as made

from safeconduct.parties.auditor import finding
from safeconduct.parties.auditor.check import audit
from safeconduct.parties.auditor.course import KEEP_SECONDS, Course
from safeconduct.parties.auditor.finding import Result
from safeconduct.parties.auditor.folder import Folder
from safeconduct.parties.auditor.fork import prove
from safeconduct.parties.auditor.logs import audit_logs
from safeconduct.parties.auditor.place import Place, load_places
from safeconduct.parties.auditor.tree import LogCopy
from safeconduct.protocol.tlog.cosignature import cosign
from safeconduct.protocol.tlog.note import format_note, parse_note
from safeconduct.protocol.tlog.tile import bundle_path, format_bundle, tile_path, tiles_of

KEYS = [log.key for log in made.POLICY.logs]


def entry(place: int) -> bytes:
    return place.to_bytes(4, "big")


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A mirror's copy of one log, the file that keeps places, and which bundles were read."""

    copy: Path
    places: Path
    read: list[int]

    def put(self, size: int, *, lie_at: int | None = None) -> None:
        """Let the log grow to `size` entries, one of them another if it lies."""
        entries = [entry(place) for place in range(size)]
        if lie_at is not None:
            entries[lie_at] = b"a lie"
        for path, data in made.make_log(made.LEDGER, entries).files.items():
            made.put(self.copy / path, data)

    def audit(self, course: Course | None = None) -> Result:
        self.read.clear()
        course = course or Course(places=load_places(self.places, made.POLICY))
        (result,) = audit_logs(Folder(root=self.copy), made.POLICY, course)
        return result

    def kept(self) -> Place | None:
        return load_places(self.places, made.POLICY).by_origin.get(made.LEDGER.name)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk(copy=tmp_path / "copy", places=tmp_path / "places", read=[])
    whole = LogCopy.bundle

    def bundle(copy: LogCopy, index: int, width: int) -> list[bytes]:
        desk.read.append(index)
        return whole(copy, index, width)

    monkeypatch.setattr(LogCopy, "bundle", bundle)
    return desk


def told(result: Result) -> str:
    return " ".join(result.computed_from)


def test_a_second_audit_of_the_same_copy_reads_its_last_bundle_only(desk: Desk) -> None:
    desk.put(1000)
    assert desk.audit().holds
    assert desk.read == [0, 1, 2, 3]
    result = desk.audit()
    assert result.holds
    assert desk.read == [3]
    assert "the first 768 of them computed by earlier audits between" in told(result)
    assert "the other 232 now" in told(result)


@pytest.mark.parametrize("size", [1000, 1001, 1024, 1025, 1500, 3000])
def test_an_audit_of_a_grown_copy_reads_what_is_new(desk: Desk, size: int) -> None:
    desk.put(1000)
    assert desk.audit().holds
    desk.put(size)
    assert desk.audit().holds
    assert set(desk.read) == set(range(3, -(-size // 256)))


def test_an_audit_of_a_folder_without_places_says_nothing_of_earlier_ones(desk: Desk) -> None:
    desk.put(1000)
    assert desk.audit(Course()).holds
    assert "earlier" not in told(desk.audit(Course()))
    assert not desk.places.exists()


def kill_at_8(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """An audit that keeps its place after every second bundle, until it dies in the ninth."""
    bundle, now = LogCopy.bundle, [0.0]

    def die_at_8(copy: LogCopy, index: int, width: int) -> list[bytes]:
        now[0] += KEEP_SECONDS / 2
        if index == 8:
            raise KeyboardInterrupt
        return bundle(copy, index, width)

    course = Course(places=load_places(desk.places, made.POLICY), monotonic=lambda: now[0])
    with monkeypatch.context() as patched:
        patched.setattr(LogCopy, "bundle", die_at_8)
        with pytest.raises(KeyboardInterrupt):
            desk.audit(course)


def test_an_audit_killed_in_the_middle_goes_on_from_there(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.put(3000)
    kill_at_8(desk, monkeypatch)
    kept = desk.kept()
    assert kept is not None
    assert kept.edge.size == 8 * 256
    result = desk.audit()
    assert result.holds
    assert desk.read == [8, 9, 10, 11]
    assert "the first 2048 of them" in told(result)


def test_an_audit_killed_behind_a_fault_goes_on_from_before_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.put(3000)
    (desk.copy / "tile/0/003").write_bytes(bytes(8192))
    kill_at_8(desk, monkeypatch)
    kept = desk.kept()
    assert kept is not None
    assert kept.edge.size <= 3 * 256
    assert "tile/0/003" in {each.file for each in desk.audit().failures}


def test_the_first_of_several_audits_stays_on_record(desk: Desk) -> None:
    for size, at in ((600, made.LOGGED_AT), (1200, made.LOGGED_AT + 60)):
        desk.put(size)
        places = load_places(desk.places, made.POLICY)
        desk.audit(Course(places=places, seconds=partial(int, at)))
    kept = desk.kept()
    assert kept is not None
    assert (kept.first_at, kept.last_at) == (made.LOGGED_AT, made.LOGGED_AT + 60)


SPOILT: dict[str, Callable[[Path], Path]] = {
    "an entry": lambda copy: copy / bundle_path(11, 184),
    "a leaf hash": lambda copy: copy / "tile/0/010",
    "an upper tile": lambda copy: copy / "tile/1/000.p/11",
    "the last tile": lambda copy: copy / "tile/0/011.p/184",
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_what_is_new_is_audited_in_full(desk: Desk, spoil: Callable[[Path], Path]) -> None:
    desk.put(1000)
    assert desk.audit().holds
    before = desk.places.read_bytes()
    desk.put(3000)
    path = spoil(desk.copy)
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    result = desk.audit()
    assert not result.holds
    assert {each.proves for each in result.failures} == {finding.COPY_DIFFERS}
    assert desk.places.read_bytes() == before  # a place with a fault before it is none


def test_no_place_is_kept_in_a_copy_that_no_quorum_vouches_for(desk: Desk) -> None:
    desk.put(1000)
    path = desk.copy / "checkpoint"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    assert not desk.audit().holds
    assert not desk.places.exists()


@pytest.mark.parametrize("lie_at", [5, 900, 999])
@pytest.mark.parametrize("size", [1000, 1001, 3000])
def test_a_copy_of_a_fork_is_audited_from_the_beginning_and_the_fork_proven(
    desk: Desk, size: int, lie_at: int
) -> None:
    desk.put(1000)
    assert desk.audit().holds
    before = desk.places.read_bytes()
    for path in sorted(desk.copy.rglob("*.p/*")):
        path.unlink()
    desk.put(size, lie_at=lie_at)
    result = desk.audit()
    assert desk.read == list(range(-(-size // 256)))
    assert [each.proves for each in result.failures] == [finding.FORKED]
    proof = desk.places.with_name("places.fork")
    proven = prove(proof.read_bytes(), KEYS, made.POLICY)
    assert (proven.fork.old.size, proven.fork.new.size) == (1000, size)
    assert proven.of_both == ("W1", "W2")
    assert desk.places.read_bytes() == before


def test_an_older_copy_is_audited_from_the_beginning_and_takes_no_ones_place(
    desk: Desk,
) -> None:
    desk.put(1000)
    assert desk.audit().holds
    before = desk.places.read_bytes()
    desk.put(600)
    result = desk.audit()
    assert result.holds
    assert desk.read == [0, 1, 2]
    assert "from entry 0, because the copy audited at" in told(result)
    assert "was newer: 1000 entries" in told(result)
    assert desk.places.read_bytes() == before


def test_a_copy_whose_tiles_do_not_lead_to_the_place_is_audited_from_the_beginning(
    desk: Desk,
) -> None:
    desk.put(1000)
    assert desk.audit().holds
    (desk.copy / "tile/0/003.p/232").unlink()
    result = desk.audit()
    assert not result.holds
    assert desk.read[0] == 0


def test_damaged_places_are_said_and_the_audit_begins_anew(desk: Desk) -> None:
    desk.put(1000)
    assert desk.audit().holds
    desk.places.write_bytes(desk.places.read_bytes()[:-1])
    result = desk.audit()
    assert result.holds
    assert desk.read == [0, 1, 2, 3]
    assert "from entry 0, because places: damaged" in told(result)


def test_a_published_folder_is_resumed_and_its_list_still_read_in_full(
    desk: Desk, tmp_path: Path
) -> None:
    made.make_world().write(tmp_path / "public")
    folder = Folder(root=tmp_path / "public")

    def outcome() -> tuple[bool, str]:
        course = Course(places=load_places(desk.places, made.POLICY))
        found = audit(folder, made.POLICY, course)
        return found.holds, " ".join(
            text for each in found.results for text in each.computed_from
        )

    assert outcome()[0]
    holds, words = outcome()
    assert holds
    assert "the first 256 of them computed by earlier audits" in words
    (tmp_path / "public/ledger/tile/entries/000").write_bytes(b"x")
    assert not outcome()[0]


def test_entries_audited_without_a_rule_are_audited_again_under_it(
    desk: Desk, tmp_path: Path
) -> None:
    world = made.make_world()
    world.write(tmp_path / "public")
    bare = Folder(root=tmp_path / "public/ledger")
    places = load_places(desk.places, made.POLICY)
    (result,) = audit_logs(bare, made.POLICY, Course(places=places))
    assert result.holds
    desk.read.clear()
    places = load_places(desk.places, made.POLICY)
    assert audit(Folder(root=tmp_path / "public"), made.POLICY, Course(places=places)).holds
    kept = desk.kept()
    assert kept is not None
    assert kept.entry_bytes == 32


def test_every_tile_beyond_the_place_is_read(desk: Desk) -> None:
    desk.put(1000)
    assert desk.audit().holds
    desk.put(3000)
    for tile in tiles_of(3000):
        if tile.level == 0 and tile.index > 3:
            path = desk.copy / tile_path(tile)
            data = path.read_bytes()
            path.unlink()
            assert tile_path(tile) in {each.file for each in desk.audit().failures}
            path.write_bytes(data)


def test_a_place_that_cannot_be_kept_is_told_and_the_audit_holds_as_well(desk: Desk) -> None:
    desk.put(1000)
    places = load_places(desk.places.parent / "no-such-folder/places", made.POLICY)
    course = Course(places=places)
    assert desk.audit(course).holds
    assert "no-such-folder" in course.fault


def test_a_gazette_is_always_recomputed_whole_since_what_it_says_is_read_again(
    desk: Desk, tmp_path: Path
) -> None:
    # As many publications as it takes to fill a bundle, which the registry later changes.
    world = made.make_world()
    entries = list(world.gazette.entries[:2])
    shown = made.listing_of("r-0001")
    entries += [
        made.publication(number, "r-0001", "registered", shown, made.LOGGED_AT)
        for number in range(1, 300)
    ]
    honest = made.make_log(made.GAZETTE, entries)
    for path, data in honest.files.items():
        made.put(tmp_path / "copy" / path, data)
    assert desk.audit().holds
    lie = made.publication(7, "r-0002", "registered", shown, made.LOGGED_AT)
    lying = replace(
        world, gazette=replace(honest, files={**honest.files, BUNDLE: _with(entries, 8, lie)})
    )
    lying.write(tmp_path / "public")
    course = Course(places=load_places(desk.places, made.POLICY))
    outcome = audit(Folder(root=tmp_path / "public"), made.POLICY, course)
    gazette = next(each for each in outcome.results if each.name == "gazette")
    assert "gazette/tile/0/000" in {each.file for each in gazette.failures}


BUNDLE = bundle_path(0)


def _with(entries: list[bytes], place: int, entry: bytes) -> bytes:
    return format_bundle([*entries[:place], entry, *entries[place + 1 : 256]])


def test_the_line_of_a_mirror_in_its_own_copy_says_nothing_and_spoils_nothing(
    desk: Desk,
) -> None:
    desk.put(1000)
    note = parse_note((desk.copy / "checkpoint").read_bytes())
    line = cosign(note.text, made.key("mirror.example"), made.LOGGED_AT)
    signed = format_note(replace(note, signatures=(*note.signatures, line)))
    (desk.copy / "checkpoint").write_bytes(signed)
    result = desk.audit()
    assert result.holds
    assert "cosigned by W1, W2, logged" in told(result)
