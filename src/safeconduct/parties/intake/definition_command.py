"""`safeconduct door new`, `lint`, `preview`, `notice`: what a body writes, and if it fits."""

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from safeconduct.errors import MalformedError, RefusedError, SafeconductError
from safeconduct.parties.intake.definition import (
    QUESTIONS_FILE,
    TEXTS_FILE,
    Remark,
    read_definition,
)
from safeconduct.parties.intake.notices import (
    NOTICES_FILE,
    letter_text,
    load_notices,
    read_notices,
)
from safeconduct.parties.intake.preview import page_complaints, preview
from safeconduct.parties.intake.site import make_site
from safeconduct.plumbing import durable, keys, mail, pages, terminal, web
from safeconduct.plumbing.programme import load_programme
from safeconduct.plumbing.terminal import Verbs
from safeconduct.protocol.questions import Complaint
from safeconduct.protocol.tlog.note import format_vkey

KEY_FILE = "server.key"
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
EXAMPLES = {
    TEXTS_FILE: "texts.example.yaml",
    QUESTIONS_FILE: "questions.example.yaml",
    "notices.example.toml": "notices.example.toml",
}
_PACKAGE = "safeconduct.parties.intake"
_NEW = """\
Writes example files in which everything is explained and nothing is in use yet. What is there
already stays as it is. With --name it makes the door's signing key too, once, and prints the
verifier key for the founding record:

  $ safeconduct door new --dir /var/lib/door --name harbour-2027/door
  harbour-2027/door+5f1c9e3a+AX…
  texts.yaml
  questions.yaml
  notices.example.toml
"""
_LINT = """\
Says all that is wrong with texts.yaml, questions.yaml and notices.toml, and where. Ends with 65
if one of them cannot be used; a warning does not keep it from being used:

  $ safeconduct door lint --dir /var/lib/door
  questions.yaml: question when: if: can never hold: how has no choice seen
"""
_PREVIEW = """\
Shows the pages for sources with the texts and questions as they are now, on this machine only.
It needs no programme, is marked PREVIEW, and nothing can be sent:

  $ safeconduct door preview --dir /var/lib/door --listen 127.0.0.1:8009
  listening on http://127.0.0.1:8009
"""
_NOTICE = """\
Sends the notice that staff get at fixed times, marked as a test; the fixed times stay as they
are:

  $ safeconduct door notice --now --dir /var/lib/door
  sent to 2
"""


def add_verbs(verbs: Verbs) -> None:
    """Add the four verbs."""
    new = _verb(verbs, "new", "write commented example files", _NEW)
    new.add_argument("--name", metavar="NAME", help="make the key server.key, called so")
    new.set_defaults(run=_new)
    lint = _verb(verbs, "lint", "check texts, questions and notices", _LINT)
    lint.add_argument("--json", action="store_true", help="for other programs")
    lint.set_defaults(run=_lint)
    shown = _verb(verbs, "preview", "show the pages without a programme", _PREVIEW)
    shown.add_argument(
        "--listen", default="127.0.0.1:8009", metavar="HOST:PORT", help="on loopback"
    )
    shown.set_defaults(run=_preview)
    notice = _verb(verbs, "notice", "send the notice to staff as a test", _NOTICE)
    notice.add_argument("--now", action="store_true", required=True, help="send it now")
    notice.set_defaults(run=_notice)


def _verb(verbs: Verbs, name: str, summary: str, example: str) -> argparse.ArgumentParser:
    verb = terminal.add_verb(verbs, name, summary, example)
    verb.add_argument("--dir", type=Path, required=True, help="folder of this door")
    return verb


def _new(options: argparse.Namespace) -> int:
    durable.make_folder(options.dir)
    if options.name is not None:
        key = keys.new_signing_key(options.dir / KEY_FILE, options.name)
        terminal.say(format_vkey(key.verifier()))
    for name, example in EXAMPLES.items():
        path = options.dir / name
        if path.exists() or path.is_symlink():
            terminal.note(f"{name} is there already, and stays as it is")
            continue
        durable.write_file(path, pages.asset(_PACKAGE, example))
        terminal.say(name)
    return 0


def lint(folder: Path) -> tuple[Remark, ...]:
    """All that is wrong with the files that a body wrote into a door's folder.

    Raises:
        UnavailableError: there is no such folder, or a file cannot be read.
    """
    definition, remarks = read_definition(folder)
    found = [*remarks, *_notice_remarks(folder)]
    if all(remark.complaint.warning for remark in remarks):
        found += [
            Remark(
                file=QUESTIONS_FILE if "questions" in each.place else TEXTS_FILE, complaint=each
            )
            for each in page_complaints(definition)
        ]
    return tuple(found)


def _notice_remarks(folder: Path) -> Iterator[Remark]:
    if not (folder / NOTICES_FILE).exists():
        return
    try:
        _, complaints = read_notices(folder)
    except SafeconductError as error:
        complaints = (Complaint(place="smtp.user", words=error.message),)
    for complaint in complaints:
        yield Remark(file=NOTICES_FILE, complaint=complaint)


def _lint(options: argparse.Namespace) -> int:
    if not options.dir.is_dir():
        raise RefusedError(f"{options.dir}: no such folder", hint="`door new` makes one")
    remarks = lint(options.dir)
    if options.json:
        terminal.print_json(
            [{"file": remark.file, **asdict(remark.complaint)} for remark in remarks]
        )
    else:
        for remark in remarks:
            terminal.say(str(remark))
        terminal.note(f"{len(remarks)} complaints" if remarks else "nothing to complain of")
    wrong = any(not remark.complaint.warning for remark in remarks)
    return MalformedError.exit_code if wrong else 0


def _preview(options: argparse.Namespace) -> int:
    host = options.listen.rpartition(":")[0]
    if host not in LOOPBACK:
        raise RefusedError(
            f"a preview is shown on this machine only, not on {host or 'every address'}",
            hint="listen on 127.0.0.1",
        )
    definition, remarks = read_definition(options.dir)
    for remark in remarks:
        terminal.warn(str(remark))
    with preview(definition) as intake:
        site = make_site(intake)
        web.serve(site, options.listen, ready=lambda url: terminal.say(f"listening on {url}"))
    return 0


def _notice(options: argparse.Namespace) -> int:
    notices = load_notices(options.dir)
    if notices is None:
        raise RefusedError(
            f"{options.dir} has no {NOTICES_FILE}", hint="`door new` writes an example"
        )
    name = load_programme(options.dir).name
    with terminal.waiting("handing the notice over"):
        mail.send(notices.server, letter_text(name, notices, came=None, test=True))
    terminal.say(f"sent to {len(notices.to)}")
    return 0
