"""Whether the door is well: one word for everybody, and for staff what it is made of.

The word is made of what this machine knows by itself, so that asking for it costs nothing and
nobody can make the door ask others. Staff's page asks the logs, for a few seconds at most.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from safeconduct.errors import SafeconductError
from safeconduct.parties.intake.accept import Intake
from safeconduct.parties.intake.store import DISK_RESERVE_BYTES
from safeconduct.plumbing import tor
from safeconduct.plumbing.durable import free_bytes
from safeconduct.plumbing.languages import amount, distance, when
from safeconduct.plumbing.logs import GazetteView
from safeconduct.plumbing.remote import RemoteLog
from safeconduct.protocol.gate import next_limit
from safeconduct.protocol.tlog.policy import Cosigned, open_checkpoint

OK, WAIT, BAD = "ok", "wait", "bad"
SLOW_SECONDS = 10
"""A commit that waits longer is told to be slow; the witnesses need a second or two."""
ASK_SECONDS = 4.0
LATE_SECONDS = 600
"""A log or witness that has signed nothing for longer is not well."""
DESK_KEY_SECONDS = 14 * 86_400
"""How long before the desk's key closes staff are warned."""
_ROOM_FACTOR = 8  # of the reserve, below which staff are warned
_LANGUAGE = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """One thing that was looked at: how it is (`ok`, `wait` or `bad`), and what was seen."""

    name: str
    word: str
    told: str


def health_word(intake: Intake) -> str:
    """`ok`, `slow` or `no room`: what anybody may know."""
    if free_bytes(intake.store.folder) <= DISK_RESERVE_BYTES:
        return "no room"
    commits = intake.commits
    return "slow" if commits.trips or commits.seconds > SLOW_SECONDS else "ok"


def signs(intake: Intake) -> tuple[Sign, ...]:
    """All that staff see, the door's own first."""
    found = [_room(intake), _commits(intake), _onion(intake)]
    try:
        view = intake.gazette()
    except SafeconductError as error:
        return (*found, Sign(name="Gazette", word=BAD, told=error.message))
    found += [_gazette(intake, view), _desk_key(intake, view), _next_date(intake, view)]
    return (*found, *_ledger(intake))


def _room(intake: Intake) -> Sign:
    free = free_bytes(intake.store.folder)
    told = f"{amount(free, _LANGUAGE)} free; below {amount(DISK_RESERVE_BYTES, _LANGUAGE)}"
    told += " the door dates what comes, and takes no more envelopes"
    low = WAIT if free < _ROOM_FACTOR * DISK_RESERVE_BYTES else OK
    return Sign(name="Disk", word=BAD if free <= DISK_RESERVE_BYTES else low, told=told)


def _commits(intake: Intake) -> Sign:
    commits = intake.commits
    told = f"{commits.backlog} wait for the log; dating takes about {commits.seconds} s"
    slow = commits.trips or commits.seconds > SLOW_SECONDS
    return Sign(name="Queue", word=WAIT if slow else OK, told=told)


def _onion(intake: Intake) -> Sign:
    folder = intake.store.folder / "onion" / "public"
    name = tor.read_hostname(folder) if folder.is_dir() else None
    if name is None:
        return Sign(name="Tor", word=OK, told="no onion service: sources come through a proxy")
    return Sign(name="Tor", word=OK, told=f"onion service {name}")


def _gazette(intake: Intake, view: GazetteView) -> Sign:
    at = view.cosigned.vouched_at
    told = f"{len(view.entries)} entries; the witnesses vouched for it {_ago(intake, at)}"
    return Sign(name="Gazette", word=_age_word(intake, at), told=told)


def _desk_key(intake: Intake, view: GazetteView) -> Sign:
    now = intake.seconds()
    closes = [epoch.closes for epoch in view.state.epochs if epoch.opens <= now < epoch.closes]
    if not closes:
        return Sign(name="Desk key", word=BAD, told="none is open: nothing can be sealed")
    left = max(closes) - now
    told = f"open until {when(max(closes), _LANGUAGE)}, for {distance(left, _LANGUAGE)}"
    return Sign(name="Desk key", word=WAIT if left < DESK_KEY_SECONDS else OK, told=told)


def _next_date(intake: Intake, view: GazetteView) -> Sign:
    state, gates = view.state, len(view.state.gates)
    limit = next_limit(state, view.cosigned.logged_by)
    marked = f"{gates} {'gate stands' if gates == 1 else 'gates stand'} in the Gazette"
    if limit is None:
        return Sign(name="Next date", word=OK, told=f"no date is ahead; {marked}")
    told = f"{when(limit, _LANGUAGE)}, in {distance(limit - intake.seconds(), _LANGUAGE)}"
    return Sign(name="Next date", word=OK, told=f"{told}; {marked}")


def _ledger(intake: Intake) -> Iterator[Sign]:
    programme = intake.programme
    try:
        data = RemoteLog(programme.ledger, seconds=ASK_SECONDS).checkpoint()
        seen = open_checkpoint(data, programme.policy, programme.ledger_origin)
    except SafeconductError as error:
        yield Sign(name="Ledger", word=BAD, told=error.message)
        return
    told = f"{seen.checkpoint.tree.size} entries, dated {_ago(intake, seen.logged_by)}"
    yield Sign(name="Ledger", word=_age_word(intake, seen.logged_by), told=told)
    yield from _witnesses(intake, seen)


def _witnesses(intake: Intake, seen: Cosigned) -> Iterator[Sign]:
    """Each witness of the policy, by what it has signed of the Ledger last."""
    signed = dict(seen.cosignatures)
    for witness in intake.programme.policy.witnesses:
        name = f"Witness {witness.name}"
        at = signed.get(witness.name)
        if at is None:
            yield Sign(name=name, word=WAIT, told="is not on the Ledger's newest checkpoint")
        else:
            yield Sign(name=name, word=_age_word(intake, at), told=f"signed {_ago(intake, at)}")


def _age_word(intake: Intake, at: int) -> str:
    return WAIT if intake.seconds() - at > LATE_SECONDS else OK


def _ago(intake: Intake, at: int) -> str:
    since = intake.seconds() - at
    return f"{distance(since, _LANGUAGE)} ago" if since > 0 else "just now"
