"""Opened tips stay readable for custodians together; stock `age` and `tar` say so."""

import argparse
import io
import stat
import subprocess
from pathlib import Path

import pytest
from tests.parties.desk.desk_world import World
from tests.system_tools import need_tool

from safeconduct.errors import (
    MalformedError,
    RefusedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.desk import archive, keys_command
from safeconduct.parties.desk.archive import (
    fill_archive,
    hand_over,
    is_networked,
    new_archive,
    recombine,
    share_lines,
)
from safeconduct.parties.desk.pull import pull
from safeconduct.parties.desk.unseal import unseal_all
from safeconduct.plumbing import dice, durable, shares, terminal
from safeconduct.protocol import age
from safeconduct.protocol.record import format_record, parse_record

FILES = {"message.txt": b"the ledger of May is attached\n", "scan.bin": bytes(range(256))}
ROUTES = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
DEFAULT_UP = "eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
DEFAULT_DOWN = DEFAULT_UP.replace("0003", "0002")
LAN = "eth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
NOWHERE = "0" * 32
DEFAULT_6 = f"{NOWHERE} 00 {NOWHERE} 00 {'fe8' + '0' * 29} 00000400 1 0 00000003     eth0\n"
LOOPBACK_6 = f"{NOWHERE} 00 {NOWHERE} 00 {NOWHERE} ffffffff 1 0 00200200       lo\n"


class Typed(io.StringIO):
    """Somebody sits at it."""

    def isatty(self) -> bool:
        return True


def _chance(length: int) -> bytes:
    return bytes(range(7, 7 + length))


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The machine's routes, of which there are none."""
    routes = tmp_path / "route"
    routes.write_text(ROUTES + LAN)
    monkeypatch.setattr(archive, "_ROUTES", routes)
    monkeypatch.setattr(archive, "_ROUTES_6", tmp_path / "ipv6_route")
    return routes


def _run(*words: str) -> int:
    parser = argparse.ArgumentParser(prog="safeconduct desk")
    keys_command.add_verbs(parser.add_subparsers())
    arguments = parser.parse_args(words)
    code: int = arguments.run(arguments)
    return code


def _pipe(monkeypatch: pytest.MonkeyPatch, *paths: Path) -> None:
    text = "".join(path.read_text() for path in paths)
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


class TestNewArchive:
    """A key that is nowhere but in its shares."""

    def test_each_share_is_a_file_for_one_pair_of_eyes_that_says_what_it_is(
        self, tmp_path: Path
    ) -> None:
        recipient = new_archive(tmp_path / "shares", 3, 5, _chance)
        paths = sorted((tmp_path / "shares").iterdir())
        assert [path.name for path in paths] == [f"share-{n}.txt" for n in range(1, 6)]
        assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
        text = paths[1].read_text()
        assert "Share 2 of 5" in text
        assert "any 3 of them" in text
        assert f"# {recipient}\n" in text
        assert "to 2 others; never to a networked machine" in text
        assert len(share_lines(text)[0].split()) == shares.WORDS

    def test_any_threshold_of_the_files_gives_the_key_back(self, tmp_path: Path) -> None:
        recipient = new_archive(tmp_path / "shares", 3, 5, _chance)
        lines = [
            share_lines((tmp_path / "shares" / f"share-{number}.txt").read_text())[0]
            for number in (5, 1, 3)
        ]
        assert recombine(lines, recipient) == age.x25519_identity(_chance(32))

    def test_the_key_stands_in_no_file_and_in_no_output(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr(dice, "random_bytes", _chance)
        out = tmp_path / "shares"
        assert (
            _run("archive", "new", "--threshold", "2", "--shares", "3", "--out", str(out)) == 0
        )
        told = capsys.readouterr()
        seed = _chance(32)
        secrets = [
            seed,
            seed.hex().encode(),
            age.format_identity(age.x25519_identity(seed)).encode(),
        ]
        lines = [share_lines(path.read_text())[0] for path in out.iterdir()]
        for place in tmp_path.rglob("*"):
            if place.is_file():
                assert not any(secret in place.read_bytes() for secret in secrets)
        shown = told.out + told.err
        assert not any(secret.decode("latin-1") in shown for secret in secrets)
        assert not any(line in shown for line in lines)
        public = age.format_recipient(age.x25519_identity(seed).recipient())
        assert told.out == f"{public}\n"

    def test_a_folder_with_something_in_it_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "share-1.txt").write_text("another archive's")
        with pytest.raises(RefusedError, match="not empty"):
            new_archive(tmp_path, 2, 3, _chance)
        assert (tmp_path / "share-1.txt").read_text() == "another archive's"

    @pytest.mark.parametrize(("threshold", "count"), [(1, 3), (4, 3), (2, 17)])
    def test_shares_that_cannot_be_leave_nothing(
        self, tmp_path: Path, threshold: int, count: int
    ) -> None:
        with pytest.raises(RefusedError):
            new_archive(tmp_path / "shares", threshold, count, _chance)
        assert not (tmp_path / "shares").exists()

    @pytest.mark.parametrize(
        "name", [pytest.param("x" * 5_000, id="too long"), pytest.param("file", id="a file")]
    )
    def test_a_folder_that_cannot_be_is_one_clear_error(
        self, tmp_path: Path, name: str
    ) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(UnavailableError):
            new_archive(tmp_path / name, 2, 3, _chance)

    def test_a_disk_that_gives_up_leaves_no_share_behind(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write, written = durable.write_secret, list[Path]()

        def write_secret(path: Path, data: bytes) -> None:
            if len(written) == 2:
                raise UnavailableError("full")
            written.append(path)
            write(path, data)

        monkeypatch.setattr(durable, "write_secret", write_secret)
        with pytest.raises(UnavailableError, match="full"):
            new_archive(tmp_path / "shares", 2, 3, _chance)
        assert len(written) == 2
        assert list((tmp_path / "shares").iterdir()) == []


class TestCheckAndCombine:
    """What custodians do when they meet."""

    @pytest.fixture
    def made(self, tmp_path: Path, offline: Path) -> tuple[str, list[Path]]:
        recipient = new_archive(tmp_path / "shares", 3, 5, _chance)
        return recipient, sorted((tmp_path / "shares").iterdir())

    def test_stock_age_reads_with_the_combined_key_what_the_desk_archived(
        self,
        world: World,
        made: tuple[str, list[Path]],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        recipient, paths = made
        world.archive(_chance(32))
        assert world.state.archives[0].recipient == recipient
        digest = world.send(0, FILES)
        world.run()
        hand_over(world.desk, digest, tmp_path / "tip.age")
        _pipe(monkeypatch, *paths[1:4])
        out = tmp_path / "archive.key"
        assert _run("archive", "combine", "--recipient", recipient, "--out", str(out)) == 0
        assert stat.S_IMODE(out.stat().st_mode) == 0o600
        assert _unpacked(tmp_path, tmp_path / "tip.age", out) == FILES

    def test_check_says_whose_key_it_is_and_writes_nothing(
        self,
        made: tuple[str, list[Path]],
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        recipient, paths = made
        _pipe(monkeypatch, *paths[:3])
        assert _run("archive", "check", "--recipient", recipient) == 0
        assert capsys.readouterr().out == f"they give the key of {recipient}\n"

    @pytest.mark.parametrize(
        ("chosen", "family", "reason"),
        [
            pytest.param([0, 1], RefusedError, "2 of the 3 shares", id="too few"),
            pytest.param([0, 1, 2, 3], RefusedError, "3 are enough", id="too many"),
            pytest.param([2, 0, 2], MalformedError, "shares 1 and 3", id="one twice"),
            pytest.param([], RefusedError, "no shares", id="none"),
        ],
    )
    def test_a_set_that_does_not_fit_writes_no_key(
        self,
        made: tuple[str, list[Path]],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        chosen: list[int],
        family: type[SafeconductError],
        reason: str,
    ) -> None:
        recipient, paths = made
        _pipe(monkeypatch, *(paths[number] for number in chosen))
        out = tmp_path / "archive.key"
        with pytest.raises(family, match=reason):
            _run("archive", "combine", "--recipient", recipient, "--out", str(out))
        assert not out.exists()

    def test_the_key_of_another_archive_is_not_written(
        self, made: tuple[str, list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = age.format_recipient(age.x25519_identity(bytes(32)).recipient())
        _pipe(monkeypatch, *made[1][:3])
        with pytest.raises(UnverifiedError, match="another archive"):
            _run("archive", "combine", "--recipient", other, "--out", str(tmp_path / "key"))
        assert not (tmp_path / "key").exists()

    @pytest.mark.parametrize("recipient", ["", "age1nonsense", "age1" + "q" * 100_000])
    def test_a_recipient_that_is_none_is_refused_before_anything_is_compared(
        self, made: tuple[str, list[Path]], monkeypatch: pytest.MonkeyPatch, recipient: str
    ) -> None:
        _pipe(monkeypatch, *made[1][:3])
        with pytest.raises(MalformedError):
            _run("archive", "check", "--recipient", recipient)

    def test_a_name_that_cannot_be_is_one_clear_error(
        self, made: tuple[str, list[Path]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _pipe(monkeypatch, *made[1][:3])
        with pytest.raises(UnavailableError):
            _run("archive", "combine", "--recipient", made[0], "--out", "x" * 5_000)

    def test_what_is_piped_in_and_is_no_text_or_far_too_much_is_refused(
        self, made: tuple[str, list[Path]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        noise = io.TextIOWrapper(io.BytesIO(b"\xff\xfe\x80\n"), encoding="utf-8")
        for given in (noise, io.StringIO("zoo " * 100_000)):
            monkeypatch.setattr("sys.stdin", given)
            with pytest.raises(MalformedError):
                _run("archive", "check", "--recipient", made[0])

    def test_a_file_that_is_there_is_not_written_over(
        self, made: tuple[str, list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "key").write_text("mine")
        _pipe(monkeypatch, *made[1][:3])
        with pytest.raises(RefusedError, match="already exists"):
            _run("archive", "combine", "--recipient", made[0], "--out", str(tmp_path / "key"))
        assert (tmp_path / "key").read_text() == "mine"

    @pytest.mark.parametrize("verb", ["check", "combine"])
    def test_a_machine_on_a_network_is_refused_unless_it_is_said_not_to_matter(
        self,
        made: tuple[str, list[Path]],
        offline: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        verb: str,
    ) -> None:
        offline.write_text(ROUTES + LAN + DEFAULT_UP)
        out = ["--out", str(tmp_path / "key")] if verb == "combine" else []
        _pipe(monkeypatch, *made[1][:3])
        with pytest.raises(RefusedError, match="on a network"):
            _run("archive", verb, "--recipient", made[0], *out)
        anyway = "--on-a-networked-machine-anyway"
        assert _run("archive", verb, "--recipient", made[0], anyway, *out) == 0

    def test_a_custodian_who_slips_at_the_prompt_is_asked_again(
        self,
        made: tuple[str, list[Path]],
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        words = [share_lines(path.read_text())[0] for path in made[1]]
        typed = iter([words[0], words[1].rsplit(" ", 1)[0], words[1], words[4]])
        prompts: list[str] = []

        def ask(prompt: str) -> str:
            prompts.append(prompt)
            return next(typed)

        monkeypatch.setattr("sys.stdin", Typed())
        monkeypatch.setattr(terminal, "ask_secret", ask)
        assert _run("archive", "check", "--recipient", made[0]) == 0
        again = "share 2 of 3: "
        assert prompts == ["share 1: ", again, again, "share 3 of 3: "]
        told = capsys.readouterr().err
        assert "share 2: 32 words" in told
        assert words[1].rsplit(" ", 1)[0] not in told

    def test_somebody_who_only_slips_is_sent_back_to_the_file(
        self, made: tuple[str, list[Path]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.stdin", Typed())
        monkeypatch.setattr(terminal, "ask_secret", lambda _: "not a share")
        with pytest.raises(RefusedError, match="share 1 was not entered"):
            _run("archive", "check", "--recipient", made[0])

    def test_where_it_cannot_be_known_it_warns(
        self,
        made: tuple[str, list[Path]],
        offline: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        offline.unlink()
        _pipe(monkeypatch, *made[1][:3])
        assert _run("archive", "check", "--recipient", made[0]) == 0
        assert "cannot be seen whether" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("routes", "routes_6", "expected"),
    [
        pytest.param(LAN, "", False, id="a local network only"),
        pytest.param(DEFAULT_UP, "", True, id="a default route"),
        pytest.param(DEFAULT_DOWN, "", False, id="a default route that is down"),
        pytest.param("", DEFAULT_6, True, id="a default route of IPv6"),
        pytest.param("", LOOPBACK_6, False, id="what every machine has of IPv6"),
        pytest.param(
            "eth0\t00000000\tx\tnot-hex\t0\t0\t0\t00000000\n", "", None, id="nonsense"
        ),
    ],
)
def test_a_default_route_is_what_makes_a_machine_networked(
    offline: Path, tmp_path: Path, routes: str, routes_6: str, expected: bool | None
) -> None:
    offline.write_text(ROUTES + routes)
    (tmp_path / "ipv6_route").write_text(routes_6)
    assert is_networked() is expected


class TestHeaders:
    """A second header for each opened tip, before its answer is logged."""

    def test_an_opened_tip_has_its_header_before_the_ledger_is_asked(
        self, world: World
    ) -> None:
        world.archive()
        digest = world.send(0, FILES)
        pull(world.desk)
        world.ledger.away = True
        with pytest.raises(UnavailableError):
            unseal_all(world.desk)
        assert world.desk.store.archive_header(digest, world.state.archives[0].hash)

    def test_the_header_is_for_the_archive_alone_and_wraps_the_same_key(
        self, world: World
    ) -> None:
        identity = world.archive()
        envelope = world.seal(0, FILES)
        digest = world.door.deliver(
            format_record(envelope.record), envelope.header, b"".join(envelope.payload())
        )
        world.run()
        header = world.desk.store.archive_header(digest, world.state.archives[0].hash)
        parsed, _ = age.parse_header(header)
        assert age.single_stanza(parsed).kind == "X25519"
        assert age.unwrap(parsed, [identity]) == envelope.file_key

    def test_a_mismatch_that_decrypts_is_archived_and_what_opens_with_no_key_is_not(
        self, world: World
    ) -> None:
        world.archive()
        envelope = world.seal(0, FILES)
        lines = format_record(envelope.record).decode().splitlines()
        spoilt = [f"author {'33' * 32}" if row.startswith("author") else row for row in lines]
        record = ("\n".join(spoilt) + "\n").encode()
        assert parse_record(record)
        payload = b"".join(envelope.payload())
        mismatch = world.door.deliver(record, envelope.header, payload)
        stranger = age.hybrid_identity(b"\x09" * 32).recipient()
        header = age.seal_header(envelope.file_key, [stranger], world.chance)
        other = world.door.deliver(format_record(envelope.record), header, payload)
        steps = {step.hash: step.status for step in world.run()}
        assert steps == {mismatch: "mismatch", other: "unreadable"}
        assert world.desk.store.archived_in(mismatch)
        assert world.desk.store.archived_in(other) == []
        assert fill_archive(world.desk) == []

    def test_fill_makes_headers_for_older_tips_and_for_a_new_archive_once(
        self, world: World, tmp_path: Path
    ) -> None:
        digest = world.send(0, FILES)
        world.run()
        with pytest.raises(RefusedError, match="no archive"):
            fill_archive(world.desk)
        world.archive()
        assert fill_archive(world.desk) == [digest]
        assert fill_archive(world.desk) == []
        newer = world.archive(b"\x0b" * 32)
        assert fill_archive(world.desk) == [digest]
        assert len(world.desk.store.archived_in(digest)) == 2
        assert hand_over(world.desk, digest, tmp_path / "t") == world.state.archives[1].hash
        parsed, _ = age.split_header([(tmp_path / "t").read_bytes()])
        assert age.unwrap(parsed, [newer])

    def test_without_the_epochs_keys_nothing_is_filled_and_no_error(self, world: World) -> None:
        world.send(0, FILES)
        world.run()
        world.archive()
        world.desk.keys.destroy(1)
        assert fill_archive(world.desk) == []

    def test_a_tip_that_was_never_archived_cannot_be_handed_over(
        self, world: World, tmp_path: Path
    ) -> None:
        digest = world.tip(0, "the ledger of May")
        with pytest.raises(RefusedError, match="no header for an archive"):
            hand_over(world.desk, digest, tmp_path / "tip.age")

    def test_a_damaged_payload_is_not_handed_over(self, world: World, tmp_path: Path) -> None:
        world.archive()
        digest = world.tip(0, "the ledger of May")
        path = world.desk.store.payload_path(digest)
        path.write_bytes(path.read_bytes()[:-1] + b"\x00")
        with pytest.raises(UnavailableError, match="damaged"):
            hand_over(world.desk, digest, tmp_path / "tip.age")
        assert not (tmp_path / "tip.age").exists()

    def test_the_board_gets_a_draft_that_names_the_archive_before(self, world: World) -> None:
        recipient = age.format_recipient(age.x25519_identity(bytes(32)).recipient())
        first = archive.draft_archive(world.state, recipient, 3, 5)
        assert (first.number("number"), first.hash("previous")) == (1, bytes(32))
        world.archive()
        second = archive.draft_archive(world.state, recipient, 3, 5)
        assert second.number("number") == 2
        assert second.hash("previous") == world.state.archives[0].hash
        with pytest.raises(MalformedError):
            archive.draft_archive(world.state, "age1nonsense", 3, 5)
        with pytest.raises(RefusedError):
            archive.draft_archive(world.state, recipient, 6, 5)

    def test_the_archive_verbs_fill_and_give_work_as_typed(
        self,
        world: World,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        digest = world.tip(0, "the ledger of May").hex()
        world.archive()
        monkeypatch.setattr(keys_command, "open_desk", lambda _: world.desk)
        folder = ("--dir", str(world.folder))
        _run("archive", "fill", *folder)
        assert capsys.readouterr().out == f"{digest}\n"
        _run("archive", "give", digest[:9], *folder, "--out", str(tmp_path / "tip.age"))
        assert (tmp_path / "tip.age").read_bytes().startswith(b"age-encryption.org/v1\n")


def _unpacked(folder: Path, sealed: Path, key: Path) -> dict[str, bytes]:
    """What stock `age` and `tar` make of it, under the names that the manifest gives."""
    tools = need_tool("age", "age"), need_tool("tar", "tar")
    place = folder / "unpacked"
    place.mkdir()
    tar = subprocess.run(
        [tools[0], "-d", "-i", str(key), str(sealed)], capture_output=True, check=True
    )
    subprocess.run([tools[1], "x", "-C", str(place)], input=tar.stdout, check=True)
    names = sorted(path.name for path in place.iterdir())
    assert names == ["f0001", "f0002", "safeconduct.json"]
    return dict(zip(FILES, ((place / name).read_bytes() for name in names[:2]), strict=True))
