"""The page for somebody who is no engineer: what this is, what is certain, how to read it.

The same words make the page and its plain text. Neither says what the tip says, nor what its
files are called: the page may lie open on a desk while the tip is locked.
"""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from safeconduct import __version__
from safeconduct.parties.court.verify import Finding
from safeconduct.parties.court.wording import date, files, listed, say
from safeconduct.protocol.opening import ALL, SOURCE

TEXT_COLUMNS = 80
# Not through a pipe: tar stops reading at the end of the archive, before age has seen the end
# of the file and so whether it is whole.
READING = (
    "mkdir tip",
    "age --decrypt --identity key.txt --output tip.tar tip.age",
    "tar --extract --file tip.tar --directory tip",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A stretch of the page: sentences, points of a list, or what is typed and printed."""

    kind: str  # text, points or command
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and what stands below it."""

    heading: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The whole page, in one language."""

    language: str
    title: str
    sections: tuple[Section, ...]
    foot: str

    def as_text(self) -> str:
        """The page as plain text of at most 80 columns, but for commands and hashes."""
        blocks = [f"{self.title}\n{'=' * len(self.title)}"]
        for section in self.sections:
            blocks.append(f"{section.heading}\n{'-' * len(section.heading)}")
            blocks += [_LAYOUTS[part.kind](part.lines) for part in section.parts]
        return "\n\n".join([*blocks, _wrap(self.foot)]) + "\n"


def certain(finding: Finding, language: str) -> tuple[str, ...]:
    """What the opening proves, in sentences."""
    return tuple(_certain(finding, language))


def unproven(finding: Finding, language: str) -> tuple[str, ...]:
    """What the opening does not prove, in sentences."""
    return tuple(say(language, name) for name in _unproven(finding))


def explain(finding: Finding, language: str, *, file_sha256: bytes, at: int) -> Explanation:
    """The page that goes with a judge's `tip.age`, made at `at` (POSIX seconds)."""
    what = (_text(_what(finding, language)),)
    sections = {
        "what": what,
        "certain": (_points(*certain(finding, language)),),
        "open": (_points(*unproven(finding, language)),),
        "read": _read(finding, language),
        "check": _check(finding, language, file_sha256),
    }
    return Explanation(
        language=language,
        title=say(language, "title"),
        sections=tuple(
            Section(heading=say(language, name), parts=parts)
            for name, parts in sections.items()
        ),
        foot=_foot(finding, language, at),
    )


def _what(finding: Finding, language: str) -> str:
    opened = finding.opened
    extent = say(
        language,
        f"extent.{opened.scope}",
        files=files(language, len(opened.files)),
        total=opened.files_total,
    )
    return say(
        language,
        "what.text",
        programme=finding.ground.state.programme.word("name"),
        extent=extent,
        purpose=say(language, f"purpose.{opened.purpose}"),
    )


def _certain(finding: Finding, language: str) -> Iterator[str]:
    opened = finding.opened
    names = [name for name, _ in finding.witnesses]
    witnesses = say(
        language,
        "witness" if len(names) == 1 else "witnesses",
        names=listed(language, names),
    )
    dated = date(language, opened.receipt.logged_by)
    yield say(language, "date", date=dated, witnesses=witnesses)
    yield say(language, f"content.{_content(finding)}")
    yield say(language, f"opener.{opened.opener}")
    if opened.acknowledged:
        answered = date(language, opened.acknowledged.logged_by)
        yield say(language, f"status.{opened.status}", date=answered)
    if opened.logged:
        yield say(language, "logged", date=date(language, opened.logged.logged_by))


def _content(finding: Finding) -> str:
    if finding.opened.scope == ALL:
        return "all"
    return "key" if finding.opened.by_key else "desk"


def _unproven(finding: Finding) -> Iterator[str]:
    opened = finding.opened
    yield "not.truth"
    yield "not.age"
    yield "not.person" if opened.opener == SOURCE else "not.consent"
    if opened.receipt.record.word("sealed-by") == "server":
        yield "not.server"
    if opened.status not in {"ok", "duplicate"}:
        yield "not.delivered"
    if len(opened.files) < opened.files_total:
        yield "not.others"
    if not opened.by_key:
        yield "not.root"
        yield "not.names"
    if opened.logged is None:
        yield "not.logged"


def _read(finding: Finding, language: str) -> tuple[Part, ...]:
    return (
        _text(say(language, "read.text")),
        _command(*READING),
        _text(say(language, f"read.{finding.opened.scope}")),
    )


def _check(finding: Finding, language: str, file_sha256: bytes) -> tuple[Part, ...]:
    return (
        _text(say(language, "check.file")),
        _command("sha256sum tip.age", file_sha256.hex()),
        *_CHECKS[finding.opened.scope](finding, language),
        _text(say(language, "check.date")),
        _command(
            "safeconduct receipt verify tip.tlog-proof --record tip.record --policy policy.txt"
        ),
    )


def _check_payload(finding: Finding, language: str) -> tuple[Part, ...]:
    record = finding.opened.receipt.record
    return (
        _text(say(language, "check.payload")),
        _command(
            f"tail --bytes={record.number('size')} tip.age | sha256sum",
            record.hash("payload").hex(),
        ),
    )


def _check_items(finding: Finding, language: str) -> tuple[Part, ...]:
    return (
        _text(say(language, "check.items")),
        _command("sha256sum --check SHA256SUMS"),
    )


_CHECKS = {"all": _check_payload, "items": _check_items}


def _foot(finding: Finding, language: str, at: int) -> str:
    receipt = finding.opened.receipt
    return say(
        language,
        "foot",
        version=__version__,
        now=date(language, at),
        policy=finding.ground.policy_sha256.hex()[:16],
        gazette=date(language, finding.ground.vouched_at),
        record=receipt.record_hash.hex(),
        index=receipt.logged.index,
        origin=receipt.logged.origin,
    )


def _text(*lines: str) -> Part:
    return Part(kind="text", lines=lines)


def _points(*lines: str) -> Part:
    return Part(kind="points", lines=lines)


def _command(*lines: str) -> Part:
    return Part(kind="command", lines=lines)


def _wrap(text: str, first: str = "", later: str = "") -> str:
    return textwrap.fill(
        text,
        TEXT_COLUMNS,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )


_LAYOUTS = {
    "text": lambda lines: "\n".join(_wrap(line) for line in lines),
    "points": lambda lines: "\n".join(_wrap(line, "- ", "  ") for line in lines),
    "command": lambda lines: "\n".join(f"    {line}" for line in lines),
}
