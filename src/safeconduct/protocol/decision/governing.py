"""Which version of the law a claim is decided under, and what it and its rival yield.

    by the day of the claim   the version in force when the Ledger dated it, unless that version
                              chooses by the day of the act or of the decision
    at the decision           the version in force at `as_of`

Both are applied to the same facts; unless the first says otherwise (`governs`), the person gets
the better result, and the other is told beside it.

Spec: docs/3-protocol.md §15.2.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from safeconduct.errors import MalformedError, RefusedError, UnverifiedError
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.statute.evaluate import declared_name
from safeconduct.protocol.statute.govern import Days, Governed, govern, governing
from safeconduct.protocol.statute.load import load_statute
from safeconduct.protocol.statute.text import Statute

CLOCKS_SECONDS_MAX = 600  # by how much the registry's clock and the witnesses' may differ
_LAWS_KEPT = 16  # parsed; of 60 kB at most
_INTERVAL = 2  # a time that is shown: the earliest and the latest it can have been
_DATED = ("logged", "made")  # the fields that say when somebody did what they claim on


@lru_cache(maxsize=_LAWS_KEPT)
def _read(law: bytes) -> Statute:
    return load_statute(law)


def read_law(state: GazetteState, sha256: bytes) -> Statute:
    """The published version of the law with this hash.

    Raises:
        UnverifiedError: no such version was published.
    """
    return _read(state.statute(sha256).law)


def versions_at(state: GazetteState, as_of: int) -> tuple[Statute, ...]:
    """The versions of the law that were published by `as_of`, at least the first.

    What was published later changes nothing of a decision, also when it is computed again.
    """
    first, *later = (_read(version.law) for version in state.statutes)
    return (first, *(one for one in later if one.version.published_at <= as_of))


def in_force(state: GazetteState, at: int) -> Statute | None:
    """The version of the law in force at `at`, POSIX seconds; None where there is none."""
    try:
        return governing(versions_at(state, at), at)
    except RefusedError:
        return None


def check_moment(state: GazetteState, as_of: int, claimed_at: int, decided_at: int) -> None:
    """Check that a case was judged as of a moment between its claim and its decision, and by
    the law that was in force when the decision was logged.

    Else whoever proposes could choose the moment, and with it the version that the person does
    not get compared.

    Raises:
        UnverifiedError: it was not.
    """
    if not claimed_at - CLOCKS_SECONDS_MAX <= as_of <= decided_at + CLOCKS_SECONDS_MAX:
        raise UnverifiedError("decision: judged as of a moment that is not its own")
    laws = [in_force(state, at) for at in (as_of, decided_at)]
    if len({law.sha256 if law else b"" for law in laws}) > 1:
        raise UnverifiedError(
            "decision: the law changed between the moment it is judged as of and its date",
            hint="propose it again, under the law now in force",
        )


def apply_law(
    versions: Sequence[Statute], facts: Json, claimed_at: int, as_of: int
) -> Governed:
    """What the version that governs, and its rival, make of the facts.

    Raises:
        RefusedError: no version was in force on the day that chooses one.
        MalformedError: the day of the act chooses, and it is not known.
    """
    return govern(versions, facts, Days(act=_act_day(facts), claim=claimed_at, decision=as_of))


def _act_day(facts: Json) -> int | None:
    """The day of the earliest act shown, by the latest time at which it can have been."""
    lists = _part(facts, "lists")
    found = [
        shown[1]
        for items in lists.values()
        for item in _list(items)
        for name, shown in _table(item).items()
        if name in _DATED and isinstance(shown, list) and len(shown) == _INTERVAL
    ]
    return min((at for at in found if isinstance(at, int)), default=None)


def settle_doubts(
    versions: Sequence[Statute], facts: Json, claimed_at: int, as_of: int
) -> tuple[Json, tuple[str, ...]]:
    """The facts without the times that leave a judgement open though the law settles doubt
    about them in the person's favour; and which those were.
    """
    settled: list[str] = []
    while True:
        doubtful = _doubtful(apply_law(versions, facts, claimed_at, as_of))
        if not doubtful:
            return facts, tuple(settled)
        settled += doubtful
        facts = _without(facts, doubtful)


def _doubtful(governed: Governed) -> list[str]:
    results = [(governed.statute, governed.judgement)]
    results += [governed.competing] if governed.competing else []
    return sorted(
        {
            each.fact
            for statute, judgement in results
            for each in judgement.open_facts
            if _favours_in_doubt(statute, each.fact)
        }
    )


def _favours_in_doubt(statute: Statute, fact: str) -> bool:
    declared = statute.facts[declared_name(fact)]
    return declared.type == "time" and declared.unknown_at_end == "favour_person"


def spoken_of(facts: Json, statutes: Iterable[Statute]) -> Json:
    """The facts that any of these statutes speaks of; the others do not concern them."""
    declared = {name for statute in statutes for name in statute.facts}
    known = {name.partition(".")[0] for name in declared if "." in name}
    single, lists = _part(facts, "facts"), _part(facts, "lists")
    kept: dict[str, Json] = {}
    for name, items in lists.items():
        if name in known:
            kept[name] = [
                {
                    field: value
                    for field, value in _table(item).items()
                    if f"{name}.{field}" in declared
                }
                for item in _list(items)
            ]
    return {
        "facts": {name: value for name, value in single.items() if name in declared},
        "lists": kept,
    }


def _without(facts: Json, doubtful: Iterable[str]) -> Json:
    """The facts document without these facts, named as `tips[0].logged` or `done`."""
    gone = frozenset(doubtful)
    single, lists = _part(facts, "facts"), _part(facts, "lists")
    kept: dict[str, Json] = {}
    for name, items in lists.items():
        kept[name] = [
            {
                field: value
                for field, value in _table(item).items()
                if f"{name}[{place}].{field}" not in gone
            }
            for place, item in enumerate(_list(items))
        ]
    return {
        "facts": {name: value for name, value in single.items() if name not in gone},
        "lists": kept,
    }


# On sealed evidence a board can sign whatever it likes as facts, and nobody has read it before.


def _part(facts: Json, name: str) -> Mapping[str, Json]:
    return _table(_table(facts).get(name))


def _table(value: Json) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise MalformedError("facts: not the form that facts have")
    return value


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise MalformedError("facts: a list of them is none")
    return value
