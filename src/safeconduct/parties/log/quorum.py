"""Asking the witnesses: all at once, until the policy's quorum has cosigned.

A slow witness holds up nobody: publication waits for the quorum and a moment longer, not for
everyone, and a witness that has not answered yet is not asked again meanwhile.

Spec: c2sp.org/tlog-witness, add-checkpoint, the log's side.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from safeconduct.errors import (
    ConflictError,
    MalformedError,
    RefusedError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.plumbing import clock, fetch
from safeconduct.protocol.canonical import decode_text, format_base64, parse_decimal
from safeconduct.protocol.tlog.cosignature import verify_cosignature
from safeconduct.protocol.tlog.merkle import Tree
from safeconduct.protocol.tlog.note import (
    Note,
    SignatureLine,
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

WITNESS_SECONDS = 5.0
_GRACE_SECONDS = 0.05  # for more cosignatures, once there are enough
_ANSWER_BYTES_MAX = 64 << 10
_SIZE_CONTENT_TYPE = "text/x.tlog.size"
_ATTEMPTS_MAX = 3  # a witness may be moved on by another request of ours while we prove


class Witness:
    """One witness, and the size that it was last known to hold."""

    def __init__(self, line: WitnessLine) -> None:
        self.line = line
        self._known_size = 0

    def ask(self, note: Note, tree: Tree, prove: Prove) -> SignatureLine:
        """Its verified cosignature of `note`, which the log has signed over `tree`.

        Raises:
            ConflictError: it has cosigned a larger tree of this log than we have.
            UnverifiedError: it answered with something else than its cosignature.
            UnavailableError: it does not answer.
        """
        for _ in range(_ATTEMPTS_MAX):
            proof = prove(self._known_size, tree.size)
            response = fetch.request(
                "POST",
                f"{self.line.url}/add-checkpoint",
                _request_body(self._known_size, proof, note),
                bytes_max=_ANSWER_BYTES_MAX,
                seconds=WITNESS_SECONDS,
            )
            if not _is_size(response):
                break
            self._known_size = _larger_size(response, tree)
        fetch.raise_for(response)
        cosignature = self._cosignature(response, note)
        self._known_size = tree.size
        return cosignature

    def _cosignature(self, response: fetch.Response, note: Note) -> SignatureLine:
        answered = Note(text=note.text, signatures=parse_signature_lines(response.body))
        verify_cosignature(answered, self.line.key)
        return signatures_by(answered, self.line.key)[0]


class Quorum:
    """All witnesses of a policy, and the threads that talk to them."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._witnesses = [Witness(line) for line in policy.witnesses if line.url]
        names = [witness.line.name for witness in self._witnesses]
        if policy.quorum == NO_QUORUM or not reaches_quorum(names, policy):
            raise RefusedError(
                "the policy's quorum cannot be reached by the witnesses it gives addresses of",
                hint="add the missing 'witness NAME VKEY URL' lines, or a quorum line",
            )
        self._threads = ThreadPoolExecutor(max_workers=len(names), thread_name_prefix="ask")
        self._asked: dict[str, Future[SignatureLine]] = {}

    def cosigned(self, note: Note, tree: Tree, prove: Prove) -> bytes:
        """`note` with enough witnesses' signature lines behind the log's own.

        Raises:
            UnavailableError: too few witnesses have cosigned in time; says who and why.
        """
        deadline = clock.monotonic() + WITNESS_SECONDS
        asked = self._ask_all(note, tree, prove)
        waiting = set(asked.values())
        while waiting and clock.monotonic() < deadline:
            remaining = deadline - clock.monotonic()
            _, waiting = wait(waiting, max(0, remaining), return_when=FIRST_COMPLETED)
            if self._is_reached(asked):
                wait(waiting, _GRACE_SECONDS)
                return _with_lines(note, self._lines(asked))
        raise UnavailableError(f"no quorum: {self._reasons(asked)}")

    def is_reached_by(self, checkpoint: bytes) -> bool:
        """Whether readers with this policy still accept an old checkpoint of ours."""
        try:
            logged_by(parse_note(checkpoint), self._policy)
        except UnverifiedError:
            return False
        return True

    def close(self) -> None:
        """Let the threads end once they have their answers."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _ask_all(
        self, note: Note, tree: Tree, prove: Prove
    ) -> dict[str, Future[SignatureLine]]:
        asked = {}
        for witness in self._witnesses:
            name = witness.line.name
            if name not in self._asked or self._asked[name].done():
                asked[name] = self._threads.submit(witness.ask, note, tree, prove)
        self._asked |= asked
        return asked

    def _is_reached(self, asked: dict[str, Future[SignatureLine]]) -> bool:
        return reaches_quorum([name for name in asked if _succeeded(asked[name])], self._policy)

    def _lines(self, asked: dict[str, Future[SignatureLine]]) -> list[SignatureLine]:
        return [future.result() for future in asked.values() if _succeeded(future)]

    def _reasons(self, asked: dict[str, Future[SignatureLine]]) -> str:
        reasons = []
        for witness in self._witnesses:
            future = asked.get(witness.line.name)
            if future is None or not future.done():
                reasons.append(f"{witness.line.name} does not answer")
            elif not _succeeded(future):
                reasons.append(f"{witness.line.name}: {future.exception()!s}")
        return "; ".join(reasons)


def _succeeded(future: Future[SignatureLine]) -> bool:
    """Whether it ended well; whatever a witness provokes, it must not stop the log."""
    return future.done() and future.exception() is None


def _request_body(old_size: int, proof: Sequence[bytes], note: Note) -> bytes:
    lines = [f"old {old_size}", *map(format_base64, proof), "", ""]
    return "\n".join(lines).encode() + format_note(note)


def _is_size(response: fetch.Response) -> bool:
    kind = response.headers.get("content-type", "").split(";")[0].strip()
    return response.status == 409 and kind == _SIZE_CONTENT_TYPE


def _larger_size(response: fetch.Response, tree: Tree) -> int:
    """The size the witness holds, from which we can prove."""
    text = decode_text(response.body, "size")
    if not text.endswith("\n"):
        raise MalformedError("the witness's size is cut short")
    size = parse_decimal(text[:-1], "size")
    if size > tree.size:
        raise ConflictError(
            f"it has cosigned {size} entries, but this log has {tree.size}",
            hint="a log restored from a backup never continues: found a new one",
        )
    return size


def _with_lines(note: Note, lines: Sequence[SignatureLine]) -> bytes:
    return format_note(Note(text=note.text, signatures=(*note.signatures, *lines)))
