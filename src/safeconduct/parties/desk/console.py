"""Who may see the console: whoever holds the code in `console.code` on this machine.

The code is 128 random bits in a file only its owner can read. Entering it gives a session: a
cookie that scripts and other sites never get, and a token of its own in every form. Sessions
live in memory: when the console stops, everybody is signed out.
"""

import hmac
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from safeconduct.errors import MalformedError, RefusedError
from safeconduct.plumbing.durable import read_file, write_secret
from safeconduct.plumbing.web import Request, Response

CODE_FILE = "console.code"
CODE_BYTES = 16
TOKEN_BYTES = 16
SESSIONS_MAX = 32
SESSION_SECONDS = 12 * 3_600
COOKIE = "desk"
_CODE_FILE_BYTES_MAX = 256
_CODE = re.compile(f"[0-9a-f]{{{2 * CODE_BYTES}}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One signed-in browser: the token its forms carry, and its end in POSIX seconds."""

    form_token: str = field(repr=False)
    ends: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """The browsers that are signed in now; any thread may ask."""

    code: str = field(repr=False)
    seconds: Callable[[], int]
    random_bytes: Callable[[int], bytes]
    held: dict[str, Session] = field(default_factory=dict, repr=False)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def enter(self, code: str) -> str:
        """The cookie's value for a new session.

        Raises:
            RefusedError: not the code.
        """
        given, due = (text.strip().encode("utf-8") for text in (code, self.code))
        if not hmac.compare_digest(given, due):
            raise RefusedError("that is not the code", hint=f"it stands in {CODE_FILE}")
        name, token = (self.random_bytes(TOKEN_BYTES).hex() for _ in range(2))
        with self.lock:
            while len(self.held) >= SESSIONS_MAX:
                del self.held[next(iter(self.held))]
            ends = self.seconds() + SESSION_SECONDS
            self.held[name] = Session(form_token=token, ends=ends)
        return name

    def session(self, request: Request) -> Session | None:
        """The session of this browser, if it is signed in."""
        with self.lock:
            found = self.held.get(request.cookies.get(COOKIE, ""))
        return found if found is not None and self.seconds() < found.ends else None

    def leave(self, request: Request) -> None:
        """Forget the session of this browser."""
        with self.lock:
            self.held.pop(request.cookies.get(COOKIE, ""), None)


def check_form(session: Session, token: str) -> None:
    """Check that a form came from one of our own pages in this very session.

    Raises:
        RefusedError: another token, or none.
    """
    if not hmac.compare_digest(token.encode("utf-8"), session.form_token.encode("ascii")):
        raise RefusedError("this form is not from this session", hint="open the page again")


def set_cookie(answer: Response, name: str) -> Response:
    """The answer with the session's cookie: no script, no other site, gone with the browser."""
    answer.set_cookie(COOKIE, name, path="/", httponly=True, samesite="strict")
    return answer


def load_code(folder: Path, random_bytes: Callable[[int], bytes]) -> str:
    """The console's code, made at the first start.

    Raises:
        MalformedError: the file holds something else.
        UnavailableError: the disk refused.
    """
    path = folder / CODE_FILE
    if not path.exists():
        write_secret(path, (random_bytes(CODE_BYTES).hex() + "\n").encode("ascii"))
    code = read_file(path, bytes_max=_CODE_FILE_BYTES_MAX).decode("ascii", "replace").strip()
    if not _CODE.fullmatch(code):
        raise MalformedError(f"{path}: not a code", hint="delete it for a new one")
    return code
