"""A tip: a manifest and files in a plain ustar container, padded so that its size says little.

    safeconduct.json   the manifest, canonical JSON
    f0001 f0002 …      the files; their real names stand only in the manifest
    two zero blocks    the end of the archive
    zeros              up to the padded size

No compression (sizes would speak), no times, no owners. `tar x` reads it; we read it strictly:
each header must be, byte for byte, the one we would have written.

Spec: docs/3-protocol.md §7; POSIX.1-1988 ustar; Padmé (PURBs, PoPETS 2019) for large sizes.
"""

import hashlib
import hmac
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.canonical import (
    Json,
    format_json,
    parse_hex,
    parse_json,
    tagged_hash,
    u64,
)
from safeconduct.protocol.keys import follow_mac

BLOCK_BYTES = 512
FILE_BYTES_MAX = 12 << 30  # twelve octal digits would hold 64 GiB; doors take less (§13)
FILES_MAX = 1_000
_TERMINATED_BYTES_MAX = (8 << 30) - 1  # what eleven octal digits and their end hold
NAME_BYTES_MAX = 255
MANIFEST_BYTES_MAX = 1 << 20
CONTAINER_BYTES_MIN = 64 << 10
MANIFEST_NAME = "safeconduct.json"
CHUNK_BYTES = 64 << 10

_MANIFEST_FIELDS = frozenset(
    {"author", "certificate", "files", "pre", "programme", "reply", "statute", "tag_key"}
)
_FILE_FIELDS = frozenset({"name", "salt", "sha256", "size"})
_FOLLOWS = "follows"
_FOLLOWS_FIELDS = frozenset({"mac", "record"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TipFile:
    """One file of a tip, as the manifest lists it; `salt` hides it in the commitment."""

    name: str
    size: int
    sha256: bytes
    salt: bytes


_NO_FILE = TipFile(name="", size=0, sha256=bytes(32), salt=bytes(32))


@dataclass(frozen=True, slots=True, kw_only=True)
class Follows:
    """An earlier contribution of the same source, and the MAC that only its two ends can make.

    `record` is its record hash; `mac` covers this tip's author and attempt tag.
    """

    record: bytes
    mac: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What the tip says about itself; `author` must equal the record's, or nothing counts."""

    programme: bytes
    statute: bytes
    certificate: bytes
    author: bytes
    pre: bytes
    reply: str
    tag_key: bytes
    files: tuple[TipFile, ...]
    follows: Follows | None = None

    def content(self) -> bytes:
        """The content commitment, of which each file can be shown alone.

        Spec: docs/3-protocol.md §7.3.
        """
        return content_commitment(self.files)


def content_commitment(files: Iterable[TipFile]) -> bytes:
    """`content` of the contribution record, over the files in order."""
    return content_root(item_commitment(place, file) for place, file in enumerate(files, 1))


def item_commitment(place: int, file: TipFile) -> bytes:
    """What `content` holds of the file at `place`, counted from 1; its name is not in it."""
    name = member_name(place).encode("ascii")
    return tagged_hash("item", file.salt, name, file.sha256, u64(file.size))


def content_root(commitments: Iterable[bytes]) -> bytes:
    """`content`, over the commitments of all files in order."""
    return tagged_hash("content", *commitments)


def member_name(place: int) -> str:
    """The archive member of the file at `place`, counted from 1."""
    return f"f{place:04d}"


def check_file_name(name: str) -> str:
    """`name`, if it is one plain file name that can do no harm on any system.

    Raises:
        MalformedError: empty, too long, a path, a control or a direction-changing character.
    """
    if not name or len(name.encode("utf-8", "replace")) > NAME_BYTES_MAX:
        raise MalformedError(f"file name: needs 1 to {NAME_BYTES_MAX} bytes")
    hidden = any(not character.isprintable() for character in name)
    if hidden or "/" in name or "\\" in name or name in {".", ".."}:
        raise MalformedError("file name: holds a path or a character that cannot be shown")
    return name


def format_manifest(manifest: Manifest) -> bytes:
    """Canonical JSON. Spec: docs/3-protocol.md §7.1."""
    fields: dict[str, Json] = {
        "author": manifest.author.hex(),
        "certificate": manifest.certificate.hex(),
        "files": [
            {
                "name": file.name,
                "salt": file.salt.hex(),
                "sha256": file.sha256.hex(),
                "size": file.size,
            }
            for file in manifest.files
        ],
        "pre": manifest.pre.hex(),
        "programme": manifest.programme.hex(),
        "reply": manifest.reply,
        "statute": manifest.statute.hex(),
        "tag_key": manifest.tag_key.hex(),
    }
    if manifest.follows:
        earlier = manifest.follows
        fields[_FOLLOWS] = {"mac": earlier.mac.hex(), "record": earlier.record.hex()}
    return format_json(fields)


def parse_manifest(data: bytes) -> Manifest:
    """The manifest in `data`.

    Raises:
        MalformedError: not canonical, a field missing or too many, a value out of bounds.
    """
    value = parse_json(data, "manifest", bytes_max=MANIFEST_BYTES_MAX)
    if not isinstance(value, dict) or value.keys() - {_FOLLOWS} != _MANIFEST_FIELDS:
        raise MalformedError("manifest: needs exactly its eight fields, and may have `follows`")
    files = value["files"]
    if not isinstance(files, list) or len(files) > FILES_MAX:
        raise MalformedError(f"manifest: files must be a list of at most {FILES_MAX}")
    return Manifest(
        programme=_hex(value, "programme", 32),
        statute=_hex(value, "statute", 32),
        certificate=_hex(value, "certificate", 32),
        author=_hex(value, "author", 32),
        pre=_hex(value, "pre", 16),
        reply=_text(value, "reply"),
        tag_key=_hex(value, "tag_key", 32),
        files=tuple(_parse_file(item) for item in files),
        follows=_parse_follows(value[_FOLLOWS]) if _FOLLOWS in value else None,
    )


def check_follows(manifest: Manifest, earlier_tag_key: bytes) -> bytes:
    """The record hash of the contribution that this one follows, by its source's own word.

    `earlier_tag_key` stands in the manifest of the contribution that `follows` names: find it
    by that name first. To the desk alone this proves something, since it could make the MAC
    as well.

    Raises:
        UnverifiedError: it follows none, or the MAC is not by who knew that key.
    """
    if manifest.follows is None:
        raise UnverifiedError("manifest: it follows no earlier contribution")
    due = follow_mac(earlier_tag_key, manifest.author, manifest.pre)
    if not hmac.compare_digest(manifest.follows.mac, due):
        raise UnverifiedError("manifest: it is not by the source of the one it follows")
    return manifest.follows.record


def _parse_file(value: Json) -> TipFile:
    if not isinstance(value, dict) or value.keys() != _FILE_FIELDS:
        raise MalformedError("manifest: a file needs exactly name, salt, sha256 and size")
    size = value["size"]
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= FILE_BYTES_MAX:
        raise MalformedError("manifest: a file's size is out of bounds")
    return TipFile(
        name=check_file_name(_text(value, "name")),
        size=size,
        sha256=_hex(value, "sha256", 32),
        salt=_hex(value, "salt", 32),
    )


def _parse_follows(value: Json) -> Follows:
    if not isinstance(value, dict) or value.keys() != _FOLLOWS_FIELDS:
        raise MalformedError("manifest: follows needs exactly mac and record")
    return Follows(record=_hex(value, "record", 32), mac=_hex(value, "mac", 32))


def _text(value: dict[str, Json], name: str) -> str:
    text = value[name]
    if not isinstance(text, str):
        raise MalformedError(f"manifest: {name} must be text")
    return text


def _hex(value: dict[str, Json], name: str, length: int) -> bytes:
    return parse_hex(_text(value, name), length, f"manifest: {name}")


def padded_size(size: int) -> int:
    """The size in bytes that a container of `size` bytes is padded to.

    Powers of two from 64 KiB to 1 MiB, then Padmé: at most 12 % more, and few distinct sizes.
    """
    if size <= CONTAINER_BYTES_MIN:
        return CONTAINER_BYTES_MIN
    if size <= 1 << 20:
        return 1 << (size - 1).bit_length()
    exponent = size.bit_length() - 1
    low_bits = exponent - exponent.bit_length()
    mask = (1 << low_bits) - 1
    return (size + mask) & ~mask


def container_size(manifest: Manifest) -> int:
    """The padded size in bytes of the container for `manifest`."""
    sizes = [len(format_manifest(manifest)), *(file.size for file in manifest.files)]
    members = sum(BLOCK_BYTES + size + _gap(size) for size in sizes)
    return padded_size(members + 2 * BLOCK_BYTES)


def container_chunks(
    manifest: Manifest,
    readers: Iterable[Callable[[], Iterable[bytes]]],
) -> Iterator[bytes]:
    """The container's bytes, in pieces; `readers` yield each file's bytes, in order.

    That a file still has the hash that the manifest lists is for its reader to see to.

    Raises:
        MalformedError: a file is longer or shorter than the manifest says.
    """
    head = format_manifest(manifest)
    written = 0
    for chunk in _member(MANIFEST_NAME, len(head), [head]):
        written += len(chunk)
        yield chunk
    for place, (file, reader) in enumerate(zip(manifest.files, readers, strict=True), start=1):
        content = _of_size(file.size, reader())
        for chunk in _member(member_name(place), file.size, content):
            written += len(chunk)
            yield chunk
    yield from _zeros(container_size(manifest) - written)


def _member(name: str, size: int, chunks: Iterable[bytes]) -> Iterator[bytes]:
    yield member_header(name, size)
    yield from chunks
    if _gap(size):
        yield bytes(_gap(size))


def _of_size(size: int, chunks: Iterable[bytes]) -> Iterator[bytes]:
    left = size
    for chunk in chunks:
        left -= len(chunk)
        if left < 0:
            break
        yield chunk
    if left:
        raise MalformedError("a file changed while it was being sealed", hint="send it again")


def _zeros(count: int) -> Iterator[bytes]:
    for start in range(0, count, CHUNK_BYTES):
        yield bytes(min(CHUNK_BYTES, count - start))


def _gap(size: int) -> int:
    return -size % BLOCK_BYTES


def member_header(name: str, size: int) -> bytes:
    """The 512-byte ustar header of a regular file: mode 0644, no owner, no time."""
    info = tarfile.TarInfo(name)
    info.size = min(size, _TERMINATED_BYTES_MAX)
    info.mode = 0o644
    header = info.tobuf(format=tarfile.USTAR_FORMAT)
    return header if size == info.size else _long_header(header, size)


def _long_header(header: bytes, size: int) -> bytes:
    """The header with a size of twelve octal digits that nothing ends, as stock tars read it.

    `tarfile` would write a binary size there, which is GNU's and not everybody's.
    """
    written = header[:124] + b"%012o" % size + header[136:148] + b" " * 8 + header[156:]
    return written[:148] + b"%06o\0 " % sum(written) + written[156:]


class ContainerReader:
    """Reads a container fed in pieces of any size, handing each file's bytes to `sink`.

    `sink(file, chunk)` is called in order; an empty chunk opens each file, so that empty files
    exist too. Nothing handed out counts before `close` has returned the manifest. It holds a
    header, a gap or the manifest, but never a file.
    """

    def __init__(self, sink: Callable[[TipFile, bytes], None]) -> None:
        self._sink = sink
        self._manifest: Manifest | None = None
        self._files: Iterator[tuple[int, TipFile]] = iter(())
        self._place, self._file = 0, _NO_FILE
        self._left = 0  # bytes of the present file still due
        self._digest = hashlib.sha256()
        self._held = bytearray()  # of what is taken whole only
        self._due = BLOCK_BYTES
        self._take: Callable[[bytes], None] = self._take_manifest_header
        self._tail = False
        self._size = 0

    def feed(self, chunk: bytes | memoryview) -> None:
        """Take the next piece.

        Raises:
            MalformedError: anything that our own writer would not have written.
        """
        self._size += len(chunk)
        view = memoryview(chunk)
        while view:
            view = view[self._advance(view) :]

    def close(self) -> Manifest:
        """The manifest, once every file it lists was read and hashed as it says.

        Raises:
            MalformedError: the container ends early, or at another size than it must have.
        """
        if not self._tail or self._manifest is None:
            raise MalformedError("tip: the container ends early")
        if self._size != container_size(self._manifest):
            raise MalformedError("tip: the container is not padded to its size class")
        return self._manifest

    def _advance(self, view: memoryview) -> int:
        """Take bytes from the beginning of `view`; returns how many, at least one."""
        if self._tail:
            _check_zeros(view, "bytes after the last member")
            return len(view)
        return self._pass_on(view) if self._left else self._gather(view)

    def _pass_on(self, view: memoryview) -> int:
        chunk = bytes(view[: self._left])
        self._left -= len(chunk)
        self._digest.update(chunk)
        self._sink(self._file, chunk)
        if not self._left:
            self._finish_file()
        return len(chunk)

    def _gather(self, view: memoryview) -> int:
        taken = view[: self._due - len(self._held)]
        self._held += taken
        if len(self._held) == self._due:
            whole = bytes(self._held)
            self._held.clear()
            self._take(whole)
        return len(taken)

    def _expect(self, size: int, take: Callable[[bytes], None]) -> None:
        """Have the next `size` bytes, more than none, handed to `take` in one piece."""
        self._due, self._take = size, take

    def _take_manifest_header(self, header: bytes) -> None:
        size = _manifest_size(header)
        self._expect(size + _gap(size), partial(self._take_manifest, size))

    def _take_manifest(self, size: int, data: bytes) -> None:
        _check_zeros(data[size:], "a member's padding")
        self._manifest = parse_manifest(data[:size])
        self._files = enumerate(self._manifest.files, start=1)
        self._next_file()

    def _next_file(self) -> None:
        self._place, self._file = next(self._files, (0, _NO_FILE))
        if self._place:
            self._expect(BLOCK_BYTES, self._take_header)
        else:
            self._tail = True

    def _take_header(self, header: bytes) -> None:
        if header != member_header(member_name(self._place), self._file.size):
            raise MalformedError(f"tip: member {self._place} is not what the manifest lists")
        self._left, self._digest = self._file.size, hashlib.sha256()
        self._sink(self._file, b"")
        if not self._left:
            self._finish_file()

    def _finish_file(self) -> None:
        if self._digest.digest() != self._file.sha256:
            raise MalformedError(f"tip: member {self._place} has another hash than listed")
        gap = _gap(self._file.size)
        if gap:
            self._expect(gap, self._take_gap)
        else:
            self._next_file()

    def _take_gap(self, data: bytes) -> None:
        _check_zeros(data, "a member's padding")
        self._next_file()


def _check_zeros(data: bytes | memoryview, what: str) -> None:
    # One comparison in C: padding may be 3 % of many GiB.
    if bytes(data) != bytes(len(data)):
        raise MalformedError(f"tip: {what}: not zero")


def _manifest_size(header: bytes) -> int:
    """The manifest's size in bytes, from its member's header."""
    digits = header[124:135]
    if not digits.isdigit() or b"8" in digits or b"9" in digits:
        raise MalformedError("tip: the container does not begin with its manifest")
    size = int(digits, 8)
    if not 0 < size <= MANIFEST_BYTES_MAX or header != member_header(MANIFEST_NAME, size):
        raise MalformedError("tip: the container does not begin with its manifest")
    return size
