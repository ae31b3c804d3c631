"""Every sentence of the pages stands in every language, whole and in the same terms.

The pages are the door's, for sources, and the register's, for everybody.
"""

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

PARTIES = Path(__file__).resolve().parents[2] / "src" / "safeconduct" / "parties"
GLOSSARIES = {"intake": ("intake",), "registry": ("intake", "registry")}
"""By party, whose words it keeps to: the register also to the door's."""
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
OPTIONS = {"**/templates/**.html": {"trimmed": "true"}}
KEYWORDS = {
    "_": None,
    "gettext": None,
    "marked": None,
    "ngettext": (1, 2),
    "counted": (1, 2),
}
TRANSLATED = [language for language in LANGUAGES if language != DEFAULT]

everywhere = pytest.mark.parametrize(
    ("party", "language"), [(party, each) for party in GLOSSARIES for each in TRANSLATED]
)

_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w*\}")
_MARKUP = re.compile(r"</?\w+[^>]*>")
_ADDRESSES = re.compile(r"https?://|[\w.]+\.onion|--[a-z]+|safeconduct \w+")

Sentence = str | tuple[str, ...]


@cache
def sentences(party: str) -> frozenset[Sentence]:
    """What code and templates ask for: a sentence, or its two English numbers."""
    found = extract_from_dir(str(PARTIES / party), METHODS, OPTIONS, KEYWORDS)
    return frozenset(
        tuple(text) if isinstance(text, tuple) else text for _, _, text, _, _ in found
    )


@cache
def catalogue(party: str, language: str) -> Catalog:
    file = BytesIO((PARTIES / party / "locales" / f"{language}.po").read_bytes())
    return read_po(file, locale=language)


def messages(party: str, language: str) -> Iterator[tuple[Message, str, str]]:
    """Each message with each of its translations and the English that it has to agree with."""
    for message in catalogue(party, language):
        if not message.id:
            continue
        english = message.id if isinstance(message.id, str) else message.id[1]
        strings = [message.string] if isinstance(message.string, str) else message.string
        for string in strings or ():
            yield message, english, string


@everywhere
def test_every_sentence_is_translated_and_none_is_left_over(party: str, language: str) -> None:
    known = {
        tuple(each.id) if isinstance(each.id, (list, tuple)) else each.id
        for each in catalogue(party, language)
        if each.id
    }
    assert known == sentences(party), "run scripts/locales, then fill in what is new"


@everywhere
def test_no_translation_is_empty_or_uncertain(party: str, language: str) -> None:
    empty = [english for _, english, string in messages(party, language) if not string.strip()]
    assert not empty
    assert not [each.id for each in catalogue(party, language) if each.id and each.fuzzy]


@everywhere
def test_each_number_has_as_many_forms_as_the_language(party: str, language: str) -> None:
    forms = catalogue(party, language).num_plurals
    for message in catalogue(party, language):
        if message.pluralizable:
            assert len(message.string or ()) == forms, message.id


@pytest.mark.parametrize("pattern", [_PLACEHOLDER, _MARKUP, _ADDRESSES])
@everywhere
def test_names_markup_and_commands_are_those_of_the_english(
    party: str, language: str, pattern: re.Pattern[str]
) -> None:
    for message, english, string in messages(party, language):
        wanted, found = sorted(pattern.findall(english)), sorted(pattern.findall(string))
        if message.pluralizable:  # "one reply" may do without its number
            assert set(found) <= set(wanted), string
        else:
            assert found == wanted, (english, string)


@everywhere
def test_terms_are_those_of_the_glossary(party: str, language: str) -> None:
    terms: dict[str, dict[str, list[str]]] = {}
    for each in GLOSSARIES[party]:
        terms |= tomllib.loads((PARTIES / each / "locales" / "glossary.toml").read_text())
    strays = [
        (term, string)
        for _, english, string in messages(party, language)
        for term, stems in terms.items()
        if re.search(rf"\b{term}", english, re.IGNORECASE)
        and not any(stem in string.casefold() for stem in stems[language])
    ]
    assert not strays


@everywhere
def test_no_sentence_is_left_in_english(party: str, language: str) -> None:
    same = [
        english
        for _, english, string in messages(party, language)
        if string == english and len(english.split()) > 3
    ]
    assert not same
