"""Take a tip back: signed by its author's keys, kept to by the door, dated by the log.

    words → keys → signed withdrawal → door ── what the desk was given · withdrawal · proof
                                              → verified → noted in the own capsule

The door erases the payload, and says whether the desk had it before. Neither the date of the
tip goes away by this, nor its entry in the Ledger, nor what somebody has read.

Spec: docs/3-protocol.md §28.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.parties.source.door import Door
from safeconduct.parties.source.inbox import Contribution
from safeconduct.plumbing import fetch
from safeconduct.plumbing.circuits import Circuits
from safeconduct.plumbing.programme import Programme
from safeconduct.protocol.canonical import Json, parse_json
from safeconduct.protocol.capsule import seal_capsule
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import record_hash
from safeconduct.protocol.withdrawal import sign_withdrawal, verify_withdrawal

PATIENCE_SECONDS = 40.0
ANSWER_BYTES_MAX = 128 << 10
HANDED = {
    "not delivered": "It was never handed over whole: nobody has read it.",
    "unread": "The desk had not fetched it. The door has erased it.",
    "in part": "The desk had begun to fetch it: take it that some of it was read. The door has"
    " erased it.",
    "read": "The desk had fetched it, and can have read it. It must not use it from now on.",
}
"""What a door says that the desk was given before, and what that means to a person."""
_FIELDS = frozenset({"handed", "proof", "withdrawal"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A withdrawal that the door keeps to; `logged_by` is in POSIX seconds.

    `handed` is the door's word, one of `HANDED`. `noted` says whether the own capsule has it,
    so that `status` shows it.
    """

    number: int
    logged_by: int
    handed: str
    noted: bool


def withdraw(
    programme: Programme,
    item: Contribution,
    circuits: Circuits,
    random_bytes: Callable[[int], bytes],
) -> Taken:
    """Withdraw one contribution; again is no error, and tells the first withdrawal's date.

    Raises:
        RefusedError: the door holds no such tip.
        UnverifiedError: what the door answers does not hold.
        UnavailableError: door or log stayed away; asking again is safe.
    """
    digest = record_hash(item.capsule.record)
    signed = sign_withdrawal(
        item.keys, item.capsule.pre, programme=programme.hash, record=digest
    )
    answer = _parse_answer(_post(programme, signed, circuits))
    stands = _text(answer, "withdrawal").encode("utf-8")
    found = verify_withdrawal(stands, item.capsule.record)
    proof = _text(answer, "proof").encode("utf-8")
    receipt = verify_receipt(stands, proof, programme.policy, programme.ledger_origin)
    return Taken(
        number=item.keys.number,
        logged_by=receipt.logged_by,
        handed=_text(answer, "handed"),
        noted=_note(programme, item, found.hash, circuits, random_bytes),
    )


def _post(programme: Programme, signed: bytes, circuits: Circuits) -> bytes:
    url, circuit = f"{programme.door}/withdraw", circuits.of("deliver")

    def attempt() -> bytes:
        response = fetch.post(url, signed, bytes_max=ANSWER_BYTES_MAX, circuit=circuit)
        fetch.raise_for(response)
        return response.body

    return fetch.patiently(attempt, seconds=PATIENCE_SECONDS)


def _parse_answer(data: bytes) -> dict[str, Json]:
    value = parse_json(data, "the door's answer", bytes_max=ANSWER_BYTES_MAX)
    if not isinstance(value, dict) or value.keys() != _FIELDS:
        raise MalformedError(f"the door's answer: needs exactly {', '.join(sorted(_FIELDS))}")
    if value["handed"] not in HANDED:
        raise MalformedError("the door's answer: says nothing known about what was handed over")
    return value


def _text(value: dict[str, Json], name: str) -> str:
    text = value[name]
    if not isinstance(text, str):
        raise MalformedError(f"the door's answer: {name} is not text")
    return text


def _note(
    programme: Programme,
    item: Contribution,
    withdrawal: bytes,
    circuits: Circuits,
    random_bytes: Callable[[int], bytes],
) -> bool:
    """Whether a capsule with the withdrawal is on the shelf; a slot takes four versions."""
    if item.withdrawn:
        return True
    capsule = replace(item.capsule, withdrawn=withdrawal)
    try:
        sealed = seal_capsule(capsule, item.keys, random_bytes)
        Door(programme.door, circuits).shelve(item.keys.slot(), sealed)
    except (MalformedError, RefusedError):
        return False  # no room: the withdrawal itself stands all the same
    return True
