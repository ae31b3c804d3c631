"""The present, as the door knows it: its clock, but never behind what the witnesses know.

A clock that was set back would have the door seal to a key of the desk that is closed by now,
refuse the desk its mail, tell sources that they have more time than they have. So the newest
reading of the Gazette is a floor under the clock: at least as much time has passed as its
quorum vouched for, and as has gone by since it was read.

    seconds = max( clock, vouched_at + time since that reading )

Nothing is dated by it all the same: dates are the witnesses'. What only measures how long
something lies here (tickets, spools) asks `clock.steady_seconds`.
"""

import threading
from collections.abc import Callable

from safeconduct.plumbing import clock
from safeconduct.plumbing.logs import GazetteView


class Present:
    """One door's present; any thread may call. `seconds` gives POSIX seconds."""

    def __init__(
        self,
        seconds: Callable[[], int] = clock.seconds,
        steady_seconds: Callable[[], int] = clock.steady_seconds,
    ) -> None:
        self._clock, self._steady = seconds, steady_seconds
        self._lock = threading.Lock()
        self._ahead = -steady_seconds()  # of the steady clock, by which the floor is

    def seconds(self) -> int:
        """The present in whole POSIX seconds."""
        return max(self._clock(), self._ahead + self._steady())

    def vouched(self, at: int) -> None:
        """Take note that a quorum has vouched, by now, for the second `at`."""
        with self._lock:
            self._ahead = max(self._ahead, at - self._steady())

    def watching(self, read: Callable[[], GazetteView]) -> Callable[[], GazetteView]:
        """`read`, with what each reading says about the present taken note of."""

        def watched() -> GazetteView:
            view = read()
            self.vouched(view.cosigned.vouched_at)
            return view

        return watched
