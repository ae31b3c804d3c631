"""Hidden data in files: who, where, when and with what. The one door to mat2 (Debian's `mat2`).

mat2 runs as a process of its own under the system's Python, behind a wall of bubblewrap: it
sees nothing but /usr and the file, and has no network. The file is on no disk, but in a private
folder of /dev/shm. Its memory, its time and what it writes are bounded. Whatever it is made to
do by a hostile file, the worst is that the file cannot be checked. Without the wall it is never
run: it would be a stranger's way to the keys of whoever runs it.

Who would have to wait for many others is told at once that there is no room, so that files that
take long do not hold all the threads of a server.

Only kinds of files are handed to it whose beginning is what their name promises. What mat2 does
not find may still be there: in the text, in the picture, in how it is written.
"""

import functools
import json
import os
import shutil
import stat
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from safeconduct.errors import RefusedError, UnavailableError

CLEAN_BYTES_MAX = 64 << 20
FIELDS_MAX = 40
FIELD_CHARS_MAX = 60
VALUE_CHARS_MAX = 120
SECONDS_MAX = 60
AT_ONCE = 2
WAITING_MAX = 4  # for their turn; more threads than these are never held
SCRATCH_BYTES_MAX = 512 << 20  # what a file may unpack to, in memory
PYTHON = "/usr/bin/python3"
BUBBLEWRAP = "/usr/bin/bwrap"
MEMORY = "/dev/shm"  # noqa: S108 - in memory is the point; the folder in it is private
_ANSWER_BYTES_MAX = 1 << 20
_MEMORY_BYTES_MAX = 2 << 30
_HEAD_BYTES = 16
_TURN = threading.BoundedSemaphore(AT_ONCE)  # what they may use together is bounded too
_ROOM = threading.BoundedSemaphore(AT_ONCE + WAITING_MAX)

KIND, LARGE, FAILED, ABSENT = "kind", "large", "failed", "absent"
"""Why nothing can be said: the kind of file, its size, mat2 failed on it, there is no mat2."""

_ZIP = (b"PK\x03\x04", 0)
_KINDS: dict[str, tuple[tuple[bytes, int], ...]] = {
    "jpg": ((b"\xff\xd8\xff", 0),),
    "jpeg": ((b"\xff\xd8\xff", 0),),
    "png": ((b"\x89PNG\r\n\x1a\n", 0),),
    "gif": ((b"GIF87a", 0), (b"GIF89a", 0)),
    "tif": ((b"II*\0", 0), (b"MM\0*", 0)),
    "tiff": ((b"II*\0", 0), (b"MM\0*", 0)),
    "heic": ((b"ftyp", 4),),
    "pdf": ((b"%PDF-", 0),),
    "docx": (_ZIP,),
    "xlsx": (_ZIP,),
    "pptx": (_ZIP,),
    "odt": (_ZIP,),
    "ods": (_ZIP,),
    "odp": (_ZIP,),
    "odg": (_ZIP,),
    "epub": (_ZIP,),
    "mp3": ((b"ID3", 0), (b"\xff\xfb", 0), (b"\xff\xf3", 0), (b"\xff\xf2", 0)),
    "ogg": ((b"OggS", 0),),
    "flac": ((b"fLaC", 0),),
    "wav": ((b"WAVE", 8),),
    "avi": ((b"AVI ", 8),),
    "mp4": ((b"ftyp", 4),),
}
"""What the bytes of a file begin with, and where, by the ending of its name."""

_PLAIN = frozenset({"txt", "md", "csv", "log"})
"""Kinds that hold what one can read in them, and nothing else."""

_SAYS_NOTHING = frozenset(
    {
        "bitspersample",
        "colorcomponents",
        "colorspace",
        "componentsconfiguration",
        "compression",
        "exifbyteorder",
        "exifversion",
        "flashpixversion",
        "format",
        "gpslatituderef",
        "gpslongituderef",
        "gpsversionid",
        "resolutionunit",
        "xresolution",
        "ycbcrpositioning",
        "ycbcrsubsampling",
        "yresolution",
    }
)
"""Fields that every file of a kind has, and that say nothing about anybody."""
_EMPTY = frozenset({"", "-1", "None", "0"})

_SCRIPT = r"""
import json, resource, sys
seconds, memory, size = (int(each) for each in sys.argv[3:6])
resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
from libmat2 import UnknownMemberPolicy, parser_factory
parser, _ = parser_factory.get_parser(sys.argv[2])
if parser is None:
    sys.exit(3)
parser.sandbox = False  # it stands in a sandbox already, and a second one would not start
parser.unknown_member_policy = UnknownMemberPolicy.OMIT
if sys.argv[1] == "clean":
    sys.exit(0 if parser.remove_all() else 4)
def flat(found, above=""):
    for name, value in found.items():
        if isinstance(value, dict):
            yield from flat(value, name)
        else:
            yield [above, str(name)[:200], str(value)[:400]]
print(json.dumps(list(flat(parser.get_meta()))[:2000]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was found in a file: names, as mat2 has them, and values, both clipped.

    `more` is how many more there are. `why` is one of `KIND`, `LARGE`, `FAILED`, `ABSENT` if
    nothing can be said, else empty.
    """

    fields: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    more: int = 0
    why: str = ""


@functools.cache
def available() -> bool:
    """Whether this machine has mat2, and the wall to run it behind."""
    if not _bubblewrap():
        return False
    command = [PYTHON, "-I", "-c", "import libmat2.parser_factory"]
    try:
        return subprocess.run(command, capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def can_clean(name: str) -> bool:
    """Whether files called so are of a kind that mat2 looks into."""
    return _ending(name) in _KINDS


def found(name: str, pieces: Iterable[bytes]) -> Findings:
    """What a file called `name` says beside its content; `pieces` are its bytes.

    Raises:
        UnavailableError: too many are looked into, or there is no memory for it.
    """
    ending = _ending(name)
    if ending in _PLAIN:
        return Findings()
    if ending not in _KINDS:
        return Findings(why=KIND)
    if not available():
        return Findings(why=ABSENT)
    with _turn(), _in_memory(ending, pieces) as path:
        if isinstance(path, str):
            return Findings(why=path)
        try:
            return _findings(_run("show", path))
        except RefusedError:
            return Findings(why=FAILED)


def cleaned(name: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes of a new file without hidden data, of the same kind.

    Raises:
        RefusedError: this file cannot be cleaned: send it as it is, or not at all.
        UnavailableError: there is no mat2, too many files are looked into, or there is no
            memory for it.
    """
    ending = _ending(name)
    if ending in _PLAIN:
        yield from pieces
        return
    if not available():
        raise UnavailableError("mat2 is not installed", hint="apt install mat2")
    with _turn(), _in_memory(ending, pieces) as path:
        if isinstance(path, str):
            raise RefusedError("hidden data cannot be removed from this file")
        _run("clean", path)
        with _open_made(path.with_name(f"file.cleaned.{ending}")) as file:
            while piece := file.read(1 << 20):
                yield piece


@contextmanager
def _turn() -> Iterator[None]:
    if not _ROOM.acquire(blocking=False):
        raise UnavailableError("too many files are looked into now")
    try:
        with _TURN:
            yield
    finally:
        _ROOM.release()


def _open_made(path: Path) -> IO[bytes]:
    """What the process made: a file of its own, and no pipe or link to something of ours."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise RefusedError("hidden data cannot be removed from this file") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise RefusedError("hidden data cannot be removed from this file")
    return os.fdopen(handle, "rb")


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


@contextmanager
def _in_memory(ending: str, pieces: Iterable[bytes]) -> Iterator[Path | str]:
    """A private copy in memory during the block; or why there is none."""
    if ending not in _KINDS:
        yield KIND
        return
    try:
        folder = Path(tempfile.mkdtemp(dir=MEMORY))  # mode 0700
    except OSError as error:
        raise UnavailableError("no memory for files that are looked into") from error
    try:
        path = folder / f"file.{ending}"
        yield _copied(path, ending, pieces) or path
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copied(path: Path, ending: str, pieces: Iterable[bytes]) -> str:
    """Write the copy; why it is not to be looked at, or nothing."""
    size, head = 0, b""
    try:
        with open(path, "xb") as file:
            for piece in pieces:
                size += len(piece)
                if size > CLEAN_BYTES_MAX:
                    return LARGE
                file.write(piece)
                head = (head + piece)[:_HEAD_BYTES] if len(head) < _HEAD_BYTES else head
    except OSError as error:
        raise UnavailableError("no memory for files that are looked into") from error
    fits = any(head[at:].startswith(magic) for magic, at in _KINDS[ending])
    return "" if fits else KIND


def _run(verb: str, path: Path) -> bytes:
    """What the script prints about the file.

    Raises:
        RefusedError: it failed, took too long, or printed too much.
    """
    limits = (SECONDS_MAX, _MEMORY_BYTES_MAX, 4 * CLEAN_BYTES_MAX)
    inside = [verb, f"/here/{path.name}", *map(str, limits)]
    command = [*_wall(path.parent), PYTHON, "-I", "-c", _SCRIPT, *inside]
    try:
        # Read by the handle: what stands at a path that the process can write to is its word.
        with open(path.with_name("answer"), "w+b") as answer:
            status = _status(command, path.parent, answer)
            answer.seek(0)
            told = answer.read(_ANSWER_BYTES_MAX + 1)
    except OSError as error:
        raise RefusedError("this file cannot be looked into") from error
    if status != 0 or len(told) > _ANSWER_BYTES_MAX:
        raise RefusedError("this file cannot be looked into")
    return told


def _status(command: list[str], folder: Path, answer: IO[bytes]) -> int:
    """How the command ended; what it printed is in `answer`."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=answer,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env=_ENVIRONMENT,
        start_new_session=True,
    )
    return _wait(process)


_SCRATCH = "/scratch"
_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LC_ALL": "C.UTF-8",
    "HOME": "/nonexistent",
    "TMPDIR": _SCRATCH,
}


def _wait(process: "subprocess.Popen[bytes]") -> int:
    try:
        return process.wait(SECONDS_MAX)
    except subprocess.TimeoutExpired:
        return -1
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 9)  # and whatever it started
        process.wait()


def _wall(folder: Path) -> list[str]:
    """bubblewrap: /usr to read, the private folder and a little memory to write, no network."""
    return [
        *(BUBBLEWRAP, "--unshare-all", "--die-with-parent", "--new-session"),
        *("--cap-drop", "ALL"),
        *("--ro-bind", "/usr", "/usr"),
        *("--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"),
        *("--symlink", "usr/bin", "/bin"),
        *("--ro-bind-try", "/etc/alternatives", "/etc/alternatives"),
        *("--ro-bind-try", "/etc/fonts", "/etc/fonts"),
        *("--ro-bind-try", "/etc/mime.types", "/etc/mime.types"),
        *("--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"),
        *("--proc", "/proc", "--dev", "/dev"),
        *("--size", str(SCRATCH_BYTES_MAX), "--tmpfs", _SCRATCH),
        *("--bind", str(folder), "/here", "--chdir", "/here", "--"),
    ]


@functools.cache
def _bubblewrap() -> bool:
    """Whether bubblewrap is there and may be used by this user."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        command = [*_wall(Path(folder)), "/usr/bin/true"]
        try:
            return subprocess.run(command, capture_output=True, timeout=10).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            return False


def _findings(answer: bytes) -> Findings:
    try:
        listed: Any = json.loads(answer)
        every = [(str(name), str(value)) for _, name, value in listed]
    except (ValueError, TypeError) as error:
        raise RefusedError("this file cannot be looked into") from error
    telling = [
        (_clip(name, FIELD_CHARS_MAX), _clip(value, VALUE_CHARS_MAX))
        for name, value in every
        if name.lower() not in _SAYS_NOTHING and value not in _EMPTY
    ]
    distinct = tuple(dict.fromkeys(telling))
    return Findings(fields=distinct[:FIELDS_MAX], more=len(distinct[FIELDS_MAX:]))


def _clip(text: str, chars_max: int) -> str:
    shown = "".join(each if each.isprintable() else " " for each in text).strip()
    return shown if len(shown) <= chars_max else shown[: chars_max - 1] + "…"
