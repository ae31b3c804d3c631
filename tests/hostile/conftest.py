"""The play that these tests share with the ones on crashes, and a command line in it."""

from tests.hostile.console import carried, console
from tests.hostile.seating import seated
from tests.world import played

__all__ = ["carried", "console", "played", "seated"]
