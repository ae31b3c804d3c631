"""Words in twelve languages: the published vectors, however a person types them, and slips."""

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.plumbing import words
from safeconduct.plumbing.words import (
    LANGUAGES,
    WORDS_CHARACTERS_MAX,
    format_words,
    looks_like_words,
    parse_words,
)

VECTORS = Path(__file__).parent / "bip39"
ENTROPIES = [bytes(16), b"\xff" * 16, bytes(range(16)), b"\x80" * 16]


def vectors(language: str) -> list[tuple[bytes, list[str]]]:
    lines = (VECTORS / f"{language}.txt").read_text(encoding="utf-8").splitlines()
    return [(bytes.fromhex(first), rest) for first, *rest in map(str.split, lines)]


def listed(language: str) -> list[str]:
    """The words of a list, in its order."""
    return list(words._list(language).wordlist)


@pytest.mark.parametrize("language", ["english", "japanese"])
def test_the_published_vectors_hold_both_ways(language: str) -> None:
    assert len(vectors(language)) >= 5
    for entropy, phrase in vectors(language):
        typed = " ".join(phrase)
        assert parse_words(typed) == parse_words(typed, language) == entropy
        given = format_words(entropy, language).split()
        assert given == [unicodedata.normalize("NFC", word) for word in phrase]


def test_japanese_is_joined_with_its_own_space_and_the_rest_with_a_common_one() -> None:
    for language in LANGUAGES:
        joint = "\u3000" if language == "japanese" else " "
        assert len(format_words(bytes(16), language).split(joint)) == 12


@settings(max_examples=20, deadline=None)
@given(entropy=st.binary(min_size=16, max_size=16))
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_written_down_in_any_language_gives_the_same_bytes(
    language: str, entropy: bytes
) -> None:
    assert parse_words(format_words(entropy, language), language) == entropy


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_of_a_list_is_taken_for_another_without_case_and_accents(
    language: str,
) -> None:
    assert len(words._places(language)) == 2_048
    for place, word in enumerate(listed(language)):
        for form in ("NFC", "NFD", "NFKC", "NFKD"):
            typed = unicodedata.normalize(form, word)
            assert words._places(language)[words._letters(typed)] == place


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_every_list_can_be_typed(language: str) -> None:
    """In phrases of eleven of them, and the last word that fits."""
    inventory = listed(language)
    for start in range(0, 2_048, 11):
        bits = "".join(f"{(start + step) % 2_048:011b}" for step in range(12))
        entropy = int(bits[:128], 2).to_bytes(16, "big")
        spelt = format_words(entropy, language).split()
        meant = [inventory[(start + step) % 2_048] for step in range(11)]
        assert spelt[:11] == [unicodedata.normalize("NFC", word) for word in meant]
        assert parse_words(" ".join(spelt), language) == entropy


def plain(text: str) -> str:
    """Without any marks, as a keyboard of another country types it."""
    parts = unicodedata.normalize("NFD", text)
    return "".join(each for each in parts if not unicodedata.combining(each))


WAYS_TO_TYPE: dict[str, Callable[[str], str]] = {
    "composed": lambda text: unicodedata.normalize("NFC", text),
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
    "without accents": plain,
    "in capitals": str.upper,
    "in capitals without accents": lambda text: plain(text).upper(),
    "full width": lambda text: "".join(
        chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in text
    ),
    "ideographic spaces": lambda text: "\u3000".join(text.split()),
    "odd spaces": lambda text: "\u00a0 \u2003".join(text.split()) + "\t",
    "a byte order mark": lambda text: "\ufeff" + text,
}


@pytest.mark.parametrize("way", WAYS_TO_TYPE)
@pytest.mark.parametrize("language", LANGUAGES)
def test_it_does_not_matter_how_a_person_types(language: str, way: str) -> None:
    for entropy in (*ENTROPIES, bytes.fromhex("7dce4ed2284c9134d026608ab684c05c")):
        typed = WAYS_TO_TYPE[way](format_words(entropy, language))
        assert parse_words(typed, language) == entropy


def test_each_language_has_words_that_those_ways_change() -> None:
    with_marks = [each for each in LANGUAGES if any(plain(w) != w for w in listed(each))]
    assert {"french", "spanish", "japanese", "russian", "turkish"} <= set(with_marks)


TURKISH_I = {
    "as it is": ("kır", "ilgi"),
    "in Turkish capitals": ("KIR", "İLGİ"),
    "in capitals of others": ("KIR", "ILGI"),
    "without the dot": ("kır", "ılgı"),
    "without dotless letters": ("kir", "ilgi"),
}


@pytest.mark.parametrize("case", TURKISH_I)
def test_an_i_is_an_i_with_and_without_its_dot(case: str) -> None:
    assert {words._letters(each) for each in TURKISH_I[case]} == {"kir", "ilgi"}


def test_chinese_needs_no_spaces() -> None:
    for language in ("chinese_simplified", "chinese_traditional"):
        for entropy in ENTROPIES:
            typed = format_words(entropy, language).replace(" ", "")
            assert parse_words(typed, language) == parse_words(typed) == entropy


# Which language.


def shared(one: str, other: str) -> list[str]:
    """The letters of words that stand in both lists."""
    return sorted(words._places(one).keys() & words._places(other).keys())


def homograph() -> str:
    """A phrase that is good English and good French, and spells other bytes in each."""
    common = shared("english", "french")
    assert len(common) >= 90
    for shift in range(len(common)):
        phrase = [common[(shift + step) % len(common)] for step in range(11)]
        for last in common:
            spelt = [words._entropy([*phrase, last], each) for each in ("english", "french")]
            if all(spelt):
                return " ".join([*phrase, last])
    raise AssertionError("no such phrase")


def test_words_that_are_good_in_two_languages_are_asked_about_and_never_guessed() -> None:
    phrase = homograph()
    with pytest.raises(RefusedError, match="english, french") as caught:
        parse_words(phrase)
    assert "--language" in caught.value.hint
    assert not set(phrase.split()) & set(caught.value.message.split())
    assert parse_words(phrase, "english") != parse_words(phrase, "french")


def test_characters_of_both_chinese_lists_stand_for_the_same() -> None:
    common = shared("chinese_simplified", "chinese_traditional")
    assert len(common) > 1_000
    one, other = (words._places(f"chinese_{each}") for each in ("simplified", "traditional"))
    assert all(one[each] == other[each] for each in common)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_is_found_out(language: str) -> None:
    entropy = bytes.fromhex("5baf069620eff15c71dd97c9a6ee328f")
    assert parse_words(format_words(entropy, language)) == entropy


# What is no phrase.

GOOD = format_words(bytes(range(16)))
BAD: dict[str, tuple[str, str]] = {
    "none": ("", "exactly 12 words"),
    "spaces": (" \u3000 ", "exactly 12 words"),
    "eleven": (GOOD.rpartition(" ")[0], "exactly 12 words"),
    "thirteen": (GOOD + " zoo", "exactly 12 words"),
    "twenty-four": (f"{GOOD} {GOOD}", "exactly 12 words"),
    "the third misspelt": (
        " ".join([*GOOD.split()[:2], "qqqq", *GOOD.split()[3:]]),
        r"not on the word list \(english\): word 3",
    ),
    "two misspelt": (
        " ".join(["qqqq", *GOOD.split()[1:11], "qqqq"]),
        r"not on the word list \(english\): word 1, 12",
    ),
    "no words at all": (" ".join(["qqqq"] * 12), "no word list"),
    "two changed places": (
        " ".join([GOOD.split()[1], GOOD.split()[0], *GOOD.split()[2:]]),
        "do not belong together",
    ),
    "far too long": ("abandon " * WORDS_CHARACTERS_MAX, "exactly 12 words"),
    "a half of a letter": ("\udc80 " + GOOD, "exactly 12 words"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_phrase_is_told_by_places_and_never_by_words(case: str) -> None:
    text, complaint = BAD[case]
    with pytest.raises(MalformedError, match=complaint) as caught:
        parse_words(text)
    said = f"{caught.value.message} {caught.value.hint}"
    assert not set(text.split()) & set(said.split()) - {"word"}


def test_a_language_that_was_named_is_the_only_one() -> None:
    with pytest.raises(MalformedError, match=r"not on the word list|no word list"):
        parse_words(GOOD, "czech")


def test_the_checksum_shows_fifteen_of_sixteen_slips() -> None:
    phrase, passed = GOOD.split(), 0
    for word in listed("english"):
        try:
            parse_words(" ".join([word, *phrase[1:]]), "english")
        except MalformedError:
            continue
        passed += 1
    assert 64 <= passed <= 192  # about 128 of 2,048: nobody may say "wrong password" of it


# What was typed where it does not belong.

PHRASES = {language: format_words(bytes(range(16)), language) for language in LANGUAGES}
NO_PHRASES = (
    "send --programme programme --message letter.txt ledger.xlsx",
    "claim --name Young Hill Frost --subject r-0001",
    "send --message 关于公司财务问题的举报材料.txt",
    "claim --name 王小明",
    "restore --mirror https://mirror.example --out dir",
    "",
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_phrase_is_noticed_in_any_language_and_amid_other_text(language: str) -> None:
    phrase = PHRASES[language]
    assert looks_like_words(phrase)
    assert looks_like_words(f"inbox --programme p {phrase} --json")
    assert looks_like_words(f"inbox {' '.join(phrase.split()[:7])}")


@pytest.mark.parametrize("text", NO_PHRASES)
def test_what_people_call_files_and_themselves_is_no_phrase(text: str) -> None:
    assert not looks_like_words(text)


def test_chinese_words_without_spaces_are_noticed() -> None:
    for language in ("chinese_simplified", "chinese_traditional"):
        assert looks_like_words("inbox " + PHRASES[language].replace(" ", ""))
