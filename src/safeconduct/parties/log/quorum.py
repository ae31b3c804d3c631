"""Asking the witnesses: all at once, until the policy's quorum has cosigned.

A slow witness holds up nobody: publication waits for the quorum and a moment longer, not for
everyone, and a witness that has not answered yet is not asked again meanwhile. One that has
two keys, as the policy's lines with one address say, is asked once and answers with two lines.

What a witness answers, and what follows:

    200 and lines      each by a listed key that verifies counts; a bad one spoils the answer,
                       and so does a date that has not come yet
    409 and a size     up to ours: prove from there, and ask again; larger: see below
    422, other 409     it refuses; see below
    404                it does not serve this log
    429                left alone for as long as it says, a minute at most
    anything else      it has not cosigned, and the log goes on without it

A witness that claims to know more of this log than we do, or something else, may be lying. The
log stops only for a checkpoint at its monitoring address that holds our own valid signature.

Spec: c2sp.org/tlog-witness, add-checkpoint, the log's side. Equal sizes with different roots
were 409 without a size before July 2026, and are 422 since.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress

from safeconduct.errors import (
    MalformedError,
    RefusedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.log.ahead import (
    WITNESS_SECONDS,
    Sighting,
    ask_over_http,
    by_url,
    check_sighting,
    look,
    names_of,
)
from safeconduct.parties.log.ahead import Ask as Ask
from safeconduct.plumbing import clock, fetch
from safeconduct.protocol.canonical import decode_text, format_base64, parse_decimal
from safeconduct.protocol.tlog.checkpoint import parse_checkpoint
from safeconduct.protocol.tlog.cosignature import verify_cosignature
from safeconduct.protocol.tlog.merkle import Tree, verify_consistency
from safeconduct.protocol.tlog.note import (
    Note,
    SignatureLine,
    VerifierKey,
    format_note,
    parse_note,
    parse_signature_lines,
    signatures_by,
)
from safeconduct.protocol.tlog.policy import (
    NO_QUORUM,
    Policy,
    WitnessLine,
    logged_by,
    reaches_quorum,
)

Prove = Callable[[int, int], list[bytes]]
"""(old size, new size) to a consistency proof."""
Lines = Mapping[str, SignatureLine]
"""Verified cosignatures, by their witnesses' names in the policy."""

RETRY_SECONDS_MAX = 60.0
FUTURE_SECONDS_MAX = 300
"""How far a witness's clock may be ahead of ours; a false date would stay with the entries."""
_RETRY_SECONDS = 5.0  # for a witness that pushes back and does not say for how long
GRACE_SECONDS = 0.05
"""How long to wait for more cosignatures, once there are enough."""
_SIZE_CONTENT_TYPE = "text/x.tlog.size"
_ATTEMPTS_MAX = 3  # a witness may be moved on by another request of ours while we prove
_OK, _NOT_FOUND, _CONFLICT, _BAD_PROOF, _PUSH_BACK = 200, 404, 409, 422, 429


class Witness:
    """One witness at one address, the size it was last known to hold, and when to ask it."""

    def __init__(
        self, url: str, lines: Sequence[WitnessLine], logs: Sequence[VerifierKey], ask: Ask
    ) -> None:
        self.name = names_of(lines)
        self._url, self._lines, self._logs, self._ask = url, lines, logs, ask
        self._known_size = 0
        self._quiet_until = float("-inf")
        self.seen: Sighting | None = None
        """Evidence that it may be right and we are wrong, until somebody has judged it."""

    @property
    def quiet_seconds(self) -> float:
        """For how long it has asked to be left alone."""
        return max(0.0, self._quiet_until - clock.monotonic())

    def cosign(self, note: Note, tree: Tree, prove: Prove) -> Lines:
        """Its verified cosignatures of `note`, which the log has signed over `tree`.

        Raises:
            SafeconductError: it has not cosigned; the message says why. If it shows a tree
                under our own signature instead, that is in `seen`.
        """
        for _ in range(_ATTEMPTS_MAX):
            body = _request_body(self._known_size, prove(self._known_size, tree.size), note)
            response = self._ask(f"{self._url}/add-checkpoint", body)
            if not _is_size(response):
                return self._take(response, note, tree)
            size = _parse_size(response.body)
            if size > tree.size:
                self._look(note)
                raise UnavailableError(f"claims {size} entries of this log, without evidence")
            self._known_size = size
        raise UnavailableError("names another size each time that it is asked")

    def _take(self, response: fetch.Response, note: Note, tree: Tree) -> Lines:
        if response.status in (_CONFLICT, _BAD_PROOF):
            self._look(note)
            raise RefusedError(f"refuses: {_complaint(response)}")
        if response.status == _NOT_FOUND:
            raise RefusedError("does not serve this log")
        if response.status == _PUSH_BACK:
            self._quiet_until = clock.monotonic() + _retry_seconds(response)
            raise UnavailableError(f"asks to be left alone for {self.quiet_seconds:.0f} s")
        if response.status != _OK:
            raise UnavailableError(_complaint(response))
        lines = self._verify(response.body, note)
        self._known_size = tree.size
        return lines

    def _verify(self, body: bytes, note: Note) -> Lines:
        """The lines by its listed keys, all of which hold; there is one at least."""
        answered = Note(text=note.text, signatures=parse_signature_lines(body))
        found = {}
        for line in self._lines:
            for signature in signatures_by(answered, line.key)[:1]:
                _check_date(verify_cosignature(answered, line.key))
                found[line.name] = signature
        if not found:
            raise UnverifiedError("answered without a cosignature by its listed keys")
        return found

    def _look(self, note: Note) -> None:
        """Look at its monitoring address for a tree under our own signature."""
        origin = parse_checkpoint(note.text).origin
        keys = [key for key in self._logs if key.name == origin]
        # Whatever else it shows there, or whatever it says instead, proves nothing.
        with suppress(SafeconductError):
            self.seen = look(self._url, keys, self._ask) if keys else None


class Quorum:
    """All witnesses of a policy, and the threads that talk to them."""

    def __init__(
        self,
        policy: Policy,
        *,
        ask: Ask = ask_over_http,
        keys: Sequence[VerifierKey] = (),
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        """`keys` are the log's own; without them those that the policy lists are taken."""
        seats = by_url(policy.witnesses)
        names = [line.name for lines in seats.values() for line in lines]
        if policy.quorum == NO_QUORUM or not reaches_quorum(names, policy):
            raise RefusedError(
                "the policy's quorum cannot be reached by the witnesses it gives addresses of",
                hint="add the missing 'witness NAME VKEY URL' lines, or a quorum line",
            )
        logs = tuple(keys) or tuple(line.key for line in policy.logs)
        self._policy, self._grace_seconds = policy, grace_seconds
        self._witnesses = [Witness(url, lines, logs, ask) for url, lines in seats.items()]
        self._threads = ThreadPoolExecutor(len(seats), thread_name_prefix="ask")
        self._asked: dict[Witness, Future[Lines]] = {}

    def cosigned(self, note: Note, tree: Tree, prove: Prove) -> bytes:
        """`note` with enough witnesses' signature lines behind the log's own.

        Raises:
            ConflictError: a witness shows, under our own signature, what contradicts `tree`:
                this log is behind what it has signed, and must stop.
            UnavailableError: too few witnesses have cosigned in time; says who and why.
        """
        self._check_seen(tree, prove)
        deadline = clock.monotonic() + WITNESS_SECONDS
        asked = self._ask_all(note, tree, prove)
        waiting = set(asked.values())
        while waiting and (remaining := deadline - clock.monotonic()) > 0:
            _, waiting = wait(waiting, remaining, return_when=FIRST_COMPLETED)
            if self._is_reached(asked):
                wait(waiting, self._grace_seconds)
                break
        self._check_seen(tree, prove)
        if not self._is_reached(asked):
            raise UnavailableError(f"no quorum: {self._reasons(asked)}")
        return self._with_lines(note, asked)

    def is_reached_by(self, checkpoint: bytes) -> bool:
        """Whether readers with this policy still accept an old checkpoint of ours."""
        try:
            logged_by(parse_note(checkpoint), self._policy)
        except (MalformedError, UnverifiedError):
            return False
        return True

    def close(self) -> None:
        """Let the threads end once they have their answers."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _ask_all(self, note: Note, tree: Tree, prove: Prove) -> dict[Witness, Future[Lines]]:
        asked = {
            witness: self._threads.submit(witness.cosign, note, tree, prove)
            for witness in self._witnesses
            if self._is_free(witness)
        }
        self._asked |= asked
        return asked

    def _check_seen(self, tree: Tree, prove: Prove) -> None:
        """Judge the evidence against ourselves: the one thing that stops the log.

        Here and not where it was found: an answer may come rounds later, when anyone may have
        shown the witness a newer tree of ours.
        """
        for witness in self._witnesses:
            seen, witness.seen = witness.seen, None
            if seen is not None:
                check_sighting(witness.name, seen, tree, lambda old: _begins(old, tree, prove))

    def _is_free(self, witness: Witness) -> bool:
        answered = witness not in self._asked or self._asked[witness].done()
        return answered and not witness.quiet_seconds

    def _is_reached(self, asked: Mapping[Witness, Future[Lines]]) -> bool:
        return reaches_quorum(_cosignatures(asked), self._policy)

    def _with_lines(self, note: Note, asked: Mapping[Witness, Future[Lines]]) -> bytes:
        found = _cosignatures(asked)
        lines = [found[line.name] for line in self._policy.witnesses if line.name in found]
        return format_note(Note(text=note.text, signatures=(*note.signatures, *lines)))

    def _reasons(self, asked: Mapping[Witness, Future[Lines]]) -> str:
        reasons = []
        for witness in self._witnesses:
            future = asked.get(witness) or self._asked[witness]
            if not future.done():
                reasons.append(f"{witness.name} does not answer")
            elif not _succeeded(future):
                reasons.append(f"{witness.name}: {future.exception()!s}")
        return "; ".join(reasons)


def _cosignatures(asked: Mapping[Witness, Future[Lines]]) -> dict[str, SignatureLine]:
    found: dict[str, SignatureLine] = {}
    for future in asked.values():
        found |= future.result() if _succeeded(future) else {}
    return found


def _succeeded(future: Future[Lines]) -> bool:
    """Whether it ended well; whatever a witness provokes, it must not stop the log."""
    return future.done() and not future.cancelled() and future.exception() is None


def _request_body(old_size: int, proof: Sequence[bytes], note: Note) -> bytes:
    lines = [f"old {old_size}", *map(format_base64, proof), "", ""]
    return "\n".join(lines).encode() + format_note(note)


def _check_date(at: int) -> None:
    ahead_seconds = at - clock.seconds()
    if ahead_seconds > FUTURE_SECONDS_MAX:
        raise UnverifiedError(
            f"dates its cosignature {ahead_seconds} s ahead of this machine's clock"
        )


def _is_size(response: fetch.Response) -> bool:
    kind = response.headers.get("content-type", "").split(";")[0].strip()
    return response.status == _CONFLICT and kind == _SIZE_CONTENT_TYPE


def _parse_size(body: bytes) -> int:
    """The size that a witness says it holds."""
    text = decode_text(body, "size")
    if not text.endswith("\n"):
        raise MalformedError("the witness's size is cut short")
    return parse_decimal(text[:-1], "size")


def _retry_seconds(response: fetch.Response) -> float:
    try:
        said = parse_decimal(response.headers.get("retry-after", ""), "retry-after")
    except MalformedError:
        return _RETRY_SECONDS  # absent, or a date: not worth a parser
    return min(said, RETRY_SECONDS_MAX)


def _begins(old: Tree, new: Tree, prove: Prove) -> bool:
    """Whether our tree `new` begins with the smaller tree `old`."""
    try:
        verify_consistency(old, new, prove(old.size, new.size))
    except UnverifiedError:
        return False
    return True


def _complaint(response: fetch.Response) -> str:
    """What it says is wrong. Never the error itself: a witness must not choose its family."""
    try:
        fetch.raise_for(response)
    except SafeconductError as error:
        return error.message
    return f"the server answered {response.status}"
