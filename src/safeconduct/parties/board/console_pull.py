"""Between console and register: dockets come in, signed decisions go out.

    GET  <register>/board/dockets      every 15 s, and by button ──▶ kept as they come
    POST <register>/board/decisions    each settled decision, until it is acknowledged

Both are asked with a `request` record signed by the console's key. A docket is kept before it
is looked at, and looked at as if the register were an enemy: everything is computed again. What
goes out was durable before, and is the same bytes each time; the register takes it once.

Spec: docs/3-protocol.md §15.8.
"""

import hashlib
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from safeconduct.errors import MalformedError, SafeconductError, UnavailableError
from safeconduct.parties.board.console import (
    Console,
    Fault,
    File,
    Stuck,
    fault_of,
    file_of,
    refresh,
)
from safeconduct.parties.board.console_voting import (
    Draft,
    Question,
    note_posted,
    note_trouble,
    stand,
)
from safeconduct.plumbing import fetch, web
from safeconduct.protocol.canonical import (
    Json,
    format_base64,
    format_json,
    parse_hex,
    parse_json,
)
from safeconduct.protocol.record import NO_HASH, make_record, sign_record

EVERY_SECONDS = 15
STOP_SECONDS = 2  # how long the end of a console waits for a round
DOCKETS_BYTES_MAX = 17 << 20  # of one answer; a register sends 16 MiB of dockets at most
ANSWER_BYTES_MAX = 64 << 10
STUCK_MAX = 100  # cases that a register cannot offer
STUCK_CHARACTERS_MAX = 1_000  # of why, and of what to do
REQUEST_HEADER = "x-safeconduct-request"


def pull(console: Console) -> None:
    """One round: read the Gazette, keep what the register offers, post what is settled.

    What goes wrong is noted, for the pages to show; the next round tries again.
    """
    memory = console.memory
    with memory.pulling:
        faults = []
        for step in (refresh, _take_dockets, post_settled):
            try:
                step(console)
            except SafeconductError as error:
                faults.append(fault_of(error))
        memory.pulled_at, memory.faults = console.seconds(), tuple(faults)


def _take_dockets(console: Console) -> None:
    answer = _asked(console, "GET", "dockets", b"", DOCKETS_BYTES_MAX)
    value = parse_json(answer, "dockets", bytes_max=DOCKETS_BYTES_MAX)
    if not isinstance(value, dict) or value.keys() != {"dockets", "trouble"}:
        raise MalformedError(
            "dockets: not what a register answers with",
            hint="register and console must be of the same version",
        )
    listed, stuck = _list(value, "dockets"), _list(value, "trouble")
    console.memory.stuck = tuple(_stuck(one) for one in stuck[:STUCK_MAX])
    at = console.seconds()
    offered = [_keep(console, one, at) for one in listed]
    console.memory.offered = frozenset(offered)


def _list(value: Mapping[str, Json], name: str) -> list[Json]:
    listed = value[name]
    if not isinstance(listed, list):
        raise MalformedError(f"dockets: {name} is not a list")
    return listed


def _stuck(value: Json) -> Stuck:
    """A case that the register names because it cannot offer its docket."""
    if isinstance(value, dict) and value.keys() == {"case", "hint", "reason"}:
        case, hint, reason = value["case"], value["hint"], value["reason"]
        if type(case) is int and isinstance(hint, str) and isinstance(reason, str):
            message, advice = reason[:STUCK_CHARACTERS_MAX], hint[:STUCK_CHARACTERS_MAX]
            return Stuck(case=case, fault=Fault(message=message, hint=advice))
    raise MalformedError("dockets: not the fields of a case in trouble")


def _keep(console: Console, docket: Json, at: int) -> bytes:
    data = format_json(docket)
    digest = hashlib.sha256(data).digest()
    console.store.keep_docket(digest, _claim(docket), data, at)
    return digest


def _claim(docket: Json) -> bytes:
    """The case that a docket says it is about; nothing rests on it before all is checked."""
    named = docket.get("claim") if isinstance(docket, dict) else None
    try:
        return parse_hex(named if isinstance(named, str) else "", len(NO_HASH), "claim")
    except MalformedError:
        return NO_HASH  # kept as evidence; the check will say what is wrong with it


def post_settled(console: Console) -> None:
    """Hand over every decision that enough have signed and the register has not acknowledged.

    Why one was not taken is kept with its case, and does not hold up the others; nor does a
    docket that no longer holds, which the list of cases shows as refused.

    Raises:
        UnavailableError: the Gazette was not read for a day; the next round tries again.
    """
    for kept in console.store.unposted():
        try:
            file = file_of(console, kept)
        except UnavailableError:
            raise
        except SafeconductError:
            continue
        try:
            _post(console, file)
        except SafeconductError as error:
            note_trouble(console.store, file.question, fault_of(error), console.seconds())


def _post(console: Console, file: File) -> None:
    standing = stand(file.question, console.store.events(file.question.claim))
    assert standing.draft is not None
    body = decision_body(file.question, standing.draft, standing.signed)
    answer = _asked(console, "POST", "decisions", body, ANSWER_BYTES_MAX)
    note_posted(console.store, file.question, answer, console.seconds())


def decision_body(question: Question, draft: Draft, signed: bytes) -> bytes:
    """What the register is handed: the signed record, and the texts that it names by hash."""
    return format_json(
        {
            "claim": question.claim.hex(),
            "departure": draft.departure,
            "signed": signed.decode("utf-8"),
            "votes": draft.votes.decode("utf-8"),
        }
    )


def _asked(console: Console, method: str, action: str, body: bytes, bytes_max: int) -> bytes:
    """The register's answer to a request that is signed by the console's key, just now."""
    url = f"{console.programme.register}/board/{action}"
    response = console.ask(method, url, body, _signed(console, action, body), bytes_max)
    fetch.raise_for(response)
    return response.body


def _signed(console: Console, action: str, body: bytes) -> Mapping[str, str]:
    request = make_record(
        "request",
        programme=console.programme.hash,
        action=action,
        body=hashlib.sha256(body).digest(),
        at=console.seconds(),
    )
    return {REQUEST_HEADER: format_base64(sign_record(request, [console.key]))}


def pulling(console: Console, *, every_seconds: float = EVERY_SECONDS) -> web.Lifespan:
    """Surrounds the serving of the console by rounds of `pull` in a thread of their own."""

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        ended = threading.Event()
        thread = threading.Thread(
            target=_rounds, args=(console, ended, every_seconds), daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            ended.set()
            await web.in_thread(thread.join, STOP_SECONDS)  # all it does can be repeated

    return lifespan


def _rounds(console: Console, ended: threading.Event, every_seconds: float) -> None:
    while not ended.is_set():
        pull(console)
        ended.wait(every_seconds)
