"""The journal: the entries that are not settled in their bundles yet, in segments.

A segment is a file whose space was set aside before it was needed. Its name is the index of its
first entry in 20 decimal digits.

    segment = chain before its first frame (32 bytes) ‖ frame ‖ … ‖ zeros
    frame   = u32 big-endian payload length, not 0 ‖ chain (32 bytes) ‖ payload
    payload = for each entry: u16 big-endian length ‖ entry
    chain   = SHA-256( chain before, or 32 zero bytes before the first frame of all ‖ payload )

One batch is one frame, written and synced at once. The chain finds torn, flipped, swapped and
missing frames. A frame that does not hold can only be the last one, torn by a crash before
anything rested on it; whether that is so is for the caller to judge, who knows how many entries
have been signed.
"""

import hashlib
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

from safeconduct.errors import MalformedError, UnavailableError
from safeconduct.parties.log.store import Settled
from safeconduct.plumbing import durable

SEGMENT_BYTES = 16 << 20
PAYLOAD_BYTES_MAX = 1 << 28
LOST_HINT = (
    "see what is left: safeconduct log fsck; then: safeconduct log repair --from-mirror URL"
)
_CHAIN_BYTES = 32
_HEAD_BYTES = 4 + _CHAIN_BYTES
_READ_BYTES = 1 << 20
_SPARE = "spare"
_NAME = re.compile(r"[0-9]{20}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One batch as it was read back: where it begins in the log, and where it ends."""

    first: int
    framed: list[bytes]
    place: Settled
    segment: Path
    end_bytes: int

    @property
    def entries(self) -> list[bytes]:
        """The entries themselves; `framed` has their lengths before them."""
        return [entry[2:] for entry in self.framed]


Full: TypeAlias = Callable[[Path, Settled], None]
"""Told of each segment that gets no more frames, and of the place where it ends."""


class Journal:
    """The open journal of the log's one writer."""

    def __init__(self, folder: Path, place: Settled, last: Frame | None, full: Full) -> None:
        """To go on at `place`, behind the `last` frame if that segment is to take more."""
        self._folder, self._full = folder, full
        self.place = place
        self._failed = False
        self._handle = -1
        self._segment: Path | None = None
        self._end_bytes = self._length_bytes = 0
        self._sparing = threading.Lock()
        durable.make_folder(folder)
        durable.remove_file(folder / _SPARE)  # perhaps made by half
        if last is not None:
            self._segment, self._end_bytes = last.segment, last.end_bytes
            self._length_bytes = max(SEGMENT_BYTES, last.end_bytes)
            _blank_behind(last, self._length_bytes)
            self._handle = durable.open_writing(last.segment)

    def append(self, framed: Sequence[bytes]) -> None:
        """Add one batch of entries, each with its length before it.

        It is on the medium when this returns.

        Raises:
            UnavailableError: the disk refused; the journal must be opened anew.
        """
        if self._failed:
            raise UnavailableError("the journal has failed before", hint="start the log again")
        payload = b"".join(framed)
        if not 0 < len(payload) <= PAYLOAD_BYTES_MAX:
            raise ValueError(f"a batch is 1 to {PAYLOAD_BYTES_MAX} bytes")
        chain = _next_chain(self.place.chain, payload)
        frame = len(payload).to_bytes(4, "big") + chain + payload
        try:
            self._write(frame)
        except BaseException:
            # Any part may be on the disk now; only a restart reads what is.
            self._failed = True
            raise
        self.place = Settled(tree_size=self.place.tree_size + len(framed), chain=chain)

    def reserve(self) -> None:
        """Set space aside for the segment after the one in use, if that is not done yet.

        May be called from another thread than `append`.

        Raises:
            UnavailableError: there is not enough.
        """
        with self._sparing:
            if not (self._folder / _SPARE).exists():
                self._reserve(SEGMENT_BYTES)

    def finish(self) -> None:
        """Hand over the segment in use as if it were full, unless the journal has failed."""
        if self._segment is not None and not self._failed:
            segment, self._segment = self._segment, None
            self._close_handle()
            self._full(segment, self.place)

    def close(self) -> None:
        """Close the file, and give back the space that was set aside for the next one."""
        self._close_handle()
        with self._sparing:
            durable.remove_file(self._folder / _SPARE)

    def _write(self, frame: bytes) -> None:
        if self._segment is None or self._end_bytes + len(frame) > self._length_bytes:
            self.finish()
            self._begin(max(SEGMENT_BYTES, _CHAIN_BYTES + len(frame)))
        assert self._segment is not None
        durable.write_synced(self._handle, frame, self._end_bytes, self._segment)
        self._end_bytes += len(frame)

    def _begin(self, length_bytes: int) -> None:
        """Take the spare file for a new segment; its name and first chain are durable."""
        spare = self._folder / _SPARE
        segment = self._folder / f"{self.place.tree_size:020}"
        with self._sparing:
            if not spare.exists() or length_bytes > SEGMENT_BYTES:
                self._reserve(length_bytes)
            self._handle = durable.open_writing(spare)
            durable.write_synced(self._handle, self.place.chain, 0, spare)
            durable.rename_durably(spare, segment)
        self._segment, self._length_bytes = segment, length_bytes
        self._end_bytes = _CHAIN_BYTES

    def _reserve(self, length_bytes: int) -> None:
        spare = self._folder / _SPARE
        try:
            durable.reserve_file(spare, length_bytes)
        except BaseException:
            durable.remove_file(spare)
            raise

    def _close_handle(self) -> None:
        if self._handle >= 0:
            durable.close(self._handle)
            self._handle = -1


def list_segments(folder: Path) -> list[Path]:
    """The segments in the journal's folder, in order of their entries.

    Raises:
        UnavailableError: it is the single file that earlier releases wrote.
    """
    if folder.is_file():
        raise UnavailableError(
            f"{folder}: a journal in one file, as an earlier release wrote it",
            hint="start a new folder: safeconduct log repair --from-mirror URL",
        )
    if not folder.exists():
        return []
    return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))


def read_frames(folder: Path, settled: Settled) -> Iterator[Frame]:
    """All good frames behind what is settled; stops before the first one that does not hold.

    Raises:
        UnavailableError: a segment is missing, or does not go on where the one before ends.
    """
    place: Settled | None = None
    for segment in list_segments(folder):
        with segment.open("rb") as file:
            begins = Settled(tree_size=int(segment.name), chain=file.read(_CHAIN_BYTES))
            if place is None and begins.tree_size > settled.tree_size:
                raise _gap(segment, settled.tree_size)
            if place is not None and begins != place:
                raise _gap(segment, place.tree_size)
            place = begins
            _check_settled(place, settled, segment)
            for frame in _frames(file, segment, place):
                place = frame.place
                _check_settled(place, settled, segment)
                if frame.first >= settled.tree_size:
                    yield frame


def _gap(segment: Path, tree_size: int) -> UnavailableError:
    return UnavailableError(
        f"{segment}: does not go on where the {tree_size} entries before it end",
        hint=LOST_HINT,
    )


def _check_settled(place: Settled, settled: Settled, segment: Path) -> None:
    if place.tree_size == settled.tree_size and place.chain != settled.chain:
        raise UnavailableError(
            f"{segment}: does not go on from the {settled.tree_size} entries that are settled",
            hint=LOST_HINT,
        )


def _frames(file: BinaryIO, segment: Path, place: Settled) -> Iterator[Frame]:
    """The good frames of one segment, the file being read up to the first of them."""
    length_bytes, end_bytes = segment.stat().st_size, _CHAIN_BYTES
    while (payload := _read_payload(file, place.chain, length_bytes - end_bytes)) is not None:
        framed = _split(payload)
        first, end_bytes = place.tree_size, end_bytes + _HEAD_BYTES + len(payload)
        chain = _next_chain(place.chain, payload)
        place = Settled(tree_size=first + len(framed), chain=chain)
        yield Frame(
            first=first, framed=framed, place=place, segment=segment, end_bytes=end_bytes
        )


def _read_payload(file: BinaryIO, chain: bytes, left_bytes: int) -> bytes | None:
    """The next payload, or nothing at the end of the segment or of its good part."""
    head = file.read(_HEAD_BYTES)
    length = int.from_bytes(head[:4], "big")
    if not 0 < length <= left_bytes - _HEAD_BYTES:
        return None
    payload = file.read(length)
    holds = len(payload) == length and head[4:] == _next_chain(chain, payload)
    return payload if holds else None


def _blank_behind(last: Frame, length_bytes: int) -> None:
    """Make the rest of a segment zeros again where a torn frame is, and as long as it was."""
    with last.segment.open("rb") as file:
        file.seek(last.end_bytes)
        blank = not any(
            piece.strip(b"\0") for piece in iter(lambda: file.read(_READ_BYTES), b"")
        )
    if not blank:
        durable.cut_file(last.segment, last.end_bytes)
    durable.extend_file(last.segment, length_bytes)


def _next_chain(chain: bytes, payload: bytes) -> bytes:
    return hashlib.sha256(chain + payload).digest()


def _split(payload: bytes) -> list[bytes]:
    framed, place = list[bytes](), 0
    while place < len(payload):
        start, place = place, place + 2 + int.from_bytes(payload[place : place + 2], "big")
        framed.append(payload[start:place])
    if place != len(payload):
        raise MalformedError("journal: a frame's checksum holds, but its entries do not")
    return framed
