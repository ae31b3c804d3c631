"""How the files about sealed tips are read, written again and verified.

Where parsing and verifying are one step, what does not verify is read as it stands.
"""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

from tests.protocol import builders
from tests.vectors import recipe
from tests.vectors.form import FOLDER, Format, width_in
from tests.vectors.sealed_world import BLIND, PLAIN, keys

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.plumbing.logs import GazetteView, format_gazette, parse_gazette
from safeconduct.plumbing.programme import Programme
from safeconduct.plumbing.words import LANGUAGES, format_words, parse_words
from safeconduct.protocol import age
from safeconduct.protocol.canonical import (
    Json,
    format_json,
    length_prefixed,
    parse_base64,
    parse_hex,
    parse_json,
)
from safeconduct.protocol.capsule import Capsule, open_capsule, seal_capsule
from safeconduct.protocol.claim import Bundle, check_terms, examine, format_bundle, parse_bundle
from safeconduct.protocol.credit import open_credit
from safeconduct.protocol.dual import open_dual
from safeconduct.protocol.envelope import check_contribution, check_header, open_envelope
from safeconduct.protocol.gazette import GazetteState, fold_all
from safeconduct.protocol.keys import reply_mac
from safeconduct.protocol.opened import open_with_key
from safeconduct.protocol.opening import format_opening, parse_opening, verify_opening
from safeconduct.protocol.record import (
    Record,
    SignedRecord,
    format_record,
    parse_record,
    parse_signed,
    verify_signer,
    verify_signers,
)
from safeconduct.protocol.record import parse_any as _any_record
from safeconduct.protocol.reply import REPLY_BYTES, Reply, open_reply
from safeconduct.protocol.tip import (
    ContainerReader,
    Manifest,
    TipFile,
    check_follows,
    container_chunks,
    format_manifest,
    parse_manifest,
)
from safeconduct.protocol.tlog.note import ED25519, VerifierKey, format_note
from safeconduct.protocol.tlog.policy import Policy, parse_policy
from safeconduct.protocol.tlog.tile import format_bundle as format_entries
from safeconduct.protocol.tlog.tile import parse_bundle as parse_entries

NOON = builders.NOON
EARLIER_TIP = "valid/manifest/three-files.json"
ENVELOPE = "valid/envelope/hybrid.json"
TIP_KEYS = keys(PLAIN)
"""Of the source's first contribution, to whom capsules and replies are sealed."""
GAZETTES = {PLAIN.programme: "plain-3", BLIND.programme: "blind-4"}


@cache
def _folded(data: bytes, width: int) -> GazetteState:
    return fold_all(parse_entries(data, width))


def state_of(programme: bytes) -> GazetteState:
    """What the published Gazette of this programme says."""
    if programme not in GAZETTES:
        raise UnverifiedError("of a programme that nobody knows")
    path = FOLDER / "valid" / "gazette" / f"{GAZETTES[programme]}.bundle"
    return _folded(path.read_bytes(), width_in(path))


def policy() -> Policy:
    return parse_policy((FOLDER / "keys" / "programme.policy").read_bytes())


def desk_identities() -> list[age.SecretIdentity]:
    lines = (FOLDER / "keys" / "desk-1.identities").read_text().splitlines()
    return [age.parse_identity(line) for line in lines]


# Words.


def _object(data: bytes, what: str, *fields: str) -> dict[str, Any]:
    value = parse_json(data, what)
    if not isinstance(value, dict) or value.keys() != set(fields):
        raise MalformedError(f"{what}: not its fields")
    return value


def _text(value: Mapping[str, Json], name: str) -> str:
    text = value[name]
    if not isinstance(text, str):
        raise MalformedError(f"{name}: not text")
    return text


def _parse_words(data: bytes, path: Path) -> dict[str, Any]:
    value = _object(data, "words", "entropy", "language", "phrase")
    language = _text(value, "language")
    if language not in LANGUAGES:
        raise MalformedError("words: of no language that has a list")
    entropy = parse_words(_text(value, "phrase"), language)
    if entropy.hex() != value["entropy"] or format_words(entropy, language) != value["phrase"]:
        raise MalformedError("words: of other bytes, or spelt in another way")
    return value


# Records and the Gazette.


def _parse_record(data: bytes, path: Path) -> Record | SignedRecord:
    kind = _any_record(data).kind
    return parse_signed(data) if b"\n\n" in data else parse_record(data, kind)


def _format_record(value: Record | SignedRecord) -> bytes:
    return format_record(value) if isinstance(value, Record) else format_note(value.note)


_BY_BOARD = frozenset(
    [
        "roster",
        "statute",
        "epoch",
        "publication",
        "archive",
        "retirement",
        "issuing-key",
        "credit-count",
        "count",
        "decision",
        "listing-decision",
        "panel",
        "credit-link",
        "credit",
        "client",
    ]
)
_BY_DESK = frozenset(
    ["acknowledgement", "assessment", "destruction", "opening-desk", "credit-offer", "request"]
)
_BY_REGISTRY = frozenset({"listing-notice", "manifest", "redemption"})
_BY_AUTHOR = frozenset(
    [
        "claim-helped",
        "claim-denounced",
        "claim-credited",
        "opening",
        "withdrawal",
        "credit-request",
    ]
)


def _verify_record(data: bytes, path: Path) -> None:
    record = _any_record(data)
    if b"\n\n" not in data:
        return
    signed, state = parse_signed(data), state_of(record.hash("programme"))
    roster = state.roster
    if record.kind == "programme":
        verify_signers(signed, roster.members, len(roster.members))
    elif record.kind in _BY_BOARD:
        verify_signers(signed, roster.members, roster.threshold)
    elif record.kind in _BY_AUTHOR:
        open_dual(data, {record.kind})
    else:
        verify_signer(signed, _signer(record, state))


def _signer(record: Record, state: GazetteState) -> VerifierKey:
    if record.kind in _BY_DESK:
        return state.epoch(1).statement
    if record.kind in _BY_REGISTRY:
        return state.programme.key("registry")
    if record.kind in ("delivery", "gate"):
        return state.programme.key("server")
    assert record.kind == "appeal"
    return VerifierKey(name="claimant", algorithm=ED25519, public=record.hash("ed25519"))


def _parse_credit(data: bytes, path: Path) -> Record | SignedRecord:
    value = _parse_record(data, path)
    with suppress(UnverifiedError):
        _verify_credit(data, path)
    return value


def _verify_credit(data: bytes, path: Path) -> None:
    open_credit(data, state_of(_any_record(data).hash("programme")))


def _parse_gazette(data: bytes, path: Path) -> list[bytes]:
    entries = parse_entries(data, width_in(path))
    with suppress(UnverifiedError):
        _folded(data, width_in(path))
    return entries


def _verify_gazette(data: bytes, path: Path) -> None:
    _folded(data, width_in(path))


def _programme() -> Programme:
    """As far as a saved Gazette is concerned."""
    nowhere, text = "http://127.0.0.1:1", (FOLDER / "keys" / "programme.policy").read_bytes()
    return Programme(
        name=PLAIN.name,
        gazette=nowhere,
        gazette_origin=builders.GAZETTE.name,
        ledger=nowhere,
        ledger_origin=builders.LEDGER.name,
        door=nowhere,
        register=nowhere,
        policy=parse_policy(text),
        policy_text=text,
    )


def _parse_saved(data: bytes, path: Path) -> GazetteView | bytes:
    with suppress(UnverifiedError):
        return parse_gazette(_programme(), data)
    return data


def _format_saved(value: GazetteView | bytes) -> bytes:
    return value if isinstance(value, bytes) else format_gazette(value)


def _verify_saved(data: bytes, path: Path) -> None:
    parse_gazette(_programme(), data)


# Tips.


def _parse_manifest(data: bytes, path: Path) -> Manifest:
    return parse_manifest(data)


def _verify_manifest(data: bytes, path: Path) -> None:
    manifest = parse_manifest(data)
    if manifest.follows:
        earlier = parse_manifest((FOLDER / EARLIER_TIP).read_bytes())
        check_follows(manifest, earlier.tag_key)


def read_container(data: bytes) -> tuple[Manifest, list[bytes]]:
    """The manifest and the content of each file."""
    contents: list[bytearray] = []

    def take(file: TipFile, chunk: bytes) -> None:
        if not chunk:
            contents.append(bytearray())
        contents[-1].extend(chunk)

    reader = ContainerReader(take)
    for start in range(0, len(data), 40_000):
        reader.feed(data[start : start + 40_000])
    return reader.close(), [bytes(content) for content in contents]


def _parse_container(data: bytes, path: Path) -> tuple[Manifest, list[bytes]]:
    return read_container(data)


def _format_container(value: tuple[Manifest, list[bytes]]) -> bytes:
    manifest, contents = value
    return b"".join(container_chunks(manifest, [partial(_once, each) for each in contents]))


def _once(content: bytes) -> Iterable[bytes]:
    return [content]


def payload_of(envelope: Mapping[str, Any]) -> bytes:
    """The payload that the fields of a published envelope describe."""
    content = recipe.named(envelope["container"])
    file_key, nonce = (bytes.fromhex(envelope[name]) for name in ("file_key", "nonce"))
    payload = bytearray().join(age.seal_stream(file_key, nonce, [content]))
    for at, cut, put in map(_edit, _listed(envelope["edits"], "edits")):
        payload[at : at + cut] = put
    return bytes(payload)


def _listed(value: object, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise MalformedError(f"{what}: no list")
    return value


def _edit(value: object) -> tuple[int, int, bytes]:
    """Where, how many bytes go, and what stands there instead."""
    parts = _listed(value, "edit")
    if [type(part) for part in parts] != [int, int, str] or min(parts[:2]) < 0:
        raise MalformedError("edit: not two numbers and a text")
    return parts[0], parts[1], parse_hex(parts[2], len(parts[2]) // 2, "edit")


_ENVELOPE_FIELDS = ("container", "edits", "file_key", "header", "nonce", "record")


def _parse_envelope(data: bytes, path: Path) -> dict[str, Any]:
    value = _object(data, "envelope", *_ENVELOPE_FIELDS)
    for name in ("file_key", "nonce"):
        parse_hex(_text(value, name), 16, name)
    record = parse_record(_text(value, "record").encode(), "contribution")
    check_contribution(record)
    check_header(parse_base64(_text(value, "header"), "header"), record)
    file_key, payload = bytes.fromhex(value["file_key"]), payload_of(value)
    with suppress(UnverifiedError):
        open_with_key(record, file_key, lambda: [payload], builders.nowhere)
    return value


def _verify_envelope(data: bytes, path: Path) -> None:
    value = json.loads(data)
    record = parse_record(value["record"].encode(), "contribution")
    payload, header = payload_of(value), parse_base64(value["header"], "header")
    open_envelope(record, header, lambda: [payload], desk_identities(), builders.nowhere)
    found = age.unwrap(age.parse_header(header)[0], desk_identities())
    if found.hex() != value["file_key"]:
        raise UnverifiedError("the header holds another file key")


# Capsules and replies.


def _parse_capsule(data: bytes, path: Path) -> tuple[Capsule | None, bytes]:
    return open_capsule(data, TIP_KEYS), data


def _format_capsule(value: tuple[Capsule | None, bytes]) -> bytes:
    capsule, data = value
    return seal_capsule(capsule, TIP_KEYS, lambda size: data[:size]) if capsule else data


def _verify_capsule(data: bytes, path: Path) -> None:
    if open_capsule(data, TIP_KEYS) is None:
        raise UnverifiedError("another's capsule, or a damaged one")


def _parse_reply(data: bytes, path: Path) -> tuple[Reply | None, int, bytes]:
    counter = width_in(path)
    with suppress(UnverifiedError):
        return open_reply(data, TIP_KEYS, counter), counter, data
    return None, counter, data


def _format_reply(value: tuple[Reply | None, int, bytes]) -> bytes:
    """The block again, under its own header and nonce: those are the sealer's to choose."""
    reply, counter, data = value
    if reply is None:
        return data
    header, end = age.parse_header(data[16:])
    nonce = data[16 + end : 32 + end]
    body = format_json(
        {
            "acknowledgement": reply.acknowledgement.decode(),
            "credit": reply.credit.decode(),
            "proof": reply.proof.decode(),
            "text": reply.text,
        }
    )
    framed = length_prefixed(body) + reply_mac(TIP_KEYS.tag_key(), counter, body)
    room = REPLY_BYTES - end - age.sealed_bytes(0)
    file_key = age.unwrap(header, [age.hybrid_identity(TIP_KEYS.reply_seed())])
    sealed = age.seal_stream(file_key, nonce, [framed.ljust(room, b"\0")])
    return data[: 16 + end] + b"".join(sealed)


def _verify_reply(data: bytes, path: Path) -> None:
    open_reply(data, TIP_KEYS, width_in(path))


# Openings and claims.


def _parse_opening(data: bytes, path: Path) -> object:
    return parse_opening(data)


def _verify_opening(data: bytes, path: Path) -> None:
    envelope = json.loads((FOLDER / ENVELOPE).read_bytes())
    _, contents = read_container(recipe.named(envelope["container"]))
    bundle = parse_opening(data)
    verify_opening(
        bundle,
        state_of(PLAIN.programme),
        policy(),
        payload=lambda: [payload_of(envelope)],
        files=lambda place: [contents[place - 1]],
    )


def _parse_claim(data: bytes, path: Path) -> Bundle | bytes:
    with suppress(UnverifiedError):
        return parse_bundle(data)
    return data


def _format_claim(value: Bundle | bytes) -> bytes:
    return value if isinstance(value, bytes) else format_bundle(value.limb, value.fields)


_FOUND = {"claimant_is_subject": True, "grave_crime_proven": False}
_JUDGED = {
    "helped": {**_FOUND, "knowing_falsehood_found": False},
    "credited": {**_FOUND, "knowing_falsehood_found": False},
    "denounced": {
        **_FOUND,
        "knowing_falsehood_found": False,
        "denounces": True,
        "speaker_is_claimant": True,
        "withdrawn": False,
    },
}


def _verify_claim(data: bytes, path: Path) -> None:
    bundle = parse_bundle(data)
    state = state_of(bundle.record.hash("programme"))
    audience = state.programme.key("registry").name
    check_terms(bundle.record, programme=state.programme_hash, audience=audience, at=NOON)
    found = examine(bundle, state, policy(), _JUDGED[bundle.limb])
    if found.shortfalls:
        raise UnverifiedError(found.shortfalls[0])


def _written(value: dict[str, Json]) -> bytes:
    return format_json(value)


SEALED_FORMATS = {
    "words": Format(suffix=".json", parse=_parse_words, reformat=_written),
    "record": Format(
        suffix=".record", parse=_parse_record, reformat=_format_record, verify=_verify_record
    ),
    "gazette": Format(
        suffix=".bundle",
        parse=_parse_gazette,
        reformat=format_entries,
        verify=_verify_gazette,
    ),
    "saved-gazette": Format(
        suffix=".gazette", parse=_parse_saved, reformat=_format_saved, verify=_verify_saved
    ),
    "manifest": Format(
        suffix=".json",
        parse=_parse_manifest,
        reformat=format_manifest,
        verify=_verify_manifest,
    ),
    "container": Format(
        suffix=".tar", parse=_parse_container, reformat=_format_container, read=recipe.read
    ),
    "envelope": Format(
        suffix=".json", parse=_parse_envelope, reformat=_written, verify=_verify_envelope
    ),
    "capsule": Format(
        suffix=".capsule",
        parse=_parse_capsule,
        reformat=_format_capsule,
        verify=_verify_capsule,
    ),
    "reply": Format(
        suffix=".block", parse=_parse_reply, reformat=_format_reply, verify=_verify_reply
    ),
    "opening": Format(
        suffix=".json", parse=_parse_opening, reformat=format_opening, verify=_verify_opening
    ),
    "claim": Format(
        suffix=".json", parse=_parse_claim, reformat=_format_claim, verify=_verify_claim
    ),
    "credit": Format(
        suffix=".record", parse=_parse_credit, reformat=_format_record, verify=_verify_credit
    ),
}
