"""`safeconduct desk aside`: tips that need no look now leave the list, and nothing else."""

import argparse
import re
from collections.abc import Mapping
from pathlib import Path

from safeconduct.parties.desk.desk import Desk, open_desk
from safeconduct.parties.desk.keys_command import find_tip
from safeconduct.parties.desk.view import summarise
from safeconduct.plumbing import terminal
from safeconduct.plumbing.terminal import Verbs

_ASIDE = """\
Spam and empty letters go out of the list. They stay sealed, dated, acknowledged and counted,
nothing deletes them, and --back brings them back:

  $ safeconduct desk aside 7 8 9d3f --dir desk
  tip-7  aside
  tip-8  aside
  tip-12  aside
  $ safeconduct desk list --aside --dir desk
"""
_NUMBER = re.compile(r"(?:tip-)?([1-9][0-9]{0,8})")


def add_verbs(verbs: Verbs) -> None:
    """Add the verb `aside`."""
    verb = terminal.add_verb(verbs, "aside", "take tips out of the list, or back", _ASIDE)
    verb.add_argument("tips", metavar="NUMBER", nargs="+", help="as in the list, or a hash")
    verb.add_argument("--back", action="store_true", help="into the list again")
    verb.add_argument("--dir", type=Path, required=True, help="folder of this desk")
    verb.set_defaults(run=_aside)


def _aside(arguments: argparse.Namespace) -> int:
    desk = open_desk(arguments.dir)
    numbers = {tip.number: tip.hash for tip in desk.store.tips()}
    found = [_find(desk, numbers, named) for named in arguments.tips]  # all, before any moves
    for digest in found:
        desk.store.set_aside(digest, back=arguments.back)
        tip = summarise(desk, desk.store.tip(digest))
        terminal.say(f"{tip.id}  {'aside' if tip.aside else 'in the list'}")
    return 0


def _find(desk: Desk, numbers: Mapping[int, bytes], named: str) -> bytes:
    """The record hash of a tip by its number in the list, else by the hash's first digits."""
    number = _NUMBER.fullmatch(named)
    held = numbers.get(int(number[1])) if number else None
    return find_tip(desk, named) if held is None else held
