"""The one door to rigour: names found again across scripts, spellings and slips of the pen.

    Владимир Петров   finds   Wladimir Petrow
    Muhammad al-Ahmad finds   محمد الأحمد

A name is taken apart by rigour, which knows how names are written in some hundred languages. An
index in memory maps what a name could be found by (its parts in Latin letters, their sound,
their consonants, the known names that they are forms of, and three letters in a row) to who
bears it. What is rare is looked at first, and no more of it than a fixed number, so that the
work of one search is bounded whatever is asked. The likeliest are then compared part by part
and ranked. It finds people; it says nothing about who they are: two persons may bear one name.

Spec: docs/adr/0033-name-matching.md.
"""

import re
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nlargest
from math import log

from rigour.names import (
    Alignment,
    Name,
    NamePart,
    NameTypeTag,
    align_person_name_order,
    analyze_names,
    compare_parts,
    pair_symbols,
)
from rigour.text.translit import ascii_text

from safeconduct.errors import RefusedError

QUERY_CHARACTERS_MAX = 200
NAME_CHARACTERS_MAX = 400  # of a name that is indexed; the rest of a longer one is left out
HITS_MAX = 1_000
_NAMES_EACH_MAX = 20  # that one person is indexed under
_PARTS_MAX = 16  # of one name that are looked at
_COMPARED_MAX = 60  # names that are compared part by part
_HOLDERS_MAX = 25_000  # entries of the index that one search reads, the rarest keys first
_COMMON_SHARE = 0.2  # a key that more than so many of the names have says nothing
_COMMON_MIN = 1_000
_LIKENESS_MIN = 0.55
_KNOWN_FORM = 0.95  # two parts that are forms of one name, spelt differently
_UNASKED = 0.15  # what a part of the name found counts for, if the query has nothing like it

# Neither is to be seen, and both could make one name look like another.
_INVISIBLE = re.compile(
    "[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
_VOWELS = re.compile("[aeiouy]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Somebody whose name is like the one looked for: `likeness` is 1 for the same name."""

    key: str
    name: str
    likeness: float


def prepare() -> None:
    """Load the known names of the world: some seconds, in which no other thread runs.

    Whoever serves people does it before; else the first name that is looked for waits for it.
    """
    # The library builds its one table of all names when it is first used, inside one call.
    analyze_names(NameTypeTag.PER, ["Ada"], numerics=False)


class NameIndex:
    """An index of names in memory; safe between threads, if only one of them adds."""

    def __init__(self, people: Iterable[tuple[str, Sequence[str]]] = ()) -> None:
        """Index each person's names; `people` yields a key and the names that it has."""
        self._numbers: dict[str, int] = {}
        self._written: list[str] = []
        self._bearers: list[tuple[str, ...]] = []  # of each name, the keys of who bears it
        self._holders: dict[str, array[int]] = defaultdict(lambda: array("I"))
        for key, names in people:
            self.add(key, names)

    def add(self, key: str, names: Sequence[str]) -> None:
        """Index one more person's names, of which a search finds each from now on."""
        for written in list(names)[:_NAMES_EACH_MAX]:
            number = self._number(written)
            if key not in self._bearers[number]:
                self._bearers[number] = (*self._bearers[number], key)

    def _number(self, written: str) -> int:
        known = self._numbers.get(written)
        if known is not None:
            return known
        number = self._numbers[written] = len(self._written)
        self._written.append(written)
        self._bearers.append(())
        for found in set(_keys(_taken_apart(written))):
            self._holders[found].append(number)
        return number

    def search(self, query: str, limit: int = 20) -> list[Hit]:
        """At most `limit` people by the likeness of their names, the likest first.

        Raises:
            RefusedError: the query is longer than 200 characters, or holds no letter.
        """
        best: dict[str, Hit] = {}
        for hit in self.hits(query):
            best.setdefault(hit.key, hit)
        return list(best.values())[:limit]

    def hits(self, query: str) -> list[Hit]:
        """Every name like the one looked for, once for each of its bearers, the likest first.

        At most `HITS_MAX` are given.

        Raises:
            RefusedError: the query is longer than 200 characters, or holds no letter.
        """
        if len(query) > QUERY_CHARACTERS_MAX:
            raise RefusedError(
                f"a name to look for has at most {QUERY_CHARACTERS_MAX} characters"
            )
        asked = _taken_apart(query)
        if not asked:
            raise RefusedError("there is no name to look for", hint="type a part of a name")
        found: list[Hit] = []
        for number in self._candidates(asked):
            written = self._written[number]
            alike = max(
                likeness(one, other) for one in asked for other in _taken_apart(written)
            )
            if alike >= _LIKENESS_MIN:
                alike = round(alike, 3)
                bearers = self._bearers[number]
                found += (Hit(key=key, name=written, likeness=alike) for key in bearers)
        found.sort(key=lambda hit: (-hit.likeness, hit.name, hit.key))
        return found[:HITS_MAX]

    def _candidates(self, asked: Sequence[Name]) -> list[int]:
        """The names that share most with what is asked; what is rare counts for more."""
        count = len(self._written)
        common = max(_COMMON_MIN, int(count * _COMMON_SHARE))
        shared = [(self._holders.get(key, ()), key) for key in set(_keys(asked))]
        weights: dict[int, float] = defaultdict(float)
        left = _HOLDERS_MAX
        for holders, key in sorted(shared, key=lambda each: (len(each[0]), each[1])):
            if not 0 < len(holders) <= common:
                continue
            if len(holders) > left and weights:
                break
            left -= len(holders)
            weight = log(1 + count / len(holders)) * _WEIGHTS[key[0]]
            for number in holders:
                weights[number] += weight
        return nlargest(_COMPARED_MAX, weights, key=weights.__getitem__)


def likeness(asked: Name, found: Name) -> float:
    """How like two names are, from 0 to 1: by known forms first, then by their letters."""
    return max(_paired(asked, found, pairing) for pairing in pair_symbols(asked, found))


def _paired(asked: Name, found: Name, pairing: Sequence[Alignment]) -> float:
    explained, weight = 0.0, 0.0
    used_asked: set[int] = set()
    used_found: set[int] = set()
    for one in pairing:
        share = float(len(one.qps))
        same = one.qstr == one.rstr
        explained += share * (1.0 if same else _KNOWN_FORM)
        weight += share
        used_asked |= {part.index for part in one.qps}
        used_found |= {part.index for part in one.rps}
    left = [part for part in asked.parts if part.index not in used_asked]
    over = [part for part in found.parts if part.index not in used_found]
    for letters, share in _residue(left, over):
        explained += letters * share
        weight += share
    return explained / weight if weight else 0.0


def _residue(left: list[NamePart], over: list[NamePart]) -> Iterator[tuple[float, float]]:
    """Likeness and weight of each group of parts that no known form explains."""
    asked, found = align_person_name_order(left, over) if left and over else (left, over)
    for one in compare_parts(asked, found):
        letters = one.score  # the library's word
        yield letters, float(len(one.qps)) if one.qps else _UNASKED * len(one.rps)


def _taken_apart(written: str) -> list[Name]:
    """The name as it is written and, where that is another script, in Latin letters."""
    clean = _INVISIBLE.sub("", written)[:NAME_CHARACTERS_MAX]
    latin = ascii_text(clean)
    forms = [clean] if latin == clean else [clean, latin]
    found = [
        one for each in forms for one in analyze_names(NameTypeTag.PER, [each], numerics=False)
    ]
    return [one for one in found if 0 < len(one.parts) <= _PARTS_MAX]


def _keys(names: Iterable[Name]) -> Iterator[str]:
    """What a name can be found by; the first letter says which kind of key it is."""
    for name in names:
        yield from (f"k{symbol}" for symbol in name.symbols)
        for part in name.parts:
            letters = part.ascii or part.form
            yield f"l{letters}"
            if part.metaphone:
                yield f"s{part.metaphone}"
            yield f"c{_VOWELS.sub('', letters)}"
            framed = f"^{letters}$"
            yield from (f"t{framed[at : at + 3]}" for at in range(len(framed) - 2))


# What a shared key says: the letters themselves most, three of them in a row least.
_WEIGHTS = {"l": 3.0, "k": 1.0, "s": 1.5, "c": 1.0, "t": 0.5}
