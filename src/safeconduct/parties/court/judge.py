"""Hand an opened tip to a judge: locked to the judge's age key, with a page that explains it.

    OUT/tip.age              for `age --decrypt` and `tar --extract`, of any maker
    OUT/explanation.html     one page in plain words; .txt is the same
    OUT/tip.record           what was dated, and
    OUT/tip.tlog-proof       its receipt: public data, for an expert

A whole tip keeps its payload: a new header before the very bytes that were dated. If only some
files are shown, these make a fresh age file.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path

from safeconduct.errors import UnverifiedError
from safeconduct.parties.court.explain import Explanation, explain
from safeconduct.parties.court.verify import Finding, Handed
from safeconduct.plumbing.durable import write_secret, write_stream
from safeconduct.plumbing.handover import handing_over
from safeconduct.plumbing.pages import render
from safeconduct.protocol import age
from safeconduct.protocol.opening import ALL, OpenedFile
from safeconduct.protocol.record import Record
from safeconduct.protocol.tip import BLOCK_BYTES, member_header, member_name

TIP_FILE = "tip.age"
_PACKAGE = "safeconduct.parties.court"

RandomBytes = Callable[[int], bytes]


def judge(
    handed: Handed,
    finding: Finding,
    recipient: age.PublicRecipient,
    out: Path,
    *,
    language: str,
    at: int,
    random_bytes: RandomBytes,
) -> None:
    """Write the folder `out` for whoever has the identity of `recipient`; whole or not at all.

    Raises:
        RefusedError: `out` is there already.
        UnverifiedError: something in the handed folder changed after it was verified.
        UnavailableError: the disk refused.
    """
    make = _whole if finding.opened.scope == ALL else _items
    digest = hashlib.sha256()
    with handing_over(out) as folder:
        sealed = make(handed, finding, recipient, random_bytes)
        write_stream(folder / TIP_FILE, _hashed(sealed, digest.update))
        page = explain(finding, language, file_sha256=digest.digest(), at=at)
        for name, data in _papers(handed, page).items():
            write_secret(folder / name, data)


def _papers(handed: Handed, page: Explanation) -> dict[str, bytes]:
    return {
        "explanation.html": render(_PACKAGE, "explanation.html", page=page).encode("utf-8"),
        "explanation.txt": page.as_text().encode("utf-8"),
        "tip.record": handed.bundle.record,
        "tip.tlog-proof": handed.bundle.proof,
    }


def _whole(
    handed: Handed, finding: Finding, recipient: age.PublicRecipient, random_bytes: RandomBytes
) -> Iterator[bytes]:
    """A new header, then the payload as it was dated."""
    header = age.seal_header(handed.bundle.file_key, [recipient], random_bytes)
    return chain([header], _unchanged(handed.payload(), finding.opened.receipt.record))


def _unchanged(payload: Iterable[bytes], record: Record) -> Iterator[bytes]:
    """The payload's bytes, read once more: the disk is in somebody else's hands."""
    digest = hashlib.sha256()
    for piece in payload:
        digest.update(piece)
        yield piece
    if digest.digest() != record.hash("payload"):
        raise UnverifiedError("the payload changed after it was verified")


def _items(
    handed: Handed, finding: Finding, recipient: age.PublicRecipient, random_bytes: RandomBytes
) -> Iterator[bytes]:
    return age.seal([recipient], items_container(handed, finding.opened.files), random_bytes)


def items_container(handed: Handed, files: Iterable[OpenedFile]) -> Iterator[bytes]:
    """A plain ustar of the shown files, after two lists of them; the same each time.

        contents.txt   SHA256SUMS   f0002 …   two zero blocks

    Raises:
        UnverifiedError: a file changed after it was verified.
    """
    shown = tuple(files)
    names = "".join(
        f"{member_name(each.place)}  {each.file.size} bytes  {each.file.name}\n"
        for each in shown
    )
    sums = "".join(f"{each.file.sha256.hex()}  {member_name(each.place)}\n" for each in shown)
    for name, data in {"contents.txt": names.encode(), "SHA256SUMS": sums.encode()}.items():
        yield from _member(name, len(data), [data])
    for each in shown:
        pieces = _same(each, handed.item(each.place))
        yield from _member(member_name(each.place), each.file.size, pieces)
    yield bytes(2 * BLOCK_BYTES)


def _member(name: str, size: int, pieces: Iterable[bytes]) -> Iterator[bytes]:
    yield member_header(name, size)
    yield from pieces
    yield bytes(-size % BLOCK_BYTES)


def _same(shown: OpenedFile, pieces: Iterable[bytes]) -> Iterator[bytes]:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
        yield piece
    if digest.digest() != shown.file.sha256:
        raise UnverifiedError(f"file {shown.place} changed after it was verified")


def _hashed(pieces: Iterable[bytes], update: Callable[[bytes], None]) -> Iterator[bytes]:
    for piece in pieces:
        update(piece)
        yield piece
