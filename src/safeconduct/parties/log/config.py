"""What makes one log: its folder, and the few facts fixed when it was founded.

<dir>/<name>/log.json       name, origin, kind, pad: canonical JSON, written once
             key            the log's signing key, mode 0600
             signed.db      the lock store
             journal        every entry
             writer         held by the one process that writes
             public/        checkpoint and tiles; may be served by any web server
"""

import re
from dataclasses import dataclass
from pathlib import Path

from safeconduct.errors import MalformedError, RefusedError, UnavailableError
from safeconduct.parties.log.store import create_store
from safeconduct.plumbing import durable, keys
from safeconduct.protocol.canonical import Json, format_json, parse_json
from safeconduct.protocol.tlog.checkpoint import Checkpoint, format_checkpoint
from safeconduct.protocol.tlog.merkle import EMPTY_ROOT, Tree
from safeconduct.protocol.tlog.note import (
    Note,
    SigningKey,
    VerifierKey,
    format_note,
    format_vkey,
    parse_vkey,
    sign_note,
)

GAZETTE = "gazette"
LEDGER = "ledger"
KINDS = (GAZETTE, LEDGER)
PAD_DEFAULT = {GAZETTE: 0, LEDGER: 8}
PAD_MAX = 1024  # entries
HASH_ENTRY_BYTES = 32

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_CONFIG_BYTES_MAX = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class LogConfig:
    """One log as it was founded; a batch is padded to a multiple of `pad` entries, 0 is not."""

    name: str
    origin: str
    kind: str
    pad: int

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise MalformedError("log name: not 1 to 32 of a-z, 0-9 and hyphens")
        if self.kind not in KINDS:
            raise MalformedError(f"log kind: not one of {', '.join(KINDS)}")
        if not 0 <= self.pad <= PAD_MAX:
            raise MalformedError(f"log pad: not 0 to {PAD_MAX} entries")
        if self.pad and self.kind != LEDGER:
            raise MalformedError("log pad: only a ledger has entries that dummies look like")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFolder:
    """The paths of one log."""

    path: Path

    @property
    def config(self) -> Path:
        return self.path / "log.json"

    @property
    def key(self) -> Path:
        return self.path / "key"

    @property
    def lock_store(self) -> Path:
        return self.path / "signed.db"

    @property
    def journal(self) -> Path:
        return self.path / "journal"

    @property
    def writer(self) -> Path:
        return self.path / "writer"

    @property
    def public(self) -> Path:
        return self.path / "public"

    @property
    def checkpoint(self) -> Path:
        return self.public / "checkpoint"


def new_log(folder: Path, config: LogConfig) -> VerifierKey:
    """Found a log in `folder`/<name>: its key, its signed empty tree, its config.

    Raises:
        RefusedError: there is a log already.
        MalformedError: the origin cannot name a key.
    """
    paths = LogFolder(path=folder / config.name)
    if paths.config.exists():
        raise RefusedError(f"{paths.path}: there is a log already")
    # The key's name is the origin; whatever a reader of the key would refuse is refused now.
    probe = SigningKey(name=config.origin, seed=bytes(32)).verifier()
    parse_vkey(format_vkey(probe))
    key = keys.new_signing_key(paths.key, config.origin)
    tree = Tree(size=0, root_hash=EMPTY_ROOT)
    create_store(paths.lock_store, config.origin, tree, format_note(sign_tree(tree, key)))
    durable.make_folder(paths.public)
    # Written last: a founding that was interrupted before this line is no log yet.
    durable.write_file(paths.config, format_json(_to_json(config)))
    return key.verifier()


def load_config(folder: Path) -> LogConfig:
    """The config of the log in `folder`.

    Raises:
        MalformedError: not a log's config.
        UnavailableError: there is none.
    """
    paths = LogFolder(path=folder)
    data = durable.read_file(paths.config, bytes_max=_CONFIG_BYTES_MAX)
    value = parse_json(data, str(paths.config))
    if not isinstance(value, dict) or value.keys() != {"name", "origin", "kind", "pad"}:
        raise MalformedError(f"{paths.config}: not name, origin, kind and pad")
    name, origin, kind, pad = (value[key] for key in ("name", "origin", "kind", "pad"))
    if not (isinstance(name, str) and isinstance(origin, str) and isinstance(kind, str)):
        raise MalformedError(f"{paths.config}: name, origin and kind are texts")
    if not isinstance(pad, int) or isinstance(pad, bool):
        raise MalformedError(f"{paths.config}: pad is a number")
    return LogConfig(name=name, origin=origin, kind=kind, pad=pad)


def find_logs(folder: Path) -> list[Path]:
    """The folders of all logs below `folder`, by name.

    Raises:
        UnavailableError: there is none.
    """
    found = sorted(path.parent for path in folder.glob("*/log.json"))
    if not found:
        raise UnavailableError(f"{folder}: no log here", hint="make one: safeconduct log new")
    return found


def sign_tree(tree: Tree, key: SigningKey) -> Note:
    """The checkpoint of `tree` with the log's signature; the key's name is the origin."""
    text = format_checkpoint(Checkpoint(origin=key.name, tree=tree))
    return Note(text=text, signatures=(sign_note(text, key),))


def _to_json(config: LogConfig) -> Json:
    return {
        "name": config.name,
        "origin": config.origin,
        "kind": config.kind,
        "pad": config.pad,
    }
