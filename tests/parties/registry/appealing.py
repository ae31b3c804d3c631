"""Votes, an appeal panel and its decisions, as boards and panels make them in tests."""

from collections.abc import Mapping, Sequence

from tests.parties.registry.register_world import NOTHING_FOUND, World, appeal_of
from tests.protocol import builders
from tests.protocol.builders import MEMBERS, PROGRAMME, signing_key, verifiers

from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.registry import appeals, decide
from safeconduct.parties.registry.board_site import docket_of
from safeconduct.protocol.decision import final_draft
from safeconduct.protocol.docket import Docket, check_docket
from safeconduct.protocol.record import NO_HASH, Record, Value, format_record, make_record
from safeconduct.protocol.statute.evaluate import tree_hash
from safeconduct.protocol.tlog.note import SigningKey
from safeconduct.protocol.votes import Vote, votes_document

PANEL = tuple(signing_key(f"panel.example/{name}") for name in ("dora", "emil", "fritz"))
WHY = "Section 4(1) is read more widely here."


def panel_act(members: Sequence[SigningKey] = PANEL, **changes: Value) -> Record:
    """The record that sets up the appeal panel."""
    fields: dict[str, Value] = {
        "programme": PROGRAMME,
        "number": 1,
        "previous": NO_HASH,
        "threshold": 2,
        "members": verifiers(members),
    }
    return make_record("panel", **fields | changes)


def with_panel(world: World) -> World:
    """The register under a Gazette that has an appeal panel."""
    world.log_notice(world.registry.programme, builders.by_board(panel_act()))
    return world


def docket(world: World, claim: bytes) -> Docket:
    """What those who decide see, checked as their console checks it."""
    data = docket_of(world.registry, claim)
    assert data is not None
    return check_docket(data, world.state(), builders.POLICY)


def votes_on(
    found: Docket, outcome: str, voters: Sequence[SigningKey], others: Sequence[Vote] = ()
) -> bytes:
    """The votes of these for an outcome, and of `others` as they are."""
    yielded = found.proposal.judgement.outcome
    cast = [
        Vote(
            member=key.name,
            vote="agree" if outcome == yielded else "depart",
            outcome=outcome,
            reasons="" if outcome == yielded else WHY,
        )
        for key in voters
    ]
    on = tree_hash(found.proposal.judgement)
    return votes_document(on, found.body.members, [*cast, *others])


def settled(
    found: Docket,
    outcome: str,
    departure: str = "",
    voters: Sequence[SigningKey] = MEMBERS[:2],
    others: Sequence[Vote] = (),
) -> tuple[bytes, bytes]:
    """The record that these vote for and sign, and their votes."""
    votes = votes_on(found, outcome, voters, others)
    record = final_draft(found, votes, outcome, departure)
    return sign_all(format_record(record), voters), votes


def voted(
    world: World, claim: bytes, outcome: str, departure: str = ""
) -> tuple[bytes, decide.Served]:
    """Have two members of the board vote, sign and enter a decision that was proposed."""
    signed, votes = settled(docket(world, claim), outcome, departure)
    served = decide.enter(world.registry, claim, signed, votes=votes, departure=departure)
    return signed, served


def contested(
    world: World, judgements: Mapping[str, bool] = NOTHING_FOUND, ground: str = "fact"
) -> bytes:
    """A claim refused for want of an assessment, appealed, and before the panel with one."""
    claim = world.filed()
    draft = decide.propose_decision(world.registry, claim, NOTHING_FOUND)
    signed = sign_all(draft.record, MEMBERS[:2])
    decide.enter(world.registry, claim, signed)
    decide.appeal(world.registry, claim, appeal_of(signed, ground))
    fields = builders.helped_fields()
    assessment = (fields["assessment"].encode(), fields["assessment_proof"].encode())
    appeals.propose_appeal(world.registry, claim, judgements, assessment)
    return claim


def ruled(
    world: World, claim: bytes, outcome: str, departure: str = ""
) -> tuple[bytes, appeals.Settled]:
    """Have two members of the panel vote, sign and enter their decision."""
    signed, votes = settled(docket(world, claim), outcome, departure, PANEL[:2])
    served = appeals.enter_appeal(world.registry, claim, signed, votes, departure)
    return signed, served
