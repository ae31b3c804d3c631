"""Letters on the disk, as PDF and on the site: private, whole or not there, in three forms."""

import base64
import hashlib
import io
import re
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pypdf import PdfReader
from tests.parties.registry.listing_world import REPLY_SECONDS, Listings, open_listings
from tests.parties.registry.register_world import World

from safeconduct.errors import UnavailableError
from safeconduct.parties.registry import enlist_final, hearing, letter_files
from safeconduct.parties.registry.letter import make_letter
from safeconduct.parties.registry.letter_files import LETTER_TYPES, keep_letter, read_kept
from safeconduct.parties.registry.receive import Registry
from safeconduct.parties.registry.site import make_site
from safeconduct.plumbing import web

# On the disk, and as PDF.


def test_letters_are_for_their_owner_alone(world: World) -> None:
    _, served = world.decided(world.filed())
    folder = served.letter.parent
    read_kept(folder, served.letter.stem, ".pdf")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert len(list(folder.iterdir())) == 3
    assert modes == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_without_its_text_there_is_no_letter(tmp_path: Path) -> None:
    page = keep_letter(tmp_path, "one", make_letter("Title\n\nWords.\n", "en"))
    page.with_suffix(".txt").unlink()
    assert read_kept(tmp_path, "one", ".html") is None
    assert read_kept(tmp_path, "one", ".pdf") is None


def test_a_crash_while_a_letter_is_replaced_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_letter(tmp_path, "one", make_letter("Old\n\nWords.\n", "en"))

    def crash(path: Path, data: bytes) -> None:
        raise UnavailableError(f"{path.name}: no space")

    monkeypatch.setattr(letter_files, "write_secret", crash)
    with pytest.raises(UnavailableError):
        keep_letter(tmp_path, "one", make_letter("New\n\nWords.\n", "en"))
    assert read_kept(tmp_path, "one", ".html") is None


def test_a_pdf_is_made_once_and_never_of_an_older_letter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def make(page: str) -> bytes:
        made.append(page)
        return b"%PDF of " + str(len(made)).encode()

    monkeypatch.setattr(letter_files, "make_pdf", make)
    keep_letter(tmp_path, "one", make_letter("Old\n\nWords.\n", "en"))
    assert read_kept(tmp_path, "one", ".pdf") == read_kept(tmp_path, "one", ".pdf")
    assert len(made) == 1
    keep_letter(tmp_path, "one", make_letter("New\n\nWords.\n", "en"))
    assert read_kept(tmp_path, "one", ".pdf") == b"%PDF of 2"


def test_where_no_pdf_can_be_made_the_operator_hears_of_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(page: str) -> bytes:
        raise UnavailableError("letters cannot be laid out here")

    letter_files._tell_operator.cache_clear()
    monkeypatch.setattr(letter_files, "make_pdf", fail)
    keep_letter(tmp_path, "one", make_letter("Title\n\nWords.\n", "en"))
    assert [read_kept(tmp_path, "one", ".pdf") for _ in range(3)] == [None] * 3
    assert read_kept(tmp_path, "one", ".html")
    assert capsys.readouterr().err.count("cannot be laid out") == 1
    letter_files._tell_operator.cache_clear()


def outline(node: Any) -> Iterator[str]:
    """The kinds of the elements of a tagged PDF, in reading order."""
    node = node.get_object() if hasattr(node, "get_object") else node
    for each in node if isinstance(node, list) else [node]:
        if hasattr(each, "get_object"):
            each = each.get_object()
        if isinstance(each, dict):
            if "/S" in each:
                yield str(each["/S"])
            if "/K" in each:
                yield from outline(each["/K"])


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_pdf_has_the_letters_headings_and_says_nothing_of_the_machine(
    world: World, language: str
) -> None:
    _, served = world.decided(world.filed(texts={"language": language}))
    pdf = read_kept(served.letter.parent, served.letter.stem, ".pdf")
    assert pdf is not None
    reader = PdfReader(io.BytesIO(pdf))
    root: Any = reader.trailer["/Root"]
    kinds = list(outline(root["/StructTreeRoot"]["/K"]))
    assert kinds.count("/H1") == 1
    assert kinds.count("/H2") == 2
    assert kinds.count("/LI") > 5
    assert root["/Lang"] == language
    assert reader.metadata is not None
    assert set(reader.metadata) == {"/Title", "/Producer"}
    drawn = [part.get_contents() for part in reader.pages]
    streams = b"".join(each.get_data() for each in drawn if each is not None)
    # A short host name could stand in what is compressed, by chance.
    assert socket.gethostname().encode() not in streams + root["/Metadata"].get_data()
    for data in (pdf, streams, root["/Metadata"].get_data()):
        assert str(world.folder).encode() not in data
        assert b"/home/" not in data
        assert b"/usr/" not in data
        assert not re.search(rb"CreationDate|ModDate|CreateDate|ModifyDate", data)


# On the site.


def asked(site: httpx.Client, path: str) -> tuple[int, str, bytes]:
    answer = site.get(path)
    return answer.status_code, answer.headers["content-type"].split(";")[0], answer.content


def own_style_is_allowed(answer: httpx.Response) -> bool:
    style = answer.text.partition("<style>")[2].partition("</style>")[0].encode()
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
    return f"style-src 'sha256-{digest}';" in answer.headers["content-security-policy"]


def test_a_case_offers_its_letters_in_three_forms(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = world.filed(texts={"language": "de"})
    _, served = world.decided(claim)
    text = served.letter.with_suffix(".txt").read_bytes()
    with running(world.registry) as site:
        path = world.page(claim)
        shown = site.get(path).text
        assert 'lang="de"' in shown
        for suffix in LETTER_TYPES:
            assert f"{path}/letter{suffix}" in shown
        assert asked(site, f"{path}/letter.txt") == (200, "text/plain", text)
        status, kind, data = asked(site, f"{path}/letter.pdf")
        assert (status, kind, data[:5]) == (200, "application/pdf", b"%PDF-")
        assert own_style_is_allowed(site.get(f"{path}/letter.html"))
        assert asked(site, f"{path}/letter.doc")[0] == 404
        assert asked(site, f"{path}/panel-letter.pdf")[0] == 404
        monkeypatch.setattr(letter_files, "_laid_out", lambda *_: None)
        status, kind, data = asked(site, f"{path}/letter.pdf")
        assert (status, kind, data) == (200, "text/html", served.letter.read_bytes())


def test_a_listing_offers_its_letters_in_three_forms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listings = open_listings(tmp_path, monkeypatch)
    pages = upheld_and_ended(listings)
    with running(listings.registry) as site:
        path = f"/listing/{listings.page(1).hex()}"
        shown = site.get(path).text
        for kind, kept in zip(("notice", "decision", "panel", "end"), pages, strict=True):
            for suffix in LETTER_TYPES:
                assert f"{path}/{kind}-letter{suffix}" in shown
            assert asked(site, f"{path}/{kind}-letter.html")[2] == kept.read_bytes()
        assert asked(site, f"{path}/notice-letter.pdf")[1] == "application/pdf"
        assert asked(site, f"{path}/other-letter.pdf")[0] == 404
        assert asked(site, f"{path}/notice-letter.doc")[0] == 404


def upheld_and_ended(listings: Listings) -> list[Path]:
    """The pages of the four letters to somebody who appeals in vain, in Arabic."""
    number = listings.proposed(language="ar")
    pages = [listings.notified(number).letter]
    hearing.reply(listings.registry, listings.page(number), "I was not there.")
    listings.pass_time(REPLY_SECONDS + 1)
    pages.append(listings.entered(listings.drafted(number), number).letter)
    hearing.appeal(listings.registry, listings.page(number), "fact", "I was not there.")
    pages.append(listings.judged("uphold", number).letter)
    enlist_final.end(listings.registry, number, "quashed", "A court has quashed it.")
    return [*pages, pages[0].with_name(f"listing-{number}-end.html")]


@contextmanager
def running(registry: Registry) -> Iterator[httpx.Client]:
    with web.running(make_site(registry)) as url, httpx.Client(base_url=url) as client:
        yield client
