"""Two readings of the same: ours, and a second one, plain and slow, that knows the standard.

Where one accepts what the other refuses, or reads another value, two honest outsiders could be
told different things by the same file.
"""

import base64
import re
from collections.abc import Callable
from hashlib import sha256
from random import Random

import pytest
from tests.fuzz.mutations import damaged
from tests.fuzz.test_fuzz_parsers import LONG, fuzz, seeds

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.parties.witness.request import parse_request
from safeconduct.protocol.tlog.checkpoint import Checkpoint, format_checkpoint, parse_checkpoint
from safeconduct.protocol.tlog.cosignature import sign_as_log
from safeconduct.protocol.tlog.fork import Fork, ForkProof, verify_fork
from safeconduct.protocol.tlog.merkle import Frontier, Tree, root, verify_consistency
from safeconduct.protocol.tlog.note import Note, SigningKey, format_note, parse_note
from safeconduct.protocol.tlog.proof import parse_proof
from safeconduct.protocol.tlog.tile import (
    Tile,
    hash_reader,
    parse_bundle,
    parse_tile_path,
    tiles_of,
)

pytestmark = pytest.mark.timeout(0 if LONG else 900)

LOG = SigningKey(name="log.example/fuzz", seed=b"\x46" * 32)

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\ufeff]")
_NOTE = re.compile(r"(.*\n)\n((?:— [^\n]*\n){1,100})", re.DOTALL)
_LINE = re.compile(r"— ([^\s+]+) ((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2,3}={1,2})?)")
_DECIMAL = r"(0|[1-9][0-9]{0,18})"
_HASH = r"([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=)"
_CHECKPOINT = re.compile(rf"([^\n]+)\n{_DECIMAL}\n{_HASH}\n((?:[^\n]+\n)*)")
_PROOF = re.compile(
    rf"c2sp\.org/tlog-proof@v1\n(?:extra ([A-Za-z0-9+/=]+)\n)?index {_DECIMAL}\n"
    rf"((?:{_HASH}\n){{0,63}})\n(.*)",
    re.DOTALL,
)


def text_of(data: bytes) -> str | None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return None if _CONTROL.search(text) else text


def bytes_of(encoded: str) -> bytes | None:
    if len(encoded) % 4:
        return None
    decoded = base64.b64decode(encoded)
    return decoded if base64.b64encode(decoded).decode() == encoded else None


def note_again(data: bytes) -> object:
    text = text_of(data)
    found = _NOTE.fullmatch(text) if text is not None else None
    if not found:
        return None
    lines = []
    for line in found[2].split("\n")[:-1]:
        parts = _LINE.fullmatch(line)
        blob = bytes_of(parts[2]) if parts else None
        if parts is None or blob is None or len(blob) < 5:
            return None
        lines.append((parts[1], blob[:4], blob[4:]))
    return found[1], lines


def note_here(data: bytes) -> object:
    note = parse_note(data)
    return note.text, [(line.name, line.key_id, line.blob) for line in note.signatures]


def checkpoint_again(data: bytes) -> object:
    text = text_of(data)
    found = _CHECKPOINT.fullmatch(text) if text is not None else None
    if not found or int(found[2]) >= 2**63 or len(found[1].encode()) > 255:
        return None
    extensions = found[4].split("\n")[:-1]
    return found[1], int(found[2]), base64.b64decode(found[3]), extensions


def checkpoint_here(data: bytes) -> object:
    checkpoint = parse_checkpoint(data.decode("utf-8", "surrogateescape"))
    tree = checkpoint.tree
    return checkpoint.origin, tree.size, tree.root_hash, list(checkpoint.extensions)


def path_again(data: bytes) -> object:
    """By trying: the one index that is written like this, or none."""
    parts = data.decode("utf-8", "replace").split("/")
    head, level, *rest = [*parts, "", ""][: max(len(parts), 2)]
    width = 256
    if len(rest) > 1 and rest[-2].endswith(".p"):
        partial = rest.pop()
        rest[-1] = rest[-1].removesuffix(".p")
        width = int(partial) if re.fullmatch("[1-9][0-9]{0,2}", partial) else 0
        if not 0 < width < 256:
            return None
    digits = "".join(rest).replace("x", "")
    levels = {"entries": -1, **{str(number): number for number in range(8)}}
    if head != "tile" or level not in levels or not re.fullmatch("[0-9]{1,40}", digits):
        return None
    index = int(digits)
    groups = list[str]()
    while True:
        index, group = divmod(index, 1000)
        groups.insert(0, f"{'x' if groups else ''}{group:03}")
        if index == 0:
            break
    beyond = (int(digits) * 256 + width) * 256 ** max(levels[level], 0) >= 2**63
    return None if beyond or groups != rest else (levels[level], int(digits), width)


def path_here(data: bytes) -> object:
    tile = parse_tile_path(data.decode("utf-8", "replace"))
    return tile.level, tile.index, tile.width


def bundle_again(data: bytes) -> object:
    entries = list[bytes]()
    while data and len(entries) < 3:
        size = data[0] * 256 + data[1] if len(data) > 1 else 1 << 20
        if len(data) < 2 + size:
            return None
        entries.append(data[2 : 2 + size])
        data = data[2 + size :]
    return entries if len(entries) == 3 and not data else None


def proof_again(data: bytes) -> object:
    text = text_of(data)
    found = _PROOF.fullmatch(text) if text is not None else None
    if not found or int(found[2]) >= 2**63:
        return None
    extra = bytes_of(found[1]) if found[1] else None
    signed = note_again(found[5].encode())
    if not isinstance(signed, tuple) or checkpoint_again(signed[0].encode()) is None:
        return None
    if found[1] and not extra:
        return None
    hashes = [base64.b64decode(line) for line in found[3].split("\n")[:-1]]
    return extra, int(found[2]), hashes, found[5].encode()


def proof_here(data: bytes) -> object:
    proof = parse_proof(data)
    return proof.extra, proof.index, list(proof.hashes), proof.checkpoint


def request_again(data: bytes) -> object:
    """As a proof, which is the same but for its first lines and the limit on the whole."""
    if not data.startswith(b"old ") or len(data) > 64 * 1024:
        return None
    read = proof_again(b"c2sp.org/tlog-proof@v1\nindex " + data.removeprefix(b"old "))
    return read[1:] if isinstance(read, tuple) else None


def request_here(data: bytes) -> object:
    request = parse_request(data)
    return request.old_size, list(request.proof), format_note(request.note)


READINGS: dict[str, tuple[str, Callable[[bytes], object], Callable[[bytes], object]]] = {
    "note": ("note", note_here, note_again),
    "checkpoint": ("checkpoint", checkpoint_here, checkpoint_again),
    "tile path": ("tile-path", path_here, path_again),
    "bundle": ("bundle", lambda data: parse_bundle(data, 3), bundle_again),
    "proof": ("proof", proof_here, proof_again),
    "request": ("request", request_here, request_again),
}


@pytest.mark.parametrize(("kind", "here", "again"), READINGS.values(), ids=READINGS)
def test_a_second_reading_agrees(
    kind: str, here: Callable[[bytes], object], again: Callable[[bytes], object]
) -> None:
    files = [
        # Of a checkpoint, both read the text alone.
        data.rpartition(b"\n\n")[0] + b"\n" if kind == "checkpoint" else data
        for data, path in seeds(kind)
        if kind != "bundle" or path.stem.endswith("-3")
    ]
    assert all(again(data) is not None for data in files)

    def check(random: Random) -> None:
        data = damaged(random, files)
        try:
            ours = here(data)
        except MalformedError:
            ours = None
        assert ours == again(data)

    fuzz(check)


# Trees.


def slow_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, word for word."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    half = 1
    while 2 * half < len(leaves):
        half *= 2
    return sha256(b"\1" + slow_root(leaves[:half]) + slow_root(leaves[half:])).digest()


def test_a_growing_edge_its_tiles_and_the_definition_agree() -> None:
    def check(random: Random) -> None:
        edge, leaves, stored = Frontier.empty(), list[bytes](), dict[tuple[int, int], bytes]()
        for _ in range(random.randint(1, 3)):
            batch = [
                sha256(b"%d" % number).digest()
                for number in range(len(leaves), len(leaves) + random.randint(0, 120))
            ]
            edge, new = edge.extend(batch)
            leaves, stored = leaves + batch, stored | new
        tree = edge.tree()
        assert tree == Tree(size=len(leaves), root_hash=slow_root(leaves))

        def fetch(tile: Tile) -> bytes:
            assert tile in tiles_of(tree.size)
            first = tile.index * 256
            return b"".join(stored[8 * tile.level, first + at] for at in range(tile.width))

        assert root(tree.size, hash_reader(tree.size, fetch)) == tree.root_hash

    fuzz(check)


def both_roots(old: int, new: int, hashes: list[bytes]) -> tuple[bytes | None, bytes]:
    """The roots that hashes lead to, by RFC 6962's recursion: it takes the last one first."""
    if old == new:
        hash_ = hashes.pop()
        return hash_, hash_
    half = 1
    while 2 * half < new:
        half *= 2
    sibling = hashes.pop()
    if old <= half:
        beginning, left = both_roots(old, half, hashes)
        return beginning, sha256(b"\1" + left + sibling).digest()
    right_old, right = both_roots(old - half, new - half, hashes)
    assert right_old is not None
    return (
        sha256(b"\1" + sibling + right_old).digest(),
        sha256(b"\1" + sibling + right).digest(),
    )


def shape(old: int, new: int) -> int:
    """How many hashes lead from `old` to `new`, the old tree's last subtree among them."""
    half = 1
    while 2 * half < new:
        half *= 2
    if old == new:
        return 1
    return 1 + (shape(old, half) if old <= half else shape(old - half, new - half))


def signed(tree: Tree) -> bytes:
    text = format_checkpoint(Checkpoint(origin=LOG.name, tree=tree))
    return format_note(Note(text=text, signatures=(sign_as_log(text, LOG, 1),)))


def test_a_fork_is_what_no_consistency_proof_can_join() -> None:
    def check(random: Random) -> None:
        new = random.choice([random.randint(2, 40), random.randint(2, 2**63 - 1)])
        old = random.choice(
            [random.randint(1, new - 1), 1 << random.randrange(new.bit_length())]
        )
        old = min(old, new - 1)
        hashes = [sha256(b"%d" % random.randrange(4)).digest() for _ in range(shape(old, new))]
        beginning, whole = both_roots(old, new, list(hashes))
        assert beginning is not None
        told = Tree(size=new, root_hash=whole)
        honest = Tree(size=old, root_hash=beginning)
        verify_consistency(honest, told, hashes[1:] if old & (old - 1) == 0 else hashes)
        proof = ForkProof(old=signed(honest), new=signed(told), hashes=tuple(hashes))
        with pytest.raises(UnverifiedError, match="is the beginning"):
            verify_fork(proof, [LOG.verifier()])
        liar = Tree(size=old, root_hash=sha256(beginning).digest())
        proof = ForkProof(old=signed(liar), new=signed(told), hashes=tuple(hashes))
        assert verify_fork(proof, [LOG.verifier()]) == Fork(origin=LOG.name, old=liar, new=told)

    fuzz(check)
