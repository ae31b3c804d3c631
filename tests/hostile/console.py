"""The command line, run in this very process on nonsense; an exception that escapes it fails.

It runs in a folder of links into the play's, with an eye on what the parties there keep.
"""

import io
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pytest
from tests.hostile.seating import Seated, listing_file
from tests.world import Played, files, rows, tables

from safeconduct.cli import EXIT_USAGE, run
from safeconduct.demo.tips import CLERK_TEXT, text_source
from safeconduct.parties.source.prepare import prepare
from safeconduct.plumbing import clock, dice
from safeconduct.plumbing.logs import format_gazette, parse_gazette, read_gazette
from safeconduct.plumbing.words import format_words
from safeconduct.protocol.keys import ENTROPY_BYTES

NOT_UTF8 = b"\xff\xfe\x80 not text \xc3"
HUGE_BYTES = 80 << 20  # longer than what any verb reads; the file has a hole, and costs nothing
EXIT_CODES = {65, 10, 11, 12, 75, 2}
KINDS = ("empty", "huge", "truncated", "wrong kind", "not UTF-8")
STILL = {"key", "key-mldsa44", "log.json", "policy.txt", "programme.toml"}
DATABASES = (
    *("door/door.sqlite", "desk/desk.sqlite", "desk/credits.sqlite"),
    *("register/registry.sqlite", "monitor/monitor.db"),
)
PARTIES_KEEP = ("door", "desk", "register", "board", "press", "programme", "monitor", "console")
CONSOLE_KEEPS = ("events", "invitations", "passkeys", "(SELECT hash, member FROM sessions)")
"""What stays as it is: when a docket was offered last, or a session seen, is noted anew."""
PEOPLE_KEEP = ("receipts", "public", "tampered", "custodians", "court", "opening", "read")
COPIED = {"opening", "parcel"}  # small, and taken from strangers: a link to one is refused
CALLED = ("safeconduct ", "safeconduct: ")
NOT_LISTENING = "nowhere"  # what comes before listening must have failed already
ROOT = Path(__file__).resolve().parents[2]
OWN_FOLDER = {"log": "log", "witness": "witness/north", "mirror": "mirror"}
QUESTIONS = (
    b'{"default":"en","questions":[{"ask":{"en":"How?"},"id":"how","kind":"line","length":300,'
    b'"required":true}]}'
)
WORDS = format_words(bytes(ENTROPY_BYTES)).encode() + b"\n"
LIST = b"subject,name\r\nr-0100,the keeper of the weather log\r\n"


def content(kind: str, valid: bytes) -> bytes:
    """The bytes of a malformed file; of a huge one, its first."""
    made = {
        "empty": b"",
        "huge": valid,
        "truncated": valid[: len(valid) * 2 // 3],
        "wrong kind": b'{"kind":"shopping list","items":[]}',
        "not UTF-8": NOT_UTF8 + valid[:40],
    }
    return made[kind]


def spoil(path: Path, kind: str, valid: bytes) -> None:
    """Write a malformed file, readable by its owner alone, as keys must be."""
    path.write_bytes(content(kind, valid))
    path.chmod(0o600)
    if kind == "huge":
        with path.open("r+b") as file:
            file.truncate(HUGE_BYTES)


@dataclass(slots=True)
class Console:
    """Runs commands in a folder of links into the play's, and keeps an eye on that.

    `carried` holds a Gazette that was saved, and a parcel that was prepared and never sent.
    """

    played: Played
    seated: Seated
    folder: Path
    monkeypatch: pytest.MonkeyPatch
    carried: Path
    said: str = field(default="")

    def enter(self) -> None:
        self.monkeypatch.chdir(self.folder)
        for path in (
            *self.played.folder.iterdir(),
            *self.carried.iterdir(),
            *(ROOT / name for name in ("statutes", "examples")),
        ):
            # Links to folders only: a link in the place of a file is refused as such.
            if path.name in COPIED:
                shutil.copytree(path, self.folder / path.name)
            elif path.is_dir():
                (self.folder / path.name).symlink_to(path)
            else:
                shutil.copyfile(path, self.folder / path.name)
        (self.folder / "facts.json").write_bytes(b"{}")
        (self.folder / "questions.json").write_bytes(QUESTIONS)
        (self.folder / "answers.json").write_bytes(b'{"how":"I saw it"}')
        (self.folder / "folder").mkdir()
        person = listing_file("r-0100", "the keeper of the weather log")
        (self.folder / "person.json").write_text(json.dumps(person))
        (self.folder / "list.csv").write_bytes(LIST)
        (self.folder / "letter.txt").write_text("Nobody is to have this dated.\n")
        (self.folder / "clerk.txt").write_text(CLERK_TEXT)

    def run(self, command: str, typed: bytes = b"", value: str = "") -> int:
        """The exit code; `said` is then what stood on standard error.

        `value` takes the place of {} in one of the command's words.
        """
        filled = command
        for name, text in self._places().items():
            filled = filled.replace(f"{{{name}}}", text)
            value = value.replace(f"{{{name}}}", text)
        stdin = io.TextIOWrapper(io.BytesIO(typed), encoding="utf-8")
        # As the interpreter opens it: what is no text is written as its code points.
        stderr = io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace", write_through=True)
        self.monkeypatch.setattr(sys, "stdin", stdin)
        self.monkeypatch.setattr(sys, "stderr", stderr)
        code = _run([word.replace("{}", value) for word in filled.split(" ")])
        stderr.seek(0)
        self.said = stderr.read()
        return code

    def _places(self) -> dict[str, str]:
        """What the name of a place in a command stands for."""
        lines = (self.played.folder / "policy.txt").read_text().split("\n")
        vkeys = {line.split(" ")[0]: line.split(" ")[-2] for line in lines[:5]}
        share = (self.played.folder / "custodians" / "share-1.txt").read_text()
        law = (self.played.folder / "public" / "statutes" / "1.json").read_bytes()
        hashes = {name: found.hex() for name, found in self.played.world.hashes.items()}
        return {
            "tip": hashes["clerk"],
            **{name: hashes[name] for name in ("rival", "visitor")},
            **{name: self.played.url(name) for name in ("log", "mirror", "north", "door")},
            "vkey": vkeys["log"],
            "witness": vkeys["witness"],
            "archive": share.split("\n")[1].removeprefix("# "),
            "law": sha256(law).hexdigest(),
            "member": self.seated.member,
            "case": str(self.seated.case.number),
            "told": str(self.seated.told.number),
            "proposed": str(self.seated.proposed.number),
        }

    def held(self) -> object:
        """All that the parties keep but logs and those who follow them, who are never idle."""
        folder = self.played.folder
        return (
            [tables(folder / path) for path in DATABASES],
            [rows(folder / "console" / "console.sqlite", name) for name in CONSOLE_KEEPS],
            [files(folder / name) for name in (*PARTIES_KEEP, *PEOPLE_KEEP)],
            [still(folder / name) for name in ("log", "mirror", "witness")],
            (self.folder / "made").exists(),
        )


def _run(words: Sequence[str]) -> int:
    """The exit code of a command, also where its arguments were not understood."""
    try:
        return run(words)
    except SystemExit as ended:
        return int(ended.code or 0)


def still(folder: Path) -> dict[str, bytes]:
    """The files of a party that never change, whatever its servers do; databases do."""
    found = (path for path in sorted(folder.rglob("*")) if path.name in STILL)
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def too_large(folder: str, names: list[str]) -> set[str]:
    """What no verb of the table reads: payloads, and what belongs to a running server."""
    return {
        name
        for name in names
        if name in {"tips", "staged", "tile", "journal"}
        or name.endswith(("-wal", "-shm", ".tmp"))
    }


@pytest.fixture(scope="session")
def carried(played: Played, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What somebody carried away: `saved`, a Gazette, and a tip as `parcel` and `envelope`."""
    folder = tmp_path_factory.mktemp("carried")
    (folder / "saved").write_bytes(format_gazette(read_gazette(played.programme)))
    for name, as_file in {"parcel": False, "envelope": True}.items():
        prepare(
            played.programme,
            parse_gazette(played.programme, (folder / "saved").read_bytes()),
            bytes(ENTROPY_BYTES),
            [text_source("Nobody is to have this dated, either.\n")],
            folder / name,
            number=0,
            at=clock.seconds(),
            random_bytes=dice.random_bytes,
            report=lambda _: None,
            as_file=as_file,
        )
    return folder


@pytest.fixture
def console(
    played: Played,
    seated: Seated,
    carried: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Console:
    made = Console(played, seated, tmp_path, monkeypatch, carried)
    made.enter()
    return made


def copy_own(console: Console, command: str) -> Path:
    """Where `own` of a command is, which is a copy of its party's folder."""
    copy = console.folder / "own"
    if " own" in command:
        own = console.played.folder / OWN_FOLDER[command.split(" ")[0]]
        shutil.copytree(own, copy, ignore=too_large)
    return copy


def check_refused(console: Console, command: str, code: int) -> None:
    """One `error:` line, perhaps a hint, and a code of the table."""
    lines = [line for line in console.said.splitlines() if not line.startswith("warning: ")]
    assert code in EXIT_CODES, f"{command}: exit {code}, {console.said}"
    if lines and lines[0].startswith("usage: safeconduct "):
        assert code == EXIT_USAGE
        lines = [line.partition(": ")[2] for line in lines if line.startswith(CALLED)]
    assert [line.partition(":")[0] for line in lines] in (["error"], ["error", "hint"]), lines
    assert all(line.isprintable() for line in lines), lines
    assert NOT_LISTENING not in console.said
    assert "Traceback" not in console.said
