import sys
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest

from safeconduct.plumbing import pages


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package with one template and one style sheet."""
    folder = tmp_path / "a_site"
    (folder / "templates").mkdir(parents=True)
    (folder / "assets").mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "templates" / "page.html").write_text("<p>{{ words }}</p>")
    (folder / "assets" / "style.css").write_text("p {}")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "a_site"
    sys.modules.pop("a_site", None)


def test_what_goes_into_a_page_is_escaped(package: str) -> None:
    page = pages.render(package, "page.html", words="<script>")
    assert page == "<p>&lt;script&gt;</p>"


def test_a_value_that_was_forgotten_is_an_error(package: str) -> None:
    with pytest.raises(jinja2.UndefinedError):
        pages.render(package, "page.html")


def test_a_style_sheet_is_found_beside_the_code(package: str) -> None:
    assert pages.asset(package, "style.css") == b"p {}"
