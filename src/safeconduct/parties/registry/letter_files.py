"""Letters on the disk, for their person alone: 0600, in a folder that is 0700.

    letters/<stem>.txt                  there if and only if the letter is
    letters/<stem>.html                 the same words as a page, whole by itself
    letters/<stem>.<digest>.pdf         the page laid out, made when somebody first asks for it;
                                        named by the page, so that it can be of no older one

Text and page become visible together: the text goes before the page is replaced, and comes back
after. A PDF takes a second, most of it to load what makes it; so serving a letter does not wait
for one, and where none can be made the letter is there as text and as a page.
"""

import base64
import functools
import hashlib
from pathlib import Path
from threading import Lock

from safeconduct.errors import MalformedError, UnavailableError
from safeconduct.parties.registry.letter import Letter
from safeconduct.plumbing import web
from safeconduct.plumbing.durable import make_folder, read_file, remove_file, write_secret
from safeconduct.plumbing.pdf import make_pdf
from safeconduct.plumbing.terminal import note

LETTERS_FOLDER = "letters"
LETTER_BYTES_MAX = 1 << 20  # of a text or a page
PDF_BYTES_MAX = 16 << 20
LETTER_TYPES = {
    ".txt": "text/plain; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".pdf": "application/pdf",
}
"""The forms of a letter, each with what it is to a browser."""
_PRIVATE = 0o700
_LAYING_OUT = Lock()  # one at a time: it takes a processor, and strangers may ask


def keep_letter(folder: Path, stem: str, letter: Letter) -> Path:
    """Keep a letter in its `folder` of a registry; returns where its page lies.

    Raises:
        UnavailableError: the disk refused; then no letter is there, or the one before.
    """
    make_folder(folder, mode=_PRIVATE)
    page, text = folder / f"{stem}.html", folder / f"{stem}.txt"
    if text.is_file() and read_file(text, bytes_max=LETTER_BYTES_MAX) != letter.text:
        remove_file(text)
    write_secret(page, letter.html)
    write_secret(text, letter.text)
    return page


def read_kept(folder: Path, stem: str, suffix: str) -> bytes | None:
    """A letter in one of its `LETTER_TYPES`; None if there is none, or no PDF can be made.

    Raises:
        UnavailableError: the disk refused.
    """
    if not is_kept(folder, stem):
        return None
    if suffix != ".pdf":
        return read_file(folder / f"{stem}{suffix}", bytes_max=LETTER_BYTES_MAX)
    return _laid_out(folder, stem)


def answer(content: bytes, suffix: str) -> web.Response:
    """A letter as an answer; a page with leave to use its own style, and nothing else."""
    if suffix != ".html":
        return web.data(content, LETTER_TYPES[suffix])
    style = content.partition(b"<style>")[2].partition(b"</style>")[0]
    allowed = base64.b64encode(hashlib.sha256(style).digest()).decode("ascii")
    policy = _POLICY.format(style=f"'sha256-{allowed}'")
    return web.data(content, LETTER_TYPES[suffix], headers={"content-security-policy": policy})


_POLICY = (
    "default-src 'none'; style-src {style}; form-action 'none'; frame-ancestors 'none'; "
    "base-uri 'none'"
)


def is_kept(folder: Path, stem: str) -> bool:
    """Whether there is a letter of this name."""
    return (folder / f"{stem}.txt").is_file()


def _laid_out(folder: Path, stem: str) -> bytes | None:
    page = read_file(folder / f"{stem}.html", bytes_max=LETTER_BYTES_MAX)
    path = folder / f"{stem}.{hashlib.sha256(page).hexdigest()[:16]}.pdf"
    with _LAYING_OUT:
        if path.is_file():
            return read_file(path, bytes_max=PDF_BYTES_MAX)
        try:
            made = make_pdf(page.decode("utf-8"))
        except (MalformedError, UnavailableError) as error:
            _tell_operator(f"{error.message}; letters are served as text and as pages")
            return None
        try:
            write_secret(path, made)
        except UnavailableError as error:
            _tell_operator(f"{error.message}; the PDF of a letter is made again next time")
        return made


@functools.cache
def _tell_operator(text: str) -> None:
    """Write a line to standard error, once in this process."""
    note(text)
