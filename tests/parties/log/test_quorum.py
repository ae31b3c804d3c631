import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.parties.log.guard_world import (
    AT,
    LOG_KEYS,
    NAMES,
    ORIGIN,
    SIZE_TYPE,
    VERIFIERS,
    History,
    Honest,
    Serve,
    Town,
    always,
    key_of,
    lines,
    posts_and_gets,
    two_of_three,
    witness,
)

from safeconduct.errors import ConflictError, RefusedError, UnavailableError
from safeconduct.parties.log import quorum as quorum_module
from safeconduct.parties.log.quorum import Quorum
from safeconduct.plumbing import clock
from safeconduct.plumbing.fetch import Response
from safeconduct.protocol.tlog.cosignature import verify_cosignature
from safeconduct.protocol.tlog.note import MLDSA44, SigningKey, parse_note, signatures_by
from safeconduct.protocol.tlog.policy import (
    GroupLine,
    LogLine,
    Policy,
    WitnessLine,
    open_checkpoint,
)

TRUE = History(60)
FORKED = History(60, "forked", shared=10)
SIZE = 20
TEXT = TRUE.note(SIZE).text


@contextmanager
def opened(
    town: Town, policy: Policy | None = None, grace_seconds: float = 30.0
) -> Iterator[Quorum]:
    """A quorum that waits for all who answer, on however busy a machine."""
    made = Quorum(
        policy or two_of_three(), ask=town.ask, keys=VERIFIERS, grace_seconds=grace_seconds
    )
    try:
        yield made
    finally:
        made.close()


def cosigned(quorum: Quorum, size: int = SIZE) -> bytes:
    return quorum.cosigned(TRUE.note(size), TRUE.tree(size), TRUE.prove)


def two_rounds(quorum: Quorum) -> None:
    """What a late answer says is heard in the next round."""
    for _ in range(2):
        cosigned(quorum)


def cosigners(checkpoint: bytes, policy: Policy | None = None) -> set[str]:
    opened = open_checkpoint(checkpoint, policy or two_of_three(), ORIGIN)
    return {name for name, _ in opened.cosignatures}


def test_the_checkpoint_carries_the_logs_lines_and_all_witnesses() -> None:
    with opened(Town()) as quorum:
        signed = TRUE.note(SIZE)
        checkpoint = quorum.cosigned(signed, TRUE.tree(SIZE), TRUE.prove)
    assert cosigners(checkpoint) == set(NAMES)
    note = parse_note(checkpoint)
    assert note.signatures[:2] == signed.signatures
    assert [line.name for line in note.signatures[2:]] == [f"{name}.example" for name in NAMES]


def test_each_round_asks_each_witness_once_and_proves_from_what_it_holds() -> None:
    town = Town()
    with opened(town) as quorum:
        for size in (5, 6, 6, 33):
            assert cosigners(cosigned(quorum, size)) == set(NAMES)
    assert [town.posts(name) for name in NAMES] == [4, 4, 4]


def test_a_log_started_afresh_learns_from_the_answer_where_to_prove_from() -> None:
    town = Town()
    with opened(town) as quorum:
        cosigned(quorum, 13)
    with opened(town) as quorum:
        assert cosigners(cosigned(quorum, 50)) == set(NAMES)
    assert town.posts("anna") == 3


def two_keys(both: str = "all") -> tuple[Policy, SigningKey]:
    """anna cosigns with two keys at one address, and the quorum needs `both` or any."""
    pq = key_of("anna", MLDSA44)
    policy = Policy(
        logs=tuple(LogLine(key=key) for key in VERIFIERS),
        witnesses=(witness("anna"), witness("anna-pq", pq, host="anna")),
        groups=(
            GroupLine(
                name="both", threshold=2 if both == "all" else 1, members=("anna", "anna-pq")
            ),
        ),
        quorum="both",
    )
    return policy, pq


def test_a_witness_with_two_keys_is_asked_once_and_both_lines_are_taken() -> None:
    policy, pq = two_keys()
    town = Town(serve={"anna": Honest(keys=(key_of("anna"), pq))})
    with opened(town, policy) as quorum:
        checkpoint = cosigned(quorum)
    assert cosigners(checkpoint, policy) == {"anna", "anna-pq"}
    assert verify_cosignature(parse_note(checkpoint), pq.verifier()) == AT
    assert town.posts("anna") == 1


def test_one_key_of_two_counts_for_itself_alone() -> None:
    town = Town()
    with opened(town, two_keys()[0]) as quorum, pytest.raises(UnavailableError):
        cosigned(quorum)
    policy, _ = two_keys("any")
    with opened(Town(), policy) as quorum:
        assert cosigners(cosigned(quorum), policy) == {"anna"}


def test_a_bad_line_by_one_key_spoils_the_answer_of_both() -> None:
    policy, pq = two_keys("any")
    other = TRUE.note(SIZE - 1).text
    serve = always(200, lines(TEXT, key_of("anna")) + lines(other, pq))
    with (
        opened(Town(serve={"anna": serve}), policy) as quorum,
        pytest.raises(UnavailableError, match=r"anna/anna-pq: .*bad signature"),
    ):
        cosigned(quorum)


LIARS: dict[str, tuple[Serve, str]] = {
    "its line for another text": (
        always(200, lines(TRUE.note(SIZE + 1).text, key_of("anna"))),
        "bad signature by anna.example",
    ),
    "its line for a forked tree": (
        always(200, lines(FORKED.note(SIZE).text, key_of("anna"))),
        "bad signature",
    ),
    "two lines of its own": (
        always(200, lines(TEXT, key_of("anna")) + lines(TEXT, key_of("anna"), at=AT + 1)),
        "more than one",
    ),
    "another witness's good line": (always(200, lines(TEXT, key_of("boris"))), "without a"),
    "a stranger's line": (
        always(200, lines(TEXT, SigningKey(name="anna.example", seed=bytes(32)))),
        "without a cosignature",
    ),
    "our own line": (
        always(200, TRUE.shown(SIZE).split(b"\n\n")[1]),
        "without a cosignature",
    ),
    "a whole note": (always(200, TRUE.shown(SIZE)), "— name base64"),
    "its line, cut short": (always(200, lines(TEXT, key_of("anna"))[:-1]), "cut short"),
    "junk": (always(200, b"\xff\x00"), ""),
    "nothing": (always(200), "no signature"),
    "a hundred thousand lines": (always(200, b"\n" * 100_000), "over 100 signatures"),
    "a redirect": (always(302, headers={"location": "http://other/"}), "answered 302"),
    "created": (always(201, lines(TEXT, key_of("anna"))), "answered 201"),
    "a page": (always(200, b"<html>welcome</html>\n"), "— name base64"),
    "an error": (always(500, b"error: disk full\n"), "disk full"),
    "a denial": (always(403, b"error: who are you\n"), "who are you"),
    "a log it does not serve": (always(404, b""), "does not serve this log"),
    "a refused proof": (always(422, b"error: bad proof\n"), "refuses: bad proof"),
    "a conflict of the old kind": (always(409, b""), "refuses: the server answered 409"),
    "a conflict of its own making": (
        always(500, b"error: x\n", {"x-error-family": "conflict"}),
        "anna: x",
    ),
    "a size that is no number": (always(409, b"many\n", SIZE_TYPE), "size"),
    "a size without its end": (always(409, b"5", SIZE_TYPE), "cut short"),
    "a size with a sign": (always(409, b"+5\n", SIZE_TYPE), "decimal"),
    "a size of a million digits": (always(409, b"9" * 60_000 + b"\n", SIZE_TYPE), "decimal"),
    "the same size for ever": (always(409, b"5\n", SIZE_TYPE), "another size each time"),
    "a larger size, nothing to show": (always(409, b"21\n", SIZE_TYPE), "without evidence"),
    "the largest size": (
        always(409, b"9223372036854775807\n", SIZE_TYPE),
        "without evidence",
    ),
}


@pytest.mark.parametrize("case", LIARS)
def test_a_lying_witness_neither_counts_nor_stops_the_log(case: str) -> None:
    serve, reason = LIARS[case]
    town = Town(serve={"anna": serve})
    with opened(town) as quorum:
        assert cosigners(cosigned(quorum)) == {"boris", "clara"}
        assert town.posts("anna") <= 3
    del town.serve["boris"]
    with opened(town) as quorum, pytest.raises(UnavailableError, match="anna: ") as caught:
        cosigned(quorum)
    assert reason in caught.value.message
    assert "clara" not in caught.value.message
    assert "boris: cannot be reached" in caught.value.message


def claiming(size: int, shown: bytes) -> Serve:
    """A witness that claims `size`, and shows something at its monitoring address."""
    return posts_and_gets(
        Response(status=409, headers=SIZE_TYPE, body=b"%d\n" % size),
        Response(status=200, body=shown),
    )


def refusing(status: int, shown: bytes) -> Serve:
    return posts_and_gets(Response(status=status), Response(status=200, body=shown))


EVIDENCE: dict[str, tuple[Serve, str]] = {
    "a larger tree": (claiming(33, TRUE.shown(33)), "33 entries .* signed only 20"),
    "a larger tree than it claims": (claiming(33, TRUE.shown(44)), "44 entries"),
    "as many entries, refused since July 2026": (
        refusing(422, FORKED.shown(SIZE)),
        "another root",
    ),
    "as many entries, refused as of old": (refusing(409, FORKED.shown(SIZE)), "another root"),
    "a smaller tree of another history": (refusing(422, FORKED.shown(15)), "do not begin"),
    "under one of our two keys": (claiming(33, TRUE.shown(33, LOG_KEYS[:1])), "33 entries"),
}


@pytest.mark.parametrize("case", EVIDENCE)
def test_our_own_signature_on_what_contradicts_us_stops_the_log(case: str) -> None:
    serve, reason = EVIDENCE[case]
    with (
        opened(Town(serve={"clara": serve})) as quorum,
        pytest.raises(ConflictError, match=f"clara shows .*{reason}") as caught,
    ):
        two_rounds(quorum)
    assert caught.value.evidence == (serve("", None).body,)
    assert "repair" in caught.value.hint


NO_EVIDENCE: dict[str, Serve] = {
    "nothing": posts_and_gets(
        Response(status=409, headers=SIZE_TYPE, body=b"33\n"), Response(status=404)
    ),
    "a stranger's signature": claiming(
        33, TRUE.shown(33, (SigningKey(name=ORIGIN, seed=bytes(32)),))
    ),
    "our signature over another size": claiming(
        33, TRUE.shown(SIZE).replace(b"\n20\n", b"\n33\n")
    ),
    "a tree that we know": claiming(33, TRUE.shown(7)),
    "an error of the conflict family": posts_and_gets(
        Response(status=409, headers=SIZE_TYPE, body=b"33\n"),
        Response(status=500, headers={"x-error-family": "conflict"}),
    ),
    "a refusal beside a tree that begins ours": refusing(422, TRUE.shown(15)),
}


@pytest.mark.parametrize("case", NO_EVIDENCE)
def test_a_claim_without_our_signature_only_loses_that_witness(case: str) -> None:
    with opened(Town(serve={"clara": NO_EVIDENCE[case]})) as quorum:
        for size in (SIZE, SIZE + 1):
            assert cosigners(cosigned(quorum, size)) == {"anna", "boris"}


def test_evidence_is_judged_by_what_was_signed_meanwhile() -> None:
    shown = threading.Event()

    def late(path: str, body: bytes | None) -> Response:
        shown.wait(100)
        return claiming(33, TRUE.shown(33))(path, body)

    town = Town(serve={"clara": late})
    with opened(town, grace_seconds=0.05) as quorum:
        cosigned(quorum, SIZE)  # somebody shows clara 33, while we go on to 40
        cosigned(quorum, 40)
        shown.set()
        for size in range(41, 50):
            cosigned(quorum, size)


def test_push_back_leaves_a_witness_alone_for_as_long_as_it_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1000.0]
    monkeypatch.setattr(clock, "monotonic", lambda: now[0])
    town = Town(serve={"anna": always(429, headers={"retry-after": "7"})})
    with opened(town) as quorum:
        for seconds, posts in ((0, 1), (6.5, 1), (0.6, 2)):
            now[0] += seconds
            assert cosigners(cosigned(quorum)) == {"boris", "clara"}
            assert town.posts("anna") == posts
        del town.serve["boris"]
        with pytest.raises(UnavailableError, match="anna: asks to be left alone for 7 s"):
            cosigned(quorum)
        town.serve["anna"] = Honest(keys=(key_of("anna"),))
        now[0] += 7
        assert cosigners(cosigned(quorum)) == {"anna", "clara"}


RETRY_AFTER = {
    "7": 7,
    "1": 1,
    "999999999": 60,
    "": 5,
    "-1": 5,
    "soon": 5,
    "Wed, 21 Oct 2026 07:28:00 GMT": 5,
    "9" * 5000: 5,
}


@pytest.mark.parametrize("header", RETRY_AFTER)
def test_no_push_back_lasts_longer_than_a_minute(
    header: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(clock, "monotonic", lambda: now[0])
    town = Town(serve={"anna": always(429, headers={"retry-after": header})})
    with opened(town) as quorum:
        cosigned(quorum)
        now[0] += RETRY_AFTER[header] - 0.1
        cosigned(quorum)
        assert town.posts("anna") == 1
        now[0] += 0.2
        cosigned(quorum)
        assert town.posts("anna") == 2


def test_a_witness_that_hangs_holds_up_nobody_and_is_not_asked_again_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(quorum_module, "WITNESS_SECONDS", 90)
    released = threading.Event()

    def hang(path: str, body: bytes | None) -> Response:
        released.wait(100)
        return Response(status=404)

    town = Town(serve={"anna": hang})
    try:
        with opened(town, grace_seconds=0.05) as quorum:
            before = clock.monotonic()
            for size in range(SIZE, SIZE + 5):
                assert cosigners(cosigned(quorum, size)) == {"boris", "clara"}
            assert clock.monotonic() - before < 50
            assert town.posts("anna") == 1
    finally:
        released.set()


def test_without_a_quorum_the_log_says_who_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quorum_module, "WITNESS_SECONDS", 2.0)
    released = threading.Event()

    def hang(path: str, body: bytes | None) -> Response:
        released.wait(100)
        return Response(status=404)

    try:
        with opened(Town(serve={"anna": hang, "boris": always(500)})) as quorum:
            for _ in range(2):
                with pytest.raises(UnavailableError) as caught:
                    cosigned(quorum)
                assert "no quorum: anna does not answer; boris: " in caught.value.message
    finally:
        released.set()


def without_url(name: str) -> WitnessLine:
    return WitnessLine(name=name, key=key_of(name).cosigner())


UNREACHABLE: dict[str, Policy] = {
    "no witness": Policy(quorum="none"),
    "no quorum asked for": Policy(witnesses=(witness("anna"),), quorum="none"),
    "no address": Policy(witnesses=(without_url("anna"),), quorum="anna"),
    "an address of the other only": Policy(
        witnesses=(without_url("anna"), witness("boris")), quorum="anna"
    ),
}


@pytest.mark.parametrize("case", UNREACHABLE)
def test_a_quorum_that_can_never_be_reached_is_refused_at_the_start(case: str) -> None:
    with pytest.raises(RefusedError, match="cannot be reached"):
        Quorum(UNREACHABLE[case])


def test_an_old_checkpoint_is_told_from_one_that_the_policy_accepts() -> None:
    with opened(Town()) as quorum:
        checkpoint = cosigned(quorum)
        assert quorum.is_reached_by(checkpoint)
        assert not quorum.is_reached_by(TRUE.shown(SIZE))
        assert signatures_by(parse_note(checkpoint), VERIFIERS[0])
