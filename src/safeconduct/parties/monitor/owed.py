"""What is owed to the monitor's keeper: that a delivered tip is logged, and answered.

    OWED/letter.record             the contribution, as `source receipt` writes it
    OWED/letter.delivery           the door's signed word that it has all of it
    OWED/letter.acknowledgement    the desk's answer, once it is in the mailbox

A delivery must stand in the Ledger: the door signs for it and has it logged before it answers.
The answer is owed too, but the protocol sets no date for it and nobody but its source can see
it: the limit is the keeper's own, and an answer that is not put here counts as missing.

The Ledger is read whole and searched here. To ask the log for one hash would tell it whose tip
is being looked after.

Spec: docs/3-protocol.md §7.4, §13.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from safeconduct.errors import UnverifiedError
from safeconduct.parties.monitor.duties import DUE, MET, MISSED, Duty
from safeconduct.parties.monitor.finding import Exhibit, Findings, when
from safeconduct.parties.monitor.places import LogView
from safeconduct.parties.monitor.store import Store
from safeconduct.plumbing.durable import read_file
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.record import (
    RECORD_BYTES_MAX,
    Record,
    parse_record,
    parse_signed,
    record_hash,
    verify_signer,
)
from safeconduct.protocol.statute.instant import DAY_SECONDS, INSTANT_AT_MAX
from safeconduct.protocol.tlog.merkle import (
    Frontier,
    Subtree,
    inclusion_proof,
    leaf_hash,
    verify_inclusion,
)
from safeconduct.protocol.tlog.tile import TILE_WIDTH

LOGGED_SECONDS_MAX = 2 * DAY_SECONDS
"""A delivery names only its day; by the end of the next it must stand in the Ledger."""
TIPS_MAX = 1_000
BUNDLES_PER_ROUND_MAX = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Tip:
    """A delivered tip of the keeper's; `answer` is the signed acknowledgement, or empty."""

    name: str
    delivery: Record
    signed_delivery: bytes
    answer: bytes = b""


def read_tips(folder: Path, state: GazetteState, findings: Findings) -> list[Tip]:
    """The tips in a folder whose deliveries the door of this programme has signed for."""
    tips = list[Tip]()
    for path in sorted(folder.glob("*.delivery"))[:TIPS_MAX]:
        tip = findings.attempt(
            "owed-unreadable",
            f"{path.name} or what lies beside it does not hold",
            partial(_read_tip, path, state),
            subject=path.name,
        )
        tips += [tip] if tip is not None else []
    return tips


def _read_tip(path: Path, state: GazetteState) -> Tip:
    """One tip.

    Raises:
        MalformedError, UnverifiedError: a file is not what its name says, or of another tip.
        UnavailableError: a file cannot be read.
    """
    record = read_file(path.with_suffix(".record"), bytes_max=RECORD_BYTES_MAX)
    parse_record(record, "contribution")
    signed = read_file(path, bytes_max=RECORD_BYTES_MAX)
    server = state.programme.key("server")
    delivery = verify_signer(parse_signed(signed, "delivery"), server)
    _check_about(delivery, record, state)
    answer_path = path.with_suffix(".acknowledgement")
    answer = b""
    if answer_path.exists():
        answer = read_file(answer_path, bytes_max=RECORD_BYTES_MAX)
        _check_answer(answer, record, state)
    return Tip(name=path.stem, delivery=delivery, signed_delivery=signed, answer=answer)


def _check_answer(answer: bytes, record: bytes, state: GazetteState) -> None:
    parsed = parse_signed(answer, "acknowledgement")
    epoch = state.epoch(parsed.record.number("epoch"))
    _check_about(verify_signer(parsed, epoch.statement), record, state)


def _check_about(statement: Record, record: bytes, state: GazetteState) -> None:
    if statement.hash("programme") != state.programme_hash:
        raise UnverifiedError(f"the {statement.kind} belongs to another programme")
    if statement.hash("record") != record_hash(record):
        raise UnverifiedError(f"the {statement.kind} is about another tip")


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Where the Ledger holds what was asked for, by record hash; `whole` if all is read."""

    found: Mapping[bytes, int]
    whole: bool


def find_leaves(tips: list[Tip], ledger: LogView, store: Store) -> Search:
    """Where the Ledger holds what was signed for these tips, proven.

    Raises:
        MalformedError, UnverifiedError: entries or tiles do not hold.
        UnavailableError: the log is away.
    """
    wanted = {record_hash(tip.signed_delivery) for tip in tips}
    wanted |= {record_hash(tip.answer) for tip in tips if tip.answer}
    known = {leaf: seen for leaf, seen in store.leaves(wanted).items() if leaf in wanted}
    missing = {leaf: start for leaf, (start, index) in known.items() if index is None}
    found = {leaf: index for leaf, (_, index) in known.items() if index is not None}
    if not missing:
        return Search(found=found, whole=True)
    new, searched = _search(missing, ledger)
    store.searched(searched, new, missing)
    return Search(found=found | new, whole=searched >= ledger.signed.tree.size)


def _search(missing: Mapping[bytes, int], ledger: LogView) -> tuple[dict[bytes, int], int]:
    """Indexes of the leaves that were found, and how many entries are searched now."""
    size, first = ledger.signed.tree.size, min(missing.values())
    last = first // TILE_WIDTH + BUNDLES_PER_ROUND_MAX
    found, searched = dict[bytes, int](), first
    for index in range(first // TILE_WIDTH, min(last, -(-size // TILE_WIDTH))):
        width = min(TILE_WIDTH, size - index * TILE_WIDTH)
        entries = ledger.remote.bundle(index, width)
        _verify_bundle(entries, index * TILE_WIDTH, ledger)
        for number, entry in enumerate(entries, index * TILE_WIDTH):
            if entry in missing:
                found.setdefault(entry, number)
        searched = index * TILE_WIDTH + width
    return found, searched


def _verify_bundle(entries: list[bytes], first: int, ledger: LogView) -> None:
    """Ensure that entries from number `first` on are the Ledger's: what is missing is missed.

    The proof of the first entry names the others by hashes, and those are computed here.

    Raises:
        UnverifiedError: they are not.
    """
    tree, served = ledger.signed.tree, ledger.remote.hashes(ledger.signed.tree.size)
    leaves = [leaf_hash(entry) for entry in entries]
    _, filled = Frontier.empty().extend(leaves)
    own = {(level, place + (first >> level)): filled[level, place] for level, place in filled}

    def read(asked: Sequence[Subtree]) -> list[bytes]:
        rest = [each for each in asked if each not in own]
        known = own | dict(zip(rest, served(rest), strict=True))
        return [known[each] for each in asked]

    verify_inclusion(leaves[0], first, inclusion_proof(first, tree.size, read), tree)


def owed_duties(
    tips: list[Tip],
    search: Search,
    at: int,
    answer_days: int,
    findings: Findings,
) -> list[Duty]:
    """How door and desk stand with each tip; `at` is the Ledger's date."""
    duties = list[Duty]()
    for tip in tips:
        duties += _stand(tip, search, at, answer_days)
        _report(tip, duties[-2:], findings)
    return duties


def _stand(tip: Tip, search: Search, at: int, answer_days: int) -> Iterator[Duty]:
    delivered = tip.delivery.number("delivered")
    logged = record_hash(tip.signed_delivery) in search.found
    answered = bool(tip.answer) and record_hash(tip.answer) in search.found
    answer_by = min(delivered + answer_days * DAY_SECONDS, INSTANT_AT_MAX)
    logged_by = min(delivered + LOGGED_SECONDS_MAX, INSTANT_AT_MAX)
    yield Duty(
        key=f"logged {tip.name}",
        what=f"The delivery of {tip.name} must stand in the Ledger.",
        due_at=logged_by,
        state=_state(logged, search.whole and at >= logged_by),
    )
    yield Duty(
        key=f"answered {tip.name}",
        what=f"The desk owes {tip.name} an answer that stands in the Ledger; here "
        f"{answer_days} days are allowed.",
        due_at=answer_by,
        state=_state(answered, search.whole and at >= answer_by),
    )


def _state(met: bool, late: bool) -> str:
    return MET if met else MISSED if late else DUE


def _report(tip: Tip, duties: list[Duty], findings: Findings) -> None:
    evidence = (Exhibit(suffix=".delivery", data=tip.signed_delivery),)
    for check, duty in zip(("owed-unlogged", "owed-unanswered"), duties, strict=True):
        if duty.state == MISSED:
            assert duty.due_at is not None
            sentence = f"{duty.what} It was due at {when(duty.due_at)}."
            findings.find(check, sentence, subject=tip.name, exhibits=evidence)
        else:
            findings.hold(check, subject=tip.name)
