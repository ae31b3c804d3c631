"""All published files about sealed tips, by their paths: right ones, and each wrong one."""

import re
from collections.abc import Iterator

from tests.vectors import make_sealed, make_wrong
from tests.vectors.make_sealed import sealed_keys
from tests.vectors.make_statements import Files
from tests.vectors.make_tips import age_files
from tests.vectors.sealed_edits import SEALED_MALFORMED, SEALED_UNVERIFIED, PatternEdits
from tests.vectors.sealed_formats import SEALED_FORMATS
from tests.vectors.tables import TABLES


def valid() -> Iterator[tuple[str, bytes]]:
    for kind, make in make_sealed.VALID.items():
        for name, data in make().items():
            yield f"valid/{kind}/{name}{_suffix(name, kind)}", data
    for kind, table in TABLES.items():
        for name, data in table().items():
            yield f"valid/{kind}/{name}.json", data


def _suffix(name: str, kind: str) -> str:
    """Containers bear theirs already: some are there as a recipe."""
    return "" if "." in name else SEALED_FORMATS[kind].suffix


def edited(
    edits: dict[str, PatternEdits], verdict: str, bases: Files
) -> Iterator[tuple[str, bytes]]:
    """The files of `edits`: a name and what one stretch of a valid file was replaced with."""
    for kind, table in edits.items():
        suffix = SEALED_FORMATS[kind].suffix
        for name, (base, pattern, put) in table.items():
            data = bases[f"valid/{kind}/{base}{suffix}"]
            changed, places = data, 1
            if pattern:
                changed, places = re.subn(pattern, put, data)
            else:
                assert isinstance(put, bytes)
                changed += put
            assert places == 1, f"{kind}/{name}: in {places} places"
            assert changed != data, f"{kind}/{name}: nothing was changed"
            yield f"{verdict}/{kind}/{name}{suffix}", changed


def made() -> Iterator[tuple[str, bytes]]:
    """Files that no edit leads to; a container is there as its recipe."""
    for verdict, makers in {
        "malformed": make_wrong.MALFORMED,
        "unverified": make_wrong.UNVERIFIED,
    }.items():
        for kind, make in makers.items():
            suffix = ".json" if kind == "container" else SEALED_FORMATS[kind].suffix
            for name, data in make().items():
                yield f"{verdict}/{kind}/{name}{suffix}", data


def files() -> Files:
    """Every published file about sealed tips."""
    found = {**dict(sealed_keys()), **dict(age_files()), **dict(valid())}
    bases = dict(found)
    for name, data in [
        *edited(SEALED_MALFORMED, "malformed", bases),
        *edited(SEALED_UNVERIFIED, "unverified", bases),
        *made(),
    ]:
        assert name not in found, f"two files of the name {name}"
        found[name] = data
    return found
