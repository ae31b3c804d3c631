"""The board's way in: its console fetches dockets, and hands back what its members signed.

    GET  /board/dockets      → {"dockets": [docket, …]}
    POST /board/decisions    {"claim", "departure", "signed", "votes"}
                             → {"claim", "logged_by", "outcome", "result", …}

Both carry the header `x-safeconduct-request`: base64 of a `request` record, signed by the key
in `console.vkey`. There are no accounts. The console's key alone decides nothing: a decision is
entered for the signatures of the members, which the Gazette names, and for their votes.

A request that is overheard can be repeated for two minutes: it would fetch the same dockets, or
enter the same decision, which is no error.

Spec: docs/3-protocol.md §15.8.
"""

import hashlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from safeconduct.errors import MalformedError, RefusedError, UnverifiedError
from safeconduct.parties.registry.appeals import enter_appeal
from safeconduct.parties.registry.book import Reader
from safeconduct.parties.registry.casefile import (
    case_number,
    read_proposed,
    repropose,
)
from safeconduct.parties.registry.decide import enter, excluded_from
from safeconduct.parties.registry.final import appealed
from safeconduct.parties.registry.receive import Registry
from safeconduct.plumbing import web
from safeconduct.plumbing.durable import read_file, write_file
from safeconduct.protocol.canonical import (
    Json,
    decode_text,
    format_json,
    parse_base64,
    parse_hex,
    parse_json,
)
from safeconduct.protocol.decision import OBJECT_BYTES_MAX
from safeconduct.protocol.docket import make_docket
from safeconduct.protocol.record import (
    RECORD_BYTES_MAX,
    Record,
    parse_signed,
    verify_signer,
)
from safeconduct.protocol.tlog.note import ED25519, VerifierKey, format_vkey, parse_vkey
from safeconduct.protocol.votes import VOTES_BYTES_MAX

REQUEST_HEADER = "x-safeconduct-request"
REQUEST_CHARS_MAX = 8_192
REQUEST_AGE_SECONDS_MAX = 120
CONSOLE_KEY_FILE = "console.vkey"
CONSOLE_KEY_BYTES_MAX = 1_024
DOCKETS_BYTES_MAX = 2 * OBJECT_BYTES_MAX  # of one answer; the oldest cases come first
DECISION_BYTES_MAX = 2 * (RECORD_BYTES_MAX + VOTES_BYTES_MAX)  # escaped, as JSON texts
_HASH_BYTES = 32
_FIELDS = frozenset({"claim", "departure", "signed", "votes"})


def routes(reader: Reader) -> list[web.Route]:
    """The routes that the board's console uses."""
    registry = reader.registry
    return [
        web.Route("GET", "/board/dockets", partial(_dockets, registry)),
        web.Route("POST", "/board/decisions", partial(_decide, registry)),
    ]


def set_console_key(folder: Path, vkey: str) -> VerifierKey:
    """Keep the key whose requests the register answers from now on.

    Raises:
        MalformedError: no Ed25519 verifier key.
    """
    key = _parse_key(vkey)
    write_file(folder / CONSOLE_KEY_FILE, f"{format_vkey(key)}\n".encode("ascii"))
    return key


def _console_key(registry: Registry) -> VerifierKey:
    path = registry.folder / CONSOLE_KEY_FILE
    if not path.is_file():
        raise RefusedError(
            "this register has no console", hint="safeconduct register console-key VKEY"
        )
    data = read_file(path, bytes_max=CONSOLE_KEY_BYTES_MAX)
    return _parse_key(decode_text(data, CONSOLE_KEY_FILE).removesuffix("\n"))


def _parse_key(text: str) -> VerifierKey:
    key = parse_vkey(text)
    if key.algorithm != ED25519:
        raise MalformedError("the console's key: an Ed25519 key of type 0x01 is due")
    return key


async def _dockets(registry: Registry, request: web.Request) -> web.Response:
    header = request.headers.get(REQUEST_HEADER, "")
    data = await web.in_thread(_answer_dockets, registry, header)
    return web.data(data, "application/json")


async def _decide(registry: Registry, request: web.Request) -> web.Response:
    header = request.headers.get(REQUEST_HEADER, "")
    body = await web.read_body(request, bytes_max=DECISION_BYTES_MAX)
    data = await web.in_thread(_answer_decision, registry, header, body)
    return web.data(data, "application/json")


def _answer_dockets(registry: Registry, header: str) -> bytes:
    verify_request(registry, header, "dockets", b"")
    return format_dockets(open_dockets(registry))


def _answer_decision(registry: Registry, header: str, body: bytes) -> bytes:
    verify_request(registry, header, "decisions", body)
    return format_json(dict(take_decision(registry, body)))


def verify_request(registry: Registry, header: str, action: str, body: bytes) -> Record:
    """The console's request for `action` with `body`, made just now, for this programme.

    Raises:
        MalformedError: the header is absent, too long, or holds no request.
        UnverifiedError: another programme, action, body or time, or not signed by the console.
        RefusedError: no console was set up.
    """
    if not header or len(header) > REQUEST_CHARS_MAX:
        raise MalformedError(
            f"request: needs a header {REQUEST_HEADER}, {REQUEST_CHARS_MAX} characters at most"
        )
    signed = parse_signed(parse_base64(header, "request"), "request")
    record = verify_signer(signed, _console_key(registry))
    said = {
        "programme": (record.hash("programme"), registry.programme.hash),
        "action": (record.word("action"), action),
        "body": (record.hash("body"), hashlib.sha256(body).digest()),
    }
    for field, (given, due) in said.items():
        if given != due:
            raise UnverifiedError(f"request: signed for another {field}")
    if abs(registry.seconds() - record.number("at")) > REQUEST_AGE_SECONDS_MAX:
        raise UnverifiedError(
            f"request: not signed within the last {REQUEST_AGE_SECONDS_MAX} seconds",
            hint="set the console's clock",
        )
    return record


def open_dockets(registry: Registry) -> list[bytes]:
    """The dockets of all cases that wait for the board or the appeal panel, oldest first."""
    found: list[bytes] = []
    size = 0
    for filed in registry.store.cases():
        docket = docket_of(registry, filed.claim)
        if docket is None:
            continue
        size += len(docket)
        if found and size > DOCKETS_BYTES_MAX:
            break  # the rest comes when these are decided
        found.append(docket)
    return found


def format_dockets(dockets: list[bytes]) -> bytes:
    """Canonical JSON `{"dockets": […]}`."""
    values: list[Json] = [
        parse_json(docket, "docket", bytes_max=OBJECT_BYTES_MAX) for docket in dockets
    ]
    return format_json({"dockets": values})


def docket_of(registry: Registry, claim: bytes) -> bytes | None:
    """The docket of a case that somebody is to vote on now; None of any other."""
    case = registry.store.case(claim)
    kind = _WAITING.get(case.state, "")
    if kind not in case.latest:
        return None
    state = registry.gazette().state
    proposed = read_proposed(case, kind)
    contested = None
    if kind == "appeal_proposed":
        contested = appealed(registry, state, case, proposed.appeal_proof)
    return make_docket(
        case=case_number(registry, claim),
        number=proposed.draft.number("number"),
        bundle=proposed.bundle,
        claim_proof=proposed.claim_proof,
        judgements=proposed.judgements,
        proposal=repropose(registry, state, proposed, proposed.draft),
        joined=proposed.joined,
        appeal=contested,
        excluded=sorted(excluded_from(case)),
    )


_WAITING = {"proposed": "proposed", "suspended": "appeal_proposed"}


def take_decision(registry: Registry, body: bytes) -> Mapping[str, Json]:
    """Enter what the console hands back, a first decision or one on appeal; what was served.

    Raises:
        MalformedError: not canonical JSON with exactly the four fields.
        SafeconductError: as `enter` and `enter_appeal`.
    """
    value = parse_json(body, "decision", bytes_max=DECISION_BYTES_MAX)
    if not isinstance(value, dict) or value.keys() != _FIELDS:
        raise MalformedError(f"decision: needs exactly {', '.join(sorted(_FIELDS))}")
    texts = {name: text for name, text in value.items() if isinstance(text, str)}
    if len(texts) < len(value):
        raise MalformedError("decision: every field is text")
    claim = parse_hex(texts["claim"], _HASH_BYTES, "decision: claim")
    signed, votes = texts["signed"].encode("utf-8"), texts["votes"].encode("utf-8")
    departure = texts["departure"]
    if not registry.store.holds(claim):
        raise RefusedError("no such case")
    if parse_signed(signed, "decision").record.word("result") != "first":
        settled = enter_appeal(registry, claim, signed, votes, departure)
        return _served(claim, settled.record, settled.logged_by)
    served = enter(registry, claim, signed, votes=votes, departure=departure)
    answer = dict(_served(claim, served.record, served.logged_by))
    return answer | {"last_appeal_at": served.last_appeal_at}


def _served(claim: bytes, record: Record, logged_by: int) -> Mapping[str, Json]:
    return {
        "claim": claim.hex(),
        "logged_by": logged_by,
        "outcome": record.word("outcome"),
        "result": record.word("result"),
    }
