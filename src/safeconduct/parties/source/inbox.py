"""Come back with nothing but the words: contributions, receipts and replies.

Capsules and bulletin are fetched whole and searched here, so that the door never learns which
of them were ours. Wrong words find nothing, exactly like new ones. The Gazette is read each
time, whether an acknowledgement came or not, so that the log does not learn it either.

Spec: docs/3-protocol.md §11, §12.
"""

from dataclasses import dataclass

from safeconduct.errors import SafeconductError
from safeconduct.parties.source.door import Door
from safeconduct.plumbing.logs import read_gazette
from safeconduct.plumbing.programme import Programme
from safeconduct.protocol.capsule import Capsule, Found, find_capsules, split_shelf
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.keys import ContributionKeys, contribution_keys, master_key
from safeconduct.protocol.receipt import Receipt, verify_acknowledgement, verify_receipt
from safeconduct.protocol.record import record_hash
from safeconduct.protocol.reply import Reply, find_replies, split_bulletin


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A reply whose acknowledgement was verified; `status` is the desk's signed word."""

    status: str
    reply: Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """One tip of these words, with all that came back; `receipt` is None before its date.

    `answered` holds the verified acknowledgements, `doubts` why others do not hold.
    """

    keys: ContributionKeys
    capsule: Capsule
    receipt: Receipt | None
    replies: tuple[Reply, ...]
    answered: tuple[Answered, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def acknowledgement(self) -> Reply | None:
        """The reply with the acknowledgement that counts; None if none was verified."""
        counts = self._counts()
        return counts.reply if counts else None

    @property
    def status(self) -> str:
        """What the desk acknowledged the tip as: ok, duplicate and so on, or empty."""
        counts = self._counts()
        return counts.status if counts else ""

    def _counts(self) -> Answered | None:
        """The first that says ok, which nothing later can take back; else the newest."""
        said_ok = [each for each in self.answered if each.status == "ok"]
        return next(iter(said_ok or self.answered[-1:]), None)


def read_inbox(programme: Programme, entropy: bytes) -> tuple[Contribution, ...]:
    """Everything these words have sent and were answered; empty for wrong words.

    Raises:
        UnverifiedError: the Gazette does not hold.
        UnavailableError: door or log stayed away for too long.
    """
    state = read_gazette(programme).state
    master = master_key(entropy, programme.hash)
    door = Door(programme.door)
    shelf, bulletin = split_shelf(door.shelf()), split_bulletin(door.bulletin())
    found, _ = find_capsules(
        lambda slot: shelf.get(slot, ()), lambda number: contribution_keys(master, number)
    )
    replies = find_replies(bulletin.get, [item.keys for item in found])
    return tuple(
        _contribution(
            programme,
            state,
            item,
            tuple(reply for keys, _, reply in replies if keys == item.keys),
        )
        for item in found
    )


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
    )


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
