"""What the register's pages say in the visitor's language, and the words of its records.

Records, events and laws call things by short words that never change: `registered`, `weight`,
`time_since`. Those that every register has are told in the page's language; what only a law
knows is told as it stands.
"""

from safeconduct.plumbing import tongues
from safeconduct.plumbing.languages import DEFAULT, marked
from safeconduct.plumbing.tongues import Speak

PACKAGE = "safeconduct.parties.registry"
_WORDS = {
    # Where somebody stands, and why a listing ended.
    "registered": marked("registered"),
    "ended": marked("ended"),
    "acquitted": marked("acquitted"),
    "registration stands": marked("registration stands"),
    "dropped": marked("dropped"),
    "expired": marked("expired"),
    "quashed": marked("quashed"),
    "replaced": marked("replaced"),
    "withdrawn": marked("withdrawn"),
    # The fields of a file.
    "name": marked("name"),
    "ground": marked("ground"),
    "role": marked("role"),
    "conduct": marked("conduct"),
    "harm": marked("harm"),
    "time since": marked("time since"),
    "weight": marked("weight"),
    # Effects.
    "no public office": marked("no public office"),
    "no public contract": marked("no public contract"),
    # The grounds of an appeal, as a choice in a form.
    "fact": marked("fact"),
    "identity": marked("identity"),
    "legal": marked("legal"),
    "procedure": marked("procedure"),
    "proportionality": marked("proportionality"),
    # Duties, and who owes them.
    "notice": marked("notice"),
    "decision": marked("decision"),
    "appeal": marked("appeal"),
    "review": marked("review"),
    "end": marked("end"),
    "registry": marked("registry"),
    "board": marked("board"),
    "panel": marked("panel"),
    # What becomes of a law, a section, a case.
    "in force": marked("in force"),
    "not in force yet": marked("not in force yet"),
    "no longer in force": marked("no longer in force"),
    "added": marked("added"),
    "removed": marked("removed"),
    "reworded": marked("reworded"),
    "better": marked("better"),
    "worse": marked("worse"),
    "other": marked("other"),
}

ERRORS_TOLD = (
    marked("there is no name to look for"),
    marked("the reply says nothing"),
    marked("the appeal says nothing"),
    marked("the reply holds characters that cannot be shown"),
    marked("the appeal holds characters that cannot be shown"),
    marked("there is no decision to appeal yet"),
    marked("the appeal period is over"),
    marked("this address takes another method"),
    marked("the register has no such page"),
    marked("no decision with this hash was published"),
    marked("there is no case at this address"),
)
"""Errors of visitors that are raised elsewhere, as they stand there; others are told in English
below a sentence in the page's language."""


def speaks(language: str) -> Speak:
    """`_("…")` for sentences that stand in code."""
    return tongues.speaks(PACKAGE, language)


def word(name: str, language: str = DEFAULT) -> str:
    """What a record's word is called in a language; one that only a law knows, as it stands."""
    plain = name.replace("_", " ")
    return speaks(language)(_WORDS[plain]) if plain in _WORDS else plain


def titled(name: str, language: str = DEFAULT) -> str:
    """The same with a capital at its beginning."""
    told = word(name, language)
    return told[:1].upper() + told[1:]


def is_word(name: str) -> bool:
    """Whether the word is one that every register has."""
    return name.replace("_", " ") in _WORDS
