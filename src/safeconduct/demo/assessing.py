"""Scene 3: the desk opens, acknowledges and grades; a frame-up shows; a reply goes out."""

from safeconduct.demo.world import World, act, proof, tell
from safeconduct.errors import UnavailableError
from safeconduct.parties.desk.assess import assess
from safeconduct.parties.desk.desk import Desk, open_desk
from safeconduct.parties.desk.pull import pull
from safeconduct.parties.desk.reply import reply
from safeconduct.parties.desk.unseal import unseal_all
from safeconduct.parties.desk.vote import grade
from safeconduct.parties.source.inbox import read_inbox
from safeconduct.plumbing import terminal
from safeconduct.protocol.canonical import parse_json

ENGINEER = "the chief engineer of the port"

# By player: what the two assessors each find, without seeing the other's vote.
GRADES = {
    "clerk": (("B", 2), ("B", 2), ()),
    "engineer": (("B", 2), ("B", 2), ()),
    "rival": (("E", 4), ("D", 5), (ENGINEER,)),
    "visitor": (("C", 3), ("C", 3), ()),
    "late": (("B", 3), ("B", 3), ()),
}
NAMES = {"late": "night watchman"}
REASONS = "Read in full; compared with the other tips and the captured pages."
REPLY = (
    "Thank you. Can you tell us who deleted the weighbridge entries? Answer only if it is safe."
)


def take_in(world: World) -> Desk:
    """The desk fetches what the door holds, opens it, and signs for each tip."""
    act(3, "The desk opens, acknowledges and assesses")
    desk = open_desk(world.path("desk"))
    with terminal.waiting("opening, signing, having it logged"):
        _bring_up_to_date(desk)
    tell("the desk pulls the sealed tips, opens them with its own key and signs for each")
    proof("an acknowledgement is signed and logged: the body cannot deny what it received")
    world.happened("desk", "acknowledges four tips")
    return desk


def _bring_up_to_date(desk: Desk) -> None:
    pull(desk)
    for step in unseal_all(desk):
        if step.trouble:
            raise UnavailableError(f"the desk could not finish a tip: {step.trouble}")


def assess_tips(world: World, desk: Desk, players: tuple[str, ...]) -> None:
    """Two assessors vote, sealed first; then the findings are made and the grade is signed."""
    for player in players:
        record = world.hashes[player]
        first, second, accuses = GRADES[player]
        for assessor, (reliability, credibility) in (("first", first), ("second", second)):
            grade(
                desk.store,
                f"{assessor}-assessor",
                record,
                reliability,
                credibility,
                accuses=accuses,
                reasons=REASONS,
            )
        result = assess(desk, record)
        tell(f"two assessors grade the {NAMES.get(player, player)}'s tip: {result.grade}")
        for finding in read_findings(result.findings):
            if finding["kind"] == "circular":
                proof(finding["words"])
    world.happened("desk", "grades a late tip" if len(players) == 1 else "grades four tips")


def read_findings(data: bytes) -> list[dict[str, str]]:
    """Kind and words of each finding in a stored list of them."""
    value = parse_json(data, "findings")
    assert isinstance(value, list)
    return [
        {name: str(each[name]) for name in ("kind", "words")}
        for each in value
        if isinstance(each, dict)
    ]


def answer(world: World, desk: Desk) -> None:
    """A question to the clerk, who reads it with nothing but the words."""
    reply(desk, world.hashes["clerk"], REPLY)
    [contribution] = read_inbox(world.programme, world.words["clerk"])
    if not any(one.text == REPLY for one in contribution.replies):
        raise UnavailableError("the clerk did not find the reply")
    tell("a question goes to the clerk, who finds it with twelve words and nothing else")
    proof("nothing on the clerk's device, and nothing at the door, says whose reply it is")
    world.happened("sources", "clerk reads a reply")


def take_in_late(world: World, desk: Desk) -> None:
    """The late tip is opened and graded like any other."""
    _bring_up_to_date(desk)
    assess_tips(world, desk, ("late",))
