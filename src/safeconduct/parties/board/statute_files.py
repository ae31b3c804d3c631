"""Laws and cases in files: restricted YAML as people write it, or JSON in any spelling.

    statutes/south-africa/reconciliation-1995/
        README.md
        1.yaml  2.yaml  3.yaml          the versions, in order; one alone may be statute.yaml

In such a folder a version writes `supersedes: previous`, and means the file before it. Every
fault in a YAML file is shown as `FILE:LINE:COLUMN: place: message`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from safeconduct.errors import MalformedError
from safeconduct.plumbing.authored import AUTHORED_BYTES_MAX, Places, parse_marked
from safeconduct.plumbing.durable import naming, read_file
from safeconduct.protocol.canonical import Json, parse_written_json
from safeconduct.protocol.statute.facts import FACTS_BYTES_MAX, Facts, read_facts
from safeconduct.protocol.statute.govern import series
from safeconduct.protocol.statute.head import PREVIOUS
from safeconduct.protocol.statute.load import read_statute, resolve_previous
from safeconduct.protocol.statute.text import STATUTE_BYTES_MAX, Statute

VERSIONS_MAX = 100
LAWS_MAX = 1_000
DEPTH_MAX = 3  # folders on the way down from the one named to that of a law
ENDINGS = (".yaml", ".yml", ".json")
ALONE = "statute"

_VERSION = re.compile(r"[1-9][0-9]{0,2}")

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The value in a file, and how a fault in it is shown."""

    path: Path
    document: Json
    places: Places | None  # of YAML; in JSON the name of the place has to do

    def located(self, message: str) -> str:
        """The message, which begins with a place, with the file and its line before it."""
        return self.places.located(message) if self.places else f"{self.path}: {message}"

    def read(self, reader: Callable[[], Value]) -> Value:
        """What `reader` makes of the document.

        Raises:
            MalformedError: as `reader` does, and says where in the file.
        """
        try:
            return reader()
        except MalformedError as error:
            raise MalformedError(self.located(error.message), hint=error.hint) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """One version of a law, and the file it was written in; `document` has no `previous`."""

    source: Source
    document: Json
    statute: Statute


def read_source(path: Path, bytes_max: int) -> Source:
    """The value in a file whose name's ending says how it is written.

    Raises:
        MalformedError: another ending, too long, or not what the ending says.
    """
    if path.suffix == ".json":
        data = read_file(path, bytes_max=bytes_max)
        document = parse_written_json(data, str(path), bytes_max=bytes_max)
        return Source(path=path, document=document, places=None)
    if path.suffix not in ENDINGS:
        raise MalformedError(f"{path}: must end in .yaml or .json")
    document, places = parse_marked(read_file(path, bytes_max=AUTHORED_BYTES_MAX), str(path))
    return Source(path=path, document=document, places=places)


def read_law(path: Path) -> Law:
    """The version of a law in one file; `previous` is looked up in the file's own folder.

    Raises:
        MalformedError: any fault in it, or in a version that it follows; names file and place.
    """
    source = read_source(path, STATUTE_BYTES_MAX)
    previous = _before(path).statute if _names_previous(source.document) else None
    return _law(source, previous)


def read_versions(folder: Path) -> tuple[Law, ...]:
    """All versions of the law in a folder, in order, each following the one before.

    Raises:
        MalformedError: none, one is missing, or any fault in one; names file and place.
    """
    found: list[Law] = []
    for path in version_files(folder):
        source = read_source(path, STATUTE_BYTES_MAX)
        previous = found[-1].statute if found else None
        found.append(_law(source, previous))
        _read_series(source, [law.statute for law in found])
    return tuple(found)


def _read_series(source: Source, statutes: list[Statute]) -> None:
    source.read(lambda: series(statutes))


def read_laws(path: Path) -> tuple[tuple[Law, ...], ...]:
    """The laws in a file, in the folder of one law, or in all folders below a folder.

    Raises:
        MalformedError: no law there, or any fault in one; names file and place.
    """
    if not path.is_dir():
        return ((read_law(path),),)
    folders = [each for each in _folders(path, DEPTH_MAX) if _holds_versions(each)]
    if not folders:
        raise MalformedError(f"{path}: no law here; its versions are 1.yaml, 2.yaml …")
    if len(folders) > LAWS_MAX:
        raise MalformedError(f"{path}: more than {LAWS_MAX} laws")
    return tuple(read_versions(folder) for folder in folders)


def read_case(path: Path, statute: Statute) -> tuple[Source, Facts]:
    """The facts of one case, read against a statute.

    Raises:
        MalformedError: any fault in them; names file and place.
    """
    source = read_source(path, FACTS_BYTES_MAX)
    facts = source.read(
        lambda: read_facts(source.document, statute.facts, calendar=statute.calendar)
    )
    return source, facts


def version_files(folder: Path) -> list[Path]:
    """The files of a law's versions, in order; there is no gap between them.

    Raises:
        MalformedError: none, two of one number, or one is missing.
    """
    numbered: dict[int, Path] = {}
    for path in _inside(folder):
        if path.suffix in ENDINGS and _VERSION.fullmatch(path.stem):
            if int(path.stem) in numbered:
                raise MalformedError(f"{path}: version {path.stem} stands in two files")
            numbered[int(path.stem)] = path
    if not numbered:
        return [_alone(folder)]
    if len(numbered) > VERSIONS_MAX:
        raise MalformedError(f"{folder}: more than {VERSIONS_MAX} versions")
    for number in range(1, max(numbered) + 1):
        if number not in numbered:
            raise MalformedError(f"{folder}: there is no {number}.yaml")
    return [numbered[number] for number in sorted(numbered)]


def _folders(path: Path, depth: int) -> Iterator[Path]:
    yield path
    for each in _inside(path) if depth else ():
        if each.is_dir() and not each.is_symlink():
            yield from _folders(each, depth - 1)


def _inside(folder: Path) -> list[Path]:
    with naming(folder):
        return sorted(folder.iterdir())


def _alone(folder: Path) -> Path:
    for ending in ENDINGS:
        path = folder / f"{ALONE}{ending}"
        if path.is_file():
            return path
    raise MalformedError(f"{folder}: no law here; its versions are 1.yaml, 2.yaml …")


def _holds_versions(path: Path) -> bool:
    if not path.is_dir():
        return False
    return any((path / f"{stem}{end}").is_file() for stem in ("1", ALONE) for end in ENDINGS)


def _law(source: Source, previous: Statute | None) -> Law:
    document = source.read(lambda: resolve_previous(source.document, previous))
    statute = source.read(lambda: read_statute(document))
    return Law(source=source, document=document, statute=statute)


def _names_previous(document: Json) -> bool:
    version = document.get("version") if isinstance(document, dict) else None
    return isinstance(version, dict) and version.get("supersedes") == PREVIOUS


def _before(path: Path) -> Law:
    """The version in the file before this one, in the same folder."""
    if not _VERSION.fullmatch(path.stem) or path.stem == "1":
        raise MalformedError(
            f"{path}: version.supersedes: `previous` is found by the file's name, as of 2.yaml"
        )
    files = version_files(path.parent)
    return read_law(files[int(path.stem) - 2])
