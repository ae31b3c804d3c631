"""`safeconduct source withdraw`: take one tip back, once told what that can do and cannot."""

import argparse
import sys

from safeconduct.errors import RefusedError
from safeconduct.parties.source.inbox import Contribution, read_inbox
from safeconduct.parties.source.inbox_command import contribution
from safeconduct.parties.source.options import (
    Travel,
    add_common,
    ask_words,
    check_number,
)
from safeconduct.parties.source.withdraw import HANDED, Taken, withdraw
from safeconduct.plumbing import dice, terminal
from safeconduct.plumbing.programme import load_programme
from safeconduct.plumbing.terminal import Verbs
from safeconduct.protocol.statute.instant import format_instant

CONFIRMATION = "yes"

EXAMPLES = """\
examples:
  safeconduct source withdraw 0 --programme programme/
  safeconduct source withdraw 0 --programme programme/ --yes

The number is the contribution's, as `status` shows it.
"""

_TELLS = """\
You are about to withdraw contribution {number}{dated}.
What this does:
  - the door erases the sealed tip, so that a desk which has not fetched it never will
  - a desk that has fetched it must not use it from now on: no vote, no grade, no credit
What it cannot do:
  - make anybody forget: if the desk has opened it, it can have read it
  - take back its date, or the entry in the public Ledger, which says nothing to anybody
  - take back an answer, a credit, a claim or an opening that was made with it before
The fingerprint of the withdrawal goes into the Ledger. A claim with this tip will hardly be
granted any more: no assessment of it is given out.
This cannot be undone. You can send the same again as a new tip, with a new date.
"""
_NOT_NOTED = (
    "your mailbox has no room to note it: `status` will not show it, and it stands all the same"
)


def add_verbs(verbs: Verbs) -> None:
    """Add `withdraw` to the verbs of a source."""
    verb = terminal.add_verb(
        verbs, "withdraw", "take one tip back, as far as it goes", EXAMPLES
    )
    add_common(verb)
    verb.add_argument("number", type=int, metavar="NUMBER", help="which contribution, from 0")
    verb.add_argument("--yes", action="store_true", help="do not ask whether you mean it")
    verb.set_defaults(run=_withdraw)


def _withdraw(options: argparse.Namespace) -> int:
    check_number(options.number)
    programme = load_programme(options.programme)
    travel: Travel = options.travel
    inbox = read_inbox(programme, ask_words(options), travel.circuits)
    item = contribution(inbox, options.number)
    terminal.note(_what_it_does(item))
    if not options.yes:
        _ask()
    travel.wait("deliver")
    taken = withdraw(programme, item, travel.circuits, dice.random_bytes)
    _tell(taken, as_json=options.json)
    return 0


def _what_it_does(item: Contribution) -> str:
    at = item.receipt.logged_by if item.receipt else None
    dated = f", dated {format_instant(at)}" if at is not None else ""
    return _TELLS.format(number=item.keys.number, dated=dated).removesuffix("\n")


def _ask() -> None:
    """Return if the person types yes.

    Raises:
        RefusedError: they type anything else.
    """
    terminal.note(f"Type {CONFIRMATION} to go on:")
    if sys.stdin.readline().strip() != CONFIRMATION:
        raise RefusedError("nothing was withdrawn", hint=f"type {CONFIRMATION}, or give --yes")


def _tell(taken: Taken, *, as_json: bool) -> None:
    logged_by = format_instant(taken.logged_by)
    if as_json:
        terminal.print_json(
            {
                "number": taken.number,
                "logged_by": logged_by,
                "handed": taken.handed,
                "noted": taken.noted,
            }
        )
        return
    terminal.say(f"contribution {taken.number}: withdrawn, dated {logged_by}")
    terminal.say(HANDED[taken.handed])
    if not taken.noted:
        terminal.warn(_NOT_NOTED)
