"""What evidence fell short of is said in all nine languages, whatever the reason is."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import safeconduct
from safeconduct.protocol.claim import shortfall_words
from safeconduct.protocol.claim.shortfall_words import (
    FAVOURABLE,
    GAPS,
    SENTENCES,
    THINGS,
    WORDS,
    doubt_in,
    is_favourable,
    told_in,
)
from safeconduct.protocol.statute.wording import LANGUAGES

PROTOCOL = Path(safeconduct.__file__).parent / "protocol"
EXAMINE = PROTOCOL / "claim/examine.py"
OTHERS = [language for language in LANGUAGES if language != "en"]
RAISED = ("MalformedError", "UnverifiedError", "RefusedError", "ConflictError")
# What examine raises for those who ask it, and never notes as a shortfall.
REFUSALS = re.compile(
    "the board must judge|at most|claims of another|claims made under|a claim on a credit"
    "|two of"
)


def called(path: Path, *names: str) -> Iterator[ast.expr]:
    """What is passed first wherever one of these is called."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in names:
                yield node.args[0]


def filled(told: ast.expr) -> list[str]:
    """A text of the source, once with each thing in its gaps; a number where one is meant."""
    if isinstance(told, ast.Constant):
        return [str(told.value)]
    if not isinstance(told, ast.JoinedStr):
        return []  # made elsewhere, out of the ones that are found there
    found = []
    for thing in THINGS:
        parts = []
        for each in told.values:
            if isinstance(each, ast.Constant):
                parts.append(str(each.value))
            else:
                gap = ast.unparse(each)
                inner = "it is of another credit" if "message" in gap else thing
                parts.append("7" if "number" in gap else inner)
        found.append("".join(parts))
    return found


@cache
def own_reasons() -> list[str]:
    """All that an examination can note by its own words, read from its source."""
    noted = [each for told in called(EXAMINE, "note") for each in filled(told)]
    raised = [each for told in called(EXAMINE, *RAISED) for each in filled(told)]
    inner = [f"the assessment does not hold: {each}" for each in raised]
    return [*noted, *(each for each in inner if not REFUSALS.match(each.partition(": ")[2]))]


@cache
def technical_reasons() -> list[str]:
    """All that the checks below an examination can say, of bytes, proofs and signatures."""
    paths = [path for path in sorted(PROTOCOL.rglob("*.py")) if path != EXAMINE]
    return [each for path in paths for told in called(path, *RAISED) for each in filled(told)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_a_sentence_for_every_key(language: str) -> None:
    assert WORDS[language].keys() == WORDS["en"].keys()
    assert WORDS[language].keys() >= {*THINGS, *SENTENCES, *GAPS, "technical"}
    assert all(WORDS[language].values())
    for key in GAPS:
        gaps = sorted(re.findall(r"\{[0-9]\}", WORDS["en"][key]))
        assert sorted(re.findall(r"\{[0-9]\}", WORDS[language][key])) == gaps, key


def test_there_are_reasons_to_be_found_in_the_source() -> None:
    assert "the tip was withdrawn by its author, so its grade does not count" in own_reasons()
    assert "the credit does not hold: it is of another credit" in own_reasons()
    assert "the assessment does not hold: it speaks of another contribution" in own_reasons()
    assert len(own_reasons()) > 60
    assert len(technical_reasons()) > 500


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_of_an_examination_has_its_own_sentence(language: str) -> None:
    technical = WORDS[language]["technical"]
    assert not [each for each in own_reasons() if technical in told_in(language, each)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_check_of_bytes_says_is_told_as_technical(language: str) -> None:
    words = WORDS[language]
    keys = (*SENTENCES, "technical")
    known = {words["fallen"].format(words["assessment"], words[key]) for key in keys}
    for reason in technical_reasons():
        told = told_in(language, f"the assessment does not hold: {reason}")
        assert told in known or _is_gapped(reason), reason


def _is_gapped(reason: str) -> bool:
    return any(form.fullmatch(reason) for form in GAPS.values())


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_english_is_left_in_another_language(language: str) -> None:
    english = {each for each in WORDS["en"].values() if " " in each and "{" not in each}
    for reason in (*own_reasons(), "what nobody has ever said"):
        told = told_in(language, reason)
        assert told.strip()
        assert reason not in told
        assert not [each for each in english if each in told]


def test_a_reason_of_a_joined_claim_says_which_claim() -> None:
    note = "claim 2: the assessment does not hold: it speaks of another contribution"
    assert told_in("de", note) == (
        "Zu Antrag 2: Hält der Prüfung nicht stand: Bewertung."
        " Es geht darin um einen anderen Hinweis."
    )


def test_a_doubt_names_its_fact_and_is_no_shortfall() -> None:
    assert doubt_in("tips[0].logged is in doubt, and the law then favours you") == (
        "tips[0].logged"
    )
    assert doubt_in("no assessment was shown") is None


def test_what_helps_the_person_is_told_apart_also_of_a_joined_claim() -> None:
    [helps] = FAVOURABLE
    assert is_favourable(helps)
    assert is_favourable(f"claim 2: {helps}")
    assert not is_favourable("no assessment was shown")
    assert set(SENTENCES) > shortfall_words.FAVOURABLE
