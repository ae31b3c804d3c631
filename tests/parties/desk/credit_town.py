"""A desk whose law grants credits, and a source that asks as the protocol says."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from tests.parties.desk.desk_world import World, sources
from tests.protocol import credited
from tests.protocol.builders import MEMBERS, verifiers

from safeconduct.parties.desk.assess import assess
from safeconduct.parties.desk.credit import (
    draft,
    issue,
    offer,
    requests,
)
from safeconduct.parties.desk.view import show
from safeconduct.parties.desk.vote import grade
from safeconduct.protocol.credit import (
    REQUEST_FILE,
    finish_blind,
    make_request,
)
from safeconduct.protocol.envelope import Envelope, seal_envelope
from safeconduct.protocol.gazette import (
    CreditGroup,
    GazetteState,
    IssuingKey,
    Roster,
    StatuteVersion,
    credit_group,
)
from safeconduct.protocol.keys import ContributionKeys
from safeconduct.protocol.record import (
    format_record,
    parse_record,
    sign_record,
)
from safeconduct.protocol.tlog.note import SigningKey

SCHEMES = ("plain", "blind")
WORDS = (
    "The gate was opened at night by order of the harbour master; here is the order.",
    "On Monday the clerk was told to lose three files on the dredging of the basin.",
    "Nobody has ever weighed the coal that the ministry pays for each winter month.",
)


def credited_state(state: GazetteState, scheme: str) -> GazetteState:
    """The world's Gazette with a board of three, and a law that grants credits."""
    law = credited.credited_law(scheme)
    version = StatuteVersion(number=1, law=law, sha256=hashlib.sha256(law).digest(), index=1)
    roster = Roster(number=0, threshold=2, members=verifiers(MEMBERS), hash=b"\x02" * 32)
    keys = tuple(
        IssuingKey(
            group=CreditGroup(statute=version.sha256, word=word, period=1),
            key=credited.issuing_key(number),
            hash=bytes(32),
        )
        for number, word in enumerate(("useful", "corroborated"))
    )
    blind = keys if scheme == "blind" else ()
    return replace(state, statutes=(version,), rosters=(roster,), issuing_keys=blind)


@dataclass
class Town:
    """A desk whose law grants credits, and a source that asks as the protocol says."""

    world: World
    scheme: str
    pem: Path

    @property
    def state(self) -> GazetteState:
        return self.world.desk.gazette()

    def group(self, word: str = "useful") -> CreditGroup:
        return CreditGroup(statute=self.state.statutes[0].sha256, word=word, period=1)

    def assessed(self, number: int = 0, reliability: str = "B", credibility: int = 2) -> bytes:
        """Our contribution `number`, acknowledged and graded (`useful`)."""
        digest = self.world.tip(number, WORDS[number])
        self.vote(digest, reliability, credibility)
        return digest

    def vote(self, digest: bytes, reliability: str = "B", credibility: int = 2) -> None:
        for name in ("Anna", "Boris"):
            grade(
                self.world.desk.store, name, digest, reliability, credibility, [], "so I read"
            )
        assess(self.world.desk, digest)

    def envelope(self, number: int) -> Envelope:
        text = {"message.txt": WORDS[number].encode()}
        return self.world.seal(number, text)

    def request(
        self, digest: bytes, number: int = 0, group: CreditGroup | None = None
    ) -> bytes:
        pre, keys = self.envelope(number).pre, self.world.keys(number)
        return make_request(keys, pre, digest, group or self.group(), self.state)

    def ask(
        self,
        digest: bytes,
        request: bytes,
        via: int = 10,
        number: int = 0,
        name: str = REQUEST_FILE,
    ) -> bytes:
        """Contribution `via` brings the request as a follow-up to our contribution `number`."""
        world = self.world
        envelope = seal_envelope(
            sources({name: request}),
            world.address(),
            world.keys(via),
            world.chance,
            follows=(digest, world.keys(number).tag_key()),
        )
        payload = b"".join(envelope.payload())
        record = format_record(envelope.record)
        follow_up = world.door.deliver(record, envelope.header, payload)
        world.run()
        return follow_up

    def asked(self, number: int = 0) -> bytes:
        """A tip that was graded, offered a credit, and for which its source has asked."""
        digest = self.assessed(number)
        offer(self.world.desk, digest)
        self.ask(digest, self.request(digest, number), via=10 + number, number=number)
        assert requests(self.world.desk)[-1].stands == "waits for the board"
        return digest

    def signed(
        self, digest: bytes, board: tuple[SigningKey, ...] = MEMBERS[:2]
    ) -> tuple[bytes, bytes]:
        """Link and credit as the board signs them; a blind credit is none yet."""
        drafted = draft(self.world.desk, digest)
        credit = sign_record(drafted.credit, board) if drafted.credit else b""
        return sign_record(drafted.link, board), credit

    def issue(self, digest: bytes, *board: SigningKey) -> None:
        link, credit = self.signed(digest, board or MEMBERS[:2])
        issue(self.world.desk, digest, link, credit, self.pem)

    def credit(self, number: int = 0) -> bytes:
        """What the source of a contribution makes of the last reply."""
        return finished(
            self.world.keys(number), self.world.inbox(number)[-1].credit, self.state
        )


def finished(keys: ContributionKeys, answer: bytes, state: GazetteState) -> bytes:
    if answer.startswith(b"safeconduct/v1/credit\n"):
        return answer
    return finish_blind(keys, credit_group(parse_record(answer)), answer, state)


def make_town(world: World, folder: Path, scheme: str) -> Town:
    state = credited_state(world.state, scheme)
    world.state = state
    world.desk = replace(world.desk, gazette=lambda: state)
    pem = folder / "issuing-key.pem"
    pem.write_bytes(credited.issuing_pem())
    pem.chmod(0o600)
    return Town(world=world, scheme=scheme, pem=pem)


def replies(town: Town, number: int = 0) -> int:
    return len(town.world.inbox(number))


def stands_of(town: Town, digest: bytes) -> str:
    """What the tip's page says of its credit."""
    return show(town.world.desk, town.world.desk.store.tip(digest)).credit
