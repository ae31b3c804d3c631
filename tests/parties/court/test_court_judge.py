"""What a judge is given opens with the stock tools `age` and `tar`, and says what it is."""

import argparse
import hashlib
import json
import os
import re
import string
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pytest
from tests.parties.court.court_folders import Desktop
from tests.protocol.age.chance import dice
from tests.protocol.builders import FILES, NOON, POLICY, sealed
from tests.protocol.opening_builders import by_desk, by_source, contents, payload
from tests.system_tools import need_tool

from safeconduct.errors import (
    MalformedError,
    RefusedError,
    SafeconductError,
    UnverifiedError,
)
from safeconduct.parties.court import judge as judge_module
from safeconduct.parties.court.command import add_arguments
from safeconduct.parties.court.judge import judge
from safeconduct.parties.court.verify import read_opening, verify
from safeconduct.parties.court.wording import LANGUAGES, date
from safeconduct.protocol import age
from safeconduct.protocol.receipt import verify_receipt

JUDGE = age.x25519_identity(hashlib.sha256(b"judge").digest())
OUTPUT = {"explanation.html", "explanation.txt", "tip.age", "tip.record", "tip.tlog-proof"}


def hand(desktop: Desktop, folder: Path, name: str = "out", *more: str) -> Path:
    """The verb, as it is typed."""
    parser = argparse.ArgumentParser(prog="safeconduct opening")
    add_arguments(parser)
    to = age.format_recipient(JUDGE.recipient())
    out = desktop.root / name
    words = ["judge", str(folder), *desktop.arguments(), "--to", to, "--out", str(out), *more]
    options = parser.parse_args(words)
    assert options.run(options) == 0
    return out


def read_as_told(out: Path, tools: Path) -> dict[str, bytes]:
    """What the judge finds who types just what the page says, with Debian's age and tar."""
    need_tool("age", "age")
    (tools / "key.txt").write_text(age.format_identity(JUDGE) + "\n")
    for name in OUTPUT:
        (tools / name).write_bytes((out / name).read_bytes())
    text = (out / "explanation.txt").read_text()
    commands = [line.strip() for line in text.splitlines() if line.startswith("    ")]
    for command in commands[:3]:
        subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=tools, check=True)
    return {path.name: path.read_bytes() for path in (tools / "tip").iterdir()}


def typed(command: str, folder: Path) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def checks(out: Path) -> list[tuple[str, str]]:
    """(command, what it must print) of each check that the page tells to make."""
    lines = (out / "explanation.txt").read_text().splitlines()
    return [
        (line.strip(), after.strip())
        for line, after in pairwise(lines)
        if line.startswith("    ") and re.fullmatch(r"    [0-9a-f]{64}", after)
    ]


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    folder = tmp_path / "judge"
    folder.mkdir()
    return folder


def test_a_whole_tip_opens_with_age_and_tar_as_the_page_says(
    desktop: Desktop, tools: Path
) -> None:
    out = hand(desktop, desktop.whole())
    assert {path.name for path in out.iterdir()} == OUTPUT
    found = read_as_told(out, tools)
    assert list(found.pop("safeconduct.json")) != []
    assert [found[f"f{place:04d}"] for place in (1, 2, 3)] == list(FILES.values())
    assert len(found) == 3


def test_shown_files_open_with_age_and_tar_and_check_themselves(
    desktop: Desktop, tools: Path
) -> None:
    out = hand(desktop, desktop.some((1, 3), by_desk((1, 3))))
    found = read_as_told(out, tools)
    assert found.keys() == {"contents.txt", "SHA256SUMS", "f0001", "f0003"}
    assert found["f0001"] == FILES["message.txt"]
    assert found["contents.txt"] == b"f0001  45 bytes  message.txt\nf0003  0 bytes  empty\n"
    assert "FAILED" not in typed("sha256sum --check SHA256SUMS", tools / "tip")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_hashes_are_those_that_the_page_names(desktop: Desktop, language: str) -> None:
    for made in (desktop.whole(), desktop.some(name="some")):
        out = hand(desktop, made, f"out-{made.name}", "--language", language)
        due = checks(out)
        assert len(due) == (2 if made.name == "opened" else 1)
        for command, printed in due:
            assert typed(command, out).split()[0] == printed


def test_the_payload_is_the_very_one_that_was_dated(desktop: Desktop) -> None:
    out = hand(desktop, desktop.whole())
    data = (out / "tip.age").read_bytes()
    assert data.endswith(payload())
    header, end = age.parse_header(data)
    assert (len(header.stanzas), data[end:]) == (1, payload())


def test_the_receipt_beside_it_dates_it(desktop: Desktop) -> None:
    out = hand(desktop, desktop.whole())
    record, proof = ((out / f"tip.{name}").read_bytes() for name in ("record", "tlog-proof"))
    assert verify_receipt(record, proof, POLICY).logged_by == NOON


def test_a_judge_with_a_key_against_quantum_computers_is_told_which_age_it_takes(
    desktop: Desktop, capsys: pytest.CaptureFixture[str]
) -> None:
    hybrid = age.hybrid_identity(bytes(range(32)))
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    to = age.format_recipient(hybrid.recipient())
    out = desktop.root / "out"
    words = ["judge", str(desktop.whole()), *desktop.arguments(), "--to", to]
    options = parser.parse_args([*words, "--out", str(out)])
    options.run(options)
    assert "1.3 or later" in capsys.readouterr().err
    opened = b"".join(age.open_([hybrid], [(out / "tip.age").read_bytes()]))
    assert FILES["message.txt"] in opened


def test_nothing_that_lies_open_says_what_the_tip_says(desktop: Desktop) -> None:
    """Names, contents, their hashes, the keys of the source and the file key stay locked."""
    secrets = [
        *(name.encode() for name in ("message.txt", "Lohnliste")),
        FILES["message.txt"].strip(),
        *(file.sha256.hex().encode() for file in contents()),
        sealed().file_key.hex().encode(),
        sealed().keys.author_public()[0].hex().encode(),
    ]
    for made in (desktop.whole(), desktop.some(name="some")):
        out = hand(desktop, made, f"out-{made.name}")
        for path in out.iterdir():
            data = path.read_bytes()
            assert [secret for secret in secrets if secret in data] == []
            assert path.stat().st_mode & 0o077 == 0


def test_a_partial_container_is_the_same_each_time(desktop: Desktop) -> None:
    handed = read_opening(desktop.some())
    files = verify(handed, desktop.ground).opened.files
    one, two = (b"".join(judge_module.items_container(handed, files)) for _ in range(2))
    assert one == two
    with tarfile.open(fileobj=BytesIO(one)) as archive:
        members = archive.getmembers()
    assert [each.name for each in members] == ["contents.txt", "SHA256SUMS", "f0001", "f0003"]
    assert {(each.uid, each.gid, each.mtime, each.mode) for each in members} == {
        (0, 0, 0, 0o644)
    }
    assert all(each.isreg() for each in members)


# Nothing is written before all holds, and nothing elsewhere.


def entries(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_nothing_is_written_if_the_opening_does_not_hold(desktop: Desktop) -> None:
    folder = desktop.whole(replace(by_source(), file_key=bytes(16)))
    before = entries(desktop.root)
    with pytest.raises(UnverifiedError):
        hand(desktop, folder)
    assert entries(desktop.root) == before


def test_what_is_there_already_is_not_touched(desktop: Desktop) -> None:
    folder = desktop.whole()
    (desktop.root / "out").mkdir()
    with pytest.raises(RefusedError, match="is there already"):
        hand(desktop, folder)
    assert list((desktop.root / "out").iterdir()) == []


def test_an_output_that_is_a_dangling_link_is_not_followed(desktop: Desktop) -> None:
    (desktop.root / "out").symlink_to(desktop.root / "elsewhere")
    with pytest.raises(RefusedError):
        hand(desktop, desktop.whole())
    assert not (desktop.root / "elsewhere").exists()


SWAPPED: dict[str, Callable[[Desktop], Path]] = {
    "payload": lambda desktop: desktop.whole(),
    "items/f0001": lambda desktop: desktop.some(),
}


@pytest.mark.parametrize("name", SWAPPED)
def test_a_file_swapped_after_it_was_verified_ends_it(desktop: Desktop, name: str) -> None:
    folder = SWAPPED[name](desktop)
    handed = read_opening(folder)
    finding = verify(handed, desktop.ground)
    path = folder / name
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    before = entries(desktop.root)
    with pytest.raises(UnverifiedError, match="changed after it was verified"):
        judge(
            handed,
            finding,
            JUDGE.recipient(),
            desktop.root / "out",
            language="en",
            at=NOON,
            random_bytes=dice(),
        )
    assert entries(desktop.root) == before


@pytest.mark.parametrize("name", ["../../escape", "/etc/passwd", "a\\b", "..", "x\ny"])
def test_a_name_that_leads_out_of_the_folder_is_refused(desktop: Desktop, name: str) -> None:
    folder = desktop.some()
    value = json.loads((folder / "opening.json").read_bytes())
    value["items"][0]["name"] = name
    data = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    (folder / "opening.json").write_text(data)
    before = entries(desktop.root)
    with pytest.raises(MalformedError, match="file name"):
        hand(desktop, folder)
    assert entries(desktop.root) == before


@pytest.mark.parametrize("to", ["", "age1", "AGE-SECRET-KEY-1QQQ", "ssh-ed25519 AAAA"])
def test_whom_nothing_can_be_locked_for_is_refused(desktop: Desktop, to: str) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    words = ["judge", str(desktop.whole()), *desktop.arguments(), "--to", to, "--out", "x"]
    options = parser.parse_args(words)
    with pytest.raises(SafeconductError):
        options.run(options)
    assert not os.path.lexists("x")


# The page.


class Page(HTMLParser):
    """The tags of a page in order, with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_accessible_and_loads_nothing(desktop: Desktop, language: str) -> None:
    out = hand(desktop, desktop.whole(), "out", "--language", language)
    page = Page((out / "explanation.html").read_text(encoding="utf-8"))
    names = [tag for tag, _ in page.tags]
    assert page.tags[0] == ("html", {"lang": language})
    assert (names.count("h1"), names.count("main"), names.count("title")) == (1, 1, 1)
    headings = [tag for tag in names if re.fullmatch("h[1-6]", tag)]
    assert headings == ["h1"] + ["h2"] * 5
    assert not {"script", "img", "iframe", "form", "object"} & set(names)
    sources = [value for _, tag in page.tags for name, value in tag.items() if name in LOADS]
    assert sources == ["data:,"]
    labels = {tag["aria-labelledby"] for name, tag in page.tags if name == "section"}
    assert labels == {tag["id"] for name, tag in page.tags if name == "h2"}


LOADS = frozenset({"src", "href", "action", "data", "srcset"})


def test_page_and_text_say_the_same(desktop: Desktop) -> None:
    out = hand(desktop, desktop.some())
    page = Page((out / "explanation.html").read_text(encoding="utf-8"))
    text = (out / "explanation.txt").read_text(encoding="utf-8")
    words = set(re.findall(r"\w+", page.text.split("}")[-1]))
    assert words <= set(re.findall(r"\w+", text))
    assert len(words) > 100


def test_every_language_has_the_same_entries_with_the_same_gaps() -> None:
    def gaps(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    [english, *others] = LANGUAGES.values()
    for other in others:
        assert other.keys() == english.keys()
        assert {name for name in english if gaps(english[name]) != gaps(other[name])} == set()


@pytest.mark.parametrize(
    ("language", "at", "written"),
    [
        ("en", 0, "1 January 1970, 00:00:00 UTC"),
        ("de", 1_811_808_000, "1. Juni 2027, 00:00:00 Uhr UTC"),
        ("de", 1_804_000_001, "2. März 2027, 15:06:41 Uhr UTC"),
        ("en", 1_830_297_599, "31 December 2027, 23:59:59 UTC"),
    ],
)
def test_a_date_is_written_as_people_write_it(language: str, at: int, written: str) -> None:
    assert date(language, at) == written
