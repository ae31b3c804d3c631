"""The door to trafilatura: the article in an HTML page. Nothing is fetched while reading one.

The library is imported when the first page is read: it is heavy, and only the press needs it.
"""

import logging
import re
from dataclasses import dataclass
from importlib.metadata import version

from safeconduct.errors import MalformedError

EXTRACTOR = "trafilatura"
TREE_ELEMENTS_MAX = 200_000

# What the libraries have to say about a page is no business of our standard error.
for _library in (EXTRACTOR, "htmldate"):
    logging.getLogger(_library).addHandler(logging.NullHandler())

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlText:
    """An article as its page gives it; `title` and `published_on` (ISO day) may be empty."""

    title: str
    text: str
    published_on: str
    extractor_version: str


def html_text(html: str) -> HtmlText:
    """The headline, the article's paragraphs and the claimed day of an HTML page.

    Comments and tables are left out. The page is decoded by the caller, who knows its charset.

    Raises:
        MalformedError: no HTML, no article in it, or more than 200,000 elements.
    """
    from trafilatura import bare_extraction  # heavy; see the module's docstring
    from trafilatura.settings import Document

    if html.count("<") > 2 * TREE_ELEMENTS_MAX:
        raise MalformedError(f"page: more than {TREE_ELEMENTS_MAX} elements")
    found = bare_extraction(
        html,
        include_comments=False,
        include_tables=False,
        with_metadata=True,
        date_extraction_params={"extensive_search": False, "original_date": True},
    )
    if not isinstance(found, Document) or not (found.text or "").strip():
        raise MalformedError(
            "page: no article is found in it", hint="save the article as plain text"
        )
    day = str(found.date or "")
    return HtmlText(
        title=" ".join(str(found.title or "").split()),
        text=str(found.text),
        published_on=day if _DAY.fullmatch(day) else "",
        extractor_version=version(EXTRACTOR),
    )
