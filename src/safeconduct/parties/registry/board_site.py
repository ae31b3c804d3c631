"""The board's way in: its console fetches dockets, and hands back what its members signed.

    GET  /board/dockets      → {"dockets": […], "trouble": [{"case", "hint", "reason"}, …]}
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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from safeconduct.errors import (
    MalformedError,
    RefusedError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
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
TROUBLE_MAX = 100  # cases of one answer whose docket cannot be made
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A case whose docket cannot be made: its number, why, and what to do."""

    case: int
    reason: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What waits for those who decide, the oldest case first, and what they cannot be shown."""

    dockets: Sequence[bytes]
    trouble: Sequence[Trouble] = ()


def open_dockets(registry: Registry) -> Offer:
    """The dockets of all cases that wait for the board or the appeal panel.

    A case that is spoilt holds up no other: it is named instead.

    Raises:
        UnavailableError: the Gazette cannot be read, without which nothing is computed.
    """
    found: list[bytes] = []
    trouble: list[Trouble] = []
    size = 0
    for filed in registry.store.cases():
        try:
            docket = _whole_docket(registry, filed.claim)
        except UnavailableError:
            raise
        except Exception as error:  # whatever is spoilt in one case, the others are served
            if len(trouble) < TROUBLE_MAX:
                trouble.append(_trouble(filed.number, error))
            continue
        if docket is None:
            continue
        size += len(docket)
        if found and size > DOCKETS_BYTES_MAX:
            break  # the rest comes when these are decided
        found.append(docket)
    return Offer(dockets=found, trouble=trouble)


def _whole_docket(registry: Registry, claim: bytes) -> bytes | None:
    docket = docket_of(registry, claim)
    if docket is not None and len(docket) > OBJECT_BYTES_MAX:
        raise RefusedError(f"its docket is longer than {OBJECT_BYTES_MAX} bytes")
    return docket


def _trouble(number: int, error: Exception) -> Trouble:
    """Why a case cannot be put before anybody; of an error that nobody foresaw, its name."""
    ask = f"`safeconduct register docket {number}` tells whoever runs the register the same"
    if isinstance(error, SafeconductError):
        return Trouble(case=number, reason=error.told or error.message, hint=error.hint or ask)
    reason = f"its file cannot be read ({type(error).__name__})"
    return Trouble(case=number, reason=reason, hint=ask)


def format_dockets(offer: Offer) -> bytes:
    """Canonical JSON `{"dockets": […], "trouble": […]}`."""
    dockets: list[Json] = [
        parse_json(docket, "docket", bytes_max=OBJECT_BYTES_MAX) for docket in offer.dockets
    ]
    trouble: list[Json] = [
        {"case": one.case, "hint": one.hint, "reason": one.reason} for one in offer.trouble
    ]
    return format_json({"dockets": dockets, "trouble": trouble})


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
