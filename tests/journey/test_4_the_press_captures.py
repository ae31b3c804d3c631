"""Scene 4: what was said in public, and by whom, is kept so that nobody can change it."""

from pathlib import Path

from safeconduct.protocol.evidence.capture import check_capture


def test_each_capture_recomputes_from_its_public_part(played: Path) -> None:
    captures = list((played / "public" / "captures").iterdir())
    assert len(captures) >= 3
    for folder in captures:
        assert check_capture((folder / "public.json").read_bytes()).statements


def test_the_denouncer_is_found_as_speaker(played: Path) -> None:
    found = {
        statement.speaker
        for folder in (played / "public" / "captures").iterdir()
        for statement in check_capture((folder / "public.json").read_bytes()).statements
    }
    assert "Anton Weller" in found


def test_the_page_itself_stays_private(played: Path) -> None:
    assert list((played / "press" / "captures").rglob("page.warc.gz"))
    assert not list((played / "public").rglob("*.warc*"))
