"""Door, log and witnesses are gone; words and a mirror bring everything back."""

import argparse
import io
import json
import stat
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.protocol import builders
from tests.protocol.age.chance import dice

from safeconduct.errors import MalformedError, UnavailableError
from safeconduct.parties.mirror.folder import new_mirror
from safeconduct.parties.mirror.follow import copy_once, open_mirror
from safeconduct.parties.mirror.site import make_site as make_mirror_site
from safeconduct.parties.source import command
from safeconduct.parties.source.restore import CAPSULE, MIRROR, NOWHERE, Restored, restore
from safeconduct.plumbing import fetch, web
from safeconduct.plumbing.programme import Programme, write_programme
from safeconduct.plumbing.words import format_words
from safeconduct.protocol.capsule import CAPSULE_BYTES, SHELF_ENTRY_BYTES, Capsule, seal_capsule
from safeconduct.protocol.record import format_record, record_hash
from safeconduct.protocol.tlog.merkle import Frontier, inclusion_proof, leaf_hash
from safeconduct.protocol.tlog.note import SigningKey, format_note
from safeconduct.protocol.tlog.proof import TlogProof, format_proof
from safeconduct.protocol.tlog.tile import ENTRIES, format_bundle, parse_tile_path

NOW = builders.NOON
WRONG = bytes(16)


@dataclass
class Far:
    """What is gone later: both logs, and the door's shelf."""

    ledger: list[bytes] = field(default_factory=list)
    at: int = NOW
    shelf: list[bytes] = field(default_factory=list)

    def log(self, name: str, request: web.Request) -> web.Response:
        entries = list(builders.gazette_entries()) if name == "gazette" else self.ledger
        key = builders.GAZETTE if name == "gazette" else builders.LEDGER
        path = request.path_params["rest"]
        if path == "checkpoint":
            return web.data(self.checkpoint(entries, key))
        tile = parse_tile_path(path)
        assert tile.level == ENTRIES  # an honest log is asked for nothing else
        return web.data(format_bundle(entries[tile.index * 256 :][: tile.width]))

    def checkpoint(self, entries: list[bytes], key: SigningKey) -> bytes:
        frontier, _ = Frontier.empty().extend([leaf_hash(each) for each in entries])
        return format_note(builders.checkpoint_note(frontier, self.at, key))

    def contribute(self, number: int) -> bytes:
        """A tip of ours is dated; returns its record."""
        record = format_record(builders.seal(number=number).record)
        self.ledger += [bytes([len(self.ledger)]) * 32, record_hash(record)]
        return record

    def prove(self, record: bytes) -> bytes:
        """The proof that the log gives for it now."""
        index = self.ledger.index(record_hash(record))
        leaves = [leaf_hash(each) for each in self.ledger]
        _, stored = Frontier.empty().extend(leaves)
        hashes = inclusion_proof(index, len(leaves), lambda asked: [stored[e] for e in asked])
        note = self.checkpoint(self.ledger, builders.LEDGER)
        return format_proof(TlogProof(index=index, hashes=tuple(hashes), checkpoint=note))

    def shelve(self, number: int, record: bytes, proof: bytes = b"") -> None:
        keys = builders.source_keys(number)
        capsule = Capsule(record=record, pre=bytes(16), proof=proof)
        self.shelf.append(keys.slot() + seal_capsule(capsule, keys, dice()))


@dataclass
class World:
    """A mirror that goes on when the rest has gone."""

    folder: Path
    programme: Programme
    mirror: str
    asked: list[str]

    def restore(
        self, entropy: bytes = builders.ENTROPY, compare: bool = False
    ) -> tuple[Restored, ...]:
        """What these words bring back."""
        return restore(self.programme, entropy, self.mirror, compare=compare)


@contextmanager
def gone(folder: Path, far: Far) -> Iterator[World]:
    """Copy what is there, then shut down all but the mirror."""
    app = web.make_app(
        [
            web.Route("GET", "/ledger/{rest:path}", lambda r: far.log("ledger", r)),
            web.Route("GET", "/gazette/{rest:path}", lambda r: far.log("gazette", r)),
            web.Route("GET", "/capsules", lambda _: web.data(b"".join(far.shelf))),
        ]
    )
    public = folder / "programme"
    public.mkdir()
    with web.running(app) as url:
        programme = _programme(url)
        write_programme(public, programme)
        new_mirror(folder / "mirror", [public], None)
        with open_mirror(folder / "mirror") as mirror:
            assert copy_once(mirror) == []
    with open_mirror(folder / "mirror") as mirror:
        asked: list[str] = []
        with web.running(_noting(make_mirror_site(mirror), asked)) as mirror_url:
            yield World(folder=folder, programme=programme, mirror=mirror_url, asked=asked)


def _noting(site: web.App, asked: list[str]) -> web.App:
    async def noting(
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        if scope["type"] == "http":
            asked.append(scope["path"])
        await site(scope, receive, send)

    return noting


def _programme(url: str) -> Programme:
    return Programme(
        name=builders.NAME,
        gazette=f"{url}/gazette",
        gazette_origin=builders.GAZETTE.name,
        ledger=f"{url}/ledger",
        ledger_origin=builders.LEDGER.name,
        door=url,
        register="http://register.example",
        policy=builders.POLICY,
        policy_text=builders.POLICY_TEXT.encode(),
    )


PROOF_PATH = f"/{sha256(builders.LEDGER.name.encode()).hexdigest()}/proof"


def test_a_receipt_comes_back_out_of_its_capsule_and_nobody_learns_whose_it_is(
    tmp_path: Path,
) -> None:
    far = Far()
    record = far.contribute(0)
    proof = far.prove(record)
    far.shelve(0, record, proof)
    with gone(tmp_path, far) as world:
        [item] = world.restore()
        assert world.asked == ["/capsules"]
    assert item.receipt is not None
    assert (item.number, item.origin, item.doubt) == (0, CAPSULE, "")
    assert (item.capsule.record, item.proof) == (record, proof)
    assert item.receipt.logged_by == NOW


def test_a_capsule_without_its_receipt_gets_it_from_the_mirror_on_demand(
    tmp_path: Path,
) -> None:
    far = Far()
    record = far.contribute(0)
    far.shelve(0, record)
    with gone(tmp_path, far) as world:
        [item] = world.restore(compare=True)
        assert world.asked == ["/capsules", PROOF_PATH]
    assert item.receipt is not None
    assert (item.origin, item.receipt.logged_by) == (MIRROR, NOW)
    assert item.receipt.record_hash == record_hash(record)


def test_a_receipt_that_does_not_verify_is_replaced_by_the_mirrors(tmp_path: Path) -> None:
    far = Far()
    record = far.contribute(0)
    far.shelve(0, record, builders.redated(far.prove(record), -60))
    with gone(tmp_path, far) as world:
        [item] = world.restore(compare=True)
    assert item.origin == MIRROR
    assert item.receipt is not None
    assert item.receipt.logged_by == NOW


@pytest.mark.parametrize(("held_at", "origin"), [(NOW - 60, CAPSULE), (NOW + 60, MIRROR)])
def test_of_two_receipts_the_earlier_date_counts(
    tmp_path: Path, held_at: int, origin: str
) -> None:
    far = Far()
    record = far.contribute(0)
    far.at = held_at
    held = far.prove(record)
    far.at = NOW
    far.shelve(0, record, held)
    with gone(tmp_path, far) as world:
        [item] = world.restore(compare=True)
    assert item.origin == origin
    assert item.receipt is not None
    assert item.receipt.logged_by == min(NOW, held_at)


def test_a_record_that_nobody_logged_has_no_date(tmp_path: Path) -> None:
    far = Far()
    record = far.contribute(0)
    far.shelve(0, record)
    far.ledger.pop()
    with gone(tmp_path, far) as world:
        [item] = world.restore(compare=True)
    assert (item.receipt, item.origin) == (None, NOWHERE)
    assert "no such entry" in item.doubt


def test_contributions_are_found_across_gaps_and_junk_hides_none(tmp_path: Path) -> None:
    far = Far()
    for number in (0, 3):
        record = far.contribute(number)
        junk = builders.source_keys(number).slot() + bytes(CAPSULE_BYTES)
        far.shelf.append(junk)
        far.shelve(number, record, far.prove(record))
        far.shelf.append(junk)
    with gone(tmp_path, far) as world:
        assert [item.number for item in world.restore()] == [0, 3]
        assert world.restore(WRONG) == ()


def test_a_mirror_that_lies_is_not_believed(tmp_path: Path) -> None:
    far = Far()
    record = far.contribute(0)
    far.shelve(0, record)
    stranger = builders.prove(record_hash(record), witnesses=(builders.STRANGER,))
    programme = _programme("http://127.0.0.1:9")
    app = web.make_app(
        [
            web.Route("GET", "/capsules", lambda _: web.data(b"".join(far.shelf))),
            web.Route("GET", "/{log}/proof", lambda _: web.data(stranger)),
        ]
    )
    with web.running(app) as url:
        [item] = restore(programme, builders.ENTROPY, url, compare=True)
    assert item.receipt is None
    assert "quorum" in item.doubt


def test_what_is_no_shelf_is_refused(tmp_path: Path) -> None:
    app = web.make_app([web.Route("GET", "/capsules", lambda _: web.data(bytes(100)))])
    with web.running(app) as url, pytest.raises(MalformedError, match="shelf"):
        restore(_programme(url), builders.ENTROPY, url)
    with pytest.raises(UnavailableError):
        restore(_programme(url), builders.ENTROPY, url)


def test_a_long_shelf_is_searched_in_constant_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """160 MiB of other people's capsules, and one of ours amid them."""
    far = Far()
    record = far.contribute(0)
    far.shelve(0, record, far.prove(record))
    others = bytes(SHELF_ENTRY_BYTES) * 128

    def pieces(*_: object, **__: object) -> Iterator[bytes]:
        for number in range(160):
            yield far.shelf[0] if number == 100 else others

    monkeypatch.setattr(fetch, "pieces", pieces)
    tracemalloc.start()
    try:
        [item] = restore(_programme("http://log.example"), builders.ENTROPY, "http://m.example")
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert item.capsule.record == record
    assert peak_bytes < 8 << 20


# The verb.


def run(
    monkeypatch: pytest.MonkeyPatch, world: World, *arguments: str, entropy: bytes = b""
) -> int:
    """`source restore`, with words piped in."""
    words = format_words(entropy or builders.ENTROPY)
    monkeypatch.setattr("sys.stdin", io.StringIO(words + "\n"))
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    common = ["--programme", str(world.folder / "programme"), "--mirror", world.mirror]
    options = parser.parse_args(["restore", *common, *arguments])
    status: int = options.run(options)
    return status


def test_the_verb_tells_what_was_found_and_writes_only_if_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    far = Far()
    records = [far.contribute(number) for number in range(2)]
    far.shelve(0, records[0], far.prove(records[0]))
    far.shelve(1, records[1])
    out = tmp_path / "out"
    with gone(tmp_path, far) as world:
        assert run(monkeypatch, world, "--compare") == 0
        told = capsys.readouterr()
        assert "contribution 0: dated 2027-01-15T08:00:00Z\n" in told.out
        assert "its receipt is from the capsule\n" in told.out
        assert "its receipt is from the mirror\n" in told.out
        assert told.err == ""
        assert not out.exists()
        run(monkeypatch, world, "--compare", "--out", str(out))
        assert capsys.readouterr().err == (
            "warning: these files show that you have helped: keep them where only you look\n"
        )
        names = ["0.record", "0.tlog-proof", "1.record", "1.tlog-proof"]
        assert sorted(path.name for path in out.iterdir()) == names
        assert {stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()} == {0o600}
        assert stat.S_IMODE(out.stat().st_mode) == 0o700
        assert (out / "1.record").read_bytes() == records[1]
        run(monkeypatch, world, "--compare", "--json")
        summaries = json.loads(capsys.readouterr().out)
        assert [each["from"] for each in summaries] == [CAPSULE, MIRROR]
        assert summaries[1] == {
            "number": 1,
            "kind": "contribution",
            "record_hash": record_hash(records[1]).hex(),
            "logged_by": "2027-01-15T08:00:00Z",
            "index": 3,
            "from": MIRROR,
            "doubt": "",
        }


def test_wrong_words_look_like_new_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with gone(tmp_path, Far(ledger=[bytes(32)])) as world:
        out = tmp_path / "out"
        assert run(monkeypatch, world, "--out", str(out), entropy=WRONG) == 0
        assert capsys.readouterr() == ("empty mailbox — wrong words?\n", "")
        assert not out.exists()
