"""The audit of a copy that somebody changed on its way: every byte counts."""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.parties.auditor import public_folder as made
from tests.parties.auditor.audited import (
    WORLD,
    accusations,
    caught,
    drop_cosignature,
    failed,
    run,
)
from tests.parties.auditor.short_act import law

from safeconduct.parties.auditor.finding import Audit
from safeconduct.parties.auditor.report import format_text


def test_an_honest_folder_holds_and_every_check_says_what_it_was_computed_from(
    honest: Path,
) -> None:
    outcome = run(honest)
    assert failed(outcome) == {}
    assert outcome.signed
    assert all(result.computed_from for result in outcome.results)
    assert "programme example-2027" in told(outcome)
    assert "r-0002: acquitted under 1; evidence disclosed" in told(outcome)
    assert outcome.asserted == 0


def told(outcome: Audit) -> str:
    return " ".join(text for result in outcome.results for text in result.computed_from)


def test_facts_on_sealed_evidence_are_told_as_the_boards_word(tmp_path: Path) -> None:
    made.make_world(disclosure="sealed").write(tmp_path)
    outcome = run(tmp_path)
    assert outcome.holds
    assert outcome.asserted == 1
    assert "r-0002: acquitted under 1; facts asserted by the board" in told(outcome)
    assert "from their evidence: 0; on facts asserted by the board: 1" in told(outcome)
    assert "except the facts of 1 decision" in " ".join(format_text(outcome).split())
    assert "everything above was computed here" not in format_text(outcome)


def test_a_departure_from_the_statute_is_told_with_its_reasons(tmp_path: Path) -> None:
    made.make_world(departure="The board sees a danger in it.").write(tmp_path)
    outcome = run(tmp_path)
    assert outcome.holds
    assert (
        "r-0002: registered: DEPARTS from the statute, which yields acquitted under 1, "
        "because: The board sees a danger in it.;" in told(outcome)
    )


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


def _same_in_each_run(name: str) -> str:
    """The name, but a decision is told by its place: its signature differs in each process."""
    kind, _, rest = name.partition("/")
    places = [hashlib.sha256(data).hexdigest() for data in WORLD.decisions]
    return f"{kind}/{places.index(rest[:64])}" if kind == "decisions" else name


def test_the_tables_of_these_tests_name_every_file(honest: Path) -> None:
    assert sorted(NAMES) == made.names_in(honest)


@pytest.mark.parametrize("name", NAMES, ids=_same_in_each_run)
@pytest.mark.parametrize("where", ["first", "middle", "last"])
def test_one_bit_flipped_anywhere_is_caught(public: Path, name: str, where: str) -> None:
    data = bytearray((public / name).read_bytes())
    data[{"first": 0, "middle": len(data) // 2, "last": len(data) - 1}[where]] ^= 1
    (public / name).write_bytes(data)
    caught(public, name)


@pytest.mark.parametrize("name", NAMES, ids=_same_in_each_run)
def test_a_file_removed_is_caught(public: Path, name: str) -> None:
    (public / name).unlink()
    caught(public, name)


@pytest.mark.parametrize("name", NAMES, ids=_same_in_each_run)
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
    outcome = run(folder)
    assert outcome.holds == (after == before)
    assert accusations(outcome) == set()
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
