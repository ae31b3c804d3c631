"""Scene 7, middle: anybody copies and watches the logs; words and a copy bring all back."""

import subprocess
import sys

from safeconduct.demo.stage import HOST, free_port
from safeconduct.demo.world import World, proof, tell
from safeconduct.errors import UnavailableError
from safeconduct.parties.mirror.folder import new_mirror
from safeconduct.parties.mirror.follow import copy_once, open_mirror
from safeconduct.parties.source.restore import restore
from safeconduct.plumbing.durable import write_file
from safeconduct.protocol.statute.instant import format_instant

MONITOR_SECONDS = 240
PACE = ("--every", "0.5")  # seconds between two looks at the logs; the shelf every 6
URL_FILE = "mirror.url"


def copy_and_watch(world: World) -> None:
    """A mirror starts, a source restores from it, a monitor looks at everybody once."""
    url = _start_mirror(world)
    _restore(world, url)
    _monitor(world, url)


def _start_mirror(world: World) -> str:
    folder = world.path("mirror")
    new_mirror(folder, [world.path("programme")], None)
    with open_mirror(folder) as mirror:
        for error in copy_once(mirror):
            raise error
        entries = sum(copy.published.tree.size for copy in mirror.copies if copy.published)
    address = f"{HOST}:{free_port()}"
    arguments = ["mirror", "serve", "--dir", str(folder), "--listen", address, *PACE]
    world.stage.start("mirror", int(address.partition(":")[2]), arguments)
    world.stage.wait_for("mirror", path="/health")
    write_file(world.path(URL_FILE), f"http://{address}\n".encode())
    tell("")
    tell(f"somebody else copies both logs and the shelf of capsules: {entries} entries")
    proof("each was hashed onto the mirror's own tree until the witnessed root was reached")
    world.happened("auditor", "a mirror copies both logs", "good")
    return f"http://{address}"


def _restore(world: World, url: str) -> None:
    found = restore(world.programme, world.words["clerk"], url)
    dated = [each.receipt.logged_by for each in found if each.receipt is not None]
    if len(dated) != len(found) or not dated:
        raise UnavailableError("the clerk's words did not bring the receipts back")
    tell("the clerk types twelve words; only the mirror is asked")
    proof(f"the receipt is back, dated {format_instant(dated[0])} by the witnesses")


def _monitor(world: World, url: str) -> None:
    command = [sys.executable, "-m", "safeconduct", "monitor", "run", "--once"]
    watched = subprocess.run(
        [
            *(*command, "--programme", str(world.path("programme"))),
            *("--dir", str(world.path("monitor")), "--mirror", url),
            *("--public", str(world.path("public"))),
        ],
        capture_output=True,
        text=True,
        timeout=MONITOR_SECONDS,
        check=False,
    )
    if watched.returncode != 0:
        raise UnavailableError(f"the monitor found: {watched.stdout}{watched.stderr}".strip())
    tell("a monitor compares what logs, witnesses and mirror show, and what is owed by a date")
    proof("all is well: nobody was shown another tree than everybody else")
