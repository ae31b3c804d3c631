"""The board's console: where members look at what is proposed, vote, and bring signatures.

    console.sqlite   what members did, dockets, passkeys (`console_store`)
    console.key      signs what is asked of the register; `register console-key` knows its half

It holds no key of any member and decides nothing: the votes it gathers stand in the record that
members sign on machines of their own. Whoever runs it can lock members out, and can see every
open file; forged votes would show under a signature, and nobody signs those of others.

Spec: docs/3-protocol.md §15.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from safeconduct.errors import SafeconductError, UnavailableError
from safeconduct.parties.board.console_sign_in import Access
from safeconduct.parties.board.console_store import Event, Kept, Store
from safeconduct.parties.board.console_voting import Question
from safeconduct.plumbing import fetch
from safeconduct.plumbing.keys import load_signing_key, new_signing_key
from safeconduct.plumbing.passkeys import Site
from safeconduct.plumbing.programme import Programme
from safeconduct.protocol.canonical import format_json, parse_json
from safeconduct.protocol.decision import FALLS, REMIT
from safeconduct.protocol.decision.draft import procedure_for
from safeconduct.protocol.docket import Docket, check_docket, deciding_body
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.statute.evaluate import tree_hash
from safeconduct.protocol.tlog.note import SigningKey, VerifierKey

KEY_FILE = "console.key"
KEY_NAME = "console"
GAZETTE_SECONDS = 60  # between two readings
GAZETTE_STALE_SECONDS = 86_400
FIRST, APPEAL = "first", "appeal"
CHALLENGE_KEY_BYTES = 32

Ask = Callable[[str, str, bytes, Mapping[str, str], int], fetch.Response]
"""Method, address, body, headers, and how long an answer may be, in bytes."""


Checked = tuple[int, Docket | SafeconductError]
"""The Gazette's size at which a docket was computed again, and what came out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A docket that holds, and the question it puts to one of the two bodies."""

    kept: Kept
    docket: Docket
    body: str
    question: Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What went wrong, in words for a member, and what can be done about it."""

    message: str
    hint: str = ""


def fault_of(error: SafeconductError) -> Fault:
    """The error as a member is told it: of this machine no more than strangers may hear."""
    hint = "try again later" if error.told else error.hint
    return Fault(message=error.told or error.message, hint=hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """A case that the register cannot put before anybody, and its word of why."""

    case: int
    fault: Fault


@dataclass(slots=True)
class Memory:
    """What is known until the process ends; all of it is found out again."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    pulling: threading.Lock = field(default_factory=threading.Lock)
    state: GazetteState | None = None
    read_at: int = 0
    pulled_at: int = 0
    offered: frozenset[bytes] | None = None  # None before the register was asked
    faults: tuple[Fault, ...] = ()  # of the last round
    stuck: tuple[Stuck, ...] = ()
    dockets: dict[bytes, Checked] = field(default_factory=dict)

    @property
    def trouble(self) -> str:
        """What went wrong in the last round, in one line; empty if nothing did."""
        return "; ".join(fault.message for fault in self.faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """A console at work; tests give it other clocks, logs and registers."""

    programme: Programme
    store: Store
    site: Site
    key: SigningKey
    access: Access
    seconds: Callable[[], int]
    read_state: Callable[[Programme], GazetteState]
    ask: Ask
    memory: Memory = field(default_factory=Memory)


def make_console(
    folder: Path,
    programme: Programme,
    origin: str,
    *,
    seconds: Callable[[], int],
    random_bytes: Callable[[int], bytes],
    read_state: Callable[[Programme], GazetteState],
    ask: Ask,
) -> Console:
    """The console whose files lie in `folder`, which is made if it is not there."""
    store = Store(folder)
    memory = Memory()
    site = Site(origin=origin, name=f"Board of {programme.name}")
    access = Access(
        store=store,
        site=site,
        programme=programme.hash,
        members=lambda: _members(memory, seconds()),
        seconds=seconds,
        random_bytes=random_bytes,
        key=random_bytes(CHALLENGE_KEY_BYTES),
    )
    return Console(
        programme=programme,
        store=store,
        site=site,
        key=console_key(folder),
        access=access,
        seconds=seconds,
        read_state=read_state,
        ask=ask,
        memory=memory,
    )


def console_key(folder: Path) -> SigningKey:
    """The key that the console signs its requests to the register with, made if it is new."""
    path = folder / KEY_FILE
    return load_signing_key(path) if path.exists() else new_signing_key(path, KEY_NAME)


# Who sits where.


def state_of(console: Console) -> GazetteState:
    """The Gazette as it was read last.

    Raises:
        UnavailableError: it was not read for a day.
    """
    return _state(console.memory, console.seconds())


def _state(memory: Memory, at: int) -> GazetteState:
    if memory.state is None or at - memory.read_at >= GAZETTE_STALE_SECONDS:
        raise UnavailableError(
            "the Gazette was not read yet, or not for a day", hint="try again in a minute"
        )
    return memory.state


def refresh(console: Console) -> None:
    """Read the Gazette if the last reading is a minute old; note it if the members changed.

    Raises:
        SafeconductError: it cannot be read, or does not hold.
    """
    memory, at = console.memory, console.seconds()
    if memory.state is not None and 0 <= at - memory.read_at < GAZETTE_SECONDS:
        return
    memory.state, memory.read_at = console.read_state(console.programme), at
    names = sorted(members_of(memory.state))
    if known_members(console.store) != names:
        console.store.add(Event(kind="members", at=at, data=format_json(list(names))))


def members_of(state: GazetteState) -> frozenset[str]:
    """The names of all who sit on the board or on the appeal panel now."""
    return frozenset(key.name for body in bodies(state).values() for key in body[0])


def bodies(state: GazetteState) -> dict[str, tuple[tuple[VerifierKey, ...], int]]:
    """By name, the keys of a body that decides, and how many of them must sign."""
    found = {FIRST: (state.roster.members, state.roster.threshold)}
    if state.panel is not None:
        found[APPEAL] = (state.panel.members, state.panel.threshold)
    return found


def known_members(store: Store) -> list[str]:
    """The members' names as the console read them last; none before it ran."""
    event = store.latest("members")
    names = parse_json(event.data, "members") if event else []
    assert isinstance(names, list)
    return [str(name) for name in names]


def _members(memory: Memory, at: int) -> frozenset[str]:
    try:
        return members_of(_state(memory, at))
    except UnavailableError:
        return frozenset()


# Files.


def file_of(console: Console, kept: Kept) -> File:
    """A docket, computed again here, and the question it puts to those who sit now.

    What came out is kept until the Gazette has grown: the console may have known too little.

    Raises:
        SafeconductError: it does not hold, and why.
    """
    state = state_of(console)
    with console.memory.lock:
        size, found = console.memory.dockets.get(kept.hash, (-1, None))
    if found is None or size != state.size:
        found = _checked(console, kept, state)
        with console.memory.lock:
            console.memory.dockets[kept.hash] = (state.size, found)
    if isinstance(found, SafeconductError):
        raise found
    body = FIRST if found.hearing is None else APPEAL
    return File(
        kept=kept, docket=found, body=body, question=_question(found, kept, state, body)
    )


def _checked(console: Console, kept: Kept, state: GazetteState) -> Docket | SafeconductError:
    try:
        return check_docket(kept.data, state, console.programme.policy)
    except UnavailableError:
        raise
    except SafeconductError as error:
        return error


def _question(docket: Docket, kept: Kept, state: GazetteState, body: str) -> Question:
    keys, threshold = bodies(state)[body]
    proposal, appealed = docket.proposal, docket.hearing is not None
    outcomes = [one.value for one in (*proposal.statute.outcomes, proposal.statute.default)]
    seated = deciding_body(state, appealed=appealed, excluded=docket.body.excluded)
    # Where somebody decided before, the case went back once: it does not go back for ever.
    falls = FALLS - {REMIT} if docket.body.excluded else FALLS
    return Question(
        claim=kept.claim,
        docket=kept.hash,
        on=tree_hash(proposal.judgement),
        keys=keys,
        threshold=threshold,
        excluded=seated.excluded,
        procedure=procedure_for(proposal.statute, seated, appealed=appealed),
        yielded=proposal.judgement.outcome,
        outcomes=tuple(dict.fromkeys([*outcomes, *(sorted(falls) if appealed else ())])),
    )
