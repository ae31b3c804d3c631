"""The play: seven scenes, in the order of the story."""

from collections.abc import Sequence
from pathlib import Path

from safeconduct.demo.assessing import answer, assess_tips, take_in, take_in_late
from safeconduct.demo.auditing import publish_and_audit
from safeconduct.demo.claiming import claim_and_decide
from safeconduct.demo.enlisting import decide_listings, publish_listings
from safeconduct.demo.founding import found
from safeconduct.demo.picture import draw
from safeconduct.demo.pressing import start_capturing, tell_captures
from safeconduct.demo.showing import custodians_open_a_tip, show_to_a_judge
from safeconduct.demo.stage import Stage, wait_until
from safeconduct.demo.tampering import tamper
from safeconduct.demo.tips import send_late, send_tips
from safeconduct.demo.watching import copy_and_watch
from safeconduct.demo.world import Between, World, act, proof, tell
from safeconduct.plumbing import clock, terminal
from safeconduct.plumbing.durable import write_file

IN_TIME = ("clerk", "engineer", "rival", "visitor")


def play(folder: Path, stage: Stage, press: Sequence[Path], between: Between) -> World:
    """Play the whole programme into `folder`; `between(scene, world)` is called after each.

    Raises:
        SafeconductError: something that must hold did not.
    """
    world = found(folder, stage)
    between("founding", world)
    send_tips(world)
    between("tips", world)
    press_working = start_capturing(world, press)
    desk = take_in(world)
    assess_tips(world, desk, IN_TIME)
    answer(world, desk)
    between("desk", world)
    tell_captures(world, press_working)
    between("press", world)
    _let_the_date_pass(world)
    take_in_late(world, desk)
    between("date", world)
    registry = claim_and_decide(world, desk)
    between("claims", world)
    publish_and_audit(world, registry)
    copy_and_watch(world)
    show_to_a_judge(world)
    custodians_open_a_tip(world, desk)
    tamper(world, registry)
    between("audit", world)
    write_file(folder / "journey.svg", draw(world).encode("utf-8"))
    return world


def _let_the_date_pass(world: World) -> None:
    act(5, "The date passes")
    decide_listings(world)
    left = world.date - clock.seconds()
    with terminal.waiting(f"waiting {max(0, left)} s for the date; no clock is moved"):
        wait_until(world.date)
    world.happened("board", "the date", "date", world.date)
    tell("it is the date of the law; nothing happens by itself, and no server is asked")
    send_late(world)
    proof("from here on a tip still helps the body, but the law no longer answers it")
    publish_listings(world)
