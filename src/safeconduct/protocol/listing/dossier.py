"""The file about one person, before anybody is listed.

    shown      what is published with the listing, and a commitment to the private part
    private    what only the body and the person see: evidence, identity, who proposed it

It is what the notice tells, what the reply answers, what the decision is about: the hash of the
shown part stands in notice and decision. A file may be proposed while it is incomplete, and is
told to the person only once it says something about this one person.

Spec: docs/3-protocol.md §16.1.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.protocol.canonical import Json, format_json, parse_hex, parse_json, tagged_hash
from safeconduct.protocol.statute.explain import LETTER_LANGUAGES

DOSSIER_BYTES_MAX = 256 << 10
SALT_BYTES = 16
NAME_CHARACTERS_MAX = 300
TEXT_CHARACTERS_MAX = 4_000
ITEMS_MAX = 50
DEFAULT_LANGUAGE = "en"
# Nobody is listed without an individual assessment: each of these must say something.
ASSESSMENT_FIELDS = frozenset({"conduct", "ground", "harm", "role", "time_since", "weight"})

_SHOWN_FIELDS = frozenset(
    {"assessment", "effects", "name", "private", "salt", "statute", "subject"}
)
_PRIVATE_FIELDS = frozenset({"evidence", "identity", "proposer", "salt", "source"})
_SUBJECT = re.compile(r"[a-z0-9][a-z0-9._/-]{0,99}")
_HIDDEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"  # Persian and Indian names are written with them
_ALIKE = frozenset({"LATIN", "GREEK", "CYRILLIC"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """The file about one person. What is private stays between the body and that person.

    `listing` is its hash: it stands in the notice and in the decision, so that nobody can be
    heard on one file and listed on another.
    """

    subject: str
    name: str
    statute: bytes  # SHA-256 of the law it is made under
    assessment: Mapping[str, str]
    effects: tuple[str, ...]
    salt: bytes
    identity: str  # private: what shows that this person is the one meant
    evidence: tuple[str, ...]  # private: what the assessment rests on
    proposer: str  # private
    source: str  # private: whom the data came from; empty if from the person
    private_salt: bytes
    language: str = DEFAULT_LANGUAGE  # private: in which this person is written to

    @property
    def shown(self) -> dict[str, Json]:
        """The part that is published with the listing, with a commitment to the rest."""
        return self._shown(format_json(self.private))

    def _shown(self, private: bytes) -> dict[str, Json]:
        return {
            "assessment": dict(self.assessment),
            "effects": list(self.effects),
            "name": self.name,
            "private": tagged_hash("listing-private", private).hex(),
            "salt": self.salt.hex(),
            "statute": self.statute.hex(),
            "subject": self.subject,
        }

    @property
    def private(self) -> dict[str, Json]:
        """The part that only the body and the person see."""
        told = {} if self.language == DEFAULT_LANGUAGE else {"language": self.language}
        return {
            "evidence": list(self.evidence),
            "identity": self.identity,
            **told,
            "proposer": self.proposer,
            "salt": self.private_salt.hex(),
            "source": self.source,
        }

    @property
    def listing(self) -> bytes:
        """SHA-256 of the part that is shown: what notice and decision name."""
        return hashlib.sha256(format_json(self.shown)).digest()


def format_dossier(dossier: Dossier) -> bytes:
    """Canonical JSON `{"private": …, "shown": …}`."""
    # Put together by hand: the private part is needed by itself as well, for its commitment.
    private = format_json(dossier.private)
    shown = format_json(dossier._shown(private))
    return b'{"private":' + private + b',"shown":' + shown + b"}"


def parse_dossier(data: bytes) -> Dossier:
    """The file in `data`; it may still be incomplete.

    Raises:
        MalformedError: not a file's canonical form, a text that cannot be shown or is too long,
            a name that deceives the eye, or parts that do not belong together.
    """
    value = parse_json(data, "file", bytes_max=DOSSIER_BYTES_MAX)
    if not isinstance(value, dict) or value.keys() != {"private", "shown"}:
        raise MalformedError("file: needs exactly private and shown")
    shown = _exactly(value["shown"], _SHOWN_FIELDS, "file")
    private = _private(value["private"])
    assessment = shown["assessment"]
    if not isinstance(assessment, dict) or not assessment.keys() <= ASSESSMENT_FIELDS:
        raise MalformedError(f"file: the assessment speaks of {_fields_told()}")
    dossier = Dossier(
        subject=_text(shown["subject"], "subject"),
        name=_text(shown["name"], "name"),
        statute=parse_hex(_text(shown["statute"], "statute"), 32, "file, statute"),
        assessment={name: _text(text, name) for name, text in assessment.items()},
        effects=_texts(shown["effects"], "effects"),
        salt=parse_hex(_text(shown["salt"], "salt"), SALT_BYTES, "file, salt"),
        identity=_text(private["identity"], "identity"),
        evidence=_texts(private["evidence"], "evidence"),
        proposer=_text(private["proposer"], "proposer"),
        source=_text(private["source"], "source"),
        private_salt=parse_hex(_text(private["salt"], "salt"), SALT_BYTES, "file, salt"),
        language=_text(private.get("language", DEFAULT_LANGUAGE), "language"),
    )
    check_texts(dossier)
    if dossier.shown != shown:
        raise MalformedError("file: the private part is not the one that the shown part names")
    return dossier


def _private(value: Json) -> dict[str, Json]:
    """The private part's fields; a language is named only if it is not the usual one."""
    told = isinstance(value, dict) and "language" in value
    fields = _PRIVATE_FIELDS | {"language"} if told else _PRIVATE_FIELDS
    return _exactly(value, fields, "file, private part")


def check_texts(dossier: Dossier) -> None:
    """Return if every text of the file can be shown, and is short enough.

    Raises:
        MalformedError: one is not; or too many, or a name that deceives the eye.
    """
    check_subject(dossier.subject)
    check_name(dossier.name)
    for what, texts in (("effects", dossier.effects), ("evidence", dossier.evidence)):
        if len(texts) > ITEMS_MAX:
            raise MalformedError(f"file: {what} must be a list of at most {ITEMS_MAX}")
        for text in texts:
            _check_text(text, what)
    for what, text in dossier.assessment.items():
        _check_text(text, what)
    for what in ("identity", "proposer", "source"):
        _check_text(getattr(dossier, what), what)
    if dossier.language not in LETTER_LANGUAGES:
        languages = ", ".join(sorted(LETTER_LANGUAGES))
        raise MalformedError(f"file: language is one of: {languages}")


def check_dossier(dossier: Dossier) -> None:
    """Return if the file speaks of one person.

    A file that only says to which group somebody belonged can never become a listing: each
    field must say something, and no two of them the same.

    Raises:
        RefusedError: it does not; says what is missing.
    """
    texts = {name: dossier.assessment.get(name, "") for name in sorted(ASSESSMENT_FIELDS)}
    missing = [name for name, text in texts.items() if not text.strip()]
    if not dossier.identity.strip():
        missing.append("identity")
    if missing:
        raise RefusedError(
            f"the file about {dossier.subject} does not say: {', '.join(missing)}",
            hint="nobody is listed for belonging to a group; each field speaks of this person",
        )
    said: dict[str, str] = {}
    for name, text in texts.items():
        first = said.setdefault(" ".join(text.split()).casefold(), name)
        if first != name:
            raise RefusedError(
                f"the file about {dossier.subject} says the same of {first} and {name}",
                hint="a formula is no individual assessment",
            )


def check_subject(subject: str) -> str:
    """A register number, as given.

    Raises:
        MalformedError: not a word such as `r-0002`.
    """
    if not _SUBJECT.fullmatch(subject):
        raise MalformedError(
            f"subject: {_quoted(subject)} is no register number such as r-0002"
        )
    return subject


def check_name(name: str) -> str:
    """A name as it may stand in a register, as given.

    Raises:
        MalformedError: empty, too long, not in Unicode's composed form (NFC),
            with characters that show nothing or turn the line round, or with a word that mixes
            letters of Latin, Greek and Cyrillic, which look alike.
    """
    if not name.strip():
        raise MalformedError("name: says nothing")
    if len(name) > NAME_CHARACTERS_MAX:
        raise MalformedError(f"name: longer than {NAME_CHARACTERS_MAX} characters")
    if name.isascii() and name.isprintable():
        return name
    for place, character in enumerate(name, 1):
        hidden = unicodedata.category(character) in _HIDDEN and character not in _JOINERS
        if hidden or (character.isspace() and character != " "):
            raise MalformedError(
                f"name: character {place} is U+{ord(character):04X}, which cannot be seen"
            )
    if not unicodedata.is_normalized("NFC", name):
        raise MalformedError("name: not in Unicode's composed form (NFC)")
    for word in name.split():
        scripts = {_script(character) for character in word} & _ALIKE
        if len(scripts) > 1:
            mixed = " and ".join(sorted(script.capitalize() for script in scripts))
            raise MalformedError(f"name: {_quoted(word)} mixes letters of {mixed}")
    return name


def _script(character: str) -> str:
    return unicodedata.name(character, "").partition(" ")[0] if character.isalpha() else ""


def _quoted(text: str) -> str:
    """At most 40 characters of a stranger's text, with what cannot be seen spelt out."""
    return ascii(text[:40]) if not text[:40].isprintable() else repr(text[:40])


def _fields_told() -> str:
    return ", ".join(sorted(ASSESSMENT_FIELDS))


def _exactly(value: Json, fields: frozenset[str], what: str) -> dict[str, Json]:
    if not isinstance(value, dict) or value.keys() != fields:
        raise MalformedError(f"{what}: needs exactly {', '.join(sorted(fields))}")
    return value


def _texts(value: Json, what: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise MalformedError(f"file: {what} must be a list of texts")
    return tuple(_text(each, what) for each in value)


def _text(value: Json, what: str) -> str:
    if not isinstance(value, str):
        raise MalformedError(f"file: {what} must be text")
    return value


def _check_text(text: str, what: str) -> None:
    if len(text) > TEXT_CHARACTERS_MAX:
        raise MalformedError(f"file: {what} is longer than {TEXT_CHARACTERS_MAX} characters")
    if not text.isprintable() and not all(one.isprintable() or one in _JOINERS for one in text):
        raise MalformedError(f"file: {what} holds characters that cannot be shown")
