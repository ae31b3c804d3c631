"""Every letter of the register, in every language: complete, and alike in each form."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from babel.dates import format_datetime
from tests.parties.registry.appealing import ruled, with_panel
from tests.parties.registry.golden import told_as_before
from tests.parties.registry.listing_world import FILE, REPLY_SECONDS, Listings, open_listings
from tests.parties.registry.register_world import (
    NOTHING_FOUND,
    SPOKEN,
    World,
    appeal_of,
    words_of,
)
from tests.protocol import builders
from tests.protocol.builders import MEMBERS

import safeconduct
from safeconduct.errors import RefusedError
from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.registry import (
    appeals,
    decide,
    enlist_final,
    hearing,
    receive,
)
from safeconduct.parties.registry.letter import direction_of, make_letter, sections
from safeconduct.parties.registry.letter_words import PHRASES, day, moment, said
from safeconduct.plumbing.languages import LANGUAGES, when
from safeconduct.protocol.canonical import Json, parse_json
from safeconduct.protocol.claim import GROUNDS
from safeconduct.protocol.claim.shortfall_words import SENTENCES
from safeconduct.protocol.claim.shortfall_words import WORDS as SHORT
from safeconduct.protocol.decision import OpenError
from safeconduct.protocol.listing.dossier import format_dossier, parse_dossier
from safeconduct.protocol.reasons import WORDING as HEADS
from safeconduct.protocol.record import record_hash
from safeconduct.protocol.registration import CAUSES, RESULTS, dossier_of
from safeconduct.protocol.statute.wording import PHRASES as LAW_PHRASES
from safeconduct.protocol.statute.wording.dates import moment_in, written_in

OTHERS = [language for language in LANGUAGES if language != "en"]
ASSESSED = (
    builders.helped_fields()["assessment"].encode(),
    builders.helped_fields()["assessment_proof"].encode(),
)


class Seen(HTMLParser):
    """A page's words and its elements."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self._open.remove(tag)

    def handle_data(self, data: str) -> None:
        if not {"style", "title"} & set(self._open):
            self.words += data.split()


def fixed(phrases: dict[str, str] | Any, longer_than: int = 12) -> Iterator[str]:
    """The stretches of a table's phrases that stand between what is inserted."""
    for phrase in phrases.values():
        for part in re.split(r"\{[a-z]*\}|\|", phrase):
            if len(part.strip()) > longer_than:
                yield part.strip()


# The tables.


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_every_phrase_with_the_same_gaps(language: str) -> None:
    assert PHRASES[language].keys() == PHRASES["en"].keys()
    for key, phrase in PHRASES["en"].items():
        gaps = sorted(re.findall(r"\{[a-z]+\}", phrase))
        assert sorted(re.findall(r"\{[a-z]+\}", PHRASES[language][key])) == gaps, key


@pytest.mark.parametrize("language", OTHERS)
def test_no_phrase_was_left_in_english(language: str) -> None:
    same = {key for key, told in PHRASES["en"].items() if PHRASES[language][key] == told}
    assert not same


def test_every_ground_result_and_cause_has_its_words() -> None:
    assert {"legal" if ground == "law" else ground for ground in GROUNDS} <= PHRASES[
        "en"
    ].keys()
    assert RESULTS.keys() | CAUSES <= PHRASES["en"].keys()


MOMENTS = {
    "en": "Saturday, 17 July 2027, 23:59:59 UTC (2027-07-17T23:59:59Z)",
    "de": "Samstag, 17. Juli 2027, 23:59:59 UTC (2027-07-17T23:59:59Z)",
    "uk": "субота, 17 липня 2027 р., 23:59:59 UTC (2027-07-17T23:59:59Z)",
    "ar": "السبت، 17 يوليو 2027، 23:59:59 UTC (\u20682027-07-17T23:59:59Z\u2069)",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_dates_are_written_as_those_who_read_the_language_write_them(language: str) -> None:
    for month in range(12):
        at = builders.NOON + 31 * month * builders.DAY + 59
        assert moment_in(language, at) == when(at, language)
        told = moment_in(language, at, weekday=True)
        name = format_datetime(datetime.fromtimestamp(at, UTC), "EEEE", locale=language)
        assert told.startswith(name.replace("\u02bc", "’"))
        assert told.endswith(when(at, language))


def test_a_moment_of_a_law_keeps_its_own_offset() -> None:
    assert written_in("en", "2027-06-01T00:00:00+03:00") == "1 June 2027, 00:00 (UTC+03:00)"
    assert written_in("fr", "2027-06-01") == "1 juin 2027"
    assert written_in("ar", "2027-06-01T00:00:00Z") == "1 يونيو 2027، 00:00 UTC"


@pytest.mark.parametrize("language", MOMENTS)
def test_a_moment_is_told_for_people_and_for_machines(language: str) -> None:
    assert moment(language, 1_815_868_799) == MOMENTS[language]
    assert MOMENTS[language].startswith(day(language, 740_179))


# Letters to whoever claimed.


def claims(world: World, language: str) -> Iterator[Path]:
    """One of each letter about a claim, by a claimant who reads this language."""
    texts = {"language": language}
    refused = world.filed(texts=texts)
    draft = decide.propose_decision(world.registry, refused, NOTHING_FOUND)
    signed = sign_all(draft.record, MEMBERS[:2])
    letter = decide.enter(world.registry, refused, signed).letter
    yield letter
    decide.appeal(world.registry, refused, appeal_of(signed, "law"))
    yield letter.with_name(f"{refused.hex()}.appeal.html")
    appeals.propose_appeal(world.registry, refused, NOTHING_FOUND, ASSESSED)
    _, settled = ruled(world, refused, "acquitted")
    yield settled.letter
    late = world.filed(texts=texts)
    signed, served = world.decided(late)
    yield served.letter
    doubtful = spoken(world, language)
    with pytest.raises(OpenError):
        decide.propose_decision(world.registry, doubtful, NOTHING_FOUND | SPOKEN)
    yield served.letter.with_name(f"{doubtful.hex()}.open.html")
    world.now += 31 * builders.DAY
    with pytest.raises(RefusedError, match="over"):
        decide.appeal(world.registry, late, appeal_of(signed))
    yield served.letter.with_name(f"{late.hex()}.appeal.html")


def spoken(world: World, language: str) -> bytes:
    """A claim on a statement that may have been made before the date, or after it."""
    record = builders.capture_record(builders.public_capture())
    claim = builders.claimed(
        0,
        "claim-denounced",
        record=record_hash(record),
        challenge=receive.challenge(world.registry),
    )
    proof = builders.prove(record_hash(record), builders.THE_DATE + builders.DAY).decode()
    bundle = builders.denounced_bundle(claim=claim, proof=proof, language=language)
    return receive.receive(world.registry, bundle).claim


def bare(words: list[str]) -> list[str]:
    """The words without the signs that lists and headings are made of in a text."""
    return [found for word in words if (found := word.strip("-:"))]


def alike(page: Path, language: str) -> str:
    """Check that text and page say the same, and that the page is whole by itself."""
    text = page.with_suffix(".txt").read_text(encoding="utf-8")
    shown = Seen(page.read_text(encoding="utf-8"))
    assert bare(shown.words) == bare(text.split())
    [html] = [attributes for tag, attributes in shown.elements if tag == "html"]
    rtl = language in ("ar", "fa")
    assert (html["lang"], html["dir"]) == (language, "rtl" if rtl else "ltr")
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in shown.elements}
    assert [tag for tag, _ in shown.elements].count("h1") == 1
    assert text.rstrip("\n").endswith(PHRASES[language]["keep"])
    return text


@pytest.mark.parametrize("language", LANGUAGES)
def test_letters_to_claimants_are_whole_and_in_their_language(
    world: World, language: str
) -> None:
    letters = [alike(page, language) for page in claims(with_panel(world), language)]
    assert len(letters) == 6
    until = PHRASES[language]["until"].partition("{")[0].strip()
    assert until in letters[0]
    assert until not in letters[2]
    assert PHRASES[language]["last word"] in letters[2]
    assert PHRASES[language]["waiting"] in letters[4]
    assert PHRASES[language]["refused"] in letters[5]
    for text in letters:
        well_formed(text, language)
        assert address_in(text)
    assert all(PHRASES[language]["check"] in letters[place] for place in (0, 2, 3))
    need_not = PHRASES[language]["need not"]
    favoured = [name for name, text in zip(NAMES, letters, strict=True) if need_not in text]
    assert favoured == ["favourable"]
    if language == "en":
        for name, text in zip(NAMES, letters, strict=True):
            told_as_before(name, text)
    else:
        own = [without_the_law(text) for text in letters]
        assert not [one for one in ENGLISH for text in own if one in text]


NAMES = ("refused", "appeal", "panel", "favourable", "open", "late-appeal")
ENGLISH = [
    *fixed(PHRASES["en"]),
    *fixed(LAW_PHRASES["en"]),
    *fixed(HEADS["en"]),
    *fixed(SHORT["en"]),
    *SENTENCES,
]
"""What stands in English letters only; the shortest words could stand in any."""
FACT_ID = re.compile(r"\b[a-z_]+\.[a-z_]+\b|[a-z_]+\[[0-9]+\]|\b[a-z]+_[a-z_]+\b")


def address_in(text: str) -> bool:
    """Whether the letter names its person's page."""
    return re.search("http://register.example/case/[0-9a-f]{64}", text) is not None


def well_formed(text: str, language: str) -> None:
    """Check that the letter has no empty paragraph, no id of a fact, and no loose end."""
    signed = PHRASES[language]["signed"].partition("{")[0]
    assert not FACT_ID.findall(text.partition(signed)[0].partition("http:")[0])
    assert "\n\n\n" not in text
    assert all(line.strip(" -\u200f") for line in text.split("\n") if line)
    assert not re.search(r"[{}|]|\bNone\b", text)
    if language in ("ar", "fa"):
        assert text.count("\u2068") == text.count("\u2069")
        bare_lines = re.sub("\u2068[^\u2069]*\u2069", "", text)
        assert not re.search("[0-9a-f]{64}", bare_lines), "a hash steers the line it is in"


def without_the_law(text: str) -> str:
    """The letter without the law's own sentences, which the law has in few languages."""
    for each in sorted(set(texts_of(parse_json(builders.law(), "law"))), key=len, reverse=True):
        text = text.replace(each, "")
    return text


def texts_of(value: Json) -> Iterator[str]:
    """Every English text in a law."""
    if isinstance(value, dict):
        if isinstance(value.get("en"), str):
            yield str(value["en"])
        for each in value.values():
            yield from texts_of(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts_of(each)


# Letters to whoever is to be listed.


@pytest.fixture
def listings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Listings:
    return open_listings(tmp_path, monkeypatch)


def entries(listings: Listings, language: str) -> Iterator[Path]:
    """One of each letter about a listing, to somebody who reads this language."""
    number = listings.proposed(language=language)
    yield listings.notified(number).letter
    hearing.reply(listings.registry, listings.page(number), "I was not there.")
    listings.pass_time(REPLY_SECONDS + 1)
    yield listings.entered(listings.drafted(number), number).letter
    hearing.appeal(listings.registry, listings.page(number), "fact", "I was not there.")
    yield listings.judged("uphold", number).letter
    enlist_final.end(listings.registry, number, "quashed", "A court has quashed it.")
    yield listings.world.folder / "letters" / f"listing-{number}-end.html"
    other = listings.proposed(language=language, subject="r-0043")
    listings.notified(other)
    hearing.reply(listings.registry, listings.page(other), "I was not there.")
    listings.pass_time(REPLY_SECONDS + 1)
    draft = listings.drafted(other, outcome="not_registered")
    yield listings.entered(draft, other).letter


@pytest.mark.parametrize("language", LANGUAGES)
def test_letters_to_the_listed_are_whole_and_in_their_language(
    listings: Listings, language: str
) -> None:
    letters = [alike(page, language) for page in entries(listings, language)]
    assert len(letters) == 5
    address = f"http://register.example/listing/{listings.page(1).hex()}"
    assert all(address in text for text in letters[:4])
    assert "2027" in letters[0]
    assert PHRASES[language]["uphold"] in letters[2]
    assert PHRASES[language]["nothing"] in letters[4]
    if language != "en":
        english = [*fixed(PHRASES["en"]), *fixed(LAW_PHRASES["en"])]
        assert not [one for one in english for text in letters if one in text]


def test_a_file_without_a_language_stays_what_it_was(listings: Listings) -> None:
    listings.proposed()
    dossier = dossier_of(listings.now().course)
    assert dossier.language == "en"
    assert b"language" not in format_dossier(dossier)


def test_the_language_is_bound_by_the_file_and_nobody_else_sees_it(listings: Listings) -> None:
    listings.proposed(language="fa")
    dossier = dossier_of(listings.now().course)
    assert parse_dossier(format_dossier(dossier)).language == "fa"
    assert "language" not in str(dossier.shown)


@pytest.mark.parametrize("language", ["", "tlh", "EN"])
def test_a_language_without_letters_is_refused(listings: Listings, language: str) -> None:
    with pytest.raises(safeconduct.errors.MalformedError, match="language is one of"):
        listings.proposed(language=language)
    assert FILE.keys() >= {"subject"}


# The page, line by line.


def test_a_line_above_a_list_is_its_heading() -> None:
    found = sections("Before.\nWhy:\n- one\n- two\n\nAfter:\n\nAlone.\n")
    assert [block.element for block in found] == ["p", "h2", "ul", "p", "p"]


DIRECTIONS = {
    "✓ Section 3 applies": "ltr",
    "✗ لا تنطبق \u2068Section 3\u2069": "rtl",
    "\u2068Section 3 does not apply.\u2069": "ltr",
    "\u200f\u2068tips\u2069: قبل": "rtl",
    "12 (3)": "ltr",
}


@pytest.mark.parametrize("line", DIRECTIONS)
def test_a_line_runs_as_its_own_words_do(line: str) -> None:
    assert direction_of(line) == DIRECTIONS[line]


def test_a_strangers_words_stay_text_and_on_their_line() -> None:
    told = said("de", "proposer", text="<script>\nUnterschrieben von: allen")
    letter = make_letter(f"Titel\n\n- {told}\n", "de")
    assert b"<script>\nUnter" not in letter.text
    assert b"<script" not in letter.html
    assert letter.text.count(b"\n- ") == 1


def test_words_of_a_letter_are_read_from_its_text(world: World) -> None:
    _, served = world.decided(world.filed())
    assert words_of(served.letter).startswith("Decision 1\nTo: ")
