"""A source opens one tip: told first what that shows, and no more than that is shown."""

import argparse
import io
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest
from tests.parties.source.network import PROGRAMME, Network, sources
from tests.parties.source.test_inbox import acknowledged
from tests.protocol import builders
from tests.protocol.age.chance import dice

from safeconduct.errors import MalformedError, RefusedError, SafeconductError
from safeconduct.parties.source import command, open_command
from safeconduct.parties.source.inbox import Contribution
from safeconduct.parties.source.open import Plan, hand_over, plan_items, plan_whole
from safeconduct.parties.source.send import send
from safeconduct.plumbing.durable import read_stream
from safeconduct.plumbing.programme import write_programme
from safeconduct.plumbing.words import format_words
from safeconduct.protocol.envelope import Source
from safeconduct.protocol.opening import Opened, parse_opening, verify_opening
from safeconduct.protocol.receipt import Receipt
from safeconduct.protocol.record import record_hash
from safeconduct.protocol.tip import member_name

FILES: Mapping[str, bytes] = {
    "message.txt": b"It lies behind the tide tables.\n",
    "Lohnliste.csv": b"name,amount\n" * 7_000,
    "empty": b"",
}
STATE = builders.gazette_state()


def prove(record: bytes) -> bytes:
    """In place of the Ledger."""
    return builders.prove(record_hash(record), builders.NOON + builders.DAY)


def tip(network: Network, status: str = "ok", **more: object) -> Contribution:
    """A tip of ours, which the desk has answered if there is a status."""
    sent = send(
        PROGRAMME,
        builders.ENTROPY,
        sources(FILES),
        at=network.now,
        random_bytes=network.chance,
        report=network.told.append,
        **more,  # type: ignore[arg-type]  # what the test says about the sending
    )
    if status:
        network.post(acknowledged(sent.receipt.record_hash, status), number=sent.number)
    return next(item for item in network.inbox() if item.keys.number == sent.number)


def whole(network: Network, contribution: Contribution, files: Iterable[Source] = ()) -> Plan:
    return plan_whole(contribution, list(files), STATE, network.inbox(), dice())


def verified(folder: Path, payload: bytes | None = None) -> Opened:
    """What a court makes of the folder."""
    bundle = parse_opening((folder / "opening.json").read_bytes())
    beside = folder / "payload"
    data = beside.read_bytes() if beside.exists() else payload

    def item(place: int) -> Iterable[bytes]:
        return read_stream(folder / "items" / member_name(place))

    return verify_opening(
        bundle, STATE, builders.POLICY, payload=(lambda: [data]) if data else None, files=item
    )


def delivered(network: Network) -> bytes:
    """The payload that the desk holds."""
    [upload] = network.uploads.values()
    return bytes(upload.payload)


def test_words_alone_open_a_whole_tip(network: Network, tmp_path: Path) -> None:
    hand_over(whole(network, tip(network)), "court", tmp_path / "out", prove)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["opening.json"]
    opened = verified(tmp_path / "out", delivered(network))
    assert (opened.opener, opened.scope, opened.purpose) == ("source", "all", "court")
    assert [each.file.name for each in opened.files] == list(FILES)
    assert (opened.status, opened.by_key) == ("ok", True)


def test_with_the_same_files_the_sealed_bytes_are_made_again(
    network: Network, tmp_path: Path
) -> None:
    plan = whole(network, tip(network), sources(FILES))
    hand_over(plan, "audit", tmp_path / "out", prove)
    assert (tmp_path / "out" / "payload").read_bytes() == delivered(network)
    assert verified(tmp_path / "out").by_key


def test_a_tip_that_follows_another_is_made_again_too(network: Network, tmp_path: Path) -> None:
    first = tip(network)
    network.uploads.clear()
    earlier = (record_hash(first.capsule.record), first.keys.tag_key())
    second = tip(network, number=1, follows=earlier)
    plan = whole(network, second, sources(FILES))
    hand_over(plan, "court", tmp_path / "out", prove)
    assert (tmp_path / "out" / "payload").read_bytes() == delivered(network)


def test_the_body_need_not_have_answered_for_a_whole_tip(
    network: Network, tmp_path: Path
) -> None:
    hand_over(whole(network, tip(network, "")), "appeal", tmp_path / "out", prove)
    assert verified(tmp_path / "out", delivered(network)).status == ""


def test_some_files_are_shown_and_the_file_key_is_not(network: Network, tmp_path: Path) -> None:
    plan = plan_items(tip(network), sources(FILES), [3, 1])
    hand_over(plan, "press", tmp_path / "out", None)
    opened = verified(tmp_path / "out")
    assert [(each.place, each.file.name) for each in opened.files] == [
        (1, "message.txt"),
        (3, "empty"),
    ]
    assert opened.logged is None
    shown = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*.json"))
    assert b"Lohnliste" not in shown
    assert not parse_opening(shown).file_key


def test_a_burned_tip_shows_files_and_never_the_whole(network: Network, tmp_path: Path) -> None:
    burned = tip(network, burn=True)
    assert not burned.capsule.nonce
    for files in ([], sources(FILES)):
        with pytest.raises(RefusedError, match="burned") as refused:
            whole(network, burned, files)
        assert "--item" in refused.value.hint
    hand_over(plan_items(burned, sources(FILES), [1]), "court", tmp_path / "out", prove)
    assert len(verified(tmp_path / "out").files) == 1


OTHERS: dict[str, Callable[[], Mapping[str, bytes]]] = {
    "a file changed": lambda: {**FILES, "empty": b"x"},
    "another order": lambda: dict(reversed(list(FILES.items()))),
    "one file less": lambda: {name: data for name, data in FILES.items() if data},
    "one file more": lambda: {**FILES, "more": b""},
}


@pytest.mark.parametrize("files", OTHERS.values(), ids=OTHERS)
def test_other_files_than_were_sealed_are_refused(
    network: Network, files: Callable[[], Mapping[str, bytes]]
) -> None:
    contribution = tip(network)
    with pytest.raises(RefusedError, match="not the files"):
        whole(network, contribution, sources(files()))
    with pytest.raises(RefusedError, match="not the files"):
        plan_items(contribution, sources(files()), [1])


def test_another_name_is_noticed_where_it_counts(network: Network) -> None:
    renamed = {name.replace("message", "Message"): data for name, data in FILES.items()}
    with pytest.raises(RefusedError, match="not the files"):
        whole(network, tip(network), sources(renamed))


@pytest.mark.parametrize("status", ["", "mismatch", "duplicate", "unreadable"])
def test_single_files_wait_for_the_desks_ok(network: Network, status: str) -> None:
    with pytest.raises(RefusedError, match="acknowledged the tip as ok"):
        plan_items(tip(network, status), sources(FILES), [1])


@pytest.mark.parametrize("place", [0, 4, -1])
def test_a_file_that_the_tip_has_not_cannot_be_shown(network: Network, place: int) -> None:
    with pytest.raises(MalformedError, match="files 1 to 3"):
        plan_items(tip(network), sources(FILES), [place])


def test_a_file_that_changes_meanwhile_ends_it(network: Network, tmp_path: Path) -> None:
    contents = dict(FILES)
    changing = [
        Source(name=name, read=lambda name=name: [contents[name]])  # type: ignore[misc]
        for name in FILES
    ]
    plans = [
        plan_items(tip(network), changing, [1]),
        whole(network, network.inbox()[0], changing),
    ]
    contents["message.txt"] = FILES["message.txt"].upper()
    for plan in plans:
        with pytest.raises(SafeconductError, match="changed"):
            hand_over(plan, "court", tmp_path / "out", prove)
    assert not list(tmp_path.glob("*out*"))


# The verb.


@pytest.fixture
def folder(tmp_path: Path, network: Network, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The public files and those that were sent, for somebody whose network is `network`."""
    write_programme(tmp_path, PROGRAMME)
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)

    def log_record(_: object, record: bytes, **__: object) -> tuple[bytes, Receipt | None]:
        logged.append(record)
        return prove(record), None

    logged.clear()
    monkeypatch.setattr(open_command, "log_record", log_record)
    return tmp_path


logged: list[bytes] = []


def run(
    monkeypatch: pytest.MonkeyPatch, folder: Path, *words: str, typed: str = "yes\n"
) -> int:
    """The verb, with our words piped in and then what is typed."""
    piped = io.StringIO(format_words(builders.ENTROPY) + "\n" + typed)
    monkeypatch.setattr("sys.stdin", piped)
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    asked = ("--number", "0", "--purpose", "court", "--wait", "0")
    options = parser.parse_args(
        ["open", "--programme", str(folder), *asked, "--out", str(folder / "out"), *words]
    )
    code: int = options.run(options)
    return code


def files(folder: Path) -> tuple[str, ...]:
    message, *others = (str(folder / name) for name in FILES)
    return ("--message", message, "--files", *others)


def test_it_says_what_is_shown_and_asks_before_it_does_anything(
    folder: Path,
    network: Network,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tip(network)
    with pytest.raises(RefusedError, match="nothing was opened"):
        run(monkeypatch, folder, typed="no\n")
    told = capsys.readouterr().err
    assert "read all of this tip" in told
    assert "earlier tip it follows" in told
    assert "public keys of this contribution" in told
    assert "No other tip of yours" in told
    assert not (folder / "out").exists()
    assert logged == []
    assert run(monkeypatch, folder) == 0
    assert [record_hash(record) for record in logged] == [
        record_hash(parse_opening((folder / "out/opening.json").read_bytes()).opening)
    ]


def test_with_yes_nobody_is_asked_and_with_do_not_log_nothing_is_logged(
    folder: Path,
    network: Network,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tip(network)
    words = ("--yes", "--do-not-log", "--item", "2", *files(folder))
    assert run(monkeypatch, folder, *words, typed="") == 0
    told = capsys.readouterr().err
    assert "show 1 of 3 files" in told
    assert "goes into no log" in told
    assert logged == []
    assert verified(folder / "out").logged is None
    assert (folder / "out/items/f0002").read_bytes() == FILES["Lohnliste.csv"]


def test_the_payload_is_written_if_the_files_are_given(
    folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    tip(network)
    run(monkeypatch, folder, *files(folder))
    assert verified(folder / "out").by_key
    assert (folder / "out/payload").stat().st_mode & 0o077 == 0


REFUSALS: dict[str, tuple[tuple[str, ...], str]] = {
    "a tip that the words have not": (("--number", "1"), "no contribution 1"),
    "a file, but no files": (("--item", "1"), "--item needs the files"),
    "a file that is not there": (("--files", "absent"), "absent"),
}


@pytest.mark.parametrize(("words", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_what_cannot_be_opened_is_refused_before_anything_is_asked(
    folder: Path,
    network: Network,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    reason: str,
) -> None:
    tip(network)
    with pytest.raises(SafeconductError, match=reason):
        run(monkeypatch, folder, *words, typed="")
    assert not (folder / "out").exists()
