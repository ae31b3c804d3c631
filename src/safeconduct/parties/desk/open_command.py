"""`safeconduct desk open`: show one tip to a court or an inquiry, on the record."""

import argparse
from pathlib import Path
from typing import TypeAlias

from safeconduct.parties.desk.desk import open_desk
from safeconduct.parties.desk.keys_command import find_tip
from safeconduct.parties.desk.open import open_tip
from safeconduct.plumbing import terminal
from safeconduct.protocol.opening import PURPOSES

_Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

_OPEN = """\
Makes a folder that proves what a tip says and when it was sealed. It is signed, and that it was
made goes into the Ledger before the folder is there:

  $ safeconduct desk open 9d3f --dir desk --purpose court --out opened

With --item only these files of the tip are shown, counted from 1; it may be given again:

  $ safeconduct desk open 9d3f --dir desk --purpose inquiry --item 2 --out opened

`safeconduct opening verify` and `opening judge` read the folder. The source is not asked; think
of who could be recognised by what you show.
"""


def add_verbs(verbs: _Verbs) -> None:
    """Add `open` to the verbs of a desk."""
    verb = terminal.add_verb(verbs, "open", "show one tip, or some of its files", _OPEN)
    verb.add_argument("--dir", type=Path, required=True, help="folder of this desk")
    verb.add_argument("hash", metavar="HASH", help="record hash, or its first digits")
    verb.add_argument("--purpose", required=True, choices=sorted(PURPOSES))
    verb.add_argument(
        "--item", type=int, action="append", default=[], metavar="K", help="this file only"
    )
    verb.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="a new folder")
    verb.set_defaults(run=_open)


def _open(arguments: argparse.Namespace) -> int:
    desk = open_desk(arguments.dir)
    digest = find_tip(desk, arguments.hash)
    with terminal.waiting("opening, and logging that"):
        open_tip(desk, digest, arguments.purpose, arguments.out, arguments.item)
    terminal.say(str(arguments.out))
    return 0
