"""The hearing: notice, reply, decision, appeal; and the object that shows how one was held.

    listing-notice     signed by the registry    logged: the time for a reply begins
    reply              a commitment to its text  logged
    listing-decision   t of n of the board       logged: the time for an appeal begins
    appeal             the registry's word that it came in through the person's page; logged
    listing-decision   t of n of the appeal panel, which says whether the first one stands

Nothing is decided before the time for a reply is over, whether or not one came: that one came
is the registry's word, and must gain it nothing. `recheck_listing` goes the same way again from
the published bytes, and counts the votes.

Spec: docs/3-protocol.md §16.1.
"""

import hashlib
from dataclasses import dataclass

from safeconduct.errors import MalformedError, RefusedError, UnverifiedError
from safeconduct.protocol.canonical import Json, format_json, parse_hex, tagged_hash
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.listing.dossier import Dossier
from safeconduct.protocol.listing.published import (
    HEARD_FIELDS,
    REGISTERED,
    check_listing,
)
from safeconduct.protocol.listing.voting import (
    UPHOLD,
    check_apart,
    check_carried,
    deciders,
    verify_bench,
)
from safeconduct.protocol.reasons import FIRST
from safeconduct.protocol.receipt import Receipt, verify_receipt
from safeconduct.protocol.record import (
    NO_HASH,
    Record,
    make_record,
    parse_signed,
    record_hash,
    verify_signer,
)
from safeconduct.protocol.statute.explain import appeal_last_at
from safeconduct.protocol.statute.govern import governing
from safeconduct.protocol.statute.instant import add, format_instant
from safeconduct.protocol.statute.load import load_statute
from safeconduct.protocol.statute.text import Listing, Statute
from safeconduct.protocol.tlog.policy import Logged, Policy, verify_proof
from safeconduct.protocol.votes import Tally

HASH_BYTES = 32
NOT_REGISTERED = "not_registered"
OUTCOMES = frozenset({REGISTERED, NOT_REGISTERED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Contested:
    """An appeal that was decided: signed records and proofs, the panel's reasons and votes."""

    appeal: bytes
    appeal_proof: bytes
    decision: bytes
    decision_proof: bytes
    letter: str
    votes: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """How somebody was heard before they were listed: signed records, and when each was logged.

    Of the reply only a commitment is shown; of the votes the whole document, if they were
    recorded.
    """

    notice: bytes
    notice_proof: bytes
    decision: bytes
    decision_proof: bytes
    letter: str  # the reasons that the decision record binds
    reply: tuple[bytes, bytes] | None = None  # commitment and its tlog-proof
    votes: Json = None
    appeal: Contested | None = None


def reply_hash(notice: bytes, salt: bytes, text: str) -> bytes:
    """The commitment to a reply that is logged: `notice` is the signed record it answers."""
    return tagged_hash("listing-reply", record_hash(notice), salt, text.encode("utf-8"))


def notice_record(programme: bytes, dossier: Dossier, reply_until: int) -> Record:
    """The notice, for the registry to sign and the Ledger to date."""
    return make_record(
        "listing-notice",
        programme=programme,
        statute=dossier.statute,
        subject=dossier.subject,
        listing=dossier.listing,
        reply_until=reply_until,
    )


def listing_decision(
    programme: bytes,
    number: int,
    dossier: Dossier,
    *,
    notice: bytes,
    reply: bytes = NO_HASH,
    outcome: str = REGISTERED,
    reasons: str,
    votes: bytes = NO_HASH,
    appeal: bytes = NO_HASH,
    result: str = "first",
) -> Record:
    """The decision, for the board (or the appeal panel) to sign.

    `notice` and `appeal` are record hashes, `reply` a commitment, `votes` a SHA-256.
    """
    return make_record(
        "listing-decision",
        programme=programme,
        number=number,
        statute=dossier.statute,
        subject=dossier.subject,
        listing=dossier.listing,
        notice=notice,
        reply=reply,
        outcome=outcome,
        reasons=hashlib.sha256(reasons.encode("utf-8")).digest(),
        votes=votes,
        appeal=appeal,
        result=result,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """The three days of a listing, in UTC, such as 2027-06-01."""

    listed_on: str
    review_on: str
    ends_on: str


def days_of(decided_at: int, statute: Statute, terms: Listing) -> Days:
    """The days that the law gives a listing decided at `decided_at` (POSIX seconds)."""
    moments = (
        decided_at,
        add(decided_at, terms.review_after, statute.calendar),
        add(decided_at, terms.ends_after, statute.calendar),
    )
    listed_on, review_on, ends_on = (format_instant(at)[:10] for at in moments)
    return Days(listed_on=listed_on, review_on=review_on, ends_on=ends_on)


def heard_object(dossier: Dossier, days: Days, hearing: Hearing) -> bytes:
    """The object behind the publication of somebody who was heard. Spec: §16.1."""
    shown = dossier.shown
    del shown["statute"]  # the publication names it
    return format_json(
        {
            **shown,
            "ends_on": days.ends_on,
            "hearing": _hearing_document(hearing),
            "listed_on": days.listed_on,
            "review_on": days.review_on,
            "type": "listing",
        }
    )


def _hearing_document(hearing: Hearing) -> Json:
    reply: Json = None
    if hearing.reply is not None:
        reply = {"hash": hearing.reply[0].hex(), "proof": hearing.reply[1].decode("utf-8")}
    return {
        "appeal": None if hearing.appeal is None else _appeal_document(hearing.appeal),
        "decision": hearing.decision.decode("utf-8"),
        "decision_proof": hearing.decision_proof.decode("utf-8"),
        "letter": hearing.letter,
        "notice": hearing.notice.decode("utf-8"),
        "notice_proof": hearing.notice_proof.decode("utf-8"),
        "reply": reply,
        "votes": hearing.votes,
    }


def _appeal_document(contested: Contested) -> Json:
    return {
        "appeal": contested.appeal.decode("utf-8"),
        "appeal_proof": contested.appeal_proof.decode("utf-8"),
        "decision": contested.decision.decode("utf-8"),
        "decision_proof": contested.decision_proof.decode("utf-8"),
        "letter": contested.letter,
        "votes": contested.votes,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A decision on a listing, who signed it, and the count of its votes, if they had any."""

    receipt: Receipt
    signers: tuple[str, ...]
    tally: Tally | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A published listing whose hearing came out the same when it was computed again."""

    subject: str
    first: Decided
    appeal: Decided | None  # what the appeal panel decided, if somebody appealed
    logged: tuple[tuple[str, Logged, bytes], ...]
    """What must stand in the Ledger: in words, where, and the entry."""

    @property
    def signers(self) -> tuple[str, ...]:
        """Those of the board who signed."""
        return self.first.signers


def recheck_listing(
    data: bytes, publication: Record, state: GazetteState, policy: Policy
) -> Heard | None:
    """How somebody was heard, computed again from the published bytes and the Gazette's state.

    None where the law does not say how anybody is listed, and nobody was heard.

    Raises:
        MalformedError: not the form of a listing.
        UnverifiedError: a signature or a receipt does not hold, or the hearing was not the one
            that the law gives; the message says in what.
    """
    value = check_listing(data, publication)
    statute = load_statute(state.statute(publication.hash("statute")).law)
    if not value.keys() & HEARD_FIELDS:
        if statute.procedure.listing is not None:
            raise UnverifiedError("listing: entered without the hearing that its law gives")
        check_in_force(state, statute, publication.number("final"))
        return None
    if statute.procedure.listing is None:
        raise UnverifiedError("listing: shows a hearing that its law does not know")
    case = _Shown(value, publication, state, policy, statute, statute.procedure.listing)
    return case.recheck()


def check_in_force(state: GazetteState, statute: Statute, at: int) -> None:
    """Check that a listing is made under the version of the law in force at `at`.

    Else the body could choose, of all versions that it ever published, the one that gives the
    person the least time, or no hearing at all.

    Raises:
        UnverifiedError: another version was in force, or none.
    """
    versions = [load_statute(each.law) for each in state.statutes]
    try:
        due = governing([one for one in versions if one.version.published_at <= at], at)
    except RefusedError as error:
        raise UnverifiedError(f"listing: {error.message}") from error
    if due.sha256 != statute.sha256:
        raise UnverifiedError(
            f"listing: made under version {statute.version.number} of the law; version "
            f"{due.version.number} was in force at {format_instant(at)}"
        )


class _Shown:
    """One published listing with all it is checked against."""

    def __init__(
        self,
        value: dict[str, Json],
        publication: Record,
        state: GazetteState,
        policy: Policy,
        statute: Statute,
        terms: Listing,
    ) -> None:
        self.value, self.publication, self.state = value, publication, state
        self.policy, self.statute, self.terms = policy, statute, terms
        hearing = value["hearing"]
        if not isinstance(hearing, dict) or hearing.keys() != _HEARING_FIELDS:
            raise MalformedError("listing: not the fields a hearing has")
        self.hearing = hearing
        self.listing = self._listing()

    def recheck(self) -> Heard:
        """The hearing, once all of it holds."""
        notice = self._notice()
        first = self._decision(notice)
        decided = first.receipt
        logged = [
            ("notice", notice.logged, notice.record_hash),
            ("decision", decided.logged, decided.record_hash),
            *self._reply(notice, decided),
        ]
        final_from = appeal_last_at(self.statute, decided.logged_by)
        appealed = None
        if self.hearing["appeal"] is not None:
            appeal, appealed = self._appeal(decided)
            settled = appealed.receipt
            logged.append(("appeal", appeal.logged, appeal.record_hash))
            logged.append(("appeal decision", settled.logged, settled.record_hash))
            final_from = max(final_from, settled.logged_by)
        if self.publication.number("final") <= final_from:
            raise UnverifiedError("listing: published before its appeal period was over")
        self._check_days(decided.logged_by)
        return Heard(
            subject=decided.record.word("subject"),
            first=first,
            appeal=appealed,
            logged=tuple(logged),
        )

    def _listing(self) -> bytes:
        """SHA-256 of the file as it is shown."""
        effects = self.value["effects"]
        if not isinstance(effects, list) or not set(map(str, effects)) <= set(
            self.terms.effects
        ):
            raise UnverifiedError("listing: has an effect that its law does not give")
        names = ("assessment", "effects", "name", "private", "salt", "subject")
        shown = {name: self.value[name] for name in names}
        shown["statute"] = self.publication.hash("statute").hex()
        return hashlib.sha256(format_json(shown)).digest()

    def _notice(self) -> Receipt:
        data, receipt = self._receipt("notice", "listing-notice")
        verify_signer(parse_signed(data), self.state.programme.key("registry"))
        self._check_about(receipt.record, "notice")
        check_in_force(self.state, self.statute, receipt.logged_by)
        return receipt

    def _decision(self, notice: Receipt) -> Decided:
        """The board's decision to list this person."""
        data, receipt = self._receipt("decision", "listing-decision")
        record = receipt.record
        self._check_about(record, "decision")
        if record.hash("notice") != notice.record_hash:
            raise UnverifiedError("listing: the decision rests on another notice")
        if record.hash("appeal") != NO_HASH or record.word("result") != FIRST:
            raise UnverifiedError("listing: shows a decision on appeal as the first one")
        if record.word("outcome") != REGISTERED:
            raise UnverifiedError("listing: the board did not decide to list this person")
        self._check_letter(self._text("letter"), record)
        votes = _document(self.hearing["votes"])
        board, signers = verify_bench(data, self.state.rosters, votes, "board")
        tally = check_carried(record, votes, board, signers, self.statute.procedure)
        return Decided(receipt=receipt, signers=signers, tally=tally)

    def _check_letter(self, letter: str, record: Record) -> None:
        if hashlib.sha256(letter.encode("utf-8")).digest() != record.hash("reasons"):
            raise UnverifiedError("listing: the letter shown is not the one that was signed")

    def _reply(self, notice: Receipt, decided: Receipt) -> list[tuple[str, Logged, bytes]]:
        """The reply, if there was one; its time was over before anything was decided."""
        until = max(
            notice.record.number("reply-until"),
            add(notice.logged_by, self.terms.reply_period, self.statute.calendar),
        )
        # With a reply as well: a registry that invents one cuts nobody's time short.
        if decided.logged_by <= until:
            raise UnverifiedError(
                f"listing: decided by {format_instant(decided.logged_by)}, and a reply was "
                f"due until {format_instant(until)}"
            )
        reply = self.hearing["reply"]
        if reply is None:
            if decided.record.hash("reply") != NO_HASH:
                raise UnverifiedError("listing: the reply that was decided on is not shown")
            return []
        if not isinstance(reply, dict) or reply.keys() != {"hash", "proof"}:
            raise MalformedError("listing: not the fields a reply has")
        entry = parse_hex(str(reply["hash"]), HASH_BYTES, "listing, reply")
        if entry == NO_HASH or entry != decided.record.hash("reply"):
            raise UnverifiedError("listing: another reply is shown than was decided on")
        proof = str(reply["proof"]).encode("utf-8")
        logged = verify_proof(proof, entry, self.policy, notice.logged.origin)
        if not notice.logged_by <= logged.logged_by <= decided.logged_by:
            raise UnverifiedError("listing: the reply was not logged before the decision")
        return [("reply", logged, entry)]

    def _appeal(self, decided: Receipt) -> tuple[Receipt, Decided]:
        """The appeal, and the panel's decision that the first one stands."""
        shown = self.hearing["appeal"]
        if not isinstance(shown, dict) or shown.keys() != _APPEAL_FIELDS:
            raise MalformedError("listing: not the fields an appeal has")
        signed = str(shown["appeal"]).encode("utf-8")
        verify_signer(parse_signed(signed, "appeal"), self.state.programme.key("registry"))
        appeal = self._proven(signed, shown["appeal_proof"])
        if appeal.record.hash("decision") != decided.record_hash:
            raise UnverifiedError("listing: the appeal is about another decision")
        settled = self._settled(shown, appeal, decided)
        if not decided.logged_by <= appeal.logged_by <= settled.receipt.logged_by:
            raise UnverifiedError("listing: its appeal was not logged between the decisions")
        return appeal, settled

    def _settled(self, shown: dict[str, Json], appeal: Receipt, decided: Receipt) -> Decided:
        """What the panel decided: of people who had not decided before, and voted on it."""
        data = str(shown["decision"]).encode("utf-8")
        parse_signed(data, "listing-decision")
        receipt = self._proven(data, shown["decision_proof"])
        record = receipt.record
        self._check_about(record, "appeal decision")
        if record.hash("appeal") != appeal.record_hash:
            raise UnverifiedError("listing: the panel decided another appeal")
        for name in ("notice", "reply", "outcome"):
            if record.values[name] != decided.record.values[name]:
                raise UnverifiedError(f"listing: the panel decided on another {name}")
        if record.word("result") != UPHOLD:
            raise UnverifiedError("listing: the appeal panel did not let the decision stand")
        self._check_letter(str(shown["letter"]), record)
        votes = _document(shown["votes"])
        panel, signers = verify_bench(data, self.state.panels, votes, "appeal panel")
        first = _document(self.hearing["votes"])
        check_apart(deciders(self._text("decision").encode("utf-8"), first), panel)
        tally = check_carried(record, votes, panel, signers, self.statute.procedure)
        return Decided(receipt=receipt, signers=signers, tally=tally)

    def _proven(self, data: bytes, proof: Json) -> Receipt:
        origin = self.state.programme.word("ledger")
        return verify_receipt(data, str(proof).encode("utf-8"), self.policy, origin)

    def _check_about(self, record: Record, what: str) -> None:
        due = {
            "programme": self.state.programme_hash,
            "statute": self.publication.hash("statute"),
            "listing": self.listing,
        }
        wrong = [name for name, value in due.items() if record.hash(name) != value]
        if record.word("subject") != self.publication.word("subject"):
            wrong.append("subject")
        if wrong:
            raise UnverifiedError(f"listing: the {what} has another {', '.join(wrong)}")

    def _check_days(self, decided_at: int) -> None:
        days = days_of(decided_at, self.statute, self.terms)
        for name in ("listed_on", "review_on", "ends_on"):
            due = getattr(days, name)
            if self.value[name] != due:
                raise UnverifiedError(f"listing: {name} should be {due}")

    def _receipt(self, name: str, kind: str) -> tuple[bytes, Receipt]:
        data = self._text(name).encode("utf-8")
        parse_signed(data, kind)
        return data, self._proven(data, self._text(f"{name}_proof"))

    def _text(self, name: str) -> str:
        text = self.hearing[name]
        if not isinstance(text, str):
            raise MalformedError(f"listing: {name} must be text")
        return text


_HEARING_FIELDS = frozenset(
    {
        "appeal",
        "decision",
        "decision_proof",
        "letter",
        "notice",
        "notice_proof",
        "reply",
        "votes",
    }
)
_APPEAL_FIELDS = frozenset(
    {"appeal", "appeal_proof", "decision", "decision_proof", "letter", "votes"}
)


def _document(votes: Json) -> bytes | None:
    """The votes document as it was signed for; None where none is shown."""
    return None if votes is None else format_json(votes)
