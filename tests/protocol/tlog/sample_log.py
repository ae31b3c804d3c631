"""A small log, its witnesses and their policy, for the tests of every tlog format."""

from collections.abc import Sequence

from hypothesis import strategies as st

from safeconduct.protocol.tlog.checkpoint import Checkpoint, format_checkpoint
from safeconduct.protocol.tlog.cosignature import cosign
from safeconduct.protocol.tlog.merkle import Frontier, ReadHashes, Subtree, leaf_hash
from safeconduct.protocol.tlog.note import (
    COSIGNATURE,
    MLDSA44,
    Note,
    SignatureLine,
    SigningKey,
    format_vkey,
    sign_note,
)

ORIGIN = "log.example/ledger"
LOG = SigningKey(name=ORIGIN, seed=bytes(32))
WITNESSES = {
    f"W{number}": SigningKey(name=f"witness.example/w{number}", seed=bytes([number]) * 32)
    for number in range(1, 6)
}
LOG_44 = SigningKey(name=ORIGIN, seed=b"\x44" * 32, algorithm=MLDSA44)
W1_44 = SigningKey(name="witness.example/w1", seed=b"\x41" * 32, algorithm=MLDSA44)
"""The second keys of the log and of a witness."""
NOON = 1_800_000_000
"""POSIX seconds."""

LOG_VKEY = format_vkey(LOG.verifier())
VKEYS = {name: format_vkey(key.verifier(COSIGNATURE)) for name, key in WITNESSES.items()}

TWO_SIDES = "".join(
    [
        f"log {LOG_VKEY}\n",
        *(f"witness {name} {vkey}\n" for name, vkey in VKEYS.items()),
        "group programme 2 W1 W2 W3\n",
        "group insiders any W4 W5\n",
        "group both all programme insiders\n",
        "quorum both\n",
    ]
)
"""Two of the programme's three witnesses, and one of the insiders' two."""


def entry(index: int) -> bytes:
    return b"entry %d" % index


def grown(size: int) -> tuple[Frontier, dict[Subtree, bytes]]:
    return Frontier.empty().extend([leaf_hash(entry(index)) for index in range(size)])


def reader(stored: dict[Subtree, bytes]) -> ReadHashes:
    def read(subtrees: Sequence[Subtree]) -> list[bytes]:
        return [stored[subtree] for subtree in subtrees]

    return read


def checkpoint_text(size: int = 7) -> str:
    return format_checkpoint(Checkpoint(origin=ORIGIN, tree=grown(size)[0].tree()))


def cosigned(times: dict[str, int], size: int = 7) -> Note:
    """The log's checkpoint, with a cosignature of each named witness at its time."""
    text = checkpoint_text(size)
    lines = [cosign(text, WITNESSES[name], at) for name, at in times.items()]
    return Note(text=text, signatures=(sign_note(text, LOG), *lines))


def with_line(note: Note, line: SignatureLine) -> Note:
    return Note(text=note.text, signatures=(*note.signatures, line))


def near(data: bytes) -> st.SearchStrategy[bytes]:
    """`data` with one stretch of up to three bytes replaced by up to three others."""
    places = st.integers(0, len(data))
    interesting = st.sampled_from([b"", b"\n", b"\n\n", b" ", b"0", b"\r", b"+", b"=", b"#"])
    replacement = interesting | st.binary(max_size=3)
    return st.builds(
        lambda start, removed, put: data[:start] + put + data[start + removed :],
        places,
        st.integers(0, 3),
        replacement,
    )
