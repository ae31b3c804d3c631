"""A mirror of our own log, with its witnesses, over HTTP: copied while it grows, then alone."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from tests.parties.log.log_world import ORIGIN, hash_entry, make_world
from tests.parties.mirror.mirror_world import serving

from safeconduct.parties.log.sequence import Pace, writing
from safeconduct.parties.log.site import make_site
from safeconduct.parties.mirror.folder import new_mirror
from safeconduct.parties.mirror.follow import copy_once, open_mirror
from safeconduct.plumbing import fetch, web
from safeconduct.protocol.tlog.merkle import leaf_hash
from safeconduct.protocol.tlog.policy import LogLine, format_policy, verify_proof

BYTES_MAX = 20_000
LATE_SECONDS_MAX = 100


def test_receipts_of_a_log_are_had_from_its_mirror_when_log_and_witnesses_are_gone(
    tmp_path: Path,
) -> None:
    folder, mirror_folder = tmp_path / "log", tmp_path / "mirror"
    folder.mkdir()
    given: list[bytes] = []
    with ExitStack() as stack:
        world = stack.enter_context(make_world(folder))
        log = stack.enter_context(world.open(pace=Pace(every_seconds=0.05)))
        stack.enter_context(writing(log))
        url = stack.enter_context(web.running(make_site([log])))
        policy = world.policy
        address = LogLine(key=world.log_key, url=f"{url}/ledger")
        file = tmp_path / "policy.txt"
        file.write_bytes(format_policy(replace(policy, logs=(address,))))
        new_mirror(mirror_folder, [file], None)
        for number in range(6):
            answer = fetch.post(f"{url}/ledger/add", hash_entry(number), bytes_max=BYTES_MAX)
            fetch.raise_for(answer)
            given.append(answer.body)
            with open_mirror(mirror_folder) as mirror:
                assert copy_once(mirror) == []
    with open_mirror(mirror_folder) as mirror, serving(mirror) as url:
        for number, receipt in enumerate(given):
            leaf = leaf_hash(hash_entry(number)).hex()
            proof = fetch.get(f"{url}/ledger/proof?entry-hash={leaf}", bytes_max=BYTES_MAX)
            restored = verify_proof(proof, hash_entry(number), policy, ORIGIN)
            original = verify_proof(receipt, hash_entry(number), policy, ORIGIN)
            assert restored.index == original.index
            late = restored.logged_by - original.logged_by
            assert 0 <= late <= LATE_SECONDS_MAX
