"""Every case of every law under statutes/ can be told and drawn, in every language."""

from pathlib import Path

import pytest

from safeconduct.parties.board.statute_files import read_laws
from safeconduct.protocol.statute.explain import public_form, reasons, receipt_form, remedy
from safeconduct.protocol.statute.picture import picture
from safeconduct.protocol.statute.steps import owed_steps
from safeconduct.protocol.statute.trial import case_day, judge_case
from safeconduct.protocol.statute.wording import LANGUAGES

STATUTES = Path(__file__).parents[2] / "statutes"
FOLDERS = sorted({path.parent for path in STATUTES.rglob("*.yaml")})
SALT = bytes(32)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda each: str(each.relative_to(STATUTES)))
def test_every_case_of_a_law_can_be_told_and_drawn(folder: Path) -> None:
    ((*laws,),) = read_laws(folder)
    for law in laws:
        statute = law.statute
        for number, case in enumerate(statute.cases):
            judgement = judge_case(statute, case)
            at = case_day(statute, case)
            steps = owed_steps(statute, case.facts, at)
            language = LANGUAGES[number % len(LANGUAGES)]
            told = reasons(statute, judgement, language, steps=steps)
            assert told + remedy(statute, at, language)
            assert "{" not in told
            assert picture(statute, judgement, language).endswith("</svg>\n")
            assert public_form(statute, judgement, SALT)
            assert receipt_form(statute, judgement, SALT)
