import threading

import pytest
from tests.parties.log.guard_world import (
    LOG_KEYS,
    NAMES,
    ORIGIN,
    VERIFIERS,
    History,
    Honest,
    Serve,
    Town,
    always,
    key_of,
    lines,
    two_of_three,
    witness,
)

from safeconduct.errors import ConflictError, UnavailableError
from safeconduct.parties.log import ahead
from safeconduct.parties.log.ahead import Lookout
from safeconduct.plumbing.fetch import Response
from safeconduct.protocol.tlog.checkpoint import Checkpoint, format_checkpoint
from safeconduct.protocol.tlog.cosignature import sign_as_log
from safeconduct.protocol.tlog.merkle import Tree
from safeconduct.protocol.tlog.note import MLDSA44, Note, SigningKey, format_note
from safeconduct.protocol.tlog.policy import GroupLine, LogLine, Policy

TRUE = History(40)
FORKED = History(40, "forked", shared=10)


def confirm(town: Town, tree: Tree, policy: Policy | None = None) -> None:
    """What a log does that signed `tree` of the true history last."""
    lookout = Lookout(
        policy or two_of_three(),
        VERIFIERS,
        town.ask,
        prefix=lambda size: TRUE.tree(size).root_hash,
    )
    lookout.confirm(tree)


HARMLESS: dict[str, Serve] = {
    "what was signed last": always(200, TRUE.shown(20)),
    "a smaller tree": always(200, TRUE.shown(7)),
    "the empty tree": always(200, TRUE.shown(0)),
    "a checkpoint with its own cosignature": always(
        200, TRUE.shown(20) + lines(TRUE.note(20).text, key_of("anna"))
    ),
    "a checkpoint under the Ed25519 key alone": always(200, TRUE.shown(20, LOG_KEYS[:1])),
    "a checkpoint under the ML-DSA key alone": always(200, TRUE.shown(20, LOG_KEYS[1:])),
    "nothing of this log": always(404),
}


@pytest.mark.parametrize("case", HARMLESS)
def test_a_log_starts_when_a_quorum_has_seen_no_more_than_it_signed(case: str) -> None:
    confirm(Town(serve=dict.fromkeys(NAMES, HARMLESS[case])), TRUE.tree(20))


AHEAD: dict[str, tuple[Serve, str]] = {
    "a larger tree": (always(200, TRUE.shown(21)), "shows 21 entries .* signed only 20"),
    "a larger tree of another history": (always(200, FORKED.shown(40)), "signed only 20"),
    "a larger tree under one of two keys": (
        always(200, TRUE.shown(21, LOG_KEYS[1:])),
        "signed only 20",
    ),
    "a larger tree, with a bad line beside our good one": (
        always(
            200,
            TRUE.shown(40, LOG_KEYS[:1]) + TRUE.shown(20, LOG_KEYS[1:]).split(b"\n\n")[1],
        ),
        "signed only 20",
    ),
    "as many entries with another root": (always(200, FORKED.shown(20)), "another root"),
    "fewer entries of another history": (always(200, FORKED.shown(11)), "do not begin"),
}


@pytest.mark.parametrize("case", AHEAD)
def test_one_witness_with_our_own_signature_on_it_stops_a_log_for_good(case: str) -> None:
    serve, reason = AHEAD[case]
    with pytest.raises(ConflictError, match=reason) as caught:
        confirm(Town(serve={"clara": serve}), TRUE.tree(20))
    assert caught.value.message.startswith("clara shows")
    assert "log repair --from-mirror" in caught.value.hint
    assert caught.value.evidence == (serve("", None).body,)


def test_a_log_that_cannot_compare_smaller_trees_looks_at_the_larger_ones_only() -> None:
    town = Town(serve={"anna": always(200, FORKED.shown(11))})
    Lookout(two_of_three(), VERIFIERS, town.ask).confirm(TRUE.tree(20))


def signed_by_a_stranger(size: int) -> bytes:
    stranger = SigningKey(name=ORIGIN, seed=bytes(32))
    return TRUE.shown(size, (stranger,))


def another_logs_checkpoint() -> bytes:
    other = SigningKey(name="log.example/gazette", seed=LOG_KEYS[0].seed)
    text = format_checkpoint(Checkpoint(origin=other.name, tree=TRUE.tree(40)))
    return format_note(Note(text=text, signatures=(sign_as_log(text, other, 1),)))


def tampered(size: int) -> bytes:
    return TRUE.shown(20).replace(b"\n20\n", b"\n%d\n" % size)


NO_ANSWER: dict[str, Serve] = {
    "a larger tree that a stranger signed": always(200, signed_by_a_stranger(40)),
    "our signature over another text": always(200, tampered(40)),
    "another log's checkpoint": always(200, another_logs_checkpoint()),
    "its own cosignature without ours": always(
        200, TRUE.note(40).text.encode() + b"\n" + lines(TRUE.note(40).text, key_of("anna"))
    ),
    "junk": always(200, b"\xff\x00junk"),
    "nothing": always(200, b""),
    "a redirect": always(302, headers={"location": "http://elsewhere.example/"}),
    "an error": always(500, b"error: out of order\n"),
    "a conflict that it invented": always(
        500, b"error: you are forked\n", {"x-error-family": "conflict"}
    ),
    "another conflict that it invented": always(409, b"error: you are forked\n"),
}


@pytest.mark.parametrize("case", NO_ANSWER)
def test_a_lying_witness_stops_no_log_and_counts_for_nothing(case: str) -> None:
    confirm(Town(serve={"anna": NO_ANSWER[case]}), TRUE.tree(20))
    liars = Town(serve=dict.fromkeys(("anna", "clara"), NO_ANSWER[case]))
    with pytest.raises(UnavailableError, match=r"anna: .*; clara: ") as caught:
        confirm(liars, TRUE.tree(20))
    assert "boris" not in caught.value.message


def test_witnesses_that_are_away_are_waited_for_only_if_they_are_needed() -> None:
    town = Town()
    del town.serve["anna"]
    confirm(town, TRUE.tree(20))
    del town.serve["boris"]
    with pytest.raises(UnavailableError, match="anna: cannot be reached; boris: cannot"):
        confirm(town, TRUE.tree(20))


def test_a_witness_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "WITNESS_SECONDS", 2.0)
    released = threading.Event()

    def hang(path: str, body: bytes | None) -> Response:
        released.wait(100)
        return Response(status=404)

    try:
        confirm(Town(serve={"anna": hang}), TRUE.tree(20))
        with pytest.raises(UnavailableError, match="anna does not answer; clara does not"):
            confirm(Town(serve={"anna": hang, "clara": hang}), TRUE.tree(20))
    finally:
        released.set()


def test_a_witness_with_two_keys_is_asked_once_and_answers_for_both() -> None:
    pq = witness("anna-pq", key_of("anna", MLDSA44), host="anna")
    policy = Policy(
        logs=(LogLine(key=VERIFIERS[0]),),
        witnesses=(witness("anna"), pq),
        groups=(GroupLine(name="both", threshold=2, members=("anna", "anna-pq")),),
        quorum="both",
    )
    town = Town()
    confirm(town, TRUE.tree(20), policy)
    assert len(town.requests) == 1


def test_a_new_log_starts_with_witnesses_that_know_nothing_of_it() -> None:
    assert all(isinstance(serve, Honest) for serve in Town().serve.values())
    confirm(Town(), TRUE.tree(0))
