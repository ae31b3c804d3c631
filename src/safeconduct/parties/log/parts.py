"""Parts: what a log's writer is made of, how fast it goes, and how it says it is."""

from dataclasses import dataclass

from safeconduct.parties.log.admission import Admit
from safeconduct.parties.log.ahead import Lookout
from safeconduct.parties.log.config import LogConfig, LogFolder, LogKeys
from safeconduct.parties.log.journal import Journal
from safeconduct.parties.log.quorum import Quorum
from safeconduct.parties.log.settle import Settler
from safeconduct.parties.log.space import RESERVE_BYTES
from safeconduct.parties.log.store import LockStore
from safeconduct.parties.log.tiles import TileWriter

EVERY_SECONDS = 1.0
EVERY_SECONDS_MIN = 0.02
EVERY_SECONDS_MAX = 10.0  # those who wait for a proof wait for at least one round
REPUBLISH_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often a batch is made and an idle log cosigned afresh; how much space is kept."""

    every_seconds: float = EVERY_SECONDS
    republish_seconds: float = REPUBLISH_SECONDS
    reserve_bytes: int = RESERVE_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a log is; `reason` says why it takes no entries. Instants are POSIX seconds, or 0."""

    accepting: bool
    reason: str
    tree_size: int
    published_size: int
    free_bytes: int
    signed_at: int
    published_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a log's writer works with; `open_log` puts it together."""

    config: LogConfig
    paths: LogFolder
    keys: LogKeys
    store: LockStore
    journal: Journal
    settler: Settler
    tiles: TileWriter
    quorum: Quorum
    lookout: Lookout
    admit: Admit
    pace: Pace
