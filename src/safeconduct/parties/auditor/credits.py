"""The twelfth check: credits, which name no tip, so that all that shows is their number.

    redemptions/<nullifier>.record      signed by the registry: this credit was used up
    redemptions/<nullifier>.tlog-proof  its receipt

One file for each nullifier: none can be used twice. What the registry shows and what the board
counts in the Gazette is set against each other, group by group; whoever has stolen an issuing
key, or counts falsely, shows in it. A redemption whose claim stays sealed, or whose decision
is not published, is the registry's word.
"""

from collections import Counter
from itertools import groupby

from safeconduct.errors import MalformedError, SafeconductError, UnverifiedError
from safeconduct.parties.auditor import finding
from safeconduct.parties.auditor.finding import (
    CreditTally,
    Failed,
    Findings,
    Passed,
    attempt,
    failed_by,
)
from safeconduct.parties.auditor.ground import Ground
from safeconduct.parties.auditor.tree import check_nothing_unsigned, check_stands
from safeconduct.protocol.claim import open_redemption
from safeconduct.protocol.decision import Rechecked
from safeconduct.protocol.gazette import CreditCount, CreditGroup, credit_group, credit_terms
from safeconduct.protocol.receipt import verify_receipt
from safeconduct.protocol.record import RECORD_BYTES_MAX, Record, parse_signed
from safeconduct.protocol.tlog.note import format_note
from safeconduct.protocol.tlog.proof import PROOF_BYTES_MAX

FOLDER = "redemptions"


def find_credits(ground: Ground) -> Findings:
    """Whether each redemption holds, and their number is what the board's counts allow."""
    counts = ground.state.credit_counts
    redeemed: Counter[CreditGroup] = Counter()
    # The names come sorted, so those of one redemption come together.
    for place, _ in groupby(ground.folder.names(FOLDER), key=lambda name: name.split(".")[0]):
        yield from _find_redemption(ground, place, redeemed)
        ground.course.progress.tick(redeemed.total(), None, "redemptions")
    groups = sorted(
        {one.group for one in counts} | redeemed.keys(),
        key=lambda group: (group.statute, group.word, group.period),
    )
    for group in groups:
        yield from _find_counts(ground, ground.state.credit_count(group), redeemed[group])
    total, shown = redeemed.total(), ground.redeemed_shown
    yield Passed(
        computed_from=f"redemptions: {total}; explained by decisions shown with their "
        f"evidence: {shown}; kinds of credits: {len(groups)}; counts of them in the Gazette: "
        f"{len(counts)}",
        credits=tuple(
            CreditTally(
                group=group,
                issued=ground.state.credit_count(group).issued,
                redeemed=redeemed[group],
            )
            for group in groups
        ),
    )


def _find_redemption(ground: Ground, place: str, redeemed: Counter[CreditGroup]) -> Findings:
    file, proof = f"{place}.record", f"{place}.tlog-proof"
    try:
        record = read_redemption(ground, file)
    except SafeconductError as error:
        due = "the registry's redemption of a credit, called after its nullifier"
        yield failed_by(error, file, due, finding.REDEMPTION_FAULTY)
        return
    redeemed[credit_group(record)] += 1
    yield from attempt(
        lambda: _check_proof(ground, file, proof),
        proof,
        "a receipt of the record beside it, borne out by the Ledger copy",
        finding.RECEIPT_FAULTY,
    )


def read_redemption(ground: Ground, file: str) -> Record:
    """The redemption in a file that is called after the credit's nullifier.

    Raises:
        SafeconductError: it is none, or another credit's.
    """
    data = ground.folder.read(file, bytes_max=RECORD_BYTES_MAX)
    record = open_redemption(data, ground.state)
    if format_note(parse_signed(data).note) != data:
        raise MalformedError("redemption: not in canonical form")
    nullifier = record.hash("nullifier").hex()
    if file != redemption_file(record.hash("nullifier")):
        raise UnverifiedError(f"the redemption of nullifier {nullifier}")
    return record


def redemption_file(nullifier: bytes) -> str:
    """Where the redemption of the credit with this nullifier lies."""
    return f"{FOLDER}/{nullifier.hex()}.record"


def _check_proof(ground: Ground, file: str, name: str) -> None:
    data = ground.folder.read(file, bytes_max=RECORD_BYTES_MAX)
    proof = ground.folder.read(name, bytes_max=PROOF_BYTES_MAX)
    ledger = ground.state.programme.word("ledger")
    receipt = verify_receipt(data, proof, ground.policy, ledger)
    check_nothing_unsigned(proof, receipt.logged.origin, ground.policy)
    check_stands(ground.whole_ledger, receipt.logged, receipt.record_hash)


def _find_counts(ground: Ground, count: CreditCount, shown: int) -> Findings:
    """Whether what is shown of one group agrees with the board's newest count of it."""
    needed = credit_terms(ground.state, count.group).minimum_issued
    if max(shown, count.redeemed) > count.issued:
        # What the board has signed itself holds whatever copy it stands in.
        signed = count.redeemed > count.issued
        yield Failed(
            file="gazette/checkpoint" if signed else FOLDER,
            found=f"{_called(count.group)}: {max(shown, count.redeemed)} redeemed",
            expected=f"at most {count.issued}, which the board counted as issued",
            proves=finding.REDEEMED_MORE,
            stands_alone=signed and ground.held["gazette"],
            contradicts=True,
        )
    if shown and count.issued < needed:
        yield Failed(
            file=FOLDER,
            found=f"{_called(count.group)}: {shown} redeemed while {count.issued} are counted",
            expected=f"none before the board has counted {needed} as issued",
            proves=finding.REDEEMED_EARLY,
        )
    if shown < count.redeemed:
        yield Failed(
            file=FOLDER,
            found=f"{_called(count.group)}: {shown} redemptions",
            expected=f"{count.redeemed}, which the board counted in the Gazette",
            proves=finding.REDEMPTIONS_MISSING,
        )


def _called(group: CreditGroup) -> str:
    law = group.statute.hex()[:12]
    return f"credits of class {group.word}, period {group.period}, under law {law}"


def find_redeemed(ground: Ground, name: str, found: Rechecked, *, favours: bool) -> Findings:
    """Whether a decision shown on a credit has used it up, if it was for the person."""
    if found.credit is None:
        return
    file = redemption_file(found.credit.nullifier)
    if not ground.folder.holds(file):
        if favours:
            yield Failed(
                file=name,
                found=f"{found.subject}: {found.outcome} on a credit",
                expected=f"{file}, which shows that the credit was used up",
                proves=finding.REDEMPTION_HIDDEN,
            )
        return
    try:
        record = read_redemption(ground, file)
    except SafeconductError:
        return  # The check of all redemptions tells why.
    same = record.hash("claim") == found.claim_hash
    ground.redeemed_shown += same and favours
    if same != favours:
        yield Failed(
            file=file,
            found=f"the redemption for claim {record.hash('claim').hex()}",
            expected=f"one for claim {found.claim_hash.hex()}, decided in {name}"
            if favours
            else f"none for a claim that came to {found.outcome}, in {name}",
            proves=finding.REDEMPTION_FAULTY,
        )
