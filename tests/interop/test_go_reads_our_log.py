"""golang.org/x/mod/sumdb reads what the real log wrote: checkpoint, tiles, bundles, proofs."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.interop.go_peer import Peer, Question
from tests.interop.real_log import RealLog, real_log
from tests.parties.log.log_world import ORIGIN

from safeconduct.protocol.canonical import format_base64
from safeconduct.protocol.tlog.note import parse_note

SIZES = (1, 2, 255, 256, 257, 1000, 65_539)
"""The last has a partial tile on each of three levels."""


def with_proofs(log: RealLog, folder: Path) -> Path:
    """A copy of the public files, and beside them proofs as the log hands them out."""
    copy = folder / "copy"
    shutil.copytree(log.public, copy)
    (copy / "proofs").mkdir()
    size = log.tree.size
    for index in {0, size // 3, size // 2, size - 1, *(at - 1 for at in log.sizes)}:
        latest = copy / "proofs" / f"latest-{index}.tlog-proof"
        latest.write_bytes(log.log.proof(index))
        first = copy / "proofs" / f"first-{index}.tlog-proof"
        first.write_bytes(log.log.first_proof(index))
    for old_size in log.sizes:
        growth = copy / "proofs" / f"{old_size}.add-checkpoint"
        growth.write_bytes(log.growth(old_size))
    return copy


@pytest.mark.parametrize("size", SIZES)
def test_go_finds_every_tile_entry_and_proof_of_our_log_right(
    size: int, log: RealLog, peer: Peer, tmp_path: Path
) -> None:
    log.grow(size)
    copy = with_proofs(log, tmp_path)
    answer = peer.ask("read", str(copy), log.vkey)
    assert answer["size"] == size
    assert answer["root"] == format_base64(log.tree.root_hash)
    assert answer["inclusion"] == len(list(copy.glob("proofs/*.tlog-proof"))) >= 2
    assert answer["consistency"] == len(log.sizes)


def test_go_keeps_to_the_log_s_first_line_and_passes_over_all_others(
    log: RealLog, peer: Peer
) -> None:
    names = [line.name for line in parse_note(log.checkpoint).signatures]
    (verdict,) = peer.judge(
        [Question(kind="note", data=log.checkpoint, vkeys=[log.vkey])],
    )
    assert verdict.error == ""
    assert verdict.verified == [ORIGIN]
    # The log's line by its ML-DSA-44 key has the same name, and two witnesses are a quorum.
    assert verdict.unverified == names[1:]
    assert verdict.unverified[0] == ORIGIN
    assert len(verdict.unverified) >= 3


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)


def _another_size(path: Path) -> None:
    path.write_text(path.read_text().replace("\n1000\n", "\n1001\n"))


def _swap_hashes(path: Path) -> None:
    lines = path.read_text().split("\n")
    lines[2], lines[3] = lines[3], lines[2]
    path.write_text("\n".join(lines))


def _longer(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + bytes(32))


SPOILED: dict[str, tuple[str, Callable[[Path], None]]] = {
    "another size in the checkpoint": ("checkpoint", _another_size),
    "a flipped bit in a full tile": ("tile/0/000", _flip),
    "a flipped bit in the tile above": ("tile/1/000.p/3", _flip),
    "a flipped bit in the right edge": ("tile/0/003.p/232", _flip),
    "a flipped bit in an entry": ("tile/entries/001", _flip),
    "a bundle with bytes behind it": ("tile/entries/001", _longer),
    "a missing tile": ("tile/0/002", Path.unlink),
    "an inclusion proof in another order": ("proofs/latest-333.tlog-proof", _swap_hashes),
    "a consistency proof in another order": ("proofs/255.add-checkpoint", _swap_hashes),
}


@pytest.fixture(scope="module")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The copy of a log of exactly 1,000 entries: another one than grows beyond."""
    with real_log(tmp_path_factory.mktemp("thousand")) as opened:
        for size in (255, 1000):
            opened.grow(size)
        copy = with_proofs(opened, tmp_path_factory.mktemp("copy"))
        (copy / "vkey").write_text(opened.vkey)
        return copy


@pytest.mark.parametrize("case", SPOILED)
def test_go_refuses_our_log_once_it_is_spoiled(
    case: str, thousand: Path, peer: Peer, tmp_path: Path
) -> None:
    file, spoil = SPOILED[case]
    copy = tmp_path / "copy"
    shutil.copytree(thousand, copy)
    vkey = (copy / "vkey").read_text()
    assert peer.run("read", str(copy), vkey).returncode == 0
    spoil(copy / file)
    assert peer.run("read", str(copy), vkey).returncode == 1
