"""`safeconduct statute publish`: nothing is drafted that the Gazette would refuse."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from tests.parties.board.test_statute_command import run
from tests.protocol.builders import by_board
from tests.protocol.credited import document, entries
from tests.protocol.statute.laws import EXAMPLE

from safeconduct.errors import MalformedError
from safeconduct.parties.board import statute_publish
from safeconduct.parties.board.sign import read_draft
from safeconduct.protocol.canonical import parse_json
from safeconduct.protocol.gazette import GazetteState, fold, fold_all
from safeconduct.protocol.record import Record
from safeconduct.protocol.statute import load_statute

FOUNDED = fold_all(entries("plain")[:1])
WITH_LAW = fold_all(entries("plain")[:2])


@pytest.fixture(autouse=True)
def gazette(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What the verb will find in the Gazette."""
    view = SimpleNamespace(state=WITH_LAW)
    monkeypatch.setattr(statute_publish, "load_programme", lambda folder: folder)
    monkeypatch.setattr(statute_publish, "read_gazette", lambda programme: view)
    return view


def publish(law: Path, folder: Path) -> Record:
    out = folder / "law.record"
    assert run("publish", law, "--programme", folder, "--out", out) == 0
    return read_draft(out.read_bytes())[0]


def written(folder: Path, **version: Any) -> Path:
    law: Any = document()
    law["version"] |= version
    path = folder / "law.yaml"
    path.write_text(yaml.safe_dump(law, allow_unicode=True), encoding="utf-8")
    return path


def test_the_first_law_is_drafted_as_it_is(tmp_path: Path, gazette: SimpleNamespace) -> None:
    gazette.state = FOUNDED
    record = publish(EXAMPLE, tmp_path)
    assert (record.kind, record.number("number")) == ("statute", 1)
    assert load_statute(record.hash("law")).version.supersedes is None


def test_the_next_version_is_set_to_follow_and_the_gazette_takes_it(tmp_path: Path) -> None:
    record = publish(written(tmp_path, note="for the next year"), tmp_path)
    statute = load_statute(record.hash("law"))
    assert statute.version.number == 2
    assert statute.version.supersedes == WITH_LAW.statutes[-1].sha256
    assert statute.version.note == "for the next year"
    state: GazetteState = fold(WITH_LAW, by_board(record))
    assert state.statutes[-1].sha256 == statute.sha256


def refused(law: Path, folder: Path) -> str:
    with pytest.raises(MalformedError) as caught:
        publish(law, folder)
    assert not (folder / "law.record").exists()
    return caught.value.message


def test_a_law_with_a_complaint_is_not_drafted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    law: Any = document()
    law["procedure"]["appeal_suspends"] = False
    law["default"].pop("review_after")
    path = tmp_path / "law.yaml"
    path.write_text(yaml.safe_dump(law, sort_keys=False), encoding="utf-8")
    message = refused(path, tmp_path)
    assert message.startswith(f"{path}:")
    assert "procedure.appeal_suspends: effects would begin" in message
    assert "default: a burden needs a review" in capsys.readouterr().err


def test_a_version_that_breaks_a_promise_is_not_drafted(tmp_path: Path) -> None:
    law: Any = parse_json(WITH_LAW.statutes[-1].law, "law")
    law["parameters"]["the_date"]["value"] = "2028-01-01T00:00:00Z"
    path = tmp_path / "law.yaml"
    path.write_text(yaml.safe_dump(law, sort_keys=False), encoding="utf-8")
    message = refused(path, tmp_path)
    assert "parameters.the_date: was moved, although it may change never" in message


def test_annulments_are_not_renumbered_silently(tmp_path: Path) -> None:
    annulment = {"version": 1, "from": "2024-02-01T00:00:00Z", "by": "a court"}
    path = written(tmp_path, number=7, supersedes="00" * 32, annuls=[annulment])
    assert "version.annuls: in the Gazette this would be version 2" in refused(path, tmp_path)


def test_what_is_not_there_is_not_annulled(tmp_path: Path) -> None:
    annulment = {"version": 1, "from": "2024-02-01T00:00:00Z", "by": "a court"}
    for number, message in (
        ("99", "version.annuls[0].sections[1]: version 1 states no rule in section 99"),
        ("6", "version.annuls[0].sections[1]: version 1 states no rule in section 6"),
    ):
        listed: Any = [annulment | {"sections": ["5(2)", number]}]
        path = written(tmp_path, number=2, supersedes="00" * 32, annuls=listed)
        assert message in refused(path, tmp_path)
    listed = [annulment | {"sections": ["5(2)"]}]
    publish(written(tmp_path, number=2, supersedes="00" * 32, annuls=listed), tmp_path)


def test_another_law_does_not_follow(tmp_path: Path) -> None:
    message = refused(EXAMPLE, tmp_path)
    assert "statute.id: is not example-credited-acquittal" in message
