"""Counter: where visitors wait for the proofs of the entries that they have brought.

All who wait are answered together: one publication makes all their proofs in one pass, in the
writer's thread, and hands them to the site's event loop in one call.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from safeconduct.errors import SafeconductError, UnavailableError
from safeconduct.parties.log.config import LEDGER
from safeconduct.parties.log.pool import Listener, Places
from safeconduct.parties.log.sequence import Log
from safeconduct.parties.log.store import Published
from safeconduct.plumbing import web
from safeconduct.protocol.tlog.merkle import leaf_hash

ROOM_SECONDS = 0.02
"""How long those who bring many wait before they look again whether there is room."""


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

    async def proofs_of(self, entries: Sequence[bytes]) -> list[bytes]:
        """The tlog-proof of each entry, in order; empty for one that is not cosigned in time.

        While the pool is full, those that do not fit in wait until there is room.

        Raises:
            SafeconductError: there is no proof of any; why the first has none.
            UnavailableError: the witnesses were too slow for all of them.
        """
        self._loop = asyncio.get_running_loop()
        leaves = [leaf_hash(entry) for entry in entries]
        promises = {leaf: self._loop.create_future() for leaf in leaves}
        for leaf, promise in promises.items():
            self._waiting.setdefault(leaf, []).append(promise)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._wait_seconds):
                    for leaf, entry in dict(zip(leaves, entries, strict=True)).items():
                        await self._bring(entry, promises[leaf])
                    await asyncio.wait(promises.values())
        finally:
            for leaf, promise in promises.items():
                self._forget(leaf, promise)
        return _proofs([promises[leaf] for leaf in leaves])

    async def _bring(self, entry: bytes, promise: asyncio.Future[bytes]) -> None:
        """Enter one of many; what becomes of it is told through its promise."""
        try:
            index = await self._enter_when_room(entry)
            proof = None if index is None else await web.in_thread(self._log.first_proof, index)
        except SafeconductError as error:
            if not promise.done():
                promise.set_exception(error)
        else:
            if proof is not None and not promise.done():
                promise.set_result(proof)

    async def _enter_when_room(self, entry: bytes) -> int | None:
        while True:
            try:
                return await self._enter(entry)
            except UnavailableError:
                # A log that takes entries, but not this one, has too many that wait.
                if not self._log.health().accepting:
                    raise
            await asyncio.sleep(ROOM_SECONDS)

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


def _proofs(promises: Sequence[asyncio.Future[bytes]]) -> list[bytes]:
    """The proofs that were given, and nothing in place of the others; at least one."""
    errors = {each: each.exception() if each.done() else None for each in promises}
    given = [
        each.result() if each.done() and errors[each] is None else b"" for each in promises
    ]
    if any(given):
        return given
    for error in errors.values():
        if error is not None:
            raise error
    raise UnavailableError(
        "the witnesses have not cosigned in time",
        hint="nothing is lost: send the same entries again later",
    )
