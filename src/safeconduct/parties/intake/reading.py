"""Reading a mailbox for whoever typed its words: what was sent, and what came of it.

Slots and tags are looked up one by one: this door was given the words, so fetching all of shelf
and bulletin would hide nothing from it, and cost a copy of both for each visitor.

Nothing is said that was not checked. An acknowledgement counts if the desk's certified key
signed it for that very contribution and the Ledger dated it, a credit if it is signed and made
for these words; and that an answer is overdue is said only of what this door has signed for.

Whatever there is, little of it is held at once: a page of contributions, or one with a page of
its answers.

Spec: docs/3-protocol.md §11, §12, §24, §28.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

from safeconduct.errors import SafeconductError
from safeconduct.parties.intake.accept import DAY_SECONDS, Intake
from safeconduct.parties.intake.store import Delivered, Withdrawn
from safeconduct.protocol.capsule import GAP_LIMIT, Capsule, newest
from safeconduct.protocol.claim.make import finished_credit
from safeconduct.protocol.credit import open_offer
from safeconduct.protocol.gazette import GazetteState, credit_group
from safeconduct.protocol.keys import ContributionKeys, contribution_keys, master_key
from safeconduct.protocol.receipt import Receipt, verify_acknowledgement, verify_receipt
from safeconduct.protocol.record import parse_any, parse_signed, record_hash
from safeconduct.protocol.reply import Reply, find_replies

ANSWER_DAYS = 30
"""How long a desk may take to acknowledge a tip, as monitors reckon by default."""

NUMBERS_MAX = 4_096  # contributions of one set of words that are looked for
BLOCKS_MAX = 256  # replies to one contribution that are read

_Block = Callable[[bytes], bytes | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One reply of the desk's, number `counter` on the bulletin.

    `status` is what it acknowledges the tip as, verified, or empty; `doubt` why what it carries
    is not believed, or empty. `grade` is set by an offer of a credit, `credit` by a credit.
    """

    counter: int
    text: str
    acknowledgement: bytes
    proof: bytes
    status: str
    grade: str
    credit: bytes
    doubt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One contribution of the words, and all that came of it.

    `until` is when the time to deliver is over, in POSIX seconds; None before there is a date.
    """

    number: int
    keys: ContributionKeys = field(repr=False)
    capsule: Capsule = field(repr=False)
    receipt: Receipt | None
    until: int | None
    delivered: Delivered | None
    withdrawn: Withdrawn | None
    answers: tuple[Answer, ...]

    @property
    def digest(self) -> bytes:
        """The record's hash, by which everybody else knows it."""
        return record_hash(self.capsule.record)

    @property
    def acknowledgement(self) -> Answer | None:
        """The answer that counts: the first that says ok, which nothing can take back; else
        the newest.
        """
        said = [each for each in self.answers if each.status]
        return next((each for each in said if each.status == "ok"), said[-1] if said else None)

    @property
    def credit(self) -> bytes:
        """What one claims with instead of the contribution, or nothing."""
        return next((each.credit for each in self.answers if each.credit), b"")

    @property
    def due_at(self) -> int | None:
        """When the desk's signed answer is owed, POSIX seconds; None if it came, or none is."""
        if self.delivered is None or self.withdrawn or self.acknowledgement:
            return None
        record = parse_signed(self.delivered.delivery, "delivery").record
        return record.number("delivered") + ANSWER_DAYS * DAY_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a contribution has come; `overdue_since` is when a late answer was owed."""

    number: int
    dated_at: int | None
    until: int | None
    late: bool  # the time to deliver is over
    received: bool
    withdrawn: bool
    status: str
    grade: str
    credited: bool
    texts: int
    doubts: int
    overdue_since: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """A page of contributions, newest first; `older` is the first number that is not shown."""

    standings: tuple[Standing, ...] = ()
    older: int | None = None


def read_mailbox(intake: Intake, entropy: bytes, *, below: int | None, count: int) -> Mailbox:
    """The newest `count` contributions of these words, of those numbered less than `below`.

    Words that nobody used have an empty one, and take as many looks as all others do before
    the first thing is found.

    Raises:
        UnavailableError: the Gazette cannot be read.
    """
    state = intake.gazette().state
    master = master_key(entropy, intake.programme.hash)
    limit = NUMBERS_MAX if below is None else min(below, NUMBERS_MAX)
    last = deque(_held(intake, master, limit), maxlen=count + 1)
    shown = list(last)[-count:]
    letters = (_letter(intake, state, keys, capsule) for keys, capsule in reversed(shown))
    standings = tuple(standing(each, intake.seconds()) for each in letters)
    return Mailbox(standings=standings, older=shown[0][0].number if len(last) > count else None)


def _held(
    intake: Intake, master: bytes, limit: int
) -> Iterator[tuple[ContributionKeys, Capsule]]:
    """The contributions on the shelf, as `find_capsules` finds them, but one at a time."""
    number = free = 0
    while number < limit and number - free < GAP_LIMIT:
        keys = contribution_keys(master, number)
        versions = intake.store.versions(keys.slot())
        number += 1
        if versions:
            free = number
        capsule = newest(versions, keys)
        if capsule is not None:
            yield keys, capsule


def read_letter(intake: Intake, entropy: bytes, number: int) -> Letter | None:
    """Contribution `number` of these words; None if there is none.

    Raises:
        UnavailableError: the Gazette cannot be read.
    """
    state = intake.gazette().state
    if not 0 <= number < NUMBERS_MAX:
        return None
    keys = contribution_keys(master_key(entropy, intake.programme.hash), number)
    capsule = newest(intake.store.versions(keys.slot()), keys)
    return None if capsule is None else _letter(intake, state, keys, capsule)


def standing(letter: Letter, now: int) -> Standing:
    """How far it has come at `now`, POSIX seconds."""
    answer, due_at = letter.acknowledgement, letter.due_at
    grades = [each.grade for each in letter.answers if each.grade]
    return Standing(
        number=letter.number,
        dated_at=letter.receipt.logged_by if letter.receipt else None,
        until=letter.until,
        late=letter.until is not None and now > letter.until,
        received=letter.delivered is not None,
        withdrawn=letter.withdrawn is not None,
        status=answer.status if answer else "",
        grade=grades[-1] if grades else "",
        credited=bool(letter.credit),
        texts=sum(1 for each in letter.answers if each.text),
        doubts=sum(1 for each in letter.answers if each.doubt),
        overdue_since=due_at if due_at is not None and now > due_at else None,
    )


def _letter(
    intake: Intake, state: GazetteState, keys: ContributionKeys, capsule: Capsule
) -> Letter:
    digest = record_hash(capsule.record)
    delivered = intake.store.delivered(digest)
    capsule, receipt = _dated(intake, capsule, delivered)
    window = state.programme.number("delivery-window")
    replies = find_replies(_few(intake.store.block), [keys])
    return Letter(
        number=keys.number,
        keys=keys,
        capsule=capsule,
        receipt=receipt,
        until=receipt.logged_by + window if receipt else None,
        delivered=delivered,
        withdrawn=intake.store.withdrawn(digest),
        answers=tuple(
            _answer(intake, state, keys, digest, counter, reply)
            for _, counter, reply in replies
        ),
    )


def _few(block_of: _Block) -> _Block:
    """`block_of` that finds nothing more after so many blocks, whatever there is."""
    found = 0

    def limited(tag: bytes) -> bytes | None:
        nonlocal found
        block = block_of(tag) if found < BLOCKS_MAX else None
        found += block is not None
        return block

    return limited


def _dated(
    intake: Intake, capsule: Capsule, delivered: Delivered | None
) -> tuple[Capsule, Receipt | None]:
    """The capsule with a proof that holds, and the receipt they make; as it is without one.

    A capsule may have no room for its proof: the one that the delivery came with will do.
    """
    ledger = intake.programme.ledger_origin
    for proof in (capsule.proof, delivered.proof if delivered else b""):
        with suppress(SafeconductError):
            receipt = verify_receipt(capsule.record, proof, intake.programme.policy, ledger)
            return replace(capsule, proof=proof), receipt
    return replace(capsule, proof=b""), None


def _answer(
    intake: Intake,
    state: GazetteState,
    keys: ContributionKeys,
    digest: bytes,
    counter: int,
    reply: Reply,
) -> Answer:
    status = grade = doubt = ""
    credit = b""
    try:
        if reply.acknowledgement:
            status = _status(intake, state, digest, reply)
        if reply.credit:
            grade, credit = _credit(state, keys, digest, reply.credit)
    except SafeconductError as error:
        doubt = error.message
    return Answer(
        counter=counter,
        text=reply.text,
        acknowledgement=reply.acknowledgement,
        proof=reply.proof,
        status=status,
        grade=grade,
        credit=credit,
        doubt=doubt,
    )


def _status(intake: Intake, state: GazetteState, digest: bytes, reply: Reply) -> str:
    """The status that the desk signed and the Ledger dated for this contribution."""
    receipt = verify_acknowledgement(
        reply.acknowledgement,
        reply.proof,
        digest,
        state,
        intake.programme.policy,
        intake.programme.ledger_origin,
    )
    return receipt.record.word("status")


def _credit(
    state: GazetteState, keys: ContributionKeys, digest: bytes, data: bytes
) -> tuple[str, bytes]:
    """The grade that is credited, and the credit itself once it is more than an offer."""
    if parse_any(data).kind != "credit-offer":
        credit = finished_credit(data, keys, state)
        return credit_group(parse_any(credit)).word, credit
    offer = open_offer(data, state)
    if offer.hash("record") != digest:
        return "", b""  # for another tip: as if it had not come
    return credit_group(offer).word, b""
