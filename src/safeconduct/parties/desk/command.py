"""`safeconduct desk`: keys, tips, votes, assessments, replies, and the assessors' console."""

import argparse
from pathlib import Path

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.parties.desk import (
    aside_command,
    assessment_command,
    credit_command,
    keys_command,
    open_command,
)
from safeconduct.parties.desk.assess import assess, keep_statement
from safeconduct.parties.desk.console import CODE_FILE, load_code
from safeconduct.parties.desk.desk import open_desk
from safeconduct.parties.desk.epoch import new_epoch
from safeconduct.parties.desk.keys_command import find_tip
from safeconduct.parties.desk.pull import pull
from safeconduct.parties.desk.reply import reply
from safeconduct.parties.desk.site import LOOPBACK, make_site
from safeconduct.parties.desk.unseal import unseal_all
from safeconduct.parties.desk.view import Page, Summary, as_json, show, summarise
from safeconduct.parties.desk.vote import grade
from safeconduct.plumbing import terminal, web
from safeconduct.plumbing.durable import read_file
from safeconduct.plumbing.programme import load_programme
from safeconduct.protocol.assessment.grade import CREDIBILITY, RELIABILITY
from safeconduct.protocol.canonical import parse_hex
from safeconduct.protocol.record import NO_HASH, format_record
from safeconduct.protocol.statute.instant import format_instant, parse_instant

TEXT_FILE_BYTES_MAX = 1 << 20

_NEW_EPOCH = """\
Makes the keys of an epoch and prints the record that the board must sign into the Gazette.
Asked again, it prints the same record:

  $ safeconduct desk new-epoch --dir desk --number 1 \\
        --opens 2027-01-01T00:00:00Z --closes 2027-07-01T00:00:00Z > epoch-1.record

From the second epoch on, --previous is the record hash of the one before.
"""

_PULL = """\
Fetches what the door has signed for, opens and acknowledges it, and tells each source. All of
it may be stopped at any point and run again:

  $ safeconduct desk pull --dir desk
  tip-1  ok
"""

_LIST = """\
  $ safeconduct desk list --dir desk
  tip-1  2027-03-02T18:00:05Z  ok  useful  9d3f…
"""

_SHOW = """\
HASH is the tip's record hash, or the first digits of it:

  $ safeconduct desk show 9d3f --dir desk --json
"""

_GRADE = """\
Hands in one assessor's vote, sealed: nobody sees it before all have voted, and it cannot be
changed. The seal that is printed may be kept, to check the opened vote against:

  $ safeconduct desk grade 9d3f --dir desk --assessor 'Anna K.' --reliability B \\
        --credibility 2 --accuses 'the deputy director' --reasons 'Matches the ledger of May.'
"""

_ASSESS = """\
Weighs a tip whose votes are open, and logs its grade. Run again when more is known: if anything
has changed, a new version is logged.

  $ safeconduct desk assess 9d3f --dir desk
  tip-1  useful
"""

_REPLY = """\
  $ echo 'Which month was it?' > question.txt
  $ safeconduct desk reply 9d3f --dir desk --text-file question.txt
"""

_STATEMENT = """\
Keeps the text of a public statement, to compare tips with, and prints its id:

  $ safeconduct desk keep-statement --dir desk --text-file speech.txt \\
        --speaker 'the deputy director'
  statement-09af33c2d1e0
"""

_SERVE = """\
Shows the assessors' console on this machine only. The code to sign in with stands in the file
console.code of the desk's folder:

  $ safeconduct desk serve --dir desk --listen 127.0.0.1:8400
"""

_TOPICS = (keys_command, credit_command, open_command, assessment_command, aside_command)
_Verbs = argparse._SubParsersAction  # the type that add_subparsers returns has no public name


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the verbs of `safeconduct desk`."""
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    _add_new_epoch(verbs)
    for topic in _TOPICS:
        topic.add_verbs(verbs)
    _verb(verbs, "pull", "fetch, open and acknowledge tips", _PULL).set_defaults(run=_pull)
    listed = _verb(verbs, "list", "list the tips", _LIST)
    listed.add_argument("--json", action="store_true", help="for other programs")
    listed.add_argument("--aside", action="store_true", help="those that were set aside")
    listed.set_defaults(run=_list)
    shown = _tip_verb(verbs, "show", "show one tip", _SHOW)
    shown.add_argument("--json", action="store_true", help="for other programs")
    shown.set_defaults(run=_show)
    _add_grade(verbs)
    _tip_verb(verbs, "assess", "weigh a tip and log its grade", _ASSESS).set_defaults(
        run=_assess
    )
    replied = _tip_verb(verbs, "reply", "answer a source", _REPLY)
    replied.add_argument("--text-file", type=Path, required=True, metavar="FILE")
    replied.set_defaults(run=_reply)
    kept = _verb(verbs, "keep-statement", "keep a public statement to compare", _STATEMENT)
    kept.add_argument("--text-file", type=Path, required=True, metavar="FILE")
    kept.add_argument("--speaker", default="", help="who said it, if known")
    kept.set_defaults(run=_keep_statement)
    served = _verb(verbs, "serve", "show the assessors' console", _SERVE)
    served.add_argument("--listen", required=True, metavar="HOST:PORT", help="on loopback")
    served.set_defaults(run=_serve)


def _verb(
    verbs: "_Verbs[argparse.ArgumentParser]", name: str, summary: str, example: str
) -> argparse.ArgumentParser:
    verb = verbs.add_parser(
        name,
        help=summary,
        description=summary.capitalize() + ".",
        epilog=example,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verb.add_argument("--dir", type=Path, required=True, help="folder of this desk")
    return verb


def _tip_verb(
    verbs: "_Verbs[argparse.ArgumentParser]", name: str, summary: str, example: str
) -> argparse.ArgumentParser:
    verb = _verb(verbs, name, summary, example)
    verb.add_argument("hash", metavar="HASH", help="record hash, or its first digits")
    return verb


def _add_new_epoch(verbs: "_Verbs[argparse.ArgumentParser]") -> None:
    verb = _verb(verbs, "new-epoch", "make the keys of an epoch", _NEW_EPOCH)
    verb.add_argument("--number", type=int, required=True, help="counted from 1")
    verb.add_argument("--previous", default=NO_HASH.hex(), metavar="HASH")
    verb.add_argument("--opens", required=True, metavar="INSTANT")
    verb.add_argument("--closes", required=True, metavar="INSTANT")
    verb.set_defaults(run=_new_epoch)


def _add_grade(verbs: "_Verbs[argparse.ArgumentParser]") -> None:
    verb = _tip_verb(verbs, "grade", "hand in a sealed vote", _GRADE)
    verb.add_argument("--assessor", required=True, metavar="NAME")
    verb.add_argument("--reliability", required=True, choices=list(RELIABILITY))
    verb.add_argument("--credibility", required=True, type=int, choices=list(CREDIBILITY))
    verb.add_argument("--accuses", nargs="*", default=[], metavar="NAME")
    verb.add_argument("--by", default="", metavar="NAME", help="whom it names as its author")
    verb.add_argument("--supported-by", nargs="*", default=[], metavar="PIECE")
    verb.add_argument("--denied-by", nargs="*", default=[], metavar="PIECE")
    verb.add_argument("--reasons", required=True, metavar="TEXT")
    verb.set_defaults(run=_grade)


def _new_epoch(arguments: argparse.Namespace) -> int:
    record = new_epoch(
        arguments.dir,
        load_programme(arguments.dir).hash,
        arguments.number,
        parse_hex(arguments.previous, len(NO_HASH), "--previous"),
        parse_instant(arguments.opens, "--opens"),
        parse_instant(arguments.closes, "--closes"),
    )
    terminal.say(format_record(record).decode("ascii").removesuffix("\n"))
    return 0


def _pull(arguments: argparse.Namespace) -> int:
    desk = open_desk(arguments.dir)
    with terminal.waiting("fetching tips"):
        came = pull(desk, terminal.note)
    with terminal.waiting("opening and acknowledging"):
        steps = unseal_all(desk)
    terminal.note(f"{len(came)} new")
    for step in steps:
        tip = summarise(desk, desk.store.tip(step.hash))
        terminal.say(f"{tip.id}  {step.status or 'not opened'}")
        if step.trouble:
            terminal.warn(f"{tip.id}: {step.trouble}")
    for held in desk.store.held_back():
        terminal.warn(f"the door's number {held.place} is held back: {held.reason}")
    return 0


def _list(arguments: argparse.Namespace) -> int:
    desk = open_desk(arguments.dir)
    held = [summarise(desk, tip) for tip in desk.store.tips()]
    tips = [tip for tip in held if tip.aside == arguments.aside]
    if len(tips) < len(held) and not arguments.aside:
        terminal.note(f"{len(held) - len(tips)} set aside: `list --aside` shows them")
    if arguments.json:
        terminal.print_json([as_json(tip) for tip in tips])
        return 0
    for tip in tips:
        terminal.say(_line(tip))
    return 0


def _line(tip: Summary) -> str:
    words = [
        tip.id,
        format_instant(tip.logged_by),
        tip.status or "not-opened",
        tip.grade or "not-graded",
        *tip.flags,
        *([tip.continues] if tip.continues else []),
        *([f"WITHDRAWN {format_instant(tip.withdrawn_at)}"] if tip.withdrawn_at else []),
        tip.hash,
    ]
    return "  ".join(words)


def _show(arguments: argparse.Namespace) -> int:
    desk = open_desk(arguments.dir)
    page = show(desk, desk.store.tip(find_tip(desk, arguments.hash)))
    if arguments.json:
        terminal.print_json(as_json(page))
        return 0
    terminal.say(_line(page.summary), colour="bold")
    for later in page.after:
        terminal.say(f"continued by {later.id}  {later.hash}")
    for file in page.files:
        terminal.say(f"\n{file.path}  {file.size} bytes  {file.name}", colour="dim")
        for answer in file.answers:
            terminal.say(_quoted(answer.ask), colour="bold")
            said = ", ".join(answer.said or answer.given)
            terminal.say(_quoted(f"  {said}") if said else "  not answered")
        if file.text is not None and not file.answers:
            terminal.say(_quoted(file.text))
    _say_weighing(page)
    return 0


def _quoted(text: str) -> str:
    """Text from a tip, marked line by line: no line of it can pass for one of ours."""
    return "\n".join(f"│ {line}" for line in text.split("\n"))


def _say_weighing(page: Page) -> None:
    tip = page.summary
    terminal.say(f"\nvotes: {tip.votes} of {tip.votes_due}. {page.rule}".rstrip())
    for vote in page.votes:
        said = f": {vote.grade} {vote.reasons}" if page.open else f": sealed {vote.seal}"
        terminal.say(f"  {vote.assessor}{said}")
    for found in page.findings:
        terminal.say(f"{found.kind}: {found.words} ({', '.join(found.because)})")
    for said_before in page.replies:
        posted = "posted" if said_before.posted else "not posted yet"
        terminal.say(f"reply {said_before.counter}, {posted}: {said_before.text}")


def _grade(arguments: argparse.Namespace) -> int:
    desk = open_desk(arguments.dir)
    seal = grade(
        desk.store,
        arguments.assessor,
        find_tip(desk, arguments.hash),
        arguments.reliability,
        arguments.credibility,
        arguments.accuses,
        arguments.reasons,
        by=arguments.by,
        supported_by=arguments.supported_by,
        denied_by=arguments.denied_by,
    )
    terminal.say(seal.hex())
    return 0


def _assess(arguments: argparse.Namespace) -> int:
    desk = open_desk(arguments.dir)
    digest = find_tip(desk, arguments.hash)
    with terminal.waiting("logging the grade"):
        made = assess(desk, digest)
    tip = summarise(desk, desk.store.tip(digest))
    terminal.say("  ".join([tip.id, made.grade, *tip.flags]))
    return 0


def _reply(arguments: argparse.Namespace) -> int:
    desk = open_desk(arguments.dir)
    with terminal.waiting("posting"):
        reply(desk, find_tip(desk, arguments.hash), _text(arguments.text_file))
    return 0


def _keep_statement(arguments: argparse.Namespace) -> int:
    desk = open_desk(arguments.dir)
    text = _text(arguments.text_file)
    terminal.say(keep_statement(desk.store, text, arguments.speaker))
    return 0


def _serve(arguments: argparse.Namespace) -> int:
    host = arguments.listen.rpartition(":")[0]
    if host not in LOOPBACK:
        raise RefusedError(
            f"the console is shown on this machine only, not on {host or 'every address'}",
            hint="listen on 127.0.0.1",
        )
    desk = open_desk(arguments.dir)
    try:
        site = make_site(desk, load_code(arguments.dir, desk.random_bytes))
        terminal.note(f"the code to sign in with: {arguments.dir / CODE_FILE}")
        web.serve(site, arguments.listen, ready=lambda url: terminal.say(f"listening on {url}"))
    finally:
        desk.store.close()
    return 0


def _text(path: Path) -> str:
    try:
        return read_file(path, bytes_max=TEXT_FILE_BYTES_MAX).decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise MalformedError(f"{path}: not UTF-8 text") from error
