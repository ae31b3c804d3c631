"""Taking a message back on the page: what that can do, the question, and the signed proof.

Spec: docs/3-protocol.md §28.
"""

from dataclasses import replace

from safeconduct.parties.intake.accept import Intake
from safeconduct.parties.intake.frame import page, routes_of
from safeconduct.parties.intake.mailbox import (
    Visit,
    carried,
    dated_at,
    files_of,
    letter_of,
    visited,
    withdrawal_paper,
)
from safeconduct.parties.intake.reading import Letter, standing
from safeconduct.parties.intake.withdraw import withdraw_own
from safeconduct.plumbing import web


def routes(intake: Intake) -> list[web.Route]:
    """The question, and the deed."""
    posted = {"/mail/withdraw": visited(question), "/mail/withdrawn": visited(deed)}
    return routes_of(intake, "POST", posted)


def question(intake: Intake, language: str, visit: Visit) -> web.Response:
    """What taking back can do and what it cannot; or the proof, if it is done already."""
    letter = letter_of(intake, visit)
    if letter.withdrawn:
        return _done(intake, language, visit, letter)
    return page(
        intake,
        language,
        "mail_withdraw.html",
        "/mail",
        ticket=carried(intake, visit),
        number=letter.number,
        each=standing(letter, intake.seconds()),
        possible=intake.store.contribution(letter.digest) is not None,
    )


def deed(intake: Intake, language: str, visit: Visit) -> web.Response:
    """The message is taken back, and this proves it; repeated, it proves the same."""
    letter = letter_of(intake, visit)
    withdrawn = withdraw_own(intake, letter.keys, letter.capsule)
    return _done(intake, language, visit, replace(letter, withdrawn=withdrawn))


def _done(intake: Intake, language: str, visit: Visit, letter: Letter) -> web.Response:
    assert letter.withdrawn is not None
    paper = withdrawal_paper(letter)
    return page(
        intake,
        language,
        "mail_withdrawn.html",
        "/mail",
        ticket=carried(intake, visit),
        number=letter.number,
        handed=letter.withdrawn.handed,
        dated_at=dated_at(intake, paper),
        files=files_of(paper),
    )
