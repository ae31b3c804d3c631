"""Age files on a disk: sealed, opened, or given to another reader, in constant memory.

The target appears whole and durable, or not at all: nothing stands under its name, and nothing
is left beside it, unless every byte was made, checked and written. So a file that is there
opens, and plaintext that is there is the whole of what was sealed.

    read 1 MiB ── seal or open 64 KiB ── write 1 MiB to a 0600 temporary ── fsync ── rename

Spec: C2SP age.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from safeconduct.errors import RefusedError
from safeconduct.plumbing.durable import read_stream, write_stream
from safeconduct.protocol import age


def seal_file(
    source: Path | Iterable[bytes],
    target: Path,
    recipients: Sequence[age.Recipient],
    random_bytes: age.RandomBytes,
    *,
    armor: bool = False,
) -> None:
    """Write an age file of a file's or an iterable's bytes, for `recipients` of one kind.

    Raises:
        MalformedError: a recipient's public key is invalid.
        RefusedError: the target is the source.
        UnavailableError: a disk refused; names the file.
        ValueError: no recipient, or a mix that is not allowed.
    """
    sealed = age.seal(recipients, _chunks(source, target), random_bytes)
    write_stream(target, age.armored(sealed) if armor else sealed)


def open_file(
    source: Path | Iterable[bytes], target: Path, identities: Iterable[age.Identity]
) -> None:
    """Write the content of an age file, armored or not, to a file of mode 0600.

    Raises:
        MalformedError: the file or its armor is malformed.
        UnverifiedError: it is not for any of `identities`, or it was changed.
        RefusedError: the target is the source.
        UnavailableError: a disk refused; names the file.
    """
    write_stream(target, age.open_(identities, age.unarmored(_chunks(source, target))))


def swap_file(
    source: Path | Iterable[bytes],
    target: Path,
    identity: age.Identity,
    recipient: age.Recipient,
    random_bytes: age.RandomBytes,
) -> None:
    """Write the age file with a header for `recipient` alone; the payload stays as it is.

    The payload is not looked into: who holds a commitment to it compares it with that.

    Raises:
        MalformedError: the old header or the new recipient is malformed.
        UnverifiedError: `identity` does not open the header, or it was changed.
        RefusedError: the target is the source.
        UnavailableError: a disk refused; names the file.
    """
    chunks = age.unarmored(_chunks(source, target))
    write_stream(target, age.swapped(identity, recipient, chunks, random_bytes))


def _chunks(source: Path | Iterable[bytes], target: Path) -> Iterable[bytes]:
    if not isinstance(source, Path):
        return source
    if source.exists() and target.exists() and os.path.samefile(source, target):
        raise RefusedError(f"{target}: is the file to be read", hint="name another target")
    return read_stream(source)
