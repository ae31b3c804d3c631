"""Credits: help is made good without naming the tip.

    desk    credit-offer      this tip may be credited: class, period, scheme
    source  credit-request    the ask, signed with the credited tip's author keys
    board   credit-link       ties request and tip, for the Ledger, which holds its hash only
            credit            plain: signed by the board; it has seen the key
            blind-signature   blind: over a message that nobody but the source knows
    source  credit-token      what the source makes of a blind signature

A credit says that the author of a tip of one grade, logged before the end of one period under
one law, holds a key that is made for this credit alone. What a source needs for it derives
from the words: serial, key, prefix, salt, blinding factor, and so the texts of request and
token. Only signature lines differ from one making to the next (ML-DSA is hedged), which is why
records name each other's *text* here (`text_hash`).

Spec: docs/3-protocol.md §24; RFC 9474 for the blind scheme.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from safeconduct.errors import MalformedError, RefusedError, SafeconductError, UnverifiedError
from safeconduct.protocol import blind
from safeconduct.protocol.canonical import format_base64, parse_base64, tagged_hash, u64
from safeconduct.protocol.dual import open_dual, opened_author, sign_dual
from safeconduct.protocol.gazette import CreditGroup, GazetteState, credit_group, credit_terms
from safeconduct.protocol.keys import ContributionKeys
from safeconduct.protocol.record import (
    NO_HASH,
    Record,
    SignedRecord,
    Value,
    format_record,
    make_record,
    parse_any,
    parse_record,
    parse_signed,
    record_hash,
    verify_signer,
    verify_signers,
)

PLAIN = "plain"
BLIND = "blind"
SERIAL_BYTES = 16
KEY_BYTES = 32
NO_SERIAL = bytes(SERIAL_BYTES)
"""Stands in a blind request: the board signs for no serial."""
REQUEST_FILE = "credit.request"
"""The one file of the follow-up that brings a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A verified request. `ask` is the key to credit, or the 512 bytes to sign blindly."""

    record: Record
    group: CreditGroup
    scheme: str
    ask: bytes

    @property
    def hash(self) -> bytes:
        """What `credit-link` and `blind-signature` call this request."""
        return text_hash(self.record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """A verified credit. Whoever opens `key`, an author commitment, may redeem it, once.

    It proves that a tip of the group's class was logged before `period_end` (POSIX seconds).
    """

    group: CreditGroup
    key: bytes
    nullifier: bytes
    period_end: int


def text_hash(record: Record) -> bytes:
    """`record_hash` of the record without signature lines."""
    return record_hash(format_record(record))


def group_hash(group: CreditGroup) -> bytes:
    """32 bytes for a group of credits."""
    word = group.word.encode("ascii")
    return tagged_hash("credit-group", group.statute, word, u64(group.period))


def group_for(state: GazetteState, statute: bytes, grade: str, logged_by: int) -> CreditGroup:
    """The group of a tip of this grade that was logged by `logged_by` (POSIX seconds).

    Of the periods that it lies in it is the one that ends first.

    Raises:
        RefusedError: the statute has no credits for such a tip.
        UnverifiedError: no such statute was published.
    """
    group = CreditGroup(statute=statute, word=grade, period=1)
    try:
        periods = credit_terms(state, group).periods
    except MalformedError as error:
        raise RefusedError(error.message) from error
    for number, end in enumerate(periods, 1):
        if logged_by < end:
            return CreditGroup(statute=statute, word=grade, period=number)
    raise RefusedError("the tip was logged after the last period for credits had ended")


def serial_of(keys: ContributionKeys, group: CreditGroup) -> bytes:
    """The 16-byte serial of a contribution's one credit of this group."""
    return keys.derive("credit-serial", group_hash(group), SERIAL_BYTES)


def redemption_key(keys: ContributionKeys, serial: bytes) -> bytes:
    """The commitment to the keys that redeem the credit with this serial."""
    return keys.redemption(serial).author(serial)


def nullifier(key: bytes) -> bytes:
    """What the registry writes down when the credit for `key` is redeemed."""
    return tagged_hash("nullifier", key)


def credit_message(programme: bytes, group: CreditGroup, key: bytes) -> bytes:
    """The message under a blind credit's signature.

    It repeats the group, but it is the issuing key that stands for it: who signs does not see.
    """
    word = group.word.encode("ascii")
    return tagged_hash("credit-token", programme, group.statute, word, u64(group.period), key)


# The desk offers.


def make_offer(
    state: GazetteState, contribution_hash: bytes, group: CreditGroup, epoch: int
) -> Record:
    """The `credit-offer` for a tip, for the statement key of `epoch` to sign.

    Raises:
        MalformedError, UnverifiedError: the statute grants no such credits; or they are blind
            and no key for them was published.
    """
    return make_record(
        "credit-offer",
        programme=state.programme_hash,
        record=contribution_hash,
        **_group_fields(group),
        scheme=_scheme(state, group),
        epoch=epoch,
    )


def open_offer(data: bytes, state: GazetteState) -> Record:
    """The offer in `data`, after checking that the desk made it and the statute allows it.

    Raises:
        MalformedError: not an offer, or one that the statute has no place for.
        UnverifiedError: of another programme, epoch or signer.
    """
    signed = parse_signed(data, "credit-offer")
    _check_programme(signed.record, state)
    epoch = state.epoch(signed.record.number("epoch"))
    offer = verify_signer(signed, epoch.statement)
    _check_scheme(offer, state)
    return offer


# The source asks.


def make_request(
    keys: ContributionKeys,
    pre: bytes,
    contribution_hash: bytes,
    group: CreditGroup,
    state: GazetteState,
) -> bytes:
    """The `credit-request` for a contribution, signed with its author keys.

    `keys` and `pre` are the contribution's. The text derives from them: it is the same every
    time.

    Raises:
        MalformedError, UnverifiedError: as `make_offer`.
    """
    scheme = _scheme(state, group)
    serial = serial_of(keys, group)
    ask = redemption_key(keys, serial)
    if scheme == BLIND:
        ask = _blinded(keys, group, state)[1].message
    ed25519, mldsa65 = keys.author_public()
    record = make_record(
        "credit-request",
        programme=state.programme_hash,
        record=contribution_hash,
        **_group_fields(group),
        scheme=scheme,
        serial=NO_SERIAL if scheme == BLIND else serial,
        ask=format_base64(ask),
        ed25519=ed25519,
        mldsa65=mldsa65,
        blind=keys.blind(pre),
    )
    return sign_dual(record, keys.derive("author-ed25519"), keys.derive("author-mldsa65"))


def open_request(
    data: bytes, contribution: Record, contribution_hash: bytes, state: GazetteState
) -> Request:
    """The request in `data`, after checking that the contribution's author made it.

    Whether the tip was graded so, logged in time and not credited before is the desk's to know.

    Raises:
        MalformedError: not a request, not what the statute grants, or an ask out of range.
        UnverifiedError: by another author, about another contribution, of another programme,
            or under a law older than the contribution's.
    """
    record = open_dual(data, {"credit-request"})
    _check_programme(record, state)
    if record.hash("record") != contribution_hash:
        raise UnverifiedError("credit-request: names another contribution")
    if opened_author(record) != contribution.hash("author"):
        raise UnverifiedError("credit-request: not by the author of the contribution")
    group, scheme = credit_group(record), _check_scheme(record, state)
    relied = state.statute(contribution.hash("statute")).number
    if state.statute(group.statute).number < relied:
        raise UnverifiedError("credit-request: the law is older than the contribution's")
    ask = parse_base64(record.word("ask"), "credit-request, ask")
    _CHECK_ASK[scheme](record, ask, state)
    return Request(record=record, group=group, scheme=scheme, ask=ask)


def _check_plain_ask(record: Record, ask: bytes, state: GazetteState) -> None:
    if len(ask) != KEY_BYTES:
        raise MalformedError(f"credit-request: a key has {KEY_BYTES} bytes")


def _check_blind_ask(record: Record, ask: bytes, state: GazetteState) -> None:
    if record.hash("serial") != NO_SERIAL:
        raise MalformedError("credit-request: a blind request names no serial")
    blind.check_blinded(state.issuing_key(credit_group(record)).key, ask)


_CHECK_ASK: dict[str, Callable[[Record, bytes, GazetteState], None]] = {
    PLAIN: _check_plain_ask,
    BLIND: _check_blind_ask,
}


# The board grants.


def link_record(request: Request) -> Record:
    """The `credit-link` that the board signs and logs before anything is handed out."""
    record = request.record
    credit = NO_HASH if request.scheme == BLIND else text_hash(requested_credit(request))
    return make_record(
        "credit-link",
        programme=record.hash("programme"),
        record=record.hash("record"),
        request=request.hash,
        credit=credit,
        **_group_fields(request.group),
        scheme=request.scheme,
    )


def open_link(data: bytes, state: GazetteState) -> Record:
    """The link in `data`, after checking that the board signed it and the statute allows it.

    Raises:
        MalformedError: not a link, not what the statute grants, or a blind one with a credit.
        UnverifiedError: of another programme, or not signed by enough of the board.
    """
    link = _by_board(parse_signed(data, "credit-link"), state)
    scheme = _check_scheme(link, state)
    if (link.hash("credit") == NO_HASH) != (scheme == BLIND):
        raise MalformedError("credit-link: names a credit if it is plain, and only then")
    return link


def credit_record(programme: bytes, group: CreditGroup, serial: bytes, key: bytes) -> Record:
    """The plain `credit`, for the board to sign."""
    return make_record(
        "credit", programme=programme, **_group_fields(group), serial=serial, key=key
    )


def requested_credit(request: Request) -> Record:
    """The plain `credit` that a verified plain request asks for."""
    record = request.record
    programme, serial = record.hash("programme"), record.hash("serial")
    return credit_record(programme, request.group, serial, request.ask)


def blind_signature_record(request: Request, signature: bytes, state: GazetteState) -> Record:
    """The answer to a blind request: `signature` is the raw operation's result, 512 bytes.

    Raises:
        UnverifiedError: the operation went wrong; its result must not leave the machine.
    """
    issuing = state.issuing_key(request.group)
    blind.verify_blind_signature(issuing.key, request.ask, signature)
    return make_record(
        "blind-signature",
        programme=request.record.hash("programme"),
        **_group_fields(request.group),
        request=request.hash,
        signature=format_base64(signature),
    )


# The source takes off the blinding.


def finish_blind(
    keys: ContributionKeys, group: CreditGroup, data: bytes, state: GazetteState
) -> bytes:
    """The `credit-token` that a `blind-signature` record for this group becomes.

    Raises:
        MalformedError: not such a record, or about another group.
        UnverifiedError: of another programme, or its signature is not over what was asked.
    """
    record = parse_record(data, "blind-signature")
    _check_programme(record, state)
    if credit_group(record) != group:
        raise MalformedError("blind-signature: about other credits than were asked for")
    prefix, blinded = _blinded(keys, group, state)
    key = redemption_key(keys, serial_of(keys, group))
    signature = blind.finalize(
        state.issuing_key(group).key,
        blind.prepare(credit_message(state.programme_hash, group, key), prefix),
        parse_base64(record.word("signature"), "blind-signature, signature"),
        blinded.inverse,
    )
    token = make_record(
        "credit-token",
        programme=state.programme_hash,
        **_group_fields(group),
        key=key,
        prefix=prefix,
        signature=format_base64(signature),
    )
    return format_record(token)


def _blinded(
    keys: ContributionKeys, group: CreditGroup, state: GazetteState
) -> tuple[bytes, blind.Blinded]:
    """The token's prefix, and its message blinded; all of it derives from the words.

    The issuing key is in each derivation, so that two keys never see one message blinded with
    one factor.
    """
    issuing = state.issuing_key(group).key
    serial = serial_of(keys, group)
    message = credit_message(state.programme_hash, group, redemption_key(keys, serial))
    seed, context = keys.redemption(serial), hashlib.sha256(issuing.der).digest()
    prefix = seed.derive("credit-prefix", context, blind.PREFIX_BYTES)
    salt = seed.derive("credit-salt", context, blind.SALT_BYTES)
    chance = seed.derive("credit-factor", context, blind.FACTOR_BYTES)
    factor = blind.blinding_factor(issuing, chance)
    return prefix, blind.blind(issuing, blind.prepare(message, prefix), salt, factor)


# Anybody checks.


def open_credit(data: bytes, state: GazetteState) -> Credit:
    """The credit in `data`, a signed `credit` or a `credit-token`, after checking all of it.

    Raises:
        MalformedError: neither of the two, or not what the statute grants.
        UnverifiedError: of another programme; a plain one not signed by enough of the board, a
            blind one not by the key of its group.
    """
    kind = parse_any(data).kind
    if kind not in _OPEN:
        raise MalformedError(f"{kind} record: not a credit")
    scheme, opener = _OPEN[kind]
    record = opener(data, state)
    group = credit_group(record)
    terms = credit_terms(state, group)
    if terms.scheme != scheme:
        raise MalformedError(f"{kind}: the statute's credits are {terms.scheme}")
    key = record.hash("key")
    return Credit(
        group=group,
        key=key,
        nullifier=nullifier(key),
        period_end=terms.periods[group.period - 1],
    )


def _open_plain(data: bytes, state: GazetteState) -> Record:
    return _by_board(parse_signed(data, "credit"), state)


def _open_token(data: bytes, state: GazetteState) -> Record:
    record = parse_record(data, "credit-token")
    _check_programme(record, state)
    group = credit_group(record)
    message = credit_message(state.programme_hash, group, record.hash("key"))
    blind.verify(
        state.issuing_key(group).key,
        blind.prepare(message, record.hash("prefix")),
        parse_base64(record.word("signature"), "credit-token, signature"),
    )
    return record


_OPEN: dict[str, tuple[str, Callable[[bytes, GazetteState], Record]]] = {
    "credit": (PLAIN, _open_plain),
    "credit-token": (BLIND, _open_token),
}


def _by_board(signed: SignedRecord, state: GazetteState) -> Record:
    """The record, if t of n signed it of one board that stood under the law it names.

    A board that was replaced since counts too: otherwise a body could take back every credit
    by changing its board. One that was replaced before the law was published never issued any.
    """
    record = signed.record
    _check_programme(record, state)
    published = state.statute(record.hash("statute")).index
    reason: SafeconductError | None = None
    ends = [later.index for later in state.rosters[1:]] + [state.size]
    for roster, end in reversed(list(zip(state.rosters, ends, strict=True))):
        if end < published:
            break
        try:
            verify_signers(signed, roster.members, roster.threshold)
        except UnverifiedError as error:
            reason = reason or error
        else:
            return record
    assert reason is not None  # the newest board was tried at least
    raise reason


def _group_fields(group: CreditGroup) -> dict[str, Value]:
    return {"statute": group.statute, "class": group.word, "period": group.period}


def _check_programme(record: Record, state: GazetteState) -> None:
    if record.hash("programme") != state.programme_hash:
        raise UnverifiedError(f"{record.kind}: belongs to another programme")


def _check_scheme(record: Record, state: GazetteState) -> str:
    scheme = _scheme(state, credit_group(record))
    if record.word("scheme") != scheme:
        raise MalformedError(f"{record.kind}: the statute's credits are {scheme}")
    return scheme


def _scheme(state: GazetteState, group: CreditGroup) -> str:
    """The statute's scheme for this group; if it is blind, its issuing key stands ready."""
    scheme = credit_terms(state, group).scheme
    if scheme == BLIND:
        state.issuing_key(group)
    return scheme
