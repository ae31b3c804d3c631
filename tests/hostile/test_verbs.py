"""Every verb is given malformed files: one `error:` line, an exit code of the table, no more.

The verbs run in this very process: an exception that escapes them would fail the test.
"""

import argparse
import io
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.world import Played, files, tables

from safeconduct.cli import VERBS, make_parser, run
from safeconduct.plumbing.words import format_words

NOT_UTF8 = b"\xff\xfe\x80 not text \xc3"
HUGE_BYTES = 80 << 20  # longer than what any verb reads; the file has a hole, and costs nothing
EXIT_CODES = {65, 10, 11, 12, 75, 2}
KINDS = ("empty", "huge", "truncated", "wrong kind", "not UTF-8")
NOT_LISTENING = "nowhere"  # what comes before listening must have failed already
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A command in the play's folder; `bad` in it is a file made malformed.

    `valid` is the file that it is made from: below the play's folder, or below the checkout.
    """

    command: str
    valid: str
    name: str = "bad"
    kinds: Sequence[str] = KINDS


SPOILT = (
    Case(command="audit public --policy bad", valid="policy.txt"),
    Case(command="receipt show bad", valid="receipts/clerk.tlog-proof"),
    Case(
        command="receipt verify bad --record receipts/clerk.record --policy policy.txt",
        valid="receipts/clerk.tlog-proof",
    ),
    Case(
        command="receipt verify receipts/clerk.tlog-proof --record bad --policy policy.txt",
        valid="receipts/clerk.record",
    ),
    Case(
        command="receipt verify receipts/clerk.tlog-proof --policy bad "
        "--record receipts/clerk.record",
        valid="policy.txt",
    ),
    *(
        Case(command=f"statute {verb} {name}", valid=valid, name=name)
        for verb in ("lint", "test", "compile")
        for name, valid in (
            ("bad.json", "public/statutes/1.json"),
            ("bad.yaml", "statutes/example/acquittal/statute.yaml"),
        )
    ),
    Case(
        command="statute eval bad.json facts.json",
        valid="public/statutes/1.json",
        name="bad.json",
    ),
    Case(
        command="statute eval public/statutes/1.json bad.json",
        valid="public/register.json",
        name="bad.json",
    ),
    Case(command="board show bad", valid="board/decision-engineer"),
    Case(command="board sign bad --key board/member-1/key", valid="board/decision-engineer"),
    Case(command="board sign board/decision-engineer --key bad", valid="board/member-1/key"),
    Case(command="board notice bad --programme programme", valid="board/decision-engineer"),
    Case(
        command="board statute --programme programme --law bad.json --out made",
        valid="public/statutes/1.json",
        name="bad.json",
    ),
    Case(
        command="board statute --programme programme --law bad.yaml --out made",
        valid="statutes/example/acquittal/statute.yaml",
        name="bad.yaml",
    ),
    Case(
        command="desk reply {tip} --dir desk --text-file bad",
        valid="policy.txt",
        kinds=("empty", "huge", "not UTF-8"),
    ),
    Case(
        command="desk keep-statement --dir desk --text-file bad",
        valid="policy.txt",
        kinds=("empty", "huge", "not UTF-8"),
    ),
    Case(command="register enter 1 bad --dir register", valid="board/decision-engineer"),
    Case(
        command="register propose 1 --dir register --out made --assessment bad "
        "--assessment-proof receipts/clerk.tlog-proof",
        valid="board/decision-engineer",
        kinds=("huge", "not UTF-8"),  # what parses is the board's to judge
    ),
    Case(
        command="register propose 1 --dir register --out made --assessment-proof bad "
        "--assessment board/decision-engineer",
        valid="receipts/clerk.tlog-proof",
        kinds=("huge", "not UTF-8"),
    ),
    Case(
        command="register enter-publication bad --dir register", valid="board/decision-engineer"
    ),
    Case(
        command="register enter-publication bad --claim 1 --dir register",
        valid="board/decision-engineer",
    ),
    Case(
        command="press capture --programme programme --dir press bad.html",
        valid="examples/press/deputy-denounces.html",
        name="bad.html",
        kinds=("empty", "huge"),
    ),
    Case(command="log serve --dir log --policy bad --listen nowhere", valid="policy.txt"),
)

# By command: the party whose folder is copied as `own`, and the files in it that are spoilt.
OWN = {
    "door --dir own --listen nowhere": ("door", ("programme.toml", "policy.txt", "server.key")),
    "desk serve --dir own --listen 127.0.0.1:nowhere": (
        "desk",
        ("programme.toml", "policy.txt", "console.code"),
    ),
    "desk new-epoch --dir own --number 2 --opens 2027-01-01T00:00:00Z "
    "--closes 2027-02-01T00:00:00Z": ("desk", ("programme.toml", "policy.txt")),
    "desk list --dir own": ("desk", ("programme.toml", "desk.sqlite")),
    "desk pull --dir own": ("desk", ("programme.toml", "keys/epoch-1.statement")),
    "desk show {tip} --dir own": ("desk", ("programme.toml",)),
    "desk assess {tip} --dir own": ("desk", ("policy.txt", "keys/epoch-1.statement")),
    "desk grade {tip} --dir own --assessor x --reliability B --credibility 2 --reasons y": (
        "desk",
        ("programme.toml",),
    ),
    "register serve --dir own --listen nowhere": (
        "register",
        ("programme.toml", "registry.key", "registry.sqlite"),
    ),
    "register cases --dir own": ("register", ("programme.toml", "registry.key")),
    "register show 1 --dir own": ("register", ("policy.txt",)),
    "register finalise --dir own --out own/made": ("register", ("registry.key",)),
    "register publish --dir own --out own/made": ("register", ("policy.txt",)),
    "witness serve --dir own --listen nowhere --log {vkey}": (
        "witness/north",
        ("key", "witness.db"),
    ),
    "log serve --dir own --policy policy.txt --listen nowhere": (
        "log",
        ("gazette/log.json", "gazette/key", "gazette/signed.db"),
    ),
    "programme show --programme own": ("programme", ("programme.toml", "policy.txt")),
    "source send --programme own policy.txt": ("programme", ("programme.toml", "policy.txt")),
    "source inbox --programme own": ("programme", ("programme.toml", "policy.txt")),
    "source status --programme own": ("programme", ("programme.toml",)),
    "source receipt --programme own --out own/made": ("programme", ("policy.txt",)),
    "source claim --programme own --subject r-0001 --name x": (
        "programme",
        ("programme.toml",),
    ),
    "press log --programme own --dir press": ("programme", ("programme.toml",)),
    "press show --dir own": ("press", ("captures/*/public.json", "captures/*/capture.record")),
}
SPOILT_OWN = [
    pytest.param(command, folder, name, id=f"{command.partition(' --')[0]}: {name}")
    for command, (folder, names) in OWN.items()
    for name in names
]


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
    """Runs commands in a folder of links into the play's, and keeps an eye on that."""

    played: Played
    folder: Path
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch
    said: str = field(default="")

    def enter(self) -> None:
        self.monkeypatch.chdir(self.folder)
        for path in (*self.played.folder.iterdir(), ROOT / "statutes", ROOT / "examples"):
            # Links to folders only: a link in the place of a file is refused as such.
            if path.is_dir():
                (self.folder / path.name).symlink_to(path)
            else:
                shutil.copyfile(path, self.folder / path.name)
        (self.folder / "facts.json").write_bytes(b"{}")

    def run(self, command: str, typed: bytes = b"") -> int:
        """The exit code; `said` is then what stood on standard error."""
        world = self.played.world
        filled = command.replace("{tip}", world.hashes["clerk"].hex())
        filled = filled.replace("{vkey}", self._vkey())
        stdin = io.TextIOWrapper(io.BytesIO(typed), encoding="utf-8")
        self.monkeypatch.setattr(sys, "stdin", stdin)
        self.capsys.readouterr()
        code = run(filled.split(" "))
        self.said = self.capsys.readouterr().err
        return code

    def _vkey(self) -> str:
        line = (self.played.folder / "policy.txt").read_text().split("\n")[0]
        return line.split(" ")[1]

    def held(self) -> object:
        """All that the parties keep but logs and witnesses, who are never idle."""
        folder = self.played.folder
        databases = ("door/door.sqlite", "desk/desk.sqlite", "register/registry.sqlite")
        kept = ("door", "desk", "register", "board", "press", "programme", "receipts", "public")
        return (
            [tables(folder / path) for path in databases],
            [files(folder / name) for name in kept],
            (self.folder / "made").exists(),
        )


@pytest.fixture
def console(
    played: Played,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Console:
    made = Console(played, tmp_path, capsys, monkeypatch)
    made.enter()
    return made


def check_refused(console: Console, command: str, code: int) -> None:
    """One `error:` line, perhaps a hint, and a code of the table."""
    lines = [line for line in console.said.splitlines() if not line.startswith("warning: ")]
    assert code in EXIT_CODES, f"{command}: exit {code}, {console.said}"
    assert [line.partition(":")[0] for line in lines] in (["error"], ["error", "hint"]), lines
    assert NOT_LISTENING not in console.said
    assert "Traceback" not in console.said


WHOLE = (
    "audit public --policy policy.txt",
    "receipt show receipts/clerk.tlog-proof",
    "receipt verify receipts/clerk.tlog-proof --record receipts/clerk.record "
    "--policy policy.txt",
    "statute lint public/statutes/1.json",
    "statute test statutes/example/acquittal/statute.yaml",
    "board show board/decision-engineer",
    "desk list --dir desk",
    "desk show {tip} --dir desk",
    "register cases --dir register",
    "register show 1 --dir register",
    "press show --dir press",
    "programme show --programme programme",
)


@pytest.mark.parametrize("command", WHOLE)
def test_the_same_verbs_work_when_the_files_are_whole(console: Console, command: str) -> None:
    assert console.run(command) == 0, console.said
    assert "error" not in console.said


@pytest.mark.parametrize("case", SPOILT, ids=lambda case: str(case.command))
def test_a_malformed_file_gets_one_clear_error_and_changes_nothing(
    console: Console, case: Case
) -> None:
    base = console.played.folder if (console.played.folder / case.valid).exists() else ROOT
    valid = (base / case.valid).read_bytes()
    before = console.held()
    for kind in case.kinds:
        spoil(console.folder / case.name, kind, valid)
        code = console.run(case.command)
        check_refused(console, f"{case.command} ({kind})", code)
    assert console.held() == before


@pytest.mark.parametrize(("command", "own", "name"), SPOILT_OWN)
def test_a_party_whose_own_file_is_spoilt_says_so_and_does_not_start(
    console: Console, command: str, own: str, name: str
) -> None:
    copy = console.folder / "own"
    before = console.held()
    # An empty database is a new one, and one with zeros behind it is whole.
    for kind in KINDS[3:] if name.endswith(("sqlite", ".db")) else KINDS:
        shutil.copytree(console.played.folder / own, copy, ignore=_too_large)
        path = next(copy.glob(name))
        spoil(path, kind, path.read_bytes())
        code = console.run(command, format_words(bytes(16)).encode() + b"\n")
        check_refused(console, f"{command} ({name} {kind})", code)
        shutil.rmtree(copy)
    assert console.held() == before


def _too_large(folder: str, names: list[str]) -> set[str]:
    """What no verb of the table reads: payloads, and what belongs to a running server."""
    return {
        name
        for name in names
        if name in {"tips", "staged", "tile"} or name.endswith(("-wal", "-shm"))
    }


TYPED = {
    "empty": b"",
    "an empty line": b"\n",
    "huge": b"zoo " * 100_000,
    "truncated": format_words(bytes(16)).rpartition(" ")[0].encode() + b"\n",
    "wrong kind": b"correct horse battery staple\n",
    "a slip": format_words(bytes(16)).replace("about", "zoo").encode() + b"\n",
    "not UTF-8": NOT_UTF8 + b"\n",
}


@pytest.mark.parametrize("verb", ["inbox", "send policy.txt", "receipt --out made"])
@pytest.mark.parametrize("typed", list(TYPED.values()), ids=list(TYPED))
def test_words_that_are_none_are_refused_and_never_repeated(
    console: Console, verb: str, typed: bytes
) -> None:
    before = console.held()
    command = f"source {verb} --programme programme"
    code = console.run(command, typed)
    check_refused(console, command, code)
    assert not {"zoo", "abandon", "horse"}.intersection(re.findall(r"\w+", console.said))
    assert console.held() == before


@pytest.mark.parametrize("name", ["public.json", "capture.record", "capture.tlog-proof"])
def test_a_claim_with_a_spoilt_capture_is_refused_before_it_is_filed(
    console: Console, name: str
) -> None:
    before = console.held()
    capture = next((console.played.folder / "press" / "captures").iterdir())
    copy = console.folder / "own"
    command = "source claim --programme programme --subject r-0002 --name x --capture own"
    for kind in KINDS:
        shutil.copytree(capture, copy)
        spoil(copy / name, kind, (copy / name).read_bytes())
        code = console.run(command, format_words(bytes(16)).encode() + b"\n")
        check_refused(console, f"{command} ({name} {kind})", code)
        shutil.rmtree(copy)
    assert console.held() == before


@pytest.mark.parametrize(
    "name", ["manifest", "SHA256SUMS", "register.json", "ledger/checkpoint"]
)
def test_an_audit_of_a_spoilt_folder_fails_and_tells_the_file(
    console: Console, name: str
) -> None:
    copy = console.folder / "own"
    for kind in KINDS:
        shutil.copytree(console.played.folder / "public", copy)
        spoil(copy / name, kind, (copy / name).read_bytes())
        assert console.run("audit own --policy policy.txt") == 10, kind
        assert "Traceback" not in console.said
        shutil.rmtree(copy)


def levels(parser: argparse.ArgumentParser) -> Iterator[list[str]]:
    """The words of every command below `parser`."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                yield [name]
                yield from ([name, *words] for words in levels(child))


COMMANDS = [
    [],
    *([verb] for verb in VERBS),
    *(
        words
        for verb in VERBS
        for words in levels(make_parser([verb]))
        if words[0] == verb and words[1:]
    ),
]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words) or "safeconduct")
def test_help_at_each_level_shows_an_example(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run([*words, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    verb = " ".join(["safeconduct", *(["door"] if words == ["serve"] else words[:1])])
    lines = [line.strip().removeprefix("$ ") for line in shown.split("\n")]
    assert shown.startswith("usage: ")
    assert any(line.startswith(f"{verb} ") for line in lines)
