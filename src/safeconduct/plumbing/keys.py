"""Signing keys on disk: one file per key, in the text form that Go's note tools read.

PRIVATE+KEY+<name>+<8 hex digits>+<base64 of the type and the 32-byte seed> LF

The type is 0x01 for Ed25519 and 0x06 for ML-DSA-44.
"""

import stat
from pathlib import Path

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.plumbing import dice, durable
from safeconduct.protocol.tlog.note import ED25519, SigningKey, format_skey, parse_skey

_SEED_BYTES = 32
_KEY_FILE_BYTES_MAX = 1024
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def new_signing_key(path: Path, name: str, algorithm: int = ED25519) -> SigningKey:
    """A fresh key, ED25519 or MLDSA44, written to `path` for its owner's eyes only.

    Raises:
        MalformedError: a key cannot have this name.
        RefusedError: something is there already; a key is never overwritten.
        UnavailableError: the disk refused.
    """
    if path.exists() or path.is_symlink():
        raise RefusedError(f"{path}: already exists", hint="choose another folder or name")
    key = SigningKey(name=name, seed=dice.random_bytes(_SEED_BYTES), algorithm=algorithm)
    data = _format(key, path)
    durable.make_folder(path.parent)
    durable.write_secret(path, data)
    return key


def check_name(name: str) -> None:
    """Return if a key can have this name.

    Raises:
        MalformedError: it cannot.
    """
    _format(SigningKey(name=name, seed=bytes(_SEED_BYTES)), Path("key name"))


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
    return _parse(data, path)


def _format(key: SigningKey, path: Path) -> bytes:
    """The file of a key, which can be loaded again: else that would be found out too late."""
    try:
        data = (format_skey(key) + "\n").encode()
    except UnicodeEncodeError as error:
        raise MalformedError("key name: not UTF-8") from error
    _parse(data, path)
    return data


def _parse(data: bytes, path: Path) -> SigningKey:
    if len(data) > _KEY_FILE_BYTES_MAX:
        raise MalformedError(f"{path}: longer than {_KEY_FILE_BYTES_MAX} bytes")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise MalformedError(f"{path}: not a key file") from error
    if not text.endswith("\n"):
        raise MalformedError(f"{path}: not a key file, or cut short")
    return parse_skey(text[:-1])
