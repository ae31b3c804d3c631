"""The play that these tests share with the ones on crashes, and a command line in it."""

from tests.hostile.console import console
from tests.world import played

__all__ = ["console", "played"]
