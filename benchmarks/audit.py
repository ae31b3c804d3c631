"""How long the auditor takes for a log of a million entries, and how much memory.

Beside it, in the same run: the SHA-256 calls that the tree demands, which no auditor can do
without; those of the leaves alone; and SHA-256 over the same bytes in one call for each bundle,
which is no audit but what the processor could do.

A receipt's check is here as well: everything that a claimant's software verifies, offline.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import hashing, sample
from benchmarks.measure import (
    ROOT,
    Course,
    Figure,
    Ratio,
    Report,
    at_most,
    figure,
    main,
    seconds,
)
from safeconduct.plumbing import clock
from safeconduct.protocol.tlog.checkpoint import Checkpoint, format_checkpoint
from safeconduct.protocol.tlog.cosignature import cosign, sign_as_log
from safeconduct.protocol.tlog.merkle import Tree, leaf_hash, node_hash
from safeconduct.protocol.tlog.note import (
    MLDSA44,
    Note,
    SigningKey,
    format_note,
)
from safeconduct.protocol.tlog.policy import (
    GroupLine,
    LogLine,
    Policy,
    WitnessLine,
    format_policy,
    verify_proof,
)
from safeconduct.protocol.tlog.proof import TlogProof, format_proof
from safeconduct.protocol.tlog.tile import TILE_WIDTH

RUNS = 3
_SMALL, _LARGE, _QUICK = 10_000, 1_000_000, 50_000
_WANTED_TIMES_SHA = 4
_FLAT = 1.1
_RECEIPT_MILLISECONDS_MAX = 2
_RECEIPT_CHECKS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """What `audit_once` measured."""

    seconds: float
    peak_mib: float


def audited(public: Path, policy: Policy) -> Audited:
    """One audit of a log's public files, in a process of its own."""
    listed = public.parent / "policy"
    listed.write_bytes(format_policy(policy))
    command = [sys.executable, "-m", "benchmarks.audit_once", str(public), str(listed)]
    told = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    counted = json.loads(told)
    return Audited(seconds=counted["seconds"], peak_mib=counted["peak_kib"] / 1024)


def benchmark(course: Course) -> Report:
    """Seconds and memory of an audit beside SHA-256 alone, and a receipt's check."""
    size = course.scaled(_LARGE, quick=_QUICK)
    small = _audits(course.folder / "small", min(_SMALL, size // 10))
    large = _audits(course.folder / "large", size)
    took = figure(f"audit, {size} entries", "s", [each.seconds for each in large])
    limits = _limits(size)
    memory = [
        figure(f"audit of {what} log: peak memory", "MiB", [each.peak_mib for each in runs])
        for what, runs in (("the small", small), ("the large", large))
    ]
    receipts = _receipts()
    whole = limits[0]
    return Report(
        name="audit",
        title=f"Audit: {size} entries of {sample.ENTRY_BYTES} bytes, {RUNS} times",
        figures=(took, *limits, *memory, *receipts),
        ratios=(
            at_most(f"audit / {whole.what}", took.value / whole.value, _WANTED_TIMES_SHA),
            *(
                Ratio(what=f"audit / {each.what}", value=took.value / each.value)
                for each in limits[1:]
            ),
            at_most("memory, large / small", memory[1].value / memory[0].value, _FLAT),
            *(
                at_most(each.what, each.value, _RECEIPT_MILLISECONDS_MAX, " ms")
                for each in receipts
            ),
        ),
        bound="one core of Python, which calls SHA-256 twice for each entry; the files come "
        "from the page cache",
    )


def _audits(folder: Path, size: int) -> list[Audited]:
    policy = sample.write_public(folder / "public", size)
    return [audited(folder / "public", policy) for _ in range(RUNS)]


def _limits(size: int) -> list[Figure]:
    """SHA-256 alone, for entries that are in memory."""
    batches = [
        sample.entries(first, min(TILE_WIDTH, size - first))
        for first in range(0, size, TILE_WIDTH)
    ]
    # Joined beforehand: joining is no hashing.
    joined = [[b"".join(batch)] for batch in batches]
    kinds: dict[str, tuple[Callable[[Sequence[bytes]], object], list[list[bytes]]]] = {
        "SHA-256 calls of leaves and nodes": (hashing.tree_calls, batches),
        "SHA-256 calls of leaves": (hashing.leaf_calls, batches),
        "SHA-256 of the same bytes in bulk": (hashing.bulk_call, joined),
    }
    return [_limit(what, *kind) for what, kind in kinds.items()]


def _limit(
    what: str, work: Callable[[Sequence[bytes]], object], batches: list[list[bytes]]
) -> Figure:
    def all_of_them() -> None:
        for batch in batches:
            work(batch)

    return figure(what, "s", [seconds(all_of_them) for _ in range(RUNS)])


def _receipts() -> list[Figure]:
    ed25519 = list(sample.WITNESSES.values())
    both = [*ed25519, *(_second(key) for key in ed25519)]
    return [
        _receipt("receipt check, Ed25519: log and 2 witnesses", [sample.LOG], ed25519),
        _receipt(
            "receipt check, Ed25519 and ML-DSA-44: 2 + 4 lines",
            [sample.LOG, _second(sample.LOG)],
            both,
        ),
    ]


def _second(key: SigningKey) -> SigningKey:
    return SigningKey(name=key.name, seed=key.seed[::-1], algorithm=MLDSA44)


def _receipt(what: str, logs: list[SigningKey], witnesses: list[SigningKey]) -> Figure:
    """Milliseconds for all that `verify_proof` does with a proof out of a large log."""
    names = tuple(f"w{place}" for place in range(len(witnesses)))
    policy = Policy(
        logs=tuple(LogLine(key=key.verifier()) for key in logs),
        witnesses=tuple(
            WitnessLine(name=name, key=key.cosigner())
            for name, key in zip(names, witnesses, strict=True)
        ),
        groups=(GroupLine(name="all", threshold=len(names), members=names),),
        quorum="all",
    )
    entry = sample.entries(0, 1)[0]
    proof = format_proof(_proof(entry, logs, witnesses))
    took = [
        1000 * seconds(lambda: verify_proof(proof, entry, policy, sample.ORIGIN))
        for _ in range(_RECEIPT_CHECKS)
    ]
    return figure(what, "ms", took)


def _proof(entry: bytes, logs: list[SigningKey], witnesses: list[SigningKey]) -> TlogProof:
    """The first entry of a tree of 2^20, whose other hashes nobody has to know."""
    hashes = tuple(leaf_hash(b"%d" % level) for level in range(20))
    reached = leaf_hash(entry)
    for sibling in hashes:
        reached = node_hash(reached, sibling)
    tree = Tree(size=1 << len(hashes), root_hash=reached)
    text = format_checkpoint(Checkpoint(origin=sample.ORIGIN, tree=tree))
    at = clock.seconds()
    lines = [sign_as_log(text, key, at) for key in logs]
    lines += [cosign(text, key, at) for key in witnesses]
    note = Note(text=text, signatures=tuple(lines))
    return TlogProof(index=0, hashes=hashes, checkpoint=format_note(note))


if __name__ == "__main__":
    main("audit", benchmark)
