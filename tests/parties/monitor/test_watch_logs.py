"""Logs, witnesses and mirrors that lie, fall behind or fall silent."""

import time
from collections.abc import Iterator

import pytest
from tests.parties.auditor.public_folder import (
    GAZETTE,
    LEDGER,
    WITNESSES,
    checkpoint,
    make_log,
)
from tests.parties.monitor.monitor_town import (
    AT,
    FOUNDED,
    HASHES,
    OTHERS,
    Town,
    origin_hash,
)

from safeconduct.parties.monitor.site import make_site
from safeconduct.parties.monitor.store import open_store
from safeconduct.plumbing import fetch, web
from safeconduct.protocol.tlog.fork import ForkProof, format_fork, parse_fork, verify_fork
from safeconduct.protocol.tlog.merkle import TREE_SIZE_END, Tree

LEDGER_KEYS = [LEDGER.verifier()]


def test_nothing_is_found_where_all_is_well(town: Town) -> None:
    assert town.watch() == {}
    assert town.code == 0


def test_a_log_that_grows_is_followed_round_after_round(town: Town) -> None:
    for size in (300, 301, 513, 600):
        town.show("ledger", HASHES[:size])
        assert town.watch() == {}


def test_a_log_that_shrinks_is_reported_with_both_checkpoints(town: Town) -> None:
    before = town.files["ledger/checkpoint"]
    town.watch()
    smaller = town.show("ledger", HASHES[:200])
    found = town.watch()
    assert "shrank" in found
    assert town.code == 10
    assert town.evidence(found["shrank"], ".checkpoint") == [before, smaller.checkpoint]


def test_the_largest_tree_is_remembered_although_a_smaller_one_is_its_beginning(
    town: Town,
) -> None:
    town.watch()
    town.mirror()  # whose tiles show that nothing but the end is gone
    town.show("ledger", HASHES[:200])
    for _ in range(2):
        assert set(town.watch()) == {"shrank"}


FORKS = {
    "of the same size": 300,
    "that went on growing": 301,
    "far ahead": 600,
}


@pytest.mark.parametrize("size", FORKS.values(), ids=FORKS.keys())
def test_a_fork_is_proven_by_a_file_that_needs_no_monitor(town: Town, size: int) -> None:
    town.watch()
    town.show("ledger", [*HASHES[:250], *OTHERS[: size - 250]])
    found = town.watch()
    [proof] = town.evidence(found["forked"], ".fork")
    fork = verify_fork(parse_fork(proof), LEDGER_KEYS)
    assert (fork.origin, fork.old.size, fork.new.size) == (LEDGER.name, 300, size)
    assert town.code == 11


def test_a_fork_stays_an_alert_although_the_log_returns_to_its_old_story(town: Town) -> None:
    town.watch()
    town.show("ledger", [*HASHES[:250], *OTHERS[:50]])
    town.watch()
    town.show("ledger", HASHES[:400])
    assert set(town.watch()) == {"forked"}
    assert town.code == 11


def test_a_smaller_fork_is_proven_once_it_outgrows_what_was_seen(town: Town) -> None:
    town.watch()
    branch = [*HASHES[:150], *OTHERS]
    town.show("ledger", branch[:200])
    found = town.watch()
    assert {"shrank", "unjoined"} <= found.keys()
    assert "forked" not in found
    town.show("ledger", branch[:350])
    assert "forked" in town.watch()


def test_a_split_view_is_found_by_asking_a_witness(town: Town) -> None:
    branch = make_log(LEDGER, OTHERS[:200], AT)
    town.witnessed("w2", "ledger", branch)
    found = town.watch()
    [proof] = town.evidence(found["forked"], ".fork")
    assert verify_fork(parse_fork(proof), LEDGER_KEYS).old.size == 200
    assert "w2" in found["forked"].sentence


def test_a_witness_that_saw_more_is_no_alert_at_first(town: Town) -> None:
    town.witnessed("w1", "ledger", make_log(LEDGER, HASHES[:400], AT))
    assert town.watch() == {}


def test_a_log_that_keeps_back_what_a_witness_saw_is_found_after_a_while(town: Town) -> None:
    town.witnessed("w1", "ledger", make_log(LEDGER, HASHES[:400], AT))
    town.watch()
    town.show_us("ledger", HASHES[:300], AT + 700)
    assert "withheld" in town.watch(AT + 700)
    town.show_us("ledger", HASHES[:400], AT + 800)
    assert "withheld" not in town.watch(AT + 800)


def test_a_split_view_that_is_ahead_of_ours_is_remembered_until_it_is_proven(
    town: Town,
) -> None:
    town.witnessed("w1", "ledger", make_log(LEDGER, OTHERS[:400], AT))
    assert "forked" not in town.watch()
    # The witness hides it again; the log goes on with the story that it tells us.
    town.show("ledger", HASHES[:500])
    found = town.watch()
    [proof] = town.evidence(found["forked"], ".fork")
    assert verify_fork(parse_fork(proof), LEDGER_KEYS).old.size == 400


def test_a_stale_log_is_reported_and_forgiven_when_it_is_back(town: Town) -> None:
    found = town.watch(AT + 601)
    assert {"stale"} <= found.keys()
    assert town.code == 10
    town.show("gazette", FOUNDED, AT + 660)
    town.show("ledger", HASHES[:300], AT + 660)
    assert town.watch(AT + 661) == {}
    assert len(town.sentences("new")) == len(town.sentences("ended"))


def test_a_witness_whose_endpoint_lags_over_an_hour_is_reported(town: Town) -> None:
    for name, entries in (("gazette", FOUNDED), ("ledger", HASHES[:300])):
        town.show_us(name, entries, AT + 3_700)
    found = town.watch(AT + 3_700)
    assert "witness-behind" in found
    assert "witness-silent" not in found


def test_a_witness_that_nobody_sees_cosigning_is_silent(town: Town) -> None:
    town.watch()
    for name, entries in (("gazette", FOUNDED), ("ledger", HASHES[:300])):
        town.show_us(name, entries, AT + 4_000)
        town.dated(name, AT + 4_000, WITNESSES[:1])
    found = town.watch(AT + 4_000)
    assert "w2" in found["witness-silent"].sentence
    assert "w1" not in found["witness-silent"].sentence


def test_a_checkpoint_without_its_quorum_is_reported_but_still_compared(town: Town) -> None:
    town.watch()
    town.show("ledger", [*HASHES[:250], *OTHERS[:50]])
    town.dated("ledger", AT, [])
    assert {"no-quorum", "forked"} <= town.watch().keys()


def test_what_a_witness_shows_must_bear_its_own_signature(town: Town) -> None:
    town.dated("ledger", AT, WITNESSES[:1])
    path = f"w2/{origin_hash('ledger')}/checkpoint"
    town.files[path] = town.files["ledger/checkpoint"]
    found = town.watch()
    assert "witness-uncosigned" in found
    assert town.evidence(found["witness-uncosigned"], ".checkpoint") == [town.files[path]]


def test_a_witness_without_a_checkpoint_is_reported(town: Town) -> None:
    del town.files[f"w1/{origin_hash('ledger')}/checkpoint"]
    assert set(town.watch()) == {"witness-without"}


def test_a_fork_that_a_witness_lists_is_checked_and_kept(town: Town) -> None:
    one = make_log(LEDGER, HASHES[:9], AT).checkpoint
    other = make_log(LEDGER, OTHERS[:9], AT).checkpoint
    fork = format_fork(ForkProof(old=one, new=other))
    base = f"w1/{origin_hash('ledger')}/forks"
    town.files |= {base: b"a-9-9.fork\n", f"{base}/a-9-9.fork": fork}
    found = town.watch()
    assert set(found) == {"forked"}
    assert town.evidence(found["forked"], ".fork") == [fork]


def test_a_listed_fork_that_proves_nothing_is_said_to_prove_nothing(town: Town) -> None:
    one = make_log(LEDGER, HASHES[:9], AT).checkpoint
    base = f"w1/{origin_hash('ledger')}/forks"
    fork = format_fork(ForkProof(old=one, new=one))
    town.files |= {base: b"same.fork\nempty.fork\n", f"{base}/same.fork": fork}
    town.files[f"{base}/empty.fork"] = b""
    assert set(town.watch()) == {"witness-fork-unproven"}
    assert town.code == 10


def test_a_witness_cannot_raise_alerts_without_end_by_making_up_names(town: Town) -> None:
    base = f"w1/{origin_hash('ledger')}/forks"
    for number in range(3):
        town.files[base] = f"made-up-{number}.fork\n".encode()
        found = town.watch()
    assert set(found) == {"witness-fork-unproven"}
    assert len(town.sentences("new")) == 1


def test_tiles_that_do_not_lead_to_the_signed_root_are_reported_at_first_sight(
    town: Town,
) -> None:
    tile = town.files["ledger/tile/0/001.p/44"]
    assert isinstance(tile, bytes)
    town.files["ledger/tile/0/001.p/44"] = bytes(len(tile))
    assert set(town.watch()) == {"log-tiles"}


def test_a_good_mirror_is_no_alert(town: Town) -> None:
    town.mirror()
    assert town.watch() == {}


def test_a_mirror_with_another_story_proves_a_fork(town: Town) -> None:
    town.mirror()
    town.serve(f"mirror/{origin_hash('ledger')}", make_log(LEDGER, OTHERS[:300], AT))
    assert set(town.watch()) == {"forked"}


def test_a_mirror_with_a_flipped_bit_in_a_tile_is_reported(town: Town) -> None:
    town.mirror()
    path = f"mirror/{origin_hash('ledger')}/tile/0/001.p/44"
    tile = town.files[path]
    assert isinstance(tile, bytes)
    town.files[path] = bytes([tile[0] ^ 1]) + tile[1:]
    assert set(town.watch()) == {"mirror-tiles"}


def test_a_mirror_that_has_stopped_copying_is_reported(town: Town) -> None:
    town.mirror()
    for name, entries in (("gazette", FOUNDED), ("ledger", HASHES[:400])):
        town.show(name, entries, AT + 4_000)
    assert set(town.watch(AT + 4_000)) == {"mirror-behind"}


def test_a_mirror_helps_to_prove_a_fork_whose_tiles_the_log_took_away(town: Town) -> None:
    town.watch()
    town.mirror()
    town.show("ledger", [*HASHES[:150], *OTHERS[:50]])
    found = town.watch()
    assert {"shrank", "forked"} <= found.keys()


CLOCKS = {"behind": -3_600, "ahead": 420}


@pytest.mark.parametrize(("word", "seconds"), CLOCKS.items(), ids=CLOCKS.keys())
def test_a_clock_that_differs_from_all_witnesses_is_doubted(
    town: Town, word: str, seconds: int
) -> None:
    found = town.watch(AT + seconds)
    assert f"minutes {word} of all 2 witnesses" in found["clock"].sentence


def test_one_witness_in_the_future_is_reported_and_does_not_hide_its_silence(
    town: Town,
) -> None:
    shown = make_log(LEDGER, HASHES[:300], AT + 86_400)
    town.witnessed("w2", "ledger", shown)
    assert set(town.watch()) == {"witness-clock"}


def test_dates_beyond_all_dates_break_neither_round_nor_page(town: Town) -> None:
    latest = (1 << 63) - 1
    town.show("ledger", HASHES[:300], latest)
    town.show("gazette", FOUNDED, latest)
    town.mirror()
    assert "fault" not in town.watch()
    store = open_store(town.folder)
    with web.running(make_site(store)) as url:
        assert b"9999" in fetch.get(url, bytes_max=1 << 20)
        assert fetch.get(f"{url}/metrics", bytes_max=1 << 20)
    store.close()


ANSWERS: dict[str, bytes | web.Response] = {
    "nothing": b"",
    "no text": bytes(range(256)),
    "no note": b"hello\n",
    "a note of nobody": b"log.example/ledger\n3\nAAAA\n\n\xe2\x80\x94 a AAAA\n",
    "more than fits": b"x" * (1 << 17),
    "an error": web.text("error: go away\nhint: now\n", status=500),
    "an error with a control character": web.text("error: \x1b[2J\n", status=403),
    "a redirect": web.redirect("/gazette/checkpoint"),
    "compressed": web.data(b"x", headers={"content-encoding": "gzip"}),
}
PLACES = {
    "the log": "ledger/checkpoint",
    "a tile": "ledger/tile/0/000",
    "a witness": f"w1/{origin_hash('ledger')}/checkpoint",
    "a list of forks": f"w1/{origin_hash('ledger')}/forks",
    "a mirror": f"mirror/{origin_hash('ledger')}/checkpoint",
    "a mirror's tile": f"mirror/{origin_hash('ledger')}/tile/0/001.p/44",
    "the Gazette's entries": "gazette/tile/entries/000.p/3",
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
def test_no_answer_crashes_a_check_or_stops_the_others(town: Town, place: str) -> None:
    town.watch()
    town.mirror()
    town.show("ledger", HASHES[:600])
    # Another trouble, somewhere else, must be found all the same.
    del town.files[f"w2/{origin_hash('gazette')}/checkpoint"]
    for answer in [*ANSWERS.values(), town.files["gazette/checkpoint"]]:
        town.files[place] = answer
        found = town.watch()
        assert "witness-without" in found
        assert "fault" not in found


def test_a_log_of_absurd_size_is_asked_for_a_few_tiles_and_no_more(town: Town) -> None:
    town.watch()
    tree = Tree(size=TREE_SIZE_END - 1, root_hash=HASHES[0])
    town.files["ledger/checkpoint"] = checkpoint(LEDGER, tree, AT)
    town.files["gazette/checkpoint"] = checkpoint(GAZETTE, tree, AT)
    found = town.watch()
    assert "fault" not in found
    assert town.code == 10


def test_a_place_that_does_not_end_its_answer_is_left_behind(town: Town) -> None:
    def drip() -> Iterator[bytes]:
        for _ in range(400):
            time.sleep(0.1)
            yield b"x"

    town.files[f"w1/{origin_hash('ledger')}/checkpoint"] = web.streaming(drip())
    found = town.watch(phase_seconds=4.0)
    assert set(found) == {"unreachable"}
    assert "too long" in found["unreachable"].sentence
