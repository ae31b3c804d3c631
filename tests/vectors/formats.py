"""How each published file is read, written again and, where something is signed, verified."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.vectors.form import FOLDER, Format, width_in
from tests.vectors.sealed_formats import SEALED_FORMATS

from safeconduct.parties.witness.request import AddCheckpoint, parse_request
from safeconduct.protocol.canonical import decode_text, format_base64
from safeconduct.protocol.tlog.checkpoint import format_checkpoint, parse_checkpoint
from safeconduct.protocol.tlog.cosignature import verify_cosignature, verify_log
from safeconduct.protocol.tlog.fork import format_fork, parse_fork, verify_fork
from safeconduct.protocol.tlog.note import (
    VerifierKey,
    format_note,
    format_skey,
    format_vkey,
    parse_note,
    parse_skey,
    parse_vkey,
    verify_note,
)
from safeconduct.protocol.tlog.policy import format_policy, parse_policy, verify_proof
from safeconduct.protocol.tlog.proof import format_proof, parse_proof
from safeconduct.protocol.tlog.tile import (
    TILE_BYTES,
    TILE_WIDTH,
    Tile,
    format_bundle,
    parse_bundle,
    parse_tile,
    parse_tile_path,
    tile_path,
)

PROVEN_ENTRY = b"entry 3"
"""The entry that every proof is about."""


def key(name: str) -> VerifierKey:
    """A key of the folder `keys`."""
    return parse_vkey((FOLDER / "keys" / f"{name}.vkey").read_text())


def _parse_signed_checkpoint(data: bytes, path: Path) -> object:
    note = parse_note(data)
    return parse_checkpoint(note.text), note


def _format_signed_checkpoint(value: Any) -> bytes:
    checkpoint, note = value
    assert format_checkpoint(checkpoint) == note.text
    return format_note(note)


def _parse_text(parse: Callable[[str], object], data: bytes, path: Path) -> object:
    return parse(decode_text(data, "text"))


def _parse_bytes(parse: Callable[[bytes], object], data: bytes, path: Path) -> object:
    return parse(data)


def _parse_path(text: str) -> Tile:
    return parse_tile_path(text)


def _parse_tile(data: bytes, path: Path) -> object:
    hashes = parse_tile(data, width_in(path))
    # A full tile stands in for a partial one, whose hashes are then its first ones.
    return parse_tile(data, TILE_WIDTH) if len(data) == TILE_BYTES else hashes


def _parse_bundle(data: bytes, path: Path) -> object:
    return parse_bundle(data, width_in(path))


def _format_request(request: AddCheckpoint) -> bytes:
    lines = [f"old {request.old_size}", *map(format_base64, request.proof), "", ""]
    return "\n".join(lines).encode() + format_note(request.note)


def _verify_note(data: bytes, path: Path) -> None:
    verify_note(parse_note(data), key("log"))


def _verify_checkpoint(data: bytes, path: Path) -> None:
    verify_log(parse_note(data), key("log"))


def _verify_cosignature(data: bytes, path: Path) -> None:
    kind = path.name.partition("-")[0]
    verify_cosignature(parse_note(data), key({"ed25519": "w1", "mldsa44": "w1-mldsa44"}[kind]))


def _verify_proof(data: bytes, path: Path) -> None:
    policy = parse_policy((FOLDER / "keys" / "trust.policy").read_bytes())
    verify_proof(data, PROVEN_ENTRY, policy)


def _verify_fork(data: bytes, path: Path) -> None:
    verify_fork(parse_fork(data), [key("log"), key("log-mldsa44")])


def _encoded(format_text: Callable[[Any], str], value: Any) -> bytes:
    return format_text(value).encode()


TLOG_FORMATS = {
    "note": Format(
        suffix=".note",
        parse=partial(_parse_bytes, parse_note),
        reformat=format_note,
        verify=_verify_note,
    ),
    "checkpoint": Format(
        suffix=".note",
        parse=_parse_signed_checkpoint,
        reformat=_format_signed_checkpoint,
        verify=_verify_checkpoint,
    ),
    "cosignature": Format(
        suffix=".note",
        parse=_parse_signed_checkpoint,
        reformat=_format_signed_checkpoint,
        verify=_verify_cosignature,
    ),
    "tile-path": Format(
        suffix=".path",
        parse=partial(_parse_text, _parse_path),
        reformat=partial(_encoded, tile_path),
    ),
    "tile": Format(suffix=".tile", parse=_parse_tile, reformat=b"".join),
    "bundle": Format(suffix=".bundle", parse=_parse_bundle, reformat=format_bundle),
    "proof": Format(
        suffix=".tlog-proof",
        parse=partial(_parse_bytes, parse_proof),
        reformat=format_proof,
        verify=_verify_proof,
    ),
    "policy": Format(
        suffix=".policy",
        parse=partial(_parse_bytes, parse_policy),
        reformat=format_policy,
        one_spelling=False,
    ),
    "vkey": Format(
        suffix=".vkey",
        parse=partial(_parse_text, parse_vkey),
        reformat=partial(_encoded, format_vkey),
    ),
    "skey": Format(
        suffix=".skey",
        parse=partial(_parse_text, parse_skey),
        reformat=partial(_encoded, format_skey),
    ),
    "fork": Format(
        suffix=".fork",
        parse=partial(_parse_bytes, parse_fork),
        reformat=format_fork,
        verify=_verify_fork,
    ),
    "request": Format(
        suffix=".request",
        parse=partial(_parse_bytes, parse_request),
        reformat=_format_request,
    ),
}
FORMATS: dict[str, Format] = TLOG_FORMATS | SEALED_FORMATS
