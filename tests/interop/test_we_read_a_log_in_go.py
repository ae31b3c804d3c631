"""We read what golang.org/x/mod/sumdb wrote: checkpoint, tiles, bundles, proofs."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import pytest
from tests.interop.go_peer import Peer
from tests.parties.servers import run, start, stopped_at_the_end

from safeconduct.errors import SafeconductError, UnverifiedError
from safeconduct.plumbing import clock, fetch
from safeconduct.protocol.canonical import parse_base64
from safeconduct.protocol.tlog.checkpoint import Checkpoint, parse_checkpoint
from safeconduct.protocol.tlog.merkle import (
    Frontier,
    ReadHashes,
    Tree,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root,
    verify_consistency,
    verify_inclusion,
)
from safeconduct.protocol.tlog.note import (
    COSIGNATURE,
    Note,
    SignatureLine,
    VerifierKey,
    format_note,
    format_skey,
    format_vkey,
    parse_note,
    parse_signature_lines,
    parse_skey,
    parse_vkey,
    sign_note,
    verify_note,
)
from safeconduct.protocol.tlog.policy import LogLine, Policy, WitnessLine, verify_proof
from safeconduct.protocol.tlog.proof import format_proof, parse_proof
from safeconduct.protocol.tlog.tile import (
    TILE_HEIGHT,
    Tile,
    bundle_path,
    bundles_of,
    hash_reader,
    parse_bundle,
    tile_path,
    tiles_of,
)

NAME = "go.example/log"
SIZES = (1, 2, 255, 256, 257, 1000, 65_539)
WITNESS = "safeconduct.parties.witness.command"
BYTES_MAX = 64 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class GoLog:
    """The folders that the peer wrote, one for each size of one log."""

    folder: Path
    key: VerifierKey
    skey: str

    def checkpoint(self, size: int) -> Checkpoint:
        """The checkpoint at a size, which the log signed."""
        note = parse_note(self.file(size, "checkpoint"))
        verify_note(note, self.key)
        return parse_checkpoint(note.text)

    def entries(self, size: int) -> list[bytes]:
        entries: list[bytes] = []
        for index, width in bundles_of(size):
            data = self.file(size, bundle_path(index, width))
            entries += parse_bundle(data, width)
        return entries

    def tile(self, size: int, tile: Tile) -> bytes:
        return self.file(size, tile_path(tile))

    def hashes(self, size: int) -> ReadHashes:
        return hash_reader(size, lambda tile: self.tile(size, tile))

    def file(self, size: int, name: str) -> bytes:
        return (self.folder / str(size) / name).read_bytes()

    def proven(self, size: int) -> list[int]:
        """The entries that have an inclusion proof."""
        found = (self.folder / str(size) / "proofs").glob("*.tlog-proof")
        return [int(path.stem) for path in found]


@pytest.fixture(scope="module")
def written(peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> GoLog:
    folder = tmp_path_factory.mktemp("written")
    answer = peer.ask("write", str(folder), NAME, *map(str, SIZES))
    return GoLog(folder=folder, key=parse_vkey(answer["vkey"]), skey=answer["skey"])


def test_its_keys_are_ours_to_read_and_to_sign_with(written: GoLog) -> None:
    key = parse_skey(written.skey)
    assert (key.verifier(), format_skey(key)) == (written.key, written.skey)
    note = parse_note(written.file(1000, "checkpoint"))
    assert note.signatures == (sign_note(note.text, key),)


@pytest.mark.parametrize("size", SIZES)
def test_its_tree_is_the_one_that_we_make_of_its_entries(size: int, written: GoLog) -> None:
    checkpoint = written.checkpoint(size)
    assert (checkpoint.origin, checkpoint.tree.size) == (NAME, size)
    leaves = [leaf_hash(entry) for entry in written.entries(size)]
    frontier, filled = Frontier.empty().extend(leaves)
    assert frontier.tree() == checkpoint.tree
    assert root(size, written.hashes(size)) == checkpoint.tree.root_hash
    for tile in tiles_of(size):
        first = tile.index << TILE_HEIGHT
        places = [(TILE_HEIGHT * tile.level, first + place) for place in range(tile.width)]
        assert written.tile(size, tile) == b"".join(filled[place] for place in places)


@pytest.mark.parametrize("size", SIZES)
def test_its_inclusion_proofs_hold_and_are_ours(size: int, written: GoLog) -> None:
    entries, tree = written.entries(size), written.checkpoint(size).tree
    assert written.proven(size)
    for index in written.proven(size):
        data = written.file(size, f"proofs/{index}.tlog-proof")
        proof = parse_proof(data)
        assert format_proof(proof) == data
        assert proof.index == index
        verify_inclusion(leaf_hash(entries[index]), index, proof.hashes, tree)
        assert list(proof.hashes) == inclusion_proof(index, size, written.hashes(size))
        with pytest.raises(UnverifiedError):
            verify_inclusion(leaf_hash(b"another"), index, proof.hashes, tree)


def growth(data: bytes) -> list[bytes]:
    """The proof in an add-checkpoint request."""
    return [
        parse_base64(line, "hash") for line in data.split(b"\n\n")[0].decode().split("\n")[1:]
    ]


@pytest.mark.parametrize("size", SIZES)
def test_its_consistency_proofs_hold_and_are_ours(size: int, written: GoLog) -> None:
    new = written.checkpoint(size).tree
    for old_size in [each for each in SIZES if each < size]:
        old = written.checkpoint(old_size).tree
        proof = growth(written.file(size, f"proofs/{old_size}.add-checkpoint"))
        verify_consistency(old, new, proof)
        assert proof == consistency_proof(old_size, size, written.hashes(size))
        lied = Tree(size=old_size, root_hash=bytes(32))
        with pytest.raises(UnverifiedError):
            verify_consistency(lied, new, proof)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigner:
    """One of our witnesses, as a process that serves the log in Go."""

    key: VerifierKey
    url: str

    def cosign(self, old_size: int, request: bytes) -> tuple[SignatureLine, ...]:
        answer = fetch.post(f"{self.url}/add-checkpoint", request, bytes_max=BYTES_MAX)
        assert answer.status == 200, (old_size, answer.body)
        return parse_signature_lines(answer.body)


@pytest.fixture
def witness(written: GoLog, tmp_path: Path) -> Iterator[Cosigner]:
    made = run(WITNESS, "new", "--dir", str(tmp_path), "--name", "witness.example")
    keys = map(parse_vkey, made.stdout.split())
    server = start(
        WITNESS,
        *("serve", "--dir", str(tmp_path), "--listen", "127.0.0.1:0"),
        *("--log", format_vkey(written.key)),
    )
    with stopped_at_the_end([server]):
        dated = next(key for key in keys if key.algorithm == COSIGNATURE)
        yield Cosigner(key=dated, url=server.url)


def test_our_witness_cosigns_its_growth_and_its_proofs_then_have_a_date(
    written: GoLog, witness: Cosigner
) -> None:
    before = clock.seconds()
    lines = witness.cosign(0, b"old 0\n\n" + written.file(1, "checkpoint"))
    for old_size, size in pairwise(SIZES):
        request = written.file(size, f"proofs/{old_size}.add-checkpoint")
        lines = witness.cosign(old_size, request)
    policy = Policy(
        logs=(LogLine(key=written.key),),
        witnesses=(WitnessLine(name="w", key=witness.key),),
        quorum="w",
    )
    size = SIZES[-1]
    for index in written.proven(size):
        data = written.file(size, f"proofs/{index}.tlog-proof")
        entry = written.entries(size)[index]
        with pytest.raises(UnverifiedError, match="quorum"):
            verify_proof(data, entry, policy)
        logged = verify_proof(with_lines(data, lines), entry, policy, NAME)
        assert logged.index == index
        assert before <= logged.logged_by <= clock.seconds()


def with_lines(data: bytes, lines: tuple[SignatureLine, ...]) -> bytes:
    """The same proof, its checkpoint cosigned."""
    proof = parse_proof(data)
    note = parse_note(proof.checkpoint)
    cosigned = Note(text=note.text, signatures=(*note.signatures, *lines))
    return format_proof(replace(proof, checkpoint=format_note(cosigned)))


def test_a_spoiled_tile_of_its_is_found(written: GoLog) -> None:
    size, spoiled = 1000, Tile(level=0, index=3, width=232)

    def fetch(tile: Tile) -> bytes:
        data = written.tile(size, tile)
        return data[:-1] + bytes([data[-1] ^ 1]) if tile == spoiled else data

    assert root(size, hash_reader(size, fetch)) != written.checkpoint(size).tree.root_hash
    with pytest.raises(SafeconductError):
        parse_bundle(written.file(257, "tile/entries/000"), 255)
