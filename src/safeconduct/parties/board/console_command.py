"""`safeconduct board console …`: serve the console, invite members, see what waits."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from safeconduct.errors import ConflictError, MalformedError, RefusedError
from safeconduct.parties.board.console import (
    Console,
    console_key,
    known_members,
    make_console,
    members_of,
    refresh,
    state_of,
)
from safeconduct.parties.board.console_page import Row, drafted, list_cases
from safeconduct.parties.board.console_pull import pull, pulling
from safeconduct.parties.board.console_sign_in import INVITATION_SECONDS, invite
from safeconduct.parties.board.console_site import bring, make_site
from safeconduct.parties.board.console_store import DATABASE_FILE, Store
from safeconduct.plumbing import clock, dice, fetch, terminal, web
from safeconduct.plumbing.durable import read_file
from safeconduct.plumbing.logs import read_gazette
from safeconduct.plumbing.passkeys import parse_origin
from safeconduct.plumbing.programme import Programme, load_programme
from safeconduct.plumbing.terminal import Verbs, add_verb
from safeconduct.protocol.canonical import Json
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.record import RECORD_BYTES_MAX
from safeconduct.protocol.tlog.note import format_vkey

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_NOWHERE = "http://localhost"  # of a console that nobody visits
_HOURS = INVITATION_SECONDS // 3_600

_CONSOLE = """\
Shows the cases that wait for the board, in a browser, to members with a passkey. Once:

  $ safeconduct board console-key --dir console/
  console+7f3a90b1+AQ…
  $ safeconduct register console-key console+7f3a90b1+AQ… --dir register/
  $ safeconduct board console --dir console/ --programme programme/ \\
        --listen 127.0.0.1:8500
  listening on http://localhost:8500
  $ safeconduct board invite harbour/board/1 --dir console/
  1f0c-93ab-…

The member opens /enrol, types the code and makes a passkey; from then on /enter is enough.
Votes are cast there; the decision is signed elsewhere, on each member's own machine:

  $ safeconduct board sign decision-7.record --key member/key

Passkeys are bound to the address. Behind a proxy that ends TLS say what browsers see:
--behind-proxy --origin https://board.example. Another address later means new passkeys for
everybody.
"""

_INVITE = f"""\
Prints a code with which one member can add a passkey, once, within {_HOURS} hours. A new code
voids an unused one. Hand it over in person, or by a way on which you know each other's voice:

  $ safeconduct board invite harbour/board/1 --dir console/
  1f0c-93ab-72d4-0e55-8c16-b9aa-4417-e3f2

With --lost, all passkeys that the member had stop working at once.
"""

_LIST = """\
  $ safeconduct board console-list --dir console/ --programme programme/ \\
        --member harbour/board/1
  Case 7  r-0002  your vote  0 of 3
"""

_KEY = """\
Prints the public half of the key with which the console asks the register, made if it is new:

  $ safeconduct board console-key --dir console/
  console+7f3a90b1+AQ…
  $ safeconduct register console-key console+7f3a90b1+AQ… --dir register/
"""

_PULL = """\
Asks the register once, as the console does by itself every 15 seconds, checks every docket, and
hands over what enough have signed:

  $ safeconduct board console-pull --dir console/ --programme programme/
"""


_PUT = """\
Takes a signed copy of a draft, for a member who cannot upload it. What holds is kept:

  $ safeconduct board console-put decision-7.record --dir console/ --programme programme/
  decision-7.record: signed
"""


def add_verbs(verbs: Verbs) -> None:
    """Add the verbs about the console to those of the board."""
    served = _verb(verbs, "console", "show members the cases that wait for them", _CONSOLE)
    served.add_argument("--listen", required=True, metavar="HOST:PORT", help="on loopback")
    served.add_argument("--origin", help="what browsers call it, such as https://board.example")
    served.add_argument(
        "--behind-proxy", action="store_true", help="a proxy of yours names the visitors"
    )
    served.set_defaults(run=_console)
    pulled = _verb(verbs, "console-pull", "ask the register once", _PULL)
    pulled.set_defaults(run=_pull)
    listed = _verb(verbs, "console-list", "list the cases that a member may see", _LIST)
    listed.add_argument("--member", required=True, metavar="NAME", help="a key's name")
    listed.add_argument("--json", action="store_true", help="for other programs")
    listed.set_defaults(run=_list)
    put = _verb(verbs, "console-put", "take a signed copy of a draft", _PUT)
    put.add_argument("signed", type=Path, metavar="FILE")
    put.set_defaults(run=_put)
    invited = add_verb(verbs, "invite", "let a member add a passkey to the console", _INVITE)
    invited.add_argument("member", metavar="MEMBER", help="the name of the member's key")
    _add_dir(invited)
    invited.add_argument("--lost", action="store_true", help="the old passkeys are lost")
    invited.set_defaults(run=_invite)
    key = add_verb(verbs, "console-key", "print the key that the register shall know", _KEY)
    _add_dir(key)
    key.set_defaults(run=_key)


def _verb(verbs: Verbs, name: str, summary: str, example: str) -> argparse.ArgumentParser:
    verb = add_verb(verbs, name, summary, example)
    _add_dir(verb)
    verb.add_argument("--programme", type=Path, required=True, metavar="DIR")
    return verb


def _add_dir(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--dir", type=Path, required=True, help="folder of the console")


def open_console(folder: Path, programme: Programme, origin: str) -> Console:
    """The console in `folder`, with the clock, dice and network of this machine."""
    return make_console(
        folder,
        programme,
        origin,
        seconds=clock.seconds,
        random_bytes=dice.random_bytes,
        read_state=read_state,
        ask=ask,
    )


def read_state(programme: Programme) -> GazetteState:
    """The Gazette's state now."""
    return read_gazette(programme).state


def ask(
    method: str, url: str, body: bytes, headers: Mapping[str, str], bytes_max: int
) -> fetch.Response:
    """The register's answer, whatever its status."""
    return fetch.request(method, url, body, bytes_max=bytes_max, headers=headers)


def origin_of(listen: str, origin: str | None) -> str:
    """What browsers call the console; without --origin, localhost at the port of --listen.

    Raises:
        RefusedError: it would be shown to others without TLS in front.
        MalformedError: no origin, or no port that is known beforehand.
    """
    host, _, port = listen.rpartition(":")
    if origin is not None:
        return parse_origin(origin)
    if host not in _LOOPBACK:
        raise RefusedError(
            f"without --origin the console is shown on this machine only, not on {host}",
            hint="listen on 127.0.0.1, and put a proxy that ends TLS in front",
        )
    if not port.isdecimal() or int(port) == 0:
        raise MalformedError(
            "listen: passkeys are bound to the port, so it must be a fixed one"
        )
    return parse_origin(f"http://localhost:{int(port)}".removesuffix(":80"))


def _console(options: argparse.Namespace) -> int:
    origin = origin_of(options.listen, options.origin)

    def serve(console: Console) -> int:
        site = make_site(console, pulling(console))
        web.serve(
            site,
            options.listen,
            ready=lambda _: terminal.say(f"listening on {origin}"),
            trusted_proxy=options.behind_proxy,
        )
        return 0

    return _with_console(options, origin, serve)


def _with_console(
    options: argparse.Namespace, origin: str | None, do: Callable[[Console], int]
) -> int:
    """Do something with the console in --dir; without an origin it must be there already."""
    if origin is None:
        _check_there(options.dir)
    console = open_console(options.dir, load_programme(options.programme), origin or _NOWHERE)
    try:
        return do(console)
    finally:
        console.store.close()


def _check_there(folder: Path) -> None:
    if not (folder / DATABASE_FILE).is_file():
        raise RefusedError(
            f"{folder}: there is no console in this folder",
            hint="run `safeconduct board console` first",
        )


def _pull(options: argparse.Namespace) -> int:
    def once(console: Console) -> int:
        pull(console)
        if console.memory.trouble:
            hints = "; ".join(fault.hint for fault in console.memory.faults if fault.hint)
            raise ConflictError(console.memory.trouble, hint=hints)
        for stuck in console.memory.stuck:
            fault = stuck.fault
            terminal.note(
                f"case {stuck.case} cannot be offered: {fault.message} ({fault.hint})"
            )
        terminal.say(f"{len(console.memory.offered or ())} dockets are offered")
        return 0

    return _with_console(options, None, once)


def _list(options: argparse.Namespace) -> int:
    def listed(console: Console) -> int:
        pull(console)
        if options.member not in members_of(state_of(console)):
            raise RefusedError(f"{options.member} is on neither board nor panel")
        groups = list_cases(console, options.member)
        rows = [row for row in groups.rows if row.group != "done"]
        if options.json:
            refused: list[Json] = [
                {"docket": one.hash, "reason": one.reason} for one in groups.refused
            ]
            terminal.print_json({"cases": [_json(row) for row in rows], "refused": refused})
            return 0
        for row in rows:
            terminal.say(f"{row.title}  {row.subject}  {row.waits}  {row.votes}")
        for one in groups.refused:
            terminal.note(f"refused {one.hash}: {one.reason}")
        return 0

    return _with_console(options, None, listed)


def _put(options: argparse.Namespace) -> int:
    data = read_file(options.signed, bytes_max=RECORD_BYTES_MAX)

    def put(console: Console) -> int:
        refresh(console)
        terminal.say(f"{options.signed}: {bring(console, drafted(console, data), '', data)}")
        return 0

    return _with_console(options, None, put)


def _json(row: Row) -> Json:
    return {
        "case": row.title,
        "docket": row.hash,
        "due_at": row.due_at,
        "seconds_here": row.age,
        "subject": row.subject,
        "votes": row.votes,
        "waits_for": row.waits,
        "yours": row.group == "yours",
    }


def _invite(options: argparse.Namespace) -> int:
    _check_there(options.dir)
    store = Store(options.dir)
    try:
        names = known_members(store)
        if options.member not in names:
            raise RefusedError(
                f"{options.member} is on neither board nor panel",
                hint=f"members: {', '.join(names)}" if names else "the console knows none yet",
            )
        code = invite(
            store, options.member, clock.seconds(), dice.random_bytes, lost=options.lost
        )
    finally:
        store.close()
    terminal.say(code)
    terminal.note(
        f"for {options.member}, once, within {_HOURS} hours: at /enrol of the console"
    )
    return 0


def _key(options: argparse.Namespace) -> int:
    terminal.say(format_vkey(console_key(options.dir).verifier()))
    return 0
