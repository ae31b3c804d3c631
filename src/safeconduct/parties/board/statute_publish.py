"""`safeconduct statute publish`: the next version of a law, drafted for the board to sign.

What the Gazette would refuse is refused here, before anybody has signed: a law of which the
linter says anything, and a version that breaks a promise of the one before. Its number and the
hash of its predecessor are set to what the Gazette holds.
"""

import argparse
from pathlib import Path

from safeconduct.errors import MalformedError
from safeconduct.parties.board.found import statute_record
from safeconduct.parties.board.statute_files import Source, read_source
from safeconduct.plumbing.durable import write_file
from safeconduct.plumbing.logs import read_gazette
from safeconduct.plumbing.programme import load_programme
from safeconduct.plumbing.terminal import Verbs, add_verb, note, say
from safeconduct.protocol.canonical import Json, format_json
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.record import format_record
from safeconduct.protocol.statute.complaint import Complaint
from safeconduct.protocol.statute.govern import check_annulments
from safeconduct.protocol.statute.lint import lint, lint_change
from safeconduct.protocol.statute.load import load_statute, read_statute
from safeconduct.protocol.statute.text import STATUTE_BYTES_MAX, Statute

_EPILOG = """\
The draft goes from member to member: `safeconduct board sign law.record --key member/key`. When
enough have signed, `safeconduct board notice law.record --programme programme/` sends it.

The version's number and `supersedes` are set to follow the Gazette's newest version; its dates
are yours to write.

example:
  safeconduct statute publish statute.yaml --programme programme/ --out law.record
"""


def add_publish_verb(verbs: Verbs) -> None:
    """Add the verb `publish`."""
    verb = add_verb(verbs, "publish", "draft the next version of a law, to be signed", _EPILOG)
    verb.add_argument("law", type=Path, metavar="FILE", help="statute, .yaml or .json")
    add_publish_options(verb)


def add_publish_options(verb: argparse.ArgumentParser) -> None:
    """The options that the draft of a law needs, and what runs it."""
    verb.add_argument("--programme", type=Path, required=True, metavar="DIR")
    verb.add_argument("--out", type=Path, required=True, metavar="DRAFT", help="to be signed")
    verb.set_defaults(run=run_publish)


def run_publish(args: argparse.Namespace) -> int:
    """Write the draft record of the law's next version; 65 if anything speaks against it."""
    source = read_source(args.law, STATUTE_BYTES_MAX)
    state = read_gazette(load_programme(args.programme)).state
    newest = load_statute(state.statutes[-1].law) if state.statutes else None
    document = source.read(lambda: following(source.document, newest))
    statute = source.read(lambda: read_statute(document))
    _refuse_complaints(source, lint(statute))
    if newest is not None:
        _refuse_complaints(source, lint_change(newest, statute))
        known = [load_statute(each.law) for each in state.statutes]
        source.read(lambda: check_annulments(known, statute))
    _draft(args.out, state, statute, format_json(document))
    return 0


def following(document: Json, newest: Statute | None) -> Json:
    """The document as the version after `newest`: its number, and whom it supersedes.

    Raises:
        MalformedError: what it annuls is named by numbers that would no longer be right.
    """
    version = document.get("version") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(version, dict):
        return document  # `read_statute` says what is wrong
    number = 1 if newest is None else newest.version.number + 1
    follows: dict[str, Json] = {**version, "number": number}
    follows.pop("supersedes", None)
    if newest is not None:
        follows["supersedes"] = newest.sha256.hex()
    if version.get("annuls") and version.get("number") != number:
        raise MalformedError(f"version.annuls: in the Gazette this would be version {number}")
    return {**document, "version": follows}


def _refuse_complaints(source: Source, complaints: list[Complaint]) -> None:
    for complaint in complaints[1:]:
        note(source.located(str(complaint)))
    if complaints:
        raise MalformedError(
            source.located(str(complaints[0])), hint="the Gazette would refuse this law"
        )


def _draft(out: Path, state: GazetteState, statute: Statute, law: bytes) -> None:
    record = statute_record(state, law)
    write_file(out, format_record(record))
    say(
        f"{out}: version {statute.version.number}, {len(law)} of {STATUTE_BYTES_MAX} bytes; "
        f"{state.roster.threshold} of {len(state.roster.members)} must sign"
    )
