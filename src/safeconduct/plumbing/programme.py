"""`programme.toml` and `policy.txt`: the public file of a programme, the same for all parties.

    name = "example-2027"
    [gazette]   origin, url
    [ledger]    origin, url
    [door]      url
    [register]  url

It says where the parties are found; it is trusted for nothing else. Which keys count stands in
the policy, a C2SP tlog-policy, which a reader gets from somebody they trust.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safeconduct.errors import MalformedError
from safeconduct.plumbing.durable import read_file, write_file
from safeconduct.protocol.keys import programme_hash
from safeconduct.protocol.tlog.policy import Policy, parse_policy

PROGRAMME_BYTES_MAX = 64 << 10
POLICY_BYTES_MAX = 64 << 10
PROGRAMME_FILE = "programme.toml"
POLICY_FILE = "policy.txt"

_PLACES = ("gazette", "ledger", "door", "register")


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """Where a programme's parties are found, and the policy its dates are checked under."""

    name: str  # enters every key and record: a programme is its name
    gazette: str  # URL of the Gazette's tlog-tiles tree, no slash at the end
    gazette_origin: str
    ledger: str  # URL of the Ledger's tree
    ledger_origin: str
    door: str  # URL of the intake
    register: str  # URL of the public register
    policy: Policy
    policy_text: bytes

    @property
    def hash(self) -> bytes:
        """The programme's hash in every record."""
        return programme_hash(self.name)


def load_programme(folder: Path) -> Programme:
    """The programme whose two public files lie in `folder`.

    Raises:
        MalformedError: a file does not parse, or holds a key that means nothing.
        UnavailableError: a file cannot be read.
    """
    data = read_file(folder / PROGRAMME_FILE, bytes_max=PROGRAMME_BYTES_MAX)
    policy_text = read_file(folder / POLICY_FILE, bytes_max=POLICY_BYTES_MAX)
    try:
        table: dict[str, Any] = tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MalformedError(f"{PROGRAMME_FILE}: {error}") from error
    if table.keys() != {"name", *_PLACES}:
        raise MalformedError(f"{PROGRAMME_FILE}: needs exactly name and {', '.join(_PLACES)}")
    return Programme(
        name=_text(table, "name"),
        gazette=_place(table, "gazette", "url"),
        gazette_origin=_place(table, "gazette", "origin"),
        ledger=_place(table, "ledger", "url"),
        ledger_origin=_place(table, "ledger", "origin"),
        door=_place(table, "door", "url"),
        register=_place(table, "register", "url"),
        policy=parse_policy(policy_text),
        policy_text=policy_text,
    )


def write_programme(folder: Path, programme: Programme) -> None:
    """Write the two public files of `programme` into `folder`, durably."""
    write_file(folder / POLICY_FILE, programme.policy_text)
    write_file(folder / PROGRAMME_FILE, format_programme(programme))


def format_programme(programme: Programme) -> bytes:
    """The bytes of `programme.toml`."""
    lines = [f'name = "{programme.name}"']
    for place in ("gazette", "ledger"):
        origin, url = getattr(programme, f"{place}_origin"), getattr(programme, place)
        lines += ["", f"[{place}]", f'origin = "{origin}"', f'url = "{url}"']
    for place in ("door", "register"):
        lines += ["", f"[{place}]", f'url = "{getattr(programme, place)}"']
    return ("\n".join(lines) + "\n").encode("utf-8")


def _text(table: dict[str, Any], key: str) -> str:
    value = table[key]
    if not isinstance(value, str) or not value.isascii() or not value:
        raise MalformedError(f"{PROGRAMME_FILE}: {key} must be ASCII text")
    return value


def _place(table: dict[str, Any], place: str, key: str) -> str:
    section = table[place]
    allowed = {"url", "origin"} if place in {"gazette", "ledger"} else {"url"}
    if not isinstance(section, dict) or section.keys() != allowed:
        raise MalformedError(f"{PROGRAMME_FILE}: [{place}] needs exactly {sorted(allowed)}")
    return _text(section, key).rstrip("/")
