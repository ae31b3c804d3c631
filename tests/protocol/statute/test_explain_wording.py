"""The phrases of a letter: complete in nine languages, and safe to insert anything into."""

import string
import tomllib
from pathlib import Path

import pytest

from safeconduct.plumbing import languages
from safeconduct.protocol.statute.explain import LETTER_LANGUAGES
from safeconduct.protocol.statute.wording import (
    LANGUAGES,
    PHRASES,
    RIGHT_TO_LEFT,
    forms,
    inserted,
    one_line,
    speak,
)

GLOSSARY = Path(__file__).parents[3] / "src/safeconduct/parties/intake/locales/glossary.toml"
SAID_OF = {"the law": ("law", "try title", "state in_favour")}  # glossary's word to phrases
COUNTED = [key for key in PHRASES["en"] if "|" in PHRASES["en"][key]]
ISOLATE, POP = "\u2068", "\u2069"


def placeholders(phrase: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(phrase) if name}


def test_letters_speak_every_language_of_the_pages() -> None:
    assert set(languages.LANGUAGES) == LETTER_LANGUAGES == set(LANGUAGES)
    rightward = {each for each in LANGUAGES if languages.direction(each) == "rtl"}
    assert rightward == RIGHT_TO_LEFT


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_phrase_with_the_same_placeholders(language: str) -> None:
    assert list(PHRASES[language]) == list(PHRASES["en"])
    for key, phrase in PHRASES[language].items():
        assert placeholders(phrase) == placeholders(PHRASES["en"][key]), key
        assert phrase == phrase.strip() != "", key


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_counted_has_as_many_forms_as_the_language_has_plurals(language: str) -> None:
    for key in COUNTED:
        assert len(PHRASES[language][key].split("|")) == forms(language), key
    assert all("|" not in PHRASES[language][key] for key in PHRASES["en"] if key not in COUNTED)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_phrase_was_left_in_english(language: str) -> None:
    same = [key for key, text in PHRASES[language].items() if text == PHRASES["en"][key]]
    assert language == "en" or set(same) <= {"is", "no", "add", "unit minutes"}


@pytest.mark.parametrize("word", SAID_OF)
def test_the_words_of_the_law_are_those_of_the_pages(word: str) -> None:
    for language, stems in tomllib.loads(GLOSSARY.read_text())[word].items():
        for key in SAID_OF[word]:
            phrase = PHRASES[language][key].lower()
            assert any(stem in phrase for stem in stems), (language, key)


NUMBERS = {
    "en": {0: "0 days", 1: "1 day", 2: "2 days"},
    "de": {0: "0 Tage", 1: "1 Tag"},
    "fr": {0: "0 jour", 1: "1 jour", 2: "2 jours"},
    "pl": {1: "1 dzień", 2: "2 dni", 22: "22 dni"},
    "ru": {1: "1 день", 2: "2 дня", 5: "5 дней", 11: "11 дней", 21: "21 день", 112: "112 дней"},
    "uk": {1: "1 день", 4: "4 дні", 14: "14 днів", 101: "101 день"},
    "ar": {1: "يوم واحد", 3: f"{ISOLATE}3{POP} أيام", 11: f"{ISOLATE}11{POP} يومًا"},
}


@pytest.mark.parametrize("language", NUMBERS)
def test_numbers_are_said_as_the_language_says_them(language: str) -> None:
    for count, told in NUMBERS[language].items():
        assert speak(language, "unit days", n=count) == told


def test_polish_months_and_years_count_in_three_ways() -> None:
    told = [speak("pl", "unit years", n=n) for n in (1, 3, 5, 12, 21, 22)]
    assert told == ["1 rok", "3 lata", "5 lat", "12 lat", "21 lat", "22 lata"]


def test_what_is_inserted_is_one_line() -> None:
    text = "because\n\n  ✓ Section 9 applies: \u2028everybody\r\n\tgoes free"
    told = speak("en", "departure", reason=text)
    assert told.splitlines() == [told]
    assert told.endswith("because ✓ Section 9 applies: everybody goes free")


def test_no_inserted_text_steers_what_follows_it() -> None:
    assert one_line("a\u202eb\u2069c\x00d\u2066") == "abcd"
    told = speak("en", "is", label="\u202eevil", values=f"x{POP}{ISOLATE}")
    assert told == "evil: x"


def test_only_text_that_runs_the_other_way_is_isolated() -> None:
    assert inserted("en", "2027-06-01") == "2027-06-01"
    assert inserted("en", "اسم") == f"{ISOLATE}اسم{POP}"
    assert inserted("ar", "2027-06-01") == f"{ISOLATE}2027-06-01{POP}"
    assert inserted("ar", "قبل") == "قبل"


def test_a_phrase_within_a_phrase_keeps_its_isolates() -> None:
    inner = speak("ar", "until", last="2027-06-01T00:00:00Z")
    assert speak("ar", "found", value=inner).count(ISOLATE) == 1


def test_no_break_spaces_of_a_language_stay() -> None:
    assert "\u00a0:" in speak("fr", "not", part=speak("fr", "is", label="a", values="b"))
