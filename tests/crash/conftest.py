"""The play that these tests share with the hostile ones."""

from tests.world import played

__all__ = ["played"]
