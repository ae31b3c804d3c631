"""Place: how far an audit came in each log, kept so that the next one can go on from there.

    safeconduct/audit-places@1
    <64 hex digits>              SHA-256 of all bytes that follow
    {"logs":{"log.example/ledger":{…}},"policy":"…"}       canonical JSON

The file is the auditor's own, like a key: who can write it can make an audit skip entries. It
is of mode 0600 and checked for damage. A place is believed only where the copy's own tiles lead
to its edge, under the same policy; and it is kept only where nothing had failed before it.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from safeconduct.errors import MalformedError, RefusedError, UnavailableError
from safeconduct.plumbing.durable import read_file, write_secret
from safeconduct.protocol.canonical import (
    Json,
    format_base64,
    format_json,
    parse_base64,
    parse_hex,
    parse_json,
)
from safeconduct.protocol.tlog.checkpoint import parse_checkpoint
from safeconduct.protocol.tlog.merkle import HASH_BYTES, Frontier, Tree
from safeconduct.protocol.tlog.note import parse_note
from safeconduct.protocol.tlog.policy import Policy, format_policy
from safeconduct.protocol.tlog.tile import TILE_WIDTH

PLACES_BYTES_MAX = 4 << 20

_HEADER = b"safeconduct/audit-places@1\n"
_OWNER_ONLY = 0o600
_SUM_CHARACTERS = 2 * HASH_BYTES
_NUMBERS = ("entry_bytes", "first_at", "last_at", "size")
_FIELDS = frozenset({"checkpoint", "edge", *_NUMBERS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Every entry before `edge` held, in copies of which the last had this `checkpoint`.

    The times, POSIX seconds by the auditor's own clock, say when the first audit began and the
    last one came here. `edge` ends with a whole bundle, the checkpoint was cosigned, and
    `entry_bytes` is the rule that the entries were held to.
    """

    edge: Frontier
    checkpoint: bytes
    entry_bytes: int | None
    first_at: int
    last_at: int

    @property
    def tree(self) -> Tree:
        """The tree whose copy it was, which may end later than `edge`."""
        return parse_checkpoint(parse_note(self.checkpoint).text).tree


def policy_hash(policy: Policy) -> bytes:
    """What tells one policy from another: SHA-256 of its canonical file."""
    return sha256(format_policy(policy)).digest()


def format_places(places: Mapping[str, Place], policy: bytes) -> bytes:
    """The file that `parse_places` gives back, under the policy whose hash is `policy`."""
    logs: dict[str, Json] = {origin: _place_value(place) for origin, place in places.items()}
    body = format_json({"logs": logs, "policy": policy.hex()})
    return _HEADER + sha256(body).hexdigest().encode() + b"\n" + body


def parse_places(data: bytes) -> tuple[dict[str, Place], bytes]:
    """The places by origin, and the hash of the policy they hold under.

    Raises:
        MalformedError: another form, or damaged.
    """
    body = data[len(_HEADER) + _SUM_CHARACTERS + 1 :]
    if data != _HEADER + sha256(body).hexdigest().encode() + b"\n" + body:
        raise MalformedError("places: damaged, or another file")
    value = parse_json(body, "places", bytes_max=PLACES_BYTES_MAX)
    if not isinstance(value, dict) or value.keys() != {"logs", "policy"}:
        raise MalformedError("places: not logs and a policy")
    logs, policy = value["logs"], value["policy"]
    if not isinstance(logs, dict) or not isinstance(policy, str):
        raise MalformedError("places: not logs and a policy")
    places = {origin: _parse_place(each) for origin, each in logs.items()}
    return places, parse_hex(policy, HASH_BYTES, "places: policy")


def _place_value(place: Place) -> Json:
    return {
        "checkpoint": format_base64(place.checkpoint),
        "edge": [each.hex() for each in place.edge.hashes],
        "entry_bytes": place.entry_bytes or 0,
        "first_at": place.first_at,
        "last_at": place.last_at,
        "size": place.edge.size,
    }


def _parse_place(value: Json) -> Place:
    if not isinstance(value, dict) or value.keys() != _FIELDS:
        raise MalformedError("places: a place with other fields")
    numbers = {name: _natural(value[name], name) for name in _NUMBERS}
    checkpoint, hashes, size = value["checkpoint"], value["edge"], numbers["size"]
    if not isinstance(checkpoint, str) or not isinstance(hashes, list):
        raise MalformedError("places: no edge under a checkpoint")
    edge = tuple(parse_hex(str(each), HASH_BYTES, "places: edge") for each in hashes)
    place = Place(
        edge=Frontier(size=size, hashes=edge),
        checkpoint=parse_base64(checkpoint, "places: checkpoint"),
        entry_bytes=numbers["entry_bytes"] or None,
        first_at=numbers["first_at"],
        last_at=numbers["last_at"],
    )
    if size % TILE_WIDTH or size.bit_count() != len(edge) or size > place.tree.size:
        raise MalformedError("places: an edge that its checkpoint does not have")
    return place


def _natural(value: Json, what: str) -> int:
    if not isinstance(value, int) or value < 0:
        raise MalformedError(f"places: {what} is no natural number")
    return value


@dataclass(slots=True, kw_only=True)
class Places:
    """The places in one file, all under one policy; `fault` tells why none could be used."""

    path: Path
    policy: bytes
    by_origin: dict[str, Place] = field(default_factory=dict)
    fault: str = ""

    def keep(self, origin: str, place: Place) -> None:
        """Store a place; it is on the medium when this returns.

        Raises:
            UnavailableError: the disk refused.
        """
        self.by_origin[origin] = place
        write_secret(self.path, format_places(self.by_origin, self.policy))


def load_places(path: Path, policy: Policy) -> Places:
    """The places kept at `path` under this policy; none, and why, if they cannot be trusted.

    Raises:
        RefusedError: something else lies there, which would be overwritten.
    """
    places = Places(path=path, policy=policy_hash(policy))
    try:
        found, under = _read_places(path)
    except FileNotFoundError:
        return places
    except (MalformedError, UnavailableError) as error:
        places.fault = error.message
        return places
    if under != places.policy:
        places.fault = f"{path} was kept under another policy"
    else:
        places.by_origin = found
    return places


def _foreign(path: Path) -> RefusedError:
    return RefusedError(
        f"{path}: not a file that an audit kept its place in",
        hint="name a file of its own, which the audit will make",
    )


def _read_places(path: Path) -> tuple[dict[str, Place], bytes]:
    mode = os.lstat(path).st_mode
    try:
        data = read_file(path, bytes_max=PLACES_BYTES_MAX)
    except (MalformedError, UnavailableError) as error:
        # Whatever it is, a link, a film or a locked file, it is not ours to write over.
        raise _foreign(path) from error
    if data and not data.startswith(_HEADER):
        raise _foreign(path)
    if stat.S_IMODE(mode) != _OWNER_ONLY or os.lstat(path).st_uid != os.geteuid():
        raise MalformedError(
            f"{path} is not of mode 0600 and yours, so others may have made it"
        )
    return parse_places(data)
