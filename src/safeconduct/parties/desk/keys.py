"""The desk's keys on disk: three files per epoch, readable by their owner alone.

    keys/epoch-1.hybrid      AGE-SECRET-KEY-PQ-1… LF     opens tips of the default profile
    keys/epoch-1.classic     AGE-SECRET-KEY-1… LF        opens tips of the classic profile
    keys/epoch-1.statement   PRIVATE+KEY+desk-epoch-1+…  signs what the desk states

The first two are identity files of the stock `age` tool, so that no tip ever depends on us.
"""

import re
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from safeconduct.errors import MalformedError, RefusedError, UnavailableError
from safeconduct.plumbing.durable import make_folder, read_file, write_secret
from safeconduct.plumbing.keys import load_signing_key, new_signing_key
from safeconduct.protocol import age
from safeconduct.protocol.tlog.note import SigningKey

SEED_BYTES = 32
KEYS_FOLDER = "keys"
_IDENTITY_BYTES_MAX = 256
_STATEMENT_FILE = re.compile(r"epoch-([1-9][0-9]{0,8})\.statement")
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
        found = (_STATEMENT_FILE.fullmatch(path.name) for path in self._folder.glob("epoch-*"))
        return sorted(int(match[1]) for match in found if match)

    def epoch(self, number: int) -> EpochKeys:
        """The keys of epoch `number`.

        Raises:
            UnavailableError: they are not on this machine.
            MalformedError, RefusedError: a file holds something else, or others may read it.
        """
        if number not in self.numbers():
            raise UnavailableError(
                f"the keys of desk epoch {number} are not on this machine",
                hint="bring them from where the epoch was made",
            )
        return EpochKeys(
            number=number,
            hybrid=_load_identity(self._path(number, "hybrid")),
            classic=_load_identity(self._path(number, "classic")),
            statement=load_signing_key(self._path(number, "statement")),
        )

    def make(self, number: int, random_bytes: Callable[[int], bytes]) -> EpochKeys:
        """The keys of epoch `number`, made if they are not here yet; never made twice.

        The statement key comes last: once it is there, all three are.
        """
        if number in self.numbers():
            return self.epoch(number)
        make_folder(self._folder, mode=0o700)
        made: dict[str, age.SecretIdentity] = {
            "hybrid": age.hybrid_identity(random_bytes(SEED_BYTES)),
            "classic": age.x25519_identity(random_bytes(SEED_BYTES)),
        }
        for kind, identity in made.items():
            text = age.format_identity(identity) + "\n"
            write_secret(self._path(number, kind), text.encode("ascii"))
        new_signing_key(self._path(number, "statement"), f"desk-epoch-{number}")
        return self.epoch(number)

    def _path(self, number: int, kind: str) -> Path:
        return self._folder / f"epoch-{number}.{kind}"


def _load_identity(path: Path) -> age.SecretIdentity:
    data = read_file(path, bytes_max=_IDENTITY_BYTES_MAX)
    if path.stat().st_mode & _OTHERS:
        raise RefusedError(f"{path}: other users can read this key", hint=f"chmod 600 {path}")
    if not data.isascii() or not data.endswith(b"\n"):
        raise MalformedError(f"{path}: not an age identity file, or cut short")
    return age.parse_identity(data[:-1].decode("ascii"))
