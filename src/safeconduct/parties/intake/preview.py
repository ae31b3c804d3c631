"""A door without a programme: its real pages with a body's texts, and nothing that can be sent.

Every page bears PREVIEW in place of the programme's name. There is no law, no desk key and no
log, so the steps of the form can be walked through up to the last one, which is refused.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from safeconduct.errors import UnavailableError
from safeconduct.parties.intake import questions
from safeconduct.parties.intake.accept import Intake
from safeconduct.parties.intake.commits import Commits
from safeconduct.parties.intake.definition import Definition
from safeconduct.parties.intake.frame import page
from safeconduct.parties.intake.show import passages
from safeconduct.parties.intake.spool import Spools
from safeconduct.parties.intake.store import Store
from safeconduct.plumbing import clock, dice, pages
from safeconduct.plumbing.languages import LANGUAGES
from safeconduct.plumbing.logs import GazetteView
from safeconduct.plumbing.programme import Programme
from safeconduct.protocol.gazette import GazetteState, Roster
from safeconduct.protocol.keys import programme_hash
from safeconduct.protocol.questions import Complaint
from safeconduct.protocol.record import NO_HASH, make_record
from safeconduct.protocol.tlog.checkpoint import Checkpoint
from safeconduct.protocol.tlog.merkle import EMPTY_ROOT, Tree
from safeconduct.protocol.tlog.note import COSIGNATURE, SigningKey
from safeconduct.protocol.tlog.policy import (
    Cosigned,
    LogLine,
    Policy,
    WitnessLine,
    format_policy,
)

NAME = "PREVIEW"
PAGE_BYTES_MAX = 30_000
_NOBODY = "preview.invalid"
_KEY = SigningKey(name=_NOBODY, seed=bytes(32))  # these sign nothing that anybody sees
_WITNESS = SigningKey(name=_NOBODY, seed=bytes([1]) * 32)


@contextmanager
def preview(definition: Definition) -> Iterator[Intake]:
    """A door for looking at, during the block; what it is given is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="safeconduct-preview-") as name:
        folder = Path(name)
        yield Intake(
            programme=_programme(),
            key=_KEY,
            store=Store(folder),
            seconds=clock.seconds,
            random_bytes=dice.random_bytes,
            gazette=_empty_gazette,
            commits=Commits(_no_log),
            spools=Spools(folder / "spool"),
            definition=definition,
        )


def page_complaints(definition: Definition) -> list[Complaint]:
    """Which pages become too large for a slow line, in which language."""
    complaints = []
    with preview(definition) as intake:
        for language in LANGUAGES:
            told = passages(intake, language)
            sheets = {
                "first page": page(
                    intake, language, "start.html", "/", switch=True, offer=None, told=told
                ),
            }
            if questions.asks(intake):
                sheets["questions"] = questions.whole_page(intake, language)
            for name, sheet in sheets.items():
                size = len(sheet.body) + len(pages.style())
                if size > PAGE_BYTES_MAX:
                    words = (
                        f"with all it may show {size} bytes, but {PAGE_BYTES_MAX} are the most"
                    )
                    place = f"{name} in {language}"
                    complaints.append(Complaint(place=place, words=words))
    return complaints


def _no_log(_: Sequence[bytes]) -> Sequence[bytes]:
    raise UnavailableError("this is a preview: nothing can be sent")


def _programme() -> Programme:
    policy = Policy(
        logs=(LogLine(key=_KEY.verifier()),),
        witnesses=(WitnessLine(name="nobody", key=_WITNESS.verifier(COSIGNATURE)),),
        quorum="nobody",
    )
    return Programme(
        name=NAME,
        gazette=f"http://{_NOBODY}",
        gazette_origin=_NOBODY,
        ledger=f"http://{_NOBODY}",
        ledger_origin=_NOBODY,
        door=f"http://{_NOBODY}",
        register=f"http://{_NOBODY}",
        policy=policy,
        policy_text=format_policy(policy),
    )


def _empty_gazette() -> GazetteView:
    """A Gazette in which nothing but a founding record stands."""
    member = _KEY.verifier()
    founding = make_record(
        "programme",
        programme=programme_hash(NAME),
        name=NAME.lower(),
        founded=0,
        gazette=_NOBODY,
        ledger=_NOBODY,
        delivery_window=86_400,
        ledger_pad=1,
        server=member,
        registry=member,
        threshold=1,
        members=(member,),
    )
    roster = Roster(number=0, threshold=1, members=(member,), hash=NO_HASH)
    checkpoint = Checkpoint(origin=_NOBODY, tree=Tree(size=0, root_hash=EMPTY_ROOT))
    return GazetteView(
        state=GazetteState(programme=founding, size=1, rosters=(roster,)),
        cosigned=Cosigned(checkpoint=checkpoint, logged_by=0, vouched_at=0, cosignatures=()),
        checkpoint=b"",
        entries=(),
    )
