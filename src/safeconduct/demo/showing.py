"""Scene 7, end: one tip is shown to a judge, and custodians open another, with stock tools."""

import shutil
import subprocess
from pathlib import Path

from safeconduct.demo.tips import CLERK_TEXT, text_source
from safeconduct.demo.world import World, proof, tell
from safeconduct.errors import UnavailableError
from safeconduct.parties.court.gazette import load_ground
from safeconduct.parties.court.judge import TIP_FILE, judge
from safeconduct.parties.court.verify import read_opening, verify
from safeconduct.parties.desk.archive import (
    draft_archive,
    hand_over,
    new_archive,
    recombine,
    share_lines,
    write_identity,
)
from safeconduct.parties.desk.desk import Desk
from safeconduct.parties.source.inbox import read_inbox
from safeconduct.parties.source.open import hand_over as open_to
from safeconduct.parties.source.open import plan_whole
from safeconduct.plumbing import clock, dice
from safeconduct.plumbing.agefile import open_file
from safeconduct.plumbing.durable import make_folder, read_file, write_secret
from safeconduct.plumbing.logs import log_notice, log_record, read_gazette
from safeconduct.protocol import age

CUSTODIANS, ENOUGH = 5, 3
SHARE_BYTES_MAX = 4_096
STOCK_SECONDS = 240


def found_archive(world: World) -> None:
    """An archive key is split among custodians; the board certifies its public half."""
    recipient = new_archive(world.path("custodians"), ENOUGH, CUSTODIANS, dice.random_bytes)
    state = read_gazette(world.programme).state
    record = draft_archive(state, recipient, ENOUGH, CUSTODIANS)
    log_notice(world.programme, world.signed(record))
    tell(f"an archive key is split among {CUSTODIANS} custodians, and kept nowhere else")
    proof(f"{ENOUGH} of them together can open tips when the desk's own keys are destroyed")


def show_to_a_judge(world: World) -> None:
    """The clerk opens one tip; what the judge gets needs none of our code."""
    contributions = read_inbox(world.programme, world.words["clerk"])
    state = read_gazette(world.programme).state
    files = [text_source(CLERK_TEXT)]
    plan = plan_whole(contributions[0], files, state, contributions[1:], dice.random_bytes)
    opened = world.path("opening")
    open_to(plan, "court", opened, lambda record: log_record(world.programme, record)[0])
    ground = load_ground(world.path("policy.txt"), world.path("public"))
    handed = read_opening(opened)
    key = age.x25519_identity(dice.random_bytes(32))
    judge(
        handed,
        verify(handed, ground),
        key.recipient(),
        world.path("court"),
        language="en",
        at=clock.seconds(),
        random_bytes=dice.random_bytes,
    )
    tell("")
    tell("the clerk opens one tip to a judge: the file key of that tip, and no other")
    if CLERK_TEXT.encode() not in _read(world, key, world.path("court", TIP_FILE), "judge"):
        raise UnavailableError("the judge does not read what the clerk wrote")
    proof("the judge reads it with stock tools, and a page in plain words says what it proves")
    world.happened("sources", "clerk opens a tip to a judge")


def custodians_open_a_tip(world: World, desk: Desk) -> None:
    """Three of five bring their shares; the desk's keys are not asked for."""
    state = read_gazette(world.programme).state
    file = world.path("custodians", "engineer.age")
    hand_over(desk, world.hashes["engineer"], file)
    paths = [world.path("custodians", f"share-{number}.txt") for number in (1, 3, 5)]
    texts = [read_file(path, bytes_max=SHARE_BYTES_MAX).decode("ascii") for path in paths]
    lines = [line for text in texts for line in share_lines(text)]
    key = recombine(lines, state.archives[-1].recipient)
    _read(world, key, file, "custodians")
    tell(f"{ENOUGH} of {CUSTODIANS} custodians bring shares, and open a tip without the desk")
    proof("fewer open nothing; what they combine is an identity file of the stock age tool")


def _read(world: World, key: age.SecretIdentity, sealed: Path, who: str) -> bytes:
    """What stands in a sealed container, read by Debian's `age` if there is one here."""
    folder = world.path("read", who)
    make_folder(folder, mode=0o700)
    identity, container = folder / "identity.txt", folder / "container.tar"
    write_identity(identity, key)
    if tool := shutil.which("age"):
        command = [tool, "--decrypt", "-i", str(identity), "-o", str(container), str(sealed)]
        subprocess.run(command, check=True, timeout=STOCK_SECONDS)
    else:
        open_file(sealed, container, [key])
    listed = subprocess.run(
        ["tar", "--extract", "--to-stdout", "--file", str(container)],
        check=True,
        capture_output=True,
        timeout=STOCK_SECONDS,
    )
    write_secret(folder / "contents.bin", listed.stdout)
    return listed.stdout
