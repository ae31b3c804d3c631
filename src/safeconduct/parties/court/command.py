"""`safeconduct opening`: check an opened tip, and hand it to a judge.

Exit codes: 0 all holds · 10 something does not · 65 a file does not parse · 75 one is missing.
"""

import argparse
from pathlib import Path

from safeconduct.parties.court.explain import certain, unproven
from safeconduct.parties.court.gazette import Ground, fetch_ground, load_ground
from safeconduct.parties.court.verify import Finding, read_opening, verify
from safeconduct.parties.court.wording import LANGUAGES, say
from safeconduct.plumbing import clock, dice, terminal
from safeconduct.protocol import age

_VERIFY = """\
Says what the folder of an opening proves, and what not:

  $ safeconduct opening verify opened/ --policy policy.txt --gazette public/
  This opening holds.
  …

--gazette is the folder that the programme publishes, or a mirror's copy of its Gazette. Take
the policy from somebody you trust: it says whose word counts for a date. With --programme DIR
instead of both, the Gazette is fetched.
"""

_JUDGE = """\
Verifies the folder, and locks the tip again for one reader, who needs nothing but the stock
tools `age` and `tar`; a page in plain words goes with it:

  $ safeconduct opening judge opened/ --to age1… --out for-the-court \\
        --policy policy.txt --gazette public/
  $ age --decrypt --identity key.txt --output tip.tar for-the-court/tip.age
  $ tar --extract --file tip.tar
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the verbs of `safeconduct opening`."""
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    check = terminal.add_verb(verbs, "verify", "say what an opening proves", _VERIFY)
    _add_common(check)
    check.add_argument("--json", action="store_true", help="print JSON")
    check.set_defaults(run=_verify)
    hand = terminal.add_verb(verbs, "judge", "verify, and lock the tip for a judge", _JUDGE)
    _add_common(hand)
    hand.add_argument("--to", required=True, metavar="AGE1…", help="the judge's age recipient")
    hand.add_argument("--out", type=Path, required=True, help="a new folder")
    hand.set_defaults(run=_judge)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="as it was handed over")
    ground = parser.add_mutually_exclusive_group(required=True)
    ground.add_argument(
        "--gazette", type=Path, metavar="DIR", help="the programme's public folder; offline"
    )
    ground.add_argument(
        "--programme", type=Path, metavar="DIR", help="programme.toml, policy.txt; online"
    )
    parser.add_argument(
        "--policy", type=Path, metavar="FILE", help="whose word counts; with --gazette"
    )
    parser.add_argument(
        "--payload", type=Path, metavar="FILE", help="the sealed bytes, if they lie elsewhere"
    )
    parser.add_argument("--language", choices=sorted(LANGUAGES), default="en")
    parser.set_defaults(usage_error=parser.error)


def _verify(options: argparse.Namespace) -> int:
    handed = read_opening(options.folder, options.payload)
    finding = verify(handed, _ground(options))
    if options.json:
        terminal.print_json(finding.as_value())
    else:
        _say(finding, options.language)
    return 0


def _say(finding: Finding, language: str) -> None:
    terminal.say(say(language, "holds"), colour="green")
    for heading, lines in {
        "certain": certain(finding, language),
        "open": unproven(finding, language),
    }.items():
        terminal.say(f"\n{say(language, heading)}")
        for line in lines:
            terminal.say(f"- {line}")


def _judge(options: argparse.Namespace) -> int:
    # Here and not above: who only verifies needs no templates installed.
    from safeconduct.parties.court.judge import judge

    recipient = age.parse_recipient(options.to)
    handed = read_opening(options.folder, options.payload)
    finding = verify(handed, _ground(options))
    judge(
        handed,
        finding,
        recipient,
        options.out,
        language=options.language,
        at=clock.seconds(),
        random_bytes=dice.random_bytes,
    )
    if isinstance(recipient, age.HybridRecipient):
        terminal.warn("an age1pq1… recipient needs an `age` of version 1.3 or later")
    terminal.say(str(options.out))
    return 0


def _ground(options: argparse.Namespace) -> Ground:
    if options.programme is not None:
        if options.policy is not None:
            options.usage_error("--programme DIR has its policy.txt with it")
        return fetch_ground(options.programme)
    if options.policy is None:
        options.usage_error("--gazette needs --policy FILE")
    return load_ground(options.policy, options.gazette)
