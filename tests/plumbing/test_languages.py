"""Dates, stretches of time, sizes and the choice of a language."""

import pytest

from safeconduct.plumbing import languages

JUNE = 1_811_808_000  # 2027-06-01T00:00:00Z


def test_a_date_names_its_zone_and_the_same_second_in_every_language() -> None:
    for language in languages.LANGUAGES:
        assert languages.when(JUNE + 3_599, language).endswith(" 00:59:59 UTC")
        assert "2027" in languages.when(JUNE, language)
    assert languages.when(JUNE, "en") == "1 June 2027, 00:00:00 UTC"
    assert languages.when(JUNE, "fa") == "1 ژوئن 2027، 00:00:00 UTC"
    assert languages.when(JUNE, "pl") == "1 czerwca 2027, 00:00:00 UTC"


@pytest.mark.parametrize("language", languages.LANGUAGES)
@pytest.mark.parametrize("seconds", [0, 59, 60, 3_600, 7_261, 86_400, 2 * 86_400, 16_441_200])
def test_a_distance_has_words_in_every_language(language: str, seconds: int) -> None:
    told = languages.distance(seconds, language)
    assert told
    assert "duration" not in told


def test_a_distance_is_told_in_its_two_largest_units() -> None:
    assert languages.distance(190 * 86_400 + 7 * 3_600 + 59, "en") == "190 days 7 hours"
    assert languages.distance(86_400 + 59, "de") == "1 Tag"
    assert languages.distance(5 * 86_400, "ru") == "5 дней"
    assert languages.distance(2, "en") == "1 minute"


def test_an_amount_is_rounded_down_to_its_unit() -> None:
    assert languages.amount(999, "en") == "999 byte"
    assert languages.amount(24_999_999, "fr") == "24\u202fMo"
    assert languages.amount(10_000_000_000, "en") == "10 GB"


@pytest.mark.parametrize(
    ("header", "language"),
    {
        "": "en",
        "de": "de",
        "de-CH, fr;q=0.9": "de",
        "xx, ar;q=0.3, uk;q=0.8": "uk",
        "fr;q=0, es;q=0.1": "es",
        "pl;q=nonsense, fa": "fa",
        "*": "en",
        "ru;q=1.0000, de;q=0.001": "de",
        "," * 5_000 + "de": "en",
        "de;q=٣": "en",
    }.items(),
)
def test_the_language_asked_for_first_is_preferred(header: str, language: str) -> None:
    assert languages.preferred(header) == language


def test_arabic_and_persian_run_from_right_to_left() -> None:
    right = {each for each in languages.LANGUAGES if languages.direction(each) == "rtl"}
    assert right == {"ar", "fa"}


def test_a_package_without_translations_speaks_english() -> None:
    known = languages.catalogue("safeconduct.plumbing", "pl")
    assert known.gettext("Twelve words") == "Twelve words"
    assert known.ngettext("one reply", "many replies", 2) == "many replies"
