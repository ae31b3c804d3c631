"""A log's histories and its witnesses, honest or not, in this process and without a network."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from safeconduct.errors import UnavailableError
from safeconduct.parties.log.quorum import Ask
from safeconduct.plumbing.fetch import Response
from safeconduct.protocol.canonical import parse_base64
from safeconduct.protocol.tlog.checkpoint import Checkpoint, format_checkpoint, parse_checkpoint
from safeconduct.protocol.tlog.cosignature import cosign, sign_as_log
from safeconduct.protocol.tlog.merkle import (
    EMPTY_ROOT,
    Frontier,
    Subtree,
    Tree,
    consistency_proof,
    leaf_hash,
    root,
    verify_consistency,
)
from safeconduct.protocol.tlog.note import (
    MLDSA44,
    Note,
    SigningKey,
    VerifierKey,
    format_note,
    format_signature_line,
    parse_note,
)
from safeconduct.protocol.tlog.policy import GroupLine, LogLine, Policy, WitnessLine

ORIGIN = "log.example/ledger"
LOG_KEYS = (
    SigningKey(name=ORIGIN, seed=b"log".ljust(32, b"-")),
    SigningKey(name=ORIGIN, seed=b"log-pq".ljust(32, b"-"), algorithm=MLDSA44),
)
VERIFIERS: tuple[VerifierKey, ...] = tuple(key.verifier() for key in LOG_KEYS)
NAMES = ("anna", "boris", "clara")
AT = 1_790_000_000
SIZE_TYPE = {"content-type": "text/x.tlog.size"}

Serve = Callable[[str, bytes | None], Response]
"""(path, body or None) to a witness's answer."""


class History:
    """What a log under our keys might have grown into; `kind` tells histories apart."""

    def __init__(self, size: int, kind: str = "true", shared: int = 0) -> None:
        """The first `shared` entries are those of every history."""
        entries = [f"{'true' if i < shared else kind} {i}".encode() for i in range(size)]
        _, self._filled = Frontier.empty().extend([leaf_hash(entry) for entry in entries])

    def read(self, subtrees: "list[Subtree]") -> list[bytes]:
        return [self._filled[subtree] for subtree in subtrees]

    def tree(self, size: int) -> Tree:
        return Tree(size=size, root_hash=root(size, lambda s: self.read(list(s))))

    def prove(self, old_size: int, new_size: int) -> list[bytes]:
        return consistency_proof(old_size, new_size, lambda s: self.read(list(s)))

    def note(self, size: int, keys: tuple[SigningKey, ...] = LOG_KEYS) -> Note:
        text = format_checkpoint(Checkpoint(origin=ORIGIN, tree=self.tree(size)))
        return Note(text=text, signatures=tuple(sign_as_log(text, key, AT) for key in keys))

    def shown(self, size: int, keys: tuple[SigningKey, ...] = LOG_KEYS) -> bytes:
        return format_note(self.note(size, keys))


@dataclass
class Honest:
    """A witness that does what the standard says, by one key or by two."""

    keys: tuple[SigningKey, ...]
    tree: Tree = field(default_factory=lambda: Tree(size=0, root_hash=EMPTY_ROOT))
    latest: bytes = b""
    asked: int = 0

    def __call__(self, path: str, body: bytes | None) -> Response:
        if body is None:
            assert path == f"/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint"
            return Response(status=200 if self.latest else 404, body=self.latest)
        self.asked += 1
        assert path == "/add-checkpoint"
        head, _, data = body.partition(b"\n\n")
        old, *hashes = head.decode().split("\n")
        note = parse_note(data)
        tree = parse_checkpoint(note.text).tree
        if old != f"old {self.tree.size}":
            return Response(status=409, headers=SIZE_TYPE, body=b"%d\n" % self.tree.size)
        try:
            verify_consistency(self.tree, tree, [parse_base64(line, "hash") for line in hashes])
        except Exception as error:
            return Response(status=422, body=f"error: {error}\n".encode())
        self.tree, self.latest = tree, data
        return Response(status=200, body=lines(note.text, *self.keys))


@dataclass
class Town:
    """Witnesses by name; each can be replaced by any answer, and every request is counted."""

    serve: dict[str, Serve] = field(default_factory=dict)
    requests: list[tuple[str, str, bytes | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in NAMES:
            self.serve.setdefault(name, Honest(keys=(key_of(name),)))

    @property
    def ask(self) -> Ask:
        def ask(url: str, body: bytes | None) -> Response:
            name, _, path = url.removeprefix("http://").partition("/")
            self.requests.append((name, f"/{path}", body))
            if name not in self.serve:
                raise UnavailableError("cannot be reached")
            return self.serve[name](f"/{path}", body)

        return ask

    def posts(self, name: str) -> int:
        """How many times a witness was asked to cosign."""
        return sum(body is not None for at, _, body in self.requests if at == name)


def always(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Serve:
    """A witness that gives one answer, whatever the question."""
    return lambda path, sent: Response(status=status, body=body, headers=headers or {})


def posts_and_gets(post: Response, get: Response) -> Serve:
    """A witness with one answer to add-checkpoint, and one at its monitoring address."""
    return lambda path, sent: get if sent is None else post


def key_of(name: str, algorithm: int | None = None) -> SigningKey:
    """The Ed25519 key of a witness, or its key of another algorithm."""
    key = SigningKey(name=f"{name}.example", seed=name.encode().ljust(32, b"-"))
    if algorithm is None:
        return key
    return SigningKey(name=f"{name}.example/pq", seed=key.seed, algorithm=algorithm)


def witness(name: str, key: SigningKey | None = None, host: str = "") -> WitnessLine:
    """The policy's line of a witness."""
    cosigner = (key or key_of(name)).cosigner()
    return WitnessLine(name=name, key=cosigner, url=f"http://{host or name}")


def two_of_three(logs: Sequence[VerifierKey] = VERIFIERS) -> Policy:
    """Two of anna, boris and clara are a quorum."""
    return Policy(
        logs=tuple(LogLine(key=key) for key in logs),
        witnesses=tuple(map(witness, NAMES)),
        groups=(GroupLine(name="two", threshold=2, members=NAMES),),
        quorum="two",
    )


def lines(text: str, *keys: SigningKey, at: int = AT) -> bytes:
    """A witness's answer: its cosignatures of a checkpoint's text."""
    return "".join(format_signature_line(cosign(text, key, at)) for key in keys).encode()
