"""Credit: from the offer to the source's hand, one credit for each tip and for ever.

    offer     signed with the statement key ──▶ reply to the tip's mailbox
    request   ◀── a follow-up with one file, `credit.request`; the first valid one stands
    draft     what the board is to sign: the link, and the credit itself if it is plain
    issue     link stored ─▶ logged ─▶ answer made and stored ─▶ reply sealed ─▶ posted

A tip that was credited is claimed with no more, and one whose assessment a registry was given
is credited no more: whichever came first counts. Each step is stored before the next, nothing
that was signed is signed anew, and all of it may be run again.

Spec: docs/3-protocol.md §24.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from safeconduct.errors import (
    ConflictError,
    MalformedError,
    RefusedError,
    SafeconductError,
    UnverifiedError,
)
from safeconduct.parties.desk.credit_group import group_of, period_end
from safeconduct.parties.desk.credit_store import (
    CLAIMED,
    CreditStore,
    Kept,
    Link,
    open_credits,
)
from safeconduct.parties.desk.desk import Desk, statement_key
from safeconduct.parties.desk.follow import continued
from safeconduct.parties.desk.reply import reply_once
from safeconduct.parties.desk.store import Acknowledged, Sent, Tip
from safeconduct.parties.desk.tray import opened_path
from safeconduct.parties.desk.vote import check_not_withdrawn
from safeconduct.plumbing import openssl
from safeconduct.plumbing.durable import read_file
from safeconduct.protocol.credit import (
    BLIND,
    REQUEST_FILE,
    Request,
    blind_signature_record,
    link_record,
    make_offer,
    open_credit,
    open_link,
    open_request,
    requested_credit,
)
from safeconduct.protocol.gazette import CreditGroup, GazetteState
from safeconduct.protocol.record import (
    RECORD_BYTES_MAX,
    Record,
    format_record,
    make_record,
    parse_record,
    parse_signed,
    sign_record,
    verify_signers,
)
from safeconduct.protocol.reply import Reply
from safeconduct.protocol.tip import parse_manifest

_OFFERED = """\
Your tip was graded {word}. If you want, you get a credit for it: a record that says only that
its holder gave a tip of this grade, logged before {end}. With a credit you can
claim what the law grants, and whoever decides on the claim does not learn which tip was yours.
{scheme}

To ask for it, run `safeconduct source credit` with the number of this contribution. You need
not: you can claim with the tip itself as well. But only one of the two: once a credit was
given for a tip, the tip counts for no other claim."""

_SCHEMES = {
    "plain": "The board of the body will know which credit it gave for which tip.",
    "blind": "It is signed blindly: the board cannot tell later which credit it was.",
}

_ISSUED = """\
Here is your credit: a tip of yours was graded {word}, and logged before
{end}. Your words bring it back at any time: keep no copy that could be found.

Do not claim today, nor on the way by which you read this. Let some weeks pass, as many as you
like, and go another way. A credit hides you among all who hold one of the same kind:
`safeconduct source credit` says how many they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request for a credit and how far it has come.

    `follow_up` brought it for the tip `hash`. If it was `refused`, for the reason given, there
    is no tip and no group for it.
    """

    follow_up: bytes
    stands: str
    hash: bytes = b""
    group: CreditGroup | None = None
    refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What the board is to sign for one request; a blind credit is no record yet."""

    link: Record
    credit: Record | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    """A verified request and what is known of its tip."""

    tip: Tip
    request: Request


# The offer.


def offer(desk: Desk, digest: bytes) -> Sent:
    """The reply that offers a credit for a tip, posted; asked again, the same.

    Raises:
        RefusedError: the tip is not acknowledged as ok or not assessed, was claimed with or
            credited, or its law has no credits for its grade and date.
        UnverifiedError: the credits are blind, and no key for them was published.
        UnavailableError: Gazette or door stay away; trying again is safe.
    """
    state, tip = desk.gazette(), desk.store.tip(digest)
    _check_acknowledged(desk, digest)
    grade = _grade(desk, digest)
    with open_credits(desk.folder) as store:
        _check_free(store, digest)
        group = group_of(state, tip, grade)
        offered = store.offer(digest, group)
        if offered is None:
            epoch, key = statement_key(desk, state)
            signed = sign_record(make_offer(state, digest, group, epoch), [key])
            offered = store.enter_offer(digest, group, signed)
    record = parse_signed(offered, "credit-offer").record
    text = _OFFERED.format(
        word=group.word, end=period_end(state, group), scheme=_SCHEMES[record.word("scheme")]
    )
    return reply_once(desk, digest, Reply(text=text, credit=offered))


def _check_acknowledged(desk: Desk, digest: bytes) -> None:
    check_not_withdrawn(desk.store, digest)
    made = desk.store.acknowledged(digest)
    if made is None or made.status != "ok":
        word = made.status if made else "nothing yet"
        raise RefusedError(f"no credit for this tip: it was acknowledged as {word}")


def _grade(desk: Desk, digest: bytes) -> str:
    """The tip's newest grade, which the Ledger must have."""
    versions = desk.store.assessments(digest)
    if not versions or not versions[-1].proof:
        raise RefusedError("this tip was not assessed yet", hint="assess it first")
    return versions[-1].grade


def _check_free(store: CreditStore, digest: bytes) -> None:
    way = store.way(digest)
    if way == CLAIMED:
        raise RefusedError(
            "no credit for this tip: a registry was given its assessment for a claim"
        )
    if way:
        raise RefusedError("a credit was given for this tip, and there is one only")


# The request.


def requests(desk: Desk) -> list[Asked]:
    """All requests that came, in the order of their follow-ups; the first valid ones are kept.

    Raises:
        UnavailableError: the Gazette stays away.
    """
    state = desk.gazette()
    with open_credits(desk.folder) as store:
        return _requests(desk, store, state)


def _requests(desk: Desk, store: CreditStore, state: GazetteState) -> list[Asked]:
    known = {kept.follow_up: kept for kept in store.requests()}
    return [
        _asked(store, known[made.hash])
        if made.hash in known
        else _take(desk, store, state, made)
        for made in _bringing(desk)
    ]


def _bringing(desk: Desk) -> Iterator[Acknowledged]:
    """Readable tips that hold one file, called `credit.request`."""
    name = REQUEST_FILE.encode("ascii")
    for made in desk.store.acknowledgements():
        if made.status == "ok" and name in made.manifest:  # spares the parsing of all others
            files = parse_manifest(made.manifest).files
            if [file.name for file in files] == [REQUEST_FILE]:
                yield made


def _take(desk: Desk, store: CreditStore, state: GazetteState, made: Acknowledged) -> Asked:
    try:
        kept = _verified(desk, store, state, made)
        standing = store.enter_request(kept)
        _check_same(store, standing, kept)
    except SafeconductError as error:
        return Asked(follow_up=made.hash, stands="refused", refused=error.message)
    return _asked(store, standing)


def _verified(desk: Desk, store: CreditStore, state: GazetteState, made: Acknowledged) -> Kept:
    """The request that a follow-up brought, if the author of a tip that was offered one asks.

    Raises:
        MalformedError, UnverifiedError: as `open_request`, or the follow-up proves no tip.
        RefusedError: no such credit was offered for the tip.
    """
    before = continued(desk.store, made)
    if before is None or before.tip is None:
        raise UnverifiedError("it does not prove which tip it continues")
    tip = before.tip
    data = read_file(
        opened_path(desk.store.tip_folder(made.hash), 1), bytes_max=RECORD_BYTES_MAX
    )
    request = open_request(data, parse_record(tip.record), tip.hash, state)
    if store.offer(tip.hash, request.group) is None:
        raise RefusedError("no such credit was offered for this tip")
    return Kept(hash=tip.hash, group=request.group, follow_up=made.hash, request=data)


def _check_same(store: CreditStore, standing: Kept, kept: Kept) -> None:
    """Check that the request asks for what stands already; sent twice is asked once.

    Raises:
        ConflictError: another serial or key was asked for before, or another credit given.
    """
    if _text(standing.request) != _text(kept.request):
        raise ConflictError(
            "another request for the same credit came before, with"
            f" {standing.follow_up.hex()}, and stands"
        )
    link = store.link(kept.hash)
    if link is not None and link.group != kept.group:
        raise _given_another(link)


def _text(request: bytes) -> Record:
    return parse_signed(request, "credit-request").record


def standing(desk: Desk, digest: bytes) -> str:
    """How a tip's credit stands, in words; empty if none was offered."""
    with open_credits(desk.folder) as store:
        if store.way(digest) == CLAIMED:
            return "none: a registry was given the assessment for a claim"
        if store.requests_for(digest):
            return f"asked for; {_stands(store.link(digest))}"
        return "offered" if store.is_offered(digest) else ""


def _asked(store: CreditStore, kept: Kept) -> Asked:
    link = store.link(kept.hash)
    if link is not None and link.group != kept.group:
        return Asked(
            follow_up=kept.follow_up, stands="refused", refused=_given_another(link).message
        )
    return Asked(
        hash=kept.hash, follow_up=kept.follow_up, group=kept.group, stands=_stands(link)
    )


def _given_another(link: Link) -> ConflictError:
    return ConflictError(
        f"a credit of class {link.group.word} was given for this tip, and there is one only"
    )


def _stands(link: Link | None) -> str:
    if link is None:
        return "waits for the board"
    if not link.answer:
        return "linked, not issued yet"
    return "issued"


# The board's part.


def draft(desk: Desk, digest: bytes) -> Draft:
    """What the board is to sign for the request that a tip's source has made.

    Raises:
        RefusedError: there is no request, the tip was graded otherwise since it was offered,
            or a registry was given its assessment.
    """
    state = desk.gazette()
    with open_credits(desk.folder) as store:
        _requests(desk, store, state)
        due = _due(desk, store, state, digest)
    plain = due.request.scheme != BLIND
    return Draft(
        link=link_record(due.request),
        credit=requested_credit(due.request) if plain else None,
    )


def _due(desk: Desk, store: CreditStore, state: GazetteState, digest: bytes) -> _Due:
    """The request that a link was made for, or for which one may be made now."""
    tip, link = desk.store.tip(digest), store.link(digest)
    if link is None:
        _check_acknowledged(desk, digest)
        _check_free(store, digest)
        word = _grade(desk, digest)
        kept = [one for one in store.requests_for(digest) if one.group.word == word]
    else:
        kept = [one for one in store.requests_for(digest) if one.group == link.group]
    if not kept:
        raise RefusedError(
            "nobody asks for a credit of this tip's grade", hint="`credit list` shows who asks"
        )
    opened = open_request(kept[-1].request, parse_record(tip.record), tip.hash, state)
    return _Due(tip=tip, request=opened)


def issue(
    desk: Desk,
    digest: bytes,
    link: bytes,
    credit: bytes = b"",
    issuing_key: Path | None = None,
) -> Sent:
    """The reply that hands the credit to the source, posted; asked again, the same.

    `link` and `credit` are the drafts as the board signed them; a blind credit needs the file
    with its group's `issuing_key` in place of a signed credit.

    Raises:
        RefusedError: as `draft`; or a part is missing.
        UnverifiedError: a record is not the draft, or not signed by enough of the board; the
            key is not the one published for the group; or the machine signed wrongly.
        ConflictError: another link was entered for this tip.
        UnavailableError: Gazette, Ledger or door stay away, or `openssl` is missing.
    """
    state = desk.gazette()
    with open_credits(desk.folder) as store:
        due = _due(desk, store, state, digest)
        linked = store.link(digest)
        if linked is None:
            linked = _enter_link(store, state, due, link, credit, issuing_key)
        _check_draft(link, link_record(due.request))
        if not linked.proof:
            store.enter_proof(digest, desk.log(linked.link))
        if not linked.answer:
            store.enter_answer(digest, _answer(state, due.request, linked, issuing_key))
        linked = store.link(digest)
        assert linked is not None
    text = _ISSUED.format(word=due.request.group.word, end=period_end(state, due.request.group))
    return reply_once(desk, digest, Reply(text=text, credit=linked.answer))


def _enter_link(
    store: CreditStore,
    state: GazetteState,
    due: _Due,
    link: bytes,
    credit: bytes,
    issuing_key: Path | None,
) -> Link:
    """Store the link, once all is there and holds: after it is logged nothing may be amiss."""
    request = due.request
    open_link(link, state)
    _check_board(state, link)
    _check_draft(link, link_record(request))
    if request.scheme == BLIND:
        _check_key(state, request, issuing_key)
        credit = b""
    else:
        open_credit(_given(credit), state)
        _check_board(state, credit)
        _check_draft(credit, requested_credit(request))
    made = Link(hash=due.tip.hash, group=request.group, link=link, credit=credit)
    standing = store.enter_link(made)
    if standing is None:
        raise RefusedError("this tip was claimed with meanwhile")
    return standing


def _check_board(state: GazetteState, signed: bytes) -> None:
    """Check that the board of now has signed. What an earlier one signed is still a credit,
    but it grants no new one.
    """
    verify_signers(parse_signed(signed), state.roster.members, state.roster.threshold)


def _check_draft(signed: bytes, drafted: Record) -> None:
    if parse_signed(signed, drafted.kind).record != drafted:
        raise UnverifiedError(
            f"the {drafted.kind} is not the one that was drafted",
            hint="`credit draft` makes it again",
        )


def _given(credit: bytes) -> bytes:
    if not credit:
        raise RefusedError("the signed credit is missing", hint="give it with --credit")
    return credit


def _check_key(state: GazetteState, request: Request, path: Path | None) -> Path:
    if path is None:
        raise RefusedError(
            "this credit is blind: it takes the issuing key", hint="give it with --issuing-key"
        )
    if openssl.public_der(path) != state.issuing_key(request.group).key.der:
        raise UnverifiedError(f"{path}: not the key published for credits of this group")
    return path


def _answer(
    state: GazetteState, request: Request, link: Link, issuing_key: Path | None
) -> bytes:
    """What the source is handed: the credit, or the signature on what it asked."""
    if request.scheme != BLIND:
        return link.credit
    path = _check_key(state, request, issuing_key)
    signature = openssl.raw_private(path, request.ask)
    return format_record(blind_signature_record(request, signature, state))


# Counts.


def issued(desk: Desk) -> dict[CreditGroup, int]:
    """How many credits of each group were handed out."""
    with open_credits(desk.folder) as store:
        return store.issued()


def count_record(desk: Desk, group: CreditGroup, redeemed: int) -> Record:
    """The unsigned `credit-count` for the board: what was issued, and what the registry says.

    Raises:
        MalformedError: fewer than the Gazette counts already.
    """
    state, count = desk.gazette(), issued(desk).get(group, 0)
    before = state.credit_count(group)
    if count < before.issued or redeemed < before.redeemed:
        raise MalformedError(
            f"the Gazette counts {before.issued} issued and {before.redeemed} redeemed already",
            hint="counts only grow",
        )
    return make_record(
        "credit-count",
        programme=state.programme_hash,
        number=len(state.credit_counts) + 1,
        statute=group.statute,
        period=group.period,
        issued=count,
        redeemed=redeemed,
        **{"class": group.word},
    )
