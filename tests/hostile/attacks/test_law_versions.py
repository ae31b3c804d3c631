"""A body that moves its own dates: by a version that is back-dated, or that reads other dates.

What cannot be refused is told: a law may be changed for the future, and the difference shows.
"""

import copy
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.protocol.statute.changing import put
from tests.protocol.statute.grown import grown, parameter
from tests.protocol.statute.laws import example_document

from safeconduct.parties.board.statute_files import read_versions
from safeconduct.protocol.canonical import format_json, parse_json
from safeconduct.protocol.statute import lint_change, load_statute, read_statute
from safeconduct.protocol.statute.diff import diff

STATUTES = Path(__file__).parents[3] / "statutes"
Change = Callable[[Any], object]


def second(document: Any, change: Change) -> Any:
    """The document as a second version, with a change."""
    later = copy.deepcopy(document)
    sha256 = hashlib.sha256(format_json(document)).hexdigest()
    later["version"] |= {"number": 2, "supersedes": sha256}
    change(later)
    return later


def complaints(document: Any, change: Change) -> list[str]:
    before, now = (read_statute(each) for each in (document, second(document, change)))
    return [str(each) for each in lint_change(before, now)]


def _another_date(document: Any) -> Any:
    sooner = document["parameters"]["the_date"] | {"value": "2026-12-01T00:00:00Z"}
    document["parameters"]["a_date"] = sooner
    return document


def _swap(document: Any, number: str) -> None:
    """Let one section read the new date in place of the one that never moves."""
    _another_date(document)
    for section in document["sections"]:
        if section["number"] == number:
            text = format_json(section).decode().replace('"the_date"', '"a_date"')
            section |= read(text)


def read(text: str) -> Any:
    return parse_json(text.encode(), "section")


def _renumbered(document: Any) -> None:
    """Repeal a section, and enact it anew with the other date."""
    _swap(document, TIPS)
    for section in document["sections"]:
        if section["number"] == TIPS:
            section["number"] = "4(9)"
    document["cases"] = []


def _renamed(document: Any) -> None:
    text = format_json(document).decode().replace('"the_date"', '"the_day"')
    document.clear()
    document.update(read(text))


TIPS = "4(1)"
MOVES: dict[str, tuple[Change, str]] = {
    "another value": (
        put("parameters.the_date.value", "2027-05-31T00:00:00Z"),
        "was moved",
    ),
    "another bound": (
        put("parameters.the_date.bound", "inclusive"),
        "was moved",
    ),
    "another promise": (
        put("parameters.the_date.may_change", "any"),
        "promise itself",
    ),
    "another name": (_renamed, "was dropped"),
    "another date beside it": (lambda law: _swap(law, TIPS), "4(1) no longer holds to it"),
    "another date in a section enacted anew": (_renumbered, "4(1) no longer holds to it"),
    "a day before its own": (
        put("version.published", "2001-01-01T00:00:00Z"),
        "before the version before was published",
    ),
}


@pytest.mark.parametrize(("change", "told"), MOVES.values(), ids=MOVES)
def test_a_date_that_never_moves_is_not_moved_by_other_means(change: Change, told: str) -> None:
    document: Any = example_document()
    assert complaints(document, lambda _: None) == []
    found = complaints(document, change)
    assert any(told in each for each in found), found


def _with_working_days(document: Any, may_change: str) -> Any:
    document["parameters"]["counted"] = parameter(
        "duration", may_change, amount=10, unit="working_days", ends="end_of_day"
    )
    return document


FREE_DAYS: dict[str, tuple[str, Change, bool]] = {
    "a holiday less, and it may only come later": (
        "later_only",
        lambda law: next(iter(law["calendar"]["holidays"].values())).pop(),
        False,
    ),
    "no weekend": ("never", put("calendar.weekend", [7]), False),
    "a weekend longer, and it may only come later": (
        "later_only",
        put("calendar.weekend", [5, 6, 7]),
        True,
    ),
    "a holiday less, and it may change": (
        "any",
        lambda law: next(iter(law["calendar"]["holidays"].values())).pop(),
        True,
    ),
}


@pytest.mark.parametrize(("may_change", "change", "may"), FREE_DAYS.values(), ids=FREE_DAYS)
def test_a_deadline_is_not_moved_by_the_calendar(
    may_change: str, change: Change, may: bool
) -> None:
    document = _with_working_days(grown(), may_change)
    for one in document["parameters"].values():
        if one.get("unit") == "working_days" or one.get("roll"):
            one["may_change"] = may_change
    found = [each for each in complaints(document, change) if "calendar" in each]
    assert bool(found) is not may, found


def test_what_a_new_version_asks_for_beside_the_date_is_not_refused_and_is_told() -> None:
    """A date that stays where it is does not help whom another condition shuts out."""
    document: Any = example_document()

    def harder(law: Any) -> None:
        text = format_json(law).decode()
        law.clear()
        law.update(
            read(
                text.replace(
                    '["grade",["corroborated","useful"]]', '["grade",["corroborated"]]'
                )
            )
        )

    assert complaints(document, harder) == []
    before, now = (read_statute(each) for each in (document, second(document, harder)))
    assert any(TIPS in change.text or TIPS in change.place for change in diff(before, now))


# The same facts give the same bytes, on any machine.

_ALL_PROOFS = """
import hashlib, sys
from pathlib import Path
from safeconduct.parties.board.statute_files import read_versions
from safeconduct.protocol.statute.evaluate import evaluate, format_judgement
from safeconduct.protocol.statute.explain import reasons
from safeconduct.protocol.statute.picture import picture
found = hashlib.sha256()
for folder in sorted(Path(sys.argv[1]).glob("*/*")):
    if not folder.is_dir():
        continue
    for law in read_versions(folder)[-1:]:
        statute = law.statute
        for case in statute.cases[:4]:
            as_of = case.as_of or statute.version.in_force_from
            judged = evaluate(statute, case.facts, as_of)
            found.update(format_judgement(judged))
            found.update(reasons(statute, judged, statute.languages[0]).encode())
            found.update(picture(statute, judged, statute.languages[0]).encode())
print(found.hexdigest())
"""


def test_proofs_letters_and_pictures_do_not_depend_on_the_order_of_a_hash_table() -> None:
    said = set()
    for seed, locale in (("0", "C"), ("1", "C.UTF-8"), ("4242", "tr_TR.UTF-8")):
        given = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": locale, "TZ": "Asia/Tehran"}
        done = subprocess.run(  # fixed code of this very file
            [sys.executable, "-X", "utf8", "-c", _ALL_PROOFS, str(STATUTES)],
            env=given,
            capture_output=True,
            check=True,
            timeout=300,
        )
        said.add(done.stdout)
    assert len(said) == 1
    [digest] = said
    assert len(digest.strip()) == 64


def test_a_law_is_the_same_bytes_from_its_authored_and_from_its_published_form() -> None:
    count = 0
    for folder in sorted(STATUTES.glob("*/*")):
        for law in read_versions(folder) if folder.is_dir() else ():
            canonical = format_json(law.document)
            again = load_statute(canonical)
            assert again.sha256 == law.statute.sha256 == hashlib.sha256(canonical).digest()
            assert again == law.statute
            count += 1
    assert count >= 10
