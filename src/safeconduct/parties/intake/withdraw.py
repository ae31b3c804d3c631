"""Withdraw: an author takes a tip back, and the door keeps to it.

    signed withdrawal ── author's? ── entered, payload erased ── logged ── answered
                         404 if no such tip of theirs is held

From the moment it is entered the door hands the payload to nobody. What the desk was given
before cannot be called back: the answer says whether it was. The log's entry and the date stay.

Each step may be repeated. Two signatures by one author over one withdrawal differ, so the first
that was entered stands, and is what is answered ever after.

Spec: docs/3-protocol.md §28.
"""

from functools import partial

from safeconduct.errors import RefusedError, UnverifiedError
from safeconduct.parties.intake import staff
from safeconduct.parties.intake.accept import Intake
from safeconduct.parties.intake.store import Withdrawn
from safeconduct.plumbing import web
from safeconduct.plumbing.logs import log_record
from safeconduct.protocol.canonical import decode_text, format_json, parse_decimal
from safeconduct.protocol.capsule import Capsule
from safeconduct.protocol.keys import ContributionKeys
from safeconduct.protocol.record import record_hash
from safeconduct.protocol.withdrawal import (
    open_withdrawal,
    sign_withdrawal,
    verify_withdrawal,
)

WITHDRAWAL_BYTES_MAX = 16 << 10
NUMBER_BYTES_MAX = 19


def withdraw(intake: Intake, signed: bytes) -> bytes:
    """Keep to a withdrawal; returns the tlog-proof of the one that stands for this tip.

    Raises:
        MalformedError: not a signed withdrawal.
        UnverifiedError: its own keys have not signed it.
        RefusedError: the door holds no such tip of this author's (HTTP 404).
        UnavailableError: the log is away; the payload is gone already, and asking again is
            safe.
    """
    digest = open_withdrawal(signed).hash("record")
    record = intake.store.contribution(digest)
    if record is None:
        raise _not_theirs()
    try:
        verify_withdrawal(signed, record)
    except UnverifiedError:
        # The same answer: else anybody could ask which entries of the Ledger are tips.
        raise _not_theirs() from None
    stands = intake.store.withdraw(digest, record, signed)
    if stands.proof:
        return stands.proof
    proof, _ = log_record(intake.programme, stands.signed)
    intake.store.enter_withdrawal_proof(digest, proof)
    return proof


def _not_theirs() -> RefusedError:
    return web.missing(
        "no tip of this author's with this record hash is held here",
        hint="what was never handed over is read by nobody",
    )


def withdraw_own(intake: Intake, keys: ContributionKeys, capsule: Capsule) -> Withdrawn:
    """Withdraw the tip in a capsule for the person whose keys these are.

    Raises:
        RefusedError, UnavailableError: as `withdraw`.
    """
    digest = record_hash(capsule.record)
    signed = sign_withdrawal(keys, capsule.pre, programme=intake.programme.hash, record=digest)
    withdraw(intake, signed)
    found = intake.store.withdrawn(digest)
    assert found is not None
    return found


def withdrawal_of(intake: Intake, keys: ContributionKeys, capsule: Capsule) -> Withdrawn | None:
    """The withdrawal of the tip in a capsule that `keys` opened, if it was withdrawn here."""
    del keys  # whoever asks has shown them by opening the capsule
    return intake.store.withdrawn(record_hash(capsule.record))


def routes(intake: Intake) -> list[web.Route]:
    """What authors send, and what the desk asks for."""
    return [
        web.Route("POST", "/withdraw", partial(_withdraw, intake)),
        web.Route("POST", "/desk/withdrawals", partial(_withdrawals, intake)),
    ]


async def _withdraw(intake: Intake, request: web.Request) -> web.Response:
    signed = await web.read_body(request, bytes_max=WITHDRAWAL_BYTES_MAX)
    async with intake.dating.turn(flow=web.flow_of(request)):
        answer = await web.in_thread(_answer, intake, signed)
    return web.data(answer, "application/json")


def _answer(intake: Intake, signed: bytes) -> bytes:
    """Canonical JSON {"handed", "proof", "withdrawal"}, of the withdrawal that stands."""
    withdraw(intake, signed)
    found = intake.store.withdrawn(open_withdrawal(signed).hash("record"))
    assert found is not None
    return format_json(
        {
            "handed": found.handed,
            "proof": found.proof.decode("utf-8"),
            "withdrawal": found.signed.decode("utf-8"),
        }
    )


async def _withdrawals(intake: Intake, request: web.Request) -> web.Response:
    body = await web.read_body(request, bytes_max=NUMBER_BYTES_MAX)
    header = request.headers.get(staff.REQUEST_HEADER, "")
    await web.in_thread(staff.verify_request, intake, header, "withdrawals", body)
    number = parse_decimal(decode_text(body, "number"), "number")
    listed = await web.in_thread(staff.list_withdrawals, intake, number)
    return web.data(listed, "application/json")
