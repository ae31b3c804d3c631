"""A whole journey of several visitors, and then a search for anything that tells of them.

Each comes from an address of this machine that is nobody else's, with headers that no other
visitor sends. They use the form, the mailbox, the bytes for clients and an onion service's way
in; some ask nonsense. Then every file of every server, its command line and environment, and
what helpers were started with, is searched for addresses, headers, words, texts and names of
files; and for times.

Times that are kept, and why:

    until           of an upload: its record's logged-by time plus the law's window, both public
    limit_at        a date of the law
    in records,     the witnesses' times, which are public and the very point of the Ledger
    proofs, notes
    of databases    one file for all visitors: the time of its last write, whoever made it write
    of folders      that hold everybody's envelopes or spools: the same

A file system notes by itself when a file's entry was changed last (ctime), and nobody but root
can set that. It is in no copy and no backup.
"""

import ipaddress
import re
from collections import Counter
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.hostile.searching import everything, phrases, places, runs, spellings
from tests.hostile.visiting import (
    ASKED,
    AUTHOR,
    CIRCUIT,
    FILE_NAME,
    FILE_TEXT,
    LEGAL_NAME,
    LETTER,
    NETWORK,
    PICTURE_NAME,
    SEALED_TEXT,
    Journey,
    Visitor,
    by_a_sealed_file,
    by_bytes,
    by_nonsense,
    by_the_form,
    by_tor,
    by_words_of_the_play,
    glimpses,
    onion_door,
)
from tests.world import Played, rows, tables

from safeconduct.plumbing import clock
from safeconduct.plumbing.logs import read_gazette
from safeconduct.plumbing.words import format_words
from safeconduct.protocol.receipt import verify_receipt

DAY_SECONDS = 86_400
STILL = {"programme.toml", "policy.txt", "server.key", "door.lock"}
DATABASES = (".sqlite", ".sqlite-wal", ".sqlite-shm")
TIMES_KEPT = {("announced", "until"), ("before_limits", "limit_at")}
RECORDS_KEPT = {"proof", "record", "signed", "header", "delivery", "delivery_proof"}
RECORDS_KEPT |= {"checkpoint"}
OPENED = ("desk/", "read/")  # whoever tests the desk may have had it fetch what came in


@pytest.fixture(scope="module")
def journey(played: Played, tmp_path_factory: pytest.TempPathFactory) -> Journey:
    visitors = [Visitor(url=played.url("door"), number=number) for number in range(31, 37)]
    walked = Journey(visitors=visitors, words={}, began_at=clock.seconds())
    form, words, sealed, client, nonsense, tor = visitors
    walked.before = everything(played)
    folder = tmp_path_factory.mktemp("visitors")
    walked.onion = tmp_path_factory.mktemp("onion")
    with glimpses(walked.seen), onion_door(played, walked.onion) as place:
        by_the_form(form, walked, played)
        by_words_of_the_play(words, played)
        by_a_sealed_file(sealed, walked, played, folder)
        by_bytes(client, walked, played, folder)
        by_nonsense(nonsense)
        by_tor(tor, place)
    for name, entropy in walked.words.items():
        played.world.words[f"visitor of {name}"] = entropy
    walked.ended_at = clock.seconds()
    walked.after = everything(played)
    for path in walked.onion.rglob("*"):
        if path.is_file():
            walked.after[f"onion/{path.relative_to(walked.onion)}"] = path.read_bytes()
    return walked


def anywhere(journey: Journey, mark: bytes) -> set[str]:
    """Where a mark is found: in what was kept, before, midway or at the end, or shown."""
    kept = (journey.after, journey.midway, journey.seen)
    return {place for each in kept for place in places(each, mark)}


def test_the_search_reads_what_the_visitors_left(journey: Journey) -> None:
    for place in ("door/door.sqlite", "onion/door/door.sqlite", "diagnostics/door.txt"):
        assert place in journey.after
    assert any(place.startswith("door/spool/") for place in journey.midway)
    assert any(place.startswith("door/tips/staged/") for place in journey.midway)
    assert any("mat2" in data.decode("latin-1") for data in journey.seen.values())


def test_no_address_and_no_header_of_a_visitor_is_kept_or_shown(journey: Journey) -> None:
    for visitor in journey.visitors:
        for mark in visitor.marks:
            assert not anywhere(journey, mark.encode()), mark
    for mark in (CIRCUIT, "7ae1:5bd3", ASKED):
        assert not anywhere(journey, mark.encode()), mark


def test_no_address_is_kept_as_a_number(journey: Journey) -> None:
    assert not anywhere(journey, ipaddress.ip_address(CIRCUIT).packed)
    holding: Counter[str] = Counter()
    for visitor in journey.visitors:
        packed = ipaddress.ip_address(f"{NETWORK}{visitor.number}").packed
        for mark in (packed, packed[::-1]):
            holding.update(places(journey.after, mark) - places(journey.before, mark))
        decimal = rb"(?<![0-9a-f])%d(?![0-9a-f])" % int.from_bytes(packed, "big")
        told = [place for place, data in journey.after.items() if re.search(decimal, data)]
        assert not told, visitor.number
    # Four bytes may stand anywhere by chance, but not those of three visitors in one file.
    assert max(holding.values(), default=0) < 3, holding


def test_no_cell_of_the_door_is_an_address(played: Played, journey: Journey) -> None:
    kept: set[object] = set()
    for visitor in journey.visitors:
        address = ipaddress.ip_address(f"{NETWORK}{visitor.number}")
        mapped = ipaddress.ip_address(f"::ffff:{address}")
        for packed in (address.packed, address.packed[::-1]):
            kept |= {packed, int.from_bytes(packed, "big")}
        kept |= {mapped.packed, int(address) - (1 << 32)}
    for folder in (played.folder / "door", journey.onion / "door"):
        for path in folder.glob("*.sqlite"):
            for name, held in tables(path).items():
                assert not kept & {cell for row in held for cell in row}, (path.name, name)


def test_no_words_and_nothing_that_was_written_is_kept_or_shown(journey: Journey) -> None:
    for entropy in journey.words.values():
        for secret in (*runs(format_words(entropy)), *phrases(entropy), *spellings(entropy)):
            assert not anywhere(journey, secret)
    for text in (LETTER, FILE_NAME, FILE_TEXT, SEALED_TEXT, PICTURE_NAME, AUTHOR, LEGAL_NAME):
        for form in (text, text.replace(" ", "+"), quote(text)):
            found = anywhere(journey, form[:40].encode())
            assert not {place for place in found if not place.startswith(OPENED)}, text


def test_a_file_that_came_from_a_visitor_says_no_more_than_a_day(
    played: Played, journey: Journey
) -> None:
    folder = played.folder / "door"
    told = [path for path in folder.rglob("*") if path.is_file()]
    fine = {
        str(path.relative_to(folder)): path.stat().st_mtime_ns
        for path in told
        if path.name not in STILL and not path.name.endswith(DATABASES)
    }
    assert [name for name in fine if name.startswith("tips/kept/")]
    day = DAY_SECONDS * 10**9
    assert not [name for name, at in fine.items() if at % day]
    for path in (folder / "spool").iterdir():
        assert path.stat().st_mtime_ns == 0, "a spool tells when its visitor was here last"


def test_no_table_of_the_door_holds_the_time_of_a_visit(
    played: Played, journey: Journey
) -> None:
    at = journey.ended_at
    assert all(is_time(value, journey) for value in (at, at * 1_000, f"seen {at}", b"%d" % at))
    assert not any(is_time(value, journey) for value in (at + 9_999, at // 86_400, "", None))
    for folder in (played.folder / "door", journey.onion / "door"):
        for path in folder.glob("*.sqlite"):
            for name, held in tables(path).items():
                columns = columns_of(path, name)
                for row in held:
                    cells = zip(columns, row, strict=True)
                    told = {
                        column
                        for column, value in cells
                        if (name, column) not in TIMES_KEPT
                        and column not in RECORDS_KEPT
                        and is_time(value, journey)
                    }
                    assert not told, (path.name, name)


def test_the_times_that_a_door_keeps_are_public_ones(played: Played, journey: Journey) -> None:
    """Those of uploads are the witnesses' and the law's, not of when somebody came."""
    programme = read_gazette(played.programme).state.programme
    window = programme.number("delivery-window")
    path = played.folder / "door" / "door.sqlite"
    columns = columns_of(path, "announced")
    for row in rows(path, "announced"):
        held = dict(zip(columns, row, strict=True))
        record, proof = held["record"], held["proof"]
        assert isinstance(record, bytes)
        assert isinstance(proof, bytes)
        receipt = verify_receipt(
            record, proof, played.programme.policy, played.programme.ledger_origin
        )
        assert held["until"] == receipt.logged_by + window


def columns_of(path: Path, table: str) -> list[str]:
    return [str(row[1]) for row in rows(path, f"pragma_table_info('{table}')")]


def is_time(value: object, journey: Journey) -> bool:
    """Whether a cell holds an instant of the journey, in any unit down to nanoseconds."""
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    if re.search(r"20\d\d-\d\d-\d\d[T ]\d\d:", text):
        return True
    for digits in re.findall(r"(?<![0-9a-f])\d{10,19}(?![0-9a-f])", text):
        for unit in (1, 10**3, 10**6, 10**9):
            if journey.began_at - 60 <= int(digits) // unit <= journey.ended_at + 60:
                return True
    return False
