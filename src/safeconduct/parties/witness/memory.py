"""A witness's folder: all that it remembers, opened together.

key, key-mldsa44      its signing keys; the latter may be missing
witness.db            what it has cosigned: see `store`
published/            its last notes, to notice a database put back: see `published`
forks/                proofs against logs: see `evidence`
writer                held by the one process that works here
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from safeconduct.parties.witness.evidence import Evidence
from safeconduct.parties.witness.published import Published
from safeconduct.parties.witness.store import Store, open_store
from safeconduct.plumbing import durable, keys
from safeconduct.protocol.tlog.note import MLDSA44, SigningKey

_KEY_FILE = "key"
_MLDSA44_FILE = "key-mldsa44"


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a witness knows, in its three forms."""

    store: Store
    evidence: Evidence
    published: Published


def open_memory(folder: Path, origins: Iterable[str] = ()) -> Memory:
    """The memory in `folder`, with a place for each log.

    Raises:
        UnavailableError: the disk refused, or another release wrote it.
    """
    durable.make_folder(folder)
    store = open_store(folder / "witness.db", origins)
    return Memory(
        store=store,
        evidence=Evidence(store, folder / "forks"),
        published=Published(folder / "published"),
    )


@contextmanager
def working_in(folder: Path) -> Iterator[Memory]:
    """The memory in `folder` for the one process that may change it during the block.

    Raises:
        UnavailableError: another process works there.
    """
    durable.make_folder(folder)
    with durable.sole_writer(folder / "writer"):
        memory = open_memory(folder)
        try:
            yield memory
        finally:
            memory.store.close()


def new_keys(folder: Path, name: str, *, classic: bool) -> list[SigningKey]:
    """The fresh keys of a witness, Ed25519 first; that one only if `classic`.

    Raises:
        RefusedError: the folder holds a key already.
    """
    made = [keys.new_signing_key(folder / _KEY_FILE, name)]
    if not classic:
        made.append(keys.new_signing_key(folder / _MLDSA44_FILE, name, MLDSA44))
    return made


def load_keys(folder: Path) -> list[SigningKey]:
    """The keys of the witness in `folder`, Ed25519 first.

    Raises:
        MalformedError: a file that is no key.
        RefusedError: other users of this machine may read one.
        UnavailableError: there is no Ed25519 key.
    """
    own = [keys.load_signing_key(folder / _KEY_FILE)]
    if (folder / _MLDSA44_FILE).exists():
        own.append(keys.load_signing_key(folder / _MLDSA44_FILE))
    return own
