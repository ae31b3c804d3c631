"""`safeconduct register`: serve the public register, and the clerk's work on claims."""

import argparse
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from safeconduct.errors import RefusedError, SafeconductError
from safeconduct.parties.registry import deciding_command, listing_command
from safeconduct.parties.registry.book import Reader
from safeconduct.parties.registry.decide import read_draft
from safeconduct.parties.registry.deciding_command import filed_as
from safeconduct.parties.registry.due import write_due
from safeconduct.parties.registry.enlist import draft_listing
from safeconduct.parties.registry.final import count_record, enter_publication, finalise
from safeconduct.parties.registry.letter import ground
from safeconduct.parties.registry.publish import publish
from safeconduct.parties.registry.receive import Registry, open_registry
from safeconduct.parties.registry.redemptions import count_redeemed, credit_count
from safeconduct.parties.registry.search import Searcher
from safeconduct.parties.registry.site import make_site
from safeconduct.parties.registry.store import Filed
from safeconduct.parties.registry.unsealing import unseal
from safeconduct.plumbing import terminal, web
from safeconduct.plumbing.authored import parse_authored
from safeconduct.plumbing.durable import read_file, write_file, write_secret
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.claim import parse_bundle
from safeconduct.protocol.gazette import CreditGroup
from safeconduct.protocol.listing import OBJECT_BYTES_MAX
from safeconduct.protocol.record import (
    RECORD_BYTES_MAX,
    format_record,
    make_record,
    parse_signed,
)
from safeconduct.protocol.statute.instant import format_instant

_SERVE = """\
The folder holds programme.toml, policy.txt and registry.key, the key that the founding record
names; registry.sqlite and the letters are kept beside them:

  $ safeconduct register serve --dir register --listen 127.0.0.1:8003
  listening on http://127.0.0.1:8003
"""

_CASES = """\
Lists every case in the order of filing, with the state that follows from its events:

  $ safeconduct register cases --dir register
     1  published  r-0001  helped     4be0…
"""

_SHOW = """\
CLAIM is the claim's hash, or at least four digits of its start, or the number of the case:

  $ safeconduct register show 4be0 --dir register
"""

_ENLIST = """\
Drafts the publication that enters a person. FILE (YAML or JSON) holds subject, name, listed_on,
review_on, ends_on, and the individual assessment: ground, role, conduct, harm, time_since,
weight. None may be empty:

  $ safeconduct register enlist person.yaml --dir register --out listing.record
"""

_COUNT = """\
Drafts the record of how many claims were filed, decided, suspended and published, so that none
can be hidden. The board signs it and sends it to the Gazette:

  $ safeconduct register count --dir register --out count.record
"""

_REDEMPTIONS = """\
Counts, of each kind of credit, how many the board has counted as issued, and how many are
redeemed by decisions that are final:

  $ safeconduct register redemptions --dir register
  law 90b2e1c40a77  useful        period 1  issued 25  redeemed 3
"""

_CREDIT_COUNT = """\
Drafts the record of how many credits of one class and period were issued, which the board knows
from its links, and how many are redeemed, which the register knows. Nobody can redeem one
before the board has counted as many as the law asks for:

  $ safeconduct register credit-count --class useful --period 1 --issued 25 \\
        --dir register --out credits.record

The newest law is meant, unless --statute names another by its number.
"""

_FINALISE = """\
Writes a publication record for each decision whose time for an appeal is over, for the board to
sign. They are numbered in the order in which the Gazette must take them:

  $ safeconduct register finalise --dir register --out drafts
  drafts/4be0….record
"""

_ENTER_PUBLICATION = """\
Sends a signed publication to the Gazette and notes it in its case, if it belongs to one:

  $ safeconduct register enter-publication drafts/4be0….record --claim 4be0 --dir register
"""

_UNSEAL = """\
Writes what opens the published decision in a case, for a court that ordered it. Only its owner
can read the file; whoever gets it sees the name, the claim and all of its evidence:

  $ safeconduct register unseal 4be0 --dir register --out 4be0.unsealed
  $ safeconduct audit public --policy policy.txt --unsealed 4be0.unsealed

The claimant can take the same from their case's page, and from the day that the law names
anybody can from the decision's.
"""

_PUBLISH = """\
Makes the folder that anybody may copy and audit, and puts it in place whole:

  $ safeconduct register publish --dir register --out public --captures press/captures
  $ safeconduct audit public --policy policy.txt
"""

_PROGRESS_LINES = 10  # while the search is prepared

_Verbs = argparse._SubParsersAction  # the type that add_subparsers returns has no public name


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the verbs of `safeconduct register`."""
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    served = _verb(verbs, "serve", "serve the public register", _SERVE, _serve)
    served.add_argument(
        "--listen", default="127.0.0.1:8003", metavar="HOST:PORT", help="where to listen"
    )
    listed = _verb(verbs, "cases", "list all cases", _CASES, _cases)
    listed.add_argument("--json", action="store_true", help="for other programs")
    shown = _case_verb(verbs, "show", "show one case", _SHOW, _show)
    shown.add_argument("--json", action="store_true", help="for other programs")
    listing_command.add_verbs(verbs)
    enlisted = _verb(verbs, "enlist", "draft a person's listing", _ENLIST, _enlist)
    enlisted.add_argument("file", type=Path, metavar="FILE", help="person and assessment")
    enlisted.add_argument("--out", type=Path, required=True, metavar="DRAFT")
    deciding_command.add_verbs(verbs)
    final = _verb(verbs, "finalise", "draft the publications due", _FINALISE, _finalise)
    final.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the drafts")
    _add_publication(verbs)
    opened = _case_verb(verbs, "unseal", "open a sealed decision for a court", _UNSEAL, _unseal)
    opened.add_argument("--out", type=Path, required=True, metavar="FILE", help="kept secret")
    counted = _verb(verbs, "count", "draft the record of all counts", _COUNT, _count)
    counted.add_argument("--out", type=Path, required=True, metavar="DRAFT")
    _add_credits(verbs)
    published = _verb(verbs, "publish", "make the public folder", _PUBLISH, _publish)
    published.add_argument("--out", type=Path, required=True, metavar="PUBLIC")
    published.add_argument("--captures", type=Path, metavar="DIR", help="the press's captures")


def _verb(
    verbs: "_Verbs[argparse.ArgumentParser]",
    name: str,
    summary: str,
    example: str,
    run: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    verb = terminal.add_verb(verbs, name, summary, example)
    verb.add_argument("--dir", type=Path, required=True, help="folder of this register")
    verb.set_defaults(run=run)
    return verb


def _case_verb(
    verbs: "_Verbs[argparse.ArgumentParser]",
    name: str,
    summary: str,
    example: str,
    run: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    verb = _verb(verbs, name, summary, example, run)
    verb.add_argument("claim", metavar="CLAIM", help="claim hash, its start, or case number")
    return verb


def _add_publication(verbs: "_Verbs[argparse.ArgumentParser]") -> None:
    verb = _verb(
        verbs,
        "enter-publication",
        "enter a signed publication",
        _ENTER_PUBLICATION,
        _enter_publication,
    )
    verb.add_argument("signed", type=Path, metavar="SIGNED", help="the signed publication")
    verb.add_argument("--claim", metavar="CLAIM", help="the case it ends; none for a listing")


def _add_credits(verbs: "_Verbs[argparse.ArgumentParser]") -> None:
    redeemed = _verb(
        verbs, "redemptions", "count the credits redeemed", _REDEMPTIONS, _redemptions
    )
    redeemed.add_argument("--json", action="store_true", help="for other programs")
    counted = _verb(
        verbs, "credit-count", "draft the count of some credits", _CREDIT_COUNT, _credit_count
    )
    counted.add_argument("--class", required=True, dest="word", metavar="GRADE")
    counted.add_argument("--period", type=int, required=True, metavar="NUMBER")
    counted.add_argument("--issued", type=int, required=True, metavar="COUNT")
    counted.add_argument("--statute", type=int, metavar="VERSION", help="number of the law")
    counted.add_argument("--out", type=Path, required=True, metavar="DRAFT")


def _serve(options: argparse.Namespace) -> int:
    registry = open_registry(options.dir)
    searcher = Searcher(Reader(registry))

    def ready(url: str) -> None:
        terminal.say(f"listening on {url}")
        threading.Thread(target=_prepare_search, args=(searcher,), daemon=True).start()

    web.serve(make_site(registry, searcher), options.listen, ready=ready)
    return 0


def _prepare_search(searcher: Searcher) -> None:
    """Take in every name that is published already, while the pages are served."""
    lines = 0

    def told(done: int, total: int) -> None:
        nonlocal lines
        if lines <= _PROGRESS_LINES * done // total:
            lines = _PROGRESS_LINES * done // total + 1
            terminal.note(f"preparing the search over {total} names: {done} …")

    try:
        searcher.keep_up(searcher.reader.book(), told)
    except SafeconductError:
        return  # nothing can be found now; whoever looks when it can has it prepared


def _cases(options: argparse.Namespace) -> int:
    registry = open_registry(options.dir)
    rows = [_row(registry, filed) for filed in registry.store.cases()]
    if options.json:
        terminal.print_json(rows)
        return 0
    for row in rows:
        terminal.say(
            f"{row['number']:>4}  {row['state']:<9}  {row['subject']:<10}  {row['limb']:<9}  "
            f"{row['claim']}"
        )
    return 0


def _row(registry: Registry, filed: Filed) -> dict[str, Json]:
    case = registry.store.case(filed.claim)
    bundle = parse_bundle(case.latest["filed"].data)
    return {
        "claim": filed.claim.hex(),
        "filed": format_instant(case.latest["filed"].at),
        "limb": bundle.limb,
        "name": bundle.fields["name"],
        "number": filed.number,
        "state": case.state,
        "subject": bundle.record.word("subject"),
    }


def _show(options: argparse.Namespace) -> int:
    registry = open_registry(options.dir)
    filed = filed_as(registry, options.claim)
    case = registry.store.case(filed.claim)
    row = _row(registry, filed)
    bundle = parse_bundle(case.latest["filed"].data)
    if bundle.limb == "credited":
        row["ground"] = ground(bundle)
    row["events"] = {kind: format_instant(event.at) for kind, event in case.latest.items()}
    if "proposed" in case.latest:
        row["draft"] = format_record(read_draft(registry, filed.claim)).decode("ascii")
    if options.json:
        terminal.print_json(row)
        return 0
    for name, value in row.items():
        if isinstance(value, dict):
            value = ", ".join(f"{kind} {at}" for kind, at in value.items())
        terminal.say(f"{name:<8} {value}")
    return 0


def _enlist(options: argparse.Namespace) -> int:
    registry = open_registry(options.dir)
    data = read_file(options.file, bytes_max=OBJECT_BYTES_MAX)
    record = draft_listing(registry, parse_authored(data, options.file.name))
    write_file(options.out, format_record(record))
    terminal.say(f"{record.word('subject')}: sign {options.out}")
    return 0


def _count(options: argparse.Namespace) -> int:
    registry = open_registry(options.dir)
    number = len(registry.gazette().state.counts) + 1
    counts = count_record(registry)
    record = make_record("count", programme=registry.programme.hash, number=number, **counts)
    write_file(options.out, format_record(record))
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    terminal.say(f"{told}: sign {options.out}")
    return 0


def _redemptions(options: argparse.Namespace) -> int:
    registry = open_registry(options.dir)
    state = registry.gazette().state
    redeemed = count_redeemed(registry, state)
    groups = {one.group for one in state.credit_counts} | redeemed.keys()
    rows: list[dict[str, Json]] = [
        {
            "class": group.word,
            "issued": state.credit_count(group).issued,
            "period": group.period,
            "redeemed": redeemed[group],
            "statute": group.statute.hex(),
        }
        for group in sorted(groups, key=lambda one: (one.statute, one.word, one.period))
    ]
    if options.json:
        terminal.print_json(rows)
        return 0
    for row in rows:
        terminal.say(
            f"law {str(row['statute'])[:12]}  {row['class']:<12}  period {row['period']}  "
            f"issued {row['issued']}  redeemed {row['redeemed']}"
        )
    return 0


def _credit_count(options: argparse.Namespace) -> int:
    registry = open_registry(options.dir)
    statutes = registry.gazette().state.statutes
    number = options.statute or len(statutes)
    if not 1 <= number <= len(statutes):
        raise RefusedError(f"the law has no version {number}")
    group = CreditGroup(
        statute=statutes[number - 1].sha256, word=options.word, period=options.period
    )
    record = credit_count(registry, group, options.issued)
    write_file(options.out, format_record(record))
    issued, redeemed = record.number("issued"), record.number("redeemed")
    if redeemed > issued:
        terminal.note("more are redeemed than were issued: somebody can make credits")
    terminal.say(f"{issued} issued, {redeemed} redeemed: sign {options.out}")
    return 0


def _finalise(options: argparse.Namespace) -> int:
    registry = open_registry(options.dir)
    claims = [filed.claim for filed in registry.store.cases()]
    due = [(claim.hex(), partial(finalise, registry, claim)) for claim in claims]
    write_due(options.out, due)
    return 0


def _enter_publication(options: argparse.Namespace) -> int:
    registry = open_registry(options.dir)
    signed = read_file(options.signed, bytes_max=RECORD_BYTES_MAX)
    claim = filed_as(registry, options.claim).claim if options.claim else None
    enter_publication(registry, claim, signed)
    record = parse_signed(signed).record
    terminal.say(f"{record.word('subject')}: {record.word('standing')}")
    return 0


def _unseal(options: argparse.Namespace) -> int:
    registry = open_registry(options.dir)
    write_secret(options.out, unseal(registry, filed_as(registry, options.claim).claim))
    terminal.say(f"{options.out}: opens the decision; give it to nobody but the court")
    return 0


def _publish(options: argparse.Namespace) -> int:
    count = publish(open_registry(options.dir), options.out, options.captures)
    terminal.say(f"{options.out}: {count} files")
    return 0
