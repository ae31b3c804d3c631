"""A register that wants its board's console to stop: too much at once, or one spoilt case."""

from functools import partial
from pathlib import Path

from tests.parties.board.console_world import ConsoleWorld, docket
from tests.protocol.builders import MEMBERS

from safeconduct.errors import UnverifiedError
from safeconduct.parties.board import console_pull, console_voting
from safeconduct.parties.board.console import File
from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.registry import board_site
from safeconduct.protocol.decision import final_draft
from safeconduct.protocol.votes import Vote


def test_a_console_takes_as_much_as_a_register_sends() -> None:
    whole = board_site.DOCKETS_BYTES_MAX + len(b'{"dockets":[]}') + (1 << 16)  # of commas
    assert whole <= console_pull.DOCKETS_BYTES_MAX


def settle(world: ConsoleWorld, file: File) -> None:
    """Have two members vote for what the law yields, and sign it."""
    store, question = world.console.store, file.question
    for key in MEMBERS[:2]:
        standing = console_voting.stand(question, store.events(question.claim))
        vote = Vote(member=key.name, vote="agree", outcome=question.yielded)
        after = standing.last.get(key.name, 0)
        console_voting.cast(store, question, key.name, vote, after, world.now)
    console_voting.make_draft(
        store,
        question,
        MEMBERS[0].name,
        question.yielded,
        "",
        world.now,
        partial(final_draft, file.docket),
        without_all=True,
    )
    draft = console_voting.stand(question, store.events(question.claim)).draft
    assert draft is not None
    signed = sign_all(draft.record, MEMBERS[:2])
    console_voting.take_signed(store, question, MEMBERS[0].name, signed, world.now)


def test_a_case_that_no_longer_holds_does_not_hold_up_the_others(tmp_path: Path) -> None:
    world = ConsoleWorld(folder=tmp_path)
    world.register.dockets = [docket(7), docket(8)]
    world.pull()
    spoilt, sound = world.file(0), world.file(1)
    for file in (spoilt, sound):
        settle(world, file)
    error = UnverifiedError("docket: law and evidence give another judgement")
    world.console.memory.dockets[spoilt.kept.hash] = (world.state.size, error)
    world.pull()
    assert len(world.register.taken) == 1
    assert "number 8" in str(world.register.taken[0]["signed"])
