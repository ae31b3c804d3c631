"""One large file sealed or opened in a process of its own, so that its memory can be read.

    python -m benchmarks.age_once WORK SOURCE TARGET

    seal, open      a plain age file, from disk to disk
    send, unseal    a whole envelope: sealed from the source's words, opened as the desk does

`send` leaves header, record and payload in the folder TARGET, which is the SOURCE of `unseal`.
Prints JSON: the seconds that it took, and the peak memory of the process in KiB.
"""

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.measure import timed
from safeconduct.plumbing.agefile import open_file, seal_file
from safeconduct.plumbing.dice import random_bytes
from safeconduct.plumbing.durable import read_stream, write_stream
from safeconduct.plumbing.hashing import Sha256Behind
from safeconduct.protocol import age
from safeconduct.protocol.address import Address
from safeconduct.protocol.envelope import Envelope, Source, open_envelope, seal_envelope
from safeconduct.protocol.keys import contribution_keys, master_key, programme_hash
from safeconduct.protocol.record import format_record, parse_record
from safeconduct.protocol.tip import TipFile

IDENTITY = age.x25519_identity(b"benchmark".ljust(32, b"-"))
DESK = age.hybrid_identity(b"desk".ljust(32, b"-"))
PROGRAMME = programme_hash("bench-2027")
ADDRESS = Address(
    programme=PROGRAMME,
    statute=bytes(32),
    epoch=1,
    certificate=bytes(32),
    profile="mlkem768x25519",
    recipient=age.format_recipient(DESK.recipient()),
)


def seal_sources(*sources: Source, entropy: bytes = bytes(16)) -> Envelope:
    """All that a source does before it goes online, the stretching of its words included."""
    keys = contribution_keys(master_key(entropy, PROGRAMME), 0)
    return seal_envelope(sources, ADDRESS, keys, random_bytes, sha256=Sha256Behind)


def file_source(path: Path) -> Source:
    """A file as it is given to `seal_sources`."""
    return Source(name=path.name, read=partial(read_stream, path))


def seal(source: Path, target: Path) -> None:
    """Seal to one X25519 recipient, as Debian's `age` does."""
    seal_file(source, target, [IDENTITY.recipient()], random_bytes)


def open_(source: Path, target: Path) -> None:
    """Open what `seal` or Debian's `age` made."""
    open_file(source, target, [IDENTITY])


def send(source: Path, target: Path) -> None:
    """Seal an envelope and write down what would be delivered."""
    envelope = seal_sources(file_source(source))
    target.mkdir()
    (target / "header").write_bytes(envelope.header)
    (target / "record").write_bytes(format_record(envelope.record))
    write_stream(target / "payload", envelope.payload())


def unseal(source: Path, target: Path) -> None:
    """Open an envelope as the desk does, and write its file."""
    record = parse_record((source / "record").read_bytes())
    header = (source / "header").read_bytes()
    with target.open("wb", buffering=0) as file:

        def sink(_: TipFile, chunk: bytes) -> None:
            file.write(chunk)

        open_envelope(record, header, partial(read_stream, source / "payload"), [DESK], sink)


WORKS: dict[str, Callable[[Path, Path], None]] = {
    "seal": seal,
    "open": open_,
    "send": send,
    "unseal": unseal,
}


def main() -> None:
    """Do it, and tell what it took."""
    work, source, target = sys.argv[1:]
    took, _ = timed(partial(WORKS[work], Path(source), Path(target)))
    sys.stdout.write(json.dumps({"seconds": took, "peak_kib": _peak_kib()}) + "\n")


def _peak_kib() -> int:
    """The most memory that this process had; getrusage would tell its parent's as well."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise SystemExit("the system does not tell a process's peak memory")


if __name__ == "__main__":
    main()
