"""Claiming and taking back on the page: said plainly, made as the client makes it."""

import base64
import re
import zlib
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest
from tests.parties.intake.mail_world import (
    CHALLENGE,
    HOSTILE,
    FarEnd,
    Mail,
    check_page,
    far_end,
    saved,
)
from tests.protocol import builders, credited

from safeconduct.errors import RefusedError
from safeconduct.parties.intake import claiming
from safeconduct.protocol.claim import examine, parse_bundle
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import record_hash
from safeconduct.protocol.reply import Reply
from safeconduct.protocol.withdrawal import verify_withdrawal

LANGUAGES = ("en", "ar")
WHO = {"subject": "r-0001", "name": builders.PERSON, "disclosure": "open"}
NOTHING_FOUND = {
    "claimant_is_subject": True,
    "grave_crime_proven": False,
    "knowing_falsehood_found": False,
}


@pytest.fixture(scope="module")
def far() -> Iterator[FarEnd]:
    with far_end() as far:
        yield far


@pytest.fixture
def mail(far: FarEnd, tmp_path: Path) -> Mail:
    """A door that holds one message, which the desk has acknowledged."""
    mail = far.mail(tmp_path)
    mail.send()
    mail.acknowledge()
    return mail


def bundle_in(page: str) -> str:
    found = re.search(r'name="bundle" value="([^"]+)"', page)
    assert found, page
    return unescape(found[1])


def hand_in(mail: Mail, made: httpx.Response) -> httpx.Response:
    return mail.visit("/claim/filed", bundle=bundle_in(made.text))


# Claims.


def test_before_anything_is_typed_the_page_says_what_a_claim_gives_away(mail: Mail) -> None:
    for language in LANGUAGES:
        mail.language = language
        check_page(mail.visit("/claim"), language)
    mail.language = "en"
    page = mail.visit("/claim").text
    form = page.index('action="/en/mail/claim/made"')
    assert page.index("your legal name") < form
    assert page.index("this server sees your name and your words together") < form
    assert page.index("safeconduct source claim") < form
    assert not mail.register.claims


def test_a_claim_made_here_proves_what_the_clients_would(mail: Mail) -> None:
    made = mail.visit("/claim/made", **WHO)
    check_page(made)
    file = mail.visit("/claim/saved", bundle=bundle_in(made.text))
    assert file.headers["content-disposition"] == 'attachment; filename="claim.json"'
    data = file.content
    assert data == zlib.decompress(base64.b64decode(bundle_in(made.text)))
    bundle = parse_bundle(data)
    assert bundle.record.hash("challenge") == CHALLENGE
    assert bundle.record.word("audience") == builders.REGISTRY.name
    assert bundle.fields["name"] == builders.PERSON
    state = mail.world.gazette().state
    facts = examine(bundle, state, builders.POLICY, NOTHING_FOUND).facts
    assert isinstance(facts, dict)
    assert isinstance(facts["lists"], dict)
    assert isinstance(facts["lists"]["tips"], list)
    [tip] = facts["lists"]["tips"]
    assert isinstance(tip, dict)
    assert (tip["author_proven"], tip["acknowledged"]) == (True, "ok")
    assert tip["logged"] == [None, builders.NOON]
    assert not mail.register.claims


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_claim_is_handed_in_on_demand_and_again_without_harm(
    language: str, mail: Mail
) -> None:
    mail.language = language
    made = mail.visit("/claim/made", **WHO)
    first, second = hand_in(mail, made), hand_in(mail, made)
    assert first.status_code == second.status_code == 200
    check_page(first, language)
    one, other = mail.register.claims
    assert one.data == other.data
    assert f"/case/{one.page_key.hex()}/letter.txt" in first.text


def test_a_sealed_claim_asks_for_that(mail: Mail) -> None:
    made = mail.visit("/claim/made", **WHO | {"disclosure": "sealed"})
    bundle = parse_bundle(zlib.decompress(base64.b64decode(bundle_in(made.text))))
    assert bundle.record.word("disclosure") == "sealed"
    assert "Only the decision" in made.text


BAD_WHO: dict[str, tuple[dict[str, str], str]] = {
    "no name": ({"name": " "}, "does not take this as a name"),
    "too long a name": ({"name": "ä" * 300}, "does not take this as a name"),
    "a name with a control character": ({"name": "Ada\x07"}, "does not take this as a name"),
    "no number": ({"subject": ""}, "cannot be a number in the register"),
    "a number that is markup": ({"subject": HOSTILE}, "cannot be a number in the register"),
}


@pytest.mark.parametrize("case", BAD_WHO)
def test_what_the_register_would_not_take_comes_back_to_be_corrected(
    case: str, mail: Mail
) -> None:
    changes, complaint = BAD_WHO[case]
    answer = mail.visit("/claim/made", **WHO | changes)
    assert answer.status_code == 422
    assert complaint in answer.text
    assert "<script" not in answer.text
    check_page(answer)
    assert 'aria-describedby="name-hint' in answer.text


def test_a_hostile_name_is_shown_and_does_nothing(mail: Mail) -> None:
    made = mail.visit("/claim/made", **WHO | {"name": HOSTILE})
    assert HOSTILE in unescape(made.text)
    assert "<script" not in made.text
    check_page(made)


def test_what_the_register_says_is_shown_and_the_claim_stays(mail: Mail) -> None:
    made = mail.visit("/claim/made", **WHO)
    mail.register.refuses = "r-0001 is not in the register"
    answer = hand_in(mail, made)
    assert answer.status_code == RefusedError.http_status
    assert "r-0001 is not in the register" in answer.text
    assert bundle_in(answer.text) == bundle_in(made.text)
    check_page(answer)


def test_a_register_that_is_away_loses_nothing(
    mail: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claiming, "REGISTER_SECONDS", 0.0)
    made = mail.visit("/claim/made", **WHO)
    mail.register.away = True
    again, filed = mail.visit("/claim/made", **WHO), hand_in(mail, made)
    assert "does not answer now" in again.text
    assert f'value="{builders.PERSON}"' in again.text
    assert filed.status_code == 503
    assert bundle_in(filed.text) == bundle_in(made.text)


def _other_programme() -> bytes:
    return builders.helped_bundle(claim=builders.claimed(programme=builders.PROGRAMME[::-1]))


def test_the_door_carries_nothing_else_to_the_register(mail: Mail) -> None:
    other = base64.b64encode(_other_programme()).decode()
    for bundle in ("", "AAAA", "!", HOSTILE, other):
        answer = mail.visit("/claim/filed", bundle=bundle)
        assert answer.status_code in (400, 403, 409, 422)
        check_page(answer)
    assert not mail.register.claims


def test_without_an_acknowledgement_the_page_names_what_to_do_instead(mail: Mail) -> None:
    mail.send(1)
    page = mail.visit("/claim", 1).text
    assert "The desk has not acknowledged this message." in page
    assert "--opening" in page


def test_whoever_holds_a_credit_is_told_that_it_is_better_and_where_to_use_it(
    mail: Mail,
) -> None:
    mail.world.entries = credited.entries("plain")
    mail.reply(Reply(text="", credit=credited.held("plain", 0)))
    page = mail.visit("/claim")
    check_page(page)
    assert "You have something better: a credit" in page.text
    assert "safeconduct source claim --credit" in page.text


def test_without_a_date_nothing_can_be_claimed(mail: Mail) -> None:
    mail.send(1, deliver=False, dated=False)
    answer = mail.visit("/claim", 1)
    assert answer.status_code == 404
    assert "no date yet" in answer.text
    assert mail.visit("/claim/made", 1, **WHO).status_code in (403, 404, 409)


# Taking back.


def test_taking_back_asks_first_and_says_what_it_cannot_do(mail: Mail) -> None:
    for language in LANGUAGES:
        mail.language = language
        check_page(mail.visit("/withdraw"), language)
    mail.language = "en"
    page = mail.visit("/withdraw").text
    assert "The date stays in the public log for ever." in page
    assert "The desk has opened this message already." in page
    assert mail.world.intake.store.withdrawn(record_hash(mail.records[0])) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_message_is_taken_back_with_a_signed_and_dated_proof(
    language: str, mail: Mail
) -> None:
    digest = mail.send(1)
    mail.language = language
    first, second = mail.visit("/withdrawn", 1), mail.visit("/withdrawn", 1)
    check_page(first, language)
    signed = saved(first.text, "withdrawal.record")
    assert signed == saved(second.text, "withdrawal.record")
    assert verify_withdrawal(signed, mail.records[1]).contribution == digest
    proof = saved(first.text, "withdrawal.tlog-proof")
    verify_receipt(signed, proof, builders.POLICY, builders.LEDGER.name)
    assert mail.world.intake.store.deliveries_after(0, 9)[-1].hash != digest


def test_what_was_never_handed_over_need_not_be_taken_back(mail: Mail) -> None:
    mail.send(1, deliver=False)
    question = mail.visit("/withdraw", 1)
    assert "Nothing of this message was delivered." in question.text
    check_page(question)
    deed = mail.visit("/withdrawn", 1)
    assert deed.status_code == 404
    check_page(deed)


def test_the_page_says_whether_the_desk_had_it(mail: Mail) -> None:
    store = mail.world.intake.store
    mail.send(1)
    store.mark_handed(record_hash(mail.records[1]), whole=True)
    mail.send(2)
    store.mark_handed(record_hash(mail.records[2]), whole=False)
    told = {0: "Now nobody can read it.", 1: "It is marked.", 2: "The rest is deleted."}
    for number, sentence in told.items():
        assert sentence in mail.visit("/withdrawn", number).text
