"""Attacks by way of files, forms and shares: mistakes 19 to 24, each played and refused."""

import argparse
import io
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from tests.hostile.mistakes.hostile_bytes import (
    changed,
    lines_of,
    sha256,
    tar_header,
    with_lines,
)
from tests.parties.desk.desk_world import NOW
from tests.parties.desk.desk_world import World as DeskWorld
from tests.parties.intake.door_world import World as DoorWorld
from tests.parties.intake.door_world import ask
from tests.parties.intake.walking import tell_by_form
from tests.parties.source.network import PROGRAMME, Network
from tests.parties.source.town import serving
from tests.protocol import builders
from tests.protocol.age.chance import dice

from safeconduct.cli import VERBS, make_parser, run
from safeconduct.errors import (
    MalformedError,
    RefusedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.desk import archive
from safeconduct.parties.desk.archive import new_archive, recombine
from safeconduct.parties.desk.console import Sessions
from safeconduct.plumbing import shares
from safeconduct.plumbing.agefile import open_file, seal_file
from safeconduct.plumbing.programme import write_programme
from safeconduct.plumbing.words import format_words
from safeconduct.protocol import age
from safeconduct.protocol.canonical import Json, format_base64, format_json
from safeconduct.protocol.keys import key_commitment
from safeconduct.protocol.receipt import verify_acknowledgement, verify_receipt
from safeconduct.protocol.record import (
    format_record,
    parse_record,
    parse_signed,
    record_hash,
    sign_record,
    verify_signer,
)
from safeconduct.protocol.signature import sign_ed25519
from safeconduct.protocol.tip import member_header, padded_size
from safeconduct.protocol.tlog.note import SignatureLine

# Mistake 19.

SECRET = b"the plaintext of a tip\n" * 20_000
READER = age.x25519_identity(b"\x11" * 32)


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    path = tmp_path / "sealed.age"
    seal_file(iter([SECRET]), path, [READER.recipient()], dice())
    return path


def _cut(data: bytes) -> bytes:
    return data[:-100]


def _flipped(data: bytes) -> bytes:
    return data[:-20] + bytes([data[-20] ^ 1]) + data[-19:]


def _longer(data: bytes) -> bytes:
    return data + data[-100:]


@pytest.mark.parametrize("damage", [_cut, _flipped, _longer])
def test_a_file_that_does_not_open_whole_leaves_no_plaintext(
    tmp_path: Path, sealed: Path, damage: Callable[[bytes], bytes]
) -> None:
    """Mistake 19: six chunks of seven hold, and lie in the open under the file's name."""
    sealed.write_bytes(damage(sealed.read_bytes()))
    (tmp_path / "old").write_bytes(b"what stood here before")
    for name in ("new", "old"):
        with pytest.raises(SafeconductError):
            open_file(sealed, tmp_path / name, [READER])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old", "sealed.age"]
    assert (tmp_path / "old").read_bytes() == b"what stood here before"


def test_a_file_is_never_opened_or_sealed_in_place(tmp_path: Path, sealed: Path) -> None:
    """Mistake 19: half-way, neither the sealed file nor the open one would exist."""
    before = sealed.read_bytes()
    (tmp_path / "link").hardlink_to(sealed)
    for target in (sealed, tmp_path / "link"):
        with pytest.raises(RefusedError, match="is the file to be read"):
            open_file(sealed, target, [READER])
    assert sealed.read_bytes() == before


FULL = """
import resource, sys
from pathlib import Path
from safeconduct.errors import SafeconductError
from safeconduct.plumbing.agefile import open_file, seal_file
from safeconduct.protocol import age
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
reader = age.x25519_identity(b"\\x11" * 32)
folder = Path(sys.argv[1])
try:
    if sys.argv[2] == "open":
        open_file(folder / "sealed.age", folder / "target", [reader])
    else:
        seal_file(folder / "plain", folder / "target", [reader.recipient()], bytes)
except SafeconductError as error:
    sys.exit(error.exit_code)
"""


@pytest.mark.parametrize("way", ["open", "seal"])
def test_a_disk_that_takes_no_more_is_told_and_leaves_nothing(
    tmp_path: Path, sealed: Path, way: str
) -> None:
    """Mistake 19: a tool that trusts its last write reports success for a file that is cut."""
    (tmp_path / "plain").write_bytes(SECRET)
    before = sorted(path.name for path in tmp_path.iterdir())
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path), way], capture_output=True, timeout=60
    )
    assert done.returncode == UnavailableError.exit_code, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 300_000


# Mistake 20.

TEXT = b"A plain letter.\n"


def _pax(path: str) -> bytes:
    line = f"path={path}\n"
    size = len(line) + 3
    record = f"{size} {line}".encode()
    return tar_header("x", len(record), type=b"x") + record.ljust(512, b"\0")


def _gnu_name(path: str) -> bytes:
    name = path.encode() + b"\0"
    return tar_header("././@LongLink", len(name), type=b"L") + name.ljust(512, b"\0")


BODY = TEXT.ljust(512, b"\0")
PLAIN = tar_header("f0001", len(TEXT)) + BODY
MEMBERS: dict[str, bytes] = {
    "a symbolic link": tar_header("f0001", type=b"2", linkname="/etc/passwd") + BODY,
    "a link and a file through it": (
        tar_header("f0001", type=b"2", linkname="..") + tar_header("f0001/x", len(TEXT)) + BODY
    ),
    "a hard link": tar_header("f0001", type=b"1", linkname="../epoch-1.classic") + BODY,
    "an absolute name": tar_header("/tmp/f0001", len(TEXT)) + BODY,
    "a name that climbs": tar_header("../../f0001", len(TEXT)) + BODY,
    "a character device": tar_header("f0001", type=b"3", devmajor=1, devminor=8) + BODY,
    "a block device": tar_header("f0001", type=b"4", devmajor=8) + BODY,
    "a pipe": tar_header("f0001", type=b"6") + BODY,
    "a folder": tar_header("f0001", type=b"5") + BODY,
    "a file twice": PLAIN + PLAIN,
    "a second manifest": PLAIN + tar_header("safeconduct.json", len(TEXT)) + BODY,
    "a file that is not listed": PLAIN + tar_header("f0002", len(TEXT)) + BODY,
    "a bomb: 8 GiB, it says": tar_header("f0001", (8 << 30) - 1) + BODY,
    "a sparse file of a tebibyte": tar_header("f0001", len(TEXT), type=b"S") + BODY,
    "a pax header with another name": _pax("/etc/cron.d/x") + PLAIN,
    "a pax header for all files": _pax("../x").replace(b"x", b"g", 1) + PLAIN,
    "a GNU long name": _gnu_name("../" * 40 + "x") + PLAIN,
    "a GNU long link": _gnu_name("/etc/passwd").replace(b"L", b"K", 1) + PLAIN,
    "an executable": tar_header("f0001", len(TEXT), mode=0o755) + BODY,
    "one that runs as its owner": tar_header("f0001", len(TEXT), mode=0o4755) + BODY,
    "an owner": tar_header("f0001", len(TEXT), uid=0, uname="root") + BODY,
    "bytes behind the file": tar_header("f0001", len(TEXT)) + TEXT.ljust(511, b"\0") + b"!",
}


def hostile_tip(desk: DeskWorld, members: bytes) -> bytes:
    """An envelope whose author sealed these members, and committed to each byte of it."""
    honest = desk.seal(0, {"message.txt": TEXT})
    inside = b"".join(age.open_stream(honest.file_key, honest.payload()))
    assert inside.count(member_header("f0001", len(TEXT))) == 1
    head = inside[: inside.index(member_header("f0001", len(TEXT)))]
    container = (head + members).ljust(padded_size(len(head) + len(members) + 1024), b"\0")
    payload = b"".join(age.seal_stream(honest.file_key, honest.nonce, [container]))
    record = changed(
        honest.record,
        payload=sha256(payload),
        size=len(payload),
        keycommit=key_commitment(honest.nonce, honest.file_key),
    )
    return desk.door.deliver(format_record(record), honest.header, payload)


@pytest.mark.parametrize("members", MEMBERS.values(), ids=MEMBERS)
def test_a_container_with_tricks_is_unreadable_and_leaves_nothing(
    desk: DeskWorld, tmp_path: Path, members: bytes
) -> None:
    """Mistake 20: whoever unpacks what strangers packed writes where strangers say."""
    digest = hostile_tip(desk, members)
    outside = {path for path in tmp_path.rglob("*") if desk.folder not in path.parents}
    [step] = desk.run()
    assert (step.status, step.trouble) == ("unreadable", "")
    folder = desk.desk.store.tip_folder(digest)
    assert [path.name for path in folder.rglob("*")] == ["payload"]
    assert outside == {p for p in tmp_path.rglob("*") if desk.folder not in p.parents}
    assert not list(Path("/tmp").glob("f0001*"))


def test_the_same_members_without_tricks_are_a_tip(desk: DeskWorld) -> None:
    """Mistake 20: what makes the others unreadable is the trick and nothing else."""
    hostile_tip(desk, PLAIN)
    assert [step.status for step in desk.run()] == ["ok"]


# Mistake 21.


def test_what_a_door_has_sealed_says_so_and_cannot_be_dated_as_anything_else(
    door: DoorWorld,
) -> None:
    """Mistake 21: a reader must know when a server has seen the words, for ever after."""
    before_typing = ask(door, "GET", "/en/ways").text
    assert "<form" not in before_typing
    assert "This server sees them and your twelve words" in before_typing
    assert tell_by_form(door, "It was dark.").is_success
    [kept] = door.intake.store.deliveries_after(0, 10)
    record = parse_record(kept.record)
    assert record.word("sealed-by") == "server"
    assert record_hash(kept.record) in door.ledger.added
    origin = builders.LEDGER.name
    assert verify_receipt(kept.record, kept.proof, builders.POLICY, origin)
    better = format_record(changed(record, sealed_by="source"))
    with pytest.raises(UnverifiedError):
        verify_receipt(better, kept.proof, builders.POLICY, origin)
    assert record_hash(better) not in door.ledger.added


def test_there_is_no_third_kind_of_sealer(door: DoorWorld) -> None:
    """Mistake 21: nor can a word be put there that every reader takes as it likes."""
    envelope = builders.sealed()
    record = format_record(changed(envelope.record, sealed_by="nobody"))
    body: dict[str, Json] = {
        "header": format_base64(envelope.header),
        "proof": builders.prove(record_hash(record)).decode(),
        "record": record.decode(),
    }
    answer = ask(door, "POST", "/deliver", format_json(body))
    assert answer.status_code == MalformedError.http_status
    assert "unknown profile or sealer" in answer.text


# Mistake 22.

WATCHED = """
import os, sys
from safeconduct.plumbing import clock
clock.seconds = lambda: int(os.environ["AT"])
touched = []
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
def watch(event, values):
    if event == "open" and isinstance(values[2], int) and values[2] & WRITES:
        touched.append(str(values[0]))
    elif event in ("os.mkdir", "os.rename", "os.link", "os.symlink", "os.mkfifo",
                   "sqlite3.connect", "tempfile.mkstemp", "tempfile.mkdtemp"):
        touched.append(event + " " + str(values))
from safeconduct.cli import run
sys.addaudithook(watch)
code = run(sys.argv[1:])
print("TOUCHED", [each for each in touched if each not in ("/dev/null", "/dev/tty")],
      file=sys.stderr)
sys.exit(code)
"""
VERBS_OF_A_SOURCE = {
    "new": ("new",),
    "send": ("send", "--message", "{letter}"),
    "inbox": ("inbox",),
    "status": ("status",),
    "credit": ("credit",),
}


def files(folder: Path) -> dict[str, int]:
    return {str(path): path.lstat().st_mtime_ns for path in folder.rglob("*")}


def test_a_source_that_asks_for_no_file_leaves_none(network: Network, tmp_path: Path) -> None:
    """Mistake 22: a receipt that was kept to be kind is what a search of the house finds.

    Each verb runs in a process of its own, where every file that it opens to write is noted.
    """
    public, home = tmp_path / "public", tmp_path / "home"
    letter = tmp_path / "letter.txt"
    letter.write_text("It lies behind the tide tables.\n")
    for folder in (public, home):
        folder.mkdir()
    with serving(network) as port:
        places = {
            name: getattr(PROGRAMME, name).replace(f"{host}.example", f"127.0.0.1:{port}")
            for name, host in (
                ("gazette", "log"),
                ("ledger", "log"),
                ("door", "door"),
                ("register", "register"),
            )
        }
        write_programme(public, replace(PROGRAMME, **places))
        before = files(tmp_path)
        for name, verb in VERBS_OF_A_SOURCE.items():
            words = [word.format(letter=letter) for word in verb]
            more = [] if name == "new" else ["--programme", str(public), "--wait", "0"]
            done = subprocess.run(
                [sys.executable, "-B", "-c", WATCHED, "source", *words, *more],
                input=f"{format_words(builders.ENTROPY)}\n".encode(),
                capture_output=True,
                cwd=home,
                env={
                    "AT": str(network.now),
                    "HOME": str(home),
                    "TMPDIR": str(home),
                    "XDG_CACHE_HOME": str(home),
                    "PATH": os.environ["PATH"],
                },
                timeout=120,
            )
            said = done.stderr.decode()
            assert done.returncode == 0, (name, said)
            assert "TOUCHED []" in said, (name, said)
    assert files(tmp_path) == before
    assert len(network.delivered) == 1


# Mistake 23.

DEFAULT_ROUTE = "eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"


@pytest.fixture
def networked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has a way out."""
    (tmp_path / "route").write_text("Iface\n" + DEFAULT_ROUTE)
    monkeypatch.setattr(archive, "_ROUTES", tmp_path / "route")
    monkeypatch.setattr(archive, "_ROUTES_6", tmp_path / "route6")


@pytest.mark.parametrize("verb", ["check", "combine"])
def test_no_archive_key_is_put_together_on_a_networked_machine(
    tmp_path: Path,
    networked: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    verb: str,
) -> None:
    """Mistake 23: for one moment the whole key is in a machine that everybody can reach.

    Refused before a single share is read.
    """
    recipient = new_archive(tmp_path / "shares", 2, 3, dice())
    typed = io.StringIO("".join(p.read_text() for p in (tmp_path / "shares").iterdir()))
    monkeypatch.setattr("sys.stdin", typed)
    out = tmp_path / "archive.key"
    more = ["--out", str(out)] if verb == "combine" else []
    code = run(["desk", "archive", verb, "--recipient", recipient, *more])
    assert code == RefusedError.exit_code
    assert "this machine is on a network" in capsys.readouterr().err
    assert typed.tell() == 0
    assert not out.exists()


def actions(parser: argparse.ArgumentParser, path: str = "") -> Iterator[tuple[str, str]]:
    """Every option of a parser and of all its verbs, with the verb it belongs to."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                yield from actions(child, f"{path} {name}")
        else:
            yield from ((path.strip(), option) for option in action.option_strings)


def test_only_an_archive_key_can_be_split() -> None:
    """Mistake 23: shares of an epoch's key would let some read what was to be forgotten."""
    found = {
        (verb, option)
        for name in VERBS
        for verb, option in actions(make_parser([name]))
        if option in ("--shares", "--threshold", "--share") and verb.startswith(f"{name} ")
    }
    places = {verb for verb, option in found if option != "--threshold"}
    assert places == {"desk archive new", "desk archive draft"}
    assert "rotate" not in str(found)


def test_shares_of_an_epochs_key_are_not_taken_for_the_archives(
    desk: DeskWorld, tmp_path: Path
) -> None:
    """Mistake 23: somebody split the wrong key, and the custodians are asked to mend it."""
    recipient = new_archive(tmp_path / "shares", 2, 3, dice())
    [identity] = [
        each
        for each in desk.desk.keys.epoch(1).identities
        if isinstance(each, age.X25519Identity)
    ]
    assert age.format_recipient(identity.recipient()) == desk.state.epochs[0].classic
    lines = shares.split(identity.seed, 2, 3)
    with pytest.raises(UnverifiedError, match="another archive"):
        recombine(lines[:2], recipient)


# Mistake 24.


def assertion(challenge: bytes) -> tuple[bytes, bytes]:
    """What an authenticator signs when somebody logs in: its own data, and the page's."""
    client = json.dumps(
        {"type": "webauthn.get", "challenge": challenge.hex(), "origin": "https://desk.example"}
    ).encode()
    return sha256(b"desk.example") + b"\x05" + bytes(4), client


def _passkey(text: bytes) -> bytes:
    """By a key of the usual kind."""
    data, client = assertion(sha256(text))
    return ec.generate_private_key(ec.SECP256R1()).sign(
        data + sha256(client), ec.ECDSA(SHA256())
    )


def _own_key(text: bytes) -> bytes:
    """By the statement key itself, in a token that speaks Ed25519."""
    data, client = assertion(sha256(text))
    return sign_ed25519(builders.DESK.seed, data + sha256(client))


@pytest.mark.parametrize("sign", [_passkey, _own_key])
def test_what_a_login_signs_is_no_statement(sign: Callable[[bytes], bytes]) -> None:
    """Mistake 24: a login's signature covers a page's words, which the page chooses."""
    tip = record_hash(builders.statements().record)
    record = parse_signed(builders.statements().acknowledgement).record
    text = format_record(record)
    [line] = lines_of(builders.statements().acknowledgement)
    signed = with_lines(
        record, [SignatureLine(name=line.name, key_id=line.key_id, blob=sign(text))]
    )
    with pytest.raises(UnverifiedError):
        verify_acknowledgement(
            signed,
            builders.prove(record_hash(signed)),
            tip,
            builders.gazette_state(),
            builders.POLICY,
            builders.LEDGER.name,
        )


def test_a_session_at_the_console_is_no_key(desk: DeskWorld) -> None:
    """Mistake 24: whoever sits at the console may vote; what is stated has the desk's own key.

    Neither the code nor the cookie is one, and a statement signed with a key made of them is by
    somebody who has no say.
    """
    sessions = Sessions(code="00" * 16, seconds=lambda: NOW, random_bytes=desk.chance)
    cookie = sessions.enter("00" * 16)
    record = parse_signed(builders.statements().acknowledgement).record
    key = builders.DESK.verifier()
    for secret in (sha256(cookie.encode()), sha256(b"00" * 16), bytes.fromhex(cookie) * 2):
        forged = sign_record(record, [replace(builders.DESK, seed=secret)])
        with pytest.raises(UnverifiedError):
            verify_signer(parse_signed(forged), key)
    with pytest.raises(MalformedError):
        parse_signed(format_record(record) + b"\n")  # nor does one stand without a signature
