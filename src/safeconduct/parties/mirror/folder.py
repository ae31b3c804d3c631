"""A mirror's folder: what it copies, whom it trusts for it, and its keys if it has any.

policy.txt          whose signatures count; written last: with it, the folder is a mirror
programme.toml      where logs and door are; without it the policy's log lines say so
key, key-mldsa44    to cosign the copies with; optional
writer              the lock of the one process that copies
evidence/           what a log signed against itself
shelf.db            the door's capsules
<log>/public/       checkpoint, tile/…: what is served
<log>/checkpoints.db, index.db
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from safeconduct.errors import MalformedError, RefusedError, UnavailableError
from safeconduct.plumbing import durable, keys
from safeconduct.plumbing.programme import (
    POLICY_BYTES_MAX,
    POLICY_FILE,
    PROGRAMME_BYTES_MAX,
    PROGRAMME_FILE,
    load_programme,
)
from safeconduct.protocol.tlog.note import ED25519, MLDSA44, SigningKey, VerifierKey
from safeconduct.protocol.tlog.policy import Policy, parse_policy

_KEY_FILES = {"key": ED25519, "key-mldsa44": MLDSA44}
_LOG_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_TAKEN = frozenset({*_KEY_FILES, "writer", "evidence"})
"""Names in the folder that no log may have."""
LOGS_MAX = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One log to copy: its short name here, its origin for ever, and where it is served."""

    name: str
    origin: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that a mirror copies, and under which policy; `door` is empty if there is none."""

    policy: Policy
    logs: tuple[Source, ...]
    door: str = ""

    def log_keys(self, origin: str) -> tuple[VerifierKey, ...]:
        """The keys of the log called `origin`."""
        return tuple(log.key for log in self.policy.logs if log.key.name == origin)


def new_mirror(folder: Path, given: Sequence[Path], name: str | None) -> tuple[SigningKey, ...]:
    """Make a mirror of a programme's logs in `folder`; with a `name`, one that cosigns.

    `given` is a programme's folder, its two files, or a policy alone.

    Raises:
        RefusedError: there is a mirror already, or the name is a witness's or a log's.
        MalformedError: a file does not parse, or no log has an address.
        UnavailableError: a file cannot be read, or the disk refused.
    """
    if (folder / POLICY_FILE).exists():
        raise RefusedError(f"{folder}: there is a mirror already")
    policy, programme = _read_given(given)
    if name is not None:
        keys.check_name(name)
        _check_name(parse_policy(policy), name)
    durable.make_folder(folder)
    made = [
        keys.new_signing_key(folder / file, name, algorithm)
        for file, algorithm in _KEY_FILES.items()
        if name is not None
    ]
    if programme is not None:
        durable.write_file(folder / PROGRAMME_FILE, programme)
    durable.write_file(folder / POLICY_FILE, policy)
    return tuple(made)


def load_plan(folder: Path) -> Plan:
    """What the mirror in `folder` copies.

    Raises:
        MalformedError: a file does not parse, or no log has an address.
        UnavailableError: there is no mirror.
    """
    if not (folder / POLICY_FILE).exists():
        hint = "make one: safeconduct mirror new"
        raise UnavailableError(f"{folder}: no mirror here", hint=hint)
    if not (folder / PROGRAMME_FILE).exists():
        policy = parse_policy(
            durable.read_file(folder / POLICY_FILE, bytes_max=POLICY_BYTES_MAX)
        )
        return Plan(policy=policy, logs=_listed(policy))
    programme = load_programme(folder)
    logs = (
        Source(name="gazette", origin=programme.gazette_origin, url=programme.gazette),
        Source(name="ledger", origin=programme.ledger_origin, url=programme.ledger),
    )
    return Plan(policy=programme.policy, logs=logs, door=programme.door)


def load_keys(folder: Path, plan: Plan) -> tuple[SigningKey, ...]:
    """The mirror's own keys; none if it does not cosign.

    Raises:
        RefusedError: its name is a witness's or a log's; or others can read a key.
        MalformedError, UnavailableError: as for any key file.
    """
    paths = [folder / name for name in _KEY_FILES]
    found = tuple(keys.load_signing_key(path) for path in paths if path.exists())
    for key in found:
        _check_name(plan.policy, key.name)
    return found


def origin_hash(origin: str) -> str:
    """The name of a log in addresses that everybody can compute. Spec: c2sp.org/tlog-mirror."""
    return sha256(origin.encode()).hexdigest()


def _read_given(given: Sequence[Path]) -> tuple[bytes, bytes | None]:
    """The policy, and the programme file if there is one; both parse."""
    folders = {path if path.is_dir() else path.parent for path in given}
    alone = len(given) == 1 and not given[0].is_dir() and given[0].name != PROGRAMME_FILE
    if len(folders) != 1:
        raise MalformedError(
            "not a programme's folder, its two files, or a policy",
            hint="for example --programme programme/",
        )
    (folder,) = folders
    if alone:
        policy = durable.read_file(given[0], bytes_max=POLICY_BYTES_MAX)
        _listed(parse_policy(policy))
        return policy, None
    programme = load_programme(folder)
    data = durable.read_file(folder / PROGRAMME_FILE, bytes_max=PROGRAMME_BYTES_MAX)
    return programme.policy_text, data


def _check_name(policy: Policy, name: str) -> None:
    """A mirror's signature says more than a witness's, so its name must be its own."""
    logs, witnesses = policy.logs, policy.witnesses
    if name in {log.key.name for log in logs} | {witness.key.name for witness in witnesses}:
        raise RefusedError(f"{name}: a log or a witness of the policy is called that")


def _listed(policy: Policy) -> tuple[Source, ...]:
    """The logs that the policy gives an address for, one line each."""
    urls = {line.key.name: line.url.rstrip("/") for line in policy.logs if line.url}
    if not 0 < len(urls) <= LOGS_MAX:
        raise MalformedError(
            f"policy: {len(urls)} logs with an address, not 1 to {LOGS_MAX}",
            hint="a line `log VKEY URL` names a log to copy",
        )
    names: dict[str, str] = {}
    for origin, url in urls.items():
        last = url.rpartition("/")[2]
        usable = _LOG_NAME.fullmatch(last) and last not in _TAKEN | set(names.values())
        names[origin] = last if usable else origin_hash(origin)
    return tuple(
        Source(name=names[origin], origin=origin, url=url) for origin, url in urls.items()
    )
