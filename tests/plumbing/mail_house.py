"""A real SMTP server on loopback that keeps what it takes, and refuses what it is told to."""

import email
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from safeconduct.demo.stage import free_port


@dataclass
class MailHouse:
    """What came in; `answer` is what is said to each letter."""

    answer: str = "250 taken"
    letters: list[Message] = field(default_factory=list)
    to: list[list[str]] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    port: int = 0

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, name: str, more: list[str]
    ) -> list[str]:
        self.heard.append(name)
        session.host_name = name
        return more

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answer.startswith("250"):
            content: Any = envelope.content
            self.letters.append(email.message_from_bytes(content))
            self.to.append(list(envelope.rcpt_tos))
        return self.answer


@contextmanager
def open_house(**more: Any) -> Iterator[MailHouse]:
    """The house on a free port during the block; `more` is for its server."""
    house = MailHouse(port=free_port())
    controller = Controller(house, hostname="127.0.0.1", port=house.port, **more)
    controller.start()
    try:
        yield house
    finally:
        controller.stop()
