"""Mail out: the one door to smtplib. One plain text to a few people, handed over or not.

    TLS "implicit" from the first byte (port 465), "starttls" before anything else is said
    (port 587), or "none", which is meant for a mail server on this machine only

A password is never sent without TLS, and certificates are always checked.

Spec: RFC 5321, RFC 5322, RFC 3207, RFC 8314.
"""

import smtplib
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from typing import TypeAlias

from safeconduct.errors import RefusedError, UnavailableError
from safeconduct.plumbing import clock

TLS_KINDS = ("implicit", "starttls", "none")
LOOPBACK = ("127.0.0.1", "::1", "localhost")
TIMEOUT_SECONDS = 30.0
_HELO = "localhost"  # this machine's name is nobody's business


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mail is handed over; without `user` nobody signs in."""

    host: str
    port: int
    tls: str = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    context: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A plain text from one address to a few."""

    sender: str
    to: tuple[str, ...]
    subject: str
    text: str


Send: TypeAlias = Callable[[MailServer, Letter], None]
"""How a letter is handed over: `send`, or what a test puts in its place."""


def send(server: MailServer, letter: Letter) -> None:
    """Hand the letter over; when this returns, the server has taken it for all recipients.

    Raises:
        RefusedError: the server refuses the sign-in, the sender or a recipient for good, or
            has no TLS where it must.
        UnavailableError: it cannot be reached, or says to try again.
    """
    where = f"mail server {server.host}:{server.port}"
    if server.user and server.tls == "none":
        raise RefusedError(f"{where}: no password is sent without TLS")
    try:
        with _connected(server) as session:
            if server.user:
                session.login(server.user, server.password)
            _hand_over(session, letter, where)
    except smtplib.SMTPResponseException as error:
        raise _refusal(where, error.smtp_code) from error
    except (smtplib.SMTPNotSupportedError, ssl.SSLError) as error:
        raise RefusedError(f"{where}: no TLS, or none that can be trusted") from error
    except (smtplib.SMTPException, OSError) as error:
        kind = type(error).__name__
        raise UnavailableError(f"{where} does not answer ({kind})") from error


def format_letter(letter: Letter) -> bytes:
    """The message as it goes over the wire, without a name of this machine."""
    message = EmailMessage(policy=WIRE)
    message["From"] = letter.sender
    message["To"] = ", ".join(letter.to)
    message["Subject"] = letter.subject
    message["Date"] = clock.now()
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    return message.as_bytes()


def _connected(server: MailServer) -> smtplib.SMTP:
    context = server.context or ssl.create_default_context()
    if server.tls == "implicit":
        return smtplib.SMTP_SSL(
            server.host, server.port, _HELO, timeout=TIMEOUT_SECONDS, context=context
        )
    session = smtplib.SMTP(server.host, server.port, _HELO, timeout=TIMEOUT_SECONDS)
    if server.tls == "starttls":
        try:
            session.starttls(context=context)
        except BaseException:
            session.close()
            raise
    return session


def _hand_over(session: smtplib.SMTP, letter: Letter, where: str) -> None:
    try:
        refused = session.sendmail(letter.sender, letter.to, format_letter(letter))
    except smtplib.SMTPRecipientsRefused as error:
        refused = error.recipients
    if refused:
        with suppress(smtplib.SMTPException):
            session.rset()
        raise _refusal(where, max(code for code, _ in refused.values()))


def _refusal(where: str, code: int) -> RefusedError | UnavailableError:
    """The error for an SMTP status; its text is the server's and may quote anything."""
    if code >= 500:
        return RefusedError(f"{where} refuses (SMTP status {code})")
    return UnavailableError(f"{where} says to try later (SMTP status {code})")


def addresses(found: Sequence[str]) -> list[str]:
    """Those of `found` that cannot be the address of a person or would break a header."""
    return [text for text in found if not _is_address(text)]


def _is_address(text: str) -> bool:
    name, at, host = text.partition("@")
    plain = text.isascii() and text.isprintable() and not any(c in text for c in ' ,;:<>"()[]')
    return bool(plain and name and at and host and "@" not in host)
