"""Hostile lists and files about persons: each fault told with its line, nothing taken over."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from tests.hostile.console import Console, check_refused
from tests.hostile.seating import listing_file

from safeconduct.errors import MalformedError
from safeconduct.plumbing import clock

SECONDS_MAX = 60.0  # on the slowest machine; what explodes takes for ever
HEAD = "subject,name,conduct\r\n"
GOOD = "r-0100,the keeper of the weather log,\r\n"
NAMES: Mapping[str, str] = {
    "nothing": "",
    "blanks": "   ",
    "turned round": "\u202erellew notna",
    "an isolate": "Anton\u2066 Weller",
    "a space that nobody sees": "Anton\u200bWeller",
    "two alphabets": "\u0410nton Weller",
    "letters of a hidden message": "Anton\U000e0041",
    "an order to the terminal": "Anton\x1b[2J",
    "a null": "Anton\0Weller",
    "10 kB": "a" * 10_000,
    "marks on one letter": "a" + "\u0301" * 250,
    "not composed": "Rene\u0301",
    "a private letter": "\ue000",
    "a letter of no script yet": "\U0003ffff",
    "a line separator": "Anton\u2028Weller",
}
NUMBERS = {
    "nothing": "",
    "a path": "../r-0001",
    "capitals": "R-0100",
    "two alphabets": "r-\u0430100",
    "10 kB": "r" * 10_000,
    "a null": "r-\0",
    "a formula": "=1+1",
}


def _csv(*rows: str) -> bytes:
    return (HEAD + GOOD + "".join(f"{row}\r\n" for row in rows)).encode()


def _ftm(*entities: Any) -> bytes:
    person = {"id": "a", "schema": "Person", "properties": {"name": ["a good name"]}}
    return b"".join(json.dumps(each).encode() + b"\n" for each in (person, *entities))


def _person(**properties: Any) -> dict[str, Any]:
    return {"id": "b", "schema": "Person", "properties": {"name": ["b"], **properties}}


def _of_sanction(**properties: Any) -> dict[str, Any]:
    return {"id": "s", "schema": "Sanction", "properties": properties}


def _circle(length: int) -> list[dict[str, Any]]:
    """Companies, each of which is above the one before."""
    return [
        {
            "id": f"p{place}",
            "schema": "Company",
            "properties": {"name": ["x"], "parent": [f"p{(place + 1) % length}"]},
        }
        for place in range(length)
    ]


_CSV: Mapping[str, bytes] = {
    **{f"a name: {kind}": _csv(f'r-0101,"{name}",') for kind, name in NAMES.items()},
    **{f"a number: {kind}": _csv(f'"{number}",a name,') for kind, number in NUMBERS.items()},
    "a number twice": _csv("r-0100,another name,"),
    "a cell too many": _csv("r-0101,a name,,,"),
    "a quote that never ends": _csv('r-0101,"a name'),
    "a quote that never ends, and 20,000 lines": _csv('r-0101,"a name', *["x" * 40] * 20_000),
    "a text of 200 kB": _csv(f'r-0101,a name,"{"x" * 200_000}"'),
    "a line of 300 kB": _csv(f"r-0101,a name,{'x' * 300_000}"),
    "not UTF-8": _csv() + b"r-0101,\xff\xfe,\r\n",
    "nulls": _csv() + bytes(5_000),
}
_FTM: Mapping[str, bytes] = {
    **{
        f"a name: {kind}": _ftm(_person(name=[name]))
        for kind, name in NAMES.items()
        if kind != "not composed"
    },
    "no JSON": _ftm() + b"{\n",
    "a list": _ftm() + b"[]\n",
    "a number": _ftm(7),
    "null": _ftm(None),
    "deep": _ftm() + b'{"a":' * 50_000 + b"\n",
    "a number of 100,000 digits": _ftm() + b'{"id":' + b"9" * 100_000 + b"}\n",
    "no number at all": _ftm() + b'{"id":NaN}\n',
    "a key twice": _ftm() + b'{"id":"b","id":"c"}\n',
    "an id that is none": _ftm({"id": 7, "schema": "Person", "properties": {}}),
    "an id twice": _ftm({"id": "a", "schema": "Person", "properties": {"name": ["x"]}}),
    "properties that are none": _ftm({"id": "b", "schema": "Person", "properties": []}),
    "a property that is none": _ftm(_person(name=[["a"]])),
    "a name that is a number": _ftm(_person(name=[7])),
    "no name": _ftm({"id": "b", "schema": "Person", "properties": {}}),
    "a circle of parents": _ftm(_person(parent=["b"])),
    "a long circle of parents": _ftm(*_circle(200)),
    "a sanction against nobody": _ftm(_of_sanction()),
    "a sanction against somebody else": _ftm(_of_sanction(entity=["z"])),
    "a sanction against itself": _ftm(_of_sanction(entity=["s"])),
    "a day that there is not": _ftm(_person(birthDate=["1970-02-30"])),
    "a day of 10 kB": _ftm(_person(birthDate=["1" * 10_000])),
    "an order to the terminal": _ftm({"id": "\x1b[2J", "schema": "Person", "properties": 1}),
    "a surrogate in a name": _ftm()
    + b'{"id":"c","schema":"Person","properties":{"name":["\\ud800"]}}\n',
    "not UTF-8": _ftm() + b'{"id":"\xff"}\n',
    "a line of 300 kB": _ftm(_person(summary="x" * 300_000)),
    "nulls": _ftm() + bytes(5_000),
}
LISTS = [
    *(pytest.param("csv", data, id=f"csv: {kind}") for kind, data in _CSV.items()),
    *(pytest.param("ftm", data, id=f"ftm: {kind}") for kind, data in _FTM.items()),
]


@pytest.mark.parametrize(("form", "data"), LISTS)
@pytest.mark.parametrize("how", ["", " --dry-run", " --json"])
def test_a_list_with_one_fault_is_told_its_line_and_nothing_is_taken_over(
    console: Console, capsys: pytest.CaptureFixture[str], form: str, data: bytes, how: str
) -> None:
    (console.folder / "bad").write_bytes(data)
    before, began = console.held(), clock.monotonic()
    code = console.run(f"register import bad --dir register --format {form}{how}")
    assert clock.monotonic() - began < SECONDS_MAX
    told = console.said + capsys.readouterr().out
    assert code == MalformedError.exit_code, told
    where = r'"line": [1-9]' if "json" in how else r"line [1-9][0-9]*: \S"
    assert re.search(where, told), told[:1_000]
    assert "Traceback" not in told
    assert all(line.isprintable() for line in told.splitlines())
    assert console.held() == before


def test_an_id_of_half_a_character_is_an_id_like_any_other(console: Console) -> None:
    half = b'{"id":"\\ud800","schema":"Person","properties":{"name":["x"]}}\n'
    (console.folder / "half").write_bytes(_ftm() + half)
    before = console.held()
    assert console.run("register import half --dir register --format ftm --dry-run") == 0
    assert console.held() == before


def _with(**fields: Any) -> dict[str, Any]:
    return {**listing_file("r-0101", "a good name"), **fields}


_TEXTS = {kind: name for kind, name in NAMES.items() if kind not in ("nothing", "blanks")}
PERSONS: Mapping[str, Any] = {
    **{f"a name: {kind}": _with(name=name) for kind, name in NAMES.items()},
    **{f"a number: {kind}": _with(subject=number) for kind, number in NUMBERS.items()},
    **{
        f"a proposer: {kind}": _with(proposer=_TEXTS[kind])
        for kind in ("an order to the terminal", "a null", "turned round", "10 kB")
    },
    "a list": [],
    "null": None,
    "no field": {},
    "a field too many": _with(more=""),
    "a name that is a number": _with(name=7),
    "evidence that is a text": _with(evidence="all of it"),
    "evidence of numbers": _with(evidence=[1, 2]),
    "evidence without end": _with(evidence=["a"] * 1_000),
    "an assessment that is a text": _with(assessment="bad"),
    "an assessment of lists": _with(assessment={"role": ["a"]}),
    "an assessment of another field": _with(assessment={"party": "member"}),
    "effects that are a text": _with(effects="all"),
    "an effect that the law does not give": _with(effects=["prison"]),
    "an effect turned round": _with(effects=["\u202eeciffo_on"]),
}


@pytest.mark.parametrize("kind", PERSONS)
def test_a_hostile_file_about_a_person_is_refused(console: Console, kind: str) -> None:
    before, began = console.held(), clock.monotonic()
    for name, data in (
        ("bad.json", json.dumps(PERSONS[kind], ensure_ascii=True, indent=1)),
        ("bad.yaml", json.dumps(PERSONS[kind], ensure_ascii=False)),
    ):
        (console.folder / name).write_text(data, encoding="utf-8")
        command = f"register list propose {name} --dir register"
        code = console.run(command)
        check_refused(console, f"{command} ({kind})", code)
        assert len(console.said) < 2_000
    assert clock.monotonic() - began < SECONDS_MAX
    assert console.held() == before
