"""The one door to WeasyPrint: a page as an accessible PDF, to be printed, mailed and filed.

The file is PDF/UA-1: it carries its language, its title, and the order and kind of each
heading, paragraph and list, so that a screen reader reads what eyes see, from right to left
where that is how it is written. Nothing is fetched: what a page wants from elsewhere is left
out, so that a letter tells nobody when it was made. The same page gives the same bytes.

Spec: ISO 14289-1 (PDF/UA-1).
"""

import hashlib
import logging

from safeconduct.errors import MalformedError, UnavailableError

HTML_BYTES_MAX = 1 << 20
_FORM = "pdf/ua-1"

# It reports every style it does not know; a letter's words may stand in such a line.
logging.getLogger("weasyprint").setLevel(logging.CRITICAL)
logging.getLogger("fontTools").setLevel(logging.CRITICAL)


def make_pdf(html: str) -> bytes:
    """The page as an accessible PDF; its language and title are those of the page.

    Raises:
        MalformedError: longer than a mebibyte.
        UnavailableError: the page cannot be laid out on this machine.
    """
    page = html.encode("utf-8")
    if len(page) > HTML_BYTES_MAX:
        raise MalformedError(f"letter: longer than {HTML_BYTES_MAX} bytes")
    identifier = hashlib.sha256(page).digest()[:16]
    try:
        from weasyprint import HTML  # heavy, and it needs Pango: only who makes a PDF does
        from weasyprint.urls import URLFetcher

        document = HTML(string=html, url_fetcher=URLFetcher(allowed_protocols=()))
        made = document.write_pdf(pdf_variant=_FORM, pdf_identifier=identifier)
    except OSError as error:
        hint = "install libpango-1.0-0, libpangoft2-1.0-0 and a font"
        raise UnavailableError("letters cannot be laid out here", hint=hint) from error
    assert isinstance(made, bytes)  # it returns None only where it writes to a file
    return made
