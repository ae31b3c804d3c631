"""The Gazette folded into the programme's state: whose keys count, which law stands, what was
published.

Entry 0 is the founding `programme` record; it names the board, and t of its n members sign
every later entry, except that the door signs the gates. The log admits an entry only if this
fold takes it; a source and an auditor fold the same bytes and so know the same board, statute
and desk key as everybody else: no visitor can be given a key of their own.

Spec: docs/3-protocol.md §8.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from safeconduct.errors import MalformedError, RefusedError, UnverifiedError
from safeconduct.protocol.address import DEFAULT_PROFILE, Address
from safeconduct.protocol.blind import PublicKey, parse_public_key
from safeconduct.protocol.keys import programme_hash
from safeconduct.protocol.notice import Archive as Archive
from safeconduct.protocol.notice import ClientFile, Gate, read_archive, read_client, read_gate
from safeconduct.protocol.notice import Epoch as Epoch
from safeconduct.protocol.notice import Retirement as Retirement
from safeconduct.protocol.record import (
    NO_HASH,
    Record,
    SignedRecord,
    parse_signed,
    record_hash,
    verify_signers,
)
from safeconduct.protocol.signature import check_ed25519_public
from safeconduct.protocol.statute.govern import check_annulments
from safeconduct.protocol.statute.lint import check, check_change
from safeconduct.protocol.statute.load import load_statute
from safeconduct.protocol.statute.text import Credits
from safeconduct.protocol.tlog.note import VerifierKey

_LAWS_KEPT = 16  # parsed; of 60 kB at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """The board: `threshold` of `members` must sign."""

    number: int
    threshold: int
    members: tuple[VerifierKey, ...]
    hash: bytes
    index: int = 0


Panel = Roster
"""Those who decide appeals; none of its keys was ever the board's, nor will be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatuteVersion:
    """One published version of the law; `sha256` is what other records call `statute`."""

    number: int
    law: bytes
    sha256: bytes
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditGroup:
    """What credits have in common: law (SHA-256), class and period. One key signs a group."""

    statute: bytes
    word: str
    period: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuingKey:
    """The one key that signs the blind credits of a group."""

    group: CreditGroup
    key: PublicKey
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditCount:
    """How many credits of a group were issued and redeemed, as the board counted them last."""

    group: CreditGroup
    issued: int
    redeemed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GazetteState:
    """What the entries so far say. Values only ever grow; a change is a new version."""

    programme: Record
    size: int
    rosters: tuple[Roster, ...]
    statutes: tuple[StatuteVersion, ...] = ()
    epochs: tuple[Epoch, ...] = ()
    publications: tuple[Record, ...] = ()
    counts: tuple[Record, ...] = ()
    archives: tuple[Archive, ...] = ()
    retirements: tuple[Retirement, ...] = ()
    issuing_keys: tuple[IssuingKey, ...] = ()
    credit_counts: tuple[CreditCount, ...] = ()
    gates: tuple[Gate, ...] = ()
    clients: tuple[ClientFile, ...] = ()
    panels: tuple[Panel, ...] = ()

    @property
    def programme_hash(self) -> bytes:
        """The hash that every record of this programme must carry."""
        return self.programme.hash("programme")

    @property
    def roster(self) -> Roster:
        """The board now."""
        return self.rosters[-1]

    @property
    def panel(self) -> Panel | None:
        """The appeal panel now, if there is one."""
        return self.panels[-1] if self.panels else None

    def statute(self, sha256: bytes) -> StatuteVersion:
        """The published version with this hash.

        Raises:
            UnverifiedError: no such version was published.
        """
        for version in self.statutes:
            if version.sha256 == sha256:
                return version
        raise UnverifiedError("the statute named was never published in the Gazette")

    def epoch(self, number: int) -> Epoch:
        """The desk epoch with this number.

        Raises:
            UnverifiedError: no such epoch was certified.
        """
        for epoch in self.epochs:
            if epoch.number == number:
                return epoch
        raise UnverifiedError(f"desk epoch {number} was never certified in the Gazette")

    def retired(self, epoch: int) -> Retirement | None:
        """The notice that the keys of this epoch are destroyed, if there is one."""
        return next((one for one in self.retirements if one.epoch == epoch), None)

    def issuing_key(self, group: CreditGroup) -> IssuingKey:
        """The one key that signs blind credits of this group.

        Raises:
            UnverifiedError: none was published.
        """
        for issuing in self.issuing_keys:
            if issuing.group == group:
                return issuing
        raise UnverifiedError("no key for these credits was published in the Gazette")

    def credit_count(self, group: CreditGroup) -> CreditCount:
        """The newest count of this group; zeros if none was published."""
        counted = [one for one in self.credit_counts if one.group == group]
        return counted[-1] if counted else CreditCount(group=group, issued=0, redeemed=0)

    def gate(self, statute: bytes, name: str) -> Gate | None:
        """The gate of this date of this law (SHA-256), if it has passed and was marked."""
        return next((g for g in self.gates if (g.statute, g.name) == (statute, name)), None)

    def client(self, platform: str) -> ClientFile | None:
        """The newest client's file for a platform, if the board has published one."""
        return next((c for c in reversed(self.clients) if c.platform == platform), None)


def credit_group(record: Record) -> CreditGroup:
    """The group that a record on credits names."""
    return CreditGroup(
        statute=record.hash("statute"),
        word=record.word("class"),
        period=record.number("period"),
    )


def address_at(state: GazetteState, at: int, profile: str = DEFAULT_PROFILE) -> Address:
    """Where a tip goes at `at` (POSIX seconds): the newest statute and the open desk epoch.

    Raises:
        RefusedError: no statute was published, or no epoch is open.
    """
    if not state.statutes:
        raise RefusedError("the programme has published no statute yet")
    for epoch in reversed(state.epochs):
        if epoch.opens <= at < epoch.closes:
            return Address(
                programme=state.programme_hash,
                statute=state.statutes[-1].sha256,
                epoch=epoch.number,
                certificate=epoch.hash,
                profile=profile,
                recipient=epoch.recipient(profile),
            )
    raise RefusedError(
        "no desk key is open now", hint="come back when the body has published one"
    )


def address_of(state: GazetteState, record: Record) -> Address:
    """Where a contribution was sealed to, as far as the Gazette certifies it.

    Raises:
        UnverifiedError: it does not.
    """
    epoch = state.epoch(record.number("epoch"))
    if epoch.hash != record.hash("certificate"):
        raise UnverifiedError("the Gazette has another certificate for this epoch")
    return Address(
        programme=state.programme_hash,
        statute=state.statute(record.hash("statute")).sha256,
        epoch=epoch.number,
        certificate=epoch.hash,
        profile=record.word("profile"),
        recipient=epoch.recipient(record.word("profile")),
    )


def fold(state: GazetteState | None, entry: bytes) -> GazetteState:
    """The state after `entry`, if the entry may stand at this place.

    Raises:
        MalformedError: not a signed Gazette record, or out of sequence.
        UnverifiedError: not signed by enough of the board, or, for a gate, by the door; or of
            another programme.
    """
    signed = parse_signed(entry)
    if state is None:
        return _found(signed)
    take = _TAKE.get(signed.record.kind)
    if take is None:
        raise MalformedError(f"{signed.record.kind} records have no place in the Gazette")
    if signed.record.hash("programme") != state.programme_hash:
        raise UnverifiedError("the entry belongs to another programme")
    _check_signed(state, signed)
    return replace(take(state, signed), size=state.size + 1)


def _check_signed(state: GazetteState, signed: SignedRecord) -> None:
    if signed.record.kind == "gate":
        verify_signers(signed, (state.programme.key("server"),), 1)
    else:
        verify_signers(signed, state.roster.members, state.roster.threshold)


def fold_all(entries: Iterable[bytes]) -> GazetteState:
    """The state after all `entries`.

    Raises:
        MalformedError, UnverifiedError: as `fold`; or there are no entries.
    """
    state: GazetteState | None = None
    for entry in entries:
        state = fold(state, entry)
    if state is None:
        raise MalformedError("the Gazette is empty: nothing was founded")
    return state


def _found(signed: SignedRecord) -> GazetteState:
    record = signed.record
    if record.kind != "programme":
        raise MalformedError("the Gazette must begin with the programme's founding record")
    if record.hash("programme") != programme_hash(record.word("name")):
        raise MalformedError("programme record: the hash is not that of the name")
    roster = _roster(0, record, signed)
    verify_signers(signed, roster.members, len(roster.members))
    for field in ("server", "registry"):
        check_ed25519_public(record.key(field).public)
    return GazetteState(programme=record, size=1, rosters=(roster,))


def _roster(number: int, record: Record, signed: SignedRecord) -> Roster:
    members, threshold = record.keys("members"), record.number("threshold")
    if not 1 <= threshold <= len(members):
        raise MalformedError(
            "board: the threshold must lie between 1 and the number of members"
        )
    if 2 * threshold <= len(members):
        raise MalformedError("board: the threshold must be more than half of the members")
    for member in members:
        check_ed25519_public(member.public)
    return Roster(
        number=number, threshold=threshold, members=members, hash=record_hash(signed.data)
    )


def _check_sequence(record: Record, number: int, previous: bytes) -> None:
    _check_number(record, number)
    if record.hash("previous") != previous:
        raise MalformedError(f"{record.kind} record: does not name the one before it")


def _take_roster(state: GazetteState, signed: SignedRecord) -> GazetteState:
    _check_sequence(signed.record, len(state.rosters), state.roster.hash)
    roster = _roster(len(state.rosters), signed.record, signed)
    _check_apart(roster, state.panels)
    return replace(state, rosters=(*state.rosters, replace(roster, index=state.size)))


def _take_panel(state: GazetteState, signed: SignedRecord) -> GazetteState:
    previous = state.panel.hash if state.panel else NO_HASH
    _check_sequence(signed.record, len(state.panels) + 1, previous)
    panel = _roster(len(state.panels) + 1, signed.record, signed)
    _check_apart(panel, state.rosters)
    return replace(state, panels=(*state.panels, replace(panel, index=state.size)))


def _check_apart(body: Roster, others: tuple[Roster, ...]) -> None:
    """Nobody decides both first and on appeal: neither by a key nor under a name."""
    taken = {mark for one in others for key in one.members for mark in (key.public, key.name)}
    for key in body.members:
        if key.public in taken or key.name in taken:
            raise MalformedError(f"{key.name} cannot be of the board and of an appeal panel")


def _take_statute(state: GazetteState, signed: SignedRecord) -> GazetteState:
    law = signed.record.hash("law")
    previous = state.statutes[-1].sha256 if state.statutes else NO_HASH
    _check_sequence(signed.record, len(state.statutes) + 1, previous)
    statute = load_statute(law)
    check(statute)
    if not state.statutes and statute.version.number != 1:
        raise MalformedError(f"statute record: begins with version {statute.version.number}")
    if state.statutes:
        check_change(load_statute(state.statutes[-1].law), statute)
    if statute.version.annuls:
        check_annulments([load_statute(each.law) for each in state.statutes], statute)
    if any(one.number("final") > statute.version.in_force_from for one in state.publications):
        raise MalformedError("statute record: begins before what was published before it")
    version = StatuteVersion(
        number=len(state.statutes) + 1,
        law=law,
        sha256=hashlib.sha256(law).digest(),
        index=state.size,
    )
    return replace(state, statutes=(*state.statutes, version))


def _take_epoch(state: GazetteState, signed: SignedRecord) -> GazetteState:
    record = signed.record
    previous = state.epochs[-1].hash if state.epochs else NO_HASH
    _check_sequence(record, len(state.epochs) + 1, previous)
    if record.number("opens") >= record.number("closes"):
        raise MalformedError("epoch record: closes before it opens")
    check_ed25519_public(record.key("statement").public)
    epoch = Epoch(
        number=record.number("number"),
        opens=record.number("opens"),
        closes=record.number("closes"),
        statement=record.key("statement"),
        classic=record.word("classic"),
        hybrid=record.word("hybrid"),
        hash=record_hash(signed.data),
        index=state.size,
    )
    return replace(state, epochs=(*state.epochs, epoch))


def _take_publication(state: GazetteState, signed: SignedRecord) -> GazetteState:
    record = signed.record
    _check_number(record, len(state.publications) + 1)
    state.statute(record.hash("statute"))
    return replace(state, publications=(*state.publications, record))


def _take_count(state: GazetteState, signed: SignedRecord) -> GazetteState:
    record = signed.record
    _check_number(record, len(state.counts) + 1)
    decided = record.number("published") + record.number("suspended")
    if record.number("decided") < decided or record.number("claims") < record.number("decided"):
        raise MalformedError("count record: the counts contradict each other")
    return replace(state, counts=(*state.counts, record))


def _take_archive(state: GazetteState, signed: SignedRecord) -> GazetteState:
    record = signed.record
    previous = state.archives[-1].hash if state.archives else NO_HASH
    _check_sequence(record, len(state.archives) + 1, previous)
    archive = read_archive(record, record_hash(signed.data))
    return replace(state, archives=(*state.archives, archive))


def _take_retirement(state: GazetteState, signed: SignedRecord) -> GazetteState:
    record = signed.record
    _check_number(record, len(state.retirements) + 1)
    epoch = state.epoch(record.number("epoch"))
    if epoch.hash != record.hash("certificate"):
        raise UnverifiedError("retirement record: names another certificate of its epoch")
    if state.retired(epoch.number) is not None:
        raise MalformedError(f"retirement record: epoch {epoch.number} was retired before")
    retirement = Retirement(
        epoch=epoch.number, destruction=record.hash("destruction"), index=state.size
    )
    return replace(state, retirements=(*state.retirements, retirement))


def _take_issuing_key(state: GazetteState, signed: SignedRecord) -> GazetteState:
    """One key per group and one group per key: a second of either could tag its holders."""
    record, group = signed.record, credit_group(signed.record)
    _check_number(record, len(state.issuing_keys) + 1)
    if credit_terms(state, group).scheme != "blind":
        raise MalformedError("issuing-key record: the statute's credits are not blind")
    key = parse_public_key(record.word("key"))
    if any(one.group == group or one.key == key for one in state.issuing_keys):
        raise MalformedError("issuing-key record: the group has a key, or the key a group")
    issuing = IssuingKey(group=group, key=key, hash=record_hash(signed.data))
    return replace(state, issuing_keys=(*state.issuing_keys, issuing))


def _take_credit_count(state: GazetteState, signed: SignedRecord) -> GazetteState:
    """Counts only grow. More redeemed than issued is taken: it is a fact that must show."""
    record, group = signed.record, credit_group(signed.record)
    _check_number(record, len(state.credit_counts) + 1)
    credit_terms(state, group)
    before = state.credit_count(group)
    count = CreditCount(
        group=group, issued=record.number("issued"), redeemed=record.number("redeemed")
    )
    if count.issued < before.issued or count.redeemed < before.redeemed:
        raise MalformedError("credit-count record: less than was counted before")
    return replace(state, credit_counts=(*state.credit_counts, count))


def _take_gate(state: GazetteState, signed: SignedRecord) -> GazetteState:
    """One gate per date: a second would say something else about the same moment."""
    record = signed.record
    _check_number(record, len(state.gates) + 1)
    gate = read_gate(
        record,
        state.statute(record.hash("statute")).law,
        state.programme.word("ledger"),
        digest=record_hash(signed.data),
        index=state.size,
    )
    if state.gate(gate.statute, gate.name) is not None:
        raise MalformedError("gate record: this date has its gate already")
    return replace(state, gates=(*state.gates, gate))


def _take_client(state: GazetteState, signed: SignedRecord) -> GazetteState:
    _check_number(signed.record, len(state.clients) + 1)
    return replace(state, clients=(*state.clients, read_client(signed.record)))


def credit_terms(state: GazetteState, group: CreditGroup) -> Credits:
    """What the group's statute says about credits, if it has this class and period.

    Raises:
        MalformedError: it grants none, or has no such class or period.
        UnverifiedError: no such statute was published.
    """
    terms = _credits_of(state.statute(group.statute).law)
    if terms is None or group.word not in terms.classes:
        raise MalformedError("the statute grants no credits of this class")
    if not 1 <= group.period <= len(terms.periods):
        raise MalformedError("the statute has no such period for credits")
    return terms


@lru_cache(maxsize=_LAWS_KEPT)
def _credits_of(law: bytes) -> Credits | None:
    # Asked anew for each credit that somebody counts; to read a law takes milliseconds.
    return load_statute(law).credits


def _check_number(record: Record, number: int) -> None:
    if record.number("number") != number:
        raise MalformedError(f"{record.kind} record: number {number} is due")


_TAKE: dict[str, Callable[[GazetteState, SignedRecord], GazetteState]] = {
    "roster": _take_roster,
    "statute": _take_statute,
    "epoch": _take_epoch,
    "publication": _take_publication,
    "count": _take_count,
    "archive": _take_archive,
    "retirement": _take_retirement,
    "issuing-key": _take_issuing_key,
    "credit-count": _take_credit_count,
    "gate": _take_gate,
    "client": _take_client,
    "panel": _take_panel,
}
