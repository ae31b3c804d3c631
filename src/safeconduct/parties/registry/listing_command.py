"""`safeconduct register list` and `register import`: the clerk's work on listings."""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

from safeconduct.errors import MalformedError
from safeconduct.parties.registry import enlist, enlist_decide, enlist_final, hearing
from safeconduct.parties.registry.due import write_due
from safeconduct.parties.registry.duties import listings_of, owed, registration
from safeconduct.parties.registry.foreign_lists import FORMATS
from safeconduct.parties.registry.importing import Plan, carry_out, plan_import
from safeconduct.parties.registry.receive import Registry, open_registry
from safeconduct.parties.registry.registrations import Listed
from safeconduct.plumbing import terminal
from safeconduct.plumbing.authored import AUTHORED_BYTES_MAX, parse_authored
from safeconduct.plumbing.durable import read_file, write_file
from safeconduct.protocol.canonical import Json, decode_text
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.listing.hearing import OUTCOMES
from safeconduct.protocol.record import RECORD_BYTES_MAX, format_record, parse_signed
from safeconduct.protocol.registration import (
    CAUSES,
    JUDGEMENTS,
    REGISTERED,
    RESULTS,
    dossier_of,
)
from safeconduct.protocol.statute.instant import format_instant
from safeconduct.protocol.votes import VOTES_BYTES_MAX

TEXT_BYTES_MAX = 128 << 10

_LIST = """\
A listing goes from a file to the Gazette one step at a time, and nobody else sees anything of
it before the last. Each verb may be given again; it goes on from where it stopped:

  $ safeconduct register list propose person.yaml --dir register
  listing 1
  $ safeconduct register list notify 1 --dir register
  $ safeconduct register list decide 1 --dir register --out decision.record
  $ safeconduct board sign decision.record --key member/key
  $ safeconduct register list enter 1 decision.record --dir register
  $ safeconduct register list finalise --dir register --out drafts
  $ safeconduct register list publish 1 drafts/1.record --dir register

Votes go with `decide` and `appeal-decision` as a document whose `on` is the `votes_on` of
`register list show`. An appeal panel always votes.
"""

_IMPORT = """\
Takes over a list that somebody else made: FollowTheMoney entities, a JSON object a line, or CSV
with the columns subject, name, and any of ground, role, conduct, harm, time_since, weight,
identity, evidence, birth_date, since. Everybody in it begins as proposed: nobody is listed
without an assessment of their own and a hearing. One fault, and nothing is taken over.
--dry-run says what would be done, and every fault with its line, and does nothing:

  $ safeconduct register import list.csv --format csv --dry-run --dir register
  3 to add, 0 to change, 1 to leave alone, 0 faults
"""

_Run = Callable[[argparse.Namespace], int]


def add_verbs(verbs: terminal.Verbs) -> None:
    """Define `list`, with verbs of its own, and `import`."""
    listing = verbs.add_parser(
        "list",
        help="take a person's listing from a file to the Gazette",
        description=_LIST,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    of_list = listing.add_subparsers(title="verbs", metavar="VERB", required=True)
    _add_beginnings(of_list)
    _add_decisions(of_list)
    _add_later(of_list)
    imported = _verb(verbs, "import", "take over somebody else's list", _IMPORT, _import)
    imported.add_argument("file", type=Path, metavar="FILE")
    imported.add_argument("--format", choices=sorted(FORMATS), required=True)
    imported.add_argument("--dry-run", action="store_true", help="say what would be done")
    imported.add_argument("--json", action="store_true", help="for other programs")


def _verb(
    verbs: terminal.Verbs, name: str, summary: str, example: str, run: _Run
) -> argparse.ArgumentParser:
    verb = terminal.add_verb(verbs, name, summary, example)
    verb.add_argument("--dir", type=Path, required=True, help="folder of this register")
    verb.set_defaults(run=run)
    return verb


def _numbered(
    verbs: terminal.Verbs, name: str, summary: str, run: _Run
) -> argparse.ArgumentParser:
    verb = _verb(verbs, name, summary, _example(name), run)
    verb.add_argument("number", type=int, metavar="LISTING", help="number of the listing")
    return verb


def _example(name: str) -> str:
    return f"  $ safeconduct register list {name} … --dir register\n"


def _add_beginnings(verbs: terminal.Verbs) -> None:
    every = _verb(verbs, "all", "list all listings", _example("all"), _all)
    every.add_argument("--json", action="store_true", help="for other programs")
    due = _verb(
        verbs, "due", "what is owed, until when, and what was late", _example("due"), _due
    )
    due.add_argument("--json", action="store_true", help="for other programs")
    shown = _numbered(verbs, "show", "show one listing", _show)
    shown.add_argument("--json", action="store_true", help="for other programs")
    proposed = _verb(verbs, "propose", "enter a file", _example("propose FILE"), _propose)
    proposed.add_argument("file", type=Path, metavar="FILE", help="person and assessment")
    _numbered(verbs, "notify", "tell the person, and have the notice dated", _notify)
    replied = _numbered(verbs, "reply", "enter a reply that came on paper", _reply)
    replied.add_argument("file", type=Path, metavar="FILE", help="the reply as text")


def _add_decisions(verbs: terminal.Verbs) -> None:
    drafted = _numbered(verbs, "decide", "draft the board's decision", _decide)
    drafted.add_argument("--outcome", choices=sorted(OUTCOMES), default=REGISTERED)
    drafted.add_argument("--votes", type=Path, metavar="FILE", help="the votes document")
    drafted.add_argument("--out", type=Path, required=True, metavar="DRAFT")
    entered = _numbered(verbs, "enter", "enter a signed decision", _enter)
    entered.add_argument("signed", type=Path, metavar="SIGNED")
    judged = _numbered(
        verbs, "appeal-decision", "draft the appeal panel's decision", _appeal_decision
    )
    judged.add_argument("--result", choices=sorted(RESULTS), required=True)
    judged.add_argument(
        "--reasons", type=Path, required=True, metavar="FILE", help="published if it is upheld"
    )
    judged.add_argument(
        "--votes", type=Path, required=True, metavar="FILE", help="the votes document"
    )
    judged.add_argument("--out", type=Path, required=True, metavar="DRAFT")
    final = _verb(
        verbs, "finalise", "draft the publications due", _example("finalise"), _finalise
    )
    final.add_argument("--out", type=Path, required=True, metavar="DIR")
    published = _numbered(verbs, "publish", "enter a signed publication", _publish)
    published.add_argument("signed", type=Path, metavar="SIGNED")


def _add_later(verbs: terminal.Verbs) -> None:
    reviewed = _numbered(verbs, "review", "note that the board looked again", _review)
    reviewed.add_argument("--found", required=True, metavar="TEXT")
    judged = _numbered(verbs, "identity", "judge whether this is the person meant", _identity)
    judged.add_argument("--judgement", choices=sorted(JUDGEMENTS), required=True)
    judged.add_argument("--evidence", required=True, metavar="TEXT")
    corrected = _numbered(verbs, "correct", "note that a file was wrong", _correct)
    for name in ("field", "was", "is", "evidence"):
        corrected.add_argument(f"--{name}", required=True, metavar="TEXT")
    ended = _numbered(verbs, "end", "end a listing, and draft what is published", _end)
    ended.add_argument("--cause", choices=sorted(CAUSES - {"acquitted"}), required=True)
    ended.add_argument("--reasons", required=True, metavar="TEXT")
    ended.add_argument("--out", type=Path, metavar="DRAFT", help="if it was public")


def _all(options: argparse.Namespace) -> int:
    registry = open_registry(options.dir)
    state = registry.gazette().state
    rows = [_row(registry, state, listed) for listed in listings_of(registry).all()]
    if options.json:
        terminal.print_json(rows)
        return 0
    for row in rows:
        terminal.say(
            f"{row['number']:>4}  {row['state']:<9}  {row['subject']:<10}  {row['name']}"
        )
    return 0


def _row(registry: Registry, state: GazetteState, listed: Listed) -> dict[str, Json]:
    found = registration(registry, state, listed.number)
    dossier = dossier_of(found.course)
    days = {
        "reply_until": found.last_reply_at,
        "appeal_until": found.last_appeal_at,
        "review_by": found.review_on,
        "ends": found.ends_at,
    }
    return {
        "cause": found.cause,
        "days": {name: format_instant(at) for name, at in days.items() if at is not None},
        "name": dossier.name,
        "number": listed.number,
        "page": listed.page.hex(),
        "state": found.state,
        "subject": listed.subject,
    }


def _due(options: argparse.Namespace) -> int:
    """The exit status is 0 whether or not something is late: the answer says so."""
    registry = open_registry(options.dir)
    found = [one for one in owed(registry) if one.duty.done_at is None or one.duty.breached]
    rows: list[dict[str, Json]] = [
        {
            "breached": one.duty.breached,
            "done": None if one.duty.done_at is None else format_instant(one.duty.done_at),
            "due": format_instant(one.duty.due_at),
            "duty": one.duty.name,
            "listing": one.listed.number,
            "owed_by": one.duty.owed_by,
        }
        for one in sorted(found, key=lambda one: one.duty.due_at)
    ]
    if options.json:
        terminal.print_json(rows)
        return 0
    for row in rows:
        late = "LATE" if row["breached"] else "due"
        done = f", done {row['done']}" if row["done"] else ""
        terminal.say(
            f"{late:<4}  {row['due']}  listing {row['listing']}  {row['duty']} "
            f"by the {row['owed_by']}{done}"
        )
    return 0


def _show(options: argparse.Namespace) -> int:
    registry = open_registry(options.dir)
    listed = listings_of(registry).listed(options.number)
    row = _row(registry, registry.gazette().state, listed)
    events = listings_of(registry).events(listed.number)
    row["events"] = [f"{format_instant(event.at)} {event.kind}" for event in events]
    on = enlist_decide.votes_on(listings_of(registry).course(listed.number))
    row["votes_on"] = on.hex() if on is not None else ""
    if options.json:
        terminal.print_json(row)
        return 0
    for name, value in row.items():
        for each in value if isinstance(value, list) else [value]:
            terminal.say(f"{name:<8} {each}")
    return 0


def _propose(options: argparse.Namespace) -> int:
    data = read_file(options.file, bytes_max=AUTHORED_BYTES_MAX)
    listed = enlist.propose(open_registry(options.dir), parse_authored(data, options.file.name))
    terminal.say(f"listing {listed.number}")
    return 0


def _notify(options: argparse.Namespace) -> int:
    told = enlist.notify(open_registry(options.dir), options.number)
    terminal.say(f"dated {format_instant(told.logged_by)}")
    terminal.say(f"reply until {format_instant(told.last_reply_at)}")
    terminal.say(f"letter {told.letter}")
    return 0


def _reply(options: argparse.Namespace) -> int:
    registry = open_registry(options.dir)
    page = listings_of(registry).listed(options.number).page
    said = hearing.reply(registry, page, _text(options.file))
    terminal.say(f"logged {said.hex()}")
    return 0


def _decide(options: argparse.Namespace) -> int:
    votes = b"" if options.votes is None else _votes(options.votes)
    registry = open_registry(options.dir)
    draft = enlist_decide.draft_decision(registry, options.number, options.outcome, votes)
    write_file(options.out, draft)
    terminal.say(f"{options.outcome}: sign {options.out}")
    return 0


def _enter(options: argparse.Namespace) -> int:
    signed = read_file(options.signed, bytes_max=RECORD_BYTES_MAX)
    entered = enlist_decide.enter(open_registry(options.dir), options.number, signed)
    terminal.say(f"dated {format_instant(entered.logged_by)}")
    if entered.last_appeal_at is not None:
        terminal.say(f"appeal until {format_instant(entered.last_appeal_at)}")
    terminal.say(f"letter {entered.letter}")
    return 0


def _appeal_decision(options: argparse.Namespace) -> int:
    draft = enlist_decide.draft_appeal_decision(
        open_registry(options.dir),
        options.number,
        options.result,
        _text(options.reasons),
        _votes(options.votes),
    )
    write_file(options.out, draft)
    terminal.say(f"{options.result}: the appeal panel signs {options.out}")
    return 0


def _finalise(options: argparse.Namespace) -> int:
    registry = open_registry(options.dir)
    numbers = [listed.number for listed in listings_of(registry).all()]
    due = [(str(one), partial(enlist_final.finalise, registry, one)) for one in numbers]
    write_due(options.out, due)
    return 0


def _publish(options: argparse.Namespace) -> int:
    registry = open_registry(options.dir)
    signed = read_file(options.signed, bytes_max=RECORD_BYTES_MAX)
    record = parse_signed(signed, "publication").record
    enter = enlist_final.publish_listing
    if record.word("standing") != REGISTERED:
        enter = enlist_final.publish_end
    enter(registry, options.number, signed)
    terminal.say(f"{record.word('subject')}: {record.word('standing')}")
    return 0


def _review(options: argparse.Namespace) -> int:
    enlist_final.review(open_registry(options.dir), options.number, options.found)
    return 0


def _identity(options: argparse.Namespace) -> int:
    enlist_final.judge_identity(
        open_registry(options.dir), options.number, options.judgement, options.evidence
    )
    return 0


def _correct(options: argparse.Namespace) -> int:
    change = {name: getattr(options, name) for name in ("was", "is", "evidence")}
    enlist_final.correct(open_registry(options.dir), options.number, options.field, change)
    return 0


def _end(options: argparse.Namespace) -> int:
    record = enlist_final.end(
        open_registry(options.dir), options.number, options.cause, options.reasons
    )
    if record is None or options.out is None:
        terminal.say(f"ended: {options.cause}")
        return 0
    write_file(options.out, format_record(record))
    terminal.say(f"ended: {options.cause}; sign {options.out}")
    return 0


def _import(options: argparse.Namespace) -> int:
    registry = open_registry(options.dir)
    plan = plan_import(registry, options.file, options.format)
    if options.json:
        terminal.print_json(_plan_document(plan))
    else:
        _say_plan(plan)
    if plan.faults:
        return 65  # nothing is taken over from a list with a fault in it
    if not options.dry_run:
        carry_out(registry, plan)
    return 0


def _plan_document(plan: Plan) -> dict[str, Json]:
    return {
        "add": [one.dossier.subject for one in plan.add],
        "change": [one.dossier.subject for one in plan.change],
        "faults": [{"line": one.line, "message": one.message} for one in plan.faults],
        "leave_alone": [one.dossier.subject for one in plan.same],
    }


def _say_plan(plan: Plan) -> None:
    for fault in plan.faults:
        terminal.note(f"line {fault.line}: {fault.message}")
    for word, rows in (("add", plan.add), ("change", plan.change)):
        for row in rows:
            terminal.note(f"{word}  line {row.line}  {row.dossier.subject}  {row.dossier.name}")
    terminal.say(
        f"{len(plan.add)} to add, {len(plan.change)} to change, {len(plan.same)} to leave "
        f"alone, {len(plan.faults)} faults"
    )


def _votes(path: Path) -> bytes:
    """A file's bytes; an empty one must not pass for a decision without votes."""
    data = read_file(path, bytes_max=VOTES_BYTES_MAX)
    if not data:
        raise MalformedError(f"{path}: empty")
    return data


def _text(path: Path) -> str:
    return decode_text(read_file(path, bytes_max=TEXT_BYTES_MAX), str(path))
