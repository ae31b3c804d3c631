"""Who else shows a log: a witness at its own endpoint, and a mirror.

A log that shows one tree to us and another to its witnesses is found here: both carry the log's
own signature. What a witness shows must bear the witness's signature too, and may lag by an
hour at most; what a mirror shows must be dated by the quorum, and its tiles must lead to it.

Spec: c2sp.org/tlog-witness for the endpoint and its lag; c2sp.org/tlog-mirror.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

from safeconduct.errors import MalformedError, RefusedError, UnverifiedError
from safeconduct.parties.monitor.finding import Exhibit, Findings
from safeconduct.parties.monitor.places import (
    LogView,
    Look,
    check_edge,
    compare,
    minutes,
    report_fork,
    saw,
    tiles_within,
    tree_words,
)
from safeconduct.parties.monitor.trees import (
    Seat,
    read_signed,
)
from safeconduct.plumbing import fetch
from safeconduct.plumbing.remote import NOT_FOUND, RemoteLog, cosigned_at
from safeconduct.protocol.canonical import decode_text
from safeconduct.protocol.tlog.cosignature import verify_cosignature
from safeconduct.protocol.tlog.fork import FORK_BYTES_MAX, ForkProof, parse_fork, verify_fork
from safeconduct.protocol.tlog.note import VerifierKey, parse_note, signatures_by
from safeconduct.protocol.tlog.policy import Policy, open_checkpoint

LAG_SECONDS_MAX = 3_600
"""How far a witness's endpoint may lag behind what it cosigned, and a mirror behind its log."""
FORKS_READ_MAX = 20
_FORK_LIST_BYTES_MAX = 64 << 10
_FORK_NAME_CHARACTERS_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """One address of the policy's witnesses, and the keys that sign there, by name."""

    url: str
    keys: Mapping[str, VerifierKey]

    @property
    def label(self) -> str:
        """Its names."""
        return ", ".join(self.keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a witness or a mirror showed of one log: its size and its date.

    `cosignatures` are (witness, POSIX seconds) of the witness that showed it.
    """

    origin: str
    tree_size: int
    dated_at: int
    cosignatures: tuple[tuple[str, int], ...] = ()


def witnesses_of(policy: Policy) -> list[Witness]:
    """The policy's witnesses by address; one without an address cannot be asked."""
    keys: dict[str, dict[str, VerifierKey]] = {}
    for line in policy.witnesses:
        if line.url is not None:
            keys.setdefault(line.url.rstrip("/"), {})[line.name] = line.key
    return [Witness(url=url, keys=named) for url, named in keys.items()]


# A witness's endpoint.


def watch_witness(
    witness: Witness, views: Mapping[Seat, LogView | None], look: Look, findings: Findings
) -> list[Shown]:
    """What a witness shows of each log; compared with what the log shows to us."""
    shown = []
    for seat, view in views.items():
        what = f"The witness {witness.label}"
        data = findings.attempt(
            "unreachable", f"{what} cannot be read", partial(_cosigned, witness, seat)
        )
        if data == b"":
            findings.find(
                "witness-without",
                f"{what} has no checkpoint of the {seat.name}.",
                subject=seat.origin,
            )
        elif data is not None:
            findings.hold("witness-without", subject=seat.origin)
            seen = _read_witness(witness, data, seat, view, look, findings)
            shown += [seen] if seen else []
        _read_forks(witness, seat, findings)
    return shown


def _cosigned(witness: Witness, seat: Seat) -> bytes:
    return cosigned_at(witness.url, seat.origin) or b""


def _read_witness(
    witness: Witness,
    data: bytes,
    seat: Seat,
    view: LogView | None,
    look: Look,
    findings: Findings,
) -> Shown | None:
    what = f"The witness {witness.label} shows a checkpoint of the {seat.name}"
    read = findings.attempt(
        "witness-uncosigned",
        f"{what} that does not hold",
        lambda: (read_signed(data, seat), _cosigned_by(witness, data)),
        subject=seat.origin,
        exhibits=(Exhibit(suffix=".checkpoint", data=data),),
    )
    if read is None:
        return None
    signed, times = read
    newest = max(times.values())
    _check_lag(witness, seat, newest, look, findings)
    saw(seat, times, look, findings, (signed.exhibit,))
    if view is not None:
        story = f"The {seat.name} shows us {tree_words(view.signed)}, and to the witness "
        story += f"{witness.label} it showed {tree_words(signed)}"
        compare(story, view, signed, newest, [tiles_within(view.seat.url)], look, findings)
    return Shown(
        origin=seat.origin,
        tree_size=signed.tree.size,
        dated_at=newest,
        cosignatures=tuple(times.items()),
    )


def _cosigned_by(witness: Witness, data: bytes) -> dict[str, int]:
    """When the witness cosigned the note, by each of its names that did.

    Raises:
        UnverifiedError: by none, or badly.
    """
    note = parse_note(data)
    times = {
        name: verify_cosignature(note, key)
        for name, key in witness.keys.items()
        if signatures_by(note, key)
    }
    if not times:
        raise UnverifiedError("the witness has not cosigned what it shows")
    return times


def _check_lag(
    witness: Witness, seat: Seat, newest: int, look: Look, findings: Findings
) -> None:
    """Whether the endpoint shows what we know that the witness cosigned an hour ago."""
    # What it makes up of the future is not remembered.
    first = min(newest, look.at)
    known = max(look.store.cosigned_at(seat.origin, name, first) for name in witness.keys)
    if known - newest <= LAG_SECONDS_MAX:
        findings.hold("witness-behind", subject=seat.origin)
        return
    findings.find(
        "witness-behind",
        f"The witness {witness.label} shows a checkpoint of the {seat.name} that is "
        f"{minutes(known - newest)} behind what it has cosigned since.",
        subject=seat.origin,
    )


def _read_forks(witness: Witness, seat: Seat, findings: Findings) -> None:
    """The fork proofs that the witness lists; each is checked here, then kept."""
    base = f"{below(witness.url, seat)}/forks"
    what = f"The witness {witness.label}'s list of forks of the {seat.name}"
    names = findings.attempt(
        "unreachable", f"{what} cannot be read", partial(_fork_names, base)
    )
    for name in names or []:
        fork = findings.attempt(
            "witness-fork-unproven",
            f"{what} names {name}, which proves none",
            partial(_fork, f"{base}/{name}", seat),
            # Not by the name, which the witness makes up: it could raise alerts without end.
            subject=seat.origin,
        )
        if fork is not None:
            sentence = f"The {seat.name} has told two stories; the witness {witness.label} has "
            report_fork(findings, f"{sentence}the proof.", fork, subject=seat.origin)


def _fork_names(url: str) -> list[str]:
    """The first names of a list, one a line; a witness without such a list has none."""
    try:
        data = fetch.get(url, bytes_max=_FORK_LIST_BYTES_MAX)
    except RefusedError as error:
        if error.http_status == NOT_FOUND:
            return []
        raise
    names = decode_text(data, "list of forks").split()
    for name in names[:FORKS_READ_MAX]:
        if not _is_fork_name(name):
            raise MalformedError("the list of forks names what is no file name")
    return names[:FORKS_READ_MAX]


def _is_fork_name(name: str) -> bool:
    plain = name.replace("-", "").replace("_", "").replace(".", "")
    return plain.isascii() and plain.isalnum() and len(name) <= _FORK_NAME_CHARACTERS_MAX


def _fork(url: str, seat: Seat) -> ForkProof:
    fork = parse_fork(fetch.get(url, bytes_max=FORK_BYTES_MAX))
    verified = verify_fork(fork, seat.keys)
    if verified.origin != seat.origin:
        raise UnverifiedError("the fork of another log")
    return fork


# A mirror.


def watch_mirror(
    url: str, views: Mapping[Seat, LogView | None], look: Look, findings: Findings
) -> list[Shown]:
    """What a mirror serves of each log: dated, led to by its own tiles, and the same story."""
    shown = []
    for seat, view in views.items():
        remote = RemoteLog(below(url, seat))
        data = findings.attempt(
            "unreachable", f"The mirror {url} cannot be read", remote.checkpoint
        )
        if data is not None:
            seen = _read_mirror(url, remote, data, seat, view, look, findings)
            shown += [seen] if seen else []
    return shown


def below(url: str, seat: Seat) -> str:
    """Where a witness or a mirror at `url` keeps a log. Spec: c2sp.org/tlog-mirror."""
    return f"{url.rstrip('/')}/{sha256(seat.origin.encode()).hexdigest()}"


def _read_mirror(
    url: str,
    remote: RemoteLog,
    data: bytes,
    seat: Seat,
    view: LogView | None,
    look: Look,
    findings: Findings,
) -> Shown | None:
    what = f"The mirror {url} shows a checkpoint of the {seat.name}"
    read = findings.attempt(
        "mirror-unverified",
        f"{what} that does not hold",
        lambda: (
            read_signed(data, seat),
            open_checkpoint(data, look.policy, seat.origin).logged_by,
        ),
        subject=seat.origin,
        exhibits=(Exhibit(suffix=".checkpoint", data=data),),
    )
    if read is None:
        return None
    signed, logged_by = read
    findings.attempt(
        "mirror-tiles",
        f"The mirror {url} serves tiles of the {seat.name} that are not those it was given",
        lambda: check_edge(remote, signed),
        subject=seat.origin,
        exhibits=(signed.exhibit,),
    )
    _check_mirror_age(url, seat, logged_by, look, findings)
    if view is not None:
        story = f"The {seat.name} shows us {tree_words(view.signed)}, and the mirror {url} "
        story += f"{tree_words(signed)}"
        tiles = [tiles_within(view.seat.url), remote.hashes]
        compare(story, view, signed, logged_by, tiles, look, findings)
    return Shown(origin=seat.origin, tree_size=signed.tree.size, dated_at=logged_by)


def _check_mirror_age(
    url: str, seat: Seat, logged_by: int, look: Look, findings: Findings
) -> None:
    age = look.at - logged_by
    if age <= LAG_SECONDS_MAX:
        findings.hold("mirror-behind", subject=seat.origin)
        return
    findings.find(
        "mirror-behind",
        f"The mirror {url} shows a {seat.name} whose date is {minutes(age)} old.",
        subject=seat.origin,
    )
