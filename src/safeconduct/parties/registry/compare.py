"""Two versions of the law side by side: each section beside its counterpart, changes marked.

Sections are paired by their numbers, words by the longest run that both have. What the change
means for people is worked out by the statutes themselves, from their own cases.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from safeconduct.parties.registry.show import law_parts
from safeconduct.plumbing.languages import DEFAULT
from safeconduct.protocol.statute.diff import Change, diff
from safeconduct.protocol.statute.text import Statute
from safeconduct.protocol.statute.wording.voice import voice

_WORDS_COMPARED_MAX = 2_000  # of one section; a longer one is shown as replaced


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Some words of a section, and whether the other version has them too."""

    text: str
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One section in both versions; `before` or `after` is empty where it does not exist."""

    number: str
    before: tuple[Run, ...]
    after: tuple[Run, ...]

    @property
    def change(self) -> str:
        """What became of the section: added, removed, reworded, or nothing for the same."""
        if not self.before or not self.after:
            return "removed" if self.before else "added"
        return "reworded" if any(run.changed for run in (*self.before, *self.after)) else ""


def side_by_side(before: Statute, after: Statute, language: str = DEFAULT) -> tuple[Pair, ...]:
    """Every section of either version, in the order of the newer; what was removed last."""
    old = {number: text for number, text, _ in law_parts(before.sections, 0, language)}
    new = {number: text for number, text, _ in law_parts(after.sections, 0, language)}
    return tuple(
        _pair(number, old.get(number, ""), new.get(number, ""))
        for number in (*new, *(number for number in old if number not in new))
    )


def moved(
    before: Statute, after: Statute, language: str = DEFAULT
) -> tuple[tuple[str, str, str], ...]:
    """Each parameter that differs: its name, and what it was and is; empty where it is not."""
    names = dict.fromkeys((*before.parameters, *after.parameters))
    told = (
        (name, worth(before, name, language), worth(after, name, language)) for name in names
    )
    return tuple(one for one in told if one[1] != one[2])


def changes(before: Statute, after: Statute) -> tuple[tuple[str, str], ...]:
    """Everything that changes, in words, each with what it is about where it does not say."""
    return tuple((_place(change), change.text) for change in diff(before, after))


def _place(change: Change) -> str:
    """What a change is about, such as `Parameter appeal period`; empty where its text says."""
    if change.kind in ("version", "section"):
        return ""
    names = change.place.replace("_", " ").split(".")
    first = "" if names[0].startswith(change.kind) else f"{names[0]} "
    return f"{change.kind.capitalize()}, {first}{' '.join(names[1:])}".rstrip(", ")


def worth(statute: Statute, name: str, language: str = DEFAULT) -> str:
    """What a parameter of the law is set to, as the law writes it; empty for none."""
    parameter = statute.parameters.get(name)
    if parameter is None:
        return ""
    written = getattr(parameter, "written", None)
    if isinstance(written, tuple):
        return " – ".join(written)
    if written is not None:
        return str(written)
    duration = getattr(parameter, "duration", None)
    if duration is not None:
        return voice(statute, language).duration(duration)
    values = getattr(parameter, "values", None)
    return ", ".join(values) if values is not None else str(getattr(parameter, "value", ""))


def _pair(number: str, old: str, new: str) -> Pair:
    before, after = old.split(), new.split()
    if max(len(before), len(after)) > _WORDS_COMPARED_MAX:
        same = before == after
        return Pair(
            number=number,
            before=(Run(text=old, changed=not same),),
            after=(Run(text=new, changed=not same),),
        )
    matcher = SequenceMatcher(a=before, b=after, autojunk=False)
    steps = matcher.get_opcodes()
    return Pair(
        number=number,
        before=tuple(_runs(before, ((step[0], step[1], step[2]) for step in steps))),
        after=tuple(_runs(after, ((step[0], step[3], step[4]) for step in steps))),
    )


def _runs(words: Sequence[str], steps: Iterator[tuple[str, int, int]]) -> Iterator[Run]:
    for kind, start, end in steps:
        if start < end:
            yield Run(text=" ".join(words[start:end]), changed=kind != "equal")
