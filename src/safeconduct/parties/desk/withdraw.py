"""Withdrawals: what their authors took back is neither opened nor used any more.

    door ── contribution · withdrawal · proof ── author's? dated? ── entered ── ciphertext gone

A tip that was not opened before stays sealed, and its payload goes from the disk. One that was
opened has been read: it is marked, no vote on it is taken and no assessment handed out.

Spec: docs/3-protocol.md §28.
"""

from typing import Protocol

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.parties.desk.desk import Desk
from safeconduct.parties.desk.store import TakenBack
from safeconduct.plumbing.durable import remove_file
from safeconduct.protocol.canonical import Json, parse_json
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import record_hash
from safeconduct.protocol.withdrawal import verify_withdrawal

_FIELDS = frozenset({"contribution", "number", "proof", "withdrawal"})


class Lister(Protocol):
    """Whoever lists withdrawals: the door."""

    def withdrawals_after(self, place: int) -> list[Json]:
        """The withdrawals after `place`, nothing of them verified."""


def pull_withdrawals(desk: Desk, door: Lister) -> int:
    """Enter the withdrawals that the desk does not know yet; returns how many.

    Raises:
        MalformedError: an answer is no list of withdrawals, or does not move on.
        UnverifiedError: one is not by its tip's author, of another programme, or not dated.
        UnavailableError: the door stays away.
    """
    count, place = 0, desk.store.last_withdrawal()
    while listed := door.withdrawals_after(place):
        for item in listed:
            made = verify_listed(desk, item)
            if made.place <= place:
                raise MalformedError("withdrawals: not in order after the number asked for")
            _enter(desk, made)
            count, place = count + 1, made.place
    return count


def verify_listed(desk: Desk, item: Json) -> TakenBack:
    """One withdrawal as the door tells it, once all of it is proven.

    Raises:
        MalformedError: not an object of just these fields, or one does not parse.
        UnverifiedError: not by its tip's author, of another programme, or not dated.
    """
    if not isinstance(item, dict) or item.keys() != _FIELDS:
        raise MalformedError(f"withdrawal: needs exactly {', '.join(sorted(_FIELDS))}")
    place = item["number"]
    if not isinstance(place, int) or isinstance(place, bool) or place < 1:
        raise MalformedError("withdrawal: its number is not positive")
    signed, proof = _text(item, "withdrawal"), _text(item, "proof")
    found = verify_withdrawal(signed, _text(item, "contribution"))
    if found.programme != desk.programme.hash:
        raise UnverifiedError("the withdrawal belongs to another programme")
    policy, ledger = desk.programme.policy, desk.programme.ledger_origin
    verify_receipt(signed, proof, policy, ledger)
    return TakenBack(place=place, hash=found.contribution, signed=signed, proof=proof)


def _enter(desk: Desk, made: TakenBack) -> None:
    """Entered first, then cleared: a crash in between leaves ciphertext that nobody opens."""
    desk.store.enter_withdrawal(made)
    for held in desk.store.held_back():
        if record_hash(_offered_record(held.offer)) == made.hash:
            desk.store.drop_held_back(held.place)
    if desk.store.acknowledged(made.hash) is None:
        path = desk.store.payload_path(made.hash)
        if path.exists():
            remove_file(path)


def _offered_record(offer: bytes) -> bytes:
    value = parse_json(offer, "delivery", bytes_max=len(offer))
    assert isinstance(value, dict)  # our own store holds what was parsed before
    return str(value["record"]).encode("utf-8")


def _text(item: dict[str, Json], name: str) -> bytes:
    text = item[name]
    if not isinstance(text, str):
        raise MalformedError(f"withdrawal: {name} is not text")
    return text.encode("utf-8")
