"""What a listed person is told: the notice, and the decision, each a letter in plain words.

A letter lies in the registry's folder until somebody serves it. Whoever holds it holds the
address of the private page, so it is for the person alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from safeconduct.parties.registry.receive import Registry
from safeconduct.parties.registry.registrations import Listed
from safeconduct.plumbing.durable import make_folder, write_file
from safeconduct.protocol.listing.dossier import Dossier
from safeconduct.protocol.registration import REGISTERED, Course, Registration, dossier_of
from safeconduct.protocol.statute.instant import format_instant
from safeconduct.protocol.statute.text import Statute, Words

TOLD_FOLDER = "letters"
_FIELDS = {
    "ground": "Ground",
    "role": "Your role",
    "conduct": "What you are said to have done",
    "harm": "The harm",
    "time_since": "How long ago",
    "weight": "Why it weighs enough",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A letter: its title, and its paragraphs, each one or more lines."""

    title: str
    paragraphs: tuple[tuple[str, ...], ...]

    @property
    def text(self) -> str:
        """The letter as plain text."""
        parts = ((self.title,), *self.paragraphs)
        return "\n\n".join("\n".join(part) for part in parts) + "\n"


def write_told(registry: Registry, name: str, told: Told) -> Path:
    """Keep a letter, for its person alone; returns where."""
    folder = registry.folder / TOLD_FOLDER
    make_folder(folder, mode=0o700)
    path = folder / f"{name}.txt"
    write_file(path, told.text.encode("utf-8"), mode=0o600)
    return path


def page_address(registry: Registry, listed: Listed) -> str:
    """The address of a person's private page."""
    return f"{registry.programme.register}/listing/{listed.page.hex()}"


def notice_told(
    registry: Registry, listed: Listed, course: Course, found: Registration, law: Statute
) -> Told:
    """The notice in words: the whole file, and how to reply until when."""
    dossier = dossier_of(course)
    terms = law.procedure.listing
    assert terms is not None
    assert found.last_reply_at is not None
    until = format_instant(found.last_reply_at)
    return Told(
        title=f"Notice to {dossier.name}, register number {dossier.subject}",
        paragraphs=(
            (
                "The body proposes to enter you in its register. Nothing is entered yet, and "
                "nobody else can see this.",
                f"Law: {words(law.title)}, version {law.version.number}, "
                f"section {terms.section}.",
            ),
            *file_told(dossier),
            (
                f"You may reply until {until} (UTC). Nothing is decided before then, unless "
                "your reply comes first.",
                f"Your private page, where all this stands: {page_address(registry, listed)}",
                "Whoever has its address can read it.",
            ),
        ),
    )


def file_told(dossier: Dossier) -> tuple[tuple[str, ...], ...]:
    """The whole file in words: what the person is shown is what the board decides on."""
    assessed = [
        f"{title}: {dossier.assessment.get(name, '')}" for name, title in _FIELDS.items()
    ]
    private = [f"Why you are taken to be the person meant: {dossier.identity}"]
    private += [f"It rests on: {each}" for each in dossier.evidence]
    private.append(f"Proposed by: {dossier.proposer}")
    if dossier.source:
        private.append(f"The data came from: {dossier.source}")
    return (tuple(assessed), (_effects(dossier),), tuple(private))


def _effects(dossier: Dossier) -> str:
    named = ", ".join(effect.replace("_", " ") for effect in dossier.effects)
    return f"Effects it would have: {named or 'none'}. It would have no others."


def reasons_told(
    dossier: Dossier,
    law: Statute,
    outcome: str,
    *,
    replied: bool,
    remitted_at: int | None = None,
) -> str:
    """The reasons that a decision binds by their hash; the same whenever they are made."""
    terms = law.procedure.listing
    assert terms is not None
    verdict = {
        True: f"{dossier.name}, register number {dossier.subject}, is to be entered.",
        False: f"{dossier.name}, register number {dossier.subject}, is not entered.",
    }[outcome == REGISTERED]
    lines = [
        verdict,
        f"Law: {words(law.title)}, version {law.version.number}, section {terms.section}.",
        "The reply was read." if replied else "No reply came in time.",
    ]
    if remitted_at is not None:
        at = format_instant(remitted_at)
        lines.append(f"Decided again: the appeal panel sent it back on {at}.")
    if outcome == REGISTERED:
        lines += [f"{name}: {dossier.assessment[name]}" for name in _FIELDS]
        lines.append(f"Effects: {', '.join(dossier.effects) or 'none'}.")
    return "\n".join(lines) + "\n"


def decision_told(
    registry: Registry,
    listed: Listed,
    letter: str,
    signers: Iterable[str],
    days: tuple[int, int | None],
    law: Statute,
) -> Told:
    """A decision as it is served; `days` are its logged-by time and the last for an appeal."""
    logged_by, last_appeal_at = days
    dated = [
        f"Signed by: {', '.join(signers)}",
        f"Dated by the witnesses: {format_instant(logged_by)}",
    ]
    if last_appeal_at is not None:
        section = law.procedure.appeal_section
        dated.append(
            f"You may appeal (section {section}) until {format_instant(last_appeal_at)} (UTC), "
            f"on your private page: {page_address(registry, listed)}"
        )
        dated.append("Until the appeal is decided, nothing is entered and nothing is shown.")
    lines = tuple(letter.rstrip("\n").split("\n"))
    return Told(title=f"Decision on listing {listed.number}", paragraphs=(lines, tuple(dated)))


def words(text: Words) -> str:
    """The text in English, or in whichever language there is."""
    return text.get("en") or next(iter(text.values()))
