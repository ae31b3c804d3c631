"""Which logs a witness serves: given one by one, or by a list that others keep.

    # Comments and empty lines are passed over.
    logs/v0
    vkey log.example/ledger+16541b8f+AZ…         begins a log
    origin log.example/ledger                    optional; must be the key's name, or `none`
    qpd 86400                                    add-checkpoint requests a day
    contact keepers@log.example                  for people

Without the `logs/v0` line a list is one vkey a line, and keys of one name are keys of one log.
A list may be someone else's, so it only ever adds logs: what it says later about one that is
known already changes nothing, and a second `logs/v0` entry of an origin is left out.

Spec: transparency-dev/witness-network, "Log-list format"; c2sp.org/signed-note for the keys.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from safeconduct.errors import MalformedError, RefusedError, UnverifiedError
from safeconduct.parties.witness.store import Listed
from safeconduct.protocol.canonical import decode_text, parse_decimal
from safeconduct.protocol.tlog.cosignature import verify_log
from safeconduct.protocol.tlog.note import (
    ED25519,
    MLDSA44,
    Note,
    SignatureLine,
    VerifierKey,
    parse_vkey,
    signatures_by,
)

LIST_BYTES_MAX = 16 << 20
"""100,000 logs with ML-DSA keys would be larger; no network is near that."""
_HEADER = "logs/v0"
_NO_ORIGIN = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A log by its origin, the keys it may sign with, and how much it may ask for.

    `requests_per_day` None is no limit.
    """

    origin: str
    keys: tuple[VerifierKey, ...]
    requests_per_day: int | None = None

    def signed(self, note: Note) -> tuple[SignatureLine, ...]:
        """One line for each key that signed `note`; what strangers added is left out.

        Raises:
            UnverifiedError: none of the keys did, or a line under one of them is bad.
        """
        lines = []
        for key in self.keys:
            claimed = signatures_by(note, key)
            if claimed:
                verify_log(note, key)
                lines.append(claimed[0])
        if not lines:
            raise UnverifiedError("not signed by any key of that log that is trusted here")
        return tuple(lines)


def log_key(text: str) -> VerifierKey:
    """The key in a log's vkey.

    Raises:
        MalformedError: no vkey.
        RefusedError: the vkey of something else than a log.
    """
    key = parse_vkey(text)
    if key.algorithm not in (ED25519, MLDSA44):
        raise RefusedError(
            "a log's key is of type 0x01 or 0x06", hint="did you give a witness's key?"
        )
    return key


def logs_of(keys: Iterable[VerifierKey]) -> dict[str, Log]:
    """The logs that have these keys; keys of one name are keys of one log."""
    logs: dict[str, Log] = {}
    for key in keys:
        known = logs[key.name].keys if key.name in logs else ()
        logs[key.name] = Log(origin=key.name, keys=(*known, key))
    return logs


def log_listed(listed: Listed) -> Log:
    """The log that a list described."""
    keys = tuple(map(log_key, listed.vkeys))
    return Log(origin=listed.origin, keys=keys, requests_per_day=listed.requests_per_day)


def parse_list(data: bytes) -> tuple[list[Listed], list[str]]:
    """The logs of a list in either form, and a remark on each that cannot be served.

    A log whose key is not for us must not keep us from serving the others.

    Raises:
        MalformedError: too long, not text, or a line where another is due.
    """
    if len(data) > LIST_BYTES_MAX:
        raise MalformedError(f"list of logs: longer than {LIST_BYTES_MAX} bytes")
    lines = list(_lines(decode_text(data, "list of logs")))
    is_network = bool(lines) and lines[0][1] == _HEADER
    if is_network:
        described = list(_described(lines[1:]))
    else:
        described = [(number, Listed(origin="", vkeys=(line,))) for number, line in lines]
    found: dict[str, Listed] = {}
    remarks = []
    for number, log in described:
        try:
            _add(found, log, joins=not is_network)
        except (MalformedError, RefusedError) as error:
            remarks.append(f"line {number}: this log is left out: {error.message}")
    return list(found.values()), remarks


def _add(found: dict[str, Listed], log: Listed, *, joins: bool) -> None:
    """Enter a log or, in a list that the witness's own people wrote, one more key of it.

    The network's list has an entry per log, entered by whoever registers it: a second one of
    the same origin could be a stranger's, who would then sign another history for that log.
    """
    (vkey,) = log.vkeys
    origin = log_key(vkey).name
    if log.origin not in ("", origin):
        # Policies and fork proofs find a log's keys by its origin.
        raise RefusedError("its key bears another name than its origin")
    if origin in found and not joins:
        raise RefusedError("a log of that origin stands above, with another key")
    known = found[origin].vkeys if origin in found else ()
    found[origin] = Listed(
        origin=origin, vkeys=(*known, vkey), requests_per_day=log.requests_per_day
    )


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip(" ") and not line.startswith("#"):
            yield number, line


def _described(lines: Sequence[tuple[int, str]]) -> Iterator[tuple[int, Listed]]:
    """Each log of a `logs/v0` list, with the number of its first line. origin "": the key's."""
    rest = list(reversed(lines))
    while rest:
        number, vkey = _value(rest, "vkey")
        origin = _NO_ORIGIN
        if rest and rest[-1][1].startswith("origin "):
            _, origin = _value(rest, "origin")
        line, per_day = _value(rest, "qpd")
        requests_per_day = parse_decimal(per_day, f"line {line}: qpd")
        if not requests_per_day:
            raise MalformedError(f"line {line}: a log that may ask for nothing")
        _value(rest, "contact")
        yield (
            number,
            Listed(
                origin="" if origin == _NO_ORIGIN else origin,
                vkeys=(vkey,),
                requests_per_day=requests_per_day,
            ),
        )


def _value(rest: list[tuple[int, str]], keyword: str) -> tuple[int, str]:
    """Take the next line off, which must be `keyword value`."""
    number, line = rest.pop() if rest else (0, "")
    given, _, value = line.partition(" ")
    if given != keyword or not value:
        place = f"line {number}" if number else "at the end"
        raise MalformedError(f"list of logs, {place}: '{keyword} …' belongs here")
    return number, value
