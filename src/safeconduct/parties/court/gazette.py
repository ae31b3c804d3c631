"""The programme's state for somebody offline: a Gazette copied to a folder, proven whole.

    FOLDER/gazette/checkpoint, tile/entries/…     the folder that a programme publishes
    FOLDER/checkpoint, tile/entries/…             or its tree alone, as mirrors keep it

Spec: docs/3-protocol.md §8, §16.
"""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from safeconduct.errors import UnverifiedError
from safeconduct.plumbing.durable import read_file
from safeconduct.plumbing.logs import CHECKPOINT_BYTES_MAX, read_gazette
from safeconduct.plumbing.programme import POLICY_BYTES_MAX, load_programme
from safeconduct.protocol.gazette import GazetteState, fold_all
from safeconduct.protocol.tlog.merkle import Frontier, leaf_hash
from safeconduct.protocol.tlog.policy import Policy, open_checkpoint, parse_policy
from safeconduct.protocol.tlog.tile import (
    BUNDLE_BYTES_MAX,
    bundle_path,
    bundles_of,
    parse_bundle,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What an opening is checked against: the state, as vouched for, and whose word counts."""

    state: GazetteState
    policy: Policy
    policy_sha256: bytes
    vouched_at: int
    """POSIX seconds: when a quorum last said that the Gazette stands as it is read here."""


def load_ground(policy: Path, public: Path) -> Ground:
    """The ground in a policy file and a public folder; nothing is fetched.

    Raises:
        MalformedError: a file does not parse.
        UnverifiedError: not cosigned by a quorum, entries missing or changed, or another log.
        UnavailableError: a file is not there.
    """
    data = read_file(policy, bytes_max=POLICY_BYTES_MAX)
    rules = parse_policy(data)
    tree = public / "gazette" if (public / "gazette").is_dir() else public
    checkpoint = read_file(tree / "checkpoint", bytes_max=CHECKPOINT_BYTES_MAX)
    cosigned = open_checkpoint(checkpoint, rules)
    entries = _read_entries(tree, cosigned.checkpoint.tree.size)
    frontier, _ = Frontier.empty().extend([leaf_hash(entry) for entry in entries])
    if frontier.tree() != cosigned.checkpoint.tree:
        raise UnverifiedError("the Gazette's entries are not those its checkpoint covers")
    state = fold_all(entries)
    if state.programme.word("gazette") != cosigned.checkpoint.origin:
        raise UnverifiedError("the Gazette stands in another log than it was founded in")
    return Ground(
        state=state,
        policy=rules,
        policy_sha256=sha256(data).digest(),
        vouched_at=cosigned.vouched_at,
    )


def fetch_ground(programme: Path) -> Ground:
    """The ground that the programme's own public files lead to; its Gazette is fetched.

    Raises:
        UnverifiedError: the Gazette does not hold.
        UnavailableError: it cannot be reached, or is stale.
    """
    loaded = load_programme(programme)
    view = read_gazette(loaded)
    return Ground(
        state=view.state,
        policy=loaded.policy,
        policy_sha256=sha256(loaded.policy_text).digest(),
        vouched_at=view.cosigned.vouched_at,
    )


def _read_entries(tree: Path, size: int) -> list[bytes]:
    entries: list[bytes] = []
    for index, width in bundles_of(size):
        data = read_file(tree / bundle_path(index, width), bytes_max=BUNDLE_BYTES_MAX)
        entries += parse_bundle(data, width)
    return entries
