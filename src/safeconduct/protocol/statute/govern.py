"""Which version of a law governs a case, and what comes of it: dates move, and courts strike.

    day of the act ──┐
    day of the claim ┼▶ one version governs ─▶ judgement ─┐
    day of decision ─┘                                    ├▶ the better one for the person,
             version in force at the decision ─▶ judgement┘  if the one that governs says so

The version in force at the claim says by which day one is chosen (`governs`); if it says
nothing, by the day of the claim, and in the person's favour. A section that a court struck
never holds in a judgement from that moment on, in whichever version it is judged by.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.statute.evaluate import Judgement, evaluate
from safeconduct.protocol.statute.facts import RESERVED_VALUES, list_names, read_facts
from safeconduct.protocol.statute.instant import format_instant
from safeconduct.protocol.statute.text import (
    UNDETERMINED,
    Annulment,
    Governs,
    Provision,
    Statute,
    all_parts,
    with_struck,
)

FAVOURABLE = "favourable"  # the basis of a result that comes from the version at the decision
UNSAID = Governs(day="claim", favourable=True, section="")

Result: TypeAlias = tuple[Statute, Judgement]


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """The days by which a version can be chosen, in POSIX seconds."""

    act: int | None
    claim: int
    decision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Governed:
    """A judgement, and why by this version.

    `basis` is act, claim or decision, the day that chose the version, or `favourable` where the
    version in force at the decision is better for the person. `competing` is the result that
    was not taken. `annulled` says in words what courts struck from the two versions, and
    `left_out` names what was asserted and is no fact of the governing version, or has a value
    that only another version knows.
    """

    statute: Statute
    judgement: Judgement
    basis: str
    competing: Result | None
    annulled: tuple[str, ...]
    left_out: tuple[str, ...] = ()


def series(statutes: Sequence[Statute]) -> tuple[Statute, ...]:
    """The versions of one law, each following the one before.

    Raises:
        MalformedError: none, a gap, another law, or an annulment of rules that are not there.
    """
    if not statutes:
        raise MalformedError("statute: there is no version")
    for before, now in pairwise(statutes):
        _check_succession(before, now)
    for statute in statutes:
        check_annulments(statutes, statute)
    return tuple(statutes)


def _check_succession(before: Statute, now: Statute) -> None:
    if now.id != before.id:
        raise MalformedError(f"statute.id: is not {before.id}, the statute it would follow")
    if now.version.number != before.version.number + 1:
        raise MalformedError(f"version.number: must be {before.version.number + 1}")
    if now.version.supersedes != before.sha256:
        raise MalformedError("version.supersedes: is not the SHA-256 of the version before")


def check_annulments(versions: Iterable[Statute], statute: Statute) -> None:
    """Check that each rule that `statute` says a court struck stands in its version.

    Raises:
        MalformedError: it does not; no case could be judged by that version any more.
    """
    by_number = {each.version.number: each for each in versions}
    for index, annulment in enumerate(statute.version.annuls):
        _check_annulment(annulment, f"version.annuls[{index}]", by_number)


def _check_annulment(annulment: Annulment, place: str, versions: dict[int, Statute]) -> None:
    struck = versions.get(annulment.version)
    if struck is None:
        return  # an older version than those at hand
    known = {part.number for part in all_parts(struck.sections) if isinstance(part, Provision)}
    for index, number in enumerate(annulment.sections):
        if number not in known:
            raise MalformedError(
                f"{place}.sections[{index}]: version {annulment.version} states no rule in "
                f"section {number}"
            )


def governing(versions: Sequence[Statute], at: int) -> Statute:
    """The version in force at `at` (POSIX seconds).

    Raises:
        RefusedError: no version was in force then.
    """
    begun = [each for each in versions if each.version.in_force_from <= at]
    if not begun:
        raise RefusedError(f"no version of the law was in force yet at {format_instant(at)}")
    last = begun[-1]
    if last.version.in_force_to is not None and last.version.in_force_to <= at:
        raise RefusedError(f"the law was no longer in force at {format_instant(at)}")
    return last


def govern(versions: Sequence[Statute], facts: Json, days: Days) -> Governed:
    """What the law says about a facts document, by the version that governs it.

    Raises:
        RefusedError: no version was in force on the day that chooses one.
        MalformedError: facts that do not fit, or the day of the act is needed and not known.
    """
    terms = _terms(governing(versions, days.claim))
    chosen = _chosen(versions, days, terms)
    own = judged(versions, chosen, facts, days.decision)
    rival = _rival(versions, chosen, facts, days.decision)
    taken = own
    if rival is not None and terms.favourable:
        taken = better(own, rival)
    competing = own if rival is not None and taken is rival else rival
    return Governed(
        statute=taken[0],
        judgement=taken[1],
        basis=terms.day if taken is own else FAVOURABLE,
        competing=competing,
        annulled=tuple(
            words
            for each in (chosen, *([rival[0]] if rival else []))
            for words in annulled_words(versions, each, days.decision)
        ),
        left_out=fitting(facts, taken[0], versions)[1],
    )


def _terms(statute: Statute) -> Governs:
    return statute.governs or UNSAID


def _chosen(versions: Sequence[Statute], days: Days, terms: Governs) -> Statute:
    """The version that governs by the terms of the one in force when the claim was filed.

    What was done before the law began is judged by its first version.
    """
    if terms.day != "act":
        return governing(versions, days.claim if terms.day == "claim" else days.decision)
    if days.act is None:
        raise MalformedError(
            f"section {terms.section}: the day of the act chooses the version; it is not known"
        )
    if days.act < versions[0].version.in_force_from:
        return versions[0]
    return governing(versions, days.act)


def _rival(
    versions: Sequence[Statute], chosen: Statute, facts: Json, decision: int
) -> Result | None:
    """The result under the version in force at the decision, if that is another one."""
    try:
        current = governing(versions, decision)
    except RefusedError:
        return None  # the law lapsed; what governs goes on governing what it governed
    return None if current is chosen else judged(versions, current, facts, decision)


def judged(versions: Sequence[Statute], statute: Statute, facts: Json, at: int) -> Result:
    """One of the versions as it is `applied`, and what it makes of a facts document at `at`.

    Raises:
        MalformedError: facts that do not fit.
    """
    law = applied(versions, statute, at)
    document, _ = fitting(facts, statute, versions)
    read = read_facts(document, statute.facts, calendar=statute.calendar)
    return law, evaluate(law, read, at)


def applied(versions: Sequence[Statute], statute: Statute, at: int) -> Statute:
    """A version without what courts struck from it until `at`, POSIX seconds."""
    rules = {p.number for p in all_parts(statute.sections) if isinstance(p, Provision)}
    found = annulments(versions, statute, at)
    return with_struck(
        statute, {number for each in found for number in (each.sections or rules)}
    )


def annulments(versions: Sequence[Statute], statute: Statute, at: int) -> tuple[Annulment, ...]:
    """What courts struck from a version until `at`, as the versions after it say."""
    return tuple(
        each
        for later in versions
        for each in later.version.annuls
        if each.version == statute.version.number and each.from_at <= at
    )


def annulled_words(versions: Sequence[Statute], statute: Statute, at: int) -> tuple[str, ...]:
    """What courts struck from a version until `at`, each strike in English words."""
    return tuple(
        f"version {each.version}, "
        + (f"section {', '.join(each.sections)}" if each.sections else "all sections")
        + f": struck from {format_instant(each.from_at)} by {each.by}"
        for each in annulments(versions, statute, at)
    )


def better(a: Result, b: Result) -> Result:
    """The result that is better for the person; the first, if neither is.

    What favours the person goes before what is still open, and that before a burden; then the
    larger amount (of a burden the smaller), by its most and then by its least, more items, and
    the outcome named earlier.
    """
    return b if worth(*b) > worth(*a) else a


def worth(statute: Statute, judgement: Judgement) -> tuple[int, ...]:
    """How good a result is for the person; the greater of two is the better."""
    if judgement.outcome == UNDETERMINED:
        return (1, 0, 0, _favourable_items(statute, judgement), 0, 0)
    outcome = statute.outcome(judgement.outcome)
    for_person = outcome.favours == "person"
    amount = judgement.amount
    most, least = (0, 0) if amount is None else (amount.most, amount.least)
    order = [each.value for each in (*statute.outcomes, statute.default)]
    return (
        2 if for_person else 0,
        most if for_person else -most,
        least if for_person else -least,
        _favourable_items(statute, judgement),
        0 if judgement.standing == "conditional" else 1,
        -order.index(outcome.value),
    )


def _favourable_items(statute: Statute, judgement: Judgement) -> int:
    favours = {each.value for each in statute.outcomes if each.favours == "person"}
    return sum(item.outcome in favours for item in judgement.items)


def explained(governed: Governed) -> str:
    """In one English sentence, which version governs and why."""
    number = governed.statute.version.number
    if governed.basis == FAVOURABLE:
        return f"version {number}, in force at the decision, is better for the person"
    words = f"version {number} governs, by the day of the {governed.basis}"
    if governed.competing is not None:
        rival, judgement = governed.competing
        words += f"; version {rival.version.number} would say {judgement.outcome}"
    return words


def fitting(
    facts: Json, statute: Statute, versions: Sequence[Statute] = ()
) -> tuple[Json, tuple[str, ...]]:
    """The facts document without what the statute does not know, and the names left out.

    It does not know a fact that it does not declare, nor a word that it does not list for a
    choice. A word that none of the `versions` lists, if any are given, stays in: it is a
    mistake, to be refused when the facts are read.
    """
    if not isinstance(facts, dict):
        return facts, ()
    left_out: list[str] = []
    single, listed = facts.get("facts"), facts.get("lists")
    fitted = dict(facts)
    if isinstance(single, dict):
        fitted["facts"] = _fitting_values(single, "", statute, versions, left_out)
    if isinstance(listed, dict):
        lists = list_names(statute.facts)
        left_out += [name for name in listed if name not in lists]
        fitted["lists"] = {
            name: [
                _fitting_values(item, f"{name}.", statute, versions, left_out) for item in items
            ]
            if isinstance(items, list)
            else items
            for name, items in listed.items()
            if name in lists
        }
    return fitted, tuple(dict.fromkeys(left_out))


def _fitting_values(
    values: Json,
    prefix: str,
    statute: Statute,
    versions: Sequence[Statute],
    left_out: list[str],
) -> Json:
    """The single facts, or those of one item, that the statute knows."""
    if not isinstance(values, dict):
        return values
    unknown = [
        key for key, value in values.items() if _unknown(prefix + key, value, statute, versions)
    ]
    left_out += [prefix + key for key in unknown]
    return {key: value for key, value in values.items() if key not in unknown}


def _unknown(name: str, value: Json, statute: Statute, versions: Sequence[Statute]) -> bool:
    declared = statute.facts.get(name)
    if declared is None:
        return True
    if declared.type != "choice" or not isinstance(value, str):
        return False
    if value in declared.values or value in RESERVED_VALUES:
        return False
    listed = [each.facts[name].values for each in versions if name in each.facts]
    return not listed or any(value in each for each in listed)
