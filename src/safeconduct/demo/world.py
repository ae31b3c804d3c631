"""What the play's scenes share: folders, servers, the board's keys, everybody's words."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from safeconduct.demo.stage import Stage
from safeconduct.errors import RefusedError, UnavailableError
from safeconduct.parties.board.sign import sign_all
from safeconduct.plumbing import clock, dice, terminal
from safeconduct.plumbing.programme import Programme
from safeconduct.protocol.record import Record, format_record
from safeconduct.protocol.tlog.note import SigningKey

MARK = ".safeconduct-demo"  # only folders with this file in them are ever cleared
SHIPPED = ("statutes", "examples")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Something that happened in the play, for the picture: who, what, and when (POSIX)."""

    lane: str
    at: float
    words: str
    kind: str = "step"


@dataclass(slots=True, kw_only=True)
class World:
    """The programme being played. Scenes add to it; nothing in it is a party's own memory."""

    folder: Path
    stage: Stage
    programme: Programme
    board: Sequence[SigningKey]
    panel: Sequence[SigningKey] = ()  # decides on appeals
    date: int = 0
    words: dict[str, bytes] = field(default_factory=dict)  # entropy by player
    hashes: dict[str, bytes] = field(default_factory=dict)  # contribution record by player
    captures: dict[str, Path] = field(default_factory=dict)  # folder by page name
    claims: dict[str, bytes] = field(default_factory=dict)  # claim hash by player
    moments: list[Moment] = field(default_factory=list)

    def path(self, *parts: str) -> Path:
        """A place in the play's folder."""
        return self.folder.joinpath(*parts)

    def signed(self, record: Record, signers: int = 2) -> bytes:
        """`record` signed by the first members of the board, each with a key of their own."""
        return sign_all(format_record(record), self.board[:signers])

    def check_in_time(self, what: str, at: int) -> None:
        """Refuse to go on with a play in which the story's premise does not hold.

        Raises:
            UnavailableError: this machine took longer than the law's date allowed.
        """
        if at >= self.date:
            raise UnavailableError(
                f"{what} was dated after the law's date: this machine is too busy for the play",
                hint="play again when it is less busy",
            )

    def happened(
        self, lane: str, words: str, kind: str = "step", at: float | None = None
    ) -> None:
        """Note a moment for the picture."""
        when = clock.now().timestamp() if at is None else at
        self.moments.append(Moment(lane=lane, at=when, words=words, kind=kind))


def act(number: int, title: str) -> None:
    """Announce the next part of the play."""
    terminal.say("")
    terminal.say(f"{number}. {title}", colour="bold")


def tell(text: str) -> None:
    """One step of the story."""
    terminal.say(f"   {text}")


def proof(text: str) -> None:
    """What the step before proves, and to whom."""
    terminal.say(f"     → {text}", colour="green")


def entropy() -> bytes:
    """Twelve words' worth of chance."""
    return dice.random_bytes(16)


def shipped(*parts: str) -> Path:
    """A file that comes with the programme: beside the package, or at the checkout's top.

    Raises:
        UnavailableError: it was not installed.
    """
    package = Path(__file__).resolve().parents[1]
    for base in (package, package.parents[1]):
        path = base.joinpath(*parts)
        if path.exists():
            return path
    raise UnavailableError(f"{'/'.join(parts)} is not installed")


def clear_folder(folder: Path) -> None:
    """Make `folder` empty and ours; a folder that holds anything else is left alone.

    Raises:
        RefusedError: it holds files of somebody else.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).is_file():
        raise RefusedError(
            f"{folder} holds other files", hint="give --dir the name of a new folder"
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARK).write_text("Made by `safeconduct demo`; it clears this folder again.\n")


Between = Callable[[str, World], None]
