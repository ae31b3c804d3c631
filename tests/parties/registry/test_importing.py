"""Taking over somebody else's list: everything told beforehand, nobody listed by it."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from followthemoney import model
from tests.parties.registry.listing_world import Listings, open_listings
from tests.protocol import builders

from safeconduct.errors import ConflictError
from safeconduct.parties.registry import enlist_final
from safeconduct.parties.registry.duties import listings_of
from safeconduct.parties.registry.foreign_lists import FAULTS_MAX, LINE_BYTES_MAX, subject_of
from safeconduct.parties.registry.importing import PROPOSER, Plan, carry_out, plan_import
from safeconduct.protocol.registration import dossier_of

HEAD = "subject,name,conduct,birth_date\n"


@pytest.fixture
def listings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Listings:
    return open_listings(tmp_path / "register", monkeypatch)


def planned(listings: Listings, text: str | bytes, form: str = "csv") -> Plan:
    path = listings.world.folder / f"list.{form}"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return plan_import(listings.registry, path, form)


def counts(plan: Plan) -> tuple[int, int, int, int]:
    return len(plan.add), len(plan.change), len(plan.same), len(plan.faults)


def ftm(*entities: dict[str, Any]) -> str:
    return "".join(json.dumps(each) + "\n" for each in entities)


def test_a_dry_run_changes_nothing_and_says_everything(listings: Listings) -> None:
    plan = planned(listings, HEAD + "r-1,Anton Weller,signed,1970-01\nr-2,Ada Quill,,\n")
    assert counts(plan) == (2, 0, 0, 0)
    assert listings_of(listings.registry).all() == []
    assert len(listings.world.ledger.entries) == 1


def test_who_is_taken_over_begins_as_proposed_and_goes_no_further_by_itself(
    listings: Listings,
) -> None:
    carry_out(listings.registry, planned(listings, HEAD + "r-1,Anton Weller,signed,1970-01\n"))
    found = listings.now()
    assert found.state == "proposed"
    dossier = dossier_of(found.course)
    assert (dossier.proposer, dossier.evidence) == (PROPOSER, ("born 1970-01",))
    assert dossier.source == "list.csv"
    with pytest.raises(Exception, match="does not say"):
        listings.notified()


def test_the_same_list_again_changes_nothing_and_another_name_is_a_change(
    listings: Listings,
) -> None:
    text = HEAD + "r-1,Anton Weller,signed,\nr-2,Ada Quill,,\n"
    carry_out(listings.registry, planned(listings, text))
    assert counts(planned(listings, text)) == (0, 0, 2, 0)
    plan = planned(listings, text.replace("Ada Quill", "Ada Quills"))
    assert counts(plan) == (0, 1, 1, 0)
    carry_out(listings.registry, plan)
    assert dossier_of(listings.now(2).course).name == "Ada Quills"


def test_what_people_added_to_a_file_survives_the_next_import(listings: Listings) -> None:
    carry_out(listings.registry, planned(listings, HEAD + "r-0042,Zdzisława Quill,signed,\n"))
    listings.proposed()
    assert counts(planned(listings, HEAD + "r-0042,Zdzisława Quill,,\n")) == (0, 0, 1, 0)
    listings.notified()
    plan = planned(listings, HEAD + "r-0042,Another Name,,\n")
    assert counts(plan) == (0, 0, 1, 0), "who was told is left alone"


def test_no_other_list_brings_anybody_back(listings: Listings) -> None:
    listings.effective()
    record = enlist_final.end(listings.registry, 1, "quashed", "by the court")
    assert record is not None
    enlist_final.publish_end(listings.registry, 1, builders.by_board(record))
    assert counts(planned(listings, HEAD + "r-0042,Zdzisława Quill,,\n")) == (0, 0, 1, 0)


def test_nobody_is_entered_if_a_listing_was_begun_meanwhile(listings: Listings) -> None:
    plan = planned(listings, HEAD + "r-1,Anton Weller,,\nr-0042,Zdzisława Quill,,\n")
    listings.proposed()
    with pytest.raises(ConflictError, match="r-0042"):
        carry_out(listings.registry, plan)
    assert [one.subject for one in listings_of(listings.registry).all()] == ["r-0042"]


CSV_FAULTS: dict[str, tuple[str | bytes, int, str]] = {
    "no columns": ("", 0, ""),
    "an unknown column": (
        "subject,name,photo\nr-1,A,b\n",
        1,
        "the first line names the columns",
    ),
    "a column twice": ("subject,name,name\nr-1,A,b\n", 1, "each once"),
    "a cell too many": (HEAD + "r-1,Anton Weller,a,,b\n", 2, "5 cells where there are 4"),
    "a register number that is none": (HEAD + "R 1,Anton Weller,,\n", 2, "no register number"),
    "no name": (HEAD + "r-1, ,,\n", 2, "says nothing"),
    "a name of ten kilobytes": (HEAD + f"r-1,{'A' * 10_000},,\n", 2, "longer than 300"),
    "a name that turns the line round": (HEAD + "r-1,Anton \u202eRelleW,,\n", 2, "U+202E"),
    "a name with a zero-width space": (HEAD + "r-1,An\u200bton,,\n", 2, "U+200B"),
    "a name in two scripts": (HEAD + "r-1,Аnton Weller,,\n", 2, "Cyrillic and Latin"),
    "a name that is not composed": (HEAD + "r-1,Rene\u0301,,\n", 2, "NFC"),
    "a day that there is not": (HEAD + "r-1,Anton Weller,,1970-02-30\n", 2, "no date"),
    "a date with a time": (HEAD + "r-1,Anton Weller,,1970-02-01T00\n", 2, "no date"),
    "a date in words": (HEAD + "r-1,Anton Weller,,last year\n", 2, "no date"),
    "the same number twice": (
        HEAD + "r-1,Anton Weller,,\nr-1,Ada Quill,,\n",
        3,
        "stands in line 2 already",
    ),
    "a text of five thousand characters": (
        HEAD + f"r-1,Anton Weller,{'x' * 5_000},\n",
        2,
        "longer than 4000",
    ),
    "no UTF-8": (HEAD.encode() + b"r-1,Anton \xff,,\n", 2, "not UTF-8"),
    "a line without an end": (
        HEAD + "r-1," + "x" * (LINE_BYTES_MAX + 10) + "\n",
        2,
        f"longer than {LINE_BYTES_MAX}",
    ),
    "a quote that is not closed": (HEAD + 'r-1,"Anton,,\n', 2, "not CSV"),
}


@pytest.mark.parametrize(("text", "line", "told"), CSV_FAULTS.values(), ids=CSV_FAULTS)
def test_a_fault_in_csv_is_told_once_with_its_line(
    listings: Listings, text: str | bytes, line: int, told: str
) -> None:
    plan = planned(listings, text)
    if not line:
        assert counts(plan) == (0, 0, 0, 0)
        return
    [fault] = plan.faults
    assert fault.line == line
    assert told in fault.message
    assert len(fault.message) < 300
    assert fault.message.isprintable()


def test_good_lines_around_a_fault_are_seen_and_the_faults_have_an_end(
    listings: Listings,
) -> None:
    plan = planned(listings, HEAD + "r-1,Anton Weller,,\nR,x,,\nr-2,Ada Quill,,\n")
    assert counts(plan) == (2, 0, 0, 1)
    plan = planned(listings, HEAD + "R,x,,\n" * (FAULTS_MAX * 3))
    assert len(plan.faults) <= FAULTS_MAX


PERSON: dict[str, Any] = {
    "id": "Q1",
    "schema": "Person",
    "properties": {"name": ["Anton Weller"], "birthDate": ["1970-01-31"]},
}
SANCTION: dict[str, Any] = {
    "id": "s1",
    "schema": "Sanction",
    "properties": {
        "entity": ["Q1"],
        "authority": ["Another body"],
        "program": ["Another act"],
        "reason": ["signed off\nshipments"],
        "startDate": ["2020-05"],
    },
}


def test_followthemoney_entities_are_taken_over(listings: Listings) -> None:
    for entity in (PERSON, SANCTION):
        model.get_proxy(entity)  # what the real library takes too
    plan = planned(listings, ftm(SANCTION, PERSON), "ftm")
    assert counts(plan) == (1, 0, 0, 0)
    dossier = plan.add[0].dossier
    assert (dossier.subject, dossier.name) == (subject_of("Q1"), "Anton Weller")
    assert dossier.assessment == {"ground": "Another act", "conduct": "signed off shipments"}
    assert "born 1970-01-31" in dossier.evidence
    assert "startDate there: 2020-05" in dossier.evidence


def test_followthemoney_statements_make_the_same_person(listings: Listings) -> None:
    def statements(entity: dict[str, Any]) -> Iterable[dict[str, Any]]:
        for prop, values in entity["properties"].items():
            for value in values:
                yield {
                    "canonical_id": entity["id"],
                    "entity_id": entity["id"],
                    "schema": entity["schema"],
                    "prop": prop,
                    "value": value,
                    "dataset": "other",
                }

    lines = [*statements(PERSON), *statements(SANCTION)]
    said = planned(listings, ftm(*lines), "ftm").add[0].dossier
    whole = planned(listings, ftm(PERSON, SANCTION), "ftm").add[0].dossier
    assert (said.name, said.assessment, said.evidence) == (
        whole.name,
        whole.assessment,
        whole.evidence,
    )


def person(id_: str, **properties: Any) -> dict[str, Any]:
    name = {"name": ["Anton Weller"]}
    return {"id": id_, "schema": "Company", "properties": name | properties}


FTM_FAULTS: dict[str, tuple[str, int, str]] = {
    "not JSON": ("{\n", 1, "not JSON"),
    "a key twice": ('{"id":"a","id":"b","schema":"Person","properties":{}}\n', 1, "twice"),
    "nested too deep": ("[" * 100_000 + "\n", 1, "not JSON"),
    "a list": ("[]\n", 1, "not an object"),
    "no id": (ftm({"schema": "Person", "properties": {}}), 1, "id must be"),
    "properties that are none": (ftm({"id": "a", "schema": "Person"}), 1, "properties must"),
    "a number for a name": (ftm(person("a", name=[7])), 1, "property name must"),
    "no name": (ftm(person("a", name=[])), 1, "no property name"),
    "the same entity twice": (ftm(PERSON, PERSON), 2, "stands in line 1 already"),
    "a wrong date of birth": (ftm(person("a", birthDate=["1970-13"])), 1, "no date"),
    "a sanction against nobody": (ftm(SANCTION), 1, "is not in the list"),
    "a sanction against a sanction": (
        ftm(PERSON, SANCTION, SANCTION | {"id": "s2", "properties": {"entity": ["s1"]}}),
        3,
        "which is no person",
    ),
    "a company above itself": (ftm(person("a", parent=["a"])), 1, "above itself"),
    "two companies above each other, told for each": (
        ftm(person("a", parent=["b"]), person("b", parent=["a"])),
        1,
        "above itself",
    ),
    "a lone surrogate": (
        '{"id":"a","schema":"Person","properties":{"name":["\\ud800"]}}\n',
        1,
        "U+D800",
    ),
}


@pytest.mark.parametrize(("text", "line", "told"), FTM_FAULTS.values(), ids=FTM_FAULTS)
def test_a_fault_in_followthemoney_is_told_with_its_line(
    listings: Listings, text: str, line: int, told: str
) -> None:
    faults = planned(listings, text, "ftm").faults
    assert len({fault.line for fault in faults}) == len(faults)
    assert faults[0].line == line
    assert told in faults[0].message
    assert faults[0].message.isprintable()
