"""A register under a law with credits, and what people do there with the credits they hold."""

from tests.parties.registry.register_world import NOTHING_FOUND, World
from tests.protocol import builders, credited
from tests.protocol.claiming import credited_bundle

from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.registry import decide
from safeconduct.parties.registry.receive import challenge, receive
from safeconduct.parties.registry.redemptions import credit_count
from safeconduct.protocol.credit import nullifier
from safeconduct.protocol.record import Value, parse_any

GROUP = credited.group()
MINIMUM = 3  # of the credited example statute


def begin(world: World) -> World:
    """Two persons listed, and as few credits counted as the law lets be redeemed."""
    for subject in ("r-0001", "r-0002"):
        world.listed(subject)
    counted(world, MINIMUM)
    return world


def counted(world: World, issued: int) -> None:
    record = credit_count(world.registry, GROUP, issued)
    world.log_notice(world.registry.programme, builders.by_board(record))


def filed(world: World, number: int = 0, **changes: Value) -> bytes:
    """File a claim on the credit of our contribution `number`; returns its hash."""
    fresh = challenge(world.registry)
    shown = credited.held(number=number)
    bundle = credited_bundle(shown, number, "plain", challenge=fresh, **changes)
    return receive(world.registry, bundle).claim


def drafted(world: World, claim: bytes, **judged: bool) -> bytes:
    draft = decide.propose_decision(world.registry, claim, NOTHING_FOUND | judged)
    return sign_all(draft.record, builders.MEMBERS[:2])


def decided(world: World, claim: bytes, **judged: bool) -> decide.Served:
    return decide.enter(world.registry, claim, drafted(world, claim, **judged))


def nullifier_of(number: int = 0) -> bytes:
    return nullifier(parse_any(credited.held(number=number)).hash("key"))
