"""Votes on a listing: what they are cast on, whether they carry it, and who may sign it.

    the board   agree  registered, as the file proposes     depart  not_registered
    the panel   agree  uphold: the first decision stands    depart  quash, replace or remit

The rules for claims hold: no vote and no signature with a conflict of interest, reasons for a
departure, the quorum of the statute (of a panel its own threshold). The board may decide
without recorded votes, if enough of it sign; an appeal panel never does.

Spec: docs/3-protocol.md §15.6, §16.1.
"""

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress

from safeconduct.errors import UnverifiedError
from safeconduct.protocol.canonical import tagged_hash
from safeconduct.protocol.gazette import Roster
from safeconduct.protocol.listing.published import REGISTERED
from safeconduct.protocol.record import NO_HASH, Record, parse_signed, verify_signers
from safeconduct.protocol.statute.text import Procedure
from safeconduct.protocol.votes import (
    Tally,
    check_enough,
    check_signers,
    check_votes,
    panel_rules,
    parse_votes,
    votes_hash,
)

UPHOLD = "uphold"


def voted_on(notice: bytes, reply: bytes, appeal: bytes = NO_HASH) -> bytes:
    """What votes on a listing name as `on`: the file as it was told, with what was said to it.

    `notice` and `appeal` are record hashes, `reply` a commitment; zeros where there is none. A
    reply or an appeal that came in later asks for votes of its own.
    """
    return tagged_hash("listing-votes", notice, reply, appeal)


def is_by_panel(record: Record) -> bool:
    """Whether a `listing-decision` is for the appeal panel to sign."""
    return record.hash("appeal") != NO_HASH


def count_votes(
    record: Record,
    document: bytes,
    bench: Roster,
    procedure: Procedure,
    excluded: Collection[str] = (),
) -> Tally:
    """The tally of the votes in `document`, once they carry just what `record` decides.

    `bench` is the board, or the appeal panel, and `excluded` who may not vote for it.

    Raises:
        MalformedError: no document of votes.
        UnverifiedError: other votes than the record names, about another file or reply, of
            another body, too few, or of somebody excluded.
    """
    if votes_hash(document) != record.hash("votes"):
        raise UnverifiedError("listing: the votes shown are not those that were signed for")
    by_panel = is_by_panel(record)
    counted = check_votes(
        document,
        _names(bench),
        bench.threshold,
        panel_rules(procedure, bench.threshold) if by_panel else procedure,
        record.word("result" if by_panel else "outcome"),
        yielded=UPHOLD if by_panel else REGISTERED,
        on=voted_on(record.hash("notice"), record.hash("reply"), record.hash("appeal")),
    )
    _check_barred(excluded, counted.in_favour)
    return counted


def check_carried(
    record: Record,
    document: bytes | None,
    bench: Roster,
    signers: Sequence[str],
    procedure: Procedure,
    excluded: Collection[str] = (),
) -> Tally | None:
    """The tally that a signed decision rests on; None where none was recorded, and may not be.

    Raises:
        MalformedError, UnverifiedError: as `count_votes`; or somebody signed without a vote for
            it, or too few signed a decision without votes, or a panel decided without.
    """
    if document is not None:
        counted = count_votes(record, document, bench, procedure, excluded)
        check_signers(counted, signers)
        return counted
    if record.hash("votes") != NO_HASH:
        raise UnverifiedError("listing: the votes that were signed for are not shown")
    if is_by_panel(record):
        raise UnverifiedError("listing: decided on appeal without recorded votes")
    check_enough(procedure, signers)
    _check_barred(excluded, signers)
    return None


def _check_barred(excluded: Collection[str], names: Iterable[str]) -> None:
    barred = sorted(set(excluded).intersection(names))
    if barred:
        raise UnverifiedError(
            f"votes: {', '.join(barred)} decided this listing before",
            hint="let others decide it",
        )


def deciders(signed: bytes, document: bytes | None) -> frozenset[str]:
    """Everybody who signed a decision, or had a vote on it."""
    names = {line.name for line in parse_signed(signed).note.signatures}
    return frozenset(names.union(parse_votes(document).members if document else ()))


def check_apart(first: Collection[str], panel: Roster) -> None:
    """Check that nobody on the appeal panel had a hand in the first decision.

    Raises:
        UnverifiedError: somebody had.
    """
    both = sorted(set(first).intersection(_names(panel)))
    if both:
        raise UnverifiedError(f"listing: {', '.join(both)} decided first and on appeal as well")


def verify_bench(
    data: bytes, benches: Sequence[Roster], document: bytes | None, whose: str
) -> tuple[Roster, tuple[str, ...]]:
    """Which of `benches` signed a record, t of n, and who of it; the newest that fits counts.

    Where votes were recorded only the body whose members had them fits: of two boards with
    members in common, the later must not take the place of the one that voted.

    An earlier board's decision stands after the board has changed. Its keys decide nothing new
    by that: a register takes a fresh decision of the board in office only, and what is
    published is signed by the board in office, which vouches for when it was made.

    Raises:
        MalformedError: no document of votes.
        UnverifiedError: of none; or the Gazette has no such body.
    """
    if not benches:
        raise UnverifiedError(f"the Gazette names no {whose}")
    fit = benches
    if document is not None:
        voters = parse_votes(document).members
        fit = [one for one in benches if sorted(_names(one)) == list(voters)]
        if not fit:
            raise UnverifiedError(f"votes: not of the members of the {whose}")
    signed = parse_signed(data)
    for bench in reversed(fit[1:]):
        with suppress(UnverifiedError):
            return bench, verify_signers(signed, bench.members, bench.threshold)
    return fit[0], verify_signers(signed, fit[0].members, fit[0].threshold)


def _names(bench: Roster) -> tuple[str, ...]:
    return tuple(key.name for key in bench.members)
