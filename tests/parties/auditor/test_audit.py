"""The audit of a whole folder: every byte counts, and a lying registry signs its own lie."""

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.parties.auditor import public_folder as made
from tests.parties.auditor.short_act import law

from safeconduct.parties.auditor import finding
from safeconduct.parties.auditor.check import CHECKS, audit
from safeconduct.parties.auditor.finding import Audit
from safeconduct.parties.auditor.folder import Folder
from safeconduct.protocol.canonical import format_json, parse_json
from safeconduct.protocol.gazette import fold_all
from safeconduct.protocol.listing import ASSESSMENT_FIELDS, listing_object
from safeconduct.protocol.record import parse_signed, record_hash
from safeconduct.protocol.tlog.merkle import Frontier, leaf_hash
from safeconduct.protocol.tlog.note import Note, format_note, parse_note
from safeconduct.protocol.tlog.proof import TlogProof, format_proof, parse_proof
from safeconduct.protocol.tlog.tile import format_bundle, parse_bundle

WORLD = made.make_world()


@pytest.fixture(scope="session")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("honest") / "public"
    WORLD.write(folder)
    return folder


@pytest.fixture
def public(honest: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(honest, tmp_path / "public"))


def run(folder: Path) -> Audit:
    return audit(Folder(root=folder), made.POLICY)


def failed(outcome: Audit) -> dict[str, set[str]]:
    """The files that each failed check names."""
    return {
        result.name: {each.file for each in result.failures}
        for result in outcome.results
        if not result.holds
    }


def accusations(outcome: Audit) -> set[str]:
    """What is held against somebody."""
    return {
        each.proves
        for result in outcome.results
        for each in result.failures
        if each.proves not in finding.ACCUSES_NOBODY | {finding.NOT_SIGNED}
    }


def caught(folder: Path, name: str) -> None:
    """The copy fails, names the file, runs every check, and accuses nobody: it is unsigned."""
    outcome = run(folder)
    assert not outcome.holds
    assert not outcome.signed
    assert name in set().union(*failed(outcome).values())
    assert [result.name for result in outcome.results] == list(CHECKS)
    assert accusations(outcome) == set()


def test_an_honest_folder_holds_and_every_check_says_what_it_was_computed_from(
    honest: Path,
) -> None:
    outcome = run(honest)
    assert failed(outcome) == {}
    assert outcome.signed
    assert all(result.computed_from for result in outcome.results)
    told = " ".join(text for result in outcome.results for text in result.computed_from)
    assert "programme example-2027" in told
    assert "r-0002: acquitted under 1; evidence disclosed" in told


NAMES = (
    "SHA256SUMS",
    "manifest",
    "register.json",
    "statutes/1.json",
    "gazette/checkpoint",
    "gazette/tile/0/000.p/6",
    "gazette/tile/entries/000.p/6",
    "ledger/checkpoint",
    "ledger/tile/0/000",
    "ledger/tile/0/001.p/46",
    "ledger/tile/1/000.p/1",
    "ledger/tile/entries/000",
    "ledger/tile/entries/001.p/46",
    *(f"captures/{digest}/{name}" for digest in WORLD.captures for name in
      ("public.json", "capture.record", "capture.tlog-proof")),
    *(f"listings/{hashlib.sha256(data).hexdigest()}.json" for data in WORLD.listings),
    *(f"decisions/{hashlib.sha256(data).hexdigest()}.json" for data in WORLD.decisions),
)  # fmt: skip


def test_the_tables_of_these_tests_name_every_file(honest: Path) -> None:
    assert sorted(NAMES) == made.names_in(honest)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("where", ["first", "middle", "last"])
def test_one_bit_flipped_anywhere_is_caught(public: Path, name: str, where: str) -> None:
    data = bytearray((public / name).read_bytes())
    data[{"first": 0, "middle": len(data) // 2, "last": len(data) - 1}[where]] ^= 1
    (public / name).write_bytes(data)
    caught(public, name)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_removed_is_caught(public: Path, name: str) -> None:
    (public / name).unlink()
    caught(public, name)


@pytest.mark.parametrize("name", NAMES)
def test_a_byte_appended_or_cut_off_is_caught(public: Path, name: str) -> None:
    data = (public / name).read_bytes()
    (public / name).write_bytes(data + b"\n")
    caught(public, name)
    (public / name).write_bytes(data[:-1])
    caught(public, name)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_other_content_of_any_file_is_caught(
    honest: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(NAMES))
    folder = shutil.copytree(honest, tmp_path_factory.mktemp("near") / "public")
    before = (folder / name).read_bytes()
    place = data.draw(st.integers(0, len(before)))
    removed = data.draw(st.integers(0, 3))
    put = data.draw(st.sampled_from([b"", b"\n", b"\r", b" ", b"0"]) | st.binary(max_size=3))
    after = before[:place] + put + before[place + removed :]
    (folder / name).write_bytes(after)
    assert run(folder).holds == (after == before)
    shutil.rmtree(folder.parent)


def add_symlink(folder: Path) -> str:
    (folder / "statutes/2.json").symlink_to("1.json")
    return "statutes/2.json"


def replace_by_symlink(folder: Path) -> str:
    (folder / "register.json").rename(folder.parent / "register.json")
    (folder / "register.json").symlink_to(folder.parent / "register.json")
    return "register.json"


def replace_folder_by_symlink(folder: Path) -> str:
    (folder / "ledger").rename(folder.parent / "ledger")
    (folder / "ledger").symlink_to(folder.parent / "ledger")
    return "ledger"


def add_fifo(folder: Path) -> str:
    os.mkfifo(folder / "statutes/2.json")
    return "statutes/2.json"


def replace_by_fifo(folder: Path) -> str:
    (folder / "manifest").unlink()
    os.mkfifo(folder / "manifest")
    return "manifest"


def add(name: str, data: bytes = b"x") -> Callable[[Path], str]:
    def spoil(folder: Path) -> str:
        made.put(folder / name, data)
        return ascii(name)[1:-1]

    return spoil


def add_folder(name: str) -> Callable[[Path], str]:
    def spoil(folder: Path) -> str:
        (folder / name).mkdir(parents=True)
        return ascii(name)[1:-1]

    return spoil


ADDED = {
    "a file": add("index.html"),
    "an empty file": add("gazette/EMPTY", b""),
    "a hidden file": add(".DS_Store"),
    "a file with a control character in its name": add("statutes/\x1b[2J.json"),
    "a second statute": add("statutes/2.json", law()),
    "a third listing": add(f"listings/{'0' * 64}.json"),
    "a tile too many": add("ledger/tile/0/002", bytes(8192)),
    "a wider partial tile": add("ledger/tile/0/001.p/47", bytes(47 * 32)),
    "a capture": add(f"captures/{'0' * 64}/public.json"),
    "an empty folder": add_folder("press"),
    "an empty folder deep inside": add_folder("gazette/tile/0/x001"),
    "an empty captures folder": add_folder(f"captures/{'0' * 64}"),
    "a folder with a strange name": add_folder("statutes/\n"),
    "a symbolic link": add_symlink,
    "a file replaced by a link to it": replace_by_symlink,
    "a folder replaced by a link to it": replace_folder_by_symlink,
    "a named pipe": add_fifo,
    "a file replaced by a named pipe": replace_by_fifo,
}


@pytest.mark.parametrize("spoil", ADDED.values(), ids=ADDED)
def test_anything_added_is_caught(public: Path, spoil: Callable[[Path], str]) -> None:
    caught(public, spoil(public))


def test_empty_folders_that_mirrors_drop_or_publish_makes_mean_nothing(public: Path) -> None:
    shutil.rmtree(public / "decisions")
    shutil.rmtree(public / "listings")
    (public / "listings").mkdir()
    assert not {"decisions", "listings"} & failed(run(public))["folder"]


def drop_cosignature(checkpoint: bytes) -> bytes:
    *lines, _ = checkpoint.splitlines(keepends=True)
    return b"".join(lines)


@pytest.mark.parametrize("name", ["gazette", "ledger"])
def test_a_cosignature_removed_is_caught(public: Path, name: str) -> None:
    path = public / name / "checkpoint"
    path.write_bytes(drop_cosignature(path.read_bytes()))
    caught(public, f"{name}/checkpoint")


@pytest.mark.parametrize("name", ["gazette", "ledger"])
def test_an_older_checkpoint_replayed_under_a_remade_list_is_caught(
    public: Path, name: str
) -> None:
    entries = {"gazette": WORLD.gazette, "ledger": WORLD.ledger}[name].entries[:-1]
    shutil.rmtree(public / name)
    for path, data in made.make_log(made.LOGS[name], entries).files.items():
        made.put(public / name / path, data)
    made.sum_up(public)
    outcome = run(public)
    assert not outcome.signed
    assert failed(outcome)["manifest"] == {"SHA256SUMS", "manifest"}
    assert accusations(outcome) == set()


def test_a_list_remade_over_any_changed_file_is_caught(public: Path) -> None:
    (public / "register.json").write_bytes(b'{"lines": []}')
    made.sum_up(public)
    outcome = run(public)
    assert not outcome.signed
    assert failed(outcome) == {"manifest": {"SHA256SUMS"}, "register": {"register.json"}}
    assert accusations(outcome) == set()


# A registry that holds its own key and lies: whatever it changes, it signs again.


def edit_json(path: Path, change: Callable[[dict[str, object]], None]) -> bytes:
    value = parse_json(path.read_bytes(), "test", bytes_max=1 << 22)
    assert isinstance(value, dict)
    change(value)  # type: ignore[arg-type]  # a test may put anything anywhere
    return format_json(value)


def move_date(folder: Path) -> None:
    (folder / "statutes/1.json").write_bytes(law("2027-01-01T00:00:00Z"))


def drop_ledger_entry(folder: Path) -> None:
    rewrite_ledger(folder, (*WORLD.ledger.entries[:7], *WORLD.ledger.entries[8:]))


def drop_and_fill_up(folder: Path) -> None:
    entries = WORLD.ledger.entries
    rewrite_ledger(folder, (*entries[:7], *entries[8:], bytes(32)))


def rewrite_ledger(folder: Path, entries: tuple[bytes, ...]) -> None:
    """Other entries and all their tiles, under the checkpoint that was signed."""
    log = made.make_log(made.LEDGER, entries)
    shutil.rmtree(folder / "ledger")
    for path, data in log.files.items():
        made.put(folder / "ledger" / path, data)
    (folder / "ledger/checkpoint").write_bytes(WORLD.ledger.checkpoint)


def change_ledger_entry(folder: Path) -> None:
    path = folder / "ledger/tile/entries/001.p/46"
    entries = parse_bundle(path.read_bytes(), 46)
    path.write_bytes(format_bundle([bytes(32), *entries[1:]]))


def swap_hashes(folder: Path) -> None:
    path = folder / "ledger/tile/0/000"
    data = path.read_bytes()
    path.write_bytes(data[32:64] + data[:32] + data[64:])


def forge_upper_tile(folder: Path) -> None:
    (folder / "ledger/tile/1/000.p/1").write_bytes(bytes(32))


def longer_tile(folder: Path) -> None:
    path = folder / "ledger/tile/0/001.p/46"
    path.write_bytes(path.read_bytes() + bytes(210 * 32))


def change_publication(folder: Path) -> None:
    path = folder / "gazette/tile/entries/000.p/6"
    entries = parse_bundle(path.read_bytes(), 6)
    entries[2] = made.publication(1, "r-0003", "registered", WORLD.listings[0], made.LOGGED_AT)
    path.write_bytes(format_bundle(entries))


def too_few_witnesses(folder: Path) -> None:
    path = folder / "ledger/checkpoint"
    path.write_bytes(drop_cosignature(path.read_bytes()))


def strangers_line(folder: Path) -> None:
    stranger = made.key("witness.example/stranger")
    witnesses = (*made.WITNESSES, stranger)
    edge, _ = Frontier.empty().extend([leaf_hash(entry) for entry in WORLD.ledger.entries])
    data = made.checkpoint(made.LEDGER, edge.tree(), witnesses=witnesses)
    (folder / "ledger/checkpoint").write_bytes(data)


def witness_before_log(folder: Path) -> None:
    path = folder / "ledger/checkpoint"
    note = parse_note(path.read_bytes())
    first, second, *rest = note.signatures
    path.write_bytes(format_note(Note(text=note.text, signatures=(second, first, *rest))))


def swap_logs(folder: Path) -> None:
    (folder / "ledger").rename(folder / "aside")
    (folder / "gazette").rename(folder / "ledger")
    (folder / "aside").rename(folder / "gazette")


def other_listing(folder: Path) -> None:
    name = f"listings/{hashlib.sha256(WORLD.listings[0]).hexdigest()}.json"
    (folder / name).write_bytes(made.listing_of("r-0007"))


def unpublished_listing(folder: Path) -> None:
    data = made.listing_of("r-0007")
    made.put(folder / f"listings/{hashlib.sha256(data).hexdigest()}.json", data)


def hide_listing(folder: Path) -> None:
    (folder / f"listings/{hashlib.sha256(WORLD.listings[0]).hexdigest()}.json").unlink()


def decision_path(folder: Path) -> Path:
    return folder / f"decisions/{hashlib.sha256(WORLD.decisions[0]).hexdigest()}.json"


def hide_decision(folder: Path) -> None:
    decision_path(folder).unlink()


def decision_among_listings(folder: Path) -> None:
    path = decision_path(folder)
    path.rename(folder / "listings" / path.name)


def change_evidence(folder: Path) -> None:
    def change(value: dict[str, object]) -> None:
        value["judgements"] = {**made.JUDGEMENTS, "denounces": False}

    path = decision_path(folder)
    path.write_bytes(edit_json(path, change))


def change_register(folder: Path) -> None:
    data = (folder / "register.json").read_bytes()
    (folder / "register.json").write_bytes(data.replace(b"acquitted", b"registered"))


def spaced_register(folder: Path) -> None:
    data = (folder / "register.json").read_bytes()
    (folder / "register.json").write_bytes(data.replace(b":", b": "))


def capture_file(folder: Path, name: str) -> Path:
    (digest,) = WORLD.captures
    return folder / "captures" / digest / name


def other_words(folder: Path) -> None:
    path = capture_file(folder, "public.json")
    path.write_bytes(path.read_bytes().replace(b"denounce", b"applauds"))


def other_capture_time(folder: Path) -> None:
    path = capture_file(folder, "capture.record")
    captured = made.LOGGED_AT - 60
    path.write_bytes(path.read_bytes().replace(b"%d" % captured, b"%d" % (captured - 1)))


def unsigned_extra(folder: Path) -> None:
    path = capture_file(folder, "capture.tlog-proof")
    proof = parse_proof(path.read_bytes())
    path.write_bytes(
        format_proof(
            TlogProof(
                index=proof.index,
                hashes=proof.hashes,
                checkpoint=proof.checkpoint,
                extra=b"anything",
            )
        )
    )


def other_index(folder: Path) -> None:
    capture_file(folder, "capture.tlog-proof").write_bytes(WORLD.ledger.proof(151))


def smuggle(folder: Path) -> None:
    made.put(folder / "register.html", b"<script>")


Spoil = Callable[[Path], None]
LIES: dict[str, tuple[Spoil, str, str, str]] = {
    "the date in the law is moved": (
        move_date, "statutes", "statutes/1.json", finding.LAW_SHOWN),
    "an entry of the Ledger is dropped": (
        drop_ledger_entry, "ledger", "ledger/tile/entries/001.p/46", finding.TREE_DIFFERS),
    "an entry of the Ledger is dropped and all tiles made anew": (
        drop_and_fill_up, "ledger", "ledger/checkpoint", finding.TREE_DIFFERS),
    "an entry of the Ledger is another": (
        change_ledger_entry, "ledger", "ledger/tile/0/001.p/46", finding.TREE_DIFFERS),
    "two hashes of a tile are swapped": (
        swap_hashes, "ledger", "ledger/tile/0/000", finding.TREE_DIFFERS),
    "a tile above is forged": (
        forge_upper_tile, "ledger", "ledger/tile/1/000.p/1", finding.TREE_DIFFERS),
    "a partial tile is filled up": (
        longer_tile, "ledger", "ledger/tile/0/001.p/46", finding.TREE_DIFFERS),
    "an entry of the Gazette is another": (
        change_publication, "gazette", "gazette/tile/0/000.p/6", finding.TREE_DIFFERS),
    "a quorum is missing": (
        too_few_witnesses, "ledger", "ledger/checkpoint", finding.NO_QUORUM),
    "a stranger has cosigned": (
        strangers_line, "ledger", "ledger/checkpoint", finding.NO_QUORUM),
    "a witness signs before the log": (
        witness_before_log, "ledger", "ledger/checkpoint", finding.NO_QUORUM),
    "a listing is another": (
        other_listing, "publications",
        f"listings/{hashlib.sha256(WORLD.listings[0]).hexdigest()}.json",
        finding.OBJECT_FAULTY),
    "a listing that nobody published": (
        unpublished_listing, "publications",
        f"listings/{hashlib.sha256(made.listing_of('r-0007')).hexdigest()}.json",
        finding.OBJECT_FAULTY),
    "a listing is hidden": (
        hide_listing, "publications",
        f"listings/{hashlib.sha256(WORLD.listings[0]).hexdigest()}.json",
        finding.OBJECT_FAULTY),
    "a decision is hidden": (
        hide_decision, "publications",
        f"listings/{hashlib.sha256(WORLD.decisions[0]).hexdigest()}.json",
        finding.OBJECT_FAULTY),
    "a decision lies among the listings": (
        decision_among_listings, "publications",
        f"listings/{hashlib.sha256(WORLD.decisions[0]).hexdigest()}.json",
        finding.OBJECT_FAULTY),
    "a decision's judgements are others": (
        change_evidence, "decisions",
        f"decisions/{hashlib.sha256(WORLD.decisions[0]).hexdigest()}.json",
        finding.DECISION_FAULTY),
    "an acquitted person stays in the register": (
        change_register, "register", "register.json", finding.REGISTER_FAULTY),
    "the register is spelled otherwise": (
        spaced_register, "register", "register.json", finding.REGISTER_FAULTY),
    "a capture has other words": (
        other_words, "captures", f"captures/{next(iter(WORLD.captures))}/public.json",
        finding.CAPTURE_FAULTY),
    "a capture has another time": (
        other_capture_time, "captures",
        f"captures/{next(iter(WORLD.captures))}/capture.record", finding.CAPTURE_FAULTY),
    "a receipt carries unsigned bytes": (
        unsigned_extra, "captures",
        f"captures/{next(iter(WORLD.captures))}/capture.tlog-proof", finding.RECEIPT_FAULTY),
    "a receipt is another entry's": (
        other_index, "captures",
        f"captures/{next(iter(WORLD.captures))}/capture.tlog-proof", finding.RECEIPT_FAULTY),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "check", "file", "proves"), LIES.values(), ids=LIES)
def test_what_a_lying_registry_signs_is_evidence_against_it(
    public: Path, spoil: Spoil, check: str, file: str, proves: str
) -> None:
    spoil(public)
    made.sign(public)
    outcome = run(public)
    assert outcome.signed
    assert file in failed(outcome)[check]
    assert proves in accusations(outcome)
    assert not {"folder", "manifest"} & failed(outcome).keys()


def test_a_file_smuggled_in_is_refused_even_when_it_is_listed_and_signed(public: Path) -> None:
    smuggle(public)
    made.sign(public)
    outcome = run(public)
    assert "register.html" in failed(outcome)["folder"]


def test_two_logs_in_each_others_place_are_caught(public: Path) -> None:
    swap_logs(public)
    made.sign(public)
    assert {"gazette", "ledger"} <= failed(run(public)).keys()


def test_a_manifest_by_another_key_answers_for_nothing(public: Path) -> None:
    move_date(public)
    made.sign(public, made.key("registry.example"))
    assert run(public).signed
    made.sign(public, made.SERVER)
    outcome = run(public)
    assert not outcome.signed
    assert accusations(outcome) == set()


def test_a_manifest_that_its_folder_contradicts_is_evidence(public: Path) -> None:
    made.sign(public, ledger_size=7)
    outcome = run(public)
    assert outcome.signed
    assert failed(outcome) == {"manifest": {"manifest"}}
    assert accusations(outcome) == {finding.MANIFEST_LIES}


def write(world: made.World, folder: Path) -> Audit:
    world.write(folder)
    return run(folder)


def test_a_count_that_the_publications_contradict_is_the_boards(tmp_path: Path) -> None:
    outcome = write(made.make_world(published=2), tmp_path)
    assert failed(outcome) == {"count": {"gazette/tile/entries/000.p/6"}}
    assert accusations(outcome) == {finding.COUNT_FAULTY}


def test_an_entry_that_the_log_should_not_have_taken_is_the_logs(tmp_path: Path) -> None:
    alone = made.board_signed(parse_signed(made.count_entry(1)).record, made.BOARD[:1])
    entries = (*WORLD.gazette.entries[:-1], alone)
    world = replace(WORLD, gazette=made.make_log(made.GAZETTE, entries))
    outcome = write(world, tmp_path)
    assert failed(outcome)["entries"] == {"gazette/tile/entries/000.p/6"}
    assert accusations(outcome) == {finding.ADMITTED}
    # Log and witnesses signed it, so it needs no registry to answer for it.
    (tmp_path / "manifest").unlink()
    assert accusations(run(tmp_path)) == {finding.ADMITTED}


def test_an_incomplete_listing_is_caught_though_board_and_registry_signed(
    tmp_path: Path,
) -> None:
    whole = parse_json(made.listing_of("r-0001"), "listing")
    assert isinstance(whole, dict)
    del whole["review_on"]
    shown = format_json(whole)
    world = made.make_world(listings=(shown, WORLD.listings[1]))
    name = f"listings/{hashlib.sha256(shown).hexdigest()}.json"
    assert failed(write(world, tmp_path)) == {"publications": {name}}


def test_a_log_that_tells_two_stories_is_caught_by_its_own_receipts(tmp_path: Path) -> None:
    # The capture's receipt comes from a tree whose other entries the published one denies.
    entries = list(WORLD.ledger.entries)
    entries[3] = bytes(32)
    world = replace(WORLD, ledger=made.make_log(made.LEDGER, entries))
    outcome = write(world, tmp_path)
    assert {"captures", "decisions"} == failed(outcome).keys()
    assert accusations(outcome) == {finding.FORKED}
    (tmp_path / "manifest").unlink()
    assert accusations(run(tmp_path)) == {finding.FORKED}


def test_a_ledger_copy_older_than_a_receipt_beside_it_is_caught(tmp_path: Path) -> None:
    entries = WORLD.ledger.entries[:250]
    world = replace(WORLD, ledger=made.make_log(made.LEDGER, entries))
    outcome = write(world, tmp_path)
    assert failed(outcome).keys() == {"decisions"}
    assert accusations(outcome) == {finding.RECEIPT_FAULTY}


def test_a_ledger_that_holds_more_than_hashes_is_caught(tmp_path: Path) -> None:
    entries = (*WORLD.ledger.entries, b"Anna Example")
    world = replace(WORLD, ledger=made.make_log(made.LEDGER, entries))
    outcome = write(world, tmp_path)
    assert "ledger/tile/entries/001.p/47" in failed(outcome)["ledger"]


def test_checks_that_need_a_broken_log_say_so_and_the_others_still_run(public: Path) -> None:
    (public / "gazette/tile/entries/000.p/6").unlink()
    outcome = run(public)
    blocked = {
        result.name
        for result in outcome.results
        if any(each.proves == finding.NOT_CHECKED for each in result.failures)
    }
    assert {"statutes", "captures", "publications", "decisions", "register", "count"} <= blocked


def test_a_listing_is_no_way_to_publish_a_decision(tmp_path: Path) -> None:
    shown = listing_object(
        "r-0002",
        "Anna Example",
        dict.fromkeys(ASSESSMENT_FIELDS, "x"),
        listed_on="2027-01-10",
        review_on="2028-01-10",
        ends_on="2030-01-10",
        salt=bytes(16),
    )
    entries = list(WORLD.gazette.entries[:-1])
    entries[4] = made.publication(3, "r-0002", "acquitted", shown, made.LOGGED_AT)
    gazette = made.make_log(made.GAZETTE, entries)
    world = replace(
        WORLD,
        gazette=gazette,
        state=fold_all(entries),
        decisions=(),
        listings=(*WORLD.listings, shown),
    )
    name = f"listings/{hashlib.sha256(shown).hexdigest()}.json"
    assert failed(write(world, tmp_path)) == {"publications": {name}}


def test_the_record_of_the_decision_stands_in_the_ledger_of_these_tests() -> None:
    decided = parse_json(WORLD.decisions[0], "decision", bytes_max=1 << 22)
    assert isinstance(decided, dict)
    assert record_hash(str(decided["decision"]).encode()) in WORLD.ledger.entries
