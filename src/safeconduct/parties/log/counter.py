"""Counter: where visitors wait for the proofs of the entries that they have brought.

All who wait are answered together: one publication makes all their proofs in one pass, in the
writer's thread, and hands them to the site's event loop in one call.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress

from safeconduct.errors import SafeconductError, UnavailableError
from safeconduct.parties.log.config import LEDGER
from safeconduct.parties.log.pool import Listener, Places
from safeconduct.parties.log.sequence import Log
from safeconduct.parties.log.store import Published
from safeconduct.plumbing import web
from safeconduct.protocol.tlog.merkle import leaf_hash


class Counter:
    """Those who wait for one log. Everything without `_told` runs in the event loop."""

    def __init__(self, log: Log, wait_seconds: float) -> None:
        self._log, self._wait_seconds = log, wait_seconds
        self._waiting: dict[bytes, list[asyncio.Future[bytes]]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        log.listen(Listener(published=self._told_published, stopped=self._told_stopped))

    async def proof_of(self, entry: bytes) -> bytes:
        """The tlog-proof of an entry, once a quorum has cosigned a tree that holds it.

        Raises:
            SafeconductError: the log does not admit the entry.
            UnavailableError: the log takes nothing in now, or the witnesses were too slow.
        """
        self._loop = asyncio.get_running_loop()
        waiting, leaf = self._loop.create_future(), leaf_hash(entry)
        # Before the entry is taken in: the answer may be faster than the way back from there.
        self._waiting.setdefault(leaf, []).append(waiting)
        try:
            async with asyncio.timeout(self._wait_seconds):
                index = await self._enter(entry)
                if index is not None:
                    return await web.in_thread(self._log.first_proof, index)
                proof: bytes = await waiting
                return proof
        except TimeoutError as error:
            raise UnavailableError(
                "the witnesses have not cosigned in time",
                hint="nothing is lost: send the same entry again later",
            ) from error
        finally:
            self._forget(leaf, waiting)

    async def _enter(self, entry: bytes) -> int | None:
        if self._log.config.kind == LEDGER:
            # 32 bytes are judged faster than a thread is asked; signatures are not.
            return self._log.enter(entry)
        return await web.in_thread(self._log.enter, entry)

    def _forget(self, leaf: bytes, waiting: asyncio.Future[bytes]) -> None:
        others = [each for each in self._waiting.pop(leaf, []) if each is not waiting]
        if others:
            self._waiting[leaf] = others

    def _answer(self, proofs: Mapping[bytes, bytes]) -> None:
        for leaf, proof in proofs.items():
            for waiting in self._waiting.get(leaf, ()):
                if not waiting.done():
                    waiting.set_result(proof)

    def _refuse(self, leaves: list[bytes] | None, error: SafeconductError) -> None:
        """Tell those who wait for some leaves, or for any, that there is no proof."""
        for leaf in list(self._waiting) if leaves is None else leaves:
            for waiting in self._waiting.get(leaf, ()):
                if not waiting.done():
                    waiting.set_exception(error)

    def _told_published(self, published: Published, places: Places) -> None:
        if not places or self._loop is None:
            return
        try:
            proofs = self._log.proofs(list(places.values()), published)
        except SafeconductError as error:
            self._call(self._refuse, list(places), error)
        else:
            self._call(self._answer, dict(zip(places, proofs, strict=True)))

    def _told_stopped(self, reason: UnavailableError) -> None:
        self._call(self._refuse, None, reason)

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        # A loop that is closed has nobody waiting in it.
        with suppress(RuntimeError):
            if self._loop is not None:
                self._loop.call_soon_threadsafe(function, *arguments)
