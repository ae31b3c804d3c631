"""Where captures live: one folder per capture, named by the SHA-256 of its public part.

    DIR/captures/<hex>/page.warc.gz         the page itself, private (0600)
                       public.json          the public part
                       capture.record       the record whose hash is logged
                       capture.tlog-proof   the Ledger's proof; written last

A capture without its proof is kept but not dated yet: `unlogged` names it, and logging it again
asks the Ledger for the same entry.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from safeconduct.errors import MalformedError, RefusedError, UnverifiedError
from safeconduct.plumbing.durable import make_folder, read_file, write_file, write_secret
from safeconduct.protocol.evidence.capture import (
    PUBLIC_BYTES_MAX,
    Capture,
    address_hash,
    check_capture,
    format_capture,
    public_hash,
)
from safeconduct.protocol.record import (
    RECORD_BYTES_MAX,
    Record,
    format_record,
    make_record,
    parse_record,
)

WARC_FILE = "page.warc.gz"
PUBLIC_FILE = "public.json"
RECORD_FILE = "capture.record"
PROOF_FILE = "capture.tlog-proof"
PROOF_BYTES_MAX = 64 << 10
_CAPTURES = "captures"
_NAME = re.compile("[0-9a-f]{64}")

LogEntry = Callable[[bytes], bytes]
"""Have a record logged in the Ledger; returns its tlog proof."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A capture as it lies on disk; `proof` is empty until the Ledger has dated it."""

    name: str
    capture: Capture
    record: Record
    proof: bytes


def capture_record(programme: bytes, capture: Capture) -> Record:
    """The record that is logged for a capture; `programme` is the programme's hash."""
    return make_record(
        "capture",
        programme=programme,
        address=address_hash(capture.address),
        raw=capture.raw_sha256,
        public=public_hash(format_capture(capture)),
        captured=capture.captured_at,
    )


def keep(folder: Path, programme: bytes, capture: Capture, warc: bytes) -> str:
    """Write a capture durably, not logged yet; returns its name. Keeping it twice is harmless.

    Raises:
        UnavailableError: the disk refused; without `capture.record` nothing counts as kept.
    """
    public = format_capture(capture)
    name = public_hash(public).hex()
    place = folder / _CAPTURES / name
    make_folder(place)
    write_secret(place / WARC_FILE, warc)
    write_file(place / PUBLIC_FILE, public)
    write_file(place / RECORD_FILE, format_record(capture_record(programme, capture)))
    return name


def log_kept(folder: Path, name: str, log_entry: LogEntry) -> Kept:
    """Have a kept capture logged and keep the proof; a logged one is returned as it is.

    Raises:
        SafeconductError: what `log_entry` raised; the capture then stays unlogged.
    """
    kept = load(folder, name)
    if kept.proof:
        return kept
    proof = log_entry(format_record(kept.record))
    write_file(_place(folder, name) / PROOF_FILE, proof)
    return load(folder, name)


def load(folder: Path, name: str) -> Kept:
    """The kept capture of that name, recomputed and compared with its record.

    Raises:
        RefusedError: there is none.
        UnverifiedError: what lies on disk is not what the name or the record says.
    """
    place = _place(folder, name)
    if not (place / RECORD_FILE).exists():
        raise RefusedError("there is no such capture", hint="`press show` lists them all")
    public = read_file(place / PUBLIC_FILE, bytes_max=PUBLIC_BYTES_MAX)
    record = parse_record(read_file(place / RECORD_FILE, bytes_max=RECORD_BYTES_MAX), "capture")
    if public_hash(public).hex() != name or record.hash("public").hex() != name:
        raise UnverifiedError(f"capture {name}: its public part was changed")
    proof = place / PROOF_FILE
    return Kept(
        name=name,
        capture=check_capture(public),
        record=record,
        proof=read_file(proof, bytes_max=PROOF_BYTES_MAX) if proof.exists() else b"",
    )


def names(folder: Path) -> list[str]:
    """The names of all kept captures, sorted."""
    found = (folder / _CAPTURES).glob(f"*/{RECORD_FILE}")
    return sorted(path.parent.name for path in found if _NAME.fullmatch(path.parent.name))


def unlogged(folder: Path) -> list[str]:
    """The names of the captures that no proof dates yet."""
    return [n for n in names(folder) if not (_place(folder, n) / PROOF_FILE).exists()]


def _place(folder: Path, name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise MalformedError("capture: its name is 64 lower-case hex digits")
    return folder / _CAPTURES / name
