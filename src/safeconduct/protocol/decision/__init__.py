"""A decision: the statute applied to what a claim proved, signed by t of n, open to
recomputation.

What is published is one object, canonical JSON:

    evidence    the claim's bundle (`open`), or a salted commitment to it (`sealed`)
    claim_proof the claim's own receipt, shown either way: no claim can be invented later
    joined      further claims of the same person that were decided with it
    judgements  what only people can judge, as the board found it
    facts       what evidence and judgements come to, in the statute's own terms
    judgement   the proof tree that the statute yields for these facts
    competing   what the other version of the law yields, where one was applied as well
    votes       who was for it and who was not, and why
    departure   why the board decided otherwise than the statute yields, if it did
    letter      the reasons told to the person
    appeal      on appeal: the appeal, and the decision that it was made against
    decision    the board's signed record over all of it, and its receipt

`recheck` goes the same way again from the bytes: anybody gets the same facts, the same tree and
the same outcome, or the place where they do not. Of a `sealed` decision it recomputes law and
outcome; the facts themselves it can only take as the board asserts them, and says so: until
somebody opens it, who was given what opens it.

    proposal    what the law says, under which version of it
    draft       the record to sign, before and after the votes
    shown       the object that is published
    appealing   whose an appeal is, and against what
    unsealed    what opens sealed evidence, and from which day the law lets everybody see it
    behind      the body that signed, and the claims that were decided
    recheck     the same again, from its bytes

Spec: docs/3-protocol.md §15.
"""

from safeconduct.protocol.decision.appealing import appellants, check_appeal, open_appeal
from safeconduct.protocol.decision.behind import Claimed, body_of
from safeconduct.protocol.decision.draft import (
    DEPARTURE_CHARACTERS_MAX,
    FALLS,
    QUASH,
    REMIT,
    REPLACE,
    RESULTS,
    UPHOLD,
    Body,
    Drafted,
    check_departure,
    check_enough,
    check_not_worse,
    check_result,
    count_votes,
    decision_record,
    departure_hash,
    draft_record,
    final_draft,
    proposed_result,
    settle_result,
)
from safeconduct.protocol.decision.governing import read_law, versions_at
from safeconduct.protocol.decision.proposal import (
    OpenError,
    Proposal,
    check_claim_dated,
    declared_facts,
    favours,
    favours_person,
    propose,
    shared_by,
    told,
    used_up,
    with_assessment,
)
from safeconduct.protocol.decision.recheck import (
    Contested,
    Rechecked,
    check_disjoint,
    judgements_of,
    recheck,
    recompute,
)
from safeconduct.protocol.decision.shown import (
    OBJECT_BYTES_MAX,
    Appealed,
    Joined,
    competing_document,
    decision_object,
    evidence_commitment,
    evidence_salt,
)
from safeconduct.protocol.decision.unsealed import (
    UNSEALED_BYTES_MAX,
    Opened,
    Unsealed,
    UnsealingError,
    commitments_of,
    format_unsealed,
    make_unsealed,
    opens_at,
    parse_unsealed,
    unsealed_at,
)
from safeconduct.protocol.reasons import FIRST

__all__ = [
    "DEPARTURE_CHARACTERS_MAX",
    "FALLS",
    "FIRST",
    "OBJECT_BYTES_MAX",
    "QUASH",
    "REMIT",
    "REPLACE",
    "RESULTS",
    "UNSEALED_BYTES_MAX",
    "UPHOLD",
    "Appealed",
    "Body",
    "Claimed",
    "Contested",
    "Drafted",
    "Joined",
    "OpenError",
    "Opened",
    "Proposal",
    "Rechecked",
    "Unsealed",
    "UnsealingError",
    "appellants",
    "body_of",
    "check_appeal",
    "check_claim_dated",
    "check_departure",
    "check_disjoint",
    "check_enough",
    "check_not_worse",
    "check_result",
    "commitments_of",
    "competing_document",
    "count_votes",
    "decision_object",
    "decision_record",
    "declared_facts",
    "departure_hash",
    "draft_record",
    "evidence_commitment",
    "evidence_salt",
    "favours",
    "favours_person",
    "final_draft",
    "format_unsealed",
    "judgements_of",
    "make_unsealed",
    "open_appeal",
    "opens_at",
    "parse_unsealed",
    "propose",
    "proposed_result",
    "read_law",
    "recheck",
    "recompute",
    "settle_result",
    "shared_by",
    "told",
    "unsealed_at",
    "used_up",
    "versions_at",
    "with_assessment",
]
