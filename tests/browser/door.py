"""A door for real browsers: its law, texts, questions, and a mailbox with a history.

Everything is the real thing and speaks real HTTP, but log and witnesses: they are a few lines
that sign for whatever they are given, so that the world's clock can be moved.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

import httpx
from tests.browser.forms import TIMEOUT_SECONDS, Client, Seen
from tests.parties.intake.door_world import NOW, FakeLedger, World
from tests.protocol import builders

from safeconduct.parties.intake import sealing
from safeconduct.parties.intake.definition import QUESTIONS_FILE, TEXTS_FILE, load_definition
from safeconduct.parties.intake.reading import Letter, read_letter
from safeconduct.parties.intake.site import make_site
from safeconduct.parties.intake.withdraw import withdraw_own
from safeconduct.plumbing import web
from safeconduct.plumbing.words import format_words
from safeconduct.protocol import age
from safeconduct.protocol.envelope import acknowledgement
from safeconduct.protocol.gazette import fold_all
from safeconduct.protocol.record import record_hash, sign_record
from safeconduct.protocol.reply import Reply, seal_reply

TODAY = NOW + 40 * builders.DAY
ENTROPY = bytes(range(16, 32))
WORDS = format_words(ENTROPY)
NOBODYS_WORDS = format_words(bytes(range(64, 80)))
LATE, ANSWERED, WITHDRAWN, UNDELIVERED = range(4)
"""What became of each message in the mailbox that `WORDS` open."""
ANSWER = "Thank you. Which berth was it? <b>Do not</b> come to the harbour & do not call."

TEXTS = """\
default: en
title: {en: "Tell us about the port contracts", de: "Sagen Sie uns, was im Hafen geschieht"}
about: {en: "The harbour office bought cranes that nobody has seen."}
writing: {en: "Names of ships help us. Your own name does not."}
"""
QUESTIONS = """\
default: en
questions:
  - {id: how, kind: choice, required: true,
     ask: {en: "How do you know?", de: "Woher wissen Sie das?"},
     choices: [{id: saw, say: {en: "I saw it"}}, {id: heard, say: {en: "Somebody told me"}}]}
  - {id: who, kind: line, ask: {en: "What is the office called?"},
     if: {question: how, is: heard}}
  - {id: what, kind: many, ask: {en: "What was it about?"},
     choices: [{id: cranes, say: {en: "Cranes"}}, {id: land, say: {en: "Land"}}]}
  - {id: when, kind: date, ask: {en: "When was it?"}, hint: {en: "As well as you remember."}}
  - {id: often, kind: number, ask: {en: "How often?"}}
  - {id: papers, kind: yes-no, required: true, ask: {en: "Are there papers?"}}
  - {id: more, kind: long, ask: {en: "What should we look for?"}}
"""
ASKED = {"asked": ["how", "what", "when", "often", "papers", "more"]}
ANSWERS: dict[str, str | list[str]] = {
    **ASKED,
    "q-how": "saw",
    "q-what": "cranes",
    "q-when": "2027",
    "q-papers": "no",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A door that serves, and the clock of its world."""

    world: World
    http: httpx.Client

    @property
    def url(self) -> str:
        return self.world.url

    def client(self, language: str) -> Client:
        """Somebody without a screen, for all that needs no browser."""
        return Client(url=self.url, language=language, http=self.http)

    def set_clock(self, at: int) -> None:
        """It is `at` for the door and its witnesses, POSIX seconds."""
        self.world.now = self.world.ledger.at = at

    def has(self, number: int) -> bool:
        """Whether that mailbox has a message of this number."""
        return read_letter(self.world.intake, ENTROPY, number) is not None

    def letter(self, number: int) -> Letter:
        """A message of the mailbox that `WORDS` open."""
        letter = read_letter(self.world.intake, ENTROPY, number)
        assert letter is not None
        return letter

    def send(self, text: str) -> Seen:
        """One more message into that mailbox; gives the page with its receipt."""
        source = self.client("en")
        page = source.post(source.open("/tell"), "/tell/words")
        page = source.post(page, "/tell/words", {"words": WORDS})
        page = source.post(page, "/tell/answers", ANSWERS)
        page = source.post(page, "/tell/text", {"text": text})
        page = source.post(page, "/tell/files", {"go": "1"})
        return source.post(page, "/tell/send", {"sure": "1"})

    @contextmanager
    def without_room(self) -> Iterator[None]:
        """During the block the disk is nearly full: tips are dated, and not delivered."""
        with mock.patch.object(sealing, "DISK_RESERVE_BYTES", 1 << 60):
            yield

    @contextmanager
    def otherwise(self, **changes: object) -> Iterator[None]:
        """During the block the world is another: its clock, its Gazette."""
        before = {name: getattr(self.world, name) for name in changes}
        for name, value in changes.items():
            setattr(self.world, name, value)
        try:
            yield
        finally:
            for name, value in before.items():
                setattr(self.world, name, value)


@contextmanager
def open_door(folder: Path) -> Iterator[Door]:
    """A door that serves during the block, on the fortieth day."""
    for name, text in ((TEXTS_FILE, TEXTS), (QUESTIONS_FILE, QUESTIONS)):
        (folder / name).write_text(text)
    ledger = FakeLedger()
    with web.running(ledger.app()) as ledger_url:
        world = World(
            folder=folder / "door", ledger=ledger, ledger_url=ledger_url, entries=_gazette()
        )
        world.intake = replace(world.intake, definition=load_definition(folder))
        with (
            web.running(make_site(world.intake)) as world.url,
            httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as http,
        ):
            door = Door(world=world, http=http)
            _live_through_it(door)
            yield door


def _gazette() -> tuple[bytes, ...]:
    """Statute and one desk key, and another key that is open on the fortieth day."""
    first = builders.gazette_entries()
    second = builders.epoch_act(
        number=2,
        previous=fold_all(first).epochs[0].hash,
        opens=TODAY - 10 * builders.DAY,
        closes=TODAY + 20 * builders.DAY,
    )
    return (*first, builders.by_board(second))


def _live_through_it(door: Door) -> None:
    door.set_clock(NOW)
    door.send("Late: the desk never said a word on it.")
    door.send("Answered: the cranes of berth nine were paid for twice.")
    door.set_clock(NOW + 2 * builders.DAY)
    _answer(door, door.letter(ANSWERED))
    door.set_clock(TODAY)
    door.send("Withdrawn: I was mistaken about the cranes of berth ten.")
    letter = door.letter(WITHDRAWN)
    withdraw_own(door.world.intake, letter.keys, letter.capsule)
    with door.without_room():
        door.send("Undelivered: the cranes of berth eleven.")
    assert door.letter(UNDELIVERED).delivered is None


def _answer(door: Door, letter: Letter) -> None:
    """The desk opened it, says so under its signature, and asks something."""
    received = acknowledgement(builders.PROGRAMME, letter.digest, "ok", 1)
    signed = sign_record(received, [builders.DESK])
    reply = Reply(
        text=ANSWER,
        acknowledgement=signed,
        proof=builders.prove(record_hash(signed), door.world.now),
    )
    identity = age.hybrid_identity(letter.keys.reply_seed())
    block = seal_reply(
        reply,
        age.format_recipient(identity.recipient()),
        letter.keys.tag_key(),
        0,
        door.world.intake.random_bytes,
    )
    door.world.intake.store.post_reply(block[:16], block)
