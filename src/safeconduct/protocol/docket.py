"""A docket: one case as the register hands it to those who decide, who take nothing on trust.

    {"type": "docket", "case": 3, "claim": "4be0…", "number": 3, "as_of": 1800000000,
     "bundle": {…}, "claim_proof": "…", "joined": [{"bundle": {…}, "claim_proof": "…"}, …],
     "judgements": {"claimant_is_subject": true, …}, "facts": {…}, "shortfalls": […],
     "judgement": {…}, "competing": null, "language": "en", "draft": "safeconduct/v1/decision…",
     "excluded": ["board/anna"], "appeal": null}

`check_docket` computes all of it again from bundle, judgements and Gazette. What is left to the
register's word is the case's number, and which members must keep out because they decided this
case before.

Spec: docs/3-protocol.md §15.8.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.canonical import Json, format_json, parse_json
from safeconduct.protocol.claim import JOINED_MAX, Bundle, parse_bundle
from safeconduct.protocol.decision import (
    OBJECT_BYTES_MAX,
    Appealed,
    Body,
    Joined,
    Proposal,
    Rechecked,
    appellants,
    body_of,
    check_appeal,
    check_claim_dated,
    competing_document,
    draft_record,
    judgements_of,
    open_appeal,
    propose,
    recompute,
    told,
)
from safeconduct.protocol.decision.shown import check_fields, list_of, table_of, text_of
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.reasons import language_of
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import (
    Record,
    format_record,
    parse_record,
    parse_signed,
    record_hash,
)
from safeconduct.protocol.statute.evaluate import judgement_document
from safeconduct.protocol.tlog.policy import Logged, Policy, verify_proof

DOCKET_BYTES_MAX = OBJECT_BYTES_MAX
EXCLUDED_MAX = 32
_FIELDS = frozenset(
    {
        "appeal",
        "as_of",
        "bundle",
        "case",
        "claim",
        "claim_proof",
        "competing",
        "draft",
        "excluded",
        "facts",
        "joined",
        "judgement",
        "judgements",
        "language",
        "number",
        "shortfalls",
        "type",
    }
)
_APPEAL_FIELDS = frozenset({"first", "record", "record_proof"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """An appeal to be decided: its ground, its date, and the decision against which it is."""

    ground: str
    logged: Logged
    first: Rechecked
    first_record: Record
    shown: Appealed


@dataclass(frozen=True, slots=True, kw_only=True)
class Docket:
    """A case, computed again; `final_draft` makes the record to sign of it and the votes."""

    case: int
    number: int
    bundles: tuple[Bundle, ...]  # the claim, and those that are decided with it
    claim_proofs: tuple[bytes, ...]  # of each of them
    judgements: Mapping[str, bool]
    proposal: Proposal
    draft: Record
    reasons: bytes  # as the letter would tell them if the body agreed
    language: str
    body: Body
    hearing: Hearing | None

    @property
    def bundle(self) -> Bundle:
        """The claim that leads."""
        return self.bundles[0]

    @property
    def claim(self) -> bytes:
        """The record hash of the claim that leads."""
        return self.bundle.claim_hash

    @property
    def joined(self) -> tuple[Joined, ...]:
        """The other claims, as a decision object takes them."""
        pairs = zip(self.bundles[1:], self.claim_proofs[1:], strict=True)
        return tuple(Joined(bundle=bundle, claim_proof=proof) for bundle, proof in pairs)

    @property
    def first(self) -> Record | None:
        """On appeal the record of the decision appealed against."""
        return self.hearing.first_record if self.hearing else None


def make_docket(
    *,
    case: int,
    number: int,
    bundle: Bundle,
    claim_proof: bytes,
    judgements: Mapping[str, bool],
    proposal: Proposal,
    joined: Sequence[Joined] = (),
    appeal: Appealed | None = None,
    excluded: Sequence[str] = (),
) -> bytes:
    """The docket of a case that was proposed, canonical JSON."""
    bundles = (bundle, *(one.bundle for one in joined))
    shortfalls: list[Json] = [*proposal.shortfalls]
    return format_json(
        {
            "appeal": _appeal_document(appeal),
            "as_of": proposal.judgement.as_of,
            "bundle": dict(bundle.fields),
            "case": case,
            "claim": bundle.claim_hash.hex(),
            "claim_proof": claim_proof.decode("utf-8"),
            "competing": competing_document(proposal.competing),
            "draft": format_record(draft_of(proposal, bundles, number, appeal)).decode("ascii"),
            "excluded": [*sorted(excluded)],
            "facts": proposal.facts,
            "joined": [
                {
                    "bundle": dict(one.bundle.fields),
                    "claim_proof": one.claim_proof.decode("utf-8"),
                }
                for one in joined
            ],
            "judgement": judgement_document(proposal.judgement),
            "judgements": dict(judgements),
            "language": language_of(bundle),
            "number": number,
            "shortfalls": shortfalls,
            "type": "docket",
        }
    )


def draft_of(
    proposal: Proposal, bundles: Sequence[Bundle], number: int, appeal: Appealed | None = None
) -> Record:
    """The decision record before any votes."""
    if appeal is None:
        return draft_record(proposal, bundles, number)
    first, digest = first_record(appeal), record_hash(appeal.record)
    return draft_record(proposal, bundles, number, first=first, appeal=digest)


def first_record(appeal: Appealed) -> Record:
    """The record of the decision appealed against."""
    table = check_fields(parse_json(appeal.first, "first", bytes_max=OBJECT_BYTES_MAX))
    return parse_signed(text_of(table, "decision").encode("utf-8"), "decision").record


def _appeal_document(appeal: Appealed | None) -> Json:
    if appeal is None:
        return None
    return {
        "first": parse_json(appeal.first, "first decision", bytes_max=OBJECT_BYTES_MAX),
        "record": appeal.record.decode("utf-8"),
        "record_proof": appeal.proof.decode("utf-8"),
    }


def check_docket(data: bytes, state: GazetteState, policy: Policy) -> Docket:
    """The docket, once everything in it has come out the same.

    Raises:
        MalformedError: not canonical, or not the fields of a docket.
        UnverifiedError: something came out differently; the message says what.
        RefusedError: nothing can be decided yet.
    """
    value = parse_json(data, "docket", bytes_max=DOCKET_BYTES_MAX)
    if not isinstance(value, dict) or value.keys() != _FIELDS or value["type"] != "docket":
        raise MalformedError("docket: not the fields a docket has")
    bundles, proofs, claimed_at = _bundles(value, state, policy)
    judgements = judgements_of(value)
    hearing = _hearing(value, bundles, state, policy)
    as_of, number = _whole(value, "as_of"), _whole(value, "number")
    proposal = propose(
        bundles[0],
        state,
        policy,
        judgements,
        as_of,
        joined=bundles[1:],
        claimed_at=claimed_at,
    )
    _check_same(value, proposal, bundles[0])
    draft = draft_of(proposal, bundles, number, hearing.shown if hearing else None)
    if parse_record(text_of(value, "draft").encode("utf-8"), "decision") != draft:
        raise UnverifiedError("docket: the draft is not what law and evidence give")
    return Docket(
        case=_whole(value, "case"),
        number=number,
        bundles=bundles,
        claim_proofs=proofs,
        judgements=judgements,
        proposal=proposal,
        draft=draft,
        reasons=told(proposal, bundles, number, result=draft.word("result")),
        language=language_of(bundles[0]),
        body=_body(value, state, hearing),
        hearing=hearing,
    )


def _bundles(
    value: Mapping[str, Json], state: GazetteState, policy: Policy
) -> tuple[tuple[Bundle, ...], tuple[bytes, ...], int]:
    """All claims, the receipt of each, and when the one that leads was logged."""
    joined = list_of(value, "joined")
    if len(joined) > JOINED_MAX:
        raise MalformedError(f"docket: more than {JOINED_MAX} claims joined")
    bundles: list[Bundle] = []
    proofs: list[bytes] = []
    dates: list[int] = []
    for one in (value, *joined):
        if not isinstance(one, dict):
            raise MalformedError("docket: not the fields of a joined claim")
        if one is not value and one.keys() != {"bundle", "claim_proof"}:
            raise MalformedError("docket: not the fields of a joined claim")
        bundle = parse_bundle(format_json(table_of(one, "bundle")))
        proof = text_of(one, "claim_proof").encode("utf-8")
        dates.append(_check_claim(bundle, proof, state, policy))
        bundles.append(bundle)
        proofs.append(proof)
    if bundles[0].claim_hash.hex() != value["claim"]:
        raise UnverifiedError("docket: the claim shown is not the one named")
    return tuple(bundles), tuple(proofs), dates[0]


def _check_claim(bundle: Bundle, proof: bytes, state: GazetteState, policy: Policy) -> int:
    """When the claim was logged: in this programme, for this registry, and in time."""
    if bundle.record.hash("programme") != state.programme_hash:
        raise UnverifiedError("docket: the claim was made in another programme")
    if bundle.record.word("audience") != state.programme.key("registry").name:
        raise UnverifiedError("docket: the claim was made for another registry")
    ledger = state.programme.word("ledger")
    logged = verify_proof(proof, bundle.claim_hash, policy, ledger)
    check_claim_dated(bundle.record, logged.logged_by)
    return logged.logged_by


def _check_same(value: Mapping[str, Json], proposal: Proposal, bundle: Bundle) -> None:
    shortfalls: list[Json] = [*proposal.shortfalls]
    computed: dict[str, Json] = {
        "facts": proposal.facts,
        "judgement": judgement_document(proposal.judgement),
        "competing": competing_document(proposal.competing),
        "shortfalls": shortfalls,
        "language": language_of(bundle),
    }
    for name, due in computed.items():
        if format_json(value[name]) != format_json(due):
            raise UnverifiedError(f"docket: law and evidence give another {name}")


def _hearing(
    value: Mapping[str, Json],
    bundles: Sequence[Bundle],
    state: GazetteState,
    policy: Policy,
) -> Hearing | None:
    if value["appeal"] is None:
        return None
    shown = table_of(value, "appeal")
    if shown.keys() != _APPEAL_FIELDS:
        raise MalformedError("docket: not the fields of an appeal")
    table = check_fields(shown["first"])
    first = recompute(table, state, policy)
    record = text_of(shown, "record").encode("utf-8")
    if first.claim_hash != bundles[0].claim_hash or first.appeal is not None:
        raise UnverifiedError("docket: the decision appealed against is of another claim")
    decided = [one for one in bundles if one.claim_hash in first.claims]
    if len(decided) < len(first.claims):
        raise UnverifiedError("docket: leaves out a claim that was decided first")
    appeal = open_appeal(record, appellants(decided))
    check_appeal(appeal, first.record_hash)
    proof = text_of(shown, "record_proof").encode("utf-8")
    receipt = verify_receipt(record, proof, policy, state.programme.word("ledger"))
    return Hearing(
        ground=appeal.word("ground"),
        logged=receipt.logged,
        first=first,
        first_record=parse_signed(text_of(table, "decision").encode("utf-8")).record,
        shown=Appealed(record=record, proof=proof, first=format_json(table)),
    )


def _body(value: Mapping[str, Json], state: GazetteState, hearing: Hearing | None) -> Body:
    """Who decides: the board in office, or the appeal panel."""
    named = list_of(value, "excluded")
    if len(named) > EXCLUDED_MAX:
        raise MalformedError(f"docket: more than {EXCLUDED_MAX} members kept out")
    excluded = frozenset(name for name in named if isinstance(name, str))
    if named != sorted(excluded):
        raise MalformedError("docket: excluded is not a sorted list of names")
    return deciding_body(state, appealed=hearing is not None, excluded=excluded)


def deciding_body(
    state: GazetteState, *, appealed: bool, excluded: frozenset[str] = frozenset()
) -> Body:
    """The board in office, or on appeal the panel in office.

    Those who decided a case before stay out of it as long as enough others can decide it.

    Raises:
        UnverifiedError: the Gazette has no appeal panel.
    """
    if appealed and state.panel is None:
        raise UnverifiedError(
            "the Gazette has no appeal panel", hint="have the board publish a `panel` record"
        )
    bench = state.panel if appealed and state.panel else state.roster
    body = body_of(bench.members, bench.threshold)
    if len(set(body.members) - excluded) < body.threshold:
        return body
    return Body(members=body.members, threshold=body.threshold, excluded=excluded)


def _whole(value: Mapping[str, Json], name: str) -> int:
    number = value[name]
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise MalformedError(f"docket: {name} is no whole number")
    return number
