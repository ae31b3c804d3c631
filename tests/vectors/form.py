"""What a published file format is, and where the files lie."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A file format; `reformat(parse(data))` is `data` where it has one spelling only.

    `read` gives a file's content, which for a recipe is what it describes.
    """

    suffix: str
    parse: Callable[[bytes, Path], Any]
    reformat: Callable[[Any], bytes]
    verify: Callable[[bytes, Path], object] | None = None
    one_spelling: bool = True
    read: Callable[[Path], bytes] = Path.read_bytes


def width_in(path: Path) -> int:
    """The number of hashes or entries: the last word of the file's name."""
    return int(path.stem.rpartition("-")[2])
