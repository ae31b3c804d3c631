"""The desk's way in: each request carries a record that the desk's statement key signed.

    x-safeconduct-request: base64( signed request record: programme, action, body, at )

There are no accounts and no passwords at the door. The Gazette says which keys speak for the
desk, so a door that was rebuilt from nothing lets in whom the old one did, and nobody else.
A key speaks for it no more once it is said to be destroyed, or a month after its epoch has
closed: who finds or steals an old one is nobody.

A request that is overheard can be repeated for two minutes: it would fetch ciphertext again, or
put up the same reply again.

Spec: docs/3-protocol.md §13.
"""

import hashlib
from collections.abc import Iterable, Iterator

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.parties.intake.accept import Intake
from safeconduct.parties.intake.store import Delivered, Withdrawn
from safeconduct.plumbing.web import missing
from safeconduct.protocol.canonical import Json, format_base64, format_json, parse_base64
from safeconduct.protocol.gazette import Epoch, GazetteState
from safeconduct.protocol.keys import TAG_BYTES
from safeconduct.protocol.receipt import STATEMENT_GRACE_SECONDS
from safeconduct.protocol.record import SignedRecord, parse_signed, verify_signer
from safeconduct.protocol.reply import BLOCK_BYTES
from safeconduct.protocol.tlog.note import VerifierKey

REQUEST_HEADER = "x-safeconduct-request"
REQUEST_CHARS_MAX = 8_192
REQUEST_AGE_SECONDS_MAX = 120
DELIVERIES_MAX = 100
DELIVERIES_BYTES_MAX = 768 << 10  # what a reader of one JSON document takes, with room to spare


def verify_request(intake: Intake, header: str, action: str, body: bytes) -> None:
    """Check that the desk asked for `action` with `body`, just now, at this programme's door.

    Raises:
        MalformedError: the header is absent, too long, or holds no request.
        UnverifiedError: another programme, action, body or time, or not signed by a desk key
            that the Gazette certifies and that is still of use.
        UnavailableError: the Gazette cannot be read.
    """
    if not header or len(header) > REQUEST_CHARS_MAX:
        raise MalformedError(
            f"request: needs a header {REQUEST_HEADER}, {REQUEST_CHARS_MAX} characters at most"
        )
    signed = parse_signed(parse_base64(header, "request"), "request")
    record = verify_signer(signed, _desk_key(intake, signed))
    said = {
        "programme": (record.hash("programme"), intake.programme.hash),
        "action": (record.word("action"), action),
        "body": (record.hash("body"), hashlib.sha256(body).digest()),
    }
    for field, (given, due) in said.items():
        if given != due:
            raise UnverifiedError(f"request: signed for another {field}")
    if abs(intake.seconds() - record.number("at")) > REQUEST_AGE_SECONDS_MAX:
        raise UnverifiedError(
            f"request: not signed within the last {REQUEST_AGE_SECONDS_MAX} seconds",
            hint="set the desk's clock",
        )


def _desk_key(intake: Intake, signed: SignedRecord) -> VerifierKey:
    """The certified statement key that the first signature line names, if it counts still."""
    line, state = signed.note.signatures[0], intake.gazette().state
    for epoch in state.epochs:
        if (epoch.statement.name, epoch.statement.key_id) == (line.name, line.key_id):
            _check_in_use(state, epoch, intake.seconds())
            return epoch.statement
    raise UnverifiedError("request: not signed by a desk key that the Gazette certifies")


def _check_in_use(state: GazetteState, epoch: Epoch, at: int) -> None:
    over = at > epoch.closes + STATEMENT_GRACE_SECONDS
    if over or state.retired(epoch.number) is not None:
        raise UnverifiedError(
            f"request: the key of desk epoch {epoch.number} speaks for the desk no more",
            hint="have the board certify a new epoch: `desk rotate` drafts it",
        )


def list_deliveries(intake: Intake, number: int) -> bytes:
    """Canonical JSON: the envelopes after `number`, at most 100 and at least one if there are.

    [{"delivery", "delivery_proof", "header": base64, "number", "proof", "record"}, …]
    """
    return _listed(map(_entry, intake.store.deliveries_after(number, DELIVERIES_MAX)))


def _listed(found: Iterable[Json]) -> bytes:
    """As many as a reader of one JSON document takes, but at least one if there are."""
    entries: list[Json] = []
    size = 0
    for entry in found:
        size += len(format_json(entry))
        if entries and size > DELIVERIES_BYTES_MAX:
            break
        entries.append(entry)
    return format_json(entries)


def _entry(delivered: Delivered) -> Json:
    return {
        "number": delivered.number,
        "record": delivered.record.decode("utf-8"),
        "proof": delivered.proof.decode("utf-8"),
        "header": format_base64(delivered.header),
        "delivery": delivered.delivery.decode("utf-8"),
        "delivery_proof": delivered.delivery_proof.decode("utf-8"),
    }


def read_payload(intake: Intake, digest: bytes) -> Iterator[bytes]:
    """The payload of the envelope with this record hash, piece by piece.

    Raises:
        RefusedError: no such envelope is held whole, or it was withdrawn (HTTP 404).
    """
    if intake.store.delivered(digest) is None:
        raise missing("no envelope with this record hash is held here")
    if intake.store.withdrawn(digest) is not None:
        raise missing("the tip was withdrawn by its author")
    return _handed_over(intake, digest)


def _handed_over(intake: Intake, digest: bytes) -> Iterator[bytes]:
    """The pieces; that the desk may have read some is on the disk before the first goes out."""
    intake.store.mark_handed(digest, whole=False)
    yield from intake.store.payloads.pieces(digest)
    intake.store.mark_handed(digest, whole=True)


def list_withdrawals(intake: Intake, number: int) -> bytes:
    """Canonical JSON: the withdrawals after `number`, at most 100 and at least one if any.

    [{"contribution", "number", "proof", "withdrawal"}, …]
    """
    return _listed(map(_withdrawal, intake.store.withdrawals_after(number, DELIVERIES_MAX)))


def _withdrawal(withdrawn: Withdrawn) -> Json:
    return {
        "number": withdrawn.number,
        "contribution": withdrawn.record.decode("utf-8"),
        "withdrawal": withdrawn.signed.decode("utf-8"),
        "proof": withdrawn.proof.decode("utf-8"),
    }


def post_reply(intake: Intake, block: bytes) -> None:
    """Put a reply block on the bulletin; the same block again is no error.

    Raises:
        MalformedError: not 16,400 bytes.
        ConflictError: another block stands under its tag.
    """
    if len(block) != BLOCK_BYTES:
        raise MalformedError(f"reply: a block is {BLOCK_BYTES} bytes")
    intake.store.post_reply(block[:TAG_BYTES], block)
