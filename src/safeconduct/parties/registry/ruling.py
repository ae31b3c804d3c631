"""A published decision as a page shows it: computed again from its bytes, its proof in words.

Spec: docs/3-protocol.md §15.4.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from safeconduct.errors import SafeconductError
from safeconduct.parties.registry.book import Book, Entry, Law
from safeconduct.parties.registry.proof import Drawing, draw
from safeconduct.parties.registry.receive import Registry
from safeconduct.parties.registry.show import words
from safeconduct.parties.registry.tongue import speaks
from safeconduct.plumbing import web
from safeconduct.plumbing.languages import DEFAULT, when
from safeconduct.plumbing.letter_text import Block, blocks
from safeconduct.protocol.canonical import Json, parse_decimal
from safeconduct.protocol.decision import Rechecked, recheck, versions_at
from safeconduct.protocol.evidence.capture import check_capture
from safeconduct.protocol.record import Record, parse_signed
from safeconduct.protocol.statute.govern import annulments, judged
from safeconduct.protocol.statute.text import Statute


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The public statement that a claim relies on, and where it was captured."""

    speaker: str
    said: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteShown:
    """How one member voted, and why; `signed` says whether they signed the decision."""

    member: str
    vote: str  # agree, depart or abstain, or nothing for who did not vote
    outcome: str
    reasons: str
    conflict: str
    signed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """What another version of the law yields for the same facts."""

    law: Law | None
    outcome: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Appealed:
    """The appeal that a decision was made on, and what was decided before."""

    ground: str
    logged_by: int
    in_time: bool
    outcome: str  # of the first decision
    signers: tuple[str, ...]
    dated_at: int  # when the first decision was logged, at the latest
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """A published decision; without `checked`, `fault` says what did not come out alike."""

    entry: Entry
    record: Record  # the decision's, as the board signed it
    departure: str  # why the board departed from what the statute yields; empty if it did not
    checked: Rechecked | None
    fault: str
    outcome: str
    yielded: str  # what the statute yields, in its own words
    drawing: Drawing | None
    facts: tuple[tuple[str, str, bool], ...]  # label, value, whether the board judged it
    shortfalls: tuple[str, ...]
    votes: tuple[VoteShown, ...]
    rival: Rival | None
    appeal: Appealed | None
    letter: tuple[Block, ...]
    struck: tuple[str, ...]  # what a court had struck from this version, in words
    beside: tuple[int, ...]  # the other versions of the law that were published by then
    joined: int  # further claims that were decided with this one
    evidence: Mapping[str, str]  # the bundle's texts; empty if it stays sealed
    commitment: str
    quote: Quote | None
    credit: str  # class and period, where a credit was shown; empty elsewhere


def read_ruling(
    registry: Registry, book: Book, sha256: bytes, language: str = DEFAULT
) -> Ruling:
    """The published decision with this hash, computed again, in a language.

    Raises:
        RefusedError: none was published (HTTP 404).
    """
    entry = find_decision(book, sha256)
    value, bundle = entry.value, _bundle(entry)
    checked, drawing, fault = _computed(registry, book, entry, language)
    record = parse_signed(str(value["decision"]).encode("utf-8"), "decision").record
    hides = drawing is None or drawing.is_sealed
    statute = entry.law.statute
    versions = versions_at(book.view.state, record.number("as-of"))
    return Ruling(
        entry=entry,
        record=record,
        departure=str(value["departure"]),
        checked=checked,
        fault=fault,
        outcome=_told(statute, entry.record.word("standing"), language),
        yielded=_told(statute, checked.yielded, language) if checked else "",
        drawing=drawing,
        facts=tuple(_facts(entry, language, is_open=bool(bundle))),
        shortfalls=() if hides else tuple(str(each) for each in _list(value["shortfalls"])),
        votes=_votes(entry, checked, language),
        rival=_rival(book, entry, language),
        appeal=_appealed(entry, checked, language),
        letter=blocks(str(value["letter"])) if value["letter"] else (),
        struck=_struck(versions, statute, record.number("as-of"), language),
        beside=_numbers(versions, statute),
        joined=len(_list(value["joined"])),
        evidence=bundle,
        commitment=str(_table(value["evidence"]).get("commitment", "")),
        quote=_quote(bundle),
        credit=_credit(checked, language),
    )


def _bundle(entry: Entry) -> dict[str, str]:
    """The texts of the claim, where it is open."""
    shown = _table(_table(entry.value["evidence"]).get("bundle", {}))
    return {name: str(text) for name, text in shown.items()}


def _computed(
    registry: Registry, book: Book, entry: Entry, language: str
) -> tuple[Rechecked | None, Drawing | None, str]:
    """The decision computed again and its proof drawn, and else why it could not be."""
    checked = None
    try:
        policy = registry.programme.policy
        checked = recheck(entry.data, entry.record, book.view.state, policy)
        return checked, draw_proof(book, entry, language), ""
    except SafeconductError as error:
        return checked, None, error.message


def find_decision(book: Book, sha256: bytes) -> Entry:
    """The publication of the decision with this hash.

    Raises:
        RefusedError: none was published (HTTP 404).
    """
    found = book.decision(sha256)
    if found is None:
        raise web.missing("no decision with this hash was published")
    return found


def draw_proof(book: Book, entry: Entry, language: str = DEFAULT) -> Drawing:
    """The proof behind a decision, evaluated anew from the facts it was published with.

    Raises:
        MalformedError, RefusedError: the facts are not those of the law.
    """
    as_of = _table(entry.value["judgement"])["as_of"]
    assert isinstance(as_of, int)
    versions = versions_at(book.view.state, as_of)
    statute, judgement = judged(versions, entry.law.statute, entry.value["facts"], as_of)
    return draw(statute, judgement, is_open=bool(_bundle(entry)), language=language)


def _struck(
    versions: Sequence[Statute], statute: Statute, at: int, language: str
) -> tuple[str, ...]:
    """What courts struck from a version until `at`, in words, as later versions say."""
    _ = speaks(language)
    return tuple(
        _("%(what)s, by %(court)s")
        % {
            "what": f"§ {', '.join(each.sections)}" if each.sections else _("all of it"),
            "court": each.by,
        }
        for each in annulments(versions, statute, at)
    )


def _numbers(versions: Sequence[Statute], statute: Statute) -> tuple[int, ...]:
    """The numbers of the versions other than this one."""
    numbers = [each.version.number for each in versions]
    return tuple(number for number in numbers if number != statute.version.number)


# What stands beside the outcome.


def _votes(entry: Entry, checked: Rechecked | None, language: str) -> tuple[VoteShown, ...]:
    """Every member with a say; of those who did not vote, only the name."""
    if entry.value["votes"] is None:
        return ()
    document = _table(entry.value["votes"])
    cast = {str(_table(each)["member"]): _table(each) for each in _list(document["votes"])}
    signers = checked.signers if checked else ()
    return tuple(
        _vote(entry, member, cast.get(member, {}), member in signers, language)
        for member in map(str, _list(document["members"]))
    )


def _vote(
    entry: Entry, member: str, cast: Mapping[str, Json], signed: bool, language: str
) -> VoteShown:
    outcome = str(cast.get("outcome", ""))
    return VoteShown(
        member=member,
        vote=str(cast.get("vote", "")),
        outcome=_told(entry.law.statute, outcome, language) if outcome else "",
        reasons=str(cast.get("reasons", "")),
        conflict=str(cast.get("conflict", "")),
        signed=signed,
    )


def _rival(book: Book, entry: Entry, language: str) -> Rival | None:
    if entry.value["competing"] is None:
        return None
    shown = _table(entry.value["competing"])
    outcome = str(_table(shown["judgement"])["outcome"])
    laws = [law for law in book.laws if law.statute.sha256.hex() == shown["statute"]]
    text = _told(laws[0].statute, outcome, language) if laws else ""
    return Rival(law=laws[0] if laws else None, outcome=outcome.replace("_", " "), text=text)


def _appealed(entry: Entry, checked: Rechecked | None, language: str) -> Appealed | None:
    if checked is None or checked.appeal is None:
        return None
    before = checked.appeal.first
    return Appealed(
        ground=checked.appeal.ground,
        logged_by=checked.appeal.logged.logged_by,
        in_time=checked.appeal.in_time,
        outcome=_told(entry.law.statute, before.outcome, language),
        signers=before.signers,
        dated_at=before.logged.logged_by,
        result=checked.result,
    )


def _credit(checked: Rechecked | None, language: str) -> str:
    if checked is None or checked.credit is None:
        return ""
    group, end = checked.credit.group, checked.credit.period_end
    _ = speaks(language)
    return _("class %(group)s, period %(period)s, for help logged before %(end)s") % {
        "group": group.word,
        "period": group.period,
        "end": when(end, language),
    }


def _told(statute: Statute, outcome: str, language: str) -> str:
    """An outcome in the statute's words; what it does not know keeps its name."""
    try:
        return words(statute.outcome(outcome).text, language)
    except KeyError:  # a publication may name what the law lacks, and is shown as faulty
        return outcome.replace("_", " ")


def _facts(entry: Entry, language: str, *, is_open: bool) -> list[tuple[str, str, bool]]:
    """Every fact; of a sealed decision only that there were confidential ones, not which."""
    _, statute, judged = speaks(language), entry.law.statute, _table(entry.value["judgements"])
    document = _table(entry.value["facts"])
    secret = frozenset() if is_open else _confidential(statute)
    rows = [
        (_label(statute, name, language), _value(value, language), name in judged)
        for name, value in _table(document["facts"]).items()
        if name not in secret
    ]
    for name, items in _table(document["lists"]).items():
        if name in secret:
            continue
        for number, item in enumerate(_list(items), start=1):
            which = f", {name} {number}" if len(_list(items)) > 1 else ""
            rows += [
                (
                    f"{_label(statute, f'{name}.{field}', language)}{which}",
                    _value(value, language),
                    field in judged,
                )
                for field, value in _table(item).items()
            ]
    rows += [
        (_label(statute, name, language), _value(value, language), True)
        for name, value in judged.items()
        if name not in _table(document["facts"])
        and name not in secret
        and not _is_of_item(statute, name)
    ]
    return rows + ([(_("confidential facts"), _("sealed"), False)] if secret else [])


def _confidential(statute: Statute) -> frozenset[str]:
    """The confidential facts, and every list that one of them is a field of."""
    names = [name for name, each in statute.facts.items() if each.confidential]
    return frozenset([*names, *(name.partition(".")[0] for name in names)])


def _is_of_item(statute: Statute, name: str) -> bool:
    return any(each.partition(".")[2] == name for each in statute.facts)


def _quote(bundle: Mapping[str, Json]) -> Quote | None:
    """What was said, if the evidence is a public statement that can be shown."""
    try:
        capture = check_capture(str(bundle.get("capture", "")).encode("utf-8"))
        number = parse_decimal(str(bundle.get("statement", "")), "statement")
    except SafeconductError:
        return None
    if number >= len(capture.statements):
        return None
    statement = capture.statements[number]
    return Quote(speaker=statement.speaker, said=statement.said, address=capture.address)


def _label(statute: Statute, name: str, language: str) -> str:
    declared = statute.facts.get(name)
    return words(declared.label, language) if declared else name.replace("_", " ")


def _value(value: Json, language: str) -> str:
    _ = speaks(language)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        earliest, latest = (when(at, language) if isinstance(at, int) else at for at in value)
        if earliest is None:
            return _("by %(last)s") % {"last": latest}
        return _("not before %(first)s, by %(last)s") % {"first": earliest, "last": latest}
    return str(value).replace("_", " ")


def _table(value: Json) -> Mapping[str, Json]:
    assert isinstance(value, dict)  # the form was checked when the object was made
    return value


def _list(value: Json) -> list[Json]:
    assert isinstance(value, list)
    return value
