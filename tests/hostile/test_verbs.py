"""Every verb is given malformed files: one `error:` line, and an exit code of the table."""

import argparse
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
from tests.hostile.console import (
    KINDS,
    NOT_UTF8,
    ROOT,
    WORDS,
    Console,
    check_refused,
    spoil,
    still,
    too_large,
)

from safeconduct.cli import VERBS, make_parser, run
from safeconduct.plumbing.words import format_words


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
    Case(
        command="log repair --dir log --name ledger --from-mirror {mirror}/ledger --policy bad",
        valid="policy.txt",
    ),
    Case(command="fork verify bad --policy policy.txt", valid="tampered/ledger.fork"),
    Case(command="fork verify bad --log {vkey}", valid="tampered/ledger.fork"),
    Case(command="fork verify tampered/ledger.fork --policy bad", valid="policy.txt"),
    Case(command="fork show bad", valid="tampered/ledger.fork"),
    Case(command="audit public --logs-only --policy bad", valid="policy.txt"),
    Case(command="mirror new --dir made --programme bad", valid="policy.txt"),
    Case(
        command="mirror new --dir made --programme bad --name mirror.example",
        valid="policy.txt",
    ),
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
    "witness catch-up --dir own --log {vkey} --log-url {log}/gazette": (
        "witness/north",
        ("key", "witness.db"),
    ),
    "log serve --dir own --policy policy.txt --listen nowhere": (
        "log",
        ("gazette/log.json", "gazette/key", "gazette/key-mldsa44", "gazette/signed.db"),
    ),
    "log repair --dir own --name gazette --from-mirror {mirror}/gazette": (
        "log",
        ("gazette/log.json", "gazette/key", "gazette/key-mldsa44", "gazette/signed.db"),
    ),
    "mirror copy --dir own": (
        "mirror",
        (
            "policy.txt",
            "programme.toml",
            "shelf.db",
            "ledger/index.db",
            "ledger/checkpoints.db",
        ),
    ),
    "mirror serve --dir own --listen nowhere": ("mirror", ("policy.txt", "programme.toml")),
    "mirror new --dir own/made --programme own": (
        "programme",
        ("programme.toml", "policy.txt"),
    ),
    "monitor run --programme own --dir own/made --once": (
        "programme",
        ("programme.toml", "policy.txt"),
    ),
    "monitor run --programme programme --dir own --once": ("monitor", ("monitor.db",)),
    "source restore --programme own --mirror {mirror} --out own/made": (
        "programme",
        ("programme.toml", "policy.txt"),
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
    "audit public --policy policy.txt --logs-only",
    "audit mirror/gazette/public --policy policy.txt --logs-only",
    "fork verify tampered/ledger.fork --policy policy.txt",
    "fork show tampered/ledger.fork",
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
        shutil.copytree(console.played.folder / own, copy, ignore=too_large)
        path = next(copy.glob(name))
        spoil(path, kind, path.read_bytes())
        spoilt = still(copy)
        code = console.run(command, WORDS)
        check_refused(console, f"{command} ({name} {kind})", code)
        assert still(copy) == spoilt
        assert not (copy / "made").exists()
        shutil.rmtree(copy)
    assert console.held() == before


TYPED = {
    "empty": b"",
    "an empty line": b"\n",
    "huge": b"zoo " * 100_000,
    "truncated": format_words(bytes(16)).rpartition(" ")[0].encode() + b"\n",
    "wrong kind": b"correct horse battery staple\n",
    "a slip": format_words(bytes(16)).replace("about", "zoo").encode() + b"\n",
    "not UTF-8": NOT_UTF8 + b"\n",
}


@pytest.mark.parametrize(
    "verb",
    ["inbox", "send policy.txt", "receipt --out made", "restore --mirror {mirror} --out made"],
)
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


@pytest.mark.parametrize("kind", ["empty", "truncated"])
def test_an_audit_whose_own_memory_is_spoilt_begins_anew_and_says_so(
    console: Console, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = "audit public --policy policy.txt --logs-only --resume places"
    assert console.run(command) == 0
    places = console.folder / "places"
    spoil(places, kind, places.read_bytes())
    capsys.readouterr()
    before = console.held()
    assert console.run(command) == 0
    assert "from entry 0" in capsys.readouterr().out
    assert not console.said
    assert console.held() == before


@pytest.mark.parametrize("name", ["policy.txt", "receipts/clerk.record", "board/member-1/key"])
def test_an_audit_never_writes_its_memory_over_another_file(
    console: Console, name: str
) -> None:
    given = console.folder / "given"
    given.write_bytes((console.folder / name).read_bytes())
    given.chmod(0o600)
    before = given.read_bytes()
    code = console.run("audit public --policy policy.txt --logs-only --resume given")
    check_refused(console, name, code)
    assert given.read_bytes() == before


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
        code = console.run(command, WORDS)
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
