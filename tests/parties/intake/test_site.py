import argparse
import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from tests.parties.intake.door_world import NOW, WORDS, World, open_world
from tests.protocol import builders

from safeconduct.parties.intake import command, show, staff
from safeconduct.parties.intake.tell import FORM_BYTES_MAX, tell
from safeconduct.plumbing import durable, logs
from safeconduct.plumbing.pages import style
from safeconduct.plumbing.programme import load_programme, write_programme
from safeconduct.plumbing.words import parse_words
from safeconduct.protocol import age
from safeconduct.protocol.canonical import format_base64, format_json, parse_json
from safeconduct.protocol.capsule import find_capsules, split_shelf
from safeconduct.protocol.envelope import acknowledgement
from safeconduct.protocol.keys import contribution_keys
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import (
    Record,
    Value,
    format_record,
    make_record,
    parse_record,
    parse_signed,
    record_hash,
    sign_record,
    verify_signer,
)
from safeconduct.protocol.reply import BLOCK_BYTES, Reply, seal_reply
from safeconduct.protocol.tlog.note import SigningKey, format_skey

PAGE_BYTES_MAX = 30_000
CROSS_SITE = '<script>alert("1")</script>'
TEXT = "The minister signed it on the second of May."


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


def ask(
    world: World,
    method: str,
    path: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    return httpx.request(
        method, world.url + path, content=body, headers=headers, timeout=30, trust_env=False
    )


def post_form(
    world: World, path: str, fields: dict[str, str], files: dict[str, bytes] | None = None
) -> httpx.Response:
    uploads = [("file", (name, data)) for name, data in (files or {}).items()]
    return httpx.post(
        world.url + path, data=fields, files=uploads or None, timeout=60, trust_env=False
    )


def told(world: World, text: str = TEXT) -> httpx.Response:
    return post_form(world, "/tell", {"words": WORDS, "text": text})


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
    sides = (
        r"(?<![-\w])(margin|padding|border)-(left|right|top|bottom)|text-align: (left|right)"
    )
    assert not re.search(sides, sheet)
    assert "prefers-color-scheme: dark" in sheet
    assert "@media print" in sheet
    assert ":focus-visible" in sheet


SCHEMES = {"light": r":root \{\n  color-scheme(.*?)\}", "dark": r"dark\) \{\n  :root \{(.*?)\}"}
READ_ON = [
    *(
        (ink, ground)
        for ink in ("ink", "soft", "mark", "bad", "good")
        for ground in ("paper", "sheet")
    ),
    *(("ink", ground) for ground in ("tint", "blush", "sand")),
    ("wait", "sand"),
    ("bad", "blush"),
    ("on-mark", "mark"),
]


def luminance(colour: str) -> float:
    digits = colour * 2 if len(colour) == 3 else colour
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


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
    assert "acquitted from the registration" in page
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
    assert TEXT.encode() not in fresh.intake.store.payload_path(delivered.hash).read_bytes()


REFUSED_FORMS: dict[str, tuple[dict[str, str], int, str]] = {
    "eleven words": ({"words": WORDS.rpartition(" ")[0]}, 400, "needs exactly 12 words"),
    "a word off the list": ({"words": WORDS + "x"}, 400, "not on the word list"),
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
    shelf = split_shelf(b"".join(world.intake.store.shelf()))
    (found,), _ = find_capsules(shelf, lambda i: contribution_keys(builders.master(), i))
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
    shelf = split_shelf(b"".join(fresh.intake.store.shelf()))
    found, _ = find_capsules(shelf, lambda i: contribution_keys(builders.master(), i))
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


# The client's calls.


def announcement(**changes: str) -> bytes:
    record = format_record(builders.sealed().record)
    fields = {
        "record": record.decode(),
        "proof": builders.prove(record_hash(record)).decode(),
        "header": format_base64(builders.sealed().header),
    }
    return format_json({**fields, **changes})


DIGEST = record_hash(format_record(builders.sealed().record))


def test_an_envelope_is_dated_taken_in_by_pieces_and_signed_for(fresh: World) -> None:
    proof = ask(fresh, "POST", "/commit", DIGEST).content
    verify_receipt(
        format_record(builders.sealed().record), proof, builders.POLICY, builders.LEDGER.name
    )
    payload = b"".join(builders.sealed().payload())
    path = f"/deliver/{DIGEST.hex()}"
    assert ask(fresh, "POST", "/deliver", announcement()).content == b"0"
    assert ask(fresh, "PATCH", f"{path}?offset=0", payload[:70]).content == b"70"
    assert ask(fresh, "PATCH", f"{path}?offset=90", payload[90:]).status_code == 409
    assert ask(fresh, "POST", "/deliver", announcement()).content == b"70"
    size = str(len(payload)).encode()
    assert ask(fresh, "PATCH", f"{path}?offset=60", payload[60:]).content == size
    answers = [ask(fresh, "POST", f"{path}/finish").content for _ in range(2)]
    assert answers[0] == answers[1]
    delivery = verify_signer(parse_signed(answers[0], "delivery"), builders.SERVER.verifier())
    assert delivery.hash("record") == DIGEST
    assert ask(fresh, "POST", "/deliver", announcement()).content == size


def test_capsules_and_replies_are_given_to_everybody_alike(fresh: World) -> None:
    slot, capsule = bytes(range(16)), bytes(8_192)
    for _ in range(2):
        assert ask(fresh, "PUT", f"/capsules/{slot.hex()}", capsule).status_code == 200
    assert ask(fresh, "GET", "/capsules").content == slot + capsule
    block = bytes(BLOCK_BYTES)
    fresh.intake.store.post_reply(block[:16], block)
    assert ask(fresh, "GET", "/bulletin").content == block


def test_the_public_files_are_those_that_a_client_loads(world: World, tmp_path: Path) -> None:
    for name in ("programme.toml", "policy.txt"):
        (tmp_path / name).write_bytes(ask(world, "GET", f"/{name}").content)
    assert load_programme(tmp_path) == world.intake.programme
    assert ask(world, "GET", "/health").content == b"ok"


HUGE = bytes(17 << 20)
BAD_CALLS: dict[str, tuple[str, str, bytes, int]] = {
    "commit of nothing": ("POST", "/commit", b"", 400),
    "commit of 31 bytes": ("POST", "/commit", bytes(31), 400),
    "commit of 33 bytes": ("POST", "/commit", bytes(33), 413),
    "announcement of nothing": ("POST", "/deliver", b"", 400),
    "announcement that is huge": ("POST", "/deliver", HUGE, 413),
    "announcement cut short": ("POST", "/deliver", announcement()[:-9], 400),
    "announcement that is not UTF-8": ("POST", "/deliver", b"\xff" + announcement(), 400),
    "announcement of a list": ("POST", "/deliver", b"[]", 400),
    "announcement without its proof": ("POST", "/deliver", announcement(proof=""), 400),
    "announcement with another's proof": (
        "POST",
        "/deliver",
        announcement(proof=builders.prove(bytes(32)).decode()),
        403,
    ),
    "announcement of another kind": (
        "POST",
        "/deliver",
        announcement(record=builders.statements().assessment.decode()),
        400,
    ),
    "announcement with a header for two": (
        "POST",
        "/deliver",
        announcement(header=format_base64(builders.sealed().header * 2)),
        400,
    ),
    "piece of what was not announced": ("PATCH", f"/deliver/{'00' * 32}?offset=0", b"x", 403),
    "piece without its place": ("PATCH", f"/deliver/{'00' * 32}", b"x", 400),
    "piece at a negative place": ("PATCH", f"/deliver/{'00' * 32}?offset=-1", b"x", 400),
    "piece at a place beyond all": ("PATCH", f"/deliver/{'00' * 32}?offset={10**19}", b"", 400),
    "piece for no hash": ("PATCH", "/deliver/nonsense?offset=0", b"x", 400),
    "piece for a hash in capitals": ("PATCH", f"/deliver/{'AB' * 32}?offset=0", b"x", 400),
    "piece that is huge": ("PATCH", f"/deliver/{'00' * 32}?offset=0", HUGE, 413),
    "end of what was not announced": ("POST", f"/deliver/{'00' * 32}/finish", b"", 403),
    "end with something after it": ("POST", f"/deliver/{'00' * 32}/finish", b"x", 413),
    "capsule of nothing": ("PUT", f"/capsules/{'00' * 16}", b"", 400),
    "capsule cut short": ("PUT", f"/capsules/{'00' * 16}", bytes(8_191), 400),
    "capsule that is too long": ("PUT", f"/capsules/{'00' * 16}", bytes(8_193), 413),
    "capsule for no slot": ("PUT", "/capsules/00", bytes(8_192), 400),
    "another method": ("DELETE", "/capsules", b"", 405),
    "another address": ("GET", "/admin", b"", 404),
    "the desk's list without a request": ("POST", "/desk/deliveries", b"0", 400),
    "a payload without a request": ("POST", f"/desk/payload/{'00' * 32}", b"", 400),
    "a reply without a request": ("POST", "/desk/replies", bytes(BLOCK_BYTES), 400),
}


@pytest.mark.parametrize("case", BAD_CALLS)
def test_a_bad_call_gets_one_clear_error_and_changes_nothing(case: str, world: World) -> None:
    method, path, body, status = BAD_CALLS[case]
    before = world.held()
    answer = ask(world, method, path, body)
    assert answer.status_code == status
    assert re.fullmatch(r"error: .+\n(hint: .+\n)?", answer.text)
    assert world.held() == before


# The desk's calls.


def request(action: str, body: bytes, **changes: Value) -> Record:
    fields: dict[str, Value] = {
        "programme": builders.PROGRAMME,
        "action": action,
        "body": hashlib.sha256(body).digest(),
        "at": NOW,
    }
    return make_record("request", **fields | changes)


def signed_header(record: Record, *keys: SigningKey) -> dict[str, str]:
    signed = sign_record(record, keys or [builders.DESK])
    return {"x-safeconduct-request": format_base64(signed)}


def from_desk(world: World, path: str, action: str, body: bytes) -> httpx.Response:
    return ask(world, "POST", path, body, signed_header(request(action, body)))


def test_the_desk_fetches_what_is_new_and_the_very_payload(fresh: World) -> None:
    told(fresh)
    told(fresh, "Another tip.")
    listed = parse_json(
        from_desk(fresh, "/desk/deliveries", "deliveries", b"0").content, "listed"
    )
    assert isinstance(listed, list)
    assert [each["number"] for each in listed if isinstance(each, dict)] == [1, 2]
    first = listed[0]
    assert isinstance(first, dict)
    assert set(first) == {"number", "record", "proof", "header", "delivery", "delivery_proof"}
    digest = record_hash(str(first["record"]).encode())
    payload = from_desk(fresh, f"/desk/payload/{digest.hex()}", "payload", b"").content
    record = parse_record(str(first["record"]).encode(), "contribution")
    assert hashlib.sha256(payload).digest() == record.hash("payload")
    later = from_desk(fresh, "/desk/deliveries", "deliveries", b"1").content
    assert later == format_json(listed[1:])
    unknown = from_desk(fresh, f"/desk/payload/{'00' * 32}", "payload", b"")
    assert unknown.status_code == 404


def test_a_list_too_long_for_one_document_ends_early_but_never_empty(
    fresh: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(fresh)
    told(fresh, "Another tip.")
    monkeypatch.setattr(staff, "DELIVERIES_BYTES_MAX", 1)
    listed = parse_json(staff.list_deliveries(fresh.intake, 0), "listed")
    assert isinstance(listed, list)
    assert len(listed) == 1


def test_the_desk_puts_up_a_reply_once_and_cannot_replace_it(fresh: World) -> None:
    block = bytes(BLOCK_BYTES)
    for _ in range(2):
        assert from_desk(fresh, "/desk/replies", "replies", block).status_code == 200
    assert b"".join(fresh.intake.store.bulletin()) == block
    other = block[:-1] + b"x"
    assert from_desk(fresh, "/desk/replies", "replies", other).status_code == 409
    assert from_desk(fresh, "/desk/replies", "replies", block[:-1]).status_code == 400
    assert b"".join(fresh.intake.store.bulletin()) == block


BODY = b"0"
GOOD = request("deliveries", BODY)
STRANGE_REQUESTS: dict[str, tuple[dict[str, str], int]] = {
    "signed by a stranger": (signed_header(GOOD, builders.STRANGER), 403),
    "signed by the desk and a stranger": (
        signed_header(GOOD, builders.DESK, builders.STRANGER),
        403,
    ),
    "signed by another key of the desk's name": (
        signed_header(GOOD, SigningKey(name=builders.DESK.name, seed=bytes(32))),
        403,
    ),
    "for another programme": (
        signed_header(request("deliveries", BODY, programme=bytes(32))),
        403,
    ),
    "for another action": (signed_header(request("replies", BODY)), 403),
    "for another body": (signed_header(request("deliveries", b"1")), 403),
    "121 seconds old": (signed_header(request("deliveries", BODY, at=NOW - 121)), 403),
    "121 seconds ahead": (signed_header(request("deliveries", BODY, at=NOW + 121)), 403),
    "of another kind": (
        {"x-safeconduct-request": format_base64(builders.statements().assessment)},
        400,
    ),
    "not base64": ({"x-safeconduct-request": "%%%"}, 400),
    "not signed": ({"x-safeconduct-request": format_base64(format_record(GOOD))}, 400),
    "empty": ({"x-safeconduct-request": ""}, 400),
    "very long": ({"x-safeconduct-request": "A" * 9_000}, 400),
}


@pytest.mark.parametrize("case", STRANGE_REQUESTS)
def test_nobody_but_the_desk_is_answered(case: str, world: World) -> None:
    headers, status = STRANGE_REQUESTS[case]
    answer = ask(world, "POST", "/desk/deliveries", BODY, headers)
    assert answer.status_code == status
    assert answer.text.startswith("error: request")


@pytest.mark.parametrize("drift", [-120, 0, 120])
def test_two_minutes_of_drift_between_desk_and_door_are_allowed(
    drift: int, world: World
) -> None:
    headers = signed_header(request("deliveries", BODY, at=NOW + drift))
    assert ask(world, "POST", "/desk/deliveries", BODY, headers).status_code == 200


def test_a_desk_request_for_words_that_are_no_number_is_refused(world: World) -> None:
    assert from_desk(world, "/desk/deliveries", "deliveries", b"\xff").status_code == 400
    assert from_desk(world, "/desk/deliveries", "deliveries", b"01").status_code == 400


# The command.


def test_the_folder_of_a_door_opens_as_the_command_finds_it(tmp_path: Path) -> None:
    with open_world(tmp_path / "first") as world:
        write_programme(tmp_path, world.intake.programme)
        durable.write_secret(
            tmp_path / command.KEY_FILE, (format_skey(builders.SERVER) + "\n").encode()
        )
        assert command.open_intake(tmp_path).programme == world.intake.programme


def test_the_command_serves_the_folder_it_is_given() -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    options = parser.parse_args(["--dir", "door", "--listen", "127.0.0.1:0"])
    assert (options.dir, options.listen) == (Path("door"), "127.0.0.1:0")
    assert callable(options.run)
