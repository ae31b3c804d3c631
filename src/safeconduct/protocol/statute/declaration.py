"""The facts a law asks for: the type of each, who may assert it, and what a doubt means.

    tips.grade: {type: choice, values: [useful, worthless], asserted_by: assessor,
                 standard: reasoned_assessment, unknown_at_end: wait, label: {en: grade}}
    service.during: {type: span, proof: capture, …}
    disclosed_fully: {type: yesno, question: {en: Did the person tell all they knew?}, …}

A name with a dot is a field of a list: `tips.grade` is asked of every tip. With `shown: false`
the letter keeps a fact's value to itself, such as what is on file about other applicants.
"""

from collections.abc import Mapping

from safeconduct.protocol.canonical import Json
from safeconduct.protocol.statute.condition import AS_OF
from safeconduct.protocol.statute.facts import (
    RESERVED_VALUES,
    TYPES,
    UNKNOWN_AT_END,
    Declaration,
)
from safeconduct.protocol.statute.shape import (
    as_choice,
    as_list,
    as_map,
    as_name,
    as_words,
    as_yesno,
    inside,
    refuse,
    unique,
)
from safeconduct.protocol.statute.text import Parameter

VALUES_MAX = 50
PROOFS = frozenset({"log", "capture", "finding"})
_TIMED = frozenset({"time", "span"})


def read_declaration(value: Json, place: str, name: str) -> Declaration:
    """The declaration of the fact called `name`.

    Raises:
        MalformedError: any fault; names the place.
    """
    for part in name.split(".", 1):
        as_name(part, place)
    required = ("type", "asserted_by", "standard", "unknown_at_end", "label")
    optional = ("values", "proof", "confidential", "question", "shown")
    table = as_map(value, place, required, optional)
    kind = as_choice(table["type"], inside(place, "type"), TYPES)
    if ("values" in table) != (kind == "choice"):
        refuse(inside(place, "values"), "stands with type choice, and only there")
    if ("proof" in table) != (kind in _TIMED):
        refuse(inside(place, "proof"), "stands with type time or span, and only there")
    asked = table.get("question")
    return Declaration(
        name=name,
        type=kind,
        asserted_by=as_name(table["asserted_by"], inside(place, "asserted_by")),
        standard=as_name(table["standard"], inside(place, "standard")),
        unknown_at_end=as_choice(
            table["unknown_at_end"], inside(place, "unknown_at_end"), UNKNOWN_AT_END
        ),
        label=as_words(table["label"], inside(place, "label")),
        values=_read_values(table["values"], place) if kind == "choice" else (),
        proof=_read_proof(table, place, kind),
        confidential=as_yesno(table.get("confidential", True), inside(place, "confidential")),
        question={} if asked is None else as_words(asked, inside(place, "question")),
        shown=as_yesno(table.get("shown", True), inside(place, "shown")),
    )


def _read_proof(table: dict[str, Json], place: str, kind: str) -> str:
    if kind not in _TIMED:
        return ""
    proof = as_choice(table["proof"], inside(place, "proof"), PROOFS)
    if kind == "span" and proof == "log":
        refuse(inside(place, "proof"), "a log dates a moment, not a span")
    return proof


def _read_values(value: Json, declaration_place: str) -> tuple[str, ...]:
    place = inside(declaration_place, "values")
    values = as_list(value, place, VALUES_MAX, as_name, least=2)
    unique(values, place)
    if RESERVED_VALUES & set(values):
        refuse(place, f"{' and '.join(sorted(RESERVED_VALUES))} have a meaning of their own")
    return values


def check_names(facts: Mapping[str, Declaration], parameters: Mapping[str, Parameter]) -> None:
    """Ensure that one name means one thing: a field, a single fact and a parameter never share.

    Raises:
        MalformedError: a name is taken twice, or has a meaning of its own.
    """
    for place, names in (("facts", facts), ("parameters", parameters)):
        for name in names:
            if name.rpartition(".")[2] == AS_OF:
                refuse(f"{place}.{name}", "this name means the day of judgement")
    single = {name for name in facts if "." not in name}
    for name in facts:
        field = name.rpartition(".")[2]
        taken = single - {name} if "." in name else set()
        if field in taken or field in parameters:
            refuse(f"facts.{name}", f"the name {field} is already taken")
