"""Writes the published files: `python -m tests.vectors.make` in the project's root.

The same bytes come out every time. ML-DSA signatures and hybrid headers depend on chance, so
those that the files hold already, and that are still right, are kept.
"""

import base64
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from tests.protocol.tlog.sample_log import (
    LOG,
    LOG_44,
    NOON,
    ORIGIN,
    W1_44,
    WITNESSES,
    entry,
    grown,
    reader,
)
from tests.vectors import make_all_sealed
from tests.vectors.edits import MALFORMED_BY_EDIT, UNVERIFIED_BY_EDIT, Edits
from tests.vectors.form import FOLDER
from tests.vectors.formats import FORMATS

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.canonical import u64
from safeconduct.protocol.signature import sign_ed25519, sign_mldsa44, verify_mldsa44
from safeconduct.protocol.tlog.checkpoint import Checkpoint, format_checkpoint
from safeconduct.protocol.tlog.cosignature import cosign
from safeconduct.protocol.tlog.fork import ForkProof, fork_hashes, format_fork
from safeconduct.protocol.tlog.merkle import (
    EMPTY_ROOT,
    Frontier,
    Tree,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
)
from safeconduct.protocol.tlog.note import (
    COSIGNATURE,
    MLDSA44,
    OTHER,
    Note,
    SignatureLine,
    SigningKey,
    VerifierKey,
    format_note,
    format_skey,
    format_vkey,
    parse_note,
    sign_note,
)
from safeconduct.protocol.tlog.proof import TlogProof, format_proof
from safeconduct.protocol.tlog.tile import format_bundle

Files = dict[str, bytes]
"""Path below this folder: content."""

W1, W2 = WITNESSES["W1"], WITNESSES["W2"]
WORDS = "Words that somebody signed.\n\nThe text may have empty lines.\n"
MESSAGE_44 = "subtree/v1\n\0"


# Keys.


def keys() -> Iterator[tuple[str, bytes]]:
    named = {
        "log": LOG.verifier(),
        "log-mldsa44": LOG_44.verifier(),
        "w1": W1.cosigner(),
        "w1-mldsa44": W1_44.cosigner(),
        "w2": W2.cosigner(),
    }
    for name, key in named.items():
        yield f"keys/{name}.vkey", format_vkey(key).encode()
    yield "keys/trust.policy", trust()


def trust() -> bytes:
    """Any key of the log; of the first witness both keys, or the second witness."""
    lines = [
        f"log {format_vkey(LOG.verifier())}",
        f"log {format_vkey(LOG_44.verifier())}",
        f"witness w1 {format_vkey(W1.cosigner())}",
        f"witness w1-mldsa44 {format_vkey(W1_44.cosigner())}",
        f"witness w2 {format_vkey(W2.cosigner())}",
        "group first all w1 w1-mldsa44",
        "group enough any first w2",
        "quorum enough",
    ]
    return "".join(line + "\n" for line in lines).encode()


# Signed texts.


def text_of(tree: Tree, *extensions: str, origin: str = ORIGIN) -> str:
    return format_checkpoint(Checkpoint(origin=origin, tree=tree, extensions=extensions))


def tree_of(size: int, forged: int | None = None) -> Tree:
    return edge_of(size, forged)[0].tree()


def edge_of(size: int, forged: int | None) -> tuple[Frontier, dict[tuple[int, int], bytes]]:
    leaves = [leaf_hash(b"forged" if at == forged else entry(at)) for at in range(size)]
    return Frontier.empty().extend(leaves)


def note(text: str, *lines: SignatureLine) -> bytes:
    return format_note(Note(text=text, signatures=lines))


def by_log(tree: Tree, *extensions: str, origin: str = ORIGIN) -> bytes:
    text = text_of(tree, *extensions, origin=origin)
    return note(text, sign_note(text, LOG))


TEXT = text_of(tree_of(7))


@cache
def line_44(
    path: str, key: SigningKey = W1_44, *, text: str = TEXT, at: int = NOON
) -> SignatureLine:
    """The line of an ML-DSA key, the one in the file at `path` if that is still right."""
    public = key.verifier()
    origin, size, root_hash = text.split("\n")[:3]
    message = b"".join(
        [
            MESSAGE_44.encode(),
            bytes([len(key.name)]) + key.name.encode() + u64(at),
            bytes([len(origin)]) + origin.encode(),
            u64(0) + u64(int(size)) + base64.b64decode(root_hash),
        ]
    )
    try:
        (line,) = [
            one
            for one in parse_note((FOLDER / path).read_bytes()).signatures
            if one.key_id == public.key_id
        ]
        verify_mldsa44(public.public, message, line.blob[8:])
    except (OSError, ValueError, MalformedError, UnverifiedError):
        blob = u64(at) + sign_mldsa44(key.seed, message)
        line = SignatureLine(name=key.name, key_id=public.key_id, blob=blob)
    return line


def cosigned(path: str) -> bytes:
    """A checkpoint of seven entries, with a line of every key but the second witness's."""
    lines = [
        sign_note(TEXT, LOG),
        line_44(path, LOG_44),
        cosign(TEXT, W1, NOON),
        line_44(path, at=NOON + 1),
    ]
    return note(TEXT, *lines)


def dated(at: int, text: str = TEXT) -> SignatureLine:
    """A cosignature with a time that `cosign` would refuse."""
    message = f"cosignature/v1\ntime {at}\n{text}".encode()
    blob = u64(at) + sign_ed25519(W1.seed, message)
    return SignatureLine(name=W1.name, key_id=W1.cosigner().key_id, blob=blob)


# Valid files.


def valid() -> Iterator[tuple[str, bytes]]:
    makers = {
        "note": valid_notes,
        "checkpoint": valid_checkpoints,
        "cosignature": valid_cosignatures,
        "tile-path": valid_tile_paths,
        "tile": valid_tiles,
        "bundle": valid_bundles,
        "proof": valid_proofs,
        "policy": valid_policies,
        "vkey": valid_vkeys,
        "skey": valid_skeys,
        "fork": valid_forks,
        "request": valid_requests,
    }
    for kind, make in makers.items():
        for name, data in make().items():
            yield f"valid/{kind}/{name}{FORMATS[kind].suffix}", data


def valid_notes() -> Files:
    line = sign_note(WORDS, LOG)
    stranger = SignatureLine(name="stranger.example", key_id=b"\0\1\2\3", blob=b"unknown")
    empty, umlauts = "\n", "Zwölf Boxkämpfer\n"
    return {
        "one-signature": note(WORDS, line),
        "a-signature-by-nobody-known": note(WORDS, stranger, line),
        "the-same-signature-twice": note(WORDS, line, line),
        "a-text-of-one-empty-line": note(empty, sign_note(empty, LOG)),
        "a-text-beyond-ascii": note(umlauts, sign_note(umlauts, LOG)),
        "sixteen-signatures": note(WORDS, line, *[stranger] * 15),
    }


def valid_checkpoints() -> Files:
    return {
        "seven-entries": by_log(tree_of(7)),
        "no-entries": by_log(Tree(size=0, root_hash=EMPTY_ROOT)),
        "the-largest-size": by_log(Tree(size=2**63 - 1, root_hash=bytes(range(32)))),
        "two-extension-lines": by_log(tree_of(7), "one", " two with blanks "),
    }


def valid_cosignatures() -> Files:
    path = "valid/cosignature/mldsa44-all-keys.note"
    return {
        "ed25519-one-line": note(TEXT, sign_note(TEXT, LOG), cosign(TEXT, W1, NOON)),
        "ed25519-the-last-second": note(TEXT, cosign(TEXT, W1, 2**63 - 1)),
        "ed25519-an-extension-line": note(TEXT + "more\n", cosign(TEXT + "more\n", W1, NOON)),
        "mldsa44-one-line": note(TEXT, line_44("valid/cosignature/mldsa44-one-line.note")),
        "mldsa44-all-keys": cosigned(path),
    }


def valid_tile_paths() -> Files:
    paths = {
        "first": "tile/0/000",
        "three-groups": "tile/0/x001/x234/067",
        "partial": "tile/1/x001/067.p/3",
        "widest-partial": "tile/0/000.p/255",
        "entries": "tile/entries/x001/067",
        "entries-partial": "tile/entries/000.p/1",
        "highest": "tile/7/000.p/127",
    }
    return {name: path.encode() for name, path in paths.items()}


def valid_tiles() -> Files:
    hashes = [leaf_hash(entry(index)) for index in range(256)]
    return {
        "hashes-1": hashes[0],
        "hashes-3": b"".join(hashes[:3]),
        "full-256": b"".join(hashes),
    }


def valid_bundles() -> Files:
    return {
        "entries-3": format_bundle([entry(index) for index in range(3)]),
        "an-empty-entry-2": format_bundle([b"", b"not empty"]),
        "a-long-entry-1": format_bundle([b"x" * 300]),
        "full-256": format_bundle([entry(index) for index in range(256)]),
    }


def proof(index: int, size: int, checkpoint: bytes, extra: bytes | None = None) -> bytes:
    hashes = inclusion_proof(index, size, reader(grown(size)[1]))
    made = TlogProof(index=index, hashes=tuple(hashes), checkpoint=checkpoint, extra=extra)
    return format_proof(made)


def valid_proofs() -> Files:
    path = "valid/cosignature/mldsa44-all-keys.note"
    short = note(TEXT, sign_note(TEXT, LOG), cosign(TEXT, W2, NOON))
    return {
        "three-hashes": proof(3, 7, short),
        "with-extra": proof(3, 7, short, b"\0\1\2"),
        "all-keys": proof(3, 7, cosigned(path)),
    }


def valid_policies() -> Files:
    log, one, two = (format_vkey(key) for key in (LOG.verifier(), W1.cosigner(), W2.cosigner()))
    return {
        "both-kinds-of-keys": trust(),
        "comments-and-blanks": (
            f"# whom we trust\n\n\tlog\t{log}   https://log.example/\n"
            f"  # indented\nwitness #1 {one} https://w1.example/\nwitness two {two}\n"
            "group most 2 #1 two\nquorum  most \n"
        ).encode(),
        "no-witness": f"log {log}\nquorum none\n".encode(),
    }


def valid_vkeys() -> Files:
    private = VerifierKey(name="log.example/own", algorithm=OTHER, public=b"own type, own key")
    found = {
        "ed25519": LOG.verifier(),
        "cosignature": W1.cosigner(),
        "mldsa44": LOG_44.verifier(),
        "private-type": private,
        "a-name-beyond-ascii": replace(LOG.verifier(), name="zürich.example/log"),
    }
    return {name: format_vkey(key).encode() for name, key in found.items()}


def valid_skeys() -> Files:
    return {
        name: format_skey(k).encode() for name, k in {"ed25519": LOG, "mldsa44": W1_44}.items()
    }


def fork(old: int, new: int, forged: int) -> bytes:
    """The log signed `old` honest entries, then `new` of which number `forged` is another."""
    trees = (tree_of(old), tree_of(new, forged))
    notes = [by_log(tree) for tree in trees]
    hashes = fork_hashes(old, new, reader(edge_of(new, forged)[1])) if old < new else []
    return format_fork(ForkProof(old=notes[0], new=notes[1], hashes=tuple(hashes)))


def valid_forks() -> Files:
    return {
        "five-to-nine": fork(5, 9, 2),
        "four-to-nine": fork(4, 9, 0),
        "one-size": fork(7, 7, 3),
    }


def request(old: int, new: int) -> bytes:
    hashes = consistency_proof(old, new, reader(grown(new)[1]))
    lines = [f"old {old}", *(base64.b64encode(hash_).decode() for hash_ in hashes), "", ""]
    return "\n".join(lines).encode() + by_log(tree_of(new))


def valid_requests() -> Files:
    return {"first-contact": request(0, 7), "growth": request(5, 9), "same-size": request(7, 7)}


# Files that differ from a valid one.


def edited(edits: dict[str, Edits], verdict: str, bases: Files) -> Iterator[tuple[str, bytes]]:
    """The files of `edits`: a name and what one stretch of a valid file was replaced with."""
    for kind, table in edits.items():
        suffix = FORMATS[kind].suffix
        for name, (base, old, new) in table.items():
            data = bases[f"valid/{kind}/{base}{suffix}"]
            assert not old or data.count(old) == 1, f"{kind}/{name}: not one place"
            changed = data.replace(old, new) if old else data + new
            yield f"{verdict}/{kind}/{name}{suffix}", changed


def checkpoints_signed_again(bases: Files) -> Iterator[tuple[str, bytes]]:
    """Malformed checkpoints under a good signature: only their text is at fault."""
    for path, data in edited(
        {"checkpoint": MALFORMED_BY_EDIT["checkpoint"]}, "malformed", bases
    ):
        text, _, _ = data.rpartition(b"\n\n")
        blob = sign_ed25519(LOG.seed, text + b"\n")
        encoded = base64.b64encode(LOG.verifier().key_id + blob)
        yield path, text + b"\n\n\xe2\x80\x94 " + LOG.name.encode() + b" " + encoded + b"\n"


def made_otherwise() -> Iterator[tuple[str, bytes]]:
    """Files that no edit leads to, for a signature or a key ID has to be right."""
    for name, at in {"no-time": 0, "a-time-of-2-to-the-63": 2**63}.items():
        yield f"unverified/cosignature/ed25519-{name}.note", note(TEXT, dated(at))
        path = f"unverified/cosignature/mldsa44-{name}.note"
        yield path, note(TEXT, line_44(path, at=at))
    twice = [cosign(TEXT, W1, NOON), cosign(TEXT, W1, NOON + 60)]
    yield "unverified/cosignature/ed25519-two-times.note", note(TEXT, *twice)
    for name, (public, algorithm) in {
        "a-key-too-short": (LOG.verifier().public[:-1], 1),
        "a-key-too-long": (LOG.verifier().public + b"\0", 1),
        "a-witness-key-too-long": (LOG.verifier().public + b"\0", COSIGNATURE),
        "an-mldsa44-key-too-short": (LOG_44.verifier().public[:-1], MLDSA44),
        "the-neutral-point": (b"\1" + bytes(31), 1),
        "a-point-of-order-4": (bytes(32), COSIGNATURE),
        "no-point-at-all": (b"\2" + bytes(31), 1),
        "a-type-nobody-assigned": (LOG.verifier().public, 0x64),
    }.items():
        key = VerifierKey(name=ORIGIN, algorithm=algorithm, public=public)
        yield f"malformed/vkey/{name}.vkey", format_vkey(key).encode()
    hashes = valid_tiles()["hashes-3"]
    yield "malformed/tile/a-byte-less-3.tile", hashes[:-1]
    yield "malformed/tile/a-hash-less-3.tile", hashes[:-32]
    honest = format_fork(
        ForkProof(
            old=by_log(tree_of(5)),
            new=by_log(tree_of(9)),
            hashes=tuple(fork_hashes(5, 9, reader(grown(9)[1]))),
        )
    )
    yield "unverified/fork/an-honest-history.fork", honest


def files() -> Files:
    """Every published file but this script's own."""
    found = {**dict(keys()), **dict(valid())}
    bases = dict(found)
    others = {kind: table for kind, table in MALFORMED_BY_EDIT.items() if kind != "checkpoint"}
    found |= dict(edited(others, "malformed", bases))
    found |= dict(checkpoints_signed_again(bases))
    found |= dict(edited(UNVERIFIED_BY_EDIT, "unverified", bases))
    return found | dict(made_otherwise()) | make_all_sealed.files()


def write(folder: Path) -> None:
    """Write all files below `folder`."""
    for name, data in files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


if __name__ == "__main__":
    write(FOLDER)
