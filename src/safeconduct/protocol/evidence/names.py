"""Names of speakers: how a text writes them, and whether two of them mean one person.

Heuristics over Latin, Greek and Cyrillic capitals, deliberately cautious: a surname that two
full names share stays a surname, and what cannot be told apart is `unsure`.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Literal

Judgement = Literal["same", "different", "unsure"]


def _words(table: str) -> frozenset[str]:
    return frozenset(table.split())


_UPPER = "A-ZÀ-ÖØ-ÞĀ-ŽΑ-ΩЀ-Я"
_PARTICLES = _words(
    """
    de del della di da dos van von der den ter la le bin ibn al el ben of
    """
)
_PARTICLE = f"(?:{'|'.join(sorted(_PARTICLES))})"
_CAPITAL_WORD = rf"[{_UPPER}]\w*(?:[-’'](?!s\b)\w+)*"
_INITIAL = rf"[{_UPPER}]\."
_STOP = (
    "that|which|who|whom|whose|when|where|while|and|or|but|is|are|was|were|be|been|has|have|"
    "had|he|she|it|they|we|i|you|because|if|as|in|on|at|by|from|with|to|not|will|would|could|"
    "can|may|might|should|did|does|do|than|then|so|yesterday|today|tomorrow|also|"
    "against|between|under|over|after|before|since|until|about|into|through"
)

PERSON = rf"{_CAPITAL_WORD}(?: (?:{_PARTICLE} ){{0,2}}(?:{_INITIAL}|{_CAPITAL_WORD})){{0,5}}"
_ROLE_WORD = rf"(?!(?i:{_STOP})\b)[\w’'-]{{1,30}}"
_ARTICLE = "(?:[Tt]he|[Aa]n?|[Hh]is|[Hh]er|[Tt]heir|[Ii]ts|[Oo]ne|[Aa]nother)"
ROLE = rf"{_ARTICLE} {_ROLE_WORD}(?: {_ROLE_WORD}){{0,7}}"
ROLE_LAZY = ROLE + "?"
PRONOUNS: Mapping[str, str] = {
    "he": "he", "him": "he", "she": "she", "her": "she",
    "they": "they", "them": "they", "it": "it",
}  # fmt: skip

# Words that open a sentence with a capital, or stand before a name, and are no part of it.
_NO_NAME = _words(
    """
    but and or when while in on at as the a an if however according since after before
    although though meanwhile then yet so for from with by to i we he she they it his
    her their its this that these those what why how who there here not no yes now later
    asked monday tuesday wednesday thursday friday saturday sunday january february
    march april may june july august september october november december
    """
)
_TITLES = _words(
    """
    mr mrs ms miss dr prof professor sir dame lord lady president minister senator
    captain general colonel major lieutenant judge justice mayor deputy master inspector
    director chief head chairman chairwoman secretary spokesman spokeswoman spokesperson
    officer commissioner ambassador councillor governor prosecutor king queen prince
    princess mp mep chancellor
    """
)
_ORGANISATIONS = _words(
    """
    ministry union kingdom congress duma state states corps legion region federation
    council party company bank university government parliament authority agency
    commission office board court army police news press service department committee
    league republic city harbour port kremlin
    """
)
_HE_TITLES = {"mr": "he", "sir": "he", "mrs": "she", "ms": "she", "miss": "she", "dame": "she"}


def clean_name(written: str) -> str:
    """`written` without the words before a name: articles, sentence openers, titles.

    A title alone is all there is to say and stays: "the Harbour Inspector" gives
    "Harbour Inspector".
    """
    words = written.split()
    while len(words) > 1 and _bare(words[0]) in _NO_NAME:
        words = words[1:]
    title_ends = [place for place, word in enumerate(words) if _bare(word) in _TITLES]
    if title_ends and title_ends[-1] + 1 < len(words):
        rest = words[title_ends[-1] + 1 :]
        words = rest if rest[0][:1].isupper() else words
    return " ".join(_name_after_role(words))


def _name_after_role(words: list[str]) -> list[str]:
    """The name in "deputy harbour master Anton Weller": two capitals after a small word."""
    place = len(words)
    while place and words[place - 1][:1].isupper():
        place -= 1
    after_role = 0 < place <= len(words) - 2 and words[place - 1] not in _PARTICLES
    return words[place:] if after_role else words


def is_person(name: str) -> bool:
    """Whether `name` reads as a person's: 2 to 5 words, none of them an organisation's."""
    words = name.split()
    shouted = any(word.isupper() and len(word) > 2 for word in words)
    return 2 <= len(words) <= 5 and not shouted and not is_body(name) and "of" not in words


def is_body(name: str) -> bool:
    """Whether `name` reads as an organisation's, and not as that of one who speaks for it."""
    words = {_bare(word) for word in name.split()}
    return bool(_ORGANISATIONS & words) and not _TITLES & words


def pronoun_of(written: str) -> str:
    """`he` or `she` where a form of address tells, else empty."""
    return _HE_TITLES.get(_bare(written.split(" ", 1)[0]), "")


def full_names(text: str) -> dict[str, str]:
    """Surname to the one full name that `text` gives it; one of several people is absent."""
    found: dict[str, set[str]] = {}
    for match in re.finditer(rf"(?<!\w){PERSON}", text):
        name = clean_name(match.group().split(" of ", 1)[0])
        if is_person(name):
            found.setdefault(name.rsplit(" ", 1)[-1], set()).add(name)
    chosen = {surname: _shortest_if_suffix(names) for surname, names in found.items()}
    return {surname: name for surname, name in chosen.items() if name}


def _shortest_if_suffix(names: set[str]) -> str:
    shortest = min(names, key=lambda name: (len(name), name))
    return shortest if all(name.endswith(shortest) for name in names) else ""


def same_speaker(name_a: str, name_b: str) -> Judgement:
    """Whether two names mean one speaker, as far as names alone can tell.

    `same` says that the names are the same name, not that no two people bear it. A surname
    alone, an initial, a middle name, another spelling by up to two letters, or a role beside a
    name is `unsure`.
    """
    a, b = normal_name(name_a), normal_name(name_b)
    if not a or not b:
        return "unsure"
    if a == b:
        return "same"
    if _is_role(name_a) or _is_role(name_b):
        return "different" if _are_bodies(a, b) else "unsure"
    if _fits(a, b) or _fits(b, a) or sorted(a) == sorted(b):
        return "unsure"
    return "different"


def normal_name(name: str) -> tuple[str, ...]:
    """The words of a name without accents, case, titles and punctuation; "B, A" becomes A B."""
    surname, comma, rest = name.partition(",")
    ordered = f"{rest} {surname}" if comma and rest.strip() else name
    plain = unicodedata.normalize("NFKD", ordered).casefold()
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    words = [word for word in re.split(r"[\W_]+", plain) if word]
    while len(words) > 1 and words[0] in ("the", "a", "an"):
        words = words[1:]
    named = [word for word in words if word not in _TITLES]
    return tuple(named if named and not _is_role(name) else words)


def _is_role(name: str) -> bool:
    words = [_bare(word) for word in clean_name(name).split()]
    return bool(_ORGANISATIONS.union(_TITLES).intersection(words)) or name[:1].islower()


def _are_bodies(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    """Whether one is a body and the other plainly a person or another body."""
    bodies = [bool(_ORGANISATIONS.intersection(words)) for words in (a, b)]
    titled = [bool(_TITLES.intersection(words)) for words in (a, b)]
    return any(bodies) and not any(titled)


def _fits(short: tuple[str, ...], long: tuple[str, ...]) -> bool:
    """Whether `short` may be `long` abbreviated or spelt otherwise."""
    if len(short) > len(long) or not _near(short[-1], long[-1]):
        return False
    given = short[:-1]
    return not given or _near(given[0], long[0]) or _is_initial(given[0], long[0])


def _is_initial(a: str, b: str) -> bool:
    return min(len(a), len(b)) == 1 and a[0] == b[0]


def _near(a: str, b: str) -> bool:
    """Equal, or within two edits where both have at least five letters."""
    if a == b:
        return True
    if min(len(a), len(b)) < 5 or abs(len(a) - len(b)) > 2 or max(len(a), len(b)) > 40:
        return False
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        above, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (letter != other))
    return row[-1] <= 2


def _bare(word: str) -> str:
    return word.strip(".,’'").casefold()
