"""What makes one log: its folder, and the few facts fixed when it was founded.

<dir>/<name>/log.json       name, origin, kind, pad: canonical JSON, written once
             key            the log's Ed25519 signing key, mode 0600
             key-mldsa44    its ML-DSA-44 key, for a second signature line; mode 0600
             signed.db      the lock store
             journal/       the newest entries, until they are settled in their bundles
             writer         held by the one process that writes
             placing        the tile being written at this moment
             public/        checkpoint and tiles; may be served by any web server
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from safeconduct.errors import MalformedError, RefusedError, UnavailableError
from safeconduct.parties.log.store import create_store
from safeconduct.plumbing import durable, keys
from safeconduct.protocol.canonical import Json, format_json, parse_json
from safeconduct.protocol.tlog.checkpoint import Checkpoint, format_checkpoint
from safeconduct.protocol.tlog.cosignature import sign_as_log
from safeconduct.protocol.tlog.merkle import EMPTY_ROOT, Tree
from safeconduct.protocol.tlog.note import (
    ED25519,
    MLDSA44,
    Note,
    SigningKey,
    VerifierKey,
    format_note,
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
    def second_key(self) -> Path:
        return self.path / "key-mldsa44"

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
    def scratch(self) -> Path:
        return self.path / "placing"

    @property
    def public(self) -> Path:
        return self.path / "public"

    @property
    def checkpoint(self) -> Path:
        return self.public / "checkpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogKeys:
    """What a log signs its checkpoints with; logs founded before 2026-11 have no second key."""

    first: SigningKey
    second: SigningKey | None = None

    @property
    def verifiers(self) -> tuple[VerifierKey, ...]:
        """The public halves, Ed25519 first."""
        return tuple(key.verifier() for key in (self.first, self.second) if key is not None)


def new_log(folder: Path, config: LogConfig) -> VerifierKey:
    """Found a log in `folder`/<name>: its keys, its signed empty tree, its config.

    Returns its Ed25519 key; `load_keys` has both.

    Raises:
        RefusedError: there is a log already.
        MalformedError: the origin cannot name a key.
    """
    paths = LogFolder(path=folder / config.name)
    if paths.config.exists():
        raise RefusedError(f"{paths.path}: there is a log already")
    # The key's name is the origin; whatever a reader of the key would refuse is refused now.
    keys.check_name(config.origin)
    key = keys.new_signing_key(paths.key, config.origin)
    keys.new_signing_key(paths.second_key, config.origin, MLDSA44)
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


def load_keys(paths: LogFolder) -> LogKeys:
    """The signing keys of the log in `paths`.

    Raises:
        MalformedError: a file holds something else, or a key of the wrong type.
        RefusedError: other users of this machine may read one.
        UnavailableError: the first is not there.
    """
    first = keys.load_signing_key(paths.key)
    second = keys.load_signing_key(paths.second_key) if paths.second_key.exists() else None
    if first.algorithm != ED25519 or (second is not None and second.algorithm != MLDSA44):
        raise MalformedError(f"{paths.path}: a key of the wrong type for its file")
    return LogKeys(first=first, second=second)


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
    """The checkpoint of `tree` with the log's Ed25519 signature; its name is the origin."""
    text = format_checkpoint(Checkpoint(origin=key.name, tree=tree))
    return Note(text=text, signatures=(sign_note(text, key),))


def with_second_line(note: Note, key: SigningKey | None, at: int) -> Note:
    """A log's note with the line of its ML-DSA-44 key, if it has one, dated `at` seconds."""
    if key is None:
        return note
    line = sign_as_log(note.text, key, at)
    return replace(note, signatures=(*note.signatures, line))


def _to_json(config: LogConfig) -> Json:
    return {
        "name": config.name,
        "origin": config.origin,
        "kind": config.kind,
        "pad": config.pad,
    }
