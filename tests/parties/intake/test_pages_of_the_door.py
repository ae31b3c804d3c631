import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from tests.parties.intake.door_world import (
    NOW,
    TEXT,
    WORDS,
    World,
    ask,
    open_world,
    post_form,
    told,
)
from tests.protocol import builders

from safeconduct.parties.intake import show
from safeconduct.parties.intake.tell import FORM_BYTES_MAX, tell
from safeconduct.plumbing import logs
from safeconduct.plumbing.pages import style
from safeconduct.plumbing.words import parse_words
from safeconduct.protocol import age
from safeconduct.protocol.capsule import find_capsules
from safeconduct.protocol.envelope import acknowledgement
from safeconduct.protocol.keys import contribution_keys
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import (
    record_hash,
    sign_record,
)
from safeconduct.protocol.reply import Reply, seal_reply
from safeconduct.protocol.tlog.note import SigningKey

PAGE_BYTES_MAX = 30_000
CROSS_SITE = '<script>alert("1")</script>'


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("door")) as world:
        yield world


@pytest.fixture
def world(opened: World) -> Iterator[World]:
    """The one door of this module, put back as it was after each test."""
    yield opened
    opened.now, opened.entries = NOW, builders.gazette_entries()
    opened.gazette_away = opened.ledger.away = False


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as world:
        yield world


# What holds for every page.


@dataclass
class Seen(HTMLParser):
    """What a page is made of."""

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, *names: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in names]


def seen(page: str) -> Seen:
    parser = Seen()
    parser.feed(page)
    parser.close()
    return parser


def check_page(page: str) -> None:
    made = seen(page)
    tags = [tag for tag, _ in made.tags]
    assert not {"script", "img", "iframe", "object", "svg", "style"} & set(tags)
    assert made.all("html")[0]["lang"]
    assert tags.count("h1") == tags.count("main") == tags.count("title") == 1
    for _, attributes in made.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in ("href", "src", "action"):
            assert re.match(r"(/|#|data:)(?!/)|$", attributes.get(name) or ""), attributes
    check_labels(made)
    assert len(page.encode()) + len(style()) <= PAGE_BYTES_MAX


def check_labels(made: Seen) -> None:
    ids = [str(each["id"]) for _, each in made.tags if "id" in each]
    labelled = {each.get("for") for each in made.all("label")}
    assert len(set(ids)) == len(ids)
    for answer in made.all("input", "textarea", "select"):
        assert answer.get("id") in labelled
        assert answer.get("type") == "file" or answer.get("autocomplete") == "off"
        assert set((answer.get("aria-describedby") or "").split()) <= set(ids)


def pages_of(world: World) -> dict[str, httpx.Response]:
    """Every page that the door can show, by what it is."""
    good = {"words": WORDS, "text": TEXT}
    wrong_words = {"words": "one two three", "text": TEXT}
    return {
        "start": ask(world, "GET", "/"),
        "law": ask(world, "GET", "/law"),
        "law in German": ask(world, "GET", "/law?lang=de"),
        "page of the law that does not exist": ask(world, "GET", "/law?page=99"),
        "form": ask(world, "GET", "/tell"),
        "form after wrong words": post_form(world, "/tell", wrong_words),
        "form after no text": post_form(world, "/tell", good | {"text": " "}),
        "receipt": post_form(world, "/tell", good, {"a.txt": b"a"}),
        "words for mail": ask(world, "GET", "/mail"),
        "wrong words for mail": post_form(world, "/mail", wrong_words),
        "mail": post_form(world, "/mail", good),
        "empty mailbox": post_form(world, "/mail", {"words": "abandon " * 11 + "about"}),
    }


def test_every_page_is_small_whole_labelled_and_without_script_or_foreign_address(
    fresh: World,
) -> None:
    for name, response in pages_of(fresh).items():
        assert response.headers["content-type"] == "text/html; charset=utf-8", name
        assert response.headers["cache-control"] == "no-store", name
        assert "script-src" not in response.headers["content-security-policy"], name
        assert response.headers["content-security-policy"].startswith("default-src 'none'")
        assert "set-cookie" not in response.headers, name
        check_page(response.text)


def test_the_style_fetches_nothing_and_uses_logical_properties_only() -> None:
    sheet = style().decode()
    assert len(sheet) <= 12_000
    assert not re.search(r"url\(|@import|@font-face|https?:", sheet)
    assert not re.search(r"\b(margin|padding|border|text-align:)[- ](left|right)", sheet)
    assert "prefers-color-scheme: dark" in sheet
    assert "@media print" in sheet
    assert ":focus-visible" in sheet


SCHEMES = {"light": r":root \{\n  color-scheme(.*?)\}", "dark": r"dark\) \{\n  :root \{(.*?)\}"}
READ_ON = [
    *((ink, "paper") for ink in ("ink", "soft", "mark", "bad", "good")),
    *((ink, "sheet") for ink in ("ink", "soft", "mark", "bad", "good")),
    *(("ink", ground) for ground in ("tint", "blush", "sand")),
    ("wait", "sand"),
    ("bad", "blush"),
    ("on-mark", "mark"),
]


def luminance(colour: str) -> float:
    digits = colour * 2 if len(colour) == 3 else colour
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_text_stands_out_from_its_ground_as_wcag_2_2_asks(scheme: str) -> None:
    block = re.search(SCHEMES[scheme], style().decode(), re.S)
    assert block is not None
    colours = dict(re.findall(r"--([\w-]+): #([0-9a-f]{3,6});", block[1]))
    for ink, ground in READ_ON:
        lighter, darker = sorted((luminance(colours[ink]), luminance(colours[ground])))[::-1]
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (scheme, ink, ground)


# The first page and the law.


def test_the_first_page_shows_the_date_the_proof_and_what_the_law_grants(world: World) -> None:
    page = unescape(ask(world, "GET", "/").text)
    view = world.gazette()
    assert "1 June 2027, 00:00:00 UTC" in page
    assert "That is in 136 days and 16 hours." in page
    assert "is acquitted from the registration. (§\xa03)" in page
    for proof in (
        view.state.statutes[0].sha256.hex(),
        view.state.epochs[0].hash.hex(),
        view.cosigned.checkpoint.tree.root_hash.hex(),
        "ours, 15 January 2027",
        "theirs, 15 January 2027",
    ):
        assert proof in page


def test_after_the_date_the_first_page_says_that_it_has_passed(world: World) -> None:
    world.now = builders.THE_DATE
    assert "That was less than a minute ago." in ask(world, "GET", "/").text


def test_without_an_open_desk_key_the_first_page_says_so(world: World) -> None:
    world.now = NOW + 30 * builders.DAY
    page = ask(world, "GET", "/").text
    assert "no key open now" in page
    check_page(page)


def test_before_any_law_the_first_page_says_that_nothing_can_be_sent(world: World) -> None:
    world.entries = builders.gazette_entries()[:1]
    page = ask(world, "GET", "/").text
    assert "No law has been published yet" in page
    check_page(page)
    assert ask(world, "GET", "/law").status_code == 404


def test_when_the_gazette_is_away_the_page_asks_for_patience(world: World) -> None:
    world.gazette_away = True
    answer = ask(world, "GET", "/")
    assert answer.status_code == 503
    assert "Nothing of yours is lost" in answer.text
    check_page(answer.text)


def test_the_law_is_shown_section_by_section_in_each_language(world: World) -> None:
    statute = world.gazette().state.statutes[0]
    page = unescape(ask(world, "GET", "/law?lang=de").text)
    assert "Gesetz über die Entlassung" in page
    assert statute.sha256.hex() in page
    assert 'id="s-2"' in page
    assert "2027-06-01T00:00:00Z" in page


DURATIONS = {
    0: "less than a minute",
    59: "less than a minute",
    60: "1 minute",
    3_600: "1 hour",
    7_260: "2 hours and 1 minute",
    86_400: "1 day",
    86_400 + 60: "1 day",
    190 * 86_400 + 7 * 3_600 + 59: "190 days and 7 hours",
}


@pytest.mark.parametrize("seconds", DURATIONS)
def test_a_duration_is_told_in_its_two_largest_units(seconds: int) -> None:
    assert show.duration(seconds) == DURATIONS[seconds]


# The form.


def test_the_form_shows_twelve_fresh_words_that_hold_together(world: World) -> None:
    def shown() -> str:
        page = ask(world, "GET", "/tell").text
        grid = page.split('class="words"')[1].split("</ol>")[0]
        return " ".join(re.findall(r"<li>(\w+)</li>", grid))

    first, second = shown(), shown()
    assert len(parse_words(first)) == len(parse_words(second)) == 16
    assert first != second


def test_the_form_says_what_the_server_sees_before_there_is_anything_to_type(
    world: World,
) -> None:
    page = ask(world, "GET", "/tell").text
    assert page.index("this server will see") < page.index("<form")
    assert page.index("on your own machine") < page.index("<form")


def saved(page: str, name: str) -> bytes:
    address = next(
        str(each["href"]) for each in seen(page).all("a") if each.get("download") == name
    )
    return base64.b64decode(address.removeprefix("data:application/octet-stream;base64,"))


def test_a_told_tip_is_dated_and_its_receipt_can_be_saved_without_script(fresh: World) -> None:
    answer = post_form(
        fresh, "/tell", {"words": WORDS, "text": TEXT}, {"a/list.csv": b"1,2\n", "b.txt": b""}
    )
    assert answer.status_code == 200
    assert "Received and dated" in answer.text
    record, proof = (
        saved(answer.text, "receipt.record"),
        saved(answer.text, "receipt.tlog-proof"),
    )
    receipt = verify_receipt(record, proof, builders.POLICY, builders.LEDGER.name)
    assert receipt.logged_by == NOW
    assert receipt.record.word("sealed-by") == "server"
    delivered = fresh.intake.store.delivered(receipt.record_hash)
    assert delivered is not None
    assert TEXT.encode() not in b"".join(fresh.intake.store.payloads.pieces(delivered.hash))


REFUSED_FORMS: dict[str, tuple[dict[str, str], int, str]] = {
    "eleven words": ({"words": WORDS.rpartition(" ")[0]}, 400, "needs exactly 12 words"),
    "a word off the list": ({"words": WORDS + "x"}, 400, "ot on the word list"),
    "words in another order": (
        {"words": " ".join(sorted(WORDS.split()))},
        400,
        "do not belong together",
    ),
    "no words": ({"words": ""}, 400, "needs exactly 12 words"),
    "very many words": ({"words": "a " * 5_000}, 400, "needs exactly 12 words"),
    "a text that is too long": ({"text": "x" * 100_001}, 400, "longer than 100000"),
}


@pytest.mark.parametrize("case", REFUSED_FORMS)
def test_a_refused_form_comes_back_with_what_was_typed(case: str, world: World) -> None:
    changes, status, complaint = REFUSED_FORMS[case]
    typed = {"words": WORDS, "text": f"{TEXT} {CROSS_SITE}"} | changes
    before = world.held()
    answer = post_form(world, "/tell", typed)
    assert answer.status_code == status
    assert complaint in unescape(answer.text)
    assert "<script" not in answer.text
    assert typed["text"] in unescape(answer.text)
    assert world.held() == before


def test_a_form_with_too_large_files_keeps_its_words_and_text(world: World) -> None:
    before = world.held()
    typed = {"words": WORDS, "text": f"{TEXT} {CROSS_SITE}"}
    answer = post_form(world, "/tell", typed, {"film.mp4": bytes(FORM_BYTES_MAX)})
    assert answer.status_code == 413
    assert typed["text"] in unescape(answer.text)
    assert WORDS in answer.text
    check_page(answer.text)
    assert world.held() == before


def test_when_the_log_is_away_the_text_stays_and_trying_again_works(
    fresh: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "PATIENCE_SECONDS", 0.1)
    fresh.ledger.away = True
    answer = told(fresh)
    assert answer.status_code == 503
    assert TEXT in answer.text
    assert "Trying again is safe" in answer.text
    check_page(answer.text)
    fresh.ledger.away = False
    assert told(fresh).status_code == 200


BAD_FORMS: dict[str, tuple[str, bytes]] = {
    "no form at all": ("", b""),
    "JSON": ("application/json", b"{}"),
    "not UTF-8": ("application/x-www-form-urlencoded", b"words=%ff"),
    "raw bytes": ("application/x-www-form-urlencoded", bytes(range(256))),
    "multipart without boundary": ("multipart/form-data", b"--x--\r\n"),
    "multipart cut short": ("multipart/form-data; boundary=x", b"--x\r\nContent-Disp"),
    "multipart that is noise": ("multipart/form-data; boundary=x", bytes(1_000)),
}


@pytest.mark.parametrize("path", ["/tell", "/mail"])
@pytest.mark.parametrize("case", BAD_FORMS)
def test_what_is_no_form_gets_a_page_and_changes_nothing(
    case: str, path: str, world: World
) -> None:
    content_type, body = BAD_FORMS[case]
    before = world.held()
    answer = ask(world, "POST", path, body, {"content-type": content_type})
    assert answer.status_code in {400, 415}
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    check_page(answer.text)
    assert world.held() == before


# The mailbox.


def answer_with(world: World, text: str, signer: SigningKey, proven: bytes) -> None:
    """The desk's reply to the first contribution, with an acknowledgement by `signer`."""
    (found,), _ = find_capsules(
        world.intake.store.versions, lambda i: contribution_keys(builders.master(), i)
    )
    digest = record_hash(found.capsule.record)
    signed = sign_record(acknowledgement(builders.PROGRAMME, digest, "ok", 1), [signer])
    reply = Reply(
        text=text, acknowledgement=signed, proof=builders.prove(proven or record_hash(signed))
    )
    keys = found.keys
    recipient = age.format_recipient(age.hybrid_identity(keys.reply_seed()).recipient())
    block = seal_reply(reply, recipient, keys.tag_key(), 0, world.intake.random_bytes)
    world.intake.store.post_reply(block[:16], block)


def test_the_mailbox_shows_date_acknowledgement_and_reply_with_markup_made_harmless(
    fresh: World,
) -> None:
    told(fresh)
    waiting = post_form(fresh, "/mail", {"words": WORDS}).text
    assert "Not opened yet." in waiting
    assert "15 January 2027, 08:00:00 UTC" in waiting
    answer_with(fresh, f"Which ledger? {CROSS_SITE}", builders.DESK, b"")
    page = post_form(fresh, "/mail", {"words": WORDS}).text
    assert "The desk signed that it is whole and readable." in page
    assert "<script" not in page
    assert CROSS_SITE in unescape(page)
    assert saved(page, "acknowledgement.record").startswith(b"safeconduct/v1/acknowledgement")
    check_page(page)


FORGERIES: dict[str, tuple[SigningKey, bytes]] = {
    "signed by somebody else": (builders.STRANGER, b""),
    "not dated by the log": (builders.DESK, b"another entry"),
}


@pytest.mark.parametrize("case", FORGERIES)
def test_an_acknowledgement_that_does_not_hold_is_called_evidence(
    case: str, fresh: World
) -> None:
    signer, proven = FORGERIES[case]
    told(fresh)
    answer_with(fresh, "Thank you.", signer, proven)
    page = post_form(fresh, "/mail", {"words": WORDS}).text
    assert "Not opened yet." in page
    assert "acknowledgement came that does not hold" in page
    check_page(page)


def test_many_messages_stay_on_one_small_page_and_each_can_be_read_alone(fresh: World) -> None:
    entropy = builders.ENTROPY
    for number in range(4):
        tell(fresh.intake, entropy, f"{TEXT} {number}", [])
    found, _ = find_capsules(
        fresh.intake.store.versions, lambda i: contribution_keys(builders.master(), i)
    )
    for item in found:
        recipient = age.format_recipient(
            age.hybrid_identity(item.keys.reply_seed()).recipient()
        )
        reply = Reply(text=f"{item.keys.number}: " + "long " * 1_100)
        chance = fresh.intake.random_bytes
        block = seal_reply(reply, recipient, item.keys.tag_key(), 0, chance)
        fresh.intake.store.post_reply(block[:16], block)
    page = post_form(fresh, "/mail", {"words": WORDS}).text
    check_page(page)
    assert "3: long" in page
    assert "0: long" not in page
    alone = post_form(fresh, "/mail", {"words": WORDS, "number": "0"}).text
    assert "0: long" in alone
    assert "3: long" not in alone


def test_words_that_nobody_used_open_an_empty_mailbox(world: World) -> None:
    page = post_form(world, "/mail", {"words": "abandon " * 11 + "about"})
    assert page.status_code == 200
    assert "Empty mailbox. Wrong words?" in page.text


def test_a_number_that_is_none_is_refused_kindly(world: World) -> None:
    answer = post_form(world, "/mail", {"words": WORDS, "number": "-1"})
    assert answer.status_code == 400
    assert WORDS in answer.text
    check_page(answer.text)
