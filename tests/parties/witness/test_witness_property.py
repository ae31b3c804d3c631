from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.parties.witness.witness_requests import (
    LOG_KEY,
    NOW,
    ORIGIN,
    SmallLog,
    request,
    signed,
    witness_in,
)

from safeconduct.errors import SafeconductError
from safeconduct.parties.witness.cosign import Witness
from safeconduct.protocol.tlog.cosignature import verify_cosignature
from safeconduct.protocol.tlog.fork import parse_fork, verify_fork
from safeconduct.protocol.tlog.merkle import Tree
from safeconduct.protocol.tlog.note import parse_note

ENTRIES = 16
STORIES = tuple(SmallLog(ENTRIES, story) for story in ("", "another ", "a third "))
SIZES = st.integers(min_value=0, max_value=ENTRIES)


@dataclass(frozen=True)
class Step:
    """A request of a log that tells one of three stories, well proven or not."""

    story: SmallLog
    old_size: int | None  # None: what the witness knows
    size: int
    is_proven: bool


STEPS = st.builds(
    Step,
    story=st.sampled_from(STORIES),
    old_size=st.one_of(st.none(), st.none(), SIZES),
    size=SIZES,
    is_proven=st.booleans(),
)


def take(step: Step, witness: Witness, now: int) -> tuple[int, Tree]:
    """The status of one request, and the tree it showed."""
    known = witness.store.latest(ORIGIN).tree.size
    old_size = known if step.old_size is None else step.old_size
    proof = [b"J" * 32]
    if step.is_proven and old_size <= step.size:
        proof = step.story.proof(old_size, step.size)
    tree = step.story.tree(step.size)
    try:
        status = witness.cosign(request(old_size, proof, signed(tree)), now).status
    except SafeconductError as error:
        status = error.http_status
    return status, tree


@settings(max_examples=40, deadline=None)
@given(st.lists(STEPS, max_size=12))
def test_whatever_a_log_shows_a_witness_vouches_for_one_history(steps: list[Step]) -> None:
    """All that was cosigned is of one story, never shrinks, and no doubt stays unproven."""
    cosigned: list[Tree] = []
    with TemporaryDirectory() as folder:
        for now, step in enumerate(steps, start=NOW):
            with witness_in(Path(folder)) as witness:
                was_forked = witness.store.latest(ORIGIN).forked
                status, tree = take(step, witness, now)
                latest = witness.store.latest(ORIGIN)
                if status == 200:
                    assert not was_forked
                    assert latest.tree == tree
                    cosigned.append(tree)
                    note = parse_note(latest.checkpoint)
                    own = witness.keys.own[0].cosigner()
                    assert verify_cosignature(note, own) == latest.cosigned_at == now
                for fork in witness.store.forks(ORIGIN).values():
                    verify_fork(parse_fork(fork), [LOG_KEY.verifier()])
                assert latest.forked == bool(witness.store.forks(ORIGIN))
                contradicts = any(one.size == tree.size and one != tree for one in cosigned)
                assert latest.forked or not contradicts
    assert any(all(story.tree(tree.size) == tree for tree in cosigned) for story in STORIES)
    assert all(old.size <= new.size for old, new in pairwise(cosigned))
