"""Hidden data is found and removed where mat2 can; a file that is hostile does nothing else."""

import io
import zipfile
import zlib
from pathlib import Path

import pytest

from safeconduct.errors import RefusedError, UnavailableError
from safeconduct.plumbing import metadata
from safeconduct.plumbing.metadata import Findings, can_clean, cleaned, found

AUTHOR = b"Ada Example"


def chunk(kind: bytes, data: bytes) -> bytes:
    total = zlib.crc32(kind + data).to_bytes(4, "big")
    return len(data).to_bytes(4, "big") + kind + data + total


def png(*, width: int = 2, height: int = 2, points: bytes | None = None) -> bytes:
    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    rows = (b"\0" + b"\1" * 3 * width) * height if points is None else points
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", size + b"\x08\2\0\0\0")
        + chunk(b"tEXt", b"Author\0" + AUTHOR)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>endobj
4 0 obj<</Author(Ada Example)/Producer(LibreOffice)/CreationDate(D:20260502101500Z)>>endobj
trailer<</Root 1 0 R/Info 4 0 R/Size 5>>
%%EOF"""

_OFFICE = "http://schemas.openxmlformats.org"
_DOCX = {
    "[Content_Types].xml": f'<Types xmlns="{_OFFICE}/package/2006/content-types"><Override '
    'PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-'
    'officedocument.wordprocessingml.document.main+xml"/></Types>',
    "docProps/core.xml": "<cp:coreProperties "
    f'xmlns:cp="{_OFFICE}/package/2006/metadata/core-properties" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator>Ada Example</dc:creator>'
    "</cp:coreProperties>",
    "word/document.xml": f'<w:document xmlns:w="{_OFFICE}/wordprocessingml/2006/main"><w:body>'
    "<w:p><w:r><w:t>hello</w:t></w:r></w:p></w:body></w:document>",
}


def docx() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for name, text in _DOCX.items():
            packed.writestr(name, f'<?xml version="1.0"?>{text}')
    return file.getvalue()


SAMPLES = {"a.png": png(), "b.pdf": PDF, "c.docx": docx()}


@pytest.fixture(autouse=True)
def _mat2() -> None:
    assert metadata.available(), "these tests need Debian's package mat2"


@pytest.mark.parametrize("name", SAMPLES)
def test_the_author_is_found_and_gone_after_cleaning(name: str) -> None:
    looked = found(name, [SAMPLES[name]])
    assert looked.why == ""
    assert AUTHOR.decode() in {value for _, value in looked.fields}
    clean = b"".join(cleaned(name, [SAMPLES[name]]))
    assert AUTHOR not in clean
    assert found(name, [clean]) == Findings()


def test_a_file_that_only_holds_text_has_nothing_hidden() -> None:
    assert found("a.txt", [b"hello"]) == Findings()
    assert b"".join(cleaned("a.txt", [b"hel", b"lo"])) == b"hello"


BOMB = png(width=60_000, height=60_000, points=bytes(100))

WRONG = {
    "an unknown kind": ("a.exe", b"MZ", metadata.KIND),
    "a kind that can hold anything": ("a.zip", b"PK\x03\x04", metadata.KIND),
    "no ending": ("README", b"hello", metadata.KIND),
    "another kind than its name says": ("a.jpg", PDF, metadata.KIND),
    "a page in a picture's clothes": ("a.png", b"<html><script>", metadata.KIND),
    "an empty file": ("a.pdf", b"", metadata.KIND),
    "nothing but its first bytes": ("a.pdf", b"%PDF-" + bytes(50), metadata.FAILED),
    "an archive that is none": ("a.docx", b"PK\x03\x04" + bytes(50), metadata.FAILED),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_checked_is_said_and_not_cleaned(what: str) -> None:
    name, data, why = WRONG[what]
    assert found(name, [data]).why == why
    with pytest.raises(RefusedError):
        list(cleaned(name, [data]))


def test_a_picture_that_would_fill_the_memory_is_not_cleaned() -> None:
    with pytest.raises(RefusedError):
        list(cleaned("a.png", [BOMB]))


def test_a_file_that_is_two_things_at_once_is_but_one_after_cleaning() -> None:
    both = png() + docx()
    clean = b"".join(cleaned("a.png", [both]))
    assert b"PK\x03\x04" not in clean
    assert AUTHOR not in clean


def test_a_large_file_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "CLEAN_BYTES_MAX", 1_000)
    assert found("a.pdf", [PDF, bytes(1_000)]).why == metadata.LARGE


def test_a_name_that_is_a_path_or_an_option_does_nothing(tmp_path: Path) -> None:
    for name in (f"{tmp_path}/x/../a.png", "-rf.png", "$(touch x).png", "a\0.png"):
        assert found(name, [png()]).fields


def test_nothing_is_left_in_memory() -> None:
    before = set(Path(metadata.MEMORY).iterdir())
    assert found("a.png", [png()]).fields
    assert b"".join(cleaned("a.png", [png()]))
    with pytest.raises(RefusedError):
        list(cleaned("a.pdf", [b"%PDF-" + bytes(50)]))
    half = cleaned("a.png", [png()])
    next(half)
    del half
    assert set(Path(metadata.MEMORY).iterdir()) - before == set()


def test_a_process_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "_SCRIPT", "import time; time.sleep(60)")
    monkeypatch.setattr(metadata, "SECONDS_MAX", 0.5)
    assert found("a.png", [png()]).why == metadata.FAILED


def test_the_process_sees_no_network_and_no_other_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script = (
        "import json, os, socket\n"
        "seen = [os.path.exists(each) for each in ('/root', '/home', '/etc/passwd')]\n"
        "links = socket.if_nameindex()\n"
        "print(json.dumps([['', 'seen', f'{any(seen)} {[name for _, name in links]}']]))\n"
    )
    monkeypatch.setattr(metadata, "_SCRIPT", script)
    assert metadata._bubblewrap(), "these tests need bubblewrap"
    assert found("a.png", [png()]).fields == (("seen", "False ['lo']"),)


def test_without_mat2_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "available", lambda: False)
    assert found("a.png", [png()]).why == metadata.ABSENT
    with pytest.raises(UnavailableError):
        list(cleaned("a.png", [png()]))


def test_long_and_unprintable_values_are_clipped(monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        "import json; print(json.dumps([['', f'k{i}', chr(0x202e) + 'x' * 900]"
        " for i in range(90)]))"
    )
    monkeypatch.setattr(metadata, "_SCRIPT", script)
    looked = found("a.png", [png()])
    assert len(looked.fields) == metadata.FIELDS_MAX
    assert looked.more == 90 - metadata.FIELDS_MAX
    assert all(len(value) <= metadata.VALUE_CHARS_MAX for _, value in looked.fields)
    assert all(value.isprintable() for _, value in looked.fields)


def test_kinds_are_known_by_their_ending() -> None:
    assert can_clean("A.JPG")
    assert not can_clean("jpg")
