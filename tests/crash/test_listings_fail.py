"""Listings and imports: each durable step fails, and is taken again by who had no answer."""

from pathlib import Path
from typing import Any

import pytest
from tests.crash.board_rig import Journey, Rig, fails_everywhere, faultless, prepared
from tests.crash.disk import WAYS
from tests.parties.registry.listing_world import (
    FILE,
    PANEL,
    REPLY_SECONDS,
    Listings,
    founded,
    open_listings,
)
from tests.parties.registry.register_world import APPEAL_SECONDS, World
from tests.protocol import builders

from safeconduct.parties.board.sign import sign_all
from safeconduct.parties.registry import enlist, enlist_decide, enlist_final, hearing
from safeconduct.parties.registry.duties import listings_of
from safeconduct.parties.registry.importing import carry_out, plan_import

LIST = "subject,name,conduct\n" + "".join(
    f"r-{number},Ada {'ABCDEFGHIJ'[number % 10]}quill,signed\n" for number in range(1, 61)
)


def opened(folder: Path, patch: pytest.MonkeyPatch, _: tuple[bytes, ...] = ()) -> World:
    return open_listings(folder, patch).world


def page(rig: Rig) -> bytes:
    return listings_of(rig.world.registry).listed(1).page


def propose(rig: Rig) -> object:
    return enlist.propose(rig.world.registry, dict(FILE))


def notify(rig: Rig) -> object:
    return enlist.notify(rig.world.registry, 1)


def reply(rig: Rig) -> object:
    return hearing.reply(rig.world.registry, page(rig), "It was my deputy.")


def draft(rig: Rig) -> object:
    rig.world.now += REPLY_SECONDS + 1
    return sign_all(enlist_decide.draft_decision(rig.world.registry, 1), builders.MEMBERS[:2])


def enter(rig: Rig) -> object:
    return enlist_decide.enter(rig.world.registry, 1, rig.done["draft"])


def appeal(rig: Rig) -> object:
    rig.world.now += 1
    return hearing.appeal(rig.world.registry, page(rig), "law", "The act is not that old.")


def judge(result: str) -> Any:
    def judged(rig: Rig) -> object:
        record = Listings(rig.world).judgement(result)
        return sign_all(record, PANEL[:2])

    return judged


def enter_judged(rig: Rig) -> object:
    return enlist_decide.enter(rig.world.registry, 1, rig.done["judge"])


def wait(rig: Rig) -> object:
    rig.world.now += APPEAL_SECONDS + REPLY_SECONDS
    return True


def finalise(rig: Rig) -> object:
    record = enlist_final.finalise(rig.world.registry, 1)
    assert record is not None
    return builders.by_board(record)


def publish(rig: Rig) -> object:
    enlist_final.publish_listing(rig.world.registry, 1, rig.done["finalise"])
    return True


def end(rig: Rig) -> object:
    record = enlist_final.end(rig.world.registry, 1, "quashed", "by the court")
    assert record is not None
    return builders.by_board(record)


def publish_end(rig: Rig) -> object:
    enlist_final.publish_end(rig.world.registry, 1, rig.done["end"])
    return True


HEARD: Journey = {
    "propose": propose,
    "notify": notify,
    "reply": reply,
    "draft": draft,
    "enter": enter,
}
LISTED: Journey = {
    **HEARD,
    "appeal": appeal,
    "judge": judge("uphold"),
    "enter judged": enter_judged,
    "wait": wait,
    "finalise": finalise,
    "publish": publish,
    "end": end,
    "publish end": publish_end,
}


def written(rig: Rig, text: str) -> Path:
    """The list as a file beside the register."""
    path = rig.world.folder.parent / f"{len(text)}.csv"
    if not path.exists():
        path.write_text(text)
    return path


def take_over(text: str) -> Any:
    def taken(rig: Rig) -> object:
        path = written(rig, text)
        plan = plan_import(rig.world.registry, path, "csv")
        assert not plan.faults
        carry_out(rig.world.registry, plan)
        return True

    return taken


CHANGED = LIST.replace("Ada B", "Ada C") + "r-61,Ada Zquill,signed\n"
IMPORTED: Journey = {"first": take_over(LIST), "changed": take_over(CHANGED)}


def begun(folder: Path, journey: Journey) -> Rig:
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        return prepared(opened(folder, patch), journey)


@pytest.mark.parametrize("way", WAYS)
def test_whatever_step_fails_a_listing_goes_on_as_if_it_had_not(
    tmp_path: Path, way: str
) -> None:
    start = begun(tmp_path / "start", LISTED)
    assert start.world.founded == founded()
    assert fails_everywhere(start, tmp_path, way, opened) > 25


@pytest.mark.parametrize("way", WAYS)
def test_an_import_is_there_or_not_and_the_same_list_again_finds_what_is_missing(
    tmp_path: Path, way: str
) -> None:
    start = begun(tmp_path / "start", IMPORTED)
    assert fails_everywhere(start, tmp_path, way, opened) == 4
    rig, _ = faultless(start, tmp_path / "again", opened)
    assert len(rig.listings()) == 61
