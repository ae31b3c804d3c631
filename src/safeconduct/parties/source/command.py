"""`safeconduct source …`: the insider's own tool. Words come from a prompt or a pipe, never
from an argument, and nothing is stored unless a file is asked for.
"""

import argparse

from safeconduct.parties.source import (
    claim_command,
    client_command,
    credit_command,
    inbox_command,
    open_command,
    prepare_command,
    send_command,
    withdraw_command,
)
from safeconduct.parties.source.options import add_language, add_travel
from safeconduct.parties.source.options import check_arguments as check_arguments
from safeconduct.plumbing import dice, terminal
from safeconduct.plumbing.terminal import Verbs
from safeconduct.plumbing.words import ENGLISH, LANGUAGES, format_words
from safeconduct.protocol.keys import ENTROPY_BYTES

EXAMPLES = """\
examples:
  safeconduct source new
  safeconduct source send --programme programme/ --message letter.txt ledger.xlsx
  safeconduct source status --programme programme/
  safeconduct source inbox --programme programme/ --socks 127.0.0.1:9050
  safeconduct source receipt --programme programme/ --number 0 --out mine
  safeconduct source restore --programme programme/ --mirror https://mirror.example
  safeconduct source withdraw 0 --programme programme/
  safeconduct source verify-client safeconduct-source.pyz --programme programme/
  safeconduct source claim --programme programme/ --subject r-0001 --name 'your legal name'

The folder given with --programme holds programme.toml and policy.txt. Take the policy from
somebody you trust: it says which log and which witnesses count.
The twelve words are asked for, or read as the first line of standard input.
"""

NEW_EXAMPLES = f"""\
examples:
  safeconduct source new
  safeconduct source new --language french

languages: {", ".join(LANGUAGES[:6])},
  {", ".join(LANGUAGES[6:])}

The same words will do for all programmes: nobody can tie one to the other. Fresh words for each
matter are better. Whatever this prints opens an empty mailbox, so some more make good decoys.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs of a source."""
    parser.epilog = EXAMPLES
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    _add_new(verbs)
    send_command.add_verbs(verbs)
    inbox_command.add_verbs(verbs)
    claim_command.add_verbs(verbs)
    for others in (
        prepare_command,
        credit_command,
        open_command,
        withdraw_command,
        client_command,
    ):
        others.add_verbs(verbs)
    verbs.choices["credit"].set_defaults(run=_credit)
    for name in ("gazette", "credit", "open", "withdraw", "verify-client"):
        add_travel(verbs.choices[name])


def _add_new(verbs: Verbs) -> None:
    new = terminal.add_verb(
        verbs,
        "new",
        "twelve fresh words; write them down, they are all there is",
        NEW_EXAMPLES,
    )
    add_language(new, ENGLISH, "the language to write them in; the keys are the same in all")
    new.add_argument("--json", action="store_true", help="print JSON")
    new.set_defaults(run=_new)


def _credit(options: argparse.Namespace) -> int:
    travel = options.travel
    return credit_command.run_credit(options, wait=travel.wait, circuits=travel.circuits)


def _new(options: argparse.Namespace) -> int:
    words = format_words(dice.random_bytes(ENTROPY_BYTES), options.language)
    terminal.note("Write these down and keep nothing else. Whoever has them is you.")
    if options.json:
        terminal.print_json({"language": options.language, "words": words})
        return 0
    numbered = [f"{place:2} {word}" for place, word in enumerate(words.split(), start=1)]
    terminal.show_secret([words], ["", *numbered], "Enter when they are on paper; they go")
    return 0
