"""Every sentence of the door's pages stands in every language, whole and in the same terms."""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from safeconduct.plumbing.languages import DEFAULT, LANGUAGES

PARTY = Path(__file__).resolve().parents[3] / "src" / "safeconduct" / "parties" / "intake"
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
OPTIONS = {"**/templates/**.html": {"trimmed": "true"}}
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}
TRANSLATED = [language for language in LANGUAGES if language != DEFAULT]

_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w*\}")
_MARKUP = re.compile(r"</?\w+[^>]*>")
_ADDRESSES = re.compile(r"https?://|[\w.]+\.onion|--[a-z]+|safeconduct \w+")

Sentence = str | tuple[str, ...]


@cache
def sentences() -> frozenset[Sentence]:
    """What code and templates ask for: a sentence, or its two English numbers."""
    found = extract_from_dir(str(PARTY), METHODS, OPTIONS, KEYWORDS)
    return frozenset(
        tuple(text) if isinstance(text, tuple) else text for _, _, text, _, _ in found
    )


@cache
def catalogue(language: str) -> Catalog:
    file = BytesIO((PARTY / "locales" / f"{language}.po").read_bytes())
    return read_po(file, locale=language)


def messages(language: str) -> Iterator[tuple[Message, str, str]]:
    """Each message with each of its translations and the English that it has to agree with."""
    for message in catalogue(language):
        if not message.id:
            continue
        english = message.id if isinstance(message.id, str) else message.id[1]
        strings = [message.string] if isinstance(message.string, str) else message.string
        for string in strings or ():
            yield message, english, string


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_is_translated_and_none_is_left_over(language: str) -> None:
    known = {
        tuple(each.id) if isinstance(each.id, (list, tuple)) else each.id
        for each in catalogue(language)
        if each.id
    }
    assert known == sentences(), "run scripts/locales, then fill in what is new"


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_translation_is_empty_or_uncertain(language: str) -> None:
    empty = [english for _, english, string in messages(language) if not string.strip()]
    assert not empty
    assert not [each.id for each in catalogue(language) if each.id and each.fuzzy]


@pytest.mark.parametrize("language", TRANSLATED)
def test_each_number_has_as_many_forms_as_the_language(language: str) -> None:
    forms = catalogue(language).num_plurals
    for message in catalogue(language):
        if message.pluralizable:
            assert len(message.string or ()) == forms, message.id


@pytest.mark.parametrize("pattern", [_PLACEHOLDER, _MARKUP, _ADDRESSES])
@pytest.mark.parametrize("language", TRANSLATED)
def test_names_markup_and_commands_are_those_of_the_english(
    language: str, pattern: re.Pattern[str]
) -> None:
    for message, english, string in messages(language):
        wanted, found = sorted(pattern.findall(english)), sorted(pattern.findall(string))
        if message.pluralizable:  # "one reply" may do without its number
            assert set(found) <= set(wanted), string
        else:
            assert found == wanted, (english, string)


@pytest.mark.parametrize("language", TRANSLATED)
def test_terms_are_those_of_the_glossary(language: str) -> None:
    terms = tomllib.loads((PARTY / "locales" / "glossary.toml").read_text())
    strays = [
        (term, string)
        for _, english, string in messages(language)
        for term, stems in terms.items()
        if re.search(rf"\b{term}", english, re.IGNORECASE)
        and not any(stem in string.casefold() for stem in stems[language])
    ]
    assert not strays


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_sentence_is_left_in_english(language: str) -> None:
    same = [
        english
        for _, english, string in messages(language)
        if string == english and len(english.split()) > 3
    ]
    assert not same
