"""`safeconduct desk credit offer | list | draft | issue | count`: credits for tips."""

import argparse
from pathlib import Path

from safeconduct.errors import RefusedError
from safeconduct.parties.desk.credit import (
    Asked,
    count_record,
    draft,
    issue,
    issued,
    offer,
    requests,
)
from safeconduct.parties.desk.desk import Desk, open_desk
from safeconduct.parties.desk.keys_command import find_tip
from safeconduct.parties.desk.weigh import tip_id
from safeconduct.plumbing import terminal
from safeconduct.plumbing.durable import make_folder, read_file, write_secret
from safeconduct.plumbing.terminal import Verbs
from safeconduct.protocol.gazette import CreditGroup, GazetteState
from safeconduct.protocol.record import RECORD_BYTES_MAX, format_record

LINK_FILE, CREDIT_FILE = "credit-link.record", "credit.record"

_OFFER = """\
Offers the source of a graded tip the credit that its law grants, in a signed reply. HASH is the
tip's record hash, or the first digits of it:

  $ safeconduct desk credit offer 9d3f --dir desk
  tip-1  offered
"""

_LIST = """\
Who has asked, and how far it has come. What is refused is told with the reason:

  $ safeconduct desk credit list --dir desk
  tip-1  asked with tip-4  useful  period 1  waits for the board
"""

_DRAFT = """\
Writes what the board is to sign: the link, for the Ledger, and the credit if it is plain.

  $ safeconduct desk credit draft 9d3f --dir desk --out tip-1
  tip-1/credit-link.record
  tip-1/credit.record

Each member signs with `safeconduct board sign FILE --key KEY`, on a machine of their own.
"""

_ISSUE = """\
Logs the signed link, and then hands the credit to the source. It may be run again at any time:

  $ safeconduct desk credit issue 9d3f --dir desk --link tip-1/credit-link.record \\
        --credit tip-1/credit.record

A blind credit takes the file with its group's issuing key instead, which signs the request:

  $ safeconduct desk credit issue 9d3f --dir desk --link tip-1/credit-link.record \\
        --issuing-key useful-1.pem
"""

_COUNT = """\
How many credits of each class and period were issued here:

  $ safeconduct desk credit count --dir desk
  useful  period 1  issued 23  published 20  redeemed 4

With --redeemed, as the registry counts them, it prints the record that the board signs into the
Gazette:

  $ safeconduct desk credit count --dir desk --class useful --period 1 --redeemed 5 \\
        > count.record
"""


def add_verbs(verbs: Verbs) -> None:
    """Add `credit` and its verbs to those of a desk."""
    credit = verbs.add_parser("credit", help="credit tips, so that nobody need name them")
    topics = credit.add_subparsers(metavar="VERB", required=True)
    _of_tip(topics, "offer", "offer a credit for a tip", _OFFER).set_defaults(run=_offer)
    listed = _at_desk(topics, "list", "who asks for a credit", _LIST)
    listed.add_argument("--json", action="store_true", help="for other programs")
    listed.set_defaults(run=_list)
    drafted = _of_tip(topics, "draft", "draft what the board signs", _DRAFT)
    drafted.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    drafted.set_defaults(run=_draft)
    _add_issue(topics)
    _add_count(topics)


def _at_desk(topics: Verbs, name: str, summary: str, example: str) -> argparse.ArgumentParser:
    verb = terminal.add_verb(topics, name, summary, example)
    verb.add_argument("--dir", type=Path, required=True, help="folder of this desk")
    return verb


def _of_tip(topics: Verbs, name: str, summary: str, example: str) -> argparse.ArgumentParser:
    verb = _at_desk(topics, name, summary, example)
    verb.add_argument("hash", metavar="HASH", help="record hash, or its first digits")
    return verb


def _add_issue(topics: Verbs) -> None:
    verb = _of_tip(topics, "issue", "log the link and hand out the credit", _ISSUE)
    verb.add_argument("--link", type=Path, required=True, metavar="FILE", help="signed")
    verb.add_argument("--credit", type=Path, metavar="FILE", help="signed; if it is plain")
    verb.add_argument(
        "--issuing-key", type=Path, metavar="PEM", help="the group's key; if it is blind"
    )
    verb.set_defaults(run=_issue)


def _add_count(topics: Verbs) -> None:
    verb = _at_desk(topics, "count", "how many credits were issued", _COUNT)
    verb.add_argument("--class", dest="word", metavar="GRADE", help="of this class only")
    verb.add_argument("--period", type=int, metavar="N", help="of this period only")
    verb.add_argument("--statute", default="", metavar="HASH", help="of this law only")
    verb.add_argument("--redeemed", type=int, metavar="N", help="draft the board's record")
    verb.add_argument("--json", action="store_true", help="for other programs")
    verb.set_defaults(run=_count)


def _offer(arguments: argparse.Namespace) -> int:
    desk = open_desk(arguments.dir)
    digest = find_tip(desk, arguments.hash)
    with terminal.waiting("offering"):
        offer(desk, digest)
    terminal.say(f"{_id(desk, digest)}  offered")
    return 0


def _list(arguments: argparse.Namespace) -> int:
    desk = open_desk(arguments.dir)
    with terminal.waiting("checking the requests"):
        asked = requests(desk)
    if arguments.json:
        terminal.print_json([_as_json(each) for each in asked])
        return 0
    for each in asked:
        if each.group is None:
            terminal.warn(f"{_id(desk, each.follow_up)}: {each.refused}")
            continue
        words = [
            _id(desk, each.hash),
            f"asked with {_id(desk, each.follow_up)}",
            each.group.word,
            f"period {each.group.period}",
            each.stands,
            each.hash.hex(),
        ]
        terminal.say("  ".join(words))
    return 0


def _as_json(asked: Asked) -> dict[str, object]:
    return {
        "class": asked.group.word if asked.group else "",
        "follow_up": asked.follow_up.hex(),
        "hash": asked.hash.hex(),
        "period": asked.group.period if asked.group else 0,
        "refused": asked.refused,
        "stands": asked.stands,
        "statute": asked.group.statute.hex() if asked.group else "",
    }


def _id(desk: Desk, digest: bytes) -> str:
    return tip_id(desk.store.tip(digest))


def _draft(arguments: argparse.Namespace) -> int:
    desk = open_desk(arguments.dir)
    drafted = draft(desk, find_tip(desk, arguments.hash))
    make_folder(arguments.out, mode=0o700)
    records = {LINK_FILE: drafted.link, CREDIT_FILE: drafted.credit}
    for name, record in records.items():
        if record is not None:
            # Whoever reads both knows which credit belongs to which tip.
            write_secret(arguments.out / name, format_record(record))
            terminal.say(str(arguments.out / name))
    return 0


def _issue(arguments: argparse.Namespace) -> int:
    desk = open_desk(arguments.dir)
    digest = find_tip(desk, arguments.hash)
    with terminal.waiting("logging and handing out"):
        issue(
            desk, digest, _read(arguments.link), _read(arguments.credit), arguments.issuing_key
        )
    terminal.say(f"{_id(desk, digest)}  issued")
    return 0


def _read(path: Path | None) -> bytes:
    return b"" if path is None else read_file(path, bytes_max=RECORD_BYTES_MAX)


def _count(arguments: argparse.Namespace) -> int:
    desk = open_desk(arguments.dir)
    state, counted = desk.gazette(), issued(desk)
    chosen = [
        group
        for group in counted
        if arguments.word in (None, group.word)
        and arguments.period in (None, group.period)
        and group.statute.hex().startswith(arguments.statute)
    ]
    if arguments.redeemed is not None:
        record = count_record(desk, _only(chosen), arguments.redeemed)
        terminal.say(format_record(record).decode("ascii").removesuffix("\n"))
        return 0
    lines = [_count_of(state, group, counted[group]) for group in chosen]
    if arguments.json:
        terminal.print_json(lines)
        return 0
    for line in lines:
        terminal.say(
            "{class}  period {period}  issued {issued}  published {published}"
            "  redeemed {redeemed}".format(**line)
        )
    return 0


def _only(groups: list[CreditGroup]) -> CreditGroup:
    if len(groups) != 1:
        raise RefusedError(
            f"a count is of one group, and these are {len(groups)}",
            hint="say which with --class, --period and --statute",
        )
    return groups[0]


def _count_of(state: GazetteState, group: CreditGroup, count: int) -> dict[str, object]:
    published = state.credit_count(group)
    return {
        "class": group.word,
        "issued": count,
        "period": group.period,
        "published": published.issued,
        "redeemed": published.redeemed,
        "statute": group.statute.hex(),
    }
