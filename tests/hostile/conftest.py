"""The play that these tests share with the ones on crashes."""

from tests.world import played

__all__ = ["played"]
