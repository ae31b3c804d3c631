"""Scene 7, end: somebody lies, in every way we know, and each is caught by what evidence.

Those who tamper here hold the keys that such a person would hold: the body re-signs its own
manifest, the log re-signs its own tree. It does not help them.
"""

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from safeconduct.demo.world import World, proof, tell
from safeconduct.errors import SafeconductError, UnavailableError
from safeconduct.parties.auditor.check import audit
from safeconduct.parties.auditor.folder import Folder
from safeconduct.parties.log.config import LogFolder, sign_tree
from safeconduct.parties.registry.publish import sign_folder
from safeconduct.parties.registry.receive import Registry
from safeconduct.plumbing import fetch
from safeconduct.plumbing.durable import read_file, write_file
from safeconduct.plumbing.keys import load_signing_key
from safeconduct.plumbing.logs import log_notice, read_gazette
from safeconduct.protocol.canonical import format_base64, format_json, parse_json
from safeconduct.protocol.receipt import check_before, verify_receipt
from safeconduct.protocol.record import make_record
from safeconduct.protocol.statute.instant import format_instant
from safeconduct.protocol.statute.load import with_parameters, with_version
from safeconduct.protocol.tlog.checkpoint import parse_checkpoint
from safeconduct.protocol.tlog.cosignature import TIME_BYTES
from safeconduct.protocol.tlog.fork import find_fork, format_fork, verify_fork
from safeconduct.protocol.tlog.merkle import Frontier, Tree, leaf_hash
from safeconduct.protocol.tlog.note import format_note, parse_note
from safeconduct.protocol.tlog.policy import WitnessLine
from safeconduct.protocol.tlog.proof import format_proof, parse_proof
from safeconduct.protocol.tlog.tile import bundle_path, bundles_of, format_bundle, parse_bundle

FILE_BYTES_MAX = 64 << 20
ANSWER_BYTES_MAX = 1 << 16
COSIGNATURE_BYTES = TIME_BYTES + 64
DAY_SECONDS = 86_400
FORK_TRIES = 10
FAR_ENTRIES = 1 << 40
WITNESS_SECONDS = 30.0


def redated(proof_text: bytes, at: int) -> bytes:
    """A receipt's proof with the witnesses' times overwritten by `at`: a forgery."""
    parsed = parse_proof(proof_text)
    note = parse_note(parsed.checkpoint)
    lines = tuple(
        replace(line, blob=at.to_bytes(TIME_BYTES, "big") + line.blob[TIME_BYTES:])
        if len(line.blob) == COSIGNATURE_BYTES
        else line
        for line in note.signatures
    )
    return format_proof(
        replace(parsed, checkpoint=format_note(replace(note, signatures=lines)))
    )


def tamper(world: World, registry: Registry) -> None:
    """Play all lies; every one must be caught, or the play has failed."""
    tell("")
    tell("now everybody lies, with the very keys they hold:")
    _on_a_copy(
        world, registry, "date-moved", "the body moves the date in the statute", _move_date
    )
    _on_a_copy(world, registry, "tile-flipped", "a byte in a log's tile is flipped", _flip_tile)
    _on_a_copy(world, registry, "tip-dropped", "the log drops a tip and re-signs", _drop_tip)
    _prove_fork(world)
    _other_checkpoint(world)
    _forged_receipt(world)
    _law_changed(world)


def _on_a_copy(
    world: World,
    registry: Registry,
    name: str,
    story: str,
    change: Callable[[World, Path], None],
) -> None:
    copy = world.path("tampered", name)
    copy.parent.mkdir(exist_ok=True)
    shutil.copytree(world.path("public"), copy)
    change(world, copy)
    sign_folder(registry, copy)  # the registry covers it up as well as it can
    outcome = audit(Folder(root=copy), world.programme.policy)
    failures = [(result, each) for result in outcome.results for each in result.failures]
    if not failures:
        raise UnavailableError(f"the audit did not notice: {story}")
    result, first = failures[0]
    tell(f"{story}; the registry re-signs the folder")
    proof(f"caught by check {result.number}, in {first.file}: {first.found}")
    tell(f"    {first.proves}")


def _move_date(world: World, copy: Path) -> None:
    path = copy / "statutes" / "1.json"
    law = parse_json(read_file(path, bytes_max=FILE_BYTES_MAX), "law")
    later = {"the_date": format_instant(world.date + DAY_SECONDS)}
    write_file(path, format_json(with_parameters(law, later)))


def _flip_tile(world: World, copy: Path) -> None:
    [path] = list((copy / "ledger" / "tile" / "0").glob("000*"))[:1]
    tile = path if path.is_file() else next(path.iterdir())
    data = bytearray(read_file(tile, bytes_max=FILE_BYTES_MAX))
    data[len(data) // 2] ^= 1
    write_file(tile, bytes(data))


def _drop_tip(world: World, copy: Path) -> None:
    """Replace the clerk's leaf by another dummy and sign the tree that results."""
    ledger = copy / "ledger"
    checkpoint = parse_note(read_file(ledger / "checkpoint", bytes_max=ANSWER_BYTES_MAX))
    size = parse_checkpoint(checkpoint.text).tree.size
    entries: list[bytes] = []
    for index, width in bundles_of(size):
        path = ledger / bundle_path(index, width)
        entries += parse_bundle(read_file(path, bytes_max=FILE_BYTES_MAX), width)
    entries[entries.index(world.hashes["clerk"])] = bytes(range(32))
    for index, width in bundles_of(size):
        part = entries[index * 256 : index * 256 + width]
        write_file(ledger / bundle_path(index, width), format_bundle(part))
    frontier, _ = Frontier.empty().extend([leaf_hash(entry) for entry in entries])
    write_file(ledger / "checkpoint", _signed_by_log(world, frontier.tree()))


def _prove_fork(world: World) -> None:
    """The log's two signatures, over what it published and over what it made of it."""
    public, changed = world.path("public"), world.path("tampered", "tip-dropped")
    notes = [
        read_file(folder / "ledger" / "checkpoint", bytes_max=ANSWER_BYTES_MAX)
        for folder in (public, changed)
    ]
    keys = [line.key for line in world.programme.policy.logs]
    fork = find_fork(notes[0], notes[1], (), keys)
    if fork is None:
        raise UnavailableError("the log's two trees prove no fork")
    write_file(world.path("tampered", "ledger.fork"), format_fork(fork))
    size = verify_fork(fork, keys).new.size
    tell("both signed trees are put into one file, tampered/ledger.fork")
    proof(f"the log signed two histories of {size} entries: the file proves it to anybody")


def _signed_by_log(world: World, tree: Tree) -> bytes:
    key = load_signing_key(LogFolder(path=world.path("log", "ledger")).key)
    return format_note(sign_tree(tree, key))


def _other_checkpoint(world: World) -> None:
    """The log shows a witness another tree of the size that it has cosigned already."""
    refused = [_offer_fork(world, witness) for witness in world.programme.policy.witnesses]
    tell("the log shows the witnesses another history, signed with its own key")
    proof(f"all refuse to cosign it ({', '.join(refused)}): it does not continue what they saw")


def _offer_fork(world: World, witness: WitnessLine) -> str:
    """What a witness answers to a tree that does not continue the one it has cosigned."""
    size, status = 0, 409
    for _ in range(FORK_TRIES):  # the true log goes on meanwhile, so the witness moves too
        # Of a size that the log never reaches, else reaching it would prove that it forked,
        # and its witnesses would be done with it for good.
        other = _signed_by_log(world, Tree(size=size + FAR_ENTRIES, root_hash=bytes(32)))
        body = f"old {size}\n".encode() + format_base64(bytes(32)).encode() + b"\n\n" + other
        ask = partial(fetch.post, f"{witness.url}/add-checkpoint", body)
        answer = fetch.patiently(
            partial(ask, bytes_max=ANSWER_BYTES_MAX), seconds=WITNESS_SECONDS
        )
        status = answer.status
        if status != 409:
            break
        size = int(answer.body)
    if status != 422:
        raise UnavailableError(f"witness {witness.name} answered {status} to a fork")
    return f"{witness.name}: {status}"


def _forged_receipt(world: World) -> None:
    record = read_file(world.path("receipts", "late.record"), bytes_max=ANSWER_BYTES_MAX)
    true = read_file(world.path("receipts", "late.tlog-proof"), bytes_max=ANSWER_BYTES_MAX)
    policy = world.programme.policy
    for story, forged in (
        ("the late receipt is re-dated by hand", redated(true, world.date - 60)),
        ("the late receipt is shown as it is", true),
    ):
        try:
            check_before(verify_receipt(record, forged, policy), world.date)
        except SafeconductError as error:
            tell(story)
            proof(f"caught: {error.message}")
            continue
        raise UnavailableError(f"nobody noticed: {story}")


def _law_changed(world: World) -> None:
    """The whole board signs a version 2 with a later date: the law itself forbids it."""
    state = read_gazette(world.programme).state
    current = state.statutes[-1]
    stamp = format_instant(world.date + 1)
    moved = with_version(
        with_parameters(
            parse_json(current.law, "law"),
            {"the_date": format_instant(world.date + DAY_SECONDS)},
        ),
        number=2,
        published=stamp,
        in_force_from=stamp,
        supersedes=current.sha256,
    )
    record = make_record(
        "statute",
        programme=world.programme.hash,
        number=2,
        previous=current.sha256,
        law=format_json(moved),
    )
    try:
        log_notice(world.programme, world.signed(record, signers=3))
    except SafeconductError as error:
        tell("the whole board signs a version 2 of the law with a later date")
        proof(f"the Gazette does not take it: {error.message}")
        return
    raise UnavailableError("the Gazette took a law that moves an unmovable date")
