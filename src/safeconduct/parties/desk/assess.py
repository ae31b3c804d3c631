"""Assess: once the votes are open, weigh, put the grade into the statute's words, and log it.

    votes open → weighed → assessment signed → stored → logged

The assessment record names grade, number of assessors, and the hashes of the opened votes and
the findings, so that whoever is given those two files can check them. When more is known, the
tip is assessed again: a new version is logged, and the old one stays.

Spec: docs/3-protocol.md §5.2 and the chapter on assessment.
"""

import hashlib
import unicodedata

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.parties.desk.credit_store import CLAIMED, open_credits
from safeconduct.parties.desk.desk import Desk, statement_key
from safeconduct.parties.desk.store import Assessed, KeptStatement, Store
from safeconduct.parties.desk.tray import TEXT_BYTES_MAX
from safeconduct.parties.desk.vote import (
    check_gradable,
    check_not_withdrawn,
    open_votes,
    votes_due,
)
from safeconduct.parties.desk.weigh import weigh
from safeconduct.protocol.assessment.finding import findings_json
from safeconduct.protocol.record import make_record, sign_record

SPEAKER_CHARS_MAX = 100
_NAME_DIGITS = 12


def assess(desk: Desk, record_hash: bytes) -> Assessed:
    """The newest assessment of a tip, logged; a new version only if something has changed.

    Raises:
        RefusedError: the tip is not one to grade, or votes are still due.
        UnverifiedError: a stored vote is not the one that was sealed.
        UnavailableError: Gazette or Ledger stay away; what was signed is stored, and trying
            again is safe.
    """
    check_gradable(desk.store, record_hash)
    opened = open_votes(desk.store, record_hash)
    if opened is None:
        cast, due = len(desk.store.votes(record_hash)), votes_due(desk.store, record_hash)
        raise RefusedError(
            f"{cast} of {due} votes are in",
            hint="all assessors vote before a vote is shown",
        )
    tip = desk.store.tip(record_hash)
    weighed = weigh(desk.store, tip, opened.ballots, opened.combined)
    found = findings_json(weighed.findings)
    newest = newest_assessment(desk.store, record_hash)
    said = (weighed.grade, opened.data, found)
    if newest is None or (newest.grade, newest.votes, newest.findings) != said:
        desk.store.enter_assessment(
            _signed(desk, record_hash, weighed.grade, opened.data, found, len(opened.ballots))
        )
    return _logged(desk, record_hash)


def _signed(
    desk: Desk, record_hash: bytes, word: str, votes: bytes, found: bytes, assessors: int
) -> Assessed:
    epoch, key = statement_key(desk, desk.gazette())
    record = make_record(
        "assessment",
        programme=desk.programme.hash,
        record=record_hash,
        grade=word,
        assessors=assessors,
        votes=hashlib.sha256(votes).digest(),
        findings=hashlib.sha256(found).digest(),
        epoch=epoch,
    )
    return Assessed(
        number=0,  # counted by the store
        hash=record_hash,
        grade=word,
        votes=votes,
        findings=found,
        record=sign_record(record, [key]),
    )


def _logged(desk: Desk, record_hash: bytes) -> Assessed:
    newest = desk.store.assessments(record_hash)[-1]
    if not newest.proof:
        desk.store.enter_assessment_proof(newest.number, desk.log(newest.record))
    return desk.store.assessments(record_hash)[-1]


def newest_assessment(store: Store, record_hash: bytes) -> Assessed | None:
    """The newest version of a tip's assessment, logged or not."""
    versions = store.assessments(record_hash)
    return versions[-1] if versions else None


def assessment_for(desk: Desk, record_hash: bytes) -> tuple[bytes, bytes]:
    """The newest logged assessment of a tip: the signed record and its tlog-proof.

    It is handed out for a claim with the tip: from now on no credit is given for it.

    Raises:
        RefusedError: there is none, the tip was withdrawn, or a credit was given for it.
    """
    check_not_withdrawn(desk.store, record_hash)
    logged = [made for made in desk.store.assessments(record_hash) if made.proof]
    if not logged:
        raise RefusedError("this tip was not assessed yet")
    with open_credits(desk.folder) as ways:
        if ways.claim(record_hash) != CLAIMED:
            raise RefusedError("a credit was given for this tip: it counts for no other claim")
    return logged[-1].record, logged[-1].proof


def keep_statement(store: Store, text: str, speaker: str = "") -> str:
    """Keep a captured public statement for comparison; returns its id among the pieces.

    Raises:
        MalformedError: nothing was said, or far too much.
    """
    said, who = text.strip(), " ".join(unicodedata.normalize("NFC", speaker).split())
    if not 0 < len(said.encode("utf-8", "replace")) <= TEXT_BYTES_MAX:
        raise MalformedError(f"statement: needs 1 to {TEXT_BYTES_MAX} bytes")
    if len(who) > SPEAKER_CHARS_MAX or not (who.isprintable() or not who):
        raise MalformedError(f"speaker: at most {SPEAKER_CHARS_MAX} printable characters")
    digest = hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()
    name = f"statement-{digest[:_NAME_DIGITS]}"
    store.keep_statement(KeptStatement(name=name, speaker=who, text=said))
    return name
