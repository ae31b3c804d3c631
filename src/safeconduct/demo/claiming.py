"""Scene 6: people claim, the statute is applied, the board signs, letters go out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from safeconduct.demo.appealing import decide_appeal
from safeconduct.demo.crediting import claim_with_credit, count_credits, credit_the_visitor
from safeconduct.demo.founding import PERSONS
from safeconduct.demo.stage import wait_until
from safeconduct.demo.tampering import redated
from safeconduct.demo.world import World, act, entropy, proof, tell
from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.desk.assess import assessment_for
from safeconduct.parties.desk.desk import Desk
from safeconduct.parties.registry.decide import (
    Served,
    count_record,
    enter,
    enter_publication,
    finalise,
    propose_decision,
)
from safeconduct.parties.registry.receive import Registry, open_registry
from safeconduct.parties.source.appeal import file_appeal, make_appeal
from safeconduct.parties.source.claim import Terms, claim_denounced, claim_helped
from safeconduct.parties.source.inbox import Contribution, read_inbox
from safeconduct.plumbing import clock, dice, terminal
from safeconduct.plumbing.durable import make_folder, read_file, write_file
from safeconduct.plumbing.logs import log_notice, read_gazette
from safeconduct.plumbing.register import Filed, RegisterDoor
from safeconduct.protocol.capsule import Capsule
from safeconduct.protocol.evidence.capture import check_capture
from safeconduct.protocol.evidence.names import same_speaker
from safeconduct.protocol.keys import contribution_keys, master_key
from safeconduct.protocol.record import make_record

DENOUNCING_PAGE = "deputy-denounces.html"
EVIDENCE_BYTES_MAX = 1 << 20

_NOTHING_FOUND = {
    "claimant_is_subject": True,
    "grave_crime_proven": False,
    "knowing_falsehood_found": False,
}
_SPOKEN = {"speaker_is_claimant": True, "denounces": True, "withdrawn": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """One claim of the play: who, for which register number, with what, and judged how."""

    player: str
    subject: str
    story: str
    make: Callable[[World, Terms], bytes]
    judgements: Mapping[str, bool]
    tip: str = ""  # whose tip the desk is asked about
    appeals: bool = False


def _own(player: str) -> Callable[[World, Terms], bytes]:
    return lambda world, terms: claim_helped(_mail(world, player), terms, dice.random_bytes)


def _mail(world: World, player: str) -> Contribution:
    [contribution] = read_inbox(world.programme, world.words[player])
    return contribution


def _forged(world: World, terms: Terms) -> bytes:
    """Somebody who got hold of the clerk's receipt signs with keys of their own."""
    clerk = _mail(world, "clerk")
    own = contribution_keys(master_key(entropy(), world.programme.hash), 0)
    return claim_helped(replace(clerk, keys=own), terms, dice.random_bytes)


def _back_dated(world: World, terms: Terms) -> bytes:
    """The latecomer again, with the times in his receipt rewritten by hand."""
    late = _mail(world, "late")
    earlier = redated(late.capsule.proof, world.date - 60)
    capsule = Capsule(record=late.capsule.record, pre=late.capsule.pre, proof=earlier)
    return claim_helped(replace(late, capsule=capsule), terms, dice.random_bytes)


def _denounced(world: World, terms: Terms) -> bytes:
    folder = world.captures[DENOUNCING_PAGE]
    texts = {
        field: read_file(folder / name, bytes_max=EVIDENCE_BYTES_MAX).decode("utf-8")
        for field, name in (
            ("record", "capture.record"),
            ("proof", "capture.tlog-proof"),
            ("capture", "public.json"),
        )
    }
    capture = check_capture(texts["capture"].encode("utf-8"))
    said = next(
        number
        for number, statement in enumerate(capture.statements)
        if same_speaker(statement.speaker, terms.name) == "same"
    )
    world.words["denouncer"] = entropy()
    master = master_key(world.words["denouncer"], world.programme.hash)
    statute = read_gazette(world.programme).state.statutes[-1].sha256
    evidence = texts | {"statement": str(said)}
    return claim_denounced(master, evidence, statute, terms, dice.random_bytes)


CLAIMS = (
    _Claim(
        player="engineer",
        subject="r-0001",
        story="the engineer now gives a name and claims to have helped",
        make=_own("engineer"),
        judgements=_NOTHING_FOUND,
        tip="engineer",
    ),
    _Claim(
        player="denouncer",
        subject="r-0002",
        story="the deputy harbour master claims to have publicly denounced",
        make=_denounced,
        judgements=_NOTHING_FOUND | _SPOKEN,
    ),
    _Claim(
        player="latecomer",
        subject="r-0003",
        story="the night watchman claims with his late tip",
        make=_own("late"),
        judgements=_NOTHING_FOUND,
        tip="late",
        appeals=True,
    ),
    _Claim(
        player="forger",
        subject="r-0004",
        story="the cargo broker claims with the clerk's receipt",
        make=_forged,
        judgements=_NOTHING_FOUND,
        tip="clerk",
    ),
    _Claim(
        player="backdater",
        subject="r-0003",
        story="the night watchman tries again, with the times in his receipt rewritten",
        make=_back_dated,
        judgements=_NOTHING_FOUND,
        tip="late",
    ),
    _Claim(
        player="pilot",
        subject="r-0005",
        story="the harbour pilot claims with a credit: the register sees no tip at all",
        make=claim_with_credit,
        judgements=_NOTHING_FOUND,
    ),
)


def claim_and_decide(world: World, desk: Desk) -> Registry:
    """All six claims: filed over HTTP, judged by the statute, signed, served as letters."""
    act(6, "People claim what the law grants")
    with terminal.waiting("a credit is asked for, signed and logged"):
        credit_the_visitor(world, desk)
    registry = open_registry(world.path("register"))
    served = [_claim(world, desk, registry, claim) for claim in CLAIMS]
    proof("every letter names the sections; a refusal says what exactly was not shown")
    tell("letters, as the claimants get them: " + str(world.path("letters")))
    with terminal.waiting("waiting for the appeal periods to end"):
        wait_until(max(one.last_appeal_at for one in served) + 1)
    count_credits(world, desk, redeemed=1)
    _count(world, registry)
    _publish_final(world, registry)
    _settle_appeals(world, desk, registry)
    return registry


def _claim(world: World, desk: Desk, registry: Registry, claim: _Claim) -> Served:
    door = RegisterDoor(world.programme.register)
    audience, challenge = door.challenge()
    terms = Terms(
        programme=world.programme.hash,
        audience=audience,
        challenge=challenge,
        subject=claim.subject,
        name=PERSONS[claim.subject][0],
        at=clock.seconds(),
    )
    filed = door.file(claim.make(world, terms))
    claim_hash = filed.claim
    world.claims[claim.player] = claim_hash
    assessment = assessment_for(desk, world.hashes[claim.tip]) if claim.tip else (b"", b"")
    draft = propose_decision(registry, claim_hash, claim.judgements, assessment)
    judgement = draft.proposal.judgement
    signed = sign_all(draft.record, world.board[:2])
    served = enter(registry, claim_hash, signed)
    write_file(world.path("board", f"decision-{claim.player}"), signed)
    _keep_letter(world, claim.player, served.letter)
    tell(f"{claim.story}")
    outcome = judgement.outcome.replace("_", " ")
    tell(f"  {outcome}, sections {', '.join(judgement.sections)}")
    for shortfall in draft.proposal.shortfalls:
        tell(f"  not shown: {shortfall}")
    kind = "good" if judgement.outcome == "acquitted" else "refused"
    world.happened("claims", f"{claim.player}: {outcome}", kind)
    if claim.appeals:
        _appeal(world, filed)
    return served


def _keep_letter(world: World, player: str, served: Path) -> None:
    make_folder(world.path("letters"))
    for suffix in (".html", ".txt"):
        letter = read_file(served.with_suffix(suffix), bytes_max=EVIDENCE_BYTES_MAX)
        write_file(world.path("letters", f"{player}{suffix}"), letter)


def _appeal(world: World, filed: Filed) -> None:
    """The night watchman reads the decision on his private page, and appeals it."""
    decision = RegisterDoor(world.programme.register).decision(filed.page)
    reasons = "The gate was under guard; I could not reach a line before the date."
    late = _mail(world, "late")
    signed = make_appeal(world.programme.hash, decision, "law", reasons, late.keys)
    file_appeal(world.programme, filed.claim, signed)
    tell("  he appeals: nothing about this case is published until that is decided")
    world.happened("claims", "an appeal suspends")


def _count(world: World, registry: Registry) -> None:
    """Publish how many cases there are; the Gazette's new date is also what time is told by."""
    number = len(read_gazette(world.programme).state.counts) + 1
    counts = make_record(
        "count", programme=world.programme.hash, number=number, **count_record(registry)
    )
    log_notice(world.programme, world.signed(counts))


def _publish_final(world: World, registry: Registry) -> None:
    for player, claim in world.claims.items():
        record = finalise(registry, claim)
        if record is None:
            tell(f"the {player}'s decision stays unpublished: it is under appeal")
            continue
        enter_publication(registry, claim, world.signed(record))
    _count(world, registry)
    tell("five decisions are final and published; the counts say that one is suspended")
    proof(
        "nothing became public before it was final; nothing decided is hidden from the counts"
    )
    world.happened("registry", "publishes what is final")


def _settle_appeals(world: World, desk: Desk, registry: Registry) -> None:
    """The panel decides what was appealed; then that is final too, and public."""
    for claim in (one for one in CLAIMS if one.appeals):
        filed = world.claims[claim.player]
        settled = decide_appeal(
            world,
            registry,
            filed,
            claim.judgements,
            assessment_for(desk, world.hashes[claim.tip]),
        )
        _keep_letter(world, f"{claim.player}-appeal", settled.letter)
        wait_until(settled.logged_by + 1)
        _count(world, registry)  # with a date after the panel's decision
        record = finalise(registry, filed)
        assert record is not None  # a panel's decision is final at once
        enter_publication(registry, filed, world.signed(record))
    _count(world, registry)
