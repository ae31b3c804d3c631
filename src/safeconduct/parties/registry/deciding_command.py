"""`safeconduct register propose`, `enter`, `appeal-propose`, `appeal-enter`, `console-key`."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.parties.registry.appeals import enter_appeal, propose_appeal
from safeconduct.parties.registry.board_site import docket_of, set_console_key
from safeconduct.parties.registry.decide import enter, propose_decision
from safeconduct.parties.registry.receive import Registry, open_registry
from safeconduct.parties.registry.store import Filed
from safeconduct.plumbing import terminal
from safeconduct.plumbing.durable import read_file, write_file
from safeconduct.protocol.canonical import decode_text
from safeconduct.protocol.decision import Proposal
from safeconduct.protocol.record import RECORD_BYTES_MAX
from safeconduct.protocol.statute.explain import draw
from safeconduct.protocol.statute.instant import format_instant
from safeconduct.protocol.tlog.note import format_vkey
from safeconduct.protocol.tlog.proof import PROOF_BYTES_MAX
from safeconduct.protocol.votes import VOTES_BYTES_MAX

CLAIM_DIGITS_MIN = 4  # fewer could be meant as the number of a case
DEPARTURE_BYTES_MAX = 16_384
_JUDGED = {"yes": True, "no": False}

_PROPOSE = """\
Applies the law to a claim and writes the decision record that the board is asked to sign. What
only people can judge is given with --judge; a wrong or missing name is told:

  $ safeconduct register propose 4be0 --dir register \\
        --judge claimant_is_subject=yes --judge grave_crime_proven=no \\
        --judge knowing_falsehood_found=no \\
        --assessment tip.assessment --assessment-proof tip.tlog-proof --out decision.record
  $ safeconduct board sign decision.record --key member/key

Other claims of the same person are decided together with it: --with 7 --with 9. A tip that its
author took back: --withdrawal FILE --withdrawal-proof FILE. It may be done again, on new
evidence, as long as the board's decision was not entered. Where a fact is still open, nothing
is drafted, and a letter tells the person which.
"""

_ENTER = """\
Takes the decision that enough of the board signed, has it dated, and serves the letter. The
same one again is no error:

  $ safeconduct register enter 4be0 decision.record --dir register

With recorded votes the outcome may be another than the law yields, for the reasons in a file:

  $ safeconduct register enter 4be0 decision.record --votes votes.json --departure why.txt \\
        --dir register
"""

_APPEAL_PROPOSE = """\
Applies the law anew in a case under appeal, and writes the draft that the appeal panel votes
on. It may judge otherwise, and hear more than the board did:

  $ safeconduct register appeal-propose 4be0 --dir register --judge claimant_is_subject=yes \\
        --judge grave_crime_proven=no --judge knowing_falsehood_found=no --out appeal.record
"""

_APPEAL_ENTER = """\
Takes the decision of the appeal panel with its votes, has it dated, and serves the letter:

  $ safeconduct register appeal-enter 4be0 appeal.record --votes votes.json --dir register
"""

_DOCKET = """\
Writes what those who decide need to compute a case again, as the board's console fetches it:

  $ safeconduct register docket 4be0 --dir register --out 4be0.docket
"""

_CONSOLE_KEY = """\
Sets the key of the board's console. The register answers its requests, and no others:

  $ safeconduct register console-key console.example+1f2e3d4c+AbC… --dir register
"""

_Verbs = argparse._SubParsersAction  # the type that add_subparsers returns has no public name
_Run = Callable[[argparse.Namespace], int]


def add_verbs(verbs: "_Verbs[argparse.ArgumentParser]") -> None:
    """Add the verbs by which claims are decided, first and on appeal."""
    proposed = _case_verb(verbs, "propose", "draft a decision", _PROPOSE, _propose)
    _add_evidence(proposed)
    entered = _case_verb(verbs, "enter", "enter a signed decision", _ENTER, _enter)
    _add_signed(entered, votes_needed=False)
    appealed = _case_verb(
        verbs, "appeal-propose", "draft a decision on appeal", _APPEAL_PROPOSE, _appeal_propose
    )
    _add_evidence(appealed)
    settled = _case_verb(
        verbs, "appeal-enter", "enter the panel's decision", _APPEAL_ENTER, _appeal_enter
    )
    _add_signed(settled, votes_needed=True)
    docket = _case_verb(verbs, "docket", "write a case for the board", _DOCKET, _docket)
    docket.add_argument("--out", type=Path, required=True, metavar="FILE")
    console = _verb(
        verbs, "console-key", "set the key of the board's console", _CONSOLE_KEY, _console_key
    )
    console.add_argument("vkey", metavar="VKEY", help="the console's verifier key")


def _verb(
    verbs: "_Verbs[argparse.ArgumentParser]", name: str, summary: str, example: str, run: _Run
) -> argparse.ArgumentParser:
    verb = terminal.add_verb(verbs, name, summary, example)
    verb.add_argument("--dir", type=Path, required=True, help="folder of this register")
    verb.set_defaults(run=run)
    return verb


def _case_verb(
    verbs: "_Verbs[argparse.ArgumentParser]", name: str, summary: str, example: str, run: _Run
) -> argparse.ArgumentParser:
    verb = _verb(verbs, name, summary, example, run)
    verb.add_argument("claim", metavar="CLAIM", help="claim hash, its start, or case number")
    return verb


def _add_evidence(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--judge",
        action="append",
        default=[],
        metavar="NAME=yes|no",
        help="what those who decide find; once for each question",
    )
    verb.add_argument("--assessment", type=Path, metavar="FILE", help="the desk's record")
    verb.add_argument("--assessment-proof", type=Path, metavar="FILE", help="and its proof")
    verb.add_argument("--withdrawal", type=Path, metavar="FILE", help="the author's record")
    verb.add_argument("--withdrawal-proof", type=Path, metavar="FILE", help="and its proof")
    verb.add_argument(
        "--with",
        action="append",
        default=[],
        dest="joined",
        metavar="CLAIM",
        help="another claim of the same person, decided together with it",
    )
    verb.add_argument("--out", type=Path, required=True, metavar="DRAFT")


def _add_signed(verb: argparse.ArgumentParser, *, votes_needed: bool) -> None:
    verb.add_argument("signed", type=Path, metavar="SIGNED", help="the signed decision")
    verb.add_argument("--votes", type=Path, required=votes_needed, metavar="FILE")
    verb.add_argument("--departure", type=Path, metavar="FILE", help="why it departs; one line")


def _propose(options: argparse.Namespace) -> int:
    draft = _drafted_by(propose_decision, options)
    return _drafted(options, draft.record, draft.proposal)


def _appeal_propose(options: argparse.Namespace) -> int:
    draft = _drafted_by(propose_appeal, options)
    terminal.note(f"appealed against: {draft.first.word('outcome')}")
    return _drafted(options, draft.record, draft.proposal)


_Made = TypeVar("_Made")


def _drafted_by(propose: Callable[..., _Made], options: argparse.Namespace) -> _Made:
    """What `propose`, for the board or for the appeal panel, drafts of the options given."""
    registry = open_registry(options.dir)
    return propose(
        registry,
        filed_as(registry, options.claim).claim,
        judgements_given(options.judge),
        _pair(options, "assessment"),
        withdrawal=_pair(options, "withdrawal"),
        joined=[filed_as(registry, one).claim for one in options.joined],
    )


def _drafted(options: argparse.Namespace, record: bytes, proposal: Proposal) -> int:
    write_file(options.out, record)
    terminal.note(draw(proposal.judgement))
    for shortfall in proposal.shortfalls:
        terminal.note(f"not shown: {shortfall}")
    if proposal.competing is not None:
        rival, judgement = proposal.competing
        terminal.note(f"version {rival.version.number} of the law: {judgement.outcome}")
    terminal.say(f"{proposal.judgement.outcome}: sign {options.out}")
    return 0


def _enter(options: argparse.Namespace) -> int:
    registry, claim, signed = _signed(options)
    votes, departure = _votes(options), _departure(options)
    served = enter(registry, claim, signed, votes=votes, departure=departure)
    until = f"appeal until {format_instant(served.last_appeal_at)}"
    return _told(served.logged_by, served.letter, until)


def _appeal_enter(options: argparse.Namespace) -> int:
    registry, claim, signed = _signed(options)
    settled = enter_appeal(registry, claim, signed, _votes(options), _departure(options))
    terminal.say(f"{settled.record.word('result')}: {settled.record.word('outcome')}")
    return _told(settled.logged_by, settled.letter)


def _signed(options: argparse.Namespace) -> tuple[Registry, bytes, bytes]:
    """The register, the claim that is decided, and the decision as it came back signed."""
    registry = open_registry(options.dir)
    claim = filed_as(registry, options.claim).claim
    return registry, claim, read_file(options.signed, bytes_max=RECORD_BYTES_MAX)


def _told(logged_by: int, letter: Path, *more: str) -> int:
    """Tell when a decision was dated, and where its letter lies."""
    for line in (f"dated {format_instant(logged_by)}", *more, f"letter {letter}"):
        terminal.say(line)
    return 0


def _docket(options: argparse.Namespace) -> int:
    registry = open_registry(options.dir)
    docket = docket_of(registry, filed_as(registry, options.claim).claim)
    if docket is None:
        raise RefusedError("nothing is to be voted on in this case now")
    write_file(options.out, docket)
    terminal.say(f"{options.out}: {len(docket)} bytes")
    return 0


def _console_key(options: argparse.Namespace) -> int:
    key = set_console_key(open_registry(options.dir).folder, options.vkey)
    terminal.say(f"the console's requests must be signed by {format_vkey(key)}")
    return 0


def _votes(options: argparse.Namespace) -> bytes:
    return _read_text(options.votes, VOTES_BYTES_MAX) if options.votes is not None else b""


def _departure(options: argparse.Namespace) -> str:
    if options.departure is None:
        return ""
    data = read_file(options.departure, bytes_max=DEPARTURE_BYTES_MAX)
    return decode_text(data, str(options.departure)).removesuffix("\n")


def filed_as(registry: Registry, text: str) -> Filed:
    """The one case that `text` means: its number, its claim's hash, or the start of that.

    Raises:
        RefusedError: none, or several.
    """
    cases = registry.store.cases()
    found = [one for one in cases if str(one.number) == text] or [
        one
        for one in cases
        if len(text) >= CLAIM_DIGITS_MIN and one.claim.hex().startswith(text.lower())
    ]
    if len(found) != 1:
        raise RefusedError(
            f"{'no' if not found else 'more than one'} case is called {text}",
            hint="list them with: safeconduct register cases",
        )
    return found[0]


def judgements_given(given: list[str]) -> dict[str, bool]:
    """What was given with `--judge`, by name.

    Raises:
        MalformedError: not a name with yes or no, or a name twice.
    """
    judged: dict[str, bool] = {}
    for one in given:
        name, _, answer = one.partition("=")
        if answer not in _JUDGED or name in judged:
            raise MalformedError(f"--judge {one}: not NAME=yes or NAME=no, each name once")
        judged[name] = _JUDGED[answer]
    return judged


def _pair(options: argparse.Namespace, name: str) -> tuple[bytes, bytes]:
    record, proof = getattr(options, name), getattr(options, f"{name}_proof")
    if record is None or proof is None:
        if record is not proof:
            raise MalformedError(f"--{name} and --{name}-proof go together")
        return b"", b""
    return _read_text(record, RECORD_BYTES_MAX), _read_text(proof, PROOF_BYTES_MAX)


def _read_text(path: Path, bytes_max: int) -> bytes:
    """A file's bytes, once they are known to be text.

    Raises:
        MalformedError: empty, which would pass for no record at all, or no text.
    """
    data = read_file(path, bytes_max=bytes_max)
    if not decode_text(data, str(path)):
        raise MalformedError(f"{path}: empty")
    return data
