"""The desk's keys on disk: three files per epoch, readable by their owner alone.

    keys/epoch-1.hybrid      AGE-SECRET-KEY-PQ-1… LF     opens tips of the default profile
    keys/epoch-1.classic     AGE-SECRET-KEY-1… LF        opens tips of the classic profile
    keys/epoch-1.statement   PRIVATE+KEY+desk-epoch-1+…  signs what the desk states

The first two are identity files of the stock `age` tool, so that no tip ever depends on us.
"""

import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from safeconduct.errors import (
    MalformedError,
    RefusedError,
    SafeconductError,
    UnavailableError,
)
from safeconduct.plumbing import durable
from safeconduct.plumbing.durable import make_folder, read_file, write_secret
from safeconduct.plumbing.keys import load_signing_key, new_signing_key
from safeconduct.protocol import age
from safeconduct.protocol.tlog.note import SigningKey

SEED_BYTES = 32
KEYS_FOLDER = "keys"
_IDENTITY_BYTES_MAX = 256
KINDS = ("statement", "hybrid", "classic")
_KEY_FILE = re.compile(rf"epoch-([1-9][0-9]{{0,8}})\.({'|'.join(KINDS)})")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochKeys:
    """All that the desk holds for one epoch."""

    number: int
    hybrid: age.SecretIdentity = field(repr=False)
    classic: age.SecretIdentity = field(repr=False)
    statement: SigningKey

    @property
    def identities(self) -> tuple[age.SecretIdentity, ...]:
        """What opens the tips of this epoch, whichever profile they were sealed under."""
        return (self.hybrid, self.classic)


class Keyring:
    """The key files below one folder, read anew at each use: nothing stays in memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / KEYS_FOLDER

    def numbers(self) -> list[int]:
        """The epochs whose keys are all here, in order."""
        return [number for number, kinds in self.found().items() if "statement" in kinds]

    def found(self) -> dict[int, tuple[str, ...]]:
        """The kinds of key files that are here of each epoch, in order; none of it is read."""
        names = (_KEY_FILE.fullmatch(path.name) for path in self._folder.glob("epoch-*"))
        files = {(int(match[1]), match[2]) for match in names if match}
        return {
            number: tuple(kind for kind in KINDS if (number, kind) in files)
            for number in sorted({number for number, _ in files})
        }

    def epoch(self, number: int) -> EpochKeys:
        """The keys of epoch `number`.

        Raises:
            UnavailableError: they are not on this machine, or a file holds something else, or
                others may read it. It is never the fault of who sealed a tip.
        """
        statement = self.statement(number)
        with _our_fault():
            return EpochKeys(
                number=number,
                hybrid=_load_identity(self._path(number, "hybrid")),
                classic=_load_identity(self._path(number, "classic")),
                statement=statement,
            )

    def statement(self, number: int) -> SigningKey:
        """What signs the desk's word in epoch `number`.

        Raises:
            UnavailableError: as `epoch`.
        """
        if number not in self.numbers():
            raise UnavailableError(
                f"the keys of desk epoch {number} are not on this machine",
                hint="bring them from where the epoch was made",
            )
        with _our_fault():
            return load_signing_key(self._path(number, "statement"))

    def destroy(self, number: int) -> None:
        """Overwrite and remove whatever key files of an epoch are here; may be repeated.

        The statement key goes first: from then on the epoch counts as gone. A disk that writes
        elsewhere than where it is told, as flash does, may keep the old bytes all the same.

        Raises:
            UnavailableError: the disk refused; some may be left, and `found` says which.
        """
        for kind in self.found().get(number, ()):
            path = self._path(number, kind)
            handle = durable.open_writing(path)
            try:
                durable.write_synced(handle, bytes(path.stat().st_size), 0, path)
            finally:
                durable.close(handle)
            durable.remove_file(path)
            durable.sync_folder(self._folder)
        durable.remove_temporaries(self._folder, below=False)

    def make(self, number: int, random_bytes: Callable[[int], bytes]) -> EpochKeys:
        """The keys of epoch `number`, made if they are not here yet; never made twice.

        The statement key comes last: once it is there, all three are.
        """
        make_folder(self._folder, mode=0o700)
        # Two at once would mix their keys, and certify one that no file holds.
        with durable.one_by_one(self._folder):
            if number not in self.numbers():
                self._make(number, random_bytes)
            return self.epoch(number)

    def _make(self, number: int, random_bytes: Callable[[int], bytes]) -> None:
        made: dict[str, age.SecretIdentity] = {
            "hybrid": age.hybrid_identity(random_bytes(SEED_BYTES)),
            "classic": age.x25519_identity(random_bytes(SEED_BYTES)),
        }
        for kind, identity in made.items():
            text = age.format_identity(identity) + "\n"
            write_secret(self._path(number, kind), text.encode("ascii"))
        new_signing_key(self._path(number, "statement"), f"desk-epoch-{number}")

    def _path(self, number: int, kind: str) -> Path:
        return self._folder / f"epoch-{number}.{kind}"


@contextmanager
def _our_fault() -> Iterator[None]:
    try:
        yield
    except SafeconductError as error:
        raise UnavailableError(error.message, hint=error.hint) from error


def _load_identity(path: Path) -> age.SecretIdentity:
    data = read_file(path, bytes_max=_IDENTITY_BYTES_MAX)
    if path.stat().st_mode & _OTHERS:
        raise RefusedError(f"{path}: other users can read this key", hint=f"chmod 600 {path}")
    if not data.isascii() or not data.endswith(b"\n"):
        raise MalformedError(f"{path}: not an age identity file, or cut short")
    return age.parse_identity(data[:-1].decode("ascii"))
