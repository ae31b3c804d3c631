"""Come back with nothing but the words: contributions, receipts and replies.

Capsules and bulletin are fetched whole and searched here as they come, so that the door never
learns which of them were ours, and nothing is held but what is. Wrong words find nothing,
exactly like new ones. The Gazette is read each time, whether an acknowledgement came or not, so
that the log does not learn it either: whatever the words, the same requests go out.

Spec: docs/3-protocol.md §11, §12, §27.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from safeconduct.errors import MalformedError, SafeconductError
from safeconduct.parties.source import door
from safeconduct.parties.source.credit import find_credit
from safeconduct.parties.source.options import Travel
from safeconduct.plumbing import fetch
from safeconduct.plumbing.circuits import DIRECT, Circuits
from safeconduct.plumbing.logs import log_record, read_gazette
from safeconduct.plumbing.programme import Programme
from safeconduct.protocol.capsule import Capsule, Found
from safeconduct.protocol.credit import open_offer
from safeconduct.protocol.gazette import CreditGroup, GazetteState, credit_group
from safeconduct.protocol.keys import (
    TAG_BYTES,
    ContributionKeys,
    contribution_keys,
    master_key,
    reply_tag,
)
from safeconduct.protocol.receipt import Receipt, verify_acknowledgement, verify_receipt
from safeconduct.protocol.record import parse_any, record_hash
from safeconduct.protocol.reply import BLOCK_BYTES, COUNTER_GAP, Reply, find_replies

COUNTERS_AHEAD = 500  # numbers of replies whose tags are looked for in one reading

Replies = tuple[tuple[ContributionKeys, int, Reply], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A reply whose acknowledgement was verified; `status` is the desk's signed word."""

    status: str
    reply: Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """One tip of these words, with all that came back; `receipt` is None before its date.

    `answered` holds the verified acknowledgements, `doubts` why others do not hold. `offered`
    is the group of the newest credit that the desk offers, `credit` what one claims with.
    """

    keys: ContributionKeys
    capsule: Capsule
    receipt: Receipt | None
    replies: tuple[Reply, ...]
    answered: tuple[Answered, ...] = ()
    doubts: tuple[str, ...] = ()
    offered: CreditGroup | None = None
    credit: bytes = b""

    @property
    def acknowledgement(self) -> Reply | None:
        """The reply with the acknowledgement that counts; None if none was verified."""
        counts = self._counts()
        return counts.reply if counts else None

    @property
    def withdrawn(self) -> bool:
        """Whether the source took it back, as its own capsule says."""
        return bool(self.capsule.withdrawn)

    @property
    def status(self) -> str:
        """What the desk acknowledged the tip as: ok, duplicate and so on, or empty."""
        counts = self._counts()
        return counts.status if counts else ""

    def _counts(self) -> Answered | None:
        """The first that says ok, which nothing later can take back; else the newest."""
        said_ok = [each for each in self.answered if each.status == "ok"]
        return next(iter(said_ok or self.answered[-1:]), None)


def read_inbox(
    programme: Programme, entropy: bytes, circuits: Circuits = DIRECT
) -> tuple[Contribution, ...]:
    """Everything these words have sent and were answered; empty for wrong words.

    Raises:
        UnverifiedError: the Gazette does not hold.
        UnavailableError: door or log stayed away for too long.
    """
    state = read_gazette(programme, circuit=circuits.of("gazette")).state
    master = master_key(entropy, programme.hash)
    far = door.Door(programme.door, circuits)
    found, _ = far.search(lambda place: contribution_keys(master, place))
    replies = fetch.patiently(
        lambda: search_bulletin(far.bulletin_pieces, [item.keys for item in found]),
        seconds=door.PATIENCE_SECONDS,
    )
    return tuple(
        _contribution(
            programme,
            state,
            item,
            tuple(reply for keys, _, reply in replies if keys == item.keys),
        )
        for item in found
    )


def with_receipt(
    programme: Programme, contribution: Contribution, travel: Travel
) -> Contribution:
    """The contribution with its receipt; the Ledger is asked for what its capsule lacks.

    A capsule may have no room for a proof, a stranger may have filled its slot, and what was
    prepared without a network never had one. So the log learns that somebody wants this entry;
    ask only for what is to be shown anyway, or on demand.

    Raises:
        UnverifiedError: the log's proof does not hold.
        UnavailableError: the log stayed away for too long.
    """
    if contribution.receipt is not None:
        return contribution
    travel.wait("ledger")
    record, circuit = contribution.capsule.record, travel.circuits.of("ledger")
    proof, receipt = log_record(programme, record, circuit=circuit)
    capsule = replace(contribution.capsule, proof=proof)
    return replace(contribution, capsule=capsule, receipt=receipt)


def search_bulletin(
    read: Callable[[], Iterable[bytes]], all_keys: Sequence[ContributionKeys]
) -> Replies:
    """`find_replies` on a bulletin that `read` brings piece by piece, from its beginning.

    The tags of the first 500 replies are computed before; only for a tip that was answered
    about as often the bulletin is read again, for twice as many.

    Raises:
        MalformedError: not a whole number of blocks.
    """
    count = COUNTERS_AHEAD
    while True:
        tags = {reply_tag(keys.tag_key(), place) for keys in all_keys for place in range(count)}
        replies = find_replies(collect_blocks(read(), tags).get, all_keys)
        if all(counter + COUNTER_GAP < count for _, counter, _ in replies):
            return replies
        count *= 2


def collect_blocks(pieces: Iterable[bytes], tags: Collection[bytes]) -> dict[bytes, bytes]:
    """The blocks under `tags` of a bulletin that comes in pieces; the first under a tag counts.

    Nothing else is held.

    Raises:
        MalformedError: not a whole number of blocks.
    """
    wanted, rest = frozenset(tags), b""
    blocks: dict[bytes, bytes] = {}
    for piece in pieces:
        data = rest + piece
        whole = len(data) - len(data) % BLOCK_BYTES
        for start in range(0, whole, BLOCK_BYTES):
            tag = data[start : start + TAG_BYTES]
            if tag in wanted:
                blocks.setdefault(tag, data[start : start + BLOCK_BYTES])
        rest = data[whole:]
    if rest:
        raise MalformedError("bulletin: not a whole number of blocks")
    return blocks


def _contribution(
    programme: Programme, state: GazetteState, item: Found, replies: tuple[Reply, ...]
) -> Contribution:
    digest = record_hash(item.capsule.record)
    answered: list[Answered] = []
    doubts: list[str] = []
    for reply in replies:
        if reply.acknowledgement:
            try:
                status = _status(programme, state, reply, digest)
            except SafeconductError as error:
                doubts.append(error.message)
            else:
                answered.append(Answered(status=status, reply=reply))
    return Contribution(
        keys=item.keys,
        capsule=item.capsule,
        receipt=_receipt(programme, item.capsule),
        replies=replies,
        answered=tuple(answered),
        doubts=tuple(doubts),
        offered=_offered(state, replies, digest),
        credit=find_credit(replies, item.keys, state) or b"",
    )


def _offered(
    state: GazetteState, replies: Sequence[Reply], digest: bytes
) -> CreditGroup | None:
    """The group of the newest offer that holds and is for this contribution."""
    for reply in reversed(replies):
        try:
            if reply.credit and parse_any(reply.credit).kind == "credit-offer":
                offer = open_offer(reply.credit, state)
                if offer.hash("record") == digest:
                    return credit_group(offer)
        except SafeconductError:
            continue  # as if it had not come: `credit` says why
    return None


def _status(programme: Programme, state: GazetteState, reply: Reply, digest: bytes) -> str:
    """The status that the desk signed and the Ledger dated for this contribution."""
    receipt = verify_acknowledgement(
        reply.acknowledgement,
        reply.proof,
        digest,
        state,
        programme.policy,
        programme.ledger_origin,
    )
    return receipt.record.word("status")


def _receipt(programme: Programme, capsule: Capsule) -> Receipt | None:
    if not capsule.proof:
        return None
    try:
        return verify_receipt(
            capsule.record, capsule.proof, programme.policy, programme.ledger_origin
        )
    except SafeconductError:
        return None  # shown as undated: what does not verify must not look like a date
