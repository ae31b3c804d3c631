"""Credit: ask for what the desk has offered for a tip, and hold what comes back.

    reply with an offer ─▶ verified ─▶ request, signed with the tip's author keys ─▶ follow-up
    reply with a credit or a blind signature ─▶ verified, unblinded ─▶ what one claims with

Nothing is kept: serial, keys and blinding derive from the words, and the desk's answer stays on
the bulletin. The follow-up with the request is sealed with keys of its own, which derive from
the tip's and from what is asked: so the words tell at each look whether it was sent. It takes
no number, since it is no tip; only the door sees 64 KiB more.

Spec: docs/3-protocol.md §24.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from safeconduct.errors import RefusedError, SafeconductError, UnverifiedError
from safeconduct.parties.source.door import PATIENCE_SECONDS, Door
from safeconduct.parties.source.follow import find_one
from safeconduct.parties.source.send import Report, Sent, Wait, no_wait, send
from safeconduct.plumbing import fetch
from safeconduct.plumbing.circuits import Circuits
from safeconduct.plumbing.logs import read_gazette
from safeconduct.plumbing.programme import Programme
from safeconduct.protocol.capsule import Found, collect_capsules, find_capsules
from safeconduct.protocol.claim.make import finished_credit
from safeconduct.protocol.credit import (
    REQUEST_FILE,
    group_for,
    group_hash,
    make_request,
    open_offer,
)
from safeconduct.protocol.envelope import Source
from safeconduct.protocol.gazette import (
    CreditGroup,
    GazetteState,
    credit_group,
    credit_terms,
)
from safeconduct.protocol.keys import ContributionKeys, contribution_keys, master_key
from safeconduct.protocol.receipt import verify_acknowledgement, verify_receipt
from safeconduct.protocol.record import parse_any, parse_record, record_hash
from safeconduct.protocol.reply import Reply, find_replies, split_bulletin

ATTEMPTS_MAX = 16  # times a request is sent anew before something else must be wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The newest request that was dated: by when, and what the desk acknowledged it as."""

    logged_by: int
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far the credit for one contribution has come.

    `group` is what was offered, `credit` what one claims with, `doubts` say why something that
    came does not count. `free` are the keys for the next attempt to ask.
    """

    tip: Found
    state: GazetteState
    group: CreditGroup | None = None
    credit: bytes = b""
    asked: Asked | None = None
    free: ContributionKeys | None = None
    doubts: tuple[str, ...] = ()


def look(
    programme: Programme,
    entropy: bytes,
    number: int,
    *,
    circuits: Circuits | None = None,
) -> Standing:
    """How far the credit for contribution `number` of these words has come.

    Raises:
        RefusedError: these words have no such contribution.
        UnverifiedError: the Gazette does not hold.
        UnavailableError: door or log stayed away for too long.
    """
    gazette = circuits.of("gazette") if circuits else None
    state = read_gazette(programme, circuit=gazette).state
    door = Door(programme.door, circuits)
    try:
        tip = find_one(door, master_key(entropy, programme.hash), number)
    except RefusedError:
        # Nobody must see that these words found nothing: the same is asked for all the same.
        door.bulletin()
        _read_shelf_in_vain(door)
        raise
    bulletin = split_bulletin(door.bulletin())
    replies = [reply for _, _, reply in find_replies(bulletin.get, [tip.keys])]
    group, doubts = _offered(programme, tip, replies, state)
    credit = find_credit(replies, tip.keys, state) or b""
    if credit:
        group = credit_group(parse_any(credit))
    if group is None:
        _read_shelf_in_vain(door)
        return Standing(tip=tip, state=state, doubts=doubts)
    sent, free = _attempts(door, tip.keys, group)
    return Standing(
        tip=tip,
        state=state,
        group=group,
        credit=credit,
        asked=_asked(programme, state, sent, bulletin.get),
        free=free,
        doubts=doubts,
    )


def _read_shelf_in_vain(door: Door) -> None:
    fetch.patiently(lambda: collect_capsules(door.shelf_pieces(), ()), seconds=PATIENCE_SECONDS)


def find_credit(
    replies: Sequence[Reply], keys: ContributionKeys, state: GazetteState
) -> bytes | None:
    """The credit among the replies to a contribution, to claim with; None if there is none.

    It is a signed `credit` or a `credit-token`, verified, and made for these keys.
    """
    for reply in replies:
        with suppress(SafeconductError):
            return finished_credit(reply.credit, keys, state)
    return None


def _offered(
    programme: Programme, tip: Found, replies: Sequence[Reply], state: GazetteState
) -> tuple[CreditGroup | None, tuple[str, ...]]:
    """The group of the newest offer that holds, and why others and other answers do not."""
    group: CreditGroup | None = None
    doubts = []
    for reply in replies:
        if not reply.credit:
            continue
        try:
            if parse_any(reply.credit).kind == "credit-offer":
                group = _open_offer(programme, reply.credit, tip, state)
            else:
                finished_credit(reply.credit, tip.keys, state)
        except SafeconductError as error:
            doubts.append(error.message)
    return group, tuple(doubts)


def _open_offer(
    programme: Programme, data: bytes, tip: Found, state: GazetteState
) -> CreditGroup:
    offer = open_offer(data, state)
    if offer.hash("record") != record_hash(tip.capsule.record):
        raise UnverifiedError("the offer that came is for another tip")
    group = credit_group(offer)
    own = parse_record(tip.capsule.record, "contribution").hash("statute")
    dated = _dated(programme, tip, state)
    if not _is_due(group, own, dated, state):
        # Given a law or a period of one's own, one would be known by it when one claims.
        raise UnverifiedError("the offer that came names another law or period than is due")
    return group


def _is_due(
    group: CreditGroup, own: bytes, dated: tuple[int, int], state: GazetteState
) -> bool:
    """Whether it is a tip's group by date; under its own law, if that has a period for it."""
    earliest, latest = dated
    ends = credit_terms(state, group).periods
    begins = ends[group.period - 2] if group.period > 1 else 0
    if not (begins <= latest and earliest < ends[group.period - 1]):
        return False
    if group.statute == own:
        return True
    try:
        group_for(state, own, group.word, latest)
    except RefusedError:
        return True
    return False


def _dated(programme: Programme, tip: Found, state: GazetteState) -> tuple[int, int]:
    """The first and the last second of which the tip may be dated.

    They are one if the capsule has the receipt. The Ledger is not asked for it: it would learn
    that somebody looks after this tip now.
    """
    record, proof = tip.capsule.record, tip.capsule.proof
    if proof:
        receipt = verify_receipt(record, proof, programme.policy, programme.ledger_origin)
        return receipt.logged_by, receipt.logged_by
    epoch = state.epoch(parse_record(record, "contribution").number("epoch"))
    return epoch.opens, epoch.closes - 1


# The request.


def request_keys(keys: ContributionKeys, group: CreditGroup, attempt: int) -> ContributionKeys:
    """The keys that seal the follow-up with the request for a credit of this group."""
    return contribution_keys(keys.derive("credit-request", group_hash(group)), attempt)


def _attempts(
    door: Door, keys: ContributionKeys, group: CreditGroup
) -> tuple[tuple[Found, ...], ContributionKeys]:
    """The requests for this credit that were begun, and the keys for the next attempt."""
    slots = {request_keys(keys, group, attempt).slot() for attempt in range(ATTEMPTS_MAX)}
    held = fetch.patiently(
        lambda: collect_capsules(door.shelf_pieces(), slots), seconds=PATIENCE_SECONDS
    )
    return find_capsules(
        lambda slot: held.get(slot, ()), lambda attempt: request_keys(keys, group, attempt)
    )


def _asked(
    programme: Programme,
    state: GazetteState,
    sent: Sequence[Found],
    block_of: Callable[[bytes], bytes | None],
) -> Asked | None:
    """The newest request that was dated, as far as its capsule and the desk's word hold."""
    policy, ledger = programme.policy, programme.ledger_origin
    for item in reversed(sent):
        with suppress(SafeconductError):
            record, proof = item.capsule.record, item.capsule.proof
            receipt = verify_receipt(record, proof, policy, ledger)
            words = _statuses(programme, state, item, block_of)
            return Asked(logged_by=receipt.logged_by, status=next(words, ""))
    return None


def _statuses(
    programme: Programme,
    state: GazetteState,
    item: Found,
    block_of: Callable[[bytes], bytes | None],
) -> Iterator[str]:
    digest = record_hash(item.capsule.record)
    policy, ledger = programme.policy, programme.ledger_origin
    for _, _, reply in find_replies(block_of, [item.keys]):
        with suppress(SafeconductError):
            receipt = verify_acknowledgement(
                reply.acknowledgement, reply.proof, digest, state, policy, ledger
            )
            yield receipt.record.word("status")


def ask(
    programme: Programme,
    standing: Standing,
    *,
    at: int,
    random_bytes: Callable[[int], bytes],
    report: Report,
    wait: Wait = no_wait,
    circuits: Circuits | None = None,
) -> Sent:
    """Send the request for the credit that was offered, as a follow-up to the tip.

    Each call sends it once more: `standing.asked` says whether that is needed. The desk takes
    however many there are for one.

    Raises:
        RefusedError: nothing was offered, or it was asked for too often; or as `send`.
        UnverifiedError, UnavailableError: as `send`.
    """
    if standing.group is None or standing.free is None:
        raise RefusedError("no credit was offered for this contribution")
    if standing.free.number >= ATTEMPTS_MAX:
        raise RefusedError(f"the request was sent {ATTEMPTS_MAX} times before")
    tip, digest = standing.tip, record_hash(standing.tip.capsule.record)
    request = make_request(tip.keys, tip.capsule.pre, digest, standing.group, standing.state)
    return send(
        programme,
        b"",
        [Source(name=REQUEST_FILE, read=lambda: iter([request]))],
        at=at,
        random_bytes=random_bytes,
        report=report,
        follows=(digest, tip.keys.tag_key()),
        keys=standing.free,
        wait=wait,
        circuits=circuits,
    )
