"""A look at the files before they are sent: what hidden data they carry, and what happens.

For each file the visitor decides: send it as it is, remove the hidden data, or do not send it.
Where something was found, there is no way on without a decision.

What was found and decided lies in the spool beside the file, under the same key.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from safeconduct.errors import RefusedError, SafeconductError, UnavailableError
from safeconduct.parties.intake.accept import Intake
from safeconduct.parties.intake.frame import Problem, page, speaks
from safeconduct.parties.intake.spool import FILE, FILE_BYTES_MAX, FILES_MAX, Item
from safeconduct.parties.intake.steps import FILES, at_step
from safeconduct.parties.intake.ticket import Ticket
from safeconduct.plumbing import clock, metadata, web
from safeconduct.plumbing.forms import Form
from safeconduct.plumbing.languages import when
from safeconduct.protocol.canonical import format_json, parse_json

KEEP, CLEAN, DROP = "keep", "clean", "drop"
LINES_MAX = 6
ASKED_MAX = 3
LOOK_SECONDS = 60.0
"""After so long no further file is looked into or cleaned for one page: others wait too."""
CLEANED = "cleaned"
_NOTE = "note"
_TOO_LARGE = 413
_POSIX_DIGITS = (9, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One file as its page shows it: `lines` are (what, value), `more` how many are left out.

    `why` says why nothing can be said, or is empty. `choice` is what was decided, if it was.
    """

    place: int
    name: str
    size: int
    lines: tuple[tuple[str, str], ...]
    more: int
    why: str
    choice: str
    can_clean: bool

    @property
    def open(self) -> bool:
        """Whether something was found, and nothing was decided yet."""
        return bool(self.lines) and not self.choice


def has_files(intake: Intake, ticket: Ticket) -> bool:
    """Whether files were handed in."""
    return bool(_files(intake, ticket))


def _files(intake: Intake, ticket: Ticket) -> list[Item]:
    items = intake.spools.items(ticket.spool, ticket.spool_key)
    return [item for item in items if item.kind == FILE]


def looks(intake: Intake, ticket: Ticket, language: str) -> list[Look]:
    """All files as they lie in the spool, looked into where that was not done yet."""
    until = clock.monotonic() + LOOK_SECONDS
    return [_look(intake, ticket, item, language, until) for item in _files(intake, ticket)]


def look_page(
    intake: Intake,
    language: str,
    ticket: Ticket,
    problem: Problem | None = None,
    *,
    status: int = 200,
) -> web.Response:
    """The page with each file, what was found in it, and the three choices.

    A few files at a time are asked about, so that the page stays small.
    """
    every = looks(intake, ticket, language)
    asked = [look for look in every if look.open][:ASKED_MAX]
    return page(
        intake,
        language,
        "upload_look.html",
        "",
        status=status,
        asked=asked,
        files=[look for look in every if look not in asked],
        reasons=_reasons(language),
        can_look=metadata.available(),
        size_max=FILE_BYTES_MAX,
        count_max=FILES_MAX,
        **at_step(intake, FILES, ticket, problem),
    )


def apply_choices(intake: Intake, ticket: Ticket, form: Form, language: str) -> Problem | None:
    """Do what was chosen in the fields `file-<place>`; why not all of it could be done.

    Raises:
        RefusedError: the spool is gone.
    """
    problem, until = None, clock.monotonic() + LOOK_SECONDS
    for item in _files(intake, ticket):
        if clock.monotonic() > until:
            break  # what is left is asked about once more
        choice = "".join(form.texts(f"file-{item.place}")[:1])
        deed = _DEEDS.get(choice)
        if deed is not None:
            problem = deed(intake, ticket, item, language) or problem
    return problem


def _keep(intake: Intake, ticket: Ticket, item: Item, language: str) -> Problem | None:
    found, before = _noted(intake, ticket, item)
    if before != CLEANED:
        _note(intake, ticket, item, found, KEEP)
    return None


def _drop(intake: Intake, ticket: Ticket, item: Item, language: str) -> Problem | None:
    _remove(intake, ticket, item)
    return None


def _clean(intake: Intake, ticket: Ticket, item: Item, language: str) -> Problem | None:
    """Put a copy without hidden data in the file's place; the file stays if there is none."""
    _ = speaks(language)
    spools, spool, key = intake.spools, ticket.spool, ticket.spool_key
    writer = spools.writer(spool, key, item.name, instead=item)
    try:
        for piece in metadata.cleaned(item.name, spools.read(spool, key, item)):
            writer.write(piece)
    except (RefusedError, UnavailableError) as error:
        writer.abort()
        return Problem(
            message=_("The hidden data could not be removed from “%(name)s”.")
            % {"name": item.name},
            hint=_("Decide whether to send it as it is, or not at all."),
            field=f"file-{item.place}",
            later=isinstance(error, UnavailableError),
        )
    except BaseException:
        writer.abort()
        raise
    fresh = writer.end()
    if fresh.place != item.place:  # else there was nothing to remove
        _remove(intake, ticket, item)
    found = metadata.found(fresh.name, spools.read(spool, key, fresh))
    _note(intake, ticket, fresh, found, CLEANED)
    return None


_DEEDS: dict[str, Callable[[Intake, Ticket, Item, str], Problem | None]] = {
    KEEP: _keep,
    CLEAN: _clean,
    DROP: _drop,
}


def _remove(intake: Intake, ticket: Ticket, item: Item) -> None:
    spools, spool, key = intake.spools, ticket.spool, ticket.spool_key
    note = spools.item(spool, key, _kind(item))
    spools.remove(spool, key, item)
    if note is not None:
        spools.remove(spool, key, note)


def _kind(item: Item) -> str:
    return f"{_NOTE}-{item.place}"


def _noted(
    intake: Intake, ticket: Ticket, item: Item, until: float = math.inf
) -> tuple[metadata.Findings, str]:
    """What was found in a file, and what was decided; it is looked into at the first time."""
    spools, spool, key = intake.spools, ticket.spool, ticket.spool_key
    note = spools.item(spool, key, _kind(item))
    if note is None and clock.monotonic() > until:
        return metadata.Findings(why=metadata.FAILED), ""
    if note is None:
        try:
            found = metadata.found(item.name, spools.read(spool, key, item))
        except UnavailableError:  # the next page tries again
            return metadata.Findings(why=metadata.FAILED), ""
        _note(intake, ticket, item, found, "")
        return found, ""
    value: Any = parse_json(spools.read_small(spool, key, note), "note")
    fields = tuple((name, text) for name, text in value["fields"])
    found = metadata.Findings(fields=fields, more=value["more"], why=value["why"])
    return found, value["choice"]


def _note(
    intake: Intake, ticket: Ticket, item: Item, found: metadata.Findings, choice: str
) -> None:
    data = format_json(
        {
            "fields": [list(each) for each in found.fields],
            "more": found.more,
            "why": found.why,
            "choice": choice,
        }
    )
    intake.spools.put(ticket.spool, ticket.spool_key, _kind(item), _NOTE, data)


def _look(intake: Intake, ticket: Ticket, item: Item, language: str, until: float) -> Look:
    found, choice = _noted(intake, ticket, item, until)
    lines = list(dict.fromkeys(_line(name, value, language) for name, value in found.fields))
    return Look(
        place=item.place,
        name=item.name,
        size=item.size,
        lines=tuple(lines[:LINES_MAX]),
        more=found.more + len(lines[LINES_MAX:]),
        why=found.why,
        choice=choice,
        can_clean=not found.why and bool(lines) and choice != CLEANED,
    )


def _line(name: str, value: str, language: str) -> tuple[str, str]:
    """What a field is, in plain words, and its value; dates as people write them."""
    plain = name.lower().rpartition(":")[2].replace("-", "").replace("_", "")
    kind = next((kind for kind, parts in _FIELDS.items() if _fits(plain, parts)), "")
    if kind == "date" and value.isdecimal() and len(value) in _POSIX_DIGITS:
        value = when(int(value), language)
    words = _words(language)
    return (words[kind], value) if kind else (words[""], f"{name}: {value}")


def _fits(name: str, parts: tuple[str, ...]) -> bool:
    return any(part in name for part in parts)


_FIELDS = {
    "place": ("gps", "location", "city", "country", "latitude", "longitude", "province"),
    "device": ("make", "model", "lens", "serialnumber", "camera", "device", "hostcomputer"),
    "program": ("software", "producer", "application", "creatortool", "generator", "encoder"),
    "date": ("date", "time", "year"),
    "preview": ("thumbnail", "preview"),
    "title": ("title", "subject", "description", "comment", "keyword", "caption", "album"),
    "person": (
        "author",
        "creator",
        "artist",
        "byline",
        "owner",
        "modifiedby",
        "savedby",
        "company",
        "manager",
        "copyright",
        "credit",
        "publisher",
        "composer",
    ),
}
"""Parts of the names that kinds of files give to their fields, by what they say."""


def _words(language: str) -> dict[str, str]:
    _ = speaks(language)
    return {
        "person": _("Name of a person or organisation"),
        "place": _("Place"),
        "device": _("Camera or device"),
        "date": _("Date and time"),
        "program": _("Program"),
        "title": _("Title or description"),
        "preview": _("Small preview picture"),
        "": _("Other hidden data"),
    }


def _reasons(language: str) -> dict[str, str]:
    """Why nothing can be said of a file, for those who decide about it."""
    _ = speaks(language)
    return {
        metadata.KIND: _("This kind of file cannot be checked here."),
        metadata.LARGE: _("This file is too large to be checked here."),
        metadata.FAILED: _("This file could not be checked. It may be damaged."),
        metadata.ABSENT: _("This service has no tool to check files."),
    }


def undecided(intake: Intake, ticket: Ticket, language: str) -> Problem | None:
    """Why there is no way on yet: a file in which something was found, without a decision."""
    _ = speaks(language)
    for look in looks(intake, ticket, language):
        if look.open:
            return Problem(
                message=_("Decide what happens to “%(name)s”.") % {"name": look.name},
                hint=_("Hidden data was found in it."),
                field=f"file-{look.place}",
            )
    return None


def upload_problem(error: SafeconductError, language: str) -> Problem:
    """What is told of files that were not taken."""
    _ = speaks(language)
    if error.http_status == _TOO_LARGE:
        return Problem(
            message=_("These files are too large or too many."),
            hint=_("None of them was taken. Choose fewer, or send them in several messages."),
            field="file",
        )
    if isinstance(error, UnavailableError):
        return Problem(
            message=_("There is no room for these files now."),
            hint=_("None of them was taken. You can go on without them and send them later."),
            field="file",
        )
    return Problem(
        message=_("These files did not arrive whole."),
        hint=_("None of them was taken. Attach them again."),
        field="file",
        detail=error.message,
    )
