"""Recipes: large files that are mostly repetition, as a short list of their pieces.

    {"pieces": [{"from": 0, "of": "valid/container/three-files.tar", "to": 156}, {"hex": "32"},
                {"hex": "00", "times": 50000}], "sha256": "…"}

`of` names a file below this folder, `from` and `to` the bytes taken of it.
"""

import hashlib
import re
from functools import cache
from pathlib import Path

from tests.vectors.form import FOLDER

from safeconduct.errors import MalformedError
from safeconduct.protocol.canonical import Json, format_json, parse_json

BYTES_MAX = 1 << 20
RUN_BYTES_MIN = 32
"""So many zeros in a row make a piece of their own."""

_CONTAINER = re.compile(r"(?:valid|malformed)/container/[a-z0-9-]+\.(?:tar|json)")
_WHOLE = (("from", 0), ("to", BYTES_MAX))
_ZEROS = re.compile(rb"\x00{%d,}" % RUN_BYTES_MIN)


def named(name: object) -> bytes:
    """The container published under that name below this folder."""
    if not isinstance(name, str) or not _CONTAINER.fullmatch(name):
        raise MalformedError("no name of a published container")
    path = FOLDER / name
    if not path.is_file():
        raise MalformedError("no such container was published")
    return read(path)


@cache
def read(path: Path) -> bytes:
    """The bytes of a file, or those that it is the recipe of."""
    data = path.read_bytes()
    return build(data) if path.suffix == ".json" else data


def build(recipe: bytes) -> bytes:
    """The bytes that a recipe describes.

    Raises:
        MalformedError: not a recipe, or of something else than it says.
    """
    value = parse_json(recipe, "recipe")
    if not isinstance(value, dict) or value.keys() != {"pieces", "sha256"}:
        raise MalformedError("recipe: needs exactly pieces and sha256")
    pieces = value["pieces"]
    if not isinstance(pieces, list):
        raise MalformedError("recipe: no list of pieces")
    data = b"".join(map(_piece, pieces))
    if hashlib.sha256(data).hexdigest() != value["sha256"]:
        raise MalformedError("recipe: of something else")
    return data


def _piece(value: Json) -> bytes:
    if not isinstance(value, dict):
        raise MalformedError("recipe: a piece is no object")
    if "of" in value:
        start, end = (int(str(value.get(name, at))) for name, at in _WHOLE)
        return named(value["of"])[start:end]
    return bytes.fromhex(str(value["hex"])) * int(str(value.get("times", 1)))


def recipe(data: bytes, *pieces: Json) -> bytes:
    """The recipe of `data`, which these pieces make."""
    value: Json = {
        "pieces": list(pieces),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    return format_json(value)


def runs(data: bytes) -> list[Json]:
    """Pieces that make `data`, each long run of zeros in one of its own."""
    pieces: list[Json] = []
    at = 0
    for run in _ZEROS.finditer(data):
        if run.start() > at:
            pieces.append({"hex": data[at : run.start()].hex()})
        pieces.append({"hex": "00", "times": len(run[0])})
        at = run.end()
    return [*pieces, {"hex": data[at:].hex()}] if at < len(data) else pieces


def replaced(
    base: str, data: bytes, start: int, end: int, put: bytes
) -> tuple[bytes, list[Json]]:
    """The container `base` with one stretch replaced, and the pieces that make it."""
    pieces: list[Json] = [{"of": base, "to": start}] if start else []
    pieces += runs(put)
    pieces += [{"of": base, "from": end}] if end < len(data) else []
    return data[:start] + put + data[end:], pieces
