"""Handing out a grade for a claim with the tip: who does that gives the tip no credit."""

import argparse
from pathlib import Path

import pytest
from tests.parties.desk.credit_town import Town

from safeconduct.errors import RefusedError
from safeconduct.parties.desk import assessment_command
from safeconduct.parties.desk.assess import assessment_for
from safeconduct.parties.desk.credit import offer


class TestAssessment:
    """`desk assessment`: the one way in which a grade leaves the desk, and then no credit."""

    def hand_out(self, town: Town, digest: bytes, out: Path, patch: pytest.MonkeyPatch) -> int:
        patch.setattr(assessment_command, "open_desk", lambda folder: town.world.desk)
        parser = argparse.ArgumentParser()
        assessment_command.add_verbs(parser.add_subparsers(required=True))
        words = ["assessment", digest.hex(), "--dir", "desk", "--out", str(out)]
        options = parser.parse_args(words)
        code: int = options.run(options)
        return code

    def test_a_grade_is_handed_out_in_two_files_and_the_tip_gets_no_credit(
        self, plain: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        digest, out = plain.assessed(), tmp_path / "for-the-register"
        assert self.hand_out(plain, digest, out, monkeypatch) == 0
        given = (out / "tip.assessment").read_bytes(), (out / "tip.tlog-proof").read_bytes()
        assert given == assessment_for(plain.world.desk, digest)
        assert out.stat().st_mode & 0o777 == 0o700
        with pytest.raises(RefusedError, match="a registry was given its assessment"):
            offer(plain.world.desk, digest)

    def test_nothing_is_written_of_a_credited_tip(
        self, plain: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        digest, out = plain.asked(), tmp_path / "out"
        plain.issue(digest)
        with pytest.raises(RefusedError, match="a credit was given for this tip"):
            self.hand_out(plain, digest, out, monkeypatch)
        assert not out.exists()

    def test_a_folder_that_is_there_does_not_cost_the_tip_its_credit(
        self, plain: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        digest = plain.assessed()
        with pytest.raises(RefusedError, match="is there already"):
            self.hand_out(plain, digest, tmp_path, monkeypatch)
        assert offer(plain.world.desk, digest)
