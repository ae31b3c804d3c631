"""`safeconduct statute try`: the verb, the page, and the form that carries all of a trial."""

import argparse
import asyncio
import html
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.protocol.statute.laws import EXAMPLE, GOOD_TIP, STATUTES, example
from tests.protocol.statute.wide import wide_document, wide_law

from safeconduct.errors import MalformedError, RefusedError, SafeconductError
from safeconduct.parties.board.statute_files import read_versions
from safeconduct.parties.board.statute_try import add_try_verb, make_site
from safeconduct.plumbing.forms import Form
from safeconduct.plumbing.letter_text import blocks
from safeconduct.plumbing.statute_form import (
    FIELD_CHARS_MAX,
    FIELDS_MAX,
    FORM_BYTES_MAX,
    Draft,
    draft_of,
    facts_document,
    read_draft,
    with_item,
    without_item,
)
from safeconduct.plumbing.statute_trial import Trial
from safeconduct.protocol.canonical import format_json
from safeconduct.protocol.statute import Statute, read_facts, read_statute
from safeconduct.protocol.statute.head import read_moment
from safeconduct.protocol.statute.trial import case_day
from safeconduct.protocol.statute.wording import LANGUAGES

AS_OF = 2_000_000_000
LATE = "2027-09-01T00:00:00Z"


def run(*words: str | Path) -> int:
    parser = argparse.ArgumentParser()
    add_try_verb(parser.add_subparsers())
    args = parser.parse_args(["try", *(str(word) for word in words)])
    return int(args.run(args))


def facts_file(folder: Path, *tips: Any) -> Path:
    path = folder / "facts.json"
    path.write_bytes(format_json({"lists": {"tips": list(tips)}}))
    return path


# The verb.


def test_the_verb_tells_and_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "proof.svg"
    facts = facts_file(tmp_path, GOOD_TIP)
    assert run(EXAMPLE, "--facts", facts, "--as-of", LATE, "--out", out) == 0
    told, noted = capsys.readouterr()
    assert told.startswith("You are acquitted from the registration.\n")
    assert f"the proof is drawn in {out}" in noted
    assert out.read_text().startswith("<svg")


def test_an_open_case_exits_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = facts_file(tmp_path, GOOD_TIP | {"grade": "unknown"})
    assert run(EXAMPLE, "--facts", facts, "--as-of", LATE, "--language", "de") == 3
    assert capsys.readouterr().out.startswith("Noch kann nichts entschieden werden.\n")


def test_without_facts_nothing_was_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(EXAMPLE) == 0
    assert "nothing stands in the list tips" in capsys.readouterr().out


def test_the_page_is_for_this_machine_only() -> None:
    for address in ("0.0.0.0:8020", ":8020", "198.51.100.7:80"):
        with pytest.raises(RefusedError, match="on this machine only"):
            run(EXAMPLE, "--listen", address)


def test_facts_that_the_law_cannot_use_are_named_with_their_place(tmp_path: Path) -> None:
    with pytest.raises(MalformedError, match=r"lists\.tips\[0\]\.grade"):
        run(EXAMPLE, "--facts", facts_file(tmp_path, {"grade": "splendid"}))


# The page, as an application.


def visit(
    statute: Statute, posted: dict[str, str] | bytes | None = None, language: str = "en"
) -> tuple[int, dict[str, str], str]:
    """Status, headers and body of the page."""
    trial = Trial(statute=statute, language=language, as_of=AS_OF)
    body = posted if isinstance(posted, bytes) else urlencode(posted or {}).encode()
    sent: list[Any] = []
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET" if posted is None else "POST",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "headers": [
            (b"host", b"127.0.0.1:8020"),
            (b"content-type", b"application/x-www-form-urlencoded"),
        ],
        "client": ("127.0.0.1", 9),
    }
    given = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        return given.pop(0) if given else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    async def answer() -> None:
        await make_site(trial)(scope, receive, send)

    asyncio.run(answer())
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    page = b"".join(each.get("body", b"") for each in sent[1:])
    return int(sent[0]["status"]), headers, page.decode()


TIP = {
    "n.tips": "1",
    "l.tips.0.logged": "2027-05-01T00:00:00Z",
    "l.tips.0.author_proven": "true",
    "l.tips.0.acknowledged": "ok",
    "l.tips.0.grade": "useful",
}


def test_the_form_asks_for_every_fact_of_the_law() -> None:
    status, headers, page = visit(example())
    assert status == 200
    assert "default-src 'none'" in headers["content-security-policy"]
    for name in example().facts:
        assert "." in name or f'name="f.{name}"' in page
    assert "<script" not in page
    assert 'value="add.tips"' in page


def test_every_field_has_a_label() -> None:
    _, _, page = visit(example(), TIP | {"do": "add.tips"})
    fields = re.findall(r'<(?:input|select)(?![^>]*type="hidden")[^>]*\bid="([^"]+)"', page)
    assert len(fields) > 10
    assert all(f'<label for="{each}">' in page for each in fields)
    assert len(fields) == len(set(fields))


def test_judging_shows_outcome_letter_and_picture_and_keeps_the_form() -> None:
    status, _, page = visit(example(), TIP | {"do": "judge"})
    assert status == 200
    assert "You are acquitted from the registration." in page
    assert "<svg" in page
    assert "<details open><summary>The proof as a picture" in page
    assert 'value="2027-05-01T00:00:00Z"' in page
    assert '<option value="useful" selected>' in page


def test_items_are_added_and_removed_without_judging() -> None:
    _, _, added = visit(example(), TIP | {"do": "add.tips"})
    assert added.count("<fieldset") == 2
    assert "<svg" not in added
    _, _, removed = visit(example(), TIP | {"do": "remove.tips.0"})
    assert removed.count("<fieldset") == 0


def test_a_case_of_the_law_fills_the_form() -> None:
    names = [each.name for each in example().cases]
    index = names.index("a public denunciation before the date acquits")
    _, _, page = visit(example(), {"do": "fill", "case": str(index)})
    assert (
        'name="l.statements.0.made" value="2027-05-31T00:00:00Z .. 2027-05-31T23:59:59Z"'
        in page
    )


def test_a_case_of_the_law_is_judged_as_the_law_says_and_stays_chosen() -> None:
    law = read_versions(STATUTES / "lithuania" / "confession-1999")[0].statute
    for number, case in enumerate(law.cases):
        _, _, page = visit(law, {"do": "fill", "case": str(number)})
        assert f'<option value="{number}" selected>' in page
        outcomes = (*law.outcomes, law.default)
        texts = {each.value: each.text["en"] for each in outcomes}
        text = texts.get(case.outcome, "Nothing can be decided yet.")
        result = page[page.index('id="result"') : page.index("</section>")]
        assert text in html.unescape(result), case.name
        assert case.why in html.unescape(page)
        day = re.search(r'name="as_of" value="([^"]+)"', page)
        assert day is not None
        assert read_moment(day[1], "as_of", law.calendar) == case_day(law, case)
        _, _, again = visit(law, fields_of(page) | {"do": "judge"})
        assert result in again
        assert f'<option value="{number}" selected>' in again


def fields_of(page: str) -> dict[str, str]:
    """What a browser would send of the page's form."""
    typed = re.findall(r'<input[^>]*name="([^"]+)"\s+value="([^"]*)"', page)
    chosen = {}
    for name, options in re.findall(
        r'<select[^>]*name="([^"]+)".*?>(.*?)</select>', page, re.S
    ):
        value = re.search(r'value="([^"]*)" selected', options)
        chosen[name] = value[1] if value else ""
    return {name: html.unescape(value) for name, value in (*typed, *chosen.items())}


def test_the_result_tells_amount_and_items() -> None:
    folder = STATUTES / "european-union" / "leniency-2006"
    law = read_versions(folder)[-1].statute
    names = [each.name for each in law.cases]
    number = names.index("the first with evidence for an inspection gets conditional immunity")
    _, _, page = visit(law, {"do": "fill", "case": str(number)})
    result = page[page.index('id="result"') : page.index("</section>")]
    assert "Amount: 100 percent" in result
    assert ", version 2" in page
    assert "no. 1 of the list applications</span></legend>" in page
    assert "applications[0]" not in result
    assert "<details><summary>The proof as a picture" in page


def test_a_case_that_the_law_does_not_have_is_refused() -> None:
    for chosen in ("999", "x", "-1", ""):
        status, _, page = visit(example(), TIP | {"do": "fill", "case": chosen})
        assert status == MalformedError.http_status
        assert "form:" in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_speaks_every_language(language: str) -> None:
    _, _, page = visit(example(), TIP | {"do": "judge"}, language)
    assert f'<html lang="{language}"' in page
    assert language == "en" or "Put the facts" not in page


FAULTS: dict[str, tuple[dict[str, str], str]] = {
    "a time that is none": ({"l.tips.0.logged": "yesterday"}, "lists.tips[0].logged: "),
    "a word that is none": ({"l.tips.0.grade": "splendid"}, "lists.tips[0].grade: "),
    "neither yes nor no": ({"f.grave_crime_proven": "maybe"}, "facts.grave_crime_proven: "),
    "an instant that is none": ({"as_of": "now"}, "as_of: "),
    "before the law": ({"as_of": "1999-01-01T00:00:00Z"}, "the statute is not in force before"),
    "too long a field": ({"l.tips.0.logged": "9" * 201}, "l.tips.0.logged: longer than 200"),
    "a list that is none": ({"do": "add.crimes"}, "form: there is no such list"),
    "an item that is none": ({"do": "remove.tips.7"}, "form: there is no such item"),
    "a case that is none": ({"do": "fill", "case": "999"}, "form: the law has no such case"),
    "no case": ({"do": "fill"}, "form: case is missing"),
    "no number": ({"do": "remove.tips.٣"}, "form: not a number"),
    "too many items": ({"n.tips": "60"}, "form: more than 200 fields"),
    "no count": ({"n.tips": "-1"}, "form: n.tips is not a number of items"),
    "markup": ({"l.tips.0.grade": "<b>useful</b>"}, "lists.tips[0].grade: "),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_one_clear_message_on_the_page(name: str) -> None:
    changed, message = FAULTS[name]
    status, headers, page = visit(example(), TIP | {"do": "judge"} | changed)
    assert status in (400, 403, 409, 422)
    assert message in html.unescape(page)
    assert "<b>useful</b>" not in page
    assert "text/html" in headers["content-type"]


def test_a_fault_leads_to_its_field_and_keeps_what_was_typed() -> None:
    _, _, page = visit(example(), TIP | {"l.tips.0.logged": "yesterday", "do": "judge"})
    assert '<a href="#l-tips-0-logged">' in page
    field = re.search(r'<input id="l-tips-0-logged"[^>]*>', page)
    assert field is not None
    assert 'value="yesterday"' in field[0]
    assert 'aria-invalid="true"' in field[0]


def test_a_form_longer_than_its_limit_is_refused() -> None:
    status, _, _ = visit(example(), b"do=judge&x=" + b"x" * FORM_BYTES_MAX)
    assert status == 413


def test_what_is_no_form_is_refused() -> None:
    status, _, _ = visit(example(), b"\xff\xfe=%zz")
    assert status == 400


# The form and the facts document.


def form_of(**fields: str) -> Form:
    return Form(fields=tuple(fields.items()))


def there_and_back(statute: Statute, document: Any) -> Any:
    return facts_document(draft_of(document, statute), statute)


def test_every_case_of_the_law_survives_the_form() -> None:
    for case in example().cases:
        again = there_and_back(example(), case.facts.document)
        facts = read_facts(again, example().facts)
        assert (facts.values, facts.lists) == (case.facts.values, case.facts.lists)


def test_every_case_of_every_law_survives_the_form() -> None:
    folders = [each for each in STATUTES.glob("*/*") if each.is_dir()]
    laws = [law.statute for folder in folders for law in read_versions(folder)]
    for law, case in ((one, case) for one in laws for case in one.cases):
        again = there_and_back(law, case.facts.document)
        facts = read_facts(again, law.facts, calendar=law.calendar)
        found = (facts.values, facts.lists)
        assert found == (case.facts.values, case.facts.lists), (law.id, case.name)


def test_every_type_of_fact_survives_the_form() -> None:
    statute = wide_law({"is": ["x", True]})
    facts = {
        "x": True,
        "y": "unknown",
        "n": -3,
        "t": "1994-04",
        "u": "1970-01-01T00:00:05Z",
        "v": "absent",
        "s": {"begin": "1994-04-24", "end": "absent"},
        "c": "theft",
    }
    document: Any = {"facts": facts, "lists": {"acts": [{"good": False, "size": 0}, {}]}}
    assert there_and_back(statute, document) == document


def test_two_times_joined_are_an_interval() -> None:
    statute = wide_law({"is": ["x", True]})
    draft = Draft(values={"f.t": "1970-01-01T00:00:05Z .. 1970-01-01T00:00:09Z"})
    assert facts_document(draft, statute) == {"facts": {"t": [5, 9]}, "lists": {}}
    days = Draft(values={"f.t": "1970-01-02 .. 1970-02"})
    assert facts_document(days, statute) == {
        "facts": {"t": ["1970-01-02", "1970-02"]},
        "lists": {},
    }
    open_ended = Draft(values={"f.t": ".. 1970-01-01T00:00:09Z"})
    assert facts_document(open_ended, statute) == {"facts": {"t": [None, 9]}, "lists": {}}


def test_an_item_taken_out_leaves_the_others_in_order() -> None:
    draft = Draft(
        values={f"l.acts.{n}.size": str(n) for n in range(4)} | {"f.n": "7"}, counts={"acts": 4}
    )
    left = without_item(draft, "acts", 1)
    assert left.counts == {"acts": 3}
    assert [left.values[f"l.acts.{n}.size"] for n in range(3)] == ["0", "2", "3"]
    assert left.values["f.n"] == "7"


def test_what_the_law_does_not_declare_is_not_taken_up() -> None:
    draft = read_draft(form_of(**{"f.nonsense": "1", "l.acts.9.size": "1"}), example())
    assert draft == Draft(counts={"statements": 0, "tips": 0})


def test_no_form_grows_beyond_its_fields() -> None:
    statute = wide_law({"is": ["x", True]})
    assert with_item(Draft(counts={"acts": 20}), statute, "acts").counts == {"acts": 21}
    with pytest.raises(MalformedError, match=f"more than {FIELDS_MAX} fields"):
        with_item(Draft(counts={"acts": 40}), statute, "acts")


def test_a_field_may_be_as_long_as_it_says() -> None:
    read_draft(form_of(**{"f.grave_crime_proven": "x" * FIELD_CHARS_MAX}), example())
    with pytest.raises(SafeconductError, match="longer than"):
        read_draft(form_of(**{"f.grave_crime_proven": "x" * (FIELD_CHARS_MAX + 1)}), example())


def test_a_law_of_any_kind_of_fact_has_a_page() -> None:
    status, _, page = visit(
        read_statute(wide_document({"is": ["x", True]})), {"do": "add.acts"}
    )
    assert status == 200
    assert 'name="l.acts.0.held.begin"' in page


# The letter's text as blocks.


def test_a_letter_is_parted_into_paragraphs_and_lists() -> None:
    found = blocks(
        "One.\nTwo.\n\n  ✓ Section 1 applies: Text.\n      ✓ met — a\n\n  - b\n- c\n"
    )
    assert [each.element for each in found] == ["p", "dl", "ul"]
    assert found[1].rows == (
        ("dt", "✓ Section 1 applies"),
        ("dd", "Text."),
        ("dd", "✓ met — a"),
    )
