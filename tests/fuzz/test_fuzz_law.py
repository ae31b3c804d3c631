"""Laws, facts, votes, dockets, files about persons and lists of them, under damage.

Who writes a law, hands in a list or answers a console is a stranger to whoever reads it.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.fuzz.mutations import damaged, damaged_json
from tests.fuzz.test_fuzz_parsers import LONG, fuzz
from tests.fuzz.test_fuzz_sealed import damaged_in_some_way
from tests.plumbing.authenticator import Authenticator
from tests.protocol import builders
from tests.protocol.decided import (
    AS_OF,
    NOTHING_FOUND,
    STATE,
    bundle_of,
    honest_sealed,
    publish,
)
from tests.protocol.statute.grown import grown
from tests.protocol.statute.laws import GOOD_STATEMENT, GOOD_TIP, example_document, small_law

from safeconduct.errors import MalformedError, RefusedError, SafeconductError, UnverifiedError
from safeconduct.parties.registry.foreign_lists import FAULTS_MAX, FORMATS, read_rows
from safeconduct.plumbing.authored import parse_marked
from safeconduct.plumbing.forms import Form
from safeconduct.plumbing.names import NameIndex
from safeconduct.plumbing.passkeys import (
    Site,
    parse_answer,
    registration_options,
    verify_assertion,
    verify_registration,
)
from safeconduct.plumbing.statute_trial import Answer, Trial, press, values
from safeconduct.protocol.canonical import format_json, parse_json
from safeconduct.protocol.decision import (
    format_unsealed,
    make_unsealed,
    parse_unsealed,
    propose,
    recheck,
)
from safeconduct.protocol.docket import check_docket, make_docket
from safeconduct.protocol.listing.dossier import (
    Dossier,
    check_name,
    check_subject,
    format_dossier,
    parse_dossier,
)
from safeconduct.protocol.statute import Statute, evaluate, read_facts, read_statute
from safeconduct.protocol.statute.diff import diff
from safeconduct.protocol.statute.explain import reasons
from safeconduct.protocol.statute.lint import lint, lint_change
from safeconduct.protocol.statute.load import load_statute
from safeconduct.protocol.votes import Vote, format_votes, parse_votes, votes_document

pytestmark = pytest.mark.timeout(0 if LONG else 900)

EXAMPLE = Path(__file__).parents[2] / "statutes" / "example" / "acquittal" / "statute.yaml"
CONDITION = {"is": ["x", True]}
NAME = "law.yaml"


def damaged_inside(random: Random, documents: Sequence[bytes]) -> Any:
    """A document with other values in one of its parts, so that what lies deep is reached."""
    document = json.loads(random.choice(documents))
    name = random.choice(sorted(document))
    document[name] = json.loads(damaged_json(random, [json.dumps(document[name]).encode()]))
    return document


# Laws and facts.


@cache
def example() -> Statute:
    return read_statute(example_document())


@cache
def small() -> list[bytes]:
    return [format_json(small_law(CONDITION)), format_json(grown())]


def written_laws(random: Random) -> object:
    """A law in YAML: read, or refused at a line of the file."""
    sources = [EXAMPLE.read_bytes(), *(each.replace(b",", b",\n ") for each in small())]
    try:
        return _law_of(damaged(random, sources))
    except MalformedError as error:
        told = error
    assert told.message.startswith(f"{NAME}:")
    raise told


def _law_of(data: bytes) -> Statute:
    document, places = parse_marked(data, NAME)
    assert json.loads(format_json(document)) == document
    try:
        return read_statute(document)
    except MalformedError as error:
        raise MalformedError(places.located(error.message)) from error


def laws(random: Random) -> object:
    """A law of other values: refused, or a law that everything can be done with."""
    document = damaged_inside(random, small())
    law = read_statute(document)
    assert load_statute(format_json(document)).sha256 == law.sha256
    original = read_statute(json.loads(small()[0]))
    for complaint in [*lint(law), *lint_change(original, law), *diff(original, law)]:
        assert str(complaint)
    nothing = read_facts({}, law.facts, calendar=law.calendar)
    judgement = evaluate(law, nothing, law.version.in_force_from)
    return [reasons(law, judgement, language) for language in ("en", "fa")]


def facts(random: Random) -> object:
    document: dict[str, Any] = {
        "facts": {"grave_crime_proven": False, "knowing_falsehood_found": "unknown"},
        "lists": {"tips": [GOOD_TIP, GOOD_TIP], "statements": [GOOD_STATEMENT]},
    }
    given = json.loads(damaged_json(random, [format_json(document)]))
    found = read_facts(given, example().facts, calendar=example().calendar)
    judgement = evaluate(example(), found, AS_OF)
    assert judgement.outcome or judgement.open_facts
    return reasons(example(), judgement, "en")


FIELDS = ("do", "as_of", "case", "count.tips", "fact.grave_crime_proven", "tips.0.logged")
TYPED = (b"judge", b"add.tips", b"remove.tips.0", b"fill", b"2027-06-01", b"yes", b"3")


def trials(random: Random) -> object:
    """Whatever stands in the form on which a law is tried out, its page can be shown again."""
    trial = Trial(statute=example(), language="en", as_of=AS_OF)
    fields = tuple(
        (random.choice([name, damaged_text(random, name)]), typed(random)) for name in FIELDS
    )
    answer = press(trial, Form(fields=fields))
    assert isinstance(answer, Answer)
    values(trial, answer)
    if answer.fault is not None:
        raise answer.fault
    return answer


def damaged_text(random: Random, text: str) -> str:
    return damaged(random, [text.encode()]).decode("utf-8", "replace")


def typed(random: Random) -> str:
    text = random.choice(TYPED)
    return text.decode() if random.random() < 0.5 else damaged_text(random, text.decode())


# Those who decide.


@cache
def ballot() -> bytes:
    members = ("board/anna", "board/boris", "board/clara")
    given = (
        Vote(member=members[0], vote="agree", outcome="acquitted"),
        Vote(member=members[1], vote="depart", outcome="stands", reasons="Read otherwise."),
        Vote(member=members[2], vote="abstain", conflict="a cousin"),
    )
    return votes_document(bytes(32), members, given)


def votes(random: Random) -> object:
    data = damaged_in_some_way(random, [ballot()])
    read = parse_votes(data)
    assert format_votes(read) == data
    return read


@cache
def docket() -> bytes:
    bundle = bundle_of()
    proposal = propose(bundle, STATE, builders.POLICY, NOTHING_FOUND, AS_OF)
    return make_docket(
        case=3,
        number=3,
        bundle=bundle,
        claim_proof=builders.prove(bundle.claim_hash, AS_OF),
        judgements=NOTHING_FOUND,
        proposal=proposal,
    )


def dockets(random: Random) -> object:
    """Whatever a register says of a case, the console computes it again or refuses it."""
    whole = random.random() < 0.5
    data = (
        damaged_in_some_way(random, [docket()])
        if whole
        else format_json(damaged_inside(random, [docket()]))
    )
    found = check_docket(data, STATE, builders.POLICY)
    assert found.proposal.judgement.outcome == "acquitted"
    return found


@cache
def unsealing() -> bytes:
    sealed = parse_json(honest_sealed(), "decision")
    assert isinstance(sealed, dict)
    sha256 = hashlib.sha256(honest_sealed()).digest()
    bundles = [bundle_of("sealed")]
    return format_unsealed(make_unsealed(sealed, sha256, bundles, (), builders.REGISTRY.seed))


def unsealings(random: Random) -> object:
    """Whatever somebody hands over, it opens just what the board published, or nothing."""
    whole = random.random() < 0.5
    data = (
        damaged_in_some_way(random, [unsealing()])
        if whole
        else format_json(damaged_inside(random, [unsealing()]))
    )
    read = parse_unsealed(data)
    assert format_unsealed(read) == data
    made = publish(honest_sealed())
    found = recheck(made.data, made.publication, STATE, builders.POLICY, read)
    assert found.evidence == "unsealed"
    return found


SITE = Site(origin="https://board.example", name="Board")
CHALLENGE = bytes(range(32))


@cache
def answers() -> tuple[str, str]:
    """What a browser posts to enrol and to sign in; made once: no two signatures are alike."""
    authenticator = Authenticator(origin=SITE.origin, host="board.example")
    options = registration_options(
        SITE, user_id=bytes(32), user_name="anna", challenge=CHALLENGE, known=[]
    )
    return authenticator.create(options), authenticator.get(options)


def passkey_answers(random: Random) -> object:
    enrolled, entered = answers()
    passkey = verify_registration(enrolled, SITE, CHALLENGE)
    if random.random() < 0.5:
        return verify_registration(damaged_answer(random, enrolled), SITE, CHALLENGE)
    answer = damaged_answer(random, entered)
    parse_answer(answer)
    return verify_assertion(answer, SITE, CHALLENGE, passkey, bytes(32))


def damaged_answer(random: Random, answer: str) -> str:
    return damaged_in_some_way(random, [answer.encode()]).decode("utf-8", "replace")


# Persons.


@cache
def dossier() -> bytes:
    return format_dossier(
        Dossier(
            subject="r-0001",
            name="the keeper of the tide tables",
            statute=bytes(32),
            assessment={"role": "keeper", "conduct": "kept them"},
            effects=("no_office",),
            salt=bytes(16),
            identity="staff papers",
            evidence=("a book",),
            proposer="a clerk",
            source="",
            private_salt=bytes(range(16)),
        )
    )


def dossiers(random: Random) -> object:
    data = damaged_in_some_way(random, [dossier()])
    read = parse_dossier(data)
    assert format_dossier(read) == data
    return read


LISTS = {
    "csv": b"subject,name,conduct,birth_date,since\r\nr-1,Anton Weller,signed,1970-01,2020\r\n"
    b'r-2,"Ada ""Quill"", the elder",,,\r\nr-3,\xd8\xb9\xd9\x84\xd9\x8a,,,\r\n',
    "ftm": b'{"id":"a","schema":"Person","properties":{"name":["Ada"],"birthDate":["1970"]}}\n'
    b'{"id":"s","schema":"Sanction","properties":{"entity":["a"],"reason":["x"]}}\n'
    b'{"canonical_id":"b","schema":"Company","prop":"name","value":"Quay"}\n'
    b'{"canonical_id":"b","schema":"Company","prop":"parent","value":"a"}\n',
}


def lists(folder: Path) -> Callable[[Random], object]:
    """A list that somebody else made: rows that may be entered, and faults with their lines."""

    def attempt(random: Random) -> object:
        form = random.choice(sorted(FORMATS))
        path = folder / "list"
        path.write_bytes(damaged(random, [LISTS[form], LISTS[form] * 3]))
        read = read_rows(path, form)
        for row in read.rows:
            assert (check_subject(row.subject), check_name(row.name)) == (row.subject, row.name)
        assert len(read.faults) <= 2 * FAULTS_MAX
        assert all(fault.line > 0 and fault.message.isprintable() for fault in read.faults)
        if read.faults:
            raise MalformedError("faults are told")
        return read

    return attempt


@cache
def index() -> NameIndex:
    people = ("Anton Weller", "Владимир Петров", "محمد الأحمد", "the keeper of the tide tables")
    return NameIndex((f"r-{place}", [name]) for place, name in enumerate(people))


ASKED = ("Wladimir Petrow", "al-Ahmad", "علي", "r-0001")


def queries(random: Random) -> object:
    asked = damaged_text(
        random, random.choice(["Wladimir Petrow", "al-Ahmad", "علي", "r-0001"])
    )
    hits = index().search(asked)
    assert all(0 <= hit.likeness <= 1 for hit in hits)
    return hits


OURS = (MalformedError, UnverifiedError, RefusedError)
TARGETS: dict[str, tuple[Callable[[Random], object], tuple[type[SafeconductError], ...]]] = {
    "law in YAML": (written_laws, (MalformedError,)),
    "law": (laws, (MalformedError,)),
    "facts": (facts, (MalformedError,)),
    "trial": (trials, OURS),
    "votes": (votes, (MalformedError,)),
    "docket": (dockets, OURS),
    "unsealing": (unsealings, OURS),
    "answer of a passkey": (passkey_answers, OURS),
    "file about a person": (dossiers, (MalformedError,)),
    "query": (queries, (RefusedError,)),
}


def refusals(attempt: Callable[[Random], object], ours: tuple[type[Exception], ...]) -> int:
    """How many of the attempts were refused, all of them by our own errors."""
    refused = 0

    def check(random: Random) -> None:
        nonlocal refused
        try:
            attempt(random)
        except ours:
            refused += 1

    fuzz(check)
    return refused


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_damaged_about_the_law_is_refused_by_our_own_errors(name: str) -> None:
    attempt, ours = TARGETS[name]
    assert refusals(attempt, ours) > 0 or name == "query"


def test_a_damaged_list_is_read_or_its_faults_are_told(tmp_path: Path) -> None:
    assert refusals(lists(tmp_path), (MalformedError,)) > 0


def test_what_is_not_damaged_is_read(tmp_path: Path) -> None:
    assert read_statute(json.loads(small()[1])).sha256
    assert parse_dossier(dossier()).subject == "r-0001"
    assert len(parse_votes(ballot()).votes) == 3
    assert check_docket(docket(), STATE, builders.POLICY).case == 3
    for form, data in LISTS.items():
        (tmp_path / form).write_bytes(data)
        read = read_rows(tmp_path / form, form)
        assert (len(read.rows), read.faults) == ({"csv": 3, "ftm": 2}[form], [])
    assert index().search("Wladimir Petrow")[0].name == "Владимир Петров"
