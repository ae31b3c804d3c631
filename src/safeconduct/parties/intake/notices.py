"""Notices to staff: a mail at fixed times, the same whether or not anything came.

    # notices.toml, in the door's folder
    zone = "Europe/Berlin"
    times = ["08:00", "17:00"]
    from = "door@example.org"
    to = ["desk@example.org"]
    tell = false                     # true: one line more, "came since the last notice: yes"

    [smtp]
    host = "127.0.0.1"
    port = 25
    tls = "none"                     # or "starttls", "implicit"
    user = ""                        # with a password in the file notices.password, mode 0600

A mail that is sent when a message comes tells whoever sees mail headers when that was. So
nothing is ever sent on arrival, the default text says nothing at all, and a time that was
missed for long is passed over, not made up for. Each time is served once: what was served last
is noted before the mail goes out, so a crash costs a notice and never doubles one.

Spec: docs/6-operating.md (Door).
"""

import re
import stat
import threading
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from safeconduct.errors import (
    MalformedError,
    RefusedError,
    SafeconductError,
)
from safeconduct.parties.intake.accept import Intake
from safeconduct.plumbing import mail, terminal
from safeconduct.plumbing.durable import read_file, write_file
from safeconduct.plumbing.mail import Letter, MailServer
from safeconduct.protocol.questions import Complaint

NOTICES_FILE = "notices.toml"
SECRET_FILE = "notices.password"  # noqa: S105 (the name of a file)
STATE_FILE = "notices.last"
FILE_BYTES_MAX = 16 << 10
PASSWORD_BYTES_MAX = 1_024
TIMES_MAX = 24
PEOPLE_MAX = 20
LATE_SECONDS = 3_600
"""A notice that is later is passed over: a mail at an odd time would say something."""
DAY_SECONDS = 86_400
ROUND_SECONDS = 20.0
PATIENCE_SECONDS = 120
"""Between two tries of one notice."""
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_KEYS = {"zone", "times", "from", "to", "tell", "smtp"}
_SMTP_KEYS = {"host", "port", "tls", "user"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notices:
    """When staff are written to, by whom and where; `times` are (hour, minute) in `zone`."""

    zone: ZoneInfo
    times: tuple[tuple[int, int], ...]
    sender: str
    to: tuple[str, ...]
    tell: bool
    server: MailServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """The time that was served last (POSIX seconds), and the deliveries there were then."""

    at: int
    number: int


def load_notices(folder: Path) -> Notices | None:
    """What `notices.toml` orders; None if there is none.

    Raises:
        MalformedError: it cannot be used.
        RefusedError: others can read the password.
        UnavailableError: a file cannot be read.
    """
    if not (folder / NOTICES_FILE).exists():
        return None
    notices, complaints = read_notices(folder)
    for complaint in complaints:
        if not complaint.warning:
            raise MalformedError(f"{NOTICES_FILE}: {complaint.place}: {complaint.words}")
    assert notices is not None
    return notices


def read_notices(folder: Path) -> tuple[Notices | None, tuple[Complaint, ...]]:
    """What the file orders, and all that is wrong with it; None if it cannot be used.

    Raises:
        RefusedError: others can read the password.
        UnavailableError: a file cannot be read.
    """
    data = read_file(folder / NOTICES_FILE, bytes_max=FILE_BYTES_MAX)
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return None, (Complaint(place="the file", words=f"is not TOML: {error}"),)
    complaints = tuple(_complaints(table))
    if any(not complaint.warning for complaint in complaints):
        return None, complaints
    smtp = table["smtp"]
    server = MailServer(
        host=smtp["host"],
        port=smtp["port"],
        tls=smtp.get("tls", "starttls"),
        user=smtp.get("user", ""),
        password=_password(folder) if smtp.get("user") else "",
    )
    notices = Notices(
        zone=ZoneInfo(table["zone"]),
        times=tuple(sorted(_hour_and_minute(text) for text in table["times"])),
        sender=table["from"],
        to=tuple(table["to"]),
        tell=table.get("tell", False),
        server=server,
    )
    return notices, complaints


def _complaints(table: dict[str, Any]) -> list[Complaint]:
    smtp = table.get("smtp")
    smtp = smtp if isinstance(smtp, dict) else {}
    wrong = [Complaint(place=name, words="is not known") for name in set(table) - _KEYS]
    wrong += [
        Complaint(place=f"smtp.{name}", words="is not known") for name in set(smtp) - _SMTP_KEYS
    ]
    for place, (sound, words) in _CHECKS.items():
        if not sound(table, smtp):
            wrong.append(Complaint(place=place, words=words))
    if not wrong and smtp["host"] not in mail.LOOPBACK and smtp.get("tls") == "none":
        wrong.append(Complaint(place="smtp.tls", words="none, for a server elsewhere"))
    if not wrong and table.get("tell"):
        words = "whoever sees the mail learns half a day in which something came"
        wrong.append(Complaint(place="tell", words=words, warning=True))
    return sorted(wrong, key=lambda complaint: complaint.place)


_Check = Callable[[dict[str, Any], dict[str, Any]], bool]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 200 and value.isprintable()


def _is_zone(table: dict[str, Any], _: dict[str, Any]) -> bool:
    if not _is_text(table.get("zone")):
        return False
    try:
        ZoneInfo(table["zone"])
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _are(value: object, sound: Callable[[str], bool], most: int) -> bool:
    if not isinstance(value, list) or not 0 < len(value) <= most:
        return False
    return all(isinstance(item, str) and sound(item) for item in value)


_CHECKS: dict[str, tuple[_Check, str]] = {
    "zone": (_is_zone, "must be a time zone's name, such as Europe/Berlin or UTC"),
    "times": (
        lambda table, _: (
            _are(table.get("times"), _is_time, TIMES_MAX)
            and len(set(table["times"])) == len(table["times"])
        ),
        f'must be up to {TIMES_MAX} different times, such as ["08:00", "17:00"]',
    ),
    "from": (
        lambda table, _: _are([table.get("from")], _is_person, 1),
        "must be a mail address",
    ),
    "to": (
        lambda table, _: _are(table.get("to"), _is_person, PEOPLE_MAX),
        f"must be up to {PEOPLE_MAX} mail addresses",
    ),
    "tell": (
        lambda table, _: isinstance(table.get("tell", False), bool),
        "must be true or false",
    ),
    "smtp.host": (lambda _, smtp: _is_text(smtp.get("host")), "must be a host's name"),
    "smtp.port": (
        lambda _, smtp: type(smtp.get("port")) is int and 0 < smtp["port"] < 65_536,
        "must be a port, such as 25, 465 or 587",
    ),
    "smtp.tls": (
        lambda _, smtp: smtp.get("tls", "starttls") in mail.TLS_KINDS,
        f"must be one of {', '.join(mail.TLS_KINDS)}",
    ),
    "smtp.user": (
        lambda _, smtp: smtp.get("user", "") == "" or _is_text(smtp["user"]),
        "must be a name",
    ),
}


def _is_time(text: str) -> bool:
    return bool(_TIME.fullmatch(text))


def _is_person(text: str) -> bool:
    return not mail.addresses([text])


def _hour_and_minute(text: str) -> tuple[int, int]:
    hour, _, minute = text.partition(":")
    return int(hour), int(minute)


def _password(folder: Path) -> str:
    path = folder / SECRET_FILE
    data = read_file(path, bytes_max=PASSWORD_BYTES_MAX)
    if path.stat().st_mode & _OTHERS:
        raise RefusedError(f"{path}: other users can read this", hint=f"chmod 600 {path}")
    return data.decode("utf-8", "replace").rstrip("\r\n")


# When.


def last_due(notices: Notices, now: int) -> int:
    """The newest of the fixed times that is not after `now`, in POSIX seconds.

    A time that a change of clocks leaves out is served when the clocks have gone past it; one
    that comes twice is served the first time.
    """
    today = datetime.fromtimestamp(now, UTC).astimezone(notices.zone).date()
    due = [
        int(
            datetime(
                day.year, day.month, day.day, hour, minute, tzinfo=notices.zone
            ).timestamp()
        )
        for day in (today - timedelta(days=1), today)
        for hour, minute in notices.times
    ]
    passed = [at for at in due if at <= now]
    if passed:
        return max(passed)
    return last_due(notices, now - DAY_SECONDS)


# Sending.


def letter(intake: Intake, notices: Notices, since: int) -> Letter:
    """The mail as it is sent; `since` is the number of the last delivery at the last notice."""
    return letter_text(
        intake.programme.name, notices, came=intake.store.last_number() > since, test=False
    )


def letter_text(name: str, notices: Notices, *, came: bool | None, test: bool) -> Letter:
    """The notice of the door of programme `name`; what `came` is told only where wished."""
    lines = [
        f"This is the regular notice of the door of {name}.",
        "",
        "It is sent at fixed times, whether or not anything came. If it stays out, look after",
        "the door. To see what came, ask the desk: safeconduct desk pull.",
    ]
    if notices.tell and came is not None:
        lines += ["", f"Came since the last notice: {'yes' if came else 'no'}"]
    if test:
        lines += ["", "This one was sent by hand, as a test."]
    text = "\n".join(lines) + "\n"
    return Letter(
        sender=notices.sender, to=notices.to, subject=f"{name}: regular notice", text=text
    )


def keep_notices(
    intake: Intake,
    stop: threading.Event,
    *,
    send: mail.Send = mail.send,
    round_seconds: float = ROUND_SECONDS,
) -> None:
    """Send each notice when it is due, until `stop` is set; for a thread of its own.

    The file is read once: `door lint` checks it, and the door is started anew after a change.
    """
    folder = intake.store.folder
    try:
        notices = load_notices(folder)
    except SafeconductError as error:  # a mistake in this file shuts the door to nobody
        terminal.warn(f"no notices to staff will be sent: {error.message}")
        return
    if notices is None:
        return
    retry_at = 0
    while not stop.wait(round_seconds):
        now = intake.seconds()
        try:
            if now >= retry_at or retry_at - now > PATIENCE_SECONDS:
                serve_due(intake, notices, send)
        except SafeconductError as error:
            retry_at = now + PATIENCE_SECONDS
            terminal.warn(f"the notice to staff was not sent: {error.message}")


def serve_due(intake: Intake, notices: Notices, send: mail.Send) -> bool:
    """One round: whether a notice was due and is sent now.

    A time is noted as served once its mail is taken, or is too late to be sent; if the mail
    was taken and this could not be noted, or the other way round, it is not sent twice.

    Raises:
        RefusedError, UnavailableError: the mail server does not take it now.
    """
    folder, now = intake.store.folder, intake.seconds()
    due, number = last_due(notices, now), intake.store.last_number()
    last = read_last(folder)
    if last is None:  # the first start: begin with the next time
        write_last(folder, Last(at=due, number=number))
        return False
    if last.at > now + DAY_SECONDS:  # noted by a clock that was far ahead
        write_last(folder, Last(at=due, number=last.number))
        return False
    if due <= last.at:  # served, or the clock was set back a little
        return False
    if now - due > LATE_SECONDS:
        write_last(folder, Last(at=due, number=last.number))
        return False
    write_last(folder, Last(at=due, number=number))
    try:
        send(notices.server, letter(intake, notices, last.number))
    except SafeconductError:
        write_last(folder, last)
        raise
    return True


def read_last(folder: Path) -> Last | None:
    """What was served last; None before the first start, or if the note is of no use."""
    path = folder / STATE_FILE
    if not path.exists():
        return None
    try:
        at, number = read_file(path, bytes_max=100).decode("ascii").split()
        return Last(at=int(at), number=int(number))
    except ValueError:
        return None


def write_last(folder: Path, last: Last) -> None:
    """Note what was served last."""
    write_file(folder / STATE_FILE, f"{last.at} {last.number}\n".encode("ascii"), mode=0o600)
