"""SHA-256 on another core, while the caller goes on with the bytes that it hashes.

Sealing a large file takes three SHA-256 passes for one of encryption. Both leave Python's lock
while they work, so two of them run at once where there are two cores.
"""

import hashlib
from threading import Thread

_BATCH_BYTES = 2 << 20  # 1.5 ms of hashing, so that starting a thread for it costs little


class Sha256Behind:
    """A SHA-256 whose `update` returns before the bytes are hashed; it holds up to 4 MiB.

    At most one thread works for it, and for one batch only: an object that is given up leaves
    nothing behind. What is shorter than a batch is hashed in place.
    """

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._batch: list[bytes] = []
        self._batch_bytes = 0
        self._thread: Thread | None = None

    def update(self, data: bytes, /) -> None:
        """Add bytes, which must not change any more."""
        self._batch.append(data)
        self._batch_bytes += len(data)
        if self._batch_bytes >= _BATCH_BYTES:
            self._wait()
            self._thread = Thread(target=self._hash, args=(self._batch,), daemon=True)
            self._thread.start()
            self._batch, self._batch_bytes = [], 0

    def digest(self) -> bytes:
        """The 32-byte hash of all bytes so far."""
        self._wait()
        self._hash(self._batch)
        self._batch, self._batch_bytes = [], 0
        return self._digest.digest()

    def _hash(self, batch: list[bytes]) -> None:
        for data in batch:
            self._digest.update(data)

    def _wait(self) -> None:
        if self._thread is not None:
            self._thread.join()
            self._thread = None
