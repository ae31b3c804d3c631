"""`safeconduct demo`: the whole programme on one machine, told step by step."""

import argparse
import shutil
import signal
import sys
from pathlib import Path

from safeconduct.demo.play import play
from safeconduct.demo.stage import Stage
from safeconduct.demo.watching import URL_FILE
from safeconduct.demo.world import World, clear_folder
from safeconduct.parties.press.capture import capture_file
from safeconduct.plumbing import clock, terminal

EXAMPLES = """\
examples:
  safeconduct demo                          play, then keep the sites up until Ctrl-C
  safeconduct demo --once --dir demo        play and leave everything in ./demo
  safeconduct demo --press page.html a.txt  capture these pages besides the samples

What it leaves in the folder: public/ (all that an outsider may have), policy.txt, receipts/,
letters/, journey.svg (what happened when), and each party's own folder.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the demo's options."""
    parser.epilog = EXAMPLES
    parser.add_argument("--once", action="store_true", help="play, end all servers, and exit")
    parser.add_argument(
        "--dir", type=Path, default=Path("demo"), help="folder to play in (default %(default)s)"
    )
    parser.add_argument(
        "--press", type=Path, nargs="+", default=[], metavar="FILE", help="pages to capture too"
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    folder = options.dir.resolve()
    press = [path.resolve() for path in options.press]
    for path in press:  # before half a minute of play, not in the middle of it
        capture_file(path, url=None, now=clock.now())
    clear_folder(folder)
    # A polite kill ends the play as Ctrl-C does, even where a shell has us ignore the latter:
    # every server that was started is ended.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    started = clock.monotonic()
    with Stage(folder) as stage:
        world = play(folder, stage, press, _nothing)
        seconds = clock.monotonic() - started
        memory = stage.memory_kib() // 1024
        terminal.say("")
        terminal.say(f"Played in {seconds:.0f} s, with {memory} MB of memory in all processes.")
        _show_the_way(options.dir, folder)
        if not options.once:
            _keep_up(world)
    return 0


def _nothing(scene: str, world: World) -> None:
    """Between scenes nothing happens, unless a test makes it happen."""


def _show_the_way(shown: Path, folder: Path) -> None:
    terminal.say("Look at it, and check it yourself:")
    program = _program()
    for command in (
        f"{program} audit {shown}/public --policy {shown}/policy.txt",
        f"{program} receipt verify {shown}/receipts/clerk.tlog-proof "
        f"--record {shown}/receipts/clerk.record --policy {shown}/policy.txt",
        f"{program} fork verify {shown}/tampered/ledger.fork --policy {shown}/policy.txt",
        f"less {shown}/letters/engineer.txt",
    ):
        terminal.say(f"  {command}")
    terminal.say(f"The play as a picture: {folder / 'journey.svg'}")


def _program() -> str:
    """How to call us again: by name if the shell finds us, else as we were called."""
    called, found = Path(sys.argv[0]), shutil.which("safeconduct")
    if called.name != "safeconduct" or (found and Path(found).resolve() == called.resolve()):
        return "safeconduct"
    return str(called)


def _keep_up(world: World) -> None:
    desk = world.path("programme", "desk.port").read_text()
    terminal.say("")
    terminal.say("The sites stay up:", colour="bold")
    terminal.say(f"  the door       {world.programme.door}/")
    terminal.say(
        f"  the desk       http://127.0.0.1:{desk}/   its sign-in code is in "
        f"{world.path('desk', 'console.code')}"
    )
    terminal.say(f"  the register   {world.programme.register}/")
    terminal.say(f"  the mirror     {world.path(URL_FILE).read_text().strip()}/")
    terminal.say("Ctrl-C ends everything.")
    try:
        while True:
            clock.sleep(3600)
    except KeyboardInterrupt:
        terminal.say("")
        terminal.say("Ending all servers.")
