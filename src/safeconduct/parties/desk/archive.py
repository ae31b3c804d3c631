"""The archive: how a tip stays readable, by several people together, when its epoch is gone.

    tip ── header for the desk's epoch ──┐
           header for the archive ───────┴── the same payload

An archive key is an age identity that exists for a moment, is split among custodians, and is
kept nowhere. The desk gives each tip it opens a second header, for that key. `header ‖ payload`
is a stock age file: once enough custodians have met, `age -d` and `tar x` read it, without us.

An epoch's own keys are never split: somebody could then open what was to be forgotten.

Spec: docs/3-protocol.md §26.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from safeconduct.errors import (
    MalformedError,
    RefusedError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.desk.desk import Desk
from safeconduct.parties.desk.pull import LOCK_FILE, checked
from safeconduct.parties.desk.store import Tip
from safeconduct.parties.desk.tray import file_chunks
from safeconduct.plumbing import durable, shares
from safeconduct.protocol import age
from safeconduct.protocol.age.failures import HeaderMacError, NoIdentityMatchError
from safeconduct.protocol.envelope import check_header
from safeconduct.protocol.gazette import Archive, GazetteState
from safeconduct.protocol.record import NO_HASH, Record, make_record, parse_record

OPENED_WHOLE = frozenset({"ok", "duplicate"})
_SHARE_FILE_BYTES_MAX = 4_096
_DOES_NOT_OPEN = (MalformedError, NoIdentityMatchError, HeaderMacError)
_ROUTES = Path("/proc/net/route")
_ROUTES_6 = Path("/proc/net/ipv6_route")
_UP = 0x0001

_SHARE = """\
# Share {number} of {shares} of a Safeconduct archive key; any {threshold} of them open
# {recipient}
# When you are asked to, bring it to {others} others; never to a networked machine.
# Alone it opens nothing, and nobody can make it anew.
{words}
"""


def new_archive(
    folder: Path, threshold: int, count: int, random_bytes: Callable[[int], bytes]
) -> str:
    """The recipient of a new archive key, whose shares now lie in `folder`, a file each.

    The key itself is kept nowhere. Its bytes in memory are overwritten, as far as Python lets
    us: copies that the interpreter and the libraries made stay until they are reused.

    Raises:
        RefusedError: the folder holds something already, or so many shares cannot be.
        UnavailableError: the disk refused; no share is left then.
    """
    shares.check_split(threshold, count)
    with durable.naming(folder):
        if folder.exists() and any(folder.iterdir()):
            raise RefusedError(f"{folder}: is not empty", hint="name a new folder")
    seed = bytearray(random_bytes(shares.SECRET_BYTES))
    try:
        recipient = age.format_recipient(age.x25519_identity(bytes(seed)).recipient())
        lines = shares.split(bytes(seed), threshold, count)
    finally:
        seed[:] = bytes(len(seed))
    paths = [folder / f"share-{number}.txt" for number in range(1, count + 1)]
    try:
        durable.make_folder(folder, mode=0o700)
        for number, (path, words) in enumerate(zip(paths, lines, strict=True), start=1):
            text = _share_text(number, count, threshold, recipient, words)
            durable.write_secret(path, text.encode("ascii"))
        # What the custodians carry home is read back, the first and the last of them.
        for chosen in (paths[:threshold], paths[-threshold:]):
            recombine([_share_line(path) for path in chosen], recipient)
    except BaseException:
        for path in paths:
            durable.remove_file(path)
        raise
    return recipient


def _share_text(number: int, count: int, threshold: int, recipient: str, words: str) -> str:
    return _SHARE.format(
        number=number,
        shares=count,
        threshold=threshold,
        recipient=recipient,
        others=threshold - 1,
        words=words,
    )


def _share_line(path: Path) -> str:
    data = durable.read_file(path, bytes_max=_SHARE_FILE_BYTES_MAX)
    [line] = share_lines(data.decode("ascii"))
    return line


def share_lines(text: str) -> list[str]:
    """The shares in `text`, one a line, without empty lines and what a share's file says."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def draft_archive(state: GazetteState, recipient: str, threshold: int, count: int) -> Record:
    """The unsigned `archive` record for the board, next in the Gazette's sequence.

    Raises:
        MalformedError: `recipient` is no age recipient.
        RefusedError: so many shares cannot be.
    """
    age.parse_recipient(recipient)
    shares.check_split(threshold, count)
    return make_record(
        "archive",
        programme=state.programme_hash,
        number=len(state.archives) + 1,
        previous=state.archives[-1].hash if state.archives else NO_HASH,
        recipient=recipient,
        threshold=threshold,
        shares=count,
    )


def recombine(lines: Sequence[str], recipient: str) -> age.SecretIdentity:
    """The archive's identity, which is that of `recipient`, from just enough shares.

    Raises:
        MalformedError: a share that is none, is of another set, or came twice; or `recipient`
            is no age recipient.
        RefusedError: too few shares, or too many.
        UnverifiedError: together they give the key of another archive.
    """
    age.parse_recipient(recipient)
    parsed = [shares.parse_share(line, place) for place, line in enumerate(lines, start=1)]
    seed = bytearray(shares.combine(parsed))
    try:
        identity = age.x25519_identity(bytes(seed))
    finally:
        seed[:] = bytes(len(seed))
    if age.format_recipient(identity.recipient()) != recipient:
        raise UnverifiedError(
            "these shares give the key of another archive",
            hint="compare the age1… in each share's file with --recipient",
        )
    return identity


def write_identity(path: Path, identity: age.SecretIdentity) -> None:
    """Write the file that `age -d -i` takes, mode 0600.

    Raises:
        RefusedError: something is there already.
        UnavailableError: the disk refused; there is no file then.
    """
    _check_free(path)
    lines = (
        "# Safeconduct archive key. Destroy this file when you are done.",
        f"# public key: {age.format_recipient(identity.recipient())}",
        age.format_identity(identity),
        "",
    )
    durable.write_secret(path, "\n".join(lines).encode("ascii"))


def _check_free(path: Path) -> None:
    with durable.naming(path):
        if path.exists() or path.is_symlink():
            raise RefusedError(f"{path}: already exists", hint="choose another name")


def is_networked() -> bool | None:
    """Whether this machine has a default route that is up; None where that cannot be known."""
    try:
        routes = _ROUTES.read_text("ascii").splitlines()[1:]
        routes_6 = _ROUTES_6.read_text("ascii").splitlines() if _ROUTES_6.exists() else []
        return any(map(_is_default, routes)) or any(map(_is_default_6, routes_6))
    except (OSError, ValueError):
        return None


def _is_default(line: str) -> bool:
    """Interface, destination, gateway, flags, three counters, mask."""
    match line.split():
        case [_, "00000000", _, flags, _, _, _, "00000000", *_]:
            return bool(int(flags, 16) & _UP)
    return False


def _is_default_6(line: str) -> bool:
    """Destination and length, source and length, next hop, three counters, flags, interface."""
    match line.split():
        case [destination, "00", _, _, _, _, _, _, flags, interface]:
            return not int(destination, 16) and bool(int(flags, 16) & _UP) and interface != "lo"
    return False


# At the desk: a second header for each tip, while the epoch's keys live.


def file_key(desk: Desk, tip: Tip) -> bytes | None:
    """What opens the tip's payload; None if its header opens with no key that is here.

    Raises:
        UnavailableError: the keys are here, and cannot be used.
    """
    record = parse_record(tip.record, "contribution")
    if record.number("epoch") not in desk.keys.numbers():
        return None
    identities = desk.keys.epoch(record.number("epoch")).identities
    try:
        check_header(tip.header, record)
        return age.unwrap(age.parse_header(tip.header)[0], identities)
    except _DOES_NOT_OPEN:
        return None


def keep_header(desk: Desk, state: GazetteState, tip: Tip) -> bool:
    """Keep a header for the Gazette's newest archive; False if there is none, or no need.

    Raises:
        UnavailableError: the archive's key in the Gazette, or our own, cannot be used.
    """
    if not state.archives or desk.store.archive_header(tip.hash, state.archives[-1].hash):
        return False
    key = file_key(desk, tip)
    if key is None:
        return False
    archive = state.archives[-1]
    header = age.seal_header(key, [_recipient(archive)], desk.random_bytes)
    desk.store.enter_archive_header(tip.hash, archive.hash, header)
    return True


def _recipient(archive: Archive) -> age.PublicRecipient:
    try:
        return age.parse_recipient(archive.recipient)
    except MalformedError as error:
        raise UnavailableError(
            f"archive {archive.number} of the Gazette has a key that cannot be used",
            hint="have the board publish another archive",
        ) from error


def fill_archive(desk: Desk) -> list[bytes]:
    """The record hashes of opened tips that got a header for the newest archive now.

    Raises:
        RefusedError: the Gazette names no archive.
        UnavailableError: Gazette or disk stay away, or another process is at it.
    """
    with durable.sole_writer(desk.folder / LOCK_FILE):
        state = desk.gazette()
        if not state.archives:
            raise RefusedError(
                "the Gazette names no archive", hint="`archive new` makes one for the board"
            )
        opened = [desk.store.tip(made.hash) for made in desk.store.acknowledgements()]
        return [tip.hash for tip in opened if keep_header(desk, state, tip)]


def is_archived(desk: Desk, state: GazetteState, tip: Tip) -> bool:
    """Whether the tip has all the headers that it can have, and need have."""
    if not state.archives or desk.store.archive_header(tip.hash, state.archives[-1].hash):
        return True
    if desk.store.acknowledged(tip.hash) is None and desk.store.taken_back(tip.hash):
        return True  # withdrawn before anybody opened it: nobody ever will
    if epoch_of(tip) in desk.keys.numbers():
        return file_key(desk, tip) is None
    made = desk.store.acknowledged(tip.hash)
    never_opened = made is None or made.status not in OPENED_WHOLE
    return never_opened or bool(desk.store.archived_in(tip.hash))


def epoch_of(tip: Tip) -> int:
    """The number of the epoch that a tip says it is sealed to."""
    return parse_record(tip.record, "contribution").number("epoch")


def hand_over(desk: Desk, record_hash: bytes, out: Path) -> bytes:
    """Write a tip as an age file for its newest archive; returns that archive's record hash.

    Raises:
        RefusedError: there is no such tip, it has no header for an archive, or `out` exists.
        UnavailableError: the payload on our disk is damaged, or the disk refused; there is no
            file then.
    """
    tip = desk.store.tip(record_hash)
    archives = desk.store.archived_in(record_hash)
    if not archives:
        raise RefusedError(
            "this tip has no header for an archive", hint="`archive fill` makes those it can"
        )
    header = desk.store.archive_header(record_hash, archives[-1])
    write_age_file(desk, tip, header, out)
    return archives[-1]


def write_age_file(
    desk: Desk,
    tip: Tip,
    header: bytes,
    out: Path,
    form: Callable[[Iterator[bytes]], Iterator[bytes]] = iter,
) -> None:
    """Write `header ‖ payload` to a new file, mode 0600: only once the payload was seen whole.

    Raises:
        RefusedError: `out` exists.
        UnavailableError: the payload on our disk is damaged, or the disk refused; there is no
            file then.
    """
    _check_free(out)
    payload = desk.store.payload_path(tip.hash)
    chunks = checked(parse_record(tip.record), file_chunks(payload))
    try:
        durable.write_stream(out, form(chain([header], chunks)))
    except UnverifiedError as error:
        raise UnavailableError(f"{payload}: damaged since it came in") from error
