"""A letter as PDF can be read by machines that read aloud, and is the same each time."""

import io
from typing import Any

import pytest
from pypdf import PdfReader

from safeconduct.errors import MalformedError
from safeconduct.plumbing.pdf import HTML_BYTES_MAX, make_pdf

PAGE = """<!doctype html><html lang="{language}" dir="{direction}"><head><title>{title}</title>
<link rel="stylesheet" href="/style.css"></head>
<body><h1>{title}</h1><p>{text}</p><ul><li>one</li></ul><img src="http://127.0.0.1:9/x" alt="x">
</body></html>"""
TEXTS = {
    "en": ("ltr", "Decision", "The registration stands."),
    "ru": ("ltr", "Решение", "Регистрация остаётся в силе."),
    "el": ("ltr", "Απόφαση", "Η εγγραφή παραμένει."),
    "ar": ("rtl", "قرار", "يبقى التسجيل قائمًا."),
}


def page(language: str) -> str:
    direction, title, text = TEXTS[language]
    return PAGE.format(language=language, direction=direction, title=title, text=text)


@pytest.mark.parametrize("language", TEXTS)
def test_the_file_says_its_language_its_title_and_its_order(language: str) -> None:
    reader = PdfReader(io.BytesIO(make_pdf(page(language))))
    root: Any = reader.trailer["/Root"]  # what lies in a PDF has no types
    assert root["/Lang"] == language
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert root["/StructTreeRoot"]["/K"]
    assert b"pdfuaid:part" in root["/Metadata"].get_data()
    metadata = reader.metadata
    assert metadata is not None
    assert metadata.title == TEXTS[language][1]


def test_the_file_holds_the_words_and_a_font_for_each() -> None:
    reader = PdfReader(io.BytesIO(make_pdf(page("ru"))))
    assert "Регистрация остаётся в силе." in reader.pages[0].extract_text()


def test_the_same_page_gives_the_same_bytes() -> None:
    assert make_pdf(page("en")) == make_pdf(page("en"))


def test_an_over_long_page_is_refused() -> None:
    with pytest.raises(MalformedError, match="longer than"):
        make_pdf("x" * (HTML_BYTES_MAX + 1))
