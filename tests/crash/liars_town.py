"""The town of the liars: one log, its witnesses, and whoever else holds the log's keys."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.crash.disk import WAYS, FailingDisk, failing
from tests.crash.liars_books import EMPTY_BOOK, ORIGIN, Book, Truth, tree_of
from tests.crash.liars_ledger import AMONG, QUORUMS, Ledger, make_policy
from tests.crash.liars_outsider import Outsider
from tests.crash.liars_people import HONEST, LIAR, Clock, House, InTurn, Liar
from tests.crash.liars_people import ORIGIN_HASH as _HASH

from safeconduct.errors import (
    ConflictError,
    SafeconductError,
    UnavailableError,
    UnverifiedError,
)
from safeconduct.parties.log import ahead, journal, quorum
from safeconduct.parties.log.config import LogConfig, LogFolder, load_keys, new_log
from safeconduct.parties.log.repair import repair_log
from safeconduct.parties.monitor.trees import read_signed
from safeconduct.plumbing import clock as real_clock
from safeconduct.plumbing import fetch
from safeconduct.plumbing.fetch import Response
from safeconduct.plumbing.remote import RemoteLog
from safeconduct.protocol.tlog.merkle import Tree, leaf_hash
from safeconduct.protocol.tlog.note import (
    SigningKey,
    format_signature_line,
    parse_note,
)
from safeconduct.protocol.tlog.policy import verify_proof

ENDS = ("clean", "crash", "asking", "disk")
"""How a log's process may end: between rounds, at a witness's door, or by its disk."""
_SEGMENT_BYTES = 1 << 12


class CrashError(BaseException):
    """The process ends here; nothing may catch it."""


@dataclass
class Town:
    """Everybody, and what each of them may be asked."""

    folder: Path
    kind: str
    counts: Counter[str]
    clock: Clock = field(default_factory=Clock)
    truth: Truth = field(default_factory=Truth)
    broken: list[str] = field(default_factory=list)
    crash_at_ask: int = 0
    houses: dict[str, House] = field(init=False)
    liar: Liar = field(init=False)
    ledger: Ledger = field(init=False)
    outsider: Outsider = field(init=False)
    keys: tuple[SigningKey, ...] = field(init=False)
    copies: list[Path] = field(default_factory=list)
    lost: list[Path] = field(default_factory=list)
    was_put_back: bool = False
    accepted: list[Tree] = field(default_factory=list)
    apart: list[Tree] = field(default_factory=list)
    """The larger of each two trees that readers accept and that contradict each other."""

    def __post_init__(self) -> None:
        config = LogConfig(name="ledger", origin=ORIGIN, kind="ledger", pad=0)
        new_log(self.folder, config)
        paths = LogFolder(path=self.folder / "ledger")
        own = load_keys(paths)
        self.keys = tuple(key for key in (own.first, own.second) if key is not None)
        policy = make_policy(self.kind, own.verifiers)
        self.ledger = Ledger(paths.path, policy, self.ask)
        self.truth.sign(EMPTY_BOOK.tree(), EMPTY_BOOK)
        self.outsider = Outsider(own.verifiers, policy, self.truth, self.counts)
        self.liar = Liar(self.clock, self.counts)
        self.houses = {
            name: House(
                name,
                self.folder / name,
                own.verifiers,
                self.clock,
                self.truth,
                self.broken.append,
            )
            for name in HONEST
        }

    def begin(self) -> None:
        """Start everybody, once the town is ruled by its own clock."""
        for name in self.houses:
            assert self.start_witness(name)
        self.ledger.open()

    def new_folder(self) -> Path:
        self.counts["folders"] += 1
        return self.folder / f"kept-{self.counts['folders']}"

    def ask(self, url: str, body: bytes | None) -> Response:
        """What somebody answers the log, or whoever else asks."""
        name, _, path = url.removeprefix("http://").partition("/")
        if body is not None and self.crash_at_ask:
            self.crash_at_ask -= 1
            if not self.crash_at_ask:
                raise CrashError
        if body is not None:
            self._learn(body)
        answer = (self.liar if name == LIAR else self.houses[name])(f"/{path}", body)
        if body is not None and name != LIAR:
            self.counts[f"answer: {answer.status}"] += 1
        return answer

    def request(self, method: str, url: str, body: bytes = b"", **_: object) -> Response:
        """The network: witnesses, the log's public folder, and mirrors of lost ones."""
        name, _slash, path = url.removeprefix("http://").partition("/")
        folders = {"log": self.ledger.folder}
        folders |= {f"mirror-{number}": lost for number, lost in enumerate(self.lost)}
        if name not in folders:
            return self.ask(url, None if method == "GET" else body)
        file = folders[name] / "public" / path
        if not file.is_file():
            return Response(status=404)
        return Response(status=200, body=file.read_bytes())

    def _learn(self, request: bytes) -> None:
        """Write down what the log has signed, when it shows it to somebody."""
        note = request.partition(b"\n\n")[2]
        tree = tree_of(note)
        if tree not in self.truth.books:
            with suppress(UnverifiedError):
                read_signed(note, self.outsider.seat)
                book = self.ledger.written
                if book.tree() != tree:
                    # Raised here it would be taken for an answer.
                    self.broken.append("the log showed what is not in its tiles")
                self.truth.sign(tree, book)

    @property
    def book(self) -> Book:
        """The honest log's entries, as far as the public sees them."""
        published = self.ledger.published
        return self.truth.books[published.tree] if published is not None else EMPTY_BOOK

    def round(self) -> None:
        """One round of the honest log, and what must be true after it."""
        log, before = self.ledger.log, self.ledger.published
        assert log is not None
        in_time = self.clock.seconds() > log.health().signed_at
        try:
            log.round()
        except SafeconductError as error:
            self._stopped(error)
            return
        after = self.ledger.published
        if after is not None and after is not before:
            self._published(after.checkpoint)
        if in_time:
            self._must_be_live()

    def _stopped(self, error: SafeconductError) -> None:
        """A log stops for good only on its own signature under what contradicts it."""
        first, self.ledger.trouble = self.ledger.trouble is None, error
        if isinstance(error, ConflictError):
            self.counts["the log stopped"] += 1
            (note,) = error.evidence
            seen = read_signed(note, self.outsider.seat).tree
            signed = self.ledger.signed_tree()
            begins = seen.size <= signed.size and self.ledger.written.tree(seen.size) == seen
            assert not begins, "stopped by what does not contradict it"
            self.outsider.see(note)
        else:
            assert not first, f"the log stopped without a reason: {error}"

    def _published(self, checkpoint: bytes) -> None:
        tree = tree_of(checkpoint)
        book = self.truth.books[tree]
        self.outsider.read(book)
        assert self.accept(checkpoint), "the log published what nobody believes"
        log = self.ledger.log
        assert log is not None
        for entry in self.ledger.collect():
            index = self.ledger.acknowledged[entry]
            proof = log.proof(index)
            assert verify_proof(proof, entry, self.ledger.policy, ORIGIN).index == index
        self._check_acknowledged(book)

    def accept(self, note: bytes) -> bool:
        """Whether readers believe a note; nobody dates it before an honest witness saw it."""
        opened = self.outsider.accept(note)
        if opened is not None:
            tree, (_, members) = opened.checkpoint.tree, QUORUMS[self.kind]
            honest = [self.houses[name].cosigned.get(tree) for name in members if name != LIAR]
            dates = [at for at in honest if at is not None]
            assert dates, "a quorum without an honest witness"
            assert opened.logged_by >= min(dates), "dated back"
            if tree not in self.accepted:
                apart = self.truth.contradictions(tree, self.accepted)
                self.apart += [max(tree, other, key=lambda each: each.size) for other in apart]
                self.accepted.append(tree)
        return opened is not None

    def _check_acknowledged(self, book: Book) -> None:
        """Nothing that was promised is lost, nor elsewhere than it was."""
        lost = {
            entry
            for entry, index in self.ledger.acknowledged.items()
            if book.leaves[index : index + 1] != (leaf_hash(entry),)
        }
        if lost:
            # An old folder was put back, the liar was silent on what was lost, and the honest
            # one who knew could not be asked.
            assert self.was_put_back, "an acknowledged entry is lost"
            assert self.may_fork, "an acknowledged entry is lost behind the witnesses' backs"
            self.counts["entries lost with a liar's help"] += len(lost)
            for entry in lost:
                del self.ledger.acknowledged[entry]

    @property
    def may_fork(self) -> bool:
        """Whether two quorums need not share an honest witness with its memory."""
        return self.kind == AMONG or any(h.has_forgotten for h in self.houses.values())

    def _must_be_live(self) -> None:
        """No liar can keep a log from publishing while enough honest witnesses are there."""
        signed, (threshold, members) = self.ledger.written, QUORUMS[self.kind]
        willing = [name for name in members if name != LIAR and self._is_willing(name, signed)]
        if len(willing) >= threshold:
            published = self.ledger.published
            assert published is not None
            assert published.tree == signed.tree(), "kept from publishing"
            self.counts["rounds that nobody could stop"] += 1

    def _is_willing(self, name: str, signed: Book) -> bool:
        house = self.houses[name]
        latest = house.latest
        if not house.is_up or latest is None or latest.forked:
            return False
        clock_is_right = self.clock.seconds(name) >= latest.cosigned_at - 2
        size = latest.tree.size
        return clock_is_right and size <= len(signed) and signed.tree(size) == latest.tree

    def end_log(self, how: str, number: int, count: int) -> None:
        """End the log's process in one of `ENDS`, and start it again."""
        self.counts[f"end: {how}"] += 1
        self.ledger.send(count)
        if how == "disk":
            self._fail(
                FailingDisk(self.ledger.folder, 1 + number % 12, WAYS[number % len(WAYS)])
            )
        elif how == "asking":
            self._die_asking(1 + number % len(HONEST))
        else:
            self.ledger.close(None if how == "clean" else CrashError())
        self.ledger.open()

    def _die_asking(self, number: int) -> None:
        """The log's process ends while it asks a witness; the others may have cosigned."""
        assert self.ledger.log is not None
        self.crash_at_ask = number
        try:
            self.ledger.log.round()
        except CrashError:
            self.counts["died asking"] += 1
        except SafeconductError as error:
            self._stopped(error)
        self.crash_at_ask = 0
        self.ledger.close(CrashError())

    def _fail(self, disk: FailingDisk) -> None:
        """A round on a disk that fails at one step, and takes the log's process with it."""
        log = self.ledger.log
        assert log is not None
        with failing(disk):
            try:
                log.round()
            except SafeconductError as error:
                if not disk.failed_in:
                    self._stopped(error)
            self.ledger.collect()
            with suppress(SafeconductError, OSError):
                self.ledger.close(CrashError())
        disk.cut_power()
        self.counts["disks failed"] += bool(disk.failed_in)

    def found(self, but: str) -> list[tuple[str, bytes]]:
        """What a witness at its start finds at the log and at its peers."""
        found = []
        urls = ["http://log/checkpoint"]
        urls += [f"http://{n}/{_HASH}/checkpoint" for n in (*HONEST, LIAR) if n != but]
        for url in urls:
            try:
                found.append((url, fetch.get(url, bytes_max=1 << 16)))
            except SafeconductError:
                continue
        return found

    def start_witness(self, name: str) -> bool:
        return self.houses[name].start(self.found(name), RemoteLog("http://log"))

    def restart_witness(self, name: str, *, keeps_copy: bool) -> None:
        """Stop a witness and start it again; its keeper may copy the folder in between."""
        house = self.houses[name]
        house.stop()
        if keeps_copy:
            house.copy(self.new_folder())
        was_behind = house.is_behind()
        started = self.start_witness(name)
        assert not started or was_behind or not house.is_behind()
        self.counts["witnesses that did not start"] += not started

    def put_back_witness(self, name: str, copy: Path, *, whole: bool) -> None:
        """Put an old memory back: it is refused, if anything that can be asked tells."""
        house = self.houses[name]
        house.stop()
        house.put_back(copy, whole=whole)
        was_behind, forgot = house.is_behind(), house.has_forgotten
        refused_before = house.refused
        started = self.start_witness(name)
        if was_behind and not house.is_old:
            assert house.refused > refused_before, "an old database was started"
            self.counts["old databases refused"] += 1
        if was_behind and house.is_old:
            caught = house.refused > refused_before
            self.counts["old folders refused" if caught else "old folders started"] += 1
        self.counts["witnesses that forgot"] += started and house.has_forgotten > forgot

    def other_lines(self) -> list[bytes]:
        """The cosignatures of others that anybody can copy."""
        published = self.ledger.published
        if published is None:
            return []
        lines = map(format_signature_line, parse_note(published.checkpoint).signatures)
        return [line.encode() for line in lines]

    def send_again(self, number: int) -> None:
        """An entry that was acknowledged has the same index for ever."""
        log, known = self.ledger.log, list(self.ledger.acknowledged.items())
        assert log is not None
        if not known:
            return
        entry, index = known[number % len(known)]
        with suppress(UnavailableError):
            promise = log.submit(entry)
            if promise.done():
                assert promise.result() == index or (self.was_put_back and self.may_fork)

    def back_up_log(self) -> None:
        """Copy the folder while the log is stopped."""
        self.ledger.close()
        self.copies.append(self.new_folder())
        shutil.copytree(self.ledger.folder, self.copies[-1])
        self.ledger.open()

    def put_back_log(self, copy: Path) -> None:
        """Replace the log's folder by an old copy, as an unlucky keeper would."""
        self.was_put_back = True
        self.ledger.close()
        self.lost.append(self.new_folder())
        self.ledger.folder.rename(self.lost[-1])
        shutil.copytree(copy, self.ledger.folder)
        self.ledger.open()

    def repair(self) -> bool:
        """Take up from the newest mirror what the log's folder lacks, then start again."""
        self.ledger.close()
        number = len(self.lost) - 1
        try:
            repair_log(self.ledger.folder, f"http://mirror-{number}", lambda _: None)
        except SafeconductError as error:
            self.counts[f"not repaired: {type(error).__name__}"] += 1
            return False
        finally:
            self.ledger.open()
        return True

    def find_again(self) -> None:
        """The lost folder turns up, and takes its place again."""
        self.ledger.close()
        shutil.rmtree(self.ledger.folder)
        self.lost.pop().rename(self.ledger.folder)
        self.ledger.open()

    def look_around(self) -> None:
        """The outsider reads what there is to read."""
        if self.ledger.log is not None:
            self.outsider.read(self.ledger.written)
        for name in (*HONEST, LIAR):
            try:
                url = f"http://{name}/{_HASH}/checkpoint"
                self.outsider.see(fetch.get(url, bytes_max=1 << 16))
            except SafeconductError:
                continue
        for house in self.houses.values():
            if house.witness is not None:
                for proof in house.forks().values():
                    self.outsider.take(proof)

    def check(self) -> None:
        """What holds after every step."""
        assert not self.broken, self.broken
        for house in self.houses.values():
            latest = house.latest
            if latest is not None:
                assert latest.forked == bool(house.forks())
        if self.truth.is_one_history:
            assert not self.outsider.forks, "an honest log was slandered"
        self._check_accepted()

    def _check_accepted(self) -> None:
        """A fork that readers accept is impossible, or it is proven.

        What nobody was ever shown the tiles of is a doubt, until somebody is.
        """
        assert self.may_fork or not self.apart, "two histories under one policy"
        proven = bool(self.outsider.forks)
        for larger in self.apart:
            assert proven or not self.outsider.can_read(larger), "a fork is not proven"
        if self.apart:
            self.counts["steps with a fork " + ("proven" if proven else "hidden")] += 1

    def close(self) -> None:
        if self.ledger.log is not None:
            self.ledger.close()
        for house in self.houses.values():
            house.stop()


@contextmanager
def ruled_by(clock: Clock, request: Callable[..., Response]) -> Iterator[None]:
    """Put our clock and our network in place of the world's; all is done in turn."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(real_clock, "milliseconds", clock.milliseconds)
        patch.setattr(real_clock, "seconds", clock.seconds)
        patch.setattr(real_clock, "monotonic", clock.monotonic)
        patch.setattr(real_clock, "sleep", clock.sleep)
        patch.setattr(fetch, "request", request)
        patch.setattr(quorum, "ThreadPoolExecutor", InTurn)
        patch.setattr(ahead, "ThreadPoolExecutor", InTurn)
        patch.setattr(journal, "SEGMENT_BYTES", _SEGMENT_BYTES)
        yield
