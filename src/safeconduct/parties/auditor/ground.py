"""The ground that several checks stand on, each piece computed once and only where it holds.

sums       the list of all files as a whole: its hash, and how many it lists
founding   entry 0 of the Gazette, proven under the quorum: whose registry key counts
state      all Gazette entries folded; only where the check of the entries held
ledger     the Ledger copy; `whole_ledger` only where every tile of it held
"""

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType

from safeconduct.errors import MalformedError, SafeconductError
from safeconduct.parties.auditor.course import Course
from safeconduct.parties.auditor.finding import BlockedError, EntryError
from safeconduct.parties.auditor.folder import (
    MANIFEST,
    SUMS,
    SUMS_BYTES_MAX,
    Digest,
    Folder,
)
from safeconduct.parties.auditor.tree import LogCopy, prove_entry, read_copy
from safeconduct.protocol.decision import Unsealed
from safeconduct.protocol.gazette import GazetteState, fold
from safeconduct.protocol.record import (
    RECORD_BYTES_MAX,
    Record,
    parse_signed,
    verify_signer,
)
from safeconduct.protocol.tlog.note import format_note
from safeconduct.protocol.tlog.policy import Policy


class Ground:
    """One folder under one policy, and which checks have held so far."""

    def __init__(
        self,
        folder: Folder,
        policy: Policy,
        course: Course,
        unsealed: Mapping[bytes, Unsealed] = MappingProxyType({}),
    ) -> None:
        self.folder = folder
        self.policy = policy
        self.course = course
        self.unsealed = unsealed  # unsealings that somebody handed over, by decision object
        self.held: dict[str, bool] = {}
        self.redeemed_shown = 0  # redemptions that a decision shown with its evidence explains

    @cached_property
    def sums(self) -> Digest:
        """The hash of `SHA256SUMS`, and how many files it lists."""
        return self.folder.digest(SUMS, bytes_max=SUMS_BYTES_MAX)

    @cached_property
    def gazette(self) -> LogCopy:
        """The Gazette copy; its checkpoint parses."""
        return read_copy(self.folder, "gazette")

    @cached_property
    def ledger(self) -> LogCopy:
        """The Ledger copy; its checkpoint parses."""
        return read_copy(self.folder, "ledger")

    @cached_property
    def founding(self) -> Record:
        """The programme's founding record, proven to be entry 0 of the cosigned Gazette.

        Raises:
            SafeconductError: a file on the way to the cosigned root hash does not hold.
        """
        return fold(None, prove_entry(self.gazette, 0, self.policy)).programme

    @cached_property
    def folded(self) -> GazetteState:
        """The state after all entries of the Gazette copy.

        Raises:
            EntryError: an entry that does not follow from those before it.
            MalformedError, UnavailableError: a bundle that cannot be read.
        """
        state: GazetteState | None = None
        for index, entry in enumerate(self.gazette.entries()):
            try:
                state = fold(state, entry)
            except SafeconductError as error:
                file = self.gazette.bundle_file(index)
                raise EntryError(f"entry {index}: {error.message}", file=file) from error
            self.course.progress.tick(index + 1, self.gazette.tree.size, "entries")
        if state is None:
            raise MalformedError("the Gazette is empty: nothing was founded")
        return state

    @property
    def state(self) -> GazetteState:
        """The folded state, where the check of the entries has held.

        Raises:
            BlockedError: it has not.
        """
        self.need("entries", "what the Gazette says")
        return self.folded

    @property
    def whole_ledger(self) -> LogCopy:
        """The Ledger copy, where every file of it has held.

        Raises:
            BlockedError: it has not.
        """
        self.need("ledger", "a whole Ledger copy")
        return self.ledger

    def is_signed(self) -> bool:
        """Whether the registry signed for exactly these bytes, so that it answers for them."""
        try:
            signed = read_manifest(self).hash("sums")
            return self.held["folder"] and signed == self.sums.sha256
        except SafeconductError:
            return False

    def need(self, check: str, what: str) -> None:
        """Go on only where an earlier check has held; `what` says in words what it gives.

        Raises:
            BlockedError: it has not held.
        """
        if not self.held.get(check):
            raise BlockedError(f"could not be checked: it needs {what}, and that check failed")


def read_manifest(ground: Ground) -> Record:
    """The manifest, signed by the registry key of the founding record and by nobody else.

    Raises:
        MalformedError: not a signed manifest in its one form.
        UnverifiedError: another signature, or the founding record is not proven.
    """
    data = ground.folder.read(MANIFEST, bytes_max=RECORD_BYTES_MAX)
    signed = parse_signed(data, "manifest")
    if format_note(signed.note) != data:
        raise MalformedError("manifest: not in canonical form")
    return verify_signer(signed, ground.founding.key("registry"))
