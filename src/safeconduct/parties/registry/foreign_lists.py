"""Lists of other bodies: the persons in them, and every fault with its line.

    ftm    FollowTheMoney: a JSON object a line, entities (Person, Organization, LegalEntity,
           Company, PublicBody; Sanction) or statements (canonical_id, schema, prop, value)
    csv    UTF-8, a line of column names: subject, name, and any of ground, role, conduct, harm,
           time_since, weight, identity, evidence, birth_date, since

Nothing here knows the register: what a list would change in it is worked out in `importing`.

Spec: docs/3-protocol.md §16.3; FollowTheMoney 4.
"""

import csv
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from safeconduct.errors import MalformedError, SafeconductError
from safeconduct.plumbing.durable import naming
from safeconduct.protocol.listing import ASSESSMENT_FIELDS
from safeconduct.protocol.listing.dossier import check_name, check_subject

LINE_BYTES_MAX = 256 << 10
ROWS_MAX = 2_000_000
FAULTS_MAX = 1_000
PARENTS_MAX = 64  # how far up a chain of parents is followed

_DATE = re.compile(r"([0-9]{4})(-[0-9]{2}(-[0-9]{2})?)?")
_COLUMNS = frozenset({"birth_date", "evidence", "identity", "name", "since", "subject"})
_PERSONS = frozenset({"Company", "LegalEntity", "Organization", "Person", "PublicBody"})
_STATEMENT = frozenset({"canonical_id", "prop", "schema", "value"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One person of the list, and the line that they begin on."""

    line: int
    subject: str
    name: str
    assessment: Mapping[str, str]
    identity: str = ""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with a line, in words."""

    line: int
    message: str


@dataclass(slots=True)
class Read:
    """Rows and faults of a list, as they are found."""

    rows: list[Row] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, line: int, message: str) -> None:
        """Note what is wrong with a line."""
        self.faults.append(Fault(line=line, message=message))


def read_rows(path: Path, form: str) -> Read:
    """Every person in a list, and every fault with its line.

    Raises:
        UnavailableError: the file cannot be read.
    """
    read = Read()
    with naming(path), open(path, "rb") as file:
        FORMATS[form](_lines(iter(lambda: file.readline(LINE_BYTES_MAX + 1), b""), read), read)
    seen: dict[str, int] = {}
    kept: list[Row] = []
    for row in read.rows:
        first = seen.setdefault(row.subject, row.line)
        if first != row.line:
            read.fault(row.line, f"{row.subject} stands in line {first} already")
            continue
        kept.append(row)
    read.rows = kept
    return read


def _lines(pieces: Iterator[bytes], read: Read) -> Iterator[tuple[int, str]]:
    """Number and text of each line; one that is too long, or no text, is a fault."""
    number, long = 0, False
    for piece in pieces:
        continued, long = long, not piece.endswith(b"\n") and len(piece) > LINE_BYTES_MAX
        if continued:
            continue
        number += 1
        if number > ROWS_MAX:
            read.fault(number, f"a list has at most {ROWS_MAX} lines")
            return
        if len(read.faults) >= FAULTS_MAX:
            return
        if long:
            read.fault(number, f"longer than {LINE_BYTES_MAX} bytes")
            continue
        try:
            yield number, piece.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            read.fault(number, f"not UTF-8 at byte {error.start}")


# CSV.


def _read_csv(lines: Iterable[tuple[int, str]], read: Read) -> None:
    numbers: list[int] = [0]

    def texts() -> Iterator[str]:
        for number, text in lines:
            numbers[0] = number
            yield text

    reader = csv.reader(texts(), strict=True)
    columns: list[str] = []
    while True:
        begins = numbers[0] + 1
        try:
            cells = next(reader)
            if not columns:
                columns = _columns(cells)
            elif cells:
                read.rows.append(_csv_row(begins, columns, cells))
        except StopIteration:
            return
        except (csv.Error, MalformedError) as error:
            read.fault(begins, _told(error))
            if not columns:
                return


def _told(error: Exception) -> str:
    return error.message if isinstance(error, SafeconductError) else f"not CSV: {error}"


def _columns(cells: list[str]) -> list[str]:
    unknown = sorted(set(cells) - _COLUMNS - ASSESSMENT_FIELDS)
    if unknown or len(set(cells)) != len(cells) or not {"subject", "name"} <= set(cells):
        known = ", ".join(sorted(_COLUMNS | ASSESSMENT_FIELDS))
        raise MalformedError(
            f"the first line names the columns, each once: subject, name, and any of {known}"
        )
    return cells


def _csv_row(line: int, columns: list[str], cells: list[str]) -> Row:
    if len(cells) != len(columns):
        raise MalformedError(f"{len(cells)} cells where there are {len(columns)} columns")
    given = {name: cell.strip() for name, cell in zip(columns, cells, strict=True)}
    evidence = [given.get("evidence", "")]
    for name, words in (("birth_date", "born"), ("since", "on that list since")):
        if given.get(name):
            evidence.append(f"{words} {_check_date(given[name], name)}")
    return Row(
        line=line,
        subject=check_subject(given["subject"]),
        name=check_name(given["name"]),
        assessment={name: given[name] for name in ASSESSMENT_FIELDS if given.get(name)},
        identity=given.get("identity", ""),
        evidence=tuple(each for each in evidence if each),
    )


def _check_date(text: str, what: str) -> str:
    """A year, month or day that there is."""
    found = _DATE.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        date.fromisoformat(f"{text}-01-01"[:10] if len(text) < 10 else text)
    except ValueError:
        raise MalformedError(
            f"{what}: {text[:40]!a} is no date such as 1970, 1970-01 or 1970-01-31"
        ) from None
    return text


# FollowTheMoney.


@dataclass(slots=True)
class _Entity:
    """An entity as its lines make it."""

    line: int
    schema: str
    properties: dict[str, list[str]] = field(default_factory=dict)


def _read_ftm(lines: Iterable[tuple[int, str]], read: Read) -> None:
    entities: dict[str, _Entity] = {}
    for number, text in lines:
        if not text.strip():
            continue
        try:
            _take_line(number, text, entities)
        except MalformedError as error:
            read.fault(number, error.message)
    sanctions: dict[str, list[_Entity]] = {}
    for one in entities.values():
        if one.schema == "Sanction":
            _take_sanction(one, entities, sanctions, read)
    for id_, one in entities.items():
        if one.schema in _PERSONS:
            try:
                _check_parents(id_, entities)
                read.rows.append(_ftm_row(id_, one, sanctions.get(id_, [])))
            except MalformedError as error:
                read.fault(one.line, error.message)


def _take_line(line: int, text: str, entities: dict[str, _Entity]) -> None:
    try:
        value: Any = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"not JSON: {str(error)[:80]}") from error
    if not isinstance(value, dict):
        raise MalformedError("not an object")
    if value.keys() >= _STATEMENT:
        id_, schema, name, said = (
            _word(value[key], key) for key in ("canonical_id", "schema", "prop", "value")
        )
        entity = entities.setdefault(id_, _Entity(line=line, schema=schema))
        if name != "id":
            entity.properties.setdefault(name, []).append(said)
        return
    id_, schema = _word(value.get("id"), "id"), _word(value.get("schema"), "schema")
    if id_ in entities:
        first = entities[id_].line
        raise MalformedError(f"entity {id_[:60]!a} stands in line {first} already")
    properties = value.get("properties")
    if not isinstance(properties, dict):
        raise MalformedError("properties must be an object")
    entities[id_] = _Entity(
        line=line,
        schema=schema,
        properties={name: _values(each, name) for name, each in properties.items()},
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a key stands twice")
    return table


def _word(value: object, what: str) -> str:
    if not isinstance(value, str) or not value:
        raise MalformedError(f"{what} must be a text")
    return value


def _values(value: object, name: str) -> list[str]:
    values = value if isinstance(value, list) else [value]
    # An entity may stand inside another one; then its id is what counts.
    return [
        _word(each.get("id") if isinstance(each, dict) else each, f"property {name}")
        for each in values
    ]


def _take_sanction(
    one: _Entity,
    entities: Mapping[str, _Entity],
    sanctions: dict[str, list[_Entity]],
    read: Read,
) -> None:
    about = one.properties.get("entity", [])
    if not about:
        read.fault(one.line, "a sanction against nobody: it has no property entity")
    for id_ in about:
        if id_ not in entities:
            read.fault(one.line, f"a sanction against {id_[:60]!a}, who is not in the list")
        elif entities[id_].schema not in _PERSONS:
            read.fault(one.line, f"a sanction against {id_[:60]!a}, which is no person")
        else:
            sanctions.setdefault(id_, []).append(one)


def _check_parents(id_: str, entities: Mapping[str, _Entity]) -> None:
    """No entity may be above itself: such a list was made by a broken program."""
    seen, above = {id_}, entities[id_].properties.get("parent", [])[:1]
    for _ in range(PARENTS_MAX):
        if not above or above[0] not in entities:
            return
        if above[0] in seen:
            raise MalformedError(f"{id_[:60]!a} is above itself, by its parents")
        seen.add(above[0])
        above = entities[above[0]].properties.get("parent", [])[:1]
    raise MalformedError(f"{id_[:60]!a} has more than {PARENTS_MAX} parents")


def _ftm_row(id_: str, one: _Entity, sanctions: list[_Entity]) -> Row:
    names = one.properties.get("name", [])
    if not names:
        raise MalformedError("has no property name")
    evidence = [f"FollowTheMoney entity {ascii(id_[:100])[1:-1]}"]
    evidence += [f"born {_check_date(each, 'birthDate')}" for each in _of(one, "birthDate")]
    for sanction in sanctions:
        for name in ("startDate", "endDate", "listingDate"):
            evidence += [
                f"{name} there: {_check_date(each, name)}" for each in _of(sanction, name)
            ]
        evidence += [f"listed by {each}" for each in _of(sanction, "authority")]
    assessment = {
        "ground": "; ".join(_all(sanctions, "provisions", "program")),
        "conduct": "; ".join(_all(sanctions, "reason")),
    }
    return Row(
        line=one.line,
        subject=subject_of(id_),
        name=check_name(names[0]),
        assessment={name: text for name, text in assessment.items() if text},
        evidence=tuple(dict.fromkeys(evidence)),
    )


def subject_of(id_: str) -> str:
    """The register number of somebody else's id: the same each time, and it says nothing."""
    # JSON can spell half a character, which no UTF-8 can; as an id it is as good as any.
    return f"x-{hashlib.sha256(id_.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def _of(entity: _Entity, name: str) -> list[str]:
    """At most five values, each as one line."""
    return [" ".join(each.split()) for each in entity.properties.get(name, [])[:5]]


def _all(entities: list[_Entity], *names: str) -> list[str]:
    found = [each for entity in entities for name in names for each in _of(entity, name)]
    return list(dict.fromkeys(found))


FORMATS: dict[str, Callable[[Iterable[tuple[int, str]], Read], None]] = {
    "csv": _read_csv,
    "ftm": _read_ftm,
}
"""The forms a list may have, each with its reader."""
