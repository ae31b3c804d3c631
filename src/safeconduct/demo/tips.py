"""Scene 2: sources send, with twelve words and nothing else. Scene 5: one comes too late."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import unescape
from urllib.parse import urlencode

from safeconduct.demo.world import World, act, entropy, proof, tell
from safeconduct.errors import UnavailableError
from safeconduct.parties.source.inbox import read_inbox
from safeconduct.parties.source.send import Sent, send
from safeconduct.plumbing import clock, dice, fetch, terminal
from safeconduct.plumbing.durable import make_folder, write_file
from safeconduct.plumbing.words import parse_words
from safeconduct.protocol.envelope import MESSAGE_NAME, Source
from safeconduct.protocol.record import record_hash
from safeconduct.protocol.statute.instant import format_instant

PAGE_BYTES_MAX = 1 << 20
FORM_SECONDS = 40.0
BIG_FILE_BYTES = 10_000_000

CLERK_TEXT = """\
I keep the books of the free port. Since March, containers marked "returned empties" have \
left by gate 4 at night. They are heavy. The weighbridge entries for those nights were \
deleted; I kept the paper slips. The numbers are 4471, 4478 and 4502. Please do not call \
me.
"""
ENGINEER_TEXT = """\
I signed for the crane inspections that were never made. I attach the sensor data of crane \
2 for the year, as it really was, and the report as it was filed. The two do not agree \
after 3 April. I was told to sign by my superior, in writing; the letter is in the second \
file.
"""
ORDER_TEXT = "Sign crane 2 off for the season. There is no time for an inspection. Burn this.\n"
FRAME_TEXT = """\
The chief engineer of the port took money from the shipping line to sign off the cranes. \
He was paid in cash on the evening of 2 April behind the customs house, and he laughed \
about it.
"""
FRAME_WITNESS = """\
I am a colleague and I confirm it. The chief engineer of the port took money from the \
shipping line to sign off the cranes. He was paid in cash on the evening of 2 April behind \
the customs house, and he laughed about it.
"""
VISITOR_TEXT = """\
On the night of 2 April I drove the pilot boat. The chief engineer was on board with me \
from six until midnight; nobody was behind the customs house but the guards.
"""
LATE_TEXT = """\
I headed the night watch. I let the containers through at gate 4 because I was told to \
look away.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tip:
    player: str
    says: str
    sources: list[Source]


def text_source(text: str) -> Source:
    """A message, as the client seals it."""
    return Source(name=MESSAGE_NAME, read=lambda: [text.encode("utf-8")])


def _attached(name: str, data: bytes) -> Source:
    return Source(name=name, read=lambda: [data])


def sensor_data() -> bytes:
    """Ten megabytes of readings, different in each play."""
    noise = dice.random_bytes(BIG_FILE_BYTES // 2)
    return noise.hex().encode("ascii")


def send_tips(world: World) -> None:
    """Three sources with the client, all at once, and a fourth through the form."""
    act(2, "Sources send sealed help")
    tips = [
        _Tip(player="clerk", says="a text", sources=[text_source(CLERK_TEXT)]),
        _Tip(
            player="engineer",
            says="a text and files of 10 MB",
            sources=[
                text_source(ENGINEER_TEXT),
                _attached("crane-2.csv", sensor_data()),
                _attached("order.txt", ORDER_TEXT.encode()),
            ],
        ),
        _Tip(
            player="rival",
            says="a tip that accuses the engineer, with a colleague's letter",
            sources=[
                text_source(FRAME_TEXT),
                _attached("colleague.txt", FRAME_WITNESS.encode()),
            ],
        ),
    ]
    tell("each has twelve words on paper, and nothing else")
    waiting = terminal.waiting("sealing, committing, delivering")
    with waiting, ThreadPoolExecutor(len(tips) + 1) as pool:
        sending = [pool.submit(_send, world, tip) for tip in tips]
        visiting = pool.submit(_use_the_form, world)
        for tip, future in zip(tips, sending, strict=True):
            _tell_sent(world, tip, future.result())
        visiting.result()
    proof("each receipt holds against body, server and log together: 2 sides cosigned it")
    proof("the date was fixed while only 32 bytes were out, so nobody could front-run it")


def _send(world: World, tip: _Tip) -> Sent:
    words = world.words.setdefault(tip.player, entropy())
    return send(
        world.programme,
        words,
        tip.sources,
        at=clock.seconds(),
        random_bytes=dice.random_bytes,
        report=lambda _: None,
    )


def _tell_sent(world: World, tip: _Tip, sent: Sent) -> None:
    keep_receipt(world, tip.player, sent.record, sent.proof)
    at = sent.receipt.logged_by
    world.check_in_time(f"the {tip.player}'s tip", at)
    size = sent.receipt.record.number("size")
    tell(f"the {tip.player} sends {tip.says}: {size} bytes sealed, dated {format_instant(at)}")
    world.happened("sources", f"{tip.player}: dated", "tip", at)


def keep_receipt(world: World, player: str, record: bytes, proof_text: bytes) -> None:
    """Write a source's receipt where a reader of the play can find it."""
    make_folder(world.path("receipts"))
    write_file(world.path("receipts", f"{player}.record"), record)
    write_file(world.path("receipts", f"{player}.tlog-proof"), proof_text)
    world.hashes[player] = record_hash(record)


def _use_the_form(world: World) -> None:
    """What a browser without JavaScript does: one small page after the other."""
    page = fetch.patiently(lambda: _open_form(world), seconds=FORM_SECONDS)
    words = shown_words(page)
    world.words["visitor"] = parse_words(" ".join(words))
    page = _press(world, "check", page)
    asked = {f"word-{place}": words[place - 1] for place in asked_words(page)}
    page = _press(world, "confirm", page, **asked)
    page = _press(world, "text", page, text=VISITOR_TEXT)
    page = _press(world, "send", page)
    _press(world, "send", page, sure="1")
    [contribution] = read_inbox(world.programme, world.words["visitor"])
    receipt = contribution.receipt
    if receipt is None:
        raise UnavailableError("the form's tip has no date")
    keep_receipt(world, "visitor", contribution.capsule.record, contribution.capsule.proof)
    tell("a visitor uses the form: no client, no JavaScript; the door seals it in memory")
    tell("and the words bring the receipt back: the client finds it from them alone")
    world.happened("sources", "visitor: dated", "tip", receipt.logged_by)


def _open_form(world: World) -> str:
    content = fetch.get(f"{world.programme.door}/en/tell", bytes_max=PAGE_BYTES_MAX)
    return content.decode("utf-8")


def _press(world: World, step: str, page: str, **fields: str) -> str:
    """The page that follows when a form of `page` is posted; each step may be repeated."""
    body = urlencode({"ticket": _ticket(page), **fields}).encode("ascii")

    def post() -> str:
        answer = fetch.post(
            f"{world.programme.door}/en/tell/{step}",
            body,
            bytes_max=PAGE_BYTES_MAX,
            content_type="application/x-www-form-urlencoded",
        )
        fetch.raise_for(answer)
        return answer.body.decode("utf-8")

    return fetch.patiently(post, seconds=FORM_SECONDS)


def _ticket(page: str) -> str:
    found = re.search(r'name="ticket" value="([^"]+)"', page)
    if found is None:
        raise UnavailableError("the door's page has no form")
    return unescape(found[1])


def asked_words(page: str) -> list[int]:
    """The numbers of the words that the door's page asks for."""
    return [int(place) for place in re.findall(r'name="word-([0-9]+)"', page)]


def shown_words(page: str) -> list[str]:
    """The twelve words on the door's page."""
    shown = re.search(r'<ol class="words".*?</ol>', page, re.DOTALL)
    found = re.findall(r"<li>\s*([a-z]+)", shown[0]) if shown else []
    if len(found) != 12:
        raise UnavailableError("the door's page shows no twelve words")
    return found


def send_late(world: World) -> None:
    """After the date: the tip is taken in like any other, and dated for what it is."""
    tip = _Tip(player="late", says="a tip, too late", sources=[text_source(LATE_TEXT)])
    sent = _send(world, tip)
    keep_receipt(world, "late", sent.record, sent.proof)
    at = sent.receipt.logged_by
    tell(f"the night watchman sends a tip, and it is taken in: dated {format_instant(at)}")
    proof("no clock of his or the body's counts: the witnesses had not seen it before the date")
    world.happened("sources", "late: dated", "late", at)
