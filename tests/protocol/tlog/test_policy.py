"""Policies, quorums, and the time by which an entry was logged."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocol.tlog.sample_log import (
    LOG,
    LOG_44,
    LOG_VKEY,
    NOON,
    ORIGIN,
    TWO_SIDES,
    VKEYS,
    WITNESSES,
    checkpoint_text,
    cosigned,
    entry,
    grown,
    near,
    reader,
    with_line,
)

from safeconduct.errors import MalformedError, UnverifiedError
from safeconduct.protocol.tlog.checkpoint import parse_checkpoint
from safeconduct.protocol.tlog.cosignature import cosign
from safeconduct.protocol.tlog.merkle import inclusion_proof
from safeconduct.protocol.tlog.note import (
    COSIGNATURE,
    OTHER,
    Note,
    SignatureLine,
    SigningKey,
    VerifierKey,
    format_note,
    format_vkey,
    sign_note,
)
from safeconduct.protocol.tlog.policy import (
    GroupLine,
    LogLine,
    Policy,
    WitnessLine,
    format_policy,
    logged_by,
    open_checkpoint,
    parse_policy,
    reaches_quorum,
    verify_proof,
)
from safeconduct.protocol.tlog.proof import TlogProof, format_proof

POLICY = parse_policy(TWO_SIDES.encode())
W1, W2, W3 = (f"witness {name} {VKEYS[name]}\n" for name in ("W1", "W2", "W3"))
OTHER_LOG = SigningKey(name="other.example/ledger", seed=b"\x77" * 32)


def test_a_two_sided_policy_is_read() -> None:
    assert POLICY.logs == (LogLine(key=LOG.verifier()),)
    assert [witness.name for witness in POLICY.witnesses] == ["W1", "W2", "W3", "W4", "W5"]
    assert POLICY.witnesses[0].key == WITNESSES["W1"].verifier(COSIGNATURE)
    assert POLICY.groups == (
        GroupLine(name="programme", threshold=2, members=("W1", "W2", "W3")),
        GroupLine(name="insiders", threshold=1, members=("W4", "W5")),
        GroupLine(name="both", threshold=2, members=("programme", "insiders")),
    )
    assert POLICY.quorum == "both"
    assert format_policy(POLICY) == TWO_SIDES.encode()


def test_urls_comments_and_blanks_are_read_as_the_standard_says() -> None:
    text = (
        f"# whom we trust\n\n \t\n  # indented\n\tlog\t{LOG_VKEY}   https://log.example/#1\n"
        f"witness #1 {VKEYS['W1']} https://w1.example/\t\nquorum  #1\n"
    )
    policy = parse_policy(text.encode())
    assert policy.logs[0].url == "https://log.example/#1"
    assert policy.witnesses[0] == WitnessLine(
        name="#1", key=WITNESSES["W1"].verifier(COSIGNATURE), url="https://w1.example/"
    )
    assert policy.quorum == "#1"


def test_lines_other_than_uses_of_names_stand_in_any_order() -> None:
    text = f"{W2}quorum W2\n{W1}group any-of-them any W1 W2\nlog {LOG_VKEY}\n"
    assert parse_policy(text.encode()).quorum == "W2"


def test_names_are_octets_and_never_normalised() -> None:
    composed, apart = "\u00e9", "e\u0301"
    text = f"witness {composed} {VKEYS['W1']}\nwitness {apart} {VKEYS['W2']}\nquorum {apart}\n"
    policy = parse_policy(text.encode())
    assert [witness.name for witness in policy.witnesses] == [composed, apart]


def test_a_no_break_space_does_not_part_words() -> None:
    policy = parse_policy(f"witness a\u00a0b {VKEYS['W1']}\nquorum a\u00a0b\n".encode())
    assert policy.quorum == "a\u00a0b"


LOG_AS_WITNESS = format_vkey(LOG.verifier(COSIGNATURE))
W1_RENAMED = format_vkey(replace(WITNESSES["W1"].verifier(COSIGNATURE), name="other.example"))
MLDSA_VKEY = format_vkey(LOG_44.verifier())
OTHER_VKEY = format_vkey(VerifierKey(name="witness.example/q", algorithm=OTHER, public=b"q"))

MALFORMED = {
    "nothing": "",
    "no quorum": f"log {LOG_VKEY}\n{W1}",
    "two quorums": f"{W1}quorum W1\nquorum W1\n",
    "quorum none and another": f"{W1}quorum none\nquorum W1\n",
    "a quorum without a name": f"{W1}quorum\n",
    "a quorum of two names": f"{W1}{W2}quorum W1 W2\n",
    "a quorum never defined": f"{W1}quorum W2\n",
    "a quorum before its definition": f"quorum W1\n{W1}",
    "a keyword nobody knows": f"{W1}quorum W1\nmirror M\n",
    "a keyword in capitals": f"{W1}QUORUM W1\n",
    "a comment behind a line": f"{W1}quorum W1 # mine\n",
    "the last line cut short": f"{W1}quorum W1",
    "carriage returns": f"{W1}quorum W1\n".replace("\n", "\r\n"),
    "a form feed": f"{W1}\fquorum W1\n",
    "a zero byte in a comment": f"#\0\n{W1}quorum W1\n",
    "a delete character in a comment": f"#\x7f\n{W1}quorum W1\n",
    "a byte-order mark": f"\ufeff{W1}quorum W1\n",
    "a log without a key": f"log\n{W1}quorum W1\n",
    "a log with a word too many": f"log {LOG_VKEY} https://log.example x\n{W1}quorum W1\n",
    "a log by its raw key": f"log {LOG.verifier().public.hex()}\n{W1}quorum W1\n",
    "a log with a witness's key": f"log {VKEYS['W2']}\n{W1}quorum W1\n",
    "a witness without a key": "witness W1\nquorum W1\n",
    "a witness without a name": f"witness {VKEYS['W1']}\nquorum W1\n",
    "a witness with a word too many": f"witness W1 {VKEYS['W1']} https://w x\nquorum W1\n",
    "a witness with a log's key": f"witness W1 {LOG_VKEY}\nquorum W1\n",
    "a witness with a key of no public type": f"witness W1 {OTHER_VKEY}\nquorum W1\n",
    "a log with a key of no public type": f"log {OTHER_VKEY}\n{W1}quorum W1\n",
    "one ML-DSA-44 key, log and witness": (
        f"log {MLDSA_VKEY}\nwitness W1 {MLDSA_VKEY}\nquorum W1\n"
    ),
    "a witness called none": f"witness none {VKEYS['W1']}\nquorum none\n",
    "a witness defined twice": f"{W1}witness W1 {VKEYS['W2']}\nquorum W1\n",
    "one key, two witnesses": f"{W1}witness W2 {VKEYS['W1']}\nquorum W1\n",
    "one raw key, two key names": f"{W1}witness W2 {W1_RENAMED}\nquorum W1\n",
    "one log twice": f"log {LOG_VKEY}\nlog {LOG_VKEY}\n{W1}quorum W1\n",
    "a log that is its own witness": (
        f"log {LOG_VKEY}\nwitness W1 {LOG_AS_WITNESS}\nquorum W1\n"
    ),
    "a group without members": f"{W1}group G any\nquorum W1\n",
    "a group without a threshold": f"{W1}group G W1\nquorum W1\n",
    "a group called none": f"{W1}group none any W1\nquorum W1\n",
    "a group called like a witness": f"{W1}{W2}group W1 any W2\nquorum W1\n",
    "a group defined twice": f"{W1}{W2}group G any W1\ngroup G any W2\nquorum G\n",
    "a group of none": f"{W1}group G any none\nquorum G\n",
    "a group within itself": f"{W1}group G any W1 G\nquorum G\n",
    "a member never defined": f"{W1}group G any W1 W2\nquorum G\n",
    "a member before its definition": f"{W1}group G any W1 W2\n{W2}quorum G\n",
    "a member listed twice": f"{W1}group G any W1 W1\nquorum G\n",
    "a member of two groups": f"{W1}{W2}group G any W1\ngroup F any W1 W2\nquorum F\n",
    "a group that is a member of two": (
        f"{W1}{W2}group G any W1\ngroup F any G\ngroup E any G W2\nquorum E\n"
    ),
    "a threshold of 0": f"{W1}group G 0 W1\nquorum G\n",
    "a threshold above the members": f"{W1}{W2}group G 3 W1 W2\nquorum G\n",
    "a threshold with a plus": f"{W1}group G +1 W1\nquorum G\n",
    "a threshold with a leading zero": f"{W1}group G 01 W1\nquorum G\n",
    "a negative threshold": f"{W1}group G -1 W1\nquorum G\n",
    "a threshold in capitals": f"{W1}group G ALL W1\nquorum G\n",
    "over 1024 lines": "\n" * 1024 + f"{W1}quorum W1\n",
    "over 256 KiB": "#" * (1 << 18) + f"\n{W1}quorum W1\n",
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_policy_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        parse_policy(text.encode())


def test_bytes_that_are_no_utf8_are_refused() -> None:
    with pytest.raises(MalformedError):
        parse_policy(b"# caf\xe9\n" + f"{W1}quorum W1\n".encode())


def test_an_error_names_the_line() -> None:
    with pytest.raises(MalformedError, match=r"policy line 3: W9 is not defined"):
        parse_policy(f"# one\n{W1}quorum W9\n".encode())


def test_32_logs_witnesses_and_groups_fit() -> None:
    keys = [SigningKey(name=f"k{n}", seed=bytes([n]) * 32) for n in range(64)]
    text = "".join(
        [
            *(f"log {format_vkey(key.verifier())}\n" for key in keys[:32]),
            *(f"witness {k.name} {format_vkey(k.verifier(COSIGNATURE))}\n" for k in keys[32:]),
            "group g32 any k32\n",
            *(f"group g{n} all g{n - 1} k{n}\n" for n in range(33, 64)),
            "quorum g63\n",
        ]
    )
    policy = parse_policy(text.encode())
    assert (len(policy.logs), len(policy.witnesses), len(policy.groups)) == (32, 32, 32)
    assert reaches_quorum({f"k{n}" for n in range(32, 64)}, policy)
    assert not reaches_quorum({f"k{n}" for n in range(33, 64)}, policy)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Policies over the sample witnesses, with any tree of groups."""
    free = draw(st.lists(st.sampled_from(sorted(WITNESSES)), min_size=1, unique=True))
    witnesses = tuple(
        WitnessLine(
            name=name,
            key=WITNESSES[name].verifier(COSIGNATURE),
            url=draw(st.none() | st.just(f"https://{name}.example/")),
        )
        for name in free
    )
    groups: list[GroupLine] = []
    for number in range(draw(st.integers(0, 4))):
        members = draw(st.lists(st.sampled_from(free), min_size=1, unique=True))
        threshold = draw(st.integers(1, len(members)))
        group = GroupLine(name=f"G{number}", threshold=threshold, members=tuple(members))
        groups.append(group)
        free = [name for name in free if name not in members] + [group.name]
    names = [witness.name for witness in witnesses] + [group.name for group in groups]
    return Policy(
        logs=(LogLine(key=LOG.verifier()),),
        witnesses=witnesses,
        groups=tuple(groups),
        quorum=draw(st.sampled_from(names)),
    )


@settings(max_examples=60)
@given(policies())
def test_a_policy_is_read_back_as_it_was(policy: Policy) -> None:
    assert parse_policy(format_policy(policy)) == policy


@settings(max_examples=300)
@given(near(TWO_SIDES.encode()))
def test_what_parses_has_one_canonical_file(data: bytes) -> None:
    try:
        policy = parse_policy(data)
    except MalformedError:
        return
    assert parse_policy(format_policy(policy)) == policy


def test_a_policy_that_could_not_be_read_is_not_written() -> None:
    for policy in (Policy(quorum="nobody"), replace(POLICY, quorum="two words")):
        with pytest.raises(MalformedError):
            format_policy(policy)


# Quorum and time.

LOGGED_BY = {
    "the second of the programme comes last": ({"W1": 10, "W2": 30, "W4": 20}, 30),
    "the insiders come last": ({"W1": 10, "W2": 20, "W5": 99}, 99),
    "later ones do not matter": ({"W1": 10, "W2": 20, "W3": 50, "W4": 15, "W5": 60}, 20),
    "all at once": ({"W1": 10, "W2": 10, "W4": 10}, 10),
    "the earliest alone do not count": (
        {"W4": 1, "W5": 2, "W2": 70, "W3": 80},
        80,
    ),
}


@pytest.mark.parametrize(("times", "expected"), LOGGED_BY.values(), ids=LOGGED_BY)
def test_the_logged_by_time_is_when_the_quorum_was_full(
    times: dict[str, int], expected: int
) -> None:
    assert logged_by(cosigned(times), POLICY) == expected


NO_QUORUM = {
    "nobody": {},
    "one side alone": {"W1": 10, "W2": 20, "W3": 30},
    "the other side alone": {"W4": 10, "W5": 20},
    "one of the programme is too few": {"W1": 10, "W4": 20, "W5": 30},
}


@pytest.mark.parametrize("times", NO_QUORUM.values(), ids=NO_QUORUM)
def test_without_the_quorum_nothing_is_dated(times: dict[str, int]) -> None:
    with pytest.raises(UnverifiedError, match="do not reach"):
        logged_by(cosigned(times), POLICY)


def slow_reaches(name: str, witnesses: set[str], policy: Policy) -> bool:
    for group in policy.groups:
        if group.name == name:
            reached = [
                member for member in group.members if slow_reaches(member, witnesses, policy)
            ]
            return len(reached) >= group.threshold
    return name in witnesses


@settings(max_examples=60, deadline=None)
@given(policies(), st.dictionaries(st.sampled_from(sorted(WITNESSES)), st.integers(1, 9)))
def test_the_logged_by_time_is_the_least_that_reaches_the_quorum(
    policy: Policy, times: dict[str, int]
) -> None:
    enough = [
        latest
        for latest in range(1, 10)
        if slow_reaches(
            policy.quorum, {name for name, at in times.items() if at <= latest}, policy
        )
    ]
    if enough:
        assert logged_by(cosigned(times), policy) == min(enough)
    else:
        with pytest.raises(UnverifiedError):
            logged_by(cosigned(times), policy)


def test_a_policy_that_asks_for_no_witness_dates_nothing() -> None:
    policy = parse_policy(f"log {LOG_VKEY}\nquorum none\n".encode())
    assert reaches_quorum((), policy)
    with pytest.raises(UnverifiedError, match="no witness"):
        logged_by(cosigned({"W1": 10}), policy)


FULL = {"W1": NOON, "W2": NOON + 1, "W4": NOON + 2}


def stale(name: str) -> SignatureLine:
    """A cosignature of `name` on an older tree, put under this one."""
    return cosign(checkpoint_text(3), WITNESSES[name], NOON)


def test_a_bad_cosignature_of_a_known_witness_spoils_a_full_quorum() -> None:
    for name in ("W3", "W5"):
        with pytest.raises(UnverifiedError, match="bad signature"):
            logged_by(with_line(cosigned(FULL), stale(name)), POLICY)


def test_a_witness_that_cosigned_twice_spoils_a_full_quorum() -> None:
    again = cosign(checkpoint_text(), WITNESSES["W1"], NOON - 60)
    with pytest.raises(UnverifiedError, match="more than one"):
        logged_by(with_line(cosigned(FULL), again), POLICY)


def test_strangers_neither_help_nor_harm() -> None:
    stranger = SigningKey(name="stranger.example", seed=b"\x99" * 32)
    note = with_line(cosigned(FULL), cosign(checkpoint_text(), stranger, 1))
    note = with_line(note, SignatureLine(name="x", key_id=b"\0" * 4, blob=b"junk"))
    mldsa_size = SignatureLine(name=ORIGIN, key_id=b"\6" * 4, blob=bytes(8 + 2420))
    assert logged_by(with_line(note, mldsa_size), POLICY) == NOON + 2


# Checkpoints and proofs under a policy.


def test_a_cosigned_checkpoint_is_opened() -> None:
    opened = open_checkpoint(format_note(cosigned(FULL)), POLICY, ORIGIN)
    assert opened.checkpoint == parse_checkpoint(checkpoint_text())
    assert opened.logged_by == NOON + 2
    assert opened.cosignatures == (("W1", NOON), ("W2", NOON + 1), ("W4", NOON + 2))


def unsigned(note: Note) -> Note:
    return Note(text=note.text, signatures=note.signatures[1:])


BAD_LOG_LINE = SignatureLine(name=ORIGIN, key_id=LOG.verifier().key_id, blob=bytes(64))
REFUSED_CHECKPOINTS = {
    "the log did not sign": unsigned(cosigned(FULL)),
    "the log's signature is bad": with_line(unsigned(cosigned(FULL)), BAD_LOG_LINE),
    "the log signed well and badly": with_line(cosigned(FULL), BAD_LOG_LINE),
    "a log nobody listed signed": with_line(
        unsigned(cosigned(FULL)), sign_note(checkpoint_text(), OTHER_LOG)
    ),
    "the quorum is missing": cosigned({"W1": NOON}),
}


@pytest.mark.parametrize("note", REFUSED_CHECKPOINTS.values(), ids=REFUSED_CHECKPOINTS)
def test_a_checkpoint_that_does_not_hold_is_refused(note: Note) -> None:
    with pytest.raises(UnverifiedError):
        open_checkpoint(format_note(note), POLICY)


def test_another_origin_than_asked_for_is_refused() -> None:
    with pytest.raises(UnverifiedError, match=f"not of {OTHER_LOG.name}"):
        open_checkpoint(format_note(cosigned(FULL)), POLICY, OTHER_LOG.name)


def test_of_two_listed_logs_only_the_one_named_like_the_origin_may_sign() -> None:
    both = replace(POLICY, logs=(*POLICY.logs, LogLine(key=OTHER_LOG.verifier())))
    open_checkpoint(format_note(cosigned(FULL)), both)
    usurped = with_line(unsigned(cosigned(FULL)), sign_note(checkpoint_text(), OTHER_LOG))
    with pytest.raises(UnverifiedError, match="no listed log called"):
        open_checkpoint(format_note(usurped), both)


def test_a_note_that_is_no_checkpoint_is_refused() -> None:
    note = Note(text="words\n", signatures=(sign_note("words\n", LOG),))
    with pytest.raises(MalformedError):
        open_checkpoint(format_note(note), POLICY)


def proof_of(index: int, size: int = 7) -> TlogProof:
    hashes = inclusion_proof(index, size, reader(grown(size)[1]))
    return TlogProof(
        index=index, hashes=tuple(hashes), checkpoint=format_note(cosigned(FULL, size))
    )


def test_a_proof_tells_where_and_by_when_an_entry_was_logged() -> None:
    for index in range(7):
        logged = verify_proof(format_proof(proof_of(index)), entry(index), POLICY, ORIGIN)
        assert (logged.origin, logged.index, logged.logged_by) == (ORIGIN, index, NOON + 2)
        assert logged.tree == grown(7)[0].tree()


REFUSED_PROOFS = {
    "another entry": (proof_of(3), entry(4)),
    "an empty entry": (proof_of(3), b""),
    "another index": (replace(proof_of(3), index=2), entry(3)),
    "an index beyond the tree": (replace(proof_of(3), index=7), entry(3)),
    "the proof of another entry": (replace(proof_of(3), hashes=proof_of(2).hashes), entry(3)),
    "a hash too few": (replace(proof_of(3), hashes=proof_of(3).hashes[:-1]), entry(3)),
    "a hash too many": (
        replace(proof_of(3), hashes=(*proof_of(3).hashes, bytes(32))),
        entry(3),
    ),
    "a checkpoint of another size": (
        replace(proof_of(3), checkpoint=proof_of(3, 20).checkpoint),
        entry(3),
    ),
    "a checkpoint without quorum": (
        replace(proof_of(3), checkpoint=format_note(cosigned({"W1": NOON}))),
        entry(3),
    ),
}


@pytest.mark.parametrize(("proof", "data"), REFUSED_PROOFS.values(), ids=REFUSED_PROOFS)
def test_a_proof_that_does_not_hold_is_refused(proof: TlogProof, data: bytes) -> None:
    with pytest.raises(UnverifiedError):
        verify_proof(format_proof(proof), data, POLICY)


def test_the_extra_of_a_proof_is_not_authenticated() -> None:
    annotated = replace(proof_of(3), extra=b"anybody can write this")
    assert verify_proof(format_proof(annotated), entry(3), POLICY).index == 3


@settings(max_examples=200, deadline=None)
@given(near(format_proof(proof_of(5))))
def test_no_neighbour_of_a_proof_proves_anything_else(data: bytes) -> None:
    whole = verify_proof(format_proof(proof_of(5)), entry(5), POLICY)
    try:
        logged = verify_proof(data, entry(5), POLICY)
    except (MalformedError, UnverifiedError):
        return
    # A line of a witness may be made a stranger's; the quorum then has to hold without it.
    assert (logged.index, logged.tree) == (whole.index, whole.tree)
    assert logged.logged_by >= whole.logged_by
