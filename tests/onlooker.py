"""Somebody else on the machine: sees command lines, environments and temporary files.

What Linux shows of a process to whoever may look is gathered while a block runs, many times a
second; so are files in the folder for temporary ones, however soon they are gone.
"""

import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

TEMPORARY = "temporary"
_LOOK_SECONDS = 0.05
_SHOWN = ("cmdline", "environ")


@contextmanager
def looked_on(folder: Path) -> Iterator[Mapping[str, bytes]]:
    """What was seen during the block, by place; complete when the block has ended.

    Every process that is started in the block has its temporary files in `folder`/temporary, by
    which it is also known.
    """
    seen: dict[str, bytes] = {}
    ended = threading.Event()
    thread = threading.Thread(target=_look, args=(folder, seen, ended), daemon=True)
    with _temporary_files_in(folder / TEMPORARY):
        thread.start()
        try:
            yield seen
        finally:
            ended.set()
            thread.join()


@contextmanager
def _temporary_files_in(folder: Path) -> Iterator[None]:
    folder.mkdir()
    before, tempfile.tempdir = (os.environ.get("TMPDIR"), tempfile.tempdir), str(folder)
    os.environ["TMPDIR"] = str(folder)
    try:
        yield
    finally:
        os.environ.pop("TMPDIR")
        if before[0] is not None:
            os.environ["TMPDIR"] = before[0]
        tempfile.tempdir = before[1]


def _look(folder: Path, seen: dict[str, bytes], ended: threading.Event) -> None:
    mark = os.fsencode(f"TMPDIR={folder / TEMPORARY}")
    while not ended.wait(_LOOK_SECONDS):
        for process in Path("/proc").iterdir():
            if process.name.isdecimal():
                _look_at(process, mark, seen)
        for path in (folder / TEMPORARY).rglob("*"):
            with suppress(OSError):  # it was removed while we looked
                seen[f"({path.relative_to(folder)})"] = path.read_bytes()


def _look_at(process: Path, mark: bytes, seen: dict[str, bytes]) -> None:
    with suppress(OSError):  # it ended while we looked, or is somebody else's
        shown = {name: (process / name).read_bytes() for name in _SHOWN}
        if mark in shown["environ"].split(b"\0"):
            # What was started in its place since has another command line.
            for name, data in shown.items():
                seen[f"({process.name} {name} {hash(shown['cmdline']):x})"] = data
