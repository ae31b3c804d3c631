"""The board's console between the first vote and the register's word that it took the decision.

Console and register lose their machines together, or one loses the other's answer. Every step
is taken by a console that was started for it, so none rests on what only a process knew.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from tests.crash.board_rig import Journey, Rig, fails_everywhere, prepared, started
from tests.crash.disk import KEPT, TORN, WAYS
from tests.crash.test_board_and_register import filed, refused
from tests.crash.test_two_at_once import at_once
from tests.parties.board.console_world import ORIGIN
from tests.parties.registry.appealing import PANEL, WHY
from tests.parties.registry.register_world import NOTHING_FOUND, World, appeal_of
from tests.parties.registry.test_kinds_of_claims import ASSESSED
from tests.protocol.builders import MEMBERS

from safeconduct.errors import UnavailableError
from safeconduct.parties.board import console_voting as voting
from safeconduct.parties.board.console import Console, File, console_key, file_of, make_console
from safeconduct.parties.board.console_pull import REQUEST_HEADER, pull
from safeconduct.parties.board.console_site import bring
from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.registry import appeals, board_site, decide
from safeconduct.plumbing import fetch
from safeconduct.protocol.canonical import format_json
from safeconduct.protocol.decision import final_draft
from safeconduct.protocol.tlog.note import SigningKey, format_vkey
from safeconduct.protocol.votes import Vote

KEPT_KINDS = frozenset({"vote", "draft", "line", "signed", "posted", "reopened"})


def asking(rig: Rig) -> Callable[..., fetch.Response]:
    """What the console asks the register, over a line that may break."""

    def answer(method: str, url: str, body: bytes, header: str) -> bytes:
        registry = rig.world.registry
        action = url.rpartition("/")[2]
        board_site.verify_request(registry, header, action, body)
        if method == "GET":
            return board_site.format_dockets(board_site.open_dockets(registry))
        return format_json(dict(board_site.take_decision(registry, body)))

    def ask(
        method: str, url: str, body: bytes, headers: Mapping[str, str], _: int
    ) -> fetch.Response:
        disk = rig.logs()[1].disk

        def answered() -> bytes:
            return answer(method, url, body, headers[REQUEST_HEADER])

        data = disk.asked(answered) if disk and method == "POST" else answered()
        return fetch.Response(status=200, headers={}, body=data)

    return ask


@contextmanager
def console_of(rig: Rig) -> Iterator[Console]:
    """A console that was just started, in the register's folder for once."""
    world = rig.world
    console = make_console(
        world.folder / "console",
        world.registry.programme,
        ORIGIN,
        seconds=lambda: world.now,
        random_bytes=os.urandom,
        read_state=lambda _: world.state(),
        ask=asking(rig),
    )
    try:
        yield console
    finally:
        console.store.close()


def the_file(console: Console) -> File:
    if console.memory.state is None:
        console.memory.state = console.read_state(console.programme)
        console.memory.read_at = console.seconds()
    return file_of(console, console.store.dockets()[0])


def standing_of(console: Console) -> voting.Standing:
    question = the_file(console).question
    return voting.stand(question, console.store.events(question.claim))


def asks(rig: Rig) -> object:
    with console_of(rig) as console:
        pull(console)
        if console.memory.trouble or console.store.unposted():
            raise UnavailableError(console.memory.trouble or "not taken yet")
        assert console.store.dockets()
    return True


def votes(name: str, outcome: str) -> Callable[[Rig], object]:
    def voted(rig: Rig) -> object:
        with console_of(rig) as console:
            file = the_file(console)
            if name in standing_of(console).votes:
                return True  # their page shows them that it is kept
            agrees = outcome == file.question.yielded
            vote = Vote(
                member=name,
                vote="agree" if agrees else "depart",
                outcome=outcome,
                reasons="" if agrees else WHY,
            )
            voting.cast(console.store, file.question, name, vote, 0, rig.world.now)
        return True

    return voted


def drafts(name: str, outcome: str, departure: str) -> Callable[[Rig], object]:
    def drafted(rig: Rig) -> object:
        with console_of(rig) as console:
            file = the_file(console)
            voting.make_draft(
                console.store,
                file.question,
                name,
                outcome,
                departure,
                rig.world.now,
                lambda votes, outcome, departure: final_draft(
                    file.docket, votes, outcome, departure
                ),
                without_all=True,
            )
        return True

    return drafted


def signs(key: SigningKey) -> Callable[[Rig], object]:
    def signed(rig: Rig) -> object:
        with console_of(rig) as console:
            standing = standing_of(console)
            assert standing.draft is not None
            if standing.signed:
                return True  # their page shows them that it is
            copy = sign_all(standing.draft.record, [key])
            bring(console, the_file(console), key.name, copy)
        return True

    return signed


def sitting(keys: tuple[SigningKey, ...], outcome: str, departure: str = "") -> Journey:
    """All that two members do, from the docket to the register's word."""
    one, other = keys[:2]
    return {
        "asks": asks,
        "one votes": votes(one.name, outcome),
        "other votes": votes(other.name, outcome),
        "drafts": drafts(one.name, outcome, departure),
        "one signs": signs(one),
        "other signs": signs(other),
        "posts": asks,
        "posts nothing more": asks,
    }


def kept(rig: Rig) -> object:
    """What the console keeps; it has no word of the register's that is not so."""
    with console_of(rig) as console:
        docket = console.store.dockets()[:1]
        if not docket:
            return []
        kinds = [
            event.kind
            for event in console.store.events(docket[0].claim)
            if event.kind in KEPT_KINDS
        ]
    decided = {"decided", "appeal_decided", "remitted"}
    case = rig.world.registry.store.case(docket[0].claim)
    if "posted" in kinds:
        assert not decided.isdisjoint(case.latest)
    for name in ("one votes", "other votes"):
        assert name not in rig.done or "vote" in kinds
    return kinds


def before_board(folder: Path, patch: pytest.MonkeyPatch) -> World:
    world = filed(folder, patch)
    world.proposed(world.registry.store.cases()[0].claim)
    return with_console(world)


def before_panel(folder: Path, patch: pytest.MonkeyPatch) -> World:
    world = refused(folder, patch)
    [case] = world.registry.store.cases()
    signed = decide.decided_record(world.registry, case.claim)
    assert signed is not None
    decide.appeal(world.registry, case.claim, appeal_of(signed))
    appeals.propose_appeal(world.registry, case.claim, NOTHING_FOUND, ASSESSED)
    return with_console(world)


def with_console(world: World) -> World:
    (world.folder / "console").mkdir()
    vkey = format_vkey(console_key(world.folder / "console").verifier())
    board_site.set_console_key(world.folder, vkey)
    return world


SITTINGS: dict[str, tuple[Callable[[Path, pytest.MonkeyPatch], World], Journey]] = {
    "the board": (before_board, sitting(MEMBERS, "acquitted")),
    "the board, departing": (before_board, sitting(MEMBERS, "registration_stands", WHY)),
    "the panel": (before_panel, sitting(PANEL, "remit", WHY)),
}


@pytest.mark.parametrize(
    ("what", "way"),
    [("the board", way) for way in WAYS]
    + [("the board, departing", KEPT), ("the panel", TORN)],
)
def test_whatever_step_fails_the_register_hears_it_once_and_the_console_of_that(
    tmp_path: Path, what: str, way: str
) -> None:
    begin, journey = SITTINGS[what]
    (tmp_path / "start").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        start = prepared(begin(tmp_path / "start", patch), journey)
    start.beside = kept
    assert fails_everywhere(start, tmp_path, way) > 12


@pytest.fixture
def before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    """A case on the console, voted on and drafted."""
    (tmp_path / "register").mkdir()
    world = before_board(tmp_path / "register", monkeypatch)
    rig = started(world, {})
    for name, step in sitting(MEMBERS, "acquitted").items():
        if name == "one signs":
            break
        step(rig)
    return rig


def two_copies(rig: Rig, pairs: list[tuple[Console, tuple[SigningKey, ...]]]) -> list[str]:
    with console_of(rig) as console:
        draft = standing_of(console).draft
    assert draft is not None
    acts: list[Callable[[], object]] = []
    for console, keys in pairs:
        file, copy = the_file(console), sign_all(draft.record, keys)
        acts.append(partial(bring, console, file, "", copy))
    done, told = at_once(acts)
    assert len(done) + len(told) == len(pairs)
    with console_of(rig) as console:
        return [event.kind for event in console.store.events(the_file(console).kept.claim)]


def test_two_members_bring_their_copies_at_once_and_both_count(before: Rig) -> None:
    with console_of(before) as one, console_of(before) as other:
        kinds = two_copies(before, [(one, MEMBERS[:1]), (other, MEMBERS[1:2])])
    assert (kinds.count("line"), kinds.count("signed")) == (2, 1)
    assert asks(before)


def test_the_same_copy_twice_at_once_counts_once(before: Rig) -> None:
    with console_of(before) as one, console_of(before) as other:
        kinds = two_copies(before, [(one, MEMBERS[:2]), (other, MEMBERS[:2])])
    assert (kinds.count("line"), kinds.count("signed")) == (2, 1)


def test_two_consoles_that_post_at_once_are_both_told_the_same(before: Rig) -> None:
    for key in MEMBERS[:2]:
        signs(key)(before)
    with console_of(before) as one, console_of(before) as other:
        at_once([lambda: pull(one), lambda: pull(other)])
        assert asks(before)
        kinds = before.cases().values()
    assert [kind.count("decided") for kind in kinds] == [1]
