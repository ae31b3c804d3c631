"""A log as it shows itself to us, and how that compares with what it shows others.

What it shows must be signed by the log, dated by its witnesses, fresh, and the same story:
every tree that anybody shows must continue, or begin, the tree that the log shows to us.
Whoever shows the log's signature under another story brings the proof that it forked. Nothing
that anybody sends is believed.

Spec: docs/3-protocol.md §17.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from safeconduct.errors import SafeconductError, UnverifiedError
from safeconduct.parties.monitor.finding import Exhibit, Findings, reason, when
from safeconduct.parties.monitor.store import Store
from safeconduct.parties.monitor.trees import (
    Seat,
    Signed,
    Tiles,
    fork_exhibits,
    join,
    read_signed,
)
from safeconduct.plumbing.remote import RemoteLog
from safeconduct.protocol.tlog.fork import ForkProof
from safeconduct.protocol.tlog.policy import Cosigned, Policy, open_checkpoint

STALE_SECONDS = 600
"""An idle log has itself cosigned afresh every minute; ten of them missing is a fault."""
SILENT_SECONDS_MAX = 3_600
WITHHELD_SECONDS = 600
LOOK_SECONDS = 40.0
"""How long a log may take for its checkpoint, and again for the tiles of one look."""
JOIN_SECONDS = 15.0
"""How long a log or mirror may take, in all, to show the tiles that join two trees."""
CLOCK_SECONDS_MAX = 300
"""How far two clocks may differ before it is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogView:
    """A log as it showed itself in this round.

    `dated` is None without a quorum, and `grown` tells that `signed` continues all before.
    """

    seat: Seat
    signed: Signed
    dated: Cosigned | None
    grown: bool
    remote: RemoteLog = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What all checks of a round share: the policy, the memory, and our own clock."""

    policy: Policy
    store: Store
    at: int
    stale_seconds: int = STALE_SECONDS


# A log.


def watch_log(
    seat: Seat, spare: Sequence[Tiles], look: Look, findings: Findings
) -> LogView | None:
    """Look at a log; None if it shows nothing that it has signed.

    `spare` are tiles of mirrors, for what the log does not show any more.
    """
    # A log that dawdles over its tiles must not keep its checkpoint from being compared.
    near = RemoteLog(seat.url, seconds=LOOK_SECONDS)
    data = findings.attempt("unreachable", f"The {seat.name} cannot be read", near.checkpoint)
    if data is None:
        return None
    shown = (Exhibit(suffix=".checkpoint", data=data),)
    signed = findings.attempt(
        "unsigned",
        f"The {seat.name} shows a checkpoint that does not hold",
        lambda: read_signed(data, seat),
        exhibits=shown,
    )
    if signed is None:
        return None
    dated = findings.attempt(
        "no-quorum",
        f"The {seat.name}'s checkpoint ({signed.tree.size} entries) is not dated by the quorum",
        lambda: open_checkpoint(data, look.policy, seat.origin),
        exhibits=shown,
    )
    if dated is not None:
        _check_fresh(seat, dated, look, findings)
        saw(seat, dict(dated.cosignatures), look, findings, shown)
    grown = _has_grown(seat, signed, [near.hashes, *spare], look, findings)
    findings.attempt(
        "log-tiles",
        f"The {seat.name} serves tiles that are not those of its checkpoint",
        lambda: check_edge(near, signed),
        exhibits=shown,
    )
    if grown:
        look.store.advance(seat.origin, data)
    _check_witnesses(seat, look, findings)
    remote = RemoteLog(seat.url)
    return LogView(seat=seat, signed=signed, dated=dated, grown=grown, remote=remote)


def _check_fresh(seat: Seat, dated: Cosigned, look: Look, findings: Findings) -> None:
    age = look.at - dated.vouched_at
    if age <= look.stale_seconds:
        findings.hold("stale")
        return
    findings.find(
        "stale",
        f"The {seat.name}'s newest date is {minutes(age)} old by this machine's clock; it is "
        f"renewed every minute, and here {minutes(look.stale_seconds)} are allowed.",
    )


def _has_grown(
    seat: Seat, signed: Signed, tiles: Sequence[Tiles], look: Look, findings: Findings
) -> bool:
    """Whether the tree continues the last good one; a first one does."""
    known = _remembered(look.store.last(seat.origin), seat)
    if known is None:
        return True
    both = (known.exhibit, signed.exhibit)
    story = f"The {seat.name} shows {tree_words(signed)} after {tree_words(known)}"
    shrank = signed.tree.size < known.tree.size
    if shrank:
        findings.find("shrank", f"{story}: it has shrunk.", exhibits=both)
    else:
        findings.hold("shrank")
    joined = _join(story, known, signed, tiles, seat, findings, subject="itself")
    return joined and not shrank


def _remembered(data: bytes | None, seat: Seat) -> Signed | None:
    """A tree from our memory, unless the keeper's policy lists its signer no more."""
    if data is None:
        return None
    with suppress(UnverifiedError):
        return read_signed(data, seat)
    return None


def _join(
    story: str,
    one: Signed,
    other: Signed,
    tiles: Sequence[Tiles],
    seat: Seat,
    findings: Findings,
    *,
    subject: str,
) -> bool:
    """Whether one tree begins the other; if not, it is proven a fork, or at least reported."""
    fork = findings.attempt(
        "unjoined",
        f"{story}, and neither can be shown to begin the other",
        lambda: (join(one, other, tiles, seat),),
        subject=subject,
        exhibits=(one.exhibit, other.exhibit),
    )
    if fork is not None and fork[0] is not None:
        report_fork(findings, f"{story}: it has told two stories.", fork[0], subject=subject)
    return fork == (None,)


def report_fork(findings: Findings, sentence: str, fork: ForkProof, *, subject: str) -> None:
    """A proven fork, with the proof."""
    findings.find("forked", sentence, subject=subject, exhibits=fork_exhibits(fork))


def saw(
    seat: Seat,
    times: Mapping[str, int],
    look: Look,
    findings: Findings,
    exhibits: tuple[Exhibit, ...],
) -> None:
    """Remember who cosigned when; a date in the future counts as now, and is reported."""
    latest = look.at + CLOCK_SECONDS_MAX
    for name, at in times.items():
        subject = f"{seat.origin} {name}"
        if at <= latest:
            findings.hold("witness-clock", subject=subject)
            continue
        findings.find(
            "witness-clock",
            f"The witness {name} dates its signature of the {seat.name} {when(at)}, which by "
            "this machine's clock lies ahead.",
            subject=subject,
            exhibits=exhibits,
        )
    look.store.saw_cosigned(seat.origin, {name: min(at, latest) for name, at in times.items()})


def _check_witnesses(seat: Seat, look: Look, findings: Findings) -> None:
    """Whether each witness of the policy still cosigns this log, wherever that was seen."""
    look.store.forget_future(seat.origin, look.at + CLOCK_SECONDS_MAX, look.at)
    for line in look.policy.witnesses:
        last_at = look.store.cosigned_at(seat.origin, line.name, look.at)
        age = look.at - last_at
        if age <= SILENT_SECONDS_MAX:
            findings.hold("witness-silent", subject=line.name)
            continue
        findings.find(
            "witness-silent",
            f"The witness {line.name} was not seen to cosign the {seat.name} for "
            f"{minutes(age)}.",
            subject=line.name,
        )


# What they share.


def compare(
    story: str,
    view: LogView,
    other: Signed,
    dated_at: int,
    tiles: Sequence[Tiles],
    look: Look,
    findings: Findings,
) -> None:
    """Join what somebody else shows with what the log shows us.

    A larger tree than the log's is kept until the log shows as much. If the log does not
    within ten minutes, it withholds entries from us, or it tells us another story.
    """
    seat = view.seat
    _compare_pending(view, tiles, look, findings)
    if other.tree.size <= view.signed.tree.size:
        _join(story, other, view.signed, tiles, seat, findings, subject=seat.origin)
        findings.hold("withheld", subject=seat.origin)
        return
    try:
        fork = join(view.signed, other, tiles, seat)
    except SafeconductError as error:
        since = look.store.keep_pending(findings.place, seat.origin, other.data, look.at)
        if look.at - min(since, dated_at) > WITHHELD_SECONDS:
            exhibits = (view.signed.exhibit, other.exhibit)
            sentence = f"{story}, which it keeps from us: {reason(error)}."
            findings.find("withheld", sentence, subject=seat.origin, exhibits=exhibits)
        return
    if fork is not None:
        sentence = f"{story}: it has told two stories."
        report_fork(findings, sentence, fork, subject=seat.origin)
        return
    findings.hold("withheld", subject=seat.origin)


def _compare_pending(
    view: LogView, tiles: Sequence[Tiles], look: Look, findings: Findings
) -> None:
    """Settle a tree that was once larger than the log's, now that the log shows as much."""
    seat = view.seat
    known = _remembered(look.store.pending(findings.place, seat.origin), seat)
    if known is None:
        look.store.settle_pending(findings.place, seat.origin)
        return
    if known.tree.size > view.signed.tree.size:
        return
    story = f"The {seat.name} shows us {tree_words(view.signed)}, and showed others "
    story += tree_words(known)
    if _join(story, known, view.signed, tiles, seat, findings, subject=seat.origin):
        look.store.settle_pending(findings.place, seat.origin)


def tiles_within(url: str) -> Tiles:
    """The tiles that a log or a mirror serves, as long as it does not dawdle.

    Else it would hold up the check of whoever shows another tree, until that one is blamed.
    """
    return RemoteLog(url, seconds=JOIN_SECONDS).hashes


def check_edge(remote: RemoteLog, signed: Signed) -> bool:
    """True if the right edge that is served leads to the signed root.

    Raises:
        UnverifiedError: it does not.
    """
    if remote.edge(signed.tree.size).tree() != signed.tree:
        raise UnverifiedError("the hashes do not lead to the signed root")
    return True


def tree_words(signed: Signed) -> str:
    """A tree in words: its size, and enough of its root to tell it apart."""
    return f"{signed.tree.size} entries (root {signed.tree.root_hash.hex()[:8]}…)"


def minutes(seconds: int) -> str:
    """A stretch of time in words."""
    count = max(1, seconds // 60)
    return f"{count} minute{'s' if count != 1 else ''}"
