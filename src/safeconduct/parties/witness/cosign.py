"""Cosign: old size, consistency proof and checkpoint in; a dated signature or a refusal out.

    old 20852014                                     the size the log believes we know
    KgQ2fCVs/sSCgC5xTx6c2+Exc3nPvZTvFDZ6C1p3pV0=     0 to 63 hashes, base64
                                                     empty line
    log.example/ledger                               the checkpoint with its signatures
    ...

Spec: c2sp.org/tlog-witness, add-checkpoint.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from safeconduct.errors import (
    MalformedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.witness.store import Latest, Store
from safeconduct.protocol.canonical import decode_text, parse_decimal
from safeconduct.protocol.tlog import cosignature
from safeconduct.protocol.tlog.checkpoint import Checkpoint, parse_checkpoint, parse_hash
from safeconduct.protocol.tlog.merkle import PROOF_HASHES_MAX, verify_consistency
from safeconduct.protocol.tlog.note import (
    Note,
    SignatureLine,
    SigningKey,
    VerifierKey,
    format_note,
    format_signature_line,
    parse_note,
    signatures_by,
    verify_note,
)

REQUEST_BYTES_MAX = 64 << 10
_SET_BACK_SECONDS_MAX = 2  # requests overtake each other, and clocks are adjusted
SIZE_CONTENT_TYPE = "text/x.tlog.size"
TEXT_CONTENT_TYPE = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The witness's own key, and the logs it serves by their origins."""

    own: SigningKey
    logs: Mapping[str, VerifierKey]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A status of the HTTP interface, and what goes with it."""

    status: int
    body: bytes
    content_type: str = TEXT_CONTENT_TYPE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    old_size: int
    proof: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint


def cosign(body: bytes, store: Store, keys: Keys, now: int) -> Answer:
    """The answer to one add-checkpoint request; what it promises is on disk already.

    `now` is in POSIX seconds.

    Raises:
        MalformedError: 400: the body does not parse, or the old tree is the larger one.
        UnverifiedError: 404: not a log we serve; 403: not signed by it; 422: the proof fails.
        UnavailableError: 503: our disk or our clock cannot be relied on.
    """
    request = _parse_request(body)
    origin, tree = request.checkpoint.origin, request.checkpoint.tree
    if origin not in keys.logs:
        raise _status(404, UnverifiedError("this witness does not serve that log"))
    verify_note(request.note, keys.logs[origin])
    if request.old_size > tree.size:
        raise MalformedError("the old size is larger than the checkpoint's")
    latest = store.latest(origin)
    _keep_fork(request, latest, store, keys, now)
    if request.old_size != latest.tree.size:
        return _known_size(latest)
    try:
        verify_consistency(latest.tree, tree, request.proof)
    except UnverifiedError as error:
        raise _status(422, error) from error
    at = _date(now, latest)
    line = cosignature.cosign(request.note.text, keys.own, at)
    own_note = _with_signatures(request.note, keys.logs[origin], line)
    new = Latest(tree=tree, cosigned_at=at, checkpoint=own_note)
    if not store.advance(origin, latest, new):
        return _known_size(store.latest(origin))
    return Answer(status=200, body=format_signature_line(line).encode())


def _parse_request(body: bytes) -> _Request:
    if len(body) > REQUEST_BYTES_MAX:
        raise MalformedError(f"the request is longer than {REQUEST_BYTES_MAX} bytes")
    head, empty_line, note_bytes = body.partition(b"\n\n")
    if not empty_line:
        raise MalformedError("no empty line before the checkpoint")
    old, *hashes = decode_text(head, "request").split("\n")
    if not old.startswith("old "):
        raise MalformedError("the first line is not 'old <size>'")
    if len(hashes) > PROOF_HASHES_MAX:
        raise MalformedError(f"more than {PROOF_HASHES_MAX} proof hashes")
    note = parse_note(note_bytes)
    return _Request(
        old_size=parse_decimal(old.removeprefix("old "), "old size"),
        proof=tuple(parse_hash(line, "proof hash") for line in hashes),
        note=note,
        checkpoint=parse_checkpoint(note.text),
    )


def _keep_fork(request: _Request, latest: Latest, store: Store, keys: Keys, now: int) -> None:
    """Two roots for one size under the log's own signatures are evidence, whatever else."""
    tree, origin = request.checkpoint.tree, request.checkpoint.origin
    if tree.size == latest.tree.size > 0 and tree.root_hash != latest.tree.root_hash:
        other = _with_signatures(request.note, keys.logs[origin])
        store.keep_conflict(origin, latest.checkpoint, other, tree, now)


def _date(now: int, latest: Latest) -> int:
    """The date to sign: never before the last one, and never far from the clock's."""
    if latest.cosigned_at - now > _SET_BACK_SECONDS_MAX:
        # An earlier date would contradict our last one, and a later one would be invented.
        raise UnavailableError("this witness's clock went back", hint="try again later")
    return max(now, latest.cosigned_at)


def _with_signatures(note: Note, log: VerifierKey, *lines: SignatureLine) -> bytes:
    """The note with the log's signatures and these; what strangers added is left out."""
    return format_note(Note(text=note.text, signatures=(*signatures_by(note, log)[:1], *lines)))


def _known_size(latest: Latest) -> Answer:
    """Another tree is the latest: the log must prove from there."""
    body = f"{latest.tree.size}\n".encode()
    return Answer(status=409, body=body, content_type=SIZE_CONTENT_TYPE)


def _status(status: int, error: SafeconductError) -> SafeconductError:
    error.http_status = status
    return error
