"""The audit of a folder whose registry lies: it signs again, and so signs its own lie."""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.parties.auditor import public_folder as made
from tests.parties.auditor.audited import WORLD, accusations, drop_cosignature, failed, run
from tests.parties.auditor.short_act import law

from safeconduct.parties.auditor import finding
from safeconduct.parties.auditor.finding import Audit
from safeconduct.protocol.canonical import format_json, parse_json
from safeconduct.protocol.gazette import fold_all
from safeconduct.protocol.listing import ASSESSMENT_FIELDS, listing_object
from safeconduct.protocol.record import parse_signed, record_hash
from safeconduct.protocol.tlog.merkle import Frontier, leaf_hash
from safeconduct.protocol.tlog.note import Note, format_note, parse_note
from safeconduct.protocol.tlog.proof import TlogProof, format_proof, parse_proof
from safeconduct.protocol.tlog.tile import format_bundle, parse_bundle


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


def test_what_is_published_before_it_is_final_is_the_boards(tmp_path: Path) -> None:
    early = made.make_log(made.GAZETTE, WORLD.gazette.entries, made.FINAL_AT - 1)
    world = replace(WORLD, gazette=early)
    outcome = write(world, tmp_path)
    name = f"decisions/{hashlib.sha256(WORLD.decisions[0]).hexdigest()}.json"
    assert failed(outcome)["publications"] == {name}
    assert accusations(outcome) == {finding.PUBLISHED_EARLY}
    # Board, log and witnesses signed it, so it needs no registry to answer for it.
    (tmp_path / "manifest").unlink()
    assert accusations(run(tmp_path)) == {finding.PUBLISHED_EARLY}


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
    outcome = write(world, tmp_path)
    assert failed(outcome)["publications"] == {name}
    assert accusations(outcome) == {finding.OBJECT_FAULTY}


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
    outcome = write(world, tmp_path)
    assert failed(outcome)["publications"] == {name}
    assert accusations(outcome) == {finding.OBJECT_FAULTY}


def test_the_record_of_the_decision_stands_in_the_ledger_of_these_tests() -> None:
    decided = parse_json(WORLD.decisions[0], "decision", bytes_max=1 << 22)
    assert isinstance(decided, dict)
    assert record_hash(str(decided["decision"]).encode()) in WORLD.ledger.entries
