"""The bulletin does not tell how many sources were answered."""

from tests.parties.desk.desk_world import World

from safeconduct.parties.desk.reply import REPLIES_PAD, reply
from safeconduct.protocol.age import parse_header, single_stanza
from safeconduct.protocol.keys import TAG_BYTES
from safeconduct.protocol.reply import BLOCK_BYTES

FILES = {"message.txt": b"What I saw.\n"}


def test_blocks_come_in_multiples_however_many_sources_are_answered(world: World) -> None:
    for number in range(5):
        world.send(number, FILES | {"n": str(number).encode()})
    world.run()

    assert len(world.door.bulletin) % REPLIES_PAD == 0
    assert [len(world.inbox(number)) for number in range(5)] == [1] * 5


def test_a_single_answer_is_not_always_in_the_same_place(world: World) -> None:
    digest = world.send(0, FILES)
    world.run()
    places = set()
    for number in range(12):
        before = len(world.door.bulletin)
        sent = reply(world.desk, digest, f"Question {number}?")
        blocks = list(world.door.bulletin.values())[before:]
        assert len(blocks) == REPLIES_PAD
        places.add(blocks.index(sent.block))
    assert len(places) > 1


def test_a_dummy_looks_like_a_reply(world: World) -> None:
    world.send(0, FILES)
    world.run()
    for block in world.door.bulletin.values():
        assert len(block) == BLOCK_BYTES
        header, _ = parse_header(block[TAG_BYTES:])
        assert single_stanza(header).kind == "mlkem768x25519"


def test_nothing_to_say_adds_nothing(world: World) -> None:
    world.send(0, FILES)
    world.run()
    before = len(world.door.bulletin)
    world.run()
    assert len(world.door.bulletin) == before
