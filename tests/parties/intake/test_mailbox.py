"""Coming back with the words: each state of a message, in words, on small pages."""

from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest
from tests.parties.intake.door_world import NOW, WORDS
from tests.parties.intake.mail_world import (
    HOSTILE,
    FarEnd,
    Mail,
    check_page,
    far_end,
    saved,
    ticket_in,
)
from tests.parties.intake.walking import seen
from tests.protocol import builders, credited
from tests.protocol.builders import DAY

from safeconduct.parties.intake.mailbox import LETTERS, SHEET_BYTES, sheets_of, split_text
from safeconduct.parties.intake.reading import ANSWER_DAYS, BLOCKS_MAX, Answer
from safeconduct.parties.intake.ticket import TICKET_SECONDS, Ticket
from safeconduct.plumbing.words import format_words
from safeconduct.protocol.credit import make_offer
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import record_hash, sign_record
from safeconduct.protocol.reply import Reply

UNUSED = format_words(bytes(16))
LANGUAGES = ("en", "ar")


@pytest.fixture(scope="module")
def far() -> Iterator[FarEnd]:
    with far_end() as far:
        yield far


@pytest.fixture
def mail(far: FarEnd, tmp_path: Path) -> Mail:
    return far.mail(tmp_path)


def words_in(answer: httpx.Response) -> str:
    """The page's text as somebody reads it: no tags, one space between words."""
    main = answer.text.split("<main", 1)[1].split("</main", 1)[0]
    text = "".join(part.partition(">")[2] for part in main.split("<"))
    return " ".join(unescape(text).split())


# Every state, in the list and on the page of one message.


def _undated(mail: Mail) -> None:
    mail.send(deliver=False, dated=False)


def _undelivered(mail: Mail) -> None:
    mail.send(deliver=False)


def _late(mail: Mail) -> None:
    mail.send(deliver=False)
    mail.world.now += 4 * DAY


def _received(mail: Mail) -> None:
    mail.send()


def _said(status: str) -> Callable[[Mail], None]:
    def happen(mail: Mail) -> None:
        mail.send()
        mail.acknowledge(status)

    return happen


def _answered(mail: Mail) -> None:
    mail.send()
    mail.reply(Reply(text="Which ledger?"))
    mail.reply(Reply(text="And when?"))


def _forged(mail: Mail) -> None:
    mail.send()
    mail.acknowledge(signer=builders.STRANGER)


def _overdue(mail: Mail) -> None:
    mail.send()
    mail.world.now += (ANSWER_DAYS + 1) * DAY


def _withdrawn(mail: Mail) -> None:
    mail.send()
    mail.visit("/withdrawn")


def _offered(mail: Mail) -> None:
    mail.world.entries = credited.entries("plain")
    digest = mail.send()
    mail.acknowledge()
    record = make_offer(credited.state("plain"), digest, credited.group("plain"), 1)
    mail.reply(Reply(text="", credit=sign_record(record, [builders.DESK])))


def _credited(mail: Mail) -> None:
    _offered(mail)
    mail.reply(Reply(text="", credit=credited.held("plain", 0)))


STATES: dict[str, tuple[Callable[[Mail], None], str, str]] = {
    "begun, not dated": (_undated, "Not dated yet", "the date of the witnesses is missing"),
    "dated, not delivered": (
        _undelivered,
        "Not delivered yet Date: 15 January 2027, 08:00:00 UTC To be delivered before: 18 Jan",
        "counts only if the same message is delivered before 18 January 2027, 08:00:00 UTC",
    ),
    "never delivered": (_late, "Never delivered", "it then gets a new date"),
    "received": (
        _received,
        "Received and dated Not opened yet",
        "Its signed answer is owed by 14 February 2027, 00:00:00 UTC",
    ),
    "opened": (_said("ok"), "Opened", "whole and readable"),
    "had before": (_said("duplicate"), "Opened", "had the same message before"),
    "at fault": (_said("mismatch"), "Opened, with a fault", "is not what was dated"),
    "not readable": (_said("unreadable"), "Not readable", "cannot read the message"),
    "answers waiting": (_answered, "2 answers", "2 answers"),
    "forged acknowledgement": (
        _forged,
        "Something does not hold",
        "Something came with this answer that does not hold.",
    ),
    "overdue": (
        _overdue,
        "The desk is late",
        "This time ended on 14 February 2027, 00:00:00 UTC.",
    ),
    "taken back": (_withdrawn, "Taken back", "The date stays."),
    "credited": (_credited, "Credited", "nobody learns which message was yours"),
    "assessed, a credit offered": (_offered, "Assessed", "A credit is offered."),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", STATES)
def test_each_state_of_a_message_is_said_on_whole_small_pages(
    state: str, language: str, mail: Mail
) -> None:
    happen, listed, told = STATES[state]
    happen(mail)
    mail.language = language
    in_list, alone = mail.open(), mail.visit("/message")
    for page in (in_list, alone):
        assert page.status_code == 200
        check_page(page, language)
    if language == "en":
        assert listed in words_in(in_list)
        assert told in words_in(alone)


def test_what_is_not_so_is_not_said(mail: Mail) -> None:
    mail.send()
    page = words_in(mail.visit("/message"))
    for word in ("Assessed", "Credited", "late", "Taken back", "1 answer"):
        assert word not in page


def test_nothing_is_owed_for_a_message_that_was_taken_back(mail: Mail) -> None:
    _withdrawn(mail)
    mail.world.now += (ANSWER_DAYS + 1) * DAY
    assert "The desk is late" not in words_in(mail.open())


def test_a_missed_deadline_names_the_section_and_shows_the_proof(mail: Mail) -> None:
    _overdue(mail)
    page = mail.visit("/message")
    assert "§ 4(1)" in unescape(page.text).replace("\xa0", " ")
    proof = mail.visit("/receipt", which="delivery")
    record = saved(proof.text, "delivery.record")
    receipt = verify_receipt(
        record,
        saved(proof.text, "delivery.tlog-proof"),
        builders.POLICY,
        builders.LEDGER.name,
    )
    assert receipt.record.hash("record") == record_hash(mail.records[0])


def test_messages_come_newest_first_and_a_page_at_a_time(mail: Mail) -> None:
    for number in range(LETTERS + 2):
        mail.send(number, deliver=False)
    first = mail.open()
    check_page(first)
    assert _numbers(first) == list(range(LETTERS + 1, 1, -1))
    older = mail.post("", ticket=ticket_in(first.text), below="2")
    check_page(older)
    assert _numbers(older) == [1, 0]


def _numbers(page: httpx.Response) -> list[int]:
    buttons = seen(page.text).all("button")
    return [int(str(each["value"])) for each in buttons if each.get("name") == "number"]


# Wrong words, unused words, decoys.


SLIPS = {
    "never used": UNUSED,
    "another decoy": format_words(bytes(range(100, 116))),
    "a wrong checksum": " ".join(sorted(WORDS.split())),
    "a word that is on no list": WORDS + "x",
    "eleven words": WORDS.rpartition(" ")[0],
    "nothing": "",
    "far too much": "a " * 5_000,
    "markup": HOSTILE,
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_wrong_words_unused_words_and_decoys_get_the_same_bytes(
    language: str, mail: Mail
) -> None:
    mail.send()
    mail.language = language
    pages = set()
    for name, words in SLIPS.items():
        answer = mail.open(words)
        assert answer.status_code == 200, name
        check_page(answer, language, small=len(words) < 1_000)
        typed = next(iter(seen(answer.text).all("textarea")))
        assert typed["id"] == "words"
        start, _, rest = answer.text.partition('aria-describedby="words-hint">')
        shown, _, end = rest.partition("</textarea>")
        assert unescape(shown).strip() == words.strip(), name
        pages.add((start, end, tuple(sorted(answer.headers.keys()))))
    assert len(pages) == 1
    assert "Empty mailbox. Wrong words?" in mail.open(UNUSED).text or language != "en"


def test_the_field_says_what_the_server_sees_before_anything_is_typed(mail: Mail) -> None:
    for language in LANGUAGES:
        page = mail.ask("GET", f"/{language}/mail")
        check_page(page, language)
    page = mail.ask("GET", "/en/mail")
    assert page.text.index("This server sees your words") < page.text.index("<textarea")
    assert 'href="/de/mail"' in page.text


# Answers.


def test_markup_in_an_answer_is_shown_and_does_nothing(mail: Mail) -> None:
    mail.send()
    mail.acknowledge(text=f"Which ledger? {HOSTILE}")
    page = mail.visit("/message")
    check_page(page)
    assert "<script" not in page.text
    assert HOSTILE in unescape(page.text)
    [quote] = seen(page.text).all("blockquote")
    assert quote["dir"] == "auto"


SCRIPTS = {"Latin": "word ", "Arabic": "كلمة ", "Chinese": "字", "markup": "<&>\"'"}


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_longest_answers_stay_on_small_pages_and_lose_nothing(
    script: str, mail: Mail
) -> None:
    mail.send()
    text = (SCRIPTS[script] * 6_000)[: 2_500 if script == "Chinese" else 3_000]
    mail.reply(Reply(text="first"))
    mail.reply(Reply(text=text))
    shown, sheet = "", 1
    while "first" not in shown:
        page = mail.visit("/message", sheet=str(sheet))
        check_page(page)
        quotes = page.text.split('<blockquote dir="auto">')[1:]
        shown += "".join(unescape(each.partition("</blockquote>")[0]) for each in quotes)
        sheet += 1
    assert shown == text + "first"


def _answer(text: str) -> Answer:
    return Answer(
        counter=0,
        text=text,
        acknowledgement=b"",
        proof=b"",
        status="",
        grade="",
        credit=b"",
        doubt="",
    )


@pytest.mark.parametrize("text", ["", "a", "a b c d e f", "aaaaaaaaaaaaaaa", "<<<<", "é\nüx y"])
def test_a_text_is_split_into_pieces_that_fit_and_make_the_whole(text: str) -> None:
    pieces = list(split_text(text, 6))
    assert "".join(pieces) == text
    assert all(len(piece.encode()) + 3 * piece.count("<") <= 6 for piece in pieces)


def test_sheets_hold_the_newest_answers_first() -> None:
    sheets = sheets_of([_answer("old" * SHEET_BYTES), _answer("new")])
    assert sheets[0][0].text == "new"
    assert "".join(piece.text for sheet in sheets for piece in sheet).endswith("old")


def test_no_more_than_so_many_replies_are_read(
    mail: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert BLOCKS_MAX >= 100
    monkeypatch.setattr("safeconduct.parties.intake.reading.BLOCKS_MAX", 2)
    mail.send()
    for number in range(3):
        mail.reply(Reply(text=f"answer {number}"))
    assert "2 answers" in words_in(mail.open())


# Receipts.


def test_every_receipt_can_be_saved_and_verified(mail: Mail) -> None:
    mail.send()
    mail.acknowledge()
    mail.visit("/withdrawn")
    kinds = {
        "sent": ("receipt", "contribution"),
        "delivery": ("delivery", "delivery"),
        "answer-0": ("acknowledgement", "acknowledgement"),
        "withdrawal": ("withdrawal", "withdrawal"),
    }
    offered = seen(mail.visit("/message").text).all("button")
    assert kinds.keys() == {each["value"] for each in offered if each.get("name") == "which"}
    for language in LANGUAGES:
        mail.language = language
        for which, (name, kind) in kinds.items():
            page = mail.visit("/receipt", which=which)
            check_page(page, language, small=False)
            receipt = verify_receipt(
                saved(page.text, f"{name}.record"),
                saved(page.text, f"{name}.tlog-proof"),
                builders.POLICY,
                builders.LEDGER.name,
            )
            assert receipt.record.kind == kind
            assert "safeconduct receipt verify" in page.text


def test_an_acknowledgement_that_does_not_hold_can_be_saved_as_evidence(mail: Mail) -> None:
    _forged(mail)
    page = mail.visit("/receipt", which="answer-0")
    assert "This does not hold." in page.text
    assert "existed by" not in page.text
    assert saved(page.text, "acknowledgement.record").startswith(b"safeconduct/v1/")


# Tickets, and what strangers send.


def test_words_are_typed_once_and_a_ticket_that_is_over_asks_for_them_again(
    mail: Mail,
) -> None:
    mail.send()
    tickets = mail.world.intake.tickets
    old = Ticket(opened_at=tickets.seconds() - TICKET_SECONDS - 1, entropy=builders.ENTROPY)
    wordless = Ticket(opened_at=tickets.seconds())
    for path in ("", "/message", "/receipt", "/withdraw", "/withdrawn", "/claim", "/more"):
        for ticket in (tickets.seal(old), "", "AAAA"):
            answer = mail.post(path, ticket=ticket, number="0")
            assert answer.status_code == 403
            assert "open for too long" in answer.text
            check_page(answer)
    for path in ("", "/message", "/more"):
        answer = mail.post(path, ticket=tickets.seal(wordless), number="0")
        assert answer.status_code == 403


def test_a_page_carries_a_ticket_that_is_good_for_another_half_hour(mail: Mail) -> None:
    mail.send()
    tickets = mail.world.intake.tickets
    early = Ticket(opened_at=tickets.seconds() - TICKET_SECONDS + 60, entropy=builders.ENTROPY)
    page = mail.post("/message", ticket=tickets.seal(early), number="0")
    carried = tickets.open(ticket_in(page.text))
    assert carried.entropy == builders.ENTROPY
    assert tickets.seconds() - carried.opened_at < 60


BAD_NUMBERS = {"none": "", "negative": "-1", "text": HOSTILE, "padded": "00", "huge": "9" * 40}


@pytest.mark.parametrize("path", ["/message", "/receipt", "/withdraw", "/claim"])
@pytest.mark.parametrize("case", BAD_NUMBERS)
def test_a_number_that_is_none_gets_a_page(case: str, path: str, mail: Mail) -> None:
    mail.send()
    answer = mail.post(path, ticket=mail.ticket(), number=BAD_NUMBERS[case])
    assert answer.status_code in (400, 404)
    assert "<script" not in answer.text
    check_page(answer)


def test_a_message_that_is_not_there_gets_a_page(mail: Mail) -> None:
    mail.send()
    for path in ("/message", "/receipt", "/withdraw", "/withdrawn", "/claim"):
        answer = mail.visit(path, 1)
        assert answer.status_code == 404
        check_page(answer)
    check_page(mail.visit("/receipt", which=HOSTILE))


BAD_FORMS: dict[str, tuple[str, bytes]] = {
    "no form at all": ("", b""),
    "JSON": ("application/json", b"{}"),
    "not UTF-8": ("application/x-www-form-urlencoded", b"words=%ff"),
    "raw bytes": ("application/x-www-form-urlencoded", bytes(range(256))),
    "multipart cut short": ("multipart/form-data; boundary=x", b"--x\r\nContent-Disp"),
    "far too long": ("application/x-www-form-urlencoded", b"words=" + b"a" * (1 << 20)),
}


@pytest.mark.parametrize("path", ["", "/message", "/withdrawn", "/claim/made"])
@pytest.mark.parametrize("case", BAD_FORMS)
def test_what_is_no_form_gets_a_page_and_changes_nothing(
    case: str, path: str, mail: Mail
) -> None:
    content_type, body = BAD_FORMS[case]
    before = mail.world.held()
    answer = mail.ask("POST", f"/en/mail{path}", body, content_type)
    assert answer.status_code in {400, 413, 415}
    check_page(answer)
    assert mail.world.held() == before


def test_the_address_of_a_later_page_leads_to_the_field(mail: Mail) -> None:
    answer = mail.ask("GET", "/fr/mail/claim/made")
    assert (answer.status_code, answer.headers["location"]) == (303, "/fr/mail")


def test_when_the_gazette_is_away_the_page_asks_for_patience(mail: Mail) -> None:
    mail.send()
    ticket = mail.ticket()
    mail.world.gazette_away = True
    for answer in (mail.open(), mail.post("/message", ticket=ticket, number="0")):
        assert answer.status_code == 503
        assert "does not answer now" in answer.text
        check_page(answer)


def test_reading_a_mailbox_changes_nothing(mail: Mail) -> None:
    mail.send()
    mail.acknowledge()
    before = mail.world.held()
    mail.open()
    for path in ("/message", "/withdraw", "/claim"):
        mail.visit(path)
    mail.visit("/receipt", which="sent")
    assert mail.world.held() == before
    assert mail.world.now == NOW


def test_more_can_be_said_without_typing_the_words_again(mail: Mail) -> None:
    mail.send()
    page = mail.visit("/more")
    assert page.status_code == 200
    carried = mail.world.intake.tickets.open(ticket_in(page.text))
    assert carried.confirmed
    assert carried.entropy == builders.ENTROPY
