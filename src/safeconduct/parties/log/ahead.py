"""Ahead: whether the witnesses have seen more of this log than this log knows of itself.

A log that was restored from a backup does not know what it has signed since. Signing again
would fork it, so before its first signature after a start it asks every witness what that one
saw last:

    a tree of ours, larger than what we signed last         this folder is behind: stop
    a tree of ours that ours does not begin with            there are two histories: stop
    a tree of ours that ours begins with, or 404            has answered
    anything else, or nothing                               has not answered: ask again

*Of ours* means: under our own valid signature, which nobody else can make. So a lying witness
can stop no log; it can only stay silent about what it saw, which is what the quorum is for.

Spec: c2sp.org/tlog-witness, "checkpoint" (the monitoring endpoint).
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeAlias

from safeconduct.errors import ConflictError, UnavailableError, UnverifiedError
from safeconduct.plumbing import fetch
from safeconduct.protocol.tlog.checkpoint import parse_checkpoint
from safeconduct.protocol.tlog.cosignature import verify_log
from safeconduct.protocol.tlog.merkle import Tree
from safeconduct.protocol.tlog.note import (
    NOTE_BYTES_MAX,
    Note,
    SignatureLine,
    VerifierKey,
    parse_note,
    signatures_by,
)
from safeconduct.protocol.tlog.policy import Policy, WitnessLine, reaches_quorum

Ask: TypeAlias = Callable[[str, bytes | None], fetch.Response]
"""(address, body to POST or None to GET) to the answer, whatever its status."""

WITNESS_SECONDS = 5.0
ANSWER_BYTES_MAX = NOTE_BYTES_MAX
REPAIR_HINT = "safeconduct log repair --from-mirror URL takes up what is missing"
_OK, _MISSING = 200, 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A tree under our own signature, and the note with it as a witness showed it."""

    tree: Tree
    note: bytes


def ask_over_http(url: str, body: bytes | None) -> fetch.Response:
    """The answer of a witness, of at most `ANSWER_BYTES_MAX` bytes, in `WITNESS_SECONDS`.

    Raises:
        MalformedError: longer, compressed, or no http(s) address.
        UnavailableError: not reached, or too slow.
    """
    method, sent = ("GET", b"") if body is None else ("POST", body)
    return fetch.request(method, url, sent, bytes_max=ANSWER_BYTES_MAX, seconds=WITNESS_SECONDS)


def by_url(witnesses: Iterable[WitnessLine]) -> dict[str, list[WitnessLine]]:
    """The witnesses that have an address, by it: one with two keys has two lines."""
    found: dict[str, list[WitnessLine]] = {}
    for line in witnesses:
        if line.url:
            found.setdefault(line.url.rstrip("/"), []).append(line)
    return found


def names_of(lines: Iterable[WitnessLine]) -> str:
    """How a witness is called where people read of it."""
    return "/".join(line.name for line in lines)


def look(url: str, keys: Sequence[VerifierKey], ask: Ask) -> Sighting | None:
    """What the witness at `url` saw last of the log that has `keys`; None if nothing.

    Raises:
        MalformedError, UnverifiedError: it shows something that this log did not sign.
        UnavailableError: it does not answer.
    """
    name = sha256(keys[0].name.encode()).hexdigest()
    response = ask(f"{url}/{name}/checkpoint", None)
    if response.status == _MISSING:
        return None
    fetch.raise_for(response)
    if response.status != _OK:
        raise UnverifiedError(f"it answered {response.status}, not a checkpoint")
    return _read_ours(response.body, keys)


def check_sighting(
    name: str, seen: Sighting, signed: Tree, begins: Callable[[Tree], bool] | None
) -> None:
    """Ensure that what witness `name` shows is `signed`, or its beginning.

    `begins` says whether a smaller tree begins ours; without it that is not looked at.

    Raises:
        ConflictError: this log is behind what it has signed, or has signed two histories.
    """
    theirs, ours = f"{seen.tree.size} entries", f"{signed.size} entries"
    shows = f"{name} shows {theirs} under this log's own signature"
    if seen.tree.size > signed.size:
        reason = (
            f"{shows}, but this folder has signed only {ours}: "
            "it was restored from a backup, or a second log runs under this key"
        )
    elif seen.tree.size == signed.size:
        same = seen.tree.root_hash == signed.root_hash
        reason = "" if same else f"{shows}, but this folder has signed {ours} with another root"
    else:
        joined = begins is None or begins(seen.tree)
        reason = "" if joined else f"{shows} that do not begin the {ours} of this folder"
    if reason:
        raise ConflictError(reason, evidence=(seen.note,), hint=REPAIR_HINT)


class Lookout:
    """All witnesses of a policy, to be asked before a log signs anything."""

    def __init__(
        self,
        policy: Policy,
        keys: Sequence[VerifierKey],
        ask: Ask = ask_over_http,
        *,
        prefix: Callable[[int], bytes] | None = None,
    ) -> None:
        """`keys` are the log's own; `prefix` gives its root hash at any smaller size."""
        self._policy, self._keys, self._ask, self._prefix = policy, keys, ask, prefix
        self._seats = by_url(policy.witnesses)

    def confirm(self, signed: Tree) -> None:
        """Ensure that no witness has seen what contradicts `signed`, as far as a quorum knows.

        Takes `WITNESS_SECONDS` at most, and all witnesses are asked at once.

        Raises:
            ConflictError: the log must never sign again from this folder as it is.
            UnavailableError: too few witnesses have answered; ask again later.
        """
        asked = self._ask_all()
        for url, lines in self._seats.items():
            seen = asked[url].result() if _has_answered(asked[url]) else None
            if seen is not None:
                check_sighting(names_of(lines), seen, signed, self._begins())
        if not self._suffices(asked):
            raise UnavailableError(
                f"too few witnesses say what they saw of this log: {self._silence(asked)}",
                hint="nothing is signed before they do; start them, or wait",
            )

    def _ask_all(self) -> dict[str, Future[Sighting | None]]:
        """All answers that come in time, also after enough: a slow one may know more.

        They are asked once at a start, and what they can prevent cannot be mended.
        """
        threads = ThreadPoolExecutor(max(1, len(self._seats)), thread_name_prefix="look")
        asked = {url: threads.submit(look, url, self._keys, self._ask) for url in self._seats}
        wait(asked.values(), WITNESS_SECONDS)
        threads.shutdown(wait=False, cancel_futures=True)
        return asked

    def _suffices(self, asked: dict[str, Future[Sighting | None]]) -> bool:
        seats = [lines for url, lines in self._seats.items() if _has_answered(asked[url])]
        return reaches_quorum([line.name for lines in seats for line in lines], self._policy)

    def _begins(self) -> Callable[[Tree], bool] | None:
        prefix = self._prefix
        return None if prefix is None else lambda tree: prefix(tree.size) == tree.root_hash

    def _silence(self, asked: dict[str, Future[Sighting | None]]) -> str:
        """Who has not answered, and why."""
        reasons = []
        for url, lines in self._seats.items():
            if not asked[url].done() or asked[url].cancelled():
                reasons.append(f"{names_of(lines)} does not answer")
            elif not _has_answered(asked[url]):
                reasons.append(f"{names_of(lines)}: {asked[url].exception()!s}")
        return "; ".join(reasons)


def _has_answered(asked: Future[Sighting | None]) -> bool:
    """Whether it ended well; whatever else a witness provokes is not an answer."""
    return asked.done() and not asked.cancelled() and asked.exception() is None


def _read_ours(data: bytes, keys: Sequence[VerifierKey]) -> Sighting:
    note = parse_note(data)
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != keys[0].name:
        raise UnverifiedError("it shows another log's checkpoint")
    # One good line is enough: a bad one beside it may be anybody's, and must hide nothing.
    claimed = [(line, key) for key in keys for line in signatures_by(note, key)]
    if not any(_holds(note.text, line, key) for line, key in claimed):
        raise UnverifiedError("it shows a checkpoint that this log did not sign")
    return Sighting(tree=checkpoint.tree, note=data)


def _holds(text: str, line: SignatureLine, key: VerifierKey) -> bool:
    try:
        verify_log(Note(text=text, signatures=(line,)), key)
    except UnverifiedError:
        return False
    return True
