"""Whether an opening holds: who signed it, what was sealed and when, and every byte shown.

Spec: docs/3-protocol.md §25.3.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from safeconduct.errors import MalformedError, UnavailableError, UnverifiedError
from safeconduct.protocol.dual import open_dual, opened_author
from safeconduct.protocol.gazette import GazetteState
from safeconduct.protocol.opened import open_with_key
from safeconduct.protocol.opening.bundle import (
    ALL,
    DESK,
    ITEMS,
    SOURCE,
    OpeningBundle,
    ShownItem,
    check_purpose,
    content_of,
    places_hash,
)
from safeconduct.protocol.receipt import (
    Receipt,
    check_in_epoch,
    verify_acknowledgement,
    verify_receipt,
)
from safeconduct.protocol.record import Record, parse_signed, verify_signer
from safeconduct.protocol.tip import Manifest, TipFile
from safeconduct.protocol.tlog.policy import Policy

Chunks: TypeAlias = Iterable[bytes]
Sink: TypeAlias = Callable[[TipFile, bytes], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedFile:
    """A file whose bytes were read and are those that were sealed.

    The name is proven with the file key only; else it is the opener's word.
    """

    place: int
    file: TipFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An opening that holds.

    `receipt` dates the tip; `opener` is `source` or `desk`; `logged` dates the opening itself,
    if it was logged; `acknowledged` is the desk's answer to the tip, if it is shown. `by_key`
    says that the whole tip was opened with the file key, and so that names are proven too.
    """

    receipt: Receipt
    opening: Record
    opener: str
    logged: Receipt | None
    acknowledged: Receipt | None
    files: tuple[OpenedFile, ...]
    files_total: int
    by_key: bool

    @property
    def scope(self) -> str:
        """`all` or `items`."""
        return self.opening.word("scope")

    @property
    def purpose(self) -> str:
        """What the opening was made for, one of `PURPOSES`."""
        return self.opening.word("purpose")

    @property
    def status(self) -> str:
        """The desk's word on the tip, or empty if none is shown."""
        return self.acknowledged.record.word("status") if self.acknowledged else ""


def verify_opening(
    bundle: OpeningBundle,
    state: GazetteState,
    policy: Policy,
    *,
    payload: Callable[[], Chunks] | None = None,
    files: Callable[[int], Chunks] | None = None,
    sink: Sink | None = None,
) -> Opened:
    """The opening, once signer, date, commitments and every shown byte hold.

    `payload()` yields the payload's bytes anew each time, `files(place)` those of a shown file.
    A whole tip's files go to `sink`; none of them counts before this returns.

    Raises:
        MalformedError: a part does not parse, or is not what this protocol writes.
        UnverifiedError: a part does not hold, or nothing shows that the files were sealed.
        UnavailableError: the payload or the files are needed and not here.
    """
    receipt = _verify_contribution(bundle, state, policy)
    opening, opener, logged = _verify_opener(bundle, state, policy, receipt)
    _check_terms(opening, bundle, receipt)
    acknowledged = _verify_acknowledged(bundle, state, policy, receipt)
    manifest = None
    if bundle.file_key and payload is not None:
        manifest = open_with_key(receipt.record, bundle.file_key, payload, sink or _nowhere)
    read = _read_all if opening.word("scope") == ALL else _read_items
    shown = read(bundle, receipt.record, manifest, acknowledged, files)
    return Opened(
        receipt=receipt,
        opening=opening,
        opener=opener,
        logged=logged,
        acknowledged=acknowledged,
        files=shown,
        files_total=len(bundle.items) or len(shown),
        by_key=manifest is not None,
    )


def _nowhere(file: TipFile, chunk: bytes) -> None:
    """What is inside is checked, and not kept."""


def _verify_contribution(bundle: OpeningBundle, state: GazetteState, policy: Policy) -> Receipt:
    """The tip's receipt; its law and its desk's certificate are ones that were published."""
    ledger = state.programme.word("ledger")
    receipt = verify_receipt(bundle.record, bundle.proof, policy, ledger)
    record = receipt.record
    if record.kind != "contribution":
        raise MalformedError(f"opening: of a {record.kind} record, which nobody sealed")
    if record.hash("programme") != state.programme_hash:
        raise UnverifiedError("opening: the tip belongs to another programme")
    state.statute(record.hash("statute"))
    if state.epoch(record.number("epoch")).hash != record.hash("certificate"):
        raise UnverifiedError("opening: the tip is sealed to a desk key nobody certified")
    return receipt


def _verify_opener(
    bundle: OpeningBundle, state: GazetteState, policy: Policy, receipt: Receipt
) -> tuple[Record, str, Receipt | None]:
    """The opening record, who signed it, and its own date if it has one."""
    kind = parse_signed(bundle.opening).record.kind
    logged = None
    if bundle.opening_proof:
        ledger = state.programme.word("ledger")
        logged = verify_receipt(bundle.opening, bundle.opening_proof, policy, ledger)
    if kind == "opening":
        record = open_dual(bundle.opening, {kind})
        if opened_author(record) != receipt.record.hash("author"):
            raise UnverifiedError("opening: not signed by the author of this tip")
        return record, SOURCE, logged
    signed = parse_signed(bundle.opening, "opening-desk")
    epoch = state.epoch(signed.record.number("epoch"))
    record = verify_signer(signed, epoch.statement)
    if logged is None:
        # Without a date it could be by anybody who found the key of an epoch long closed.
        raise UnverifiedError("opening: the desk's counts only once it is logged")
    check_in_epoch(epoch, logged.logged_by)
    return record, DESK, logged


def _check_terms(opening: Record, bundle: OpeningBundle, receipt: Receipt) -> None:
    """Check that the opening is for this tip and for just what is shown."""
    if opening.hash("programme") != receipt.record.hash("programme"):
        raise UnverifiedError("opening: made for another programme")
    if opening.hash("record") != receipt.record_hash:
        raise UnverifiedError("opening: made for another tip")
    check_purpose(opening.word("purpose"))
    places = [item.place for item in bundle.items if isinstance(item, ShownItem)]
    due = ITEMS if bundle.items else ALL
    if opening.word("scope") != due or (due == ITEMS and not places):
        raise UnverifiedError("opening: its scope is not what is shown here")
    if opening.hash("items") != places_hash(places):
        raise UnverifiedError("opening: the files shown are not those that were signed for")


def _verify_acknowledged(
    bundle: OpeningBundle, state: GazetteState, policy: Policy, receipt: Receipt
) -> Receipt | None:
    if not bundle.acknowledgement:
        return None
    return verify_acknowledgement(
        bundle.acknowledgement,
        bundle.acknowledgement_proof,
        receipt.record_hash,
        state,
        policy,
        state.programme.word("ledger"),
    )


def _read_all(
    bundle: OpeningBundle,
    record: Record,
    manifest: Manifest | None,
    acknowledged: Receipt | None,
    files: Callable[[int], Chunks] | None,
) -> tuple[OpenedFile, ...]:
    if not bundle.file_key:
        raise UnverifiedError("opening: of the whole tip, but without its file key")
    if manifest is None:
        raise UnavailableError(
            f"the sealed bytes are not here, of SHA-256 {record.hash('payload').hex()}",
            hint="whoever holds the tip can hand them over: the desk, or who sealed it",
        )
    return tuple(
        OpenedFile(place=place, file=file) for place, file in enumerate(manifest.files, start=1)
    )


def _read_items(
    bundle: OpeningBundle,
    record: Record,
    manifest: Manifest | None,
    acknowledged: Receipt | None,
    files: Callable[[int], Chunks] | None,
) -> tuple[OpenedFile, ...]:
    """The shown files, if they stand under a content commitment that is known to be true."""
    if content_of(bundle.items) != record.hash("content"):
        raise UnverifiedError("opening: these files are not those the tip commits to")
    shown = [item for item in bundle.items if isinstance(item, ShownItem)]
    if manifest is not None:
        _check_names(shown, manifest)
    else:
        _check_vouched(bundle, acknowledged)
    if files is None:
        raise UnavailableError("the files that are shown are not here")
    for item in shown:
        _check_bytes(item, files(item.place))
    return tuple(OpenedFile(place=item.place, file=item.file) for item in shown)


def _check_vouched(bundle: OpeningBundle, acknowledged: Receipt | None) -> None:
    """Refuse a content commitment that only its maker has looked behind.

    One who seals a harmless letter may commit to the list of another: only the desk, which has
    opened it, or the file key can tell.
    """
    if acknowledged is not None and acknowledged.record.word("status") == "ok":
        return
    said = f"says {acknowledged.record.word('status')}" if acknowledged else "is not shown"
    hint = "show the desk's `ok`, or the file key next to the sealed bytes"
    if bundle.file_key:
        hint = "the file key is shown: bring the sealed bytes that it opens"
    raise UnverifiedError(
        f"opening: nothing shows that these files were sealed: the desk's answer {said}",
        hint=hint,
    )


def _check_names(shown: Sequence[ShownItem], manifest: Manifest) -> None:
    # Salt, hash and size are bound by the content commitment, which holds for both.
    for item in shown:
        if manifest.files[item.place - 1] != item.file:
            raise UnverifiedError(f"opening: file {item.place} was sealed under another name")


def _check_bytes(item: ShownItem, chunks: Chunks) -> None:
    size, digest = 0, hashlib.sha256()
    for chunk in chunks:
        size += len(chunk)
        if size > item.file.size:
            break
        digest.update(chunk)
    if size != item.file.size or digest.digest() != item.file.sha256:
        raise UnverifiedError(f"opening: file {item.place} is not the one that was sealed")
