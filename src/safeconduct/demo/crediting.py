"""Between the scenes: a tip is credited, so that it can be claimed with and never be named."""

from safeconduct.demo.world import World, proof, tell
from safeconduct.errors import UnavailableError
from safeconduct.parties.desk.credit import count_record, draft, issue, issued, offer
from safeconduct.parties.desk.desk import Desk
from safeconduct.parties.desk.pull import pull
from safeconduct.parties.desk.unseal import unseal_all
from safeconduct.parties.source.claim import Terms, claim_credited
from safeconduct.parties.source.credit import ask, look
from safeconduct.plumbing import clock, dice
from safeconduct.plumbing.logs import log_notice

PLAYER = "visitor"


def credit_the_visitor(world: World, desk: Desk) -> None:
    """The desk offers, the source asks, the board signs: from here on nobody needs the tip."""
    tip, words = world.hashes[PLAYER], world.words[PLAYER]
    offer(desk, tip)
    ask(
        world.programme,
        look(world.programme, words, 0),
        at=clock.seconds(),
        random_bytes=dice.random_bytes,
        report=lambda _: None,
    )
    pull(desk)
    unseal_all(desk)
    drafted = draft(desk, tip)
    if drafted.credit is None:
        raise UnavailableError("the play's statute gives plain credits")
    issue(desk, tip, world.signed(drafted.link), world.signed(drafted.credit))
    count_credits(world, desk, redeemed=0)
    tell("the visitor would rather not be tied to a tip: the board credits it, 2 members sign")
    proof("a credit says grade and period, and for whose key; it does not say which tip")
    world.happened("board", "credits a tip")


def count_credits(world: World, desk: Desk, redeemed: int) -> None:
    """The board publishes how many credits there are, and how many were used."""
    for group in issued(desk):
        log_notice(world.programme, world.signed(count_record(desk, group, redeemed)))


def claim_with_credit(world: World, terms: Terms) -> bytes:
    """The claim of somebody who shows a credit and no tip."""
    standing = look(world.programme, world.words[PLAYER], 0)
    return claim_credited(standing.credit, standing.tip.keys, terms, dice.random_bytes)
