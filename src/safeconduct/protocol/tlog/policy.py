"""Policies: which logs and witnesses count, and when enough of them have spoken.

    log <vkey> [<url>]                        any one key named like the origin must have signed
    witness <name> <vkey> [<url>]             the name holds within this file only
    group <name> <k>|any|all <member>...      reached once k members are
    quorum <name>|none                        exactly one such line

A log key is of type ED25519 or MLDSA44, a witness key of type COSIGNATURE or MLDSA44. Lines of
one origin are keys of one log. A witness that has keys of both types has two lines, and a group
`all` of the two where both are asked for.

Members are witnesses and groups of lines above. Each is a member once at most, so the groups
form trees and no witness is counted twice. `#` opens a comment only at the beginning of a line.

The *logged-by time* of a checkpoint is the least instant T such that the cosignatures dated T
or earlier already reach the quorum. No party's own clock counts in it. One witness of the
quorum can date a tree of long ago today, and so move this time; whether a tree is *still* the
largest is therefore judged by `vouched_at`, the latest T such that the cosignatures dated T or
later reach the quorum.

Spec: c2sp.org/tlog-policy; docs/3-protocol.md for the logged-by time.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.canonical import decode_text, parse_decimal
from safeconduct.protocol.tlog.checkpoint import Checkpoint, parse_checkpoint
from safeconduct.protocol.tlog.cosignature import (
    COSIGNERS,
    LOG_SIGNERS,
    verify_cosignature,
    verify_log,
)
from safeconduct.protocol.tlog.merkle import Tree, leaf_hash, verify_inclusion
from safeconduct.protocol.tlog.note import (
    Note,
    VerifierKey,
    format_vkey,
    parse_note,
    parse_vkey,
    signatures_by,
)
from safeconduct.protocol.tlog.proof import parse_proof

POLICY_BYTES_MAX = 1 << 18
POLICY_LINES_MAX = 1_024
NO_QUORUM = "none"
"""The quorum that asks for no witness."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A key of a log, of type ED25519 or MLDSA44, named like the log's origin."""

    key: VerifierKey
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessLine:
    """A key of a witness, of type COSIGNATURE or MLDSA44."""

    name: str
    key: VerifierKey
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLine:
    """Reached once `threshold` of its members, witnesses or earlier groups, are."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Whom to trust; `quorum` names a witness, a group, or `NO_QUORUM`."""

    logs: tuple[LogLine, ...] = ()
    witnesses: tuple[WitnessLine, ...] = ()
    groups: tuple[GroupLine, ...] = ()
    quorum: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigned:
    """A checkpoint that a listed log signed and a quorum of witnesses dated."""

    checkpoint: Checkpoint
    logged_by: int
    """POSIX seconds."""
    vouched_at: int
    """POSIX seconds: the latest at which the quorum still knew of no larger tree."""
    cosignatures: tuple[tuple[str, int], ...]
    """(witness, POSIX seconds) of every known witness, earliest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """Entry `index` of the log `origin` existed by `logged_by`, in POSIX seconds."""

    origin: str
    index: int
    tree: Tree
    logged_by: int


def parse_policy(data: bytes) -> Policy:
    """The policy in a file.

    Raises:
        MalformedError: too long, not UTF-8, a line of another form, a key of the wrong type or
            used twice, a name defined twice, used before its line or a member twice, or not
            exactly one quorum.
    """
    draft = _Draft()
    for number, line in enumerate(_split_lines(data), 1):
        # Only the ASCII blank parts words: names are free to hold any other character.
        words = [word for word in line.split(" ") if word]
        try:
            _read_line(draft, words)
        except MalformedError as error:
            raise MalformedError(f"policy line {number}: {error.message}") from error
    if draft.quorum is None:
        raise MalformedError("policy: no quorum line")
    return Policy(
        logs=tuple(draft.logs),
        witnesses=tuple(draft.witnesses),
        groups=tuple(draft.groups),
        quorum=draft.quorum,
    )


def format_policy(policy: Policy) -> bytes:
    """The policy's canonical file, which `parse_policy` gives back as it was.

    Logs come first, then witnesses, groups and the quorum, without comments.
    """
    lines = [
        *(["log", format_vkey(log.key), *_given(log.url)] for log in policy.logs),
        *(["witness", w.name, format_vkey(w.key), *_given(w.url)] for w in policy.witnesses),
        *(["group", g.name, _format_threshold(g), *g.members] for g in policy.groups),
        ["quorum", policy.quorum],
    ]
    data = "".join(" ".join(words) + "\n" for words in lines).encode()
    assert parse_policy(data) == policy, "policy: a field cannot be written"
    return data


def logged_by(note: Note, policy: Policy) -> int:
    """The least POSIX second T such that the cosignatures dated T or earlier reach the quorum.

    Raises:
        UnverifiedError: a known witness's cosignature is bad or doubled, the quorum is not
            reached, or the policy asks for none, so that nothing would date the note.
    """
    return _least_time(_cosignatures(note, policy), policy)


def open_checkpoint(data: bytes, policy: Policy, origin: str | None = None) -> Cosigned:
    """The checkpoint in a note, once a listed log has signed it and the quorum has dated it.

    Raises:
        MalformedError: not a note, or its text is no checkpoint.
        UnverifiedError: another origin than asked for, no signature by a listed log of that
            origin, a bad one by any listed key, or no quorum.
    """
    note = parse_note(data)
    checkpoint = parse_checkpoint(note.text)
    if origin is not None and checkpoint.origin != origin:
        raise UnverifiedError(f"checkpoint: of {checkpoint.origin}, not of {origin}")
    _verify_log(note, checkpoint.origin, policy)
    cosignatures = _cosignatures(note, policy)
    return Cosigned(
        checkpoint=checkpoint,
        logged_by=_least_time(cosignatures, policy),
        vouched_at=_latest_time(cosignatures, policy),
        cosignatures=cosignatures,
    )


def verify_proof(
    proof_bytes: bytes, entry: bytes, policy: Policy, origin: str | None = None
) -> Logged:
    """Where and by when `entry` was logged.

    Raises:
        MalformedError: not a proof.
        UnverifiedError: as for `open_checkpoint`, or the entry is not at that index.

    Spec: c2sp.org/tlog-proof, "Verification".
    """
    proof = parse_proof(proof_bytes)
    opened = open_checkpoint(proof.checkpoint, policy, origin)
    tree = opened.checkpoint.tree
    verify_inclusion(leaf_hash(entry), proof.index, proof.hashes, tree)
    return Logged(
        origin=opened.checkpoint.origin,
        index=proof.index,
        tree=tree,
        logged_by=opened.logged_by,
    )


def reaches_quorum(witnesses: Iterable[str], policy: Policy) -> bool:
    """Whether these witnesses, by their names in the policy, are enough."""
    reached = set(witnesses)
    # Groups name earlier lines only, so one pass in order settles them all.
    for group in policy.groups:
        if sum(member in reached for member in group.members) >= group.threshold:
            reached.add(group.name)
    return policy.quorum == NO_QUORUM or policy.quorum in reached


def _cosignatures(note: Note, policy: Policy) -> tuple[tuple[str, int], ...]:
    """(witness, time), earliest first; a bad line of a known witness spoils the note."""
    found = [
        (verify_cosignature(note, witness.key), witness.name)
        for witness in policy.witnesses
        if signatures_by(note, witness.key)
    ]
    return tuple((name, at) for at, name in sorted(found))


def _least_time(cosignatures: tuple[tuple[str, int], ...], policy: Policy) -> int:
    if policy.quorum == NO_QUORUM:
        raise UnverifiedError("policy: its quorum is none, so no witness dates the checkpoint")
    for latest in sorted({at for _, at in cosignatures}):
        if reaches_quorum((name for name, at in cosignatures if at <= latest), policy):
            return latest
    raise UnverifiedError("checkpoint: its cosignatures do not reach the policy's quorum")


def _latest_time(cosignatures: tuple[tuple[str, int], ...], policy: Policy) -> int:
    """The latest second T such that the cosignatures dated T or later reach the quorum."""
    times = sorted({at for _, at in cosignatures}, reverse=True)
    return next(
        earliest
        for earliest in times
        if reaches_quorum((name for name, at in cosignatures if at >= earliest), policy)
    )


def _verify_log(note: Note, origin: str, policy: Policy) -> None:
    signers = [log.key for log in policy.logs if signatures_by(note, log.key)]
    for key in signers:
        verify_log(note, key)
    if origin not in {key.name for key in signers}:
        raise UnverifiedError(f"checkpoint: no listed log called {origin} signed it")


def _split_lines(data: bytes) -> list[str]:
    if len(data) > POLICY_BYTES_MAX:
        raise MalformedError(f"policy: longer than {POLICY_BYTES_MAX} bytes")
    # The standard takes bytes above 0x7F as they come. Ours must be UTF-8: names end up in
    # reports, and bytes that no terminal can show would be one more way to mislead a reader.
    *lines, rest = decode_text(data.replace(b"\t", b" "), "policy").split("\n")
    if rest:
        raise MalformedError("policy: last line cut short")
    if len(lines) > POLICY_LINES_MAX:
        raise MalformedError(f"policy: more than {POLICY_LINES_MAX} lines")
    return lines


@dataclass(slots=True)
class _Draft:
    """What the lines read so far have defined."""

    logs: list[LogLine] = field(default_factory=list)
    witnesses: list[WitnessLine] = field(default_factory=list)
    groups: list[GroupLine] = field(default_factory=list)
    quorum: str | None = None
    names: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)
    keys: set[bytes | tuple[str, bytes]] = field(default_factory=set)

    def define(self, name: str) -> str:
        if name == NO_QUORUM or name in self.names:
            raise MalformedError(f"the name {name} is taken")
        self.names.add(name)
        return name

    def use(self, name: str) -> str:
        if name not in self.names:
            raise MalformedError(f"{name} is not defined on a line above")
        return name

    def join(self, name: str) -> str:
        if name in self.members:
            raise MalformedError(f"{name} is a member already")
        self.members.add(self.use(name))
        return name

    def key(self, vkey: str, algorithms: tuple[int, ...]) -> VerifierKey:
        key = parse_vkey(vkey)
        if key.algorithm not in algorithms:
            kinds = " or ".join(f"{algorithm:#04x}" for algorithm in algorithms)
            raise MalformedError(f"a key of type {kinds} belongs here")
        # Stricter than the standard by one point: a log's raw key is no witness's either, for
        # a log that witnesses itself adds nothing.
        if not self.keys.isdisjoint({key.public, (key.name, key.key_id)}):
            raise MalformedError("the key, or another of its name and ID, is listed already")
        self.keys |= {key.public, (key.name, key.key_id)}
        return key


def _read_line(draft: _Draft, words: list[str]) -> None:
    if not words or words[0].startswith("#"):
        return
    keyword, *values = words
    if keyword not in _LINES:
        raise MalformedError("unknown keyword")
    least, most, read = _LINES[keyword]
    if not least <= len(values) <= most:
        raise MalformedError(f"{len(values)} words after {keyword}")
    read(draft, values)


def _read_log(draft: _Draft, values: list[str]) -> None:
    vkey, *url = values
    draft.logs.append(LogLine(key=draft.key(vkey, LOG_SIGNERS), url=url[0] if url else None))


def _read_witness(draft: _Draft, values: list[str]) -> None:
    name, vkey, *url = values
    key = draft.key(vkey, COSIGNERS)
    draft.witnesses.append(
        WitnessLine(name=draft.define(name), key=key, url=url[0] if url else None)
    )


def _read_group(draft: _Draft, values: list[str]) -> None:
    name, threshold, *names = values
    # Members come before the name, so that a group cannot name itself.
    members = tuple(map(draft.join, names))
    draft.groups.append(
        GroupLine(
            name=draft.define(name),
            threshold=_parse_threshold(threshold, len(members)),
            members=members,
        )
    )


def _read_quorum(draft: _Draft, values: list[str]) -> None:
    if draft.quorum is not None:
        raise MalformedError("a second quorum")
    (name,) = values
    draft.quorum = name if name == NO_QUORUM else draft.use(name)


_LINES: dict[str, tuple[int, int, Callable[[_Draft, list[str]], None]]] = {
    "log": (1, 2, _read_log),
    "witness": (2, 3, _read_witness),
    "group": (3, 2 + POLICY_LINES_MAX, _read_group),
    "quorum": (1, 1, _read_quorum),
}
"""keyword: least and most words after it, and what they define."""


def _parse_threshold(word: str, members: int) -> int:
    words = {"any": 1, "all": members}
    threshold = words[word] if word in words else parse_decimal(word, "threshold")
    if not 1 <= threshold <= members:
        raise MalformedError(f"a threshold of {threshold} for {members} members")
    return threshold


def _given(url: str | None) -> list[str]:
    return [] if url is None else [url]


def _format_threshold(group: GroupLine) -> str:
    words = {len(group.members): "all", 1: "any"}
    return words.get(group.threshold, str(group.threshold))
