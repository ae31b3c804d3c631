"""Gates: one for each date, signed by the door, and true only if the witnesses say so."""

import hashlib
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.builders import (
    DAY,
    GAZETTE,
    LEDGER,
    MEMBERS,
    NOON,
    OUR_WITNESS,
    POLICY,
    PROGRAMME,
    SERVER,
    STRANGER,
    THE_DATE,
    by_board,
    checkpoint_note,
    gazette_entries,
    gazette_state,
    law,
    statute_act,
)

from safeconduct.errors import MalformedError, SafeconductError, UnverifiedError
from safeconduct.protocol.canonical import format_json, parse_json
from safeconduct.protocol.gate import (
    BETWEEN,
    IN_TIME,
    LATE,
    Due,
    draft_gate,
    due_gates,
    next_limit,
    slim_checkpoint,
    verify_gate,
)
from safeconduct.protocol.gazette import GazetteState, fold, fold_all
from safeconduct.protocol.kinds import NOTE_FIELD_BYTES_MAX
from safeconduct.protocol.notice import deciding_dates
from safeconduct.protocol.record import (
    NO_HASH,
    Record,
    Value,
    make_record,
    record_hash,
    sign_record,
)
from safeconduct.protocol.statute.instant import format_instant
from safeconduct.protocol.statute.load import with_version
from safeconduct.protocol.tlog.merkle import Frontier, leaf_hash
from safeconduct.protocol.tlog.note import (
    MLDSA44,
    SigningKey,
    format_note,
    format_vkey,
)
from safeconduct.protocol.tlog.policy import Policy, open_checkpoint, parse_policy

STATE = gazette_state()
STATUTE = hashlib.sha256(law()).digest()
DUE = Due(statute=STATUTE, name="the_date", limit=THE_DATE)


def tree(size: int) -> Frontier:
    return Frontier.empty().extend([leaf_hash(b"entry %d" % n) for n in range(size)])[0]


def note(size: int, at: int, log: SigningKey = LEDGER, apart: int = 0) -> bytes:
    return format_note(checkpoint_note(tree(size), at, log, apart=apart))


BEFORE, AFTER = note(5, THE_DATE - 1), note(8, THE_DATE)


def gate_act(**changes: Value) -> Record:
    fields: dict[str, Value] = {
        "programme": PROGRAMME,
        "number": 1,
        "statute": STATUTE,
        "name": "the_date",
        "limit": THE_DATE,
        "before": BEFORE,
        "after": AFTER,
    }
    return make_record("gate", **fields | changes)


def by_door(record: Record) -> bytes:
    return sign_record(record, [SERVER])


GATED = fold(STATE, by_door(gate_act()))


def test_a_gate_of_the_door_stands_for_its_date() -> None:
    gate = GATED.gate(STATUTE, "the_date")
    assert gate is not None
    assert (gate.number, gate.limit, gate.index) == (1, THE_DATE, STATE.size)
    assert (gate.before_tree.size, gate.after_tree.size) == (5, 8)
    assert gate.hash == record_hash(by_door(gate_act()))
    assert GATED.gate(STATUTE, "another") is None
    assert GATED.gate(NO_HASH, "the_date") is None


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "signed by the board": (lambda: by_board(gate_act()), "no say here"),
    "signed by a stranger": (lambda: sign_record(gate_act(), [STRANGER]), "no say here"),
    "signed by door and board": (
        lambda: sign_record(gate_act(), [SERVER, *MEMBERS]),
        "no say here",
    ),
    "a limit a second early": (lambda: by_door(gate_act(limit=THE_DATE - 1)), "not the stat"),
    "a limit a second late": (lambda: by_door(gate_act(limit=THE_DATE + 1)), "not the stat"),
    "a name without a date": (lambda: by_door(gate_act(name="a_date")), "no date of this"),
    "a number out of turn": (lambda: by_door(gate_act(number=2)), "number 1 is due"),
    "a law that never was": (lambda: by_door(gate_act(statute=NO_HASH)), "never published"),
    "no tree from after": (lambda: by_door(gate_act(after=b"")), "needs a tree"),
    "the Gazette's tree": (
        lambda: by_door(gate_act(after=note(8, THE_DATE, GAZETTE))),
        "another log",
    ),
    "the Gazette's earlier tree": (
        lambda: by_door(gate_act(before=note(5, THE_DATE - 1, GAZETTE))),
        "another log",
    ),
    "a tree that shrinks": (lambda: by_door(gate_act(before=note(9, NOON))), "shrinks"),
    "a note that is no checkpoint": (
        lambda: by_door(gate_act(after=b"only words\n\n" + AFTER.split(b"\n\n")[1])),
        "checkpoint",
    ),
    "another programme's": (
        lambda: by_door(gate_act(programme=NO_HASH)),
        "another programme",
    ),
}


@pytest.mark.parametrize(("entry", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_gate_is_not_admitted(entry: Callable[[], bytes], reason: str) -> None:
    with pytest.raises((MalformedError, UnverifiedError), match=reason):
        fold(STATE, entry())


def test_a_date_has_one_gate_even_if_the_second_says_the_same() -> None:
    with pytest.raises(MalformedError, match="its gate already"):
        fold(GATED, by_door(gate_act(number=2)))


def test_the_door_signs_gates_and_nothing_else() -> None:
    with pytest.raises(UnverifiedError, match="no say here"):
        fold(STATE, by_door(statute_act(number=2)))


# What a field that holds a note takes.


def test_a_note_that_is_too_long_or_none_is_no_value() -> None:
    for value in (b"x" * 20_003, b"not a note", AFTER + b"x"):
        with pytest.raises(MalformedError):
            gate_act(after=value)


# What it proves.


def test_its_checkpoints_bound_what_is_in_time_and_what_is_late() -> None:
    bounds = verify_gate(GATED.gates[0], POLICY, LEDGER.name)
    assert bounds.in_time_below == 5
    standings = [bounds.standing(index, 9) for index in (0, 4, 5, 9, 10)]
    assert standings == [IN_TIME, IN_TIME, BETWEEN, BETWEEN, LATE]


def test_without_an_earlier_tree_nothing_is_in_time_by_it() -> None:
    state = fold(STATE, by_door(gate_act(before=b"")))
    bounds = verify_gate(state.gates[0], POLICY, LEDGER.name)
    assert (bounds.in_time_below, bounds.before, bounds.standing(0, 9)) == (0, None, BETWEEN)
    assert state.gates[0].before_tree.size == 0


UNTRUE: dict[str, tuple[dict[str, Value], str]] = {
    "the earlier tree is dated at the limit": ({"before": note(5, THE_DATE)}, "not dated bef"),
    "the later tree is dated before the limit": ({"after": note(8, THE_DATE - 1)}, "no quorum"),
    "one witness runs ahead, the other signed in time": (
        {"after": note(8, THE_DATE + 5, apart=60)},
        "no quorum",
    ),
    "a witness is missing": (
        {"after": format_note(checkpoint_note(tree(8), THE_DATE, witnesses=(OUR_WITNESS,)))},
        "quorum",
    ),
    "the log did not sign": (
        {"after": AFTER.replace(b"\n\n", b"\n\n" + b"").replace(b"8\n", b"7\n", 1)},
        "signature",
    ),
}


@pytest.mark.parametrize(("changes", "reason"), UNTRUE.values(), ids=UNTRUE)
def test_a_gate_that_says_too_much_does_not_hold(
    changes: dict[str, Value], reason: str
) -> None:
    state = fold(STATE, by_door(gate_act(**changes)))
    with pytest.raises(UnverifiedError, match=reason):
        verify_gate(state.gates[0], POLICY, LEDGER.name)


# Which are due.


def test_a_gate_is_due_from_the_limit_on_until_it_stands() -> None:
    assert due_gates(STATE, THE_DATE - 1) == ()
    assert due_gates(STATE, THE_DATE) == (DUE,)
    assert due_gates(GATED, THE_DATE + DAY) == ()
    assert next_limit(STATE, THE_DATE - 1) == THE_DATE
    assert next_limit(STATE, THE_DATE) is None
    assert [date.name for date in deciding_dates(law())] == ["the_date"]


def amended(in_force_from: int) -> GazetteState:
    """The programme with a second version of its law, which keeps the date."""
    later = with_version(
        parse_json(law(), "law"),
        number=2,
        published=format_instant(in_force_from),
        in_force_from=format_instant(in_force_from),
        supersedes=STATUTE,
    )
    act = statute_act(number=2, previous=STATUTE, law=format_json(later))
    return fold(STATE, by_board(act))


@pytest.mark.parametrize(
    ("in_force_from", "versions"),
    [(THE_DATE - DAY, [2]), (THE_DATE, [1, 2])],
    ids=["a law that came before the date", "a law that came with it"],
)
def test_a_gate_is_due_for_the_law_that_was_in_force_before_the_date(
    in_force_from: int, versions: list[int]
) -> None:
    state = amended(in_force_from)
    due = due_gates(state, THE_DATE + DAY)
    assert [state.statute(each.statute).number for each in due] == versions


def test_a_draft_is_what_the_fold_admits() -> None:
    entry = by_door(draft_gate(STATE, DUE, BEFORE, AFTER))
    assert fold(STATE, entry).gates == GATED.gates


def test_without_a_law_no_gate_is_due() -> None:
    state = fold_all(gazette_entries()[:1])
    assert due_gates(state, THE_DATE) == ()
    assert next_limit(state, NOON) is None


# Slim checkpoints.

HEAVY = [
    SigningKey(name=f"w{number}.example", seed=bytes([number]) * 32, algorithm=MLDSA44)
    for number in range(1, 8)
]


def heavy_policy(quorum: str) -> Policy:
    lines = [f"log {format_vkey(LEDGER.verifier())}"]
    lines += [f"witness w{n} {format_vkey(key.verifier())}" for n, key in enumerate(HEAVY)]
    names = " ".join(f"w{n}" for n in range(len(HEAVY)))
    return parse_policy(
        "\n".join([*lines, f"group q {quorum} {names}", "quorum q", ""]).encode()
    )


def heavy_note(at: Sequence[int]) -> bytes:
    notes = [
        checkpoint_note(tree(8), each, witnesses=(key,))
        for each, key in zip(at, HEAVY, strict=True)
    ]
    lines = (notes[0].signatures[0], *(each.signatures[1] for each in notes))
    return format_note(type(notes[0])(text=notes[0].text, signatures=lines))


def test_a_checkpoint_with_many_signatures_is_slimmed_and_keeps_its_times() -> None:
    policy, data = heavy_policy("3"), heavy_note([THE_DATE + n for n in range(7)])
    assert len(data) > NOTE_FIELD_BYTES_MAX
    slim = slim_checkpoint(data, policy, LEDGER.name)
    assert len(slim) <= NOTE_FIELD_BYTES_MAX
    whole, kept = (open_checkpoint(each, policy, LEDGER.name) for each in (data, slim))
    assert (whole.logged_by, whole.vouched_at) == (kept.logged_by, kept.vouched_at)


def test_a_checkpoint_that_needs_all_its_signatures_is_too_long() -> None:
    with pytest.raises(MalformedError, match="needs more than"):
        slim_checkpoint(heavy_note([THE_DATE] * 7), heavy_policy("all"), LEDGER.name)


def test_a_short_checkpoint_stays_as_it_is() -> None:
    assert slim_checkpoint(AFTER, POLICY, LEDGER.name) == AFTER


# Clients.


def client_act(**changes: Value) -> Record:
    fields: dict[str, Value] = {
        "programme": PROGRAMME,
        "number": 1,
        "platform": "linux-x86_64",
        "version": "0.1.0",
        "size": 12_345,
        "sha256": bytes(32),
    }
    return make_record("client", **fields | changes)


def test_the_newest_client_of_each_platform_counts() -> None:
    state = fold(STATE, by_board(client_act()))
    state = fold(state, by_board(client_act(number=2, platform="macos-arm64")))
    state = fold(state, by_board(client_act(number=3, version="0.2.0")))
    newest = state.client("linux-x86_64")
    assert newest is not None
    assert (newest.version, newest.number) == ("0.2.0", 3)
    assert state.client("macos-arm64") is not None
    assert state.client("windows-x86_64") is None


CLIENTS_REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "signed by the door": (lambda: by_door(client_act()), "no say here"),
    "signed by one of three": (lambda: sign_record(client_act(), MEMBERS[:1]), "1 of 2"),
    "out of sequence": (lambda: by_board(client_act(number=2)), "number 1 is due"),
    "an empty file": (lambda: by_board(client_act(size=0)), "size of 1"),
    "a file larger than 256 MiB": (
        lambda: by_board(client_act(size=(256 << 20) + 1)),
        "size of 1",
    ),
    "a platform that leads elsewhere": (
        lambda: by_board(client_act(platform="a/../../server.key")),
        "no plain word",
    ),
    "a platform with a dot": (lambda: by_board(client_act(platform="a.b")), "no plain word"),
}


@pytest.mark.parametrize(("entry", "reason"), CLIENTS_REFUSED.values(), ids=CLIENTS_REFUSED)
def test_a_client_is_not_admitted(entry: Callable[[], bytes], reason: str) -> None:
    with pytest.raises((MalformedError, UnverifiedError), match=reason):
        fold(STATE, entry())


@given(st.integers(0, 2**62), st.binary(max_size=60))
def test_any_gate_of_the_door_is_admitted_or_refused_in_our_words(
    limit: int, after: bytes
) -> None:
    try:
        fold(STATE, by_door(gate_act(limit=limit, after=after)))
    except SafeconductError:
        return
    assert limit == THE_DATE
