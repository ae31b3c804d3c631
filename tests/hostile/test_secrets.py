"""No secret of the play lies where it does not belong: every file and every name is searched.

The files are searched as bytes, so a secret within a database or a log's tile is found too.
"""

import base64
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.hostile.searching import everything, phrases, places, runs, spellings
from tests.hostile.seating import Seated
from tests.onlooker import looked_on
from tests.world import Played, rows

from safeconduct.demo.crediting import PLAYER as CREDITED
from safeconduct.demo.founding import PERSONS
from safeconduct.demo.showing import CUSTODIANS
from safeconduct.demo.tips import (
    CLERK_TEXT,
    ENGINEER_TEXT,
    FRAME_TEXT,
    FRAME_WITNESS,
    LATE_TEXT,
    ORDER_TEXT,
    VISITOR_TEXT,
)
from safeconduct.parties.desk.archive import share_lines
from safeconduct.plumbing import dice
from safeconduct.plumbing.logs import read_gazette
from safeconduct.plumbing.shares import combine, parse_share
from safeconduct.plumbing.words import format_words
from safeconduct.protocol import age
from safeconduct.protocol.credit import nullifier, serial_of
from safeconduct.protocol.keys import author_commitment, contribution_keys, master_key
from safeconduct.protocol.tlog.note import parse_skey

PHRASE_CHARS = 40
TEXTS = (
    CLERK_TEXT,
    ENGINEER_TEXT,
    ORDER_TEXT,
    FRAME_TEXT,
    FRAME_WITNESS,
    VISITOR_TEXT,
    LATE_TEXT,
)
PLAINTEXT_BELONGS = ("desk/", "read/")  # the latter is what judge and custodians make of it
KEYS_BELONG = {"clerk": {"opening/opening.json"}}  # the one tip that was opened
NAMES_BELONG = (
    "register/",
    "letters/",
    "public/",
    "tampered/",
)  # the last are copies of public/
CASES_BELONG = ("register/", "letters/")
PRESS = ("press/",)  # who is quoted in public is no secret there
SEARCHED = (
    *("board", "desk", "door", "log/gazette", "log/ledger", "mirror/gazette", "mirror/ledger"),
    *("monitor", "press", "programme", "register", "witness/east", "witness/north/published"),
    *("console", "court", "custodians", "opening", "panel", "public", "read", "diagnostics"),
)
STRANGER = "127.77.66.55"  # of this machine, like all of 127.0.0.0/8, yet no server's address
STRANGERS_HEADERS = {
    "user-agent": "a-browser-seldom-seen",
    "referer": "http://where-it-came-from.example/",
    "x-forwarded-for": "203.0.113.77",
    "forwarded": "for=198.51.100.77",
    "cookie": "visitor=the-same-as-yesterday",
}
TRACES = (STRANGER, *(value.rpartition("=")[2] for value in STRANGERS_HEADERS.values()))


@pytest.fixture(scope="module")
def kept(played: Played, seated: Seated) -> dict[str, bytes]:
    return everything(played)


def test_the_search_finds_a_secret_wherever_it_is() -> None:
    secret = bytes(range(100, 116))
    hidden = {
        "plain": b"xx" + secret,
        "hex": secret.hex().encode(),
        **{f"base64 {n}": base64.b64encode(b"a" * n + secret + b"zz") for n in range(4)},
        "none": b"something else",
    }
    found = {place for spelling in spellings(secret) for place in places(hidden, spelling)}
    assert found == set(hidden) - {"none"}
    assert places({"tips/zoo zoo zoo wrong": b""}, b"zoo zoo zoo wrong")


@pytest.mark.parametrize("folder", SEARCHED)
def test_the_search_looks_into_the_folder_of_every_party(
    kept: dict[str, bytes], folder: str
) -> None:
    assert [place for place in kept if place.startswith(f"{folder}/") and kept[place]]


def test_no_words_of_a_source_are_kept_anywhere(played: Played, kept: dict[str, bytes]) -> None:
    assert {"clerk", "visitor", "late", "denouncer"} <= played.world.words.keys()
    for player, entropy in played.world.words.items():
        secrets = [*runs(format_words(entropy)), *phrases(entropy), *spellings(entropy)]
        found = {place for secret in secrets for place in places(kept, secret)}
        assert not found, player


def test_no_key_of_a_source_is_kept_anywhere(played: Played, kept: dict[str, bytes]) -> None:
    for player, entropy in played.world.words.items():
        master = master_key(entropy, played.programme.hash)
        keys = contribution_keys(master, 0)
        derived = [keys.derive(name) for name in ("author-ed25519", "author-mldsa65", "siv")]
        secrets = [master, keys.seed, keys.reply_seed(), *derived]
        spelled = [each for secret in secrets for each in spellings(secret)]
        found = {place for secret in spelled for place in places(kept, secret)}
        assert not found, player


def test_no_file_key_of_a_tip_is_kept_anywhere(played: Played, kept: dict[str, bytes]) -> None:
    entries = [path for path in kept if path.startswith("door/tips/")]
    assert len(entries) >= len(played.world.hashes)
    for player in played.world.hashes:
        keys = contribution_keys(
            master_key(played.world.words[player], played.programme.hash), 0
        )
        digest = played.world.hashes[player].hex()
        [payload] = [kept[path] for path in entries if digest in path]
        file_key = keys.derive("file-key", payload[:16], 16)
        found = {place for each in spellings(file_key) for place in places(kept, each)}
        assert found == KEYS_BELONG.get(player, set()), player


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: str(text)[:24])
def test_what_a_source_wrote_lies_in_the_desks_folder_alone(
    kept: dict[str, bytes], text: str
) -> None:
    phrase = text[:PHRASE_CHARS].encode()
    found = places(kept, phrase) | places(kept, base64.b64encode(phrase))
    assert found
    assert not [place for place in found if not place.startswith(PLAINTEXT_BELONGS)]


def secret_keys(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Each key file of the play, by its place: the text in it, and the seed behind that."""
    for path in folder.rglob("*"):
        if not path.is_file() or path.stat().st_size > 1_024:
            continue
        text = path.read_bytes().strip()
        place = str(path.relative_to(folder))
        if text.startswith(b"PRIVATE+KEY+"):
            yield place, text
            for spelling in spellings(parse_skey(text.decode()).seed):
                yield place, spelling
        for identity in re.findall(rb"^AGE-SECRET-KEY-\S+$", text, re.MULTILINE):
            assert age.parse_identity(identity.decode())
            yield place, identity
        if path.name == "console.code":
            yield place, text


def test_a_secret_key_lies_in_its_own_file_alone(
    played: Played, kept: dict[str, bytes]
) -> None:
    keys = list(secret_keys(played.folder))
    # Three of the board, three of the panel, three witnesses, two of each log, door, register;
    # three of the desk; a code; the judge's own, and what custodians made; the console's.
    # Mirror and monitor need none.
    assert len({place for place, _ in keys}) == 2 * 3 + 3 + 2 * 2 + 2 + 3 + 1 + 2 + 1
    for place, secret in keys:
        assert places(kept, secret) <= {place}, place
    for place in {place for place, _ in keys}:
        assert (played.folder / place).stat().st_mode & 0o077 == 0, place


def test_a_share_of_the_archive_lies_with_its_custodian_alone(
    played: Played, kept: dict[str, bytes]
) -> None:
    shares = sorted((played.folder / "custodians").glob("share-*.txt"))
    assert len(shares) == CUSTODIANS
    for path in shares:
        [words] = [line for line in path.read_bytes().splitlines() if line[:1] != b"#"]
        parts = words.split(b" ")
        for start in range(4, len(parts) - 3):  # those before are the same in all shares
            run = b" ".join(parts[start : start + 4])
            assert places(kept, run) == {f"custodians/{path.name}"}
        assert path.stat().st_mode & 0o077 == 0


def test_the_key_of_the_archive_lies_where_custodians_made_it_alone(
    played: Played, kept: dict[str, bytes]
) -> None:
    text = (played.folder / "read" / "custodians" / "identity.txt").read_text()
    [key] = re.findall(r"AGE-SECRET-KEY-\S+", text)
    state = read_gazette(played.programme).state
    identity = age.parse_identity(key)
    assert age.format_recipient(identity.recipient()) == state.archives[-1].recipient
    shares = (played.folder / "custodians").glob("share-[135].txt")
    lines = [line for path in shares for line in share_lines(path.read_text())]
    seed = combine([parse_share(line, place) for place, line in enumerate(lines, start=1)])
    assert age.format_identity(age.x25519_identity(seed)) == key
    assert not {place for each in spellings(seed) for place in places(kept, each)}


def test_no_key_that_redeems_a_credit_is_kept_anywhere(
    played: Played, kept: dict[str, bytes]
) -> None:
    master = master_key(played.world.words[CREDITED], played.programme.hash)
    keys = contribution_keys(master, 0)
    [group] = {count.group for count in read_gazette(played.programme).state.credit_counts}
    serial = serial_of(keys, group)
    redemption = keys.redemption(serial)
    used = author_commitment(*redemption.author_public(), redemption.blind(serial))
    assert any(nullifier(used).hex() in place for place in kept)  # it is these keys
    derived = [redemption.derive(name) for name in ("author-ed25519", "author-mldsa65")]
    secrets = [redemption.seed, *derived]
    spelled = [each for secret in secrets for each in spellings(secret)]
    assert not {place for each in spelled for place in places(kept, each)}


SHOWN = """
import tempfile, time
with tempfile.NamedTemporaryFile() as file:
    file.write(b"a secret in a file")
    file.flush()
    time.sleep(3)
"""


def test_an_onlooker_sees_arguments_environment_and_temporary_files(tmp_path: Path) -> None:
    with looked_on(tmp_path) as seen:
        command = [sys.executable, "-c", SHOWN, "a secret argument"]
        subprocess.run(command, env={**os.environ, "X": "a secret variable"}, check=True)
    for secret in (b"a secret argument", b"a secret variable", b"a secret in a file"):
        assert [place for place, data in seen.items() if secret in data]
    assert not list(tmp_path.rglob("tmp*"))


def test_every_process_of_the_play_was_looked_at(played: Played) -> None:
    commands = {place for place in played.seen if "cmdline" in place}
    served = [place for place in commands if b"\0safeconduct\0" in played.seen[place]]
    # One that was killed as it began may have been gone before anybody looked.
    assert len(served) >= len(played.stage.names())
    assert {place.replace("cmdline", "environ") for place in commands} <= set(played.seen)


@pytest.mark.parametrize("subject", list(PERSONS))
def test_a_legal_name_lies_with_the_register_alone(
    kept: dict[str, bytes], subject: str
) -> None:
    name = PERSONS[subject][0].encode()
    belongs = NAMES_BELONG + (PRESS if subject == "r-0002" else ())
    printed = {"(printed)", "journey.svg"}  # the play tells its own story, in these very words
    found = places(kept, name) - printed
    assert any(place.startswith("public/") for place in found)
    assert not [place for place in found if not place.startswith(belongs)]


def test_the_address_of_a_case_lies_with_the_register_alone(
    played: Played, kept: dict[str, bytes]
) -> None:
    cases = rows(played.folder / "register" / "registry.sqlite", "cases")
    assert len(cases) >= len(played.world.claims)
    for case in cases:
        page = case[3]
        assert isinstance(page, bytes)
        found = {place for each in spellings(page) for place in places(kept, each)}
        assert found
        assert not [place for place in found if not place.startswith(CASES_BELONG)]


def test_nothing_is_kept_about_who_asks_or_what_for(played: Played) -> None:
    """Not even by mirror and monitor, whose visitors look for what is theirs."""
    asked = dice.random_bytes(32).hex()
    paths = ("", "health", "capsules", "alerts", f"ledger/proof?entry-hash={asked}", asked)
    doors = (*played.stage.names(), *played.watching.names())
    transport = httpx.HTTPTransport(local_address=STRANGER)
    with httpx.Client(transport=transport, headers=STRANGERS_HEADERS) as stranger:
        for url in map(played.url, doors):
            answers = [stranger.get(f"{url}/{path}") for path in paths]
            answers.append(stranger.post(f"{url}/add-checkpoint", content=asked.encode()))
            assert min(answer.status_code for answer in answers) in (200, 303), url
    now = everything(played)
    for trace in (*TRACES, asked):
        assert not places(now, trace.encode()), trace


OFTEN_SAID = (
    "listening on http://",
    "the code to sign in with: ",  # names the file it is in
    "gazette: ",  # which witnesses are away
    "ledger: ",
    "Invalid HTTP request received.",
)
ALSO_SAID = {
    "mirror": ("warning: gazette: ", "warning: ledger: ", "warning: capsules: ", "capsules: "),
}


def test_diagnostics_say_no_more_than_that_a_server_listens(played: Played) -> None:
    for server, told in played.diagnostics().items():
        usual = (*OFTEN_SAID, *ALSO_SAID.get(server, ()))
        unusual = [line for line in told.splitlines() if not line.startswith(usual)]
        assert not unusual, server
