"""The Gazette as it grows: each new entry is checked, folded, and told in plain words.

What stood there when the watch began is not told again, only how much it was. An entry is
believed when the whole Gazette leads to the root that log and witnesses signed, and when it
folds: when it may stand where it stands.

Spec: docs/3-protocol.md §8.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from safeconduct.errors import MalformedError, SafeconductError, UnverifiedError
from safeconduct.parties.monitor.finding import Exhibit, Findings, reason, when
from safeconduct.parties.monitor.places import LogView
from safeconduct.parties.monitor.store import Store
from safeconduct.protocol.gazette import CreditGroup, GazetteState, StatuteVersion, fold
from safeconduct.protocol.record import parse_signed
from safeconduct.protocol.statute.load import load_statute
from safeconduct.protocol.statute.text import Day, Instant, Statute, Stretch
from safeconduct.protocol.tlog.merkle import Frontier, leaf_hash
from safeconduct.protocol.tlog.tile import TILE_WIDTH, bundles_of

GAZETTE_ENTRIES_MAX = 100_000
ROUND_BYTES_MAX = 128 << 20
"""A log that we do not trust decides how much it sends; this much a round is read."""

_DATES = "its dates are unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """The Gazette as far as it was read: folded state, right edge, number of entries."""

    state: GazetteState | None
    edge: Frontier
    programme: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A new entry: its number, its bytes, and what it says."""

    number: int
    data: bytes
    sentence: str


def open_book(store: Store, programme: bytes) -> Book:
    """The Gazette as the last run left it."""
    book = Book(state=None, edge=Frontier.empty(), programme=programme)
    for entry in store.gazette():
        book = _take(book, entry)
    return book


def read_new(
    book: Book, view: LogView, read_until: int, findings: Findings
) -> tuple[Book, list[Entry]]:
    """What the Gazette has that `book` lacks, checked and in words, and the book with it.

    `read_until` is the date up to which the Gazette is known to be without it, or 0.
    """
    fetched = findings.attempt(
        "gazette-entries",
        "The Gazette's entries are not those of its checkpoint",
        lambda: _fetch(book, view),
        exhibits=(view.signed.exhibit,),
    )
    told = list[Entry]()
    for number, entry in enumerate(fetched or [], book.edge.size):
        try:
            after = _take(book, entry)
        except SafeconductError as error:
            _report_entry(number, entry, error, findings)
            break
        told.append(
            Entry(number=number, data=entry, sentence=_tell(entry, book.state, after.state))
        )
        _check_law(book.state, after.state, entry, read_until, view, findings)
        book = after
    else:
        findings.hold("gazette-entry")
    return book, told


def _take(book: Book, entry: bytes) -> Book:
    """The book with one more entry, if it folds."""
    state = fold(book.state, entry)
    if state.programme_hash != book.programme:
        raise UnverifiedError("it founds another programme than the public file names")
    return replace(book, state=state, edge=book.edge.append(leaf_hash(entry)))


def _report_entry(
    number: int, entry: bytes, error: SafeconductError, findings: Findings
) -> None:
    findings.find(
        "gazette-entry",
        f"Entry {number} of the Gazette has no place there: {reason(error)}.",
        exhibits=(Exhibit(suffix=".entry", data=entry),),
    )


def _fetch(book: Book, view: LogView) -> list[bytes]:
    """The entries after those of `book`, led to the signed root.

    Raises:
        UnverifiedError: they are not what was signed.
        MalformedError: no bundles, or more than is read in one round.
        UnavailableError: the log is away.
    """
    size, tree = book.edge.size, view.signed.tree
    if tree.size > GAZETTE_ENTRIES_MAX:
        raise MalformedError(f"more than {GAZETTE_ENTRIES_MAX} entries")
    if tree.size < size:
        raise UnverifiedError("there are fewer than were read already")
    entries, read_bytes = list[bytes](), 0
    bundles = bundles_of(tree.size)[size // TILE_WIDTH :] if tree.size > size else []
    for index, width in bundles:
        bundle = view.remote.bundle(index, width)
        read_bytes += sum(map(len, bundle))
        if read_bytes > ROUND_BYTES_MAX:
            raise MalformedError(f"more than {ROUND_BYTES_MAX} bytes of new entries")
        entries += bundle[max(0, size - index * TILE_WIDTH) :]
    edge, _ = book.edge.extend([leaf_hash(entry) for entry in entries])
    if edge.tree() != tree:
        raise UnverifiedError("they do not lead to the signed root")
    return entries


def _check_law(
    before: GazetteState | None,
    after: GazetteState | None,
    entry: bytes,
    read_until: int,
    view: LogView,
    findings: Findings,
) -> None:
    """Whether a new law came into force only after it could be read."""
    assert after is not None
    if before is None or len(after.statutes) == len(before.statutes):
        return
    version = after.statutes[-1]
    in_force = load_statute(version.law).version.in_force_from
    if in_force >= read_until:
        return
    findings.find(
        "law-backdated",
        f"Version {version.number} of the law says it is in force from "
        f"{when(in_force)}, but the Gazette dated {when(read_until)} "
        "did not hold it.",
        subject=version.sha256.hex(),
        exhibits=(Exhibit(suffix=".entry", data=entry), view.signed.exhibit),
    )


# What an entry says, in words.


def _tell(entry: bytes, before: GazetteState | None, after: GazetteState | None) -> str:
    assert after is not None
    return SENTENCES[parse_signed(entry).record.kind](before, after)


def _founded(_: GazetteState | None, after: GazetteState) -> str:
    board = after.roster
    return (
        f"The programme {after.programme.word('name')} was founded: {board.threshold} of "
        f"{len(board.members)} board members must sign."
    )


def _roster(_: GazetteState | None, after: GazetteState) -> str:
    board = after.roster
    names = ", ".join(member.name for member in board.members)
    return (
        f"There is a new board, number {board.number}: {board.threshold} of "
        f"{len(board.members)} must sign. Its keys: {names}."
    )


def _panel(_: GazetteState | None, after: GazetteState) -> str:
    panel = after.panel
    assert panel is not None  # the entry seated it
    names = ", ".join(member.name for member in panel.members)
    return (
        f"There is a new appeal panel, number {panel.number}: {panel.threshold} of "
        f"{len(panel.members)} must sign. Its keys: {names}."
    )


def _statute(before: GazetteState | None, after: GazetteState) -> str:
    version = after.statutes[-1]
    law = load_statute(version.law)
    earlier = before.statutes if before else ()
    return (
        f"Version {version.number} of the law was published, in force from "
        f"{when(law.version.in_force_from)}; {_changed_dates(earlier, law)}."
    )


def dates_of(law: Statute) -> dict[str, Instant]:
    """The dates that a law fixes, by name."""
    found = law.parameters.items()
    return {name: value for name, value in found if isinstance(value, Instant)}


def _changed_dates(earlier: Sequence[StatuteVersion], law: Statute) -> str:
    new = _written_dates(law)
    if not earlier:
        named = [f"{name} is {written}" for name, written in new.items()]
        return ", ".join(named) or "it fixes no date"
    old = _written_dates(load_statute(earlier[-1].law))
    changes = [
        f"the date {name} moved from {old[name]} to {new[name]}"
        for name in new
        if name in old and old[name] != new[name]
    ]
    changes += [f"the date {name} is new: {new[name]}" for name in new if name not in old]
    changes += [f"the date {name} is gone" for name in old if name not in new]
    return ", ".join(changes) or _DATES


def _written_dates(law: Statute) -> dict[str, str]:
    """Every instant, day and period of a law, as it writes them."""
    found: dict[str, str] = {}
    for name, each in law.parameters.items():
        if isinstance(each, Instant):
            found[name] = each.written + (", inclusive" if each.inclusive else "")
        elif isinstance(each, Day):
            found[name] = each.written + ("" if each.ends == "24:00" else f", {each.ends}")
        elif isinstance(each, Stretch):
            found[name] = " to ".join(each.written)
    return found


def _epoch(_: GazetteState | None, after: GazetteState) -> str:
    epoch = after.epochs[-1]
    return (
        f"Desk epoch {epoch.number} was certified: its key is open from "
        f"{when(epoch.opens)} until {when(epoch.closes)}."
    )


def _publication(_: GazetteState | None, after: GazetteState) -> str:
    record = after.publications[-1]
    return (
        f"Publication {record.number('number')}: {record.word('subject')} stands as "
        f"{record.word('standing')}, final at {when(record.number('final'))}."
    )


def _count(_: GazetteState | None, after: GazetteState) -> str:
    record = after.counts[-1]
    parts = [f"{record.number(name)} {name}" for name in _COUNTED]
    return f"Count {record.number('number')} of the cases: {', '.join(parts)}."


def _archive(_: GazetteState | None, after: GazetteState) -> str:
    archive = after.archives[-1]
    return (
        f"Archive key {archive.number} was certified, for opened tips of epochs whose keys are "
        f"destroyed: {archive.threshold} of {archive.shares} custodians open it."
    )


def _retirement(_: GazetteState | None, after: GazetteState) -> str:
    retired = after.retirements[-1]
    return f"The board says that the keys of desk epoch {retired.epoch} are destroyed."


def _issuing_key(_: GazetteState | None, after: GazetteState) -> str:
    return f"A key was published for {called(after.issuing_keys[-1].group)}, the only one."


def _credit_count(_: GazetteState | None, after: GazetteState) -> str:
    count = after.credit_counts[-1]
    return f"Of {called(count.group)}: {count.issued} issued, {count.redeemed} redeemed."


def _gate(_: GazetteState | None, after: GazetteState) -> str:
    gate = after.gates[-1]
    return (
        f"The door marked that the law's date {gate.name} has passed, at {when(gate.limit)}: "
        f"the Ledger had {gate.before_tree.size} entries before, and {gate.after_tree.size} "
        "when the witnesses' clocks were past it."
    )


def _client(_: GazetteState | None, after: GazetteState) -> str:
    client = after.clients[-1]
    return (
        f"Client {client.version} for {client.platform} was published: {client.size} bytes, "
        f"SHA-256 {client.sha256.hex()}."
    )


def called(group: CreditGroup) -> str:
    """A group of credits in words."""
    law = group.statute.hex()[:12]
    return f"credits of class {group.word}, period {group.period}, under law {law}"


_COUNTED = ("claims", "decided", "suspended", "published")
SENTENCES: dict[str, Callable[[GazetteState | None, GazetteState], str]] = {
    "programme": _founded,
    "roster": _roster,
    "panel": _panel,
    "statute": _statute,
    "epoch": _epoch,
    "publication": _publication,
    "count": _count,
    "archive": _archive,
    "retirement": _retirement,
    "issuing-key": _issuing_key,
    "credit-count": _credit_count,
    "gate": _gate,
    "client": _client,
}
