"""Scene 6, its end: an appeal is decided by a panel whose members decided nothing before."""

from collections.abc import Mapping, Sequence

from safeconduct.demo.world import World, proof, tell
from safeconduct.parties.board.panel_command import panel_record
from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.registry.appeals import Settled, enter_appeal, propose_appeal
from safeconduct.parties.registry.board_site import docket_of
from safeconduct.parties.registry.receive import Registry
from safeconduct.plumbing.keys import new_signing_key
from safeconduct.plumbing.logs import log_notice, read_gazette
from safeconduct.protocol.decision import final_draft
from safeconduct.protocol.docket import Docket, check_docket
from safeconduct.protocol.record import format_record
from safeconduct.protocol.statute.evaluate import tree_hash
from safeconduct.protocol.tlog.note import SigningKey
from safeconduct.protocol.votes import Vote, votes_document

_DISSENT = "The guard at the gate was none of his doing; I would have counted the day after."


def seat_panel(world: World) -> None:
    """Scene 1: three people who are not of the board are to decide on appeals, two of three."""
    world.panel = [
        new_signing_key(
            world.path("panel", f"member-{i}", "key"), f"{world.programme.name}/panel/{i}"
        )
        for i in (1, 2, 3)
    ]
    state = read_gazette(world.programme).state
    members = [key.verifier() for key in world.panel]
    log_notice(world.programme, world.signed(panel_record(state, members, 2)))
    tell(
        "an appeal panel of 3 others is named in the Gazette; none of them may sit on the board"
    )


def decide_appeal(
    world: World,
    registry: Registry,
    claim: bytes,
    judgements: Mapping[str, bool],
    assessment: tuple[bytes, bytes],
) -> Settled:
    """The panel reads the file, two vote to uphold, one dissents; two sign."""
    propose_appeal(registry, claim, judgements, assessment)
    data = docket_of(registry, claim)
    assert data is not None
    docket = check_docket(data, read_gazette(world.programme).state, world.programme.policy)
    outcome = docket.proposal.judgement.outcome
    votes = _votes(docket, outcome, world.panel)
    record = final_draft(docket, votes, outcome)
    signed = sign_all(format_record(record), world.panel[:2])
    settled = enter_appeal(registry, claim, signed, votes)
    tell("the appeal panel computes the law anew, from the same file: two uphold, one dissents")
    proof(
        "nobody decides on an appeal against a decision of their own; the dissent is published"
    )
    world.happened("claims", "the panel upholds")
    return settled


def _votes(docket: Docket, outcome: str, panel: Sequence[SigningKey]) -> bytes:
    other = next(
        each.value for each in docket.proposal.statute.outcomes if each.value != outcome
    )
    agreed = [Vote(member=key.name, vote="agree", outcome=outcome) for key in panel[:2]]
    dissent = Vote(member=panel[2].name, vote="depart", outcome=other, reasons=_DISSENT)
    on = tree_hash(docket.proposal.judgement)
    return votes_document(on, docket.body.members, [*agreed, dissent])
