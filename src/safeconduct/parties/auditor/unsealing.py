"""What unseals decisions on sealed evidence: handed over beside the folder, or shown in it.

    unsealed/<sha256>.json      of the decision object; only if there are any

The registry shows it from the day on that the law computes. Before that day it has no business
in the folder, and what opens nothing has none either. What somebody handed over instead is
their own word: where it opens nothing, that is held against nobody.

Spec: docs/3-protocol.md §15.9.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from safeconduct.errors import SafeconductError, UnverifiedError
from safeconduct.parties.auditor import finding
from safeconduct.parties.auditor.finding import Failed, Findings, attempt, show_instant
from safeconduct.parties.auditor.ground import Ground
from safeconduct.parties.auditor.tree import verify_checkpoint
from safeconduct.protocol.decision import (
    OBJECT_BYTES_MAX,
    UNSEALED_BYTES_MAX,
    Rechecked,
    Unsealed,
    UnsealingError,
    opens_at,
    parse_unsealed,
    read_law,
    recheck,
)
from safeconduct.protocol.decision.shown import read_object
from safeconduct.protocol.record import Record

FOLDER = "unsealed"


def recompute_decision(
    ground: Ground, data: bytes, publication: Record
) -> tuple[Rechecked, Sequence[Failed]]:
    """A decision computed again, opened if it can be, and what was handed over in vain for it.

    Raises:
        SafeconductError: it comes out differently.
    """
    sha256 = publication.hash("object")
    given, state, policy = ground.unsealed.get(sha256), ground.state, ground.policy
    try:
        unsealed = given or _shown(ground, sha256)
        return recheck(data, publication, state, policy, unsealed), ()
    except UnsealingError as error:
        vain = () if given is None else (opens_nothing(sha256, error.message),)
        return recheck(data, publication, state, policy), vain


def _shown(ground: Ground, sha256: bytes) -> Unsealed | None:
    """What the folder shows to unseal a decision; None if nothing, or nothing that is one."""
    name = _name(sha256)
    if not ground.folder.holds(name):
        return None
    try:
        return parse_unsealed(ground.folder.read(name, bytes_max=UNSEALED_BYTES_MAX))
    except SafeconductError:
        return None  # `find_unsealed` tells why.


def _name(sha256: bytes) -> str:
    return f"{FOLDER}/{sha256.hex()}.json"


def opens_nothing(sha256: bytes, found: str) -> Failed:
    """That somebody handed over what unseals no decision here."""
    return Failed(
        file=f"decisions/{sha256.hex()}.json",
        found=found,
        expected="an unsealing of a decision of this folder",
        proves=finding.OPENS_NOTHING,
    )


def find_unsealed(ground: Ground) -> Findings:
    """Whether each unsealing that the folder shows opens its decision, and none comes early."""
    publications = {_name(one.hash("object")): one for one in ground.state.publications}
    for name in ground.folder.names(FOLDER):
        yield from attempt(
            partial(_check, ground, name, publications),
            name,
            "what unseals a published decision, from the day on that its law names",
            finding.UNSEALED_FAULTY,
        )


def _check(ground: Ground, name: str, publications: Mapping[str, Record]) -> None:
    publication = publications.get(name)
    if publication is None:
        raise UnverifiedError("no publication names its decision")
    unsealed = parse_unsealed(ground.folder.read(name, bytes_max=UNSEALED_BYTES_MAX))
    shown = f"decisions/{publication.hash('object').hex()}.json"
    data = ground.folder.read(shown, bytes_max=OBJECT_BYTES_MAX)
    _check_opens(ground, data, publication, unsealed)
    _check_day(ground, data, publication)


def _check_opens(ground: Ground, data: bytes, publication: Record, unsealed: Unsealed) -> None:
    """Return also if it opens a decision that is false: the check of that one tells how."""
    try:
        recheck(data, publication, ground.state, ground.policy, unsealed)
    except UnsealingError:
        raise
    except SafeconductError:
        return


def _check_day(ground: Ground, data: bytes, publication: Record) -> None:
    # Perhaps it is no decision at all: whatever was wrong with it, `_check_opens` let it pass.
    value = read_object(data)
    until = opens_at(value, read_law(ground.state, publication.hash("statute")))
    if until is None:
        raise UnverifiedError("unsealed, and its law names no day for that")
    seen_by = verify_checkpoint(ground.gazette, ground.policy).vouched_at
    if until > seen_by:
        raise UnverifiedError(
            f"unsealed by {show_instant(seen_by)}, and not before {show_instant(until)}"
        )
