"""`safeconduct statute eval`: what a law makes of a case, and by which of its versions."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from safeconduct.errors import MalformedError
from safeconduct.parties.board.statute_files import (
    Law,
    Source,
    read_case,
    read_law,
    read_source,
    read_versions,
)
from safeconduct.plumbing.clock import seconds
from safeconduct.plumbing.terminal import Verbs, add_verb, note, print_json, say
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.statute.evaluate import (
    Judgement,
    judgement_document,
    tree_hash,
)
from safeconduct.protocol.statute.explain import draw
from safeconduct.protocol.statute.facts import FACTS_BYTES_MAX, read_facts
from safeconduct.protocol.statute.govern import (
    Days,
    Governed,
    annulled_words,
    explained,
    fitting,
    govern,
    judged,
)
from safeconduct.protocol.statute.head import read_moment
from safeconduct.protocol.statute.instant import format_instant
from safeconduct.protocol.statute.phrase import amount_words
from safeconduct.protocol.statute.steps import StepState, owed_steps
from safeconduct.protocol.statute.text import Statute

Value = TypeVar("Value")

DECIDED = 0
UNDETERMINED_EXIT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Apart:
    """One version judged by itself: what courts struck from it, and facts it does not know."""

    statute: Statute
    annulled: tuple[str, ...]
    left_out: tuple[str, ...]


_EPILOG = """\
STATUTE may be a folder with the versions of a law: the version that governs is chosen by the
day of the act, the claim or the decision, as the law says, and the person gets the better of
two results where the law is favourable. Both are told.

Of a single file, --beside names other versions of the law: what they say that a court struck
from this one does not hold, and facts that only they know are left out. With all versions that
were published by then, the tree hash is that of the decision made under this one.

FACTS holds what was asserted, in YAML or canonical JSON:
  facts: {grave_crime_proven: false, confessed: "1996-03-31"}
  lists: {tips: [{logged: 1780000000, acknowledged: ok, grade: unknown}]}
Times are POSIX seconds, [earliest, latest], RFC 3339, or a day, month or year. `unknown` says
that it is being found out, `absent` that it is known not to exist.

exit codes: 0 decided · 3 undetermined, with who owes which fact · 65 malformed, with the place

examples:
  safeconduct statute eval statute.yaml facts.yaml
  safeconduct statute eval statute.yaml facts.yaml --as-of 2027-06-01T00:00:00Z --json
  safeconduct statute eval south-africa/reconciliation-1995 facts.yaml \\
      --act 1994-04-24 --claim 1996-12-01 --as-of 1998-05-01
  safeconduct statute eval statute-1.json facts.json --beside statute-2.json \\
      --as-of 2028-01-05T12:00:00Z
"""


def add_eval_verb(verbs: Verbs) -> None:
    """Add the verb `eval`."""
    words = "say what a statute makes of a case; exit 3 if facts are still open"
    verb = add_verb(verbs, "eval", words, _EPILOG)
    verb.add_argument("statute", type=Path, metavar="STATUTE", help=".yaml, .json or folder")
    verb.add_argument("facts", type=Path, metavar="FACTS", help=".yaml or .json")
    verb.add_argument("--as-of", metavar="T", help="the moment or day to judge at (now)")
    verb.add_argument("--act", metavar="T", help="when the act was done")
    verb.add_argument("--claim", metavar="T", help="when the claim was filed (as-of)")
    verb.add_argument(
        "--beside",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="another version of the law (repeatable)",
    )
    verb.add_argument("--json", action="store_true", help="print the whole proof as JSON")
    verb.set_defaults(run=run_eval)


def run_eval(args: argparse.Namespace) -> int:
    """Print outcome and proof; 0 if decided, 3 if facts are open."""
    return _run_series(args) if args.statute.is_dir() else _run_one(args)


def _run_one(args: argparse.Namespace) -> int:
    if args.act is not None or args.claim is not None:
        raise MalformedError("--act and --claim choose a version: give the law's folder")
    law = read_law(args.statute)
    versions = _with_versions(law, args.beside)
    source = _facts_of(args, law)
    as_of = _moment(args.as_of, "--as-of", law) if args.as_of is not None else seconds()
    applied, judgement = _blamed(
        law, source, lambda: judged(versions, law.statute, source.document, as_of)
    )
    steps = _blamed(law, source, lambda: owed_steps(applied, judgement.given, as_of))
    apart = _Apart(
        statute=applied,
        annulled=annulled_words(versions, law.statute, as_of),
        left_out=fitting(source.document, law.statute, versions)[1] if args.beside else (),
    )
    return _report(args, judgement, steps, apart)


def _facts_of(args: argparse.Namespace, law: Law) -> Source:
    """The facts; one version alone must know all of them."""
    if args.beside:
        return read_source(args.facts, FACTS_BYTES_MAX)
    return read_case(args.facts, law.statute)[0]


def _with_versions(law: Law, paths: list[Path]) -> list[Statute]:
    """The versions of a law in these files, among them its own, in their order."""
    found = {law.statute.version.number: law.statute}
    for path in paths:
        other = read_law(path)
        if other.statute.id != law.statute.id:
            message = f"statute.id: is not {law.statute.id}, the law beside which it is given"
            raise MalformedError(other.source.located(message))
        number = other.statute.version.number
        if number in found:
            message = f"version.number: version {number} was given already"
            raise MalformedError(other.source.located(message))
        found[number] = other.statute
    return [found[number] for number in sorted(found)]


def _run_series(args: argparse.Namespace) -> int:
    if args.beside:
        raise MalformedError("--beside goes with one file: a folder holds all versions")
    laws = read_versions(args.statute)
    newest = laws[-1]
    decision = _moment(args.as_of, "--as-of", newest) if args.as_of is not None else seconds()
    days = Days(
        act=None if args.act is None else _moment(args.act, "--act", newest),
        claim=decision if args.claim is None else _moment(args.claim, "--claim", newest),
        decision=decision,
    )
    source = read_source(args.facts, FACTS_BYTES_MAX)
    versions = [law.statute for law in laws]
    governed = _blamed(newest, source, lambda: govern(versions, source.document, days))
    steps = _blamed(newest, source, lambda: _steps(governed.statute, source, decision))
    return _report(args, governed.judgement, steps, governed)


_OF_THE_LAW = ("calendar", "section", "version")  # what a fault of the law begins with


def _blamed(law: Law, facts: Source, judge: Callable[[], Value]) -> Value:
    """What `judge` makes of both, with a fault shown in the file that it lies in."""
    try:
        return judge()
    except MalformedError as error:
        faulty = law.source if error.message.startswith(_OF_THE_LAW) else facts
        raise MalformedError(faulty.located(error.message), hint=error.hint) from error


def _steps(statute: Statute, source: Source, as_of: int) -> tuple[StepState, ...]:
    document, _ = fitting(source.document, statute)
    facts = read_facts(document, statute.facts, calendar=statute.calendar)
    return owed_steps(statute, facts, as_of)


def _moment(text: str, what: str, law: Law) -> int:
    return read_moment(text, what, law.statute.calendar)


def _report(
    args: argparse.Namespace,
    judgement: Judgement,
    steps: tuple[StepState, ...],
    told: "Governed | _Apart",
) -> int:
    if args.json:
        print_json(_document(judgement, steps, told))
    else:
        say(draw(judgement).rstrip("\n"))
        for line in (*_more(judgement), *map(_step_line, steps)):
            say(line)
        say(f"tree hash {tree_hash(judgement).hex()}")
        _say_governed(told)
    return DECIDED if judgement.decided else _report_open(judgement)


def _document(
    judgement: Judgement, steps: tuple[StepState, ...], told: "Governed | _Apart"
) -> Json:
    document = judgement_document(judgement)
    assert isinstance(document, dict)
    if steps:
        document = {**document, "steps": [_step_document(each) for each in steps]}
    if isinstance(told, Governed):
        return {**document, "governed": _governed_document(told)}
    apart: dict[str, Json] = {"annulled": list(told.annulled), "left_out": list(told.left_out)}
    return {**document, **{key: value for key, value in apart.items() if value}}


def _governed_document(governed: Governed) -> Json:
    competing: Json = None
    if governed.competing is not None:
        statute, judgement = governed.competing
        competing = {
            "version": statute.version.number,
            "judgement": judgement_document(judgement),
        }
    return {
        "version": governed.statute.version.number,
        "basis": governed.basis,
        "competing": competing,
        "annulled": list(governed.annulled),
        "left_out": list(governed.left_out),
    }


def _step_document(step: StepState) -> Json:
    return {
        "name": step.name,
        "state": step.state,
        "due": step.due_at,
        "latest_due": step.latest_due_at,
        "owed_by": step.owed_by,
        "section": step.section,
        "breached_by": step.breached_by,
    }


def _more(judgement: Judgement) -> list[str]:
    """Standing, amount and items, where the outcome has them."""
    lines = []
    if judgement.standing:
        lines.append(f"standing {judgement.standing}")
    if judgement.amount is not None:
        lines.append(f"amount {amount_words(judgement.amount)}")
    for each in judgement.items:
        lines.append(f"{each.item}: {each.outcome} ({', '.join(each.sections)})")
    return lines


def _step_line(step: StepState) -> str:
    due = "" if step.due_at is None else f", due {format_instant(step.due_at)}"
    breach = "" if not step.breached_by else f", {step.breached_by} seconds late"
    return (
        f"step {step.name}: {step.state}{due}{breach}, owed by {step.owed_by} "
        f"(section {step.section})"
    )


def _say_governed(told: "Governed | _Apart") -> None:
    number = told.statute.version.number
    if isinstance(told, Governed):
        say(explained(told))
        if told.competing is not None:
            statute, judgement = told.competing
            say(f"competing: version {statute.version.number}: {judgement.outcome}")
    for words in told.annulled:
        say(f"annulled: {words}")
    for name in told.left_out:
        note(f"left out: version {number} knows no fact {name}")


def _report_open(judgement: Judgement) -> int:
    for each in judgement.open_facts:
        note(f"open: {each.fact}, owed by {each.owed_by}, section {each.section}")
    return UNDETERMINED_EXIT
