"""A source's further tips: a thread if they prove it, one origin however many they are."""

from collections.abc import Mapping

import pytest
from tests.parties.desk.desk_world import World, sources

from safeconduct.parties.desk import follow
from safeconduct.parties.desk.assess import assess
from safeconduct.parties.desk.follow import continued_by, threads
from safeconduct.parties.desk.picture import draw
from safeconduct.parties.desk.view import as_json, show, summarise
from safeconduct.parties.desk.vote import grade
from safeconduct.plumbing import pages
from safeconduct.protocol.envelope import seal_envelope
from safeconduct.protocol.record import format_record
from safeconduct.protocol.tip import Manifest, parse_manifest

RUMOUR = (
    "On the ninth of May the deputy minister Igor Balan took two hundred thousand in cash from"
    " the owner of the port, in the back room of the Hotel Lira, and nobody wrote it down."
)
MORE = "The receipt of the room lies in the drawer of the night porter, who can be trusted."
REPORT = (
    "The harbour police logged a grey car at the Hotel Lira that night, plate ending in 417."
)


def follow_up(
    world: World,
    number: int,
    text: str,
    earlier: bytes,
    tag_key: bytes | None = None,
    **files: str,
) -> bytes:
    """Contribution `number`, which says that it continues `earlier`, acknowledged."""
    held: Mapping[str, bytes] = {
        "message.txt": text.encode(),
        **{f"{name}.txt": content.encode() for name, content in files.items()},
    }
    key = world.keys(0).tag_key() if tag_key is None else tag_key
    envelope = seal_envelope(
        sources(held), world.address(), world.keys(number), world.chance, follows=(earlier, key)
    )
    payload = b"".join(envelope.payload())
    digest = world.door.deliver(format_record(envelope.record), envelope.header, payload)
    world.run()
    return digest


def sure(world: World, digest: bytes, *supported_by: str) -> str:
    """The grade after two assessors have found it confirmed, by these pieces."""
    for name in ("Anna", "Boris"):
        grade(world.desk.store, name, digest, "A", 1, [], "fits", supported_by=supported_by)
    return assess(world.desk, digest).grade


def found(world: World, digest: bytes) -> list[str]:
    return [one.kind for one in show(world.desk, world.desk.store.tip(digest)).findings]


def words(world: World, digest: bytes) -> str:
    return summarise(world.desk, world.desk.store.tip(digest)).continues


class TestThreads:
    """Shown in words, and only if it is proven."""

    def test_a_follow_up_is_shown_with_the_tip_it_continues(self, world: World) -> None:
        first = world.tip(0, RUMOUR)
        second = follow_up(world, 1, MORE, first)
        page = show(world.desk, world.desk.store.tip(second))
        assert page.summary.continues == "continues tip-1"
        assert page.before is not None
        assert (page.before.id, page.before.hash) == ("tip-1", first.hex())
        [after] = show(world.desk, world.desk.store.tip(first)).after
        assert (after.id, after.hash) == ("tip-2", second.hex())
        assert as_json(page)["before"] == {"id": "tip-1", "hash": first.hex()}

    def test_a_tip_that_continues_none_says_nothing_of_it(self, world: World) -> None:
        page = show(world.desk, world.desk.store.tip(world.tip(0, RUMOUR)))
        assert (page.summary.continues, page.before, page.after) == ("", None, ())

    def test_a_thread_goes_on_over_many_tips(self, world: World) -> None:
        first = world.tip(0, RUMOUR)
        second = follow_up(world, 1, MORE, first)
        third = follow_up(world, 2, REPORT, second, world.keys(1).tag_key())
        assert words(world, third) == "continues tip-2"
        assert threads(world.desk.store) == {first: first, second: first, third: first}
        assert [tip.hash for tip in continued_by(world.desk.store, first)] == [second]

    def test_a_long_thread_costs_no_more_than_its_tips(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Else a source could string tips together until no desk could weigh any."""
        hashes = [world.tip(0, RUMOUR)]
        for number in range(1, 7):
            key = world.keys(number - 1).tag_key()
            hashes.append(follow_up(world, number, f"{MORE} {number}", hashes[-1], key))
        parsed: list[bytes] = []

        def counted(data: bytes) -> Manifest:
            parsed.append(data)
            return parse_manifest(data)

        monkeypatch.setattr(follow, "parse_manifest", counted)
        assert threads(world.desk.store) == dict.fromkeys(hashes, hashes[0])
        assert len(parsed) <= 2 * len(hashes)

    @pytest.mark.parametrize("named", ["a tip of ours", "no tip of ours"])
    def test_a_claim_that_is_not_proven_is_shown_as_one(self, world: World, named: str) -> None:
        first = world.tip(0, RUMOUR)
        record = first if named == "a tip of ours" else bytes(32)
        second = follow_up(world, 1, MORE, record, b"\x05" * 32)
        assert words(world, second) == "claims to continue a tip, but does not prove it"
        page = show(world.desk, world.desk.store.tip(second))
        assert page.before is None
        assert show(world.desk, world.desk.store.tip(first)).after == ()
        assert threads(world.desk.store)[second] == second

    def test_a_proof_for_one_tip_is_none_for_another(self, world: World) -> None:
        """A source with two mailboxes ties only those tips together that it says."""
        world.tip(0, RUMOUR)
        other = world.tip(3, REPORT)
        claimed = follow_up(world, 1, MORE, other)  # with the tag key of the first
        assert words(world, claimed).startswith("claims to continue")

    def test_the_console_shows_threads_to_assessors(self, world: World) -> None:
        first = world.tip(0, RUMOUR)
        follow_up(world, 1, MORE, first)
        follow_up(world, 2, REPORT, first, bytes(32))
        tips = [summarise(world.desk, tip) for tip in world.desk.store.tips()]
        package = "safeconduct.parties.desk"
        shown = pages.render(
            package, "list.html", site="Desk", token="", tips=tips, held_back=[]
        )
        assert shown.count("<small>continues tip-1</small>") == 1
        assert shown.count("<small>claims to continue a tip, but does not prove it") == 1


class TestWeighing:
    """However many tips one source sends in a thread, they are one origin."""

    def test_a_follow_up_corroborates_nothing_of_its_thread(self, world: World) -> None:
        first = world.tip(0, RUMOUR)
        follow_up(world, 1, MORE, first)
        assert sure(world, first, "tip-2") == "unproven"
        assert found(world, first) == ["circular"]

    def test_nor_does_the_first_tip_bear_out_its_follow_up(self, world: World) -> None:
        second = follow_up(world, 1, MORE, world.tip(0, RUMOUR))
        assert sure(world, second, "tip-1") == "unproven"

    def test_nor_do_two_follow_ups_each_other(self, world: World) -> None:
        first = world.tip(0, RUMOUR)
        second = follow_up(world, 1, MORE, first)
        follow_up(world, 2, REPORT, first)
        assert sure(world, second, "tip-3") == "unproven"

    def test_nor_does_the_attachment_of_a_follow_up_unseen(self, world: World) -> None:
        first = world.tip(0, RUMOUR)
        follow_up(world, 1, MORE, first, photo=REPORT)
        assert sure(world, first) == "useful"
        assert found(world, first) == []

    def test_an_attachment_that_all_assessors_see_stand_apart_counts(
        self, world: World
    ) -> None:
        """As it would if it had come with the first tip."""
        first = world.tip(0, RUMOUR)
        follow_up(world, 1, MORE, first, photo=REPORT)
        assert sure(world, first, "tip-2/f0002") == "corroborated"

    def test_another_source_still_bears_it_out(self, world: World) -> None:
        first = world.tip(0, RUMOUR)
        follow_up(world, 1, MORE, first)
        world.tip(5, REPORT)
        assert sure(world, first, "tip-2", "tip-3") == "corroborated"

    def test_a_source_that_repeats_itself_is_no_echo(self, world: World) -> None:
        """It does not pretend to be somebody else, so its tip is none the worse."""
        first = world.tip(0, RUMOUR)
        follow_up(world, 1, f"As I wrote: {RUMOUR}", first)
        assert sure(world, first) == "useful"
        assert found(world, first) == []

    def test_the_same_words_without_the_proof_are_an_echo(self, world: World) -> None:
        first = world.tip(0, RUMOUR)
        follow_up(world, 1, f"As I wrote: {RUMOUR}", first, bytes(32))
        assert sure(world, first) == "unproven"

    def test_a_stranger_cannot_tie_others_corroboration_to_a_tip(self, world: World) -> None:
        """A false follow-up that copies the other tip would join the two, if it held."""
        first = world.tip(0, RUMOUR)
        world.tip(5, REPORT)
        follow_up(world, 6, f"My own words: {REPORT}", first, bytes(32))
        assert sure(world, first, "tip-2") == "corroborated"

    def test_the_picture_shows_follow_ups_as_by_the_same_source(self, world: World) -> None:
        first = world.tip(0, RUMOUR)
        follow_up(world, 1, MORE, first)
        drawn = draw(show(world.desk, world.desk.store.tip(first)))
        assert drawn is not None
        assert [(row.id, row.words) for row in drawn.rows] == [("tip-2", "by the same source")]
