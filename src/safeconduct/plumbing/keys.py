"""Signing keys on disk: one file per key, in the text form that Go's note tools read.

PRIVATE+KEY+<name>+<8 hex digits>+<base64 of 0x01 and the 32-byte seed> LF
"""

import stat
from pathlib import Path

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.plumbing import dice, durable
from safeconduct.protocol.tlog.note import SigningKey, format_skey, parse_skey

_SEED_BYTES = 32
_KEY_FILE_BYTES_MAX = 1024
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def new_signing_key(path: Path, name: str) -> SigningKey:
    """A fresh Ed25519 key, written to `path` for its owner's eyes only.

    Raises:
        RefusedError: something is there already; a key is never overwritten.
        UnavailableError: the disk refused.
    """
    if path.exists() or path.is_symlink():
        raise RefusedError(f"{path}: already exists", hint="choose another folder or name")
    key = SigningKey(name=name, seed=dice.random_bytes(_SEED_BYTES))
    durable.make_folder(path.parent)
    durable.write_secret(path, (format_skey(key) + "\n").encode())
    return key


def load_signing_key(path: Path) -> SigningKey:
    """The key in the file at `path`.

    Raises:
        MalformedError: it holds something else.
        RefusedError: other users of this machine may read it.
        UnavailableError: it is not there.
    """
    data = durable.read_file(path, bytes_max=_KEY_FILE_BYTES_MAX)
    if path.stat().st_mode & _OTHERS:
        raise RefusedError(f"{path}: other users can read this key", hint=f"chmod 600 {path}")
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        raise MalformedError(f"{path}: not a key file") from error
    if not text.endswith("\n"):
        raise MalformedError(f"{path}: not a key file, or cut short")
    return parse_skey(text[:-1])
