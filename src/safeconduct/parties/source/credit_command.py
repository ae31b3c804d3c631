"""`safeconduct source credit`: ask for a credit that was offered, and see what came of it."""

import argparse
from pathlib import Path

from safeconduct.errors import RefusedError
from safeconduct.parties.source.credit import Standing, ask, look
from safeconduct.parties.source.options import add_common, ask_words, check_number
from safeconduct.parties.source.send import Wait, no_wait
from safeconduct.plumbing import clock, dice, terminal
from safeconduct.plumbing.circuits import Circuits
from safeconduct.plumbing.durable import write_secret
from safeconduct.plumbing.programme import load_programme
from safeconduct.plumbing.terminal import Verbs
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.gazette import CreditGroup, credit_terms
from safeconduct.protocol.statute.instant import format_instant

EXAMPLE = """\
If the desk has offered a credit for contribution 0, this asks for it; run again some days
later, it shows what came. The words are asked for, or read from standard input:

  $ safeconduct source credit --programme programme/ --number 0
  asked: a blind credit of class useful, period 1

Nothing is kept: the same words bring the credit back each time. Claim with it weeks later, at a
time that you draw by lot, and on another way than you have looked here; and only when the board
counts enough credits of the same kind, since you hide among their holders.
"""

ADVICE = (
    "Claim with it at a time that you draw by lot, some weeks from now: not today, and not on"
    " the way by which you have looked here."
)


def add_verbs(verbs: Verbs) -> None:
    """Add `credit` to the verbs of a source."""
    parser = terminal.add_verb(verbs, "credit", "ask for a credit, and see what came", EXAMPLE)
    add_common(parser)
    parser.add_argument("--number", type=int, default=0, metavar="N", help="which contribution")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="writes the credit; it shows that you helped"
    )
    parser.add_argument(
        "--again", action="store_true", help="ask once more, if the request was lost on its way"
    )
    parser.set_defaults(run=run_credit)


def run_credit(
    options: argparse.Namespace, *, wait: Wait = no_wait, circuits: Circuits | None = None
) -> int:
    """`credit`: look, ask if it was offered and not asked for, and tell how it stands."""
    check_number(options.number)
    programme = load_programme(options.programme)
    standing = look(programme, ask_words(options), options.number, circuits=circuits)
    lost = standing.asked is None or options.again
    asks = standing.group is not None and not standing.credit and lost
    if asks:
        ask(
            programme,
            standing,
            at=clock.seconds(),
            random_bytes=dice.random_bytes,
            report=terminal.note,
            wait=wait,
            circuits=circuits,
        )
    if options.out is not None:
        _write(options.out, standing)
    if options.json:
        terminal.print_json({**_summary(standing), "asked_now": asks})
    else:
        _tell(standing, asks=asks)
    return 0


def _write(path: Path, standing: Standing) -> None:
    if not standing.credit:
        raise RefusedError("there is no credit to write yet", hint="look again in some days")
    terminal.warn(f"{path} shows that you have helped: keep it where only you look")
    write_secret(path, standing.credit)


def _tell(standing: Standing, *, asks: bool) -> None:
    for doubt in standing.doubts:
        terminal.warn(f"something came that does not hold: {doubt}")
    if standing.group is None:
        terminal.say("no credit was offered for this contribution")
    elif standing.credit:
        _tell_credit(standing, standing.group)
    elif asks:
        terminal.say(f"asked: {_named(standing, standing.group)}")
        terminal.say("look again in some days")
    elif standing.asked is not None:
        at = format_instant(standing.asked.logged_by)
        terminal.say(f"asked by {at}: {_named(standing, standing.group)}")
        terminal.say(_waiting(standing.asked.status))


def _waiting(status: str) -> str:
    if status == "ok":
        return "the desk has the request; the board has not answered yet"
    if status:
        return f"the desk could not read the request ({status}): ask with --again"
    return "not acknowledged yet; if that lasts for days, ask with --again"


def _tell_credit(standing: Standing, group: CreditGroup) -> None:
    terms = credit_terms(standing.state, group)
    count = standing.state.credit_count(group)
    end = format_instant(terms.periods[group.period - 1])
    terminal.say(f"you hold {_named(standing, group)}: a tip logged before {end}")
    terminal.say(
        f"issued {count.issued} of the same kind, redeemed {count.redeemed}, as the board"
        f" counted last; they can be redeemed once there are {terms.minimum_issued}"
    )
    terminal.say(ADVICE)


def _named(standing: Standing, group: CreditGroup) -> str:
    scheme = credit_terms(standing.state, group).scheme
    return f"a {scheme} credit of class {group.word}, period {group.period}"


def _summary(standing: Standing) -> dict[str, Json]:
    base: dict[str, Json] = {
        "number": standing.tip.keys.number,
        "offered": standing.group is not None,
        "asked_by": format_instant(standing.asked.logged_by) if standing.asked else None,
        "acknowledged": standing.asked.status if standing.asked else "",
        "held": bool(standing.credit),
        "doubts": list(standing.doubts),
    }
    if standing.group is None:
        return base
    terms = credit_terms(standing.state, standing.group)
    count = standing.state.credit_count(standing.group)
    return base | {
        "class": standing.group.word,
        "period": standing.group.period,
        "logged_before": format_instant(terms.periods[standing.group.period - 1]),
        "scheme": terms.scheme,
        "issued": count.issued,
        "redeemed": count.redeemed,
        "minimum_issued": terms.minimum_issued,
    }
