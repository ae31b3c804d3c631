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
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import (
    Json,
    format_json,
    parse_hex,
    parse_json,
    tagged_hash,
    u64,
)

BLOCK_BYTES = 512
FILE_BYTES_MAX = (8 << 30) - 1  # what ustar's eleven octal digits hold
FILES_MAX = 1_000
NAME_BYTES_MAX = 255
MANIFEST_BYTES_MAX = 1 << 20
CONTAINER_BYTES_MIN = 64 << 10
MANIFEST_NAME = "safeconduct.json"
CHUNK_BYTES = 64 << 10

_MANIFEST_FIELDS = frozenset(
    {"author", "certificate", "files", "pre", "programme", "reply", "statute", "tag_key"}
)
_FILE_FIELDS = frozenset({"name", "salt", "sha256", "size"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TipFile:
    """One file of a tip, as the manifest lists it; `salt` hides it in the commitment."""

    name: str
    size: int
    sha256: bytes
    salt: bytes


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

    def content(self) -> bytes:
        """The content commitment, of which each file can be shown alone.

        Spec: docs/3-protocol.md §7.3.
        """
        return content_commitment(self.files)


def content_commitment(files: Iterable[TipFile]) -> bytes:
    """`content` of the contribution record, over the files in order."""
    items = [
        tagged_hash("item", file.salt, member_name(place).encode(), file.sha256, u64(file.size))
        for place, file in enumerate(files, start=1)
    ]
    return tagged_hash("content", *items)


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
    return format_json(
        {
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
    )


def parse_manifest(data: bytes) -> Manifest:
    """The manifest in `data`.

    Raises:
        MalformedError: not canonical, a field missing or too many, a value out of bounds.
    """
    value = parse_json(data, "manifest", bytes_max=MANIFEST_BYTES_MAX)
    if not isinstance(value, dict) or value.keys() != _MANIFEST_FIELDS:
        raise MalformedError("manifest: needs exactly its eight fields")
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
    )


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
    manifest: Manifest, readers: Iterable[Callable[[], Iterable[bytes]]]
) -> Iterator[bytes]:
    """The container's bytes, in pieces; `readers` yield each file's bytes, in order.

    Raises:
        MalformedError: a file has changed since the manifest was made.
    """
    head = format_manifest(manifest)
    written = 0
    for chunk in _member(MANIFEST_NAME, len(head), [head]):
        written += len(chunk)
        yield chunk
    for place, (file, reader) in enumerate(zip(manifest.files, readers, strict=True), start=1):
        for chunk in _member(member_name(place), file.size, _unchanged(file, reader())):
            written += len(chunk)
            yield chunk
    yield from _zeros(container_size(manifest) - written)


def _member(name: str, size: int, chunks: Iterable[bytes]) -> Iterator[bytes]:
    yield member_header(name, size)
    yield from chunks
    if _gap(size):
        yield bytes(_gap(size))


def _unchanged(file: TipFile, chunks: Iterable[bytes]) -> Iterator[bytes]:
    size, digest = 0, hashlib.sha256()
    for chunk in chunks:
        size += len(chunk)
        digest.update(chunk)
        if size > file.size:
            break
        yield chunk
    if size != file.size or digest.digest() != file.sha256:
        raise MalformedError("a file changed while it was being sealed", hint="send it again")


def _zeros(count: int) -> Iterator[bytes]:
    for start in range(0, count, CHUNK_BYTES):
        yield bytes(min(CHUNK_BYTES, count - start))


def _gap(size: int) -> int:
    return -size % BLOCK_BYTES


def member_header(name: str, size: int) -> bytes:
    """The 512-byte ustar header of a regular file: mode 0644, no owner, no time."""
    info = tarfile.TarInfo(name)
    info.size = size
    info.mode = 0o644
    return info.tobuf(format=tarfile.USTAR_FORMAT)


class ContainerReader:
    """Reads a container fed in pieces of any size, handing each file's bytes to `sink`.

    `sink(file, chunk)` is called in order; an empty chunk opens each file, so that empty files
    exist too. Nothing handed out counts before `close` has returned the manifest.
    """

    def __init__(self, sink: Callable[[TipFile, bytes], None]) -> None:
        self._sink = sink
        self._buffer = bytearray()
        self._manifest: Manifest | None = None
        self._place = 0  # the member being read; 0 is the manifest
        self._left = -1  # bytes of it still due; -1 while its header is due
        self._digest = hashlib.sha256()
        self._tail = False
        self._size = 0
        self._manifest_data = b""

    def feed(self, chunk: bytes) -> None:
        """Take the next piece.

        Raises:
            MalformedError: anything that our own writer would not have written.
        """
        self._size += len(chunk)
        self._buffer += chunk
        while self._step():
            pass

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

    def _step(self) -> bool:
        if self._tail:
            return self._take_padding()
        if self._left < 0:
            return len(self._buffer) >= BLOCK_BYTES and self._take_header()
        return self._take_body()

    def _take_header(self) -> bool:
        header = bytes(self._buffer[:BLOCK_BYTES])
        if self._manifest is None:
            self._left = _manifest_size(header)
        else:
            if self._place > len(self._manifest.files):
                self._tail = True
                return True
            file = self._manifest.files[self._place - 1]
            if header != member_header(member_name(self._place), file.size):
                raise MalformedError(
                    f"tip: member {self._place} is not what the manifest lists"
                )
            self._left, self._digest = file.size, hashlib.sha256()
            self._sink(file, b"")
        del self._buffer[:BLOCK_BYTES]
        return True

    def _take_body(self) -> bool:
        size = self._member_size()
        due = self._left + _gap(size)
        if self._left:
            chunk = bytes(self._buffer[: self._left])
            if not chunk:
                return False  # an empty chunk would tell the sink that a file begins
            del self._buffer[: self._left]
            self._left -= len(chunk)
            self._take_content(chunk)
            return True
        if len(self._buffer) < due:
            return False
        if any(self._buffer[:due]):
            raise MalformedError("tip: a member's padding is not zero")
        del self._buffer[:due]
        self._finish_member()
        return True

    def _member_size(self) -> int:
        if self._manifest is None:
            return self._left + len(self._manifest_data)
        return self._manifest.files[self._place - 1].size

    def _take_content(self, chunk: bytes) -> None:
        if self._manifest is None:
            self._manifest_data += chunk
        else:
            self._digest.update(chunk)
            self._sink(self._manifest.files[self._place - 1], chunk)

    def _finish_member(self) -> None:
        if self._manifest is None:
            self._manifest = parse_manifest(self._manifest_data)
        elif self._digest.digest() != self._manifest.files[self._place - 1].sha256:
            raise MalformedError(f"tip: member {self._place} has another hash than listed")
        self._place += 1
        self._left = -1

    def _take_padding(self) -> bool:
        if any(self._buffer):
            raise MalformedError("tip: bytes after the last member are not zero")
        self._buffer.clear()
        return False


def _manifest_size(header: bytes) -> int:
    """The manifest's size in bytes, from its member's header."""
    digits = header[124:135]
    if not digits.isdigit() or b"8" in digits or b"9" in digits:
        raise MalformedError("tip: the container does not begin with its manifest")
    size = int(digits, 8)
    if size > MANIFEST_BYTES_MAX or header != member_header(MANIFEST_NAME, size):
        raise MalformedError("tip: the container does not begin with its manifest")
    return size
