"""What strangers send to a door, and what its client reads there, under damage.

Records are in `test_fuzz_parsers` as the Gazette has them; here they are signed again after the
damage, so that the checks behind the signature have to refuse it by themselves.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from random import Random

import pytest
from tests.fuzz.mutations import damaged, damaged_json
from tests.fuzz.test_fuzz_parsers import LONG, fuzz
from tests.fuzz.test_fuzz_sealed import damaged_in_some_way, damaged_record
from tests.protocol import builders
from tests.protocol.builders import author_seeds
from tests.vectors.sealed_formats import policy
from tests.vectors.sealed_world import PLAIN, by_board, by_door, gate, later_acts, state

from safeconduct.errors import (
    MalformedError,
    RefusedError,
    SafeconductError,
    UnverifiedError,
)
from safeconduct.parties.intake.ticket import Ticket, Tickets
from safeconduct.parties.source.questions import answers_from_file, ask_questions
from safeconduct.plumbing import logs
from safeconduct.plumbing.circuit_line import split_circuit_line
from safeconduct.plumbing.forms import Form, parse_form, stream_form
from safeconduct.protocol.answered import Answered, format_answers, parse_answers, settle
from safeconduct.protocol.canonical import Json, format_json, length_prefixed
from safeconduct.protocol.capsule import CAPSULE_BYTES
from safeconduct.protocol.dual import sign_dual
from safeconduct.protocol.gate import verify_gate
from safeconduct.protocol.gazette import fold
from safeconduct.protocol.keys import SLOT_BYTES
from safeconduct.protocol.parcel import ParcelHead, format_head, parse_head
from safeconduct.protocol.puzzle import (
    Puzzle,
    check_work,
    format_puzzle,
    format_work,
    held_seeds,
    parse_puzzle,
)
from safeconduct.protocol.questions import format_questions, parse_questions
from safeconduct.protocol.record import Record, format_record, parse_record, record_hash
from safeconduct.protocol.withdrawal import (
    open_withdrawal,
    sign_withdrawal,
    verify_withdrawal,
)

pytestmark = pytest.mark.timeout(0 if LONG else 900)

NOW = 1_800_000_000
SEEDS = held_seeds(bytes(32), NOW)
LEAF = bytes(32)
CHOICES: list[Json] = [
    {"id": word, "say": {"en": word, "de": f"{word}?"}} for word in ("saw", "heard")
]
QUESTIONS = format_json(
    {
        "default": "en",
        "questions": [
            {
                "id": "how",
                "kind": "many",
                "ask": {"en": "How do you know?"},
                "hint": {"en": "Several if you like."},
                "required": True,
                "choices": CHOICES,
            },
            {
                "id": "when",
                "kind": "date",
                "ask": {"en": "When was it?"},
                "required": False,
                "if": [{"question": "how", "includes": "saw"}],
            },
            {"id": "more", "kind": "long", "ask": {"en": "What else?"}, "required": False},
        ],
    }
)
ANSWERS = b'{"how": ["saw", "heard"], "when": "2027-05", "more": "a\\nb"}'


# What a client reads.


def puzzles(random: Random) -> object:
    data = damaged_in_some_way(
        random, [format_puzzle(Puzzle(seed=SEEDS[0], bits=18, seconds=3))]
    )
    puzzle = parse_puzzle(data)
    assert format_puzzle(puzzle) == data
    return puzzle


def questionnaires(random: Random) -> object:
    read = parse_questions(damaged_in_some_way(random, [sound_questions()]))
    again = format_questions(read)
    assert parse_questions(again) == read
    with suppress(MalformedError, EOFError):
        ask_questions(again, lambda _: _typed(random))
    return read


def _typed(random: Random) -> str:
    if random.random() < 0.1:
        raise EOFError  # whoever sits there has had enough
    return damaged(random, [b"1 2", b"2027-05-31", b"yes", b""]).decode("utf-8", "replace")


@cache
def sound_questions() -> bytes:
    return format_questions(parse_questions(QUESTIONS))


def typed_answers(random: Random) -> object:
    made = answers_from_file(sound_questions(), damaged_in_some_way(random, [ANSWERS]))
    return parse_answers(made)


def proofs_of_many(random: Random) -> object:
    answer = b"".join(map(length_prefixed, [b"proof one", b"", b"proof three"]))
    data = damaged(random, [answer])
    read = logs._parse_proofs(data, 3)  # what `log_leaves` makes of the log's answer
    assert b"".join(map(length_prefixed, read)) == data
    return read


# What strangers send.


def work(random: Random) -> object:
    header = damaged(random, [format_work(SEEDS[0], 1_234).encode()]).decode("latin-1")
    bits = check_work(header, SEEDS, LEAF)
    assert bits == 0 or header in {format_work(seed, 1_234) for seed in SEEDS} or ":" in header
    return bits


@cache
def parcel() -> bytes:
    envelope = builders.sealed()
    head = ParcelHead(
        record=format_record(envelope.record),
        header=envelope.header,
        slot=bytes(range(SLOT_BYTES)),
        capsule=bytes(CAPSULE_BYTES),
    )
    return format_head(head)


def parcels(random: Random) -> object:
    whole = parcel()
    data = damaged(random, [whole[:-CAPSULE_BYTES]]) + whole[-CAPSULE_BYTES:]
    found = parse_head(data)
    if found is not None:
        head, end = found
        assert format_head(head) == data[:end]
        assert head.payload_bytes >= 0
    return found


def answers(random: Random) -> object:
    questionnaire = parse_questions(sound_questions())
    typed = {"how": ["saw"], "when": ["2027"], "more": ["x"]}
    data = format_answers(questionnaire, "en", settle(questionnaire, typed))
    read = parse_answers(damaged_in_some_way(random, [data]))
    assert isinstance(read, Answered)
    return read


def settled_answers(random: Random) -> object:
    """Whatever is typed for whatever is asked: faults, never errors."""
    questionnaire = parse_questions(sound_questions())
    typed = {
        name: [damaged(random, [b"saw", b"2027-05-31", b"no"]).decode("utf-8", "replace")]
        for name in ("how", "when", "more", "unasked")
    }
    settled = settle(questionnaire, typed)
    made = format_answers(questionnaire, "en", settled)
    parse_answers(made)
    if settled.faults:
        raise MalformedError("faults are told")
    return settled


def circuit_lines(random: Random) -> object:
    line = b"PROXY TCP6 fc00:dead:beef:4dad::1f:2 ::1 65535 80\r\n"
    data = damaged(random, [line + b"GET / HTTP/1.1\r\n"])
    found = split_circuit_line(data)
    if found is not None:
        circuit, rest = found
        assert data.endswith(rest)
        assert circuit.isprintable()
        assert len(circuit) < 40
    return found


MULTIPART = "multipart/form-data; boundary=XX"
FORM = (
    b'--XX\r\nContent-Disposition: form-data; name="ticket"\r\n\r\nAAAA\r\n'
    b'--XX\r\nContent-Disposition: form-data; name="file"; filename="r\xc3\xa9.txt"\r\n'
    b"Content-Type: text/plain\r\n\r\n\x00\xff\r\n--XX--\r\n"
)
POSTED: Mapping[str, bytes] = {
    MULTIPART: FORM,
    "application/x-www-form-urlencoded": b"ticket=AAAA&text=a%20b&text=%C3%A9",
}


def forms(random: Random) -> object:
    kind = random.choice(sorted(POSTED))
    said = kind if random.random() < 0.8 else damaged(random, [kind.encode()]).decode("latin-1")
    return parse_form(said, damaged(random, [POSTED[kind]]))


@dataclass(slots=True)
class Posted:
    """A request whose body comes in pieces."""

    pieces: list[bytes]
    headers: Mapping[str, str]

    async def stream(self) -> AsyncIterator[bytes]:
        """Each piece."""
        for piece in self.pieces:
            yield piece


@dataclass(slots=True)
class Kept:
    """Where a file goes; it must come to exactly one end."""

    data: bytes = b""
    ends: list[str] = field(default_factory=list)

    def write(self, piece: bytes) -> None:
        assert not self.ends
        self.data += piece

    def end(self) -> None:
        self.ends.append("ended")

    def abort(self) -> None:
        self.ends.append("aborted")


def streamed_forms(random: Random) -> object:
    """However it is cut, a form is what it is when it comes whole; no sink is left open."""
    body = damaged(random, [FORM])
    cuts = sorted(random.randrange(len(body) + 1) for _ in range(3))
    pieces = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    whole = parsed(Posted([body], {"content-type": MULTIPART}))
    cut = parsed(Posted(pieces, {"content-type": MULTIPART}))
    assert whole == cut
    if isinstance(whole, str):
        raise MalformedError(whole)
    return whole


def parsed(posted: Posted) -> str | tuple[dict[str, list[str]], list[bytes]]:
    """The fields and files; or that it was refused, which says the same each time."""
    sinks: list[Kept] = []

    def on_file(_: Form, __: str) -> Kept:
        sinks.append(Kept())
        return sinks[-1]

    try:
        form = asyncio.run(stream_form(posted, on_file, fields_bytes_max=1_000))
    except MalformedError:
        assert all(sink.ends in (["ended"], ["aborted"]) for sink in sinks)
        return "refused"
    assert all(sink.ends == ["ended"] for sink in sinks)
    texts = {name: form.texts(name) for name in ("ticket", "file", "text")}
    return texts, [sink.data for sink in sinks]


def tickets(random: Random) -> object:
    desk = Tickets(seconds=lambda: NOW, random_bytes=random.randbytes)
    good = Ticket(opened_at=NOW, entropy=bytes(16), spool=bytes(16), spool_key=bytes(32))
    sealed = desk.seal(good)
    text = damaged(random, [sealed.encode()]).decode("utf-8", "replace")
    ticket = desk.open(text)
    assert ticket == good
    assert text.strip() == sealed
    return ticket


# What is signed after the damage.


@cache
def withdrawal() -> tuple[bytes, Record]:
    contribution = format_record(builders.sealed().record)
    signed = sign_withdrawal(
        builders.source_keys(),
        builders.sealed().pre,
        programme=builders.PROGRAMME,
        record=record_hash(contribution),
    )
    return contribution, open_withdrawal(signed)


def withdrawals(random: Random) -> object:
    contribution, record = withdrawal()
    changed = damaged_record(random, [format_record(record)])
    try:
        signed = sign_dual(changed, *author_seeds(builders.source_keys()))
    except ValueError:  # it names another key than ours: nobody can sign it
        raise UnverifiedError("nobody's") from None
    return verify_withdrawal(signed, contribution)


def gates(random: Random) -> object:
    changed = damaged_record(random, [format_record(gate(PLAIN))])
    folded = fold(state(PLAIN), by_door(changed))
    for each in folded.gates:
        verify_gate(each, policy(), state(PLAIN).programme.word("ledger"))
    return folded


def clients(random: Random) -> object:
    [offered] = [record for record in later_acts(PLAIN) if record.kind == "client"]
    text = damaged(random, [format_record(offered)])
    return fold(state(PLAIN), by_board(parse_record(text)))


OURS = (MalformedError, UnverifiedError)
TARGETS: dict[str, tuple[Callable[[Random], object], tuple[type[SafeconductError], ...]]] = {
    "puzzle": (puzzles, (MalformedError,)),
    "questions": (questionnaires, (MalformedError,)),
    "answers in a file": (typed_answers, (MalformedError,)),
    "proofs of many": (proofs_of_many, (MalformedError,)),
    "work": (work, (MalformedError,)),
    "parcel": (parcels, (MalformedError,)),
    "answers": (answers, (MalformedError,)),
    "what is typed as answers": (settled_answers, (MalformedError,)),
    "circuit line": (circuit_lines, (MalformedError,)),
    "form": (forms, (MalformedError,)),
    "streamed form": (streamed_forms, (MalformedError,)),
    "ticket": (tickets, (RefusedError,)),
    "withdrawal": (withdrawals, OURS),
    "gate": (gates, OURS),
    "client": (clients, OURS),
}


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_damaged_at_a_door_is_refused_by_our_own_errors(name: str) -> None:
    attempt, ours = TARGETS[name]
    refused = 0

    def check(random: Random) -> None:
        nonlocal refused
        try:
            attempt(random)
        except ours:
            refused += 1

    fuzz(check)
    assert refused > 0


def test_what_is_not_damaged_is_taken() -> None:
    assert parse_questions(sound_questions()).questions[0].id == "how"
    assert parse_answers(answers_from_file(sound_questions(), ANSWERS)).language == "en"
    assert parse_head(parcel()) is not None
    assert damaged_json(Random(0), [QUESTIONS]) != QUESTIONS
    contribution, record = withdrawal()
    signed = sign_dual(record, *author_seeds(builders.source_keys()))
    assert verify_withdrawal(signed, contribution)
    taken = parsed(Posted([FORM], {"content-type": MULTIPART}))
    assert taken == ({"ticket": ["AAAA"], "file": [], "text": []}, [b"\x00\xff"])
