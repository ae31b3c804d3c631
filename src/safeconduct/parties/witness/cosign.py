"""Cosign: old size, consistency proof and checkpoint in; dated signatures or a refusal out.

The checks, in the standard's order, and the status of what fails:

    400   the body does not parse
    404   the log is not one that is served
    403   no key of the log signed the checkpoint, or one of its keys did badly;
          or the log is proven to have two histories, and no key of it is trusted any more
    400   the old size is larger than the checkpoint's
    409   the old size is not that of the latest cosigned tree, which the answer tells
    422   the proof does not hold: among others any hash where none belongs, two roots for one
          size, and an empty tree with another root than SHA-256("")
    429   the log has had its larger trees of today; also, in `site`, too many requests at once
    503   the clock went back, or the disk cannot be relied on

Size 0 is the answer to a log that was never cosigned: the first tree is taken on trust, from
logs only that somebody has given to this witness. The same tree again gets a fresh date, or
from a log with a daily limit its last one, if that is not old enough.

Spec: c2sp.org/tlog-witness, add-checkpoint, as of July 2026 (until then 409, not 422, was the
answer to two roots for one size).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from safeconduct.errors import (
    MalformedError,
    RefusedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.witness.limits import Allowance, refresh_seconds
from safeconduct.parties.witness.logs import Log
from safeconduct.parties.witness.memory import Memory
from safeconduct.parties.witness.published import origin_hash
from safeconduct.parties.witness.request import AddCheckpoint, parse_request
from safeconduct.parties.witness.store import Latest
from safeconduct.protocol.tlog import cosignature
from safeconduct.protocol.tlog.merkle import verify_consistency
from safeconduct.protocol.tlog.note import (
    MLDSA44,
    Note,
    SignatureLine,
    SigningKey,
    format_note,
    format_signature_line,
    parse_note,
)

_LineKey: TypeAlias = tuple[str, bytes]
"""Name and key ID: whose line it is."""
_SET_BACK_SECONDS_MAX = 2  # requests overtake each other, and clocks are adjusted
SIZE_CONTENT_TYPE = "text/x.tlog.size"
TEXT_CONTENT_TYPE = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The witness's own keys, Ed25519 first, and the logs it serves by their origins."""

    own: Sequence[SigningKey]
    logs: Mapping[str, Log]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A status of the HTTP interface, and what goes with it."""

    status: int
    body: bytes
    content_type: str = TEXT_CONTENT_TYPE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A request whose checkpoint is signed by `log`, in `lines`, and when it came."""

    log: Log
    lines: tuple[SignatureLine, ...]
    request: AddCheckpoint
    at: int

    def note(self, *own: SignatureLine) -> bytes:
        """The checkpoint with the log's lines and these; what strangers added is left out."""
        text = self.request.note.text
        return format_note(Note(text=text, signatures=(*self.lines, *own)))


class Witness:
    """One witness at work; safe between threads."""

    def __init__(self, *, keys: Keys, memory: Memory) -> None:
        self.keys = keys
        self.store = memory.store
        self._evidence = memory.evidence
        self._published = memory.published
        self._allowance = Allowance()
        cosigners = [key.cosigner() for key in keys.own]
        self._own = [(key.name, key.key_id) for key in cosigners]

    def cosign(self, body: bytes, now: int) -> Answer:
        """The answer to one add-checkpoint request; what it promises is on disk already.

        `now` is in POSIX seconds.

        Raises:
            MalformedError: 400: the body does not parse, or the old tree is the larger one.
            UnverifiedError: 404: not a log we serve; 403: not signed by it; 422: the proof
                fails.
            RefusedError: 403: the log has two histories.
            UnavailableError: 429: the log asks too often; 503: our disk or our clock cannot be
                relied on.
        """
        request = parse_request(body)
        log = self.keys.logs.get(request.checkpoint.origin)
        if log is None:
            raise _status(404, UnverifiedError("this witness does not serve that log"))
        asked = _Asked(log=log, lines=log.signed(request.note), request=request, at=now)
        while True:
            answer = self._attempt(asked)
            if answer is not None:
                return answer

    def _attempt(self, asked: _Asked) -> Answer | None:
        """The answer; None if another request moved this log on between check and write."""
        latest, request = self.store.latest(asked.log.origin), asked.request
        if latest.forked:
            raise _two_histories(asked.log)
        fault = _fault(latest, request)
        # What the log has signed is evidence, however faulty the request around it is.
        is_fork = self._evidence.look(
            asked.log, latest, request, asked.note, holds=fault is None, now=asked.at
        )
        if request.old_size > request.checkpoint.tree.size:
            raise MalformedError("the old size is larger than the checkpoint's")
        if request.old_size != latest.tree.size:
            return _known_size(latest)
        if fault is not None:
            self._keep_unexplained(asked, latest, is_fork=is_fork)
            raise _status(422, fault)
        if is_fork:
            raise _two_histories(asked.log)
        return self._sign(asked, latest)

    def _sign(self, asked: _Asked, latest: Latest) -> Answer | None:
        log, tree = asked.log, asked.request.checkpoint.tree
        at = _date(asked.at, latest)
        known, own = _known_lines(asked, latest), self._own
        soon = at - latest.cosigned_at < refresh_seconds(log.requests_per_day)
        if soon and {*own[:1], *map(_key_of, asked.lines)} <= known.keys():
            return _signed([known[key] for key in own if key in known])
        grows = tree.size > latest.tree.size
        if soon or grows:
            self._allowance.take(log.origin, log.requests_per_day, grows=grows, now=at)
        text = asked.request.note.text
        lines = [cosignature.cosign(text, key, at) for key in _able(self.keys.own, asked)]
        note = asked.note(*_others(known, asked, own), *lines)
        new = Latest(tree=tree, cosigned_at=at, checkpoint=note)
        if not self.store.advance(log.origin, latest, new):
            return None
        self._published.put(log.origin, note)
        return _signed(lines)

    def _keep_unexplained(self, asked: _Asked, latest: Latest, *, is_fork: bool) -> None:
        """Remember what the log signed and did not prove: a fork, or a faulty request."""
        tree = asked.request.checkpoint.tree
        if tree != latest.tree and not is_fork:
            self.store.keep_unexplained(asked.log.origin, tree, asked.note(), asked.at)


def _fault(latest: Latest, request: AddCheckpoint) -> UnverifiedError | None:
    """What is wrong with the proof from the latest tree to the checkpoint's, if anything."""
    try:
        verify_consistency(latest.tree, request.checkpoint.tree, request.proof)
    except UnverifiedError as error:
        return error
    return None


def _able(own: Sequence[SigningKey], asked: _Asked) -> list[SigningKey]:
    """The keys that can cosign this text: ML-DSA-44 would not cover extension lines."""
    extended = bool(asked.request.checkpoint.extensions)
    able = [key for key in own if not (extended and key.algorithm == MLDSA44)]
    if not able:
        raise RefusedError("this witness has no key that covers extension lines")
    return able


def _date(now: int, latest: Latest) -> int:
    """The date to sign: never before the last one, never 0, never far from the clock's."""
    if now <= 0 or latest.cosigned_at - now > _SET_BACK_SECONDS_MAX:
        # An earlier date would contradict our last one, and a later one would be invented.
        raise UnavailableError("this witness's clock went back", hint="try again later")
    return max(now, latest.cosigned_at)


def _known_lines(asked: _Asked, latest: Latest) -> dict[_LineKey, SignatureLine]:
    """The lines that are kept with the latest checkpoint, if it is of this very text."""
    known = parse_note(latest.checkpoint) if latest.checkpoint else None
    if known is None or known.text != asked.request.note.text:
        return {}
    return {_key_of(line): line for line in known.signatures}


def _others(
    known: Mapping[_LineKey, SignatureLine], asked: _Asked, own: Sequence[_LineKey]
) -> list[SignatureLine]:
    """The log's lines that are kept and were left out now: strangers must not remove one."""
    replaced = {*own, *map(_key_of, asked.lines)}
    trusted = {(key.name, key.key_id) for key in asked.log.keys}
    return [line for key, line in known.items() if key in trusted - replaced]


def _key_of(line: SignatureLine) -> _LineKey:
    return line.name, line.key_id


def _signed(lines: Sequence[SignatureLine]) -> Answer:
    """Our signature lines, and nothing else."""
    return Answer(status=200, body="".join(map(format_signature_line, lines)).encode())


def _known_size(latest: Latest) -> Answer:
    """Another tree is the latest: the log must prove from there."""
    body = f"{latest.tree.size}\n".encode()
    return Answer(status=409, body=body, content_type=SIZE_CONTENT_TYPE)


def _two_histories(log: Log) -> RefusedError:
    return RefusedError(
        "this log has signed two histories and is not cosigned any more",
        hint=f"the proof is at /{origin_hash(log.origin)}/forks",
    )


def _status(status: int, error: SafeconductError) -> SafeconductError:
    error.http_status = status
    return error
